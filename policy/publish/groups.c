/*
 * Groups: the state groups of this host, and whether each is safe to use.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/publish/groups.h"

/* The fields of a line, in both files: the third and fourth differ. */
enum field { NAME, PASSWORD, THIRD, MEMBERS, FIELDS };

/* The files while they are read. */
struct reading {
    struct sr_state_groups found;
    bool is_read[SR_GROUP_COUNT]; /* gid is one */
};

/* Split a line in place.  False when it is no entry of a group. */
static bool
split(char *line, char *field[FIELDS])
{
    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < FIELDS; i++) {
        field[i] = strsep(&line, ":");
        if (field[i] == NULL)
            return false;
    }
    return line == NULL && field[NAME][0] != '\0';
}

static int
group_of(const char *name)
{
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        if (strcmp(name, sr_group_name((enum sr_group)i)) == 0)
            return i;
    }
    return -1;
}

/* The first flaw that is found stays. */
static void
set_flaw(struct sr_state_group *group, enum sr_group_flaw flaw,
         const char *other)
{
    if (group->flaw != SR_GROUP_FINE)
        return;
    group->flaw = flaw;
    snprintf(group->other, sizeof(group->other), "%.*s",
             (int)strcspn(other, ","), other);
}

/* Digits only: strtoul(3) would take a sign and spaces. */
static bool
read_gid(const char *text, uint32_t *gid)
{
    uint64_t number = 0;

    if (text[0] == '\0' || strlen(text) > 10)
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *gid = (uint32_t)number;
    return number <= UINT32_MAX;
}

/* Whether newgrp(1) would ask for it; "x": the password is in gshadow(5). */
static bool
can_be_typed(const char *password)
{
    return password[0] != '\0' && password[0] != '!' && password[0] != '*' &&
           strcmp(password, "x") != 0;
}

static void
check_gid(struct reading *reading, int index, const char *text)
{
    struct sr_state_group *group = &reading->found.item[index];
    uint32_t gid = 0;

    /* The two ids that setregid(2) and the like take for "unchanged". */
    if (!read_gid(text, &gid) || gid < SR_GROUP_GID_LEAST ||
        gid == UINT32_MAX || gid == UINT16_MAX)
        set_flaw(group, SR_GROUP_BAD_GID, "");
    else
        reading->is_read[index] = true;
    group->gid = gid;
}

/* One line of group(5), at the first reading. */
static void
take_group(struct reading *reading, char *field[FIELDS])
{
    int index = group_of(field[NAME]);
    struct sr_state_group *group;

    if (index < 0)
        return;
    group = &reading->found.item[index];
    if (group->flaw != SR_GROUP_MISSING) {
        group->flaw = SR_GROUP_FINE; /* replaced by the worse flaw */
        set_flaw(group, SR_GROUP_TWICE, "");
        return;
    }
    group->flaw = SR_GROUP_FINE;
    check_gid(reading, index, field[THIRD]);
    if (field[MEMBERS][0] != '\0')
        set_flaw(group, SR_GROUP_MEMBERS, field[MEMBERS]);
    if (can_be_typed(field[PASSWORD]))
        set_flaw(group, SR_GROUP_PASSWORD, "");
}

/* One line of group(5), at the second reading: all ids are known. */
static void
take_sharer(struct reading *reading, char *field[FIELDS])
{
    uint32_t gid;

    if (!read_gid(field[THIRD], &gid))
        return;
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        struct sr_state_group *group = &reading->found.item[i];

        if (reading->is_read[i] && group->gid == gid &&
            strcmp(field[NAME], sr_group_name((enum sr_group)i)) != 0)
            set_flaw(group, SR_GROUP_SHARED, field[NAME]);
    }
}

