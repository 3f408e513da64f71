/*
 * Benchmark: the rules of hardening guides about passwords and lockouts, and
 * what fulfils each on this host.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <shadow.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/value.h"
#include "policy/password/plan.h"
#include "tools/check/benchmark.h"
#include "tools/check/pam_stack.h"
#include "tools/check/pam_config.h"
#include "tools/ctl.h"
#include "tools/report.h"
#include "tools/words.h"

#define LOGIN_DEFS "/etc/login.defs"

enum guide { GUIDE_CIS, GUIDE_STIG, GUIDE_COUNT };

const char *const benchmark_names[] = {"cis", "stig", NULL};

/* What the rules are about, read once. */
struct host {
    const struct sr_config *config;
    const struct sr_rules *rules;
    struct sr_pwquality *pwq; /* NULL: it cannot be read */
    struct sr_plan plan;
    struct stack stack[STACK_TYPE_COUNT];
    sr_time now;
    enum guide guide;
    enum sr_quality_rule quality; /* that the rule is about */
    char by[512];                 /* the answer of a test: what is there */
};

__attribute__((format(printf, 2, 3))) static void
say(struct host *host, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(host->by, sizeof(host->by), _(format), list);
    va_end(list);
}

/* ---- where a key is set */

/* " (FILE:LINE)" of the last line that sets a key; " (default)". */
static void
say_key(struct host *host, const char *section, const char *name,
        const char *value)
{
    const struct sr_key *key = sr_key_find(section, name);
    const struct sr_setting *found = NULL;

    for (size_t i = 0; i < host->config->setting_count; i++) {
        const struct sr_setting *setting = &host->config->setting[i];

        if (setting->key == key && setting->line > 0 && setting->owner == NULL)
            found = setting;
    }
    if (found == NULL)
        say(host, N_("%s.%s = %s (default)"), section, name, value);
    else
        say(host, "%s.%s = %s (%s:%u)", section, name, value, found->file,
            found->line);
}

static void
say_number(struct host *host, const char *section, const char *name,
           int64_t number, const char *unit)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld%s", (long long)number, unit);
    say_key(host, section, name, text);
}

static bool
is_served(const struct host *host, enum stack_type type)
{
    const struct stack *stack = &host->stack[type];

    for (size_t i = 0; i < stack->count; i++) {
        if ((stack->line[i]->kinds & MODULE_SELF) != 0)
            return true;
    }
    return false;
}

static const struct stack_line *
find_line(const struct host *host, enum stack_type type, const char *module)
{
    const struct stack *stack = &host->stack[type];

    for (size_t i = 0; i < stack->count; i++) {
        if (strcmp(stack->line[i]->module, module) == 0)
            return stack->line[i];
    }
    return NULL;
}

/* ---- modules in the stacks */

static bool
has_unix(struct host *host, long limit)
{
    (void)limit;
    for (int type = STACK_AUTH; type < STACK_TYPE_COUNT; type++) {
        if (find_line(host, (enum stack_type)type, "pam_unix.so") == NULL) {
            say(host, N_("pam_unix.so is not in all of the common stacks"));
            return false;
        }
    }
    say(host, N_("pam_unix.so is below pam_selfreset.so in each stack"));
    return true;
}

static bool
serves_auth(struct host *host, long limit)
{
    (void)limit;
    say(host, is_served(host, STACK_AUTH)
                  ? N_("pam_selfreset.so counts attempts in place of "
                       "pam_faillock")
                  : N_("pam_selfreset.so is not in the auth stack"));
    return is_served(host, STACK_AUTH);
}

static bool
serves_quality(struct host *host, long limit)
{
    (void)limit;
    say(host, is_served(host, STACK_PASSWORD)
                  ? N_("pam_selfreset.so checks passwords in place of "
                       "pam_pwquality")
                  : N_("pam_selfreset.so is not in the password stack"));
    return is_served(host, STACK_PASSWORD);
}

static bool
serves_history(struct host *host, long limit)
{
    (void)limit;
    say(host, is_served(host, STACK_PASSWORD)
                  ? N_("pam_selfreset.so keeps old passwords in place of "
                       "pam_pwhistory")
                  : N_("pam_selfreset.so is not in the password stack"));
    return is_served(host, STACK_PASSWORD);
}

