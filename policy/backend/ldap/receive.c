/*
 * LDAP receive: waiting for responses, and decoding them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/backend/ldap/receive.h"
#include "policy/util/deadline.h"

/* The shortest wait: with less, a server that is reachable seems not to be. */
#define WAIT_MIN 10

static struct timeval
time_left(int64_t end)
{
    int left = sr_deadline_left(end);
    struct timeval value;

    if (left < WAIT_MIN)
        left = WAIT_MIN;
    value.tv_sec = left / 1000;
    value.tv_usec = left % 1000 * 1000;
    return value;
}

static void
read_answer(struct sr_ldap_session *session, LDAPMessage *message,
            struct sr_ldap_response *answer)
{
    LDAPControl **controls = NULL;
    char *text = NULL;
    int code, parsed;

    parsed = ldap_parse_result(session->ld, message, &code, NULL, &text, NULL,
                               &controls, 0);
    /* The codes below 0 are the library's own; none comes from a server. */
    if (parsed != LDAP_SUCCESS || code < 0)
        code = LDAP_DECODING_ERROR;
    sr_ldap_response_init(answer, code);
    sr_ldap_response_controls(answer, controls);
    if (text != NULL)
        sr_ldap_response_text(answer, text);
    ldap_memfree(text);
    ldap_controls_free(controls);
}

void
sr_ldap_receive(struct sr_ldap_session *session, int id, int64_t end,
                struct sr_ldap_response *answer, LDAPMessage **message)
{
    struct timeval left = time_left(end);
    int type, code = LDAP_SERVER_DOWN;

    *message = NULL;
    session->budget = session->allowance;
    type = ldap_result(session->ld, id, LDAP_MSG_ALL, &left, message);
    if (type > 0) {
        read_answer(session, *message, answer);
        return;
    }
    if (type == 0)
        code = LDAP_TIMEOUT;
    else
        ldap_get_option(session->ld, LDAP_OPT_RESULT_CODE, &code);
    /* What was sent and has no answer is not as if it had not been sent.  A
     * code that a server can have is of a disconnection, and not of the
     * request. */
    if (code >= 0 || !sr_ldap_response_is_away(code))
        code = LDAP_SERVER_DOWN;
    if (session->budget == 0) {
        sr_ldap_why(session, "%s: it sends more than an answer may have",
                    sr_ldap_uri_text(session, session->uri));
        code = LDAP_DECODING_ERROR;
    }
    sr_ldap_response_init(answer, code);
}

/* A response of another kind than the request's cannot be used. */
void
sr_ldap_expect(LDAPMessage *message, int kind, struct sr_ldap_response *answer)
{
    if (message != NULL && ldap_msgtype(message) != kind)
        sr_ldap_response_init(answer, LDAP_DECODING_ERROR);
}

/* ---- entries */

/* Whether an attribute was asked for by this name, without options: a value of
 * "uid;lang-en" is not one of "uid". */
static bool
has_options(const struct berval *attribute)
{
    return memchr(attribute->bv_val, ';', attribute->bv_len) != NULL;
}

/* The values of one attribute. */
static int
take_values(const struct berval *attribute, const struct berval *value,
            struct sr_ldap_entry *entry)
{
    char name[64];
    int status = 0;

    if (value == NULL || has_options(attribute) ||
        attribute->bv_len >= sizeof(name))
        return 0;
    memcpy(name, attribute->bv_val, attribute->bv_len);
    name[attribute->bv_len] = '\0';
    for (size_t i = 0; value[i].bv_val != NULL && status == 0; i++) {
        if (entry->is_cut)
            break;
        status =
            sr_ldap_entry_add(entry, name, value[i].bv_val, value[i].bv_len);
    }
    return status;
}

/* In one pass over the message, whatever an entry has. */
int
sr_ldap_entry_take(struct sr_ldap_session *session, LDAPMessage *message,
                   struct sr_ldap_entry *entry)
{
    BerElement *ber = NULL;
    struct berval dn, attribute;
    int code = ldap_get_dn_ber(session->ld, message, &ber, &dn);
    int status = 0;

    entry->dn =
        code == LDAP_SUCCESS ? strndup(dn.bv_val, dn.bv_len) : strdup("");
    if (code != LDAP_SUCCESS ||
        (dn.bv_len > 0 && memchr(dn.bv_val, '\0', dn.bv_len) != NULL))
        entry->is_cut = true;
    if (entry->dn == NULL)
        status = -1;
    while (code == LDAP_SUCCESS && status == 0) {
        struct berval *value = NULL;

        code = ldap_get_attribute_ber(session->ld, message, ber, &attribute,
                                      &value);
        if (code == LDAP_SUCCESS && attribute.bv_val == NULL)
            break;
        if (code == LDAP_SUCCESS)
            status = take_values(&attribute, value, entry);
        else
            entry->is_cut = true;
        ber_memfree(value);
    }
    if (ber != NULL)
        ber_free(ber, 0);
    return status == 0 ? LDAP_SUCCESS : LDAP_NO_MEMORY;
}
