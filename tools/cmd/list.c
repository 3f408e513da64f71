/*
 * List: the state of every account, of this host and of its directories.
 *
 * The backends are enumerated in their order; of two accounts of one name the
 * first counts, as at a login.  Accounts that only the name service has follow.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/registry.h"
#include "policy/config/account_rules.h"
#include "policy/config/members.h"
#include "policy/util/name_map.h"
#include "policy/util/utf8.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/shared_ledger.h"
#include "tools/report.h"
#include "tools/words.h"

/* The names that the name service lists, in its order, and the uid of each.
 * Collected first, because looking one up may move getpwent(3). */
struct names {
    struct sr_string_list order;
    struct sr_name_map uid;
};

static bool
names_read(struct names *names)
{
    const struct passwd *entry;
    bool is_whole = true;

    setpwent();
    errno = 0;
    while (is_whole && (entry = getpwent()) != NULL) {
        struct sr_named *named;

        if (strchr("+-", entry->pw_name[0]) != NULL) /* a line of NSS compat */
            continue;
        named = sr_name_map_add(&names->uid, entry->pw_name);
        is_whole =
            named != NULL && sr_string_list_add(&names->order, entry->pw_name,
                                                strlen(entry->pw_name)) == 0;
        if (named != NULL && named->value < 0)
            named->value = (intptr_t)entry->pw_uid;
        errno = 0;
    }
    if (errno != 0 && errno != ENOENT)
        is_whole = false;
    endpwent();
    if (!is_whole)
        ctl_error("The accounts cannot be listed: %s.", strerror(errno));
    return is_whole;
}

/* What the list shows. */
struct selection {
    bool is_wanted[SR_STATE_COUNT];
    bool has_all;
};

static void
unknown_state(const struct ctl *ctl, const char *name)
{
    const char *words[SR_STATE_COUNT];

    for (int i = 0; i < SR_STATE_COUNT; i++)
        words[i] = sr_state_name((enum sr_state)i);
    ctl_unknown(ctl, CTL_WORD_STATE, name, words, SR_STATE_COUNT);
}

/* Comma-separated names of states. */
static bool
select_states(const struct ctl *ctl, const char *text,
              struct selection *selection)
{
    char *copy = strdup(text);
    char *rest = copy;
    char *name;
    bool is_known = copy != NULL;

    while (is_known && (name = strsep(&rest, ",")) != NULL) {
        enum sr_state state = sr_state_find(name);

        is_known = state != SR_STATE_COUNT;
        if (is_known)
            selection->is_wanted[state] = true;
        else
            unknown_state(ctl, name);
    }
    free(copy);
    return is_known;
}

static bool
is_of_no_use(const struct sr_facts *facts)
{
    return facts->has_password == SR_NO && facts->uid != 0 &&
           ctl_is_system(facts->uid);
}

/* One account of the list. */
struct line {
    const char *name;
    const struct sr_account *account; /* NULL: nothing is known but the name */
    struct sr_verdict verdict;
    struct ctl_partial partial;
};

/* What a person has to know besides the state. */
static void
note_of(const struct line *line, char *out, size_t size)
{
    const char *none =
        line->account == NULL ? NULL : ctl_no_password(line->account);

    out[0] = '\0';
    if (line->partial.of != NULL)
        snprintf(out, size, "%s",
                 strcmp(line->partial.of, "strangers") == 0
                     ? _("strangers locked out")
                     : _("familiar locked out"));
    else if (none != NULL)
        snprintf(out, size, "%s",
                 strcmp(none, "locked") == 0 ? _("no password (locked)")
                                             : _("no password"));
}

/* At most 72 columns, where the name has no more than 20. */
static void
print_line(const struct line *line)
{
    char when[REPORT_TEXT_MAX] = "-", note[128], name[SR_NAME_MAX + 1];

    note_of(line, note, sizeof(note));
    sr_utf8_clean(line->name, false, name, sizeof(name));
    if (line->verdict.when != SR_TIME_UNKNOWN)
        report_local(line->verdict.when, when);
    if (SR_TIME_IS_SET(line->verdict.when))
        when[16] = '\0'; /* without seconds and zone */
    printf("%-*s %-11s %-*s%s%s\n", ctl_pad(name, 20), name,
           sr_state_name(line->verdict.state),
           note[0] == '\0' ? 0 : ctl_pad(when, 16), when,
           note[0] == '\0' ? "" : " ", note);
}

static void
json_time(struct json *json, const char *key, sr_time when)
{
    char text[REPORT_TEXT_MAX];

    json_string(json, key,
                when == SR_TIME_UNKNOWN ? NULL : report_utc(when, text));
}

