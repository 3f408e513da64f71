/*
 * LDAP link: requests over one connection to one of the servers, with a
 * deadline for all of them together.
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

#include "policy/backend/ldap/host.h"
#include "policy/backend/ldap/session.h"

/* URIs behind that many are not tried. */
#define URIS_MAX 64

int64_t
sr_ldap_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
sr_ldap_why(struct sr_ldap_session *link, const char *format, ...)
{
    va_list arguments;

    link->error->code = SR_ERROR_OTHER;
    va_start(arguments, format);
    vsnprintf(link->error->text, sizeof(link->error->text), format, arguments);
    va_end(arguments);
}

bool
sr_ldap_is_away(int code)
{
    switch (code) {
    case LDAP_SERVER_DOWN:
    case LDAP_CONNECT_ERROR:
    case LDAP_TIMEOUT:
    case LDAP_DECODING_ERROR: /* what speaks there is no LDAP server */
    case LDAP_LOCAL_ERROR:
    case LDAP_BUSY:
    case LDAP_UNAVAILABLE:
        return true;
    default:
        return false;
    }
}

/* ---- the frame of a call */

static size_t
uri_count(const struct sr_ldap_session *link)
{
    size_t count = link->config->uri.count;

    return count < URIS_MAX ? count : URIS_MAX;
}

static bool
is_dead(const struct sr_ldap_session *link, size_t uri)
{
    return (link->dead >> uri & 1) != 0;
}

static void
hold_sigpipe(struct sr_ldap_session *link)
{
    sigset_t pipe, pending;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    link->had_sigpipe = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &link->signals);
}

/* Take away what came meanwhile, and only that. */
static void
release_sigpipe(struct sr_ldap_session *link)
{
    const struct timespec at_once = {0, 0};
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    while (!link->had_sigpipe && sigtimedwait(&pipe, NULL, &at_once) == SIGPIPE)
        continue;
    pthread_sigmask(SIG_SETMASK, &link->signals, NULL);
}

/*
 * Whether the descriptor is still that of the connection.  Between two calls
 * the application may have closed it, with all that it did not know, and have
 * opened something else there.
 */
static bool
is_ours(const struct sr_ldap_session *link)
{
    struct stat status;

    return fstat(link->fd, &status) == 0 && status.st_dev == link->device &&
           status.st_ino == link->inode;
}

/*
 * After a pause this is another login, or another try of a person, who need not
 * wait for as long as the deadline to have another one.  Where every server has
 * failed it costs nothing to ask them again.
 */
static void
forgive(struct sr_ldap_session *link, int64_t pause)
{
    const int64_t limit = link->config->timeout * 1000;
    bool is_any_left = false;

    for (size_t i = 0; i < uri_count(link); i++) {
        if (!is_dead(link, i))
            is_any_left = true;
    }
    if (pause > limit || !is_any_left) {
        link->dead = 0;
        link->has_asked = false;
    }
    link->spent = pause < link->spent ? link->spent - pause : 0;
}

struct sr_ldap_session *
sr_ldap_begin(void **state, struct sr_call *call)
{
    struct sr_ldap_session *link = *state;

    sr_error_clear(&call->error);
    if (link == NULL) {
        link = calloc(1, sizeof(*link));
        if (link == NULL)
            return NULL;
        link->fd = -1;
        *state = link;
    }
    link->config = call->backend->config;
    link->error = &call->error;
    link->deadline = call->deadline;
    link->began = sr_ldap_clock();
    forgive(link, link->began - link->waited);
    hold_sigpipe(link);
    if (link->ld != NULL && !is_ours(link))
        sr_ldap_close(link, false);
    return link;
}

void
sr_ldap_end(struct sr_ldap_session *link)
{
    link->waited = sr_ldap_clock();
    link->spent += link->waited - link->began;
    link->is_used = link->ld != NULL;
    link->config = NULL;
    link->error = NULL;
    release_sigpipe(link);
}

void
sr_ldap_answered(struct sr_ldap_session *link)
{
    const int64_t now = sr_ldap_clock();

    link->proving = link->spent + now - link->began;
    link->spent = 0;
    link->began = now;
}

bool
sr_ldap_is_gone(const struct sr_ldap_session *link)
{
    struct pollfd poll_fd = {.fd = link->fd, .events = POLLRDHUP};

    return link->ld != NULL && poll(&poll_fd, 1, 0) > 0;
}

