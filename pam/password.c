/*
 * Password: chauthtok in its two passes, and the part after the module that
 * stores.
 *
 * Each pass makes all its checks itself, because libpam may reach UPDATE in a
 * module whose PRELIM it skipped.  Nothing is remembered of a change before the
 * store (pam_unix behind us) has it: that is what the settle line is for.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "pam/internal.h"
#include "policy/backend/registry.h"
#include "policy/util/siphash.h"
#include "policy/password/quality.h"
#include "policy/throttle/slots.h"

#define PENDING_DATA "selfreset_pending"

/* A change on its way: made in UPDATE, finished or thrown away in settle. */
struct pending {
    uid_t uid;       /* whose */
    uint64_t before; /* hash of the stored hash before the change, by key */
    uint8_t key[16];
    struct sr_history_probe probe;
    struct sr_history history; /* begun here, when there was none */
    bool began_history;
    bool by_admin;
    bool is_stored; /* by the backend itself, in UPDATE */
};

/* What a pass has found out about the change. */
struct change {
    struct sr_pam_context *ctx;
    struct sr_caller caller;
    struct sr_verdict verdict;
    char *old;   /* the current password; NULL for an administrator */
    char *fresh; /* the new one, when it is a good one */
    struct pending *pending;
    bool is_logged; /* that it failed, and why */
};

static void
pending_free(struct pending *pending)
{
    if (pending != NULL)
        explicit_bzero(pending, sizeof(*pending));
    free(pending);
}

static void
pending_cleanup(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    pending_free(data);
}

static const struct pending *
pending_find(const struct sr_pam_context *ctx)
{
    const void *data = NULL;

    return pam_get_data(ctx->pamh, PENDING_DATA, &data) == PAM_SUCCESS ? data
                                                                       : NULL;
}

/* A change that was begun on this handle and never stored is over. */
static void
pending_drop(struct sr_pam_context *ctx)
{
    if (pending_find(ctx) != NULL)
        pam_set_data(ctx->pamh, PENDING_DATA, NULL, NULL);
}

static void
change_end(struct change *change)
{
    sr_secret_free(&change->old);
    sr_secret_free(&change->fresh);
    pending_free(change->pending);
}

static void
findings_end(struct sr_findings *findings)
{
    sr_findings_free(findings);
}

static void
store_end(struct sr_store **store)
{
    sr_store_close(*store);
}

static bool
is_forced(const struct sr_pam_context *ctx)
{
    return (ctx->flags & PAM_CHANGE_EXPIRED_AUTHTOK) != 0;
}

/* It failed: one record, by whoever knows the cause. */
static void
log_failure(struct change *change, const char *cause, int code)
{
    if (!change->is_logged)
        sr_context_event(change->ctx, SR_EVENT_CHANGE_FAILED, "failed", cause,
                         code);
    change->is_logged = true;
}

/* ---- whether the change may happen at all */

static int
refuse_state(struct change *change, enum sr_answer answer)
{
    struct sr_pam_context *ctx = change->ctx;
    struct sr_message_context say = sr_context_message(ctx);
    int code = sr_answer_code(answer);

    sr_context_verdict_event(ctx, &change->verdict, code);
    log_failure(change, sr_state_name(change->verdict.state), code);
    sr_context_tell(ctx, PAM_ERROR_MSG,
                    sr_message_verdict(&change->verdict, answer, &say));
    return code;
}

static int
refuse_change(struct change *change, const struct sr_change *rule)
{
    struct sr_pam_context *ctx = change->ctx;
    struct sr_message_context say = sr_context_message(ctx);
    int code =
        rule->result == SR_CHANGE_TOO_YOUNG ? PAM_AUTHTOK_ERR : PAM_PERM_DENIED;

    if (rule->result == SR_CHANGE_REQUIRE_LOGON)
        sr_context_event(ctx, SR_EVENT_NEEDS_LOGON, "failed", rule->rule, code);
    else
        log_failure(change, rule->rule, code);
    sr_context_tell(ctx, PAM_ERROR_MSG, sr_message_change(rule, &say));
    return code;
}

