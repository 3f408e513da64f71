/*
 * Checkstack: stacks that would bypass or break the module.
 *
 * What a stack lets happen is found by walking it (walk.c), not by the look of
 * its lines: the same safety can be written in many ways.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/check/pam_stack.h"

#define SELF "pam_selfreset.so"

/* One check of a folder. */
struct check {
    struct stack_reader reader;
    struct findings *findings;
    const char *module;
    check_conf conf;
    void *conf_context;
    bool needs_logon;
    bool is_used; /* pam_selfreset stands in some stack */
};

/* One service, all four stacks. */
struct service {
    struct check *check;
    const char *name;
    struct stack stack[STACK_TYPE_COUNT];
};

/* A question about one stack, and the line it is about. */
struct asked {
    const struct stack *stack;
    enum stack_type type;
    size_t about;
};

/* ---- what lines are */

static bool
is_one_of(const char *module, const char *const list[])
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (strcmp(module, list[i]) == 0)
            return true;
    }
    return false;
}

static bool
is_self(const struct stack_line *line)
{
    return strcmp(line->module, SELF) == 0;
}

static bool
is_guard(const struct stack_line *line)
{
    return is_self(line) && stack_has(line, "guard");
}

static bool
is_settle(const struct stack_line *line)
{
    return is_self(line) && stack_has(line, "settle");
}

static bool
is_plain(const struct stack_line *line)
{
    return is_self(line) && !is_guard(line) && !is_settle(line);
}

/* Modules that check a password and, in a password stack, store one. */
static bool
is_keeper(const struct stack_line *line)
{
    static const char *const keepers[] = {"pam_unix.so",    "pam_unix2.so",
                                          "pam_sss.so",     "pam_ldap.so",
                                          "pam_krb5.so",    "pam_winbind.so",
                                          "pam_tcb.so",     "pam_pwdb.so",
                                          "pam_heimdal.so", NULL};

    return is_one_of(line->module, keepers);
}

/* Modules that let nobody in by themselves: what they say proves nothing. */
static bool
is_bystander(const struct stack_line *line)
{
    static const char *const bystanders[] = {"pam_permit.so",
                                             "pam_env.so",
                                             "pam_cap.so",
                                             "pam_group.so",
                                             "pam_mount.so",
                                             "pam_gnome_keyring.so",
                                             "pam_kwallet5.so",
                                             "pam_faildelay.so",
                                             "pam_nologin.so",
                                             "pam_warn.so",
                                             "pam_echo.so",
                                             "pam_motd.so",
                                             "pam_securetty.so",
                                             "pam_shells.so",
                                             "pam_access.so",
                                             "pam_time.so",
                                             "pam_ecryptfs.so",
                                             "pam_loginuid.so",
                                             "pam_faillock.so",
                                             "pam_tally2.so",
                                             "pam_debug.so",
                                             "pam_succeed_if.so",
                                             "pam_usertype.so",
                                             "pam_localuser.so",
                                             NULL};

    return is_one_of(line->module, bystanders);
}

static const struct stack_line *
find_line(const struct stack *stack, bool (*is)(const struct stack_line *))
{
    for (size_t i = 0; i < stack->count; i++) {
        if (is(stack->line[i]))
            return stack->line[i];
    }
    return NULL;
}

static void
add(const struct service *service, enum severity severity,
    const struct stack_line *line, const char *text, const char *advice)
{
    char place[4200];

    snprintf(place, sizeof(place), "%s:%u", line->file, line->number);
    findings_add(service->check->findings, severity, place, service->name,
                 advice, "%s", text);
}

static void
add_to_service(const struct service *service, enum severity severity,
               const char *text, const char *advice)
{
    char place[4200];

    snprintf(place, sizeof(place), "%s/%s", service->check->reader.folder,
             service->name);
    findings_add(service->check->findings, severity, place, NULL, advice, "%s",
                 text);
}

/* ---- questions for the walk */

