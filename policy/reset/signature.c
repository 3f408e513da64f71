/*
 * Signature: the proof by an ssh key or security key.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/reset/known.h"
#include "policy/reset/signature.h"
#include "policy/util/deadline.h"
#include "policy/util/io.h"
#include "policy/util/program.h"
#include "policy/util/words.h"

#define NONCE_LENGTH 20 /* 100 bits */
#define HOST_LENGTH  16 /* of a name that is for the reader */
#define USER_LENGTH  20
#define LINES_MAX    96 /* of an answer */
#define RUN_MS       10000
#define EXIT_NO      255 /* ssh-keygen's for a signature that is not right */

/* ---- the line */

/* Append a name, without what a shell or a reader could take for another
 * thing. */
static void
append_name(const char *name, size_t length, char *out)
{
    size_t at = strlen(out);

    for (size_t i = 0; name[i] != '\0' && i < length; i++) {
        const unsigned char byte = (unsigned char)name[i];

        out[at++] = byte < 128 && (isalnum(byte) || strchr("._-", byte) != NULL)
                        ? name[i]
                        : '_';
    }
    out[at] = '\0';
}

bool
sr_challenge_make(const struct sr_run *run, const char *name,
                  struct sr_challenge *challenge)
{
    char nonce[SR_CODE_SIZE];
    size_t at;

    if (!sr_code_make(nonce, NONCE_LENGTH, 0))
        return false;
    strcpy(challenge->line, "reset:");
    append_name(run->host, HOST_LENGTH, challenge->line);
    strcat(challenge->line, ":");
    append_name(name, USER_LENGTH, challenge->line);
    at = strlen(challenge->line);
    snprintf(challenge->line + at, SR_CHALLENGE_MAX - at, ":%s\n", nonce);
    return true;
}

/* Append one line of an answer; what is too long is no signature. */
static void
append_line(char *text, size_t size, const char *line)
{
    const size_t used = strlen(text);

    if (used < size - 1)
        snprintf(text + used, size - used, "%s\n", line);
}

char *
sr_challenge_ask(struct sr_run *run, const struct sr_challenge *challenge,
                 const char *key)
{
    char *text = calloc(1, SR_SIGNATURE_MAX);
    bool is_last = text == NULL;

    sr_run_say(run, _("Sign this line with your key:"));
    sr_run_say(run, "%.*s", (int)strcspn(challenge->line, "\n"),
               challenge->line);
    sr_run_say(run,
               _("Where the key is, run the command below, paste the line, "
                 "press Enter and Ctrl-D. Then paste here all lines that "
                 "it has written."));
    sr_run_say(run, "ssh-keygen -Y sign -n " SR_SIGNATURE_SPACE
                    " -f ~/.ssh/id_ed25519");
    for (int i = 0; i < LINES_MAX && !is_last; i++) {
        __attribute__((cleanup(sr_run_wipe))) char *line =
            i > 0 ? sr_run_ask(run, true, "%s", "")
            : key == NULL
                ? sr_run_ask(run, true, "%s", _("Signature: "))
                : sr_run_ask_agent(run, _("Signature: "), key, challenge->line);

        is_last =
            line == NULL || line[0] == '\0' || strstr(line, "-----END") != NULL;
        if (line != NULL && (line[0] != '\0' || i > 0))
            append_line(text, SR_SIGNATURE_MAX, line);
    }
    if (run->is_gone)
        sr_run_wipe(&text);
    return text;
}

/* ---- checking */

/* A file without a name that has a text; or a negative errno. */
static int
make_file(const char *text)
{
    const int fd = memfd_create("selfreset", MFD_CLOEXEC);
    const int error = fd < 0 ? -1 : sr_write_all(fd, text, strlen(text));

    if (error != 0 && fd >= 0)
        close(fd);
    return error == 0 ? fd : -1;
}

/* The account as ssh-keygen is told of it: its backend and name, without what
 * would make it a pattern. */
