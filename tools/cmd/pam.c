/*
 * Pam: puts the module into the host's PAM stacks and removes it, by the
 * distribution's own tool, and checks them.
 *
 * pam-auth-update(8) answers success also when it wrote nothing, and writes a
 * stack without a verifier when no profile verifies.  So what it did is read
 * from the stacks themselves, and taken back if they are not safe.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/check/findings.h"
#include "tools/check/host.h"
#include "tools/check/pam.h"
#include "tools/check/pam_stack.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/each.h"
#include "tools/rewrite.h"
#include "tools/spawn.h"
#include "tools/words.h"

#define MODULE     SR_PAMDIR "/pam_selfreset.so"
#define UPDATER    "/usr/sbin/pam-auth-update"
#define PROFILE    "/usr/share/pam-configs/selfreset"
#define FILE_COUNT (sizeof(common) / sizeof(common[0]))

/* The files that pam-auth-update writes. */
static const char *const common[] = {
    "/etc/pam.d/common-auth",
    "/etc/pam.d/common-account",
    "/etc/pam.d/common-password",
    "/etc/pam.d/common-session",
    "/etc/pam.d/common-session-noninteractive",
};

/* The stacks as they were, and what was wrong with them. */
struct before {
    struct rewrite file[FILE_COUNT];
    struct findings findings;
};

static void
before_end(struct before *before)
{
    for (size_t i = 0; i < FILE_COUNT; i++)
        rewrite_end(&before->file[i]);
    findings_free(&before->findings);
}

/* Stacks with which every login or none succeeds, or that name a module that is
 * missing. */
static void
find_unsafe(struct findings *findings)
{
    const struct check_stacks how = {
        .folders = check_pam_folders, .module = MODULE, .is_safety_only = true};

    check_stacks(&how, findings);
}

static bool
is_named(void)
{
    return stacks_name_module(check_pam_folders, NULL, NULL, NULL);
}

/* ---- the files, kept and given back */

/* Read the files and keep copies.  CTL_OK, or an exit code when all is said. */
static int
begin(struct before *before)
{
    const char *why = NULL;

    find_unsafe(&before->findings);
    for (size_t i = 0; i < FILE_COUNT && why == NULL; i++) {
        why = rewrite_read(common[i], &before->file[i]);
        if (why == NULL)
            why = rewrite_keep(&before->file[i], PAM_OLD_FILE);
        if (why != NULL)
            ctl_error("%s: %s  Nothing was done.", common[i], _(why));
    }
    return why == NULL ? CTL_OK : CTL_FAILED;
}

/* Nothing was changed: there are no old files to be kept. */
static void
drop_copies(const struct before *before)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        char path[PATH_MAX + sizeof(PAM_OLD_FILE)];

        snprintf(path, sizeof(path), "%s" PAM_OLD_FILE, before->file[i].path);
        unlink(path);
    }
}

/* Put the files back that have changed since begin(). */
static bool
give_back(const struct before *before)
{
    bool is_done = true;

    for (size_t i = 0; i < FILE_COUNT; i++) {
        __attribute__((cleanup(rewrite_end))) struct rewrite now = {0};
        const char *why = rewrite_read(common[i], &now);

        if (why == NULL && strcmp(now.text, before->file[i].text) != 0)
            why = rewrite_replace(&now, before->file[i].text);
        if (why != NULL)
            ctl_error("%s: %s  Copy it back from %s%s.", common[i], _(why),
                      common[i], PAM_OLD_FILE);
        is_done = is_done && why == NULL;
    }
    if (is_done)
        drop_copies(before);
    return is_done;
}

/* Whether the same was wrong before, at whatever line. */
static bool
was_so(const struct findings *before, const struct finding *finding)
{
    size_t length = strcspn(finding->place, ":");

    for (size_t i = 0; i < before->count; i++) {
        if (strncmp(before->item[i].place, finding->place, length) == 0 &&
            strcmp(before->item[i].text, finding->text) == 0)
            return true;
    }
    return false;
}

/* Refuse stacks that have become unsafe: they are given back. */
static int
check_after(const struct before *before)
{
    __attribute__((cleanup(findings_free))) struct findings now = {0};

    find_unsafe(&now);
    for (size_t i = 0; i < now.count; i++) {
        if (now.item[i].severity != SEVERITY_ERROR ||
            was_so(&before->findings, &now.item[i]))
            continue;
        ctl_error("pam-auth-update would have left this in %s: %s",
                  now.item[i].place, now.item[i].text);
        if (!give_back(before))
            return CTL_PARTLY;
        ctl_error("The files are as they were.");
        return CTL_REFUSED;
    }
    if (!now.is_cut)
        return CTL_OK;
    ctl_error("Out of memory.  Run \"selfresetctl pam --check\".");
    return CTL_PARTLY;
}

/* ---- enable and disable */

/* Run pam-auth-update with two options and their profiles. */
static int
update(const char *first, const char *profile, const char *second,
       const char *other)
{
    const char *const argv[] = {"env",
                                "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                "DEBIAN_FRONTEND=noninteractive",
                                UPDATER,
                                first,
                                profile,
                                second,
                                other,
                                NULL};

    return ctl_run(argv, NULL) == 0 ? CTL_OK : CTL_FAILED;
}

