/*
 * Nsswitch: parses nsswitch.conf(5) and edits its text.  Pure: no I/O.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_NSSWITCH_H
#define SR_TOOLS_NSSWITCH_H

#include <stdbool.h>
#include <stddef.h>

#define NSSWITCH_FILE "/etc/nsswitch.conf"

/* The source that this project adds. */
#define NSSWITCH_OURS "selfreset"

/* The answers of a source, and the actions for them. */
enum nsswitch_status {
    NSSWITCH_SUCCESS,
    NSSWITCH_NOTFOUND,
    NSSWITCH_UNAVAIL,
    NSSWITCH_TRYAGAIN,
    NSSWITCH_STATUS_COUNT
};
enum nsswitch_action { NSSWITCH_RETURN, NSSWITCH_CONTINUE, NSSWITCH_MERGE };

/* A source on a line, with the actions in brackets behind it. */
struct nsswitch_source {
    size_t start;       /* of its name, in the text */
    size_t name_length; /* of its name */
    size_t end;         /* behind its actions, or its name */
    bool has_actions;
    enum nsswitch_action action[NSSWITCH_STATUS_COUNT];
};

#define NSSWITCH_SOURCES 16

struct nsswitch_line {
    const char *text; /* the whole text */
    unsigned number;  /* from 1 */
    size_t start;     /* of the line, in the text */
    size_t end;       /* behind its newline */
    size_t name;      /* of the database */
    size_t name_length;
    struct nsswitch_source source[NSSWITCH_SOURCES];
    size_t count;
    bool is_odd; /* could not be parsed to its end */
};

/*
 * Read the next line that names a database, as glibc does.  `line` is zeroed
 * before the first.  False at the end of the text.
 */
bool nsswitch_next(const char *text, struct nsswitch_line *line);

/* Whether a line is of this database; whether a source has this name. */
bool nsswitch_is(const struct nsswitch_line *line, const char *database);
bool nsswitch_is_source(const struct nsswitch_line *line, size_t index,
                        const char *name);

/* The index of the source selfreset; line->count when it is missing. */
size_t nsswitch_ours(const struct nsswitch_line *line);

/* Whether a source asks the local files ("files", "compat"). */
bool nsswitch_is_files(const struct nsswitch_line *line, size_t index);

/* Whether a status of a source ends the search before the next one is asked. */
bool nsswitch_ends(const struct nsswitch_line *line, size_t index,
                   enum nsswitch_status status);

#define NSSWITCH_WHY 1024 /* room for a reason below */

/*
 * Add the source to the lines group and shadow, directly behind the local
 * files, and to a line initgroups, if there is one, before all others, so that
 * their order and actions stay as they are.  A missing line is added at the
 * top, and a missing newline at the end, without which glibc ignores the last
 * line.  A source in a wrong place is moved; a text that is right already comes
 * back unchanged.  Returns a new text, or NULL with a sentence in `why`.
 */
char *nsswitch_enable(const char *text, char why[NSSWITCH_WHY]);

/*
 * Remove the source from every line, and the lines that nsswitch_enable()
 * added: when nothing was edited since, the result is the text before it, byte
 * for byte, except for a newline that was missing at its end.  Returns a new
 * text, or NULL with a sentence in `why`.
 */
char *nsswitch_disable(const char *text, char why[NSSWITCH_WHY]);

#endif
