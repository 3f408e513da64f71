/*
 * Snapshots with far too few buckets: chains, and the doubling when one gets
 * too long to be walked.  The builder is compiled into this test with another
 * notion of how full a bucket should be.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#define BUCKET_FILL ((size_t)SR_SNAPSHOT_BUCKET * 40)

#include "policy/publish/builder.c"
#include "policy/publish/install.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const uint8_t *
find(const struct sr_image *image, const char *name, unsigned *steps)
{
    uint32_t number = sr_bucket_choose(&image->header, name);
    size_t size;

    for (*steps = 1;; ++*steps) {
        const uint8_t *bucket = bucket_at(image, number);
        const uint8_t *payload;

        assert_true(sr_bucket_check(&image->header, number, bucket));
        payload = sr_bucket_find(bucket, name, &size);
        number = sr_bucket_next(bucket);
        if (payload != NULL || number == 0)
            return payload;
    }
}

/* `length` 0: short names. */
static unsigned
crowd(unsigned count, int length)
{
    const struct sr_publish_how how = {.max_age = 1};
    struct sr_builder *build = sr_builder_new(&how);
    struct sr_image image;
    struct sr_rules rules;
    struct sr_facts facts;
    unsigned longest = 0, steps;

    memset(&rules, 0, sizeof(rules));
    sr_facts_init(&facts);
    for (unsigned i = 0; i < count; i++) {
        snprintf(facts.name, sizeof(facts.name), "%0*u", length, i);
        assert_int_equal(0, sr_builder_add(build, &facts, &rules, false));
    }
    assert_int_equal(0, sr_builder_lay_out(build, SR_VIEW_GROUPS, &image));
    assert_int_equal(count, image.header.count);
    assert_int_equal(((uint64_t)image.header.buckets + image.header.overflow) *
                         SR_SNAPSHOT_BUCKET,
                     image.size);
    for (unsigned i = 0; i < count; i++) {
        snprintf(facts.name, sizeof(facts.name), "%0*u", length, i);
        assert_non_null(find(&image, facts.name, &steps));
        longest = steps > longest ? steps : longest;
    }
    assert_null(find(&image, "nobody", &steps));
    sr_image_free(&image);
    sr_builder_free(build);
    return longest;
}

static void
test_chains(void **state)
{
    (void)state;
    /* One bucket for all: a chain as long as it may be, without a doubling. */
    assert_in_range(crowd(120, 0), 4, SR_SNAPSHOT_WALK);
    assert_in_range(crowd(SR_SNAPSHOT_WALK, SR_SNAPSHOT_NAME_MAX), 5,
                    SR_SNAPSHOT_WALK);
}

static void
test_doubling(void **state)
{
    (void)state;
    assert_in_range(crowd(50000, 0), 2, SR_SNAPSHOT_WALK);
    assert_in_range(crowd(5000, SR_SNAPSHOT_NAME_MAX), 2, SR_SNAPSHOT_WALK);
    assert_in_range(crowd(1, 0), 1, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_doubling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