/* Whether pam_unix's line in the password stack has an argument. */
static bool
unix_has(struct host *host, const char *argument)
{
    const struct stack_line *line =
        find_line(host, STACK_PASSWORD, "pam_unix.so");
    const bool has = line != NULL && stack_has(line, argument);

    if (line == NULL)
        say(host, N_("pam_unix.so is not in the password stack"));
    else
        say(host,
            has ? N_("%s:%u: pam_unix.so has %s")
                : N_("%s:%u: pam_unix.so has not %s"),
            line->file, line->number, argument);
    return has;
}

static bool
unix_authtok(struct host *host, long limit)
{
    (void)limit;
    return unix_has(host, "use_authtok");
}

static bool
unix_no_remember(struct host *host, long limit)
{
    const struct stack_line *line =
        find_line(host, STACK_PASSWORD, "pam_unix.so");
    bool has = false;

    (void)limit;
    for (size_t i = 0; line != NULL && i < line->argument_count; i++)
        has = has || strncmp(line->argument[i], "remember=", 9) == 0;
    say(host, has ? N_("pam_unix.so has remember")
                  : N_("pam_unix.so has not remember"));
    return !has;
}

/* A limit of 1: only methods that FIPS 140-3 approves, which yescrypt is not.
 */
static bool
unix_hash(struct host *host, long limit)
{
    return (limit == 0 && unix_has(host, "yescrypt")) ||
           unix_has(host, "sha512");
}

static bool
no_nullok(struct host *host, long limit)
{
    const struct stack_line *line = find_line(host, STACK_AUTH, "pam_unix.so");

    (void)limit;
    if (line != NULL && stack_has(line, "nullok")) {
        say(host, N_("%s:%u: pam_unix.so has nullok"), line->file,
            line->number);
        return false;
    }
    say_key(host, "selfreset", "nullok", host->rules->nullok ? "yes" : "no");
    return !host->rules->nullok;
}

/* ---- lockouts */

static bool
attempts(struct host *host, long limit)
{
    say_number(host, "lockout", "attempts", host->rules->attempts, "");
    return host->rules->attempts > 0 && host->rules->attempts <= limit;
}

static bool
window(struct host *host, long limit)
{
    say_number(host, "lockout", "window", host->rules->window, "s");
    return host->rules->window >= limit;
}

/* Until an administrator acts, or at least so long. */
static bool
duration(struct host *host, long limit)
{
    const struct sr_rules *rules = host->rules;

    if (rules->limit > 0 && rules->limit <= rules->attempts) {
        say_number(host, "lockout", "limit", rules->limit, "");
        return true;
    }
    say_number(host, "lockout", "duration", rules->duration, "s");
    return limit > 0 && rules->duration >= limit;
}

static bool
root_lockout(struct host *host, long limit)
{
    (void)limit;
    say_key(host, "lockout", "root", host->rules->lock_root ? "yes" : "no");
    return host->rules->lock_root;
}

static bool
delay(struct host *host, long limit)
{
    say_number(host, "lockout", "delay", host->rules->delay, "s");
    return host->rules->delay >= limit;
}

/* ---- quality */

/* Say what a rule of quality takes, and return it. */
static unsigned
need(struct host *host, enum sr_quality_rule rule)
{
    static const char *const preset[] = {"nist", "ad", "pwquality"};
    const unsigned number = host->pwq == NULL ? 0 : host->plan.need[rule];

    if (host->pwq == NULL)
        say(host, N_("libpwquality cannot be used"));
    else
        say(host, N_("%s: %u, by password.preset = %s"),
            sr_quality_rule_names[rule], number, preset[host->rules->preset]);
    return number;
}

static bool
least_length(struct host *host, long limit)
{
    const struct sr_pwquality_values *values =
        host->pwq == NULL ? NULL : sr_pwquality_values(host->pwq);
    const unsigned length = need(host, SR_QUALITY_LEN_MIN);

    if (host->pwq != NULL && host->plan.has_credits &&
        (values->dcredit > 0 || values->ucredit > 0 || values->lcredit > 0 ||
         values->ocredit > 0)) {
        say(host, N_("credits of pwquality.conf make shorter ones enough"));
        return false;
    }
    return length >= (unsigned long)limit;
}

