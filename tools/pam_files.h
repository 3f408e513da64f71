/*
 * PAM files: what pam-auth-update(8) writes, kept while it runs and put back.
 *
 * It compares the common stacks with its own record of them, and takes them for
 * edited by hand where the two differ: both are kept, or it would never write
 * the stacks again.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_PAM_FILES_H
#define SR_TOOLS_PAM_FILES_H

#include "tools/rewrite.h"

#define PAM_FILES_FOLDER "/etc/pam.d/"
#define PAM_FILES_COMMON PAM_FILES_FOLDER "common-"
#define PAM_FILES_COUNT  11

struct pam_files {
    struct {
        struct rewrite file; /* text: NULL when it did not exist */
        char *link;          /* what it was a link to, or NULL */
    } item[PAM_FILES_COUNT];
};

/*
 * Whether copies are left of a run that was killed, or that could not put the
 * files back; says what to do.  They may be all that there is of the files.
 */
bool pam_files_are_left(void);

/*
 * Read all files; the stacks are also copied, to names with PAM_KEPT_FILE.
 * False after a message on standard error: nothing is left of it.
 */
bool pam_files_keep(struct pam_files *files);

/* Which of the stacks another file has replaced: pam-auth-update writes all,
 * also those that stay the same, and answers success when it stops between
 * two. */
enum pam_files_replaced { PAM_FILES_NONE, PAM_FILES_SOME, PAM_FILES_ALL };
enum pam_files_replaced
pam_files_what_is_replaced(const struct pam_files *files);

/*
 * Put back what is not as it was, and remove the copies.  False after a message
 * on standard error: the copies of the stacks stay.
 */
bool pam_files_put_back(const struct pam_files *files);

/* The new stacks stay: the copies get the name with PAM_OLD_FILE, in the place
 * of older ones. */
void pam_files_settle(const struct pam_files *files);

/* For __attribute__((cleanup)). */
void pam_files_end(struct pam_files *files);

#endif
