/*
 * Queue: messages of self-service reset that are to be sent.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "policy/config/keys.h"
#include "policy/report/event.h"
#include "policy/reset/enrolment.h"
#include "policy/reset/queue.h"
#include "policy/util/deadline.h"
#include "policy/util/error.h"
#include "policy/util/file_lock.h"
#include "policy/util/io.h"
#include "policy/util/program.h"
#include "policy/util/safe_open.h"

#define FOLDER     SR_RESET_STATEDIR "/queue"
#define FORMAT     "selfreset queue 1"
#define SEND_MS    15000
#define UNFINISHED 3600 /* seconds in which a file is written at the latest */
#define WORDS_MAX  32   /* of the program's line */
#define NO_ADDRESS 65   /* EX_DATAERR */
#define NO_USER    67   /* EX_NOUSER */
#define NO_CONFIG  78   /* EX_CONFIG */
#define SIGNALLED  128

bool
sr_queue_is_address(const char *text)
{
    const char *at = strchr(text, '@');

    if (at == NULL || at == text || strchr(at + 1, '@') != NULL ||
        text[0] == '-' || strlen(text) > 254 || at[1] == '\0' || at[1] == '.' ||
        text[strlen(text) - 1] == '.' || strstr(at, "..") != NULL)
        return false;
    for (const char *byte = text; *byte != '\0'; byte++) {
        if ((unsigned char)*byte <= ' ' || (unsigned char)*byte >= 127 ||
            strchr("<>()[],;:\\\"`|%!", *byte) != NULL)
            return false;
    }
    return true;
}

/* ---- files */

/* The folder's descriptor, or a negative errno. */
static int
open_folder(bool makes)
{
    int fd, error = makes ? sr_safe_make_dir(FOLDER, SR_SAFE_OF_ROOT) : 0;

    if (error != 0)
        return error;
    fd = sr_safe_open(FOLDER, O_RDONLY | O_DIRECTORY, NULL);
    return fd;
}

