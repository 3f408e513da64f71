/*
 * Config keys: the table of keys, and the readers of values.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/keys.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400
/* No rule needs more, and sums of times stay far from overflowing. */
#define LONGEST (36500 * (int64_t)DAY)

#define GLOBAL(member)                                                         \
    .scope = SR_SCOPE_GLOBAL, .offset = offsetof(struct sr_config, member)
#define BACKEND(member)                                                        \
    .scope = SR_SCOPE_BACKEND,                                                 \
    .offset = offsetof(struct sr_backend_config, member)
#define RULE(member) .offset = offsetof(struct sr_rules, member)

/* Words stand at the place of their enumeration's value. */
static const char *const reveal_words[] = {"always", "console", "never", NULL};
static const char *const profile_words[] = {"nist", "ad", NULL};
static const char *const grace_words[] = {"text", "change", NULL};
static const char *const bang_words[] = {"password", "account", NULL};
static const char *const root_words[] = {"advise", "enforce", NULL};
static const char *const preset_words[] = {"nist", "ad", "pwquality", NULL};
static const char *const view_words[] = {"restricted", "public", NULL};
static const char *const type_words[] = {"ldap", NULL};
static const char *const identity_words[] = {"none", "simple", "external",
                                             "gssapi", NULL};
static const char *const store_words[] = {"local", "ldap", NULL};
static const char *const down_words[] = {"stop", "next", NULL};

