/*
 * selfresetctl, inside: what its commands share.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CTL_H
#define SR_TOOLS_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "policy/throttle/attempt.h"
#include "policy/report/event.h"
#include "policy/account/account.h"
#include "policy/report/message.h"
#include "policy/publish/writer.h"
#include "policy/decide/verdict.h"

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

/* How long a command waits for the store's lock. */
#define CTL_STORE_WAIT_MS 10000

struct ctl;

/* A login by the owner, who is not logged on yet. */
extern const struct sr_caller ctl_at_login;

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

/* A sentence on stderr, at most 72 columns wide. */
void ctl_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write words on lines of at most 72 columns, each begun by `indent` spaces,
 * the first by what `first` says. */
void ctl_wrap(FILE *stream, const char *first, unsigned indent,
              const char *text);

/* Load the configuration; on false ctl->exit and every error on stderr. */
bool ctl_load(struct ctl *ctl);

/*
 * Look an account up: rules and the backend's facts.  Returns CTL_OK, or an
 * exit code after saying why on stderr.  End with sr_transaction_end() always.
 */
int ctl_transaction_begin(struct ctl *ctl, const char *name,
                          const char *service, struct sr_transaction *txn);

/* The same of an account that sr_transaction_begin() has looked up. */
int ctl_transaction_status(enum sr_status ask, const char *name,
                           const struct sr_transaction *txn);

/* Open the store and begin; CTL_OK, or CTL_FAILED after saying why.  A store
 * that was never written is CTL_OK and NULL when it is only to be read. */
int ctl_store(bool write, struct sr_store **store);

/* Say what the store said. */
void ctl_store_error(const struct sr_store *store, enum sr_store_result result);

/* Commit and close: CTL_OK or CTL_FAILED after saying why. */
int ctl_store_end(struct sr_store **store);

/* For __attribute__((cleanup)). */
void ctl_store_close(struct sr_store **store);

/* One of the two ledgers of an account, as it stands now. */
struct ctl_ledger {
    unsigned failures;    /* slots that failures have consumed */
    unsigned attempts;    /* slots in all; 0: not throttled */
    sr_time locked_until; /* wall clock; unknown: not locked out */
};

/* What this host remembers of an account besides the facts. */
struct ctl_remembered {
    struct ctl_ledger ledger[2]; /* by enum sr_source_class */
    struct sr_memory memory;
};

/*
 * Read both ledgers and what is remembered.  When either is locked out the
 * facts say so, until the later of the two ends.
 */
int ctl_remembered(struct sr_transaction *txn, struct ctl_remembered *out);

/*
 * Send an event about an account (facts may be NULL), done by whoever runs
 * this tool.
 */
void ctl_event(enum sr_event_id id, const struct sr_facts *facts,
               const char *source, bool is_ok, const char *cause);

/*
 * Publish what the rest of the system sees of an account that was changed, or
 * say that it could not be done: the change itself has been made.
 */
void ctl_publish(const struct ctl *ctl, const char *name);

/* In a report: what is published of an account, and whether it is still so. */
struct report;
void report_published(struct report *report, const struct ctl *ctl,
                      const struct sr_transaction *txn);

/* What sr_message_*() want to know. */
struct sr_message_context ctl_say(const struct ctl *ctl);

/*
 * Run one of shadow's programs ("chage", "chpasswd") by its absolute path with
 * an empty environment, no inherited descriptors and `input` (or NULL) as its
 * standard input.  argv[0] is its name.  Returns 0, or -1 after saying why.
 */
int ctl_run(const char *const argv[], const char *input);

/* Print findings, the errors first; the exit code that they come to. */
struct findings;
int ctl_findings(const struct findings *findings, bool is_json);

/* The exit code alone, and the findings as an array in something larger. */
int ctl_findings_code(const struct findings *findings);
struct json;
void ctl_findings_json(struct json *json, const char *key,
                       const struct findings *findings);

/* "check --backend"; `test` (or NULL) is the entry that rights are tried on,
 * has_password: its password is asked for. */
int ctl_check_backend(struct ctl *ctl, const char *name, const char *test,
                      bool has_password, bool is_json);

/* Commands, one file for each group. */
int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_list(struct ctl *ctl, int argc, char **argv);
int ctl_unlock(struct ctl *ctl, int argc, char **argv);
int ctl_unthrottle(struct ctl *ctl, int argc, char **argv);
int ctl_temporary(struct ctl *ctl, int argc, char **argv);
int ctl_must_change(struct ctl *ctl, int argc, char **argv);
int ctl_explain(struct ctl *ctl, int argc, char **argv);
int ctl_check(struct ctl *ctl, int argc, char **argv);
int ctl_nss(struct ctl *ctl, int argc, char **argv);
int ctl_groups(struct ctl *ctl, int argc, char **argv);
int ctl_events(struct ctl *ctl, int argc, char **argv);

#endif
