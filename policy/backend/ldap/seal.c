/*
 * LDAP seal: the layer of a bind by GSSAPI that encrypts what follows.
 *
 * Each message goes as one token, with its length in four bytes before it.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdlib.h>
#include <string.h>

#include "policy/backend/ldap/seal.h"
#include "policy/util/environment.h"

#define HEAD 4

struct seal {
    gss_ctx_id_t context;
    size_t most; /* bytes of text that fit into a token */

    /* A token on its way: it is sent as a whole before the next one. */
    gss_buffer_desc out;
    uint8_t out_head[HEAD];
    size_t sent;
    ber_len_t taken; /* bytes of text that are in it */

    uint8_t *in; /* a token that has come in part, its head included */
    uint8_t in_head[HEAD];
    size_t in_size, got;   /* in_size 0: the head is not complete */
    gss_buffer_desc clear; /* what has been decrypted, */
    size_t given;          /* and passed on */
};

unsigned
sr_ldap_seal_strength(gss_ctx_id_t context)
{
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    unsigned strength = 0;
    OM_uint32 minor;

    if (gss_inquire_sec_context_by_oid(&minor, context,
                                       GSS_C_SEC_CONTEXT_SASL_SSF,
                                       &set) == GSS_S_COMPLETE &&
        set->count == 1 && set->elements[0].length == 4) {
        const uint8_t *at = set->elements[0].value;

        strength = (unsigned)at[0] << 24 | (unsigned)at[1] << 16 |
                   (unsigned)at[2] << 8 | at[3];
    }
    gss_release_buffer_set(&minor, &set);
    return strength;
}

/* ---- sending */

/* Make the token of a text.  libgssapi reads the environment. */
static bool
wrap(struct seal *seal, void *text, size_t size)
{
    gss_buffer_desc clear = {.length = size, .value = text};
    char **environment = sr_environment_hide();
    OM_uint32 minor, major;
    int is_sealed = 0;

    major = gss_wrap(&minor, seal->context, 1, GSS_C_QOP_DEFAULT, &clear,
                     &is_sealed, &seal->out);
    sr_environment_restore(environment);
    if (major != GSS_S_COMPLETE || is_sealed == 0 ||
        seal->out.length > UINT32_MAX)
        return false;
    for (size_t i = 0; i < HEAD; i++)
        seal->out_head[i] = (uint8_t)(seal->out.length >> (24 - 8 * i));
    seal->sent = 0;
    seal->taken = size;
    return true;
}

/* Send the rest of the token.  False: not all of it, and errno has the reason.
 */
static bool
send_rest(Sockbuf_IO_Desc *layer, struct seal *seal)
{
    OM_uint32 minor;

    while (seal->sent < HEAD + seal->out.length) {
        const bool is_head = seal->sent < HEAD;
        uint8_t *from = is_head
                            ? seal->out_head + seal->sent
                            : (uint8_t *)seal->out.value + seal->sent - HEAD;
        const size_t left =
            (is_head ? HEAD : HEAD + seal->out.length) - seal->sent;
        ber_slen_t put = LBER_SBIOD_WRITE_NEXT(layer, from, left);

        if (put <= 0)
            return false;
        seal->sent += (size_t)put;
    }
    gss_release_buffer(&minor, &seal->out);
    return true;
}

/* The caller repeats a text that was not taken. */
static ber_slen_t
seal_write(Sockbuf_IO_Desc *layer, void *buffer, ber_len_t size)
{
    struct seal *seal = layer->sbiod_pvt;

    if (seal->out.length == 0 &&
        !wrap(seal, buffer, size < seal->most ? size : seal->most)) {
        errno = EIO;
        return -1;
    }
    return send_rest(layer, seal) ? (ber_slen_t)seal->taken : -1;
}

/* ---- receiving */

static bool
unwrap(struct seal *seal)
{
    gss_buffer_desc token = {.length = seal->in_size, .value = seal->in};
    char **environment = sr_environment_hide();
    OM_uint32 minor, major;
    int is_sealed = 0;

    major = gss_unwrap(&minor, seal->context, &token, &seal->clear, &is_sealed,
                       NULL);
    sr_environment_restore(environment);
    free(seal->in);
    seal->in = NULL;
    seal->in_size = seal->got = seal->given = 0;
    return major == GSS_S_COMPLETE && is_sealed != 0;
}

