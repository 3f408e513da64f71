/*
 * Fuzz target: the NSS module over whatever is published.  The system calls of
 * a lookup are replaced when the program is linked; what they give comes from
 * the input, and what the module answers must be what a short decoder of its
 * own comes to, by the rules of glibc on status, errno and buffers.
 *
 * Input: five bytes (struct say), then name, delta and fallback, each behind a
 * byte that says how long it is, then the header and the buckets, without the
 * gap between them that fuzzers would have to find.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nss/module.h"
#include "policy/publish/reader.h"
#include "policy/util/siphash.h"
#include "tests/fuzz/expect.h"

#define NOW     ((sr_time)1800000000)
#define FAKE_FD 12345

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* ---- what is published */

/* What the first bytes say. */
struct say {
    uint8_t question; /* 0 shadow, 1 groups, 2 list; the rest is how open(2)
                       * goes */
    uint8_t repair;   /* 1 checksums, 2 the delta's, 4 the file is replaced */
    uint8_t room;     /* of the buffer, or of the groups */
    int8_t hours;     /* from NOW */
    uint8_t minutes;
};

struct world {
    struct say say;
    char name[256];
    char delta[SR_DELTA_TEXT + 100];
    char fallback[256];
    size_t delta_size, fallback_size;
    uint8_t *image; /* header and buckets */
    size_t image_size;
    sr_time now;
    int opened;
};

static struct world world;
static bool is_asking; /* else the calls are those of the fuzzer itself */

static int
open_problem(void)
{
    static const int problems[] = {0, ENOENT, EACCES, EMFILE};

    return problems[world.say.question >> 2 & 3];
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
ssize_t __real_pread(int fd, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t offset);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_fstat(int fd, struct stat *status);
int __wrap_fstat(int fd, struct stat *status);
ssize_t __real_readlink(const char *path, char *text, size_t size);
ssize_t __wrap_readlink(const char *path, char *text, size_t size);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int
__wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list more;

    va_start(more, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(more, mode_t);
    va_end(more);
    if (!is_asking)
        return __real_open(path, flags, mode);
    if (open_problem() != 0) {
        errno = open_problem();
        return -1;
    }
    world.opened++;
    return FAKE_FD;
}

/* Now and then a short read, which must be read on from. */
ssize_t
__wrap_pread(int fd, void *bytes, size_t size, off_t offset)
{
    const size_t from =
        (size_t)offset < SR_SNAPSHOT_PAGE
            ? (size_t)offset
            : (size_t)offset - SR_SNAPSHOT_PAGE + SR_SNAPSHOT_HEADER;

    if (!is_asking)
        return __real_pread(fd, bytes, size, offset);
    if (fd != FAKE_FD || from >= world.image_size)
        return 0;
    if (size > world.image_size - from)
        size = world.image_size - from;
    if (size > 100 && (world.say.room & 1) != 0)
        size = 100;
    memcpy(bytes, world.image + from, size);
    return (ssize_t)size;
}

int
__wrap_close(int fd)
{
    if (!is_asking)
        return __real_close(fd);
    world.opened--;
    return fd == FAKE_FD ? 0 : -1;
}

int
__wrap_fstat(int fd, struct stat *status)
{
    if (!is_asking)
        return __real_fstat(fd, status);
    memset(status, 0, sizeof(*status));
    status->st_nlink = (world.say.repair & 4) == 0;
    return 0;
}

ssize_t
__wrap_readlink(const char *path, char *text, size_t size)
{
    const char *name;
    const char *from = world.delta;
    size_t all = world.delta_size;

    if (!is_asking)
        return __real_readlink(path, text, size);
    name = strrchr(path, '/') + 1;
    if (strcmp(name, SR_FALLBACK_NAME) == 0) {
        from = world.fallback;
        all = world.fallback_size;
    } else if (strcmp(name, world.name) != 0) {
        all = 0;
    }
    if (all == 0) {
        errno = ENOENT;
        return -1;
    }
    if (all > size)
        all = size;
    memcpy(text, from, all);
    return (ssize_t)all;
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!is_asking)
        return __real_clock_gettime(clock, now);
    now->tv_sec = world.now;
    now->tv_nsec = 0;
    return 0;
}

