/*
 * Terminal: lines from and to the person at standard input and output, which
 * may be a terminal of any kind, a serial line or a pipe.
 *
 * Nothing but text is written: no colours and no movement of the cursor.
 * Signals that would end or stop the process are taken as input, so that the
 * terminal is always left as it was found.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_HELPER_TERMINAL_H
#define SR_HELPER_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest answer in bytes. */
#define TERMINAL_LINE_MAX 4095

enum terminal_got {
    TERMINAL_LINE,   /* an answer was typed */
    TERMINAL_ENDED,  /* the end of the input, or it cannot be read */
    TERMINAL_OTHER,  /* the other descriptor is ready, or there was an answer
                        that cannot be one (terminal_ask with `is_bad`) */
    TERMINAL_SIGNAL, /* a signal: terminal->signal */
    TERMINAL_LATE,   /* the deadline has passed */
};

struct terminal {
    bool is_terminal;                  /* standard input is one */
    int signals;                       /* a signalfd(2) */
    int signal;                        /* the one that came; 0: none */
    char bytes[TERMINAL_LINE_MAX + 1]; /* that were read */
    size_t count;
    bool is_cut; /* the line is too long, or has a zero byte */
};

/* Begin; the signals are blocked from then on.  False: it cannot be done. */
bool terminal_begin(struct terminal *terminal);

/* Wipe what was read. */
void terminal_end(struct terminal *terminal);

/* Write a text as lines, without what a terminal would interpret. */
void terminal_show(const char *text);

/* Wait until `other` can be read: TERMINAL_OTHER, TERMINAL_SIGNAL or, when
 * `end` (a deadline, see deadline.h) passes, TERMINAL_LATE. */
enum terminal_got terminal_wait(struct terminal *terminal, int other,
                                int64_t end);

/*
 * Ask a question; without `is_shown` the terminal does not echo.  While it
 * waits, `other` (-1: none) is looked at.  TERMINAL_LINE: the answer is in
 * `line`, or *is_bad is set: it was too long.  Wipe it.
 */
enum terminal_got terminal_ask(struct terminal *terminal, const char *prompt,
                               bool is_shown, int other, int64_t end,
                               char line[TERMINAL_LINE_MAX + 1], bool *is_bad);

#endif
