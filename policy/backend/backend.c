/*
 * Backend: what all kinds of backends share.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/backend.h"

void
sr_account_close(struct sr_account *account)
{
    if (account == NULL)
        return;
    if (account->secret != NULL)
        explicit_bzero(account->secret, strlen(account->secret));
    free(account->secret);
    free(account->gecos);
    free(account->entry);
    free(account->server_text);
    free(account);
}
