/*
 * Keytab: the file with the keys of this host.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_KRB5_KEYTAB_H
#define SR_POLICY_BACKEND_KRB5_KEYTAB_H

#include <krb5.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "policy/util/error.h"

/* The most principals of a keytab that are looked at. */
#define SR_KRB5_PRINCIPALS_MAX 16

/*
 * Open a keytab; `path` NULL: the system's.  NULL: it does not exist, or others
 * than root can read or write it, and `error` says so.
 */
krb5_keytab sr_krb5_keytab_open(krb5_context context, const char *path,
                                struct sr_error *error);

/* The path of its file, of `size` bytes at most.  KRB5_KT_NOWRITE: it is in
 * none. */
krb5_error_code sr_krb5_keytab_path(krb5_context context, krb5_keytab keytab,
                                    char *path, size_t size);

/* The status of its file, which changes with its keys.  False: it is in none.
 */
bool sr_krb5_keytab_status(krb5_context context, krb5_keytab keytab,
                           struct stat *status);

/*
 * Find the principal `name`, with or without a realm, or for NULL the first
 * one; those of `realm` (NULL: any) before others.  libkrb5 itself would look
 * up the realm of a name without one, in DNS too, without a deadline.  Returns
 * its error; *found is to be freed.
 */
krb5_error_code sr_krb5_keytab_find(krb5_context context, krb5_keytab keytab,
                                    const char *name, const char *realm,
                                    krb5_principal *found);

/*
 * The principals of a service ("host"), or for NULL of all, each once and at
 * most SR_KRB5_PRINCIPALS_MAX: those of `realm`, or where there is none, or for
 * NULL, those of any.  Returns how many; each is to be freed.
 */
size_t sr_krb5_keytab_principals(krb5_context context, krb5_keytab keytab,
                                 const char *service, const char *realm,
                                 krb5_principal *found);

/* The most numbers of keys that are looked at. */
#define SR_KRB5_KVNOS_MAX 2

/* The numbers of the keys of a principal, the newest first.  Returns how many.
 */
size_t sr_krb5_keytab_kvnos(krb5_context context, krb5_keytab keytab,
                            krb5_const_principal principal,
                            krb5_kvno found[SR_KRB5_KVNOS_MAX]);

/* A keytab in memory with the keys of a principal that have this number.  NULL:
 * out of memory.  To be closed. */
krb5_keytab sr_krb5_keytab_of_kvno(krb5_context context, krb5_keytab keytab,
                                   krb5_const_principal principal,
                                   krb5_kvno kvno);

/*
 * A keytab in memory with the newest keys of the first host/NAME, as keys of
 * the principal: an account of Active Directory has the same keys under all its
 * names.  NULL: the principal is not such an account (NAME$), there is no
 * host/NAME, it has the keys of the principal, or memory is out.  To be closed.
 */
krb5_keytab sr_krb5_keytab_of_names(krb5_context context, krb5_keytab keytab,
                                    krb5_const_principal principal);

#endif
