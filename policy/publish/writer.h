/*
 * Publish: write what the NSS door reads (policy/publish/format.h).
 *
 * Under the directory (SR_PUBLISHED_DIR):
 *
 *   groups.snap, groups.d/   the groups view, every account
 *   shadow.snap, shadow.d/   the shadow view, accounts of directories
 *   lock                     0600, held exclusively while anything is replaced
 *
 * A snapshot is built aside, with its final mode, synced, and renamed over the
 * old one; a delta is a symbolic link made aside and renamed.  So who is killed
 * at any instruction leaves the old or the new.  What was made aside and left
 * is removed by the next snapshot.  While the lock is held, a delta is put in
 * place together with the mark of its bucket in both snapshots, and a snapshot
 * together with the marks of the deltas that are newer than it; a delta that is
 * not newer than the snapshot is removed.  The lock is an open-file-description
 * lock; waiting for it is bounded, and the holder is shielded (shield.h).
 *
 * Nothing here is done unless the directory exists: a host that does not use
 * the NSS module pays one open(2).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_WRITER_H
#define SR_POLICY_PUBLISH_WRITER_H

#include "policy/account/account.h"
#include "policy/config/config.h"
#include "policy/publish/directory.h"
#include "policy/publish/reader.h"

/* Now, as a sequence: wall clock in nanoseconds. */
uint64_t sr_publish_sequence(void);

/* ---- one account */

/*
 * Publish what was gathered of one account (gathered->ask is SR_STATUS_OK and
 * what this host remembers was added), as a delta in the views it belongs to,
 * unless the same is published already.  `sequence` is from before the facts
 * were gathered, so that newer facts are never replaced by older ones.  The
 * lock in the facts is replaced by the one that holds from every source
 * (gathered->everywhere): a stranger's guesses must not shut out the owner, who
 * comes from where he always comes from.  Of what the fleet was not asked for
 * (gathered->fleet) that lockout stays that is published: a login does not know
 * the side that it did not come from.  `reason` (size bytes) is filled in on
 * FAILED.
 */
enum sr_publish_result sr_publish_gathered(const char *dir,
                                           const struct sr_transaction *txn,
                                           uint64_t sequence, unsigned wait_ms,
                                           char *reason, size_t size);

/*
 * Gather anew and publish one account, or that it is gone when no backend knows
 * the name; a backend that could not be asked publishes "unknown".  `statedir`
 * NULL: the built-in one.  The fleet is asked, too; when it cannot be, that is
 * published which this host knows, and `reason` says so beside OK and
 * UNCHANGED.
 */
enum sr_publish_result sr_publish_account(const struct sr_config *config,
                                          const char *dir, const char *statedir,
                                          const char *name, unsigned wait_ms,
                                          char *reason, size_t size);

/*
 * The same in a transaction, over what its link keeps (NULL: one of its own).
 * The fleet is not asked: `fleet` is what is known of it.
 */
enum sr_publish_result sr_publish_account_linked(
    const struct sr_config *config, struct sr_connections *connections,
    const struct sr_shared_locks *fleet, const char *dir, const char *statedir,
    const char *name, unsigned wait_ms, char *reason, size_t size);

/*
 * The work of publishing one account, for a name that is none: so that a
 * lockout takes as long whether the name exists or not.  That holds only if a
 * lockout of an account that turns out to be UNCHANGED, because it does not
 * hold from every source, is followed by this, too.
 */
void sr_publish_decoy(const char *dir, unsigned wait_ms);

/*
 * The facts of a gathered account as they are published: with the lock that
 * holds from every source.  *is_exempt: root, or a break-glass account.
 */
void sr_publish_facts(const struct sr_transaction *txn, struct sr_facts *facts,
                      bool *is_exempt);

/* Whether a name is root's, or that of a break-glass account, as far as can be
 * said without asking for its groups. */
bool sr_publish_is_exempt(const struct sr_config *config, const char *name);

#endif
