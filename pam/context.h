/*
 * Context: one call of the module, from its arguments to its answer.
 *
 * This folder decides nothing: it turns PAM calls into calls of policy/, talks
 * to the person through the conversation, and answers in PAM codes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_CONTEXT_H
#define SR_PAM_CONTEXT_H

#include <security/pam_modules.h>

#include "pam/language.h"
#include "pam/options.h"
#include "policy/account/account.h"

/* The calls of libpam.  selfreset-helper knows them by these numbers. */
enum sr_pam_call {
    SR_PAM_AUTH,
    SR_PAM_CRED,
    SR_PAM_ACCOUNT,
    SR_PAM_PASSWORD,
    SR_PAM_OPEN,
    SR_PAM_CLOSE,
};

struct sr_pam_context {
    pam_handle_t *pamh;
    enum sr_pam_call call;
    unsigned flags; /* PAM_SILENT and the like */
    int argc;       /* the arguments of the line in pam.d, which belong to */
    const char *const *argv; /* libpam, and what they say */
    struct sr_args args;
    bool is_answered;         /* by selfreset-helper; nothing is left to do */
    bool keeps_tickets;       /* see caller.h */
    struct sr_config *config; /* owned, as one of its users */
    bool is_spare; /* these are the built-in defaults: the file has an error */
    bool has_looked_up; /* by sr_context_look_up() */
    const char *user;   /* as typed; belongs to libpam; never NULL once begun */
    const char *tty;    /* belongs to libpam; NULL: none */
    struct sr_transaction txn;
    struct sr_language language;
    char *text;     /* to be shown, or NULL */
    int text_style; /* PAM_TEXT_INFO or PAM_ERROR_MSG */
};

/*
 * Begin a call: arguments, permission, configuration, name; then account and
 * source, but in authenticate, which asks for a password first.  Returns
 * PAM_SUCCESS, or the code to answer; the user has then been shown why.  With
 * is_answered set, selfreset-helper has made the call, and this is its answer.
 * End it with sr_context_end() whatever was returned.
 */
int sr_context_begin(struct sr_pam_context *ctx, pam_handle_t *pamh,
                     enum sr_pam_call call, int flags, int argc,
                     const char **argv);
void sr_context_end(struct sr_pam_context *ctx);

/* Have the name of the user, which libpam may ask for: ctx->user. */
int sr_context_names(struct sr_pam_context *ctx);

/*
 * Look up account, rules and source, unless that was done.  Returns as above,
 * PAM_SUCCESS even for a name that no backend knows.  Until then the name is
 * one that does not exist.
 */
int sr_context_look_up(struct sr_pam_context *ctx);

/* True when the account is one of a configured backend. */
bool sr_context_knows(const struct sr_pam_context *ctx);

/*
 * Look at the account again after a prompt, which may have waited for days:
 * what is verified, and what is replaced, must be the password of now.
 * PAM_SUCCESS also when the account is gone (sr_context_knows() says so);
 * `unavailable` after an outage, which the user has been shown.
 */
int sr_context_refresh(struct sr_pam_context *ctx, int unavailable);

/* Whether the account is not to be refused because it cannot be read: root's
 * login by key and jobs, in programs that run as root. */
bool sr_context_spares_root(const struct sr_pam_context *ctx);

/* The code for an account that is unknown or cannot be asked; `unavailable` is
 * what the caller answers for an outage, which is logged and shown here: but
 * PAM_SUCCESS where root is spared. */
int sr_context_unknown_code(struct sr_pam_context *ctx, int unavailable);

/* Send an event of this call; cause and result may be NULL. */
void sr_context_event(struct sr_pam_context *ctx, enum sr_event_id id,
                      const char *result, const char *cause, int pam_code);

/*
 * Have a text shown (which is freed; NULL shows nothing) before the next prompt
 * or at the end of the call, all of them as one: each text is a round of its
 * own in newer versions of sshd, and a dialog in desktops.
 */
void sr_context_tell(struct sr_pam_context *ctx, int style, char *text);
void sr_context_tell_text(struct sr_pam_context *ctx, int style,
                          enum sr_text text);

/*
 * Whether texts are not shown because of PAM_SILENT.  In a change they are all
 * the same, as those of pam_pwquality: a user who is asked for a new
 * password has to know which ones are accepted (su-rs and sudo-rs set
 * PAM_SILENT there, too).
 */
bool sr_context_is_silent(const struct sr_pam_context *ctx);

/* Have the application ask or show something, in its own locale; as
 * pam_prompt(). */
int sr_context_converse(struct sr_pam_context *ctx, int style, char **answer,
                        const char *text);

/* Show them now, unless sr_context_is_silent().  A conversation that fails
 * never fails the call. */
void sr_context_show(struct sr_pam_context *ctx);

/* Add what this host remembers to the facts.  PAM_SUCCESS; or `unavailable`,
 * and it has been logged and shown. */
int sr_context_recall(struct sr_pam_context *ctx, bool with_source,
                      int unavailable);

/* The PAM code of an answer. */
int sr_answer_code(enum sr_answer answer);

#endif
