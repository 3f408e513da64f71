/*
 * Nsswitch: parses nsswitch.conf(5) and edits its text.
 *
 * What is inserted can be recognised, so that removing it restores the text; no
 * copy of the old file is kept, which would be out of date when it is needed.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/nsswitch.h"
#include "tools/words.h"

#define SPACES " \t\v\f\r"

/* What is inserted: behind the local files, and before all others. */
#define BEHIND " " NSSWITCH_OURS
#define BEFORE NSSWITCH_OURS " [SUCCESS=continue] "

/* A line that was missing.  The comment is how it is known again; it has a line
 * of its own, since to the C library # begins one only there. */
#define ADDED(database)                                                        \
    "# Added by \"selfresetctl nss\":\n" database ": files " NSSWITCH_OURS "\n"

static const char *const databases[] = {"group", "shadow"};
static const char *const added[] = {ADDED("group"), ADDED("shadow")};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- reading */

/* Parse one item in brackets, "!NOTFOUND=return". */
static bool
take_action(const char *item, size_t length, struct nsswitch_source *source)
{
    static const char *const status[NSSWITCH_STATUS_COUNT] = {
        "success", "notfound", "unavail", "tryagain"};
    static const char *const action[] = {"return", "continue", "merge"};
    bool is_not = length > 0 && item[0] == '!';
    const char *name = item + is_not;
    const char *equals = memchr(item, '=', length);
    size_t name_length, value_length;
    int which = -1, what = -1;

    if (equals == NULL)
        return false;
    name_length = (size_t)(equals - name);
    value_length = length - (size_t)(equals - item) - 1;
    for (int i = 0; i < NSSWITCH_STATUS_COUNT; i++) {
        if (strlen(status[i]) == name_length &&
            strncasecmp(name, status[i], name_length) == 0)
            which = i;
    }
    for (int i = 0; i < (int)COUNT(action); i++) {
        if (strlen(action[i]) == value_length &&
            strncasecmp(equals + 1, action[i], value_length) == 0)
            what = i;
    }
    if (which < 0 || what < 0)
        return false;
    for (int i = 0; i < NSSWITCH_STATUS_COUNT; i++) {
        if ((i == which) != is_not)
            source->action[i] = (enum nsswitch_action)what;
    }
    return true;
}

/* Parse the brackets behind a source, from `at` on.  Returns the offset behind
 * them, or 0 on a syntax error. */
static size_t
take_bracket(const char *text, size_t at, size_t end,
             struct nsswitch_source *source)
{
    const char *close = memchr(text + at, ']', end - at);
    size_t stop = close == NULL ? 0 : (size_t)(close - text);

    if (close == NULL)
        return 0;
    source->has_actions = true;
    at++;
    for (;;) {
        size_t length;

        at += strspn(text + at, SPACES);
        if (at >= stop)
            return stop + 1;
        length = strcspn(text + at, SPACES "]");
        if (!take_action(text + at, length, source))
            return 0;
        at += length;
    }
}

/* The sources of a line, from `at` to `end`. */
static void
take_sources(struct nsswitch_line *line, size_t at, size_t end)
{
    const char *text = line->text;

    for (;;) {
        struct nsswitch_source *source = &line->source[line->count];
        size_t length, next;

        at += strspn(text + at, SPACES);
        if (at >= end)
            return;
        length = strcspn(text + at, SPACES "[\n#");
        if (length == 0 || line->count == NSSWITCH_SOURCES ||
            text[at + length] ==
                '#' ||             /* to the C library a part of the name */
            text[at - 1] == ']') { /* nothing can be inserted between */
            line->is_odd = true;
            return;
        }
        memset(source, 0, sizeof(*source));
        source->start = at;
        source->name_length = length;
        source->action[NSSWITCH_NOTFOUND] = NSSWITCH_CONTINUE;
        source->action[NSSWITCH_UNAVAIL] = NSSWITCH_CONTINUE;
        source->action[NSSWITCH_TRYAGAIN] = NSSWITCH_CONTINUE;
        at += length;
        source->end = at;
        next = at + strspn(text + at, SPACES);
        if (next < end && text[next] == '[') {
            at = take_bracket(text, next, end, source);
            source->end = at;
        }
        if (at == 0) {
            line->is_odd = true;
            return;
        }
        line->count++;
    }
}

