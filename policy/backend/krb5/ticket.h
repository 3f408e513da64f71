/*
 * Ticket: a Kerberos ticket of this host's own identity for one service, by a
 * keytab, in the memory of this process and within a deadline; or one that an
 * earlier process got lately.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_TICKET_H
#define SR_POLICY_BACKEND_KRB5_TICKET_H

#include <krb5.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/util/error.h"
#include "policy/util/text.h"

/* What is asked for. */
struct sr_krb5_wanted {
    const char *keytab;    /* its path; NULL: the system's */
    const char *principal; /* whose key to use; NULL: the keytab's first */
    const char *service;   /* "ldap" */
    const char *host;
    int64_t end; /* deadline, see util/deadline.h */
    /* The backend, for which tickets are kept in a file; NULL: they are not. */
    const char *backend;
    bool is_fresh;   /* what is kept is not taken, and is replaced */
    bool is_by_user; /* nothing is left for other processes */
    /* KDCs of a realm; NULL: krb5.conf or DNS names them.  Of those here, only
     * that on `host` is asked: the service is there, too. */
    const char *realm;
    const struct sr_string_list *kdc;
};

struct sr_krb5_ticket {
    krb5_context context;
    krb5_ccache cache;
    krb5_principal client;
    krb5_principal server; /* SERVICE/HOST */
    char *cache_name;      /* "MEMORY:..." */
    char *server_name;
    bool is_kept; /* an earlier process got it */
};

enum sr_krb5_result {
    SR_KRB5_OK,
    SR_KRB5_NO_SERVICE, /* the KDC has no ticket for this host; another host of
                           the service may have one */
    SR_KRB5_AWAY,       /* the KDC on this host does not reply */
    SR_KRB5_FAILED,
};

/*
 * Get a ticket.  On any result but OK `error` says why.  End the ticket in any
 * case.
 */
enum sr_krb5_result sr_krb5_ticket_get(const struct sr_krb5_wanted *wanted,
                                       struct sr_krb5_ticket *ticket,
                                       struct sr_error *error);
void sr_krb5_ticket_end(struct sr_krb5_ticket *ticket);

#endif
