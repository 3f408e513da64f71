/*
 * Foldlines: texts from standard input, each with a NUL at its end, in the
 * lines that users see.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/report/message.h"

int
main(void)
{
    char *line = NULL;
    size_t size = 0;

    while (getdelim(&line, &size, '\0', stdin) > 0) {
        char *folded = sr_message_fold(strdup(line));

        if (folded == NULL ||
            fwrite(folded, strlen(folded) + 1, 1, stdout) != 1)
            return EXIT_FAILURE;
        free(folded);
    }
    free(line);
    return EXIT_SUCCESS;
}
