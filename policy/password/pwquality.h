/*
 * Pwquality: libpwquality and the host's settings for it.
 *
 * The library is opened by its name and only here, so that a login which
 * changes no password never maps it.  With the dictionary it is not safe in
 * threads: one check at a time in a process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_PWQUALITY_H
#define SR_POLICY_PASSWORD_PWQUALITY_H

#include <pwquality.h>
#include <stddef.h>

#include "policy/decide/facts.h"
#include "policy/password/dictionary.h"

/* What pwquality.conf(5) and its drop-ins set. */
struct sr_pwquality_values {
    int difok;
    int minlen;
    int dcredit;
    int ucredit;
    int lcredit;
    int ocredit;
    int minclass;
    int maxrepeat;
    int maxclassrepeat;
    int maxsequence;
    int gecoscheck;
    int dictcheck;
    int usercheck;
    int usersubstr;
};

/* One integer setting: its number in the library, its offset in the values, and
 * its value in libraries that do not have it. */
struct sr_pwquality_setting {
    int id;
    size_t offset;
    int preset;
};
extern const struct sr_pwquality_setting sr_pwquality_settings[];
extern const size_t sr_pwquality_setting_count;

/* The library's functions. */
struct sr_pwquality_library {
    void *handle;
    __typeof__(&pwquality_default_settings) default_settings;
    __typeof__(&pwquality_free_settings) free_settings;
    __typeof__(&pwquality_read_config) read_config;
    __typeof__(&pwquality_set_int_value) set_int_value;
    __typeof__(&pwquality_set_str_value) set_str_value;
    __typeof__(&pwquality_get_int_value) get_int_value;
    __typeof__(&pwquality_get_str_value) get_str_value;
    __typeof__(&pwquality_check) check;
    __typeof__(&pwquality_strerror) strerror;
    /* Of cracklib, which libpwquality is linked with; NULL: it is not, or an
     * older one.  Returns what is wrong with a password, or NULL. */
    const char *(*dictionary_check)(const char *password,
                                    const char *dictionary, const char *user,
                                    const char *gecos);
    const char *(*default_dictionary)(void);
};

struct sr_pwquality {
    struct sr_pwquality_library library;
    struct sr_pwquality_values values;
    char *words;
    char *dictionary; /* NULL: unknown */
};

/*
 * Open the library (`soname` NULL: the one found at build time) and read the
 * host's settings (`conf` NULL: /etc/security/pwquality.conf and drop-ins).
 * Returns NULL on failure, with the reason for a person in `why`, cut to `size`
 * bytes; it names the library or the file.
 */
struct sr_pwquality *sr_pwquality_open(const char *soname, const char *conf,
                                       char *why, size_t size);

/* Close; NULL is allowed.  The library itself stays loaded. */
void sr_pwquality_close(struct sr_pwquality *pwq);

/* The host's settings; they live as long as `pwq`. */
const struct sr_pwquality_values *
sr_pwquality_values(const struct sr_pwquality *pwq);

/* Whether the host has words of its own that passwords may not contain. */
bool sr_pwquality_has_words(const struct sr_pwquality *pwq);

/* Whether the dictionary can be used.  UNKNOWN: its path is. */
enum sr_dictionary sr_pwquality_dictionary(const struct sr_pwquality *pwq);

#endif
