/*
 * Kpasswd: the messages by which a password is changed (RFC 3244), as bytes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/backend/krb5/kpasswd.h"
#include "policy/util/bytes.h"
#include "policy/util/utf8.h"

#define HEADER 6
/* [APPLICATION 30]: the first byte of a KRB-ERROR. */
#define TAG_ERROR 0x7E

/* The policy of Active Directory (MS-KILE 3.3.5.7.3.1 refers to it as the
 * "password policy" data): two zero bytes, the minimum length, the history, the
 * properties, and two ages, in network order. */
#define POLICY_SIZE    30
#define POLICY_LENGTH  2
#define POLICY_HISTORY 6

static void
put_be16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* ---- whose password is set: DER, written from its end */

#define TAG_INTEGER  0x02
#define TAG_OCTETS   0x04
#define TAG_GENERAL  0x1B /* GeneralString, which KerberosString is */
#define TAG_SEQUENCE 0x30
#define TAG_CONTEXT  0xA0 /* [0], explicit */

struct der {
    uint8_t *out;
    size_t at; /* where the bytes that are written begin */
    bool is_cut;
};

static void
put_bytes(struct der *der, const void *bytes, size_t size)
{
    der->is_cut = der->is_cut || size > der->at;
    if (der->is_cut)
        return;
    der->at -= size;
    memcpy(der->out + der->at, bytes, size);
}

/* The tag and length of everything from there to `end`. */
static void
put_head(struct der *der, uint8_t tag, size_t end)
{
    const size_t size = end - der->at;
    const uint8_t brief[] = {tag, (uint8_t)size};
    const uint8_t one[] = {tag, 0x81, (uint8_t)size};
    const uint8_t two[] = {tag, 0x82, (uint8_t)(size >> 8), (uint8_t)size};

    if (size < 0x80)
        put_bytes(der, brief, sizeof(brief));
    else if (size < 0x100)
        put_bytes(der, one, sizeof(one));
    else
        put_bytes(der, two, sizeof(two));
}

static void
put_value(struct der *der, uint8_t tag, const void *bytes, size_t size)
{
    const size_t end = der->at;

    put_bytes(der, bytes, size);
    put_head(der, tag, end);
}

/* PrincipalName (RFC 4120, 5.2.2). */
static void
put_name(struct der *der, const struct sr_kpasswd_target *target)
{
    const uint8_t type = (uint8_t)target->name_type;
    const size_t end = der->at;
    size_t end_of_type;

    for (size_t i = target->count; i > 0; i--)
        put_value(der, TAG_GENERAL, target->component[i - 1].bytes,
                  target->component[i - 1].size);
    put_head(der, TAG_SEQUENCE, end);
    put_head(der, TAG_CONTEXT + 1, end);
    end_of_type = der->at;
    put_value(der, TAG_INTEGER, &type, 1);
    put_head(der, TAG_CONTEXT, end_of_type);
    put_head(der, TAG_SEQUENCE, end);
}

bool
sr_kpasswd_set_data(const struct sr_kpasswd_target *target,
                    const char *password, uint8_t *out, size_t *size)
{
    const size_t most = *size < UINT16_MAX ? *size : UINT16_MAX;
    struct der der = {.out = out, .at = most};
    size_t end = der.at;

    if (target->name_type < 0 || target->name_type > 127)
        return false;
    put_value(&der, TAG_GENERAL, target->realm, target->realm_size);
    put_head(&der, TAG_CONTEXT + 2, end);
    end = der.at;
    put_name(&der, target);
    put_head(&der, TAG_CONTEXT + 1, end);
    end = der.at;
    put_value(&der, TAG_OCTETS, password, strlen(password));
    put_head(&der, TAG_CONTEXT, end);
    put_head(&der, TAG_SEQUENCE, most);
    if (der.is_cut)
        return false;
    *size = most - der.at;
    memmove(out, out + der.at, *size);
    return true;
}

/* ---- the messages */

