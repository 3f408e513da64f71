/*
 * Session: records of the logons on this host, by which a process proves that
 * its user is logged on.
 *
 * The login uid proves nothing: a process that has none can set any.  So a
 * logon (login, sshd, a display manager) records its session as root, in a
 * directory that is gone after a reboot, under the kernel's audit session id
 * (/proc/self/sessionid), which a process cannot choose: the kernel assigns a
 * new one whenever a login uid is set.  Cron jobs and user managers have ids of
 * their own, without a record.
 *
 * A record is an empty file whose name has everything: session id, uid, and the
 * pid and start time of the process that opened the session.  A record whose
 * process is gone counts no more, and is removed when the next is made.
 *
 * `rundir` and `proc` NULL: the built-in directory of this host, and /proc.
 * `process`: whose session it is, as an entry of /proc; NULL: the calling
 * process.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_SESSION_H
#define SR_POLICY_ACCOUNT_SESSION_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Record that the calling process has opened a session for `uid`.  pam_loginuid
 * must have run before.  Returns 0, -ENODATA when the kernel has given the
 * process no session id, or another negative errno.
 */
int sr_session_record(const char *rundir, const char *proc, uid_t uid);

/* Remove the records that the calling process made. */
void sr_session_forget(const char *rundir);

/*
 * Whether the process belongs to a session in which `uid` is logged on:
 * its session id has a record with that uid; or it is a process of the user's
 * own manager (user@UID.service), as programs of a desktop session are, and any
 * session of the user is open.
 */
bool sr_session_is_logged_on(const char *rundir, const char *proc,
                             const char *process, uid_t uid);

#endif
