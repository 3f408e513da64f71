/*
 * Backend: where accounts live.  One interface for all kinds of backends.
 *
 * A backend looks up the facts of an account, verifies its password and, where
 * it can, stores a new one.  It decides nothing, prints nothing and counts
 * nothing.  The local backend is built in; those that need large libraries are
 * modules, which are opened when the configuration names one.
 *
 * Two authorities: the backend that a section of the configuration names looks
 * accounts up (directories: LDAP).  The account then names the backend that
 * verifies and changes its password, which is the same one, or another that the
 * looking up has chosen (Active Directory: Kerberos).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_BACKEND_H
#define SR_POLICY_BACKEND_BACKEND_H

#include <locale.h>

#include "policy/config/settings.h"
#include "policy/decide/facts.h"
#include "policy/decide/rules.h"
#include "policy/decide/shared_ledger.h"
#include "policy/util/error.h"

enum sr_status {
    SR_STATUS_OK,
    SR_STATUS_UNKNOWN_NAME, /* not an account of this backend */
    SR_STATUS_UNAVAILABLE,  /* cannot be asked now */
    SR_STATUS_AMBIGUOUS,    /* several accounts have the name; to be treated
                               as UNAVAILABLE */
    SR_STATUS_NO_MEMORY,
};

enum sr_verify_result {
    SR_VERIFY_RIGHT,
    SR_VERIFY_WRONG,
    SR_VERIFY_UNAVAILABLE, /* nothing was verified */
};

/* What came of a change. */
enum sr_write {
    SR_WRITE_DONE,
    SR_WRITE_BY_OTHER, /* another module of the stack stores the password */
    SR_WRITE_REFUSED,  /* by the backend's own policy; nothing was changed */
    SR_WRITE_FAILED,   /* nothing was changed */
    SR_WRITE_UNSURE,   /* sent and not answered: may or may not be changed */
};

/* Why a backend refused a new password. */
enum sr_refusal {
    SR_REFUSAL_OTHER,      /* the backend gave no reason */
    SR_REFUSAL_WRONG_OLD,  /* the current password is wrong, or no longer it */
    SR_REFUSAL_NO_RIGHT,   /* the identity that asked may not set it */
    SR_REFUSAL_READ_ONLY,  /* no server that was asked takes changes */
    SR_REFUSAL_CANNOT,     /* the account's owner may not change it */
    SR_REFUSAL_TOO_YOUNG,  /* changed too recently */
    SR_REFUSAL_QUALITY,    /* too easy to guess; those below are kinds of it */
    SR_REFUSAL_TOO_SHORT,  /* */
    SR_REFUSAL_TOO_LONG,   /* */
    SR_REFUSAL_IN_HISTORY, /* used before */
    SR_REFUSAL_COUNT
};

/* An administrator's order for an account. */
enum sr_order {
    SR_ORDER_ADMIT,          /* change nothing: would a password be set? */
    SR_ORDER_UNLOCK,         /* end the backend's own lockout */
    SR_ORDER_REQUIRE_CHANGE, /* demand a change at the next login */
    SR_ORDER_CLEAR_CHANGE,   /* take that demand back */
    SR_ORDER_SET_PASSWORD,   /* set a password that must be changed */
    SR_ORDER_GIVE_PASSWORD,  /* set the one that its owner has chosen */
    /* Active Directory: it never expires, as before a change was demanded. */
    SR_ORDER_NEVER_EXPIRES,
};

/* What a backend itself demands of a new password; 0: not known. */
struct sr_demands {
    unsigned min_length;
    unsigned max_length;
    unsigned history; /* how many old passwords are refused */
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

/* One account as its backend described it at one moment. */
struct sr_account {
    struct sr_backend backend;  /* knows the facts, and administers */
    struct sr_backend verifier; /* verifies and changes the password */
    struct sr_facts facts;
    struct sr_demands demands;
    bool is_insecure; /* read over a connection that others can read */
    /* facts.account_ends is the limit for an account that is not used, which
     * SR_ORDER_UNLOCK may renew. */
    bool is_idle;
    /* The account can be read by its owner only: the facts are unknown until
     * the password has been verified. */
    bool is_closed;
    /* Verifying has shown that its backend has no such account after all:
     * WRONG proved nothing about a password. */
    bool is_absent;
    /*
     * This host's own trouble has kept Kerberos from verifying the password,
     * and a bind has decided; the error of the call says what that trouble is.
     * Active Directory binds the former password, too, for an hour.
     */
    bool is_by_bind;
    /* The password was set by an administrator where the server does not apply
     * its history of passwords to that. */
    bool skips_history;
    char *entry; /* DN or principal; NULL for local accounts */
    char *gecos; /* full name and the like; may be NULL */
    /* Changes whenever the password does: the hash, or what represents it where
     * the backend does not reveal one.  Wiped when the account is freed. */
    char *secret;
    /* The server's text for users about the last change that it refused:
     * lines of UTF-8 that can be shown.  NULL: nothing. */
    char *server_text;
};

/* Free an account and wipe its secret.  NULL is allowed. */
void sr_account_close(struct sr_account *account);

/* 32 digits of lower-case hexadecimal, and the end of the text. */
#define SR_RECORD_ID_SIZE 33

/* A text that a directory keeps of one account for all hosts. */
struct sr_record_request {
    char id[SR_RECORD_ID_SIZE];      /* its name */
    char version[SR_RECORD_ID_SIZE]; /* that was read; empty: there is none */
    char *text;                      /* reading: a new string; NULL: none */

