/*
 * LDAP connect: from an URI to a connection on which every wait has an end.
 *
 * The socket is made here and handed to libldap, which would try each address
 * of a host for the whole time, and block again after the TLS handshake.
 *
 * libldap reads files and the environment when a process first uses it: those
 * of the user, in a set-user-ID program.  That is prevented; and everything
 * that it may have read before, for another module, is set again on each
 * connection.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <openldap.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/backend/ldap/connect.h"
#include "policy/backend/ldap/init.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/rootdse.h"
#include "policy/util/deadline.h"
#include "policy/util/secret_file.h"
#include "policy/util/environment.h"
#include "policy/util/socket.h"
#include "policy/util/words.h"

/* The largest message, as bytes: libldap makes room for as many as the first
 * of them promise.  No entry that is asked for comes near. */
#define MESSAGE_MAX ((ber_len_t)4 << 20)

/*
 * Initialize libldap without the environment, which it reads at its first use
 * in the process, as does the SASL library that it initializes then and that
 * would load what SASL_PATH names. A thread that changes the environment
 * meanwhile changes the wrong one, so this is done once.
 */
static void
make_ready_once(void)
{
    char **environment = sr_environment_hide();

    sr_ldap_first_use();
    sr_environment_restore(environment);
}

static void
make_ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_ready_once);
}

static const char *
system_authorities(void)
{
    static const char *const place[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
    };

    for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++) {
        if (access(place[i], R_OK) == 0)
            return place[i];
    }
    return NULL;
}

/* Set everything that ldaprc could have set. */
static bool
set_options(LDAP *ld)
{
    const int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER, none = 0;
    ber_len_t most = MESSAGE_MAX;
    Sockbuf *buffer = NULL;

    /* Some builds have not all of the second kind. */
    ldap_set_option(ld, LDAP_OPT_SIZELIMIT, &none);
    ldap_set_option(ld, LDAP_OPT_TIMELIMIT, &none);
    ldap_set_option(ld, LDAP_OPT_SOCKET_BIND_ADDRESSES, NULL);
    ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON);
    return ldap_get_option(ld, LDAP_OPT_SOCKBUF, &buffer) == LDAP_OPT_SUCCESS &&
           ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1 &&
           ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) ==
               LDAP_OPT_SUCCESS &&
           ldap_set_option(ld, LDAP_OPT_DEREF, &deref) == LDAP_OPT_SUCCESS &&
           ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) ==
               LDAP_OPT_SUCCESS;
}

/* Whether the connection has a protocol older than TLS 1.2.  Built with GnuTLS
 * libldap silently ignores its option for that. */
static bool
has_old_protocol(LDAP *ld)
{
    bool is_old = false;
#ifdef LDAP_OPT_X_TLS_VERSION
    static const char *const old[] = {"SSL3.0", "TLS1.0", "TLS1.1"};
    char *version = NULL;

    ldap_get_option(ld, LDAP_OPT_X_TLS_VERSION, (void *)&version);
    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
        if (version != NULL && strcmp(version, old[i]) == 0)
            is_old = true;
    }
    ldap_memfree(version);
#else
    (void)ld;
#endif
    return is_old;
}

/* Whether the certificate of the server may be used by one: GnuTLS does not
 * look at its purposes. */
static bool
is_for_servers(LDAP *ld)
{
    bool is_right = true;
#ifdef LDAP_OPT_X_TLS_PEERCERT
    struct berval certificate = {0, NULL};

    if (ldap_get_option(ld, LDAP_OPT_X_TLS_PEERCERT, &certificate) !=
            LDAP_OPT_SUCCESS ||
        certificate.bv_val == NULL)
        return true;
    is_right = sr_ldap_certificate_is_servers(
        (const unsigned char *)certificate.bv_val, certificate.bv_len);
    ber_memfree(certificate.bv_val);
#else
    (void)ld;
#endif
    return is_right;
}

