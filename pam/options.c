/*
 * Options: the arguments on the pam.d line, by one table.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stddef.h>
#include <string.h>

#include "pam/options.h"

const char *const sr_args_names[] = {
    "backend=",       "conf=",       "debug",          "guard", "settle",
    "try_first_pass", "use_authtok", "use_first_pass", NULL,
};

/* Where each name of the table is kept, in the same order. */
static const size_t member[] = {
    offsetof(struct sr_args, backend),
    offsetof(struct sr_args, conf),
    offsetof(struct sr_args, debug),
    offsetof(struct sr_args, guard),
    offsetof(struct sr_args, settle),
    offsetof(struct sr_args, try_first_pass),
    offsetof(struct sr_args, use_authtok),
    offsetof(struct sr_args, use_first_pass),
};

/* Take one argument; false when it is unknown. */
static bool
take(struct sr_args *args, const char *text)
{
    for (size_t i = 0; sr_args_names[i] != NULL; i++) {
        const char *name = sr_args_names[i];
        size_t length = strlen(name);
        void *at = (char *)args + member[i];

        if (name[length - 1] == '=') {
            if (strncmp(text, name, length) == 0 && text[length] != '\0') {
                *(const char **)at = text + length;
                return true;
            }
        } else if (strcmp(text, name) == 0) {
            *(bool *)at = true;
            return true;
        }
    }
    return false;
}

const char *
sr_args_parse(struct sr_args *args, int argc, const char **argv)
{
    memset(args, 0, sizeof(*args));
    for (int i = 0; i < argc; i++) {
        if (!take(args, argv[i]))
            return argv[i];
        if (args->guard && args->settle)
            return argv[i]; /* one line cannot be before and after */
    }
    return NULL;
}
