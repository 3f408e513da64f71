/*
 * Reset: what an administrator does for self-service reset: issue a ticket,
 * show and clear the gates of an account, send queued messages, try to send
 * one.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config/value.h"
#include "policy/reset/channel.h"
#include "policy/reset/code.h"
#include "policy/reset/known.h"
#include "policy/reset/limit.h"
#include "policy/reset/notice.h"
#include "policy/reset/queue.h"
#include "policy/reset/run.h"
#include "policy/util/io.h"
#include "tools/check/mail_program.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/each.h"
#include "tools/password_gen.h"
#include "tools/report.h"
#include "tools/words.h"

#define LIFETIME_MIN     60
#define LIFETIME_MAX     (24 * 3600)
#define LIFETIME_DEFAULT 3600
#define NOTICE_WAIT_MS   5000 /* for the mail program; the queue is kept */

/* Open the store of self-service reset; CTL_OK, or CTL_FAILED after a message.
 */
static int
open_store(struct sr_store **store)
{
    enum sr_store_result result = sr_enrolment_store(SR_STORE_WRITE, store);

    if (result == SR_STORE_OK)
        result = sr_store_no_write(*store);
    if (result == SR_STORE_OK)
        return CTL_OK;
    ctl_store_error(*store, result);
    ctl_store_close(store);
    return CTL_FAILED;
}

static int
enabled(const struct sr_transaction *txn)
{
    if (txn->rules.reset_enable)
        return CTL_OK;
    ctl_error("Self-service reset is switched off for this account: set "
              "\"enable = yes\" in "
              "[reset] of selfreset.conf.  Nothing was done.");
    return CTL_REFUSED;
}

/* ---- ticket */

struct ticket {
    char code[SR_CODE_SIZE];
    char hash[SR_HASH_MAX];
    char words[SR_WORDS_MAX];
    int64_t lifetime;
    sr_time until; /* wall clock */
};

static bool
put_ticket(void *context, struct sr_enrolment *enrolment,
           const struct sr_account_time *time)
{
    struct ticket *ticket = context;
    struct sr_gate_record *record = &enrolment->gate[SR_GATE_TICKET];

    sr_enrolment_remove(enrolment, SR_GATE_TICKET);
    memcpy(enrolment->ticket, ticket->hash, sizeof(ticket->hash));
    memcpy(enrolment->words, ticket->words, sizeof(ticket->words));
    enrolment->ticket_until = time->now + ticket->lifetime;
    record->since = time->wall;
    ticket->until = time->wall + ticket->lifetime;
    return true;
}

/* The first two words of a phrase. */
static bool
make_words(char words[SR_WORDS_MAX])
{
    char phrase[PHRASE_LENGTH_MAX + 1];
    size_t length;

    memset(words, 0, SR_WORDS_MAX);
    if (!phrase_make(phrase_getrandom, 0, phrase, sizeof(phrase)))
        return false;
    length = strcspn(phrase, "-");
    if (phrase[length] != '\0')
        length += 1 + strcspn(phrase + length + 1, "-");
    if (length < SR_WORDS_MAX)
        memcpy(words, phrase, length);
    explicit_bzero(phrase, sizeof(phrase));
    return words[0] != '\0';
}

/* Root on behalf of another user: not for the account of that user. */
static bool
is_for_oneself(const struct sr_transaction *txn)
{
    const char *sudo = getenv("SUDO_UID");
    uid_t login = (uid_t)-1;
    FILE *file = fopen("/proc/self/loginuid", "re");
    unsigned long number;

    if (file != NULL) {
        if (fscanf(file, "%lu", &number) == 1)
            login = (uid_t)number;
        fclose(file);
    }
    return txn->uid == login ||
           (sudo != NULL && strtoul(sudo, NULL, 10) == txn->uid);
}

