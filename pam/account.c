/*
 * Account: may this account be used now?  Asked of the backend itself, because
 * key logins, cron and su by root never ran authenticate.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/internal.h"

/* Add what other hosts have counted.  What cannot be asked locks nobody out. */
static void
ask_fleet(struct sr_door *door)
{
    struct sr_fleet_way way =
        sr_fleet_way(&door->who, true, door->args.backend);
    char reason[160] = "";

    if (way.is_there && sr_fleet_facts(&way, &door->who, NULL, &door->source,
                                       reason, sizeof(reason)) != SR_ASK_OK)
        sr_door_event(door, SR_EVENT_FLEET_AWAY, "failed", reason, -1);
}

/*
 * Add what the store knows, and publish it, whatever the verdict will be.
 * Services that an expired password does not stop are not stopped by anything
 * the store knows either, and root must be able to come in by key to mend a
 * broken store: those go on without it.
 */
static int
remember(struct sr_door *door)
{
    int code;

    if (door->who.rules.spare_expired)
        return PAM_SUCCESS;
    code = sr_door_remember(door, true, PAM_AUTHINFO_UNAVAIL);
    if (code == PAM_SUCCESS) {
        ask_fleet(door);
        sr_door_publish(door);
    }
    return door->who.account->facts.uid == 0 ? PAM_SUCCESS : code;
}

int
sr_account(struct sr_door *door)
{
    struct sr_circumstances who;
    struct sr_verdict verdict;
    enum sr_answer answer;
    struct sr_say say = sr_door_say_context(door);
    int code;

    if (!sr_door_knows(door))
        return sr_door_unknown(door, PAM_AUTHINFO_UNAVAIL);
    code = remember(door);
    if (code != PAM_SUCCESS)
        return code;
    who = sr_gather_circumstances(&door->who, true);
    verdict = sr_door_verdict(door, &who);
    answer =
        sr_verdict_answer(&verdict, SR_CALL_ACCOUNT, &door->who.rules, &who);
    code = sr_answer_code(answer);
    sr_door_verdict_event(door, &verdict, code);
    sr_door_tell(door, code == PAM_SUCCESS ? PAM_TEXT_INFO : PAM_ERROR_MSG,
                 sr_message_verdict(&verdict, answer, &say));
    return code;
}
