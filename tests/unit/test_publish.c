/*
 * What is published: whole snapshots and single accounts, found again by the
 * lookup; which of two is newer; and writers that are killed, shut out or out
 * of room.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "policy/config/config.h"
#include "policy/util/file_lock.h"
#include "policy/publish/install.h"
#include "policy/publish/writer.h"
#include "policy/util/spelling.h"
#include "tests/unit/scratch.h"

#define WAIT_MS 2000

/* ---- worlds */

struct world {
    char *root;
    char dir[SR_READER_DIR_MAX + 1];
    char like[128];
    struct sr_config config;
    struct sr_rules rules;
    struct sr_account account;
    struct sr_transaction txn;
};

static int
set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct sr_facts *facts = &world->account.facts;

    world->root = scratch_make();
    snprintf(world->dir, sizeof(world->dir), "%s/published/v1", world->root);
    snprintf(world->like, sizeof(world->like), "%s/shadow", world->root);
    scratch_write(world->like, (const uint8_t *)"", 0);
    world->rules.warn = 7 * SR_DAY;
    sr_facts_init(facts);
    facts->answered = SR_YES;
    facts->uid = 1000;
    facts->locked = SR_LOCK_NO;
    facts->account_ends = SR_TIME_NEVER;
    facts->password_changed = 1000000000;
    facts->password_expires = 4000000000;
    strcpy(facts->name, "alice");
    strcpy(facts->backend, "ldap");
    world->txn.config = &world->config;
    world->txn.account = &world->account;
    world->txn.has_recalled = true;
    world->txn.everywhere = sr_lockout_none();
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;

    scratch_remove(world->root);
    free(world);
    return 0;
}

static struct sr_publish_how
how(const struct world *world)
{
    return (struct sr_publish_how){
        .sequence = sr_publish_sequence(),
        .now = time(NULL),
        .max_age = 3600,
        .gid = {900, 901, 902, 903, 904, 905},
        .wait_ms = WAIT_MS,
        .like = world->like,
    };
}

/* The account's expiry tells the tests which facts they have found. */
static struct sr_facts
facts_of(const struct world *world, const char *name, sr_time expires)
{
    struct sr_facts facts = world->account.facts;

    snprintf(facts.name, sizeof(facts.name), "%s", name);
    facts.password_expires = expires;
    return facts;
}

/* A snapshot of some names, all with the same expiry. */
static enum sr_publish_result
snapshot(const struct world *world, const struct sr_publish_how *made,
         const char *const *names, sr_time expires)
{
    struct sr_builder *build = sr_builder_new(made);
    enum sr_publish_result result;
    char reason[200];

    WANT(build != NULL);
    for (; *names != NULL; names++) {
        struct sr_facts facts = facts_of(world, *names, expires);

        WANT(sr_builder_add(build, &facts, &world->rules, false) == 0);
    }
    result = sr_builder_commit(build, world->dir, reason, sizeof(reason));
    sr_builder_free(build);
    return result;
}

static enum sr_publish_result
delta(struct world *world, uint64_t sequence, sr_time expires)
{
    char reason[200];

    world->account.facts.password_expires = expires;
    world->txn.rules = world->rules;
    return sr_publish_gathered(world->dir, &world->txn, sequence, WAIT_MS,
                               reason, sizeof(reason));
}

/* The expiry that a view says, or one of these. */
#define NOTHING ((sr_time)-1)
#define BROKEN  ((sr_time)-2)
#define DENIED  ((sr_time)-3)

static sr_time
found(const struct world *world, enum sr_view view, const char *name)
{
    struct sr_published published;
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;

    switch (sr_reader_find(world->dir, view, name, time(NULL), &published)) {
    case SR_FOUND_NOTHING:
        return NOTHING;
    case SR_FOUND_BROKEN:
        return BROKEN;
    case SR_FOUND_DENIED:
        return DENIED;
    case SR_FOUND_IT:
        break;
    }
    if (!sr_payload_decode(published.payload.bytes, published.payload.size,
                           &facts, &rules, &is_exempt))
        return BROKEN;
    return facts.password_expires;
}

static sr_time
alice(const struct world *world)
{
    const sr_time in_groups = found(world, SR_VIEW_GROUPS, "alice");

    return in_groups == found(world, SR_VIEW_SHADOW, "alice") ? in_groups
                                                              : BROKEN;
}

static const char *const people[] = {"alice", "bob", NULL};
static const char *const only_bob[] = {"bob", NULL};

