/*
 * Check nsswitch: which lines of nsswitch.conf(5) ask for the published state,
 * in which order, and which programs cache or repeat it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/publish/view.h"
#include "tools/check/nss_switch.h"
#include "tools/nsswitch.h"
#include "tools/check/sshd_config.h"
#include "tools/words.h"

#define NSCD_CONF   "/etc/nscd.conf"
#define NSCD_SOCKET "/run/nscd/socket"
#define USERDB      "/run/systemd/userdb/io.systemd."
#define SUDO_CONF   "/etc/sudo.conf"
#define SUDOERS     "/etc/sudoers"
#define SUDOERS_D   "/etc/sudoers.d"

#define SPACES " \t\r\n"

/* ---- nsswitch.conf */

#define add_line(findings, severity, line, ...)                                \
    findings_add_at(findings, severity, NSSWITCH_FILE, (line)->number, NULL,   \
                    __VA_ARGS__)

#define ENABLE N_("Run \"selfresetctl nss --enable\".")

/* Merging is for groups: elsewhere glibc makes every lookup fail. */
static void
check_merge(const struct nsswitch_line *line, struct findings *findings)
{
    if (nsswitch_is(line, "group") || nsswitch_is(line, "initgroups"))
        return;
    for (size_t i = 0; i < line->count; i++) {
        for (int status = 0; status < NSSWITCH_STATUS_COUNT; status++) {
            if (line->source[i].action[status] == NSSWITCH_MERGE)
                add_line(findings, SEVERITY_ERROR, line, "Remove the action.",
                         "\"%.*s:\" merges sources.  Only groups can be "
                         "merged: here every lookup fails, root's too.",
                         (int)line->name_length, line->text + line->name);
        }
    }
}

/* A source before selfreset that can end the search. */
static void
check_before(const struct nsswitch_line *line, size_t ours,
             struct findings *findings)
{
    static const char *const name[] = {"SUCCESS", "NOTFOUND", "UNAVAIL",
                                       "TRYAGAIN"};
    bool listens = nsswitch_is(line, "initgroups");

    for (size_t i = 0; i < ours; i++) {
        for (int status = listens ? NSSWITCH_SUCCESS : NSSWITCH_NOTFOUND;
             status < NSSWITCH_STATUS_COUNT; status++) {
            if (nsswitch_ends(line, i, (enum nsswitch_status)status))
                add_line(findings, SEVERITY_ERROR, line, ENABLE,
                         "\"%.*s:\" ends at [%s=return] of \"%.*s\", before "
                         "selfreset is asked.",
                         (int)line->name_length, line->text + line->name,
                         name[status], (int)line->source[i].name_length,
                         line->text + line->source[i].start);
        }
    }
}

/* The position of selfreset on a line group or shadow. */
static void
check_place(const struct nsswitch_line *line, size_t ours,
            struct findings *findings)
{
    bool is_shadow = nsswitch_is(line, "shadow");
    bool is_before = false;

    for (size_t i = ours; i < line->count; i++)
        is_before = is_before || nsswitch_is_files(line, i);
    if (is_shadow && is_before)
        add_line(findings, SEVERITY_ERROR, line, ENABLE,
                 "\"shadow:\" asks selfreset before the local files, which "
                 "alone have the passwords of local accounts.");
    else if (ours == 0 || !nsswitch_is_files(line, ours - 1))
        add_line(findings, SEVERITY_WARNING, line, ENABLE,
                 "selfreset is not directly behind the local files: a source "
                 "between them can hide it.");
}

/* On a line initgroups, the sources behind selfreset are asked only by an
 * action. */
static void
check_after(const struct nsswitch_line *line, size_t ours,
            struct findings *findings)
{
    if (ours + 1 < line->count && nsswitch_ends(line, ours, NSSWITCH_SUCCESS))
        add_line(findings, SEVERITY_ERROR, line, ENABLE,
                 "\"initgroups:\" ends at selfreset: for rules, the groups of "
                 "the sources behind it are lost.");
}

