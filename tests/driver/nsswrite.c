/*
 * NSS test writer: publishes accounts that need not exist, for the system
 * tests.
 *
 *   nsswrite DIR [--created AGO] [--listed] [NAME=STATE...]
 *
 * Makes both views and the fallback under DIR.  STATE is a word of published.h;
 * "=exempt-STATE" is exempt from negative groups.  The snapshots were created
 * AGO seconds ago (negative: in the future) and last a day.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/published.h"

#define BUCKETS 16

static void
must(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "nsswrite: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
add(struct published *made, enum sr_view view, const char *account, sr_time now)
{
    char *name = strdup(account), *state = strchr(name, '=');
    struct sr_payload payload;
    bool is_exempt;

    must(state != NULL, account);
    *state++ = '\0';
    is_exempt = strncmp(state, "exempt-", 7) == 0;
    payload =
        published_payload(view, state + (is_exempt ? 7 : 0), now, is_exempt);
    published_add(made, name, &payload);
    free(name);
}

static void
write_fallback(const char *dir)
{
    char root[] = "root";
    char *names[] = {root};
    const struct sr_string_list exempt = {names, 1};
    char text[SR_FALLBACK_TEXT];

    must(sr_fallback_encode(PUBLISHED_GID(SR_GROUP_UNKNOWN),
                            PUBLISHED_GID(SR_GROUP_OK), &exempt, text) &&
             published_put_text(dir, SR_VIEW_GROUPS, SR_FALLBACK_NAME, text),
         "fallback");
}

int
main(int argc, char **argv)
{
    const sr_time now = time(NULL);
    sr_time created = now;
    bool is_listed = false;
    int first = 2;

    must(argc >= 2, "usage: nsswrite DIR [OPTION...] NAME=STATE...");
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (strcmp(argv[first], "--listed") == 0)
            is_listed = true;
        else if (++first < argc)
            created = now - atol(argv[first]);
    }
    must(published_make_dirs(argv[1]), argv[1]);
    for (unsigned view = 0; view < SR_VIEW_COUNT; view++) {
        struct published made;
        uint8_t *bytes;
        size_t size;

        published_begin(&made, BUCKETS, created);
        made.header.is_listed = is_listed;
        for (int i = first; i < argc; i++)
            add(&made, view, argv[i], now);
        bytes = published_finish(&made, &size);
        must(published_put(argv[1], view, bytes, size), argv[1]);
        free(bytes);
    }
    write_fallback(argv[1]);
    return 0;
}
