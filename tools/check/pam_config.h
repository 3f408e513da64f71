/*
 * PAM configuration: reads the stacks of folders such as /etc/pam.d, with all
 * that they include, into tables of what each line does.
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

/*
 * The answers of modules that are distinguished: the return codes by which
 * lines are commonly written.  FAIL: all other codes.
 */
enum stack_answer {
    STACK_SUCCESS,
    STACK_IGNORE,
    STACK_NEW_TOKEN, /* PAM_NEW_AUTHTOK_REQD */
    STACK_UNKNOWN,   /* PAM_USER_UNKNOWN */
    STACK_WRONG,     /* PAM_AUTH_ERR: a wrong password */
    STACK_AWAY,      /* PAM_AUTHINFO_UNAVAIL */
    STACK_FAIL,
    STACK_ANSWER_COUNT,
    /* No answer of a module: it is not installed (PAM_MODULE_UNKNOWN). */
    STACK_MISSING = STACK_ANSWER_COUNT,
    STACK_ACTION_COUNT
};

/* What a line does with an answer; a positive number is a jump over so many
 * lines. */
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

/* What is known of a module by its name and, for this one, its arguments. */
enum module_kind {
    MODULE_SELF = 1 << 0,      /* pam_selfreset.so */
    MODULE_GUARD = 1 << 1,     /* with guard, */
    MODULE_SETTLE = 1 << 2,    /* with settle, */
    MODULE_PLAIN = 1 << 3,     /* with neither */
    MODULE_VERIFIER = 1 << 4,  /* verifies a password, and stores a new one */
    MODULE_LOCAL = 1 << 5,     /* that of a local account */
    MODULE_BYSTANDER = 1 << 6, /* its success proves nothing about the user */
    MODULE_CONDITION = 1 << 7, /* a test by which a stack branches */
    MODULE_DENY = 1 << 8,      /* pam_deny.so */
    MODULE_PERMIT = 1 << 9,    /* pam_permit.so */
    MODULE_LOCKOUT = 1 << 10,  /* counts failures and locks accounts */
    MODULE_QUALITY = 1 << 11,  /* checks new passwords */
    MODULE_LOGINUID = 1 << 12, /* pam_loginuid.so */
    MODULE_PROOF = 1 << 13,    /* neither this module, bystander nor deny: its
                                  success can be a proof of identity */
};

struct stack_line {
    char *file;      /* its path */
    unsigned number; /* of the line in the file, from 1 */
    unsigned level;  /* how many substacks it is in */
    int action[STACK_ACTION_COUNT];
    unsigned kinds;     /* enum module_kind */
    const char *module; /* without folder: "pam_unix.so" */
    const char *path;   /* as written */
    char **argument;
    size_t argument_count;
    char *text; /* what the three above point into */
};

struct stack {
    struct stack_line *line[STACK_LINES_MAX];
    size_t count;
    bool is_refused; /* libpam cannot use one of the lines */
};

/* Called with what libpam cannot read: where (number 0: the file as a whole),
 * and why. */
typedef void (*stack_problem)(void *context, const char *file, unsigned number,
                              const char *what);

struct stack_reader {
    /* In the order in which libpam looks for a file; the end is NULL. */
    const char *const *folders;
    stack_problem problem;
    void *context;
};

/*
 * The path of a service's file, or of one that is included: `name` itself when
 * it begins with "/", else the first that exists in the folders.  False when
 * there is none; `path` then is where it was looked for first.
 */
bool stack_find(const struct stack_reader *reader, const char *name, char *path,
                size_t size);

/*
 * Read one type of a service's stack with everything it includes.  Returns
 * false when the service has no file, or memory is out.  Free the stack in
 * either case.
 */
bool stack_read(struct stack_reader *reader, const char *service,
                enum stack_type type, struct stack *stack);
void stack_free(struct stack *stack);

/* Whether a line has this argument, word for word. */
bool stack_has(const struct stack_line *line, const char *argument);

#endif
