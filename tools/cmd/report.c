/*
 * Report: the activity of resets and registrations between two times, for
 * people, as CSV (RFC 4180) or as JSON.
 *
 * Each run of a dialogue is one line, whatever events it has logged: they share
 * its reference.  What an administrator does has a line for each event.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/reset/enrolment.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/event_log.h"
#include "tools/json.h"
#include "tools/report.h"
#include "tools/time_arg.h"
#include "tools/words.h"

/* A dialogue lasts less: what follows an older event of the same reference is
 * not of its line. */
#define RUN_MAX 7200

/* Where text begins, after "2026-11-29 13:00:00 +0000  ". */
#define TEXT_COLUMN 27

enum activity {
    ACTIVITY_RESET,
    ACTIVITY_REGISTRATION,
    ACTIVITY_REMOVAL,
    ACTIVITY_REPORTED,
    ACTIVITY_TICKET,
    ACTIVITY_ADMIN_SET,
    ACTIVITY_ADMIN_UNLOCK,
    ACTIVITY_NONE
};

static const struct {
    const char *name; /* for programs */
    const char *text; /* for people */
} activities[] = {
    [ACTIVITY_RESET] = {"reset", N_("reset")},
    [ACTIVITY_REGISTRATION] = {"registration", N_("registration")},
    [ACTIVITY_REMOVAL] = {"removal", N_("removal")},
    [ACTIVITY_REPORTED] = {"reported", N_("reported as not the user's")},
    [ACTIVITY_TICKET] = {"ticket", N_("ticket issued")},
    [ACTIVITY_ADMIN_SET] = {"admin-set",
                            N_("password set by an administrator")},
    [ACTIVITY_ADMIN_UNLOCK] = {"admin-unlock",
                               N_("unlocked by an administrator")},
};

/* What an event means for the line of its reference. */
struct meaning {
    enum sr_event_id id;
    enum activity activity;
    const char *result; /* NULL: that of the record */
};

static const struct meaning meanings[] = {
    {SR_EVENT_SELF_RESET_START, ACTIVITY_RESET, "unfinished"},
    {SR_EVENT_SELF_RESET_OK, ACTIVITY_RESET, "password-set"},
    {SR_EVENT_SELF_UNLOCKED, ACTIVITY_RESET, "unlocked"},
    {SR_EVENT_SELF_RESET_FAILED, ACTIVITY_RESET, "failed"},
    {SR_EVENT_RESET_REFUSED, ACTIVITY_RESET, "refused"},
    {SR_EVENT_GATE_ADDED, ACTIVITY_REGISTRATION, NULL},
    {SR_EVENT_GATE_REMOVED, ACTIVITY_REMOVAL, NULL},
    {SR_EVENT_REPORTED, ACTIVITY_REPORTED, NULL},
    {SR_EVENT_TICKET_ISSUED, ACTIVITY_TICKET, NULL},
    {SR_EVENT_RESET_OK, ACTIVITY_ADMIN_SET, NULL},
    {SR_EVENT_TEMPORARY_ISSUED, ACTIVITY_ADMIN_SET, NULL},
    {SR_EVENT_UNLOCKED, ACTIVITY_ADMIN_UNLOCK, NULL},
};

struct line {
    sr_time begins, ends;
    enum activity activity;
    const char *result;
    char proved[64], set[64]; /* names of gates, with spaces between */
    unsigned wrong;           /* answers */
    char cause[EVENT_VALUE_SIZE];
    char value[EVENT_VALUE_COUNT][EVENT_VALUE_SIZE]; /* of its first event */
};

struct lines {
    struct line *item;
    size_t count;
    sr_time from, to;
    bool is_cut; /* out of memory */
};

/* ---- from events to lines */

static const struct meaning *
find_meaning(enum sr_event_id id)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].id == id)
            return &meanings[i];
    }
    return NULL;
}

/* The line of the same reference, which began a short time ago. */
static struct line *
find_line(const struct lines *lines, const struct event_record *record)
{
    const char *ref = record->value[EVENT_VALUE_REF];

    for (size_t i = lines->count; ref[0] != '\0' && i > 0; i--) {
        struct line *line = &lines->item[i - 1];

        if (line->begins < record->when - RUN_MAX)
            break;
        if (strcmp(line->value[EVENT_VALUE_REF], ref) == 0)
            return line;
    }
    return NULL;
}

static struct line *
add_line(struct lines *lines, const struct event_record *record)
{
    struct line *item =
        reallocarray(lines->item, lines->count + 1, sizeof(*item));

    if (item == NULL) {
        lines->is_cut = true;
        return NULL;
    }
    lines->item = item;
    item += lines->count++;
    memset(item, 0, sizeof(*item));
    item->begins = record->when;
    item->activity = ACTIVITY_NONE;
    memcpy(item->value, record->value, sizeof(item->value));
    item->value[EVENT_VALUE_CAUSE][0] = '\0';
    return item;
}

