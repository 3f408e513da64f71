/*
 * History: has this password been used before?  One crypt(3) however long the
 * history is.
 *
 * Each account has one random history salt (a crypt(5) setting of its own,
 * apart from shadow's).  An entry is a 32-bit tag of the hash of a password
 * under that salt, made when the password is set and the clear text is
 * available. When the preferred method or cost of the system changes a new
 * group of entries begins; at most two groups are kept, so a check computes at
 * most two hashes.  A wrong refusal happens once in 2^32 / N checks.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_HISTORY_H
#define SR_POLICY_PASSWORD_HISTORY_H

#include "policy/decide/facts.h"
#include "policy/store/memory.h"

/* What a check computed, so that recording needs no second hash. */
struct sr_history_probe {
    char salt[SR_HISTORY_SALT_SIZE];
    uint32_t tag;
    bool is_valid;
};

/* True when no password is remembered. */
bool sr_history_is_empty(const struct sr_history *history);

enum sr_used {
    SR_USED_NO,
    SR_USED_YES,
    SR_USED_FAILED, /* crypt or the random source failed: refuse */
};

/*
 * Check `password` against the newest `remember` entries, not counting entries
 * set before `oldest` (wall clock; 0: all count).  With an empty history a salt
 * is made.  `probe` gets what sr_history_record() needs.
 */
enum sr_used sr_history_check(const struct sr_history *history,
                              const char *password, unsigned remember,
                              sr_time oldest, struct sr_history_probe *probe);

/* What a password is to a history. */
enum sr_history_place {
    SR_HISTORY_NEWEST,  /* its newest entry */
    SR_HISTORY_EARLIER, /* another entry */
    SR_HISTORY_ABSENT,
    SR_HISTORY_FAILED, /* crypt failed, or no longer has a method */
};

/* Find `password` in the history, whatever age the entries have.  At most two
 * hashes. */
enum sr_history_place sr_history_find(const struct sr_history *history,
                                      const char *password);

/*
 * Add the probed password as the newest entry, set at `now`, and drop entries
 * beyond `remember` and before `oldest`.  Call it only after the password has
 * been stored.
 */
void sr_history_record(struct sr_history *history,
                       const struct sr_history_probe *probe, unsigned remember,
                       sr_time oldest, sr_time now);

/* When the newest entry was set, wall clock; unknown: there is none. */
sr_time sr_history_last(const struct sr_history *history);

#endif
