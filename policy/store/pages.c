/*
 * Pages: is this the image of a sound LMDB database?
 *
 * The structures below describe the file format of LMDB 0.9, as the machine
 * that wrote it lays them out; a file does not move between architectures.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/store/pages.h"

typedef size_t pgno_t; /* page numbers and transaction ids */

#define NO_PAGE         (~(pgno_t)0)
#define META_MAGIC      0xBEEFC0DEu
#define META_VERSION    1u
#define META_COUNT      2u
#define FREE_FLAGS      0x08u /* integer keys */
#define FREE_FLAGS_MASK 0xffu /* above them are flags of the environment */
#define PAGE_BRANCH     0x01u
#define PAGE_LEAF       0x02u
#define PAGE_OVERFLOW   0x04u
#define PAGE_META       0x08u
#define NODE_BIG        0x01u /* the value is in an overflow page */
#define PAGE_SIZE_MIN   4096u
#define PAGE_SIZE_MAX   32768u
#define KEY_SIZE_MAX    511u
#define DEPTH_MAX       16u
#define UNWRITTEN_MAX   1024u

struct page {
    pgno_t number;
    uint16_t pad;
    uint16_t flags;
    union {
        struct {
            uint16_t lower; /* end of the offsets */
            uint16_t upper; /* start of the nodes */
        } bounds;
        uint32_t pages; /* of an overflow run */
    } u;
};
#define PAGE_HEADER (offsetof(struct page, u) + sizeof(((struct page *)0)->u))

struct node {
    uint16_t half[2]; /* size of the value, or page number of the child */
    uint16_t flags;   /* or the third part of the page number */
    uint16_t key_size;
};
#define NODE_HEADER sizeof(struct node)

struct tree {
    uint32_t pad;
    uint16_t flags;
    uint16_t depth;
    pgno_t branch_pages;
    pgno_t leaf_pages;
    pgno_t overflow_pages;
    size_t entries;
    pgno_t root;
};

struct meta {
    uint32_t magic;
    uint32_t version;
    void *address;
    size_t map_size;
    struct tree trees[2]; /* the free pages; the database */
    pgno_t last_page;
    size_t transaction;
};
enum { TREE_FREE, TREE_MAIN };

/* One of the two walks over a tree. */
struct walk {
    const uint8_t *image;
    size_t page_size;
    size_t page_count; /* by the meta page */
    size_t in_file;    /* those that are there to be read */
    size_t transaction;
    uint8_t *seen;   /* a bit for each page of the file */
    uint8_t *starts; /* a bit for each two bytes of one page */
    const struct tree *tree;
    bool is_free;
    pgno_t branch_pages, leaf_pages, overflow_pages;
    size_t entries;
};

struct span {
    const uint8_t *bytes;
    size_t size;
};

static bool
mark(uint8_t *bits, size_t index)
{
    const uint8_t bit = (uint8_t)(1u << (index & 7));
    const bool is_new = (bits[index >> 3] & bit) == 0;

    bits[index >> 3] |= bit;
    return is_new;
}

static bool
is_marked(const uint8_t *bits, size_t index)
{
    return (bits[index >> 3] >> (index & 7) & 1) != 0;
}

static const uint8_t *
page_at(const struct walk *walk, pgno_t number)
{
    return walk->image + number * walk->page_size;
}

/* A page that nothing else uses, and not a meta page. */
static bool
claim(const struct walk *walk, pgno_t number)
{
    return number >= META_COUNT && number < walk->page_count &&
           mark(walk->seen, number);
}

static size_t
value_size(const struct node *node)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t)node->half[0] | (size_t)node->half[1] << 16;
#else
    return (size_t)node->half[1] | (size_t)node->half[0] << 16;
#endif
}

static pgno_t
child_number(const struct node *node)
{
    pgno_t number = value_size(node);

#if SIZE_MAX > UINT32_MAX
    number |= (pgno_t)node->flags << 32;
#endif
    return number;
}

static size_t
offset_at(const uint8_t *page, size_t index)
{
    uint16_t offset;

    memcpy(&offset, page + PAGE_HEADER + index * sizeof(offset),
           sizeof(offset));
    return offset;
}

static struct node
node_at(const uint8_t *page, size_t offset)
{
    struct node node;

    memcpy(&node, page + offset, sizeof(node));
    return node;
}

/* The bytes that a node takes in its page, or 0 when it cannot be one. */
static size_t
node_size(const struct walk *walk, const struct node *node, bool is_leaf)
{
    size_t size = NODE_HEADER + node->key_size;

    if (node->key_size > KEY_SIZE_MAX)
        return 0;
    if (is_leaf) {
        if (node->flags == NODE_BIG && walk->is_free)
            size += sizeof(pgno_t);
        else if (node->flags == 0)
            size += value_size(node);
        else
            return 0;
    }
    return (size + 1) & ~(size_t)1;
}

