/*
 * Reading: all accounts of one backend, read by a process of its own.
 *
 * A backend that is slow, hangs, sends without end or crashes affects its own
 * process only: the readings of all backends run in parallel, and each ends
 * when its time or its memory is used up.  The local backend reads files and is
 * read in this process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_READING_H
#define SR_NSS_READING_H

#include <sys/types.h>

#include "nss/record.h"
#include "policy/config/settings.h"

struct reading {
    const char *backend; /* of the configuration */
    pid_t pid;           /* of the process; 0: none */
    int fd;              /* readable: call reading_continue(); -1: ended */
    uint8_t *bytes;      /* records, one behind the other */
    size_t used, capacity;
    bool is_full; /* a record had no room */
    bool has_ended;
    struct reading_result result; /* once it has ended */
};

/* Start one.  A failure to start is a result. */
void reading_start(const struct sr_config *config, const char *backend,
                   struct reading *reading);

/* Take what the process has sent, without waiting. */
void reading_continue(struct reading *reading);

/* Kill the process; the result is AWAY with this reason. */
void reading_cancel(struct reading *reading, const char *reason);

/* Call `take` for each account until it returns anything but 0, which is then
 * returned. */
int reading_each(const struct reading *reading,
                 int (*take)(void *context, const struct record *record),
                 void *context);

/* Kill the process, if there is one, and free the records. */
void reading_free(struct reading *reading);

#endif
