/*
 * Lockout: the one shape of "this password is not accepted until", and how
 * several of them are combined.  Pure: no I/O, no clock, no allocation.
 *
 * An account has lockouts by its backend, by ledgers of this host and by
 * ledgers that hosts share; each ledger counts one class of sources.  For one
 * source all that concern it are merged: the latest end holds.  For what is
 * published, independent of a source, the account is locked out when no class
 * of sources is left from which a login could come: each class is merged first,
 * and then the earlier end holds.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_LOCKOUT_H
#define SR_POLICY_DECIDE_LOCKOUT_H

#include "policy/decide/facts.h"

/*
 * A lockout.  why: SR_LOCK_WHY_NONE: there is none.  Which ledger or authority
 * it is of follows from `why`.  until: wall clock; SR_TIME_NEVER: until an
 * administrator acts; SR_TIME_UNKNOWN: it holds and its end is not known.
 */
struct sr_lockout {
    sr_time until;
    enum sr_lock_why why;
};

/* No lockout. */
static inline struct sr_lockout
sr_lockout_none(void)
{
    return (struct sr_lockout){SR_TIME_UNKNOWN, SR_LOCK_WHY_NONE};
}

static inline struct sr_lockout
sr_lockout_until(sr_time until, enum sr_lock_why why)
{
    return (struct sr_lockout){until, why};
}

/* Whether there is one (it may have ended). */
static inline bool
sr_lockout_is(const struct sr_lockout *lockout)
{
    return lockout->why != SR_LOCK_WHY_NONE;
}

/* The one that holds when both do: an administrator's, else one whose end is
 * not known, else the later one. */
struct sr_lockout sr_lockout_merge(struct sr_lockout a, struct sr_lockout b);

/* The one that holds when a login needs only one of two ways: the weaker. */
struct sr_lockout sr_lockout_earlier(struct sr_lockout a, struct sr_lockout b);

/* The backend's own lock, as a lockout; none when it is unknown or not locked.
 */
struct sr_lockout sr_lockout_of(const struct sr_facts *facts);

/* Make the lock in the facts that of a lockout, for a verdict. */
void sr_lockout_set(struct sr_facts *facts, const struct sr_lockout *lockout);

/*
 * Lockouts by class of source (enum sr_source_class): what this host has
 * counted, or what hosts have counted together.
 */
struct sr_lockouts {
    struct sr_lockout of[2];
    bool is_known[2];  /* the ledgers were asked, or could not be: then they
                          lock no account out */
    bool has_familiar; /* a login can come from a familiar source */
};

/* No lockout, as far as is known. */
struct sr_lockouts sr_lockouts_none(void);

/* Nothing is known. */
struct sr_lockouts sr_lockouts_unknown(void);

/*
 * The lockout that holds from every source.  For a class of which `shared` is
 * not known, `claimed` is taken to hold: what was published before (none:
 * nothing was).
 */
struct sr_lockout sr_lockout_everywhere(const struct sr_lockouts *host,
                                        const struct sr_lockouts *shared,
                                        struct sr_lockout claimed);

#endif
