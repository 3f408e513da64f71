/*
 * Each: runs a command for each account or source that is named, and writes
 * what came of it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "tools/each.h"

static int
run_one(struct ctl *ctl, struct report *report, const char *key,
        const char *name, ctl_one one)
{
    int code;

    ctl->is_changed = false;
    report_item(report);
    if (ctl->is_json && name != NULL)
        report_text(report, key, name);
    code = one(ctl, report, name);
    if (ctl->is_json) {
        if (ctl->command->changes) {
            report_bool(report, "changed", ctl->is_changed);
            report_bool(report, "dry_run", ctl->is_dry_run);
        }
        report_text(report, "error", ctl_exit_name(code));
        report_number(report, "exit_code", code);
    }
    report_item_end(report);
    return code;
}

int
ctl_each(struct ctl *ctl, const char *key, ctl_one one)
{
    struct report report;
    int code = CTL_OK;

    report_begin(&report, ctl->is_json, ctl->now, ctl->operand_count > 1);
    for (int i = 0; i < ctl->operand_count; i++) {
        int next = run_one(ctl, &report, key, ctl->operand[i], one);

        if (code == CTL_OK)
            code = next;
    }
    report_end(&report);
    return code;
}

int
ctl_once(struct ctl *ctl, ctl_one one)
{
    struct report report;
    int code;

    report_begin(&report, ctl->is_json, ctl->now, false);
    code = run_one(ctl, &report, NULL, NULL, one);
    report_end(&report);
    return code;
}
