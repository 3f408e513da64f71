/*
 * Fuzz what a directory says of itself and of what changes in it: content
 * synchronisation, the texts of answers, the root entry, its policy and all its
 * accounts, the certificate of its server, and the failures of a fleet.
 *
 * The first byte chooses which of them the others are.  Entries are lines
 * "attribute: value", one behind an empty line.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/response.h"
#include "policy/backend/ldap/ledger_entry.h"
#include "policy/backend/ldap/rootdse.h"
#include "policy/backend/ldap/sync.h"
#include "policy/throttle/shared_scan.h"
#include "policy/util/utf8.h"
#include "tests/fuzz/entries.h"

#define ENTRIES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes alone in memory of their own, so that a read behind them is
 * seen. */
static char *
copy_of(const uint8_t *data, size_t size, size_t more)
{
    char *copy = malloc(size + more);

    expect(copy != NULL || size + more == 0);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

static void
try_info(const uint8_t *data, size_t size)
{
    char *bytes = copy_of(data, size, 0);
    const struct berval value = {size, bytes};
    struct sr_sync_ids ids;
    enum sr_sync_news news = sr_sync_info(&value, &ids);

    expect(news == SR_SYNC_GONE || ids.count == 0);
    expect(ids.count <= size / sizeof(struct sr_sync_id));
    free(ids.item);
    free(bytes);
}

static void
try_state(const uint8_t *data, size_t size)
{
    static char oid[] = LDAP_CONTROL_SYNC_STATE;
    char *bytes = copy_of(data, size, 0);
    LDAPControl control = {.ldctl_oid = oid, .ldctl_value = {size, bytes}};
    LDAPControl *controls[] = {&control, NULL};
    enum sr_sync_state state = SR_SYNC_PRESENT;
    struct sr_sync_id id;

    if (sr_sync_state(controls, &state, &id) == 0) {
        expect(state <= SR_SYNC_DELETE && size >= sizeof(id));
        expect(memmem(bytes, size, &id, sizeof(id)) != NULL);
    }
    free(bytes);
}

/* A text of the server goes into logs and to terminals of administrators. */
static void
try_text(const char *text)
{
    struct sr_ldap_response answer;
    uint32_t point;
    int status;

    sr_ldap_response_init(&answer, 49);
    sr_ldap_response_text(&answer, text);
    expect(strlen(answer.text) < sizeof(answer.text));
    for (const char *at = answer.text;
         (status = sr_utf8_next(&at, &point)) != 0;)
        expect(status == 1 && !sr_utf8_is_control(point));
}

static void
expect_numbers(const struct sr_survey_policy *policy)
{
    const int64_t number[] = {policy->max_age,      policy->warning,
                              policy->min_age,      policy->grace,
                              policy->history,      policy->min_length,
                              policy->max_failures, policy->lock_duration};

    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++)
        expect(number[i] >= -1);
}

/* The root entry, the policy, and then accounts. */
static void
try_entries(char *text)
{
    struct sr_ldap_entry entry[ENTRIES] = {0};
    struct sr_survey survey;
    size_t count = 0;

    while (text != NULL && count < ENTRIES)
        text = sr_fuzz_entry(text, &entry[count++]);
    memset(&survey, 0, sizeof(survey));
    sr_ldap_server_root(&entry[0], &survey);
    sr_ldap_server_policy(&entry[1], &survey.policy);
    expect_numbers(&survey.policy);
    if (count > 2)
        sr_ldap_server_accounts(entry + 2, count - 2, "uid", "uidNumber",
                                &survey);
    expect(survey.accounts == (count > 2 ? count - 2 : 0));
    for (size_t i = 0; i < ENTRIES; i++)
        sr_ldap_entry_clear(&entry[i]);
}

#define NOW      1800000000
#define LIFETIME 20

static const struct sr_limits limits = {
    .attempts = 3, .window = 900, .duration = 900, .duration_max = 86400};

/* The same entries as a pass over all ledgers reads them. */
static void
try_pass(const struct sr_shared_list *list)
{
    struct sr_shared_scan *ledgers = sr_shared_scan_new(LIFETIME);
    char name[SR_SHARED_LEDGER_SIZE];
    struct sr_lockouts locks;

    sr_shared_account("ann", true, name);
    for (size_t i = 0; i < list->count; i++)
        expect(sr_shared_scan_add(ledgers, name, &list->entry[i]) ==
               SR_STATUS_OK);
    sr_shared_scan_sort(ledgers);
    expect(sr_shared_scan_count(ledgers) <= list->count);
    sr_shared_scan_locks(ledgers, "ann", &limits, NOW, &locks);
    expect(locks.of[SR_CLASS_STRANGER].until == SR_TIME_UNKNOWN);
    expect(locks.of[SR_CLASS_FAMILIAR].until == SR_TIME_UNKNOWN ||
           locks.of[SR_CLASS_FAMILIAR].until > NOW);
    sr_shared_scan_free(ledgers);
}

static void
judge(struct sr_shared_list *list, struct sr_shared_judgement *judgement)
{
    sr_shared_judge(list, NULL, &limits, NOW, LIFETIME, judgement);
    expect(judgement->settled <= list->count &&
           judgement->prunable <= judgement->settled &&
           judgement->failures <= limits.attempts);
    expect(judgement->answer != SR_SHARED_LOCKED || judgement->until > NOW);
}

/* Entries of a ledger; what can be pruned is not missed. */
static void
try_ledger(char *text)
{
    struct sr_shared_list list = {0};
    struct sr_shared_judgement before, after;

    while (text != NULL && list.count < SR_SHARED_MAX) {
        struct sr_ldap_entry entry = {0};

        text = sr_fuzz_entry(text, &entry);
        if (sr_ldap_ledger_entry(&entry, NOW, &list.entry[list.count]))
            list.count++;
        sr_ldap_entry_clear(&entry);
    }
    try_pass(&list);
    judge(&list, &before);
    list.count -= before.prunable;
    memmove(list.entry, list.entry + before.prunable,
            list.count * sizeof(list.entry[0]));
    judge(&list, &after);
    expect(after.answer == before.answer &&
           (before.answer != SR_SHARED_LOCKED || after.until >= before.until));
}

static void
try_certificate(const uint8_t *data, size_t size)
{
    char *bytes = copy_of(data, size, 0);
    sr_time ends = -1;

    if (sr_ldap_certificate_ends((const unsigned char *)bytes, size, &ends) ==
        0)
        expect(ends >= 0);
    free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size < 1)
        return 0;
    text = copy_of(data + 1, size - 1, 1);
    text[size - 1] = '\0';
    switch (data[0]) {
    case 'i':
        try_info(data + 1, size - 1);
        break;
    case 's':
        try_state(data + 1, size - 1);
        break;
    case 't':
        try_text(text);
        break;
    case 'e':
        try_entries(text);
        break;
    case 'l':
        try_ledger(text);
        break;
    case 'c':
        try_certificate(data + 1, size - 1);
        break;
    default:
        break;
    }
    free(text);
    return 0;
}
