/*
 * Commands: one function for each command, in the file of its name.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CMD_COMMANDS_H
#define SR_TOOLS_CMD_COMMANDS_H

#include "tools/command.h"

/* Each runs the command with its arguments and returns its exit code. */
int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_log(struct ctl *ctl, int argc, char **argv);
int ctl_list(struct ctl *ctl, int argc, char **argv);
int ctl_unlock(struct ctl *ctl, int argc, char **argv);
int ctl_unthrottle(struct ctl *ctl, int argc, char **argv);
int ctl_temporary(struct ctl *ctl, int argc, char **argv);
int ctl_must_change(struct ctl *ctl, int argc, char **argv);
int ctl_explain(struct ctl *ctl, int argc, char **argv);
int ctl_check(struct ctl *ctl, int argc, char **argv);
int ctl_age(struct ctl *ctl, int argc, char **argv);
int ctl_password_check(struct ctl *ctl, int argc, char **argv);
int ctl_nss(struct ctl *ctl, int argc, char **argv);
int ctl_pam(struct ctl *ctl, int argc, char **argv);
int ctl_reset(struct ctl *ctl, int argc, char **argv);
int ctl_groups(struct ctl *ctl, int argc, char **argv);
int ctl_rotate(struct ctl *ctl, int argc, char **argv);
int ctl_migrate(struct ctl *ctl, int argc, char **argv);
int ctl_health(struct ctl *ctl, int argc, char **argv);
int ctl_report(struct ctl *ctl, int argc, char **argv);
int ctl_why(struct ctl *ctl, int argc, char **argv);
int ctl_ticket(struct ctl *ctl, int argc, char **argv);
int ctl_gates(struct ctl *ctl, int argc, char **argv);
int ctl_notices(struct ctl *ctl, int argc, char **argv);
int ctl_metrics(struct ctl *ctl, int argc, char **argv);
int ctl_events(struct ctl *ctl, int argc, char **argv);

#endif
