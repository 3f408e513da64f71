/*
 * PAM test driver: plays the application.  It makes the calls it is told to
 * make, answers prompts from a list, and prints every message, prompt and code.
 *
 *   pamdrive [OPTION...] SERVICE USER STEP...
 *
 * Options (before SERVICE):
 *   --confdir DIR     PAM services are files in DIR (pam_start_confdir)
 *   --rhost H --ruser R --tty T   PAM items; with --rounds a "%" in H or in
 *                     USER becomes the number of the round
 *   --answer TEXT     the next answer; used in order, one for each prompt
 *   --masked HEX      the same, each byte given in hex and XORed with a5, so
 *                     that the clear text is in no argv and no environment
 *   --null-answer     when answers have run out say PAM_SUCCESS with no
 *                     response instead of PAM_CONV_ERR
 *   --ask             when answers have run out read them from standard input
 *   --no-conversation a conversation function that is NULL, as cron has
 *   --silent          PAM_SILENT in every call
 *   --disallow-null   PAM_DISALLOW_NULL_AUTHTOK in authenticate
 *   --find HEX        what the step `search` looks for (masked as above)
 *   --real-uid N      setresuid(N, 0, 0) first: a set-user-ID program
 *   --uid N           setresuid(N, N, N) first: not root at all
 *   --real-delay      let libpam sleep; otherwise the delay is only printed
 *   --rounds N        the steps again and again on one handle
 *   --processes N     N processes at once, each with a handle of its own; then
 *                     only "count STEP CODE HOW-MANY" is printed
 *   --kill USEC       each of these is killed at a random moment before USEC
 *   --seed N          for these moments
 *
 * Steps: auth acct chauthtok change-expired cred (establish) reinitialize
 * refresh delete (of pam_setcred) open close search pause maps, and
 * limit:fsize=N limit:nofile=N limit:as=N umask:OCTAL close-fds user:NAME
 * env:NAME=VALUE (environment of the process) pamenv:NAME=VALUE (of the handle)
 * setlocale:NAME real-uid:N, and steal: every socket is closed, as a daemon
 * does with what it does not know, and an empty file of the application gets
 * its number; in the end "stolen open|closed SIZE" is printed for each.
 *
 * A line "locale of a conversation" says that the module had changed it there.
 *
 * Each line of the output is "WORD REST", REST with newlines as \n.  Exit
 * status: 0 done, 1 trouble, 2 usage, 3 the marker was found.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_appl.h>

#define MASK        0xa5u
#define ANSWERS_MAX 64
#define CHUNK       65536u
#define STOLEN_MAX  16
#define FIRST_OURS  100 /* descriptors of the driver itself */

struct answer {
    const char *text;
    bool is_masked;
};

struct job {
    const char *confdir;
    const char *service;
    const char *user;
    const char *rhost;
    const char *ruser;
    const char *tty;
    const char *find;
    struct answer answer[ANSWERS_MAX];
    size_t answers;
    size_t next_answer;
    bool null_answer;
    bool ask;
    bool no_conversation;
    bool real_delay;
    unsigned flags;
    unsigned auth_flags;
    long real_uid;
    long uid;
    long rounds;
    long round;
    long processes;
    long kill_usec;
    long seed;
    char **step;
    int stolen[STOLEN_MAX];
    size_t stolen_count;
    FILE *out;
    int last_code;
    bool is_found;
};

