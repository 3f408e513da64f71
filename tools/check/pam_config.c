/*
 * PAM configuration: reads the files of folders such as /etc/pam.d.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tools/check/pam_config.h"
#include "tools/words.h"

#define DEPTH_MAX 32   /* as libpam's */
#define LINE_SIZE 1024 /* of libpam's buffer, before version 1.7 */

/* One reading of a stack. */
struct reading {
    struct stack_reader *reader;
    enum stack_type type;
    struct stack *stack;
    unsigned level;
    unsigned depth; /* of files */
};

/* The position of a line. */
struct position {
    const char *file;
    unsigned number;
};

static void
complain(const struct reading *reading, const struct position *position,
         const char *what)
{
    if (reading->reader->problem != NULL)
        reading->reader->problem(reading->reader->context, position->file,
                                 position->number, what);
}

static void
line_free(struct stack_line *line)
{
    free(line->argument);
    free(line->file);
    free(line->text);
    free(line);
}

void
stack_free(struct stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        line_free(stack->line[i]);
    stack->count = 0;
}

bool
stack_has(const struct stack_line *line, const char *argument)
{
    for (size_t i = 0; i < line->argument_count; i++) {
        if (strcmp(line->argument[i], argument) == 0)
            return true;
    }
    return false;
}

/* ---- modules */

static unsigned
kinds_of(const struct stack_line *line)
{
    static const struct {
        const char *module;
        unsigned kinds;
    } known[] = {
        {"pam_abl.so", MODULE_LOCKOUT},
        {"pam_access.so", MODULE_BYSTANDER},
        {"pam_cap.so", MODULE_BYSTANDER},
        {"pam_cracklib.so", MODULE_QUALITY},
        {"pam_debug.so", MODULE_BYSTANDER},
        {"pam_deny.so", MODULE_DENY},
        {"pam_echo.so", MODULE_BYSTANDER},
        {"pam_ecryptfs.so", MODULE_BYSTANDER},
        {"pam_env.so", MODULE_BYSTANDER},
        {"pam_faildelay.so", MODULE_BYSTANDER},
        {"pam_faillock.so", MODULE_BYSTANDER | MODULE_LOCKOUT},
        {"pam_gnome_keyring.so", MODULE_BYSTANDER},
        {"pam_group.so", MODULE_BYSTANDER},
        {"pam_heimdal.so", MODULE_VERIFIER},
        {"pam_himmelblau.so", MODULE_VERIFIER},
        {"pam_krb5.so", MODULE_VERIFIER},
        {"pam_kwallet5.so", MODULE_BYSTANDER},
        {"pam_ldap.so", MODULE_VERIFIER},
        {"pam_localuser.so", MODULE_BYSTANDER | MODULE_CONDITION},
        {"pam_loginuid.so", MODULE_BYSTANDER | MODULE_LOGINUID},
        {"pam_motd.so", MODULE_BYSTANDER},
        {"pam_mount.so", MODULE_BYSTANDER},
        {"pam_nologin.so", MODULE_BYSTANDER},
        {"pam_passwdqc.so", MODULE_QUALITY},
        {"pam_permit.so", MODULE_BYSTANDER | MODULE_PERMIT},
        {"pam_pwdb.so", MODULE_VERIFIER | MODULE_LOCAL},
        {"pam_pwhistory.so", MODULE_QUALITY},
        {"pam_pwquality.so", MODULE_QUALITY},
        {"pam_securetty.so", MODULE_BYSTANDER},
        {"pam_sepermit.so", MODULE_BYSTANDER | MODULE_CONDITION},
        {"pam_shells.so", MODULE_BYSTANDER},
        {"pam_sss.so", MODULE_VERIFIER},
        {"pam_succeed_if.so", MODULE_BYSTANDER | MODULE_CONDITION},
        {"pam_tally.so", MODULE_LOCKOUT},
        {"pam_tally2.so", MODULE_BYSTANDER | MODULE_LOCKOUT},
        {"pam_tcb.so", MODULE_VERIFIER | MODULE_LOCAL},
        {"pam_time.so", MODULE_BYSTANDER},
        {"pam_unix.so", MODULE_VERIFIER | MODULE_LOCAL},
        {"pam_unix2.so", MODULE_VERIFIER | MODULE_LOCAL},
        {"pam_usertype.so", MODULE_BYSTANDER | MODULE_CONDITION},
        {"pam_warn.so", MODULE_BYSTANDER},
        {"pam_winbind.so", MODULE_VERIFIER},
    };
    unsigned kinds = 0;

    if (strcmp(line->module, "pam_selfreset.so") == 0) {
        kinds = MODULE_SELF;
        kinds |= stack_has(line, "guard") ? MODULE_GUARD : 0;
        kinds |= stack_has(line, "settle") ? MODULE_SETTLE : 0;
        return kinds == MODULE_SELF ? kinds | MODULE_PLAIN : kinds;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(line->module, known[i].module) == 0)
            kinds = known[i].kinds;
    }
    return (kinds & (MODULE_BYSTANDER | MODULE_DENY)) == 0
               ? kinds | MODULE_PROOF
               : kinds;
}

