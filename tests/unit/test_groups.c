/*
 * Test of the reading of state groups: which may be used, and what is said of
 * those that may not.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "policy/publish/groups.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/selfreset-groups-XXXXXX";
static char group_file[64], gshadow_file[64];

static void
write_file(const char *path, const char *text)
{
    FILE *stream = fopen(path, "w");

    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
}

/* What is found of acct-ok when it is the only group but for `more`. */
static enum sr_group_flaw
flaw_of(const char *line, const char *shadow, uint32_t *gid, char *other)
{
    uint32_t all[SR_GROUP_COUNT];
    struct sr_state_groups found;

    write_file(group_file, line);
    write_file(gshadow_file, shadow);
    assert_int_equal(
        sr_state_groups_read(group_file, gshadow_file, all, &found), 0);
    *gid = all[SR_GROUP_OK];
    strcpy(other, found.item[SR_GROUP_OK].other);
    return found.item[SR_GROUP_OK].flaw;
}

static void
test_flaws(void **state)
{
    static const struct {
        const char *group, *gshadow;
        enum sr_group_flaw flaw;
        const char *other;
    } cases[] = {
        {"acct-ok:x:998:\n", "acct-ok:!::\n", SR_GROUP_FINE, ""},
        {"acct-ok:x:998:", "", SR_GROUP_FINE, ""}, /* no last newline */
        {"acct-ok:x:100:\n", "acct-ok:*::\n", SR_GROUP_FINE, ""},
        {"acct-ok:!:998:\n", "", SR_GROUP_FINE, ""},
        {"acct-ok::998:\n", "acct-ok:::\n", SR_GROUP_FINE, ""},
        {"root:x:0:\nwheel:x:10:ann\nacct-ok:x:998:\n", "wheel:!:ann:ann\n",
         SR_GROUP_FINE, ""},
        {"", "", SR_GROUP_MISSING, ""},
        {"acct-ok2:x:998:\n", "", SR_GROUP_MISSING, ""},
        {"acct-o:x:998:\n", "", SR_GROUP_MISSING, ""},
        {"#acct-ok:x:998:\n", "", SR_GROUP_MISSING, ""},
        {"acct-ok:x:998\n", "", SR_GROUP_MISSING, ""}, /* no line of a group */
        {"acct-ok:x:998::\n", "", SR_GROUP_MISSING, ""},
        {"", "acct-ok:!::\n", SR_GROUP_MISSING, ""},
        {"acct-ok:x:0:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:00:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:99:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x::\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:-1:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:+998:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x: 998:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:9x8:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:65535:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:4294967295:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:4294967296:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:4294968294:\n", "", SR_GROUP_BAD_GID, ""}, /* + 998 */
        {"acct-ok:x:18446744073709552614:\n", "", SR_GROUP_BAD_GID, ""},
        {"acct-ok:x:998:ann\n", "", SR_GROUP_MEMBERS, "ann"},
        {"acct-ok:x:998:ann,bob\n", "", SR_GROUP_MEMBERS, "ann"},
        {"acct-ok:x:998:\n", "acct-ok:!::bob\n", SR_GROUP_MEMBERS, "bob"},
        {"acct-ok:x:998:\n", "acct-ok:!:eve:\n", SR_GROUP_MEMBERS, "eve"},
        {"acct-ok:$1$a$b:998:\n", "", SR_GROUP_PASSWORD, ""},
        {"acct-ok:xy:998:\n", "", SR_GROUP_PASSWORD, ""},
        {"acct-ok:x:998:\n", "acct-ok:$1$a$b::\n", SR_GROUP_PASSWORD, ""},
        {"acct-ok:x:998:\nacct-ok:x:997:\n", "", SR_GROUP_TWICE, ""},
        {"acct-ok:x:998:ann\nacct-ok:x:997:\n", "", SR_GROUP_TWICE, ""},
        {"acct-ok:x:998:\nstaff:x:998:ann\n", "", SR_GROUP_SHARED, "staff"},
        {"staff:x:998:ann\nacct-ok:x:998:\n", "", SR_GROUP_SHARED, "staff"},
        {"acct-ok:x:998:\nacct-locked:x:998:\n", "", SR_GROUP_SHARED,
         "acct-locked"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t gid;
        char other[64];
        enum sr_group_flaw flaw =
            flaw_of(cases[i].group, cases[i].gshadow, &gid, other);

        if (flaw != cases[i].flaw || strcmp(other, cases[i].other) != 0)
            fail_msg("\"%s\" \"%s\": %d, \"%s\"", cases[i].group,
                     cases[i].gshadow, (int)flaw, other);
        if ((gid != 0) != (flaw == SR_GROUP_FINE))
            fail_msg("\"%s\": id %u", cases[i].group, gid);
    }
}

static void
test_all_six(void **state)
{
    uint32_t gid[SR_GROUP_COUNT];
    struct sr_state_groups found;
    FILE *stream = fopen(group_file, "w");

    (void)state;
    for (int i = 0; i < SR_GROUP_COUNT; i++)
        fprintf(stream, "%s:x:%d:\n", sr_group_name((enum sr_group)i), 900 + i);
    fclose(stream);
    write_file(gshadow_file, "");
    assert_int_equal(
        sr_state_groups_read(group_file, gshadow_file, gid, &found), 0);
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        assert_int_equal(gid[i], 900 + i);
        assert_int_equal(found.item[i].flaw, SR_GROUP_FINE);
    }
}

