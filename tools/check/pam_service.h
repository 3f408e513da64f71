/*
 * PAM service: the four stacks of one service, and what is asked of them.
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
    struct findings *findings;
};

/* What a walk through a stack collects; see service_can(). */
enum mark {
    MARK_GUARD = 1,      /* a guard let it through */
    MARK_US = 2,         /* pam_selfreset.so said yes */
    MARK_US_NO = 4,      /* it refused */
    MARK_BARE = 8,       /* the line asked about said yes, without a guard */
    MARK_GUARDED = 16,   /* it said yes, behind a guard */
    MARK_SETTLED = 32,   /* settle came behind its yes, or behind its no */
    MARK_REFUSED = 64,   /* the line asked about said no, behind a guard */
    MARK_AWAY = 128,     /* and then another one said that it is away */
    MARK_NOT_OURS = 256, /* pam_selfreset.so does not know the account */
};

/* A question about one stack, and the line that it is about. */
struct asked {
    const struct service *service;
    const struct stack *stack;
    enum stack_type type;
    size_t about;   /* an index, or NO_LINE */
    unsigned marks; /* for service_passes() */
};
#define NO_LINE ((size_t)-1)

typedef bool (*may_answer)(void *asked, size_t index, enum stack_answer answer);
typedef bool (*is_wanted)(void *asked, unsigned seen, enum stack_answer answer);

/* Add a finding about a line, or about the service as a whole. */
void service_add(const struct service *service, enum severity severity,
                 const struct stack_line *line, const char *text,
                 const char *advice);
void service_add_whole(const struct service *service, enum severity severity,
                       const char *text, const char *advice);

/* The first line that is of a kind, or NULL; whether one is of this module. */
const struct stack_line *
service_line(const struct service *service, enum stack_type type,
             bool (*is)(const struct stack_line *line));
bool service_has_self(const struct service *service, enum stack_type type);

/* The answers that a line can give at all. */
bool service_may(void *asked, size_t index, enum stack_answer answer);

/* The same, where the module's own plain lines say yes. */
bool service_may_with_us(void *asked, size_t index, enum stack_answer answer);

/* Whether a stack can end well, with marks that are wanted (always: any). */
bool service_can(const struct service *service, enum stack_type type,
                 size_t about, may_answer may, is_wanted wanted);
bool service_always(void *asked, unsigned seen, enum stack_answer answer);

/* Whether marks can be collected, all of them, whatever the end.  follows_bad:
 * also behind a line whose failure stands. */
bool service_passes(const struct service *service, enum stack_type type,
                    size_t about, may_answer may, unsigned marks,
                    bool follows_bad);

#endif
