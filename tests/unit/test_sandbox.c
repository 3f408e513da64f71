/*
 * Test of the check of systemd's units: which of those that ask PAM may not
 * write the state.
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/check/sandbox.h"

static char top[] = "/tmp/test_sandbox.XXXXXX";
static char first[64], second[64];
static const char *const folders[] = {first, second, NULL};

static void
write_file(const char *folder, const char *name, const char *text)
{
    char path[200];
    FILE *stream;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
}

/* A unit of this text and a drop-in (or NULL): how many findings there are. */
static size_t
findings_of(const char *unit, const char *drop_in)
{
    struct findings findings = {0};
    char text[800], path[200];
    const char *at;
    size_t count;

    at = strstr(unit, "%s");
    assert_non_null(at);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - unit), unit, top,
             at + 2);
    write_file(second, "x@.service", text);
    snprintf(path, sizeof(path), "%s/x@.service.d", first);
    mkdir(path, 0700);
    write_file(path, "a.conf", drop_in == NULL ? "" : drop_in);
    check_sandboxes(folders, "/var/lib/state", &findings);
    count = findings.count;
    if (count > 0)
        assert_non_null(strstr(findings.item[0].place, "/2/x@.service"));
    findings_free(&findings);
    snprintf(path, sizeof(path), "%s/x@.service.d/a.conf", first);
    unlink(path);
    return count;
}

#define STRICT                                                                 \
    "[Service]\n# ProtectSystem=no\nExecStart=-%s/program --socket\n"          \
    "ProtectSystem=strict\n"

static void
test_units(void **state)
{
    static const struct {
        const char *unit, *drop_in;
        size_t count;
    } cases[] = {
        {STRICT, NULL, 1},
        {STRICT "ProtectSystem=full\n", NULL, 0},
        {"[Service]\nExecStart=%s/program\n", NULL, 0},
        {"[Service]\nExecStart=%s/other\nProtectSystem=strict\n", NULL, 0},
        {"[Service]\nExecStart=%s/gone\nProtectSystem=strict\n", NULL, 0},
        {"[Service]\nExecStart=%s/self x\nProtectSystem=strict\n", NULL, 0},
        {"[Service]\nExecStart=@%s/program x\nProtectSystem = strict\n", NULL,
         1},
        {STRICT "ReadWritePaths=/run /var/lib/state\n", NULL, 0},
        {STRICT "ReadWritePaths=-/var/lib/\n", NULL, 0},
        {STRICT "ReadWritePaths=/var/lib/states /var/li\n", NULL, 1},
        {STRICT "ReadWritePaths=/var/lib/state\nReadWritePaths=\n", NULL, 1},
        {STRICT, "[Service]\nReadWritePaths=-/var/lib/state -/run/x\n", 0},
        {STRICT, "[Service]\nProtectSystem=no\n", 0},
        {"[Service]\nExecStart=%s/program\n", "ProtectSystem=strict\n", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (findings_of(cases[i].unit, cases[i].drop_in) != cases[i].count)
            fail_msg("case %zu", i);
    }
    /* The file of a folder before hides it. */
    write_file(first, "x@.service", "");
    assert_int_equal(findings_of(STRICT, NULL), 0);
}

static int
make_folders(void **state)
{
    char path[200];

    (void)state;
    if (mkdtemp(top) == NULL)
        return -1;
    snprintf(first, sizeof(first), "%s/1", top);
    snprintf(second, sizeof(second), "%s/2", top);
    mkdir(first, 0700);
    mkdir(second, 0700);
    write_file(top, "program", "x libpam.so.0");
    write_file(top, "other", "x libc.so.6");
    snprintf(path, sizeof(path), "%s/self", top);
    return symlink("/proc/self/exe", path);
}

static int
remove_folders(void **state)
{
    static const char *const files[] = {"program", "other", "self",
                                        "1/x@.service", "2/x@.service"};
    static const char *const made[] = {"1/x@.service.d", "1", "2"};
    char path[200];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", top, files[i]);
        unlink(path);
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", top, made[i]);
        rmdir(path);
    }
    return rmdir(top);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
    };

    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
