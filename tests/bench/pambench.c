/*
 * PAM bench driver: PAM calls again and again, each time in a process of its
 * own, and what each time took.
 *
 *   pambench [OPTION...] SERVICE USER CALL[+CALL...] [ANSWER...]
 *
 * CALL is auth, acct, session (opened and not closed), chauthtok, or forced
 * (the change that a login demands), on one handle as long as they succeed; or
 * none: what the bench itself costs. A round is fork, pam_start, CALLs,
 * pam_end, since every login loads its modules into a new process; a loop in
 * one process would load a module that stays loaded only once.
 *
 *   --rounds N   how often (1)
 *   --plain      no clocks around the hashes, so that a system call tracer sees
 *                nothing of ours
 *   --maps       print the shared objects that are mapped before pam_end
 *   --rhost H    PAM_RHOST
 *   --pause MS   between two rounds: logins are not milliseconds apart, and
 *                what was written just now is looked at more closely
 *
 * A line of output for each round: last PAM code, hashes, wall time, CPU time,
 * the wall and CPU time of the hashes among it, and the wall time since the
 * last answer was typed, in nanoseconds.  The hashes are counted by functions
 * of the names of libcrypt's, which the modules find first in the program.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <crypt.h>
#include <dlfcn.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_appl.h>

#define EXPORT __attribute__((visibility("default")))

/* What one round took; written by the child, read by the parent. */
struct cost {
    int code;
    unsigned hashes;
    int64_t wall;
    int64_t cpu;
    int64_t hash_wall;
    int64_t hash_cpu;
    int64_t typed; /* when, then how long ago */
};

struct job {
    const char *service;
    const char *user;
    const char *call;
    char **answer;
    const char *rhost;
    long rounds;
    long pause;
    bool maps;
};

/* The hooks have no argument of their own. */
static struct {
    struct cost *cost;
    bool plain;
} round_now;

static int64_t
read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the hashes */

struct stopwatch {
    int64_t wall;
    int64_t cpu;
};

static struct stopwatch
hash_begins(void)
{
    struct stopwatch watch = {0, 0};

    if (round_now.cost != NULL)
        round_now.cost->hashes++;
    if (!round_now.plain) {
        watch.wall = read_clock(CLOCK_MONOTONIC);
        watch.cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    }
    return watch;
}

static void
hash_ends(struct stopwatch began)
{
    if (round_now.cost == NULL || round_now.plain)
        return;
    round_now.cost->hash_cpu +=
        read_clock(CLOCK_PROCESS_CPUTIME_ID) - began.cpu;
    round_now.cost->hash_wall += read_clock(CLOCK_MONOTONIC) - began.wall;
}

/* libcrypt as a module has loaded it: we do not map it ourselves. */
static void *
real(const char *name)
{
    static const char *const object[] = {"libcrypt.so.1", "libcrypt.so.2"};
    void *found = NULL;

    for (size_t i = 0; found == NULL && i < 2; i++) {
        void *library = dlopen(object[i], RTLD_LAZY | RTLD_NOLOAD);

        if (library != NULL) {
            found = dlsym(library, name);
            dlclose(library);
        }
    }
    if (found == NULL) {
        fprintf(stderr, "pambench: %s is not there\n", name);
        _exit(1);
    }
    return found;
}

EXPORT char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    char *(*function)(const char *, const char *, struct crypt_data *);
    struct stopwatch began;
    char *result;

    *(void **)&function = real("crypt_r");
    began = hash_begins();
    result = function(phrase, setting, data);
    hash_ends(began);
    return result;
}

EXPORT char *
crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    char *(*function)(const char *, const char *, void *, int);
    struct stopwatch began;
    char *result;

    *(void **)&function = real("crypt_rn");
    began = hash_begins();
    result = function(phrase, setting, data, size);
    hash_ends(began);
    return result;
}

EXPORT char *
crypt_ra(const char *phrase, const char *setting, void **data, int *size)
{
    char *(*function)(const char *, const char *, void **, int *);
    struct stopwatch began;
    char *result;

    *(void **)&function = real("crypt_ra");
    began = hash_begins();
    result = function(phrase, setting, data, size);
    hash_ends(began);
    return result;
}

EXPORT char *
crypt(const char *phrase, const char *setting)
{
    char *(*function)(const char *, const char *);
    struct stopwatch began;
    char *result;

    *(void **)&function = real("crypt");
    began = hash_begins();
    result = function(phrase, setting);
    hash_ends(began);
    return result;
}

/* ---- one round */

/* Each prompt takes the next answer; everything that is said is dropped. */
static int
converse(int count, const struct pam_message **message,
         struct pam_response **response, void *data)
{
    char ***answer = data;
    struct pam_response *reply = calloc((size_t)count, sizeof(*reply));

    if (reply == NULL)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        if (message[i]->msg_style != PAM_PROMPT_ECHO_OFF &&
            message[i]->msg_style != PAM_PROMPT_ECHO_ON)
            continue;
        if (**answer != NULL)
            reply[i].resp = strdup(*(*answer)++);
        if (!round_now.plain)
            round_now.cost->typed = read_clock(CLOCK_MONOTONIC);
    }
    *response = reply;
    return PAM_SUCCESS;
}

