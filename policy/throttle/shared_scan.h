/*
 * Ledgers: what all hosts have counted of all accounts, from one pass over the
 * entries in a directory; for callers that report many accounts.
 *
 * Which failures lock an account out depends on its rules, and the name of a
 * ledger does not show whose it is.  So entries are kept, some sixty bytes
 * each, and a ledger is evaluated when its account is known.  There is room for
 * SR_SHARED_SCAN_MAX; a directory that has more cannot be asked.  An entry
 * that is returned twice, since it changed between two pages, counts once.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_THROTTLE_SHARED_SCAN_H
#define SR_POLICY_THROTTLE_SHARED_SCAN_H

#include "policy/decide/lockout.h"
#include "policy/throttle/shared_ledger.h"

#define SR_SHARED_SCAN_MAX ((size_t)1 << 19)

struct sr_shared_scan; /* opaque */

/*
 * Read all of them.  On SR_STATUS_OK *ledgers is new; free it.  On any other
 * answer it is NULL, and `reason` says why.
 */
enum sr_status sr_shared_scan_read(const struct sr_shared_ledger *way,
                                   struct sr_shared_scan **ledgers,
                                   char *reason, size_t size);

/* NULL is allowed. */
void sr_shared_scan_free(struct sr_shared_scan *ledgers);

/* How many entries there are. */
size_t sr_shared_scan_count(const struct sr_shared_scan *ledgers);

/*
 * Until when an account is locked out by them, as by sr_shared_look(), when
 * this host's clock shows `wall`.  NULL: could not be asked, so it is not.
 */
void sr_shared_scan_locks(struct sr_shared_scan *ledgers, const char *name,
                          const struct sr_limits *limits, sr_time wall,
                          struct sr_lockouts *locks);

/* ---- the parts of reading */

/* Empty ones, of entries that may be pending so long.  NULL: out of memory. */
struct sr_shared_scan *sr_shared_scan_new(int64_t lifetime);

/*
 * Add an entry, as `take` of struct sr_shared_request.  A ledger that is no
 * account's is skipped.  UNAVAILABLE: there are too many.
 */
enum sr_status sr_shared_scan_add(void *ledgers, const char *ledger,
                                  const struct sr_shared_entry *entry);

/* All have been added; nothing is found before. */
void sr_shared_scan_sort(struct sr_shared_scan *ledgers);

#endif
