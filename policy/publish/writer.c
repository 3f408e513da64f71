/*
 * Writer: publishes the state of one account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/account/account.h"
#include "policy/publish/delta.h"
#include "policy/publish/directory.h"
#include "policy/publish/writer.h"
#include "policy/util/spelling.h"

/* The new state of an account in the two views; a payload of size 0: gone. */
struct news {
    const char *name;
    uint64_t sequence;
    bool is_new[SR_VIEW_COUNT];
    bool has_alias; /* the alias is published already */
    struct sr_payload payload[SR_VIEW_COUNT];
};

uint64_t
sr_publish_sequence(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec < 0 ? 0
                          : (uint64_t)now.tv_sec * UINT64_C(1000000000) +
                                (uint64_t)now.tv_nsec;
}

/* Whether a view publishes the same already.  *has_alias: the name has an entry
 * already, or its alias has. */
static bool
is_published(const char *dir, enum sr_view view, const char *name,
             const struct sr_payload *payload, bool *has_alias)
{
    struct sr_published published;

    published.is_alias = false;
    switch (sr_reader_find(dir, view, name, sr_reader_now(), &published)) {
    case SR_FOUND_IT:
        *has_alias = true;
        return published.payload.size == payload->size &&
               memcmp(published.payload.bytes, payload->bytes, payload->size) ==
                   0;
    case SR_FOUND_NOTHING:
        *has_alias = *has_alias || published.is_alias;
        return payload->size == 0;
    case SR_FOUND_DENIED:
    case SR_FOUND_BROKEN:
        break;
    }
    return false;
}

/* Whether the newest state is a delta of the same content. */
static bool
is_there(const struct news *news, enum sr_view view, uint64_t delta,
         uint64_t snapshot, const struct sr_payload *payload)
{
    return delta > snapshot && payload->size == news->payload[view].size &&
           memcmp(payload->bytes, news->payload[view].bytes, payload->size) ==
               0;
}

/*
 * Replace the delta of one view, under the lock.  An older sequence never
 * replaces a newer one; but one that is newer than the wall clock is from
 * before the clock was set back, and is replaced.
 */
static int
put_delta(const struct sr_publish_dir *dir, enum sr_view view,
          struct news *news, int *snapshot)
{
    uint64_t sequence = news->sequence, delta, newest;
    struct sr_header header = {.sequence = 0};
    struct sr_payload payload;
    char text[SR_DELTA_TEXT];
    int error = 0;

    news->is_new[view] = false;
    if (dir->deltas[view] < 0)
        return 0; /* this view was never published */
    *snapshot = sr_publish_dir_open_snapshot(dir, view, &header);
    delta = sr_publish_dir_delta(dir, view, news->name, &payload);
    newest = delta > header.sequence ? delta : header.sequence;
    if (newest >= sequence && newest <= sr_publish_sequence())
        return 0;
    if (newest >= sequence)
        sequence = newest + 1;
    /* The mark first: without a delta it is harmless. */
    if (*snapshot >= 0)
        error = sr_publish_dir_mark(*snapshot, &header, news->name);
    if (error != 0 || is_there(news, view, delta, header.sequence, &payload))
        return error;
    sr_delta_encode(news->name, sequence, &news->payload[view], text);
    news->is_new[view] = true;
    return sr_publish_dir_put_link(dir, view, news->name, text);
}

/* Publish the alias of an account of a directory, unless it is published; the
 * next snapshot drops it with the account.  Returns 0 or a negative errno. */
static int
put_alias(const struct sr_publish_dir *dir, const struct news *news)
{
    struct news alias_news = {.sequence = news->sequence};
    char alias[SR_SNAPSHOT_NAME_MAX + 1];
    int snapshot = -1, error;

    if (news->payload[SR_VIEW_SHADOW].size == 0 || news->has_alias ||
        !sr_snapshot_alias(news->name, alias))
        return 0;
    alias_news.name = alias;
    sr_payload_of_alias(&alias_news.payload[SR_VIEW_GROUPS]);
    error = put_delta(dir, SR_VIEW_GROUPS, &alias_news, &snapshot);
    if (snapshot >= 0)
        close(snapshot);
    return error;
}

