/*
 * Reading: from the lines of files to settings, each value checked by itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/lines.h"
#include "policy/config/nearest.h"
#include "policy/config/reading.h"
#include "policy/util/utf8.h"
#include "policy/util/words.h"

/* One file, and the section that is being read. */
struct file {
    struct sr_reading *reading;
    const char *name;
    unsigned line;
    char *section;       /* NULL: none yet */
    char *owner;         /* a group or a backend, or NULL */
    bool is_usable;      /* false: an error was reported, keys are skipped */
    bool has_open_value; /* the last setting can be continued */
};

#define FAULT(file, ...)                                                       \
    sr_config_error((file)->reading->errors, (file)->name, (file)->line,       \
                    __VA_ARGS__)

#define FOREIGN 512 /* bytes for what is said of the key of another module */

/* As much of a value as fits into a sentence. */
struct quote {
    char text[80];
};

static struct quote
quote(const char *text)
{
    struct quote quote;
    size_t used;

    sr_utf8_clean(text, false, quote.text, sizeof(quote.text) - 3);
    used = strlen(quote.text);
    if (used < strlen(text))
        strcpy(quote.text + used, "...");
    return quote;
}

static void
setting_clear(struct sr_setting *setting)
{
    sr_value_free(setting->key, &setting->value);
    free(setting->owner);
    free(setting->file);
}

void
sr_settings_free(struct sr_setting *item, size_t count)
{
    for (size_t i = 0; i < count; i++)
        setting_clear(&item[i]);
    free(item);
}

/* The settings, with room for one more: the defaults alone are many. */
static struct sr_setting *
make_room(struct sr_reading *reading)
{
    struct sr_setting *grown;

    if (reading->count < reading->room)
        return reading->item;
    grown = reallocarray(reading->item, reading->room + sr_key_count,
                         sizeof(*grown));
    if (grown != NULL) {
        reading->item = grown;
        reading->room += sr_key_count;
    }
    return grown;
}

/* Takes over `value`, also on failure. */
static struct sr_setting *
add_setting(struct sr_reading *reading, const struct sr_key *key,
            union sr_value *value, const char *owner, const char *file,
            unsigned line)
{
    struct sr_setting *grown = make_room(reading);
    struct sr_setting new = {.key = key, .value = *value, .line = line};

    new.owner = owner == NULL ? NULL : strdup(owner);
    new.file = file == NULL ? NULL : strdup(file);
    if (grown == NULL || (owner != NULL && new.owner == NULL) ||
        (file != NULL && new.file == NULL)) {
        reading->errors->out_of_memory = true;
        setting_clear(&new);
        return NULL;
    }
    grown[reading->count] = new;
    return &grown[reading->count++];
}

struct sr_setting *
sr_reading_preset(struct sr_reading *reading, const struct sr_key *key,
                  const char *text, const char *owner)
{
    union sr_value value;

    if (sr_value_parse(key, text, &value) != 0) {
        reading->errors->out_of_memory = true;
        return NULL;
    }
    return add_setting(reading, key, &value, owner, NULL, 0);
}

void
sr_reading_add(struct sr_reading *reading, const struct sr_key *key,
               const char *group, const char *text,
               const struct sr_other_line *from)
{
    union sr_value value;
    const int status = sr_value_parse(key, text, &value);
    char values[SR_VALUE_WORDS];

    if (status == ENOMEM) {
        reading->errors->out_of_memory = true;
    } else if (status != 0) {
        sr_value_describe(reading->errors, key, values, sizeof(values));
        sr_config_error(reading->errors, from->file, from->line,
                        N_LOG("%s is \"%s\", but %s.%s, which has its value "
                              "from there, must be %s"),
                        quote(from->name).text, quote(from->value).text,
                        key->section, key->name, values);
    } else {
        (void)add_setting(reading, key, &value, group, from->file, from->line);
    }
}

void
sr_reading_put_first(struct sr_reading *reading, struct sr_reading *first)
{
    const size_t count = first->count + reading->count;
    struct sr_setting *item =
        reallocarray(first->item, count + 1, sizeof(*item));

    if (item == NULL) {
        reading->errors->out_of_memory = true;
        return;
    }
    if (reading->count > 0)
        memcpy(item + first->count, reading->item,
               reading->count * sizeof(*item));
    free(reading->item);
    reading->item = item;
    reading->count = count;
    reading->room = count + 1;
    first->item = NULL;
    first->count = 0;
}

/* ---- keys and values */

