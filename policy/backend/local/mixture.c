/*
 * Mixture: whether the local hashes differ in what they cost.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/local/mixture.h"
#include "policy/util/crypt.h"

#define SHADOW_FILE "/etc/shadow"

/* The file is read in pieces, from which the second field of each line is
 * taken.  A field that is longer is no hash. */
struct scan {
    char piece[16384];
    char field[CRYPT_OUTPUT_SIZE];
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    size_t length;
    unsigned colons; /* in this line so far */
    bool is_mixture;
    unsigned costliest;
};

static void
take_hash(struct scan *scan)
{
    unsigned cost;

    if (scan->length >= sizeof(scan->field))
        return;
    scan->field[scan->length] = '\0';
    if (!sr_crypt_is_hash(scan->field) ||
        sr_crypt_same_cost(scan->field, scan->setting))
        return;
    scan->is_mixture = true;
    cost = sr_crypt_estimate(scan->field);
    if (scan->costliest < cost)
        scan->costliest = cost;
}

static void
take_piece(struct scan *scan, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char letter = scan->piece[i];

        if (letter == ':' || letter == '\n') {
            if (scan->colons == 1)
                take_hash(scan);
            scan->colons = letter == '\n' ? 0 : scan->colons + 1;
            scan->length = 0;
        } else if (scan->colons == 1 && scan->length < sizeof(scan->field)) {
            scan->field[scan->length++] = letter;
        }
    }
}

bool
sr_local_is_mixture(const char *shadow, unsigned *costliest)
{
    struct scan scan = {.length = 0};
    ssize_t size = 1;
    bool is_mixture;
    const int fd = open(shadow != NULL ? shadow : SHADOW_FILE,
                        O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0 || sr_crypt_setting(scan.setting, sizeof(scan.setting)) != 0)
        size = -1;
    while (size > 0) {
        size = TEMP_FAILURE_RETRY(read(fd, scan.piece, sizeof(scan.piece)));
        if (size > 0)
            take_piece(&scan, (size_t)size);
    }
    if (fd >= 0)
        close(fd);
    *costliest = scan.costliest;
    is_mixture = size < 0 || scan.is_mixture;
    explicit_bzero(&scan, sizeof(scan));
    return is_mixture;
}
