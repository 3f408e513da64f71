/*
 * Run: publishes all accounts of all backends.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_RUN_H
#define SR_NSS_RUN_H

#include <poll.h>

#include "nss/ledger_watch.h"
#include "policy/config/settings.h"
#include "policy/publish/directory.h"

struct run; /* opaque */

/*
 * Begin: start the readings of all backends.  Accounts that are published are
 * noted in `watch`, if it is not NULL.  NULL: out of memory.
 */
struct run *run_start(const struct sr_config *config, struct watch *watch,
                      bool is_verbose);

/* What to wait for: fills in at most the number of backends. */
size_t run_poll_fds(const struct run *run, struct pollfd *poll_fd);

/* How long to wait for that, in milliseconds. */
int run_wait_ms(const struct run *run);

/*
 * Continue.  When every reading has ended everything is published; when one
 * takes longer than the others, those are published first, together with what
 * was published before of the slow one.  Returns true when the run has ended,
 * with an exit code (report.h) in *status; what went wrong was printed and
 * logged.
 */
bool run_continue(struct run *run, int *status);

/* Whether a local file has changed since the run began: it has to be repeated.
 */
bool run_is_old(const struct run *run);

/* Print and log the result of publishing; `reason` is for FAILED.  Returns an
 * exit code. */
int run_conclude(enum sr_publish_result result, const char *reason);

/* End it; readings that are under way are killed.  NULL is allowed. */
void run_free(struct run *run);

#endif
