/*
 * Log: what happened to an account, from the journal or the log file.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/each.h"
#include "tools/event_log.h"
#include "tools/time_arg.h"
#include "tools/words.h"

/* Where text begins, after "2026-11-29 13:00:00 +0000  ". */
#define TEXT_COLUMN 27

/* What precedes a value in a sentence; NULL: people do not need it. */
static const char *const words[EVENT_VALUE_COUNT] = {
    /* TRANSLATORS: an address follows */
    [EVENT_VALUE_SOURCE] = N_("from"),
    /* TRANSLATORS: the name of a PAM service follows */
    [EVENT_VALUE_SERVICE] = N_("service"),
    /* TRANSLATORS: a text in English follows */
    [EVENT_VALUE_CAUSE] = N_("cause"),
    /* TRANSLATORS: the name of an account follows */
    [EVENT_VALUE_ACTOR] = N_("by"),
    [EVENT_VALUE_TERMINAL] = N_("terminal"),
    [EVENT_VALUE_REF] = N_("reference"),
};

struct showing {
    struct ctl *ctl;
    struct report *report;
    unsigned count;
};

static void
print_record(const struct event_record *record,
             const struct sr_event_info *info)
{
    char when[REPORT_TEXT_MAX], first[TEXT_COLUMN + REPORT_TEXT_MAX];
    char text[1024];
    size_t used;

    used = (size_t)snprintf(text, sizeof(text), "%s%s", info->id, ": ");
    used +=
        (size_t)snprintf(text + used, sizeof(text) - used, "%s", _(info->text));
    for (int i = 0; i < EVENT_VALUE_COUNT; i++) {
        if (words[i] == NULL || record->value[i][0] == '\0' ||
            used >= sizeof(text))
            continue;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "; %s %s",
                                 _(words[i]), record->value[i]);
    }
    if (used < sizeof(text))
        snprintf(text + used, sizeof(text) - used, ".");
    report_local(record->when, when);
    snprintf(first, sizeof(first), "%-*s", ctl_pad(when, TEXT_COLUMN), when);
    ctl_wrap(stdout, first, TEXT_COLUMN, text);
}

static void
json_record(struct json *json, const struct event_record *record,
            const struct sr_event_info *info)
{
    char when[REPORT_TEXT_MAX];

    json_object(json, NULL);
    json_string(json, "time", report_utc(record->when, when));
    json_string(json, "event", info->name);
    for (int i = 0; i < EVENT_VALUE_COUNT; i++)
        json_string(json, event_value_key((enum event_value)i),
                    record->value[i][0] == '\0' ? NULL : record->value[i]);
    json_end(json);
}

static void
show(void *context, const struct event_record *record)
{
    const struct sr_event_info *info = sr_event_info(record->id);
    struct showing *showing = context;

    showing->count++;
    if (showing->ctl->is_json)
        json_record(&showing->report->json, record, info);
    else
        print_record(record, info);
}

/* What the operand of a command is, and from when on. */
struct query {
    enum event_value by;
    sr_time since;
};

static int
log_of(struct ctl *ctl, struct report *report, const char *name)
{
    const struct query *query = ctl->options;
    struct showing showing = {.ctl = ctl, .report = report};
    struct event_query reading = {.by = query->by,
                                  .wanted = name,
                                  .since = query->since,
                                  .now = ctl->now,
                                  .take = show,
                                  .context = &showing};
    int code;

    if (ctl->is_json)
        json_array(&report->json, "events");
    code = event_log_read(&reading) == 0 ? CTL_OK : CTL_FAILED;
    if (ctl->is_json)
        json_end(&report->json);
    if (code == CTL_OK && showing.count == 0)
        ctl_print(ctl, "No event of %s was found.", name);
    return code;
}

int
ctl_why(struct ctl *ctl, int argc, char **argv)
{
    struct query query = {EVENT_VALUE_REF, SR_TIME_UNKNOWN};

    if (!ctl_parse(ctl, argc, argv, NULL, 0, 1, CTL_MANY))
        return ctl->exit;
    ctl->options = &query;
    return ctl_each(ctl, "reference", log_of);
}

int
ctl_log(struct ctl *ctl, int argc, char **argv)
{
    struct query query = {EVENT_VALUE_USER, SR_TIME_UNKNOWN};
    const char *text = NULL;
    const struct ctl_option options[] = {{"since", NULL, &text}};

    if (!ctl_parse(ctl, argc, argv, options, 1, 1, CTL_MANY))
        return ctl->exit;
    if (text != NULL && !attime_read(text, ctl->now, &query.since))
        return ctl_usage(ctl, CTL_NO_TIME, text);
    ctl->options = &query;
    return ctl_each(ctl, "user", log_of);
}
