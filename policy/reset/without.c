/*
 * Flow, in a build without self-service reset.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>

#include "policy/reset/flow.h"
#include "policy/reset/mail_trial.h"
#include "policy/util/words.h"

enum sr_reset_end
sr_reset_flow(enum sr_reset_kind kind, const char *operand,
              const struct sr_reset_peer *peer,
              const struct sr_reset_talk *talk)
{
    (void)kind;
    (void)operand;
    (void)peer;
    talk->say(talk->data, "Self-service reset is switched off on this system.");
    return SR_RESET_REFUSED;
}

enum sr_readiness
sr_reset_readiness(const struct sr_reset_peer *peer)
{
    (void)peer;
    return SR_READY;
}

bool
sr_mail_trial(const char *config, const char *address,
              char why[SR_MAIL_TRIAL_TEXT])
{
    (void)config;
    (void)address;
    snprintf(why, SR_MAIL_TRIAL_TEXT,
             N_LOG("this build has no self-service reset"));
    return false;
}
