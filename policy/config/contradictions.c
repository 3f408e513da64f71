/*
 * Contradictions: values that are right by themselves and wrong together.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "policy/config/backend_section.h"
#include "policy/config/contradictions.h"
#include "policy/config/nearest.h"
#include "policy/config/other_files.h"
#include "policy/config/value.h"
#include "policy/util/words.h"

#define MAX_LENGTH 256 /* of a password, where max_length is 0 */

static bool
is_duration_over(const struct sr_rules *rules)
{
    return rules->duration > rules->duration_max;
}

/* The slots stay consumed for the window, so a shorter lockout would not end
 * when it says; Active Directory has the same condition. */
static bool
is_duration_below_window(const struct sr_rules *rules)
{
    return rules->duration < rules->window;
}

static bool
is_length_crossed(const struct sr_rules *rules)
{
    static const unsigned preset_least[] = {
        [SR_PRESET_NIST] = 15, [SR_PRESET_AD] = 7, [SR_PRESET_PWQUALITY] = 0};
    unsigned least = rules->min_length != 0 ? rules->min_length
                                            : preset_least[rules->preset];
    unsigned most = rules->max_length != 0 ? rules->max_length : MAX_LENGTH;

    return least > most;
}

/* Two such ways are one proof. */
static bool
is_phone(const char *gate)
{
    return strcmp(gate, "sms") == 0 || strcmp(gate, "voice") == 0;
}

static bool
is_short_of_gates(const struct sr_rules *rules)
{
    const struct sr_string_list *list = &rules->reset_classes;
    unsigned count = 0;

    for (size_t i = 0; i < list->count; i++) {
        bool is_new = true;

        for (size_t k = 0; k < i && is_new; k++)
            is_new = strcmp(list->item[k], list->item[i]) != 0 &&
                     !(is_phone(list->item[k]) && is_phone(list->item[i]));
        count += is_new;
    }
    return count < rules->reset_gates;
}

/* A recovery contact is a proof beside another one only. */
static bool
is_contact_alone(const struct sr_rules *rules)
{
    return rules->reset_classes.count == 1 &&
           sr_string_list_has(&rules->reset_classes, "contact");
}

static const struct contradiction {
    bool (*holds)(const struct sr_rules *rules);
    const char *section;
    const char *key[3];
    const char *text;
} contradictions[] = {
    {is_duration_over,
     "lockout",
     {"duration", "duration_max"},
     N_LOG("lockout.duration is longer than lockout.duration_max: raise "
           "duration_max, or lower duration")},
    {is_duration_below_window,
     "lockout",
     {"duration", "window"},
     N_LOG(
         "lockout.duration is shorter than lockout.window: raise duration, or "
         "lower window")},
    {is_length_crossed,
     "password",
     {"min_length", "max_length", "preset"},
     N_LOG("password.min_length is more than password.max_length; where one is "
           "not "
           "set, the preset's counts (at least 15 or 7, at most 256)")},
    {is_short_of_gates,
     "reset",
     {"gates", "classes"},
     N_LOG("reset.gates demands more proofs than there are ways of different "
           "kinds "
           "in reset.classes")},
    {is_contact_alone,
     "reset",
     {"classes"},
     N_LOG(
         "reset.classes has only \"contact\", which counts beside another way "
         "only")},
};

static bool
is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The last line that sets one of some keys for an owner, or NULL. */
static const struct sr_setting *
last_of(const struct sr_config *config, const char *section,
        const char *const *key, size_t count, const char *owner)
{
    for (size_t i = config->setting_count; i-- > 0;) {
        const struct sr_setting *setting = &config->setting[i];

        if (setting->line == 0 || !is_same(setting->owner, owner) ||
            strcmp(setting->key->section, section) != 0)
            continue;
        for (size_t k = 0; k < count && key[k] != NULL; k++) {
            if (strcmp(setting->key->name, key[k]) == 0)
                return setting;
        }
    }
    return NULL;
}

/*
 * Whether a value that counts is from the file of another module: who edits
 * that must not make the configuration an error.  Throttling does with any
 * values, and "check" reports these.
 */