static void
json_line(struct json *json, const struct line *line)
{
    const struct sr_account *account = line->account;

    json_object(json, NULL);
    json_string(json, "user", line->name);
    if (account == NULL)
        json_null(json, "uid");
    else
        json_number(json, "uid", account->facts.uid);
    json_string(json, "backend",
                account == NULL ? NULL : account->facts.backend);
    json_string(json, "state", sr_state_name(line->verdict.state));
    json_string(json, "password",
                account == NULL || account->facts.has_password == SR_UNKNOWN
                    ? NULL
                : ctl_no_password(account) != NULL ? ctl_no_password(account)
                                                   : "set");
    json_string(json, "locked_for", line->partial.of);
    json_time(json, "locked_for_until", line->partial.until);
    json_time(json, "deadline", line->verdict.when);
    json_string(json, "fact", line->verdict.fact);
    json_string(json, "rule", line->verdict.rule);
    json_end(json);
}

/* ---- accounts of the backends */

struct listing {
    struct ctl *ctl;
    const struct selection *selection;
    struct json json;
    struct sr_members *members;
    struct names here;        /* that the name service has */
    struct sr_name_map taken; /* names with the number of their backend */
    intptr_t backend;         /* the number of the one that is enumerated */
    struct sr_shared_scan *ledgers; /* of its accounts; NULL: there is none */
    bool is_partial;                /* one of them could not be asked */
    int code;
};

/* Whether the name service has another uid for the name of an account of a
 * directory: at a login the name then means that other account. */
static bool
is_namesake(const struct listing *listing, const struct sr_facts *facts)
{
    const struct sr_named *here =
        sr_name_map_find(&listing->here.uid, facts->name);

    return here != NULL && (uid_t)here->value != facts->uid;
}

/* One line; txn NULL: nothing is known but the name. */
static void
show(struct listing *listing, const char *name, struct sr_transaction *txn,
     const struct ctl_remembered *remembered)
{
    const struct selection *selection = listing->selection;
    const struct sr_facts *facts = NULL;
    struct sr_facts decided;
    struct line line = {
        .name = name,
        .verdict = {.state = SR_STATE_UNKNOWN, .when = SR_TIME_UNKNOWN},
        .partial = {NULL, SR_TIME_UNKNOWN}};

    if (txn == NULL) {
        listing->code = CTL_FAILED;
    } else {
        facts = &txn->account->facts;
        line.account = txn->account;
        ctl_take_partial(txn, remembered, &line.partial);
        decided = sr_transaction_facts(txn);
        line.verdict =
            sr_verdict(&decided, &txn->rules, &ctl_at_login, listing->ctl->now);
    }
    if (!selection->is_wanted[line.verdict.state] ||
        (facts != NULL && !selection->has_all && is_of_no_use(facts)))
        return;
    if (listing->ctl->is_json)
        json_line(&listing->json, &line);
    else
        print_line(&line);
}

static int
list_account(void *context, struct sr_account *account,
             const struct sr_rules *rules, enum sr_status ask,
             const char *reason)
{
    struct listing *listing = context;
    const struct sr_facts *facts = &account->facts;
    struct sr_transaction txn = {.config = listing->ctl->config,
                                 .rules = *rules,
                                 .account = account,
                                 .ask = ask};
    struct ctl_remembered remembered;
    struct sr_named *taken;

    if (account->backend.ops != &sr_backend_local &&
        is_namesake(listing, facts))
        return 0;
    taken = sr_name_map_add(&listing->taken, facts->name);
    if (taken == NULL) {
        listing->code = CTL_FAILED;
        return -1;
    }
    if (taken->value >= 0) /* a second line of one name counts for nothing */
        return 0;
    taken->value = listing->backend;
    if (ask != SR_STATUS_OK)
        ctl_error("The state of %s is unknown: %s.", facts->name, _(reason));
    else if (ctl_remembered(&txn, &remembered) != CTL_OK)
        ask = SR_STATUS_UNAVAILABLE;
    else
        shared_look_in(listing->ledgers, listing->ctl->now, &txn);
    show(listing, facts->name, ask == SR_STATUS_OK ? &txn : NULL, &remembered);
    return 0;
}

