/*
 * Kerberos survey: what the KDCs are, and whether the keys of this host are of
 * use there, by trying.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "policy/backend/krb5/account.h"
#include "policy/backend/krb5/armour.h"
#include "policy/backend/krb5/ask.h"
#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/steps.h"
#include "policy/backend/krb5/survey.h"
#include "policy/backend/krb5/trust.h"
#include "policy/backend/krb5/verify.h"
#include "policy/util/deadline.h"
#include "policy/util/socket.h"
#include "policy/util/words.h"

/* One server is waited for so long. */
#define SERVER_MS 3000

/* Each part of the survey has the whole time of a login. */
static void
renew_time(struct sr_krb5_session *session)
{
    session->kdcs.end = sr_deadline_now() + session->config->timeout * 1000;
}

/* ---- servers */

static struct sr_survey_uri *
add_server(struct sr_survey *survey, const char *role,
           const struct sr_srv *server)
{
    const size_t at = survey->uri_count;

    if (at == SR_SURVEY_URIS)
        return NULL;
    snprintf(survey->uri[at].uri, sizeof(survey->uri[at].uri),
             strchr(server->host, ':') == NULL ? "%s %.230s:%d"
                                               : "%s [%.230s]:%d",
             role, server->host, server->port);
    survey->uri_count++;
    return &survey->uri[at];
}

/* Ask one KDC for anything; what it says does not matter. */
static void
try_kdc(struct sr_krb5_session *session, const struct sr_srv *kdc,
        struct sr_survey *survey)
{
    struct sr_survey_uri *found = add_server(survey, "kdc", kdc);
    struct sr_krb5_kdcs one = session->kdcs;
    struct sr_krb5_wish wish = {
        .client = sr_krb5_account_principal(session, "selfreset-nobody")};
    struct sr_krb5_initial initial;

    if (found == NULL || wish.client == NULL)
        return;
    one.last = *kdc;
    one.is_pinned = true;
    one.end = sr_deadline_now() + SERVER_MS;
    snprintf(one.realm, sizeof(one.realm), "%s", session->realm);
    sr_krb5_initial_get(&one, &wish, &initial);
    found->is_answered =
        initial.replies > 0 && initial.answer != SR_KRB5_SILENT;
    if (!found->is_answered)
        snprintf(found->why, sizeof(found->why), "%s", session->error->text);
    else if (survey->used[0] == '\0')
        snprintf(survey->used, sizeof(survey->used), "%s", found->uri);
    if (initial.has_offset && !survey->krb5.has_offset) {
        survey->krb5.has_offset = true;
        survey->krb5.offset = initial.offset;
    }
    sr_krb5_initial_free(session->context, &initial);
    krb5_free_principal(session->context, wish.client);
}

/* Send a server what it cannot read: it replies, or nobody has got it.  Returns
 * a descriptor or a negative errno. */
static int
ask_datagram(const struct sr_srv *server)
{
    const int64_t end = sr_deadline_now() + SERVER_MS;
    int fd = sr_socket_connect_datagram(server->host, server->port, end);
    char reply[512];
    size_t size = sizeof(reply);
    int error = 0;

    if (fd >= 0)
        error = sr_socket_exchange_datagram(fd, "", 1, reply, &size, end);
    if (error == 0 || error == -ETIMEDOUT)
        return fd;
    close(fd);
    return error;
}

/* Connect to one server for passwords. */
static void
try_kpasswd(const struct sr_srv *server, struct sr_survey *survey)
{
    struct sr_survey_uri *found = add_server(survey, "kpasswd", server);
    int fd;

    if (found == NULL)
        return;
    fd = sr_krb5_kdc_connect(server, sr_deadline_now() + SERVER_MS);
    if (fd == -ECONNREFUSED)
        fd = ask_datagram(server);
    found->is_answered = fd >= 0;
    if (fd >= 0)
        close(fd);
    else
        snprintf(found->why, sizeof(found->why), "%s", strerror(-fd));
}