static bool
is_of_other_file(const struct sr_config *config,
                 const struct contradiction *what, const char *group)
{
    const char *const path = sr_other_path(SR_OTHER_FAILLOCK);
    bool is_other = false;

    for (size_t k = 0; k < 3 && what->key[k] != NULL; k++) {
        const struct sr_setting *at =
            last_of(config, what->section, &what->key[k], 1, group);

        if (at == NULL)
            at = last_of(config, what->section, &what->key[k], 1, NULL);
        is_other = is_other || (at != NULL && strcmp(at->file, path) == 0);
    }
    return is_other;
}

static void
report(const struct sr_config *config, const struct contradiction *what,
       const char *group, struct sr_config_errors *errors)
{
    const struct sr_setting *at =
        last_of(config, what->section, what->key, 3, group);

    if (at == NULL || is_of_other_file(config, what, group))
        return;
    if (group == NULL)
        sr_config_error(errors, at->file, at->line, "%s",
                        sr_config_words(errors, what->text));
    else
        sr_config_error(errors, at->file, at->line, N_LOG("%s, for group %s"),
                        sr_config_words(errors, what->text), group);
}

/* The rules of an account that is in one group only. */
static struct sr_rules
rules_of_group(const struct sr_config *config, const char *group)
{
    struct sr_rules rules = config->rules;

    for (size_t i = 0; i < config->setting_count; i++) {
        const struct sr_setting *setting = &config->setting[i];

        if (setting->key->scope == SR_SCOPE_RULES && setting->owner != NULL &&
            strcmp(setting->owner, group) == 0)
            sr_value_store(setting->key, &setting->value, &rules);
    }
    return rules;
}

/* Whether a setting is the first of its group. */
static bool
is_first_of_group(const struct sr_config *config, size_t index)
{
    const struct sr_setting *setting = &config->setting[index];

    if (setting->key->scope != SR_SCOPE_RULES || setting->owner == NULL)
        return false;
    for (size_t i = 0; i < index; i++) {
        if (config->setting[i].key->scope == SR_SCOPE_RULES &&
            is_same(config->setting[i].owner, setting->owner))
            return false;
    }
    return true;
}

/* One that holds for all accounts is not reported again for groups. */
static void
check_rules(const struct sr_config *config, const struct contradiction *what,
            struct sr_config_errors *errors)
{
    if (what->holds(&config->rules)) {
        report(config, what, NULL, errors);
        return;
    }
    for (size_t i = 0; i < config->setting_count; i++) {
        const char *group = config->setting[i].owner;
        struct sr_rules rules;

        if (!is_first_of_group(config, i))
            continue;
        rules = rules_of_group(config, group);
        if (what->holds(&rules))
            report(config, what, group, errors);
    }
}

/* ---- backends */

/* The last line of a backend's section, or of one of its keys (or NULL). */
static const struct sr_setting *
last_of_backend(const struct sr_config *config, const char *name,
                const char *key)
{
    for (size_t i = config->setting_count; i-- > 0;) {
        const struct sr_setting *setting = &config->setting[i];

        if (setting->line > 0 && setting->key->scope == SR_SCOPE_BACKEND &&
            strcmp(setting->owner, name) == 0 &&
            (key == NULL || strcmp(setting->key->name, key) == 0))
            return setting;
    }
    return NULL;
}

static void
check_backend(const struct sr_config *config,
              const struct sr_backend_config *backend,
              struct sr_config_errors *errors)
{
    const char *key;
    const char *fault = sr_config_backend_fault(backend, &key);
    const struct sr_setting *at = last_of_backend(config, backend->name, key);
    const bool is_named = key != NULL && strcmp(key, "filter") != 0;

    if (at == NULL) /* the key has its default, or is one of two */
        at = last_of_backend(config, backend->name, NULL);
    if (fault == NULL || at == NULL)
        return;
    fault = sr_config_words(errors, fault);
    if (is_named)
        sr_config_error(errors, at->file, at->line, N_LOG("[backend %s] %s %s"),
                        backend->name, key, fault);
    else
        sr_config_error(errors, at->file, at->line, N_LOG("[backend %s] %s"),
                        backend->name, fault);
}

static const struct sr_backend_config *
find_backend(const struct sr_config *config, const char *name)
{
    for (size_t i = 0; i < config->backend_count; i++) {
        if (strcmp(config->backend[i].name, name) == 0)
            return &config->backend[i];
    }
    return NULL;
}

