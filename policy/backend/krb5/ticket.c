/*
 * Ticket: a Kerberos ticket of this host's own identity for one service.
 *
 * libkrb5 makes the requests and reads the replies step by step; kdc.c
 * exchanges them.  The environment has no influence.  Getting it costs three
 * exchanges, so the ticket for the service is kept for some minutes, in a file
 * that only root can read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/krb5/initial.h"
#include "policy/backend/krb5/kept.h"
#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/steps.h"
#include "policy/backend/krb5/ticket.h"
#include "policy/util/siphash.h"

#define KDC_PORT 88

/* A ticket is used for so long: it shows the groups that the identity had, and
 * so the rights. */
#define KEPT_SECONDS 900

/* One call of sr_krb5_ticket_get(). */
struct job {
    const struct sr_krb5_wanted *wanted;
    struct sr_krb5_ticket *ticket;
    krb5_keytab keytab;
    struct sr_error *error;
    struct sr_krb5_kdcs kdcs;
    struct sr_krb5_steps steps;
    bool is_skew;
    char prefix[96]; /* of the names of files with tickets */
    char path[160];  /* of that with this one; empty: it is not kept */
};

static void
set_error(struct job *job, const char *what, krb5_error_code code)
{
    const char *event = sr_krb5_event(code);
    char text[300];

    snprintf(text, sizeof(text), "%.250s%s%s%s", what,
             event == NULL ? "" : " (", event == NULL ? "" : event,
             event == NULL ? "" : ")");
    sr_krb5_set_error(job->ticket->context, job->error, SR_ERROR_IDENTITY, text,
                      code);
}