/* Answers that a line can give at all. */
static bool
may_answer(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;
    const struct stack_line *line = asked->stack->line[index];

    if (answer == STACK_NEW_TOKEN && asked->type != STACK_ACCOUNT)
        return false;
    if (strcmp(line->module, "pam_deny.so") == 0)
        return answer == STACK_FAIL;
    if (strcmp(line->module, "pam_permit.so") == 0)
        return answer == STACK_SUCCESS;
    if (is_guard(line))
        return answer == STACK_IGNORE || answer == STACK_FAIL;
    if (is_plain(line))
        return answer != STACK_IGNORE;
    return true;
}

/* The same, and our lines say yes. */
static bool
may_with_us(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;
    const struct stack_line *line = asked->stack->line[index];

    if (is_plain(line))
        return answer == STACK_SUCCESS;
    return may_answer(context, index, answer);
}

/* The same in PRELIM of a password stack, where our first line is ignored. */
static bool
may_in_prelim(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;
    const struct stack_line *line = asked->stack->line[index];

    if (is_plain(line))
        return answer == STACK_IGNORE;
    if (is_settle(line))
        return answer == STACK_SUCCESS;
    return may_answer(context, index, answer);
}

enum mark {
    MARK_GUARD = 1,     /* a guard let it through */
    MARK_US = 2,        /* we proved it, or it is not our account */
    MARK_US_NO = 4,     /* we refused */
    MARK_BARE = 8,      /* the line asked about said yes, without a guard */
    MARK_ENCLOSED = 16, /* it said yes, behind a guard */
    MARK_SETTLED = 32,  /* and then came settle */
};

static unsigned
mark(void *context, size_t index, enum stack_answer answer, unsigned seen)
{
    const struct asked *asked = context;
    const struct stack_line *line = asked->stack->line[index];
    bool is_yes = answer == STACK_SUCCESS || answer == STACK_NEW_TOKEN;

    if (index == asked->about)
        return !is_yes                    ? 0
               : (seen & MARK_GUARD) != 0 ? MARK_ENCLOSED
                                          : MARK_BARE;
    if (is_guard(line))
        return answer == STACK_IGNORE ? MARK_GUARD : MARK_US_NO;
    if (is_settle(line))
        return (seen & (MARK_ENCLOSED | MARK_BARE)) != 0 ? MARK_SETTLED : 0;
    if (is_plain(line))
        return answer == STACK_FAIL ? MARK_US_NO : MARK_US;
    return 0;
}

static bool
always(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    (void)seen;
    (void)answer;
    return true;
}

/* auth: the line's yes let somebody in, and nobody counted. */
static bool
is_uncounted(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    (void)answer;
    if ((seen & MARK_US) != 0)
        return false;
    return (seen & MARK_BARE) != 0 ||
           ((seen & MARK_ENCLOSED) != 0 && (seen & MARK_SETTLED) == 0);
}

/* account, password: the line's yes was enough without us. */
static bool
is_without_us(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    (void)answer;
    return (seen & MARK_BARE) != 0 && (seen & MARK_US) == 0;
}

/* We refused, and that was not the end. */
static bool
is_overruled(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    (void)answer;
    return (seen & MARK_US_NO) != 0 && (seen & MARK_BARE) == 0;
}

/* password: the line stored a password that we checked, and no settle came. */
static bool
is_unsettled(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    (void)answer;
    return (seen & MARK_BARE) != 0 && (seen & MARK_US) != 0 &&
           (seen & MARK_SETTLED) == 0;
}

static bool
can(const struct service *service, enum stack_type type, size_t about,
    bool (*may)(void *, size_t, enum stack_answer),
    bool (*is_wanted)(void *, unsigned, enum stack_answer))
{
    struct asked asked = {&service->stack[type], type, about};
    const struct stack_question question = {mark, may, is_wanted, &asked};

    return stack_can_end(asked.stack, &question);
}

#define NO_LINE ((size_t)-1)

/* ---- auth */

