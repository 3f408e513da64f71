/*
 * Rotate: new keys for this host's own account, in the keytab before the KDC
 * has them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "policy/backend/krb5/change.h"
#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/rotate.h"
#include "policy/backend/krb5/steps.h"
#include "policy/backend/krb5/trust.h"
#include "policy/util/io.h"
#include "policy/util/replace_file.h"
#include "policy/util/safe_open.h"
#include "policy/util/secret_file.h"

#define KEYTAB_MAX ((size_t)256 << 10)

struct rotation {
    struct sr_krb5_session *session;
    krb5_principal client;
    char path[PATH_MAX], aside[PATH_MAX + 16];
    char pending[PATH_MAX + 32]; /* the file with the password */
    krb5_keytab before;          /* what the file had, in memory */
    krb5_kvno used;              /* of the keys there that the KDC has */
    krb5_principal *own;         /* names of the account */
    size_t own_count;
    struct sr_krb5_etypes etypes;
    krb5_kvno fresh; /* of the new keys */
    uint8_t *bytes;  /* KEYTAB_MAX bytes, of which `size` are in use */
    size_t size;
    bool is_cut;
    bool is_pending; /* an earlier rotation has made the password, */
    bool is_taken;   /* and the KDC has it */
    char secret[SR_KRB5_SECRET_SIZE];
};

bool
sr_krb5_secret_make(char secret[SR_KRB5_SECRET_SIZE])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                  "stuvwxyz0123456789-_";
    static const char kinds[] = "Aa1.";
    uint8_t random[43];
    size_t at = sizeof(kinds) - 1;

    memcpy(secret, kinds, at);
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return false;
    for (size_t i = 0; i < sizeof(random); i++)
        secret[at++] = letters[random[i] & 63];
    secret[at] = '\0';
    explicit_bzero(random, sizeof(random));
    return true;
}

int
sr_krb5_secret_write(const char *secret, const char *aside, const char *path,
                     const char *like)
{
    int fd, error;

    unlink(aside); /* it may have the mode of another file */
    fd = sr_safe_open(aside, O_WRONLY | O_CREAT | O_TRUNC, NULL);
    error = fd < 0 ? fd : sr_write_all(fd, secret, strlen(secret));
    if (error == 0)
        error = sr_write_all(fd, "\n", 1);
    if (fd >= 0)
        close(fd);
    if (error == 0)
        error = sr_replace_file(aside, path, like);
    if (error != 0)
        unlink(aside);
    return error;
}

bool
sr_krb5_secret_read(const char *path, char secret[SR_KRB5_SECRET_SIZE],
                    bool *is_there, struct sr_error *error)
{
    __attribute__((cleanup(sr_secret_file_free))) char *found = NULL;

    *is_there = access(path, F_OK) == 0;
    if (!*is_there)
        return true;
    found = sr_secret_file_read(path, error);
    if (found == NULL)
        return false;
    if (strlen(found) >= SR_KRB5_SECRET_SIZE) {
        sr_error_set(error, SR_ERROR_OTHER, "%s: %s", path, strerror(EMSGSIZE));
        return false;
    }
    strcpy(secret, found);
    return true;
}

bool
sr_krb5_secret_may_write(const char *path, struct sr_error *error)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];

    snprintf(directory, sizeof(directory), "%.*s",
             slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    if (access(directory, W_OK) == 0)
        return true;
    sr_error_set(error, SR_ERROR_OTHER, "%s: %s", directory, strerror(errno));
    return false;
}

static bool
fail(struct rotation *rotation, const char *what, krb5_error_code code)
{
    sr_krb5_set_error(rotation->session->context, rotation->session->error,
                      SR_ERROR_OTHER, what, code);
    return false;
}

/* ---- what there is */

static krb5_error_code
copy_keytab(krb5_context context, krb5_keytab from, krb5_keytab to)
{
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    krb5_error_code error = krb5_kt_start_seq_get(context, from, &cursor);

    if (error != 0)
        return error;
    while (error == 0) {
        error = krb5_kt_next_entry(context, from, &entry, &cursor);
        if (error != 0)
            break;
        error = krb5_kt_add_entry(context, to, &entry);
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, from, &cursor);
    return error == KRB5_KT_END ? 0 : error;
}

