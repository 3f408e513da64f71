/*
 * Payload: what a view publishes of one account, as bytes.  Pure.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_PAYLOAD_H
#define SR_POLICY_PUBLISH_PAYLOAD_H

#include "policy/decide/rules.h"
#include "policy/publish/format.h"

#define SR_PAYLOAD_MAX 90

struct sr_payload {
    uint8_t bytes[SR_PAYLOAD_MAX];
    size_t size; /* 0: the account is gone */
};

/*
 * Encode what the view may show of facts and rules.  Rules that take part in
 * the verdict of a login are encoded as facts: the warning period and the
 * minimum age become deadlines.  `is_exempt`: never given a negative group
 * (root, and the break-glass accounts).
 */
void sr_payload_encode(enum sr_view view, const struct sr_facts *facts,
                       const struct sr_rules *rules, bool is_exempt,
                       struct sr_payload *payload);

/*
 * Decode a payload.  For a login without a session, by a service without
 * exceptions, the verdict on the result is the verdict on what was encoded, at
 * any time; more than 32767 grace logins are encoded as 32767.  Name, uid and
 * backend stay empty.  Encoding the result gives the same bytes.  False when
 * the bytes are no payload.
 */
bool sr_payload_decode(const uint8_t *bytes, size_t size,
                       struct sr_facts *facts, struct sr_rules *rules,
                       bool *is_exempt);

/* The payload of an entry under an alias. */
void sr_payload_of_alias(struct sr_payload *payload);

#endif