/* The name of a backend that was probably meant, or NULL. */
static const char *
near_backend(const struct sr_config *config, const char *name)
{
    unsigned best = sr_nearest_distance(SR_LOCAL, name);
    const char *found = best < SR_NEAREST_NEVER ? SR_LOCAL : NULL;

    for (size_t i = 0; i < config->backend_count; i++) {
        if (sr_nearest_is(config->backend[i].name, name, &best))
            found = config->backend[i].name;
    }
    return found;
}

/* Each name in selfreset.backends has a section. */
static void
check_backend_names(const struct sr_config *config,
                    struct sr_config_errors *errors)
{
    static const char *const key = "backends";
    const struct sr_setting *at = last_of(config, "selfreset", &key, 1, NULL);

    for (size_t i = 0; at != NULL && i < config->backends.count; i++) {
        const char *name = config->backends.item[i];
        const char *near = near_backend(config, name);

        if (strcmp(name, SR_LOCAL) == 0 || find_backend(config, name) != NULL)
            continue;
        if (near == NULL)
            sr_config_error(errors, at->file, at->line,
                            N_LOG("selfreset.backends names \"%s\", but there "
                                  "is no [backend %s]"),
                            name, name);
        else
            sr_config_error(errors, at->file, at->line,
                            N_LOG("selfreset.backends names \"%s\", but there "
                                  "is no [backend %s]; did you mean \"%s\"?"),
                            name, name, near);
    }
}

/* Whether one of the backends that are asked has ledgers, or else a place for
 * enrolments. */
static bool
has_base(const struct sr_config *config, bool of_ledgers)
{
    for (size_t i = 0; i < config->backends.count; i++) {
        const struct sr_backend_config *backend =
            find_backend(config, config->backends.item[i]);

        if (backend != NULL &&
            (of_ledgers ? backend->lockout_base : backend->reset_base) != NULL)
            return true;
    }
    return false;
}

/* lockout.store = ldap, for all or for a group, needs a backend with ledgers.
 */
static void
check_store(const struct sr_config *config, struct sr_config_errors *errors)
{
    const struct sr_key *key = sr_key_find("lockout", "store");
    const struct sr_setting *at = NULL;

    for (size_t i = 0; i < config->setting_count; i++) {
        if (config->setting[i].line > 0 && config->setting[i].key == key)
            at = &config->setting[i];
    }
    if (at != NULL && !has_base(config, true) &&
        sr_setting_holds(config, key, SR_LOCKOUT_LDAP))
        sr_config_error(errors, at->file, at->line,
                        N_LOG("lockout.store = ldap needs a backend with a "
                              "lockout_base among selfreset.backends"));
}

/* ---- self-service reset */

/* reset.account is one account, of a name that useradd(8) makes and that is no
 * pattern in sshd_config(5). */
static void
check_reset_account(const struct sr_config *config,
                    struct sr_config_errors *errors)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const struct sr_key *key = sr_key_find("reset", "account");
    const char *name = config->reset.account;

    if (name != NULL && name[strspn(name, letters)] == '\0' && name[0] != '-' &&
        (name[0] < '0' || name[0] > '9') && strcmp(name, "root") != 0)
        return;
    for (size_t i = 0; i < config->setting_count; i++) {
        const struct sr_setting *at = &config->setting[i];

        if (at->line > 0 && at->key == key)
            sr_config_error(errors, at->file, at->line,
                            N_LOG("reset.account must be one account: small "
                                  "letters, digits, - and _, and not root"));
    }
}

/* Where a fault of [reset] is reported: at the line that sets `key`, or else at
 * the one that switches it on. */
#define RESET_FAULT(config, key, errors, ...)                                  \
    do {                                                                       \
        const struct sr_setting *at = line_of_reset(config, key);              \
                                                                               \
        if (at != NULL)                                                        \
            sr_config_error(errors, at->file, at->line, __VA_ARGS__);          \
    } while (0)

static const struct sr_setting *
line_of_reset(const struct sr_config *config, const char *key)
{
    const char *const either[] = {key, "enable"};
    const struct sr_setting *at = last_of(config, "reset", either, 1, NULL);

    return at != NULL ? at : last_of(config, "reset", either + 1, 1, NULL);
}

