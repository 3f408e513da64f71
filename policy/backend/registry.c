/*
 * Registry: from a configured name to a backend's operations, and the state
 * that backends keep from one call to the next.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/registry.h"

#define STATES_MAX 16 /* of one transaction; others live for one call */

struct state {
    char *name;
    const struct sr_backend_ops *ops;
    void *state;
};

struct sr_connections {
    pid_t process; /* the process that may send, once there is a state */
    struct state state[STATES_MAX];
    size_t count;
    bool expects_password;
    bool is_by_user;
};

struct sr_connections *
sr_connections_new(void)
{
    struct sr_connections *connections = calloc(1, sizeof(*connections));

    if (connections != NULL)
        connections->is_by_user = getuid() != 0;
    return connections;
}

void
sr_connections_expect_password(struct sr_connections *connections, bool expects)
{
    if (connections != NULL)
        connections->expects_password = expects;
}

bool
sr_connections_expects_password(const struct sr_connections *connections)
{
    return connections != NULL && connections->expects_password;
}

/* End all states. */
static void
clear(struct sr_connections *connections)
{
    bool is_copy = connections->count > 0 && connections->process != getpid();

    for (size_t i = 0; i < connections->count; i++) {
        struct state *at = &connections->state[i];

        if (at->state != NULL && at->ops->accounts.end != NULL)
            at->ops->accounts.end(at->state, is_copy);
        free(at->name);
    }
    connections->count = 0;
}

void
sr_connections_free(struct sr_connections *connections)
{
    if (connections == NULL)
        return;
    clear(connections);
    free(connections);
}

void
sr_connections_idle(struct sr_connections *connections)
{
    /* A fork must not end the connections of its parent. */
    if (connections == NULL || connections->count == 0 ||
        connections->process != getpid())
        return;
    for (size_t i = 0; i < connections->count; i++) {
        const struct state *at = &connections->state[i];

        if (at->state != NULL && at->ops->accounts.idle != NULL)
            at->ops->accounts.idle(at->state);
    }
}

/* Where a backend's state is; NULL when it cannot outlive the call.  A backend
 * that ends no state has none, which is that of local accounts. */
static void **
find_state(struct sr_connections *connections, const struct sr_backend *backend)
{
    struct state *at;

    if (connections == NULL || backend->ops->accounts.end == NULL)
        return NULL;
    if (connections->count == 0 || connections->process != getpid()) {
        clear(connections);
        connections->process = getpid();
    }
    for (size_t i = 0; i < connections->count; i++) {
        if (connections->state[i].ops == backend->ops &&
            strcmp(connections->state[i].name, backend->name) == 0)
            return &connections->state[i].state;
    }
    if (connections->count == STATES_MAX)
        return NULL;
    at = &connections->state[connections->count];
    at->name = strdup(backend->name);
    if (at->name == NULL)
        return NULL;
    at->ops = backend->ops;
    at->state = NULL;
    connections->count++;
    return &at->state;
}

/* ---- modules */

/* The module for a section of the configuration. */
static const char *
module_of(const struct sr_backend_config *config)
{
    static const char *const type[] = {[SR_BACKEND_LDAP] = "ldap",
                                       [SR_BACKEND_KRB5] = "krb5",
                                       [SR_BACKEND_AD] = "ad"};

    /* Loading Kerberos takes longer than a login without it. */
    if (config->type == SR_BACKEND_LDAP &&
        config->identity == SR_IDENTITY_GSSAPI)
        return "ldap-gssapi";
    return type[config->type];
}

static const struct sr_backend_ops *
load_module(const char *name, struct sr_error *error)
{
    const struct sr_backend_module *module;
    char path[512];
    const locale_t former = uselocale(sr_english());
    void *handle;

    snprintf(path, sizeof(path), "%s/%s.so", SR_MODULEDIR, name);
    /* Lazy: the libraries below have hundreds of functions that no login calls.
     * The module itself is linked with -z now, so a missing symbol shows here.
     */
    handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == NULL)
        sr_error_set(error, SR_ERROR_CONFIG, "%s", dlerror());
    uselocale(former);
    if (handle == NULL)
        return NULL;
    module = dlsym(handle, SR_BACKEND_MODULE);
    if (module == NULL || module->version != SR_BACKEND_VERSION) {
        sr_error_set(error, SR_ERROR_CONFIG, "%s is of another version", path);
        return NULL;
    }
    return module->ops;
}