/* A forced change was asked for, and none is due. */
static int
refuse_not_due(struct change *change)
{
    log_failure(change, "not-expired", PAM_AUTHTOK_ERR);
    sr_context_tell_text(change->ctx, PAM_ERROR_MSG, SR_TEXT_NOT_DUE);
    return PAM_AUTHTOK_ERR;
}

/* Everything that can be said before a password is typed. */
static int
check_may_change(struct change *change)
{
    struct sr_pam_context *ctx = change->ctx;
    enum sr_answer answer;
    struct sr_change rule;
    int code;

    if (!sr_context_knows(ctx))
        return sr_context_unknown_code(ctx, PAM_TRY_AGAIN);
    code = sr_context_recall(ctx, true, PAM_TRY_AGAIN);
    if (code != PAM_SUCCESS)
        return code;
    change->caller = sr_transaction_caller(&ctx->txn, is_forced(ctx));
    change->verdict = sr_context_verdict(ctx, &change->caller);
    rule = sr_change(&ctx->txn.account->facts, &ctx->txn.rules, &change->caller,
                     sr_context_message(ctx).now);
    /* All else is known when its owner has proved the current password. */
    if (ctx->txn.account->is_closed)
        return rule.result == SR_CHANGE_ALLOWED ? PAM_SUCCESS
                                                : refuse_change(change, &rule);
    answer = sr_verdict_answer(&change->verdict, SR_CALL_CHANGE,
                               &ctx->txn.rules, &change->caller);
    if (answer != SR_ANSWER_OK)
        return refuse_state(change, answer);
    if (rule.result != SR_CHANGE_ALLOWED)
        return refuse_change(change, &rule);
    if (is_forced(ctx) && !sr_verdict_is_change_due(&change->verdict))
        return refuse_not_due(change);
    return PAM_SUCCESS;
}

/* ---- the current password */

static int
verify_old(struct change *change, const char *password)
{
    struct sr_pam_context *ctx = change->ctx;

    switch (sr_verify(ctx, password)) {
    case SR_VERIFIED_RIGHT:
        return PAM_SUCCESS;
    case SR_VERIFIED_WRONG:
        sr_context_event(ctx, SR_EVENT_WRONG_CURRENT, "failed", NULL,
                         PAM_AUTH_ERR);
        sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_WRONG_CURRENT);
        return PAM_AUTH_ERR;
    case SR_VERIFIED_LOCKED:
        return PAM_PERM_DENIED;
    case SR_VERIFIED_UNAVAILABLE:
        break;
    }
    return PAM_TRY_AGAIN;
}

/* The current password as typed: left by another module, or asked for. */
static int
type_old(struct change *change)
{
    struct sr_pam_context *ctx = change->ctx;
    const void *item = NULL;
    int code;

    change->old =
        sr_authtok_cache_get(ctx->pamh, SR_AUTHTOK_TYPED, ctx->user, NULL);
    sr_authtok_cache_drop(ctx->pamh,
                          SR_AUTHTOK_TYPED); /* once: it may be wrong */
    if (change->old != NULL)
        return PAM_SUCCESS;
    if (pam_get_item(ctx->pamh, PAM_OLDAUTHTOK, &item) == PAM_SUCCESS &&
        item != NULL) {
        change->old = strdup(item);
        return change->old == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
    }
    if (ctx->args.use_first_pass)
        return PAM_AUTHTOK_RECOVERY_ERR;
    code = sr_prompt_one(ctx, SR_TEXT_PROMPT_CURRENT, &change->old);
    if (code == PAM_SUCCESS)
        code = sr_context_refresh(ctx, PAM_TRY_AGAIN);
    if (code == PAM_SUCCESS)
        code = sr_context_unknown_code(ctx, PAM_TRY_AGAIN); /* gone meanwhile */
    return code == PAM_CONV_ERR ? PAM_AUTHTOK_RECOVERY_ERR : code;
}

