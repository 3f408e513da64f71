/*
 * Watch: what hosts count together of the accounts that are published, and
 * which accounts have to be published anew because it has changed.
 *
 * The ledgers of a backend are read in one pass.  For who stays, the accounts
 * that were published are noted, each with its rules and the lockouts that were
 * published of it; a later pass says which of them are out of date.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_LEDGER_WATCH_H
#define SR_NSS_LEDGER_WATCH_H

#include "policy/account/account.h"
#include "policy/throttle/shared_scan.h"

/* So often ledgers are read by who stays, in seconds; and no more entries in a
 * second than that. */
#define WATCH_PAUSE_S    5
#define WATCH_PER_SECOND 1000

struct watch; /* opaque */

/* Make one; whether accounts are noted is up to `stays`.  NULL: out of memory.
 */
struct watch *ledger_watch_new(const struct sr_config *config, bool stays);
void ledger_watch_free(struct watch *watch); /* NULL is allowed */

/* Whether there is a backend that counts for all hosts. */
bool ledger_watch_is_needed(const struct watch *watch);

/* All accounts are about to be published: forget those that there were. */
void ledger_watch_forget(struct watch *watch);

/*
 * Read the ledgers of a backend, if it counts.  When it cannot be asked, false:
 * its ledgers lock nobody out then.  That is said, and logged, when it was not
 * said already.
 */
bool ledger_watch_read(struct watch *watch, const char *backend);

/*
 * Have who->fleet say what the ledgers that were read last say of an account
 * that is about to be published, and note it.  False: out of memory.
 */
bool ledger_watch_add(struct watch *watch, struct sr_transaction *txn);

/*
 * Read all ledgers anew, and tell of every account that something else is to be
 * published of now.  Returns how many entries there are; -1 when a backend
 * could not be asked, of whose accounts nothing is told then.  *is_back: one
 * could be asked again that could not be before.
 */
int64_t ledger_watch_look(struct watch *watch, bool *is_back,
                          void (*changed)(void *context, const char *name),
                          void *context);

#endif
