/*
 * Identity: which account a typed name means, by the name service.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/account/identity.h"
#include "policy/util/utf8.h"

#define PASSWD_FILE "/etc/passwd"
#define BUFFER_MAX  (1 << 20)

/* Copy what getpw*_r() found. */
static void
take(struct sr_nss_account *account, int error, const struct passwd *entry)
{
    size_t length;

    account->exists = SR_UNKNOWN;
    account->uid = (uid_t)-1;
    /* Sources that are not running report these two, and so does a missing
     * file.  For a name that no source has glibc returns 0, whatever errno they
     * left; any other code means that the last source failed. */
    if (error != 0 && error != ENOENT && error != ESRCH)
        return;
    if (entry == NULL) {
        account->exists = SR_NO;
        return;
    }
    length = strlen(entry->pw_name);
    if (length > SR_NAME_MAX)
        return;
    memcpy(account->name, entry->pw_name, length + 1);
    account->uid = entry->pw_uid;
    account->exists = SR_YES;
}

/* By name, or for a NULL name by uid. */
static void
find(const char *name, uid_t uid, struct sr_nss_account *account)
{
    struct passwd entry, *found = NULL;
    int error = ERANGE;

    for (size_t size = 1024; error == ERANGE && size <= BUFFER_MAX; size *= 4) {
        char *buffer = malloc(size);

        if (buffer == NULL)
            break;
        error = name != NULL ? getpwnam_r(name, &entry, buffer, size, &found)
                             : getpwuid_r(uid, &entry, buffer, size, &found);
        if (error != ERANGE)
            take(account, error, found);
        free(buffer);
    }
}

void
sr_nss_account_find(const char *name, struct sr_nss_account *account)
{
    memset(account, 0, sizeof(*account));
    account->uid = (uid_t)-1;
    find(name, 0, account);
}

void
sr_nss_account_find_uid(uid_t uid, struct sr_nss_account *account)
{
    memset(account, 0, sizeof(*account));
    account->uid = (uid_t)-1;
    find(NULL, uid, account);
}

bool
sr_nss_account_is_local(const char *name)
{
    FILE *file = fopen(PASSWD_FILE, "re");
    char *buffer = malloc(BUFFER_MAX);
    struct passwd entry, *found = NULL;
    bool is_there = false;
    int error = file == NULL || buffer == NULL ? EIO : 0;

    while (!is_there && error == 0) {
        error = fgetpwent_r(file, &entry, buffer, BUFFER_MAX, &found);
        is_there = error == 0 && strcmp(found->pw_name, name) == 0;
    }
    free(buffer);
    if (file != NULL)
        fclose(file);
    return is_there || error != ENOENT;
}

void
sr_nss_account_settle_case(struct sr_nss_account *account)
{
    struct sr_nss_account by_uid = {.uid = (uid_t)-1};

    if (account->exists != SR_YES)
        return;
    find(NULL, account->uid, &by_uid);
    if (by_uid.exists == SR_YES &&
        sr_utf8_is_same_name(by_uid.name, account->name))
        memcpy(account->name, by_uid.name, sizeof(account->name));
}

bool
sr_unqualified_name(const char *name, char *part, size_t size)
{
    const char *at = strrchr(name, '@');
    const char *slash = strrchr(name, '\\');
    const char *begin = name;
    size_t length;

    /* What winbindd can have instead ("winbind separator"). */
    if (slash == NULL && at == NULL)
        slash = strrchr(name, '+');
    if (slash == NULL && at == NULL)
        slash = strrchr(name, '/');
    if (slash != NULL)
        begin = slash + 1;
    length = slash == NULL && at != NULL ? (size_t)(at - name) : strlen(begin);
    if ((at == NULL && slash == NULL) || length == 0 || length >= size)
        return false;
    memcpy(part, begin, length);
    part[length] = '\0';
    return true;
}