/* Sync without the lock, so that other writers need not wait; after a crash all
 * accounts are published again. */
static int
sync_view(const struct sr_publish_dir *dir, enum sr_view view, int snapshot)
{
    if (snapshot >= 0 && fdatasync(snapshot) != 0)
        return -errno;
    return dir->deltas[view] >= 0 && fsync(dir->deltas[view]) != 0 ? -errno : 0;
}

static enum sr_publish_result
put_news(const char *dir, struct news *news, unsigned wait_ms, char *reason,
         size_t size)
{
    __attribute__((cleanup(sr_publish_dir_close))) struct sr_publish_dir opened;
    int snapshot[SR_VIEW_COUNT] = {-1, -1};
    bool is_any = false;
    int error = sr_publish_dir_open(&opened, dir);

    if (error == -ENOENT ||
        (error == 0 && opened.deltas[SR_VIEW_GROUPS] == -ENOENT))
        return SR_PUBLISH_OFF;
    if (error == 0)
        error = sr_publish_dir_lock(&opened, wait_ms);
    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++) {
        if (news->is_new[view])
            error = put_delta(&opened, view, news, &snapshot[view]);
    }
    if (error == 0)
        error = put_alias(&opened, news);
    sr_publish_dir_unlock(&opened);
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        is_any = is_any || news->is_new[view];
        if (error == 0 && news->is_new[view])
            error = sync_view(&opened, view, snapshot[view]);
        if (snapshot[view] >= 0)
            close(snapshot[view]);
    }
    return error == 0 && !is_any
               ? SR_PUBLISH_UNCHANGED
               : sr_publish_dir_result(error, dir, reason, size);
}

/* Compare, without the lock, and publish the views that differ. */
static enum sr_publish_result
publish(const char *dir, struct news *news, unsigned wait_ms, char *reason,
        size_t size)
{
    struct stat status;
    bool is_any = false;

    if (size > 0)
        reason[0] = '\0';
    if (stat(dir, &status) != 0 && errno == ENOENT)
        return SR_PUBLISH_OFF;
    if (strlen(dir) > SR_READER_DIR_MAX)
        return sr_publish_dir_result(ENAMETOOLONG, dir, reason, size);
    if (!sr_snapshot_name(news->name))
        return SR_PUBLISH_UNCHANGED; /* unknown, whatever happens */
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        news->is_new[view] = !is_published(
            dir, view, news->name, &news->payload[view], &news->has_alias);
        is_any = is_any || news->is_new[view];
    }
    return is_any ? put_news(dir, news, wait_ms, reason, size)
                  : SR_PUBLISH_UNCHANGED;
}

bool
sr_publish_is_exempt(const struct sr_config *config, const char *name)
{
    return strcmp(name, "root") == 0 ||
           sr_string_list_has(&config->nss_break_glass, name);
}

void
sr_publish_facts(const struct sr_transaction *txn, struct sr_facts *facts,
                 bool *is_exempt)
{
    *facts = txn->account->facts;
    if (txn->has_recalled)
        sr_lockout_set(facts, &txn->everywhere);
    else
        facts->locked = SR_LOCK_UNKNOWN; /* not asked */
    *is_exempt = facts->uid == 0 || txn->rules.is_break_glass ||
                 sr_publish_is_exempt(txn->config, facts->name);
}

/* The lockout by wrong passwords that an account is published with; only the
 * shadow view holds the reason. */
