/*
 * Benchmark: the rules of hardening guides about passwords and lockouts, and
 * what fulfils each on this host.
 *
 * The guides are the CIS Debian Linux 12 Benchmark, sections 5.3 and 5.4.1 with
 * its levels 1 and 2, and the STIG of DISA for Ubuntu 22.04, as Debian has
 * none. Other rules of theirs are none of this program's business.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_BENCHMARK_H
#define SR_TOOLS_CHECK_BENCHMARK_H

#include "tools/command.h"

/* The names of the guides, ended by NULL: "cis", "stig". */
extern const char *const benchmark_names[];

/*
 * "check --benchmark NAME": list each rule, whether it is fulfilled, and by
 * what.  ctl->config must be loaded; NULL name is not allowed.  Returns CTL_OK
 * when all are, CTL_WARNINGS when one is not, CTL_USAGE for another name.
 */
int ctl_check_benchmark(struct ctl *ctl, const char *name);

#endif
