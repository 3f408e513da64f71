/*
 * Secret file: passwords and keytabs of this host, in files that only root can
 * have written.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/util/error.h"
#include "policy/util/secret_file.h"

#define SECRET_MAX 1024
#define KEYTAB_MAX (1 << 20)

void
sr_secret_file_free(char **secret)
{
    if (*secret != NULL)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

static void
close_file(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Only root may write it, and only root and its group may read it. */
static bool
is_safe(const char *path, struct sr_error *error, const struct stat *status,
        off_t most)
{
    if (!S_ISREG(status->st_mode))
        sr_error_set(error, SR_ERROR_IDENTITY, "%s is not a regular file",
                     path);
    else if (status->st_uid != 0)
        sr_error_set(error, SR_ERROR_IDENTITY, "%s is not root's", path);
    else if ((status->st_mode & 0137) != 0)
        sr_error_set(error, SR_ERROR_IDENTITY,
                     "%s has mode %04o, and must have 0600 or 0640", path,
                     (unsigned)status->st_mode & 07777);
    else if (status->st_size > most)
        sr_error_set(error, SR_ERROR_IDENTITY,
                     "%s is longer than a secret can be", path);
    else
        return true;
    return false;
}

/* Open a file of secrets, with `flags` of open(2); the descriptor, or -1 and
 * the reason is said. */
static int
open_safe(const char *path, int flags, off_t most, struct sr_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0)
        sr_error_set(error, SR_ERROR_IDENTITY,
                     errno == ELOOP
                         ? "%s is a symbolic link, which is not followed"
                         : "%s: %s",
                     path, sr_strerror(errno));
    else if (is_safe(path, error, &status, most))
        return fd;
    close_file(&fd);
    return -1;
}

bool
sr_secret_file_is_safe(const char *path, struct sr_error *error)
{
    __attribute__((cleanup(close_file))) int fd =
        open_safe(path, O_NOFOLLOW, KEYTAB_MAX, error);

    return fd >= 0;
}

/* Programs that renew certificates keep a link to the newest key.  One that
 * another user has made could lead to a secret of root. */
static int
open_key(const char *path, struct sr_error *error)
{
    struct stat status;

    if (lstat(path, &status) != 0 || !S_ISLNK(status.st_mode) ||
        status.st_uid == 0)
        return open_safe(path, 0, KEYTAB_MAX, error);
    sr_error_set(error, SR_ERROR_IDENTITY,
                 "%s is a symbolic link that is not root's", path);
    return -1;
}

bool
sr_secret_file_is_key(const char *path, struct sr_error *error)
{
    __attribute__((cleanup(close_file))) int fd = open_key(path, error);
    static const char mark[] = "ENCRYPTED"; /* RFC 7468, RFC 1421 */
    const size_t before = sizeof(mark) - 2;
    char text[4096] = {0};
    bool is_encrypted = false;
    ssize_t size = 0;

    if (fd < 0)
        return false;
    /* The end of what was read before is looked at again. */
    while (!is_encrypted &&
           (size = TEMP_FAILURE_RETRY(
                read(fd, text + before, sizeof(text) - before))) > 0) {
        is_encrypted =
            memmem(text, before + (size_t)size, mark, sizeof(mark) - 1) != NULL;
        memmove(text, text + size, before);
    }
    explicit_bzero(text, sizeof(text));
    if (is_encrypted)
        sr_error_set(error, SR_ERROR_IDENTITY,
                     "%s is encrypted, and nobody types its passphrase at a "
                     "login",
                     path);
    else if (size < 0)
        sr_error_set(error, SR_ERROR_IDENTITY, "%s: %s", path,
                     sr_strerror(errno));
    return !is_encrypted && size == 0;
}

char *
sr_secret_file_read(const char *path, struct sr_error *error)
{
    __attribute__((cleanup(close_file))) int fd =
        open_safe(path, O_NOFOLLOW, SECRET_MAX, error);
    ssize_t size;
    char *secret;

    if (fd < 0)
        return NULL;
    secret = calloc(1, SECRET_MAX + 1);
    if (secret == NULL)
        return NULL;
    do {
        size = read(fd, secret, SECRET_MAX);
    } while (size < 0 && errno == EINTR);
    secret[size > 0 ? strcspn(secret, "\r\n") : 0] = '\0';
    if (secret[0] == '\0') {
        /* An empty password would make an anonymous bind, which succeeds. */
        sr_error_set(error, SR_ERROR_IDENTITY,
                     "%s has no password in its first line", path);
        explicit_bzero(secret, SECRET_MAX);
        free(secret);
        return NULL;
    }
    return secret;
}