/* How many entries a directory has, but for the dots. */
static unsigned
count_entries(const struct world *world, const char *name, const char *start)
{
    char command[512];
    unsigned count = 0;
    FILE *stream;

    snprintf(command, sizeof(command), "ls -A '%s/%s' | grep -c '^%s'",
             world->dir, name, start);
    stream = popen(command, "r");
    assert_non_null(stream);
    assert_int_equal(1, fscanf(stream, "%u", &count));
    pclose(stream);
    return count;
}

/* ---- snapshots */

#define MANY 200000u

/* All kinds of names: short ones, long ones, and odd bytes. */
static const char *
name_of(unsigned number, char name[SR_SNAPSHOT_NAME_MAX + 1])
{
    if (number % 100 == 0) {
        memset(name, 'a' + (int)(number / 100 % 26), SR_SNAPSHOT_NAME_MAX);
        name[SR_SNAPSHOT_NAME_MAX] = '\0';
        name[snprintf(name, 20, "%u", number)] = '-';
    } else {
        snprintf(name, 40, "%s%u",
                 number % 7 == 0   ? "\xff\x80 $+"
                 : number % 7 == 1 ? "M\xc3\xbcller."
                                   : "user",
                 number);
    }
    return name;
}

static void
test_round_trip(void **state)
{
    const struct world *world = *state;
    const struct sr_publish_how made = how(world);
    struct sr_builder *build = sr_builder_new(&made);
    char name[SR_SNAPSHOT_NAME_MAX + 1], reason[200];

    for (unsigned i = 0; i < MANY; i++) {
        struct sr_facts facts = facts_of(world, name_of(i, name), 10000 + i);

        if (i % 3 == 0)
            strcpy(facts.backend, "local");
        assert_int_equal(0,
                         sr_builder_add(build, &facts, &world->rules, false));
    }
    assert_int_equal(SR_PUBLISH_OK, sr_builder_commit(build, world->dir, reason,
                                                      sizeof(reason)));
    assert_int_equal(MANY, sr_builder_count(build, SR_VIEW_GROUPS));
    assert_int_equal(MANY - (MANY + 2) / 3,
                     sr_builder_count(build, SR_VIEW_SHADOW));
    sr_builder_free(build);
    for (unsigned i = 0; i < MANY; i++) {
        name_of(i, name);
        assert_int_equal(10000 + i, found(world, SR_VIEW_GROUPS, name));
        assert_int_equal(i % 3 == 0 ? (sr_time)NOTHING : 10000 + (sr_time)i,
                         found(world, SR_VIEW_SHADOW, name));
        name[strlen(name) - 1] = '_';
        assert_int_equal(NOTHING, found(world, SR_VIEW_GROUPS, name));
    }
}

static void
test_names(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "a:b", "a\nb"};
    const struct world *world = *state;
    const struct sr_publish_how made = how(world);
    struct sr_builder *build = sr_builder_new(&made);
    char reason[200], name[SR_NAME_MAX + 1];
    struct sr_facts facts;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        facts = facts_of(world, bad[i], 1);
        assert_int_equal(EINVAL,
                         sr_builder_add(build, &facts, &world->rules, false));
    }
    memset(name, 'x', SR_NAME_MAX);
    name[SR_NAME_MAX] = '\0';
    facts = facts_of(world, name, 1);
    assert_int_equal(EINVAL,
                     sr_builder_add(build, &facts, &world->rules, false));
    /* Of two of one name the first counts. */
    for (sr_time i = 5; i < 8; i++) {
        facts = facts_of(world, "twice", i);
        assert_int_equal(0,
                         sr_builder_add(build, &facts, &world->rules, false));
    }
    assert_int_equal(SR_PUBLISH_OK, sr_builder_commit(build, world->dir, reason,
                                                      sizeof(reason)));
    assert_int_equal(1, sr_builder_count(build, SR_VIEW_GROUPS));
    assert_int_equal(5, found(world, SR_VIEW_GROUPS, "twice"));
    sr_builder_free(build);
}

/* The header says what the publisher was told, and when it ends. */
static void
test_header(void **state)
{
    const struct world *world = *state;
    struct sr_publish_how made = how(world);
    struct sr_published out;

    made.is_listed = true;
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    assert_int_equal(SR_FOUND_IT, sr_reader_find(world->dir, SR_VIEW_GROUPS,
                                                 "bob", made.now, &out));
    assert_int_equal(made.sequence, out.header.sequence);
    assert_int_equal(made.now, out.header.created);
    assert_int_equal(made.now + made.max_age, out.header.not_after);
    assert_memory_equal(made.gid, out.header.gid, sizeof(made.gid));
    assert_true(out.header.is_listed);
    assert_int_equal(2, out.header.count);
    assert_int_equal(SR_FOUND_BROKEN,
                     sr_reader_find(world->dir, SR_VIEW_GROUPS, "bob",
                                    made.now + made.max_age, &out));
    assert_int_equal(904, sr_reader_fallback(world->dir, "root"));
    assert_int_equal(905, sr_reader_fallback(world->dir, "bob"));
}

