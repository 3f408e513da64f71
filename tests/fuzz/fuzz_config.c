/*
 * Fuzz target of config: any bytes as a configuration give a configuration or
 * errors, and a configuration gives rules that can be used.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/account_rules.h"
#include "policy/config/config.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* In every other group, by the first letter of its name. */
static int
is_member(void *context, const char *user, const char *group)
{
    (void)context;
    (void)user;
    return (group[0] & 1) != 0 ? SR_YES : SR_NO;
}

static void
check(const struct sr_config *config)
{
    const struct sr_member member = {"alice", is_member, NULL};
    struct sr_rules rules;

    expect(config->backends.count > 0);
    expect(config->contact == NULL || strlen(config->contact) <= 120);
    expect(sr_config_rules(config, &member, "sshd", &rules) == 0);
    expect(rules.attempts <= SR_ATTEMPTS_MAX);
    expect(rules.source_attempts <= SR_ATTEMPTS_MAX);
    expect(rules.window > 0 && rules.duration > 0);
    expect(rules.duration <= rules.duration_max);
    expect(rules.tries > 0 && rules.wait > 0 && rules.temporary_lifetime > 0);
    expect(rules.max_length == 0 || rules.min_length <= rules.max_length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct sr_config_errors errors;
    struct sr_config *config;

    config = sr_config_load_bytes((const char *)bytes, size, "fuzz", &errors);
    expect((config == NULL) == (errors.count > 0));
    if (config != NULL)
        check(config);
    sr_config_free(config);
    sr_config_errors_free(&errors);
    return 0;
}
