/*
 * LDAP pages: searches that are answered in pages (RFC 2696).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/bind.h"
#include "policy/backend/ldap/describe.h"
#include "policy/backend/ldap/pages.h"
#include "policy/backend/ldap/receive.h"
#include "policy/util/deadline.h"

/* Entries in one page: not above the default size limit of servers.  Where that
 * is too many for a server, a part of them. */
#define PAGE   500
#define SHRINK 10

/* No directory has more, and none takes longer: a server that does not finish
 * is abandoned. */
#define PAGES_MAX      20000
#define PAGES_BYTES    ((size_t)512 << 20)
#define READING_MAX_MS ((int64_t)10 * 60 * 1000)

/* A page of a directory may take as long as so many logins: nobody waits at a
 * prompt for it, and a server does for hundreds of accounts what it does for
 * one in a login. */
#define LOGINS 6

void
sr_ldap_pages_clear(struct sr_ldap_pages *pages)
{
    for (size_t i = 0; i < pages->count; i++)
        ldap_msgfree(pages->page[i]);
    free(pages->page);
    memset(pages, 0, sizeof(*pages));
}

/* The page belongs to the pages, or is freed. */
static int
add_page(struct sr_ldap_pages *pages, LDAPMessage *message)
{
    LDAPMessage **grown =
        reallocarray(pages->page, pages->count + 1, sizeof(LDAPMessage *));

    if (grown == NULL) {
        ldap_msgfree(message);
        return LDAP_NO_MEMORY;
    }
    pages->page = grown;
    grown[pages->count++] = message;
    return LDAP_SUCCESS;
}

/* Where the next page begins; empty: this was the last. */
static int
next_cookie(struct sr_ldap_session *session, LDAPMessage *message,
            struct berval *cookie)
{
    LDAPControl **controls = NULL;
    LDAPControl *control;
    ber_int_t estimate;
    int code, status;

    ber_memfree(cookie->bv_val);
    *cookie = (struct berval){0, NULL};
    status = ldap_parse_result(session->ld, message, &code, NULL, NULL, NULL,
                               &controls, 0);
    control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    if (status == LDAP_SUCCESS && control != NULL)
        status = ldap_parse_pageresponse_control(session->ld, control,
                                                 &estimate, cookie);
    ldap_controls_free(controls);
    return status;
}

/* Until when to wait for one page: as long as for a login, unless all of them
 * may take until `end`. */
static int64_t
page_end(const struct sr_ldap_session *session, int64_t end)
{
    const int64_t login = session->config->timeout * 1000;
    const int64_t now = sr_deadline_now();

    if (end == 0)
        return now + login;
    return now + LOGINS * login < end ? now + LOGINS * login : end;
}

/* Ask for one page, and wait for it. */
static int
fetch_page(struct sr_ldap_session *session, const struct sr_ldap_paged *paged,
           struct sr_ldap_response *answer, LDAPMessage **message)
{
    struct berval cookie = paged->cookie;
    LDAPControl *control = NULL;
    int64_t end = page_end(session, paged->end);
    int id;
    int code = ldap_create_page_control(session->ld, paged->size,
                                        cookie.bv_len == 0 ? NULL : &cookie, 0,
                                        &control);

    if (code != LDAP_SUCCESS)
        return code;
    code = ldap_search_ext(
        session->ld, paged->base, paged->scope, paged->filter,
        (char **)(uintptr_t)paged->attributes, 0,
        (LDAPControl *[]){control, sr_ldap_search_control(session), NULL}, NULL,
        NULL, LDAP_NO_LIMIT, &id);
    ldap_control_free(control);
    if (code != LDAP_SUCCESS)
        return code;
    session->allowance = SR_LDAP_BYTES_PAGE;
    sr_ldap_receive(session, id, end, answer, message);
    session->allowance = SR_LDAP_BYTES_REQUEST;
    return answer->code;
}

/* Whether the server refuses the first page, and may take a smaller one (slapd,
 * "size.pr"). */
static bool
is_too_large(struct sr_ldap_session *session, const struct sr_ldap_paged *paged,
             int code, LDAPMessage *page)
{
    return code == LDAP_ADMINLIMIT_EXCEEDED && paged->cookie.bv_len == 0 &&
           paged->size > 1 && ldap_count_entries(session->ld, page) <= 0;
}

int
sr_ldap_next_page(struct sr_ldap_session *session, struct sr_ldap_paged *paged,
                  struct sr_ldap_response *answer, LDAPMessage **page)
{
    int code;

    *page = NULL;
    sr_ldap_response_init(answer, LDAP_SUCCESS);
    if (paged->size == 0)
        paged->size = PAGE;
    code = fetch_page(session, paged, answer, page);
    while (is_too_large(session, paged, code, *page)) {
        ldap_msgfree(*page);
        *page = NULL;
        paged->size = paged->size > SHRINK ? paged->size / SHRINK : 1;
        code = fetch_page(session, paged, answer, page);
    }
    if (code == LDAP_SUCCESS)
        code = next_cookie(session, *page, &paged->cookie);
    if (code == LDAP_SUCCESS)
        sr_ldap_answered(session);
    return code;
}

void
sr_ldap_paged_end(struct sr_ldap_paged *paged)
{
    ber_memfree(paged->cookie.bv_val);
    paged->cookie = (struct berval){0, NULL};
}

