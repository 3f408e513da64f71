/*
 * Message: the sentences that users read, and the wrapping of lines.
 *
 * A sentence begins on a line of its own, so that it still makes sense when an
 * application joins texts.  Phrases that are put into sentences ("in 5 days,
 * on ...", the contact) are marked for translators.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/report/message.h"
#include "policy/util/fold.h"
#include "policy/util/text.h"
#include "policy/util/utf8.h"
#include "policy/util/words.h"

/* The same sentence for the account's owner and for root. */
#define YOURS(owner, admin) (say->is_admin ? _(admin) : _(owner))

#define PHRASE_SIZE 256 /* a time in words */
#define HOUR        3600
#define MINUTE      60

static void
free_text(char **text)
{
    free(*text);
}
#define AUTO_FREE __attribute__((cleanup(free_text)))

void
sr_message_bind(void)
{
    bindtextdomain(SR_WORDS, SR_LOCALEDIR);
}

char *
sr_message_fold(char *text)
{
    char *out = text == NULL ? NULL : sr_fold_text(text, 0, 0);

    if (text != NULL)
        explicit_bzero(text, strlen(text)); /* it may have recovery codes */
    free(text);
    return out;
}

static const char *
contact(const struct sr_message_context *say)
{
    if (say->contact != NULL && say->contact[0] != '\0')
        return say->contact;
    /* TRANSLATORS: who can help, as in "Ask your administrator." */
    return _("your administrator");
}

/* ---- times */

/* Days since an arbitrary one, of the date in local time. */
static long
day_number(const struct tm *date)
{
    long year = date->tm_year + 1900L - 1;

    return year * 365 + year / 4 - year / 100 + year / 400 + date->tm_yday;
}

/*
 * Print a time, with the names of days and months of the language of the
 * sentences (LC_MESSAGES): LC_TIME is often that of another country.
 */
static void
print_names(char *out, size_t size, const char *pattern, const struct tm *at)
{
    const char *language = nl_langinfo(_NL_LOCALE_NAME(LC_MESSAGES));
    locale_t names = (locale_t)0;

    if (strcmp(language, nl_langinfo(_NL_LOCALE_NAME(LC_TIME))) != 0)
        names = newlocale(LC_TIME_MASK, language, (locale_t)0);
    if (names == (locale_t)0)
        names = duplocale(uselocale((locale_t)0));
    if (names == (locale_t)0 || strftime_l(out, size, pattern, at, names) == 0)
        out[0] = '\0';
    if (names != (locale_t)0)
        freelocale(names);
}

/* A macro, so that the compiler sees and checks the pattern. */
#define PRINT_TIME(out, size, pattern, at)                                     \
    ((void)(false && strftime(out, size, pattern, at) > 0),                    \
     print_names(out, size, pattern, at))

/* "on Thursday 26 November", with its year where that is in doubt. */
static void
print_date(char *out, size_t size, const struct tm *at, bool with_year)
{
    if (with_year)
        /* TRANSLATORS: a date for strftime(3), as in "on Monday 6 May 2030" */
        PRINT_TIME(out, size, _("on %A %-d %B %Y"), at);
    else
        /* TRANSLATORS: a date for strftime(3), as in "on Monday 6 May" */
        PRINT_TIME(out, size, _("on %A %-d %B"), at);
}

/* "at 17:40", with the date when that is not today's. */
static void
print_clock(char *out, size_t size, const struct tm *at, bool is_today)
{
    if (is_today)
        /* TRANSLATORS: a time of day for strftime(3) */
        PRINT_TIME(out, size, _("at %H:%M"), at);
    else
        /* TRANSLATORS: date and time of day for strftime(3) */
        PRINT_TIME(out, size, _("on %A %-d %B at %H:%M"), at);
}

/* A point in time beside now: how far, and both in local time. */
struct distance {
    int64_t seconds; /* never negative */
    long days;       /* between the dates; at least 1 when a day apart */
    bool is_past;
    bool is_today;
    bool has_date; /* false: too far for a calendar */
    struct tm at;
};

