/*
 * Figures: what monitoring wants to know of this host, read in one place.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "policy/backend/registry.h"
#include "policy/backend/survey.h"
#include "policy/publish/reader.h"
#ifdef HAVE_RESET
#include "policy/config/account_rules.h"
#include "policy/config/keys.h"
#include "policy/reset/budget.h"
#include "policy/reset/queue.h"
#include "policy/reset/seal.h"
#endif
#include "policy/util/io.h"
#include "tools/ctl.h"
#include "tools/event_log.h"
#include "tools/figures.h"
#include "tools/spawn.h"

/* ---- backends */

static void
set_why(struct figures_backend *out, const char *text)
{
    snprintf(out->why, sizeof(out->why), "%s", text);
}

static void
take_survey(const struct sr_survey *survey, struct figures_backend *out)
{
    for (size_t i = 0; i < survey->uri_count; i++) {
        const struct sr_survey_uri *uri = &survey->uri[i];

        out->servers++;
        out->silent += !uri->is_answered;
        if (uri->certificate_ends > 0 &&
            (out->certificate_ends == SR_TIME_UNKNOWN ||
             uri->certificate_ends < out->certificate_ends))
            out->certificate_ends = uri->certificate_ends;
    }
    out->has_offset = survey->krb5.has_offset;
    out->offset = survey->krb5.offset;
}

static void
read_backend(const struct ctl *ctl, struct figures_backend *out)
{
    struct sr_survey survey = {.is_brief = true, .tries_servers = true};
    struct sr_connections *connections;
    struct sr_backend backend;
    struct sr_error error = {0};
    struct sr_call call;

    out->certificate_ends = SR_TIME_UNKNOWN;
    if (sr_backend_find(ctl->config, out->name, &backend, &error) != 0) {
        set_why(out, error.text);
        return;
    }
    if (backend.ops->survey == NULL) {
        out->is_up = true;
        return;
    }
    connections = sr_connections_new();
    call = sr_call_make(&backend, connections);
    out->is_asked = true;
    out->is_up = sr_backend_survey(&call, &survey) == SR_STATUS_OK;
    take_survey(&survey, out);
    if (!out->is_up)
        set_why(out, survey.why[0] != '\0'      ? survey.why
                     : survey.ad.why[0] != '\0' ? survey.ad.why
                                                : sr_error_text(&call.error));
    sr_connections_free(connections);
}

static bool
read_backends(const struct ctl *ctl, struct figures *figures)
{
    const struct sr_string_list *names = &ctl->config->backends;

    figures->backend = calloc(names->count + 1, sizeof(*figures->backend));
    if (figures->backend == NULL)
        return false;
    for (size_t i = 0; i < names->count; i++) {
        figures->backend[i].name = names->item[i];
        read_backend(ctl, &figures->backend[i]);
    }
    figures->backend_count = names->count;
    return true;
}

/* ---- what is published */

struct counting {
    const struct ctl *ctl;
    struct figures *figures;
};

static int
count_account(void *context, const char *name)
{
    const struct counting *counting = context;
    const sr_time now = counting->ctl->now;
    struct sr_published published;
    struct sr_facts facts;
    struct sr_rules rules;
    bool is_exempt;

    if (sr_snapshot_is_alias(name) ||
        sr_reader_find(SR_PUBLISHED_DIR, SR_VIEW_GROUPS, name, now,
                       &published) != SR_FOUND_IT ||
        !sr_payload_decode(published.payload.bytes, published.payload.size,
                           &facts, &rules, &is_exempt))
        return 0;
    counting->figures
        ->state[sr_verdict(&facts, &rules, &ctl_at_login, now).state]++;
    return 0;
}

static void
read_view(const struct ctl *ctl, enum sr_view view, struct figures *figures)
{
    struct figures_view *out = &figures->view[view];
    struct counting counting = {ctl, figures};
    struct sr_header header;
    int fd;

    if (sr_reader_open(SR_PUBLISHED_DIR, view, &fd, &header) != SR_FOUND_IT)
        return;
    out->is_there = true;
    out->is_current = sr_reader_is_current(fd, &header, ctl->now);
    out->accounts = header.count;
    out->created = header.created;
    out->not_after = header.not_after;
    if (view == SR_VIEW_GROUPS && out->is_current) {
        sr_reader_each(fd, &header, count_account, &counting);
        figures->has_states = true;
    }
    close(fd);
}

