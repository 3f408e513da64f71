/*
 * Captive: makes the captive account, by which people who cannot log in reach
 * self-service reset, and removes it.
 *
 * In whatever step this ends, the account is let in only when all of it is in
 * place: its set-up is verified again at each login (policy/account/captive.h).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config/account_rules.h"
#include "policy/account/captive.h"
#include "tools/check/captive.h"
#include "tools/check/host.h"
#include "tools/check/sshd_config.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/each.h"
#include "tools/rewrite.h"
#include "tools/spawn.h"
#include "tools/words.h"

static void
free_text(char **text)
{
    free(*text);
}

/* ---- the account */

/* Add a user of the system, without a home. */
static int
add_user(const char *name, const char *home, const char *shell,
         const char *comment)
{
    const char *const argv[] = {
        "useradd",   "--system", "--user-group", "--no-create-home",
        "--home",    home,       "--shell",      shell,
        "--comment", comment,    "--",           name,
        NULL};

    return ctl_run(argv, NULL) == 0 ? CTL_OK : CTL_FAILED;
}

/* The account of the programs that send, where no package has made it; another
 * one that is configured is the administrator's own. */
static int
make_program_user(struct ctl *ctl)
{
    static const char name[] = SR_PROGRAM_USER;
    bool is_used = false;

    for (int i = 0; i < SR_CHANNELS; i++) {
        const char *user = ctl->config->reset.channel[i].user;

        is_used = is_used || (user != NULL && strcmp(user, name) == 0);
    }
    if (!is_used || getpwnam(name) != NULL)
        return CTL_OK;
    ctl->is_changed = true;
    return ctl->is_dry_run ? CTL_OK
                           : add_user(name, "/", "/usr/sbin/nologin",
                                      "Programs of self-service reset");
}

/* Make it where it is missing; ctl->is_changed then. */
static int
make_account(struct ctl *ctl, const char *name)
{
    uid_t uid;
    const char *flaw = sr_captive_flaw(name, &uid);

    if (flaw == NULL)
        return CTL_OK;
    if (getpwnam(name) != NULL) {
        ctl_error("The account %s cannot be used for self-service reset: %s.  "
                  "Nothing was done.  Correct that, or set reset.account in "
                  "selfreset.conf to a name that is free.",
                  name, _(flaw));
        return CTL_REFUSED;
    }
    ctl->is_changed = true;
    if (ctl->is_dry_run)
        return CTL_OK;
    if (add_user(name, SR_CAPTIVE_HOME, SR_CAPTIVE_SHELL,
                 "Self-service reset") != CTL_OK)
        return CTL_FAILED;
    flaw = sr_captive_flaw(name, &uid);
    if (flaw == NULL)
        return CTL_OK;
    ctl_error("The account %s was made, but it cannot be used: %s.", name,
              _(flaw));
    return CTL_PARTLY;
}

/* Remove it, if it is one that make_account() makes. */
static int
remove_account(struct ctl *ctl, const char *name)
{
    const char *const argv[] = {"userdel", "--", name, NULL};
    const struct passwd *entry = getpwnam(name);

    if (entry == NULL)
        return CTL_OK;
    if (entry->pw_uid == 0 || strcmp(entry->pw_shell, SR_CAPTIVE_SHELL) != 0) {
        ctl_error("The account %s stays: it is not one that \"selfresetctl "
                  "reset --setup\" makes.",
                  name);
        return CTL_PARTLY;
    }
    ctl->is_changed = true;
    if (ctl->is_dry_run || ctl_run(argv, NULL) == 0)
        return CTL_OK;
    ctl_error("The account %s stays.  It is not let in any more.  Remove it "
              "when its last session has ended.",
              name);
    return CTL_PARTLY;
}

/* ---- sshd */

/* Put back what was there, or nothing. */
static void
undo_snippet(const char *old)
{
    const char *why = NULL;

    if (old == NULL)
        unlink(CAPTIVE_SNIPPET);
    else
        why = rewrite_make(CAPTIVE_SNIPPET, old);
    if (why != NULL)
        ctl_error("%s: %s  Remove it by hand.", CAPTIVE_SNIPPET, _(why));
}

/* Whether sshd takes the configuration with the snippet, and obeys it. */
static int
try_snippet(const char *name)
{
    static const char *const argv[] = {"sshd", "-t", NULL};
    char flaw[200];

    if (ctl_run(argv, NULL) != 0) {
        ctl_error("sshd does not accept its configuration with %s, so that "
                  "file was removed again.",
                  CAPTIVE_SNIPPET);
        return CTL_FAILED;
    }
    if (captive_sshd_obeys(name, flaw, sizeof(flaw)))
        return CTL_OK;
    ctl_error("sshd would not obey %s (%s), so that file was removed again.  "
              "Write \"Include /etc/ssh/sshd_config.d/*.conf\" at the top of "
              "%s, before all blocks that begin with Match.",
              CAPTIVE_SNIPPET, flaw, SSHD_CONF);
    return CTL_REFUSED;
}

