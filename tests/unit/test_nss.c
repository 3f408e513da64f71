/*
 * The answers of the NSS module: every status, every errno, every byte that is
 * and is not written, for whatever is published, at whatever time.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "nss/answer.h"
#include "nss/module.h"
#include "tests/unit/published.h"
#include "tests/unit/scratch.h"

#define NOW      ((sr_time)1800000123)
#define SEQUENCE ((uint64_t)NOW * 1000000000)
#define ROOM     512

static char *top;          /* where the test is */
static char dir[PATH_MAX]; /* SR_PUBLISHED_DIR in it */

/* ---- what is published here */

static const char *const states[] = {
    "ok",     "expiring",   "expired",  "must-change",
    "locked", "locked-out", "disabled", "unknown",
};
#define STATES (sizeof(states) / sizeof(states[0]))

/* Begin a snapshot with an account for each state, named after it.  In a single
 * bucket they have no room. */
static void
begin(struct published *made, enum sr_view view, uint32_t buckets)
{
    published_begin(made, buckets, NOW);
    made->header.is_listed = true;
    for (size_t i = 0; i < STATES; i++) {
        const struct sr_payload payload =
            published_payload(view, states[i], NOW, false);

        published_add(made, states[i], &payload);
    }
}

static void
put(struct published *made, enum sr_view view)
{
    size_t size;
    uint8_t *bytes = published_finish(made, &size);

    assert_true(published_put(dir, view, bytes, size));
    free(bytes);
}

static void
put_plain(enum sr_view view)
{
    struct published made;

    begin(&made, view, 4);
    put(&made, view);
}

static void
put_fallback(void)
{
    static char first[] = "root", second[] = "breakglass";
    char *names[] = {first, second};
    const struct sr_string_list exempt = {names, 2};
    char text[SR_FALLBACK_TEXT];

    assert_true(sr_fallback_encode(PUBLISHED_GID(SR_GROUP_UNKNOWN),
                                   PUBLISHED_GID(SR_GROUP_OK), &exempt, text));
    assert_true(
        published_put_text(dir, SR_VIEW_GROUPS, SR_FALLBACK_NAME, text));
}

