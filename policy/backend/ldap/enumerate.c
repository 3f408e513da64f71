/*
 * LDAP all: every account of a directory, in one search.
 *
 * Nothing is told before everything was read, policies too: who is told of a
 * part of a directory would take it for the whole.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/enumerate.h"

/* Entries in one page: not above the limit that servers have unless told. */
#define PAGE 500

void
sr_ldap_list_attributes(const struct sr_backend_config *config,
                        const char *list[SR_LDAP_ATTRIBUTES_MAX])
{
    size_t count = 0;

    list[count++] = config->name_attribute;
    list[count++] = config->uid_attribute;
    list[count++] = "gidNumber";
    list[count++] = "modifyTimestamp";
    for (size_t i = 0; sr_ldap_account_attributes[i] != NULL &&
                       count < SR_LDAP_ATTRIBUTES_MAX - 1;
         i++)
        list[count++] = sr_ldap_account_attributes[i];
    list[count] = NULL;
}

/* ---- facts */

bool
sr_ldap_describe(struct sr_ldap_session *link, const struct sr_backend *backend,
                 const char *name, const struct sr_ldap_entry *entry,
                 const struct sr_ldap_entry *policy, struct sr_facts *facts)
{
    const char *uid = sr_ldap_entry_get(entry, link->config->uid_attribute, 0);
    const char *fault;

    sr_facts_init(facts);
    if (uid == NULL || !sr_ldap_uid(uid, &facts->uid)) {
        sr_ldap_why(link, "the entry has no usable %s",
                    link->config->uid_attribute);
        return false;
    }
    facts->answered = SR_YES;
    snprintf(facts->name, sizeof(facts->name), "%s", name);
    snprintf(facts->backend, sizeof(facts->backend), "%s", backend->name);
    fault = sr_ldap_shadow_fault(entry, policy);
    if (fault != NULL) {
        sr_ldap_why(link, "%s of %s is no number of days", fault, entry->dn);
        return false;
    }
    sr_ldap_entry_facts(entry, policy,
                        link->config->identity != SR_IDENTITY_NONE, facts);
    return true;
}

static gid_t
group_of(const struct sr_ldap_entry *entry)
{
    const char *text = sr_ldap_entry_get(entry, "gidNumber", 0);
    uid_t group;

    return text != NULL && sr_ldap_uid(text, &group) ? group : (gid_t)-1;
}

/* Only that it is there. */
static void
describe_unavailable(const struct sr_backend *backend, const char *name,
                     const char *uid, struct sr_facts *facts)
{
    sr_facts_init(facts);
    if (uid == NULL || !sr_ldap_uid(uid, &facts->uid))
        facts->uid = (uid_t)-1;
    snprintf(facts->name, sizeof(facts->name), "%s", name);
    snprintf(facts->backend, sizeof(facts->backend), "%s", backend->name);
}

enum sr_status
sr_ldap_tell(struct sr_ldap_session *link, const struct sr_backend *backend,
             const struct sr_visitor *visitor, const char *name,
             const struct sr_ldap_entry *entry,
             const struct sr_ldap_entry *policy, const char *wrong,
             bool *is_done)
{
    struct sr_account account = {.backend = *backend,
                                 .is_insecure = link->is_insecure};
    struct sr_rules rules;

    memset(&rules, 0, sizeof(rules));
    if (visitor->rules(visitor->context, name, group_of(entry), &rules) != 0)
        wrong = "the groups of the account cannot be read";
    if (wrong == NULL &&
        !sr_ldap_describe(link, backend, name, entry, policy, &account.facts))
        wrong = link->error->text;
    if (wrong != NULL) {
        describe_unavailable(
            backend, name,
            sr_ldap_entry_get(entry, link->config->uid_attribute, 0),
            &account.facts);
        *is_done = visitor->account(visitor->context, &account, &rules,
                                    SR_STATUS_UNAVAILABLE, wrong) != 0;
        return SR_STATUS_OK;
    }
    account.secret = sr_ldap_fingerprint(entry);
    if (account.secret == NULL)
        return SR_STATUS_NO_MEMORY;
    account.entry = entry->dn;
    sr_ldap_policy_demands(policy, &account.demands);
    *is_done = visitor->account(visitor->context, &account, &rules,
                                SR_STATUS_OK, NULL) != 0;
    free(account.secret);
    return SR_STATUS_OK;
}

