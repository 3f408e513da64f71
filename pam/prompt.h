/*
 * Prompt: passwords from the person, through the conversation.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_PROMPT_H
#define SR_PAM_PROMPT_H

#include "pam/context.h"

/*
 * The password for authenticate: the one an earlier module left, or a prompt.
 * It stays in PAM_AUTHTOK, where libpam wipes it.
 */
int sr_prompt_password(struct sr_pam_context *ctx, const char **password);

/*
 * Ask for one password without echo; the caller wipes and frees it.
 * PAM_CONV_ERR when there was no answer.
 */
int sr_prompt_one(struct sr_pam_context *ctx, enum sr_text prompt,
                  char **password);

/* Wipe and free; for cleanup attributes. */
void sr_secret_free(char **secret);

/* Whether this is sshd's stand-in for the password of a user that it will
 * refuse anyway. */
bool sr_is_sshd_fake(const char *password);

#endif
