/*
 * Queue: messages of self-service reset that are to be sent, kept on disk until
 * the program of their channel has taken them.
 *
 *   STATEDIR/reset/queue/TIME-RANDOM   0600, root's: five lines (format, end of
 *                                      life, kind, reference, user), an empty
 *                                      one, and the message
 *
 * The kind is "code" or "notice" of mail, and "sms code" or the like of another
 * channel.  The program (reset.mail_program, reset.sms_program and so on) reads
 * the message, with its headers, from standard input, as sendmail -t does.  It
 * runs as the channel's user with an empty environment; what it writes is lost,
 * and it is killed after 15 seconds, with what it has started.  Its exit codes
 * are those of sysexits(3): 0 taken; 65 or 67 no such address; 78 not set up:
 * both are given up at once; any other is tried again.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_RESET_QUEUE_H
#define SR_POLICY_RESET_QUEUE_H

#include "policy/config/settings.h"
#include "policy/util/time.h"

/* Bytes of one file. */
#define SR_QUEUE_MAX 8192

/* A message as its file has it. */
struct sr_queued {
    sr_time until; /* wall clock; then it is given up */
    enum sr_channel_id channel;
    bool is_code;        /* a code: nobody is told that it was given up */
    char ref[12];        /* of the flow */
    char user[257];      /* whose; SR_NAME_MAX and its end */
    const char *message; /* headers, an empty line and the text */
};

/* Queue a message.  Returns 0 or a negative errno. */
int sr_queue_put(const struct sr_queued *queued);

/* Read the bytes of a file, with an end behind them; they are changed, and
 * ->message points into them.  False: it is none.  Pure. */
bool sr_queue_parse(char *bytes, struct sr_queued *queued);

/* What came of sending. */
struct sr_queue_result {
    unsigned sent;
    unsigned left;     /* to be tried again */
    unsigned given_up; /* as an event says */
    int status;        /* of the last program that failed; 0: none */
};

/* Send what is queued, one after the other; once the program of a channel
 * hangs, what is left of that channel is left for later.  A message that
 * another process sends is left to it.  Returns 0, or a negative errno when the
 * queue cannot be read. */
int sr_queue_send(const struct sr_config *config,
                  struct sr_queue_result *result);

/* Have the program of a channel take one message, which is not queued.  Returns
 * its exit status, see sr_program_run(); 78 also where the configuration does
 * not say what is run, or as which user. */
int sr_queue_run(const struct sr_config *config, enum sr_channel_id id,
                 const char *message);

/* How many messages wait, and since when the oldest one, by the wall clock;
 * SR_TIME_UNKNOWN: there is none.  Returns 0 or a negative errno. */
int sr_queue_count(unsigned *count, sr_time *since);

/* Whether it can be an address: one "@" with something on both sides, and no
 * character that a header, a list of addresses or a route gives a meaning; in
 * one spelling, so that a domain can be refused. */
bool sr_queue_is_address(const char *text);

#endif