/* ---- a reader of its own, slow and plain */

static uint64_t
number_at(const uint8_t *at, unsigned size)
{
    uint64_t number = 0;

    while (size-- > 0)
        number = number << 8 | at[size];
    return number;
}

enum { DAMAGED = -1, ABSENT, PRESENT, ODD };

struct account {
    uint8_t bytes[255];
    size_t size;
};

static bool
plain_header(void)
{
    const uint8_t *at = world.image;
    const int64_t created = (int64_t)number_at(at + 24, 8);
    const int64_t not_after = (int64_t)number_at(at + 32, 8);
    const uint64_t buckets = number_at(at + 40, 4);

    return memcmp(at, "SRLTSNAP", 8) == 0 && number_at(at + 8, 4) == 2 &&
           number_at(at + 12, 4) <= 3 && number_at(at + 52, 4) == 0 &&
           number_at(at + 96, 8) == sr_siphash(at + 56, at, 96) &&
           buckets > 0 && buckets + number_at(at + 44, 4) <= UINT32_MAX &&
           world.now < not_after &&
           (created <= world.now || (__int128)created - world.now <= 300);
}

/* A bucket that is whole; NULL for another. */
static const uint8_t *
plain_bucket(uint64_t number)
{
    const uint8_t *at = world.image;
    const uint64_t buckets = number_at(at + 40, 4);
    const uint64_t end = buckets + number_at(at + 44, 4);
    uint64_t next, used;

    if (104 + 512 * (number + 1) > world.image_size)
        return NULL;
    at += 104 + 512 * number;
    next = number_at(at + 12, 4);
    used = number_at(at + 16, 2);
    return number_at(at, 8) == sr_siphash(world.image + 56, at + 8, 503) &&
                   number_at(at + 8, 4) == number && used >= 18 &&
                   used <= 511 && (next == 0 || (next >= buckets && next < end))
               ? at
               : NULL;
}

static bool
plain_entry(const uint8_t *bucket, const char *name, struct account *account)
{
    const size_t used = (size_t)number_at(bucket + 16, 2);
    size_t at = 18;

    while (at + 2 <= used && at + 2 + bucket[at] + bucket[at + 1] <= used) {
        const uint8_t *entry = bucket + at;

        at += 2u + entry[0] + entry[1];
        if (entry[0] != strlen(name) || memcmp(entry + 2, name, entry[0]) != 0)
            continue;
        account->size = entry[1];
        memcpy(account->bytes, entry + 2 + entry[0], entry[1]);
        return true;
    }
    return false;
}

/* Read by writing: the text must be the one that says the same. */
static int
plain_delta(const char *name, int found, struct account *account)
{
    const uint64_t of_snapshot = number_at(world.image + 16, 8);
    const size_t size = world.delta_size;
    char again[SR_DELTA_TEXT];
    struct sr_payload payload;
    uint8_t bytes[SR_DELTA_TEXT];

    if (size == 0 || strcmp(name, world.name) != 0)
        return found;
    if (size < 34 || size % 2 != 0 || size > 34 + 2 * SR_PAYLOAD_MAX)
        return DAMAGED;
    for (size_t i = 2; i < size; i += 2) {
        char digits[3] = {world.delta[i], world.delta[i + 1], '\0'};

        bytes[i / 2 - 1] = (uint8_t)strtoul(digits, NULL, 16);
    }
    payload.size = (size - 34) / 2;
    memcpy(payload.bytes, bytes + 16, payload.size);
    sr_delta_encode(name, number_at(bytes, 8), &payload, again);
    if (strlen(again) != size || memcmp(again, world.delta, size) != 0)
        return DAMAGED;
    if (number_at(bytes, 8) <= of_snapshot)
        return found;
    account->size = payload.size;
    memcpy(account->bytes, payload.bytes, payload.size);
    return payload.size > 0 ? PRESENT : ABSENT;
}

