/*
 * LDAP ready: the first use of libldap in a process.
 *
 * libldap looks at the environment of its process then, which is the user's in
 * a set-user-ID program.  And it makes the library for SASL ready, which loads
 * every mechanism that is installed: Kerberos, a database and another library
 * for cryptography, all of which take longer than the login itself.  The
 * mechanisms that are used here need none of it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

#include "policy/backend/ldap_link.h"

#ifdef HAVE_SASL
#include <sasl/sasl.h>
#include <stdlib.h>

/* What a program that uses the library itself is to find when it has threads:
 * the first who makes it ready chooses for all. */
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

/* No file is let in as a mechanism. */
static int
refuse_file(void *context, const char *file, sasl_verify_type_t type)
{
    (void)context;
    (void)file;
    return type == SASL_VRFY_PLUGIN ? SASL_CONTINUE : SASL_OK;
}

/* Whoever has made the library ready before is not disturbed. */
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

/*
 * The environment is not changed, for another thread may be reading it: for
 * this moment there is another one.  A thread that changes it in this moment
 * changes the wrong one, so there is only one such moment.
 */
static void
make_ready_once(void)
{
    static char quiet[] = "LDAPNOINIT=1";
    static char *const nothing[] = {quiet, NULL};
    char **environment = environ;
    int version;

    environ = (char **)(uintptr_t)nothing;
    make_sasl_ready();
    ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version);
    environ = environment;
}

void
sr_ldap_make_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_ready_once);
}
