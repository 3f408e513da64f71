/*
 * Enclosed: one verification, counted by this host and, where the configuration
 * says so, by a directory for all hosts (lockout.store = ldap).
 *
 * This host's own ledger (attempt.h) comes first and always counts: both must
 * let an attempt go.  It also bounds how many attempts for a name this host has
 * under way in the directory.  Then the entry of the attempt is added and the
 * ledger of the fleet judged, see fleet.h.  A directory that cannot be asked
 * locks nobody out: the host goes on alone, and says so.
 *
 * The work is the same for a name that exists, for one that does not, and for
 * one that is locked out, here or there: one entry is added, the ledger is read
 * once, and the entry is changed or deleted.  Who is locked out by this host
 * does it on a decoy, since those who are under way there have no bound.
 *
 * What is of this host stays with it: the source's ledger, and which sources
 * are familiar.  Accounts of this host, and root, are nobody else's.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_VERIFICATION_H
#define SR_POLICY_ACCOUNT_VERIFICATION_H

#include "policy/throttle/attempt.h"
#include "policy/backend/backend.h"
#include "policy/account/account.h"

/* Whether the fleet counts for an account with these rules, if its backend
 * does. */
bool sr_shared_counts(const struct sr_rules *rules, uid_t uid);

/* The way to the fleet's ledgers of one account or name. */
struct sr_shared_ledger {
    bool is_there;
    struct sr_backend backend;
    struct sr_connections *connections;
};

/*
 * Find it.  `is_known`: for the account that was gathered; otherwise for a name
 * that no backend knows, which is counted by the first backend that counts.
 * `only` is the one backend that is asked, or NULL.
 */
struct sr_shared_ledger sr_shared_ledger(const struct sr_transaction *txn,
                                         bool is_known, const char *only);

/* The same for a backend by its name: what was kept of an earlier call may have
 * gone with its configuration. */
struct sr_shared_ledger
sr_shared_ledger_open_by_name(const struct sr_config *config,
                              struct sr_connections *connections,
                              const char *name);

struct sr_verification; /* opaque */

/*
 * Begin, as sr_attempt_begin() does.  *enclosed is valid or NULL (out of
 * memory: SR_BEGIN_FAILED).
 */
enum sr_begin sr_verification_begin(const char *statedir, const char *rundir,
                                    const struct sr_subject *subject,
                                    const struct sr_shared_ledger *way,
                                    bool ahead,
                                    struct sr_verification **enclosed);

/*
 * Settle, as sr_attempt_settle() does.  A failure that cannot be settled in the
 * directory is one when its time is over; failures that a success cannot delete
 * stay: stricter, never laxer.
 */
struct sr_settled sr_verification_settle(struct sr_verification *enclosed,
                                         const struct sr_shared_ledger *way,
                                         enum sr_outcome outcome);

/* Of the host's own part: what sr_attempt_*() tell. */
const struct sr_attempt *
sr_verification_attempt(const struct sr_verification *e);

/* SR_BEGIN_LOCKED: when the lockout ends, wall clock. */
sr_time sr_verification_until(const struct sr_verification *enclosed);

/*
 * What has become known of the fleet's locks on the account: of the side that
 * the attempt was counted on; of both, when the directory could not be asked;
 * of none, when there was nothing to find out.  After settle it is as settle
 * left it.
 */
struct sr_shared_locks
sr_verification_locks(const struct sr_verification *enclosed);

/* Whether the fleet locks out the side that the attempt was counted on. */
bool sr_verification_by_fleet(const struct sr_verification *enclosed);

/*
 * Why the directory could not be asked or told, or NULL.  Said once for each
 * call of begin and settle.
 */
const char *sr_verification_trouble(struct sr_verification *enclosed);

/* The backend that counts, for sr_shared_ledger_open_by_name(); NULL: none. */
const char *sr_verification_backend(const struct sr_verification *enclosed);

/* Free, as sr_attempt_free() does; nothing is sent.  NULL is allowed. */
void sr_verification_free(struct sr_verification *enclosed, bool forget);

/* ---- outside of an attempt */

/* One of an account's ledgers of the fleet, as it stands. */
struct sr_shared_view {
    unsigned failures;    /* slots that failures have consumed */
    size_t entries;       /* that there are */
    sr_time locked_until; /* wall clock; unknown: not locked out */
};

/* How long an entry may be pending, seconds. */
int64_t sr_shared_lifetime(const struct sr_shared_ledger *way);

/*
 * Look at it, with one search.  What is "now" for the server is taken from this
 * host's clock, or from the youngest entry if that is later.  may_recall: what
 * was cleared in the same transaction is not looked at.
 */
enum sr_status sr_shared_look(const struct sr_shared_ledger *way,
                              const char *name, bool is_familiar,
                              const struct sr_limits *limits, bool may_recall,
                              struct sr_shared_view *view, char *reason,
                              size_t size);

/*
 * Look at both ledgers of the account that was gathered, with a search each,
 * for who->fleet.  On any answer but OK it says that nobody is locked out, and
 * `reason` says why.
 */
enum sr_status sr_shared_locks_find(const struct sr_shared_ledger *way,
                                    struct sr_transaction *txn, char *reason,
                                    size_t size);

/*
 * Add the fleet's lockout for `source` to the facts, as sr_attempt_facts() adds
 * this host's, and what was found out to who->fleet and who->everywhere.
 * `statedir` NULL: the built-in one.  On any answer but OK the facts are as
 * they were, and `reason` says why.
 */
enum sr_status sr_shared_facts(const struct sr_shared_ledger *way,
                               struct sr_transaction *txn, const char *statedir,
                               const struct sr_source *source, char *reason,
                               size_t size);

/* Delete all failures of an account, of both its ledgers.  *count says how many
 * there were. */
enum sr_status sr_shared_clear(const struct sr_shared_ledger *way,
                               const char *name, size_t *count, char *reason,
                               size_t size);

#endif
