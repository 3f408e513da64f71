/*
 * I/O: reading and writing as many bytes as are wanted.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_IO_H
#define SR_POLICY_UTIL_IO_H

#include <sys/types.h>

/* Write all bytes.  Returns 0 or a negative errno. */
int sr_write_all(int fd, const void *bytes, size_t size);

/* Read until the end or until there are `size` bytes, which are not asked for
 * again.  Returns how many there were, or a negative errno. */
ssize_t sr_read_all(int fd, void *bytes, size_t size);

#endif