static void
test_exempt(void **state)
{
    const struct world *world = *state;
    const struct sr_publish_how made = how(world);
    struct sr_builder *build = sr_builder_new(&made);
    char reason[200], name[32];
    struct sr_facts facts;

    facts = facts_of(world, "breakglass", 1);
    sr_builder_add(build, &facts, &world->rules, true);
    assert_int_equal(SR_PUBLISH_OK, sr_builder_commit(build, world->dir, reason,
                                                      sizeof(reason)));
    assert_string_equal("", reason);
    assert_int_equal(904, sr_reader_fallback(world->dir, "breakglass"));
    assert_int_equal(905, sr_reader_fallback(world->dir, "break"));
    /* Too many for a link: as many as have room, and a warning. */
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "breakglass%u", i);
        facts = facts_of(world, name, 1);
        sr_builder_add(build, &facts, &world->rules, true);
    }
    assert_int_equal(SR_PUBLISH_OK, sr_builder_commit(build, world->dir, reason,
                                                      sizeof(reason)));
    assert_non_null(strstr(reason, "no room"));
    assert_int_equal(904, sr_reader_fallback(world->dir, "breakglass"));
    assert_int_equal(905, sr_reader_fallback(world->dir, "breakglass199"));
    sr_builder_free(build);
}

/* ---- which is newer */

static void
test_delta(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);
    const uint64_t s = made.sequence;

    /* Nothing is published on this host. */
    assert_int_equal(SR_PUBLISH_OFF, delta(world, s, 1));
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    assert_int_equal(1, alice(world));
    assert_int_equal(SR_PUBLISH_UNCHANGED, delta(world, s + 5, 1));
    assert_int_equal(SR_PUBLISH_OK, delta(world, s + 5, 2));
    assert_int_equal(2, alice(world));
    assert_int_equal(1, found(world, SR_VIEW_GROUPS, "bob"));
    /* What is older, or as old, stays out. */
    assert_int_equal(SR_PUBLISH_UNCHANGED, delta(world, s + 4, 3));
    assert_int_equal(SR_PUBLISH_UNCHANGED, delta(world, s + 5, 3));
    assert_int_equal(2, alice(world));
    assert_int_equal(SR_PUBLISH_OK, delta(world, s + 6, 3));
    assert_int_equal(3, alice(world));
    assert_int_equal(1, count_entries(world, "groups.d", "alice$"));
    /* A delta that is not newer than the snapshot is none. */
    made.sequence = s + 6;
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 4));
    assert_int_equal(4, alice(world));
    assert_int_equal(0, count_entries(world, "groups.d", "alice$"));
    assert_int_equal(SR_PUBLISH_UNCHANGED, delta(world, s + 6, 5));
    assert_int_equal(4, alice(world));
    /* One that is stays, and is marked in the new snapshot. */
    assert_int_equal(SR_PUBLISH_OK, delta(world, s + 9, 6));
    made.sequence = s + 8;
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 7));
    assert_int_equal(6, alice(world));
    assert_int_equal(7, found(world, SR_VIEW_GROUPS, "bob"));
    made.sequence = s + 10;
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 8));
    assert_int_equal(8, alice(world));
    assert_int_equal(0, count_entries(world, "shadow.d", "alice$"));
    /* An older snapshot does not replace a newer one, and leaves nothing. */
    made.sequence = s + 9;
    assert_int_equal(SR_PUBLISH_UNCHANGED, snapshot(world, &made, people, 9));
    assert_int_equal(8, alice(world));
    assert_int_equal(2, count_entries(world, ".", "[a-z]*\\.snap"));
}

