/*
 * Captive: the account by which a person who cannot log in reaches
 * self-service reset.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <pwd.h>
#include <shadow.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/config/account_rules.h"
#include "policy/account/captive.h"
#include "policy/config/config.h"
#include "policy/util/words.h"

/* For an entry of passwd(5) or shadow(5); one that needs more is not ours. */
#define ENTRY_MAX 4096

/* Only root can have written it, and users can run it. */
static bool
is_program_safe(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_uid == 0 && (status.st_mode & 022) == 0 &&
           (status.st_mode & 0111) == 0111 &&
           (status.st_mode & (S_ISUID | S_ISGID)) == 0;
}

/* Files of its own in its home could be keys, or commands that sshd runs. */
static bool
is_home_safe(const char *path)
{
    struct stat status;

    return strcmp(path, SR_CAPTIVE_HOME) == 0 && stat(path, &status) == 0 &&
           S_ISDIR(status.st_mode) && status.st_uid == 0 &&
           (status.st_mode & 022) == 0;
}

/* What passwd(5) has of it. */
static const char *
flaw_of_entry(const char *name, uid_t *uid)
{
    char buffer[ENTRY_MAX];
    struct passwd entry, *found = NULL;

    if (getpwnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 ||
        found == NULL || strcmp(entry.pw_name, name) != 0)
        return N_LOG("there is no such account");
    *uid = entry.pw_uid;
    if (entry.pw_uid == 0 || entry.pw_gid == 0)
        return N_LOG("it has the uid or the group of root");
    if (strcmp(entry.pw_passwd, "x") != 0)
        return N_LOG("its password is not in shadow(5)");
    if (strcmp(entry.pw_shell, SR_CAPTIVE_SHELL) != 0)
        return "its shell is not " SR_CAPTIVE_SHELL;
    if (!is_home_safe(entry.pw_dir))
        return "its home is not " SR_CAPTIVE_HOME
               ", or others than root can write that";
    if (getpwuid_r(*uid, &entry, buffer, sizeof(buffer), &found) != 0 ||
        found == NULL || strcmp(entry.pw_name, name) != 0)
        return N_LOG("another account has its uid");
    return NULL;
}

/* Whether it has a hash that crypt(3) never returns. */
static bool
is_locked(const char *name)
{
    char buffer[ENTRY_MAX];
    struct spwd entry, *found = NULL;
    const bool is_it =
        getspnam_r(name, &entry, buffer, sizeof(buffer), &found) == 0 &&
        found != NULL && strcmp(entry.sp_namp, name) == 0 &&
        entry.sp_pwdp != NULL &&
        (entry.sp_pwdp[0] == '!' || entry.sp_pwdp[0] == '*');

    explicit_bzero(buffer, sizeof(buffer));
    return is_it;
}

const char *
sr_captive_flaw(const char *name, uid_t *uid)
{
    const char *flaw = flaw_of_entry(name, uid);

    if (flaw == NULL && !is_locked(name))
        flaw = N_LOG("its password is not locked");
    if (flaw == NULL && !is_program_safe(SR_CAPTIVE_SHELL))
        flaw = SR_CAPTIVE_SHELL " is missing, or others than root can write it";
    return flaw;
}

bool
sr_captive_is(const struct sr_config *config, const char *name)
{
    return sr_config_resets(config) && strcmp(config->reset.account, name) == 0;
}

bool
sr_captive_has_uid(uid_t uid)
{
    struct sr_config_errors errors = {0};
    struct sr_config *config = sr_config_load(NULL, &errors);
    uid_t captive = (uid_t)-1;
    const bool is_it =
        config != NULL && sr_config_resets(config) &&
        config->reset.account != NULL &&
        sr_captive_flaw(config->reset.account, &captive) == NULL &&
        captive == uid;

    sr_config_errors_free(&errors);
    sr_config_free(config);
    return is_it;
}
