/*
 * LDAP link: one connection to one of the servers, with a deadline, and what
 * was learned over it, for all calls of one transaction.
 *
 * Nothing here waits longer than the deadline allows: the socket never blocks,
 * and every wait is for what is left.  The time a login spends waiting is
 * counted over all its calls; it begins anew when a password was answered for,
 * and what passes between two calls is given back.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SESSION_H
#define SR_POLICY_BACKEND_LDAP_SESSION_H

#include <ldap.h>
#include <signal.h>
#include <sys/types.h>

#include "policy/backend/ldap/response.h"
#include "policy/backend/ldap/entry.h"

/* Whom the connection is bound as. */
enum sr_ldap_bound {
    SR_LDAP_BOUND_NOBODY,
    SR_LDAP_BOUND_SERVICE,
    SR_LDAP_BOUND_USER,
};

/* What is known of the account that was looked up last. */
struct sr_ldap_cached {
    char *name; /* as it was asked for; NULL: nothing is known */
    int64_t at; /* when it was read, in milliseconds */
    struct sr_ldap_entry entry;
    struct sr_facts facts;
    struct sr_demands demands;
    char *fingerprint;
    enum sr_ldap_kind kind;
    bool is_closed; /* nothing more than its DN and uid */
    bool is_owners; /* read by its owner, and not to be read by others */
};

/* What is known of the ledgers that hosts share. */
struct sr_ldap_shared_ledger {
    bool has_key;
    uint8_t key[SR_SHARED_KEY_SIZE];
    char cleared[SR_SHARED_LEDGER_SIZE]; /* all its failures were deleted, */
    int64_t cleared_at;                  /* in milliseconds */
};

struct sr_ldap_session {
    const struct sr_backend_config *config; /* of the call under way */
    struct sr_error *error;                 /* of the call under way */
    int64_t deadline;                       /* of the call; 0: none */

    LDAP *ld; /* NULL: no connection */
    int fd;
    dev_t device;    /* of the socket: a descriptor that somebody else closed */
    ino_t inode;     /* can be another file's by now */
    int64_t tls_end; /* of the handshake under way; 0: there is none */
    enum sr_ldap_bound bound;
    bool is_used;       /* something was answered over it in an earlier call */
    bool is_insecure;   /* neither TLS nor a local socket */
    bool has_told_kind; /* the server is one whose kind is known */
    size_t uri;         /* of config->uri, which the connection is to */
    uint64_t dead;      /* URIs that did not answer, a bit each */
    uint64_t silent;    /* those that kept another login waiting a moment ago */
    bool has_asked;     /* which those are */
    /* Searches are those of the user whom the connection is bound as. */
    bool by_owner;

    int64_t spent;    /* waiting, in milliseconds, by the deadline's count */
    int64_t proving;  /* so much of it when a password was answered for */
    int64_t waited;   /* when that ended */
    int64_t began;    /* the call under way */
    sigset_t signals; /* of the thread, before the call */
    bool had_sigpipe;

    struct sr_ldap_cached known;
    struct sr_ldap_entry policy;  /* policy.dn NULL: none is known */
    struct sr_ldap_response told; /* by the last bind as known.entry.dn */
    bool has_told;
    sr_time told_at;
    struct sr_ldap_shared_ledger fleet;
};

/*
 * Begin and end a call of the backend.  *state is the session, which is made
 * where there is none.  Returns NULL when memory is out.  In between SIGPIPE,
 * which the library does not hold back, is kept from the process.
 */
struct sr_ldap_session *sr_ldap_begin(void **state, struct sr_call *call);
void sr_ldap_end(struct sr_ldap_session *link);

/* Free a link.  is_copy: see struct sr_backend_ops. */
void sr_ldap_session_free(struct sr_ldap_session *link, bool is_copy);

/* Say what went wrong. */
__attribute__((format(printf, 2, 3))) void
sr_ldap_why(struct sr_ldap_session *link, const char *format, ...);

/*
 * Have a connection that is bound as the service.  Goes from server to server
 * until one answers or the time is up.  Returns an LDAP result code.
 */
int sr_ldap_as_service(struct sr_ldap_session *link);

/*
 * Bind as `dn`, going from server to server as above: an answer of one server
 * ends it.  answer->code < 0 or another code that is no answer about the
 * password: see sr_ldap_response_proof().
 */
void sr_ldap_as_user(struct sr_ldap_session *link, const char *dn,
                     const char *password, struct sr_ldap_response *answer);

/*
 * Search.  The entries are added to `found` up to `most`; *count says how many
 * there are, at most one more than that.  Returns an LDAP result code.  That
 * one entry (LDAP_SCOPE_BASE) does not exist is not an error but *count 0; that
 * there is nothing to search is one: a directory without its base, or one that
 * hides it, says nothing of who is in it.
 */
int sr_ldap_search(struct sr_ldap_session *link, const char *base, int scope,
                   const char *filter, const char *const *attributes,
                   struct sr_ldap_entry *found, size_t most, size_t *count);

/* Copy an entry out of a message.  Returns LDAP_SUCCESS or LDAP_NO_MEMORY;
 * clear it in any case. */
int sr_ldap_take_entry(struct sr_ldap_session *link, LDAPMessage *message,
                       struct sr_ldap_entry *entry);

/*
 * Change the password of `dn` on the connection as it is bound: by the
 * operation for that (RFC 3062), or where the server has none by a modification
 * of userPassword.  old may be NULL.  Sent once, never again.
 */
void sr_ldap_change(struct sr_ldap_session *link, const char *dn,
                    const char *old, const char *password,
                    struct sr_ldap_response *answer);

/*
 * Any other change, on the connection as it is bound.  Sent once, never again.
 */
