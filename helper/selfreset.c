/*
 * Selfreset: the terminal of the dialogues that selfreset-helper has with
 * users.
 *
 * It is also the login shell of the captive account, and the command that sshd
 * forces there: whatever it is called with then, it has the one dialogue of a
 * forgotten password.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "helper/agent.h"
#include "helper/terminal.h"
#include "policy/report/message.h"
#include "policy/util/deadline.h"
#include "policy/util/safe_open.h"
#include "policy/util/words.h"
#include "policy/wire/link.h"

#define SOCKET_PATH SR_RUNDIR "/" SR_LINK_RESET

/* In milliseconds: for the longest silence of the helper, which ends a dialogue
 * itself before; for the last text on a console. */
#define SILENT_MS 1200000
#define PAUSE_MS  60000

/* selfreset(1) documents each. */
enum {
    EXIT_REFUSED = 1, /* nothing was done, or not all of it */
    EXIT_USAGE = 64,
    EXIT_ABSENT = 69,  /* no helper, or it refuses */
    EXIT_LOST = 75,    /* the dialogue was cut off */
    EXIT_SIGNAL = 128, /* and the signal's number */
};

/* What is wanted. */
struct request {
    const char *name;
    const char *operand; /* or NULL */
    bool is_shell;       /* called as a login shell, or as sshd calls one */
};

struct dialogue {
    struct terminal terminal;
    int link;
    bool has_agent; /* it may answer for the user */
    struct sr_wire wire;
};

