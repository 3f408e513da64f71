/*
 * Account: everything that a decision about one account needs, read once for
 * one transaction: rules from the configuration, facts from a backend, and what
 * this host remembers from the store.  The interfaces call this and then a pure
 * function of decide/.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_ACCOUNT_H
#define SR_POLICY_ACCOUNT_ACCOUNT_H

#include "policy/account/context.h"
#include "policy/account/identity.h"
#include "policy/backend/backend.h"
#include "policy/decide/change.h"
#include "policy/config/settings.h"
#include "policy/decide/lockout.h"
#include "policy/decide/source.h"
#include "policy/report/event.h"
#include "policy/report/message.h"
#include "policy/store/memory.h"
#include "policy/throttle/shared_ledger.h"

struct sr_transaction {
    const struct sr_config *config; /* not owned */
    struct sr_context context;      /* filled in by the interface */
    struct sr_rules rules;          /* for this account and service */
    struct sr_account *account;     /* NULL unless ask is SR_STATUS_OK */
    struct sr_backend last;         /* the backend that was asked last */
    struct sr_connections
        *connections; /* of the backends, over several calls */
    bool owns_link;
    const char *only; /* the one backend that is asked, or NULL; not owned */
    enum sr_status ask;
    enum sr_store_result store; /* what sr_transaction_recall() met */

    /* Who it is: the backend's spelling of the account's name; else the name
     * service's; else what was typed, cut to size.  A name that exists nowhere
     * has the uid (uid_t)-1. */
    char name[SR_NAME_MAX + 1];
    uid_t uid;
    struct sr_nss_account nss; /* the name service's answer, if asked */
    bool has_asked_nss;
    int64_t looked_up; /* when, CLOCK_BOOTTIME, microseconds */
    uint64_t sequence; /* wall clock in nanoseconds before that, for what is
                          published */

    /* From sr_transaction_recall(), which the facts know nothing of: what this
     * host and what all hosts have counted; and what comes of that and of the
     * backend's own lock: for the source of this login, and from every source.
     */
    bool has_recalled; /* the three below are known */
    struct sr_lockouts host;
    struct sr_lockout lockout;
    struct sr_lockout everywhere;
    struct sr_lockouts shared; /* its caller asks */
    bool has_temporary;        /* a temporary password is in use */
    char another[80];   /* a backend has an account of this name that is not the
                         * one of this host: why; empty: none */
    char damage[96];    /* a damaged file of the state; empty: none was met */
    bool has_old_state; /* an older version's database is not taken over yet */
    char reason[SR_ERROR_TEXT_SIZE]; /* why a part could not be asked, */
    enum sr_error_code why;          /* and the kind of that error */
};

/*
 * Look up rules and account.  `name` is as typed; `service` selects
 * expired_services; `backend` (or NULL) asks only the backend of that name.
 * Returns the same as out->ask: UNKNOWN_NAME when no backend knows the name
 * (the rules are then those of an account in no group), UNAVAILABLE when a
 * backend could not be asked (never UNKNOWN_NAME in that case: it might be its
 * account).
 *
 * A name found as it stands in /etc/passwd is canonical.  For any other the
 * name service is asked once, and the account is looked up by the name that it
 * answers; by the unqualified part of that name, too, where the uid is the
 * same; and by that uid, where the backend has uids.
 *
 * An account of a directory is not one of this host when the name service has
 * another uid for its name: otherwise those who may add entries there could be
 * any user here. It is skipped, and `another` says why.  End the
 * transaction with sr_transaction_end() whatever was returned.
 */
enum sr_status sr_transaction_begin(const struct sr_config *config,
                                    const char *name, const char *service,
                                    const char *backend,
                                    struct sr_transaction *out);

/* The same over connections of the caller's, which several calls share. */
enum sr_status sr_transaction_begin_with(const struct sr_config *config,
                                         struct sr_connections *connections,
                                         const char *name, const char *service,
                                         const char *backend,
                                         struct sr_transaction *out);

/* Whether the account is one of a configured backend. */
bool sr_transaction_is_ours(const struct sr_transaction *txn);

/* The text for an account that cannot be asked, or a password that cannot be
 * verified. */
enum sr_text sr_transaction_outage(const struct sr_transaction *txn);

/* And the event. */
enum sr_event_id sr_transaction_outage_event(const struct sr_transaction *txn);

/* Whether the account was just looked up, so that nothing is looked up
 * twice where an answer came at once. */
bool sr_transaction_is_fresh(const struct sr_transaction *txn);

