/*
 * Membership: the groups of an account, by the name service; groups of this
 * host.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/membership.h"

#define GROUP_FILE "/etc/group"
#define BUFFER_MAX (16 << 20) /* a group with a million members */
#define GROUPS_MAX 65536      /* NGROUPS_MAX of the kernel */

/* Make a buffer four times as large; false at the limit or out of memory. */
static bool
grow(char **buffer, size_t *size)
{
    size_t wanted = *size == 0 ? 1024 : *size * 4;
    char *grown = wanted <= BUFFER_MAX ? realloc(*buffer, wanted) : NULL;

    if (grown == NULL)
        return false;
    *buffer = grown;
    *size = wanted;
    return true;
}

/* getpwnam(3) lists errors that only mean that there is no such entry. */
static int
found(int error, const void *result)
{
    if (error == 0 || error == ENOENT || error == ESRCH)
        return result != NULL ? SR_YES : SR_NO;
    return SR_UNKNOWN;
}

static int
find_group(const char *name, gid_t *gid)
{
    struct group group, *result = NULL;
    char *buffer = NULL;
    size_t size = 0;
    int error = ERANGE;
    int status;

    while (error == ERANGE && grow(&buffer, &size))
        error = getgrnam_r(name, &group, buffer, size, &result);
    status = found(error, result);
    if (status == SR_YES)
        *gid = group.gr_gid;
    free(buffer);
    return status;
}

static int
find_user(const char *name, gid_t *gid)
{
    struct passwd user, *result = NULL;
    char *buffer = NULL;
    size_t size = 0;
    int error = ERANGE;
    int status;

    while (error == ERANGE && grow(&buffer, &size))
        error = getpwnam_r(name, &user, buffer, size, &result);
    status = found(error, result);
    if (status == SR_YES)
        *gid = user.pw_gid;
    free(buffer);
    return status;
}

static int
is_listed(const char *user, gid_t primary, gid_t wanted)
{
    int status = SR_UNKNOWN;

    for (int space = 64; status == SR_UNKNOWN && space <= GROUPS_MAX;
         space *= 4) {
        gid_t *list = calloc((size_t)space, sizeof(*list));
        int count = space;

        if (list == NULL)
            break;
        if (getgrouplist(user, primary, list, &count) >= 0) {
            status = SR_NO;
            for (int i = 0; i < count; i++) {
                if (list[i] == wanted)
                    status = SR_YES;
            }
        }
        free(list);
    }
    return status;
}

int
sr_config_member_nss(void *context, const char *user, const char *group)
{
    gid_t wanted = (gid_t)-1, primary = (gid_t)-1;
    int status;

    (void)context;
    status = find_group(group, &wanted);
    if (status == SR_YES)
        status = find_user(user, &primary);
    if (status == SR_YES && primary != wanted)
        status = is_listed(user, primary, wanted);
    return status;
}

bool
sr_config_is_group_here(const char *group)
{
    FILE *stream = fopen(GROUP_FILE, "re");
    const size_t length = strlen(group);
    bool is_here = false;
    char *line = NULL;
    size_t size = 0;

    while (stream != NULL && !is_here && getline(&line, &size, stream) > 0)
        is_here = strncmp(line, group, length) == 0 && line[length] == ':';
    free(line);
    if (stream != NULL)
        fclose(stream);
    return is_here;
}
