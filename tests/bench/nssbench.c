/*
 * NSS bench: what publishing and looking up cost.
 *
 *   nssbench build COUNT VIEWS      publish a snapshot of COUNT accounts: local
 *                                   ones in 1 view, a directory's in 2
 *   nssbench lookup COUNT ROUNDS    the module's own functions
 *   nssbench publish COUNT TIMES VIEWS SYNCS  deltas in 1 or 2 views; SYNCS 0
 *                                   leaves out to wait for the disk
 *   nssbench first CALL NAME        the first call of this process, by glibc
 *   nssbench warm CALL PEOPLE ROUNDS  later ones
 *   nssbench credential ROUNDS      what initgroups(3) asks of the module
 *
 * CALL is getspnam, getgrouplist or unknown (getgrouplist of nobody's name).
 * Accounts are named "user0000000" and on.  What is measured is printed as
 * words and numbers, a line for each round: nanoseconds, of CPU where nobody is
 * waited for.  The published directory is the built-in one: to be run where
 * that is private.  Exit status: 0 done, 1 trouble, 2 usage.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <nss.h>
#include <shadow.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policy/publish/install.h"
#include "policy/publish/writer.h"

#define CALLS 512 /* in a round */
#define NAME  16

static void __attribute__((noreturn)) die(const char *what)
{
    fprintf(stderr, "nssbench: %s\n", what);
    exit(1);
}