/* ---- words and controls */

/* The next word at *at; "[...]" is one word, in which "\]" is a bracket.  The
 * word is terminated in the text, and brackets are taken off. */
static char *
next_word(char **at, bool *is_bracketed)
{
    char *from = *at + strspn(*at, " \t");
    char *to, *word;

    *is_bracketed = *from == '[';
    if (*from == '\0') {
        *at = from;
        return NULL;
    }
    if (!*is_bracketed) {
        word = from;
        to = from + strcspn(from, " \t");
        *at = *to == '\0' ? to : to + 1;
        *to = '\0';
        return word;
    }
    word = to = ++from;
    for (; *from != '\0' && *from != ']'; from++) {
        if (from[0] == '\\' && from[1] == ']')
            from++;
        *to++ = *from;
    }
    *at = *from == '\0' ? from : from + 1;
    *to = '\0';
    return word;
}

/* "required" and the like; false for any other word. */
static bool
read_keyword(const char *word, int action[STACK_ACTION_COUNT])
{
    static const struct {
        const char *word;
        int success, fail;
    } known[] = {
        {"required", STACK_DO_OK, STACK_DO_BAD},
        {"requisite", STACK_DO_OK, STACK_DO_DIE},
        {"sufficient", STACK_DO_DONE, STACK_DO_IGNORE},
        {"optional", STACK_DO_OK, STACK_DO_IGNORE},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(word, known[i].word) == 0) {
            for (int answer = 0; answer < STACK_ACTION_COUNT; answer++)
                action[answer] = known[i].fail;
            action[STACK_SUCCESS] = action[STACK_NEW_TOKEN] = known[i].success;
            action[STACK_IGNORE] = STACK_DO_IGNORE;
            return true;
        }
    }
    return false;
}

/* An action at *at, which is left behind it. */
static bool
read_action(const char **at, int *action)
{
    static const struct {
        const char *word;
        int action;
    } known[] = {
        {"ignore", STACK_DO_IGNORE}, {"ok", STACK_DO_OK},
        {"done", STACK_DO_DONE},     {"bad", STACK_DO_BAD},
        {"die", STACK_DO_DIE},       {"reset", STACK_DO_RESET},
    };
    char *end;
    long jump;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t length = strlen(known[i].word);

        if (strncmp(*at, known[i].word, length) == 0) {
            *action = known[i].action;
            *at += length;
            return true;
        }
    }
    if (!isdigit((unsigned char)**at))
        return false;
    jump = strtol(*at, &end, 10);
    *action = jump > STACK_LINES_MAX ? STACK_LINES_MAX + 1 : (int)jump;
    *at = end;
    return jump > 0;
}

/* A return code at *at, which is left behind it: STACK_FAIL for "default",
 * STACK_ACTION_COUNT for those that are not distinguished here, -1 for any
 * other word. */
static int
read_code(const char **at)
{
    static const char *const name[] = {
        [STACK_SUCCESS] = "success",
        [STACK_IGNORE] = "ignore",
        [STACK_NEW_TOKEN] = "new_authtok_reqd",
        [STACK_UNKNOWN] = "user_unknown",
        [STACK_WRONG] = "auth_err",
        [STACK_AWAY] = "authinfo_unavail",
        [STACK_FAIL] = "default",
        [STACK_MISSING] = "module_unknown",
    };
    static const char *const other[] = {
        "abort",           "acct_expired",
        "authtok_err",     "authtok_disable_aging",
        "authtok_expired", "authtok_lock_busy",
        "bad_item",        "authtok_recover_err",
        "buf_err",         "conv_again",
        "conv_err",        "cred_err",
        "cred_expired",    "cred_insufficient",
        "cred_unavail",    "incomplete",
        "maxtries",        "no_module_data",
        "open_err",        "perm_denied",
        "service_err",     "session_err",
        "symbol_err",      "system_err",
        "try_again",
    };
    const char *word = *at;
    size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz_");

    *at += length;
    for (int i = 0; i < STACK_ACTION_COUNT; i++) {
        if (strlen(name[i]) == length && strncmp(word, name[i], length) == 0)
            return i;
    }
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        if (strlen(other[i]) == length && strncmp(word, other[i], length) == 0)
            return STACK_ACTION_COUNT;
    }
    return -1;
}

/*
 * "success=ok default=bad", also "success = ok".  Answers that are not named do
 * what default says, and the first default counts.
 */
