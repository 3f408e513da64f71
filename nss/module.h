/*
 * Module: what libnss_selfreset.so.2 exports; glibc calls these functions by
 * their names.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_MODULE_H
#define SR_NSS_MODULE_H

#include <nss.h>
#include <shadow.h>
#include <sys/types.h>

/* The state groups of a user, for callers that choose rules by groups: see
 * libnss_selfreset(8). */
enum nss_status _nss_selfreset_initgroups_dyn(const char *user, gid_t group,
                                              long *start, long *size,
                                              gid_t **groups, long limit,
                                              int *errnop);

/* shadow(5) of one account. */
enum nss_status _nss_selfreset_getspnam_r(const char *name, struct spwd *result,
                                          char *buffer, size_t size,
                                          int *errnop);

/* shadow(5) of all accounts, where the configuration allows it. */
enum nss_status _nss_selfreset_setspent(int stay_open);
enum nss_status _nss_selfreset_getspent_r(struct spwd *result, char *buffer,
                                          size_t size, int *errnop);
enum nss_status _nss_selfreset_endspent(void);

#endif
