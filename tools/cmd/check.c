/*
 * Check: look for mistakes in the set-up, and say what to do about each.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/check/host.h"
#include "tools/check/nss.h"
#include "tools/check/pam_stack.h"
#include "tools/ctl.h"
#include "tools/report.h"
#include "tools/json.h"

#define PAM_FOLDER "/etc/pam.d"

/* Where distributions that keep /etc empty put their stacks. */
static const char *
vendor_folder(void)
{
    static const char *const folder[] = {"/usr/lib/pam.d", "/usr/etc/pam.d"};

    for (size_t i = 0; i < sizeof(folder) / sizeof(folder[0]); i++) {
        if (access(folder[i], F_OK) == 0)
            return folder[i];
    }
    return NULL;
}

static const char *
severity_name(enum severity severity)
{
    return severity == SEVERITY_ERROR ? "error" : "warning";
}

/* A configuration that a line of a stack names. */
static void
check_named_config(void *context, const char *file)
{
    struct sr_config *config = check_config(file, context);

    sr_config_free(config);
}

void
ctl_findings_json(struct json *json, const char *key,
                  const struct findings *findings)
{
    json_array(json, key);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->item[i];

        json_object(json, NULL);
        json_string(json, "severity", severity_name(finding->severity));
        json_string(json, "place", finding->place);
        json_string(json, "text", finding->text);
        json_string(json, "advice", finding->advice);
        json_string(json, "subjects", finding->subjects);
        json_end(json);
    }
    json_end(json);
}

static void
print_json(const struct findings *findings)
{
    struct json json;

    json_begin(&json, stdout);
    ctl_findings_json(&json, NULL, findings);
}

static void
print_one(const struct finding *finding)
{
    char *place = report_clean(finding->place);

    /* The place stays whole, to be clicked or copied. */
    printf("%s: %s\n", severity_name(finding->severity),
           place == NULL ? "?" : place);
    free(place);
    ctl_wrap(stdout, "  ", 2, finding->text);
    if (finding->subjects != NULL)
        ctl_wrap(stdout, "  Concerns: ", 4, finding->subjects);
    ctl_wrap(stdout, "  To do: ", 4, finding->advice);
}

static void
print_text(const struct findings *findings)
{
    size_t errors = findings_count(findings, SEVERITY_ERROR);
    size_t warnings = findings_count(findings, SEVERITY_WARNING);

    for (int severity = SEVERITY_ERROR; severity <= SEVERITY_WARNING;
         severity++) {
        for (size_t i = 0; i < findings->count; i++) {
            if (findings->item[i].severity == (enum severity)severity)
                print_one(&findings->item[i]);
        }
    }
    if (findings->count == 0)
        puts("No mistakes were found.");
    else
        printf("%zu error%s, %zu warning%s.\n", errors, errors == 1 ? "" : "s",
               warnings, warnings == 1 ? "" : "s");
}

int
ctl_findings(const struct findings *findings, bool is_json)
{
    if (is_json)
        print_json(findings);
    else
        print_text(findings);
    return ctl_findings_code(findings);
}

int
ctl_findings_code(const struct findings *findings)
{
    if (findings->is_cut) {
        ctl_error("Out of memory: there may be more.");
        return CTL_ERRORS;
    }
    if (findings_count(findings, SEVERITY_ERROR) > 0)
        return CTL_ERRORS;
    return findings->count > 0 ? CTL_WARNINGS : CTL_OK;
}

/* Directories are big and far: only who asks for one waits for it. */
static void
print_unseen(const struct sr_config *config)
{
    for (size_t i = 0; i < config->backends.count; i++) {
        const char *name = config->backends.item[i];
        char text[160];

        if (strcmp(name, "local") == 0)
            continue;
        snprintf(text, sizeof(text),
                 "The directory itself was not looked at: \"selfresetctl "
                 "check --backend %s\" does that.",
                 name);
        ctl_wrap(stdout, "", 0, text);
    }
}

int
ctl_check(struct ctl *ctl, int argc, char **argv)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    bool is_json = false, has_password = false;
    const char *backend = NULL, *test = NULL;
    int code;
    const struct ctl_option options[] = {
        {"json", &is_json, NULL},
        {"backend", NULL, &backend},
        {"test-entry", NULL, &test},
        {"ask-password", &has_password, NULL},
    };

    if (!ctl_parse(ctl, argc, argv, options, 4, 0, 0))
        return ctl->exit;
    if ((test != NULL && backend == NULL) || (has_password && test == NULL))
        return ctl_usage(ctl, test == NULL
                                  ? "--ask-password goes with --test-entry."
                                  : "--test-entry goes with --backend.");
    if (backend != NULL)
        return ctl_check_backend(ctl, backend, test, has_password, is_json);
    ctl->config = check_config(ctl->config_file, &findings);
    check_stacks(PAM_FOLDER, vendor_folder(), SR_PAMDIR "/pam_selfreset.so",
                 ctl->config != NULL && sr_config_needs_logon(ctl->config),
                 check_named_config, &findings, &findings);
    check_state(&findings);
    if (ctl->config != NULL) {
        check_names(ctl->config, &findings);
        check_quality(ctl->config, &findings);
        check_accounts(ctl->config, ctl->now, &findings);
        if (check_nss_is_used())
            check_nss(ctl->config, ctl->now, &findings);
    }
    code = ctl_findings(&findings, is_json);
    if (ctl->config != NULL && !is_json)
        print_unseen(ctl->config);
    return code;
}
