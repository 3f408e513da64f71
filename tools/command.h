/*
 * Command: the commands of selfresetctl, their options, operands and exit
 * codes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_COMMAND_H
#define SR_TOOLS_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "policy/config/config.h"

/* Exit codes; selfresetctl(8) documents each.  None has two meanings. */
enum ctl_exit {
    CTL_OK = 0,
    CTL_FAILED = 1,    /* it could not be done or found out */
    CTL_ERRORS = 2,    /* check: at least one error */
    CTL_LOCKED = 3,    /* status: locked out, for strangers or for all */
    CTL_CHANGE = 4,    /* status: must-change or expired */
    CTL_CLOSED = 5,    /* status: disabled, ended, not-yet,
                          out-of-hours or off-workstation */
    CTL_BARRED = 6,    /* status: barred or lapsed */
    CTL_NO_USER = 7,   /* there is no such account */
    CTL_PARTLY = 8,    /* done in part; the message says what is left */
    CTL_REFUSED = 9,   /* the rules forbid it; nothing was done */
    CTL_WARNINGS = 10, /* check: warnings, no errors */
    CTL_USAGE = 64,    /* as EX_USAGE of sysexits(3) */
    CTL_NO_ROOT = 77,  /* as EX_NOPERM */
};

/* For ctl_parse(): any number of operands. */
#define CTL_MANY INT_MAX

struct ctl;

struct ctl_command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;   /* one line, for the list of commands */
    const char *help;      /* further text of --help, or NULL */
    int (*run)(struct ctl *ctl, int argc, char **argv);
    bool needs_root;
    bool changes; /* takes --dry-run */
};

/* One run of the program. */
struct ctl {
    const struct ctl_command *command;
    const char *config_file;  /* --config, or NULL */
    struct sr_config *config; /* after ctl_load() */
    sr_time now;              /* wall clock at the start */
    char **operand;           /* after ctl_parse() */
    int operand_count;
    const void *options; /* of the command that runs, its own */
    bool is_json;        /* --json */
    bool is_dry_run;     /* --dry-run */
    bool is_changed;     /* something was changed, or would be with --dry-run */
    int exit; /* the exit code when ctl_parse() or ctl_load() failed */
};

/* One long option of a command: a flag, or one with a value. */
struct ctl_option {
    const char *name;
    bool *flag;
    const char **value;
};

/*
 * Read the options of a command (besides its own: --json, --help and, where it
 * changes something, --dry-run) and count its operands.  Returns false when the
 * command must not run: a usage error, --help, or not root; ctl->exit is then
 * the exit code, and a message has been written.
 */
bool ctl_parse(struct ctl *ctl, int argc, char **argv,
               const struct ctl_option *options, size_t count, int least,
               int most);

/* Write what is wrong with the command line, and the usage: CTL_USAGE. */
int ctl_usage(const struct ctl *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What kind of word was typed. */
enum ctl_word {
    CTL_WORD_COMMAND,
    CTL_WORD_OPTION,
    CTL_WORD_STATE,
    CTL_WORD_BENCHMARK
};

/*
 * The same about a word that is not one of `count` words: 'Unknown option "x"',
 * with the nearest right one if there is one.
 */
int ctl_unknown(const struct ctl *ctl, enum ctl_word kind, const char *typed,
                const char *const words[], size_t count);

/* The same about the option that getopt_long(3) has just refused. */
int ctl_unknown_option(const struct ctl *ctl, char **argv,
                       const char *const words[], size_t count);

/* A sentence on standard output, translated and wrapped; nothing with
 * --json. */
void ctl_print(const struct ctl *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The name of an exit code for programs ("no_such_account"); NULL for those
 * that are no failure. */
const char *ctl_exit_name(int code);

#endif