static bool
set_tls_options(LDAP *ld, const struct sr_backend_config *config)
{
    const int demand = LDAP_OPT_X_TLS_DEMAND, none = LDAP_OPT_X_TLS_CRL_NONE;
    const int client = 0;
    const int least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, most = 0;
    const char *file = config->ca_file;

    if (file == NULL && config->ca_directory == NULL)
        file = system_authorities();
    if (file == NULL && config->ca_directory == NULL)
        return false;
    ldap_set_option(ld, LDAP_OPT_X_TLS_CRLCHECK, &none);
    ldap_set_option(ld, LDAP_OPT_X_TLS_PEERKEY_HASH, NULL);
    ldap_set_option(ld, LDAP_OPT_X_TLS_CIPHER_SUITE, NULL);
    ldap_set_option(ld, LDAP_OPT_X_TLS_CERTFILE, NULL);
    ldap_set_option(ld, LDAP_OPT_X_TLS_KEYFILE, NULL);
    ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MAX, &most);
    /* The name is one of subjectAltName (RFC 9525): authorities need not have
     * looked at what a subject has in its common name. */
    return ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) ==
               LDAP_OPT_SUCCESS &&
           ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_SAN, &demand) ==
               LDAP_OPT_SUCCESS &&
           ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least) ==
               LDAP_OPT_SUCCESS &&
           (file == NULL || ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE,
                                            file) == LDAP_OPT_SUCCESS) &&
           (config->ca_directory == NULL ||
            ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTDIR,
                            config->ca_directory) == LDAP_OPT_SUCCESS) &&
           (config->cert_file == NULL ||
            (ldap_set_option(ld, LDAP_OPT_X_TLS_CERTFILE, config->cert_file) ==
                 LDAP_OPT_SUCCESS &&
             ldap_set_option(ld, LDAP_OPT_X_TLS_KEYFILE, config->key_file) ==
                 LDAP_OPT_SUCCESS)) &&
           ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client) ==
               LDAP_OPT_SUCCESS;
}

/*
 * libldap sets no limit on the TLS handshake and retries a blocking operation
 * without end. So a layer below TLS waits instead, until the deadline.
 */
static int
patience_setup(Sockbuf_IO_Desc *layer, void *session)
{
    layer->sbiod_pvt = session;
    return 0;
}

static int
patience_nothing(Sockbuf_IO_Desc *layer)
{
    (void)layer;
    return 0;
}

static int
patience_control(Sockbuf_IO_Desc *layer, int option, void *value)
{
    return LBER_SBIOD_CTRL_NEXT(layer, option, value);
}

