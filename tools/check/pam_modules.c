/*
 * PAM modules: what is known of a line by the name of its module.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "tools/check/pam_modules.h"

bool
module_is_one_of(const char *name, const char *const list[])
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (strcmp(name, list[i]) == 0)
            return true;
    }
    return false;
}

bool
module_is_self(const struct stack_line *line)
{
    return strcmp(line->module, "pam_selfreset.so") == 0;
}

bool
module_is_guard(const struct stack_line *line)
{
    return module_is_self(line) && stack_has(line, "guard");
}

bool
module_is_settle(const struct stack_line *line)
{
    return module_is_self(line) && stack_has(line, "settle");
}

bool
module_is_plain(const struct stack_line *line)
{
    return module_is_self(line) && !module_is_guard(line) &&
           !module_is_settle(line);
}

bool
module_is_local(const struct stack_line *line)
{
    static const char *const names[] = {"pam_unix.so", "pam_unix2.so",
                                        "pam_tcb.so", "pam_pwdb.so", NULL};

    return module_is_one_of(line->module, names);
}

bool
module_is_verifier(const struct stack_line *line)
{
    static const char *const names[] = {
        "pam_sss.so",        "pam_ldap.so",    "pam_krb5.so", "pam_winbind.so",
        "pam_himmelblau.so", "pam_heimdal.so", NULL};

    return module_is_local(line) || module_is_one_of(line->module, names);
}

bool
module_is_condition(const struct stack_line *line)
{
    static const char *const names[] = {"pam_localuser.so", "pam_sepermit.so",
                                        "pam_succeed_if.so", "pam_usertype.so",
                                        NULL};

    return module_is_one_of(line->module, names);
}

bool
module_is_bystander(const struct stack_line *line)
{
    static const char *const names[] = {
        "pam_access.so",    "pam_faillock.so",
        "pam_nologin.so",   "pam_securetty.so",
        "pam_shells.so",    "pam_tally2.so",
        "pam_time.so",      "pam_cap.so",
        "pam_debug.so",     "pam_echo.so",
        "pam_ecryptfs.so",  "pam_env.so",
        "pam_faildelay.so", "pam_gnome_keyring.so",
        "pam_group.so",     "pam_kwallet5.so",
        "pam_loginuid.so",  "pam_motd.so",
        "pam_mount.so",     "pam_permit.so",
        "pam_warn.so",      NULL};

    return module_is_condition(line) || module_is_one_of(line->module, names);
}

bool
module_is_deny(const struct stack_line *line)
{
    return strcmp(line->module, "pam_deny.so") == 0;
}

bool
module_is_permit(const struct stack_line *line)
{
    return strcmp(line->module, "pam_permit.so") == 0;
}

bool
module_is_proof(const struct stack_line *line)
{
    return !module_is_self(line) && !module_is_bystander(line) &&
           !module_is_deny(line);
}