/* ---- pages */

void
sr_ldap_pages_clear(struct sr_ldap_pages *pages)
{
    for (size_t i = 0; i < pages->count; i++)
        ldap_msgfree(pages->page[i]);
    free(pages->page);
    memset(pages, 0, sizeof(*pages));
}

/* The page belongs to the pages, or is freed. */
static int
add_page(struct sr_ldap_pages *pages, LDAPMessage *message)
{
    LDAPMessage **grown =
        reallocarray(pages->page, pages->count + 1, sizeof(LDAPMessage *));

    if (grown == NULL) {
        ldap_msgfree(message);
        return LDAP_NO_MEMORY;
    }
    pages->page = grown;
    grown[pages->count++] = message;
    return LDAP_SUCCESS;
}

/* Where the next page begins; empty: this was the last. */
static int
next_cookie(struct sr_ldap_session *link, LDAPMessage *message,
            struct berval *cookie)
{
    LDAPControl **controls = NULL;
    LDAPControl *control;
    ber_int_t estimate;
    int code, status;

    ber_memfree(cookie->bv_val);
    *cookie = (struct berval){0, NULL};
    status = ldap_parse_result(link->ld, message, &code, NULL, NULL, NULL,
                               &controls, 0);
    control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    if (status == LDAP_SUCCESS && control != NULL)
        status = ldap_parse_pageresponse_control(link->ld, control, &estimate,
                                                 cookie);
    ldap_controls_free(controls);
    return status;
}

/* Ask for one page, and wait for it. */
static int
fetch_page(struct sr_ldap_session *link, const struct sr_ldap_paged *paged,
           struct sr_ldap_response *answer, LDAPMessage **message)
{
    struct berval cookie = paged->cookie;
    LDAPControl *control = NULL;
    int64_t end = sr_ldap_clock() + link->config->timeout * 1000;
    int id;
    int code = ldap_create_page_control(
        link->ld, PAGE, cookie.bv_len == 0 ? NULL : &cookie, 0, &control);

    if (code != LDAP_SUCCESS)
        return code;
    code = ldap_search_ext(link->ld, paged->base, paged->scope, paged->filter,
                           (char **)(uintptr_t)paged->attributes, 0,
                           (LDAPControl *[]){control, NULL}, NULL, NULL,
                           LDAP_NO_LIMIT, &id);
    ldap_control_free(control);
    if (code != LDAP_SUCCESS)
        return code;
    sr_ldap_wait(link, id, end, answer, message);
    return answer->code;
}

int
sr_ldap_next_page(struct sr_ldap_session *link, struct sr_ldap_paged *paged,
                  struct sr_ldap_response *answer, LDAPMessage **page)
{
    int code;

    *page = NULL;
    sr_ldap_response_init(answer, LDAP_SUCCESS);
    code = fetch_page(link, paged, answer, page);
    if (code == LDAP_SUCCESS)
        code = next_cookie(link, *page, &paged->cookie);
    if (code == LDAP_SUCCESS)
        sr_ldap_answered(link);
    return code;
}

void
sr_ldap_paged_end(struct sr_ldap_paged *paged)
{
    ber_memfree(paged->cookie.bv_val);
    paged->cookie = (struct berval){0, NULL};
}

static int
read_page(struct sr_ldap_session *link, struct sr_ldap_paged *paged,
          struct sr_ldap_pages *pages)
{
    struct sr_ldap_response answer;
    LDAPMessage *message;
    int code = sr_ldap_next_page(link, paged, &answer, &message);

    if (code == LDAP_SUCCESS)
        return add_page(pages, message);
    sr_ldap_why(link, "%s: not every account was told of: %s%s%s",
                link->config->uri.item[link->uri], ldap_err2string(code),
                sr_ldap_colon(&answer), answer.text);
    ldap_msgfree(message);
    return code;
}