/* An account that the snapshot does not know, and one that is gone. */
static void
test_come_and_go(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);
    struct sr_config_errors errors = {0};
    char text[] = "[selfreset]\nbackends = local\n", reason[200];
    struct sr_config *config =
        sr_config_load_bytes(text, sizeof(text) - 1, "test", &errors);

    assert_non_null(config);
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, only_bob, 1));
    assert_int_equal(NOTHING, alice(world));
    assert_int_equal(SR_PUBLISH_OK, delta(world, sr_publish_sequence(), 2));
    assert_int_equal(2, alice(world));
    strcpy(world->account.facts.name, "no-such-account");
    assert_int_equal(SR_PUBLISH_OK, delta(world, sr_publish_sequence(), 2));
    assert_int_equal(2, found(world, SR_VIEW_SHADOW, "no-such-account"));
    assert_int_equal(SR_PUBLISH_OK,
                     sr_publish_account(config, NULL, NULL, world->dir,
                                        world->root, "no-such-account", WAIT_MS,
                                        reason, sizeof(reason)));
    assert_int_equal(NOTHING, found(world, SR_VIEW_SHADOW, "no-such-account"));
    assert_int_equal(NOTHING, found(world, SR_VIEW_GROUPS, "no-such-account"));
    assert_int_equal(SR_PUBLISH_UNCHANGED,
                     sr_publish_account(config, NULL, NULL, world->dir,
                                        world->root, "no-such-account", WAIT_MS,
                                        reason, sizeof(reason)));
    assert_int_equal(SR_PUBLISH_UNCHANGED,
                     sr_publish_account(config, NULL, NULL, world->dir,
                                        world->root, "a/b", WAIT_MS, reason,
                                        sizeof(reason)));
    assert_int_equal(SR_PUBLISH_OK,
                     sr_publish_account(config, NULL, NULL, world->dir,
                                        world->root, "root", WAIT_MS, reason,
                                        sizeof(reason)));
    assert_int_not_equal(NOTHING, found(world, SR_VIEW_GROUPS, "root"));
    assert_int_equal(NOTHING, found(world, SR_VIEW_SHADOW, "root"));
    sr_config_free(config);
}

/* An account that becomes a local one leaves the shadow view. */
static void
test_views(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);

    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    strcpy(world->account.facts.backend, "local");
    assert_int_equal(SR_PUBLISH_OK, delta(world, sr_publish_sequence(), 1));
    assert_int_equal(1, found(world, SR_VIEW_GROUPS, "alice"));
    assert_int_equal(NOTHING, found(world, SR_VIEW_SHADOW, "alice"));
    assert_int_equal(0, count_entries(world, "groups.d", "alice$"));
    assert_int_equal(SR_PUBLISH_UNCHANGED,
                     delta(world, sr_publish_sequence(), 1));
}

/* The lock that is published is the one that holds from every source. */
static void
test_everywhere(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);
    struct sr_published published;
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;

    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    world->account.facts.locked = SR_LOCK_UNTIL;
    world->account.facts.locked_why = SR_LOCK_WHY_THROTTLE;
    world->account.facts.locked_until = 4000000000;
    assert_int_equal(SR_PUBLISH_UNCHANGED,
                     delta(world, sr_publish_sequence(), 1));
    world->txn.everywhere = sr_lockout_until(3000000000, SR_LOCK_WHY_THROTTLE);
    assert_int_equal(SR_PUBLISH_OK, delta(world, sr_publish_sequence(), 1));
    assert_int_equal(SR_FOUND_IT,
                     sr_reader_find(world->dir, SR_VIEW_GROUPS, "alice",
                                    time(NULL), &published));
    assert_true(sr_payload_decode(published.payload.bytes,
                                  published.payload.size, &facts, &rules,
                                  &is_exempt));
    assert_int_equal(SR_LOCK_UNTIL, facts.locked);
    assert_int_equal(3000000000, facts.locked_until);
    assert_false(is_exempt);
    world->account.facts.uid = 0;
    assert_int_equal(SR_PUBLISH_OK, delta(world, sr_publish_sequence(), 1));
    assert_int_equal(SR_FOUND_IT,
                     sr_reader_find(world->dir, SR_VIEW_GROUPS, "alice",
                                    time(NULL), &published));
    assert_true(sr_payload_decode(published.payload.bytes,
                                  published.payload.size, &facts, &rules,
                                  &is_exempt));
    assert_true(is_exempt);
}

#define DAY_NS UINT64_C(86400000000000)

/* What lies in the future was there before the clock was set back. */
static void
test_clock_back(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);
    const uint64_t now = made.sequence;

    made.sequence = now + DAY_NS;
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    assert_int_equal(SR_PUBLISH_OK, delta(world, now, 2));
    assert_int_equal(2, alice(world));
    assert_int_equal(SR_PUBLISH_OK, delta(world, now + 1, 3));
    assert_int_equal(3, alice(world));
    made.sequence = now + 2;
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 4));
    assert_int_equal(4, alice(world));
    assert_int_equal(0, count_entries(world, "groups.d", "alice$"));
    assert_int_equal(SR_PUBLISH_OK, delta(world, now + 3, 5));
    assert_int_equal(5, alice(world));
}

