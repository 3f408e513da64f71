/*
 * JSON: a small writer.  It cannot write a document that is not JSON: commas,
 * nesting and escapes are its own work, and bytes that are not UTF-8 become
 * U+FFFD.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_JSON_H
#define SR_TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The deepest nesting; more is a mistake of the caller and aborts. */
#define JSON_DEPTH_MAX 8

struct json {
    FILE *stream;
    unsigned depth;
    struct {
        bool is_array;
        bool has_item;
    } level[JSON_DEPTH_MAX + 1];
};

/* Begin a document; one value follows at the top. */
void json_begin(struct json *json, FILE *stream);

/*
 * Values.  `key` names the member of an object; it is NULL in an array and at
 * the top, and only there.
 */
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_string(struct json *json, const char *key, const char *text);
void json_number(struct json *json, const char *key, int64_t number);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* Close the object or array that was opened last; ends the line at the top. */
void json_end(struct json *json);

#endif