/* clang-format off */
const struct sr_key sr_keys[] = {
    {"selfreset", "backends", SR_KEY_NAMES, "local",
     .items = SR_ITEMS_BACKENDS, GLOBAL(backends)},
    {"selfreset", "contact", SR_KEY_TEXT, "",
     .most = 120, GLOBAL(contact)},
    {"selfreset", "reveal", SR_KEY_CHOICE, "always",
     .choice = reveal_words, GLOBAL(reveal)},
    {"selfreset", "profile", SR_KEY_CHOICE, "nist", "ad",
     .choice = profile_words, GLOBAL(profile)},

    {"expiry", "warn", SR_KEY_DURATION, "14d",
     .least = 0, .most = LONGEST, RULE(warn)},
    {"expiry", "grace", SR_KEY_CHOICE, "text",
     .choice = grace_words, RULE(grace)},
    {"expiry", "expired_services", SR_KEY_NAMES,
     "sudo sudo-i cron crond atd systemd-user",
     .items = SR_ITEMS_SERVICES, RULE(expired_services)},
    {"expiry", "locked_hash", SR_KEY_CHOICE, "password",
     .choice = bang_words, RULE(locked_hash)},

    {"change", "require_logon", SR_KEY_SWITCH, "no", RULE(require_logon)},
    {"change", "logon_exempt", SR_KEY_NAMES, "",
     .items = SR_ITEMS_ACCOUNTS, RULE(logon_exempt)},
    {"change", "minimum_age", SR_KEY_DURATION, "0", "1d",
     .least = 0, .most = LONGEST, RULE(minimum_age)},
    {"change", "protected", SR_KEY_NAMES, "",
     .items = SR_ITEMS_ACCOUNTS, RULE(protected_accounts)},
    {"change", "cannot_change", SR_KEY_NAMES, "",
     .items = SR_ITEMS_ACCOUNTS, RULE(cannot_change)},
    {"change", "tries", SR_KEY_COUNT, "3",
     .least = 1, .most = 99, RULE(tries)},
    {"change", "root", SR_KEY_CHOICE, "advise",
     .choice = root_words, RULE(root)},

    {"lockout", "store", SR_KEY_CHOICE, "local",
     .choice = store_words, RULE(lockout_store)},
    {"lockout", "attempts", SR_KEY_COUNT, "5",
     .least = 0, .most = SR_ATTEMPTS_MAX, RULE(attempts)},
    {"lockout", "window", SR_KEY_DURATION, "15m", "30m",
     .least = 1, .most = 366 * DAY, RULE(window)},
    {"lockout", "duration", SR_KEY_DURATION, "15m", "30m",
     .least = 1, .most = 366 * DAY, RULE(duration)},
    {"lockout", "duration_max", SR_KEY_DURATION, "24h",
     .least = 1, .most = 366 * DAY, RULE(duration_max)},
    {"lockout", "limit", SR_KEY_COUNT, "100",
     .least = 0, .most = 100000, RULE(limit)},
    {"lockout", "source_attempts", SR_KEY_COUNT, "30",
     .least = 0, .most = SR_ATTEMPTS_MAX, RULE(source_attempts)},
    {"lockout", "familiar", SR_KEY_DURATION, "30d",
     .least = 0, .most = LONGEST, RULE(familiar)},
    {"lockout", "root", SR_KEY_SWITCH, "no", RULE(lock_root)},
    {"lockout", "delay", SR_KEY_DURATION, "2s",
     .least = 0, .most = MINUTE, RULE(delay)},
    {"lockout", "wait", SR_KEY_DURATION, "10s",
     .least = 1, .most = 5 * MINUTE, RULE(wait)},

    {"password", "preset", SR_KEY_CHOICE, "nist", "ad",
     .choice = preset_words, RULE(preset)},
    {"password", "min_length", SR_KEY_COUNT, "0",
     .least = 0, .most = 256, RULE(min_length)},
    {"password", "max_length", SR_KEY_COUNT, "0",
     .least = 0, .most = 511, RULE(max_length)},
    {"password", "min_classes", SR_KEY_COUNT, "0",
     .least = 0, .most = 4, RULE(min_classes)},
    {"password", "history", SR_KEY_COUNT, "0", "24",
     .least = 0, .most = SR_HISTORY_MAX, RULE(history)},
    {"password", "history_age", SR_KEY_DURATION, "730d",
     .least = 0, .most = LONGEST, RULE(history_age)},

    {"temporary", "lifetime", SR_KEY_DURATION, "24h",
     .least = 1, .most = 366 * DAY, RULE(temporary_lifetime)},

    {"nss", "view", SR_KEY_CHOICE, "restricted",
     .choice = view_words, GLOBAL(nss_view)},
    {"nss", "max_age", SR_KEY_DURATION, "24h",
     .least = 5 * MINUTE, .most = 366 * DAY, GLOBAL(nss_max_age)},
    {"nss", "enumerate", SR_KEY_SWITCH, "no", GLOBAL(nss_enumerate)},
    {"nss", "break_glass", SR_KEY_NAMES, "",
     .items = SR_ITEMS_ACCOUNTS, GLOBAL(nss_break_glass)},

    {"backend", "type", SR_KEY_CHOICE, "ldap",
     .choice = type_words, BACKEND(type)},
    {"backend", "uri", SR_KEY_NAMES, "",
     .items = SR_ITEMS_URIS, BACKEND(uri)},
    {"backend", "base", SR_KEY_TEXT, "",
     .most = 180, BACKEND(base)},
    {"backend", "filter", SR_KEY_TEXT,
     "(&(objectClass=posixAccount)(uid=%u))",
     .most = 180, BACKEND(filter)},
    {"backend", "name_attribute", SR_KEY_TEXT, "uid",
     .most = 60, BACKEND(name_attribute)},
    {"backend", "uid_attribute", SR_KEY_TEXT, "uidNumber",
     .most = 60, BACKEND(uid_attribute)},
    {"backend", "identity", SR_KEY_CHOICE, "none",
     .choice = identity_words, BACKEND(identity)},
    {"backend", "bind_dn", SR_KEY_TEXT, "",
     .most = 180, BACKEND(bind_dn)},
    {"backend", "secret_file", SR_KEY_TEXT, "",
     .most = 180, BACKEND(secret_file)},
    {"backend", "keytab", SR_KEY_TEXT, "",
     .most = 180, BACKEND(keytab)},
    {"backend", "principal", SR_KEY_TEXT, "",
     .most = 180, BACKEND(principal)},
    {"backend", "user_dn", SR_KEY_TEXT, "",
     .most = 180, BACKEND(user_dn)},
    {"backend", "ca_file", SR_KEY_TEXT, "",
     .most = 180, BACKEND(ca_file)},
    {"backend", "ca_directory", SR_KEY_TEXT, "",
     .most = 180, BACKEND(ca_directory)},
    {"backend", "default_policy", SR_KEY_TEXT, "",
     .most = 180, BACKEND(default_policy)},
    {"backend", "lockout_base", SR_KEY_TEXT, "",
     .most = 180, BACKEND(lockout_base)},
    {"backend", "insecure", SR_KEY_SWITCH, "no", BACKEND(insecure)},
    {"backend", "timeout", SR_KEY_DURATION, "10s",
     .least = 1, .most = 2 * MINUTE, BACKEND(timeout)},
    {"backend", "when_down", SR_KEY_CHOICE, "stop",
     .choice = down_words, BACKEND(when_down)},
};
/* clang-format on */
const size_t sr_key_count = sizeof(sr_keys) / sizeof(sr_keys[0]);