/* A snapshot that is missing or damaged: the delta waits for the next. */
static void
test_damaged(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);
    struct sr_publish_how older = made;

    made.sequence += 1;
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    scratch_write(scratch_path(world->dir, "groups.snap"),
                  (const uint8_t *)"SRLTSNAP", 8);
    assert_int_equal(BROKEN, found(world, SR_VIEW_GROUPS, "alice"));
    assert_int_equal(SR_PUBLISH_OK, delta(world, sr_publish_sequence(), 2));
    assert_int_equal(BROKEN, found(world, SR_VIEW_GROUPS, "alice"));
    unlink(scratch_path(world->dir, "shadow.snap"));
    assert_int_equal(SR_PUBLISH_OK, delta(world, sr_publish_sequence(), 3));
    /* The same again is no work. */
    assert_int_equal(SR_PUBLISH_UNCHANGED,
                     delta(world, sr_publish_sequence(), 3));
    /* What is damaged is older than anything. */
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &older, people, 4));
    assert_int_equal(3, alice(world));
    assert_int_equal(4, found(world, SR_VIEW_GROUPS, "bob"));
}

/* ---- modes */

static unsigned
mode_of(const struct world *world, const char *name)
{
    struct stat status;

    assert_int_equal(0, lstat(scratch_path(world->dir, name), &status));
    return status.st_mode & 07777;
}

static int
grant(int fd, enum sr_view view, bool is_dir, bool is_public)
{
    struct stat status;

    /* Before any content, and with the mode set. */
    if (fstat(fd, &status) != 0 || (!is_dir && status.st_size != 0) ||
        (status.st_mode & 0777) != (view == SR_VIEW_SHADOW
                                        ? (is_dir ? 0750u : 0640u)
                                    : is_public ? (is_dir ? 0755u : 0644u)
                                                : (is_dir ? 0750u : 0640u)))
        return -EINVAL;
    return 0;
}

static void
test_modes(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);
    const mode_t masks[] = {000, 077, 0777, 022};
    struct stat status;

    made.grant = grant;
    assert_int_equal(0, chmod(world->like, 0640));
    if (geteuid() == 0)
        assert_int_equal(0, chown(world->like, 0, 42));
    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        enum sr_publish_result result, single;

        umask(masks[i]);
        made.sequence = sr_publish_sequence();
        made.is_public = i % 2 != 0;
        result = snapshot(world, &made, people, 1);
        single = delta(world, sr_publish_sequence(), 2);
        umask(022);
        assert_int_equal(SR_PUBLISH_OK, result);
        assert_int_equal(SR_PUBLISH_OK, single);
        assert_int_equal(0755, mode_of(world, ".."));
        assert_int_equal(0755, mode_of(world, "."));
        assert_int_equal(0600, mode_of(world, "lock"));
        assert_int_equal(made.is_public ? 0644 : 0640,
                         mode_of(world, "groups.snap"));
        assert_int_equal(made.is_public ? 0755 : 0750,
                         mode_of(world, "groups.d"));
        assert_int_equal(0640, mode_of(world, "shadow.snap"));
        assert_int_equal(0750, mode_of(world, "shadow.d"));
        assert_int_equal(
            0, stat(scratch_path(world->dir, "shadow.snap"), &status));
        if (geteuid() == 0)
            assert_int_equal(42, status.st_gid);
    }
    assert_int_equal(0, chmod(world->like, 0600));
    made.grant = NULL;
    made.sequence = sr_publish_sequence();
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 3));
    assert_int_equal(0600, mode_of(world, "shadow.snap"));
    assert_int_equal(0700, mode_of(world, "shadow.d"));
}

/* A directory that others can write to, or a link in the way. */
static void
test_unsafe(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);
    char victim[256];

    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    snprintf(victim, sizeof(victim), "%s/victim", world->root);
    assert_int_equal(0, mkdir(victim, 0700));
    assert_int_equal(0, unlink(scratch_path(world->dir, "groups.d/:fallback")));
    assert_int_equal(0, rmdir(scratch_path(world->dir, "groups.d")));
    assert_int_equal(0, symlink(victim, scratch_path(world->dir, "groups.d")));
    assert_int_equal(SR_PUBLISH_FAILED, delta(world, sr_publish_sequence(), 2));
    assert_int_equal(SR_PUBLISH_FAILED, snapshot(world, &made, people, 2));
    assert_int_equal(0, rmdir(victim)); /* it is empty */
    assert_int_equal(0, unlink(scratch_path(world->dir, "groups.d")));
    made.sequence = sr_publish_sequence();
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 2));
    assert_int_equal(0, chmod(world->dir, 0777));
    assert_int_equal(SR_PUBLISH_FAILED, delta(world, sr_publish_sequence(), 3));
    assert_int_equal(2, alice(world));
}

