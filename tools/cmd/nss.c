/*
 * Nss and groups: put the source selfreset into nsswitch.conf(5) and remove it,
 * create the state groups, and check them.
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
#include "tools/check/findings.h"
#include "tools/check/nss.h"
#include "tools/check/nss_seen.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/each.h"
#include "tools/nsswitch.h"
#include "tools/rewrite.h"
#include "tools/spawn.h"
#include "tools/words.h"

/* authselect makes the file from a profile, and would undo what we write. */
#define AUTHSELECT_CONF "/etc/authselect/authselect.conf"
#define AUTHSELECT_DIR  "/etc/authselect/"

static void
free_text(char **text)
{
    free(*text);
}

/* ---- enable and disable */

/* What must exist before programs are sent to the module. */
static int
check_ready(const struct ctl *ctl)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    char reason[200];

    if (!check_module(reason, sizeof(reason))) {
        ctl_error("The module libnss_selfreset.so.2 cannot be loaded: %s.  "
                  "Nothing was done.  Install the module first: a program that "
                  "has not found it does not look for it again.",
                  reason);
        return CTL_FAILED;
    }
    check_groups(&findings);
    if (findings.count > 0) {
        ctl_error("%s  Concerns: %s.  %s  Nothing was done.",
                  findings.item[0].text,
                  findings.item[0].subjects == NULL ? findings.item[0].place
                                                    : findings.item[0].subjects,
                  findings.item[0].advice);
        return CTL_FAILED;
    }
    if (!check_has_snapshot(ctl->now)) {
        ctl_error("There is no valid snapshot of the accounts' state.  Nothing "
                  "was done.  Run \"selfreset-publish\" first.");
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
    ctl_error(
        "authselect writes /etc/nsswitch.conf on this host and would undo "
        "the change.  Nothing was done.  Run \"authselect create-profile "
        "selfreset -b PROFILE\" with the profile in use (authselect "
        "current), edit the lines group and shadow of "
        "/etc/authselect/custom/selfreset/nsswitch.conf, and run "
        "\"authselect select custom/selfreset\" with the features in "
        "use.");
    return false;
}

/* Edit the file with `edit`; ctl->is_changed is whether it was changed. */
static int
edit_file(struct ctl *ctl, char *(*edit)(const char *text, char *why))
{
    __attribute__((cleanup(rewrite_end))) struct rewrite file = {0};
    __attribute__((cleanup(free_text))) char *text = NULL;
    char reason[NSSWITCH_WHY] = "";
    const char *why = rewrite_read(NSSWITCH_FILE, &file);

    if (why != NULL) {
        ctl_error("%s: %s  Nothing was done.", NSSWITCH_FILE, _(why));
        return CTL_FAILED;
    }
    if (!is_ours_to_edit(file.path))
        return CTL_REFUSED;
    text = edit(file.text, reason);
    if (text == NULL) {
        ctl_error("%s: %s  Nothing was done.", file.path, reason);
        return CTL_REFUSED;
    }
    ctl->is_changed = strcmp(text, file.text) != 0;
    if (ctl->is_changed && !ctl->is_dry_run)
        why = rewrite_replace(&file, text);
    if (why == NULL)
        return CTL_OK;
    ctl->is_changed = false;
    ctl_error("%s: %s  Nothing was changed.", file.path, _(why));
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
    ctl_error("/etc/nsswitch.conf names selfreset, but it has no effect for "
              "%s: %s  Run \"selfresetctl nss --check\".",
              findings.item[0].subjects, findings.item[0].text);
    return CTL_FAILED;
}

static int
enable(struct ctl *ctl, struct report *report, const char *name)
{
    int code = check_ready(ctl);

    (void)report;
    (void)name;
    if (code == CTL_OK)
        code = edit_file(ctl, nsswitch_enable);
    if (code != CTL_OK)
        return code;
    if (!ctl->is_dry_run)
        code = check_result(ctl);
    if (code != CTL_OK)
        return code;
    if (!ctl->is_changed)
        ctl_print(ctl, "The state groups were already enabled; nothing was "
                       "done.");
    else if (ctl->is_dry_run)
        ctl_print(ctl, "\"selfreset\" would be added to /etc/nsswitch.conf.");
    else
        ctl_print(ctl, "\"selfreset\" was added to /etc/nsswitch.conf; rules "
                       "see the state groups from now on.  Run \"selfresetctl "
                       "nss --check\" to look for mistakes around it.");
    return CTL_OK;
}