static void
try_servers(struct sr_krb5_session *session, struct sr_survey *survey)
{
    struct sr_srv server[SR_KRB5_SERVERS_MAX];
    size_t count;

    renew_time(session);
    count =
        sr_krb5_kdc_find(&session->kdcs, session->realm, SR_KRB5_KDC, server);
    if (count == 0)
        snprintf(survey->why, sizeof(survey->why),
                 N_LOG("no KDC is known of the realm %.100s"), session->realm);
    for (size_t i = 0; i < count; i++)
        try_kdc(session, &server[i], survey);
    renew_time(session);
    count = sr_krb5_kdc_find(&session->kdcs, session->realm, SR_KRB5_KPASSWD,
                             server);
    for (size_t i = 0; i < count; i++)
        try_kpasswd(&server[i], survey);
}

/* ---- keys */

/* Whether a principal is SERVICE/NAME, or host/NAME. */
static bool
is_service(krb5_const_principal principal)
{
    return krb5_princ_size(NULL, principal) == 2;
}

static bool
is_host(krb5_const_principal principal)
{
    const krb5_data *first = krb5_princ_component(NULL, principal, 0);

    return krb5_princ_size(NULL, principal) == 2 && first->length == 4 &&
           memcmp(first->data, "host", 4) == 0;
}

/* The newest number of a principal's keys, and their types. */
static void
list_keys(struct sr_krb5_session *session, krb5_principal principal,
          struct sr_survey_key *key)
{
    krb5_context context = session->context;
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;

    key->kvno = -1;
    if (krb5_kt_start_seq_get(context, session->keytab, &cursor) != 0)
        return;
    while (krb5_kt_next_entry(context, session->keytab, &entry, &cursor) == 0) {
        size_t used;
        char type[60];

        if (krb5_principal_compare(context, principal, entry.principal) &&
            (int)entry.vno >= key->kvno) {
            if ((int)entry.vno > key->kvno)
                key->enctypes[0] = '\0';
            key->kvno = (int)entry.vno;
            used = strlen(key->enctypes);
            if (krb5_enctype_to_name(entry.key.enctype, 1, type,
                                     sizeof(type)) == 0)
                snprintf(key->enctypes + used, sizeof(key->enctypes) - used,
                         "%s%s", used == 0 ? "" : " ", type);
        }
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, session->keytab, &cursor);
}

static void
set_fault(struct sr_survey_key *key, const struct sr_error *error,
          const char *event)
{
    snprintf(key->why, sizeof(key->why), "%s", error->text);
    snprintf(key->event, sizeof(key->event), "%s", event == NULL ? "" : event);
}

/* Decrypt a ticket for host/NAME, which is got by the host's own ticket. */
static void
try_ticket(struct sr_krb5_session *session, krb5_principal principal,
           krb5_ccache cache, struct sr_survey_key *key)
{
    krb5_principal client = NULL;
    krb5_error_code code = 0;

    if (krb5_cc_get_principal(session->context, cache, &client) != 0)
        return;
    key->is_accepted = sr_krb5_trust_try(session, cache, client, principal,
                                         &code) == SR_KRB5_TRUSTED;
    if (!key->is_accepted)
        set_fault(key, session->error, sr_krb5_event(code));
    krb5_free_principal(session->context, client);
}

/* Get a ticket by the key; or by that of host/NAME, by which logins go on. */
static void
try_client(struct sr_krb5_session *session, krb5_principal principal,
           krb5_ccache cache, bool *has_ticket, struct sr_survey_key *key)
{
    struct sr_krb5_wish wish = {.client = principal,
                                .keytab = session->keytab,
                                .store = *has_ticket ? NULL : cache};
    struct sr_krb5_initial initial;
    bool is_wrong;

    renew_time(session);
    sr_krb5_initial_get(&session->kdcs, &wish, &initial);
    key->is_right = initial.answer == SR_KRB5_TICKET;
    is_wrong = initial.answer == SR_KRB5_WRONG;
    if (key->is_right)
        *has_ticket = true;
    else
        set_fault(key, session->error,
                  sr_krb5_event(initial.krb_error != 0 ? initial.krb_error
                                                       : initial.code));
    sr_krb5_initial_free(session->context, &initial);
    if (!is_wrong || *has_ticket)
        return;
    wish.tries_names = true;
    sr_krb5_initial_get(&session->kdcs, &wish, &initial);
    *has_ticket = initial.answer == SR_KRB5_TICKET;
    sr_krb5_initial_free(session->context, &initial);
}

