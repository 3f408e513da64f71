/*
 * Mail trial: whether the mail program of self-service reset works.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy/config/config.h"
#include "policy/reset/mail_trial.h"
#include "policy/reset/queue.h"
#include "policy/util/error.h"
#include "policy/util/text.h"
#include "policy/util/words.h"

/* Exit codes by which a program says that it cannot work here, and not that the
 * message is bad: sysexits(3) from EX_UNAVAILABLE on, but for EX_PROTOCOL; and
 * those of sr_program_run() for what was not run or was killed.  One that ends
 * well without reading has not been asked for anything. */
static bool
is_fault(int status)
{
    return (status < 0 && status != -EPIPE) || status >= 126 ||
           (status >= 69 && status <= 78 && status != 76);
}

static char *
make_message(const struct sr_config *config, const char *address)
{
    char host[65] = "";

    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    return sr_format("From: Self-service reset <%s>\n"
                     "%s%s%s"
                     "Subject: Test of self-service reset\n"
                     "Auto-Submitted: auto-generated\n"
                     "\n"
                     "This message was sent by \"selfresetctl notices --try\" "
                     "on %s.\nThere is nothing to do.\n",
                     config->reset.mail_from, address == NULL ? "" : "To: <",
                     address == NULL ? "" : address,
                     address == NULL ? "" : ">\n", host);
}

/* What it means, in the words of who set it up. */
static void
explain(int status, char why[SR_MAIL_TRIAL_TEXT])
{
    if (status < 0)
        snprintf(why, SR_MAIL_TRIAL_TEXT, "%s", sr_strerror(-status));
    else if (status == 126 || status == 127)
        snprintf(why, SR_MAIL_TRIAL_TEXT,
                 N_LOG("its user cannot execute it (exit %d)"), status);
    else if (status > 128)
        snprintf(why, SR_MAIL_TRIAL_TEXT, N_LOG("it was ended by signal %d"),
                 status - 128);
    else
        snprintf(why, SR_MAIL_TRIAL_TEXT, N_LOG("exit %d"), status);
}

bool
sr_mail_trial(const char *config, const char *address,
              char why[SR_MAIL_TRIAL_TEXT])
{
    struct sr_config_errors errors = {0};
    struct sr_config *loaded = sr_config_load(config, &errors);
    char *message = NULL;
    bool is_good = false;
    int status;

    if (loaded == NULL) {
        snprintf(why, SR_MAIL_TRIAL_TEXT,
                 N_LOG("the configuration has errors"));
    } else if (address != NULL && !sr_queue_is_address(address)) {
        snprintf(why, SR_MAIL_TRIAL_TEXT, N_LOG("that is not a mail address"));
    } else if ((message = make_message(loaded, address)) == NULL) {
        snprintf(why, SR_MAIL_TRIAL_TEXT, N_LOG("out of memory"));
    } else {
        status = sr_queue_run(loaded, SR_CHANNEL_MAIL, message);
        is_good = address == NULL ? !is_fault(status) : status == 0;
        explain(status, why);
    }
    free(message);
    sr_config_errors_free(&errors);
    sr_config_free(loaded);
    return is_good;
}
