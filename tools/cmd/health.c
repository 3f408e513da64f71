/*
 * Health: whether everything works now, judged by the figures of this host.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/config/keys.h"
#include "tools/check/captive.h"
#include "tools/check/findings.h"
#include "tools/check/host.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/figures.h"
#include "tools/report.h"
#include "tools/words.h"

/* A certificate that ends sooner needs attention. */
#define CERTIFICATE_DAYS 14
/* The skew that a KDC takes is 300 seconds (RFC 4120); half is a warning. */
#define SKEW_MAX  300
#define SKEW_WARN 150
#define SPACE_LOW (16ull * 1024 * 1024)
/* A message that waits longer than some runs of the timer that sends it. */
#define QUEUE_LATE (30 * 60)

#define CLOCK "clock"
#define RESET "self-service reset"

/* ---- what is not well */

static void
judge_certificate(const struct figures_backend *backend, sr_time now,
                  struct findings *findings)
{
    char when[REPORT_TEXT_MAX];

    if (!SR_TIME_IS_SET(backend->certificate_ends) ||
        backend->certificate_ends - now > CERTIFICATE_DAYS * SR_DAY)
        return;
    report_local(backend->certificate_ends, when);
    findings_add(
        findings,
        backend->certificate_ends <= now ? SEVERITY_ERROR : SEVERITY_WARNING,
        backend->name, NULL, "Have the server given a new certificate.",
        backend->certificate_ends <= now
            ? N_("The certificate of a server ended at %s.")
            : N_("The certificate of a server ends at %s."),
        when);
}

static void
judge_offset(const struct figures_backend *backend, struct findings *findings)
{
    const int64_t off =
        backend->offset < 0 ? -backend->offset : backend->offset;

    if (backend->has_offset && off >= SKEW_WARN)
        findings_add(
            findings, off >= SKEW_MAX ? SEVERITY_ERROR : SEVERITY_WARNING,
            backend->name, NULL, check_clock_command(),
            backend->offset < 0
                ? N_("The clock of this host is %lld seconds ahead of the "
                     "KDC's.")
                : N_("The clock of this host is %lld seconds behind the "
                     "KDC's."),
            (long long)off);
}

static void
judge_backends(const struct figures *figures, sr_time now,
               struct findings *findings)
{
    for (size_t i = 0; i < figures->backend_count; i++) {
        const struct figures_backend *backend = &figures->backend[i];

        if (!backend->is_up)
            findings_add(findings, SEVERITY_ERROR, backend->name, NULL,
                         "Look at its servers and the network between, then "
                         "run \"selfresetctl check --backend\" with its name.",
                         "The backend does not answer, so nobody whose account "
                         "is there can log in: %s",
                         _(backend->why));
        else if (backend->silent > 0)
            findings_add(findings, SEVERITY_WARNING, backend->name, NULL,
                         "Look at the servers that do not answer, which "
                         "\"selfresetctl check --backend\" names.",
                         _n("%u of %u servers does not answer.",
                            "%u of %u servers do not answer.", backend->silent),
                         backend->silent, backend->servers);
        judge_certificate(backend, now, findings);
        judge_offset(backend, findings);
    }
}

static void
judge_state(const struct figures *figures, struct findings *findings)
{
    const unsigned damaged = figures->locked_out.damaged + figures->aside;
    const bool is_up =
        figures->store == SR_STORE_OK || figures->store == SR_STORE_NOT_FOUND;

    if (!is_up)
        findings_add(findings, SEVERITY_ERROR, SR_STATEDIR, NULL,
                     "Run \"selfresetctl check\".",
                     "The state cannot be read: %s.",
                     _(sr_store_strerror(figures->store)));
    if (is_up && damaged > 0)
        findings_add(findings, SEVERITY_WARNING, SR_STATEDIR, NULL,
                     "Run \"selfresetctl check\", which names them.",
                     _n("%u file of the state is damaged.",
                        "%u files of the state are damaged.", damaged),
                     damaged);
    if (figures->has_space && figures->is_read_only)
        findings_add(findings, SEVERITY_ERROR, SR_STATEDIR, NULL,
                     "Mount it for writing.",
                     "The file system of the state is read-only, so that no "
                     "attempt can be recorded and logins are refused.");
    else if (figures->has_space && figures->space < SPACE_LOW)
        findings_add(findings, SEVERITY_WARNING, SR_STATEDIR, NULL,
                     "Make room: on a full disk logins are refused.",
                     "Only %llu KiB are free there.",
                     (unsigned long long)figures->space / 1024);
}

