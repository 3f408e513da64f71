/*
 * Command: the commands of selfresetctl, their options, operands and exit
 * codes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_COMMAND_H
#define SR_TOOLS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/config/config.h"

/* Exit codes; selfresetctl(8) documents each. */
enum ctl_exit {
    CTL_OK = 0,
    CTL_FAILED = 1,   /* it could not be done or found out */
    CTL_WARNINGS = 1, /* check: warnings, no errors */
    CTL_ERRORS = 2,   /* check: at least one error */
    CTL_LOCKED = 3,   /* status: locked */
    CTL_CHANGE = 4,   /* status: must-change or expired */
    CTL_CLOSED = 5,   /* status: disabled, ended, not-yet */
    CTL_BARRED = 6,   /* status: barred or lapsed */
    CTL_NO_USER = 7,  /* there is no such account */
    CTL_PARTLY = 8,   /* done in part; the message says what is left */
    CTL_REFUSED = 9,  /* the rules forbid it; nothing was done */
    CTL_USAGE = 64,   /* as EX_USAGE of sysexits(3) */
    CTL_NO_ROOT = 77, /* as EX_NOPERM */
};

struct ctl;

struct ctl_command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;   /* one line, for the list of commands */
    const char *help;      /* what --help says besides; may be NULL */
    int (*run)(struct ctl *ctl, int argc, char **argv);
    bool needs_root;
};

/* One run of the tool. */
struct ctl {
    const struct ctl_command *command;
    const char *config_file;  /* --config, or NULL */
    struct sr_config *config; /* after ctl_load() */
    sr_time now;              /* wall clock at the start */
    char **operand;           /* after ctl_parse() */
    int operand_count;
    int exit; /* why ctl_parse() or ctl_load() said no */
};

/* One long option of a command: a flag, or one with a value. */
struct ctl_option {
    const char *name;
    bool *flag;
    const char **value;
};

/*
 * Read a command's options and count its operands.  Returns false when the
 * command is not to run: a usage error, --help, or not root.  ctl->exit then is
 * the exit code, and what there was to say has been said.
 */
bool ctl_parse(struct ctl *ctl, int argc, char **argv,
               const struct ctl_option *options, size_t count, int least,
               int most);

/* Say what is wrong with the command line, point to --help: CTL_USAGE. */
int ctl_usage(const struct ctl *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Say how the command line was wrong: CTL_USAGE.  `option` as it was typed. */
int ctl_unknown_option(const struct ctl *ctl, char **argv);

#endif
