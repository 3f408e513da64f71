/*
 * Delta: a symbolic link named after an account, whose target is the text of
 * one payload; rename(2) replaces it as a whole.  And the fallback, a link of
 * the same kind that is used when no snapshot is current.  Pure.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_DELTA_H
#define SR_POLICY_PUBLISH_DELTA_H

#include "policy/publish/payload.h"

/* Room for the text of a delta, with its end. */
#define SR_DELTA_TEXT (2 * SR_PAYLOAD_MAX + 48)

/*
 * The text of a delta: version, sequence (as in the header: the newer of delta
 * and snapshot counts), payload and checksum in hexadecimal digits.  The
 * checksum covers the name.
 */
void sr_delta_encode(const char *name, uint64_t sequence,
                     const struct sr_payload *payload,
                     char text[SR_DELTA_TEXT]);

/* Decode a text of `size` bytes.  False when it is no delta of this name. */
bool sr_delta_decode(const char *name, const char *text, size_t size,
                     uint64_t *sequence, struct sr_payload *payload);

#define SR_FALLBACK_NAME ":fallback" /* among the deltas; no account has it */
#define SR_FALLBACK_TEXT 1000        /* room for its text, with its end */

/*
 * The text of the fallback: version, the ids of acct-state-unknown and acct-ok
 * (0: none), and the names of the exempt accounts,
 * "1:999:998:root:breakglass:"; names that cannot be published are left out.
 * False when the names have no room.
 */
bool sr_fallback_encode(uint32_t unknown, uint32_t ok,
                        const struct sr_string_list *exempt,
                        char text[SR_FALLBACK_TEXT]);

/*
 * The group id for a name by a text of `size` bytes: that of acct-ok for root
 * and the exempt accounts, that of acct-state-unknown for any other name; 0 for
 * none.
 */
uint32_t sr_fallback_gid(const char *text, size_t size, const char *name);

#endif
