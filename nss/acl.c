/*
 * Acl: the access list of what is published.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <acl/libacl.h>
#include <errno.h>
#include <pwd.h>
#include <sys/acl.h>
#include <sys/stat.h>

#include "nss/acl.h"

#define READER "polkitd"

static void
free_acl(acl_t *acl)
{
    if (*acl != NULL)
        acl_free(*acl);
}

/* Add one permission, if it is given. */
static int
add(acl_permset_t permissions, bool is_given, acl_perm_t permission)
{
    return is_given ? acl_add_perm(permissions, permission) : 0;
}

/* Add read, and search for a directory, for one user. */
static int
add_reader(acl_t *acl, uid_t uid, bool is_dir)
{
    acl_permset_t permissions;
    acl_entry_t entry;

    if (acl_create_entry(acl, &entry) != 0 ||
        acl_set_tag_type(entry, ACL_USER) != 0 ||
        acl_set_qualifier(entry, &uid) != 0 ||
        acl_get_permset(entry, &permissions) != 0 ||
        add(permissions, true, ACL_READ) != 0 ||
        add(permissions, is_dir, ACL_EXECUTE) != 0 || acl_calc_mask(acl) != 0)
        return -errno;
    return 0;
}

int
acl_set(int fd, enum sr_view view, bool is_dir, bool is_public)
{
    __attribute__((cleanup(free_acl))) acl_t acl = NULL;
    const struct passwd *reader = NULL;
    struct stat status;
    int error = 0;

    if (view == SR_VIEW_GROUPS && !is_public)
        reader = getpwnam(READER);
    /* Begin with the list that is equivalent to the mode. */
    if (fstat(fd, &status) != 0)
        return -errno;
    acl = acl_from_mode(status.st_mode);
    if (acl == NULL)
        return -errno;
    if (reader != NULL)
        error = add_reader(&acl, reader->pw_uid, is_dir);
    if (error == 0 && acl_set_fd(fd, acl) != 0)
        error = -errno;
    /* A file system without access lists has no list to remove. */
    if (error == -EOPNOTSUPP && reader == NULL)
        return 0;
    return error;
}
