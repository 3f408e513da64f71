/*
 * Test of the editor of nsswitch.conf(5): what is inserted where, what is
 * refused, and that taking it out again gives every text back as it was.
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

#include <cmocka.h>

#include "tools/nsswitch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NEW_GROUP  "# Added by \"selfresetctl nss\":\ngroup: files selfreset\n"
#define NEW_SHADOW "# Added by \"selfresetctl nss\":\nshadow: files selfreset\n"

/* The lines of ours ask us, once, and the others as before. */
static void
assert_asked(const char *text)
{
    struct nsswitch_line line = {0};

    while (nsswitch_next(text, &line)) {
        bool is_ours = nsswitch_is(&line, "group") ||
                       nsswitch_is(&line, "shadow") ||
                       nsswitch_is(&line, "initgroups");

        if (is_ours != (nsswitch_ours(&line) < line.count))
            fail_msg("line %u of \"%s\"", line.number, text);
    }
}

/* enable() must give `after`, and the same again; disable() gives `before`. */
static void
assert_edit(const char *before, const char *after)
{
    char why[NSSWITCH_WHY] = "";
    char *enabled = nsswitch_enable(before, why);
    char *again, *back;

    if (enabled == NULL)
        fail_msg("\"%s\": %s", before, why);
    if (after != NULL)
        assert_string_equal(enabled, after);
    assert_asked(enabled);
    again = nsswitch_enable(enabled, why);
    assert_non_null(again);
    assert_string_equal(again, enabled);
    back = nsswitch_disable(enabled, why);
    assert_non_null(back);
    assert_memory_equal(back, before, strlen(before));
    if (before[0] == '\0' || before[strlen(before) - 1] == '\n')
        assert_string_equal(back, before);
    else
        assert_string_equal(back + strlen(before), "\n");
    free(enabled);
    free(again);
    free(back);
}

static void
test_edit(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"group: files\nshadow: files\n",
         "group: files selfreset\nshadow: files selfreset\n"},
        {"group:          files systemd\nshadow:         files\n"
         "gshadow:        files systemd\npasswd: files systemd\n",
         "group:          files selfreset systemd\n"
         "shadow:         files selfreset\n"
         "gshadow:        files systemd\npasswd: files systemd\n"},
        /* glibc ignores a last line without newline */
        {"shadow: files\ngroup: files",
         "shadow: files selfreset\ngroup: files selfreset\n"},
        /* comments and spaces stay */
        {"# group: files\n\n \tgroup:\tfiles\tsss  # group: files\nshadow:files"
         " #\n",
         "# group: files\n\n \tgroup:\tfiles selfreset\tsss  # group: files\n"
         "shadow:files selfreset #\n"},
        {"group:files #x\nshadow:files\n",
         "group:files selfreset #x\nshadow:files selfreset\n"},
        /* an action that hands on stays with the local files */
        {"group: files [SUCCESS=merge] systemd\nshadow: files sss\n",
         "group: files [SUCCESS=merge] selfreset systemd\n"
         "shadow: files selfreset sss\n"},
        {"group: files[success=merge notfound=continue] sss\nshadow: files\n",
         "group: files[success=merge notfound=continue] selfreset sss\n"
         "shadow: files selfreset\n"},
        {"group: files [!UNAVAIL=continue] sss\nshadow: files\n",
         "group: files [!UNAVAIL=continue] selfreset sss\n"
         "shadow: files selfreset\n"},
        /* one that ends is the next one's affair */
        {"group: files sss [NOTFOUND=return] nis\nshadow: files [ ] sss\n",
         "group: files selfreset sss [NOTFOUND=return] nis\n"
         "shadow: files [ ] selfreset sss\n"},
        {"group: compat\nshadow: compat\n",
         "group: compat selfreset\nshadow: compat selfreset\n"},
        {"group: db files\nshadow: files\n",
         "group: db files selfreset\nshadow: files selfreset\n"},
        /* initgroups: what the others do for each other stays */
        {"initgroups: files sss\ngroup: files\nshadow: files\n",
         "initgroups: selfreset [SUCCESS=continue] files sss\n"
         "group: files selfreset\nshadow: files selfreset\n"},
        {"initgroups:  sss [SUCCESS=merge] files\ngroup: files\nshadow: "
         "files\n",
         "initgroups:  selfreset [SUCCESS=continue] sss [SUCCESS=merge] files\n"
         "group: files selfreset\nshadow: files selfreset\n"},
        /* lines that are missing */
        {"", NEW_GROUP NEW_SHADOW},
        {"passwd: files", NEW_GROUP NEW_SHADOW "passwd: files\n"},
        {"group: files", NEW_SHADOW "group: files selfreset\n"},
        {"shadow: files\n", NEW_GROUP "shadow: files selfreset\n"},
        {"groups: files\ngroup_compat: nis\nshadow: files\n", NEW_GROUP
         "groups: files\ngroup_compat: nis\nshadow: files selfreset\n"},
        /* twice: glibc takes the last, older ones the first */
        {"group: files\ngroup: files sss\nshadow: files\n",
         "group: files selfreset\ngroup: files selfreset sss\n"
         "shadow: files selfreset\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_edit(cases[i].before, cases[i].after);
    }
}