/* The file, and what it has. */
static bool
read_keytab(struct rotation *rotation)
{
    struct sr_krb5_session *session = rotation->session;
    krb5_context context = session->context;
    krb5_error_code error;

    if (session->keytab == NULL) {
        *session->error = session->keytab_error;
        return false;
    }
    error = sr_krb5_keytab_path(context, session->keytab, rotation->path,
                                sizeof(rotation->path));
    if (error == 0) {
        snprintf(rotation->aside, sizeof(rotation->aside), "%s.selfreset",
                 rotation->path);
        snprintf(rotation->pending, sizeof(rotation->pending),
                 "%s.selfreset-secret", rotation->path);
        error = krb5_kt_resolve(context, "MEMORY:selfreset-rotate",
                                &rotation->before);
    }
    if (error == 0)
        error = copy_keytab(context, session->keytab, rotation->before);
    if (error == 0)
        error = sr_krb5_keytab_find(context, session->keytab,
                                    session->config->principal, session->realm,
                                    &rotation->client);
    return error == 0 || fail(rotation, "the keytab", error);
}

/* Whether a principal has the key of the account. */
static bool
has_key(struct rotation *rotation, krb5_const_principal principal)
{
    krb5_context context = rotation->session->context;
    krb5_keytab_entry theirs, ours;
    bool is_same = false;

    if (krb5_kt_get_entry(context, rotation->before, principal, rotation->used,
                          0, &theirs) != 0)
        return false;
    if (krb5_kt_get_entry(context, rotation->before, rotation->client,
                          rotation->used, theirs.key.enctype, &ours) == 0) {
        is_same = theirs.key.length == ours.key.length &&
                  memcmp(theirs.key.contents, ours.key.contents,
                         ours.key.length) == 0;
        krb5_free_keytab_entry_contents(context, &ours);
    }
    krb5_free_keytab_entry_contents(context, &theirs);
    return is_same;
}

static bool
is_own(const struct rotation *rotation, krb5_const_principal principal)
{
    for (size_t i = 0; i < rotation->own_count; i++) {
        if (krb5_principal_compare(rotation->session->context, principal,
                                   rotation->own[i]))
            return true;
    }
    return false;
}

/* The names of the account: others in the file are of other accounts. */
static krb5_error_code
add_own(struct rotation *rotation, krb5_const_principal principal)
{
    krb5_principal *own;

    if (is_own(rotation, principal) || !has_key(rotation, principal))
        return 0;
    own = reallocarray(rotation->own, rotation->own_count + 1, sizeof(*own));
    if (own == NULL)
        return ENOMEM;
    rotation->own = own;
    own += rotation->own_count;
    if (krb5_copy_principal(rotation->session->context, principal, own) != 0)
        return ENOMEM;
    rotation->own_count++;
    return 0;
}

static bool
find_own(struct rotation *rotation)
{
    krb5_context context = rotation->session->context;
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    krb5_error_code error = add_own(rotation, rotation->client);

    if (error == 0 && rotation->own_count == 0)
        error = KRB5_KT_NOTFOUND;
    if (error == 0)
        error = krb5_kt_start_seq_get(context, rotation->before, &cursor);
    if (error != 0)
        return fail(rotation, rotation->path, error);
    while (error == 0) {
        error = krb5_kt_next_entry(context, rotation->before, &entry, &cursor);
        if (error != 0)
            break;
        error = add_own(rotation, entry.principal);
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, rotation->before, &cursor);
    return error == KRB5_KT_END || fail(rotation, rotation->path, error);
}

/* ---- what the KDC has */

/* A ticket by a password, or NULL: by the keytab; for a change, or NULL: for
 * other tickets. */
static enum sr_krb5_answer
get_ticket(struct rotation *rotation, const char *service, const char *password,
           krb5_creds *creds)
{
    struct sr_krb5_session *session = rotation->session;
    const struct sr_krb5_wish wish = {
        .client = rotation->client,
        .service = service,
        .password = password,
        .keytab = password == NULL ? session->keytab : NULL};
    struct sr_krb5_initial initial;
    enum sr_krb5_answer answer;

    sr_krb5_initial_get(&session->kdcs, &wish, &initial);
    answer = initial.answer;
    if (password == NULL)
        rotation->used = initial.kvno;
    krb5_free_cred_contents(session->context, creds);
    *creds = initial.creds;
    memset(&initial.creds, 0, sizeof(initial.creds));
    if (answer == SR_KRB5_WRONG && password == NULL)
        sr_krb5_set_error(session->context, session->error, SR_ERROR_IDENTITY,
                          "the keytab (SR-5004)", KRB5KDC_ERR_PREAUTH_FAILED);
    sr_krb5_initial_free(session->context, &initial);
    return answer;
}