static void
unknown_key(const struct file *file, const char *name)
{
    const struct sr_key *near = sr_key_near(file->section, name);
    const struct quote key = quote(name);
    char foreign[FOREIGN];

    if (sr_nearest_foreign(file->reading->errors, name, foreign,
                           sizeof(foreign)))
        FAULT(file, N_LOG("[%s] has no such key: %s"), file->section, foreign);
    else if (near == NULL)
        FAULT(file, N_LOG("[%s] has no key \"%s\""), file->section, key.text);
    else if (strcmp(near->section, file->section) == 0)
        FAULT(file, N_LOG("[%s] has no key \"%s\"; did you mean \"%s\"?"),
              file->section, key.text, near->name);
    else if (strcmp(near->name, name) == 0)
        FAULT(file, N_LOG("[%s] has no key \"%s\"; [%s] has one"),
              file->section, key.text, near->section);
    else
        FAULT(file,
              N_LOG("[%s] has no key \"%s\"; did you mean \"%s\" in [%s]?"),
              file->section, key.text, near->name, near->section);
}

static void
bad_value(const struct file *file, const struct sr_key *key, const char *text)
{
    const char *near = sr_key_near_word(key, text);
    const struct quote value = quote(text);
    char values[SR_VALUE_WORDS];

    sr_value_describe(file->reading->errors, key, values, sizeof(values));
    if (near != NULL)
        FAULT(file,
              N_LOG("%s.%s is \"%s\" but must be %s; did you mean \"%s\"?"),
              key->section, key->name, value.text, values, near);
    else if (key->type == SR_KEY_DURATION)
        FAULT(file,
              N_LOG("%s.%s is \"%s\" but must be %s, a number and one of s, m, "
                    "h, d, w"),
              key->section, key->name, value.text, values);
    else
        FAULT(file, N_LOG("%s.%s is \"%s\" but must be %s"), key->section,
              key->name, value.text, values);
}

static void
read_key(struct file *file, const struct sr_line *line)
{
    struct sr_reading *reading = file->reading;
    const struct sr_key *key = sr_key_find(file->section, line->name);
    union sr_value value;
    int status;

    file->has_open_value = false;
    if (key == NULL) {
        unknown_key(file, line->name);
        return;
    }
    if (file->owner != NULL && key->scope == SR_SCOPE_GLOBAL) {
        FAULT(file, N_LOG("%s.%s holds for the whole host, not for a group"),
              key->section, key->name);
        return;
    }
    status = sr_value_parse(key, line->text, &value);
    if (status == EINVAL)
        bad_value(file, key, line->text);
    else if (status == ENOMEM)
        reading->errors->out_of_memory = true;
    else
        file->has_open_value =
            add_setting(reading, key, &value, file->owner, file->name,
                        file->line) != NULL &&
            (key->type == SR_KEY_NAMES || key->type == SR_KEY_TEXT);
}

/* ---- continuation lines */

/* Whether a text begins like "key =" of this section, or nearly so: then the
 * line was indented by mistake. */
static bool
is_like_key(const struct file *file, const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz_-");
    char word[32];
    const struct sr_key *near;

    if (length >= sizeof(word) ||
        strchr("=:", text[length + strspn(text + length, " \t")]) == NULL)
        return false;
    memcpy(word, text, length);
    word[length] = '\0';
    if (sr_key_find(file->section, word) != NULL)
        return true;
    /* Short words are the attributes of filters and DNs. */
    near = sr_key_near(file->section, word);
    return length > 4 && near != NULL &&
           strcmp(near->section, file->section) == 0;
}

static int
append_names(struct sr_string_list *names, const struct sr_string_list *more)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < more->count; i++)
        status =
            sr_string_list_add(names, more->item[i], strlen(more->item[i]));
    return status;
}

/* A continued text gets a space, but not where spaces count: in filters, DNs
 * and the like of a backend. */
static int
append_text(const struct sr_key *key, union sr_value *value, const char *more)
{
    const char *glue = key->scope == SR_SCOPE_BACKEND ? "" : " ";
    char *joined = value->text == NULL
                       ? strdup(more)
                       : sr_format("%s%s%s", value->text, glue, more);
    union sr_value checked;
    int status =
        joined == NULL ? ENOMEM : sr_value_parse(key, joined, &checked);

    free(joined);
    if (status != 0)
        return status;
    sr_value_free(key, value);
    *value = checked;
    return 0;
}