/*
 * Have the current password, proved against the hash that is stored now.  A
 * proof of this process (authenticate, or the pass before) stands as long as
 * that hash does; otherwise it is verified, and counted.
 */
static int
prove_old(struct change *change)
{
    struct sr_pam_context *ctx = change->ctx;
    int code;

    if (change->caller.is_admin)
        return PAM_SUCCESS;
    change->old = sr_authtok_cache_get(ctx->pamh, SR_AUTHTOK_PROVED, ctx->user,
                                       ctx->txn.account->secret);
    if (change->old != NULL)
        return PAM_SUCCESS;
    code = type_old(change);
    if (code == PAM_SUCCESS)
        code = verify_old(change, change->old);
    if (code == PAM_SUCCESS)
        code = sr_authtok_cache_put(ctx->pamh, SR_AUTHTOK_PROVED, ctx->user,
                                    ctx->txn.account->secret, change->old);
    return code;
}

/* Whether the change may happen, and the current password. */
static int
check_and_prove(struct change *change)
{
    const struct sr_transaction *txn = &change->ctx->txn;
    int code = check_may_change(change);
    bool was_closed = code == PAM_SUCCESS && txn->account->is_closed;

    if (code == PAM_SUCCESS)
        code = prove_old(change);
    /* Only now there is something to check. */
    if (code == PAM_SUCCESS && was_closed && !txn->account->is_closed)
        code = check_may_change(change);
    return code;
}

int
sr_change_prelim(struct sr_pam_context *ctx)
{
    __attribute__((cleanup(change_end))) struct change change = {.ctx = ctx};
    int code;

    pending_drop(ctx);
    code = check_and_prove(&change);
    if (code == PAM_SUCCESS && change.old != NULL)
        code = pam_set_item(ctx->pamh, PAM_OLDAUTHTOK, change.old);
    if (code != PAM_SUCCESS)
        return code;
    sr_context_event(ctx, SR_EVENT_CHANGE_START, NULL, NULL, -1);
    /*
     * Not a vote: another module stores the password, and it has to be asked
     * too.  In the stacks of the manual this also jumps over its PRELIM, which
     * would hash the current password once more.
     */
    return PAM_IGNORE;
}

/* ---- the new password */

static bool
is_only_advice(const struct change *change, const struct sr_findings *findings)
{
    return !sr_quality_binds(findings, &change->ctx->txn.rules,
                             change->caller.is_admin);
}

static void
show_rules(struct change *change)
{
    __attribute__((cleanup(findings_end))) struct sr_findings rules = {0};

    /* Who is only advised hears of a rule when it is broken: chpasswd sets
     * many passwords in one run. */
    if (is_only_advice(change, &rules))
        return;
    if (sr_quality_rules(&change->ctx->txn.rules, &rules) == SR_QUALITY_DONE)
        sr_context_tell(change->ctx, PAM_TEXT_INFO, sr_message_rules(&rules));
    sr_context_tell(change->ctx, PAM_TEXT_INFO,
                    sr_message_demands(&change->ctx->txn.account->demands));
}

/* The earliest time an entry of the history may be from and still count. */
static sr_time
history_oldest(const struct sr_rules *rules, sr_time now)
{
    return rules->history_age <= 0 ? 0 : now - rules->history_age;
}

/* The store is closed before a word is said or a password hashed: its lock is
 * everybody's. */
static enum sr_store_result
read_history(const struct sr_pam_context *ctx, struct sr_history *history)
{
    __attribute__((cleanup(store_end))) struct sr_store *store = NULL;
    enum sr_store_result result;

    result = sr_store_open(NULL, SR_STORE_READ,
                           sr_attempt_wait_ms(&ctx->txn.rules), &store);
    if (result == SR_STORE_OK)
        result = sr_store_begin(store, false);
    if (result == SR_STORE_OK)
        result =
            sr_store_get_history(store, ctx->txn.account->facts.uid, history);
    return result;
}

