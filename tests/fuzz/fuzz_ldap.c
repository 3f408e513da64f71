/*
 * Fuzz what a directory says: bytes of controls, and the values of an entry and
 * its policy.  Any of them gives facts that a verdict can be computed from.
 *
 * The first byte says how many follow that are the value of a control; what
 * comes then is text of lines "attribute: value", those of the policy behind an
 * empty line.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/response.h"
#include "policy/backend/ldap/template.h"
#include "policy/decide/change.h"
#include "policy/report/message.h"
#include "policy/decide/verdict.h"
#include "tests/fuzz/entries.h"

#define NOW 1800000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct sr_ldap_response *answer, enum sr_ldap_kind kind,
      struct sr_facts *facts)
{
    const struct sr_caller caller = {.is_admin = false};
    const struct sr_message_context say = {.now = NOW};
    enum sr_refusal refusal = SR_REFUSAL_OTHER;
    struct sr_verdict verdict;
    struct sr_change change;
    struct sr_rules rules;

    memset(&rules, 0, sizeof(rules));
    expect(answer->error >= -1 && answer->error <= 9);
    expect(answer->grace >= -1 && answer->expires >= -1);
    sr_ldap_response_write(answer, &refusal);
    expect((unsigned)refusal < SR_REFUSAL_COUNT);
    if (sr_ldap_response_verify(answer) == SR_VERIFY_RIGHT)
        expect(answer->code == 0 || answer->error == 0);
    sr_ldap_response_facts(answer, kind, false, NOW, facts);
    facts->answered = SR_YES;
    verdict = sr_verdict(facts, &rules, &caller, NOW);
    expect(sr_state_name(verdict.state) != NULL);
    /* Every time that comes out of it can be said. */
    free(sr_message_verdict(
        &verdict, sr_verdict_answer(&verdict, SR_CALL_ACCOUNT, &rules, &caller),
        &say));
    change = sr_change(facts, &rules, &caller, NOW);
    free(sr_message_change(&change, &say));
    expect(facts->grace_left >= -1 && facts->failures >= -1);
}

/* What else is made of the entries. */
static void
check_entries(struct sr_ldap_entry *account, const struct sr_ldap_entry *policy)
{
    struct sr_demands demands;
    struct sr_ldap_view view = {.account = account, .policy = policy};
    char *fingerprint;

    expect(sr_ldap_kind(&view) <= SR_LDAP_SHADOW);
    sr_ldap_kind_demands(&view, &demands);
    free(sr_message_demands(&demands));
    account->dn = strdup("uid=ann,dc=example");
    expect(account->dn != NULL);
    fingerprint = sr_ldap_fingerprint(account);
    expect(fingerprint != NULL);
    free(fingerprint);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char ppolicy[] = LDAP_CONTROL_PASSWORDPOLICYRESPONSE;
    static char netscape[] = SR_LDAP_NETSCAPE_EXPIRING;
    struct sr_ldap_entry account = {0}, policy = {0};
    struct sr_ldap_view view = {.account = &account, .policy = &policy};
    const char *fault;
    struct sr_ldap_response answer;
    LDAPControl control = {.ldctl_oid = ppolicy};
    LDAPControl *controls[] = {&control, NULL};
    struct sr_facts facts;
    size_t length;
    char *text, *name;

    if (size < 2)
        return 0;
    sr_ldap_response_init(&answer, data[0] & 1 ? 49 : 0);
    if (data[0] & 8)
        control.ldctl_oid = netscape;
    length = data[1] < size - 2 ? data[1] : size - 2;
    control.ldctl_value.bv_len = length;
    control.ldctl_value.bv_val = malloc(length + 1);
    text = malloc(size - 2 - length + 1);
    expect(control.ldctl_value.bv_val != NULL && text != NULL);
    memcpy(control.ldctl_value.bv_val, data + 2, length);
    memcpy(text, data + 2 + length, size - 2 - length);
    text[size - 2 - length] = '\0';
    sr_ldap_response_controls(&answer, controls);
    name = sr_ldap_filter("(uid=%u)", text);
    expect(name != NULL && strchr(name + 1, '(') == NULL &&
           strchr(name, '*') == NULL);
    free(name);
    name = sr_ldap_dn("uid=%u", text);
    expect(name != NULL && strpbrk(name + 4, ",+;=\"<> #") == NULL);
    free(name);
    sr_fuzz_entry(sr_fuzz_entry(text, &account), &policy);
    sr_facts_init(&facts);
    fault = sr_ldap_kind_facts(&view, &facts);
    expect(fault == NULL || sr_ldap_entry_first(&account, fault) != NULL ||
           policy.count > 0);
    check(&answer, (enum sr_ldap_kind)(data[0] >> 1 & 3), &facts);
    check_entries(&account, &policy);
    sr_ldap_entry_clear(&account);
    sr_ldap_entry_clear(&policy);
    free(control.ldctl_value.bv_val);
    free(text);
    return 0;
}
