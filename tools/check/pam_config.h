/*
 * Stack: the stacks of a folder such as /etc/pam.d, as libpam would run them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_PAM_CONFIG_H
#define SR_TOOLS_CHECK_PAM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

enum stack_type {
    STACK_AUTH,
    STACK_ACCOUNT,
    STACK_PASSWORD,
    STACK_SESSION,
    STACK_TYPE_COUNT
};

/* The answers of modules that are told apart here.  FAIL stands for all other
 * codes. */
enum stack_answer {
    STACK_SUCCESS,
    STACK_IGNORE,
    STACK_NEW_TOKEN, /* PAM_NEW_AUTHTOK_REQD */
    STACK_UNKNOWN,   /* PAM_USER_UNKNOWN */
    STACK_FAIL,
    STACK_ANSWER_COUNT
};

/* What a line does with an answer; more than zero: so many lines are jumped. */
enum stack_action {
    STACK_DO_IGNORE = 0,
    STACK_DO_OK = -1,
    STACK_DO_DONE = -2,
    STACK_DO_BAD = -3,
    STACK_DO_DIE = -4,
    STACK_DO_RESET = -5,
};

/* The most lines of one stack with all it includes. */
#define STACK_LINES_MAX 256

struct stack_line {
    const char *file; /* belongs to the stack's folder reader */
    unsigned number;
    unsigned level; /* how deep in substacks */
    int action[STACK_ANSWER_COUNT];
    char *module; /* without folder: "pam_unix.so" */
    char *path;   /* as written */
    char **argument;
    size_t argument_count;
};

struct stack {
    struct stack_line *line[STACK_LINES_MAX];
    size_t count;
};

/* Something that libpam could not read: where, and what. */
typedef void (*stack_problem)(void *context, const char *file, unsigned number,
                              const char *what);

struct stack_reader {
    const char *folder; /* "/etc/pam.d" */
    const char
        *next_folder; /* asked when a file is not in the first, or NULL */
    stack_problem problem;
    void *context;
    char **files; /* names handed out in lines */
    size_t file_count;
};

/*
 * Read one type of a service's stack with everything it includes.  Returns
 * false when the service has no file, or memory is out.  Free the stack's
 * lines with stack_free(), and the names of files with stack_reader_free()
 * when no line is needed any more.
 */
bool stack_read(struct stack_reader *reader, const char *service,
                enum stack_type type, struct stack *stack);
void stack_free(struct stack *stack);
void stack_reader_free(struct stack_reader *reader);

/* Whether a line has this argument, word for word. */
bool stack_has(const struct stack_line *line, const char *argument);

/*
 * What is asked of a stack: whether it can end well in a certain way.  For
 * every line `mark` says what its answers mean, as a set of bits; a walk tries
 * each answer of each line that `may` allows and collects the bits of those
 * that it passes.  `is_wanted` is asked at every good end.
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
    void *context;
};

/* Bits that marks can use. */
#define STACK_MARKS 64u

/*
 * True when there is a way through the stack that ends well (success, or a
 * demand for a new password) and is_wanted.  Pure.
 */
bool stack_can_end(const struct stack *stack,
                   const struct stack_question *question);

#endif
