/*
 * Registry: from a configured name to a backend's operations, and the state
 * that backends keep from one call to the next.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_REGISTRY_H
#define SR_POLICY_BACKEND_REGISTRY_H

#include "policy/backend/backend.h"

/*
 * The states of the backends over the calls of one transaction, such as open
 * connections.  The caller has one for each transaction, and makes it before it
 * verifies a password: sr_call.is_by_user is from the real uid at that time.
 */
struct sr_connections *sr_connections_new(void); /* NULL: out of memory */

/*
 * End all connections and free them; NULL is allowed.  In a fork of the process
 * that made them nothing is sent.
 */
void sr_connections_free(struct sr_connections *connections);

/*
 * Whether the calling function needs no facts of an account before it has
 * verified a password; false at first.  NULL is allowed.
 */
void sr_connections_expect_password(struct sr_connections *connections,
                                    bool expects);
bool sr_connections_expects_password(const struct sr_connections *connections);

/*
 * Nothing will be asked soon: a session can last for days, and should not keep
 * a server's connection open for so long.  NULL is allowed.
 */
void sr_connections_idle(struct sr_connections *connections);

/*
 * Find the backend of a configured name, which `backend` refers to afterwards,
 * and load its module.  Returns 0; or -1 when it cannot be used, and `error`
 * says why.
 */
int sr_backend_find(const struct sr_config *config, const char *name,
                    struct sr_backend *backend, struct sr_error *error);

/* The operations of struct sr_backend_ops, with the state of the transaction.
 * Each clears call->error first. */
enum sr_status sr_backend_look_up(struct sr_call *call, const char *name,
                                  const struct sr_rules *rules,
                                  struct sr_account **account);
/* UNKNOWN_NAME also where this kind of backend has no uids. */
enum sr_status sr_backend_name_of(struct sr_call *call, uid_t uid,
                                  const char *known_as,
                                  char name[SR_NAME_MAX + 1]);
enum sr_verify_result sr_backend_verify(struct sr_call *call,
                                        struct sr_account *account,
                                        const char *password, bool allow_empty);
enum sr_write sr_backend_may_change(struct sr_call *call,
                                    struct sr_account *account,
                                    enum sr_refusal *refusal);
enum sr_write sr_backend_change(struct sr_call *call,
                                struct sr_account *account, const char *old,
                                const char *password, enum sr_refusal *refusal);
enum sr_status sr_backend_enumerate(struct sr_call *call,
                                    const struct sr_visitor *visitor);
enum sr_write sr_backend_administer(struct sr_call *call,
                                    struct sr_account *account,
                                    enum sr_order order, const char *password,
                                    enum sr_refusal *refusal);
enum sr_status sr_backend_hand_over(struct sr_call *call,
                                    const struct sr_account *account,
                                    char **handle);
void sr_backend_drop(struct sr_call *call, const struct sr_account *account,
                     const char *handle);
enum sr_status sr_backend_establish(struct sr_call *call,
                                    const struct sr_account *account,
                                    const struct sr_credential_want *want,
                                    char **name);
enum sr_status sr_backend_destroy(struct sr_call *call,
                                  const struct sr_account *account, gid_t gid,
                                  const char *name);
enum sr_write sr_backend_rotate(struct sr_call *call, bool is_trial);
enum sr_status sr_backend_survey(struct sr_call *call,
                                 struct sr_survey *survey);
enum sr_status sr_backend_shared_ledger(struct sr_call *call,
                                        struct sr_shared_request *request);
enum sr_status sr_backend_record(struct sr_call *call,
                                 struct sr_record_request *request);
enum sr_status sr_backend_records(struct sr_call *call,
                                  struct sr_records_request *request);
enum sr_status sr_backend_values(struct sr_call *call,
                                 const struct sr_account *account,
                                 const struct sr_string_list *attributes,
                                 size_t most, struct sr_string_list *values);

#endif
