/*
 * Password: the two passes of chauthtok, and the line after the module that
 * stores.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_PASSWORD_H
#define SR_PAM_PASSWORD_H

#include "pam/context.h"

/* The work of pam_sm_chauthtok(), by its flags and the line's arguments;
 * returns its answer. */
int sr_chauthtok(struct sr_pam_context *ctx);

#endif
