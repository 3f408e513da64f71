/*
 * PAM stack: see pam_stack.h.
 *
 * What a stack allows is found by walking it, not from the text of its
 * lines: the same safety can be written in many ways.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/check/pam_auth.h"
#include "tools/check/pam_service.h"
#include "tools/check/pam_stack.h"
#include "tools/words.h"

/* /etc, the vendor's folder of libpam's own default, and those of Debian and of
 * SUSE.  One that does not exist is empty. */
const char *const check_pam_folders[] = {"/etc/pam.d", "/usr/lib/pam.d",
                                         "/usr/share/pam/pam.d",
                                         "/usr/etc/pam.d", NULL};

/* One check of all services. */
struct check {
    struct stack_reader reader;
    const struct check_stacks *how;
    struct findings *findings;
    struct findings *open; /* findings that count without the module, too */
    bool is_used;          /* some stack has pam_selfreset.so */
};

/* ---- account */

/* The module demands a new password, and no other line does. */
static bool
may_demand(const struct question *question, const struct stack_line *line,
           enum stack_answer answer)
{
    if ((line->kinds & MODULE_PLAIN) != 0)
        return answer == STACK_NEW_TOKEN;
    return answer != STACK_NEW_TOKEN && service_may(question, line, answer);
}

/* Whether the success of a line is enough without this module. */
static bool
can_bypass(const struct service *service, enum stack_type type,
           const struct stack_line *line)
{
    const struct question question = {.service = service,
                                      .type = type,
                                      .about = line,
                                      .all = MARK_BARE,
                                      .none = MARK_US | MARK_NOT_OURS};

    return service_can(&question);
}

static void
check_account_bypass(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_ACCOUNT];

    for (size_t i = 0; i < stack->count; i++) {
        const struct stack_line *line = stack->line[i];

        if ((line->kinds & MODULE_SELF) != 0)
            break;
        /* Only a line that cuts the way short can be at fault. */
        if ((line->action[STACK_SUCCESS] == STACK_DO_DONE ||
             line->action[STACK_SUCCESS] > 0) &&
            can_bypass(service, STACK_ACCOUNT, line))
            service_add(
                service, SEVERITY_ERROR, line,
                "This line can end the account stack before pam_selfreset.so "
                "is asked.  Expired and locked accounts can then log in.",
                "Put pam_selfreset.so before this line.");
    }
}

static void
check_account_missing(const struct service *service)
{
    const struct stack_line *verifier =
        service_line(service, STACK_ACCOUNT, MODULE_VERIFIER);
    bool has_auth = service_line(service, STACK_AUTH, MODULE_SELF) != NULL;
    static const char text[] =
        N_("The account stack does not ask pam_selfreset.so.  No user is "
           "warned, and expired and locked accounts can log in.");
    static const char advice[] =
        N_("Add \"account [success=done new_authtok_reqd=done "
           "user_unknown=ignore default=die] pam_selfreset.so\" before the "
           "lines of other modules.");

    if (verifier != NULL)
        service_add(service, has_auth ? SEVERITY_ERROR : SEVERITY_WARNING,
                    verifier, text, advice);
    else if (has_auth)
        service_add(service, SEVERITY_ERROR, NULL, text, advice);
}

static void
check_account(const struct service *service)
{
    const struct stack_line *self =
        service_line(service, STACK_ACCOUNT, MODULE_PLAIN);
    const struct question is_overruled = {
        .service = service, .type = STACK_ACCOUNT, .all = MARK_US_NO};
    const struct question is_ignored = {.service = service,
                                        .type = STACK_ACCOUNT,
                                        .may = may_demand,
                                        .all = MARK_US,
                                        .none = MARK_NEW_TOKEN};

    if (self == NULL) {
        /* What "other" refuses needs no question of ours. */
        if (!service->is_other[STACK_ACCOUNT] ||
            service_can(&(const struct question){.service = service,
                                                 .type = STACK_ACCOUNT}))
            check_account_missing(service);
        return;
    }
    check_account_bypass(service);
    if (service_can(&is_overruled))
        service_add(
            service, SEVERITY_ERROR, self,
            "The stack succeeds for users whom this line refuses.",
            "Write its control as \"required\", or with \"default=die\".");
    if (service_can(&is_ignored))
        service_add(service, SEVERITY_ERROR, self,
                    "The stack ignores the demand for a new password.  Expired "
                    "passwords are not changed.",
                    "Write its control as \"required\", or with "
                    "\"new_authtok_reqd=done\".");
}

