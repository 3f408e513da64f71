/*
 * Captive: whether the way into self-service reset for people who cannot log in
 * is safe and open.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "policy/config/account_rules.h"
#include "policy/config/keys.h"
#include "policy/account/captive.h"
#include "tools/check/captive.h"
#include "tools/check/mail_program.h"
#include "tools/check/host.h"
#include "tools/check/pam_stack.h"
#include "tools/check/sshd_config.h"
#include "tools/spawn.h"
#include "tools/words.h"

#define SET_UP N_("Run \"selfresetctl reset --setup\".")

/*
 * What a login of the captive account may do.  DisableForwarding alone left
 * agent and X11 forwarding enabled before OpenSSH 10.0 (CVE-2025-32728).
 * PermitEmptyPasswords is what pam_selfreset takes for sshd's word that this
 * block is in force; no password is taken, so there is none that is empty.
 */
static const struct {
    const char *key;
    const char *value;
} settings[] = {
    {"ForceCommand", SR_CAPTIVE_SHELL},
    {"AuthenticationMethods", "keyboard-interactive"},
    {"KbdInteractiveAuthentication", "yes"},
    {"PasswordAuthentication", "no"},
    {"PubkeyAuthentication", "no"},
    {"HostbasedAuthentication", "no"},
    {"PermitEmptyPasswords", "yes"},
    {"DisableForwarding", "yes"},
    {"AllowTcpForwarding", "no"},
    {"AllowStreamLocalForwarding", "no"},
    {"AllowAgentForwarding", "no"},
    {"X11Forwarding", "no"},
    {"PermitTunnel", "no"},
    {"PermitUserRC", "no"},
    {"PermitTTY", "yes"},
    {"MaxSessions", "1"},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

char *
captive_snippet(const char *account)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    if (stream == NULL)
        return NULL;
    fprintf(
        stream,
        "# Made by \"selfresetctl reset --setup\", and removed by --remove.\n"
        "# The account is let in without a password, so it may do nothing "
        "else.\n"
        "Match User %s\n",
        account);
    for (size_t i = 0; i < SETTINGS; i++)
        fprintf(stream, "    %s %s\n", settings[i].key, settings[i].value);
    fputs("Match all\n", stream);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

bool
captive_has_sshd(void)
{
    return access("/usr/sbin/sshd", X_OK) == 0 && access(SSHD_CONF, F_OK) == 0;
}

/* ---- what sshd says */

/* What it has said of a login, and the first setting that is wrong. */
struct sshd_answer {
    bool is_seen[SETTINGS];
    bool uses_pam;
    bool admits_empty; /* accounts without a password */
    char *flaw;
    size_t size;
};

static void
take_line(struct sshd_answer *answer, const char *key, const char *value)
{
    if (strcasecmp(key, "UsePAM") == 0)
        answer->uses_pam = strcasecmp(value, "yes") == 0;
    if (strcasecmp(key, "PermitEmptyPasswords") == 0)
        answer->admits_empty = strcasecmp(value, "yes") == 0;
    for (size_t i = 0; i < SETTINGS; i++) {
        if (strcasecmp(key, settings[i].key) != 0)
            continue;
        answer->is_seen[i] = true;
        if (strcmp(value, settings[i].value) != 0 && answer->flaw[0] == '\0')
            snprintf(answer->flaw, answer->size, _("%s is \"%s\""),
                     settings[i].key, value);
    }
}

static void
take_lines(FILE *stream, void *context)
{
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stream) >= 0) {
        char *value = line + strcspn(line, " \n");

        if (*value == ' ')
            *value++ = '\0';
        value[strcspn(value, "\n")] = '\0';
        take_line(context, line, value);
    }
    free(line);
}

