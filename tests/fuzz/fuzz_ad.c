/*
 * Fuzz target: values of attributes of Active Directory.  The first byte says
 * of which.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/ad_values.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1800000000)

static void
check_bytes(uint8_t kind, const uint8_t *bytes, size_t size)
{
    enum sr_tri denies = SR_UNKNOWN;
    bool is_allowed = false;
    sr_time when;
    uint32_t version;

    switch (kind) {
    case 0:
        if (sr_ad_stamp(bytes, size, SR_AD_UNICODE_PWD, &when, &version))
            expect(when == SR_TIME_UNKNOWN || when <= SR_TIME_MAX);
        break;
    case 1:
        if (!sr_ad_denies_change(bytes, size, bytes, size < 28 ? size : 28,
                                 &denies))
            break;
        expect(denies <= SR_YES && size >= 20);
        break;
    case 2:
        if (sr_ad_hours(bytes, size, NOW, &is_allowed, &when))
            expect(size == 21 && when > NOW &&
                   (when == SR_TIME_NEVER || when <= NOW + 7 * SR_DAY));
        break;
    default:
        expect(!sr_ad_is_privileged(bytes, size) || sr_ad_is_sid(bytes, size));
        break;
    }
}

static void
check_text(uint8_t kind, const char *text)
{
    int64_t value, seconds;
    uint32_t bits;
    sr_time when;

    if (kind == 4) {
        bool is_here = sr_ad_workstations(text, "client.example.org");

        if (strspn(text, ", ") == strlen(text))
            expect(is_here == (text[0] == '\0'));
        return;
    }
    if (!sr_ad_number(text, &value)) {
        expect(!sr_ad_bits(text, &bits));
        return;
    }
    expect(strspn(text, "-0123456789") == strlen(text));
    if (sr_ad_time(value, &when))
        expect(value >= 0 && (when == SR_TIME_NEVER || when <= SR_TIME_MAX));
    if (sr_ad_interval(value, &seconds))
        expect(value <= 0 && seconds >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0)
        return 0;
    if (data[0] % 6 < 4) {
        check_bytes(data[0] % 6, data + 1, size - 1);
        return 0;
    }
    text = strndup((const char *)data + 1, size - 1);
    expect(text != NULL);
    check_text(data[0] % 6, text);
    free(text);
    return 0;
}
