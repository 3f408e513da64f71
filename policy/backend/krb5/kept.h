/*
 * Kept: tickets of this host's own identity, in files that only root can read,
 * for the processes that follow.  No password is ever verified by one.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_KEPT_H
#define SR_POLICY_BACKEND_KRB5_KEPT_H

#include <krb5.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Whether a cache has a ticket for `server` that can be used for two minutes
 * more, by the clock of the KDC as far as it is known, and has begun, not
 * longer than `most` seconds ago (0: whenever).
 */
bool sr_krb5_kept_is_usable(krb5_context context, krb5_ccache cache,
                            krb5_principal server, int64_t most);

/* A cache in memory with what a file has, to be destroyed.  NULL: there is no
 * such file, others than root can read or write it, it is damaged, or its
 * ticket cannot be used. */
krb5_ccache sr_krb5_kept_load(krb5_context context, const char *path,
                              krb5_principal server, int64_t most);

/*
 * Keep what a cache has, in a new file, which then replaces `path`.  Where that
 * fails, nothing is kept.  Not to be called in a process that a user has
 * started, who could stop it or limit its files.
 */
void sr_krb5_kept_store(krb5_context context, krb5_ccache cache,
                        const char *path);

/* Remove the files of SR_RUNDIR with a prefix that were written more than so
 * many seconds ago. */
void sr_krb5_kept_prune(const char *prefix, int64_t seconds);

#endif
