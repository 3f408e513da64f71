/*
 * Check: look for mistakes in the set-up, and say what to do about each.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config/config.h"
#include "policy/config/account_rules.h"
#include "tools/check/host.h"
#include "tools/check/nss.h"
#include "tools/check/pam.h"
#include "tools/check/accounts.h"
#include "tools/check/captive.h"
#include "tools/check/backend.h"
#include "tools/check/findings.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"

/* Checking a directory or a realm takes long, so it is done only on request. */
static void
print_unseen(const struct sr_config *config)
{
    for (size_t i = 0; i < config->backends.count; i++) {
        const char *name = config->backends.item[i];
        char text[256];

        if (strcmp(name, "local") == 0)
            continue;
        snprintf(text, sizeof(text),
                 "The backend \"%s\" was not checked.  To check it, run "
                 "\"selfresetctl check --backend %s\".",
                 name, name);
        ctl_wrap(stdout, "", 0, text);
    }
}

static void
print_untried(size_t count)
{
    char text[256];

    snprintf(text, sizeof(text),
             "The password hashes of %zu accounts were not tried with an empty "
             "password, because it takes long.  \"selfresetctl check "
             "--hashes\" tries all.",
             count);
    if (count > 0)
        ctl_wrap(stdout, "", 0, text);
}

int
ctl_check(struct ctl *ctl, int argc, char **argv)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    bool has_password = false, tries_all = false;
    const char *backend = NULL, *test = NULL;
    int code;
    const struct ctl_option options[] = {
        {"backend", NULL, &backend},
        {"test-entry", NULL, &test},
        {"ask-password", &has_password, NULL},
        {"hashes", &tries_all, NULL},
    };
    size_t untried = 0;

    if (!ctl_parse(ctl, argc, argv, options, 4, 0, 0))
        return ctl->exit;
    if ((test != NULL && backend == NULL) || (has_password && test == NULL))
        return ctl_usage(ctl, test == NULL
                                  ? "--ask-password needs --test-entry."
                                  : "--test-entry needs --backend.");
    if (backend != NULL)
        return ctl_check_backend(ctl, backend, test, has_password,
                                 ctl->is_json);
    ctl->config =
        check_config(ctl->config_file, ctl->config_file != NULL, &findings);
    check_pam(ctl->config, &findings);
    check_state(&findings);
    if (ctl->config != NULL) {
        check_names(ctl->config, &findings);
        check_quality(ctl->config, &findings);
        check_captive(ctl->config, &findings);
        untried = check_accounts(ctl->config, ctl->now, tries_all, &findings);
        if (check_nss_is_used())
            check_nss(ctl->config, ctl->now, &findings);
    }
    code = ctl_findings(&findings, ctl->is_json);
    if (ctl->config != NULL && !ctl->is_json) {
        print_untried(untried);
        print_unseen(ctl->config);
    }
    return code;
}