/* ---- in a process that is not ours */

static void
run_closed(void *argument)
{
    struct world *world = argument;
    struct sr_publish_how made = how(world);

    close(0);
    close(1);
    close(2);
    if (snapshot(world, &made, people, 1) != SR_PUBLISH_OK ||
        delta(world, sr_publish_sequence(), 2) != SR_PUBLISH_OK ||
        fcntl(0, F_GETFD) != -1 || fcntl(1, F_GETFD) != -1 ||
        fcntl(2, F_GETFD) != -1)
        _exit(1);
}

static void
test_closed(void **state)
{
    struct world *world = *state;

    scratch_pass(run_closed, world);
    assert_int_equal(2, alice(world));
}

static void
run_locked(void *argument)
{
    struct world *world = argument;
    int fd = open(scratch_path(world->dir, "lock"), O_RDWR);
    struct sr_publish_how made = how(world);
    struct timespec before, after;
    char reason[200];

    made.wait_ms = 50;
    WANT(fd >= 0 && sr_file_lock_take(fd, true, 0) == 0);
    world->account.facts.password_expires = 9;
    clock_gettime(CLOCK_MONOTONIC, &before);
    WANT(sr_publish_gathered(world->dir, &world->txn, sr_publish_sequence(), 50,
                             reason, sizeof(reason)) == SR_PUBLISH_BUSY);
    WANT(snapshot(world, &made, people, 9) == SR_PUBLISH_BUSY);
    sr_publish_decoy(world->dir, 50);
    clock_gettime(CLOCK_MONOTONIC, &after);
    WANT(after.tv_sec - before.tv_sec < 5);
    /* The signals and the limits are as they were. */
    sigset_t mask;
    WANT(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 &&
         sigismember(&mask, SIGTERM) == 0);
}

static void
test_busy(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);

    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    scratch_pass(run_locked, world);
    assert_int_equal(1, alice(world));
    assert_int_equal(2, count_entries(world, ".", "[a-z]*\\.snap"));
}

/* A limit on the size of files, soft for root and hard for others. */
static void
run_limited(void *argument)
{
    struct world *world = argument;
    struct sr_publish_how made = how(world);
    struct rlimit soft = {100, RLIM_INFINITY}, hard = {100, 100}, now;

    WANT(setrlimit(RLIMIT_FSIZE, &soft) == 0);
    WANT(snapshot(world, &made, people, 2) == SR_PUBLISH_OK);
    WANT(delta(world, sr_publish_sequence(), 3) == SR_PUBLISH_OK);
    WANT(getrlimit(RLIMIT_FSIZE, &now) == 0 && now.rlim_cur == 100);
    WANT(alice(world) == 3);
    if (geteuid() != 0 || chown(world->root, 4711, 4711) != 0)
        return;
    WANT(chown(scratch_path(world->root, "published"), 4711, 4711) == 0);
    WANT(chown(world->dir, 4711, 4711) == 0);
    WANT(chown(scratch_path(world->dir, "lock"), 4711, 4711) == 0);
    WANT(chown(scratch_path(world->dir, "groups.d"), 4711, 4711) == 0);
    WANT(chown(scratch_path(world->dir, "shadow.d"), 4711, 4711) == 0);
    WANT(chown(scratch_path(world->dir, "groups.snap"), 4711, 4711) == 0);
    WANT(chown(scratch_path(world->dir, "shadow.snap"), 4711, 4711) == 0);
    WANT(chown(world->like, 4711, 4711) == 0);
    WANT(setrlimit(RLIMIT_FSIZE, &hard) == 0);
    WANT(setresuid(4711, 4711, 4711) == 0);
    made.sequence = sr_publish_sequence();
    WANT(snapshot(world, &made, people, 4) == SR_PUBLISH_FULL);
    WANT(alice(world) == 3);
}

static void
test_limited(void **state)
{
    struct world *world = *state;

    scratch_pass(run_limited, world);
    assert_int_equal(2, count_entries(world, ".", "[a-z]*\\.snap"));
}

/* Fill what is left of a file system. */
static void
fill(const char *path)
{
    static const uint8_t block[4096];
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);

    WANT(fd >= 0);
    while (write(fd, block, sizeof(block)) > 0)
        continue;
    close(fd);
}

