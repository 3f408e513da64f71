/*
 * Check nss: what is published, who may read it, and whether the rest of the
 * system sees it, and no more of it than it should.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/publish/groups.h"
#include "policy/publish/reader.h"
#include "policy/publish/writer.h"
#include "tools/check/nss.h"
#include "tools/check/nss_seen.h"
#include "tools/check/nss_switch.h"
#include "tools/nsswitch.h"
#include "tools/rewrite.h"
#include "tools/words.h"

#define MODULE      "libnss_selfreset.so.2"
#define SHADOW_FILE "/etc/shadow"
#define GROUPS_MAX  4096

#define PUBLISH N_("Run \"selfreset-publish\".")

/* ---- groups and module */

void
check_groups(struct findings *findings)
{
    uint32_t gid[SR_GROUP_COUNT];
    struct sr_state_groups found;
    int error = sr_state_groups_read(NULL, NULL, gid, &found);

    if (error != 0) {
        findings_add(findings, SEVERITY_ERROR, SR_GROUP_FILE, NULL,
                     "Check the file, and at /etc/gshadow.",
                     "The groups cannot be read: %s.", strerror(error));
        return;
    }
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        char text[200], advice[200];

        if (!sr_state_group_say((enum sr_group)i, &found.item[i], text, advice,
                                sizeof(text)))
            continue;
        /* All that are missing are one finding. */
        if (found.item[i].flaw == SR_GROUP_MISSING)
            findings_add(findings, SEVERITY_WARNING, SR_GROUP_FILE,
                         sr_group_name((enum sr_group)i), advice,
                         "State groups are missing, so rules that name them "
                         "have no effect.");
        else
            findings_add(findings, SEVERITY_ERROR,
                         sr_group_name((enum sr_group)i), NULL, advice, "%s",
                         text);
    }
}

bool
check_module(char *reason, size_t size)
{
    void *module = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
    bool is_ours = module != NULL &&
                   dlsym(module, "_nss_selfreset_initgroups_dyn") != NULL;

    if (!is_ours) {
        const char *error = dlerror();

        snprintf(reason, size, "%s", error == NULL ? MODULE : error);
    }
    /* Not closed: neither does glibc. */
    return is_ours;
}

/* ---- snapshots */

bool
check_has_snapshot(sr_time now)
{
    struct sr_published published;
    enum sr_found found = sr_reader_find(SR_PUBLISHED_DIR, SR_VIEW_GROUPS,
                                         "root", now, &published);

    return found == SR_FOUND_IT || found == SR_FOUND_NOTHING;
}

/* Root's, and of no wider mode than `mode`. */
static void
check_mode(const char *name, mode_t mode, struct findings *findings)
{
    char path[256];
    struct stat status;

    snprintf(path, sizeof(path), SR_NSSDIR "%s", name);
    if (lstat(path, &status) != 0)
        return; /* reported by check_snapshot() */
    if (status.st_uid != 0)
        findings_add(findings, SEVERITY_ERROR, path, NULL,
                     "Find out who made it, then remove it.  Run "
                     "\"selfreset-publish\".",
                     "It belongs to the user %ld, not to root.",
                     (long)status.st_uid);
    else if ((status.st_mode & 07777 & ~mode) != 0)
        findings_add(findings, SEVERITY_ERROR, path, NULL, PUBLISH,
                     "Its mode is %04o; at most %04o is safe.",
                     (unsigned)(status.st_mode & 07777), (unsigned)mode);
}

static void
check_modes(bool is_public, struct findings *findings)
{
    struct stat shadow;
    mode_t mode = 0640;

    if (stat(SHADOW_FILE, &shadow) == 0)
        mode = shadow.st_mode & 0777;
    check_mode("", 0755, findings);
    check_mode("/v1", 0755, findings);
    check_mode("/v1/lock", 0600, findings);
    check_mode("/v1/groups.snap", is_public ? 0644 : 0640, findings);
    check_mode("/v1/groups.d", is_public ? 0755 : 0750, findings);
    check_mode("/v1/shadow.snap", mode, findings);
    check_mode("/v1/shadow.d", 0750, findings);
}

static bool
read_header(enum sr_view view, sr_time now, struct sr_header *header,
            bool *is_current)
{
    int fd;

    if (sr_reader_open(SR_PUBLISHED_DIR, view, &fd, header) != SR_FOUND_IT)
        return false;
    *is_current = sr_reader_is_current(fd, header, now);
    close(fd);
    return true;
}

/* The ids in the header against those in the group file. */
static void
check_ids(const struct sr_header *header, const char *path,
          struct findings *findings)
{
    uint32_t gid[SR_GROUP_COUNT];

