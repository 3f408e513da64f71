/*
 * LDAP survey: connect to each server, and ask one of them what it is, and by
 * effect what the service, the owner and anonymous clients may do there.
 *
 * Rights are tried by requests that leave no trace.  Whether an attribute can
 * be read is found by comparing it, which is either refused or answered.
 * Whether it can be written is found by deleting a value that the entry does
 * not have, which is refused or answered with "no such attribute".
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/connect.h"
#include "policy/backend/ldap/describe.h"
#include "policy/backend/ldap/ds389.h"
#include "policy/backend/ldap/pages.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/request.h"
#include "policy/backend/ldap/servers.h"
#include "policy/backend/ldap/rootdse.h"
#include "policy/backend/ldap/survey.h"
#include "policy/backend/ldap/template.h"
#include "policy/util/deadline.h"

#define ACCOUNTS_MAX 20000
#define NO_TIME      "19700102030405Z"
#define NO_DN        "cn=selfreset-check"
#define NO_PASSWORD  "{SSHA}selfreset-check"

/* Where an attribute means something. */
enum where { ANYWHERE, NOT_389, ONLY_389 };

/* What is tried, with a value that no entry has. */
static const struct {
    const char *attribute, *value;
    bool is_shut; /* the owner must not write it */
    enum where where;
} tried[] = {
    {"userPassword", NO_PASSWORD, false, ANYWHERE},
    {"pwdChangedTime", NO_TIME, true, NOT_389},
    {"pwdAccountLockedTime", NO_TIME, true, NOT_389},
    /* The value is that which it has not.  389 does not show it. */
    {"pwdReset", NULL, true, NOT_389},
    {"pwdPolicySubentry", NO_DN, true, ANYWHERE},
    {"pwdStartTime", NO_TIME, true, NOT_389},
    {"pwdEndTime", NO_TIME, true, NOT_389},
    {"pwdGraceUseTime", NO_TIME, true, NOT_389},
    {"pwdFailureTime", NO_TIME, true, NOT_389},
    {"passwordExpirationTime", NO_TIME, true, ANYWHERE},
    {"passwordAllowChangeTime", NO_TIME, true, ONLY_389},
    {"passwordGraceUserTime", SR_LDAP_NO_NUMBER, true, ONLY_389},
    {"passwordRetryCount", SR_LDAP_NO_NUMBER, true, ONLY_389},
    {"accountUnlockTime", NO_TIME, true, ANYWHERE},
    {"nsAccountLock", "selfreset-check", true, ANYWHERE},
    {"pwdUpdateTime", NO_TIME, true, ONLY_389},
    {"pwdTPRExpireAt", NO_TIME, true, ONLY_389},
    {"pwdTPRUseCount", SR_LDAP_NO_NUMBER, true, ONLY_389},
    {"shadowLastChange", SR_LDAP_NO_NUMBER, false, ANYWHERE},
    {"shadowMax", SR_LDAP_NO_NUMBER, true, ANYWHERE},
    {"shadowExpire", SR_LDAP_NO_NUMBER, true, ANYWHERE},
    {"uidNumber", SR_LDAP_NO_NUMBER, true, ANYWHERE},
    {"gidNumber", SR_LDAP_NO_NUMBER, true, ANYWHERE},
};

#define TRIED_COUNT (sizeof(tried) / sizeof(tried[0]))
_Static_assert(TRIED_COUNT <= SR_SURVEY_RIGHTS, "more than a survey holds");

/* Why a request failed. */
static void
copy_why(const struct sr_ldap_session *session, int code,
         char why[SR_ERROR_TEXT_SIZE])
{
    snprintf(why, SR_ERROR_TEXT_SIZE, "%s",
             sr_error_has_text(session->error) ? session->error->text
                                               : ldap_err2string(code));
}

/* ---- the servers */