static int
plain_lookup(const char *name, struct account *account)
{
    const uint8_t *key = world.image + 56, *bucket;
    uint64_t number;
    int found = ABSENT;
    bool mark = false;

    if (open_problem() == EACCES)
        return ABSENT;
    if (open_problem() != 0 || world.image_size < 104 || !plain_header())
        return DAMAGED;
    number = (sr_siphash(key, name, strlen(name)) >> 32) *
                 number_at(world.image + 40, 4) >>
             32;
    for (int i = 0; found == ABSENT; i++) {
        bucket = i < 8 ? plain_bucket(number) : NULL;
        if (bucket == NULL)
            return DAMAGED;
        mark |= i == 0 && bucket[511] != 0;
        if (plain_entry(bucket, name, account))
            found = PRESENT;
        number = number_at(bucket + 12, 4);
        if (number == 0)
            break;
    }
    if (found == PRESENT && account->size > SR_PAYLOAD_MAX)
        return DAMAGED;
    return mark ? plain_delta(name, found, account) : found;
}

static bool
plain_name(const char *name)
{
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (; *name != '\0'; name++)
        if ((uint8_t)*name < 32 || *name == 127 || strchr("/:", *name) != NULL)
            return false;
    return true;
}

/* ODD: the name cannot be published, so that its state is unknown; that is
 * known only from a snapshot that can be used. */
static int
plain_find(const char *name, struct account *account)
{
    if (plain_name(name))
        return plain_lookup(name, account);
    if (open_problem() == EACCES)
        return ABSENT;
    return open_problem() != 0 || world.image_size < 104 || !plain_header()
               ? DAMAGED
               : ODD;
}

/* ---- the questions */

/* What the rules say of every answer. */
static void
check_rules(enum nss_status status, int why, bool is_small)
{
    expect(world.opened == 0);
    expect(status >= NSS_STATUS_TRYAGAIN && status <= NSS_STATUS_SUCCESS);
    if (status == NSS_STATUS_TRYAGAIN)
        expect(why == (is_small ? ERANGE : EMFILE));
    if (status == NSS_STATUS_UNAVAIL)
        expect(why != 0 && why != ERANGE);
    if (status == NSS_STATUS_SUCCESS || status == NSS_STATUS_NOTFOUND)
        expect(why == 0);
}

/* PRESENT when it was found, can be read, and may be shown. */
static int
plain_shadow(const char *name, struct sr_view_shadow *shown)
{
    struct account account;
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;
    const int found = plain_find(name, &account);

    if (found != PRESENT)
        return found == ODD ? ABSENT : found;
    return sr_payload_decode(account.bytes, account.size, &facts, &rules,
                             &is_exempt) &&
                   sr_view_shadow(&facts, &rules, world.now, shown)
               ? PRESENT
               : DAMAGED;
}

static void
check_entry(const struct spwd *entry, const struct sr_view_shadow *shown)
{
    expect(entry->sp_pwdp[0] == shown->password && entry->sp_pwdp[1] == '\0');
    expect(entry->sp_lstchg == shown->changed && entry->sp_min == shown->min);
    expect(entry->sp_max == shown->max && entry->sp_warn == shown->warn);
    expect(entry->sp_inact == shown->inactive);
    expect(entry->sp_expire == shown->expire);
}

static void
ask_shadow(void)
{
    const size_t size = world.say.room;
    const bool is_small = size < strlen(world.name) + 3;
    char *buffer = malloc(size > 0 ? size : 1);
    struct sr_view_shadow shown;
    struct spwd entry;
    enum nss_status status;
    int why = 0;
    const int found = plain_shadow(world.name, &shown);

    is_asking = true;
    status = _nss_selfreset_getspnam_r(world.name, &entry, buffer, size, &why);
    is_asking = false;
    check_rules(status, why, found == PRESENT);
    expect((status == NSS_STATUS_SUCCESS) == (found == PRESENT && !is_small));
    expect((status == NSS_STATUS_NOTFOUND) == (found == ABSENT));
    if (status == NSS_STATUS_SUCCESS) {
        expect(strcmp(entry.sp_namp, world.name) == 0);
        check_entry(&entry, &shown);
    }
    free(buffer);
}

