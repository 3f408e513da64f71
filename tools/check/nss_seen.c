/*
 * Check seen: whether the C library answers for real accounts what was
 * published of them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/publish/reader.h"
#include "policy/util/name_map.h"
#include "tools/check/nss_seen.h"
#include "tools/spawn.h"
#include "tools/words.h"

#define ADVICE                                                                 \
    N_("Check the other findings and at /etc/nsswitch.conf: a source before "  \
       "selfreset may end the search.  Then run \"selfresetctl nss --check\" " \
       "again.")

/* The least uid of users, by login.defs(5) and by convention. */
#define PEOPLE_LEAST 1000

/* Accounts of a directory that are looked up in the name service at most, to
 * find one that can log in here. */
#define LOOKUPS_MAX 50

/* ---- what is published */

struct expected {
    unsigned groups;
    bool has_groups; /* there is an entry in the groups view */
    bool has_shadow;
    struct sr_view_shadow shadow;
    uint32_t gid[SR_GROUP_COUNT];
};

static void
read_expected(const char *name, sr_time now, struct expected *expected)
{
    struct sr_published published;
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;

    memset(expected, 0, sizeof(*expected));
    if (sr_reader_find(SR_PUBLISHED_DIR, SR_VIEW_GROUPS, name, now,
                       &published) == SR_FOUND_IT &&
        sr_payload_decode(published.payload.bytes, published.payload.size,
                          &facts, &rules, &is_exempt)) {
        expected->has_groups = true;
        expected->groups = sr_view_groups(&facts, &rules, is_exempt, now);
        memcpy(expected->gid, published.header.gid, sizeof(expected->gid));
    }
    if (sr_reader_find(SR_PUBLISHED_DIR, SR_VIEW_SHADOW, name, now,
                       &published) == SR_FOUND_IT &&
        sr_payload_decode(published.payload.bytes, published.payload.size,
                          &facts, &rules, &is_exempt))
        expected->has_shadow =
            sr_view_shadow(&facts, &rules, now, &expected->shadow);
}

/* ---- comparing */

static void
print_groups(unsigned groups, char *text, size_t size)
{
    size_t used = 0;

    snprintf(text, size, "%s", _("no state group"));
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        if ((groups & SR_GROUP_BIT(i)) != 0 && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s",
                                     used > 0 ? ", " : "",
                                     sr_group_name((enum sr_group)i));
    }
}

/* The state groups among the numbers that id(1) prints. */
static unsigned
parse_groups(char *line, const uint32_t gid[SR_GROUP_COUNT])
{
    unsigned groups = 0;

    for (char *word = strtok_r(line, " ", &line); word != NULL;
         word = strtok_r(NULL, " ", &line)) {
        const unsigned long number = strtoul(word, NULL, 10);

        for (int i = 0; i < SR_GROUP_COUNT; i++) {
            if (gid[i] != 0 && gid[i] == number)
                groups |= SR_GROUP_BIT(i);
        }
    }
    return groups;
}

/* Groups that do not exist on this host are never shown. */
static unsigned
existing(const struct expected *expected)
{
    unsigned groups = expected->groups;

    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        if (expected->gid[i] == 0)
            groups &= ~SR_GROUP_BIT(i);
    }
    return groups;
}

static void
compare_groups(const char *name, const struct expected *expected,
               struct findings *findings)
{
    const char *const argv[] = {"id", "-G", "--", name, NULL};
    char seen_text[256], published_text[256];
    static char line[65536];
    unsigned seen;

    if (!expected->has_groups || !ctl_ask(argv, line, sizeof(line)) ||
        line[0] == '\0')
        return;
    seen = parse_groups(line, expected->gid);
    if (seen == existing(expected))
        return;
    print_groups(seen, seen_text, sizeof(seen_text));
    print_groups(existing(expected), published_text, sizeof(published_text));
    findings_add(findings, SEVERITY_ERROR, "getgrouplist", name, ADVICE,
                 "The C library shows %s where %s is published.", seen_text,
                 published_text);
}

static void
put_day(char *text, size_t size, long day)
{
    const size_t used = strlen(text);

    if (day < 0)
        snprintf(text + used, size - used, ":");
    else
        snprintf(text + used, size - used, ":%ld", day);
}

static void
compare_shadow(const char *name, const struct expected *expected,
               struct findings *findings)
{
    const struct sr_view_shadow *shadow = &expected->shadow;
    const char *const argv[] = {"getent", "shadow", name, NULL};
    char line[1024], published[512];