/* Add the name of a gate that is not there yet. */
static void
add_gate(char list[64], const char *gate)
{
    const size_t used = strlen(list), length = strlen(gate);

    for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");

        if (size == length && strncmp(at, gate, size) == 0)
            return;
        at += size;
    }
    if (length > 0 && used + 1 + length < 64)
        snprintf(list + used, 64 - used, "%s%s", used == 0 ? "" : " ", gate);
}

/* What comes later of a run counts. */
static void
set_meaning(struct line *line, const struct event_record *record,
            const struct meaning *meaning)
{
    const char *result = record->value[EVENT_VALUE_RESULT];
    const char *cause = record->value[EVENT_VALUE_CAUSE];

    /* That no proof was possible tells more than that the user left then. */
    if (record->id == SR_EVENT_SELF_RESET_FAILED && line->result != NULL &&
        strcmp(line->result, "refused") == 0)
        return;
    line->activity = meaning->activity;
    line->result = meaning->result != NULL         ? meaning->result
                   : strcmp(result, "failed") == 0 ? "failed"
                                                   : "ok";
    if (meaning->activity == ACTIVITY_REGISTRATION ||
        meaning->activity == ACTIVITY_REMOVAL)
        add_gate(line->set, cause);
    else if (cause[0] != '\0')
        snprintf(line->cause, sizeof(line->cause), "%s", cause);
}

static void
take_record(void *context, const struct event_record *record)
{
    const struct meaning *meaning = find_meaning(record->id);
    struct lines *lines = context;
    struct line *line = find_line(lines, record);
    const bool is_gate = record->id == SR_EVENT_GATE_PASSED ||
                         record->id == SR_EVENT_GATE_FAILED;

    if (line == NULL && (meaning != NULL || is_gate))
        line = add_line(lines, record);
    if (line == NULL)
        return;
    line->ends = record->when;
    if (record->id == SR_EVENT_GATE_PASSED)
        add_gate(line->proved, record->value[EVENT_VALUE_CAUSE]);
    line->wrong += record->id == SR_EVENT_GATE_FAILED;
    for (int i = 0; i < EVENT_VALUE_COUNT; i++) {
        if (i != EVENT_VALUE_CAUSE && line->value[i][0] == '\0')
            memcpy(line->value[i], record->value[i], EVENT_VALUE_SIZE);
    }
    if (meaning != NULL)
        set_meaning(line, record, meaning);
}

/* Whether it has a line in the report: a failed proof outside of a reset and of
 * everything else is none. */
static bool
is_shown(const struct lines *lines, const struct line *line)
{
    return line->activity != ACTIVITY_NONE && line->begins >= lines->from &&
           line->begins < lines->to;
}

/* ---- the ways to write them */

enum { FIELD_TIME, FIELD_END, FIELD_NUMBER = 9, FIELD_COUNT = 15 };
static const char *const fields[FIELD_COUNT] = {
    "time",    "end",    "activity",     "result",    "user",
    "backend", "source", "proved_gates", "set_gates", "wrong_answers",
    "cause",   "actor",  "service",      "terminal",  "reference",
};

/* The texts of a line's fields; the numbers and times are written to `room`. */
static void
get_fields(const struct line *line, const char *text[FIELD_COUNT],
           char room[3][REPORT_TEXT_MAX])
{
    const char *const all[FIELD_COUNT] = {
        report_utc(line->begins, room[0]),
        report_utc(line->ends, room[1]),
        activities[line->activity].name,
        line->result,
        line->value[EVENT_VALUE_USER],
        line->value[EVENT_VALUE_BACKEND],
        line->value[EVENT_VALUE_SOURCE],
        line->proved,
        line->set,
        room[2],
        line->cause,
        line->value[EVENT_VALUE_ACTOR],
        line->value[EVENT_VALUE_SERVICE],
        line->value[EVENT_VALUE_TERMINAL],
        line->value[EVENT_VALUE_REF],
    };

    snprintf(room[2], REPORT_TEXT_MAX, "%u", line->wrong);
    memcpy(text, all, sizeof(all));
}

/* One field, always in quotes.  A spreadsheet takes a text that begins so for a
 * formula, in quotes as well; with an apostrophe before it is a text. */
static void
put_csv(const char *text)
{
    fputs(strchr("=+-@\t\r\n", text[0]) != NULL && text[0] != '\0' ? "\"'"
                                                                   : "\"",
          stdout);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void
print_csv(const struct lines *lines)
{
    const char *text[FIELD_COUNT];
    char room[3][REPORT_TEXT_MAX];

    for (size_t at = 0; at <= lines->count; at++) {
        if (at > 0 && !is_shown(lines, &lines->item[at - 1]))
            continue;
        memcpy(text, fields, sizeof(text));
        if (at > 0)
            get_fields(&lines->item[at - 1], text, room);
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            fputs(i == 0 ? "" : ",", stdout);
            put_csv(text[i]);
        }
        fputs("\r\n", stdout);
    }
}