/* At least, or at most, so many by the rule's own kind of quality. */
static bool
at_least(struct host *host, long limit)
{
    return need(host, host->quality) >= (unsigned long)limit;
}

static bool
at_most(struct host *host, long limit)
{
    const unsigned most = need(host, host->quality);

    return most > 0 && most <= (unsigned long)limit;
}

/* Classes in all, or one of each. */
static bool
classes(struct host *host, long limit)
{
    return (need(host, SR_QUALITY_CLASS_UPPER) > 0 &&
            need(host, SR_QUALITY_CLASS_LOWER) > 0 &&
            need(host, SR_QUALITY_CLASS_DIGIT) > 0 &&
            need(host, SR_QUALITY_CLASS_OTHER) > 0) ||
           need(host, SR_QUALITY_CLASS_MIN) >= (unsigned long)limit;
}

static bool
enforced(struct host *host, long limit)
{
    (void)limit;
    say(host, N_("the rules are enforced for every user"));
    return is_served(host, STACK_PASSWORD);
}

static bool
for_root(struct host *host, long limit)
{
    const bool is_enforced = host->rules->root == SR_ROOT_ENFORCE;

    (void)limit;
    say_key(host, "change", "root", is_enforced ? "enforce" : "advise");
    return is_enforced;
}

static bool
history(struct host *host, long limit)
{
    say_number(host, "password", "history", host->rules->history, "");
    return host->rules->history >= (unsigned long)limit;
}

static bool
tries(struct host *host, long limit)
{
    say_number(host, "change", "tries", host->rules->tries, "");
    return host->rules->tries <= (unsigned long)limit;
}

/* ---- ages */

/* A word of login.defs; empty: it is not set. */
static void
login_defs(const char *name, char *value, size_t size)
{
    FILE *stream = fopen(LOGIN_DEFS, "re");
    char line[512], word[64], text[128];

    value[0] = '\0';
    while (stream != NULL && fgets(line, sizeof(line), stream) != NULL) {
        if (sscanf(line, " %63[A-Z_] %127s", word, text) == 2 &&
            strcmp(word, name) == 0)
            snprintf(value, size, "%s", text);
    }
    if (stream != NULL)
        fclose(stream);
}

static long
login_defs_days(const char *name)
{
    char value[128];

    login_defs(name, value, sizeof(value));
    return value[0] == '\0' ? -1 : atol(value);
}

/* Whether the entry has a password that can be used, were it an empty one. */
static bool
has_password(const struct spwd *entry)
{
    return entry->sp_pwdp != NULL && entry->sp_pwdp[0] != '!' &&
           entry->sp_pwdp[0] != '*';
}

/* How many local accounts with a password break `is_bad`, and the first. */
static size_t
count_accounts(struct host *host, long limit,
               bool (*is_bad)(const struct host *host, const struct spwd *entry,
                              long limit),
               char first[64])
{
    FILE *stream = fopen("/etc/shadow", "re");
    const struct spwd *entry;
    size_t count = 0;

    first[0] = '\0';
    while (stream != NULL && (entry = fgetspent(stream)) != NULL) {
        if (!has_password(entry) || !is_bad(host, entry, limit))
            continue;
        if (count++ == 0)
            snprintf(first, 64, "%s", entry->sp_namp);
    }
    if (stream != NULL)
        fclose(stream);
    return count;
}

/* By login.defs for new accounts, and for each account that there is. */
static bool
ages(struct host *host, long limit, const char *name, bool is_most,
     bool (*is_bad)(const struct host *host, const struct spwd *entry,
                    long limit))
{
    const long days = login_defs_days(name);
    char first[64];
    const size_t bad = count_accounts(host, limit, is_bad, first);

    if (days < 0 || (is_most ? days > limit : days < limit)) {
        say(host, N_("%s: %s is %ld"), LOGIN_DEFS, name, days);
        return false;
    }
    if (bad > 0)
        say(host,
            _n("%zu account, it is %s", "%zu accounts, the first is %s", bad),
            bad, first);
    else
        say(host, N_("%s: %s %ld, and every account"), LOGIN_DEFS, name, days);
    return bad == 0;
}

