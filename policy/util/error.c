/*
 * Error: what went wrong in one call, as a code for the program and a text for
 * logs and administrators.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/util/error.h"
#include "policy/util/words.h"

void
sr_error_clear(struct sr_error *error)
{
    error->code = SR_ERROR_NONE;
    error->text[0] = '\0';
}

void
sr_error_set(struct sr_error *error, enum sr_error_code code,
             const char *format, ...)
{
    va_list arguments;

    error->code = code;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
}

bool
sr_error_has_text(const struct sr_error *error)
{
    return error->text[0] != '\0';
}

const char *
sr_error_text(const struct sr_error *error)
{
    if (sr_error_has_text(error))
        return error->text;
    switch (error->code) {
    case SR_ERROR_MEMORY:
        return N_LOG("out of memory");
    case SR_ERROR_CONFIG:
        return N_LOG("the configuration cannot be used");
    case SR_ERROR_UNREACHABLE:
        return N_LOG("no server answered in time");
    case SR_ERROR_IDENTITY:
        return N_LOG("the identity of this host was not accepted");
    case SR_ERROR_READ_ONLY:
        return N_LOG("the server takes no changes");
    case SR_ERROR_NO_UID:
        return N_LOG("the entry has no usable uid");
    case SR_ERROR_BUSY:
        return N_LOG("another program holds what is needed");
    case SR_ERROR_DATA:
        return N_LOG("the data cannot be read");
    case SR_ERROR_NONE:
    case SR_ERROR_OTHER:
        break;
    }
    return N_LOG("no reason is known");
}

locale_t
sr_english(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a static one */
}

const char *
sr_strerror(int error)
{
    return strerror_l(error, sr_english());
}