/* ---- password */

/* The first pass (PRELIM), in which the module's first line answers PAM_IGNORE.
 */
static bool
may_in_prelim(const struct question *question, const struct stack_line *line,
              enum stack_answer answer)
{
    if ((line->kinds & MODULE_PLAIN) != 0)
        return answer == STACK_IGNORE;
    if ((line->kinds & MODULE_SETTLE) != 0)
        return answer == STACK_SUCCESS;
    return service_may(question, line, answer);
}

static void
check_one_storer(const struct service *service, const struct stack_line *line)
{
    const struct question is_stored = {.service = service,
                                       .type = STACK_PASSWORD,
                                       .about = line,
                                       .all = MARK_BARE | MARK_US};
    struct question is_unsettled = is_stored;

    is_unsettled.none = MARK_SETTLED;
    if (can_bypass(service, STACK_PASSWORD, line)) {
        service_add(
            service,
            service_line(service, STACK_PASSWORD, MODULE_SELF) != NULL
                ? SEVERITY_ERROR
                : SEVERITY_WARNING,
            line,
            "New passwords can be stored here without pam_selfreset.so.  "
            "The rules for changes and for passwords are bypassed.",
            "Put pam_selfreset.so before this line, as pam_selfreset(8) "
            "shows.");
        return;
    }
    if (service_can(&is_unsettled))
        service_add(
            service, SEVERITY_ERROR, line,
            "No settle follows this line, which stores new passwords.  The "
            "history is not kept, and temporary passwords do not end.",
            "Add \"password required pam_selfreset.so settle\" behind it.");
    if (!stack_has(line, "use_authtok") && service_can(&is_stored))
        service_add(
            service, SEVERITY_ERROR, line,
            "Without use_authtok this line asks for a new password of its "
            "own, which is not the one that was checked.",
            "Add use_authtok to the line.");
}

static void
check_password(const struct service *service)
{
    const struct stack *stack = &service->stack[STACK_PASSWORD];
    const struct stack_line *self =
        service_line(service, STACK_PASSWORD, MODULE_PLAIN);
    const struct question can_pass = {
        .service = service, .type = STACK_PASSWORD, .may = may_in_prelim};

    for (size_t i = 0; i < stack->count; i++) {
        if ((stack->line[i]->kinds & MODULE_VERIFIER) != 0)
            check_one_storer(service, stack->line[i]);
    }
    if (self != NULL && !service_can(&can_pass))
        service_add(
            service, SEVERITY_ERROR, self,
            "No password can be changed with this stack.  In the first pass "
            "pam_selfreset.so answers PAM_IGNORE, and a later line has to "
            "succeed.",
            "Write it as pam_selfreset(8) shows: [success=ok ignore=1 "
            "default=die], and settle behind the line that stores.");
}

/* ---- all types */

/* Whether a line is asked about accounts of this module. */
static bool
is_asked(const struct service *service, enum stack_type type,
         const struct stack_line *line)
{
    struct question question = {.service = service,
                                .type = type,
                                .about = line,
                                .may = service_may_with_us,
                                .all = MARK_BARE,
                                .is_passing = true,
                                .follows_bad = true};

    if (service_can(&question))
        return true;
    question.all = MARK_GUARDED;
    return service_can(&question);
}

