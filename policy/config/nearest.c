/*
 * Nearest: which known word was probably meant by an unknown one.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/config/nearest.h"
#include "policy/util/words.h"

#define WORD_MAX 32 /* longer words are near to none */

static int
fold(char letter)
{
    return letter == '-' ? '_' : tolower((unsigned char)letter);
}

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* The distance of Damerau and Levenshtein, with adjacent swaps only. */
unsigned
sr_nearest_distance(const char *a, const char *b)
{
    const size_t rows = strlen(a), columns = strlen(b);
    const size_t longer = rows > columns ? rows : columns;
    unsigned cost[WORD_MAX + 1][WORD_MAX + 1];

    if (longer > WORD_MAX)
        return SR_NEAREST_NEVER;
    for (size_t i = 0; i <= rows; i++) {
        for (size_t j = 0; j <= columns; j++) {
            unsigned differ, best;

            if (i == 0 || j == 0) {
                cost[i][j] = (unsigned)(i + j);
                continue;
            }
            differ = fold(a[i - 1]) != fold(b[j - 1]);
            best = least(cost[i - 1][j] + 1, cost[i][j - 1] + 1);
            best = least(best, cost[i - 1][j - 1] + differ);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                best = least(best, cost[i - 2][j - 2] + 1);
            cost[i][j] = best;
        }
    }
    return cost[rows][columns] * 3 <= longer ? cost[rows][columns]
                                             : SR_NEAREST_NEVER;
}

bool
sr_nearest_is(const char *a, const char *b, unsigned *best)
{
    const unsigned distance = sr_nearest_distance(a, b);

    if (distance >= *best)
        return false;
    *best = distance;
    return true;
}

/* What is said of a name, which is the first argument. */
#define HERE N_LOG("\"%s\" is %s's; here it is %s")
#define KEPT                                                                   \
    N_LOG("\"%s\" is pam_pwquality's and stays in pwquality.conf, which the "  \
          "presets ad and pwquality follow")
#define ARGUMENT                                                               \
    N_LOG("\"%s\" is an argument of a module in /etc/pam.d, see "              \
          "pam_selfreset(8)")
#define LOGGED                                                                 \
    N_LOG("\"%s\" is not needed here: selfreset-events(7) lists what is "      \
          "logged")
#define FAILLOCK  HERE, "pam_faillock"
#define PWQUALITY HERE, "pam_pwquality"
#define PWHISTORY HERE, "pam_pwhistory"
#define SHADOW    HERE, "login.defs"

static const struct {
    const char *name, *format, *first, *second;
} foreign[] = {
    {"deny", FAILLOCK, "[lockout] attempts"},
    {"fail_interval", FAILLOCK, "[lockout] window = 15m"},
    {"unlock_time", FAILLOCK, "[lockout] duration = 15m"},
    {"even_deny_root", FAILLOCK, "[lockout] root = yes"},
    {"root_unlock_time", FAILLOCK,
     "[lockout] root = yes, [lockout group:root] duration = 15m"},
    {"admin_group", FAILLOCK, "[lockout group:NAME] attempts = 0"},
    {"nodelay", FAILLOCK, "[lockout] delay = 0"},
    {"silent", FAILLOCK, "[selfreset] reveal = never"},
    {"local_users_only", FAILLOCK, "[selfreset] backends = local"},
    {"dir", N_LOG("\"%s\" is not needed here: attempts are always kept in %s"),
     SR_STATEDIR, NULL},
    {"audit", LOGGED, NULL, NULL},
    {"no_log_info", LOGGED, NULL, NULL},
    {"minlen", PWQUALITY, "[password] min_length"},
    {"minclass", PWQUALITY, "[password] min_classes"},
    {"retry", PWQUALITY, "[change] tries"},
    {"enforce_for_root", PWQUALITY, "[change] root = enforce"},
    {"enforcing",
     N_LOG("\"%s\" is not needed here: rules are always enforced, for root by "
           "%s"),
     "[change] root = enforce", NULL},
    {"difok", KEPT, NULL, NULL},
    {"dcredit", KEPT, NULL, NULL},
    {"ucredit", KEPT, NULL, NULL},
    {"lcredit", KEPT, NULL, NULL},
    {"ocredit", KEPT, NULL, NULL},
    {"maxrepeat", KEPT, NULL, NULL},
    {"maxclassrepeat", KEPT, NULL, NULL},
    {"maxsequence", KEPT, NULL, NULL},
    {"gecoscheck", KEPT, NULL, NULL},
    {"dictcheck", KEPT, NULL, NULL},
    {"usercheck", KEPT, NULL, NULL},
    {"usersubstr", KEPT, NULL, NULL},
    {"badwords", KEPT, NULL, NULL},
    {"dictpath", KEPT, NULL, NULL},
    {"remember", PWHISTORY, "[password] history"},
    {"file",
     N_LOG("\"%s\" is not needed here: former passwords are always kept in %s"),
     SR_STATEDIR, NULL},
    {"authtok_type", ARGUMENT, NULL, NULL},
    {"use_authtok", ARGUMENT, NULL, NULL},
    {"use_first_pass", ARGUMENT, NULL, NULL},
    {"try_first_pass", ARGUMENT, NULL, NULL},
    {"debug", ARGUMENT, NULL, NULL},
    {"conf", ARGUMENT, NULL, NULL},
    {"PASS_MIN_LEN", SHADOW, "[password] min_length"},
    {"min_age", N_LOG("\"%s\" is written %s"), "[change] minimum_age", NULL},
    {"PASS_MAX_DAYS", SHADOW, "[expiry] max_age = 90d"},
    {"PASS_MIN_DAYS", SHADOW, "[change] minimum_age = 1d"},
    {"PASS_WARN_AGE", SHADOW, "[expiry] warn = 7d"},
    {"LOGIN_RETRIES", SHADOW, "[lockout] attempts"},
    {"FAIL_DELAY", SHADOW, "[lockout] delay = 3s"},
};

/* The formats of the table have only %s. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
bool
sr_nearest_foreign(const struct sr_config_errors *errors, const char *name,
                   char *out, size_t size)
{
    size_t i = 0;
    const size_t count = sizeof(foreign) / sizeof(foreign[0]);

    while (i < count && strcasecmp(foreign[i].name, name) != 0)
        i++;
    if (i < count)
        snprintf(out, size, sr_config_words(errors, foreign[i].format), name,
                 foreign[i].first, foreign[i].second);
    return i < count;
}
#pragma GCC diagnostic pop
