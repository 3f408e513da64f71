/*
 * Shared: an account file that a directory keeps for all hosts.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/registry.h"
#include "policy/reset/shared.h"
#include "policy/util/text.h"

#define TRIES 16

#define BY_ACCOUNT 3 /* up to this version an image is bound to the account */

#define COUNT_MAX 10000 /* records that are opened to count them */

#define VARIANT sodium_base64_VARIANT_ORIGINAL

/* What is sealed: a host with another order of bytes reads other numbers. */
struct image {
    uint32_t version;
    uint32_t size;
    uint8_t body[SR_ACCOUNT_FILE_MAX];
};

/* Room for a text, and the bytes that are made into one and out of one. */
struct work {
    struct image image;
    uint8_t sealed[sizeof(struct image) + SR_SEAL_EXTRA];
};

static size_t
image_size(size_t body_size)
{
    return offsetof(struct image, body) + body_size;
}

static void
discard(struct work *work)
{
    if (work != NULL)
        explicit_bzero(work, sizeof(*work));
    free(work);
}

/* ---- the text of a record */

/* The name of an account's record. */
static bool
name_record(const uint8_t key[SR_SEAL_KEY], const struct sr_identity *id,
            char name[SR_RECORD_ID_SIZE])
{
    uint8_t hash[SR_RECORD_ID_SIZE / 2];

    if (sr_seal_name(key, id, hash, sizeof(hash)) != 0)
        return false;
    sodium_bin2hex(name, SR_RECORD_ID_SIZE, hash, sizeof(hash));
    return true;
}

/* What an image is bound to: the name of its record, which is a hash of the
 * account, so that the records can be counted; or, in an older version, the
 * account. */
static struct sr_identity
bound_to(uint32_t version, const struct sr_identity *id, const char *name)
{
    struct sr_identity bound = {.uid = 0};

    if (version <= BY_ACCOUNT)
        return *id;
    memcpy(bound.name, name, SR_RECORD_ID_SIZE);
    return bound;
}

char *
sr_shared_write(const uint8_t key[SR_SEAL_KEY],
                const struct sr_account_file *kind,
                const struct sr_identity *id, const void *body)
{
    struct work *work = calloc(1, sizeof(*work));
    const size_t size = image_size(kind->size) + SR_SEAL_EXTRA;
    const size_t room = sodium_base64_encoded_len(size, VARIANT);
    char name[SR_RECORD_ID_SIZE], prefix[16], *text = NULL;
    struct sr_identity bound;
    size_t length;

    if (work == NULL || !name_record(key, id, name)) {
        discard(work);
        return NULL;
    }
    bound = bound_to(kind->version, id, name);
    work->image.version = kind->version;
    work->image.size = (uint32_t)kind->size;
    memcpy(work->image.body, body, kind->size);
    length = (size_t)snprintf(prefix, sizeof(prefix), "%u ",
                              (unsigned)kind->version);
    if (sr_seal_image(key, &bound, &work->image, image_size(kind->size),
                      work->sealed) == 0)
        text = malloc(length + room);
    if (text != NULL) {
        memcpy(text, prefix, length);
        sodium_bin2base64(text + length, room, work->sealed, size, VARIANT);
    }
    discard(work);
    return text;
}

/* The sealed bytes of a text, its version, and how many bytes its structure
 * has. */
static enum sr_store_result
decode(const char *text, const struct sr_account_file *kind, uint8_t *sealed,
       uint32_t *version_of, size_t *body_size)
{
    char *end;
    const unsigned long version = strtoul(text, &end, 10);
    size_t size;

    *version_of = (uint32_t)version;
    *body_size = version > UINT32_MAX
                     ? 0
                     : sr_account_file_size(kind, (uint32_t)version);
    if (end == text || *end != ' ' || *body_size == 0)
        return SR_STORE_SEALED;
    return sodium_base642bin(sealed, image_size(*body_size) + SR_SEAL_EXTRA,
                             end + 1, strlen(end + 1), NULL, &size, NULL,
                             VARIANT) == 0 &&
                   size == image_size(*body_size) + SR_SEAL_EXTRA
               ? SR_STORE_OK
               : SR_STORE_SEALED;
}

/* Open the record of a name; without the account (NULL) VERSION, where it is of
 * a version that is bound to that. */
static enum sr_store_result
open_text(const uint8_t key[SR_SEAL_KEY], const struct sr_account_file *kind,
          const struct sr_identity *id, const char *name, const char *text,
          void *body)
{
    struct work *work = calloc(1, sizeof(*work));
    uint32_t version = 0;
    size_t size = 0;
    enum sr_store_result result =
        work == NULL ? SR_STORE_FAILED
                     : decode(text, kind, work->sealed, &version, &size);
    struct sr_identity bound;

    if (result == SR_STORE_OK && version <= BY_ACCOUNT && id == NULL)
        result = SR_STORE_VERSION;
    if (result == SR_STORE_OK) {
        bound = bound_to(version, id, name);
        if (sr_unseal_image(key, &bound, work->sealed,
                            image_size(size) + SR_SEAL_EXTRA,
                            &work->image) != 0)
            result = SR_STORE_SEALED;
    }
    /* Its room was zero: so is what an older version has not. */
    if (result == SR_STORE_OK &&
        (work->image.size != size ||
         sr_account_file_size(kind, work->image.version) != size ||
         !kind->is_sound(work->image.body)))
        result = SR_STORE_SEALED;
    if (result == SR_STORE_OK)
        memcpy(body, work->image.body, kind->size);
    discard(work);
    return result;
}

