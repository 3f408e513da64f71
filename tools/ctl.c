/*
 * Ctl: what the commands of selfresetctl share: the configuration, an account,
 * the store, events and publishing.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config/config.h"
#include "tools/ctl.h"
#include "tools/words.h"

const struct sr_caller ctl_at_login = {
    .is_admin = false,
    .is_logged_on = false,
};

bool
ctl_load(struct ctl *ctl)
{
    struct sr_config_errors errors = {.words = ctl_words};

    if (ctl->config != NULL)
        return true;
    ctl->config = sr_config_load(ctl->config_file, &errors);
    for (size_t i = 0; ctl->config == NULL && i < errors.count; i++) {
        const char *const text = errors.item[i];

        /* Some end with a question, in Japanese with a wide mark. */
        if (text[strlen(text) - 1] == '?' || strstr(text, "\uff1f") != NULL)
            ctl_error("%s", text);
        else
            ctl_error("%s.", text);
    }
    if (ctl->config == NULL)
        ctl_error("The configuration has errors, so nothing was done.");
    sr_config_errors_free(&errors);
    ctl->exit = ctl->config == NULL ? CTL_FAILED : CTL_OK;
    return ctl->config != NULL;
}

/* No backend has the account. */
static void
say_unknown(const char *name, const struct sr_transaction *txn)
{
    if (txn->another[0] != '\0')
        ctl_error("\"%s\" is not an account of this host: %s.", name,
                  _(txn->another));
    else if (getpwnam(name) == NULL)
        ctl_error("Unknown account \"%s\".", name);
    else
        ctl_error("No backend of selfreset.conf has the account \"%s\", so "
                  "another PAM module decides about it.  Only its wrong "
                  "passwords are counted here; \"selfresetctl unlock %s\" "
                  "deletes that count.",
                  name, name);
}

int
ctl_transaction_status(enum sr_status ask, const char *name,
                       const struct sr_transaction *txn)
{
    switch (ask) {
    case SR_STATUS_OK:
        return CTL_OK;
    case SR_STATUS_UNKNOWN_NAME:
        say_unknown(name, txn);
        return CTL_NO_USER;
    case SR_STATUS_NO_MEMORY:
        ctl_error("Out of memory.");
        return CTL_FAILED;
    default:
        ctl_error("The account \"%s\" cannot be read: %s.", name,
                  _(txn->reason));
        return CTL_FAILED;
    }
}

int
ctl_transaction_begin(struct ctl *ctl, const char *name, const char *service,
                      struct sr_transaction *txn)
{
    memset(txn, 0, sizeof(*txn));
    if (!ctl_load(ctl))
        return ctl->exit;
    return ctl_transaction_status(
        sr_transaction_begin(ctl->config, name, service, NULL, txn), name, txn);
}

int
ctl_admit(const struct ctl *ctl, const struct sr_transaction *txn)
{
    const struct sr_caller admin = {.is_admin = true};
    const struct sr_facts *facts = &txn->account->facts;
    struct sr_change change = sr_change(facts, &txn->rules, &admin, ctl->now);

    if (change.result == SR_CHANGE_ALLOWED)
        return CTL_OK;
    ctl_error("The password of %s is protected by %s and cannot be changed "
              "here.  Nothing was done.",
              facts->name, change.rule);
    return CTL_REFUSED;
}

void
ctl_store_error(const struct sr_store *store, enum sr_store_result result)
{
    if (result == SR_STORE_AWAY || result == SR_STORE_SEALED)
        ctl_error("Nothing was done: %s.  The log says why; \"selfresetctl "
                  "check --backend\" finds out more.",
                  _(sr_store_strerror(result)));
    else if (result == SR_STORE_FAILED && store != NULL)
        ctl_error("The state of this host (%s): %s (%d).  Run \"selfresetctl "
                  "check\" to see what to do.",
                  SR_STATEDIR, _(sr_store_strerror(result)),
                  sr_store_errno(store));
    else
        ctl_error(
            "The state of this host (%s): %s.  Run \"selfresetctl check\" "
            "to see what to do.",
            SR_STATEDIR, _(sr_store_strerror(result)));
}