int
sr_ldap_read_pages(struct sr_ldap_session *link, const char *filter,
                   const char *const *attributes, struct sr_ldap_pages *pages)
{
    const char *whole[SR_LDAP_ATTRIBUTES_MAX];
    struct sr_ldap_paged paged = {
        .base = link->config->base,
        .scope = LDAP_SCOPE_SUBTREE,
        .filter = filter,
        .attributes = attributes == NULL ? whole : attributes,
    };
    int code = sr_ldap_as_service(link);

    if (code != LDAP_SUCCESS)
        return code;
    sr_ldap_list_attributes(link->config, whole);
    do {
        code = read_page(link, &paged, pages);
    } while (code == LDAP_SUCCESS && paged.cookie.bv_len > 0);
    sr_ldap_paged_end(&paged);
    /* What is left of a page is of no use to anybody. */
    if (code != LDAP_SUCCESS)
        sr_ldap_close(link, false);
    return code;
}

/* ---- policies */

const struct sr_ldap_entry *
sr_ldap_policies_find(const struct sr_ldap_policies *policies, const char *dn)
{
    for (size_t i = 0; i < policies->count; i++) {
        if (strcmp(policies->policy[i].dn, dn) == 0)
            return &policies->policy[i];
    }
    return NULL;
}

void
sr_ldap_policies_clear(struct sr_ldap_policies *policies)
{
    for (size_t i = 0; i < policies->count; i++)
        sr_ldap_entry_clear(&policies->policy[i]);
    free(policies->policy);
    memset(policies, 0, sizeof(*policies));
}

/* Read one; it has the DN as it was asked for. */
static int
read_policy(struct sr_ldap_session *link, const char *dn,
            struct sr_ldap_entry *policy)
{
    size_t count;
    int code;

    sr_ldap_answered(link);
    code = sr_ldap_search(link, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                          sr_ldap_policy_attributes, policy, 1, &count);
    /* The service need not be allowed to read it. */
    if (code != LDAP_SUCCESS && code != LDAP_INSUFFICIENT_ACCESS)
        return code;
    free(policy->dn);
    policy->dn = strdup(dn);
    return policy->dn == NULL ? LDAP_NO_MEMORY : LDAP_SUCCESS;
}

int
sr_ldap_policies_get(struct sr_ldap_policies *policies,
                     struct sr_ldap_session *link, const char *dn,
                     const struct sr_ldap_entry **policy)
{
    static const struct sr_ldap_entry none;
    struct sr_ldap_entry made = {0};
    struct sr_ldap_entry *grown;
    int code;

    *policy = dn == NULL ? &none : sr_ldap_policies_find(policies, dn);
    if (*policy != NULL)
        return LDAP_SUCCESS;
    code = read_policy(link, dn, &made);
    grown = code != LDAP_SUCCESS
                ? NULL
                : reallocarray(policies->policy, policies->count + 1,
                               sizeof(*grown));
    if (grown == NULL) {
        sr_ldap_entry_clear(&made);
        return code == LDAP_SUCCESS ? LDAP_NO_MEMORY : code;
    }
    policies->policy = grown;
    grown[policies->count] = made;
    *policy = &grown[policies->count++];
    return LDAP_SUCCESS;
}

/* ---- each */

/* One name, and the entry that has it. */
struct item {
    char *name;
    LDAPMessage *message;
};

struct reading {
    struct sr_ldap_session *link;
    const struct sr_backend *backend;
    struct sr_ldap_pages pages;
    struct sr_ldap_policies policies;
    struct item *item;
    size_t count, room;
};

static void
reading_clear(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        free(reading->item[i].name);
    free(reading->item);
    sr_ldap_pages_clear(&reading->pages);
    sr_ldap_policies_clear(&reading->policies);
}

static int
compare_items(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->name,
                  ((const struct item *)b)->name);
}

static int
add_item(struct reading *reading, const char *name, LDAPMessage *message)
{
    if (reading->count == reading->room) {
        size_t room = reading->room == 0 ? 1024 : reading->room * 2;
        struct item *grown = reallocarray(reading->item, room, sizeof(*grown));

        if (grown == NULL)
            return LDAP_NO_MEMORY;
        reading->item = grown;
        reading->room = room;
    }
    reading->item[reading->count].message = message;
    reading->item[reading->count].name = strdup(name);
    if (reading->item[reading->count].name == NULL)
        return LDAP_NO_MEMORY;
    reading->count++;
    return LDAP_SUCCESS;
}

static const char *
policy_of(const struct reading *reading, const struct sr_ldap_entry *entry)
{
    return sr_ldap_policy_of(entry, reading->link->config->default_policy);
}

