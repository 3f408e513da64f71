/*
 * Errors: the problems of a configuration, each with its file and line.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_ERRORS_H
#define SR_POLICY_CONFIG_ERRORS_H

#include <stdbool.h>

#include "policy/util/text.h"

/* Each item is "FILE:LINE: text" or "FILE: text". */
struct sr_config_errors {
    char **item;
    size_t count;
    bool out_of_memory; /* the list may be incomplete */
};

/*
 * Append a problem of `file`; `line` 0: of the whole file.  After 100 problems
 * one more item says that there are more.
 */
void sr_config_error(struct sr_config_errors *errors, const char *file,
                     unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether no more problems are taken: reading on is of no use. */
bool sr_config_errors_full(const struct sr_config_errors *errors);

/* Free the list; it is empty afterwards. */
void sr_config_errors_free(struct sr_config_errors *errors);

#endif
