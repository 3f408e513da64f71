/*
 * Report: what selfreset-publish prints and logs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_REPORT_H
#define SR_NSS_REPORT_H

#include <syslog.h>

#include "policy/report/event.h"

#define PUBLISH_PROGRAM "selfreset-publish"

/* Exit codes; selfreset-publish(8) documents each. */
enum publish_exit {
    PUBLISH_EXIT_OK = 0,
    PUBLISH_EXIT_FAILED = 1,   /* nothing was published */
    PUBLISH_EXIT_PARTLY = 8,   /* published; some states are unknown or old */
    PUBLISH_EXIT_USAGE = 64,   /* EX_USAGE of sysexits(3) */
    PUBLISH_EXIT_NO_ROOT = 77, /* EX_NOPERM */
};

/*
 * Print one sentence on standard error, without control characters.  Where the
 * journal reads it, a prefix gives it the priority, as sd-daemon(3) describes:
 * a warning, an error, or information.
 */
#define publish_say(...)       publish_print(LOG_WARNING, __VA_ARGS__)
#define publish_say_error(...) publish_print(LOG_ERR, __VA_ARGS__)
#define publish_say_info(...)  publish_print(LOG_INFO, __VA_ARGS__)
void publish_print(int priority, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Log an event; `cause` may be NULL. */
void publish_log(enum sr_event_id id, const char *cause);

/* Print and log why nothing was published.  Returns PUBLISH_EXIT_FAILED. */
int publish_fail(const char *reason);

/* Print and log that the shared ledger cannot be read. */
void publish_say_ledger_away(const char *reason);

#endif
