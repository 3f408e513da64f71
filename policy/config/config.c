/*
 * Config: from files to struct sr_config, and from there to the rules of one
 * account.
 *
 * libinih cuts a line at its buffer (200 bytes in the builds of Debian and
 * Fedora) and a section's name at 49, both without a word.  So it is fed
 * through a reader that looks at each line first: lines it would cut are
 * errors, and sections are kept here.  Its settings are variables of the whole
 * process, which belongs to others; they are left alone.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/config/backend_section.h"
#include "policy/config/keys.h"
#include "policy/util/utf8.h"

#define ERRORS_MAX   100       /* then one more that says so */
#define FILE_MAX     (1 << 20) /* bytes; the largest sane one has some KiB */
#define SECTION_SIZE 512       /* more than a line that is let through */
#define MAX_LENGTH   256       /* what password.max_length = 0 stands for */

struct sr_override {
    const struct sr_key *key;
    char *group;
    union sr_value value;
};

/* One "key = value" that was read and is right by itself. */
struct setting {
    const struct sr_key *key;
    char *group; /* or backend; NULL: a plain section */
    union sr_value value;
    char *file;
    unsigned line;
};

/* Everything that is being loaded; settings are applied when all are known,
 * because the profile, which says the defaults, may come last. */
struct load {
    struct sr_config_errors *errors;
    struct setting *setting;
    size_t count;
    bool out_of_memory;
};

/* One file that libinih is reading. */
struct reader {
    struct load *load;
    const char *at, *end; /* what is left of the file's bytes */
    const char *name;
    unsigned line;
    char section[SECTION_SIZE];
    char *group; /* or backend; into section, or NULL */
    bool has_section;
    bool is_section_usable; /* false: an error was reported, keys are skipped */
    bool is_indented;
    bool has_key;    /* since the section began, as libinih sees it */
    bool is_listed;  /* the last key was a list and can go on */
    bool is_awaited; /* the line must reach the handler */
};