static struct distance
measure(sr_time when, sr_time now)
{
    struct distance d = {.is_past = when <= now};
    struct tm today;
    time_t when_t = (time_t)when, now_t = (time_t)now;

    if (__builtin_sub_overflow(d.is_past ? now : when, d.is_past ? when : now,
                               &d.seconds))
        d.seconds = INT64_MAX;
    d.has_date = localtime_r(&when_t, &d.at) != NULL &&
                 localtime_r(&now_t, &today) != NULL;
    if (d.has_date) {
        d.days = labs(day_number(&d.at) - day_number(&today));
        d.is_today = d.days == 0;
    }
    /* A day of 25 hours, or no calendar: count by hours. */
    if (d.seconds >= SR_DAY && d.days == 0)
        d.days = (long)(d.seconds / SR_DAY);
    return d;
}

/* The length alone, for times less than a day away. */
static char *
short_apart(const struct distance *d)
{
    long hours = (long)(d->seconds / HOUR);
    long minutes = (long)(d->seconds / MINUTE);

    if (hours > 0)
        return d->is_past
                   ? sr_format(_n("%ld hour ago", "%ld hours ago", hours),
                               hours)
                   : sr_format(_n("in %ld hour", "in %ld hours", hours), hours);
    if (minutes > 0)
        return d->is_past
                   ? sr_format(_n("%ld minute ago", "%ld minutes ago", minutes),
                               minutes)
                   : sr_format(_n("in %ld minute", "in %ld minutes", minutes),
                               minutes);
    return sr_format("%s", d->is_past ? _("less than a minute ago")
                                      : _("in less than a minute"));
}

/* The length alone. */
static char *
long_apart(const struct distance *d)
{
    if (d->seconds < SR_DAY)
        return short_apart(d);
    return d->is_past
               ? sr_format(_n("%ld day ago", "%ld days ago", d->days), d->days)
               : sr_format(_n("in %ld day", "in %ld days", d->days), d->days);
}

static char *
days_apart(const struct distance *d)
{
    char date[PHRASE_SIZE] = "";

    /* "in 5 days, on Thursday" counts dates, as people do and as chage(1)
     * does: the number and the day then never disagree. */
    if (!d->has_date)
        return long_apart(d);
    print_date(date, sizeof(date), &d->at, d->seconds > 180 * SR_DAY);
    return d->is_past
               ? sr_format(_n("%ld day ago, %s", "%ld days ago, %s", d->days),
                           d->days, date)
               : sr_format(_n("in %ld day, %s", "in %ld days, %s", d->days),
                           d->days, date);
}

char *
sr_message_apart(sr_time when, sr_time now)
{
    const struct distance d = measure(when, now);

    return long_apart(&d);
}

char *
sr_message_when(sr_time when, sr_time now)
{
    AUTO_FREE char *length = NULL;
    char clock[PHRASE_SIZE] = "";
    struct distance d;

    if (when == SR_TIME_NEVER)
        return sr_format("%s", _("never"));
    if (when == SR_TIME_UNKNOWN)
        return sr_format("%s", _("at an unknown time"));
    d = measure(when, now);
    if (d.seconds >= SR_DAY)
        return days_apart(&d);
    length = short_apart(&d);
    if (length == NULL || !d.has_date)
        return length == NULL ? NULL : strdup(length);
    print_clock(clock, sizeof(clock), &d.at, d.is_today);
    /* TRANSLATORS: "in 3 hours, at 17:40" */
    return sr_format(_("%s, %s"), length, clock);
}

/* "17:40 (in 12 minutes)", for "until ...". */
static char *
until(sr_time when, sr_time now)
{
    AUTO_FREE char *length = NULL;
    char clock[PHRASE_SIZE] = "";
    struct distance d = measure(when, now);

    if (d.has_date && d.is_today)
        PRINT_TIME(clock, sizeof(clock), _("%H:%M"), &d.at);
    else if (d.has_date)
        PRINT_TIME(clock, sizeof(clock), _("%H:%M on %A %-d %B"), &d.at);
    length = long_apart(&d);
    if (length == NULL || !d.has_date)
        return length == NULL ? NULL : strdup(length);
    /* TRANSLATORS: "17:40 (in 12 minutes)" */
    return sr_format(_("%s (%s)"), clock, length);
}

/* ---- texts without data, but for who can help */

