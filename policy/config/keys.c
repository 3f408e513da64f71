/*
 * Keys: the table of all keys of selfreset.conf(5).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#include <strings.h>

#include "policy/config/keys.h"
#include "policy/config/nearest.h"
#include "policy/config/other_files.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400
/* The longest duration; sums of times then never overflow. */
#define LONGEST (36500 * (int64_t)DAY)

/* The longest text in bytes: that of a path. */
#define TEXT_MAX 4095

#define GLOBAL(member)                                                         \
    .scope = SR_SCOPE_GLOBAL, .offset = offsetof(struct sr_config, member)
#define BACKEND(member)                                                        \
    .scope = SR_SCOPE_BACKEND,                                                 \
    .offset = offsetof(struct sr_backend_config, member)
#define RULE(member) .offset = offsetof(struct sr_rules, member)

/* A word's index is the value of the enumeration. */
const char *const sr_key_switch_words[] = {"no", "yes", NULL};
static const char *const reveal_words[] = {"always", "console", "never", NULL};
static const char *const profile_words[] = {"nist", "ad", NULL};
static const char *const warn_words[] = {"account", "config", "earlier", NULL};
static const char *const grace_words[] = {"text", "change", NULL};
static const char *const bang_words[] = {"password", "account", NULL};
static const char *const root_words[] = {"advise", "enforce", NULL};
static const char *const preset_words[] = {"nist", "ad", "pwquality", NULL};
static const char *const view_words[] = {"restricted", "public", NULL};
static const char *const type_words[] = {"ldap", "krb5", "ad", NULL};
static const char *const identity_words[] = {"none", "simple", "external",
                                             "gssapi", NULL};
static const char *const store_words[] = {"local", "ldap", NULL};
static const char *const down_words[] = {"stop", "next", NULL};
static const char *const fast_words[] = {"try", "demand", "never", NULL};
static const char *const unknown_words[] = {"allow", "deny", NULL};
static const char *const secret_words[] = {"fixed", "managed", NULL};
static const char *const auth_words[] = {"krb5", "krb5 ldap", NULL};

/* The gates of self-service reset; see reset/gate.c. */
static const char *const gate_words[] = {"app",     "codes", "ticket", "mail",
                                         "key",     "sms",   "voice",  "push",
                                         "contact", NULL};