static void
look_at_tls(struct sr_ldap_session *session, struct sr_survey_uri *uri)
{
    struct berval certificate = {0, NULL};
    char *version = NULL;

    if (ldap_tls_inplace(session->ld) != 1)
        return;
    snprintf(uri->tls, sizeof(uri->tls), "TLS");
#ifdef LDAP_OPT_X_TLS_VERSION
    if (ldap_get_option(session->ld, LDAP_OPT_X_TLS_VERSION, &version) ==
            LDAP_OPT_SUCCESS &&
        version != NULL)
        snprintf(uri->tls, sizeof(uri->tls), "%.15s", version);
    ldap_memfree(version);
#endif
#ifdef LDAP_OPT_X_TLS_PEERCERT
    if (ldap_get_option(session->ld, LDAP_OPT_X_TLS_PEERCERT, &certificate) !=
            LDAP_OPT_SUCCESS ||
        certificate.bv_val == NULL)
        return;
    if (sr_ldap_certificate_ends((const unsigned char *)certificate.bv_val,
                                 certificate.bv_len,
                                 &uri->certificate_ends) != 0)
        uri->certificate_ends = SR_TIME_UNKNOWN;
    ber_memfree(certificate.bv_val);
#endif
}

/* Whether the server refuses every change, by one that would change nothing. */
static bool
is_read_only(struct sr_ldap_session *session, size_t number)
{
    struct sr_ldap_response answer;

    if (sr_ldap_as_service(session) != LDAP_SUCCESS || session->uri != number)
        return false;
    sr_ldap_try_write(session, session->config->base, "description", NO_DN,
                      &answer);
    return sr_ldap_response_is_read_only(&answer);
}

/* Connect to each; the first that answers is asked all the rest. */
static void
try_servers(struct sr_ldap_session *session, struct sr_survey *survey)
{
    if (sr_ldap_find_servers(session) != LDAP_SUCCESS)
        return; /* the first request says so */
    for (size_t i = 0; i < sr_ldap_uri_count(session) && i < SR_SURVEY_URIS;
         i++) {
        struct sr_survey_uri *uri = &survey->uri[survey->uri_count++];
        int code;

        sr_ldap_close(session, false);
        sr_ldap_answered(session);
        sr_ldap_why(session, "%s", "");
        snprintf(uri->uri, sizeof(uri->uri), "%s",
                 sr_ldap_uri_text(session, i));
        uri->certificate_ends = SR_TIME_UNKNOWN;
        code = sr_ldap_connect(
            session, i, sr_deadline_now() + session->config->timeout * 1000);
        uri->is_answered = code == LDAP_SUCCESS;
        uri->is_insecure = uri->is_answered && session->is_insecure;
        if (uri->is_answered) {
            look_at_tls(session, uri);
            uri->is_read_only = !survey->is_brief && is_read_only(session, i);
        } else {
            copy_why(session, code, uri->why);
        }
    }
    sr_ldap_close(session, false);
    sr_ldap_answered(session);
    sr_ldap_why(session, "%s", "");
    session->dead = 0;
}

/* ---- searches */

static enum sr_status
read_root(struct sr_ldap_session *session, struct sr_survey *survey)
{
    struct sr_ldap_entry root = {0};
    size_t count = 0;
    int code = sr_ldap_search(session, "", LDAP_SCOPE_BASE, "(objectClass=*)",
                              sr_ldap_root_attributes, &root, 1, &count);

    if (code != LDAP_SUCCESS) {
        copy_why(session, code, survey->why);
        return SR_STATUS_UNAVAILABLE;
    }
    snprintf(survey->used, sizeof(survey->used), "%s",
             sr_ldap_uri_text(session, session->uri));
    sr_ldap_server_root(&root, survey);
    sr_ldap_entry_clear(&root);
    return SR_STATUS_OK;
}

static void
read_base(struct sr_ldap_session *session, struct sr_survey *survey)
{
    static const char *const none[] = {"1.1", NULL};
    struct sr_ldap_entry base = {0};
    size_t count = 0;
    int code = sr_ldap_search(session, session->config->base, LDAP_SCOPE_BASE,
                              "(objectClass=*)", none, &base, 1, &count);

    sr_ldap_answered(session);
    survey->has_base = code == LDAP_SUCCESS && count == 1 ? SR_YES : SR_NO;
    sr_ldap_entry_clear(&base);
}