/*
 * The nodes must tile [upper, end of page) without gap or overlap: LMDB moves
 * them by their sizes when it deletes one.
 */
static bool
is_tiled(const struct walk *walk, const uint8_t *page, size_t count,
         size_t upper, bool is_leaf)
{
    size_t total = 0;

    memset(walk->starts, 0, walk->page_size / 16 + 1);
    for (size_t i = 0; i < count; i++) {
        const size_t offset = offset_at(page, i);

        if (offset < upper || offset % 2 != 0 ||
            offset + NODE_HEADER > walk->page_size ||
            !mark(walk->starts, offset / 2))
            return false;
    }
    mark(walk->starts, walk->page_size / 2);
    for (size_t i = 0; i < count; i++) {
        const size_t offset = offset_at(page, i);
        const struct node node = node_at(page, offset);
        const size_t size = node_size(walk, &node, is_leaf);

        if (size == 0 || size > walk->page_size - offset ||
            !is_marked(walk->starts, (offset + size) / 2))
            return false;
        total += size;
    }
    return total == walk->page_size - upper;
}

static int
compare(const struct walk *walk, struct span a, struct span b)
{
    if (walk->is_free) {
        size_t x, y;

        memcpy(&x, a.bytes, sizeof(x)); /* the size has been checked */
        memcpy(&y, b.bytes, sizeof(y));
        return x < y ? -1 : x > y;
    } else {
        const int order =
            memcmp(a.bytes, b.bytes, a.size < b.size ? a.size : b.size);

        return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
    }
}

/* A value of the free tree: a count, and so many page numbers, newest first. */
static bool
check_free_list(const struct walk *walk, const uint8_t *list, size_t size)
{
    pgno_t count, number, before = NO_PAGE;

    if (size < sizeof(count))
        return false;
    memcpy(&count, list, sizeof(count));
    if (count > size / sizeof(count) - 1)
        return false;
    for (pgno_t i = 1; i <= count; i++) {
        memcpy(&number, list + i * sizeof(number), sizeof(number));
        if (number >= before || !claim(walk, number))
            return false;
        before = number;
    }
    return true;
}

static bool
check_overflow(struct walk *walk, pgno_t first, size_t size)
{
    struct page page;

    if (first >= walk->in_file)
        return false;
    memcpy(&page, page_at(walk, first), sizeof(page));
    if (page.number != first || page.flags != PAGE_OVERFLOW ||
        page.u.pages == 0 || page.u.pages > walk->in_file - first ||
        size > (size_t)page.u.pages * walk->page_size - PAGE_HEADER)
        return false;
    for (pgno_t i = 0; i < page.u.pages; i++) {
        if (!claim(walk, first + i))
            return false;
    }
    walk->overflow_pages += page.u.pages;
    return check_free_list(walk, page_at(walk, first) + PAGE_HEADER, size);
}

static bool
check_value(struct walk *walk, const struct node *node, const uint8_t *value)
{
    pgno_t first;

    walk->entries++;
    if (!walk->is_free)
        return true; /* the record's own checksum covers it */
    if (node->flags != NODE_BIG)
        return check_free_list(walk, value, value_size(node));
    memcpy(&first, value, sizeof(first));
    return check_overflow(walk, first, value_size(node));
}

/* The key of node `index`; the first one of a branch page has none. */
static bool
check_key(const struct walk *walk, struct span key, const struct span *low,
          const struct span *high)
{
    if (walk->is_free) {
        size_t transaction;

        if (key.size != sizeof(transaction))
            return false;
        memcpy(&transaction, key.bytes, sizeof(transaction));
        if (transaction > walk->transaction)
            return false;
    } else if (key.size == 0) {
        return false;
    }
    return (low == NULL || compare(walk, *low, key) <= 0) &&
           (high == NULL || compare(walk, key, *high) < 0);
}

static bool
check_header(const struct walk *walk, const uint8_t *bytes, pgno_t number,
             bool is_leaf, size_t *count, size_t *upper)
{
    struct page page;

    memcpy(&page, bytes, sizeof(page));
    *upper = page.u.bounds.upper;
    if (page.number != number ||
        page.flags != (is_leaf ? PAGE_LEAF : PAGE_BRANCH) ||
        page.u.bounds.lower < PAGE_HEADER || page.u.bounds.lower % 2 != 0 ||
        page.u.bounds.lower > *upper || *upper > walk->page_size)
        return false;
    *count = (page.u.bounds.lower - PAGE_HEADER) / sizeof(uint16_t);
    /* LMDB takes fewer than two children for a reason to abort. */
    return *count >= (is_leaf ? 1u : 2u);
}

