/*
 * Ask: initial tickets for accounts, under FAST where that is possible.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/backend/krb5/armour.h"
#include "policy/backend/krb5/ask.h"

/* Whether the KDC did not even look at the request because of its armour.
 * Samba has no other word than "generic" for a ticket under a key that it does
 * not keep any more: after two changes of krbtgt's. */
static bool
refuses_armour(const struct sr_krb5_initial *initial)
{
    switch (initial->krb_error) {
    case KRB5KDC_ERR_TGT_REVOKED:
    case KRB5KRB_ERR_GENERIC:
    case KRB5KRB_AP_ERR_TKT_EXPIRED:
    case KRB5KRB_AP_ERR_TKT_NYV:
    case KRB5KRB_AP_ERR_BAD_INTEGRITY:
    case KRB5KRB_AP_ERR_MODIFIED:
    case KRB5KRB_AP_ERR_BADKEYVER:
    case KRB5KRB_AP_ERR_NOKEY:
    case KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN:
        return initial->replies == 1;
    default:
        return false;
    }
}

void
sr_krb5_ask(struct sr_krb5_session *session, krb5_principal client,
            const char *service, const char *password,
            struct sr_krb5_initial *initial)
{
    struct sr_krb5_wish wish = {
        .client = client,
        .service = service,
        .password = password,
        .demands_fast = session->config->fast == SR_FAST_DEMAND,
        .canonicalizes = session->config->enterprise,
    };

    memset(initial, 0, sizeof(*initial));
    if (!sr_krb5_armour_get(session)) {
        initial->answer = session->error->code == SR_ERROR_UNREACHABLE
                              ? SR_KRB5_SILENT
                              : SR_KRB5_OTHER;
        return;
    }
    wish.armour = session->armour;
    sr_krb5_initial_get(&session->kdcs, &wish, initial);
    if (session->is_armour_stored && refuses_armour(initial)) {
        sr_krb5_initial_free(session->context, initial);
        sr_krb5_armour_drop(session);
        sr_krb5_ask(session, client, service, password, initial);
    }
}
