/*
 * sshd_config: which options of sshd_config(5) reveal the state groups of
 * accounts to clients, and whether sshd asks PAM at all.
 *
 * sshd chooses the blocks that match as soon as the client has named a user,
 * before anything is proved.  So an option that changes what a client may try
 * next, or reads, shows in which group the account is.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "policy/publish/view.h"
#include "tools/check/sshd_config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define DEPTH_MAX 16 /* sshd's own limit of includes */

/* Options that may be in a Match block and act before the login. */
static const char *const telling[] = {
    "AuthenticationMethods",
    "AuthorizedKeysCommand",
    "AuthorizedKeysCommandUser",
    "AuthorizedKeysFile",
    "AuthorizedPrincipalsCommand",
    "AuthorizedPrincipalsCommandUser",
    "AuthorizedPrincipalsFile",
    "Banner",
    "CASignatureAlgorithms",
    "ChallengeResponseAuthentication",
    "DSAAuthentication",
    "GSSAPIAuthentication",
    "HostbasedAcceptedAlgorithms",
    "HostbasedAcceptedKeyTypes",
    "HostbasedAuthentication",
    "HostbasedUsesNameFromPacketOnly",
    "IgnoreRhosts",
    "KbdInteractiveAuthentication",
    "KerberosAuthentication",
    "MaxAuthTries",
    "PAMServiceName",
    "PasswordAuthentication",
    "PermitEmptyPasswords",
    "PermitRootLogin",
    "PubkeyAcceptedAlgorithms",
    "PubkeyAcceptedKeyTypes",
    "PubkeyAuthOptions",
    "PubkeyAuthentication",
    "RefuseConnection",
    "RequiredRSASize",
    "RevokedKeys",
    "SkeyAuthentication",
    "TrustedUserCAKeys",
};

/* The first value of an option outside of blocks, which is the one that sshd
 * uses. */
struct setting {
    const char *name;
    const char *old_names[2]; /* or NULL */
    char value[16];           /* "" while there is none */
    char place[4200];         /* file and line */
};

/* One file that is read. */
struct scan {
    const char *folder;
    struct findings *findings; /* for what acts before the login, or NULL */
    struct setting *setting;   /* to be filled in; ends with a NULL name */
    const char *file;
    unsigned number;
    unsigned depth;
    bool is_in_block;
    char match[128]; /* the state group's pattern of this block, or "" */
};

static void scan_file(const struct scan *above, const char *file);

/* The next word, without its quotes; NULL behind the last.  A "=" may separate
 * words like a space. */
static char *
next_word(char **at)
{
    char *word = *at + strspn(*at, " \t\r\n=");
    char *end;

    if (*word == '\0' || *word == '#')
        return NULL;
    if (*word == '"' || *word == '\'') {
        end = strchr(word + 1, *word);
        word++;
        if (end == NULL)
            end = word + strlen(word);
    } else {
        end = word + strcspn(word, " \t\r\n=");
    }
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

/* Whether a pattern depends on a state group: one that fits any group's name
 * does not. */
static bool
is_of_state(const char *pattern)
{
    if (fnmatch(pattern, "users", 0) == 0 || fnmatch(pattern, "_", 0) == 0)
        return false;
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        if (fnmatch(pattern, sr_group_name((enum sr_group)i), 0) == 0)
            return true;
    }
    return false;
}

/* The values of "Group": the first that depends on a state group is kept. */
static void
take_groups(struct scan *scan, char *list)
{
    char *pattern;

    while ((pattern = strsep(&list, ",")) != NULL) {
        const char *name = pattern + (pattern[0] == '!');

        if (scan->match[0] == '\0' && is_of_state(name))
            snprintf(scan->match, sizeof(scan->match), "%s", pattern);
    }
}

/* "Match Group a,b User c": a new block begins. */
static void
take_match(struct scan *scan, char *rest)
{
    char *word;

    scan->match[0] = '\0';
    scan->is_in_block = false;
    while ((word = next_word(&rest)) != NULL) {
        char *value;

        if (strcasecmp(word, "all") == 0)
            continue;
        scan->is_in_block = true;
        if (strcasecmp(word, "invalid-user") == 0)
            continue;
        value = next_word(&rest);
        if (value != NULL && strcasecmp(word, "group") == 0)
            take_groups(scan, value);
    }
}

static void
take_include(const struct scan *scan, char *rest)
{
    char *word;

    while ((word = next_word(&rest)) != NULL) {
        char path[4096];
        glob_t found = {0};

        snprintf(path, sizeof(path), "%s%s%s",
                 word[0] == '/' ? "" : scan->folder, word[0] == '/' ? "" : "/",
                 word);
        if (glob(path, 0, NULL, &found) == 0) {
            for (size_t i = 0; i < found.gl_pathc; i++)
                scan_file(scan, found.gl_pathv[i]);
        }
        globfree(&found);
    }
}

