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
    /* Translates a text for a terminal; NULL: English, as logs have it. */
    const char *(*words)(const char *text);
};

/* A text in the language of the list; `errors` NULL: in English. */
__attribute__((format_arg(2))) const char *
sr_config_words(const struct sr_config_errors *errors, const char *text);

/*
 * Append a problem of `file`; `line` 0: of the whole file.  The format is
 * translated, its arguments are not.  After 100 problems one more item says
 * that there are more.
 */
void sr_config_error(struct sr_config_errors *errors, const char *file,
                     unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether no more problems are taken: reading on is of no use. */
bool sr_config_errors_full(const struct sr_config_errors *errors);

/* Free the list; it is empty afterwards, and has its language. */
void sr_config_errors_free(struct sr_config_errors *errors);

#endif
