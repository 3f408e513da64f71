/*
 * Command: reads the options and operands of a command of selfresetctl.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/output.h"

#define OPTIONS_MAX 8

/* The option that getopt_long(3) did not know. */
int
ctl_unknown_option(const struct ctl *ctl, char **argv)
{
    if (optopt != 0 && optopt < 256)
        return ctl_usage(ctl, "There is no option \"-%c\" here.", optopt);
    return ctl_usage(ctl, "There is no option \"%s\" here.", argv[optind - 1]);
}

static void
print_usage(FILE *stream, const struct ctl_command *command)
{
    char first[64];

    snprintf(first, sizeof(first), "Usage: selfresetctl %s ", command->name);
    ctl_wrap(stream, first, (unsigned)strlen(first), command->arguments);
}

static void
print_command_help(const struct ctl_command *command)
{
    print_usage(stdout, command);
    printf("\n%s: %s.\n", command->name, command->summary);
    if (command->help != NULL)
        printf("\n%s", command->help);
}

int
ctl_usage(const struct ctl *ctl, const char *format, ...)
{
    char text[256];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    ctl_error("%s", text);
    if (ctl->command != NULL)
        print_usage(stderr, ctl->command);
    else
        fputs("Try \"selfresetctl --help\".\n", stderr);
    return CTL_USAGE;
}

/* Say no, with an exit code. */
static bool
refuse(struct ctl *ctl, int code)
{
    ctl->exit = code;
    return false;
}

/* The command's options as getopt_long(3) wants them, --help last. */
static void
fill_options(struct option *out, const struct ctl_option *options, size_t count)
{
    memset(out, 0, (count + 2) * sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        out[i].name = options[i].name;
        out[i].has_arg =
            options[i].value != NULL ? required_argument : no_argument;
        out[i].val = (int)i + 1;
    }
    out[count].name = "help";
    out[count].val = 'h';
}

bool
ctl_parse(struct ctl *ctl, int argc, char **argv,
          const struct ctl_option *options, size_t count, int least, int most)
{
    struct option table[OPTIONS_MAX + 2];
    int found;

    if (count > OPTIONS_MAX)
        abort();
    fill_options(table, options, count);
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
        if (found == 'h') {
            print_command_help(ctl->command);
            return refuse(ctl, CTL_OK);
        }
        if (found == ':')
            return refuse(
                ctl, ctl_usage(ctl, "%s needs a value.", argv[optind - 1]));
        if (found == '?')
            return refuse(ctl, ctl_unknown_option(ctl, argv));
        if (options[found - 1].value != NULL)
            *options[found - 1].value = optarg;
        else
            *options[found - 1].flag = true;
    }
    ctl->operand = argv + optind;
    ctl->operand_count = argc - optind;
    if (ctl->operand_count < least)
        return refuse(ctl, ctl_usage(ctl, "Something is missing."));
    if (ctl->operand_count > most)
        return refuse(
            ctl, ctl_usage(ctl, "\"%s\" is too much.", ctl->operand[most]));
    if (ctl->command->needs_root && geteuid() != 0) {
        ctl_error("Only root can use \"%s\".  Nothing was done.",
                  ctl->command->name);
        return refuse(ctl, CTL_NO_ROOT);
    }
    return true;
}
