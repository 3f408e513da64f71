/*
 * Session: what the Kerberos backend keeps for one transaction.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_SESSION_H
#define SR_POLICY_BACKEND_KRB5_SESSION_H

#include "policy/backend/backend.h"
#include "policy/backend/krb5/initial.h"

/* The account that was looked up last. */
struct sr_krb5_known {
    char *name;   /* as typed; NULL: none */
    char *entry;  /* principal */
    char *gecos;  /* may be NULL */
    char *secret; /* see struct sr_account */
    krb5_principal client;
    struct sr_facts facts;
    bool is_asked; /* a KDC has told the facts */
    int64_t at;    /* when, see util/deadline.h */
};

/* A password that was verified, by a keyed hash of it. */
struct sr_krb5_proof {
    uint8_t key[16];
    uint64_t hash;
    int64_t at; /* 0: there is none */
};

struct sr_krb5_session {
    const struct sr_backend_config *config; /* of the call */
    struct sr_error *error;                 /* of the call */
    bool is_by_user;                        /* of the call */
    krb5_context context;
    struct sr_krb5_kdcs kdcs;
    char *realm;

    krb5_keytab keytab;           /* NULL: none that can be used, */
    struct sr_error keytab_error; /* because of this */
    krb5_ccache armour;           /* for FAST; NULL: none, */
    struct sr_error armour_error; /* because of this */
    bool has_tried_armour;
    bool is_armour_stored; /* it comes from an earlier process */

    struct sr_krb5_known known;
    struct sr_krb5_proof changed; /* the new password, proved after a change */
    struct sr_krb5_proof proved;  /* the password that got `changepw` */
    enum sr_krb5_answer answer;   /* to the last password, */
    uint32_t status;              /* and its status, see padata.h */
    unsigned absent_replies;      /* of KDCs to an account that is absent */
    krb5_creds changepw;          /* ticket for a change; client NULL: none */
    krb5_creds tgt;               /* for the session; client NULL: none */
    bool is_verified;             /* the KDC of `tgt` was verified */
};

/*
 * Begin a call.  Returns the session of the transaction, made at the first
 * call; or NULL, and the call's error says why.
 */
struct sr_krb5_session *sr_krb5_session_begin(struct sr_call *call);
void sr_krb5_session_free(struct sr_krb5_session *session);

/* Forget the account and everything that was verified for it. */
void sr_krb5_session_forget(struct sr_krb5_session *session);

/* Whether the proof is of this password and not older than `most_ms`. */
bool sr_krb5_proof_is(const struct sr_krb5_proof *proof, const char *password,
                      int64_t most_ms);
/* Record a password; false when there are no random numbers. */
bool sr_krb5_proof_set(struct sr_krb5_proof *proof, const char *password);

#endif