static void
check_line(const struct nsswitch_line *line, bool is_used,
           struct findings *findings)
{
    size_t ours = nsswitch_ours(line);
    bool is_initgroups = nsswitch_is(line, "initgroups");

    if (nsswitch_is(line, "shadow") || nsswitch_is(line, "passwd"))
        check_merge(line, findings);
    if (!nsswitch_is(line, "group") && !nsswitch_is(line, "shadow") &&
        !is_initgroups)
        return;
    /* Since glibc 2.33. */
    if (is_used &&
        memchr(line->text + line->start, '#', line->end - line->start) != NULL)
        add_line(findings, SEVERITY_WARNING, line,
                 "Move the comment to a line of its own.",
                 "To the C library the words behind # are sources, too.");
    if (line->is_odd) {
        add_line(findings, SEVERITY_WARNING, line, "Correct the line.",
                 "This line cannot be parsed to its end.");
        return;
    }
    if (ours == line->count) {
        if (is_used)
            add_line(findings, SEVERITY_ERROR, line, ENABLE,
                     "\"%.*s:\" does not ask selfreset.",
                     (int)line->name_length, line->text + line->name);
        return;
    }
    check_before(line, ours, findings);
    if (is_initgroups)
        check_after(line, ours, findings);
    else
        check_place(line, ours, findings);
}

/* Whether another line of the same database follows. */
static bool
is_replaced(const char *text, const struct nsswitch_line *line)
{
    struct nsswitch_line later = *line;
    bool is_found = false;

    while (!is_found && nsswitch_next(text, &later))
        is_found = later.name_length == line->name_length &&
                   strncmp(text + later.name, text + line->name,
                           line->name_length) == 0;
    return is_found;
}

static void
check_lines(const char *text, bool is_used, struct findings *findings)
{
    struct nsswitch_line line = {0};

    while (nsswitch_next(text, &line)) {
        if (is_replaced(text, &line))
            add_line(findings, SEVERITY_WARNING, &line, "Remove one of them.",
                     "Another line \"%.*s:\" follows, and the C library uses "
                     "the last.",
                     (int)line.name_length, text + line.name);
        else
            check_line(&line, is_used, findings);
    }
}

void
check_switch(const char *text, struct findings *findings)
{
    struct nsswitch_line line = {0};
    bool has_group = false, has_shadow = false, is_used = false;

    while (nsswitch_next(text, &line)) {
        has_group = has_group || nsswitch_is(&line, "group");
        has_shadow = has_shadow || nsswitch_is(&line, "shadow");
        is_used = is_used || nsswitch_ours(&line) < line.count;
    }
    check_lines(text, is_used, findings);
    if (is_used && text[strlen(text) - 1] != '\n')
        findings_add(findings, SEVERITY_ERROR, NSSWITCH_FILE, NULL, ENABLE,
                     "The last line does not end with a newline: the C library "
                     "ignores it.");
    if (!is_used)
        findings_add(findings, SEVERITY_WARNING, NSSWITCH_FILE, NULL, ENABLE,
                     "No line asks selfreset: the state of accounts is "
                     "published, and no program sees it.");
    else if (!has_group || !has_shadow)
        findings_add(findings, SEVERITY_ERROR, NSSWITCH_FILE, NULL, ENABLE,
                     "There is no line \"%s:\".",
                     has_group ? "shadow" : "group");
}

/* ---- reading other configurations */

/* Call `take` with each line of a file, its end cut off. */
static void
each_line(const char *file,
          void (*take)(void *, const char *, unsigned, char *), void *context)
{
    FILE *stream = fopen(file, "re");
    char *line = NULL;
    size_t size = 0;

    if (stream == NULL)
        return;
    for (unsigned number = 1; getline(&line, &size, stream) >= 0; number++) {
        line[strcspn(line, "\n")] = '\0';
        take(context, file, number, line);
    }
    free(line);
    fclose(stream);
}

/* ---- nscd */

struct caching {
    unsigned line; /* that says so; 0: no */
};

