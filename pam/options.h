/*
 * Options: the arguments on a line of pam.d.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_OPTIONS_H
#define SR_PAM_OPTIONS_H

#include <stdbool.h>

struct sr_args {
    const char *conf;    /* configuration file; NULL: the built-in one */
    const char *backend; /* ask only this backend; NULL: all configured */
    bool debug;
    bool guard;  /* before another module that verifies */
    bool settle; /* after another module that verifies, or stores */
    bool use_authtok;
    bool try_first_pass;
    bool use_first_pass;
};

/*
 * Parse the arguments.  Returns NULL, or the first argument that is unknown or
 * contradicts another.
 */
const char *sr_args_parse(struct sr_args *args, int argc, const char **argv);

/* The known arguments, for the test of the manual page: NULL-ended. */
extern const char *const sr_args_names[];

#endif
