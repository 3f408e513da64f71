/*
 * Answer: what the NSS module returns, for any directory and any time.
 *
 * Each function returns a status; errno is the cause on TRYAGAIN and UNAVAIL
 * and undefined otherwise.  ERANGE means that the buffer is too small and
 * nothing else, because callers then try again with a larger one.  With every
 * status but SUCCESS nothing was written to the results.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_ANSWER_H
#define SR_NSS_ANSWER_H

#include <nss.h>
#include <shadow.h>
#include <sys/types.h>

#include "policy/publish/reader.h"

/* The entry of one account in the shadow map, at `now`; its strings are written
 * into `buffer` (`size` bytes). */
enum nss_status sr_nss_shadow(const char *dir, sr_time now, const char *name,
                              struct spwd *result, char *buffer, size_t size);

/*
 * The next entry at or behind the cursor, which is moved on, except on TRYAGAIN
 * with ERANGE.  NOTFOUND behind the last.
 */
enum nss_status sr_nss_shadow_next(const char *dir, sr_time now,
                                   struct sr_cursor *cursor,
                                   struct spwd *result, char *buffer,
                                   size_t size);

/*
 * Add the state groups of an account at `now` to the *start ids in *groups,
 * except those that are in it already.  *groups is from malloc(3), has room for
 * *size ids, and is enlarged as needed.  Another spelling of the name of a
 * directory's account is in acct-state-unknown.
 */
enum nss_status sr_nss_groups(const char *dir, sr_time now, const char *name,
                              long *start, long *size, gid_t **groups);

#endif