static void
judge_published(const struct figures *figures, struct findings *findings)
{
    for (int view = 0; view < SR_VIEW_COUNT; view++) {
        if (figures->view[view].is_there && !figures->view[view].is_current)
            findings_add(findings, SEVERITY_ERROR,
                         sr_view_name((enum sr_view)view), NULL,
                         "Run \"selfreset-publish\" and see why its timer did "
                         "not.",
                         "What is published is too old or damaged, so the name "
                         "service does not answer from it.");
    }
}

static void
judge_reset(const struct figures *figures, sr_time now,
            struct findings *findings)
{
    if (figures->queued > 0 && SR_TIME_IS_SET(figures->queued_since) &&
        now - figures->queued_since > QUEUE_LATE)
        findings_add(findings, SEVERITY_WARNING, RESET, NULL,
                     "Run \"selfresetctl notices --send\" and see the events "
                     "SR-3101 in the log.",
                     _n("%u message waits for the mail program, for %lld "
                        "minutes.",
                        "%u messages wait for the mail program, the oldest for "
                        "%lld minutes.",
                        figures->queued),
                     figures->queued,
                     (long long)(now - figures->queued_since) / 60);
    for (int i = 0; i < SR_CHANNELS; i++) {
        if (figures->sent_most[i] > 0 &&
            figures->sent[i] >= figures->sent_most[i])
            findings_add(findings, SEVERITY_WARNING, RESET, NULL,
                         "See the events SR-1041 in the log for who asked for "
                         "them; a higher limit in [reset] holds at once.",
                         _n("%u message was sent by %s, so no more codes are "
                            "sent until 24 hours are over.",
                            "%u messages were sent by %s, so no more codes are "
                            "sent until 24 hours are over.",
                            figures->sent[i]),
                         figures->sent[i], sr_channel_names[i]);
    }
    if (figures->seal_why[0] != '\0')
        findings_add(findings, SEVERITY_ERROR, RESET, NULL,
                     "Bring the key back from a backup.  Without it the apps "
                     "have to be set up anew.",
                     "The key of the apps' secrets cannot be read: %s.",
                     _(figures->seal_why));
    if (figures->has_enrolled && figures->enrolled.unreadable > 0)
        findings_add(findings, SEVERITY_WARNING, RESET, NULL,
                     "Their owners have to set their gates up again.",
                     _n("%u enrolment cannot be read.",
                        "%u enrolments cannot be read.",
                        figures->enrolled.unreadable),
                     figures->enrolled.unreadable);
    if (figures->has_enrolled && figures->enrolled.reported > 0)
        findings_add(
            findings, SEVERITY_WARNING, RESET, NULL,
            "See the events SR-1209 in the log; \"selfresetctl gates "
            "--unlock\" ends it once the matter is settled.",
            _n("%u user reported a reset that was not the user's, and cannot "
               "use self-service reset.",
               "%u users reported a reset that was not theirs, and cannot use "
               "self-service reset.",
               figures->enrolled.reported),
            figures->enrolled.reported);
    if (figures->has_enrolled)
        check_confirmations(&figures->enrolled, findings);
}

static void
judge(const struct figures *figures, sr_time now, struct findings *findings)
{
    judge_backends(figures, now, findings);
    judge_state(figures, findings);
    judge_published(figures, findings);
    judge_reset(figures, now, findings);
    if (figures->is_clock_set == SR_NO)
        findings_add(findings, SEVERITY_WARNING, CLOCK, NULL,
                     check_clock_command(),
                     "The clock of this host is not synchronized; codes of "
                     "apps and Kerberos need the right time.");
}

/* ---- output */

static void
json_backends(struct json *json, const struct figures *figures)
{
    char when[REPORT_TEXT_MAX];

    json_array(json, "backends");
    for (size_t i = 0; i < figures->backend_count; i++) {
        const struct figures_backend *backend = &figures->backend[i];

        json_object(json, NULL);
        json_string(json, "name", backend->name);
        json_bool(json, "up", backend->is_up);
        json_string(json, "error", backend->is_up ? NULL : backend->why);
        json_number(json, "servers", backend->servers);
        json_number(json, "silent_servers", backend->silent);
        json_string(json, "certificate_ends",
                    SR_TIME_IS_SET(backend->certificate_ends)
                        ? report_utc(backend->certificate_ends, when)
                        : NULL);
        if (backend->has_offset)
            json_number(json, "clock_offset", backend->offset);
        else
            json_null(json, "clock_offset");
        json_end(json);
    }
    json_end(json);
}

