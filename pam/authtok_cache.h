/*
 * Authtok cache: a password kept in the PAM handle from one call to the next.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_AUTHTOK_CACHE_H
#define SR_PAM_AUTHTOK_CACHE_H

#include <security/pam_modules.h>

/* Names of the handle's data. */
#define SR_AUTHTOK_PROVED "selfreset_proved" /* the current one, verified */
#define SR_AUTHTOK_TYPED  "selfreset_typed"  /* what another module was given */

/*
 * Keep `password` of `user` in the handle, masked and left out of core dumps,
 * bound to the stored hash that it was verified against.  Replaces one that was
 * kept before.  Returns a PAM code.
 */
int sr_authtok_cache_put(pam_handle_t *pamh, const char *name, const char *user,
                         const char *secret, const char *password);

/*
 * Get it back: a new string for the caller to wipe, or NULL when none is kept
 * for this user and this stored hash (secret NULL: whatever the hash is).
 */
char *sr_authtok_cache_get(pam_handle_t *pamh, const char *name,
                           const char *user, const char *secret);

/* Wipe it. */
void sr_authtok_cache_drop(pam_handle_t *pamh, const char *name);

#endif
