/*
 * Figures: what monitoring wants to know of this host, read in one place: the
 * backends, what is published, lockouts, queued messages, disk and clock, and
 * how often each event was logged.
 *
 * "selfresetctl metrics" writes them, and so may others.  There is no name of a
 * user and no address among them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_FIGURES_H
#define SR_TOOLS_FIGURES_H

#include "policy/decide/verdict.h"
#include "policy/publish/format.h"
#include "policy/report/event.h"
#include "policy/reset/enrolment.h"
#include "policy/throttle/query.h"
#include "policy/util/error.h"
#include "tools/command.h"

/* One of selfreset.backends. */
struct figures_backend {
    const char *name; /* belongs to the configuration */
    bool is_up;       /* it can be used, and answers */
    bool is_asked;    /* over a network; otherwise the next three are empty */
    unsigned servers; /* that it has */
    unsigned silent;  /* of them, that do not answer */
    sr_time certificate_ends;     /* the first of its servers'; wall clock */
    bool has_offset;              /* Kerberos, Active Directory: */
    int64_t offset;               /* a KDC's clock minus this host's, seconds */
    char why[SR_ERROR_TEXT_SIZE]; /* it is not up; one line */
};

/* A view of what is published. */
struct figures_view {
    bool is_there;
    bool is_current; /* the name service answers from it */
    uint32_t accounts;
    sr_time created;   /* wall clock, seconds */
    sr_time not_after; /* from then on it is too old */
};

struct figures {
    struct figures_backend *backend; /* in the order they are asked */
    size_t backend_count;

    struct figures_view view[SR_VIEW_COUNT];
    bool has_states;              /* the groups view could be read: */
    size_t state[SR_STATE_COUNT]; /* accounts, for a login now */

    /* The store: OK, or why it cannot be used.  NOT_FOUND: nothing was written
     * yet, and the numbers are 0. */
    enum sr_store_result store;
    struct sr_locked_out locked_out;
    unsigned aside;    /* damaged files that were moved aside */
    bool has_space;    /* the next two are known */
    bool is_read_only; /* its file system */
    uint64_t space;    /* bytes that are free */

    bool has_queue;  /* self-service reset is built, and the queue readable */
    unsigned queued; /* messages that wait for the mail program */
    sr_time queued_since; /* the oldest of them; SR_TIME_UNKNOWN: none */

    /* Self-service reset, where it is enabled. */
    bool has_enrolled; /* the enrolments could be read: */
    struct sr_enrolment_totals enrolled;
    /* Messages by each channel in this period of 24 hours; see budget.h. */
    unsigned sent[SR_CHANNELS];
    unsigned sent_most[SR_CHANNELS]; /* 0: no limit, or not in use */
    /* Why the key of the apps' secrets, of which there are some, cannot be
     * read; empty: it is there, or systemd passes it to the dialogues. */
    char seal_why[SR_ERROR_TEXT_SIZE];

    enum sr_tri is_clock_set; /* the kernel's clock is synchronised */

    /* How often each event was logged since this was first asked on this host;
     * kept in STATEDIR/event-counts.  Any user can forge records of events, see
     * event_log.h. */
    bool has_events;
    uint64_t event[SR_EVENT_COUNT];
};

/*
 * Read all of them; ctl->config must be loaded.  Backends that do not answer
 * take as long as their "timeout" for each server.  What cannot be read is left
 * out and said on standard error, unless a member says it.  False: out of
 * memory.  Free with figures_free() in any case.
 */
bool figures_read(const struct ctl *ctl, struct figures *figures);
void figures_free(struct figures *figures);

#endif
