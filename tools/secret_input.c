/*
 * Secret input: reads a password from the standard input.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "tools/secret_input.h"

/* One byte, not by stdio, whose buffer would keep a copy.  False: none. */
static bool
read_byte(char *byte)
{
    ssize_t count;

    do {
        count = read(STDIN_FILENO, byte, 1);
    } while (count < 0 && errno == EINTR);
    return count == 1;
}

bool
ctl_read_secret(const char *prompt, char *out, size_t size, bool *is_cut)
{
    struct termios before, quiet;
    bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    bool is_read = false;
    size_t length = 0;
    char byte = 0;

    *is_cut = false;
    if (is_terminal) {
        quiet = before;
        quiet.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        fputs(prompt, stderr); /* what is typed from now on is not discarded */
    }
    while (read_byte(&byte)) {
        is_read = true;
        if (byte == '\n')
            break;
        if (byte == '\0' || length + 1 == size)
            *is_cut = true;
        else
            out[length++] = byte;
    }
    out[length] = '\0';
    byte = '\0';
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    return is_read;
}
