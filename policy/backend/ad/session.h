/*
 * Session: what the backend for Active Directory keeps for one transaction.
 *
 * Three connections to one domain: to the directory as this host, to it as the
 * user whose password is verified (only where a KDC has not shown the state),
 * and to KDCs.  Each is a backend of its own with a configuration that is made
 * here from the section, so that all three ask the same domain controllers.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_AD_SESSION_H
#define SR_POLICY_BACKEND_AD_SESSION_H

#include "policy/backend/ad/domain.h"
#include "policy/backend/krb5/session.h"
#include "policy/backend/ldap/session.h"

struct sr_ad_session {
    struct sr_ad_domain domain;
    bool is_known; /* the domain is */
    struct sr_backend_config directory_config, bind_config, kdc_config;
    char user[260];               /* "%u@REALM", as which users bind */
    void *directory, *bind, *kdc; /* the states of the three */

    /* Time, as the directory counts it: see ldap/session.h. */
    int64_t began, ended, spent;
};

/* One call of the backend, and a call of one of the three. */
struct sr_ad_call {
    struct sr_call *call;
    struct sr_ad_session *session;
    struct sr_backend backend;
    struct sr_call part;
};

/*
 * Begin a call.  False: the domain is not known, or memory is out, and the
 * call's error says why.  To be ended in any case.  `answered`: the servers
 * have answered, so that the next call has all the time again.
 */
bool sr_ad_begin(struct sr_call *call, struct sr_ad_call *ad);
void sr_ad_end(struct sr_ad_call *ad, bool answered);

/* By which a rotation of the identity's secret is noted, as a change of no
 * account's password. */
#define SR_AD_ROTATION "/rotate"

/*
 * The password of an account of this backend was changed lately, by one
 * controller: have that one asked first.  If it was not, but this host's own
 * secret was, the one that has that: another one may not know it yet, and
 * counts it as a wrong password.  For the first call of a transaction, before
 * anything is asked.
 */
void sr_ad_prefer(struct sr_ad_call *ad, const char *name);
/* Note that; `host` has made the change. */
void sr_ad_note_change(struct sr_ad_call *ad, const char *name,
                       const char *host);
/* Whether a change is noted, and which controller has made it. */
bool sr_ad_changed_by(struct sr_ad_call *ad, const char *name, char host[256]);

/* The call for one of the three; valid until the next of these. */
struct sr_call *sr_ad_directory(struct sr_ad_call *ad);
struct sr_call *sr_ad_bind(struct sr_ad_call *ad);
struct sr_call *sr_ad_kdc(struct sr_ad_call *ad);

void sr_ad_session_free(struct sr_ad_session *session, bool is_copy);

#endif
