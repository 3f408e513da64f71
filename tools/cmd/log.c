/*
 * Log: what happened to an account, from the journal or the log file.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/util/text.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/each.h"
#include "tools/spawn.h"
#include "tools/time_arg.h"

/* Where text begins, after "2026-11-29 13:00:00 +0000  ". */
#define TEXT_COLUMN 27
#define VALUE_SIZE  257

/* The files of syslog daemons that get authpriv, the older one first. */
static const char *const files[] = {"/var/log/auth.log.1", "/var/log/auth.log",
                                    "/var/log/secure.1", "/var/log/secure"};

/* The values of a record, by their names in the line, for journal and JSON. */
enum value {
    VALUE_ID,
    VALUE_USER,
    VALUE_SOURCE,
    VALUE_SERVICE,
    VALUE_CHANNEL,
    VALUE_BACKEND,
    VALUE_RESULT,
    VALUE_CAUSE,
    VALUE_ACTOR,
    VALUE_TERMINAL,
    VALUE_REF,
    VALUE_COUNT
};
static const struct {
    const char *key;   /* in the log file's line, and in JSON */
    const char *field; /* in the journal */
    const char *words; /* for people */
} values[VALUE_COUNT] = {
    [VALUE_ID] = {"id", "SELFRESET_ID", NULL},
    [VALUE_USER] = {"user", "SELFRESET_USER", NULL},
    [VALUE_SOURCE] = {"source", "SELFRESET_SOURCE", "from"},
    [VALUE_SERVICE] = {"service", "SELFRESET_SERVICE", "service"},
    [VALUE_CHANNEL] = {"channel", "SELFRESET_CHANNEL", NULL},
    [VALUE_BACKEND] = {"backend", "SELFRESET_BACKEND", NULL},
    [VALUE_RESULT] = {"result", "SELFRESET_RESULT", NULL},
    [VALUE_CAUSE] = {"cause", "SELFRESET_CAUSE", "cause"},
    [VALUE_ACTOR] = {"actor", "SELFRESET_ACTOR", "by"},
    [VALUE_TERMINAL] = {"terminal", "SELFRESET_TERMINAL", "terminal"},
    [VALUE_REF] = {"ref", "SELFRESET_REF", "reference"},
};

struct record {
    sr_time when;
    char value[VALUE_COUNT][VALUE_SIZE];
};

struct reading {
    struct ctl *ctl;
    struct report *report;
    enum value by; /* which value has to be */
    const char *wanted;
    sr_time since; /* unknown: from the first */
    unsigned count;
};

/* ---- output */

static const struct sr_event_info *
find_info(const char *id)
{
    for (int i = 0; i < SR_EVENT_COUNT; i++) {
        const struct sr_event_info *info = sr_event_info((enum sr_event_id)i);

        if (strcmp(info->id, id) == 0)
            return info;
    }
    return NULL;
}

static void
print_record(const struct record *record, const struct sr_event_info *info)
{
    char when[REPORT_TEXT_MAX], first[TEXT_COLUMN + REPORT_TEXT_MAX];
    char text[1024];
    size_t used;

    used = (size_t)snprintf(text, sizeof(text), "%s%s", info->id, ": ");
    used +=
        (size_t)snprintf(text + used, sizeof(text) - used, "%s", info->text);
    for (int i = 0; i < VALUE_COUNT; i++) {
        if (values[i].words == NULL || record->value[i][0] == '\0' ||
            used >= sizeof(text))
            continue;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "; %s %s",
                                 values[i].words, record->value[i]);
    }
    if (used < sizeof(text))
        snprintf(text + used, sizeof(text) - used, ".");
    snprintf(first, sizeof(first), "%-*s", TEXT_COLUMN,
             report_local(record->when, when));
    ctl_wrap(stdout, first, TEXT_COLUMN, text);
}

static void
json_record(struct json *json, const struct record *record,
            const struct sr_event_info *info)
{
    char when[REPORT_TEXT_MAX];

    json_object(json, NULL);
    json_string(json, "time", report_utc(record->when, when));
    json_string(json, "event", info->name);
    for (int i = 0; i < VALUE_COUNT; i++)
        json_string(json, values[i].key,
                    record->value[i][0] == '\0' ? NULL : record->value[i]);
    json_end(json);
}

static void
take(struct reading *reading, const struct record *record)
{
    const struct sr_event_info *info = find_info(record->value[VALUE_ID]);

    if (info == NULL ||
        strcmp(record->value[reading->by], reading->wanted) != 0 ||
        (reading->since != SR_TIME_UNKNOWN && record->when < reading->since))
        return;
    reading->count++;
    if (reading->ctl->is_json)
        json_record(&reading->report->json, record, info);
    else
        print_record(record, info);
}

static void
set_value(struct record *record, enum value value, const char *text)
{
    snprintf(record->value[value], VALUE_SIZE, "%s", text);
}

/* ---- the journal: systemd's export format */

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
take_field(struct record *record, const char *name, const char *text)
{
    if (strcmp(name, "__REALTIME_TIMESTAMP") == 0)
        record->when = (sr_time)(strtoull(text, NULL, 10) / 1000000);
    for (int i = 0; i < VALUE_COUNT; i++) {
        if (strcmp(name, values[i].field) == 0)
            set_value(record, (enum value)i, text);
    }
}