static struct sr_lockout
published_lockout(const char *dir, const char *name)
{
    const sr_time now = sr_reader_now();
    struct sr_published published;
    struct sr_rules rules;
    struct sr_facts facts;
    bool is_exempt;

    if (sr_reader_find(dir, SR_VIEW_SHADOW, name, now, &published) !=
            SR_FOUND_IT ||
        !sr_payload_decode(published.payload.bytes, published.payload.size,
                           &facts, &rules, &is_exempt) ||
        facts.locked != SR_LOCK_UNTIL ||
        facts.locked_why != SR_LOCK_WHY_THROTTLE || facts.locked_until <= now)
        return sr_lockout_none();
    return sr_lockout_of(&facts);
}

/*
 * The name that an account is published under.  That is the one of the name
 * service when a run has published it under that; a service that repeats every
 * spelling that is typed (nslcd with "ignorecase") must not make a delta for
 * each.  One that does not know the directory's name is asked by the uid.
 * `nss` has room for what it says.
 */
static const char *
find_name(const char *dir, const struct sr_transaction *txn,
          struct sr_nss_account *nss)
{
    const struct sr_facts *facts = &txn->account->facts;
    struct sr_published published;

    *nss = txn->nss;
    if (nss->exists == SR_NO && facts->uid != (uid_t)-1)
        sr_nss_account_find_uid(facts->uid, nss);
    if (nss->exists == SR_YES && nss->uid == facts->uid &&
        strcmp(nss->name, facts->name) != 0 &&
        strlen(dir) <= SR_READER_DIR_MAX && sr_snapshot_name(nss->name) &&
        (txn->nss.exists == SR_YES || sr_is_spelling(nss->name, facts->name)) &&
        sr_reader_find(dir, SR_VIEW_SHADOW, nss->name, sr_reader_now(),
                       &published) == SR_FOUND_IT)
        return nss->name;
    return facts->name;
}

/* Merge the published lockout where the shared ledger was not asked. */
static struct sr_transaction
merge_published(const char *dir, const struct sr_transaction *txn)
{
    struct sr_transaction with = *txn;
    struct sr_nss_account nss;

    if ((!with.shared.is_known[SR_CLASS_STRANGER] ||
         !with.shared.is_known[SR_CLASS_FAMILIAR]) &&
        strlen(dir) <= SR_READER_DIR_MAX &&
        sr_snapshot_name(with.account->facts.name) &&
        sr_shared_ledger(txn, true, NULL).is_there)
        sr_transaction_merge_lockouts(
            &with, published_lockout(dir, find_name(dir, txn, &nss)));
    return with;
}

enum sr_publish_result
sr_publish_gathered(const char *dir, const struct sr_transaction *txn,
                    uint64_t sequence, unsigned wait_ms, char *reason,
                    size_t size)
{
    const struct sr_transaction with = merge_published(dir, txn);
    struct sr_nss_account nss;
    struct sr_facts facts;
    struct news news = {.name = find_name(dir, txn, &nss),
                        .sequence = sequence};
    bool is_exempt;

    sr_publish_facts(&with, &facts, &is_exempt);
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++) {
        if (sr_view_has(view, &facts))
            sr_payload_encode(view, &facts, &txn->rules, is_exempt,
                              &news.payload[view]);
    }
    return publish(dir, &news, wait_ms, reason, size);
}

/* Publish that the state of an account is unknown, in the views that have it.
 */
static enum sr_publish_result
publish_unknown(const char *dir, const struct sr_transaction *txn,
                const char *name, struct news *news, unsigned wait_ms,
                char *reason, size_t size)
{
    const bool is_exempt =
        txn->rules.is_break_glass || sr_publish_is_exempt(txn->config, name);
    struct sr_published published;
    struct sr_facts facts;

    sr_facts_init(&facts);
    sr_payload_encode(SR_VIEW_GROUPS, &facts, &txn->rules, is_exempt,
                      &news->payload[SR_VIEW_GROUPS]);
    if (sr_reader_find(dir, SR_VIEW_SHADOW, name, sr_reader_now(),
                       &published) == SR_FOUND_IT)
        sr_payload_encode(SR_VIEW_SHADOW, &facts, &txn->rules, is_exempt,
                          &news->payload[SR_VIEW_SHADOW]);
    return publish(dir, news, wait_ms, reason, size);
}

