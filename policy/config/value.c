/*
 * Value: reads, stores and describes the values of keys.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/config/value.h"
#include "policy/util/number.h"
#include "policy/util/words.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400

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
    bool is_read;

    *number = 0;
    if (key->has_preset && strcmp(text, "preset") == 0)
        return 0;
    is_read = key->type == SR_KEY_DURATION
                  ? sr_config_duration(text, number) == 0
                  : parse_digits(text, &end, number) && *end == '\0';
    if (!is_read || *number < key->least || *number > key->most)
        return EINVAL;
    if (key->has_preset && *number == 0)
        *number = 1;
    return 0;
}

bool
sr_value_is_backend_name(const char *name, size_t length)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return length > 0 && length <= SR_BACKEND_NAME_MAX &&
           strspn(name, allowed) >= length;
}

static bool
is_word(const char *const *word, const char *item, size_t length)
{
    while (*word != NULL &&
           (strlen(*word) != length || strncmp(*word, item, length) != 0))
        word++;
    return *word != NULL;
}

#define HOST_BYTES                                                             \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* HOST, HOST:PORT or [ADDRESS]:PORT; an address may have a zone. */
static bool
is_server(const char *item, size_t length)
{
    size_t at, port;

    if (item[0] == '[') {
        at = 1 + strspn(item + 1, HOST_BYTES ":%");
        if (at == 1 || at >= length || item[at] != ']')
            return false;
        at++;
    } else {
        at = strspn(item, HOST_BYTES);
    }
    if (at == 0 || at >= length)
        return at == length;
    port = strspn(item + at + 1, "0123456789");
    return item[at] == ':' && port > 0 && port <= 5 &&
           at + 1 + port == length &&
           strtoul(item + at + 1, NULL, 10) <= UINT16_MAX;
}

/* A scheme, and behind it a server or, where DNS names them, none; or a path
 * with %2F for each slash. */
static bool
is_uri(const char *item, size_t length)
{
    static const char *const scheme[] = {"ldap://", "ldaps://", "ldapi://"};

    for (size_t i = 0; i < sizeof(scheme) / sizeof(scheme[0]); i++) {
        const size_t start = strlen(scheme[i]);
        const char *rest = item + start;
        size_t left = length - start;

        if (length < start || strncasecmp(item, scheme[i], start) != 0 ||
            (length == start && i != 2)) /* only a socket has a default */
            continue;
        if (left > 0 && rest[left - 1] == '/')
            left--;
        return left == 0 || (i == 2 ? memchr(rest, '?', left) == NULL
                                    : is_server(rest, left));
    }
    return false;
}

