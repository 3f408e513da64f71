/*
 * PAM paths: walks every way through a stack by the rules of libpam's dispatch,
 * and says whether one of them ends as asked.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_PAM_PATHS_H
#define SR_TOOLS_CHECK_PAM_PATHS_H

#include "tools/check/pam_config.h"

/* Bits that marks can use: all below this value. */
#define STACK_MARKS 512u

/*
 * A question about a stack.  The walk tries each answer of each line that `may`
 * allows, and collects the bits that `mark` returns for the answers on its way.
 */
struct stack_question {
    /* The bits that an answer adds to those seen so far; may depend on them. */
    unsigned (*mark)(void *context, size_t index, enum stack_answer answer,
                     unsigned seen);
    /* Whether a line can give an answer at all. */
    bool (*may)(void *context, size_t index, enum stack_answer answer);
    /* Whether a good end is the one looked for; `answer` is what the stack
     * as a whole answers. */
    bool (*is_wanted)(void *context, unsigned seen, enum stack_answer answer);
    /* Whether the bits collected at some line, good end or not, are the ones
     * looked for; may be NULL. */
    bool (*is_passed)(void *context, unsigned seen);
    bool follows_bad; /* the walk goes on behind a failure that stands */
    void *context;
};

/*
 * True when there is a way through the stack that ends well (success, or a
 * demand for a new password) and is_wanted, or one that is_passed.  Pure.
 */
bool stack_can_end(const struct stack *stack,
                   const struct stack_question *question);

#endif
