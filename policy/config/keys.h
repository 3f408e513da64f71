/*
 * Keys: the table of all keys of selfreset.conf(5).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_KEYS_H
#define SR_POLICY_CONFIG_KEYS_H

#include "policy/config/settings.h"
#include "policy/decide/quality_rule.h"

enum sr_key_type {
    SR_KEY_SWITCH,   /* yes or no -> bool */
    SR_KEY_COUNT,    /* a number -> unsigned */
    SR_KEY_DURATION, /* "14d" -> int64_t seconds */
    SR_KEY_CHOICE,   /* one word of a few -> an enumeration */
    SR_KEY_NAMES,    /* a list -> struct sr_string_list */
    SR_KEY_TEXT,     /* free text -> char * */
};

/* What the items of a list may be. */
enum sr_key_items {
    SR_ITEMS_BACKENDS,
    SR_ITEMS_SERVICES,
    SR_ITEMS_ACCOUNTS,
    SR_ITEMS_URIS,
    SR_ITEMS_QUALITY,    /* rules, the words of `choice` */
    SR_ITEMS_GATES,      /* the words of `choice` */
    SR_ITEMS_FILES,      /* the words of `choice` */
    SR_ITEMS_DOMAINS,    /* of mail addresses */
    SR_ITEMS_PREFIXES,   /* of telephone numbers */
    SR_ITEMS_ATTRIBUTES, /* of a directory */
    SR_ITEMS_SERVERS,
};

/* The structure that has a key's value. */
enum sr_key_scope {
    SR_SCOPE_RULES,   /* struct sr_rules; groups can have their own */
    SR_SCOPE_GLOBAL,  /* struct sr_config */
    SR_SCOPE_BACKEND, /* struct sr_backend_config; each backend has its own */
};

struct sr_key {
    const char *section;
    const char *name;
    enum sr_key_type type;
    const char *preset;           /* default of profile nist, as text */
    const char *preset_ad;        /* of profile ad; NULL: the same */
    const char *preset_directory; /* of a backend with type = ad; the same */
    int64_t least;                /* range of numbers and durations; */
    int64_t most;                 /* for texts: the most bytes */
    const char *const *choice;    /* words by their value, ended by NULL */
    bool has_preset; /* a number can be "preset", which is stored as 0; a 0
                        means no demand and is stored as 1 */
    enum sr_key_items items;
    enum sr_key_scope scope;
    size_t offset; /* there */
};

/* The ways by which codes are sent, by their number: of the list "classes", and
 * the beginning of the names of their own keys ("mail_program"). */
extern const char *const sr_channel_names[SR_CHANNELS];

/* The table and its length; the keys of a section are together. */
extern const struct sr_key sr_keys[];
extern const size_t sr_key_count;

/* Find a key; NULL when the section has no such key. */
const struct sr_key *sr_key_find(const char *section, const char *name);

/* The first key of a section; NULL when there is no such section. */
const struct sr_key *sr_key_of_section(const char *section);

/* The default of a key under a profile, as text. */
const char *sr_key_preset(const struct sr_key *key, enum sr_profile profile);

/* The words for a switch and their values: no is 0, yes is 1. */
extern const char *const sr_key_switch_words[];

/*
 * The section and the key that were probably meant, when one is near enough:
 * sr_key_near() looks in the section first, then in the others.  NULL: none.
 */
const char *sr_key_near_section(const char *section);
const struct sr_key *sr_key_near(const char *section, const char *name);

/* The word of a choice or switch that was probably meant, or NULL. */
const char *sr_key_near_word(const struct sr_key *key, const char *text);

#endif