/*
 * Load the history once for the change.  Where there is none yet, it begins
 * with the current password, whose clear text is at hand now and never again.
 */
static int
load_history(struct change *change)
{
    const struct sr_rules *rules = &change->ctx->txn.rules;
    const struct sr_facts *facts = &change->ctx->txn.account->facts;
    struct sr_history *history = &change->pending->history;
    struct sr_history_probe probe;
    enum sr_store_result result;

    if (rules->history == 0)
        return PAM_SUCCESS;
    result = read_history(change->ctx, history);
    if (result == SR_STORE_OK)
        return PAM_SUCCESS;
    if (result != SR_STORE_NOT_FOUND) {
        sr_context_event(change->ctx, SR_EVENT_STATE, "failed",
                         sr_store_strerror(result), PAM_AUTHTOK_ERR);
        sr_context_tell_text(change->ctx, PAM_ERROR_MSG, SR_TEXT_NOT_RECORDED);
        return PAM_AUTHTOK_ERR;
    }
    memset(history, 0, sizeof(*history));
    change->pending->began_history = true;
    if (change->old == NULL || change->old[0] == '\0')
        return PAM_SUCCESS;
    if (sr_history_check(history, change->old, rules->history, 0, &probe) ==
        SR_USED_FAILED)
        return PAM_AUTHTOK_ERR;
    sr_history_record(history, &probe, rules->history, 0,
                      SR_TIME_IS_SET(facts->password_changed)
                          ? facts->password_changed
                          : sr_context_message(change->ctx).now);
    return PAM_SUCCESS;
}

/* The history is asked only about a password with nothing else against it. */
static enum sr_quality
check_history(struct change *change, const char *fresh,
              struct sr_findings *findings)
{
    const struct sr_rules *rules = &change->ctx->txn.rules;
    struct sr_message_context say = sr_context_message(change->ctx);
    enum sr_quality quality = SR_QUALITY_DONE;
    char *text;

    if (rules->history == 0)
        return SR_QUALITY_DONE;
    switch (sr_history_check(
        &change->pending->history, fresh, rules->history,
        history_oldest(rules, sr_context_message(change->ctx).now),
        &change->pending->probe)) {
    case SR_USED_NO:
        return SR_QUALITY_DONE;
    case SR_USED_YES:
        text = sr_message_text(SR_TEXT_USED_BEFORE, &say);
        break;
    default:
        text = sr_message_text(SR_TEXT_UNAVAILABLE, &say);
        quality = SR_QUALITY_UNAVAILABLE;
        break;
    }
    if (text == NULL || sr_findings_add(findings, "hist", text) != 0)
        quality = SR_QUALITY_UNAVAILABLE;
    free(text);
    return quality;
}

/* The ids of what is broken, for the log: never the texts. */
static void
log_findings(struct change *change, const struct sr_findings *findings,
             int pam_code)
{
    char ids[200] = "";

    for (size_t i = 0; i < findings->count; i++) {
        size_t used = strlen(ids);

        snprintf(ids + used, sizeof(ids) - used, "%s%s", used == 0 ? "" : ",",
                 findings->item[i].id);
    }
    sr_context_event(change->ctx, SR_EVENT_POLICY, "failed", ids, pam_code);
}

