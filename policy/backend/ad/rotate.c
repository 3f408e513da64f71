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
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/ad/rotate.h"
#include "policy/backend/krb5/rotate.h"
#include "policy/backend/lately.h"
#include "policy/backend/ldap/ad_administer.h"
#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/template.h"
#include "policy/util/io.h"
#include "policy/util/replace_file.h"
#include "policy/util/safe_open.h"
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

/* DONE: its password is this host's to change. */
static enum sr_write
admit(struct sr_ldap_session *session, const char *template, const char *name)
{
    char *filter = sr_ldap_filter(template, name);
    enum sr_write admitted = SR_WRITE_FAILED;

    if (filter == NULL) {
        sr_ldap_why(session, "out of memory");
        return admitted;
    }
    switch (sr_ldap_ad_is_group_managed(session, filter)) {
    case SR_YES:
        admitted = refuse_group(session, name);
        break;
    case SR_NO:
        admitted = SR_WRITE_DONE;
        break;
    default:
        break;
    }
    free(filter);
    return admitted;
}

/* ---- the account of this host */

static enum sr_write
admit_host(struct sr_ad_call *ad)
{
    struct sr_call *part = sr_ad_directory(ad);
    struct sr_ldap_session *session = sr_ldap_begin(part->state, part);
    enum sr_write admitted = SR_WRITE_FAILED;
    char name[256] = "";

    if (session == NULL)
        return admitted;
    if (ad->session->domain.principal != NULL)
        snprintf(name, sizeof(name), "%s", ad->session->domain.principal);
    name[strcspn(name, "@")] = '\0';
    admitted = admit(session, "(sAMAccountName=%u)", name);
    sr_ldap_end(session);
    ad->call->error = part->error;
    return admitted;
}

static enum sr_write
rotate_keys(struct sr_ad_call *ad)
{
    enum sr_write written = admit_host(ad);
    struct sr_krb5_session *session;
    struct sr_call *part;

    if (written != SR_WRITE_DONE)
        return written;
    part = sr_ad_kdc(ad);
    session = sr_krb5_session_begin(part);
    written = session == NULL ? SR_WRITE_FAILED : sr_krb5_rotate(session);
    ad->call->error = part->error;
    return written;
}

/* ---- a service account */

struct change {
    struct sr_ad_call *ad;
    struct sr_ldap_session *session;
    const char *path; /* of the file */
    char fresh[PATH_MAX], aside[PATH_MAX];
    char secret[SR_KRB5_SECRET_SIZE];
};

static enum sr_write
fail(struct change *change, const char *path, int error)
{
    sr_error_set(change->session->error, SR_ERROR_OTHER, "%s: %s", path,
                 strerror(-error));
    return SR_WRITE_FAILED;
}

/* Write the new password to its file. */
static enum sr_write
write_secret(struct change *change)
{
    int fd = sr_safe_open(change->aside, O_WRONLY | O_CREAT | O_TRUNC, NULL);
    int error = fd < 0 ? fd : 0;

    if (error == 0)
        error = sr_write_all(fd, change->secret, strlen(change->secret));
    if (error == 0)
        error = sr_write_all(fd, "\n", 1);
    if (fd >= 0)
        close(fd);
    if (error == 0)
        error = sr_replace_file(change->aside, change->fresh, change->path);
    if (error == 0)
        return SR_WRITE_DONE;
    unlink(change->aside);
    return fail(change, change->fresh, error);
}

/* Put the new one in place of the old one. */
static enum sr_write
switch_secrets(struct change *change)
{
    int error = sr_replace_file(change->fresh, change->path, change->path);

    return error == 0 ? SR_WRITE_DONE : fail(change, change->path, error);
}

/* Whether the directory has the password in a file, by a connection of its own.
 * Any other answer than yes or no is that it is not known. */
