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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nss/names.h"
#include "policy/util/deadline.h"
#include "policy/util/name_map.h"

#define PASSWD_FILE "/etc/passwd"
#define LINE_ROOM   65536

struct names {
    struct sr_name_map locals; /* each with its uid */
    char *line;                /* LINE_ROOM bytes */
    int64_t budget_ms;
    unsigned skipped;
};

static int
read_locals(struct names *names)
{
    FILE *file = fopen(PASSWD_FILE, "re");
    struct passwd entry, *found;
    int error = file == NULL ? -errno : 0;

    while (error == 0 && (error = -fgetpwent_r(file, &entry, names->line,
                                               LINE_ROOM, &found)) == 0) {
        struct sr_named *local =
            sr_name_map_add(&names->locals, found->pw_name);

        if (local == NULL)
            error = -ENOMEM;
        else if (local->value < 0) /* of two lines with one name the first */
            local->value = (intptr_t)found->pw_uid;
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
    sr_name_map_free(&names->locals);
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
    const int64_t began = sr_deadline_now();
    struct passwd entry, *found = NULL;
    size_t length;

    if (names->budget_ms <= 0) {
        names->skipped++;
        return NAME_IS_OWN;
    }
    if (getpwnam_r(facts->name, &entry, names->line, LINE_ROOM, &found) != 0)
        found = NULL;
    names->budget_ms -= sr_deadline_now() - began;
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
    const struct sr_named *local =
        sr_name_map_find(&names->locals, facts->name);

    memcpy(name, facts->name, sizeof(facts->name));
    if (local == NULL)
        return ask(names, facts, name);
    return (uid_t)local->value == facts->uid ? NAME_IS_OWN : NAME_IS_ANOTHERS;
}
