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

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
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
#include "tools/pam_files.h"
#include "tools/rewrite.h"
#include "tools/spawn.h"
#include "tools/words.h"

#define MODULE        SR_PAMDIR "/pam_selfreset.so"
#define UPDATER       "/usr/sbin/pam-auth-update"
#define PROFILES      "/usr/share/pam-configs"
#define PROFILE       PROFILES "/selfreset"
#define PROFILES_MAX  16 /* that have the module */
#define ARGUMENTS_MAX (PROFILES_MAX + 9)

/* Stacks with which every login or none succeeds, or that name a module that is
 * missing. */
static void
find_unsafe(struct findings *findings)
{
    const struct check_stacks how = {
        .folders = check_pam_folders, .module = MODULE, .is_safety_only = true};

    check_stacks(&how, findings);
}

/* For stacks_name_module(). */
static void
note_line(void *context, const char *file, unsigned number)
{
    char place[PATH_MAX + 16];

    snprintf(place, sizeof(place), "%s:%u", file, number);
    findings_add(context, SEVERITY_ERROR, place, NULL, place, "%s", place);
}

/* Whether pam-auth-update's files have the module.  All lines that have it are
 * added to `lines`. */
static bool
is_in_common(struct findings *lines)
{
    bool is_in = false;

    stacks_name_module(check_pam_folders, NULL, note_line, lines);
    for (size_t i = 0; i < lines->count; i++)
        is_in = is_in || strncmp(lines->item[i].place, PAM_FILES_COMMON,
                                 strlen(PAM_FILES_COMMON)) == 0;
    return is_in;
}

/* ---- what pam-auth-update makes of them */

/* Whether the same was wrong before, at whatever line. */
static bool
was_so(const struct findings *before, const struct finding *finding)
{
    size_t length = strcspn(finding->place, ":");

    for (size_t i = 0; i < before->count; i++) {
        const char *place = before->item[i].place;

        if (strncmp(place, finding->place, length) == 0 &&
            (place[length] == ':' || place[length] == '\0') &&
            strcmp(before->item[i].text, finding->text) == 0)
            return true;
    }
    return false;
}

/* Refuse stacks that have become unsafe.  What is wrong now is in `now`. */
static int
check_after(const struct findings *before, struct findings *now)
{
    find_unsafe(now);
    for (size_t i = 0; i < now->count; i++) {
        if (now->item[i].severity != SEVERITY_ERROR ||
            was_so(before, &now->item[i]))
            continue;
        ctl_error("pam-auth-update would have left this in %s: %s",
                  now->item[i].place, now->item[i].text);
        return CTL_REFUSED;
    }
    if (!now->is_cut)
        return CTL_OK;
    ctl_error("Out of memory.");
    return CTL_FAILED;
}

/*
 * Run pam-auth-update with options that end with NULL.  When it fails, or
 * leaves stacks that are not safe, all is put back; ctl->is_changed says
 * whether the stacks have changed.
 */
static int
update(struct ctl *ctl, const char *const *options, struct findings *now)
{
    __attribute__((cleanup(pam_files_end))) struct pam_files files = {0};
    __attribute__((cleanup(findings_free))) struct findings before = {0};
    const char *argv[ARGUMENTS_MAX] = {
        "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND=noninteractive", UPDATER};
    enum pam_files_replaced replaced;
    sigset_t held, former;
    int code = CTL_FAILED;

    for (size_t i = 4; i < ARGUMENTS_MAX - 1 && *options != NULL; i++)
        argv[i] = *options++;
    find_unsafe(&before);
    /* Nothing ends this, or pam-auth-update, between two stacks. */
    sigemptyset(&held);
    sigaddset(&held, SIGHUP);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, &former);
    if (!pam_files_keep(&files))
        goto out;
    if (ctl_run(argv, NULL) == 0)
        code = check_after(&before, now);
    replaced = pam_files_what_is_replaced(&files);
    if (code == CTL_FAILED || replaced == PAM_FILES_SOME)
        ctl_error("pam-auth-update failed.");
    if (code == CTL_OK && replaced == PAM_FILES_SOME)
        code = CTL_FAILED;
    ctl->is_changed = code == CTL_OK && replaced == PAM_FILES_ALL;
    if (ctl->is_changed)
        pam_files_settle(&files);
    else if (!pam_files_put_back(&files))
        code = CTL_PARTLY;
    else if (code != CTL_OK)
        ctl_error("The files are as they were.");
out:
    sigprocmask(SIG_SETMASK, &former, NULL);
    return code;
}

/* ---- enable and disable */

/* Whether the host's stacks are pam-auth-update's; says what to do if not. */
static bool
has_updater(void)
{
    if (access(UPDATER, X_OK) == 0 &&
        access(PAM_FILES_COMMON "auth", F_OK) == 0)
        return true;
    if (access(UPDATER, X_OK) == 0)
        ctl_error("/etc/pam.d/common-auth is missing.  Have it written by "
                  "\"pam-auth-update --force --enable unix\", or edit the "
                  "stacks as pam_selfreset(8) shows.  Nothing was done.");
    else if (access("/etc/authselect/authselect.conf", F_OK) == 0)
        ctl_error("authselect writes the stacks here.  Make a profile of your "
                  "own, add the lines of pam/examples/fedora in the sources to "
                  "it or remove them, and select it.  Nothing was done.");
    else
        ctl_error("There is no pam-auth-update here: edit the stacks as "
                  "pam_selfreset(8) shows.  Nothing was done.");
    return false;
}

