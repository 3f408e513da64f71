/*
 * Caller: the process that a call is made for, and whether the call is made
 * here at all.
 *
 * In the module the caller is the process that the module is in: caller.c, and
 * hand_over.c, which gives a call to selfreset-helper where this process cannot
 * answer it.  The helper serves another process: served.c.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_PAM_CALLER_H
#define SR_PAM_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <security/pam_modules.h>

struct sr_config;
struct sr_pam_context;

struct sr_pam_caller {
    uid_t real_uid;
    bool is_trusted;     /* it has root's rights, or is asked by who has */
    const char *process; /* its entry of /proc; NULL: this process */
    bool keeps_tickets;  /* what a verified password leaves can reach it */
};

/* Who calls. */
void sr_caller_find(const pam_handle_t *pamh, struct sr_pam_caller *caller);

/* The terminal that the caller runs on, or an empty text. */
void sr_caller_terminal(const pam_handle_t *pamh, char *terminal, size_t size);

/*
 * Whether the call was made by selfreset-helper, with *code as its answer.
 * Asked twice: before anything is read (`config` NULL), for a process without
 * root's rights and for a handle that the helper serves already; and with the
 * configuration, which says what has to be reached.
 */
bool sr_hand_over(struct sr_pam_context *ctx, const struct sr_config *config,
                  int *code);

#endif
