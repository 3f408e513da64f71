/*
 * Query: what is remembered of accounts and sources, outside of an attempt.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/throttle/query.h"

#define MILLISECONDS 1000
#define WAIT_MAX     3600 /* seconds; no login waits longer for a slot */

/* ---- limits and ledgers */

struct sr_limits
sr_attempt_account_limits(const struct sr_rules *rules, bool is_root)
{
    return (struct sr_limits){
        .attempts = is_root && !rules->lock_root ? 0 : rules->attempts,
        .limit = rules->limit,
        .window = rules->window,
        .duration = rules->duration,
        .duration_max = rules->duration_max,
    };
}

struct sr_limits
sr_attempt_source_limits(const struct sr_rules *rules)
{
    struct sr_limits limits = sr_attempt_account_limits(rules, false);

    limits.attempts = rules->source_attempts;
    limits.limit = 0; /* a source has no password that could be off */
    return limits;
}

struct sr_limits
sr_attempt_shared_limits(const struct sr_rules *rules)
{
    struct sr_limits limits = sr_attempt_account_limits(rules, false);

    limits.limit = 0; /* entries of the past are deleted there */
    return limits;
}

unsigned
sr_attempt_wait_ms(const struct sr_rules *rules)
{
    if (rules->wait <= 0)
        return 0;
    return (unsigned)(rules->wait < WAIT_MAX ? rules->wait : WAIT_MAX) *
           MILLISECONDS;
}

static bool
is_familiar(const struct sr_memory *memory, const struct sr_source *source,
            const struct sr_rules *rules)
{
    struct sr_memory *whole = (struct sr_memory *)(uintptr_t)memory;

    return rules->familiar > 0 && source->text[0] != '\0' &&
           sr_memory_familiar(whole, source->text, rules->familiar) != NULL;
}

enum sr_source_class
sr_attempt_class(const struct sr_memory *memory, const struct sr_source *source,
                 const struct sr_rules *rules)
{
    return source->is_own || is_familiar(memory, source, rules)
               ? SR_CLASS_FAMILIAR
               : SR_CLASS_STRANGER;
}

struct sr_ledger_key
sr_attempt_ledger(const struct sr_identity *id, const struct sr_memory *memory,
                  const struct sr_source *source, const struct sr_rules *rules)
{
    if (source->is_own)
        return sr_ledger_key_account(id, SR_LEDGER_OWN, NULL);
    if (is_familiar(memory, source, rules))
        return sr_ledger_key_account(id, SR_LEDGER_FAMILIAR, source->text);
    return sr_ledger_key_account(id, SR_LEDGER_STRANGERS, NULL);
}

void
sr_attempt_each_ledger(
    const struct sr_identity *id, const struct sr_memory *memory,
    bool (*each)(void *context, const struct sr_ledger_key *key), void *context)
{
    struct sr_ledger_key key =
        sr_ledger_key_account(id, SR_LEDGER_STRANGERS, NULL);
    bool goes_on = each(context, &key);

    if (goes_on) {
        key = sr_ledger_key_account(id, SR_LEDGER_OWN, NULL);
        goes_on = each(context, &key);
    }
    for (size_t i = 0; goes_on && i < SR_FAMILIAR_MAX; i++) {
        if (memory->familiar[i].seen == 0)
            continue;
        key = sr_ledger_key_account(id, SR_LEDGER_FAMILIAR,
                                    memory->familiar[i].source);
        goes_on = each(context, &key);
    }
}

/* ---- reading a ledger */

static void
set_standing(const struct sr_fold *fold, const struct sr_limits *limits,
             sr_time now, sr_time wall, struct sr_standing *out)
{
    const uint64_t open = sr_throttle_open(&fold->ledger, limits, now);

    out->notice = fold->notice;
    out->in_a_row = fold->ledger.failures;
    if (limits->attempts == 0)
        return;
    for (unsigned slot = 0; slot < limits->attempts; slot++)
        out->failures += (open >> slot & 1) == 0;
    if (open == 0)
        out->lockout = sr_lockout_until(
            sr_clock_to_wall(sr_throttle_release(&fold->ledger, limits, now),
                             now, wall),
            SR_LOCK_WHY_THROTTLE);
}

enum sr_store_result
sr_attempt_standing(struct sr_store *store, const struct sr_ledger_key *key,
                    const struct sr_limits *limits,
                    struct sr_standing *standing)
{
    struct sr_ledger_file *file;
    enum sr_store_result result;
    struct sr_fold fold;
    sr_time now;