static size_t
open_descriptors(void)
{
    DIR *list = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(list);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

static size_t descriptors;

static int
set_up(void **state)
{
    (void)state;
    top = scratch_make();
    assert_int_equal(chdir(top), 0);
    snprintf(dir, sizeof(dir), "%s/" SR_PUBLISHED_DIR, top);
    assert_int_equal(mkdir(SR_NSSDIR, 0755), 0);
    assert_int_equal(mkdir(SR_PUBLISHED_DIR, 0755), 0);
    assert_true(published_make_dirs(dir));
    descriptors = open_descriptors();
    return 0;
}

/* After every test: nothing was left open. */
static int
tear_down(void **state)
{
    (void)state;
    assert_int_equal(open_descriptors(), descriptors);
    assert_int_equal(chdir("/"), 0);
    scratch_remove(top);
    return 0;
}

/* ---- asking */

/* An answer from the shadow map, as it was put. */
struct shadow {
    enum nss_status status;
    int why;
    struct spwd entry;
    char buffer[ROOM];
};

static struct shadow *
ask_shadow(const char *name, sr_time now)
{
    static struct shadow answer;

    memset(&answer, 0x5a, sizeof(answer));
    errno = 0;
    answer.status = sr_nss_shadow(dir, now, name, &answer.entry, answer.buffer,
                                  sizeof(answer.buffer));
    answer.why = errno;
    return &answer;
}

/* Nothing but the status was given. */
static void
expect_nothing(const struct shadow *answer, enum nss_status status, int why)
{
    const uint8_t *bytes = (const uint8_t *)&answer->entry;

    assert_int_equal(answer->status, status);
    if (status != NSS_STATUS_NOTFOUND)
        assert_int_equal(answer->why, why);
    for (size_t i = 0; i < sizeof(answer->entry); i++)
        assert_int_equal(bytes[i], 0x5a);
    for (size_t i = 0; i < sizeof(answer->buffer); i++)
        assert_int_equal(answer->buffer[i], 0x5a);
}

static void
expect_shadow(const struct spwd *entry, const char *name,
              const struct sr_view_shadow *shown)
{
    assert_string_equal(entry->sp_namp, name);
    assert_int_equal(entry->sp_pwdp[0], shown->password);
    assert_int_equal(entry->sp_pwdp[1], '\0');
    assert_int_equal(entry->sp_lstchg, shown->changed);
    assert_int_equal(entry->sp_min, shown->min);
    assert_int_equal(entry->sp_max, shown->max);
    assert_int_equal(entry->sp_warn, shown->warn);
    assert_int_equal(entry->sp_inact, shown->inactive);
    assert_int_equal(entry->sp_expire, shown->expire);
    assert_true(entry->sp_flag == ~0UL);
}

/* What the policy shows of a state that was published. */
static bool
shown_of(const char *state, sr_time now, struct sr_view_shadow *shown)
{
    const struct sr_payload payload =
        published_payload(SR_VIEW_SHADOW, state, NOW, false);
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;

    assert_true(sr_payload_decode(payload.bytes, payload.size, &facts, &rules,
                                  &is_exempt));
    return sr_view_shadow(&facts, &rules, now, shown);
}

/* An answer of the groups: which were added to one that was there. */
struct groups {
    enum nss_status status;
    int why;
    long start, size;
    gid_t ids[64];
};

static struct groups
ask_groups_having(const char *name, sr_time now, const gid_t *have, long start,
                  long size)
{
    struct groups answer = {.start = start, .size = size};
    gid_t *groups = malloc((size_t)size * sizeof(*groups));

    assert_non_null(groups);
    memcpy(groups, have, (size_t)start * sizeof(*have));
    errno = 0;
    answer.status =
        sr_nss_groups(dir, now, name, &answer.start, &answer.size, &groups);
    answer.why = errno;
    assert_in_range(answer.start, start, 64);
    assert_in_range(answer.start, 0, answer.size);
    memcpy(answer.ids, groups, (size_t)answer.start * sizeof(*groups));
    for (long i = 0; i < start; i++)
        assert_int_equal(groups[i], have[i]);
    free(groups);
    return answer;
}

static struct groups
ask_groups(const char *name, sr_time now)
{
    static const gid_t have[] = {100};

    return ask_groups_having(name, now, have, 1, 1);
}

/* The groups added are those of a set of bits. */
static void
expect_groups(struct groups answer, unsigned set)
{
    unsigned got = 0;

    assert_int_equal(answer.status, NSS_STATUS_SUCCESS);
    for (long i = 1; i < answer.start; i++) {
        const gid_t group = answer.ids[i] - PUBLISHED_GID(0);

        assert_in_range(group, 0, SR_GROUP_COUNT - 1);
        assert_false(got & SR_GROUP_BIT(group));
        got |= SR_GROUP_BIT(group);
    }
    assert_int_equal(got, set);
}

static void
expect_no_groups(struct groups answer, enum nss_status status, int why)
{
    assert_int_equal(answer.status, status);
    if (status != NSS_STATUS_NOTFOUND)
        assert_int_equal(answer.why, why);
    assert_int_equal(answer.start, 1);
    assert_int_equal(answer.size, 1);
}

#define UNKNOWN SR_GROUP_BIT(SR_GROUP_UNKNOWN)
#define OK      SR_GROUP_BIT(SR_GROUP_OK)

/* ---- the answers */

static void
test_shadow_is_what_the_policy_shows(void **state)
{
    static const sr_time later[] = {0, 6 * SR_DAY, 40 * SR_DAY};
    struct published made;

    (void)state;
    begin(&made, SR_VIEW_SHADOW, 4);
    made.header.not_after = NOW + 100 * SR_DAY;
    put(&made, SR_VIEW_SHADOW);
    for (size_t i = 0; i < STATES; i++) {
        for (size_t j = 0; j < 3; j++) {
            const struct shadow *answer = ask_shadow(states[i], NOW + later[j]);
            struct sr_view_shadow shown;

            if (shown_of(states[i], NOW + later[j], &shown)) {
                assert_int_equal(answer->status, NSS_STATUS_SUCCESS);
                expect_shadow(&answer->entry, states[i], &shown);
            } else {
                expect_nothing(answer, NSS_STATUS_UNAVAIL, ENODATA);
            }
        }
    }
    expect_nothing(ask_shadow("nobody", NOW), NSS_STATUS_NOTFOUND, 0);
}

static void
test_groups_are_what_the_policy_shows(void **state)
{
    (void)state;
    put_plain(SR_VIEW_GROUPS);
    for (size_t i = 0; i < STATES; i++) {
        struct sr_facts facts;
        struct sr_rules rules;

        published_state(states[i], NOW, &facts, &rules);
        expect_groups(ask_groups(states[i], NOW),
                      sr_view_groups(&facts, &rules, false, NOW));
    }
    expect_no_groups(ask_groups("nobody", NOW), NSS_STATUS_NOTFOUND, 0);
}

/* Names that are never published, because the form has no room for them.  A
 * directory may have them, so their state is not "none". */
static void
test_names_that_cannot_be_published(void **state)
{
    static const char *const names[] = {
        "", ".", "..", "a/b", "a:b", "::ok", "a\nb", SR_FALLBACK_NAME};
    char longest[SR_SNAPSHOT_NAME_MAX + 2];

    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[SR_SNAPSHOT_NAME_MAX + 1] = '\0';
    put_fallback(); /* and no snapshot */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        expect_nothing(ask_shadow(names[i], NOW), NSS_STATUS_UNAVAIL, ENOENT);
        expect_groups(ask_groups(names[i], NOW), UNKNOWN);
    }
    expect_groups(ask_groups(longest, NOW), UNKNOWN);
    put_plain(SR_VIEW_GROUPS);
    put_plain(SR_VIEW_SHADOW);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        expect_nothing(ask_shadow(names[i], NOW), NSS_STATUS_NOTFOUND, 0);
        expect_groups(ask_groups(names[i], NOW), UNKNOWN);
    }
    expect_groups(ask_groups(longest, NOW), UNKNOWN);
    longest[SR_SNAPSHOT_NAME_MAX] = '\0';
    /* It can be published, but other spellings of it cannot be told. */
    expect_groups(ask_groups(longest, NOW), UNKNOWN);
    longest[SR_SNAPSHOT_NAME_MAX - 2] = '\0';
    expect_no_groups(ask_groups(longest, NOW), NSS_STATUS_NOTFOUND, 0);
    expect_groups(ask_groups("1.2.3.4.5.6.7.8.9", NOW), UNKNOWN);
    expect_groups(ask_groups("_", NOW), UNKNOWN);
}