    /* Replace the version above by this one; `fresh` NULL: read; its text NULL:
     * delete it, whatever its version is. */
    const char *fresh;
    const char *fresh_text;
};

/* All records of a backend, one after the other.  `take` returns false to end
 * it. */
struct sr_records_request {
    bool (*take)(void *context, const char *id, const char *text);
    void *context;
};

struct sr_connections; /* see registry.h */

/*
 * One call of a backend: which one, and in which transaction.  Made by
 * sr_call_make().  On any result that says "unavailable", "ambiguous",
 * "refused", "failed" or "unsure" `error` says why; on SR_VERIFY_WRONG it can
 * say why the cause may be another one than the password.
 */
struct sr_call {
    const struct sr_backend *backend;
    struct sr_connections *connections; /* NULL: state ends with the call */
    int64_t deadline; /* CLOCK_BOOTTIME in milliseconds by which the call must
                         return; 0: the time that the backend's section gives */
    struct sr_error error;

    /* Looking up: the facts are not needed before a password of the account is
     * verified, so it may be returned as closed (see struct sr_account). */
    bool expects_password;

    /* A user other than root started this process and can stop it: it leaves
     * nothing for other processes.  The real uid does not show that while a
     * password is verified, see signal_guard.h. */
    bool is_by_user;

    /* Another process stores what is left to others (SR_WRITE_BY_OTHER): what
     * this one may write says nothing of that. */
    bool is_served;

    /* The backend's own state for this transaction, such as a connection;
     * *state is NULL at first.  Set while an operation runs. */
    void **state;

    /* What the thread has otherwise: backends work in the C locale, since the
     * texts of their libraries are for logs. */
    locale_t former;
};

struct sr_call sr_call_make(const struct sr_backend *backend,
                            struct sr_connections *connections);

/* ---- accounts: what every backend can do */

struct sr_account_ops {
    /*
     * Look an account up.  On SR_STATUS_OK *account is new, for
     * sr_account_close(); a verifier without operations stands for the same
     * backend.
     */
    enum sr_status (*look_up)(struct sr_call *call, const char *name,
                              const struct sr_rules *rules,
                              struct sr_account **account);

    /*
     * The name of the account with a uid, for a name that only the name service
     * has: the one that `known_as` has as a part (sr_is_spelling()).
     * UNKNOWN_NAME: no name with the uid is; AMBIGUOUS: several are.  NULL:
     * this kind has no uids.
     */
    enum sr_status (*name_of)(struct sr_call *call, uid_t uid,
                              const char *known_as, char name[SR_NAME_MAX + 1]);

    /*
     * Verify a password.  allow_empty: an account without a password accepts an
     * empty one.  A NULL account is a decoy: the same work, and the answer is
     * "wrong".  Facts that verifying reveals are put into the account, whose
     * is_by_bind is set or cleared.
     */
    enum sr_verify_result (*verify)(struct sr_call *call,
                                    struct sr_account *account,
                                    const char *password, bool allow_empty);

    /*
     * Whether a change can be stored at all, asked before the new password is:
     * SR_WRITE_DONE, or nothing is known against it; SR_WRITE_REFUSED, and
     * *refusal is set; SR_WRITE_FAILED, on account of this host.  Uses up no
     * login.  May be NULL.
     */
    enum sr_write (*may_change)(struct sr_call *call,
                                struct sr_account *account,
                                enum sr_refusal *refusal);

    /* Change a password that is known; *refusal is set on SR_WRITE_REFUSED. */
    enum sr_write (*change)(struct sr_call *call, struct sr_account *account,
                            const char *old, const char *password,
                            enum sr_refusal *refusal);

