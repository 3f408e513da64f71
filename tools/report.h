/*
 * Report: keys and values, written for people or as JSON by the same calls.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_TOOLS_REPORT_H
#define SR_TOOLS_REPORT_H

#include "policy/decide/lockout.h"
#include "tools/json.h"

struct report {
    bool is_json;
    bool is_list; /* of several items */
    sr_time now;
    unsigned depth; /* of sections */
    unsigned items;
    struct json json;
};

/* Long enough for any time or duration below. */
#define REPORT_TEXT_MAX 96

/*
 * Begin and end a report on standard output: one item, or a list of items.
 * JSON: an object, or an array of objects.
 */
void report_begin(struct report *report, bool is_json, sr_time now,
                  bool is_list);
void report_end(struct report *report);

/* An item: an object, or lines with an empty line between items. */
void report_item(struct report *report);
void report_item_end(struct report *report);

/* A section: an object under `key`, or lines below `title`, which is
 * translated where a catalogue has it. */
void report_section(struct report *report, const char *key, const char *title);
void report_section_end(struct report *report);

/* Values.  A NULL text is null, and "-" for people. */
void report_text(struct report *report, const char *key, const char *text);
/* Words on as many lines as they need; for people nothing when NULL. */
void report_words(struct report *report, const char *key, const char *text);

/* Words from `count` in `item` that are not NULL: an array, or "a, b" for
 * people, who read `none` when there is nothing. */
void report_list(struct report *report, const char *key,
                 const char *const item[], size_t count, const char *none);

void report_number(struct report *report, const char *key, int64_t number);
void report_bool(struct report *report, const char *key, bool value);
void report_tri(struct report *report, const char *key, enum sr_tri value);

/*
 * A time: null or "unknown"; "never"; or the time, in UTC in JSON and in local
 * time with its distance otherwise.
 */
void report_time(struct report *report, const char *key, sr_time when);

/* The same, but people read `word` for unknown; NULL: "-". */
void report_time_or(struct report *report, const char *key, sr_time when,
                    const char *word);

/* "locked-until" of a lockout; none: "none". */
void report_lockout(struct report *report, const struct sr_lockout *lockout);

/* A duration: seconds for programs, "14d" for people. */
void report_duration(struct report *report, const char *key, int64_t seconds);

/* For programs: "2026-11-21T22:40:00Z"; "never"; "unknown". */
const char *report_utc(sr_time when, char out[static REPORT_TEXT_MAX]);

/* For people: "2026-11-21 23:40:00 +0100"; "never"; "unknown". */
const char *report_local(sr_time when, char out[static REPORT_TEXT_MAX]);

#endif
