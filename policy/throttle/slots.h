/*
 * Slots: who is verifying a password right now, as locks and stamps in the file
 * RUNDIR/slots.
 *
 * Each ledger has SR_ATTEMPTS_MAX stamps of four bytes at an offset that is its
 * own.  A process that verifies holds an open-file-description lock on one
 * stamp and has written the ledger time into it; when it dies the lock goes and
 * the stamp stays.  So a stamp that is not zero and not locked is a
 * verification that nobody settled, and says when it began.
 *
 * The file is sparse: 4 MiB for unknown names, 4 MiB for sources, and 512 bytes
 * for each uid that was ever tried, at most.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_THROTTLE_SLOTS_H
#define SR_POLICY_THROTTLE_SLOTS_H

#include "policy/store/store.h"

/* A stamp; 0: nobody verifies.  Ledger time modulo 2^32, never 0. */
typedef uint32_t sr_stamp;

/*
 * Open RUNDIR/slots (NULL: the built-in directory), making what is missing.
 * Returns the descriptor or a negative errno (-EPERM: not root's own).
 */
int sr_slots_open(const char *rundir);

/*
 * Try to lock a slot of a ledger.  Returns 1 when it is ours now, 0 when
 * another holds it, or a negative errno.  A slot that this descriptor holds
 * already is had again.
 */
int sr_slots_take(int fd, const struct sr_ledger_key *key, unsigned slot);

/* Give one slot back; the stamp stays as it is. */
void sr_slots_give(int fd, const struct sr_ledger_key *key, unsigned slot);

/*
 * Give every slot back and close.  (Closing alone would leave the locks to a
 * process that was forked meanwhile.)
 */
void sr_slots_close(int fd);

/* Which of the slots in `mask` others hold, as a mask; 0 on any error. */
uint64_t sr_slots_held(int fd, const struct sr_ledger_key *key, uint64_t mask);

/* Read and write the stamp of a slot that is held, under a shield (a limit on
 * the size of files raises a signal).  0 or a negative errno. */
int sr_slots_read(int fd, const struct sr_ledger_key *key, unsigned slot,
                  sr_stamp *stamp);
int sr_slots_write(int fd, const struct sr_ledger_key *key, unsigned slot,
                   sr_stamp stamp);

/*
 * Wipe the stamps that nobody holds in the slots of `count` ledgers, of which
 * `first` is the first: where the ledgers are dropped, their stamps go before
 * them, within the same write transaction, or the next attempt would take them
 * for verifications that died, and record them anew.  Without slots there are
 * none; slots that cannot be read stop logins, so there is no error to tell.
 */
void sr_slots_forget(const struct sr_ledger_key *first, uint32_t count);

/* The stamp of a ledger time, and the ledger time, at most `now`, of a stamp.
 */
sr_stamp sr_slots_stamp(sr_time now);
sr_time sr_slots_time(sr_stamp stamp, sr_time now);

#endif