void sr_ldap_modify(struct sr_ldap_session *link, const char *dn,
                    LDAPMod **change, LDAPControl **controls,
                    struct sr_ldap_response *answer);

/* Replace the one value of an attribute. */
void sr_ldap_replace(struct sr_ldap_session *link, const char *dn,
                     const char *attribute, const char *value,
                     struct sr_ldap_response *answer);

/* A value that no attribute of days or counts has. */
#define SR_LDAP_NO_NUMBER "-77"

/*
 * Whether who is bound may write an attribute, tried without a trace: `value`
 * is one that the entry has not, and is taken away.  SR_UNKNOWN when the
 * server's answer says neither.
 */
enum sr_tri sr_ldap_may_write(struct sr_ldap_session *link, const char *dn,
                              const char *attribute, const char *value);

/* Forget the account that was looked up last: it has been changed. */
void sr_ldap_forget(struct sr_ldap_session *link);

/*
 * Whether the server has ended the connection since it was last used.  What is
 * sent over it then is lost, and not known to be: asked before a change.
 */
bool sr_ldap_is_gone(const struct sr_ldap_session *link);

/* Close the connection; what is known stays. */
void sr_ldap_close(struct sr_ldap_session *link, bool is_copy);

/* Between two calls: the same, because nobody will need it soon. */
void sr_ldap_rest(struct sr_ldap_session *link);

/* When the login's time is up, in milliseconds of sr_ldap_clock(). */
int64_t sr_ldap_last_moment(const struct sr_ldap_session *link);

/*
 * An operation that can be done twice failed with `code`.  Whether it is worth
 * doing it again, on a new connection or on the next server.
 */
bool sr_ldap_may_repeat(struct sr_ldap_session *link, int code);

/* Whether an error is the server's silence or absence, so that another one is
 * to be asked. */
bool sr_ldap_is_away(int code);

/* The deadline's count begins anew: a password was answered for. */
void sr_ldap_answered(struct sr_ldap_session *link);

/* CLOCK_BOOTTIME in milliseconds. */
int64_t sr_ldap_clock(void);

/* ---- ldap_ready.c */

/*
 * Before anything else is asked of libldap: have its first use in this process
 * happen, without mechanisms of SASL that take long to load and without waiting
 * for name servers.  Once is enough, more do no harm.
 */
void sr_ldap_first_use(void);

/* ---- ldap_connect.c */

/*
 * For a moment the process has no environment, which libraries look at that are
 * made ready: it is the user's.  It is not changed, for another thread may be
 * reading it.
 */
char **sr_ldap_hide_environment(void);
void sr_ldap_show_environment(char **environment);

/*
 * Connect to config->uri.item[uri], TLS included, until the time `end`.
 * Returns an LDAP result code, and the connection in the link.
 */
int sr_ldap_connect(struct sr_ldap_session *link, size_t uri, int64_t end);

/*
 * Wait for the answer to a request until `end`.  *message may be NULL in the
 * end; free it with ldap_msgfree().  The answer has its code and controls.
 */
void sr_ldap_wait(struct sr_ldap_session *link, int id, int64_t end,
                  struct sr_ldap_response *answer, LDAPMessage **message);

/* ---- ldap_secret.c */

/*
 * Read the secret of the service from its file, which must be root's and not
 * readable for others.  A new string, to be wiped and freed with
 * sr_ldap_secret_free(), or NULL and the reason is said.
 */
char *sr_ldap_secret(struct sr_ldap_session *link, const char *path);
void sr_ldap_secret_free(char **secret);

/* Whether a file of secrets is there, root's, and not readable for others;
 * otherwise the reason is said. */
bool sr_ldap_secret_is_safe(struct sr_ldap_session *link, const char *path);

/* ---- ldap_gssapi.c */

/*
 * Bind as the service by GSSAPI, until `end`, on the connection to a host.
 * answer->code is an LDAP result code; other than LDAP_SUCCESS, the reason is
 * said.
 */
void sr_ldap_gssapi(struct sr_ldap_session *link, int64_t end,
                    struct sr_ldap_response *answer);

/* ---- ldap_owner.c: accounts that show themselves to their owners only */

/* The uid that the name service knows of a name; false when it knows none of
 * use. */
bool sr_ldap_self_read_uid(const char *name, uid_t *uid);

/* Whether a search was refused to nobody in particular, who is not to see what
 * is there or whether it is there. */
bool sr_ldap_self_read_hides(int code);

/*
 * Put an account into link->known of which nothing is known but its DN and that
 * the name service has it.
 */
enum sr_status sr_ldap_self_read_close(struct sr_ldap_session *link,
                                       const struct sr_backend *backend,
                                       const char *name);

/*
 * Whether the entry has the uid that the name service says, which it is given
 * when it shows none.  False, and the reason is said, when it has another.
 */
bool sr_ldap_self_read_matches(struct sr_ldap_session *link, uid_t uid,
                               struct sr_ldap_entry *entry);

/* ---- ldap_admin.c, ldap_fleet.c, ldap_ledgers.c (SR_SHARED_ALL) and
 * ldap_survey.c: see struct sr_backend_ops */
enum sr_status sr_ldap_shared_ledger(struct sr_call *call,
                                     struct sr_shared_request *request);
enum sr_status sr_ldap_ledger_scan(struct sr_ldap_session *link,
                                   const struct sr_shared_request *request);
enum sr_write sr_ldap_administer(struct sr_call *call,
                                 struct sr_account *account,
                                 enum sr_order order, const char *password,
                                 enum sr_refusal *refusal);
enum sr_status sr_ldap_survey(struct sr_call *call, struct sr_survey *survey);

#endif
