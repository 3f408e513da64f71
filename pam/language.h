/*
 * Language: in which language the calls of the module speak.
 *
 * An application that has called setlocale(3) has chosen.  For one that has
 * not, such as sshd, LC_ALL, LC_MESSAGES or LANG of the handle's environment
 * (pam_env, display managers) count, as they do for the session that follows;
 * never the environment of the process.  The locale of the process is not
 * changed, and the thread has its own again while the application's
 * conversation runs.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_LANGUAGE_H
#define SR_PAM_LANGUAGE_H

#include <locale.h>
#include <stdbool.h>

#include <security/pam_modules.h>

#include "policy/wire/wire.h"

struct sr_language {
    locale_t application; /* the thread's, before */
    locale_t own;         /* or NULL: the same */
};

/* Begin to speak it.  Where the locale does not exist, the application's. */
void sr_language_begin(struct sr_language *language, pam_handle_t *pamh);

/* The thread's locale is as it was. */
void sr_language_end(struct sr_language *language);

/* Have the helper speak the language of the thread, too. */
void sr_language_put(struct sr_wire *wire);

/* Whether it is the name of a locale, or a list of them, and not of a file. */
bool sr_language_is_name(const char *name);

#endif
