/*
 * Other files: the settings that an administrator keeps in the files of
 * pam_faillock, pam_pwquality and pam_pwhistory, as keys of selfreset.conf(5).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/files.h"
#include "policy/config/other_files.h"
#include "policy/decide/rules.h"

/* pam_faillock's own defaults. */
#define FAIL_INTERVAL 900
#define DENY          "3"

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

/* A number of seconds, or -1: it is none. */
static long
seconds(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    return text[0] < '0' || text[0] > '9' || *end != '\0' ? -1 : number;
}

static const char *
value_of(const struct sr_other_lines *lines, const char *name,
         const char *missing)
{
    const struct sr_other_line *line = sr_other_find(lines, name);

    return line == NULL ? missing : line->value;
}

/* How long a lockout is, by visit->from. */
static void
set_duration(const struct visit *visit, const char *group, long window)
{
    const char *value = visit->from->value;
    char text[80];

    snprintf(text, sizeof(text), "%ss", value);
    if (seconds(value) == 0 || strcmp(value, "never") == 0)
        set(visit, "lockout", "limit", group,
            value_of(visit->lines, "deny", DENY));
    if (strcmp(value, "never") == 0 ||
        (seconds(value) >= 0 && seconds(value) < window))
        snprintf(text, sizeof(text), "%lds", window);
    set(visit, "lockout", "duration", group, text);
    set(visit, "lockout", "duration_max", group, text);
}

/* Root, and the members of a group that is treated as root. */
static void
visit_faillock_root(struct visit *visit, long window)
{
    const bool is_counted = sr_other_find(visit->lines, "even_deny_root") ||
                            sr_other_find(visit->lines, "root_unlock_time");
    const char *group = value_of(visit->lines, "admin_group", "");

    if (take(visit, "even_deny_root") || take(visit, "root_unlock_time"))
        set(visit, "lockout", "root", NULL, "yes");
    if (take(visit, "root_unlock_time")) {
        set_duration(visit, "root", window);
        if (group[0] != '\0')
            set_duration(visit, group, window);
    }
    if (group[0] != '\0' && !is_counted && take(visit, "admin_group"))
        set(visit, "lockout", "attempts", group, "0");
}

static void
visit_faillock(struct visit *visit)
{
    const char *interval = value_of(visit->lines, "fail_interval", NULL);
    const long window = interval == NULL ? FAIL_INTERVAL : seconds(interval);
    char text[80];

    if (take(visit, "deny")) {
        /* More slots than that a ledger has not. */
        snprintf(text, sizeof(text), "%d", SR_ATTEMPTS_MAX);
        set(visit, "lockout", "attempts", NULL,
            seconds(visit->from->value) > SR_ATTEMPTS_MAX ? text
                                                          : visit->from->value);
    }
    if (take(visit, "unlock_time") || interval != NULL) {
        (void)take(visit, "fail_interval");
        snprintf(text, sizeof(text), "%s%s",
                 interval == NULL ? "900" : interval, "s");
        set(visit, "lockout", "window", NULL, text);
    }
    if (take(visit, "unlock_time")) {
        set_duration(visit, NULL, window);
    } else if (window > FAIL_INTERVAL) {
        set(visit, "lockout", "duration", NULL, text);
    }
    visit_faillock_root(visit, window);
    if (take(visit, "nodelay"))
        set(visit, "lockout", "delay", NULL, "0");
    if (take(visit, "silent"))
        set(visit, "selfreset", "reveal", NULL, "never");
}

/* What pam_pwquality and pam_pwhistory both have. */
static void
visit_change(struct visit *visit)
{
    if (take(visit, "retry"))
        set(visit, "change", "tries", NULL, visit->from->value);
    if (take(visit, "enforce_for_root"))
        set(visit, "change", "root", NULL, "enforce");
}

void
sr_other_visit(enum sr_other other, const struct sr_other_lines *lines,
               const struct sr_other_visitor *visitor)
{
    struct visit visit = {.lines = lines, .visitor = visitor};
    char text[16];

    if (lines->count == 0)
        return;
    visit.from = &lines->item[0];
    if (other == SR_OTHER_FAILLOCK) {
        visit_faillock(&visit);
        return;
    }
    if (other == SR_OTHER_PWQUALITY)
        set(&visit, "password", "preset", NULL, "pwquality");
    else if (take(&visit, "remember")) {
        snprintf(text, sizeof(text), "%d", SR_HISTORY_MAX);
        set(&visit, "password", "history", NULL,
            seconds(visit.from->value) > SR_HISTORY_MAX ? text
                                                        : visit.from->value);
    }
    visit_change(&visit);
}
