/*
 * Link: the way from a configured name to a backend's operations, and what
 * backends keep from one call to the next.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/backend.h"

#define LINKS_MAX 16 /* of one login; more are asked without one */

struct linked {
    char *name;
    const struct sr_backend_ops *ops;
    void *kept;
};

struct sr_connections {
    pid_t process; /* that made it */
    struct linked linked[LINKS_MAX];
    size_t count;
};

struct sr_connections *
sr_connections_new(void)
{
    struct sr_connections *connections = calloc(1, sizeof(*connections));

    if (connections != NULL)
        connections->process = getpid();
    return connections;
}

/* End what is kept, and keep nothing. */
static void
link_clear(struct sr_connections *connections)
{
    bool is_copy = connections->process != getpid();

    for (size_t i = 0; i < connections->count; i++) {
        struct linked *linked = &connections->linked[i];

        if (linked->kept != NULL && linked->ops->end != NULL)
            linked->ops->end(linked->kept, is_copy);
        free(linked->name);
    }
    connections->count = 0;
}

void
sr_connections_free(struct sr_connections *connections)
{
    if (connections == NULL)
        return;
    link_clear(connections);
    free(connections);
}

void
sr_connections_idle(struct sr_connections *connections)
{
    /* The connections of another process are not ours to end. */
    if (connections == NULL || connections->process != getpid())
        return;
    for (size_t i = 0; i < connections->count; i++) {
        const struct linked *linked = &connections->linked[i];

        if (linked->kept != NULL && linked->ops->rest != NULL)
            linked->ops->rest(linked->kept);
    }
}

/* Where a backend keeps its own; `none` when there is no room or no link. */
static void **
kept_by(struct sr_connections *connections, const struct sr_backend *backend,
        void **none)
{
    struct linked *linked;

    *none = NULL;
    if (connections == NULL)
        return none;
    /* A process copy has connections that are not its own. */
    if (connections->process != getpid()) {
        link_clear(connections);
        connections->process = getpid();
    }
    for (size_t i = 0; i < connections->count; i++) {
        if (connections->linked[i].ops == backend->ops &&
            strcmp(connections->linked[i].name, backend->name) == 0)
            return &connections->linked[i].kept;
    }
    if (connections->count == LINKS_MAX)
        return none;
    linked = &connections->linked[connections->count];
    linked->name = strdup(backend->name);
    if (linked->name == NULL)
        return none;
    linked->ops = backend->ops;
    linked->kept = NULL;
    connections->count++;
    return &linked->kept;
}

/* What was kept with no link to keep it. */
static void
drop(const struct sr_backend *backend, void *none)
{
    if (none != NULL && backend->ops->end != NULL)
        backend->ops->end(none, false);
}

/* The module for a section of the configuration. */
static const char *
module_of(const struct sr_backend_config *config)
{
    static const char *const type[] = {[SR_BACKEND_LDAP] = "ldap"};

    /* Kerberos takes longer to load than a login takes without it. */
    if (config->type == SR_BACKEND_LDAP &&
        config->identity == SR_IDENTITY_GSSAPI)
        return "ldap-gssapi";
    return type[config->type];
}

static const struct sr_backend_ops *
load_module(const char *name, char *reason, size_t size)
{
    const struct sr_backend_module *module;
    char path[512];
    void *handle;

    snprintf(path, sizeof(path), "%s/%s.so", SR_MODULEDIR, name);
    /* Lazy: hundreds of functions of libraries far below that no login calls
     * are not looked up.  The module itself is linked to be bound at once, so
     * whether it has all it needs is known here. */
    handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == NULL) {
        snprintf(reason, size, "%s", dlerror());
        return NULL;
    }
    module = dlsym(handle, SR_BACKEND_MODULE);
    if (module == NULL || module->version != SR_BACKEND_VERSION) {
        snprintf(reason, size, "%s is of another version", path);
        return NULL;
    }
    return module->ops;
}

int
sr_backend_find(const struct sr_config *config, const char *name,
                struct sr_backend *backend, char *reason, size_t size)
{
    memset(backend, 0, sizeof(*backend));
    backend->name = name;
    if (strcmp(name, sr_backend_local.type) == 0) {
        backend->ops = &sr_backend_local;
        return 0;
    }
    for (size_t i = 0; i < config->backend_count; i++) {
        if (strcmp(config->backend[i].name, name) == 0)
            backend->config = &config->backend[i];
    }
    if (backend->config == NULL) {
        snprintf(reason, size, "there is no backend \"%.64s\"", name);
        return -1;
    }
    backend->ops = load_module(module_of(backend->config), reason, size);
    return backend->ops == NULL ? -1 : 0;
}

enum sr_status
sr_backend_open(const struct sr_backend *backend,
                struct sr_connections *connections, const char *name,
                const struct sr_rules *rules, struct sr_account **account,
                char *reason, size_t size)
{
    void *none;
    enum sr_status ask =
        backend->ops->open(backend, kept_by(connections, backend, &none), name,
                           rules, account, reason, size);

    drop(backend, none);
    return ask;
}

enum sr_verify_result
sr_backend_verify(const struct sr_backend *backend,
                  struct sr_connections *connections,
                  struct sr_account *account, const char *password,
                  bool allow_empty, char *reason, size_t size)
{
    void *none;
    enum sr_verify_result proof =
        backend->ops->prove(backend, kept_by(connections, backend, &none),
                            account, password, allow_empty, reason, size);

    drop(backend, none);
    return proof;
}

enum sr_write
sr_backend_write(const struct sr_backend *backend,
                 struct sr_connections *connections, struct sr_account *account,
                 const char *old, const char *password,
                 enum sr_refusal *refusal, char *reason, size_t size)
{
    void *none;
    enum sr_write written =
        backend->ops->write(backend, kept_by(connections, backend, &none),
                            account, old, password, refusal, reason, size);

    drop(backend, none);
    return written;
}

enum sr_write
sr_backend_administer(const struct sr_backend *backend,
                      struct sr_connections *connections,
                      struct sr_account *account, enum sr_order order,
                      const char *password, enum sr_refusal *refusal,
                      char *reason, size_t size)
{
    void *none;
    enum sr_write written = backend->ops->administer(
        backend, kept_by(connections, backend, &none), account, order, password,
        refusal, reason, size);

    drop(backend, none);
    return written;
}

enum sr_status
sr_backend_survey(const struct sr_backend *backend,
                  struct sr_connections *connections, struct sr_survey *survey,
                  char *reason, size_t size)
{
    void *none;
    enum sr_status ask = backend->ops->survey(
        backend, kept_by(connections, backend, &none), survey, reason, size);

    drop(backend, none);
    return ask;
}

enum sr_status
sr_backend_fleet(const struct sr_backend *backend,
                 struct sr_connections *connections,
                 struct sr_shared_request *request, char *reason, size_t size)
{
    void *none;
    enum sr_status ask = backend->ops->fleet(
        backend, kept_by(connections, backend, &none), request, reason, size);

    drop(backend, none);
    return ask;
}
