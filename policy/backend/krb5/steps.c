/*
 * Steps: what libkrb5 asks of KDCs, message by message.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "policy/backend/krb5/steps.h"
#include "policy/util/environment.h"

/* One step of libkrb5's: a reply in, the next request out. */
typedef krb5_error_code step_function(krb5_context context, void *exchange,
                                      krb5_data *in, krb5_data *out,
                                      krb5_data *realm, unsigned *flags);

static krb5_error_code
step_initial(krb5_context context, void *exchange, krb5_data *in,
             krb5_data *out, krb5_data *realm, unsigned *flags)
{
    return krb5_init_creds_step(context, exchange, in, out, realm, flags);
}

static krb5_error_code
step_service(krb5_context context, void *exchange, krb5_data *in,
             krb5_data *out, krb5_data *realm, unsigned *flags)
{
    return krb5_tkt_creds_step(context, exchange, in, out, realm, flags);
}

/* Both kinds of request use the same flag. */
_Static_assert(KRB5_INIT_CREDS_STEP_FLAG_CONTINUE ==
                   KRB5_TKT_CREDS_STEP_FLAG_CONTINUE,
               "one loop serves both");

/* Send one request.  Returns libkrb5's error for "nobody replied", or 0. */
static krb5_error_code
send_request(struct sr_krb5_kdcs *kdcs, const krb5_data *realm,
             const krb5_data *request, krb5_data *reply,
             struct sr_krb5_steps *steps)
{
    char name[256];

    snprintf(name, sizeof(name), "%.*s", (int)realm->length, realm->data);
    steps->is_silent = sr_krb5_kdc_exchange(kdcs, name, request, reply) != 0;
    return steps->is_silent ? KRB5_KDC_UNREACH : 0;
}

static krb5_error_code
run(struct sr_krb5_kdcs *kdcs, step_function *step, void *exchange,
    bool pins_kdc, struct sr_krb5_steps *steps)
{
    krb5_context context = kdcs->context;
    krb5_data in = {0, 0, NULL};
    bool was_pinned = kdcs->is_pinned;
    krb5_error_code error;

    do {
        krb5_data out = {0, 0, NULL}, realm = {0, 0, NULL};
        unsigned flags = 0;

        error = step(context, exchange, &in, &out, &realm, &flags);
        free(in.data);
        in = (krb5_data){0, 0, NULL};
        steps->is_cut = error == 0 && steps->most > 0 &&
                        steps->replies == steps->most &&
                        (flags & KRB5_INIT_CREDS_STEP_FLAG_CONTINUE) != 0;
        if (error == 0 && !steps->is_cut &&
            (flags & KRB5_INIT_CREDS_STEP_FLAG_CONTINUE) != 0) {
            kdcs->is_pinned = was_pinned || (pins_kdc && steps->replies > 0);
            error = send_request(kdcs, &realm, &out, &in, steps);
            steps->replies += error == 0 ? 1 : 0;
        }
        krb5_free_data_contents(context, &out);
        krb5_free_data_contents(context, &realm);
    } while (error == 0 && in.data != NULL);
    kdcs->is_pinned = was_pinned;
    return error;
}

krb5_error_code
sr_krb5_steps_initial(struct sr_krb5_kdcs *kdcs,
                      krb5_init_creds_context exchange,
                      struct sr_krb5_steps *steps)
{
    return run(kdcs, step_initial, exchange, true, steps);
}

krb5_error_code
sr_krb5_steps_service(struct sr_krb5_kdcs *kdcs,
                      krb5_tkt_creds_context exchange,
                      struct sr_krb5_steps *steps)
{
    return run(kdcs, step_service, exchange, false, steps);
}

void
sr_krb5_set_error(krb5_context context, struct sr_error *error,
                  enum sr_error_code code, const char *what,
                  krb5_error_code krb5_code)
{
    const char *text = krb5_get_error_message(context, krb5_code);

    sr_error_set(error, code, "Kerberos: %s: %s", what, text);
    krb5_free_error_message(context, text);
}

krb5_error_code
sr_krb5_context_make(krb5_context *context, struct sr_error *error)
{
    char **environment = sr_environment_hide();
    const krb5_error_code code = krb5_init_secure_context(context);

    sr_environment_restore(environment);
    if (code != 0)
        sr_krb5_set_error(NULL, error, SR_ERROR_IDENTITY, "krb5.conf", code);
    return code;
}

const char *
sr_krb5_event(krb5_error_code code)
{
    switch (code) {
    case KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN:
    case KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN:
        return "SR-5101";
    case KRB5KRB_AP_ERR_BAD_INTEGRITY:
        return "SR-5104";
    case KRB5KRB_AP_ERR_BADKEYVER:
    case KRB5_KT_KVNONOTFOUND:
    case KRB5KDC_ERR_PREAUTH_FAILED:
        return "SR-5105";
    case KRB5KRB_AP_ERR_SKEW:
    case KRB5_KDCREP_SKEW:
        return "SR-5106";
    case KRB5KRB_AP_ERR_NOKEY:
    case KRB5KDC_ERR_ETYPE_NOSUPP:
        return "SR-5108";
    case KRB5_KT_NOTFOUND:
        return "SR-5107";
    case KRB5KDC_ERR_CLIENT_REVOKED:
    case KRB5KDC_ERR_NAME_EXP:
    case KRB5KDC_ERR_POLICY:
        return "SR-5111";
    default:
        return NULL;
    }
}
