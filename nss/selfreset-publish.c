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
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/config/config.h"
#include "nss/publisher.h"
#include "policy/report/event.h"
#include "policy/util/safe_open.h"
#include "policy/util/utf8.h"
#include "policy/publish/install.h"

#define PROGRAM   "selfreset-publish"
#define LINE_SIZE 1024 /* of what is said */

struct options {
    const char *user;
    bool is_following;
    bool is_verbose;
};

void
publisher_say(const char *format, ...)
{
    char text[LINE_SIZE], clean[LINE_SIZE];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    /* Names, DNs and reasons are a directory's: each is a line, and no more. */
    sr_utf8_clean(text, false, clean, sizeof(clean));
    fprintf(stderr, PROGRAM ": %s\n", clean);
}

static void
send_event(enum sr_event_id id, const char *cause)
{
    const bool is_failed =
        id == SR_EVENT_PUBLISH_FAILED || id == SR_EVENT_SHARED_AWAY;
    const struct sr_event event = {
        .id = id,
        .uid = (uid_t)-1,
        .service = PROGRAM,
        .channel = "tool",
        .result = is_failed ? "failed" : "ok",
        .cause = cause,
        .pam_code = -1,
    };

    sr_event_send(&event);
}

void
publisher_shared_away(const char *reason)
{
    publisher_say("What other hosts have counted cannot be read: %s.", reason);
    send_event(SR_EVENT_SHARED_AWAY, reason);
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
    if ((result == SR_PUBLISH_OK || result == SR_PUBLISH_UNCHANGED) &&
        reason[0] != '\0') {
        publisher_shared_away(reason);
        return EXIT_PARTLY;
    }
    return conclude(result, reason);
}

/* ---- all accounts */

/* Why something is missing in what is published; NULL: nothing is. */
static const char *
part_missing(const struct publisher *publisher)
{
    return publisher->is_partial    ? "a backend could not be asked"
           : publisher->unknown > 0 ? "accounts could not be read"
           : publisher->is_alone    ? "what other hosts have counted could not "
                                      "be read"
                                    : NULL;
}

static void
tell_counts(const struct publisher *publisher, enum sr_publish_result result)
{
    printf("%s: %u accounts, %u of them of directories; %u unknown%s\n",
           result == SR_PUBLISH_UNCHANGED ? "newer already" : "published",
           sr_builder_count(publisher->build, SR_VIEW_GROUPS),
           sr_builder_count(publisher->build, SR_VIEW_SHADOW),
           publisher->unknown,
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
    if (part_missing(publisher) != NULL) {
        send_event(SR_EVENT_PUBLISH_PARTLY, part_missing(publisher));
        return EXIT_PARTLY;
    }
    send_event(SR_EVENT_PUBLISHED, NULL);
    return EXIT_OK;
}

int
publisher_publish_all(const struct sr_config *config, struct watch *watch,
                      bool is_verbose)
{
    struct publisher publisher = {.config = config,
                                  .watch = watch,
                                  .dir = SR_PUBLISHED_DIR,
                                  .now = time(NULL),
                                  .is_verbose = is_verbose};
    struct sr_publish_how how = {
        .sequence = sr_publish_sequence(),
        .now = publisher.now,
        .max_age = config->nss_max_age,
        .is_listed = config->nss_enumerate,
        .is_public = config->nss_view == SR_PUBLICITY_PUBLIC,
        .wait_ms = PUBLISHER_WAIT_MS,
        .grant = publisher_set_acl,
    };
    enum sr_publish_result result;
    char reason[256] = "";
    int status;

    publisher.since = publisher.now;
    publisher_find_groups(how.gid);
    publisher.build = sr_builder_new(&how);
    if (publisher.build == NULL)
        return fail("out of memory");
    if (!publisher_collect(&publisher)) {
        status = fail(publisher.reason);
    } else if (publisher.is_partial && publisher_carry_over(&publisher) != 0) {
        status = fail("out of memory");
    } else {
        sr_builder_set_since(publisher.build, publisher.since, 0);
        result = sr_builder_commit(publisher.build, publisher.dir, reason,
                                   sizeof(reason));
        status = conclude_all(&publisher, result, reason);
    }
    sr_builder_free(publisher.build);
    return status;
}

static int
publish_once(const struct sr_config *config, bool is_verbose)
{
    struct watch *watch = ledger_watch_new(config, false);
    const int status = watch == NULL
                           ? fail("out of memory")
                           : publisher_publish_all(config, watch, is_verbose);

    ledger_watch_free(watch);
    return status;
}

/* ---- staying */

/* The signals that end it, or have it begin anew, as something to wait for. */
static int
open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static struct sr_config *
load(void)
{
    struct sr_config_errors errors = {0};
    struct sr_config *config = sr_config_load(NULL, &errors);

    for (size_t i = 0; i < errors.count; i++)
        publisher_say("%s", errors.item[i]);
    sr_config_errors_free(&errors);
    return config;
}

/* A configuration that has an error is not taken instead of one that has
 * none. */
static void
reload(struct sr_config **config)
{
    struct sr_config *fresh = load();

    if (fresh == NULL) {
        publisher_say("The configuration has an error; the old one stays.");
        return;
    }
    sr_config_free(*config);
    *config = fresh;
}

static int
stay(struct sr_config **config, const struct options *options)
{
    const int signals = open_signals();
    int came;

    /* Who reads it later wants to know it now. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (signals < 0)
        return fail("signals cannot be waited for");
    while ((came = publisher_follow(*config, signals, options->is_verbose)) ==
           SIGHUP)
        reload(config);
    close(signals);
    return came > 0 ? EXIT_OK : fail(strerror(-came));
}

/* ---- the command line */

static void
print_help(void)
{
    puts("Usage: " PROGRAM " [--verbose] [--follow | --user NAME]\n"
         "       " PROGRAM " --help | --version\n"
         "\n"
         "Publish the state of accounts for the name service.\n"
         "\n"
         "  -f, --follow     stay, and publish what changes in directories\n"
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
        {"follow", no_argument, NULL, 'f'},
        {"user", required_argument, NULL, 'u'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int letter;

    *status = EXIT_OK;
    while ((letter = getopt_long(argc, argv, "fu:v", list, NULL)) != -1) {
        switch (letter) {
        case 'f':
            options->is_following = true;
            break;
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
            publisher_say("See --help.");
            return false;
        }
    }
    *status = EXIT_USAGE;
    if (options->is_following && options->user != NULL) {
        publisher_say("--follow and --user do not go together.");
        return false;
    }
    if (optind == argc)
        return true;
    publisher_say("There is no place for \"%s\" here; see --help.",
                  argv[optind]);
    return false;
}

static int
run(const struct options *options)
{
    struct sr_config *config = load();
    int status;

    if (config == NULL)
        status = fail("the configuration has an error");
    else if (options->is_following)
        status = stay(&config, options);
    else if (options->user != NULL)
        status = publish_user(config, options);
    else
        status = publish_once(config, options->is_verbose);
    sr_config_free(config);
    return status;
}

int
main(int argc, char **argv)
{
    struct options options = {0};
    int status;

    if (sr_standard_fds_plug() < 0)
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
