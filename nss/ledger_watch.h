/*
 * Ledger watch: finds published accounts whose lockout in the shared ledger has
 * changed.
 *
 * The shared ledger of a backend is read in one pass.  For each account that
 * was published the rules and the lockouts are noted; a later pass finds those
 * that are out of date.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_LEDGER_WATCH_H
#define SR_NSS_LEDGER_WATCH_H

#include "policy/account/account.h"
#include "policy/throttle/shared_scan.h"

/* The seconds from one pass to the next; and a pass may read no more entries
 * for each second. */
#define WATCH_PAUSE_S    5
#define WATCH_PER_SECOND 1000

struct watch; /* opaque */

/* NULL: out of memory. */
struct watch *ledger_watch_new(const struct sr_config *config);
void ledger_watch_free(struct watch *watch); /* NULL is allowed */

/* Whether any backend has a shared ledger. */
bool ledger_watch_is_needed(const struct watch *watch);

/* Forget all accounts: all are about to be published. */
void ledger_watch_forget(struct watch *watch);

/* Note an account of a backend, by the name of its ledger, as it is published.
 * False: out of memory. */
bool ledger_watch_note(struct watch *watch, const char *backend,
                       const char *name, const struct sr_limits *limits,
                       const sr_time until[2]);

/* Note that the ledger of a backend could not be read, or could be (reason
 * NULL).  A change is printed and logged. */
void ledger_watch_set_away(struct watch *watch, const char *backend,
                           const char *reason);

/*
 * Fill in txn->shared from the last pass, for an account that is about to be
 * published, and note it.  False: out of memory.
 */
bool ledger_watch_add(struct watch *watch, struct sr_transaction *txn);

/*
 * Read all ledgers again and call `changed` for every account that has to be
 * published again.  Returns how many entries there are; -1 when a backend could
 * not be asked, whose accounts are then left out.  *is_back: a backend could be
 * asked again that could not be before.
 */
int64_t ledger_watch_look(struct watch *watch, bool *is_back,
                          void (*changed)(void *context, const char *name),
                          void *context);

#endif