static int64_t
read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Wall time, for what waits for others. */
static int64_t
nanoseconds(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* CPU time, for what waits for nobody: as long as it takes on a machine that
 * does nothing else. */
static int64_t
cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* ---- syncing is the disk's work: what it takes is counted apart, or it is
 * left out */

static struct {
    int64_t wall, cpu;
} synced;

static bool no_sync;

static int
sync_by(long call, int fd)
{
    int result;

    if (no_sync)
        return 0;
    synced.wall -= nanoseconds();
    synced.cpu -= cpu();
    result = (int)syscall(call, fd);
    synced.wall += nanoseconds();
    synced.cpu += cpu();
    return result;
}

int
fsync(int fd)
{
    return sync_by(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
    return sync_by(SYS_fdatasync, fd);
}

/* ---- chance, the same in every run */

static uint64_t dice_state = UINT64_C(0x2545f4914f6cdd1d);

static uint32_t
dice(uint32_t sides)
{
    dice_state ^= dice_state << 13;
    dice_state ^= dice_state >> 7;
    dice_state ^= dice_state << 17;
    return (uint32_t)((dice_state >> 32) * sides >> 32);
}

static void
name_user(char name[NAME], uint32_t number)
{
    snprintf(name, NAME, "user%07u", number);
}

/* Names of a round: accounts, or nobody's. */
static void
choose_names(char names[CALLS][NAME], uint32_t people, bool is_hit)
{
    for (unsigned i = 0; i < CALLS; i++) {
        name_user(names[i], dice(people));
        if (!is_hit)
            names[i][0] = 'n';
    }
}

/* ---- build and publish */

static void
make_facts(uint32_t number, bool is_local, sr_time now, struct sr_facts *facts)
{
    sr_facts_init(facts);
    name_user(facts->name, number);
    strcpy(facts->backend, is_local ? sr_backend_local.type : "ldap");
    facts->answered = SR_YES;
    facts->has_password = SR_YES;
    facts->disabled = number % 50 == 1 ? SR_YES : SR_NO;
    facts->locked = SR_LOCK_NO;
    facts->must_change = number % 40 == 2 ? SR_YES : SR_NO;
    facts->password_changed = now - (sr_time)(number % 100) * SR_DAY;
    facts->password_expires = facts->password_changed + 90 * SR_DAY;
    facts->may_change_from = facts->password_changed + SR_DAY;
    if (number % 10 == 3)
        facts->account_ends = now + 200 * SR_DAY;
}

static void
name_groups(uint32_t gid[SR_GROUP_COUNT])
{
    for (unsigned i = 0; i < SR_GROUP_COUNT; i++) {
        const struct group *found = getgrnam(sr_group_name((enum sr_group)i));

        gid[i] = found == NULL ? 0 : found->gr_gid;
    }
}

/* The CPU that glibc takes to parse so many lines of shadow(5): what a reader
 * without a snapshot would do. */
static int64_t
parse_lines(uint32_t count)
{
    static const char line[] = "user0000000:*:20000:0:90:7::30000:\n";
    char *text = malloc((sizeof(line) - 1) * 1000);
    int64_t took = 0;

    if (text == NULL)
        die("out of memory");
    for (size_t i = 0; i < 1000; i++)
        memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
    for (uint32_t done = 0; done < count; done += 1000) {
        FILE *stream = fmemopen(text, (sizeof(line) - 1) * 1000, "r");

        if (stream == NULL)
            die("out of memory");
        took -= cpu();
        while (fgetspent(stream) != NULL)
            continue;
        took += cpu();
        fclose(stream);
    }
    free(text);
    return took;
}

/* The CPU that the kernel takes to make a link and rename it. */
static int64_t
exchange_link(void)
{
    static const char *const name[] = {SR_PUBLISHED_DIR "/groups.d/:bench1",
                                       SR_PUBLISHED_DIR "/groups.d/:bench2"};
    char target[160];
    int64_t took;

    memset(target, 'x', sizeof(target) - 1);
    target[sizeof(target) - 1] = '\0';
    took = -cpu();
    if (symlink(target, name[0]) != 0 || rename(name[0], name[1]) != 0)
        die("a link cannot be made");
    took += cpu();
    unlink(name[1]);
    return took;
}

/* All but what making the facts takes, which come from elsewhere. */
static void
build(uint32_t count, bool is_local)
{
    const struct sr_rules rules = {.warn = 14 * SR_DAY};
    struct sr_publish_how how = {.sequence = sr_publish_sequence(),
                                 .now = time(NULL),
                                 .max_age = SR_DAY};
    struct sr_builder *builder;
    struct sr_facts facts;
    char reason[160] = "";
    int64_t making, took;

    name_groups(how.gid);
    making = -cpu();
    for (uint32_t i = 0; i < count; i++)
        make_facts(i, is_local, how.now, &facts);
    making += cpu();
    took = -cpu();
    builder = sr_builder_new(&how);
    if (builder == NULL)
        die("out of memory");
    for (uint32_t i = 0; i < count; i++) {
        make_facts(i, is_local, how.now, &facts);
        if (sr_builder_add(builder, &facts, &rules, false) != 0)
            die("an account cannot be added");
    }
    memset(&synced, 0, sizeof(synced));
    if (sr_builder_commit(builder, SR_PUBLISHED_DIR, reason, sizeof(reason)) !=
        SR_PUBLISH_OK)
        die(reason);
    took += cpu() - making - synced.cpu;
    sr_builder_free(builder);
    printf("build %lld %lld %lld\n", (long long)took, (long long)synced.wall,
           (long long)parse_lines(count));
}

static void
publish(uint32_t count, unsigned times, bool is_local)
{
    static const struct sr_config config;
    struct sr_account account;
    struct sr_transaction txn = {.config = &config,
                                 .rules = {.warn = 14 * SR_DAY},
                                 .account = &account,
                                 .ask = SR_STATUS_OK};
    char reason[160] = "";

    memset(&account, 0, sizeof(account));
    /* Other news in every run, or nothing is published. */
    dice_state ^= sr_publish_sequence();
    for (unsigned i = 0; i < times; i++) {
        const sr_time now = time(NULL);
        int64_t began;

        make_facts(dice(count), is_local, now, &account.facts);
        account.facts.disabled = SR_YES;
        account.facts.account_ends = now + dice(1000000000);
        txn.has_recalled = true;
        txn.everywhere = sr_lockout_none();
        memset(&synced, 0, sizeof(synced));
        began = cpu();
        if (sr_publish_gathered(SR_PUBLISHED_DIR, &txn, sr_publish_sequence(),
                                1000, reason, sizeof(reason)) != SR_PUBLISH_OK)
            die(reason);
        began = cpu() - began - synced.cpu;
        printf("publish %lld %lld %lld\n", (long long)began,
               (long long)synced.wall, (long long)exchange_link());
    }
}

/* ---- the module's own functions, beside what reading a page costs */

struct module {
    enum nss_status (*groups)(const char *user, gid_t group, long *start,
                              long *size, gid_t **groups, long limit,
                              int *errnop);
    enum nss_status (*shadow)(const char *name, struct spwd *result,
                              char *buffer, size_t size, int *errnop);
};

static struct module
load(void)
{
    void *handle = dlopen("libnss_selfreset.so.2", RTLD_NOW);
    struct module module;

    if (handle == NULL)
        die(dlerror());
    *(void **)&module.groups = dlsym(handle, "_nss_selfreset_initgroups_dyn");
    *(void **)&module.shadow = dlsym(handle, "_nss_selfreset_getspnam_r");
    if (module.groups == NULL || module.shadow == NULL)
        die("the module lacks a function");
    return module;
}

static gid_t *room; /* for groups; the module may make it larger */
static long room_size = 64;

static bool
ask_groups(const struct module *module, const char *name, long limit)
{
    long start = 0;
    int why = 0;

    return module->groups(name, 100, &start, &room_size, &room, limit, &why) ==
           NSS_STATUS_SUCCESS;
}

static bool
ask_shadow(const struct module *module, const char *name)
{
    struct spwd result;
    char buffer[512];
    int why = 0;

    return module->shadow(name, &result, buffer, sizeof(buffer), &why) ==
           NSS_STATUS_SUCCESS;
}

/* Open, read a page of it somewhere, close. */
static int64_t
read_pages(const char *path, uint32_t pages)
{
    static uint32_t number[CALLS];
    char page[4096];
    int64_t began;

    for (unsigned i = 0; i < CALLS; i++)
        number[i] = dice(pages);
    began = cpu();
    for (unsigned i = 0; i < CALLS; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0 || pread(fd, page, sizeof(page), (off_t)number[i] * 4096) !=
                          (ssize_t)sizeof(page))
            die("a page cannot be read");
        close(fd);
    }
    return (cpu() - began) / CALLS;
}

static int64_t
ask_module(const struct module *module, enum sr_view view,
           char names[CALLS][NAME], bool is_hit)
{
    const int64_t began = cpu();

    for (unsigned i = 0; i < CALLS; i++)
        if ((view == SR_VIEW_SHADOW
                 ? ask_shadow(module, names[i])
                 : ask_groups(module, names[i], -1)) != is_hit)
            die(names[i]);
    return (cpu() - began) / CALLS;
}

/* Hits and misses of both views in turns with pages of the same file. */
static void
lookup(uint32_t count, unsigned rounds)
{
    static char names[CALLS][NAME];
    const struct module module = load();

    for (unsigned i = 0; i < rounds * 4; i++) {
        const enum sr_view view = i & 1 ? SR_VIEW_SHADOW : SR_VIEW_GROUPS;
        const bool is_hit = (i & 2) != 0;
        char path[256];
        struct stat status;
        int64_t ours;

        snprintf(path, sizeof(path), "%s/%s.snap", SR_PUBLISHED_DIR,
                 sr_view_name(view));
        if (stat(path, &status) != 0)
            die(path);
        choose_names(names, count, is_hit);
        ours = ask_module(&module, view, names, is_hit);
        printf("%s,%s %lld %lld\n", sr_view_name(view), is_hit ? "hit" : "miss",
               (long long)ours,
               (long long)read_pages(path, (uint32_t)(status.st_size / 4096)));
    }
}

/* ---- what initgroups(3) asks: not one system call */

static void
forbid_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]),
                                       filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        die("system calls cannot be forbidden");
}

