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

/* What may be in a log line and on a terminal: printable ASCII. */
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

/* An IPv4 address inside an IPv6 one: mapped (RFC 4291 2.5.5.2), or translated
 * with the well-known prefix (RFC 6052 2.1). */
static bool
is_ipv4_inside(const struct in6_addr *address)
{
    static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b};

    return IN6_IS_ADDR_V4MAPPED(address) ||
           memcmp(address->s6_addr, translated, sizeof(translated)) == 0;
}

static bool
put_address(char text[SR_SOURCE_MAX], const char *address)
{
    char copy[INET6_ADDRSTRLEN + 1];
    /* A scope ("%eth0") is this host's own view of the peer. */
    const size_t length = strcspn(address, "%");
    struct in6_addr v6;
    struct in_addr v4;

    if (length >= sizeof(copy))
        return false;
    memcpy(copy, address, length);
    copy[length] = '\0';
    if (inet_pton(AF_INET6, copy, &v6) == 1) {
        if (!is_ipv4_inside(&v6)) {
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

/* ---- what applications write */

/* Words in PAM_RHOST that name no peer. */
static const char *const no_peer[] = {
    "unknown", "(null)", "none", "?", "-", "localhost", "localhost.localdomain",
};

/* Begin of the names of terminals, without "/dev/"; digits follow. */
static const struct {
    const char *prefix;
    const char *source; /* NULL: the prefix with "display" before it */
} terminals[] = {
    {"ttyAMA", "console"}, {"ttyACM", "console"}, {"ttyUSB", "console"},
    {"ttyMFD", "console"}, {"ttyPS", "console"},  {"ttyS", "console"},
    {"tty", "console"},    {"vc/", "console"},    {"hvc", "console"},
    {"hvsi", "console"},   {"xvc", "console"},    {"ttysclp", "console"},
    {"pts/", "pts"},       {":", NULL},
};

static bool
is_digits(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

static bool
is_word(const char *text, const char *word)
{
    while (*text != '\0' && lower(*text) == *word) {
        text++;
        word++;
    }
    return *text == '\0' && *word == '\0';
}

/* The number of a display, ":0" or ":0.0" (the screen is left out). */
static bool
put_display(char text[SR_SOURCE_MAX], const char *number)
{
    const size_t digits = strspn(number, "0123456789");

    if (digits == 0 || digits > 9 ||
        (number[digits] != '\0' &&
         (number[digits] != '.' || !is_digits(number + digits + 1))))
        return false;
    sr_text_print(text, SR_SOURCE_MAX, "display:%.*s", (int)digits, number);
    return true;
}

static bool
put_terminal(char text[SR_SOURCE_MAX], const char *tty)
{
    static const char dev[] = "/dev/";

    if (strncmp(tty, dev, sizeof(dev) - 1) == 0)
        tty += sizeof(dev) - 1;
    if (strcmp(tty, "console") == 0 || strcmp(tty, "sclp_line0") == 0) {
        sr_text_print(text, SR_SOURCE_MAX, "console");
        return true;
    }
    for (size_t i = 0; i < sizeof(terminals) / sizeof(terminals[0]); i++) {
        const size_t length = strlen(terminals[i].prefix);

        if (strncmp(tty, terminals[i].prefix, length) != 0)
            continue;
        if (terminals[i].source == NULL)
            return put_display(text, tty + length);
        if (is_digits(tty + length)) {
            sr_text_print(text, SR_SOURCE_MAX, "%s", terminals[i].source);
            return true;
        }
    }
    return false;
}

/* The host in a text of the forms HOST, HOST:PORT, HOST::PORT, [HOST] and
 * [HOST]:PORT; an IPv6 address has several colons and no port. */
static void
copy_host(char *host, size_t size, const char *text)
{
    const char *end = text + strlen(text);
    const char *colon;

    while (*text == ' ')
        text++;
    while (end > text && end[-1] == ' ')
        end--;
    if (*text == '[') {
        text++;
        colon = strchr(text, ']');
        end = colon != NULL ? colon : end;
    } else {
        colon = strchr(text, ':');
        if (colon != NULL && colon > text && colon[1] == ':' &&
            is_digits(colon + 2) &&
            strspn(text, "0123456789abcdefABCDEF") < (size_t)(colon - text))
            end = colon; /* a VNC server's HOST::PORT */
        else if (colon != NULL && strchr(colon + 1, ':') == NULL)
            end = colon;
    }
    if (end > text && end[-1] == '.')
        end--;
    if ((size_t)(end - text) >= size)
        end = text + size - 1;
    memcpy(host, text, (size_t)(end - text));
    host[end - text] = '\0';
}

void
sr_source_peer(struct sr_source *source, const char *peer)
{
    char host[1024];

    memset(source, 0, sizeof(*source));
    if (peer == NULL)
        return;
    copy_host(host, sizeof(host), peer);
    if (host[0] == '\0')
        return;
    for (size_t i = 0; i < sizeof(no_peer) / sizeof(no_peer[0]); i++) {
        if (is_word(host, no_peer[i]))
            return;
    }
    source->is_remote = true;
    if (!put_address(source->text, host))
        put_name(source->text, host);
}

/* ---- the source */

static void
put_user(struct sr_source *source, const char *kind, uid_t user)
{
    sr_text_print(source->text, sizeof(source->text), "%s:%" PRIuMAX, kind,
                  (uintmax_t)user);
    source->is_user = true;
    source->user = user;
}

/* A session of root.  A password that is typed there is root's only where
 * PAM_RUSER is so: a daemon takes it from its clients. */
static bool
is_root_session(const struct sr_origin *origin, bool has_tty, bool has_terminal)
{
    if (origin->ruser == 0)
        return has_terminal || !has_tty;
    return !origin->takes_password && (!has_tty || origin->is_background);
}

void
sr_source_find(struct sr_source *source, const struct sr_origin *origin)
{
    const char *tty = origin->tty != NULL ? origin->tty : "";
    char terminal[SR_SOURCE_MAX];
    bool has_terminal;

    memset(source, 0, sizeof(*source));
    if (origin->real_uid != 0) {
        put_user(source, "uid", origin->real_uid);
        source->is_own = origin->real_uid == origin->account;
        return;
    }
    if (origin->address != NULL)
        sr_source_peer(source, origin->address);
    if (source->text[0] == '\0')
        sr_source_peer(source, origin->rhost);
    if (source->text[0] != '\0')
        return;
    has_terminal = put_terminal(terminal, tty);
    if (is_root_session(origin, tty[0] != '\0', has_terminal)) {
        put_user(source, "uid", 0);
        source->is_own = true;
    } else if (has_terminal) {
        memcpy(source->text, terminal, sizeof(terminal));
    } else if (origin->ruser != (uid_t)-1 && tty[0] == '\0') {
        put_user(source, "ruser", origin->ruser);
    } else {
        source->is_remote = true; /* not known to be at the console */
    }
}

bool
sr_source_is_here(const char *text)
{
    static const char *const kinds[] = {"console", "pts",
                                        "display:", "uid:", "ruser:"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const size_t length = strlen(kinds[i]);

        if (strncmp(text, kinds[i], length) == 0 &&
            (kinds[i][length - 1] == ':' ? is_digits(text + length)
                                         : text[length] == '\0'))
            return true;
    }
    return false;
}