/* Whether the host's stacks are pam-auth-update's; says what to do if not. */
static bool
has_updater(void)
{
    if (access(UPDATER, X_OK) == 0 && access(common[0], F_OK) == 0)
        return true;
    if (access("/etc/authselect/authselect.conf", F_OK) == 0)
        ctl_error("authselect writes the stacks here.  Make a profile of your "
                  "own, add the lines of pam/examples/fedora in the sources to "
                  "it or remove them, and select it.  Nothing was done.");
    else
        ctl_error("There is no pam-auth-update here: edit the stacks as "
                  "pam_selfreset(8) shows.  Nothing was done.");
    return false;
}

/* A configuration with an error refuses everyone but root; a module that
 * libpam cannot load, and SELinux in enforcing mode, refuse root as well. */
static int
check_ready(struct ctl *ctl)
{
    void *module;

    if (!ctl_load(ctl))
        return ctl->exit;
    if (selinux_is_enforcing()) {
        ctl_error("SELinux is in enforcing mode, and its policy does not let "
                  "login programs read /etc/shadow: every password would be "
                  "refused.  Nothing was done.");
        return CTL_REFUSED;
    }
    module = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL || dlsym(module, "pam_sm_authenticate") == NULL) {
        ctl_error("pam_selfreset.so cannot be loaded: %s.  Nothing was done.",
                  dlerror());
        return CTL_FAILED;
    }
    if (access(PROFILE, F_OK) != 0) {
        ctl_error("%s is missing.  Install pam_selfreset again.  Nothing was "
                  "done.",
                  PROFILE);
        return CTL_FAILED;
    }
    return CTL_OK;
}

static int
enable(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(before_end))) struct before before = {0};
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    int code;

    if (!has_updater())
        return CTL_REFUSED;
    code = check_ready(ctl);
    (void)report;
    (void)name;
    if (code == CTL_OK && is_named()) {
        ctl_print(ctl, "The stacks already have pam_selfreset.so; nothing was "
                       "done.");
        return CTL_OK;
    }
    if (code == CTL_OK && ctl->is_dry_run) {
        ctl->is_changed = true;
        ctl_print(ctl, "pam-auth-update would put pam_selfreset.so into the "
                       "stacks.");
        return CTL_OK;
    }
    if (code == CTL_OK)
        code = begin(&before);
    if (code == CTL_OK)
        code = update("--enable", "selfreset", "--enable", "unix");
    if (code == CTL_OK)
        code = check_after(&before);
    if (code != CTL_OK)
        return code;
    if (!is_named()) {
        drop_copies(&before);
        ctl_error("The files /etc/pam.d/common-* were edited by hand, so "
                  "pam-auth-update did not change them.  Nothing was done.  "
                  "Check the edits, then run \"pam-auth-update --force "
                  "--enable selfreset\", which overwrites them, or edit the "
                  "stacks as pam_selfreset(8) shows.");
        return CTL_REFUSED;
    }
    ctl->is_changed = true;
    ctl_print(ctl,
              "The stacks have pam_selfreset.so now.  The old files are "
              "kept as /etc/pam.d/common-*%s.  Keep a root shell open "
              "until you have logged in a second time.",
              PAM_OLD_FILE);
    check_pam(ctl->config, &findings);
    if (findings.count > 0 && !ctl->is_json)
        ctl_findings(&findings, false);
    return CTL_OK;
}

/* For stacks_name_module(). */
static void
name_line(void *context, const char *file, unsigned number)
{
    char place[PATH_MAX + 16];

    snprintf(place, sizeof(place), "%s:%u", file, number);
    findings_add(context, SEVERITY_ERROR, place, NULL, place, "%s", place);
}

/* The lines that are left are in files that were edited by hand. */
static int
tell_left(void)
{
    __attribute__((cleanup(findings_free))) struct findings left = {0};

    if (!stacks_name_module(check_pam_folders, NULL, name_line, &left))
        return CTL_OK;
    ctl_error("These lines were written by hand and still have "
              "pam_selfreset.so.  Replace them by lines of pam_unix.so, and "
              "correct the jumps over them:");
    for (size_t i = 0; i < left.count; i++)
        fprintf(stderr, "  %s\n", left.item[i].place);
    return CTL_PARTLY;
}

static int
disable(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(before_end))) struct before before = {0};
    int code;

    (void)report;
    (void)name;
    if (!is_named()) {
        ctl_print(ctl, "No stack has pam_selfreset.so; nothing was done.");
        return CTL_OK;
    }
    if (!has_updater())
        return CTL_REFUSED;
    ctl->is_changed = true;
    if (ctl->is_dry_run) {
        ctl_print(ctl, "pam-auth-update would remove pam_selfreset.so from the "
                       "stacks.");
        return CTL_OK;
    }
    code = begin(&before);
    if (code == CTL_OK)
        code = update("--enable", "unix", "--disable", "selfreset");
    if (code == CTL_OK)
        code = check_after(&before);
    if (code == CTL_OK)
        code = tell_left();
    ctl->is_changed = code == CTL_OK || code == CTL_PARTLY;
    if (code == CTL_OK)
        ctl_print(ctl,
                  "The stacks do not have pam_selfreset.so any more.  The "
                  "old files are kept as /etc/pam.d/common-*%s.",
                  PAM_OLD_FILE);
    return code;
}

static int
check(struct ctl *ctl, bool is_json)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};

    ctl->config =
        check_config(ctl->config_file, ctl->config_file != NULL, &findings);
    check_pam(ctl->config, &findings);
    return ctl_findings(&findings, is_json);
}

int
ctl_pam(struct ctl *ctl, int argc, char **argv)
{
    return ctl_switch(ctl, argc, argv, "enable", "disable", enable, disable,
                      check);
}