static int
admit(const struct ctl *ctl, const struct sr_transaction *txn)
{
    int code = enabled(txn);

    if (code == CTL_OK)
        code = ctl_admit(ctl, txn);
    if (code != CTL_OK)
        return code;
    if (!sr_string_list_has(&txn->rules.reset_classes,
                            sr_gate_name(SR_GATE_TICKET)))
        ctl_error("reset.classes has no \"ticket\" for %s.  Nothing was done.",
                  txn->name);
    else if (txn->uid == 0)
        ctl_error("The password of root is never reset by self-service.  "
                  "Nothing was done.");
    else if (is_for_oneself(txn))
        ctl_error("A ticket cannot be issued for oneself.  Nothing was done.");
    else
        return CTL_OK;
    return CTL_REFUSED;
}

static int
make_ticket(struct ticket *ticket, char ref[SR_CODE_SIZE])
{
    char plain[SR_CODE_SIZE];
    const bool is_made = sr_code_make(ref, SR_REF_LENGTH, 4) &&
                         sr_code_make(ticket->code, SR_TICKET_LENGTH, 5) &&
                         sr_code_read(ticket->code, SR_TICKET_LENGTH, plain) &&
                         sr_code_hash(plain, ticket->hash) == 0 &&
                         make_words(ticket->words);

    explicit_bzero(plain, sizeof(plain));
    if (is_made)
        return CTL_OK;
    ctl_error("There are no random bytes.  Nothing was done.");
    return CTL_FAILED;
}

static int
show_ticket(struct report *report, const char *name,
            const struct ticket *ticket)
{
    char when[REPORT_TEXT_MAX], text[1024];
    int error;

    if (report->is_json) {
        report_text(report, "ticket", ticket->code);
        report_text(report, "words", ticket->words);
        report_time(report, "valid_until", ticket->until);
        return CTL_OK;
    }
    snprintf(text, sizeof(text), "%s\n", ticket->code);
    fflush(stdout);
    error = -sr_write_all(STDOUT_FILENO, text, strlen(text));
    explicit_bzero(text, sizeof(text));
    if (error != 0) {
        ctl_error("The ticket could not be written: %s.  Issue another one.",
                  strerror(error));
        return CTL_PARTLY;
    }
    snprintf(text, sizeof(text),
             _("This ticket for %s is shown only once, can be used once, and "
               "is valid until %s.  When it is accepted, the screen shows two "
               "words that the caller reads to you: %s"),
             name, report_local(ticket->until, when), ticket->words);
    ctl_wrap(stderr, "", 0, text);
    return CTL_OK;
}

/* A ticket that the reset then refuses would help nobody. */
static int
admit_reset(struct sr_run *run)
{
    const char *why = sr_run_obstacle(run);

    if (why == NULL)
        return CTL_OK;
    ctl_error("The password of %s cannot be reset by self-service: %s.  "
              "Nothing was done.",
              run->txn.name, _(why));
    return CTL_REFUSED;
}

/* Store the ticket, and inform the user, whose addresses are kept there. */
static int
put(struct sr_run *run, struct ticket *ticket)
{
    const enum sr_store_result result =
        sr_enrolment_change(run->store, &run->txn, put_ticket, ticket);

    ctl_event_of(SR_EVENT_TICKET_ISSUED, &run->txn.account->facts, NULL,
                 result == SR_STORE_OK,
                 result == SR_STORE_OK ? NULL : "SR-3205", run->ref);
    if (result != SR_STORE_OK) {
        ctl_store_error(run->store, result);
        return CTL_FAILED;
    }
    if (gethostname(run->host, sizeof(run->host) - 1) != 0)
        run->host[0] = '\0';
    sr_notice(run, SR_NOTICE_TICKET, NULL);
    sr_notice_wait(run, NOTICE_WAIT_MS);
    return CTL_OK;
}

