/*
 * Nss and groups: put the source selfreset into nsswitch.conf(5) and take it
 * out, make the state groups, and check that all of it works.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/publish/groups.h"
#include "policy/publish/reader.h"
#include "tools/check/host.h"
#include "tools/check/findings_report.h"
#include "tools/check/nss.h"
#include "tools/check/nss_seen.h"
#include "tools/check/nss_view.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/nsswitch.h"
#include "tools/rewrite.h"
#include "tools/spawn.h"

/* authselect makes the file from a profile, and would undo what we write. */
#define AUTHSELECT_CONF "/etc/authselect/authselect.conf"
#define AUTHSELECT_DIR  "/etc/authselect/"

static void
free_text(char **text)
{
    free(*text);
}

/* ---- enable and disable */

/* What must be there before anybody is sent to it: CTL_OK or what to run. */
static int
check_ready(const struct ctl *ctl)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    char reason[200];

    if (!check_module(reason, sizeof(reason))) {
        ctl_error("The module libnss_selfreset.so.2 cannot be loaded: %s.  "
                  "Install it first: a program that looks for it in vain does "
                  "not look again.  Nothing was done.",
                  reason);
        return CTL_FAILED;
    }
    check_groups(&findings);
    if (findings.count > 0) {
        ctl_error("%s  %s  Nothing was done.", findings.item[0].text,
                  findings.item[0].advice);
        return CTL_FAILED;
    }
    if (!check_has_snapshot(ctl->now)) {
        ctl_error("Nothing that can be believed is published.  Run "
                  "\"selfreset-publish\" first.  Nothing was done.");
        return CTL_FAILED;
    }
    return CTL_OK;
}

/* False when the file is authselect's to write; what to do has been said. */
static bool
is_ours_to_edit(const char *path)
{
    bool is_linked = strncmp(path, AUTHSELECT_DIR, strlen(AUTHSELECT_DIR)) == 0;

    if (!is_linked && access(AUTHSELECT_CONF, F_OK) != 0)
        return true;
    ctl_error("authselect writes " NSSWITCH_FILE " here and would undo the "
              "edit.  Run \"authselect create-profile selfreset -b PROFILE\" "
              "with the profile in use (authselect current), edit the lines "
              "group and shadow of /etc/authselect/custom/selfreset/"
              "nsswitch.conf, and run \"authselect select custom/selfreset\" "
              "with the features in use.  Nothing was done.");
    return false;
}

/* Edit the file with `edit`; *changed says whether there was anything to do. */
static int
edit_file(char *(*edit)(const char *text, char *why), bool *changed)
{
    __attribute__((cleanup(rewrite_end))) struct rewrite file = {0};
    __attribute__((cleanup(free_text))) char *text = NULL;
    char reason[NSSWITCH_WHY] = "";
    const char *why = rewrite_read(NSSWITCH_FILE, &file);

    *changed = false;
    if (why != NULL) {
        ctl_error("%s: %s  Nothing was done.", NSSWITCH_FILE, why);
        return CTL_FAILED;
    }
    if (!is_ours_to_edit(file.path))
        return CTL_REFUSED;
    text = edit(file.text, reason);
    if (text == NULL) {
        ctl_error("%s: %s  Nothing was done.", file.path, reason);
        return CTL_REFUSED;
    }
    *changed = strcmp(text, file.text) != 0;
    why = *changed ? rewrite_replace(&file, text) : NULL;
    if (why == NULL)
        return CTL_OK;
    ctl_error("%s: %s  Nothing was changed.", file.path, why);
    return CTL_FAILED;
}

/* Ask the C library whether the file has the effect that it should have. */
static int
check_result(const struct ctl *ctl)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};

    check_seen(ctl->now, &findings);
    if (findings.count == 0)
        return CTL_OK;
    ctl_error(NSSWITCH_FILE " names selfreset, but it has no effect for %s: "
                            "%s  Run \"selfresetctl nss --check\".",
              findings.item[0].subjects, findings.item[0].text);
    return CTL_FAILED;
}

