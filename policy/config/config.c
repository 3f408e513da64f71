/*
 * Config: loads selfreset.conf and its drop-ins.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/config/config.h"
#include "policy/config/contradictions.h"
#include "policy/config/files.h"
#include "policy/config/other_files.h"
#include "policy/config/reading.h"
#include "policy/util/words.h"

/* The last profile that is set; it selects the defaults of all keys. */
static enum sr_profile
find_profile(const struct sr_reading *reading)
{
    enum sr_profile profile = SR_PROFILE_NIST;

    for (size_t i = 0; i < reading->count; i++) {
        if (reading->item[i].key == sr_key_find("selfreset", "profile"))
            profile = (enum sr_profile)reading->item[i].value.number;
    }
    return profile;
}

/* Whether a backend's section, as read, has type = ad. */
static bool
is_directory_ad(const struct sr_reading *reading, const char *name)
{
    int type = SR_BACKEND_LDAP;

    for (size_t i = 0; i < reading->count; i++) {
        const struct sr_setting *item = &reading->item[i];

        if (item->key == sr_key_find("backend", "type") &&
            strcmp(item->owner, name) == 0 && item->file != NULL)
            type = (int)item->value.number;
    }
    return type == SR_BACKEND_AD;
}

/* Give the keys of a structure their defaults: of a backend, or of all else. */
static void
set_presets(struct sr_reading *reading, struct sr_config *config,
            struct sr_backend_config *backend, enum sr_profile profile)
{
    const bool is_ad =
        backend != NULL && is_directory_ad(reading, backend->name);

    for (size_t i = 0; i < sr_key_count; i++) {
        const struct sr_key *key = &sr_keys[i];
        const char *text = sr_key_preset(key, profile);
        const struct sr_setting *setting;

        if (is_ad && key->preset_directory != NULL)
            text = key->preset_directory;
        if ((key->scope == SR_SCOPE_BACKEND) != (backend != NULL))
            continue;
        setting = sr_reading_preset(reading, key, text,
                                    backend == NULL ? NULL : backend->name);
        if (setting == NULL)
            return;
        if (key->scope == SR_SCOPE_BACKEND)
            sr_value_store(key, &setting->value, backend);
        else if (key->scope == SR_SCOPE_GLOBAL)
            sr_value_store(key, &setting->value, config);
        else
            sr_value_store(key, &setting->value, &config->rules);
    }
}

/* The backend of this name, made with its defaults at the first time.  NULL:
 * out of memory. */
static struct sr_backend_config *
find_backend(struct sr_reading *reading, struct sr_config *config,
             const char *name)
{
    struct sr_backend_config *backend;

    for (size_t i = 0; i < config->backend_count; i++) {
        if (strcmp(config->backend[i].name, name) == 0)
            return &config->backend[i];
    }
    backend = reallocarray(config->backend, config->backend_count + 1,
                           sizeof(*backend));
    if (backend == NULL)
        return NULL;
    config->backend = backend;
    backend += config->backend_count;
    memset(backend, 0, sizeof(*backend));
    backend->name = strdup(name);
    if (backend->name == NULL)
        return NULL;
    config->backend_count++;
    set_presets(reading, config, backend, config->profile);
    return backend;
}

/* Store what was read.  Values of groups stay in their settings. */
static void
apply(struct sr_reading *reading, struct sr_config *config)
{
    const size_t count = reading->count; /* without the defaults */

    set_presets(reading, config, NULL, find_profile(reading));
    for (size_t i = 0; i < count && !reading->errors->out_of_memory; i++) {
        const struct sr_key *key = reading->item[i].key;
        const char *owner = reading->item[i].owner;
        void *structure = config;

        if (key->scope == SR_SCOPE_RULES)
            structure = owner == NULL ? &config->rules : NULL;
        else if (key->scope == SR_SCOPE_BACKEND &&
                 (structure = find_backend(reading, config, owner)) == NULL)
            reading->errors->out_of_memory = true;
        if (structure != NULL) /* after find_backend(), which may add some */
            sr_value_store(key, &reading->item[i].value, structure);
    }
}

/* The configuration that was read; NULL, and an error, if there is none. */
static struct sr_config *
finish(struct sr_reading *reading)
{
    struct sr_config_errors *errors = reading->errors;
    struct sr_config *config = calloc(1, sizeof(*config));

    if (config != NULL)
        config->users = 1;
    errors->out_of_memory = errors->out_of_memory || config == NULL;
    if (!errors->out_of_memory)
        apply(reading, config);
    if (config != NULL) {
        config->setting = reading->item;
        config->setting_count = reading->count;
        if (!errors->out_of_memory)
            sr_contradictions_find(config, errors);
    } else {
        sr_settings_free(reading->item, reading->count);
    }
    if (errors->out_of_memory && errors->count == 0)
        sr_config_error(errors, "selfreset", 0, N_LOG("out of memory"));
    if (errors->out_of_memory || errors->count > 0) {
        sr_config_free(config);
        config = NULL;
    }
    return config;
}

