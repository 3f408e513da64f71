/*
 * Enrolments: whether a directory can keep them for all hosts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/backend/registry.h"
#include "tools/check/enrolments.h"
#include "tools/words.h"

/* An enrolment has some thousand bytes. */
#define TEXT_SIZE 16384

struct trial {
    const struct sr_backend *backend;
    struct sr_connections *connections;
    struct findings *findings;
    char place[32];
    struct sr_record_request record;
    char text[TEXT_SIZE];
};

/* False: a finding says what cannot be done. */
static bool
attempt(struct trial *trial, const char *fresh, const char *text,
        const char *what)
{
    struct sr_call call = sr_call_make(trial->backend, trial->connections);

    trial->record.fresh = fresh;
    trial->record.fresh_text = text;
    if (sr_backend_record(&call, &trial->record) == SR_STATUS_OK)
        return true;
    findings_add(trial->findings, SEVERITY_ERROR, trial->place, NULL,
                 "Make the container and let the service's identity, and "
                 "nobody else, read, add, change and delete there; "
                 "selfreset.conf(5) has the entry and the access rules.",
                 "reset_base: %s: %s.  Accounts of this backend cannot be "
                 "enrolled or reset.",
                 _(what),
                 sr_error_has_text(&call.error)
                     ? _(call.error.text)
                     : _("what was written before is not there"));
    return false;
}

/* Read it, and see that it is the version that was written last. */
static void
try_to_read(struct trial *trial, const char *version)
{
    if (!attempt(trial, NULL, NULL, N_("an entry cannot be read")))
        return;
    if (strcmp(trial->record.version, version) != 0 ||
        strcmp(trial->record.text, trial->text) != 0)
        findings_add(trial->findings, SEVERITY_ERROR, trial->place, NULL,
                     "Ask one server that takes changes, or let the identity "
                     "read serialNumber and description.",
                     "reset_base: an entry that was changed is not read as it "
                     "was written.");
    free(trial->record.text);
    trial->record.text = NULL;
}

static void
try_all(struct trial *trial)
{
    char first[SR_RECORD_ID_SIZE], second[SR_RECORD_ID_SIZE];
    uint32_t dice[3] = {0};

    if (getrandom(dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
        return;
    snprintf(trial->record.id, sizeof(trial->record.id), "%032x", dice[0]);
    snprintf(first, sizeof(first), "%032x", dice[1]);
    snprintf(second, sizeof(second), "%032x", dice[2]);
    memset(trial->text, 'a', sizeof(trial->text) - 1);
    if (!attempt(trial, NULL, NULL, N_("an entry cannot be read")) ||
        !attempt(trial, first, trial->text, N_("an entry cannot be added")))
        return;
    memcpy(trial->record.version, first, sizeof(first));
    if (attempt(trial, second, trial->text, N_("an entry cannot be changed")))
        try_to_read(trial, second);
    attempt(trial, first, NULL, N_("an entry cannot be deleted"));
}

void
check_enrolments(const struct sr_backend *backend,
                 struct sr_connections *connections, bool is_wanted,
                 struct findings *findings)
{
    struct trial trial = {
        .backend = backend, .connections = connections, .findings = findings};

    if (backend->config->reset_base == NULL || backend->ops->record == NULL)
        return;
    snprintf(trial.place, sizeof(trial.place), "[backend %s]", backend->name);
    if (!is_wanted)
        findings_add(
            findings, SEVERITY_WARNING, trial.place, NULL,
            "Set \"store = ldap\" in [reset], or take reset_base out.",
            "reset_base is set, but nothing is kept there: reset.store "
            "is local.");
    try_all(&trial);
}
