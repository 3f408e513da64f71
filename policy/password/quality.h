/*
 * Quality: is this new password acceptable?  Lists every rule it breaks at
 * once.  Leaves similarity, sequences, words and the dictionary to
 * libpwquality (which is opened only here, never at authenticate), whose
 * settings it follows, and does itself what that library does wrongly: it
 * counts code points and not bytes, splits GECOS into names, and knows AD's
 * character classes.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_QUALITY_H
#define SR_POLICY_PASSWORD_QUALITY_H

#include "policy/decide/rules.h"

struct sr_candidate {
    const char *password; /* NUL-terminated */
    const char *old;      /* the current one in the clear, or NULL */
    const char *user;
    const char *gecos; /* or NULL */
    const char *host;  /* the host's name, or NULL */
};

/* One broken rule: a stable id ("len.min") and what would satisfy it. */
struct sr_broken {
    char id[24];
    char *text;
};

struct sr_findings {
    struct sr_broken *item;
    size_t count;
};

enum sr_quality {
    SR_QUALITY_DONE,        /* findings are complete; none: acceptable */
    SR_QUALITY_UNAVAILABLE, /* a part could not be asked: refuse */
};

/*
 * Check a candidate.  `findings` must be zeroed and is freed by the caller.
 * Texts are translated, one line each, without the password or any part of it.
 * UNAVAILABLE: libpwquality, its configuration or its dictionary is missing
 * though the preset needs it; findings then has one entry that says so.
 */
enum sr_quality sr_quality_check(const struct sr_candidate *candidate,
                                 const struct sr_rules *rules,
                                 struct sr_findings *findings);

/*
 * The rules as they will be applied, to show before the prompt: findings whose
 * texts are the rules ("at least 15 characters"), in the same order and with
 * the same ids.  What nobody breaks unawares (a palindrome, say, or a length
 * that the administrator did not limit) is not told.  May be empty.
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

/* Free and empty. */
/*
 * Whether findings refuse a password, or only advise against it: root who sets
 * a password for somebody is advised (wanted->root), except against what could
 * not be stored or typed again.  Without findings: whether any could refuse.
 */
bool sr_quality_binds(const struct sr_findings *findings,
                      const struct sr_rules *wanted, bool is_admin);

void sr_findings_free(struct sr_findings *findings);

/*
 * Add a finding (used by the history check, id "hist").  Takes a copy of text.
 * Returns 0, or -1 when out of memory.
 */
int sr_findings_add(struct sr_findings *findings, const char *id,
                    const char *text);

/*
 * Whether the bytes can be a new password at all: 1 to 511 bytes, no control
 * byte (NUL cannot occur, newline and the like can not be typed again), valid
 * UTF-8.  Returns NULL when fine, else an id ("enc.control", "len.bytes",
 * "enc.utf8", "len.empty").
 */
const char *sr_quality_encoding(const char *password);

#endif
