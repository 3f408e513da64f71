/*
 * Sandbox: services of systemd that ask PAM where the state cannot be written.
 *
 * Only what decides is read of a unit: ProtectSystem=, ReadWritePaths= and
 * ExecStart=, by the rules of systemd.unit(5): the first folder's file counts,
 * with the drop-ins of all folders.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/check/sandbox.h"

/* No program is larger; what is, is not looked into. */
#define PROGRAM_MAX ((off_t)256 * 1024 * 1024)

const char *const sandbox_folders[] = {
    "/etc/systemd/system",           "/run/systemd/system",
    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
    "/lib/systemd/system",           NULL};

/* What is known of one unit. */
struct unit {
    const char *state;
    char program[PATH_MAX];
    bool is_strict;
    bool can_write; /* to the state */
};

/* Whether a list of paths has the state's folder or one above it. */
static bool
covers(char *list, const char *state)
{
    char *rest = NULL;

    for (char *path = strtok_r(list, " \t", &rest); path != NULL;
         path = strtok_r(NULL, " \t", &rest)) {
        size_t length;

        path += strspn(path, "-+");
        length = strlen(path);
        while (length > 0 && path[length - 1] == '/')
            length--;
        if (strncmp(path, state, length) == 0 &&
            (state[length] == '/' || state[length] == '\0'))
            return true;
    }
    return false;
}

static void
take(struct unit *unit, const char *key, char *value)
{
    if (strcmp(key, "ProtectSystem") == 0) {
        unit->is_strict = strcmp(value, "strict") == 0;
    } else if (strcmp(key, "ReadWritePaths") == 0) {
        /* An empty value forgets those before it. */
        unit->can_write =
            value[0] != '\0' && (unit->can_write || covers(value, unit->state));
    } else if (strcmp(key, "ExecStart") == 0 && value[0] != '\0') {
        value += strspn(value, "-@:+!|");
        snprintf(unit->program, sizeof(unit->program), "%.*s",
                 (int)strcspn(value, " \t"), value);
    }
}

/* Read "Key=value" lines; a comment and a section are none. */
static bool
read_unit(struct unit *unit, const char *path)
{
    FILE *stream = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;

    if (stream == NULL)
        return false;
    while (getline(&line, &size, stream) >= 0) {
        char *key = line + strspn(line, " \t");
        char *value = strchr(key, '=');

        if (key[0] == '#' || key[0] == ';' || value == NULL)
            continue;
        *value++ = '\0';
        key[strcspn(key, " \t")] = '\0';
        value += strspn(value, " \t");
        value[strcspn(value, "\r\n")] = '\0';
        take(unit, key, value);
    }
    free(line);
    fclose(stream);
    return true;
}

static int
is_drop_in(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');

    return end != NULL && strcmp(end, ".conf") == 0;
}

static int
is_service(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');

    return end != NULL && strcmp(end, ".service") == 0;
}

/* The unit's drop-ins; the folder of the highest rank comes last. */
static void
read_drop_ins(struct unit *unit, const char *const *folders, const char *name)
{
    size_t count = 0;

    while (folders[count] != NULL)
        count++;
    while (count-- > 0) {
        char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
        struct dirent **names = NULL;
        int found;

        snprintf(folder, sizeof(folder), "%s/%s.d", folders[count], name);
        found = scandir(folder, &names, is_drop_in, alphasort);
        for (int i = 0; i < found; i++) {
            snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
            read_unit(unit, path);
            free(names[i]);
        }
        free(names);
    }
}

/* Whether a program is linked with libpam, by the name in it.  This program has
   the name for this search only. */
static bool
asks_pam(const char *program)
{
    static const char name[] = "libpam.so.0";
    int fd = open(program, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat status, own;
    void *bytes = MAP_FAILED;
    bool is_found = false;

    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size > 0 && status.st_size <= PROGRAM_MAX &&
        (stat("/proc/self/exe", &own) < 0 || own.st_ino != status.st_ino ||
         own.st_dev != status.st_dev))
        bytes =
            mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes != MAP_FAILED) {
        is_found =
            memmem(bytes, (size_t)status.st_size, name, strlen(name)) != NULL;
        munmap(bytes, (size_t)status.st_size);
    }
    close(fd);
    return is_found;
}

static void
check_unit(const char *const *folders, const char *path, const char *name,
           const char *state, struct findings *findings)
{
    struct unit unit = {.state = state};

    if (!read_unit(&unit, path))
        return;
    read_drop_ins(&unit, folders, name);
    if (!unit.is_strict || unit.can_write || !asks_pam(unit.program))
        return;
    findings_add(findings, SEVERITY_WARNING, path, NULL,
                 "Run \"systemctl enable --now selfreset-helper.socket\".",
                 "This unit runs %s, which asks PAM, and may not write %s "
                 "(ProtectSystem=strict).  Without selfreset-helper, which "
                 "does not listen, passwords are refused there (SR-3205).",
                 unit.program, state);
}

void
check_sandboxes(const char *const *folders, const char *state,
                struct findings *findings)
{
    for (size_t i = 0; folders[i] != NULL; i++) {
        struct dirent **names = NULL;
        int count = scandir(folders[i], &names, is_service, alphasort);

        for (int at = 0; at < count; at++) {
            const char *name = names[at]->d_name;
            char path[PATH_MAX];
            bool is_hidden = false;

            for (size_t above = 0; above < i; above++) {
                snprintf(path, sizeof(path), "%s/%s", folders[above], name);
                is_hidden = is_hidden || access(path, F_OK) == 0;
            }
            snprintf(path, sizeof(path), "%s/%s", folders[i], name);
            if (!is_hidden)
                check_unit(folders, path, name, state, findings);
            free(names[at]);
        }
        free(names);
    }
}
