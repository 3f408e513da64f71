/*
 * Unit tests of the limits on connections: each in a process of its own, as the
 * helper takes them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/slots.h"
#include "tests/unit/scratch.h"

#define PROCESSES_MAX 100

struct world {
    char *dir;
    char path[300];
    pid_t child[PROCESSES_MAX];
    size_t count;
};

static int
set_up(void **state)
{
    struct world *world = test_calloc(1, sizeof(*world));

    world->dir = scratch_make();
    snprintf(world->path, sizeof(world->path), "%s/connections", world->dir);
    *state = world;
    return 0;
}

static void
let_go(struct world *world, size_t index)
{
    kill(world->child[index], SIGKILL);
    waitpid(world->child[index], NULL, 0);
    world->child[index] = world->child[--world->count];
}

static int
tear_down(void **state)
{
    struct world *world = *state;

    while (world->count > 0)
        let_go(world, 0);
    scratch_remove(world->dir);
    test_free(world);
    return 0;
}

#define CAPTIVE 990

static bool
is_captive(uid_t uid)
{
    return uid == CAPTIVE;
}

/* Whether a process of its own gets one, of a uid or of a source; it then holds
 * it until it is killed. */
static bool
gets_one(struct world *world, uid_t uid, const char *source)
{
    int answer[2];
    pid_t child;
    char byte = 0;

    assert_int_equal(pipe(answer), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        byte = source == NULL ? slots_take(world->path, uid, is_captive) == NULL
                              : slots_take_source(world->path, source) == NULL;
        if (write(answer[1], &byte, 1) != 1 || byte == 0)
            _exit(0);
        for (;;)
            pause();
    }
    close(answer[1]);
    assert_int_equal(read(answer[0], &byte, 1), 1);
    close(answer[0]);
    if (byte == 0)
        waitpid(child, NULL, 0);
    else
        world->child[world->count++] = child;
    return byte != 0;
}

static bool
gets(struct world *world, uid_t uid)
{
    return gets_one(world, uid, NULL);
}

static void
test_each(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < SLOTS_EACH; i++)
        assert_true(gets(world, 1000));
    assert_false(gets(world, 1000));
    assert_true(gets(world, 1001)); /* a neighbour in the file */
    assert_true(gets(world, 999));
    assert_true(gets(world, UINT32_MAX - 1));
    let_go(world, 1);
    assert_true(gets(world, 1000));
    assert_false(gets(world, 1000));
}

static void
test_all(void **state)
{
    struct world *world = *state;
    uid_t uid = 1000;

    while (gets(world, uid) || gets(world, ++uid))
        assert_true(world->count < PROCESSES_MAX);
    assert_int_equal(world->count, SLOTS_ALL - SLOTS_ROOT);
    for (int i = 0; i < SLOTS_ROOT; i++)
        assert_true(gets(world, 0)); /* root has not to stay out for users */
    assert_false(gets(world, 0));
    let_go(world, 0);
    assert_true(gets(world, 0)); /* and may have all */
    assert_false(gets(world, uid));
}

/* The captive account has more than a user, and leaves some to all others. */
static void
test_captive(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < SLOTS_CAPTIVE; i++)
        assert_true(gets(world, CAPTIVE));
    assert_false(gets(world, CAPTIVE));
    assert_true(gets(world, CAPTIVE + 1));
    assert_true(gets(world, UINT32_MAX - 1)); /* the row before */
    let_go(world, 0);
    assert_true(gets(world, CAPTIVE));
    assert_false(gets(world, CAPTIVE));
}

static void
test_source(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < SLOTS_SOURCE; i++)
        assert_true(gets_one(world, CAPTIVE, "192.0.2.1"));
    assert_false(gets_one(world, CAPTIVE, "192.0.2.1"));
    assert_true(gets_one(world, CAPTIVE, "192.0.2.2"));
    assert_true(gets_one(world, CAPTIVE, ""));
    assert_true(gets(world, CAPTIVE)); /* a slot of another row */
    let_go(world, 1);
    assert_true(gets_one(world, CAPTIVE, "192.0.2.1"));
}

/* Nor do all addresses of one network get more than some of the slots. */
static void
check_network(struct world *world, const char *first, const char *second,
              const char *third, const char *other)
{
    for (int i = 0; i < SLOTS_SOURCE; i++)
        assert_true(gets_one(world, CAPTIVE, first));
    assert_false(gets_one(world, CAPTIVE, first));
    for (int i = SLOTS_SOURCE; i < SLOTS_NETWORK; i++)
        assert_true(gets_one(world, CAPTIVE, second));
    assert_false(gets_one(world, CAPTIVE, third));
    assert_true(gets_one(world, CAPTIVE, other));
    let_go(world, world->count - 2);
    assert_true(gets_one(world, CAPTIVE, third));
    assert_false(gets_one(world, CAPTIVE, third));
}

static void
test_network(void **state)
{
    struct world *world = *state;

    check_network(world, "192.0.2.1", "192.0.2.200", "192.0.2.3", "192.0.3.1");
    check_network(world, "2001:db8:1:2::/64", "2001:db8:1:ffff::/64",
                  "2001:db8:1::/64", "2001:db8:2:2::/64");
    for (int i = 0; i < SLOTS_SOURCE; i++) /* no address: no network */
        assert_true(gets_one(world, CAPTIVE, "name:a.example"));
    assert_false(gets_one(world, CAPTIVE, "name:a.example"));
    assert_true(gets_one(world, CAPTIVE, "name:b.example"));
}

/* A file that another user can write is none. */
static void
test_unsafe(void **state)
{
    struct world *world = *state;

    assert_true(gets(world, 1000));
    assert_int_equal(chmod(world->path, 0666), 0);
    assert_false(gets(world, 1000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_captive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_network, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unsafe, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
