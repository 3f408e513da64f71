/*
 * Unit tests of session records and of names: what proves that a user is logged
 * on, with a /proc of the test's own.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/account/identity.h"
#include "policy/account/session.h"
#include "tests/unit/scratch.h"

#define ANN 3000

struct world {
    char *dir;
    char run[200], proc[200];
};

static void
put(const struct world *world, const char *name, const char *text)
{
    char path[600];

    snprintf(path, sizeof(path), "%s/%s", world->proc, name);
    scratch_write(path, (const uint8_t *)text, strlen(text));
}

/* A process: its name has all that a name can have. */
static void
put_process(const struct world *world, long pid, unsigned started)
{
    char path[600], name[64], text[200];

    snprintf(path, sizeof(path), "%s/%ld", world->proc, pid);
    mkdir(path, 0700);
    snprintf(name, sizeof(name), "%ld/stat", pid);
    snprintf(text, sizeof(text),
             "%ld (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 %u "
             "20 21\n",
             pid, started);
    put(world, name, text);
}

static int
set_up(void **state)
{
    struct world *world = test_calloc(1, sizeof(*world));
    char path[600];

    world->dir = scratch_make();
    snprintf(world->run, sizeof(world->run), "%s/run", world->dir);
    snprintf(world->proc, sizeof(world->proc), "%s/proc", world->dir);
    mkdir(world->proc, 0700);
    snprintf(path, sizeof(path), "%s/self", world->proc);
    mkdir(path, 0700);
    put(world, "self/sessionid", "208");
    put(world, "self/cgroup",
        "0::/user.slice/user-3000.slice/session-4.scope\n");
    put_process(world, (long)getpid(), 4711);
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;

    scratch_remove(world->dir);
    test_free(world);
    return 0;
}

static bool
is_logged_on(const struct world *world, uid_t uid)
{
    return sr_session_is_logged_on(world->run, world->proc, NULL, uid);
}

static void
test_record(void **state)
{
    const struct world *world = *state;
    struct stat status;

    assert_false(is_logged_on(world, ANN));
    assert_int_equal(sr_session_record(world->run, world->proc, ANN), 0);
    assert_int_equal(stat(world->run, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755); /* has the sockets, too */
    assert_true(is_logged_on(world, ANN));
    assert_false(is_logged_on(world, ANN + 1));
    assert_false(is_logged_on(world, (uid_t)-1));
    put(world, "self/sessionid", "209"); /* another session */
    assert_false(is_logged_on(world, ANN));
    put(world, "self/sessionid", "208");
    sr_session_forget(world->run);
    assert_false(is_logged_on(world, ANN));
}

static void
test_without_a_session_id(void **state)
{
    static const char *const none[] = {"4294967295", "0", "", "x"};
    const struct world *world = *state;

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        put(world, "self/sessionid", none[i]);
        assert_int_equal(sr_session_record(world->run, world->proc, ANN),
                         -ENODATA);
        assert_false(is_logged_on(world, ANN));
    }
}

/* The process that opened the session is gone, or its number is another's. */
static void
test_stale(void **state)
{
    const struct world *world = *state;

    assert_int_equal(sr_session_record(world->run, world->proc, ANN), 0);
    put_process(world, (long)getpid(), 4712);
    assert_false(is_logged_on(world, ANN));
    assert_int_equal(sr_session_record(world->run, world->proc, ANN), 0);
    assert_true(is_logged_on(world, ANN));
    put_process(world, (long)getpid(), 4711); /* the first was removed */
    assert_false(is_logged_on(world, ANN));
}

static void
test_user_manager(void **state)
{
    static const struct {
        const char *cgroup;
        bool is_proof;
    } cgroups[] = {
        {"0::/user.slice/user-3000.slice/user@3000.service/app.slice/t.scope\n",
         true},
        {"3:cpuset:/\n1:name=systemd:/user.slice/user-3000.slice/"
         "user@3000.service/init.scope\n0::/\n",
         true},
        {"0::/user.slice/user-3000.slice/user@3000.service\n", true},
        {"0::/user.slice/user-3001.slice/user@3001.service/app.slice\n", false},
        {"0::/system.slice/user@3000.service.d\n", false},
        {"0::/system.slice/not-user@3000.service\n", false},
        {"4:memory:/user.slice/user-3000.slice/user@3000.service\n0::/\n",
         false},
        {"0::/system.slice/cron.service\n", false},
        {"", false},
    };
    const struct world *world = *state;

    for (size_t i = 0; i < sizeof(cgroups) / sizeof(cgroups[0]); i++) {
        put(world, "self/sessionid", "300");
        put(world, "self/cgroup", cgroups[i].cgroup);
        assert_false(is_logged_on(world, ANN)); /* nobody is logged on */
        put(world, "self/sessionid", "208");
        assert_int_equal(sr_session_record(world->run, world->proc, ANN), 0);
        put(world, "self/sessionid", "300");
        assert_int_equal(is_logged_on(world, ANN), cgroups[i].is_proof);
        sr_session_forget(world->run);
    }
}

/* A directory that another user could have made, and names that are none. */
static void
test_foreign_records(void **state)
{
    static const char *const names[] = {"208-3000", "x", "208-3000-1-1x",
                                        "208-3000--1-0"};
    const struct world *world = *state;
    char path[600];

    assert_int_equal(sr_session_record(world->run, world->proc, ANN), 0);
    snprintf(path, sizeof(path), "%s/sessions", world->run);
    assert_int_equal(chmod(path, 0777), 0);
    assert_false(is_logged_on(world, ANN));
    assert_int_equal(chmod(path, 0700), 0);
    assert_true(is_logged_on(world, ANN));
    sr_session_forget(world->run);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/sessions/%s", world->run, names[i]);
        scratch_write(path, (const uint8_t *)"", 0);
    }
    assert_false(is_logged_on(world, ANN));
}

static void
test_unqualified(void **state)
{
    static const struct {
        const char *name, *part;
    } names[] = {
        {"ann@corp.example", "ann"},
        {"CORP\\ann", "ann"},
        {"ann@x@corp", "ann@x"},
        {"CORP\\ann@x", "ann@x"},
        {"CORP+ann", "ann"},
        {"CORP/ann", "ann"},
        {"a+b@corp", "a+b"},
        {"CORP\\a+b", "a+b"},
        {"ann", NULL},
        {"@corp", NULL},
        {"CORP+", NULL},
        {"CORP\\", NULL},
        {"", NULL},
    };
    char part[8];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const bool is_qualified =
            sr_unqualified_name(names[i].name, part, sizeof(part));

        assert_int_equal(is_qualified, names[i].part != NULL);
        if (is_qualified)
            assert_string_equal(part, names[i].part);
    }
    assert_false(sr_unqualified_name("too-long@corp", part, sizeof(part)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_session_id, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_user_manager, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_records, set_up,
                                        tear_down),
        cmocka_unit_test(test_unqualified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
