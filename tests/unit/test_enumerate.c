/*
 * All local accounts at once: the same as each asked for alone, in files of
 * every sort.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/backend/local/local.h"
#include "policy/config/members.h"
#include "tests/unit/scratch.h"

#define HASH                                                                   \
    "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MT"         \
    "SuDDl3aCI6WouIL9AjRbLCelDCy.g."

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "alice:x:1000:1000:Alice,,,:/:/bin/sh\n"
                             "bob:x:1001:1001::/:/bin/sh\n"
                             "carol:" HASH ":1002:1002::/:/bin/sh\n"
                             "dave:x:1003:1003::/:/bin/sh\n"
                             "erin:x:1004:1004::/:/bin/sh\n"
                             "frank:*:1005:1005::/:/bin/sh\n"
                             "alice:x:2000:2000:again:/:/bin/sh\n"
                             "gina:x:1006:1006::/:/bin/sh\n"
                             "hans:x:1007:1007::/:/bin/sh\n"
                             "+nis:x:1008:1008::/:/bin/sh\n"
                             "broken:x:abc:1009::/:/bin/sh\n"
                             "ali:x:1010:1010::/:/bin/sh\n"
                             "ingrid::1011:1011::/:/bin/sh\n"
                             "last:x:1012:1012::/:/bin/sh";
static const char shadow[] = "root:*:20000:0:99999:7:::\n"
                             "bob:!" HASH ":20000:0:90:7:::\n"
                             "alice:" HASH ":20000:1:90:7:30:21000:\n"
                             "# carol:x:\n"
                             "erin:" HASH ":20000:0:ninety:7:::\n"
                             "gina:" HASH ":-1:0:90:7:::\n"
                             "erin:" HASH ":20001:0:80:7:::\n"
                             "alice:" HASH ":1::::::\n"
                             "hans:" HASH ":20000:0:x:7:::\n"
                             "ali:" HASH ":0::::::\n"
                             "stray\n"
                             "last:" HASH ":20000:0:99999:7:::";
static const char group[] = "staff:x:1001:\n"
                            "admins:x:500:bob,alice,last\n"
                            "empty:x:501:\n";

/* ---- the files of a host */

struct host {
    char *dir;
    unsigned told;
    unsigned different;
    unsigned unavailable;
    const char *only; /* NULL: all */
};

static void
put(const char *dir, const char *name, const char *text, size_t size)
{
    char path[64];

    scratch_write(scratch_path(dir, name), (const uint8_t *)text, size);
    snprintf(path, sizeof(path), "/etc/%s", name);
    WANT(mount(scratch_path(dir, name), path, NULL, MS_BIND, NULL) == 0);
}

static void
make_host(const struct host *host)
{
    static const char nsswitch[] = "passwd: files\nshadow: files\n"
                                   "group: files\n";

    scratch_private_mounts();
    put(host->dir, "nsswitch.conf", nsswitch, strlen(nsswitch));
    put(host->dir, "passwd", passwd, strlen(passwd));
    put(host->dir, "shadow", shadow, strlen(shadow));
    put(host->dir, "group", group, strlen(group));
}

static int
rules_of(void *context, const char *name, gid_t primary, struct sr_rules *rules)
{
    (void)context;
    (void)primary;
    memset(rules, 0, sizeof(*rules));
    return strcmp(name, "dave") == 0 ? -1 : 0;
}

static int
same_as_alone(void *context, struct sr_account *account,
              const struct sr_rules *rules, enum sr_status ask,
              const char *reason)
{
    struct host *host = context;
    struct sr_account *alone = NULL;
    struct sr_call call = sr_call_make(&sr_local_backend, NULL);
    const enum sr_status ask_alone =
        sr_backend_look_up(&call, account->facts.name, rules, &alone);

    if (strcmp(account->facts.name, "dave") == 0) {
        host->different += ask != SR_STATUS_UNAVAILABLE || reason == NULL;
        return 0;
    }
    host->told++;
    host->unavailable += ask == SR_STATUS_UNAVAILABLE;
    if (ask != ask_alone)
        host->different++;
    else if (ask == SR_STATUS_OK)
        host->different +=
            memcmp(&account->facts, &alone->facts, sizeof(alone->facts)) != 0 ||
            strcmp(account->secret, alone->secret) != 0 ||
            strcmp(account->gecos, alone->gecos) != 0;
    else
        host->different += strcmp(reason, call.error.text) != 0;
    sr_account_close(alone);
    return host->only != NULL && strcmp(host->only, account->facts.name) == 0;
}