/*
 * Try a key: by a ticket for its principal, and for host/NAME by one for that,
 * which is got with the ticket of this or another key.  In Active Directory
 * only NAME$ gets tickets for itself.
 */
static void
try_key(struct sr_krb5_session *session, krb5_principal principal,
        krb5_ccache cache, bool *has_ticket, struct sr_survey_key *key)
{
    const bool is_ad = session->config->type == SR_BACKEND_AD;

    if (!is_ad || !key->is_service)
        try_client(session, principal, cache, has_ticket, key);
    if ((key->is_host || (is_ad && key->is_service)) && *has_ticket)
        try_ticket(session, principal, cache, key);
    else if (is_ad && key->is_service)
        snprintf(key->why, sizeof(key->why),
                 N_LOG("it was not tried: no other key gets a ticket"));
    /* A ticket that it decrypts proves a key, too. */
    if (key->is_accepted) {
        key->is_right = true;
        key->why[0] = key->event[0] = '\0';
    }
}

/* Try an entry, or the next of the list with the same name. */
static void
try_entry(struct sr_krb5_session *session, krb5_principal principal,
          krb5_ccache cache, bool *has_ticket, struct sr_survey_krb5 *krb5)
{
    struct sr_survey_key *key = &krb5->key[krb5->key_count];
    char *name = NULL;

    if (krb5->key_count == SR_SURVEY_KEYS ||
        krb5_unparse_name(session->context, principal, &name) != 0)
        return;
    krb5->key_count++;
    snprintf(key->principal, sizeof(key->principal), "%s", name);
    key->is_host = is_host(principal);
    key->is_service = is_service(principal);
    list_keys(session, principal, key);
    try_key(session, principal, cache, has_ticket, key);
    krb5_free_unparsed_name(session->context, name);
}

/* Those first that can get the ticket by which the others are tried: in Active
 * Directory host/NAME is no client. */
static void
try_keys(struct sr_krb5_session *session, struct sr_survey_krb5 *krb5)
{
    krb5_context context = session->context;
    krb5_principal principal[SR_KRB5_PRINCIPALS_MAX];
    size_t count = sr_krb5_keytab_principals(context, session->keytab, NULL,
                                             NULL, principal);
    krb5_ccache cache = NULL;
    bool has_ticket = false;

    if (krb5_cc_new_unique(context, "MEMORY", NULL, &cache) != 0)
        cache = NULL;
    for (size_t i = 0; i < 2 * count && cache != NULL; i++) {
        krb5_principal one = principal[i % count];

        if (is_service(one) == (i >= count))
            try_entry(session, one, cache, &has_ticket, krb5);
    }
    for (size_t i = 0; i < count; i++)
        krb5_free_principal(context, principal[i]);
    if (cache != NULL)
        krb5_cc_destroy(context, cache);
}

static void
try_keytab(struct sr_krb5_session *session, struct sr_survey_krb5 *krb5)
{
    if (session->keytab == NULL) {
        snprintf(krb5->keytab_why, sizeof(krb5->keytab_why), "%s",
                 session->keytab_error.text);
        return;
    }
    if (krb5_kt_get_name(session->context, session->keytab, krb5->keytab,
                         sizeof(krb5->keytab)) != 0)
        krb5->keytab[0] = '\0';
    try_keys(session, krb5);
    renew_time(session);
    if (session->config->fast != SR_FAST_NEVER)
        krb5->has_fast = sr_krb5_armour_get(session) && session->armour != NULL
                             ? SR_YES
                             : SR_NO;
}