static const char *const plain_text[SR_TEXT_COUNT] = {
    [SR_TEXT_PROMPT_PASSWORD] = N_("Password: "),
    [SR_TEXT_PROMPT_CURRENT] = N_("Current password: "),
    [SR_TEXT_PROMPT_NEW] = N_("New password: "),
    [SR_TEXT_PROMPT_AGAIN] = N_("Retype new password: "),
    [SR_TEXT_WRONG_CURRENT] =
        N_("The current password is not right. Nothing was changed."),
    [SR_TEXT_NO_CURRENT] =
        N_("No current password was entered. The password was not changed."),
    [SR_TEXT_UNCHANGED] =
        N_("No new password was entered. The password was not changed."),
    [SR_TEXT_NO_TRIES] = N_("No tries are left. The password was not changed."),
    [SR_TEXT_BUSY] = N_("Too many logins to this account are in progress.\n"
                        "The password was not checked. Try again in a moment."),
    [SR_TEXT_SPARE_ROOT] =
        N_("Warning: the data of this account cannot be read, but root can log "
           "in by key. To see why, run: selfresetctl check"),
    [SR_TEXT_SPARE_CONFIG] =
        N_("Warning: selfreset.conf has an error. Until it is corrected, only\n"
           "root can log in. To see the error, run: selfresetctl check"),
    [SR_TEXT_NOT_DUE] =
        N_("This password has not expired, so it was not changed."),
    [SR_TEXT_USED_BEFORE] = N_("has been used before; choose another one"),
    [SR_TEXT_RESET_NAG] =
        N_("If you forgot your password now, you could not reset it by "
           "yourself.\nTo set that up, run: selfreset enroll"),
    [SR_TEXT_RESET_OVERDUE] =
        N_("An address by which you can reset your password is to be confirmed "
           "again.\nTo do that, run: selfreset enroll"),
    [SR_TEXT_RESET_LEFT] = N_("The dialogue has ended. Nothing more was done."),
    [SR_TEXT_RESET_LATE] = N_("The time for this dialogue is over. To go on, "
                              "begin again."),
    [SR_TEXT_RESET_BUSY] = N_("Too many dialogues are in progress. Try again "
                              "in some minutes."),
    [SR_TEXT_RESET_ONLY] =
        N_("This login can do nothing but reset a forgotten password."),
    [SR_TEXT_RESET_RETYPE] = N_("The answer is too long. Type it again."),
};

/* Texts that name who can help, or that root reads about another account. */
static char *
text_for_reader(enum sr_text text, const struct sr_message_context *say)
{
    const char *help = contact(say);

    switch (text) {
    case SR_TEXT_NOT_RECORDED:
        return sr_format(_("This host could not record the attempt, so the "
                           "password was not\nchecked. Ask %s (SR-3205)."),
                         help);
    case SR_TEXT_NOT_READ:
        return sr_format(_("This host cannot read its records about this "
                           "account.\nAsk %s (SR-3205)."),
                         help);
    case SR_TEXT_UNAVAILABLE:
        return sr_format(_("The data of this account cannot be read now.\n"
                           "Try again later, or ask %s."),
                         help);
    case SR_TEXT_HOST_TROUBLE:
        return sr_format(_("This computer cannot check passwords now, whatever "
                           "password is typed.\nAsk %s."),
                         help);
    case SR_TEXT_NO_QUALITY:
        return sr_format(_("New passwords cannot be checked on this computer "
                           "now, so the\npassword was not changed. Ask %s "
                           "(SR-3211)."),
                         help);
    case SR_TEXT_BAD_CONFIG:
        return sr_format(_("Passwords are not set up correctly on this host.\n"
                           "Ask %s (SR-3204)."),
                         help);
    case SR_TEXT_NO_ROOT:
        return sr_format(_("This program does not have the permission to check "
                           "passwords.\nAsk %s (SR-3212)."),
                         help);
    case SR_TEXT_HELPER_LOST:
        return sr_format(_("The password could not be checked now.\n"
                           "Try again, or ask %s (SR-3201)."),
                         help);
    case SR_TEXT_RESET_ABSENT:
        return sr_format(_("Password reset is not available now.\n"
                           "Try again later, or ask %s (SR-3201)."),
                         help);
    case SR_TEXT_RESET_LOST:
        return sr_format(_("The dialogue was cut off. If you had typed a new "
                           "password, try it first,\nthen the old one. Else "
                           "begin again, or ask %s (SR-3201)."),
                         help);
    case SR_TEXT_HELPER_UNSURE:
        return sr_format(
            YOURS(N_("The answer was lost, so your password may or "
                     "may not have been changed.\nTry the new one "
                     "first, then the old one, or ask %s "
                     "(SR-3201)."),
                  N_("The answer was lost, so the password may or "
                     "may not have been changed.\nSet it again, or "
                     "ask %s (SR-3201).")),
            help);
    case SR_TEXT_CHANGED:
        return strdup(YOURS(N_("Your password has been changed."),
                            N_("The password has been changed.")));
    case SR_TEXT_CHANGED_AGAIN:
        return strdup(YOURS(N_("Your password has been changed.\nThe directory "
                               "requires another change at your next login."),
                            N_("The password has been changed.\nThe directory "
                               "requires another change at the next login.")));
    case SR_TEXT_NOT_SENT:
        return sr_format(_("The directory cannot change passwords now.\n"
                           "The password was not changed. Try again later, or "
                           "ask %s."),
                         help);
    case SR_TEXT_UNSURE:
        return sr_format(YOURS(N_("The directory did not answer, so your "
                                  "password may or may not have been changed.\n"
                                  "Try the new one first, then the old one, or "
                                  "ask %s."),
                               N_("The directory did not answer, so the "
                                  "password may or may not have been changed.\n"
                                  "Set it again, or ask %s.")),
                         help);
    case SR_TEXT_NOT_STORED:
        return sr_format(YOURS(N_("The new password could not be stored.\n"
                                  "Go on using the old one, or ask %s."),
                               N_("The new password could not be stored.\n"
                                  "The old one may still be valid. Ask %s.")),
                         help);
    case SR_TEXT_FILES_BUSY:
        return sr_format(_("Another program is changing the accounts of this "
                           "computer.\nThe password was not changed. Try "
                           "again later, or ask %s."),
                         help);
    default:
        return NULL;
    }
}