bool
nsswitch_next(const char *text, struct nsswitch_line *line)
{
    size_t start = line->end;
    unsigned number = line->number;

    for (;; number++) {
        size_t stop = start + strcspn(text + start, "\n#");
        size_t end = start + strcspn(text + start, "\n");
        size_t name = start + strspn(text + start, SPACES);

        if (text[start] == '\0')
            return false;
        memset(line, 0, sizeof(*line));
        line->text = text;
        line->number = number + 1;
        line->start = start;
        line->end = text[end] == '\0' ? end : end + 1;
        line->name = name;
        start = line->end;
        if (name >= stop)
            continue;
        line->name_length = strcspn(text + name, SPACES ":\n#");
        if (line->name_length == 0)
            continue;
        if (name + line->name_length < stop)
            take_sources(line, name + line->name_length + 1, stop);
        return true;
    }
}

bool
nsswitch_is(const struct nsswitch_line *line, const char *database)
{
    return strlen(database) == line->name_length &&
           strncmp(line->text + line->name, database, line->name_length) == 0;
}

bool
nsswitch_is_source(const struct nsswitch_line *line, size_t index,
                   const char *name)
{
    const struct nsswitch_source *source = &line->source[index];

    return strlen(name) == source->name_length &&
           strncmp(line->text + source->start, name, source->name_length) == 0;
}

size_t
nsswitch_ours(const struct nsswitch_line *line)
{
    size_t i = 0;

    while (i < line->count && !nsswitch_is_source(line, i, NSSWITCH_OURS))
        i++;
    return i;
}

bool
nsswitch_is_files(const struct nsswitch_line *line, size_t index)
{
    return nsswitch_is_source(line, index, "files") ||
           nsswitch_is_source(line, index, "compat");
}

bool
nsswitch_ends(const struct nsswitch_line *line, size_t index,
              enum nsswitch_status status)
{
    return line->source[index].action[status] == NSSWITCH_RETURN;
}

/* ---- writing */

/* A text that is being written. */
struct output {
    char *text;
    size_t size;
    FILE *stream;
};

static bool
output_begin(struct output *output, char *why)
{
    output->text = NULL;
    output->stream = open_memstream(&output->text, &output->size);
    if (output->stream == NULL)
        snprintf(why, NSSWITCH_WHY, "%s", _("Out of memory."));
    return output->stream != NULL;
}

static char *
output_end(struct output *output, bool is_good, char *why)
{
    const bool is_whole = ferror(output->stream) == 0;

    if (fclose(output->stream) == 0 && is_good && is_whole)
        return output->text;
    if (is_good)
        snprintf(why, NSSWITCH_WHY, "%s", _("Out of memory."));
    free(output->text);
    return NULL;
}

static void
put(struct output *output, const char *text, size_t from, size_t to)
{
    fwrite(text + from, 1, to - from, output->stream);
}

static bool
starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/*
 * Copy a line without the source and its actions, and without the spaces that
 * were inserted with it.
 */
static void
put_without(struct output *output, const struct nsswitch_line *line)
{
    const char *text = line->text;
    size_t from = line->start;

    for (size_t i = 0; i < line->count; i++) {
        const struct nsswitch_source *source = &line->source[i];
        size_t start = source->start, end = source->end;

        if (!nsswitch_is_source(line, i, NSSWITCH_OURS))
            continue;
        if (i == 0)
            end += strspn(text + end, SPACES);
        else
            start = line->source[i - 1].end;
        put(output, text, from, start);
        from = end;
    }
    put(output, text, from, line->end);
}

char *
nsswitch_disable(const char *text, char why[NSSWITCH_WHY])
{
    struct nsswitch_line line = {0};
    struct output output;
    size_t from = 0;

    if (!output_begin(&output, why))
        return NULL;
    for (size_t i = 0; i < COUNT(added); i++) {
        if (starts_with(text + from, added[i]))
            from += strlen(added[i]);
    }
    line.end = from;
    while (nsswitch_next(text, &line)) {
        put(&output, text, from, line.start);
        put_without(&output, &line);
        from = line.end;
    }
    put(&output, text, from, strlen(text));
    return output_end(&output, true, why);
}

/* Whether the search continues behind a source, for every answer but success;
 * only a line initgroups has an action for success. */
static bool
continues(const struct nsswitch_line *line, size_t index)
{
    return !nsswitch_ends(line, index, NSSWITCH_NOTFOUND) &&
           !nsswitch_ends(line, index, NSSWITCH_UNAVAIL) &&
           !nsswitch_ends(line, index, NSSWITCH_TRYAGAIN);
}

/* Whether the line has the source once: directly behind the local files, or on
 * a line initgroups before all others, which are asked too. */
