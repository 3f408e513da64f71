/*
 * Reading: all accounts of one backend, read by a process of its own.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nss/collect.h"
#include "nss/reading.h"
#include "policy/backend/backend.h"
#include "policy/util/io.h"

/* The records of one backend: some four million accounts. */
#define BYTES_MAX ((size_t)512 << 20)

/* When memory is short, the kernel ends a reading rather than this process. */
#define OOM_FILE  "/proc/self/oom_score_adj"
#define OOM_SCORE "500"

/* ---- in the process that reads */

/* Records are sent in blocks of the size of a pipe. */
struct sender {
    int fd;
    size_t used;
    uint8_t block[65536];
};

static int
flush(struct sender *sender)
{
    const size_t used = sender->used;

    sender->used = 0;
    return sr_write_all(sender->fd, sender->block, used);
}

static int
send_record(void *context, const struct record *record)
{
    struct sender *sender = context;

    if (sizeof(sender->block) - sender->used < RECORD_ROOM &&
        flush(sender) != 0)
        return -1;
    sender->used += record_encode(record, sender->block + sender->used);
    return 0;
}

/* Signals and the death of the parent end this process. */
static void
prepare_child(pid_t parent)
{
    const int fd = open(OOM_FILE, O_WRONLY | O_CLOEXEC);
    sigset_t none;

    if (fd >= 0) {
        (void)sr_write_all(fd, OOM_SCORE, strlen(OOM_SCORE));
        close(fd);
    }

    sigemptyset(&none);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
}

static void __attribute__((noreturn))
run_child(const struct sr_config *config, const char *backend, pid_t parent,
          int fd)
{
    static struct sender sender;
    struct reading_result result;

    prepare_child(parent);
    sender.fd = fd;
    collect(config, backend, send_record, &sender, &result);
    if (flush(&sender) != 0)
        _exit(1);
    sender.used = record_encode_result(&result, sender.block);
    _exit(flush(&sender) == 0 ? 0 : 1);
}

/* ---- in the process that publishes */

static void
end(struct reading *reading, enum reading_end end, const char *reason)
{
    reading->has_ended = true;
    reading->result.end = end;
    snprintf(reading->result.reason, sizeof(reading->result.reason), "%s",
             reason);
}

/* Make room for `more` bytes. */
static bool
reserve(struct reading *reading, size_t more)
{
    size_t capacity = reading->capacity;
    uint8_t *grown;

    if (capacity - reading->used >= more)
        return true;
    capacity = capacity == 0 ? 65536 : capacity * 2;
    grown = capacity > BYTES_MAX ? NULL : realloc(reading->bytes, capacity);
    if (grown == NULL)
        return false;
    reading->bytes = grown;
    reading->capacity = capacity;
    return true;
}

static int
keep_record(void *context, const struct record *record)
{
    struct reading *reading = context;

    reading->is_full = !reserve(reading, RECORD_ROOM);
    if (reading->is_full)
        return -1;
    reading->used += record_encode(record, reading->bytes + reading->used);
    return 0;
}

static void
read_here(const struct sr_config *config, struct reading *reading)
{
    collect(config, reading->backend, keep_record, reading, &reading->result);
    reading->has_ended = true;
    if (reading->is_full)
        end(reading, READING_FAILED, "out of memory");
}

static void
start_child(const struct sr_config *config, struct reading *reading)
{
    const pid_t parent = getpid();
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        end(reading, READING_AWAY, strerror(errno));
        return;
    }
    fflush(NULL);
    reading->pid = fork();
    if (reading->pid == 0) {
        close(ends[0]);
        run_child(config, reading->backend, parent, ends[1]);
    }
    close(ends[1]);
    if (reading->pid < 0) {
        reading->pid = 0;
        close(ends[0]);
        end(reading, READING_AWAY, strerror(errno));
        return;
    }
    reading->fd = ends[0];
    fcntl(reading->fd, F_SETFL, O_NONBLOCK);
}

void
reading_start(const struct sr_config *config, const char *backend,
              struct reading *reading)
{
    memset(reading, 0, sizeof(*reading));
    reading->backend = backend;
    reading->fd = -1;
    if (strcmp(backend, SR_LOCAL) == 0)
        read_here(config, reading);
    else
        start_child(config, reading);
}

/* Wait for the process, which has closed its end of the pipe or was killed. */
static void
reap(struct reading *reading)
{
    if (reading->fd >= 0)
        close(reading->fd);
    reading->fd = -1;
    while (reading->pid > 0 && waitpid(reading->pid, NULL, 0) < 0 &&
           errno == EINTR)
        continue;
    reading->pid = 0;
}

/* The result is the last record; a process that crashed has sent none. */
static void
find_result(struct reading *reading)
{
    struct reading_result result;
    struct record record;
    size_t at = 0, used;
    enum record_kind kind = RECORD_NONE;

    while (kind != RECORD_RESULT &&
           (kind = record_decode(reading->bytes + at, reading->used - at, &used,
                                 &record, &result)) == RECORD_ACCOUNT)
        at += used;
    if (kind != RECORD_RESULT) {
        end(reading, READING_AWAY, "the process that reads it has ended");
        return;
    }
    reading->result = result;
    reading->used = at;
    reading->has_ended = true;
}

void
reading_continue(struct reading *reading)
{
    ssize_t got = 1;

    while (reading->fd >= 0 && got > 0) {
        if (!reserve(reading, 65536)) {
            reading_cancel(reading, "it lists too many accounts");
            return;
        }
        got = read(reading->fd, reading->bytes + reading->used, 65536);
        if (got > 0)
            reading->used += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    if (reading->fd < 0 || (got < 0 && errno == EAGAIN))
        return;
    reap(reading);
    find_result(reading);
}

void
reading_cancel(struct reading *reading, const char *reason)
{
    if (reading->pid > 0)
        kill(reading->pid, SIGKILL);
    reap(reading);
    if (!reading->has_ended)
        end(reading, READING_AWAY, reason);
}

int
reading_each(const struct reading *reading,
             int (*take)(void *context, const struct record *record),
             void *context)
{
    struct reading_result result;
    struct record record;
    size_t at = 0, used;
    int error = 0;

    while (error == 0 &&
           record_decode(reading->bytes + at, reading->used - at, &used,
                         &record, &result) == RECORD_ACCOUNT) {
        error = take(context, &record);
        at += used;
    }
    return error;
}

void
reading_free(struct reading *reading)
{
    reading_cancel(reading, "");
    free(reading->bytes);
    reading->bytes = NULL;
    reading->used = reading->capacity = 0;
}