void
ctl_store_close(struct sr_store **store)
{
    sr_store_close(*store);
    *store = NULL;
}

int
ctl_store(bool write, struct sr_store **store)
{
    enum sr_store_result result = sr_store_open(
        NULL, NULL, write ? SR_STORE_WRITE : SR_STORE_READ, store);

    if (result == SR_STORE_OK && write)
        result = sr_store_no_write(*store);
    if (result == SR_STORE_OK || (!write && result == SR_STORE_NOT_FOUND))
        return CTL_OK;
    ctl_store_error(*store, result);
    ctl_store_close(store);
    return CTL_FAILED;
}

/* ---- what is remembered of an account */

struct reading {
    struct sr_store *store;
    struct sr_transaction *txn;
    struct sr_limits limits;
    struct ctl_remembered *out;
    enum sr_store_result result;
};

static bool
read_ledger(void *context, const struct sr_ledger_key *key)
{
    static const int which[] = {
        [SR_LEDGER_STRANGERS] = CTL_STRANGERS,
        [SR_LEDGER_OWN] = CTL_OWN,
        [SR_LEDGER_FAMILIAR] = CTL_FAMILIAR,
    };
    struct reading *reading = context;
    struct ctl_ledger *ledger = &reading->out->ledger[which[key->kind]];
    struct sr_standing standing;

    reading->result =
        sr_attempt_standing(reading->store, key, &reading->limits, &standing);
    if (reading->result != SR_STORE_OK)
        return false;
    if (standing.failures > ledger->failures)
        ledger->failures = standing.failures;
    if (standing.in_a_row > ledger->in_a_row)
        ledger->in_a_row = standing.in_a_row;
    ledger->lockout = sr_lockout_merge(ledger->lockout, standing.lockout);
    reading->txn->lockout =
        sr_lockout_merge(reading->txn->lockout, standing.lockout);
    return true;
}

static enum sr_store_result
read_remembered(struct reading *reading)
{
    const struct sr_identity id = sr_identity_of(&reading->txn->account->facts);
    struct sr_memory memory;
    enum sr_store_result result = sr_memory_get(reading->store, &id, &memory);

    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND) {
        sr_attempt_each_ledger(&id, &memory, read_ledger, reading);
        result = reading->result;
    }
    if (result == SR_STORE_OK)
        result = sr_attempt_notice(reading->store, &id, &memory,
                                   &reading->out->notice);
    explicit_bzero(&memory, sizeof(memory));
    return result;
}

int
ctl_drop_ledgers(const struct sr_identity *id, bool *found)
{
    __attribute__((cleanup(ctl_store_close))) struct sr_store *store = NULL;
    enum sr_store_result result;

    *found = false;
    if (ctl_store(true, &store) != CTL_OK)
        return CTL_FAILED;
    result = sr_attempt_clear(store, id, found);
    if (result == SR_STORE_OK)
        return CTL_OK;
    ctl_store_error(store, result);
    return CTL_FAILED;
}

int
ctl_remembered(struct sr_transaction *txn, struct ctl_remembered *out)
{
    __attribute__((cleanup(ctl_store_close))) struct sr_store *store = NULL;
    struct reading reading = {
        .txn = txn,
        .out = out,
        .limits = sr_attempt_account_limits(&txn->rules,
                                            txn->account->facts.uid == 0),
    };
    enum sr_store_result result = SR_STORE_OK;

    memset(out, 0, sizeof(*out));
    for (int i = 0; i < CTL_LEDGERS; i++) {
        out->ledger[i].attempts = reading.limits.attempts;
        out->ledger[i].lockout = sr_lockout_none();
    }
    if (sr_transaction_recall(txn, NULL, NULL) != SR_STORE_OK) {
        ctl_store_error(NULL, txn->store);
        return CTL_FAILED;
    }
    if (ctl_store(false, &store) != CTL_OK)
        return CTL_FAILED;
    reading.store = store;
    if (store != NULL)
        result = read_remembered(&reading);
    if (result == SR_STORE_OK)
        return CTL_OK;
    ctl_store_error(store, result);
    return CTL_FAILED;
}

