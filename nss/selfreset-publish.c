/*
 * selfreset-publish: writes what the NSS module reads.  This file holds the
 * command line.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nss/follow.h"
#include "nss/report.h"
#include "nss/run.h"
#include "policy/config/config.h"
#include "policy/publish/writer.h"
#include "policy/store/store.h"
#include "policy/util/safe_open.h"

/* How long the lock of the published state is waited for. */
#define LOCK_WAIT_MS 10000

/* So many runs follow each other while files keep changing. */
#define RUNS_MAX 10

struct options {
    const char *user;
    bool is_following;
    bool is_verbose;
};

/* ---- one account */

static int
publish_user(const struct sr_config *config, const struct options *options)
{
    char reason[256] = "";
    enum sr_publish_result result;
    bool is_good;

    if (!sr_snapshot_name(options->user))
        return publish_fail("this name cannot be published");
    result =
        sr_publish_account(config, NULL, NULL, SR_PUBLISHED_DIR, NULL,
                           options->user, LOCK_WAIT_MS, reason, sizeof(reason));
    is_good = result == SR_PUBLISH_OK || result == SR_PUBLISH_UNCHANGED;
    if (options->is_verbose && is_good)
        puts(result == SR_PUBLISH_OK ? "published" : "unchanged");
    if (is_good && reason[0] != '\0') {
        publish_say_ledger_away(reason);
        return PUBLISH_EXIT_PARTLY;
    }
    return run_conclude(result, reason);
}

/* ---- all accounts, once */

/* One run.  *is_old: it has to be repeated. */
static int
publish_once(const struct sr_config *config, bool is_verbose, bool *is_old)
{
    struct pollfd *poll_fd =
        calloc(config->backends.count + 1, sizeof(*poll_fd));
    struct run *run = run_start(config, NULL, is_verbose);
    int status = PUBLISH_EXIT_FAILED;

    *is_old = false;
    if (poll_fd == NULL || run == NULL) {
        status = publish_fail("out of memory");
    } else {
        while (!run_continue(run, &status))
            poll(poll_fd, run_poll_fds(run, poll_fd), run_wait_ms(run));
        *is_old = run_is_old(run);
    }
    run_free(run);
    free(poll_fd);
    return status;
}

static struct sr_config *
load(void)
{
    struct sr_config_errors errors = {0};
    struct sr_config *config = sr_config_load(NULL, &errors);

    for (size_t i = 0; i < errors.count; i++)
        publish_say_error("%s", errors.item[i]);
    sr_config_errors_free(&errors);
    return config;
}

/*
 * Run until nothing changes during a run.  The flag is removed before anything
 * is read, so that a change from then on is either read or sets it again; when
 * changes do not end, it is set for systemd to start the next run.
 */
static int
publish_all(const struct options *options)
{
    struct sr_config *config;
    bool is_old = true;
    int status = PUBLISH_EXIT_FAILED;

    for (unsigned i = 0; is_old && i < RUNS_MAX; i++) {
        unlink(SR_PUBLISH_DUE);
        config = load();
        if (config == NULL)
            return publish_fail("the configuration has an error");
        status = publish_once(config, options->is_verbose, &is_old);
        sr_config_free(config);
    }
    if (is_old)
        close(open(SR_PUBLISH_DUE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                   0600));
    return status;
}

/* ---- following */

/* A descriptor for the signals that end it, and for SIGHUP. */
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

/* Load the configuration again; one with an error does not replace one without.
 */
static void
reload(struct sr_config **config)
{
    struct sr_config *fresh = load();

    if (fresh == NULL) {
        publish_say("The configuration has an error; the old one stays.");
        return;
    }
    sr_config_free(*config);
    *config = fresh;
}

static int
follow_all(struct sr_config **config, const struct options *options)
{
    const int signals = open_signals();
    int came;

    /* Lines are read as they are written. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (signals < 0)
        return publish_fail("signals cannot be waited for");
    while ((came = follow(*config, signals, options->is_verbose)) == SIGHUP)
        reload(config);
    close(signals);
    return came > 0 ? PUBLISH_EXIT_OK : publish_fail(strerror(-came));
}

/* ---- the command line */

static void
print_help(void)
{
    puts("Usage: " PUBLISH_PROGRAM " [--verbose] [--follow | --user NAME]\n"
         "       " PUBLISH_PROGRAM " --help | --version\n"
         "\n"
         "Publish the state of accounts for the name service.\n"
         "\n"
         "  -f, --follow     go on, and publish what changes in directories\n"
         "  -u, --user NAME  one account only\n"
         "  -v, --verbose    print what was done\n"
         "\n"
         "See selfreset-publish(8).");
}

/* Read the options.  False: exit with *status. */
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

    *status = PUBLISH_EXIT_OK;
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
            puts(PUBLISH_PROGRAM " " PACKAGE_VERSION);
            return false;
        default:
            *status = PUBLISH_EXIT_USAGE; /* getopt has printed why */
            publish_say("See --help.");
            return false;
        }
    }
    *status = PUBLISH_EXIT_USAGE;
    if (options->is_following && options->user != NULL) {
        publish_say("--follow and --user cannot be used together.");
        return false;
    }
    if (optind == argc)
        return true;
    publish_say("Unexpected argument \"%s\"; see --help.", argv[optind]);
    return false;
}

static int
run(const struct options *options)
{
    struct sr_config *config;
    int status;

    if (!options->is_following && options->user == NULL)
        return publish_all(options);
    config = load();
    if (config == NULL)
        status = publish_fail("the configuration has an error");
    else if (options->is_following)
        status = follow_all(&config, options);
    else
        status = publish_user(config, options);
    sr_config_free(config);
    return status;
}

/* Say that temporary passwords of an older version are not in use, so that what
 * is published does not have their ends. */
static void
say_old_state(void)
{
    struct sr_store *store;

    if (sr_store_open(NULL, NULL, SR_STORE_READ, &store) == SR_STORE_OK &&
        sr_store_has_old(store)) {
        publish_say("Password histories and temporary passwords of an older "
                    "version are not in use: run \"selfresetctl migrate\".");
        publish_log(SR_EVENT_OLD_STATE, NULL);
    }
    sr_store_close(store);
}

int
main(int argc, char **argv)
{
    struct options options = {0};
    int status;

    if (sr_standard_fds_plug() < 0)
        return PUBLISH_EXIT_FAILED;
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    if (!parse(argc, argv, &options, &status))
        return status;
    if (geteuid() != 0) {
        publish_say_error("Only root can publish.");
        return PUBLISH_EXIT_NO_ROOT;
    }
    if (options.user == NULL)
        say_old_state();
    return run(&options);
}
