/*
 * Metrics: the figures of this host for Prometheus, in its text format 0.0.4,
 * which the textfile collector of node_exporter reads.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/config/keys.h"
#include "policy/util/io.h"
#include "policy/util/text.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/figures.h"
#include "tools/json.h"
#include "tools/words.h"

/* The monitoring program, which is not root, reads the file. */
#define FILE_MODE 0644

/* Where metrics go: lines, or an array of JSON. */
struct sink {
    FILE *stream;
    bool is_json;
    struct json json;
    const char *name; /* of the metric whose samples follow */
};

/* Begin a metric; `type` is "gauge" or "counter". */
static void
begin(struct sink *sink, const char *name, const char *type, const char *help)
{
    sink->name = name;
    if (!sink->is_json)
        fprintf(sink->stream, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                type);
}

/* A value in quotes, as the format wants it. */
static void
put_label(FILE *stream, const char *name, const char *value)
{
    fprintf(stream, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', stream);
        fputc(*value, stream);
    }
    fputc('"', stream);
}

/* One sample, with up to two labels; a NULL name: there is none. */
static void
sample(struct sink *sink, const char *name, const char *value,
       const char *name2, const char *value2, int64_t number)
{
    if (sink->is_json) {
        json_object(&sink->json, NULL);
        json_string(&sink->json, "metric", sink->name);
        json_object(&sink->json, "labels");
        if (name != NULL)
            json_string(&sink->json, name, value);
        if (name2 != NULL)
            json_string(&sink->json, name2, value2);
        json_end(&sink->json);
        json_number(&sink->json, "value", number);
        json_end(&sink->json);
        return;
    }
    fputs(sink->name, sink->stream);
    if (name != NULL) {
        fputc('{', sink->stream);
        put_label(sink->stream, name, value);
        if (name2 != NULL) {
            fputc(',', sink->stream);
            put_label(sink->stream, name2, value2);
        }
        fputc('}', sink->stream);
    }
    fprintf(sink->stream, " %" PRId64 "\n", number);
}

/* A metric of one sample without labels. */
static void
gauge(struct sink *sink, const char *name, const char *help, int64_t number)
{
    begin(sink, name, "gauge", help);
    sample(sink, NULL, NULL, NULL, NULL, number);
}

static void
put_backends(struct sink *sink, const struct figures *figures)
{
    const struct figures_backend *backend = figures->backend;
    const size_t count = figures->backend_count;

    begin(sink, "selfreset_backend_up", "gauge",
          "Whether the backend can be used and answers.");
    for (size_t i = 0; i < count; i++)
        sample(sink, "backend", backend[i].name, NULL, NULL, backend[i].is_up);
    begin(sink, "selfreset_backend_servers", "gauge",
          "Servers of the backend, by whether they answer.");
    for (size_t i = 0; i < count; i++) {
        if (!backend[i].is_asked)
            continue;
        sample(sink, "backend", backend[i].name, "answers", "yes",
               (int64_t)(backend[i].servers - backend[i].silent));
        sample(sink, "backend", backend[i].name, "answers", "no",
               (int64_t)backend[i].silent);
    }
    begin(sink, "selfreset_backend_certificate_end_timestamp_seconds", "gauge",
          "When the first certificate of the backend's servers ends.");
    for (size_t i = 0; i < count; i++) {
        if (SR_TIME_IS_SET(backend[i].certificate_ends))
            sample(sink, "backend", backend[i].name, NULL, NULL,
                   backend[i].certificate_ends);
    }
    begin(sink, "selfreset_backend_clock_offset_seconds", "gauge",
          "The clock of a KDC of the backend minus that of this host.");
    for (size_t i = 0; i < count; i++) {
        if (backend[i].has_offset)
            sample(sink, "backend", backend[i].name, NULL, NULL,
                   backend[i].offset);
    }
}

