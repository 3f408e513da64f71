/*
 * PAM modules: what is known of a line by the name of its module.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_PAM_MODULES_H
#define SR_TOOLS_CHECK_PAM_MODULES_H

#include "tools/check/pam_config.h"

/* Whether a name is in a list that ends with NULL. */
bool module_is_one_of(const char *name, const char *const list[]);

/* pam_selfreset.so; with guard, with settle, with neither. */
bool module_is_self(const struct stack_line *line);
bool module_is_guard(const struct stack_line *line);
bool module_is_settle(const struct stack_line *line);
bool module_is_plain(const struct stack_line *line);

/* pam_unix and others of the host's own accounts. */
bool module_is_local(const struct stack_line *line);

/* A module that verifies a password and, in a password stack, stores one. */
bool module_is_verifier(const struct stack_line *line);

/* A module by whose success a stack takes another way, such as
 * pam_succeed_if.so. */
bool module_is_condition(const struct stack_line *line);

/* A module whose success proves nothing about the user; conditions are among
 * them. */
bool module_is_bystander(const struct stack_line *line);

/* pam_deny.so and pam_permit.so. */
bool module_is_deny(const struct stack_line *line);
bool module_is_permit(const struct stack_line *line);

/* A line by which somebody could be let in: none of the above. */
bool module_is_proof(const struct stack_line *line);

#endif