/* Ask it about a login of `user` from `address`. */
static bool
ask_sshd(const char *user, const char *address, struct sshd_answer *answer)
{
    char spec[256];
    const char *const argv[] = {"sshd", "-T", "-C", spec, NULL};

    snprintf(spec, sizeof(spec),
             "user=%s,host=%s,addr=%s,laddr=127.0.0.1,lport=22", user, address,
             address);
    answer->flaw[0] = '\0';
    if (ctl_read(argv, take_lines, answer) == 0)
        return true;
    snprintf(answer->flaw, answer->size, "%s", _("\"sshd -T\" failed"));
    return false;
}

bool
captive_sshd_obeys(const char *account, char *flaw, size_t size)
{
    /* The second is an address for documentation, which no block names. */
    static const char *const addresses[] = {"127.0.0.1", "192.0.2.1"};

    for (size_t i = 0; i < 2; i++) {
        struct sshd_answer answer = {.flaw = flaw, .size = size};

        if (!ask_sshd(account, addresses[i], &answer))
            return false;
        for (size_t k = 0; k < SETTINGS && flaw[0] == '\0'; k++) {
            if (!answer.is_seen[k])
                snprintf(flaw, size, _("%s is unknown"), settings[k].key);
        }
        if (flaw[0] == '\0' && !answer.uses_pam)
            snprintf(flaw, size, _("%s is \"%s\""), "UsePAM", "no");
        if (flaw[0] != '\0')
            return false;
    }
    return true;
}

/* ---- findings */

static void
check_account(const char *account, struct findings *findings)
{
    uid_t uid;
    const char *flaw = sr_captive_flaw(account, &uid);

    if (flaw != NULL)
        findings_add(findings, SEVERITY_ERROR, account, NULL, SET_UP,
                     "The account for self-service reset is refused: %s.",
                     _(flaw));
}

static void
check_account_groups(const char *account, struct findings *findings)
{
    const struct group *group;

    setgrent();
    while ((group = getgrent()) != NULL) {
        for (char **member = group->gr_mem; *member != NULL; member++) {
            if (strcmp(*member, account) == 0)
                findings_add(findings, SEVERITY_WARNING, account,
                             group->gr_name, "Take it out with gpasswd(1).",
                             "The account for self-service reset is in groups "
                             "that give it rights.");
        }
    }
    endgrent();
}

static void
check_captive_sshd(const char *account, struct findings *findings)
{
    char flaw[200], unused[200];
    struct sshd_answer others = {.flaw = unused, .size = sizeof(unused)};

    if (!captive_sshd_obeys(account, flaw, sizeof(flaw)))
        findings_add(findings, SEVERITY_ERROR, SSHD_CONF, account,
                     "Run \"selfresetctl reset --setup\".  If that refuses, "
                     "it says what is in its way.",
                     "sshd does not confine the account for self-service "
                     "reset as it must: %s.",
                     flaw);
    /* Then the module cannot notice that the block is missing. */
    if (ask_sshd("root", "192.0.2.1", &others) && others.admits_empty)
        findings_add(findings, SEVERITY_ERROR, SSHD_CONF, NULL,
                     "Remove \"PermitEmptyPasswords yes\" there, and run "
                     "\"systemctl reload ssh\" (Fedora, SUSE: \"systemctl "
                     "reload sshd\").",
                     "sshd admits accounts without a password "
                     "(PermitEmptyPasswords).");
}

/* The services of a list, the value of `key`. */
static void
check_services(const struct sr_string_list *services, const char *key,
               struct findings *findings)
{
    for (size_t i = 0; i < services->count; i++) {
        const char *service = services->item[i];

        if (!stacks_name_module(check_pam_folders, service, NULL, NULL))
            findings_add(findings, SEVERITY_WARNING, "/etc/pam.d", service,
                         "Put pam_selfreset.so into its stack, or take it out "
                         "of that list.",
                         "The service is one of %s, but its stack does not "
                         "have pam_selfreset.so.",
                         key);
    }
}

/* Display managers that have no dialogue with a user: they answer each question
 * with the password that was typed before. */
