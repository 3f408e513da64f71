/*
 * Acl: the access list of what is published.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_ACL_H
#define SR_NSS_ACL_H

#include "policy/publish/format.h"

/*
 * Set the access list of a file or directory of a view: polkitd, which asks for
 * groups under a user of its own, may read the groups view.  See `grant` in
 * policy/publish/builder.h.  Returns 0 or a negative errno.
 */
int acl_set(int fd, enum sr_view view, bool is_dir, bool is_public);

#endif
