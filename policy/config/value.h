/*
 * Value: reads, stores and describes the values of keys.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_VALUE_H
#define SR_POLICY_CONFIG_VALUE_H

#include "policy/config/errors.h"
#include "policy/config/keys.h"

union sr_value {
    int64_t number; /* switch, count, duration, choice */
    char *text;     /* NULL: empty */
    struct sr_string_list names;
};

/* "key = value" with its file and line, or a default. */
struct sr_setting {
    const struct sr_key *key;
    char *owner; /* group or backend; NULL: a section without one */
    union sr_value value;
    char *file;    /* NULL: a default */
    unsigned line; /* 0: a default */
};

/*
 * Read a value.  Returns 0, EINVAL when the key may not have it, or ENOMEM.
 * Free the value with sr_value_free().
 */
int sr_value_parse(const struct sr_key *key, const char *text,
                   union sr_value *value);

void sr_value_free(const struct sr_key *key, union sr_value *value);

/* Set the key's member of the structure of its scope.  Texts and lists stay
 * the value's. */
void sr_value_store(const struct sr_key *key, const union sr_value *value,
                    void *structure);

/* Whether a switch or choice has this value for all accounts or for a group. */
bool sr_setting_holds(const struct sr_config *config, const struct sr_key *key,
                      int64_t number);

/* The same of a key whose value is a list, and an item of it; `of_all` is the
 * list of the sections without a group. */
bool sr_setting_lists(const struct sr_config *config, const struct sr_key *key,
                      const struct sr_string_list *of_all, const char *item);

/* What a value may be, in words ("a duration from 1s to 24h") in the language
 * of `errors` (NULL: English), and the bytes that it needs. */
#define SR_VALUE_WORDS 256
void sr_value_describe(const struct sr_config_errors *errors,
                       const struct sr_key *key, char *out, size_t size);

/* Whether a backend's section may have this name. */
bool sr_value_is_backend_name(const char *name, size_t length);

/*
 * Parse a duration: a number and one of s m h d w ("14d"), or plain "0".
 * Returns 0 and the seconds, or -1.
 */
int sr_config_duration(const char *text, int64_t *seconds);

/*
 * Call `each` for each key of the table, with its default as text under the
 * profile, and what its value may be: for tools and for the test of the manual
 * page.
 */
void sr_config_each_key(enum sr_profile profile,
                        void (*each)(void *context, const char *section,
                                     const char *key, const char *preset,
                                     const char *values),
                        void *context);

#endif