enum sr_store_result
sr_shared_read(const uint8_t key[SR_SEAL_KEY],
               const struct sr_account_file *kind, const struct sr_identity *id,
               const char *text, void *body)
{
    char name[SR_RECORD_ID_SIZE];

    return name_record(key, id, name)
               ? open_text(key, kind, id, name, text, body)
               : SR_STORE_SEALED;
}

/* ---- one record */

struct access {
    const struct sr_account_file *kind;
    const struct sr_transaction *txn;
    struct sr_identity id;
    struct sr_backend backend;
    uint8_t key[SR_SEAL_KEY];
    struct sr_record_request record;
    char fresh[SR_RECORD_ID_SIZE]; /* of the last try to write; empty: none */
    struct sr_error error;
};

static bool
find(const struct sr_config *config, const char *name,
     struct sr_backend *backend)
{
    struct sr_error error;

    return config->reset.store == SR_RESET_STORE_LDAP &&
           sr_backend_find(config, name, backend, &error) == 0 &&
           backend->config != NULL && backend->config->reset_base != NULL &&
           backend->ops->record != NULL;
}

bool
sr_shared_is(const struct sr_config *config, const char *backend)
{
    struct sr_backend found;

    return find(config, backend, &found);
}

static void
random_id(char id[SR_RECORD_ID_SIZE])
{
    uint8_t bytes[SR_RECORD_ID_SIZE / 2];

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2hex(id, SR_RECORD_ID_SIZE, bytes, sizeof(bytes));
}

static enum sr_store_result
fail(struct access *access, enum sr_store_result result)
{
    const bool is_away = result == SR_STORE_AWAY;

    if (!is_away && !sr_error_has_text(&access->error))
        sr_error_set(&access->error, SR_ERROR_OTHER, "cn=%s,%s: %s",
                     access->record.id, access->backend.config->reset_base,
                     sr_store_strerror(result));
    sr_transaction_event(access->txn,
                         is_away ? SR_EVENT_BACKEND_DOWN : SR_EVENT_UNSEAL,
                         "failed", sr_error_text(&access->error), -1);
    return result;
}

/* Find the directory, the key and the name of the record. */
static enum sr_store_result
enter(struct sr_store *store, const struct sr_account_file *kind,
      const struct sr_transaction *txn, struct access *access)
{
    memset(access, 0, sizeof(*access));
    access->kind = kind;
    access->txn = txn;
    access->id = sr_transaction_identity(txn);
    if (!find(txn->config, access->id.backend, &access->backend))
        return SR_STORE_FAILED;
    if (sr_seal_key(store, txn->config->reset.seal_file, false, access->key,
                    &access->error) != 0 ||
        !name_record(access->key, &access->id, access->record.id))
        return fail(access, SR_STORE_SEALED);
    return SR_STORE_OK;
}

static void
leave(struct access *access)
{
    explicit_bzero(access, sizeof(*access));
}

static enum sr_status
ask(struct access *access, const char *fresh, const char *text)
{
    struct sr_call call =
        sr_call_make(&access->backend, access->txn->connections);
    enum sr_status status;

    access->record.fresh = fresh;
    access->record.fresh_text = text;
    status = sr_backend_record(&call, &access->record);
    access->error = call.error;
    return status;
}

/* Read it as it is.  NOT_FOUND: zeros. */
static enum sr_store_result
read_record(struct access *access, void *body)
{
    enum sr_store_result result = SR_STORE_NOT_FOUND;

    memset(body, 0, access->kind->size);
    if (ask(access, NULL, NULL) != SR_STATUS_OK)
        return fail(access, SR_STORE_AWAY);
    if (access->record.text != NULL)
        result = sr_shared_read(access->key, access->kind, &access->id,
                                access->record.text, body);
    free(access->record.text);
    access->record.text = NULL;
    return result == SR_STORE_OK || result == SR_STORE_NOT_FOUND
               ? result
               : fail(access, result);
}

/* NOT_FOUND: another host was quicker, or this one was and the answer got
 * lost. */
static enum sr_store_result
write_record(struct access *access, const void *body)
{
    char *text = sr_shared_write(access->key, access->kind, &access->id, body);
    enum sr_status status;

    if (text == NULL)
        return SR_STORE_FAILED;
    random_id(access->fresh);
    status = ask(access, access->fresh, text);
    free(text);
    if (status == SR_STATUS_OK)
        return SR_STORE_OK;
    return status == SR_STATUS_UNKNOWN_NAME ? SR_STORE_NOT_FOUND
                                            : fail(access, SR_STORE_AWAY);
}

