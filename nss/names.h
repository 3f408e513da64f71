/*
 * Names: the name under which an account of a directory is published, which is
 * the one that the name service of this host uses for it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_NAMES_H
#define SR_NSS_NAMES_H

#include "policy/decide/facts.h"

struct names; /* opaque */

/*
 * Begin: read the names of /etc/passwd.  `budget_ms` bounds the time in which
 * the name service is asked for other names, in all; when it has passed, names
 * are taken as the directory has them.  Returns 0 and *names, or a negative
 * errno.
 */
int names_new(int64_t budget_ms, struct names **names);
void names_free(struct names *names); /* NULL is allowed */

enum name_owner {
    NAME_IS_OWN,      /* of this account, or unknown to the name service */
    NAME_IS_ANOTHERS, /* the name service knows another uid under it */
};

/*
 * The name to publish an account under: the one that the name service answers
 * (pw_name) for the name in the facts with the same uid; or, where it does not
 * know that name, for the uid, if that is another spelling of it; or that name.
 * `other`: the account's other name, under which its state is unknown: the one
 * in the facts, or one that the name service has for the uid and that has
 * nothing in common with it; empty: there is none.  A name
 * that another account of this host has is never published for the directory's
 * account: a user who may add entries to a directory must not change the state
 * of accounts of this host.
 */
enum name_owner names_resolve(struct names *names, const struct sr_facts *facts,
                              char name[SR_NAME_MAX + 1],
                              char other[SR_NAME_MAX + 1]);

/* How many names the name service could not be asked for, because the time had
 * passed or because it reported an error. */
unsigned names_skipped(const struct names *names);

#endif