/* Modules that do the same work, by other rules. */
static void
check_rivals(const struct service *service, enum stack_type type)
{
    const struct stack *stack = &service->stack[type];

    for (size_t i = 0; i < stack->count; i++) {
        const struct stack_line *line = stack->line[i];

        if ((line->kinds & MODULE_LOCKOUT) != 0 &&
            is_asked(service, type, line))
            service_add(service, SEVERITY_WARNING, line,
                        "A second lockout counts here.  It can refuse right "
                        "passwords, and \"selfresetctl unlock\" does not end "
                        "it.",
                        "Take this line out.");
        if (type == STACK_PASSWORD && (line->kinds & MODULE_QUALITY) != 0 &&
            is_asked(service, type, line))
            service_add(service, SEVERITY_WARNING, line,
                        "A second module checks new passwords.  New passwords "
                        "have to obey two sets of rules.",
                        "Take this line out; [password] in selfreset.conf(5) "
                        "has its rules.");
    }
}

/* Whether a name is in a list that ends with NULL. */
static bool
is_one_of(const char *name, const char *const list[])
{
    while (*list != NULL && strcmp(name, *list) != 0)
        list++;
    return *list != NULL;
}

/* Screen lockers that verify passwords in a process of their user. */
static void
check_locker(const struct check *check, const struct service *service)
{
    static const char *const lockers[] = {"cinnamon-screensaver",
                                          "gtklock",
                                          "hyprlock",
                                          "i3lock",
                                          "kde",
                                          "kscreensaver",
                                          "mate-screensaver",
                                          "swaylock",
                                          "waylock",
                                          "xfce4-screensaver",
                                          "xscreensaver",
                                          "xsecurelock",
                                          NULL};

    if (service_line(service, STACK_AUTH, MODULE_SELF) == NULL ||
        !is_one_of(service->name, lockers))
        return;
    if (!check->how->has_helper)
        service_add(service, SEVERITY_ERROR, NULL,
                    "This screen locker does not run as root, and "
                    "selfreset-helper, which checks passwords for such "
                    "programs, does not listen: the screen cannot be unlocked "
                    "(SR-3212).",
                    "Run \"systemctl enable --now selfreset-helper.socket\", "
                    "or without systemd start \"selfreset-helper --listen\".");
    else if (service_line(service, STACK_AUTH, MODULE_GUARD | MODULE_SETTLE) !=
             NULL)
        service_add(service, SEVERITY_ERROR, NULL,
                    "This screen locker does not run as root, and nobody "
                    "counts for such programs what another module verifies: "
                    "the screen cannot be unlocked (SR-3212).",
                    "Give this file \"auth required pam_selfreset.so\" in "
                    "place of the lines that it includes.");
}

static bool
is_known_argument(const char *text)
{
    static const char *const known[] = {
        "debug",          "guard",          "settle", "use_authtok",
        "try_first_pass", "use_first_pass", NULL};

    return is_one_of(text, known) ||
           (strncmp(text, "conf=", 5) == 0 && text[5] != '\0') ||
           (strncmp(text, "backend=", 8) == 0 && text[8] != '\0');
}

/* A line of the module: its arguments. */
static void
check_line(const struct check *check, const struct service *service,
           enum stack_type type, const struct stack_line *line)
{
    char text[1024];

    for (size_t i = 0; i < line->argument_count; i++) {
        const char *argument = line->argument[i];

        if (strncmp(argument, "conf=", 5) == 0 && check->how->conf != NULL)
            check->how->conf(check->how->context, argument + 5);
        if (is_known_argument(argument))
            continue;
        snprintf(text, sizeof(text),
                 _("pam_selfreset.so has no argument \"%.200s\".  It answers "
                   "every call with an error."),
                 argument);
        service_add(service, SEVERITY_ERROR, line, text,
                    "See pam_selfreset(8) for its arguments.");
    }
    if ((stack_has(line, "guard") && type != STACK_AUTH) ||
        (stack_has(line, "settle") && type != STACK_AUTH &&
         type != STACK_PASSWORD))
        service_add(service, SEVERITY_ERROR, line,
                    "This argument has no meaning in this type of stack.",
                    "guard belongs to auth; settle to auth and password.");
}

