/*
 * Rotate: a new secret for the identity by which this host asks the domain: the
 * keys of its own account, or the password of a service account.
 *
 * A password is written to a file of its own before the directory has it, and
 * put in place of the old one when it was proved.  In between bind.c takes that
 * of the two which the directory has.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/backend/ad/rotate.h"
#include "policy/backend/krb5/rotate.h"
#include "policy/backend/lately.h"
#include "policy/backend/ldap/ad_administer.h"
#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/template.h"
#include "policy/util/replace_file.h"
#include "policy/util/secret_file.h"

/* ---- accounts that are not for this host */

static enum sr_write
refuse_group(struct sr_ldap_session *session, const char *name)
{
    sr_ldap_why(session,
                "%s is a group managed service account (gMSA): the domain "
                "controllers set its password, which is not supported",
                name);
    return SR_WRITE_REFUSED;
}

/* Whether the account may change its password now, by what the directory shows.
 * The minimum age does not hold for computers. */
static enum sr_write
try_rights(struct sr_ldap_session *session, const struct sr_ldap_ad_own *own,
           const char *name)
{
    const bool is_young = session->config->identity == SR_IDENTITY_SIMPLE &&
                          SR_TIME_IS_SET(own->may_change_from) &&
                          own->may_change_from > time(NULL);

    if (own->cannot_change == SR_YES)
        sr_ldap_why(session, "%s may not change its own password", name);
    else if (is_young)
        sr_ldap_why(session,
                    "the domain's minimum age of passwords: that of %s can be "
                    "changed in %lld seconds",
                    name, (long long)(own->may_change_from - time(NULL)));
    return own->cannot_change == SR_YES || is_young ? SR_WRITE_REFUSED
                                                    : SR_WRITE_DONE;
}

/* DONE: its password is this host's to change. */
static enum sr_write
admit(struct sr_ldap_session *session, const char *template, const char *name,
      bool is_trial)
{
    char *filter = sr_ldap_filter(template, name);
    enum sr_write admitted = SR_WRITE_FAILED;
    struct sr_ldap_ad_own own;

    if (filter == NULL)
        sr_ldap_why(session, "out of memory");
    else if (sr_ldap_ad_own(session, filter, &own))
        admitted = own.is_group_managed ? refuse_group(session, name)
                   : is_trial           ? try_rights(session, &own, name)
                                        : SR_WRITE_DONE;
    free(filter);
    return admitted;
}

/* ---- the account of this host */

static enum sr_write
admit_host(struct sr_ad_call *ad, bool is_trial)
{
    struct sr_call *part = sr_ad_directory(ad);
    struct sr_ldap_session *session = sr_ldap_begin(part->state, part);
    enum sr_write admitted = SR_WRITE_FAILED;
    char name[256] = "";

    if (session == NULL)
        return admitted;
    sr_ldap_renew(session); /* by the present key, not by what was kept */
    if (ad->session->domain.principal != NULL)
        snprintf(name, sizeof(name), "%s", ad->session->domain.principal);
    name[strcspn(name, "@")] = '\0';
    admitted = admit(session, "(sAMAccountName=%u)", name, is_trial);
    sr_ldap_end(session);
    ad->call->error = part->error;
    return admitted;
}

static enum sr_write
rotate_keys(struct sr_ad_call *ad, bool is_trial)
{
    enum sr_write written = admit_host(ad, is_trial);
    struct sr_krb5_session *session;
    struct sr_call *part;

    if (written != SR_WRITE_DONE)
        return written;
    part = sr_ad_kdc(ad);
    session = sr_krb5_session_begin(part);
    written =
        session == NULL ? SR_WRITE_FAILED : sr_krb5_rotate(session, is_trial);
    ad->call->error = part->error;
    return written;
}

/* ---- a service account */

/* ERROR_LOGON_FAILURE (MS-ERREF 2.2). */
#define DATA_WRONG_PASSWORD 0x52e

