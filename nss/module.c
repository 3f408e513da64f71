/*
 * Module: the functions of libnss_selfreset.so.2.  It runs in the
 * processes of other programs: it keeps no descriptor, no mapping and no lock,
 * starts nothing, allocates nothing but the array of groups that its caller
 * frees, and restores errno.  It passes directory and time on to nss/answer.c.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>

#include "nss/answer.h"
#include "nss/module.h"

#define EXPORT __attribute__((visibility("default")))

/*
 * End a call: restore errno, and store the cause where the caller wants it,
 * which may be errno itself.
 */
static enum nss_status
leave(enum nss_status status, int before, int *errnop)
{
    const int why = errno;

    errno = before;
    if (status == NSS_STATUS_TRYAGAIN || status == NSS_STATUS_UNAVAIL)
        *errnop = why;
    return status;
}

/*
 * `limit` distinguishes the callers: getgrouplist(3), by which programs choose
 * the rules for a user, passes -1; initgroups(3), by which a process gets its
 * own groups, passes their greatest number; so does nscd, without a group.
 * State groups are for rules: as a credential they would outlive the state.
 */
EXPORT enum nss_status
_nss_selfreset_initgroups_dyn(const char *user, gid_t group, long *start,
                              long *size, gid_t **groups, long limit,
                              int *errnop)
{
    const int before = errno;

    if (limit != -1 || group == (gid_t)-1)
        return NSS_STATUS_NOTFOUND;
    return leave(sr_nss_groups(SR_PUBLISHED_DIR, sr_reader_now(), user, start,
                               size, groups),
                 before, errnop);
}

EXPORT enum nss_status
_nss_selfreset_getspnam_r(const char *name, struct spwd *result, char *buffer,
                          size_t size, int *errnop)
{
    const int before = errno;

    return leave(sr_nss_shadow(SR_PUBLISHED_DIR, sr_reader_now(), name, result,
                               buffer, size),
                 before, errnop);
}

/*
 * The position in the list.  The interface of the three functions leaves no
 * other place for it.  It needs no lock: glibc calls them under one of its own,
 * for getspent_r(3) too.
 */
static struct sr_cursor cursor;

EXPORT enum nss_status
_nss_selfreset_setspent(int stay_open)
{
    (void)stay_open; /* nothing is ever open between calls */
    cursor = (struct sr_cursor){0, 0, 0};
    return NSS_STATUS_SUCCESS;
}

EXPORT enum nss_status
_nss_selfreset_getspent_r(struct spwd *result, char *buffer, size_t size,
                          int *errnop)
{
    const int before = errno;

    return leave(sr_nss_shadow_next(SR_PUBLISHED_DIR, sr_reader_now(), &cursor,
                                    result, buffer, size),
                 before, errnop);
}

EXPORT enum nss_status
_nss_selfreset_endspent(void)
{
    return _nss_selfreset_setspent(0);
}
