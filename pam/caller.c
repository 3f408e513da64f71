/*
 * Caller: the process that the module is in.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>
#include <unistd.h>

#include "pam/caller.h"

void
sr_caller_find(const pam_handle_t *pamh, struct sr_pam_caller *caller)
{
    uid_t effective_uid, saved_uid;

    (void)pamh;
    memset(caller, 0, sizeof(*caller));
    caller->keeps_tickets = true;
    if (getresuid(&caller->real_uid, &effective_uid, &saved_uid) == 0)
        caller->is_trusted = effective_uid == 0;
    else
        caller->real_uid = (uid_t)-1;
}

void
sr_caller_terminal(const pam_handle_t *pamh, char *terminal, size_t size)
{
    (void)pamh;
    if (ttyname_r(STDIN_FILENO, terminal, size) != 0)
        terminal[0] = '\0';
}
