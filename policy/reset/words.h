/*
 * Words: the texts of self-service reset are translated as all others.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_WORDS_H
#define SR_POLICY_RESET_WORDS_H

#include "policy/util/words.h"

#endif
