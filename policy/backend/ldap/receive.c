/*
 * LDAP receive: waiting for responses, and taking them apart.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/backend/ldap/receive.h"
#include "policy/util/deadline.h"

/* The shortest wait: below it a server that is there seems not to be. */
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
    sr_ldap_response_init(answer, code);
}

/* An answer of another kind than the request's is none. */
void
sr_ldap_expect(LDAPMessage *message, int kind, struct sr_ldap_response *answer)
{
    if (message != NULL && ldap_msgtype(message) != kind)
        sr_ldap_response_init(answer, LDAP_DECODING_ERROR);
}

/* ---- entries */

static int
take_values(struct sr_ldap_session *session, LDAPMessage *message,
            const char *attribute, struct sr_ldap_entry *entry)
{
    struct berval **value =
        ldap_get_values_len(session->ld, message, attribute);
    int status = 0;

    for (size_t i = 0; value != NULL && value[i] != NULL && status == 0; i++)
        status = sr_ldap_entry_add(entry, attribute, value[i]->bv_val,
                                   value[i]->bv_len);
    ldap_value_free_len(value);
    return status;
}

int
sr_ldap_entry_take(struct sr_ldap_session *session, LDAPMessage *message,
                   struct sr_ldap_entry *entry)
{
    char *dn = ldap_get_dn(session->ld, message);
    BerElement *ber = NULL;
    char *attribute;
    int status = 0;

    entry->dn = dn == NULL ? NULL : strdup(dn);
    ldap_memfree(dn);
    if (entry->dn == NULL)
        return LDAP_NO_MEMORY;
    for (attribute = ldap_first_attribute(session->ld, message, &ber);
         attribute != NULL;
         attribute = ldap_next_attribute(session->ld, message, ber)) {
        if (status == 0)
            status = take_values(session, message, attribute, entry);
        ldap_memfree(attribute);
    }
    if (ber != NULL)
        ber_free(ber, 0);
    return status == 0 ? LDAP_SUCCESS : LDAP_NO_MEMORY;
}
