/*
 * Ctl: what the commands of selfresetctl share: the configuration, an account,
 * the store, events and publishing.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CTL_H
#define SR_TOOLS_CTL_H

#include "policy/account/account.h"
#include "policy/decide/verdict.h"
#include "policy/publish/writer.h"
#include "policy/report/event.h"
#include "policy/report/message.h"
#include "policy/throttle/attempt.h"
#include "tools/command.h"
#include "tools/output.h"

/* How long a command waits for the store's lock. */
#define CTL_STORE_WAIT_MS 10000

/* A login by the owner, who is not logged on yet. */
extern const struct sr_caller ctl_at_login;

/* Load the configuration; on false ctl->exit and every error on stderr. */
bool ctl_load(struct ctl *ctl);

/*
 * Look an account up: rules and the backend's facts.  Returns CTL_OK, or an
 * exit code after saying why on stderr.  End with sr_transaction_end() always.
 */
int ctl_transaction_begin(struct ctl *ctl, const char *name,
                          const char *service, struct sr_transaction *txn);

/* The same of an account that sr_transaction_begin() has looked up. */
int ctl_transaction_status(enum sr_status ask, const char *name,
                           const struct sr_transaction *txn);

/* Whether the rules let an administrator change the account here: CTL_OK, or
 * CTL_REFUSED after saying why. */
int ctl_admit(const struct ctl *ctl, const struct sr_transaction *txn);

/* Open the store; CTL_OK, or CTL_FAILED after saying why.  A store that was
 * never written is CTL_OK and NULL when it is only to be read. */
int ctl_store(bool write, struct sr_store **store);

/* Say what the store said. */
void ctl_store_error(const struct sr_store *store, enum sr_store_result result);

/* For __attribute__((cleanup)). */
void ctl_store_close(struct sr_store **store);

/* The attempts from one class of sources, as they are now. */
struct ctl_ledger {
    unsigned failures;         /* slots that failures have consumed */
    unsigned attempts;         /* slots in all; 0: not throttled */
    uint32_t in_a_row;         /* failures since the last right password */
    struct sr_lockout lockout; /* none: not locked out */
};

/* What this host remembers of an account besides the facts. */
enum { CTL_STRANGERS, CTL_FAMILIAR, CTL_OWN, CTL_LEDGERS };
struct ctl_remembered {
    /* Of familiar sources, which have a ledger each, the fullest. */
    struct ctl_ledger ledger[CTL_LEDGERS];
    struct sr_notice notice;
};

/*
 * Read all ledgers and what is remembered.  txn->lockout is then the strongest
 * of all lockouts, whatever source they are for.
 */
int ctl_remembered(struct sr_transaction *txn, struct ctl_remembered *out);

/* Empty all ledgers of an account; *found is whether there was one.  CTL_OK,
 * or CTL_FAILED after a message. */
int ctl_drop_ledgers(const struct sr_identity *id, bool *found);

/* A lockout that does not hold for some sources. */
struct ctl_partial {
    const char *of; /* "strangers" or "familiar"; NULL: there is none */
    sr_time until;
};

/*
 * After ctl_remembered() and what other hosts have counted: a lockout that does
 * not hold for every source is taken out of the facts, and written to *out.
 */
void ctl_take_partial(struct sr_transaction *txn,
                      const struct ctl_remembered *remembered,
                      struct ctl_partial *out);

/* How the account's password cannot be used: "locked" by passwd -l, "none"; or
 * NULL: it can, or that is not known. */
const char *ctl_no_password(const struct sr_account *account);

/*
 * Whether a uid is one of the system's: below 1000, and from 60000 to 65535,
 * where distributions have further ones of their own, and nobody.
 */
bool ctl_is_system(uid_t uid);

/*
 * Send an event about an account (facts may be NULL), by the user who
 * runs this program.
 */
void ctl_event(enum sr_event_id id, const struct sr_facts *facts,
               const char *source, bool is_ok, const char *cause);

/* The same with the reference that a message to the user has. */
void ctl_event_of(enum sr_event_id id, const struct sr_facts *facts,
                  const char *source, bool is_ok, const char *cause,
                  const char *ref);

/*
 * Publish what the rest of the system sees of an account that was changed, or
 * say that it could not be done: the change itself has been made.
 */
void ctl_publish(const struct ctl *ctl, const char *name);

/* What sr_message_*() want to know. */
struct sr_message_context ctl_say(const struct ctl *ctl);

#endif
