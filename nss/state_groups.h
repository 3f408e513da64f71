/*
 * State groups: their ids, for selfreset-publish.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_STATE_GROUPS_H
#define SR_NSS_STATE_GROUPS_H

#include <stdint.h>

#include "policy/publish/view.h"

/* Find the ids of the state groups; 0 for those that are missing or not safe to
 * use, which is printed. */
void state_groups_find(uint32_t gid[SR_GROUP_COUNT]);

#endif