char *
sr_message_text(enum sr_text text, const struct sr_message_context *say)
{
    char *out;

    if ((unsigned)text >= SR_TEXT_COUNT)
        return NULL;
    if (plain_text[text] == NULL)
        return sr_message_fold(text_for_reader(text, say));
    out = strdup(_(plain_text[text]));
    /* The space that ends a prompt must not become a line's end. */
    return text <= SR_TEXT_PROMPT_AGAIN ? out : sr_message_fold(out);
}

char *
sr_message_hint(const char *account)
{
    /* TRANSLATORS: %s is the name of an account */
    return sr_message_fold(sr_format(
        _("Forgotten your password? Log in as %s to reset it."), account));
}

char *
sr_message_account(const char *name)
{
    char clean[SR_NAME_MAX];

    sr_utf8_clean(name, false, clean, sizeof(clean));
    /* TRANSLATORS: as passwd(1) says it; %s is the account's name */
    return sr_format(_("Changing password for %s."), clean);
}

/* ---- refused changes */

/* Why the owner cannot change the password, and what to do: whole sentences. */
static char *
refused(enum sr_change_result why, const struct sr_message_context *say)
{
    const char *help = contact(say);

    switch (why) {
    case SR_CHANGE_REQUIRE_LOGON:
        return sr_format(_("It can be changed only in a session that you "
                           "already have open.\nIf you have none, ask %s to "
                           "set a new password."),
                         help);
    case SR_CHANGE_INACTIVE:
        return sr_format(_("The time in which it could be changed is over.\n"
                           "Ask %s to set a new one."),
                         help);
    case SR_CHANGE_NO_GRACE:
        return sr_format(_("No login is left in which it could be changed.\n"
                           "Ask %s to set a new one."),
                         help);
    case SR_CHANGE_NO_PASSWORD:
        return sr_format(_("There is no current password with which you could "
                           "confirm the change.\nAsk %s to set a new one."),
                         help);
    case SR_CHANGE_PROTECTED:
        return sr_format(_("It is protected and cannot be changed here.\n"
                           "Ask %s."),
                         help);
    default:
        return sr_format(_("You do not have the permission to change it.\n"
                           "Ask %s to set a new one."),
                         help);
    }
}

static char *
barred(const struct sr_verdict *verdict, const struct sr_message_context *say)
{
    AUTO_FREE char *why = refused(verdict->barred_by, say);

    if (why == NULL)
        return NULL;
    return sr_format("%s\n%s",
                     verdict->when != SR_TIME_UNKNOWN
                         ? YOURS(N_("Your password has expired."),
                                 N_("The password of this account has "
                                    "expired."))
                         : YOURS(N_("Your password has to be changed."),
                                 N_("The password of this account has to be "
                                    "changed.")),
                     why);
}

