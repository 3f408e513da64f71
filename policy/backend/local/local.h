/*
 * Local backend, inside: the reading of one shadow(5) entry, as pure functions
 * that can be tested by themselves.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LOCAL_LOCAL_H
#define SR_POLICY_BACKEND_LOCAL_LOCAL_H

#include <pwd.h>
#include <shadow.h>
#include <stdio.h>

#include "policy/backend/backend.h"

/*
 * Fill in the facts of a shadow entry by the meaning that shadow(5) gives the
 * fields.  Days begin at midnight UTC.  Any negative number counts as an empty
 * field.  A password expires when the day lastchg + max begins, which is the
 * day that chage(1) prints (shadow-utils and Linux-PAM 1.7 count so too;
 * Linux-PAM 1.5 accepts it one day longer).  A maximum of 10000 days or more
 * means never, as in shadow-utils.  An account without a usable password has no
 * password that could expire: one whose field crypt(3) never returns ("*", "!",
 * "NP"), or whose field is empty unless the rules allow that (nullok).
 */
void sr_local_facts(const struct spwd *entry, const struct sr_rules *rules,
                    struct sr_facts *facts);

/*
 * Parse one line of a shadow file (without its newline, changed in place).
 * Stricter than nothing and wider than glibc: "-1" in a field is an empty
 * field; glibc does not see such a line at all.  Returns NULL and the entry,
 * whose strings point into the line; or the name of the field that is wrong.
 */
const char *sr_local_parse(char *line, struct spwd *entry);

/* The entry of an account whose hash is in passwd. */
extern const struct spwd sr_local_no_ageing;

/* Why an account without a shadow line cannot be read, where it has to have
 * one: it is root, or no account has one because the file is missing. */
#define SR_LOCAL_NO_SHADOW "/etc/shadow has no line of it"

/* Whether the hash is in the shadow file: the field of passwd is "x", or what
 * Linux-PAM takes for the same: "##NAME", and "*NP*" of NIS+. */
bool sr_local_is_shadowed(const struct passwd *entry);

/* Whether it can be the name of an account: NSS compat syntax and names that
 * are too long are none. */
bool sr_local_is_name(const char *name);

/* An account from its entries.  NULL: out of memory. */
struct sr_account *sr_local_account(const struct passwd *entry,
                                    const struct spwd *shadow,
                                    const struct sr_rules *rules);

/* The one local backend. */
extern const struct sr_backend sr_local_backend;

/* Entries grow with groups of hashes and long GECOS; a megabyte is no entry. */
#define SR_LOCAL_ENTRY_MAX ((size_t)1024 * 1024)

/* Bytes among which there are hashes; all zero at first. */
struct sr_local_buffer {
    char *bytes;
    size_t size;
};

/* Wipe and free; for cleanup attributes. */
void sr_local_buffer_free(struct sr_local_buffer *buffer);

/* Close a stream unless it is NULL; for cleanup attributes. */
void sr_local_close(FILE **stream);

/* The backend's `enumerate`. */
enum sr_status sr_local_enumerate(struct sr_call *call,
                                  const struct sr_visitor *visitor);

#endif
