/*
 * Steps: what libkrb5 asks of KDCs, message by message.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_STEPS_H
#define SR_POLICY_BACKEND_KRB5_STEPS_H

#include "policy/backend/krb5/kdc.h"

/* How the exchange ended, besides libkrb5's error. */
struct sr_krb5_steps {
    unsigned most;  /* stop after so many replies; 0: when it is complete */
    bool is_cut;    /* it stopped because of `most` */
    bool is_silent; /* no KDC replied, and kdcs->error says so */
    unsigned replies;
};

/*
 * Get the initial ticket that a context was made for, or the ticket for a
 * service.  When a KDC has replied once, no other is asked for the rest of an
 * initial ticket: a wrong password is to be counted by one KDC only.  Returns
 * libkrb5's error.
 */
krb5_error_code sr_krb5_steps_initial(struct sr_krb5_kdcs *kdcs,
                                      krb5_init_creds_context exchange,
                                      struct sr_krb5_steps *steps);
krb5_error_code sr_krb5_steps_service(struct sr_krb5_kdcs *kdcs,
                                      krb5_tkt_creds_context exchange,
                                      struct sr_krb5_steps *steps);

/* Make a context on which the environment of the caller has no influence.
 * Returns libkrb5's error, which is set. */
krb5_error_code sr_krb5_context_make(krb5_context *context,
                                     struct sr_error *error);

/* Set an error with libkrb5's text for the code. */
void sr_krb5_set_error(krb5_context context, struct sr_error *error,
                       enum sr_error_code code, const char *what,
                       krb5_error_code krb5_code);

/*
 * The event that names the trouble of this host behind an error of libkrb5
 * ("SR-5105"), or NULL.
 */
const char *sr_krb5_event(krb5_error_code code);

#endif
