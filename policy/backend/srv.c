/*
 * SRV: the hosts of a service by DNS (RFC 2782).
 *
 * Apart from the connecting, because it needs libresolv, which other logins do
 * not load.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/srv.h"
#include "policy/util/socket.h"

static int
by_priority(const void *a, const void *b)
{
    const struct sr_srv *left = a, *right = b;

    return left->priority - right->priority;
}

/* Take the SRV records (RFC 2782) out of an answer. */
static size_t
read_srv(const unsigned char *answer, int size, struct sr_srv *found,
         size_t most)
{
    size_t count = 0;
    ns_msg message;

    if (ns_initparse(answer, size, &message) != 0)
        return 0;
    for (int i = 0; i < ns_msg_count(message, ns_s_an) && count < most; i++) {
        struct sr_srv *srv = &found[count];
        ns_rr record;

        if (ns_parserr(&message, ns_s_an, i, &record) != 0)
            break;
        if (ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) < 7 ||
            dn_expand(ns_msg_base(message), ns_msg_end(message),
                      ns_rr_rdata(record) + 6, srv->host,
                      sizeof(srv->host)) < 0)
            continue;
        srv->priority = (int)ns_get16(ns_rr_rdata(record));
        srv->port = (int)ns_get16(ns_rr_rdata(record) + 4);
        if (srv->host[0] != '\0' && strcmp(srv->host, ".") != 0)
            count++;
    }
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
        count = read_srv(
            answer, size < (int)sizeof(answer) ? size : (int)sizeof(answer),
            found, most);
    qsort(found, count, sizeof(found[0]), by_priority);
    return count;
}
