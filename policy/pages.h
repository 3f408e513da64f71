/*
 * Pages: is this the image of a sound LMDB database?  Pure: looks at bytes.
 *
 * LMDB believes its file: a page whose offsets are wrong makes it read and
 * write outside of its memory, inside a login.  So before LMDB gets a file,
 * every page that its newest tree can reach is checked here: kind, number,
 * bounds, order of keys, no page used twice, none both used and free, and the
 * counts that the meta page gives.  That costs about a third of a microsecond
 * for each page, and the store is small.
 *
 * What is checked is the format of LMDB 0.9, data version 1, with one unnamed
 * database.  Another data version is left to LMDB, which refuses what it does
 * not know.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PAGES_H
#define SR_POLICY_PAGES_H

#include <stddef.h>

enum sr_pages_result {
    SR_PAGES_SOUND,
    SR_PAGES_DAMAGED,
    SR_PAGES_FOREIGN,   /* another data version: not judged */
    SR_PAGES_NO_MEMORY, /* not judged either */
};

/* Check the `size` bytes at `image`, the file from its beginning. */
enum sr_pages_result sr_pages_check(const void *image, size_t size);

#endif