void
sr_ldap_close(struct sr_ldap_session *link, bool is_copy)
{
    if (link->ld == NULL)
        return;
    /* In a process copy the connection is another's: nothing may be sent over
     * it, not even a goodbye.  What the library holds is given up with it; also
     * where the descriptor is somebody else's by now. */
    if (is_ours(link)) {
        if (is_copy)
            close(link->fd);
        else
            ldap_unbind_ext(link->ld, NULL, NULL);
    }
    link->ld = NULL;
    link->fd = -1;
    link->bound = SR_LDAP_BOUND_NOBODY;
    link->has_told_kind = false;
}

void
sr_ldap_rest(struct sr_ldap_session *link)
{
    hold_sigpipe(link);
    sr_ldap_close(link, false);
    release_sigpipe(link);
}

void
sr_ldap_forget(struct sr_ldap_session *link)
{
    struct sr_ldap_cached *known = &link->known;

    free(known->name);
    free(known->fingerprint);
    sr_ldap_entry_clear(&known->entry);
    memset(known, 0, sizeof(*known));
}

void
sr_ldap_session_free(struct sr_ldap_session *link, bool is_copy)
{
    hold_sigpipe(link);
    sr_ldap_close(link, is_copy);
    release_sigpipe(link);
    sr_ldap_forget(link);
    sr_ldap_entry_clear(&link->policy);
    explicit_bzero(&link->fleet, sizeof(link->fleet));
    free(link);
}

/* ---- the time */

/* When the login's time is up. */
int64_t
sr_ldap_last_moment(const struct sr_ldap_session *link)
{
    const int64_t own =
        link->began + link->config->timeout * 1000 - link->spent;

    return link->deadline != 0 && link->deadline < own ? link->deadline : own;
}

/*
 * Until when the server at hand may be waited for.  The last one has all that
 * is left; each before it a part, of which the more is kept the more there are
 * to come.
 */
static int64_t
moment_for(const struct sr_ldap_session *link, size_t uri)
{
    int64_t now = sr_ldap_clock();
    int64_t end = sr_ldap_last_moment(link);
    int64_t others = 0;

    for (size_t i = 0; i < uri_count(link); i++) {
        if (i != uri && !is_dead(link, i))
            others++;
    }
    return end <= now ? now : now + (end - now) / (2 * others + 1);
}

/* ---- one server, then the next */

/* A server that did not answer is not asked any more in this transaction; and
 * in those that follow after the others, when it took its time. */
static void
give_up_server(struct sr_ldap_session *link, size_t uri, int code)
{
    link->dead |= UINT64_C(1) << uri;
    if (code == LDAP_TIMEOUT && uri_count(link) > 1)
        sr_ldap_remember_silent(link->config->uri.item[uri], true);
    sr_ldap_close(link, false);
}

/* Which servers kept another login waiting a moment ago. */
static void
ask_memory(struct sr_ldap_session *link)
{
    link->silent = 0;
    link->has_asked = true;
    for (size_t i = 0; i < uri_count(link) && uri_count(link) > 1; i++) {
        if (sr_ldap_was_silent(link->config->uri.item[i]))
            link->silent |= UINT64_C(1) << i;
    }
}

static bool
is_silent(const struct sr_ldap_session *link, size_t uri)
{
    return (link->silent >> uri & 1) != 0;
}

/*
 * An operation failed.  Whether it is worth doing it again: on a connection
 * that has stood since an earlier call the same server is tried again, which
 * may have closed it meanwhile; otherwise the next one is.
 */
bool
sr_ldap_may_repeat(struct sr_ldap_session *link, int code)
{
    bool was_used = link->is_used;

    if (!sr_ldap_is_away(code))
        return false;
    link->is_used = false;
    if (was_used && code == LDAP_SERVER_DOWN)
        sr_ldap_close(link, false);
    else
        give_up_server(link, link->uri, code);
    return sr_ldap_clock() < sr_ldap_last_moment(link);
}

/* Try the servers of one kind in their order.  *code is left alone when there
 * is none. */
static bool
connect_one_of(struct sr_ldap_session *link, bool silent, int *code)
{
    for (size_t i = 0; i < uri_count(link); i++) {
        if (is_dead(link, i) || is_silent(link, i) != silent)
            continue;
        if (sr_ldap_clock() >= sr_ldap_last_moment(link)) {
            *code = LDAP_TIMEOUT;
            return false;
        }
        *code = sr_ldap_connect(link, i, moment_for(link, i));
        if (*code == LDAP_SUCCESS) {
            if (silent)
                sr_ldap_remember_silent(link->config->uri.item[i], false);
            return true;
        }
        give_up_server(link, i, *code);
    }
    return false;
}

