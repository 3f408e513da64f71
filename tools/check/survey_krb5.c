/*
 * Survey of Kerberos: what was found of the KDCs and of this host's keys, and
 * what is wrong, each with the command that corrects it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tools/check/survey_ad.h"
#include "tools/check/host.h"
#include "tools/check/survey_krb5.h"
#include "tools/words.h"

/* KDCs refuse requests from clocks that differ by more (RFC 4120). */
#define OFFSET_MOST 300
/* More than this is on its way there. */
#define OFFSET_WARN 60

#define COMMAND_SIZE 400

struct check {
    const struct sr_survey *survey;
    const struct sr_survey_krb5 *krb5;
    const struct sr_backend_config *config;
    struct findings *findings;
    bool is_ad;
    char place[32];
};

/* ---- what is wrong */

static void
check_servers(const struct check *check)
{
    const struct sr_survey *survey = check->survey;

    for (size_t i = 0; i < survey->uri_count; i++) {
        const struct sr_survey_uri *server = &survey->uri[i];

        if (!server->is_answered)
            findings_add(check->findings,
                         survey->used[0] == '\0' ? SEVERITY_ERROR
                                                 : SEVERITY_WARNING,
                         server->uri, NULL,
                         "Start it, allow this host to reach it over TCP, or "
                         "take it out of the list: logins wait for it.",
                         "It does not answer: %s.", _(server->why));
    }
    if (survey->used[0] == '\0')
        findings_add(check->findings, SEVERITY_ERROR, check->place, NULL,
                     "Name the KDCs by \"kdc\" here or in krb5.conf(5), or in "
                     "DNS as _kerberos._tcp.",
                     survey->why[0] == '\0'
                         ? N_("No KDC answers.  No user can log in.")
                         : N_("No KDC answers: %s.  No user can log in."),
                     _(survey->why));
}

static void
check_offset(const struct check *check)
{
    const int64_t offset = check->krb5->offset;
    const int64_t size = offset < 0 ? -offset : offset;

    if (check->krb5->has_offset && size > OFFSET_WARN)
        findings_add(check->findings,
                     size > OFFSET_MOST ? SEVERITY_ERROR : SEVERITY_WARNING,
                     check->place, NULL, check_clock_command(),
                     offset < 0 ? N_("The clock of this host is %lld seconds "
                                     "ahead of the KDC's (SR-5106).")
                                : N_("The clock of this host is %lld seconds "
                                     "behind the KDC's (SR-5106)."),
                     (long long)size);
}

/* The path of the keytab, for commands. */
static const char *
keytab_path(const struct check *check)
{
    const char *name = check->krb5->keytab;

    if (strncmp(name, "FILE:", 5) == 0)
        return name + 5;
    return check->config->keytab == NULL ? "/etc/krb5.keytab"
                                         : check->config->keytab;
}

/* The same in a domain of Active Directory. */
static void
advise_ad(const struct check *check, const char *event, char out[COMMAND_SIZE])
{
    const struct sr_survey_ad *ad = &check->survey->ad;

    if (strcmp(event, "SR-5106") == 0)
        snprintf(out, COMMAND_SIZE, "%s", check_clock_command());
    else if (strcmp(event, "SR-5108") == 0)
        snprintf(out, COMMAND_SIZE,
                 "net ads enctypes set '%s' 24 -U Administrator", ad->name);
    else if (strcmp(event, "SR-5111") == 0)
        snprintf(out, COMMAND_SIZE, "samba-tool user enable '%s'", ad->name);
    else
        check_survey_ad_join(ad, check->config, out, COMMAND_SIZE);
}

/* What makes the key of a principal good, with its event. */
static void
advise(const struct check *check, const char *event, const char *principal,
       char out[COMMAND_SIZE])
{
    if (check->is_ad)
        advise_ad(check, event, out);
    else if (strcmp(event, "SR-5101") == 0)
        snprintf(out, COMMAND_SIZE, "kadmin -q \"addprinc -randkey %s\"",
                 principal);
    else if (strcmp(event, "SR-5106") == 0)
        snprintf(out, COMMAND_SIZE, "%s", check_clock_command());
    else
        snprintf(out, COMMAND_SIZE, "kadmin -q \"ktadd -k %s %s\"",
                 keytab_path(check), principal);
}

static bool
is_usable(const struct sr_survey_key *key)
{
    return key->is_host ? key->is_accepted : key->is_right;
}

