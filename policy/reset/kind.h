/*
 * Kind: the kinds of flows, and their names.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_KIND_H
#define SR_POLICY_RESET_KIND_H

enum sr_reset_kind {
    SR_RESET_RESET,   /* "reset": a forgotten password; who it is is asked */
    SR_RESET_ENROLL,  /* "enroll": set up a gate; the peer's own account, as all
                         that follow */
    SR_RESET_STATUS,  /* "status": which gates there are, and locks */
    SR_RESET_CODES,   /* "codes": new recovery codes */
    SR_RESET_REMOVE,  /* "remove": remove a gate */
    SR_RESET_REPORT,  /* "report": REF was not me; operand: the reference */
    SR_RESET_ACCEPT,  /* "accept": become the recovery contact of the operand, a
                         user; see contact.h */
    SR_RESET_DECLINE, /* "decline": stop being it */
    SR_RESET_CONFIRM, /* "confirm": a reset of that user */
    SR_RESET_KINDS
};

/* A kind by its name above; SR_RESET_KINDS: there is none. */
enum sr_reset_kind sr_reset_find(const char *name);

#endif
