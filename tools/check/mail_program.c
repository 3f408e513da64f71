/*
 * Mail program: whether the programs that self-service reset runs are there,
 * and work where they would be run.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/config/account_rules.h"
#include "policy/config/keys.h"
#include "policy/util/deadline.h"
#include "policy/util/error.h"
#include "policy/util/program.h"
#include "policy/wire/link.h"
#include "tools/check/mail_program.h"
#include "tools/words.h"

#define SOCKET_PATH SR_RUNDIR "/" SR_LINK_RESET

#define HEARD_MS 10000
#define RUN_MS   20000 /* the helper kills the program after 15 seconds */
#define NOBODY   65534

/* ---- asking the helper */

/* What it says until it ends.  Returns 0 or a negative errno. */
static int
hear(int link, struct sr_wire *wire, uint32_t *code,
     char why[MAIL_PROGRAM_TEXT])
{
    const int64_t end = sr_deadline_now() + RUN_MS;
    int error;

    while ((error = sr_link_receive(link, wire, end)) == 0) {
        const char *text = sr_wire_text(wire, SR_WIRE_TEXT);

        if (text != NULL)
            snprintf(why, MAIL_PROGRAM_TEXT, "%s", text);
        if (sr_wire_kind(wire) == SR_WIRE_REFUSE)
            return -EACCES;
        if (sr_wire_kind(wire) == SR_WIRE_END)
            break;
    }
    *code = sr_wire_number(wire, SR_WIRE_CODE, 1);
    return error;
}

enum mail_program_answer
mail_program_try(const char *address, char why[MAIL_PROGRAM_TEXT])
{
    struct sr_wire *wire = calloc(1, sizeof(*wire));
    const int64_t end = sr_deadline_now() + HEARD_MS;
    int link = wire == NULL ? -ENOMEM : sr_link_connect(SOCKET_PATH, end);
    int error = link < 0 ? link : 0;
    uint32_t code = 1;

    why[0] = '\0';
    if (error == 0) {
        sr_wire_hello(wire);
        error = sr_link_send(link, wire, end);
    }
    if (error == 0) {
        sr_wire_begin(wire, SR_WIRE_FLOW);
        sr_wire_put_text(wire, SR_WIRE_TEXT, SR_WIRE_TRY_MAIL);
        sr_wire_put_text(wire, SR_WIRE_ARGUMENT, address);
        error = sr_link_send(link, wire, end);
    }
    if (error == 0)
        error = hear(link, wire, &code, why);
    if (error != 0 && why[0] == '\0')
        snprintf(why, MAIL_PROGRAM_TEXT, "%s", sr_strerror(-error));
    if (link >= 0)
        close(link);
    free(wire);
    return error != 0  ? MAIL_PROGRAM_UNASKED
           : code == 0 ? MAIL_PROGRAM_GOOD
                       : MAIL_PROGRAM_BAD;
}

/* ---- findings */

static void
check_user(const char *channel, const char *name, struct findings *findings)
{
    const struct passwd *user = name == NULL ? NULL : getpwnam(name);
    char key[40];

    snprintf(key, sizeof(key), "reset.%s_user", channel);
    if (user == NULL || user->pw_uid == 0)
        findings_add(findings, SEVERITY_WARNING, key, name,
                     name != NULL && strcmp(name, SR_PROGRAM_USER) == 0
                         ? N_("Run \"selfresetctl reset --setup\", which makes "
                              "it.")
                         : N_("Name a user without rights, or take the line "
                              "out."),
                     strcmp(channel, "mail") == 0
                         ? N_("There is no such user other than root, so no %s "
                              "of self-service reset is sent and no signature "
                              "of a key is checked.")
                         : N_("There is no such user other than root, so no %s "
                              "of self-service reset is sent."),
                     channel);
    else if (user->pw_uid == NOBODY)
        findings_add(findings, SEVERITY_WARNING, key, name,
                     "Take the line out: the default is a user of its own.",
                     "Other services run as this user and could trace the "
                     "programs of self-service reset, which see codes and "
                     "check signatures.");
}

/* The path of a program that is configured with its arguments; false: it is not
 * there. */
static bool
find_program(const char *program, char *path, size_t size)
{
    char word[256];

    snprintf(word, sizeof(word), "%.*s",
             program == NULL ? 0 : (int)strcspn(program, " \t"),
             program == NULL ? "" : program);
    return word[0] != '\0' && sr_program_find(word, path, size);
}

/* The helper is asked for what a look from here does not show: what its
 * sandbox, and the rights of its user, let the program do.  One that cannot be
 * asked is a finding of its own. */
static void
check_mail(const struct sr_reset_config *reset, struct findings *findings)
{
    const char *program = reset->channel[SR_CHANNEL_MAIL].program;
    char why[MAIL_PROGRAM_TEXT], path[256];

    if (!find_program(program, path, sizeof(path)))
        findings_add(findings, SEVERITY_WARNING, "reset.mail_program", program,
                     "Install a mail program (Debian: dma or another "
                     "mail-transport-agent), or name another one.",
                     "The program that sends the mails of self-service reset "
                     "is not there: no code arrives, and no user is informed "
                     "of a reset.");
    else if (mail_program_try(NULL, why) == MAIL_PROGRAM_BAD)
        findings_add(findings, SEVERITY_WARNING, "reset.mail_program", program,
                     "Correct it, and send a mail to yourself by "
                     "\"selfresetctl notices --try ADDRESS\".",
                     "The program that sends the mails of self-service reset "
                     "does not work where selfreset-helper runs it: %s.",
                     _(why));
}

/* Another program gets no message to try: it would cost money. */
static void
check_channel(const struct sr_reset_config *reset, enum sr_channel_id id,
              struct findings *findings)
{
    const char *program = reset->channel[id].program;
    const char *name = sr_channel_names[id];
    char key[40], path[256];
    struct stat status;

    snprintf(key, sizeof(key), "reset.%s_program", name);
    if (!find_program(program, path, sizeof(path)))
        findings_add(findings, SEVERITY_WARNING, key, program,
                     "Install it, or name another one.",
                     "The program that sends the messages of self-service "
                     "reset by %s is not there: no code arrives by it.",
                     name);
    else if (stat(path, &status) != 0 || status.st_uid != 0 ||
             (status.st_mode & 022) != 0)
        findings_add(findings, SEVERITY_ERROR, key, path,
                     "Make it root's, with mode 0755.",
                     "Other users can change the program that gets the codes "
                     "of self-service reset.");
}

void
check_programs(const struct sr_config *config, struct findings *findings)
{
    const struct sr_reset_config *reset = &config->reset;
    char path[256];

    check_mail(reset, findings);
    if (sr_config_offers(config, "key") &&
        !find_program("ssh-keygen", path, sizeof(path)))
        findings_add(
            findings, SEVERITY_WARNING, "reset.classes", "key",
            "Install it (Debian: openssh-client), or take \"key\" out "
            "of reset.classes.",
            "The program ssh-keygen is not there, so no signature of a "
            "key can be checked.");
    for (int i = 0; i < SR_CHANNELS; i++) {
        const bool is_mail = i == SR_CHANNEL_MAIL;

        if (!is_mail && !sr_config_offers(config, sr_channel_names[i]))
            continue;
        if (!is_mail)
            check_channel(reset, (enum sr_channel_id)i, findings);
        check_user(sr_channel_names[i], reset->channel[i].user, findings);
    }
}
