/*
 * PAM service: the four stacks of one service, and what is asked of them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>

#include "tools/check/pam_modules.h"
#include "tools/check/pam_paths.h"
#include "tools/check/pam_service.h"

void
service_add(const struct service *service, enum severity severity,
            const struct stack_line *line, const char *text, const char *advice)
{
    char place[4200];

    snprintf(place, sizeof(place), "%s:%u", line->file, line->number);
    findings_add(service->findings, severity, place, service->name, advice,
                 "%s", text);
}

void
service_add_whole(const struct service *service, enum severity severity,
                  const char *text, const char *advice)
{
    findings_add(service->findings, severity, service->file, NULL, advice, "%s",
                 text);
}

const struct stack_line *
service_line(const struct service *service, enum stack_type type,
             bool (*is)(const struct stack_line *line))
{
    const struct stack *stack = &service->stack[type];

    for (size_t i = 0; i < stack->count; i++) {
        if (is(stack->line[i]))
            return stack->line[i];
    }
    return NULL;
}

bool
service_has_self(const struct service *service, enum stack_type type)
{
    return service_line(service, type, module_is_self) != NULL;
}

bool
service_may(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;
    const struct stack_line *line = asked->stack->line[index];

    if (answer == STACK_NEW_TOKEN && asked->type != STACK_ACCOUNT)
        return false;
    if (module_is_deny(line))
        return answer == STACK_WRONG;
    if (module_is_permit(line))
        return answer == STACK_SUCCESS;
    if (module_is_guard(line))
        return answer == STACK_IGNORE || answer == STACK_WRONG;
    if (module_is_settle(line) && asked->type == STACK_AUTH)
        return answer == STACK_IGNORE || answer == STACK_FAIL;
    if (module_is_plain(line))
        return answer != STACK_IGNORE;
    return true;
}

bool
service_may_with_us(void *context, size_t index, enum stack_answer answer)
{
    const struct asked *asked = context;

    if (module_is_plain(asked->stack->line[index]))
        return answer == STACK_SUCCESS;
    return service_may(context, index, answer);
}

bool
service_always(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    (void)seen;
    (void)answer;
    return true;
}

static unsigned
mark_about(bool is_yes, unsigned seen)
{
    bool is_guarded = (seen & MARK_GUARD) != 0;

    if (is_yes)
        return is_guarded ? MARK_GUARDED : MARK_BARE;
    return is_guarded ? MARK_REFUSED : 0;
}

static unsigned
mark(void *context, size_t index, enum stack_answer answer, unsigned seen)
{
    const struct asked *asked = context;
    const struct stack_line *line = asked->stack->line[index];
    bool is_yes = answer == STACK_SUCCESS || answer == STACK_NEW_TOKEN;

    if (index == asked->about)
        return mark_about(is_yes, seen);
    if (module_is_guard(line))
        return answer == STACK_IGNORE ? MARK_GUARD : MARK_US_NO;
    if (module_is_settle(line))
        return (seen & (MARK_GUARDED | MARK_BARE | MARK_REFUSED)) != 0
                   ? MARK_SETTLED
                   : 0;
    if (module_is_plain(line))
        return is_yes                    ? MARK_US
               : answer == STACK_UNKNOWN ? MARK_NOT_OURS
                                         : MARK_US_NO;
    return (seen & MARK_REFUSED) != 0 && answer == STACK_AWAY ? MARK_AWAY : 0;
}

bool
service_can(const struct service *service, enum stack_type type, size_t about,
            may_answer may, is_wanted wanted)
{
    struct asked asked = {service, &service->stack[type], type, about, 0};
    const struct stack_question question = {
        .mark = mark, .may = may, .is_wanted = wanted, .context = &asked};

    return stack_can_end(asked.stack, &question);
}

static bool
never(void *context, unsigned seen, enum stack_answer answer)
{
    (void)context;
    (void)seen;
    (void)answer;
    return false;
}

static bool
has_marks(void *context, unsigned seen)
{
    const struct asked *asked = context;

    return (seen & asked->marks) == asked->marks;
}

bool
service_passes(const struct service *service, enum stack_type type,
               size_t about, may_answer may, unsigned marks, bool follows_bad)
{
    struct asked asked = {service, &service->stack[type], type, about, marks};
    const struct stack_question question = {.mark = mark,
                                            .may = may,
                                            .is_wanted = never,
                                            .is_passed = has_marks,
                                            .follows_bad = follows_bad,
                                            .context = &asked};

    return stack_can_end(asked.stack, &question);
}