static void
check_auth_keepers(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_AUTH];
    bool has_us = find_line(stack, is_self) != NULL;

    for (size_t i = 0; i < stack->count; i++) {
        if (!is_keeper(stack->line[i]) ||
            !can(service, STACK_AUTH, i, may_answer, is_uncounted))
            continue;
        add(service, has_us ? SEVERITY_ERROR : SEVERITY_WARNING, stack->line[i],
            "A password can be checked here and let its user in without "
            "being counted.  The lockout does not see such guesses.",
            "Let pam_selfreset.so check the password instead, or put it as "
            "guard before this line and as settle behind it.");
    }
}

/* Whether something else than a bystander or ours could let somebody in. */
static bool
has_other_proof(const struct stack *stack)
{
    for (size_t i = 0; i < stack->count; i++) {
        if (!is_self(stack->line[i]) && !is_bystander(stack->line[i]) &&
            strcmp(stack->line[i]->module, "pam_deny.so") != 0)
            return true;
    }
    return false;
}

static void
check_auth(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_AUTH];
    const struct stack_line *guard = find_line(stack, is_guard);
    const struct stack_line *settle = find_line(stack, is_settle);
    const struct stack_line *self = find_line(stack, is_self);

    check_auth_keepers(service);
    if (self == NULL)
        return;
    if (guard != NULL && settle == NULL)
        add(service, SEVERITY_ERROR, guard,
            "There is a guard and no settle behind it.  Every right password "
            "counts as a wrong one.",
            "Add \"auth required pam_selfreset.so settle\" behind the module "
            "that checks the password.");
    if (settle != NULL && guard == NULL)
        add(service, SEVERITY_ERROR, settle,
            "There is a settle and no guard before it.  Wrong passwords are "
            "not counted.",
            "Add \"auth requisite pam_selfreset.so guard\" before the module "
            "that checks the password.");
    if (!has_other_proof(stack) &&
        can(service, STACK_AUTH, NO_LINE, may_answer, is_overruled))
        add(service, SEVERITY_ERROR, self,
            "What this line refuses, the stack lets in all the same.",
            "Make the line required.");
    if (!can(service, STACK_AUTH, NO_LINE, may_with_us, always))
        add(service, SEVERITY_ERROR, self,
            "Nobody can log in with this stack, even with the right password.",
            "Look at the jumps: a number counts the lines to leave out.");
}

/* ---- account */

static void
check_account_bypass(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_ACCOUNT];

    for (size_t i = 0; i < stack->count; i++) {
        const struct stack_line *line = stack->line[i];

        if (is_self(line))
            break;
        /* Only a line that cuts the way short can be at fault. */
        if ((line->action[STACK_SUCCESS] == STACK_DO_DONE ||
             line->action[STACK_SUCCESS] > 0) &&
            can(service, STACK_ACCOUNT, i, may_answer, is_without_us))
            add(service, SEVERITY_ERROR, line,
                "This line can end the account stack before pam_selfreset.so "
                "is asked.  Expired and locked accounts then get in.",
                "Put pam_selfreset.so before this line.");
    }
}

static bool
has_self(const struct service *service, enum stack_type type)
{
    return find_line(&service->stack[type], is_self) != NULL;
}

static void
check_account_missing(const struct service *service)
{
    const struct stack_line *keeper =
        find_line(&service->stack[STACK_ACCOUNT], is_keeper);
    bool has_auth = has_self(service, STACK_AUTH);
    static const char text[] =
        "The account stack does not ask pam_selfreset.so.  Nobody is warned, "
        "and expired and locked accounts get in.";
    static const char advice[] =
        "Add \"account required pam_selfreset.so\"; where other modules have "
        "accounts of their own, \"account [success=ok new_authtok_reqd=ok "
        "user_unknown=ignore default=die] pam_selfreset.so\" before them.";

    if (keeper != NULL)
        add(service, has_auth ? SEVERITY_ERROR : SEVERITY_WARNING, keeper, text,
            advice);
    else if (has_auth)
        add_to_service(service, SEVERITY_ERROR, text, advice);
}