/* Write it under a name that no reader looks at, then under its own. */
static int
write_file(int folder, const char *bytes, size_t size)
{
    char name[64], hidden[65];
    uint64_t dice;
    int fd, error;

    if (getrandom(&dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
        return -EIO;
    snprintf(name, sizeof(name), "%" PRId64 "-%016" PRIx64, (int64_t)time(NULL),
             dice);
    snprintf(hidden, sizeof(hidden), ".%s", name);
    fd = sr_safe_open_at(folder, hidden, O_WRONLY | O_CREAT | O_EXCL, NULL);
    if (fd < 0)
        return fd;
    error = sr_write_all(fd, bytes, size);
    if (error == 0 && fsync(fd) != 0)
        error = -errno;
    close(fd);
    if (error == 0 && renameat(folder, hidden, folder, name) != 0)
        error = -errno;
    if (error != 0)
        unlinkat(folder, hidden, 0);
    return error;
}

int
sr_queue_put(const struct sr_queued *queued)
{
    const int folder = open_folder(true);
    char bytes[SR_QUEUE_MAX];
    int size, error;

    if (folder < 0)
        return folder;
    size = snprintf(bytes, sizeof(bytes),
                    FORMAT "\n%" PRId64 "\n%s%s%s\n%s\n%s\n\n%s", queued->until,
                    queued->channel == SR_CHANNEL_MAIL
                        ? ""
                        : sr_channel_names[queued->channel],
                    queued->channel == SR_CHANNEL_MAIL ? "" : " ",
                    queued->is_code ? "code" : "notice", queued->ref,
                    queued->user, queued->message);
    error = size < 0 || (size_t)size >= sizeof(bytes)
                ? -E2BIG
                : write_file(folder, bytes, (size_t)size);
    explicit_bzero(bytes, sizeof(bytes));
    close(folder);
    return error;
}

/* The next line, which is ended; NULL: there is none. */
static char *
take_line(char **at)
{
    char *line = *at, *end = line == NULL ? NULL : strchr(line, '\n');

    if (end == NULL)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return line;
}

static bool
take_text(char **at, char *out, size_t size)
{
    const char *line = take_line(at);

    return line != NULL && strlen(line) < size &&
           snprintf(out, size, "%s", line) >= 0;
}

/* A kind: of which channel, which is mail where none is named. */
static bool
read_kind(const char *kind, struct sr_queued *queued)
{
    for (int i = SR_CHANNEL_MAIL + 1; kind != NULL && i < SR_CHANNELS; i++) {
        const size_t length = strlen(sr_channel_names[i]);

        if (strncmp(kind, sr_channel_names[i], length) == 0 &&
            kind[length] == ' ') {
            queued->channel = (enum sr_channel_id)i;
            kind += length + 1;
            break;
        }
    }
    queued->is_code = kind != NULL && strcmp(kind, "code") == 0;
    return queued->is_code || (kind != NULL && strcmp(kind, "notice") == 0);
}

bool
sr_queue_parse(char *bytes, struct sr_queued *queued)
{
    char *at = bytes, *end, *line = take_line(&at);

    memset(queued, 0, sizeof(*queued));
    if (line == NULL || strcmp(line, FORMAT) != 0)
        return false;
    line = take_line(&at);
    if (line == NULL || line[0] < '0' || line[0] > '9')
        return false;
    errno = 0;
    queued->until = strtoll(line, &end, 10);
    if (*end != '\0' || errno != 0 || !sr_time_is_sound(queued->until))
        return false;
    if (!read_kind(take_line(&at), queued) ||
        !take_text(&at, queued->ref, sizeof(queued->ref)) ||
        !take_text(&at, queued->user, sizeof(queued->user)))
        return false;
    line = take_line(&at);
    queued->message = at;
    return line != NULL && line[0] == '\0' && at[0] != '\0';
}

/* ---- sending */

/* The words of the program's line, in `line`, which is changed. */
static void
split(char *line, const char *word[WORDS_MAX + 1])
{
    size_t count = 0;
    char *rest = NULL;

    for (char *at = strtok_r(line, " \t", &rest);
         at != NULL && count < WORDS_MAX; at = strtok_r(NULL, " \t", &rest))
        word[count++] = at;
    word[count] = NULL;
}

int
sr_queue_run(const struct sr_config *config, enum sr_channel_id id,
             const char *message)
{
    const struct sr_channel_config *channel = &config->reset.channel[id];
    const char *word[WORDS_MAX + 1];
    char line[4096];
    const struct passwd *user =
        channel->user == NULL ? NULL : getpwnam(channel->user);
    struct sr_program program = {.argv = word,
                                 .input = message,
                                 .output = -1,
                                 .messages = -1,
                                 .is_bounded = id != SR_CHANNEL_MAIL};

    if (user == NULL || user->pw_uid == 0 || channel->program == NULL)
        return NO_CONFIG;
    snprintf(line, sizeof(line), "%s", channel->program);
    split(line, word);
    if (word[0] == NULL)
        return NO_CONFIG;
    program.uid = user->pw_uid;
    program.gid = user->pw_gid;
    program.end = sr_deadline_now() + SEND_MS;
    return sr_program_run(&program);
}

static void
tell(const struct sr_queued *queued, enum sr_event_id id, int status)
{
    char cause[80];
    const char *name = sr_channel_names[queued->channel];
    const struct sr_event event = {.id = id,
                                   .user = queued->user,
                                   .uid = (uid_t)-1,
                                   .service = "selfreset",
                                   .channel = "reset",
                                   .result = "failed",
                                   .cause = cause,
                                   .ref = queued->ref,
                                   .pam_code = -1};

    if (status == 0)
        snprintf(cause, sizeof(cause), "%s: too old", name);
    else if (status < 0)
        snprintf(cause, sizeof(cause), "%s: %s", name, sr_strerror(-status));
    else if (status > SIGNALLED)
        snprintf(cause, sizeof(cause), "%s: signal %d", name,
                 status - SIGNALLED);
    else
        snprintf(cause, sizeof(cause), "%s: exit %d", name, status);
    sr_event_send(&event);
}

/* One run through the queue. */
struct sending {
    const struct sr_config *config;
    bool is_hung[SR_CHANNELS]; /* the channel's program */
    struct sr_queue_result *result;
};

/* One file that is locked: whether it may go. */
static bool
send_one(struct sending *sending, const struct sr_queued *queued)
{
    struct sr_queue_result *result = sending->result;
    int status = 0;
    bool is_over = queued->until <= (sr_time)time(NULL);

    if (!is_over && !sending->is_hung[queued->channel]) {
        bool is_nowhere;

        status =
            sr_queue_run(sending->config, queued->channel, queued->message);
        is_nowhere = status == NO_ADDRESS || status == NO_USER;
        if (status == 0) {
            result->sent++;
            return true;
        }
        result->status = status;
        sending->is_hung[queued->channel] = status == -ETIMEDOUT;
        tell(queued,
             is_nowhere ? SR_EVENT_BAD_DESTINATION : SR_EVENT_SEND_FAILED,
             status);
        is_over = is_nowhere || status == NO_CONFIG;
    }
    if (!is_over) {
        result->left++;
        return false;
    }
    result->given_up++;
    if (!queued->is_code)
        tell(queued, SR_EVENT_NOTICE_FAILED, status);
    return true;
}

static void
send_file(struct sending *sending, int folder, const char *name)
{
    int fd = sr_safe_open_at(folder, name, O_RDWR, NULL);
    char bytes[SR_QUEUE_MAX + 1];
    struct sr_queued queued;
    struct stat status;
    ssize_t size;

    if (fd < 0)
        return;
    /* Locked: another process sends it.  Without a name: it has sent it. */
    if (sr_file_lock_take(fd, true, 0) == 0 && fstat(fd, &status) == 0 &&
        status.st_nlink == 1 && sr_safe_open_check(&status, S_IFREG, 077) &&
        (size = sr_read_all(fd, bytes, sizeof(bytes) - 1)) >= 0) {
        bytes[size] = '\0';
        if (!sr_queue_parse(bytes, &queued) || send_one(sending, &queued))
            unlinkat(folder, name, 0);
    }
    explicit_bzero(bytes, sizeof(bytes));
    close(fd);
}

/* The entries of the folder, or NULL with *error, which is 0 where there is no
 * folder. */
static DIR *
open_entries(int *folder, int *error)
{
    DIR *entries;

    *folder = open_folder(false);
    *error = *folder < 0 && *folder != -ENOENT ? *folder : 0;
    entries = *folder < 0 ? NULL : fdopendir(*folder);
    if (*folder >= 0 && entries == NULL) {
        *error = -errno;
        close(*folder);
    }
    return entries;
}

/* From the entry on that comes next. */
static unsigned
count_entries(DIR *entries)
{
    const struct dirent *entry;
    unsigned count = 0;

    while ((entry = readdir(entries)) != NULL)
        count += entry->d_name[0] != '.';
    return count;
}

int
sr_queue_count(unsigned *count, sr_time *since)
{
    int folder, error;
    DIR *entries = open_entries(&folder, &error);
    const struct dirent *entry;

    *count = 0;
    *since = SR_TIME_UNKNOWN;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        const sr_time when = strtoll(entry->d_name, NULL, 10);

        if (entry->d_name[0] == '.')
            continue;
        ++*count;
        if (sr_time_is_sound(when) && when > 0 &&
            (*since == SR_TIME_UNKNOWN || when < *since))
            *since = when;
    }
    if (entries != NULL)
        closedir(entries);
    return error;
}

/* A file that was never finished: its process was stopped, or another clock was
 * right then.  It may have a code. */
static void
drop_unfinished(int folder, const char *name)
{
    const sr_time since = strtoll(name + 1, NULL, 10), now = time(NULL);

    if (name[1] >= '0' && name[1] <= '9' &&
        (since < now - UNFINISHED || since > now + UNFINISHED))
        unlinkat(folder, name, 0);
}

int
sr_queue_send(const struct sr_config *config, struct sr_queue_result *result)
{
    int folder, error;
    DIR *entries = open_entries(&folder, &error);
    const struct dirent *entry;
    struct sending sending = {.config = config, .result = result};
    unsigned count, from = 0, dice = 0;

    memset(result, 0, sizeof(*result));
    /* From anywhere on: a program that hangs ends the run of its channel, and
     * must not do so at the same message each time. */
    count = entries == NULL ? 0 : count_entries(entries);
    if (count > 0 && getrandom(&dice, sizeof(dice), 0) == (ssize_t)sizeof(dice))
        from = dice % count;
    for (int pass = 0; entries != NULL && pass < 2; pass++) {
        rewinddir(entries);
        for (unsigned i = 0; (entry = readdir(entries)) != NULL;
             i += entry->d_name[0] != '.') {
            if (entry->d_name[0] == '.')
                drop_unfinished(folder, entry->d_name);
            else if ((i >= from) == (pass == 0))
                send_file(&sending, folder, entry->d_name);
        }
    }
    if (entries != NULL)
        closedir(entries);
    return error;
}