/* Whether nothing can be said of a key before another one works. */
static bool
is_untried(const struct check *check, const struct sr_survey_key *key)
{
    return check->is_ad && key->is_service && key->event[0] == '\0' &&
           !key->is_accepted;
}

/* Whether a host/NAME entry works. */
static bool
has_host_key(const struct sr_survey_krb5 *krb5)
{
    for (size_t i = 0; i < krb5->key_count; i++) {
        if (krb5->key[i].is_host && krb5->key[i].is_accepted)
            return true;
    }
    return false;
}

/* Whether the directory says more of what is amiss with a name. */
static bool
is_named_by_directory(const struct check *check,
                      const struct sr_survey_key *key)
{
    const struct sr_survey_ad *ad = &check->survey->ad;
    const size_t length = strcspn(key->principal, "@");

    for (size_t i = 0; i < ad->spn_count; i++) {
        const struct sr_survey_spn *spn = &ad->spn[i];

        if (strncasecmp(spn->name, key->principal, length) == 0 &&
            spn->name[length] == '\0')
            return spn->count != 1 || !spn->is_ours;
    }
    return false;
}

static void
check_key(const struct check *check, const struct sr_survey_key *key,
          bool has_other)
{
    const char *event = key->event;
    char command[COMMAND_SIZE];

    if (is_usable(key) || is_untried(check, key) ||
        is_named_by_directory(check, key))
        return;
    advise(check, key->event, key->principal, command);
    /* Nothing but this host should have changed it. */
    if (check->config->bind_secret == SR_BIND_SECRET_MANAGED &&
        strcmp(event, "SR-5105") == 0)
        event = "SR-5004";
    findings_add(check->findings,
                 has_other || !check->config->verify ? SEVERITY_WARNING
                                                     : SEVERITY_ERROR,
                 key->principal, NULL, command,
                 event[0] == '\0' ? N_("The key is of no use: %s.")
                                  : N_("The key is of no use (%2$s): %1$s."),
                 _(key->why), event);
}

static void
check_keytab(const struct check *check)
{
    const struct sr_survey_krb5 *krb5 = check->krb5;
    bool has_host = has_host_key(krb5), has_entry = false;
    char command[COMMAND_SIZE], principal[600];

    snprintf(principal, sizeof(principal), "host/%s@%s", krb5->host,
             krb5->realm);
    for (size_t i = 0; i < krb5->key_count; i++) {
        has_entry = has_entry || krb5->key[i].is_host;
        check_key(check, &krb5->key[i], has_host);
    }
    if (krb5->keytab_why[0] == '\0' && has_entry)
        return;
    advise(check, "SR-5107", principal, command);
    if (strstr(krb5->keytab_why, " has mode ") != NULL ||
        strstr(krb5->keytab_why, " is not root's") != NULL)
        snprintf(command, sizeof(command),
                 "install -o root -g root -m 600 %s %s", keytab_path(check),
                 keytab_path(check));
    findings_add(
        check->findings,
        check->config->verify ? SEVERITY_ERROR : SEVERITY_WARNING, check->place,
        NULL, command, "There is no key of this host (SR-5107): %s.  %s",
        krb5->keytab_why[0] == '\0' ? _("the keytab has no entry host/NAME")
                                    : _(krb5->keytab_why),
        check->config->verify ? _("No user can log in by password.")
                              : _("Without it there is no FAST."));
}

static void
check_traps(const struct check *check)
{
    const struct sr_backend_config *config = check->config;

    if (!config->verify)
        findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                     "Give this host a keytab, and take \"verify = no\" out.",
                     "KDCs are not verified: whatever answers in place of a "
                     "KDC can authenticate anyone.");
    else if (check->krb5->has_fast != SR_YES && has_host_key(check->krb5))
        findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                     config->fast == SR_FAST_NEVER
                         ? N_("Take \"fast = never\" out.")
                         : N_("Let the KDC offer FAST (MIT Kerberos 1.8, "
                              "Heimdal 7, Windows Server 2012 or later)."),
                     check->is_ad
                         ? N_("KDCs are not asked under FAST: passwords can be "
                              "guessed from what is sent.")
                         : N_("KDCs are not asked under FAST: passwords can be "
                              "guessed from what is sent, and users whose "
                              "password has expired cannot log in to change "
                              "it."));
}

static void
check_states(const struct check *check)
{
    if (check->krb5->tells_states != SR_NO ||
        check->config->unknown != SR_UNKNOWN_ALLOW)
        return;
    findings_add(check->findings, SEVERITY_WARNING, check->place, NULL,
                 "Set \"unknown = deny\", or have such accounts disabled for "
                 "the name service or sshd as well.",
                 "The KDC says nothing of an account without its password: one "
                 "that is disabled, has ended or has expired can still log in "
                 "by key.");
}

