/*
 * Agent: the keys in the ssh-agent of the user, and signatures by them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_HELPER_AGENT_H
#define SR_HELPER_AGENT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether this user has an agent, by SSH_AUTH_SOCK. */
bool agent_is_there(void);

/* The public keys that it has, one a line, as ssh-add -L writes them.  False:
 * there are none, or more than fit. */
bool agent_keys(char *out, size_t size);

/* Have a line signed by the key whose public part is given, by ssh-keygen: the
 * armoured signature.  False: it was not. */
bool agent_sign(const char *key, const char *line, char *out, size_t size);

#endif