/* Whether libpam finds the module of a line that fails without it.  A name is
 * looked for where this module is. */
static void
check_installed(const struct check *check, const struct service *service,
                const struct stack_line *line)
{
    const char *slash =
        check->how->module == NULL ? NULL : strrchr(check->how->module, '/');
    const int action = line->action[STACK_MISSING];
    char path[PATH_MAX], text[1024];

    if (line->path[0] == '/')
        snprintf(path, sizeof(path), "%s", line->path);
    else if (slash != NULL)
        snprintf(path, sizeof(path), "%.*s/%s",
                 (int)(slash - check->how->module), check->how->module,
                 line->path);
    else
        return;
    if (((line->kinds & MODULE_SELF) == 0 && action != STACK_DO_BAD &&
         action != STACK_DO_DIE) ||
        strchr(path, '$') != NULL || access(path, R_OK) == 0)
        return;
    snprintf(text, sizeof(text),
             _("The module is not installed as %.300s.  libpam fails at this "
               "line."),
             path);
    service_add(service, SEVERITY_ERROR, line, text,
                "Install it there, or remove the line.");
}

/* Services by which users log in; sudo, cron and the like open sessions too,
 * but show and remember nothing. */
static bool
is_login(const char *service)
{
    static const char *const logins[] = {
        "login",   "remote", "sshd", "su",   "su-l", "gdm-password",
        "lightdm", "sddm",   "xdm",  "lxdm", "kde",  NULL};

    return is_one_of(service, logins);
}

/* A login whose sessions would not be known as those of their users.  su takes
 * over the session that it is called in. */
static void
check_session(const struct check *check, const struct service *service)
{
    static const char *const su[] = {"su", "su-l", NULL};

    if (!is_login(service->name) ||
        service_line(service, STACK_AUTH, MODULE_SELF) == NULL)
        return;
    if (service_line(service, STACK_SESSION, MODULE_SELF) == NULL)
        service_add(service, SEVERITY_WARNING, NULL,
                    "The session stack does not have pam_selfreset.so.  "
                    "Users are not informed of failed attempts, and their "
                    "usual addresses are not remembered, so that strangers can "
                    "lock them out.",
                    "Add \"session optional pam_selfreset.so\".");
    if (check->how->needs_logon && !is_one_of(service->name, su) &&
        service_line(service, STACK_SESSION, MODULE_LOGINUID) == NULL)
        service_add(service, SEVERITY_ERROR, NULL,
                    "The session stack does not have pam_loginuid.so, by which "
                    "change.require_logon finds out who is logged on.  Users "
                    "who log in here cannot change their password.",
                    "Add \"session required pam_loginuid.so\".");
}

/* What is by the rules of the module only. */
static void
check_rules(const struct check *check, const struct service *service)
{
    check_auth(service);
    check_account(service);
    check_password(service);
    for (int type = 0; type < STACK_TYPE_COUNT; type++) {
        if (service_line(service, (enum stack_type)type, MODULE_SELF) != NULL)
            check_rivals(service, (enum stack_type)type);
    }
    check_session(check, service);
    check_locker(check, service);
    if (check->how->directory != NULL)
        check_directory(service, check->how->directory);
}

/* A login without lines of a type: those of "other" count, and Linux-PAM's own
 * file of this name refuses everything. */
static void
check_other(const struct service *service, enum stack_type type)
{
    static const char *const name[STACK_TYPE_COUNT] = {
        [STACK_AUTH] = "auth",
        [STACK_ACCOUNT] = "account",
        [STACK_PASSWORD] = "password",
        [STACK_SESSION] = "session",
    };
    const struct question question = {
        .service = service, .type = type, .may = service_may_with_us};
    const bool is_dead = service->is_other[type] && !service_can(&question);
    char text[256];

    if (!is_dead && (type != STACK_AUTH ||
                     service_line(service, type, MODULE_SELF) != NULL))
        return;
    snprintf(text, sizeof(text),
             _("There is no line of %s, so libpam takes those of the service "
               "\"other\"."),
             name[type]);
    service_add(service,
                is_dead && type != STACK_PASSWORD ? SEVERITY_ERROR
                                                  : SEVERITY_WARNING,
                NULL, text,
                "Give the service lines of its own, as pam_selfreset(8) "
                "shows.");
}

