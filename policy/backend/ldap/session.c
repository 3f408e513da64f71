/*
 * LDAP session: one connection to one of the servers, and what was read over
 * it, for all calls of one transaction.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/backend/ldap/session.h"
#include "policy/util/deadline.h"

/* URIs behind that many are not tried. */
#define URIS_MAX 64

static const struct sr_string_list *
uris_of(const struct sr_ldap_session *session)
{
    return session->found.count > 0 ? &session->found : &session->config->uri;
}

const char *
sr_ldap_uri_text(const struct sr_ldap_session *session, size_t uri)
{
    return uris_of(session)->item[uri];
}

size_t
sr_ldap_uri_count(const struct sr_ldap_session *session)
{
    size_t count = uris_of(session)->count;

    return count < URIS_MAX ? count : URIS_MAX;
}

bool
sr_ldap_is_dead(const struct sr_ldap_session *session, size_t uri)
{
    return (session->dead >> uri & 1) != 0;
}

void
sr_ldap_why(struct sr_ldap_session *session, const char *format, ...)
{
    va_list arguments;

    session->error->code = SR_ERROR_OTHER;
    va_start(arguments, format);
    vsnprintf(session->error->text, sizeof(session->error->text), format,
              arguments);
    va_end(arguments);
}

void
sr_ldap_why_response(struct sr_ldap_session *session,
                     const struct sr_ldap_response *answer, const char *format,
                     ...)
{
    char what[SR_ERROR_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    sr_ldap_why(session, "%s%s%s%s", what, ldap_err2string(answer->code),
                answer->text[0] == '\0' ? "" : ": ", answer->text);
}

static void
hold_sigpipe(struct sr_ldap_session *session)
{
    sigset_t pipe, pending;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    session->had_sigpipe = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &session->signals);
}

/* Discard what was received meanwhile, and only that. */
static void
release_sigpipe(struct sr_ldap_session *session)
{
    const struct timespec at_once = {0, 0};
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    while (!session->had_sigpipe &&
           sigtimedwait(&pipe, NULL, &at_once) == SIGPIPE)
        continue;
    pthread_sigmask(SIG_SETMASK, &session->signals, NULL);
}

/*
 * Whether the descriptor is still that of the connection.  Between two calls
 * the application may have closed it, with all descriptors that it did not
 * know, and have opened another file there.
 */
static bool
is_ours(const struct sr_ldap_session *session)
{
    struct stat status;

    return fstat(session->fd, &status) == 0 &&
           status.st_dev == session->device && status.st_ino == session->inode;
}

/*
 * After a pause this is another login, or another try, whose time starts anew.
 * Where every server has failed it costs nothing to ask them again.
 */
static void
forgive(struct sr_ldap_session *session, int64_t pause)
{
    const int64_t limit = session->config->timeout * 1000;
    bool is_any_left = false;

    for (size_t i = 0; i < sr_ldap_uri_count(session); i++) {
        if (!sr_ldap_is_dead(session, i))
            is_any_left = true;
    }
    if (pause > limit || !is_any_left) {
        session->dead = 0;
        session->has_asked = false;
    }
    session->spent = pause < session->spent ? session->spent - pause : 0;
}

/* Find this host's name; one without a domain is of that of Active Directory,
 * which lists workstations by either name. */
static void
find_host(struct sr_ldap_session *session,
          const struct sr_backend_config *config)
{
    const size_t most = sizeof(session->host);
    size_t length;

    if (gethostname(session->host, most - 1) != 0)
        session->host[0] = '\0';
    length = strlen(session->host);
    if (length > 0 && config->type == SR_BACKEND_AD && config->realm != NULL &&
        strchr(session->host, '.') == NULL)
        snprintf(session->host + length, most - length, ".%s", config->realm);
}

