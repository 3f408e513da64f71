/*
 * App: codes of an authenticator app (RFC 6238), by liboath.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_APP_H
#define SR_POLICY_RESET_APP_H

#include "policy/reset/enrolment.h"

/*
 * Whether what was typed is right at `now` (wall clock): one code of this step
 * or of the one before or behind it, or two codes one after the other of steps
 * up to 10 away, which sets the drift of the app's clock anew (RFC 4226
 * 7.4).  A code is right once: the step has to be later than
 * enrolment->app_step, which is set to it.
 */
bool sr_app_check(struct sr_enrolment *enrolment,
                  const uint8_t secret[SR_APP_SECRET], const char *typed,
                  sr_time now);

/* The secret in base 32 as apps take it, in groups of four; and the URI. */
#define SR_APP_TEXT 64
bool sr_app_text(const uint8_t secret[SR_APP_SECRET], char out[SR_APP_TEXT]);
#define SR_APP_URI 512
void sr_app_uri(const uint8_t secret[SR_APP_SECRET], const char *host,
                const char *user, char out[SR_APP_URI]);

#endif
