/*
 * Nag: the line at a login that asks a user to set up self-service reset.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <unistd.h>

#include "pam/nag.h"
#include "policy/config/settings.h"
#include "policy/util/deadline.h"
#include "policy/wire/link.h"

#define HELPER_SOCKET SR_RUNDIR "/" SR_LINK_RESET

/* No login waits longer for it, in milliseconds. */
#define ANSWER_MS 2000

/* Ask the helper how ready the user is for a reset: the code of its answer, 0
 * where there is none. */
static int
ask_helper(const char *user, struct sr_wire *wire)
{
    const int64_t end = sr_deadline_now() + ANSWER_MS;
    const int fd = sr_link_connect(HELPER_SOCKET, end);
    int code = 0;

    if (fd < 0)
        return code;
    sr_wire_hello(wire);
    if (sr_link_send(fd, wire, end) == 0) {
        sr_wire_begin(wire, SR_WIRE_FLOW);
        sr_wire_put_text(wire, SR_WIRE_TEXT, SR_WIRE_IS_ENROLLED);
        sr_wire_put_text(wire, SR_WIRE_USER, user);
        if (sr_link_send(fd, wire, end) == 0 &&
            sr_link_receive(fd, wire, end) == 0 &&
            sr_wire_kind(wire) == SR_WIRE_END)
            code = (int)sr_wire_number(wire, SR_WIRE_CODE, 0);
    }
    close(fd);
    return code;
}

void
sr_nag(struct sr_pam_context *ctx)
{
    const struct sr_reset_config *reset = &ctx->config->reset;
    struct sr_wire *wire;
    int code;

    if (!ctx->txn.rules.reset_enable || !reset->nag ||
        !ctx->txn.rules.is_logon_service || !sr_context_knows(ctx))
        return;
    wire = calloc(1, sizeof(*wire));
    code = wire == NULL ? 0 : ask_helper(ctx->txn.name, wire);
    if (code != 0)
        sr_context_tell_text(ctx, PAM_TEXT_INFO,
                             code == SR_WIRE_OVERDUE ? SR_TEXT_RESET_OVERDUE
                                                     : SR_TEXT_RESET_NAG);
    free(wire);
}
