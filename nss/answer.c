/*
 * Answer: what the NSS module returns, for any directory and any time.
 * policy/publish/view.c chooses what is shown; this file puts it into the form
 * that glibc expects.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "nss/answer.h"

/*
 * The status for a result.  A process that is out of descriptors or memory may
 * try again: the published state is sound.  errno is never ERANGE.
 */
static enum nss_status
status_of(enum sr_found found)
{
    if (found == SR_FOUND_IT)
        return NSS_STATUS_SUCCESS;
    if (found != SR_FOUND_BROKEN)
        return NSS_STATUS_NOTFOUND;
    switch (errno) {
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return NSS_STATUS_TRYAGAIN;
    case ERANGE:
        errno = EIO;
        return NSS_STATUS_UNAVAIL;
    default:
        return NSS_STATUS_UNAVAIL;
    }
}

/*
 * A decoded payload takes nearly one KiB of stack.  The two functions that have
 * one are not inlined into those that read files, so that both do not add up.
 */
#define APART __attribute__((noinline))

struct account {
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;
};

static enum sr_found
decode(const struct sr_payload *payload, struct account *account)
{
    if (sr_payload_decode(payload->bytes, payload->size, &account->facts,
                          &account->rules, &account->is_exempt))
        return SR_FOUND_IT;
    errno = EBADMSG;
    return SR_FOUND_BROKEN;
}

/* ---- shadow */

/* The shadow fields of a payload; BROKEN with ENODATA for an unknown state. */
static APART enum sr_found
make_fields(const struct sr_payload *payload, sr_time now,
            struct sr_view_shadow *shown)
{
    struct account account;

    if (decode(payload, &account) != SR_FOUND_IT)
        return SR_FOUND_BROKEN;
    if (sr_view_shadow(&account.facts, &account.rules, now, shown))
        return SR_FOUND_IT;
    errno = ENODATA;
    return SR_FOUND_BROKEN;
}

static enum sr_found
find_shadow(const char *dir, sr_time now, const char *name,
            struct sr_view_shadow *shown)
{
    struct sr_published published;
    const enum sr_found found =
        sr_reader_find(dir, SR_VIEW_SHADOW, name, now, &published);

    return found == SR_FOUND_IT ? make_fields(&published.payload, now, shown)
                                : found;
}

static enum nss_status
fill_in(const char *name, const struct sr_view_shadow *shown,
        struct spwd *result, char *buffer, size_t size)
{
    const size_t length = strlen(name) + 1;

    if (size < length + 2) {
        errno = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    memcpy(buffer, name, length);
    buffer[length] = shown->password;
    buffer[length + 1] = '\0';
    result->sp_namp = buffer;
    result->sp_pwdp = buffer + length;
    result->sp_lstchg = shown->changed;
    result->sp_min = shown->min;
    result->sp_max = shown->max;
    result->sp_warn = shown->warn;
    result->sp_inact = shown->inactive;
    result->sp_expire = shown->expire;
    result->sp_flag = ~0UL; /* an empty field */
    return NSS_STATUS_SUCCESS;
}

enum nss_status
sr_nss_shadow(const char *dir, sr_time now, const char *name,
              struct spwd *result, char *buffer, size_t size)
{
    struct sr_view_shadow shown;
    const enum sr_found found = find_shadow(dir, now, name, &shown);

    if (found != SR_FOUND_IT)
        return status_of(found);
    return fill_in(name, &shown, result, buffer, size);
}

enum nss_status
sr_nss_shadow_next(const char *dir, sr_time now, struct sr_cursor *cursor,
                   struct spwd *result, char *buffer, size_t size)
{
    char name[SR_SNAPSHOT_NAME_MAX + 1];
    struct sr_view_shadow shown;
    enum nss_status status;
    enum sr_found found;

