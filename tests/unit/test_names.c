/*
 * Test of the names that accounts of a directory are published under, by what
 * the name service answers, or fails to.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nss/names.h"

#define UID ((uid_t)3999999123u)

/* What the name service answers by name and by uid. */
struct answer {
    int error;
    const char *name; /* NULL: nothing */
};
static struct answer by_name, by_uid;

int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *buffer,
                      size_t size, struct passwd **found);
int __wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer,
                      size_t size, struct passwd **found);

static int
answer(const struct answer *answer, struct passwd *entry, char *buffer,
       size_t size, struct passwd **found)
{
    *found = NULL;
    if (answer->error != 0 || answer->name == NULL)
        return answer->error;
    snprintf(buffer, size, "%s", answer->name);
    *entry = (struct passwd){.pw_name = buffer, .pw_uid = UID};
    *found = entry;
    return 0;
}

int
__wrap_getpwnam_r(const char *name, struct passwd *entry, char *buffer,
                  size_t size, struct passwd **found)
{
    (void)name;
    return answer(&by_name, entry, buffer, size, found);
}

int
__wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
                  struct passwd **found)
{
    (void)uid;
    return answer(&by_uid, entry, buffer, size, found);
}

static void
test_resolve(void **state)
{
    static const struct {
        struct answer by_name, by_uid;
        const char *name, *other;
        unsigned skipped;
    } row[] = {
        {{0, "ann"}, {EIO, NULL}, "ann", "", 0},
        {{0, "ANN"}, {EIO, NULL}, "ANN", "ann", 0},
        {{0, NULL}, {0, NULL}, "ann", "", 0},
        {{ENOENT, NULL}, {ESRCH, NULL}, "ann", "", 0},
        {{0, NULL}, {0, "ann#corp"}, "ann#corp", "ann", 0},
        {{0, NULL}, {0, "corpann"}, "ann", "corpann", 0},
        {{0, NULL}, {0, "corp/ann"}, "ann", "corp/ann", 0},
        {{EINVAL, NULL}, {0, "ann#corp"}, "ann#corp", "ann", 0},
        {{EINVAL, NULL}, {0, NULL}, "ann", "", 0},
        /* It may have another name, which is not known now. */
        {{EAGAIN, NULL}, {EAGAIN, NULL}, "ann", "", 1},
        {{0, NULL}, {ETIMEDOUT, NULL}, "ann", "", 1},
        {{ENOENT, NULL}, {ERANGE, NULL}, "ann", "", 1},
    };
    char name[SR_NAME_MAX + 1], other[SR_NAME_MAX + 1];
    struct names *names;
    struct sr_facts facts;

    (void)state;
    sr_facts_init(&facts);
    strcpy(facts.name, "ann");
    facts.uid = UID;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        print_message("row %zu\n", i);
        by_name = row[i].by_name;
        by_uid = row[i].by_uid;
        assert_int_equal(names_new(1000, &names), 0);
        assert_int_equal(names_resolve(names, &facts, name, other),
                         NAME_IS_OWN);
        assert_string_equal(name, row[i].name);
        assert_string_equal(other, row[i].other);
        assert_int_equal(names_skipped(names), row[i].skipped);
        names_free(names);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