static void
read_export(FILE *stream, void *context)
{
    struct record record = {0};
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stream) >= 0) {
        char *text;

        line[strcspn(line, "\n")] = '\0';
        text = strchr(line, '=');
        if (line[0] == '\0') {
            take(context, &record);
            memset(&record, 0, sizeof(record));
        } else if (text == NULL) {
            if (!skip_binary(stream))
                break;
        } else {
            *text = '\0';
            take_field(&record, line, text + 1);
        }
    }
    if (record.when != 0)
        take(context, &record);
    free(line);
}

static int
read_journal(struct reading *reading)
{
    char match[VALUE_SIZE + 32], since[64];
    const char *argv[] = {
        "journalctl", "--quiet", "--no-pager", "--output=export",
        match,        NULL,      NULL};

    snprintf(match, sizeof(match), "%s=%s", values[reading->by].field,
             reading->wanted);
    if (reading->since != SR_TIME_UNKNOWN) {
        snprintf(since, sizeof(since), "--since=@%lld",
                 (long long)reading->since);
        argv[5] = since;
    }
    return ctl_read(argv, read_export, reading) == 0 ? CTL_OK : CTL_FAILED;
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
        if (used < VALUE_SIZE - 1)
            value[used++] = *at;
    }
    value[used] = '\0';
    return at + (is_quoted && *at == '"');
}

/* "pam_selfreset(SERVICE:CHANNEL): SR-nnnn name: text key=value ...". */
static bool
read_line(char *line, sr_time now, struct record *record)
{
    char *at = strstr(line, "selfreset("), *key, value[VALUE_SIZE];
    char service[VALUE_SIZE], channel[32], id[16];

    memset(record, 0, sizeof(*record));
    if (at == NULL || sscanf(at, "selfreset(%256[^:]:%31[^)]): %15s ", service,
                             channel, id) != 3)
        return false;
    record->when = line_time(line, now);
    if (record->when == SR_TIME_UNKNOWN)
        return false;
    set_value(record, VALUE_SERVICE, service);
    set_value(record, VALUE_CHANNEL, channel);
    set_value(record, VALUE_ID, id);
    while ((at = next_pair(at, &key, value)) != NULL) {
        for (int i = VALUE_USER; i < VALUE_COUNT; i++) {
            if (strcmp(key, values[i].key) == 0)
                set_value(record, (enum value)i, value);
        }
    }
    return true;
}

static int
read_files(struct reading *reading)
{
    bool is_read = false;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        FILE *stream = fopen(files[i], "re");
        char *line = NULL;
        size_t size = 0;

        if (stream == NULL)
            continue;
        is_read = true;
        while (getline(&line, &size, stream) >= 0) {
            struct record record;

            line[strcspn(line, "\n")] = '\0';
            if (read_line(line, reading->ctl->now, &record))
                take(reading, &record);
        }
        free(line);
        fclose(stream);
    }
    if (is_read)
        return CTL_OK;
    ctl_error("There is neither a journal nor a log file (%s, %s).", files[1],
              files[3]);
    return CTL_FAILED;
}

/* ---- the command */

static bool
has_journal(void)
{
    return access("/run/systemd/journal/socket", F_OK) == 0 &&
           (access("/run/log/journal", F_OK) == 0 ||
            access("/var/log/journal", F_OK) == 0);
}

/* What the operand of a command is, and from when on. */
struct query {
    enum value by;
    sr_time since;
};

static int
log_of(struct ctl *ctl, struct report *report, const char *name)
{
    const struct query *query = ctl->options;
    struct reading reading = {.ctl = ctl,
                              .report = report,
                              .by = query->by,
                              .wanted = name,
                              .since = query->since};
    int code;

    if (ctl->is_json)
        json_array(&report->json, "events");
    code = has_journal() ? read_journal(&reading) : read_files(&reading);
    if (ctl->is_json)
        json_end(&report->json);
    if (code == CTL_OK && reading.count == 0)
        ctl_print(ctl, "No event of %s was found.", name);
    return code;
}

int
ctl_why(struct ctl *ctl, int argc, char **argv)
{
    struct query query = {VALUE_REF, SR_TIME_UNKNOWN};

    if (!ctl_parse(ctl, argc, argv, NULL, 0, 1, CTL_MANY))
        return ctl->exit;
    ctl->options = &query;
    return ctl_each(ctl, "reference", log_of);
}

int
ctl_log(struct ctl *ctl, int argc, char **argv)
{
    struct query query = {VALUE_USER, SR_TIME_UNKNOWN};
    const char *text = NULL;
    const struct ctl_option options[] = {{"since", NULL, &text}};

    if (!ctl_parse(ctl, argc, argv, options, 1, 1, CTL_MANY))
        return ctl->exit;
    if (text != NULL && !attime_read(text, ctl->now, &query.since))
        return ctl_usage(ctl, CTL_NO_TIME, text);
    ctl->options = &query;
    return ctl_each(ctl, "user", log_of);
}
