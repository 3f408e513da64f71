/*
 * PAM auth: see pam_auth.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "tools/check/pam_auth.h"
#include "tools/check/pam_modules.h"

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
may_unproved(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;
    const struct stack_line *line = asked->stack->line[index];

    bool is_meant = strcmp(line->file, asked->service->file) == 0 &&
                    !service_has_self(asked->service, STACK_AUTH);

    if (answer == STACK_SUCCESS &&
        (is_meant || !module_is_bystander(line) || module_is_condition(line)))
        return false;
    if (answer == STACK_IGNORE && module_is_proof(line))
        return may_abstain(line);
    return service_may(context, index, answer);
}

/* The password is wrong: nothing that verifies one says yes.  The account is
 * one that is left to another module behind a guard. */
static bool
may_when_wrong(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;
    const struct stack_line *line = asked->stack->line[index];

    if (module_is_plain(line))
        return answer == STACK_UNKNOWN;
    if (answer == STACK_SUCCESS && module_is_proof(line))
        return false;
    return service_may(context, index, answer);
}

/* The same, and the line asked about is the first that verifies: it knows the
 * account. */
static bool
may_when_known(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;

    if (index == asked->about)
        return answer == STACK_WRONG;
    return may_when_wrong(context, index, answer);
}

/* The account is a directory's, and not this module's: of what proves, only
 * modules of directories say yes. */
static bool
may_for_directory(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;
    const struct stack_line *line = asked->stack->line[index];
    bool is_yes = answer == STACK_SUCCESS || answer == STACK_NEW_TOKEN;

    if (module_is_plain(line))
        return answer == STACK_UNKNOWN;
    if (is_yes && asked->type == STACK_AUTH && module_is_proof(line) &&
        (!module_is_verifier(line) || module_is_local(line)))
        return false;
    return service_may(context, index, answer);
}

/* ---- good ends that are looked for */

/* The line's yes let somebody in, and nothing counted the attempt. */
static bool
is_uncounted(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    (void)answer;
    return ((seen & MARK_BARE) != 0 &&
            (seen & (MARK_US | MARK_NOT_OURS)) == 0) ||
           ((seen & MARK_GUARDED) != 0 && (seen & MARK_SETTLED) == 0);
}

static bool
is_by_the_line(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    (void)answer;
    return (seen & (MARK_BARE | MARK_GUARDED)) != 0;
}

/* ---- open stacks */

static bool
is_open_at(const struct service *service, size_t index, bool is_permit)
{
    const struct stack_line *line = service->stack[STACK_AUTH].line[index];

    return module_is_bystander(line) && module_is_permit(line) == is_permit &&
           service_can(service, STACK_AUTH, index, may_unproved,
                       is_by_the_line);
}

void
check_auth_open(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_AUTH];
    const struct stack_line *line = NULL;

    /* A pam_permit.so is more likely the mistake than what comes before it. */
    for (size_t i = 0; line == NULL && i < 2 * stack->count; i++) {
        if (is_open_at(service, i % stack->count, i < stack->count))
            line = stack->line[i % stack->count];
    }
    if (line != NULL)
        service_add(service, SEVERITY_ERROR, line,
                    "Anybody gets in without a proof: no line has to verify a "
                    "password for the stack to succeed.",
                    "Put a line that verifies before it, such as "
                    "pam_unix.so (Debian: \"pam-auth-update --enable unix\").");
}

/* Taken out by pam-auth-update, the module leaves an open stack behind when
 * nothing else verifies: it then writes "auth [default=1] pam_permit.so". */
static void
check_remainder(const struct service *service)
{
    const struct stack_line *self =
        service_line(service, STACK_AUTH, module_is_self);
    const char *name = strrchr(self->file, '/');

    if (name != NULL && strcmp(name, "/common-auth") == 0 &&
        service_line(service, STACK_AUTH, module_is_proof) == NULL)
        service_add(service, SEVERITY_WARNING, self,
                    "No other module verifies passwords in this stack.  If "
                    "pam-auth-update takes this one out, anybody gets in.",
                    "Run \"pam-auth-update --enable unix\": pam_unix.so then "
                    "stays below.");
}