/* A demand for a new password that the stack makes a plain success. */
static bool
may_demand(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;

    if (is_plain(asked->stack->line[index]))
        return answer == STACK_NEW_TOKEN;
    return answer != STACK_NEW_TOKEN && may_answer(context, index, answer);
}

static bool
is_plain_success(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    return (seen & MARK_US) != 0 && answer == STACK_SUCCESS;
}

static void
check_account(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_ACCOUNT];
    const struct stack_line *self = find_line(stack, is_plain);

    if (self == NULL) {
        check_account_missing(service);
        return;
    }
    check_account_bypass(service);
    if (can(service, STACK_ACCOUNT, NO_LINE, may_answer, is_overruled))
        add(service, SEVERITY_ERROR, self,
            "What this line refuses, the stack lets in all the same.",
            "Make the line required.");
    if (can(service, STACK_ACCOUNT, NO_LINE, may_demand, is_plain_success))
        add(service, SEVERITY_ERROR, self,
            "The stack ignores the demand for a new password.  Expired "
            "passwords are not changed.",
            "Make the line required, or say new_authtok_reqd=done.");
    if (!can(service, STACK_ACCOUNT, NO_LINE, may_with_us, always))
        add(service, SEVERITY_ERROR, self,
            "Nobody can log in with this stack, even when all is well.",
            "Look at the jumps: a number counts the lines to leave out.");
}

/* ---- password */

static void
check_one_storer(const struct service *service, size_t index)
{
    const struct stack_line *line = service->stack[STACK_PASSWORD].line[index];

    if (can(service, STACK_PASSWORD, index, may_answer, is_without_us)) {
        add(service,
            has_self(service, STACK_PASSWORD) ? SEVERITY_ERROR
                                              : SEVERITY_WARNING,
            line,
            "New passwords can be stored here without pam_selfreset.so.  "
            "The rules for changes and for passwords are bypassed.",
            "Put pam_selfreset.so before this line, as pam_selfreset(8) "
            "shows.");
        return;
    }
    if (can(service, STACK_PASSWORD, index, may_answer, is_unsettled))
        add(service, SEVERITY_ERROR, line,
            "What is stored here is not settled.  The history is not kept, "
            "and temporary passwords are not ended.",
            "Add \"password required pam_selfreset.so settle\" behind it.");
    if (!stack_has(line, "use_authtok"))
        add(service, SEVERITY_ERROR, line,
            "Without use_authtok this line asks for a new password of its "
            "own, which is not the one that was checked.",
            "Add use_authtok to the line.");
}

static void
check_password(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_PASSWORD];
    const struct stack_line *self = find_line(stack, is_plain);

    for (size_t i = 0; i < stack->count; i++) {
        if (is_keeper(stack->line[i]))
            check_one_storer(service, i);
    }
    if (self == NULL)
        return;
    if (!can(service, STACK_PASSWORD, NO_LINE, may_in_prelim, always))
        add(service, SEVERITY_ERROR, self,
            "No password can be changed with this stack.  In the first pass "
            "pam_selfreset.so answers PAM_IGNORE, and a later line has to "
            "succeed.",
            "Write it as pam_selfreset(8) shows: [success=ok ignore=1 "
            "default=die], and settle behind the line that stores.");
}

/* ---- all types */

/* Modules that do the same work as ours, and then disagree with it. */
static void
check_rivals(const struct service *service)
{
    static const char *const lockouts[] = {"pam_faillock.so", "pam_tally2.so",
                                           "pam_tally.so", "pam_abl.so", NULL};
    static const char *const checkers[] = {
        "pam_pwquality.so", "pam_pwhistory.so", "pam_cracklib.so",
        "pam_passwdqc.so", NULL};

    for (int type = 0; type < STACK_TYPE_COUNT; type++) {
        const struct stack *stack = &service->stack[type];

        if (!has_self(service, (enum stack_type)type))
            continue;
        for (size_t i = 0; i < stack->count; i++) {
            const struct stack_line *line = stack->line[i];

            if (is_one_of(line->module, lockouts))
                add(service, SEVERITY_WARNING, line,
                    "A second lockout counts here.  It can refuse right "
                    "passwords, and \"selfresetctl unlock\" does not end it.",
                    "Take this line out.");
            if (type == STACK_PASSWORD && is_one_of(line->module, checkers))
                add(service, SEVERITY_WARNING, line,
                    "A second module checks new passwords.  Its user meets "
                    "two sets of rules, one after the other.",
                    "Take this line out; [password] in selfreset.conf(5) has "
                    "its rules.");
        }
    }
}