static void
name_principal(const struct sr_identity *id, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "%s:", id->backend);

    for (const char *byte = id->name; *byte != '\0' && at + 4 < size; byte++) {
        if (isalnum((unsigned char)*byte) || strchr("._-", *byte) != NULL)
            at += (size_t)snprintf(out + at, size - at, "%c", *byte);
        else
            at += (size_t)snprintf(out + at, size - at, "%%%02x",
                                   (unsigned char)*byte);
    }
}

/* Run ssh-keygen: its exit status, see sr_program_run(). */
static int
run_keygen(const struct sr_run *run, const char *principal, const int file[2],
           const char *line)
{
    const char *const argv[] = {"ssh-keygen",       "-Y", "verify",    "-f",
                                "/dev/fd/3",        "-I", principal,   "-n",
                                SR_SIGNATURE_SPACE, "-s", "/dev/fd/4", NULL};
    const struct passwd *user =
        run->config->reset.channel[SR_CHANNEL_MAIL].user == NULL
            ? NULL
            : getpwnam(run->config->reset.channel[SR_CHANNEL_MAIL].user);
    struct sr_program program = {.argv = argv,
                                 .input = line,
                                 .output = -1,
                                 .messages = -1,
                                 .more = {file[0], file[1]},
                                 .is_bounded = true,
                                 .end = sr_deadline_now() + RUN_MS};

    if (user == NULL || user->pw_uid == 0)
        return 78; /* EX_CONFIG */
    program.uid = user->pw_uid;
    program.gid = user->pw_gid;
    return sr_program_run(&program);
}

/* Whether the key has signed the line, by ssh-keygen. */
static bool
is_signed(struct sr_run *run, const char *key, const char *line,
          const char *armoured, bool *is_broken)
{
    const struct sr_identity id = sr_run_identity(run);
    char principal[4 * SR_NAME_MAX], allowed[SR_KEY_MAX + sizeof(principal)];
    int file[2], status = -1;

    name_principal(&id, principal, sizeof(principal));
    snprintf(allowed, sizeof(allowed),
             "%s namespaces=\"" SR_SIGNATURE_SPACE "\" %s\n", principal,
             sr_key_plain(key));
    file[0] = make_file(allowed);
    file[1] = make_file(armoured);
    if (file[0] >= 0 && file[1] >= 0)
        status = run_keygen(run, principal, file, line);
    for (int i = 0; i < 2; i++) {
        if (file[i] >= 0)
            close(file[i]);
    }
    *is_broken = status != 0 && status != EXIT_NO;
    if (*is_broken) {
        char cause[32];

        snprintf(cause, sizeof(cause), "ssh-keygen %d", status);
        sr_run_event(run, SR_EVENT_GATE_PROGRAM, false, cause);
    }
    return status == 0;
}

unsigned
sr_challenge_check(struct sr_run *run, const struct sr_challenge *challenge,
                   char key[SR_KEYS][SR_KEY_MAX], const char *armoured,
                   bool *is_broken)
{
    /* Of no account: what it is found to have signed counts for nothing. */
    static const char nobody[] =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAA";
    struct sr_signature signature;
    const bool is_one =
        sr_key_read_signature(armoured, SR_SIGNATURE_SPACE, &signature);
    unsigned which = 0;
    bool is_right;

    while (which < SR_KEYS && !(is_one && sr_key_fits(key[which], &signature)))
        which++;
    is_right = is_signed(run, which < SR_KEYS ? key[which] : nobody,
                         challenge->line, armoured, is_broken);
    return is_right ? which : SR_KEYS;
}

/* ---- those of the directory */

/* Whether the directory has a key that it had when it was set up. */
static enum sr_tri
find_known(const struct sr_known_keys *known,
           const struct sr_enrolment *enrolment, unsigned place)
{
    if ((enrolment->known_keys >> place & 1) == 0)
        return SR_YES;
    return sr_known_keys_has(known, enrolment->key[place]);
}