/* Whether users get in at all. */
static void
check_way_in(const struct service *service, bool has_us)
{
    const bool is_ours = has_us && is_login(service->name);

    for (int at = 0; at < STACK_TYPE_COUNT; at++) {
        const enum stack_type type = (enum stack_type)at;
        const bool has_lines = service->stack[type].count > 0;

        if (is_ours && (service->is_other[type] || !has_lines))
            check_other(service, type);
        else if (type <= STACK_ACCOUNT &&
                 (service_line(service, type, MODULE_SELF) != NULL ||
                  (is_ours && has_lines)))
            check_dead(service, type);
    }
}

static void
check_service(struct check *check, struct service *service)
{
    bool has_us = false;

    for (int type = 0; type < STACK_TYPE_COUNT; type++) {
        const struct stack *stack = &service->stack[type];

        for (size_t i = 0; i < stack->count; i++) {
            if ((stack->line[i]->kinds & MODULE_SELF) == 0)
                continue;
            has_us = true;
            check_line(check, service, (enum stack_type)type, stack->line[i]);
        }
    }
    check->is_used = check->is_used || has_us;
    check_way_in(service, has_us);
    if (!check->how->is_safety_only)
        check_rules(check, service);
    service->findings = check->open;
    check_auth_open(service);
    for (int type = 0; type < STACK_TYPE_COUNT; type++) {
        const struct stack *stack = &service->stack[type];

        for (size_t i = 0; i < stack->count; i++) {
            if (has_us || is_login(service->name))
                check_installed(check, service, stack->line[i]);
        }
    }
}

/* Where a service has no line of a type, libpam takes those of "other".  Few
 * services make calls of all types: these are the calls that a login makes, and
 * those of a service that has one of the two that decide. */
static bool
take_other(struct stack_reader *reader, struct service *service)
{
    const bool decides = service->stack[STACK_AUTH].count > 0 ||
                         service->stack[STACK_ACCOUNT].count > 0;
    bool is_whole = true;
    char path[4200];

    if (strcmp(service->name, "other") == 0 ||
        !stack_find(reader, "other", path, sizeof(path)))
        return true;
    for (int at = 0; at < STACK_TYPE_COUNT; at++) {
        const enum stack_type type = (enum stack_type)at;
        struct stack *stack = &service->stack[type];

        if (stack->count > 0 ||
            (!is_login(service->name) && (!decides || type > STACK_ACCOUNT)))
            continue;
        is_whole = stack_read(reader, "other", type, stack) && is_whole;
        service->is_other[type] = stack->count > 0;
    }
    return is_whole;
}

/* Read all stacks of a service; false when one cannot be read. */
static bool
read_service(struct stack_reader *reader, struct service *service)
{
    bool is_whole = true;

    /* Problems of the files are the same for each type, and reported once. */
    for (int type = 0; type < STACK_TYPE_COUNT; type++)
        is_whole = stack_read(reader, service->name, (enum stack_type)type,
                              &service->stack[type]) &&
                   is_whole;
    return is_whole && take_other(reader, service);
}

static void
free_service(struct service *service)
{
    for (int type = 0; type < STACK_TYPE_COUNT; type++)
        stack_free(&service->stack[type]);
}

static void
note_problem(void *context, const char *file, unsigned number, const char *what)
{
    struct check *check = context;

    findings_add_at(check->open, SEVERITY_ERROR, file, number, NULL,
                    "See pam.conf(5) for the syntax.",
                    "libpam refuses this: %s.", _(what));
}

/* ---- all services */

/* Names of services; common-* and the like are files that others include, and
 * are read there. */
