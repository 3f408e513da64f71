/*
 * Keep: what was published of accounts whose backend cannot be asked now.
 *
 * An outage of a directory must not make its accounts vanish.  Which account
 * was whose is not published, so whatever is in the old snapshot and was not
 * found now is kept, for as long as a snapshot is believed; then its state is
 * unknown.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nss/publisher.h"

struct old {
    struct publisher *publisher;
    enum sr_view view;
    bool is_believed; /* else its accounts are unknown */
};

static int
keep_name(const struct old *old, const char *name)
{
    struct publisher *publisher = old->publisher;
    struct sr_published published;
    struct sr_rules rules;
    struct sr_facts facts;

    if (old->is_believed) {
        if (sr_reader_find(publisher->dir, old->view, name, publisher->now,
                           &published) != SR_FOUND_IT)
            return 0;
    } else {
        memset(&rules, 0, sizeof(rules));
        sr_facts_init(&facts);
        sr_payload_encode(old->view, &facts, &rules,
                          sr_publish_is_exempt(publisher->config, name),
                          &published.payload);
    }
    return -sr_builder_keep(publisher->build, old->view, name,
                            &published.payload) == -ENOMEM
               ? -ENOMEM
               : 0;
}

/* Every name in one bucket. */
static int
keep_bucket(const struct old *old, const uint8_t *bucket)
{
    char text[SR_SNAPSHOT_NAME_MAX + 1];
    const char *name;
    size_t length, size;
    int error = 0;

    for (unsigned i = 0; error == 0 && sr_bucket_entry(bucket, i, &name,
                                                       &length, &size) != NULL;
         i++) {
        memcpy(text, name, length);
        text[length] = '\0';
        error = keep_name(old, text);
    }
    return error;
}

static int
keep_buckets(const struct old *old, int fd, const struct sr_header *header)
{
    uint8_t bucket[SR_SNAPSHOT_BUCKET];
    int error = 0;

    for (uint32_t i = 0; error == 0 && i < header->buckets + header->overflow;
         i++) {
        if (sr_reader_read(fd, sr_bucket_offset(i), bucket, sizeof(bucket)) &&
            sr_bucket_check(header, i, bucket))
            error = keep_bucket(old, bucket);
    }
    return error;
}

/* Accounts that only a delta tells of. */
static int
keep_deltas(const struct old *old)
{
    char path[PATH_MAX];
    struct dirent *entry;
    int error = 0;
    DIR *stream;

    snprintf(path, sizeof(path), "%s/%s.d", old->publisher->dir,
             sr_view_name(old->view));
    stream = opendir(path);
    while (stream != NULL && error == 0 && (entry = readdir(stream)) != NULL) {
        if (sr_snapshot_name(entry->d_name))
            error = keep_name(old, entry->d_name);
    }
    if (stream != NULL)
        closedir(stream);
    return error;
}

static int
keep_view(struct publisher *publisher, enum sr_view view)
{
    struct old old = {publisher, view, false};
    uint8_t bytes[SR_SNAPSHOT_HEADER];
    struct sr_header header;
    char path[PATH_MAX];
    int error = 0;
    int fd;

    snprintf(path, sizeof(path), "%s/%s.snap", publisher->dir,
             sr_view_name(view));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0; /* nothing was published */
    if (sr_reader_read(fd, 0, bytes, sizeof(bytes)) &&
        sr_header_decode(bytes, sizeof(bytes), &header)) {
        /* Its facts are as old as the oldest that were kept before. */
        old.is_believed =
            sr_header_is_current(&header, publisher->now) &&
            publisher->now - header.created < publisher->config->nss_max_age;
        if (old.is_believed && header.created < publisher->since)
            publisher->since = header.created;
        error = keep_buckets(&old, fd, &header);
    }
    close(fd);
    return error == 0 && old.is_believed ? keep_deltas(&old) : error;
}

int
publisher_carry_over(struct publisher *publisher)
{
    int error = 0;

    for (enum sr_view view = 0; error == 0 && view < SR_VIEW_COUNT; view++)
        error = keep_view(publisher, view);
    return error;
}
