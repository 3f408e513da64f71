/*
 * Groups: the state groups of this host, and whether each is safe to use.
 *
 * They are ordinary local groups, read from the files group(5) and gshadow(5)
 * and from no other source: a group of a directory with the same name is not
 * the one that this host made.
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
    SR_GROUP_MISSING,  /* there is no such group */
    SR_GROUP_BAD_GID,  /* no number, below 100, or one that means nobody */
    SR_GROUP_MEMBERS,  /* it has members, or administrators who can add some */
    SR_GROUP_PASSWORD, /* newgrp(1) would accept it */
    SR_GROUP_TWICE,    /* two lines have its name */
    SR_GROUP_SHARED,   /* another group has the same id */
};

struct sr_state_group {
    uint32_t gid; /* 0 when it is no number */
    enum sr_group_flaw flaw;
    char other[64]; /* a member, or the group that shares the id */
};

struct sr_state_groups {
    struct sr_state_group item[SR_GROUP_COUNT];
};

/*
 * Read the state groups (NULL: SR_GROUP_FILE, SR_GSHADOW_FILE).  gid[] gets the
 * id of each group that may be used, 0 for one that is missing or has a flaw;
 * `found` (may be NULL) gets the flaws.  A missing gshadow file counts as
 * empty. Returns 0, or an errno when a file could not be read; then no group
 * may be used.
 */
int sr_state_groups_read(const char *group_file, const char *gshadow_file,
                         uint32_t gid[SR_GROUP_COUNT],
                         struct sr_state_groups *found);

/*
 * Describe the flaw of a group in `text` and what to do in `advice` (`size`
 * bytes each), each one sentence.  False when it has none.
 */
bool sr_state_group_say(enum sr_group group, const struct sr_state_group *found,
                        char *text, char *advice, size_t size);

#endif