static void
read_more(struct file *file, const char *text)
{
    struct sr_reading *reading = file->reading;
    struct sr_setting *last;
    union sr_value more;
    int status;

    if (!file->has_open_value || is_like_key(file, text)) {
        FAULT(file,
              N_LOG("the line is indented, so it continues the value of the "
                    "line before, which is not a list or text: remove the "
                    "space"));
        return;
    }
    last = &reading->item[reading->count - 1];
    if (last->key->type == SR_KEY_TEXT) {
        status = append_text(last->key, &last->value, text);
    } else {
        status = sr_value_parse(last->key, text, &more);
        if (status == 0) {
            status = append_names(&last->value.names, &more.names);
            sr_value_free(last->key, &more);
        }
    }
    if (status == EINVAL)
        bad_value(file, last->key, text);
    else if (status != 0)
        reading->errors->out_of_memory = true;
}

/* ---- sections */

/* What follows the name of a section: "group:NAME", or a backend's name. */
static bool
read_owner(struct file *file, const struct sr_key *key, char *owner)
{
    static const char prefix[] = "group:";
    const size_t length = strlen(prefix);

    file->owner = NULL;
    if (key->scope == SR_SCOPE_BACKEND) {
        if (owner == NULL || !sr_value_is_backend_name(owner, strlen(owner)))
            FAULT(file,
                  N_LOG("a backend is named in its section, by at most %d "
                        "letters and digits: [backend NAME]"),
                  SR_BACKEND_NAME_MAX);
        else if (strcmp(owner, SR_LOCAL) == 0)
            FAULT(file, N_LOG("the backend \"local\" has no section"));
        else
            file->owner = owner;
        return file->owner != NULL;
    }
    if (owner == NULL)
        return true;
    if (strncmp(owner, prefix, length) != 0 || owner[length] == '\0' ||
        owner[length] == ' ')
        FAULT(file, N_LOG("only a group can be named here: [%s group:NAME]"),
              file->section);
    else if (key->scope != SR_SCOPE_RULES)
        FAULT(file, N_LOG("[%s] holds for the whole host, not for a group"),
              file->section);
    else
        file->owner = owner + length;
    return file->owner != NULL;
}

/* "NAME", "NAME group:GROUP" or "backend NAME". */
static void
read_section(struct file *file, char *text)
{
    char *owner = strpbrk(text, " \t");
    const struct sr_key *key;
    const char *near;

    if (owner != NULL) {
        *owner++ = '\0';
        owner += strspn(owner, " \t");
    }
    file->section = text;
    file->has_open_value = false;
    key = sr_key_of_section(text);
    file->is_usable = key != NULL && read_owner(file, key, owner);
    if (key != NULL)
        return;
    near = sr_key_near_section(text);
    if (strncmp(text, "group", strlen("group")) == 0)
        FAULT(file, N_LOG("a group is named behind a section, as in [lockout "
                          "group:NAME]"));
    else if (near == NULL)
        FAULT(file, N_LOG("there is no section [%s]"), quote(text).text);
    else
        FAULT(file, N_LOG("there is no section [%s]; did you mean [%s]?"),
              quote(text).text, near);
}

/* ---- files */

/* A line that is no section, key or continuation, or a key without a section:
 * what is wrong, and the key that it was probably meant to be. */
static void
read_fault(struct file *file, const char *fault, const char *line)
{
    const struct sr_config_errors *errors = file->reading->errors;
    const size_t length = strcspn(line, " \t=:");
    char word[32] = "", foreign[FOREIGN];

    if (length < sizeof(word))
        memcpy(word, line, length);
    fault = sr_config_words(errors, fault);
    file->has_open_value = false;
    if (sr_nearest_foreign(errors, word, foreign, sizeof(foreign)))
        FAULT(file, "%s; %s", fault, foreign);
    else
        FAULT(file, "%s", fault);
}

void
sr_reading_file(struct sr_reading *reading, const char *name, char *bytes,
                size_t size)
{
    struct file file = {.reading = reading, .name = name};
    struct sr_lines lines;
    struct sr_line line;

    sr_lines_begin(&lines, bytes, size);
    while ((line = sr_lines_next(&lines)).kind != SR_LINE_END &&
           !sr_config_errors_full(reading->errors)) {
        file.line = line.number;
        if (line.kind == SR_LINE_SECTION) {
            read_section(&file, line.name);
        } else if (line.kind == SR_LINE_FAULT) {
            read_fault(&file, line.text, line.name);
            if (line.name[0] == '[') { /* its keys belong to no section */
                file.section = line.name;
                file.is_usable = false;
            }
        } else if (file.section == NULL) {
            read_fault(&file, N_LOG("a [section] must come first"), line.name);
        } else if (file.is_usable) {
            if (line.kind == SR_LINE_KEY)
                read_key(&file, &line);
            else
                read_more(&file, line.text);
        }
    }
}
