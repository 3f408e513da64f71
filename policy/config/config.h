/*
 * Config: loads selfreset.conf and its drop-ins.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_CONFIG_H
#define SR_POLICY_CONFIG_CONFIG_H

#include "policy/config/errors.h"
#include "policy/config/settings.h"

/*
 * Load `path` and then `path`.d/ *.conf in the order of their names; a later
 * value replaces an earlier one.  The file must exist.
 *
 * NULL: the first of /etc/security/selfreset.conf, /run/security/selfreset.conf
 * and the vendor's file counts, which need not exist, and the drop-ins of all
 * three (files.h).
 *
 * Returns a configuration, or NULL when there was any error; `errors` (never
 * NULL) then has at least one.  Free both with the functions of their headers.
 */
struct sr_config *sr_config_load(const char *path,
                                 struct sr_config_errors *errors);

/* The configuration of an empty file. */
struct sr_config *sr_config_defaults(struct sr_config_errors *errors);

/* Load these bytes only, for tests and fuzzers; `name` is the file in errors.
 */
struct sr_config *sr_config_load_bytes(const char *bytes, size_t size,
                                       const char *name,
                                       struct sr_config_errors *errors);

/* Whether loading `path` now would give the same configuration. */
bool sr_config_is_current(const struct sr_config *config, const char *path);

/* The same configuration, to be freed by one more sr_config_free(). */
struct sr_config *sr_config_share(struct sr_config *config);

/* NULL is allowed. */
void sr_config_free(struct sr_config *config);

#endif