static int
enable(const struct ctl *ctl)
{
    bool changed;
    int code = check_ready(ctl);

    if (code == CTL_OK)
        code = edit_file(nsswitch_enable, &changed);
    if (code != CTL_OK)
        return code;
    code = check_result(ctl);
    if (code != CTL_OK)
        return code;
    if (!changed) {
        puts("It was enabled already.  There was nothing to do.");
        return CTL_OK;
    }
    puts("Rules see the state groups from now on; " NSSWITCH_FILE
         " was changed.\nRun \"selfresetctl nss --check\" next.");
    return CTL_OK;
}

static int
disable(void)
{
    bool changed;
    int code = edit_file(nsswitch_disable, &changed);

    if (code != CTL_OK)
        return code;
    puts(changed
             ? "Nobody is sent to the state groups any more;\n" NSSWITCH_FILE
               " was changed."
             : "It was not enabled.  There was nothing to do.");
    return CTL_OK;
}

static int
check(struct ctl *ctl, bool is_json)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};

    ctl->config = check_config(ctl->config_file, &findings);
    if (ctl->config != NULL)
        check_nss(ctl->config, ctl->now, &findings);
    return ctl_findings(&findings, is_json);
}

int
ctl_nss(struct ctl *ctl, int argc, char **argv)
{
    bool is_enable = false, is_disable = false, is_check = false;
    bool is_json = false;
    const struct ctl_option options[] = {{"enable", &is_enable, NULL},
                                         {"disable", &is_disable, NULL},
                                         {"check", &is_check, NULL},
                                         {"json", &is_json, NULL}};

    if (!ctl_parse(ctl, argc, argv, options, 4, 0, 0))
        return ctl->exit;
    if (is_enable + is_disable + is_check != 1)
        return ctl_usage(ctl, "Say one of --enable, --disable and --check.");
    if (is_json && !is_check)
        return ctl_usage(ctl, "--json belongs to --check.");
    if (is_check)
        return check(ctl, is_json);
    return is_enable ? enable(ctl) : disable();
}

/* ---- groups */

/* Make one that is missing, by shadow's own program. */
static int
make_group(const char *name)
{
    const char *const argv[] = {"groupadd", "-r", "--", name, NULL};

    if (ctl_run(argv, NULL) != 0) {
        ctl_error("The group %s could not be made.", name);
        return CTL_FAILED;
    }
    printf("The group %s has been made.\n", name);
    return CTL_OK;
}

static int
make_groups(void)
{
    uint32_t gid[SR_GROUP_COUNT];
    struct sr_state_groups found;
    unsigned made = 0;
    int error = sr_state_groups_read(NULL, NULL, gid, &found);

    if (error != 0) {
        ctl_error("The groups cannot be read: %s.  Nothing was done.",
                  strerror(error));
        return CTL_FAILED;
    }
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        if (found.item[i].flaw != SR_GROUP_MISSING)
            continue;
        if (make_group(sr_group_name((enum sr_group)i)) != CTL_OK)
            return CTL_FAILED;
        made++;
    }
    if (made == 0)
        puts("No group was missing.  There was nothing to do.");
    else if (access(SR_PUBLISHED_DIR, F_OK) == 0)
        puts("Run \"selfreset-publish\" next, so that they are shown.");
    return CTL_OK;
}

int
ctl_groups(struct ctl *ctl, int argc, char **argv)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    bool is_create = false, is_check = false, is_json = false;
    const struct ctl_option options[] = {{"create", &is_create, NULL},
                                         {"check", &is_check, NULL},
                                         {"json", &is_json, NULL}};

    if (!ctl_parse(ctl, argc, argv, options, 3, 0, 0))
        return ctl->exit;
    if (!is_create && !is_check)
        return ctl_usage(ctl, "Say --create or --check.");
    if (is_json && is_create)
        return ctl_usage(ctl, "--json belongs to --check alone.");
    if (is_create && make_groups() != CTL_OK)
        return CTL_FAILED;
    check_groups(&findings);
    if (is_check && findings.count == 0 && check_nss_is_enabled())
        check_seen(ctl->now, &findings);
    /* What was made is told; what is wrong with those that were there, too. */
    return is_check || findings.count > 0 ? ctl_findings(&findings, is_json)
                                          : CTL_OK;
}