static void
json_reset(struct json *json, const struct figures *figures)
{
    char when[REPORT_TEXT_MAX];

    json_object(json, "reset");
    if (figures->has_queue)
        json_number(json, "queued", figures->queued);
    else
        json_null(json, "queued");
    json_string(json, "queued_since",
                SR_TIME_IS_SET(figures->queued_since)
                    ? report_utc(figures->queued_since, when)
                    : NULL);
    json_bool(json, "enabled", figures->has_enrolled);
    json_number(json, "enrolled", figures->enrolled.accounts);
    json_number(json, "reported", figures->enrolled.reported);
    json_number(json, "overdue", figures->enrolled.overdue);
    json_number(json, "lapsed", figures->enrolled.lapsed);
    json_number(json, "older", figures->enrolled.older);
    json_string(json, "uncounted",
                figures->enrolled.uncounted[0] == '\0'
                    ? NULL
                    : figures->enrolled.uncounted);
    json_object(json, "gates");
#ifdef HAVE_RESET
    for (int gate = 0; gate < SR_GATE_COUNT; gate++)
        json_number(json, sr_gate_name((enum sr_gate_id)gate),
                    figures->enrolled.gate[gate]);
#endif
    json_end(json);
    json_object(json, "sent");
    for (int i = SR_CHANNEL_MAIL + 1; i < SR_CHANNELS; i++)
        json_number(json, sr_channel_names[i], figures->sent[i]);
    json_end(json);
    json_end(json);
}

static void
json_events(struct json *json, const struct figures *figures)
{
    json_array(json, "events");
    for (int i = 0; figures->has_events && i < SR_EVENT_COUNT; i++) {
        const struct sr_event_info *info = sr_event_info((enum sr_event_id)i);

        if (figures->event[i] == 0)
            continue;
        json_object(json, NULL);
        json_string(json, "id", info->id);
        json_string(json, "event", info->name);
        json_number(json, "count", (int64_t)figures->event[i]);
        json_end(json);
    }
    json_end(json);
}

static void
print_json(const struct figures *figures, const struct findings *findings)
{
    struct json json;

    json_begin(&json, stdout);
    json_object(&json, NULL);
    json_backends(&json, figures);
    json_bool(&json, "store_up",
              figures->store == SR_STORE_OK ||
                  figures->store == SR_STORE_NOT_FOUND);
    if (figures->is_clock_set == SR_UNKNOWN)
        json_null(&json, "clock_synchronized");
    else
        json_bool(&json, "clock_synchronized", figures->is_clock_set == SR_YES);
    json_reset(&json, figures);
    json_events(&json, figures);
    ctl_findings_json(&json, "findings", findings);
    json_end(&json);
}

/* What works, which no finding says. */
static void
print_figures(const struct ctl *ctl, const struct figures *figures)
{
    for (size_t i = 0; i < figures->backend_count; i++)
        if (figures->backend[i].is_up)
            ctl_print(ctl, "The backend %s answers.", figures->backend[i].name);
    if (figures->has_enrolled)
        ctl_print(ctl,
                  "Self-service reset: accounts that are enrolled: %u, with "
                  "addresses to be confirmed again: %u, messages that wait: "
                  "%u.",
                  figures->enrolled.accounts, figures->enrolled.overdue,
                  figures->queued);
}

int
ctl_health(struct ctl *ctl, int argc, char **argv)
{
    __attribute__((cleanup(findings_free))) struct findings findings = {0};
    struct figures figures;
    int code = CTL_FAILED;

    if (!ctl_parse(ctl, argc, argv, NULL, 0, 0, 0))
        return ctl->exit;
    if (!ctl_load(ctl))
        return ctl->exit;
    if (figures_read(ctl, &figures)) {
        judge(&figures, ctl->now, &findings);
        code = ctl_findings_code(&findings);
        if (ctl->is_json) {
            print_json(&figures, &findings);
        } else {
            print_figures(ctl, &figures);
            ctl_findings(&findings, false);
        }
    } else {
        ctl_error("Out of memory.");
    }
    figures_free(&figures);
    return code;
}
