/*
 * Files: finds the files of the configuration and reads them safely.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_FILES_H
#define SR_POLICY_CONFIG_FILES_H

#include <stddef.h>

#include "policy/config/errors.h"
#include "policy/config/stamps.h"

/* Called for each file; `bytes` may be changed, and bytes[size] exists. */
struct sr_files_visitor {
    void (*visit)(void *context, const char *name, char *bytes, size_t size);
    void *context;
};

#define SR_FILES_PATHS_MAX 3

/*
 * Read the first of the paths that exists, then the drop-ins PATH.d/ *.conf of
 * all paths in the order of their names.  Of drop-ins with one name that of the
 * first path counts, as with systemd's.  None need exist if `may_miss`, else
 * one of the paths must.
 *
 * Each path that was examined is in the stamps: the configuration is the
 * same while they are current.
 *
 * A file or folder that another user than root owns or can write, a symbolic
 * link, what is not a regular file, and a file above 16 MiB is an error.
 */
void sr_files_read(const char *const paths[], size_t count, bool may_miss,
                   const struct sr_files_visitor *visitor,
                   struct sr_stamps *stamps, struct sr_config_errors *errors);

#endif