/* Names of no account, where an account or its name here is not known. */
static void
test_other_spellings(void **state)
{
    static const char *const are[] = {"ann#corp", "CORP.Ann", "x-ann-y",
                                      "ann@a.b", "a_ann"};
    static const char *const are_not[] = {"annb", "bann", "an.n", "corp"};
    struct sr_payload payload;
    struct published made;

    (void)state;
    sr_payload_of_alias(&payload);
    begin(&made, SR_VIEW_GROUPS, 1);
    published_add(&made, "::ann", &payload);
    put(&made, SR_VIEW_GROUPS);
    for (size_t i = 0; i < sizeof(are) / sizeof(are[0]); i++)
        expect_groups(ask_groups(are[i], NOW), UNKNOWN);
    for (size_t i = 0; i < sizeof(are_not) / sizeof(are_not[0]); i++)
        expect_no_groups(ask_groups(are_not[i], NOW), NSS_STATUS_NOTFOUND, 0);
    begin(&made, SR_VIEW_GROUPS, 1);
    made.header.is_partial = true;
    put(&made, SR_VIEW_GROUPS);
    for (size_t i = 0; i < sizeof(are_not) / sizeof(are_not[0]); i++)
        expect_groups(ask_groups(are_not[i], NOW), UNKNOWN);
}

static void
test_exempt_accounts(void **state)
{
    struct sr_payload payload =
        published_payload(SR_VIEW_GROUPS, "locked", NOW, true);
    struct published made;

    (void)state;
    begin(&made, SR_VIEW_GROUPS, 1);
    published_add(&made, "root", &payload);
    put(&made, SR_VIEW_GROUPS);
    expect_groups(ask_groups("root", NOW), OK);
}

/* ---- buffers */

/* Ask with `size` bytes at an offset, and canaries around. */
static enum nss_status
ask_in(size_t offset, size_t size, struct spwd *entry)
{
    static char area[ROOM];
    char *buffer = area + 64 + offset;
    enum nss_status status;

    memset(area, 0x5a, sizeof(area));
    memset(entry, 0x5a, sizeof(*entry));
    errno = 0;
    status = sr_nss_shadow(dir, NOW, "must-change", entry, buffer, size);
    for (char *at = area; at < area + sizeof(area); at++)
        if (at < buffer || at >= buffer + size || status != NSS_STATUS_SUCCESS)
            assert_int_equal(*at, 0x5a);
    if (status == NSS_STATUS_SUCCESS) {
        assert_string_equal(entry->sp_namp, "must-change");
        assert_string_equal(entry->sp_pwdp, "*");
    } else {
        const uint8_t *bytes = (const uint8_t *)entry;

        assert_int_equal(status, NSS_STATUS_TRYAGAIN);
        assert_int_equal(errno, ERANGE);
        for (size_t i = 0; i < sizeof(*entry); i++)
            assert_int_equal(bytes[i], 0x5a);
    }
    return status;
}

static void
test_every_size_of_buffer(void **state)
{
    const size_t need = sizeof("must-change") + sizeof("*");
    struct spwd entry;

    (void)state;
    put_plain(SR_VIEW_SHADOW);
    for (size_t offset = 0; offset < 16; offset++)
        for (size_t size = 0; size < need + 40; size++)
            assert_int_equal(ask_in(offset, size, &entry),
                             size < need ? NSS_STATUS_TRYAGAIN
                                         : NSS_STATUS_SUCCESS);
}

static void
test_a_small_buffer_is_only_for_who_exists(void **state)
{
    struct spwd entry;
    char one[1];

    (void)state;
    put_plain(SR_VIEW_SHADOW);
    assert_int_equal(sr_nss_shadow(dir, NOW, "nobody", &entry, one, 0),
                     NSS_STATUS_NOTFOUND);
    assert_int_equal(sr_nss_shadow(dir, NOW, "unknown", &entry, one, 0),
                     NSS_STATUS_UNAVAIL);
}

/* ---- room for groups */

static bool is_out_of_memory;
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *
__wrap_realloc(void *memory, size_t size)
{
    if (!is_out_of_memory)
        return __real_realloc(memory, size);
    errno = ENOMEM;
    return NULL;
}

static void
test_room_grows_when_it_must(void **state)
{
    gid_t have[20];

    (void)state;
    put_plain(SR_VIEW_GROUPS); /* "expiring": two groups */
    for (gid_t i = 0; i < 20; i++)
        have[i] = 100 + i;
    for (long start = 1; start < 20; start++) {
        for (long size = start; size < start + 5; size++) {
            struct groups answer =
                ask_groups_having("expiring", NOW, have, start, size);

            assert_int_equal(answer.status, NSS_STATUS_SUCCESS);
            assert_int_equal(answer.start, start + 2);
            if (size >= start + 2)
                assert_int_equal(answer.size, size);
            else
                assert_int_equal(answer.size,
                                 2 * size > start + 2 ? 2 * size : start + 2);
        }
    }
}

static void
test_no_memory_for_groups(void **state)
{
    static const gid_t have[] = {100};
    struct groups answer;

    (void)state;
    put_plain(SR_VIEW_GROUPS);
    is_out_of_memory = true;
    answer = ask_groups("expiring", NOW);
    is_out_of_memory = false;
    expect_no_groups(answer, NSS_STATUS_TRYAGAIN, ENOMEM);
    is_out_of_memory = true; /* with room, none is needed */
    answer = ask_groups_having("expiring", NOW, have, 1, 3);
    is_out_of_memory = false;
    assert_int_equal(answer.status, NSS_STATUS_SUCCESS);
}

static void
test_groups_that_are_there_already(void **state)
{
    const gid_t all[] = {PUBLISHED_GID(SR_GROUP_OK),
                         PUBLISHED_GID(SR_GROUP_EXPIRING)};
    struct groups answer;

    (void)state;
    put_plain(SR_VIEW_GROUPS);
    answer = ask_groups_having("expiring", NOW, all, 2, 2);
    assert_int_equal(answer.status, NSS_STATUS_SUCCESS);
    assert_int_equal(answer.start, 2);
    assert_int_equal(answer.size, 2);
    answer = ask_groups_having("expiring", NOW, all, 1, 1);
    assert_int_equal(answer.start, 2);
    assert_int_equal(answer.ids[1], PUBLISHED_GID(SR_GROUP_EXPIRING));
}