    memset(standing, 0, sizeof(*standing));
    standing->lockout = sr_lockout_none();
    result = sr_ledger_open(store, key, NULL, &file);
    if (result == SR_STORE_NOT_FOUND)
        return SR_STORE_OK;
    if (result == SR_STORE_OK)
        result = sr_ledger_read(file, 0, &fold, &now);
    if (result == SR_STORE_OK)
        set_standing(&fold, limits, now, sr_store_clock(store)->wall, standing);
    sr_ledger_close(file);
    return result;
}

enum sr_store_result
sr_attempt_lockout(struct sr_store *store, const struct sr_identity *id,
                   const struct sr_memory *memory,
                   const struct sr_source *source, const struct sr_rules *rules,
                   const struct sr_lockouts *classes,
                   struct sr_lockout *lockout)
{
    struct sr_limits limits = sr_attempt_account_limits(
        rules, id != NULL && id->uid == 0 && source->text[0] != '\0');
    enum sr_store_result result = SR_STORE_OK;
    struct sr_standing standing;
    struct sr_ledger_key key;
    bool is_alone = false;

    *lockout = sr_lockout_none();
    if (id != NULL && classes != NULL &&
        sr_attempt_class(memory, source, rules) == SR_CLASS_STRANGER) {
        *lockout = classes->of[SR_CLASS_STRANGER];
    } else if (id != NULL) {
        is_alone = limits.attempts > 0 &&
                   sr_attempt_class(memory, source, rules) == SR_CLASS_FAMILIAR;
        key = sr_attempt_ledger(id, memory, source, rules);
        result = sr_attempt_standing(store, &key, &limits, &standing);
        if (result == SR_STORE_OK)
            *lockout = standing.lockout;
    }
    if (result != SR_STORE_OK || is_alone || source->text[0] == '\0')
        return result;
    limits = sr_attempt_source_limits(rules);
    result = sr_ledger_key_source(store, source->text, &key);
    if (result == SR_STORE_NOT_FOUND) /* never written */
        return SR_STORE_OK;
    if (result == SR_STORE_OK)
        result = sr_attempt_standing(store, &key, &limits, &standing);
    if (result == SR_STORE_OK && sr_lockout_is(&standing.lockout)) {
        standing.lockout.why = SR_LOCK_WHY_SOURCE;
        *lockout = sr_lockout_merge(*lockout, standing.lockout);
    }
    return result;
}

/* The class of familiar sources is locked out when each of them is. */
static enum sr_store_result
read_familiar(struct sr_store *store, const struct sr_identity *id,
              const struct sr_memory *memory, const struct sr_rules *rules,
              struct sr_lockouts *classes)
{
    const struct sr_limits limits =
        sr_attempt_account_limits(rules, id->uid == 0);
    struct sr_lockout *familiar = &classes->of[SR_CLASS_FAMILIAR];
    enum sr_store_result result = SR_STORE_OK;
    struct sr_standing standing;

    for (size_t i = 0; result == SR_STORE_OK && i < SR_FAMILIAR_MAX; i++) {
        const struct sr_familiar *entry = &memory->familiar[i];
        struct sr_ledger_key key;

        if (entry->seen == 0 || memory->now - entry->seen >= rules->familiar)
            continue;
        key = sr_ledger_key_account(id, SR_LEDGER_FAMILIAR, entry->source);
        result = sr_attempt_standing(store, &key, &limits, &standing);
        *familiar = classes->has_familiar
                        ? sr_lockout_earlier(*familiar, standing.lockout)
                        : standing.lockout;
        classes->has_familiar = true;
    }
    return result;
}

enum sr_store_result
sr_attempt_classes(struct sr_store *store, const struct sr_identity *id,
                   const struct sr_memory *memory, const struct sr_rules *rules,
                   struct sr_lockouts *classes)
{
    const struct sr_limits limits =
        sr_attempt_account_limits(rules, id->uid == 0);
    const struct sr_ledger_key key =
        sr_ledger_key_account(id, SR_LEDGER_STRANGERS, NULL);
    struct sr_lockout *strangers = &classes->of[SR_CLASS_STRANGER];
    enum sr_store_result result;
    struct sr_standing standing;