static void
run_full(void *argument)
{
    struct world *world = argument;
    struct sr_publish_how made;
    char reason[200];

    scratch_private_mounts();
    scratch_mount_small(world->root, 256 << 10);
    scratch_write(world->like, (const uint8_t *)"", 0);
    made = how(world);
    WANT(snapshot(world, &made, people, 1) == SR_PUBLISH_OK);
    fill(scratch_path(world->root, "filler"));
    made.sequence = sr_publish_sequence();
    WANT(snapshot(world, &made, people, 2) == SR_PUBLISH_FULL);
    WANT(alice(world) == 1);
    WANT(unlink(scratch_path(world->root, "filler")) == 0);
    made.sequence = sr_publish_sequence();
    WANT(snapshot(world, &made, people, 3) == SR_PUBLISH_OK);
    WANT(alice(world) == 3);
    WANT(mount(NULL, world->root, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    made.sequence = sr_publish_sequence();
    WANT(snapshot(world, &made, people, 4) == SR_PUBLISH_FAILED);
    WANT(delta(world, sr_publish_sequence(), 4) == SR_PUBLISH_FAILED);
    WANT(sr_publish_gathered(world->dir, &world->txn, sr_publish_sequence(), 0,
                             reason, sizeof(reason)) == SR_PUBLISH_FAILED);
    WANT(strstr(reason, "ead-only") != NULL);
    WANT(alice(world) == 3);
}

static void
test_full(void **state)
{
    scratch_pass(run_full, *state);
}

static void
test_decoy(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);

    sr_publish_decoy(world->dir, WAIT_MS);
    assert_int_not_equal(0, access(world->dir, F_OK));
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    sr_publish_decoy(world->dir, WAIT_MS);
    assert_int_equal(1, alice(world));
    assert_int_equal(1, count_entries(world, "groups.d", ":decoy$"));
    made.sequence = sr_publish_sequence();
    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 2));
    assert_int_equal(0, count_entries(world, "groups.d", ":decoy$"));
}

/* ---- killed */

/* What is killed, and what is found before and after it. */
struct deed {
    struct world *world;
    bool is_snapshot;
    sr_time expires;
};

static void
run_deed(const struct deed *deed)
{
    struct sr_publish_how made = how(deed->world);

    if (deed->is_snapshot)
        snapshot(deed->world, &made, people, deed->expires);
    else
        delta(deed->world, sr_publish_sequence(), deed->expires);
}

/*
 * Run in a child that is killed at its system call number `fatal`, before it
 * (odd) or behind it.  True when it came to its end before.
 */
static bool
run_killed(const struct deed *deed, unsigned fatal)
{
    const pid_t child = fork();
    unsigned stops = 0;
    int status;

    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(SCRATCH_SKIP);
        raise(SIGSTOP);
        run_deed(deed);
        _exit(0);
    }
    assert_true(child > 0);
    for (;;) {
        assert_int_equal(child, waitpid(child, &status, 0));
        if (WIFEXITED(status) || WIFSIGNALED(status))
            break;
        if (stops++ == fatal) {
            assert_int_equal(0, kill(child, SIGKILL));
            continue;
        }
        assert_int_equal(0, ptrace(PTRACE_SYSCALL, child, NULL, NULL));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == SCRATCH_SKIP)
        skip();
    return WIFEXITED(status);
}

static void
kill_everywhere(struct world *world, bool is_snapshot)
{
    struct sr_publish_how made = how(world);
    struct deed deed = {world, is_snapshot, 2};
    sr_time before = 1;
    unsigned fatal, changes = 0;
    bool is_over = false;

    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    for (fatal = 1; !is_over; fatal++, deed.expires++) {
        sr_time groups, shadow;

        is_over = run_killed(&deed, fatal);
        groups = found(world, SR_VIEW_GROUPS, "alice");
        shadow = found(world, SR_VIEW_SHADOW, "alice");
        assert_true(groups == before || groups == deed.expires);
        assert_true(shadow == before || shadow == deed.expires);
        assert_true(found(world, SR_VIEW_GROUPS, "bob") > 0);
        changes += groups == deed.expires;
        if (fatal % 2 == 0 || is_over) { /* the next run finds what is left */
            made.sequence = sr_publish_sequence();
            assert_int_equal(SR_PUBLISH_OK,
                             snapshot(world, &made, people, ++deed.expires));
            assert_int_equal(2, count_entries(world, ".", "[a-z]*\\.snap"));
            assert_int_equal(1, count_entries(world, "groups.d", "."));
        } else {
            assert_int_equal(SR_PUBLISH_OK, delta(world, sr_publish_sequence(),
                                                  ++deed.expires));
        }
        before = deed.expires;
        assert_int_equal(before, alice(world));
    }
    assert_true(fatal > 40); /* there were calls to be killed at */
    assert_true(changes > 1 && changes < fatal - 10);
}