/* Judge one candidate.  `tries_left` is what remains after it. */
static int
judge(struct change *change, const char *fresh, int tries_left)
{
    __attribute__((cleanup(findings_end))) struct sr_findings findings = {0};
    struct sr_pam_context *ctx = change->ctx;
    struct utsname host;
    struct sr_candidate candidate = {
        .password = fresh,
        .old = change->old,
        .user = ctx->user,
        .gecos = ctx->txn.account->gecos,
        .host = uname(&host) == 0 ? host.nodename : NULL,
    };
    enum sr_quality quality =
        sr_quality_check(&candidate, &ctx->txn.rules, &findings);
    bool advice;

    if (quality == SR_QUALITY_DONE &&
        (findings.count == 0 || is_only_advice(change, &findings)))
        quality = check_history(change, fresh, &findings);
    if (quality == SR_QUALITY_UNAVAILABLE)
        sr_context_event(ctx, SR_EVENT_QUALITY, "failed", NULL,
                         PAM_AUTHTOK_ERR);
    if (findings.count == 0 && quality == SR_QUALITY_DONE)
        return PAM_SUCCESS;
    advice = is_only_advice(change, &findings);
    log_findings(change, &findings, advice ? PAM_SUCCESS : PAM_AUTHTOK_ERR);
    sr_context_tell(ctx, advice ? PAM_TEXT_INFO : PAM_ERROR_MSG,
                    sr_message_broken(&findings, advice ? -1 : tries_left));
    return advice ? PAM_SUCCESS : PAM_AUTHTOK_ERR;
}

/* One try: prompt, judge, prompt again.  PAM_TRY_AGAIN: another may follow. */
static int
try_new(struct change *change, int tries_left)
{
    __attribute__((cleanup(sr_secret_free))) char *fresh = NULL;
    __attribute__((cleanup(sr_secret_free))) char *again = NULL;
    struct sr_pam_context *ctx = change->ctx;
    int code = sr_prompt_one(ctx, SR_TEXT_PROMPT_NEW, &fresh);

    if (code != PAM_SUCCESS || fresh[0] == '\0') {
        sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_UNCHANGED);
        return PAM_AUTHTOK_ERR; /* the person has given up */
    }
    if (judge(change, fresh, tries_left) != PAM_SUCCESS)
        return PAM_TRY_AGAIN;
    code = sr_prompt_one(ctx, SR_TEXT_PROMPT_AGAIN, &again);
    if (code != PAM_SUCCESS) {
        sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_UNCHANGED);
        return PAM_AUTHTOK_ERR;
    }
    if (strcmp(fresh, again) != 0) {
        sr_context_tell(ctx, PAM_ERROR_MSG, sr_message_mismatch(tries_left));
        return PAM_TRY_AGAIN;
    }
    change->fresh = fresh;
    fresh = NULL;
    return PAM_SUCCESS;
}

/* A new password that an earlier module took: judged once, never asked for. */
static int
use_new(struct change *change)
{
    const void *item = NULL;

    if (pam_get_item(change->ctx->pamh, PAM_AUTHTOK, &item) != PAM_SUCCESS ||
        item == NULL)
        return PAM_AUTHTOK_ERR;
    change->fresh = strdup(item);
    if (change->fresh == NULL)
        return PAM_BUF_ERR;
    return judge(change, change->fresh, 0);
}

/* ---- storing it */

static int
pending_new(struct change *change)
{
    const char *secret = change->ctx->txn.account->secret;
    struct pending *pending = calloc(1, sizeof(*pending));

    if (pending == NULL)
        return PAM_BUF_ERR;
    change->pending = pending;
    pending->uid = change->ctx->txn.account->facts.uid;
    pending->by_admin = change->caller.is_admin;
    pending->before = sr_siphash(pending->key, secret, strlen(secret));
    return PAM_SUCCESS;
}

/* Whether this is still the stored hash that the change began with. */
static bool
is_as_before(const struct sr_pam_context *ctx, const struct pending *pending)
{
    const char *secret = ctx->txn.account->secret;

    return sr_siphash(pending->key, secret, strlen(secret)) == pending->before;
}

/*
 * The new password took its time to be typed.  What an administrator did in
 * that time, a lock or a reset, is not undone by the owner: pam_unix does not
 * prove the current password again, because hand_over() hides it.
 */
