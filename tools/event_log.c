/*
 * Event log: the events that were logged on this host, read from the journal
 * or, where there is none, from the files of a syslog daemon.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/event_log.h"
#include "tools/output.h"
#include "tools/spawn.h"

/* The files of syslog daemons that get authpriv: the older one, and the one
 * that is written. */
static const char *const files[][2] = {
    {"/var/log/auth.log.1", "/var/log/auth.log"},
    {"/var/log/secure.1", "/var/log/secure"},
};
#define FAMILIES (sizeof(files) / sizeof(files[0]))

static const struct {
    const char *key;   /* in the log file's line, and in JSON */
    const char *field; /* in the journal */
} values[EVENT_VALUE_COUNT] = {
    [EVENT_VALUE_ID] = {"id", "SELFRESET_ID"},
    [EVENT_VALUE_USER] = {"user", "SELFRESET_USER"},
    [EVENT_VALUE_SOURCE] = {"source", "SELFRESET_SOURCE"},
    [EVENT_VALUE_SERVICE] = {"service", "SELFRESET_SERVICE"},
    [EVENT_VALUE_CHANNEL] = {"channel", "SELFRESET_CHANNEL"},
    [EVENT_VALUE_BACKEND] = {"backend", "SELFRESET_BACKEND"},
    [EVENT_VALUE_RESULT] = {"result", "SELFRESET_RESULT"},
    [EVENT_VALUE_CAUSE] = {"cause", "SELFRESET_CAUSE"},
    [EVENT_VALUE_ACTOR] = {"actor", "SELFRESET_ACTOR"},
    [EVENT_VALUE_TERMINAL] = {"terminal", "SELFRESET_TERMINAL"},
    [EVENT_VALUE_REF] = {"ref", "SELFRESET_REF"},
};

const char *
event_value_key(enum event_value value)
{
    return values[value].key;
}

static enum sr_event_id
find_event(const char *id)
{
    int found = 0;

    while (found < SR_EVENT_COUNT &&
           strcmp(sr_event_info((enum sr_event_id)found)->id, id) != 0)
        found++;
    return (enum sr_event_id)found;
}

static void
take(const struct event_query *query, struct event_record *record)
{
    record->id = find_event(record->value[EVENT_VALUE_ID]);
    if (record->id != SR_EVENT_COUNT &&
        (query->wanted == NULL ||
         strcmp(record->value[query->by], query->wanted) == 0) &&
        (query->since == SR_TIME_UNKNOWN || record->when >= query->since))
        query->take(query->context, record);
}

static void
set_value(struct event_record *record, enum event_value value, const char *text)
{
    snprintf(record->value[value], EVENT_VALUE_SIZE, "%s", text);
}

/* ---- the journal: systemd's export format */

bool
event_log_is_journal(void)
{
    return access("/run/systemd/journal/socket", F_OK) == 0 &&
           (access("/run/log/journal", F_OK) == 0 ||
            access("/var/log/journal", F_OK) == 0);
}

/* A field whose value has bytes that a line cannot have: skipped. */
static bool
skip_binary(FILE *stream)
{
    uint64_t size;

    if (fread(&size, sizeof(size), 1, stream) != 1)
        return false;
    for (size = le64toh(size) + 1; size > 0; size--) {
        if (fgetc(stream) == EOF)
            return false;
    }
    return true;
}

static void
take_field(const struct event_query *query, struct event_record *record,
           const char *name, const char *text)
{
    if (strcmp(name, "__REALTIME_TIMESTAMP") == 0)
        record->when = (sr_time)(strtoull(text, NULL, 10) / 1000000);
    if (strcmp(name, "__CURSOR") == 0 && query->place != NULL &&
        strlen(text) < sizeof(query->place->cursor))
        strcpy(query->place->cursor, text);
    for (int i = 0; i < EVENT_VALUE_COUNT; i++) {
        if (strcmp(name, values[i].field) == 0)
            set_value(record, (enum event_value)i, text);
    }
}

static void
read_export(FILE *stream, void *context)
{
    const struct event_query *query = context;
    struct event_record record = {0};
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stream) >= 0) {
        char *text;

        line[strcspn(line, "\n")] = '\0';
        text = strchr(line, '=');
        if (line[0] == '\0') {
            take(query, &record);
            memset(&record, 0, sizeof(record));
        } else if (text == NULL) {
            if (!skip_binary(stream))
                break;
        } else {
            *text = '\0';
            take_field(query, &record, line, text + 1);
        }
    }
    if (record.when != 0)
        take(query, &record);
    free(line);
}

static int
read_journal(struct event_query *query)
{
    char match[SR_EVENT_COUNT][EVENT_VALUE_SIZE + 32], since[64], after[600];
    const char *argv[SR_EVENT_COUNT + 10] = {"journalctl", "--quiet",
                                             "--no-pager", "--output=export"};
    size_t count = 4;

    if (query->since != SR_TIME_UNKNOWN) {
        snprintf(since, sizeof(since), "--since=@%lld",
                 (long long)query->since);
        argv[count++] = since;
    }
    if (query->is_roots)
        argv[count++] = "_UID=0";
    if (query->place != NULL)
        argv[count++] = "--output-fields=SELFRESET_ID";
    if (query->place != NULL && query->place->cursor[0] != '\0') {
        snprintf(after, sizeof(after), "--after-cursor=%s",
                 query->place->cursor);
        argv[count++] = after;
    }
    /* journalctl takes one of several values of one field. */
    for (int i = 0; i < (query->wanted == NULL ? SR_EVENT_COUNT : 1); i++) {
        snprintf(
            match[i], sizeof(match[i]), "%s=%s",
            values[query->wanted == NULL ? EVENT_VALUE_ID : query->by].field,
            query->wanted == NULL ? sr_event_info((enum sr_event_id)i)->id
                                  : query->wanted);
        argv[count++] = match[i];
    }
    return ctl_read(argv, read_export, query);
}

