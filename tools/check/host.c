/*
 * Check host: mistakes in the configuration, the files and the state.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "policy/config/config.h"
#include "policy/config/account_rules.h"
#include "policy/account/account.h"
#include "policy/backend/registry.h"
#include "policy/password/quality.h"
#include "policy/store/ledger.h"
#include "policy/util/deadline.h"
#include "policy/util/secret_file.h"
#include "policy/wire/link.h"
#include "tools/check/host.h"
#include "tools/password_gen.h"
#include "tools/words.h"

/* "1" in enforcing mode; the folder is missing where SELinux is disabled. */
#define SELINUX_ENFORCE "/sys/fs/selinux/enforce"

/* The label that the policy module gives the helper's socket. */
#define HELPER_SOCKET SR_RUNDIR "/" SR_LINK_NAME
#define HELPER_TYPE   ":selfreset_run_t"

/* How long the helper may take to be heard, in milliseconds. */
#define HELPER_MS 1000

/* Less free space than this will soon be a full disk. */
#define SPACE_LOW (16ull * 1024 * 1024)

#define STORE_WAIT_MS 2000

/* ---- the clock */

const char *
check_clock_command(void)
{
    /* The first of these paths that is there: what runs, then what could. */
    static const struct {
        const char *path, *command;
    } known[] = {
        {"/run/chrony/chronyd.pid", "chronyc makestep"},
        {"/run/chronyd.pid", "chronyc makestep"},
        {"/run/ntpd.pid", "systemctl restart ntpsec"},
        {"/run/systemd/timesync", "systemctl restart systemd-timesyncd"},
        {"/etc/chrony/chrony.conf", "systemctl restart chrony"},
        {"/etc/chrony.conf", "systemctl restart chronyd"},
        {"/usr/lib/systemd/systemd-timesyncd",
         "systemctl enable --now systemd-timesyncd"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (access(known[i].path, F_OK) == 0)
            return known[i].command;
    }
    return N_("apt install systemd-timesyncd, or dnf install chrony");
}

/* ---- configuration */

/* "FILE:LINE: text" in its two parts; the text is cut off in place. */
static char *
split_place(char *item)
{
    char *at = strstr(item, ": ");

    if (at == NULL)
        return NULL;
    *at = '\0';
    return at + 2;
}

struct sr_config *
check_config(const char *file, bool is_trial, struct findings *findings)
{
    const char *const advice =
        is_trial
            ? N_("See selfreset.conf(5).  With this error in place only root "
                 "could log in through pam_selfreset.so.")
            : N_("See selfreset.conf(5).  Until it is corrected only root can "
                 "log in through pam_selfreset.so.");
    struct sr_config_errors errors = {.words = ctl_words};
    struct sr_config *config = sr_config_load(file, &errors);

    for (size_t i = 0; config == NULL && i < errors.count; i++) {
        char *text = split_place(errors.item[i]);

        findings_add(findings, SEVERITY_ERROR,
                     text == NULL ? SR_CONFIG_FILE : errors.item[i], NULL,
                     advice, "%s", text == NULL ? errors.item[i] : text);
    }
    sr_config_errors_free(&errors);
    return config;
}

/* A user or group that a line of the configuration names. */
static void
check_name(void *context, const char *name, bool is_group, const char *file,
           unsigned line)
{
    if (is_group ? getgrnam(name) == NULL : getpwnam(name) == NULL)
        findings_add_at(context, SEVERITY_WARNING, file, line, NULL,
                        "Correct the name, or remove it.",
                        is_group ? N_("There is no group \"%s\" on this host.")
                                 : N_("There is no user \"%s\" on this host."),
                        name);
}

/* Each can be used, and none is asked before the accounts of this host whose
 * outage would stop their logins. */
static void
check_backends(const struct sr_config *config, struct findings *findings)
{
    const char *waited_for = NULL;

    for (size_t i = 0; i < config->backends.count; i++) {
        const char *name = config->backends.item[i];
        struct sr_backend backend;
        struct sr_error error;

        if (sr_backend_find(config, name, &backend, &error) != 0)
            findings_add(findings, SEVERITY_ERROR, "selfreset.backends", NULL,
                         "Install what is missing, or remove it from the list.",
                         "The backend \"%s\" cannot be used: %s.", name,
                         _(error.text));
        else if (backend.config != NULL &&
                 backend.config->when_down == SR_DOWN_STOP)
            waited_for = name;
        else if (backend.config == NULL && waited_for != NULL)
            findings_add(findings, SEVERITY_WARNING, "selfreset.backends", NULL,
                         "Put \"local\" first, or say \"when_down = next\" "
                         "for that backend.",
                         "While \"%s\" is unreachable no account of this host "
                         "can log in, not even root: it is asked before them.",
                         waited_for);
    }
}

/* A directory that is asked before the accounts of this host is trusted with
 * them. */
static void
check_order(const struct sr_config *config, struct findings *findings)
{
    const char *first =
        config->backends.count == 0 ? "local" : config->backends.item[0];

    if (sr_string_list_has(&config->backends, "local") &&
        strcmp(first, "local") != 0)
        findings_add(findings, SEVERITY_WARNING, "selfreset.backends", NULL,
                     "Put \"local\" first, unless \"%s\" may know the "
                     "passwords of this host.",
                     "\"%s\" is asked before \"local\": passwords that are "
                     "typed for accounts of this host can be sent to its "
                     "servers, and an entry there with the name and the number "
                     "of such an account decides whether it can log in.",
                     first);
}

/* The files with the passwords of directories' identities. */
static void
check_secrets(const struct sr_config *config, struct findings *findings)
{
    for (size_t i = 0; i < config->backend_count; i++) {
        const char *path = config->backend[i].secret_file;
        struct sr_error error = {0};

        if (path != NULL && !sr_secret_file_is_safe(path, &error))
            findings_add(findings, SEVERITY_ERROR, path, NULL,
                         "Make it a file of root with mode 0600.",
                         "The secret cannot be used: %s.", _(error.text));
    }
}

/* What is set up and never asked. */
static void
check_unasked(const struct sr_config *config, struct findings *findings)
{
    if (!sr_string_list_has(&config->backends, "local"))
        findings_add(findings, SEVERITY_WARNING, "selfreset.backends", NULL,
                     "Write \"backends = local\", and the others after it, "
                     "unless another module serves the accounts of this host.",
                     "\"local\" is not among them: pam_selfreset.so knows no "
                     "account of this host, not even root.");
    for (size_t i = 0; i < config->backend_count; i++) {
        const char *name = config->backend[i].name;
        char place[64];

        if (sr_string_list_has(&config->backends, name))
            continue;
        snprintf(place, sizeof(place), "[backend %s]", name);
        findings_add(findings, SEVERITY_WARNING, place, NULL,
                     "Add its name to selfreset.backends, or remove the "
                     "section.",
                     "selfreset.backends does not name it, so it is never "
                     "asked.");
    }
}

void
check_names(const struct sr_config *config, struct findings *findings)
{
    const struct sr_rules *rules = &config->rules;

    sr_config_each_name(config, check_name, findings);
    check_backends(config, findings);
    check_order(config, findings);
    check_secrets(config, findings);
    check_unasked(config, findings);
    if (rules->attempts == 0)
        findings_add(findings, SEVERITY_WARNING, "lockout.attempts", NULL,
                     "Set it to a number such as 5.",
                     "Guessing at one account is not limited.");
    if (rules->lock_root)
        findings_add(
            findings, SEVERITY_WARNING, "lockout.root", NULL,
            "Set \"root = no\", or keep another way to log in as root.",
            "Anyone who can reach a login prompt can lock root out.");
}

/* ---- the system */

bool
check_has_helper(const char *socket_path)
{
    const int fd = sr_link_connect(socket_path, sr_deadline_now() + HELPER_MS);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool
selinux_is_enforcing(void)
{
    FILE *stream = fopen(SELINUX_ENFORCE, "re");
    bool is_enforcing;

    if (stream == NULL)
        return false;
    is_enforcing = getc(stream) == '1';
    fclose(stream);
    return is_enforcing;
}

/* The kernel answers "unlabeled_t" for a type that its policy does not have. */
static bool
selinux_has_label(const char *path, const char *type)
{
    char label[256] = "";

    return getxattr(path, "security.selinux", label, sizeof(label) - 1) > 0 &&
           strstr(label, type) != NULL;
}

bool
selinux_bars_logins(void)
{
    return selinux_is_enforcing() &&
           !(selinux_has_label(HELPER_SOCKET, HELPER_TYPE) &&
             check_has_helper(HELPER_SOCKET));
}

void
check_selinux(struct findings *findings)
{
    if (selinux_bars_logins())
        findings_add(findings, SEVERITY_ERROR, SELINUX_ENFORCE, NULL,
                     "Load the policy module of selinux/ in the sources, as "
                     "README.md shows, or leave pam_selfreset.so out of the "
                     "stacks of this host.",
                     "SELinux is in enforcing mode.  Its policy does not let "
                     "login programs read /etc/shadow, so pam_selfreset.so "
                     "refuses every password, that of root as well.");
}

/* ---- files and state */

/* Root's, and of no wider mode than `mode`. */
static void
check_mode(const char *path, mode_t mode, struct findings *findings)
{
    struct stat status;

    if (lstat(path, &status) != 0) {
        if (errno != ENOENT)
            findings_add(findings, SEVERITY_ERROR, path, NULL,
                         "Check the file system.", "It cannot be read: %s.",
                         strerror(errno));
        return;
    }
    if (S_ISLNK(status.st_mode))
        findings_add(findings, SEVERITY_ERROR, path, NULL,
                     "Replace the link by the file or directory itself.",
                     "It is a symbolic link, which is not followed.");
    else if (status.st_uid != 0)
        findings_add(findings, SEVERITY_ERROR, path, NULL,
                     "Find out who changed it, then run \"chown root\" on it.",
                     "It belongs to the user %ld, not to root.",
                     (long)status.st_uid);
    else if ((status.st_mode & 07777 & ~mode) != 0)
        findings_add(findings, SEVERITY_ERROR, path, NULL,
                     "Remove the extra permissions with chmod(1).",
                     "Its mode is %04o; at most %04o is safe.",
                     (unsigned)(status.st_mode & 07777), (unsigned)mode);
}

static void
check_folder_modes(const char *folder, mode_t mode, struct findings *findings)
{
    struct dirent **names = NULL;
    struct stat status;
    int count = 0;

    check_mode(folder, mode, findings);
    /* What a link leads to is not ours. */
    if (lstat(folder, &status) == 0 && S_ISDIR(status.st_mode))
        count = scandir(folder, &names, NULL, NULL);
    for (int i = 0; i < count; i++) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        if (strcmp(names[i]->d_name, ".") == 0 ||
            strcmp(names[i]->d_name, "..") == 0 || lstat(path, &status) != 0)
            status.st_mode = 0;
        if (S_ISDIR(status.st_mode))
            check_folder_modes(path, 0700, findings);
        else if (S_ISSOCK(status.st_mode))
            check_mode(path, 0666, findings); /* the helper's, for everyone */
        else if (status.st_mode != 0)
            check_mode(path, 0600, findings);
        free(names[i]);
    }
    free(names);
}

/* The file system of the state folder.  The first login makes the folder; until
 * then it is that of the nearest folder above. */
static bool
find_space(struct statvfs *space)
{
    char path[] = SR_STATEDIR;
    char *slash;

    while (statvfs(path, space) != 0) {
        slash = strrchr(path, '/');
        if (errno != ENOENT || slash == NULL || slash == path)
            return false;
        *slash = '\0';
    }
    return true;
}

static void
check_space(struct findings *findings)
{
    struct statvfs space;

    if (!find_space(&space))
        return;
    if ((space.f_flag & ST_RDONLY) != 0)
        findings_add(findings, SEVERITY_ERROR, SR_STATEDIR, NULL,
                     "Mount it for writing.",
                     "The file system is read-only.  Wrong passwords cannot "
                     "be recorded, and logins by password can fail (SR-3205).");
    else if ((unsigned long long)space.f_bavail * space.f_frsize < SPACE_LOW)
        findings_add(findings, SEVERITY_WARNING, SR_STATEDIR, NULL,
                     "Free some space.",
                     "The disk is nearly full.  When it is, wrong passwords "
                     "cannot be recorded, and logins by password can fail "
                     "(SR-3205).");
}

struct state_check {
    struct sr_store *store;
    struct findings *findings;
};

static void
report_damage(struct state_check *check, const char *path,
              enum sr_store_result result)
{
    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        return;
    findings_add(check->findings, SEVERITY_ERROR, SR_STATEDIR, path,
                 "Check the disk.  A damaged file is moved aside at the next "
                 "login that needs it, and its content is lost.",
                 "A file of the state cannot be used: %s.",
                 _(sr_store_strerror(result)));
}

static void
check_ledger(void *context, const char *path)
{
    struct state_check *check = context;

    report_damage(check, path, sr_ledger_check(check->store, path));
}

static void
check_account_file(void *context, const char *path)
{
    struct state_check *check = context;
    const char *dot = strrchr(path, '.');

    if (dot != NULL && strcmp(dot, ".memory") == 0)
        report_damage(check, path, sr_memory_check(check->store, path));
    else
        check_ledger(context, path);
}

static void
check_aside(void *context, const char *path)
{
    const struct state_check *check = context;

    findings_add(check->findings, SEVERITY_WARNING, SR_STATEDIR, path,
                 "Check the disk, then remove the file.",
                 "A file of the state was damaged and has been moved aside; "
                 "its content is lost.");
}

static void
check_old(const struct state_check *check)
{
    if (sr_store_has_old(check->store))
        findings_add(check->findings, SEVERITY_ERROR, SR_STATEDIR "/data.mdb",
                     NULL, "Run \"selfresetctl migrate\".",
                     "An older version kept password histories and temporary "
                     "passwords here, and they are not in use any more.");
}

static void
check_files(struct state_check *check)
{
    static const char *const ledgers[] = {"names", "sources", "here"};

    sr_store_each(check->store, "accounts", check_account_file, check);
    for (size_t i = 0; i < sizeof(ledgers) / sizeof(ledgers[0]); i++)
        sr_store_each(check->store, ledgers[i], check_ledger, check);
    sr_store_each(check->store, "damaged", check_aside, check);
}

void
check_state(struct findings *findings)
{
    struct state_check check = {.findings = findings};
    enum sr_store_result result;

    check_folder_modes(SR_STATEDIR, 0700, findings);
    check_folder_modes(SR_RUNDIR, 0755, findings);
    check_space(findings);
    result = sr_store_open(NULL, NULL, SR_STORE_READ, &check.store);
    if (result == SR_STORE_OK) {
        check_old(&check);
        check_files(&check);
    } else if (result != SR_STORE_NOT_FOUND) /* none before the first login */
        findings_add(findings, SEVERITY_ERROR, SR_STATEDIR, NULL,
                     "Logins by password fail until the cause is removed.",
                     "The state of this host cannot be read: %s.",
                     _(sr_store_strerror(result)));
    sr_store_close(check.store);
}

/* ---- quality */

void
check_quality(const struct sr_config *config, struct findings *findings)
{
    char phrase[PHRASE_LENGTH_MAX + 1];
    const struct sr_candidate candidate = {.password = phrase, .user = "root"};
    struct sr_findings broken = {0};
    enum sr_quality quality;

    if (!phrase_make(phrase_getrandom, config->rules.min_length, phrase,
                     sizeof(phrase)))
        return;
    quality = sr_quality_check(&candidate, &config->rules, &broken);
    if (quality != SR_QUALITY_DONE)
        findings_add(findings, SEVERITY_ERROR, "password.preset", NULL,
                     "Install what is missing, or choose another preset.  "
                     "Until then every new password is refused.",
                     "New passwords cannot be checked: %s.",
                     broken.count > 0 ? broken.item[0].text
                                      : _("out of memory"));
    explicit_bzero(phrase, sizeof(phrase));
    sr_findings_free(&broken);
}