static void
test_delta_killed(void **state)
{
    kill_everywhere(*state, false);
}

static void
test_snapshot_killed(void **state)
{
    kill_everywhere(*state, true);
}

/* ---- readers meanwhile */

struct race {
    volatile int is_over;
    volatile int is_ready;
    volatile unsigned lookups;
    volatile unsigned errors;
};

static pid_t
start_reader(const struct world *world, struct race *race)
{
    const pid_t child = fork();
    sr_time last = 0;

    if (child != 0)
        return child;
    while (!race->is_over) {
        const sr_time now = found(world, SR_VIEW_GROUPS, "alice");

        /* Never backwards, either. */
        race->errors += now < last || found(world, SR_VIEW_SHADOW, "bob") < 1;
        last = now;
        race->lookups++;
        race->is_ready = 1;
    }
    _exit(0);
}

static void
test_readers(void **state)
{
    struct world *world = *state;
    struct race *race = scratch_shared(sizeof(*race));
    struct sr_publish_how made = how(world);
    pid_t reader;
    int status;

    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    reader = start_reader(world, race);
    while (!race->is_ready)
        sr_nap(1, 2);
    for (sr_time i = 2; i < 1000 || race->lookups < 1000; i++) {
        made.sequence = sr_publish_sequence();
        if (i % 10 == 0)
            assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, i));
        else
            assert_int_equal(SR_PUBLISH_OK,
                             delta(world, sr_publish_sequence(), i));
    }
    race->is_over = 1;
    assert_int_equal(reader, waitpid(reader, &status, 0));
    assert_int_equal(0, status);
    assert_int_equal(0, race->errors);
}

/* Writers at the same time: what was gathered last is what is found. */
static void
test_writers(void **state)
{
    struct world *world = *state;
    struct sr_publish_how made = how(world);
    pid_t child[4];
    int status;

    assert_int_equal(SR_PUBLISH_OK, snapshot(world, &made, people, 1));
    for (unsigned i = 0; i < 4; i++) {
        child[i] = fork();
        if (child[i] != 0)
            continue;
        for (unsigned round = 0; round < 200; round++) {
            const uint64_t sequence = sr_publish_sequence();
            const sr_time expires = (sr_time)(sequence / 1000);

            made.sequence = sequence;
            if (i == 0)
                WANT(snapshot(world, &made, people, expires) <=
                     SR_PUBLISH_UNCHANGED);
            else
                WANT(delta(world, sequence, expires) <= SR_PUBLISH_UNCHANGED);
            WANT(alice(world) == BROKEN || alice(world) >= expires ||
                 found(world, SR_VIEW_GROUPS, "alice") >= expires);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(child[i], waitpid(child[i], &status, 0));
        assert_int_equal(0, status);
    }
    assert_int_equal(2, count_entries(world, ".", "[a-z]*\\.snap"));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

static void
test_spellings(void **state)
{
    static const struct {
        const char *name, *of;
        bool is_spelling;
    } names[] = {
        {"bob", "bob", true},
        {"BOB@corp", "bob", true},
        {"corp\\bob", "Bob", true},
        {"bob#corp", "bob", true},
        {"corp.bob.x", "bob", true},
        {"bob_smith#x", "bob smith", true},
        {"bobby@corp", "bob", false},
        {"abob", "bob", false},
        {"bobby.bob", "bob", true},
        {"corpbob", "bob", false},
        {"bob-smith", "smith bob", false},
        {"oliver#corp", "li", false},
        {"CORP/bob", "bob", true},
        {"bob", "bob@corp", false},
        {"bob", "-", false},
        {"-", "bob", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(sr_is_spelling(names[i].name, names[i].of),
                         names[i].is_spelling);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(round_trip),      TEST(names),
        TEST(header),          TEST(exempt),
        TEST(delta),           TEST(come_and_go),
        TEST(views),           TEST(everywhere),
        TEST(clock_back),      TEST(damaged),
        TEST(modes),           TEST(unsafe),
        TEST(closed),          TEST(busy),
        TEST(limited),         TEST(full),
        TEST(decoy),           TEST(delta_killed),
        TEST(snapshot_killed), TEST(readers),
        TEST(writers),         cmocka_unit_test(test_spellings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
