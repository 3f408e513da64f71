/*
 * Install: puts a snapshot of both views in place.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_INSTALL_H
#define SR_POLICY_PUBLISH_INSTALL_H

#include "policy/publish/builder.h"
#include "policy/publish/directory.h"

/*
 * Write the snapshots under `dir`, which is made if it is missing, and the
 * fallback beside them.  UNCHANGED: the installed snapshot is newer and stays.
 * `reason` (size bytes) is filled in on FAILED; on OK it may hold a warning.
 */
enum sr_publish_result sr_builder_commit(struct sr_builder *build,
                                         const char *dir, char *reason,
                                         size_t size);

#endif
