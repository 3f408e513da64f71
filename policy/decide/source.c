/*
 * Source: where an attempt comes from.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "policy/util/siphash.h"
#include "policy/util/text.h"
#include "policy/decide/source.h"

#define NAME_PREFIX "name:"
#define CUT_MARK    '~'
#define CUT_DIGITS  16

static char
lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* What may stand in a log line and on a terminal: printable ASCII. */
static char
harmless(char letter)
{
    return letter > ' ' && letter <= '~' ? letter : '?';
}

/* An IPv6 peer owns a /64 at the least, so that is what counts. */
static void
put_ipv6(char text[SR_SOURCE_MAX], const struct in6_addr *address)
{
    struct in6_addr net = *address;
    char digits[INET6_ADDRSTRLEN];

    memset(&net.s6_addr[8], 0, 8);
    inet_ntop(AF_INET6, &net, digits, sizeof(digits));
    sr_text_print(text, SR_SOURCE_MAX, "%s/64", digits);
}

/* The address without a scope ("%eth0"), which is this host's own view. */
static bool
copy_address(char *copy, size_t size, const char *text)
{
    const size_t length = strcspn(text, "%");

    if (length >= size)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return true;
}

static bool
put_address(char text[SR_SOURCE_MAX], const char *address)
{
    char copy[INET6_ADDRSTRLEN + 1];
    struct in6_addr v6;
    struct in_addr v4;

    if (!copy_address(copy, sizeof(copy), address))
        return false;
    if (inet_pton(AF_INET6, copy, &v6) == 1) {
        if (!IN6_IS_ADDR_V4MAPPED(&v6)) {
            put_ipv6(text, &v6);
            return true;
        }
        memcpy(&v4, &v6.s6_addr[12], sizeof(v4));
    } else if (inet_pton(AF_INET, copy, &v4) != 1) {
        return false;
    }
    inet_ntop(AF_INET, &v4, text, SR_SOURCE_MAX);
    return true;
}

/* A hash of the whole lower-cased name, a piece at a time.  Its key is no
 * secret: a peer who makes two names meet only shares a ledger with himself. */
static uint64_t
hash_name(const char *name)
{
    static const uint8_t key[16];
    struct {
        uint64_t before;
        char piece[56];
    } block = {0, {0}};

    while (*name != '\0') {
        size_t size = 0;

        while (size < sizeof(block.piece) && *name != '\0')
            block.piece[size++] = lower(*name++);
        block.before =
            sr_siphash(key, &block, offsetof(__typeof__(block), piece) + size);
    }
    return block.before;
}

static void
put_name(char text[SR_SOURCE_MAX], const char *name)
{
    const size_t prefix = sizeof(NAME_PREFIX) - 1;
    const size_t room = SR_SOURCE_MAX - 1 - prefix;
    size_t size = strlen(name);
    char *at = text + prefix;

    memcpy(text, NAME_PREFIX, prefix);
    if (size > room)
        size = room - 1 - CUT_DIGITS;
    for (size_t i = 0; i < size; i++)
        *at++ = harmless(lower(name[i]));
    *at = '\0';
    if (name[size] != '\0')
        sr_text_print(at, CUT_DIGITS + 2, "%c%016" PRIx64, CUT_MARK,
                      hash_name(name));
}

void
sr_source_find(struct sr_source *source, const char *rhost, const char *address,
               uid_t real_uid, bool local_user_root, uid_t account)
{
    const bool has_name = rhost != NULL && rhost[0] != '\0';
    const bool has_address = address != NULL && address[0] != '\0';

    memset(source, 0, sizeof(*source));
    source->is_remote = has_name || has_address;
    if (has_address && put_address(source->text, address))
        return;
    if (has_name) {
        if (!put_address(source->text, rhost))
            put_name(source->text, rhost);
    } else if (has_address) {
        put_name(source->text, address);
    } else if (real_uid != 0 || local_user_root) {
        sr_text_print(source->text, sizeof(source->text), "uid:%" PRIuMAX,
                      (uintmax_t)real_uid);
        source->is_own = real_uid == 0 || real_uid == account;
        source->is_user = true;
        source->user = real_uid;
    } else {
        sr_text_print(source->text, sizeof(source->text), "console");
    }
}
