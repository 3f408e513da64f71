/*
 * Ticket: a Kerberos ticket of this host's own identity for one service.
 *
 * libkrb5 makes the requests and reads the replies step by step; kdc.c
 * exchanges them.  The environment has no influence, and the ticket is in no
 * file.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/krb5/kdc.h"
#include "policy/backend/krb5/ticket.h"
#include "policy/util/environment.h"
#include "policy/util/secret_file.h"

/* One call of sr_krb5_ticket_get(). */
struct job {
    const struct sr_krb5_wanted *wanted;
    struct sr_krb5_ticket *ticket;
    krb5_keytab keytab;
    struct sr_error *error;
    bool is_silent; /* no KDC answered, and the error says so */
};

static void
set_error(struct job *job, const char *what, krb5_error_code code)
{
    krb5_context context = job->ticket->context;
    const char *text = krb5_get_error_message(context, code);

    sr_error_set(job->error, SR_ERROR_IDENTITY, "Kerberos: %s: %s", what, text);
    krb5_free_error_message(context, text);
}

/* One step of libkrb5's: a reply in, the next request out. */
typedef krb5_error_code step_function(krb5_context context, void *conversation,
                                      krb5_data *in, krb5_data *out,
                                      krb5_data *realm, unsigned *flags);

static krb5_error_code
step_initial(krb5_context context, void *conversation, krb5_data *in,
             krb5_data *out, krb5_data *realm, unsigned *flags)
{
    return krb5_init_creds_step(context, conversation, in, out, realm, flags);
}

static krb5_error_code
step_service(krb5_context context, void *conversation, krb5_data *in,
             krb5_data *out, krb5_data *realm, unsigned *flags)
{
    return krb5_tkt_creds_step(context, conversation, in, out, realm, flags);
}

/* Both kinds of request use the same flag. */
_Static_assert(KRB5_INIT_CREDS_STEP_FLAG_CONTINUE ==
                   KRB5_TKT_CREDS_STEP_FLAG_CONTINUE,
               "one loop serves both");

/* Exchange messages with KDCs until libkrb5 has what it wants.  Returns its
 * error. */
static krb5_error_code
converse(struct job *job, step_function *step, void *conversation)
{
    krb5_context context = job->ticket->context;
    struct sr_krb5_kdcs kdcs = {context, job->wanted->end, job->error};
    krb5_data in = {0, 0, NULL};
    krb5_error_code error;

    for (;;) {
        krb5_data out = {0, 0, NULL}, realm = {0, 0, NULL};
        char name[256];
        unsigned flags = 0;

        error = step(context, conversation, &in, &out, &realm, &flags);
        free(in.data);
        in = (krb5_data){0, 0, NULL};
        if (error == 0 && (flags & KRB5_INIT_CREDS_STEP_FLAG_CONTINUE) == 0)
            break;
        if (error == 0) {
            snprintf(name, sizeof(name), "%.*s", (int)realm.length, realm.data);
            job->is_silent = sr_krb5_kdc_exchange(&kdcs, name, &out, &in) != 0;
            error = job->is_silent ? KRB5_KDC_UNREACH : 0;
        }
        krb5_free_data_contents(context, &out);
        krb5_free_data_contents(context, &realm);
        if (error != 0)
            break;
    }
    return error;
}

/* Whether an entry of the keytab is of the wanted principal, which may be NULL
 * (any) and need not have a realm. */
static bool
is_wanted(krb5_context context, krb5_const_principal wanted,
          krb5_const_principal entry)
{
    if (wanted == NULL)
        return true;
    return krb5_princ_realm(context, wanted)->length == 0
               ? krb5_principal_compare_any_realm(context, wanted, entry)
               : krb5_principal_compare(context, wanted, entry);
}

/* Search the keytab.  For a principal without a realm libkrb5 would look the
 * realm up, in DNS too, without a deadline. */
