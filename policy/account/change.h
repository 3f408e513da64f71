/*
 * Change of a password: whether it may happen, and what follows once the new
 * password is known: check it, store it or pass it to the module that stores
 * it, verify that it is stored, remember it, end a temporary password and what
 * was counted against the old one, publish.  How passwords are asked for is
 * left to the interface.
 *
 * An interface calls, in this order: permit(), start(), judge() and store() for
 * each try, finish() when it is stored.  Texts for the user are returned as
 * new strings (NULL: none).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_CHANGE_H
#define SR_POLICY_ACCOUNT_CHANGE_H

#include "policy/account/account.h"
#include "policy/password/history.h"

/* Without pointers and without a password, so that it can be kept from the call
 * that passes a password to the call that finishes the change. */
struct sr_password_change {
    bool is_forced; /* only an expired password is to be changed */
    bool is_reset;  /* the owner has proved another thing than the password */
    struct sr_caller caller;   /* from permit() */
    struct sr_verdict verdict; /* from permit() */
    bool is_logged;            /* that it failed, and why */

    char name[SR_NAME_MAX + 1]; /* whose it is; from start() */
    uid_t uid;
    uint64_t before; /* keyed hash of the stored hash before the change */
    uint8_t key[16];
    struct sr_history_probe probe;
    struct sr_history_probe former; /* of the current password */
    struct sr_history history;      /* begun here, where there was none */
    bool is_stored;                 /* by the backend itself, in store() */
};

/*
 * Whether the password may be changed now: neither the account's state nor a
 * rule forbids it, and this host is able to check a new one.  Reads what this
 * host remembers, and leaves caller and verdict in *change.  SR_ANSWER_OK: it
 * may.  Otherwise the event was sent.  The account must be known.
 */
enum sr_answer sr_password_change_permit(struct sr_password_change *change,
                                         struct sr_transaction *txn,
                                         char **text);

/* Record once that the change failed. */
void sr_password_change_failed(struct sr_password_change *change,
                               const struct sr_transaction *txn,
                               const char *cause, enum sr_answer answer);

/*
 * Begin: remember what is replaced, and read the history, which begins with the
 * current password where there is none.  `old` NULL: not known.  A backend that
 * takes no changes now is asked, too, and whether this host is able to check a
 * new password.  SR_ANSWER_OK, or SR_ANSWER_NOT_CHANGED.
 */
enum sr_answer sr_password_change_start(struct sr_password_change *change,
                                        struct sr_transaction *txn,
                                        const char *old, char **text);

/* The rules and the backend's demands, before the prompt: two texts. */
void sr_password_change_rules(const struct sr_password_change *change,
                              const struct sr_transaction *txn, char **rules,
                              char **demands);

/*
 * Check a new password.  `tries_left` is what remains after it.  SR_ANSWER_OK
 * when it may be stored; a text is then advice to an administrator.
 * SR_ANSWER_TRY_AGAIN: it breaks a rule.  SR_ANSWER_NOT_CHANGED: this host
 * cannot check any.
 */
enum sr_answer sr_password_change_judge(struct sr_password_change *change,
                                        struct sr_transaction *txn,
                                        const char *old, const char *fresh,
                                        int tries_left, char **text);

/*
 * The new password took its time to be typed: read the account again, unless
 * that was just done.  What an administrator did in that time is not undone by
 * the owner.  SR_ANSWER_OK, or SR_ANSWER_NOT_CHANGED.
 */
enum sr_answer sr_password_change_check_again(struct sr_password_change *change,
                                              struct sr_transaction *txn,
                                              char **text);

/*
 * Store a new password, where the backend does that itself; otherwise another
 * module does.  What an administrator did while it was typed, a lock or a
 * reset, is not undone.  SR_ANSWER_OK; SR_ANSWER_TRY_AGAIN: the backend refused
 * this password, and another one may be accepted; else SR_ANSWER_NOT_CHANGED.
 */
enum sr_answer sr_password_change_store(struct sr_password_change *change,
                                        struct sr_transaction *txn,
                                        const char *old, const char *fresh,
                                        int tries_left, char **text);

/*
 * The password has been stored, by whichever module. Verify that; then
 * record the history, end a temporary password, forget what was counted against
 * the old password, send the event and publish.  False: it was not stored.
 * `txn` was begun after the password had been stored.
 */
bool sr_password_change_finish(struct sr_password_change *change,
                               struct sr_transaction *txn, const char *fresh,
                               char **text);

#endif
