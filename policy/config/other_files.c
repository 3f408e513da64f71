/*
 * Other files: the settings that an administrator keeps in the files of
 * pam_faillock, pam_pwquality and pam_pwhistory, as keys of selfreset.conf(5).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/files.h"
#include "policy/config/other_files.h"
#include "policy/decide/rules.h"
#include "policy/util/time.h"
#include "policy/util/words.h"

/* pam_faillock's own defaults, and the largest values that it takes. */
#define FAIL_INTERVAL 900
#define DENY          3L
#define DENY_MAX      65535
#define TIME_MAX      604800

/* Of change.tries. */
#define TRIES_MAX 99

const char *const sr_other_words[] = {"faillock", "pwquality", "pwhistory",
                                      NULL};

const char *
sr_other_path(enum sr_other other)
{
    static const char *const path[SR_OTHER_COUNT] = {
        [SR_OTHER_FAILLOCK] = "/etc/security/faillock.conf",
        [SR_OTHER_PWQUALITY] = "/etc/security/pwquality.conf",
        [SR_OTHER_PWHISTORY] = "/etc/security/pwhistory.conf",
    };

    return path[other];
}

/* ---- reading */

struct reading {
    enum sr_other other;
    struct sr_other_lines *lines; /* of the file */
    struct sr_other_lines more;   /* of drop-ins */
    struct sr_config_errors *errors;
};

static void
add_line(struct reading *reading, struct sr_other_lines *lines,
         const char *file, unsigned number, const char *text)
{
    const size_t length = strcspn(text, " \t=");
    struct sr_other_line line = {.line = number, .file = strdup(file)};
    struct sr_other_line *grown =
        reallocarray(lines->item, lines->count + 1, sizeof(*grown));

    if (grown != NULL)
        lines->item = grown;
    if (grown == NULL || line.file == NULL) {
        free(line.file);
        reading->errors->out_of_memory = true;
        return;
    }
    snprintf(line.name, sizeof(line.name), "%.*s", (int)length, text);
    text += length + strspn(text + length, " \t=");
    snprintf(line.value, sizeof(line.value), "%s", text);
    grown[lines->count++] = line;
}

static void
visit_file(void *context, const char *name, char *bytes, size_t size)
{
    struct reading *reading = context;
    const bool is_file = strcmp(name, sr_other_path(reading->other)) == 0;
    char *rest = bytes, *text;
    unsigned number = 0;

    /* Only libpwquality has drop-ins. */
    if (!is_file && reading->other != SR_OTHER_PWQUALITY)
        return;
    bytes[size] = '\0';
    while ((text = strsep(&rest, "\n")) != NULL) {
        size_t length;

        number++;
        text += strspn(text, " \t");
        length = strcspn(text, "#\r");
        while (length > 0 && strchr(" \t", text[length - 1]) != NULL)
            length--;
        text[length] = '\0';
        if (length > 0)
            add_line(reading, is_file ? reading->lines : &reading->more, name,
                     number, text);
    }
}

/* Put the lines of drop-ins before those of the file. */
static void
put_first(struct reading *reading)
{
    struct sr_other_lines *lines = reading->lines, *more = &reading->more;
    struct sr_other_line *item =
        reallocarray(more->item, more->count + lines->count + 1, sizeof(*item));

    if (item == NULL) {
        sr_other_lines_free(more);
        reading->errors->out_of_memory = true;
        return;
    }
    if (lines->count > 0)
        memcpy(item + more->count, lines->item, lines->count * sizeof(*item));
    free(lines->item);
    lines->item = item;
    lines->count += more->count;
}

void
sr_other_read(enum sr_other other, struct sr_other_lines *lines,
              struct sr_stamps *stamps, struct sr_config_errors *errors)
{
    struct reading reading = {.other = other, .lines = lines, .errors = errors};
    const struct sr_files_visitor visitor = {visit_file, &reading};
    const char *const path = sr_other_path(other);