    *classes = sr_lockouts_none();
    result = sr_attempt_standing(store, &key, &limits, &standing);
    *strangers = standing.lockout;
    if (result == SR_STORE_OK && rules->familiar > 0 &&
        (rules->lockout_store != SR_LOCKOUT_LOCAL || sr_lockout_is(strangers)))
        result = read_familiar(store, id, memory, rules, classes);
    return result;
}

/* ---- the notice */

struct notice_walk {
    struct sr_store *store;
    struct sr_memory *memory;
    bool is_clearing;
    enum sr_store_result result;
    struct sr_notice notice;
};

/* How many failures of a ledger the user has been informed of. */
static uint32_t *
noticed_of(struct sr_memory *memory, const struct sr_ledger_key *key)
{
    struct sr_familiar *entry;

    if (key->kind != SR_LEDGER_FAMILIAR)
        return &memory->noticed[key->kind == SR_LEDGER_OWN];
    entry = sr_memory_familiar(memory, key->source, SR_TIME_NEVER);
    return entry == NULL ? NULL : &entry->noticed;
}

static bool
add_notice(void *context, const struct sr_ledger_key *key)
{
    static const struct sr_limits no_limits = {.attempts = 0};
    struct notice_walk *walk = context;
    uint32_t *noticed = noticed_of(walk->memory, key);
    struct sr_standing standing;

    walk->result = sr_attempt_standing(walk->store, key, &no_limits, &standing);
    if (walk->result != SR_STORE_OK || noticed == NULL)
        return walk->result == SR_STORE_OK;
    if (standing.notice.failed > *noticed) {
        walk->notice.failed += standing.notice.failed - *noticed;
        if (standing.notice.last > walk->notice.last) {
            walk->notice.last = standing.notice.last;
            memcpy(walk->notice.from, standing.notice.from,
                   sizeof(walk->notice.from));
        }
    }
    *noticed = standing.notice.failed;
    return true;
}

enum sr_store_result
sr_attempt_notice(struct sr_store *store, const struct sr_identity *id,
                  const struct sr_memory *memory, struct sr_notice *notice)
{
    struct sr_memory copy = *memory;
    struct notice_walk walk = {.store = store, .memory = &copy};

    sr_attempt_each_ledger(id, &copy, add_notice, &walk);
    *notice = walk.notice;
    explicit_bzero(&copy, sizeof(copy));
    return walk.result;
}

/* ---- a login */

struct login {
    struct sr_store *store;
    const struct sr_identity *id;
    const struct sr_source *source;
    const struct sr_rules *rules;
    struct sr_notice notice;
    enum sr_store_result result;
};

/* The entry to be replaced: an unused one, else the one not seen the longest.
 */
static struct sr_familiar *
oldest_familiar(struct sr_memory *memory)
{
    struct sr_familiar *oldest = &memory->familiar[0];

    for (size_t i = 1; i < SR_FAMILIAR_MAX; i++) {
        if (memory->familiar[i].seen < oldest->seen)
            oldest = &memory->familiar[i];
    }
    return oldest;
}

/* With a source that is replaced its ledger is removed. */
static void
replace_familiar(const struct login *login, struct sr_familiar *entry)
{
    if (entry->seen != 0) {
        const struct sr_ledger_key key =
            sr_ledger_key_account(login->id, SR_LEDGER_FAMILIAR, entry->source);

        sr_store_drop(login->store, SR_STORE_SAVED, key.path);
    }
    memset(entry, 0, sizeof(*entry));
    memcpy(entry->source, login->source->text, sizeof(entry->source));
}

/* Remember the source; returns whether that changed anything. */
static bool
note_source(const struct login *login, struct sr_memory *memory, bool is_dry)
{
    const struct sr_source *source = login->source;
    struct sr_familiar *entry;

    /* A place becomes familiar, not another user who became this one once: his
     * guesses would count where the owner's sessions do. */
    if (source->is_user || source->text[0] == '\0' ||
        login->rules->familiar <= 0)
        return false;
    entry = sr_memory_familiar(memory, source->text, SR_TIME_NEVER);
    if (entry != NULL && memory->now - entry->seen < SR_DAY)
        return false;
    if (is_dry)
        return true;
    if (entry == NULL) {
        entry = oldest_familiar(memory);
        replace_familiar(login, entry);
    }
    entry->seen = memory->now;
    return true;
}

