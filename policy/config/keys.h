/*
 * Config keys: the one table of what selfreset.conf(5) may say, and how each
 * value is read.  Inside the room of config.h; nobody else includes this.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_KEYS_H
#define SR_POLICY_CONFIG_KEYS_H

#include "policy/config/config.h"

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
};

/* What a key is one of: where its value is kept. */
enum sr_key_scope {
    SR_SCOPE_RULES,   /* struct sr_rules; groups can have their own */
    SR_SCOPE_GLOBAL,  /* struct sr_config */
    SR_SCOPE_BACKEND, /* struct sr_backend_config; each backend has its own */
};

struct sr_key {
    const char *section;
    const char *name;
    enum sr_key_type type;
    const char *preset;        /* default of profile nist, as text */
    const char *preset_ad;     /* of profile ad; NULL: the same */
    int64_t least;             /* range of numbers and durations; */
    int64_t most;              /* for texts: the most bytes */
    const char *const *choice; /* words by their value, ended by NULL */
    enum sr_key_items items;
    enum sr_key_scope scope;
    size_t offset; /* there */
};

union sr_value {
    int64_t number; /* switch, count, duration, choice */
    char *text;
    struct sr_string_list names;
};

/* The table and its length. */
extern const struct sr_key sr_keys[];
extern const size_t sr_key_count;

/* Find a key; NULL when the section has no such key. */
const struct sr_key *sr_key_find(const char *section, const char *name);

/* Whether a section exists, and what its keys are. */
bool sr_key_section(const char *section, enum sr_key_scope *scope);

/*
 * Read a value.  Returns 0, EINVAL when it is none that the key may have, or
 * ENOMEM.  Free the value with sr_key_free().
 */
int sr_key_parse(const struct sr_key *key, const char *text,
                 union sr_value *value);

/* Put a value where it belongs, in the structure of the key's scope; ownership
 * of its memory goes along. */
void sr_key_store(const struct sr_key *key, const union sr_value *value,
                  void *structure);

/* Get a value back from where it was stored, to free or replace it. */
union sr_value sr_key_fetch(const struct sr_key *key, const void *structure);

void sr_key_free(const struct sr_key *key, union sr_value *value);

/* The default of a key under a profile, as text. */
const char *sr_key_preset(const struct sr_key *key, enum sr_profile profile);

/* What a value may be, in words ("a duration from 1s to 24h"). */
void sr_key_values(const struct sr_key *key, char *out, size_t size);

/* Whether a backend's section may have this name. */
bool sr_key_is_backend_name(const char *name, size_t length);

/* Add a copy of the first `length` bytes of `item`.  Returns 0 or ENOMEM. */
int sr_personal_add(struct sr_string_list *names, const char *item,
                    size_t length);
void sr_personal_free(struct sr_string_list *names);

#endif
