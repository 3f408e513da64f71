/*
 * A table for test_man.sh: one line for each configuration key, with section,
 * key, both defaults and what the value may be, parted by tabs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>

#include "policy/config.h"

struct presets {
    const char *text[64];
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
print(void *context, const char *section, const char *key, const char *preset,
      const char *values)
{
    struct presets *ad = context;

    printf("%s\t%s\t%s\t%s\t%s\n", section, key, shown(preset),
           shown(ad->text[ad->count++]), values);
}

int
main(void)
{
    struct presets ad = {.count = 0};

    sr_config_each_key(SR_PROFILE_AD, keep, &ad);
    ad.count = 0;
    sr_config_each_key(SR_PROFILE_NIST, print, &ad);
    return 0;
}