struct sr_ldap_session *
sr_ldap_begin(void **state, struct sr_call *call)
{
    struct sr_ldap_session *session = *state;

    sr_error_clear(&call->error);
    if (session == NULL) {
        session = calloc(1, sizeof(*session));
        if (session == NULL)
            return NULL;
        session->fd = -1;
        find_host(session, call->backend->config);
        session->allowance = SR_LDAP_BYTES_REQUEST;
        *state = session;
    }
    session->config = call->backend->config;
    session->error = &call->error;
    session->is_by_user = call->is_by_user;
    session->deadline = call->deadline;
    session->began = sr_deadline_now();
    forgive(session, session->began - session->waited);
    hold_sigpipe(session);
    if (session->ld != NULL && !is_ours(session))
        sr_ldap_close(session, false);
    return session;
}

void
sr_ldap_end(struct sr_ldap_session *session)
{
    session->waited = sr_deadline_now();
    session->spent += session->waited - session->began;
    session->is_used = session->ld != NULL;
    session->config = NULL;
    session->error = NULL;
    release_sigpipe(session);
}

void
sr_ldap_answered(struct sr_ldap_session *session)
{
    const int64_t now = sr_deadline_now();

    session->proving = session->spent + now - session->began;
    session->spent = 0;
    session->began = now;
}

/* When the login's time is up. */
int64_t
sr_ldap_last_moment(const struct sr_ldap_session *session)
{
    const int64_t own =
        session->began + session->config->timeout * 1000 - session->spent;

    return session->deadline != 0 && session->deadline < own ? session->deadline
                                                             : own;
}

bool
sr_ldap_is_gone(const struct sr_ldap_session *session)
{
    struct pollfd poll_fd = {.fd = session->fd, .events = POLLRDHUP};

    return session->ld != NULL && poll(&poll_fd, 1, 0) > 0;
}

void
sr_ldap_close(struct sr_ldap_session *session, bool is_copy)
{
    if (session->ld == NULL)
        return;
    /* In a fork nothing may be sent over the connection of the parent, not even
     * an unbind.  The library's memory for it is leaked; also where the
     * descriptor belongs to another file by now. */
    if (is_ours(session)) {
        if (is_copy)
            close(session->fd);
        else
            ldap_unbind_ext(session->ld, NULL, NULL);
    }
    session->ld = NULL;
    session->fd = -1;
    session->bound = SR_LDAP_BOUND_NOBODY;
    session->is_kind_known = false;
    session->is_kept = false;
}

void
sr_ldap_renew(struct sr_ldap_session *session)
{
    session->wants_fresh = true;
    if (session->is_kept)
        sr_ldap_close(session, false);
}

void
sr_ldap_idle(struct sr_ldap_session *session)
{
    hold_sigpipe(session);
    sr_ldap_close(session, false);
    release_sigpipe(session);
}

LDAPControl *
sr_ldap_search_control(const struct sr_ldap_session *session)
{
    /* SEQUENCE { INTEGER 4 }: DACL_SECURITY_INFORMATION */
    static const char value[] = {0x30, 0x03, 0x02, 0x01, 0x04};
    static const LDAPControl control = {
        .ldctl_oid = (char *)(uintptr_t) "1.2.840.113556.1.4.801",
        .ldctl_value = {sizeof(value), (char *)(uintptr_t)value},
    };

    return session->config->type == SR_BACKEND_AD
               ? (LDAPControl *)(uintptr_t)&control
               : NULL;
}

void
sr_ldap_forget(struct sr_ldap_session *session)
{
    struct sr_ldap_cached *known = &session->known;

    free(known->name);
    free(known->fingerprint);
    sr_ldap_entry_clear(&known->entry);
    memset(known, 0, sizeof(*known));
}

void
sr_ldap_session_free(struct sr_ldap_session *session, bool is_copy)
{
    hold_sigpipe(session);
    sr_ldap_close(session, is_copy);
    release_sigpipe(session);
    sr_ldap_forget(session);
    sr_ldap_policies_clear(&session->policies);
    sr_string_list_free(&session->found);
    explicit_bzero(&session->ledger, sizeof(session->ledger));
    free(session);
}