int
sr_backend_find(const struct sr_config *config, const char *name,
                struct sr_backend *backend, struct sr_error *error)
{
    sr_error_clear(error);
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
        sr_error_set(error, SR_ERROR_CONFIG, "there is no backend \"%.64s\"",
                     name);
        return -1;
    }
    backend->ops = load_module(module_of(backend->config), error);
    return backend->ops == NULL ? -1 : 0;
}

/* ---- calls */

struct sr_call
sr_call_make(const struct sr_backend *backend,
             struct sr_connections *connections)
{
    return (struct sr_call){.backend = backend,
                            .connections = connections,
                            .is_by_user = connections == NULL
                                              ? getuid() != 0
                                              : connections->is_by_user};
}

/* Begin an operation: `spare` is where its state is when it cannot be kept. */
static const struct sr_backend_ops *
begin(struct sr_call *call, void **spare)
{
    sr_error_clear(&call->error);
    *spare = NULL;
    call->state = find_state(call->connections, call->backend);
    if (call->state == NULL)
        call->state = spare;
    call->former = uselocale(sr_english());
    return call->backend->ops;
}

static void
end(struct sr_call *call, void *spare)
{
    call->state = NULL;
    if (spare != NULL && call->backend->ops->accounts.end != NULL)
        call->backend->ops->accounts.end(spare, false);
    uselocale(call->former);
}

enum sr_status
sr_backend_look_up(struct sr_call *call, const char *name,
                   const struct sr_rules *rules, struct sr_account **account)
{
    void *spare;
    enum sr_status status =
        begin(call, &spare)->accounts.look_up(call, name, rules, account);

    if (status == SR_STATUS_OK && (*account)->verifier.ops == NULL)
        (*account)->verifier = *call->backend;
    end(call, spare);
    return status;
}

enum sr_status
sr_backend_name_of(struct sr_call *call, uid_t uid, const char *known_as,
                   char name[SR_NAME_MAX + 1])
{
    void *spare;
    const struct sr_backend_ops *ops = begin(call, &spare);
    enum sr_status status = SR_STATUS_UNKNOWN_NAME;

    if (ops->accounts.name_of != NULL)
        status = ops->accounts.name_of(call, uid, known_as, name);
    end(call, spare);
    return status;
}

enum sr_verify_result
sr_backend_verify(struct sr_call *call, struct sr_account *account,
                  const char *password, bool allow_empty)
{
    void *spare;
    enum sr_verify_result result =
        begin(call, &spare)
            ->accounts.verify(call, account, password, allow_empty);

    end(call, spare);
    return result;
}

enum sr_write
sr_backend_may_change(struct sr_call *call, struct sr_account *account,
                      enum sr_refusal *refusal)
{
    enum sr_write written = SR_WRITE_DONE;
    void *spare;
    const struct sr_backend_ops *ops = begin(call, &spare);

    *refusal = SR_REFUSAL_OTHER;
    if (ops->accounts.may_change != NULL)
        written = ops->accounts.may_change(call, account, refusal);
    end(call, spare);
    return written;
}

enum sr_write
sr_backend_change(struct sr_call *call, struct sr_account *account,
                  const char *old, const char *password,
                  enum sr_refusal *refusal)
{
    void *spare;
    enum sr_write written;

    *refusal = SR_REFUSAL_OTHER;
    written = begin(call, &spare)
                  ->accounts.change(call, account, old, password, refusal);
    end(call, spare);
    return written;
}

/* The visitor of an enumeration, whose accounts are shown to a person. */
struct visit {
    struct sr_call *call;
    const struct sr_visitor *visitor;
};

