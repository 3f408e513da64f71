/*
 * Publish driver: plays a backend that is not the host's own.  It puts a
 * snapshot in place that holds the accounts it is told, and no other.
 *
 *   publishdrive [OPTION...] [ACCOUNT...]
 *
 * Options:
 *   --dir DIR         where (default: the built-in one)
 *   --age DURATION    the snapshot was made so long ago
 *   --max-age DURATION  how long it is believed (default 1d)
 *   --public          anyone may read the groups view
 *   --listed          getspent(3) is answered
 *
 * ACCOUNT is "NAME,BACKEND" and then words, each behind a comma:
 *   exempt disabled must-change unavailable locked locked=WHEN
 *   starts=WHEN ends=WHEN changed=WHEN expires=WHEN temporary=WHEN
 *   young=WHEN (end of the minimum age) inactive=WHEN warn=DURATION
 * WHEN is a duration from now, "+2s" or "-3d", or "never".
 *
 * The ids of the state groups are those that the host has for their names.
 * Exit status: 0 done, 1 trouble, 2 usage.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/config/value.h"
#include "policy/publish/install.h"
#include "policy/publish/writer.h"

struct job {
    const char *dir;
    sr_time now;
    struct sr_publish_how how;
    struct sr_builder *build;
};

static void __attribute__((noreturn)) usage(const char *what)
{
    fprintf(stderr, "publishdrive: %s; see the top of publishdrive.c\n", what);
    exit(2);
}

static int64_t
duration(const char *text)
{
    int64_t seconds;

    if (text == NULL || sr_config_duration(text, &seconds) != 0)
        usage("bad duration");
    return seconds;
}

static sr_time
when(const struct job *job, const char *text)
{
    if (text == NULL)
        usage("a time is missing");
    if (strcmp(text, "never") == 0)
        return SR_TIME_NEVER;
    if (text[0] == '+')
        return job->now + duration(text + 1);
    if (text[0] == '-')
        return job->now - duration(text + 1);
    usage("bad time");
}

/* The member of the facts that a word sets to a time, or NULL. */
static sr_time *
time_named(struct sr_facts *facts, const char *word)
{
    const struct {
        const char *word;
        sr_time *member;
    } list[] = {
        {"starts", &facts->account_starts},
        {"ends", &facts->account_ends},
        {"changed", &facts->password_changed},
        {"expires", &facts->password_expires},
        {"temporary", &facts->temporary_until},
        {"young", &facts->may_change_from},
        {"inactive", &facts->inactive_from},
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (strcmp(word, list[i].word) == 0)
            return list[i].member;
    }
    return NULL;
}

static void
lock_until(const struct job *job, struct sr_facts *facts, const char *value)
{
    facts->locked = value == NULL ? SR_LOCK_ADMIN : SR_LOCK_UNTIL;
    facts->locked_why =
        value == NULL ? SR_LOCK_WHY_ADMIN : SR_LOCK_WHY_DIRECTORY;
    if (value != NULL)
        facts->locked_until = when(job, value);
}

static void
apply(const struct job *job, const char *word, const char *value,
      struct sr_facts *facts, struct sr_rules *rules, bool *is_exempt)
{
    sr_time *member = time_named(facts, word);

    if (member != NULL)
        *member = when(job, value);
    else if (strcmp(word, "warn") == 0)
        rules->warn = duration(value);
    else if (strcmp(word, "locked") == 0)
        lock_until(job, facts, value);
    else if (strcmp(word, "disabled") == 0)
        facts->disabled = SR_YES;
    else if (strcmp(word, "must-change") == 0)
        facts->must_change = SR_YES;
    else if (strcmp(word, "unavailable") == 0)
        facts->answered = SR_NO;
    else if (strcmp(word, "exempt") == 0)
        *is_exempt = true;
    else
        usage("unknown word");
}

static void
take(char *to, size_t size, const char *text)
{
    if (text == NULL || strlen(text) >= size)
        usage("an account is NAME,BACKEND");
    strcpy(to, text);
}

static void
add(const struct job *job, char *text)
{
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt = false;
    char *word;

    sr_facts_init(&facts);
    memset(&rules, 0, sizeof(rules));
    facts.answered = SR_YES;
    facts.disabled = SR_NO;
    facts.has_password = SR_YES;
    facts.locked = SR_LOCK_NO;
    facts.must_change = SR_NO;
    take(facts.name, sizeof(facts.name), strsep(&text, ","));
    take(facts.backend, sizeof(facts.backend), strsep(&text, ","));
    while ((word = strsep(&text, ",")) != NULL) {
        char *value = word;

        strsep(&value, "=");
        apply(job, word, value, &facts, &rules, &is_exempt);
    }
    if (sr_builder_add(job->build, &facts, &rules, is_exempt) != 0)
        usage("an account that cannot be published");
}

static void
find_groups(struct sr_publish_how *how)
{
    for (unsigned i = 0; i < SR_GROUP_COUNT; i++) {
        const struct group *found = getgrnam(sr_group_name((enum sr_group)i));

        how->gid[i] = found == NULL ? 0 : found->gr_gid;
    }
}

static void
read_options(struct job *job, int argc, char **argv)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},
        {"age", required_argument, NULL, 'a'},
        {"max-age", required_argument, NULL, 'm'},
        {"public", no_argument, NULL, 'p'},
        {"listed", no_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            job->dir = optarg;
            break;
        case 'a':
            job->how.now -= duration(optarg);
            break;
        case 'm':
            job->how.max_age = duration(optarg);
            break;
        case 'p':
            job->how.is_public = true;
            break;
        case 'l':
            job->how.is_listed = true;
            break;
        default:
            usage("unknown option");
        }
    }
}

int
main(int argc, char **argv)
{
    struct job job = {.dir = SR_PUBLISHED_DIR, .now = time(NULL)};
    enum sr_publish_result result;
    char reason[160] = "";

    job.how.sequence = sr_publish_sequence();
    job.how.now = job.now;
    job.how.max_age = SR_DAY;
    read_options(&job, argc, argv);
    find_groups(&job.how);
    job.build = sr_builder_new(&job.how);
    if (job.build == NULL)
        usage("out of memory");
    for (int i = optind; i < argc; i++)
        add(&job, argv[i]);
    result = sr_builder_commit(job.build, job.dir, reason, sizeof(reason));
    sr_builder_free(job.build);
    if (result != SR_PUBLISH_OK)
        fprintf(stderr, "publishdrive: %d %s\n", (int)result, reason);
    return result == SR_PUBLISH_OK ? 0 : 1;
}
