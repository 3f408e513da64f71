/*
 * LDAP session: one connection to one of the servers, and what was read over
 * it, for all calls of one transaction.
 *
 * No wait exceeds the deadline.  The time that a login waits is counted over
 * all its calls; the count starts anew when a password was verified, and the
 * time that passes between two calls does not count.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_BACKEND_LDAP_SESSION_H
#define SR_POLICY_BACKEND_LDAP_SESSION_H

#include <ldap.h>
#include <signal.h>
#include <sys/types.h>

#include "policy/backend/ldap/kind.h"
#include "policy/backend/ldap/policy_cache.h"
#include "policy/backend/ldap/response.h"

/* What may be received: before TLS, as the response to a request of a login,
 * and as a page of all accounts. */
#define SR_LDAP_BYTES_PLAIN   ((size_t)64 << 10)
#define SR_LDAP_BYTES_REQUEST ((size_t)4 << 20)
#define SR_LDAP_BYTES_PAGE    ((size_t)64 << 20)

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
    struct sr_ldap_view view; /* of the entry and its policies */
    struct sr_facts facts;
    struct sr_demands demands;
    char *fingerprint;
    enum sr_ldap_kind kind;
    bool is_idle;   /* facts.account_ends is the limit of an idle account */
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
    bool is_by_user;                        /* of the call under way */
    int64_t deadline;                       /* of the call; 0: none */

    char host[512]; /* the name of this one */

    LDAP *ld; /* NULL: no connection */
    int fd;
    dev_t device;    /* of the socket: a descriptor that other code closed */
    ino_t inode;     /* can be another file's by now */
    int64_t tls_end; /* of the handshake under way; 0: there is none */
    /* Bytes that the response to a request may have, and those that may still
     * be received. */
    size_t allowance, budget;
    enum sr_ldap_bound bound;
    bool is_kept;       /* it is bound by a ticket of an earlier process, */
    bool wants_fresh;   /* and must not be */
    bool is_used;       /* something was answered over it in an earlier call */
    bool is_insecure;   /* neither TLS nor a local socket */
    bool is_kind_known; /* the server is one whose kind is known */
    size_t uri;         /* the number of that which the connection is to */
    /* Servers by DNS and otherwise; empty: those of config->uri. */
    struct sr_string_list found;
    uint64_t dead;   /* URIs that did not answer, a bit each */
    uint64_t silent; /* those that lately kept another login waiting */
    bool has_asked;  /* which those are */
    /* Searches are those of the user whom the connection is bound as. */
    bool by_owner;

    int64_t spent;    /* waiting, in milliseconds, by the deadline's count */
    int64_t proving;  /* so much of it until a password was verified */
    int64_t waited;   /* when that ended */
    int64_t began;    /* the call under way */
    sigset_t signals; /* of the thread, before the call */
    bool had_sigpipe;

    struct sr_ldap_cached known;
    struct sr_ldap_policies policies; /* that were read */
    struct sr_ldap_response response; /* by the last bind as known.entry.dn */
    bool has_response;
    sr_time response_at;
    struct sr_ldap_shared_ledger ledger;
};

/*
 * Begin and end a call of the backend.  *state is the session, which is made
 * where there is none.  Returns NULL when memory is out.  In between SIGPIPE,
 * which libldap does not prevent, is blocked.
 */
struct sr_ldap_session *sr_ldap_begin(void **state, struct sr_call *call);
void sr_ldap_end(struct sr_ldap_session *session);

/* Free a session.  is_copy: see struct sr_account_ops. */
void sr_ldap_session_free(struct sr_ldap_session *session, bool is_copy);

/* Set the text of the call's error. */
__attribute__((format(printf, 2, 3))) void
sr_ldap_why(struct sr_ldap_session *session, const char *format, ...);

/* The same, followed by the text for the response's code, and the
 * server's own text. */
__attribute__((format(printf, 3, 4))) void
sr_ldap_why_response(struct sr_ldap_session *session,
                     const struct sr_ldap_response *answer, const char *format,
                     ...);

/* Forget the account that was looked up last: it has been changed. */
void sr_ldap_forget(struct sr_ldap_session *session);

/*
 * Whether the server has closed the connection since it was last used.  To be
 * asked before a change is sent, which would be lost without notice.
 */
bool sr_ldap_is_gone(const struct sr_ldap_session *session);

/* Whether the bind of the service encrypts the connection: see gssapi.c. */
static inline bool
sr_ldap_is_sealed(const struct sr_ldap_session *session)
{
    return session->config->type == SR_BACKEND_AD &&
           session->config->identity == SR_IDENTITY_GSSAPI;
}

/* Close the connection; what was read is kept. */
void sr_ldap_close(struct sr_ldap_session *session, bool is_copy);

/* From here on the service binds by a new ticket only: one that was kept shows
 * which groups it was in some minutes ago. */
void sr_ldap_renew(struct sr_ldap_session *session);

/* Close the connection between two calls. */
void sr_ldap_idle(struct sr_ldap_session *session);

/*
 * The control that a search for accounts needs, or NULL: Active Directory shows
 * nTSecurityDescriptor to those only who ask for the discretionary list alone
 * (MS-ADTS 3.1.1.3.4.1.11).
 */
LDAPControl *sr_ldap_search_control(const struct sr_ldap_session *session);

/* The deadline of the transaction, see util/deadline.h. */
int64_t sr_ldap_last_moment(const struct sr_ldap_session *session);

/* A password was verified: the count of the time starts anew. */
void sr_ldap_answered(struct sr_ldap_session *session);

/* How many URIs are tried, one of them, and whether one has failed in this
 * transaction.  See sr_ldap_find_servers(). */
size_t sr_ldap_uri_count(const struct sr_ldap_session *session);
const char *sr_ldap_uri_text(const struct sr_ldap_session *session, size_t uri);
bool sr_ldap_is_dead(const struct sr_ldap_session *session, size_t uri);

#endif