/* ---- the events */

#define COUNTS_FILE   "event-counts"
#define COUNTS_FORMAT "selfreset-event-counts 1"
#define COUNTS_MAX    ((size_t)65536)

struct counts {
    struct event_place place;
    uint64_t event[SR_EVENT_COUNT];
};

static void
count_event(void *context, const struct event_record *record)
{
    struct counts *counts = context;

    counts->event[record->id]++;
}

/* Take the lines of the file, each a word and its values. */
static bool
parse_counts(char *text, struct counts *counts)
{
    char *line = strsep(&text, "\n");

    if (strcmp(line, COUNTS_FORMAT) != 0)
        return false;
    while ((line = strsep(&text, "\n")) != NULL) {
        char *value = strchr(line, ' ');

        if (value == NULL)
            continue;
        *value++ = '\0';
        if (strcmp(line, "cursor") == 0)
            snprintf(counts->place.cursor, sizeof(counts->place.cursor), "%s",
                     value);
        if (strcmp(line, "file") == 0)
            sscanf(value, "%" SCNu64 " %" SCNu64, &counts->place.inode,
                   &counts->place.offset);
        for (int i = 0; i < SR_EVENT_COUNT; i++) {
            if (strcmp(line, sr_event_info((enum sr_event_id)i)->id) == 0)
                counts->event[i] = strtoull(value, NULL, 10);
        }
    }
    return true;
}

static void
load_counts(struct sr_store *store, struct counts *counts)
{
    char *text = calloc(1, COUNTS_MAX + 1);
    struct stat status;
    int fd = -1;

    if (text != NULL && sr_store_file(store, SR_STORE_SAVED, COUNTS_FILE,
                                      O_RDONLY, &fd, &status) == SR_STORE_OK) {
        if (sr_read_all(fd, text, COUNTS_MAX) < 0 ||
            !parse_counts(text, counts))
            memset(counts, 0, sizeof(*counts));
        close(fd);
    }
    free(text);
}

static void
save_counts(struct sr_store *store, const struct counts *counts)
{
    enum sr_store_result result = SR_STORE_FAILED;
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    if (stream == NULL)
        return;
    fprintf(stream, "%s\n", COUNTS_FORMAT);
    if (counts->place.cursor[0] != '\0')
        fprintf(stream, "cursor %s\n", counts->place.cursor);
    fprintf(stream, "file %" PRIu64 " %" PRIu64 "\n", counts->place.inode,
            counts->place.offset);
    for (int i = 0; i < SR_EVENT_COUNT; i++) {
        if (counts->event[i] > 0)
            fprintf(stream, "%s %" PRIu64 "\n",
                    sr_event_info((enum sr_event_id)i)->id, counts->event[i]);
    }
    if (fclose(stream) == 0)
        result = sr_store_put(store, SR_STORE_SAVED, COUNTS_FILE, text, size,
                              false, true, NULL);
    if (result != SR_STORE_OK)
        ctl_store_error(store, result);
    free(text);
}

/* From when on events are counted the first time: a journal can be too large to
 * be read whole in the time that the unit has. */
static sr_time
first_time(const struct ctl *ctl)
{
    return event_log_is_journal() ? ctl->now - SR_DAY : SR_TIME_UNKNOWN;
}

/*
 * Count what was logged since the last time.  Counts and place are in one file,
 * so that two runs at once, or one that is killed, count nothing twice.
 */
static void
read_events(const struct ctl *ctl, struct figures *figures)
{
    __attribute__((cleanup(ctl_store_close))) struct sr_store *store = NULL;
    struct counts counts = {0};
    struct event_query query = {.since = SR_TIME_UNKNOWN,
                                .now = ctl->now,
                                .place = &counts.place,
                                .take = count_event,
                                .context = &counts};
    bool is_again;

    if (ctl_store(true, &store) != CTL_OK)
        return;
    load_counts(store, &counts);
    is_again = counts.place.cursor[0] != '\0';
    if (!is_again)
        query.since = first_time(ctl);
    figures->has_events = event_log_read(&query) == 0;
    if (!figures->has_events && is_again) {
        /* The place may be of another journal. */
        memset(&counts, 0, sizeof(counts));
        query.since = first_time(ctl);
        figures->has_events = event_log_read(&query) == 0;
    }
    if (!figures->has_events)
        return;
    save_counts(store, &counts);
    memcpy(figures->event, counts.event, sizeof(figures->event));
}

