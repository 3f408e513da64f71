/*
 * JSON: a small writer.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/util/utf8.h"
#include "tools/json.h"

void
json_begin(struct json *json, FILE *stream)
{
    memset(json, 0, sizeof(*json));
    json->stream = stream;
}

/* A character as JSON writes any: by its number in UTF-16. */
static void
put_number(FILE *stream, uint32_t point)
{
    if (point >= 0x10000) {
        fprintf(stream, "\\u%04x", (unsigned)(0xd7c0 + (point >> 10)));
        point = 0xdc00 | (point & 0x3ff);
    }
    fprintf(stream, "\\u%04x", (unsigned)point);
}

/* One character as JSON wants it; what a terminal would act on by number. */
static void
put_character(FILE *stream, uint32_t point, const char *at, size_t size)
{
    if (point == '"' || point == '\\')
        fprintf(stream, "\\%c", (int)point);
    else if (point == '\n')
        fputs("\\n", stream);
    else if (sr_utf8_is_control(point))
        put_number(stream, point);
    else
        fwrite(at, 1, size, stream);
}

static void
put_string(FILE *stream, const char *text)
{
    fputc('"', stream);
    while (*text != '\0') {
        const char *next = text;
        uint32_t point;

        if (sr_utf8_next(&next, &point) == 1) {
            put_character(stream, point, text, (size_t)(next - text));
            text = next;
        } else {
            fputs("\xef\xbf\xbd", stream); /* U+FFFD for each wrong byte */
            text++;
        }
    }
    fputc('"', stream);
}

static void
put_indent(const struct json *json)
{
    fprintf(json->stream, "\n%*s", (int)(2 * json->depth), "");
}

/* What precedes a value: the comma, the start of the line and the key. */
static void
before_value(struct json *json, const char *key)
{
    bool in_object = json->depth > 0 && !json->level[json->depth].is_array;

    if (in_object != (key != NULL))
        abort();
    if (json->level[json->depth].has_item)
        fputc(',', json->stream);
    json->level[json->depth].has_item = true;
    if (json->depth > 0)
        put_indent(json);
    if (key != NULL) {
        put_string(json->stream, key);
        fputs(": ", json->stream);
    }
}

static void
open_level(struct json *json, const char *key, bool is_array)
{
    before_value(json, key);
    if (json->depth == JSON_DEPTH_MAX)
        abort();
    json->depth++;
    json->level[json->depth].is_array = is_array;
    json->level[json->depth].has_item = false;
    fputc(is_array ? '[' : '{', json->stream);
}

void
json_object(struct json *json, const char *key)
{
    open_level(json, key, false);
}

void
json_array(struct json *json, const char *key)
{
    open_level(json, key, true);
}

void
json_string(struct json *json, const char *key, const char *text)
{
    if (text == NULL) {
        json_null(json, key);
        return;
    }
    before_value(json, key);
    put_string(json->stream, text);
}

void
json_number(struct json *json, const char *key, int64_t number)
{
    before_value(json, key);
    fprintf(json->stream, "%" PRId64, number);
}

void
json_bool(struct json *json, const char *key, bool value)
{
    before_value(json, key);
    fputs(value ? "true" : "false", json->stream);
}

void
json_null(struct json *json, const char *key)
{
    before_value(json, key);
    fputs("null", json->stream);
}

void
json_end(struct json *json)
{
    bool is_array = json->level[json->depth].is_array;
    bool has_item = json->level[json->depth].has_item;

    if (json->depth == 0)
        abort();
    json->depth--;
    if (has_item)
        put_indent(json);
    fputc(is_array ? ']' : '}', json->stream);
    if (json->depth == 0)
        fputc('\n', json->stream);
}
