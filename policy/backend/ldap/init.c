/*
 * LDAP init: the first use of libldap in a process, which could otherwise take
 * longer than a login may.
 *
 * libldap initializes the library for SASL then, which loads every mechanism
 * that is installed: Kerberos, a database and another library for cryptography.
 * The mechanisms that are used here need none of it.  (A program that asks for
 * one of the others in the same process later finds none; none is known.)
 *
 * And it asks for the full name of this host, which only those mechanisms need.
 * Where no file has the name, the name servers are asked, with the timeouts of
 * resolv.conf(5).  The servers are in a structure of each thread,
 * which lists none for this moment.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/backend/ldap/init.h"

#ifdef HAVE_SASL
#include <pthread.h>
#include <sasl/sasl.h>
#include <stdlib.h>

/* Mutexes, for a program with threads that uses the library itself: the first
 * initialization decides for all. */
static void *
new_mutex(void)
{
    pthread_mutex_t *mutex = malloc(sizeof(*mutex));

    if (mutex != NULL)
        pthread_mutex_init(mutex, NULL);
    return mutex;
}

static int
lock_mutex(void *mutex)
{
    return pthread_mutex_lock(mutex) == 0 ? SASL_OK : SASL_FAIL;
}

static int
unlock_mutex(void *mutex)
{
    return pthread_mutex_unlock(mutex) == 0 ? SASL_OK : SASL_FAIL;
}

static void
free_mutex(void *mutex)
{
    pthread_mutex_destroy(mutex);
    free(mutex);
}

/* Load no file as a mechanism. */
static int
refuse_file(void *context, const char *file, sasl_verify_type_t type)
{
    (void)context;
    (void)file;
    return type == SASL_VRFY_PLUGIN ? SASL_CONTINUE : SASL_OK;
}

/* An earlier initialization by the program stays as it is. */
static void
make_sasl_ready(void)
{
    static const sasl_callback_t callbacks[] = {
        {SASL_CB_VERIFYFILE, (int (*)(void))(uintptr_t)refuse_file, NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };

    sasl_set_mutex(new_mutex, lock_mutex, unlock_mutex, free_mutex);
    sasl_client_init(callbacks);
}
#else
static void
make_sasl_ready(void)
{
}
#endif

void
sr_ldap_first_use(void)
{
    bool has_servers = (_res.options & RES_INIT) != 0 || res_init() == 0;
    int servers = _res.nscount, version;

    make_sasl_ready();
    if (has_servers)
        _res.nscount = 0;
    ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version);
    if (has_servers)
        _res.nscount = servers;
}
