/*
 * selfresetctl: the administrators' tool.  This file holds the table of
 * commands, the reading of the command line, and what it says of itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/config/config.h"
#include "tools/cmd/commands.h"
#include "tools/command.h"
#include "tools/output.h"

static const struct ctl_command commands[] = {
    {"status", "[--json] USER", "what state an account is in, and why",
     "Exit codes: 0 may log in; 3 locked; 4 must change the password first;\n"
     "5 disabled, ended or not yet begun; 6 barred, or its temporary\n"
     "password has lapsed; 7 no such account; 1 it cannot be found out.\n"
     "The line \"locked-until:\" says none, never (an administrator has to\n"
     "act) or when the lock ends.\n",
     ctl_status, true},
    {"list", "[--state STATE[,STATE...]] [--all] [--json]",
     "all accounts with their states and deadlines",
     "--all lists system accounts without a usable password, too.\n", ctl_list,
     true},
    {"unlock", "USER", "end the lockout of an account", NULL, ctl_unlock, true},
    {"unthrottle", "SOURCE | --all", "end the lockout of a source of attempts",
     "SOURCE is written as in the events: an IPv4 or IPv6 address, a host\n"
     "name, \"console\", \"uid:NUMBER\" or \"name:service/SERVICE\".\n",
     ctl_unthrottle, true},
    {"temporary", "USER", "set a temporary password and show it once",
     "The user has to change it at the next login.  It lapses after the\n"
     "time that temporary.lifetime in the configuration sets.\n",
     ctl_temporary, true},
    {"must-change", "[--clear] USER",
     "demand a change of the password at the next login",
     "--clear no longer demands it; the password then counts as changed\n"
     "today.\n",
     ctl_must_change, true},
    {"explain", "[--service SERVICE] [--at TIME] [--rhost HOST] [--json] USER",
     "what each PAM call would answer, and what decides",
     "Without --rhost the login is at the console, with its own lockout.\n"
     "TIME is \"2026-12-24\", \"2026-12-24 12:00\", \"@SECONDS\" or a "
     "distance\n"
     "from now such as \"+3d\" or \"-12h\".\n",
     ctl_explain, true},
    {"age", "[--json] USER", "how old a password is, and when it expires",
     "Exit codes: 0 it has not expired; 4 it has, or must be changed; 7 no\n"
     "such account; 1 it cannot be found out.\n",
     ctl_age, true},
    {"password-check", "[--json] [USER]", "whether the rules allow a password",
     "The password is the first line of standard input.  Without USER the\n"
     "rules are those of no particular account.  Former passwords are not\n"
     "looked at.  Exit codes: 0 the rules allow it; 9 they do not; 1 it\n"
     "cannot be checked.\n",
     ctl_password_check, true},
    {"check", "[--backend NAME [--test-entry USER [--ask-password]]] [--json]",
     "look for mistakes in the set-up",
     "--backend looks at a directory: its servers, its policy and, with\n"
     "--test-entry, the rights there, which are tried without a trace.\n"
     "--ask-password tries what users may do, too.\n"
     "Exit codes: 0 nothing found; 1 warnings only; 2 errors.\n",
     ctl_check, true},
    {"nss", "--enable | --disable | --check [--json]",
     "show the state groups to the rest of the system, or not",
     "It edits /etc/nsswitch.conf, and --disable gives it back as it was.\n"
     "--check looks for mistakes around it.  Its exit codes: 0 nothing\n"
     "found; 1 warnings only; 2 errors.\n",
     ctl_nss, true},
    {"pam", "--enable | --disable | --check [--json]",
     "put the module into the PAM stacks, or take it out",
     "It runs pam-auth-update(8), reads what that wrote, and takes it back\n"
     "where the stacks would let in anybody or nobody.  The old files are\n"
     "kept as /etc/pam.d/common-*.selfreset-old.  --check looks for mistakes\n"
     "in all stacks.  Its exit codes: 0 nothing found; 1 warnings only;\n"
     "2 errors.\n",
     ctl_pam, true},
    {"groups", "--create | --check [--json]",
     "make the state groups, or look at them",
     "--create makes those that are missing, where systemd-sysusers(8) does\n"
     "not.  Exit codes: 0 all are good; 1 one is missing; 2 one must not be\n"
     "used as it is.\n",
     ctl_groups, true},
    {"events", "[--json]", "the catalogue of events", NULL, ctl_events, false},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void
print_help(void)
{
    puts("Usage: selfresetctl [--config FILE] COMMAND [ARGUMENT...]\n"
         "       selfresetctl COMMAND --help\n"
         "       selfresetctl --help | --version\n"
         "\n"
         "Look after the passwords that pam_selfreset guards.\n"
         "\n"
         "Commands:");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-14s %s\n", commands[i].name, commands[i].summary);
    puts("\nSee selfresetctl(8).");
}

static const struct ctl_command *
find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/*
 * Descriptors 0 to 2 exist, so that no file of ours can become one of them.
 * Those that were closed are read-only: what is written there fails aloud
 * instead of getting lost.
 */
static bool
fill_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= 2);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Options before the command; the index of the command, or -1. */
static int
read_options(struct ctl *ctl, int argc, char **argv)
{
    static const struct option table[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int found;

    opterr = 0;
    while ((found = getopt_long(argc, argv, "+:c:hV", table, NULL)) != -1) {
        switch (found) {
        case 'c':
            ctl->config_file = optarg;
            break;
        case 'h':
            print_help();
            return -1;
        case 'V':
            puts("selfresetctl " PACKAGE_VERSION);
            return -1;
        case ':':
            ctl->exit = ctl_usage(ctl, "%s needs a value.", argv[optind - 1]);
            return -1;
        default:
            ctl->exit = ctl_unknown_option(ctl, argv);
            return -1;
        }
    }
    if (optind == argc) {
        ctl->exit = ctl_usage(ctl, "A command is missing.");
        return -1;
    }
    return optind;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
    int at = read_options(ctl, argc, argv);

    if (at < 0)
        return ctl->exit;
    ctl->command = find_command(argv[at]);
    if (ctl->command == NULL)
        return ctl_usage(ctl, "There is no command \"%s\".", argv[at]);
    return ctl->command->run(ctl, argc - at, argv + at);
}

int
main(int argc, char **argv)
{
    struct ctl ctl = {.exit = CTL_OK};
    int code;

    if (!fill_standard_descriptors())
        return CTL_FAILED;
    setlocale(LC_ALL, "");
    /* A reader that has gone is found by the failed write, in good order. */
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    ctl.now = (sr_time)time(NULL);
    code = run(&ctl, argc, argv);
    sr_config_free(ctl.config);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (errno != EPIPE) /* a reader that had enough, such as head(1) */
            ctl_error("The output could not be written: %s.", strerror(errno));
        if (code == CTL_OK)
            code = CTL_FAILED;
    }
    return code;
}
