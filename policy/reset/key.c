/*
 * Key: public keys and signatures of OpenSSH, as text.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policy/reset/key.h"

#define VERIFY       "verify-required"
#define BEGIN        "-----BEGIN SSH SIGNATURE-----"
#define END          "-----END SSH SIGNATURE-----"
#define MAGIC        "SSHSIG"
#define RSA_BITS_MIN 2048
#define TOUCHED      0x01 /* flags of a security key */
#define VERIFIED     0x04

/* ---- bytes */

/* Bytes that are read from the front. */
struct span {
    const uint8_t *at;
    size_t left;
};

static bool
take_number(struct span *from, uint32_t *number)
{
    if (from->left < 4)
        return false;
    *number = (uint32_t)from->at[0] << 24 | (uint32_t)from->at[1] << 16 |
              (uint32_t)from->at[2] << 8 | from->at[3];
    from->at += 4;
    from->left -= 4;
    return true;
}

/* A string: its length in four bytes, and it. */
static bool
take_string(struct span *from, struct span *out)
{
    uint32_t length;

    if (!take_number(from, &length) || length > from->left)
        return false;
    *out = (struct span){from->at, length};
    from->at += length;
    from->left -= length;
    return true;
}

static bool
is_text(const struct span *span, const char *text)
{
    return span->left == strlen(text) &&
           memcmp(span->at, text, span->left) == 0;
}

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of a digit of base 64; -1: it is none. */
static int
digit(char letter)
{
    const char *at = letter == '\0' ? NULL : strchr(base64, letter);

    return at == NULL ? -1 : (int)(at - base64);
}

/* Decode base 64 with its padding; *size is the room, then what is used. */
static bool
decode(const char *text, size_t length, uint8_t *out, size_t *size)
{
    size_t used = 0, digits = length;

    while (digits > 0 && length - digits < 2 && text[digits - 1] == '=')
        digits--;
    if (length % 4 != 0 || length == 0 || length / 4 * 3 > *size)
        return false;
    for (size_t i = 0; i < digits; i += 4) {
        uint32_t group = 0;

        for (size_t j = 0; j < 4; j++) {
            const int value = i + j < digits ? digit(text[i + j]) : 0;

            if (value < 0)
                return false;
            group = group << 6 | (uint32_t)value;
        }
        for (size_t j = 0; j < 3 && i + j + 1 < digits; j++)
            out[used++] = (uint8_t)(group >> (16 - 8 * j));
    }
    *size = used;
    return true;
}

/* ---- keys */

/* The bits of a positive number; 0: it is none. */
static unsigned
bits_of(const struct span *number)
{
    size_t at = 0;
    unsigned bits;

    if (number->left == 0 || number->at[0] >= 0x80 || number->left > 4096)
        return 0;
    while (at < number->left && number->at[at] == 0)
        at++;
    if (at == number->left)
        return 0;
    bits = (unsigned)(number->left - at - 1) * 8;
    for (unsigned top = number->at[at]; top != 0; top >>= 1)
        bits++;
    return bits;
}

static enum sr_key_fault
judge_rsa(struct span *rest)
{
    struct span exponent, modulus;

    if (!take_string(rest, &exponent) || !take_string(rest, &modulus) ||
        bits_of(&exponent) < 2 || bits_of(&modulus) == 0)
        return SR_KEY_NONE;
    return bits_of(&modulus) >= RSA_BITS_MIN ? SR_KEY_GOOD : SR_KEY_SHORT;
}

/* A point of a curve, uncompressed: twice so many bytes and one. */
static enum sr_key_fault
judge_curve(struct span *rest, const char *curve, size_t bytes)
{
    struct span name, point;

    return take_string(rest, &name) && is_text(&name, curve) &&
                   take_string(rest, &point) && point.left == 2 * bytes + 1 &&
                   point.at[0] == 4
               ? SR_KEY_GOOD
               : SR_KEY_NONE;
}

static enum sr_key_fault
judge_edwards(struct span *rest)
{
    struct span key;

    return take_string(rest, &key) && key.left == 32 ? SR_KEY_GOOD
                                                     : SR_KEY_NONE;
}