/* The head is complete: make room for the token. */
static bool
begin_token(struct seal *seal)
{
    seal->in_size = (size_t)seal->in_head[0] << 24 |
                    (size_t)seal->in_head[1] << 16 |
                    (size_t)seal->in_head[2] << 8 | seal->in_head[3];
    seal->got = 0;
    if (seal->in_size > 0 && seal->in_size <= SR_LDAP_SEAL_MAX)
        seal->in = malloc(seal->in_size);
    return seal->in != NULL;
}

/* Receive one token.  1: it is there, decrypted; otherwise what the layer below
 * returned, or -1. */
static ber_slen_t
receive_token(Sockbuf_IO_Desc *layer, struct seal *seal)
{
    for (;;) {
        const bool is_head = seal->in_size == 0;
        uint8_t *to = is_head ? seal->in_head : seal->in;
        const size_t size = is_head ? HEAD : seal->in_size;
        ber_slen_t got =
            LBER_SBIOD_READ_NEXT(layer, to + seal->got, size - seal->got);

        if (got <= 0)
            return got;
        seal->got += (size_t)got;
        if (seal->got < size)
            continue;
        if (is_head ? !begin_token(seal) : !unwrap(seal)) {
            errno = EIO;
            return -1;
        }
        if (!is_head)
            return 1;
    }
}

static ber_slen_t
seal_read(Sockbuf_IO_Desc *layer, void *buffer, ber_len_t size)
{
    struct seal *seal = layer->sbiod_pvt;
    OM_uint32 minor;

    while (seal->clear.length == seal->given) {
        ber_slen_t status;

        gss_release_buffer(&minor, &seal->clear);
        seal->given = 0;
        status = receive_token(layer, seal);
        if (status <= 0)
            return status;
    }
    if (size > seal->clear.length - seal->given)
        size = seal->clear.length - seal->given;
    memcpy(buffer, (uint8_t *)seal->clear.value + seal->given, size);
    seal->given += size;
    return (ber_slen_t)size;
}

/* ---- the layer */

static int
seal_setup(Sockbuf_IO_Desc *layer, void *seal)
{
    layer->sbiod_pvt = seal;
    return 0;
}

static int
seal_remove(Sockbuf_IO_Desc *layer)
{
    struct seal *seal = layer->sbiod_pvt;
    char **environment = sr_environment_hide();
    OM_uint32 minor;

    gss_release_buffer(&minor, &seal->out);
    gss_release_buffer(&minor, &seal->clear);
    gss_delete_sec_context(&minor, &seal->context, GSS_C_NO_BUFFER);
    sr_environment_restore(environment);
    free(seal->in);
    free(seal);
    layer->sbiod_pvt = NULL;
    return 0;
}

static int
seal_control(Sockbuf_IO_Desc *layer, int option, void *value)
{
    const struct seal *seal = layer->sbiod_pvt;

    if (option == LBER_SB_OPT_DATA_READY && seal->clear.length > seal->given)
        return 1;
    return LBER_SBIOD_CTRL_NEXT(layer, option, value);
}

static int
seal_close(Sockbuf_IO_Desc *layer)
{
    (void)layer;
    return 0;
}

static const Sockbuf_IO sealing = {
    .sbi_setup = seal_setup,
    .sbi_remove = seal_remove,
    .sbi_ctrl = seal_control,
    .sbi_read = seal_read,
    .sbi_write = seal_write,
    .sbi_close = seal_close,
};

int
sr_ldap_seal(struct sr_ldap_session *session, gss_ctx_id_t *context,
             size_t most)
{
    struct seal *seal = calloc(1, sizeof(*seal));
    Sockbuf *buffer = NULL;
    OM_uint32 minor, limit = 0;

    if (seal == NULL)
        return LDAP_NO_MEMORY;
    if (most > SR_LDAP_SEAL_MAX)
        most = SR_LDAP_SEAL_MAX;
    if (gss_wrap_size_limit(&minor, *context, 1, GSS_C_QOP_DEFAULT,
                            (OM_uint32)most, &limit) != GSS_S_COMPLETE ||
        limit == 0 ||
        ldap_get_option(session->ld, LDAP_OPT_SOCKBUF, &buffer) !=
            LDAP_OPT_SUCCESS) {
        free(seal);
        return LDAP_LOCAL_ERROR;
    }
    seal->context = *context;
    seal->most = limit;
    if (ber_sockbuf_add_io(buffer, (Sockbuf_IO *)(uintptr_t)&sealing,
                           LBER_SBIOD_LEVEL_TRANSPORT, seal) != 0) {
        free(seal);
        return LDAP_LOCAL_ERROR;
    }
    *context = GSS_C_NO_CONTEXT;
    return LDAP_SUCCESS;
}
