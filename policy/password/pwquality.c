/*
 * Pwq: libpwquality, asked one rule at a time.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <dlfcn.h>
#include <libintl.h>
#include <pwquality.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/password/pwquality.h"
#include "policy/decide/rules.h"

#define _(text) dgettext("selfreset", text)

/* No setting below this is taken by the library (PWQ_SETTING_MIN_LENGTH). */
#define LEAST_MINLEN 6

/* Longest old password that is compared: the library's time and memory grow
 * with the product of both lengths. */
#define SIMILAR_MAX 128

/* Repeated, a password that every dictionary lets pass.  Published here, so
 * used by nobody. */
#define ABOVE_SUSPICION "vK7#qW2!zR9$mT4&bX6"

/* The functions used, by their names in the library. */
struct library {
    void *handle;
    __typeof__(&pwquality_default_settings) default_settings;
    __typeof__(&pwquality_free_settings) free_settings;
    __typeof__(&pwquality_read_config) read_config;
    __typeof__(&pwquality_set_int_value) set_int_value;
    __typeof__(&pwquality_set_str_value) set_str_value;
    __typeof__(&pwquality_get_int_value) get_int_value;
    __typeof__(&pwquality_get_str_value) get_str_value;
    __typeof__(&pwquality_check) check;
    __typeof__(&pwquality_strerror) strerror;
};

struct sr_pwquality {
    struct library library;
    struct sr_pwquality_values values;
    char *words;
    char *dictionary; /* NULL: the library does not say */
};

static bool
find_symbols(struct library *library)
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
    return true;
}

/* The settings that are integers.  One that an older library does not have
 * keeps `preset`. */