/* Whether the first `length` bytes of `item` may be in a list. */
static bool
is_item(const struct sr_key *key, const char *item, size_t length)
{
    if (length == 0)
        return false;
    switch (key->items) {
    case SR_ITEMS_BACKENDS:
        return sr_value_is_backend_name(item, length);
    case SR_ITEMS_URIS:
        return is_uri(item, length);
    case SR_ITEMS_QUALITY:
    case SR_ITEMS_GATES:
    case SR_ITEMS_FILES:
        return is_word(key->choice, item, length);
    case SR_ITEMS_SERVERS:
    case SR_ITEMS_DOMAINS:
        return is_server(item, length);
    case SR_ITEMS_PREFIXES:
        return sr_number_is_prefix(item, length);
    case SR_ITEMS_ATTRIBUTES: /* RFC 4512 1.4, without options */
        return strspn(item, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") >= length;
    case SR_ITEMS_SERVICES: /* names of files in pam.d */
        return memchr(item, '/', length) == NULL && item[0] != '@' &&
               memchr(item, '=', length) == NULL && item[0] != '#';
    case SR_ITEMS_ACCOUNTS:
        /* No account's name has '=', ':' or '#': they belong to a key or a
         * comment on a line that was indented by mistake. */
        return !(length == 1 && item[0] == '@') && item[0] != '#' &&
               memchr(item, '=', length) == NULL &&
               memchr(item, ':', length) == NULL;
    }
    return false;
}

/* Items are separated by spaces or commas; double quotes allow both in one. */
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
        else if (!is_item(key, text, length) ||
                 (!is_quoted && memchr(text, '"', length) != NULL))
            status = EINVAL;
        else
            status = sr_string_list_add(names, text, length);
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
sr_value_parse(const struct sr_key *key, const char *text,
               union sr_value *value)
{
    int status = EINVAL;

    memset(value, 0, sizeof(*value));
    switch (key->type) {
    case SR_KEY_SWITCH:
        status = parse_choice(sr_key_switch_words, text, &value->number);
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
        sr_value_free(key, value);
    return status;
}

void
sr_value_free(const struct sr_key *key, union sr_value *value)
{
    if (key->type == SR_KEY_NAMES)
        sr_string_list_free(&value->names);
    else if (key->type == SR_KEY_TEXT)
        free(value->text);
    memset(value, 0, sizeof(*value));
}

void
sr_value_store(const struct sr_key *key, const union sr_value *value,
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

bool
sr_setting_holds(const struct sr_config *config, const struct sr_key *key,
                 int64_t number)
{
    int64_t of_all = -1;

    for (size_t i = 0; i < config->setting_count; i++) {
        const struct sr_setting *setting = &config->setting[i];

        if (setting->key != key)
            continue;
        if (setting->owner != NULL && setting->value.number == number)
            return true;
        /* Defaults are last, and count where no line sets the key. */
        if (setting->owner == NULL && (setting->line > 0 || of_all < 0))
            of_all = setting->value.number;
    }
    return of_all == number;
}

bool
sr_setting_lists(const struct sr_config *config, const struct sr_key *key,
                 const struct sr_string_list *of_all, const char *item)
{
    bool is_listed = sr_string_list_has(of_all, item);

    for (size_t i = 0; i < config->setting_count && !is_listed; i++) {
        const struct sr_setting *setting = &config->setting[i];

        is_listed = setting->key == key && setting->owner != NULL &&
                    sr_string_list_has(&setting->value.names, item);
    }
    return is_listed;
}

/* A duration in its largest unit. */
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

/* "a", "b" and "c" as "a, b or c". */
static void
join_words(const struct sr_config_errors *errors, const char *const *word,
           char *out, size_t size)
{
    char list[SR_VALUE_WORDS] = "";
    size_t i = 0;

    for (; word[i] != NULL && word[i + 1] != NULL; i++) {
        const size_t used = strlen(list);

        snprintf(list + used, sizeof(list) - used, "%s%s", i == 0 ? "" : ", ",
                 word[i]);
    }
    snprintf(out, size, sr_config_words(errors, N_LOG("%s or %s")), list,
             word[i]);
}

static const char *const item_words[] = {
    [SR_ITEMS_BACKENDS] = N_LOG("a list of backends"),
    [SR_ITEMS_SERVICES] = N_LOG("a list of service names"),
    [SR_ITEMS_ACCOUNTS] = N_LOG("a list of users and @groups"),
    [SR_ITEMS_QUALITY] = N_LOG("a list of rules for passwords"),
    [SR_ITEMS_GATES] = N_LOG("a list of app, codes, ticket, mail, key, sms, "
                             "voice, push and contact"),
    [SR_ITEMS_FILES] = N_LOG("a list of faillock, pwquality and pwhistory"),
    [SR_ITEMS_DOMAINS] = N_LOG("a list of domains"),
    [SR_ITEMS_PREFIXES] = N_LOG("a list of prefixes such as +49 and !+4990"),
    [SR_ITEMS_ATTRIBUTES] = N_LOG("a list of attributes"),
    [SR_ITEMS_SERVERS] = N_LOG("a list of hosts, with or without a port"),
    [SR_ITEMS_URIS] = N_LOG("a list of ldaps://, ldap:// and ldapi:// URIs"),
};

void
sr_value_describe(const struct sr_config_errors *errors,
                  const struct sr_key *key, char *out, size_t size)
{
    char least[32], most[32];

    switch (key->type) {
    case SR_KEY_SWITCH:
        snprintf(out, size, sr_config_words(errors, N_LOG("%s or %s")), "yes",
                 "no");
        break;
    case SR_KEY_CHOICE:
        join_words(errors, key->choice, out, size);
        break;
    case SR_KEY_COUNT:
        snprintf(
            out, size,
            sr_config_words(errors,
                            key->has_preset
                                ? N_LOG("preset, or a number from %lld to %lld")
                                : N_LOG("a number from %lld to %lld")),
            (long long)key->least, (long long)key->most);
        break;
    case SR_KEY_DURATION:
        format_duration(key->least, least, sizeof(least));
        format_duration(key->most, most, sizeof(most));
        snprintf(out, size,
                 sr_config_words(errors, N_LOG("a duration from %s to %s")),
                 least, most);
        break;
    case SR_KEY_NAMES:
        snprintf(out, size, "%s",
                 sr_config_words(errors, item_words[key->items]));
        break;
    case SR_KEY_TEXT:
        snprintf(out, size,
                 sr_config_words(errors, N_LOG("a text of at most %lld bytes")),
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
        char values[SR_VALUE_WORDS];

        sr_value_describe(NULL, &sr_keys[i], values, sizeof(values));
        each(context, sr_keys[i].section, sr_keys[i].name,
             sr_key_preset(&sr_keys[i], profile), values);
    }
}
