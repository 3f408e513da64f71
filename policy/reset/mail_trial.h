/*
 * Mail trial: whether the mail program of self-service reset works, tried by
 * the process that would run it: its sandbox is part of the answer.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_MAIL_TRIAL_H
#define SR_POLICY_RESET_MAIL_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

#define SR_MAIL_TRIAL_TEXT 160

/*
 * Run reset.mail_program of the configuration at `config` (NULL: the host's),
 * with a message to `address`; or, without one, with a message that has no
 * recipient, which every mail program refuses once it has read it.  True: it
 * has taken the message, or refused it for that.  False: `why` says what came
 * instead.
 */
bool sr_mail_trial(const char *config, const char *address,
                   char why[SR_MAIL_TRIAL_TEXT]);

#endif
