/*
 * Survey: what a backend is, and what this host and its users may do there,
 * found out by trying; for selfresetctl check --backend.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_SURVEY_H
#define SR_POLICY_BACKEND_SURVEY_H

#include "policy/decide/facts.h"
#include "policy/util/error.h"

#define SR_SURVEY_URIS   16
#define SR_SURVEY_RIGHTS 24

/* One of the servers. */
struct sr_survey_uri {
    char uri[256];                /* empty: not known */
    bool is_answered;             /* it could be connected to */
    bool is_insecure;             /* others can read the connection */
    bool is_read_only;            /* it takes no changes */
    char why[SR_ERROR_TEXT_SIZE]; /* it was not answered */
    char tls[16];                 /* "TLS1.3"; empty: none */
    sr_time certificate_ends;
};

enum sr_server {
    SR_SERVER_OTHER,
    SR_SERVER_OPENLDAP,
    SR_SERVER_389,
};

/* What may be done with an attribute of the test entry. */
struct sr_survey_right {
    const char *attribute;
    bool is_shut;            /* the owner must not write it */
    enum sr_tri is_known;    /* the server has such an attribute */
    enum sr_tri sees;        /* the service */
    enum sr_tri writes;      /* the service */
    enum sr_tri self_writes; /* the owner */
};

/* The password policy that is in force; numbers -1: not known. */
struct sr_survey_policy {
    char dn[256]; /* empty: it is not known which */
    bool is_read;
    int64_t max_age, warning, min_age, grace; /* seconds, but for grace */
    int64_t min_length, history, max_failures, lock_duration;
    enum sr_tri locks, must_change, safe_modify, user_change;
    enum sr_tri tells_changes; /* 389: passwordTrackUpdateTime */
    /* 389: of temporary passwords (TPR), how often and how long */
    int64_t temporary_uses, temporary_lifetime;
};

/* A principal of this host's keytab. */
struct sr_survey_key {
    char principal[200];
    bool is_service; /* SERVICE/NAME */
    bool is_host;    /* host/NAME */
    int kvno;        /* the newest */
    char enctypes[120];
    bool is_right;    /* a KDC accepts the key */
    bool is_accepted; /* a ticket for it was decrypted; host/NAME, and in
                         Active Directory every service */
    char why[SR_ERROR_TEXT_SIZE]; /* otherwise */
    char event[8]; /* "SR-5105"; empty: the cause is another one */
};

#define SR_SURVEY_KEYS 16

/* What concerns the KDCs of a realm. */
struct sr_survey_krb5 {
    char realm[256];
    char keytab[256];                    /* its name */
    char keytab_why[SR_ERROR_TEXT_SIZE]; /* it cannot be used; empty: it can */
    struct sr_survey_key key[SR_SURVEY_KEYS];
    size_t key_count;
    bool has_offset;
    int64_t offset; /* a KDC's clock minus this host's, seconds */
    enum sr_tri has_fast;
    /* The state of an account is visible without its password. */
    enum sr_tri tells_states;
    char host[256]; /* of this host, by uname(2) */
};

#define SR_SURVEY_SPNS 8

/* A name of a service of this host, and the accounts that have it. */
struct sr_survey_spn {
    char name[280];     /* "host/client.example.org" */
    size_t count;       /* of accounts */
    bool is_ours;       /* ours is one of them */
    char other[80];     /* sAMAccountName of the first other one, */
    char spelling[280]; /* and how the name is spelt there */
};

/* What concerns a domain of Active Directory. */
struct sr_survey_ad {
    enum sr_tri is_read; /* as this host; SR_NO: why[] says why it cannot be */
    char why[SR_ERROR_TEXT_SIZE];
    bool is_samba;
    char domain[256];  /* "example.org" */
    char name[80];     /* of this host's account, "CLIENT$" */
    char account[256]; /* its DN; empty: there is none */
    /* That which asks: this host's account, or a service account. */
    char identity[80]; /* "CLIENT$" */
    char sid[200];     /* its security identifier; empty: not known */
    char fqdn[256];    /* its dNSHostName; empty: none */
    bool is_disabled;
    int64_t enctypes; /* msDS-SupportedEncryptionTypes; -1: none */
    struct sr_survey_spn spn[SR_SURVEY_SPNS];
    size_t spn_count;
    char dns_why[200]; /* what is amiss between the name and its addresses */
    int64_t threshold; /* wrong passwords that lock an account; 0: any number */
    enum sr_tri needs_logon; /* pwdProperties 0x2 */
    size_t must_change;      /* accounts that have to change the password */
    char must_change_name[80];
    enum sr_tri has_hints; /* a reset can obey the history */
};

struct sr_survey {
    /* What is asked for. */
    const char *test;     /* a name to try it with; NULL: none */
    const char *password; /* of the test entry; NULL: not known */
    bool is_brief;        /* the kind of the server only, */
    bool tries_servers;   /* and whether each of them answers */

    /* What was found. */
    struct sr_survey_uri uri[SR_SURVEY_URIS];
    size_t uri_count;
    char used[256]; /* the URI that all the rest was asked of; or empty */
    char why[SR_ERROR_TEXT_SIZE]; /* nothing else could be asked */
    enum sr_server server;
    char name[80]; /* of the server, for people */
    bool has_ppolicy;
    bool has_password_operation;
    bool has_sync; /* content synchronisation (RFC 4533) */
    enum sr_tri has_base;
    struct sr_survey_policy policy;
    size_t accounts;
    bool is_cut;           /* there may be more accounts */
    char reading_why[160]; /* selfreset-publish cannot read them all */
    bool hides_local;      /* 389: whether policies of subtrees count */
    bool hides_inactivity; /* 389: whether idle accounts are locked out */
    char twice[80];        /* a name that two entries have, or their names that
                            * differ in case only */
    char twice_uid[80];    /* two names with one uid */
    char no_uid[80];       /* a name without a uid of use */
    enum sr_tri anyone_reads_hashes; /* without a bind */
    enum sr_tri service_reads_hashes;

    enum sr_ask_test {
        SR_TEST_NONE,
        SR_TEST_FOUND,
        SR_TEST_UNKNOWN,
        SR_TEST_TWICE,
        SR_TEST_FAILED,
    } test_result;
    char test_dn[256];
    char test_why[SR_ERROR_TEXT_SIZE];
    struct sr_survey_right right[SR_SURVEY_RIGHTS];
    size_t right_count;
    enum sr_tri is_let_in;    /* the password of the test entry is right */
    enum sr_tri answers_with; /* a bind is answered with the policy control */
    enum sr_tri tells_locks;  /* ppolicy_use_lockout */
    struct sr_survey_krb5 krb5;
    struct sr_survey_ad ad;
};

#endif
