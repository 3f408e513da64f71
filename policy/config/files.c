/*
 * Files: finds the files of the configuration and reads them safely.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/config/files.h"
#include "policy/util/error.h"
#include "policy/util/io.h"
#include "policy/util/words.h"

#define FILE_MAX (16 << 20) /* bytes; bounds a login's memory */

#define FREED __attribute__((cleanup(free_text)))

/* A drop-in, and the folder that it is in. */
struct dropin {
    char *name;
    size_t folder;
};

/* What the functions below need of the caller's. */
struct reader {
    const struct sr_files_visitor *visitor;
    struct sr_stamps *stamps;
    struct sr_config_errors *errors;
};

/* The drop-ins of all folders. */
struct dropins {
    struct dropin *item;
    size_t count;
    int fd[SR_FILES_PATHS_MAX]; /* -1: there is no such folder */
};

static void
free_text(char **text)
{
    free(*text);
}

static void
close_file(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* What the last system call answered. */
#define SYSTEM_ERROR(errors, name, format)                                     \
    sr_config_error(errors, name, 0, format,                                   \
                    sr_config_words(errors, sr_strerror(errno)))

/* Whether only root can have written a file or folder, which is noted. */
static bool
is_safe(const struct reader *reader, int fd, const char *name, mode_t type,
        struct stat *status)
{
    struct sr_config_errors *errors = reader->errors;
    const bool is_looked_at = fstat(fd, status) == 0;

    if (is_looked_at)
        sr_stamps_add(reader->stamps, name, status);
    if (!is_looked_at)
        SYSTEM_ERROR(errors, name, N_LOG("cannot be looked at: %s"));
    else if (type == S_IFREG && !S_ISREG(status->st_mode))
        sr_config_error(errors, name, 0, N_LOG("is not a regular file"));
    else if (status->st_uid != 0)
        sr_config_error(errors, name, 0,
                        N_LOG("belongs to uid %u, but must be root's"),
                        (unsigned)status->st_uid);
    else if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        sr_config_error(errors, name, 0,
                        N_LOG("can be written by others than root (mode %04o)"),
                        (unsigned)status->st_mode & 07777U);
    else if (type == S_IFREG && status->st_size > FILE_MAX)
        sr_config_error(errors, name, 0,
                        N_LOG("is larger than a configuration can be"));
    else
        return true;
    return false;
}

static void
read_open_file(const struct reader *reader, int fd, const char *name)
{
    FREED char *bytes = NULL;
    struct stat status;
    ssize_t size;

    if (!is_safe(reader, fd, name, S_IFREG, &status))
        return;
    bytes = malloc((size_t)status.st_size + 1);
    if (bytes == NULL) {
        reader->errors->out_of_memory = true;
        return;
    }
    size = sr_read_all(fd, bytes, (size_t)status.st_size);
    if (size < 0)
        SYSTEM_ERROR(reader->errors, name, N_LOG("cannot be read: %s"));
    else
        reader->visitor->visit(reader->visitor->context, name, bytes,
                               (size_t)size);
}

/* Returns false when there is no such file, which is an error unless it may
 * miss.  O_NONBLOCK: a FIFO in the file's place must not block a login. */
static bool
read_file(const struct reader *reader, int directory, const char *entry,
          const char *name, bool may_miss)
{
    __attribute__((cleanup(close_file))) int fd =
        openat(directory, entry,
               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd >= 0) {
        read_open_file(reader, fd, name);
    } else if (errno == ENOENT && may_miss) {
        sr_stamps_add(reader->stamps, name, NULL);
        return false;
    } else if (errno == ELOOP) {
        sr_config_error(reader->errors, name, 0,
                        N_LOG("is a symbolic link, which is not followed"));
    } else {
        SYSTEM_ERROR(reader->errors, name, N_LOG("cannot be opened: %s"));
    }
    return true;
}

/* ---- drop-ins */

static bool
is_dropin(const char *name)
{
    size_t length = strlen(name);

    return name[0] != '.' && length > 5 &&
           strcmp(name + length - 5, ".conf") == 0;
}

/* Add a drop-in unless a folder before this one has its name. */
static void
add_dropin(struct dropins *dropins, const char *name, size_t folder,
           struct sr_config_errors *errors)
{
    struct dropin *grown;

    for (size_t i = 0; i < dropins->count; i++) {
        if (strcmp(dropins->item[i].name, name) == 0)
            return;
    }
    grown = reallocarray(dropins->item, dropins->count + 1, sizeof(*grown));
    if (grown != NULL) {
        dropins->item = grown;
        grown[dropins->count] = (struct dropin){strdup(name), folder};
    }
    if (grown == NULL || grown[dropins->count].name == NULL)
        errors->out_of_memory = true;
    else
        dropins->count++;
}

/* List a folder.  Not by opendir(3), which makes three more system calls: this
 * is a part of every login. */
static void
list_dropins(struct dropins *dropins, const char *name, size_t folder,
             struct sr_config_errors *errors)
{
    _Alignas(struct dirent64) char entries[4096];
    const int fd = dropins->fd[folder];
    const struct dirent64 *entry;
    ssize_t size;

    while ((size = getdents64(fd, entries, sizeof(entries))) > 0) {
        for (ssize_t at = 0; at < size; at += entry->d_reclen) {
            entry = (const void *)(entries + at);
            if (is_dropin(entry->d_name))
                add_dropin(dropins, entry->d_name, folder, errors);
        }
    }
    if (size < 0)
        SYSTEM_ERROR(errors, name, N_LOG("cannot be listed: %s"));
}

static void
find_dropins(const struct reader *reader, struct dropins *dropins,
             const char *path, size_t folder)
{
    struct sr_config_errors *errors = reader->errors;
    FREED char *name = sr_format("%s.d", path);
    struct stat status;

    dropins->fd[folder] = -1;
    if (name == NULL) {
        errors->out_of_memory = true;
        return;
    }
    dropins->fd[folder] =
        open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);
    if (dropins->fd[folder] >= 0) {
        if (is_safe(reader, dropins->fd[folder], name, S_IFDIR, &status))
            list_dropins(dropins, name, folder, errors);
    } else if (errno == ENOENT) {
        sr_stamps_add(reader->stamps, name, NULL);
    } else {
        SYSTEM_ERROR(errors, name, N_LOG("cannot be opened: %s"));
    }
}