static bool
is_too_old(const struct host *host, const struct spwd *entry, long limit)
{
    const int64_t own = host->rules->max_age;

    return (entry->sp_max < 0 || entry->sp_max > limit) &&
           (own == 0 || own > limit * SR_DAY);
}

static bool
max_age(struct host *host, long limit)
{
    return ages(host, limit, "PASS_MAX_DAYS", true, is_too_old);
}

static bool
is_too_new(const struct host *host, const struct spwd *entry, long limit)
{
    return entry->sp_min < limit && host->rules->minimum_age < limit * SR_DAY;
}

static bool
min_age(struct host *host, long limit)
{
    return ages(host, limit, "PASS_MIN_DAYS", false, is_too_new);
}

static bool
is_warned_late(const struct host *host, const struct spwd *entry, long limit)
{
    const bool is_own =
        host->rules->warn_by != SR_WARN_BY_ACCOUNT || entry->sp_warn < 0;

    return (is_own ? host->rules->warn / SR_DAY : entry->sp_warn) < limit;
}

static bool
warning(struct host *host, long limit)
{
    return ages(host, limit, "PASS_WARN_AGE", false, is_warned_late);
}

/* The limit is as that of unix_hash(). */
static bool
method(struct host *host, long limit)
{
    char value[128];

    login_defs("ENCRYPT_METHOD", value, sizeof(value));
    if (value[0] == '\0')
        say(host, N_("%s: ENCRYPT_METHOD is not set"), LOGIN_DEFS);
    else
        say(host, "%s: ENCRYPT_METHOD %s", LOGIN_DEFS, value);
    return (limit == 0 && strcmp(value, "YESCRYPT") == 0) ||
           strcmp(value, "SHA512") == 0;
}

static bool
is_never_inactive(const struct host *host, const struct spwd *entry, long limit)
{
    const int64_t own = host->rules->inactive;

    return (entry->sp_inact < 0 || entry->sp_inact > limit) &&
           (own == 0 || own > limit * SR_DAY);
}

/* No account may be as the test says. */
static bool
no_account(struct host *host, long limit, const char *otherwise,
           bool (*is_bad)(const struct host *host, const struct spwd *entry,
                          long limit))
{
    char first[64];
    const size_t bad = count_accounts(host, limit, is_bad, first);

    if (bad > 0)
        say(host,
            _n("%zu account, it is %s", "%zu accounts, the first is %s", bad),
            bad, first);
    else
        say(host, "%s", _(otherwise));
    return bad == 0;
}

static bool
inactive(struct host *host, long limit)
{
    return no_account(host, limit,
                      N_("every account, by shadow(5) or expiry.inactive"),
                      is_never_inactive);
}

static bool
is_of_the_future(const struct host *host, const struct spwd *entry, long limit)
{
    (void)limit;
    return entry->sp_lstchg > host->now / SR_DAY;
}

static bool
changed_in_the_past(struct host *host, long limit)
{
    return no_account(host, limit, N_("every account"), is_of_the_future);
}

static bool
is_empty(const struct host *host, const struct spwd *entry, long limit)
{
    (void)host;
    (void)limit;
    return entry->sp_pwdp[0] == '\0';
}

static bool
none_empty(struct host *host, long limit)
{
    return no_account(host, limit, N_("no account has one"), is_empty);
}

/* ---- the rules */

struct rule {
    struct {
        const char *id; /* NULL: it is not in this guide */
        long limit;
    } in[GUIDE_COUNT];
    const char *title;
    bool (*is_fulfilled)(struct host *host, long limit);
    enum sr_quality_rule quality; /* for at_least() and at_most(), else 0 */
};

#define NOWHERE                                                                \
    {                                                                          \
        NULL, 0                                                                \
    }

