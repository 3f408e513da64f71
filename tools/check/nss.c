/*
 * Check nss: whether the rest of the system sees the published state, and no
 * more of it than it should.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <unistd.h>

#include "policy/publish/writer.h"
#include "tools/check/nss.h"
#include "tools/check/nss_seen.h"
#include "tools/check/nss_switch.h"
#include "tools/check/nss_view.h"
#include "tools/nsswitch.h"
#include "tools/rewrite.h"

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
                     "Look at the file.", "%s", why);
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