static char *
too_young(const struct sr_change *change, const struct sr_message_context *say)
{
    AUTO_FREE char *when = NULL;

    if (!SR_TIME_IS_SET(change->when))
        return sr_format(_("You changed this password too recently.\n"
                           "Ask %s if you need a new one."),
                         contact(say));
    when = sr_message_when(change->when, say->now);
    if (when == NULL)
        return NULL;
    /* TRANSLATORS: the first %s is "in 3 hours, at 17:40" or the like */
    return sr_format(_("You changed this password too recently.\n"
                       "You can change it again %s.\n"
                       "Ask %s if you need a new one sooner."),
                     when, contact(say));
}

char *
sr_message_change(const struct sr_change *change,
                  const struct sr_message_context *say)
{
    AUTO_FREE char *why = NULL;

    if (change->result == SR_CHANGE_ALLOWED ||
        (unsigned)change->result >= SR_CHANGE_RESULT_COUNT)
        return NULL;
    if (change->result == SR_CHANGE_TOO_YOUNG)
        return sr_message_fold(too_young(change, say));
    if (change->result == SR_CHANGE_PROTECTED && say->is_admin)
        return sr_message_fold(
            sr_format(_("This password is protected. Nobody can change "
                        "it here, not even root.")));
    why = refused(change->result, say);
    if (why == NULL)
        return NULL;
    return sr_message_fold(
        sr_format("%s\n%s", _("This password was not changed."), why));
}

/* ---- verdicts */

/* A lockout of the account, or of where the attempts come from. */
static char *
lockout(bool is_source, sr_time until_wall,
        const struct sr_message_context *say)
{
    AUTO_FREE char *end = NULL;

    if (!SR_TIME_IS_SET(until_wall))
        return sr_message_fold(sr_format(
            is_source ? _("Too many wrong passwords from here.\n"
                          "Passwords from here are refused for a time.\n"
                          "Ask %s if you cannot wait.")
                      : _("Too many wrong passwords.\n"
                          "This account is locked for a time.\n"
                          "Ask %s if you cannot wait."),
            contact(say)));
    end = until(until_wall, say->now);
    if (end == NULL)
        return NULL;
    /* TRANSLATORS: "17:40 (in 12 minutes)"; who can help */
    return sr_message_fold(
        sr_format(is_source ? _("Too many wrong passwords from here.\n"
                                "Passwords from here are refused until %s.\n"
                                "Ask %s if you cannot wait.")
                            : _("Too many wrong passwords.\n"
                                "This account is locked until %s.\n"
                                "Ask %s if you cannot wait."),
                  end, contact(say)));
}

char *
sr_message_lockout(sr_time until_wall, const struct sr_message_context *say)
{
    if (until_wall == SR_TIME_NEVER)
        return sr_message_fold(sr_format(_("This account is locked.\n"
                                           "Ask %s to unlock it."),
                                         contact(say)));
    return lockout(false, until_wall, say);
}

char *
sr_message_source_lockout(sr_time until_wall,
                          const struct sr_message_context *say)
{
    return lockout(true, until_wall, say);
}

static char *
locked(const struct sr_verdict *verdict, const struct sr_message_context *say)
{
    return sr_message_lockout(verdict->when, say);
}

static char *
lapsed(const struct sr_verdict *verdict, const struct sr_message_context *say)
{
    AUTO_FREE char *end = until(verdict->when, say->now);

    if (end == NULL)
        return NULL;
    /* TRANSLATORS: the first %s is "17:40 (20 minutes ago)" or the like */
    return sr_format(YOURS(N_("Your temporary password is no longer valid.\n"
                              "It was valid until %s.\nAsk %s for a new one."),
                           N_("The temporary password of this account is no "
                              "longer valid.\nIt was valid until %s.\n"
                              "Ask %s for a new one.")),
                     end, contact(say));
}

static char *
must_change(const struct sr_verdict *verdict,
            const struct sr_message_context *say)
{
    /* The next question need not be for the current password: what was typed
     * at this login is used for the change. */
    if (verdict->when != SR_TIME_UNKNOWN)
        return strdup(YOURS(N_("Your password is a temporary one.\n"
                               "You have to choose a new one now.\n"
                               "If you are asked for the current password, "
                               "enter the temporary one."),
                            N_("The password of this account is a temporary "
                               "one.\nA new one has to be chosen now.")));
    return strdup(YOURS(N_("Your password has to be changed.\n"
                           "You have to choose a new one now.\n"
                           "If you are asked for the current password, enter "
                           "the one you have used until now."),
                        N_("The password of this account has to be changed.\n"
                           "A new one has to be chosen now.")));
}