static int
issue_ticket(struct ctl *ctl, struct report *report, const char *name,
             const struct sr_transaction *txn)
{
    __attribute__((cleanup(ctl_store_close))) struct sr_store *store = NULL;
    struct sr_run run = {.config = ctl->config, .txn = *txn};
    struct ticket ticket = {.lifetime = *(const int64_t *)ctl->options};
    int code = make_ticket(&ticket, run.ref);

    if (code == CTL_OK)
        code = open_store(&store);
    run.store = store;
    if (code == CTL_OK)
        code = admit_reset(&run);
    if (code == CTL_OK)
        code = put(&run, &ticket);
    ctl->is_changed = code == CTL_OK;
    if (code == CTL_OK)
        code = show_ticket(report, name, &ticket);
    explicit_bzero(&ticket, sizeof(ticket));
    return code;
}

static int
ticket_one(struct ctl *ctl, struct report *report, const char *name)
{
    struct sr_transaction txn;
    int code = ctl_transaction_begin(ctl, name, NULL, &txn);

    if (code == CTL_OK)
        code = admit(ctl, &txn);
    if (code == CTL_OK && ctl->is_dry_run) {
        ctl->is_changed = true;
        ctl_print(ctl, "A ticket for %s would be issued.", name);
    } else if (code == CTL_OK) {
        code = issue_ticket(ctl, report, name, &txn);
    }
    sr_transaction_end(&txn);
    return code;
}

int
ctl_ticket(struct ctl *ctl, int argc, char **argv)
{
    const char *lifetime = NULL;
    const struct ctl_option options[] = {{"lifetime", NULL, &lifetime}};
    int64_t seconds = LIFETIME_DEFAULT;

    if (!ctl_parse(ctl, argc, argv, options, 1, 1, 1))
        return ctl->exit;
    if (lifetime != NULL && (sr_config_duration(lifetime, &seconds) != 0 ||
                             seconds < LIFETIME_MIN || seconds > LIFETIME_MAX))
        return ctl_usage(ctl, "--lifetime must be a duration from 1m to 24h.");
    ctl->options = &seconds;
    return ctl_each(ctl, "user", ticket_one);
}

/* ---- gates */

struct clearing {
    bool has_all;
    bool has_unlock;
    const char *gate;
};

static const char *const validity_words[] = {
    [SR_VALID] = "valid",
    [SR_OVERDUE] = "overdue",
    [SR_LAPSED] = "lapsed",
};

/* How old the confirmations of a channel's addresses are, and whether the
 * directory still has those that it had. */
static void
report_addresses(struct report *report, const struct sr_transaction *txn,
                 const struct sr_enrolment *enrolment,
                 enum sr_channel_id channel, sr_time wall)
{
    struct sr_known known;
    char name[16];

    sr_known_read(txn, channel, &known);
    for (unsigned i = 0; i < SR_ADDRESSES; i++) {
        const struct sr_confirmation *const confirmation =
            &enrolment->confirmation[channel][i];
        const char *const address = sr_enrolment_text(enrolment, channel, i);

        if (address[0] == '\0')
            continue;
        snprintf(name, sizeof(name), "address_%u", i + 1);
        report_section(report, name, name);
        report_time(report, "confirmed",
                    sr_enrolment_confirmed(enrolment, channel, i));
        report_text(report, "confirmation",
                    validity_words[sr_enrolment_validity(
                        enrolment, channel, i, &txn->config->reset, wall)]);
        report_text(report, "directory",
                    confirmation->is_known == 0     ? "none"
                    : !known.is_whole               ? "unknown"
                    : sr_known_has(&known, address) ? "same"
                                                    : "changed");
        report_section_end(report);
    }
}

