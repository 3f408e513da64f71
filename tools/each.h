/*
 * Each: runs a command for each account or source that is named, and writes
 * what came of it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_EACH_H
#define SR_TOOLS_EACH_H

#include "tools/command.h"
#include "tools/report.h"

/*
 * One account or source.  It sets ctl->is_changed, writes sentences with
 * ctl_print() and ctl_error(), and members of the JSON object with `report`,
 * which does nothing but with --json.  Returns the exit code.
 */
typedef int (*ctl_one)(struct ctl *ctl, struct report *report,
                       const char *name);

/*
 * Run `one` for each operand.  With --json each becomes an object: `key` with
 * the name, what `one` adds, "changed" and "dry_run" where the command changes
 * something, "error" (null, or a name of ctl_exit_name()) and "exit_code".  One
 * operand is written as an object, several are written as an array.  Returns
 * the first exit code that is not CTL_OK, or CTL_OK.
 */
int ctl_each(struct ctl *ctl, const char *key, ctl_one one);

/* The same for a command without operands: `one` runs once, with NULL. */
int ctl_once(struct ctl *ctl, ctl_one one);

/* A command that needs one of --ON, --OFF and --check. */
int ctl_switch(struct ctl *ctl, int argc, char **argv, const char *on,
               const char *off, ctl_one enable, ctl_one disable,
               int (*check)(struct ctl *ctl, bool is_json));

#endif