/* A configuration with an error refuses everyone but root; a module that
 * libpam cannot load, and SELinux in enforcing mode without our policy module,
 * refuse root as well. */
static int
check_ready(struct ctl *ctl)
{
    void *module;

    if (!ctl_load(ctl))
        return ctl->exit;
    if (selinux_bars_logins()) {
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
    static const char *const options[] = {"--enable", "selfreset", "--enable",
                                          "unix", NULL};
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    __attribute__((cleanup(findings_free))) struct findings lines = {0};
    int code;

    (void)report;
    (void)name;
    if (!has_updater() || pam_files_are_left())
        return CTL_REFUSED;
    code = check_ready(ctl);
    if (code == CTL_OK && is_in_common(&lines)) {
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
        code = update(ctl, options, &findings);
    if (code != CTL_OK)
        return code;
    if (!ctl->is_changed) {
        ctl_error("The files /etc/pam.d/common-* were edited by hand, or one "
                  "of them is missing, so pam-auth-update did not change "
                  "them.  Nothing was done.  Check the edits, then run "
                  "\"pam-auth-update --force --enable selfreset\", which "
                  "overwrites them, or edit the stacks as pam_selfreset(8) "
                  "shows.");
        return CTL_REFUSED;
    }
    ctl_print(ctl,
              "The stacks have pam_selfreset.so now.  The old files are "
              "kept as /etc/pam.d/common-*%s.  Keep a root shell open "
              "until you have logged in a second time.",
              PAM_OLD_FILE);
    findings_free(&findings);
    check_pam(ctl->config, &findings);
    if (findings.count > 0 && !ctl->is_json)
        ctl_findings(&findings, false);
    return CTL_OK;
}

/* The lines that are left are in files that were edited by hand. */
static int
tell_left(void)
{
    __attribute__((cleanup(findings_free))) struct findings left = {0};

    if (is_in_common(&left))
        ctl_error("The files /etc/pam.d/common-* were edited by hand, or one "
                  "of them is missing, so pam-auth-update did not change "
                  "them.  If the edits need not be kept, run "
                  "\"pam-auth-update --force --enable unix --disable "
                  "selfreset\".");
    if (left.count == 0)
        return CTL_OK;
    ctl_error("These lines still have pam_selfreset.so.  Replace them by lines "
              "of pam_unix.so, and correct the jumps over them:");
    for (size_t i = 0; i < left.count; i++)
        fprintf(stderr, "  %s\n", left.item[i].place);
    return CTL_PARTLY;
}

/* Whether a profile of pam-auth-update has the module, as one that an
 * administrator has made of ours. */
static int
has_module(const struct dirent *entry)
{
    char path[PATH_MAX];
    struct rewrite file = {0};
    bool has = false;

    snprintf(path, sizeof(path), PROFILES "/%s", entry->d_name);
    if (rewrite_read(path, &file) == NULL)
        has = strstr(file.text, "pam_selfreset.so") != NULL;
    rewrite_end(&file);
    return has;
}

/* Have pam-auth-update remove all profiles that have the module. */
static int
remove_profiles(struct ctl *ctl, struct findings *now)
{
    const char *options[PROFILES_MAX + 5] = {"--enable", "unix", "--disable",
                                             "selfreset"};
    struct dirent **profile = NULL;
    int count = scandir(PROFILES, &profile, has_module, alphasort), code;

    for (int i = 0; i < count && i < PROFILES_MAX; i++)
        options[4 + i] = profile[i]->d_name;
    code = update(ctl, options, now);
    for (int i = 0; i < count; i++)
        free(profile[i]);
    free(profile);
    return code;
}

static int
disable(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(findings_free))) struct findings lines = {0};
    __attribute__((cleanup(findings_free))) struct findings now = {0};
    int code = CTL_OK;

    (void)report;
    (void)name;
    if (pam_files_are_left())
        return CTL_REFUSED;
    if (!is_in_common(&lines)) {
        if (lines.count > 0)
            return tell_left();
        ctl_print(ctl, "No stack has pam_selfreset.so; nothing was done.");
        return CTL_OK;
    }
    if (!has_updater())
        return CTL_REFUSED;
    if (ctl->is_dry_run) {
        ctl->is_changed = true;
        ctl_print(ctl, "pam-auth-update would remove pam_selfreset.so from the "
                       "stacks.");
        return CTL_OK;
    }
    code = remove_profiles(ctl, &now);
    if (code == CTL_OK)
        code = tell_left();
    if (code == CTL_OK)
        ctl_print(ctl,
                  "The stacks do not have pam_selfreset.so any more.  The "
                  "old files are kept as /etc/pam.d/common-*%s.",
                  PAM_OLD_FILE);
    /* What was wrong before: nobody may get in, or everybody. */
    if (code == CTL_OK && now.count > 0 && !ctl->is_json)
        ctl_findings(&now, false);
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
