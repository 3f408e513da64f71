/*
 * Kind: the names of flows.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/reset/kind.h"

enum sr_reset_kind
sr_reset_find(const char *name)
{
    static const char *const names[SR_RESET_KINDS] = {
        [SR_RESET_RESET] = "reset",     [SR_RESET_ENROLL] = "enroll",
        [SR_RESET_STATUS] = "status",   [SR_RESET_CODES] = "codes",
        [SR_RESET_REMOVE] = "remove",   [SR_RESET_REPORT] = "report",
        [SR_RESET_ACCEPT] = "accept",   [SR_RESET_DECLINE] = "decline",
        [SR_RESET_CONFIRM] = "confirm",
    };
    unsigned kind = 0;

    while (kind < SR_RESET_KINDS && strcmp(names[kind], name) != 0)
        kind++;
    return (enum sr_reset_kind)kind;
}