const char *const sr_channel_names[SR_CHANNELS] = {
    [SR_CHANNEL_MAIL] = "mail",
    [SR_CHANNEL_SMS] = "sms",
    [SR_CHANNEL_VOICE] = "voice",
    [SR_CHANNEL_PUSH] = "push",
};
static const char *const age_words[] = {"allow", "unlock-only", "refuse", NULL};

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
    {"selfreset", "defaults_from", SR_KEY_NAMES, "",
     .items = SR_ITEMS_FILES, .choice = sr_other_words, GLOBAL(defaults_from)},
    {"selfreset", "nullok", SR_KEY_SWITCH, "no", RULE(nullok)},

    {"expiry", "warn", SR_KEY_DURATION, "14d",
     .least = 0, .most = LONGEST, RULE(warn)},
    {"expiry", "warn_by", SR_KEY_CHOICE, "account",
     .choice = warn_words, RULE(warn_by)},
    {"expiry", "max_age", SR_KEY_DURATION, "0",
     .least = 0, .most = LONGEST, RULE(max_age)},
    {"expiry", "inactive", SR_KEY_DURATION, "0",
     .least = 0, .most = LONGEST, RULE(inactive)},
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
    {"change", "logon_services", SR_KEY_NAMES,
     "login remote sshd dropbear cockpit xrdp-sesman gdm-password "
     "gdm-autologin gdm-fingerprint gdm-smartcard "
     "lightdm lightdm-autologin sddm sddm-autologin lxdm xdm kde greetd ly",
     .items = SR_ITEMS_SERVICES, RULE(logon_services)},
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
    {"password", "min_length", SR_KEY_COUNT, "preset",
     .has_preset = true, .least = 0, .most = 256, RULE(min_length)},
    {"password", "max_length", SR_KEY_COUNT, "preset",
     .has_preset = true, .least = 1, .most = 511, RULE(max_length)},
    {"password", "min_classes", SR_KEY_COUNT, "preset",
     .has_preset = true, .least = 0, .most = 4, RULE(min_classes)},
    {"password", "skip", SR_KEY_NAMES, "",
     .items = SR_ITEMS_QUALITY, .choice = sr_quality_rule_names,
     RULE(skip_quality)},
    {"password", "history", SR_KEY_COUNT, "0", "24",
     .least = 0, .most = SR_HISTORY_MAX, RULE(history)},
    {"password", "history_age", SR_KEY_DURATION, "730d",
     .least = 0, .most = LONGEST, RULE(history_age)},

    {"temporary", "lifetime", SR_KEY_DURATION, "24h",
     .least = 1, .most = 366 * DAY, RULE(temporary_lifetime)},

    {"reset", "enable", SR_KEY_SWITCH, "no", RULE(reset_enable)},
    {"reset", "account", SR_KEY_TEXT, "reset",
     .most = 32, GLOBAL(reset.account)},
    {"reset", "services", SR_KEY_NAMES, "login sshd",
     .items = SR_ITEMS_SERVICES, GLOBAL(reset.services)},
    {"reset", "greeters", SR_KEY_NAMES, "",
     .items = SR_ITEMS_SERVICES, GLOBAL(reset.greeters)},
    {"reset", "hint", SR_KEY_SWITCH, "no", GLOBAL(reset.hint)},
    {"reset", "nag", SR_KEY_SWITCH, "no", GLOBAL(reset.nag)},
    {"reset", "groups", SR_KEY_NAMES, "",
     .items = SR_ITEMS_ACCOUNTS, GLOBAL(reset.groups)},
    {"reset", "administrators", SR_KEY_NAMES, "@sudo @wheel @admin",
     .items = SR_ITEMS_ACCOUNTS, GLOBAL(reset.administrators)},
    {"reset", "gates", SR_KEY_COUNT, "2",
     .least = 1, .most = 2, RULE(reset_gates)},
    {"reset", "classes", SR_KEY_NAMES, "app codes ticket mail key",
     .items = SR_ITEMS_GATES, .choice = gate_words, RULE(reset_classes)},
    {"reset", "min_age", SR_KEY_CHOICE, "unlock-only",
     .choice = age_words, RULE(reset_age)},
    {"reset", "new_gate_wait", SR_KEY_DURATION, "24h",
     .least = 0, .most = 30 * DAY, RULE(reset_wait)},
    {"reset", "mail_program", SR_KEY_TEXT, "/usr/sbin/sendmail -t -i",
     .most = TEXT_MAX, GLOBAL(reset.channel[SR_CHANNEL_MAIL].program)},
    {"reset", "mail_user", SR_KEY_TEXT, SR_PROGRAM_USER,
     .most = SR_NAME_MAX, GLOBAL(reset.channel[SR_CHANNEL_MAIL].user)},
    {"reset", "mail_from", SR_KEY_TEXT, "root",
     .most = 254, GLOBAL(reset.mail_from)},
    {"reset", "mail_refuse", SR_KEY_NAMES, "",
     .items = SR_ITEMS_DOMAINS, GLOBAL(reset.mail_refuse)},
    {"reset", "mail_attributes", SR_KEY_NAMES, "mail",
     .items = SR_ITEMS_ATTRIBUTES, GLOBAL(reset.mail_attributes)},
    {"reset", "phone_attributes", SR_KEY_NAMES, "mobile",
     .items = SR_ITEMS_ATTRIBUTES, GLOBAL(reset.phone_attributes)},
    {"reset", "key_attributes", SR_KEY_NAMES,
     "sshPublicKey altSecurityIdentities", .items = SR_ITEMS_ATTRIBUTES,
     GLOBAL(reset.key_attributes)},
    {"reset", "reconfirm", SR_KEY_DURATION, "180d",
     .least = 0, .most = 3650 * DAY, GLOBAL(reset.reconfirm)},
    {"reset", "reconfirm_grace", SR_KEY_DURATION, "180d",
     .least = 0, .most = 3650 * DAY, GLOBAL(reset.reconfirm_grace)},
    {"reset", "store", SR_KEY_CHOICE, "local",
     .choice = store_words, GLOBAL(reset.store)},
    {"reset", "phone_prefixes", SR_KEY_NAMES, "",
     .items = SR_ITEMS_PREFIXES, GLOBAL(reset.phone_prefixes)},
    {"reset", "sms_program", SR_KEY_TEXT, "",
     .most = TEXT_MAX, GLOBAL(reset.channel[SR_CHANNEL_SMS].program)},
    {"reset", "sms_user", SR_KEY_TEXT, SR_PROGRAM_USER,
     .most = SR_NAME_MAX, GLOBAL(reset.channel[SR_CHANNEL_SMS].user)},
    {"reset", "sms_daily", SR_KEY_COUNT, "100",
     .least = 0, .most = 1000000,
     GLOBAL(reset.channel[SR_CHANNEL_SMS].daily)},
    {"reset", "voice_program", SR_KEY_TEXT, "",
     .most = TEXT_MAX, GLOBAL(reset.channel[SR_CHANNEL_VOICE].program)},
    {"reset", "voice_user", SR_KEY_TEXT, SR_PROGRAM_USER,
     .most = SR_NAME_MAX, GLOBAL(reset.channel[SR_CHANNEL_VOICE].user)},
    {"reset", "voice_daily", SR_KEY_COUNT, "50",
     .least = 0, .most = 1000000,
     GLOBAL(reset.channel[SR_CHANNEL_VOICE].daily)},
    {"reset", "push_program", SR_KEY_TEXT, "",
     .most = TEXT_MAX, GLOBAL(reset.channel[SR_CHANNEL_PUSH].program)},
    {"reset", "push_user", SR_KEY_TEXT, SR_PROGRAM_USER,
     .most = SR_NAME_MAX, GLOBAL(reset.channel[SR_CHANNEL_PUSH].user)},
    {"reset", "push_daily", SR_KEY_COUNT, "1000",
     .least = 0, .most = 1000000,
     GLOBAL(reset.channel[SR_CHANNEL_PUSH].daily)},
    {"reset", "seal_file", SR_KEY_TEXT, "",
     .most = TEXT_MAX, GLOBAL(reset.seal_file)},

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
     .most = TEXT_MAX, BACKEND(base)},
    {"backend", "filter", SR_KEY_TEXT,
     "(&(objectClass=posixAccount)(uid=%u))",
     .preset_directory =
         "(&(objectCategory=person)(objectClass=user)(sAMAccountName=%u))",
     .most = TEXT_MAX, BACKEND(filter)},
    {"backend", "name_attribute", SR_KEY_TEXT, "uid",
     .preset_directory = "sAMAccountName",
     .most = 60, BACKEND(name_attribute)},
    {"backend", "uid_attribute", SR_KEY_TEXT, "uidNumber",
     .most = 60, BACKEND(uid_attribute)},
    {"backend", "uid_min", SR_KEY_COUNT, "1000",
     .least = 1, .most = INT32_MAX, BACKEND(uid_min)},
    {"backend", "identity", SR_KEY_CHOICE, "none",
     .preset_directory = "gssapi",
     .choice = identity_words, BACKEND(identity)},
    {"backend", "bind_dn", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(bind_dn)},
    {"backend", "secret_file", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(secret_file)},
    {"backend", "keytab", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(keytab)},
    {"backend", "principal", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(principal)},
    {"backend", "user_dn", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(user_dn)},
    {"backend", "ca_file", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(ca_file)},
    {"backend", "ca_directory", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(ca_directory)},
    {"backend", "cert_file", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(cert_file)},
    {"backend", "key_file", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(key_file)},
    {"backend", "default_policy", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(default_policy)},
    {"backend", "lockout_base", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(lockout_base)},
    {"backend", "reset_base", SR_KEY_TEXT, "",
     .most = TEXT_MAX, BACKEND(reset_base)},
    {"backend", "insecure", SR_KEY_SWITCH, "no", BACKEND(insecure)},
    {"backend", "timeout", SR_KEY_DURATION, "10s",
     .least = 1, .most = 2 * MINUTE, BACKEND(timeout)},
    {"backend", "when_down", SR_KEY_CHOICE, "stop",
     .choice = down_words, BACKEND(when_down)},
    {"backend", "auth", SR_KEY_CHOICE, "krb5",
     .choice = auth_words, BACKEND(auth)},
    {"backend", "bind_secret", SR_KEY_CHOICE, "fixed",
     .choice = secret_words, BACKEND(bind_secret)},
    {"backend", "reset_history", SR_KEY_SWITCH, "yes",
     BACKEND(reset_history)},
    {"backend", "site", SR_KEY_TEXT, "",
     .most = 63, BACKEND(site)},
    {"backend", "realm", SR_KEY_TEXT, "",
     .most = 255, BACKEND(realm)},
    {"backend", "kdc", SR_KEY_NAMES, "",
     .items = SR_ITEMS_SERVERS, BACKEND(kdc)},
    {"backend", "verify", SR_KEY_SWITCH, "yes", BACKEND(verify)},
    {"backend", "fast", SR_KEY_CHOICE, "try",
     .choice = fast_words, BACKEND(fast)},
    {"backend", "unknown", SR_KEY_CHOICE, "allow",
     .choice = unknown_words, BACKEND(unknown)},
    {"backend", "min_uid", SR_KEY_COUNT, "1000",
     .least = 1, .most = UINT32_MAX - 1, BACKEND(min_uid)},
    {"backend", "user_principal", SR_KEY_TEXT, "%u",
     .most = 255, BACKEND(user_principal)},
    {"backend", "enterprise", SR_KEY_SWITCH, "no", BACKEND(enterprise)},
    {"backend", "ccache", SR_KEY_TEXT, "yes",
     .most = 255, BACKEND(ccache)},
};
/* clang-format on */
const size_t sr_key_count = sizeof(sr_keys) / sizeof(sr_keys[0]);

