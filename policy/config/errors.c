/*
 * Errors: the problems of a configuration, each with its file and line.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/config/errors.h"
#include "policy/util/words.h"

#define ERRORS_MAX 100 /* then one more item: the rest is left out */

const char *
sr_config_words(const struct sr_config_errors *errors, const char *text)
{
    return errors == NULL || errors->words == NULL ? text : errors->words(text);
}

void
sr_config_error(struct sr_config_errors *errors, const char *file,
                unsigned line, const char *format, ...)
{
    char *text = NULL, where[16] = "";
    char **grown;
    va_list arguments;

    if (sr_config_errors_full(errors))
        return;
    if (errors->count == ERRORS_MAX)
        format = N_LOG("more errors are not shown");
    va_start(arguments, format);
    if (vasprintf(&text, sr_config_words(errors, format), arguments) < 0)
        text = NULL;
    va_end(arguments);
    if (line > 0)
        snprintf(where, sizeof(where), "%u:", line);
    grown = reallocarray(errors->item, errors->count + 1, sizeof(*grown));
    if (grown != NULL)
        errors->item = grown;
    if (grown != NULL && text != NULL &&
        (grown[errors->count] = sr_format("%s:%s %s", file, where, text)) !=
            NULL)
        errors->count++;
    else
        errors->out_of_memory = true;
    free(text);
}

bool
sr_config_errors_full(const struct sr_config_errors *errors)
{
    return errors->count > ERRORS_MAX;
}

void
sr_config_errors_free(struct sr_config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        free(errors->item[i]);
    free(errors->item);
    *errors = (struct sr_config_errors){.words = errors->words};
}
