/*
 * Prompt: passwords from the person, through the conversation.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_ext.h>

#include "pam/prompt.h"

void
sr_secret_free(char **secret)
{
    if (*secret != NULL)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

bool
sr_is_sshd_fake(const char *password)
{
    /* auth-pam.c of OpenSSH, since 4.x: these bytes, repeated as needed. */
    static const char junk[] = "\b\n\r\177";

    return strncmp(password, junk, sizeof(junk) - 1) == 0;
}

int
sr_prompt_one(struct sr_pam_context *ctx, enum sr_text prompt, char **password)
{
    const struct sr_message_context say = sr_transaction_message(&ctx->txn);
    char *text = sr_message_text(prompt, &say);
    int code = PAM_BUF_ERR;

    *password = NULL;
    sr_context_show(ctx);
    if (text != NULL)
        code = sr_context_converse(ctx, PAM_PROMPT_ECHO_OFF, password, text);
    free(text);
    /* Some conversations say success and give no answer; libpam logs only those
     * that fail. */
    if (code == PAM_SUCCESS && *password == NULL) {
        pam_syslog(ctx->pamh, LOG_ERR, "the conversation gave no answer");
        code = PAM_CONV_ERR;
    }
    if (code != PAM_SUCCESS && code != PAM_CONV_AGAIN && code != PAM_BUF_ERR)
        code = PAM_CONV_ERR;
    return code;
}

/* A line that may not ask has no password: the record names the account. */
static int
refuse_first_pass(struct sr_pam_context *ctx)
{
    const int code = sr_context_look_up(ctx);

    if (code == PAM_SUCCESS)
        sr_context_event(ctx, SR_EVENT_WRONG, "failed",
                         "use_first_pass: no module asked for a password",
                         PAM_AUTH_ERR);
    return code == PAM_SUCCESS ? PAM_AUTH_ERR : code;
}

int
sr_prompt_password(struct sr_pam_context *ctx, const char **password)
{
    __attribute__((cleanup(sr_secret_free))) char *typed = NULL;
    const void *item = NULL;
    int code;

    *password = NULL;
    code = pam_get_item(ctx->pamh, PAM_AUTHTOK, &item);
    if (code == PAM_SUCCESS && item == NULL) {
        if (ctx->args.use_first_pass)
            return refuse_first_pass(ctx);
        code = sr_prompt_one(ctx, SR_TEXT_PROMPT_PASSWORD, &typed);
        if (code == PAM_SUCCESS)
            code = pam_set_item(ctx->pamh, PAM_AUTHTOK, typed);
        if (code == PAM_SUCCESS)
            code = pam_get_item(ctx->pamh, PAM_AUTHTOK, &item);
    }
    if (code != PAM_SUCCESS)
        return code;
    *password = item;
    return item == NULL ? PAM_CONV_ERR : PAM_SUCCESS;
}