/* Get the ticket-granting ticket by the key in the keytab. */
static krb5_error_code
get_initial(struct job *job)
{
    struct sr_krb5_ticket *ticket = job->ticket;
    krb5_context context = ticket->context;
    const struct sr_krb5_wish wish = {
        .client = ticket->client, .keytab = job->keytab, .tries_names = true};
    struct sr_krb5_initial initial;
    krb5_error_code error;

    sr_krb5_initial_get(&job->kdcs, &wish, &initial);
    job->steps.is_silent = initial.answer == SR_KRB5_SILENT;
    job->is_skew = initial.answer == SR_KRB5_SKEW;
    error = initial.code == KRB5_PREAUTH_FAILED && initial.krb_error != 0
                ? initial.krb_error
                : initial.code;
    if (error == 0)
        error =
            krb5_cc_initialize(context, ticket->cache, initial.creds.client);
    if (error == 0)
        error = krb5_cc_store_cred(context, ticket->cache, &initial.creds);
    if (error == 0) { /* the KDC may have canonicalized the name */
        krb5_free_principal(context, ticket->client);
        ticket->client = initial.creds.client;
        initial.creds.client = NULL;
    }
    sr_krb5_initial_free(context, &initial);
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

/* Get the ticket for the server into the cache, and leave nothing else there.
 */
static krb5_error_code
get_service(struct job *job)
{
    struct sr_krb5_ticket *ticket = job->ticket;
    krb5_creds wanted = {.client = ticket->client, .server = ticket->server};
    krb5_creds creds;
    krb5_tkt_creds_context exchange = NULL;
    krb5_error_code error = krb5_tkt_creds_init(ticket->context, ticket->cache,
                                                &wanted, 0, &exchange);

    if (error == 0)
        error = sr_krb5_steps_service(&job->kdcs, exchange, &job->steps);
    memset(&creds, 0, sizeof(creds));
    if (error == 0)
        error = krb5_tkt_creds_get_creds(ticket->context, exchange, &creds);
    if (error == 0)
        error =
            krb5_cc_initialize(ticket->context, ticket->cache, creds.client);
    if (error == 0)
        error = krb5_cc_store_cred(ticket->context, ticket->cache, &creds);
    krb5_free_cred_contents(ticket->context, &creds);
    krb5_tkt_creds_free(ticket->context, exchange);
    return error;
}

/* Ask the KDC on the host of the service, if the KDCs are named. */
static void
pin(struct job *job)
{
    const struct sr_krb5_wanted *wanted = job->wanted;
    struct sr_krb5_kdcs *kdcs = &job->kdcs;

    if (wanted->realm == NULL)
        return;
    kdcs->list = wanted->kdc;
    kdcs->own = wanted->realm;
    kdcs->last.port = KDC_PORT;
    snprintf(kdcs->last.host, sizeof(kdcs->last.host), "%s", wanted->host);
    snprintf(kdcs->realm, sizeof(kdcs->realm), "%s", wanted->realm);
    kdcs->is_pinned = true;
}

/* ---- what is kept */

/*
 * Name the file of the ticket: "ldap-BACKEND-" and digits that change with the
 * host, the identity and its keytab, so that nothing is found of a former key.
 */
static void
name_file(struct job *job)
{
    static const uint8_t plain[16] = {0};
    const struct sr_krb5_ticket *ticket = job->ticket;
    char text[1400], *client = NULL;
    struct stat status;

    if (job->wanted->backend == NULL ||
        !sr_krb5_keytab_status(ticket->context, job->keytab, &status) ||
        krb5_unparse_name(ticket->context, ticket->client, &client) != 0)
        return;
    snprintf(text, sizeof(text), "%llu %llu %lld %lld %ld %.500s %.500s",
             (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino, (long long)status.st_size,
             (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec, client,
             ticket->server_name);
    krb5_free_unparsed_name(ticket->context, client);
    snprintf(job->prefix, sizeof(job->prefix), "%.20s-%.64s-",
             job->wanted->service, job->wanted->backend);
    snprintf(job->path, sizeof(job->path), SR_RUNDIR "/%s%016llx", job->prefix,
             (unsigned long long)sr_siphash(plain, text, strlen(text)));
}

/* Take the ticket that an earlier process got. */
static bool
take_kept(struct job *job)
{
    struct sr_krb5_ticket *ticket = job->ticket;

    name_file(job);
    if (job->wanted->is_fresh || job->path[0] == '\0')
        return false;
    ticket->cache = sr_krb5_kept_load(ticket->context, job->path,
                                      ticket->server, KEPT_SECONDS);
    ticket->is_kept = ticket->cache != NULL;
    return ticket->is_kept;
}

static void
keep(struct job *job)
{
    struct sr_krb5_ticket *ticket = job->ticket;

    if (job->wanted->is_by_user || job->path[0] == '\0')
        return;
    sr_krb5_kept_prune(job->prefix, KEPT_SECONDS);
    sr_krb5_kept_store(ticket->context, ticket->cache, job->path);
}

/* Get both tickets, into a cache in memory. */
static krb5_error_code
get_new(struct job *job, const char **what, enum sr_krb5_result *result)
{
    struct sr_krb5_ticket *ticket = job->ticket;
    krb5_error_code error =
        krb5_cc_new_unique(ticket->context, "MEMORY", NULL, &ticket->cache);

    *what = "the cache";
    if (error == 0) {
        *what = "the service's identity";
        error = get_initial(job);
    }
    if (error == 0) {
        *what = job->wanted->host;
        *result = SR_KRB5_NO_SERVICE;
        error = get_service(job);
    }
    return error;
}

static enum sr_krb5_result
get_tickets(struct job *job)
{
    struct sr_krb5_ticket *ticket = job->ticket;
    enum sr_krb5_result result = SR_KRB5_FAILED;
    const char *what = "the keytab";
    krb5_error_code error = sr_krb5_keytab_find(
        ticket->context, job->keytab, job->wanted->principal,
        job->wanted->realm, &ticket->client);

    if (error == 0)
        error = name_server(job);
    if (error == 0 && !take_kept(job)) {
        error = get_new(job, &what, &result);
        if (error == 0)
            keep(job);
    }
    if (error == 0)
        error = krb5_cc_get_full_name(ticket->context, ticket->cache,
                                      &ticket->cache_name);
    if (error != 0 && job->steps.is_silent)
        return job->kdcs.is_pinned ? SR_KRB5_AWAY : SR_KRB5_FAILED;
    /* By how much the clocks differ, the error says already. */
    if (error != 0 && !job->is_skew)
        set_error(job, what, error);
    return error == 0 ? SR_KRB5_OK : result;
}

enum sr_krb5_result
sr_krb5_ticket_get(const struct sr_krb5_wanted *wanted,
                   struct sr_krb5_ticket *ticket, struct sr_error *error)
{
    struct job job = {.wanted = wanted, .ticket = ticket, .error = error};
    enum sr_krb5_result result = SR_KRB5_FAILED;

    memset(ticket, 0, sizeof(*ticket));
    if (sr_krb5_context_make(&ticket->context, error) != 0)
        return result;
    job.kdcs = (struct sr_krb5_kdcs){
        .context = ticket->context,
        .end = wanted->end,
        .error = error,
    };
    pin(&job);
    job.keytab = sr_krb5_keytab_open(ticket->context, wanted->keytab, error);
    if (job.keytab != NULL)
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
