/*
 * PAM service: see pam_service.h.
 *
 * A state is the line that comes next, what has been decided so far, and the
 * marks collected on the way.  There are few of them, so each is visited once.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "tools/check/pam_service.h"
#include "tools/words.h"

/* All marks that a state can have are below this value. */
#define MARKS MARK_NEW_TOKEN

void
service_add(const struct service *service, enum severity severity,
            const struct stack_line *line, const char *text, const char *advice)
{
    if (line == NULL)
        findings_add(service->findings, severity, service->file, NULL, advice,
                     "%s", _(text));
    else
        findings_add_at(service->findings, severity, line->file, line->number,
                        service->name, advice, "%s", _(text));
}

const struct stack_line *
service_line(const struct service *service, enum stack_type type,
             unsigned kinds)
{
    const struct stack *stack = &service->stack[type];

    for (size_t i = 0; i < stack->count; i++) {
        if ((stack->line[i]->kinds & kinds) != 0)
            return stack->line[i];
    }
    return NULL;
}

/* ---- lines */

bool
service_may(const struct question *question, const struct stack_line *line,
            enum stack_answer answer)
{
    if (answer == STACK_NEW_TOKEN && question->type != STACK_ACCOUNT)
        return false;
    if ((line->kinds & MODULE_DENY) != 0)
        return answer == STACK_WRONG;
    if ((line->kinds & MODULE_PERMIT) != 0)
        return answer == STACK_SUCCESS;
    if ((line->kinds & MODULE_GUARD) != 0)
        return answer == STACK_IGNORE || answer == STACK_WRONG;
    if ((line->kinds & MODULE_SETTLE) != 0 && question->type == STACK_AUTH)
        return answer == STACK_IGNORE || answer == STACK_FAIL;
    return (line->kinds & MODULE_PLAIN) == 0 || answer != STACK_IGNORE;
}

bool
service_may_with_us(const struct question *question,
                    const struct stack_line *line, enum stack_answer answer)
{
    if ((line->kinds & MODULE_PLAIN) != 0)
        return answer == STACK_SUCCESS;
    return service_may(question, line, answer);
}

/* The marks that an answer adds to those seen so far. */
static unsigned
marks_of(const struct question *question, const struct stack_line *line,
         enum stack_answer answer, unsigned seen)
{
    const bool is_yes = answer == STACK_SUCCESS || answer == STACK_NEW_TOKEN;
    const bool is_guarded = (seen & MARK_GUARD) != 0;

    if (line == question->about)
        return is_yes       ? (is_guarded ? MARK_GUARDED : MARK_BARE)
               : is_guarded ? MARK_REFUSED
                            : 0;
    if ((line->kinds & MODULE_GUARD) != 0)
        return answer == STACK_IGNORE ? MARK_GUARD : MARK_US_NO;
    if ((line->kinds & MODULE_SETTLE) != 0)
        return (seen & (MARK_GUARDED | MARK_BARE | MARK_REFUSED)) != 0
                   ? MARK_SETTLED
                   : 0;
    if ((line->kinds & MODULE_PLAIN) != 0)
        return is_yes                    ? MARK_US
               : answer == STACK_UNKNOWN ? MARK_NOT_OURS
                                         : MARK_US_NO;
    return (seen & MARK_REFUSED) != 0 && answer == STACK_AWAY ? MARK_AWAY : 0;
}

/* ---- ways through a stack */

/* What libpam calls the impression, together with the code it will return. */
enum opinion {
    OPINION_NONE,
    OPINION_GOOD,
    OPINION_NEW_TOKEN, /* good, and the code is not PAM_SUCCESS */
    OPINION_BAD,
    OPINION_COUNT
};

struct state {
    size_t next;
    enum opinion opinion;
    unsigned seen;
};

struct walk {
    const struct stack *stack;
    const struct question *question;
    bool follows_bad;
    bool *visited;
    struct state *waiting;
    size_t waiting_count;
};

static void
visit(struct walk *walk, struct state state)
{
    size_t at =
        (state.next * OPINION_COUNT + state.opinion) * MARKS + state.seen;

    if (walk->visited[at])
        return;
    walk->visited[at] = true;
    walk->waiting[walk->waiting_count++] = state;
}

/* The first line at or behind `from` that is no deeper than `level`. */
static size_t
leave(const struct stack *stack, size_t from, unsigned level)
{
    while (from < stack->count && stack->line[from]->level > level)
        from++;
    return from;
}

/*
 * The line behind `index` when `jump` lines are jumped: a substack counts as
 * one, and nothing jumps out of its own.  `jump` becomes what is left over.
 */
