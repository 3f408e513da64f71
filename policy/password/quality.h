/*
 * Quality: is this new password acceptable?  Lists every rule that it breaks.
 *
 * libpwquality, which is opened only here and never to authenticate, checks
 * similarity, sequences, words and the dictionary by its own settings.  This
 * code counts code points where the library counts bytes, splits GECOS into
 * names, and knows AD's character classes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_QUALITY_H
#define SR_POLICY_PASSWORD_QUALITY_H

#include "policy/decide/rules.h"
#include "policy/password/check_rules.h"
#include "policy/password/findings.h"

enum sr_quality {
    SR_QUALITY_DONE,        /* findings are complete; none: acceptable */
    SR_QUALITY_UNAVAILABLE, /* a part could not be asked: refuse */
};

/*
 * Check a candidate.  `findings` must be zeroed and is freed by the caller.
 * Texts are translated, one line each, without the password or any part of it.
 * UNAVAILABLE: libpwquality, its configuration or its dictionary is missing
 * though the preset needs it; findings then has one entry, "quality", whose
 * text is the cause ("the dictionary is damaged").
 */
enum sr_quality sr_quality_check(const struct sr_candidate *candidate,
                                 const struct sr_rules *rules,
                                 struct sr_findings *findings);

/*
 * The rules as they will be applied, to show before the prompt: findings whose
 * texts are the rules ("at least 15 characters"), in the same order and with
 * the same ids.  Rules that are not broken by accident (a palindrome, or a
 * length that the administrator did not limit) are left out.  May be empty.
 */
enum sr_quality sr_quality_rules(const struct sr_rules *rules,
                                 struct sr_findings *findings);

/*
 * The same with another library or another pwquality.conf than the host's, each
 * NULL for the host's own: for tests and tools.
 */
struct sr_quality_host {
    const char *library; /* name or path of the shared object */
    const char *conf;
};
enum sr_quality sr_quality_check_on(const struct sr_quality_host *host,
                                    const struct sr_candidate *candidate,
                                    const struct sr_rules *rules,
                                    struct sr_findings *findings);
enum sr_quality sr_quality_rules_on(const struct sr_quality_host *host,
                                    const struct sr_rules *rules,
                                    struct sr_findings *findings);

/*
 * Whether findings refuse a password, or only advise against it: root who sets
 * a password for another account is advised (wanted->root), except against what
 * could not be stored or typed again.  Without findings: whether any could
 * refuse.
 */
bool sr_quality_binds(const struct sr_findings *findings,
                      const struct sr_rules *wanted, bool is_admin);

#endif
