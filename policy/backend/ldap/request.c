/*
 * LDAP requests: searches and changes over a session.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/request.h"

static int
take_entries(struct sr_ldap_session *session, LDAPMessage *message,
             struct sr_ldap_entry *found, size_t most, size_t *count)
{
    int code = LDAP_SUCCESS;

    for (LDAPMessage *at = ldap_first_entry(session->ld, message);
         at != NULL && code == LDAP_SUCCESS;
         at = ldap_next_entry(session->ld, at)) {
        if (*count < most)
            code = sr_ldap_entry_take(session, at, &found[*count]);
        ++*count;
    }
    return code;
}

/* One search on the current connection. */
static int
search_once(struct sr_ldap_session *session, const char *base, int scope,
            const char *filter, const char *const *attributes,
            struct sr_ldap_entry *found, size_t most, size_t *count)
{
    LDAPControl *controls[] = {sr_ldap_search_control(session), NULL};
    struct sr_ldap_response answer;
    LDAPMessage *message = NULL;
    int id;
    int code = ldap_search_ext(session->ld, base, scope, filter,
                               (char **)(uintptr_t)attributes, 0, controls,
                               NULL, NULL, (int)most + 1, &id);

    if (code != LDAP_SUCCESS)
        return code;
    sr_ldap_receive(session, id, sr_ldap_server_moment(session, session->uri),
                    &answer, &message);
    code = answer.code;
    if (code == LDAP_SUCCESS || code == LDAP_SIZELIMIT_EXCEEDED)
        code = take_entries(session, message, found, most, count);
    /* The server counts, too. */
    if (answer.code == LDAP_SIZELIMIT_EXCEEDED && *count <= most)
        *count = most + 1;
    ldap_msgfree(message);
    if (code == LDAP_NO_SUCH_OBJECT && scope == LDAP_SCOPE_BASE) {
        found[0].is_absent = true;
        return LDAP_SUCCESS;
    }
    answer.code = code;
    if (code != LDAP_SUCCESS)
        sr_ldap_why_response(session, &answer,
                             "%s: ", sr_ldap_uri_text(session, session->uri));
    return code;
}

int
sr_ldap_search(struct sr_ldap_session *session, const char *base, int scope,
               const char *filter, const char *const *attributes,
               struct sr_ldap_entry *found, size_t most, size_t *count)
{
    int code;

    do {
        *count = 0;
        code = session->by_owner ? LDAP_SUCCESS : sr_ldap_as_service(session);
        if (code != LDAP_SUCCESS)
            return code;
        code = search_once(session, base, scope, filter, attributes, found,
                           most, count);
    } while (code != LDAP_SUCCESS && !session->by_owner &&
             sr_ldap_may_repeat(session, code));
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
change_by_operation(struct sr_ldap_session *session, const char *dn,
                    const char *old, const char *password,
                    LDAPControl **controls, struct sr_ldap_response *answer)
{
    BerElement *ber = change_request(dn, old, password);
    struct berval request = {0, NULL};
    LDAPMessage *message;
    int id, code = LDAP_ENCODING_ERROR;

    if (ber != NULL && ber_flatten2(ber, &request, 0) == 0)
        code = ldap_extended_operation(session->ld, LDAP_EXOP_MODIFY_PASSWD,
                                       &request, controls, NULL, &id);
    if (request.bv_val != NULL)
        explicit_bzero(request.bv_val, request.bv_len);
    ber_free(ber, 1);
    if (code != LDAP_SUCCESS) {
        sr_ldap_response_init(answer, code);
        return;
    }
    sr_ldap_receive(session, id, sr_ldap_last_moment(session), answer,
                    &message);
    sr_ldap_expect(message, LDAP_RES_EXTENDED, answer);
    ldap_msgfree(message);
}

void
sr_ldap_conclude(struct sr_ldap_session *session, int code, int id,
                 struct sr_ldap_response *answer)
{
    LDAPMessage *message;

    if (code != LDAP_SUCCESS) {
        sr_ldap_response_init(answer, code);
        return;
    }
    sr_ldap_receive(session, id, sr_ldap_last_moment(session), answer,
                    &message);
    ldap_msgfree(message);
}

void
sr_ldap_modify(struct sr_ldap_session *session, const char *dn,
               LDAPMod **change, LDAPControl **controls,
               struct sr_ldap_response *answer)
{
    int id = 0;
    const int code =
        ldap_modify_ext(session->ld, dn, change, controls, NULL, &id);

    sr_ldap_conclude(session, code, id, answer);
}

/* Delete the old value and add the new one, which proves the old; or without
 * an old one replace all. */
static void
change_by_values(struct sr_ldap_session *session, const char *dn,
                 const char *old, const char *password, LDAPControl **controls,
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

    sr_ldap_modify(session, dn, old == NULL ? both + 1 : both, controls,
                   answer);
}

void
sr_ldap_change(struct sr_ldap_session *session, const char *dn, const char *old,
               const char *password, struct sr_ldap_response *answer)
{
    LDAPControl policy = {
        .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
    LDAPControl *controls[] = {&policy, NULL};

    change_by_operation(session, dn, old, password, controls, answer);
    if (answer->code == LDAP_PROTOCOL_ERROR) /* the server has none */
        change_by_values(session, dn, old, password, controls, answer);
    /* Whether a change that was sent before the timeout is made is not known.
     */
    if (sr_ldap_response_is_away(answer->code))
        sr_ldap_close(session, false);
}

void
sr_ldap_replace(struct sr_ldap_session *session, const char *dn,
                const char *attribute, const char *value,
                struct sr_ldap_response *answer)
{
    char *values[] = {(char *)(uintptr_t)value, NULL};
    LDAPMod put = {.mod_op = LDAP_MOD_REPLACE,
                   .mod_type = (char *)(uintptr_t)attribute,
                   .mod_values = values};
    LDAPMod *change[] = {&put, NULL};

    sr_ldap_modify(session, dn, change, NULL, answer);
}

void
sr_ldap_try_write(struct sr_ldap_session *session, const char *dn,
                  const char *attribute, const char *value,
                  struct sr_ldap_response *answer)
{
    char *values[] = {(char *)(uintptr_t)value, NULL};
    LDAPMod take = {.mod_op = LDAP_MOD_DELETE,
                    .mod_type = (char *)(uintptr_t)attribute,
                    .mod_values = values};
    LDAPMod *changes[] = {&take, NULL};

    sr_ldap_modify(session, dn, changes, NULL, answer);
    sr_ldap_answered(session);
}

enum sr_tri
sr_ldap_may_write(struct sr_ldap_session *session, const char *dn,
                  const char *attribute, const char *value)
{
    struct sr_ldap_response answer;

    sr_ldap_try_write(session, dn, attribute, value, &answer);
    switch (answer.code) {
    case LDAP_NO_SUCH_ATTRIBUTE:
        return SR_YES;
    case LDAP_INSUFFICIENT_ACCESS:
    case LDAP_CONSTRAINT_VIOLATION: /* only the server writes it */
        return SR_NO;
    default:
        return SR_UNKNOWN;
    }
}