/* Enumerations are stored as int; a compiler with short ones must not pass. */
_Static_assert(sizeof(enum sr_reveal) == sizeof(int) &&
                   sizeof(enum sr_profile) == sizeof(int) &&
                   sizeof(enum sr_publicity) == sizeof(int) &&
                   sizeof(enum sr_grace) == sizeof(int) &&
                   sizeof(enum sr_locked_hash) == sizeof(int) &&
                   sizeof(enum sr_root_mode) == sizeof(int) &&
                   sizeof(enum sr_lockout_store) == sizeof(int) &&
                   sizeof(enum sr_preset) == sizeof(int) &&
                   sizeof(enum sr_backend_type) == sizeof(int) &&
                   sizeof(enum sr_identity) == sizeof(int) &&
                   sizeof(enum sr_down) == sizeof(int),
               "enumerations have the size of int");

const struct sr_key *
sr_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < sr_key_count; i++) {
        if (strcmp(sr_keys[i].section, section) == 0 &&
            strcmp(sr_keys[i].name, name) == 0)
            return &sr_keys[i];
    }
    return NULL;
}

bool
sr_key_section(const char *section, enum sr_key_scope *scope)
{
    for (size_t i = 0; i < sr_key_count; i++) {
        if (strcmp(sr_keys[i].section, section) == 0) {
            *scope = sr_keys[i].scope;
            return true;
        }
    }
    return false;
}

const char *
sr_key_preset(const struct sr_key *key, enum sr_profile profile)
{
    return profile == SR_PROFILE_AD && key->preset_ad != NULL ? key->preset_ad
                                                              : key->preset;
}

int
sr_personal_add(struct sr_string_list *names, const char *item, size_t length)
{
    char **grown = reallocarray(names->item, names->count + 1, sizeof(*grown));

    if (grown == NULL)
        return ENOMEM;
    names->item = grown;
    names->item[names->count] = strndup(item, length);
    if (names->item[names->count] == NULL)
        return ENOMEM;
    names->count++;
    return 0;
}

void
sr_personal_free(struct sr_string_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->item[i]);
    free(names->item);
    *names = (struct sr_string_list){NULL, 0};
}

/* A number without sign or space; false also when it is too large. */
static bool
parse_digits(const char *text, const char **end, int64_t *number)
{
    int64_t value = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value))
            return false;
    }
    *number = value;
    *end = at;
    return at != text;
}

int
sr_config_duration(const char *text, int64_t *seconds)
{
    static const struct {
        char letter;
        int64_t seconds;
    } unit[] = {
        {'s', 1}, {'m', MINUTE}, {'h', HOUR}, {'d', DAY}, {'w', 7 * DAY}};
    const char *end;
    int64_t number;

    if (!parse_digits(text, &end, &number))
        return -1;
    if (*end == '\0' && number == 0) {
        *seconds = 0;
        return 0;
    }
    for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
        if (end[0] == unit[i].letter && end[1] == '\0')
            return __builtin_mul_overflow(number, unit[i].seconds, seconds) ? -1
                                                                            : 0;
    }
    return -1;
}

static int
parse_choice(const char *const *choice, const char *text, int64_t *number)
{
    for (int64_t i = 0; choice[i] != NULL; i++) {
        if (strcmp(choice[i], text) == 0) {
            *number = i;
            return 0;
        }
    }
    return EINVAL;
}