/*
 * Ask the account's backend again: time has passed, at a prompt.  The rules
 * stay; what was remembered has to be added again.  Returns the same as
 * txn->ask, which may have become UNKNOWN_NAME or UNAVAILABLE (the account is
 * then NULL); what was not OK before is unchanged.
 */
enum sr_status sr_transaction_refresh(struct sr_transaction *txn);

/* The backend has found out that it has no such account: as if it had answered
 * so when it was looked up.  Another module can have one. */
void sr_transaction_set_absent(struct sr_transaction *txn);

/*
 * Send an event about the transaction's account.  A name is logged only when it
 * exists.  `code` is the interface's number of the answer, -1: none; cause and
 * result may be NULL.
 */
void sr_transaction_event(const struct sr_transaction *txn, enum sr_event_id id,
                          const char *result, const char *cause, int code);

/* The interface's number of an answer, for events; -1: none. */
int sr_transaction_code(const struct sr_transaction *txn,
                        enum sr_answer answer);

/* What messages need to know; without `change`. */
struct sr_message_context
sr_transaction_message(const struct sr_transaction *txn);

/* The verdict on the account for a caller, now.  The account must be known. */
struct sr_verdict sr_transaction_verdict(const struct sr_transaction *txn,
                                         const struct sr_caller *caller);

/* Send the event that belongs to a verdict, when it is one to be recorded. */
void sr_transaction_verdict_event(const struct sr_transaction *txn,
                                  const struct sr_verdict *verdict, int code);

/*
 * Add what this host remembers: the end of the temporary password to the facts,
 * and the lockouts of this host, and of all hosts as far as txn->shared knows
 * them.  txn->lockout is for `source`; without a source (NULL) it is the
 * backend's own.  A temporary password whose hash is no longer
 * the account's has ended and is left out.  `statedir` NULL: the built-in one.
 * On any result but OK the login must be refused; txn->reason says why.
 */
enum sr_store_result sr_transaction_recall(struct sr_transaction *txn,
                                           const char *statedir,
                                           const struct sr_source *source);

/* The same from a store that is open; `store` NULL: nothing was ever
 * remembered.  txn->reason is unchanged. */
enum sr_store_result sr_transaction_recall_in(struct sr_transaction *txn,
                                              struct sr_store *store,
                                              const struct sr_source *source);

/* Under which identity this host keeps state of it; the uid must be known. */
struct sr_identity sr_transaction_identity(const struct sr_transaction *txn);

/* The facts that a verdict is about: the backend's, and as their lock
 * txn->lockout.  The account must be known. */
struct sr_facts sr_transaction_facts(const struct sr_transaction *txn);

/*
 * Compute txn->everywhere anew: something has become known of what all hosts
 * have counted.  `claimed` is for the classes of which nothing is known, see
 * sr_lockout_everywhere().
 */
void sr_transaction_merge_lockouts(struct sr_transaction *txn,
                                   struct sr_lockout claimed);

/*
 * Add the end of the temporary password, found elsewhere
 * (sr_attempt_temporary); unknown: there is none.  What is left of
 * sr_transaction_recall() without a source.
 */
void sr_transaction_set_temporary(struct sr_transaction *txn, sr_time until);

/*
 * Find it.  `is_known`: for the account that was gathered; otherwise for a name
 * that no backend knows, which is counted by the first backend that counts.
 * `only` is the one backend that is asked, or NULL.
 */
struct sr_shared_ledger sr_shared_ledger(const struct sr_transaction *txn,
                                         bool is_known, const char *only);

/*
 * Read both ledgers of the account that was gathered, with a search each,
 * for txn->shared.  On any answer but OK it has no lockout, and
 * `reason` says why.
 */
enum sr_status sr_shared_locks_find(const struct sr_shared_ledger *way,
                                    struct sr_transaction *txn, char *reason,
                                    size_t size);

/*
 * Add what all hosts have counted for the class of `source` to txn->shared,
 * txn->lockout and txn->everywhere.
 * `statedir` NULL: the built-in one.  On any answer but OK the facts are as
 * they were, and `reason` says why.
 */
enum sr_status sr_shared_facts(const struct sr_shared_ledger *way,
                               struct sr_transaction *txn, const char *statedir,
                               const struct sr_source *source, char *reason,
                               size_t size);

/*
 * Who would change the password: root without a forced change is an
 * administrator; the real uid and a session record (session.h) prove that the
 * owner is logged on, which is asked for only where the rules demand it.
 * `forced` is PAM_CHANGE_EXPIRED_AUTHTOK.  The account must be known.
 */
struct sr_caller sr_transaction_caller(const struct sr_transaction *txn,
                                       bool forced);

/* Free what was gathered, wiping secrets. */
void sr_transaction_end(struct sr_transaction *txn);

#endif
