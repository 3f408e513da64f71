/*
 * PAM stack: finds stacks that would bypass or break the module.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_PAM_STACK_H
#define SR_TOOLS_CHECK_PAM_STACK_H

#include "tools/check/findings.h"

/* The end of the names under which old files are kept beside the new ones. */
#define PAM_OLD_FILE ".selfreset-old"
/* The same, while it is not certain that the new ones stay. */
#define PAM_KEPT_FILE ".selfreset-kept"

/* The folders in which libpam looks for services on this host, in its order. */
extern const char *const check_pam_folders[];

struct check_stacks {
    /* In which libpam looks for services, in this order; the end is NULL. */
    const char *const *folders;
    /* Where pam_selfreset.so is installed, among the modules of libpam; NULL:
     * that one is installed is not asked. */
    const char *module;
    /* A source of nsswitch.conf(5) with accounts that no backend has, or
     * NULL. */
    const char *directory;
    /* Look only for stacks with which every login or none succeeds, and for
     * lines with which libpam fails. */
    bool is_safety_only;
    /* Some password may be changed only in a session of its owner. */
    bool needs_logon;
    /* selfreset-helper listens, for programs that do not run as root. */
    bool has_helper;
    /* Called with the value of each conf= on a line of the module; or NULL. */
    void (*conf)(void *context, const char *file);
    void *context;
};

/* Check every service.  Returns whether some stack has the module. */
bool check_stacks(const struct check_stacks *how, struct findings *findings);

/*
 * Whether a service (NULL: any) has the module in one of its stacks.  `line`
 * (may be NULL) is called for each of its lines, for some more than once.
 */
bool stacks_name_module(const char *const *folders, const char *service,
                        void (*line)(void *context, const char *file,
                                     unsigned number),
                        void *context);

#endif