static enum sr_tri
is_current(struct change *change, const char *path)
{
    struct sr_backend_config config = *change->session->config;
    struct sr_backend backend = change->ad->backend;
    void *state = NULL;
    struct sr_call call = {
        .backend = &backend,
        .state = &state,
        .deadline = change->session->deadline,
    };
    struct sr_ldap_session *session;
    enum sr_tri answer = SR_UNKNOWN;
    int code;

    config.secret_file = (char *)(uintptr_t)path;
    config.bind_secret = SR_BIND_SECRET_FIXED;
    backend.config = &config;
    session = sr_ldap_begin(&state, &call);
    if (session == NULL)
        return answer;
    code = sr_ldap_as_service(session);
    if (code == LDAP_SUCCESS)
        answer = SR_YES;
    else if (code == LDAP_INVALID_CREDENTIALS)
        answer = SR_NO;
    sr_ldap_end(session);
    sr_ldap_session_free(session, false);
    return answer;
}

/* An earlier rotation did not come to its end: where the directory has its
 * password, that comes to the place of the old one now. */
static enum sr_write
complete(struct change *change)
{
    if (access(change->fresh, F_OK) != 0)
        return SR_WRITE_DONE;
    switch (is_current(change, change->fresh)) {
    case SR_YES:
        return switch_secrets(change);
    case SR_NO:
        return SR_WRITE_DONE; /* it is replaced */
    default:
        sr_ldap_why(change->session, "no server says which of two passwords "
                                     "is the current one");
        return SR_WRITE_FAILED;
    }
}

/* Whether the directory has the new password, where it has not answered. */
static enum sr_write
find_out(struct change *change)
{
    switch (is_current(change, change->fresh)) {
    case SR_YES:
        return SR_WRITE_DONE;
    case SR_NO:
        return SR_WRITE_FAILED;
    default:
        return SR_WRITE_UNSURE;
    }
}

static enum sr_write
set_password(struct change *change)
{
    struct sr_ldap_session *session = change->session;
    __attribute__((cleanup(sr_secret_file_free))) char *old =
        sr_secret_file_read(change->path, session->error);
    enum sr_refusal refusal = SR_REFUSAL_OTHER;
    enum sr_write written;

    if (old == NULL)
        return SR_WRITE_FAILED;
    written = sr_ldap_ad_change_own(session, session->config->bind_dn, old,
                                    change->secret, &refusal);
    if (written == SR_WRITE_UNSURE)
        written = find_out(change);
    if (written == SR_WRITE_REFUSED && refusal == SR_REFUSAL_WRONG_OLD)
        session->error->code = SR_ERROR_IDENTITY;
    return written;
}

/* The steps, on a connection that is bound by the current password. */
static enum sr_write
change_secret(struct change *change)
{
    const struct sr_backend_config *config = change->session->config;
    enum sr_write written = complete(change);

    /* Before there is a file with another one. */
    if (written == SR_WRITE_DONE &&
        sr_ldap_as_service(change->session) != LDAP_SUCCESS)
        written = SR_WRITE_FAILED;
    if (written == SR_WRITE_DONE)
        written =
            admit(change->session, "(distinguishedName=%u)", config->bind_dn);
    if (written != SR_WRITE_DONE)
        return written;
    if (!sr_krb5_secret_make(change->secret))
        return fail(change, "no random numbers", -EIO);
    written = write_secret(change);
    if (written != SR_WRITE_DONE)
        return written;
    sr_lately_set(&sr_lately_unused, change->fresh, NULL);
    written = set_password(change);
    if (written == SR_WRITE_REFUSED || written == SR_WRITE_FAILED)
        unlink(change->fresh);
    if (written == SR_WRITE_DONE && find_out(change) != SR_WRITE_DONE)
        written = SR_WRITE_UNSURE;
    return written == SR_WRITE_DONE ? switch_secrets(change) : written;
}

static enum sr_write
rotate_password(struct sr_ad_call *ad)
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
    written = change_secret(&change);
    explicit_bzero(change.secret, sizeof(change.secret));
    sr_ldap_end(session);
    ad->call->error = part->error;
    return written;
}

enum sr_write
sr_ad_rotate(struct sr_ad_call *ad)
{
    return ad->call->backend->config->identity == SR_IDENTITY_SIMPLE
               ? rotate_password(ad)
               : rotate_keys(ad);
}
