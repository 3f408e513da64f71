/*
 * NSS test module: a source of groups that is what ours must not be.  It puts
 * everybody into one group, whoever asks: rules and sessions alike.
 *
 * The group's id is the number in the file that GID_FILE names.
 *
 * It also has an account, "faraway", with the passwd entry that directories
 * give: no hash, and no "x" either; and it answers for each line "TYPED NAME
 * UID" of the file that SPELLINGS names, as services that spell names
 * otherwise.  While the file BROKEN is there, it cannot be asked for accounts.
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
#include <unistd.h>

#define GID_FILE  "/run/selfreset-test/leaky"
#define SPELLINGS "/run/selfreset-test/spellings"
#define BROKEN    "/run/selfreset-test/broken"

__attribute__((visibility("default"))) enum nss_status
_nss_leaky_initgroups_dyn(const char *user, gid_t group, long int *start,
                          long int *size, gid_t **groups, long int limit,
                          int *errnop);

enum nss_status
_nss_leaky_initgroups_dyn(const char *user, gid_t group, long int *start,
                          long int *size, gid_t **groups, long int limit,
                          int *errnop)
{
    FILE *stream = fopen(GID_FILE, "re");
    unsigned gid = 0;

    (void)user;
    (void)group;
    (void)limit;
    (void)errnop;
    if (stream == NULL)
        return NSS_STATUS_NOTFOUND;
    /* glibc begins with room for more than this one. */
    if (fscanf(stream, "%u", &gid) == 1 && *start < *size)
        (*groups)[(*start)++] = gid;
    fclose(stream);
    return NSS_STATUS_SUCCESS;
}

/* The name and the uid for a spelling; false when there is no line for it. */
static bool
find_spelling(const char *typed, char name[64], unsigned *uid)
{
    FILE *stream = fopen(SPELLINGS, "re");
    bool is_found = false;
    char word[64];

    while (stream != NULL && !is_found &&
           fscanf(stream, "%63s %63s %u", word, name, uid) == 3)
        is_found = strcmp(word, typed) == 0;
    if (stream != NULL)
        fclose(stream);
    return is_found;
}

__attribute__((visibility("default"))) enum nss_status
_nss_leaky_getpwnam_r(const char *name, struct passwd *result, char *buffer,
                      size_t size, int *errnop);

enum nss_status
_nss_leaky_getpwnam_r(const char *name, struct passwd *result, char *buffer,
                      size_t size, int *errnop)
{
    static const char texts[] = "*\0Far Away\0/home/faraway\0/bin/sh";
    char spelling[64] = "faraway";
    unsigned uid = 7777;
    char *at = buffer;
    char **const field[] = {&result->pw_name, &result->pw_passwd,
                            &result->pw_gecos, &result->pw_dir,
                            &result->pw_shell};

    if (access(BROKEN, F_OK) == 0) {
        *errnop = EIO;
        return NSS_STATUS_UNAVAIL;
    }
    if (strcmp(name, spelling) != 0 && !find_spelling(name, spelling, &uid))
        return NSS_STATUS_NOTFOUND;
    if (size < sizeof(texts) + sizeof(spelling)) {
        *errnop = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    memcpy(stpcpy(buffer, spelling) + 1, texts, sizeof(texts));
    for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
        *field[i] = at;
        at += strlen(at) + 1;
    }
    result->pw_uid = result->pw_gid = uid;
    return NSS_STATUS_SUCCESS;
}