static void
take_nscd(void *context, const char *file, unsigned number, char *line)
{
    struct caching *caching = context;
    char *word = strsep(&line, "#");
    char *rest = word + strspn(word, SPACES);
    char service[16], value[16];

    (void)file;
    if (sscanf(rest, "enable-cache %15s %15s", service, value) == 2 &&
        strcmp(service, "group") == 0)
        caching->line = strcasecmp(value, "yes") == 0 ? number : 0;
}

static bool
answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_there;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    is_there = fd >= 0 && connect(fd, (const struct sockaddr *)&address,
                                  sizeof(address)) == 0;
    if (fd >= 0)
        close(fd);
    return is_there;
}

static void
check_nscd(struct findings *findings)
{
    struct caching caching = {0};
    bool is_running = answers(NSCD_SOCKET);

    each_line(NSCD_CONF, take_nscd, &caching);
    if (caching.line == 0)
        return;
    findings_add_at(
        findings, is_running ? SEVERITY_ERROR : SEVERITY_WARNING, NSCD_CONF,
        caching.line, NULL,
        "Write \"enable-cache group no\", and restart nscd.",
        is_running ? N_("nscd keeps groups for up to an hour: rules see an old "
                        "state.")
                   : N_("When nscd runs it keeps groups for up to an hour: "
                        "rules then see an old state."));
}

/* ---- systemd-userdbd */

static void
check_userdb(struct findings *findings)
{
    if (!answers(USERDB "Multiplexer") && !answers(USERDB "NameServiceSwitch"))
        return;
    if (access(SR_NSSDIR "/v1/shadow.snap", F_OK) != 0)
        return;
    findings_add(findings, SEVERITY_WARNING, "systemd-userdbd", NULL,
                 "If that is not wanted, run \"systemctl disable --now "
                 "systemd-userdbd.socket\".",
                 "It shows the shadow fields of every account to every local "
                 "user, those of selfreset too (no hash is among them).");
}

/* ---- sudo */

struct sudo {
    struct findings *findings;
    bool is_dynamic;
};

static void
take_sudo_conf(void *context, const char *file, unsigned number, char *line)
{
    struct sudo *sudo = context;
    char value[16];

    (void)file;
    (void)number;
    if (sscanf(line, " Set group_source %15s", value) == 1)
        sudo->is_dynamic = strcmp(value, "dynamic") == 0;
}

/* "%acct-ok" in a line of sudoers(5); a comment is not one. */
static const char *
find_state_group(const char *line)
{
    line += strspn(line, SPACES);
    if (line[0] == '#')
        return NULL;
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        const char *name = sr_group_name((enum sr_group)i);
        size_t length = strlen(name);

        for (const char *at = strchr(line, '%'); at != NULL;
             at = strchr(at + 1, '%')) {
            if (strncmp(at + 1, name, length) == 0 &&
                strchr(" \t,=!:", at[1 + length]) != NULL)
                return name;
        }
    }
    return NULL;
}

static void
take_sudoers(void *context, const char *file, unsigned number, char *line)
{
    struct sudo *sudo = context;
    const char *name = find_state_group(line);

    if (name != NULL)
        findings_add_at(sudo->findings, SEVERITY_WARNING, file, number, NULL,
                        "Put \"Set group_source dynamic\" into /etc/sudo.conf.",
                        "sudo asks the session for its groups, and no session "
                        "has %s: this rule never applies.",
                        name);
}

static void
check_sudo(struct findings *findings)
{
    struct sudo sudo = {.findings = findings};
    struct dirent **names = NULL;
    int count;

    each_line(SUDO_CONF, take_sudo_conf, &sudo);
    if (sudo.is_dynamic)
        return;
    each_line(SUDOERS, take_sudoers, &sudo);
    count = scandir(SUDOERS_D, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[512];

        snprintf(path, sizeof(path), SUDOERS_D "/%s", names[i]->d_name);
        if (strchr(names[i]->d_name, '.') == NULL) /* sudo skips the others */
            each_line(path, take_sudoers, &sudo);
        free(names[i]);
    }
    free(names);
}

void
check_readers(struct findings *findings)
{
    check_nscd(findings);
    check_userdb(findings);
    check_sudo(findings);
    check_sshd(SSHD_CONF, SSHD_FOLDER, findings);
}