static void
test_groups_that_do_not_exist(void **state)
{
    struct published made;

    (void)state;
    begin(&made, SR_VIEW_GROUPS, 4);
    made.header.gid[SR_GROUP_OK] = 0;
    put(&made, SR_VIEW_GROUPS);
    expect_groups(ask_groups("expiring", NOW), SR_GROUP_BIT(SR_GROUP_EXPIRING));
    expect_no_groups(ask_groups("ok", NOW), NSS_STATUS_NOTFOUND, 0);
}

/* ---- what cannot be believed */

static void
expect_broken(int why)
{
    expect_nothing(ask_shadow("ok", NOW), NSS_STATUS_UNAVAIL, why);
    expect_groups(ask_groups("ok", NOW), UNKNOWN);
    expect_groups(ask_groups("nobody", NOW), UNKNOWN);
    expect_groups(ask_groups("root", NOW), OK);
    expect_groups(ask_groups("breakglass", NOW), OK);
}

static void
put_bytes(const uint8_t *bytes, size_t size)
{
    assert_true(published_put(dir, SR_VIEW_SHADOW, bytes, size));
    assert_true(published_put(dir, SR_VIEW_GROUPS, bytes, size));
}

/* One bucket, so that every byte of it is looked at. */
static uint8_t *
make_bytes(size_t *size)
{
    struct published made;

    begin(&made, SR_VIEW_SHADOW, 1);
    return published_finish(&made, size);
}

static void
test_missing(void **state)
{
    (void)state;
    expect_nothing(ask_shadow("ok", NOW), NSS_STATUS_UNAVAIL, ENOENT);
    expect_no_groups(ask_groups("ok", NOW), NSS_STATUS_UNAVAIL, ENOENT);
    put_fallback();
    expect_broken(ENOENT);
}

static void
test_cut_off(void **state)
{
    const size_t end = SR_SNAPSHOT_PAGE + SR_SNAPSHOT_BUCKET;
    size_t size;
    uint8_t *bytes = make_bytes(&size);

    (void)state;
    put_fallback();
    put_bytes(bytes, size);
    assert_int_equal(ask_shadow("ok", NOW)->status, NSS_STATUS_SUCCESS);
    for (size_t cut = 0; cut < end; cut += cut < 128 ? 1 : 128) {
        put_bytes(bytes, cut);
        expect_broken(EBADMSG);
    }
    put_bytes(bytes, end - 1);
    expect_broken(EBADMSG);
    /* What the file still has is good; that somebody is not in it is not. */
    for (size_t cut = end; cut < size; cut += 64) {
        put_bytes(bytes, cut);
        assert_int_equal(ask_shadow("ok", NOW)->status, NSS_STATUS_SUCCESS);
        expect_nothing(ask_shadow("nobody", NOW), NSS_STATUS_UNAVAIL, EBADMSG);
        expect_groups(ask_groups("nobody", NOW), UNKNOWN);
    }
    free(bytes);
}

static void
test_any_byte_damaged(void **state)
{
    size_t size;
    uint8_t *bytes = make_bytes(&size);
    const size_t end = SR_SNAPSHOT_PAGE + SR_SNAPSHOT_BUCKET;

    (void)state;
    put_fallback();
    for (size_t at = 0; at < end - 1; at++) {
        if (at >= SR_SNAPSHOT_HEADER && at < SR_SNAPSHOT_PAGE)
            continue; /* says nothing */
        for (unsigned flip = 1; flip < 256; flip = flip == 1 ? 0x80 : 256) {
            bytes[at] ^= (uint8_t)flip;
            put_bytes(bytes, size);
            bytes[at] ^= (uint8_t)flip;
            expect_broken(EBADMSG);
        }
    }
    bytes[end - 1] ^= 1; /* the mark is not damage */
    put_bytes(bytes, size);
    assert_int_equal(ask_shadow("ok", NOW)->status, NSS_STATUS_SUCCESS);
    free(bytes);
}

static void
test_another_time(void **state)
{
    static const struct {
        sr_time ahead; /* now, of the snapshot's creation */
        bool is_current;
    } cases[] = {
        {0, true},
        {SR_DAY - 1, true},
        {SR_DAY, false},
        {1000 * SR_DAY, false},
        {-SR_SNAPSHOT_SKEW, true},
        {-SR_SNAPSHOT_SKEW - 1, false},
        {-1000 * SR_DAY, false},
    };

    (void)state;
    put_fallback();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const sr_time created = NOW - cases[i].ahead;

        for (unsigned view = 0; view < SR_VIEW_COUNT; view++) {
            const struct sr_payload payload =
                published_payload(view, "ok", created, false);
            struct published made;

            published_begin(&made, 1, created);
            published_add(&made, "ok", &payload);
            put(&made, view);
        }
        if (cases[i].is_current) {
            assert_int_equal(ask_shadow("ok", NOW)->status, NSS_STATUS_SUCCESS);
            expect_groups(ask_groups("ok", NOW), OK);
        } else {
            expect_broken(ESTALE);
        }
    }
}

static void
test_payload_that_is_none(void **state)
{
    struct sr_payload payload = {.size = 3};
    struct published made;

    (void)state;
    put_fallback();
    for (unsigned view = 0; view < SR_VIEW_COUNT; view++) {
        begin(&made, view, 1);
        published_add(&made, "odd", &payload);
        put(&made, view);
    }
    expect_nothing(ask_shadow("odd", NOW), NSS_STATUS_UNAVAIL, EBADMSG);
    expect_groups(ask_groups("odd", NOW), UNKNOWN);
}