static void
set_time(struct sr_store *store, struct sr_account_time *time)
{
    const sr_time wall = sr_store_clock(store)->wall;

    *time = (struct sr_account_time){.now = wall, .wall = wall};
}

enum sr_store_result
sr_shared_get(struct sr_store *store, const struct sr_account_file *kind,
              const struct sr_transaction *txn, void *body,
              struct sr_account_time *time)
{
    struct access access;
    enum sr_store_result result = enter(store, kind, txn, &access);

    memset(body, 0, kind->size);
    set_time(store, time);
    if (result == SR_STORE_OK)
        result = read_record(&access, body);
    leave(&access);
    return result;
}

/* One round of a change.  NOT_FOUND: it has to be made anew. */
static enum sr_store_result
change_once(struct sr_store *store, struct access *access, void *body,
            bool (*change)(void *context, void *body,
                           const struct sr_account_time *time),
            void *context)
{
    enum sr_store_result result = read_record(access, body);
    struct sr_account_time time;

    if (result != SR_STORE_OK && result != SR_STORE_NOT_FOUND)
        return result;
    if (access->fresh[0] != '\0' &&
        strcmp(access->fresh, access->record.version) == 0)
        return SR_STORE_OK;
    set_time(store, &time);
    return change(context, body, &time) ? write_record(access, body)
                                        : SR_STORE_OK;
}

enum sr_store_result
sr_shared_change(struct sr_store *store, const struct sr_account_file *kind,
                 const struct sr_transaction *txn, void *body,
                 bool (*change)(void *context, void *body,
                                const struct sr_account_time *time),
                 void *context)
{
    struct access access;
    enum sr_store_result result = enter(store, kind, txn, &access);

    if (result == SR_STORE_OK)
        result = SR_STORE_NOT_FOUND;
    for (int i = 0; i < TRIES && result == SR_STORE_NOT_FOUND; i++)
        result = change_once(store, &access, body, change, context);
    if (result == SR_STORE_NOT_FOUND) /* others were quicker each time */
        result = SR_STORE_BUSY;
    explicit_bzero(body, kind->size);
    leave(&access);
    return result;
}

enum sr_store_result
sr_shared_drop(struct sr_store *store, const struct sr_transaction *txn)
{
    struct access access;
    enum sr_store_result result = enter(store, NULL, txn, &access);

    if (result == SR_STORE_OK && ask(&access, "", NULL) != SR_STATUS_OK)
        result = fail(&access, SR_STORE_AWAY);
    leave(&access);
    return result;
}

bool
sr_shared_can_ask(const struct sr_config *config,
                  struct sr_connections *connections, const char *backend,
                  struct sr_error *error)
{
    struct sr_record_request request = {.version = ""};
    struct sr_backend found;
    struct sr_call call;
    enum sr_status status;

    if (!find(config, backend, &found))
        return true;
    random_id(request.id);
    call = sr_call_make(&found, connections);
    status = sr_backend_record(&call, &request);
    free(request.text);
    *error = call.error;
    return status == SR_STATUS_OK;
}

/* ---- all records */

struct pass {
    uint8_t key[SR_SEAL_KEY];
    const struct sr_account_file *kind;
    void *body;
    void (*visit)(void *context, enum sr_store_result result, const void *body);
    void *context;
    unsigned count;
};

static bool
pass_on(void *context, const char *id, const char *text)
{
    struct pass *pass = context;

    if (pass->count++ == COUNT_MAX)
        return false;
    pass->visit(pass->context,
                open_text(pass->key, pass->kind, NULL, id, text, pass->body),
                pass->body);
    return true;
}

bool
sr_shared_each(struct sr_store *store, const struct sr_account_file *kind,
               const struct sr_config *config, const char *backend, void *body,
               void (*visit)(void *context, enum sr_store_result result,
                             const void *body),
               void *context, struct sr_error *error)
{
    struct pass pass = {
        .kind = kind, .body = body, .visit = visit, .context = context};
    struct sr_records_request request = {pass_on, &pass};
    struct sr_connections *connections;
    struct sr_backend found;
    struct sr_call call;
    bool is_done = false;

    if (!find(config, backend, &found))
        return true;
    connections = sr_connections_new();
    if (connections == NULL) {
        sr_error_set(error, SR_ERROR_OTHER, "out of memory");
    } else if (sr_seal_key(store, config->reset.seal_file, false, pass.key,
                           error) == 0) {
        call = sr_call_make(&found, connections);
        is_done = sr_backend_records(&call, &request) == SR_STATUS_OK;
        *error = call.error;
    }
    if (is_done && pass.count > COUNT_MAX) {
        sr_error_set(error, SR_ERROR_OTHER,
                     "%s has more than %d, of which no more are counted",
                     found.config->reset_base, COUNT_MAX);
        is_done = false;
    }
    explicit_bzero(&pass, sizeof(pass));
    explicit_bzero(body, kind->size);
    sr_connections_free(connections);
    return is_done;
}
