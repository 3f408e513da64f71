/*
 * Events: the catalogue, for people and for programs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/json.h"
#include "tools/words.h"

static const char *
severity_name(int severity)
{
    static const char *const name[] = {"emerg",   "alert",  "crit", "err",
                                       "warning", "notice", "info", "debug"};

    return severity >= 0 && severity < 8 ? name[severity] : "unknown";
}

static void
print_json(void)
{
    struct json json;

    json_begin(&json, stdout);
    json_array(&json, NULL);
    for (int id = 0; id < SR_EVENT_COUNT; id++) {
        const struct sr_event_info *info = sr_event_info((enum sr_event_id)id);

        json_object(&json, NULL);
        json_string(&json, "id", info->id);
        json_string(&json, "name", info->name);
        json_string(&json, "severity", severity_name(info->severity));
        json_string(&json, "audit",
                    strcmp(info->audit, "-") == 0 ? NULL : info->audit);
        json_string(&json, "message_id", info->message_id);
        json_string(&json, "text", info->text);
        json_end(&json);
    }
    json_end(&json);
}

static void
print_text(void)
{
    for (int id = 0; id < SR_EVENT_COUNT; id++) {
        const struct sr_event_info *info = sr_event_info((enum sr_event_id)id);

        printf("%s  %-20s %-8s %s\n", info->id, info->name,
               severity_name(info->severity), info->audit);
        ctl_wrap(stdout, "         ", 9, _(info->text));
    }
}

int
ctl_events(struct ctl *ctl, int argc, char **argv)
{
    if (!ctl_parse(ctl, argc, argv, NULL, 0, 0, 0))
        return ctl->exit;
    if (ctl->is_json)
        print_json();
    else
        print_text();
    return CTL_OK;
}