static bool
is_known_argument(const char *text)
{
    static const char *const known[] = {
        "debug",          "guard",          "settle", "use_authtok",
        "try_first_pass", "use_first_pass", NULL};

    return is_one_of(text, known) ||
           (strncmp(text, "conf=", 5) == 0 && text[5] != '\0') ||
           (strncmp(text, "backend=", 8) == 0 && text[8] != '\0');
}

/* Our own lines: their arguments, and whether libpam finds the module. */
static void
check_line(const struct service *service, enum stack_type type,
           const struct stack_line *line)
{
    const char *file =
        line->path[0] == '/' ? line->path : service->check->module;
    char text[512];

    for (size_t i = 0; i < line->argument_count; i++) {
        const char *argument = line->argument[i];

        if (strncmp(argument, "conf=", 5) == 0 && service->check->conf != NULL)
            service->check->conf(service->check->conf_context, argument + 5);
        if (is_known_argument(argument))
            continue;
        snprintf(text, sizeof(text),
                 "pam_selfreset.so has no argument \"%.200s\".  It answers "
                 "every call with an error.",
                 argument);
        add(service, SEVERITY_ERROR, line, text,
            "See pam_selfreset(8) for its arguments.");
    }
    if ((stack_has(line, "guard") && type != STACK_AUTH) ||
        (stack_has(line, "settle") && type != STACK_AUTH &&
         type != STACK_PASSWORD))
        add(service, SEVERITY_ERROR, line,
            "This argument has no meaning in this type of stack.",
            "guard belongs to auth; settle to auth and password.");
    if (file != NULL && access(file, R_OK) != 0) {
        snprintf(text, sizeof(text),
                 "The module is not installed as %.300s.  libpam fails at "
                 "this line.",
                 file);
        add(service, SEVERITY_ERROR, line, text, "Install it there.");
    }
}

/* Services by which people log in; sudo, cron and the like open sessions too,
 * and have nothing to tell or to remember. */
static bool
is_login(const char *service)
{
    static const char *const logins[] = {
        "login",   "remote", "sshd", "su",   "su-l", "gdm-password",
        "lightdm", "sddm",   "xdm",  "lxdm", "kde",  NULL};

    return is_one_of(service, logins);
}

static bool
is_loginuid(const struct stack_line *line)
{
    static const char *const names[] = {"pam_loginuid.so", NULL};

    return is_one_of(line->module, names);
}

/* A login whose sessions would not be known as those of their users.  su takes
 * over the session that it is called in. */
static void
check_session(const struct service *service)
{
    static const char *const su[] = {"su", "su-l", NULL};

    if (!is_login(service->name) || !has_self(service, STACK_AUTH))
        return;
    if (!has_self(service, STACK_SESSION))
        add_to_service(service, SEVERITY_WARNING,
                       "The session stack does not have pam_selfreset.so.  "
                       "Users are not told of failed attempts, and their "
                       "usual addresses are not remembered, so that a "
                       "stranger can lock them out.",
                       "Add \"session optional pam_selfreset.so\".");
    if (service->check->needs_logon && !is_one_of(service->name, su) &&
        find_line(&service->stack[STACK_SESSION], is_loginuid) == NULL)
        add_to_service(service, SEVERITY_ERROR,
                       "The session stack does not have pam_loginuid.so, by "
                       "which change.require_logon knows who is logged on.  "
                       "Who logs in here cannot change the password.",
                       "Add \"session required pam_loginuid.so\".");
}

