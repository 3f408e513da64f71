/*
 * Rotate: give the identity by which this host asks a backend a new secret.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "policy/backend/registry.h"
#include "policy/util/file_lock.h"
#include "policy/util/safe_open.h"
#include "tools/cmd/commands.h"
#include "tools/ctl.h"
#include "tools/each.h"
#include "tools/words.h"

#define LOCK SR_RUNDIR "/rotate.lock"

/* One process rotates at a time: its descriptor, or -1 after saying why. */
static int
lock_rotation(void)
{
    int error = sr_safe_make_dir(SR_RUNDIR, SR_SAFE_OF_ALL);
    int fd = error == 0 ? sr_safe_open(LOCK, O_RDWR | O_CREAT, NULL) : error;

    error = fd < 0 ? fd : sr_file_lock_take(fd, true, 0);
    if (error == 0)
        return fd;
    if (error == -EAGAIN)
        ctl_error("Another process is rotating a secret.  Nothing was done.");
    else
        ctl_error("%s: %s.  Nothing was done.", LOCK, strerror(-error));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Find the backend; CTL_OK, or an exit code after saying why. */
static int
find_backend(const struct ctl *ctl, const char *name,
             struct sr_backend *backend)
{
    struct sr_error error;

    if (sr_backend_find(ctl->config, name, backend, &error) != 0) {
        ctl_error("%s: %s.", name, _(error.text));
        return CTL_FAILED;
    }
    if (backend->config != NULL && backend->ops->rotate != NULL &&
        backend->config->bind_secret == SR_BIND_SECRET_MANAGED)
        return CTL_OK;
    ctl_error("[backend %s] does not have \"bind_secret = managed\", so its "
              "secret is not this host's to change.  Nothing was done.",
              name);
    return CTL_REFUSED;
}

/* What makes the identity good again, in one command. */
static void
say_foreign(const struct sr_backend_config *config, const char *reason)
{
    if (config->identity == SR_IDENTITY_SIMPLE)
        ctl_error("Another program has changed the password of %s (SR-5004): "
                  "%s.  Nothing was done.  Have an administrator of the "
                  "domain set one, and write it: install -m 600 /dev/stdin %s",
                  config->bind_dn, _(reason), config->secret_file);
    else
        ctl_error("Another program has changed the keys of this host "
                  "(SR-5004): %s.  Nothing was done.  Run \"selfresetctl check "
                  "--backend %s\", which names the command that joins the "
                  "domain again.",
                  _(reason), config->name);
}

/* Say what came of it, for people and for the log. */
static int
conclude(const struct ctl *ctl, const struct sr_call *call,
         enum sr_write written)
{
    const struct sr_backend_config *config = call->backend->config;
    const char *reason = sr_error_text(&call->error);
    const bool is_foreign =
        written != SR_WRITE_DONE && strstr(reason, "SR-5004") != NULL;
    const struct sr_event event = {
        .id = is_foreign ? SR_EVENT_FOREIGN_SECRET : SR_EVENT_SECRET_ROTATED,
        .service = "selfresetctl",
        .channel = "tool",
        .backend = config->name,
        .result = written == SR_WRITE_DONE ? "ok" : "failed",
        .cause = written == SR_WRITE_DONE ? NULL : reason,
        .uid = (uid_t)-1,
        .actor = "root",
        .pam_code = -1,
    };

    sr_event_send(&event);
    switch (written) {
    case SR_WRITE_DONE:
        ctl_print(ctl, "The secret of [backend %s] has been changed.",
                  config->name);
        return CTL_OK;
    case SR_WRITE_UNSURE:
        ctl_error("The domain did not answer (%s), so the secret of [backend "
                  "%s] may or may not have been changed.  Logins take the one "
                  "that it has.  Run this command again later.",
                  _(reason), config->name);
        return CTL_PARTLY;
    default:
        break;
    }
    if (is_foreign)
        say_foreign(config, reason);
    else
        ctl_error("The secret of [backend %s] was not changed: %s.",
                  config->name, _(reason));
    return written == SR_WRITE_REFUSED ? CTL_REFUSED : CTL_FAILED;
}

/* With --dry-run: say whether it would be done. */
static int
conclude_trial(struct ctl *ctl, const struct sr_call *call,
               enum sr_write written)
{
    const struct sr_backend_config *config = call->backend->config;

    if (written == SR_WRITE_DONE) {
        ctl->is_changed = true;
        ctl_print(ctl, "The secret of [backend %s] would be changed.",
                  config->name);
        return CTL_OK;
    }
    if (strstr(sr_error_text(&call->error), "SR-5004") != NULL)
        say_foreign(config, sr_error_text(&call->error));
    else
        ctl_error("The secret of [backend %s] would not be changed: %s.",
                  config->name, _(sr_error_text(&call->error)));
    return written == SR_WRITE_REFUSED ? CTL_REFUSED : CTL_FAILED;
}

static int
rotate(struct ctl *ctl, struct report *report, const char *name)
{
    struct sr_connections *connections;
    struct sr_backend backend;
    enum sr_write written;
    struct sr_call call;
    int fd, code = find_backend(ctl, name, &backend);

    (void)report;
    if (code != CTL_OK)
        return code;
    fd = lock_rotation();
    if (fd < 0)
        return CTL_FAILED;
    connections = sr_connections_new();
    call = sr_call_make(&backend, connections);
    written = sr_backend_rotate(&call, ctl->is_dry_run);
    if (ctl->is_dry_run) {
        code = conclude_trial(ctl, &call, written);
    } else {
        code = conclude(ctl, &call, written);
        ctl->is_changed = code == CTL_OK || code == CTL_PARTLY;
    }
    sr_connections_free(connections);
    close(fd);
    return code;
}

int
ctl_rotate(struct ctl *ctl, int argc, char **argv)
{
    if (!ctl_parse(ctl, argc, argv, NULL, 0, 1, CTL_MANY) || !ctl_load(ctl))
        return ctl->exit;
    return ctl_each(ctl, "backend", rotate);
}
