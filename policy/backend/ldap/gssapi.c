/*
 * LDAP GSSAPI: the bind of the service by a Kerberos ticket (RFC 4752).
 *
 * Under TLS no layer of its own is asked for: users' passwords go over the
 * connection, too, when a bind of theirs has ended any layer that this one
 * made. A domain controller of Active Directory refuses that, so there it is
 * the layer that encrypts (seal.c), and no user binds on the connection.  The
 * exchange is done here and not by the library for SASL, which would look for
 * the ticket where the environment points.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <string.h>

#include "policy/backend/krb5/ticket.h"
#include "policy/backend/ldap/gssapi.h"
#include "policy/backend/ldap/receive.h"
#include "policy/backend/ldap/seal.h"
#include "policy/util/environment.h"
#include "policy/util/words.h"

/* The layers of RFC 4752 that a server offers, and that we take. */
#define NO_LAYER 1
#define ENCRYPTS 4

struct conversation {
    struct sr_ldap_session *session;
    int64_t end;
    gss_cred_id_t identity;
    gss_name_t server;
    gss_ctx_id_t context;
    bool seals;  /* the connection is encrypted from the end of the bind on, */
    size_t most; /* by tokens of at most this size */
};

static void
why_gssapi(struct sr_ldap_session *session, OM_uint32 major, OM_uint32 minor)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;

    /* The text of Kerberos or, where it has none, of GSSAPI. */
    if (gss_display_status(&ignored, minor != 0 ? minor : major,
                           minor != 0 ? GSS_C_MECH_CODE : GSS_C_GSS_CODE,
                           gss_mech_krb5, &more, &text) != GSS_S_COMPLETE)
        text.length = 0;
    sr_ldap_why(session, "GSSAPI: %.*s", (int)text.length,
                text.length == 0 ? "" : (const char *)text.value);
    gss_release_buffer(&ignored, &text);
}

/* Send a token, and receive the server's.  `reply` is the library's. */
static void
send_token(struct conversation *talk, const gss_buffer_desc *token,
           struct berval **reply, struct sr_ldap_response *answer)
{
    static char nothing[] = "";
    struct berval value = {.bv_len = token->length,
                           .bv_val =
                               token->length == 0 ? nothing : token->value};
    LDAP *ld = talk->session->ld;
    LDAPMessage *message;
    int id;
    int code = ldap_sasl_bind(ld, "", "GSSAPI", &value, NULL, NULL, &id);

    *reply = NULL;
    if (code != LDAP_SUCCESS) {
        sr_ldap_response_init(answer, code);
        return;
    }
    sr_ldap_receive(talk->session, id, talk->end, answer, &message);
    if (answer->code == LDAP_SUCCESS ||
        answer->code == LDAP_SASL_BIND_IN_PROGRESS)
        ldap_parse_sasl_bind_result(ld, message, reply, 0);
    ldap_msgfree(message);
}

/* The next token of the context; false, and the error is set, when there is
 * none. libgssapi reads the environment whenever it is called. */
static bool
next_token(struct conversation *talk, const struct berval *from,
           gss_buffer_desc *token, bool *is_complete)
{
    gss_buffer_desc input = {.length = from == NULL ? 0 : from->bv_len,
                             .value = from == NULL ? NULL : from->bv_val};
    char **environment = sr_environment_hide();
    OM_uint32 minor;
    OM_uint32 major = gss_init_sec_context(
        &minor, talk->identity, &talk->context, talk->server,
        (gss_OID)(uintptr_t)gss_mech_krb5,
        GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG |
            (talk->seals ? GSS_C_CONF_FLAG | GSS_C_SEQUENCE_FLAG : 0),
        0, GSS_C_NO_CHANNEL_BINDINGS, &input, NULL, token, NULL, NULL);

    sr_environment_restore(environment);
    *is_complete = major == GSS_S_COMPLETE;
    if (GSS_ERROR(major))
        why_gssapi(talk->session, major, minor);
    return !GSS_ERROR(major);
}

