/*
 * Migrate: takes password histories and temporary passwords over from the LMDB
 * database of an older version.
 *
 * The old database knew accounts by uid.  The history of a uid is added to each
 * account that has this uid: a password that one of them used before is then
 * refused to all of them, which is stricter than to lose it.  A temporary
 * password belongs to the one stored hash that it was recorded with, so it goes
 * to the account that has this hash.  Lockouts and counts of wrong passwords
 * are not taken over.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/each.h"
#include "tools/old_state.h"
#include "tools/spawn.h"
#include "tools/words.h"

#define DATABASE SR_STATEDIR "/data.mdb"
#define PASSWD   "/etc/passwd"

/* A line of /etc/passwd. */
struct local {
    struct local *next;
    uid_t uid;
    char name[SR_NAME_MAX + 1];
};

struct migration {
    struct ctl *ctl;
    struct sr_store *store;
    struct old_state old;
    struct local *local;
    struct sr_reading reading;
    unsigned histories, temporaries; /* taken over */
    unsigned without_account;        /* records of a uid that no account has */
    bool is_incomplete;              /* an account could not be read */
};

/* One record for one account. */
struct offer {
    const struct migration *migration;
    const struct old_record *record;
    const char *secret;
    bool is_taken;
};

static void
migration_end(struct migration *migration)
{
    while (migration->local != NULL) {
        struct local *local = migration->local;

        migration->local = local->next;
        free(local);
    }
    old_state_free(&migration->old);
    sr_store_close(migration->store);
}

/* Read /etc/passwd itself, where two names can have one uid. */
static int
read_local(struct migration *migration)
{
    FILE *stream = fopen(PASSWD, "re");
    const struct passwd *entry;
    int code = CTL_OK;

    if (stream == NULL) {
        ctl_error("%s: %s.", PASSWD, strerror(errno));
        return CTL_FAILED;
    }
    while (code == CTL_OK && (entry = fgetpwent(stream)) != NULL) {
        struct local *local = calloc(1, sizeof(*local));

        if (local == NULL) {
            ctl_error("Out of memory.");
            code = CTL_FAILED;
        } else if (strlen(entry->pw_name) <= SR_NAME_MAX) {
            memcpy(local->name, entry->pw_name, strlen(entry->pw_name));
            local->uid = entry->pw_uid;
            local->next = migration->local;
            migration->local = local;
        } else {
            free(local);
        }
    }
    fclose(stream);
    return code;
}

static int
read_old(struct migration *migration)
{
    static const char *const dump[] = {"mdb_dump", "-n", DATABASE, NULL};
    const int error = ctl_read(dump, old_state_read, &migration->old);

    unlink(DATABASE "-lock"); /* mdb_dump makes it */
    if (error == 0 && migration->old.is_whole)
        return CTL_OK;
    if (migration->old.is_short)
        ctl_error("Out of memory.");
    else
        ctl_error("The old state, %s, could not be read.  The program mdb_dump "
                  "is of the package lmdb-utils (lmdb in some distributions).  "
                  "Nothing was done.",
                  DATABASE);
    return CTL_FAILED;
}

static bool
take(void *context, struct sr_memory *memory)
{
    struct offer *offer = context;
    const struct migration *migration = offer->migration;
    const struct old_record *record = offer->record;

    offer->is_taken =
        record->is_history
            ? old_state_add_history(&memory->history, &record->history)
            : old_state_add_temporary(memory, &migration->old,
                                      &record->temporary, offer->secret,
                                      &migration->reading);
    return offer->is_taken;
}

/* Whether the record was taken over, or would be. */
static bool
store(struct migration *migration, const struct old_record *record,
      const struct sr_transaction *txn)
{
    const struct sr_identity id = sr_transaction_identity(txn);
    struct offer offer = {migration, record, txn->account->secret, false};
    enum sr_store_result result;
    struct sr_memory memory;

    if (!migration->ctl->is_dry_run) {
        result = sr_memory_change(migration->store, &id, take, &offer);
    } else {
        result = sr_memory_get(migration->store, &id, &memory);
        if (result == SR_STORE_NOT_FOUND)
            result = SR_STORE_OK;
        if (result == SR_STORE_OK)
            take(&offer, &memory);
        explicit_bzero(&memory, sizeof(memory));
    }
    if (result == SR_STORE_OK)
        return offer.is_taken;
    ctl_store_error(migration->store, result);
    migration->is_incomplete = true;
    return false;
}

/* Offer a record to the account of a name.  Returns whether there is one with
 * this uid, or whether that could not be found out. */
