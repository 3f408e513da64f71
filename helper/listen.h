/*
 * Listen: the socket of the helper, for hosts whose init does not listen.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_HELPER_LISTEN_H
#define SR_HELPER_LISTEN_H

#define LISTEN_PATHS 2

/*
 * Listen at these paths, and call serve() with each connection in a process of
 * its own, until SIGTERM or SIGINT.  Returns 0, or a negative errno:
 * -EADDRINUSE when another process listens there.
 */
int helper_listen(const char *const paths[LISTEN_PATHS], void (*serve)(int fd));

#endif