static size_t
jump_from(const struct stack *stack, size_t index, int *jump)
{
    unsigned level = stack->line[index]->level;
    size_t next = index + 1;

    while (*jump > 0 && next < stack->count &&
           stack->line[next]->level >= level) {
        next = stack->line[next]->level > level ? leave(stack, next, level)
                                                : next + 1;
        (*jump)--;
    }
    return next;
}

static enum opinion
approve(enum opinion opinion, enum stack_answer answer)
{
    if (opinion == OPINION_NONE || opinion == OPINION_GOOD) {
        /* A failure that a line calls ok becomes the stack's own answer; only
         * success and the demand for a new password are good ends. */
        if (answer == STACK_NEW_TOKEN)
            return OPINION_NEW_TOKEN;
        return answer == STACK_SUCCESS ? OPINION_GOOD : OPINION_BAD;
    }
    return opinion;
}

/* The end of the stack, or of the substack that the line is in. */
static size_t
end_of(const struct stack *stack, size_t index)
{
    unsigned level = stack->line[index]->level;

    return level == 0 ? stack->count : leave(stack, index + 1, level - 1);
}

/* Where one answer of one line leads. */
static struct state
step(const struct walk *walk, struct state state, enum stack_answer answer)
{
    const struct stack *stack = walk->stack;
    size_t index = state.next;
    int action = stack->line[index]->action[answer];

    state.seen |=
        marks_of(walk->question, stack->line[index], answer, state.seen);
    state.next = index + 1;
    switch (action) {
    case STACK_DO_IGNORE:
        break;
    case STACK_DO_OK:
    case STACK_DO_DONE:
        if (answer != STACK_IGNORE)
            state.opinion = approve(state.opinion, answer);
        if (action == STACK_DO_DONE && state.opinion != OPINION_BAD &&
            state.opinion != OPINION_NONE)
            state.next = end_of(stack, index);
        break;
    case STACK_DO_BAD:
    case STACK_DO_DIE:
        state.opinion = OPINION_BAD;
        if (action == STACK_DO_DIE)
            state.next = end_of(stack, index);
        break;
    case STACK_DO_RESET:
        state.opinion = OPINION_NONE;
        break;
    default:
        state.next = jump_from(stack, index, &action);
        if (action > 0)
            state.opinion = OPINION_BAD; /* libpam: an error of syntax */
    }
    return state;
}

/* Whether a state is the one that is looked for. */
static bool
is_wanted(const struct walk *walk, struct state state)
{
    const struct question *question = walk->question;

    if (!question->is_passing &&
        (state.next < walk->stack->count || state.opinion == OPINION_NONE ||
         state.opinion == OPINION_BAD))
        return false;
    if (state.opinion == OPINION_NEW_TOKEN)
        state.seen |= MARK_NEW_TOKEN;
    return (state.seen & question->all) == question->all &&
           (state.seen & question->none) == 0;
}

/* Whether a line can make a failure before it count for nothing. */
static bool
has_reset(const struct stack *stack)
{
    for (size_t i = 0; i < stack->count; i++) {
        for (int answer = 0; answer < STACK_ANSWER_COUNT; answer++) {
            if (stack->line[i]->action[answer] == STACK_DO_RESET)
                return true;
        }
    }
    return false;
}

static void
expand(struct walk *walk, struct state state)
{
    const struct question *question = walk->question;

    if (state.next >= walk->stack->count)
        return;
    if (state.opinion == OPINION_BAD && !walk->follows_bad)
        return; /* it ends badly */
    for (int i = 0; i < STACK_ANSWER_COUNT; i++) {
        const enum stack_answer answer = (enum stack_answer)i;

        if ((question->may == NULL ? service_may : question->may)(
                question, walk->stack->line[state.next], answer))
            visit(walk, step(walk, state, answer));
    }
}

bool
service_can(const struct question *question)
{
    const struct stack *stack = &question->service->stack[question->type];
    size_t states = (stack->count + 1) * OPINION_COUNT * MARKS;
    struct walk walk = {
        .stack = stack,
        .question = question,
        .follows_bad = question->follows_bad || has_reset(stack),
        .visited = calloc(states, sizeof(bool)),
        .waiting = calloc(states, sizeof(struct state)),
    };
    bool is_found = false;

    if (walk.visited != NULL && walk.waiting != NULL)
        visit(&walk, (struct state){0, OPINION_NONE, 0});
    while (walk.waiting_count > 0 && !is_found) {
        const struct state state = walk.waiting[--walk.waiting_count];

        is_found = is_wanted(&walk, state);
        expand(&walk, state);
    }
    free(walk.visited);
    free(walk.waiting);
    return is_found;
}