    if (sr_state_groups_read(NULL, NULL, gid, NULL) != 0)
        return;
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        if (gid[i] != header->gid[i])
            findings_add(findings, SEVERITY_ERROR, path,
                         sr_group_name((enum sr_group)i), PUBLISH,
                         "Ids of state groups have changed since it was "
                         "made.");
    }
}

static void
check_snapshot(enum sr_view view, sr_time now, int64_t max_age,
               struct findings *findings)
{
    struct sr_header header;
    bool is_current;
    char path[256];

    snprintf(path, sizeof(path), SR_PUBLISHED_DIR "/%s.snap",
             sr_view_name(view));
    if (access(path, F_OK) != 0)
        findings_add(findings, SEVERITY_ERROR, path, NULL, PUBLISH,
                     "There is no snapshot: %s.", strerror(errno));
    else if (!read_header(view, now, &header, &is_current))
        findings_add(findings, SEVERITY_ERROR, path, NULL, PUBLISH,
                     "The snapshot is damaged, or of another version.");
    else if (!is_current)
        findings_add(findings, SEVERITY_ERROR, path, NULL,
                     "Run \"selfreset-publish\".  If that does not help, look "
                     "at the clock.",
                     "The snapshot is too old, or from the future: it is not "
                     "used.");
    else {
        if (now - header.created > max_age / 2)
            findings_add(findings, SEVERITY_WARNING, path, NULL,
                         "See that selfreset-publish runs every few minutes "
                         "(selfreset-publish.timer, or cron).",
                         "The snapshot is old: half of nss.max_age has "
                         "passed.");
        check_ids(&header, path, findings);
    }
}

static void
check_snapshots(const struct sr_config *config, sr_time now,
                struct findings *findings)
{
    for (int view = 0; view < SR_VIEW_COUNT; view++)
        check_snapshot((enum sr_view)view, now, config->nss_max_age, findings);
    check_modes(config->nss_view == SR_PUBLICITY_PUBLIC, findings);
}

static void
check_masked(sr_time now, struct findings *findings)
{
    FILE *stream = fopen(SHADOW_FILE, "re");
    char buffer[4096];
    char *line = NULL;
    size_t size = 0;

    if (stream == NULL)
        return;
    setvbuf(stream, buffer, _IOFBF, sizeof(buffer));
    while (getline(&line, &size, stream) >= 0) {
        struct sr_published published;

        line[strcspn(line, ":\n")] = '\0';
        if (sr_snapshot_name(line) &&
            sr_reader_find(SR_PUBLISHED_DIR, SR_VIEW_SHADOW, line, now,
                           &published) == SR_FOUND_IT)
            findings_add(findings, SEVERITY_WARNING, SHADOW_FILE, line,
                         "Remove these lines with vipw -s.  \"usermod -e\" and "
                         "\"chage\" make such lines.",
                         "Accounts of a directory have a line here, which "
                         "hides what the directory says of them.");
    }
    fclose(stream);
    explicit_bzero(buffer, sizeof(buffer));
    if (line != NULL)
        explicit_bzero(line, size);
    free(line);
}

/* ---- units */

/* Whether systemd will start a unit: something wants it. */
static bool
is_enabled(const char *unit)
{
    static const char *const folder[] = {"/etc", "/run", "/usr/lib", "/lib"};

    for (size_t i = 0; i < sizeof(folder) / sizeof(folder[0]); i++) {
        char pattern[256];
        glob_t found = {0};
        int answer;

        snprintf(pattern, sizeof(pattern), "%s/systemd/system/*.wants/%s",
                 folder[i], unit);
        answer = glob(pattern, GLOB_NOSORT, NULL, &found);
        globfree(&found);
        if (answer == 0)
            return true;
    }
    return false;
}

static void
check_units(struct findings *findings)
{
    static const char *const unit[] = {"selfreset-publish.timer",
                                       "selfreset-publish.path"};

    if (access("/run/systemd/system", F_OK) != 0)
        return;
    for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
        if (!is_enabled(unit[i]))
            findings_add(findings, SEVERITY_WARNING, unit[i], NULL,
                         "Run \"systemctl enable --now\" with its name.",
                         "The unit is not enabled: what is published gets "
                         "old.");
    }
}

/* ---- the limit */

static bool
has_gid(const gid_t *list, int count, uint32_t gid)
{
    for (int i = 0; i < count; i++) {
        if (gid != 0 && list[i] == gid)
            return true;
    }
    return false;
}

enum seen { SEEN_BY_RULES = 1, SEEN_BY_SESSIONS = 2, SEEN_FAILED = 4 };

/* In a child: the groups that a rule sees for root, and those of a session of
 * root. */
