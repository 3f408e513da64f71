/*
 * Local backend: all accounts at once, from the files themselves.
 *
 * Each file is read once; an account is described as its look-up alone would
 * describe it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/backend/local/local.h"

#define PASSWD_FILE "/etc/passwd"
#define SHADOW_FILE "/etc/shadow"

/* Make it anew. */
static int
buffer_make(struct sr_local_buffer *buffer, size_t size)
{
    sr_local_buffer_free(buffer);
    buffer->bytes = malloc(size);
    buffer->size = buffer->bytes == NULL ? 0 : size;
    return buffer->bytes == NULL ? ENOMEM : 0;
}

/* One line of the shadow file. */
struct line {
    const char *text; /* the name, up to its colon */
    size_t length;    /* of the name */
    unsigned number;
};

/* The whole shadow file, its lines in the order of their names, and those of
 * one name in the order of the file. */
struct shadow_file {
    struct sr_local_buffer bytes;
    struct line *line;
    size_t count;
    bool is_missing;
};

static void
shadow_file_free(struct shadow_file *file)
{
    sr_local_buffer_free(&file->bytes);
    free(file->line);
}

static int
compare_names(const char *a, size_t a_length, const char *b, size_t b_length)
{
    const int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

    if (order != 0)
        return order;
    return a_length < b_length ? -1 : a_length > b_length;
}

static int
compare_lines(const void *a, const void *b)
{
    const struct line *one = a, *other = b;
    const int order =
        compare_names(one->text, one->length, other->text, other->length);

    if (order != 0)
        return order;
    return one->number < other->number ? -1 : one->number > other->number;
}

/* Read all of a file, with a zero byte behind it. */
static int
read_file(const char *path, struct sr_local_buffer *buffer)
{
    __attribute__((cleanup(sr_local_close))) FILE *stream = fopen(path, "re");
    struct stat status;
    size_t used = 0, got;

    if (stream == NULL || fstat(fileno(stream), &status) != 0)
        return errno;
    if (buffer_make(buffer, (size_t)status.st_size + 1) != 0)
        return ENOMEM;
    /* What is added meanwhile is the next run's. */
    while (used + 1 < buffer->size &&
           (got = fread(buffer->bytes + used, 1, buffer->size - 1 - used,
                        stream)) > 0)
        used += got;
    buffer->bytes[used] = '\0';
    return ferror(stream) ? EIO : 0;
}

/* Cut the text into lines, and sort them. */
static int
index_lines(struct shadow_file *file)
{
    size_t room = 1;
    unsigned number = 0;
    char *at = file->bytes.bytes;

    for (const char *c = at; *c != '\0'; c++)
        room += *c == '\n';
    file->line = calloc(room, sizeof(*file->line));
    if (file->line == NULL)
        return ENOMEM;
    while (*at != '\0') {
        at += strspn(at, " \t"); /* as glibc does */
        const size_t length = strcspn(at, "\n");
        const char *colon = memchr(at, ':', length);
        char *next = at + length + (at[length] == '\n');

        number++;
        at[length] = '\0';
        if (colon != NULL)
            file->line[file->count++] =
                (struct line){at, (size_t)(colon - at), number};
        at = next;
    }
    qsort(file->line, file->count, sizeof(*file->line), compare_lines);
    return 0;
}

/* A file that is not there has no lines. */
static int
read_shadow_file(struct shadow_file *file)
{
    const int error = read_file(SHADOW_FILE, &file->bytes);

    file->is_missing = error == ENOENT;
    if (file->is_missing)
        return 0;
    return error == 0 ? index_lines(file) : error;
}

