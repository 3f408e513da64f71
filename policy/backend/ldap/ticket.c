/*
 * LDAP ticket: a Kerberos ticket of the service for one server.
 *
 * libkrb5 asks a KDC for as long as it sees fit.  So it only makes the requests
 * and reads the answers here, step by step, and what is in between is ours:
 * each KDC is asked over TCP, and until a time.  The environment has no
 * influence, and the ticket is in no file.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <profile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/ldap/host.h"
#include "policy/backend/ldap/srv.h"
#include "policy/backend/ldap/ticket.h"

#define KDCS_MAX  8
#define KDC_PORT  88
#define REPLY_MAX (1 << 20) /* no KDC has more to say */

/* ---- saying why */

static void
why_krb5(struct sr_ldap_session *link, krb5_context context, const char *what,
         krb5_error_code error)
{
    const char *text = krb5_get_error_message(context, error);

    sr_ldap_why(link, "Kerberos: %s: %s", what, text);
    krb5_free_error_message(context, text);
}

/* ---- KDCs */

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT", any of them behind "tcp/". */
static bool
read_kdc(const char *text, struct sr_ldap_srv *kdc)
{
    const char *end;
    size_t length;

    if (strncmp(text, "tcp/", 4) == 0)
        text += 4;
    if (strchr(text, '/') != NULL)
        return false; /* another way than TCP */
    if (text[0] == '[') {
        end = strchr(++text, ']');
        length = end == NULL ? 0 : (size_t)(end++ - text);
    } else {
        length = strcspn(text, ":");
        end = text + length;
    }
    if (length == 0 || length >= sizeof(kdc->host))
        return false;
    memcpy(kdc->host, text, length);
    kdc->host[length] = '\0';
    kdc->port = *end == ':' ? atoi(end + 1) : KDC_PORT;
    return kdc->port > 0 && kdc->port <= UINT16_MAX;
}

/* The KDCs of a realm that krb5.conf names. */
static size_t
configured_kdcs(profile_t profile, const char *realm, struct sr_ldap_srv *kdc)
{
    const char *const names[] = {"realms", realm, "kdc", NULL};
    char **values = NULL;
    size_t count = 0;

    if (profile_get_values(profile, (const char **)(uintptr_t)names, &values) !=
        0)
        return 0;
    for (size_t i = 0; values[i] != NULL && count < KDCS_MAX; i++)
        count += read_kdc(values[i], &kdc[count]) ? 1 : 0;
    profile_free_list(values);
    return count;
}

/* Those, or the ones that DNS knows. */
static size_t
find_kdcs(krb5_context context, const char *realm, struct sr_ldap_srv *kdc,
          int64_t end)
{
    profile_t profile = NULL;
    int by_dns = 1;
    size_t count;
    char name[512];

    if (krb5_get_profile(context, &profile) != 0)
        return 0;
    count = configured_kdcs(profile, realm, kdc);
    profile_get_boolean(profile, "libdefaults", "dns_lookup_kdc", NULL, 1,
                        &by_dns);
    profile_release(profile);
    if (count == 0 && by_dns != 0 &&
        snprintf(name, sizeof(name), "_kerberos._tcp.%s", realm) <
            (int)sizeof(name))
        count = sr_ldap_srv_find(name, kdc, KDCS_MAX, end);
    return count;
}

/* Send a request to a KDC, and receive its answer, each with its length before
 * it.  Returns 0 or a negative errno; the answer is malloc's. */
static int
ask_kdc(const struct sr_ldap_srv *kdc, const krb5_data *request,
        krb5_data *reply, int64_t end)
{
    uint32_t length = htonl(request->length);
    int fd = sr_ldap_host_connect(kdc->host, kdc->port, end);
    int error;

    if (fd < 0)
        return fd;
    error = sr_ldap_host_send(fd, &length, sizeof(length), end);
    if (error == 0)
        error = sr_ldap_host_send(fd, request->data, request->length, end);
    if (error == 0)
        error = sr_ldap_host_receive(fd, &length, sizeof(length), end);
    length = ntohl(length);
    if (error == 0 && (length == 0 || length > REPLY_MAX))
        error = -EPROTO;
    if (error == 0) {
        reply->data = malloc(length);
        error = reply->data == NULL ? -ENOMEM : 0;
    }
    if (error == 0)
        error = sr_ldap_host_receive(fd, reply->data, length, end);
    close(fd);
    if (error == 0) {
        reply->length = length;
    } else {
        free(reply->data);
        reply->data = NULL;
    }
    return error;
}

