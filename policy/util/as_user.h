/*
 * As user: work that is done with the rights of a user, in a child process.
 *
 * setfsuid(2) would bound access to files only: keyrings and the daemons that
 * keep credentials go by the other user IDs, and supplementary groups stay.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_AS_USER_H
#define SR_POLICY_UTIL_AS_USER_H

#include <stdint.h>
#include <sys/types.h>

#define SR_AS_USER_TEXT 512

/* The rights: this user, this group, and no other group. */
struct sr_as_user {
    uid_t uid;
    gid_t gid;
    int64_t end; /* deadline, see deadline.h: the child is killed then */
};

/* The work.  It can change `text`, of SR_AS_USER_TEXT bytes, for the caller;
 * whatever else it changes is lost.  Returns 0 or an error of its own. */
typedef int32_t sr_as_user_work(void *context, char *text);

/*
 * Do the work and wait for it; signals are blocked meanwhile.  Returns 0, and
 * *result is what the work returned; or a negative errno: -EPERM when this
 * process may not take the rights.
 */
int sr_as_user(const struct sr_as_user *user, sr_as_user_work *work,
               void *context, char *text, int32_t *result);

#endif
