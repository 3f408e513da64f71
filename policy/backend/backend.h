/*
 * Backend: where accounts live.  One interface, one file each.
 *
 * A backend says facts, proves a password and, where it can, stores a new one.
 * It decides nothing, prints nothing and counts nothing.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_BACKEND_H
#define SR_POLICY_BACKEND_BACKEND_H

#include "policy/facts.h"
#include "policy/rules.h"

enum sr_ask {
    SR_ASK_OK,
    SR_ASK_UNKNOWN_NAME, /* not an account of this backend */
    SR_ASK_UNAVAILABLE,  /* cannot be asked now */
    SR_ASK_NO_MEMORY,
};

enum sr_proof {
    SR_PROOF_RIGHT,
    SR_PROOF_WRONG,
    SR_PROOF_UNAVAILABLE,
};

enum sr_write {
    SR_WRITE_DONE,
    SR_WRITE_ELSEWHERE, /* another module of the stack stores it */
    SR_WRITE_REFUSED,   /* the backend's own policy; reason is filled in */
    SR_WRITE_FAILED,    /* nothing was changed */
    SR_WRITE_UNSURE,    /* sent and not answered: it may have been changed */
};

struct sr_backend;

/* One account as its backend sees it, from one moment. */
struct sr_account {
    const struct sr_backend *backend;
    struct sr_facts facts;
    char *gecos;  /* full name and the like; may be NULL */
    char *secret; /* the backend's own (local: the hash); wiped when closed */
};

/* Who is told of every account. */
struct sr_visitor {
    void *context;

    /*
     * The rules of an account that is about to be read.  `group` is its primary
     * group, (gid_t)-1 when unknown.  Returns 0, or -1 when they cannot be
     * known; the account is then told of as UNAVAILABLE.
     */
    int (*rules)(void *context, const char *name, gid_t group,
                 struct sr_rules *rules);

    /*
     * An account.  `ask` is SR_ASK_OK, or SR_ASK_UNAVAILABLE with an account of
     * which only the name, the uid and the backend are known, and a reason.
     * The account is the backend's and ends with the call.  Returns 0, or
     * anything else to be told no more.
     */
    int (*account)(void *context, struct sr_account *account,
                   const struct sr_rules *rules, enum sr_ask ask,
                   const char *reason);
};

struct sr_backend {
    const char *name; /* as in the configuration: "local" */

    /*
     * Look an account up.  On SR_ASK_OK *account is new; close it with
     * sr_account_close().  On SR_ASK_UNAVAILABLE `reason` (size bytes) says
     * why, for the log and the tools ("/etc/shadow:12: the maximum age ...").
     */
    enum sr_ask (*open)(const struct sr_backend *backend, const char *name,
                        const struct sr_rules *rules,
                        struct sr_account **account, char *reason, size_t size);

    /*
     * Prove a password.  allow_empty: an account without a password is proved
     * by an empty one.  A NULL account is the decoy: the same work, and wrong.
     */
    enum sr_proof (*prove)(const struct sr_backend *backend,
                           const struct sr_account *account,
                           const char *password, bool allow_empty);

    /*
     * Store a new password.  `old` is NULL for a reset.  `reason` (size bytes)
     * gets the backend's own words on REFUSED.
     */
    enum sr_write (*write)(const struct sr_backend *backend,
                           const struct sr_account *account, const char *old,
                           const char *password, char *reason, size_t size);

    /*
     * Tell of every account, in one pass: what open() would say of each.  The
     * local backend tells of the lines of /etc/passwd.  Returns SR_ASK_OK when
     * all were told of or the visitor had enough; `reason` is filled in on
     * UNAVAILABLE.  NULL: this backend cannot enumerate.
     */
    enum sr_ask (*each)(const struct sr_backend *backend,
                        const struct sr_visitor *visitor, char *reason,
                        size_t size);
};

/* Free an account, wiping its secret.  NULL is allowed. */
void sr_account_close(struct sr_account *account);

/* The backend for local accounts (passwd and shadow). */
extern const struct sr_backend sr_backend_local;

/*
 * Find a built-in backend by its configured name; NULL when there is none.
 */
const struct sr_backend *sr_backend_find(const char *name);

#endif
