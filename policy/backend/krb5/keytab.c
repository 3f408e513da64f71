/*
 * Keytab: the file with the keys of this host.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/steps.h"
#include "policy/util/secret_file.h"

krb5_keytab
sr_krb5_keytab_open(krb5_context context, const char *path,
                    struct sr_error *error)
{
    krb5_keytab keytab = NULL;
    krb5_error_code code;
    char name[512];

    if (path != NULL)
        snprintf(name, sizeof(name), "FILE:%s", path);
    code = path != NULL ? krb5_kt_resolve(context, name, &keytab)
                        : krb5_kt_default(context, &keytab);
    if (code == 0)
        code = krb5_kt_get_name(context, keytab, name, sizeof(name));
    if (code != 0)
        sr_krb5_set_error(context, error, SR_ERROR_IDENTITY,
                          "the keytab (SR-5107)", code);
    else if (strncmp(name, "FILE:", 5) != 0 ||
             sr_secret_file_is_safe(name + 5, error))
        return keytab;
    else
        error->code = SR_ERROR_IDENTITY;
    if (keytab != NULL)
        krb5_kt_close(context, keytab);
    return NULL;
}

krb5_error_code
sr_krb5_keytab_path(krb5_context context, krb5_keytab keytab, char *path,
                    size_t size)
{
    char name[PATH_MAX + sizeof("FILE:")];
    krb5_error_code error =
        krb5_kt_get_name(context, keytab, name, sizeof(name));

    if (error == 0 && strncmp(name, "FILE:", 5) != 0)
        error = KRB5_KT_NOWRITE;
    if (error == 0)
        snprintf(path, size, "%s", name + 5);
    return error;
}

bool
sr_krb5_keytab_status(krb5_context context, krb5_keytab keytab,
                      struct stat *status)
{
    char path[PATH_MAX];

    return sr_krb5_keytab_path(context, keytab, path, sizeof(path)) == 0 &&
           stat(path, status) == 0;
}

/* Whether an entry is of the wanted principal, which may be NULL (any) and need
 * not have a realm. */
static bool
is_wanted(krb5_context context, krb5_const_principal wanted,
          krb5_const_principal entry)
{
    if (wanted == NULL)
        return true;
    return krb5_princ_realm(context, wanted)->length == 0
               ? krb5_principal_compare_any_realm(context, wanted, entry)
               : krb5_principal_compare(context, wanted, entry);
}

/* A realm is often written as DNS has the domain. */
static bool
is_of_realm(krb5_const_principal entry, const char *realm)
{
    const krb5_data *own = krb5_princ_realm(NULL, entry);

    return realm == NULL || (own->length == strlen(realm) &&
                             strncasecmp(own->data, realm, own->length) == 0);
}

static krb5_error_code
search(krb5_context context, krb5_keytab keytab, krb5_const_principal wanted,
       const char *realm, krb5_principal *found)
{
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    krb5_error_code error = krb5_kt_start_seq_get(context, keytab, &cursor);

    if (error != 0)
        return error;
    while (error == 0 && *found == NULL) {
        error = krb5_kt_next_entry(context, keytab, &entry, &cursor);
        if (error != 0)
            break;
        if (is_wanted(context, wanted, entry.principal) &&
            is_of_realm(entry.principal, realm))
            error = krb5_copy_principal(context, entry.principal, found);
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    return error == KRB5_KT_END ? KRB5_KT_NOTFOUND : error;
}

krb5_error_code
sr_krb5_keytab_find(krb5_context context, krb5_keytab keytab, const char *name,
                    const char *realm, krb5_principal *found)
{
    krb5_principal wanted = NULL;
    krb5_error_code error = 0;

    *found = NULL;
    if (name != NULL)
        error = krb5_parse_name_flags(context, name,
                                      strchr(name, '@') == NULL
                                          ? KRB5_PRINCIPAL_PARSE_NO_REALM
                                          : KRB5_PRINCIPAL_PARSE_REQUIRE_REALM,
                                      &wanted);
    if (error == 0)
        error = search(context, keytab, wanted, realm, found);
    if (error == KRB5_KT_NOTFOUND && realm != NULL)
        error = search(context, keytab, wanted, NULL, found);
    krb5_free_principal(context, wanted);
    return error;
}

/* Whether a principal is SERVICE/HOST. */
static bool
is_of_service(krb5_const_principal principal, const char *service)
{
    const krb5_data *first = krb5_princ_component(NULL, principal, 0);

    return service == NULL ||
           (krb5_princ_size(NULL, principal) == 2 &&
            first->length == strlen(service) &&
            memcmp(first->data, service, first->length) == 0);
}

static bool
is_among(krb5_context context, krb5_const_principal principal,
         const krb5_principal *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (krb5_principal_compare(context, principal, list[i]))
            return true;
    }
    return false;
}

