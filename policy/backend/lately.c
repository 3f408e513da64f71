/*
 * Lately: what logins of this host have found out about servers, for the logins
 * that follow.
 *
 * Each record is a symbolic link whose target is the time at which it ends, and
 * a text: it is made in one step, whatever file size limit the caller has, and
 * is never there in part.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/backend/lately.h"
#include "policy/util/deadline.h"
#include "policy/util/safe_open.h"
#include "policy/util/siphash.h"

#define NAME_SIZE 40

const struct sr_lately_kind sr_lately_silent = {"silent", 60000};
const struct sr_lately_kind sr_lately_changed = {"changed", 900000};
const struct sr_lately_kind sr_lately_unused = {"unused", 900000};

/* The directory, and the link's name in it; the descriptor or a negative errno.
 */
static int
open_memory(const struct sr_lately_kind *kind, const char *key,
            char name[NAME_SIZE])
{
    static const uint8_t plain[16] = {0};
    int dir = sr_safe_open(SR_RUNDIR, O_RDONLY | O_DIRECTORY, NULL);
    struct stat status;

    snprintf(name, NAME_SIZE, "%s:%016llx", kind->name,
             (unsigned long long)sr_siphash(plain, key, strlen(key)));
    if (dir >= 0 && (fstat(dir, &status) != 0 ||
                     !sr_safe_open_check(&status, S_IFDIR, 022))) {
        close(dir);
        return -EPERM;
    }
    return dir;
}

bool
sr_lately_find(const struct sr_lately_kind *kind, const char *key, char *text,
               size_t size)
{
    char name[NAME_SIZE], target[320] = "", *end;
    int dir = open_memory(kind, key, name);
    int64_t left;
    ssize_t length;

    if (dir < 0)
        return false;
    length = readlinkat(dir, name, target, sizeof(target) - 1);
    close(dir);
    if (length <= 0)
        return false;
    left = strtoll(target, &end, 10) - sr_deadline_now();
    if (left <= 0 || left > kind->lasts || *end != ' ')
        return false;
    return text == NULL || snprintf(text, size, "%s", end + 1) < (int)size;
}

void
sr_lately_set(const struct sr_lately_kind *kind, const char *key,
              const char *text)
{
    char name[NAME_SIZE], target[320];
    int dir;

    if (text != NULL && sr_safe_make_dir(SR_RUNDIR, SR_SAFE_OF_ALL) != 0)
        return;
    dir = open_memory(kind, key, name);
    if (dir < 0)
        return;
    unlinkat(dir, name, 0);
    /* Another process may have been quicker: then it is remembered, too. */
    if (text != NULL &&
        snprintf(target, sizeof(target), "%lld %s",
                 (long long)(sr_deadline_now() + kind->lasts),
                 text) < (int)sizeof(target) &&
        symlinkat(target, dir, name) != 0)
        errno = 0;
    close(dir);
}