/* Ask the KDCs of a realm, which share the time, until one answers. */
static int
exchange(struct sr_ldap_session *link, krb5_context context, const char *realm,
         const krb5_data *request, krb5_data *reply, int64_t end)
{
    struct sr_ldap_srv kdc[KDCS_MAX];
    size_t count = find_kdcs(context, realm, kdc, end);
    int error = -EHOSTUNREACH;

    for (size_t i = 0; i < count && error != 0; i++) {
        int64_t left = sr_ldap_left(end);
        int64_t part = left / (int64_t)(2 * (count - i) - 1);

        error = left == 0
                    ? -ETIMEDOUT
                    : ask_kdc(&kdc[i], request, reply, sr_ldap_clock() + part);
    }
    if (count == 0)
        sr_ldap_why(link, "Kerberos: no KDC is known of the realm %s", realm);
    else if (error != 0)
        sr_ldap_why(link, "Kerberos: no KDC of %s: %s", realm,
                    strerror(-error));
    return error;
}

/* ---- tickets */

/* One step of a conversation: an answer in, the next request out. */
typedef krb5_error_code step_function(krb5_context context, void *conversation,
                                      krb5_data *in, krb5_data *out,
                                      krb5_data *realm, unsigned *flags);

static krb5_error_code
step_initial(krb5_context context, void *conversation, krb5_data *in,
             krb5_data *out, krb5_data *realm, unsigned *flags)
{
    return krb5_init_creds_step(context, conversation, in, out, realm, flags);
}

static krb5_error_code
step_service(krb5_context context, void *conversation, krb5_data *in,
             krb5_data *out, krb5_data *realm, unsigned *flags)
{
    return krb5_tkt_creds_step(context, conversation, in, out, realm, flags);
}

/* Both kinds of conversation use the same flag. */
_Static_assert(KRB5_INIT_CREDS_STEP_FLAG_CONTINUE ==
                   KRB5_TKT_CREDS_STEP_FLAG_CONTINUE,
               "one loop does for both");

/*
 * Have a conversation with KDCs.  Returns libkrb5's error.  *is_silent: no KDC
 * answered, and the reason is said.
 */
static krb5_error_code
converse(struct sr_ldap_session *link, krb5_context context,
         step_function *step, void *conversation, int64_t end, bool *is_silent)
{
    krb5_data in = {0, 0, NULL};
    krb5_error_code error;

    for (;;) {
        krb5_data out = {0, 0, NULL}, realm = {0, 0, NULL};
        char name[256];
        unsigned flags = 0;

        error = step(context, conversation, &in, &out, &realm, &flags);
        free(in.data);
        in = (krb5_data){0, 0, NULL};
        if (error == 0 && (flags & KRB5_INIT_CREDS_STEP_FLAG_CONTINUE) == 0)
            break;
        if (error == 0) {
            snprintf(name, sizeof(name), "%.*s", (int)realm.length, realm.data);
            *is_silent = exchange(link, context, name, &out, &in, end) != 0;
            error = *is_silent ? KRB5_KDC_UNREACH : 0;
        }
        krb5_free_data_contents(context, &out);
        krb5_free_data_contents(context, &realm);
        if (error != 0)
            break;
    }
    return error;
}

/* Whether an entry of the keytab is of the principal that is wanted, which may
 * be NULL (any) and need not have a realm. */
static bool
is_wanted(krb5_context context, krb5_const_principal wanted,
          krb5_const_principal entry)
{
    if (wanted == NULL)
        return true;
    return krb5_princ_realm(context, wanted)->length == 0
               ? krb5_principal_compare_any_realm(context, wanted, entry)
               : krb5_principal_compare(context, wanted, entry);
}

/* Look through the keytab: libkrb5 would look for a realm that is not said,
 * also in DNS, and for as long as it takes. */