static void
test_refused(void **state)
{
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"group: files [NOTFOUND=return] sss\nshadow: files\n", "line 1"},
        {"\ngroup: files [UNAVAIL=return] sss\nshadow: files\n", "line 2"},
        {"group: files [!SUCCESS=return] sss\nshadow: files\n", "\"return\""},
        {"group: files [TRYAGAIN=return] sss\nshadow: files\n", "\"return\""},
        {"group: db [NOTFOUND=return] files\nshadow: files\n",
         "before the local files"},
        {"group: files\nshadow: files [SUCCESS=merge] sss\n",
         "\"shadow:\": It continues"},
        {"group: files\nshadow: files [SUCCESS=continue] sss\n",
         "\"shadow:\": It continues"},
        {"group: files\nshadow: sss\n", "\"shadow:\": It does not ask"},
        {"group: files\nshadow:\n", "\"shadow:\": It does not ask"},
        {"\n\ngroup: selfreset\nshadow: files\n", "line 3"},
        {"group: selfreset\nshadow: files\n", "\"group:\": It does not ask"},
        {"group: files\nshadow: files\ninitgroups:\n", "names no source"},
        {"group: files [NOTFOUND=return\nshadow: files\n", "not understood"},
        {"group: files [SUCCESS=merge]sss\nshadow: files\n", "not understood"},
        {"group: files [NOTFOUND]\nshadow: files\n", "not understood"},
        {"group: files [NEVER=return]\nshadow: files\n", "not understood"},
        {"group: files [SUCCESS=stop]\nshadow: files\n", "not understood"},
        {"group: [SUCCESS=return] files\nshadow: files\n", "not understood"},
        {"group: a b c d e f g h i j k l m n o p q files\nshadow: files\n",
         "not understood"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char why[NSSWITCH_WHY] = "";
        char *text = nsswitch_enable(cases[i].text, why);

        if (text != NULL || strstr(why, cases[i].word) == NULL)
            fail_msg("\"%s\": %s%s", cases[i].text, why, text);
    }
}

/* Our source somewhere else is moved to where it belongs. */
static void
test_moved(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"group: files sss selfreset\nshadow: selfreset files\n",
         "group: files selfreset sss\nshadow: files selfreset\n"},
        {"group: selfreset [NOTFOUND=return] files sss\nshadow: files\n",
         "group: files selfreset sss\nshadow: files selfreset\n"},
        {"group: files selfreset [NOTFOUND=return] sss\nshadow: files\n",
         "group: files selfreset sss\nshadow: files selfreset\n"},
        {"group: files selfreset selfreset sss\nshadow: files\n",
         "group: files selfreset sss\nshadow: files selfreset\n"},
        {"group: files\nshadow: files\ninitgroups: files selfreset sss\n",
         "group: files selfreset\nshadow: files selfreset\n"
         "initgroups: selfreset [SUCCESS=continue] files sss\n"},
        {"group: files\nshadow: files\ninitgroups: selfreset files\n",
         "group: files selfreset\nshadow: files selfreset\n"
         "initgroups: selfreset [SUCCESS=continue] files\n"},
        /* written in another way, and right: left alone */
        {"group: files  selfreset sss\nshadow: files\tselfreset\n"
         "initgroups: files [SUCCESS=continue] selfreset\n",
         "group: files  selfreset sss\nshadow: files\tselfreset\n"
         "initgroups: files [SUCCESS=continue] selfreset\n"},
        {"group: files selfreset2\nshadow: files\n",
         "group: files selfreset selfreset2\nshadow: files selfreset\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char why[NSSWITCH_WHY] = "";
        char *text = nsswitch_enable(cases[i].before, why);

        if (text == NULL)
            fail_msg("\"%s\": %s", cases[i].before, why);
        assert_string_equal(text, cases[i].after);
        free(text);
    }
}