/* Whether a limit of the server ended a search. */
static bool
is_limit(int code)
{
    return code == LDAP_SIZELIMIT_EXCEEDED ||
           code == LDAP_ADMINLIMIT_EXCEEDED || code == LDAP_TIMELIMIT_EXCEEDED;
}

static int
read_page(struct sr_ldap_session *session, struct sr_ldap_paged *paged,
          struct sr_ldap_pages *pages)
{
    struct sr_ldap_response answer;
    LDAPMessage *message;
    int code = sr_ldap_next_page(session, paged, &answer, &message);

    pages->bytes += SR_LDAP_BYTES_PAGE - session->budget;
    if (code == LDAP_SUCCESS)
        return add_page(pages, message);
    /* What was read up to a limit of the server is of use. */
    if (is_limit(code) && ldap_count_entries(session->ld, message) > 0) {
        pages->is_cut = true;
        if (add_page(pages, message) != LDAP_SUCCESS)
            code = LDAP_NO_MEMORY;
        message = NULL;
    }
    answer.code = code;
    sr_ldap_why_response(session, &answer,
                         "%s: not every account was returned: ",
                         sr_ldap_uri_text(session, session->uri));
    ldap_msgfree(message);
    return code;
}

/* Whether the server does not allow pages, by the answer to the first without
 * an entry. */
static bool
is_refused(int code, const struct sr_ldap_pages *pages)
{
    return pages->count == 0 &&
           (code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION ||
            code == LDAP_UNWILLING_TO_PERFORM || code == LDAP_PROTOCOL_ERROR ||
            code == LDAP_INAPPROPRIATE_AUTH ||
            code == LDAP_ADMINLIMIT_EXCEEDED ||
            code == LDAP_INSUFFICIENT_ACCESS);
}

/* Everything in one answer. */
static int
read_whole(struct sr_ldap_session *session, const struct sr_ldap_paged *paged,
           struct sr_ldap_pages *pages)
{
    int64_t end = page_end(session, paged->end);
    struct sr_ldap_response answer;
    LDAPMessage *message = NULL;
    int id;
    int code =
        ldap_search_ext(session->ld, paged->base, paged->scope, paged->filter,
                        (char **)(uintptr_t)paged->attributes, 0, NULL, NULL,
                        NULL, LDAP_NO_LIMIT, &id);

    if (code != LDAP_SUCCESS)
        return code;
    session->allowance = PAGES_BYTES;
    sr_ldap_receive(session, id, end, &answer, &message);
    session->allowance = SR_LDAP_BYTES_REQUEST;
    code = answer.code;
    pages->is_cut = is_limit(code);
    if (code == LDAP_SUCCESS || pages->is_cut) {
        if (add_page(pages, message) != LDAP_SUCCESS)
            code = LDAP_NO_MEMORY;
    } else {
        ldap_msgfree(message);
    }
    answer.code = code;
    if (code != LDAP_SUCCESS)
        sr_ldap_why_response(session, &answer,
                             "%s: pages are refused, and without them not "
                             "every account was returned: ",
                             sr_ldap_uri_text(session, session->uri));
    return code;
}

/* Whether a reading has come to a limit. */
static bool
is_endless(struct sr_ldap_session *session, const struct sr_ldap_pages *pages,
           int64_t end)
{
    if (pages->count < PAGES_MAX && pages->bytes < PAGES_BYTES &&
        sr_deadline_now() < end)
        return false;
    sr_ldap_why(session, "%s: its pages do not come to an end",
                sr_ldap_uri_text(session, session->uri));
    return true;
}

/* Read all of the current server. */
static int
read_server(struct sr_ldap_session *session, struct sr_ldap_paged *paged,
            struct sr_ldap_pages *pages)
{
    int code;

    sr_ldap_pages_clear(pages);
    do {
        code = is_endless(session, pages, paged->end)
                   ? LDAP_DECODING_ERROR
                   : read_page(session, paged, pages);
    } while (code == LDAP_SUCCESS && paged->cookie.bv_len > 0);
    sr_ldap_paged_end(paged);
    if (is_refused(code, pages))
        code = read_whole(session, paged, pages);
    sr_ldap_answered(session); /* the next server has the time of a login */
    return code;
}

int
sr_ldap_read_pages(struct sr_ldap_session *session, const char *filter,
                   const char *const *attributes, struct sr_ldap_pages *pages)
{
    const char *whole[SR_LDAP_LIST_MAX];
    struct sr_ldap_paged paged = {
        .base = session->config->base,
        .scope = LDAP_SCOPE_SUBTREE,
        .filter = filter,
        .attributes = attributes == NULL ? whole : attributes,
        .end = sr_deadline_now() + READING_MAX_MS,
    };
    int code;

    do {
        code = sr_ldap_as_service(session);
        if (code != LDAP_SUCCESS)
            return code;
        sr_ldap_list_attributes(session, whole);
        code = read_server(session, &paged, pages);
    } while (!pages->is_cut && sr_deadline_now() < paged.end &&
             sr_ldap_may_repeat(session, code));
    if (code == LDAP_SUCCESS)
        sr_error_clear(session->error); /* of another server */
    /* The rest of a page is of no use. */
    else if (!pages->is_cut)
        sr_ldap_close(session, false);
    return code;
}