/* In the place of libpam's sleep. */
static void
no_delay(int code, unsigned usec, void *data)
{
    (void)code;
    (void)usec;
    (void)data;
}

static void
set_items(pam_handle_t *pamh, const struct job *job)
{
    void (*delay)(int, unsigned, void *) = no_delay;
    const void *item;

    memcpy(&item, &delay, sizeof(item)); /* a function in a void pointer */
    pam_set_item(pamh, PAM_FAIL_DELAY, item);
    pam_set_item(pamh, PAM_TTY, "ssh");
    if (job->rhost != NULL)
        pam_set_item(pamh, PAM_RHOST, job->rhost);
}

static int
make_call(pam_handle_t *pamh, const char *call, size_t length)
{
    if (strncmp(call, "auth", length) == 0)
        return pam_authenticate(pamh, 0);
    if (strncmp(call, "acct", length) == 0)
        return pam_acct_mgmt(pamh, 0);
    if (strncmp(call, "session", length) == 0)
        return pam_open_session(pamh, 0);
    if (strncmp(call, "forced", length) == 0)
        return pam_chauthtok(pamh, PAM_CHANGE_EXPIRED_AUTHTOK);
    return pam_chauthtok(pamh, 0);
}

/* Each in its turn, as an application does. */
static int
make_calls(pam_handle_t *pamh, const char *call)
{
    int code = PAM_SUCCESS;

    while (*call != '\0' &&
           (code == PAM_SUCCESS || code == PAM_NEW_AUTHTOK_REQD)) {
        size_t length = strcspn(call, "+");

        code = make_call(pamh, call, length);
        call += length + (call[length] == '+');
    }
    return code;
}

static void
print_maps(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[1024];

    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        const char *path = strchr(line, '/');

        if (path != NULL && strstr(path, ".so") != NULL)
            fputs(path, stdout);
    }
    if (maps != NULL)
        fclose(maps);
    fflush(stdout);
}

static int
play(const struct job *job)
{
    char **answer = job->answer;
    const struct pam_conv talk = {converse, &answer};
    pam_handle_t *pamh = NULL;
    int code;

    if (strcmp(job->call, "none") == 0)
        return PAM_SUCCESS;
    code = pam_start(job->service, job->user, &talk, &pamh);
    if (code != PAM_SUCCESS)
        return code;
    set_items(pamh, job);
    code = make_calls(pamh, job->call);
    if (job->maps)
        print_maps();
    pam_end(pamh, code);
    return code;
}

/* In the child. */
static void
measure(const struct job *job, struct cost *cost)
{
    int64_t wall, cpu;

    round_now.cost = cost;
    wall = read_clock(CLOCK_MONOTONIC);
    cost->typed = wall;
    cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    cost->code = play(job);
    cost->cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    cost->typed = read_clock(CLOCK_MONOTONIC) - cost->typed;
    cost->wall = read_clock(CLOCK_MONOTONIC) - wall;
}

static bool
run_round(const struct job *job, struct cost *cost)
{
    const struct timespec pause = {0, job->pause * 1000000};
    int status = -1;
    pid_t child;

    if (job->pause > 0)
        nanosleep(&pause, NULL);
    child = fork();
    if (child == 0) {
        measure(job, cost);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* ---- the command line */

static const struct option options[] = {
    {"rounds", required_argument, NULL, 'r'},
    {"plain", no_argument, NULL, 'p'},
    {"maps", no_argument, NULL, 'm'},
    {"rhost", required_argument, NULL, 'h'},
    {"pause", required_argument, NULL, 's'},
    {NULL, 0, NULL, 0},
};

static bool
read_options(int argc, char **argv, struct job *job)
{
    int option;

    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == 'r')
            job->rounds = strtol(optarg, NULL, 10);
        else if (option == 'p')
            round_now.plain = true;
        else if (option == 'm')
            job->maps = true;
        else if (option == 'h')
            job->rhost = optarg;
        else if (option == 's')
            job->pause = strtol(optarg, NULL, 10);
        else
            return false;
    }
    if (argc - optind < 3 || job->rounds < 1)
        return false;
    job->service = argv[optind];
    job->user = argv[optind + 1];
    job->call = argv[optind + 2];
    job->answer = argv + optind + 3;
    return true;
}

int
main(int argc, char **argv)
{
    struct job job = {.rounds = 1};
    struct cost *cost;

    if (!read_options(argc, argv, &job)) {
        fputs("usage: pambench [OPTION...] SERVICE USER CALL [ANSWER...]\n",
              stderr);
        return 2;
    }
    cost = mmap(NULL, (size_t)job.rounds * sizeof(*cost),
                PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (cost == MAP_FAILED)
        return 1;
    for (long i = 0; i < job.rounds; i++) {
        if (!run_round(&job, &cost[i])) {
            fputs("pambench: a round ended badly\n", stderr);
            return 1;
        }
    }
    for (long i = 0; !job.maps && i < job.rounds; i++)
        printf("%d %u %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
               "\n",
               cost[i].code, cost[i].hashes, cost[i].wall, cost[i].cpu,
               cost[i].hash_wall, cost[i].hash_cpu, cost[i].typed);
    return 0;
}
