/*
 * Check other files: settings of pam_faillock, pam_pwquality and pam_pwhistory
 * that are not in force.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_OTHER_FILES_H
#define SR_TOOLS_CHECK_OTHER_FILES_H

#include "policy/config/settings.h"
#include "tools/check/findings.h"

/* Each line of these files that says something else than this configuration
 * does becomes a finding, whether or not selfreset.defaults_from names the
 * file: a scanner reads it in any case. */
void check_other_files(const struct sr_config *config,
                       struct findings *findings);

#endif
