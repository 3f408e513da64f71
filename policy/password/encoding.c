/*
 * Encoding: whether bytes can be a new password at all.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdbool.h>
#include <string.h>

#include "policy/decide/rules.h"
#include "policy/password/encoding.h"
#include "policy/util/utf8.h"
#include "policy/util/words.h"

const char *
sr_quality_encoding_text(const char *id)
{
    if (strcmp(id, "len.empty") == 0)
        return _("empty");
    if (strcmp(id, "len.bytes") == 0)
        return _("longer than this host can store");
    if (strcmp(id, "enc.control") == 0)
        return _("contains a control character");
    return _("contains characters that are not UTF-8 text");
}

static bool
is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

const char *
sr_quality_encoding(const char *password)
{
    const char *at = password;
    uint32_t point = 0;
    int status;

    if (password[0] == '\0')
        return "len.empty";
    if (strnlen(password, SR_PASSWORD_BYTES_MAX + 1) > SR_PASSWORD_BYTES_MAX)
        return "len.bytes";
    while ((status = sr_utf8_next(&at, &point)) > 0 && !is_control(point))
        continue;
    explicit_bzero(&point, sizeof(point));
    if (status > 0)
        return "enc.control";
    return status < 0 ? "enc.utf8" : NULL;
}