static void
check_test(const struct check *check)
{
    const struct sr_survey *survey = check->survey;

    if (survey->test_result == SR_TEST_UNKNOWN)
        findings_add(check->findings, SEVERITY_ERROR, survey->test, NULL,
                     "Name another account for --test-entry; or see min_uid "
                     "and user_principal in selfreset.conf(5).",
                     "It is no account of this backend: the name service or "
                     "the KDC does not know it.");
    else if (survey->test_result == SR_TEST_FAILED)
        findings_add(check->findings, SEVERITY_ERROR, survey->test, NULL,
                     "Correct the cause.", "It cannot be asked for: %s.",
                     _(survey->test_why));
    if (survey->is_let_in == SR_NO)
        findings_add(check->findings, SEVERITY_WARNING, survey->test, NULL,
                     "Give the right password, or correct the cause.",
                     survey->test_why[0] == '\0' ? N_("It cannot log in.")
                                                 : N_("It cannot log in: %s."),
                     _(survey->test_why));
}

void
check_survey_krb5(const struct sr_survey *survey,
                  const struct sr_backend_config *config,
                  struct findings *findings)
{
    struct check check = {.survey = survey,
                          .krb5 = &survey->krb5,
                          .config = config,
                          .findings = findings};

    check.is_ad = config->type == SR_BACKEND_AD;
    snprintf(check.place, sizeof(check.place), "[backend %s]", config->name);
    check_servers(&check);
    if (survey->used[0] == '\0')
        return;
    check_offset(&check);
    check_keytab(&check);
    check_traps(&check);
    if (check.is_ad)
        return; /* the directory knows states and accounts */
    check_states(&check);
    check_test(&check);
}

/* ---- what was found */

static void
report_servers(struct report *report, const struct sr_survey *survey)
{
    char key[32];

    for (size_t i = 0; i < survey->uri_count; i++) {
        const struct sr_survey_uri *server = &survey->uri[i];

        snprintf(key, sizeof(key), "server_%zu", i + 1);
        report_section(report, key, server->uri);
        report_text(report, "server", server->uri);
        report_bool(report, "answers", server->is_answered);
        report_text(report, "error",
                    server->is_answered ? NULL : _(server->why));
        report_section_end(report);
    }
}

static void
report_keys(struct report *report, const struct sr_survey_krb5 *krb5)
{
    char name[32];

    for (size_t i = 0; i < krb5->key_count; i++) {
        const struct sr_survey_key *key = &krb5->key[i];

        snprintf(name, sizeof(name), "key_%zu", i + 1);
        report_section(report, name, key->principal);
        report_text(report, "principal", key->principal);
        report_number(report, "kvno", key->kvno);
        report_text(report, "enctypes", key->enctypes);
        report_bool(report, "key_accepted_by_kdc", key->is_right);
        if (key->is_host)
            report_bool(report, "ticket_decrypted", key->is_accepted);
        report_text(report, "error", is_usable(key) ? NULL : _(key->why));
        report_text(report, "event", key->event[0] == '\0' ? NULL : key->event);
        report_section_end(report);
    }
}

void
report_survey_krb5(struct report *report, const struct sr_survey *survey,
                   const struct sr_backend_config *config)
{
    const struct sr_survey_krb5 *krb5 = &survey->krb5;

    report_text(report, "backend", config->name);
    report_text(report, "realm", krb5->realm);
    report_text(report, "server_used",
                survey->used[0] == '\0' ? NULL : survey->used);
    report_text(report, "keytab",
                krb5->keytab[0] == '\0' ? NULL : krb5->keytab);
    report_bool(report, "verify", config->verify);
    report_tri(report, "fast", krb5->has_fast);
    report_tri(report, "tells_states", krb5->tells_states);
    if (krb5->has_offset)
        report_number(report, "clock_offset", krb5->offset);
    else
        report_text(report, "clock_offset", NULL);
    if (survey->test != NULL && config->type != SR_BACKEND_AD)
        report_text(report, "test_entry",
                    survey->test_dn[0] == '\0' ? NULL : survey->test_dn);
    if (survey->test != NULL) {
        report_tri(report, "test_let_in", survey->is_let_in);
    }
    report_servers(report, survey);
    report_keys(report, krb5);
}
