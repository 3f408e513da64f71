/*
 * Everywhere: the lockout that holds from every source, by what this host has
 * counted and what the fleet has.  Pure: no I/O, no clock, no allocation.
 *
 * An account has two ledgers, for strangers and for familiar sources, and each
 * of them two keepers.  A keeper that locks a side out locks it out whatever
 * the other says, so a side is locked out until the later end.  The account is
 * locked out from everywhere when nobody is left who could come in: the side of
 * strangers is locked out, and that of familiar sources too where there are
 * any; then the earlier end counts.  So sides are put together first, and
 * keepers never: the host may have locked out the one, and the fleet the other.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_LOCKOUT_H
#define SR_POLICY_DECIDE_LOCKOUT_H

#include <stdbool.h>

#include "policy/decide/facts.h"

/* What this host has counted.  Sides are by enum sr_source_class of store.h.
 * Times are of the wall clock; unknown: not locked out. */
struct sr_class_lockouts {
    sr_time until[2];
    bool has_familiar; /* a login can come from a familiar source */
};

/*
 * What the fleet has counted.  is_known: the directory was asked for this side,
 * and has answered, or has not: then it locks nobody out.
 */
struct sr_shared_locks {
    bool is_known[2];
    sr_time until[2];
};

/* The fleet locks nobody out, as far as can be known: it was not there. */
void sr_shared_locks_none(struct sr_shared_locks *fleet);

/*
 * Until when the account is locked out from every source; unknown: it is not.
 * Of a side that the fleet was not asked for, `claimed` is taken to hold: until
 * when the account was found to be locked out before, from everywhere, so from
 * this side too (unknown: it was not).
 */
sr_time sr_lockout_everywhere(const struct sr_class_lockouts *host,
                              const struct sr_shared_locks *fleet,
                              sr_time claimed);

#endif