static bool
offer_to(struct migration *migration, const struct old_record *record,
         const char *name)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    const enum sr_status ask =
        sr_transaction_begin(migration->ctl->config, name, "", NULL, &txn);

    if (ask == SR_STATUS_UNKNOWN_NAME ||
        (ask == SR_STATUS_OK && txn.account->facts.uid != record->uid))
        return false;
    if (ask != SR_STATUS_OK) {
        ctl_error("The account \"%s\" cannot be read: %s.", name,
                  _(txn.reason));
        migration->is_incomplete = true;
    } else if (store(migration, record, &txn)) {
        migration->ctl->is_changed = true;
        if (record->is_history)
            migration->histories++;
        else
            migration->temporaries++;
        if (!record->is_history && !migration->ctl->is_dry_run)
            ctl_publish(migration->ctl, txn.account->facts.name);
    }
    return true;
}

/* Offer a record to all accounts of its uid. */
static void
offer_to_all(struct migration *migration, const struct old_record *record)
{
    const struct passwd *entry;
    unsigned local = 0, found = 0;

    for (const struct local *line = migration->local; line != NULL;
         line = line->next) {
        if (line->uid != record->uid)
            continue;
        local++;
        found += offer_to(migration, record, line->name);
    }
    entry = local == 0 ? getpwuid(record->uid) : NULL;
    if (entry != NULL) {
        char *name = strdup(entry->pw_name);

        found = name == NULL ? 1 : offer_to(migration, record, name);
        migration->is_incomplete = migration->is_incomplete || name == NULL;
        free(name);
    }
    if (found == 0)
        migration->without_account++;
    else if (found > 1 && record->is_history)
        ctl_error(_n("%u account has the uid %lu: it gets the password history "
                     "of this uid.",
                     "%u accounts have the uid %lu: each of them gets the "
                     "password history of this uid.",
                     found),
                  found, (unsigned long)record->uid);
}

/* What is left where not everything could be taken over. */
static int
conclude(struct migration *migration)
{
    const unsigned damaged = migration->old.damaged;
    enum sr_store_result result;

    if (migration->is_incomplete) {
        ctl_error("Not everything could be taken over, so %s is kept.  Correct "
                  "the cause and run the command again.",
                  DATABASE);
        return CTL_PARTLY;
    }
    if (!migration->ctl->is_dry_run) {
        result = sr_store_set_old_aside(migration->store);
        if (result != SR_STORE_OK) {
            ctl_store_error(migration->store, result);
            return CTL_PARTLY;
        }
    }
    migration->ctl->is_changed = true;
    if (damaged == 0)
        return CTL_OK;
    ctl_error(_n("%u record of the old state was damaged and left out.",
                 "%u records of the old state were damaged and left out.",
                 damaged),
              damaged);
    return CTL_PARTLY;
}

static void
say(const struct migration *migration, struct report *report, int code)
{
    const struct ctl *ctl = migration->ctl;

    if (ctl->is_json) {
        report_number(report, "histories", migration->histories);
        report_number(report, "temporary_passwords", migration->temporaries);
        report_number(report, "without_account", migration->without_account);
        report_number(report, "damaged", migration->old.damaged);
    }
    if (code != CTL_OK && code != CTL_PARTLY)
        return;
    ctl_print(ctl,
              ctl->is_dry_run
                  ? N_("Password histories that would be taken over: %u.  "
                       "Temporary passwords that would be: %u.  Records of a "
                       "uid that no account has, left out: %u.")
                  : N_("Password histories that were taken over: %u.  "
                       "Temporary passwords that were: %u.  Records of a uid "
                       "that no account has, left out: %u."),
              migration->histories, migration->temporaries,
              migration->without_account);
    if (!migration->is_incomplete)
        ctl_print(ctl,
                  ctl->is_dry_run
                      ? N_("%s would be renamed to data.mdb.old; nothing reads "
                           "it any more.")
                      : N_("%s was renamed to data.mdb.old; nothing reads it "
                           "any more."),
                  DATABASE);
}

static int
migrate(struct ctl *ctl, struct report *report, const char *name)
{
    __attribute__((cleanup(migration_end))) struct migration migration = {
        .ctl = ctl};
    int code = ctl_store(!ctl->is_dry_run, &migration.store);

    (void)name;
    if (code == CTL_OK &&
        (migration.store == NULL || !sr_store_has_old(migration.store))) {
        ctl_print(ctl, "There is no state of an older version; nothing was "
                       "done.");
        if (ctl->is_json)
            say(&migration, report, CTL_FAILED);
        return code;
    }
    if (code == CTL_OK)
        code = read_local(&migration);
    if (code == CTL_OK)
        code = read_old(&migration);
    if (code == CTL_OK && sr_clock_read(&migration.reading) != 0) {
        ctl_error("The clocks cannot be read.");
        code = CTL_FAILED;
    }
    for (const struct old_record *record = migration.old.first;
         code == CTL_OK && record != NULL; record = record->next)
        offer_to_all(&migration, record);
    if (code == CTL_OK)
        code = conclude(&migration);
    say(&migration, report, code);
    return code;
}

int
ctl_migrate(struct ctl *ctl, int argc, char **argv)
{
    if (!ctl_parse(ctl, argc, argv, NULL, 0, 0, 0) || !ctl_load(ctl))
        return ctl->exit;
    return ctl_once(ctl, migrate);
}