/* ---- the files of other modules */

static void
add_other(void *context, const char *section, const char *key,
          const char *group, const char *text, const struct sr_other_line *from)
{
    sr_reading_add(context, sr_key_find(section, key), group, text, from);
}

/* The last value of selfreset.defaults_from; NULL: it is not set. */
static const struct sr_string_list *
find_defaults(const struct sr_reading *reading)
{
    const struct sr_string_list *found = NULL;

    for (size_t i = 0; i < reading->count; i++) {
        if (reading->item[i].key == sr_key_find("selfreset", "defaults_from"))
            found = &reading->item[i].value.names;
    }
    return found;
}

/* Read the files that selfreset.defaults_from names, as if their lines came
 * before those of selfreset.conf. */
static void
read_others(struct sr_reading *reading, struct sr_stamps *stamps)
{
    struct sr_reading others = {.errors = reading->errors};
    const struct sr_other_visitor visitor = {.set = add_other,
                                             .context = &others};
    const struct sr_string_list *names = find_defaults(reading);

    for (int i = 0; names != NULL && i < SR_OTHER_COUNT; i++) {
        struct sr_other_line whole = {.line = 0};
        struct sr_other_lines lines;

        if (!sr_string_list_has(names, sr_other_words[i]))
            continue;
        sr_other_read((enum sr_other)i, &lines, stamps, reading->errors);
        /* libpwquality has defaults of its own. */
        if (i == SR_OTHER_PWQUALITY)
            add_other(&others, "password", "preset", NULL, "pwquality", &whole);
        sr_other_visit((enum sr_other)i, &lines, &visitor);
        sr_other_lines_free(&lines);
    }
    sr_reading_put_first(reading, &others);
    sr_settings_free(others.item, others.count);
}

static void
visit(void *context, const char *name, char *bytes, size_t size)
{
    sr_reading_file(context, name, bytes, size);
}

struct sr_config *
sr_config_load(const char *path, struct sr_config_errors *errors)
{
    static const char *const host[SR_FILES_PATHS_MAX] = {
        SR_CONFIG_FILE, "/run/security/selfreset.conf",
        SR_VENDORDIR "/selfreset.conf"};
    struct sr_reading reading = {.errors = errors};
    const struct sr_files_visitor visitor = {visit, &reading};
    struct sr_stamps stamps = {.item = NULL};
    struct sr_config *config;

    *errors = (struct sr_config_errors){.words = errors->words};
    if (path != NULL)
        sr_files_read(&path, 1, false, &visitor, &stamps, errors);
    else
        sr_files_read(host, SR_FILES_PATHS_MAX, true, &visitor, &stamps,
                      errors);
    read_others(&reading, &stamps);
    config = finish(&reading);
    if (config == NULL) {
        sr_stamps_free(&stamps);
        return NULL;
    }
    config->path = path == NULL ? NULL : strdup(path);
    config->stamps = stamps;
    if (path != NULL && config->path == NULL)
        config->stamps.is_unsure = true;
    return config;
}

bool
sr_config_is_current(const struct sr_config *config, const char *path)
{
    const bool is_same = path == NULL || config->path == NULL
                             ? path == config->path
                             : strcmp(path, config->path) == 0;

    return is_same && config->stamps.count > 0 &&
           sr_stamps_are_current(&config->stamps);
}

struct sr_config *
sr_config_share(struct sr_config *config)
{
    config->users++;
    return config;
}

struct sr_config *
sr_config_defaults(struct sr_config_errors *errors)
{
    struct sr_reading reading = {.errors = errors};

    *errors = (struct sr_config_errors){.words = errors->words};
    return finish(&reading);
}

struct sr_config *
sr_config_load_bytes(const char *bytes, size_t size, const char *name,
                     struct sr_config_errors *errors)
{
    struct sr_reading reading = {.errors = errors};
    char *copy = malloc(size + 1);

    *errors = (struct sr_config_errors){.out_of_memory = copy == NULL,
                                        .words = errors->words};
    if (copy != NULL) {
        memcpy(copy, bytes, size);
        sr_reading_file(&reading, name, copy, size);
    }
    free(copy);
    return finish(&reading);
}

void
sr_config_free(struct sr_config *config)
{
    if (config == NULL || --config->users > 0)
        return;
    for (size_t i = 0; i < config->backend_count; i++)
        free(config->backend[i].name);
    free(config->backend);
    sr_settings_free(config->setting, config->setting_count);
    sr_stamps_free(&config->stamps);
    free(config->path);
    free(config);
}