bool
sr_signature_serves(struct sr_run *run, const struct sr_enrolment *enrolment,
                    unsigned place, bool *is_broken)
{
    struct sr_known_keys known = {.count = 0};
    enum sr_tri has;

    if ((enrolment->known_keys >> place & 1) != 0)
        sr_known_keys_read(&run->txn, &known);
    has = find_known(&known, enrolment, place);
    if (has == SR_UNKNOWN) {
        *is_broken = true;
        sr_run_event(run, SR_EVENT_BACKEND_DOWN, false,
                     sr_error_text(&known.error));
    }
    sr_known_keys_free(&known);
    return has == SR_YES;
}

/* ---- a new key */

struct addition {
    char key[SR_KEY_MAX];
    bool is_known;  /* the directory has it */
    unsigned freed; /* places of keys that it has no more, bit by place */
    int64_t wait;
    bool is_full;
};

/* Where a key is, or may be put; SR_KEYS: nowhere. */
static unsigned
find_place(const struct sr_enrolment *enrolment,
           const struct addition *addition)
{
    unsigned place = 0, room = SR_KEYS;

    while (place < SR_KEYS && strcmp(sr_key_plain(enrolment->key[place]),
                                     sr_key_plain(addition->key)) != 0) {
        if (room == SR_KEYS && (enrolment->key[place][0] == '\0' ||
                                (addition->freed >> place & 1) != 0))
            room = place;
        place++;
    }
    return place < SR_KEYS ? place : room;
}

static bool
add_in(void *context, struct sr_enrolment *enrolment,
       const struct sr_account_time *time)
{
    struct addition *addition = context;
    const unsigned place = find_place(enrolment, addition);

    addition->is_full = place == SR_KEYS;
    if (addition->is_full)
        return false;
    memcpy(enrolment->key[place], addition->key, SR_KEY_MAX);
    enrolment->known_keys &= ~(UINT64_C(1) << place);
    enrolment->known_keys |= (uint64_t)addition->is_known << place;
    sr_enrolment_set_up(enrolment, SR_GATE_KEY, addition->wait, time);
    return true;
}

static void
say_fault(struct sr_run *run, enum sr_key_fault fault)
{
    static const char *const texts[] = {
        [SR_KEY_NONE] = N_("That is not a public key, such as the line in "
                           "~/.ssh/id_ed25519.pub."),
        [SR_KEY_KIND] = N_("Keys of that kind are not used here: take an "
                           "Ed25519, ECDSA or RSA key, or one of a security "
                           "key, and no certificate."),
        [SR_KEY_SHORT] = N_("That RSA key has fewer than 2048 bits. Take "
                            "another key."),
        [SR_KEY_LONG] = N_("That key is too long. Take another key."),
        [SR_KEY_OPTIONS] = N_("The line has to begin with the kind of the key, "
                              "such as ssh-ed25519."),
    };

    sr_run_say(run, "%s", _(texts[fault]));
}

/* The end of a key, by which its owner recognises it. */
static const char *
tail_of(const char *key)
{
    const size_t length = strlen(key);

    return key + (length < 12 ? length : length - 12);
}

/* Whether a key of the directory is chosen. */
static bool
choose_known(struct sr_run *run, const struct sr_known_keys *known,
             char key[SR_KEY_MAX])
{
    unsigned number;

    if (known->count == 0)
        return false;
    sr_run_say(run, _("The directory has these keys. Which one do you want to "
                      "set up?"));
    for (unsigned i = 0; i < known->count; i++) {
        const char *plain = sr_key_plain(known->key[i]);

        sr_run_say(run, " %u  %.*s ... %s", i + 1, (int)strcspn(plain, " "),
                   plain, tail_of(plain));
    }
    sr_run_say(run, _(" %u  another one"), known->count + 1);
    number = sr_run_choose(run, known->count + 1);
    if (number == 0 || number > known->count)
        return false;
    memcpy(key, known->key[number - 1], SR_KEY_MAX);
    return true;
}