    /*
     * Free the state of a transaction.  is_copy: the process is a fork of the
     * one that made it, so nothing is sent: descriptors are closed and memory
     * is freed.  May be NULL.
     */
    void (*end)(void *state, bool is_copy);

    /* Nothing will be asked soon: close connections and keep what costs
     * nothing.  May be NULL. */
    void (*idle)(void *state);
};

/* ---- enumerate: all accounts in one pass */

struct sr_visitor {
    /*
     * The rules of an account that is about to be described.  `group` is its
     * primary group, (gid_t)-1 when unknown.  Returns 0, or -1 when the rules
     * cannot be found; the account is then reported as UNAVAILABLE.
     */
    int (*find_rules)(void *groups, const char *name, gid_t group,
                      struct sr_rules *rules);
    void *groups; /* for find_rules */

    /*
     * An account.  `ask` is SR_STATUS_OK, or SR_STATUS_UNAVAILABLE with an
     * account of which only name, uid and backend are known, and a reason.  The
     * account is freed by the backend after the call.  Returns 0, or anything
     * else to end the enumeration.  An enumeration calls this in the locale
     * of its caller.
     */
    int (*account)(void *context, struct sr_account *account,
                   const struct sr_rules *rules, enum sr_status ask,
                   const char *reason);
    void *context;

    /* A name with which nobody can log in: it is too long, or has characters
     * that control a terminal.  NULL: not asked. */
    void (*nameless)(void *context, const char *name);
};

/* ---- watch: changes as they are made */

struct sr_watcher {
    struct sr_visitor visitor; /* receives accounts that are new or changed */

    /* An account of this name has gone; another may have the name by now. */
    int (*gone)(void *context, const char *name);
};

/* The result of one poll. */
enum sr_watch_result {
    SR_WATCH_ALL,       /* every change was reported */
    SR_WATCH_BEGINNING, /* nothing was reported: the first reading continues */
    SR_WATCH_ANYTHING,  /* anything may have changed: enumerate */
    SR_WATCH_AWAY,      /* the backend is away: stop, and start again later */
    SR_WATCH_NO_MEMORY, /* as AWAY */
};

/* A watch; the first member of the backend's own structure. */
struct sr_watch {
    int fd;      /* poll when it is readable; -1: there is none */
    int wait_ms; /* poll after that time in any case; -1: need not be */
};

struct sr_watch_ops {
    /*
     * Start to watch.  NULL: not possible now, and the call's error says why.
     * The first reading is done by poll() without waiting for it; nothing is
     * reported of one that is interrupted.  After it the first result is
     * ANYTHING, and changes from then on are reported.
     */
    struct sr_watch *(*start)(struct sr_call *call);
    enum sr_watch_result (*poll)(struct sr_call *call, struct sr_watch *watch,
                                 const struct sr_watcher *watcher);
    void (*stop)(struct sr_watch *watch);
};

/* ---- shared ledger: failed attempts that all hosts count together */

enum sr_shared_what {
    SR_SHARED_KEY,  /* read the common key, or make one where there is none */
    SR_SHARED_ADD,  /* add an entry: ledger, id, state */
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
    bool is_all;      /* DROP: as far as is known nothing is left of `ledger` */
    bool may_recall;  /* LIST: an answer from memory will do */
    bool is_settling; /* after the password was verified: little time is left */
    struct sr_shared_list *list;     /* LIST: is filled in */
    uint8_t key[SR_SHARED_KEY_SIZE]; /* KEY: is filled in */

    /*
     * ALL: is called for each entry that can be read, in no order; any result
     * but OK ends it.  Unless the request returns OK, there may be more entries
     * than were passed on.  `garbage` counts the entries that name an account's
     * ledger and cannot be read, and garbage_name is the name of the first.
     */
    enum sr_status (*take)(void *context, const char *ledger,
                           const struct sr_shared_entry *entry);
    void *context;
    size_t garbage;
    char garbage_name[160];
};

/* ---- credentials: what a verified password leaves for the session */

/* Where credentials are to be put. */
struct sr_credential_want {
    gid_t gid;          /* primary group of the account's owner */
    const char *handle; /* of hand_over() in another process; NULL: none */
    const char *place;  /* a place to be renewed; NULL: a new one */
};

struct sr_credential_ops {
    /*
     * Whether there are credentials of the account: OK, or UNKNOWN_NAME. Unless
     * handle is NULL they are also left for another process of the same login,
     * where that may need them; *handle is then a new string that names them,
     * and otherwise NULL.
     */
    enum sr_status (*hand_over)(struct sr_call *call,
                                const struct sr_account *account,
                                char **handle);
    /* Remove what was left; no error if it is gone. */
    void (*drop)(struct sr_call *call, const struct sr_account *account,
                 const char *handle);
    /*
     * Put the credentials of this transaction, or else those of the handle,
     * into a place of the account's owner.  *name is its name, a new string.
     * UNKNOWN_NAME: there are none.
     */
    enum sr_status (*establish)(struct sr_call *call,
                                const struct sr_account *account,
                                const struct sr_credential_want *want,
                                char **name);
    /* Remove a place and what is in it. */
    enum sr_status (*destroy)(struct sr_call *call,
                              const struct sr_account *account, gid_t gid,
                              const char *name);
};

/* ---- all of them */

struct sr_backend_ops {
    const char *type; /* as in the configuration */
    struct sr_account_ops accounts;

