/*
 * The state groups: ordinary local groups that stand for states.
 *
 * Nobody is in them but by what is published, and no file should be theirs: a
 * group that could give somebody anything else is refused.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <crypt.h>
#include <errno.h>
#include <grp.h>
#include <gshadow.h>
#include <stdio.h>
#include <string.h>

#include "nss/publisher.h"

#define GROUP_FILE   "/etc/group"
#define GSHADOW_FILE "/etc/gshadow"

#define GID_LEAST 100 /* below are the system's own */

/* What is known of one group. */
struct found {
    bool is_there;
    gid_t gid;
    const char *fault; /* why it is refused */
};

static bool
is_usable(const char *hash)
{
    int check;

    if (hash == NULL || hash[0] == '\0')
        return false; /* without a password only members may use newgrp(1) */
    check = crypt_checksalt(hash);
    return check != CRYPT_SALT_INVALID && check != CRYPT_SALT_METHOD_DISABLED;
}

static enum sr_group
find_name(const char *name)
{
    enum sr_group group = 0;

    while (group < SR_GROUP_COUNT && strcmp(name, sr_group_name(group)) != 0)
        group++;
    return group;
}

static void
read_line(const struct group *line, struct found *found)
{
    found->is_there = true;
    found->gid = line->gr_gid;
    if (line->gr_gid < GID_LEAST || line->gr_gid == (gid_t)-1)
        found->fault = "its number is one of the system's own";
    else if (line->gr_mem[0] != NULL)
        found->fault = "it has members";
    else if (is_usable(line->gr_passwd))
        found->fault = "it has a password";
}

/* Read /etc/group.  Twice: first for the groups, then for others that share a
 * number with one. */
static int
read_groups(struct found found[SR_GROUP_COUNT])
{
    FILE *stream = fopen(GROUP_FILE, "re");
    const struct group *line;

    if (stream == NULL)
        return errno;
    while ((line = fgetgrent(stream)) != NULL) {
        const enum sr_group group = find_name(line->gr_name);

        if (group < SR_GROUP_COUNT && !found[group].is_there)
            read_line(line, &found[group]);
    }
    rewind(stream);
    while ((line = fgetgrent(stream)) != NULL) {
        const enum sr_group own = find_name(line->gr_name);

        for (enum sr_group group = 0; group < SR_GROUP_COUNT; group++) {
            if (group != own && found[group].is_there &&
                found[group].fault == NULL && found[group].gid == line->gr_gid)
                found[group].fault = "another group has the same number";
        }
    }
    fclose(stream);
    return 0;
}

/* Passwords and members can be in /etc/gshadow too; it need not exist. */
static void
read_gshadow(struct found found[SR_GROUP_COUNT])
{
    FILE *stream = fopen(GSHADOW_FILE, "re");
    const struct sgrp *line;

    if (stream == NULL)
        return;
    while ((line = fgetsgent(stream)) != NULL) {
        const enum sr_group group = find_name(line->sg_namp);

        if (group == SR_GROUP_COUNT || found[group].fault != NULL)
            continue;
        if (line->sg_mem[0] != NULL || line->sg_adm[0] != NULL)
            found[group].fault = "it has members or administrators";
        else if (is_usable(line->sg_passwd))
            found[group].fault = "it has a password";
    }
    fclose(stream);
}

void
publisher_find_groups(uint32_t gid[SR_GROUP_COUNT])
{
    struct found found[SR_GROUP_COUNT];
    int error;

    memset(found, 0, sizeof(found));
    error = read_groups(found);
    if (error != 0)
        publisher_say("%s cannot be read: %s.", GROUP_FILE, strerror(error));
    read_gshadow(found);
    for (enum sr_group group = 0; group < SR_GROUP_COUNT; group++) {
        const char *name = sr_group_name(group);

        gid[group] = 0;
        if (!found[group].is_there)
            publisher_say("The group \"%s\" does not exist; nobody is shown in "
                          "it.",
                          name);
        else if (found[group].fault != NULL)
            publisher_say("The group \"%s\" is not used: %s.", name,
                          found[group].fault);
        else
            gid[group] = (uint32_t)found[group].gid;
    }
}
