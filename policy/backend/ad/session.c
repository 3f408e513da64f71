/*
 * Session: what the backend for Active Directory keeps for one transaction.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "policy/backend/ad/session.h"
#include "policy/backend/krb5/krb5.h"
#include "policy/backend/lately.h"
#include "policy/backend/ldap/ldap.h"
#include "policy/util/deadline.h"

/* Make the three configurations of a domain that is known, for one call: what
 * the section points to may be gone when the next one begins. */
static void
configure(struct sr_ad_session *session, const struct sr_backend_config *config)
{
    const struct sr_ad_domain *domain = &session->domain;

    session->directory_config = *config;
    session->directory_config.uri = domain->directory;
    session->directory_config.base =
        config->base != NULL ? config->base : domain->dn;
    session->directory_config.default_policy = domain->dn;
    session->directory_config.realm = domain->realm;
    session->directory_config.kdc = domain->kdc;
    session->directory_config.principal = domain->principal;

    /* Only the user binds here: by a DN, or by the one name that every account
     * has (MS-ADTS 5.1.1.1.1). */
    snprintf(session->user, sizeof(session->user), "%%u@%s", domain->realm);
    session->bind_config = session->directory_config;
    session->bind_config.uri = domain->bind;
    session->bind_config.identity = SR_IDENTITY_NONE;
    session->bind_config.user_dn = session->user;

    session->kdc_config = session->directory_config;
    session->kdc_config.enterprise = false;
}

/* The time that this call may take. */
static int64_t
deadline_of(struct sr_ad_session *session, const struct sr_call *call)
{
    const int64_t pause = session->began - session->ended;
    int64_t own;

    session->spent = pause < session->spent ? session->spent - pause : 0;
    own =
        session->began + call->backend->config->timeout * 1000 - session->spent;
    return call->deadline != 0 && call->deadline < own ? call->deadline : own;
}

bool
sr_ad_begin(struct sr_call *call, struct sr_ad_call *ad)
{
    struct sr_ad_session *session = *call->state;

    *ad = (struct sr_ad_call){.call = call};
    sr_error_clear(&call->error);
    if (session == NULL)
        session = calloc(1, sizeof(*session));
    if (session == NULL) {
        sr_error_set(&call->error, SR_ERROR_MEMORY, "out of memory");
        return false;
    }
    *call->state = session;
    session->began = sr_deadline_now();
    ad->session = session;
    ad->backend = *call->backend;
    ad->part = *call;
    ad->part.deadline = deadline_of(session, call);
    session->is_known =
        session->is_known ||
        sr_ad_domain_find(call->backend->config, ad->part.deadline,
                          &session->domain, &call->error);
    if (session->is_known)
        configure(session, call->backend->config);
    return session->is_known;
}

void
sr_ad_end(struct sr_ad_call *ad, bool answered)
{
    struct sr_ad_session *session = ad->session;

    if (session == NULL)
        return;
    session->ended = sr_deadline_now();
    session->spent += session->ended - session->began;
    if (answered)
        session->spent = 0;
}

/* ---- passwords that were changed lately */

/* The key of an account's record. */
static void
name_record(const struct sr_ad_call *ad, const char *name, char *key,
            size_t size)
{
    snprintf(key, size, "%s:%s", ad->call->backend->name, name);
}

bool
sr_ad_changed_by(struct sr_ad_call *ad, const char *name, char host[256])
{
    char key[SR_NAME_MAX + SR_BACKEND_NAME_MAX + 2];

    name_record(ad, name, key, sizeof(key));
    return sr_lately_find(&sr_lately_changed, key, host, 256);
}

void
sr_ad_note_change(struct sr_ad_call *ad, const char *name, const char *host)
{
    char key[SR_NAME_MAX + SR_BACKEND_NAME_MAX + 2];

    name_record(ad, name, key, sizeof(key));
    if (ad->session->domain.host.count > 1)
        sr_lately_set(&sr_lately_changed, key, host);
}

void
sr_ad_prefer(struct sr_ad_call *ad, const char *name)
{
    struct sr_ad_session *session = ad->session;
    char host[256];

    if (session->directory != NULL || session->kdc != NULL ||
        session->domain.host.count < 2 ||
        (!sr_ad_changed_by(ad, name, host) &&
         !sr_ad_changed_by(ad, SR_AD_ROTATION, host)))
        return;
    sr_ad_domain_prefer(&session->domain, host);
    configure(session, ad->call->backend->config);
}

/* ---- calls */

/* A call of one of the three. */
static struct sr_call *
part(struct sr_ad_call *ad, const struct sr_backend_config *config,
     const struct sr_backend_ops *operations, void **state)
{
    ad->backend.config = config;
    ad->backend.ops = operations;
    ad->part.backend = &ad->backend;
    ad->part.state = state;
    sr_error_clear(&ad->part.error);
    return &ad->part;
}

struct sr_call *
sr_ad_directory(struct sr_ad_call *ad)
{
    return part(ad, &ad->session->directory_config, &sr_ldap_operations,
                &ad->session->directory);
}

struct sr_call *
sr_ad_bind(struct sr_ad_call *ad)
{
    return part(ad, &ad->session->bind_config, &sr_ldap_operations,
                &ad->session->bind);
}

struct sr_call *
sr_ad_kdc(struct sr_ad_call *ad)
{
    return part(ad, &ad->session->kdc_config, &sr_krb5_operations,
                &ad->session->kdc);
}

void
sr_ad_session_free(struct sr_ad_session *session, bool is_copy)
{
    if (session == NULL)
        return;
    if (session->directory != NULL)
        sr_ldap_operations.accounts.end(session->directory, is_copy);
    if (session->bind != NULL)
        sr_ldap_operations.accounts.end(session->bind, is_copy);
    if (session->kdc != NULL)
        sr_krb5_operations.accounts.end(session->kdc, is_copy);
    sr_ad_domain_clear(&session->domain);
    free(session);
}
