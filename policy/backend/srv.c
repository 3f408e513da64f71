/*
 * SRV: the hosts of a service by DNS (RFC 2782).
 *
 * Answers are read here: ns_parserr(3) would have every login with a directory
 * load libresolv.  What else is needed of it is in libc since glibc 2.34.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/srv.h"
#include "policy/util/bytes.h"
#include "policy/util/socket.h"

static int
by_priority(const void *a, const void *b)
{
    const struct sr_srv *left = a, *right = b;

    return left->priority - right->priority;
}

/* The place behind a name and the `fixed` bytes after it; NULL: beyond the end
 * of the answer. */
static const unsigned char *
skip(const unsigned char *at, const unsigned char *end, int fixed)
{
    const int name = dn_skipname(at, end);

    return name < 0 || end - at - name < fixed ? NULL : at + name + fixed;
}

/* Take the record whose data begin at `data`, unless it is none of a host. */
static bool
take(const unsigned char *answer, const unsigned char *end,
     const unsigned char *data, struct sr_srv *srv)
{
    if (sr_get_be16(data - NS_RRFIXEDSZ) != ns_t_srv ||
        sr_get_be16(data - 2) < 7 ||
        dn_expand(answer, end, data + 6, srv->host, sizeof(srv->host)) < 0)
        return false;
    srv->priority = sr_get_be16(data);
    srv->port = sr_get_be16(data + 4);
    return srv->host[0] != '\0' && strcmp(srv->host, ".") != 0;
}

size_t
sr_srv_read(const unsigned char *answer, size_t size, struct sr_srv *found,
            size_t most)
{
    const unsigned char *at = answer + NS_HFIXEDSZ, *end = answer + size;
    unsigned questions, records;
    size_t count = 0;

    if (size < NS_HFIXEDSZ)
        return 0;
    questions = sr_get_be16(answer + 4);
    records = sr_get_be16(answer + 6);
    for (; questions > 0 && at != NULL; questions--)
        at = skip(at, end, NS_QFIXEDSZ);
    for (; records > 0 && at != NULL && count < most; records--) {
        at = skip(at, end, NS_RRFIXEDSZ);
        if (at == NULL || (size_t)(end - at) < sr_get_be16(at - 2))
            break;
        if (take(answer, end, at, &found[count]))
            count++;
        at += sr_get_be16(at - 2);
    }
    qsort(found, count, sizeof(found[0]), by_priority);
    return count;
}

size_t
sr_srv_find(const char *name, struct sr_srv *found, size_t most, int64_t end)
{
    unsigned char answer[4096];
    struct __res_state state;
    size_t count = 0;
    int size;

    memset(&state, 0, sizeof(state));
    if (res_ninit(&state) != 0)
        return 0;
    state.retry = 1;
    state.retrans = sr_socket_resolver_seconds(state.nscount, 1, end);
    size = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, sizeof(answer));
    res_nclose(&state);
    if (size > 0)
        count = sr_srv_read(
            answer, size < (int)sizeof(answer) ? (size_t)size : sizeof(answer),
            found, most);
    return count;
}