/* Whether the directory still has the keys that it had. */
static void
report_keys(struct report *report, const struct sr_transaction *txn,
            const struct sr_enrolment *enrolment)
{
    static const char *const words[] = {
        [SR_UNKNOWN] = "unknown", [SR_NO] = "changed", [SR_YES] = "same"};
    struct sr_known_keys known = {.count = 0};

    if (enrolment->known_keys != 0)
        sr_known_keys_read(txn, &known);
    for (unsigned i = 0; i < SR_KEYS; i++) {
        const char *const plain = sr_key_plain(enrolment->key[i]);
        char name[16], kind[64];

        if (plain[0] == '\0')
            continue;
        snprintf(name, sizeof(name), "key_%u", i + 1);
        snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(plain, " "), plain);
        report_section(report, name, name);
        report_text(report, "kind", kind);
        report_text(report, "directory",
                    (enrolment->known_keys >> i & 1) == 0
                        ? "none"
                        : words[sr_known_keys_has(&known, plain)]);
        report_section_end(report);
    }
    sr_known_keys_free(&known);
}

/* One gate that is set up, or a ticket that is valid. */
static void
report_gate(struct report *report, struct sr_store *store,
            const struct sr_transaction *txn,
            const struct sr_enrolment *enrolment, enum sr_gate_id gate,
            const struct sr_account_time *time)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    const struct sr_gate_record *record = &enrolment->gate[gate];
    struct sr_standing standing = {.failures = 0};
    const enum sr_channel_id channel = sr_gate_channel(gate);
    char masked[SR_ADDRESS_MAX] = "";
    unsigned left = 0;

    if (record->since == 0)
        return;
    sr_gate_standing(store, &id, gate, &standing);
    for (int i = 0; i < SR_CODES_COUNT; i++)
        left += enrolment->code[i][0] != '\0';
    report_section(report, sr_gate_name(gate), sr_gate_name(gate));
    report_time(report, "set_up", record->since);
    report_bool(report, "usable",
                sr_enrolment_has(enrolment, gate, &txn->config->reset, time));
    report_time_or(report, "last_used",
                   record->used == 0 ? SR_TIME_UNKNOWN : record->used, "never");
    if (gate == SR_GATE_CODES)
        report_number(report, "codes_left", left);
    if (gate == SR_GATE_CONTACT) {
        report_text(report, "name", enrolment->contact.name);
        report_bool(report, "accepted", enrolment->contact.accepted != 0);
    }
    if (channel != SR_CHANNEL_MAIL && channel < SR_CHANNELS)
        sr_channel_mask(channel, sr_enrolment_text(enrolment, channel, 0),
                        masked);
    if (masked[0] != '\0')
        report_text(report, "number", masked);
    if (channel < SR_CHANNELS)
        report_addresses(report, txn, enrolment, channel, time->wall);
    if (gate == SR_GATE_KEY)
        report_keys(report, txn, enrolment);
    report_number(report, "wrong_answers", standing.in_a_row);
    report_lockout(report, &standing.lockout);
    report_section_end(report);
}

static bool
is_meant(const struct clearing *clearing, enum sr_gate_id gate)
{
    return clearing->gate == NULL ||
           strcmp(clearing->gate, sr_gate_name(gate)) == 0;
}

static bool
clear_in(void *context, struct sr_enrolment *enrolment,
         const struct sr_account_time *time)
{
    const struct clearing *clearing = context;

    (void)time;
    if (clearing->has_unlock)
        enrolment->reported = enrolment->app_wrong = 0;
    for (int i = 0; i < SR_GATE_COUNT; i++) {
        const enum sr_gate_id gate = (enum sr_gate_id)i;

        if (!clearing->has_unlock && is_meant(clearing, gate))
            sr_enrolment_remove(enrolment, gate);
    }
    return true;
}

