/*
 * PAM paths: see pam_paths.h.
 *
 * A state is the line that comes next, what has been decided so far, and the
 * marks collected on the way.  There are few of them, so each is visited once.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>

#include "tools/check/pam_paths.h"

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
    const struct stack_question *question;
    bool *visited;
    struct state *waiting;
    size_t waiting_count;
    bool is_found;
};

static void
visit(struct walk *walk, struct state state)
{
    size_t at = (state.next * OPINION_COUNT + state.opinion) * STACK_MARKS +
                state.seen % STACK_MARKS;

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

/* The end of the stack, or of the substack that the line stands in. */
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

    state.seen |= walk->question->mark(walk->question->context, index, answer,
                                       state.seen);
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

static void
expand(struct walk *walk, struct state state)
{
    const struct stack_question *question = walk->question;

    if (question->is_passed != NULL &&
        question->is_passed(question->context, state.seen)) {
        walk->is_found = true;
        return;
    }
    if (state.opinion == OPINION_BAD && !question->follows_bad)
        return; /* it ends badly: only a reset could help, which is rare */
    if (state.next >= walk->stack->count) {
        enum stack_answer answer = state.opinion == OPINION_NEW_TOKEN
                                       ? STACK_NEW_TOKEN
                                       : STACK_SUCCESS;

        if (state.opinion != OPINION_NONE && state.opinion != OPINION_BAD &&
            question->is_wanted(question->context, state.seen, answer))
            walk->is_found = true;
        return;
    }
    for (int answer = 0; answer < STACK_ANSWER_COUNT; answer++) {
        if (question->may(question->context, state.next,
                          (enum stack_answer)answer))
            visit(walk, step(walk, state, (enum stack_answer)answer));
    }
}

bool
stack_can_end(const struct stack *stack, const struct stack_question *question)
{
    size_t states = (stack->count + 1) * OPINION_COUNT * STACK_MARKS;
    struct walk walk = {
        .stack = stack,
        .question = question,
        .visited = calloc(states, sizeof(bool)),
        .waiting = calloc(states, sizeof(struct state)),
    };
    const struct state start = {0, OPINION_NONE, 0};

    if (walk.visited != NULL && walk.waiting != NULL) {
        visit(&walk, start);
        while (walk.waiting_count > 0 && !walk.is_found)
            expand(&walk, walk.waiting[--walk.waiting_count]);
    }
    free(walk.visited);
    free(walk.waiting);
    return walk.is_found;
}
