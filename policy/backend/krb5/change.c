/*
 * Change: a new password by the server for passwords (RFC 3244).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "policy/backend/krb5/account.h"
#include "policy/backend/krb5/change.h"
#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/kpasswd.h"
#include "policy/backend/krb5/steps.h"
#include "policy/backend/krb5/verify.h"
#include "policy/util/deadline.h"
#include "policy/util/socket.h"
#include "policy/util/words.h"

/* A ticket that was got for the same change stays good for so long. */
#define TICKET_MS 240000

/* The part of the time, one of so many, that is left for verifying. */
#define VERIFY_PART 3

/* The most that names a principal beside a password that is set for it. */
#define DATA_MAX 1024

/* One exchange with the server for passwords. */
struct talk {
    struct sr_krb5_session *session;
    krb5_const_principal target; /* NULL: the client of the ticket itself */
    krb5_auth_context auth;
    int fd;
    bool is_datagram;
    bool is_sent;      /* the server may have got it, */
    bool is_answered;  /* and has sent something back */
    bool is_protected; /* the result came under the session's key */
    bool has_result;
    struct sr_kpasswd_result result;
};

/* ---- the message */

/* The address of this end of the connection, which a KRB-PRIV has to have. */
static krb5_error_code
set_address(krb5_context context, krb5_auth_context auth, int fd)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof(name);
    krb5_address address;

    memset(&address, 0, sizeof(address));
    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0)
        return errno;
    if (name.ss_family == AF_INET) {
        address.addrtype = ADDRTYPE_INET;
        address.length = sizeof(struct in_addr);
        address.contents =
            (krb5_octet *)&((struct sockaddr_in *)&name)->sin_addr;
    } else {
        address.addrtype = ADDRTYPE_INET6;
        address.length = sizeof(struct in6_addr);
        address.contents =
            (krb5_octet *)&((struct sockaddr_in6 *)&name)->sin6_addr;
    }
    return krb5_auth_con_setaddrs(context, auth, &address, NULL);
}

static struct sr_kpasswd_part
part_of(const krb5_data *data)
{
    return (struct sr_kpasswd_part){(const uint8_t *)data->data, data->length};
}

/* Put both parts into one message, which is for free(3). */
static krb5_error_code
join(const krb5_data *ap_req, const krb5_data *priv, unsigned version,
     krb5_data *message)
{
    const struct sr_kpasswd_part first = part_of(ap_req),
                                 second = part_of(priv);
    size_t size = UINT16_MAX;

    message->data = malloc(size);
    if (message->data == NULL)
        return ENOMEM;
    if (!sr_kpasswd_request(&first, &second, version, (uint8_t *)message->data,
                            &size))
        return KRB5_KDCREP_MODIFIED;
    message->length = (unsigned)size;
    return 0;
}

/* What is encrypted: the password, and whose it is where that is another one's
 * than the ticket's. */
static krb5_error_code
make_data(const struct talk *talk, const char *password, krb5_data *data)
{
    struct sr_kpasswd_target target = {.count = 0};
    size_t size = strlen(password) + DATA_MAX;

    data->data = malloc(size);
    if (data->data == NULL)
        return ENOMEM;
    if (talk->target == NULL) {
        size = strlen(password);
        memcpy(data->data, password, size);
    } else {
        const krb5_data *realm = &talk->target->realm;
        const size_t count = (size_t)talk->target->length;

        target.realm = realm->data;
        target.realm_size = realm->length;
        target.name_type = talk->target->type;
        while (target.count < count && target.count < SR_KPASSWD_COMPONENTS) {
            target.component[target.count] =
                part_of(&talk->target->data[target.count]);
            target.count++;
        }
        if (target.count != count ||
            !sr_kpasswd_set_data(&target, password, (uint8_t *)data->data,
                                 &size))
            return KRB5_KDCREP_MODIFIED;
    }
    data->length = (unsigned)size;
    return 0;
}

static void
wipe_data(const char *password, krb5_data *data)
{
    if (data->data != NULL)
        explicit_bzero(data->data, strlen(password) + DATA_MAX);
    free(data->data);
}

