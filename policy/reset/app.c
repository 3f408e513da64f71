/*
 * App: codes of an authenticator app (RFC 6238), by liboath.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <liboath/oath.h>
#include <stdlib.h>
#include <string.h>

#include "policy/reset/app.h"
#include "policy/util/text.h"

#define STEP   30
#define DIGITS 6
#define NEAR   1  /* steps either way for one code */
#define FAR    10 /* and for two */

/* The digits of what was typed, without spaces; false: something else, or too
 * many. */
static bool
read_digits(const char *typed, char digits[2 * DIGITS + 1])
{
    size_t at = 0;

    for (; *typed != '\0'; typed++) {
        if (*typed == ' ' || *typed == '-')
            continue;
        if (!isdigit((unsigned char)*typed) || at >= 2 * DIGITS)
            return false;
        digits[at++] = *typed;
    }
    digits[at] = '\0';
    return at == DIGITS || at == 2 * DIGITS;
}

/* The step of a code within a window around a time; -1: none. */
static int64_t
find_step(const uint8_t *secret, const char *code, sr_time when, size_t window)
{
    uint64_t step = 0;

    return oath_totp_validate3((const char *)secret, SR_APP_SECRET,
                               (time_t)when, STEP, 0, window, NULL, &step,
                               code) >= 0
               ? (int64_t)step
               : -1;
}

bool
sr_app_check(struct sr_enrolment *enrolment,
             const uint8_t secret[SR_APP_SECRET], const char *typed,
             sr_time now)
{
    char digits[2 * DIGITS + 1], first[DIGITS + 1] = "";
    int64_t step = -1;
    bool is_pair;

    if (!read_digits(typed, digits) || now < 0)
        return false;
    is_pair = digits[DIGITS] != '\0';
    memcpy(first, digits, DIGITS);
    step = is_pair ? find_step(secret, first, now, FAR)
                   : find_step(secret, first, now + enrolment->app_drift * STEP,
                               NEAR);
    if (is_pair && step >= 0) /* the second one is that of the next step */
        step = find_step(secret, digits + DIGITS, (step + 1) * STEP, 0);
    explicit_bzero(digits, sizeof(digits));
    explicit_bzero(first, sizeof(first));
    if (step < 0 || step <= enrolment->app_step)
        return false;
    enrolment->app_step = step;
    if (is_pair)
        enrolment->app_drift = step - now / STEP;
    return true;
}

/* Base 32 without padding. */
static char *
encode(const uint8_t *secret)
{
    char *text = NULL;

    return oath_base32_encode((const char *)secret, SR_APP_SECRET, &text,
                              NULL) == OATH_OK
               ? text
               : NULL;
}

static void
wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

bool
sr_app_text(const uint8_t secret[SR_APP_SECRET], char out[SR_APP_TEXT])
{
    char *text = encode(secret);
    size_t at = 0;

    for (size_t i = 0; text != NULL && text[i] != '\0' && at < SR_APP_TEXT - 2;
         i++) {
        if (i > 0 && i % 4 == 0)
            out[at++] = ' ';
        out[at++] = text[i];
    }
    out[at] = '\0';
    wipe(text);
    return at > 0;
}

/* Append a label with what a URI cannot have in percent form. */
static void
append_label(const char *label, char out[SR_APP_URI])
{
    static const char hex[] = "0123456789ABCDEF";
    size_t at = strlen(out);

    for (; *label != '\0' && at < SR_APP_URI / 2; label++) {
        const unsigned char byte = (unsigned char)*label;

        if (isalnum(byte) || strchr("-._~", *label) != NULL) {
            out[at++] = *label;
            continue;
        }
        out[at++] = '%';
        out[at++] = hex[byte >> 4];
        out[at++] = hex[byte & 15];
    }
    out[at] = '\0';
}

void
sr_app_uri(const uint8_t secret[SR_APP_SECRET], const char *host,
           const char *user, char out[SR_APP_URI])
{
    char *text = encode(secret);
    size_t at;

    sr_text_print(out, SR_APP_URI, "otpauth://totp/");
    append_label(host, out);
    at = strlen(out);
    sr_text_print(out + at, SR_APP_URI - at, ":");
    append_label(user, out);
    at = strlen(out);
    sr_text_print(out + at, SR_APP_URI - at,
                  "?secret=%s&issuer=", text == NULL ? "" : text);
    append_label(host, out);
    wipe(text);
}