/* The number of the account's key, by a ticket for one of its names, which is
 * asked for by a password, or NULL: by the keytab.  False: no ticket was given,
 * and the error says why. */
static bool
find_kvno(struct rotation *rotation, const char *password, krb5_kvno *kvno)
{
    struct sr_krb5_session *session = rotation->session;
    krb5_creds tgt;
    bool is_found = false;

    memset(&tgt, 0, sizeof(tgt));
    if (get_ticket(rotation, NULL, password, &tgt) == SR_KRB5_TICKET) {
        for (size_t i = 0; i < rotation->own_count && !is_found; i++)
            is_found =
                sr_krb5_trust_kvno(session, &tgt, rotation->own[i], kvno);
    }
    krb5_free_cred_contents(session->context, &tgt);
    return is_found;
}

/* Whether the KDC has the password that the new keys are of. */
static enum sr_krb5_answer
try_secret(struct rotation *rotation)
{
    const struct sr_error why = *rotation->session->error;
    enum sr_krb5_answer answer;
    krb5_creds tgt;

    memset(&tgt, 0, sizeof(tgt));
    answer = get_ticket(rotation, NULL, rotation->secret, &tgt);
    krb5_free_cred_contents(rotation->session->context, &tgt);
    if (answer == SR_KRB5_TICKET || answer == SR_KRB5_WRONG)
        *rotation->session->error = why;
    return answer;
}

static struct sr_krb5_etype *
etype_of(struct sr_krb5_etypes *etypes, int32_t etype)
{
    for (size_t i = 0; i < etypes->count; i++) {
        if (etypes->of[i].etype == etype)
            return &etypes->of[i];
    }
    return NULL;
}

/* Some KDCs name the best type only; of AES they have both. */
static void
add_aes(struct sr_krb5_etypes *etypes)
{
    const struct sr_krb5_etype *known =
        etype_of(etypes, ENCTYPE_AES256_CTS_HMAC_SHA1_96);
    const int32_t other = ENCTYPE_AES128_CTS_HMAC_SHA1_96;

    if (known == NULL || etype_of(etypes, other) != NULL ||
        etypes->count == SR_KRB5_ETYPES_MAX)
        return;
    etypes->of[etypes->count] = *known;
    etypes->of[etypes->count++].etype = other;
}

/* What keys are made with. */
static bool
find_etypes(struct rotation *rotation)
{
    struct sr_krb5_session *session = rotation->session;
    const struct sr_krb5_wish wish = {.client = rotation->client};
    struct sr_krb5_initial initial;

    sr_krb5_initial_get(&session->kdcs, &wish, &initial);
    rotation->etypes = initial.etypes;
    add_aes(&rotation->etypes);
    sr_krb5_initial_free(session->context, &initial);
    if (rotation->etypes.count > 0)
        return true;
    if (!sr_error_has_text(session->error))
        sr_error_set(session->error, SR_ERROR_OTHER,
                     "Kerberos: the KDC does not say what keys are made with");
    return false;
}

/* How long a change may need until every KDC has it. */
#define REPLICATION (24 * 3600)

/*
 * Whether the keytab has keys that were made lately, and after those that the
 * KDC knows: another KDC has them.  A change here would be one beside that, and
 * the domain keeps one of the two, as it likes; a keytab has one key of each
 * number.
 */
static bool
is_ahead(struct rotation *rotation)
{
    krb5_context context = rotation->session->context;
    const int64_t now = time(NULL);
    bool is_newer = false;
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;

    if (krb5_kt_start_seq_get(context, rotation->before, &cursor) != 0)
        return false;
    while (!is_newer && krb5_kt_next_entry(context, rotation->before, &entry,
                                           &cursor) == 0) {
        /* Seconds as unsigned 32 bits, since 2038. */
        is_newer = is_own(rotation, entry.principal) &&
                   entry.vno > rotation->used &&
                   llabs(now - (uint32_t)entry.timestamp) < REPLICATION;
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, rotation->before, &cursor);
    return is_newer;
}

