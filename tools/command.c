/*
 * Command: reads the options and operands of a command of selfresetctl.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/config/nearest.h"
#include "policy/util/fold.h"
#include "tools/command.h"
#include "tools/output.h"
#include "tools/words.h"

/* The options of one command, with those that all commands have. */
#define OPTIONS_MAX 12

static void
print_usage(FILE *stream, const struct ctl_command *command)
{
    char first[96];

    snprintf(first, sizeof(first), _("Usage: selfresetctl %s "), command->name);
    ctl_wrap(stream, first, (unsigned)sr_fold_columns(first),
             command->arguments);
}

static void
print_command_help(const struct ctl_command *command)
{
    const char *at = command->help == NULL ? "" : _(command->help);

    print_usage(stdout, command);
    /* TRANSLATORS: a command of selfresetctl and what it does */
    printf(_("\n%s: %s.\n"), command->name, _(command->summary));
    if (*at != '\0')
        putchar('\n');
    while (*at != '\0') { /* a paragraph is a line */
        char *line = strndup(at, strcspn(at, "\n"));

        ctl_wrap(stdout, "", 0, line == NULL ? "" : line);
        free(line);
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
}

int
ctl_usage(const struct ctl *ctl, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    ctl_say_list(stderr, "selfresetctl: ", format, list);
    va_end(list);
    if (ctl->command != NULL)
        print_usage(stderr, ctl->command);
    else
        fprintf(stderr, "%s\n", _("Try \"selfresetctl --help\"."));
    return CTL_USAGE;
}

int
ctl_unknown(const struct ctl *ctl, enum ctl_word kind, const char *typed,
            const char *const words[], size_t count)
{
    unsigned least = SR_NEAREST_NEVER;
    const char *nearest = NULL;
    char text[512], meant[256];

    for (size_t i = 0; i < count; i++) {
        if (sr_nearest_is(typed, words[i], &least))
            nearest = words[i];
    }
    snprintf(text, sizeof(text),
             kind == CTL_WORD_COMMAND  ? _("Unknown command \"%s\".")
             : kind == CTL_WORD_OPTION ? _("Unknown option \"%s\".")
             : kind == CTL_WORD_STATE  ? _("Unknown state \"%s\".")
                                       : _("Unknown benchmark \"%s\"."),
             typed);
    if (nearest == NULL)
        return ctl_usage(ctl, "%s", text);
    snprintf(meant, sizeof(meant), _("Did you mean \"%s\"?"), nearest);
    return ctl_usage(ctl, "%s  %s", text, meant);
}

int
ctl_unknown_option(const struct ctl *ctl, char **argv,
                   const char *const words[], size_t count)
{
    const char letter[3] = {'-', (char)optopt, '\0'};

    return ctl_unknown(ctl, CTL_WORD_OPTION,
                       optopt > 0 && optopt < 128 ? letter : argv[optind - 1],
                       words, count);
}

void
ctl_print(const struct ctl *ctl, const char *format, ...)
{
    va_list list;

    if (ctl->is_json)
        return;
    va_start(list, format);
    ctl_say_list(stdout, "", format, list);
    va_end(list);
}

const char *
ctl_exit_name(int code)
{
    switch (code) {
    case CTL_FAILED:
        return "failed";
    case CTL_NO_USER:
        return "no_such_account";
    case CTL_PARTLY:
        return "partly_done";
    case CTL_REFUSED:
        return "refused";
    case CTL_USAGE:
        return "usage";
    case CTL_NO_ROOT:
        return "not_root";
    default:
        return NULL;
    }
}

/* Fail with an exit code. */
static bool
refuse(struct ctl *ctl, int code)
{
    ctl->exit = code;
    return false;
}

/* ---- options */

/* The command's own options, and those that all commands have. */
struct options {
    struct ctl_option item[OPTIONS_MAX];
    struct option table[OPTIONS_MAX + 1]; /* for getopt_long(3) */
    char name[OPTIONS_MAX][32];           /* "--json", for suggestions */
    size_t count;
    bool has_help;
};

static void
add_option(struct options *all, const struct ctl_option *option)
{
    struct option *entry = &all->table[all->count];

    if (all->count == OPTIONS_MAX)
        abort();
    all->item[all->count] = *option;
    entry->name = option->name;
    entry->has_arg = option->value != NULL ? required_argument : no_argument;
    entry->val = (int)all->count + 1;
    snprintf(all->name[all->count], sizeof(all->name[0]), "--%s", option->name);
    all->count++;
}

/* "--json=1", and "--state" at the end of the line. */
static int
wrong_value(const struct ctl *ctl, const struct options *all, char **argv)
{
    const struct ctl_option *option = &all->item[optopt - 1];

    if (option->value == NULL)
        return ctl_usage(ctl, "The option --%s takes no value.", option->name);
    return ctl_usage(ctl, "The option %s needs a value.", argv[optind - 1]);
}

/* The name of a missing operand: the first word of the usage in capitals. */
static void
operand_name(const char *arguments, char *out, size_t size)
{
    unsigned depth = 0;

    snprintf(out, size, "argument");
    for (const char *at = arguments; *at != '\0'; at++) {
        depth += *at == '[';
        depth -= *at == ']';
        if (depth > 0 || !isupper((unsigned char)*at))
            continue;
        snprintf(out, size, "%.*s", (int)strcspn(at, ". "), at);
        return;
    }
}

static bool
check_operands(struct ctl *ctl, int least, int most)
{
    char name[32];

    if (ctl->operand_count < least) {
        operand_name(ctl->command->arguments, name, sizeof(name));
        return refuse(ctl, ctl_usage(ctl, "%s is missing.", name));
    }
    if (ctl->operand_count > most)
        return refuse(ctl, ctl_usage(ctl, "Unexpected argument \"%s\".",
                                     ctl->operand[most]));
    if (ctl->command->needs_root && geteuid() != 0) {
        ctl_error("Only root can use \"%s\".  Nothing was done.",
                  ctl->command->name);
        return refuse(ctl, CTL_NO_ROOT);
    }
    return true;
}

bool
ctl_parse(struct ctl *ctl, int argc, char **argv,
          const struct ctl_option *options, size_t count, int least, int most)
{
    const struct ctl_option common[] = {
        {"json", &ctl->is_json, NULL},
        {"dry-run", &ctl->is_dry_run, NULL},
    };
    struct options all = {0};
    const char *words[OPTIONS_MAX];
    int found;

    for (size_t i = 0; i < count; i++)
        add_option(&all, &options[i]);
    add_option(&all, &common[0]);
    if (ctl->command->changes)
        add_option(&all, &common[1]);
    add_option(&all, &(const struct ctl_option){"help", &all.has_help, NULL});
    for (size_t i = 0; i < all.count; i++)
        words[i] = all.name[i];
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":h", all.table, NULL)) != -1) {
        if (found == '?' && optopt > 0 && (size_t)optopt <= all.count &&
            strchr(argv[optind - 1], '=') != NULL)
            return refuse(ctl, wrong_value(ctl, &all, argv));
        if (found == '?')
            return refuse(ctl, ctl_unknown_option(ctl, argv, words, all.count));
        if (found == ':')
            return refuse(ctl, wrong_value(ctl, &all, argv));
        if (found == 'h')
            all.has_help = true;
        else if (all.item[found - 1].value != NULL)
            *all.item[found - 1].value = optarg;
        else
            *all.item[found - 1].flag = true;
    }
    if (ctl->is_json)
        ctl_english();
    if (all.has_help) {
        print_command_help(ctl->command);
        return refuse(ctl, CTL_OK);
    }
    ctl->operand = argv + optind;
    ctl->operand_count = argc - optind;
    return check_operands(ctl, least, most);
}