/* What the server offers: its layers, and the most that it takes in a token. */
static bool
take_offer(struct conversation *talk, const gss_buffer_desc *layers)
{
    const unsigned char *offer = layers->value;
    unsigned strength;

    if (layers->length != 4 ||
        (offer[0] & (talk->seals ? ENCRYPTS : NO_LAYER)) == 0) {
        sr_ldap_why(talk->session,
                    talk->seals
                        ? N_LOG("GSSAPI: the server does not encrypt")
                        : N_LOG("GSSAPI: the server insists on a layer of its "
                                "own, although TLS protects the connection"));
        return false;
    }
    talk->most = (size_t)offer[1] << 16 | (size_t)offer[2] << 8 | offer[3];
    strength = talk->seals ? sr_ldap_seal_strength(talk->context)
                           : SR_LDAP_SEAL_SSF_LEAST;
    if (strength >= SR_LDAP_SEAL_SSF_LEAST)
        return true;
    sr_ldap_why(talk->session,
                "GSSAPI: the ticket encrypts with %u bits only, and less than "
                "%d are not accepted",
                strength, SR_LDAP_SEAL_SSF_LEAST);
    return false;
}

/* Take the layer, if the server allows it: it offers its layers in a wrapped
 * token, and wants the choice in one. */
static bool
choose_layer(struct conversation *talk, const struct berval *offer,
             gss_buffer_desc *choice)
{
    unsigned char chosen[4] = {NO_LAYER, 0, 0, 0};
    gss_buffer_desc wrapped = {.length = offer == NULL ? 0 : offer->bv_len,
                               .value = offer == NULL ? NULL : offer->bv_val};
    gss_buffer_desc layers = GSS_C_EMPTY_BUFFER;
    gss_buffer_desc plain = {.length = sizeof(chosen), .value = chosen};
    char **environment = sr_environment_hide();
    OM_uint32 minor, ignored;
    OM_uint32 major =
        gss_unwrap(&minor, talk->context, &wrapped, &layers, NULL, NULL);
    bool is_offered = major == GSS_S_COMPLETE && take_offer(talk, &layers);

    if (talk->seals) {
        chosen[0] = ENCRYPTS;
        chosen[1] = SR_LDAP_SEAL_MAX >> 16;
    }
    if (is_offered)
        major = gss_wrap(&minor, talk->context, 0, GSS_C_QOP_DEFAULT, &plain,
                         NULL, choice);
    sr_environment_restore(environment);
    if (major != GSS_S_COMPLETE)
        why_gssapi(talk->session, major, minor);
    gss_release_buffer(&ignored, &layers);
    return is_offered && major == GSS_S_COMPLETE;
}

/* The result of one round of the exchange. */
static void
converse(struct conversation *talk, struct sr_ldap_response *answer)
{
    struct berval *reply = NULL;
    bool is_complete = false, goes_on = true, is_last = false;
    OM_uint32 minor;

    sr_ldap_response_init(answer, LDAP_SASL_BIND_IN_PROGRESS);
    while (goes_on && answer->code == LDAP_SASL_BIND_IN_PROGRESS) {
        gss_buffer_desc token = GSS_C_EMPTY_BUFFER;

        is_last = is_complete;
        goes_on = is_last ? choose_layer(talk, reply, &token)
                          : next_token(talk, reply, &token, &is_complete);
        ber_bvfree(reply);
        reply = NULL;
        if (goes_on)
            send_token(talk, &token, &reply, answer);
        gss_release_buffer(&minor, &token);
    }
    ber_bvfree(reply);
    /* A server that has not shown who it is has nothing to accept. */
    if (goes_on && answer->code == LDAP_SUCCESS && !is_last)
        sr_ldap_response_init(answer, LDAP_PROTOCOL_ERROR);
    if (!goes_on)
        sr_ldap_response_init(answer, LDAP_PARAM_ERROR);
    else if (answer->code == LDAP_SUCCESS && talk->seals)
        sr_ldap_response_init(
            answer, sr_ldap_seal(talk->session, &talk->context, talk->most));
    else if (answer->code != LDAP_SUCCESS)
        sr_ldap_why_response(
            talk->session, answer, "%s does not accept the service's ticket: ",
            sr_ldap_uri_text(talk->session, talk->session->uri));
}

/* The names of the two, as libgssapi expects them; false, and the error is
 * set, when it refuses them. */
