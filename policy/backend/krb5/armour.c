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
#include <time.h>
#include <unistd.h>

#include "policy/backend/krb5/armour.h"
#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/steps.h"
#include "policy/util/safe_open.h"
#include "policy/util/secret_file.h"

/* A ticket that ends sooner is replaced. */
#define LEAST_SECONDS 120

static void
name_file(const struct sr_krb5_session *session, const char *suffix, char *out,
          size_t size)
{
    snprintf(out, size, "%s/krb5-%s%s", SR_RUNDIR, session->config->name,
             suffix);
}

/* Whether the ticket of a cache is of this realm and lasts. */
static bool
is_usable(struct sr_krb5_session *session, krb5_ccache cache)
{
    krb5_context context = session->context;
    krb5_creds wanted, found;
    bool is_good;

    memset(&wanted, 0, sizeof(wanted));
    if (krb5_cc_get_principal(context, cache, &wanted.client) != 0)
        return false;
    is_good = krb5_build_principal(context, &wanted.server,
                                   (unsigned)strlen(session->realm),
                                   session->realm, KRB5_TGS_NAME,
                                   session->realm, (char *)NULL) == 0 &&
              krb5_cc_retrieve_cred(context, cache, 0, &wanted, &found) == 0;
    if (is_good) {
        is_good = (int64_t)(uint32_t)found.times.endtime >
                  (int64_t)time(NULL) + LEAST_SECONDS;
        krb5_free_cred_contents(context, &found);
    }
    krb5_free_cred_contents(context, &wanted);
    return is_good;
}

/* Make an empty cache in memory. */
static bool
make_memory(struct sr_krb5_session *session)
{
    return krb5_cc_new_unique(session->context, "MEMORY", NULL,
                              &session->armour) == 0;
}

static void
drop_memory(struct sr_krb5_session *session)
{
    if (session->armour != NULL)
        krb5_cc_destroy(session->context, session->armour);
    session->armour = NULL;
}

/* Copy all of one cache to another. */
static bool
copy(krb5_context context, krb5_ccache from, krb5_ccache to)
{
    krb5_principal client = NULL;
    bool is_copied = krb5_cc_get_principal(context, from, &client) == 0 &&
                     krb5_cc_initialize(context, to, client) == 0 &&
                     krb5_cc_copy_creds(context, from, to) == 0;

    krb5_free_principal(context, client);
    return is_copied;
}

/* Take what an earlier process left. */
static bool
load(struct sr_krb5_session *session)
{
    krb5_context context = session->context;
    char path[128], name[160];
    struct sr_error ignored;
    krb5_ccache file = NULL;
    bool is_loaded;

    name_file(session, "", path, sizeof(path));
    if (access(path, F_OK) != 0 || !sr_secret_file_is_safe(path, &ignored))
        return false;
    snprintf(name, sizeof(name), "FILE:%s", path);
    if (krb5_cc_resolve(context, name, &file) != 0)
        return false;
    is_loaded = is_usable(session, file) && make_memory(session) &&
                copy(context, file, session->armour);
    krb5_cc_close(context, file);
    if (!is_loaded)
        drop_memory(session);
    session->is_armour_stored = is_loaded;
    return is_loaded;
}

/* Leave it for others: in a new file, which then replaces the old one. */
static void
store(struct sr_krb5_session *session)
{
    krb5_context context = session->context;
    char path[128], fresh[128], name[160], suffix[24];
    krb5_ccache file = NULL;

    if (session->is_by_user)
        return; /* its user could stop the process or limit its files */
    snprintf(suffix, sizeof(suffix), ".%ld", (long)getpid());
    name_file(session, "", path, sizeof(path));
    name_file(session, suffix, fresh, sizeof(fresh));
    snprintf(name, sizeof(name), "FILE:%s", fresh);
    if (sr_safe_make_dir(SR_RUNDIR) != 0 ||
        krb5_cc_resolve(context, name, &file) != 0)
        return;
    if (copy(context, session->armour, file) && rename(fresh, path) == 0)
        krb5_cc_close(context, file);
    else
        krb5_cc_destroy(context, file);
}

/* Get a new one by a key of the keytab. */
static bool
get_new(struct sr_krb5_session *session)
{
    krb5_context context = session->context;
    struct sr_krb5_wish wish = {.keytab = session->keytab, .tries_names = true};
    struct sr_krb5_initial initial;
    krb5_error_code error = sr_krb5_keytab_find(
        context, session->keytab, session->config->principal, &wish.client);
    bool is_got = false;

    if (error != 0) {
        sr_krb5_set_error(context, session->error, SR_ERROR_IDENTITY,
                          "the keytab", error);
    } else if (make_memory(session)) {
        wish.store = session->armour;
        sr_krb5_initial_get(&session->kdcs, &wish, &initial);
        is_got = initial.answer == SR_KRB5_TICKET &&
                 is_usable(session, session->armour);
        if (initial.answer != SR_KRB5_TICKET &&
            initial.answer != SR_KRB5_SILENT)
            session->error->code = SR_ERROR_IDENTITY;
        sr_krb5_initial_free(context, &initial);
    }
    krb5_free_principal(context, wish.client);
    if (!is_got)
        drop_memory(session);
    else
        store(session);
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
    name_file(session, "", path, sizeof(path));
    unlink(path);
}