static const char *
code_name(int code)
{
#define NAME(x) [x] = #x
    static const char *const name[] = {
        NAME(PAM_SUCCESS),
        NAME(PAM_OPEN_ERR),
        NAME(PAM_SYMBOL_ERR),
        NAME(PAM_SERVICE_ERR),
        NAME(PAM_SYSTEM_ERR),
        NAME(PAM_BUF_ERR),
        NAME(PAM_PERM_DENIED),
        NAME(PAM_AUTH_ERR),
        NAME(PAM_CRED_INSUFFICIENT),
        NAME(PAM_AUTHINFO_UNAVAIL),
        NAME(PAM_USER_UNKNOWN),
        NAME(PAM_MAXTRIES),
        NAME(PAM_NEW_AUTHTOK_REQD),
        NAME(PAM_ACCT_EXPIRED),
        NAME(PAM_SESSION_ERR),
        NAME(PAM_CRED_UNAVAIL),
        NAME(PAM_CRED_EXPIRED),
        NAME(PAM_CRED_ERR),
        NAME(PAM_NO_MODULE_DATA),
        NAME(PAM_CONV_ERR),
        NAME(PAM_AUTHTOK_ERR),
        NAME(PAM_AUTHTOK_RECOVERY_ERR),
        NAME(PAM_AUTHTOK_LOCK_BUSY),
        NAME(PAM_AUTHTOK_DISABLE_AGING),
        NAME(PAM_TRY_AGAIN),
        NAME(PAM_IGNORE),
        NAME(PAM_ABORT),
        NAME(PAM_AUTHTOK_EXPIRED),
        NAME(PAM_MODULE_UNKNOWN),
        NAME(PAM_BAD_ITEM),
        NAME(PAM_CONV_AGAIN),
        NAME(PAM_INCOMPLETE),
    };
#undef NAME
    if (code < 0 || (size_t)code >= sizeof(name) / sizeof(name[0]))
        return "PAM_?";
    return name[code];
}

/* Print one line; what the module sent is kept to one line. */
static void
say(const struct job *job, const char *word, const char *text)
{
    fprintf(job->out, "%s ", word);
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '\n')
            fputs("\\n", job->out);
        else if (*text == '\\')
            fputs("\\\\", job->out);
        else
            fputc(*text, job->out);
    }
    fputc('\n', job->out);
    fflush(job->out);
}

static unsigned
hex_byte(const char *hex)
{
    const char text[3] = {hex[0], hex[1], '\0'};

    return (unsigned)strtoul(text, NULL, 16);
}

/* The response is the only place where the clear text of a masked answer is. */
static char *
make_response(const struct answer *answer)
{
    size_t size;
    char *response;

    if (!answer->is_masked)
        return strdup(answer->text);
    size = strlen(answer->text) / 2;
    response = malloc(size + 1);
    if (response == NULL)
        return NULL;
    for (size_t i = 0; i < size; i++)
        response[i] = (char)(hex_byte(answer->text + 2 * i) ^ MASK);
    response[size] = '\0';
    return response;
}

