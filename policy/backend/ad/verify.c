/*
 * Verify: whether a password is right, by Kerberos; and by the directory where
 * a KDC refuses an account without having verified it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "policy/backend/ad/verify.h"
#include "policy/backend/krb5/account.h"
#include "policy/backend/krb5/verify.h"
#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/ldap.h"

/* ---- the account in Kerberos */

/* Its name there: sAMAccountName, which no other account of the domain has; a
 * userPrincipalName need not be unique in the forest, and may be absent. */
static const char *
name_of(const struct sr_ad_session *session, const struct sr_account *account)
{
    const struct sr_ldap_session *directory = session->directory;
    const struct sr_ldap_entry *entry;

    if (directory == NULL || directory->known.name == NULL)
        return account->facts.name;
    entry = &directory->known.entry;
    if (strcmp(entry->dn, account->entry) != 0)
        return account->facts.name;
    return sr_ldap_entry_first(entry, "sAMAccountName");
}

/* Have the KDC of the controller asked that has told the state, so that both
 * know the same. */
static void
ask_same(const struct sr_ad_session *session, struct sr_krb5_session *kdc)
{
    const struct sr_ldap_session *directory = session->directory;

    if (directory == NULL || directory->ld == NULL ||
        kdc->kdcs.last.host[0] != '\0' ||
        directory->uri >= session->domain.host.count)
        return;
    snprintf(kdc->kdcs.last.host, sizeof(kdc->kdcs.last.host), "%s",
             session->domain.host.item[directory->uri]);
    snprintf(kdc->kdcs.realm, sizeof(kdc->kdcs.realm), "%s",
             session->domain.realm);
}

bool
sr_ad_account_of_kdc(struct sr_ad_call *ad, struct sr_call *part,
                     const struct sr_account *account,
                     struct sr_account *of_kdc)
{
    struct sr_krb5_session *kdc = sr_krb5_session_begin(part);
    const char *name = name_of(ad->session, account);

    memset(of_kdc, 0, sizeof(*of_kdc));
    if (kdc == NULL || name == NULL || strpbrk(name, "/@\\") != NULL)
        return false;
    ask_same(ad->session, kdc);
    of_kdc->facts = account->facts;
    if ((kdc->known.name == NULL ||
         strcmp(kdc->known.name, account->facts.name) != 0) &&
        sr_krb5_account_adopt(kdc, &account->facts, name) != SR_STATUS_OK)
        return false;
    of_kdc->entry = kdc->known.entry;
    return true;
}

/* ---- the state, by a bind */

/* Whether the KDC refuses the account, whatever the password is. */
static bool
refuses(const struct sr_krb5_session *kdc)
{
    return kdc != NULL && (kdc->answer == SR_KRB5_CLIENT_REVOKED ||
                           kdc->answer == SR_KRB5_CLIENT_ENDED);
}

/* Whether the facts let nobody log in, whatever the password is. */
static bool
are_barring(const struct sr_facts *facts, sr_time now)
{
    return facts->disabled == SR_YES || facts->locked == SR_LOCK_ADMIN ||
           (facts->locked == SR_LOCK_UNTIL && facts->locked_until > now) ||
           (SR_TIME_IS_SET(facts->account_ends) &&
            facts->account_ends <= now) ||
           facts->logon_hours == SR_NO || facts->workstation == SR_NO;
}

/* The directory has verified the password of an account that the KDC refuses:
 * where the directory does not show why, the KDC's word counts. */
static void
learn_refusal(const struct sr_krb5_session *kdc, struct sr_facts *facts)
{
    const sr_time now = time(NULL);

    if (refuses(kdc) && !are_barring(facts, now))
        sr_krb5_account_refused(kdc->answer, kdc->status, now, facts);
}

/*
 * A KDC that answers "revoked" has not always verified the password. The
 * directory shows the state for the right password only, except for a lockout.
 * No password is counted twice: a KDC that answers "revoked" has counted
 * nothing.
 */
static enum sr_verify_result
verify_by_bind(struct sr_ad_call *ad, struct sr_account *account,
               const char *password)
{
    struct sr_call *part = sr_ad_bind(ad);
    struct sr_ldap_session *session;
    enum sr_verify_result result = SR_VERIFY_UNAVAILABLE;
    struct sr_ldap_response answer;

    if (account == NULL || account->is_closed) { /* and read it */
        result =
            sr_ldap_operations.accounts.verify(part, account, password, false);
        if (result == SR_VERIFY_RIGHT && account != NULL)
            learn_refusal(ad->session->kdc, &account->facts);
        ad->call->error = part->error;
        return result;
    }
    session = sr_ldap_begin(part->state, part);
    if (session == NULL)
        return result;
    sr_ldap_as_user(session, account->entry, password, &answer);
    result = sr_ldap_response_ad(&answer);
    if (result == SR_VERIFY_RIGHT) { /* the directory's facts are older */
        sr_ldap_response_ad_facts(&answer, time(NULL), &account->facts);
        learn_refusal(ad->session->kdc, &account->facts);
    }
    /* Nobody logs in whom the KDC refuses; that the directory refuses him for
     * a reason that proves no password is no outage. */
    if (result == SR_VERIFY_UNAVAILABLE && refuses(ad->session->kdc) &&
        sr_ldap_response_data(&answer) != 0)
        result = SR_VERIFY_WRONG;
    if (result == SR_VERIFY_UNAVAILABLE && !sr_error_has_text(session->error))
        sr_ldap_why_response(session, &answer, "the bind failed: ");
    sr_ldap_close(session, false); /* it is bound as the user */
    sr_ldap_end(session);
    ad->call->error = part->error;
    return result;
}