static char *
expired(const struct sr_message_context *say)
{
    return strdup(YOURS(N_("Your password has expired.\n"
                           "You have to choose a new one now.\n"
                           "If you are asked for the current password, enter "
                           "the expired one."),
                        N_("The password of this account has expired.\n"
                           "A new one has to be chosen now.")));
}

/*
 * What the owner can do about a password that expires or has expired, with a
 * line end before it: only what a change would not refuse.  `expires` is
 * unknown once it has expired.
 */
static char *
advice(sr_time expires, const struct sr_message_context *say)
{
    AUTO_FREE char *when = NULL;

    if (say->change == NULL || say->is_admin)
        return strdup("");
    switch (say->change->result) {
    case SR_CHANGE_ALLOWED:
        return strdup(
            expires == SR_TIME_UNKNOWN
                ? _("\nChange it now with the command passwd.")
                : _("\nYou can change it now with the command passwd."));
    case SR_CHANGE_TOO_YOUNG:
        if (!SR_TIME_IS_SET(say->change->when) || say->change->when >= expires)
            return strdup(_("\nYou will be asked for a new one at your first "
                            "login after that."));
        when = sr_message_when(say->change->when, say->now);
        /* TRANSLATORS: %s is "in 3 days, on Monday 6 May" or the like */
        return when == NULL
                   ? NULL
                   : sr_format(_("\nYou can change it with the command passwd "
                                 "%s, or later."),
                               when);
    default:
        return sr_format(_("\nAsk %s to set a new one."), contact(say));
    }
}

static char *
grace(const struct sr_verdict *verdict, const struct sr_message_context *say)
{
    AUTO_FREE char *now = advice(SR_TIME_UNKNOWN, say);
    int left = verdict->grace_left;

    if (now == NULL)
        return NULL;
    if (left < 0)
        return sr_format("%s%s",
                         YOURS(N_("Your password has expired."),
                               N_("The password of this account has "
                                  "expired.")),
                         now);
    return sr_format(say->is_admin
                         ? _n("The password of this account has expired.\n"
                              "%d more login is possible with it.%s",
                              "The password of this account has expired.\n"
                              "%d more logins are possible with it.%s",
                              left)
                         : _n("Your password has expired.\n"
                              "You can log in with it %d more time.%s",
                              "Your password has expired.\n"
                              "You can log in with it %d more times.%s",
                              left),
                     left, now);
}

/* The verdicts that have a time. */
static char *
timed(const struct sr_verdict *verdict, const struct sr_message_context *say)
{
    AUTO_FREE char *when = sr_message_when(verdict->when, say->now);
    AUTO_FREE char *what = NULL;

    if (when == NULL)
        return NULL;
    switch (verdict->state) {
    case SR_STATE_ENDED:
        if (verdict->when < SR_CLOSED_BEFORE)
            return sr_format(
                _("This account has ended.\nAsk %s if you need it."),
                contact(say));
        /* TRANSLATORS: %s is "2 days ago, on Monday 6 May" or the like, here
         * and below; then who can help. */
        return sr_format(_("This account ended %s.\nAsk %s if you need it."),
                         when, contact(say));
    case SR_STATE_OUT_OF_HOURS:
        return sr_format(_("This account may not be used at this hour.\n"
                           "It may again %s.\n"
                           "Ask %s if you need it sooner."),
                         when, contact(say));
    case SR_STATE_NOT_YET:
        return sr_format(_("This account cannot be used yet.\n"
                           "It starts %s.\n"
                           "Ask %s if you need it sooner."),
                         when, contact(say));
    default:
        what = advice(verdict->when, say);
        return what == NULL
                   ? NULL
                   : sr_format(YOURS(N_("Your password expires %s.%s"),
                                     N_("The password of this account expires "
                                        "%s.%s")),
                               when, what);
    }
}