static int
check_again(struct change *change)
{
    struct sr_pam_context *ctx = change->ctx;
    int code;

    if (change->caller.is_admin)
        return PAM_SUCCESS;
    code = sr_context_refresh(ctx, PAM_AUTHTOK_ERR);
    if (code == PAM_SUCCESS)
        code = sr_context_unknown_code(ctx, PAM_AUTHTOK_ERR);
    if (code != PAM_SUCCESS || is_as_before(ctx, change->pending))
        return code;
    log_failure(change, "changed-meanwhile", PAM_AUTHTOK_ERR);
    sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_NOT_STORED);
    return PAM_AUTHTOK_ERR;
}

/* A backend that stores by itself did not: say why.  Another try may help only
 * when it is about the new password. */
static int
refuse_store(struct change *change, enum sr_write written,
             enum sr_refusal refusal, int tries_left)
{
    struct sr_pam_context *ctx = change->ctx;
    struct sr_message_context say = sr_context_message(ctx);
    bool may_help =
        written == SR_WRITE_REFUSED && refusal != SR_REFUSAL_WRONG_OLD &&
        refusal != SR_REFUSAL_NO_RIGHT && refusal != SR_REFUSAL_CANNOT &&
        refusal != SR_REFUSAL_TOO_YOUNG && !ctx->args.use_authtok;

    sr_context_event(ctx,
                     written == SR_WRITE_REFUSED ? SR_EVENT_POLICY
                                                 : SR_EVENT_BACKEND_DOWN,
                     "failed", ctx->txn.reason, PAM_AUTHTOK_ERR);
    if (written == SR_WRITE_REFUSED && ctx->txn.account->server_text != NULL)
        sr_context_tell(ctx, PAM_TEXT_INFO,
                        sr_message_server(ctx->txn.account->server_text));
    if (written == SR_WRITE_REFUSED)
        sr_context_tell(ctx, PAM_ERROR_MSG,
                        sr_message_refusal(refusal, &ctx->txn.account->demands,
                                           may_help ? tries_left : 0, &say));
    else
        sr_context_tell_text(ctx, PAM_ERROR_MSG,
                             written == SR_WRITE_UNSURE ? SR_TEXT_UNSURE
                                                        : SR_TEXT_NOT_SENT);
    return may_help ? PAM_TRY_AGAIN : PAM_AUTHTOK_ERR;
}

/* Store the new password, where the backend does that itself. */
static int
store(struct change *change, int tries_left)
{
    struct sr_transaction *txn = &change->ctx->txn;
    enum sr_refusal refusal = SR_REFUSAL_OTHER;
    enum sr_write written;
    struct sr_call call;
    int code = check_again(change);

    if (code != PAM_SUCCESS)
        return code;
    call = sr_call_make(&txn->account->verifier, txn->connections);
    written = sr_backend_change(&call, txn->account, change->old, change->fresh,
                                &refusal);
    snprintf(txn->reason, sizeof(txn->reason), "%s", call.error.text);
    change->pending->is_stored = written == SR_WRITE_DONE;
    if (written == SR_WRITE_DONE || written == SR_WRITE_BY_OTHER)
        return PAM_SUCCESS;
    sr_secret_free(&change->fresh);
    return refuse_store(change, written, refusal, tries_left);
}

static int
choose_new(struct change *change)
{
    int tries = (int)change->ctx->txn.rules.tries;
    int code = PAM_TRY_AGAIN;

    if (change->ctx->args.use_authtok) {
        code = use_new(change);
        return code == PAM_SUCCESS ? store(change, 0) : code;
    }
    show_rules(change);
    for (int left = tries - 1; code == PAM_TRY_AGAIN && left >= 0; left--) {
        code = try_new(change, left);
        if (code == PAM_SUCCESS)
            code = store(change, left);
    }
    if (code == PAM_TRY_AGAIN) {
        sr_context_tell_text(change->ctx, PAM_ERROR_MSG, SR_TEXT_NO_TRIES);
        code = PAM_AUTHTOK_ERR;
    }
    return code;
}