static int
is_service(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t length = strlen(name);
    static const char *const endings[] = {
        "~",          ".bak",      ".dpkg-bak", ".dpkg-dist", ".dpkg-new",
        ".dpkg-old",  ".old",      ".orig",     ".pam-new",   ".pam-old",
        ".rpmnew",    ".rpmorig",  ".rpmsave",  ".save",      ".swo",
        ".swp",       ".ucf-dist", ".ucf-new",  ".ucf-old",   PAM_OLD_FILE,
        PAM_KEPT_FILE};

    if (name[0] == '.' || name[0] == '#' || strncmp(name, "common-", 7) == 0)
        return 0;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t size = strlen(endings[i]);

        if (length > size && strcmp(name + length - size, endings[i]) == 0)
            return 0;
    }
    return 1;
}

/* Call `each` for the services of the reader's folders, once for each name: a
 * file hides those of the same name in the folders behind it. */
static void
each_service(struct stack_reader *reader,
             void (*each)(void *context, struct service *service),
             void *context)
{
    for (size_t i = 0; reader->folders[i] != NULL; i++) {
        struct dirent **names = NULL;
        int count = scandir(reader->folders[i], &names, is_service, alphasort);

        for (int at = 0; at < count; at++) {
            char own[4200], path[4200];
            struct service service = {.name = names[at]->d_name, .file = own};

            snprintf(own, sizeof(own), "%s/%s", reader->folders[i],
                     service.name);
            if (stack_find(reader, service.name, path, sizeof(path)) &&
                strcmp(own, path) == 0 && read_service(reader, &service))
                each(context, &service);
            free_service(&service);
            free(names[at]);
        }
        free(names);
    }
}

static void
check_one(void *context, struct service *service)
{
    struct check *check = context;

    service->findings = check->findings;
    check_service(check, service);
}

static void
move_findings(struct findings *from, struct findings *to)
{
    for (size_t i = 0; i < from->count; i++)
        findings_add(to, from->item[i].severity, from->item[i].place,
                     from->item[i].subjects, from->item[i].advice, "%s",
                     from->item[i].text);
    to->is_cut = to->is_cut || from->is_cut;
    findings_free(from);
}

bool
check_stacks(const struct check_stacks *how, struct findings *findings)
{
    struct findings found = {0}, open = {0};
    struct check check = {
        .reader = {.folders = how->folders, .problem = note_problem},
        .how = how,
        .findings = &found,
        .open = &open,
    };

    check.reader.context = &check;
    each_service(&check.reader, check_one, &check);
    /* When no stack has the module, one sentence says more than thirty. */
    if (!check.is_used && !how->is_safety_only) {
        findings_free(&found);
        findings_add(&found, SEVERITY_ERROR, how->folders[0], NULL,
                     "Run \"selfresetctl pam --enable\", or add it to the "
                     "stacks as pam_selfreset(8) shows.",
                     "No stack has pam_selfreset.so, so it has no effect.");
    }
    move_findings(&open, findings);
    move_findings(&found, findings);
    return check.is_used;
}

/* ---- lines of the module */

struct listing {
    const char *service; /* or NULL: all */
    void (*line)(void *context, const char *file, unsigned number);
    void *context;
    bool is_any;
};

static void
list_one(void *context, struct service *service)
{
    struct listing *listing = context;

    if (listing->service != NULL &&
        strcmp(listing->service, service->name) != 0)
        return;
    for (int type = 0; type < STACK_TYPE_COUNT; type++) {
        const struct stack *stack = &service->stack[type];

        for (size_t i = 0; i < stack->count; i++) {
            if ((stack->line[i]->kinds & MODULE_SELF) == 0)
                continue;
            listing->is_any = true;
            if (listing->line != NULL)
                listing->line(listing->context, stack->line[i]->file,
                              stack->line[i]->number);
        }
    }
}

bool
stacks_name_module(const char *const *folders, const char *service,
                   void (*line)(void *context, const char *file,
                                unsigned number),
                   void *context)
{
    struct stack_reader reader = {.folders = folders};
    struct listing listing = {service, line, context, false};

    each_service(&reader, list_one, &listing);
    return listing.is_any;
}