char *
sr_message_verdict(const struct sr_verdict *verdict, enum sr_answer answer,
                   const struct sr_message_context *say)
{
    if (answer == SR_ANSWER_OK && verdict->state != SR_STATE_GRACE &&
        verdict->state != SR_STATE_EXPIRING)
        return NULL;
    switch (verdict->state) {
    case SR_STATE_DISABLED:
        return sr_message_fold(sr_format(_("This account is disabled.\n"
                                           "Ask %s if you need it."),
                                         contact(say)));
    case SR_STATE_OUT_OF_HOURS:
        if (SR_TIME_IS_SET(verdict->when))
            return sr_message_fold(timed(verdict, say));
        return sr_message_fold(
            sr_format(_("This account may not be used at this hour.\n"
                        "Ask %s if you need it."),
                      contact(say)));
    case SR_STATE_OFF_WORKSTATION:
        return sr_message_fold(
            sr_format(_("This account may not be used on this "
                        "computer.\nAsk %s if you need it here."),
                      contact(say)));
    case SR_STATE_ENDED:
    case SR_STATE_NOT_YET:
    case SR_STATE_EXPIRING:
        return sr_message_fold(timed(verdict, say));
    case SR_STATE_LAPSED:
        return sr_message_fold(lapsed(verdict, say));
    case SR_STATE_LOCKED:
        return sr_message_fold(locked(verdict, say));
    case SR_STATE_BARRED:
        return sr_message_fold(barred(verdict, say));
    case SR_STATE_MUST_CHANGE:
        return sr_message_fold(must_change(verdict, say));
    case SR_STATE_EXPIRED:
        return sr_message_fold(expired(say));
    case SR_STATE_GRACE:
        return sr_message_fold(answer == SR_ANSWER_OK ? grace(verdict, say)
                                                      : expired(say));
    case SR_STATE_UNKNOWN:
        return sr_message_text(SR_TEXT_UNAVAILABLE, say);
    default:
        return NULL;
    }
}

/* ---- failed attempts since the last login */

/* A source in the words of a person: see struct sr_source. */
static char *
source_words(const char *source)
{
    char clean[SR_SOURCE_MAX];

    sr_utf8_clean(source, false, clean, sizeof(clean));
    if (strcmp(clean, "console") == 0)
        return sr_format("%s", _("the console"));
    if (strncmp(clean, "uid:", 4) == 0)
        return sr_format(_("this host (user id %s)"), clean + 4);
    return sr_format("%s", strncmp(clean, "name:", 5) == 0 ? clean + 5 : clean);
}

char *
sr_message_failures(const struct sr_notice *notice,
                    const struct sr_message_context *say)
{
    AUTO_FREE char *from = NULL;
    char when[PHRASE_SIZE] = "";
    struct distance d;
    unsigned count = notice->failed;

    if (count == 0)
        return NULL;
    d = measure(notice->last, say->now);
    if (SR_TIME_IS_SET(notice->last) && d.has_date)
        print_clock(when, sizeof(when), &d.at, false);
    if (notice->from[0] == '\0' || when[0] == '\0')
        return sr_message_fold(
            sr_format(_n("There was %u failed attempt to log in since "
                         "your last login.",
                         "There were %u failed attempts to log in since "
                         "your last login.",
                         count),
                      count));
    from = source_words(notice->from);
    if (from == NULL)
        return NULL;
    /* TRANSLATORS: number; source ("192.0.2.7"); "on Monday 6 May at 17:40" */
    return sr_message_fold(
        sr_format(_n("There was %u failed attempt to log in since your "
                     "last login, from %s %s.",
                     "There were %u failed attempts to log in since your "
                     "last login, the last from %s %s.",
                     count),
                  count, from, when));
}

/* ---- rules of new passwords */

/* "- text" for each finding, after a heading. */
static char *
list(const char *heading, const struct sr_findings *findings)
{
    char *text = sr_format("%s", heading);

    for (size_t i = 0; text != NULL && i < findings->count; i++) {
        char *longer = sr_format("%s\n- %s", text, findings->item[i].text);

        free(text);
        text = longer;
    }
    return text;
}

char *
sr_message_rules(const struct sr_findings *rules)
{
    if (rules->count == 0)
        return NULL;
    return sr_message_fold(list(_("Rules for new passwords:"), rules));
}

/* `text` and the tries that are left after it, as one text.  Frees `text`. */
static char *
with_tries(char *text, int tries_left)
{
    AUTO_FREE char *first = text;

    if (first == NULL)
        return NULL;
    if (tries_left <= 0)
        return strdup(first);
    /* TRANSLATORS: %s is what was wrong */
    return sr_format(_n("%s\nYou have %d try left.",
                        "%s\nYou have %d tries "
                        "left.",
                        tries_left),
                     first, tries_left);
}

