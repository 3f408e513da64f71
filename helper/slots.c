/*
 * Slots: how many connections there may be at once, of each uid and in all.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "helper/slots.h"
#include "policy/util/safe_open.h"

/* Behind those of all, a row for each uid.  A lock needs no byte in the file.
 */
#define ROW_OF(uid) (SLOTS_ALL + (off_t)(uid)*SLOTS_EACH)

/* Lock one of `count` bytes from `first` on. */
static bool
take_one(int fd, off_t first, int count)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

    for (int i = 0; i < count; i++) {
        lock.l_start = first + i;
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            return true;
    }
    return false;
}

const char *
slots_take(const char *path, uid_t uid)
{
    const char *why = NULL;
    struct stat status;
    int fd = sr_safe_open(path, O_RDWR | O_CREAT, NULL);

    if (fd < 0)
        return "the file of connections cannot be opened";
    if (fstat(fd, &status) != 0 || !sr_safe_open_check(&status, S_IFREG, 022))
        why = "the file of connections is not safe";
    else if (uid != 0 && !take_one(fd, ROW_OF(uid), SLOTS_EACH))
        why = "too many connections of this uid";
    else if (!take_one(fd, 0, uid == 0 ? SLOTS_ALL : SLOTS_ALL - SLOTS_ROOT))
        why = "too many connections";
    if (why != NULL)
        close(fd);
    return why; /* else the descriptor stays open as long as the process lives
                 */
}
