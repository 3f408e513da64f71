/*
 * Ccache: the ticket of a login in a cache of its user, for the session.
 *
 * A cache is written and removed with the rights of its user: wherever the name
 * leads, he could have done it himself.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/backend/krb5/ccache.h"
#include "policy/backend/krb5/kept.h"
#include "policy/backend/krb5/steps.h"
#include "policy/util/as_user.h"
#include "policy/util/safe_open.h"
#include "policy/util/secret_file.h"

#define DEFAULT_TEMPLATE "FILE:/tmp/krb5cc_%{uid}_XXXXXX"

/* Tickets that were left for another process: "login-UID-DIGITS". */
#define LEFT_PREFIX "login-"
#define HANDLE_SIZE 33 /* 16 bytes in hexadecimal digits */

/* A login that has not begun its session by then never will. */
#define LEFT_SECONDS 600

/* ---- names */

/* Write one variable at *out.  Returns the length of its name, or 0. */
static size_t
expand(const char *at, const char *user, uid_t uid, char *out, size_t size)
{
    static const char of_uid[] = "%{uid}", of_user[] = "%{user}";

    if (at[1] == '%') {
        snprintf(out, size, "%%");
        return 2;
    }
    if (strncmp(at, of_uid, sizeof(of_uid) - 1) == 0) {
        snprintf(out, size, "%lu", (unsigned long)uid);
        return sizeof(of_uid) - 1;
    }
    if (strncmp(at, of_user, sizeof(of_user) - 1) == 0) {
        snprintf(out, size, "%s", user);
        return sizeof(of_user) - 1;
    }
    return 0;
}

/* The name of a cache for a user: the template with %{uid} and %{user}
 * replaced.  False: no room, or no such variable. */
static bool
make_name(const char *template, const char *user, uid_t uid, char *out,
          size_t size)
{
    const char *at = strcmp(template, "yes") == 0 ? DEFAULT_TEMPLATE : template;
    char value[SR_NAME_MAX + 1];
    size_t used = 0;

    while (*at != '\0') {
        size_t length = 1;

        snprintf(value, sizeof(value), "%c", *at);
        if (*at == '%')
            length = expand(at, user, uid, value, sizeof(value));
        if (length == 0 || used + strlen(value) >= size)
            return false;
        memcpy(out + used, value, strlen(value));
        used += strlen(value);
        at += length;
    }
    out[used] = '\0';
    return used > 0;
}

static bool
is_of_type(const char *name, const char *type)
{
    return strncmp(name, type, strlen(type)) == 0;
}

/* What the name of a file ends with that is to be a new one. */
#define BLANK "XXXXXX"

static bool
is_blank(const char *name)
{
    size_t length = strlen(name);

    return is_of_type(name, "FILE:") && length >= sizeof(BLANK) &&
           strcmp(name + length - (sizeof(BLANK) - 1), BLANK) == 0;
}

/* ---- caches */

static krb5_error_code
write_cache(krb5_context context, const char *name, krb5_creds *creds)
{
    krb5_ccache cache = NULL;
    krb5_error_code error = krb5_cc_resolve(context, name, &cache);

    if (error == 0)
        error = krb5_cc_initialize(context, cache, creds->client);
    if (error == 0)
        error = krb5_cc_store_cred(context, cache, creds);
    if (cache != NULL)
        krb5_cc_close(context, cache);
    return error;
}

/* Read the first ticket of a cache. */
static krb5_error_code
read_cache(krb5_context context, const char *name, krb5_creds *creds)
{
    krb5_ccache cache = NULL;
    krb5_cc_cursor cursor;
    krb5_error_code error = krb5_cc_resolve(context, name, &cache);

    memset(creds, 0, sizeof(*creds));
    if (error == 0)
        error = krb5_cc_start_seq_get(context, cache, &cursor);
    if (error == 0) {
        error = krb5_cc_next_cred(context, cache, &cursor, creds);
        krb5_cc_end_seq_get(context, cache, &cursor);
    }
    if (cache != NULL)
        krb5_cc_close(context, cache);
    return error;
}

/* ---- from one process to another */

static bool
is_handle(const char *handle)
{
    return strlen(handle) == HANDLE_SIZE - 1 &&
           strspn(handle, "0123456789abcdef") == HANDLE_SIZE - 1;
}