static void
put_published(struct sink *sink, const struct figures *figures)
{
    begin(sink, "selfreset_snapshot_current", "gauge",
          "Whether the name service answers from the published view.");
    for (int view = 0; view < SR_VIEW_COUNT; view++) {
        if (figures->view[view].is_there)
            sample(sink, "view", sr_view_name((enum sr_view)view), NULL, NULL,
                   figures->view[view].is_current);
    }
    begin(sink, "selfreset_snapshot_timestamp_seconds", "gauge",
          "When the published view was read from the backends.");
    for (int view = 0; view < SR_VIEW_COUNT; view++) {
        if (figures->view[view].is_there)
            sample(sink, "view", sr_view_name((enum sr_view)view), NULL, NULL,
                   figures->view[view].created);
    }
    begin(sink, "selfreset_snapshot_end_timestamp_seconds", "gauge",
          "When the published view becomes too old.");
    for (int view = 0; view < SR_VIEW_COUNT; view++) {
        if (figures->view[view].is_there)
            sample(sink, "view", sr_view_name((enum sr_view)view), NULL, NULL,
                   figures->view[view].not_after);
    }
    begin(sink, "selfreset_accounts", "gauge",
          "Published accounts, by their state at a login.");
    for (int state = 0; figures->has_states && state < SR_STATE_COUNT; state++)
        sample(sink, "state", sr_state_name((enum sr_state)state), NULL, NULL,
               (int64_t)figures->state[state]);
}

static void
put_locked_out(struct sink *sink, const struct sr_locked_out *out)
{
    const struct {
        const char *of;
        unsigned count;
    } kind[] = {
        {"strangers", out->strangers},
        {"familiar", out->familiar},
        {"own", out->own},
        {"names", out->names},
        {"sources", out->sources},
    };

    begin(sink, "selfreset_locked_out", "gauge",
          "Ledgers of this host that are locked out: of accounts, by class of "
          "source; of names that do not exist; of sources.");
    for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++)
        sample(sink, "of", kind[i].of, NULL, NULL, (int64_t)kind[i].count);
}

/* What costs money. */
static void
put_sent(struct sink *sink, const struct figures *figures)
{
    begin(sink, "selfreset_sent_messages", "gauge",
          "Messages of self-service reset in the current period of 24 hours.");
    for (int i = SR_CHANNEL_MAIL + 1; i < SR_CHANNELS; i++)
        sample(sink, "channel", sr_channel_names[i], NULL, NULL,
               figures->sent[i]);
    begin(sink, "selfreset_sent_messages_limit", "gauge",
          "The most codes that are sent in 24 hours; 0: no limit, or not in "
          "use.");
    for (int i = SR_CHANNEL_MAIL + 1; i < SR_CHANNELS; i++)
        sample(sink, "channel", sr_channel_names[i], NULL, NULL,
               figures->sent_most[i]);
}

static void
put_host(struct sink *sink, const struct figures *figures)
{
    const bool is_up =
        figures->store == SR_STORE_OK || figures->store == SR_STORE_NOT_FOUND;

    gauge(sink, "selfreset_store_up", "Whether the state can be read.", is_up);
    if (is_up) {
        put_locked_out(sink, &figures->locked_out);
        gauge(sink, "selfreset_store_damaged_files",
              "Files of the state that are damaged, or were and are set aside.",
              (int64_t)figures->locked_out.damaged + figures->aside);
    }
    if (figures->has_space) {
        gauge(sink, "selfreset_store_read_only",
              "Whether the file system of the state is read-only.",
              figures->is_read_only);
        gauge(sink, "selfreset_store_free_bytes",
              "Free space of the file system of the state.",
              figures->space > INT64_MAX ? INT64_MAX : (int64_t)figures->space);
    }
    if (figures->has_queue)
        gauge(sink, "selfreset_queued_messages",
              "Messages of self-service reset that wait for the mail program.",
              figures->queued);
    if (figures->has_enrolled) {
        gauge(sink, "selfreset_enrolled_accounts",
              "Accounts that have something set up for self-service reset.",
              figures->enrolled.accounts);
        gauge(sink, "selfreset_overdue_accounts",
              "Of them, those with an address to be confirmed again.",
              figures->enrolled.overdue);
        gauge(sink, "selfreset_enrolled_complete",
              "Whether these count the enrolments of all directories, too.",
              figures->enrolled.uncounted[0] == '\0');
        put_sent(sink, figures);
    }
    if (figures->is_clock_set != SR_UNKNOWN)
        gauge(sink, "selfreset_clock_synchronized",
              "Whether the clock of this host is synchronized.",
              figures->is_clock_set == SR_YES);
}

