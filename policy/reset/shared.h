/*
 * Shared: an account file (account_file.h) that a directory keeps for all hosts
 * (reset.store = ldap), as a record (backend.h).
 *
 * The record is the version of the format, a blank, and base 64 of the sealed
 * image of the structure.  The key of seals is the same on all hosts; the
 * record's name is a hash under it of backend, name and uid, so the directory
 * does not show whose it is, and the image is bound to that name.  Its times
 * are by the wall clocks of the hosts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_SHARED_H
#define SR_POLICY_RESET_SHARED_H

#include "policy/account/account.h"
#include "policy/reset/seal.h"
#include "policy/store/account_file.h"

/* Whether the files of this backend's accounts are kept so. */
bool sr_shared_is(const struct sr_config *config, const char *backend);

/*
 * As sr_account_file_get() and sr_account_file_change(), for a transaction's
 * account, of such a backend; also AWAY, and SEALED for a record that this
 * host's key does not open, or that another program or a later version has
 * written.  Both send an event.
 */
enum sr_store_result sr_shared_get(struct sr_store *store,
                                   const struct sr_account_file *kind,
                                   const struct sr_transaction *txn, void *body,
                                   struct sr_account_time *time);
enum sr_store_result
sr_shared_change(struct sr_store *store, const struct sr_account_file *kind,
                 const struct sr_transaction *txn, void *body,
                 bool (*change)(void *context, void *body,
                                const struct sr_account_time *time),
                 void *context);

/* Delete it, whatever it is. */
enum sr_store_result sr_shared_drop(struct sr_store *store,
                                    const struct sr_transaction *txn);

/*
 * Whether a backend keeps no such files, or can be asked for those that it
 * keeps: by one that is not there, whatever the name is.  False: `error` says
 * why.
 */
bool sr_shared_can_ask(const struct sr_config *config,
                       struct sr_connections *connections, const char *backend,
                       struct sr_error *error);

/*
 * Pass on each record of a backend, at most 10000: OK and its structure, which
 * is in `body`, room for one; VERSION: of an older version, which only its
 * account opens; or SEALED.  False: they cannot be read, or not all; `error`
 * says why.  True for a backend that keeps none.
 */
bool sr_shared_each(struct sr_store *store, const struct sr_account_file *kind,
                    const struct sr_config *config, const char *backend,
                    void *body,
                    void (*visit)(void *context, enum sr_store_result result,
                                  const void *body),
                    void *context, struct sr_error *error);

/* The text of a record, a new string, or NULL: out of memory; and back: OK,
 * SEALED or FAILED (out of memory). */
char *sr_shared_write(const uint8_t key[SR_SEAL_KEY],
                      const struct sr_account_file *kind,
                      const struct sr_identity *id, const void *body);
enum sr_store_result sr_shared_read(const uint8_t key[SR_SEAL_KEY],
                                    const struct sr_account_file *kind,
                                    const struct sr_identity *id,
                                    const char *text, void *body);

#endif
