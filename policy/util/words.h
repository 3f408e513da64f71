/*
 * Words: how texts for users are translated, by dgettext(3), into the language
 * of the thread's locale.  In the C locale no catalogue is opened.  Logs,
 * events and what programs read are never translated.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_WORDS_H
#define SR_POLICY_UTIL_WORDS_H

#include <langinfo.h>
#include <libintl.h>
#include <string.h>

#define SR_WORDS "selfreset" /* the domain, which catalogues are named for */

/* A text; one that is translated where it is used; one that has a number; and
 * one that logs have in English, and selfresetctl translates. */
#define _(text)          dgettext(SR_WORDS, text)
#define N_(text)         text
#define N_LOG(text)      text
#define _n(one, many, n) dngettext(SR_WORDS, one, many, (unsigned long)(n))

/* The header of the catalogue in use, which names its language; empty in the C
 * locale. */
#define SR_WORDS_HEADER dgettext(SR_WORDS, "")

/* Whether the thread's locale has the characters of all languages.  Where it
 * has not, dgettext(3) puts "?" in place of letters, and English is right. */
#define SR_WORDS_FIT (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)

#endif
