/*
 * NSS test module: a source of accounts that answers names in other spellings,
 * as directories do.
 *
 * The file that SPELLINGS names has a line "TYPED:NAME:UID" for each spelling:
 * TYPED is answered with the entry of NAME, and the uid with that of the first
 * line that has it.  "~TYPED" ignores case; the name "=" repeats what was typed
 * (nslcd with "ignorecase yes").
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPELLINGS "/run/selfreset-test/spellings"

struct spelling {
    char typed[200], name[200];
    unsigned uid;
};

/* The line of a typed name, or for NULL of a uid. */
static bool
find(const char *typed, unsigned uid, struct spelling *found)
{
    FILE *stream = fopen(SPELLINGS, "re");
    bool is_found = false;

    while (stream != NULL && !is_found &&
           fscanf(stream, "%199[^:]:%199[^:]:%u\n", found->typed, found->name,
                  &found->uid) == 3) {
        const bool ignores_case = found->typed[0] == '~';
        const char *text = found->typed + (ignores_case ? 1 : 0);

        is_found = typed == NULL  ? found->uid == uid
                   : ignores_case ? strcasecmp(text, typed) == 0
                                  : strcmp(text, typed) == 0;
        if (is_found && strcmp(found->name, "=") == 0)
            snprintf(found->name, sizeof(found->name), "%s",
                     typed != NULL ? typed : text);
    }
    if (stream != NULL)
        fclose(stream);
    return is_found;
}

static enum nss_status
fill(const struct spelling *found, struct passwd *result, char *buffer,
     size_t size, int *errnop)
{
    static char star[] = "*", nothing[] = "", shell[] = "/bin/sh";
    const size_t name = strlen(found->name) + 1;

    if (found->name[0] == '!') {
        *errnop = (int)found->uid;
        return (enum nss_status)atoi(found->name + 1);
    }
    if (size < 2 * name + sizeof("/home/")) {
        *errnop = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    memcpy(buffer, found->name, name);
    snprintf(buffer + name, size - name, "/home/%s", found->name);
    *result = (struct passwd){
        .pw_name = buffer,
        .pw_passwd = star,
        .pw_uid = found->uid,
        .pw_gid = found->uid,
        .pw_gecos = nothing,
        .pw_dir = buffer + name,
        .pw_shell = shell,
    };
    return NSS_STATUS_SUCCESS;
}

__attribute__((visibility("default"))) enum nss_status
_nss_spelling_getpwnam_r(const char *name, struct passwd *result, char *buffer,
                         size_t size, int *errnop);
__attribute__((visibility("default"))) enum nss_status
_nss_spelling_getpwuid_r(uid_t uid, struct passwd *result, char *buffer,
                         size_t size, int *errnop);

enum nss_status
_nss_spelling_getpwnam_r(const char *name, struct passwd *result, char *buffer,
                         size_t size, int *errnop)
{
    struct spelling found;

    return find(name, 0, &found) ? fill(&found, result, buffer, size, errnop)
                                 : NSS_STATUS_NOTFOUND;
}

enum nss_status
_nss_spelling_getpwuid_r(uid_t uid, struct passwd *result, char *buffer,
                         size_t size, int *errnop)
{
    struct spelling found;

    return find(NULL, uid, &found) ? fill(&found, result, buffer, size, errnop)
                                   : NSS_STATUS_NOTFOUND;
}
