/*
 * Shared ledger, for the commands: what a directory has counted of an account
 * for all hosts, and whether it can count.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_SHARED_LEDGER_H
#define SR_TOOLS_SHARED_LEDGER_H

#include "policy/throttle/shared_scan.h"
#include "tools/ctl.h"
#include "tools/check/findings.h"
#include "tools/report.h"

/* What was found of one account. */
struct shared_counts {
    bool is_there;                 /* a directory counts for it */
    bool is_failed;                /* but could not be asked */
    struct sr_shared_view view[2]; /* by enum sr_source_class */
    char reason[SR_ERROR_TEXT_SIZE];
};

/*
 * Look at both ledgers of the account.  When either is locked out the facts say
 * so, until the later end.  That a directory cannot be asked is said on stderr.
 */
void shared_look(struct sr_transaction *txn, struct shared_counts *out);

/*
 * The same by ledgers that were read for all accounts; NULL: nothing was read.
 */
void shared_look_in(struct sr_shared_scan *ledgers, sr_time now,
                    struct sr_transaction *txn);

/*
 * Read what other hosts have counted of all accounts of a backend, into
 * *ledgers, which is NULL when it does not count.  False: it could not be
 * asked, which is said on stderr.
 */
bool shared_read(const struct ctl *ctl, const char *backend,
                 struct sr_shared_scan **ledgers);

/* In a report: the ledgers. */
void shared_report(struct report *report, const struct sr_transaction *txn,
                   const struct shared_counts *shared);

/* In a report: where the ledger of all hosts is kept, if there is one. */
void shared_report_place(struct report *report,
                         const struct sr_transaction *txn);

/* Delete all failures of the account; CTL_OK, or CTL_PARTLY after saying why,
 * because those of this host have been dropped before. */
int shared_clear(const struct sr_transaction *txn);

/*
 * Try by effect what is done in the container of a backend, if it has one, on
 * an entry that is of no account.  The findings say what is wrong.
 */
void shared_check(const struct sr_backend *backend,
                  struct sr_connections *connections, bool is_wanted,
                  struct findings *findings);

#endif
