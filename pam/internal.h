/*
 * The PAM ctx, inside: what the files of this folder share.  Nothing here
 * decides: rooms under policy/ do, and this folder asks them, talks to the
 * person through the conversation, and answers in PAM codes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_INTERNAL_H
#define SR_PAM_INTERNAL_H

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

#include "policy/throttle/attempt.h"
#include "policy/config/config.h"
#include "policy/account/verification.h"
#include "policy/report/event.h"
#include "policy/account/account.h"
#include "policy/password/history.h"
#include "policy/report/message.h"
#include "policy/publish/writer.h"
#include "policy/decide/verdict.h"

/* ---- options.c: the arguments on the pam.d line */

struct sr_args {
    const char *conf;    /* configuration file; NULL: the built-in one */
    const char *backend; /* ask only this backend; NULL: all configured */
    bool debug;
    bool guard;  /* before another module that verifies */
    bool settle; /* after another module that verifies, or stores */
    bool use_authtok;
    bool try_first_pass;
    bool use_first_pass;
};

/*
 * Parse the arguments.  Returns NULL, or the first argument that is unknown or
 * contradicts another.
 */
const char *sr_args_parse(struct sr_args *args, int argc, const char **argv);

/*
 * The arguments this module knows, for the test of the manual page: NULL-ended.
 */
extern const char *const sr_args_names[];

/* ---- context.c: one call of the module */

struct sr_pam_context {
    pam_handle_t *pamh;
    unsigned flags;      /* PAM_SILENT and the like */
    const char *channel; /* "auth", "account", "password", "session" */
    struct sr_args args;
    struct sr_config *config;
    bool is_spare;    /* that is the built-in defaults: the file has an error */
    const char *user; /* belongs to libpam; never NULL after opening */
    const char *service;
    const char *tty;
    uid_t real_uid; /* of the caller; a shield hides it from getuid(2) */
    struct sr_source source;
    struct sr_transaction txn;
    int64_t looked;    /* when the account was looked at, microseconds */
    uint64_t sequence; /* from before that, for what is published */
    uid_t nss_uid;     /* the name's uid by NSS, (uid_t)-1 if none */
    char *text;        /* to be shown, or NULL */
    int text_style;    /* PAM_TEXT_INFO or PAM_ERROR_MSG */
};

/*
 * Begin a call: arguments, right to act, configuration, names, account, source.
 * Returns PAM_SUCCESS even for a name that no backend knows (ctx->txn.ask
 * says so), or the code to answer; the person has then been told why.  End it
 * with sr_context_end() whatever it returned.
 */
int sr_context_begin(struct sr_pam_context *ctx, pam_handle_t *pamh, int flags,
                     const char *channel, int argc, const char **argv);
void sr_context_end(struct sr_pam_context *ctx);

/* True when the account is one of a backend of ours. */
bool sr_context_knows(const struct sr_pam_context *ctx);

/*
 * Look at the account again after a prompt, which may have waited for days:
 * what is proved, and what is replaced, must be the password of now.  Where
 * the answer came at once (sshd's password method has it already) nothing is
 * looked at twice.
 * PAM_SUCCESS also when the account is gone (sr_context_knows() says so); the
 * person has been told of an outage, and `unavailable` is returned.
 */
int sr_context_refresh(struct sr_pam_context *ctx, int unavailable);

/* The sentence for an account that cannot be asked, or a password that cannot be
 * verified. */
enum sr_text sr_context_outage(const struct sr_pam_context *ctx);

/* The code for an account that is not ours or cannot be asked, by call:
 * `unavailable` is what the caller answers for an outage. */
int sr_context_unknown_code(struct sr_pam_context *ctx, int unavailable);

/* Send an event of this call; cause and result may be NULL. */
void sr_context_event(struct sr_pam_context *ctx, enum sr_event_id id,
                      const char *result, const char *cause, int pam_code);

/* The circumstances for messages. */
struct sr_message_context sr_context_message(const struct sr_pam_context *ctx);

/*
 * Have a text shown (which is freed; NULL shows nothing) before the next prompt
 * or at the end of the call, all of them as one: each text is a round of its
 * own in newer versions of sshd, and a dialog in desktops.
 */
void sr_context_tell(struct sr_pam_context *ctx, int style, char *text);
void sr_context_tell_text(struct sr_pam_context *ctx, int style,
                          enum sr_text text);

/* Show them now.  Honours PAM_SILENT.  A conversation that fails never fails
 * the call. */
void sr_context_show(struct sr_pam_context *ctx);

/* Add the store's part to the facts.  PAM_SUCCESS, or the person and the log
 * have been told and `unavailable` is returned. */
int sr_context_recall(struct sr_pam_context *ctx, bool with_source,
                      int unavailable);

/* The verdict on the account, as seen by a change that is forced or not. */
struct sr_verdict sr_context_verdict(const struct sr_pam_context *ctx,
                                     const struct sr_caller *caller);

/* Send the event that belongs to a verdict, when it is one worth recording. */
void sr_context_verdict_event(struct sr_pam_context *ctx,
                              const struct sr_verdict *verdict, int pam_code);

