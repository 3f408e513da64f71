/*
 * Message: the sentences that users read, made from a verdict, a refusal or a
 * list of rules.  All of them are in message.c, so that they can be read,
 * translated and reviewed together.
 *
 * Texts say what happened, what to do now, and who can help.  Lines have at
 * most 72 columns and are meaningful without colour.  Translation is by
 * dgettext(3) with the domain "selfreset"; the locale of the process is not
 * changed.
 *
 * Every function returns a new string (free it), or NULL when out of memory or,
 * where so documented, when there is no text.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_REPORT_MESSAGE_H
#define SR_POLICY_REPORT_MESSAGE_H

#include "policy/backend/backend.h"
#include "policy/password/quality.h"
#include "policy/decide/throttle.h"
#include "policy/decide/verdict.h"

/* What every message may need. */
struct sr_message_context {
    const char
        *contact;  /* from the configuration; NULL: "your administrator" */
    sr_time now;   /* wall clock */
    bool is_admin; /* the reader is root, not the account's owner */
    /* What a change by the owner in the session of this login would be
     * answered.  "Change it with passwd" is advised only when it is allowed.
     * NULL: not known; nothing is advised. */
    const struct sr_change *change;
};

/*
 * Texts that need no data.  The prompts are those that programs which answer
 * them wait for (cockpit, GNOME, expect scripts); do not change them.
 */
enum sr_text {
    SR_TEXT_PROMPT_PASSWORD, /* "Password: " */
    SR_TEXT_PROMPT_CURRENT,  /* "Current password: " */
    SR_TEXT_PROMPT_NEW,      /* "New password: " */
    SR_TEXT_PROMPT_AGAIN,    /* "Retype new password: " */
    SR_TEXT_WRONG_CURRENT,   /* the current password is not right */
    SR_TEXT_NO_CURRENT,      /* an empty answer or end of input at its prompt */
    SR_TEXT_UNCHANGED,       /* the same at the prompt for the new password */
    SR_TEXT_NO_TRIES,        /* no tries are left; not changed */
    SR_TEXT_NOT_RECORDED,    /* SR-3205: an attempt could not be written */
    SR_TEXT_NOT_READ,        /* SR-3205: where nothing was attempted */
    SR_TEXT_BUSY,            /* too many attempts at once; try again */
    SR_TEXT_UNAVAILABLE,     /* the account's data cannot be read now */
    SR_TEXT_HOST_TROUBLE,    /* because of this host: its key, its clock */
    SR_TEXT_NO_QUALITY,      /* new passwords cannot be checked here */
    SR_TEXT_BAD_CONFIG,      /* not set up correctly here; ask CONTACT */
    SR_TEXT_SPARE_ROOT,      /* root is let in, though nothing can be read */
    SR_TEXT_SPARE_CONFIG,  /* the same, to root, for whom the defaults apply */
    SR_TEXT_NO_ROOT,       /* this program has no permission to check */
    SR_TEXT_HELPER_LOST,   /* SR-3201: selfreset-helper did not answer */
    SR_TEXT_HELPER_UNSURE, /* the same, while a password was being stored */
    SR_TEXT_CHANGED,       /* the password has been changed */
    SR_TEXT_CHANGED_AGAIN, /* and has to be changed again at the next login */
    SR_TEXT_NOT_STORED,    /* the new password could not be stored */
    SR_TEXT_FILES_BUSY,    /* because another program changes accounts */
    SR_TEXT_NOT_SENT,      /* it was not sent: nothing was changed */
    SR_TEXT_UNSURE,        /* sent and not answered: it may be changed */
    SR_TEXT_NOT_DUE,       /* only an expired password was to be changed */
    SR_TEXT_USED_BEFORE,   /* a finding: has been used before */
    SR_TEXT_RESET_ABSENT,  /* SR-3201: no helper for self-service reset */
    SR_TEXT_RESET_LOST,    /* SR-3201: its dialogue was cut off */
    SR_TEXT_RESET_NAG,     /* nothing is set up yet */
    SR_TEXT_RESET_OVERDUE, /* an address is to be confirmed again */
    SR_TEXT_RESET_LEFT,    /* the person has ended it */
    SR_TEXT_RESET_LATE,    /* its time is over */
    SR_TEXT_RESET_BUSY,    /* too many at once */
    SR_TEXT_RESET_ONLY,    /* the captive account can do nothing else */
    SR_TEXT_RESET_RETYPE,  /* an answer that cannot be sent */
    SR_TEXT_COUNT
};
char *sr_message_text(enum sr_text text, const struct sr_message_context *say);