static krb5_error_code
make_request(struct talk *talk, const char *password, krb5_data *message)
{
    krb5_context context = talk->session->context;
    krb5_data ap_req = {0, 0, NULL}, priv = {0, 0, NULL};
    krb5_data text = {0, 0, NULL};
    krb5_replay_data replay;
    krb5_error_code error = make_data(talk, password, &text);

    if (error == 0)
        error = krb5_auth_con_init(context, &talk->auth);

    if (error == 0)
        error = krb5_auth_con_setflags(context, talk->auth,
                                       KRB5_AUTH_CONTEXT_DO_SEQUENCE);
    if (error == 0)
        error = krb5_mk_req_extended(context, &talk->auth, AP_OPTS_USE_SUBKEY,
                                     NULL, &talk->session->changepw, &ap_req);
    if (error == 0)
        error = set_address(context, talk->auth, talk->fd);
    if (error == 0)
        error = krb5_mk_priv(context, talk->auth, &text, &priv, &replay);
    if (error == 0)
        error = join(&ap_req, &priv,
                     talk->target == NULL ? SR_KPASSWD_VERSION
                                          : SR_KPASSWD_VERSION_SET,
                     message);
    wipe_data(password, &text);
    krb5_free_data_contents(context, &ap_req);
    krb5_free_data_contents(context, &priv);
    return error;
}

/* ---- the reply */

static krb5_data
data_of(const struct sr_kpasswd_part *part)
{
    return (krb5_data){.length = (unsigned)part->size,
                       .data = (char *)(uintptr_t)part->bytes};
}

/* Decrypt a result.  The server answers under the key that this end chose, and
 * not under one of its own. */
static krb5_error_code
read_protected(struct talk *talk, const struct sr_kpasswd_reply *reply)
{
    krb5_context context = talk->session->context;
    krb5_data ap_rep = data_of(&reply->ap_rep), priv = data_of(&reply->body);
    krb5_data clear = {0, 0, NULL};
    krb5_ap_rep_enc_part *proof = NULL;
    krb5_keyblock *key = NULL;
    krb5_replay_data replay;
    krb5_error_code error =
        krb5_auth_con_getsendsubkey(context, talk->auth, &key);

    if (error == 0)
        error = krb5_rd_rep(context, talk->auth, &ap_rep, &proof);
    if (error == 0)
        error = krb5_auth_con_setrecvsubkey(context, talk->auth, key);
    if (error == 0)
        error = krb5_rd_priv(context, talk->auth, &priv, &clear, &replay);
    if (error == 0) {
        talk->has_result = sr_kpasswd_result((const uint8_t *)clear.data,
                                             clear.length, &talk->result);
        talk->is_protected = talk->has_result;
    }
    krb5_free_ap_rep_enc_part(context, proof);
    krb5_free_keyblock(context, key);
    krb5_free_data_contents(context, &clear);
    return error;
}

/* Anybody can send a KRB-ERROR, and some servers do after a success. */
static krb5_error_code
read_error(struct talk *talk, const struct sr_kpasswd_reply *reply)
{
    krb5_context context = talk->session->context;
    krb5_data message = data_of(&reply->body);
    krb5_error *found = NULL;
    krb5_error_code error = krb5_rd_error(context, &message, &found);

    if (error != 0)
        return error;
    talk->has_result = sr_kpasswd_result((const uint8_t *)found->e_data.data,
                                         found->e_data.length, &talk->result);
    error = (krb5_error_code)found->error + ERROR_TABLE_BASE_krb5;
    krb5_free_error(context, found);
    return error;
}

static krb5_error_code
read_reply(struct talk *talk, const krb5_data *data)
{
    struct sr_kpasswd_reply reply;

    if (!sr_kpasswd_parse((const uint8_t *)data->data, data->length, &reply))
        return KRB5KRB_AP_ERR_MODIFIED;
    return reply.is_error ? read_error(talk, &reply)
                          : read_protected(talk, &reply);
}

/* ---- the exchange */

/* Have the KDC on the host of this server asked first. */
static void
prefer_host(struct sr_krb5_session *session, const char *realm,
            const struct sr_srv *server)
{
    struct sr_krb5_kdcs *kdcs = &session->kdcs;

    kdcs->last = *server;
    snprintf(kdcs->realm, sizeof(kdcs->realm), "%s", realm);
}

/* Connect to the first server that can be connected to: nothing was sent to
 * those before it.  Those of Heimdal take datagrams only. */
