/*
 * Language: in which language the calls of the module speak.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "pam/language.h"
#include "policy/util/error.h"
#include "policy/util/words.h"

#define NAME_SIZE 128

bool
sr_language_is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_.@:-";

    return name != NULL && strlen(name) < NAME_SIZE &&
           name[strspn(name, letters)] == '\0' && strstr(name, "..") == NULL;
}

static bool
is_plain(const char *locale)
{
    return strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0;
}

/* The locale of the handle's environment, or NULL. */
static const char *
find_name(pam_handle_t *pamh)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *name = NULL;

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]) &&
                       (name == NULL || name[0] == '\0');
         i++)
        name = pam_getenv(pamh, variables[i]);
    return sr_language_is_name(name) && name[0] != '\0' ? name : NULL;
}

void
sr_language_begin(struct sr_language *language, pam_handle_t *pamh)
{
    const char *name = NULL;

    language->application = uselocale((locale_t)0);
    language->own = (locale_t)0;
    bindtextdomain(SR_WORDS, SR_LOCALEDIR);
    if (is_plain(nl_langinfo(_NL_LOCALE_NAME(LC_MESSAGES))))
        name = find_name(pamh);
    if (name != NULL && !is_plain(name))
        language->own = newlocale(
            LC_MESSAGES_MASK | LC_CTYPE_MASK | LC_TIME_MASK, name, (locale_t)0);
    uselocale(language->own);
    if (!SR_WORDS_FIT && !is_plain(nl_langinfo(_NL_LOCALE_NAME(LC_MESSAGES)))) {
        uselocale(sr_english());
        if (language->own != (locale_t)0)
            freelocale(language->own);
        language->own = sr_english(); /* freelocale(3) leaves it as it is */
    }
}

void
sr_language_end(struct sr_language *language)
{
    uselocale(language->application);
    if (language->own != (locale_t)0)
        freelocale(language->own);
}

void
sr_language_put(struct sr_wire *wire)
{
    sr_wire_put_text(wire, SR_WIRE_LOCALE,
                     nl_langinfo(_NL_LOCALE_NAME(LC_MESSAGES)));
    sr_wire_put_text(wire, SR_WIRE_LANGUAGE, secure_getenv("LANGUAGE"));
}