static void
print_json(const struct lines *lines)
{
    const char *text[FIELD_COUNT];
    char room[3][REPORT_TEXT_MAX];
    struct json json;

    json_begin(&json, stdout);
    json_array(&json, NULL);
    for (size_t at = 0; at < lines->count; at++) {
        if (!is_shown(lines, &lines->item[at]))
            continue;
        get_fields(&lines->item[at], text, room);
        json_object(&json, NULL);
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            if (i == FIELD_NUMBER)
                json_number(&json, fields[i], lines->item[at].wrong);
            else
                json_string(&json, fields[i],
                            text[i][0] == '\0' ? NULL : text[i]);
        }
        json_end(&json);
    }
    json_end(&json);
}

static void
print_line(const struct line *line)
{
    const struct {
        const char *words, *text;
    } part[] = {
        {N_("proved by"), line->proved},
        {N_("from"), line->value[EVENT_VALUE_SOURCE]},
        {N_("cause"), line->cause},
        {N_("by"), line->value[EVENT_VALUE_ACTOR]},
        {N_("reference"), line->value[EVENT_VALUE_REF]},
    };
    const char *user = line->value[EVENT_VALUE_USER];
    char when[REPORT_TEXT_MAX], first[TEXT_COLUMN + REPORT_TEXT_MAX];
    char text[2048], what[256];
    size_t used;

    snprintf(what, sizeof(what),
             line->activity == ACTIVITY_REGISTRATION && line->set[0] != '\0'
                 ? _("registration of %s")
             : line->activity == ACTIVITY_REMOVAL && line->set[0] != '\0'
                 ? _("removal of %s")
                 : "%s",
             line->set[0] != '\0' ? line->set
                                  : _(activities[line->activity].text));
    used = (size_t)snprintf(text, sizeof(text), "%s: %s: %s",
                            user[0] == '\0' ? _("(no such account)") : user,
                            what, line->result);
    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        if (part[i].text[0] != '\0' && used < sizeof(text))
            used += (size_t)snprintf(text + used, sizeof(text) - used,
                                     "; %s %s", _(part[i].words), part[i].text);
    }
    report_local(line->begins, when);
    snprintf(first, sizeof(first), "%-*s", ctl_pad(when, TEXT_COLUMN), when);
    ctl_wrap(stdout, first, TEXT_COLUMN, text);
}

static void
print_text(const struct ctl *ctl, const struct lines *lines)
{
    bool is_empty = true;

    for (size_t at = 0; at < lines->count; at++) {
        if (!is_shown(lines, &lines->item[at]))
            continue;
        print_line(&lines->item[at]);
        is_empty = false;
    }
    if (is_empty)
        ctl_print(ctl, "No reset and no registration was found.");
}

/* ---- the command */

static int
read_lines(const struct ctl *ctl, struct lines *lines)
{
    struct event_query query = {.since = lines->from == SR_TIME_UNKNOWN
                                             ? SR_TIME_UNKNOWN
                                             : lines->from - RUN_MAX,
                                .now = ctl->now,
                                .is_roots = true,
                                .take = take_record,
                                .context = lines};

    if (event_log_read(&query) != 0)
        return CTL_FAILED;
    if (lines->from == SR_TIME_UNKNOWN)
        lines->from = 0;
    if (lines->is_cut)
        ctl_error("Out of memory.");
    return lines->is_cut ? CTL_FAILED : CTL_OK;
}

int
ctl_report(struct ctl *ctl, int argc, char **argv)
{
    const char *from = NULL, *to = NULL;
    bool is_csv = false;
    const struct ctl_option options[] = {
        {"from", NULL, &from}, {"to", NULL, &to}, {"csv", &is_csv, NULL}};
    struct lines lines = {.from = SR_TIME_UNKNOWN};
    int code;

    if (!ctl_parse(ctl, argc, argv, options, 3, 0, 0))
        return ctl->exit;
    if (is_csv)
        ctl_english();
    lines.to = ctl->now + 1;
    if (from != NULL && !attime_read(from, ctl->now, &lines.from))
        return ctl_usage(ctl, CTL_NO_TIME, from);
    if (to != NULL && !attime_read(to, ctl->now, &lines.to))
        return ctl_usage(ctl, CTL_NO_TIME, to);
    if (is_csv && ctl->is_json)
        return ctl_usage(ctl, "Use --csv or --json, not both.");
    code = read_lines(ctl, &lines);
    if (code == CTL_OK && is_csv)
        print_csv(&lines);
    else if (code == CTL_OK && ctl->is_json)
        print_json(&lines);
    else if (code == CTL_OK)
        print_text(ctl, &lines);
    free(lines.item);
    return code;
}
