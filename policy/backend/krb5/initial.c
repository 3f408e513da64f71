/*
 * Initial: one initial ticket, or what a KDC says instead (RFC 4120, 3.1).
 *
 * libkrb5 is given no prompter: it would ask for a new password by itself.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/backend/krb5/initial.h"
#include "policy/backend/krb5/keytab.h"
#include "policy/backend/krb5/steps.h"
#include "policy/backend/lately.h"
#include "policy/util/words.h"

/* A ticket for a change is used at once. */
#define CHANGE_SECONDS 300

struct exchange {
    krb5_init_creds_context state;
    krb5_get_init_creds_opt *options;
    struct sr_krb5_steps steps;
};

/* libkrb5 calls this for every reply that has a ticket. */
static void
note_expiry(krb5_context context, void *data, krb5_timestamp password,
            krb5_timestamp account, krb5_boolean is_last_req)
{
    struct sr_krb5_initial *initial = data;

    (void)context;
    (void)account;
    (void)is_last_req;
    /* Until 2106; the type is signed, and 0 says nothing. */
    initial->expires = (int64_t)(uint32_t)password;
}

static krb5_error_code
set_options(krb5_context context, const struct sr_krb5_wish *wish,
            struct sr_krb5_initial *initial, struct exchange *exchange)
{
    krb5_get_init_creds_opt *options;
    krb5_error_code error =
        krb5_get_init_creds_opt_alloc(context, &exchange->options);

    if (error != 0)
        return error;
    options = exchange->options;
    krb5_get_init_creds_opt_set_change_password_prompt(options, 0);
    krb5_get_init_creds_opt_set_canonicalize(options,
                                             wish->canonicalizes ? 1 : 0);
    if (wish->service != NULL) {
        krb5_get_init_creds_opt_set_tkt_life(options, CHANGE_SECONDS);
        krb5_get_init_creds_opt_set_renew_life(options, 0);
        krb5_get_init_creds_opt_set_forwardable(options, 0);
        krb5_get_init_creds_opt_set_proxiable(options, 0);
    }
    error = krb5_get_init_creds_opt_set_expire_callback(context, options,
                                                        note_expiry, initial);
    if (error == 0 && wish->armour != NULL)
        error = krb5_get_init_creds_opt_set_fast_ccache(context, options,
                                                        wish->armour);
    if (error == 0 && wish->demands_fast)
        error = krb5_get_init_creds_opt_set_fast_flags(context, options,
                                                       KRB5_FAST_REQUIRED);
    if (error == 0 && wish->store != NULL)
        error = krb5_get_init_creds_opt_set_out_ccache(context, options,
                                                       wish->store);
    return error;
}

static krb5_error_code
start(krb5_context context, const struct sr_krb5_wish *wish,
      struct sr_krb5_initial *initial, struct exchange *exchange)
{
    krb5_error_code error = set_options(context, wish, initial, exchange);

    if (error == 0)
        error = krb5_init_creds_init(context, wish->client, NULL, NULL, 0,
                                     exchange->options, &exchange->state);
    if (error == 0 && wish->service != NULL)
        error = krb5_init_creds_set_service(context, exchange->state,
                                            wish->service);
    if (error == 0 && wish->password != NULL)
        error = krb5_init_creds_set_password(context, exchange->state,
                                             wish->password);
    if (error == 0 && wish->keytab != NULL)
        error =
            krb5_init_creds_set_keytab(context, exchange->state, wish->keytab);
    return error;
}

/* What the last KRB-ERROR says; under FAST it is the protected one. */
static void
read_error(krb5_context context, const struct exchange *exchange,
           struct sr_krb5_initial *initial)
{
    krb5_error *error = NULL;

    if (exchange->state == NULL ||
        krb5_init_creds_get_error(context, exchange->state, &error) != 0 ||
        error == NULL)
        return;
    initial->krb_error = (krb5_error_code)error->error + ERROR_TABLE_BASE_krb5;
    initial->has_offset = error->stime != 0;
    initial->offset = (int64_t)(uint32_t)error->stime - (int64_t)time(NULL);
    initial->status = sr_krb5_ntstatus((const uint8_t *)error->e_data.data,
                                       error->e_data.length);
    sr_krb5_etypes((const uint8_t *)error->e_data.data, error->e_data.length,
                   &initial->etypes);
    krb5_free_error(context, error);
}