    /*
     * Describe every account in one pass, as look_up() would; the local backend
     * describes the lines of /etc/passwd.  SR_STATUS_OK also when the visitor
     * ended it.  NULL: this kind cannot enumerate.
     */
    enum sr_status (*enumerate)(struct sr_call *call,
                                const struct sr_visitor *visitor);

    /*
     * Carry out an order; `password` is for the two that set one, and NULL
     * otherwise.  On REFUSED with *refusal OTHER the error is a sentence.
     * UNSURE: also a part may have been done.  The account is as it was before:
     * look it up again, but after ADMIT.  ADMIT of a NULL account: whether the
     * backend takes changes at all, with FAILED: it cannot be asked, and
     * READ_ONLY: it takes none.  NULL: the tools administer this kind in other
     * ways.
     */
    enum sr_write (*administer)(struct sr_call *call,
                                struct sr_account *account, enum sr_order order,
                                const char *password, enum sr_refusal *refusal);
    /* Of the orders only ADMIT and GIVE_PASSWORD are carried out. */
    bool only_gives_passwords;

    /*
     * Give the identity by which this host asks a new secret, there and in the
     * file of this host, so that whatever the process is stopped by one of both
     * is in a file; or complete what an earlier call has left.  REFUSED and
     * FAILED: nothing was changed now; UNSURE: what the server has is not
     * proved, and the next login finds out.  The error says why;
     * SR-5004: another program has changed the secret.  NULL: this kind has no
     * secret that this host could change.  `is_trial`: only find out, without
     * writing anything, whether it could be done now; DONE: as far as the
     * server says.
     */
    enum sr_write (*rotate)(struct sr_call *call, bool is_trial);

    /* Find out what the servers are and what this host may do there; see
     * survey.h.  NULL: there is nothing to find out. */
    enum sr_status (*survey)(struct sr_call *call, struct sr_survey *survey);

    /*
     * Carry out a request on the shared ledgers.  Deleting an entry that does
     * not exist succeeds; changing one returns SR_STATUS_UNKNOWN_NAME.  On
     * UNAVAILABLE it may or may not have been done.  NULL: there are none.
     */
    enum sr_status (*shared_ledger)(struct sr_call *call,
                                    struct sr_shared_request *request);

    /*
     * Read one record, or replace what was read.  UNKNOWN_NAME: it has been
     * changed since.  On UNAVAILABLE it may or may not have been replaced.
     * NULL: there are none.
     */
    enum sr_status (*record)(struct sr_call *call,
                             struct sr_record_request *request);

    /* Read all of them; what is none is left out.  SR_STATUS_OK also when the
     * caller ended it.  NULL as above. */
    enum sr_status (*records)(struct sr_call *call,
                              struct sr_records_request *request);

    /*
     * The values of some attributes of an account's entry, as this host may
     * read them: texts of at most `most` bytes, in the order of the attributes;
     * what is longer, empty or has a zero byte is left out.  NULL: accounts
     * have no attributes.
     */
    enum sr_status (*values)(struct sr_call *call,
                             const struct sr_account *account,
                             const struct sr_string_list *attributes,
                             size_t most, struct sr_string_list *values);

    const struct sr_watch_ops *watch; /* NULL: this kind cannot be watched */
    const struct sr_credential_ops *credentials; /* NULL: there are none */
};

/* What a module exports, as SR_BACKEND_MODULE. */
struct sr_backend_module {
    unsigned version; /* SR_BACKEND_VERSION of its build */
    const struct sr_backend_ops *ops;
};
#define SR_BACKEND_VERSION 15u
#define SR_BACKEND_MODULE  "selfreset_backend"

/* The backend for local accounts (passwd and shadow). */
extern const struct sr_backend_ops sr_backend_local;

#endif