/* ---- this host */

static void
count_file(void *context, const char *path)
{
    unsigned *count = context;

    (void)path;
    ++*count;
}

static void
read_store(const struct ctl *ctl, struct figures *figures)
{
    struct sr_store *store = NULL;
    struct statvfs space;

    figures->store = sr_store_open(NULL, NULL, SR_STORE_READ, &store);
    if (figures->store == SR_STORE_OK)
        figures->store = sr_attempt_locked_out(store, &ctl->config->rules,
                                               &figures->locked_out);
    if (figures->store == SR_STORE_OK)
        figures->store =
            sr_store_each(store, "damaged", count_file, &figures->aside);
    sr_store_close(store);
    figures->has_space = statvfs(SR_STATEDIR, &space) == 0;
    if (figures->has_space) {
        figures->is_read_only = (space.f_flag & ST_RDONLY) != 0;
        figures->space = (uint64_t)space.f_bavail * space.f_frsize;
    }
}

#ifdef HAVE_RESET
/* Whether systemd passes the key to the dialogues, where this process has none.
 */
static bool
is_passed_by_systemd(void)
{
    static const char *const properties[] = {
        "--property=LoadCredential", "--property=LoadCredentialEncrypted",
        "--property=SetCredentialEncrypted"};
    bool has = false;

    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        const char *const argv[] = {"systemctl", "show", properties[i],
                                    "selfreset-reset@0.service", NULL};
        char line[1024];

        has = has || (ctl_ask(argv, line, sizeof(line)) &&
                      strstr(line, "selfreset-seal") != NULL);
    }
    return has;
}

/* Enrolments, and the key of their secrets, without making one. */
static void
read_enrolled(const struct ctl *ctl, struct figures *figures)
{
    struct sr_store *store = NULL;
    struct sr_error error = {.text = ""};
    uint8_t key[SR_SEAL_KEY];
    enum sr_store_result result = sr_enrolment_store(SR_STORE_READ, &store);

    if (result == SR_STORE_OK || result == SR_STORE_NOT_FOUND)
        result = sr_enrolment_count(store, ctl->config, &figures->enrolled);
    figures->has_enrolled =
        result == SR_STORE_OK || result == SR_STORE_NOT_FOUND;
    if (figures->enrolled.gate[SR_GATE_APP] > 0 &&
        sr_seal_key(store, ctl->config->reset.seal_file, false, key, &error) !=
            0 &&
        !is_passed_by_systemd())
        snprintf(figures->seal_why, sizeof(figures->seal_why), "%s",
                 sr_error_text(&error));
    for (int i = 0; i < SR_CHANNELS && result == SR_STORE_OK; i++) {
        const enum sr_channel_id channel = (enum sr_channel_id)i;

        if (sr_config_offers(ctl->config, sr_channel_names[i]))
            figures->sent_most[i] = ctl->config->reset.channel[i].daily;
        sr_budget_used(store, channel, &figures->sent[i]);
    }
    explicit_bzero(key, sizeof(key));
    sr_store_close(store);
}
#endif

static enum sr_tri
is_clock_set(void)
{
    struct timex clock = {.modes = 0};
    const int state = adjtimex(&clock);

    if (state < 0)
        return SR_UNKNOWN;
    return state == TIME_ERROR || (clock.status & STA_UNSYNC) != 0 ? SR_NO
                                                                   : SR_YES;
}

bool
figures_read(const struct ctl *ctl, struct figures *figures)
{
    memset(figures, 0, sizeof(*figures));
    if (!read_backends(ctl, figures))
        return false;
    for (int view = 0; view < SR_VIEW_COUNT; view++)
        read_view(ctl, (enum sr_view)view, figures);
    read_events(ctl, figures);
    read_store(ctl, figures);
#ifdef HAVE_RESET
    figures->has_queue =
        sr_queue_count(&figures->queued, &figures->queued_since) == 0;
    if (sr_config_resets(ctl->config))
        read_enrolled(ctl, figures);
#endif
    figures->is_clock_set = is_clock_set();
    return true;
}

void
figures_free(struct figures *figures)
{
    free(figures->backend);
    memset(figures, 0, sizeof(*figures));
}
