/*
 * Fuzz target of self-service reset: a file of the queue, an enrolment as a
 * file has it, and what people type: codes, codes of an app, addresses, keys
 * and signatures.
 *
 * The first byte chooses; the rest is the input.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/reset/app.h"
#include "policy/reset/channel.h"
#include "policy/reset/code.h"
#include "policy/reset/enrolment.h"
#include "policy/reset/key.h"
#include "policy/reset/queue.h"
#include "policy/util/number.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
read_queue(char *text, size_t size)
{
    const char *end = text + size;
    struct sr_queued queued;

    if (!sr_queue_parse(text, &queued))
        return;
    expect(queued.message > text && queued.message < end);
    expect(strlen(queued.ref) < sizeof(queued.ref));
    expect(strchr(queued.user, '\n') == NULL);
    expect(queued.until >= 0);
    expect(queued.channel >= 0 && queued.channel < SR_CHANNELS);
}

/* A sound enrolment can be used in every way. */
static void
read_enrolment(const char *bytes, size_t size)
{
    static const uint8_t secret[SR_APP_SECRET];
    static const struct sr_reset_config config = {.reconfirm = 100};
    const struct sr_account_time time = {.now = 1000, .wall = 1000};
    struct sr_enrolment body;

    memset(&body, 0, sizeof(body));
    memcpy(&body, bytes, size < sizeof(body) ? size : sizeof(body));
    if (!sr_enrolment_file.is_sound(&body))
        return;
    for (int gate = 0; gate < SR_GATE_COUNT; gate++)
        sr_enrolment_has(&body, (enum sr_gate_id)gate, &config, &time);
    sr_enrolment_least_valid(&body, &config, time.wall);
    for (int i = 0; i < SR_ADDRESSES; i++)
        expect(strlen(body.address[i]) < SR_ADDRESS_MAX);
    sr_app_check(&body, secret, "000000", 1000);
    expect(sr_enrolment_file.is_sound(&body));
    for (int gate = 0; gate < SR_GATE_COUNT; gate++)
        sr_enrolment_remove(&body, (enum sr_gate_id)gate);
    expect(sr_enrolment_file.is_sound(&body));
}

/* An address is one word, and is read as itself again. */
static void
read_addresses(const char *text)
{
    char out[SR_ADDRESS_MAX], again[SR_ADDRESS_MAX];

    for (int i = 0; i < SR_CHANNELS; i++) {
        const enum sr_channel_id channel = (enum sr_channel_id)i;

        if (!sr_channel_read(channel, text, out)) {
            expect(out[0] == '\0');
            continue;
        }
        expect(strpbrk(out, " \r\n\t") == NULL && out[0] != '-');
        expect(sr_channel_read(channel, out, again) && strcmp(out, again) == 0);
        sr_channel_mask(channel, out, again);
        if (channel == SR_CHANNEL_SMS)
            expect(strlen(out) >= 9 && strlen(out) < SR_NUMBER_MAX &&
                   strspn(again + 3, "*") == strlen(out) - 5);
    }
}

static void
read_typed(const char *text)
{
    static const uint8_t secret[SR_APP_SECRET];
    static const size_t lengths[] = {SR_REF_LENGTH, SR_RECOVERY_LENGTH,
                                     SR_TICKET_LENGTH};
    struct sr_enrolment enrolment = {.app_step = 0};
    char code[SR_CODE_SIZE];

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        if (sr_code_read(text, lengths[i], code))
            expect(strlen(code) == lengths[i]);
    }
    sr_app_check(&enrolment, secret, text, 1000000);
    if (sr_queue_is_address(text))
        expect(strpbrk(text, " \r\n\t<>,;") == NULL && strchr(text, '@'));
    read_addresses(text);
}

/* A key that was read is read as itself again. */
static void
read_key(const char *text)
{
    char key[SR_KEY_MAX], again[SR_KEY_MAX];
    struct sr_signature signature;

    if (sr_key_read(text, key) == SR_KEY_GOOD) {
        expect(strlen(key) < SR_KEY_MAX && strpbrk(key, "\r\n\t\"") == NULL);
        expect(sr_key_read(key, again) == SR_KEY_GOOD);
        expect(strcmp(key, again) == 0);
    } else {
        expect(key[0] == '\0');
    }
    if (sr_key_read_signature(text, "selfreset", &signature)) {
        expect(sr_key_read(signature.key, again) == SR_KEY_GOOD);
        expect(strcmp(signature.key, again) == 0);
        expect(sr_key_fits(again, &signature) ==
               (!signature.is_device || signature.is_touched));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text;

    if (size == 0 || size > 2 * SR_QUEUE_MAX)
        return 0;
    text = calloc(1, size);
    memcpy(text, bytes + 1, size - 1);
    if (bytes[0] == 'q')
        read_queue(text, size - 1);
    else if (bytes[0] == 'k')
        read_key(text);
    else if (bytes[0] == 'e')
        read_enrolment(text, size - 1);
    else
        read_typed(text);
    free(text);
    return 0;
}
