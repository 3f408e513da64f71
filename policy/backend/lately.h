/*
 * Lately: what logins of this host have found out about servers, for the logins
 * that follow.  A record lasts for some time, and not beyond a boot.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LATELY_H
#define SR_POLICY_BACKEND_LATELY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A kind of record, and how long one lasts, in milliseconds. */
struct sr_lately_kind {
    const char *name;
    int64_t lasts;
};

/* The server of this URI has kept a login waiting: others are asked before it.
 * Not for a process that a user has started (is_by_user of struct sr_call): he
 * can stop it, and time passes. */
extern const struct sr_lately_kind sr_lately_silent;

/* The password of this account was changed here, by the server of this name:
 * others may not have the new one yet. */
extern const struct sr_lately_kind sr_lately_changed;

/* The newest secret of this principal or file is not in use yet: the one before
 * it is tried first. */
extern const struct sr_lately_kind sr_lately_unused;

/* Whether there is a record of `key`.  Its text is put into `text`, unless that
 * is NULL; one that is longer than `size` allows is no record. */
bool sr_lately_find(const struct sr_lately_kind *kind, const char *key,
                    char *text, size_t size);

/* Record a text; NULL: forget it. */
void sr_lately_set(const struct sr_lately_kind *kind, const char *key,
                   const char *text);

#endif
