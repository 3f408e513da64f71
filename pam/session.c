/*
 * Session: at a login, tell of the failed attempts before it, and remember
 * where it came from.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/internal.h"

int
sr_session_open(struct sr_door *door)
{
    struct sr_say say = sr_door_say_context(door);
    struct sr_memory memory;
    enum sr_store_result result;

    /* sudo, cron and the like are no logins: the notice must wait for one. */
    if (door->who.rules.spare_expired || door->nss_uid == (uid_t)-1)
        return PAM_SUCCESS;
    /* Nor is it when root becomes somebody: nobody came, and nobody reads. */
    if (door->source.is_user && door->source.user == 0 && door->nss_uid != 0)
        return PAM_SUCCESS;
    result = sr_attempt_logged_in(NULL, door->nss_uid, &door->source,
                                  &door->who.rules, &memory);
    if (result == SR_STORE_OK)
        sr_door_tell(door, PAM_TEXT_INFO, sr_message_failures(&memory, &say));
    else
        sr_door_event(door, SR_EVENT_STATE, "failed", sr_store_strerror(result),
                      -1);
    return PAM_SUCCESS; /* a session is never refused here */
}
