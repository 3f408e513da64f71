/*
 * Findings: the rules that a password breaks, each with a text for a person.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_FINDINGS_H
#define SR_POLICY_PASSWORD_FINDINGS_H

#include <stddef.h>

/* One broken rule: a stable id ("len.min") and what would satisfy it. */
struct sr_broken {
    char id[24];
    char *text;
};

/* Empty when zeroed. */
struct sr_findings {
    struct sr_broken *item;
    size_t count;
};

/* Append copies of the id and the text.  Returns 0, or -1 when out of memory.
 * The history check uses the id "hist". */
int sr_findings_add(struct sr_findings *findings, const char *id,
                    const char *text);

/* Wipe and free; the list is empty afterwards. */
void sr_findings_free(struct sr_findings *findings);

#endif