/* ---- handing over, and what comes after */

/*
 * Give the new password to the module behind us.  The current one is taken out
 * of its sight: it is proved, and pam_unix would hash it twice more.  settle
 * puts it back for keyrings and the like.
 */
static int
hand_over(struct change *change, bool *is_stored)
{
    pam_handle_t *pamh = change->ctx->pamh;
    int code = pam_set_item(pamh, PAM_AUTHTOK, change->fresh);

    *is_stored = change->pending->is_stored;
    if (code == PAM_SUCCESS)
        code = pam_set_item(pamh, PAM_OLDAUTHTOK, NULL);
    if (code == PAM_SUCCESS)
        code =
            pam_set_data(pamh, PENDING_DATA, change->pending, pending_cleanup);
    if (code == PAM_SUCCESS)
        change->pending = NULL;
    return code;
}

int
sr_change_update(struct sr_pam_context *ctx)
{
    __attribute__((cleanup(change_end))) struct change change = {.ctx = ctx};
    bool is_stored = false;
    int code;

    pending_drop(ctx);
    code = check_and_prove(&change);
    if (code == PAM_SUCCESS)
        code = pending_new(&change);
    if (code == PAM_SUCCESS)
        code = load_history(&change);
    if (code == PAM_SUCCESS)
        code = choose_new(&change);
    if (code == PAM_SUCCESS)
        code = hand_over(&change, &is_stored);
    if (code == PAM_TRY_AGAIN)
        code = PAM_AUTHTOK_ERR; /* that is PRELIM's word */
    if (code != PAM_SUCCESS && sr_context_knows(ctx)) {
        sr_authtok_cache_drop(ctx->pamh, SR_AUTHTOK_PROVED);
        log_failure(&change, NULL, code);
    }
    /* Stored already: jump over the module that would. */
    if (code == PAM_SUCCESS && is_stored)
        code = PAM_IGNORE;
    return code;
}

/* Whether what is stored now is what was typed.  A backend that said it has
 * stored it, and cannot be asked again, is believed. */
static bool
is_stored(struct sr_pam_context *ctx, const struct pending *pending)
{
    struct sr_account *account = ctx->txn.account;
    const void *fresh = NULL;
    enum sr_verify_result proof;
    struct sr_call call;

    /* A directory may have nothing that tells one password from the next. */
    if (!pending->is_stored && is_as_before(ctx, pending))
        return false;
    if (pam_get_item(ctx->pamh, PAM_AUTHTOK, &fresh) != PAM_SUCCESS ||
        fresh == NULL)
        return false;
    call = sr_call_make(&account->verifier, ctx->txn.connections);
    proof = sr_backend_verify(&call, account, fresh, false);
    snprintf(ctx->txn.reason, sizeof(ctx->txn.reason), "%s", call.error.text);
    return proof == SR_VERIFY_RIGHT ||
           (proof == SR_VERIFY_UNAVAILABLE && pending->is_stored);
}

static enum sr_store_result
settle_history(struct sr_pam_context *ctx, struct sr_store *store,
               const struct pending *pending)
{
    const struct sr_rules *rules = &ctx->txn.rules;
    uid_t uid = ctx->txn.account->facts.uid;
    sr_time now = sr_context_message(ctx).now;
    struct sr_history history;
    enum sr_store_result result;

    if (!pending->probe.is_valid)
        return SR_STORE_OK;
    result = sr_store_get_history(store, uid, &history);
    if (result == SR_STORE_NOT_FOUND)
        history = pending->history;
    else if (result != SR_STORE_OK)
        return result;
    sr_history_record(&history, &pending->probe, rules->history,
                      history_oldest(rules, now), now);
    return sr_store_put_history(store, uid, &history);
}