/* Publish the result of a look-up. */
static enum sr_publish_result
publish_account(const char *dir, const char *statedir,
                struct sr_transaction *txn, struct news *news, unsigned wait_ms,
                char *reason, size_t size)
{
    switch (txn->ask) {
    case SR_STATUS_OK:
        if (sr_transaction_recall(txn, statedir, NULL) == SR_STORE_OK)
            return sr_publish_gathered(dir, txn, news->sequence, wait_ms,
                                       reason, size);
        snprintf(reason, size, "%s", txn->reason);
        break;
    case SR_STATUS_UNKNOWN_NAME:
        return publish(dir, news, wait_ms, reason, size);
    case SR_STATUS_UNAVAILABLE:
    case SR_STATUS_AMBIGUOUS:
        return publish_unknown(dir, txn, news->name, news, wait_ms, reason,
                               size);
    case SR_STATUS_NO_MEMORY:
        snprintf(reason, size, "out of memory");
        break;
    }
    return SR_PUBLISH_FAILED;
}

enum sr_publish_result
sr_publish_account(const struct sr_config *config,
                   struct sr_connections *connections,
                   const struct sr_lockouts *shared, const char *dir,
                   const char *statedir, const char *name, unsigned wait_ms,
                   char *reason, size_t size)
{
    struct news news = {.name = name, .sequence = sr_publish_sequence()};
    enum sr_publish_result result;
    struct sr_transaction txn;
    char why[160] = "";

    if (!sr_snapshot_name(name) || strlen(dir) > SR_READER_DIR_MAX)
        return publish(dir, &news, wait_ms, reason, size);
    if (connections == NULL)
        sr_transaction_begin(config, name, NULL, NULL, &txn);
    else
        sr_transaction_begin_with(config, connections, name, NULL, NULL, &txn);
    if (shared != NULL) {
        txn.shared = *shared;
    } else {
        const struct sr_shared_ledger ledger =
            sr_shared_ledger(&txn, true, NULL);

        if (ledger.is_there)
            sr_shared_locks_find(&ledger, &txn, why, sizeof(why));
    }
    result = publish_account(dir, statedir, &txn, &news, wait_ms, reason, size);
    if (shared == NULL &&
        (result == SR_PUBLISH_OK || result == SR_PUBLISH_UNCHANGED))
        snprintf(reason, size, "%s", why);
    sr_transaction_end(&txn);
    return result;
}

/* A name that is found like that of an account, and one that no account can
 * have. */
#define DECOY_LOOKUP "root"
#define DECOY_NAME   ":decoy"

enum sr_publish_result
sr_publish_decoy(const char *dir, unsigned wait_ms)
{
    struct news news = {.name = DECOY_NAME, .sequence = sr_publish_sequence()};
    struct sr_payload *payload = &news.payload[SR_VIEW_GROUPS];
    struct stat status;
    char reason[SR_ERROR_TEXT_SIZE];

    if (strlen(dir) > SR_READER_DIR_MAX || stat(dir, &status) != 0)
        return SR_PUBLISH_OFF;
    for (enum sr_view view = 0; view < SR_VIEW_COUNT; view++)
        is_published(dir, view, DECOY_LOOKUP, &news.payload[view],
                     &news.has_alias);
    /* As long as the payload of a locked account, and never the same. */
    payload->size = 42;
    memset(payload->bytes, 0, payload->size);
    memcpy(payload->bytes, &news.sequence, sizeof(news.sequence));
    news.is_new[SR_VIEW_GROUPS] = true;
    return put_news(dir, &news, wait_ms, reason, sizeof(reason));
}