/* An entry whose payload is longer than any can be, over the one behind it. */
static void
test_payload_that_is_too_long(void **state)
{
    const struct sr_payload payload = {.size = SR_PAYLOAD_MAX};
    struct published made;
    const size_t first = 18; /* where the entries of a bucket begin */

    (void)state;
    published_begin(&made, 1, NOW);
    published_add(&made, "odd", &payload);
    published_add(&made, "more", &payload);
    made.buckets[first + 1] += 2 + (uint8_t)strlen("more") + SR_PAYLOAD_MAX;
    put(&made, SR_VIEW_SHADOW);
    expect_nothing(ask_shadow("odd", NOW), NSS_STATUS_UNAVAIL, EBADMSG);
    expect_nothing(ask_shadow("more", NOW), NSS_STATUS_NOTFOUND, 0);
}

/* So many buckets in a row are looked through, and not one more. */
static void
test_walk_ends(void **state)
{
    const struct sr_payload payload =
        published_payload(SR_VIEW_SHADOW, "ok", NOW, false);
    struct published made;
    unsigned last = 0;
    char name[16];

    (void)state;
    published_begin(&made, 1, NOW);
    for (; made.header.overflow < SR_SNAPSHOT_WALK; last++) {
        snprintf(name, sizeof(name), "user%u", last);
        published_add(&made, name, &payload);
    }
    put(&made, SR_VIEW_SHADOW);
    snprintf(name, sizeof(name), "user%u", last - 2);
    assert_int_equal(ask_shadow(name, NOW)->status, NSS_STATUS_SUCCESS);
    snprintf(name, sizeof(name), "user%u", last - 1);
    expect_nothing(ask_shadow(name, NOW), NSS_STATUS_UNAVAIL, EBADMSG);

    begin(&made, SR_VIEW_SHADOW, 1);
    assert_true(made.header.overflow > 0);
    made.next[made.header.overflow] = 1; /* round and round */
    put(&made, SR_VIEW_SHADOW);
    expect_nothing(ask_shadow("nobody", NOW), NSS_STATUS_UNAVAIL, EBADMSG);
}

static void
test_fallback_that_was_cut_off(void **state)
{
    char text[SR_FALLBACK_TEXT + 1];

    (void)state;
    memset(text, ':', sizeof(text));
    memcpy(text, "1:806:805", 9);
    text[SR_FALLBACK_TEXT] = '\0';
    assert_true(
        published_put_text(dir, SR_VIEW_GROUPS, SR_FALLBACK_NAME, text));
    expect_no_groups(ask_groups("ok", NOW), NSS_STATUS_UNAVAIL, ENOENT);
}

/* ---- who may not read, and who cannot */

static void
ask_as_nobody(void *argument)
{
    struct spwd entry;
    char buffer[ROOM];
    gid_t *groups = malloc(sizeof(*groups));
    long start = 1, size = 1;

    (void)argument;
    if (setresgid(65534, 65534, 65534) != 0 ||
        setresuid(65534, 65534, 65534) != 0)
        _exit(SCRATCH_SKIP);
    WANT(sr_nss_shadow(dir, NOW, "ok", &entry, buffer, sizeof(buffer)) ==
         NSS_STATUS_NOTFOUND);
    WANT(sr_nss_groups(dir, NOW, "ok", &start, &size, &groups) ==
         NSS_STATUS_NOTFOUND);
    WANT(start == 1);
}

static void
test_denied(void **state)
{
    (void)state;
    put_plain(SR_VIEW_SHADOW);
    put_plain(SR_VIEW_GROUPS);
    put_fallback();
    assert_int_equal(chmod(top, 0755), 0);
    assert_int_equal(chmod(scratch_path(dir, "shadow.snap"), 0640), 0);
    assert_int_equal(chmod(scratch_path(dir, "groups.snap"), 0640), 0);
    scratch_pass(ask_as_nobody, NULL);
}

static void
ask_without_descriptors(void *argument)
{
    const struct rlimit none = {0, 0};
    struct spwd entry;
    char buffer[ROOM];
    gid_t *groups = malloc(sizeof(*groups));
    long start = 1, size = 1;

    WANT(setrlimit(RLIMIT_NOFILE, &none) == 0);
    WANT(sr_nss_shadow(dir, NOW, "ok", &entry, buffer, sizeof(buffer)) ==
         NSS_STATUS_TRYAGAIN);
    WANT(errno == EMFILE);
    if (argument == NULL) {
        WANT(sr_nss_groups(dir, NOW, "ok", &start, &size, &groups) ==
             NSS_STATUS_TRYAGAIN);
        WANT(errno == EMFILE && start == 1);
    } else {
        WANT(sr_nss_groups(dir, NOW, "ok", &start, &size, &groups) ==
             NSS_STATUS_SUCCESS);
        WANT(start == 2 && groups[1] == PUBLISHED_GID(SR_GROUP_UNKNOWN));
    }
}

static void
test_no_descriptor_to_be_had(void **state)
{
    (void)state;
    put_plain(SR_VIEW_SHADOW);
    put_plain(SR_VIEW_GROUPS);
    scratch_pass(ask_without_descriptors, NULL);
    put_fallback();
    scratch_pass(ask_without_descriptors, dir);
}

/* ---- deltas */

static void
put_delta(enum sr_view view, const char *name, const char *state,
          uint64_t sequence)
{
    const struct sr_payload payload =
        published_payload(view, state, NOW, false);

    assert_true(published_put_delta(dir, view, name, sequence, &payload));
}

/* A snapshot in which a delta for "ok" is to be looked for. */
static void
put_marked(enum sr_view view)
{
    struct published made;

    begin(&made, view, 8);
    published_mark(&made, "ok");
    published_mark(&made, "new");
    put(&made, view);
}

