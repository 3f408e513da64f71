/*
 * Armour: this host's own ticket, under which KDCs are asked by FAST.
 *
 * Getting it costs two exchanges.  So it is kept, in a file that only root can
 * read, until shortly before its end; another process copies it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/krb5/armour.h"
#include "policy/backend/krb5/kept.h"
#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/steps.h"

static void
name_file(const struct sr_krb5_session *session, char *out, size_t size)
{
    snprintf(out, size, "%s/krb5-%s", SR_RUNDIR, session->config->name);
}

/* The name of the service that gives tickets of this realm; NULL: out of
 * memory.  To be freed. */
static krb5_principal
name_service(const struct sr_krb5_session *session)
{
    krb5_principal server = NULL;

    return krb5_build_principal(
               session->context, &server, (unsigned)strlen(session->realm),
               session->realm, KRB5_TGS_NAME, session->realm, (char *)NULL) == 0
               ? server
               : NULL;
}

static void
drop_memory(struct sr_krb5_session *session)
{
    if (session->armour != NULL)
        krb5_cc_destroy(session->context, session->armour);
    session->armour = NULL;
}

/* Take what an earlier process left. */
static bool
load(struct sr_krb5_session *session)
{
    krb5_principal server = name_service(session);
    char path[128];

    name_file(session, path, sizeof(path));
    if (server != NULL)
        session->armour = sr_krb5_kept_load(session->context, path, server, 0);
    session->is_armour_stored = session->armour != NULL;
    krb5_free_principal(session->context, server);
    return session->is_armour_stored;
}

/* Leave the new one for others.  False: it cannot be used. */
static bool
store(struct sr_krb5_session *session)
{
    krb5_principal server = name_service(session);
    char path[128];
    bool is_usable =
        server != NULL &&
        sr_krb5_kept_is_usable(session->context, session->armour, server, 0);

    name_file(session, path, sizeof(path));
    if (is_usable && !session->is_by_user)
        sr_krb5_kept_store(session->context, session->armour, path);
    krb5_free_principal(session->context, server);
    return is_usable;
}

/* Get a new one by a key of the keytab. */
static bool
get_new(struct sr_krb5_session *session)
{
    krb5_context context = session->context;
    struct sr_krb5_wish wish = {.keytab = session->keytab, .tries_names = true};
    struct sr_krb5_initial initial;
    krb5_error_code error = sr_krb5_keytab_find(context, session->keytab,
                                                session->config->principal,
                                                session->realm, &wish.client);
    bool is_got = false;

    if (error != 0) {
        sr_krb5_set_error(context, session->error, SR_ERROR_IDENTITY,
                          "the keytab", error);
    } else if (krb5_cc_new_unique(context, "MEMORY", NULL, &session->armour) ==
               0) {
        wish.store = session->armour;
        sr_krb5_initial_get(&session->kdcs, &wish, &initial);
        is_got = initial.answer == SR_KRB5_TICKET && store(session);
        if (initial.answer != SR_KRB5_TICKET &&
            initial.answer != SR_KRB5_SILENT)
            session->error->code = SR_ERROR_IDENTITY;
        sr_krb5_initial_free(context, &initial);
    }
    krb5_free_principal(context, wish.client);
    if (!is_got)
        drop_memory(session);
    return is_got;
}

bool
sr_krb5_armour_get(struct sr_krb5_session *session)
{
    bool is_demanded = session->config->fast == SR_FAST_DEMAND;

    if (session->config->fast == SR_FAST_NEVER || session->armour != NULL)
        return true;
    if (session->keytab == NULL) {
        if (is_demanded)
            *session->error = session->keytab_error;
        return !is_demanded;
    }
    if (!session->has_tried_armour && !load(session) && !get_new(session))
        session->armour_error = *session->error;
    session->has_tried_armour =
        session->armour != NULL ||
        session->armour_error.code != SR_ERROR_UNREACHABLE;
    if (session->armour == NULL && session->has_tried_armour)
        *session->error = session->armour_error;
    /* Without it a KDC would only be waited for again. */
    if (session->armour == NULL &&
        session->armour_error.code == SR_ERROR_UNREACHABLE)
        return false;
    return session->armour != NULL || !is_demanded;
}

void
sr_krb5_armour_drop(struct sr_krb5_session *session)
{
    char path[128];

    drop_memory(session);
    session->has_tried_armour = false;
    session->is_armour_stored = false;
    name_file(session, path, sizeof(path));
    unlink(path);
}
