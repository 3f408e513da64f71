/*
 * Personal: is a password made of its owner's names?  The user name, the host's
 * name and the words of the GECOS field, split where Active Directory splits a
 * display name.  Pure: no I/O, no allocation.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PASSWORD_PERSONAL_H
#define SR_POLICY_PASSWORD_PERSONAL_H

#include "policy/util/utf8.h"

/* How a name is looked for.  The password is given with its case folded. */
struct sr_personal_in {
    const struct sr_points *folded; /* the password */
    locale_t locale;
    size_t shortest;   /* shorter names are not looked for */
    bool or_backwards; /* contained backwards counts as well */
};

/*
 * Whether the password contains the whole name.
 */
bool sr_personal_contains(const struct sr_personal_in *in, const char *name);

/*
 * Whether the password contains a word of the GECOS field.  Words are
 * separated by comma, period, hyphen, underscore, space, "#" and tab; those
 * without a letter (numbers of offices and telephones) do not count.  NULL: no.
 */
bool sr_personal_contains_word(const struct sr_personal_in *in,
                               const char *gecos);

/*
 * Whether the whole password is no more than the name: in any case, repeated,
 * with or without the characters above between, and with digits or other
 * marks before and after.  "shortest" and "or_backwards" are not used.
 */
bool sr_personal_is(const struct sr_personal_in *in, const char *name);

/*
 * The same for each word of the GECOS field and for its first part, up to the
 * comma, as a whole ("Erin Hagens,,,": erin, hagens and erinhagens).  NULL: no.
 */
bool sr_personal_is_word(const struct sr_personal_in *in, const char *gecos);

/* The same for a host's name, whole and up to its first dot.  NULL: no. */
bool sr_personal_is_host(const struct sr_personal_in *in, const char *host);

#endif
