/*
 * Password-check: whether the rules allow a password that is given on standard
 * input.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/password/quality.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/json.h"
#include "tools/secret_input.h"
#include "tools/words.h"

/* A password that is longer than any that can be set is distinguished from
 * one that just fits. */
#define INPUT_SIZE (SR_PASSWORD_BYTES_MAX + 2)

/* The answer for programs: the stable names of the rules, not their texts. */
static void
print_json(const char *user, const struct sr_findings *broken)
{
    struct json json;

    json_begin(&json, stdout);
    json_object(&json, NULL);
    json_string(&json, "user", user);
    json_bool(&json, "acceptable", broken->count == 0);
    json_array(&json, "broken");
    for (size_t i = 0; i < broken->count; i++)
        json_string(&json, NULL, broken->item[i].id);
    json_end(&json);
    json_end(&json);
}

static void
print_text(const struct sr_findings *broken)
{
    if (broken->count == 0)
        puts(_("The rules allow this password."));
    else
        puts(_("The rules do not allow this password:"));
    for (size_t i = 0; i < broken->count; i++) {
        char text[512];

        snprintf(text, sizeof(text), "%s (%s)", broken->item[i].text,
                 broken->item[i].id);
        ctl_wrap(stdout, "- ", 2, text);
        explicit_bzero(text, sizeof(text));
    }
}

static int
check(const struct sr_candidate *candidate, const struct sr_rules *rules,
      bool is_json)
{
    __attribute__((cleanup(sr_findings_free))) struct sr_findings broken = {0};
    enum sr_quality quality = sr_quality_check(candidate, rules, &broken);

    if (quality != SR_QUALITY_DONE) {
        ctl_error("The password was not checked: %s.",
                  broken.count > 0 ? broken.item[0].text : _("out of memory"));
        return CTL_FAILED;
    }
    if (is_json)
        print_json(candidate->user, &broken);
    else
        print_text(&broken);
    return broken.count == 0 ? CTL_OK : CTL_REFUSED;
}

/* Read the password and check it; the account may be NULL. */
static int
read_and_check(const struct sr_account *account, const struct sr_rules *rules,
               bool is_json)
{
    char password[INPUT_SIZE], host[256] = "";
    const struct sr_candidate candidate = {
        .password = password,
        .user = account == NULL ? NULL : account->facts.name,
        .gecos = account == NULL ? NULL : account->gecos,
        .host = host,
    };
    bool is_cut;
    int code;

    (void)gethostname(host, sizeof(host) - 1);
    if (!ctl_read_secret(_("Password to check: "), password, sizeof(password),
                         &is_cut)) {
        ctl_error("There is no password on standard input.");
        return CTL_FAILED;
    }
    if (is_cut) /* the rule about bytes is broken, whatever is left out */
        memset(password, 'x', sizeof(password) - 1);
    password[sizeof(password) - 1] = '\0';
    code = check(&candidate, rules, is_json);
    explicit_bzero(password, sizeof(password));
    return code;
}

int
ctl_password_check(struct ctl *ctl, int argc, char **argv)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    int code;

    if (!ctl_parse(ctl, argc, argv, NULL, 0, 0, 1))
        return ctl->exit;
    if (ctl->operand_count == 0)
        return ctl_load(ctl)
                   ? read_and_check(NULL, &ctl->config->rules, ctl->is_json)
                   : ctl->exit;
    code = ctl_transaction_begin(ctl, ctl->operand[0], "", &txn);
    return code == CTL_OK
               ? read_and_check(txn.account, &txn.rules, ctl->is_json)
               : code;
}
