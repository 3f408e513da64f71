/*
 * Event: records for journal, syslog and audit, made from one structure.
 *
 * No function allocates or waits: a login must not wait for its log.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>
#ifdef HAVE_LIBAUDIT
#include <libaudit.h>
#endif

#include "policy/report/event.h"
#include "policy/util/utf8.h"

#define JOURNAL_SOCKET    "/run/systemd/journal/socket"
#define VALUE_SIZE        257 /* bytes of one value, with its end */
#define LINE_SIZE         2048
#define RECORD_SIZE       8192 /* a line, and every value once more */
#define FACILITY_AUTHPRIV "10" /* LOG_AUTHPRIV without its shift */

static const struct sr_event_info catalogue[SR_EVENT_COUNT] = {
#define EVENT(symbol, id, name, severity, audit, uuid, text)                   \
    [SR_EVENT_##symbol] = {id, name, severity, audit, uuid, text},
#include "policy/report/events.def"
#undef EVENT
};

const struct sr_event_info *
sr_event_info(enum sr_event_id id)
{
    return (unsigned)id < SR_EVENT_COUNT ? &catalogue[id] : NULL;
}

/* A buffer that is written from its start and never overrun. */
struct buffer {
    char *start;
    size_t size;
    size_t used;
};

static void
put_bytes(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length > buffer->size - buffer->used)
        length = buffer->size - buffer->used;
    memcpy(buffer->start + buffer->used, bytes, length);
    buffer->used += length;
}

static void
put(struct buffer *buffer, const char *text)
{
    put_bytes(buffer, text, strlen(text));
}

/* ---- the line for users */

/* Quoted when a reader of the line could not tell where the value ends. */
static void
put_value(struct buffer *line, const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._:/@+,%";

    if (value[0] != '\0' && value[strspn(value, plain)] == '\0') {
        put(line, value);
        return;
    }
    put(line, "\"");
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            put(line, "\\");
        put_bytes(line, value, 1);
    }
    put(line, "\"");
}

static void
put_pair(struct buffer *line, const char *key, const char *value)
{
    char clean[VALUE_SIZE];

    if (value == NULL)
        return;
    sr_utf8_clean(value, false, clean, sizeof(clean));
    put(line, " ");
    put(line, key);
    put(line, "=");
    put_value(line, clean);
}

/* End the line, without a piece of a character that was cut. */
static void
end_line(struct buffer *line)
{
    size_t at = line->used;
    const char *last;
    uint32_t point;

    line->start[line->used] = '\0';
    while (at > 0 && line->used - at < 4 &&
           ((unsigned char)line->start[at - 1] & 0xc0) == 0x80)
        at--;
    if (at == 0)
        return;
    last = line->start + at - 1;
    if ((unsigned char)*last >= 0xc0 && sr_utf8_next(&last, &point) < 0)
        line->start[at - 1] = '\0';
}

/* "pam_selfreset(sshd:auth): ", or "selfreset(selfresetctl:tool): ". */
static void
put_prefix(struct buffer *line, const struct sr_event *event)
{
    const char *channel = event->channel == NULL ? "" : event->channel;
    char clean[VALUE_SIZE];

    put(line, strcmp(channel, "tool") == 0 ? "selfreset(" : "pam_selfreset(");
    sr_utf8_clean(event->service == NULL ? "" : event->service, false, clean,
                  sizeof(clean));
    put(line, clean);
    put(line, ":");
    put(line, channel);
    put(line, "): ");
}

void
sr_event_line(const struct sr_event *event, char *out, size_t size)
{
    const struct sr_event_info *info = sr_event_info(event->id);
    struct buffer line = {out, size - 1, 0};
    char number[32];

    if (info == NULL)
        info = &catalogue[SR_EVENT_UNEXPECTED];
    put_prefix(&line, event);
    put(&line, info->id);
    put(&line, " ");
    put(&line, info->name);
    put(&line, ": ");
    put(&line, info->text);
    put_pair(&line, "user", event->user);
    if (event->uid != (uid_t)-1) {
        snprintf(number, sizeof(number), "%u", (unsigned)event->uid);
        put_pair(&line, "uid", number);
    }
    put_pair(&line, "source", event->source);
    put_pair(&line, "backend", event->backend);
    put_pair(&line, "result", event->result);
    put_pair(&line, "cause", event->cause);
    put_pair(&line, "actor", event->actor);
    put_pair(&line, "terminal", event->terminal);
    put_pair(&line, "ref", event->ref);
    if (event->pam_code >= 0) {
        snprintf(number, sizeof(number), "%d", event->pam_code);
        put_pair(&line, "pam_code", number);
    }
    end_line(&line);
}

/* ---- the journal's native protocol */

/*
 * One field: "KEY=value" and a line's end, or, when the value has line ends of
 * its own, the key, its length in 64 bits little-endian, and the bytes.  A
 * field that does not fit is left out whole.
 */
static void
put_field(struct buffer *record, const char *key, const char *value)
{
    size_t length = strlen(value);
    uint64_t size = htole64(length);

    if (strlen(key) + sizeof(size) + length + 3 > record->size - record->used)
        return;
    put(record, key);
    if (memchr(value, '\n', length) == NULL) {
        put(record, "=");
    } else {
        put(record, "\n");
        put_bytes(record, &size, sizeof(size));
    }
    put(record, value);
    put(record, "\n");
}

static void
put_clean_field(struct buffer *record, const char *key, const char *value)
{
    char clean[VALUE_SIZE];

    if (value == NULL)
        return;
    sr_utf8_clean(value, true, clean, sizeof(clean));
    put_field(record, key, clean);
}