/* Whether there is something to clear; what cannot be read is. */
static bool
has_any(const struct clearing *clearing, const struct sr_transaction *txn,
        struct sr_store *store)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    const enum sr_store_result result =
        sr_enrolment_get(store, txn, &enrolment, &time);
    bool has = result != SR_STORE_OK && result != SR_STORE_NOT_FOUND;

    if (clearing->has_unlock && result == SR_STORE_OK)
        has = enrolment.reported != 0 || enrolment.app_wrong != 0;
    for (int i = 0; i < SR_GATE_COUNT && !has; i++) {
        const enum sr_gate_id gate = (enum sr_gate_id)i;
        struct sr_standing standing = {.failures = 0};

        if (!is_meant(clearing, gate))
            continue;
        sr_gate_standing(store, &id, gate, &standing);
        has = standing.failures != 0 || standing.in_a_row != 0 ||
              sr_lockout_is(&standing.lockout) ||
              (!clearing->has_unlock && result == SR_STORE_OK &&
               enrolment.gate[gate].since != 0);
    }
    explicit_bzero(&enrolment, sizeof(enrolment));
    return has;
}

static enum sr_store_result
clear_records(const struct sr_transaction *txn, struct sr_store *store,
              struct clearing *clearing)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    enum sr_store_result result =
        sr_enrolment_change(store, txn, clear_in, clearing);

    if ((result == SR_STORE_VERSION || result == SR_STORE_SEALED) &&
        clearing->has_all) /* nothing in it can be read or is to be kept */
        result = sr_enrolment_drop(store, txn);
    for (int i = 0; i < SR_GATE_COUNT && result == SR_STORE_OK; i++) {
        const enum sr_gate_id gate = (enum sr_gate_id)i;

        if (is_meant(clearing, gate))
            result = sr_gate_clear(store, &id, gate);
    }
    return result;
}

static int
clear_gates(struct ctl *ctl, const struct sr_transaction *txn,
            struct sr_store *store)
{
    struct clearing *clearing = (struct clearing *)(uintptr_t)ctl->options;
    const bool has = has_any(clearing, txn, store);
    enum sr_store_result result = SR_STORE_OK;

    if (!ctl->is_dry_run)
        result = clear_records(txn, store, clearing);
    if (has && !ctl->is_dry_run)
        ctl_event(clearing->has_unlock ? SR_EVENT_UNLOCKED
                                       : SR_EVENT_GATE_REMOVED,
                  &txn->account->facts, NULL, result == SR_STORE_OK,
                  clearing->has_unlock     ? "self-service reset"
                  : clearing->gate == NULL ? "all"
                                           : clearing->gate);
    if (result != SR_STORE_OK) {
        ctl_store_error(store, result);
        return CTL_FAILED;
    }
    ctl->is_changed = has;
    if (clearing->has_unlock)
        ctl_print(ctl,
                  !has ? N_("Self-service reset of %s is not locked.")
                  : ctl->is_dry_run
                      ? N_("Self-service reset of %s would be unlocked.")
                      : N_("Self-service reset of %s is unlocked."),
                  txn->name);
    else
        ctl_print(ctl,
                  !has ? N_("There is nothing to remove from the account %s.")
                  : ctl->is_dry_run
                      ? N_("It would be removed from the account %s.")
                      : N_("It is removed from the account %s."),
                  txn->name);
    return CTL_OK;
}

static int
list_gates(struct report *report, const struct sr_transaction *txn,
           struct sr_store *store)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    const enum sr_store_result result =
        sr_enrolment_get(store, txn, &enrolment, &time);

    if (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND) {
        ctl_store_error(store, result);
        return CTL_FAILED;
    }
    report_time_or(
        report, "reported",
        enrolment.reported == 0 ? SR_TIME_UNKNOWN : enrolment.reported, "no");
    for (int gate = 0; gate < SR_GATE_COUNT; gate++)
        report_gate(report, store, txn, &enrolment, (enum sr_gate_id)gate,
                    &time);
    explicit_bzero(&enrolment, sizeof(enrolment));
    return CTL_OK;
}

static int
gates_one(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(ctl_store_close))) struct sr_store *store = NULL;
    const struct clearing *clearing = ctl->options;
    struct sr_transaction txn;
    int code = ctl_transaction_begin(ctl, name, NULL, &txn);

    if (code == CTL_OK)
        code = open_store(&store);
    if (code == CTL_OK)
        code =
            clearing->has_all || clearing->has_unlock || clearing->gate != NULL
                ? clear_gates(ctl, &txn, store)
                : list_gates(report, &txn, store);
    sr_transaction_end(&txn);
    return code;
}