static void
ask_list(void)
{
    const size_t most = world.image_size / 2;
    char buffer[300];
    struct spwd entry;
    int why = 0;

    is_asking = true;
    _nss_selfreset_setspent(0);
    for (size_t i = 0;; i++) {
        struct sr_view_shadow shown;
        enum nss_status status =
            _nss_selfreset_getspent_r(&entry, buffer, sizeof(buffer), &why);

        expect(i <= most);
        check_rules(status, why, false);
        if (status != NSS_STATUS_SUCCESS)
            break;
        expect(plain_header() && (world.image[12] & 1) != 0);
        expect(plain_shadow(entry.sp_namp, &shown) == PRESENT);
        check_entry(&entry, &shown);
    }
    _nss_selfreset_endspent();
    is_asking = false;
}

/* The ids that should be there; 0 behind the last. */
static int
plain_groups(gid_t ids[SR_GROUP_COUNT + 1])
{
    struct account account;
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;
    int found = plain_find(world.name, &account);
    size_t count = 0;

    if (found == ODD) {
        ids[0] = (gid_t)number_at(world.image + 72 + 4 * SR_GROUP_UNKNOWN, 4);
        ids[1] = 0;
        return PRESENT;
    }

    if (found == PRESENT && !sr_payload_decode(account.bytes, account.size,
                                               &facts, &rules, &is_exempt))
        found = DAMAGED;
    if (found == DAMAGED)
        ids[count++] =
            sr_fallback_gid(world.fallback, world.fallback_size, world.name);
    for (unsigned i = 0; found == PRESENT && i < SR_GROUP_COUNT; i++) {
        const gid_t gid = (gid_t)number_at(world.image + 72 + 4 * i, 4);

        if (gid != 0 && (sr_view_groups(&facts, &rules, is_exempt, world.now) &
                         SR_GROUP_BIT(i)) != 0)
            ids[count++] = gid;
    }
    ids[count] = 0;
    return found;
}

static bool
has(const gid_t *ids, gid_t id)
{
    while (*ids != 0 && *ids != id)
        ids++;
    return *ids == id && id != 0;
}

/*
 * Another spelling of a name can be published, or that accounts are missing.
 * Then the state is unknown, whatever the entry of that spelling holds; the
 * chain and the delta of it are not followed here.  So is the state of a name
 * that has no alias.
 */
static bool
has_other_spelling(void)
{
    return plain_name(world.name);
}

/* The answer for such a name: nothing, no answer, or the group of unknown
 * states, by the snapshot or by the fallback. */
static void
check_other_spelling(enum nss_status status, const gid_t *groups, long start)
{
    gid_t allowed[] = {
        world.image_size < SR_SNAPSHOT_HEADER
            ? 0
            : (gid_t)number_at(world.image + 72 + 4 * SR_GROUP_UNKNOWN, 4),
        sr_fallback_gid(world.fallback, world.fallback_size, world.name), 0};

    if (allowed[0] == 0) {
        allowed[0] = allowed[1];
        allowed[1] = 0;
    }
    expect(start <= 2);
    expect(status == NSS_STATUS_SUCCESS || start == 1);
    if (start == 2)
        expect(has(allowed, groups[1]));
}