static krb5_error_code
search_keytab(krb5_context context, krb5_keytab keytab,
              krb5_const_principal wanted, krb5_principal *client)
{
    krb5_keytab_entry entry;
    krb5_kt_cursor cursor;
    krb5_error_code error = krb5_kt_start_seq_get(context, keytab, &cursor);

    if (error != 0)
        return error;
    while (error == 0 && *client == NULL) {
        error = krb5_kt_next_entry(context, keytab, &entry, &cursor);
        if (error != 0)
            break;
        if (is_wanted(context, wanted, entry.principal))
            error = krb5_copy_principal(context, entry.principal, client);
        krb5_free_keytab_entry_contents(context, &entry);
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    return error == KRB5_KT_END ? KRB5_KT_NOTFOUND : error;
}

/* Whom the ticket is for: the configuration's principal, or the first that the
 * keytab has a key of. */
static krb5_error_code
find_client(const struct sr_backend_config *config, krb5_context context,
            krb5_keytab keytab, krb5_principal *client)
{
    const char *text = config->principal;
    krb5_principal wanted = NULL;
    krb5_error_code error = 0;

    if (text != NULL)
        error = krb5_parse_name_flags(context, text,
                                      strchr(text, '@') == NULL
                                          ? KRB5_PRINCIPAL_PARSE_NO_REALM
                                          : KRB5_PRINCIPAL_PARSE_REQUIRE_REALM,
                                      &wanted);
    if (error == 0)
        error = search_keytab(context, keytab, wanted, client);
    krb5_free_principal(context, wanted);
    return error;
}

/* The ticket that others are got with, by the key in the keytab. */
static krb5_error_code
get_initial(struct sr_ldap_session *link, struct sr_ldap_ticket *ticket,
            krb5_keytab keytab, int64_t end, bool *is_silent)
{
    krb5_context context = ticket->context;
    krb5_init_creds_context conversation = NULL;
    krb5_creds creds;
    krb5_error_code error;

    memset(&creds, 0, sizeof(creds));
    error = krb5_init_creds_init(context, ticket->client, NULL, NULL, 0, NULL,
                                 &conversation);
    if (error == 0)
        error = krb5_init_creds_set_keytab(context, conversation, keytab);
    if (error == 0)
        error =
            converse(link, context, step_initial, conversation, end, is_silent);
    if (error == 0)
        error = krb5_init_creds_get_creds(context, conversation, &creds);
    if (error == 0)
        error = krb5_cc_initialize(context, ticket->cache, creds.client);
    if (error == 0)
        error = krb5_cc_store_cred(context, ticket->cache, &creds);
    if (error == 0) { /* the KDC may call it by another name */
        krb5_free_principal(context, ticket->client);
        ticket->client = creds.client;
        creds.client = NULL;
    }
    krb5_free_cred_contents(context, &creds);
    krb5_init_creds_free(context, conversation);
    return error;
}

/* The realm that [domain_realm] of krb5.conf maps a host, or a domain that it
 * is in, to; NULL when it maps none.  The profile's, to be released. */
static char *
mapped_realm(profile_t profile, const char *host)
{
    char *realm = NULL;

    for (const char *at = host; at != NULL && realm == NULL;) {
        if (profile_get_string(profile, "domain_realm", at, NULL, NULL,
                               &realm) != 0)
            break;
        /* "a.b.c", ".b.c", "b.c" */
        at = *at == '.' ? at + 1 : strchr(at, '.');
    }
    return realm;
}

/* The name of the server: ldap/HOST in the host's realm, or else the client's.
 */
static krb5_error_code
name_server(struct sr_ldap_ticket *ticket, const char *host)
{
    krb5_context context = ticket->context;
    const krb5_data *own = krb5_princ_realm(context, ticket->client);
    profile_t profile = NULL;
    char *realm = NULL;
    krb5_error_code error = krb5_get_profile(context, &profile);

    if (error != 0)
        return error;
    realm = mapped_realm(profile, host);
    error = krb5_build_principal(
        context, &ticket->server,
        realm == NULL ? own->length : (unsigned)strlen(realm),
        realm == NULL ? own->data : realm, "ldap", host, (char *)NULL);
    profile_release_string(realm);
    profile_release(profile);
    if (error == 0)
        error =
            krb5_unparse_name(context, ticket->server, &ticket->server_name);
    return error;
}

/* The ticket for the server, which goes into the cache. */
static krb5_error_code
get_service(struct sr_ldap_session *link, struct sr_ldap_ticket *ticket,
            int64_t end, bool *is_silent)
{
    krb5_creds wanted = {.client = ticket->client, .server = ticket->server};
    krb5_tkt_creds_context conversation = NULL;
    krb5_error_code error = krb5_tkt_creds_init(ticket->context, ticket->cache,
                                                &wanted, 0, &conversation);

    if (error == 0)
        error = converse(link, ticket->context, step_service, conversation, end,
                         is_silent);
    krb5_tkt_creds_free(ticket->context, conversation);
    return error;
}

/* The keytab, if it is a file that only root can have written and read. */
static krb5_error_code
open_keytab(struct sr_ldap_session *link, krb5_context context,
            krb5_keytab *keytab, bool *is_unsafe)
{
    const char *path = link->config->keytab;
    char name[512];
    krb5_error_code error;

    if (path != NULL)
        snprintf(name, sizeof(name), "FILE:%s", path);
    error = path != NULL ? krb5_kt_resolve(context, name, keytab)
                         : krb5_kt_default(context, keytab);
    if (error == 0)
        error = krb5_kt_get_name(context, *keytab, name, sizeof(name));
    if (error == 0 && strncmp(name, "FILE:", 5) == 0)
        *is_unsafe = !sr_ldap_secret_is_safe(link, name + 5);
    return error;
}

/* An empty cache of this process and nobody else's. */
static krb5_error_code
make_cache(struct sr_ldap_ticket *ticket)
{
    krb5_error_code error =
        krb5_cc_new_unique(ticket->context, "MEMORY", NULL, &ticket->cache);

    if (error == 0)
        error = krb5_cc_get_full_name(ticket->context, ticket->cache,
                                      &ticket->cache_name);
    return error;
}

static int
get_tickets(struct sr_ldap_session *link, const char *host, int64_t end,
            struct sr_ldap_ticket *ticket, krb5_keytab keytab)
{
    const char *what = "the keytab";
    bool is_silent = false;
    int code = LDAP_PARAM_ERROR;
    krb5_error_code error =
        find_client(link->config, ticket->context, keytab, &ticket->client);

    if (error == 0) {
        what = "the cache";
        error = make_cache(ticket);
    }
    if (error == 0) {
        what = "the service's identity";
        error = get_initial(link, ticket, keytab, end, &is_silent);
    }
    if (error == 0) {
        what = host;
        code = LDAP_CONNECT_ERROR; /* another server may have a ticket */
        error = name_server(ticket, host);
    }
    if (error == 0)
        error = get_service(link, ticket, end, &is_silent);
    if (error != 0 && is_silent)
        return LDAP_PARAM_ERROR;
    if (error != 0)
        why_krb5(link, ticket->context, what, error);
    return error == 0 ? LDAP_SUCCESS : code;
}

int
sr_ldap_ticket_get(struct sr_ldap_session *link, const char *host, int64_t end,
                   struct sr_ldap_ticket *ticket)
{
    char **environment = sr_ldap_hide_environment();
    krb5_error_code error;
    krb5_keytab keytab = NULL;
    bool is_unsafe = false;
    int code = LDAP_PARAM_ERROR;

    memset(ticket, 0, sizeof(*ticket));
    error = krb5_init_secure_context(&ticket->context);
    sr_ldap_show_environment(environment);
    if (error != 0) {
        sr_ldap_why(link, "Kerberos: krb5.conf cannot be used");
        return code;
    }
    error = open_keytab(link, ticket->context, &keytab, &is_unsafe);
    if (error != 0)
        why_krb5(link, ticket->context, "the keytab", error);
    else if (!is_unsafe)
        code = get_tickets(link, host, end, ticket, keytab);
    if (keytab != NULL)
        krb5_kt_close(ticket->context, keytab);
    return code;
}

void
sr_ldap_ticket_end(struct sr_ldap_ticket *ticket)
{
    krb5_context context = ticket->context;

    if (context == NULL)
        return;
    if (ticket->cache != NULL)
        krb5_cc_destroy(context, ticket->cache);
    krb5_free_string(context, ticket->cache_name);
    krb5_free_unparsed_name(context, ticket->server_name);
    krb5_free_principal(context, ticket->client);
    krb5_free_principal(context, ticket->server);
    krb5_free_context(context);
    memset(ticket, 0, sizeof(*ticket));
}