char *
sr_message_broken(const struct sr_findings *findings, int tries_left)
{
    AUTO_FREE char *text = NULL;

    if (tries_left >= 0)
        return sr_message_fold(
            with_tries(list(_("The new password was not accepted:"), findings),
                       tries_left));
    text = list(_("The new password breaks these rules:"), findings);
    return text == NULL
               ? NULL
               : sr_message_fold(sr_format(
                     "%s\n%s", text, _("As root you can set it anyway.")));
}

char *
sr_message_unchecked(const struct sr_findings *findings)
{
    return sr_message_fold(sr_format(
        _("This computer cannot check new passwords: %s.\n"
          "As root you can set it anyway."),
        findings->count > 0 ? findings->item[0].text : _("out of memory")));
}

char *
sr_message_mismatch(int tries_left)
{
    return sr_message_fold(with_tries(
        strdup(_("The two new passwords do not match.")), tries_left));
}

/* ---- what a directory requires and refuses */

char *
sr_message_demands(const struct sr_demands *demands)
{
    AUTO_FREE char *least = NULL;
    AUTO_FREE char *most = NULL;
    AUTO_FREE char *used = NULL;

    if (demands->min_length == 0 && demands->max_length == 0 &&
        demands->history == 0)
        return NULL;
    if (demands->min_length > 0)
        least = sr_format(_n("\n- at least %u character",
                             "\n- at least %u characters", demands->min_length),
                          demands->min_length);
    if (demands->max_length > 0)
        most = sr_format(_n("\n- at most %u character",
                            "\n- at most %u characters", demands->max_length),
                         demands->max_length);
    if (demands->history > 0)
        used =
            sr_format(_n("\n- not the last password",
                         "\n- none of the last %u passwords", demands->history),
                      demands->history);
    return sr_message_fold(
        sr_format("%s%s%s%s", _("Rules of the directory for new passwords:"),
                  least == NULL ? "" : least, most == NULL ? "" : most,
                  used == NULL ? "" : used));
}

static const char *const refusal_text[SR_REFUSAL_COUNT] = {
    [SR_REFUSAL_OTHER] = N_("The directory refused the new password."),
    [SR_REFUSAL_WRONG_OLD] =
        N_("The current password is not right. Nothing was changed."),
    [SR_REFUSAL_NO_RIGHT] =
        N_("The directory does not allow this host to change the password."),
    [SR_REFUSAL_READ_ONLY] =
        N_("The directory server that this computer asks takes no changes."),
    [SR_REFUSAL_CANNOT] =
        N_("The directory does not allow you to change this password."),
    [SR_REFUSAL_TOO_YOUNG] =
        N_("This password was changed too recently to be changed again."),
    [SR_REFUSAL_QUALITY] =
        N_("The directory considers the new password too easy to guess."),
    [SR_REFUSAL_TOO_SHORT] =
        N_("The new password is too short for the directory."),
    [SR_REFUSAL_TOO_LONG] =
        N_("The new password is too long for the directory."),
    [SR_REFUSAL_IN_HISTORY] =
        N_("The new password has been used before. Choose another one."),
};

char *
sr_message_refusal(enum sr_refusal refusal, const struct sr_demands *demands,
                   int tries_left, const struct sr_message_context *say)
{
    AUTO_FREE char *known = sr_message_demands(demands);
    char *text;
    const char *why;
    bool is_helped = refusal == SR_REFUSAL_NO_RIGHT ||
                     refusal == SR_REFUSAL_READ_ONLY ||
                     refusal == SR_REFUSAL_CANNOT;

    if ((unsigned)refusal >= SR_REFUSAL_COUNT)
        return NULL;
    why = _(refusal_text[refusal]);
    if (is_helped)
        return sr_message_fold(
            sr_format(_("%s\nAsk %s to set a new one."), why, contact(say)));
    if (refusal == SR_REFUSAL_OTHER || refusal == SR_REFUSAL_QUALITY ||
        refusal == SR_REFUSAL_TOO_SHORT || refusal == SR_REFUSAL_TOO_LONG)
        text = known == NULL ? strdup(why) : sr_format("%s\n%s", why, known);
    else
        text = strdup(why);
    return sr_message_fold(with_tries(text, tries_left));
}

char *
sr_message_server(const char *text)
{
    return sr_message_fold(sr_format(_("The server says:\n%s"), text));
}