/* ---- states of accounts */

/* Ask for one principal without a password.  Returns whether the KDC has it;
 * *tells is then set. */
static bool
try_state(struct sr_krb5_session *session, const char *name, enum sr_tri *tells)
{
    krb5_principal client = NULL;
    struct sr_krb5_initial initial;
    bool is_there;

    if (krb5_parse_name(session->context, name, &client) != 0)
        return false;
    renew_time(session);
    sr_krb5_ask(session, client, NULL, NULL, &initial);
    if (initial.answer == SR_KRB5_CLIENT_REVOKED)
        *tells = SR_YES;
    else if (initial.answer == SR_KRB5_ASKS)
        *tells = SR_NO;
    is_there = initial.answer != SR_KRB5_NO_CLIENT;
    sr_krb5_initial_free(session->context, &initial);
    krb5_free_principal(session->context, client);
    return is_there;
}

/*
 * Whether the KDC says that an account is disabled to somebody who does not
 * prove a password.  Each kind of KDC has a principal of its own that is
 * disabled: MIT Kerberos, Heimdal, and Active Directory.
 */
static void
try_states(struct sr_krb5_session *session, struct sr_survey_krb5 *krb5)
{
    static const char *const disabled[] = {"K/M", "default", "krbtgt"};
    bool is_there = false;

    krb5->tells_states = SR_UNKNOWN;
    for (size_t i = 0; i < sizeof(disabled) / sizeof(*disabled) && !is_there;
         i++)
        is_there = try_state(session, disabled[i], &krb5->tells_states);
}

/* ---- the test entry */

static void
try_test(struct sr_krb5_session *session, const char *backend,
         struct sr_survey *survey)
{
    struct sr_krb5_initial initial;
    struct sr_account account = {.entry = survey->test_dn};
    enum sr_status status =
        sr_krb5_account_find(session, backend, survey->test);

    survey->test_result = SR_TEST_UNKNOWN;
    if (status != SR_STATUS_OK)
        return;
    snprintf(survey->test_dn, sizeof(survey->test_dn), "%s",
             session->known.entry);
    renew_time(session);
    sr_krb5_ask(session, session->known.client, NULL, NULL, &initial);
    if (initial.answer == SR_KRB5_SILENT || initial.answer == SR_KRB5_OTHER ||
        initial.answer == SR_KRB5_SKEW) {
        survey->test_result = SR_TEST_FAILED;
        snprintf(survey->test_why, sizeof(survey->test_why), "%s",
                 session->error->text);
    } else if (initial.answer != SR_KRB5_NO_CLIENT) {
        survey->test_result = SR_TEST_FOUND;
    }
    sr_krb5_initial_free(session->context, &initial);
    if (survey->test_result != SR_TEST_FOUND || survey->password == NULL)
        return;
    renew_time(session);
    survey->is_let_in =
        sr_krb5_verify(session, &account, survey->password) == SR_VERIFY_RIGHT
            ? SR_YES
            : SR_NO;
    if (survey->is_let_in == SR_NO)
        snprintf(survey->test_why, sizeof(survey->test_why), "%s",
                 session->error->text);
}

void
sr_krb5_survey(struct sr_krb5_session *session, const char *backend,
               struct sr_survey *survey)
{
    struct sr_survey_krb5 *krb5 = &survey->krb5;
    struct utsname host;

    snprintf(krb5->realm, sizeof(krb5->realm), "%s", session->realm);
    snprintf(survey->name, sizeof(survey->name), "Kerberos %.60s",
             session->realm);
    if (uname(&host) == 0)
        snprintf(krb5->host, sizeof(krb5->host), "%s", host.nodename);
    try_servers(session, survey);
    if (survey->is_brief || survey->used[0] == '\0')
        return;
    try_keytab(session, krb5);
    try_states(session, krb5);
    if (survey->test != NULL)
        try_test(session, backend, survey);
}
