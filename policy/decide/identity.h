/*
 * Identity: which account a piece of state belongs to.
 *
 * An account is its backend, its canonical name (what the name service answers
 * for the name that was typed) and its uid.  State is kept under backend and
 * name and carries the uid; state with another uid belongs to no account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_DECIDE_IDENTITY_H
#define SR_POLICY_DECIDE_IDENTITY_H

#include <string.h>

#include "policy/decide/facts.h"

/* The backend of accounts that another module verifies (guard and settle). */
#define SR_BACKEND_OTHER "-"

struct sr_identity {
    char backend[16];
    char name[SR_NAME_MAX + 1]; /* canonical */
    uid_t uid;
};

/* The identity of the account that facts are about. */
static inline struct sr_identity
sr_identity_of(const struct sr_facts *facts)
{
    struct sr_identity id = {.uid = facts->uid};

    memcpy(id.backend, facts->backend, sizeof(id.backend));
    memcpy(id.name, facts->name, sizeof(id.name));
    return id;
}

/* An account of another module, by the name service.  A name
 * that is too long is cut; such an account cannot log in. */
static inline struct sr_identity
sr_identity_other(const char *name, uid_t uid)
{
    struct sr_identity id = {.backend = SR_BACKEND_OTHER, .uid = uid};

    strncpy(id.name, name, sizeof(id.name) - 1);
    return id;
}

#endif
