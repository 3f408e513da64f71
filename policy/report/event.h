/*
 * Event: the catalogue of events, and their way to journal, syslog and audit.
 *
 * events.def is the one list: id, name, severity, audit type, message id, text.
 * From it come the enumeration here, the records, `selfresetctl events`, and
 * the table of the manual page.
 *
 * Records go to the journal by its native datagram protocol where its socket
 * is (systemd.io JOURNAL_NATIVE_PROTOCOL), else to syslog(3); never both.  No
 * secret and no unknown user name is ever logged: a name that does not exist
 * may be a password typed at the wrong prompt.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_REPORT_EVENT_H
#define SR_POLICY_REPORT_EVENT_H

#include <sys/types.h>

/* EVENT(symbol, "SR-nnnn", "name", severity, AUDIT, "message id", "text") */
enum sr_event_id {
#define EVENT(symbol, id, name, severity, audit, uuid, text) SR_EVENT_##symbol,
#include "policy/report/events.def"
#undef EVENT
    SR_EVENT_COUNT
};

struct sr_event_info {
    const char *id;         /* "SR-2201" */
    const char *name;       /* "throttled-user" */
    int severity;           /* syslog(3) priority, 0 to 7 */
    const char *audit;      /* libaudit's name of the record type, or "-" */
    const char *message_id; /* 32 hex digits */
    const char *text;
};

/* The catalogue entry of an event. */
const struct sr_event_info *sr_event_info(enum sr_event_id id);

/* The fields of a record besides its id; every member may be NULL or unset. */
struct sr_event {
    enum sr_event_id id;
    const char *user; /* only when the account exists */
    uid_t uid;        /* (uid_t)-1: none */
    const char *source;
    const char *service; /* PAM_SERVICE, or the tool's name */
    const char *channel; /* "auth", "account", "password", "session", "tool" */
    const char *backend;
    const char *result; /* "ok" or "failed" */
    const char *cause;  /* an SR id, rule ids, or a store error */
    const char *actor;  /* who did it, where not the user: "root" */
    const char *terminal;
    const char *ref; /* of the flow of self-service reset */
    int pam_code;    /* < 0: none */
};

/*
 * Send one event.  Never fails the caller; a value with control bytes or of
 * more than 256 bytes is cut and cleaned; in the journal's own field a line
 * end is kept.  Never waits: a record that the journal has no room for is lost.
 * errno is kept.
 */
void sr_event_send(const struct sr_event *event);

/*
 * Send one event to the journal socket at `path` and nowhere else, without
 * waiting.  Returns 0 or a negative errno.  sr_event_send() uses it.
 */
int sr_event_send_journal(const char *path, const struct sr_event *event);

/*
 * Format the record's human line into `out`, cut to `size` (at least 1) with
 * its end: "pam_selfreset(sshd:auth): SR-2201 throttled-user: too many ...
 * user=alice uid=1000 ...".  Values with other bytes than letters, digits and
 * -._:/@+,% are in double quotes, with a backslash before " and \.
 */
void sr_event_line(const struct sr_event *event, char *out, size_t size);

#endif
