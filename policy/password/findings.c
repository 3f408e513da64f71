/*
 * Findings: the rules that a password breaks, each with a text for a person.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/password/findings.h"

int
sr_findings_add(struct sr_findings *findings, const char *id, const char *what)
{
    struct sr_broken *item = reallocarray(findings->item, findings->count + 1,
                                          sizeof(findings->item[0]));
    char *copy;

    if (item == NULL)
        return -1;
    findings->item = item;
    copy = strdup(what);
    if (copy == NULL)
        return -1;
    item += findings->count++;
    snprintf(item->id, sizeof(item->id), "%s", id);
    item->text = copy;
    return 0;
}

/* Texts contain the length of the password. */
void
sr_findings_free(struct sr_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        explicit_bzero(findings->item[i].text, strlen(findings->item[i].text));
        free(findings->item[i].text);
    }
    free(findings->item);
    *findings = (struct sr_findings){NULL, 0};
}