static void
put_number(struct buffer *record, const char *key, long long number)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", number);
    put_field(record, key, text);
}

static void
make_record(const struct sr_event *event, struct buffer *record)
{
    const struct sr_event_info *info = sr_event_info(event->id);
    char line[LINE_SIZE];

    if (info == NULL)
        info = &catalogue[SR_EVENT_UNEXPECTED];
    sr_event_line(event, line, sizeof(line));
    put_field(record, "MESSAGE", line);
    put_number(record, "PRIORITY", info->severity);
    put_field(record, "MESSAGE_ID", info->message_id);
    put_field(record, "SYSLOG_FACILITY", FACILITY_AUTHPRIV);
    put_clean_field(record, "SYSLOG_IDENTIFIER", program_invocation_short_name);
    put_field(record, "SELFRESET_ID", info->id);
    put_field(record, "SELFRESET_EVENT", info->name);
    put_clean_field(record, "SELFRESET_USER", event->user);
    if (event->uid != (uid_t)-1)
        put_number(record, "SELFRESET_UID", event->uid);
    put_clean_field(record, "SELFRESET_SOURCE", event->source);
    put_clean_field(record, "SELFRESET_SERVICE", event->service);
    put_clean_field(record, "SELFRESET_CHANNEL", event->channel);
    put_clean_field(record, "SELFRESET_BACKEND", event->backend);
    put_clean_field(record, "SELFRESET_RESULT", event->result);
    put_clean_field(record, "SELFRESET_CAUSE", event->cause);
    put_clean_field(record, "SELFRESET_ACTOR", event->actor);
    put_clean_field(record, "SELFRESET_TERMINAL", event->terminal);
    put_clean_field(record, "SELFRESET_REF", event->ref);
    if (event->pam_code >= 0)
        put_number(record, "PAM_CODE", event->pam_code);
}

int
sr_event_send_journal(const char *path, const struct sr_event *event)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char bytes[RECORD_SIZE];
    struct buffer record = {bytes, sizeof(bytes), 0};
    int status = 0;
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    make_record(event, &record);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (sendto(fd, record.start, record.used, MSG_DONTWAIT | MSG_NOSIGNAL,
               (const struct sockaddr *)&address, sizeof(address)) < 0)
        status = -errno;
    close(fd);
    return status;
}

/* ---- audit */

#ifdef HAVE_LIBAUDIT
/* The source as a bare address, or NULL: libaudit would ask the DNS for
 * anything else. */
static const char *
audit_address(const char *source, char *out, size_t size)
{
    unsigned char address[16];

    if (source == NULL || strlen(source) >= size)
        return NULL;
    strcpy(out, source);
    out[strcspn(out, "/")] = '\0'; /* "2001:db8:1:2::/64" */
    return inet_pton(AF_INET, out, address) == 1 ||
                   inet_pton(AF_INET6, out, address) == 1
               ? out
               : NULL;
}

/* Without the right, or without auditing in the kernel, a login continues. */
static void
may_fail(int result)
{
    (void)result;
}

static void
send_audit(const struct sr_event *event, const struct sr_event_info *info)
{
    bool is_good = event->result == NULL || strcmp(event->result, "ok") == 0;
    char buffer[64], terminal[64], user[VALUE_SIZE], text[128];
    const char *address = audit_address(event->source, buffer, sizeof(buffer));
    int type = strcmp(info->audit, "-") == 0
                   ? -1
                   : audit_name_to_msg_type(info->audit);
    int fd;

    if (type <= 0 || (fd = audit_open()) < 0)
        return;
    sr_utf8_clean(event->terminal == NULL ? "" : event->terminal, false,
                  terminal, sizeof(terminal));
    sr_utf8_clean(event->user == NULL ? "" : event->user, false, user,
                  sizeof(user));
    /* With an id, libaudit writes id= and leaves the name out. */
    if (user[0] != '\0' || event->uid != (uid_t)-1) {
        snprintf(text, sizeof(text), "selfreset:%s", info->name);
        may_fail(audit_log_acct_message(
            fd, type, NULL, text, user[0] == '\0' ? NULL : user,
            user[0] == '\0' ? event->uid : (uid_t)-1, NULL, address,
            terminal[0] == '\0' ? NULL : terminal, is_good));
    } else {
        snprintf(text, sizeof(text), "op=selfreset:%s", info->name);
        may_fail(audit_log_user_message(fd, type, text, NULL, address,
                                        terminal[0] == '\0' ? NULL : terminal,
                                        is_good));
    }
    audit_close(fd);
}
#else
static void
send_audit(const struct sr_event *event, const struct sr_event_info *info)
{
    (void)event;
    (void)info;
}
#endif

void
sr_event_send(const struct sr_event *event)
{
    const struct sr_event_info *info = sr_event_info(event->id);
    int kept = errno;
    char line[LINE_SIZE];
    int status;

    if (info == NULL)
        info = &catalogue[SR_EVENT_UNEXPECTED];
    status = sr_event_send_journal(JOURNAL_SOCKET, event);
    /* A journal that is there and full is /dev/log's reader, too, and
     * syslog(3) would wait for it. */
    if (status != 0 && status != -EAGAIN && status != -ENOBUFS) {
        sr_event_line(event, line, sizeof(line));
        syslog(LOG_AUTHPRIV | info->severity, "%s", line);
    }
    send_audit(event, info);
    errno = kept;
}
