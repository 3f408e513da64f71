/*
 * Session: records of the logons on this host.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/account/session.h"
#include "policy/util/safe_open.h"

#define NO_SESSION UINT32_MAX

struct record {
    uint32_t session;
    uid_t uid;
    pid_t pid;
    uint64_t started; /* by /proc/PID/stat */
};

/* ---- from the kernel */

static const char *
or_default(const char *name, const char *preset)
{
    return name != NULL ? name : preset;
}

/* The begin of a small file, with an end; its length, or -1. */
static ssize_t
read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (fd < 0)
        return -1;
    length = read(fd, text, size - 1);
    close(fd);
    text[length < 0 ? 0 : length] = '\0';
    return length;
}

/* The audit session id of a process; NO_SESSION: none. */
static uint32_t
session_id(const char *proc, const char *process)
{
    char path[PATH_MAX], text[16];
    unsigned long value;
    char *end;

    snprintf(path, sizeof(path), "%s/%s/sessionid", or_default(proc, "/proc"),
             or_default(process, "self"));
    if (read_file(path, text, sizeof(text)) <= 0)
        return NO_SESSION;
    errno = 0;
    value = strtoul(text, &end, 10);
    /* 0 is what kernels without audit report for every process. */
    if (errno != 0 || end == text || value == 0 || value > UINT32_MAX)
        return NO_SESSION;
    return (uint32_t)value;
}

/* When a process started, in clock ticks since boot; 0: there is none. */
static uint64_t
start_time(const char *proc, pid_t pid)
{
    char path[PATH_MAX], text[1024];
    const char *field;

    snprintf(path, sizeof(path), "%s/%ld/stat", or_default(proc, "/proc"),
             (long)pid);
    if (read_file(path, text, sizeof(text)) <= 0)
        return 0;
    /* Field 22; the second is a name in parentheses, which can hold any. */
    field = strrchr(text, ')');
    for (int i = 2; field != NULL && i < 22; i++)
        field = strchr(field + 1, ' ');
    return field == NULL ? 0 : strtoull(field, NULL, 10);
}

/* Whether a line of /proc/PROCESS/cgroup, "ID:CONTROLLERS:PATH", is of
 * systemd's hierarchy and has `unit` as a part of its path. */
static bool
is_in_unit(const char *line, const char *unit)
{
    const char *controllers = strchr(line, ':');
    const char *path =
        controllers == NULL ? NULL : strchr(controllers + 1, ':');
    const size_t length = strlen(unit);

    if (path == NULL || (path != controllers + 1 &&
                         strncmp(controllers, ":name=systemd:", 14) != 0))
        return false;
    for (const char *at = strstr(path, unit); at != NULL;
         at = strstr(at + 1, unit)) {
        if (at[-1] == '/' && (at[length] == '/' || at[length] == '\0'))
            return true;
    }
    return false;
}

static bool
is_of_user_manager(const char *proc, const char *process, uid_t uid)
{
    char path[PATH_MAX], unit[64], text[4096];
    char *rest = text;
    bool is_there = false;

    snprintf(path, sizeof(path), "%s/%s/cgroup", or_default(proc, "/proc"),
             or_default(process, "self"));
    snprintf(unit, sizeof(unit), "user@%ju.service", (uintmax_t)uid);
    if (read_file(path, text, sizeof(text)) <= 0)
        return false;
    while (rest != NULL && !is_there)
        is_there = is_in_unit(strsep(&rest, "\n"), unit);
    return is_there;
}

/* ---- records */

static bool
read_name(const char *name, struct record *record)
{
    unsigned long session, uid;
    long pid;
    int end = 0;

    if (sscanf(name, "%lu-%lu-%ld-%" SCNu64 "%n", &session, &uid, &pid,
               &record->started, &end) != 4 ||
        name[end] != '\0')
        return false;
    record->session = (uint32_t)session;
    record->uid = (uid_t)uid;
    record->pid = (pid_t)pid;
    return true;
}

/* The directory of records, open for reading, or NULL. */
static DIR *
open_records(const char *rundir)
{
    char path[PATH_MAX];
    struct stat status;
    DIR *records = NULL;
    int fd;

    snprintf(path, sizeof(path), "%s/sessions", or_default(rundir, SR_RUNDIR));
    fd = sr_safe_open(path, O_RDONLY | O_DIRECTORY, NULL);
    if (fd >= 0 && fstat(fd, &status) == 0 &&
        sr_safe_open_check(&status, S_IFDIR, 022))
        records = fdopendir(fd);
    if (records == NULL && fd >= 0)
        close(fd);
    return records;
}

/* The next record; false at the end. */
static bool
next_record(DIR *records, struct record *record, const char **name)
{
    const struct dirent *entry;

    while ((entry = readdir(records)) != NULL) {
        if (read_name(entry->d_name, record)) {
            *name = entry->d_name;
            return true;
        }
    }
    return false;
}

static bool
is_open(const char *proc, const struct record *record)
{
    return record->started != 0 &&
           start_time(proc, record->pid) == record->started;
}

/* Remove the records of processes that are gone. */
static void
prune(const char *rundir, const char *proc)
{
    DIR *records = open_records(rundir);
    struct record record;
    const char *name;

    while (records != NULL && next_record(records, &record, &name)) {
        if (!is_open(proc, &record))
            unlinkat(dirfd(records), name, 0);
    }
    if (records != NULL)
        closedir(records);
}

int
sr_session_record(const char *rundir, const char *proc, uid_t uid)
{
    const uint32_t session = session_id(proc, NULL);
    const uint64_t started = start_time(proc, getpid());
    char path[PATH_MAX];
    int result, fd;

    if (session == NO_SESSION || started == 0)
        return -ENODATA;
    rundir = or_default(rundir, SR_RUNDIR);
    snprintf(path, sizeof(path), "%s/sessions", rundir);
    result = sr_safe_make_dir(rundir, SR_SAFE_OF_ALL);
    if (result == 0)
        result = sr_safe_make_dir(path, SR_SAFE_OF_ROOT);
    if (result != 0)
        return result;
    prune(rundir, proc);
    snprintf(path, sizeof(path), "%s/sessions/%" PRIu32 "-%ju-%ld-%" PRIu64,
             rundir, session, (uintmax_t)uid, (long)getpid(), started);
    fd = sr_safe_open(path, O_WRONLY | O_CREAT, NULL);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

void
sr_session_forget(const char *rundir)
{
    DIR *records = open_records(rundir);
    struct record record;
    const char *name;

    while (records != NULL && next_record(records, &record, &name)) {
        if (record.pid == getpid())
            unlinkat(dirfd(records), name, 0);
    }
    if (records != NULL)
        closedir(records);
}

bool
sr_session_is_logged_on(const char *rundir, const char *proc,
                        const char *process, uid_t uid)
{
    const uint32_t session = session_id(proc, process);
    const bool is_managed = is_of_user_manager(proc, process, uid);
    DIR *records = uid == (uid_t)-1 ? NULL : open_records(rundir);
    struct record record;
    const char *name;
    bool is_proved = false;

    while (records != NULL && !is_proved &&
           next_record(records, &record, &name))
        is_proved = record.uid == uid &&
                    ((session != NO_SESSION && record.session == session) ||
                     is_managed) &&
                    is_open(proc, &record);
    if (records != NULL)
        closedir(records);
    return is_proved;
}
