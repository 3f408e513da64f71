/*
 * Kept: tickets of this host's own identity, in files that only root can read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/backend/krb5/kept.h"
#include "policy/util/safe_open.h"
#include "policy/util/secret_file.h"

/* A ticket that ends sooner is replaced. */
#define LEAST_SECONDS 120

/* What a process is writing for longer than that, it was killed at. */
#define FRESH_SECONDS 600

/* Clocks differ (RFC 4120 1.6); a ticket that begins later is of a clock that
 * was set back. */
#define SKEW_SECONDS 300

/* Times of Kerberos have 32 bits, without a sign (krb5_timestamp). */
static bool
lasts(krb5_context context, const krb5_ticket_times *times, int64_t most)
{
    const int64_t begins =
        (uint32_t)(times->starttime != 0 ? times->starttime : times->authtime);
    krb5_timestamp clock = 0;
    int64_t now;

    if (krb5_timeofday(context, &clock) != 0)
        return false;
    now = (uint32_t)clock;
    return begins <= now + SKEW_SECONDS && (most == 0 || now - begins < most) &&
           (int64_t)(uint32_t)times->endtime > now + LEAST_SECONDS;
}

bool
sr_krb5_kept_is_usable(krb5_context context, krb5_ccache cache,
                       krb5_principal server, int64_t most)
{
    krb5_creds wanted = {.server = server}, found;
    bool is_usable = false;

    if (krb5_cc_get_principal(context, cache, &wanted.client) != 0)
        return false;
    if (krb5_cc_retrieve_cred(context, cache, 0, &wanted, &found) == 0) {
        is_usable = lasts(context, &found.times, most);
        krb5_free_cred_contents(context, &found);
    }
    krb5_free_principal(context, wanted.client);
    return is_usable;
}

/* Copy all of one cache to another: beside tickets it has what libkrb5 noted of
 * the KDC, such as that it knows FAST. */
static bool
copy(krb5_context context, krb5_ccache from, krb5_ccache to)
{
    krb5_principal client = NULL;
    bool is_copied = krb5_cc_get_principal(context, from, &client) == 0 &&
                     krb5_cc_initialize(context, to, client) == 0 &&
                     krb5_cc_copy_creds(context, from, to) == 0;

    krb5_free_principal(context, client);
    return is_copied;
}

krb5_ccache
sr_krb5_kept_load(krb5_context context, const char *path, krb5_principal server,
                  int64_t most)
{
    krb5_ccache file = NULL, memory = NULL;
    struct sr_error ignored;
    char name[200];
    bool is_loaded;

    snprintf(name, sizeof(name), "FILE:%s", path);
    if (access(path, F_OK) != 0 || !sr_secret_file_is_safe(path, &ignored) ||
        krb5_cc_resolve(context, name, &file) != 0)
        return NULL;
    is_loaded = sr_krb5_kept_is_usable(context, file, server, most) &&
                krb5_cc_new_unique(context, "MEMORY", NULL, &memory) == 0 &&
                copy(context, file, memory);
    krb5_cc_close(context, file);
    if (!is_loaded && memory != NULL)
        krb5_cc_destroy(context, memory);
    return is_loaded ? memory : NULL;
}

void
sr_krb5_kept_store(krb5_context context, krb5_ccache cache, const char *path)
{
    char fresh[192], name[200];
    krb5_ccache file = NULL;

    snprintf(fresh, sizeof(fresh), "%s.", path);
    sr_krb5_kept_prune(strrchr(fresh, '/') + 1, FRESH_SECONDS);
    snprintf(fresh, sizeof(fresh), "%s.%ld", path, (long)getpid());
    snprintf(name, sizeof(name), "FILE:%s", fresh);
    if (sr_safe_make_dir(SR_RUNDIR, SR_SAFE_OF_ALL) != 0 ||
        krb5_cc_resolve(context, name, &file) != 0)
        return;
    if (copy(context, cache, file) && rename(fresh, path) == 0)
        krb5_cc_close(context, file);
    else
        krb5_cc_destroy(context, file);
}

void
sr_krb5_kept_prune(const char *prefix, int64_t seconds)
{
    DIR *directory = opendir(SR_RUNDIR);
    const struct dirent *entry;
    struct stat status;

    if (directory == NULL)
        return;
    while ((entry = readdir(directory)) != NULL) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
            fstatat(dirfd(directory), entry->d_name, &status,
                    AT_SYMLINK_NOFOLLOW) == 0 &&
            status.st_mtime < time(NULL) - seconds)
            unlinkat(dirfd(directory), entry->d_name, 0);
    }
    closedir(directory);
}
