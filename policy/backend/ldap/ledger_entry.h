/*
 * LDAP ledgers: the attributes of a failure that all hosts count, as
 * pure functions that can be tested by themselves.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_LEDGER_ENTRY_H
#define SR_POLICY_BACKEND_LDAP_LEDGER_ENTRY_H

#include "policy/backend/ldap/entry.h"
#include "policy/decide/shared_ledger.h"

/* What is asked for of an entry, ended by NULL; and of one whose ledger is not
 * known. */
extern const char *const sr_ldap_ledger_attributes[];
extern const char *const sr_ldap_ledger_scan_attributes[];

/* What the description of an entry in this state is: the number of the format,
 * and a word.  Constant. */
const char *sr_ldap_ledger_state(enum sr_shared_state state);

/* How far ahead of this host's clock the times of an entry may be (seconds).
 * The clocks of hosts and servers differ by less. */
#define SR_LDAP_LEDGER_AHEAD 86400

/*
 * Read an entry at `now`, this host's time.  False when it is not an entry of a
 * shared ledger: it lacks an attribute, its name is no id, or its times are
 * more than SR_LDAP_LEDGER_AHEAD ahead.  Such an entry counts for nothing.  One
 * whose state is not known is of a later version and counts as failed.
 */
bool sr_ldap_ledger_entry(const struct sr_ldap_entry *from, sr_time now,
                          struct sr_shared_entry *entry);

/* Whether a text names the ledger of an account. */
bool sr_ldap_ledger_is_account(const char *ledger);

/* The key as the description of its entry, and back; false when it is not a
 * key. */
#define SR_LDAP_LEDGER_KEY_SIZE 40
void sr_ldap_ledger_write_key(const uint8_t key[SR_SHARED_KEY_SIZE],
                              char text[SR_LDAP_LEDGER_KEY_SIZE]);
bool sr_ldap_ledger_read_key(const char *text, uint8_t key[SR_SHARED_KEY_SIZE]);

#endif
