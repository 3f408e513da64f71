/*
 * KDC: exchanging messages with the KDCs of a realm.
 *
 * libkrb5 only makes the requests and reads the replies.  Its own transport is
 * not used: it has no deadline, and a locator plug-in of another package can
 * send it to other KDCs than krb5.conf names.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_KDC_H
#define SR_POLICY_BACKEND_KRB5_KDC_H

#include <krb5.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/backend/srv.h"
#include "policy/decide/rules.h"
#include "policy/util/error.h"

/* The most servers of a realm that are asked. */
#define SR_KRB5_SERVERS_MAX 8

/* A server of a realm by its role. */
enum sr_krb5_role {
    SR_KRB5_KDC,
    SR_KRB5_KPASSWD, /* stores new passwords (RFC 3244) */
};

/* How KDCs are asked. */
struct sr_krb5_kdcs {
    krb5_context context;
    int64_t end; /* deadline, see util/deadline.h */
    struct sr_error *error;

    /* KDCs of the realm `own`, of the configuration; NULL or empty: krb5.conf
     * names them, or else DNS. */
    const struct sr_string_list *list;
    const char *own;

    /* The KDC that replied last, which is asked first; an empty host: none.  It
     * is another realm's when `realm` differs. */
    struct sr_srv last;
    char realm[256];
    bool is_pinned; /* ask no other KDC than the last one */
};

/*
 * Find the servers of a realm in the order in which they are to be asked, at
 * most SR_KRB5_SERVERS_MAX.  Servers for passwords are the kpasswd_server or
 * the admin_server of krb5.conf, else those of DNS, else the KDCs.  Returns how
 * many there are.
 */
size_t sr_krb5_kdc_find(const struct sr_krb5_kdcs *kdcs, const char *realm,
                        enum sr_krb5_role role, struct sr_srv *found);

/*
 * Connect to one server.  Returns a descriptor or a negative errno.
 */
int sr_krb5_kdc_connect(const struct sr_srv *server, int64_t end);

/*
 * Exchange messages with a connected server: each has its length before it.
 * Returns 0 and the reply, whose data is for free(3), or a negative errno.
 */
int sr_krb5_kdc_converse(int fd, const krb5_data *request, krb5_data *reply,
                         int64_t end);

/*
 * Send a request to the KDCs of a realm over TCP, one after the other until one
 * replies; they share the time until the deadline.  Returns 0 and the reply,
 * whose data is for free(3); or a negative errno, and kdcs->error says why.
 */
int sr_krb5_kdc_exchange(struct sr_krb5_kdcs *kdcs, const char *realm,
                         const krb5_data *request, krb5_data *reply);

#endif
