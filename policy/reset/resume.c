/*
 * Resume: a reset outlives a lost connection.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/reset/resume.h"
#include "policy/util/words.h"

#define LIFE 900 /* seconds from the first proof on, of the whole reset */

struct keeping {
    struct sr_run *run;
    const char *hash; /* of a new code; NULL: the code stays */
    sr_time until;    /* wall clock */
};

static bool
keep_in(void *context, struct sr_enrolment *enrolment,
        const struct sr_account_time *time)
{
    struct keeping *keeping = context;
    struct sr_run *run = keeping->run;

    /* Under a code of another run its proofs would be another person's. */
    if (keeping->hash == NULL &&
        !sr_code_is_equal(enrolment->resume, run->resume))
        return false;
    if (run->until == 0)
        run->until = time->now + LIFE;
    if (keeping->hash != NULL)
        memcpy(enrolment->resume, keeping->hash, SR_HASH_MAX);
    enrolment->resume_until = run->until;
    enrolment->resume_proved = run->proved;
    enrolment->resume_uid = run->peer->uid;
    memcpy(enrolment->resume_used, run->used_code_text, SR_USED_MAX);
    keeping->until = time->wall + run->until - time->now;
    return true;
}

void
sr_resume_keep(struct sr_run *run)
{
    const bool is_first = run->resume[0] == '\0';
    char code[SR_CODE_SIZE], plain[SR_CODE_SIZE], hash[SR_HASH_MAX] = "";
    struct keeping keeping = {.run = run, .hash = is_first ? hash : NULL};

    if (run->proved == 0)
        return;
    if ((!is_first || (sr_code_make(code, SR_TICKET_LENGTH, 5) &&
                       sr_code_read(code, SR_TICKET_LENGTH, plain) &&
                       sr_code_hash(plain, hash) == 0)) &&
        sr_enrolment_change(run->store, &run->txn, keep_in, &keeping) ==
            SR_STORE_OK &&
        is_first) {
        char *when = sr_message_when(keeping.until,
                                     sr_transaction_message(&run->txn).now);

        memcpy(run->resume, hash, sizeof(run->resume));
        sr_run_say(run,
                   _("Should the connection break, begin again, choose to go "
                     "on, and type this code: %s. It can be used once, and "
                     "ends %s."),
                   code, when == NULL ? "" : when);
        free(when);
    }
    explicit_bzero(code, sizeof(code));
    explicit_bzero(plain, sizeof(plain));
}

/* The proofs that are still allowed, by gates that were not removed since. */
static unsigned
still_proved(const struct sr_run *run, const struct sr_enrolment *enrolment)
{
    unsigned proved = 0;

    for (unsigned gate = 0; gate < SR_GATE_RESUME; gate++) {
        if (gate == SR_GATE_TICKET || enrolment->gate[gate].since != 0)
            proved |= 1u << gate;
    }
    proved &= run->allowed & enrolment->resume_proved;
    return sr_contact_counts(proved, run->is_admin)
               ? proved
               : proved & ~(1u << SR_GATE_CONTACT);
}

bool
sr_resume_take(const struct sr_run *run, struct sr_enrolment *enrolment,
               const struct sr_account_time *time, const char *hash,
               struct sr_resumed *resumed)
{
    if (enrolment->resume_until <= time->now ||
        enrolment->resume_uid != run->peer->uid ||
        !sr_code_is_equal(enrolment->resume, hash))
        return false;
    resumed->until = enrolment->resume_until;
    resumed->proved = still_proved(run, enrolment);
    memcpy(resumed->used_code_text, enrolment->resume_used, SR_USED_MAX);
    sr_enrolment_remove(enrolment, SR_GATE_RESUME);
    return true;
}

void
sr_resume_go_on(struct sr_run *run, const struct sr_resumed *resumed)
{
    run->why_not = NULL;
    run->until = resumed->until;
    run->proved = resumed->proved;
    memcpy(run->used_code_text, resumed->used_code_text, SR_USED_MAX);
}

struct dropping {
    const struct sr_run *run;
    bool is_done;
};

static bool
drop_in(void *context, struct sr_enrolment *enrolment,
        const struct sr_account_time *time)
{
    const struct dropping *dropping = context;

    (void)time;
    if (enrolment->resume[0] == '\0' ||
        (!dropping->is_done &&
         !sr_code_is_equal(enrolment->resume, dropping->run->resume)))
        return false;
    sr_enrolment_remove(enrolment, SR_GATE_RESUME);
    return true;
}

void
sr_resume_drop(struct sr_run *run, bool is_done)
{
    struct dropping dropping = {run, is_done};

    if (run->proved != 0)
        sr_enrolment_change(run->store, &run->txn, drop_in, &dropping);
    memset(run->resume, 0, sizeof(run->resume));
}