struct change {
    struct sr_ad_call *ad;
    struct sr_ldap_session *session;
    const char *path; /* of the file */
    char fresh[PATH_MAX], aside[PATH_MAX];
    char secret[SR_KRB5_SECRET_SIZE];
    bool is_pending; /* an earlier rotation has made it */
};

static enum sr_write
fail(struct change *change, const char *path, int error)
{
    sr_error_set(change->session->error, SR_ERROR_OTHER, "%s: %s", path,
                 strerror(-error));
    return SR_WRITE_FAILED;
}

/* Put the new one in place of the old one. */
static enum sr_write
switch_secrets(struct change *change)
{
    int error = sr_replace_file(change->fresh, change->path, change->path);

    return error == 0 ? SR_WRITE_DONE : fail(change, change->path, error);
}

/* Whether the server that the session is connected to has the new password:
 * states of the account are shown for the right one only.  Any other answer
 * than yes or no is that it is not known. */
static enum sr_tri
has_fresh(struct change *change)
{
    struct sr_ldap_session *session = change->session;
    const struct sr_error why = *session->error;
    struct sr_ldap_response answer;

    sr_ldap_as_user(session, session->config->bind_dn, change->secret, &answer);
    *session->error = why;
    if (sr_ldap_response_ad(&answer) == SR_VERIFY_RIGHT)
        return SR_YES;
    return sr_ldap_response_data(&answer) == DATA_WRONG_PASSWORD ? SR_NO
                                                                 : SR_UNKNOWN;
}

/* An earlier rotation did not come to its end: where the directory has its
 * password, that comes to the place of the old one now.  Where this server does
 * not have it, another one may. */
static enum sr_write
complete(struct change *change)
{
    if (!sr_krb5_secret_read(change->fresh, change->secret, &change->is_pending,
                             change->session->error))
        return SR_WRITE_FAILED;
    if (!change->is_pending)
        return SR_WRITE_DONE;
    switch (has_fresh(change)) {
    case SR_YES:
        change->is_pending = false;
        return switch_secrets(change);
    case SR_NO: /* each more try is counted there */
        sr_lately_set(&sr_lately_unused, change->fresh, "");
        return SR_WRITE_DONE;
    default:
        sr_ldap_why(change->session, "no server says which of two passwords "
                                     "is the current one");
        return SR_WRITE_FAILED;
    }
}

/* A new password in its file, unless there is one already. */
static enum sr_write
make_secret(struct change *change)
{
    int error;

    if (change->is_pending)
        return SR_WRITE_DONE;
    if (!sr_krb5_secret_make(change->secret))
        return fail(change, "no random numbers", -EIO);
    error = sr_krb5_secret_write(change->secret, change->aside, change->fresh,
                                 change->path);
    return error == 0 ? SR_WRITE_DONE : fail(change, change->fresh, error);
}

static enum sr_write
set_password(struct change *change, enum sr_refusal *refusal)
{
    struct sr_ldap_session *session = change->session;
    __attribute__((cleanup(sr_secret_file_free))) char *old =
        sr_secret_file_read(change->path, session->error);
    enum sr_write written;

    if (old == NULL)
        return SR_WRITE_FAILED;
    written = sr_ldap_ad_change_own(session, session->config->bind_dn, old,
                                    change->secret, refusal);
    if (written == SR_WRITE_REFUSED && *refusal == SR_REFUSAL_WRONG_OLD)
        session->error->code = SR_ERROR_IDENTITY;
    return written;
}

/*
 * What came of it, by a bind on the same server.  The new password stays in its
 * file, since a server that has it may not have said so: unless it was made for
 * this try, and the only server that it was sent to refused it by its rules.
 */
