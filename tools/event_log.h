/*
 * Event log: the events that were logged on this host, read from the journal
 * or, where there is none, from the files of a syslog daemon.
 *
 * Any user can write records that look like these (journald and syslogd take
 * them from everybody), so they are for people and for statistics; nothing is
 * decided by them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_EVENT_LOG_H
#define SR_TOOLS_EVENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/report/event.h"
#include "policy/util/time.h"

/* The values of a record. */
enum event_value {
    EVENT_VALUE_ID,
    EVENT_VALUE_USER,
    EVENT_VALUE_SOURCE,
    EVENT_VALUE_SERVICE,
    EVENT_VALUE_CHANNEL,
    EVENT_VALUE_BACKEND,
    EVENT_VALUE_RESULT,
    EVENT_VALUE_CAUSE,
    EVENT_VALUE_ACTOR,
    EVENT_VALUE_TERMINAL,
    EVENT_VALUE_REF,
    EVENT_VALUE_COUNT
};

/* The name of a value in the line of a log file and in JSON ("user"). */
const char *event_value_key(enum event_value value);

#define EVENT_VALUE_SIZE 257

struct event_record {
    sr_time when;
    enum sr_event_id id;
    char value[EVENT_VALUE_COUNT][EVENT_VALUE_SIZE]; /* empty: it has none */
};

/* How far the log was read; all zero: not at all. */
struct event_place {
    char cursor[512]; /* of the journal */
    uint64_t inode;   /* of the log file */
    uint64_t offset;  /* in it */
};

struct event_query {
    /* Only records with this value; NULL: all. */
    const char *wanted;
    enum event_value by;
    sr_time since; /* SR_TIME_UNKNOWN: from the first */
    /* Only records of processes of root; log files do not tell. */
    bool is_roots;
    sr_time now;   /* lines of a log file have no year */
    /* Begin there, and set it to where the reading ended; NULL: begin with the
     * first record.  With it only when, id and the value of the id of a record
     * are certain to be set. */
    struct event_place *place;
    void (*take)(void *context, const struct event_record *record);
    void *context;
};

/* Whether the events of this host are in a journal. */
bool event_log_is_journal(void);

/* Read all records, the oldest first.  Returns 0, or -1 after a message on
 * standard error; some records may then have been taken. */
int event_log_read(struct event_query *query);

#endif