/* A choice is stored as int: see sr_value_store(). */
_Static_assert(sizeof(enum sr_reveal) == sizeof(int),
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

const struct sr_key *
sr_key_of_section(const char *section)
{
    for (size_t i = 0; i < sr_key_count; i++) {
        if (strcmp(sr_keys[i].section, section) == 0)
            return &sr_keys[i];
    }
    return NULL;
}

const char *
sr_key_preset(const struct sr_key *key, enum sr_profile profile)
{
    return profile == SR_PROFILE_AD && key->preset_ad != NULL ? key->preset_ad
                                                              : key->preset;
}

const char *
sr_key_near_section(const char *section)
{
    unsigned best = SR_NEAREST_NEVER;
    const char *found = NULL;

    for (size_t i = 0; i < sr_key_count; i++) {
        if (sr_nearest_is(sr_keys[i].section, section, &best))
            found = sr_keys[i].section;
    }
    return found;
}

const struct sr_key *
sr_key_near(const char *section, const char *name)
{
    unsigned best = SR_NEAREST_NEVER;
    const struct sr_key *found = NULL;

    for (size_t i = 0; i < sr_key_count; i++) {
        const struct sr_key *key = &sr_keys[i];
        unsigned distance = sr_nearest_distance(key->name, name);

        /* In the same section before all others that are as near. */
        if (distance < SR_NEAREST_NEVER)
            distance = 2 * distance + (strcmp(key->section, section) != 0);
        if (distance < best) {
            best = distance;
            found = key;
        }
    }
    return found;
}

const char *
sr_key_near_word(const struct sr_key *key, const char *text)
{
    static const char *const other[][2] = {
        {"true", "yes"}, {"on", "yes"}, {"1", "yes"},       {"false", "no"},
        {"off", "no"},   {"0", "no"},   {"enabled", "yes"}, {"disabled", "no"},
    };
    const char *const *word = key->choice;
    const char *found = NULL;
    unsigned best = SR_NEAREST_NEVER;

    if (key->type == SR_KEY_SWITCH) {
        word = sr_key_switch_words;
        for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
            if (strcasecmp(other[i][0], text) == 0)
                return other[i][1];
        }
    }
    for (; word != NULL && *word != NULL; word++) {
        if (sr_nearest_is(*word, text, &best))
            found = *word;
    }
    return found;
}