static enum sr_write
conclude(struct change *change, enum sr_write written, enum sr_refusal refusal)
{
    struct sr_ldap_session *session = change->session;
    const bool may_have =
        written == SR_WRITE_DONE || written == SR_WRITE_UNSURE;
    enum sr_tri answer;

    if (change->is_pending && !may_have) /* complete() has asked it */
        return written;
    if (may_have)
        sr_lately_set(&sr_lately_unused, change->fresh, NULL);
    if (written == SR_WRITE_UNSURE) { /* no other server knows more */
        sr_ldap_close(session, false);
        session->dead = 0;
    }
    answer = has_fresh(change);
    if (answer == SR_YES)
        return switch_secrets(change);
    if (answer == SR_NO && written == SR_WRITE_REFUSED &&
        refusal == SR_REFUSAL_QUALITY)
        unlink(change->fresh);
    return written == SR_WRITE_DONE ? SR_WRITE_UNSURE : written;
}

/* The steps, on a connection that is bound by the current password. */
static enum sr_write
change_secret(struct change *change)
{
    const struct sr_backend_config *config = change->session->config;
    enum sr_refusal refusal = SR_REFUSAL_OTHER;
    enum sr_write written = complete(change);

    /* Before there is a file with another one. */
    if (written == SR_WRITE_DONE &&
        sr_ldap_as_service(change->session) != LDAP_SUCCESS)
        written = SR_WRITE_FAILED;
    if (written == SR_WRITE_DONE)
        written = admit(change->session, "(distinguishedName=%u)",
                        config->bind_dn, false);
    if (written == SR_WRITE_DONE)
        written = make_secret(change);
    if (written != SR_WRITE_DONE)
        return written;
    written = set_password(change, &refusal);
    return conclude(change, written, refusal);
}

/* Whether they could be taken now, without a change. */
static enum sr_write
try_secret(struct change *change)
{
    struct sr_ldap_session *session = change->session;
    const char *dn = session->config->bind_dn;
    const bool can_begin =
        sr_krb5_secret_read(change->fresh, change->secret, &change->is_pending,
                            session->error) &&
        sr_krb5_secret_may_write(change->path, session->error) &&
        sr_ldap_as_service(session) == LDAP_SUCCESS;

    return can_begin ? admit(session, "(distinguishedName=%u)", dn, true)
                     : SR_WRITE_FAILED;
}

static enum sr_write
rotate_password(struct sr_ad_call *ad, bool is_trial)
{
    struct sr_call *part = sr_ad_directory(ad);
    struct sr_ldap_session *session = sr_ldap_begin(part->state, part);
    struct change change = {.ad = ad, .session = session};
    enum sr_write written;

    if (session == NULL)
        return SR_WRITE_FAILED;
    change.path = session->config->secret_file;
    snprintf(change.fresh, sizeof(change.fresh), "%s" SR_LDAP_SECRET_NEW,
             change.path);
    snprintf(change.aside, sizeof(change.aside), "%s.selfreset", change.path);
    written = is_trial ? try_secret(&change) : change_secret(&change);
    explicit_bzero(change.secret, sizeof(change.secret));
    sr_ldap_end(session);
    ad->call->error = part->error;
    return written;
}

/* The controller that was asked last, or NULL. */
static const char *
asked(const struct sr_ad_session *session, bool is_password)
{
    const struct sr_ldap_session *directory = session->directory;
    const struct sr_krb5_session *kdc = session->kdc;

    if (!is_password)
        return kdc == NULL ? NULL : kdc->kdcs.last.host;
    return directory == NULL || directory->uri >= session->domain.host.count
               ? NULL
               : session->domain.host.item[directory->uri];
}

/* The controller that has the last secret is asked first: another one may not
 * have it yet, and would make one from the secret before. */
enum sr_write
sr_ad_rotate(struct sr_ad_call *ad, bool is_trial)
{
    const bool is_password =
        ad->call->backend->config->identity == SR_IDENTITY_SIMPLE;
    enum sr_write written;
    const char *host;

    sr_ad_prefer(ad, SR_AD_ROTATION);
    written =
        is_password ? rotate_password(ad, is_trial) : rotate_keys(ad, is_trial);
    host = asked(ad->session, is_password);
    if (!is_trial && host != NULL &&
        (written == SR_WRITE_DONE || written == SR_WRITE_UNSURE))
        sr_ad_note_change(ad, SR_AD_ROTATION, host);
    return written;
}
