/*
 * Standing: what is remembered of accounts and sources, outside of an attempt:
 * whose ledger is whose, what it says, and what a login changes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/throttle/attempt.h"

#define MILLISECONDS 1000
#define WAIT_MAX     3600 /* seconds; no login waits longer for a lock */

/* Sources of this host itself have buckets that no peer shares: however many
 * addresses fail, the console and root's sessions are not locked out. */
#define HERE_BUCKETS 1024u

/* ---- limits and keys */

struct sr_limits
sr_attempt_account_limits(const struct sr_rules *rules, bool is_root)
{
    return (struct sr_limits){
        .attempts = is_root && !rules->lock_root ? 0 : rules->attempts,
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

struct sr_ledger_key
sr_ledger_key_account(uid_t uid, enum sr_source_class class)
{
    return (struct sr_ledger_key){SR_LEDGER_ACCOUNT, uid, class};
}

/* One of `count` buckets from `first` on, by the hash of the text. */
static enum sr_store_result
bucket_key(struct sr_store *store, const char *text, enum sr_ledger_kind kind,
           uint32_t first, uint32_t count, struct sr_ledger_key *key)
{
    enum sr_store_result result;
    uint64_t hash;

    result = sr_store_hash(store, text, strlen(text), &hash);
    *key = (struct sr_ledger_key){kind, first + (uint32_t)(hash % count),
                                  SR_CLASS_STRANGER};
    return result;
}

enum sr_store_result
sr_ledger_key_name(struct sr_store *store, const char *name,
                   struct sr_ledger_key *key)
{
    return bucket_key(store, name, SR_LEDGER_NAME, 0, SR_NAME_BUCKETS, key);
}

enum sr_store_result
sr_ledger_key_source(struct sr_store *store, const char *text,
                     struct sr_ledger_key *key)
{
    return sr_source_is_here(text)
               ? bucket_key(store, text, SR_LEDGER_SOURCE, 0, HERE_BUCKETS, key)
               : bucket_key(store, text, SR_LEDGER_SOURCE, HERE_BUCKETS,
                            SR_SOURCE_BUCKETS - HERE_BUCKETS, key);
}

/* ---- familiar sources */

/* The entry of a source, or NULL. */
static struct sr_familiar *
find_familiar(struct sr_memory *memory, uint64_t source)
{
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++) {
        struct sr_familiar *entry = &memory->familiar[i];

        if (entry->seen != 0 && entry->source == source)
            return entry;
    }
    return NULL;
}

/* The entry to be given up: an unused one, else the one not seen the longest.
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

enum sr_store_result
sr_attempt_class(struct sr_store *store, uid_t uid,
                 const struct sr_source *source, const struct sr_rules *rules,
                 enum sr_source_class *class)
{
    const struct sr_familiar *entry;
    enum sr_store_result result;
    struct sr_memory memory;
    sr_time now;
    uint64_t hash;

    *class = source->is_own ? SR_CLASS_FAMILIAR : SR_CLASS_STRANGER;
    if (source->is_own || source->text[0] == '\0' || rules->familiar <= 0)
        return SR_STORE_OK;
    result = sr_store_get_memory(store, uid, &memory);
    if (result == SR_STORE_NOT_FOUND)
        return SR_STORE_OK;
    if (result == SR_STORE_OK)
        result = sr_store_now(store, &now, NULL);
    if (result == SR_STORE_OK)
        result =
            sr_store_hash(store, source->text, strlen(source->text), &hash);
    if (result != SR_STORE_OK)
        return result;
    entry = find_familiar(&memory, hash);
    if (entry != NULL && now - entry->seen < rules->familiar)
        *class = SR_CLASS_FAMILIAR;
    return SR_STORE_OK;
}

/* Whether this login is news of the source. */
static bool
is_news(struct sr_memory *memory, uint64_t hash, sr_time now)
{
    const struct sr_familiar *entry = find_familiar(memory, hash);

    return entry == NULL || now - entry->seen >= SR_DAY;
}

/* Look at the memory, change it, and say in *changed whether anything was. */
static enum sr_store_result
note_login(struct sr_store *store, uid_t uid, const struct sr_source *source,
           const struct sr_rules *rules, struct sr_memory *memory,
           bool *changed)
{
    /* A place becomes familiar, not another user who became this one once: his
     * guesses would count where the owner's sessions do. */
    const bool counts =
        !source->is_user && source->text[0] != '\0' && rules->familiar > 0;
    enum sr_store_result result;
    struct sr_familiar *entry;
    uint64_t hash;
    sr_time now;

    result = sr_store_get_memory(store, uid, memory);
    if (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND)
        return result;
    *changed = memory->failed != 0;
    memory->failed = 0;
    memory->failed_last = 0;
    memset(memory->failed_from, 0, sizeof(memory->failed_from));
    if (!counts)
        return SR_STORE_OK;
    result = sr_store_now(store, &now, NULL);
    if (result == SR_STORE_OK)
        result =
            sr_store_hash(store, source->text, strlen(source->text), &hash);
    if (result == SR_STORE_NOT_FOUND) { /* the first write makes the store */
        *changed = true;
        return SR_STORE_OK;
    }
    if (result != SR_STORE_OK || !is_news(memory, hash, now))
        return result;
    *changed = true;
    entry = find_familiar(memory, hash);
    if (entry == NULL)
        entry = oldest_familiar(memory);
    entry->source = hash;
    entry->seen = now;
    return SR_STORE_OK;
}

/* One look at the store, or one change of it. */
static enum sr_store_result
visit_login(struct sr_store *store, bool write, uid_t uid,
            const struct sr_source *source, const struct sr_rules *rules,
            struct sr_memory *before, bool *changed)
{
    enum sr_store_result result;
    struct sr_memory memory;

    *changed = false;
    result = sr_store_begin(store, write);
    if (result != SR_STORE_OK)
        return result;
    result = sr_store_get_memory(store, uid, &memory);
    if (before != NULL && result == SR_STORE_OK)
        *before = memory;
    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        result = note_login(store, uid, source, rules, &memory, changed);
    if (result == SR_STORE_OK && write && *changed) {
        result = sr_store_put_memory(store, uid, &memory);
        if (result == SR_STORE_OK)
            return sr_store_commit(store);
    }
    sr_store_abort(store);
    return result;
}

enum sr_store_result
sr_attempt_logged_in(const char *statedir, uid_t uid,
                     const struct sr_source *source,
                     const struct sr_rules *rules, struct sr_memory *before)
{
    enum sr_store_result result;
    struct sr_store *store;
    bool changed;

    if (before != NULL)
        memset(before, 0, sizeof(*before));
    result = sr_store_open(statedir, SR_STORE_WRITE, sr_attempt_wait_ms(rules),
                           &store);
    if (result != SR_STORE_OK)
        return result;
    result = visit_login(store, false, uid, source, rules, before, &changed);
    if (result == SR_STORE_OK && changed)
        result = visit_login(store, true, uid, source, rules, before, &changed);
    sr_store_close(store);
    return result;
}

/* ---- facts */

/* Note the later of two lockouts. */
static enum sr_store_result
add_ledger(struct sr_store *store, const struct sr_ledger_key *key,
           const struct sr_limits *limits, sr_time now, sr_time *until)
{
    enum sr_store_result result;
    struct sr_ledger ledger;
    sr_time release;

    result = sr_store_get_ledger(store, key, &ledger);
    if (result == SR_STORE_NOT_FOUND)
        return SR_STORE_OK;
    if (result != SR_STORE_OK || sr_throttle_open(&ledger, limits, now) != 0)
        return result;
    release = sr_throttle_release(&ledger, limits, now);
    if (release > *until)
        *until = release;
    return SR_STORE_OK;
}

/* The account's ledgers.  *is_alone: those of its source do not count (see
 * choose_source() in attempt.c). */
static enum sr_store_result
add_account(struct sr_store *store, const struct sr_source *source,
            const struct sr_rules *rules, uid_t uid, sr_time now,
            sr_time *until, bool *is_alone)
{
    const struct sr_limits limits = sr_attempt_account_limits(rules, uid == 0);
    enum sr_source_class class = SR_CLASS_STRANGER;
    struct sr_ledger_key key;
    enum sr_store_result result = SR_STORE_OK;

    if (source != NULL)
        result = sr_attempt_class(store, uid, source, rules, &class);
    if (result != SR_STORE_OK)
        return result;
    *is_alone = class == SR_CLASS_FAMILIAR && limits.attempts > 0;
    key = sr_ledger_key_account(uid, class);
    result = add_ledger(store, &key, &limits, now, until);
    if (result != SR_STORE_OK || source != NULL)
        return result;
    key = sr_ledger_key_account(uid, SR_CLASS_FAMILIAR);
    return add_ledger(store, &key, &limits, now, until);
}

static enum sr_store_result
find_lockout(struct sr_store *store, const struct sr_source *source,
             const struct sr_rules *rules, uid_t uid, sr_time *until_wall,
             bool *by_source)
{
    const struct sr_limits limits = sr_attempt_source_limits(rules);
    enum sr_store_result result;
    struct sr_ledger_key key;
    sr_time now, wall, of_account, until = 0;
    bool is_alone = false;

    *until_wall = SR_TIME_UNKNOWN;
    result = sr_store_now(store, &now, &wall);
    if (result == SR_STORE_OK && uid != (uid_t)-1)
        result = add_account(store, source, rules, uid, now, &until, &is_alone);
    of_account = until;
    if (result == SR_STORE_OK && source != NULL && source->text[0] != '\0' &&
        !is_alone) {
        result = sr_ledger_key_source(store, source->text, &key);
        if (result == SR_STORE_OK)
            result = add_ledger(store, &key, &limits, now, &until);
        else if (result == SR_STORE_NOT_FOUND) /* never written */
            result = SR_STORE_OK;
    }
    *by_source = until > of_account;
    if (result == SR_STORE_OK && until != 0)
        *until_wall = sr_clock_to_wall(until, now, wall);
    return result;
}

/* Whether a login can come from a source that is familiar. */
static enum sr_store_result
has_familiar(struct sr_store *store, uid_t uid, const struct sr_rules *rules,
             sr_time now, bool *has)
{
    enum sr_store_result result;
    struct sr_memory memory;

    *has = false;
    if (rules->familiar <= 0)
        return SR_STORE_OK;
    result = sr_store_get_memory(store, uid, &memory);
    if (result != SR_STORE_OK)
        return result == SR_STORE_NOT_FOUND ? SR_STORE_OK : result;
    for (size_t i = 0; i < SR_FAMILIAR_MAX; i++) {
        if (memory.familiar[i].seen != 0 &&
            now - memory.familiar[i].seen < rules->familiar)
            *has = true;
    }
    return SR_STORE_OK;
}

enum sr_store_result
sr_attempt_sides(struct sr_store *store, uid_t uid,
                 const struct sr_rules *rules, struct sr_class_lockouts *sides)
{
    const struct sr_limits limits = sr_attempt_account_limits(rules, uid == 0);
    const bool is_shared = rules->lockout_store != SR_LOCKOUT_LOCAL;
    enum sr_store_result result;
    sr_time now, wall;

    *sides =
        (struct sr_class_lockouts){{SR_TIME_UNKNOWN, SR_TIME_UNKNOWN}, false};
    result = sr_store_now(store, &now, &wall);
    for (int class = 0; result == SR_STORE_OK && class < 2; class ++) {
        const struct sr_ledger_key key =
            sr_ledger_key_account(uid, (enum sr_source_class) class);
        sr_time until = 0;

        result = add_ledger(store, &key, &limits, now, &until);
        if (until != 0)
            sides->until[class] = sr_clock_to_wall(until, now, wall);
        else if (!is_shared)
            break; /* somebody can come in */
    }
    if (result == SR_STORE_OK &&
        (is_shared || sides->until[SR_CLASS_STRANGER] != SR_TIME_UNKNOWN))
        result = has_familiar(store, uid, rules, now, &sides->has_familiar);
    return result;
}

enum sr_store_result
sr_temporary_until(struct sr_store *store, uid_t uid, const char *secret,
                   sr_time *until_wall)
{
    struct sr_temporary record;
    enum sr_store_result result;
    sr_time now, wall;
    uint64_t hash;

    *until_wall = SR_TIME_UNKNOWN;
    result = sr_store_get_temporary(store, uid, &record);
    if (result == SR_STORE_NOT_FOUND)
        return SR_STORE_OK;
    if (result == SR_STORE_OK)
        result = sr_store_hash(store, secret, strlen(secret), &hash);
    if (result == SR_STORE_OK)
        result = sr_store_now(store, &now, &wall);
    if (result == SR_STORE_OK && hash == record.fingerprint)
        *until_wall = sr_clock_to_wall(record.until, now, wall);
    return result;
}

enum sr_store_result
sr_attempt_facts(struct sr_store *store, const struct sr_source *source,
                 const struct sr_rules *rules, struct sr_facts *facts)
{
    const bool is_inside = sr_store_is_open(store);
    enum sr_store_result result;
    sr_time until;
    bool by_source = false;

    result = is_inside ? SR_STORE_OK : sr_store_begin(store, false);
    if (result != SR_STORE_OK)
        return result;
    result = find_lockout(store, source, rules, facts->uid, &until, &by_source);
    if (!is_inside)
        sr_store_abort(store);
    if (result != SR_STORE_OK)
        return result;
    if (until != SR_TIME_UNKNOWN && facts->locked != SR_LOCK_ADMIN) {
        facts->locked = SR_LOCK_UNTIL;
        facts->locked_why =
            by_source ? SR_LOCK_WHY_SOURCE : SR_LOCK_WHY_THROTTLE;
        facts->locked_until = until;
    } else if (facts->locked == SR_LOCK_UNKNOWN) {
        facts->locked = SR_LOCK_NO;
    }
    return SR_STORE_OK;
}
