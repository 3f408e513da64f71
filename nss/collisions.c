/*
 * Namesakes: accounts of directories that have the name of one of this host and
 * another uid.  They are not the ones that log in here, and what is published
 * by a name is of those.
 *
 * Read from the file once for all of a directory: the name service would be
 * asked for each of ten thousand, and knows most of them from there.
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

#include "nss/publisher.h"

#define LINE_MAX_SIZE 65536

struct local {
    uid_t uid;
    char name[];
};

static int
compare(const void *a, const void *b)
{
    return strcmp(((const struct local *)a)->name,
                  ((const struct local *)b)->name);
}

/* Of two lines with one name the first counts. */
static int
add_local(void **names, const struct passwd *entry)
{
    const size_t size = strlen(entry->pw_name) + 1;
    struct local *local = malloc(sizeof(*local) + size);
    struct local **found;

    if (local == NULL)
        return -ENOMEM;
    local->uid = entry->pw_uid;
    memcpy(local->name, entry->pw_name, size);
    found = tsearch(local, names, compare);
    if (found == NULL || *found != local)
        free(local);
    return found == NULL ? -ENOMEM : 0;
}

int
publisher_collisions_read(void **names)
{
    char *line = malloc(LINE_MAX_SIZE);
    FILE *file = fopen("/etc/passwd", "re");
    struct passwd entry, *found;
    int error = line == NULL ? -ENOMEM : file == NULL ? -errno : 0;

    while (error == 0) {
        error = -fgetpwent_r(file, &entry, line, LINE_MAX_SIZE, &found);
        if (error == 0)
            error = add_local(names, found);
    }
    if (file != NULL)
        fclose(file);
    free(line);
    return error == -ENOENT ? 0 : error;
}

bool
publisher_collisions_has(void *const *names, const struct sr_facts *facts)
{
    struct local *wanted = malloc(sizeof(*wanted) + sizeof(facts->name));
    struct local **found = NULL;
    bool is_another;

    if (wanted == NULL)
        return true; /* what is not known is not published */
    memcpy(wanted->name, facts->name, sizeof(facts->name));
    found = tfind(wanted, names, compare);
    is_another = found != NULL && (*found)->uid != facts->uid;
    free(wanted);
    return is_another;
}

void
publisher_collisions_free(void **names)
{
    tdestroy(*names, free);
    *names = NULL;
}