static int
disable(struct ctl *ctl, struct report *report, const char *name)
{
    int code = edit_file(ctl, nsswitch_disable);

    (void)report;
    (void)name;
    if (code != CTL_OK)
        return code;
    if (!ctl->is_changed)
        ctl_print(ctl, "The state groups were not enabled; nothing was done.");
    else
        ctl_print(
            ctl,
            ctl->is_dry_run
                ? N_("\"selfreset\" would be removed from /etc/nsswitch.conf.")
                : N_("\"selfreset\" was removed from /etc/nsswitch.conf."));
    return CTL_OK;
}

static int
check(struct ctl *ctl, bool is_json)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};

    ctl->config =
        check_config(ctl->config_file, ctl->config_file != NULL, &findings);
    if (ctl->config != NULL)
        check_nss(ctl->config, ctl->now, &findings);
    return ctl_findings(&findings, is_json);
}

int
ctl_nss(struct ctl *ctl, int argc, char **argv)
{
    return ctl_switch(ctl, argc, argv, "enable", "disable", enable, disable,
                      check);
}

/* ---- groups */

/* Create one that is missing, by shadow's own program. */
static int
make_group(const struct ctl *ctl, const char *name)
{
    const char *const argv[] = {"groupadd", "-r", "--", name, NULL};

    if (!ctl->is_dry_run && ctl_run(argv, NULL) != 0) {
        ctl_error("The group %s could not be created.", name);
        return CTL_FAILED;
    }
    ctl_print(ctl,
              ctl->is_dry_run ? N_("The group %s would be created.")
                              : N_("The group %s was created."),
              name);
    return CTL_OK;
}

static int
make_groups(struct ctl *ctl, struct report *report, const char *unused)
{
    uint32_t gid[SR_GROUP_COUNT];
    const char *made[SR_GROUP_COUNT] = {NULL};
    struct sr_state_groups found;
    int error = sr_state_groups_read(NULL, NULL, gid, &found);
    int code = CTL_OK;

    (void)unused;
    if (error != 0) {
        ctl_error("The groups cannot be read: %s.  Nothing was done.",
                  strerror(error));
        return CTL_FAILED;
    }
    for (int i = 0; code == CTL_OK && i < SR_GROUP_COUNT; i++) {
        const char *name = sr_group_name((enum sr_group)i);

        if (found.item[i].flaw != SR_GROUP_MISSING)
            continue;
        code = make_group(ctl, name);
        if (code == CTL_OK) {
            made[i] = name;
            ctl->is_changed = true;
        }
    }
    if (ctl->is_json)
        report_list(report, "created", made, SR_GROUP_COUNT, "none");
    if (code == CTL_OK && !ctl->is_changed)
        ctl_print(ctl, "No group was missing; nothing was done.");
    else if (code == CTL_OK && !ctl->is_dry_run &&
             access(SR_PUBLISHED_DIR, F_OK) == 0)
        ctl_print(ctl, "Run \"selfreset-publish\" to publish them.");
    return code;
}

int
ctl_groups(struct ctl *ctl, int argc, char **argv)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    bool is_create = false, is_check = false;
    const struct ctl_option options[] = {{"create", &is_create, NULL},
                                         {"check", &is_check, NULL}};
    int code = CTL_OK;

    if (!ctl_parse(ctl, argc, argv, options, 2, 0, 0))
        return ctl->exit;
    if (is_create + is_check != 1)
        return ctl_usage(ctl, "One of --create and --check is required.");
    if (is_create)
        code = ctl_once(ctl, make_groups);
    if (code != CTL_OK || (is_create && (ctl->is_json || ctl->is_dry_run)))
        return code;
    check_groups(&findings);
    if (is_check && findings.count == 0 && check_nss_is_enabled())
        check_seen(ctl->now, &findings);
    /* After --create: what is wrong with those that existed. */
    return is_check || findings.count > 0
               ? ctl_findings(&findings, ctl->is_json)
               : CTL_OK;
}