/* What of 389's own configuration the service does not see. */
static void
read_config(struct sr_ldap_session *session, struct sr_survey *survey)
{
    struct sr_ldap_entry found[SR_LDAP_DS389_ENTRIES] = {0};
    struct sr_ldap_ds389_server server = {0};
    size_t count = 0;

    if (sr_ldap_search(session, SR_LDAP_DS389_CONFIG, LDAP_SCOPE_SUBTREE,
                       SR_LDAP_DS389_FILTER, sr_ldap_ds389_config, found,
                       SR_LDAP_DS389_ENTRIES, &count) != LDAP_SUCCESS ||
        count > SR_LDAP_DS389_ENTRIES)
        count = 0;
    sr_ldap_answered(session);
    if (sr_ldap_ds389_server(found, count, &server) == 0) {
        survey->hides_local = server.has_local == SR_UNKNOWN;
        survey->hides_inactivity = server.has_inactivity == SR_UNKNOWN;
    }
    for (size_t i = 0; i < SR_LDAP_DS389_ENTRIES; i++)
        sr_ldap_entry_clear(&found[i]);
    sr_ldap_entry_clear(&server.inactive);
}

static void
read_accounts(struct sr_ldap_session *session, struct sr_survey *survey)
{
    const struct sr_backend_config *config = session->config;
    struct sr_ldap_entry *found = calloc(ACCOUNTS_MAX, sizeof(*found));
    char *filter = sr_ldap_filter_all(config->filter);
    struct sr_ldap_pages pages = {0};
    size_t count = 0;
    int code = LDAP_NO_MEMORY;

    if (found != NULL && filter != NULL)
        code = sr_ldap_read_pages(session, filter, NULL, &pages);
    survey->is_cut = code != LDAP_SUCCESS;
    if (code != LDAP_SUCCESS)
        snprintf(survey->reading_why, sizeof(survey->reading_why), "%s",
                 sr_error_text(session->error));
    for (size_t i = 0; session->ld != NULL && i < pages.count; i++) {
        LDAPMessage *at = ldap_first_entry(session->ld, pages.page[i]);

        for (; at != NULL; at = ldap_next_entry(session->ld, at)) {
            if (count == ACCOUNTS_MAX ||
                sr_ldap_entry_take(session, at, &found[count++]) !=
                    LDAP_SUCCESS) {
                survey->is_cut = true;
                break;
            }
        }
    }
    sr_ldap_answered(session);
    if (found != NULL)
        sr_ldap_server_accounts(found, count, config->name_attribute,
                                config->uid_attribute, survey);
    for (size_t i = 0; i < count; i++)
        sr_ldap_entry_clear(&found[i]);
    free(found);
    free(filter);
    sr_ldap_pages_clear(&pages);
}

/* Whether a search shows a hash of any account. */
static enum sr_tri
shows_hashes(struct sr_ldap_session *session)
{
    static const char *const hash[] = {"userPassword", NULL};
    struct sr_ldap_entry found = {0};
    size_t count = 0;
    int code =
        sr_ldap_search(session, session->config->base, LDAP_SCOPE_SUBTREE,
                       "(userPassword=*)", hash, &found, 1, &count);
    enum sr_tri shows = SR_NO;

    if (code != LDAP_SUCCESS && code != LDAP_INSUFFICIENT_ACCESS &&
        code != LDAP_INAPPROPRIATE_AUTH && code != LDAP_NO_SUCH_OBJECT)
        shows = SR_UNKNOWN;
    if (sr_ldap_entry_first(&found, "userPassword") != NULL)
        shows = SR_YES;
    for (size_t i = 0; i < found.count; i++)
        explicit_bzero(found.value[i].text, strlen(found.value[i].text));
    sr_ldap_entry_clear(&found);
    sr_ldap_answered(session);
    return shows;
}

/* The same over a connection of its own without a bind. */
static enum sr_tri
shows_anyone(struct sr_ldap_session *session)
{
    struct sr_backend_config nobody = *session->config;
    const struct sr_backend_config *config = session->config;
    enum sr_tri shows;

    sr_ldap_close(session, false);
    nobody.identity = SR_IDENTITY_NONE;
    session->config = &nobody;
    shows = shows_hashes(session);
    sr_ldap_close(session, false);
    session->config = config;
    return shows;
}

static void
read_policy(struct sr_ldap_session *session, const char *dn,
            struct sr_survey_policy *out)
{
    const char *attributes[SR_LDAP_POLICY_LIST];
    struct sr_ldap_entry policy = {0};
    size_t count = 0;