/* ---- a log file: lines of syslog */

/* The time that a line begins with; unknown when it is none. */
static sr_time
line_time(const char *line, sr_time now)
{
    struct tm parts = {.tm_isdst = -1}, today;
    const time_t now_t = (time_t)now;
    const char *end = strptime(line, "%Y-%m-%dT%H:%M:%S", &parts);
    sr_time when;

    if (end != NULL) { /* RFC 3339: a fraction and the zone follow */
        struct tm zone = {0};

        end += strspn(end, ".0123456789");
        if (strptime(end, "%z", &zone) == NULL)
            return SR_TIME_UNKNOWN;
        return (sr_time)timegm(&parts) - zone.tm_gmtoff;
    }
    if (localtime_r(&now_t, &today) == NULL)
        return SR_TIME_UNKNOWN;
    parts = (struct tm){.tm_isdst = -1, .tm_year = today.tm_year};
    if (strptime(line, "%b %d %H:%M:%S", &parts) == NULL)
        return SR_TIME_UNKNOWN;
    when = (sr_time)mktime(&parts);
    if (when > now + SR_DAY) { /* the line has no year */
        parts.tm_year--;
        parts.tm_isdst = -1;
        when = (sr_time)mktime(&parts);
    }
    return when;
}

/* The next "key=value" of a line, whose value may be in quotes. */
static char *
next_pair(char *at, char **key, char *value)
{
    size_t used = 0;
    bool is_quoted;

    at += strspn(at, " ");
    *key = at;
    at += strcspn(at, " =");
    if (*at != '=')
        return *at == '\0' ? NULL : at;
    *at++ = '\0';
    is_quoted = *at == '"';
    at += is_quoted;
    for (; *at != '\0' && *at != (is_quoted ? '"' : ' '); at++) {
        if (is_quoted && *at == '\\' && at[1] != '\0')
            at++;
        if (used < EVENT_VALUE_SIZE - 1)
            value[used++] = *at;
    }
    value[used] = '\0';
    return at + (is_quoted && *at == '"');
}

/* "pam_selfreset(SERVICE:CHANNEL): SR-nnnn name: text key=value ...". */
static bool
read_line(char *line, sr_time now, struct event_record *record)
{
    char *at = strstr(line, "selfreset("), *key, value[EVENT_VALUE_SIZE];
    char service[EVENT_VALUE_SIZE], channel[32], id[16];

    memset(record, 0, sizeof(*record));
    if (at == NULL || sscanf(at, "selfreset(%256[^:]:%31[^)]): %15s ", service,
                             channel, id) != 3)
        return false;
    record->when = line_time(line, now);
    if (record->when == SR_TIME_UNKNOWN)
        return false;
    set_value(record, EVENT_VALUE_SERVICE, service);
    set_value(record, EVENT_VALUE_CHANNEL, channel);
    set_value(record, EVENT_VALUE_ID, id);
    while ((at = next_pair(at, &key, value)) != NULL) {
        for (int i = EVENT_VALUE_USER; i < EVENT_VALUE_COUNT; i++) {
            if (strcmp(key, values[i].key) == 0)
                set_value(record, (enum event_value)i, value);
        }
    }
    return true;
}

/* Read lines from `offset` on; returns where the last whole one ended. */
static uint64_t
read_lines(FILE *stream, uint64_t offset, const struct event_query *query)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    if (fseeko(stream, (off_t)offset, SEEK_SET) != 0)
        return offset;
    while ((length = getline(&line, &size, stream)) > 0) {
        struct event_record record;

        /* The rest of a line is read with it, the next time. */
        if (line[length - 1] != '\n' && query->place != NULL)
            break;
        offset += (uint64_t)length;
        line[strcspn(line, "\n")] = '\0';
        if (read_line(line, query->now, &record))
            take(query, &record);
    }
    free(line);
    return offset;
}

/* The two files of a daemon, from `place` on.  False: it has none. */
static bool
read_family(const char *const name[2], const struct event_query *query)
{
    struct event_place *place = query->place;
    FILE *stream[2];
    struct stat status[2] = {0};
    uint64_t offset[2] = {0};
    bool is_read = false, is_known = false;

    for (size_t i = 0; i < 2; i++) {
        stream[i] = fopen(name[i], "re");
        if (stream[i] == NULL || fstat(fileno(stream[i]), &status[i]) != 0 ||
            place == NULL || place->inode != status[i].st_ino)
            continue;
        /* One that was cut short is read from its beginning. */
        if (place->offset <= (uint64_t)status[i].st_size)
            offset[i] = place->offset;
        is_known = i == 1;
    }
    for (size_t i = 0; i < 2; i++) {
        if (stream[i] == NULL)
            continue;
        if (i == 1 || !is_known)
            offset[i] = read_lines(stream[i], offset[i], query);
        fclose(stream[i]);
        is_read = true;
        if (place != NULL && (i == 1 || !is_known)) {
            place->inode = status[i].st_ino;
            place->offset = offset[i];
        }
    }
    return is_read;
}

static int
read_files(const struct event_query *query)
{
    bool is_read = false;

    for (size_t i = 0; i < FAMILIES; i++) {
        if (query->place == NULL || !is_read)
            is_read |= read_family(files[i], query);
    }
    if (is_read)
        return 0;
    ctl_error("There is neither a journal nor a log file (%s, %s).",
              files[0][1], files[1][1]);
    return -1;
}

int
event_log_read(struct event_query *query)
{
    return event_log_is_journal() ? read_journal(query) : read_files(query);
}