static const struct setting {
    int id;
    size_t offset;
    int preset;
} settings[] = {
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

static int *
value_of(struct sr_pwquality_values *values, const struct setting *setting)
{
    return (int *)(void *)((char *)values + setting->offset);
}

/* Copy a string setting; true unless out of memory. */
static bool
copy_string(const struct library *library, pwquality_settings_t *from, int id,
            char **to)
{
    const char *value = NULL;

    if (library->get_str_value(from, id, &value) != 0 || value == NULL)
        return true;
    *to = strdup(value);
    return *to != NULL;
}

/* The dictionary's place, where pwquality.conf does not give it. */
static bool
find_dictionary(struct sr_pwquality *pwq)
{
    /* Cracklib is a dependency of the library, so it is found through it. */
    const char *(*default_dictionary)(void);

    if (pwq->dictionary != NULL)
        return true;
    *(void **)&default_dictionary =
        dlsym(pwq->library.handle, "GetDefaultCracklibDict");
    if (default_dictionary == NULL || default_dictionary() == NULL)
        return true;
    pwq->dictionary = strdup(default_dictionary());
    return pwq->dictionary != NULL;
}

static bool
copy_settings(struct sr_pwquality *pwq, pwquality_settings_t *from)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        int *value = value_of(&pwq->values, &settings[i]);

        if (pwq->library.get_int_value(from, settings[i].id, value) != 0)
            *value = settings[i].preset;
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

/* Whether one of the dictionary's files is there, packed or not. */
static bool
has_file(const char *dictionary, const char *plain, const char *packed)
{
    const char *const ending[] = {plain, packed};
    char *path;
    bool is_there = false;

    for (size_t i = 0; !is_there && i < 2 && ending[i] != NULL; i++) {
        if (asprintf(&path, "%s%s", dictionary, ending[i]) < 0)
            return false;
        is_there = access(path, R_OK) == 0;
        free(path);
    }
    return is_there;
}

enum sr_tri
sr_pwquality_has_dictionary(const struct sr_pwquality *pwq)
{
    if (pwq->dictionary == NULL)
        return SR_UNKNOWN;
    return has_file(pwq->dictionary, ".pwi", NULL) &&
                   has_file(pwq->dictionary, ".pwd", ".pwd.gz")
               ? SR_YES
               : SR_NO;
}

/*
 * Set what stays out of the way of a single rule.  The least length cannot be
 * switched off; full credit for every character makes three bytes enough.
 */
static bool
make_neutral(const struct library *library, pwquality_settings_t *to)
{
    static const int credits[] = {PWQ_SETTING_DIG_CREDIT, PWQ_SETTING_UP_CREDIT,
                                  PWQ_SETTING_LOW_CREDIT,
                                  PWQ_SETTING_OTH_CREDIT};
    int error = 0;

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        (void)library->set_int_value(to, settings[i].id, 0);
    error |= library->set_int_value(to, PWQ_SETTING_MIN_LENGTH, LEAST_MINLEN);
    for (size_t i = 0; i < sizeof(credits) / sizeof(credits[0]); i++)
        error |= library->set_int_value(to, credits[i], LEAST_MINLEN);
    error |= library->set_str_value(to, PWQ_SETTING_BAD_WORDS, NULL);
    return error == 0;
}

/* How one rule is switched on, and the answer that says it is broken. */
static const struct switch_on {
    int id; /* 0: always on */
    size_t offset;
    int broken;
    bool needs_old;
    bool after_palindrome; /* the library checks it after the palindrome */
} switches[] = {
    [SR_PWQUALITY_SIMILAR] = {PWQ_SETTING_DIFF_OK,
                              offsetof(struct sr_pwquality_values, difok),
                              PWQ_ERROR_TOO_SIMILAR, true, false},
    [SR_PWQUALITY_ROTATED] = {PWQ_SETTING_DIFF_OK,
                              offsetof(struct sr_pwquality_values, difok),
                              PWQ_ERROR_ROTATED, true, false},
    [SR_PWQUALITY_PALINDROME] = {0, 0, PWQ_ERROR_PALINDROME, false, false},
    [SR_PWQUALITY_SEQUENCE] = {PWQ_SETTING_MAX_SEQUENCE,
                               offsetof(struct sr_pwquality_values,
                                        maxsequence),
                               PWQ_ERROR_MAX_SEQUENCE, false, true},
    [SR_PWQUALITY_USER] = {PWQ_SETTING_USER_CHECK,
                           offsetof(struct sr_pwquality_values, usercheck),
                           PWQ_ERROR_USER_CHECK, false, true},
    [SR_PWQUALITY_WORDS] = {0, 0, PWQ_ERROR_BAD_WORDS, false, true},
    [SR_PWQUALITY_DICTIONARY] = {PWQ_SETTING_DICT_CHECK,
                                 offsetof(struct sr_pwquality_values,
                                          dictcheck),
                                 PWQ_ERROR_CRACKLIB_CHECK, false, true},
};

/* A password, what pad() puts behind it, and its end. */
#define PADDED_SIZE (SR_PASSWORD_BYTES_MAX + 3)

/* A copy of what is checked, wiped when it goes out of scope. */
struct checked {
    char password[PADDED_SIZE];
    char old[SR_PASSWORD_BYTES_MAX + 1];
};

static void
checked_wipe(struct checked *checked)
{
    explicit_bzero(checked, sizeof(*checked));
}

/* Case is ignored byte by byte, as the library does it. */
static bool
is_palindrome(const char *text)
{
    const size_t size = strlen(text);

    for (size_t i = 0; i < size / 2; i++) {
        if (tolower((unsigned char)text[i]) !=
            tolower((unsigned char)text[size - 1 - i]))
            return false;
    }
    return true;
}

/*
 * The library looks at a palindrome, and at a password below three bytes, no
 * further.  A byte or two behind it change that.  They belong to no word, and
 * are neither the byte before nor its neighbour, so that they make no run or
 * sequence longer.
 */
static void
pad(char *password)
{
    size_t size = strlen(password);

    do {
        const unsigned char last = (unsigned char)password[size - 1];

        password[size++] = last >= '{' ? '!' : '~';
    } while (size < 3);
    password[size] = '\0';
}

/*
 * Only the beginnings of long passwords are compared.  Both are cut, since the
 * library finds nothing similar when the new one is twice as long.
 */
static bool
cut(struct checked *checked)
{
    if (strlen(checked->old) <= SIMILAR_MAX)
        return false;
    checked->old[SIMILAR_MAX] = '\0';
    if (strlen(checked->password) > SIMILAR_MAX)
        checked->password[SIMILAR_MAX] = '\0';
    return true;
}

/* The rule alone, in settings of its own. */
static pwquality_settings_t *
settings_for(const struct sr_pwquality *pwq, enum sr_pwquality_rule rule)
{
    const struct switch_on *on = &switches[rule];
    const struct library *library = &pwq->library;
    pwquality_settings_t *to = library->default_settings();
    int value;
    bool is_set;

    if (to == NULL)
        return NULL;
    memcpy(&value, (const char *)&pwq->values + on->offset, sizeof(value));
    /* At 1 the similarity that comes before the rotation is out of the way. */
    if (rule == SR_PWQUALITY_ROTATED && value > 0)
        value = 1;
    is_set = make_neutral(library, to) &&
             (on->id == 0 || library->set_int_value(to, on->id, value) == 0);
    /* Versions after 1.4.5 refuse what is too near to a word as well. */
    if (rule == SR_PWQUALITY_USER || rule == SR_PWQUALITY_WORDS)
        is_set = is_set && library->set_int_value(to, PWQ_SETTING_DIFF_OK,
                                                  pwq->values.difok) == 0;
#ifdef PWQ_SETTING_USER_SUBSTR
    if (rule == SR_PWQUALITY_USER)
        (void)library->set_int_value(to, PWQ_SETTING_USER_SUBSTR,
                                     pwq->values.usersubstr);
#endif
    if (rule == SR_PWQUALITY_WORDS)
        is_set = is_set && library->set_str_value(to, PWQ_SETTING_BAD_WORDS,
                                                  pwq->words) == 0;
    if (rule == SR_PWQUALITY_DICTIONARY && pwq->dictionary != NULL)
        is_set = is_set && library->set_str_value(to, PWQ_SETTING_DICT_PATH,
                                                  pwq->dictionary) == 0;
    if (!is_set) {
        library->free_settings(to);
        to = NULL;
    }
    return to;
}

/* Ask, and throw the answer's text away: it may quote the password. */
static int
ask(const struct library *library, pwquality_settings_t *by,
    const char *password, const char *old, const char *user)
{
    char buffer[PWQ_MAX_ERROR_MESSAGE_LEN];
    void *detail = NULL;
    int answer = library->check(by, password, old, user, &detail);

    if (answer < 0)
        (void)library->strerror(buffer, sizeof(buffer), answer, detail);
    explicit_bzero(buffer, sizeof(buffer));
    return answer;
}

static bool
is_failure(int answer)
{
    return (answer <= PWQ_ERROR_FATAL_FAILURE &&
            answer >= PWQ_ERROR_MEM_ALLOC) ||
           answer == PWQ_ERROR_RNG;
}

/*
 * Ask for a password of the same length that must pass.  When it is refused the
 * dictionary is damaged.  And it takes the place of the real one in cracklib's
 * buffers, static and on the stack, which would keep it for long.
 */
static bool
dictionary_is_sound(const struct library *library, pwquality_settings_t *by,
                    size_t size)
{
    char filler[PADDED_SIZE] = ABOVE_SUSPICION;
    const size_t period = strlen(ABOVE_SUSPICION);

    for (size_t i = period; i < size; i++)
        filler[i] = filler[i - period];
    return ask(library, by, filler, NULL, NULL) >= 0;
}

/*
 * The library clears its copies with memset(3) before it frees them, which
 * compilers leave out.  The allocator hands the same memory out again.
 */
static void
wipe_heap(size_t size)
{
    void *block[8];
    const size_t count = sizeof(block) / sizeof(block[0]);

    for (size_t i = 0; i < count; i++) {
        block[i] = malloc(size);
        if (block[i] != NULL)
            explicit_bzero(block[i], size);
    }
    for (size_t i = 0; i < count; i++)
        free(block[i]);
}

enum sr_tri
sr_pwquality_breaks(const struct sr_pwquality *pwq, enum sr_pwquality_rule rule,
                    const char *password, const char *old, const char *user)
{
    __attribute__((cleanup(checked_wipe))) struct checked checked = {0};
    const struct switch_on *on = &switches[rule];
    pwquality_settings_t *alone;
    bool is_cut = false;
    int answer;
    enum sr_tri broken;

    if (on->needs_old && (old == NULL || old[0] == '\0'))
        return SR_NO;
    if (password[0] == '\0' || strlen(password) > SR_PASSWORD_BYTES_MAX)
        return SR_UNKNOWN;
    alone = settings_for(pwq, rule);
    if (alone == NULL)
        return SR_UNKNOWN;
    strcpy(checked.password, password);
    if (on->needs_old) {
        (void)strncpy(checked.old, old, sizeof(checked.old) - 1);
        is_cut = cut(&checked);
    }
    if (on->after_palindrome &&
        (strlen(password) < 3 || is_palindrome(password)))
        pad(checked.password);
    answer = ask(&pwq->library, alone, checked.password,
                 on->needs_old ? checked.old : NULL,
                 rule == SR_PWQUALITY_USER ? user : NULL);
    broken = answer == on->broken ? SR_YES : SR_NO;
    if (rule == SR_PWQUALITY_SIMILAR && is_cut &&
        (answer == PWQ_ERROR_SAME_PASSWORD ||
         answer == PWQ_ERROR_CASE_CHANGES_ONLY))
        broken = SR_YES;
    if (rule == SR_PWQUALITY_DICTIONARY &&
        !dictionary_is_sound(&pwq->library, alone, strlen(checked.password)))
        broken = SR_UNKNOWN;
    if (is_failure(answer))
        broken = SR_UNKNOWN;
    wipe_heap(strlen(checked.password) + 1);
    if (on->needs_old) {
        wipe_heap(strlen(checked.old) + 1);
        wipe_heap(2 * strlen(checked.old) + 1);
    }
    pwq->library.free_settings(alone);
    return broken;
}