static void
check_service(const struct service *service)
{
    bool is_used = false;

    for (int type = 0; type < STACK_TYPE_COUNT; type++) {
        const struct stack *stack = &service->stack[type];

        for (size_t i = 0; i < stack->count; i++) {
            if (!is_self(stack->line[i]))
                continue;
            is_used = true;
            check_line(service, (enum stack_type)type, stack->line[i]);
        }
    }
    service->check->is_used = service->check->is_used || is_used;
    check_auth(service);
    check_account(service);
    check_password(service);
    check_rivals(service);
    check_session(service);
}

static void
read_and_check(struct check *check, const char *name)
{
    struct service service = {.check = check, .name = name};
    bool is_whole = true;

    for (int type = 0; type < STACK_TYPE_COUNT; type++) {
        /* Problems of the files are the same for each type: told once. */
        is_whole = stack_read(&check->reader, name, (enum stack_type)type,
                              &service.stack[type]) &&
                   is_whole;
    }
    if (is_whole)
        check_service(&service);
    for (int type = 0; type < STACK_TYPE_COUNT; type++)
        stack_free(&service.stack[type]);
}

static void
note_problem(void *context, const char *file, unsigned number, const char *what)
{
    struct check *check = context;
    char place[4200];

    if (number == 0)
        snprintf(place, sizeof(place), "%s", file);
    else
        snprintf(place, sizeof(place), "%s:%u", file, number);
    findings_add(check->findings, SEVERITY_ERROR, place, NULL,
                 "See pam.conf(5) for what can stand here.",
                 "libpam refuses this: %s.", what);
}

/* Names of services; common-* and the like are files that others include, and
 * are seen there. */
static int
is_service(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t length = strlen(name);
    static const char *const endings[] = {
        "~",       ".dpkg-old", ".dpkg-new", ".dpkg-dist",
        ".rpmnew", ".rpmsave",  ".rpmorig",  ".bak"};

    if (name[0] == '.' || strncmp(name, "common-", 7) == 0)
        return 0;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t size = strlen(endings[i]);

        if (length > size && strcmp(name + length - size, endings[i]) == 0)
            return 0;
    }
    return 1;
}

static void
check_folder(struct check *check, const char *folder, const char *hidden_by)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, is_service, alphasort);

    for (int i = 0; i < count; i++) {
        char path[4200];

        snprintf(path, sizeof(path), "%s/%s",
                 hidden_by == NULL ? "" : hidden_by, names[i]->d_name);
        if (hidden_by == NULL || access(path, F_OK) != 0)
            read_and_check(check, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (count < 0 && hidden_by == NULL)
        findings_add(check->findings, SEVERITY_ERROR, folder, NULL,
                     "Make it readable.", "The folder cannot be read.");
}

/* When no stack has the module, one sentence says more than thirty. */
static void
say_unused(struct check *check)
{
    const char *folder = check->reader.folder;

    findings_free(check->findings);
    findings_add(check->findings, SEVERITY_ERROR, folder, NULL,
                 "Add it to the stacks, as pam_selfreset(8) shows.",
                 "No stack has pam_selfreset.so.  It guards nothing.");
}

void
check_stacks(const char *folder, const char *next_folder, const char *module,
             bool needs_logon, check_conf conf, void *context,
             struct findings *findings)
{
    struct findings found = {0};
    struct check check = {
        .reader = {.folder = folder,
                   .next_folder = next_folder,
                   .problem = note_problem},
        .findings = &found,
        .module = module,
        .needs_logon = needs_logon,
        .conf = conf,
        .conf_context = context,
    };

    check.reader.context = &check;
    check_folder(&check, folder, NULL);
    if (next_folder != NULL)
        check_folder(&check, next_folder, folder);
    if (!check.is_used)
        say_unused(&check);
    for (size_t i = 0; i < found.count; i++)
        findings_add(findings, found.item[i].severity, found.item[i].place,
                     found.item[i].subjects, found.item[i].advice, "%s",
                     found.item[i].text);
    findings->is_cut = findings->is_cut || found.is_cut;
    findings_free(&found);
    stack_reader_free(&check.reader);
}
