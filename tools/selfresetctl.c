/*
 * Selfresetctl: the administrators' program.  This file holds the table of
 * commands and its own options.
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
    {"status", "[--json] USER...",
     "show the state of an account, and the cause",
     "Exit codes: 0 may log in; 3 locked out, for strangers or everybody;\n"
     "4 has to change the password first; 5 disabled, ended or not yet\n"
     "begun; 6 barred, or its temporary password has ended; 7 no such\n"
     "account; 1 the state cannot be found out.\n"
     "\"locked_until\" is none, never (an administrator has to act), or when\n"
     "the lock ends.\n",
     ctl_status, true, false},
    {"list", "[--state STATE[,STATE...]] [--all] [--json]",
     "list all accounts with states and deadlines",
     "--all includes system accounts without a usable password.\n"
     "Exit codes: 0 the list is complete; 1 something could not be read.\n",
     ctl_list, true, false},
    {"log", "[--since TIME] [--json] USER...",
     "show what happened to an account, from the log",
     "TIME is written as for \"explain\": \"-1d\" is a day ago.\n", ctl_log,
     true, false},
    {"unlock", "[--dry-run] [--json] USER...", "end the lockout of an account",
     "It also deletes the count of wrong passwords.\n", ctl_unlock, true, true},
    {"unthrottle", "[--dry-run] [--json] SOURCE... | --all",
     "end the lockout of a source of attempts",
     "SOURCE is written as in the events: an IPv4 address, an IPv6 address\n"
     "or its network of /64, a host name, \"console\", \"pts\",\n"
     "\"display:NUMBER\", \"uid:NUMBER\" or \"ruser:NUMBER\".\n",
     ctl_unthrottle, true, true},
    {"temporary",
     "[--lifetime DURATION] [--force] [--dry-run] [--json] USER...",
     "set a temporary password and show it once",
     "The user has to change it at the next login.  It ends after the time\n"
     "that temporary.lifetime in the configuration sets, or --lifetime.\n"
     "--force gives a password to an account that has none.\n"
     "Standard output has only the password; with several users, the name\n"
     "and the password.\n",
     ctl_temporary, true, true},
    {"must-change", "[--clear] [--dry-run] [--json] USER...",
     "demand a new password at the next login",
     "--clear withdraws the demand; the password then counts as changed\n"
     "today.\n",
     ctl_must_change, true, true},
    {"explain",
     "[--service SERVICE] [--at TIME] [--rhost HOST] [--json] USER...",
     "show what each PAM call would answer, and why",
     "Without --rhost the login is at the console, with its own lockout.\n"
     "TIME is \"2026-12-24\", \"2026-12-24 12:00\", \"@SECONDS\" or a "
     "distance\n"
     "from now such as \"+3d\" or \"-12h\".\n",
     ctl_explain, true, false},
    {"age", "[--json] USER...",
     "show how old a password is, and when it expires",
     "Exit codes: 0 it has not expired; 4 it has, or has to be changed;\n"
     "7 no such account; 1 it cannot be found out.\n",
     ctl_age, true, false},
    {"password-check", "[--json] [USER]", "check a password against the rules",
     "The password is the first line of standard input.  Without USER the\n"
     "rules are those without a group.  Former passwords are not checked.\n"
     "Exit codes: 0 the rules allow it; 9 they do not; 1 it cannot be\n"
     "checked.\n",
     ctl_password_check, true, false},
    {"check",
     "[--hashes] [--backend NAME [--test-entry USER [--ask-password]]] "
     "[--benchmark cis | stig] [--json | --nagios]",
     "look for mistakes in the set-up",
     "With --config FILE it checks that file as a trial: nothing uses it.\n"
     "--hashes tries an empty password with each hash, however long it takes.\n"
     "--backend checks a directory: its servers, its policy and, with\n"
     "--test-entry, the rights there, which are tried without a change.\n"
     "--ask-password also tries what users may do.\n"
     "--benchmark lists what a hardening guide demands of passwords and\n"
     "lockouts, and what fulfils each; exit code 10: not all are fulfilled.\n"
     "Exit codes: 0 nothing found; 10 warnings only; 2 errors.\n"
     "--nagios prints one line, as plugins of Nagios do, with its exit codes:\n"
     "0 nothing found; 1 warnings only; 2 errors; 3 it could not be checked.\n",
     ctl_check, true, false},
    {"pam", "--enable | --disable | --check [--dry-run] [--json]",
     "put the module into the PAM stacks, or remove it",
     "It runs pam-auth-update(8), reads what that wrote, and restores the old\n"
     "files where every login or none would succeed.  The old files\n"
     "are kept as /etc/pam.d/common-*.selfreset-old.\n"
     "Exit codes of --check: 0 nothing found; 10 warnings only; 2 errors.\n",
     ctl_pam, true, true},
    {"nss", "--enable | --disable | --check [--dry-run] [--json]",
     "show the state groups to the system, or hide them",
     "It edits /etc/nsswitch.conf; --disable restores it.\n"
     "Exit codes of --check: 0 nothing found; 10 warnings only; 2 errors.\n",
     ctl_nss, true, true},
    {"groups", "--create | --check [--dry-run] [--json]",
     "create the state groups, or check them",
     "--create creates those that are missing, for systems without\n"
     "systemd-sysusers(8).  Exit codes: 0 all are good; 10 one is missing;\n"
     "2 one must not be used as it is.\n",
     ctl_groups, true, true},
    {"reset", "--setup | --remove | --check [--dry-run] [--json]",
     "make the account that resets passwords, or remove it",
     "It makes the account that reset.account names, which can do nothing but\n"
     "run selfreset(1), and the settings of sshd that confine it, in\n"
     "/etc/ssh/sshd_config.d/00-selfreset.conf.\n"
     "Exit codes of --check: 0 nothing found; 10 warnings only; 2 errors.\n",
     ctl_reset, true, true},
    {"rotate", "[--dry-run] [--json] NAME...",
     "change the secret by which this host asks a backend",
     "NAME is that of a [backend NAME] with \"bind_secret = managed\".\n"
     "Exit codes: 0 it was changed; 8 the domain did not answer; 9 it\n"
     "refused; 1 it could not be done.\n",
     ctl_rotate, true, true},
    {"migrate", "[--dry-run] [--json]",
     "take over the state that an older version kept",
     "It reads /var/lib/selfreset/data.mdb by mdb_dump(1), adds its password\n"
     "histories and temporary passwords to the accounts, and renames it.\n"
     "Lockouts and counts of wrong passwords are not taken over.\n",
     ctl_migrate, true, true},
#ifdef HAVE_RESET
    {"ticket", "[--lifetime DURATION] [--dry-run] [--json] USER",
     "issue a ticket for a self-service reset",
     "The ticket is a proof for one reset by the user, valid for an hour or\n"
     "--lifetime (24h at most).  Standard output has only the ticket.\n",
     ctl_ticket, true, true},
    {"gates",
     "[--clear GATE | --clear-all | --unlock] [--dry-run] [--json] USER...",
     "show or remove the gates of self-service reset",
     "GATE is app, codes, ticket, mail, key, sms, voice, push or contact.\n"
     "--unlock ends lockouts of gates, and the one after a report that a "
     "reset\n"
     "was not the user's.\n",
     ctl_gates, true, true},
    {"notices", "--send | --try ADDRESS [--dry-run] [--json]",
     "send queued messages of self-service reset, or try it",
     "Exit codes: 0 all are sent; 8 some are left, or were given up.\n",
     ctl_notices, true, true},
    {"why", "[--json] REF...", "show what happened in a self-service reset",
     "REF is the reference that the user was shown, such as K7Q4-2MXP.\n",
     ctl_why, true, false},
    {"report", "[--from TIME] [--to TIME] [--csv | --json]",
     "list resets and registrations, from the log",
     "TIME is written as for \"explain\": \"-30d\" is 30 days ago.  One\n"
     "dialogue is one line.  --csv is for spreadsheets (RFC 4180).\n",
     ctl_report, true, false},
#endif
    {"health", "[--json]", "find out whether everything works now",
     "It asks each backend, and looks at the clock, the state, what is\n"
     "published, certificates and self-service reset.  For mistakes in the\n"
     "set-up see \"check\".\n"
     "Exit codes: 0 all is well; 10 it works, but needs attention; 2\n"
     "something does not work.\n",
     ctl_health, true, false},
    {"metrics", "[--file FILE] [--json]",
     "write figures of this host for monitoring",
     "The format is that of Prometheus.  FILE is replaced in one step, and\n"
     "every user can read it: it is for the textfile collector of\n"
     "node_exporter.  No user and no address is named in it.\n",
     ctl_metrics, true, false},
    {"events", "[--json]", "list the events that are logged", NULL, ctl_events,
     false, false},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void
print_help(void)
{
    puts("Usage: selfresetctl [--config FILE] COMMAND [ARGUMENT...]\n"
         "       selfresetctl COMMAND --help\n"
         "       selfresetctl --help | --version\n"
         "\n"
         "Show and change the state of accounts under pam_selfreset.\n"
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
 * Open descriptors 0 to 2 where they are closed, so that no other file gets one
 * of these numbers.  They are read-only: a write fails and is not lost.
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
    static const char *const words[] = {"--config", "--help", "--version"};
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
            ctl->exit = ctl_usage(ctl, "The option %s needs a value.",
                                  argv[optind - 1]);
            return -1;
        default:
            ctl->exit = ctl_unknown_option(ctl, argv, words, 3);
            return -1;
        }
    }
    if (optind == argc) {
        ctl->exit = ctl_usage(ctl, "COMMAND is missing.");
        return -1;
    }
    return optind;
}

static int
unknown_command(const struct ctl *ctl, const char *name)
{
    const char *words[COMMAND_COUNT];

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        words[i] = commands[i].name;
    return ctl_unknown(ctl, "command", name, words, COMMAND_COUNT);
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
    int at = read_options(ctl, argc, argv);

    if (at < 0)
        return ctl->exit;
    ctl->command = find_command(argv[at]);
    if (ctl->command == NULL)
        return unknown_command(ctl, argv[at]);
    return ctl->command->run(ctl, argc - at, argv + at);
}

int
main(int argc, char **argv)
{
    struct ctl ctl = {.exit = CTL_OK};
    int code;

    if (!fill_standard_descriptors())
        return CTL_FAILED;
    setlocale(LC_CTYPE, ""); /* its own texts are English */
    /* A reader that has gone makes a write fail, which is handled. */
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