int
ctl_gates(struct ctl *ctl, int argc, char **argv)
{
    struct clearing clearing = {.gate = NULL};
    const struct ctl_option options[] = {
        {"clear", NULL, &clearing.gate},
        {"clear-all", &clearing.has_all, NULL},
        {"unlock", &clearing.has_unlock, NULL}};
    bool is_known;

    if (!ctl_parse(ctl, argc, argv, options, 3, 1, CTL_MANY))
        return ctl->exit;
    if ((clearing.gate != NULL) + clearing.has_all + clearing.has_unlock > 1)
        return ctl_usage(ctl, "Give one of --clear, --clear-all and --unlock.");
    is_known = clearing.gate == NULL;
    for (int gate = 0; gate < SR_GATE_COUNT && !is_known; gate++)
        is_known =
            strcmp(clearing.gate, sr_gate_name((enum sr_gate_id)gate)) == 0;
    if (!is_known)
        return ctl_usage(ctl,
                         "\"%s\" is not a gate: it is app, codes, "
                         "ticket, mail, key, sms, voice, push or contact.",
                         clearing.gate);
    ctl->options = &clearing;
    return ctl_each(ctl, "user", gates_one);
}

/* ---- notices */

static int
send_queued(struct ctl *ctl, struct report *report, const char *name)
{
    struct sr_queue_result result = {.sent = 0};
    sr_time since;
    int error;

    (void)name;
    error = ctl->is_dry_run ? sr_queue_count(&result.left, &since)
                            : sr_queue_send(ctl->config, &result);
    if (error != 0) {
        ctl_error("The queue of messages cannot be read: %s.",
                  strerror(-error));
        return CTL_FAILED;
    }
    ctl->is_changed =
        result.sent + result.given_up + (ctl->is_dry_run ? result.left : 0) > 0;
    report_number(report, "sent", result.sent);
    report_number(report, "left", result.left);
    report_number(report, "given_up", result.given_up);
    return !ctl->is_dry_run && result.left + result.given_up > 0 ? CTL_PARTLY
                                                                 : CTL_OK;
}

/* One mail by the helper, as a dialogue sends it. */
static int
try_address(struct ctl *ctl, struct report *report, const char *name)
{
    const char *address = ctl->options;
    enum mail_program_answer answer = MAIL_PROGRAM_GOOD;
    char why[MAIL_PROGRAM_TEXT];

    (void)name;
    (void)report;
    if (!ctl->is_dry_run)
        answer = mail_program_try(address, why);
    if (answer == MAIL_PROGRAM_UNASKED)
        ctl_error("selfreset-helper could not be asked: %s.", why);
    else if (answer == MAIL_PROGRAM_BAD)
        ctl_error("The mail program has not taken the mail: %s.", why);
    else
        ctl_print(ctl,
                  ctl->is_dry_run
                      ? N_("A mail to %s would be sent.")
                      : N_("The mail program has taken a mail to %s.  Look "
                           "whether it arrives."),
                  address);
    ctl->is_changed = answer == MAIL_PROGRAM_GOOD;
    return answer == MAIL_PROGRAM_GOOD ? CTL_OK : CTL_FAILED;
}

int
ctl_notices(struct ctl *ctl, int argc, char **argv)
{
    bool sends = false;
    const char *address = NULL;
    const struct ctl_option options[] = {{"send", &sends, NULL},
                                         {"try", NULL, &address}};

    if (!ctl_parse(ctl, argc, argv, options, 2, 0, 0))
        return ctl->exit;
    if (sends == (address != NULL))
        return ctl_usage(ctl, "One of --send and --try is required.");
    if (!ctl_load(ctl))
        return ctl->exit;
    ctl->options = address;
    return ctl_once(ctl, sends ? send_queued : try_address);
}
