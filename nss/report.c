/*
 * Report: what selfreset-publish prints and logs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nss/report.h"
#include "policy/util/utf8.h"

#define LINE_SIZE 1024

/* Whether the journal reads standard error: systemd.exec(5) names the device
 * and the inode in JOURNAL_STREAM. */
static bool
is_journal(void)
{
    const char *const stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat status;

    return stream != NULL &&
           sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
           status.st_ino == inode;
}

void
publish_print(int priority, const char *format, ...)
{
    char text[LINE_SIZE], clean[LINE_SIZE], prefix[8] = "";
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    /* Names, DNs and reasons come from a directory: they must stay within one
     * line. */
    sr_utf8_clean(text, false, clean, sizeof(clean));
    if (is_journal())
        snprintf(prefix, sizeof(prefix), "<%d>", priority);
    fprintf(stderr, "%s" PUBLISH_PROGRAM ": %s\n", prefix, clean);
}

void
publish_log(enum sr_event_id id, const char *cause)
{
    const bool is_failed =
        id == SR_EVENT_PUBLISH_FAILED || id == SR_EVENT_SHARED_AWAY;
    const struct sr_event event = {
        .id = id,
        .uid = (uid_t)-1,
        .service = PUBLISH_PROGRAM,
        .channel = "tool",
        .result = is_failed ? "failed" : "ok",
        .cause = cause,
        .pam_code = -1,
    };

    sr_event_send(&event);
}

int
publish_fail(const char *reason)
{
    publish_say_error("Nothing was published: %s.", reason);
    publish_log(SR_EVENT_PUBLISH_FAILED, reason);
    return PUBLISH_EXIT_FAILED;
}

void
publish_say_ledger_away(const char *reason)
{
    publish_say("What other hosts have counted cannot be read: %s.", reason);
    publish_log(SR_EVENT_SHARED_AWAY, reason);
}
