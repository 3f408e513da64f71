/*
 * PAM auth: see pam_auth.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "tools/check/pam_auth.h"
#include "tools/words.h"

/* ---- answers that lines give in certain cases */

/* Whether a module may leave the decision to others (pam_sss.so and others with
 * ignore_unknown_user and the like). */
static bool
may_abstain(const struct stack_line *line)
{
    for (size_t i = 0; i < line->argument_count; i++) {
        if (strncmp(line->argument[i], "ignore_", 7) == 0)
            return true;
    }
    return false;
}

/* No module proves anything.  What the service's own file permits, as that of
 * an autologin does, is meant as it is written. */
static bool
may_unproved(const struct question *question, const struct stack_line *line,
             enum stack_answer answer)
{
    const struct service *service = question->service;
    bool is_meant = strcmp(line->file, service->file) == 0 &&
                    service_line(service, STACK_AUTH, MODULE_SELF) == NULL;

    if (answer == STACK_SUCCESS &&
        (is_meant || (line->kinds & MODULE_BYSTANDER) == 0 ||
         (line->kinds & MODULE_CONDITION) != 0))
        return false;
    if (answer == STACK_IGNORE && (line->kinds & MODULE_PROOF) != 0)
        return may_abstain(line);
    return service_may(question, line, answer);
}

/* The password is wrong: nothing that verifies one succeeds.  The account is
 * one that is left to another module behind a guard. */
static bool
may_when_wrong(const struct question *question, const struct stack_line *line,
               enum stack_answer answer)
{
    if ((line->kinds & MODULE_PLAIN) != 0)
        return answer == STACK_UNKNOWN;
    if (answer == STACK_SUCCESS && (line->kinds & MODULE_PROOF) != 0)
        return false;
    return service_may(question, line, answer);
}

/* The same, and the line asked about is the first that verifies: it knows the
 * account. */
static bool
may_when_known(const struct question *question, const struct stack_line *line,
               enum stack_answer answer)
{
    if (line == question->about)
        return answer == STACK_WRONG;
    return may_when_wrong(question, line, answer);
}

/* The account is a directory's, and not this module's: of what proves, only
 * modules of directories succeed. */
static bool
may_for_directory(const struct question *question,
                  const struct stack_line *line, enum stack_answer answer)
{
    bool is_yes = answer == STACK_SUCCESS || answer == STACK_NEW_TOKEN;

    if ((line->kinds & MODULE_PLAIN) != 0)
        return answer == STACK_UNKNOWN;
    if (is_yes && question->type == STACK_AUTH &&
        (line->kinds & MODULE_PROOF) != 0 &&
        ((line->kinds & MODULE_VERIFIER) == 0 ||
         (line->kinds & MODULE_LOCAL) != 0))
        return false;
    return service_may(question, line, answer);
}

/* ---- open stacks */

/* Whether the success of a line that proves nothing is enough. */
static bool
is_open_at(const struct service *service, const struct stack_line *line,
           bool is_permit)
{
    struct question question = {
        .service = service, .about = line, .may = may_unproved};

    if ((line->kinds & MODULE_BYSTANDER) == 0 ||
        ((line->kinds & MODULE_PERMIT) != 0) != is_permit)
        return false;
    question.all = MARK_BARE;
    if (service_can(&question))
        return true;
    question.all = MARK_GUARDED;
    return service_can(&question);
}

void
check_auth_open(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_AUTH];
    const struct stack_line *line = NULL;

    /* A pam_permit.so is more likely the mistake than what comes before it. */
    for (size_t i = 0; line == NULL && i < 2 * stack->count; i++) {
        const struct stack_line *next = stack->line[i % stack->count];

        if (is_open_at(service, next, i < stack->count))
            line = next;
    }
    if (line != NULL)
        service_add(service, SEVERITY_ERROR, line,
                    "This stack succeeds without authentication: no line has "
                    "to verify a password.",
                    "Put a line that verifies before it, such as "
                    "pam_unix.so (Debian: \"pam-auth-update --enable unix\").");
}

/* Taken out by pam-auth-update, the module leaves an open stack behind when
 * nothing else verifies: it then writes "auth [default=1] pam_permit.so". */
static void
check_remainder(const struct service *service)
{
    const struct stack_line *self =
        service_line(service, STACK_AUTH, MODULE_SELF);
    const char *name = strrchr(self->file, '/');

    if (name != NULL && strcmp(name, "/common-auth") == 0 &&
        service_line(service, STACK_AUTH, MODULE_PROOF) == NULL)
        service_add(service, SEVERITY_WARNING, self,
                    "No other module verifies passwords in this stack.  If "
                    "pam-auth-update removes this one, the stack succeeds "
                    "without authentication.",
                    "Run \"pam-auth-update --enable unix\": pam_unix.so then "
                    "stays below.");
}

/* ---- guard and settle */

/* A verifier between guard and settle, by whose line a wrong password can reach
 * settle, or end as the outage of another module. */