    sr_ldap_policy_attributes(attributes);
    snprintf(out->dn, sizeof(out->dn), "%s", dn == NULL ? "" : dn);
    if (out->dn[0] != '\0')
        sr_ldap_search(session, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                       attributes, &policy, 1, &count);
    sr_ldap_server_policy(&policy, out);
    sr_ldap_entry_clear(&policy);
    sr_ldap_answered(session);
}

/* ---- the test entry */

static void
find_test(struct sr_ldap_session *session, struct sr_survey *survey,
          struct sr_ldap_entry *entry)
{
    const struct sr_backend_config *config = session->config;
    char *filter = sr_ldap_filter(config->filter, survey->test);
    const char *attributes[SR_LDAP_LIST_MAX];
    size_t count = 0;
    int code = LDAP_NO_MEMORY;

    sr_ldap_list_attributes(session, attributes);
    if (filter != NULL)
        code = sr_ldap_search(session, config->base, LDAP_SCOPE_SUBTREE, filter,
                              attributes, entry, 1, &count);
    free(filter);
    if (code != LDAP_SUCCESS)
        survey->test_result = SR_TEST_FAILED;
    else if (count == 0)
        survey->test_result = SR_TEST_UNKNOWN;
    else if (count > 1)
        survey->test_result = SR_TEST_TWICE;
    else
        survey->test_result = SR_TEST_FOUND;
    if (code != LDAP_SUCCESS)
        copy_why(session, code, survey->test_why);
    if (entry->dn != NULL)
        snprintf(survey->test_dn, sizeof(survey->test_dn), "%s", entry->dn);
    sr_ldap_answered(session);
}

/* The value that an attribute of the test entry has not. */
static const char *
absent_value(const struct sr_ldap_entry *entry, size_t number)
{
    const char *reset = sr_ldap_entry_first(entry, "pwdReset");

    if (tried[number].value != NULL)
        return tried[number].value;
    return reset != NULL && strcmp(reset, "FALSE") == 0 ? "TRUE" : "FALSE";
}

static void
try_to_see(struct sr_ldap_session *session, const char *dn, const char *value,
           struct sr_survey_right *right)
{
    struct berval compared = {strlen(value), (char *)(uintptr_t)value};
    struct sr_ldap_response answer;
    LDAPMessage *message = NULL;
    int id;
    int code = ldap_compare_ext(session->ld, dn, right->attribute, &compared,
                                NULL, NULL, &id);

    if (code != LDAP_SUCCESS)
        return;
    sr_ldap_receive(session, id,
                    sr_deadline_now() + session->config->timeout * 1000,
                    &answer, &message);
    ldap_msgfree(message);
    right->is_known = answer.code == LDAP_UNDEFINED_TYPE ? SR_NO : SR_YES;
    switch (answer.code) {
    case LDAP_COMPARE_FALSE:
    case LDAP_COMPARE_TRUE:
    case LDAP_NO_SUCH_ATTRIBUTE:
        right->sees = SR_YES;
        break;
    case LDAP_INSUFFICIENT_ACCESS:
    case LDAP_NO_SUCH_OBJECT:
        right->sees = SR_NO;
        break;
    default:
        break;
    }
}

static bool
is_meant_for(enum sr_server server, size_t number)
{
    switch (tried[number].where) {
    case ANYWHERE:
        break;
    case NOT_389:
        return server != SR_SERVER_389;
    case ONLY_389:
        return server == SR_SERVER_389;
    }
    return true;
}

/* What the service may do with the test entry. */
static void
try_as_service(struct sr_ldap_session *session,
               const struct sr_ldap_entry *entry, struct sr_survey *survey)
{
    for (size_t i = 0; i < TRIED_COUNT; i++) {
        struct sr_survey_right *right = &survey->right[i];
        const char *value = absent_value(entry, i);

        right->attribute = tried[i].attribute;
        right->is_shut = tried[i].is_shut;
        right->is_known = right->sees = SR_UNKNOWN;
        right->writes = right->self_writes = SR_UNKNOWN;
        if (!is_meant_for(survey->server, i)) {
            right->is_known = SR_NO;
            continue;
        }
        if (sr_ldap_as_service(session) != LDAP_SUCCESS)
            continue;
        try_to_see(session, entry->dn, value, right);
        if (right->is_known == SR_YES)
            right->writes =
                sr_ldap_may_write(session, entry->dn, right->attribute, value);
    }
    survey->right_count = TRIED_COUNT;
}

