/*
 * Fuzz target of config: any bytes as a configuration give a configuration or
 * errors, and a configuration gives rules that can be used.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/account_rules.h"
#include "policy/config/config.h"
#include "policy/config/lines.h"
#include "policy/util/utf8.h"
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
take_name(void *context, const char *name, bool is_group, const char *file,
          unsigned line)
{
    (void)context;
    (void)is_group;
    expect(name[0] != '\0' && strcmp(file, "fuzz") == 0 && line > 0);
}

static void
check_config(const struct sr_config *config)
{
    const struct sr_member member = {"alice", is_member, NULL};
    struct sr_rules rules;

    expect(config->backends.count > 0);
    expect(config->contact == NULL || strlen(config->contact) <= 120);
    expect(sr_config_rules(config, &member, "sshd", &rules) == 0);
    expect(rules.attempts <= SR_ATTEMPTS_MAX);
    expect(rules.source_attempts <= SR_ATTEMPTS_MAX);
    expect(rules.window > 0 && rules.duration > 0);
    expect(rules.window <= rules.duration);
    expect(rules.duration <= rules.duration_max);
    expect(rules.tries > 0 && rules.wait > 0 && rules.temporary_lifetime > 0);
    expect(rules.max_length == 0 || rules.min_length <= rules.max_length);
    sr_config_each_name(config, take_name, NULL);
}

/* Each is one line of valid UTF-8 that begins with the file's name. */
static void
check_errors(const struct sr_config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        const char *text = errors->item[i];
        uint32_t point = 0;
        int status;

        expect(strncmp(text, "fuzz:", 5) == 0);
        while ((status = sr_utf8_next(&text, &point)) > 0)
            expect(point == '\t' || !sr_utf8_is_control(point));
        expect(status == 0);
    }
}

/* Lines are numbered upwards, and their strings end within the bytes. */
static void
check_lines(const uint8_t *bytes, size_t size)
{
    char *copy = malloc(size + 1);
    struct sr_lines lines;
    struct sr_line line;
    unsigned last = 0;

    if (copy == NULL)
        return;
    if (size > 0)
        memcpy(copy, bytes, size);
    sr_lines_begin(&lines, copy, size);
    while ((line = sr_lines_next(&lines)).kind != SR_LINE_END) {
        expect(line.number > last && line.number <= size + 1);
        last = line.number;
        expect(line.kind == SR_LINE_FAULT || strlen(line.text) <= size);
        expect(strlen(line.name) <= size);
    }
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct sr_config_errors errors = {0};
    struct sr_config *config;

    check_lines(bytes, size);
    config = sr_config_load_bytes((const char *)bytes, size, "fuzz", &errors);
    expect((config == NULL) == (errors.count > 0));
    check_errors(&errors);
    if (config != NULL)
        check_config(config);
    sr_config_free(config);
    sr_config_errors_free(&errors);
    return 0;
}