/* clang-format off */
static const struct rule rules[] = {
    {{{"5.3.2.1", 0}, NOWHERE}, N_("pam_unix is enabled"), has_unix, 0},
    {{{"5.3.2.2", 0}, NOWHERE}, N_("pam_faillock is enabled"), serves_auth, 0},
    {{{"5.3.2.3", 0}, {"UBTU-22-215010", 0}},
     N_("pam_pwquality is enabled"), serves_quality, 0},
    {{{"5.3.2.4", 0}, NOWHERE}, N_("pam_pwhistory is enabled"), serves_history, 0},
    {{{"5.3.3.1.1", 5}, {"UBTU-22-411045", 3}},
     N_("few wrong passwords lock an account"), attempts, 0},
    {{NOWHERE, {"UBTU-22-411045", 900}},
     N_("wrong passwords are counted for 15 minutes"), window, 0},
    {{{"5.3.3.1.2", 900}, {"UBTU-22-411045", 0}},
     N_("how long an account stays locked"), duration, 0},
    {{{"5.3.3.1.3", 0}, NOWHERE}, N_("root is locked as well"), root_lockout, 0},
    {{NOWHERE, {"UBTU-22-412010", 4}},
     N_("delay after a wrong password"), delay, 0},
    {{{"5.3.3.2.1", 2}, {"UBTU-22-611040", 8}},
     N_("characters that must differ"), at_least, SR_QUALITY_SIMILAR},
    {{{"5.3.3.2.2", 14}, {"UBTU-22-611035", 15}},
     N_("least length"), least_length, 0},
    {{{"5.3.3.2.3", 4}, NOWHERE}, N_("kinds of characters"), classes, 0},
    {{NOWHERE, {"UBTU-22-611010", 1}}, N_("an upper-case letter"), at_least,
     SR_QUALITY_CLASS_UPPER},
    {{NOWHERE, {"UBTU-22-611015", 1}}, N_("a lower-case letter"), at_least,
     SR_QUALITY_CLASS_LOWER},
    {{NOWHERE, {"UBTU-22-611020", 1}}, N_("a digit"), at_least,
     SR_QUALITY_CLASS_DIGIT},
    {{NOWHERE, {"UBTU-22-611025", 1}}, N_("a special character"), at_least,
     SR_QUALITY_CLASS_OTHER},
    {{{"5.3.3.2.4", 3}, NOWHERE}, N_("same characters in a row"), at_most,
     SR_QUALITY_REPEAT},
    {{{"5.3.3.2.5", 3}, NOWHERE}, N_("sequences of characters"), at_most,
     SR_QUALITY_SEQUENCE},
    {{{"5.3.3.2.6", 1}, {"UBTU-22-611030", 1}},
     N_("words of the dictionary"), at_least, SR_QUALITY_DICTIONARY},
    {{{"5.3.3.2.7", 0}, {"UBTU-22-611045", 0}},
     N_("the quality is enforced"), enforced, 0},
    {{NOWHERE, {"UBTU-22-611045", 3}}, N_("tries at a change"), tries, 0},
    {{{"5.3.3.2.8", 0}, NOWHERE}, N_("the quality holds for root"), for_root, 0},
    {{{"5.3.3.3.1", 24}, {"UBTU-22-611050", 5}},
     N_("old passwords that are refused"), history, 0},
    {{{"5.3.3.3.2", 0}, NOWHERE}, N_("the history holds for root"), for_root, 0},
    {{{"5.3.3.3.3", 0}, NOWHERE},
     N_("pam_pwhistory takes the password that was checked"), serves_history, 0},
    {{{"5.3.3.4.1", 0}, {"UBTU-22-611060", 0}},
     N_("no login with an empty password"), no_nullok, 0},
    {{NOWHERE, {"UBTU-22-611065", 0}}, N_("no empty passwords"), none_empty, 0},
    {{{"5.3.3.4.2", 0}, NOWHERE}, N_("pam_unix keeps no history"),
     unix_no_remember, 0},
    {{{"5.3.3.4.3", 0}, {"UBTU-22-611055", 1}},
     N_("pam_unix stores strong hashes"), unix_hash, 0},
    {{{"5.3.3.4.4", 0}, NOWHERE},
     N_("pam_unix takes the password that was checked"), unix_authtok, 0},
    {{{"5.4.1.1", 365}, {"UBTU-22-411030", 60}}, N_("greatest age"), max_age, 0},
    {{{"5.4.1.2", 1}, {"UBTU-22-411025", 1}}, N_("least age"), min_age, 0},
    {{{"5.4.1.3", 7}, NOWHERE}, N_("days of warning"), warning, 0},
    {{{"5.4.1.4", 0}, {"UBTU-22-611070", 1}},
     N_("hashes of new passwords"), method, 0},
    {{{"5.4.1.5", 45}, {"UBTU-22-411035", 35}},
     N_("lock after the password has expired"), inactive, 0},
    {{{"5.4.1.6", 0}, NOWHERE},
     N_("the last change was in the past"), changed_in_the_past, 0},
};
/* clang-format on */

