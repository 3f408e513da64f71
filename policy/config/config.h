/*
 * Config: /etc/security/selfreset.conf and its drop-ins -> struct sr_config.
 *
 * libinih reads, one table of keys (section, key, type, default, range)
 * decides; the manual page is checked against that table.  Every problem is
 * collected with its file and line, not only the first.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_CONFIG_H
#define SR_POLICY_CONFIG_CONFIG_H

#include <stdio.h>

#include "policy/decide/facts.h"
#include "policy/decide/rules.h"

enum sr_reveal { SR_REVEAL_ALWAYS, SR_REVEAL_CONSOLE, SR_REVEAL_NEVER };
enum sr_publicity { SR_PUBLICITY_RESTRICTED, SR_PUBLICITY_PUBLIC };
enum sr_profile { SR_PROFILE_NIST, SR_PROFILE_AD };

enum sr_backend_type { SR_BACKEND_LDAP };
enum sr_identity {
    SR_IDENTITY_NONE,
    SR_IDENTITY_SIMPLE,
    SR_IDENTITY_EXTERNAL,
    SR_IDENTITY_GSSAPI,
};
enum sr_down { SR_DOWN_STOP, SR_DOWN_NEXT };

/* "[backend NAME]": where accounts live besides this host. */
struct sr_backend_config {
    char *name;
    enum sr_backend_type type;
    struct sr_string_list uri; /* in the order in which they are tried */
    char *base;
    char *filter; /* with %u for the name */
    char *name_attribute;
    char *uid_attribute;
    enum sr_identity identity; /* who reads accounts */
    char *bind_dn;
    char *secret_file;
    char *keytab;    /* NULL: the host's */
    char *principal; /* NULL: the first in the keytab */
    char *user_dn;   /* with %u: who binds when nobody reads for them */
    char *ca_file;   /* NULL, and no directory: the system's */
    char *ca_directory;
    char *default_policy; /* of accounts that name none */
    char *lockout_base;   /* of the ledgers that hosts share; NULL: none */
    bool insecure;        /* connections without TLS are allowed */
    int64_t timeout;      /* for one login, in seconds */
    enum sr_down when_down;
};

/* Names of backends end in facts.backend. */
#define SR_BACKEND_NAME_MAX 15

/* "[SECTION group:NAME]": one value that overrides for the members of NAME. */
struct sr_override;

struct sr_config {
    /* [selfreset] */
    struct sr_string_list
        backends;  /* in the order they are asked; default "local" */
    char *contact; /* who can help; NULL: "your administrator" */
    enum sr_reveal reveal;
    enum sr_profile profile; /* where defaults come from */

    /* [nss] */
    enum sr_publicity nss_view; /* who may read the state groups' view */
    int64_t nss_max_age;        /* seconds that a snapshot is believed */
    bool nss_enumerate;         /* getspent(3) is answered */
    struct sr_string_list nss_break_glass; /* never in a negative group */

    struct sr_backend_config *backend;
    size_t backend_count;

    struct sr_rules rules; /* defaults, then the plain sections */
    struct sr_override *override;
    size_t override_count;
};

/* One problem, ready to print: "FILE:LINE: what is wrong". */
struct sr_config_errors {
    char **item;
    size_t count;
};

/*
 * Load `path` (NULL: the built-in /etc/security/selfreset.conf) and then
 * `path`.d/ *.conf in the order of their names; a later value replaces an
 * earlier one.  A missing file is an empty one; a missing file named
 * explicitly (path not NULL) is an error.  Files and the drop-in directory must
 * be root's and not writable by others, and are opened O_NOFOLLOW.
 *
 * Returns a configuration, or NULL when there was any error; `errors` (never
 * NULL) then has at least one.  Free both with the functions below.
 */
struct sr_config *sr_config_load(const char *path,
                                 struct sr_config_errors *errors);

/* What an empty file is.  NULL when memory is out: `errors` says so. */
struct sr_config *sr_config_defaults(struct sr_config_errors *errors);

/* Load from one stream only, for tests and fuzzers; `name` stands in errors. */
struct sr_config *sr_config_load_stream(FILE *stream, const char *name,
                                        struct sr_config_errors *errors);

void sr_config_free(struct sr_config *config);
void sr_config_errors_free(struct sr_config_errors *errors);

/*
 * The rules for one account and one service: the configuration's rules, the
 * overrides of each group it is in (later sections win), and the resolved
 * members at the end of struct sr_rules.  `is_member` says whether the account
 * is in a group and is asked only for groups that the configuration names; it
 * returns SR_UNKNOWN when it cannot tell, which makes this function fail (-1),
 * because a rule that might apply must not be skipped.  Lists in `out` point
 * into `config`.  Returns 0 on success.
 */
struct sr_member {
    const char *user;
    int (*is_member)(void *context, const char *user,
                     const char *group); /* enum sr_tri */
    void *context;
};
int sr_config_rules(const struct sr_config *config,
                    const struct sr_member *member, const char *service,
                    struct sr_rules *out);

/*
 * is_member by getgrouplist(3) and getgrnam_r(3); context is unused.
 */
int sr_config_member_nss(void *context, const char *user, const char *group);

/* The uid of a name by getpwnam_r(3): SR_YES, SR_NO (there is no such name), or
 * SR_UNKNOWN. */
int sr_config_uid_nss(const char *user, uid_t *uid);

/*
 * Whether a lockout is told to somebody who tries from here (selfreset.reveal).
 */
bool sr_config_reveals(const struct sr_config *config, bool is_remote);

/*
 * Whether anybody's failed attempts are counted by a directory, too
 * (lockout.store).
 */
bool sr_config_shares(const struct sr_config *config);

/* Whether anybody's password may be changed only while logged on
 * (change.require_logon). */
bool sr_config_needs_logon(const struct sr_config *config);

/*
 * Parse a duration: a number and one of s m h d w ("14d"), or plain "0".
 * Returns 0 and the seconds, or -1.
 */
int sr_config_duration(const char *text, int64_t *seconds);

/*
 * The table, for the tools and for the test that checks the manual page.
 * Calls `each` with section, key, the default as text under the given profile,
 * and what the value may be.
 */
void sr_config_each_key(enum sr_profile profile,
                        void (*each)(void *context, const char *section,
                                     const char *key, const char *preset,
                                     const char *values),
                        void *context);

#endif
