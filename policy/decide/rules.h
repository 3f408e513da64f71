/*
 * Rules: what the administrator wants of one account, here and for one
 * service.  Plain data; config.c fills it, the pure functions read it.
 *
 * The first part holds one member for each configuration key, in the order of
 * selfreset.conf(5).  The last part is what config.c resolved for the account
 * and the service, so that no decision has to search a list.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_RULES_H
#define SR_POLICY_DECIDE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/util/text.h"

enum sr_warn_by { SR_WARN_BY_ACCOUNT, SR_WARN_BY_CONFIG, SR_WARN_BY_EARLIER };
enum sr_grace { SR_GRACE_TEXT, SR_GRACE_CHANGE };
enum sr_root_mode { SR_ROOT_ADVISE, SR_ROOT_ENFORCE };
enum sr_locked_hash { SR_LOCKED_HASH_PASSWORD, SR_LOCKED_HASH_ACCOUNT };
enum sr_lockout_store { SR_LOCKOUT_LOCAL, SR_LOCKOUT_LDAP };
enum sr_reset_age {
    SR_RESET_AGE_ALLOW,
    SR_RESET_AGE_UNLOCK_ONLY,
    SR_RESET_AGE_REFUSE,
};
enum sr_preset { SR_PRESET_NIST, SR_PRESET_AD, SR_PRESET_PWQUALITY };

/* The longest password in bytes: PAM_MAX_RESP_SIZE without its end.  A longer
 * one is refused, never cut. */
#define SR_PASSWORD_BYTES_MAX 511

/* The most old passwords that can be remembered of an account. */
#define SR_HISTORY_MAX 64

/* The most wrong passwords a window can be configured to allow. */
#define SR_ATTEMPTS_MAX 64

struct sr_rules {
    bool nullok; /* [selfreset]; see sr_rules_allow_empty() */

    /* [expiry]; durations in seconds */
    int64_t warn;
    enum sr_warn_by warn_by; /* which warning period counts */
    int64_t max_age;         /* of local passwords; 0: no limit */
    int64_t inactive;        /* after the expiry; 0: no limit */
    enum sr_grace grace;
    struct sr_string_list expired_services;
    enum sr_locked_hash locked_hash; /* what "!" before a local hash locks */

    /* [change] */
    bool require_logon;
    struct sr_string_list logon_exempt;
    struct sr_string_list logon_services;
    int64_t minimum_age;
    struct sr_string_list protected_accounts;
    struct sr_string_list cannot_change;
    unsigned tries;
    enum sr_root_mode root;

    /* [lockout] */
    enum sr_lockout_store lockout_store; /* who counts, besides this host */
    unsigned attempts;                   /* 0: no throttle by account */
    int64_t window;
    int64_t duration;
    int64_t duration_max;
    unsigned limit;           /* failures in a row; 0: never off */
    unsigned source_attempts; /* 0: no throttle by source */
    int64_t familiar;         /* how long a source stays familiar; 0: off */
    bool lock_root;           /* throttle uid 0 by account too */
    int64_t delay;            /* seconds, asked of libpam after a failure */
    int64_t wait;             /* longest wait for a slot */

    /* [password] */
    enum sr_preset preset;
    unsigned min_length;  /* code points; 0: the preset's, 1: any */
    unsigned max_length;  /* code points; 0: the preset's */
    unsigned min_classes; /* 0: the preset's, 1: any */
    struct sr_string_list skip_quality; /* names of quality_rule.h */
    unsigned history;
    int64_t history_age; /* entries older than this are forgotten; 0: never */

    /* [temporary] */
    int64_t temporary_lifetime;

    /* [reset] */
    bool reset_enable;
    unsigned reset_gates;                /* how many proofs, 1 or 2 */
    struct sr_string_list reset_classes; /* names of gates */
    enum sr_reset_age reset_age;         /* within the minimum age */
    int64_t reset_wait; /* until a new gate may be used for a reset */

    /* Resolved for this account and service. */
    bool spare_expired;    /* the service is in expired_services */
    bool is_logon_service; /* and in logon_services */
    bool is_logon_exempt;
    bool is_protected;
    bool is_cannot_change;
    bool is_break_glass;
};

/*
 * Whether an empty password is verified like others, to authenticate and as the
 * current password of a change: where both the configuration and the caller
 * allow it (PAM_DISALLOW_NULL_AUTHTOK).  Otherwise it is wrong for every
 * account, also for one whose shadow field is empty or the hash of an empty
 * password.
 */
static inline bool
sr_rules_allow_empty(const struct sr_rules *rules, bool caller_allows)
{
    return rules->nullok && caller_allows;
}

#endif
