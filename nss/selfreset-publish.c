/*
 * selfreset-publish: the door that writes what the NSS module reads.  This file
 * holds the command line, and one run.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nss/publisher.h"
#include "policy/event.h"
#include "policy/files.h"

#define PROGRAM "selfreset-publish"

/* Exit codes; selfreset-publish(8) documents each. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,   /* nothing was published; what was, is as it was */
    EXIT_PARTLY = 8,   /* published, and the state of some is unknown */
    EXIT_USAGE = 64,   /* as EX_USAGE of sysexits(3) */
    EXIT_NO_ROOT = 77, /* as EX_NOPERM */
};

struct options {
    const char *user;
    bool is_verbose;
};

void
publisher_say(const char *format, ...)
{
    va_list list;

    fputs(PROGRAM ": ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

static void
send_event(enum sr_event_id id, const char *cause)
{
    const struct sr_event event = {
        .id = id,
        .uid = (uid_t)-1,
        .service = PROGRAM,
        .channel = "tool",
        .result = id == SR_EVENT_PUBLISH_FAILED ? "failed" : "ok",
        .cause = cause,
        .pam_code = -1,
    };

    sr_event_send(&event);
}

/* Say why nothing was published, and log it. */
static int
fail(const char *reason)
{
    publisher_say("Nothing was published: %s.", reason);
    send_event(SR_EVENT_PUBLISH_FAILED, reason);
    return EXIT_FAILED;
}

/* What became of it; `reason` is for FAILED. */
static int
conclude(enum sr_publish_result result, const char *reason)
{
    switch (result) {
    case SR_PUBLISH_OK:
    case SR_PUBLISH_UNCHANGED:
        return EXIT_OK;
    case SR_PUBLISH_OFF:
        return fail("there is no snapshot yet; run " PROGRAM
                    " without --user first");
    case SR_PUBLISH_BUSY:
        return fail("another process keeps the lock");
    case SR_PUBLISH_FULL:
        return fail("the disk is full, or a limit on the size of files holds");
    case SR_PUBLISH_FAILED:
        break;
    }
    return fail(reason);
}

/* ---- one account */

static int
publish_user(const struct sr_config *config, const struct options *options)
{
    char reason[256] = "";
    const enum sr_publish_result result =
        sr_publish_account(config, SR_PUBLISHED_DIR, NULL, options->user,
                           PUBLISHER_WAIT_MS, reason, sizeof(reason));

    if (options->is_verbose && result == SR_PUBLISH_OK)
        puts("published");
    else if (options->is_verbose && result == SR_PUBLISH_UNCHANGED)
        puts("unchanged");
    return conclude(result, reason);
}

/* ---- all accounts */

static void
tell_counts(const struct publisher *publisher, enum sr_publish_result result)
{
    printf("%s: %u accounts, %u of them of directories; %u unknown%s\n",
           result == SR_PUBLISH_UNCHANGED ? "newer already" : "published",
           sr_build_count(publisher->build, SR_VIEW_GROUPS),
           sr_build_count(publisher->build, SR_VIEW_SHADOW), publisher->unknown,
           publisher->is_partial ? "; what could not be asked was kept" : "");
}

static int
conclude_all(const struct publisher *publisher, enum sr_publish_result result,
             const char *reason)
{
    const int status = conclude(result, reason);

    if (status != EXIT_OK)
        return status;
    if (reason[0] != '\0')
        publisher_say("A part is missing: %s.", reason);
    if (publisher->is_verbose)
        tell_counts(publisher, result);
    if (result == SR_PUBLISH_UNCHANGED)
        return EXIT_OK;
    if (publisher->is_partial || publisher->unknown > 0) {
        send_event(SR_EVENT_PUBLISH_PARTLY, publisher->is_partial
                                                ? "a backend could not be asked"
                                                : "accounts could not be read");
        return EXIT_PARTLY;
    }
    send_event(SR_EVENT_PUBLISHED, NULL);
    return EXIT_OK;
}

static int
publish_all(const struct sr_config *config, const struct options *options)
{
    struct publisher publisher = {.config = config,
                                  .dir = SR_PUBLISHED_DIR,
                                  .now = time(NULL),
                                  .is_verbose = options->is_verbose};
    struct sr_publish_how how = {
        .sequence = sr_publish_sequence(),
        .now = publisher.now,
        .max_age = config->nss_max_age,
        .is_listed = config->nss_enumerate,
        .is_public = config->nss_view == SR_PUBLICITY_PUBLIC,
        .wait_ms = PUBLISHER_WAIT_MS,
        .grant = publisher_grant,
    };
    enum sr_publish_result result;
    char reason[256] = "";
    int status;

    publisher.since = publisher.now;
    publisher_find_groups(how.gid);
    publisher.build = sr_build_new(&how);
    if (publisher.build == NULL)
        return fail("out of memory");
    if (!publisher_collect(&publisher)) {
        status = fail(publisher.reason);
    } else if (publisher.is_partial && publisher_keep(&publisher) != 0) {
        status = fail("out of memory");
    } else {
        sr_build_set_since(publisher.build, publisher.since);
        result = sr_build_commit(publisher.build, publisher.dir, reason,
                                 sizeof(reason));
        status = conclude_all(&publisher, result, reason);
    }
    sr_build_free(publisher.build);
    return status;
}

/* ---- the command line */

static void
print_help(void)
{
    puts("Usage: " PROGRAM " [--verbose] [--user NAME]\n"
         "       " PROGRAM " --help | --version\n"
         "\n"
         "Publish the state of accounts for the name service.\n"
         "\n"
         "  -u, --user NAME  one account only\n"
         "  -v, --verbose    say what was done\n"
         "\n"
         "See selfreset-publish(8).");
}

/* Read the options.  False: leave with *status. */
static bool
parse(int argc, char **argv, struct options *options, int *status)
{
    static const struct option list[] = {
        {"user", required_argument, NULL, 'u'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int letter;

    *status = EXIT_OK;
    while ((letter = getopt_long(argc, argv, "u:v", list, NULL)) != -1) {
        switch (letter) {
        case 'u':
            options->user = optarg;
            break;
        case 'v':
            options->is_verbose = true;
            break;
        case 'h':
            print_help();
            return false;
        case 'V':
            puts(PROGRAM " " PACKAGE_VERSION);
            return false;
        default:
            *status = EXIT_USAGE; /* getopt has said what is wrong */
            return false;
        }
    }
    if (optind == argc)
        return true;
    publisher_say("There is no place for \"%s\" here; see --help.",
                  argv[optind]);
    *status = EXIT_USAGE;
    return false;
}

static int
run(const struct options *options)
{
    struct sr_config_errors errors = {0};
    struct sr_config *config = sr_config_load(NULL, &errors);
    int status;

    for (size_t i = 0; i < errors.count; i++)
        publisher_say("%s", errors.item[i]);
    if (config == NULL)
        status = fail("the configuration has an error");
    else if (options->user != NULL)
        status = publish_user(config, options);
    else
        status = publish_all(config, options);
    sr_config_free(config);
    sr_config_errors_free(&errors);
    return status;
}

int
main(int argc, char **argv)
{
    struct options options = {0};
    int status;

    if (sr_files_plug() < 0)
        return EXIT_FAILED;
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    if (!parse(argc, argv, &options, &status))
        return status;
    if (geteuid() != 0) {
        publisher_say("Only root can publish.");
        return EXIT_NO_ROOT;
    }
    return run(&options);
}
