/*
 * PAM files: see pam_files.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/check/pam_stack.h"
#include "tools/output.h"
#include "tools/pam_files.h"
#include "tools/words.h"

#define RECORD       "/var/lib/pam/"
#define STACKS_COUNT 5

/* The stacks, and the record of them. */
static const char *const paths[PAM_FILES_COUNT] = {
    PAM_FILES_COMMON "auth",
    PAM_FILES_COMMON "account",
    PAM_FILES_COMMON "password",
    PAM_FILES_COMMON "session",
    PAM_FILES_COMMON "session-noninteractive",
    RECORD "auth",
    RECORD "account",
    RECORD "password",
    RECORD "session",
    RECORD "session-noninteractive",
    RECORD "seen",
};

void
pam_files_end(struct pam_files *files)
{
    for (size_t i = 0; i < PAM_FILES_COUNT; i++) {
        rewrite_end(&files->item[i].file);
        free(files->item[i].link);
    }
}

/* What a path links to, as a new string, or NULL. */
static char *
read_link(const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof(target) - 1);

    return length < 0 ? NULL : strndup(target, (size_t)length);
}

/* Read a file that may be missing.  NULL, or a sentence. */
static const char *
read_one(const char *path, struct rewrite *file)
{
    memset(file, 0, sizeof(*file));
    return access(path, F_OK) != 0 && errno == ENOENT
               ? NULL
               : rewrite_read(path, file);
}

/* ---- copies */

static void
name_copy(size_t index, const char *ending, char copy[PATH_MAX])
{
    snprintf(copy, PATH_MAX, "%s%s", paths[index], ending);
}

static void
remove_copies(void)
{
    char copy[PATH_MAX];

    for (size_t i = 0; i < STACKS_COUNT; i++) {
        name_copy(i, PAM_KEPT_FILE, copy);
        unlink(copy);
    }
}

bool
pam_files_are_left(void)
{
    char copy[PATH_MAX];
    bool is_left = false;

    for (size_t i = 0; i < STACKS_COUNT && !is_left; i++) {
        name_copy(i, PAM_KEPT_FILE, copy);
        is_left = access(copy, F_OK) == 0;
        if (is_left)
            ctl_error("%s is left of a run that was stopped.  Copy it and the "
                      "others back to the names without \"%s\", or remove "
                      "them if the stacks are right.  Nothing was done.",
                      copy, PAM_KEPT_FILE);
    }
    return is_left;
}

bool
pam_files_keep(struct pam_files *files)
{
    const char *why = NULL;
    char copy[PATH_MAX];

    for (size_t i = 0; i < PAM_FILES_COUNT && why == NULL; i++) {
        files->item[i].link = read_link(paths[i]);
        why = read_one(paths[i], &files->item[i].file);
        name_copy(i, PAM_KEPT_FILE, copy);
        if (why == NULL && i < STACKS_COUNT && files->item[i].file.text != NULL)
            why = rewrite_make(copy, files->item[i].file.text);
        if (why != NULL)
            ctl_error("%s: %s  Nothing was done.", paths[i], _(why));
    }
    if (why != NULL)
        remove_copies();
    return why == NULL;
}

void
pam_files_settle(const struct pam_files *files)
{
    char copy[PATH_MAX], old[PATH_MAX];

    for (size_t i = 0; i < STACKS_COUNT; i++) {
        name_copy(i, PAM_KEPT_FILE, copy);
        name_copy(i, PAM_OLD_FILE, old);
        if (files->item[i].file.text != NULL && rename(copy, old) != 0)
            ctl_error("The old file stays %s: %s.", copy, strerror(errno));
    }
}

/* ---- as they were */

static bool
is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whether a file is as it was; `now` is what it is. */
static bool
is_as_kept(const struct pam_files *files, size_t index,
           const struct rewrite *now)
{
    char *link = read_link(paths[index]);
    bool is_it = is_same(link, files->item[index].link) &&
                 is_same(now->text, files->item[index].file.text);

    free(link);
    return is_it;
}

enum pam_files_replaced
pam_files_what_is_replaced(const struct pam_files *files)
{
    size_t count = 0;

    for (size_t i = 0; i < STACKS_COUNT; i++) {
        const struct stat *then = &files->item[i].file.status;
        struct stat now;

        count += lstat(paths[i], &now) == 0 &&
                 (S_ISLNK(now.st_mode) ? files->item[i].link == NULL
                                       : now.st_dev != then->st_dev ||
                                             now.st_ino != then->st_ino);
    }
    return count == 0              ? PAM_FILES_NONE
           : count == STACKS_COUNT ? PAM_FILES_ALL
                                   : PAM_FILES_SOME;
}

/* Put a link where pam-auth-update has put a file. */
static const char *
put_link(const char *path, const char *target)
{
    char aside[PATH_MAX];

    snprintf(aside, sizeof(aside), "%s" PAM_KEPT_FILE ".link", path);
    unlink(aside);
    if (symlink(target, aside) == 0 && rename(aside, path) == 0)
        return NULL;
    unlink(aside);
    return N_("The link cannot be made again.");
}

static const char *
put_back(const struct pam_files *files, size_t index)
{
    __attribute__((cleanup(rewrite_end))) struct rewrite now = {0};
    const char *path = paths[index], *why = read_one(path, &now);
    const char *text = files->item[index].file.text;

    if (why != NULL || is_as_kept(files, index, &now))
        return why;
    if (files->item[index].link != NULL) {
        rewrite_end(&now);
        why = put_link(path, files->item[index].link);
        if (why == NULL)
            why = read_one(path, &now);
    }
    if (why != NULL || is_same(now.text, text))
        return why;
    if (text == NULL)
        return unlink(path) == 0 ? NULL : N_("It cannot be removed.");
    return now.text == NULL ? rewrite_make(path, text)
                            : rewrite_replace(&now, text);
}

bool
pam_files_put_back(const struct pam_files *files)
{
    bool is_done = true;

    for (size_t i = 0; i < PAM_FILES_COUNT; i++) {
        const char *why = put_back(files, i);

        if (why != NULL && i < STACKS_COUNT)
            ctl_error("%s: %s  Copy it back from %s%s.", paths[i], _(why),
                      paths[i], PAM_KEPT_FILE);
        else if (why != NULL)
            ctl_error("%s: %s", paths[i], _(why));
        is_done = is_done && why == NULL;
    }
    if (is_done)
        remove_copies();
    return is_done;
}