static const struct {
    const char *name;
    const char *operand; /* it needs this one; NULL: none */
    const char *summary;
} commands[] = {
    {"reset", NULL, N_("set a new password in place of a forgotten one")},
    {"enroll", NULL, N_("set up a way to prove who you are")},
    {"status", NULL, N_("show which ways are set up")},
    {"codes", NULL, N_("make new recovery codes")},
    {"remove", NULL, N_("remove a way")},
    {"report", "REF", N_("report a reset that was not yours")},
    {"accept", "USER", N_("become the recovery contact of a user")},
    {"confirm", "USER", N_("confirm that this user asks for a reset")},
    {"decline", "USER", N_("be no longer, or not, the contact")},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int
usage(FILE *out, int status)
{
    fputs(_("Usage: selfreset [COMMAND]\n"
            "       selfreset --help | --version\n\n"
            "Reset a forgotten password, or set up what that needs.\n\n"
            "Commands:\n"),
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s%-5s %s\n", commands[i].name,
                commands[i].operand == NULL ? "" : commands[i].operand,
                _(commands[i].summary));
    fputs(_("\nSee selfreset(1).\n"), out);
    return status;
}

/*
 * What the command line wants; -1, or the exit code.  A login shell is called
 * with "-" before its name, or with "-c COMMAND" by sshd: whatever the command
 * is, it is not run.
 */
static int
read_request(int argc, char **argv, struct request *request)
{
    *request = (struct request){.name = "reset"};
    if (argc == 0 || argv[0][0] == '-' ||
        (argc > 1 && strcmp(argv[1], "-c") == 0)) {
        request->is_shell = true;
        return -1;
    }
    if (argc == 1)
        return -1;
    if (strcmp(argv[1], "--help") == 0)
        return usage(stdout, EXIT_SUCCESS);
    if (strcmp(argv[1], "--version") == 0)
        return printf("selfreset %s\n", PACKAGE_VERSION) > 0 ? EXIT_SUCCESS
                                                             : EXIT_REFUSED;
    for (size_t i = 0; i < COMMANDS; i++) {
        const int operands = commands[i].operand == NULL ? 0 : 1;

        if (strcmp(argv[1], commands[i].name) != 0 || argc != 2 + operands)
            continue;
        request->name = commands[i].name;
        request->operand = operands == 0 ? NULL : argv[2];
        return -1;
    }
    return usage(stderr, EXIT_USAGE);
}

static void
show_text(enum sr_text text)
{
    const struct sr_message_context say = {.now = SR_TIME_UNKNOWN};
    char *out = sr_message_text(text, &say);

    if (out != NULL)
        terminal_show(out);
    free(out);
}

/* ---- the conversation */

/* The network address of the peer, by sshd; NULL: there is none.  The helper
 * takes it from root and the captive account only. */
static char *
peer_address(void)
{
    const char *connection = getenv("SSH_CONNECTION");

    return connection == NULL || strcspn(connection, " ") == 0
               ? NULL
               : strndup(connection, strcspn(connection, " "));
}

static bool
send_message(struct dialogue *dialogue)
{
    const int sent = sr_link_send(dialogue->link, &dialogue->wire,
                                  sr_deadline_now() + SR_LINK_HEARD_MS);

    sr_wire_wipe(&dialogue->wire);
    return sent == 0;
}

/* Say which protocol this is, and what is wanted.  A helper that refuses has
 * said so before it hears anything; that is read next. */
static void
begin(struct dialogue *dialogue, const struct request *request)
{
    struct sr_wire *wire = &dialogue->wire;
    char *address = peer_address();

    sr_wire_hello(wire);
    send_message(dialogue);
    sr_wire_begin(wire, SR_WIRE_FLOW);
    sr_wire_put_text(wire, SR_WIRE_TEXT, request->name);
    sr_wire_put_text(wire, SR_WIRE_ARGUMENT, request->operand);
    sr_wire_put_text(wire, SR_WIRE_RHOST, address);
    sr_wire_put_text(wire, SR_WIRE_TERMINAL, ttyname(STDIN_FILENO));
    sr_wire_put_text(wire, SR_WIRE_LOCALE, setlocale(LC_MESSAGES, NULL));
    sr_wire_put_text(wire, SR_WIRE_LANGUAGE, getenv("LANGUAGE"));
    send_message(dialogue);
    free(address);
}

/* Have a question answered.  False: the dialogue goes on with what the helper
 * says, or ends by a signal. */
static enum terminal_got
ask(struct dialogue *dialogue, const char *prompt, bool is_shown)
{
    char line[TERMINAL_LINE_MAX + 1];
    bool is_bad = true;
    enum terminal_got got = TERMINAL_LINE;

    while (got == TERMINAL_LINE && is_bad) {
        got =
            terminal_ask(&dialogue->terminal, prompt, is_shown, dialogue->link,
                         sr_deadline_now() + SILENT_MS, line, &is_bad);
        if (is_bad)
            show_text(SR_TEXT_RESET_RETYPE);
    }
    sr_wire_begin(&dialogue->wire, SR_WIRE_ANSWER);
    if (got == TERMINAL_LINE)
        sr_wire_put_text(&dialogue->wire, SR_WIRE_TEXT, line);
    else
        sr_wire_put_number(&dialogue->wire, SR_WIRE_CODE, SR_WIRE_NO_ANSWER);
    explicit_bzero(line, sizeof(line));
    return got;
}

/* ---- what an ssh-agent can answer */

/* The line of a text by its number; NULL: it has fewer. */
static char *
copy_line(const char *text, unsigned long number)
{
    while (number > 1 && text != NULL) {
        text = strchr(text, '\n');
        text = text == NULL ? NULL : text + 1;
        number--;
    }
    return text == NULL || text[0] == '\0' || number == 0
               ? NULL
               : strndup(text, strcspn(text, "\n"));
}

/* Which of the keys of the agent; NULL: one that is typed. */
static char *
choose_key(struct dialogue *dialogue)
{
    char keys[TERMINAL_LINE_MAX + 1], line[TERMINAL_LINE_MAX + 1];
    unsigned long number = 0;
    bool is_bad = false;
    char *key;

    if (!agent_keys(keys, sizeof(keys)))
        return NULL;
    terminal_show("Keys in your ssh-agent:");
    while ((key = copy_line(keys, ++number)) != NULL) {
        /* Its type, and the comment at its end. */
        const char *comment = strrchr(key, ' ');

        snprintf(line, sizeof(line), " %lu  %.*s  %.40s", number,
                 (int)strcspn(key, " "), key, comment == NULL ? "" : comment);
        terminal_show(line);
        free(key);
    }
    terminal_show(" 0  another one");
    if (terminal_ask(&dialogue->terminal, "Number: ", true, dialogue->link,
                     sr_deadline_now() + SILENT_MS, line,
                     &is_bad) != TERMINAL_LINE ||
        is_bad)
        return NULL;
    return copy_line(keys, strtoul(line, NULL, 10));
}

/* Answer a question by the agent; false: the user answers it. */
static bool
ask_agent(struct dialogue *dialogue)
{
    struct sr_wire *wire = &dialogue->wire;
    const char *what = sr_wire_text_at(wire, SR_WIRE_ARGUMENT, 0);
    const char *key = sr_wire_text_at(wire, SR_WIRE_ARGUMENT, 1);
    const char *line = sr_wire_text_at(wire, SR_WIRE_ARGUMENT, 2);
    char signature[TERMINAL_LINE_MAX + 1];
    char *answer = NULL;

    if (what == NULL || !dialogue->has_agent)
        return false;
    if (strcmp(what, SR_WIRE_PUBLIC_KEY) == 0)
        answer = choose_key(dialogue);
    else if (key != NULL && line != NULL &&
             agent_sign(key, line, signature, sizeof(signature)))
        answer = strdup(signature);
    if (answer != NULL) {
        sr_wire_begin(wire, SR_WIRE_ANSWER);
        sr_wire_put_text(wire, SR_WIRE_TEXT, answer);
        send_message(dialogue);
    }
    free(answer);
    return answer != NULL;
}

/* A question of the helper's: -1, or the exit code. */
static int
answer(struct dialogue *dialogue)
{
    const struct sr_wire *wire = &dialogue->wire;
    const char *text = sr_wire_text(wire, SR_WIRE_TEXT);
    char *prompt;
    const bool is_shown =
        sr_wire_number(wire, SR_WIRE_STYLE, SR_WIRE_HIDDEN) != SR_WIRE_HIDDEN;
    enum terminal_got got = TERMINAL_ENDED;

    if (ask_agent(dialogue))
        return -1;
    prompt = strdup(text == NULL ? "" : text);
    if (prompt != NULL)
        got = ask(dialogue, prompt, is_shown);
    free(prompt);
    if (got == TERMINAL_SIGNAL)
        return EXIT_SIGNAL + dialogue->terminal.signal;
    /* What the helper says while it waits for an answer is the end. */
    if (got != TERMINAL_OTHER)
        send_message(dialogue);
    return -1;
}

/* One message of the helper's: -1, or the exit code. */
static int
hear(struct dialogue *dialogue)
{
    const struct sr_wire *wire = &dialogue->wire;
    const char *text = sr_wire_text(wire, SR_WIRE_TEXT);

    switch (sr_wire_kind(wire)) {
    case SR_WIRE_SAY:
        if (text != NULL)
            terminal_show(text);
        sr_wire_wipe(&dialogue->wire);
        return -1;
    case SR_WIRE_ASK:
        return answer(dialogue);
    case SR_WIRE_END:
        return sr_wire_number(wire, SR_WIRE_CODE, 1) == 0 ? EXIT_SUCCESS
                                                          : EXIT_REFUSED;
    case SR_WIRE_REFUSE:
        if (text != NULL)
            terminal_show(text);
        return EXIT_ABSENT;
    default:
        show_text(SR_TEXT_RESET_LOST);
        return EXIT_LOST;
    }
}

static int
converse(struct dialogue *dialogue, const struct request *request)
{
    int code = -1;

    begin(dialogue, request);
    while (code < 0) {
        const enum terminal_got got = terminal_wait(
            &dialogue->terminal, dialogue->link, sr_deadline_now() + SILENT_MS);

        if (got == TERMINAL_SIGNAL)
            return EXIT_SIGNAL + dialogue->terminal.signal;
        if (got != TERMINAL_OTHER ||
            sr_link_receive(dialogue->link, &dialogue->wire,
                            sr_deadline_now() + SR_LINK_HEARD_MS) != 0) {
            show_text(SR_TEXT_RESET_LOST);
            return EXIT_LOST;
        }
        code = hear(dialogue);
    }
    return code;
}

/* A console is cleared when its login ends: let the last text be read. */
static void
pause_at_end(struct dialogue *dialogue)
{
    char line[TERMINAL_LINE_MAX + 1];
    bool is_bad;

    if (dialogue->terminal.is_terminal && dialogue->terminal.signal == 0 &&
        getenv("SSH_CONNECTION") == NULL)
        terminal_ask(&dialogue->terminal, _("Press Enter to end. "), true, -1,
                     sr_deadline_now() + PAUSE_MS, line, &is_bad);
}

static int
run(const struct request *request)
{
    struct dialogue *dialogue = calloc(1, sizeof(*dialogue));
    int code = EXIT_ABSENT;

    if (dialogue == NULL)
        return EXIT_ABSENT;
    dialogue->has_agent =
        !request->is_shell && isatty(STDIN_FILENO) && agent_is_there();
    if (terminal_begin(&dialogue->terminal)) {
        dialogue->link =
            sr_link_connect(SOCKET_PATH, sr_deadline_now() + SR_LINK_HEARD_MS);
        if (dialogue->link < 0)
            show_text(SR_TEXT_RESET_ABSENT);
        else
            code = converse(dialogue, request);
        if (request->is_shell)
            pause_at_end(dialogue);
        if (dialogue->link >= 0)
            close(dialogue->link);
        terminal_end(&dialogue->terminal);
    }
    sr_wire_wipe(&dialogue->wire);
    free(dialogue);
    return code;
}

int
main(int argc, char **argv)
{
    static const struct rlimit no_core = {0, 0};
    struct request request;
    int code;

    if (sr_standard_fds_plug() < 0 || setrlimit(RLIMIT_CORE, &no_core) != 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return EXIT_ABSENT;
    setlocale(LC_ALL, "");
    if (!SR_WORDS_FIT)
        setlocale(LC_MESSAGES, "C");
    bindtextdomain(SR_WORDS, SR_LOCALEDIR);
    code = read_request(argc, argv, &request);
    return code >= 0 ? code : run(&request);
}