    *lines = (struct sr_other_lines){.item = NULL};
    sr_files_read(&path, 1, true, &visitor, stamps, errors);
    put_first(&reading);
}

void
sr_other_lines_free(struct sr_other_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->item[i].file);
    free(lines->item);
    *lines = (struct sr_other_lines){.item = NULL};
}

const struct sr_other_line *
sr_other_find(const struct sr_other_lines *lines, const char *name)
{
    for (size_t i = lines->count; i-- > 0;) {
        if (strcmp(lines->item[i].name, name) == 0)
            return &lines->item[i];
    }
    return NULL;
}

/* ---- keys */

struct visit {
    const struct sr_other_lines *lines;
    const struct sr_other_visitor *visitor;
    const struct sr_other_line *from;
};

static void
set(const struct visit *visit, const char *section, const char *key,
    const char *group, const char *text)
{
    visit->visitor->set(visit->visitor->context, section, key, group, text,
                        visit->from);
}

/* Make the line the one that keys follow from; false: there is none. */
static bool
take(struct visit *visit, const char *name)
{
    const struct sr_other_line *line = sr_other_find(visit->lines, name);

    if (line != NULL)
        visit->from = line;
    return line != NULL;
}

static void
note(const struct visit *visit, const struct sr_other_line *line,
     const char *why, long number)
{
    if (visit->visitor->odd != NULL)
        visit->visitor->odd(visit->visitor->context, line, why, number);
}

/* A number that a line sets. */
struct number {
    const struct sr_other_line *line; /* NULL: none does */
    long value;
};

/* As these modules read it: what follows the digits does not count.  Returns -1
 * where it is no number. */
static long
number_of(const char *text)
{
    return text[0] < '0' || text[0] > '9' ? -1 : strtol(text, NULL, 10);
}

/* The last line of this name with a number up to `most`: one without leaves
 * the value of these modules as it was.  `word`: one that stands for 0. */
static struct number
find_number(const struct visit *visit, const char *name, const char *word,
            long most)
{
    struct number number = {.value = 0};

    for (size_t i = visit->lines->count; number.line == NULL && i-- > 0;) {
        const struct sr_other_line *line = &visit->lines->item[i];

        if (strcmp(line->name, name) != 0)
            continue;
        number.value = word != NULL && strcmp(line->value, word) == 0
                           ? 0
                           : number_of(line->value);
        if (number.value >= 0 && number.value <= most)
            number.line = line;
        else
            note(visit, line, N_LOG("it is no number that its module takes"),
                 0);
    }
    return number;
}

/* Set a key to the number, or to the nearest one that the key may have. */
static void
set_number(struct visit *visit, const struct number *number,
           const char *section, const char *key, long least, long most)
{
    const long value = number->value < least  ? least
                       : number->value > most ? most
                                              : number->value;
    char text[24];

    if (number->line == NULL)
        return;
    visit->from = number->line;
    if (value != number->value)
        note(visit, number->line,
             value == least ? N_LOG("at least %ld is possible")
                            : N_LOG("at most %ld is possible"),
             value);
    snprintf(text, sizeof(text), "%ld", value);
    set(visit, section, key, NULL, text);
}

/* ---- pam_faillock */

struct faillock {
    struct number deny, interval, unlock, root;
    long window; /* in seconds */
};

/* How long a lockout is. */
static void
set_duration(struct visit *visit, const struct faillock *faillock,
             const struct number *time, const char *group)
{
    const long window = faillock->window;
    char text[24];

    visit->from = time->line;
    if (time->value == 0) {
        snprintf(text, sizeof(text), "%ld",
                 faillock->deny.line == NULL ? DENY : faillock->deny.value);
        set(visit, "lockout", "limit", group, text);
    }
    snprintf(text, sizeof(text), "%lds",
             time->value < window ? window : time->value);
    set(visit, "lockout", "duration", group, text);
    set(visit, "lockout", "duration_max", group, text);
}