/* ---- guard and settle */

/* A verifier between guard and settle, whose line lets a wrong password reach
 * settle, or end as the outage of another module. */
static void
check_guarded(const struct service *service, size_t index)
{
    const struct stack_line *line = service->stack[STACK_AUTH].line[index];
    const unsigned reaches = MARK_REFUSED | MARK_SETTLED;

    if (service_passes(service, STACK_AUTH, index, may_when_wrong, reaches,
                       true))
        service_add(service, SEVERITY_ERROR, line,
                    "settle is reached although this line has not said that "
                    "the password is right: wrong passwords can count as "
                    "right ones.",
                    "Write the line as \"auth [success=ok default=die]\", in "
                    "the same file as settle (include, not substack).");
    else if (service_passes(service, STACK_AUTH, index, may_when_known,
                            MARK_REFUSED | MARK_AWAY, false))
        service_add(service, SEVERITY_ERROR, line,
                    "After a wrong password here a later module is asked.  Its "
                    "answer (PAM_AUTHINFO_UNAVAIL when it is away) hides that "
                    "the password was wrong.",
                    "Leave only unknown names to the later module: \"auth "
                    "[success=N user_unknown=ignore default=die]\".");
}

static void
check_guards(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_AUTH];
    const struct stack_line *guard =
        service_line(service, STACK_AUTH, module_is_guard);
    const struct stack_line *settle =
        service_line(service, STACK_AUTH, module_is_settle);

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
        if (guard != NULL && settle != NULL && module_is_proof(stack->line[i]))
            check_guarded(service, i);
    }
}

/* ---- all others */

static void
check_uncounted(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_AUTH];
    bool has_us = service_has_self(service, STACK_AUTH);

    for (size_t i = 0; i < stack->count; i++) {
        if (!module_is_verifier(stack->line[i]) ||
            !service_can(service, STACK_AUTH, i, service_may, is_uncounted))
            continue;
        service_add(service, has_us ? SEVERITY_ERROR : SEVERITY_WARNING,
                    stack->line[i],
                    "A password can be verified here and let its user in "
                    "without being counted.  The lockout does not see such "
                    "guesses.",
                    "Put pam_selfreset.so before this line, as "
                    "pam_selfreset(8) shows, or as guard before it and as "
                    "settle behind it.");
    }
}

void
check_auth(const struct service *service)
{
    const struct stack_line *self =
        service_line(service, STACK_AUTH, module_is_self);

    check_uncounted(service);
    if (self == NULL)
        return;
    check_guards(service);
    check_remainder(service);
}

void
check_dead(const struct service *service, enum stack_type type)
{
    const struct stack_line *self = service_line(service, type, module_is_self);

    if (self != NULL && !service_can(service, type, NO_LINE,
                                     service_may_with_us, service_always))
        service_add(service, SEVERITY_ERROR, self,
                    "Nobody can log in with this stack, even with the right "
                    "password and an account that is in order.",
                    "Look at the jumps: a number counts the lines to leave "
                    "out.");
}

void
check_directory(const struct service *service, const char *directory)
{
    static const char *const name[] = {
        [STACK_AUTH] = "auth", [STACK_ACCOUNT] = "account"};
    char text[300];

    for (int type = STACK_AUTH; type <= STACK_ACCOUNT; type++) {
        const struct stack_line *self =
            service_line(service, (enum stack_type)type, module_is_plain);

        if (self == NULL || service_can(service, (enum stack_type)type, NO_LINE,
                                        may_for_directory, service_always))
            continue;
        snprintf(text, sizeof(text),
                 "nsswitch.conf takes accounts from \"%.60s\".  This module "
                 "does not serve them, and no other line of the %s stack "
                 "does: they cannot log in.",
                 directory, name[type]);
        service_add(service, SEVERITY_ERROR, self, text,
                    "Add the directory's module behind this line, as README "
                    "shows under \"Hosts with sssd, nslcd or winbind\", and "
                    "write user_unknown=ignore in this line's control.");
    }
}