static bool
check_page(struct walk *walk, pgno_t number, unsigned level,
           const struct span *low, const struct span *high)
{
    const bool is_leaf = level + 1u == walk->tree->depth;
    const uint8_t *page;
    struct span before, key = {NULL, 0};
    size_t count, upper;

    if (number >= walk->in_file || !claim(walk, number))
        return false;
    page = page_at(walk, number);
    if (!check_header(walk, page, number, is_leaf, &count, &upper) ||
        !is_tiled(walk, page, count, upper, is_leaf))
        return false;
    *(is_leaf ? &walk->leaf_pages : &walk->branch_pages) += 1;
    for (size_t i = 0; i < count; i++) {
        const size_t offset = offset_at(page, i);
        const struct node node = node_at(page, offset);
        const bool has_key = is_leaf || i > 0;

        before = key;
        key = (struct span){page + offset + NODE_HEADER, node.key_size};
        if (has_key && !check_key(walk, key, low, high))
            return false;
        if (i > (is_leaf ? 0u : 1u) && compare(walk, before, key) >= 0)
            return false;
        if (is_leaf && !check_value(walk, &node, key.bytes + key.size))
            return false;
    }
    for (size_t i = 0; !is_leaf && i < count; i++) {
        const size_t offset = offset_at(page, i);
        const struct node node = node_at(page, offset);
        struct span next = {NULL, 0};

        key = (struct span){page + offset + NODE_HEADER, node.key_size};
        if (i + 1 < count) {
            const size_t after = offset_at(page, i + 1);

            next = (struct span){page + after + NODE_HEADER,
                                 node_at(page, after).key_size};
        }
        if (!check_page(walk, child_number(&node), level + 1,
                        i > 0 ? &key : low, i + 1 < count ? &next : high))
            return false;
    }
    return true;
}

static bool
check_tree(struct walk *walk, const struct tree *tree, bool is_free)
{
    walk->tree = tree;
    walk->is_free = is_free;
    walk->branch_pages = 0;
    walk->leaf_pages = 0;
    walk->overflow_pages = 0;
    walk->entries = 0;
    if (is_free ? (tree->flags & FREE_FLAGS_MASK) != FREE_FLAGS
                : tree->flags != 0)
        return false;
    if (tree->root == NO_PAGE) {
        if (tree->depth != 0)
            return false;
    } else if (tree->depth == 0 || tree->depth > DEPTH_MAX ||
               !check_page(walk, tree->root, 0, NULL, NULL)) {
        return false;
    }
    return walk->branch_pages == tree->branch_pages &&
           walk->leaf_pages == tree->leaf_pages &&
           walk->overflow_pages == tree->overflow_pages &&
           walk->entries == tree->entries;
}

/* Read meta page `index`.  FOREIGN when its version is not ours. */
static enum sr_pages_result
read_meta(const uint8_t *image, size_t size, size_t page_size, size_t index,
          struct meta *meta)
{
    const size_t at = index * page_size;
    struct page page;

    if (size < at + PAGE_HEADER + sizeof(*meta))
        return SR_PAGES_DAMAGED;
    memcpy(&page, image + at, sizeof(page));
    memcpy(meta, image + at + PAGE_HEADER, sizeof(*meta));
    if (page.number != index || (page.flags & PAGE_META) == 0 ||
        meta->magic != META_MAGIC)
        return SR_PAGES_DAMAGED;
    if (meta->version != META_VERSION)
        return SR_PAGES_FOREIGN;
    return SR_PAGES_SOUND;
}

static bool
is_page_size(size_t size)
{
    return size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX &&
           (size & (size - 1)) == 0;
}

static enum sr_pages_result
check_trees(struct walk *walk, const struct meta *meta)
{
    enum sr_pages_result result = SR_PAGES_NO_MEMORY;

    walk->seen = calloc(1, walk->page_count / 8 + 1);
    walk->starts = malloc(walk->page_size / 16 + 1);
    if (walk->seen != NULL && walk->starts != NULL)
        result = check_tree(walk, &meta->trees[TREE_MAIN], false) &&
                         check_tree(walk, &meta->trees[TREE_FREE], true)
                     ? SR_PAGES_SOUND
                     : SR_PAGES_DAMAGED;
    free(walk->starts);
    free(walk->seen);
    return result;
}