__attribute__((format(printf, 4, 5))) static void
add_error(struct load *load, const char *file, unsigned line,
          const char *format, ...)
{
    struct sr_config_errors *errors = load->errors;
    char text[1024], where[16] = "";
    char *item = NULL;
    char **grown;
    va_list arguments;

    if (errors->count > ERRORS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (line > 0)
        snprintf(where, sizeof(where), "%u:", line);
    if (errors->count == ERRORS_MAX)
        snprintf(text, sizeof(text), "more errors are not shown");
    grown = reallocarray(errors->item, errors->count + 1, sizeof(*grown));
    if (grown != NULL)
        errors->item = grown;
    if (grown == NULL || asprintf(&item, "%s:%s %s", file, where, text) < 0) {
        load->out_of_memory = true;
        return;
    }
    errors->item[errors->count++] = item;
}

static void
setting_clear(struct setting *setting)
{
    if (setting->key != NULL)
        sr_key_free(setting->key, &setting->value);
    free(setting->group);
    free(setting->file);
    memset(setting, 0, sizeof(*setting));
}

static void
load_clear(struct load *load)
{
    for (size_t i = 0; i < load->count; i++)
        setting_clear(&load->setting[i]);
    free(load->setting);
}

/* Takes over `value`, also when it fails. */
static bool
add_setting(struct reader *reader, const struct sr_key *key,
            union sr_value *value)
{
    struct load *load = reader->load;
    struct setting *grown =
        reallocarray(load->setting, load->count + 1, sizeof(*grown));
    struct setting new = {.key = key, .value = *value, .line = reader->line};

    if (grown != NULL)
        load->setting = grown;
    new.file = strdup(reader->name);
    if (reader->group != NULL)
        new.group = strdup(reader->group);
    if (grown == NULL || new.file == NULL ||
        (reader->group != NULL && new.group == NULL)) {
        load->out_of_memory = true;
        setting_clear(&new);
        return false;
    }
    load->setting[load->count++] = new;
    return true;
}

static void
unknown_key(const struct reader *reader, const char *name)
{
    const char *belongs = NULL;

    for (size_t i = 0; i < sr_key_count && belongs == NULL; i++) {
        if (strcmp(sr_keys[i].name, name) == 0)
            belongs = sr_keys[i].section;
    }
    if (belongs != NULL)
        add_error(reader->load, reader->name, reader->line,
                  "[%s] has no key \"%s\"; [%s] has one", reader->section, name,
                  belongs);
    else
        add_error(reader->load, reader->name, reader->line,
                  "[%s] has no key \"%s\"", reader->section, name);
}

static void
bad_value(const struct reader *reader, const struct sr_key *key,
          const char *text)
{
    char values[128];

    sr_key_values(key, values, sizeof(values));
    add_error(reader->load, reader->name, reader->line,
              "%s.%s is \"%s\" but must be %s%s", key->section, key->name, text,
              values,
              key->type == SR_KEY_DURATION
                  ? ", a number and one of s, m, h, d, w"
                  : "");
}

/* An indented line goes on with the list of the line before it. */
static void
handle_continuation(struct reader *reader, const char *text)
{
    struct load *load = reader->load;
    struct setting *last;
    union sr_value more;
    int status;

    if (!reader->is_listed) {
        add_error(load, reader->name, reader->line,
                  "the line is indented, so it goes on with the value of the "
                  "line before, which is not a list: remove the space");
        return;
    }
    last = &load->setting[load->count - 1];
    status = sr_key_parse(last->key, text, &more);
    if (status == EINVAL)
        bad_value(reader, last->key, text);
    for (size_t i = 0; status == 0 && i < more.names.count; i++)
        status = sr_personal_add(&last->value.names, more.names.item[i],
                                 strlen(more.names.item[i]));
    if (status == 0)
        sr_key_free(last->key, &more);
    if (status == ENOMEM)
        load->out_of_memory = true;
}

static int
handle(void *user, const char *inih_section, const char *name, const char *text)
{
    struct reader *reader = user;
    const struct sr_key *key;
    union sr_value value;
    int status;

    (void)inih_section; /* cut: see read_section() */
    if (name == NULL || text == NULL)
        return 1; /* builds of libinih that call at sections, too */
    reader->is_awaited = false;
    if (!reader->is_section_usable)
        return 1;
    if (reader->is_indented && reader->has_key) {
        handle_continuation(reader, text);
        return 1;
    }
    reader->has_key = true;
    reader->is_listed = false;
    key = sr_key_find(reader->section, name);
    if (key == NULL) {
        unknown_key(reader, name);
        return 1;
    }
    status = sr_key_parse(key, text, &value);
    if (status == EINVAL)
        bad_value(reader, key, text);
    else if (status == ENOMEM)
        reader->load->out_of_memory = true;
    else
        reader->is_listed =
            add_setting(reader, key, &value) && key->type == SR_KEY_NAMES;
    return 1;
}

/* Copy what is between two places, without spaces around it. */
static void
copy_trimmed(char *out, size_t size, const char *from, const char *end)
{
    while (from < end && (*from == ' ' || *from == '\t'))
        from++;
    while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    snprintf(out, size, "%.*s", (int)(end - from), from);
}

/* What stands behind the name of a section: a group, or a backend's name. */
static void
read_owner(struct reader *reader, enum sr_key_scope scope, char *owner)
{
    struct load *load = reader->load;

    if (scope == SR_SCOPE_BACKEND) {
        if (owner == NULL || !sr_key_is_backend_name(owner, strlen(owner)))
            add_error(load, reader->name, reader->line,
                      "after [backend must follow a name of at most %d letters "
                      "and digits, and ]",
                      SR_BACKEND_NAME_MAX);
        else if (strcmp(owner, "local") == 0)
            add_error(load, reader->name, reader->line,
                      "the backend \"local\" has no section");
        else
            reader->is_section_usable = true;
        reader->group = owner;
    } else if (owner != NULL && (strncmp(owner, "group:", 6) != 0 ||
                                 owner[6] == '\0' || owner[6] == ' ')) {
        add_error(load, reader->name, reader->line,
                  "after [%s only \"group:NAME]\" can follow", reader->section);
    } else if (owner != NULL && scope != SR_SCOPE_RULES) {
        add_error(load, reader->name, reader->line,
                  "[%s] holds for the whole host, not for a group",
                  reader->section);
    } else {
        reader->is_section_usable = true;
        reader->group = owner == NULL ? NULL : owner + 6;
    }
}

/*
 * Take in a section line: "[NAME]", "[NAME group:GROUP]" or "[backend NAME]", a
 * comment after it allowed.  libinih gets a stand-in.
 */
static void
read_section(struct reader *reader, const char *text)
{
    const char *end = strchr(text, ']');
    const char *rest = end == NULL ? "" : end + 1 + strspn(end + 1, " \t");
    enum sr_key_scope scope;
    char *space;

    reader->has_section = true;
    reader->is_section_usable = false;
    reader->has_key = false;
    reader->group = NULL;
    if (end == NULL || (*rest != '\0' && *rest != '#' && *rest != ';')) {
        add_error(reader->load, reader->name, reader->line,
                  "a section must look like [NAME], alone on its line");
        return;
    }
    copy_trimmed(reader->section, sizeof(reader->section), text + 1, end);
    space = strchr(reader->section, ' ');
    if (space != NULL) {
        *space++ = '\0';
        space += strspn(space, " \t");
    }
    if (sr_key_section(reader->section, &scope))
        read_owner(reader, scope, space);
    else
        add_error(reader->load, reader->name, reader->line,
                  "there is no section [%s]", reader->section);
}

/* What is wrong with a line's bytes, or NULL. */
static const char *
line_fault(const char *text, size_t length)
{
    uint32_t point = 0;
    int status;

    if (memchr(text, '\0', length) != NULL)
        return "the line has a NUL byte";
    while ((status = sr_utf8_next(&text, &point)) != 0) {
        if (status < 0)
            return "the line is not valid UTF-8";
        if (point != '\t' && sr_utf8_is_control(point))
            return "the line has a control character";
    }
    return NULL;
}

/*
 * Read one line without its end, at most `size` bytes with a NUL.  Returns its
 * length, which is `size` when it was too long (the rest is skipped), or -1 at
 * the end of the file.
 */
static ssize_t
read_line(struct reader *reader, char *out, size_t size)
{
    const size_t left = (size_t)(reader->end - reader->at);
    const char *newline;
    size_t length;

    if (left == 0)
        return -1;
    newline = memchr(reader->at, '\n', left);
    length = newline != NULL ? (size_t)(newline - reader->at) : left;
    if (length > size)
        length = size;
    memcpy(out, reader->at, length);
    reader->at = newline != NULL ? newline + 1 : reader->end;
    if (length < size) {
        if (length > 0 && out[length - 1] == '\r')
            length--;
        out[length] = '\0';
    }
    return (ssize_t)length;
}

static void
report_unhandled(struct reader *reader)
{
    if (reader->is_awaited)
        add_error(reader->load, reader->name, reader->line,
                  "the line is neither [section] nor key = value");
    reader->is_awaited = false;
}

/* End the line where a comment begins: "#" after a space.  libinih does the
 * same with ";". */
static void
cut_comment(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        if ((*at == ' ' || *at == '\t') && at[1] == '#') {
            *at = '\0';
            return;
        }
    }
}