static void
check_guarded(const struct service *service, const struct stack_line *line)
{
    const struct question reaches_settle = {.service = service,
                                            .about = line,
                                            .may = may_when_wrong,
                                            .all = MARK_REFUSED | MARK_SETTLED,
                                            .is_passing = true,
                                            .follows_bad = true};
    const struct question is_hidden = {.service = service,
                                       .about = line,
                                       .may = may_when_known,
                                       .all = MARK_REFUSED | MARK_AWAY,
                                       .is_passing = true};

    if (service_can(&reaches_settle))
        service_add(service, SEVERITY_ERROR, line,
                    "settle is reached although this line has not said that "
                    "the password is right: wrong passwords can count as "
                    "right ones.",
                    "Write the line as \"auth [success=ok default=die]\", in "
                    "the same file as settle (include, not substack).");
    else if (service_can(&is_hidden))
        service_add(
            service, SEVERITY_ERROR, line,
            "After a wrong password here a later module is asked.  Its answer "
            "(PAM_AUTHINFO_UNAVAIL when it is unreachable) hides that "
            "the password was wrong.",
            "Leave only unknown names to the later module: \"auth "
            "[success=N user_unknown=ignore default=die]\".");
}

static void
check_guards(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_AUTH];
    const struct stack_line *guard =
        service_line(service, STACK_AUTH, MODULE_GUARD);
    const struct stack_line *settle =
        service_line(service, STACK_AUTH, MODULE_SETTLE);

    if (guard != NULL && settle == NULL)
        service_add(service, SEVERITY_ERROR, guard,
                    "There is a guard and no settle behind it.  Right "
                    "passwords can count as wrong ones.",
                    "Add \"auth required pam_selfreset.so settle\" behind the "
                    "module that verifies the password.");
    if (settle != NULL && guard == NULL)
        service_add(service, SEVERITY_ERROR, settle,
                    "There is a settle and no guard before it.  Wrong "
                    "passwords are not counted.",
                    "Add \"auth requisite pam_selfreset.so guard\" before the "
                    "module that verifies the password.");
    for (size_t i = 0; i < stack->count; i++) {
        if (guard != NULL && settle != NULL &&
            (stack->line[i]->kinds & MODULE_PROOF) != 0)
            check_guarded(service, stack->line[i]);
    }
}

/* ---- all others */

/* Whether the line can accept a password uncounted. */
static bool
is_uncounted(const struct service *service, const struct stack_line *line)
{
    const struct question bare = {.service = service,
                                  .about = line,
                                  .all = MARK_BARE,
                                  .none = MARK_US | MARK_NOT_OURS};
    const struct question unsettled = {.service = service,
                                       .about = line,
                                       .all = MARK_GUARDED,
                                       .none = MARK_SETTLED};

    return (line->kinds & MODULE_VERIFIER) != 0 &&
           (service_can(&bare) || service_can(&unsettled));
}

static void
check_uncounted(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_AUTH];
    bool has_us = service_line(service, STACK_AUTH, MODULE_SELF) != NULL;

    for (size_t i = 0; i < stack->count; i++) {
        if (!is_uncounted(service, stack->line[i]))
            continue;
        service_add(service, has_us ? SEVERITY_ERROR : SEVERITY_WARNING,
                    stack->line[i],
                    "A password can be verified here and accepted without "
                    "being counted.  The lockout does not see such guesses.",
                    "Put pam_selfreset.so before this line, as "
                    "pam_selfreset(8) shows, or as guard before it and as "
                    "settle behind it.");
    }
}

void
check_auth(const struct service *service)
{
    check_uncounted(service);
    if (service_line(service, STACK_AUTH, MODULE_SELF) == NULL)
        return;
    check_guards(service);
    check_remainder(service);
}

void
check_dead(const struct service *service, enum stack_type type)
{
    const struct question question = {
        .service = service, .type = type, .may = service_may_with_us};

    if (!service->stack[type].is_refused && !service_can(&question))
        service_add(
            service, SEVERITY_ERROR, service_line(service, type, MODULE_SELF),
            "No login succeeds with this stack, even with the right password "
            "and a valid account.",
            "Check the jumps: each number is that of the lines to skip.");
}

void
check_directory(const struct service *service, const char *directory)
{
    static const char *const name[] = {
        [STACK_AUTH] = "auth", [STACK_ACCOUNT] = "account"};
    char text[1024];

    for (int type = STACK_AUTH; type <= STACK_ACCOUNT; type++) {
        const struct stack_line *self =
            service_line(service, (enum stack_type)type, MODULE_PLAIN);
        const struct question question = {.service = service,
                                          .type = (enum stack_type)type,
                                          .may = may_for_directory};

        if (self == NULL || service_can(&question))
            continue;
        snprintf(text, sizeof(text),
                 _("nsswitch.conf takes accounts from \"%.60s\".  This module "
                   "does not serve them, and no other line of the %s stack "
                   "does: they cannot log in."),
                 directory, name[type]);
        service_add(service, SEVERITY_ERROR, self, text,
                    "Add the directory's module behind this line, as README "
                    "shows under \"Hosts with sssd, nslcd or winbind\", and "
                    "write user_unknown=ignore in this line's control.");
    }
}
