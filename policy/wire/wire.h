/*
 * Wire: the messages between selfreset-helper and the programs that ask it, as
 * bytes.  Pure.
 *
 * A message is one packet of a SOCK_SEQPACKET socket: a byte that says what it
 * is, and fields.  A field is a tag (one byte), the length of its value (two,
 * little-endian) and the value: a text with its end, which is its only NUL, or
 * a number of four bytes, little-endian.  The bounds are those below; what
 * exceeds them, or is not of this form to the last byte, is no message.  Tags
 * that are not known are an error, too: both ends come from one package, and
 * the first message says which protocol they speak.
 *
 * selfreset-helper(8) describes the conversation.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_WIRE_WIRE_H
#define SR_POLICY_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SR_WIRE_VERSION    1u
#define SR_WIRE_MAX        32768u /* bytes of a message */
#define SR_WIRE_TEXT_MAX   4095u  /* bytes of a text, without its end */
#define SR_WIRE_FIELDS_MAX 64u    /* fields of a message */

enum sr_wire_kind {
    SR_WIRE_HELLO = 1, /* to the helper: VERSION; the first message */
    SR_WIRE_CALL,      /* to the helper: a call of the module, see below */
    SR_WIRE_ANSWER,    /* to the helper: TEXT, or CODE when there is none */
    SR_WIRE_SAY,       /* from it: STYLE and TEXT, to be shown */
    SR_WIRE_ASK,       /* from it: STYLE and TEXT, to be answered */
    SR_WIRE_END,       /* from it: CODE, what the call leaves in the handle */
    SR_WIRE_REFUSE,    /* from it: CODE; it says no more on this connection */
    SR_WIRE_FLOW,      /* to the helper: TEXT, which dialogue of self-service
                          reset is wanted, or the question below; it ends as a
                          call does */
    SR_WIRE_KINDS_END,
};

/* From root: whether USER has set up enough for a reset; CODE of the END is 0
 * if so, or if it does not apply, and OVERDUE if addresses are to be confirmed
 * again. */
#define SR_WIRE_IS_ENROLLED "is-enrolled"
#define SR_WIRE_OVERDUE     1000

/* From root: run the mail program, with a mail to ARGUMENT, or without a
 * recipient; see policy/reset/mail_trial.h.  CODE of the END is 0 if it works;
 * a SAY before it has what came of it. */
#define SR_WIRE_TRY_MAIL "try-mail"

/* The first ARGUMENT of an ASK that an ssh-agent of the person may answer; of a
 * signature the key and the line follow. */
#define SR_WIRE_PUBLIC_KEY "public-key"
#define SR_WIRE_SIGNATURE  "signature"

/* Codes and styles, for those that do not know PAM: its numbers. */
#define SR_WIRE_NO_ANSWER 19u /* as CODE of an ANSWER: the person gave none */
#define SR_WIRE_HIDDEN    1u  /* as STYLE of an ASK: without echo */

enum sr_wire_tag {
    SR_WIRE_VERSION_NUMBER = 1,
    SR_WIRE_CALL_NUMBER, /* which call: enum sr_pam_call of pam/calls.h */
    SR_WIRE_FLAGS,       /* PAM's flags of the call */
    SR_WIRE_CODE,        /* a PAM code */
    SR_WIRE_STYLE,       /* a PAM message style */
    SR_WIRE_DELAY,       /* microseconds, for pam_fail_delay(3) */
    SR_WIRE_NUMBERS_END, /* those above are numbers, those below are texts */
    SR_WIRE_TEXT = 16,
    SR_WIRE_ARGUMENT, /* of the line in pam.d; may repeat, in order */
    SR_WIRE_SERVICE,
    SR_WIRE_USER,
    SR_WIRE_RHOST,
    SR_WIRE_RUSER,
    SR_WIRE_TTY,
    SR_WIRE_TERMINAL, /* of the process, where PAM_TTY names none */
    SR_WIRE_AUTHTOK,
    SR_WIRE_OLDAUTHTOK,
    SR_WIRE_VARIABLE, /* "NAME=VALUE" of the handle's environment, or "NAME":
                         to be unset; may repeat */
    SR_WIRE_LOCALE,   /* of messages */
    SR_WIRE_LANGUAGE, /* the variable of this name */
    SR_WIRE_TEXTS_END,
};

/* A message and its bytes.  It may hold a secret: wipe it. */
struct sr_wire {
    uint8_t bytes[SR_WIRE_MAX];
    size_t size;  /* 0: none was begun, or received */
    size_t count; /* of fields */
    bool is_full; /* a field did not fit, and is not in it */
};

/* Begin a message of this kind, over what was there. */
void sr_wire_begin(struct sr_wire *wire, enum sr_wire_kind kind);

/* The first message of a connection, over what was there. */
void sr_wire_hello(struct sr_wire *wire);

/* Append a field; a text that is NULL is left out, one that is too long is cut:
 * nothing that is compared or stored is that long. */
void sr_wire_put_number(struct sr_wire *wire, enum sr_wire_tag tag,
                        uint32_t number);
void sr_wire_put_text(struct sr_wire *wire, enum sr_wire_tag tag,
                      const char *text);

/*
 * Whether wire->size bytes at wire->bytes are one message, whole and within the
 * bounds, with each tag that may not repeat once at most.  The functions below
 * may be asked only then.
 */
bool sr_wire_check(struct sr_wire *wire);

/* What it is; only after sr_wire_begin() or a check that held. */
enum sr_wire_kind sr_wire_kind(const struct sr_wire *wire);

/* The number of a field, or `absent`. */
uint32_t sr_wire_number(const struct sr_wire *wire, enum sr_wire_tag tag,
                        uint32_t absent);

/* The text of a field, within the message's bytes, or NULL. */
const char *sr_wire_text(const struct sr_wire *wire, enum sr_wire_tag tag);

/* The texts of a field that may repeat: the one number `index`, or NULL. */
const char *sr_wire_text_at(const struct sr_wire *wire, enum sr_wire_tag tag,
                            size_t index);

/* Wipe it. */
void sr_wire_wipe(struct sr_wire *wire);

#endif