static bool
read_control(const char *at, int action[STACK_ACTION_COUNT])
{
    static const char space[] = " \t\v\f\r";
    bool is_set[STACK_ACTION_COUNT + 1] = {false};

    action[STACK_FAIL] = STACK_DO_BAD;
    for (at += strspn(at, space); *at != '\0'; at += strspn(at, space)) {
        int code = read_code(&at), chosen;

        at += strspn(at, space);
        if (code < 0 || *at++ != '=')
            return false;
        at += strspn(at, space);
        if (!read_action(&at, &chosen))
            return false;
        if (code < STACK_ACTION_COUNT && !(code == STACK_FAIL && is_set[code]))
            action[code] = chosen;
        is_set[code] = true;
    }
    for (size_t i = 0; i < STACK_ACTION_COUNT; i++) {
        if (!is_set[i])
            action[i] = action[STACK_FAIL];
    }
    return true;
}

/* ---- lines */

static bool read_file(struct reading *reading, const char *name,
                      const struct position *from);

/* Add a module's line. */
static bool
add_line(struct reading *reading, const struct position *position,
         const int action[STACK_ACTION_COUNT], const char *path,
         const char *arguments)
{
    struct stack_line *line;
    const char *slash = strrchr(path, '/');
    bool is_bracketed;
    char *word, *rest;

    if (reading->stack->count == STACK_LINES_MAX) {
        complain(reading, position,
                 N_("the stack has too many lines to be checked"));
        return true;
    }
    line = calloc(1, sizeof(*line));
    if (line == NULL)
        return false;
    reading->stack->line[reading->stack->count++] = line;
    line->file = strdup(position->file);
    line->number = position->number;
    line->level = reading->level;
    memcpy(line->action, action, sizeof(line->action));
    /* The path, its end, and the arguments, which have an end each. */
    line->argument = calloc(strlen(arguments) + 1, sizeof(*line->argument));
    if (line->file == NULL || line->argument == NULL ||
        asprintf(&line->text, "%s%c%s", path, '\0', arguments) < 0)
        return false;
    line->path = line->text;
    line->module = line->path + (slash == NULL ? 0 : slash - path + 1);
    rest = line->text + strlen(path) + 1;
    while ((word = next_word(&rest, &is_bracketed)) != NULL)
        line->argument[line->argument_count++] = word;
    line->kinds = kinds_of(line);
    return true;
}

/* A line that libpam cannot use: it takes it for one that always fails. */
static bool
refuse(struct reading *reading, const struct position *position,
       const char *what)
{
    static const char module[] = "pam_deny.so";
    static const int bad[STACK_ACTION_COUNT] = {
        STACK_DO_BAD, STACK_DO_BAD, STACK_DO_BAD, STACK_DO_BAD,
        STACK_DO_BAD, STACK_DO_BAD, STACK_DO_BAD, STACK_DO_BAD};

    complain(reading, position, what);
    reading->stack->is_refused = true;
    return add_line(reading, position, bad, module, "");
}

static enum stack_type
find_type(const char *word)
{
    static const char *const name[STACK_TYPE_COUNT] = {
        [STACK_AUTH] = "auth",
        [STACK_ACCOUNT] = "account",
        [STACK_PASSWORD] = "password",
        [STACK_SESSION] = "session",
    };
    enum stack_type type = STACK_AUTH;

    if (word[0] == '-')
        word++;
    while (type < STACK_TYPE_COUNT && strcasecmp(word, name[type]) != 0)
        type++;
    return type;
}

/* "include FILE" and "substack FILE" instead of a control. */
static bool
include(struct reading *reading, const struct position *position,
        const char *how, char *rest)
{
    bool is_bracketed;
    bool is_substack = strcasecmp(how, "substack") == 0;
    const char *name = next_word(&rest, &is_bracketed);
    bool is_read;

    if (name == NULL)
        return refuse(reading, position, N_("the name of a file is missing"));
    reading->level += is_substack;
    is_read = read_file(reading, name, position);
    reading->level -= is_substack;
    return is_read;
}

static bool
read_line(struct reading *reading, const struct position *position, char *text)
{
    int action[STACK_ACTION_COUNT];
    enum stack_type type;
    bool is_bracketed, is_known;
    char *word = next_word(&text, &is_bracketed);

    if (word == NULL)
        return true;
    if (strcasecmp(word, "@include") == 0)
        return include(reading, position, word, text);
    type = find_type(word);
    if (type == STACK_TYPE_COUNT)
        return refuse(reading, position,
                      N_("the line does not begin with auth, account, "
                         "password or session"));
    if (type != reading->type)
        return true;
    word = next_word(&text, &is_bracketed);
    if (word != NULL &&
        (strcasecmp(word, "include") == 0 || strcasecmp(word, "substack") == 0))
        return include(reading, position, word, text);
    is_known = word != NULL &&
               (read_keyword(word, action) || read_control(word, action));
    word = is_known ? next_word(&text, &is_bracketed) : NULL;
    if (word != NULL)
        return add_line(reading, position, action, word, text);
    return refuse(reading, position,
                  N_("its control or its module is not valid"));
}

