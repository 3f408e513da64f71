/*
 * Writer: publishes the state of one account.
 *
 * Under the directory (SR_PUBLISHED_DIR):
 *
 *   groups.snap, groups.d/   the groups view, all accounts
 *   shadow.snap, shadow.d/   the shadow view, accounts of directories
 *   lock                     mode 0600, locked exclusively by writers
 *
 * A snapshot is written under another name, with its final mode, synced, and
 * renamed over the old one; a delta is a symbolic link that is renamed in the
 * same way.  A process that is killed at any instruction leaves the old state
 * or the new one; the next snapshot removes the files that it left.  The lock
 * covers a delta together with the mark of its bucket in both snapshots, and a
 * snapshot together with the marks of the deltas that are newer than it; deltas
 * that are not newer are removed.  It is an open-file-description lock; waiting
 * for it is bounded, and its owner is protected by policy/util/signal_guard.h.
 *
 * Nothing is done unless the directory exists: on a host without the NSS module
 * publishing costs one open(2).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_WRITER_H
#define SR_POLICY_PUBLISH_WRITER_H

#include "policy/account/account.h"
#include "policy/config/settings.h"
#include "policy/publish/directory.h"
#include "policy/publish/reader.h"

/* While this file exists, selfreset-publish.path starts a run of all accounts;
 * a run removes it before it reads anything. */
#define SR_PUBLISH_DUE SR_RUNDIR "/changed"

/* Now, as a sequence: wall clock in nanoseconds. */
uint64_t sr_publish_sequence(void);

/* ---- one account */

/*
 * Publish an account that was looked up (txn->ask is SR_STATUS_OK, and
 * sr_transaction_recall() was called) as a delta in its views, unless the same
 * is published already.  `sequence` is from before the facts were read, so that
 * older facts never replace newer ones.  The lock in the facts is replaced by
 * the one that holds from every source (txn->everywhere): wrong passwords of
 * strangers must not lock out the owner at a familiar source.
 * Where txn->shared is not known, the lockout that is published already stays:
 * a login asks the shared ledger for its own class of sources only.  `reason`
 * (size bytes) is filled in on FAILED.
 */
enum sr_publish_result sr_publish_gathered(const char *dir,
                                           const struct sr_transaction *txn,
                                           uint64_t sequence, unsigned wait_ms,
                                           char *reason, size_t size);

/*
 * Look an account up and publish it, or that it is gone when no backend has the
 * name; UNCHANGED for a name that cannot be published; when a backend could not
 * be asked its state is unknown.  `connections` NULL: it makes its own;
 * `statedir` NULL: the built-in one.  `shared` has the lockouts of the shared
 * ledger; NULL: that is asked too, and when it cannot be read, the lockouts of
 * this host are published, and `reason` says so on OK and UNCHANGED.
 */
enum sr_publish_result sr_publish_account(const struct sr_config *config,
                                          struct sr_connections *connections,
                                          const struct sr_lockouts *shared,
                                          const char *dir, const char *statedir,
                                          const char *name, unsigned wait_ms,
                                          char *reason, size_t size);

/*
 * Do the work of publishing one account for a name that does not exist, so that
 * a lockout takes the same time for both.  A caller whose own account turned
 * out UNCHANGED, because its lockout does not hold from every source, calls
 * this too.
 */
enum sr_publish_result sr_publish_decoy(const char *dir, unsigned wait_ms);

/*
 * The facts of an account as they are published: with the lock that holds from
 * every source.  *is_exempt: root, or a break-glass account.
 */
void sr_publish_facts(const struct sr_transaction *txn, struct sr_facts *facts,
                      bool *is_exempt);

/* Whether a name is root or listed as a break-glass account; groups that are
 * listed are not asked. */
bool sr_publish_is_exempt(const struct sr_config *config, const char *name);

#endif