static int
compare_dropins(const void *a, const void *b)
{
    return strcmp(((const struct dropin *)a)->name,
                  ((const struct dropin *)b)->name);
}

static void
read_dropins(const struct reader *reader, const char *const paths[],
             size_t count)
{
    struct dropins dropins = {0};

    for (size_t i = 0; i < count; i++)
        find_dropins(reader, &dropins, paths[i], i);
    if (dropins.count > 1)
        qsort(dropins.item, dropins.count, sizeof(dropins.item[0]),
              compare_dropins);
    for (size_t i = 0; i < dropins.count; i++) {
        const struct dropin *dropin = &dropins.item[i];
        FREED char *name =
            sr_format("%s.d/%s", paths[dropin->folder], dropin->name);

        if (name == NULL)
            reader->errors->out_of_memory = true;
        else
            (void)read_file(reader, dropins.fd[dropin->folder], dropin->name,
                            name, true);
        free(dropin->name);
    }
    free(dropins.item);
    for (size_t i = 0; i < count; i++)
        close_file(&dropins.fd[i]);
}

void
sr_files_read(const char *const paths[], size_t count, bool may_miss,
              const struct sr_files_visitor *visitor, struct sr_stamps *stamps,
              struct sr_config_errors *errors)
{
    const struct reader reader = {visitor, stamps, errors};

    for (size_t i = 0; i < count; i++) {
        if (read_file(&reader, AT_FDCWD, paths[i], paths[i], may_miss))
            break;
    }
    read_dropins(&reader, paths, count);
}
