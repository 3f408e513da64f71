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
#include <stdint.h>

#include "policy/util/error.h"

/* How KDCs are asked. */
struct sr_krb5_kdcs {
    krb5_context context;
    int64_t end; /* deadline, see util/deadline.h */
    struct sr_error *error;
};

/*
 * Send a request to the KDCs of a realm over TCP, one after the other until one
 * replies; they share the time until the deadline.  KDCs are those of
 * krb5.conf, else those of DNS.  Returns 0 and the reply, whose data is for
 * free(3); or a negative errno, and kdcs->error says why.
 */
int sr_krb5_kdc_exchange(struct sr_krb5_kdcs *kdcs, const char *realm,
                         const krb5_data *request, krb5_data *reply);

#endif