/* Have a connection to a server that is not known to be dead. */
static int
connect_any(struct sr_ldap_session *link)
{
    int code = LDAP_SERVER_DOWN;

    if (link->ld != NULL)
        return LDAP_SUCCESS;
    if (!link->has_asked)
        ask_memory(link);
    if (!connect_one_of(link, false, &code))
        connect_one_of(link, true, &code);
    if (code != LDAP_SUCCESS && !sr_error_has_text(link->error))
        sr_ldap_why(link, "no server was there a moment ago");
    return code;
}

/* An answer of another kind than the request's is none. */
static void
expect(LDAPMessage *message, int kind, struct sr_ldap_response *answer)
{
    if (message != NULL && ldap_msgtype(message) != kind)
        sr_ldap_response_init(answer, LDAP_DECODING_ERROR);
}

/* One bind on the connection at hand. */
static void
bind_as(struct sr_ldap_session *link, const char *dn, const char *mechanism,
        const char *password, struct sr_ldap_response *answer)
{
    LDAPControl policy = {
        .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
    LDAPControl *controls[] = {&policy, NULL};
    struct berval secret = {.bv_len = strlen(password),
                            .bv_val = (char *)(uintptr_t)password};
    LDAPMessage *message;
    int id, code;

    link->bound = SR_LDAP_BOUND_NOBODY;
    code =
        ldap_sasl_bind(link->ld, dn, mechanism, &secret, controls, NULL, &id);
    if (code != LDAP_SUCCESS) {
        sr_ldap_response_init(answer, code);
        return;
    }
    sr_ldap_wait(link, id, moment_for(link, link->uri), answer, &message);
    expect(message, LDAP_RES_BIND, answer);
    ldap_msgfree(message);
}

/* The bind of the service, of whatever kind it is. */
static int
bind_service(struct sr_ldap_session *link)
{
    const struct sr_backend_config *config = link->config;
    __attribute__((cleanup(sr_ldap_secret_free))) char *secret = NULL;
    bool was_nobody = link->bound == SR_LDAP_BOUND_NOBODY;
    struct sr_ldap_response answer;

    sr_ldap_response_init(&answer, LDAP_SUCCESS);
    if (config->identity == SR_IDENTITY_SIMPLE) {
        secret = sr_ldap_secret(link, config->secret_file);
        if (secret == NULL)
            return LDAP_PARAM_ERROR;
        bind_as(link, config->bind_dn, LDAP_SASL_SIMPLE, secret, &answer);
    } else if (config->identity == SR_IDENTITY_EXTERNAL) {
        bind_as(link, "", "EXTERNAL", "", &answer);
#ifdef SR_WITH_GSSAPI
    } else if (config->identity == SR_IDENTITY_GSSAPI) {
        sr_ldap_gssapi(link, moment_for(link, link->uri), &answer);
        if (answer.code != LDAP_SUCCESS)
            return answer.code;
#endif
    } else if (!was_nobody) {
        bind_as(link, "", LDAP_SASL_SIMPLE, "", &answer);
    }
    if (answer.code == LDAP_SUCCESS)
        link->bound = SR_LDAP_BOUND_SERVICE;
    else
        sr_ldap_why(link, "%s does not accept the service's identity: %s%s%s",
                    config->uri.item[link->uri], ldap_err2string(answer.code),
                    sr_ldap_colon(&answer), answer.text);
    return answer.code;
}

int
sr_ldap_as_service(struct sr_ldap_session *link)
{
    int code;

    do {
        code = connect_any(link);
        if (code != LDAP_SUCCESS)
            return code;
        if (link->bound == SR_LDAP_BOUND_SERVICE)
            return LDAP_SUCCESS;
        code = bind_service(link);
    } while (code != LDAP_SUCCESS && sr_ldap_may_repeat(link, code));
    return code;
}

void
sr_ldap_as_user(struct sr_ldap_session *link, const char *dn,
                const char *password, struct sr_ldap_response *answer)
{
    do {
        int code = connect_any(link);

        if (code != LDAP_SUCCESS) {
            sr_ldap_response_init(answer, code);
            return;
        }
        bind_as(link, dn, LDAP_SASL_SIMPLE, password, answer);
        if (answer->code == LDAP_SUCCESS)
            link->bound = SR_LDAP_BOUND_USER;
        else if (sr_ldap_is_away(answer->code))
            sr_ldap_why(link, "%s: %s%s%s", link->config->uri.item[link->uri],
                        ldap_err2string(answer->code), sr_ldap_colon(answer),
                        answer->text);
    } while (sr_ldap_may_repeat(link, answer->code));
}

/* ---- searching */

static int
take_values(struct sr_ldap_session *link, LDAPMessage *message,
            const char *attribute, struct sr_ldap_entry *entry)
{
    struct berval **value = ldap_get_values_len(link->ld, message, attribute);
    int status = 0;

    for (size_t i = 0; value != NULL && value[i] != NULL && status == 0; i++)
        status = sr_ldap_entry_add(entry, attribute, value[i]->bv_val,
                                   value[i]->bv_len);
    ldap_value_free_len(value);
    return status;
}

int
sr_ldap_take_entry(struct sr_ldap_session *link, LDAPMessage *message,
                   struct sr_ldap_entry *entry)
{
    char *dn = ldap_get_dn(link->ld, message);
    BerElement *ber = NULL;
    char *attribute;
    int status = 0;

    entry->dn = dn == NULL ? NULL : strdup(dn);
    ldap_memfree(dn);
    if (entry->dn == NULL)
        return LDAP_NO_MEMORY;
    for (attribute = ldap_first_attribute(link->ld, message, &ber);
         attribute != NULL;
         attribute = ldap_next_attribute(link->ld, message, ber)) {
        if (status == 0)
            status = take_values(link, message, attribute, entry);
        ldap_memfree(attribute);
    }
    if (ber != NULL)
        ber_free(ber, 0);
    return status == 0 ? LDAP_SUCCESS : LDAP_NO_MEMORY;
}

static int
take_entries(struct sr_ldap_session *link, LDAPMessage *message,
             struct sr_ldap_entry *found, size_t most, size_t *count)
{
    int code = LDAP_SUCCESS;

    for (LDAPMessage *at = ldap_first_entry(link->ld, message);
         at != NULL && code == LDAP_SUCCESS;
         at = ldap_next_entry(link->ld, at)) {
        if (*count < most)
            code = sr_ldap_take_entry(link, at, &found[*count]);
        ++*count;
    }
    return code;
}

/* One search on the connection at hand. */
static int
search_once(struct sr_ldap_session *link, const char *base, int scope,
            const char *filter, const char *const *attributes,
            struct sr_ldap_entry *found, size_t most, size_t *count)
{
    struct sr_ldap_response answer;
    LDAPMessage *message = NULL;
    int id;
    int code = ldap_search_ext(link->ld, base, scope, filter,
                               (char **)(uintptr_t)attributes, 0, NULL, NULL,
                               NULL, (int)most + 1, &id);

    if (code != LDAP_SUCCESS)
        return code;
    sr_ldap_wait(link, id, moment_for(link, link->uri), &answer, &message);
    code = answer.code;
    if (code == LDAP_SUCCESS || code == LDAP_SIZELIMIT_EXCEEDED)
        code = take_entries(link, message, found, most, count);
    /* The server counts, too. */
    if (answer.code == LDAP_SIZELIMIT_EXCEEDED && *count <= most)
        *count = most + 1;
    ldap_msgfree(message);
    if (code == LDAP_NO_SUCH_OBJECT && scope == LDAP_SCOPE_BASE)
        return LDAP_SUCCESS;
    if (code != LDAP_SUCCESS)
        sr_ldap_why(link, "%s: %s%s%s", link->config->uri.item[link->uri],
                    ldap_err2string(code), sr_ldap_colon(&answer), answer.text);
    return code;
}

int
sr_ldap_search(struct sr_ldap_session *link, const char *base, int scope,
               const char *filter, const char *const *attributes,
               struct sr_ldap_entry *found, size_t most, size_t *count)
{
    int code;

    do {
        *count = 0;
        code = link->by_owner ? LDAP_SUCCESS : sr_ldap_as_service(link);
        if (code != LDAP_SUCCESS)
            return code;
        code = search_once(link, base, scope, filter, attributes, found, most,
                           count);
    } while (code != LDAP_SUCCESS && !link->by_owner &&
             sr_ldap_may_repeat(link, code));
    return code;
}

/* ---- changing */

/* userIdentity [0], oldPasswd [1] and newPasswd [2] of RFC 3062. */
static BerElement *
change_request(const char *dn, const char *old, const char *password)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    int status = ber == NULL ? -1 : ber_printf(ber, "{ts", (ber_tag_t)0x80, dn);

    if (status >= 0 && old != NULL)
        status = ber_printf(ber, "ts", (ber_tag_t)0x81, old);
    if (status >= 0)
        status = ber_printf(ber, "tsN}", (ber_tag_t)0x82, password);
    if (status >= 0)
        return ber;
    ber_free(ber, 1);
    return NULL;
}

