/*
 * Query: what is remembered of accounts and sources, outside of an attempt:
 * which ledger counts, its state, and what a login changes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_THROTTLE_QUERY_H
#define SR_POLICY_THROTTLE_QUERY_H

#include "policy/decide/lockout.h"
#include "policy/store/ledger.h"
#include "policy/store/memory.h"

/* The limits that rules set for an account (is_root: uid 0) and for a source.
 */
struct sr_limits sr_attempt_account_limits(const struct sr_rules *rules,
                                           bool is_root);
struct sr_limits sr_attempt_source_limits(const struct sr_rules *rules);

/* The limits of a ledger that hosts share: this host counts failures in a row.
 */
struct sr_limits sr_attempt_shared_limits(const struct sr_rules *rules);

/* rules->wait in milliseconds. */
unsigned sr_attempt_wait_ms(const struct sr_rules *rules);

/* Familiar for the account's own session, and for a source seen at a login
 * within rules->familiar. */
enum sr_source_class sr_attempt_class(const struct sr_memory *memory,
                                      const struct sr_source *source,
                                      const struct sr_rules *rules);

/* The ledger of an account that counts for a source. */
struct sr_ledger_key sr_attempt_ledger(const struct sr_identity *id,
                                       const struct sr_memory *memory,
                                       const struct sr_source *source,
                                       const struct sr_rules *rules);

/* The state of one ledger. */
struct sr_standing {
    unsigned failures;         /* slots that failures have consumed */
    uint32_t in_a_row;         /* failures since the last success */
    struct sr_lockout lockout; /* wall clock; none: not locked out */
    struct sr_notice notice;   /* failures since the ledger was made */
};

/* Read it.  A ledger that is not there is empty. */
enum sr_store_result sr_attempt_standing(struct sr_store *store,
                                         const struct sr_ledger_key *key,
                                         const struct sr_limits *limits,
                                         struct sr_standing *standing);

/*
 * The lockout of this host that holds for an account (NULL: none) when it is
 * tried from `source`, without taking a slot.  `classes` (may be NULL) is what
 * sr_attempt_classes() has just found, which spares the ledger of strangers a
 * second reading.
 */
enum sr_store_result sr_attempt_lockout(struct sr_store *store,
                                        const struct sr_identity *id,
                                        const struct sr_memory *memory,
                                        const struct sr_source *source,
                                        const struct sr_rules *rules,
                                        const struct sr_lockouts *classes,
                                        struct sr_lockout *lockout);

/*
 * What this host has locked out of an account, by class of source, for
 * sr_lockout_everywhere().  The user's own sessions, which have begun already,
 * are no class here.  Where strangers are not locked out and no other host
 * counts, familiar sources are not read.
 */
enum sr_store_result sr_attempt_classes(struct sr_store *store,
                                        const struct sr_identity *id,
                                        const struct sr_memory *memory,
                                        const struct sr_rules *rules,
                                        struct sr_lockouts *classes);

/* How many ledgers of this host are locked out, by what they are for. */
struct sr_locked_out {
    unsigned strangers; /* accounts, for sources they were not seen at */
    unsigned familiar;  /* accounts, for a source they were seen at */
    unsigned own;       /* accounts, for their own sessions */
    unsigned names;     /* names that do not exist */
    unsigned sources;
    unsigned damaged; /* files that cannot be read */
};

/* Count them, by these rules; what is in RUNDIR is left out. */
enum sr_store_result sr_attempt_locked_out(struct sr_store *store,
                                           const struct sr_rules *rules,
                                           struct sr_locked_out *out);

/* Failures in all ledgers of an account since its last login. */
enum sr_store_result sr_attempt_notice(struct sr_store *store,
                                       const struct sr_identity *id,
                                       const struct sr_memory *memory,
                                       struct sr_notice *notice);

/*
 * A login succeeded from `source`: remember it as familiar (written only when
 * its record is older than a day), and hand out and clear the notice of failed
 * attempts since the last login.  `notice` may be NULL.
 */
enum sr_store_result sr_attempt_logged_in(struct sr_store *store,
                                          const struct sr_identity *id,
                                          const struct sr_source *source,
                                          const struct sr_rules *rules,
                                          struct sr_notice *notice);

/*
 * Empty every ledger of an account: unlock, a reset, a change by the owner.
 * *found (may be NULL) is whether there was one with a failure in it.
 */
enum sr_store_result sr_attempt_clear(struct sr_store *store,
                                      const struct sr_identity *id,
                                      bool *found);

/* Call `each` with every ledger that an account may have, until it returns
 * false.
 */
void sr_attempt_each_ledger(const struct sr_identity *id,
                            const struct sr_memory *memory,
                            bool (*each)(void *context,
                                         const struct sr_ledger_key *key),
                            void *context);

#endif
