/*
 * Readers against a writer, under ThreadSanitizer: while deltas, marks and new
 * snapshots come one after the other, everybody sees the last state that was
 * published before he asked, or a later one; never an older one, never nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nss/answer.h"
#include "tests/unit/published.h"

#define NOW      ((sr_time)1800000000)
#define SEQUENCE ((uint64_t)NOW * 1000000000)
#define VERSIONS 4000 /* each a day of last change */
#define READERS  3
#define NAME     "alice"

static char dir[PATH_MAX] = "/tmp/selfreset-XXXXXX";
static atomic_long begun, done;

/* What readers count, each by itself. */
struct reader {
    pthread_t thread;
    unsigned long lookups;
    unsigned long wrong;
};

static void
must(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    _exit(99);
}

static struct sr_payload
payload_of(long version)
{
    struct sr_payload payload;
    struct sr_facts facts;
    struct sr_rules rules;

    published_state("ok", NOW, &facts, &rules);
    facts.password_changed = version * SR_DAY;
    sr_payload_encode(SR_VIEW_SHADOW, &facts, &rules, false, &payload);
    return payload;
}

static const char *
path_of(const char *name)
{
    static char path[PATH_MAX]; /* of the writer alone */

    must(snprintf(path, sizeof(path), "%s/%s", dir, name) < PATH_MAX, name);
    return path;
}

/* A new snapshot takes the delta in, and it is removed. */
static void
write_snapshot(long version, struct sr_header *header)
{
    const struct sr_payload payload = payload_of(version);
    struct published made;
    uint8_t *bytes;
    size_t size;

    published_begin(&made, 2, NOW);
    made.header.sequence = SEQUENCE + (uint64_t)version;
    published_add(&made, NAME, &payload);
    *header = made.header;
    bytes = published_finish(&made, &size);
    must(published_put(dir, SR_VIEW_SHADOW, bytes, size), "snapshot");
    free(bytes);
    must(unlink(path_of("shadow.d/" NAME)) == 0 || errno == ENOENT, "unlink");
}

static void
write_delta(long version, const struct sr_header *header)
{
    const struct sr_payload payload = payload_of(version);
    const uint64_t at =
        sr_bucket_offset(sr_bucket_choose(header, NAME)) + SR_BUCKET_MARK;
    int fd;

    must(published_put_delta(dir, SR_VIEW_SHADOW, NAME,
                             SEQUENCE + (uint64_t)version, &payload),
         "delta");
    fd = open(path_of("shadow.snap"), O_WRONLY | O_CLOEXEC);
    must(fd >= 0 && pwrite(fd, "\1", 1, (off_t)at) == 1, "mark");
    close(fd);
}

static void *
write_all(void *argument)
{
    struct sr_header *header = argument;

    for (long version = 2; version <= VERSIONS; version++) {
        atomic_store(&begun, version);
        if (version % 3 == 0)
            write_snapshot(version, header);
        else
            write_delta(version, header);
        atomic_store(&done, version);
    }
    return NULL;
}

static void *
read_all(void *argument)
{
    struct reader *reader = argument;
    long least;

    do {
        struct spwd entry;
        char buffer[64];

        least = atomic_load(&done);
        if (sr_nss_shadow(dir, NOW, NAME, &entry, buffer, sizeof(buffer)) !=
                NSS_STATUS_SUCCESS ||
            entry.sp_lstchg < least || entry.sp_lstchg > atomic_load(&begun))
            reader->wrong++;
        reader->lookups++;
    } while (least < VERSIONS);
    return NULL;
}

int
main(void)
{
    static struct reader readers[READERS];
    struct sr_header header;
    unsigned long wrong = 0;
    pthread_t writer;

    if (access("/dev/shm", W_OK) == 0)
        strcpy(dir, "/dev/shm/selfreset-XXXXXX");
    must(mkdtemp(dir) != NULL && published_make_dirs(dir), "directory");
    write_snapshot(1, &header);
    atomic_store(&begun, 1);
    atomic_store(&done, 1);
    for (int i = 0; i < READERS; i++)
        must(pthread_create(&readers[i].thread, NULL, read_all, &readers[i]) ==
                 0,
             "thread");
    must(pthread_create(&writer, NULL, write_all, &header) == 0, "thread");
    must(pthread_join(writer, NULL) == 0, "thread");
    for (int i = 0; i < READERS; i++) {
        must(pthread_join(readers[i].thread, NULL) == 0, "thread");
        printf("%lu lookups, %lu wrong\n", readers[i].lookups,
               readers[i].wrong);
        wrong += readers[i].wrong;
    }
    unlink(path_of("shadow.snap"));
    unlink(path_of("shadow.d/" NAME));
    rmdir(path_of("shadow.d"));
    rmdir(path_of("groups.d"));
    rmdir(dir);
    return wrong == 0 ? 0 : 1;
}
