/*
 * Enrolment: what is kept of one account for self-service reset: its gates, and
 * a ticket of the helpdesk.
 *
 * One file for each account (account_file.h) in a store of this host's,
 * STATEDIR/reset, which also has the ledgers of gates: so a lockout of recovery
 * never blocks a login, nor the other way round.  Codes are kept as hashes, the
 * secret of the app sealed (seal.h).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_ENROLMENT_H
#define SR_POLICY_RESET_ENROLMENT_H

#include "policy/account/account.h"
#include "policy/config/settings.h"
#include "policy/reset/code.h"
#include "policy/reset/key.h"
#include "policy/reset/seal.h"
#include "policy/store/account_file.h"

/* The gates; their names in the configuration are in the same order. */
enum sr_gate_id {
    SR_GATE_APP,     /* authenticator app */
    SR_GATE_CODES,   /* recovery codes */
    SR_GATE_TICKET,  /* from the helpdesk */
    SR_GATE_MAIL,    /* code by mail */
    SR_GATE_KEY,     /* ssh key or security key */
    SR_GATE_SMS,     /* code by SMS */
    SR_GATE_VOICE,   /* code by a call */
    SR_GATE_PUSH,    /* code by a message to an app */
    SR_GATE_CONTACT, /* a second user confirms; see contact.h */
    SR_GATE_RESUME,  /* a reset that was cut off: no proof, see resume.h */
    SR_GATE_COUNT
};

#define SR_CODES_COUNT 8
#define SR_ADDRESSES   2
#define SR_ADDRESS_MAX 256
#define SR_WORDS_MAX   32
#define SR_KEYS        3
#define SR_USED_MAX    8
#define SR_NUMBER_SIZE 24  /* of a telephone number */
#define SR_DEVICE_MAX  128 /* of what push messages are sent to */
#define SR_SENDS       16  /* messages remembered, for their limits; of them: */
#define SR_SENDS_OWN   6   /* those asked for by the user, logged in */

/* One gate. */
struct sr_gate_record {
    sr_time since;  /* wall clock; 0: not set up */
    sr_time usable; /* ledger time from which it may be used for a reset */
    sr_time used;   /* wall clock of the last use; 0: never */
};

/* The recovery contact; see contact.h. */
struct sr_contact {
    char backend[16]; /* his account; empty name: none */
    char name[SR_NAME_MAX + 8];
    uint32_t uid;
    uint32_t answer;  /* to the request */
    sr_time accepted; /* wall clock; 0: not yet */
    sr_time until;    /* ledger time, of a request; 0: there is none */
    sr_time asked;    /* wall clock */
    int64_t tries;    /* wrong digits */
    char ref[12];     /* of the flow that asks */
    char code[12];    /* its digits: of use to the contact alone, who is logged
                         in, for 10 minutes */
    char source[64];  /* where it was asked from */
};

/* What was sent by a channel. */
struct sr_sent {
    char code[SR_HASH_MAX]; /* of the last message; empty: none */
    sr_time until;          /* of that code, ledger time */
    int64_t tries;          /* wrong ones */
    sr_time at[SR_SENDS];   /* ledger time of the last messages, the own ones
                               first, else in any order */
};

/* That an address was confirmed by its owner. */
struct sr_confirmation {
    sr_time at;        /* wall clock of the last code that was typed */
    uint64_t is_known; /* the directory had it then; see known.h */
};

/* No padding: the image of this structure is what the file has. */
struct sr_enrolment {
    struct sr_gate_record gate[SR_GATE_COUNT];
    sr_time reported; /* wall clock: the user has reported a reset; 0: no */

    uint8_t app[SR_SEALED_SIZE]; /* the sealed secret */
    uint32_t app_wrong; /* answers since the last right one: at all hosts, where
                           a directory has this */
    int64_t app_step;   /* of the last code that was used */
    int64_t app_drift;  /* steps that its clock is ahead */

    char code[SR_CODES_COUNT][SR_HASH_MAX]; /* empty: used */

    char ticket[SR_HASH_MAX]; /* empty: none */
    char words[SR_WORDS_MAX]; /* that go with it */
    sr_time ticket_until;     /* ledger time */

    /* Confirmed; empty: none. */
    char address[SR_ADDRESSES][SR_ADDRESS_MAX]; /* of mail */
    char sms[SR_NUMBER_SIZE];
    char voice[SR_NUMBER_SIZE];
    char device[SR_DEVICE_MAX];
    struct sr_sent sent[SR_CHANNELS];

    char key[SR_KEYS][SR_KEY_MAX]; /* see key.h; empty: none */

    struct sr_contact contact;

    /* A reset that may be gone on with. */
    char resume[SR_HASH_MAX];      /* of its code; empty: none */
    sr_time resume_until;          /* ledger time */
    char resume_used[SR_USED_MAX]; /* which recovery code was used */
    uint32_t resume_proved;        /* gates, bit by enum */
    uint32_t resume_uid;           /* of the peer */

    struct sr_confirmation confirmation[SR_CHANNELS][SR_ADDRESSES];

    uint64_t known_keys; /* those that the directory had when they were set up,
                            bit by place; see known.h */
};

