/*
 * Report: keys and values, written for people or as JSON by the same calls.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/report/message.h"
#include "tools/output.h"
#include "tools/report.h"
#include "tools/words.h"

/* Where values begin, for people. */
#define VALUE_COLUMN 27

void
report_begin(struct report *report, bool is_json, sr_time now, bool is_list)
{
    memset(report, 0, sizeof(*report));
    report->is_json = is_json;
    report->is_list = is_list;
    report->now = now;
    json_begin(&report->json, stdout);
    if (is_json && is_list)
        json_array(&report->json, NULL);
}

void
report_end(struct report *report)
{
    if (report->is_json && report->is_list)
        json_end(&report->json);
}

void
report_item(struct report *report)
{
    if (report->is_json)
        json_object(&report->json, NULL);
    report->items++;
}

void
report_item_end(struct report *report)
{
    if (report->is_json)
        json_end(&report->json);
}

void
report_section(struct report *report, const char *key, const char *title)
{
    if (report->is_json)
        json_object(&report->json, key);
    else
        printf("\n%s\n", title == NULL ? "" : _(title));
    report->depth++;
}

void
report_section_end(struct report *report)
{
    if (report->is_json)
        json_end(&report->json);
    report->depth--;
}

static void
put_line(const struct report *report, const char *key, const char *value)
{
    int indent = (int)(2 * report->depth);
    int width = VALUE_COLUMN - indent - (int)strlen(key) - 1;
    char *clean = ctl_clean(value);

    printf("%*s%s:%*s%s\n", indent, "", key, width < 1 ? 1 : width, "",
           clean == NULL ? "?" : clean);
    free(clean);
}

void
report_text(struct report *report, const char *key, const char *text)
{
    if (report->is_json)
        json_string(&report->json, key, text);
    else
        put_line(report, key, text == NULL ? "-" : text);
}

void
report_words(struct report *report, const char *key, const char *text)
{
    int indent = (int)(2 * report->depth);
    int width = VALUE_COLUMN - indent - (int)strlen(key) - 1;
    char first[2 * VALUE_COLUMN];

    if (report->is_json) {
        json_string(&report->json, key, text);
        return;
    }
    if (text == NULL)
        return;
    snprintf(first, sizeof(first), "%*s%s:%*s", indent, "", key,
             width < 1 ? 1 : width, "");
    ctl_wrap(stdout, first, VALUE_COLUMN, text);
}

void
report_list(struct report *report, const char *key, const char *const item[],
            size_t count, const char *none)
{
    char text[512] = "";
    size_t used = 0;

    if (report->is_json)
        json_array(&report->json, key);
    for (size_t i = 0; i < count; i++) {
        if (item[i] == NULL)
            continue;
        if (report->is_json)
            json_string(&report->json, NULL, item[i]);
        else if (used < sizeof(text))
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
                                     used == 0 ? "" : ", ", item[i]);
    }
    if (report->is_json)
        json_end(&report->json);
    else
        report_words(report, key, used == 0 ? _(none) : text);
}

void
report_number(struct report *report, const char *key, int64_t number)
{
    char text[REPORT_TEXT_MAX];

    if (report->is_json) {
        json_number(&report->json, key, number);
        return;
    }
    snprintf(text, sizeof(text), "%" PRId64, number);
    put_line(report, key, text);
}

void
report_bool(struct report *report, const char *key, bool value)
{
    if (report->is_json)
        json_bool(&report->json, key, value);
    else
        put_line(report, key, value ? _("yes") : _("no"));
}

void
report_tri(struct report *report, const char *key, enum sr_tri value)
{
    if (value != SR_UNKNOWN)
        report_bool(report, key, value == SR_YES);
    else if (report->is_json)
        json_null(&report->json, key);
    else
        put_line(report, key, _("unknown"));
}

const char *
report_utc(sr_time when, char out[static REPORT_TEXT_MAX])
{
    time_t seconds = (time_t)when;
    struct tm parts;

    if (!SR_TIME_IS_SET(when))
        snprintf(out, REPORT_TEXT_MAX, "%s",
                 when == SR_TIME_NEVER ? "never" : "unknown");
    else if (gmtime_r(&seconds, &parts) == NULL ||
             strftime(out, REPORT_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(out, REPORT_TEXT_MAX, "@%" PRId64, when);
    return out;
}

const char *
report_local(sr_time when, char out[static REPORT_TEXT_MAX])
{
    time_t seconds = (time_t)when;
    struct tm parts;

    if (!SR_TIME_IS_SET(when))
        snprintf(out, REPORT_TEXT_MAX, "%s",
                 when == SR_TIME_NEVER ? _("never") : _("unknown"));
    else if (localtime_r(&seconds, &parts) == NULL ||
             strftime(out, REPORT_TEXT_MAX, "%Y-%m-%d %H:%M:%S %z", &parts) ==
                 0)
        snprintf(out, REPORT_TEXT_MAX, "@%" PRId64, when);
    return out;
}

/* "(in 5 days)" behind a time. */
static void
add_distance(char out[static REPORT_TEXT_MAX], sr_time when, sr_time now)
{
    char *words = NULL;
    const char *shown = when > now ? _("in a moment") : _("now"); /* short */
    size_t used = strlen(out);

    if (when <= now - 60 || when >= now + 60) {
        words = sr_message_apart(when, now);
        shown = words;
    }
    if (shown != NULL)
        snprintf(out + used, REPORT_TEXT_MAX - used, " (%s)", shown);
    free(words);
}

void
report_time_or(struct report *report, const char *key, sr_time when,
               const char *word)
{
    char text[REPORT_TEXT_MAX];

    if (when == SR_TIME_UNKNOWN) {
        report_text(report, key,
                    report->is_json || word == NULL ? NULL : _(word));
        return;
    }
    if (report->is_json) {
        json_string(&report->json, key, report_utc(when, text));
        return;
    }
    report_local(when, text);
    if (SR_TIME_IS_SET(when) && when >= SR_CLOSED_BEFORE)
        add_distance(text, when, report->now);
    put_line(report, key, text);
}

void
report_time(struct report *report, const char *key, sr_time when)
{
    report_time_or(report, key, when, "unknown");
}

void
report_lockout(struct report *report, const struct sr_lockout *lockout)
{
    report_time_or(report, "locked_until",
                   sr_lockout_is(lockout) ? lockout->until : SR_TIME_UNKNOWN,
                   "none");
}

void
report_duration(struct report *report, const char *key, int64_t seconds)
{
    static const struct {
        int64_t size;
        const char *name;
    } unit[] = {{SR_DAY, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    char text[REPORT_TEXT_MAX];
    size_t i = 0;

    if (report->is_json) {
        json_number(&report->json, key, seconds);
        return;
    }
    while (seconds % unit[i].size != 0)
        i++;
    snprintf(text, sizeof(text), "%" PRId64 "%s", seconds / unit[i].size,
             seconds == 0 ? "" : unit[i].name);
    put_line(report, key, text);
}