static void
name_left(uid_t uid, const char *handle, char *out, size_t size)
{
    snprintf(out, size, "FILE:%s/" LEFT_PREFIX "%lu-%s", SR_RUNDIR,
             (unsigned long)uid, handle);
}

static bool
make_handle(char handle[HANDLE_SIZE])
{
    uint8_t bytes[(HANDLE_SIZE - 1) / 2];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return false;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(handle + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

/* Whether there is a ticket of the account here. */
static bool
has_ticket(const struct sr_krb5_session *session,
           const struct sr_account *account)
{
    return session->tgt.client != NULL && session->known.entry != NULL &&
           strcmp(session->known.entry, account->entry) == 0;
}

enum sr_status
sr_krb5_ccache_hand_over(struct sr_krb5_session *session,
                         const struct sr_account *account, char **handle)
{
    char name[256], made[HANDLE_SIZE];
    krb5_error_code error;

    if (strcmp(session->config->ccache, "no") == 0 ||
        !has_ticket(session, account))
        return SR_STATUS_UNKNOWN_NAME;
    /* A program that a user has started begins the session by itself. */
    if (handle == NULL || session->is_by_user)
        return SR_STATUS_OK;
    sr_krb5_kept_prune(LEFT_PREFIX, LEFT_SECONDS);
    if (!make_handle(made) || sr_safe_make_dir(SR_RUNDIR, SR_SAFE_OF_ALL) != 0)
        return SR_STATUS_UNAVAILABLE;
    name_left(account->facts.uid, made, name, sizeof(name));
    error = write_cache(session->context, name, &session->tgt);
    if (error == 0) {
        *handle = strdup(made);
        return *handle == NULL ? SR_STATUS_NO_MEMORY : SR_STATUS_OK;
    }
    sr_krb5_set_error(session->context, session->error, SR_ERROR_OTHER, name,
                      error);
    sr_krb5_ccache_drop(account, made);
    return SR_STATUS_UNAVAILABLE;
}

void
sr_krb5_ccache_drop(const struct sr_account *account, const char *handle)
{
    char name[256];

    if (!is_handle(handle))
        return;
    name_left(account->facts.uid, handle, name, sizeof(name));
    unlink(name + strlen("FILE:"));
}

/* Take what another process left, which is gone then. */
static bool
take_left(struct sr_krb5_session *session, const struct sr_account *account,
          const char *handle)
{
    krb5_creds creds;
    char name[256];
    struct sr_error ignored;
    bool is_taken;

    if (!is_handle(handle))
        return false;
    name_left(account->facts.uid, handle, name, sizeof(name));
    is_taken = access(name + strlen("FILE:"), F_OK) == 0 &&
               sr_secret_file_is_safe(name + strlen("FILE:"), &ignored) &&
               read_cache(session->context, name, &creds) == 0;
    sr_krb5_ccache_drop(account, handle);
    if (!is_taken)
        return false;
    krb5_free_cred_contents(session->context, &session->tgt);
    session->tgt = creds;
    return true;
}

/* ---- the user's cache */

/* Whether a cache that this process did not name may be renewed: one in the
 * file system, of a daemon that knows its user by the kernel, or in the user's
 * own keyring.  Other keyrings can be those of
 * the session that the calling process is in. */
static bool
is_renewable(const char *name, uid_t uid)
{
    char own[64];
    int length = snprintf(own, sizeof(own), "KEYRING:persistent:%lu",
                          (unsigned long)uid);

    if (strlen(name) >= SR_AS_USER_TEXT)
        return false;
    return is_of_type(name, "FILE:") || is_of_type(name, "DIR:") ||
           is_of_type(name, "KCM:") ||
           (is_of_type(name, own) &&
            (name[length] == '\0' || name[length] == ':'));
}

/* Do it with the rights of the user.  `name` is the cache's. */
static enum sr_status
do_as(struct sr_krb5_session *session, const struct sr_account *account,
      gid_t gid, sr_as_user_work *work, void *context, char *name)
{
    const struct sr_as_user user = {
        .uid = account->facts.uid, .gid = gid, .end = session->kdcs.end};
    int32_t code = 0;
    int error = sr_as_user(&user, work, context, name, &code);

    if (error == 0 && code == 0)
        return SR_STATUS_OK;
    sr_krb5_set_error(session->context, session->error, SR_ERROR_OTHER, name,
                      error != 0 ? -error : code);
    return SR_STATUS_UNAVAILABLE;
}

/*
 * Write a cache of the type FILE.  One that has its name already is replaced
 * when the new one is complete: a full disk leaves it, and a file that somebody
 * else has put in its place is not written to.
 */
static int32_t
write_file(struct sr_krb5_session *session, bool is_new, char *name)
{
    char made[SR_AS_USER_TEXT + sizeof("." BLANK)];
    char *path = made + strlen("FILE:");
    int32_t error;
    int fd;

    snprintf(made, sizeof(made), "%s%s", name, is_new ? "" : "." BLANK);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0 && errno == EACCES && !is_new) /* but the file may be his */
        return write_cache(session->context, name, &session->tgt);
    if (fd < 0)
        return errno;
    close(fd);
    error = write_cache(session->context, made, &session->tgt);
    if (error == 0 && !is_new && rename(path, name + strlen("FILE:")) != 0)
        error = errno;
    if (error != 0)
        unlink(path);
    else if (is_new)
        strcpy(name, made); /* is as long */
    return error;
}

static int32_t
renew(void *context, char *name)
{
    struct sr_krb5_session *session = context;

    return is_of_type(name, "FILE:")
               ? write_file(session, false, name)
               : write_cache(session->context, name, &session->tgt);
}

static int32_t
make_new(void *context, char *name)
{
    return is_blank(name) ? write_file(context, true, name)
                          : renew(context, name);
}

static int32_t
destroy(void *context, char *name)
{
    struct sr_krb5_session *session = context;
    krb5_ccache cache = NULL;
    krb5_error_code error = krb5_cc_resolve(session->context, name, &cache);

    if (error == 0)
        error = krb5_cc_destroy(session->context, cache);
    return error == KRB5_FCC_NOFILE ? 0 : error;
}

/* Put the ticket into the place that is to be renewed, or else into a new one.
 * `name` gets its name. */
static enum sr_status
put(struct sr_krb5_session *session, const struct sr_account *account,
    const struct sr_credential_want *want, char name[SR_AS_USER_TEXT])
{
    if (want->place != NULL && is_renewable(want->place, account->facts.uid)) {
        strcpy(name, want->place);
        if (do_as(session, account, want->gid, renew, session, name) ==
            SR_STATUS_OK)
            return SR_STATUS_OK;
    }
    if (!make_name(session->config->ccache, account->facts.name,
                   account->facts.uid, name, SR_AS_USER_TEXT)) {
        sr_error_set(session->error, SR_ERROR_CONFIG,
                     "\"ccache\" is too long for this account");
        return SR_STATUS_UNAVAILABLE;
    }
    return do_as(session, account, want->gid, make_new, session, name);
}

enum sr_status
sr_krb5_ccache_establish(struct sr_krb5_session *session,
                         const struct sr_account *account,
                         const struct sr_credential_want *want, char **name)
{
    char made[SR_AS_USER_TEXT] = "";
    enum sr_status status;

    if (strcmp(session->config->ccache, "no") == 0)
        return SR_STATUS_UNKNOWN_NAME;
    if (!has_ticket(session, account) &&
        (want->handle == NULL || !take_left(session, account, want->handle)))
        return SR_STATUS_UNKNOWN_NAME;
    if (want->handle != NULL)
        sr_krb5_ccache_drop(account, want->handle);
    status = put(session, account, want, made);
    if (status != SR_STATUS_OK)
        return status;
    sr_error_clear(session->error);
    *name = strdup(made);
    return *name == NULL ? SR_STATUS_NO_MEMORY : SR_STATUS_OK;
}

enum sr_status
sr_krb5_ccache_destroy(struct sr_krb5_session *session,
                       const struct sr_account *account, gid_t gid,
                       const char *name)
{
    char text[SR_AS_USER_TEXT];

    if (strlen(name) >= sizeof(text))
        return SR_STATUS_OK; /* not of this module's making */
    strcpy(text, name);
    return do_as(session, account, gid, destroy, session, text);
}
