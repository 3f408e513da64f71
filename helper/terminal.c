/*
 * Terminal: lines from and to the person at standard input and output.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "helper/terminal.h"
#include "policy/util/deadline.h"
#include "policy/util/io.h"
#include "policy/util/utf8.h"

bool
terminal_begin(struct terminal *terminal)
{
    sigset_t signals;

    memset(terminal, 0, sizeof(*terminal));
    terminal->is_terminal = isatty(STDIN_FILENO) == 1;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGQUIT);
    sigaddset(&signals, SIGTERM);
    /* A dialogue that is stopped would have to be begun again. */
    sigaddset(&signals, SIGTSTP);
    signal(SIGPIPE, SIG_IGN);
    terminal->signals = sigprocmask(SIG_BLOCK, &signals, NULL) != 0
                            ? -1
                            : signalfd(-1, &signals, SFD_CLOEXEC);
    return terminal->signals >= 0;
}

void
terminal_end(struct terminal *terminal)
{
    explicit_bzero(terminal->bytes, sizeof(terminal->bytes));
    close(terminal->signals);
}

/* A person who has gone away notices nothing more. */
static void
put(const char *text)
{
    (void)!sr_write_all(STDOUT_FILENO, text, strlen(text));
}

static void
put_clean(const char *text)
{
    const size_t size = strlen(text) + 1; /* nothing becomes longer */
    char *clean = malloc(size);

    if (clean == NULL)
        return;
    sr_utf8_clean(text, true, clean, size);
    put(clean);
    explicit_bzero(clean, size); /* it may have recovery codes */
    free(clean);
}

void
terminal_show(const char *text)
{
    const size_t length = strlen(text);

    put_clean(text);
    if (length == 0 || text[length - 1] != '\n')
        put("\n");
}

/* Take the signal that came; false when it is one that changes nothing. */
static bool
take_signal(struct terminal *terminal)
{
    struct signalfd_siginfo info;

    if (read(terminal->signals, &info, sizeof(info)) != sizeof(info) ||
        info.ssi_signo == SIGTSTP)
        return false;
    terminal->signal = (int)info.ssi_signo;
    return true;
}

/* Wait for one of the three; TERMINAL_LINE: standard input can be read. */
static enum terminal_got
await(struct terminal *terminal, int input, int other, int64_t end)
{
    struct pollfd ready[3] = {{.fd = terminal->signals, .events = POLLIN},
                              {.fd = other, .events = POLLIN},
                              {.fd = input, .events = POLLIN}};

    for (;;) {
        const int count = poll(ready, 3, sr_deadline_left(end));

        if (count == 0)
            return TERMINAL_LATE;
        if (count < 0 && errno != EINTR)
            return TERMINAL_ENDED;
        if (count < 0)
            continue;
        if (ready[0].revents != 0 && take_signal(terminal))
            return TERMINAL_SIGNAL;
        if (ready[1].revents != 0)
            return TERMINAL_OTHER;
        if (ready[2].revents != 0)
            return TERMINAL_LINE;
    }
}

enum terminal_got
terminal_wait(struct terminal *terminal, int other, int64_t end)
{
    return await(terminal, -1, other, end);
}

/* ---- input */

/* Take the first line out of what was read, up to its end at `length`. */
static void
take_line(struct terminal *terminal, size_t length, char *line, bool *is_bad)
{
    const size_t used =
        length < terminal->count ? length + 1 : length; /* with its end */

    *is_bad = terminal->is_cut || memchr(terminal->bytes, '\0', length) != NULL;
    memcpy(line, terminal->bytes, length);
    line[length] = '\0';
    terminal->count -= used;
    memmove(terminal->bytes, terminal->bytes + used, terminal->count);
    explicit_bzero(terminal->bytes + terminal->count,
                   sizeof(terminal->bytes) - terminal->count);
    terminal->is_cut = false;
}

/* Read what there is; false at the end of the input. */
static bool
read_more(struct terminal *terminal)
{
    ssize_t got;

    if (terminal->count == sizeof(terminal->bytes)) {
        /* The rest of the line is read and belongs to nothing. */
        explicit_bzero(terminal->bytes, sizeof(terminal->bytes));
        terminal->count = 0;
        terminal->is_cut = true;
    }
    got = read(STDIN_FILENO, terminal->bytes + terminal->count,
               sizeof(terminal->bytes) - terminal->count);
    if (got < 0 && errno == EINTR)
        return true;
    if (got <= 0)
        return false;
    terminal->count += (size_t)got;
    return true;
}

/* Wait for a whole line; the last one need not have an end. */
static enum terminal_got
read_line(struct terminal *terminal, int other, int64_t end, char *line,
          bool *is_bad)
{
    enum terminal_got got = TERMINAL_LINE;
    const char *newline;
    bool is_more = true;

    while ((newline = memchr(terminal->bytes, '\n', terminal->count)) == NULL &&
           is_more) {
        got = await(terminal, STDIN_FILENO, other, end);
        if (got != TERMINAL_LINE)
            return got;
        is_more = read_more(terminal);
    }
    if (newline == NULL && terminal->count == 0 && !terminal->is_cut)
        return TERMINAL_ENDED;
    take_line(terminal,
              newline == NULL ? terminal->count
                              : (size_t)(newline - terminal->bytes),
              line, is_bad);
    return TERMINAL_LINE;
}

/* Read lines, and echo them or not; the modes before are in *old. */
static bool
set_modes(bool is_shown, struct termios *old)
{
    struct termios modes;

    if (tcgetattr(STDIN_FILENO, old) != 0)
        return false;
    modes = *old;
    modes.c_iflag |= ICRNL;
    modes.c_lflag |= ICANON | ISIG | ECHO;
    if (!is_shown)
        modes.c_lflag = (modes.c_lflag & ~(tcflag_t)ECHO) | ECHONL;
    return tcsetattr(STDIN_FILENO, TCSADRAIN, &modes) == 0;
}

enum terminal_got
terminal_ask(struct terminal *terminal, const char *prompt, bool is_shown,
             int other, int64_t end, char line[TERMINAL_LINE_MAX + 1],
             bool *is_bad)
{
    struct termios old;
    const bool is_set = terminal->is_terminal && set_modes(is_shown, &old);
    enum terminal_got got = TERMINAL_ENDED;

    *is_bad = false;
    line[0] = '\0';
    put_clean(prompt);
    /* What must not be seen is not read where it would be. */
    if (is_set || is_shown || !terminal->is_terminal)
        got = read_line(terminal, other, end, line, is_bad);
    if (is_set)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &old);
    if (got != TERMINAL_LINE)
        put("\n");
    return got;
}