/* Both meta pages, and which is the newest. */
static enum sr_pages_result
read_metas(const void *start, size_t size, struct meta meta[META_COUNT],
           size_t *page_size, const struct meta **newest)
{
    enum sr_pages_result result;

    result = read_meta(start, size, 0, 0, &meta[0]);
    if (result != SR_PAGES_SOUND)
        return result;
    *page_size = meta[0].trees[TREE_FREE].pad;
    if (!is_page_size(*page_size))
        return SR_PAGES_DAMAGED;
    result = read_meta(start, size, *page_size, 1, &meta[1]);
    if (result != SR_PAGES_SOUND)
        return result;
    if (meta[1].trees[TREE_FREE].pad != *page_size)
        return SR_PAGES_DAMAGED;
    *newest = &meta[meta[0].transaction < meta[1].transaction];
    return SR_PAGES_SOUND;
}

enum sr_pages_result
sr_pages_check(const void *image, size_t size)
{
    struct walk walk = {.image = image};
    enum sr_pages_result result;
    struct meta meta[META_COUNT];
    const struct meta *newest;

    result = read_metas(image, size, meta, &walk.page_size, &newest);
    if (result != SR_PAGES_SOUND)
        return result;
    walk.in_file = size / walk.page_size;
    /* Pages that a transaction took and gave back were never written, so the
     * last ones may be missing; but only as many as one transaction takes. */
    if (newest->last_page < META_COUNT - 1 ||
        newest->last_page >= walk.in_file + UNWRITTEN_MAX)
        return SR_PAGES_DAMAGED;
    walk.page_count = newest->last_page + 1;
    walk.transaction = newest->transaction;
    return check_trees(&walk, newest);
}

/* ---- a lookup */

enum sr_pages_result
sr_pages_find_tree(const void *start, size_t size, struct sr_pages_tree *tree)
{
    enum sr_pages_result result;
    struct meta meta[META_COUNT];
    const struct meta *newest;
    const struct tree *records;

    memset(tree, 0, sizeof(*tree));
    result = read_metas(start, size, meta, &tree->page_size, &newest);
    if (result != SR_PAGES_SOUND)
        return result;
    records = &newest->trees[TREE_MAIN];
    if (records->flags != 0 || records->depth > DEPTH_MAX ||
        (records->root == NO_PAGE) != (records->depth == 0))
        return SR_PAGES_DAMAGED;
    tree->root = records->root;
    tree->depth = records->depth;
    return SR_PAGES_SOUND;
}

/* Node `index` of a page, when it lies within it. */
static bool
read_node(const struct walk *walk, const uint8_t *page, size_t index,
          size_t upper, bool is_leaf, struct node *node, struct span *key)
{
    const size_t offset = offset_at(page, index);
    size_t size;

    if (offset < upper || offset + NODE_HEADER > walk->page_size)
        return false;
    *node = node_at(page, offset);
    size = node_size(walk, node, is_leaf);
    *key = (struct span){page + offset + NODE_HEADER, node->key_size};
    return size != 0 && size <= walk->page_size - offset;
}

/* Whether a key may come after the one before it in a page, or be the first one
 * after its lower bound. */
static bool
is_next_key(const struct walk *walk, struct span before, struct span key,
            struct span high, bool is_first)
{
    const int order = before.bytes == NULL ? -1 : compare(walk, before, key);

    return key.size != 0 && (order < 0 || (order == 0 && is_first)) &&
           (high.bytes == NULL || compare(walk, key, high) < 0);
}

static struct span
span_of(struct sr_pages_span span)
{
    return (struct span){span.bytes, span.size};
}

bool
sr_pages_look(const struct sr_pages_tree *tree, const void *page,
              struct sr_pages_span key, struct sr_pages_lookup *lookup)
{
    const struct walk walk = {.page_size = tree->page_size};
    const bool is_leaf = ++lookup->level == tree->depth;
    const struct span wanted = span_of(key);
    const struct span low = span_of(lookup->low), high = span_of(lookup->high);
    struct span before = low;
    bool is_past = false; /* the keys are greater than the wanted one */
    size_t count, upper;

    lookup->value = (struct sr_pages_span){NULL, 0};
    if (!check_header(&walk, page, lookup->number, is_leaf, &count, &upper))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct node node;
        struct span at;

        if (!read_node(&walk, page, i, upper, is_leaf, &node, &at))
            return false;
        if (!is_leaf && i == 0) { /* its keys begin where the page's do */
            lookup->number = child_number(&node);
            continue;
        }
        if (!is_next_key(&walk, before, at, high, i == 0))
            return false;
        before = at;
        if (compare(&walk, at, wanted) > 0) {
            if (!is_leaf && !is_past)
                lookup->high = (struct sr_pages_span){at.bytes, at.size};
            is_past = true;
        } else if (!is_leaf) {
            lookup->number = child_number(&node);
            lookup->low = (struct sr_pages_span){at.bytes, at.size};
        } else if (compare(&walk, at, wanted) == 0) {
            lookup->value =
                (struct sr_pages_span){at.bytes + at.size, value_size(&node)};
        }
    }
    return true;
}