/* ---- passwords */

/* What the KDC showed beyond the directory's facts, which are older. */
static void
learn(const struct sr_facts *of_kdc, struct sr_facts *facts)
{
    const sr_time now = time(NULL);

    if (of_kdc->must_change == SR_YES) {
        facts->must_change = SR_YES;
    } else if (facts->must_change == SR_YES ||
               sr_facts_expired(facts, now) != sr_facts_expired(of_kdc, now)) {
        facts->must_change = SR_NO;
        facts->temporary_until = SR_TIME_UNKNOWN;
        facts->password_expires = of_kdc->password_expires;
    }
}

/*
 * This host's own trouble, which the error says, keeps Kerberos from verifying.
 * A bind does, if the configuration allows it; the error stays for the log. TLS
 * has verified the directory, so a false KDC has no part in this.
 */
static enum sr_verify_result
verify_instead(struct sr_ad_call *ad, struct sr_account *account,
               const char *password)
{
    const struct sr_error why = ad->call->error;
    enum sr_verify_result result = SR_VERIFY_UNAVAILABLE;

    if (why.code != SR_ERROR_IDENTITY ||
        ad->call->backend->config->auth != SR_AUTH_KRB5_LDAP)
        return result;
    result = verify_by_bind(ad, account, password);
    if (result != SR_VERIFY_UNAVAILABLE && account != NULL) {
        account->is_by_bind = true;
        ad->call->error = why;
    }
    return result;
}

/* Kerberos has verified the password of an account that only its owner can
 * read. */
static enum sr_verify_result
read_as_owner(struct sr_ad_call *ad, struct sr_account *account,
              const char *password)
{
    return verify_by_bind(ad, account, password) == SR_VERIFY_RIGHT
               ? SR_VERIFY_RIGHT
               : SR_VERIFY_UNAVAILABLE;
}

static enum sr_verify_result
conclude(struct sr_ad_call *ad, struct sr_account *account,
         const struct sr_account *of_kdc, const char *password,
         enum sr_verify_result by_kdc)
{
    const struct sr_krb5_session *kdc = ad->session->kdc;

    if (refuses(kdc))
        return verify_by_bind(ad, account, password);
    /* Without FAST nothing shows that the KDC is a real one; TLS does so for
     * the directory. */
    if (kdc->answer == SR_KRB5_KEY_EXPIRED && by_kdc == SR_VERIFY_UNAVAILABLE &&
        kdc->armour == NULL && ad->call->backend->config->auth == SR_AUTH_KRB5)
        return verify_by_bind(ad, account, password);
    if (by_kdc == SR_VERIFY_UNAVAILABLE)
        return verify_instead(ad, account, password);
    if (by_kdc == SR_VERIFY_RIGHT && account->is_closed)
        return read_as_owner(ad, account, password);
    if (by_kdc == SR_VERIFY_RIGHT)
        learn(&of_kdc->facts, &account->facts);
    return by_kdc;
}

/*
 * A password that was changed here a moment ago, and is wrong to a controller
 * that need not know it: ask the one that has to.
 */
static enum sr_verify_result
verify_by_pdc(struct sr_ad_call *ad, struct sr_krb5_session *kdc,
              struct sr_account *of_kdc, const char *password)
{
    struct sr_krb5_kdcs *kdcs = &kdc->kdcs;
    enum sr_verify_result result;
    char by[256], pdc[256];

    if (kdc->answer != SR_KRB5_WRONG ||
        !sr_ad_changed_by(ad, of_kdc->facts.name, by) ||
        strcasecmp(by, kdcs->last.host) == 0 ||
        !sr_ad_domain_pdc(&ad->session->domain, kdcs->end, pdc) ||
        strcasecmp(pdc, kdcs->last.host) == 0)
        return SR_VERIFY_WRONG;
    memcpy(kdcs->last.host, pdc, sizeof(pdc));
    kdcs->is_pinned = true;
    result = sr_krb5_verify(kdc, of_kdc, password);
    kdcs->is_pinned = false;
    return result == SR_VERIFY_RIGHT ? result : SR_VERIFY_WRONG;
}

enum sr_verify_result
sr_ad_verify(struct sr_ad_call *ad, struct sr_account *account,
             const char *password)
{
    struct sr_call *part = sr_ad_kdc(ad);
    struct sr_krb5_session *kdc = sr_krb5_session_begin(part);
    enum sr_verify_result result = SR_VERIFY_UNAVAILABLE;
    struct sr_account of_kdc;

    if (kdc != NULL && account == NULL) {
        result = sr_krb5_verify(kdc, NULL, password);
        ad->call->error = part->error;
        if (result == SR_VERIFY_UNAVAILABLE)
            result = verify_instead(ad, NULL, password);
    } else if (kdc != NULL &&
               sr_ad_account_of_kdc(ad, part, account, &of_kdc)) {
        account->is_by_bind = false;
        kdc->answer = SR_KRB5_ASKS;
        result = sr_krb5_verify(kdc, &of_kdc, password);
        if (result == SR_VERIFY_WRONG)
            result = verify_by_pdc(ad, kdc, &of_kdc, password);
        ad->call->error = part->error;
        result = conclude(ad, account, &of_kdc, password, result);
    } else {
        ad->call->error = part->error;
    }
    return result;
}