/* The application that a key of a device is for. */
static enum sr_key_fault
judge_device(struct span *rest, enum sr_key_fault fault)
{
    struct span application;

    return fault == SR_KEY_GOOD && take_string(rest, &application) &&
                   application.left >= 4 &&
                   memcmp(application.at, "ssh:", 4) == 0
               ? SR_KEY_GOOD
               : SR_KEY_NONE;
}

/* The kinds that are used.  Certificates have types of their own. */
enum kind {
    RSA,
    ED25519,
    P256,
    P384,
    P521,
    DEVICE_P256,
    DEVICE_ED25519,
    KINDS
};

static const char *const types[KINDS] = {
    [RSA] = "ssh-rsa",
    [ED25519] = "ssh-ed25519",
    [P256] = "ecdsa-sha2-nistp256",
    [P384] = "ecdsa-sha2-nistp384",
    [P521] = "ecdsa-sha2-nistp521",
    [DEVICE_P256] = "sk-ecdsa-sha2-nistp256@openssh.com",
    [DEVICE_ED25519] = "sk-ssh-ed25519@openssh.com",
};

static enum kind
kind_of(const struct span *type)
{
    unsigned kind = 0;

    while (kind < KINDS && !is_text(type, types[kind]))
        kind++;
    return (enum kind)kind;
}

static bool
is_device(enum kind kind)
{
    return kind == DEVICE_P256 || kind == DEVICE_ED25519;
}

/* A public key: its type, which goes to *kind, and its numbers. */
static enum sr_key_fault
judge(struct span key, enum kind *kind)
{
    enum sr_key_fault fault = SR_KEY_KIND;
    struct span type;

    *kind = KINDS;
    if (!take_string(&key, &type))
        return SR_KEY_NONE;
    *kind = kind_of(&type);
    if (*kind == RSA)
        fault = judge_rsa(&key);
    else if (*kind == ED25519)
        fault = judge_edwards(&key);
    else if (*kind == P256)
        fault = judge_curve(&key, "nistp256", 32);
    else if (*kind == P384)
        fault = judge_curve(&key, "nistp384", 48);
    else if (*kind == P521)
        fault = judge_curve(&key, "nistp521", 66);
    else if (*kind == DEVICE_P256)
        fault = judge_device(&key, judge_curve(&key, "nistp256", 32));
    else if (*kind == DEVICE_ED25519)
        fault = judge_device(&key, judge_edwards(&key));
    return fault == SR_KEY_GOOD && key.left > 0 ? SR_KEY_NONE : fault;
}

/* Write a key as text; false: it is too long. */
static bool
encode(const struct span *key, enum kind kind, char *out, size_t size)
{
    const size_t used = (size_t)snprintf(out, size, "%s ", types[kind]);

    if (used + (key->left + 2) / 3 * 4 >= size)
        return false;
    sodium_bin2base64(out + used, size - used, key->at, key->left,
                      sodium_base64_VARIANT_ORIGINAL);
    return true;
}

/* The next word of a line, of *length bytes. */
static const char *
take_word(const char **line, size_t *length)
{
    const char *word = *line + strspn(*line, " \t");

    *length = strcspn(word, " \t\r\n");
    *line = word + *length;
    return word;
}

/* Whether a word is the type of a key, one that is used or another. */
static bool
is_type(const char *word, size_t length)
{
    const struct span span = {(const uint8_t *)word, length};

    return kind_of(&span) != KINDS || strncmp(word, "ssh-", 4) == 0 ||
           strncmp(word, "ecdsa-", 6) == 0 || strncmp(word, "sk-", 3) == 0 ||
           strncmp(word, "rsa-", 4) == 0;
}

