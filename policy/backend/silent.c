/*
 * Silent: which servers have lately kept a login of this host waiting.
 *
 * Each record is a symbolic link whose target is the time at which it ends: it
 * is made in one step, whatever file size limit the caller has, and is never
 * there in part.
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

#include "policy/backend/silent.h"
#include "policy/util/deadline.h"
#include "policy/util/safe_open.h"
#include "policy/util/siphash.h"

/* How long a server that timed out is tried after the others. */
#define SILENT_MS 60000

/* The directory, and the link's name in it; the descriptor or a negative errno.
 */
static int
open_memory(const char *uri, char name[32])
{
    static const uint8_t key[16] = {0};
    int dir = sr_safe_open(SR_RUNDIR, O_RDONLY | O_DIRECTORY, NULL);
    struct stat status;

    snprintf(name, 32, "silent:%016llx",
             (unsigned long long)sr_siphash(key, uri, strlen(uri)));
    if (dir >= 0 && (fstat(dir, &status) != 0 ||
                     !sr_safe_open_check(&status, S_IFDIR, 022))) {
        close(dir);
        return -EPERM;
    }
    return dir;
}

bool
sr_silent_is(const char *uri)
{
    char name[32], text[24] = "";
    int dir = open_memory(uri, name);
    int64_t left;
    ssize_t size;

    if (dir < 0)
        return false;
    size = readlinkat(dir, name, text, sizeof(text) - 1);
    close(dir);
    if (size <= 0)
        return false;
    left = strtoll(text, NULL, 10) - sr_deadline_now();
    return left > 0 && left <= SILENT_MS;
}

void
sr_silent_set(const char *uri, bool is_silent)
{
    char name[32], text[24];
    int dir;

    if (is_silent && sr_safe_make_dir(SR_RUNDIR) != 0)
        return;
    dir = open_memory(uri, name);
    if (dir < 0)
        return;
    unlinkat(dir, name, 0);
    snprintf(text, sizeof(text), "%lld",
             (long long)(sr_deadline_now() + SILENT_MS));
    /* Another process may have been quicker: then it is remembered, too. */
    if (is_silent && symlinkat(text, dir, name) != 0)
        errno = 0;
    close(dir);
}
