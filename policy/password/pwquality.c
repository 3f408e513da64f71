/*
 * Pwquality: libpwquality and the host's settings for it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/password/pwquality.h"
#include "policy/util/words.h"

static bool
find_symbols(struct sr_pwquality_library *library)
{
    const struct {
        const char *name;
        void **at;
    } symbol[] = {
        {"pwquality_default_settings", (void **)&library->default_settings},
        {"pwquality_free_settings", (void **)&library->free_settings},
        {"pwquality_read_config", (void **)&library->read_config},
        {"pwquality_set_int_value", (void **)&library->set_int_value},
        {"pwquality_set_str_value", (void **)&library->set_str_value},
        {"pwquality_get_int_value", (void **)&library->get_int_value},
        {"pwquality_get_str_value", (void **)&library->get_str_value},
        {"pwquality_check", (void **)&library->check},
        {"pwquality_strerror", (void **)&library->strerror},
    };

    for (size_t i = 0; i < sizeof(symbol) / sizeof(symbol[0]); i++) {
        *symbol[i].at = dlsym(library->handle, symbol[i].name);
        if (*symbol[i].at == NULL)
            return false;
    }
    *(void **)&library->dictionary_check =
        dlsym(library->handle, "FascistCheckUser");
    *(void **)&library->default_dictionary =
        dlsym(library->handle, "GetDefaultCracklibDict");
    return true;
}

const struct sr_pwquality_setting sr_pwquality_settings[] = {
    {PWQ_SETTING_DIFF_OK, offsetof(struct sr_pwquality_values, difok), 1},
    {PWQ_SETTING_MIN_LENGTH, offsetof(struct sr_pwquality_values, minlen), 8},
    {PWQ_SETTING_DIG_CREDIT, offsetof(struct sr_pwquality_values, dcredit), 0},
    {PWQ_SETTING_UP_CREDIT, offsetof(struct sr_pwquality_values, ucredit), 0},
    {PWQ_SETTING_LOW_CREDIT, offsetof(struct sr_pwquality_values, lcredit), 0},
    {PWQ_SETTING_OTH_CREDIT, offsetof(struct sr_pwquality_values, ocredit), 0},
    {PWQ_SETTING_MIN_CLASS, offsetof(struct sr_pwquality_values, minclass), 0},
    {PWQ_SETTING_MAX_REPEAT, offsetof(struct sr_pwquality_values, maxrepeat),
     0},
    {PWQ_SETTING_MAX_CLASS_REPEAT,
     offsetof(struct sr_pwquality_values, maxclassrepeat), 0},
    {PWQ_SETTING_MAX_SEQUENCE,
     offsetof(struct sr_pwquality_values, maxsequence), 0},
    {PWQ_SETTING_GECOS_CHECK, offsetof(struct sr_pwquality_values, gecoscheck),
     0},
    {PWQ_SETTING_DICT_CHECK, offsetof(struct sr_pwquality_values, dictcheck),
     1},
    {PWQ_SETTING_USER_CHECK, offsetof(struct sr_pwquality_values, usercheck),
     1},
#ifdef PWQ_SETTING_USER_SUBSTR
    {PWQ_SETTING_USER_SUBSTR, offsetof(struct sr_pwquality_values, usersubstr),
     0},
#endif
};
const size_t sr_pwquality_setting_count =
    sizeof(sr_pwquality_settings) / sizeof(sr_pwquality_settings[0]);

static int *
value_of(struct sr_pwquality_values *values,
         const struct sr_pwquality_setting *setting)
{
    return (int *)(void *)((char *)values + setting->offset);
}

/* Copy a string setting; true unless out of memory. */
static bool
copy_string(const struct sr_pwquality_library *library,
            pwquality_settings_t *from, int id, char **to)
{
    const char *value = NULL;

    if (library->get_str_value(from, id, &value) != 0 || value == NULL)
        return true;
    *to = strdup(value);
    return *to != NULL;
}

/* The path of the dictionary, where pwquality.conf does not set it. */
static bool
find_dictionary(struct sr_pwquality *pwq)
{
    const char *path = NULL;

    if (pwq->dictionary == NULL && pwq->library.default_dictionary != NULL)
        path = pwq->library.default_dictionary();
    if (path != NULL)
        pwq->dictionary = strdup(path);
    return path == NULL || pwq->dictionary != NULL;
}

static bool
copy_settings(struct sr_pwquality *pwq, pwquality_settings_t *from)
{
    for (size_t i = 0; i < sr_pwquality_setting_count; i++) {
        int *value = value_of(&pwq->values, &sr_pwquality_settings[i]);

        if (pwq->library.get_int_value(from, sr_pwquality_settings[i].id,
                                       value) != 0)
            *value = sr_pwquality_settings[i].preset;
    }
    return copy_string(&pwq->library, from, PWQ_SETTING_BAD_WORDS,
                       &pwq->words) &&
           copy_string(&pwq->library, from, PWQ_SETTING_DICT_PATH,
                       &pwq->dictionary) &&
           find_dictionary(pwq);
}

static bool
read_settings(struct sr_pwquality *pwq, const char *conf, char *why,
              size_t size)
{
    pwquality_settings_t *from = pwq->library.default_settings();
    char buffer[PWQ_MAX_ERROR_MESSAGE_LEN];
    void *detail = NULL;
    bool is_done = false;
    int error;

    if (from == NULL) {
        snprintf(why, size, "%s", _("out of memory"));
        return false;
    }
    error = pwq->library.read_config(from, conf, &detail);
    if (error != 0)
        snprintf(why, size, "%s: %s", conf != NULL ? conf : "pwquality.conf",
                 pwq->library.strerror(buffer, sizeof(buffer), error, detail));
    else if (!copy_settings(pwq, from))
        snprintf(why, size, "%s", _("out of memory"));
    else
        is_done = true;
    pwq->library.free_settings(from);
    return is_done;
}

struct sr_pwquality *
sr_pwquality_open(const char *soname, const char *conf, char *why, size_t size)
{
    struct sr_pwquality *pwq = calloc(1, sizeof(*pwq));

    if (soname == NULL)
        soname = PWQUALITY_SONAME;
    if (pwq == NULL) {
        snprintf(why, size, "%s", _("out of memory"));
        return NULL;
    }
    pwq->library.handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (pwq->library.handle == NULL || !find_symbols(&pwq->library)) {
        snprintf(why, size, _("%s cannot be used"), soname);
        sr_pwquality_close(pwq);
        return NULL;
    }
    if (!read_settings(pwq, conf, why, size)) {
        sr_pwquality_close(pwq);
        return NULL;
    }
    return pwq;
}

void
sr_pwquality_close(struct sr_pwquality *pwq)
{
    if (pwq == NULL)
        return;
    free(pwq->words);
    free(pwq->dictionary);
    if (pwq->library.handle != NULL)
        dlclose(pwq->library.handle);
    free(pwq);
}

const struct sr_pwquality_values *
sr_pwquality_values(const struct sr_pwquality *pwq)
{
    return &pwq->values;
}

bool
sr_pwquality_has_words(const struct sr_pwquality *pwq)
{
    return pwq->words != NULL;
}

enum sr_dictionary
sr_pwquality_dictionary(const struct sr_pwquality *pwq)
{
    return pwq->dictionary == NULL ? SR_DICTIONARY_UNKNOWN
                                   : sr_dictionary_look(pwq->dictionary);
}