static enum sr_krb5_answer
classify(krb5_error_code code)
{
    switch (code) {
    case 0:
        return SR_KRB5_TICKET;
    case KRB5KDC_ERR_PREAUTH_FAILED:
    case KRB5KRB_AP_ERR_BAD_INTEGRITY:
        return SR_KRB5_WRONG;
    case KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN:
        return SR_KRB5_NO_CLIENT;
    case KRB5KDC_ERR_KEY_EXP:
        return SR_KRB5_KEY_EXPIRED;
    case KRB5KDC_ERR_NAME_EXP:
        return SR_KRB5_CLIENT_ENDED;
    case KRB5KDC_ERR_CLIENT_REVOKED:
    case KRB5KDC_ERR_POLICY: /* Heimdal's word for a disabled one */
        return SR_KRB5_CLIENT_REVOKED;
    case KRB5KRB_AP_ERR_SKEW:
    case KRB5_KDCREP_SKEW:
        return SR_KRB5_SKEW;
    default:
        return SR_KRB5_OTHER;
    }
}

/* What the end of the exchange says. */
static enum sr_krb5_answer
conclude(const struct sr_krb5_wish *wish, const struct exchange *exchange,
         const struct sr_krb5_initial *initial)
{
    const krb5_error_code code = initial->code, told = initial->krb_error;
    bool is_probe = wish->password == NULL && wish->keytab == NULL;

    if (exchange->steps.is_silent)
        return SR_KRB5_SILENT;
    if (is_probe &&
        (exchange->steps.is_cut || told == KRB5KDC_ERR_PREAUTH_REQUIRED ||
         told == KRB5KDC_ERR_MORE_PREAUTH_DATA_REQUIRED))
        return SR_KRB5_ASKS;
    /* A ticket, which libkrb5 cannot decrypt without a password: EIO. */
    if (is_probe && told == 0 && code == EIO && initial->replies > 0)
        return SR_KRB5_ASKS;
    /* The KDC refused one proof, and there is no other way to give it. */
    if ((code == KRB5_PREAUTH_FAILED || is_probe) && told != 0)
        return classify(told);
    return classify(code);
}

static void
say_why(struct sr_krb5_kdcs *kdcs, const struct sr_krb5_initial *initial)
{
    if (initial->answer == SR_KRB5_SKEW && initial->has_offset)
        sr_error_set(kdcs->error, SR_ERROR_IDENTITY,
                     "Kerberos: the clock of this host is %lld seconds %s the "
                     "KDC's (SR-5106)",
                     (long long)(initial->offset < 0 ? -initial->offset
                                                     : initial->offset),
                     initial->offset < 0 ? N_LOG("ahead of") : N_LOG("behind"));
    else if (initial->answer == SR_KRB5_SKEW)
        sr_krb5_set_error(kdcs->context, kdcs->error, SR_ERROR_IDENTITY,
                          "the clock (SR-5106)", initial->code);
    else if (initial->answer != SR_KRB5_SILENT)
        sr_krb5_set_error(kdcs->context, kdcs->error, SR_ERROR_OTHER,
                          kdcs->own == NULL ? N_LOG("the KDC") : kdcs->own,
                          initial->krb_error != 0 &&
                                  initial->code == KRB5_PREAUTH_FAILED
                              ? initial->krb_error
                              : initial->code);
}

static void
get(struct sr_krb5_kdcs *kdcs, const struct sr_krb5_wish *wish,
    struct sr_krb5_initial *initial)
{
    krb5_context context = kdcs->context;
    struct exchange exchange = {
        .steps.most = wish->password == NULL && wish->keytab == NULL ? 1 : 0};

    memset(initial, 0, sizeof(*initial));
    initial->code = start(context, wish, initial, &exchange);
    if (initial->code == 0)
        initial->code =
            sr_krb5_steps_initial(kdcs, exchange.state, &exchange.steps);
    initial->replies = exchange.steps.replies;
    if (initial->code == 0 && !exchange.steps.is_cut)
        initial->code =
            krb5_init_creds_get_creds(context, exchange.state, &initial->creds);
    else
        read_error(context, &exchange, initial);
    initial->answer = conclude(wish, &exchange, initial);
    if (initial->answer != SR_KRB5_TICKET && initial->answer != SR_KRB5_ASKS)
        say_why(kdcs, initial);
    krb5_init_creds_free(context, exchange.state);
    krb5_get_init_creds_opt_free(context, exchange.options);
}

/*
 * By the keys of one number.  A keytab can have newer keys than the KDC: those
 * of a change that did not come to its end, or that another KDC has not taken
 * over yet.
 */
static void
get_by_number(struct sr_krb5_kdcs *kdcs, const struct sr_krb5_wish *wish,
              krb5_kvno kvno, struct sr_krb5_initial *initial)
{
    struct sr_krb5_wish one = *wish;

    sr_krb5_initial_free(kdcs->context, initial);
    one.keytab =
        sr_krb5_keytab_of_kvno(kdcs->context, wish->keytab, wish->client, kvno);
    get(kdcs, one.keytab == NULL ? wish : &one, initial);
    initial->kvno = kvno;
    if (one.keytab != NULL)
        krb5_kt_close(kdcs->context, one.keytab);
}

