/*
 * Carry over: keeps what was published of accounts whose backend cannot be
 * asked now.
 *
 * An outage of a directory must not make its accounts vanish.  The snapshot
 * does not say to which backend an account belongs, so every name that was not
 * found now is kept, for as long as a snapshot lasts; then its state is
 * unknown.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nss/carry_over.h"
#include "policy/publish/directory.h"
#include "policy/publish/reader.h"
#include "policy/publish/writer.h"

struct carrier {
    const struct sr_config *config;
    const char *dir;
    const struct sr_publish_how *how;
    struct sr_builder *build;
    enum sr_view view;
    bool is_recent; /* else the states are unknown */
    sr_time since;  /* of the oldest facts that are carried over */
    int64_t uptime_since;
};

static int
keep(const struct carrier *carrier, const char *name,
     const struct sr_payload *payload)
{
    return sr_builder_keep(carrier->build, carrier->view, name, payload) ==
                   ENOMEM
               ? -ENOMEM
               : 0;
}

static int
keep_unknown(const struct carrier *carrier, const char *name)
{
    struct sr_payload payload;
    struct sr_rules rules;
    struct sr_facts facts;

    memset(&rules, 0, sizeof(rules));
    sr_facts_init(&facts);
    sr_payload_encode(carrier->view, &facts, &rules,
                      sr_publish_is_exempt(carrier->config, name), &payload);
    return keep(carrier, name, &payload);
}

static int
keep_name(void *context, const char *name)
{
    const struct carrier *carrier = context;
    struct sr_published published;

    if (sr_snapshot_is_alias(name)) {
        sr_payload_of_alias(&published.payload);
        return keep(carrier, name, &published.payload);
    }
    if (!carrier->is_recent)
        return keep_unknown(carrier, name);
    if (sr_reader_find(carrier->dir, carrier->view, name, carrier->how->now,
                       &published) != SR_FOUND_IT)
        return 0;
    return keep(carrier, name, &published.payload);
}

/* An account that only a delta has. */
static int
keep_delta(void *context, enum sr_view view, const char *name)
{
    (void)view;
    return sr_snapshot_name(name) || sr_snapshot_is_alias(name)
               ? keep_name(context, name)
               : 0;
}

static int
keep_deltas(struct carrier *carrier)
{
    char path[PATH_MAX];
    int error, fd;

    snprintf(path, sizeof(path), "%s/%s", carrier->dir,
             sr_publish_dir_deltas_name(carrier->view));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    error = sr_publish_dir_each(fd, carrier->view, keep_delta, carrier);
    close(fd);
    return error;
}

/* Find out how old the facts of a snapshot are, and whether that is recent. */
static void
find_age(struct carrier *carrier, int fd, const struct sr_header *header)
{
    const struct sr_publish_how *how = carrier->how;
    int64_t age = how->now - header->created;
    struct sr_uptime uptime;

    if (how->boot != 0 && sr_reader_uptime(fd, header, &uptime) &&
        uptime.boot == how->boot)
        age = how->uptime - uptime.since;
    carrier->is_recent = sr_reader_is_current(fd, header, how->now) &&
                         age < carrier->config->nss_max_age;
    if (!carrier->is_recent)
        return;
    if (header->created < carrier->since)
        carrier->since = header->created;
    if (how->uptime - age < carrier->uptime_since)
        carrier->uptime_since = how->uptime - age;
}

static int
carry_view(struct carrier *carrier)
{
    struct sr_header header;
    int error, fd;

    if (sr_reader_open(carrier->dir, carrier->view, &fd, &header) !=
        SR_FOUND_IT) {
        /* Nothing was published: which accounts are missing is not known. */
        carrier->build->is_partial = true;
        return 0;
    }
    if (header.is_partial)
        carrier->build->is_partial = true;
    find_age(carrier, fd, &header);
    error = sr_reader_each(fd, &header, keep_name, carrier);
    close(fd);
    return error == 0 && carrier->is_recent ? keep_deltas(carrier) : error;
}

int
carry_over(const struct sr_config *config, const char *dir,
           const struct sr_publish_how *how, struct sr_builder *build)
{
    struct carrier carrier = {.config = config,
                              .dir = dir,
                              .how = how,
                              .build = build,
                              .since = how->now,
                              .uptime_since = how->uptime};
    int error = 0;

    for (carrier.view = 0; error == 0 && carrier.view < SR_VIEW_COUNT;
         carrier.view++)
        error = carry_view(&carrier);
    sr_builder_set_since(build, carrier.since, carrier.uptime_since);
    return error;
}