/* A service either runs the login shell of the account or has the dialogue
 * itself. */
static void
check_reset_services(const struct sr_config *config,
                     struct sr_config_errors *errors)
{
    const struct sr_string_list *greeters = &config->reset.greeters;

    for (size_t i = 0; i < greeters->count; i++) {
        if (sr_string_list_has(&config->reset.services, greeters->item[i]))
            RESET_FAULT(config, "greeters", errors,
                        N_LOG("reset.greeters and reset.services have a "
                              "service in common: remove it from one of them"));
    }
}

/* A directory needs a place for enrolments, and its hosts one key, which the
 * administrator gives to all of them. */
static void
check_reset_store(const struct sr_config *config,
                  struct sr_config_errors *errors)
{
    if (config->reset.store != SR_RESET_STORE_LDAP)
        return;
    if (!has_base(config, false))
        RESET_FAULT(config, "store", errors,
                    N_LOG("reset.store = ldap needs a backend with a "
                          "reset_base among selfreset.backends"));
    if (config->reset.seal_file == NULL)
        RESET_FAULT(config, "store", errors,
                    N_LOG("reset.store = ldap needs reset.seal_file, a key "
                          "that is the same on all hosts"));
}

/* A way of [reset] by a program needs the program and its user. */
static void
check_channel(const struct sr_config *config, enum sr_channel_id id,
              struct sr_config_errors *errors)
{
    const struct sr_channel_config *channel = &config->reset.channel[id];
    const char *name = sr_channel_names[id];
    char key[32];

    if (!sr_setting_lists(config, sr_key_find("reset", "classes"),
                          &config->rules.reset_classes, name))
        return;
    snprintf(key, sizeof(key), "%s_program", name);
    if (channel->program == NULL || channel->program[0] != '/')
        RESET_FAULT(config, key, errors,
                    N_LOG("reset.classes has \"%s\", so reset.%s must be a "
                          "program, by its whole path"),
                    name, key);
    snprintf(key, sizeof(key), "%s_user", name);
    if (channel->user == NULL || strcmp(channel->user, "root") == 0)
        RESET_FAULT(config, key, errors,
                    N_LOG("reset.%s must be a user other than root"), key);
    if ((id == SR_CHANNEL_SMS || id == SR_CHANNEL_VOICE) &&
        config->reset.phone_prefixes.count == 0)
        RESET_FAULT(config, "phone_prefixes", errors,
                    N_LOG("reset.classes has \"%s\", so reset.phone_prefixes "
                          "must say which numbers are called"),
                    name);
}

static void
check_reset(const struct sr_config *config, struct sr_config_errors *errors)
{
    const struct sr_reset_config *reset = &config->reset;

    if (!sr_setting_holds(config, sr_key_find("reset", "enable"), true))
        return;
    for (int channel = 0; channel < SR_CHANNELS; channel++)
        check_channel(config, (enum sr_channel_id)channel, errors);
    if (reset->mail_from == NULL || strpbrk(reset->mail_from, "\r\n<>") != NULL)
        RESET_FAULT(
            config, "mail_from", errors,
            N_LOG("reset.mail_from must be an address, or a user's name"));
    if (reset->seal_file != NULL && reset->seal_file[0] != '/')
        RESET_FAULT(config, "seal_file", errors,
                    N_LOG("reset.seal_file must be a whole path"));
    check_reset_store(config, errors);
}

void
sr_contradictions_find(const struct sr_config *config,
                       struct sr_config_errors *errors)
{
    const size_t count = sizeof(contradictions) / sizeof(contradictions[0]);

    for (size_t i = 0; i < count; i++)
        check_rules(config, &contradictions[i], errors);
    for (size_t i = 0; i < config->backend_count; i++)
        check_backend(config, &config->backend[i], errors);
    check_backend_names(config, errors);
    check_store(config, errors);
    check_reset_account(config, errors);
    check_reset_services(config, errors);
    check_reset(config, errors);
}

void
sr_contradictions_resolve(struct sr_rules *rules)
{
    if (rules->duration < rules->window)
        rules->duration = rules->window;
    if (rules->duration_max < rules->duration)
        rules->duration_max = rules->duration;
    if (is_length_crossed(rules))
        rules->max_length = 0;
}