/* The first line of a name; file->count when there is none. */
static size_t
find_line(const struct shadow_file *file, const char *name)
{
    const size_t length = strlen(name);
    size_t low = 0, high = file->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct line *line = &file->line[middle];

        if (compare_names(line->text, line->length, name, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < file->count &&
                   compare_names(file->line[low].text, file->line[low].length,
                                 name, length) == 0
               ? low
               : file->count;
}

/* As look_up_shadow(): the first line that glibc can read, or else the first,
 * by our own reading. */
static enum sr_status
find_shadow(const struct shadow_file *file, const struct passwd *account,
            struct spwd *entry, struct sr_local_buffer *buffer, char *reason,
            size_t size)
{
    const char *name = account->pw_name;
    const size_t first = find_line(file, name), length = strlen(name);
    const char *field;
    struct spwd *found;

    for (size_t i = first; i < file->count; i++) {
        const struct line *line = &file->line[i];
        const size_t room = strlen(line->text) + 1;

        if (compare_names(line->text, line->length, name, length) != 0)
            break;
        if (buffer->size < room && buffer_make(buffer, room * 2) != 0)
            return SR_STATUS_NO_MEMORY;
        if (sgetspent_r(line->text, entry, buffer->bytes, buffer->size,
                        &found) == 0 &&
            found != NULL)
            return SR_STATUS_OK;
    }
    if (first == file->count && (account->pw_uid == 0 || file->is_missing)) {
        snprintf(reason, size, "%s", SR_LOCAL_NO_SHADOW);
        return SR_STATUS_UNAVAILABLE;
    }
    if (first == file->count)
        return SR_STATUS_UNKNOWN_NAME;
    memcpy(buffer->bytes, file->line[first].text,
           strlen(file->line[first].text) + 1);
    field = sr_local_parse(buffer->bytes, entry);
    if (field == NULL)
        return SR_STATUS_OK;
    snprintf(reason, size, "%s:%u: %s is not what shadow(5) allows",
             SHADOW_FILE, file->line[first].number, field);
    return SR_STATUS_UNAVAILABLE;
}

/* Report an account that cannot be looked up: name and uid only. */
static int
report_unavailable(const struct sr_visitor *visitor, const struct passwd *entry,
                   const struct sr_rules *rules, const char *reason)
{
    struct sr_account account = {.backend = sr_local_backend};

    sr_facts_init(&account.facts);
    account.facts.uid = entry->pw_uid;
    snprintf(account.facts.name, sizeof(account.facts.name), "%s",
             entry->pw_name);
    snprintf(account.facts.backend, sizeof(account.facts.backend), "%s",
             sr_local_backend.name);
    return visitor->account(visitor->context, &account, rules,
                            SR_STATUS_UNAVAILABLE, reason);
}

/* Report one line of passwd. NO_MEMORY, or OK; *is_done: the visitor wants no
 * more. */
static enum sr_status
report(const struct sr_visitor *visitor, const struct passwd *entry,
       const struct shadow_file *file, struct sr_local_buffer *buffer,
       bool *is_done)
{
    struct spwd shadow = sr_local_no_ageing;
    struct sr_account *account;
    struct sr_rules rules;
    enum sr_status ask = SR_STATUS_OK;
    char reason[SR_ERROR_TEXT_SIZE];

    memset(&rules, 0, sizeof(rules));
    if (visitor->find_rules(visitor->groups, entry->pw_name, entry->pw_gid,
                            &rules) != 0) {
        *is_done = report_unavailable(visitor, entry, &rules,
                                      "the groups of the account cannot be "
                                      "read") != 0;
        return SR_STATUS_OK;
    }
    if (!sr_local_is_shadowed(entry))
        shadow.sp_pwdp = entry->pw_passwd;
    else
        ask = find_shadow(file, entry, &shadow, buffer, reason, sizeof(reason));
    if (ask == SR_STATUS_UNAVAILABLE)
        *is_done = report_unavailable(visitor, entry, &rules, reason) != 0;
    if (ask != SR_STATUS_OK)
        return ask == SR_STATUS_NO_MEMORY ? ask : SR_STATUS_OK;
    account = sr_local_account(entry, &shadow, &rules);
    if (account == NULL)
        return SR_STATUS_NO_MEMORY;
    *is_done = visitor->account(visitor->context, account, &rules, SR_STATUS_OK,
                                NULL) != 0;
    sr_account_close(account);
    return SR_STATUS_OK;
}

/* The next entry of passwd: 0, ENOENT at the end, or another errno. */
static int
next_passwd(FILE *stream, struct passwd *entry, struct sr_local_buffer *buffer)
{
    const off_t at = ftello(stream);
    struct passwd *found = NULL;
    int error;

    for (;;) {
        error = fgetpwent_r(stream, entry, buffer->bytes, buffer->size, &found);
        if (error != ERANGE || buffer->size >= SR_LOCAL_ENTRY_MAX)
            return error;
        error = buffer_make(buffer, buffer->size * 4);
        if (error != 0 || fseeko(stream, at, SEEK_SET) != 0)
            return error != 0 ? error : errno;
    }
}

enum sr_status
sr_local_enumerate(struct sr_call *call, const struct sr_visitor *visitor)
{
    __attribute__((cleanup(shadow_file_free))) struct shadow_file file = {0};
    __attribute__((
        cleanup(sr_local_buffer_free))) struct sr_local_buffer pw_buffer = {0};
    __attribute__((
        cleanup(sr_local_buffer_free))) struct sr_local_buffer sp_buffer = {0};
    __attribute__((cleanup(sr_local_close))) FILE *stream =
        fopen(PASSWD_FILE, "re");
    int error = stream == NULL ? errno : buffer_make(&pw_buffer, 4096);
    enum sr_status ask = SR_STATUS_OK;
    struct passwd entry;
    bool is_done = false;

    if (error == 0)
        error = read_shadow_file(&file);
    while (error == 0 && ask == SR_STATUS_OK && !is_done &&
           (error = next_passwd(stream, &entry, &pw_buffer)) == 0) {
        if (sr_local_is_name(entry.pw_name))
            ask = report(visitor, &entry, &file, &sp_buffer, &is_done);
    }
    if (error == 0 || (stream != NULL && error == ENOENT))
        return ask;
    sr_error_set(&call->error, SR_ERROR_OTHER, "%s or %s: %s", PASSWD_FILE,
                 SHADOW_FILE, strerror(error));
    return error == ENOMEM ? SR_STATUS_NO_MEMORY : SR_STATUS_UNAVAILABLE;
}