/* A line of standard input; NULL at its end. */
static char *
read_answer(void)
{
    char *line = NULL;
    size_t size = 0;

    if (getline(&line, &size, stdin) < 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static int
answer_prompt(struct job *job, const struct pam_message *message,
              struct pam_response *response)
{
    switch (message->msg_style) {
    case PAM_TEXT_INFO:
        say(job, "info", message->msg);
        return PAM_SUCCESS;
    case PAM_ERROR_MSG:
        say(job, "error", message->msg);
        return PAM_SUCCESS;
    case PAM_PROMPT_ECHO_ON:
        say(job, "prompt-echo", message->msg);
        break;
    case PAM_PROMPT_ECHO_OFF:
        say(job, "prompt", message->msg);
        break;
    default:
        say(job, "strange", message->msg);
        return PAM_CONV_ERR;
    }
    if (job->next_answer >= job->answers && job->ask) {
        fflush(job->out);
        response->resp = read_answer();
        return response->resp != NULL ? PAM_SUCCESS : PAM_CONV_ERR;
    }
    if (job->next_answer >= job->answers) {
        say(job, "unanswered", "");
        return job->null_answer ? PAM_SUCCESS : PAM_CONV_ERR;
    }
    response->resp = make_response(&job->answer[job->next_answer++]);
    return response->resp != NULL ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int
converse(int count, const struct pam_message **message,
         struct pam_response **response, void *data)
{
    struct job *job = data;
    struct pam_response *reply = calloc((size_t)count, sizeof(*reply));
    int result = reply != NULL ? PAM_SUCCESS : PAM_BUF_ERR;

    if (uselocale((locale_t)0) != LC_GLOBAL_LOCALE)
        fprintf(job->out, "locale of a conversation\n");
    for (int i = 0; i < count && result == PAM_SUCCESS; i++)
        result = answer_prompt(job, message[i], &reply[i]);
    if (result == PAM_SUCCESS) {
        *response = reply;
        return result;
    }
    for (int i = 0; reply != NULL && i < count; i++) {
        if (reply[i].resp != NULL)
            explicit_bzero(reply[i].resp, strlen(reply[i].resp));
        free(reply[i].resp);
    }
    free(reply);
    return result;
}

/* In the place of libpam's sleep, so that tests are quick and exact. */
static void
note_delay(int code, unsigned usec, void *data)
{
    struct job *job = data;

    if (code != PAM_SUCCESS)
        fprintf(job->out, "delay %u\n", usec);
}

/* ---- the search of our own memory */

static bool
is_marker(const char *hex, size_t size, const unsigned char *at)
{
    for (size_t i = 0; i < size; i++) {
        if ((hex_byte(hex + 2 * i) ^ MASK) != at[i])
            return false;
    }
    return true;
}

static void
search_mapping(struct job *job, int memory, unsigned char *buffer,
               uintptr_t begin, uintptr_t end, const char *what)
{
    size_t size = strlen(job->find) / 2;
    unsigned first = hex_byte(job->find) ^ MASK;
    ssize_t got;

    for (uintptr_t at = begin; at < end; at += CHUNK - size) {
        size_t want = end - at < CHUNK ? end - at : CHUNK;

        got = pread(memory, buffer, want, (off_t)at);
        for (ssize_t i = 0; i + (ssize_t)size <= got; i++) {
            if (buffer[i] == first && is_marker(job->find, size, buffer + i)) {
                fprintf(job->out, "found %" PRIxPTR " %s", at + (uintptr_t)i,
                        what);
                job->is_found = true;
            }
        }
        explicit_bzero(buffer, CHUNK);
        if (end - at <= CHUNK)
            break;
    }
}

static void
search(struct job *job)
{
    char line[1024];
    uintptr_t begin, end;
    char mode[5];
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned char *buffer = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (job->find == NULL || memory < 0 || maps == NULL ||
        buffer == MAP_FAILED) {
        say(job, "trouble", "cannot search");
        exit(1);
    }
    while (fgets(line, sizeof(line), maps) != NULL) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, mode) !=
                3 ||
            mode[0] != 'r' || strstr(line, "[v") != NULL)
            continue;
        if ((uintptr_t)buffer < begin || (uintptr_t)buffer >= end) {
            search_mapping(job, memory, buffer, begin, end, line);
            continue;
        }
        /* The kernel may have joined our buffer to a neighbour. */
        search_mapping(job, memory, buffer, begin, (uintptr_t)buffer, line);
        search_mapping(job, memory, buffer, (uintptr_t)buffer + CHUNK, end,
                       line);
    }
    fclose(maps);
    close(memory);
    munmap(buffer, CHUNK);
    say(job, "searched", job->is_found ? "found" : "clean");
}

/* ---- steps */

static void
set_limit(struct job *job, const char *text)
{
    static const struct {
        const char *name;
        __rlimit_resource_t resource;
    } known[] = {
        {"fsize=", RLIMIT_FSIZE},
        {"nofile=", RLIMIT_NOFILE},
        {"as=", RLIMIT_AS},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t length = strlen(known[i].name);

        if (strncmp(text, known[i].name, length) == 0) {
            rlim_t value = strtoul(text + length, NULL, 10);
            const struct rlimit limit = {value, value};

            if (setrlimit(known[i].resource, &limit) == 0)
                return;
        }
    }
    say(job, "trouble", text);
    exit(1);
}

/* The libraries that are mapped. */
static void
print_maps(struct job *job)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];

    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        char *name = strchr(line, '/');

        if (name != NULL && strstr(name, ".so") != NULL)
            fprintf(job->out, "map %s", name);
    }
    if (maps != NULL)
        fclose(maps);
}

static void
steal(struct job *job)
{
    struct stat status;

    for (int fd = 3; fd < FIRST_OURS && job->stolen_count < STOLEN_MAX; fd++) {
        int file;

        if (fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode))
            continue;
        file = memfd_create("stolen", MFD_CLOEXEC);
        if (file < 0 || dup2(file, fd) != fd)
            exit(1);
        close(file);
        job->stolen[job->stolen_count++] = fd;
    }
    fprintf(job->out, "stole %zu\n", job->stolen_count);
}

static void
print_stolen(const struct job *job)
{
    struct stat status;

    for (size_t i = 0; i < job->stolen_count; i++) {
        bool is_open = fstat(job->stolen[i], &status) == 0;

        fprintf(job->out, "stolen %s %lld\n", is_open ? "open" : "closed",
                is_open ? (long long)status.st_size : 0LL);
    }
}

