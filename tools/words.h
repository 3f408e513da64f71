/*
 * Words: how the texts of selfresetctl are translated for the terminal of an
 * administrator, by dgettext(3) in a domain of their own.  What programs read
 * (--json, --nagios, metrics, CSV, events) never is.
 *
 * ctl_error(), ctl_print(), ctl_usage(), findings_add() and the like translate
 * the text that they are given.  Where such an argument is chosen by "?:" or is
 * a variable, each text is marked by N_().
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_WORDS_H
#define SR_TOOLS_WORDS_H

#include <libintl.h>

#define CTL_WORDS "selfresetctl" /* the domain */

/*
 * A text in the language of the terminal; those of errno are in the catalogue
 * of libc.  What is in no catalogue may be a cause that policy/ has made with
 * one of its formats: that format is translated, and each value that is a cause
 * itself.  "" and what is none of these stay as they are.
 */
__attribute__((format_arg(1))) const char *ctl_words(const char *text);

/* A text; one that is translated where it is used; one that has a number. */
#define _(text)          ctl_words(text)
#define N_(text)         text
#define _n(one, many, n) dngettext(CTL_WORDS, one, many, (unsigned long)(n))

/* From now on English: the output is for programs. */
void ctl_english(void);

#endif