/* Open the store of self-service reset; see sr_store_open(). */
enum sr_store_result sr_enrolment_store(enum sr_store_mode mode,
                                        struct sr_store **store);

/* Read and change the enrolment of a transaction's account; see account_file.h,
 * and shared.h for those that a directory keeps. */
enum sr_store_result sr_enrolment_get(struct sr_store *store,
                                      const struct sr_transaction *txn,
                                      struct sr_enrolment *enrolment,
                                      struct sr_account_time *time);
enum sr_store_result
sr_enrolment_change(struct sr_store *store, const struct sr_transaction *txn,
                    bool (*change)(void *context, struct sr_enrolment *body,
                                   const struct sr_account_time *time),
                    void *context);

/* Delete an enrolment, also one that cannot be read. */
enum sr_store_result sr_enrolment_drop(struct sr_store *store,
                                       const struct sr_transaction *txn);

/* When an address was confirmed, by the wall clock. */
sr_time sr_enrolment_confirmed(const struct sr_enrolment *enrolment,
                               enum sr_channel_id channel, unsigned number);

/* How old that is. */
enum sr_validity {
    SR_VALID,
    SR_OVERDUE, /* older than reset.reconfirm: it serves, and is to be confirmed
                   again */
    SR_LAPSED,  /* and reset.reconfirm_grace is over: it does not serve */
};

/* That of an address, by its number from 0 on. */
enum sr_validity sr_enrolment_validity(const struct sr_enrolment *enrolment,
                                       enum sr_channel_id channel,
                                       unsigned number,
                                       const struct sr_reset_config *config,
                                       sr_time wall);

/* The least valid of all addresses that are set up. */
enum sr_validity sr_enrolment_least_valid(const struct sr_enrolment *enrolment,
                                          const struct sr_reset_config *config,
                                          sr_time wall);

/* A code that was sent by a channel was typed: where it went to one address,
 * that one is confirmed. */
void sr_enrolment_confirm(struct sr_enrolment *enrolment,
                          enum sr_channel_id channel,
                          const struct sr_reset_config *config, sr_time wall);

/* Whether a gate is set up and may be used for a reset at this time: of what is
 * sent, that an address has not lapsed. */
bool sr_enrolment_has(const struct sr_enrolment *enrolment,
                      enum sr_gate_id gate,
                      const struct sr_reset_config *config,
                      const struct sr_account_time *time);

/* Whether a contact counts beside these gates, bit by enum: it needs another
 * one, for administrators one that is not only a mailbox or a telephone. */
bool sr_contact_counts(unsigned gates, bool is_admin);

/* What is enrolled, on this host and in directories that keep enrolments. */
struct sr_enrolment_totals {
    unsigned accounts; /* with a gate of their own */
    unsigned gate[SR_GATE_COUNT];
    unsigned reported; /* accounts whose owner reported a reset */
    unsigned overdue;  /* with an address that is to be confirmed again; of */
    unsigned lapsed;   /* them: with one that does not serve any more */
    unsigned unreadable;
    unsigned older; /* in a directory, not changed since an older version: what
                       they have is not known, and they are not in the others */
    char uncounted[SR_ERROR_TEXT_SIZE]; /* "BACKEND: why": those of a directory
                                           cannot be counted, or not all */
};

/* Count all enrolments, those of accounts that are gone, too.  A store of NULL,
 * of a host that has written nothing yet: those of directories. */
enum sr_store_result sr_enrolment_count(struct sr_store *store,
                                        const struct sr_config *config,
                                        struct sr_enrolment_totals *totals);

/* A gate's name in the configuration and in events ("codes"). */
const char *sr_gate_name(enum sr_gate_id gate);

/* The channel that a gate's codes are sent by, and its gate; SR_CHANNELS: they
 * are not sent. */
enum sr_channel_id sr_gate_channel(enum sr_gate_id gate);
enum sr_gate_id sr_channel_gate(enum sr_channel_id channel);

/* An address of a channel, by its number from 0 on, and its room; NULL: it has
 * no more. */
char *sr_enrolment_address(struct sr_enrolment *enrolment,
                           enum sr_channel_id channel, unsigned number,
                           size_t *size);

/* The same, to read; empty where it has no more. */
const char *sr_enrolment_text(const struct sr_enrolment *enrolment,
                              enum sr_channel_id channel, unsigned number);

/*
 * How many proofs of different classes some gates are, bit by enum: SMS and
 * calls are of one.  `is_strict`, for administrators: so are mail and these,
 * since one telephone often gets all of them.
 */
unsigned sr_gate_proofs(unsigned gates, bool is_strict);

/* A gate is set up, or anew, and serves for a reset in `wait` seconds. */
void sr_enrolment_set_up(struct sr_enrolment *enrolment, enum sr_gate_id gate,
                         int64_t wait, const struct sr_account_time *time);

/* Remove a gate, and all that is kept for it. */
void sr_enrolment_remove(struct sr_enrolment *enrolment, enum sr_gate_id gate);

/* For the fuzz target: the kind of the file. */
extern const struct sr_account_file sr_enrolment_file;

#endif