    for (;; cursor->index++) {
        found = sr_reader_list(dir, SR_VIEW_SHADOW, now, cursor, name);
        if (found != SR_FOUND_IT)
            return status_of(found);
        found = find_shadow(dir, now, name, &shown);
        if (found == SR_FOUND_IT)
            break;
        /* By a delta the account may be gone, or its state unknown. */
        if (found == SR_FOUND_BROKEN && errno != ENODATA)
            return status_of(found);
    }
    status = fill_in(name, &shown, result, buffer, size);
    if (status == NSS_STATUS_SUCCESS)
        cursor->index++;
    return status;
}

/* ---- groups */

/* The ids of a set of groups; returns how many. */
static size_t
list_ids(unsigned shown, const uint32_t gid[SR_GROUP_COUNT],
         gid_t ids[SR_GROUP_COUNT])
{
    size_t count = 0;

    for (unsigned group = 0; group < SR_GROUP_COUNT; group++)
        if ((shown & SR_GROUP_BIT(group)) != 0 && gid[group] != 0)
            ids[count++] = gid[group];
    return count;
}

static APART enum sr_found
choose_groups(const struct sr_payload *payload, sr_time now, unsigned *shown)
{
    struct account account;

    if (decode(payload, &account) != SR_FOUND_IT)
        return SR_FOUND_BROKEN;
    *shown =
        sr_view_groups(&account.facts, &account.rules, account.is_exempt, now);
    return SR_FOUND_IT;
}

static enum sr_found
find_groups(const char *dir, sr_time now, const char *name,
            gid_t ids[SR_GROUP_COUNT], size_t *count)
{
    struct sr_published published;
    unsigned shown = 0;
    enum sr_found found =
        sr_reader_find(dir, SR_VIEW_GROUPS, name, now, &published);

    if (found == SR_FOUND_IT) {
        found = choose_groups(&published.payload, now, &shown);
    } else if (found == SR_FOUND_NOTHING && published.is_alias) {
        shown = SR_GROUP_BIT(SR_GROUP_UNKNOWN);
        found = SR_FOUND_IT;
    }
    *count = list_ids(shown, published.header.gid, ids);
    return found;
}

/*
 * The group of a name when its state cannot be read, whatever the cause;
 * reading the link takes no descriptor.  BROKEN with errno unchanged when there
 * is none.
 */
static enum sr_found
find_fallback(const char *dir, const char *name, gid_t ids[SR_GROUP_COUNT],
              size_t *count)
{
    const int why = errno;

    ids[0] = sr_reader_fallback(dir, name);
    *count = 1;
    errno = why;
    return ids[0] != 0 ? SR_FOUND_IT : SR_FOUND_BROKEN;
}

/* Remove the ids that are in `groups` already; returns how many stay. */
static size_t
keep_new(const gid_t *groups, long start, gid_t ids[], size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        long at = 0;

        while (at < start && groups[at] != ids[i])
            at++;
        if (at == start)
            ids[kept++] = ids[i];
    }
    return kept;
}

/* Make room for `more` ids behind the first `start`. */
static bool
make_room(long start, long *size, gid_t **groups, long more)
{
    gid_t *grown;
    long capacity;

    if (*size - start >= more)
        return true;
    if (*size > LONG_MAX / 4 / (long)sizeof(gid_t)) {
        errno = ENOMEM;
        return false;
    }
    capacity = 2 * *size > start + more ? 2 * *size : start + more;
    grown = realloc(*groups, (size_t)capacity * sizeof(gid_t));
    if (grown == NULL)
        return false;
    *groups = grown;
    *size = capacity;
    return true;
}

enum nss_status
sr_nss_groups(const char *dir, sr_time now, const char *name, long *start,
              long *size, gid_t **groups)
{
    gid_t ids[SR_GROUP_COUNT];
    size_t count = 0;
    enum sr_found found = find_groups(dir, now, name, ids, &count);

    if (found == SR_FOUND_BROKEN)
        found = find_fallback(dir, name, ids, &count);
    if (found != SR_FOUND_IT)
        return status_of(found);
    if (count == 0)
        return NSS_STATUS_NOTFOUND;
    count = keep_new(*groups, *start, ids, count);
    if (!make_room(*start, size, groups, (long)count)) {
        errno = ENOMEM;
        return NSS_STATUS_TRYAGAIN;
    }
    for (size_t i = 0; i < count; i++)
        (*groups)[(*start)++] = ids[i];
    return NSS_STATUS_SUCCESS;
}
