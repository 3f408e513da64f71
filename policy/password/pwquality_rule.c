/*
 * Pwquality rule: asks libpwquality, or cracklib directly, about one rule.
 *
 * The library stops at the first rule that is broken.  Here each rule is
 * checked with all others switched off, so that all broken ones can be listed.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide/rules.h"
#include "policy/password/pwquality_rule.h"

/* No setting below this is taken by the library (PWQ_SETTING_MIN_LENGTH). */
#define LEAST_MINLEN 6

/* What cracklib calls too short has fewer bytes. */
#define CRACKLIB_LEAST 6

/* Longest old password that is compared: the library's time and memory grow
 * with the product of both lengths. */
#define SIMILAR_MAX 128

/* Repeated, a password that passes with every dictionary.  It is published
 * here, so no caller uses it. */
#define ABOVE_SUSPICION "vK7#qW2!zR9$mT4&bX6"

/*
 * Switch all rules off.  The least length cannot be switched off; full credit
 * for every character makes three bytes enough.
 */
static bool
make_neutral(const struct sr_pwquality_library *library,
             pwquality_settings_t *to)
{
    static const int credits[] = {PWQ_SETTING_DIG_CREDIT, PWQ_SETTING_UP_CREDIT,
                                  PWQ_SETTING_LOW_CREDIT,
                                  PWQ_SETTING_OTH_CREDIT};
    int error = 0;

    for (size_t i = 0; i < sr_pwquality_setting_count; i++)
        (void)library->set_int_value(to, sr_pwquality_settings[i].id, 0);
    error |= library->set_int_value(to, PWQ_SETTING_MIN_LENGTH, LEAST_MINLEN);
    for (size_t i = 0; i < sizeof(credits) / sizeof(credits[0]); i++)
        error |= library->set_int_value(to, credits[i], LEAST_MINLEN);
    error |= library->set_str_value(to, PWQ_SETTING_BAD_WORDS, NULL);
    return error == 0;
}

/* How one rule is switched on, and the answer when it is broken. */
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
};

/* A password, what is appended to a short one, and its end. */
#define PADDED_SIZE (SR_PASSWORD_BYTES_MAX + CRACKLIB_LEAST)

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
 * The library stops at a palindrome and at a password below three bytes.  So a
 * byte or two are appended, which belong to no word, and are neither the byte
 * before nor its neighbour: they make no run or sequence longer.
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
    const struct sr_pwquality_library *library = &pwq->library;
    pwquality_settings_t *to = library->default_settings();
    int value;
    bool is_set;

    if (to == NULL)
        return NULL;
    memcpy(&value, (const char *)&pwq->values + on->offset, sizeof(value));
    /* At 1 no similarity is found before the rotation. */
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
    if (!is_set) {
        library->free_settings(to);
        to = NULL;
    }
    return to;
}

/* Ask, and wipe the answer's text, which may quote the password. */
static int
ask(const struct sr_pwquality_library *library, pwquality_settings_t *by,
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

/* ---- the dictionary */

/*
 * Cracklib refuses what is shorter than six bytes without looking further.  So
 * bytes are appended that the password does not have: cracklib itself takes up
 * to three of them away again to find a word.
 */
static void
pad_word(char *password)
{
    size_t size = strlen(password);

    for (const char *mark = "~|^#%{}&"; size < CRACKLIB_LEAST; mark++) {
        if (strchr(password, *mark) != NULL)
            continue;
        password[size++] = *mark;
        password[size] = '\0';
    }
}

/*
 * Ask cracklib, of a user whose name no password contains: otherwise it looks
 * the caller up, refuses every password where the caller has no passwd entry,
 * and those that contain his name, not the account's, where he has one.
 */
static bool
is_refused(const struct sr_pwquality *pwq, const char *password)
{
    return pwq->library.dictionary_check(password, pwq->dictionary, "\1", "") !=
           NULL;
}

/* Whether a password is in the dictionary, or a simple pattern. */
static enum sr_tri
in_dictionary(const struct sr_pwquality *pwq, struct checked *checked)
{
    const size_t period = strlen(ABOVE_SUSPICION);
    const size_t size = strlen(checked->password);
    char filler[PADDED_SIZE] = ABOVE_SUSPICION;
    bool is_broken;

    if (pwq->library.dictionary_check == NULL || pwq->dictionary == NULL)
        return SR_NO; /* a libpwquality without cracklib */
    pad_word(checked->password);
    is_broken = is_refused(pwq, checked->password);
    for (size_t i = period; i < size; i++)
        filler[i] = filler[i - period];
    /*
     * A filler of the same length must pass, or the dictionary is damaged.  It
     * also overwrites the password in cracklib's buffers, static and on the
     * stack.
     */
    if (is_refused(pwq, filler))
        return SR_UNKNOWN;
    return is_broken ? SR_YES : SR_NO;
}

enum sr_tri
sr_pwquality_breaks(const struct sr_pwquality *pwq, enum sr_pwquality_rule rule,
                    const char *password, const char *old, const char *user)
{
    __attribute__((cleanup(checked_wipe))) struct checked checked = {0};
    const struct switch_on *on =
        rule < SR_PWQUALITY_DICTIONARY ? &switches[rule] : &switches[0];
    pwquality_settings_t *alone;
    bool is_cut = false;
    int answer;
    enum sr_tri broken;

    if (on->needs_old && (old == NULL || old[0] == '\0'))
        return SR_NO;
    if (password[0] == '\0' || strlen(password) > SR_PASSWORD_BYTES_MAX)
        return SR_UNKNOWN;
    strcpy(checked.password, password);
    if (rule == SR_PWQUALITY_DICTIONARY)
        return in_dictionary(pwq, &checked);
    alone = settings_for(pwq, rule);
    if (alone == NULL)
        return SR_UNKNOWN;
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
