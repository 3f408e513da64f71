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
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/config/config.h"
#include "policy/report/message.h"
#include "tools/cmd/commands.h"
#include "tools/command.h"
#include "tools/output.h"
#include "tools/words.h"

static const struct ctl_command commands[] = {
    {"status", "[--json] USER...",
     N_("show the state of an account, and the cause"),
     N_("Exit codes: 0 may log in; 3 locked out, for strangers or everybody; 4 "
        "has to change the password first; 5 disabled, ended or not yet begun; "
        "6 barred, or its temporary password has ended; 7 no such account; 1 "
        "the state cannot be found out.\n\"locked_until\" is none, never (an "
        "administrator has to act), or when the lock ends."),
     ctl_status, true, false},
    {"list", "[--state STATE[,STATE...]] [--all] [--json]",
     N_("list all accounts with states and deadlines"),
     N_("--all includes system accounts without a usable password.\nExit "
        "codes: 0 the list is complete; 1 something could not be read."),
     ctl_list, true, false},
    {"log", "[--since TIME] [--json] USER...",
     N_("show what happened to an account, from the log"),
     N_("TIME is written as for \"explain\": \"-1d\" is a day ago."), ctl_log,
     true, false},
    {"unlock", "[--dry-run] [--json] USER...",
     N_("end the lockout of an account"),
     N_("It also deletes the count of wrong passwords."), ctl_unlock, true,
     true},
    {"unthrottle", "[--dry-run] [--json] SOURCE... | --all",
     N_("end the lockout of a source of attempts"),
     N_("SOURCE is written as in the events: an IPv4 address, an IPv6 address "
        "or its network of /64, a host name, \"console\", \"pts\", "
        "\"display:NUMBER\", \"uid:NUMBER\" or \"ruser:NUMBER\"."),
     ctl_unthrottle, true, true},
    {"temporary",
     "[--lifetime DURATION] [--force] [--dry-run] [--json] USER...",
     N_("set a temporary password and show it once"),
     N_("The user has to change it at the next login.  It ends after the time "
        "that temporary.lifetime in the configuration sets, or "
        "--lifetime.\n--force gives a password to an account that has "
        "none.\nStandard output has only the password; with several users, the "
        "name and the password."),
     ctl_temporary, true, true},
    {"must-change", "[--clear] [--dry-run] [--json] USER...",
     N_("demand a new password at the next login"),
     N_("--clear withdraws the demand; the password then counts as changed "
        "today."),
     ctl_must_change, true, true},
    {"explain",
     "[--service SERVICE] [--at TIME] [--rhost HOST] [--json] USER...",
     N_("show what each PAM call would answer, and why"),
     N_("Without --rhost the login is at the console, with its own "
        "lockout.\nTIME is \"2026-12-24\", \"2026-12-24 12:00\", \"@SECONDS\" "
        "or a distance from now such as \"+3d\" or \"-12h\"."),
     ctl_explain, true, false},
    {"age", "[--json] USER...",
     N_("show how old a password is, and when it expires"),
     N_("Exit codes: 0 it has not expired; 4 it has, or has to be changed; 7 "
        "no such account; 1 it cannot be found out."),
     ctl_age, true, false},
    {"password-check", "[--json] [USER]",
     N_("check a password against the rules"),
     N_("The password is the first line of standard input.  Without USER the "
        "rules are those without a group.  Former passwords are not "
        "checked.\nExit codes: 0 the rules allow it; 9 they do not; 1 it "
        "cannot be checked."),
     ctl_password_check, true, false},
    {"check",
     "[--hashes] [--backend NAME [--test-entry USER [--ask-password]]] "
     "[--benchmark cis | stig] [--json | --nagios]",
     N_("look for mistakes in the set-up"),
     N_("With --config FILE it checks that file as a trial: nothing uses "
        "it.\n--hashes tries an empty password with each hash, however long it "
        "takes.\n--backend checks a directory: its servers, its policy and, "
        "with --test-entry, the rights there, which are tried without a "
        "change.\n--ask-password also tries what users may do.\n--benchmark "
        "lists what a hardening guide demands of passwords and lockouts, and "
        "what fulfils each; exit code 10: not all are fulfilled.\nExit codes: "
        "0 nothing found; 10 warnings only; 2 errors.\n--nagios prints one "
        "line, as plugins of Nagios do, with its exit codes: 0 nothing found; "
        "1 warnings only; 2 errors; 3 it could not be checked."),
     ctl_check, true, false},
    {"pam", "--enable | --disable | --check [--dry-run] [--json]",
     N_("put the module into the PAM stacks, or remove it"),
     N_("It runs pam-auth-update(8), reads what that wrote, and restores the "
        "old files where every login or none would succeed.  The old files are "
        "kept as /etc/pam.d/common-*.selfreset-old.\nExit codes of --check: 0 "
        "nothing found; 10 warnings only; 2 errors."),
     ctl_pam, true, true},
    {"nss", "--enable | --disable | --check [--dry-run] [--json]",
     N_("show the state groups to the system, or hide them"),
     N_("It edits /etc/nsswitch.conf; --disable restores it.\nExit codes of "
        "--check: 0 nothing found; 10 warnings only; 2 errors."),
     ctl_nss, true, true},
    {"groups", "--create | --check [--dry-run] [--json]",
     N_("create the state groups, or check them"),
     N_("--create creates those that are missing, for systems without "
        "systemd-sysusers(8).  Exit codes: 0 all are good; 10 one is missing; "
        "2 one must not be used as it is."),
     ctl_groups, true, true},
    {"reset", "--setup | --remove | --check [--dry-run] [--json]",
     N_("make the account that resets passwords, or remove it"),
     N_("It makes the account that reset.account names, which can do nothing "
        "but run selfreset(1), and the settings of sshd that confine it, in "
        "/etc/ssh/sshd_config.d/00-selfreset.conf.\nExit codes of --check: 0 "
        "nothing found; 10 warnings only; 2 errors."),
     ctl_reset, true, true},
    {"rotate", "[--dry-run] [--json] NAME...",
     N_("change the secret by which this host asks a backend"),
     N_("NAME is that of a [backend NAME] with \"bind_secret = "
        "managed\".\nExit codes: 0 it was changed; 8 the domain did not "
        "answer; 9 it refused; 1 it could not be done."),
     ctl_rotate, true, true},
    {"migrate", "[--dry-run] [--json]",
     N_("take over the state that an older version kept"),
     N_("It reads /var/lib/selfreset/data.mdb by mdb_dump(1), adds its "
        "password histories and temporary passwords to the accounts, and "
        "renames it.  Lockouts and counts of wrong passwords are not taken "
        "over."),
     ctl_migrate, true, true},
#ifdef HAVE_RESET
    {"ticket", "[--lifetime DURATION] [--dry-run] [--json] USER",
     N_("issue a ticket for a self-service reset"),
     N_("The ticket is a proof for one reset by the user, valid for an hour or "
        "--lifetime (24h at most).  Standard output has only the ticket."),
     ctl_ticket, true, true},
    {"gates",
     "[--clear GATE | --clear-all | --unlock] [--dry-run] [--json] USER...",
     N_("show or remove the gates of self-service reset"),
     N_("GATE is app, codes, ticket, mail, key, sms, voice, push or "
        "contact.\n--unlock ends lockouts of gates, and the one after a report "
        "that a reset was not the user's."),
     ctl_gates, true, true},
    {"notices", "--send | --try ADDRESS [--dry-run] [--json]",
     N_("send queued messages of self-service reset, or try it"),
     N_("Exit codes: 0 all are sent; 8 some are left, or were given up."),
     ctl_notices, true, true},
    {"why", "[--json] REF...", N_("show what happened in a self-service reset"),
     N_("REF is the reference that the user was shown, such as K7Q4-2MXP."),
     ctl_why, true, false},
    {"report", "[--from TIME] [--to TIME] [--csv | --json]",
     N_("list resets and registrations, from the log"),
     N_("TIME is written as for \"explain\": \"-30d\" is 30 days ago.  One "
        "dialogue is one line.  --csv is for spreadsheets (RFC 4180)."),
     ctl_report, true, false},
#endif
    {"health", "[--json]", N_("find out whether everything works now"),
     N_("It asks each backend, and looks at the clock, the state, what is "
        "published, certificates and self-service reset.  For mistakes in the "
        "set-up see \"check\".\nExit codes: 0 all is well; 10 it works, but "
        "needs attention; 2 something does not work."),
     ctl_health, true, false},
    {"metrics", "[--file FILE] [--json]",
     N_("write figures of this host for monitoring"),
     N_("The format is that of Prometheus.  FILE is replaced in one step, and "
        "every user can read it: it is for the textfile collector of "
        "node_exporter.  No user and no address is named in it."),
     ctl_metrics, true, false},
    {"events", "[--json]", N_("list the events that are logged"), NULL,
     ctl_events, false, false},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void
print_help(void)
{
    char first[32];

    puts(_("Usage: selfresetctl [--config FILE] COMMAND [ARGUMENT...]\n"
           "       selfresetctl COMMAND --help\n"
           "       selfresetctl --help | --version\n"
           "\n"
           "Show and change the state of accounts under pam_selfreset.\n"
           "\n"
           "Commands:"));
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        snprintf(first, sizeof(first), "  %-14s ", commands[i].name);
        ctl_wrap(stdout, first, 17, _(commands[i].summary));
    }
    printf("\n%s\n", _("See selfresetctl(8)."));
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
    return ctl_unknown(ctl, CTL_WORD_COMMAND, name, words, COMMAND_COUNT);
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
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        ctl_english(); /* dgettext(3) would put "?" in place of letters */
    bindtextdomain(CTL_WORDS, SR_LOCALEDIR);
    sr_message_bind(); /* what users read */
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