/* All that this host remembers of the change, in one transaction. */
static enum sr_store_result
settle_store(struct sr_pam_context *ctx, const struct pending *pending)
{
    __attribute__((cleanup(store_end))) struct sr_store *store = NULL;
    uid_t uid = ctx->txn.account->facts.uid;
    struct sr_ledger_key key[] = {
        sr_ledger_key_account(uid, SR_CLASS_STRANGER),
        sr_ledger_key_account(uid, SR_CLASS_FAMILIAR),
    };
    enum sr_store_result result;

    result = sr_store_open(NULL, SR_STORE_WRITE,
                           sr_attempt_wait_ms(&ctx->txn.rules), &store);
    if (result == SR_STORE_OK)
        result = sr_store_begin(store, true);
    if (result == SR_STORE_OK)
        result = settle_history(ctx, store, pending);
    if (result == SR_STORE_OK)
        result = sr_store_drop_temporary(store, uid);
    /* A new password is not the one that was being guessed. */
    for (size_t i = 0; i < 2 && result == SR_STORE_OK; i++) {
        sr_slots_forget(&key[i], 1);
        result = sr_store_drop_ledger(store, &key[i]);
    }
    if (result == SR_STORE_OK)
        result = sr_store_commit(store);
    return result;
}

static void
restore_old(struct sr_pam_context *ctx)
{
    __attribute__((cleanup(sr_secret_free))) char *old =
        sr_authtok_cache_get(ctx->pamh, SR_AUTHTOK_PROVED, ctx->user, NULL);

    if (old != NULL)
        pam_set_item(ctx->pamh, PAM_OLDAUTHTOK, old);
}

/* Whether the backend took the owner's change for a reset by somebody else, as
 * the proof of the new password has just told. */
static bool
is_due_again(const struct sr_pam_context *ctx, const struct pending *pending)
{
    return pending->is_stored && !pending->by_admin &&
           ctx->txn.account->facts.must_change == SR_YES;
}

int
sr_change_settle(struct sr_pam_context *ctx)
{
    const struct pending *pending = pending_find(ctx);
    enum sr_store_result result;
    int code = PAM_SUCCESS;

    if ((ctx->flags & PAM_PRELIM_CHECK) != 0)
        return sr_context_knows(ctx) ? PAM_SUCCESS : PAM_IGNORE;
    if (!sr_context_knows(ctx) || pending == NULL ||
        pending->uid != ctx->txn.account->facts.uid)
        return PAM_IGNORE;
    if (!is_stored(ctx, pending)) {
        sr_context_event(ctx, SR_EVENT_CHANGE_FAILED, "failed", "not-stored",
                         PAM_AUTHTOK_ERR);
        sr_context_tell_text(ctx, PAM_ERROR_MSG, SR_TEXT_NOT_STORED);
        code = PAM_AUTHTOK_ERR;
    } else {
        result = settle_store(ctx, pending);
        /* The password is changed whatever the store says. */
        if (result != SR_STORE_OK)
            sr_context_event(ctx, SR_EVENT_STATE, "failed",
                             sr_store_strerror(result), -1);
        sr_context_event(
            ctx, pending->by_admin ? SR_EVENT_RESET_OK : SR_EVENT_CHANGE_OK,
            "ok", NULL, PAM_SUCCESS);
        sr_credentials_note(ctx);
        sr_context_publish_anew(ctx);
        if (is_due_again(ctx, pending))
            sr_context_tell_text(ctx, PAM_TEXT_INFO, SR_TEXT_CHANGED_AGAIN);
        else if (is_forced(ctx))
            sr_context_tell_text(ctx, PAM_TEXT_INFO, SR_TEXT_CHANGED);
    }
    restore_old(ctx);
    sr_authtok_cache_drop(ctx->pamh, SR_AUTHTOK_PROVED);
    pending_drop(ctx);
    return code;
}