static void
test_newer_delta_counts(void **state)
{
    (void)state;
    put_marked(SR_VIEW_GROUPS);
    put_delta(SR_VIEW_GROUPS, "ok", "locked", SEQUENCE + 1);
    put_delta(SR_VIEW_GROUPS, "new", "ok", SEQUENCE + 1);
    expect_groups(ask_groups("ok", NOW), SR_GROUP_BIT(SR_GROUP_LOCKED));
    expect_groups(ask_groups("new", NOW), OK);
    put_delta(SR_VIEW_GROUPS, "ok", "locked", SEQUENCE);
    put_delta(SR_VIEW_GROUPS, "new", "ok", SEQUENCE);
    expect_groups(ask_groups("ok", NOW), OK);
    expect_no_groups(ask_groups("new", NOW), NSS_STATUS_NOTFOUND, 0);
}

static void
test_delta_of_an_account_that_is_gone(void **state)
{
    const struct sr_payload gone = {.size = 0};

    (void)state;
    put_marked(SR_VIEW_SHADOW);
    assert_true(
        published_put_delta(dir, SR_VIEW_SHADOW, "ok", SEQUENCE + 1, &gone));
    expect_nothing(ask_shadow("ok", NOW), NSS_STATUS_NOTFOUND, 0);
}

static void
test_delta_without_a_mark_is_not_looked_for(void **state)
{
    (void)state;
    put_plain(SR_VIEW_GROUPS);
    put_delta(SR_VIEW_GROUPS, "ok", "locked", SEQUENCE + 1);
    expect_groups(ask_groups("ok", NOW), OK);
}

static void
test_delta_that_is_damaged(void **state)
{
    const struct sr_payload payload =
        published_payload(SR_VIEW_GROUPS, "locked", NOW, false);
    char text[SR_DELTA_TEXT];

    (void)state;
    put_fallback();
    put_marked(SR_VIEW_GROUPS);
    sr_delta_encode("ok", SEQUENCE + 1, &payload, text);
    for (char *at = text; *at != '\0'; at++) {
        *at ^= 1;
        assert_true(published_put_text(dir, SR_VIEW_GROUPS, "ok", text));
        *at ^= 1;
        expect_groups(ask_groups("ok", NOW), UNKNOWN);
    }
    sr_delta_encode("locked", SEQUENCE + 1, &payload, text); /* another's */
    assert_true(published_put_text(dir, SR_VIEW_GROUPS, "ok", text));
    expect_groups(ask_groups("ok", NOW), UNKNOWN);
}

/* ---- a delta that a new snapshot takes in while it is looked for */

static void (*before_readlink)(void);
static bool is_range;
ssize_t __real_readlink(const char *path, char *text, size_t size);
ssize_t __wrap_readlink(const char *path, char *text, size_t size);
ssize_t __wrap___readlink_chk(const char *path, char *text, size_t size,
                              size_t room);

ssize_t
__wrap_readlink(const char *path, char *text, size_t size)
{
    void (*now)(void) = before_readlink;

    before_readlink = NULL;
    if (now != NULL)
        now();
    if (is_range) {
        errno = ERANGE;
        return -1;
    }
    return __real_readlink(path, text, size);
}

/* What a compiler with fortification makes of it. */
ssize_t
__wrap___readlink_chk(const char *path, char *text, size_t size, size_t room)
{
    assert_true(size <= room);
    return __wrap_readlink(path, text, size);
}

static void
take_in(void)
{
    struct sr_payload payload =
        published_payload(SR_VIEW_GROUPS, "locked", NOW, false);
    struct published made;

    published_begin(&made, 8, NOW);
    made.header.sequence += 2;
    published_add(&made, "ok", &payload);
    put(&made, SR_VIEW_GROUPS);
    assert_int_equal(unlink(scratch_path(dir, "groups.d/ok")), 0);
}

static void
test_a_delta_taken_in_meanwhile(void **state)
{
    (void)state;
    put_marked(SR_VIEW_GROUPS);
    put_delta(SR_VIEW_GROUPS, "ok", "locked", SEQUENCE + 1);
    before_readlink = take_in;
    expect_groups(ask_groups("ok", NOW), SR_GROUP_BIT(SR_GROUP_LOCKED));
}

/* What a file system says must not send callers for larger buffers. */
static void
test_range_is_only_for_buffers(void **state)
{
    const struct shadow *answer;

    (void)state;
    put_marked(SR_VIEW_SHADOW);
    is_range = true;
    answer = ask_shadow("ok", NOW);
    is_range = false;
    expect_nothing(answer, NSS_STATUS_UNAVAIL, EIO);
}

/* ---- the list */

static struct sr_cursor cursor;

static enum nss_status
ask_next(struct spwd *entry, char *buffer, size_t size)
{
    errno = 0;
    return sr_nss_shadow_next(dir, NOW, &cursor, entry, buffer, size);
}

/* List all, and ask for one with too small a buffer before each: which of the
 * states were listed, each once. */
static unsigned
list_all(void)
{
    char buffer[ROOM];
    struct spwd entry;
    unsigned got = 0;

    memset(&cursor, 0, sizeof(cursor));
    for (;;) {
        enum nss_status status = ask_next(&entry, buffer, 2);
        struct sr_view_shadow shown;
        size_t i = 0;

        if (status == NSS_STATUS_NOTFOUND)
            break;
        assert_int_equal(status, NSS_STATUS_TRYAGAIN);
        assert_int_equal(errno, ERANGE);
        assert_int_equal(ask_next(&entry, buffer, sizeof(buffer)),
                         NSS_STATUS_SUCCESS);
        while (i < STATES && strcmp(states[i], entry.sp_namp) != 0)
            i++;
        assert_in_range(i, 0, STATES - 1);
        assert_false(got & 1u << i);
        got |= 1u << i;
        if (shown_of(states[i], NOW, &shown) && strcmp("ok", states[i]) != 0)
            expect_shadow(&entry, states[i], &shown);
        else
            assert_int_equal(entry.sp_pwdp[0], '*');
    }
    assert_int_equal(ask_next(&entry, buffer, sizeof(buffer)),
                     NSS_STATUS_NOTFOUND);
    return got;
}