/* The operation of RFC 3062.  ldap_passwd() would leave the passwords in memory
 * that it frees. */
static void
change_by_operation(struct sr_ldap_session *link, const char *dn,
                    const char *old, const char *password,
                    LDAPControl **controls, struct sr_ldap_response *answer)
{
    BerElement *ber = change_request(dn, old, password);
    struct berval request = {0, NULL};
    LDAPMessage *message;
    int id, code = LDAP_ENCODING_ERROR;

    if (ber != NULL && ber_flatten2(ber, &request, 0) == 0)
        code = ldap_extended_operation(link->ld, LDAP_EXOP_MODIFY_PASSWD,
                                       &request, controls, NULL, &id);
    if (request.bv_val != NULL)
        explicit_bzero(request.bv_val, request.bv_len);
    ber_free(ber, 1);
    if (code != LDAP_SUCCESS) {
        sr_ldap_response_init(answer, code);
        return;
    }
    sr_ldap_wait(link, id, sr_ldap_last_moment(link), answer, &message);
    expect(message, LDAP_RES_EXTENDED, answer);
    ldap_msgfree(message);
}

void
sr_ldap_modify(struct sr_ldap_session *link, const char *dn, LDAPMod **change,
               LDAPControl **controls, struct sr_ldap_response *answer)
{
    LDAPMessage *message;
    int id;
    int code = ldap_modify_ext(link->ld, dn, change, controls, NULL, &id);

    if (code != LDAP_SUCCESS) {
        sr_ldap_response_init(answer, code);
        return;
    }
    sr_ldap_wait(link, id, sr_ldap_last_moment(link), answer, &message);
    ldap_msgfree(message);
}