static void
ignore_problem(void *context, const char *file, unsigned number,
               const char *what)
{
    (void)context;
    (void)file;
    (void)number;
    (void)what;
}

static void
read_stacks(struct host *host)
{
    static const char *const common[STACK_TYPE_COUNT] = {
        [STACK_AUTH] = "common-auth",
        [STACK_ACCOUNT] = "common-account",
        [STACK_PASSWORD] = "common-password",
        [STACK_SESSION] = "common-session",
    };
    struct stack_reader reader = {.folders = check_pam_folders,
                                  .problem = ignore_problem};

    for (int type = STACK_AUTH; type < STACK_TYPE_COUNT; type++) {
        const char *const names[] = {common[type], "system-auth", "login"};

        for (size_t i = 0; i < 3; i++) {
            if (stack_read(&reader, names[i], (enum stack_type)type,
                           &host->stack[type]))
                break;
            stack_free(&host->stack[type]);
        }
    }
}

static void
print_rule(struct report *report, const struct rule *rule,
           const struct host *host, bool is_fulfilled)
{
    const char *mark;
    char line[1024], first[64];

    if (report->is_json) {
        json_object(&report->json, NULL);
        json_string(&report->json, "rule", rule->in[host->guide].id);
        json_string(&report->json, "title", rule->title);
        json_bool(&report->json, "fulfilled", is_fulfilled);
        json_string(&report->json, "by", host->by);
        json_end(&report->json);
        return;
    }
    mark = is_fulfilled ? _("yes") : _("NO");
    snprintf(first, sizeof(first), "%-*s  %-15s ", ctl_pad(mark, 3), mark,
             rule->in[host->guide].id);
    snprintf(line, sizeof(line), "%s: %s.", _(rule->title), host->by);
    ctl_wrap(stdout, first, 21, line);
}

/* All rules of the guide; returns how many are not fulfilled. */
static size_t
print_rules(struct ctl *ctl, struct host *host)
{
    struct report report = {.is_json = ctl->is_json};
    size_t count = 0, bad = 0;

    json_begin(&report.json, stdout);
    if (ctl->is_json)
        json_array(&report.json, NULL);
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        bool is_fulfilled;

        if (rules[i].in[host->guide].id == NULL)
            continue;
        host->quality = rules[i].quality;
        is_fulfilled =
            rules[i].is_fulfilled(host, rules[i].in[host->guide].limit);
        print_rule(&report, &rules[i], host, is_fulfilled);
        count++;
        bad += !is_fulfilled;
    }
    if (ctl->is_json)
        json_end(&report.json);
    else
        ctl_print(ctl, "%zu of %zu rules are fulfilled.", count - bad, count);
    return bad;
}

int
ctl_check_benchmark(struct ctl *ctl, const char *name)
{
    struct host host = {.now = ctl->now};
    char why[256];
    size_t bad;
    int guide = 0;

    while (benchmark_names[guide] != NULL &&
           strcmp(benchmark_names[guide], name) != 0)
        guide++;
    if (guide == GUIDE_COUNT)
        return ctl_unknown(ctl, CTL_WORD_BENCHMARK, name, benchmark_names,
                           GUIDE_COUNT);
    if (!ctl_load(ctl))
        return CTL_ERRORS;
    host.guide = (enum guide)guide;
    host.config = ctl->config;
    host.rules = &ctl->config->rules;
    host.pwq = sr_pwquality_open(NULL, NULL, why, sizeof(why));
    if (host.pwq != NULL)
        sr_plan_make(&host.plan, host.rules, host.pwq);
    read_stacks(&host);
    bad = print_rules(ctl, &host);
    for (int type = STACK_AUTH; type < STACK_TYPE_COUNT; type++)
        stack_free(&host.stack[type]);
    sr_pwquality_close(host.pwq);
    return bad == 0 ? CTL_OK : CTL_WARNINGS;
}