static void
connect_one(struct talk *talk, const char *realm, int64_t end)
{
    struct sr_krb5_session *session = talk->session;
    struct sr_srv server[SR_KRB5_SERVERS_MAX];
    size_t count =
        sr_krb5_kdc_find(&session->kdcs, realm, SR_KRB5_KPASSWD, server);
    int fd = -EHOSTUNREACH;

    for (size_t i = 0; i < count && fd < 0; i++) {
        int64_t part = sr_deadline_left(end) / (int64_t)(count - i);

        fd = sr_krb5_kdc_connect(&server[i], sr_deadline_now() + part);
        talk->is_datagram = fd == -ECONNREFUSED;
        if (talk->is_datagram)
            fd = sr_socket_connect_datagram(server[i].host, server[i].port,
                                            sr_deadline_now() + part);
        if (fd >= 0) /* the new password is verified on the same host */
            prefer_host(session, realm, &server[i]);
    }
    if (fd < 0)
        sr_error_set(session->error, SR_ERROR_UNREACHABLE,
                     "Kerberos: no server of %s for passwords: %s", realm,
                     count == 0 ? N_LOG("none is known") : strerror(-fd));
    talk->fd = fd;
}

/* Send a request and receive the reply.  Returns 0 or a negative errno. */
static int
converse(struct talk *talk, const krb5_data *message, krb5_data *reply,
         int64_t end)
{
    size_t size = UINT16_MAX;
    int error;

    if (!talk->is_datagram)
        return sr_krb5_kdc_converse(talk->fd, message, reply, end);
    reply->data = malloc(size);
    if (reply->data == NULL)
        return -ENOMEM;
    error = sr_socket_exchange_datagram(
        talk->fd, message->data, message->length, reply->data, &size, end);
    reply->length = (unsigned)size;
    if (error == -ECONNREFUSED)
        talk->is_sent = false;
    return error;
}

/* Send the password and read the result.  False: it failed, and the error says
 * why. */
static bool
exchange(struct talk *talk, const char *password, int64_t end)
{
    struct sr_krb5_session *session = talk->session;
    krb5_context context = session->context;
    krb5_data message = {0, 0, NULL}, reply = {0, 0, NULL};
    krb5_error_code code = make_request(talk, password, &message);
    int error = 0;

    if (code == 0) {
        talk->is_sent = true;
        error = converse(talk, &message, &reply, end);
    }
    if (error != 0)
        sr_error_set(session->error, SR_ERROR_UNREACHABLE,
                     "Kerberos: the server for passwords did not reply: %s",
                     strerror(-error));
    talk->is_answered = error == 0 && reply.data != NULL;
    if (talk->is_answered)
        code = read_reply(talk, &reply);
    if (code != 0)
        sr_krb5_set_error(context, session->error, SR_ERROR_OTHER,
                          "the server for passwords", code);
    free(message.data);
    free(reply.data);
    return code == 0 && error == 0;
}

/* ---- what came of it */

/* The kind of refusal, and what the server says of its rules. */
static enum sr_refusal
read_refusal(const struct sr_kpasswd_result *result, struct sr_account *account)
{
    free(account->server_text);
    account->server_text =
        result->text[0] == '\0' ? NULL : strdup(result->text);
    if (result->code == SR_KPASSWD_ACCESS_DENIED)
        return SR_REFUSAL_CANNOT;
    if (result->min_length > 0)
        account->demands.min_length = result->min_length;
    if (result->history > 0)
        account->demands.history = result->history;
    switch (result->why) {
    case SR_KPASSWD_WHY_POLICY:
        return SR_REFUSAL_QUALITY;
    case SR_KPASSWD_WHY_TOO_SHORT:
        return SR_REFUSAL_TOO_SHORT;
    case SR_KPASSWD_WHY_USED:
        return SR_REFUSAL_IN_HISTORY;
    case SR_KPASSWD_WHY_TOO_YOUNG:
        return SR_REFUSAL_TOO_YOUNG;
    case SR_KPASSWD_WHY_UNKNOWN:
        break;
    }
    return SR_REFUSAL_OTHER;
}

static bool
is_refusal(const struct talk *talk)
{
    return talk->has_result && (talk->result.code == SR_KPASSWD_SOFT_ERROR ||
                                talk->result.code == SR_KPASSWD_ACCESS_DENIED);
}

/* What is known of a password that was just changed; a later ticket may have
 * told when it expires. */
static void
set_changed(struct sr_facts *facts)
{
    const sr_time now = time(NULL);

    facts->password_changed = now;
    facts->must_change = SR_NO;
    if (facts->password_expires <= now)
        facts->password_expires = SR_TIME_UNKNOWN;
}

/* The password is another one now. */
static enum sr_write
done(struct sr_krb5_session *session, struct sr_account *account)
{
    struct sr_krb5_known *known = &session->known;

    krb5_free_cred_contents(session->context, &session->changepw);
    memset(&session->changepw, 0, sizeof(session->changepw));
    set_changed(&account->facts);
    if (known->secret == NULL || strcmp(known->entry, account->entry) != 0)
        return SR_WRITE_DONE;
    if (!sr_krb5_account_renew_secret(known))
        sr_krb5_session_forget(session);
    set_changed(&known->facts);
    return SR_WRITE_DONE;
}