/* libinih's fgets: one whole line into `out`, or NULL at the end. */
static char *
feed(char *out, int size, void *user)
{
    struct reader *reader = user;
    size_t room = (size_t)size - 1; /* libinih wants the line's end, too */
    const char *fault = NULL, *text;
    ssize_t length;

    report_unhandled(reader);
    length = read_line(reader, out, room);
    if (length < 0)
        return NULL;
    reader->line++;
    if ((size_t)length == room) {
        add_error(reader->load, reader->name, reader->line,
                  "the line is longer than %zu bytes", room - 1);
        out[0] = '\0';
    } else if ((fault = line_fault(out, (size_t)length)) != NULL) {
        add_error(reader->load, reader->name, reader->line, "%s", fault);
        out[0] = '\0';
    }
    if (reader->line == 1 && strncmp(out, "\xef\xbb\xbf", 3) == 0)
        memmove(out, out + 3, strlen(out + 3) + 1);
    text = out + strspn(out, " \t");
    reader->is_indented = text != out;
    if (*text == '[') {
        read_section(reader, text);
        strcpy(out, "[]");
    } else if (*text == '\0' || *text == '#' || *text == ';') {
        out[0] = '\0';
    } else if (!reader->has_section) {
        add_error(reader->load, reader->name, reader->line,
                  "a [section] must come first");
        out[0] = '\0';
    } else {
        cut_comment(out);
        reader->is_awaited = true;
    }
    strcat(out, "\n"); /* room was left for it */
    return out;
}

