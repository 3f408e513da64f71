/*
 * Guard: the attempt that another module of the stack decides.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "pam/caller.h"
#include "pam/guard.h"
#include "pam/prompt.h"
#include "policy/config/config.h"
#include "policy/util/siphash.h"

#define GUARD_DATA "selfreset_guard"

struct guard {
    struct sr_verification *attempt; /* NULL once settled */
    struct sr_config *config;
    struct sr_transaction txn;
    char typed[SR_NAME_MAX + 1]; /* the name as typed, cut */
    uint8_t key[16];
    uint64_t password; /* keyed hash of the one that is tried */
};

static void
guard_free(struct guard *guard, bool is_copy)
{
    sr_verification_free(guard->attempt, is_copy);
    sr_transaction_end(&guard->txn);
    sr_config_free(guard->config);
    free(guard);
}

/*
 * libpam's cleanup.  The end of a handle confirms nothing, whatever its status:
 * sshd and lightdm end one with PAM_SUCCESS after a wrong password, too. The
 * connections have their own place in the handle, which may be gone.  In a
 * process copy nothing is settled.
 */
static void
guard_cleanup(pam_handle_t *pamh, void *data, int status)
{
    const bool is_copy = ((unsigned)status & PAM_DATA_SILENT) != 0;
    struct guard *guard = data;

    (void)pamh;
    guard->txn.connections = NULL;
    if (guard->attempt != NULL && !is_copy)
        sr_verify_let_stand(&guard->txn, guard->attempt);
    guard_free(guard, is_copy);
}

/* The guard that the handle keeps, or NULL. */
static struct guard *
find(const pam_handle_t *pamh)
{
    const void *data = NULL;

    if (pam_get_data(pamh, GUARD_DATA, &data) != PAM_SUCCESS)
        return NULL;
    return (struct guard *)(uintptr_t)data; /* libpam says const; it is ours */
}

/* Keep the attempt in the handle, with what settles it. */
static bool
keep(struct sr_pam_context *ctx, const char *password,
     struct sr_verification *attempt)
{
    struct guard *guard = calloc(1, sizeof(*guard));

    if (guard == NULL)
        return false;
    if (getrandom(guard->key, sizeof(guard->key), 0) !=
            (ssize_t)sizeof(guard->key) ||
        pam_set_data(ctx->pamh, GUARD_DATA, guard, guard_cleanup) !=
            PAM_SUCCESS) {
        free(guard);
        return false;
    }
    guard->password = sr_siphash(guard->key, password, strlen(password));
    guard->attempt = attempt;
    guard->config = sr_config_share(ctx->config);
    guard->txn = ctx->txn;
    guard->txn.only = NULL; /* the line's argument is gone by then */
    snprintf(guard->typed, sizeof(guard->typed), "%s", ctx->user);
    ctx->txn.account = NULL;
    ctx->txn.ask = SR_STATUS_UNKNOWN_NAME;
    return true;
}

/* Keep the attempt, if there is one. */
static struct sr_verify_outcome
finish(struct sr_pam_context *ctx, const char *password,
       struct sr_verification *attempt, struct sr_verify_outcome outcome)
{
    if (attempt == NULL || keep(ctx, password, attempt))
        return outcome;
    sr_verify_let_stand(&ctx->txn, attempt);
    sr_verification_free(attempt, false);
    outcome.verified = SR_VERIFIED_UNRECORDED;
    return outcome;
}

struct sr_verify_outcome
sr_guard_begin(struct sr_pam_context *ctx, const char *password)
{
    struct sr_verification *attempt;
    struct sr_verify_outcome outcome;

    ctx->txn.context.is_stand_in = sr_is_sshd_fake(password);
    outcome = sr_verify_ahead(&ctx->txn, password, &attempt);
    return finish(ctx, password, attempt, outcome);
}

struct sr_verify_outcome
sr_guard_unknown(struct sr_pam_context *ctx, const char *password)
{
    struct sr_verification *attempt;
    struct sr_verify_outcome outcome;

    ctx->txn.context.is_stand_in = sr_is_sshd_fake(password);
    outcome = sr_verify_unknown(&ctx->txn, password, &attempt);
    return finish(ctx, password, attempt, outcome);
}

static bool
is_same(const struct sr_transaction *a, const struct sr_transaction *b)
{
    return a->uid == b->uid && strcmp(a->name, b->name) == 0;
}