/* Root, and the members of a group that is treated as root. */
static void
visit_faillock_root(struct visit *visit, const struct faillock *faillock)
{
    const struct sr_other_line *line =
        sr_other_find(visit->lines, "admin_group");
    const char *group = line == NULL ? "" : line->value;
    bool is_counted = take(visit, "even_deny_root");

    if (!is_counted && faillock->root.line != NULL) {
        visit->from = faillock->root.line;
        is_counted = true;
    }
    if (is_counted)
        set(visit, "lockout", "root", NULL, "yes");
    if (faillock->root.line != NULL) {
        set_duration(visit, faillock, &faillock->root, "root");
        if (group[0] != '\0')
            set_duration(visit, faillock, &faillock->root, group);
    }
    if (group[0] != '\0' && !is_counted && take(visit, "admin_group"))
        set(visit, "lockout", "attempts", group, "0");
}

static void
visit_faillock(struct visit *visit)
{
    struct faillock faillock = {
        .deny = find_number(visit, "deny", NULL, DENY_MAX),
        .interval = find_number(visit, "fail_interval", NULL, TIME_MAX),
        .unlock = find_number(visit, "unlock_time", "never", TIME_MAX),
        .root = find_number(visit, "root_unlock_time", "never", TIME_MAX),
    };
    char text[24];

    faillock.window = faillock.interval.line == NULL ? FAIL_INTERVAL
                                                     : faillock.interval.value;
    if (faillock.window == 0) {
        faillock.window = 1;
        note(visit, faillock.interval.line,
             N_LOG("the window is at least 1 second"), 0);
    }
    /* A ledger has no more slots than that. */
    set_number(visit, &faillock.deny, "lockout", "attempts", 0,
               SR_ATTEMPTS_MAX);
    snprintf(text, sizeof(text), "%lds", faillock.window);
    if (faillock.unlock.line != NULL || faillock.interval.line != NULL) {
        visit->from = faillock.interval.line != NULL ? faillock.interval.line
                                                     : faillock.unlock.line;
        set(visit, "lockout", "window", NULL, text);
    }
    if (faillock.unlock.line != NULL)
        set_duration(visit, &faillock, &faillock.unlock, NULL);
    else if (faillock.window > FAIL_INTERVAL)
        set(visit, "lockout", "duration", NULL, text);
    if (faillock.unlock.line == NULL && faillock.window > SR_DAY)
        set(visit, "lockout", "duration_max", NULL, text);
    if (faillock.unlock.value > 0 && faillock.unlock.value < faillock.window)
        note(visit, faillock.unlock.line,
             N_LOG("a lockout is not shorter than the window (fail_interval)"),
             0);
    visit_faillock_root(visit, &faillock);
    /* Under that delay names that exist and others look the same. */
    if (take(visit, "nodelay"))
        note(visit, visit->from, N_LOG("lockout.delay hides which names exist"),
             0);
    if (take(visit, "silent"))
        set(visit, "selfreset", "reveal", NULL, "never");
}

/* ---- all of them */

/* What pam_pwquality and pam_pwhistory both have. */
static void
visit_change(struct visit *visit)
{
    const struct number retry = find_number(visit, "retry", NULL, INT_MAX);

    set_number(visit, &retry, "change", "tries", 1, TRIES_MAX);
    if (take(visit, "enforce_for_root"))
        set(visit, "change", "root", NULL, "enforce");
}

void
sr_other_visit(enum sr_other other, const struct sr_other_lines *lines,
               const struct sr_other_visitor *visitor)
{
    struct visit visit = {.lines = lines, .visitor = visitor};
    struct number remember;

    if (lines->count == 0)
        return;
    visit.from = &lines->item[0];
    if (other == SR_OTHER_FAILLOCK) {
        visit_faillock(&visit);
        return;
    }
    if (other == SR_OTHER_PWQUALITY) {
        set(&visit, "password", "preset", NULL, "pwquality");
    } else {
        remember = find_number(&visit, "remember", NULL, LONG_MAX);
        set_number(&visit, &remember, "password", "history", 0, SR_HISTORY_MAX);
    }
    visit_change(&visit);
}