/* Ask whether the new password is the one. */
static enum sr_write
conclude(struct talk *talk, struct sr_account *account, const char *password,
         enum sr_refusal *refusal)
{
    struct sr_krb5_session *session = talk->session;
    struct sr_error why = *session->error;
    bool is_success = talk->is_protected && talk->result.code == 0;

    if (!talk->is_sent)
        return SR_WRITE_FAILED;
    /* What came under the session's key needs no other proof. */
    if (talk->is_protected && !is_success) {
        sr_error_set(session->error, SR_ERROR_OTHER,
                     "the server for passwords: result %u: %.100s",
                     talk->result.code, talk->result.text);
        if (!is_refusal(talk))
            return SR_WRITE_FAILED;
        *refusal = read_refusal(&talk->result, account);
        return SR_WRITE_REFUSED;
    }
    switch (sr_krb5_verify_new(session, account, password)) {
    case SR_VERIFY_RIGHT:
        return done(session, account);
    case SR_VERIFY_WRONG:
        if (!talk->is_answered || (talk->has_result && talk->result.code == 0))
            break;
        *session->error = why;
        if (!is_refusal(talk))
            return SR_WRITE_FAILED;
        *refusal = read_refusal(&talk->result, account);
        return SR_WRITE_REFUSED;
    case SR_VERIFY_UNAVAILABLE:
        if (is_success)
            return done(session, account);
        break;
    }
    if (!is_success)
        *session->error = why;
    return SR_WRITE_UNSURE;
}

/* ---- the whole change */

/* Have a ticket for the change.  DONE: there is one. */
static enum sr_write
get_ticket(struct sr_krb5_session *session, struct sr_account *account,
           const char *old, enum sr_refusal *refusal)
{
    int64_t expires;

    if (session->changepw.client != NULL &&
        sr_krb5_proof_is(&session->proved, old, TICKET_MS))
        return SR_WRITE_DONE;
    switch (sr_krb5_verify_for_change(session, account, old, &expires)) {
    case SR_KRB5_TICKET:
        return SR_WRITE_DONE;
    case SR_KRB5_WRONG:
    case SR_KRB5_NO_CLIENT:
        *refusal = SR_REFUSAL_WRONG_OLD;
        return SR_WRITE_REFUSED;
    case SR_KRB5_CLIENT_ENDED:
    case SR_KRB5_CLIENT_REVOKED:
        *refusal = SR_REFUSAL_CANNOT;
        return SR_WRITE_REFUSED;
    default:
        return SR_WRITE_FAILED;
    }
}

/* Connect, send, and read the result.  False: nothing could be sent. */
static bool
ask(struct talk *talk, const char *password)
{
    struct sr_krb5_session *session = talk->session;
    const int64_t end = session->kdcs.end;
    const krb5_data *of_ticket =
        krb5_princ_realm(session->context, session->changepw.server);
    char realm[256];

    snprintf(realm, sizeof(realm), "%.*s", (int)of_ticket->length,
             of_ticket->data);
    connect_one(talk, realm, end);
    if (talk->fd < 0)
        return false;
    exchange(talk, password,
             sr_deadline_now() + sr_deadline_left(end) -
                 sr_deadline_left(end) / VERIFY_PART);
    close(talk->fd);
    return true;
}

static enum sr_write
change(struct talk *talk, struct sr_account *account, const char *password,
       enum sr_refusal *refusal, bool *is_final)
{
    enum sr_write written = SR_WRITE_FAILED;

    *is_final = true;
    if (ask(talk, password)) {
        *is_final = !talk->is_sent || talk->is_protected;
        written = conclude(talk, account, password, refusal);
    }
    krb5_auth_con_free(talk->session->context, talk->auth);
    return written;
}

enum sr_write
sr_krb5_change_by_ticket(struct sr_krb5_session *session,
                         struct sr_account *account, const char *password,
                         enum sr_refusal *refusal, bool *is_final)
{
    struct talk talk = {.session = session, .fd = -1};

    return change(&talk, account, password, refusal, is_final);
}

enum sr_write
sr_krb5_change(struct sr_krb5_session *session, struct sr_account *account,
               const char *old, const char *password, enum sr_refusal *refusal)
{
    enum sr_write written;
    bool is_final;

    if (old == NULL) {
        sr_error_set(session->error, SR_ERROR_OTHER,
                     "a KDC changes a password only with the current one");
        *refusal = SR_REFUSAL_NO_RIGHT;
        return SR_WRITE_REFUSED;
    }
    written = get_ticket(session, account, old, refusal);
    return written != SR_WRITE_DONE
               ? written
               : sr_krb5_change_by_ticket(session, account, password, refusal,
                                          &is_final);
}

