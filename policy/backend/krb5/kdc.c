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
#include "policy/backend/krb5/srv.h"
#include "policy/util/deadline.h"
#include "policy/util/socket.h"

#define KDCS_MAX  8
#define KDC_PORT  88
#define REPLY_MAX (1 << 20) /* no KDC has more to say */

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT", any of them behind "tcp/". */
static bool
read_kdc(const char *text, struct sr_krb5_srv *kdc)
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
configured_kdcs(profile_t profile, const char *realm, struct sr_krb5_srv *kdc)
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
find_kdcs(krb5_context context, const char *realm, struct sr_krb5_srv *kdc,
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
        count = sr_krb5_srv_find(name, kdc, KDCS_MAX, end);
    return count;
}

/* Send a request to a KDC, and receive its answer, each with its length before
 * it.  Returns 0 or a negative errno; the answer is malloc's. */
static int
ask_kdc(const struct sr_krb5_srv *kdc, const krb5_data *request,
        krb5_data *reply, int64_t end)
{
    uint32_t length = htonl(request->length);
    int fd = sr_socket_connect_host(kdc->host, kdc->port, end);
    int error;

    if (fd < 0)
        return fd;
    error = sr_socket_send(fd, &length, sizeof(length), end);
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
    close(fd);
    if (error == 0) {
        reply->length = length;
    } else {
        free(reply->data);
        reply->data = NULL;
    }
    return error;
}

int
sr_krb5_kdc_exchange(struct sr_krb5_kdcs *kdcs, const char *realm,
                     const krb5_data *request, krb5_data *reply)
{
    struct sr_krb5_srv kdc[KDCS_MAX];
    size_t count = find_kdcs(kdcs->context, realm, kdc, kdcs->end);
    int error = -EHOSTUNREACH;

    for (size_t i = 0; i < count && error != 0; i++) {
        int64_t left = sr_deadline_left(kdcs->end);
        int64_t part = left / (int64_t)(2 * (count - i) - 1);

        error = left == 0 ? -ETIMEDOUT
                          : ask_kdc(&kdc[i], request, reply,
                                    sr_deadline_now() + part);
    }
    if (count == 0)
        sr_error_set(kdcs->error, SR_ERROR_UNREACHABLE,
                     "Kerberos: no KDC is known of the realm %s", realm);
    else if (error != 0)
        sr_error_set(kdcs->error, SR_ERROR_UNREACHABLE,
                     "Kerberos: no KDC of %s: %s", realm, strerror(-error));
    return error;
}
