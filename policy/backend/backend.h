/*
 * Backend: where accounts live.  One interface, one file each.
 *
 * A backend says facts, proves a password and, where it can, stores a new one.
 * It decides nothing, prints nothing and counts nothing.  The local one is
 * built in; those with heavy libraries are modules of their own, opened when
 * the configuration names one.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_BACKEND_H
#define SR_POLICY_BACKEND_BACKEND_H

#include "policy/config/config.h"
#include "policy/decide/facts.h"
#include "policy/decide/shared_ledger.h"
#include "policy/decide/rules.h"

enum sr_status {
    SR_STATUS_OK,
    SR_STATUS_UNKNOWN_NAME, /* not an account of this backend */
    SR_STATUS_UNAVAILABLE,  /* cannot be asked now */
    SR_STATUS_AMBIGUOUS, /* more than one account has the name: as UNAVAILABLE
                          */
    SR_STATUS_NO_MEMORY,
};

enum sr_verify_result {
    SR_VERIFY_RIGHT,
    SR_VERIFY_WRONG,
    SR_VERIFY_UNAVAILABLE,
};

enum sr_write {
    SR_WRITE_DONE,
    SR_WRITE_ELSEWHERE, /* another module of the stack stores it */
    SR_WRITE_REFUSED,   /* the backend's own policy; nothing was changed */
    SR_WRITE_FAILED,    /* nothing was changed */
    SR_WRITE_UNSURE,    /* sent and not answered: it may have been changed */
};

/* Why a backend refused a new password. */
enum sr_refusal {
    SR_REFUSAL_OTHER,      /* it did not say */
    SR_REFUSAL_WRONG_OLD,  /* the current password is not right (any more) */
    SR_REFUSAL_NO_RIGHT,   /* who asked may not set it */
    SR_REFUSAL_CANNOT,     /* the owner may not change it */
    SR_REFUSAL_TOO_YOUNG,  /* changed too recently */
    SR_REFUSAL_QUALITY,    /* too easy to guess; the rest are kinds of it */
    SR_REFUSAL_TOO_SHORT,  /* */
    SR_REFUSAL_TOO_LONG,   /* */
    SR_REFUSAL_IN_HISTORY, /* used before */
    SR_REFUSAL_COUNT
};

/* What an administrator orders for an account. */
enum sr_order {
    SR_ORDER_UNLOCK,         /* end the backend's own lockout */
    SR_ORDER_REQUIRE_CHANGE, /* the password has to be changed at the next login
                              */
    SR_ORDER_CLEAR_CHANGE,   /* no longer */
    SR_ORDER_SET_PASSWORD,   /* set a password, which has to be changed */
};

/* What a backend itself demands of a new password; 0: nothing known. */
struct sr_demands {
    unsigned min_length;
    unsigned max_length;
    unsigned history; /* so many old passwords are refused */
};

struct sr_backend_ops;
struct sr_survey;

/* One backend as configured.  Small, and copied; what it points to belongs to
 * the configuration, or is constant. */
struct sr_backend {
    const char *name; /* "local", or the NAME of its section */
    const struct sr_backend_ops *ops;
    const struct sr_backend_config *config; /* its section; NULL: none */
};

/* One account as its backend sees it, from one moment. */
struct sr_account {
    struct sr_backend backend;
    struct sr_facts facts;
    struct sr_demands demands;
    bool is_insecure; /* asked over a connection that others can read */
    /* It says nothing of itself before its password is proved: the facts are
     * not answered until then. */
    bool is_closed;
    char *entry; /* DN or principal; NULL for local accounts */
    char *gecos; /* full name and the like; may be NULL */
    /* What changes with the password: the hash, or what stands for it where
     * the backend does not show one.  Wiped when closed. */
    char *secret;
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
     * An account.  `ask` is SR_STATUS_OK, or SR_STATUS_UNAVAILABLE with an
     * account of which only the name, the uid and the backend are known, and a
     * reason. The account is the backend's and ends with the call.  Returns 0,
     * or anything else to be told no more.
     */
    int (*account)(void *context, struct sr_account *account,
                   const struct sr_rules *rules, enum sr_status ask,
                   const char *reason);
};

/* Who is told of what changes. */
struct sr_watcher {
    struct sr_visitor visitor; /* an account has come, or has changed */

    /* An account of this name has gone; another may have the name by now. */
    int (*gone)(void *context, const char *name);
};

