/*
 * Fuzz target: what KDCs, servers for passwords and name servers send.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/krb5/kpasswd.h"
#include "policy/backend/krb5/padata.h"
#include "policy/backend/srv.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_result(const uint8_t *bytes, size_t size)
{
    struct sr_kpasswd_result result;

    if (!sr_kpasswd_result(bytes, size, &result))
        return;
    expect(memchr(result.text, '\0', sizeof(result.text)) != NULL);
    for (const char *at = result.text; *at != '\0'; at++)
        expect((unsigned char)*at >= ' ' || *at == '\n');
}

static void
check_hosts(const uint8_t *bytes, size_t size)
{
    struct sr_srv found[4];
    size_t count = sr_srv_read(bytes, size, found, 4);

    expect(count <= 4);
    for (size_t i = 0; i < count; i++) {
        expect(memchr(found[i].host, '\0', sizeof(found[i].host)) != NULL);
        expect(found[i].host[0] != '\0' && found[i].port <= UINT16_MAX);
        expect(i == 0 || found[i].priority >= found[i - 1].priority);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sr_kpasswd_reply reply;
    struct sr_krb5_etypes etypes;

    check_hosts(data, size);

    sr_krb5_ntstatus(data, size);
    if (sr_krb5_etypes(data, size, &etypes))
        expect(etypes.count > 0 && etypes.count <= SR_KRB5_ETYPES_MAX);
    check_result(data, size);
    if (sr_kpasswd_parse(data, size, &reply)) {
        expect(reply.body.size > 0 &&
               reply.body.bytes + reply.body.size == data + size);
        check_result(reply.body.bytes, reply.body.size);
    }
    return 0;
}