/* Whether to try again what would have blocked. */
static bool
may_wait(const struct sr_ldap_session *session, short events)
{
    int error;

    if (session->tls_end == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
        return false;
    error = sr_deadline_await(session->fd, events, session->tls_end);
    if (error != 0)
        errno = -error;
    return error == 0;
}

static ber_slen_t
patience_read(Sockbuf_IO_Desc *layer, void *buffer, ber_len_t size)
{
    ber_slen_t got;

    do {
        got = LBER_SBIOD_READ_NEXT(layer, buffer, size);
    } while (got < 0 && may_wait(layer->sbiod_pvt, POLLIN));
    return got;
}

static ber_slen_t
patience_write(Sockbuf_IO_Desc *layer, void *buffer, ber_len_t size)
{
    ber_slen_t put;

    do {
        put = LBER_SBIOD_WRITE_NEXT(layer, buffer, size);
    } while (put < 0 && may_wait(layer->sbiod_pvt, POLLOUT));
    return put;
}

static const Sockbuf_IO patience = {
    .sbi_setup = patience_setup,
    .sbi_remove = patience_nothing,
    .sbi_ctrl = patience_control,
    .sbi_read = patience_read,
    .sbi_write = patience_write,
    .sbi_close = patience_nothing,
};

/*
 * libldap frees its requests without wiping the passwords in them. The buffers
 * are passed down in place and not read again, so the topmost layer wipes what
 * the layers below have sent.  It also counts what is received, so that no
 * server can fill the memory.
 */
static ber_slen_t
wiping_write(Sockbuf_IO_Desc *layer, void *buffer, ber_len_t size)
{
    ber_slen_t put = LBER_SBIOD_WRITE_NEXT(layer, buffer, size);

    if (put > 0)
        explicit_bzero(buffer, (size_t)put);
    return put;
}

static ber_slen_t
wiping_read(Sockbuf_IO_Desc *layer, void *buffer, ber_len_t size)
{
    struct sr_ldap_session *session = layer->sbiod_pvt;
    ber_slen_t got = LBER_SBIOD_READ_NEXT(layer, buffer, size);

    if (got <= 0)
        return got;
    if ((size_t)got > session->budget) {
        session->budget = 0;
        errno = ECONNABORTED;
        return -1;
    }
    session->budget -= (size_t)got;
    return got;
}

static const Sockbuf_IO wiping = {
    .sbi_setup = patience_setup,
    .sbi_remove = patience_nothing,
    .sbi_ctrl = patience_control,
    .sbi_read = wiping_read,
    .sbi_write = wiping_write,
    .sbi_close = patience_nothing,
};

static bool
add_layer(struct sr_ldap_session *session, const Sockbuf_IO *layer, int level)
{
    Sockbuf *buffer = NULL;

    return ldap_get_option(session->ld, LDAP_OPT_SOCKBUF, &buffer) ==
               LDAP_OPT_SUCCESS &&
           ber_sockbuf_add_io(buffer, (Sockbuf_IO *)(uintptr_t)layer, level,
                              session) == 0;
}

static int
shake_hands(struct sr_ldap_session *session, int64_t end)
{
    int code;

    if (!add_layer(session, &patience, LBER_SBIOD_LEVEL_PROVIDER + 1))
        return LDAP_LOCAL_ERROR;
    session->tls_end = end;
    code = ldap_install_tls(session->ld);
    session->tls_end = 0;
    return code;
}

/* Report why there is no TLS. GnuTLS has no text for a certificate that was not
 * accepted or a server that does not answer, and ends its texts with a period.
 */
static void
why_no_tls(struct sr_ldap_session *session, int code, int64_t end)
{
    const struct sr_backend_config *config = session->config;
    char *detail = NULL;
    size_t length;

    ldap_get_option(session->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
    length = detail == NULL ? 0 : strlen(detail);
    if (length > 0 && detail[length - 1] == '.')
        detail[length - 1] = '\0';
    if (sr_deadline_now() >= end)
        sr_ldap_why(session, "%s: no answer in time",
                    sr_ldap_uri_text(session, session->uri));
    else if (detail != NULL && strstr(detail, "unknown error") != NULL)
        sr_ldap_why(session,
                    "TLS: the server's certificate has ended, or is of "
                    "another host, or of no authority of %.60s",
                    config->ca_file != NULL ? config->ca_file
                    : config->ca_directory != NULL
                        ? config->ca_directory
                        : N_LOG("the system (see ca_file)"));
    else
        sr_ldap_why(session, "TLS: %s",
                    detail == NULL ? ldap_err2string(code) : detail);
    ldap_memfree(detail);
}

/* The library does not say which of the files cannot be used. */
static void
why_no_certificates(struct sr_ldap_session *session)
{
    struct sr_backend_config without = *session->config;

    without.cert_file = NULL;
    if (session->config->cert_file != NULL &&
        set_tls_options(session->ld, &without))
        sr_ldap_why(session, "cert_file and key_file are not a certificate and "
                             "its key, in PEM");
    else
        sr_ldap_why(session, "the certificates of ca_file, ca_directory or the "
                             "system cannot be used");
}

/* Begin TLS on an open connection. */
static int
begin_tls(struct sr_ldap_session *session, int64_t end)
{
    int code;

    const char *key_file = session->config->key_file;

    if (key_file != NULL && !sr_secret_file_is_key(key_file, session->error))
        return LDAP_CONNECT_ERROR;
    if (!set_tls_options(session->ld, session->config)) {
        why_no_certificates(session);
        return LDAP_CONNECT_ERROR;
    }
    code = shake_hands(session, end);
    if (code != LDAP_SUCCESS) {
        why_no_tls(session, code, end);
    } else if (!is_for_servers(session->ld)) {
        sr_ldap_why(session, "TLS: the certificate is not one for servers");
        code = LDAP_CONNECT_ERROR;
    } else if (has_old_protocol(session->ld)) {
        sr_ldap_why(session, "TLS: the server has nothing newer than TLS 1.1");
        code = LDAP_CONNECT_ERROR;
    }
    return code;
}

/* StartTLS: ask, then shake hands. */
static int
ask_for_tls(struct sr_ldap_session *session, int64_t end)
{
    struct sr_ldap_response answer;
    LDAPMessage *message;
    int id;
    int code = ldap_start_tls(session->ld, NULL, NULL, &id);

    if (code != LDAP_SUCCESS)
        return code;
    sr_ldap_receive(session, id, end, &answer, &message);
    ldap_msgfree(message);
    if (answer.code != LDAP_SUCCESS) {
        sr_ldap_why(session, "StartTLS: %s", ldap_err2string(answer.code));
        return sr_ldap_response_is_away(answer.code) ? answer.code
                                                     : LDAP_CONNECT_ERROR;
    }
    return begin_tls(session, end);
}

/* What the scheme requires, on an open connection. */
static int
protect(struct sr_ldap_session *session, const LDAPURLDesc *url, int64_t end)
{
    int code = LDAP_SUCCESS;

    session->is_insecure = false;
    session->allowance = SR_LDAP_BYTES_PLAIN;
    if (strcmp(url->lud_scheme, "ldaps") == 0)
        code = begin_tls(session, end);
    else if (strcmp(url->lud_scheme, "ldapi") == 0)
        return code;
    else if (sr_ldap_is_sealed(session))
        ; /* by the bind */
    else if (session->config->insecure)
        session->is_insecure = true;
    else
        code = ask_for_tls(session, end);
    /* The handshake leaves a socket that blocks. */
    if (code == LDAP_SUCCESS && fcntl(session->fd, F_SETFL, O_NONBLOCK) != 0)
        code = LDAP_LOCAL_ERROR;
    return code;
}

/* "ldapi:///" is the socket at which a server of the system listens. */
static int
connect_local(const char *path, int64_t end)
{
    static const char *const usual[] = {"/run/slapd/ldapi",
                                        "/run/openldap/ldapi", "/run/ldapi"};
    int fd = -ENOENT;

    if (path != NULL && path[0] != '\0')
        return sr_socket_connect_unix(path, end);
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) && fd == -ENOENT;
         i++)
        fd = sr_socket_connect_unix(usual[i], end);
    return fd;
}