/* A rotation that an earlier one has not begun needs a KDC that is not behind
 * the keytab. */
static bool
may_begin(struct rotation *rotation)
{
    if (rotation->is_pending || !is_ahead(rotation))
        return true;
    sr_error_set(rotation->session->error, SR_ERROR_OTHER,
                 "Kerberos: the KDC does not have the newest keys of %s yet; "
                 "rotate again when it has",
                 rotation->path);
    return false;
}

/* ---- the new file */

/* Whether a type of key is left out: RC4 beside AES. */
static bool
is_left_out(struct rotation *rotation, int32_t etype)
{
    return !krb5_c_valid_enctype(etype) ||
           (etype == ENCTYPE_ARCFOUR_HMAC &&
            etype_of(&rotation->etypes, ENCTYPE_AES256_CTS_HMAC_SHA1_96) !=
                NULL);
}

/* The file as bytes: its format is that of libkrb5, of which version 2 has all
 * numbers in network order. */
static void
put(struct rotation *rotation, const void *bytes, size_t size)
{
    if (size <= KEYTAB_MAX - rotation->size) {
        memcpy(rotation->bytes + rotation->size, bytes, size);
        rotation->size += size;
    } else {
        rotation->is_cut = true;
    }
}

static void
put_number(struct rotation *rotation, uint64_t number, size_t size)
{
    uint8_t bytes[4];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    put(rotation, bytes, size);
}

static void
put_data(struct rotation *rotation, const void *bytes, size_t size)
{
    put_number(rotation, size, 2);
    put(rotation, bytes, size);
}

static void
put_entry(struct rotation *rotation, const krb5_keytab_entry *entry)
{
    krb5_const_principal name = entry->principal;
    const size_t begin = rotation->size;
    size_t end;

    put_number(rotation, 0, 4);
    put_number(rotation, (uint64_t)name->length, 2);
    put_data(rotation, name->realm.data, name->realm.length);
    for (krb5_int32 i = 0; i < name->length; i++)
        put_data(rotation, name->data[i].data, name->data[i].length);
    put_number(rotation, (uint32_t)name->type, 4);
    put_number(rotation, (uint32_t)entry->timestamp, 4);
    put_number(rotation, entry->vno, 1);
    put_number(rotation, (uint32_t)entry->key.enctype, 2);
    put_data(rotation, entry->key.contents, entry->key.length);
    put_number(rotation, entry->vno, 4);
    end = rotation->size;
    rotation->size = begin;
    put_number(rotation, end - begin - 4, 4);
    rotation->size = end;
}

/* One new key under all names of the account. */
static krb5_error_code
put_key(struct rotation *rotation, const struct sr_krb5_etype *etype)
{
    krb5_context context = rotation->session->context;
    const krb5_data text = {.length = (unsigned)strlen(rotation->secret),
                            .data = rotation->secret};
    const krb5_data salt = {.length = (unsigned)etype->size,
                            .data = (char *)(uintptr_t)etype->salt};
    const krb5_data params = {.length = (unsigned)etype->params_size,
                              .data = (char *)(uintptr_t)etype->params};
    krb5_keytab_entry entry = {.vno = rotation->fresh,
                               .timestamp = (krb5_timestamp)time(NULL)};
    krb5_error_code error = krb5_c_string_to_key_with_params(
        context, etype->etype, &text, &salt,
        params.length == 0 ? NULL : &params, &entry.key);

    for (size_t i = 0; i < rotation->own_count && error == 0; i++) {
        entry.principal = rotation->own[i];
        put_entry(rotation, &entry);
    }
    krb5_free_keyblock_contents(context, &entry.key);
    return error;
}

/* Whether a key stays: all of other accounts, and of this one those in use;
 * while it is not known what the KDC has, those that are not written anew. */
static bool
is_kept(const struct rotation *rotation, const krb5_keytab_entry *entry)
{
    if (!is_own(rotation, entry->principal))
        return true;
    if (rotation->is_pending && entry->vno != rotation->fresh)
        return true;
    return entry->vno == rotation->used && !rotation->is_taken;
}