/* A long line, as a group of all staff has, is one line. */
static void
test_long_line(void **state)
{
    uint32_t gid[SR_GROUP_COUNT];
    FILE *stream = fopen(group_file, "w");

    (void)state;
    fputs("staff:x:50:", stream);
    for (int i = 0; i < 200000; i++)
        fputs("ann,", stream);
    fputs("acct-ok:x:998:\nacct-locked:x:997:\n", stream);
    fclose(stream);
    write_file(gshadow_file, "");
    assert_int_equal(sr_state_groups_read(group_file, gshadow_file, gid, NULL),
                     0);
    assert_int_equal(gid[SR_GROUP_OK], 0);
    assert_int_equal(gid[SR_GROUP_LOCKED], 997);
}

static void
test_files(void **state)
{
    uint32_t gid[SR_GROUP_COUNT];

    (void)state;
    write_file(group_file, "acct-ok:x:998:\n");
    unlink(gshadow_file);
    assert_int_equal(sr_state_groups_read(group_file, gshadow_file, gid, NULL),
                     0);
    assert_int_equal(gid[SR_GROUP_OK], 998);
    /* A folder opens and cannot be read: nothing is known. */
    assert_int_equal(sr_state_groups_read(group_file, folder, gid, NULL),
                     EISDIR);
    assert_int_equal(gid[SR_GROUP_OK], 0);
    unlink(group_file);
    assert_int_equal(sr_state_groups_read(group_file, gshadow_file, gid, NULL),
                     ENOENT);
    assert_int_equal(gid[SR_GROUP_OK], 0);
}

static void
test_words(void **state)
{
    static const struct {
        struct sr_state_group found;
        const char *text, *advice;
    } cases[] = {
        {{0, SR_GROUP_MISSING, ""}, "no group acct-ok", "groups --create"},
        {{7, SR_GROUP_BAD_GID, ""}, "not safe: 7", "groupdel"},
        {{998, SR_GROUP_MEMBERS, "ann"}, "member ann", "groupdel"},
        {{998, SR_GROUP_PASSWORD, ""}, "a password", "groupdel"},
        {{998, SR_GROUP_TWICE, ""}, "twice", "grpck"},
        {{998, SR_GROUP_SHARED, "staff"},
         "998, which is also staff",
         "groupdel"},
    };
    const struct sr_state_group fine = {998, SR_GROUP_FINE, ""};
    char text[200], advice[200];

    (void)state;
    assert_false(
        sr_state_group_say(SR_GROUP_OK, &fine, text, advice, sizeof(text)));
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(sr_state_group_say(SR_GROUP_OK, &cases[i].found, text,
                                       advice, sizeof(text)));
        assert_non_null(strstr(text, cases[i].text));
        assert_non_null(strstr(advice, cases[i].advice));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flaws),     cmocka_unit_test(test_all_six),
        cmocka_unit_test(test_long_line), cmocka_unit_test(test_files),
        cmocka_unit_test(test_words),
    };
    int failed;

    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(group_file, sizeof(group_file), "%s/group", folder);
    snprintf(gshadow_file, sizeof(gshadow_file), "%s/gshadow", folder);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(group_file);
    unlink(gshadow_file);
    rmdir(folder);
    return failed;
}
