/*
 * Reading: from the lines of files to settings, each value checked by itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_READING_H
#define SR_POLICY_CONFIG_READING_H

#include "policy/config/errors.h"
#include "policy/config/other_files.h"
#include "policy/config/value.h"

/* Settings in the order in which they were read; the last one counts. */
struct sr_reading {
    struct sr_config_errors *errors;
    struct sr_setting *item;
    size_t count, room;
};

/*
 * Read one file.  `bytes` is changed, and bytes[size] must exist; `name` is
 * copied.  Problems are added to the errors.
 */
void sr_reading_file(struct sr_reading *reading, const char *name, char *bytes,
                     size_t size);

/*
 * Append the default of a key, `text`; `owner` (may be NULL) is copied.
 * Returns the setting, which is valid until the next one is added, or NULL when
 * out of memory.
 */
struct sr_setting *sr_reading_preset(struct sr_reading *reading,
                                     const struct sr_key *key, const char *text,
                                     const char *owner);

/*
 * Append a setting that a line of another file makes: "name = value" there is
 * `text` for the key.  A value that the key may not have is an error.
 */
void sr_reading_add(struct sr_reading *reading, const struct sr_key *key,
                    const char *group, const char *text,
                    const struct sr_other_line *from);

/* Put the settings of `first`, which it then has no more, before all others. */
void sr_reading_put_first(struct sr_reading *reading, struct sr_reading *first);

/* Free settings and their array. */
void sr_settings_free(struct sr_setting *item, size_t count);

#endif
