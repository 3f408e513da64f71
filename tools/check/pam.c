/*
 * PAM: whether the stacks of this host, and sshd, let the module do its work.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/config/account_rules.h"
#include "policy/wire/link.h"
#include "tools/check/host.h"
#include "tools/check/pam.h"
#include "tools/check/pam_stack.h"
#include "tools/check/sandbox.h"
#include "tools/check/sshd_config.h"
#include "tools/nsswitch.h"
#include "tools/rewrite.h"

/* A configuration that a line of a stack names. */
static void
check_named_config(void *context, const char *file)
{
    struct sr_config *config = check_config(file, false, context);

    sr_config_free(config);
}

/*
 * The first source of nsswitch.conf's passwd line that is neither the host's
 * own files nor systemd's, as a new string; NULL when there is none.
 */
static char *
find_directory(void)
{
    struct nsswitch_line line = {0};
    struct rewrite file;
    char *found = NULL;

    if (rewrite_read(NSSWITCH_FILE, &file) != NULL)
        return NULL;
    while (found == NULL && nsswitch_next(file.text, &line)) {
        for (size_t i = 0; i < line.count && found == NULL; i++) {
            if (nsswitch_is(&line, "passwd") && !nsswitch_is_files(&line, i) &&
                !nsswitch_is_source(&line, i, "systemd") &&
                !nsswitch_is_source(&line, i, NSSWITCH_OURS))
                found = strndup(file.text + line.source[i].start,
                                line.source[i].name_length);
        }
    }
    rewrite_end(&file);
    return found;
}

void
check_pam(const struct sr_config *config, struct findings *findings)
{
    bool has_directory = config == NULL || config->backend_count > 0;
    char *directory = has_directory ? NULL : find_directory();
    const struct check_stacks how = {
        .folders = check_pam_folders,
        .module = SR_PAMDIR "/pam_selfreset.so",
        .directory = directory,
        /* Where the module must not be used, its absence is no mistake. */
        .is_safety_only =
            selinux_bars_logins() &&
            !stacks_name_module(check_pam_folders, NULL, NULL, NULL),
        .needs_logon = config != NULL && sr_config_needs_logon(config),
        .has_helper = check_has_helper(SR_RUNDIR "/" SR_LINK_NAME),
        .conf = check_named_config,
        .context = findings,
    };

    if (check_stacks(&how, findings) && !how.has_helper)
        check_sandboxes(sandbox_folders, SR_STATEDIR, findings);
    check_selinux(findings);
    if (stacks_name_module(check_pam_folders, "sshd", NULL, NULL))
        check_sshd_pam(SSHD_CONF, SSHD_FOLDER, findings);
    free(directory);
}
