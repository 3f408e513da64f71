/*
 * Groups: the state groups as this host has them, and whether each may be used.
 *
 * They are ordinary local groups, read from group(5) and gshadow(5) themselves
 * and from no other source: what a directory says of a group of that name is
 * not what this host made.  The one place that knows which group is safe.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_GROUPS_H
#define SR_POLICY_PUBLISH_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "policy/publish/view.h"

#define SR_GROUP_FILE   "/etc/group"
#define SR_GSHADOW_FILE "/etc/gshadow"

/* Group ids below are the system's own, of fixed meaning. */
#define SR_GROUP_GID_LEAST 100

/* What is wrong with a group. */
enum sr_group_flaw {
    SR_GROUP_FINE,
    SR_GROUP_MISSING,  /* there is none of that name */
    SR_GROUP_BAD_GID,  /* no number, below 100, or one that means nobody */
    SR_GROUP_MEMBERS,  /* it has members, or administrators who can add some */
    SR_GROUP_PASSWORD, /* newgrp(1) would let in who knows its password */
    SR_GROUP_TWICE,    /* its name is there twice */
    SR_GROUP_SHARED,   /* another group has the same id */
};

struct sr_state_group {
    uint32_t gid; /* as written; 0 when that is no number */
    enum sr_group_flaw flaw;
    char other[64]; /* a member, or the group that shares the id */
};

struct sr_state_groups {
    struct sr_state_group item[SR_GROUP_COUNT];
};

/*
 * Read the state groups (NULL: SR_GROUP_FILE, SR_GSHADOW_FILE).  gid[] gets the
 * id of each that may be used, 0 for one that is missing or has a flaw; `found`
 * (may be NULL) what is wrong with each.  A group shadow file that does not
 * exist is empty.  Returns 0 or an errno: a file could not be read, and then
 * no group may be used and nothing is known of any.
 */
int sr_state_groups_read(const char *group_file, const char *gshadow_file,
                         uint32_t gid[SR_GROUP_COUNT],
                         struct sr_state_groups *found);

/*
 * What is wrong with a group, as one sentence, and as another what to do;
 * written into `text` and `advice` (`size` bytes each).  False when nothing is.
 */
bool sr_state_group_say(enum sr_group group, const struct sr_state_group *found,
                        char *text, char *advice, size_t size);

#endif
