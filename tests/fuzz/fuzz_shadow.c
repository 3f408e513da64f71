/*
 * Fuzz the reading of shadow lines: any line either names the field that is
 * wrong or gives facts that a verdict can be computed from.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/local/local.h"
#include "policy/decide/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sr_caller caller = {.is_admin = false};
    struct sr_rules rules;
    struct sr_facts facts;
    struct spwd entry;
    char *line = malloc(size + 1);

    if (line == NULL)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    memset(&rules, 0, sizeof(rules));
    sr_facts_init(&facts);
    if (sr_local_parse(line, &entry) == NULL) {
        sr_local_facts(&entry, &rules, &facts);
        facts.answered = SR_YES;
        if (sr_state_name(sr_verdict(&facts, &rules, &caller, 0).state) == NULL)
            abort();
    }
    free(line);
    return 0;
}
