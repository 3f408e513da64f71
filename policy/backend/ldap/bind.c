/*
 * LDAP bind: choosing a server, and binding there.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/connect.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/servers.h"
#include "policy/backend/lately.h"
#include "policy/util/deadline.h"
#include "policy/util/secret_file.h"

#ifdef SR_WITH_GSSAPI
#include "policy/backend/ldap/gssapi.h"
#endif

/*
 * Until when to wait for the current server.  The last one has all the
 * time that is left; each before it a part, the smaller the more servers
 * follow.
 */
int64_t
sr_ldap_server_moment(const struct sr_ldap_session *session, size_t uri)
{
    int64_t now = sr_deadline_now();
    int64_t end = sr_ldap_last_moment(session);
    int64_t others = 0;

    for (size_t i = 0; i < sr_ldap_uri_count(session); i++) {
        if (i != uri && !sr_ldap_is_dead(session, i))
            others++;
    }
    return end <= now ? now : now + (end - now) / (2 * others + 1);
}

/* A server that did not answer is not asked again in this transaction; one that
 * timed out is asked after the others in the next ones. */
static void
give_up_server(struct sr_ldap_session *session, size_t uri, int code)
{
    session->dead |= UINT64_C(1) << uri;
    if (code == LDAP_TIMEOUT && sr_ldap_uri_count(session) > 1 &&
        !session->is_by_user)
        sr_lately_set(&sr_lately_silent, sr_ldap_uri_text(session, uri), "");
    sr_ldap_close(session, false);
}

/* Find out which servers lately kept a login waiting. */
static void
ask_memory(struct sr_ldap_session *session)
{
    session->silent = 0;
    session->has_asked = true;
    for (size_t i = 0;
         i < sr_ldap_uri_count(session) && sr_ldap_uri_count(session) > 1;
         i++) {
        if (sr_lately_find(&sr_lately_silent, sr_ldap_uri_text(session, i),
                           NULL, 0))
            session->silent |= UINT64_C(1) << i;
    }
}

static bool
is_silent(const struct sr_ldap_session *session, size_t uri)
{
    return (session->silent >> uri & 1) != 0;
}

/*
 * An operation failed.  Whether it is worth doing it again: on a connection
 * that was opened in an earlier call the same server is tried again, which
 * may have closed it meanwhile; otherwise the next one is.
 */
bool
sr_ldap_may_repeat(struct sr_ldap_session *session, int code)
{
    bool was_used = session->is_used;

    if (!sr_ldap_response_is_away(code))
        return false;
    session->is_used = false;
    if (was_used && code == LDAP_SERVER_DOWN)
        sr_ldap_close(session, false);
    else
        give_up_server(session, session->uri, code);
    return sr_deadline_now() < sr_ldap_last_moment(session);
}

bool
sr_ldap_leave_server(struct sr_ldap_session *session)
{
    session->dead |= UINT64_C(1) << session->uri;
    sr_ldap_close(session, false);
    for (size_t i = 0; i < sr_ldap_uri_count(session); i++) {
        if (!sr_ldap_is_dead(session, i))
            return true;
    }
    return false;
}

/* Try the servers of one kind in their order.  *code is unchanged when there
 * is none. */
static bool
connect_one_of(struct sr_ldap_session *session, bool silent, int *code)
{
    for (size_t i = 0; i < sr_ldap_uri_count(session); i++) {
        if (sr_ldap_is_dead(session, i) || is_silent(session, i) != silent)
            continue;
        if (sr_deadline_now() >= sr_ldap_last_moment(session)) {
            *code = LDAP_TIMEOUT;
            return false;
        }
        *code = sr_ldap_connect(session, i, sr_ldap_server_moment(session, i));
        if (*code == LDAP_SUCCESS) {
            if (silent && !session->is_by_user)
                sr_lately_set(&sr_lately_silent, sr_ldap_uri_text(session, i),
                              NULL);
            return true;
        }
        give_up_server(session, i, *code);
    }
    return false;
}

