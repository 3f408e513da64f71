/*
 * Entries: those of a directory, as the text of a fuzz target.  An entry is
 * lines "attribute: value", and ends at an empty one.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TESTS_FUZZ_ENTRIES_H
#define SR_TESTS_FUZZ_ENTRIES_H

#include <string.h>

#include "policy/backend/ldap/entry.h"
#include "tests/fuzz/expect.h"

/* Read one, which changes the text.  Returns what is left of it, or NULL. */
static inline char *
sr_fuzz_entry(char *text, struct sr_ldap_entry *entry)
{
    while (text != NULL && *text != '\0' && *text != '\n') {
        char *end = strchr(text, '\n');
        char *colon;

        if (end != NULL)
            *end++ = '\0';
        colon = strstr(text, ": ");
        if (colon != NULL) {
            *colon = '\0';
            expect(sr_ldap_entry_add(entry, text, colon + 2,
                                     strlen(colon + 2)) == 0);
        }
        text = end;
    }
    return text != NULL && *text == '\n' ? text + 1 : NULL;
}

#endif
