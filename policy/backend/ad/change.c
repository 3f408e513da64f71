/*
 * Change: a new password by the domain controller's server for passwords.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/ad/change.h"
#include "policy/backend/ad/verify.h"
#include "policy/backend/krb5/change.h"
#include "policy/backend/ldap/ldap.h"

/* What is known of the account now.  Read again it would be what the directory
 * had before, where another controller answers. */
static void
learn(struct sr_ad_call *ad, struct sr_account *account,
      const struct sr_facts *of_kdc)
{
    struct sr_facts *facts = &account->facts;
    struct sr_ldap_session *directory = ad->session->directory;
    const struct sr_krb5_session *kdc = ad->session->kdc;

    facts->password_changed = of_kdc->password_changed;
    facts->password_expires = of_kdc->password_expires;
    facts->must_change = SR_NO;
    facts->temporary_until = SR_TIME_UNKNOWN;
    facts->may_change_from = SR_TIME_UNKNOWN;
    if (directory != NULL)
        sr_ldap_password_changed(directory, facts->password_changed);
    sr_ad_note_change(ad, facts->name, kdc->kdcs.last.host);
}

enum sr_write
sr_ad_change(struct sr_ad_call *ad, struct sr_account *account, const char *old,
             const char *password, enum sr_refusal *refusal)
{
    struct sr_call *part = sr_ad_kdc(ad);
    struct sr_krb5_session *kdc = sr_krb5_session_begin(part);
    enum sr_write written = SR_WRITE_FAILED;
    struct sr_account of_kdc;

    if (kdc != NULL && sr_ad_account_of_kdc(ad, part, account, &of_kdc)) {
        of_kdc.demands = account->demands;
        written = sr_krb5_change(kdc, &of_kdc, old, password, refusal);
        account->demands = of_kdc.demands;
        free(account->server_text);
        account->server_text = of_kdc.server_text;
        if (written == SR_WRITE_DONE)
            learn(ad, account, &of_kdc.facts);
    }
    ad->call->error = part->error;
    return written;
}
