/*
 * Resetdrive: runs one flow of self-service reset over standard input and
 * output, for tests of the flow itself.
 *
 * Usage: resetdrive KIND [OPERAND] [--uid=N] [--rhost=HOST] [--locale=NAME].
 * What the flow says is written as lines; a question as "? PROMPT" or, where
 * the answer is hidden, as "! PROMPT", and its answer is the next line.  The
 * last line is "END n".
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/reset/flow.h"

static bool
say(void *data, const char *text)
{
    (void)data;
    printf("%s\n", text);
    return fflush(stdout) == 0;
}

static bool
ask(void *data, const char *prompt, bool is_shown, char **answer)
{
    size_t size = 0;

    (void)data;
    *answer = NULL;
    printf("%c %s\n", is_shown ? '?' : '!', prompt);
    fflush(stdout);
    if (getline(answer, &size, stdin) < 0) {
        free(*answer);
        *answer = NULL;
        return false;
    }
    (*answer)[strcspn(*answer, "\n")] = '\0';
    return true;
}

int
main(int argc, char **argv)
{
    const struct sr_reset_talk talk = {.say = say, .ask = ask};
    struct sr_reset_peer peer = {.service = "resetdrive"};
    const char *operand = NULL;
    enum sr_reset_kind kind;

    if (argc < 2 || (kind = sr_reset_find(argv[1])) == SR_RESET_KINDS)
        return 64;
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "--uid=", 6) == 0)
            peer.uid = peer.real_uid = (uid_t)atoi(argv[i] + 6);
        else if (strncmp(argv[i], "--rhost=", 8) == 0)
            peer.rhost = argv[i] + 8;
        else if (strncmp(argv[i], "--locale=", 9) != 0)
            operand = argv[i];
        else if (setlocale(LC_ALL, argv[i] + 9) == NULL)
            return 64;
    }
    printf("END %d\n", sr_reset_flow(kind, operand, &peer, &talk));
    return 0;
}
