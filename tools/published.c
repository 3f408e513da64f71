/*
 * Published: what the rest of the system sees of an account, and whether that
 * is still so.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "policy/publish/reader.h"
#include "policy/publish/writer.h"
#include "tools/published.h"

/* A list of the groups. */
static void
report_names(struct report *report, const char *key, unsigned groups)
{
    const char *name[SR_GROUP_COUNT];

    for (int i = 0; i < SR_GROUP_COUNT; i++)
        name[i] = (groups & SR_GROUP_BIT(i)) != 0
                      ? sr_group_name((enum sr_group)i)
                      : NULL;
    report_list(report, key, name, SR_GROUP_COUNT, "none");
}

/* The groups by the facts of now, of which the lock is the one that holds from
 * every source. */
static unsigned
groups_now(const struct ctl *ctl, const struct sr_transaction *txn)
{
    struct sr_facts facts;
    bool is_exempt;

    sr_publish_facts(txn, &facts, &is_exempt);
    return sr_view_groups(&facts, &txn->rules, is_exempt, ctl->now);
}

/* The groups by what is published.  False when that is no payload. */
static bool
groups_published(const struct ctl *ctl, const struct sr_published *published,
                 unsigned *groups)
{
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;

    if (!sr_payload_decode(published->payload.bytes, published->payload.size,
                           &facts, &rules, &is_exempt))
        return false;
    *groups = sr_view_groups(&facts, &rules, is_exempt, ctl->now);
    return true;
}

static void
report_groups(struct report *report, const struct ctl *ctl,
              const struct sr_transaction *txn,
              const struct sr_published *published)
{
    const char *name = txn->account->facts.name;
    unsigned now = groups_now(ctl, txn);
    unsigned shown = 0;

    if (!groups_published(ctl, published, &shown)) {
        report_text(report, "snapshot", "damaged");
        return;
    }
    report_text(report, "snapshot", "good");
    report_names(report, "groups", shown);
    report_time(report, "since", (sr_time)(published->sequence / 1000000000u));
    report_bool(report, "current", shown == now);
    if (shown == now)
        return;
    report_names(report, "groups_now", now);
    if (!report->is_json) {
        char text[512];

        snprintf(text, sizeof(text),
                 "Run \"selfreset-publish --user %s\" to publish the groups "
                 "of its state now.",
                 name);
        report_words(report, "advice", text);
    }
}

void
report_published(struct report *report, const struct ctl *ctl,
                 const struct sr_transaction *txn)
{
    struct sr_published published;

    report_section(report, "published", "Published to the system");
    switch (sr_reader_find(SR_PUBLISHED_DIR, SR_VIEW_GROUPS,
                           txn->account->facts.name, ctl->now, &published)) {
    case SR_FOUND_IT:
        report_groups(report, ctl, txn, &published);
        break;
    case SR_FOUND_NOTHING:
        report_text(report, "snapshot", "without_account");
        break;
    case SR_FOUND_DENIED:
        report_text(report, "snapshot", "not_readable");
        break;
    case SR_FOUND_BROKEN:
        report_text(report, "snapshot", "none");
        break;
    }
    report_section_end(report);
}