/* ---- a reset, by this host's key */

/* A ticket of the service's identity by which passwords are set. */
static bool
get_own_ticket(struct sr_krb5_session *session)
{
    krb5_context context = session->context;
    struct sr_krb5_wish wish = {.service = SR_KRB5_CHANGEPW,
                                .keytab = session->keytab};
    struct sr_krb5_initial initial;
    krb5_error_code error;

    if (session->keytab == NULL) {
        *session->error = session->keytab_error;
        return false;
    }
    error = sr_krb5_keytab_find(context, session->keytab,
                                session->config->principal, session->realm,
                                &wish.client);
    if (error != 0) {
        sr_krb5_set_error(context, session->error, SR_ERROR_IDENTITY,
                          "the keytab", error);
        return false;
    }
    sr_krb5_initial_get(&session->kdcs, &wish, &initial);
    krb5_free_cred_contents(context, &session->changepw);
    session->changepw = initial.creds;
    memset(&initial.creds, 0, sizeof(initial.creds));
    memset(&session->proved, 0, sizeof(session->proved)); /* of no password */
    sr_krb5_initial_free(context, &initial);
    krb5_free_principal(context, wish.client);
    return session->changepw.client != NULL;
}

static void
drop_own_ticket(struct sr_krb5_session *session)
{
    krb5_free_cred_contents(session->context, &session->changepw);
    memset(&session->changepw, 0, sizeof(session->changepw));
}

/* Results for a principal that does not exist: that the change failed for
 * another cause than the right (MIT, Heimdal), or that the right is missing.
 * Any other proves neither. */
static enum sr_write
conclude_admission(const struct talk *talk, enum sr_refusal *refusal)
{
    const struct sr_kpasswd_result *result = &talk->result;

    if (!talk->is_protected)
        return SR_WRITE_FAILED;
    if (result->code == SR_KPASSWD_SOFT_ERROR ||
        result->code == SR_KPASSWD_HARD_ERROR)
        return SR_WRITE_DONE;
    sr_error_set(talk->session->error, SR_ERROR_OTHER,
                 "the server for passwords: result %u: %.100s", result->code,
                 result->text);
    if (result->code != SR_KPASSWD_ACCESS_DENIED)
        return SR_WRITE_FAILED;
    *refusal = SR_REFUSAL_NO_RIGHT;
    return SR_WRITE_REFUSED;
}

enum sr_write
sr_krb5_admit(struct sr_krb5_session *session, enum sr_refusal *refusal)
{
    struct talk talk = {.session = session, .fd = -1};
    enum sr_write written = SR_WRITE_FAILED;
    krb5_principal absent = NULL;
    uint64_t random[2];
    char name[64];

    if (session->keytab == NULL) { /* so it is configured */
        *session->error = session->keytab_error;
        *refusal = SR_REFUSAL_NO_RIGHT;
        return SR_WRITE_REFUSED;
    }
    if (!get_own_ticket(session) ||
        getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return SR_WRITE_FAILED;
    snprintf(name, sizeof(name), "selfreset-Absent-%016" PRIx64 "%016" PRIx64,
             random[0], random[1]);
    if (krb5_build_principal(session->context, &absent,
                             (unsigned)strlen(session->realm), session->realm,
                             name, (char *)NULL) == 0) {
        talk.target = absent;
        if (ask(&talk, name))
            written = conclude_admission(&talk, refusal);
    }
    krb5_free_principal(session->context, absent);
    krb5_auth_con_free(session->context, talk.auth);
    drop_own_ticket(session);
    return written;
}

enum sr_write
sr_krb5_reset(struct sr_krb5_session *session, struct sr_account *account,
              const char *password, enum sr_refusal *refusal)
{
    struct talk talk = {.session = session, .fd = -1};
    enum sr_write written = SR_WRITE_FAILED;
    krb5_principal target = NULL;
    bool is_final;

    if (krb5_parse_name(session->context, account->entry, &target) == 0 &&
        get_own_ticket(session)) {
        talk.target = target;
        written = change(&talk, account, password, refusal, &is_final);
        if (written == SR_WRITE_REFUSED && *refusal == SR_REFUSAL_CANNOT)
            *refusal = SR_REFUSAL_NO_RIGHT;
    }
    krb5_free_principal(session->context, target);
    drop_own_ticket(session);
    return written;
}
