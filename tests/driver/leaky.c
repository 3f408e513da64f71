/*
 * NSS test module: a source of groups that is what ours must not be.  It puts
 * everybody into one group, whoever asks: rules and sessions alike.
 *
 * The group's id is the number in the file that GID_FILE names.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <nss.h>
#include <stdio.h>
#include <stdlib.h>

#define GID_FILE "/run/selfreset-test/leaky"

__attribute__((visibility("default"))) enum nss_status
_nss_leaky_initgroups_dyn(const char *user, gid_t group, long int *start,
                          long int *size, gid_t **groups, long int limit,
                          int *errnop);

enum nss_status
_nss_leaky_initgroups_dyn(const char *user, gid_t group, long int *start,
                          long int *size, gid_t **groups, long int limit,
                          int *errnop)
{
    FILE *stream = fopen(GID_FILE, "re");
    unsigned gid = 0;

    (void)user;
    (void)group;
    (void)limit;
    (void)errnop;
    if (stream == NULL)
        return NSS_STATUS_NOTFOUND;
    /* glibc begins with room for more than this one. */
    if (fscanf(stream, "%u", &gid) == 1 && *start < *size)
        (*groups)[(*start)++] = gid;
    fclose(stream);
    return NSS_STATUS_SUCCESS;
}
