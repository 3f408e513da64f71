/*
 * Rewrite: replaces a system file in one step, with all that belongs to it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/util/io.h"
#include "policy/util/replace_file.h"
#include "tools/rewrite.h"
#include "tools/words.h"

/* No file of settings is larger. */
#define SIZE_LIMIT (1024 * 1024)

#define ASIDE ".selfreset.XXXXXX"

static const char *
say(int error)
{
    switch (error) {
    case ENOENT:
        return N_("There is no such file.");
    case ENOMEM:
        return N_("Out of memory.");
    case ENOSPC:
    case EDQUOT:
        return N_("The disk is full.");
    case EROFS:
        return N_("The file system is read-only.");
    case EACCES:
    case EPERM:
        return N_("The system does not permit it.");
    case ELOOP:
        return N_("Its links go in a circle.");
    default:
        return N_("It cannot be read or written.");
    }
}

/* The whole file as a string; returns 0 or an errno. */
static int
read_text(int fd, size_t size, char **text)
{
    ssize_t got;

    *text = calloc(1, size + 1);
    if (*text == NULL)
        return ENOMEM;
    got = sr_read_all(fd, *text, size);
    if (got < 0)
        return (int)-got;
    return (size_t)got == size ? 0 : EIO;
}

const char *
rewrite_read(const char *path, struct rewrite *file)
{
    int fd, error;

    memset(file, 0, sizeof(*file));
    if (realpath(path, file->path) == NULL)
        return say(errno);
    fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0)
        return say(errno);
    error = fstat(fd, &file->status) == 0 ? 0 : errno;
    if (error == 0 &&
        (!S_ISREG(file->status.st_mode) || file->status.st_size > SIZE_LIMIT)) {
        close(fd);
        return N_("It is no file of settings.");
    }
    if (error == 0)
        error = read_text(fd, (size_t)file->status.st_size, &file->text);
    close(fd);
    if (error == 0 && strlen(file->text) == (size_t)file->status.st_size)
        return NULL;
    rewrite_end(file);
    return error == 0 ? N_("It has bytes of value zero.") : say(error);
}

void
rewrite_end(struct rewrite *file)
{
    free(file->text);
    file->text = NULL;
}

static int
fill(const struct rewrite *file, int to, const char *text)
{
    int from = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    int error = from < 0 ? errno : -sr_write_all(to, text, strlen(text));

    if (error == 0)
        error = -sr_replace_file_copy_owner(from, to);
    if (error == 0 && fsync(to) != 0)
        error = errno;
    if (from >= 0)
        close(from);
    return error;
}

/* The folder of a file. */
static void
folder_of(const char *path, char folder[PATH_MAX])
{
    char *slash;

    snprintf(folder, PATH_MAX, "%s", path);
    slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
}

/* Whether only root can have written it, and it is still the file that was
 * read. */
static const char *
look_again(const struct rewrite *file, const char *folder)
{
    struct stat now, above;

    if (lstat(file->path, &now) != 0 || stat(folder, &above) != 0)
        return say(errno);
    if (now.st_uid != 0 || (now.st_mode & 022) != 0 || above.st_uid != 0 ||
        (above.st_mode & 022) != 0)
        return N_("Others than root can write it, or its folder.");
    if (now.st_dev != file->status.st_dev ||
        now.st_ino != file->status.st_ino ||
        now.st_size != file->status.st_size ||
        now.st_mtim.tv_sec != file->status.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != file->status.st_mtim.tv_nsec)
        return N_("Another program has just changed it.  Try again.");
    return NULL;
}

/* Write `text` aside with all that belongs to the file, and rename it to
 * `path`, which is in the same folder.  NULL, or a sentence. */
static const char *
put(const struct rewrite *file, const char *path, const char *text)
{
    char folder[PATH_MAX], aside[PATH_MAX + sizeof(ASIDE)];
    const char *why;
    int fd, error;

    folder_of(file->path, folder);
    why = look_again(file, folder);
    if (why != NULL)
        return why;
    snprintf(aside, sizeof(aside), "%s" ASIDE, file->path);
    fd = mkostemp(aside, O_CLOEXEC);
    if (fd < 0)
        return say(errno);
    error = fill(file, fd, text);
    close(fd);
    why = error == 0 ? look_again(file, folder) : say(error);
    if (why == NULL && rename(aside, path) != 0)
        why = say(errno);
    if (why != NULL)
        unlink(aside);
    else
        sr_replace_file_sync_folder(
            path); /* in place already: nothing more can be done */
    return why;
}

const char *
rewrite_replace(const struct rewrite *file, const char *text)
{
    return put(file, file->path, text);
}

const char *
rewrite_keep(const struct rewrite *file, const char *ending)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s%s", file->path, ending) >=
        sizeof(path))
        return say(ENAMETOOLONG);
    return put(file, path, file->text);
}

const char *
rewrite_make(const char *path, const char *text)
{
    char folder[PATH_MAX], aside[PATH_MAX + sizeof(ASIDE)];
    struct stat above;
    int fd, error;

    folder_of(path, folder);
    if (stat(folder, &above) != 0)
        return say(errno);
    if (above.st_uid != 0 || (above.st_mode & 022) != 0)
        return N_("Others than root can write its folder.");
    snprintf(aside, sizeof(aside), "%s" ASIDE, path);
    fd = mkostemp(aside, O_CLOEXEC);
    if (fd < 0)
        return say(errno);
    error = -sr_write_all(fd, text, strlen(text));
    if (error == 0 && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
        error = errno;
    close(fd);
    if (error == 0 && rename(aside, path) != 0)
        error = errno;
    if (error == 0)
        sr_replace_file_sync_folder(path); /* in place already */
    else
        unlink(aside);
    return error == 0 ? NULL : say(error);
}
