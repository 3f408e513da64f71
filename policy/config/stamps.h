/*
 * Stamps: whether files and folders are still as they were when they were read.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_STAMPS_H
#define SR_POLICY_CONFIG_STAMPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* One path, as it was. */
struct sr_stamp;

struct sr_stamps {
    struct sr_stamp *item;
    size_t count;
    bool is_unsure; /* a change could go unnoticed: never current */
};

/*
 * Note what a path was when it was opened; NULL: there was nothing.  What was
 * changed less than two seconds ago, or in the future, could be changed again
 * without a trace, as times are in ticks: then nothing is current.
 */
void sr_stamps_add(struct sr_stamps *stamps, const char *path,
                   const struct stat *status);

/* Whether each path leads to the same file or folder, unchanged (by its time of
 * change, which no program can set), or still to nothing. */
bool sr_stamps_are_current(const struct sr_stamps *stamps);

/* Free what they have; they are empty afterwards. */
void sr_stamps_free(struct sr_stamps *stamps);

#endif