static void
pause_here(struct job *job)
{
    fprintf(job->out, "paused %ld\n", (long)getpid());
    fflush(job->out);
    for (;;) {
        char byte;

        if (read(STDIN_FILENO, &byte, 1) <= 0 || byte == '\n')
            return;
    }
}

/* The steps that are not PAM calls.  False: not one of them. */
static bool
run_other(struct job *job, pam_handle_t *pamh, char *step)
{
    if (strncmp(step, "limit:", 6) == 0) {
        set_limit(job, step + 6);
    } else if (strncmp(step, "umask:", 6) == 0) {
        umask((mode_t)strtoul(step + 6, NULL, 8));
    } else if (strncmp(step, "user:", 5) == 0) {
        pam_set_item(pamh, PAM_USER, step + 5);
    } else if (strncmp(step, "real-uid:", 9) == 0) {
        if (setresuid((uid_t)strtoul(step + 9, NULL, 10), 0, 0) != 0)
            exit(1);
    } else if (strncmp(step, "pamenv:", 7) == 0) {
        pam_putenv(pamh, step + 7);
    } else if (strncmp(step, "env:", 4) == 0) {
        putenv(step + 4);
    } else if (strncmp(step, "setlocale:", 10) == 0) {
        if (setlocale(LC_ALL, step + 10) == NULL)
            exit(1);
    } else if (strcmp(step, "close-fds") == 0) {
        for (int fd = 0; fd < 3; fd++)
            close(fd);
    } else if (strcmp(step, "search") == 0) {
        search(job);
    } else if (strcmp(step, "maps") == 0) {
        print_maps(job);
    } else if (strcmp(step, "steal") == 0) {
        steal(job);
    } else if (strcmp(step, "pause") == 0) {
        pause_here(job);
    } else {
        return false;
    }
    return true;
}

static int
run_call(const struct job *job, pam_handle_t *pamh, const char *step)
{
    static const struct {
        const char *step;
        unsigned flag;
    } set[] = {{"cred", PAM_ESTABLISH_CRED},
               {"reinitialize", PAM_REINITIALIZE_CRED},
               {"refresh", PAM_REFRESH_CRED},
               {"delete", PAM_DELETE_CRED}};
    int flags = (int)job->flags;

    if (strcmp(step, "auth") == 0)
        return pam_authenticate(pamh, (int)(job->flags | job->auth_flags));
    if (strcmp(step, "acct") == 0)
        return pam_acct_mgmt(pamh, flags);
    if (strcmp(step, "chauthtok") == 0)
        return pam_chauthtok(pamh, flags);
    if (strcmp(step, "change-expired") == 0)
        return pam_chauthtok(pamh,
                             (int)(job->flags | PAM_CHANGE_EXPIRED_AUTHTOK));
    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
        if (strcmp(step, set[i].step) == 0)
            return pam_setcred(pamh, (int)(job->flags | set[i].flag));
    }
    if (strcmp(step, "open") == 0)
        return pam_open_session(pamh, flags);
    if (strcmp(step, "close") == 0)
        return pam_close_session(pamh, flags);
    fprintf(stderr, "pamdrive: unknown step %s\n", step);
    exit(2);
}

static int64_t
nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
run_steps(struct job *job, pam_handle_t *pamh)
{
    for (char **step = job->step; *step != NULL; step++) {
        int64_t began;

        if (run_other(job, pamh, *step))
            continue;
        began = nanoseconds();
        job->last_code = run_call(job, pamh, *step);
        fprintf(job->out, "time %s %" PRId64 "\n", *step,
                nanoseconds() - began);
        fprintf(job->out, "code %s %s\n", *step, code_name(job->last_code));
        fflush(job->out);
    }
}

/* A copy of `text` in which "%" is the number of the round. */
static char *
numbered(const char *text, long round)
{
    const char *mark = strchr(text, '%');
    char *copy = NULL;
    int result;

    if (mark == NULL)
        return strdup(text);
    result =
        asprintf(&copy, "%.*s%ld%s", (int)(mark - text), text, round, mark + 1);
    return result >= 0 ? copy : NULL;
}

static void
set_item(pam_handle_t *pamh, int item, const char *text, long round)
{
    char *value;

    if (text == NULL)
        return;
    value = numbered(text, round);
    if (value == NULL || pam_set_item(pamh, item, value) != PAM_SUCCESS) {
        fputs("pamdrive: pam_set_item failed\n", stderr);
        exit(1);
    }
    free(value);
}