static void
ask_groups(void)
{
    long start = 1, size = 1 + world.say.room % 4;
    gid_t *groups = calloc((size_t)size, sizeof(*groups));
    gid_t expected[SR_GROUP_COUNT + 1];
    enum nss_status status;
    int why = 0;
    const int found = plain_groups(expected);

    groups[0] = 1 + world.say.room;
    is_asking = true;
    status = _nss_selfreset_initgroups_dyn(
        world.name, 100, &start, &size, &groups,
        (world.say.room & 64) != 0 ? 65536 : -1, &why);
    is_asking = false;
    check_rules(status, why, false);
    expect(start >= 1 && start <= size);
    if ((world.say.room & 64) == 0 && found == ABSENT && has_other_spelling()) {
        check_other_spelling(status, groups, start);
    } else if ((world.say.room & 64) != 0 || found == ABSENT) {
        expect(status == NSS_STATUS_NOTFOUND && start == 1);
    } else if (expected[0] == 0) {
        expect(status != NSS_STATUS_SUCCESS && start == 1);
        expect((status == NSS_STATUS_NOTFOUND) == (found == PRESENT));
    } else {
        expect(status == NSS_STATUS_SUCCESS);
        for (long i = 1; i < start; i++)
            expect(has(expected, groups[i]) && groups[i] != groups[0]);
        for (size_t i = 0; expected[i] != 0; i++) {
            long at = 0;

            while (at < start && groups[at] != expected[i])
                at++;
            expect(at < start);
        }
    }
    free(groups);
}

/* ---- from the input to the world */

/* A piece behind the byte that says how long it is. */
static size_t
take(const uint8_t **bytes, size_t *left, char *piece, size_t room)
{
    size_t size;

    if (*left == 0)
        return 0;
    size = **bytes;
    (*bytes)++;
    (*left)--;
    if (size > *left)
        size = *left;
    if (size > room)
        size = room;
    memcpy(piece, *bytes, size);
    *bytes += size;
    *left -= size;
    return size;
}

/* The sums that the bytes need to get further. */
static void
repair_sums(void)
{
    struct sr_header header;

    if (world.image_size < SR_SNAPSHOT_HEADER)
        return;
    memcpy(header.key, world.image + 56, sizeof(header.key));
    *(uint64_t *)(void *)(world.image + 96) =
        htole64(sr_siphash(header.key, world.image, 96));
    for (uint32_t i = 0; 104 + 512 * ((size_t)i + 1) <= world.image_size; i++) {
        uint8_t *bucket = world.image + 104 + 512 * (size_t)i;

        sr_bucket_seal(&header, i, sr_bucket_next(bucket), bucket);
    }
}

/* What was taken is the sequence and the payload. */
static void
repair_delta(void)
{
    struct sr_payload payload;
    uint64_t sequence;
    char text[SR_DELTA_TEXT];

    if (world.delta_size < 8 || world.delta_size - 8 > SR_PAYLOAD_MAX)
        return;
    sequence = number_at((const uint8_t *)world.delta, 8);
    payload.size = world.delta_size - 8;
    memcpy(payload.bytes, world.delta + 8, payload.size);
    sr_delta_encode(world.name, sequence, &payload, text);
    world.delta_size = strlen(text);
    memcpy(world.delta, text, world.delta_size);
}

static void
make_world(const uint8_t *bytes, size_t size)
{
    memset(&world, 0, sizeof(world));
    memcpy(&world.say, bytes, sizeof(world.say));
    bytes += sizeof(world.say);
    size -= sizeof(world.say);
    world.now = NOW + world.say.hours * 3600 + world.say.minutes * 60;
    take(&bytes, &size, world.name, sizeof(world.name) - 1);
    world.delta_size = take(&bytes, &size, world.delta, sizeof(world.delta));
    world.fallback_size =
        take(&bytes, &size, world.fallback, sizeof(world.fallback));
    world.image_size = size;
    world.image = malloc(size > 0 ? size : 1);
    expect(world.image != NULL);
    memcpy(world.image, bytes, size);
    if ((world.say.repair & 1) != 0)
        repair_sums();
    if ((world.say.repair & 2) != 0)
        repair_delta();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < sizeof(world.say))
        return 0;
    make_world(bytes, size);
    switch (world.say.question & 3) {
    case 1:
        ask_groups();
        break;
    case 2:
        ask_list();
        break;
    default:
        ask_shadow();
        break;
    }
    free(world.image);
    return 0;
}
