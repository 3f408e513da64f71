/*
 * Snapshot: the form of the published state file, from which the NSS door will
 * answer.  Only the form: the program that writes the file and the door that
 * reads it come with the NSS module.
 *
 * What is stored are facts, that is deadlines, and never a verdict: a reader
 * fills struct sr_facts from an entry and asks sr_verdict(), so midnight needs
 * no refresh.  The file is immutable: a new one replaces it by rename(2), and
 * one small delta file with the same entry form stands for each account that
 * changed since.  A reader uses open, pread and close, and keeps nothing.
 *
 * Layout: one header, `count` entries sorted by `name_hash`, then the strings.
 * Numbers are little-endian.  A file is taken only when magic, version, sizes
 * and checksum fit.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_SNAPSHOT_H
#define SR_POLICY_SNAPSHOT_H

#include <assert.h>
#include <stdint.h>

#include "policy/facts.h"

#define SR_SNAPSHOT_MAGIC   UINT64_C(0x50414e53544c5253) /* "SRLTSNAP" */
#define SR_SNAPSHOT_VERSION 1

/* The local groups that stand for states; their ids are in the header. */
enum sr_snapshot_group {
    SR_SNAPSHOT_MUST_CHANGE, /* pw-must-change */
    SR_SNAPSHOT_EXPIRED,     /* pw-expired */
    SR_SNAPSHOT_EXPIRING,    /* pw-expiring */
    SR_SNAPSHOT_LOCKED,      /* acct-locked */
    SR_SNAPSHOT_OK,          /* acct-ok */
    SR_SNAPSHOT_UNKNOWN,     /* acct-state-unknown */
    SR_SNAPSHOT_GROUPS
};

struct sr_snapshot_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_size; /* sizeof, so that a later one can be longer */
    uint32_t entry_size;  /* likewise */
    uint32_t count;
    uint64_t strings_size;
    int64_t written; /* when, wall clock */
    uint8_t key[16]; /* of name_hash and checksum (SipHash-2-4) */
    uint32_t gid[SR_SNAPSHOT_GROUPS];
    uint64_t checksum; /* of entries and strings */
};

/* One account: the facts of struct sr_facts that a verdict needs, in the same
 * order, meaning and units. */
struct sr_snapshot_entry {
    uint64_t name_hash;
    uint32_t name;  /* offset into the strings */
    uint32_t entry; /* DN or principal, likewise */
    uint32_t uid;
    uint8_t backend; /* index into the backend names, first of the strings */
    uint8_t disabled;
    uint8_t has_password;
    uint8_t locked;
    uint8_t locked_why;
    uint8_t must_change;
    uint8_t cannot_change;
    uint8_t never_expires;
    uint8_t is_protected;
    uint8_t logon_hours;
    int16_t grace_left;
    int64_t account_starts;
    int64_t account_ends;
    int64_t locked_until;
    int64_t password_changed;
    int64_t password_expires;
    int64_t warn_from;
    int64_t may_change_from;
    int64_t inactive_from;
    int64_t temporary_until;
};

/* On disk, so nobody's compiler may pad them. */
static_assert(sizeof(struct sr_snapshot_header) == 88, "header size");
static_assert(sizeof(struct sr_snapshot_entry) == 104, "entry size");

#endif
