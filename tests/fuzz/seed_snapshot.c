/*
 * Seeds for fuzz_snapshot: writes tests/fuzz/corpus/snapshot anew.
 *
 *   seed_snapshot DIR
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/util/bytes.h"
#include "tests/unit/published.h"

#define NOW      ((sr_time)1800000000)
#define SEQUENCE ((uint64_t)NOW * 1000000000)

struct seed {
    const char *file;
    uint8_t say[5]; /* see fuzz_snapshot.c */
    const char *name;
    const char *delta; /* a state; raw for repair & 2, else its text */
    const char *fallback;
    uint32_t buckets; /* 0: no snapshot */
};

static const struct seed seeds[] = {
    {"shadow", {0, 0, 200, 0, 0}, "expiring", NULL, "", 1},
    {"shadow-repaired", {0, 3, 200, 0, 9}, "expired", "ok", "", 2},
    {"shadow-small", {0, 0, 4, 0, 0}, "ok", NULL, "", 1},
    {"shadow-enough", {0, 0, 5, 0, 0}, "ok", NULL, "", 1},
    {"shadow-end", {0, 0, 200, 24, 0}, "ok", NULL, "", 1},
    {"shadow-delta", {0, 0, 201, 0, 0}, "locked", "must-change", "", 1},
    {"shadow-old", {0, 0, 200, 100, 0}, "ok", NULL, "", 1},
    {"groups", {1, 0, 1, 0, 0}, "expiring", NULL, "", 1},
    {"groups-repaired", {1, 7, 3, 0, 0}, "ok", "locked-out", "", 2},
    {"groups-delta", {1, 0, 2, 0, 0}, "ok", "expired", "", 1},
    {"groups-fallback", {1, 0, 1, 0, 0}, "root", NULL, "1:806:805:root:", 0},
    {"groups-denied", {9, 0, 1, 0, 0}, "ok", NULL, "1:806:805:", 1},
    {"groups-no-descriptor", {13, 0, 1, 0, 0}, "ok", NULL, "1:806:805:", 1},
    {"list", {2, 0, 0, 0, 0}, "ok", NULL, "", 3},
    {"list-delta", {2, 1, 0, 0, 0}, "ok", "locked", "", 1},
};

static void
put_piece(FILE *out, const void *bytes, size_t size)
{
    fputc((int)size, out);
    fwrite(bytes, 1, size, out);
}

static void
put_delta(FILE *out, const struct seed *seed, enum sr_view view)
{
    char text[SR_DELTA_TEXT];
    struct sr_payload payload;
    uint8_t raw[8 + SR_PAYLOAD_MAX];

    if (seed->delta == NULL) {
        put_piece(out, "", 0);
        return;
    }
    payload = published_payload(view, seed->delta, NOW, false);
    sr_put64(raw, SEQUENCE + 1);
    memcpy(raw + 8, payload.bytes, payload.size);
    sr_delta_encode(seed->name, SEQUENCE + 1, &payload, text);
    if ((seed->say[1] & 2) != 0)
        put_piece(out, raw, 8 + payload.size);
    else
        put_piece(out, text, strlen(text));
}

static void
put_snapshot(FILE *out, const struct seed *seed, enum sr_view view)
{
    static const char *const states[] = {"ok", "expiring", "expired", "locked",
                                         "unknown"};
    struct published made;
    uint8_t *bytes;
    size_t size;

    published_begin(&made, seed->buckets, NOW);
    made.header.is_listed = true;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        const struct sr_payload payload =
            published_payload(view, states[i], NOW, i == 3);

        published_add(&made, states[i], &payload);
    }
    if (seed->delta != NULL)
        published_mark(&made, seed->name);
    bytes = published_finish(&made, &size);
    fwrite(bytes, 1, SR_SNAPSHOT_HEADER, out);
    fwrite(bytes + SR_SNAPSHOT_PAGE, 1, size - SR_SNAPSHOT_PAGE, out);
    free(bytes);
}

int
main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(seeds) / sizeof(*seeds); i++) {
        const struct seed *seed = &seeds[i];
        const enum sr_view view =
            (seed->say[0] & 3) == 1 ? SR_VIEW_GROUPS : SR_VIEW_SHADOW;
        char path[4096];
        FILE *out;

        snprintf(path, sizeof(path), "%s/%s", argv[1], seed->file);
        out = fopen(path, "w");
        if (out == NULL) {
            perror(path);
            return 1;
        }
        fwrite(seed->say, 1, sizeof(seed->say), out);
        put_piece(out, seed->name, strlen(seed->name));
        put_delta(out, seed, view);
        put_piece(out, seed->fallback, strlen(seed->fallback));
        if (seed->buckets > 0)
            put_snapshot(out, seed, view);
        if (fclose(out) != 0)
            return 1;
    }
    return argc == 2 ? 0 : 2;
}