/* Edited since it was enabled: only our words go. */
static void
test_disable_edited(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"group: files selfreset sss # mine\nshadow: files selfreset\n",
         "group: files sss # mine\nshadow: files\n"},
        {"group: files selfreset [NOTFOUND=return] sss\n",
         "group: files sss\n"},
        {"group: sss selfreset\npasswd: files selfreset\n",
         "group: sss\npasswd: files\n"},
        {"initgroups: selfreset files\n", "initgroups: files\n"},
        {"initgroups: selfreset [success=continue]  files\n",
         "initgroups: files\n"},
        {"group: files selfreset sss # added by \"selfresetctl nss\"\n",
         "group: files sss # added by \"selfresetctl nss\"\n"},
        {"# selfreset\ngroup: files selfreset2\nselfreset: files\n",
         "# selfreset\ngroup: files selfreset2\nselfreset: files\n"},
        {"x: y\n" NEW_GROUP,
         "x: y\n# Added by \"selfresetctl nss\":\ngroup: files\n"},
        {NEW_SHADOW "a: b", "a: b"},
        {NEW_GROUP NEW_SHADOW, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char why[NSSWITCH_WHY] = "";
        char *text = nsswitch_disable(cases[i].before, why);

        assert_non_null(text);
        assert_string_equal(text, cases[i].after);
        free(text);
    }
}

/* Small, known, and the same everywhere. */
static uint32_t
draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* disable(enable(x)) is x, and enable() twice is once, for texts of any make
 * that do not name us; what is refused is refused with a sentence. */
static void
test_any_text(void **state)
{
    static const char *const piece[] = {
        "group",
        "shadow",
        "initgroups",
        "passwd",
        ":",
        ": ",
        "files",
        "files",
        "compat",
        "sss",
        " ",
        "  ",
        "\t",
        "\n",
        "\n",
        "#",
        "# x",
        "[",
        "]",
        "[SUCCESS=merge]",
        "!",
        "[ notfound=continue ]",
        "[NOTFOUND=return]",
        "\r\n",
        "group: files\n",
        "shadow: files sss\n",
        "initgroups: files sss\n",
        ":\n",
        "\v",
        "hosts: files dns\n",
        "=",
        "x",
    };
    uint32_t seed = 1;
    unsigned enabled = 0;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        char text[512] = "";
        char why[NSSWITCH_WHY] = "";
        uint32_t pieces = draw(&seed, 16);
        char *out;

        for (uint32_t i = 0; i < pieces; i++)
            strcat(text, piece[draw(&seed, COUNT(piece))]);
        out = nsswitch_enable(text, why);
        if (out == NULL) {
            assert_true(why[0] != '\0');
            continue;
        }
        free(out);
        enabled++;
        assert_edit(text, NULL);
    }
    assert_true(enabled > 20000);
}

static void
test_read(void **state)
{
    static const char text[] = "# nothing\npasswd: files\n\n group: "
                               "files[NOTFOUND=return] sss [!success"
                               "=Return UNAVAIL=merge] # x\n";
    struct nsswitch_line line = {0};

    (void)state;
    assert_true(nsswitch_next(text, &line));
    assert_int_equal(line.number, 2);
    assert_true(nsswitch_is(&line, "passwd"));
    assert_true(nsswitch_next(text, &line));
    assert_int_equal(line.number, 4);
    assert_true(nsswitch_is(&line, "group"));
    assert_false(nsswitch_is(&line, "groups"));
    assert_int_equal(line.count, 2);
    assert_false(line.is_odd);
    assert_true(nsswitch_is_files(&line, 0));
    assert_true(nsswitch_is_source(&line, 1, "sss"));
    assert_int_equal(nsswitch_ours(&line), 2);
    assert_true(nsswitch_ends(&line, 0, NSSWITCH_SUCCESS));
    assert_true(nsswitch_ends(&line, 0, NSSWITCH_NOTFOUND));
    assert_false(nsswitch_ends(&line, 0, NSSWITCH_UNAVAIL));
    assert_true(nsswitch_ends(&line, 1, NSSWITCH_NOTFOUND));
    assert_true(nsswitch_ends(&line, 1, NSSWITCH_TRYAGAIN));
    assert_int_equal(line.source[1].action[NSSWITCH_UNAVAIL], NSSWITCH_MERGE);
    assert_false(nsswitch_next(text, &line));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),           cmocka_unit_test(test_edit),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_disable_edited), cmocka_unit_test(test_any_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
