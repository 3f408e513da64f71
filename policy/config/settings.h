/*
 * Settings: the configuration of this host as plain data.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_SETTINGS_H
#define SR_POLICY_CONFIG_SETTINGS_H

#include "policy/config/stamps.h"
#include "policy/decide/facts.h"
#include "policy/decide/rules.h"

enum sr_reveal { SR_REVEAL_ALWAYS, SR_REVEAL_CONSOLE, SR_REVEAL_NEVER };
enum sr_publicity { SR_PUBLICITY_RESTRICTED, SR_PUBLICITY_PUBLIC };
enum sr_profile { SR_PROFILE_NIST, SR_PROFILE_AD };

enum sr_backend_type { SR_BACKEND_LDAP, SR_BACKEND_KRB5, SR_BACKEND_AD };
enum sr_read_as {
    SR_IDENTITY_NONE,
    SR_IDENTITY_SIMPLE,
    SR_IDENTITY_EXTERNAL,
    SR_IDENTITY_GSSAPI,
};
enum sr_down { SR_DOWN_STOP, SR_DOWN_NEXT };
enum sr_fast { SR_FAST_TRY, SR_FAST_DEMAND, SR_FAST_NEVER };
enum sr_unknown_state { SR_UNKNOWN_ALLOW, SR_UNKNOWN_DENY };
enum sr_auth { SR_AUTH_KRB5, SR_AUTH_KRB5_LDAP };
enum sr_bind_secret { SR_BIND_SECRET_FIXED, SR_BIND_SECRET_MANAGED };

/* The longest name of a backend; facts.backend holds it. */
#define SR_BACKEND_NAME_MAX 15

/* "[backend NAME]": a source of accounts other than this host. */
struct sr_backend_config {
    char *name;
    enum sr_backend_type type;
    struct sr_string_list uri; /* in the order in which they are tried */
    char *base;
    char *filter; /* with %u for the name */
    char *name_attribute;
    char *uid_attribute;
    unsigned uid_min; /* an entry with a smaller uid is not an account */
    enum sr_read_as identity; /* as what accounts are read */
    char *bind_dn;
    char *secret_file;
    char *keytab;    /* NULL: the host's */
    char *principal; /* NULL: the first in the keytab */
    char *user_dn;   /* with %u: the bind DN of a user that no search finds */
    char *ca_file;   /* NULL, and no directory: the system's */
    char *ca_directory;
    char *cert_file;      /* this host's certificate; NULL: none */
    char *key_file;       /* and the key of it */
    char *default_policy; /* of accounts that name none */
    char *lockout_base;   /* container of the shared ledgers; NULL: none */
    char *reset_base;     /* container of enrolments; NULL: none */
    bool insecure;        /* connections without TLS are allowed */
    int64_t timeout;      /* for one login, in seconds */
    enum sr_down when_down;

    /* type = ad */
    enum sr_auth auth;               /* what verifies passwords */
    enum sr_bind_secret bind_secret; /* the identity's: who changes it */
    bool reset_history; /* an administrator's password obeys the history */
    char *site; /* whose servers DNS names first; NULL: those of the domain */

    /* type = krb5 or ad */
    char *realm;               /* NULL: the default one of krb5.conf */
    struct sr_string_list kdc; /* empty: krb5.conf's, or DNS */
    bool verify;               /* that a ticket is from a KDC with our key */
    enum sr_fast fast;
    enum sr_unknown_state unknown; /* logins without a password, of which the
                                      KDC reveals nothing */
    unsigned min_uid;              /* accounts below are not asked for */
    char *user_principal;          /* with %u for the name */
    bool enterprise;               /* that is a name the KDC resolves */
    char *ccache;                  /* "yes", "no" or a template */
};

/* The account of the programs that self-service reset runs, which the packages
 * and "selfresetctl reset --setup" make: no other service has it, so none can
 * trace what they do. */
#define SR_PROGRAM_USER "_selfreset"

/* One value with its file and line; see value.h. */
struct sr_setting;

/* Who keeps enrolments: this host, or for accounts of backends with a
 * reset_base their directory. */
enum sr_reset_store { SR_RESET_STORE_LOCAL, SR_RESET_STORE_LDAP };

/* The ways by which codes and notices are sent. */
enum sr_channel_id {
    SR_CHANNEL_MAIL,
    SR_CHANNEL_SMS,
    SR_CHANNEL_VOICE,
    SR_CHANNEL_PUSH,
    SR_CHANNELS
};

/* The program that sends by one of them. */
struct sr_channel_config {
    char *program;  /* with its arguments; reads a message */
    char *user;     /* as whom it runs */
    unsigned daily; /* messages of this host in 24 hours; 0: no limit */
};

struct sr_reset_config {
    char *account;                  /* the captive one */
    struct sr_string_list services; /* that let it in without a password */
    struct sr_string_list greeters; /* that have the dialogue with it instead */
    bool hint;                      /* name it after a failed login */
    bool nag;                       /* ask at a login to enroll */
    struct sr_string_list groups;   /* who may; empty: all */
    struct sr_string_list administrators; /* need two proofs */
    struct sr_channel_config channel[SR_CHANNELS];
    struct sr_string_list phone_prefixes; /* of numbers; see number.h */
    char *mail_from;
    struct sr_string_list mail_refuse; /* domains of mailboxes that these very
                                          passwords open */
    /* Of directories; offered to the account's owner. */
    struct sr_string_list mail_attributes, phone_attributes, key_attributes;
    int64_t
        reconfirm; /* seconds for which an address is confirmed; 0: always */
    int64_t reconfirm_grace;   /* for which it still serves after that */
    char *seal_file;           /* the key of secrets; NULL: in the state */
    enum sr_reset_store store; /* of enrolments */
};

/*
 * The configuration.  All strings and lists belong to `setting`, so a copy of
 * a member is valid as long as the configuration is.
 */
struct sr_config {
    /* [selfreset] */
    struct sr_string_list backends; /* in the order they are asked */
    char *contact;                  /* NULL: "your administrator" */
    enum sr_reveal reveal;
    enum sr_profile profile;             /* selects the defaults */
    struct sr_string_list defaults_from; /* see other_files.h */

    /* [nss] */
    enum sr_publicity nss_view; /* who may read the state groups' view */
    int64_t nss_max_age;        /* seconds that a snapshot is valid */
    bool nss_enumerate;         /* getspent(3) is answered */
    struct sr_string_list nss_break_glass; /* never in a negative group */

    struct sr_reset_config reset;

    struct sr_backend_config *backend;
    size_t backend_count;

    struct sr_rules rules; /* of the sections without a group */
    struct sr_setting *setting;
    size_t setting_count;

    char *path; /* that was asked for; NULL: the host's files */
    struct sr_stamps stamps;
    unsigned users; /* it is freed with the last of them */
};

#endif
