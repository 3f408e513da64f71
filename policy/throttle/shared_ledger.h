/*
 * Shared ledger: what all hosts have counted of one account, as a directory
 * keeps it (lockout.store = ldap), read and cleared outside of an attempt.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_THROTTLE_SHARED_LEDGER_H
#define SR_POLICY_THROTTLE_SHARED_LEDGER_H

#include "policy/backend/backend.h"
#include "policy/decide/lockout.h"
#include "policy/decide/source.h"
#include "policy/decide/throttle.h"

/* Whether the shared ledger counts for an account with these rules, if its
 * backend does. */
bool sr_shared_counts(const struct sr_rules *rules, uid_t uid);

/* Access to the shared ledgers of one account or name. */
struct sr_shared_ledger {
    bool is_there;
    struct sr_backend backend;
    struct sr_connections *connections;
};

/* The same for a backend by its name: what was kept of an earlier call may have
 * gone with its configuration. */
struct sr_shared_ledger
sr_shared_ledger_open_by_name(const struct sr_config *config,
                              struct sr_connections *connections,
                              const char *name);

/* The state of one of an account's shared ledgers. */
struct sr_shared_view {
    unsigned failures;         /* slots that failures have consumed */
    size_t entries;            /* that there are */
    struct sr_lockout lockout; /* wall clock; none: not locked out */
};

/* How long an entry may be pending, seconds. */
int64_t sr_shared_lifetime(const struct sr_shared_ledger *way);

/*
 * Read it, with one search.  What is "now" for the server is taken from this
 * host's clock, or from the youngest entry if that is later.  may_recall: what
 * was cleared in the same transaction is not read.
 */
enum sr_status sr_shared_look(const struct sr_shared_ledger *way,
                              const char *name, bool is_familiar,
                              const struct sr_limits *limits, bool may_recall,
                              struct sr_shared_view *view, char *reason,
                              size_t size);

/* Delete all failures of an account, of both its ledgers.  *count is how many
 * there were. */
enum sr_status sr_shared_clear(const struct sr_shared_ledger *way,
                               const char *name, size_t *count, char *reason,
                               size_t size);

#endif
