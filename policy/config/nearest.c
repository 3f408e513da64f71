/*
 * Nearest: which known word was probably meant by an unknown one.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "policy/config/nearest.h"

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

#define FAILLOCK  "pam_faillock's; here it is "
#define PWQUALITY "pam_pwquality's; here it is "
#define KEPT                                                                   \
    "pam_pwquality's and stays in pwquality.conf, which the "                  \
    "presets ad and pwquality follow"
#define PWHISTORY "pam_pwhistory's; here it is "
#define SHADOW    "login.defs's; here it is "
#define ARGUMENT  "an argument of a module in /etc/pam.d, see pam_selfreset(8)"
#define NEEDLESS  "not needed here: "

static const struct {
    const char *name, *text;
} foreign[] = {
    {"deny", FAILLOCK "[lockout] attempts"},
    {"fail_interval", FAILLOCK "[lockout] window, such as 15m"},
    {"unlock_time", FAILLOCK "[lockout] duration, such as 15m"},
    {"even_deny_root", FAILLOCK "[lockout] root = yes"},
    {"root_unlock_time",
     FAILLOCK "[lockout] root = yes, and duration in [lockout group:root]"},
    {"admin_group", FAILLOCK "attempts = 0 in [lockout group:NAME]"},
    {"nodelay", FAILLOCK "[lockout] delay = 0"},
    {"silent", FAILLOCK "[selfreset] reveal = never"},
    {"local_users_only", FAILLOCK "[selfreset] backends = local"},
    {"dir", NEEDLESS "attempts are always kept in " SR_STATEDIR},
    {"audit", NEEDLESS "selfreset-events(7) lists what is logged"},
    {"no_log_info", NEEDLESS "selfreset-events(7) lists what is logged"},
    {"minlen", PWQUALITY "[password] min_length"},
    {"minclass", PWQUALITY "[password] min_classes"},
    {"retry", PWQUALITY "[change] tries"},
    {"enforce_for_root", PWQUALITY "[change] root = enforce"},
    {"enforcing", NEEDLESS "rules are always enforced, for root by [change] "
                           "root = enforce"},
    {"difok", KEPT},
    {"dcredit", KEPT},
    {"ucredit", KEPT},
    {"lcredit", KEPT},
    {"ocredit", KEPT},
    {"maxrepeat", KEPT},
    {"maxclassrepeat", KEPT},
    {"maxsequence", KEPT},
    {"gecoscheck", KEPT},
    {"dictcheck", KEPT},
    {"usercheck", KEPT},
    {"usersubstr", KEPT},
    {"badwords", KEPT},
    {"dictpath", KEPT},
    {"remember", PWHISTORY "[password] history"},
    {"file", NEEDLESS "former passwords are always kept in " SR_STATEDIR},
    {"authtok_type", ARGUMENT},
    {"use_authtok", ARGUMENT},
    {"use_first_pass", ARGUMENT},
    {"try_first_pass", ARGUMENT},
    {"debug", ARGUMENT},
    {"conf", ARGUMENT},
    {"PASS_MIN_LEN", SHADOW "[password] min_length"},
    {"min_age", "written minimum_age, in [change]"},
    {"PASS_MAX_DAYS", SHADOW "[expiry] max_age, such as 90d"},
    {"PASS_MIN_DAYS", SHADOW "[change] minimum_age, such as 1d"},
    {"PASS_WARN_AGE", SHADOW "[expiry] warn, such as 7d"},
    {"LOGIN_RETRIES", SHADOW "[lockout] attempts"},
    {"FAIL_DELAY", SHADOW "[lockout] delay, such as 3s"},
};

const char *
sr_nearest_foreign(const char *name)
{
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (strcasecmp(foreign[i].name, name) == 0)
            return foreign[i].text;
    }
    return NULL;
}
