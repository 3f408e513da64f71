/*
 * PAM service: the four stacks of one service, and whether a way through one of
 * them can end as asked.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_CHECK_PAM_SERVICE_H
#define SR_TOOLS_CHECK_PAM_SERVICE_H

#include "tools/check/findings.h"
#include "tools/check/pam_config.h"

struct service {
    const char *name;
    const char *file; /* its own, in which lines of it may include others */
    struct stack stack[STACK_TYPE_COUNT];
    bool is_other[STACK_TYPE_COUNT]; /* the lines are those of "other" */
    struct findings *findings;
};

/* What is collected on a way through a stack. */
enum mark {
    MARK_GUARD = 1,       /* a guard let it through */
    MARK_US = 2,          /* pam_selfreset.so answered success */
    MARK_US_NO = 4,       /* it refused */
    MARK_BARE = 8,        /* the line asked about succeeded, without a guard */
    MARK_GUARDED = 16,    /* it succeeded, behind a guard */
    MARK_SETTLED = 32,    /* settle came behind its success or failure */
    MARK_REFUSED = 64,    /* the line asked about failed, behind a guard */
    MARK_AWAY = 128,      /* and then another one was unavailable */
    MARK_NOT_OURS = 256,  /* pam_selfreset.so does not know the account */
    MARK_NEW_TOKEN = 512, /* at the end: the stack demands a new password */
};

/* A question about one stack of a service. */
struct question {
    const struct service *service;
    enum stack_type type;
    const struct stack_line *about; /* the line for the marks; NULL: none */
    /* Whether a line can give an answer; NULL: service_may(). */
    bool (*may)(const struct question *question, const struct stack_line *line,
                enum stack_answer answer);
    /* The marks that are looked for, and those that must be missing. */
    unsigned all, none;
    /* They are looked for at each line, whatever the end, and not at a good
     * end (success, or a demand for a new password). */
    bool is_passing;
    bool follows_bad; /* also behind a failure that counts */
};

/* Add a finding about a line (NULL: about the service as a whole). */
void service_add(const struct service *service, enum severity severity,
                 const struct stack_line *line, const char *text,
                 const char *advice);

/* The first line whose module is of one of these kinds, or NULL. */
const struct stack_line *service_line(const struct service *service,
                                      enum stack_type type, unsigned kinds);

/* Whether a line can give an answer at all. */
bool service_may(const struct question *question, const struct stack_line *line,
                 enum stack_answer answer);

/* The same, where the plain lines of this module answer success. */
bool service_may_with_us(const struct question *question,
                         const struct stack_line *line,
                         enum stack_answer answer);

/*
 * Whether some way through the stack has the marks, by the rules of libpam's
 * dispatch, with each answer that each line can give.
 */
bool service_can(const struct question *question);

#endif
