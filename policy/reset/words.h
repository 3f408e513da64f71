/*
 * Words: how the texts of self-service reset are translated.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_WORDS_H
#define SR_POLICY_RESET_WORDS_H

#include <libintl.h>

#define _(text)  dgettext("selfreset", text)
#define N_(text) text

#endif