/* Connect to a server that has not failed in this transaction. */
static int
connect_any(struct sr_ldap_session *session)
{
    int code;

    if (session->ld != NULL)
        return LDAP_SUCCESS;
    code = sr_ldap_find_servers(session);
    if (code != LDAP_SUCCESS)
        return code;
    code = LDAP_SERVER_DOWN;
    if (!session->has_asked)
        ask_memory(session);
    if (!connect_one_of(session, false, &code))
        connect_one_of(session, true, &code);
    if (code != LDAP_SUCCESS && !sr_error_has_text(session->error))
        sr_ldap_why(session, "no server was there a moment ago");
    return code;
}

/* One bind on the current connection. */
static void
bind_as(struct sr_ldap_session *session, const char *dn, const char *mechanism,
        const char *password, struct sr_ldap_response *answer)
{
    LDAPControl policy = {
        .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
    LDAPControl *controls[] = {&policy, NULL};
    struct berval secret = {.bv_len = strlen(password),
                            .bv_val = (char *)(uintptr_t)password};
    LDAPMessage *message;
    int id, code;

    session->bound = SR_LDAP_BOUND_NOBODY;
    if (sr_ldap_is_sealed(session)) { /* a bind ends what encrypts */
        sr_ldap_response_init(answer, LDAP_PARAM_ERROR);
        return;
    }
    code = ldap_sasl_bind(session->ld, dn, mechanism, &secret, controls, NULL,
                          &id);
    if (code != LDAP_SUCCESS) {
        sr_ldap_response_init(answer, code);
        return;
    }
    sr_ldap_receive(session, id, sr_ldap_server_moment(session, session->uri),
                    answer, &message);
    sr_ldap_expect(message, LDAP_RES_BIND, answer);
    ldap_msgfree(message);
}

/* Bind by the password in a file.  Returns false when it cannot be read, and
 * the error says why. */
static bool
bind_by_file(struct sr_ldap_session *session, const char *path,
             struct sr_ldap_response *answer)
{
    __attribute__((cleanup(sr_secret_file_free))) char *secret =
        sr_secret_file_read(path, session->error);

    if (secret == NULL) {
        sr_ldap_response_init(answer, LDAP_PARAM_ERROR);
        return false;
    }
    bind_as(session, session->config->bind_dn, LDAP_SASL_SIMPLE, secret,
            answer);
    return true;
}

/* The same by the next password.  A rotation may just have put it in place of
 * the one before. */
static bool
bind_by_fresh(struct sr_ldap_session *session, const char *fresh,
              struct sr_ldap_response *answer)
{
    if (bind_by_file(session, fresh, answer))
        return true;
    if (access(fresh, F_OK) == 0)
        return false;
    sr_error_clear(session->error);
    return bind_by_file(session, session->config->secret_file, answer);
}

/*
 * Bind by a password that this host changes: a rotation that did not come to
 * its end has left a second one, and the directory has one of the two.  The new
 * one comes first, as Active Directory binds the old one for an hour; unless it
 * was lately found not to be in use, since each try is counted there.
 */
static bool
bind_managed(struct sr_ldap_session *session, struct sr_ldap_response *answer)
{
    const struct sr_backend_config *config = session->config;
    char fresh[PATH_MAX];
    bool is_unused;

    snprintf(fresh, sizeof(fresh), "%s" SR_LDAP_SECRET_NEW,
             config->secret_file);
    if (access(fresh, F_OK) != 0)
        return bind_by_file(session, config->secret_file, answer);
    is_unused = sr_lately_find(&sr_lately_unused, fresh, NULL, 0);
    if (!is_unused) {
        if (!bind_by_fresh(session, fresh, answer) ||
            answer->code != LDAP_INVALID_CREDENTIALS)
            return answer->code != LDAP_PARAM_ERROR;
        sr_lately_set(&sr_lately_unused, fresh, "");
    }
    if (!bind_by_file(session, config->secret_file, answer))
        return false;
    if (!is_unused || answer->code != LDAP_INVALID_CREDENTIALS)
        return true;
    sr_lately_set(&sr_lately_unused, fresh, NULL);
    return bind_by_fresh(session, fresh, answer);
}

/* The identity's password is not the one of the directory any more. */
static void
why_refused(struct sr_ldap_session *session,
            const struct sr_ldap_response *answer)
{
    const struct sr_backend_config *config = session->config;
    const bool is_wrong = answer->code == LDAP_INVALID_CREDENTIALS &&
                          config->type == SR_BACKEND_AD;
    const char *more = "";

    if (is_wrong && config->bind_secret == SR_BIND_SECRET_MANAGED)
        more = " (SR-5004)";
    /* With TLS 1.3 that is told after the handshake, by closing. */
    else if (config->cert_file != NULL &&
             sr_ldap_response_is_away(answer->code))
        more = " or cert_file";
    sr_ldap_why_response(session, answer,
                         "%s does not accept the service's identity%s: ",
                         sr_ldap_uri_text(session, session->uri), more);
    if (is_wrong)
        session->error->code = SR_ERROR_IDENTITY;
}

#ifdef SR_WITH_GSSAPI
/*
 * Bind by a ticket.  One that was kept may be refused: by a server that was
 * restored from a backup, or after a clock was set.  Then a new one decides, on
 * a new connection, as the exchange on this one may have ended in its middle.
 */
static int
bind_by_ticket(struct sr_ldap_session *session)
{
    struct sr_ldap_response answer;
    int64_t end = sr_ldap_server_moment(session, session->uri);

    sr_ldap_gssapi(session, end, &answer);
    if (answer.code != LDAP_SUCCESS && answer.code != LDAP_TIMEOUT &&
        session->is_kept) {
        sr_ldap_renew(session);
        answer.code = sr_ldap_connect(session, session->uri, end);
        if (answer.code == LDAP_SUCCESS)
            sr_ldap_gssapi(session, end, &answer);
    }
    if (answer.code == LDAP_SUCCESS) {
        session->bound = SR_LDAP_BOUND_SERVICE;
        sr_error_clear(session->error);
    }
    return answer.code;
}
#endif

/* Bind as the service, by the configured kind of identity. */
static int
bind_service(struct sr_ldap_session *session)
{
    const struct sr_backend_config *config = session->config;
    bool was_nobody = session->bound == SR_LDAP_BOUND_NOBODY;
    struct sr_ldap_response answer;

    sr_ldap_response_init(&answer, LDAP_SUCCESS);
    if (config->identity == SR_IDENTITY_SIMPLE) {
        if (config->bind_secret == SR_BIND_SECRET_MANAGED
                ? !bind_managed(session, &answer)
                : !bind_by_file(session, config->secret_file, &answer))
            return LDAP_PARAM_ERROR;
    } else if (config->identity == SR_IDENTITY_EXTERNAL) {
        bind_as(session, "", "EXTERNAL", "", &answer);
#ifdef SR_WITH_GSSAPI
    } else if (config->identity == SR_IDENTITY_GSSAPI) {
        return bind_by_ticket(session);
#endif
    } else if (!was_nobody) {
        bind_as(session, "", LDAP_SASL_SIMPLE, "", &answer);
    }
    if (answer.code == LDAP_SUCCESS)
        session->bound = SR_LDAP_BOUND_SERVICE;
    else
        why_refused(session, &answer);
    return answer.code;
}

int
sr_ldap_as_service(struct sr_ldap_session *session)
{
    int code;

    do {
        code = connect_any(session);
        if (code != LDAP_SUCCESS)
            return code;
        if (session->bound == SR_LDAP_BOUND_SERVICE)
            return LDAP_SUCCESS;
        code = bind_service(session);
    } while (code != LDAP_SUCCESS && sr_ldap_may_repeat(session, code));
    return code;
}

void
sr_ldap_as_user(struct sr_ldap_session *session, const char *dn,
                const char *password, struct sr_ldap_response *answer)
{
    do {
        int code = connect_any(session);

        if (code != LDAP_SUCCESS) {
            sr_ldap_response_init(answer, code);
            return;
        }
        bind_as(session, dn, LDAP_SASL_SIMPLE, password, answer);
        if (answer->code == LDAP_SUCCESS)
            session->bound = SR_LDAP_BOUND_USER;
        else if (sr_ldap_response_is_away(answer->code))
            sr_ldap_why_response(session, answer, "%s: ",
                                 sr_ldap_uri_text(session, session->uri));
    } while (sr_ldap_may_repeat(session, answer->code));
}