static bool
is_right(const struct nsswitch_line *line, bool is_initgroups)
{
    size_t ours = nsswitch_ours(line);
    unsigned copies = 0;

    for (size_t i = 0; i < line->count; i++) {
        copies += nsswitch_is_source(line, i, NSSWITCH_OURS);
        if (i < ours && !continues(line, i))
            return false;
    }
    if (copies != 1)
        return false;
    if (is_initgroups && ours == 0)
        return continues(line, 0) &&
               (line->count == 1 || !nsswitch_ends(line, 0, NSSWITCH_SUCCESS));
    if (is_initgroups) /* as the manual of glibc would have it */
        return ours == 1 && line->count == 2 && continues(line, 0) &&
               !nsswitch_ends(line, 0, NSSWITCH_SUCCESS);
    return ours > 0 && nsswitch_is_files(line, ours - 1) &&
           continues(line, ours - 1) && !line->source[ours].has_actions;
}

static bool
refuse(char *why, const struct nsswitch_line *line, const char *what)
{
    snprintf(why, NSSWITCH_WHY,
             _("The line %u, \"%.*s:\": %s  Correct it, then try again."),
             line->number, (int)line->name_length, line->text + line->name,
             _(what));
    return false;
}

/* Find where to insert, on a line without the source.  False: nowhere. */
static bool
find_place(const struct nsswitch_line *line, size_t *at, char *why)
{
    for (size_t i = 0; i < line->count; i++) {
        if (i > 0 && !continues(line, i - 1))
            return refuse(why, line,
                          N_("It can end before the local files (an action "
                             "\"return\")."));
        if (!nsswitch_is_files(line, i))
            continue;
        if (!continues(line, i))
            return refuse(
                why, line,
                N_("It ends at the local files (an action \"return\"), and no "
                   "source behind them would be asked."));
        if (nsswitch_is(line, "shadow") &&
            line->source[i].action[NSSWITCH_SUCCESS] != NSSWITCH_RETURN)
            return refuse(why, line,
                          N_("It continues where the local files have an "
                             "answer, which breaks the reading of passwords."));
        *at = line->source[i].end;
        return true;
    }
    return refuse(why, line, N_("It does not ask the local files."));
}

/* Copy a line with the source added. */
static bool
put_with(struct output *output, const struct nsswitch_line *line, char *why)
{
    bool is_initgroups = nsswitch_is(line, "initgroups");
    size_t at = 0;

    if (is_initgroups && line->count > 0)
        at = line->source[0].start;
    else if (is_initgroups)
        return refuse(why, line, N_("It names no source."));
    else if (!find_place(line, &at, why))
        return false;
    put(output, line->text, line->start, at);
    fputs(is_initgroups ? BEFORE : BEHIND, output->stream);
    put(output, line->text, at, line->end);
    return true;
}

/* One line that is to have our source: as it is, or without and then with. */
static bool
put_line(struct output *output, const struct nsswitch_line *line, char *why)
{
    struct nsswitch_line bare_line = {0};
    struct output bare;
    char *text;
    bool is_good;

    if (line->is_odd)
        return refuse(why, line, N_("It is not understood."));
    if (is_right(line, nsswitch_is(line, "initgroups"))) {
        put(output, line->text, line->start, line->end);
        return true;
    }
    if (nsswitch_ours(line) == line->count)
        return put_with(output, line, why);
    if (!output_begin(&bare, why))
        return false;
    put_without(&bare, line);
    text = output_end(&bare, true, why);
    if (text == NULL)
        return false;
    is_good = nsswitch_next(text, &bare_line);
    bare_line.number = line->number;
    is_good = is_good && put_with(output, &bare_line, why);
    free(text);
    return is_good;
}

char *
nsswitch_enable(const char *text, char why[NSSWITCH_WHY])
{
    struct nsswitch_line line = {0};
    bool is_there[COUNT(databases)] = {false};
    bool is_good = true;
    struct output output;
    size_t from = 0;

    while (nsswitch_next(text, &line)) {
        for (size_t i = 0; i < COUNT(databases); i++)
            is_there[i] = is_there[i] || nsswitch_is(&line, databases[i]);
    }
    if (!output_begin(&output, why))
        return NULL;
    for (size_t i = 0; i < COUNT(databases); i++) {
        if (!is_there[i])
            fputs(added[i], output.stream);
    }
    memset(&line, 0, sizeof(line));
    while (is_good && nsswitch_next(text, &line)) {
        put(&output, text, from, line.start);
        from = line.end;
        if (nsswitch_is(&line, "group") || nsswitch_is(&line, "shadow") ||
            nsswitch_is(&line, "initgroups"))
            is_good = put_line(&output, &line, why);
        else
            put(&output, text, line.start, line.end);
    }
    put(&output, text, from, strlen(text));
    if (text[0] != '\0' && text[strlen(text) - 1] != '\n')
        fputc('\n', output.stream);
    return output_end(&output, is_good, why);
}