/* Delete the old value and add the new one, which proves the old; or without
 * an old one replace all. */
static void
change_by_values(struct sr_ldap_session *link, const char *dn, const char *old,
                 const char *password, LDAPControl **controls,
                 struct sr_ldap_response *answer)
{
    static char attribute[] = "userPassword";
    char *before[] = {(char *)(uintptr_t)old, NULL};
    char *after[] = {(char *)(uintptr_t)password, NULL};
    LDAPMod take = {
        .mod_op = LDAP_MOD_DELETE, .mod_type = attribute, .mod_values = before};
    LDAPMod put = {.mod_op = old == NULL ? LDAP_MOD_REPLACE : LDAP_MOD_ADD,
                   .mod_type = attribute,
                   .mod_values = after};
    LDAPMod *both[] = {&take, &put, NULL};

    sr_ldap_modify(link, dn, old == NULL ? both + 1 : both, controls, answer);
}

void
sr_ldap_change(struct sr_ldap_session *link, const char *dn, const char *old,
               const char *password, struct sr_ldap_response *answer)
{
    LDAPControl policy = {
        .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
    LDAPControl *controls[] = {&policy, NULL};

    change_by_operation(link, dn, old, password, controls, answer);
    if (answer->code == LDAP_PROTOCOL_ERROR) /* the server has none */
        change_by_values(link, dn, old, password, controls, answer);
    /* What is under way when the time is up is neither done nor undone. */
    if (sr_ldap_is_away(answer->code))
        sr_ldap_close(link, false);
}

void
sr_ldap_replace(struct sr_ldap_session *link, const char *dn,
                const char *attribute, const char *value,
                struct sr_ldap_response *answer)
{
    char *values[] = {(char *)(uintptr_t)value, NULL};
    LDAPMod put = {.mod_op = LDAP_MOD_REPLACE,
                   .mod_type = (char *)(uintptr_t)attribute,
                   .mod_values = values};
    LDAPMod *change[] = {&put, NULL};

    sr_ldap_modify(link, dn, change, NULL, answer);
}