static void
check_greeters(const struct sr_string_list *greeters, struct findings *findings)
{
    static const char *const mute[] = {"sddm", "plasmalogin"};

    check_services(greeters, "reset.greeters", findings);
    for (size_t i = 0; i < sizeof(mute) / sizeof(mute[0]); i++) {
        if (sr_string_list_has(greeters, mute[i]))
            findings_add(findings, SEVERITY_WARNING, "reset.greeters", mute[i],
                         "Take it out of reset.greeters; \"reset\" at a "
                         "console (reset.services) works beside it.",
                         "This display manager answers each question with the "
                         "password that was typed first, so nobody can reset "
                         "a password there.");
    }
}

/* One proof that another person can come by: a mailbox, or a number that was
 * taken over. */
static void
check_weak_gates(const struct sr_config *config, struct findings *findings)
{
    const struct sr_string_list *classes = &config->rules.reset_classes;
    unsigned sent = 0;

    for (int i = 0; i < SR_CHANNEL_PUSH; i++)
        sent += sr_string_list_has(classes, sr_channel_names[i]);
    if (config->rules.reset_gates == 1 &&
        (sr_string_list_has(classes, "sms") ||
         sr_string_list_has(classes, "voice")))
        findings_add(findings, SEVERITY_WARNING, "reset.gates", "1",
                     "Set \"gates = 2\".",
                     "A telephone alone is enough to reset a password; numbers "
                     "can be taken over.");
    if (sent > 0 && sent == classes->count)
        findings_add(findings, SEVERITY_WARNING, "reset.classes", NULL,
                     "Add \"app\" or \"codes\".",
                     "Mail and telephone are one proof for the accounts of "
                     "reset.administrators, so these cannot reset their "
                     "password.");
}

void
check_confirmations(const struct sr_enrolment_totals *totals,
                    struct findings *findings)
{
    if (totals->uncounted[0] != '\0')
        findings_add(findings, SEVERITY_WARNING, "reset.store", "ldap",
                     "\"selfresetctl check --backend\" looks at the "
                     "directory.",
                     "The enrolments in a directory cannot be counted. %s.",
                     totals->uncounted);
    if (totals->lapsed > 0)
        findings_add(findings, SEVERITY_WARNING, "reset.reconfirm_grace", NULL,
                     "Their owners have to run \"selfreset enroll\"; \"nag = "
                     "yes\" asks them to, before it is too late.",
                     _n("%u account has an address that was not confirmed for "
                        "too long, and cannot be used for a reset.",
                        "%u accounts have an address that was not confirmed "
                        "for too long, and cannot be used for a reset.",
                        totals->lapsed),
                     totals->lapsed);
}

/* What users have set up on this host. */
static void
check_enrolled(const struct sr_config *config, struct findings *findings)
{
#ifdef HAVE_RESET
    struct sr_enrolment_totals totals;
    struct sr_store *store = NULL;

    enum sr_store_result result = sr_enrolment_store(SR_STORE_READ, &store);

    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        result = sr_enrolment_count(store, config, &totals);
    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        check_confirmations(&totals, findings);
    sr_store_close(store);
#else
    (void)config;
    (void)findings;
#endif
}

void
check_captive(const struct sr_config *config, struct findings *findings)
{
    const struct sr_reset_config *reset = &config->reset;

    if (!sr_config_resets(config))
        return;
    check_account(reset->account, findings);
    check_account_groups(reset->account, findings);
    check_services(&reset->services, "reset.services", findings);
    check_greeters(&reset->greeters, findings);
    check_programs(config, findings);
    check_weak_gates(config, findings);
    check_enrolled(config, findings);
    if (sr_string_list_has(&reset->services, "sshd") && captive_has_sshd())
        check_captive_sshd(reset->account, findings);
    if (!check_has_helper(CAPTIVE_SOCKET))
        findings_add(
            findings, SEVERITY_ERROR, CAPTIVE_SOCKET, NULL,
            "Run \"systemctl enable --now selfreset-reset.socket\", "
            "or without systemd start \"selfreset-helper --listen\".",
            "selfreset-helper does not listen there, so nobody can reset a "
            "password.");
}
