/*
 * Count crypt: crypt_r(3) and crypt_gensalt_rn(3) in place of the library's.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <crypt.h>
#include <dlfcn.h>
#include <stdlib.h>

#include "count_crypt.h"

unsigned crypt_count;
const char *preferred_method;
unsigned long preferred_cost;

static void *
next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (found == NULL)
        abort();
    return found;
}

char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    char *(*real)(const char *, const char *, struct crypt_data *);
    char *hash;

    *(void **)&real = next("crypt_r");
    hash = real(phrase, setting, data);
    if (hash != NULL && hash[0] != '*')
        crypt_count++;
    return hash;
}

char *
crypt_gensalt_rn(const char *prefix, unsigned long count, const char *bytes,
                 int size, char *out, int out_size)
{
    char *(*real)(const char *, unsigned long, const char *, int, char *, int);

    *(void **)&real = next("crypt_gensalt_rn");
    if (prefix == NULL && preferred_method != NULL) {
        prefix = preferred_method;
        count = preferred_cost;
    }
    return real(prefix, count, bytes, size, out, out_size);
}