static int
look(const uint32_t gid[SR_GROUP_COUNT])
{
    static gid_t list[GROUPS_MAX];
    int count = GROUPS_MAX;
    int seen = 0;

    if (getgrouplist("root", 0, list, &count) < 0)
        return SEEN_FAILED;
    if (has_gid(list, count, gid[SR_GROUP_OK]))
        seen |= SEEN_BY_RULES;
    if (initgroups("root", 0) != 0)
        return SEEN_FAILED;
    count = getgroups(GROUPS_MAX, list);
    for (int i = 0; i < SR_GROUP_COUNT; i++) {
        if (has_gid(list, count, gid[i]))
            seen |= SEEN_BY_SESSIONS;
    }
    return count < 0 ? SEEN_FAILED : seen;
}

static void
check_limit(struct findings *findings)
{
    uint32_t gid[SR_GROUP_COUNT];
    int status = -1;
    pid_t child;

    if (sr_state_groups_read(NULL, NULL, gid, NULL) != 0 ||
        gid[SR_GROUP_OK] == 0)
        return; /* reported already */
    child = fork();
    if (child == 0)
        _exit(look(gid));
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) >= SEEN_FAILED) {
        findings_add(findings, SEVERITY_ERROR, "getgrouplist", NULL,
                     "Check the other findings, and at /etc/nsswitch.conf.",
                     "The groups of root could not be asked for.");
        return;
    }
    if ((WEXITSTATUS(status) & SEEN_BY_RULES) == 0)
        findings_add(findings, SEVERITY_ERROR, "getgrouplist", NULL,
                     "Check the other findings.  If there are none, this "
                     "system's libc asks in another way.",
                     "Rules do not see the state groups: root is not in "
                     "acct-ok.");
    if ((WEXITSTATUS(status) & SEEN_BY_SESSIONS) != 0)
        findings_add(findings, SEVERITY_ERROR, "initgroups", NULL,
                     "Run \"selfresetctl nss --disable\", and report it: this "
                     "system's libc asks in another way.",
                     "Sessions get state groups: they would keep them after "
                     "the state has changed.");
}

/* ---- all of it */

static void
free_text(char **text)
{
    free(*text);
}

bool
check_nss_is_used(void)
{
    __attribute__((cleanup(free_text))) char *text = NULL;
    struct nsswitch_line line = {0};
    struct rewrite file;
    bool is_used = access(SR_PUBLISHED_DIR, F_OK) == 0;

    if (rewrite_read(NSSWITCH_FILE, &file) == NULL)
        text = file.text;
    while (!is_used && text != NULL && nsswitch_next(text, &line))
        is_used = nsswitch_ours(&line) < line.count;
    return is_used;
}

/* The lines of nsswitch.conf; returns whether one of them names selfreset. */
static bool
check_file(struct findings *findings)
{
    __attribute__((cleanup(free_text))) char *text = NULL;
    struct nsswitch_line line = {0};
    struct rewrite file;
    const char *why = rewrite_read(NSSWITCH_FILE, &file);
    bool is_asked = false;

    if (why != NULL) {
        findings_add(findings, SEVERITY_ERROR, NSSWITCH_FILE, NULL,
                     "Check the file.", "%s", _(why));
        return false;
    }
    text = file.text;
    check_switch(text, findings);
    while (nsswitch_next(text, &line))
        is_asked = is_asked || (nsswitch_is(&line, "group") &&
                                nsswitch_ours(&line) < line.count);
    return is_asked;
}

bool
check_nss_is_enabled(void)
{
    __attribute__((cleanup(findings_free))) struct findings ignored = {0};

    return check_file(&ignored);
}

void
check_nss(const struct sr_config *config, sr_time now,
          struct findings *findings)
{
    const size_t before = findings_count(findings, SEVERITY_ERROR);
    char reason[200];
    bool is_asked = check_file(findings);
    bool is_there = check_module(reason, sizeof(reason));

    if (!is_there)
        findings_add(findings, is_asked ? SEVERITY_ERROR : SEVERITY_WARNING,
                     "libnss_selfreset.so.2", NULL,
                     "Install it.  Programs that looked for it while it was "
                     "missing have to be restarted.",
                     "The module cannot be loaded: %s.", reason);
    check_groups(findings);
    check_snapshots(config, now, findings);
    check_masked(now, findings);
    check_units(findings);
    if (is_asked && is_there && check_has_snapshot(now))
        check_limit(findings);
    /* What was found explains what would be seen. */
    if (is_asked && is_there &&
        findings_count(findings, SEVERITY_ERROR) == before)
        check_seen(now, findings);
    check_readers(findings);
}