static pam_handle_t *
start(struct job *job)
{
    const struct pam_conv nobody = {NULL, job};
    const struct pam_conv talk = {converse, job};
    const struct pam_conv *conv = job->no_conversation ? &nobody : &talk;
    pam_handle_t *pamh = NULL;
    int result;

    if (job->confdir == NULL)
        result = pam_start(job->service, job->user, conv, &pamh);
    else
#ifdef HAVE_PAM_START_CONFDIR
        result = pam_start_confdir(job->service, job->user, conv, job->confdir,
                                   &pamh);
#else
        result = PAM_SYMBOL_ERR;
#endif
    if (result != PAM_SUCCESS) {
        fprintf(stderr, "pamdrive: pam_start: %s\n", code_name(result));
        exit(1);
    }
    return pamh;
}

/* One application: one handle, all rounds. */
static void
play(struct job *job)
{
    pam_handle_t *pamh = start(job);

    if (!job->real_delay) {
        /* libpam's item is a function pointer in a void pointer. */
        void (*delay)(int, unsigned, void *) = note_delay;
        const void *item;

        memcpy(&item, &delay, sizeof(item));
        pam_set_item(pamh, PAM_FAIL_DELAY, item);
    }
    set_item(pamh, PAM_RUSER, job->ruser, 0);
    set_item(pamh, PAM_TTY, job->tty, 0);
    for (job->round = 0; job->round < job->rounds; job->round++) {
        job->next_answer = 0;
        set_item(pamh, PAM_RHOST, job->rhost, job->round);
        if (job->rounds > 1)
            set_item(pamh, PAM_USER, job->user, job->round);
        run_steps(job, pamh);
    }
    pam_end(pamh, job->last_code);
    print_stolen(job);
}

static void
take_ids(const struct job *job)
{
    if (job->uid >= 0 &&
        (setgroups(0, NULL) != 0 ||
         setresgid((gid_t)job->uid, (gid_t)job->uid, (gid_t)job->uid) != 0 ||
         setresuid((uid_t)job->uid, (uid_t)job->uid, (uid_t)job->uid) != 0)) {
        perror("pamdrive: setresuid");
        exit(1);
    }
    if (job->real_uid >= 0 && setresuid((uid_t)job->real_uid, 0, 0) != 0) {
        perror("pamdrive: setresuid");
        exit(1);
    }
}

/* ---- many at once */

/* A child waits until the gate closes, plays, and reports its last code. */
static void
run_child(struct job *job, const int gate[2], int report)
{
    unsigned char code;
    char byte;

    close(gate[1]);
    job->out = fopen("/dev/null", "we");
    take_ids(job);
    if (job->out == NULL || read(gate[0], &byte, 1) != 0)
        _exit(1);
    play(job);
    code = (unsigned char)job->last_code;
    _exit(write(report, &code, 1) == 1 ? 0 : 1);
}

static void
kill_at_random(const struct job *job, const pid_t *child)
{
    long when = 0;

    for (long i = 0; i < job->processes; i++) {
        long step = random() % (2 * job->kill_usec / job->processes + 1);
        const struct timespec wait = {0, step * 1000};

        nanosleep(&wait, NULL);
        when += step;
        kill(child[random() % job->processes], SIGKILL);
    }
    for (long i = 0; i < job->processes; i++)
        kill(child[i], SIGKILL);
    fprintf(job->out, "killed within %ld usec\n", when);
}

static void
print_counts(struct job *job, int report)
{
    long count[256] = {0};
    unsigned char code;
    const char *last = "";

    for (char **step = job->step; *step != NULL; step++)
        last = *step;
    while (read(report, &code, 1) == 1)
        count[code]++;
    for (int i = 0; i < 256; i++) {
        if (count[i] > 0)
            fprintf(job->out, "count %s %s %ld\n", last, code_name(i),
                    count[i]);
    }
}