static bool
prepare(struct conversation *talk, const struct sr_krb5_ticket *ticket)
{
    gss_key_value_element_desc place = {.key = "ccache",
                                        .value = ticket->cache_name};
    const gss_key_value_set_desc store = {.count = 1, .elements = &place};
    gss_OID_set_desc mechanisms = {
        .count = 1, .elements = (gss_OID)(uintptr_t)gss_mech_krb5};
    gss_buffer_desc name = {.length = strlen(ticket->server_name),
                            .value = ticket->server_name};
    char **environment = sr_environment_hide();
    OM_uint32 minor;
    OM_uint32 major = gss_acquire_cred_from(
        &minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_INITIATE,
        &store, &talk->identity, NULL, NULL);

    if (major == GSS_S_COMPLETE)
        major = gss_import_name(&minor, &name,
                                (gss_OID)(uintptr_t)GSS_KRB5_NT_PRINCIPAL_NAME,
                                &talk->server);
    sr_environment_restore(environment);
    if (major != GSS_S_COMPLETE)
        why_gssapi(talk->session, major, minor);
    return major == GSS_S_COMPLETE;
}

/* The name of a host as KDCs have it: lower case, and no dot at the end. */
static void
make_plain(char *host)
{
    size_t length = strlen(host);

    if (length > 0 && host[length - 1] == '.')
        host[length - 1] = '\0';
    for (; *host != '\0'; host++) {
        if (*host >= 'A' && *host <= 'Z')
            *host = (char)(*host - 'A' + 'a');
    }
}

static void
end_conversation(struct conversation *talk)
{
    char **environment = sr_environment_hide();
    OM_uint32 minor;

    gss_delete_sec_context(&minor, &talk->context, GSS_C_NO_BUFFER);
    gss_release_name(&minor, &talk->server);
    gss_release_cred(&minor, &talk->identity);
    sr_environment_restore(environment);
}

/* Get the ticket for a host.  Returns an LDAP result code. */
static int
get_ticket(const struct sr_ldap_session *session, const char *host, int64_t end,
           struct sr_krb5_ticket *ticket)
{
    const struct sr_krb5_wanted wanted = {
        .keytab = session->config->keytab,
        .principal = session->config->principal,
        .service = "ldap",
        .host = host,
        .end = end,
        .backend = session->config->name,
        .is_fresh = session->wants_fresh,
        .is_by_user = session->is_by_user,
        .realm = session->config->realm,
        .kdc = &session->config->kdc,
    };

    switch (sr_krb5_ticket_get(&wanted, ticket, session->error)) {
    case SR_KRB5_OK:
        return LDAP_SUCCESS;
    case SR_KRB5_NO_SERVICE:
        return LDAP_CONNECT_ERROR;
    case SR_KRB5_AWAY:
        return LDAP_TIMEOUT;
    case SR_KRB5_FAILED:
        break;
    }
    return LDAP_PARAM_ERROR;
}

void
sr_ldap_gssapi(struct sr_ldap_session *session, int64_t end,
               struct sr_ldap_response *answer)
{
    struct conversation talk = {.session = session,
                                .end = end,
                                .identity = GSS_C_NO_CREDENTIAL,
                                .server = GSS_C_NO_NAME,
                                .context = GSS_C_NO_CONTEXT,
                                .seals = sr_ldap_is_sealed(session)};
    struct sr_krb5_ticket ticket;
    LDAPURLDesc *url = NULL;
    int code = LDAP_PARAM_ERROR;

    if (ldap_url_parse(sr_ldap_uri_text(session, session->uri), &url) ==
            LDAP_URL_SUCCESS &&
        url->lud_host != NULL) {
        make_plain(url->lud_host);
        code = get_ticket(session, url->lud_host, end, &ticket);
        sr_ldap_response_init(answer, code);
        if (code == LDAP_SUCCESS && prepare(&talk, &ticket))
            converse(&talk, answer);
        else if (code == LDAP_SUCCESS)
            sr_ldap_response_init(answer, LDAP_PARAM_ERROR);
        end_conversation(&talk);
        session->is_kept = ticket.is_kept;
        sr_krb5_ticket_end(&ticket);
    } else {
        sr_ldap_response_init(answer, code);
    }
    ldap_free_urldesc(url);
}
