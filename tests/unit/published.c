/*
 * Published: snapshots, deltas and fallbacks, made for tests.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/published.h"

static void *
must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static uint8_t *
bucket_of(const struct published *made, uint32_t number)
{
    return made->buckets + (size_t)number * SR_SNAPSHOT_BUCKET;
}

/* Room for buckets up to `count`, the new ones empty. */
static void
grow(struct published *made, uint32_t from, uint32_t count)
{
    made->buckets =
        must(realloc(made->buckets, (size_t)count * SR_SNAPSHOT_BUCKET));
    made->next = must(realloc(made->next, count * sizeof(*made->next)));
    for (uint32_t i = from; i < count; i++) {
        sr_bucket_clear(bucket_of(made, i));
        made->next[i] = 0;
    }
}

void
published_begin(struct published *made, uint32_t buckets, sr_time now)
{
    memset(made, 0, sizeof(*made));
    made->header.sequence = (uint64_t)now * 1000000000;
    made->header.created = now;
    made->header.not_after = now + SR_DAY;
    made->header.buckets = buckets;
    memcpy(made->header.key, "0123456789abcde", sizeof(made->header.key));
    for (unsigned group = 0; group < SR_GROUP_COUNT; group++)
        made->header.gid[group] = PUBLISHED_GID(group);
    grow(made, 0, buckets);
}

void
published_add(struct published *made, const char *name,
              const struct sr_payload *payload)
{
    uint32_t number = sr_bucket_choose(&made->header, name);

    while (!sr_bucket_add(bucket_of(made, number), name, payload)) {
        const uint32_t end = made->header.buckets + made->header.overflow;

        if (made->next[number] == 0) {
            grow(made, end, end + 1);
            made->header.overflow++;
            made->next[number] = end;
        }
        number = made->next[number];
    }
    made->header.count++;
}

void
published_mark(struct published *made, const char *name)
{
    bucket_of(made, sr_bucket_choose(&made->header, name))[SR_BUCKET_MARK] = 1;
}

uint8_t *
published_finish(struct published *made, size_t *size)
{
    const uint32_t count = made->header.buckets + made->header.overflow;
    uint8_t *bytes;

    *size = (size_t)sr_header_file_size(&made->header);
    bytes = must(calloc(1, *size));
    sr_header_encode(&made->header, bytes);
    for (uint32_t i = 0; i < count; i++)
        sr_bucket_seal(&made->header, i, made->next[i], bucket_of(made, i));
    memcpy(bytes + SR_SNAPSHOT_PAGE, made->buckets,
           (size_t)count * SR_SNAPSHOT_BUCKET);
    free(made->buckets);
    free(made->next);
    return bytes;
}

bool
published_state(const char *state, sr_time now, struct sr_facts *facts,
                struct sr_rules *rules)
{
    memset(rules, 0, sizeof(*rules));
    rules->warn = 14 * SR_DAY;
    sr_facts_init(facts);
    facts->answered = SR_YES;
    facts->has_password = SR_YES;
    facts->locked = SR_LOCK_NO;
    facts->account_starts = now - 1000 * SR_DAY;
    facts->account_ends = now + 1000 * SR_DAY;
    facts->password_changed = now - 60 * SR_DAY;
    facts->password_expires = now + 30 * SR_DAY;
    facts->inactive_from = now + 90 * SR_DAY;
    if (strcmp(state, "expiring") == 0) {
        facts->password_expires = now + 5 * SR_DAY;
    } else if (strcmp(state, "expired") == 0) {
        facts->password_expires = now - SR_DAY;
    } else if (strcmp(state, "must-change") == 0) {
        facts->must_change = SR_YES;
    } else if (strcmp(state, "locked") == 0) {
        facts->locked = SR_LOCK_ADMIN;
    } else if (strcmp(state, "locked-out") == 0) {
        facts->locked = SR_LOCK_UNTIL;
        facts->locked_until = now + 3600;
    } else if (strcmp(state, "disabled") == 0) {
        facts->disabled = SR_YES;
    } else if (strcmp(state, "unknown") == 0) {
        facts->answered = SR_NO;
    } else {
        return strcmp(state, "ok") == 0;
    }
    return true;
}

struct sr_payload
published_payload(enum sr_view view, const char *state, sr_time now,
                  bool is_exempt)
{
    struct sr_payload payload;
    struct sr_facts facts;
    struct sr_rules rules;

    if (!published_state(state, now, &facts, &rules))
        abort();
    sr_payload_encode(view, &facts, &rules, is_exempt, &payload);
    return payload;
}

/* ---- files */

/* DIR/VIEW and the rest; false when it has no room. */
static bool
make_path(char path[PATH_MAX], const char *dir, enum sr_view view,
          const char *rest, const char *name)
{
    const int size = snprintf(path, PATH_MAX, "%s/%s%s%s", dir,
                              sr_view_name(view), rest, name);

    return size > 0 && size < PATH_MAX;
}

bool
published_make_dirs(const char *dir)
{
    char path[PATH_MAX];

    for (unsigned view = 0; view < SR_VIEW_COUNT; view++)
        if (!make_path(path, dir, view, ".d", "") ||
            (mkdir(path, 0755) != 0 && errno != EEXIST))
            return false;
    return true;
}

bool
published_put(const char *dir, enum sr_view view, const uint8_t *bytes,
              size_t size)
{
    char aside[PATH_MAX], path[PATH_MAX];
    bool is_written;
    int fd;

    if (!make_path(path, dir, view, ".snap", "") ||
        !make_path(aside, dir, view, ".snap.new", ""))
        return false;
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    is_written = write(fd, bytes, size) == (ssize_t)size;
    close(fd);
    return is_written && rename(aside, path) == 0;
}

bool
published_put_text(const char *dir, enum sr_view view, const char *name,
                   const char *text)
{
    char aside[PATH_MAX], path[PATH_MAX];

    if (!make_path(path, dir, view, ".d/", name) ||
        !make_path(aside, dir, view, ".d/:new", ""))
        return false;
    unlink(aside);
    return symlink(text, aside) == 0 && rename(aside, path) == 0;
}

bool
published_put_delta(const char *dir, enum sr_view view, const char *name,
                    uint64_t sequence, const struct sr_payload *payload)
{
    char text[SR_DELTA_TEXT];

    sr_delta_encode(name, sequence, payload, text);
    return published_put_text(dir, view, name, text);
}
