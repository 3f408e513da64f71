/*
 * Changes: publishes single accounts that have changed in a directory.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_CHANGES_H
#define SR_NSS_CHANGES_H

#include "nss/ledger_watch.h"
#include "nss/names.h"
#include "policy/backend/backend.h"
#include "policy/config/members.h"

/*
 * One batch of changes.  Groups, names and connections are read anew for each,
 * so that none is old.
 */
struct changes {
    const struct sr_config *config;
    struct watch *watch;
    bool is_verbose;
    size_t rank; /* of the backend that reports, among all */
    struct sr_members *members;
    struct names *names;
    struct sr_connections *connections;
    bool needs_all; /* out: a change could not be published alone */
};

/* Begin a batch.  False: out of memory; changes_end() is called in any case. */
bool changes_begin(struct changes *changes, const struct sr_config *config,
                   struct watch *watch, bool is_verbose);
void changes_end(struct changes *changes);

/* The functions for a watch; their context is the batch. */
struct sr_watcher changes_watcher(struct changes *changes);

/* Look an account up and publish it; one that cannot be asked for keeps its
 * state until the next run. */
void changes_publish(struct changes *changes, const char *name);

#endif
