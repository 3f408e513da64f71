/*
 * Account rules: the rules of one account and one service.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/config/account_rules.h"
#include "policy/config/contradictions.h"
#include "policy/config/value.h"

/* The answers so far, so that no directory is asked twice. */
struct answers {
    const struct sr_member *member;
    size_t count;
    struct {
        const char *group;
        int is_in;
    } answer[16];
};

static int
is_in_group(struct answers *answers, const char *group)
{
    int is_in;

    for (size_t i = 0; i < answers->count; i++) {
        if (strcmp(answers->answer[i].group, group) == 0)
            return answers->answer[i].is_in;
    }
    is_in = answers->member->is_member(answers->member->context,
                                       answers->member->user, group);
    if (answers->count < sizeof(answers->answer) / sizeof(answers->answer[0])) {
        answers->answer[answers->count].group = group;
        answers->answer[answers->count].is_in = is_in;
        answers->count++;
    }
    return is_in;
}

/* Whether the account is in a list of users and @groups.  Returns 0 or -1. */
static int
find_account(struct answers *answers, const struct sr_string_list *names,
             bool *is_listed)
{
    *is_listed = false;
    for (size_t i = 0; i < names->count && !*is_listed; i++) {
        const char *item = names->item[i];

        if (item[0] != '@') {
            *is_listed = strcmp(item, answers->member->user) == 0;
        } else {
            int is_in = is_in_group(answers, item + 1);

            if (is_in == SR_UNKNOWN)
                return -1;
            *is_listed = is_in == SR_YES;
        }
    }
    return 0;
}

int
sr_config_rules(const struct sr_config *config, const struct sr_member *member,
                const char *service, struct sr_rules *out)
{
    struct answers answers = {.member = member, .count = 0};

    *out = config->rules;
    for (size_t i = 0; i < config->setting_count; i++) {
        const struct sr_setting *setting = &config->setting[i];
        int is_in;

        if (setting->key->scope != SR_SCOPE_RULES || setting->owner == NULL)
            continue;
        is_in = is_in_group(&answers, setting->owner);
        if (is_in == SR_UNKNOWN)
            return -1;
        if (is_in == SR_YES)
            sr_value_store(setting->key, &setting->value, out);
    }
    sr_contradictions_resolve(out);
    /* The history's newest entry is this host's record of the last change. */
    if (out->max_age > 0 && out->history == 0)
        out->history = 1;
    out->spare_expired =
        service != NULL && sr_string_list_has(&out->expired_services, service);
    out->is_logon_service =
        service != NULL && sr_string_list_has(&out->logon_services, service);
    if (find_account(&answers, &out->logon_exempt, &out->is_logon_exempt) !=
            0 ||
        find_account(&answers, &out->protected_accounts, &out->is_protected) !=
            0 ||
        find_account(&answers, &out->cannot_change, &out->is_cannot_change) !=
            0 ||
        find_account(&answers, &config->nss_break_glass,
                     &out->is_break_glass) != 0)
        return -1;
    return 0;
}

int
sr_config_is_listed(const struct sr_member *member,
                    const struct sr_string_list *names, bool *is_listed)
{
    struct answers answers = {.member = member, .count = 0};

    return find_account(&answers, names, is_listed);
}

bool
sr_config_shares(const struct sr_config *config)
{
    return sr_setting_holds(config, sr_key_find("lockout", "store"),
                            SR_LOCKOUT_LDAP);
}

bool
sr_config_offers(const struct sr_config *config, const char *gate)
{
    return sr_setting_lists(config, sr_key_find("reset", "classes"),
                            &config->rules.reset_classes, gate);
}

bool
sr_config_resets(const struct sr_config *config)
{
    return sr_setting_holds(config, sr_key_find("reset", "enable"), true);
}

bool
sr_config_needs_logon(const struct sr_config *config)
{
    return sr_setting_holds(config, sr_key_find("change", "require_logon"),
                            true);
}

bool
sr_config_reveals(const struct sr_config *config, bool is_remote)
{
    return config->reveal == SR_REVEAL_ALWAYS ||
           (config->reveal == SR_REVEAL_CONSOLE && !is_remote);
}

bool
sr_config_sets(const struct sr_config *config, const char *section,
               const char *key)
{
    const struct sr_key *wanted = sr_key_find(section, key);

    for (size_t i = 0; i < config->setting_count; i++) {
        if (config->setting[i].key == wanted && config->setting[i].line > 0)
            return true;
    }
    return false;
}

/* Whether a later line sets the same key of the same owner. */
static bool
is_replaced(const struct sr_config *config, size_t index)
{
    const struct sr_setting *setting = &config->setting[index];

    for (size_t i = index + 1; i < config->setting_count; i++) {
        const struct sr_setting *later = &config->setting[i];

        if (later->line > 0 && later->key == setting->key &&
            (later->owner == setting->owner ||
             (later->owner != NULL && setting->owner != NULL &&
              strcmp(later->owner, setting->owner) == 0)))
            return true;
    }
    return false;
}

/* Whether a key decides who may be reset and how. */
static bool
decides_resets(const struct sr_key *key)
{
    return key == sr_key_find("change", "protected") ||
           key == sr_key_find("change", "cannot_change") ||
           (strcmp(key->section, "reset") == 0 &&
            key != sr_key_find("reset", "administrators"));
}

bool
sr_config_resets_by_groups(const struct sr_config *config,
                           bool (*is_good)(const char *group))
{
    bool are_good = true;

    for (size_t i = 0; i < config->setting_count && are_good; i++) {
        const struct sr_setting *setting = &config->setting[i];
        const bool has_names = setting->key->type == SR_KEY_NAMES &&
                               setting->key->items == SR_ITEMS_ACCOUNTS;
        const struct sr_string_list *names = &setting->value.names;

        if (setting->line == 0 || is_replaced(config, i) ||
            !decides_resets(setting->key))
            continue;
        if (setting->key->scope == SR_SCOPE_RULES && setting->owner != NULL)
            are_good = is_good(setting->owner);
        for (size_t n = 0; has_names && are_good && n < names->count; n++)
            are_good = names->item[n][0] != '@' || is_good(names->item[n] + 1);
    }
    return are_good;
}

void
sr_config_each_name(const struct sr_config *config,
                    void (*each)(void *context, const char *name, bool is_group,
                                 const char *file, unsigned line),
                    void *context)
{
    for (size_t i = 0; i < config->setting_count; i++) {
        const struct sr_setting *setting = &config->setting[i];
        const struct sr_string_list *names = &setting->value.names;

        if (setting->line == 0 || is_replaced(config, i))
            continue;
        if (setting->key->scope == SR_SCOPE_RULES && setting->owner != NULL)
            each(context, setting->owner, true, setting->file, setting->line);
        if (setting->key->type != SR_KEY_NAMES ||
            setting->key->items != SR_ITEMS_ACCOUNTS)
            continue;
        for (size_t n = 0; n < names->count; n++) {
            bool is_group = names->item[n][0] == '@';

            each(context, names->item[n] + (is_group ? 1 : 0), is_group,
                 setting->file, setting->line);
        }
    }
}
