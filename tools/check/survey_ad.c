/*
 * Survey of Active Directory: what was found of a domain and of this host's
 * account there, and what is amiss, each with the command that repairs it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tools/check/survey.h"
#include "tools/check/survey_ad.h"
#include "tools/words.h"

/* msDS-SupportedEncryptionTypes (MS-KILE 2.2.7): AES 128 and 256. */
#define AES 0x18

#define COMMAND_SIZE 400

struct check {
    const struct sr_survey *survey;
    const struct sr_survey_ad *ad;
    const struct sr_backend_config *config;
    struct findings *findings;
    char place[32];
};

/* ---- commands */

void
check_survey_ad_join(const struct sr_survey_ad *ad,
                     const struct sr_backend_config *config, char *out,
                     size_t size)
{
    const bool has_path = config->keytab != NULL;

    snprintf(out, size, "adcli join%s%s --login-user=Administrator %s",
             has_path ? " --host-keytab=" : "", has_path ? config->keytab : "",
             ad->domain);
}

/* Give a name of a service to an account, or take it away. */
static void
name_command(const struct sr_survey_ad *ad, bool adds, const char *name,
             const char *account, char out[COMMAND_SIZE])
{
    if (ad->is_samba)
        snprintf(out, COMMAND_SIZE, "samba-tool spn %s %s '%s'",
                 adds ? "add" : "delete", name, account);
    else
        snprintf(out, COMMAND_SIZE, "setspn %s %s %s", adds ? "-S" : "-D", name,
                 account);
}

/* ---- this host's account */

/* Whether a ticket for the name was decrypted; NULL: for any of this host. */
static bool
is_decrypted(const struct check *check, const char *name)
{
    const struct sr_survey_krb5 *krb5 = &check->survey->krb5;

    for (size_t i = 0; i < krb5->key_count; i++) {
        const struct sr_survey_key *key = &krb5->key[i];
        const size_t length = strcspn(key->principal, "@");

        if (key->is_host && key->is_accepted &&
            (name == NULL || (strncasecmp(key->principal, name, length) == 0 &&
                              name[length] == '\0')))
            return true;
    }
    return false;
}

static void
check_name(const struct check *check, const struct sr_survey_spn *spn)
{
    const struct sr_survey_ad *ad = check->ad;
    const bool works = is_decrypted(check, spn->name);
    const enum severity severity =
        is_decrypted(check, NULL) ? SEVERITY_WARNING : SEVERITY_ERROR;
    char command[COMMAND_SIZE];

    if (spn->count == 1 && spn->is_ours)
        return;
    name_command(ad, spn->count == 0,
                 spn->count == 0 ? spn->name : spn->spelling,
                 spn->count == 0 ? ad->name : spn->other, command);
    if (spn->count == 0)
        findings_add(check->findings, works ? SEVERITY_WARNING : SEVERITY_ERROR,
                     spn->name, NULL, command, "%s",
                     works ? _("No account of the domain has this name "
                               "(SR-5101), although a KDC has given a ticket "
                               "for it.")
                           : _("No account of the domain has this name "
                               "(SR-5101): no KDC gives a ticket for it."));
    else if (spn->is_ours)
        findings_add(check->findings, severity, spn->name, NULL, command,
                     "Two accounts have this name (SR-5102), this host's and "
                     "%s: no KDC gives a ticket for it.",
                     spn->other);
    else
        findings_add(check->findings, severity, spn->name, NULL, command,
                     "Another account has this name (SR-5103), %s: tickets for "
                     "it have a key that this host does not know.",
                     spn->other);
}

static void
check_account(const struct check *check)
{
    const struct sr_survey_ad *ad = check->ad;
    char command[COMMAND_SIZE];

    if (ad->account[0] == '\0') {
        if (ad->name[0] == '\0')
            return; /* the keytab says why */
        check_survey_ad_join(ad, check->config, command, sizeof(command));
        findings_add(check->findings, SEVERITY_ERROR, ad->name, NULL, command,
                     "The domain has no such account, or hides it.");
        return;
    }
    for (size_t i = 0; i < ad->spn_count; i++)
        check_name(check, &ad->spn[i]);
    if (ad->enctypes < 0 || (ad->enctypes & AES) != AES) {
        snprintf(command, sizeof(command),
                 "net ads enctypes set '%s' %d -U Administrator", ad->name,
                 AES);
        findings_add(check->findings, SEVERITY_WARNING, ad->name, NULL, command,
                     "msDS-SupportedEncryptionTypes does not name AES "
                     "(SR-5108): tickets for this host may have a key of "
                     "another type, which it has not.");
    }
    if (ad->dns_why[0] != '\0') {
        snprintf(command, sizeof(command), "net ads dns register %s -P",
                 ad->fqdn);
        findings_add(check->findings, SEVERITY_WARNING, ad->fqdn, NULL, command,
                     "DNS does not lead to this host and back (SR-5109): %s.",
                     _(ad->dns_why));
    }
}

