/*
 * The tables that manual pages show, as the program has them, for test_man.sh:
 * "keys" prints the configuration keys, "events" the events; fields are parted
 * by tabs.  "load FILE" reads a configuration and prints its errors.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "policy/config/value.h"
#include "policy/config/config.h"
#include "policy/report/event.h"

struct presets {
    const char *text[128];
    size_t count;
};

static void
keep(void *context, const char *section, const char *key, const char *preset,
     const char *values)
{
    struct presets *presets = context;

    (void)section;
    (void)key;
    (void)values;
    if (presets->count < sizeof(presets->text) / sizeof(presets->text[0]))
        presets->text[presets->count++] = preset;
}

static const char *
shown(const char *preset)
{
    return preset[0] == '\0' ? "none" : preset;
}

static void
print_key(void *context, const char *section, const char *key,
          const char *preset, const char *values)
{
    struct presets *ad = context;

    printf("%s\t%s\t%s\t%s\t%s\n", section, key, shown(preset),
           shown(ad->text[ad->count++]), values);
}

static void
print_keys(void)
{
    struct presets ad = {.count = 0};

    sr_config_each_key(SR_PROFILE_AD, keep, &ad);
    ad.count = 0;
    sr_config_each_key(SR_PROFILE_NIST, print_key, &ad);
}

static void
print_events(void)
{
    for (enum sr_event_id i = 0; i < SR_EVENT_COUNT; i++) {
        const struct sr_event_info *info = sr_event_info(i);

        printf("%s\t%s\t%d\t%s\t%s\t%s\n", info->id, info->name, info->severity,
               info->audit, info->message_id, info->text);
    }
}

static int
load(const char *file)
{
    struct sr_config_errors errors = {0};
    struct sr_config *config;
    static char bytes[1 << 20];
    FILE *stream = fopen(file, "re");
    size_t size;

    if (stream == NULL) {
        perror(file);
        return 1;
    }
    size = fread(bytes, 1, sizeof(bytes), stream);
    fclose(stream);
    config = sr_config_load_bytes(bytes, size, file, &errors);
    for (size_t i = 0; i < errors.count; i++)
        fprintf(stderr, "%s\n", errors.item[i]);
    sr_config_errors_free(&errors);
    sr_config_free(config);
    return config == NULL ? 1 : 0;
}

int
main(int count, char **argument)
{
    if (count == 3 && strcmp(argument[1], "load") == 0)
        return load(argument[2]);
    if (count == 2 && strcmp(argument[1], "keys") == 0)
        print_keys();
    else if (count == 2 && strcmp(argument[1], "events") == 0)
        print_events();
    else
        return 2;
    return 0;
}
