/*
 * Answer: what the NSS door says, for any directory and any time.
 *
 * Each function answers with a status; errno says why on TRYAGAIN and UNAVAIL,
 * and is whatever it becomes otherwise.  ERANGE is said for a small buffer and
 * for nothing else, because callers try again with a larger one.  On any status
 * but SUCCESS nothing was written where results go.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_ANSWER_H
#define SR_NSS_ANSWER_H

#include <nss.h>
#include <shadow.h>
#include <sys/types.h>

#include "policy/publish/reader.h"

/* The entry of one account in the shadow map, at `now`; its strings are in
 * `buffer` of `size` bytes. */
enum nss_status sr_nss_shadow(const char *dir, sr_time now, const char *name,
                              struct spwd *result, char *buffer, size_t size);

/*
 * The entry at the cursor or behind it, as it is now, and the cursor moved on;
 * on TRYAGAIN with ERANGE it stays.  NOTFOUND behind the last.
 */
enum nss_status sr_nss_shadow_next(const char *dir, sr_time now,
                                   struct sr_cursor *cursor,
                                   struct spwd *result, char *buffer,
                                   size_t size);

/*
 * Add the state groups of an account at `now`, but those that are there, to the
 * *start ids in *groups, memory of malloc(3) with room for *size, which grows
 * when it must.
 */
enum nss_status sr_nss_groups(const char *dir, sr_time now, const char *name,
                              long *start, long *size, gid_t **groups);

#endif