static krb5_error_code
put_kept(struct rotation *rotation)
{
    krb5_context context = rotation->session->context;
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    krb5_error_code error =
        krb5_kt_start_seq_get(context, rotation->before, &cursor);

    if (error != 0)
        return error;
    while ((error = krb5_kt_next_entry(context, rotation->before, &entry,
                                       &cursor)) == 0) {
        if (is_kept(rotation, &entry))
            put_entry(rotation, &entry);
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, rotation->before, &cursor);
    return error == KRB5_KT_END ? 0 : error;
}

/* Put the bytes in place.  Returns 0 or a negative errno. */
static int
replace(struct rotation *rotation)
{
    int fd = sr_safe_open(rotation->aside, O_WRONLY | O_CREAT | O_TRUNC, NULL);
    int error = fd < 0 ? fd : 0;

    if (error == 0)
        error = sr_write_all(fd, rotation->bytes, rotation->size);
    if (fd >= 0)
        close(fd);
    if (error == 0)
        error =
            sr_replace_file(rotation->aside, rotation->path, rotation->path);
    if (error != 0)
        unlink(rotation->aside);
    return error;
}

/* Write the file anew, with or without new keys. */
static bool
write_keytab(struct rotation *rotation, bool has_new)
{
    static const uint8_t version[] = {5, 2};
    krb5_error_code error;

    rotation->size = 0;
    rotation->is_cut = false;
    put(rotation, version, sizeof(version));
    error = put_kept(rotation);
    for (size_t i = 0; has_new && i < rotation->etypes.count && error == 0; i++)
        if (!is_left_out(rotation, rotation->etypes.of[i].etype))
            error = put_key(rotation, &rotation->etypes.of[i]);
    if (error == 0 && rotation->is_cut)
        error = EFBIG;
    if (error == 0)
        error = -replace(rotation);
    return error == 0 || fail(rotation, rotation->path, error);
}

/* ---- the rotation */

/* Tickets by what the KDC has: the keys in use, or the password that an earlier
 * rotation has left. */
static bool
get_tickets(struct rotation *rotation)
{
    struct sr_krb5_session *session = rotation->session;
    enum sr_krb5_answer answer;

    if (rotation->is_pending) {
        answer = try_secret(rotation);
        rotation->is_taken = answer == SR_KRB5_TICKET;
        if (!rotation->is_taken && answer != SR_KRB5_WRONG)
            return false;
    }
    answer = get_ticket(rotation, SR_KRB5_CHANGEPW, NULL, &session->changepw);
    return answer == SR_KRB5_TICKET ||
           (answer == SR_KRB5_WRONG && rotation->is_taken);
}

/* Find out all that the new keys need. */
static bool
prepare(struct rotation *rotation)
{
    krb5_kvno kvno;

    rotation->bytes = calloc(1, KEYTAB_MAX);
    if (rotation->bytes == NULL)
        return fail(rotation, "the keytab", ENOMEM);
    if (!read_keytab(rotation) ||
        !sr_krb5_secret_read(rotation->pending, rotation->secret,
                             &rotation->is_pending, rotation->session->error) ||
        !get_tickets(rotation) || !find_own(rotation) || !may_begin(rotation) ||
        !find_etypes(rotation) ||
        !find_kvno(rotation, rotation->is_taken ? rotation->secret : NULL,
                   &kvno))
        return false;
    rotation->fresh = rotation->is_taken ? kvno : kvno + 1;
    if (rotation->is_pending || sr_krb5_secret_make(rotation->secret))
        return true;
    return fail(rotation, "no random numbers", EIO);
}

/* The password in its file, and its keys in the keytab. */
static bool
write_files(struct rotation *rotation)
{
    int error = 0;

    if (!rotation->is_pending)
        error = sr_krb5_secret_write(rotation->secret, rotation->aside,
                                     rotation->pending, rotation->aside);
    if (error != 0)
        return fail(rotation, rotation->pending, -error);
    if (write_keytab(rotation, true))
        return true;
    if (!rotation->is_pending)
        unlink(rotation->pending);
    return false;
}