static void
run_many(struct job *job)
{
    int gate[2], report[2];
    pid_t *child = calloc((size_t)job->processes, sizeof(*child));

    if (child == NULL || pipe2(gate, O_CLOEXEC) != 0 ||
        pipe2(report, O_CLOEXEC) != 0) {
        perror("pamdrive");
        exit(1);
    }
    srandom((unsigned)job->seed);
    for (long i = 0; i < job->processes; i++) {
        child[i] = fork();
        if (child[i] == 0)
            run_child(job, gate, report[1]);
        if (child[i] < 0) {
            perror("pamdrive: fork");
            exit(1);
        }
    }
    close(report[1]);
    close(gate[1]); /* all go */
    if (job->kill_usec > 0)
        kill_at_random(job, child);
    for (long i = 0; i < job->processes; i++)
        waitpid(child[i], NULL, 0);
    print_counts(job, report[0]);
    free(child);
}

/* ---- the command line */

static long
number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0') {
        fprintf(stderr, "pamdrive: not a number: %s\n", text);
        exit(2);
    }
    return value;
}

static void
add_answer(struct job *job, const char *text, bool is_masked)
{
    if (job->answers == ANSWERS_MAX) {
        fputs("pamdrive: too many answers\n", stderr);
        exit(2);
    }
    job->answer[job->answers].text = text;
    job->answer[job->answers].is_masked = is_masked;
    job->answers++;
}

static const struct option options[] = {
    {"confdir", required_argument, NULL, 'c'},
    {"rhost", required_argument, NULL, 'h'},
    {"ruser", required_argument, NULL, 'r'},
    {"tty", required_argument, NULL, 't'},
    {"answer", required_argument, NULL, 'a'},
    {"masked", required_argument, NULL, 'm'},
    {"null-answer", no_argument, NULL, 'n'},
    {"ask", no_argument, NULL, 'A'},
    {"no-conversation", no_argument, NULL, 'N'},
    {"silent", no_argument, NULL, 's'},
    {"disallow-null", no_argument, NULL, 'd'},
    {"find", required_argument, NULL, 'f'},
    {"real-uid", required_argument, NULL, 'R'},
    {"uid", required_argument, NULL, 'u'},
    {"real-delay", no_argument, NULL, 'D'},
    {"rounds", required_argument, NULL, 'o'},
    {"processes", required_argument, NULL, 'p'},
    {"kill", required_argument, NULL, 'k'},
    {"seed", required_argument, NULL, 'S'},
    {NULL, 0, NULL, 0},
};

static void
take_option(struct job *job, int option)
{
    switch (option) {
    case 'c':
        job->confdir = optarg;
        break;
    case 'h':
        job->rhost = optarg;
        break;
    case 'r':
        job->ruser = optarg;
        break;
    case 't':
        job->tty = optarg;
        break;
    case 'a':
        add_answer(job, optarg, false);
        break;
    case 'm':
        add_answer(job, optarg, true);
        break;
    case 'n':
        job->null_answer = true;
        break;
    case 'A':
        job->ask = true;
        break;
    case 'N':
        job->no_conversation = true;
        break;
    case 's':
        job->flags |= PAM_SILENT;
        break;
    case 'd':
        job->auth_flags |= PAM_DISALLOW_NULL_AUTHTOK;
        break;
    case 'f':
        job->find = optarg;
        break;
    case 'R':
        job->real_uid = number(optarg);
        break;
    case 'u':
        job->uid = number(optarg);
        break;
    case 'D':
        job->real_delay = true;
        break;
    case 'o':
        job->rounds = number(optarg);
        break;
    case 'p':
        job->processes = number(optarg);
        break;
    case 'k':
        job->kill_usec = number(optarg);
        break;
    case 'S':
        job->seed = number(optarg);
        break;
    default:
        exit(2);
    }
}

int
main(int argc, char **argv)
{
    struct job job = {.real_uid = -1, .uid = -1, .rounds = 1};
    int option;

    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
        take_option(&job, option);
    if (argc - optind < 3) {
        fputs("usage: pamdrive [OPTION...] SERVICE USER STEP...\n", stderr);
        return 2;
    }
    job.service = argv[optind];
    job.user = argv[optind + 1];
    job.step = argv + optind + 2;
    /* Our output must work when the first three descriptors are closed. */
    job.out = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, FIRST_OURS), "w");
    if (job.out == NULL)
        return 1;
    if (job.processes > 0) {
        run_many(&job);
    } else {
        take_ids(&job);
        play(&job);
    }
    fclose(job.out);
    return job.is_found ? 3 : 0;
}