static void
put_events(struct sink *sink, const struct figures *figures)
{
    if (!figures->has_events)
        return;
    begin(sink, "selfreset_events_total", "counter",
          "Events in the log of this host, by selfreset-events(7).");
    for (int i = 0; i < SR_EVENT_COUNT; i++) {
        const struct sr_event_info *info = sr_event_info((enum sr_event_id)i);

        sample(sink, "id", info->id, "name", info->name,
               (int64_t)figures->event[i]);
    }
}

static void
put_all(struct sink *sink, const struct figures *figures)
{
    if (sink->is_json) {
        json_begin(&sink->json, sink->stream);
        json_array(&sink->json, NULL);
    }
    begin(sink, "selfreset_build_info", "gauge", "The version, as a label.");
    sample(sink, "version", PACKAGE_VERSION, NULL, NULL, 1);
    put_backends(sink, figures);
    put_published(sink, figures);
    put_host(sink, figures);
    put_events(sink, figures);
    if (sink->is_json)
        json_end(&sink->json);
}

/* Replace a file in one step, so that no reader finds a part of it.  Its folder
 * may belong to another user.  Returns 0 or a negative errno. */
static int
replace(const char *path, const char *text, size_t size)
{
    char *aside = sr_format("%s.XXXXXX", path);
    int fd = aside == NULL ? -1 : mkostemp(aside, O_CLOEXEC);
    int error = fd < 0 ? -errno : sr_write_all(fd, text, size);

    if (fd >= 0) {
        if (error == 0 && fchmod(fd, FILE_MODE) != 0)
            error = -errno;
        close(fd);
        if (error == 0 && rename(aside, path) != 0)
            error = -errno;
        if (error != 0)
            unlink(aside);
    }
    free(aside);
    return error;
}

/* Write all to memory, and then to the file or standard output. */
static int
put(const struct ctl *ctl, const struct figures *figures, const char *file)
{
    char *text = NULL;
    size_t size = 0;
    struct sink sink = {.is_json = ctl->is_json,
                        .stream = open_memstream(&text, &size)};
    int error = sink.stream == NULL ? -ENOMEM : 0;

    if (error == 0) {
        put_all(&sink, figures);
        error = fclose(sink.stream) == 0 ? 0 : -ENOMEM;
    }
    if (error == 0 && file == NULL)
        fwrite(text, 1, size, stdout); /* main() reports errors */
    else if (error == 0)
        error = replace(file, text, size);
    free(text);
    if (error != 0)
        ctl_error("%s: %s.", file == NULL ? "standard output" : file,
                  strerror(-error));
    return error == 0 ? CTL_OK : CTL_FAILED;
}

int
ctl_metrics(struct ctl *ctl, int argc, char **argv)
{
    const char *file = NULL;
    const struct ctl_option options[] = {{"file", NULL, &file}};
    struct figures figures;
    int code = CTL_FAILED;

    ctl_english();
    if (!ctl_parse(ctl, argc, argv, options, 1, 0, 0))
        return ctl->exit;
    if (!ctl_load(ctl))
        return ctl->exit;
    if (figures_read(ctl, &figures))
        code = put(ctl, &figures, file);
    else
        ctl_error("Out of memory.");
    figures_free(&figures);
    return code;
}