/* What came of listening. */
enum sr_watch_result {
    SR_WATCH_ALL,       /* everything was told */
    SR_WATCH_BEGINNING, /* nothing was told: the first reading is under way */
    SR_WATCH_ANYTHING,  /* anything may have changed: ask by each() */
    SR_WATCH_AWAY,      /* the backend is away: end it, and begin anew later */
    SR_WATCH_NO_MEMORY, /* as AWAY */
};

/* A backend that is followed; the first member of what it keeps for that. */
struct sr_watch {
    int fd;      /* readable: listen; -1: there is none */
    int wait_ms; /* after that long listen in any case; -1: need not be */
};

/* What is asked of a backend that keeps ledgers for all hosts. */
enum sr_shared_what {
    SR_SHARED_KEY, /* the key of the fleet, which is made where there is none */
    SR_SHARED_ADD, /* add an entry: ledger, id, state */
    SR_SHARED_LIST, /* all entries of a ledger */
    SR_SHARED_MARK, /* change an entry's state: id, state */
    SR_SHARED_DROP, /* delete entries: drop, count */
    SR_SHARED_ALL,  /* all entries of all accounts' ledgers: take, context */
};

struct sr_shared_request {
    enum sr_shared_what what;
    const char *ledger;
    const char *id;
    enum sr_shared_state state;
    const struct sr_shared_entry *drop;
    size_t count;
    bool is_all;     /* DROP: nothing is left of `ledger`, as far as is known */
    bool may_recall; /* LIST: need not be asked when this is known */
    bool is_settling; /* the password was answered for: little time is left */
    struct sr_shared_list *list;     /* LIST: is filled in */
    uint8_t key[SR_SHARED_KEY_SIZE]; /* KEY: is filled in */

    /*
     * ALL: is told of each entry that can be read, in no order; anything but OK
     * ends it.  Unless the answer is OK, what was told is not all there is.
     */
    enum sr_status (*take)(void *context, const char *ledger,
                           const struct sr_shared_entry *entry);
    void *context;
};

/*
 * The operations of a kind of backend.  `kept` is where the backend keeps what
 * it wants to have again in the next call of the same transaction, such as a
 * connection; it is NULL at first.  On SR_STATUS_UNAVAILABLE,
 * SR_STATUS_AMBIGUOUS, SR_VERIFY_UNAVAILABLE and a write that was not done,
 * `reason` (size bytes) says why, for the log and the tools ("/etc/shadow:12:
 * the maximum age ..."); on SR_VERIFY_WRONG it can say why another reason than
 * the password is to be looked for.
 */
struct sr_backend_ops {
    const char *type; /* as in the configuration */

    /* Look an account up.  On SR_STATUS_OK *account is new; close it with
     * sr_account_close(). */
    enum sr_status (*open)(const struct sr_backend *backend, void **kept,
                           const char *name, const struct sr_rules *rules,
                           struct sr_account **account, char *reason,
                           size_t size);

    /*
     * Prove a password.  allow_empty: an account without a password is proved
     * by an empty one.  A NULL account is the decoy: the same work, and wrong.
     * A proof can tell facts, which are put into the account.
     */
    enum sr_verify_result (*prove)(const struct sr_backend *backend,
                                   void **kept, struct sr_account *account,
                                   const char *password, bool allow_empty,
                                   char *reason, size_t size);

    /*
     * Store a new password.  `old` is NULL for a reset.  *refusal is set on
     * SR_WRITE_REFUSED.
     */
    enum sr_write (*write)(const struct sr_backend *backend, void **kept,
                           struct sr_account *account, const char *old,
                           const char *password, enum sr_refusal *refusal,
                           char *reason, size_t size);

    /*
     * Free what was kept.  is_copy: this process is a copy of the one that
     * keeps it (fork), whose peers must not notice: only close and free.  May
     * be NULL.
     */
    void (*end)(void *kept, bool is_copy);

    /*
     * What was kept will not be needed soon: give up connections, and go on to
     * keep what costs nobody anything.  May be NULL.
     */
    void (*rest)(void *kept);

    /*
     * Tell of every account, in one pass: what open() would say of each.  The
     * local backend tells of the lines of /etc/passwd.  Returns SR_STATUS_OK
     * when all were told of or the visitor had enough; `reason` is filled in on
     * UNAVAILABLE.  NULL: this backend cannot enumerate.
     */
    enum sr_status (*each)(const struct sr_backend *backend,
                           const struct sr_visitor *visitor, char *reason,
                           size_t size);

