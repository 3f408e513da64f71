/*
 * KDC: exchanging messages with the KDCs of a realm.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <profile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/krb5/kdc.h"
#include "policy/util/deadline.h"
#include "policy/util/socket.h"

#define KDC_PORT     88
#define KPASSWD_PORT 464
#define REPLY_MAX    (1 << 20) /* no KDC has more to say */

/* Whether a text is HOST, HOST:PORT or [ADDRESS]:PORT; `port` is the default.
 */
static bool
parse_server(const char *text, int port, struct sr_srv *server)
{
    const char *end, *digits;
    size_t length;

    memset(server, 0, sizeof(*server));
    if (text[0] == '[') {
        end = strchr(++text, ']');
        length = end == NULL ? 0 : (size_t)(end++ - text);
    } else {
        length = strcspn(text, ":");
        end = text + length;
    }
    if (length == 0 || length >= sizeof(server->host) ||
        (*end != '\0' && *end != ':'))
        return false;
    memcpy(server->host, text, length);
    server->port = port;
    if (*end == ':') {
        digits = end + 1;
        if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits) ||
            strlen(digits) > 5)
            return false;
        server->port = atoi(digits);
    }
    return server->port > 0 && server->port <= UINT16_MAX;
}

/* What krb5.conf says: one of those, also behind "tcp/". */
static bool
parse_profile(const char *text, int port, struct sr_srv *server)
{
    if (strncmp(text, "tcp/", 4) == 0)
        text += 4;
    return strchr(text, '/') == NULL && parse_server(text, port, server);
}

/* The servers of a realm that krb5.conf names by a relation.  Its own port is
 * that of another service when `keeps_port` is false. */
static size_t
configured(profile_t profile, const char *realm, const char *relation, int port,
           bool keeps_port, struct sr_srv *found)
{
    const char *const names[] = {"realms", realm, relation, NULL};
    char **values = NULL;
    size_t count = 0;

    if (profile_get_values(profile, (const char **)(uintptr_t)names, &values) !=
        0)
        return 0;
    for (size_t i = 0; values[i] != NULL && count < SR_KRB5_SERVERS_MAX; i++) {
        if (!parse_profile(values[i], port, &found[count]))
            continue;
        if (!keeps_port)
            found[count].port = port;
        count++;
    }
    profile_free_list(values);
    return count;
}

/* The servers that DNS knows, if krb5.conf lets it be asked. */
static size_t
resolve(profile_t profile, const char *realm, const char *service,
        struct sr_srv *found, int64_t end)
{
    int by_dns = 1;
    char name[512];

    profile_get_boolean(profile, "libdefaults", "dns_lookup_kdc", NULL, 1,
                        &by_dns);
    if (by_dns == 0 || snprintf(name, sizeof(name), "_%s._tcp.%s", service,
                                realm) >= (int)sizeof(name))
        return 0;
    return sr_srv_find(name, found, SR_KRB5_SERVERS_MAX, end);
}

/* Whether the configuration lists the KDCs of this realm. */
static bool
has_list(const struct sr_krb5_kdcs *kdcs, const char *realm)
{
    return kdcs->list != NULL && kdcs->list->count > 0 && kdcs->own != NULL &&
           strcmp(kdcs->own, realm) == 0;
}

static size_t
find_kdcs(const struct sr_krb5_kdcs *kdcs, profile_t profile, const char *realm,
          struct sr_srv *found)
{
    const size_t listed = has_list(kdcs, realm) ? kdcs->list->count : 0;
    size_t count = 0;

    for (size_t i = 0; i < listed && count < SR_KRB5_SERVERS_MAX; i++)
        count +=
            parse_server(kdcs->list->item[i], KDC_PORT, &found[count]) ? 1 : 0;
    if (count == 0)
        count = configured(profile, realm, "kdc", KDC_PORT, true, found);
    if (count == 0)
        count = resolve(profile, realm, "kerberos", found, kdcs->end);
    return count;
}

static size_t
find_kpasswd(const struct sr_krb5_kdcs *kdcs, profile_t profile,
             const char *realm, struct sr_srv *found)
{
    size_t count =
        configured(profile, realm, "kpasswd_server", KPASSWD_PORT, true, found);

    if (count == 0)
        count = configured(profile, realm, "admin_server", KPASSWD_PORT, false,
                           found);
    /* Who lists the KDCs need not have them in DNS. */
    if (count == 0 && !has_list(kdcs, realm))
        count = resolve(profile, realm, "kpasswd", found, kdcs->end);
    if (count == 0) {
        count = find_kdcs(kdcs, profile, realm, found);
        for (size_t i = 0; i < count; i++)
            found[i].port = KPASSWD_PORT;
    }
    return count;
}