/* ---- publish.c: what the rest of the system sees.  Nothing here fails a call.
 */

/* Publish what was gathered and remembered of the account. */
void sr_context_publish(struct sr_pam_context *ctx);

/* The account was changed: gather anew and publish. */
void sr_context_publish_anew(struct sr_pam_context *ctx);

/*
 * A lockout has begun or ended, or was heard of: the same, with what the
 * attempt has learned of the fleet.  For a name that was not counted as an
 * account of ours (`is_known` false) the same work, for nothing.
 */
void sr_context_publish_lockout(struct sr_pam_context *ctx,
                                const struct sr_verification *enclosed,
                                bool is_known);

/*
 * The latter when the door is closed, with the configuration `conf` read again;
 * `name` NULL: no account of ours.  A failure is sent as `event`, of which the
 * id, the result and the cause are filled in.
 */
void sr_publish_later(const char *conf, const struct sr_verification *enclosed,
                      const char *name, struct sr_event *event);

/* ---- ask.c: passwords from the person */

/*
 * The password for authenticate: the one an earlier module left, or a prompt,
 * after which the account is looked at again.  It stays in PAM_AUTHTOK, where
 * libpam wipes it.
 */
int sr_prompt_password(struct sr_pam_context *ctx, const char **password);

/*
 * Ask for one password without echo into PAM item `item`, or with item < 0
 * into *password only (the caller wipes and frees it).  PAM_CONV_ERR when
 * there was no answer.
 */
int sr_prompt_one(struct sr_pam_context *ctx, enum sr_text prompt,
                  char **password);

/* Wipe and free; for cleanup attributes. */
void sr_secret_free(char **secret);

/* sshd's stand-in for the password of a user it will refuse anyway. */
bool sr_is_sshd_fake(const char *password);

/* ---- verify.c: one password, verified in an enclosed attempt */

enum sr_verified {
    SR_VERIFIED_RIGHT,
    SR_VERIFIED_WRONG,
    SR_VERIFIED_LOCKED,      /* nothing was verified */
    SR_VERIFIED_UNAVAILABLE, /* outage, busy, or not recorded: told already */
};

/*
 * Verify `password` for the account of this call, whatever it is: known or not,
 * locked out or not.  Does the same work in every case, records, sends events,
 * and tells the person of lockouts and outages, but not that it was wrong. When
 * it was right the facts know of a temporary password.
 */
enum sr_verified sr_verify(struct sr_pam_context *ctx, const char *password);

/* Begin an attempt for a module that verifies after us; kept in the handle.
 * Answers like sr_verify(), RIGHT meaning: go on. */
enum sr_verified sr_verify_guard(struct sr_pam_context *ctx,
                                 const char *password);

/* The module after us said right: settle.  False when there was no guard for
 * this user; one for another user is ended. */
bool sr_verify_settle(struct sr_pam_context *ctx);

/*
 * End an attempt that was begun and never settled, before the next try on this
 * handle: its failure stands, and its slots are free.
 */
void sr_verify_guard_end(struct sr_pam_context *ctx);

/* ---- held.c: a password kept from one call to the next */

/*
 * Keep `password` of `user` in the handle, masked and out of core dumps, bound
 * to the stored hash it was proved against.  Replaces one kept before.
 */
int sr_authtok_cache_put(pam_handle_t *pamh, const char *name, const char *user,
                         const char *secret, const char *password);

/*
 * Get it back: a new string, or NULL when none is kept for this user and this
 * stored hash (secret NULL: whatever the hash is).
 */
char *sr_authtok_cache_get(pam_handle_t *pamh, const char *name,
                           const char *user, const char *secret);

/* Wipe it. */
void sr_authtok_cache_drop(pam_handle_t *pamh, const char *name);

#define SR_AUTHTOK_PROVED                                                      \
    "selfreset_proved"                     /* the current password, proved     \
                                            */
#define SR_AUTHTOK_TYPED "selfreset_typed" /* what another module was given */

/* ---- credentials.c: what a verified password leaves for the session */

/* A password was verified: record whether there are credentials, and leave them
 * for another process. */
void sr_credentials_note(struct sr_pam_context *ctx);

/* The login ends before its session begins: remove what was left. */
void sr_credentials_drop(struct sr_pam_context *ctx);

/* Whether there is anything for the calls below to do. */
bool sr_credentials_are_there(pam_handle_t *pamh);

/* Put them into a cache of the user, or renew it; at the beginning of a session
 * only if there is none yet; remove it.  Return PAM_SUCCESS. */
int sr_credentials_establish(struct sr_pam_context *ctx);
int sr_credentials_begin(struct sr_pam_context *ctx);
int sr_credentials_remove(struct sr_pam_context *ctx);

/* ---- the calls */

int sr_authenticate(struct sr_pam_context *ctx);
int sr_account(struct sr_pam_context *ctx);
int sr_change_prelim(struct sr_pam_context *ctx);
int sr_change_update(struct sr_pam_context *ctx);
int sr_change_settle(struct sr_pam_context *ctx);
int sr_session_open(struct sr_pam_context *ctx);

/* The PAM code of an answer. */
int sr_answer_code(enum sr_answer answer);

#endif