/* What its owner may.  A pending change or a lock prevents that. */
static void
try_as_owner(struct sr_ldap_session *session, const struct sr_ldap_entry *entry,
             struct sr_survey *survey)
{
    struct sr_ldap_response answer;

    sr_ldap_as_user(session, entry->dn, survey->password, &answer);
    survey->answers_with = answer.has_ppolicy ? SR_YES : SR_NO;
    switch (sr_ldap_response_verify(&answer)) {
    case SR_VERIFY_RIGHT:
        survey->is_let_in = SR_YES;
        break;
    case SR_VERIFY_WRONG:
        survey->is_let_in = SR_NO;
        break;
    case SR_VERIFY_UNAVAILABLE:
        break;
    }
    if (session->bound != SR_LDAP_BOUND_USER || answer.error >= 0)
        return;
    for (size_t i = 0; i < survey->right_count; i++) {
        struct sr_survey_right *right = &survey->right[i];

        if (right->is_known == SR_YES)
            right->self_writes = sr_ldap_may_write(
                session, entry->dn, right->attribute, absent_value(entry, i));
    }
}

/*
 * Whether the server reports that an account is locked, which only a locked
 * account shows. While it is locked, another failure is not counted.
 */
static void
try_lock(struct sr_ldap_session *session, const struct sr_ldap_entry *entry,
         struct sr_survey *survey)
{
    const struct sr_ldap_entry none = {0};
    struct sr_ldap_view view = {
        .account = entry, .policy = &none, .now = time(NULL)};
    struct sr_ldap_response answer;
    struct sr_facts facts;

    sr_facts_init(&facts);
    sr_ldap_kind_facts(&view, &facts);
    if (sr_ldap_entry_first(entry, "pwdAccountLockedTime") == NULL ||
        facts.locked != SR_LOCK_ADMIN || survey->policy.locks != SR_YES)
        return;
    sr_ldap_as_user(session, entry->dn, NO_PASSWORD, &answer);
    sr_ldap_answered(session);
    if (answer.code == LDAP_INVALID_CREDENTIALS)
        survey->tells_locks = answer.error == 1 ? SR_YES : SR_NO;
}

static void
try_test_entry(struct sr_ldap_session *session, struct sr_survey *survey)
{
    struct sr_ldap_entry entry = {0};
    const char *policy;

    find_test(session, survey, &entry);
    if (survey->test_result == SR_TEST_FOUND && entry.dn != NULL) {
        policy = sr_ldap_entry_first(&entry, "pwdPolicySubentry");
        if (policy != NULL)
            read_policy(session, policy, &survey->policy);
        try_as_service(session, &entry, survey);
        try_lock(session, &entry, survey);
        if (survey->password != NULL && survey->password[0] != '\0')
            try_as_owner(session, &entry, survey);
    }
    sr_ldap_entry_clear(&entry);
}

static enum sr_status
look_around(struct sr_ldap_session *session, struct sr_survey *survey)
{
    if (!survey->is_brief || survey->tries_servers)
        try_servers(session, survey);
    if (read_root(session, survey) != SR_STATUS_OK)
        return SR_STATUS_UNAVAILABLE;
    if (survey->is_brief)
        return SR_STATUS_OK;
    read_base(session, survey);
    read_policy(session, session->config->default_policy, &survey->policy);
    if (survey->server == SR_SERVER_389)
        read_config(session, survey);
    if (survey->has_base == SR_YES) {
        read_accounts(session, survey);
        survey->anyone_reads_hashes = shows_anyone(session);
        survey->service_reads_hashes = shows_hashes(session);
    }
    if (survey->test != NULL)
        try_test_entry(session, survey);
    return SR_STATUS_OK;
}

enum sr_status
sr_ldap_survey(struct sr_call *call, struct sr_survey *survey)
{
    struct sr_ldap_session *session = sr_ldap_begin(call->state, call);
    enum sr_status ask;

    if (session == NULL)
        return SR_STATUS_NO_MEMORY;
    if (!survey->is_brief)
        sr_ldap_renew(session);
    ask = look_around(session, survey);
    if (!survey->is_brief)
        sr_ldap_close(session, false); /* bound as the test entry */
    sr_ldap_end(session);
    return ask;
}
