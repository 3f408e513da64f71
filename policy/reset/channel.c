/*
 * Channel: what the ways by which codes are sent have in common.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/reset/channel.h"
#include "policy/reset/queue.h"
#include "policy/util/number.h"

#define MINUTE 60
#define HOUR   3600

_Static_assert(SR_NUMBER_MAX <= SR_NUMBER_SIZE, "a number fits");

/* Messages to one account, for others and for its owner. */
static const struct {
    unsigned hour, day, own_day;
} bounds[SR_CHANNELS] = {
    [SR_CHANNEL_MAIL] = {5, SR_SENDS - SR_SENDS_OWN, SR_SENDS_OWN},
    [SR_CHANNEL_SMS] = {3, 5, 3},
    [SR_CHANNEL_VOICE] = {3, 5, 3},
    [SR_CHANNEL_PUSH] = {3, SR_SENDS - SR_SENDS_OWN, SR_SENDS_OWN},
};

/* The messages that count: a stranger does not use up those of the owner. */
static int
first_of(bool is_own)
{
    return is_own ? 0 : SR_SENDS_OWN;
}

static int
end_of(bool is_own)
{
    return is_own ? SR_SENDS_OWN : SR_SENDS;
}

static bool
may_send(const struct sr_enrolment *enrolment, enum sr_channel_id channel,
         sr_time now, bool is_own, unsigned in_a_minute)
{
    unsigned minute = 0, hour = 0, day = 0;

    for (int i = first_of(is_own); i < end_of(is_own); i++) {
        const sr_time at = enrolment->sent[channel].at[i];

        minute += at != 0 && at > now - MINUTE;
        hour += at != 0 && at > now - HOUR;
        day += at != 0 && at > now - SR_DAY;
    }
    return minute < in_a_minute && hour < bounds[channel].hour &&
           day < (is_own ? bounds[channel].own_day : bounds[channel].day);
}

bool
sr_channel_may_send(const struct sr_enrolment *enrolment,
                    enum sr_channel_id channel, sr_time now, bool is_own)
{
    return may_send(enrolment, channel, now, is_own, 1);
}

bool
sr_channel_may_prove(const struct sr_enrolment *enrolment,
                     enum sr_channel_id channel, sr_time now)
{
    return may_send(enrolment, channel, now, true, 1 + SR_ADDRESSES);
}

/* In place of the oldest. */
void
sr_channel_note(struct sr_enrolment *enrolment, enum sr_channel_id channel,
                sr_time now, bool is_own)
{
    sr_time *at = enrolment->sent[channel].at;
    int oldest = first_of(is_own);

    for (int i = oldest + 1; i < end_of(is_own); i++) {
        if (at[i] < at[oldest])
            oldest = i;
    }
    at[oldest] = now;
}

/* ---- addresses */

static bool
is_device(const char *text)
{
    const size_t length = strlen(text);

    if (length == 0 || length >= SR_DEVICE_MAX || text[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return true;
}

bool
sr_channel_read(enum sr_channel_id channel, const char *typed,
                char out[SR_ADDRESS_MAX])
{
    bool is_good;

    memset(out, 0, SR_ADDRESS_MAX);
    if (channel == SR_CHANNEL_SMS || channel == SR_CHANNEL_VOICE)
        return sr_number_read(typed, out);
    is_good = channel == SR_CHANNEL_MAIL ? sr_queue_is_address(typed)
                                         : is_device(typed);
    if (is_good)
        memcpy(out, typed, strlen(typed));
    return is_good;
}

/* Without regard to case, in ASCII: the locale is the peer's. */
bool
sr_channel_is_same(const char *a, const char *b)
{
    while (*a != '\0' &&
           (*a == *b || (((*a ^ *b) == 0x20) && ((*a | 0x20) >= 'a') &&
                         ((*a | 0x20) <= 'z')))) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

bool
sr_channel_is_of(const char *address, const struct sr_string_list *domains)
{
    const char *domain = strchr(address, '@');
    const size_t length = domain == NULL ? 0 : strlen(++domain);

    for (size_t i = 0; i < domains->count; i++) {
        const size_t size = strlen(domains->item[i]);

        if (length >= size &&
            sr_channel_is_same(domain + length - size, domains->item[i]) &&
            (length == size || domain[length - size - 1] == '.'))
            return true;
    }
    return false;
}

bool
sr_channel_is_allowed(const struct sr_reset_config *config,
                      enum sr_channel_id channel, const char *address)
{
    if (channel == SR_CHANNEL_MAIL)
        return !sr_channel_is_of(address, &config->mail_refuse);
    return channel == SR_CHANNEL_PUSH ||
           sr_number_is_allowed(address, &config->phone_prefixes);
}

void
sr_channel_mask(enum sr_channel_id channel, const char *address,
                char out[SR_ADDRESS_MAX])
{
    memset(out, 0, SR_ADDRESS_MAX);
    if (channel == SR_CHANNEL_MAIL)
        memcpy(out, address, strnlen(address, SR_ADDRESS_MAX - 1));
    else if (channel != SR_CHANNEL_PUSH)
        sr_number_mask(address, out);
}
