/*
 * Trust: whether a ticket comes from a KDC that knows a key of this host.
 *
 * krb5_verify_init_creds(3) would do this by libkrb5's own transport.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/steps.h"
#include "policy/backend/krb5/trust.h"
#include "policy/util/words.h"

/* Decrypt the ticket for this host, as a server would. */
static krb5_error_code
accept_ticket(struct sr_krb5_session *session, krb5_creds *ticket,
              krb5_principal server)
{
    krb5_context context = session->context;
    krb5_auth_context client = NULL, host = NULL;
    krb5_data request = {0, 0, NULL};
    krb5_error_code error =
        krb5_mk_req_extended(context, &client, 0, NULL, ticket, &request);

    if (error == 0)
        error = krb5_auth_con_init(context, &host);
    /* Without times: the request is not from the network, and needs no cache of
     * replays. */
    if (error == 0)
        error = krb5_auth_con_setflags(context, host, 0);
    if (error == 0)
        error = krb5_rd_req(context, &host, &request, server, session->keytab,
                            NULL, NULL);
    krb5_free_data_contents(context, &request);
    krb5_auth_con_free(context, client);
    krb5_auth_con_free(context, host);
    return error;
}

/* "host/NAME (SR-5105): ..." */
static void
set_trouble(struct sr_krb5_session *session, krb5_principal server,
            krb5_error_code code)
{
    krb5_context context = session->context;
    const char *event = sr_krb5_event(code);
    const char *text = krb5_get_error_message(context, code);
    char *name = NULL;

    if (krb5_unparse_name(context, server, &name) != 0)
        name = NULL;
    sr_error_set(session->error, SR_ERROR_IDENTITY, "%s%s%s%s: %s",
                 name == NULL ? N_LOG("this host's key") : name,
                 event == NULL ? "" : " (", event == NULL ? "" : event,
                 event == NULL ? "" : ")", text);
    krb5_free_unparsed_name(context, name);
    krb5_free_error_message(context, text);
}

/* Get a ticket for `server`; it is to be freed. */
static krb5_error_code
get_service(struct sr_krb5_session *session, krb5_ccache cache,
            krb5_principal client, krb5_principal server,
            struct sr_krb5_steps *steps, krb5_creds *ticket)
{
    krb5_context context = session->context;
    krb5_creds wanted = {.client = client, .server = server};
    krb5_tkt_creds_context exchange = NULL;
    krb5_error_code error =
        krb5_tkt_creds_init(context, cache, &wanted, 0, &exchange);

    memset(ticket, 0, sizeof(*ticket));
    if (error == 0)
        error = sr_krb5_steps_service(&session->kdcs, exchange, steps);
    if (error == 0)
        error = krb5_tkt_creds_get_creds(context, exchange, ticket);
    krb5_tkt_creds_free(context, exchange);
    return error;
}

enum sr_krb5_trust
sr_krb5_trust_try(struct sr_krb5_session *session, krb5_ccache cache,
                  krb5_principal client, krb5_principal server,
                  krb5_error_code *code)
{
    struct sr_krb5_steps steps = {0};
    krb5_creds ticket;

    *code = get_service(session, cache, client, server, &steps, &ticket);
    if (*code == 0)
        *code = accept_ticket(session, &ticket, server);
    krb5_free_cred_contents(session->context, &ticket);
    if (*code == 0)
        return SR_KRB5_TRUSTED;
    if (steps.is_silent)
        return SR_KRB5_NOT_REACHED;
    set_trouble(session, server, *code);
    return SR_KRB5_NOT_TRUSTED;
}

/* A cache in memory with a ticket-granting ticket.  NULL: the session's error
 * says why. */
static krb5_ccache
cache_of(struct sr_krb5_session *session, krb5_creds *tgt)
{
    krb5_context context = session->context;
    krb5_ccache cache = NULL;
    krb5_error_code error = krb5_cc_new_unique(context, "MEMORY", NULL, &cache);

    if (error == 0)
        error = krb5_cc_initialize(context, cache, tgt->client);
    if (error == 0)
        error = krb5_cc_store_cred(context, cache, tgt);
    if (error == 0)
        return cache;
    sr_krb5_set_error(context, session->error, SR_ERROR_MEMORY, "the cache",
                      error);
    if (cache != NULL)
        krb5_cc_destroy(context, cache);
    return NULL;
}

bool
sr_krb5_trust_kvno(struct sr_krb5_session *session, krb5_creds *tgt,
                   krb5_principal server, krb5_kvno *kvno)
{
    krb5_context context = session->context;
    krb5_ccache cache = cache_of(session, tgt);
    struct sr_krb5_steps steps = {0};
    krb5_ticket *ticket = NULL;
    krb5_creds creds;
    krb5_error_code error;

    if (cache == NULL)
        return false;
    error = get_service(session, cache, tgt->client, server, &steps, &creds);
    if (error == 0)
        error = krb5_decode_ticket(&creds.ticket, &ticket);
    if (error == 0)
        *kvno = ticket->enc_part.kvno;
    else if (!steps.is_silent)
        set_trouble(session, server, error);
    krb5_free_ticket(context, ticket);
    krb5_free_cred_contents(context, &creds);
    krb5_cc_destroy(context, cache);
    return error == 0;
}

static enum sr_krb5_trust
verify(struct sr_krb5_session *session, krb5_ccache cache, krb5_creds *tgt)
{
    krb5_context context = session->context;
    krb5_principal host[SR_KRB5_PRINCIPALS_MAX];
    enum sr_krb5_trust trust = SR_KRB5_NOT_TRUSTED;
    krb5_error_code code = 0;
    size_t count = sr_krb5_keytab_principals(context, session->keytab, "host",
                                             session->realm, host);

    if (count == 0)
        sr_error_set(session->error, SR_ERROR_IDENTITY,
                     "the keytab has no entry host/NAME (SR-5107)");
    for (size_t i = 0; i < count && trust == SR_KRB5_NOT_TRUSTED; i++)
        trust = sr_krb5_trust_try(session, cache, tgt->client, host[i], &code);
    /* That is the account's trouble, not this host's. */
    if (trust == SR_KRB5_NOT_TRUSTED && count > 0 &&
        sr_krb5_event(code) == NULL &&
        (tgt->ticket_flags & TKT_FLG_PRE_AUTH) == 0)
        sr_error_set(session->error, SR_ERROR_OTHER,
                     "Kerberos: the account has no requires_preauth, and the "
                     "KDC gives no ticket for host/NAME without it");
    for (size_t i = 0; i < count; i++)
        krb5_free_principal(context, host[i]);
    return trust;
}

enum sr_krb5_trust
sr_krb5_trust_verify(struct sr_krb5_session *session, krb5_creds *tgt)
{
    enum sr_krb5_trust trust;
    krb5_ccache cache;

    if (session->keytab == NULL) {
        *session->error = session->keytab_error;
        return SR_KRB5_NOT_TRUSTED;
    }
    cache = cache_of(session, tgt);
    if (cache == NULL)
        return SR_KRB5_NOT_TRUSTED;
    trust = verify(session, cache, tgt);
    krb5_cc_destroy(session->context, cache);
    if (trust == SR_KRB5_TRUSTED)
        sr_error_clear(session->error);
    return trust;
}