static size_t
list_principals(krb5_context context, krb5_keytab keytab, const char *service,
                const char *realm, krb5_principal *found)
{
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    size_t count = 0;

    if (krb5_kt_start_seq_get(context, keytab, &cursor) != 0)
        return 0;
    while (count < SR_KRB5_PRINCIPALS_MAX &&
           krb5_kt_next_entry(context, keytab, &entry, &cursor) == 0) {
        if (is_of_service(entry.principal, service) &&
            is_of_realm(entry.principal, realm) &&
            !is_among(context, entry.principal, found, count) &&
            krb5_copy_principal(context, entry.principal, &found[count]) == 0)
            count++;
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    return count;
}

size_t
sr_krb5_keytab_principals(krb5_context context, krb5_keytab keytab,
                          const char *service, const char *realm,
                          krb5_principal *found)
{
    size_t count = list_principals(context, keytab, service, realm, found);

    if (count == 0 && realm != NULL)
        count = list_principals(context, keytab, service, NULL, found);
    return count;
}

/* ---- numbers of keys */

static void
note_kvno(krb5_kvno kvno, krb5_kvno found[SR_KRB5_KVNOS_MAX], size_t *count)
{
    size_t at = 0;

    while (at < *count && found[at] > kvno)
        at++;
    if (at == SR_KRB5_KVNOS_MAX || (at < *count && found[at] == kvno))
        return;
    if (*count < SR_KRB5_KVNOS_MAX)
        ++*count;
    for (size_t i = *count - 1; i > at; i--)
        found[i] = found[i - 1];
    found[at] = kvno;
}

size_t
sr_krb5_keytab_kvnos(krb5_context context, krb5_keytab keytab,
                     krb5_const_principal principal,
                     krb5_kvno found[SR_KRB5_KVNOS_MAX])
{
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    size_t count = 0;

    if (krb5_kt_start_seq_get(context, keytab, &cursor) != 0)
        return 0;
    while (krb5_kt_next_entry(context, keytab, &entry, &cursor) == 0) {
        if (krb5_principal_compare(context, entry.principal, principal))
            note_kvno(entry.vno, found, &count);
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    return count;
}

/* Add the keys of a principal that have a number to another keytab, as keys of
 * `owner`. */
static krb5_error_code
add_keys(krb5_context context, krb5_keytab keytab,
         krb5_const_principal principal, krb5_kvno kvno, krb5_principal owner,
         krb5_keytab made)
{
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    krb5_error_code error = krb5_kt_start_seq_get(context, keytab, &cursor);

    if (error != 0)
        return error;
    while (error == 0 &&
           krb5_kt_next_entry(context, keytab, &entry, &cursor) == 0) {
        krb5_keytab_entry copy = entry;

        copy.principal = owner;
        if (entry.vno == kvno &&
            krb5_principal_compare(context, entry.principal, principal))
            error = krb5_kt_add_entry(context, made, &copy);
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    return error;
}

/* The keys of one principal as those of `owner`, in memory. */
static krb5_keytab
make(krb5_context context, krb5_keytab keytab, krb5_const_principal principal,
     krb5_kvno kvno, krb5_const_principal owner)
{
    krb5_keytab made = NULL;
    krb5_principal name = NULL;
    char text[64];

    /* The name is of this process, in which no other thread has the context. */
    snprintf(text, sizeof(text), "MEMORY:selfreset-%p-%u", (void *)context,
             kvno);
    if (krb5_copy_principal(context, owner, &name) != 0 ||
        krb5_kt_resolve(context, text, &made) != 0)
        made = NULL;
    if (made != NULL &&
        add_keys(context, keytab, principal, kvno, name, made) != 0) {
        krb5_kt_close(context, made);
        made = NULL;
    }
    krb5_free_principal(context, name);
    return made;
}

krb5_keytab
sr_krb5_keytab_of_kvno(krb5_context context, krb5_keytab keytab,
                       krb5_const_principal principal, krb5_kvno kvno)
{
    return make(context, keytab, principal, kvno, principal);
}

/* ---- the keys of other names */

/* Whether two principals have the same key of a number. */
static bool
is_same_key(krb5_context context, krb5_keytab keytab, krb5_const_principal a,
            krb5_const_principal b, krb5_kvno kvno)
{
    krb5_keytab_entry one, other;
    bool is_same = false;

    if (krb5_kt_get_entry(context, keytab, a, kvno, 0, &one) != 0)
        return false;
    if (krb5_kt_get_entry(context, keytab, b, kvno, one.key.enctype, &other) ==
        0) {
        is_same =
            one.key.length == other.key.length &&
            memcmp(one.key.contents, other.key.contents, one.key.length) == 0;
        krb5_free_keytab_entry_contents(context, &other);
    }
    krb5_free_keytab_entry_contents(context, &one);
    return is_same;
}

static bool
is_machine(krb5_const_principal principal)
{
    const krb5_data *name = krb5_princ_component(NULL, principal, 0);

    return krb5_princ_size(NULL, principal) == 1 && name->length > 1 &&
           name->data[name->length - 1] == '$';
}

krb5_keytab
sr_krb5_keytab_of_names(krb5_context context, krb5_keytab keytab,
                        krb5_const_principal principal)
{
    krb5_principal found[SR_KRB5_PRINCIPALS_MAX];
    krb5_kvno kvno[SR_KRB5_KVNOS_MAX];
    krb5_keytab made = NULL;
    const krb5_data *own = krb5_princ_realm(context, principal);
    char realm[256];
    size_t count;

    if (!is_machine(principal))
        return NULL;
    snprintf(realm, sizeof(realm), "%.*s", (int)own->length, own->data);
    count = sr_krb5_keytab_principals(context, keytab, "host", realm, found);
    if (count > 0 &&
        sr_krb5_keytab_kvnos(context, keytab, found[0], kvno) > 0 &&
        !is_same_key(context, keytab, found[0], principal, kvno[0]))
        made = make(context, keytab, found[0], kvno[0], principal);
    for (size_t i = 0; i < count; i++)
        krb5_free_principal(context, found[i]);
    return made;
}