bool
sr_guard_is_for(const struct sr_pam_context *ctx)
{
    const struct guard *guard = find(ctx->pamh);

    return guard != NULL && guard->attempt != NULL &&
           is_same(&guard->txn, &ctx->txn);
}

void
sr_guard_note(struct sr_pam_context *ctx, const char *password)
{
    keep(ctx, password, NULL); /* at worst it is counted twice */
}

bool
sr_guard_has_run(const struct sr_pam_context *ctx)
{
    const struct guard *guard = find(ctx->pamh);
    const void *password = NULL;

    return guard != NULL && is_same(&guard->txn, &ctx->txn) &&
           pam_get_item(ctx->pamh, PAM_AUTHTOK, &password) == PAM_SUCCESS &&
           password != NULL &&
           guard->password ==
               sr_siphash(guard->key, password, strlen(password));
}

/* Whether the handle is still about the name that was typed then. */
static bool
is_same_user(const pam_handle_t *pamh, const struct guard *guard)
{
    const void *user = NULL;

    return pam_get_item(pamh, PAM_USER, &user) == PAM_SUCCESS && user != NULL &&
           strncmp(guard->typed, user, sizeof(guard->typed) - 1) == 0;
}

/*
 * Whether sshd's list of methods that succeeded has one by which a password is
 * typed.  Each line begins with the method; what follows (a device, a key, a
 * principal) is the client's choice.
 */
static bool
has_password_method(const char *methods)
{
    static const char *const names[] = {"password", "keyboard-interactive"};

    while (*methods != '\0') {
        const size_t length = strcspn(methods, " /\n");

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            if (length == strlen(names[i]) &&
                strncmp(methods, names[i], length) == 0)
                return true;
        }
        methods += strcspn(methods, "\n");
        methods += strspn(methods, "\n");
    }
    return false;
}

/*
 * Whether this is the process that sshd forks for one keyboard-interactive
 * authentication, which calls pam_acct_mgmt after a success only.  Its title is
 * the one thing that distinguishes it from sshd's other processes; the text
 * before the mark has the name of the user.
 */
static bool
is_sshd_authenticator(const pam_handle_t *pamh)
{
    static const char mark[] = " [pam]";
    struct sr_pam_caller caller;
    char path[64], title[512];
    size_t size;
    FILE *file;

    sr_caller_find(pamh, &caller);
    snprintf(path, sizeof(path), "/proc/%s/cmdline",
             caller.process == NULL ? "self" : caller.process);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    size = fread(title, 1, sizeof(title), file);
    fclose(file);
    while (size > 0 && (title[size - 1] == '\0' || title[size - 1] == ' '))
        size--;
    return size >= sizeof(mark) - 1 && memcmp(title + size - (sizeof(mark) - 1),
                                              mark, sizeof(mark) - 1) == 0;
}

/*
 * What the application's next call proves for this attempt. sshd uses the same
 * handle, too, when a key is accepted after a password was refused: it
 * lists what succeeded in SSH_AUTH_INFO_0, but the last method only when the
 * session is opened.
 */
static enum sr_tri
is_success(pam_handle_t *pamh, const struct guard *guard, bool is_session)
{
    const char *methods = pam_getenv(pamh, "SSH_AUTH_INFO_0");

    if (!is_same_user(pamh, guard))
        return SR_NO;
    if (methods == NULL || has_password_method(methods) ||
        (!is_session && is_sshd_authenticator(pamh)))
        return SR_YES;
    return is_session ? SR_NO : SR_UNKNOWN;
}

void
sr_guard_confirm(pam_handle_t *pamh, bool is_session)
{
    struct guard *guard = find(pamh);

    if (guard == NULL || guard->attempt == NULL)
        return;
    switch (is_success(pamh, guard, is_session)) {
    case SR_UNKNOWN:
        return;
    case SR_YES:
        sr_verify_confirm(&guard->txn, guard->attempt);
        sr_verification_free(guard->attempt, false);
        guard->attempt = NULL;
        break;
    case SR_NO:
        break;
    }
    sr_guard_end(pamh);
}

void
sr_guard_end(pam_handle_t *pamh)
{
    if (find(pamh) != NULL)
        pam_set_data(pamh, GUARD_DATA, NULL, NULL);
}
