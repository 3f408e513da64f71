/*
 * Slots: how many connections there may be at once, of each uid and in all.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/slots.h"
#include "policy/util/safe_open.h"
#include "policy/util/siphash.h"

/* Behind those of all, a row for each uid, one of the captive account, one
 * for each of many kinds of sources and one for each of many kinds of networks.
 * A lock needs no byte in the file. */
#define ROW_OF(uid)    (SLOTS_ALL + (off_t)(uid)*SLOTS_EACH)
#define ROW_OF_CAPTIVE ROW_OF(UINT32_MAX)
#define KINDS          ((off_t)1 << 24)
#define ROW_OF_SOURCE(hash)                                                    \
    (ROW_OF_CAPTIVE + SLOTS_CAPTIVE + (off_t)((hash) % KINDS) * SLOTS_SOURCE)
#define ROW_OF_NETWORK(hash)                                                   \
    (ROW_OF_SOURCE(0) + KINDS * SLOTS_SOURCE +                                 \
     (off_t)((hash) % KINDS) * SLOTS_NETWORK)

/* Lock one of `count` bytes from `first` on. */
static bool
take_one(int fd, off_t first, int count)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    for (int i = 0; i < count; i++) {
        lock.l_start = first + i;
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            return true;
    }
    return false;
}

/* Whether the uid gets one of its own. */
static bool
take_own(int fd, uid_t uid, bool (*is_captive)(uid_t uid))
{
    return take_one(fd, ROW_OF(uid), SLOTS_EACH) ||
           (is_captive(uid) &&
            take_one(fd, ROW_OF_CAPTIVE, SLOTS_CAPTIVE - SLOTS_EACH));
}

/* Open the file; on failure *why says so. */
static int
open_slots(const char *path, const char **why)
{
    struct stat status;
    int fd = sr_safe_open(path, O_RDWR | O_CREAT, NULL);

    if (fd < 0)
        *why = "the file of connections cannot be opened";
    else if (fstat(fd, &status) != 0 ||
             !sr_safe_open_check(&status, S_IFREG, 022))
        *why = "the file of connections is not safe";
    return fd;
}

/* The descriptor stays open as long as the process lives, if all went well. */
static const char *
keep(int fd, const char *why)
{
    if (why != NULL && fd >= 0)
        close(fd);
    return why;
}

const char *
slots_take(const char *path, uid_t uid, bool (*is_captive)(uid_t uid))
{
    const char *why = NULL;
    const int fd = open_slots(path, &why);

    if (why == NULL && uid != 0 && !take_own(fd, uid, is_captive))
        why = "too many connections of this uid";
    if (why == NULL &&
        !take_one(fd, 0, uid == 0 ? SLOTS_ALL : SLOTS_ALL - SLOTS_ROOT))
        why = "too many connections";
    return keep(fd, why);
}

static uint64_t
hash(const void *data, size_t size)
{
    static const uint8_t key[16] = {0}; /* which share one is no secret */

    return sr_siphash(key, data, size);
}

/* Of the network of a source: what one party may well have all addresses of. */
static uint64_t
hash_network(const char *source)
{
    char address[INET6_ADDRSTRLEN];
    uint8_t bytes[16];

    snprintf(address, sizeof(address), "%.*s", (int)strcspn(source, "/"),
             source);
    if (inet_pton(AF_INET6, address, bytes) == 1)
        return hash(bytes, 48 / 8);
    if (inet_pton(AF_INET, address, bytes) == 1)
        return hash(bytes, 24 / 8);
    return hash(source, strlen(source));
}

const char *
slots_take_source(const char *path, const char *source)
{
    const char *why = NULL;
    const int fd = open_slots(path, &why);

    if (why == NULL &&
        !take_one(fd, ROW_OF_SOURCE(hash(source, strlen(source))),
                  SLOTS_SOURCE))
        why = "too many connections from this source";
    if (why == NULL &&
        !take_one(fd, ROW_OF_NETWORK(hash_network(source)), SLOTS_NETWORK))
        why = "too many connections from this network";
    return keep(fd, why);
}
