/*
 * Other files: the settings that an administrator keeps in the files of
 * pam_faillock, pam_pwquality and pam_pwhistory, as keys of selfreset.conf(5):
 * what a scanner reads there is then what is in force
 * (selfreset.defaults_from).
 *
 * Which setting is which key is in selfreset.conf(5) under MIGRATION.  The
 * forms of the files are those of faillock.conf(5), pwquality.conf(5) and
 * pwhistory.conf(5): "name", or "name = value"; "#" begins a comment.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_OTHER_FILES_H
#define SR_POLICY_CONFIG_OTHER_FILES_H

#include "policy/config/errors.h"
#include "policy/config/stamps.h"

enum sr_other {
    SR_OTHER_FAILLOCK,
    SR_OTHER_PWQUALITY,
    SR_OTHER_PWHISTORY,
    SR_OTHER_COUNT
};

/* The words of selfreset.defaults_from, ended by NULL. */
extern const char *const sr_other_words[];

/* "/etc/security/faillock.conf"; a constant string. */
const char *sr_other_path(enum sr_other other);

/* One setting. */
struct sr_other_line {
    char *file;
    unsigned line; /* 0: the file as a whole */
    char name[24];
    char value[64]; /* empty: it has none.  One that is longer is cut off */
};

struct sr_other_lines {
    struct sr_other_line *item;
    size_t count;
};

/*
 * Read the file and, of pwquality, its drop-ins, which count before it as for
 * libpwquality.  A file that is not there has no settings.  Errors as those of
 * sr_files_read().  Free the lines in any case.
 */
void sr_other_read(enum sr_other other, struct sr_other_lines *lines,
                   struct sr_stamps *stamps, struct sr_config_errors *errors);
void sr_other_lines_free(struct sr_other_lines *lines);

/* The last line of this name, which counts; NULL: there is none. */
const struct sr_other_line *sr_other_find(const struct sr_other_lines *lines,
                                          const char *name);

/* One key that the lines set: as text, for all accounts (group NULL) or for
 * those of a group.  `from` is the line that it follows from. */
struct sr_other_visitor {
    void (*set)(void *context, const char *section, const char *key,
                const char *group, const char *text,
                const struct sr_other_line *from);
    /* A line whose value is not in force as it is written, and why: a text that
     * may be a format for the number.  NULL: it is not to be called. */
    void (*odd)(void *context, const struct sr_other_line *line,
                const char *why, long number);
    void *context;
};

/*
 * Visit each key that the lines set.  Of pwquality that is password.preset,
 * under which libpwquality itself reads the rest; it is not visited where there
 * are no lines.  Every value of a number is one that its key may have: the
 * nearest one.  A line without a number that its module takes has no effect, as
 * there: an edit of such a file must not make the configuration an error. Pure.
 *
 * A lockout of this module is never shorter than the window: where unlock_time
 * is, it is raised.  With "unlock_time = never" deny is lockout.limit as well.
 */
void sr_other_visit(enum sr_other other, const struct sr_other_lines *lines,
                    const struct sr_other_visitor *visitor);

#endif
