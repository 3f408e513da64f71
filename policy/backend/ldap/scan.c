/*
 * LDAP scan: all entries below a place, page by page, of which only what the
 * caller takes is kept.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>

#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/scan.h"
#include "policy/util/deadline.h"

/* A pass that takes longer, or has more pages, is stopped: a server could
 * answer without end. */
#define PASS_MS   60000
#define PAGES_MAX 8192

struct scan {
    enum sr_status (*take)(void *context, const struct sr_ldap_entry *entry);
    void *context;
};

static enum sr_status
take_page(struct sr_ldap_session *session, LDAPMessage *page,
          const struct scan *scan)
{
    LDAPMessage *at = ldap_first_entry(session->ld, page);
    enum sr_status ask = SR_STATUS_OK;

    for (; at != NULL && ask == SR_STATUS_OK;
         at = ldap_next_entry(session->ld, at)) {
        struct sr_ldap_entry entry = {0};

        ask = sr_ldap_entry_take(session, at, &entry) == LDAP_SUCCESS
                  ? scan->take(scan->context, &entry)
                  : SR_STATUS_NO_MEMORY;
        sr_ldap_entry_clear(&entry);
    }
    return ask;
}

/* The server may have closed the connection of an earlier call: then there is
 * another for the first page.  Those behind it are of one server. */
static int
fetch_page(struct sr_ldap_session *session, struct sr_ldap_paged *paged,
           struct sr_ldap_response *answer, LDAPMessage **page)
{
    const bool is_first = paged->cookie.bv_len == 0;
    int code;

    do {
        *page = NULL;
        code = is_first ? sr_ldap_as_service(session) : LDAP_SUCCESS;
        sr_ldap_response_init(answer, code);
        if (code != LDAP_SUCCESS)
            break; /* the error is set */
        code = sr_ldap_next_page(session, paged, answer, page);
        answer->code = code;
        if (code != LDAP_SUCCESS && !sr_ldap_response_is_away(code))
            sr_ldap_why_response(session, answer,
                                 "%s, to read all entries: ", paged->base);
        else if (code != LDAP_SUCCESS)
            sr_ldap_why(session, "%s: %s",
                        sr_ldap_uri_text(session, session->uri),
                        ldap_err2string(code));
    } while (code != LDAP_SUCCESS && is_first &&
             sr_ldap_may_repeat(session, code));
    return code;
}

static enum sr_status
read_page(struct sr_ldap_session *session, struct sr_ldap_paged *paged,
          const struct scan *scan)
{
    struct sr_ldap_response answer;
    LDAPMessage *page;
    const int code = fetch_page(session, paged, &answer, &page);
    enum sr_status ask = SR_STATUS_UNAVAILABLE;

    if (code == LDAP_NO_MEMORY)
        ask = SR_STATUS_NO_MEMORY;
    else if (code == LDAP_SUCCESS)
        ask = take_page(session, page, scan);
    if (ask == SR_STATUS_UNAVAILABLE && code == LDAP_SUCCESS)
        sr_ldap_why(session, "%s has more entries than can be read",
                    paged->base);
    if (page != NULL)
        ldap_msgfree(page);
    return ask;
}

enum sr_status
sr_ldap_scan(struct sr_ldap_session *session, struct sr_ldap_paged *paged,
             enum sr_status (*take)(void *context,
                                    const struct sr_ldap_entry *entry),
             void *context)
{
    const struct scan scan = {take, context};
    const int64_t end = sr_deadline_now() + PASS_MS;
    enum sr_status ask;
    int pages = 0;

    sr_ldap_answered(session); /* a pass is no part of a login */
    do {
        ask = read_page(session, paged, &scan);
        if (ask == SR_STATUS_OK && paged->cookie.bv_len > 0 &&
            (++pages >= PAGES_MAX || sr_deadline_now() > end)) {
            sr_ldap_why(session, "%s is told of without end", paged->base);
            ask = SR_STATUS_UNAVAILABLE;
        }
    } while (ask == SR_STATUS_OK && paged->cookie.bv_len > 0);
    sr_ldap_paged_end(paged);
    /* The server keeps a cursor for a client that has not read all pages. */
    if (ask != SR_STATUS_OK)
        sr_ldap_close(session, false);
    return ask;
}