static krb5_error_code
search_keytab(krb5_context context, krb5_keytab keytab,
              krb5_const_principal wanted, krb5_principal *client)
{
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    krb5_error_code error = krb5_kt_start_seq_get(context, keytab, &cursor);

    if (error != 0)
        return error;
    while (error == 0 && *client == NULL) {
        error = krb5_kt_next_entry(context, keytab, &entry, &cursor);
        if (error != 0)
            break;
        if (is_wanted(context, wanted, entry.principal))
            error = krb5_copy_principal(context, entry.principal, client);
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    return error == KRB5_KT_END ? KRB5_KT_NOTFOUND : error;
}

/* The client: the principal that was asked for, or the first of the keytab. */
static krb5_error_code
find_client(struct job *job)
{
    krb5_context context = job->ticket->context;
    const char *text = job->wanted->principal;
    krb5_principal wanted = NULL;
    krb5_error_code error = 0;

    if (text != NULL)
        error = krb5_parse_name_flags(context, text,
                                      strchr(text, '@') == NULL
                                          ? KRB5_PRINCIPAL_PARSE_NO_REALM
                                          : KRB5_PRINCIPAL_PARSE_REQUIRE_REALM,
                                      &wanted);
    if (error == 0)
        error =
            search_keytab(context, job->keytab, wanted, &job->ticket->client);
    krb5_free_principal(context, wanted);
    return error;
}

/* Get the ticket-granting ticket by the key in the keytab. */
static krb5_error_code
get_initial(struct job *job)
{
    struct sr_krb5_ticket *ticket = job->ticket;
    krb5_context context = ticket->context;
    krb5_init_creds_context conversation = NULL;
    krb5_creds creds;
    krb5_error_code error;

    memset(&creds, 0, sizeof(creds));
    error = krb5_init_creds_init(context, ticket->client, NULL, NULL, 0, NULL,
                                 &conversation);
    if (error == 0)
        error = krb5_init_creds_set_keytab(context, conversation, job->keytab);
    if (error == 0)
        error = converse(job, step_initial, conversation);
    if (error == 0)
        error = krb5_init_creds_get_creds(context, conversation, &creds);
    if (error == 0)
        error = krb5_cc_initialize(context, ticket->cache, creds.client);
    if (error == 0)
        error = krb5_cc_store_cred(context, ticket->cache, &creds);
    if (error == 0) { /* the KDC may have canonicalized the name */
        krb5_free_principal(context, ticket->client);
        ticket->client = creds.client;
        creds.client = NULL;
    }
    krb5_free_cred_contents(context, &creds);
    krb5_init_creds_free(context, conversation);
    return error;
}

/* The realm to which [domain_realm] of krb5.conf maps a host or its domain, for
 * profile_release_string(); NULL when there is none. */
static char *
mapped_realm(profile_t profile, const char *host)
{
    char *realm = NULL;

    for (const char *at = host; at != NULL && realm == NULL;) {
        if (profile_get_string(profile, "domain_realm", at, NULL, NULL,
                               &realm) != 0)
            break;
        /* "a.b.c", ".b.c", "b.c" */
        at = *at == '.' ? at + 1 : strchr(at, '.');
    }
    return realm;
}

/* Make the server's name: SERVICE/HOST in the host's realm, else the client's.
 */
static krb5_error_code
name_server(struct job *job)
{
    struct sr_krb5_ticket *ticket = job->ticket;
    const char *host = job->wanted->host;
    krb5_context context = ticket->context;
    const krb5_data *own = krb5_princ_realm(context, ticket->client);
    profile_t profile = NULL;
    char *realm = NULL;
    krb5_error_code error = krb5_get_profile(context, &profile);

    if (error != 0)
        return error;
    realm = mapped_realm(profile, host);
    error = krb5_build_principal(context, &ticket->server,
                                 realm == NULL ? own->length
                                               : (unsigned)strlen(realm),
                                 realm == NULL ? own->data : realm,
                                 job->wanted->service, host, (char *)NULL);
    profile_release_string(realm);
    profile_release(profile);
    if (error == 0)
        error =
            krb5_unparse_name(context, ticket->server, &ticket->server_name);
    return error;
}

/* Get the ticket for the server into the cache. */
static krb5_error_code
get_service(struct job *job)
{
    struct sr_krb5_ticket *ticket = job->ticket;
    krb5_creds wanted = {.client = ticket->client, .server = ticket->server};
    krb5_tkt_creds_context conversation = NULL;
    krb5_error_code error = krb5_tkt_creds_init(ticket->context, ticket->cache,
                                                &wanted, 0, &conversation);

    if (error == 0)
        error = converse(job, step_service, conversation);
    krb5_tkt_creds_free(ticket->context, conversation);
    return error;
}

/* Open the keytab.  *is_unsafe: others than root can read or write it, and the
 * error says so. */
static krb5_error_code
open_keytab(struct job *job, bool *is_unsafe)
{
    krb5_context context = job->ticket->context;
    const char *path = job->wanted->keytab;
    char name[512];
    krb5_error_code error;

    if (path != NULL)
        snprintf(name, sizeof(name), "FILE:%s", path);
    error = path != NULL ? krb5_kt_resolve(context, name, &job->keytab)
                         : krb5_kt_default(context, &job->keytab);
    if (error == 0)
        error = krb5_kt_get_name(context, job->keytab, name, sizeof(name));
    if (error == 0 && strncmp(name, "FILE:", 5) == 0)
        *is_unsafe = !sr_secret_file_is_safe(name + 5, job->error);
    return error;
}

/* Make an empty cache in memory with a name of its own. */
static krb5_error_code
make_cache(struct sr_krb5_ticket *ticket)
{
    krb5_error_code error =
        krb5_cc_new_unique(ticket->context, "MEMORY", NULL, &ticket->cache);

    if (error == 0)
        error = krb5_cc_get_full_name(ticket->context, ticket->cache,
                                      &ticket->cache_name);
    return error;
}

static enum sr_krb5_result
get_tickets(struct job *job)
{
    enum sr_krb5_result result = SR_KRB5_FAILED;
    const char *what = "the keytab";
    krb5_error_code error = find_client(job);

    if (error == 0) {
        what = "the cache";
        error = make_cache(job->ticket);
    }
    if (error == 0) {
        what = "the service's identity";
        error = get_initial(job);
    }
    if (error == 0) {
        what = job->wanted->host;
        result = SR_KRB5_NO_SERVICE;
        error = name_server(job);
    }
    if (error == 0)
        error = get_service(job);
    if (error != 0 && job->is_silent)
        return SR_KRB5_FAILED;
    if (error != 0)
        set_error(job, what, error);
    return error == 0 ? SR_KRB5_OK : result;
}

enum sr_krb5_result
sr_krb5_ticket_get(const struct sr_krb5_wanted *wanted,
                   struct sr_krb5_ticket *ticket, struct sr_error *error)
{
    struct job job = {.wanted = wanted, .ticket = ticket, .error = error};
    enum sr_krb5_result result = SR_KRB5_FAILED;
    char **environment = sr_environment_hide();
    krb5_error_code code;
    bool is_unsafe = false;

    memset(ticket, 0, sizeof(*ticket));
    code = krb5_init_secure_context(&ticket->context);
    sr_environment_restore(environment);
    if (code != 0) {
        sr_error_set(error, SR_ERROR_CONFIG,
                     "Kerberos: krb5.conf cannot be used");
        return result;
    }
    code = open_keytab(&job, &is_unsafe);
    if (code != 0)
        set_error(&job, "the keytab", code);
    else if (!is_unsafe)
        result = get_tickets(&job);
    if (job.keytab != NULL)
        krb5_kt_close(ticket->context, job.keytab);
    return result;
}

void
sr_krb5_ticket_end(struct sr_krb5_ticket *ticket)
{
    krb5_context context = ticket->context;

    if (context == NULL)
        return;
    if (ticket->cache != NULL)
        krb5_cc_destroy(context, ticket->cache);
    krb5_free_string(context, ticket->cache_name);
    krb5_free_unparsed_name(context, ticket->server_name);
    krb5_free_principal(context, ticket->client);
    krb5_free_principal(context, ticket->server);
    krb5_free_context(context);
    memset(ticket, 0, sizeof(*ticket));
}
