/*
 * Initial: one initial ticket, or what a KDC says instead (RFC 4120, 3.1).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_INITIAL_H
#define SR_POLICY_BACKEND_KRB5_INITIAL_H

#include "policy/backend/krb5/kdc.h"
#include "policy/backend/krb5/padata.h"

/* The service that stores new passwords; its tickets are given for expired
 * passwords too. */
#define SR_KRB5_CHANGEPW "kadmin/changepw"

/* What is asked for. */
struct sr_krb5_wish {
    krb5_principal client;
    const char *service;  /* NULL: a ticket-granting ticket */
    const char *password; /* NULL, and no keytab: stop at the first reply */
    krb5_keytab keytab;   /* its key in place of a password: see keytab.h */
    bool tries_names;     /* and for NAME$, those of host/NAME: one account */
    krb5_ccache armour;   /* for FAST (RFC 6113); NULL: none */
    krb5_ccache store;    /* where the ticket is put too; NULL: nowhere */
    bool demands_fast;
    bool canonicalizes; /* the KDC may know the client by another name */
};

enum sr_krb5_answer {
    SR_KRB5_TICKET,      /* here it is */
    SR_KRB5_ASKS,        /* the KDC wants the password, and says no more */
    SR_KRB5_WRONG,       /* the password or key is wrong */
    SR_KRB5_NO_CLIENT,   /* there is no such principal */
    SR_KRB5_KEY_EXPIRED, /* the password has expired or must be changed */
    SR_KRB5_CLIENT_ENDED,
    SR_KRB5_CLIENT_REVOKED, /* disabled, or locked out */
    SR_KRB5_SKEW,           /* the clocks differ too much */
    SR_KRB5_SILENT,         /* no KDC replied, and the error says so */
    SR_KRB5_OTHER,          /* nothing is known, and the error says why */
};

struct sr_krb5_initial {
    enum sr_krb5_answer answer;
    krb5_error_code code;      /* libkrb5's, 0 with a ticket */
    unsigned replies;          /* of KDCs */
    krb5_error_code krb_error; /* of the last KRB-ERROR; 0: there was none */
    uint32_t status;           /* padata.h; 0: none */
    int64_t offset;            /* the KDC's clock minus this host's, seconds */
    bool has_offset;
    krb5_kvno kvno;   /* of the key that was tried last, by a keytab */
    krb5_creds creds; /* TICKET */
    int64_t expires;  /* of the password, as the KDC says; 0: not said */
    /* With ASKS: what keys of the client are made with. */
    struct sr_krb5_etypes etypes;
};

/*
 * Get a ticket, or an answer.  Free it in any case.  kdcs->error is set for
 * every answer but TICKET and ASKS.
 */
void sr_krb5_initial_get(struct sr_krb5_kdcs *kdcs,
                         const struct sr_krb5_wish *wish,
                         struct sr_krb5_initial *initial);
void sr_krb5_initial_free(krb5_context context,
                          struct sr_krb5_initial *initial);

#endif