/* One line of gshadow(5): password, administrators, members. */
static void
take_gshadow(struct reading *reading, char *field[FIELDS])
{
    int index = group_of(field[NAME]);
    struct sr_state_group *group;

    if (index < 0)
        return;
    group = &reading->found.item[index];
    if (field[THIRD][0] != '\0')
        set_flaw(group, SR_GROUP_MEMBERS, field[THIRD]);
    if (field[MEMBERS][0] != '\0')
        set_flaw(group, SR_GROUP_MEMBERS, field[MEMBERS]);
    if (can_be_typed(field[PASSWORD]))
        set_flaw(group, SR_GROUP_PASSWORD, "");
}

/* Call `take` for each line of a file.  Returns 0 or an errno. */
static int
read_lines(const char *file, struct reading *reading,
           void (*take)(struct reading *, char *field[FIELDS]))
{
    FILE *stream = fopen(file, "re");
    char buffer[BUFSIZ];
    char *field[FIELDS];
    char *line = NULL;
    size_t size = 0;
    int error = 0;

    if (stream == NULL)
        return errno;
    setvbuf(stream, buffer, _IOFBF, sizeof(buffer));
    errno = 0;
    while (getline(&line, &size, stream) >= 0) {
        if (split(line, field))
            take(reading, field);
        errno = 0;
    }
    if (!feof(stream))
        error = errno == 0 ? EIO : errno;
    if (line != NULL)
        explicit_bzero(line, size); /* gshadow has hashes */
    free(line);
    fclose(stream);
    explicit_bzero(buffer, sizeof(buffer));
    return error;
}

int
sr_state_groups_read(const char *group_file, const char *gshadow_file,
                     uint32_t gid[SR_GROUP_COUNT],
                     struct sr_state_groups *found)
{
    const char *file = group_file == NULL ? SR_GROUP_FILE : group_file;
    const char *shadow = gshadow_file == NULL ? SR_GSHADOW_FILE : gshadow_file;
    struct reading reading = {0};
    int error;

    memset(gid, 0, SR_GROUP_COUNT * sizeof(*gid));
    for (int i = 0; i < SR_GROUP_COUNT; i++)
        reading.found.item[i].flaw = SR_GROUP_MISSING;
    error = read_lines(file, &reading, take_group);
    if (error == 0)
        error = read_lines(file, &reading, take_sharer);
    if (error == 0) {
        error = read_lines(shadow, &reading, take_gshadow);
        if (error == ENOENT)
            error = 0;
    }
    for (int i = 0; error == 0 && i < SR_GROUP_COUNT; i++) {
        if (reading.found.item[i].flaw == SR_GROUP_FINE)
            gid[i] = reading.found.item[i].gid;
    }
    if (found != NULL)
        *found = reading.found;
    return error;
}

bool
sr_state_group_say(enum sr_group group, const struct sr_state_group *found,
                   char *text, char *advice, size_t size)
{
    const char *name = sr_group_name(group);
    const char *remake =
        "Delete it with groupdel(8), then run \"selfresetctl groups "
        "--create\".";

    switch (found->flaw) {
    case SR_GROUP_FINE:
        return false;
    case SR_GROUP_MISSING:
        snprintf(text, size, "There is no group %s.", name);
        remake = "Run \"selfresetctl groups --create\".";
        break;
    case SR_GROUP_BAD_GID:
        snprintf(text, size, "The group %s has an id that is not safe: %u.",
                 name, found->gid);
        break;
    case SR_GROUP_MEMBERS:
        snprintf(text, size,
                 "The group %s has the member %s; it may have none.", name,
                 found->other);
        break;
    case SR_GROUP_PASSWORD:
        snprintf(text, size, "The group %s has a password.", name);
        break;
    case SR_GROUP_TWICE:
        snprintf(text, size, "The group %s is listed twice.", name);
        remake = "Repair the file with grpck(8).";
        break;
    case SR_GROUP_SHARED:
        snprintf(text, size, "The group %s has the id %u, which is also %s's.",
                 name, found->gid, found->other);
        break;
    }
    snprintf(advice, size, "%s", remake);
    return true;
}