#define ALL_BUT_UNKNOWN ((1u << (STATES - 1)) - 1)

static void
test_list(void **state)
{
    struct published made;

    (void)state;
    for (uint32_t buckets = 1; buckets < 200; buckets *= 3) {
        begin(&made, SR_VIEW_SHADOW, buckets);
        put(&made, SR_VIEW_SHADOW);
        assert_int_equal(list_all(), ALL_BUT_UNKNOWN);
    }
}

static void
test_list_that_is_not_allowed(void **state)
{
    struct published made;
    char buffer[ROOM];
    struct spwd entry;

    (void)state;
    begin(&made, SR_VIEW_SHADOW, 1);
    made.header.is_listed = false;
    put(&made, SR_VIEW_SHADOW);
    assert_int_equal(list_all(), 0);
    assert_int_equal(ask_shadow("ok", NOW)->status, NSS_STATUS_SUCCESS);
    unlink(scratch_path(dir, "shadow.snap"));
    assert_int_equal(ask_next(&entry, buffer, sizeof(buffer)),
                     NSS_STATUS_UNAVAIL);
    assert_int_equal(errno, ENOENT);
}

static void
test_list_with_deltas(void **state)
{
    const struct sr_payload gone = {.size = 0};
    struct published made;
    unsigned listed;

    (void)state;
    begin(&made, SR_VIEW_SHADOW, 1); /* with overflow */
    published_mark(&made, "ok");
    put(&made, SR_VIEW_SHADOW);
    put_delta(SR_VIEW_SHADOW, "unknown", "expired", SEQUENCE + 1);
    assert_true(published_put_delta(dir, SR_VIEW_SHADOW, "disabled",
                                    SEQUENCE + 1, &gone));
    listed = list_all();
    assert_int_equal(listed, (ALL_BUT_UNKNOWN & ~(1u << 6)) | 1u << 7);
}

static void
test_list_that_a_new_snapshot_ends(void **state)
{
    struct published made;
    char buffer[ROOM];
    struct spwd entry;

    (void)state;
    put_plain(SR_VIEW_SHADOW);
    memset(&cursor, 0, sizeof(cursor));
    assert_int_equal(ask_next(&entry, buffer, ROOM), NSS_STATUS_SUCCESS);
    assert_int_equal(ask_next(&entry, buffer, ROOM), NSS_STATUS_SUCCESS);
    begin(&made, SR_VIEW_SHADOW, 7);
    made.header.sequence++;
    put(&made, SR_VIEW_SHADOW);
    assert_int_equal(ask_next(&entry, buffer, ROOM), NSS_STATUS_TRYAGAIN);
    assert_int_equal(errno, EAGAIN);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask_next(&entry, buffer, ROOM), NSS_STATUS_NOTFOUND);
    assert_int_equal(list_all(), ALL_BUT_UNKNOWN);
}

/* ---- the functions that glibc calls */

/* Both views, as of now. */
static void
put_current(void)
{
    const sr_time now = time(NULL);

    for (unsigned view = 0; view < SR_VIEW_COUNT; view++) {
        const struct sr_payload payload =
            published_payload(view, "expiring", now, false);
        struct published made;

        published_begin(&made, 1, now);
        made.header.is_listed = true;
        published_add(&made, "erin", &payload);
        put(&made, view);
    }
}

static void
test_only_rules_are_told_of_a_state(void **state)
{
    static const long limits[] = {0, 1, 2, 65536, -2};
    gid_t *groups = malloc(sizeof(*groups));
    long start = 1, size = 1;

    (void)state;
    put_current();
    groups[0] = 100;
    errno = 1234;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        assert_int_equal(_nss_selfreset_initgroups_dyn("erin", 100, &start,
                                                       &size, &groups,
                                                       limits[i], &errno),
                         NSS_STATUS_NOTFOUND);
    assert_int_equal(_nss_selfreset_initgroups_dyn("erin", (gid_t)-1, &start,
                                                   &size, &groups, -1, &errno),
                     NSS_STATUS_NOTFOUND);
    assert_int_equal(start, 1);
    assert_int_equal(_nss_selfreset_initgroups_dyn("erin", 100, &start, &size,
                                                   &groups, -1, &errno),
                     NSS_STATUS_SUCCESS);
    assert_int_equal(start, 3);
    assert_int_equal(errno, 1234);
    free(groups);
}

static void
test_errno_is_put_back(void **state)
{
    struct spwd entry;
    char buffer[ROOM];
    int why = 4321;

    (void)state;
    put_current();
    errno = 1234;
    assert_int_equal(
        _nss_selfreset_getspnam_r("erin", &entry, buffer, sizeof(buffer), &why),
        NSS_STATUS_SUCCESS);
    assert_int_equal(_nss_selfreset_getspnam_r("nobody", &entry, buffer,
                                               sizeof(buffer), &why),
                     NSS_STATUS_NOTFOUND);
    assert_int_equal(why, 4321);
    assert_int_equal(_nss_selfreset_getspnam_r("erin", &entry, buffer, 1, &why),
                     NSS_STATUS_TRYAGAIN);
    assert_int_equal(why, ERANGE);
    assert_int_equal(errno, 1234);
    assert_int_equal(
        _nss_selfreset_getspnam_r("erin", &entry, buffer, 1, &errno),
        NSS_STATUS_TRYAGAIN);
    assert_int_equal(errno, ERANGE);
}