static int
parse_number(const struct sr_key *key, const char *text, int64_t *number)
{
    const char *end = "";
    bool is_read = key->type == SR_KEY_DURATION
                       ? sr_config_duration(text, number) == 0
                       : parse_digits(text, &end, number) && *end == '\0';

    return is_read && *number >= key->least && *number <= key->most ? 0
                                                                    : EINVAL;
}

bool
sr_key_is_backend_name(const char *name, size_t length)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return length > 0 && length <= SR_BACKEND_NAME_MAX &&
           strspn(name, allowed) >= length;
}

static bool
is_uri(const char *item, size_t length)
{
    static const char *const scheme[] = {"ldap://", "ldaps://", "ldapi://"};

    for (size_t i = 0; i < sizeof(scheme) / sizeof(scheme[0]); i++) {
        size_t start = strlen(scheme[i]);

        if (length > start && strncmp(item, scheme[i], start) == 0)
            return memchr(item + start, '?', length - start) == NULL;
    }
    return false;
}

/* Whether a list may hold this item; `length` bytes of it. */
static bool
is_item(enum sr_key_items items, const char *item, size_t length)
{
    if (length == 0)
        return false;
    switch (items) {
    case SR_ITEMS_BACKENDS:
        return sr_key_is_backend_name(item, length);
    case SR_ITEMS_URIS:
        return is_uri(item, length);
    case SR_ITEMS_SERVICES: /* names of files in pam.d */
        return memchr(item, '/', length) == NULL && item[0] != '@' &&
               memchr(item, '=', length) == NULL && item[0] != '#';
    case SR_ITEMS_ACCOUNTS:
        /* '=', ':' and '#' are in no account's name: they are a key or a
         * comment that got into the list, which must not go unnoticed. */
        return !(length == 1 && item[0] == '@') && item[0] != '#' &&
               memchr(item, '=', length) == NULL &&
               memchr(item, ':', length) == NULL;
    }
    return false;
}

/* Items are parted by spaces or commas; one in double quotes may hold them. */
static int
parse_names(const struct sr_key *key, const char *text,
            struct sr_string_list *names)
{
    int status = 0;

    for (;;) {
        bool is_quoted;
        size_t length;

        text += strspn(text, " \t,");
        if (*text == '\0' || status != 0)
            break;
        is_quoted = *text == '"';
        text += is_quoted ? 1 : 0;
        length = strcspn(text, is_quoted ? "\"" : " \t,");
        if (is_quoted &&
            (text[length] != '"' || strchr(" \t,", text[length + 1]) == NULL))
            status = EINVAL; /* strchr finds the end of the text, too */
        else if (!is_item(key->items, text, length) ||
                 (!is_quoted && memchr(text, '"', length) != NULL))
            status = EINVAL;
        else
            status = sr_personal_add(names, text, length);
        text += length + (is_quoted && text[length] == '"' ? 1 : 0);
    }
    if (status == 0 && key->items == SR_ITEMS_BACKENDS && names->count == 0)
        status = EINVAL;
    return status;
}

static int
parse_text(const struct sr_key *key, const char *text, char **value)
{
    if (strlen(text) > (size_t)key->most)
        return EINVAL;
    *value = NULL;
    if (*text == '\0')
        return 0;
    *value = strdup(text);
    return *value == NULL ? ENOMEM : 0;
}

int
sr_key_parse(const struct sr_key *key, const char *text, union sr_value *value)
{
    static const char *const switch_words[] = {"no", "yes", NULL};
    int status = EINVAL;

    memset(value, 0, sizeof(*value));
    switch (key->type) {
    case SR_KEY_SWITCH:
        status = parse_choice(switch_words, text, &value->number);
        break;
    case SR_KEY_CHOICE:
        status = parse_choice(key->choice, text, &value->number);
        break;
    case SR_KEY_COUNT:
    case SR_KEY_DURATION:
        status = parse_number(key, text, &value->number);
        break;
    case SR_KEY_NAMES:
        status = parse_names(key, text, &value->names);
        break;
    case SR_KEY_TEXT:
        status = parse_text(key, text, &value->text);
        break;
    }
    if (status != 0)
        sr_key_free(key, value);
    return status;
}

