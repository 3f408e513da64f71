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
#include <unistd.h>

#include "policy/config/account_rules.h"
#include "policy/util/deadline.h"
#include "policy/util/error.h"
#include "policy/util/program.h"
#include "policy/wire/link.h"
#include "tools/check/mail_program.h"

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
check_user(const char *name, struct findings *findings)
{
    const struct passwd *user = name == NULL ? NULL : getpwnam(name);

    if (user == NULL || user->pw_uid == 0)
        findings_add(findings, SEVERITY_WARNING, "reset.mail_user", name,
                     name != NULL && strcmp(name, SR_PROGRAM_USER) == 0
                         ? "Run \"selfresetctl reset --setup\", which makes it."
                         : "Name a user without rights, or take the line out.",
                     "There is no such user other than root, so no mail of "
                     "self-service reset is sent and no signature of a key is "
                     "checked.");
    else if (user->pw_uid == NOBODY)
        findings_add(findings, SEVERITY_WARNING, "reset.mail_user", name,
                     "Take the line out: the default is a user of its own.",
                     "Other services run as this user and could trace the "
                     "programs of self-service reset, which see codes and "
                     "check signatures.");
}

static bool
is_installed(const char *program)
{
    char word[256], path[256];

    snprintf(word, sizeof(word), "%.*s",
             program == NULL ? 0 : (int)strcspn(program, " \t"),
             program == NULL ? "" : program);
    return word[0] != '\0' && sr_program_find(word, path, sizeof(path));
}

/* The helper is asked for what a look from here does not show: what its
 * sandbox, and the rights of its user, let the program do.  One that cannot be
 * asked is a finding of its own. */
static void
check_mail(const struct sr_reset_config *reset, struct findings *findings)
{
    char why[MAIL_PROGRAM_TEXT];

    if (!is_installed(reset->mail_program))
        findings_add(findings, SEVERITY_WARNING, "reset.mail_program",
                     reset->mail_program,
                     "Install a mail program (Debian: dma or another "
                     "mail-transport-agent), or name another one.",
                     "The program that sends the mails of self-service reset "
                     "is not there: no code arrives, and no user is informed "
                     "of a reset.");
    else if (mail_program_try(NULL, why) == MAIL_PROGRAM_BAD)
        findings_add(findings, SEVERITY_WARNING, "reset.mail_program",
                     reset->mail_program,
                     "Correct it, and send a mail to yourself by "
                     "\"selfresetctl notices --try ADDRESS\".",
                     "The program that sends the mails of self-service reset "
                     "does not work where selfreset-helper runs it: %s.",
                     why);
}

void
check_programs(const struct sr_config *config, struct findings *findings)
{
    check_mail(&config->reset, findings);
    if (sr_config_offers(config, "key") && !is_installed("ssh-keygen"))
        findings_add(
            findings, SEVERITY_WARNING, "reset.classes", "key",
            "Install it (Debian: openssh-client), or take \"key\" out "
            "of reset.classes.",
            "The program ssh-keygen is not there, so no signature of a "
            "key can be checked.");
    check_user(config->reset.mail_user, findings);
}