    if (!expected->has_shadow || !ctl_ask(argv, line, sizeof(line)))
        return;
    snprintf(published, sizeof(published), "%s:%c", name, shadow->password);
    put_day(published, sizeof(published), shadow->changed);
    put_day(published, sizeof(published), shadow->min);
    put_day(published, sizeof(published), shadow->max);
    put_day(published, sizeof(published), shadow->warn);
    put_day(published, sizeof(published), shadow->inactive);
    put_day(published, sizeof(published), shadow->expire);
    if (strncmp(line, published, strlen(published)) != 0)
        findings_add(findings, SEVERITY_ERROR, "getspnam", name, ADVICE,
                     "The C library shows another shadow entry than the one "
                     "that is published.");
}

/* Ask, and ask again when the state may have changed meanwhile. */
static void
compare(const char *name, sr_time now, struct findings *findings)
{
    __attribute__((cleanup(findings_free))) struct findings first = {0};
    struct expected expected;

    read_expected(name, now, &expected);
    compare_groups(name, &expected, &first);
    compare_shadow(name, &expected, &first);
    if (first.count == 0)
        return;
    read_expected(name, sr_reader_now() > now ? sr_reader_now() : now,
                  &expected);
    compare_groups(name, &expected, findings);
    compare_shadow(name, &expected, findings);
}

/* ---- choosing accounts */

/* The members of all groups of /etc/group. */
static void
read_members(struct sr_name_map *members)
{
    FILE *stream = fopen("/etc/group", "re");
    const struct group *group;

    while (stream != NULL && (group = fgetgrent(stream)) != NULL) {
        for (size_t i = 0; group->gr_mem[i] != NULL; i++)
            (void)sr_name_map_add(members, group->gr_mem[i]);
    }
    if (stream != NULL)
        fclose(stream);
}

/* One account of each kind: without a group by file, and with one. */
struct choice {
    char name[2][SR_SNAPSHOT_NAME_MAX + 1];
    const struct sr_name_map *members;
    unsigned lookups;
};

/* Take an account for its kind, if that has none; returns whether both have. */
static bool
choose(struct choice *choice, const char *name)
{
    char *chosen =
        choice->name[sr_name_map_find(choice->members, name) != NULL];

    if (chosen[0] == '\0' && strlen(name) <= SR_SNAPSHOT_NAME_MAX)
        snprintf(chosen, SR_SNAPSHOT_NAME_MAX + 1, "%s", name);
    return choice->name[0][0] != '\0' && choice->name[1][0] != '\0';
}

static bool
is_published(enum sr_view view, const char *name, sr_time now)
{
    struct sr_published published;

    return sr_reader_find(SR_PUBLISHED_DIR, view, name, now, &published) ==
           SR_FOUND_IT;
}

/* Accounts of users first, then any account. */
static void
choose_local(struct choice *choice, uid_t least, sr_time now)
{
    FILE *stream = fopen("/etc/passwd", "re");
    const struct passwd *entry;
    bool is_done = false;

    while (stream != NULL && !is_done && (entry = fgetpwent(stream)) != NULL) {
        if (entry->pw_uid >= least &&
            !is_published(SR_VIEW_SHADOW, entry->pw_name, now) &&
            is_published(SR_VIEW_GROUPS, entry->pw_name, now))
            is_done = choose(choice, entry->pw_name);
    }
    if (stream != NULL)
        fclose(stream);
    if (!is_done && least > 1)
        choose_local(choice, 1, now);
}

/* An account that the name service does not know cannot log in. */
static int
visit_directory(void *context, const char *name)
{
    struct choice *choice = context;

    if (++choice->lookups > LOOKUPS_MAX)
        return 1;
    return getpwnam(name) != NULL && choose(choice, name) ? 1 : 0;
}

static void
choose_directory(struct choice *choice)
{
    struct sr_header header;
    int fd;

    if (sr_reader_open(SR_PUBLISHED_DIR, SR_VIEW_SHADOW, &fd, &header) !=
        SR_FOUND_IT)
        return;
    sr_reader_each(fd, &header, visit_directory, choice);
    close(fd);
}

void
check_seen(sr_time now, struct findings *findings)
{
    struct sr_name_map members = {0};
    struct choice local = {.members = &members}, remote = {.members = &members};

    read_members(&members);
    choose_local(&local, PEOPLE_LEAST, now);
    choose_directory(&remote);
    compare("root", now, findings);
    for (size_t i = 0; i < 2; i++) {
        if (local.name[i][0] != '\0')
            compare(local.name[i], now, findings);
        if (remote.name[i][0] != '\0')
            compare(remote.name[i], now, findings);
    }
    sr_name_map_free(&members);
}