/* ---- files */

/* A file that is read, and the line of it that is assembled. */
struct source {
    FILE *stream;
    struct position position;
    char *line;
    size_t used;
    bool has_cr; /* and it was told */
};

/* Append a part of a line. */
static bool
append(struct source *source, const char *part, size_t length)
{
    char *grown = realloc(source->line, source->used + length + 1);

    if (grown == NULL)
        return false;
    source->line = grown;
    memcpy(grown + source->used, part, length);
    source->used += length;
    grown[source->used] = '\0';
    return true;
}

/* Take one line of the file, as libpam does; *is_continued says whether the
 * next one belongs to it. */
static bool
take(struct reading *reading, struct source *source, char *part,
     bool *is_continued)
{
    const bool is_blank = strchr("#\n", part[strspn(part, " \t")]) != NULL;
    size_t length = strcspn(part, "#\n");
    const bool has_comment = part[length] == '#';

    if (source->used + strlen(part) >= LINE_SIZE)
        complain(reading, &source->position,
                 N_("the line is longer than 1023 bytes, of which libpam "
                    "before version 1.7 makes two"));
    if (is_blank && *is_continued)
        complain(reading, &source->position,
                 N_("a comment or an empty line is within a continued line: "
                    "for libpam from version 1.7 on it ends the line"));
    if (is_blank)
        return true;
    while (!has_comment && length > 0 &&
           strchr(" \t", part[length - 1]) != NULL)
        length--;
    *is_continued = !has_comment && length > 0 && part[length - 1] == '\\';
    if (*is_continued)
        part[length - 1] = ' ';
    else if (!has_comment && length > 0 && part[length - 1] == '\r') {
        length--;
        if (!source->has_cr)
            complain(reading, &source->position,
                     N_("the line ends in a carriage return, which is for "
                        "libpam a part of its last word"));
        source->has_cr = true;
        reading->stack->is_refused = true;
    }
    return append(source, part, length);
}

/* The next line without its comment, with continued lines joined.  False at
 * the end. */
static bool
next_line(struct reading *reading, struct source *source)
{
    char *part = NULL;
    size_t size = 0;
    bool is_continued = false, is_any = false, is_taken = true;

    source->used = 0;
    do {
        if (getline(&part, &size, source->stream) <= 0) {
            if (is_continued)
                is_taken = refuse(reading, &source->position,
                                  N_("the last line ends in a backslash, and "
                                     "libpam does not read such a file"));
            break;
        }
        is_any = true;
        source->position.number++;
        is_taken =
            append(source, "", 0) && take(reading, source, part, &is_continued);
    } while (is_taken && is_continued);
    free(part);
    return is_any && is_taken;
}

bool
stack_find(const struct stack_reader *reader, const char *name, char *path,
           size_t size)
{
    if (name[0] == '/') {
        snprintf(path, size, "%s", name);
        return access(path, F_OK) == 0;
    }
    for (size_t i = 0; reader->folders[i] != NULL; i++) {
        snprintf(path, size, "%s/%s", reader->folders[i], name);
        if (access(path, F_OK) == 0)
            return true;
    }
    snprintf(path, size, "%s/%s", reader->folders[0], name);
    return false;
}

static bool
read_file(struct reading *reading, const char *name,
          const struct position *from)
{
    char path[4096], why[512];
    struct source source = {.position = {path, 0}};
    bool is_read = true;

    if (reading->depth == DEPTH_MAX)
        return refuse(reading, from,
                      N_("files include each other without end"));
    if (stack_find(reading->reader, name, path, sizeof(path)))
        source.stream = fopen(path, "re");
    if (source.stream == NULL) {
        const int error = errno;

        snprintf(why, sizeof(why), "%.300s: %s", path, strerror(error));
        if (from != NULL)
            return refuse(reading, from, why);
        if (error != ENOENT)
            complain(reading, &source.position, strerror(error));
        return false;
    }
    reading->depth++;
    while (is_read && next_line(reading, &source))
        is_read = read_line(reading, &source.position, source.line);
    reading->depth--;
    free(source.line);
    fclose(source.stream);
    return is_read;
}

bool
stack_read(struct stack_reader *reader, const char *service,
           enum stack_type type, struct stack *stack)
{
    struct reading reading = {.reader = reader, .type = type, .stack = stack};

    stack->count = 0;
    stack->is_refused = false;
    return read_file(&reading, service, NULL);
}
