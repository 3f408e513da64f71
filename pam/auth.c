/*
 * Auth: authenticate, and its two halves around another module.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include "pam/internal.h"

/* Asked of libpam before anything else: it sleeps only when the stack fails,
 * so that every failure takes the same time. */
static void
ask_delay(struct sr_door *door)
{
    if (door->who.rules.delay > 0)
        pam_fail_delay(door->pamh, (unsigned)(door->who.rules.delay * 1000000));
}

/* Keep the password when the account module will demand a change. */
static void
keep_for_change(struct sr_door *door, const struct sr_verdict *verdict,
                const char *held, const char *password)
{
    /* Failing costs the person one more prompt, nothing else. */
    if (sr_verdict_is_change_due(verdict))
        sr_held_keep(door->pamh, held, door->user, door->who.account->secret,
                     password);
}

/*
 * The password is right: only now may the person hear of the account.  It is
 * kept for the change as `held`, unless it is NULL.
 */
static int
after_right(struct sr_door *door, const char *held, const char *password)
{
    struct sr_circumstances who;
    struct sr_verdict verdict;
    enum sr_answer answer;
    int code;

    who = sr_gather_circumstances(&door->who, true);
    verdict = sr_door_verdict(door, &who);
    answer = sr_verdict_answer(&verdict, SR_CALL_AUTHENTICATE, &door->who.rules,
                               &who);
    code = sr_answer_code(answer);
    if (code == PAM_SUCCESS) {
        if (password != NULL)
            keep_for_change(door, &verdict, held, password);
    } else {
        struct sr_say say = sr_door_say_context(door);

        sr_door_verdict_event(door, &verdict, code);
        sr_door_tell(door, PAM_ERROR_MSG,
                     sr_message_verdict(&verdict, answer, &say));
    }
    return code;
}

static int
verified_code(struct sr_door *door, enum sr_verified verified)
{
    switch (verified) {
    case SR_VERIFIED_RIGHT:
        return PAM_SUCCESS;
    case SR_VERIFIED_WRONG:
        sr_door_event(door, SR_EVENT_WRONG, "failed",
                      door->who.reason[0] == '\0' ? NULL : door->who.reason,
                      PAM_AUTH_ERR);
        return sr_door_knows(door) ? PAM_AUTH_ERR : PAM_USER_UNKNOWN;
    case SR_VERIFIED_LOCKED:
        return PAM_AUTH_ERR;
    case SR_VERIFIED_UNAVAILABLE:
        return PAM_AUTHINFO_UNAVAIL;
    }
    return PAM_SYSTEM_ERR;
}

/* Verify the password ourselves. */
static int
authenticate_alone(struct sr_door *door)
{
    const char *password;
    int code;

    /* A name that NSS knows and we do not is the next module's to judge. */
    if (door->who.ask == SR_ASK_UNKNOWN_NAME && door->nss_uid != (uid_t)-1)
        return PAM_USER_UNKNOWN;
    code = sr_ask_password(door, &password);
    if (code != PAM_SUCCESS)
        return code;
    code = verified_code(door, sr_verify(door, password));
    if (code != PAM_SUCCESS)
        return code;
    return after_right(door, SR_HELD_PROVED, password);
}

/*
 * Before another module.  The password is asked for here, so that a person who
 * gives up is not counted, and so that a locked-out name looks like any other.
 * Never a vote for the login: PAM_IGNORE.
 */
static int
authenticate_guard(struct sr_door *door)
{
    const char *password;
    int code = sr_ask_password(door, &password);

    if (code != PAM_SUCCESS)
        return code;
    switch (sr_verify_guard(door, password)) {
    case SR_VERIFIED_RIGHT:
        return PAM_IGNORE;
    case SR_VERIFIED_LOCKED:
        return PAM_AUTH_ERR;
    default:
        return PAM_AUTHINFO_UNAVAIL;
    }
}

/*
 * After another module, which said right.  No vote either: the line is reached
 * behind a failure, too, where the module between is only "sufficient".  And no
 * proof of the password, because that module may have looked at something else:
 * it is kept to be proved when a change needs it.
 */
static int
authenticate_settle(struct sr_door *door)
{
    const void *password = NULL;
    int code;

    if (!sr_verify_settle(door) ||
        pam_get_item(door->pamh, PAM_AUTHTOK, &password) != PAM_SUCCESS)
        password = NULL;
    if (!sr_door_knows(door))
        return PAM_IGNORE; /* not our account: nothing to say about it */
    code = sr_door_remember(door, false, PAM_AUTHINFO_UNAVAIL);
    if (code == PAM_SUCCESS)
        code = after_right(door, SR_HELD_TYPED, password);
    return code == PAM_SUCCESS ? PAM_IGNORE : code;
}

int
sr_authenticate(struct sr_door *door)
{
    /* What an earlier try on this handle proved or left proves nothing now. */
    sr_held_drop(door->pamh, SR_HELD_PROVED);
    sr_held_drop(door->pamh, SR_HELD_TYPED);
    if (door->args.settle)
        return authenticate_settle(door);
    sr_verify_guard_end(door);
    ask_delay(door);
    if (door->who.ask == SR_ASK_UNAVAILABLE ||
        door->who.ask == SR_ASK_AMBIGUOUS || door->who.ask == SR_ASK_NO_MEMORY)
        return sr_door_unknown(door, PAM_AUTHINFO_UNAVAIL);
    return door->args.guard ? authenticate_guard(door)
                            : authenticate_alone(door);
}