/* The names of an entry, and its policy. */
static int
index_entry(struct reading *reading, LDAPMessage *message)
{
    const char *attribute = reading->link->config->name_attribute;
    const struct sr_ldap_entry *policy;
    struct sr_ldap_entry entry = {0};
    const char *name;
    int code = sr_ldap_take_entry(reading->link, message, &entry);

    if (code == LDAP_SUCCESS)
        code = sr_ldap_policies_get(&reading->policies, reading->link,
                                    policy_of(reading, &entry), &policy);
    for (size_t i = 0; code == LDAP_SUCCESS &&
                       (name = sr_ldap_entry_get(&entry, attribute, i)) != NULL;
         i++) {
        if (!sr_ldap_is_absurd(name))
            code = add_item(reading, name, message);
    }
    sr_ldap_entry_clear(&entry);
    return code;
}

static int
index_pages(struct reading *reading)
{
    struct sr_ldap_session *link = reading->link;
    int code = LDAP_SUCCESS;

    for (size_t i = 0; i < reading->pages.count && code == LDAP_SUCCESS; i++) {
        LDAPMessage *at = ldap_first_entry(link->ld, reading->pages.page[i]);

        /* A policy that cannot be read leaves no connection behind. */
        while (at != NULL && (code = index_entry(reading, at)) == LDAP_SUCCESS)
            at = ldap_next_entry(link->ld, at);
    }
    if (reading->count > 0)
        qsort(reading->item, reading->count, sizeof(*reading->item),
              compare_items);
    return code;
}

static bool
is_same_name(const struct reading *reading, size_t one, size_t other)
{
    return one < reading->count && other < reading->count &&
           strcmp(reading->item[one].name, reading->item[other].name) == 0;
}

static enum sr_status
tell_item(struct reading *reading, const struct sr_visitor *visitor,
          size_t index, bool is_twice, bool *is_done)
{
    const struct item *item = &reading->item[index];
    const struct sr_ldap_entry *policy = NULL;
    struct sr_ldap_entry entry = {0};
    enum sr_status ask = SR_STATUS_NO_MEMORY;

    if (sr_ldap_take_entry(reading->link, item->message, &entry) ==
            LDAP_SUCCESS &&
        sr_ldap_policies_get(&reading->policies, reading->link,
                             policy_of(reading, &entry),
                             &policy) == LDAP_SUCCESS)
        ask = sr_ldap_tell(
            reading->link, reading->backend, visitor, item->name, &entry,
            policy,
            is_twice ? "SR-3013 more than one entry has this name" : NULL,
            is_done);
    sr_ldap_entry_clear(&entry);
    return ask;
}

static enum sr_status
tell_all(struct reading *reading, const struct sr_visitor *visitor)
{
    enum sr_status ask = SR_STATUS_OK;
    bool is_done = false;
    size_t next;

    for (size_t i = 0; i < reading->count && ask == SR_STATUS_OK && !is_done;
         i = next) {
        next = i + 1;
        while (is_same_name(reading, i, next))
            next++;
        ask = tell_item(reading, visitor, i, next - i > 1, &is_done);
    }
    return ask;
}

enum sr_status
sr_ldap_enumerate(struct sr_call *call, const struct sr_visitor *visitor)
{
    struct reading reading = {.backend = call->backend};
    char *filter = sr_ldap_filter_all(call->backend->config->filter);
    void *kept = NULL;
    enum sr_status ask = SR_STATUS_NO_MEMORY;
    int code = LDAP_NO_MEMORY;

    reading.link = sr_ldap_begin(&kept, call);
    if (filter != NULL && reading.link != NULL)
        code = sr_ldap_read_pages(reading.link, filter, NULL, &reading.pages);
    if (code == LDAP_SUCCESS)
        code = index_pages(&reading);
    if (code == LDAP_SUCCESS)
        ask = tell_all(&reading, visitor);
    else if (code != LDAP_NO_MEMORY)
        ask = SR_STATUS_UNAVAILABLE;
    if (ask == SR_STATUS_UNAVAILABLE && !sr_error_has_text(&call->error))
        sr_error_set(&call->error, SR_ERROR_OTHER, "%s", ldap_err2string(code));
    reading_clear(&reading);
    if (reading.link != NULL) {
        sr_ldap_end(reading.link);
        sr_ldap_session_free(reading.link, false);
    }
    free(filter);
    return ask;
}