static void
check_identity(const struct check *check)
{
    const struct sr_survey_ad *ad = check->ad;

    if (ad->is_read == SR_NO)
        findings_add(check->findings, SEVERITY_ERROR, check->place, NULL,
                     "Repair first what else is said here, then run this "
                     "command again.",
                     "The directory cannot be read as this host: %s.  Nobody "
                     "of the domain can log in.",
                     _(ad->why));
}

/* ---- traps */

static void
check_threshold(const struct check *check, unsigned attempts)
{
    char advice[512];

    if (check->ad->threshold <= 0 || attempts < check->ad->threshold)
        return;
    snprintf(
        advice, sizeof(advice), _("Set \"attempts\" of [lockout] to %lld."),
        check->ad->threshold > 1 ? (long long)check->ad->threshold - 1 : 1LL);
    findings_add(check->findings, SEVERITY_WARNING, check->place, NULL, advice,
                 "The domain locks an account after %lld wrong passwords, and "
                 "this host lets %u through: whoever guesses here locks the "
                 "user out everywhere.",
                 (long long)check->ad->threshold, attempts);
}

static void
check_must_change(const struct check *check)
{
    const struct sr_survey_ad *ad = check->ad;
    char advice[1024];

    if (ad->needs_logon != SR_YES || ad->must_change == 0)
        return;
    snprintf(advice, sizeof(advice),
             _("selfresetctl must-change --clear %s, or name a group in "
               "\"logon_exempt\" of [change]."),
             ad->must_change_name);
    findings_add(check->findings, SEVERITY_WARNING, check->place, NULL, advice,
                 _n("The domain lets only those change a password who have "
                    "logged on (pwdProperties 2), and %zu account has to "
                    "change it first, %s: the two together let nobody in.",
                    "The domain lets only those change a password who have "
                    "logged on (pwdProperties 2), and %zu accounts have to "
                    "change it first, such as %s: the two together let nobody "
                    "in.",
                    ad->must_change),
                 ad->must_change, ad->must_change_name);
}

static void
check_history(const struct check *check)
{
    if (check->ad->has_hints == SR_NO && check->config->reset_history)
        findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                     "Set \"reset_history = no\", if temporary passwords are "
                     "to be set all the same.",
                     "The domain controllers do not apply the history of "
                     "passwords to one that an administrator sets (policy "
                     "hints): \"selfresetctl temporary\" is refused.");
}

/* ---- the test entry */

/* The folder of the test entry, which the rights are given on. */
static const char *
parent_of(const char *dn)
{
    for (const char *at = dn; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (*at == ',')
            return at + 1;
    }
    return dn;
}

/* All that administration needs, in one command: to reset passwords, and to
 * write pwdLastSet, lockoutTime and userAccountControl of users. */
static void
delegate_command(const struct check *check, char *out, size_t size)
{
    static const char user[] = "bf967aba-0de6-11d0-a285-00aa003049e2";
    static const char *const right[] = {
        "CR;00299570-246d-11d0-a768-00aa006e0529",
        "RPWP;bf967a0a-0de6-11d0-a285-00aa003049e2",
        "RPWP;28630ebf-41d5-11d1-a9c1-0000f80367c1",
        "RPWP;bf967a68-0de6-11d0-a285-00aa003049e2"};
    static const char *const named[] = {"CA;Reset Password", "RPWP;pwdLastSet",
                                        "RPWP;lockoutTime",
                                        "RPWP;userAccountControl"};
    const struct sr_survey_ad *ad = check->ad;
    const char *folder = parent_of(check->survey->test_dn);
    int used;

    used = ad->is_samba ? snprintf(out, size,
                                   "samba-tool dsacl set '--objectdn=%s' "
                                   "--action=allow '--sddl=",
                                   folder)
                        : snprintf(out, size, "dsacls \"%s\" /I:S /G", folder);
    for (size_t i = 0; i < 4 && used > 0 && (size_t)used < size; i++)
        used += ad->is_samba
                    ? snprintf(out + used, size - (size_t)used,
                               "(OA;CIIO;%s;%s;%s)", right[i], user, ad->sid)
                    : snprintf(out + used, size - (size_t)used,
                               " \"%s@%s:%s;user\"", ad->identity, ad->domain,
                               named[i]);
    if (ad->is_samba && (size_t)used < size)
        snprintf(out + used, size - (size_t)used, "'");
    if (ad->sid[0] == '\0' || ad->identity[0] == '\0')
        snprintf(out, size, "%s",
                 _("Delegate it as README says of accounts of Active "
                   "Directory."));
}