static int
visit_account(void *context, struct sr_account *account,
              const struct sr_rules *rules, enum sr_status ask,
              const char *reason)
{
    const struct visit *visit = context;
    const locale_t english = uselocale(visit->call->former);
    const int result = visit->visitor->account(visit->visitor->context, account,
                                               rules, ask, reason);

    uselocale(english);
    return result;
}

static void
visit_nameless(void *context, const char *name)
{
    const struct visit *visit = context;
    const locale_t english = uselocale(visit->call->former);

    visit->visitor->nameless(visit->visitor->context, name);
    uselocale(english);
}

enum sr_status
sr_backend_enumerate(struct sr_call *call, const struct sr_visitor *visitor)
{
    struct visit visit = {call, visitor};
    const struct sr_visitor in_language = {
        visitor->find_rules, visitor->groups, visit_account, &visit,
        visitor->nameless == NULL ? NULL : visit_nameless};
    void *spare;
    enum sr_status status = begin(call, &spare)->enumerate(call, &in_language);

    end(call, spare);
    return status;
}

enum sr_write
sr_backend_administer(struct sr_call *call, struct sr_account *account,
                      enum sr_order order, const char *password,
                      enum sr_refusal *refusal)
{
    void *spare;
    enum sr_write written;

    *refusal = SR_REFUSAL_OTHER;
    written = begin(call, &spare)
                  ->administer(call, account, order, password, refusal);
    end(call, spare);
    return written;
}

enum sr_write
sr_backend_rotate(struct sr_call *call, bool is_trial)
{
    void *spare;
    enum sr_write written = begin(call, &spare)->rotate(call, is_trial);

    end(call, spare);
    return written;
}

enum sr_status
sr_backend_survey(struct sr_call *call, struct sr_survey *survey)
{
    void *spare;
    enum sr_status status = begin(call, &spare)->survey(call, survey);

    end(call, spare);
    return status;
}

enum sr_status
sr_backend_shared_ledger(struct sr_call *call,
                         struct sr_shared_request *request)
{
    void *spare;
    enum sr_status status = begin(call, &spare)->shared_ledger(call, request);

    end(call, spare);
    return status;
}

enum sr_status
sr_backend_record(struct sr_call *call, struct sr_record_request *request)
{
    void *spare;
    enum sr_status status = begin(call, &spare)->record(call, request);

    end(call, spare);
    return status;
}

enum sr_status
sr_backend_records(struct sr_call *call, struct sr_records_request *request)
{
    void *spare;
    enum sr_status status = begin(call, &spare)->records(call, request);

    end(call, spare);
    return status;
}

enum sr_status
sr_backend_values(struct sr_call *call, const struct sr_account *account,
                  const struct sr_string_list *attributes, size_t most,
                  struct sr_string_list *values)
{
    void *spare;
    enum sr_status status =
        begin(call, &spare)->values(call, account, attributes, most, values);

    end(call, spare);
    return status;
}

enum sr_status
sr_backend_hand_over(struct sr_call *call, const struct sr_account *account,
                     char **handle)
{
    void *spare;
    enum sr_status status =
        begin(call, &spare)->credentials->hand_over(call, account, handle);

    end(call, spare);
    return status;
}

void
sr_backend_drop(struct sr_call *call, const struct sr_account *account,
                const char *handle)
{
    void *spare;

    begin(call, &spare)->credentials->drop(call, account, handle);
    end(call, spare);
}

enum sr_status
sr_backend_establish(struct sr_call *call, const struct sr_account *account,
                     const struct sr_credential_want *want, char **name)
{
    void *spare;
    enum sr_status status =
        begin(call, &spare)->credentials->establish(call, account, want, name);

    end(call, spare);
    return status;
}

enum sr_status
sr_backend_destroy(struct sr_call *call, const struct sr_account *account,
                   gid_t gid, const char *name)
{
    void *spare;
    enum sr_status status =
        begin(call, &spare)->credentials->destroy(call, account, gid, name);

    end(call, spare);
    return status;
}
