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
#include "policy/publish/format.h"
#include "policy/util/deadline.h"
#include "policy/util/name_map.h"
#include "policy/util/spelling.h"

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

/*
 * Find what the name service has under the name, or for NULL under the uid;
 * NULL: nothing.  False: it could not be asked.
 */
static bool
look_up(struct names *names, const char *name, uid_t uid, struct passwd *entry,
        const struct passwd **out)
{
    const int64_t began = sr_deadline_now();
    struct passwd *found = NULL;
    int error = name != NULL
                    ? getpwnam_r(name, entry, names->line, LINE_ROOM, &found)
                    : getpwuid_r(uid, entry, names->line, LINE_ROOM, &found);

    names->budget_ms -= sr_deadline_now() - began;
    *out = error != 0 || found == NULL || found->pw_name[0] == '\0' ||
                   strlen(found->pw_name) > SR_NAME_MAX
               ? NULL
               : found;
    /* Some of its errors mean no more than "there is none". */
    return error == 0 || error == ENOENT || error == ESRCH;
}

/*
 * Find the name that the name service has for an account that it does not know
 * under the directory's: with a domain, by whatever form.  That of a local
 * account is none.  Returns the same.
 */
static bool
find_by_uid(struct names *names, uid_t uid, struct passwd *entry,
            const struct passwd **out)
{
    const bool is_known = look_up(names, NULL, uid, entry, out);

    if (*out != NULL &&
        ((*out)->pw_uid != uid ||
         sr_name_map_find(&names->locals, (*out)->pw_name) != NULL))
        *out = NULL;
    return is_known;
}

/* Ask the name service, unless the time for that has passed. */
static enum name_owner
ask(struct names *names, const struct sr_facts *facts,
    char name[SR_NAME_MAX + 1], char other[SR_NAME_MAX + 1])
{
    struct passwd entry;
    const struct passwd *found;
    bool is_by_name, is_known;

    if (names->budget_ms <= 0) {
        names->skipped++;
        return NAME_IS_OWN;
    }
    is_known = look_up(names, facts->name, 0, &entry, &found);
    if (found != NULL && found->pw_uid != facts->uid)
        return NAME_IS_ANOTHERS;
    is_by_name = found != NULL;
    /* A name that does not have the form of its names is an error to sssd. */
    if (!is_by_name && facts->uid != (uid_t)-1)
        is_known = find_by_uid(names, facts->uid, &entry, &found);
    if (!is_known)
        names->skipped++;
    if (found == NULL || strcmp(found->pw_name, facts->name) == 0)
        return NAME_IS_OWN;
    if (is_by_name || (sr_snapshot_name(found->pw_name) &&
                       sr_is_spelling(found->pw_name, facts->name))) {
        memcpy(other, facts->name, sizeof(facts->name));
        memcpy(name, found->pw_name, strlen(found->pw_name) + 1);
    } else {
        memcpy(other, found->pw_name, strlen(found->pw_name) + 1);
    }
    return NAME_IS_OWN;
}

enum name_owner
names_resolve(struct names *names, const struct sr_facts *facts,
              char name[SR_NAME_MAX + 1], char other[SR_NAME_MAX + 1])
{
    const struct sr_named *local =
        sr_name_map_find(&names->locals, facts->name);

    memcpy(name, facts->name, sizeof(facts->name));
    other[0] = '\0';
    if (local == NULL)
        return ask(names, facts, name, other);
    return (uid_t)local->value == facts->uid ? NAME_IS_OWN : NAME_IS_ANOTHERS;
}
