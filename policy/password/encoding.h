/*
 * Encoding: whether bytes can be a new password at all.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_ENCODING_H
#define SR_POLICY_PASSWORD_ENCODING_H

/*
 * A password has 1 to 511 bytes of valid UTF-8 without control characters: they
 * could not be typed again.  Returns NULL, or the id of what is wrong
 * ("enc.control", "len.bytes", "enc.utf8", "len.empty").
 */
const char *sr_quality_encoding(const char *password);

/* The translated text of such an id. */
const char *sr_quality_encoding_text(const char *id);

#endif