enum sr_key_fault
sr_key_read(const char *line, char out[SR_KEY_MAX])
{
    uint8_t bytes[3 * SR_KEY_MAX];
    size_t size = sizeof(bytes), length, base_length;
    const char *word = take_word(&line, &length), *base;
    const bool is_strict =
        length == strlen(VERIFY) && strncmp(word, VERIFY, length) == 0;
    struct span named;
    enum sr_key_fault fault;
    enum kind kind;

    out[0] = '\0';
    if (is_strict)
        word = take_word(&line, &length);
    base = take_word(&line, &base_length);
    if (!is_type(word, length))
        return base_length > 0 ? SR_KEY_OPTIONS : SR_KEY_NONE;
    if (base_length > sizeof(bytes) / 3 * 4)
        return SR_KEY_LONG;
    if (!decode(base, base_length, bytes, &size))
        return SR_KEY_NONE;
    fault = judge((struct span){bytes, size}, &kind);
    named = (struct span){(const uint8_t *)word, length};
    if (kind != kind_of(&named))
        fault = SR_KEY_NONE;
    if (fault != SR_KEY_GOOD)
        return fault;
    if (is_strict && !is_device(kind))
        return SR_KEY_OPTIONS;
    snprintf(out, SR_KEY_MAX, "%s", is_strict ? VERIFY " " : "");
    length = strlen(out);
    if (encode(&(struct span){bytes, size}, kind, out + length,
               SR_KEY_MAX - length))
        return SR_KEY_GOOD;
    out[0] = '\0';
    return SR_KEY_LONG;
}

const char *
sr_key_plain(const char *key)
{
    return strncmp(key, VERIFY " ", sizeof(VERIFY)) == 0 ? key + sizeof(VERIFY)
                                                         : key;
}

/* ---- signatures */

/* The lines between those that begin and end it, as one text. */
static bool
take_armour(const char *armoured, char out[SR_SIGNATURE_MAX])
{
    const char *at = armoured + strspn(armoured, " \t\r\n");
    size_t used = 0;

    if (strncmp(at, BEGIN, strlen(BEGIN)) != 0)
        return false;
    at += strlen(BEGIN);
    for (; *at != '\0' && *at != '-'; at++) {
        if (strchr(" \t\r\n", *at) != NULL)
            continue;
        if (used + 1 >= SR_SIGNATURE_MAX)
            return false;
        out[used++] = *at;
    }
    out[used] = '\0';
    return strncmp(at, END, strlen(END)) == 0 &&
           at[strlen(END) + strspn(at + strlen(END), " \t\r\n")] == '\0';
}

/* The signature proper; of a device, its flags and counter follow. */
static bool
take_flags(struct span rest, struct sr_signature *out)
{
    struct span type, value;
    uint32_t counter;
    uint8_t flags;

    if (!take_string(&rest, &type) || !take_string(&rest, &value))
        return false;
    if (!out->is_device)
        return rest.left == 0;
    if (rest.left != 5)
        return false;
    flags = *rest.at;
    rest.at++;
    rest.left--;
    out->is_touched = (flags & TOUCHED) != 0;
    out->is_verified = (flags & VERIFIED) != 0;
    return take_number(&rest, &counter);
}

bool
sr_key_read_signature(const char *armoured, const char *name_space,
                      struct sr_signature *out)
{
    char text[SR_SIGNATURE_MAX];
    uint8_t bytes[SR_SIGNATURE_MAX];
    size_t size = sizeof(bytes);
    struct span rest = {bytes, 0}, key, space, reserved, hash, signature;
    enum kind kind;
    uint32_t version;

    memset(out, 0, sizeof(*out));
    if (!take_armour(armoured, text) ||
        !decode(text, strlen(text), bytes, &size) || size < strlen(MAGIC) ||
        memcmp(bytes, MAGIC, strlen(MAGIC)) != 0)
        return false;
    rest = (struct span){bytes + strlen(MAGIC), size - strlen(MAGIC)};
    if (!take_number(&rest, &version) || version != 1 ||
        !take_string(&rest, &key) || !take_string(&rest, &space) ||
        !take_string(&rest, &reserved) || !take_string(&rest, &hash) ||
        !take_string(&rest, &signature) || rest.left != 0 ||
        !is_text(&space, name_space) || judge(key, &kind) != SR_KEY_GOOD ||
        !encode(&key, kind, out->key, sizeof(out->key)))
        return false;
    out->is_device = is_device(kind);
    return take_flags(signature, out);
}

bool
sr_key_fits(const char *key, const struct sr_signature *signature)
{
    const char *plain = sr_key_plain(key);

    return plain[0] != '\0' && strcmp(plain, signature->key) == 0 &&
           (!signature->is_device || signature->is_touched) &&
           (plain == key || signature->is_verified);
}
