/*
 * Publishing: after an event of an account, what the rest of the system sees of
 * it is written anew.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "policy/account/publishing.h"
#include "policy/publish/writer.h"
#include "policy/util/safe_open.h"

/* The lock is held for microseconds, or for milliseconds by a run.  One that is
 * not given back in this time is held by a process that was stopped. */
#define WAIT_MS 100

/*
 * How long the lock is waited for: not at all while a run is due, which removes
 * a lock that is stuck, and publishes what logins could not.
 */
static unsigned
wait_ms(void)
{
    return access(SR_PUBLISH_DUE, F_OK) == 0 ? 0 : WAIT_MS;
}

/* Have selfreset-publish.path start a run. */
static void
request_run(void)
{
    int fd = sr_safe_make_dir(SR_RUNDIR, SR_SAFE_OF_ALL);

    if (fd == 0)
        fd = sr_safe_open(SR_PUBLISH_DUE, O_WRONLY | O_CREAT, NULL);
    if (fd >= 0)
        close(fd);
}

/* Send an event unless all is well. */
static void
tell(const struct sr_transaction *txn, enum sr_publish_result result,
     const char *reason)
{
    const char *cause = reason;

    switch (result) {
    case SR_PUBLISH_OK:
    case SR_PUBLISH_UNCHANGED:
    case SR_PUBLISH_OFF:
        return;
    case SR_PUBLISH_BUSY:
        request_run();
        cause = "busy";
        break;
    case SR_PUBLISH_FULL:
        cause = "full";
        break;
    case SR_PUBLISH_FAILED:
        break;
    }
    sr_transaction_event(txn, SR_EVENT_PUBLISH_FAILED, "failed", cause, -1);
}

void
sr_transaction_publish(struct sr_transaction *txn)
{
    char reason[SR_ERROR_TEXT_SIZE] = "";
    enum sr_publish_result result = SR_PUBLISH_UNCHANGED;

    /* Nothing is known of an account that only its owner can read: what was
     * read at the last login stays. */
    if (!txn->account->is_closed)
        result = sr_publish_gathered(SR_PUBLISHED_DIR, txn, txn->sequence,
                                     wait_ms(), reason, sizeof(reason));
    tell(txn, result, reason);
}

void
sr_transaction_publish_change(struct sr_transaction *txn)
{
    if (sr_transaction_recall(txn, NULL, NULL) == SR_STORE_OK)
        sr_transaction_publish(txn);
    else
        tell(txn, SR_PUBLISH_FAILED, txn->reason);
}

static void
publish_nothing(void)
{
    if (sr_publish_decoy(SR_PUBLISHED_DIR, wait_ms()) == SR_PUBLISH_BUSY)
        request_run();
}

/* The work of it for a name that is no account: root is looked up. */
static void
publish_decoy(const struct sr_config *config)
{
    struct sr_transaction root;

    if (sr_transaction_begin(config, "root", NULL, NULL, &root) == SR_STATUS_OK)
        sr_transaction_recall(&root, NULL, NULL);
    sr_transaction_end(&root);
    publish_nothing();
}

/* The account is looked up again: time has passed, and what others published
 * meanwhile must not be replaced by what was true before. */
void
sr_transaction_publish_lockout(const struct sr_transaction *txn,
                               struct sr_lockouts shared, bool is_known)
{
    enum sr_publish_result result;
    char reason[160] = "";

    if (!is_known || txn->account == NULL) {
        publish_decoy(txn->config);
        return;
    }
    result = sr_publish_account(txn->config, txn->connections, &shared,
                                SR_PUBLISHED_DIR, NULL, txn->name, wait_ms(),
                                reason, sizeof(reason));
    /* A lockout that does not hold from every source takes as long. */
    if (result == SR_PUBLISH_UNCHANGED)
        publish_nothing();
    tell(txn, result, reason);
}