static bool
ask_key(struct sr_run *run, char key[SR_KEY_MAX])
{
    sr_run_say(run, _("The public key is the line in a file such as "
                      "~/.ssh/id_ed25519.pub. \"ssh-keygen -t ed25519\" makes "
                      "a key, \"ssh-keygen -t ed25519-sk\" one that needs a "
                      "security key."));
    for (int tries = 0; tries < 3 && !run->is_gone; tries++) {
        __attribute__((cleanup(sr_run_wipe))) char *answer =
            sr_run_ask_agent(run, _("Public key: "), NULL, NULL);
        enum sr_key_fault fault;

        if (answer == NULL || answer[0] == '\0')
            return false;
        fault = sr_key_read(answer, key);
        if (fault == SR_KEY_GOOD)
            return true;
        say_fault(run, fault);
    }
    return false;
}

/* Whether the person has the key that belongs to it. */
static bool
prove(struct sr_run *run, const char *key)
{
    char keys[SR_KEYS][SR_KEY_MAX] = {""};
    struct sr_challenge challenge;
    bool is_right = false, is_broken = false;

    snprintf(keys[0], SR_KEY_MAX, "%s", key);
    for (int tries = 0; tries < 3 && !is_right && !is_broken; tries++) {
        __attribute__((cleanup(sr_run_wipe))) char *armoured = NULL;

        if (!sr_challenge_make(run, run->typed, &challenge) ||
            (armoured = sr_challenge_ask(run, &challenge, sr_key_plain(key))) ==
                NULL ||
            armoured[0] == '\0')
            return false;
        is_right = sr_challenge_check(run, &challenge, keys, armoured,
                                      &is_broken) == 0;
        if (is_broken)
            sr_run_say(run, _("Signatures cannot be checked on this system "
                              "now."));
        else if (!is_right)
            sr_run_say(run, _("Not accepted."));
    }
    return is_right;
}

/* What the directory says of the key, and of those that are set up. */
static void
compare(struct sr_run *run, struct addition *addition)
{
    struct sr_enrolment enrolment;
    struct sr_account_time time;
    struct sr_known_keys known;

    sr_known_keys_read(&run->txn, &known);
    addition->is_known = known.decides == SR_YES &&
                         sr_known_keys_has(&known, addition->key) == SR_YES;
    sr_enrolment_get(run->store, &run->txn, &enrolment, &time);
    for (unsigned i = 0; i < SR_KEYS; i++) {
        if (find_known(&known, &enrolment, i) == SR_NO)
            addition->freed |= 1u << i;
    }
    sr_known_keys_free(&known);
    explicit_bzero(&enrolment, sizeof(enrolment));
}

bool
sr_signature_add(struct sr_run *run, int64_t wait)
{
    struct addition addition = {.wait = wait};
    struct sr_known_keys known;
    bool is_chosen;

    sr_known_keys_read(&run->txn, &known);
    is_chosen = choose_known(run, &known, addition.key);
    sr_known_keys_free(&known);
    if ((!is_chosen && !ask_key(run, addition.key)) ||
        !prove(run, addition.key))
        return false;
    compare(run, &addition);
    if (!sr_run_change(run, run, add_in, &addition))
        return false;
    if (addition.is_full)
        sr_run_say(run,
                   _("%d keys are set up, and no more are kept. Remove "
                     "this way first, and set up those that you use."),
                   SR_KEYS);
    return !addition.is_full;
}

void
sr_signature_show(struct sr_run *run, const struct sr_enrolment *enrolment)
{
    struct sr_known_keys known = {.count = 0};

    if (enrolment->known_keys != 0)
        sr_known_keys_read(&run->txn, &known);
    for (unsigned i = 0; i < SR_KEYS; i++) {
        const char *plain = sr_key_plain(enrolment->key[i]);

        if (plain[0] == '\0')
            continue;
        sr_run_say(run, _("  %.*s, which ends with %s"),
                   (int)strcspn(plain, " "), plain, tail_of(plain));
        if (find_known(&known, enrolment, i) == SR_NO)
            sr_run_say(run, _("  The directory does not have it any more, so "
                              "it cannot be used."));
    }
    sr_known_keys_free(&known);
}
