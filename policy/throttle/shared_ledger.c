/*
 * Shared ledger: what all hosts have counted of one account, as a directory
 * keeps it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/backend/registry.h"
#include "policy/throttle/shared_ledger.h"
#include "policy/util/clock.h"

/* What a verification may take beyond its backend's deadline: times of servers
 * are in whole seconds. */
#define SLACK 2

static const struct sr_backend_config *
find_config(const struct sr_config *config, const char *name)
{
    for (size_t i = 0; i < config->backend_count; i++) {
        if (strcmp(config->backend[i].name, name) == 0)
            return &config->backend[i];
    }
    return NULL;
}

struct sr_shared_ledger
sr_shared_ledger_open_by_name(const struct sr_config *config,
                              struct sr_connections *connections,
                              const char *name)
{
    const struct sr_backend_config *section = find_config(config, name);
    struct sr_shared_ledger way = {.connections = connections};
    struct sr_error error;

    way.is_there = section != NULL && section->lockout_base != NULL &&
                   sr_backend_find(config, name, &way.backend, &error) == 0 &&
                   way.backend.ops->shared_ledger != NULL;
    return way;
}

bool
sr_shared_counts(const struct sr_rules *rules, uid_t uid)
{
    return rules->lockout_store == SR_LOCKOUT_LDAP && rules->attempts != 0 &&
           uid != 0;
}

int64_t
sr_shared_lifetime(const struct sr_shared_ledger *way)
{
    return way->backend.config->timeout + SLACK;
}

static enum sr_status
read_list(const struct sr_shared_ledger *way, const char *ledger,
          bool may_recall, struct sr_shared_list *list, char *reason,
          size_t size)
{
    struct sr_shared_request request = {
        .what = SR_SHARED_LIST,
        .ledger = ledger,
        .may_recall = may_recall,
        .list = list,
    };
    struct sr_call call = sr_call_make(&way->backend, way->connections);
    const enum sr_status answer = sr_backend_shared_ledger(&call, &request);

    if (answer != SR_STATUS_OK)
        snprintf(reason, size, "%s", call.error.text);
    return answer;
}

enum sr_status
sr_shared_look(const struct sr_shared_ledger *way, const char *name,
               bool is_familiar, const struct sr_limits *limits,
               bool may_recall, struct sr_shared_view *view, char *reason,
               size_t size)
{
    struct sr_shared_list *list = calloc(1, sizeof(*list));
    struct sr_shared_judgement judgement;
    char ledger[SR_SHARED_LEDGER_SIZE];
    sr_time now = (sr_time)time(NULL);
    enum sr_status answer;

    *view = (struct sr_shared_view){.lockout = sr_lockout_none()};
    if (list == NULL)
        return SR_STATUS_NO_MEMORY;
    sr_shared_account(name, is_familiar, ledger);
    answer = read_list(way, ledger, may_recall, list, reason, size);
    if (answer == SR_STATUS_OK) {
        if (sr_shared_latest(list) > now)
            now = sr_shared_latest(list);
        sr_shared_judge(list, NULL, limits, now, sr_shared_lifetime(way),
                        &judgement);
        view->entries = list->count;
        view->failures = judgement.failures;
        if (judgement.answer == SR_SHARED_LOCKED)
            view->lockout = sr_lockout_until(
                sr_clock_to_wall(judgement.until, now, (sr_time)time(NULL)),
                SR_LOCK_WHY_THROTTLE);
    }
    free(list);
    return answer;
}

enum sr_status
sr_shared_clear(const struct sr_shared_ledger *way, const char *name,
                size_t *count, char *reason, size_t size)
{
    struct sr_call call = sr_call_make(&way->backend, way->connections);
    struct sr_shared_list *list = calloc(1, sizeof(*list));
    char ledger[SR_SHARED_LEDGER_SIZE];
    enum sr_status answer = list == NULL ? SR_STATUS_NO_MEMORY : SR_STATUS_OK;

    *count = 0;
    for (int class = 0; answer == SR_STATUS_OK && class < 2; class ++) {
        do {
            struct sr_shared_request request = {.what = SR_SHARED_DROP,
                                                .ledger = ledger};

            sr_shared_account(name, class == SR_CLASS_FAMILIAR, ledger);
            answer = read_list(way, ledger, false, list, reason, size);
            if (answer != SR_STATUS_OK || list->count == 0)
                break;
            request.drop = list->entry;
            request.count = list->count;
            *count += list->count;
            answer = sr_backend_shared_ledger(&call, &request);
            if (answer != SR_STATUS_OK)
                snprintf(reason, size, "%s", call.error.text);
        } while (answer == SR_STATUS_OK && list->is_cut);
    }
    free(list);
    return answer;
}
