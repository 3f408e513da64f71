/*
 * Lines: splits the bytes of a configuration file into sections, keys and
 * continuation lines.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <string.h>

#include "policy/config/lines.h"
#include "policy/util/utf8.h"
#include "policy/util/words.h"

#define BOM "\xef\xbb\xbf"

static bool
is_space(char byte)
{
    return byte == ' ' || byte == '\t';
}

void
sr_lines_begin(struct sr_lines *lines, char *bytes, size_t size)
{
    *lines = (struct sr_lines){.at = bytes, .end = bytes + size};
    if (size >= 3 && memcmp(bytes, BOM, 3) == 0)
        lines->at += 3;
}

/* Cut the next line off, without its end.  NULL: there is none. */
static char *
take_line(struct sr_lines *lines, size_t *length)
{
    char *line = lines->at;
    char *newline;

    if (lines->at >= lines->end)
        return NULL;
    newline = memchr(line, '\n', (size_t)(lines->end - line));
    lines->at = newline == NULL ? lines->end : newline + 1;
    *length = (size_t)((newline == NULL ? lines->end : newline) - line);
    if (*length > 0 && line[*length - 1] == '\r')
        --*length;
    line[*length] = '\0';
    lines->number++;
    return line;
}

/* What is wrong with a line's bytes, or NULL. */
static const char *
byte_fault(const char *text, size_t length)
{
    uint32_t point = 0;
    int status;

    if (memchr(text, '\0', length) != NULL)
        return N_LOG("the line has a NUL byte");
    while ((status = sr_utf8_next(&text, &point)) != 0) {
        if (status < 0)
            return N_LOG("the line is not valid UTF-8");
        if (point != '\t' && sr_utf8_is_control(point) &&
            !sr_utf8_is_joiner(point))
            return N_LOG("the line has a control character");
    }
    return NULL;
}

/* End the text where a comment begins, and before spaces at its end.  A double
 * quote without a second one on the line is a character like others. */
static void
trim_end(char *text)
{
    char *at = text, *close;

    for (; *at != '\0'; at++) {
        if (*at == '"' && (close = strchr(at + 1, '"')) != NULL)
            at = close;
        else if (is_space(at[0]) && (at[1] == '#' || at[1] == ';'))
            break;
    }
    while (at > text && is_space(at[-1]))
        at--;
    *at = '\0';
}

static struct sr_line
fault(const struct sr_lines *lines, char *line, const char *text)
{
    return (struct sr_line){SR_LINE_FAULT, lines->number, line, text};
}

static struct sr_line
read_section(struct sr_lines *lines, char *text)
{
    char *end = strchr(text, ']');

    lines->has_key = false;
    if (end == NULL || end[1] != '\0')
        return fault(
            lines, text,
            N_LOG("a section must look like [NAME], alone on its line"));
    *end = '\0';
    trim_end(text + 1);
    text += 1 + strspn(text + 1, " \t");
    return (struct sr_line){SR_LINE_SECTION, lines->number, text, text};
}

static struct sr_line
read_key(struct sr_lines *lines, char *text)
{
    char *split = strpbrk(text, "=:");

    if (split == NULL)
        return fault(lines, text,
                     N_LOG("the line is neither [section] nor key = value"));
    lines->has_key = true;
    *split++ = '\0';
    trim_end(text);
    return (struct sr_line){SR_LINE_KEY, lines->number, text,
                            split + strspn(split, " \t")};
}

struct sr_line
sr_lines_next(struct sr_lines *lines)
{
    size_t length = 0;
    char *line, *text;

    while ((line = take_line(lines, &length)) != NULL) {
        const char *bytes = byte_fault(line, length);

        if (bytes != NULL)
            return fault(lines, line + strlen(line), bytes);
        text = line + strspn(line, " \t");
        if (*text == '\0' || *text == '#' || *text == ';')
            continue;
        trim_end(text);
        if (*text == '[')
            return read_section(lines, text);
        if (text != line && lines->has_key)
            return (struct sr_line){SR_LINE_MORE, lines->number, text, text};
        return read_key(lines, text);
    }
    return (struct sr_line){SR_LINE_END, lines->number, NULL, NULL};
}