static bool
note_login(void *context, struct sr_memory *memory)
{
    struct login *login = context;
    struct notice_walk walk = {.store = login->store, .memory = memory};

    sr_attempt_each_ledger(login->id, memory, add_notice, &walk);
    login->notice = walk.notice;
    login->result = walk.result;
    note_source(login, memory, false);
    return true;
}

enum sr_store_result
sr_attempt_logged_in(struct sr_store *store, const struct sr_identity *id,
                     const struct sr_source *source,
                     const struct sr_rules *rules, struct sr_notice *notice)
{
    struct login login = {
        .store = store, .id = id, .source = source, .rules = rules};
    enum sr_store_result result;
    struct sr_memory memory;

    if (notice != NULL)
        memset(notice, 0, sizeof(*notice));
    result = sr_memory_get(store, id, &memory);
    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        result = sr_attempt_notice(store, id, &memory, &login.notice);
    if (result == SR_STORE_OK &&
        (login.notice.failed > 0 || note_source(&login, &memory, true)))
        result = sr_memory_change(store, id, note_login, &login);
    if (notice != NULL && (result == SR_STORE_OK || login.notice.failed > 0))
        *notice = login.notice;
    explicit_bzero(&memory, sizeof(memory));
    return result == SR_STORE_OK ? login.result : result;
}

/* ---- clearing */

struct clearing {
    struct sr_store *store;
    enum sr_store_result result;
    bool found;
};

static bool
clear_one(void *context, const struct sr_ledger_key *key)
{
    struct clearing *clearing = context;
    bool found;

    clearing->result = sr_ledger_clear(clearing->store, key, &found);
    clearing->found = clearing->found || found;
    return clearing->result == SR_STORE_OK;
}

enum sr_store_result
sr_attempt_clear(struct sr_store *store, const struct sr_identity *id,
                 bool *found)
{
    struct clearing clearing = {.store = store};
    struct sr_memory memory;
    enum sr_store_result result = sr_memory_get(store, id, &memory);

    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND) {
        sr_attempt_each_ledger(id, &memory, clear_one, &clearing);
        result = clearing.result;
    }
    if (found != NULL)
        *found = clearing.found;
    explicit_bzero(&memory, sizeof(memory));
    return result;
}

/* ---- all ledgers */

struct counting {
    struct sr_store *store;
    struct sr_limits account, source;
    struct sr_locked_out *out;
};

/* What the ledger in a file is counted as; NULL: it is no ledger. */
static unsigned *
count_of(struct sr_locked_out *out, const char *path, bool *is_source)
{
    const char *suffix = strrchr(path, '.');

    *is_source =
        strncmp(path, "sources/", 8) == 0 || strncmp(path, "here/", 5) == 0;
    if (*is_source)
        return &out->sources;
    if (strncmp(path, "names/", 6) == 0)
        return &out->names;
    if (suffix == NULL)
        return NULL;
    return strcmp(suffix, ".strangers") == 0   ? &out->strangers
           : strcmp(suffix, ".own") == 0       ? &out->own
           : strncmp(suffix, ".from-", 6) == 0 ? &out->familiar
                                               : NULL;
}

static void
count_ledger(void *context, const char *path)
{
    const struct counting *counting = context;
    bool is_source;
    unsigned *count = count_of(counting->out, path, &is_source);
    enum sr_store_result result;
    struct sr_fold fold;
    sr_time now;

    if (count == NULL)
        return;
    result = sr_ledger_look(counting->store, path, &fold, &now);
    if (result == SR_STORE_OK)
        *count +=
            sr_throttle_open(&fold.ledger,
                             is_source ? &counting->source : &counting->account,
                             now) == 0;
    else
        counting->out->damaged += result != SR_STORE_NOT_FOUND;
}

enum sr_store_result
sr_attempt_locked_out(struct sr_store *store, const struct sr_rules *rules,
                      struct sr_locked_out *out)
{
    static const char *const folders[] = {"accounts", "names", "sources",
                                          "here"};
    struct counting counting = {
        .store = store,
        .account = sr_attempt_account_limits(rules, false),
        .source = sr_attempt_source_limits(rules),
        .out = out,
    };
    enum sr_store_result result = SR_STORE_OK;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0;
         result == SR_STORE_OK && i < sizeof(folders) / sizeof(folders[0]); i++)
        result = sr_store_each(store, folders[i], count_ledger, &counting);
    return result;
}