void
ctl_take_partial(struct sr_transaction *txn,
                 const struct ctl_remembered *remembered,
                 struct ctl_partial *out)
{
    const bool is_familiar =
        sr_lockout_is(&remembered->ledger[CTL_FAMILIAR].lockout) ||
        sr_lockout_is(&remembered->ledger[CTL_OWN].lockout) ||
        sr_lockout_is(&txn->shared.of[SR_CLASS_FAMILIAR]);

    *out = (struct ctl_partial){NULL, SR_TIME_UNKNOWN};
    if (txn->lockout.why != SR_LOCK_WHY_THROTTLE ||
        sr_lockout_is(&txn->everywhere))
        return;
    out->until = txn->lockout.until;
    out->of = is_familiar ? "familiar" : "strangers";
    txn->lockout = sr_lockout_of(&txn->account->facts);
}

const char *
ctl_no_password(const struct sr_account *account)
{
    if (account->facts.has_password != SR_NO)
        return NULL;
    /* passwd -l puts "!" before the hash, usermod -L as well. */
    return account->secret[0] == '!' && strlen(account->secret) > 2 ? "locked"
                                                                    : "none";
}

bool
ctl_is_system(uid_t uid)
{
    return uid < 1000 || (uid >= 60000 && uid <= 65535);
}

/* The user who runs this program, by the login uid of the kernel. */
static void
actor_name(char *out, size_t size)
{
    char text[16] = "";
    struct passwd *entry = NULL;
    int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    if (got > 0 && strtoul(text, NULL, 10) < UINT32_MAX)
        entry = getpwuid((uid_t)strtoul(text, NULL, 10));
    snprintf(out, size, "%s", entry == NULL ? "root" : entry->pw_name);
}

void
ctl_event(enum sr_event_id id, const struct sr_facts *facts, const char *source,
          bool is_ok, const char *cause)
{
    ctl_event_of(id, facts, source, is_ok, cause, NULL);
}

void
ctl_event_of(enum sr_event_id id, const struct sr_facts *facts,
             const char *source, bool is_ok, const char *cause, const char *ref)
{
    char actor[SR_NAME_MAX + 1];
    const char *terminal = isatty(0) ? ttyname(0) : NULL;
    struct sr_event event = {
        .id = id,
        .user = facts == NULL ? NULL : facts->name,
        .uid = facts == NULL ? (uid_t)-1 : facts->uid,
        .source = source,
        .service = "selfresetctl",
        .channel = "tool",
        .backend = facts == NULL ? NULL : facts->backend,
        .result = is_ok ? "ok" : "failed",
        .cause = cause,
        .ref = ref,
        .actor = actor,
        .terminal = terminal,
        .pam_code = -1,
    };

    actor_name(actor, sizeof(actor));
    sr_event_send(&event);
}

void
ctl_publish(const struct ctl *ctl, const char *name)
{
    char reason[SR_ERROR_TEXT_SIZE] = "";
    const char *why = reason;

    switch (sr_publish_account(ctl->config, NULL, NULL, SR_PUBLISHED_DIR, NULL,
                               name, CTL_STORE_WAIT_MS, reason,
                               sizeof(reason))) {
    case SR_PUBLISH_OK:
    case SR_PUBLISH_UNCHANGED:
    case SR_PUBLISH_OFF:
        return;
    case SR_PUBLISH_BUSY:
        why = N_("another program is publishing");
        break;
    case SR_PUBLISH_FULL:
        why = N_("the disk is full");
        break;
    case SR_PUBLISH_FAILED:
        break;
    }
    ctl_error("Warning: the change was made, but the rest of the system still "
              "sees the old state of %s: %s.  Run \"selfreset-publish --user "
              "%s\" to publish the new one.",
              name, _(why), name);
}

struct sr_message_context
ctl_say(const struct ctl *ctl)
{
    struct sr_message_context say = {
        .contact = ctl->config == NULL ? NULL : ctl->config->contact,
        .now = ctl->now,
        .is_admin = false,
    };

    return say;
}
