/*
 * LDAP answers: what the code and the controls of a response mean, as pure
 * functions that can be tested by themselves.
 *
 * All controls of a response are collected before anything is decided, because
 * servers send them in any order and some send several.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_RESPONSE_H
#define SR_POLICY_BACKEND_LDAP_RESPONSE_H

#include <ldap.h>

#include "policy/backend/backend.h"
#include "policy/backend/ldap/kind.h"

#define SR_LDAP_NETSCAPE_EXPIRED  "2.16.840.1.113730.3.4.4"
#define SR_LDAP_NETSCAPE_EXPIRING "2.16.840.1.113730.3.4.5"

/* One response. */
struct sr_ldap_response {
    int code;         /* LDAP result code, or libldap's own (< 0) */
    bool has_ppolicy; /* the password policy control came */
    bool has_expired; /* Netscape's: expired, or must be changed */
    bool has_expiring;
    int64_t expires; /* seconds until the password expires; -1: not sent */
    int64_t grace;   /* logins left; -1: not sent */
    int error;       /* of draft-behera, 0 to 9; -1: none */
    char text[160];  /* the server's own, for the log */
};

/* An answer that has nothing but `code`. */
void sr_ldap_response_init(struct sr_ldap_response *answer, int code);

/* Whether a code means that the server did not answer or is out of service, so
 * that another one is to be asked. */
bool sr_ldap_response_is_away(int code);

/*
 * Add what the controls (ended by NULL; may be NULL) contain. What cannot be
 * decoded is skipped.
 */
void sr_ldap_response_controls(struct sr_ldap_response *answer,
                               LDAPControl *const *controls);

/* Keep the server's text, as one line (some end theirs in a newline) without
 * control characters. */
void sr_ldap_response_text(struct sr_ldap_response *answer, const char *text);

/* What the response to a bind means for the password. Only codes about the
 * password or the account mean that it is wrong; all others are an outage. */
enum sr_verify_result
sr_ldap_response_verify(const struct sr_ldap_response *answer);

/*
 * The answer of Active Directory to a bind: the number behind "data" in its
 * text (MS-ERREF 2.2), which is the state of the account for the right password
 * only.  0: none.  Pure.
 */
unsigned sr_ldap_response_data(const struct sr_ldap_response *answer);

/*
 * What that proves: RIGHT for a state that is shown for the right password
 * only, WRONG for a wrong one and for a lockout, which is shown for both;
 * UNAVAILABLE: nothing.
 */
enum sr_verify_result
sr_ldap_response_ad(const struct sr_ldap_response *answer);

/* The state that it proves, for the facts of an account at the time `now`. */
void sr_ldap_response_ad_facts(const struct sr_ldap_response *answer,
                               sr_time now, struct sr_facts *facts);

/*
 * Whether the password is known to be right only because the server answers
 * "expired". OpenLDAP and 389 do so for the right password only; other servers
 * may check the age before the password.
 */
bool sr_ldap_response_is_expiry(const struct sr_ldap_response *answer);

/*
 * Add what the response to a bind at the time `now` contains to the facts of
 * the account, which is on a server of this kind.  can_help: see struct
 * sr_ldap_view.
 */
void sr_ldap_response_facts(const struct sr_ldap_response *answer,
                            enum sr_ldap_kind kind, bool can_help, sr_time now,
                            struct sr_facts *facts);

/* Whether the server refused a change because it takes none at all: a consumer,
 * or one whose database is read-only.  Another server may take it. */
bool sr_ldap_response_is_read_only(const struct sr_ldap_response *answer);

/* The result of a change that was sent.  *refusal is set on REFUSED. */
enum sr_write sr_ldap_response_write(const struct sr_ldap_response *answer,
                                     enum sr_refusal *refusal);

#endif