static int
open_url(struct sr_ldap_session *session, const char *uri,
         const LDAPURLDesc *url, int64_t end)
{
    bool is_local = strcmp(url->lud_scheme, "ldapi") == 0;
    int fd = is_local
                 ? connect_local(url->lud_host, end)
                 : sr_socket_connect_host(url->lud_host, url->lud_port, end);
    struct stat status;
    int code;

    if (fd < 0) {
        sr_ldap_why(session, "%s: %s", uri, strerror(-fd));
        return fd == -ETIMEDOUT ? LDAP_TIMEOUT : LDAP_CONNECT_ERROR;
    }
    code = ldap_init_fd(fd, is_local ? LDAP_PROTO_IPC : LDAP_PROTO_TCP, uri,
                        &session->ld);
    if (code != LDAP_SUCCESS) {
        close(fd);
        session->ld = NULL;
        return code;
    }
    session->fd = fd;
    if (fstat(fd, &status) == 0) {
        session->device = status.st_dev;
        session->inode = status.st_ino;
    }
    if (!set_options(session->ld) ||
        !add_layer(session, &wiping, LBER_SBIOD_LEVEL_APPLICATION))
        return LDAP_LOCAL_ERROR;
    return protect(session, url, end);
}

int
sr_ldap_connect(struct sr_ldap_session *session, size_t uri, int64_t end)
{
    const char *text = sr_ldap_uri_text(session, uri);
    LDAPURLDesc *url = NULL;
    int code;

    make_ready();
    session->uri = uri;
    if (ldap_url_parse(text, &url) != LDAP_URL_SUCCESS) {
        sr_ldap_why(session, "%s is no URI", text);
        return LDAP_PARAM_ERROR;
    }
    code = open_url(session, text, url, end);
    ldap_free_urldesc(url);
    if (code != LDAP_SUCCESS) {
        /* Send nothing, not even an unbind, over an unprotected connection. */
        if (session->ld != NULL)
            shutdown(session->fd, SHUT_RDWR);
        sr_ldap_close(session, false);
        return code;
    }
    session->allowance = SR_LDAP_BYTES_REQUEST;
    session->bound = SR_LDAP_BOUND_NOBODY;
    session->is_used = false;
    return LDAP_SUCCESS;
}
