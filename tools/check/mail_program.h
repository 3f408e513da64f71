/*
 * Mail program: whether the programs that self-service reset runs are there,
 * and work where they would be run.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_MAIL_PROGRAM_H
#define SR_TOOLS_CHECK_MAIL_PROGRAM_H

#include "policy/config/settings.h"
#include "tools/check/findings.h"

#define MAIL_PROGRAM_TEXT 512

enum mail_program_answer {
    MAIL_PROGRAM_GOOD,
    MAIL_PROGRAM_BAD,    /* `why` says what it did */
    MAIL_PROGRAM_UNASKED /* the helper could not be asked; so does `why` */
};

/*
 * Have selfreset-helper run the mail program as in a dialogue, in its sandbox
 * and as its user: with a mail to `address`, or NULL: with one that has no
 * recipient and is sent to nobody.
 */
enum mail_program_answer mail_program_try(const char *address,
                                          char why[MAIL_PROGRAM_TEXT]);

/* Add what is wrong with the programs and their user. */
void check_programs(const struct sr_config *config, struct findings *findings);

#endif