/* Confine the account; a file that sshd does not obey does not stay. */
static int
make_snippet(struct ctl *ctl, const char *name)
{
    __attribute__((cleanup(rewrite_end))) struct rewrite old = {0};
    __attribute__((cleanup(free_text))) char *text = captive_snippet(name);
    const char *why;
    int code;

    if (text == NULL)
        return CTL_FAILED;
    (void)!rewrite_read(CAPTIVE_SNIPPET, &old);
    if (old.text == NULL || strcmp(old.text, text) != 0)
        ctl->is_changed = true;
    if (ctl->is_dry_run)
        return CTL_OK;
    why = rewrite_make(CAPTIVE_SNIPPET, text);
    if (why != NULL) {
        ctl_error("%s: %s", CAPTIVE_SNIPPET, _(why));
        return CTL_FAILED;
    }
    code = try_snippet(name);
    if (code != CTL_OK)
        undo_snippet(old.text);
    return code;
}

static int
remove_snippet(struct ctl *ctl)
{
    if (access(CAPTIVE_SNIPPET, F_OK) != 0)
        return CTL_OK;
    ctl->is_changed = true;
    if (ctl->is_dry_run || unlink(CAPTIVE_SNIPPET) == 0)
        return CTL_OK;
    ctl_error("%s: %s.", CAPTIVE_SNIPPET, strerror(errno));
    return CTL_FAILED;
}

/* ---- all of it */

static void
say_next(const struct ctl *ctl, bool has_sshd)
{
    if (has_sshd)
        ctl_print(ctl, "Run \"systemctl reload ssh\" (Fedora, SUSE: "
                       "\"systemctl reload sshd\"): until then sshd does not "
                       "let the account in.");
    if (!sr_config_resets(ctl->config))
        ctl_print(ctl,
                  "Self-service reset is switched off.  To switch it on, "
                  "write \"enable = yes\" under [reset] in %s.",
                  SR_CONFIG_FILE);
    if (!check_has_helper(CAPTIVE_SOCKET))
        ctl_print(ctl, "Nothing listens for dialogues.  Run \"systemctl enable "
                       "--now selfreset-reset.socket\".");
}

static int
set_up(struct ctl *ctl, struct report *report, const char *unused)
{
    const bool has_sshd = captive_has_sshd();
    const char *name;
    int code;

    (void)report;
    (void)unused;
    if (!ctl_load(ctl))
        return ctl->exit;
    name = ctl->config->reset.account;
    code = make_account(ctl, name);
    if (code == CTL_OK)
        code = make_program_user(ctl);
    if (code == CTL_OK && has_sshd)
        code = make_snippet(ctl, name);
    if (code != CTL_OK)
        return code;
    if (!ctl->is_changed) {
        ctl_print(ctl, "The account %s is set up already; nothing was done.",
                  name);
    } else if (has_sshd) {
        ctl_print(ctl,
                  ctl->is_dry_run
                      ? N_("The account %s would be set up, with %s.")
                      : N_("The account %s is set up, with %s."),
                  name, CAPTIVE_SNIPPET);
    } else {
        ctl_print(ctl,
                  ctl->is_dry_run ? N_("The account %s would be set up.")
                                  : N_("The account %s is set up."),
                  name);
    }
    if (!ctl->is_dry_run)
        say_next(ctl, has_sshd && ctl->is_changed);
    return CTL_OK;
}

static int
remove_all(struct ctl *ctl, struct report *report, const char *unused)
{
    int code;

    (void)report;
    (void)unused;
    if (!ctl_load(ctl))
        return ctl->exit;
    code = remove_snippet(ctl);
    if (code == CTL_OK)
        code = remove_account(ctl, ctl->config->reset.account);
    if (code == CTL_OK && !ctl->is_changed)
        ctl_print(ctl, "It was not set up; nothing was done.");
    else if (code == CTL_OK)
        ctl_print(ctl,
                  ctl->is_dry_run
                      ? N_("The account %s and %s would be removed.")
                      : N_("The account %s and %s were removed."),
                  ctl->config->reset.account, CAPTIVE_SNIPPET);
    return code;
}

static int
check(struct ctl *ctl, bool is_json)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    int code;

    ctl->config =
        check_config(ctl->config_file, ctl->config_file != NULL, &findings);
    if (ctl->config != NULL)
        check_captive(ctl->config, &findings);
    code = ctl_findings(&findings, is_json);
    if (!is_json && ctl->config != NULL && !sr_config_resets(ctl->config))
        ctl_wrap(stdout, "", 0,
                 _("Self-service reset is switched off, so nothing of it was "
                   "checked: set \"enable = yes\" in [reset] of "
                   "selfreset.conf."));
    return code;
}

int
ctl_reset(struct ctl *ctl, int argc, char **argv)
{
    return ctl_switch(ctl, argc, argv, "setup", "remove", set_up, remove_all,
                      check);
}