bool
sr_kpasswd_request(const struct sr_kpasswd_part *ap_req,
                   const struct sr_kpasswd_part *priv, unsigned version,
                   uint8_t *out, size_t *size)
{
    size_t length;

    if (ap_req->size > UINT16_MAX || priv->size > UINT16_MAX)
        return false;
    length = HEADER + ap_req->size + priv->size;
    if (length > UINT16_MAX || length > *size)
        return false;
    put_be16(out, length);
    put_be16(out + 2, version);
    put_be16(out + 4, ap_req->size);
    memcpy(out + HEADER, ap_req->bytes, ap_req->size);
    memcpy(out + HEADER + ap_req->size, priv->bytes, priv->size);
    *size = length;
    return true;
}

bool
sr_kpasswd_parse(const uint8_t *bytes, size_t size,
                 struct sr_kpasswd_reply *reply)
{
    size_t ap_rep;

    memset(reply, 0, sizeof(*reply));
    if (size > 0 && bytes[0] == TAG_ERROR) {
        reply->is_error = true;
        reply->body = (struct sr_kpasswd_part){bytes, size};
        return true;
    }
    if (size < HEADER || sr_get_be16(bytes) != size)
        return false;
    ap_rep = sr_get_be16(bytes + 4);
    if (ap_rep > size - HEADER)
        return false;
    reply->is_error = ap_rep == 0;
    reply->ap_rep = (struct sr_kpasswd_part){bytes + HEADER, ap_rep};
    reply->body = (struct sr_kpasswd_part){bytes + HEADER + ap_rep,
                                           size - HEADER - ap_rep};
    return reply->body.size > 0;
}

static unsigned
get_be32(const uint8_t *at)
{
    return (uint32_t)sr_get_be16(at) << 16 | sr_get_be16(at + 2);
}

/*
 * What the texts of MIT's and Samba's servers say for certain.  Of the others
 * only the text is known.
 */
static enum sr_kpasswd_why
recognize(const char *text)
{
    static const struct {
        const char *words;
        enum sr_kpasswd_why why;
    } known[] = {
        {"changed too recently", SR_KPASSWD_WHY_TOO_YOUNG},
        {"minimum password age may not have elapsed", SR_KPASSWD_WHY_TOO_YOUNG},
        {"New password is too short", SR_KPASSWD_WHY_TOO_SHORT},
        {"Password too short", SR_KPASSWD_WHY_TOO_SHORT},
        {"New password was used previously", SR_KPASSWD_WHY_USED},
        {"Password is already in password history", SR_KPASSWD_WHY_USED},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strstr(text, known[i].words) != NULL)
            return known[i].why;
    }
    return SR_KPASSWD_WHY_UNKNOWN;
}

/* The text, made fit to be shown. */
static void
read_text(const uint8_t *bytes, size_t size, char *out, size_t most)
{
    char raw[512];
    size_t length;

    if (size >= sizeof(raw))
        size = sizeof(raw) - 1;
    memcpy(raw, bytes, size);
    raw[size] = '\0';
    for (char *at = raw; *at != '\0'; at++) {
        if (*at == '\t' || *at == '\r')
            *at = ' ';
    }
    sr_utf8_clean(raw, true, out, most);
    length = strlen(out);
    while (length > 0 && (out[length - 1] == '\n' || out[length - 1] == ' '))
        out[--length] = '\0';
}

bool
sr_kpasswd_result(const uint8_t *bytes, size_t size,
                  struct sr_kpasswd_result *result)
{
    memset(result, 0, sizeof(*result));
    if (size < 2)
        return false;
    result->code = sr_get_be16(bytes);
    bytes += 2;
    size -= 2;
    if (size == POLICY_SIZE && sr_get_be16(bytes) == 0) {
        result->why = SR_KPASSWD_WHY_POLICY;
        result->min_length = get_be32(bytes + POLICY_LENGTH);
        result->history = get_be32(bytes + POLICY_HISTORY);
        return true;
    }
    read_text(bytes, size, result->text, sizeof(result->text));
    if (result->code == SR_KPASSWD_SOFT_ERROR)
        result->why = recognize(result->text);
    return true;
}
