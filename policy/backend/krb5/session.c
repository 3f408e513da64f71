/*
 * Session: what the Kerberos backend keeps for one transaction.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <profile.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/session.h"
#include "policy/backend/krb5/steps.h"
#include "policy/util/deadline.h"
#include "policy/util/siphash.h"

/* The realm: the configuration's, or the default one of krb5.conf.  libkrb5
 * would ask DNS for one that is in neither, without a deadline. */
static char *
find_realm(krb5_context context, const struct sr_backend_config *config)
{
    profile_t profile = NULL;
    char *found = NULL, *realm = NULL;

    if (config->realm != NULL)
        return strdup(config->realm);
    if (krb5_get_profile(context, &profile) != 0)
        return NULL;
    if (profile_get_string(profile, "libdefaults", "default_realm", NULL, NULL,
                           &found) == 0 &&
        found != NULL)
        realm = strdup(found);
    profile_release_string(found);
    profile_release(profile);
    return realm;
}

static struct sr_krb5_session *
make(const struct sr_backend_config *config, struct sr_error *error)
{
    struct sr_krb5_session *session = calloc(1, sizeof(*session));

    if (session == NULL) {
        sr_error_set(error, SR_ERROR_MEMORY, "out of memory");
        return NULL;
    }
    if (sr_krb5_context_make(&session->context, error) == 0) {
        session->realm = find_realm(session->context, config);
        if (session->realm != NULL &&
            krb5_set_default_realm(session->context, session->realm) == 0) {
            session->keytab = sr_krb5_keytab_open(
                session->context, config->keytab, &session->keytab_error);
            return session;
        }
        sr_error_set(error, SR_ERROR_CONFIG,
                     "there is neither \"realm\" nor a default_realm in "
                     "krb5.conf");
    }
    sr_krb5_session_free(session);
    return NULL;
}

struct sr_krb5_session *
sr_krb5_session_begin(struct sr_call *call)
{
    const struct sr_backend_config *config = call->backend->config;
    struct sr_krb5_session *session = *call->state;

    if (session == NULL)
        session = make(config, &call->error);
    if (session == NULL)
        return NULL;
    *call->state = session;
    session->config = config;
    session->error = &call->error;
    session->is_by_user = call->is_by_user;
    session->kdcs.context = session->context;
    session->kdcs.error = &call->error;
    session->kdcs.list = &config->kdc;
    session->kdcs.own = session->realm;
    session->kdcs.end = call->deadline != 0
                            ? call->deadline
                            : sr_deadline_now() + config->timeout * 1000;
    return session;
}

static void
clear_creds(struct sr_krb5_session *session, krb5_creds *creds)
{
    krb5_free_cred_contents(session->context, creds);
    memset(creds, 0, sizeof(*creds));
}

void
sr_krb5_session_forget(struct sr_krb5_session *session)
{
    struct sr_krb5_known *known = &session->known;

    free(known->name);
    free(known->entry);
    free(known->gecos);
    free(known->secret);
    krb5_free_principal(session->context, known->client);
    memset(known, 0, sizeof(*known));
    clear_creds(session, &session->changepw);
    clear_creds(session, &session->tgt);
    explicit_bzero(&session->changed, sizeof(session->changed));
    explicit_bzero(&session->proved, sizeof(session->proved));
}

void
sr_krb5_session_free(struct sr_krb5_session *session)
{
    if (session == NULL)
        return;
    if (session->context != NULL) {
        sr_krb5_session_forget(session);
        if (session->armour != NULL)
            krb5_cc_destroy(session->context, session->armour);
        if (session->keytab != NULL)
            krb5_kt_close(session->context, session->keytab);
        krb5_free_context(session->context);
    }
    free(session->realm);
    free(session);
}

/* ---- proofs */

bool
sr_krb5_proof_is(const struct sr_krb5_proof *proof, const char *password,
                 int64_t most_ms)
{
    return proof->at != 0 && sr_deadline_now() - proof->at <= most_ms &&
           sr_siphash(proof->key, password, strlen(password)) == proof->hash;
}

bool
sr_krb5_proof_set(struct sr_krb5_proof *proof, const char *password)
{
    proof->at = 0;
    if (getrandom(proof->key, sizeof(proof->key), 0) !=
        (ssize_t)sizeof(proof->key))
        return false;
    proof->hash = sr_siphash(proof->key, password, strlen(password));
    proof->at = sr_deadline_now();
    return true;
}