/* The rights that the identity lacks, in one finding: one command gives all. */
static void
check_rights(const struct check *check)
{
    const struct sr_survey *survey = check->survey;
    char advice[1200], list[200] = "";

    delegate_command(check, advice, sizeof(advice));
    for (size_t i = 0; i < survey->right_count; i++) {
        const struct sr_survey_right *right = &survey->right[i];
        const size_t used = strlen(list);

        if (!right->is_shut && right->writes == SR_NO)
            snprintf(list + used, sizeof(list) - used, "%s%s",
                     used == 0 ? "" : ", ", right->attribute);
        if (strcmp(right->attribute, "replPropertyMetaData") == 0 &&
            right->sees == SR_NO)
            findings_add(check->findings, SEVERITY_WARNING, survey->test_dn,
                         NULL, "Let it read the attribute of users.",
                         "replPropertyMetaData cannot be read: the age of a "
                         "temporary password is known on the host only that "
                         "has set it.");
    }
    if (list[0] != '\0')
        findings_add(check->findings, SEVERITY_WARNING, survey->test_dn, NULL,
                     advice,
                     "%s may not write %s: \"selfresetctl temporary\" "
                     "(unicodePwd, pwdLastSet, userAccountControl), "
                     "\"must-change\" (pwdLastSet, userAccountControl) or "
                     "\"unlock\" (lockoutTime) is refused.",
                     check->ad->identity[0] == '\0' ? _("The identity")
                                                    : check->ad->identity,
                     list);
}

static void
check_test(const struct check *check)
{
    const struct sr_survey *survey = check->survey;

    if (survey->test_result == SR_TEST_FOUND)
        check_rights(check);
    else if (survey->test_result != SR_TEST_NONE)
        findings_add(check->findings, SEVERITY_ERROR, survey->test, NULL,
                     "Name another account for --test-entry; or see \"base\", "
                     "\"filter\" and \"uid_min\" in selfreset.conf(5).",
                     survey->test_why[0] == '\0'
                         ? N_("It is no account of this backend.")
                         : N_("It is no account of this backend: %s."),
                     _(survey->test_why));
    if (survey->is_let_in == SR_NO)
        findings_add(check->findings, SEVERITY_WARNING, survey->test, NULL,
                     "Give the right password, or repair what is said.",
                     survey->test_why[0] == '\0' ? N_("It is not let in.")
                                                 : N_("It is not let in: %s."),
                     _(survey->test_why));
}

void
check_survey_ad(const struct sr_survey *survey,
                const struct sr_backend_config *config, unsigned attempts,
                struct findings *findings)
{
    struct check check = {.survey = survey,
                          .ad = &survey->ad,
                          .config = config,
                          .findings = findings};

    snprintf(check.place, sizeof(check.place), "[backend %s]", config->name);
    check_identity(&check);
    if (survey->ad.is_read != SR_YES)
        return;
    check_account(&check);
    check_threshold(&check, attempts);
    check_must_change(&check);
    check_history(&check);
    check_test(&check);
}

/* ---- what was found */

void
report_survey_ad(struct report *report, const struct sr_survey *survey)
{
    const struct sr_survey_ad *ad = &survey->ad;
    char key[32];

    report_section(report, "domain", "Domain");
    report_text(report, "name", ad->domain);
    report_tri(report, "read_as_this_host", ad->is_read);
    report_text(report, "account", ad->account[0] == '\0' ? NULL : ad->account);
    report_text(report, "dns_name", ad->fqdn[0] == '\0' ? NULL : ad->fqdn);
    report_number(report, "lockout_threshold", ad->threshold);
    report_tri(report, "change_needs_logon", ad->needs_logon);
    report_tri(report, "reset_obeys_history", ad->has_hints);
    report_section_end(report);
    for (size_t i = 0; i < ad->spn_count; i++) {
        const struct sr_survey_spn *spn = &ad->spn[i];

        snprintf(key, sizeof(key), "name_%zu", i + 1);
        report_section(report, key, spn->name);
        report_text(report, "service_name", spn->name);
        report_number(report, "accounts", (int64_t)spn->count);
        report_bool(report, "is_ours", spn->is_ours);
        report_text(report, "other", spn->other[0] == '\0' ? NULL : spn->other);
        report_section_end(report);
    }
    if (survey->test_dn[0] != '\0')
        report_rights(report, survey);
}