static void
read_bytes(struct load *load, const char *bytes, size_t size, const char *name)
{
    struct reader reader = {
        .load = load, .at = bytes, .end = bytes + size, .name = name};

    /* Its result says no more than the errors that were collected. */
    (void)ini_parse_stream(feed, &reader, handle, &reader);
    report_unhandled(&reader);
}

static void
free_text(char **text)
{
    free(*text);
}

/* All of its bytes first. */
static void
read_stream(struct load *load, FILE *stream, const char *name)
{
    __attribute__((cleanup(free_text))) char *bytes = malloc(FILE_MAX + 1);
    size_t size;

    if (bytes == NULL) {
        load->out_of_memory = true;
        return;
    }
    size = fread(bytes, 1, FILE_MAX + 1, stream);
    if (ferror(stream))
        add_error(load, name, 0, "cannot be read to its end");
    else if (size > FILE_MAX)
        add_error(load, name, 0, "is larger than a configuration can be");
    else
        read_bytes(load, bytes, size, name);
}

static void
close_file(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* A file or directory that only root can have written. */
static bool
is_safe(struct load *load, int fd, const char *name, mode_t type,
        struct stat *status)
{
    if (fstat(fd, status) != 0)
        add_error(load, name, 0, "cannot be looked at: %m");
    else if ((status->st_mode & S_IFMT) != type)
        add_error(load, name, 0, "is not a %s",
                  type == S_IFDIR ? "directory" : "regular file");
    else if (status->st_uid != 0)
        add_error(load, name, 0, "belongs to uid %u, but must be root's",
                  (unsigned)status->st_uid);
    else if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        add_error(load, name, 0,
                  "can be written by others than root (mode %04o)",
                  (unsigned)status->st_mode & 07777U);
    else if (type == S_IFREG && status->st_size > FILE_MAX)
        add_error(load, name, 0, "is larger than a configuration can be");
    else
        return true;
    return false;
}

/*
 * Read a file of so many bytes; returns how many there were, or -1.  When they
 * are as many as they should be, the end need not be asked for.
 */
static ssize_t
read_all(int fd, char *bytes, size_t size)
{
    size_t got = 0;

    while (got < size) {
        ssize_t more = read(fd, bytes + got, size - got);

        if (more < 0 && errno != EINTR)
            return -1;
        if (more == 0)
            break;
        got += more > 0 ? (size_t)more : 0;
    }
    return (ssize_t)got;
}

/* O_NONBLOCK: a FIFO in the file's place must not stop a login. */
static void
read_file(struct load *load, int directory, const char *entry, const char *name,
          bool may_miss)
{
    __attribute__((cleanup(close_file))) int fd =
        openat(directory, entry,
               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    __attribute__((cleanup(free_text))) char *bytes = NULL;
    struct stat status;
    ssize_t size;

    if (fd < 0) {
        if (errno == ELOOP)
            add_error(load, name, 0,
                      "is a symbolic link, which is not followed");
        else if (errno != ENOENT || !may_miss)
            add_error(load, name, 0, "cannot be opened: %m");
        return;
    }
    if (!is_safe(load, fd, name, S_IFREG, &status))
        return;
    bytes = malloc((size_t)status.st_size + 1);
    if (bytes == NULL) {
        load->out_of_memory = true;
        return;
    }
    size = read_all(fd, bytes, (size_t)status.st_size);
    if (size < 0)
        add_error(load, name, 0, "cannot be read: %m");
    else
        read_bytes(load, bytes, (size_t)size, name);
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_dropin(const char *name)
{
    size_t length = strlen(name);

    return name[0] != '.' && length > 5 &&
           strcmp(name + length - 5, ".conf") == 0;
}

/* List the drop-ins in the order in which they count.  Without opendir(3),
 * which asks the kernel three things that are known: every login comes here. */
static void
list_dropins(struct load *load, int fd, const char *name,
             struct sr_string_list *names)
{
    _Alignas(struct dirent64) char entries[4096];
    ssize_t size;

    while ((size = getdents64(fd, entries, sizeof(entries))) > 0) {
        const struct dirent64 *entry;

        for (ssize_t at = 0; at < size; at += entry->d_reclen) {
            entry = (const void *)(entries + at);
            if (is_dropin(entry->d_name) &&
                sr_personal_add(names, entry->d_name, strlen(entry->d_name)) !=
                    0)
                load->out_of_memory = true;
        }
    }
    if (size < 0)
        add_error(load, name, 0, "cannot be listed: %m");
    if (names->count > 1)
        qsort(names->item, names->count, sizeof(names->item[0]), compare_names);
}

static void
read_dropins(struct load *load, const char *path)
{
    __attribute__((cleanup(close_file))) int fd = -1;
    __attribute__((cleanup(free_text))) char *name = NULL;
    __attribute__((cleanup(sr_personal_free))) struct sr_string_list names = {
        NULL, 0};
    struct stat status;

    if (asprintf(&name, "%s.d", path) < 0) {
        name = NULL;
        load->out_of_memory = true;
        return;
    }
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);
    if (fd < 0) {
        if (errno != ENOENT)
            add_error(load, name, 0, "cannot be opened: %m");
        return;
    }
    if (!is_safe(load, fd, name, S_IFDIR, &status))
        return;
    list_dropins(load, fd, name, &names);
    for (size_t i = 0; i < names.count; i++) {
        __attribute__((cleanup(free_text))) char *file = NULL;

        if (asprintf(&file, "%s/%s", name, names.item[i]) < 0) {
            file = NULL;
            load->out_of_memory = true;
            return;
        }
        read_file(load, fd, names.item[i], file, true);
    }
}

/* ---- values that are right alone and wrong together */

static bool
is_duration_over(const struct sr_rules *rules)
{
    return rules->duration > rules->duration_max;
}

static bool
is_length_crossed(const struct sr_rules *rules)
{
    static const unsigned preset_least[] = {
        [SR_PRESET_NIST] = 15, [SR_PRESET_AD] = 7, [SR_PRESET_PWQUALITY] = 0};
    unsigned least = rules->min_length != 0 ? rules->min_length
                                            : preset_least[rules->preset];
    unsigned most = rules->max_length != 0 ? rules->max_length : MAX_LENGTH;

    return least > most;
}

static const struct {
    bool (*holds)(const struct sr_rules *rules);
    const char *section;
    const char *key[3];
    const char *text;
} contradiction[] = {
    {is_duration_over,
     "lockout",
     {"duration", "duration_max"},
     "lockout.duration is longer than lockout.duration_max"},
    {is_length_crossed,
     "password",
     {"min_length", "max_length", "preset"},
     "password.min_length (0: the preset's own) is more than "
     "password.max_length (0: 256)"},
};

static bool
is_group(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Report a contradiction at the last line that took part in it. */
static void
report_contradiction(struct load *load, size_t which, const char *group)
{
    const struct setting *at = NULL;

    for (size_t i = 0; i < load->count; i++) {
        const struct setting *setting = &load->setting[i];

        if (strcmp(setting->key->section, contradiction[which].section) != 0 ||
            !is_group(setting->group, group))
            continue;
        for (size_t k = 0; k < 3 && contradiction[which].key[k] != NULL; k++) {
            if (strcmp(setting->key->name, contradiction[which].key[k]) == 0)
                at = setting;
        }
    }
    if (at != NULL)
        add_error(load, at->file, at->line, "%s%s%s", contradiction[which].text,
                  group == NULL ? "" : " for group ",
                  group == NULL ? "" : group);
}

/*
 * Check the plain sections, then each group's sections over them; a
 * contradiction that is there already is not reported again for groups.
 */
static void
check_together(struct load *load, const struct sr_config *config)
{
    const size_t count = sizeof(contradiction) / sizeof(contradiction[0]);

    for (size_t c = 0; c < count; c++) {
        if (contradiction[c].holds(&config->rules)) {
            report_contradiction(load, c, NULL);
            continue;
        }
        for (size_t i = 0; i < config->override_count; i++) {
            const char *group = config->override[i].group;
            struct sr_rules rules = config->rules;
            bool is_first = true;

            for (size_t j = 0; j < config->override_count; j++) {
                const struct sr_override *other = &config->override[j];

                if (!is_group(other->group, group))
                    continue;
                is_first = is_first && j >= i;
                sr_key_store(other->key, &other->value, &rules);
            }
            if (is_first && contradiction[c].holds(&rules))
                report_contradiction(load, c, group);
        }
    }
}

/* ---- from settings to a configuration */

/* The structure that holds a key which is no backend's. */
static void *
home_of(const struct sr_key *key, struct sr_config *config)
{
    return key->scope == SR_SCOPE_GLOBAL ? (void *)config
                                         : (void *)&config->rules;
}

/* Give the keys of a scope their defaults. */
static void
set_presets(struct load *load, bool of_backend, enum sr_profile profile,
            struct sr_config *config, struct sr_backend_config *backend)
{
    for (size_t i = 0; i < sr_key_count; i++) {
        const struct sr_key *key = &sr_keys[i];
        union sr_value value;

        if ((key->scope == SR_SCOPE_BACKEND) != of_backend)
            continue;
        if (sr_key_parse(key, sr_key_preset(key, profile), &value) != 0)
            load->out_of_memory = true;
        else
            sr_key_store(key, &value,
                         of_backend ? backend : home_of(key, config));
    }
}

/* The backend of this name, which is made where there is none yet. */
static struct sr_backend_config *
backend_of(struct load *load, struct sr_config *config, const char *name)
{
    struct sr_backend_config *backend;

    for (size_t i = 0; i < config->backend_count; i++) {
        if (strcmp(config->backend[i].name, name) == 0)
            return &config->backend[i];
    }
    backend = reallocarray(config->backend, config->backend_count + 1,
                           sizeof(*backend));
    if (backend == NULL)
        return NULL;
    config->backend = backend;
    backend += config->backend_count;
    memset(backend, 0, sizeof(*backend));
    backend->name = strdup(name);
    if (backend->name == NULL)
        return NULL;
    config->backend_count++;
    set_presets(load, true, config->profile, config, backend);
    return backend;
}

static void
set_defaults(struct load *load, struct sr_config *config)
{
    enum sr_profile profile = SR_PROFILE_NIST;

    for (size_t i = 0; i < load->count; i++) {
        if (load->setting[i].key->offset ==
                offsetof(struct sr_config, profile) &&
            load->setting[i].key->scope == SR_SCOPE_GLOBAL)
            profile = (enum sr_profile)load->setting[i].value.number;
    }
    set_presets(load, false, profile, config, NULL);
}

/* Replace a value that is in its place already. */
static void
replace(struct setting *setting, void *structure)
{
    union sr_value old = sr_key_fetch(setting->key, structure);

    sr_key_store(setting->key, &setting->value, structure);
    sr_key_free(setting->key, &old);
}

/* Hand the settings over; their places stay known for check_together(). */
static void
apply(struct load *load, struct sr_config *config)
{
    for (size_t i = 0; i < load->count; i++) {
        struct setting *setting = &load->setting[i];
        struct sr_backend_config *backend;
        struct sr_override *override;

        if (setting->key->scope == SR_SCOPE_BACKEND) {
            backend = backend_of(load, config, setting->group);
            load->out_of_memory = load->out_of_memory || backend == NULL;
            if (backend == NULL)
                return;
            replace(setting, backend);
        } else if (setting->group == NULL) {
            replace(setting, home_of(setting->key, config));
        } else {
            override = &config->override[config->override_count];
            override->key = setting->key;
            override->value = setting->value;
            override->group = strdup(setting->group);
            if (override->group == NULL)
                load->out_of_memory = true;
            config->override_count++;
        }
        memset(&setting->value, 0, sizeof(setting->value));
    }
}

/* Where a fault of a backend is told: the last line that says something of it,
 * or of one of its keys (which may be NULL); or of the list of backends. */
static const struct setting *
place_of(const struct load *load, const char *backend, const char *key)
{
    const struct setting *at = NULL;

    for (size_t i = 0; i < load->count; i++) {
        const struct setting *setting = &load->setting[i];

        if (backend == NULL
                ? strcmp(setting->key->name, "backends") == 0
                : setting->key->scope == SR_SCOPE_BACKEND &&
                      strcmp(setting->group, backend) == 0 &&
                      (key == NULL || strcmp(setting->key->name, key) == 0))
            at = setting;
    }
    return at;
}

static void
check_backends(struct load *load, const struct sr_config *config)
{
    for (size_t i = 0; i < config->backend_count; i++) {
        const struct sr_backend_config *backend = &config->backend[i];
        const char *key;
        const char *fault = sr_config_backend_fault(backend, &key);
        const struct setting *at = place_of(load, backend->name, key);
        bool is_dn = key != NULL && strcmp(key, "filter") != 0;

        if (fault != NULL && at != NULL)
            add_error(load, at->file, at->line, "[backend %s] %s%s%s",
                      backend->name, is_dn ? key : "", is_dn ? " " : "", fault);
    }
    for (size_t i = 0; i < config->backends.count; i++) {
        const char *name = config->backends.item[i];
        const struct setting *at = place_of(load, NULL, NULL);

        if (at != NULL && strcmp(name, "local") != 0 &&
            place_of(load, name, NULL) == NULL)
            add_error(load, at->file, at->line,
                      "selfreset.backends names \"%s\", but there is no "
                      "[backend %s]",
                      name, name);
    }
}

/* Whether one of the backends that are asked keeps ledgers. */
static bool
has_ledgers(const struct sr_config *config)
{
    for (size_t i = 0; i < config->backends.count; i++) {
        for (size_t j = 0; j < config->backend_count; j++) {
            if (strcmp(config->backend[j].name, config->backends.item[i]) ==
                    0 &&
                config->backend[j].lockout_base != NULL)
                return true;
        }
    }
    return false;
}

/* What is to be counted by a directory needs one that counts.  The values have
 * been handed over: they are told by what they came to. */
static void
check_store(struct load *load, const struct sr_config *config)
{
    const struct setting *at = NULL;

    for (size_t i = 0; i < load->count; i++) {
        if (strcmp(load->setting[i].key->section, "lockout") == 0 &&
            strcmp(load->setting[i].key->name, "store") == 0)
            at = &load->setting[i];
    }
    if (at != NULL && sr_config_shares(config) && !has_ledgers(config))
        add_error(load, at->file, at->line,
                  "lockout.store = ldap needs a backend with a lockout_base "
                  "among selfreset.backends");
}

static struct sr_config *
finish(struct load *load)
{
    struct sr_config *config = NULL;

    if (!load->out_of_memory)
        config = calloc(1, sizeof(*config));
    if (config != NULL) {
        config->override = calloc(load->count + 1, sizeof(config->override[0]));
        load->out_of_memory = config->override == NULL;
        set_defaults(load, config);
        if (!load->out_of_memory)
            apply(load, config);
        if (!load->out_of_memory) {
            check_together(load, config);
            check_backends(load, config);
            check_store(load, config);
        }
    }
    if (load->errors->count == 0 && (config == NULL || load->out_of_memory))
        add_error(load, "selfreset", 0, "out of memory");
    if (load->out_of_memory || load->errors->count > 0) {
        sr_config_free(config);
        config = NULL;
    }
    load_clear(load);
    return config;
}

struct sr_config *
sr_config_load(const char *path, struct sr_config_errors *errors)
{
    struct load load = {.errors = errors};
    const char *file = path != NULL ? path : SR_CONFIG_FILE;

    *errors = (struct sr_config_errors){NULL, 0};
    read_file(&load, AT_FDCWD, file, file, path == NULL);
    read_dropins(&load, file);
    return finish(&load);
}

struct sr_config *
sr_config_defaults(struct sr_config_errors *errors)
{
    struct load load = {.errors = errors};

    *errors = (struct sr_config_errors){NULL, 0};
    return finish(&load);
}

struct sr_config *
sr_config_load_stream(FILE *stream, const char *name,
                      struct sr_config_errors *errors)
{
    struct load load = {.errors = errors};

    *errors = (struct sr_config_errors){NULL, 0};
    read_stream(&load, stream, name);
    return finish(&load);
}

static void
backend_clear(struct sr_backend_config *backend)
{
    for (size_t i = 0; i < sr_key_count; i++) {
        union sr_value value;

        if (sr_keys[i].scope != SR_SCOPE_BACKEND)
            continue;
        value = sr_key_fetch(&sr_keys[i], backend);
        sr_key_free(&sr_keys[i], &value);
    }
    free(backend->name);
}

void
sr_config_free(struct sr_config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < sr_key_count; i++) {
        union sr_value value;

        if (sr_keys[i].scope == SR_SCOPE_BACKEND)
            continue;
        value = sr_key_fetch(&sr_keys[i], home_of(&sr_keys[i], config));
        sr_key_free(&sr_keys[i], &value);
    }
    for (size_t i = 0; i < config->backend_count; i++)
        backend_clear(&config->backend[i]);
    free(config->backend);
    for (size_t i = 0; i < config->override_count; i++) {
        sr_key_free(config->override[i].key, &config->override[i].value);
        free(config->override[i].group);
    }
    free(config->override);
    free(config);
}

void
sr_config_errors_free(struct sr_config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        free(errors->item[i]);
    free(errors->item);
    *errors = (struct sr_config_errors){NULL, 0};
}

/* ---- the rules of one account */

/* Groups that were asked for; a directory should not be asked twice. */
struct answers {
    const struct sr_member *member;
    size_t count;
    struct {
        const char *group;
        int is_in;
    } answer[16];
};

static int
is_in_group(struct answers *answers, const char *group)
{
    int is_in;

    for (size_t i = 0; i < answers->count; i++) {
        if (strcmp(answers->answer[i].group, group) == 0)
            return answers->answer[i].is_in;
    }
    is_in = answers->member->is_member(answers->member->context,
                                       answers->member->user, group);
    if (answers->count < sizeof(answers->answer) / sizeof(answers->answer[0])) {
        answers->answer[answers->count].group = group;
        answers->answer[answers->count].is_in = is_in;
        answers->count++;
    }
    return is_in;
}

/* Whether the account is in a list of users and @groups.  Returns 0 or -1. */
static int
find_account(struct answers *answers, const struct sr_string_list *names,
             bool *is_listed)
{
    *is_listed = false;
    for (size_t i = 0; i < names->count && !*is_listed; i++) {
        const char *item = names->item[i];

        if (item[0] != '@') {
            *is_listed = strcmp(item, answers->member->user) == 0;
        } else {
            int is_in = is_in_group(answers, item + 1);

            if (is_in == SR_UNKNOWN)
                return -1;
            *is_listed = is_in == SR_YES;
        }
    }
    return 0;
}

/* Two groups, each right alone, can contradict each other in an account that
 * is in both: then the limit that protects more gives way to the other. */
static void
reconcile(struct sr_rules *rules)
{
    if (rules->duration_max < rules->duration)
        rules->duration_max = rules->duration;
    if (is_length_crossed(rules))
        rules->max_length = 0;
}

int
sr_config_rules(const struct sr_config *config, const struct sr_member *member,
                const char *service, struct sr_rules *out)
{
    struct answers answers = {.member = member, .count = 0};

    *out = config->rules;
    for (size_t i = 0; i < config->override_count; i++) {
        const struct sr_override *override = &config->override[i];
        int is_in = is_in_group(&answers, override->group);

        if (is_in == SR_UNKNOWN)
            return -1;
        if (is_in == SR_YES)
            sr_key_store(override->key, &override->value, out);
    }
    reconcile(out);
    for (size_t i = 0; service != NULL && i < out->expired_services.count;
         i++) {
        if (strcmp(out->expired_services.item[i], service) == 0)
            out->spare_expired = true;
    }
    if (find_account(&answers, &out->logon_exempt, &out->is_logon_exempt) !=
            0 ||
        find_account(&answers, &out->protected_accounts, &out->is_protected) !=
            0 ||
        find_account(&answers, &out->cannot_change, &out->is_cannot_change) !=
            0 ||
        find_account(&answers, &config->nss_break_glass,
                     &out->is_break_glass) != 0)
        return -1;
    return 0;
}

bool
sr_config_shares(const struct sr_config *config)
{
    bool shares = config->rules.lockout_store == SR_LOCKOUT_LDAP;

    for (size_t i = 0; i < config->override_count; i++) {
        if (config->override[i].key->offset ==
                offsetof(struct sr_rules, lockout_store) &&
            config->override[i].value.number == SR_LOCKOUT_LDAP)
            shares = true;
    }
    return shares;
}

bool
sr_config_needs_logon(const struct sr_config *config)
{
    bool needs = config->rules.require_logon;

    for (size_t i = 0; i < config->override_count; i++) {
        if (config->override[i].key->offset ==
                offsetof(struct sr_rules, require_logon) &&
            config->override[i].value.number != 0)
            needs = true;
    }
    return needs;
}

bool
sr_config_reveals(const struct sr_config *config, bool is_remote)
{
    return config->reveal == SR_REVEAL_ALWAYS ||
           (config->reveal == SR_REVEAL_CONSOLE && !is_remote);
}
