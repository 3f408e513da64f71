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
#include "tools/check/benchmark.h"
#include "tools/check/other_files.h"
#include "tools/check/findings.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/words.h"

/* Checking a directory or a realm takes long, so it is done only on request. */
static void
print_unseen(const struct sr_config *config)
{
    for (size_t i = 0; i < config->backends.count; i++) {
        const char *name = config->backends.item[i];
        char text[1024];

        if (strcmp(name, "local") == 0)
            continue;
        snprintf(text, sizeof(text),
                 _("The backend \"%s\" was not checked.  To check it, run "
                   "\"selfresetctl check --backend %s\"."),
                 name, name);
        ctl_wrap(stdout, "", 0, text);
    }
}

static void
print_untried(size_t count)
{
    char text[1024];

    snprintf(text, sizeof(text),
             _n("The password hash of %zu account was not tried with an empty "
                "password, because it takes long.  \"selfresetctl check "
                "--hashes\" tries all.",
                "The password hashes of %zu accounts were not tried with an "
                "empty password, because it takes long.  \"selfresetctl check "
                "--hashes\" tries all.",
                count),
             count);
    if (count > 0)
        ctl_wrap(stdout, "", 0, text);
}

/* What "check" is asked to do. */
struct wish {
    const char *backend, *test, *benchmark;
    bool has_password, tries_all, is_nagios;
};

static int
check_host(struct ctl *ctl, const struct wish *wish)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    size_t untried = 0;
    int code;

    ctl->config =
        check_config(ctl->config_file, ctl->config_file != NULL, &findings);
    check_pam(ctl->config, &findings);
    check_state(&findings);
    if (ctl->config != NULL) {
        check_names(ctl->config, &findings);
        check_quality(ctl->config, &findings);
        check_other_files(ctl->config, &findings);
        check_captive(ctl->config, &findings);
        untried =
            check_accounts(ctl->config, ctl->now, wish->tries_all, &findings);
        if (check_nss_is_used())
            check_nss(ctl->config, ctl->now, &findings);
    }
    if (wish->is_nagios)
        return ctl_findings_nagios(&findings);
    code = ctl_findings(&findings, ctl->is_json);
    if (ctl->config != NULL && !ctl->is_json) {
        print_untried(untried);
        print_unseen(ctl->config);
    }
    return code;
}

static int
check(struct ctl *ctl, const struct wish *wish)
{
    if ((wish->test != NULL && wish->backend == NULL) ||
        (wish->has_password && wish->test == NULL))
        return ctl_usage(ctl, wish->test == NULL
                                  ? N_("--ask-password needs --test-entry.")
                                  : N_("--test-entry needs --backend."));
    if (wish->is_nagios && ctl->is_json)
        return ctl_usage(ctl, "Use --nagios or --json, not both.");
    if (wish->benchmark != NULL && (wish->backend != NULL || wish->is_nagios))
        return ctl_usage(ctl, "--benchmark stands alone, or with --json.");
    if (wish->benchmark != NULL)
        return ctl_check_benchmark(ctl, wish->benchmark);
    if (wish->backend != NULL)
        return ctl_check_backend(ctl, wish->backend, wish->test,
                                 wish->has_password, wish->is_nagios);
    return check_host(ctl, wish);
}

int
ctl_check(struct ctl *ctl, int argc, char **argv)
{
    struct wish wish = {.backend = NULL};
    const struct ctl_option options[] = {
        {"backend", NULL, &wish.backend},
        {"test-entry", NULL, &wish.test},
        {"ask-password", &wish.has_password, NULL},
        {"hashes", &wish.tries_all, NULL},
        {"nagios", &wish.is_nagios, NULL},
        {"benchmark", NULL, &wish.benchmark},
    };
    const bool is_parsed = ctl_parse(ctl, argc, argv, options, 6, 0, 0);
    int code;

    if (wish.is_nagios)
        ctl_english();
    code = is_parsed ? check(ctl, &wish) : ctl->exit;
    /* Nagios shows what is on standard output. */
    if (wish.is_nagios && (code == CTL_USAGE || code == CTL_NO_ROOT))
        code = ctl_nagios_unknown(code == CTL_USAGE
                                      ? "the command line is wrong"
                                      : "only root can check this host");
    return code;
}
