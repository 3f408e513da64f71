/*
 * Run: one run of a flow: who talks, about which account, and what the parts of
 * a flow share.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_RUN_H
#define SR_POLICY_RESET_RUN_H

#include "policy/account/account.h"
#include "policy/reset/code.h"
#include "policy/reset/enrolment.h"
#include "policy/reset/talk.h"

/* run->why_not where that is all: too few gates are set up. */
#define SR_RUN_TOO_FEW "SR-2006 not-enrolled"

struct sr_run {
    const struct sr_reset_peer *peer;
    const struct sr_reset_talk *talk;
    struct sr_config *config;
    struct sr_transaction txn;
    char ref[SR_CODE_SIZE];
    char host[65];
    char typed[32];         /* what was typed as the name, or its begin */
    struct sr_store *store; /* of self-service reset, to write */
    bool is_gone;           /* the person has left */
    bool has_queued;        /* messages, which are to be sent */
    pid_t sender;           /* the process that sends; 0: none */
    bool is_own;            /* a flow of a user who is logged in */
    bool is_counting;       /* of an account that is known, and nothing is
                               changed at its backend: none is asked whether it
                               is there and takes changes */
    bool is_unsure;         /* something was changed, or may have been */

    /* From sr_run_account(). */
    int64_t since;   /* sr_clock_milliseconds(), from which on it can depend on
                        the name how long something takes */
    bool is_partial; /* a directory is away, and only accounts of this host go
                        on, each as one of reset.administrators: of which groups
                        of the directory it is a member cannot be found out */
    const char *obstacle; /* why its state or the rules forbid a reset */
    const char *why_not;  /* the same, or that too few gates are set up: an id
                             and a word for events; NULL: it may be reset */
    /* What its directory has against it, and that it could not be asked. */
    char admission[SR_ERROR_TEXT_SIZE + 9];
    bool is_away;
    unsigned proofs;  /* how many it needs, of different classes */
    bool is_admin;    /* one of reset.administrators, or treated so */
    unsigned offered; /* gates that any account may use, bit by enum */
    unsigned allowed; /* those that the account's rules allow */
    unsigned proved;  /* gates that were proved in this run */
    char used_code_text[SR_USED_MAX]; /* which recovery code was used; empty:
                                         none */
    char resume[SR_HASH_MAX]; /* of the code to go on with this reset, which was
                                 shown; empty: none was */
    sr_time until; /* ledger time; then a reset with proofs has ended; 0:
                      it has none */
    char words[SR_WORDS_MAX];          /* of the ticket that was used */
    char number[SR_NUMBER_LENGTH + 1]; /* of this dialogue, for push messages;
                                          empty: there is none yet */
};

/*
 * Begin: configuration, reference, store.  False after saying why not, also
 * where self-service reset is switched off.  End with sr_run_end() always.
 */
bool sr_run_begin(struct sr_run *run, const struct sr_reset_peer *peer,
                  const struct sr_reset_talk *talk);
void sr_run_end(struct sr_run *run);

/*
 * Look the account up, and find out whether it may be reset and by which gates.
 * False: a backend cannot be asked or takes no changes, after saying so; that
 * is answered for every name alike.  Where local accounts are looked up first,
 * and no group that may be a directory's decides about resets, only that is
 * said, for every name alike, and these go on; to all others happens what
 * happens to names that do not exist, as to a name alone of which a backend
 * cannot say what it has to.
 *
 * An own flow (is_own) has no name to hide: an account that is found goes on,
 * and an entry that cannot be read is said.  With is_counting only the backend
 * of the account need be there.
 */
bool sr_run_account(struct sr_run *run, const char *name);

/*
 * Why the state of the account, as it was read last, the rules or a report of
 * its owner forbid a reset; NULL: they do not.  Uses the configuration, the
 * transaction and the store, and sets run->proofs.
 */
const char *sr_run_obstacle(struct sr_run *run);

/*
 * Whether the account, as it was read last, may still be reset: an
 * administrator may have disabled or protected it since, and its owner reported
 * a reset.  False after an event and saying so.
 */
bool sr_run_may_still(struct sr_run *run);

/*
 * A run about another account, for this one's person and with its reference;
 * end its transaction.  Whether there is one is said by sr_run_obstacle(),
 * which then asks no backend whether it takes changes.
 */
void sr_run_other(const struct sr_run *run, const char *name,
                  struct sr_run *other);

/*
 * Change the enrolment of the account that `of` is about, which is this run or
 * one of sr_run_other(); see sr_enrolment_change().  False after an event and
 * saying that it could not be stored: what `change` has put into `context` does
 * not count then.
 */
bool sr_run_change(struct sr_run *run, const struct sr_run *of,
                   bool (*change)(void *context, struct sr_enrolment *enrolment,
                                  const struct sr_account_time *time),
                   void *context);

/* Whether the account has enough for a reset, by its enrolment. */
bool sr_run_has_enough(const struct sr_run *run,
                       const struct sr_enrolment *enrolment,
                       const struct sr_account_time *time);

/* The account; for a name that does not exist one that no account can be. */
struct sr_identity sr_run_identity(const struct sr_run *run);

/* Show a text, folded; the second one frees a text that may be NULL. */
void sr_run_say(struct sr_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sr_run_pass_on(struct sr_run *run, char *text);

/* Ask; NULL: the person is gone.  Free with sr_run_wipe(). */
char *sr_run_ask(struct sr_run *run, bool is_shown, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sr_run_wipe(char **answer);

/* Ask for a public key (`key` and `line` NULL) or a signature, which the
 * person's ssh-agent may answer; see talk.h.  NULL: the person is gone. */
char *sr_run_ask_agent(struct sr_run *run, const char *prompt, const char *key,
                       const char *line);

/* Wait until lockout.delay has passed since then (sr_clock_milliseconds()): how
 * long the work took does not tell what it was. */
void sr_run_keep_floor(const struct sr_run *run, int64_t since);

/* Ask for a number from 1 to `most`; 0: gone. */
unsigned sr_run_choose(struct sr_run *run, unsigned most);

/* Send an event of the flow. */
void sr_run_event(struct sr_run *run, enum sr_event_id id, bool is_ok,
                  const char *cause);

/* "Ask CONTACT. Reference REF." after a failure. */
void sr_run_say_help(struct sr_run *run);

/* Who can help. */
const char *sr_run_contact(const struct sr_run *run);

#endif