/* Of which account it is remembered that its newest keys are not in use. */
static void
name_record(krb5_context context, const struct sr_krb5_wish *wish, char *key,
            size_t size)
{
    char *name = NULL;

    if (krb5_unparse_name(context, wish->client, &name) != 0)
        name = NULL;
    snprintf(key, size, "%s", name == NULL ? "" : name);
    krb5_free_unparsed_name(context, name);
}

/* What is remembered of an account whose own entries are not in use: a kvno, or
 * that those of host/NAME are. */
#define BY_NAMES "host"

/* By the keys that host/NAME has.  False: there are no others. */
static bool
get_by_names(struct sr_krb5_kdcs *kdcs, const struct sr_krb5_wish *wish,
             struct sr_krb5_initial *initial)
{
    struct sr_krb5_wish one = *wish;

    one.keytab =
        wish->tries_names
            ? sr_krb5_keytab_of_names(kdcs->context, wish->keytab, wish->client)
            : NULL;
    if (one.keytab == NULL)
        return false;
    sr_krb5_initial_free(kdcs->context, initial);
    get(kdcs, &one, initial);
    krb5_kt_close(kdcs->context, one.keytab);
    return true;
}

/*
 * The newest keys, then those before.  The ones that an earlier process has
 * found not to be in use, by what is `known`, come last: a KDC counts them as a
 * wrong password.  Where both are wrong, the newest ones may have come to the
 * KDC between the two tries, by its replication.
 */
static void
get_by_numbers(struct sr_krb5_kdcs *kdcs, const struct sr_krb5_wish *wish,
               const char *key, const char *known,
               struct sr_krb5_initial *initial)
{
    krb5_kvno kvno[SR_KRB5_KVNOS_MAX];
    const size_t count =
        sr_krb5_keytab_kvnos(kdcs->context, wish->keytab, wish->client, kvno);
    char text[24];

    if (count < 2) {
        get(kdcs, wish, initial);
        initial->kvno = count == 0 ? 0 : kvno[0];
        return;
    }
    snprintf(text, sizeof(text), "%u", kvno[0]);
    if (strcmp(known, text) == 0) {
        get_by_number(kdcs, wish, kvno[1], initial);
        if (initial->answer != SR_KRB5_WRONG)
            return;
    }
    get_by_number(kdcs, wish, kvno[0], initial);
    if (initial->answer == SR_KRB5_WRONG && strcmp(known, text) != 0) {
        get_by_number(kdcs, wish, kvno[1], initial);
        if (initial->answer == SR_KRB5_TICKET)
            sr_lately_set(&sr_lately_unused, key, text);
        else if (initial->answer == SR_KRB5_WRONG)
            get_by_number(kdcs, wish, kvno[0], initial);
    } else if (known[0] != '\0' && initial->answer == SR_KRB5_TICKET) {
        sr_lately_set(&sr_lately_unused, key, NULL);
    }
}

static void
get_by_keytab(struct sr_krb5_kdcs *kdcs, const struct sr_krb5_wish *wish,
              struct sr_krb5_initial *initial)
{
    char key[256], known[24] = "";
    bool is_tried = false;

    name_record(kdcs->context, wish, key, sizeof(key));
    if (!sr_lately_find(&sr_lately_unused, key, known, sizeof(known)))
        known[0] = '\0';
    if (strcmp(known, BY_NAMES) == 0)
        is_tried = get_by_names(kdcs, wish, initial);
    if (is_tried && initial->answer != SR_KRB5_WRONG)
        return;
    sr_krb5_initial_free(kdcs->context, initial);
    get_by_numbers(kdcs, wish, key, known, initial);
    if (initial->answer == SR_KRB5_WRONG && !is_tried &&
        get_by_names(kdcs, wish, initial) && initial->answer == SR_KRB5_TICKET)
        sr_lately_set(&sr_lately_unused, key, BY_NAMES);
}

void
sr_krb5_initial_get(struct sr_krb5_kdcs *kdcs, const struct sr_krb5_wish *wish,
                    struct sr_krb5_initial *initial)
{
    memset(initial, 0, sizeof(*initial));
    if (wish->keytab != NULL)
        get_by_keytab(kdcs, wish, initial);
    else
        get(kdcs, wish, initial);
}

void
sr_krb5_initial_free(krb5_context context, struct sr_krb5_initial *initial)
{
    krb5_free_cred_contents(context, &initial->creds);
    memset(initial, 0, sizeof(*initial));
}