/* Whether a process that may make no system call can ask so. */
static bool
lives(const struct module *module, long limit)
{
    const pid_t child = fork();
    int status = 1;

    if (child < 0)
        die("no process can be made");
    if (child == 0) {
        forbid_calls();
        for (unsigned i = 0; i < CALLS; i++)
            ask_groups(module, "user0000007", limit);
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child)
        die("a process is lost");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
credential(unsigned rounds)
{
    const struct module module = load();

    for (unsigned i = 0; i < rounds; i++) {
        const int64_t began = cpu();

        for (unsigned j = 0; j < CALLS; j++)
            ask_groups(&module, "user0000007", 65536);
        printf("credential %lld\n", (long long)((cpu() - began) / CALLS));
    }
    /* The other call has to die, or nothing is proved. */
    printf("calls %d %d\n", !lives(&module, 65536), !lives(&module, -1));
}

/* ---- through glibc, as nsswitch.conf says */

static bool
call_glibc(const char *call, const char *name)
{
    static gid_t groups[128];
    int count = 128;

    if (strcmp(call, "getspnam") == 0)
        return getspnam(name) != NULL;
    return getgrouplist(name, 100, groups, &count) > 1;
}

static void
first(const char *call, const char *name)
{
    const int64_t began = nanoseconds();
    const bool is_hit = call_glibc(call, name);

    printf("first %lld %d\n", (long long)(nanoseconds() - began), is_hit);
}

static void
warm(const char *call, uint32_t people, unsigned rounds)
{
    static char names[CALLS][NAME];
    const bool is_hit = strcmp(call, "unknown") != 0;
    const unsigned calls = CALLS;

    for (unsigned i = 0; i <= rounds; i++) {
        unsigned hits = 0;
        int64_t began;

        choose_names(names, people, is_hit);
        /* The first round fills the caches of who has one. */
        for (uint32_t j = 0; i == 0 && j < people && j < CALLS; j++) {
            name_user(names[j], j);
            names[j][0] = is_hit ? 'u' : 'n';
        }
        began = nanoseconds();
        for (unsigned j = 0; j < (i == 0 ? people : calls); j++)
            hits += call_glibc(call, names[j]);
        if (i > 0)
            printf("warm %lld %u\n",
                   (long long)((nanoseconds() - began) / calls),
                   hits * 100 / calls);
    }
}

static void __attribute__((noreturn)) usage(void)
{
    fprintf(stderr, "usage: see the top of nssbench.c\n");
    exit(2);
}

int
main(int argc, char **argv)
{
    const char *const what = argc > 2 ? argv[1] : "";
    const uint32_t one = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    const uint32_t two = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;

    room = malloc((size_t)room_size * sizeof(*room));
    if (room == NULL)
        die("out of memory");
    if (argc == 4 && strcmp(what, "build") == 0)
        build(one, two == 1);
    else if (argc == 4 && strcmp(what, "lookup") == 0)
        lookup(one, two);
    else if (argc == 6 && strcmp(what, "publish") == 0) {
        no_sync = strcmp(argv[5], "0") == 0;
        publish(one, two, strcmp(argv[4], "1") == 0);
    } else if (argc == 4 && strcmp(what, "first") == 0)
        first(argv[2], argv[3]);
    else if (argc == 5 && strcmp(what, "warm") == 0)
        warm(argv[2], two, (unsigned)strtoul(argv[4], NULL, 10));
    else if (argc == 3 && strcmp(what, "credential") == 0)
        credential(one);
    else
        usage();
    free(room);
    return 0;
}
