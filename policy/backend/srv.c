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
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "policy/backend/srv.h"
#include "policy/util/bytes.h"
#include "policy/util/socket.h"

/* Of names of hosts, and "_", which some have: all else could be read as more
 * than a host in a URI. */
#define HOST_CHARACTERS                                                        \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* So many records of one name have a chance to be used. */
#define ALL_MAX 64

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
    srv->weight = sr_get_be16(data + 2);
    srv->port = sr_get_be16(data + 4);
    return srv->host[0] != '\0' &&
           srv->host[strspn(srv->host, HOST_CHARACTERS)] == '\0' &&
           strcmp(srv->host, ".") != 0 && srv->port > 0;
}

/* Whether there is a record of the same port already; it then has the better
 * one of both priorities. */
static bool
is_known(struct sr_srv *found, size_t count, const struct sr_srv *srv)
{
    for (size_t i = 0; i < count; i++) {
        if (found[i].port != srv->port ||
            strcasecmp(found[i].host, srv->host) != 0)
            continue;
        if (srv->priority < found[i].priority)
            found[i] = *srv;
        return true;
    }
    return false;
}

/* Keep a record, in the place of the last one if there is no room. */
static size_t
keep(struct sr_srv *found, size_t count, size_t most, const struct sr_srv *srv)
{
    const bool is_new = !is_known(found, count, srv);

    if (is_new && count < most)
        found[count++] = *srv;
    else if (is_new && most > 0 && srv->priority < found[most - 1].priority)
        found[most - 1] = *srv;
    if (count == most)
        qsort(found, count, sizeof(found[0]), by_priority);
    return count;
}

size_t
sr_srv_read(const unsigned char *answer, size_t size, struct sr_srv *found,
            size_t most)
{
    const unsigned char *at = answer + NS_HFIXEDSZ, *end = answer + size;
    unsigned questions, records;
    struct sr_srv srv;
    size_t count = 0;

    if (size < NS_HFIXEDSZ)
        return 0;
    questions = sr_get_be16(answer + 4);
    records = sr_get_be16(answer + 6);
    for (; questions > 0 && at != NULL; questions--)
        at = skip(at, end, NS_QFIXEDSZ);
    for (; records > 0 && at != NULL; records--) {
        at = skip(at, end, NS_RRFIXEDSZ);
        if (at == NULL || (size_t)(end - at) < sr_get_be16(at - 2))
            break;
        if (take(answer, end, at, &srv))
            count = keep(found, count, most, &srv);
        at += sr_get_be16(at - 2);
    }
    qsort(found, count, sizeof(found[0]), by_priority);
    return count;
}

/* One of `count` records of one priority, by a number up to `sum` of their
 * weights. */
static size_t
choose(const struct sr_srv *found, size_t count, uint32_t number)
{
    size_t at = 0;

    while (at + 1 < count && number > (uint32_t)found[at].weight) {
        number -= (uint32_t)found[at].weight;
        at++;
    }
    return at;
}

void
sr_srv_spread(struct sr_srv *found, size_t count)
{
    for (; count > 1; found++, count--) {
        uint32_t random, sum = 0;
        size_t alike = 0, chosen;
        struct sr_srv first;

        for (; alike < count && found[alike].priority == found[0].priority;
             alike++)
            sum += (uint32_t)found[alike].weight;
        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
            return;
        /* Weights of zero mean that there is nothing to choose by. */
        chosen =
            sum == 0 ? random % alike : choose(found, alike, 1 + random % sum);
        first = found[chosen];
        found[chosen] = found[0];
        found[0] = first;
    }
}

size_t
sr_srv_find(const char *name, struct sr_srv *found, size_t most, int64_t end)
{
    unsigned char answer[4096];
    struct __res_state state;
    struct sr_srv *all = calloc(ALL_MAX, sizeof(*all));
    size_t count = 0;
    int size, status = EAGAIN;

    memset(&state, 0, sizeof(state));
    errno = EAGAIN;
    if (all == NULL || res_ninit(&state) != 0) {
        free(all);
        return 0;
    }
    state.retry = 1;
    state.retrans = sr_socket_resolver_seconds(state.nscount, 1, end);
    size = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, sizeof(answer));
    if (size > 0 || state.res_h_errno == HOST_NOT_FOUND ||
        state.res_h_errno == NO_DATA)
        status = ENOENT;
    res_nclose(&state);
    if (size > 0)
        count = sr_srv_read(
            answer, size < (int)sizeof(answer) ? (size_t)size : sizeof(answer),
            all, ALL_MAX);
    /* Which ones are left out is chance, too. */
    sr_srv_spread(all, count);
    if (count > most)
        count = most;
    memcpy(found, all, count * sizeof(*all));
    free(all);
    errno = status;
    return count;
}
