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

int
ctl_switch(struct ctl *ctl, int argc, char **argv, const char *on,
           const char *off, ctl_one enable, ctl_one disable,
           int (*check)(struct ctl *ctl, bool is_json))
{
    bool is_enable = false, is_disable = false, is_check = false;
    const struct ctl_option options[] = {{on, &is_enable, NULL},
                                         {off, &is_disable, NULL},
                                         {"check", &is_check, NULL}};

    if (!ctl_parse(ctl, argc, argv, options, 3, 0, 0))
        return ctl->exit;
    if (is_enable + is_disable + is_check != 1)
        return ctl_usage(ctl, "One of --%s, --%s and --check is required.", on,
                         off);
    if (is_check)
        return check(ctl, ctl->is_json);
    return ctl_once(ctl, is_enable ? enable : disable);
}