static void
run_same(void *argument)
{
    struct host *host = argument;
    const struct sr_visitor visitor = {.find_rules = rules_of,
                                       .groups = host,
                                       .account = same_as_alone,
                                       .context = host};
    struct sr_call call = sr_call_make(&sr_local_backend, NULL);

    make_host(host);
    WANT(sr_backend_enumerate(&call, &visitor) == SR_STATUS_OK);
    WANT(call.error.text[0] == '\0');
    /* dave's rules are not known; the second alice is not the first. */
    WANT(host->told == 12);
    WANT(host->different == 1);
    WANT(host->unavailable == 1); /* hans */
    host->told = 0;
    host->only = "alice";
    WANT(sr_backend_enumerate(&call, &visitor) == SR_STATUS_OK);
    WANT(host->told == 2);
}

static int
setup(void **state)
{
    struct host *host = calloc(1, sizeof(*host));

    host->dir = scratch_make();
    *state = host;
    return 0;
}

static int
teardown(void **state)
{
    struct host *host = *state;

    scratch_remove(host->dir);
    free(host);
    return 0;
}

static void
test_same(void **state)
{
    scratch_pass(run_same, *state);
}

/* A file that cannot be read is no empty one. */
static void
run_unreadable(void *argument)
{
    struct host *host = argument;
    const struct sr_visitor visitor = {.find_rules = rules_of,
                                       .groups = host,
                                       .account = same_as_alone,
                                       .context = host};
    struct sr_call call = sr_call_make(&sr_local_backend, NULL);

    make_host(host);
    WANT(geteuid() != 0 || setresuid(4711, 4711, 4711) == 0);
    WANT(sr_backend_enumerate(&call, &visitor) == SR_STATUS_UNAVAILABLE);
    WANT(strstr(call.error.text, "denied") != NULL);
    WANT(host->told == 0);
}

static void
test_unreadable(void **state)
{
    scratch_pass(run_unreadable, *state);
}

/* ---- many, and long ones */

#define MANY 100000u

static int
count_told(void *context, struct sr_account *account,
           const struct sr_rules *rules, enum sr_status ask, const char *reason)
{
    struct host *host = context;

    (void)rules;
    (void)reason;
    host->different += ask != SR_STATUS_OK ||
                       account->facts.password_changed != 20000 * SR_DAY;
    host->told++;
    return 0;
}

static void
run_many(void *argument)
{
    struct host *host = argument;
    const struct sr_visitor visitor = {.find_rules = rules_of,
                                       .groups = host,
                                       .account = count_told,
                                       .context = host};
    struct timespec before, after;
    struct sr_call call = sr_call_make(&sr_local_backend, NULL);
    FILE *stream;

    make_host(host);
    stream = fopen("/etc/passwd", "w");
    WANT(stream != NULL);
    for (unsigned i = 0; i < MANY; i++)
        fprintf(stream, "user%u:x:%u:100:%*s:/:/bin/sh\n", i, 1000 + i,
                i == 77 ? 20000 : 1, "");
    fclose(stream);
    stream = fopen("/etc/shadow", "w");
    WANT(stream != NULL);
    for (unsigned i = MANY; i-- > 0;)
        fprintf(stream, "user%u:" HASH ":20000:0:99999:7:::\n", i);
    fclose(stream);
    clock_gettime(CLOCK_MONOTONIC, &before);
    WANT(sr_backend_enumerate(&call, &visitor) == SR_STATUS_OK);
    clock_gettime(CLOCK_MONOTONIC, &after);
    WANT(host->told == MANY);
    WANT(host->different == 0);
    /* A line after the other, for each, would take minutes. */
    WANT(after.tv_sec - before.tv_sec < 20);
}

static void
test_many(void **state)
{
    scratch_pass(run_many, *state);
}

/* ---- members */

static void
run_members(void *argument)
{
    struct sr_members *members = sr_members_new(NULL, NULL);
    struct sr_members_ask ask = {members, 1001};

    make_host(argument);
    WANT(sr_members_is_member(&ask, "bob", "staff") == SR_YES);
    WANT(sr_members_is_member(&ask, "bob", "admins") == SR_YES);
    WANT(sr_members_is_member(&ask, "bob", "empty") == SR_NO);
    WANT(sr_members_is_member(&ask, "bob", "nobody-knows") == SR_NO);
    ask.primary = (gid_t)-1;
    WANT(sr_members_is_member(&ask, "bob", "staff") == SR_NO);
    WANT(sr_members_is_member(&ask, "last", "admins") == SR_YES);
    WANT(sr_members_is_member(&ask, "alice", "admins") == SR_YES);
    WANT(sr_members_is_member(&ask, "al", "admins") == SR_NO);
    /* Each group was asked for once. */
    WANT(umount("/etc/group") == 0);
    WANT(sr_members_is_member(&ask, "alice", "admins") == SR_YES);
    sr_members_free(members);
}

static void
test_members(void **state)
{
    scratch_pass(run_members, *state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_members, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
