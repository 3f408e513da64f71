/*
 * Error: what went wrong in one call, as a code for the program and a text for
 * logs and administrators.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_UTIL_ERROR_H
#define SR_POLICY_UTIL_ERROR_H

#include <locale.h>
#include <stdbool.h>

/* Bytes of the text, its end included. */
#define SR_ERROR_TEXT_SIZE 256

enum sr_error_code {
    SR_ERROR_NONE,
    SR_ERROR_OTHER,       /* only the text shows it */
    SR_ERROR_MEMORY,      /* out of memory */
    SR_ERROR_CONFIG,      /* the configuration names what cannot be used */
    SR_ERROR_UNREACHABLE, /* no server answered in time */
    SR_ERROR_IDENTITY,    /* this host's own credentials are missing, or were
                             not accepted */
    SR_ERROR_READ_ONLY,   /* the server that was asked takes no changes */
    SR_ERROR_NO_UID,      /* the entry has no uid that an account can have */
    SR_ERROR_BUSY,        /* another program holds what is needed */
    SR_ERROR_DATA,        /* data is not in the format that it should have */
};

struct sr_error {
    enum sr_error_code code;
    char text[SR_ERROR_TEXT_SIZE]; /* one line without a final period */
};

/* Make it "no error". */
void sr_error_clear(struct sr_error *error);

/* Set code and text.  A text that is too long is cut. */
__attribute__((format(printf, 3, 4))) void sr_error_set(struct sr_error *error,
                                                        enum sr_error_code code,
                                                        const char *format,
                                                        ...);

/* Whether a text has been set. */
bool sr_error_has_text(const struct sr_error *error);

/* The text, or a general one for the code where none was set. */
const char *sr_error_text(const struct sr_error *error);

/*
 * Logs are in English, whatever language the thread speaks to its user.  The
 * text of an errno; and the locale for uselocale(3) around calls of libraries
 * that translate theirs (it is never freed).
 */
const char *sr_strerror(int error);
locale_t sr_english(void);

#endif