void
sr_key_free(const struct sr_key *key, union sr_value *value)
{
    if (key->type == SR_KEY_NAMES)
        sr_personal_free(&value->names);
    else if (key->type == SR_KEY_TEXT)
        free(value->text);
    memset(value, 0, sizeof(*value));
}

void
sr_key_store(const struct sr_key *key, const union sr_value *value,
             void *structure)
{
    void *at = (char *)structure + key->offset;

    switch (key->type) {
    case SR_KEY_SWITCH:
        *(bool *)at = value->number != 0;
        break;
    case SR_KEY_CHOICE:
        memcpy(at, &(int){(int)value->number}, sizeof(int));
        break;
    case SR_KEY_COUNT:
        *(unsigned *)at = (unsigned)value->number;
        break;
    case SR_KEY_DURATION:
        *(int64_t *)at = value->number;
        break;
    case SR_KEY_NAMES:
        *(struct sr_string_list *)at = value->names;
        break;
    case SR_KEY_TEXT:
        *(char **)at = value->text;
        break;
    }
}

union sr_value
sr_key_fetch(const struct sr_key *key, const void *structure)
{
    const void *at = (const char *)structure + key->offset;
    union sr_value value = {.number = 0};

    if (key->type == SR_KEY_NAMES)
        value.names = *(const struct sr_string_list *)at;
    else if (key->type == SR_KEY_TEXT)
        value.text = *(char *const *)at;
    return value;
}

/* A duration as an administrator would write it. */
static void
format_duration(int64_t seconds, char *out, size_t size)
{
    static const struct {
        char letter;
        int64_t seconds;
    } unit[] = {{'d', DAY}, {'h', HOUR}, {'m', MINUTE}, {'s', 1}};
    size_t i = 0;

    if (seconds == 0) {
        snprintf(out, size, "0");
        return;
    }
    while (seconds % unit[i].seconds != 0)
        i++;
    snprintf(out, size, "%lld%c", (long long)(seconds / unit[i].seconds),
             unit[i].letter);
}

static void
join_words(const char *const *word, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; word[i] != NULL && used < size; i++) {
        const char *glue = i == 0 ? "" : word[i + 1] == NULL ? " or " : ", ";
        int wrote = snprintf(out + used, size - used, "%s%s", glue, word[i]);

        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

static const char *const item_words[] = {
    [SR_ITEMS_BACKENDS] = "a list of backends",
    [SR_ITEMS_SERVICES] = "a list of service names",
    [SR_ITEMS_ACCOUNTS] = "a list of users and @groups",
    [SR_ITEMS_URIS] = "a list of ldaps://, ldap:// and ldapi:// URIs",
};

void
sr_key_values(const struct sr_key *key, char *out, size_t size)
{
    char least[32], most[32];

    switch (key->type) {
    case SR_KEY_SWITCH:
        snprintf(out, size, "yes or no");
        break;
    case SR_KEY_CHOICE:
        join_words(key->choice, out, size);
        break;
    case SR_KEY_COUNT:
        snprintf(out, size, "a number from %lld to %lld", (long long)key->least,
                 (long long)key->most);
        break;
    case SR_KEY_DURATION:
        format_duration(key->least, least, sizeof(least));
        format_duration(key->most, most, sizeof(most));
        snprintf(out, size, "a duration from %s to %s", least, most);
        break;
    case SR_KEY_NAMES:
        snprintf(out, size, "%s", item_words[key->items]);
        break;
    case SR_KEY_TEXT:
        snprintf(out, size, "a text of at most %lld bytes",
                 (long long)key->most);
        break;
    }
}

void
sr_config_each_key(enum sr_profile profile,
                   void (*each)(void *context, const char *section,
                                const char *key, const char *preset,
                                const char *values),
                   void *context)
{
    for (size_t i = 0; i < sr_key_count; i++) {
        char values[128];

        sr_key_values(&sr_keys[i], values, sizeof(values));
        each(context, sr_keys[i].section, sr_keys[i].name,
             sr_key_preset(&sr_keys[i], profile), values);
    }
}