/* Have the KDC take the password: it is the one that the new keys are of. */
static enum sr_write
send_password(struct rotation *rotation, bool *is_final)
{
    struct sr_krb5_session *session = rotation->session;
    struct sr_account account = {0};
    enum sr_refusal refusal = SR_REFUSAL_OTHER;
    enum sr_write written = SR_WRITE_FAILED;
    krb5_error_code error =
        krb5_unparse_name(session->context, rotation->client, &account.entry);

    *is_final = true;
    if (error == 0)
        written = sr_krb5_change_by_ticket(session, &account, rotation->secret,
                                           &refusal, is_final);
    else
        fail(rotation, "the name", error);
    free(account.server_text);
    krb5_free_unparsed_name(session->context, account.entry);
    return written;
}

/*
 * The same, and what came of it.  Anybody can send a KRB-ERROR, and a KDC that
 * has not taken a change over refuses the new password: so the new keys are
 * withdrawn only where they were made for this try, the only server that they
 * were sent to has refused them under the session's key, and the KDC of its
 * host does not have them.
 */
static enum sr_write
set_password(struct rotation *rotation)
{
    enum sr_krb5_answer answer;
    bool is_final;
    enum sr_write written = send_password(rotation, &is_final);

    if (written == SR_WRITE_DONE)
        return written;
    if (!is_final)
        return SR_WRITE_UNSURE;
    if (written != SR_WRITE_REFUSED)
        return written;
    answer = try_secret(rotation);
    if (answer == SR_KRB5_TICKET)
        return SR_WRITE_DONE;
    if (answer == SR_KRB5_WRONG && !rotation->is_pending &&
        write_keytab(rotation, false))
        unlink(rotation->pending);
    return written;
}

/* Whether the KDC has the keys of the file, by the same number.  True: it has,
 * or the error says why not. */
static bool
is_proved(struct rotation *rotation)
{
    const krb5_kvno used = rotation->used;
    krb5_kvno kvno = rotation->fresh;
    const bool is_known = find_kvno(rotation, NULL, &kvno);
    const bool is_new = is_known && rotation->used == rotation->fresh;
    const bool is_same = kvno == rotation->fresh;

    rotation->used = used;
    if (is_new) /* one that takes the keys before knows an earlier number */
        rotation->fresh = kvno;
    return is_new && is_same;
}

/* The KDC has the password: see that it has the keys of the file.  A host that
 * was renamed has another salt from now on. */
static bool
prove(struct rotation *rotation)
{
    bool is_good = is_proved(rotation);

    /* Another salt first, which shows another number then. */
    for (int left = 2; left > 0 && !is_good; left--) {
        if (!find_etypes(rotation) || !write_keytab(rotation, true))
            break;
        is_good = is_proved(rotation);
    }
    if (is_good) {
        unlink(rotation->pending);
        return true;
    }
    if (!sr_error_has_text(rotation->session->error))
        sr_error_set(rotation->session->error, SR_ERROR_OTHER,
                     "Kerberos: the KDC does not have the new keys yet");
    return false;
}

static enum sr_write
try(struct rotation *rotation)
{
    return prepare(rotation) && sr_krb5_secret_may_write(
                                    rotation->path, rotation->session->error)
               ? SR_WRITE_DONE
               : SR_WRITE_FAILED;
}

static enum sr_write
rotate(struct rotation *rotation)
{
    enum sr_write written = SR_WRITE_DONE;
    struct sr_error why;

    if (!prepare(rotation) || !write_files(rotation))
        return SR_WRITE_FAILED;
    why = *rotation->session->error;
    if (!rotation->is_taken)
        written = set_password(rotation);
    if (written != SR_WRITE_DONE)
        return written;
    sr_error_clear(rotation->session->error);
    if (!prove(rotation))
        return SR_WRITE_UNSURE;
    *rotation->session->error = why;
    return written;
}

enum sr_write
sr_krb5_rotate(struct sr_krb5_session *session, bool is_trial)
{
    struct rotation rotation = {.session = session};
    const enum sr_write written = is_trial ? try(&rotation) : rotate(&rotation);

    for (size_t i = 0; i < rotation.own_count; i++)
        krb5_free_principal(session->context, rotation.own[i]);
    free(rotation.own);
    krb5_free_principal(session->context, rotation.client);
    if (rotation.before != NULL)
        krb5_kt_close(session->context, rotation.before);
    explicit_bzero(rotation.secret, sizeof(rotation.secret));
    if (rotation.bytes != NULL)
        explicit_bzero(rotation.bytes, KEYTAB_MAX);
    free(rotation.bytes);
    return written;
}
