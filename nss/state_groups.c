/*
 * State groups: their ids, for selfreset-publish.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "nss/report.h"
#include "nss/state_groups.h"
#include "policy/publish/groups.h"

void
state_groups_find(uint32_t gid[SR_GROUP_COUNT])
{
    struct sr_state_groups found;
    char text[200], advice[200];
    int error = sr_state_groups_read(NULL, NULL, gid, &found);

    if (error != 0) {
        publish_say("The groups of this host cannot be read: %s.",
                    strerror(error));
        return;
    }
    for (enum sr_group group = 0; group < SR_GROUP_COUNT; group++) {
        if (sr_state_group_say(group, &found.item[group], text, advice,
                               sizeof(text)))
            publish_say("%s  No account is shown in it.  %s", text, advice);
    }
}