/*
 * The sentence for a verdict when `answer` was given to a call; NULL for the
 * states that need none (ok, and any state spared by expired_services).
 */
char *sr_message_verdict(const struct sr_verdict *verdict,
                         enum sr_answer answer,
                         const struct sr_message_context *say);

/* The sentence for a refused change; NULL for SR_CHANGE_ALLOWED. */
char *sr_message_change(const struct sr_change *change,
                        const struct sr_message_context *say);

/*
 * The account is locked after wrong passwords: until when (wall clock; unknown:
 * "for a time"), and who can help.  Also for the attempt that begins the
 * lockout, and for names that do not exist.
 */
char *sr_message_lockout(sr_time until_wall,
                         const struct sr_message_context *say);

/* The same where the source of the attempts is locked out, not the account. */
char *sr_message_source_lockout(sr_time until_wall,
                                const struct sr_message_context *say);

/* Where a user who forgot the password goes: the captive account's name. */
char *sr_message_hint(const char *account);

/* "Changing password for ann.": which account the prompts that follow are for.
 * Bytes of `name` that cannot be shown are replaced. */
char *sr_message_account(const char *name);

/* "There were 3 failed attempts ..."; NULL when there were none. */
char *sr_message_failures(const struct sr_notice *notice,
                          const struct sr_message_context *say);

/* The rules, before the prompt.  NULL when there are none to show. */
char *sr_message_rules(const struct sr_findings *rules);

/*
 * What the account's backend requires of a new password in addition; NULL when
 * nothing is known about it.
 */
char *sr_message_demands(const struct sr_demands *demands);

/*
 * Why the backend refused the new password, and how many tries are left (0:
 * not mentioned).  Where it gave no reason: what is known of its rules.
 */
char *sr_message_refusal(enum sr_refusal refusal,
                         const struct sr_demands *demands, int tries_left,
                         const struct sr_message_context *say);

/* The server's own text about a refusal, as it is. */
char *sr_message_server(const char *text);

/*
 * Each rule that the new password breaks, and how many tries are left
 * (`tries_left` 0: not mentioned, see SR_TEXT_NO_TRIES; < 0: tries are
 * not counted, root is only advised).
 */
char *sr_message_broken(const struct sr_findings *findings, int tries_left);

/* To root: new passwords cannot be checked; the finding is the cause. */
char *sr_message_unchecked(const struct sr_findings *findings);

/* "chage -E 0", "usermod -e 1" and "useradd -e 1970-01-02" close an account:
 * how far away a date before there was Linux is, is not shown. */
#define SR_CLOSED_BEFORE (20 * 365 * SR_DAY)

/* The two new passwords differ; `tries_left` 0: not mentioned, as above. */
char *sr_message_mismatch(int tries_left);

/*
 * Break the lines of a text at spaces, and in scripts without spaces between
 * characters, so that they have at most 72 columns: wide characters have two,
 * combining ones none, whatever the thread's locale is.  Frees the text and
 * returns a new one.
 */
char *sr_message_fold(char *text);

/*
 * A time for people: "in 5 days, on Thursday 26 November", "in 3 hours, at
 * 17:40", "in 10 minutes, at 09:05"; the past: "2 days ago, on ...".  Local
 * time.  Never "0 days": the largest unit of which there is at least one, and
 * "less than a minute" below that.  From 24 hours on the days between the two
 * dates are counted, as people and chage(1) count them, so that the number and
 * the named day agree.
 */
char *sr_message_when(sr_time when, sr_time now);

/* Let the catalogues be found; for a program that has chosen a locale. */
void sr_message_bind(void);

/* The distance alone: "in 5 days", "2 hours ago". */
char *sr_message_apart(sr_time when, sr_time now);

#endif
