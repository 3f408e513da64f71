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
#ifndef SR_POLICY_STORE_PAGES_H
#define SR_POLICY_STORE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

enum sr_pages_result {
    SR_PAGES_SOUND,
    SR_PAGES_DAMAGED,
    SR_PAGES_FOREIGN,   /* another data version: not judged */
    SR_PAGES_NO_MEMORY, /* not judged either */
};

/* Check the `size` bytes at `image`, the file from its beginning. */
enum sr_pages_result sr_pages_check(const void *image, size_t size);

/*
 * A lookup without LMDB, for those who only read: to open, map and close its
 * file is most of what a look at a few records costs, and a look needs three
 * pages.  Nothing outside of the pages given is read, whatever is in them, and
 * keys must be in order and within what the pages above say; so what is not
 * found is not there.
 */

/* So many bytes of the file's beginning (or all of it) have both meta pages. */
#define SR_PAGES_START 36864u

/* The newest tree of records. */
struct sr_pages_tree {
    size_t page_size;
    size_t root;    /* its page, when the depth is not 0 */
    unsigned depth; /* 0: empty */
};

/* Find it in the beginning of the file. */
enum sr_pages_result sr_pages_find_tree(const void *start, size_t size,
                                        struct sr_pages_tree *tree);

struct sr_pages_span {
    const void *bytes; /* NULL: none */
    size_t size;
};

/* A lookup on its way down.  Begin with the root's number and zeros; every page
 * that was looked at must stay until the lookup has ended. */
struct sr_pages_lookup {
    size_t number;                  /* the page to look at next */
    unsigned level;                 /* how many have been */
    struct sr_pages_span low, high; /* between which its keys are */
    struct sr_pages_span value;     /* after the last page: what was found */
};

/*
 * Look at one page: `page`, whose number is lookup->number.  Call it depth
 * times.  False when the page is damaged.
 */
bool sr_pages_look(const struct sr_pages_tree *tree, const void *page,
                   struct sr_pages_span key, struct sr_pages_lookup *lookup);

#endif