    /*
     * Carry out an order; `password` is for SR_ORDER_SET_PASSWORD and NULL
     * otherwise.  On REFUSED and *refusal OTHER, `reason` is a sentence. UNSURE
     * also says that a part was done.  The account is as it was before: look
     * it up again.  NULL: the tools have their own way with this backend.
     */
    enum sr_write (*administer)(const struct sr_backend *backend, void **kept,
                                struct sr_account *account, enum sr_order order,
                                const char *password, enum sr_refusal *refusal,
                                char *reason, size_t size);

    /*
     * Find out what the backend is and what may be done there.  What was asked
     * for, and what was found, is in *survey; see survey.h.  NULL: there is
     * nothing to find out.
     */
    enum sr_status (*survey)(const struct sr_backend *backend, void **kept,
                             struct sr_survey *survey, char *reason,
                             size_t size);

    /*
     * Begin to follow what changes.  NULL: cannot be asked now, and `reason`
     * says why.  Listening never waits for the first reading, and tells nothing
     * of one that breaks off: after it the first thing that is heard is
     * ANYTHING, and what changes from then on is told.  NULL: this kind of
     * backend cannot be followed.
     */
    struct sr_watch *(*follow)(const struct sr_backend *backend, char *reason,
                               size_t size);
    enum sr_watch_result (*hear)(const struct sr_backend *backend,
                                 struct sr_watch *following,
                                 const struct sr_watcher *listener,
                                 char *reason, size_t size);
    void (*unfollow)(struct sr_watch *following);

    /*
     * Carry out a request for the ledgers that hosts share.  An entry that is
     * to be deleted and is not there is no error; one that is to be changed and
     * is not there is SR_STATUS_UNKNOWN_NAME.  On UNAVAILABLE `reason` says
     * why, and it may or may not have been done.  NULL: there are no such
     * ledgers.
     */
    enum sr_status (*fleet)(const struct sr_backend *backend, void **kept,
                            struct sr_shared_request *request, char *reason,
                            size_t size);
};

/* What a module exports, as SR_BACKEND_MODULE. */
struct sr_backend_module {
    unsigned version; /* SR_BACKEND_VERSION of its build */
    const struct sr_backend_ops *ops;
};
#define SR_BACKEND_VERSION 5u
#define SR_BACKEND_MODULE  "selfreset_backend"

/* Free an account, wiping its secret.  NULL is allowed. */
void sr_account_close(struct sr_account *account);

/* The backend for local accounts (passwd and shadow). */
extern const struct sr_backend_ops sr_backend_local;

/* ---- link.c */

/*
 * A link: what backends keep over the calls of one transaction.  Whoever makes
 * the calls keeps it, for each transaction one of its own.
 */
struct sr_connections;

/* A new link, or NULL when memory is out. */
struct sr_connections *sr_connections_new(void);

/*
 * End all connections and free it; NULL is allowed.  In a process copy (another
 * process than the one that made the link) nothing is sent.
 */
void sr_connections_free(struct sr_connections *connections);

/*
 * Nothing is asked soon: a session can last for days, and what keeps it should
 * not keep a connection for it.  NULL is allowed.
 */
void sr_connections_idle(struct sr_connections *connections);

/*
 * Find the backend of a configured name.  Returns 0; or -1 when it cannot be
 * used, and `reason` says why.
 */
int sr_backend_find(const struct sr_config *config, const char *name,
                    struct sr_backend *backend, char *reason, size_t size);

/* The operations, with a link; see struct sr_backend_ops. */
enum sr_status sr_backend_open(const struct sr_backend *backend,
                               struct sr_connections *connections,
                               const char *name, const struct sr_rules *rules,
                               struct sr_account **account, char *reason,
                               size_t size);
enum sr_verify_result sr_backend_verify(const struct sr_backend *backend,
                                        struct sr_connections *connections,
                                        struct sr_account *account,
                                        const char *password, bool allow_empty,
                                        char *reason, size_t size);
enum sr_write sr_backend_write(const struct sr_backend *backend,
                               struct sr_connections *connections,
                               struct sr_account *account, const char *old,
                               const char *password, enum sr_refusal *refusal,
                               char *reason, size_t size);
enum sr_write sr_backend_administer(const struct sr_backend *backend,
                                    struct sr_connections *connections,
                                    struct sr_account *account,
                                    enum sr_order order, const char *password,
                                    enum sr_refusal *refusal, char *reason,
                                    size_t size);
enum sr_status sr_backend_survey(const struct sr_backend *backend,
                                 struct sr_connections *connections,
                                 struct sr_survey *survey, char *reason,
                                 size_t size);
enum sr_status sr_backend_fleet(const struct sr_backend *backend,
                                struct sr_connections *connections,
                                struct sr_shared_request *request, char *reason,
                                size_t size);

#endif