static void
list_backend(struct listing *listing, size_t number)
{
    const char *name = listing->ctl->config->backends.item[number];
    const struct sr_visitor visitor = {sr_members_rules, listing->members,
                                       list_account, listing, NULL};
    enum sr_status ask = SR_STATUS_UNAVAILABLE;
    struct sr_backend backend;
    struct sr_call call = sr_call_make(&backend, NULL);

    listing->backend = (intptr_t)number;
    if (sr_backend_find(listing->ctl->config, name, &backend, &call.error) ==
        0) {
        if (backend.ops->enumerate == NULL) {
            sr_error_set(&call.error, SR_ERROR_OTHER,
                         N_("it cannot list its accounts"));
        } else {
            if (!shared_read(listing->ctl, name, &listing->ledgers))
                listing->code = CTL_FAILED;
            ask = sr_backend_enumerate(&call, &visitor);
            sr_shared_scan_free(listing->ledgers);
            listing->ledgers = NULL;
        }
    }
    if (ask == SR_STATUS_OK)
        return;
    listing->is_partial = true;
    listing->code = CTL_FAILED;
    ctl_error("The backend \"%s\" cannot be asked: %s.  Its accounts are "
              "missing from the list.",
              name,
              ask == SR_STATUS_NO_MEMORY ? _("out of memory")
                                         : _(sr_error_text(&call.error)));
}

/* ---- other accounts of the name service */

/* An account that no backend has listed.  When a backend could not be asked,
 * the account may be one of its; to ask again for each would take too long. */
static void
list_other(struct listing *listing, const char *name)
{
    __attribute__((cleanup(sr_transaction_end))) struct sr_transaction txn = {
        0};
    struct ctl_remembered remembered;
    bool is_read = false;
    enum sr_status ask = SR_STATUS_UNKNOWN_NAME;
    const int code = listing->code;
    bool is_guest = false;
    struct shared_counts shared;

    if (!listing->is_partial)
        ask = sr_transaction_begin(listing->ctl->config, name, "", NULL, &txn);
    /* Another module's are many, and no fault. */
    if (ask == SR_STATUS_UNKNOWN_NAME && txn.another[0] == '\0') {
        is_guest = true;
    } else if (ctl_transaction_status(ask, name, &txn) == CTL_OK &&
               ctl_remembered(&txn, &remembered) == CTL_OK) {
        shared_look(&txn, &shared);
        is_read = true;
    }
    show(listing, name, is_read ? &txn : NULL, &remembered);
    if (!listing->is_partial && is_guest)
        listing->code = code;
}

static void
list_others(struct listing *listing)
{
    const struct sr_string_list *names = &listing->here.order;

    for (size_t i = 0; i < names->count; i++) {
        if (sr_name_map_find(&listing->taken, names->item[i]) == NULL)
            list_other(listing, names->item[i]);
    }
}

static void
print_heading(void)
{
    const char *const title[] = {_("USER"), _("STATE"), _("DEADLINE"),
                                 _("NOTE")};

    printf("%-*s %-*s %-*s %s\n", ctl_pad(title[0], 20), title[0],
           ctl_pad(title[1], 11), title[1], ctl_pad(title[2], 16), title[2],
           title[3]);
}

static int
list_all(struct ctl *ctl, const struct selection *selection)
{
    const struct sr_string_list *backends = &ctl->config->backends;
    struct listing listing = {.ctl = ctl,
                              .selection = selection,
                              .members = sr_members_new(ctl->config, "")};

    if (listing.members == NULL) {
        ctl_error("Out of memory.");
        return CTL_FAILED;
    }
    if (!names_read(&listing.here))
        listing.code = CTL_FAILED;
    json_begin(&listing.json, stdout);
    if (ctl->is_json)
        json_array(&listing.json, NULL);
    else if (isatty(STDOUT_FILENO))
        print_heading();
    for (size_t i = 0; i < backends->count; i++)
        list_backend(&listing, i);
    list_others(&listing);
    if (ctl->is_json)
        json_end(&listing.json);
    sr_name_map_free(&listing.taken);
    sr_name_map_free(&listing.here.uid);
    sr_string_list_free(&listing.here.order);
    sr_members_free(listing.members);
    return listing.code;
}

/* Checked once, with one message: without it the state of no account is known.
 */
static bool
can_remember(void)
{
    struct sr_store *store = NULL;
    bool can = ctl_store(false, &store) == CTL_OK;

    ctl_store_close(&store);
    return can;
}

int
ctl_list(struct ctl *ctl, int argc, char **argv)
{
    struct selection selection = {0};
    const char *states = NULL;
    const struct ctl_option options[] = {
        {"all", &selection.has_all, NULL},
        {"state", NULL, &states},
    };

    if (!ctl_parse(ctl, argc, argv, options, 2, 0, 0))
        return ctl->exit;
    if (states == NULL)
        memset(selection.is_wanted, true, sizeof(selection.is_wanted));
    else if (!select_states(ctl, states, &selection))
        return CTL_USAGE;
    return ctl_load(ctl) && can_remember() ? list_all(ctl, &selection)
                                           : CTL_FAILED;
}