static bool
is_setting(const struct setting *setting, const char *word)
{
    bool is = strcasecmp(word, setting->name) == 0;

    for (size_t i = 0; i < COUNT(setting->old_names) && !is; i++)
        is = setting->old_names[i] != NULL &&
             strcasecmp(word, setting->old_names[i]) == 0;
    return is;
}

static void
take_setting(const struct scan *scan, const char *word, char *rest)
{
    struct setting *setting = scan->setting;

    for (; setting != NULL && setting->name != NULL; setting++) {
        const char *value;

        if (setting->value[0] != '\0' || !is_setting(setting, word))
            continue;
        value = next_word(&rest);
        snprintf(setting->value, sizeof(setting->value), "%s",
                 value == NULL ? "" : value);
        snprintf(setting->place, sizeof(setting->place), "%s:%u", scan->file,
                 scan->number);
        return;
    }
}

static void
take_option(const struct scan *scan, const char *word, char *rest)
{
    if (!scan->is_in_block)
        take_setting(scan, word, rest);
    for (size_t i = 0;
         scan->findings != NULL && scan->match[0] != '\0' && i < COUNT(telling);
         i++) {
        if (strcasecmp(word, telling[i]) != 0)
            continue;
        findings_add_at(
            scan->findings, SEVERITY_WARNING, scan->file, scan->number, NULL,
            "Put only what acts after the login in this block: ForceCommand, "
            "PermitTTY, DisableForwarding.  DenyGroups and AllowGroups answer "
            "like a wrong password.",
            "%s in a block for the group \"%s\" reveals to every client which "
            "accounts are in that state.",
            telling[i], scan->match);
    }
}

static void
take_line(struct scan *scan, char *line)
{
    char *word = next_word(&line);

    if (word == NULL)
        return;
    if (strcasecmp(word, "Match") == 0)
        take_match(scan, line);
    else if (strcasecmp(word, "Include") == 0)
        take_include(scan, line);
    else
        take_option(scan, word, line);
}

/* A file, in the block in which it is included; its own blocks end with it. */
static void
scan_file(const struct scan *above, const char *file)
{
    struct scan scan = *above;
    FILE *stream;
    char *line = NULL;
    size_t size = 0;

    if (above->depth >= DEPTH_MAX)
        return;
    scan.depth++;
    scan.file = file;
    scan.number = 0;
    stream = fopen(file, "re");
    if (stream == NULL) {
        if (errno != ENOENT && scan.findings != NULL)
            findings_add(scan.findings, SEVERITY_WARNING, file, NULL,
                         "Check the file.", "It cannot be read: %s.",
                         strerror(errno));
        return;
    }
    while (getline(&line, &size, stream) >= 0) {
        scan.number++;
        take_line(&scan, line);
    }
    free(line);
    fclose(stream);
}

void
check_sshd(const char *file, const char *folder, struct findings *findings)
{
    const struct scan scan = {.folder = folder, .findings = findings};

    scan_file(&scan, file);
}

void
check_sshd_pam(const char *file, const char *folder, struct findings *findings)
{
    struct setting setting[] = {
        {.name = "UsePAM"},
        {.name = "KbdInteractiveAuthentication",
         .old_names = {"ChallengeResponseAuthentication",
                       "SkeyAuthentication"}},
        {.name = NULL},
    };
    const struct scan scan = {.folder = folder, .setting = setting};
    const struct setting *use_pam = &setting[0], *keyboard = &setting[1];

    if (access(file, F_OK) != 0)
        return;
    scan_file(&scan, file);
    if (strcasecmp(use_pam->value, "yes") != 0)
        findings_add(findings, SEVERITY_ERROR,
                     use_pam->value[0] == '\0' ? file : use_pam->place, NULL,
                     "Write \"UsePAM yes\" there, and run \"systemctl reload "
                     "ssh\" (Fedora, SUSE: \"systemctl reload sshd\").",
                     "sshd does not ask PAM (UsePAM): expired and locked "
                     "accounts can log in, and guesses are not counted.");
    else if (strcasecmp(keyboard->value, "no") == 0)
        findings_add(
            findings, SEVERITY_WARNING, keyboard->place, NULL,
            "Write \"KbdInteractiveAuthentication yes\" there, and run "
            "\"systemctl reload ssh\" (Fedora, SUSE: \"systemctl reload "
            "sshd\").",
            "sshd does not use interactive authentication "
            "(KbdInteractiveAuthentication no): an expired password "
            "cannot be changed in the login, and programs without a "
            "terminal show no warning.");
}
