/*
 * Names: the name under which an account of a directory is published.
 *
 * /etc/passwd is read once: the name service would read it again for each of
 * ten thousand accounts.  Names that are not in it are asked for one by one,
 * because a name service may use another spelling than the directory: lower
 * case, or with a domain.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nss/names.h"

#define PASSWD_FILE "/etc/passwd"
#define LINE_ROOM   65536

struct local {
    uid_t uid;
    char name[];
};

struct names {
    void *locals; /* a tree of struct local, by name */
    char *line;   /* LINE_ROOM bytes */
    int64_t budget_ms;
    unsigned skipped;
};

static int64_t
clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(((const struct local *)a)->name,
                  ((const struct local *)b)->name);
}

/* Of two lines with one name the first counts. */
static int
add_local(struct names *names, const struct passwd *entry)
{
    const size_t size = strlen(entry->pw_name) + 1;
    struct local *local = malloc(sizeof(*local) + size);
    struct local **found;

    if (local == NULL)
        return -ENOMEM;
    local->uid = entry->pw_uid;
    memcpy(local->name, entry->pw_name, size);
    found = tsearch(local, &names->locals, compare);
    if (found == NULL || *found != local)
        free(local);
    return found == NULL ? -ENOMEM : 0;
}

static int
read_locals(struct names *names)
{
    FILE *file = fopen(PASSWD_FILE, "re");
    struct passwd entry, *found;
    int error = file == NULL ? -errno : 0;

    while (error == 0) {
        error = -fgetpwent_r(file, &entry, names->line, LINE_ROOM, &found);
        if (error == 0)
            error = add_local(names, found);
    }
    if (file != NULL)
        fclose(file);
    return error == -ENOENT ? 0 : error;
}

int
names_new(int64_t budget_ms, struct names **names)
{
    struct names *made = calloc(1, sizeof(*made));
    int error = -ENOMEM;

    *names = NULL;
    if (made == NULL)
        return error;
    made->budget_ms = budget_ms;
    made->line = malloc(LINE_ROOM);
    if (made->line != NULL)
        error = read_locals(made);
    if (error == 0)
        *names = made;
    else
        names_free(made);
    return error;
}

void
names_free(struct names *names)
{
    if (names == NULL)
        return;
    tdestroy(names->locals, free);
    free(names->line);
    free(names);
}

unsigned
names_skipped(const struct names *names)
{
    return names->skipped;
}

/* Ask the name service, unless the time for that has passed. */
static enum name_owner
ask(struct names *names, const struct sr_facts *facts,
    char name[SR_NAME_MAX + 1])
{
    const int64_t began = clock_ms();
    struct passwd entry, *found = NULL;
    size_t length;

    if (names->budget_ms <= 0) {
        names->skipped++;
        return NAME_IS_OWN;
    }
    if (getpwnam_r(facts->name, &entry, names->line, LINE_ROOM, &found) != 0)
        found = NULL;
    names->budget_ms -= clock_ms() - began;
    if (found == NULL)
        return NAME_IS_OWN;
    if (found->pw_uid != facts->uid)
        return NAME_IS_ANOTHERS;
    length = strlen(found->pw_name);
    if (length > 0 && length <= SR_NAME_MAX)
        memcpy(name, found->pw_name, length + 1);
    return NAME_IS_OWN;
}

enum name_owner
names_resolve(struct names *names, const struct sr_facts *facts,
              char name[SR_NAME_MAX + 1])
{
    struct local *wanted = malloc(sizeof(*wanted) + sizeof(facts->name));
    struct local **found;

    if (wanted == NULL)
        return NAME_NO_MEMORY;
    memcpy(name, facts->name, sizeof(facts->name));
    memcpy(wanted->name, facts->name, sizeof(facts->name));
    found = tfind(wanted, &names->locals, compare);
    free(wanted);
    if (found == NULL)
        return ask(names, facts, name);
    return (*found)->uid == facts->uid ? NAME_IS_OWN : NAME_IS_ANOTHERS;
}