static void
test_list_of_the_module(void **state)
{
    struct spwd entry;
    char buffer[ROOM];
    int why = 4321;

    (void)state;
    put_current();
    errno = 1234;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(_nss_selfreset_setspent(1), NSS_STATUS_SUCCESS);
        assert_int_equal(_nss_selfreset_getspent_r(&entry, buffer, 1, &why),
                         NSS_STATUS_TRYAGAIN);
        assert_int_equal(why, ERANGE);
        assert_int_equal(_nss_selfreset_getspent_r(&entry, buffer, ROOM, &why),
                         NSS_STATUS_SUCCESS);
        assert_string_equal(entry.sp_namp, "erin");
        assert_int_equal(_nss_selfreset_getspent_r(&entry, buffer, ROOM, &why),
                         NSS_STATUS_NOTFOUND);
    }
    assert_int_equal(_nss_selfreset_endspent(), NSS_STATUS_SUCCESS);
    assert_int_equal(_nss_selfreset_getspent_r(&entry, buffer, ROOM, &why),
                     NSS_STATUS_SUCCESS);
    assert_int_equal(_nss_selfreset_endspent(), NSS_STATUS_SUCCESS);
    assert_int_equal(errno, 1234);
}

/* ---- the stack */

#define PAINT    0xb7
#define PAINTED  (16 * 1024)
#define STACK_OK 2048

static uintptr_t painted; /* where the paint begins */

/* Paint the stack below the caller's frame.  Not to be inlined. */
static __attribute__((noinline)) void
paint(void)
{
    volatile uint8_t area[PAINTED];

    for (size_t i = 0; i < sizeof(area); i++)
        area[i] = PAINT;
    painted = (uintptr_t)area;
}

/* How much of what was painted has been written since. */
static __attribute__((noinline, no_sanitize("address", "undefined"))) size_t
count_used(void)
{
    const volatile uint8_t *area = (const volatile uint8_t *)painted;
    size_t clean = 0;

    while (clean < PAINTED && area[clean] == PAINT)
        clean++;
    return PAINTED - clean;
}

static void
expect_little_stack(void (*ask)(void))
{
    ask(); /* what is bound at the first call is bound */
    paint();
    ask();
    assert_in_range(count_used(), 200, STACK_OK);
}

static struct spwd quiet_entry;
static char quiet_buffer[ROOM];
static gid_t *quiet_groups;
static long quiet_start, quiet_size;

static void
quiet_shadow(void)
{
    sr_nss_shadow(dir, NOW, "ok", &quiet_entry, quiet_buffer, ROOM);
}

static void
quiet_list(void)
{
    memset(&cursor, 0, sizeof(cursor));
    sr_nss_shadow_next(dir, NOW, &cursor, &quiet_entry, quiet_buffer, ROOM);
}

static void
quiet_ask_groups(void)
{
    quiet_start = 1;
    sr_nss_groups(dir, NOW, "ok", &quiet_start, &quiet_size, &quiet_groups);
}

static void
test_little_stack_is_used(void **state)
{
    (void)state;
#if defined(SR_INSTRUMENTED) || !defined(__OPTIMIZE__)
    skip();
#endif
    put_marked(SR_VIEW_SHADOW);
    put_marked(SR_VIEW_GROUPS);
    put_delta(SR_VIEW_SHADOW, "ok", "must-change", SEQUENCE + 1);
    put_delta(SR_VIEW_GROUPS, "ok", "must-change", SEQUENCE + 1);
    quiet_size = 8;
    quiet_groups = calloc(8, sizeof(*quiet_groups));
    expect_little_stack(quiet_shadow);
    expect_little_stack(quiet_list);
    expect_little_stack(quiet_ask_groups);
    unlink(scratch_path(dir, "groups.snap"));
    put_fallback();
    expect_little_stack(quiet_ask_groups);
    free(quiet_groups);
}

#define TEST(function)                                                         \
    cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_shadow_is_what_the_policy_shows),
        TEST(test_groups_are_what_the_policy_shows),
        TEST(test_names_that_cannot_be_published),
        TEST(test_other_spellings),
        TEST(test_exempt_accounts),
        TEST(test_every_size_of_buffer),
        TEST(test_a_small_buffer_is_only_for_who_exists),
        TEST(test_room_grows_when_it_must),
        TEST(test_no_memory_for_groups),
        TEST(test_groups_that_are_there_already),
        TEST(test_groups_that_do_not_exist),
        TEST(test_missing),
        TEST(test_cut_off),
        TEST(test_any_byte_damaged),
        TEST(test_another_time),
        TEST(test_payload_that_is_none),
        TEST(test_payload_that_is_too_long),
        TEST(test_walk_ends),
        TEST(test_fallback_that_was_cut_off),
        TEST(test_denied),
        TEST(test_no_descriptor_to_be_had),
        TEST(test_newer_delta_counts),
        TEST(test_delta_of_an_account_that_is_gone),
        TEST(test_delta_without_a_mark_is_not_looked_for),
        TEST(test_delta_that_is_damaged),
        TEST(test_a_delta_taken_in_meanwhile),
        TEST(test_range_is_only_for_buffers),
        TEST(test_list),
        TEST(test_list_that_is_not_allowed),
        TEST(test_list_with_deltas),
        TEST(test_list_that_a_new_snapshot_ends),
        TEST(test_only_rules_are_told_of_a_state),
        TEST(test_errno_is_put_back),
        TEST(test_list_of_the_module),
        TEST(test_little_stack_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