/* Move the server that replied last to the front. */
static void
prefer(const struct sr_krb5_kdcs *kdcs, const char *realm, struct sr_srv *found,
       size_t count)
{
    if (kdcs->last.host[0] == '\0' || strcmp(kdcs->realm, realm) != 0)
        return;
    for (size_t i = 1; i < count; i++) {
        struct sr_srv server = found[i];

        if (strcmp(server.host, kdcs->last.host) != 0)
            continue;
        memmove(&found[1], &found[0], i * sizeof(found[0]));
        found[0] = server;
    }
}

size_t
sr_krb5_kdc_find(const struct sr_krb5_kdcs *kdcs, const char *realm,
                 enum sr_krb5_role role, struct sr_srv *found)
{
    profile_t profile = NULL;
    size_t count;

    if (krb5_get_profile(kdcs->context, &profile) != 0)
        return 0;
    count = role == SR_KRB5_KDC ? find_kdcs(kdcs, profile, realm, found)
                                : find_kpasswd(kdcs, profile, realm, found);
    profile_release(profile);
    prefer(kdcs, realm, found, count);
    return count;
}

int
sr_krb5_kdc_connect(const struct sr_srv *server, int64_t end)
{
    return sr_socket_connect_host(server->host, server->port, end);
}

int
sr_krb5_kdc_converse(int fd, const krb5_data *request, krb5_data *reply,
                     int64_t end)
{
    uint32_t length = htonl(request->length);
    int error = sr_socket_send(fd, &length, sizeof(length), end);

    if (error == 0)
        error = sr_socket_send(fd, request->data, request->length, end);
    if (error == 0)
        error = sr_socket_receive(fd, &length, sizeof(length), end);
    length = ntohl(length);
    if (error == 0 && (length == 0 || length > REPLY_MAX))
        error = -EPROTO;
    if (error == 0) {
        reply->data = malloc(length);
        error = reply->data == NULL ? -ENOMEM : 0;
    }
    if (error == 0)
        error = sr_socket_receive(fd, reply->data, length, end);
    if (error == 0) {
        reply->length = length;
    } else {
        free(reply->data);
        reply->data = NULL;
    }
    return error;
}

/* Ask one KDC.  Returns 0 or a negative errno. */
static int
ask_kdc(const struct sr_srv *kdc, const krb5_data *request, krb5_data *reply,
        int64_t end)
{
    int fd = sr_krb5_kdc_connect(kdc, end);
    int error = fd < 0 ? fd : sr_krb5_kdc_converse(fd, request, reply, end);

    if (fd >= 0)
        close(fd);
    return error;
}

int
sr_krb5_kdc_exchange(struct sr_krb5_kdcs *kdcs, const char *realm,
                     const krb5_data *request, krb5_data *reply)
{
    struct sr_srv kdc[SR_KRB5_SERVERS_MAX];
    bool is_pinned = kdcs->is_pinned && kdcs->last.host[0] != '\0' &&
                     strcmp(kdcs->realm, realm) == 0;
    size_t count = 1;
    int error = -EHOSTUNREACH;

    kdc[0] = kdcs->last;
    if (!is_pinned)
        count = sr_krb5_kdc_find(kdcs, realm, SR_KRB5_KDC, kdc);
    for (size_t i = 0; i < count && error != 0; i++) {
        int64_t left = sr_deadline_left(kdcs->end);
        int64_t part = left / (int64_t)(2 * (count - i) - 1);

        error = left == 0 ? -ETIMEDOUT
                          : ask_kdc(&kdc[i], request, reply,
                                    sr_deadline_now() + part);
        if (error == 0)
            kdcs->last = kdc[i];
    }
    if (error == 0)
        snprintf(kdcs->realm, sizeof(kdcs->realm), "%s", realm);
    else if (count == 0)
        sr_error_set(kdcs->error, SR_ERROR_UNREACHABLE,
                     "Kerberos: no KDC is known of the realm %s", realm);
    else
        sr_error_set(kdcs->error, SR_ERROR_UNREACHABLE,
                     "Kerberos: no KDC of %s: %s", realm, strerror(-error));
    return error;
}
