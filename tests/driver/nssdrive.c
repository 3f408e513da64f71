/*
 * NSS test driver: asks as programs do, in whatever condition it was put into
 * before, and prints what came back.
 *
 *   nssdrive [--module FILE] STEP...
 *
 * With --module the functions of that file are called directly; without, glibc
 * loads libnss_selfreset.so.2 from where it looks for libraries, and asks it
 * alone.
 *
 * Steps that ask:
 *   shadow:NAME    getspnam_r; shadow:NAME:SIZE with a buffer of so many bytes
 *   groups:NAME    getgrouplist; with --module groups:NAME:LIMIT
 *   own:NAME       initgroups and then getgroups: the credentials
 *   list           getspent_r to the end
 *   ask-vfork:NAME a vfork child asks for NAME's groups, then the parent does
 *   fds            how many descriptors are open
 *   at-once:NAME   the groups, from many threads at once: the fewest of each
 * and that prepare:
 *   limit:nofile=N limit:as=N close-fds chroot:DIR mlockall
 *   ids:RUID:EUID:SUID:GID:EGID (setresuid and setresgid, with no groups)
 *
 * A line for each question: "shadow NAME STATUS [ENTRY]", "groups NAME STATUS
 * [GID...]".  STATUS is success, notfound, unavail or tryagain for a module,
 * and for glibc the like; an error's number follows its name.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pthread.h>
#include <shadow.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nss/module.h"

#define BUFFER  4096
#define GROUP   12345 /* the primary group that is asked with */
#define THREADS 8
#define ROUNDS  200

static struct {
    __typeof__(_nss_selfreset_getspnam_r) *getspnam_r;
    __typeof__(_nss_selfreset_setspent) *setspent;
    __typeof__(_nss_selfreset_getspent_r) *getspent_r;
    __typeof__(_nss_selfreset_endspent) *endspent;
    __typeof__(_nss_selfreset_initgroups_dyn) *initgroups_dyn;
} module;
static bool is_direct;

_Noreturn static void
fail(const char *what)
{
    fprintf(stderr, "nssdrive: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
load(const char *file)
{
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);

    if (handle == NULL) {
        fprintf(stderr, "nssdrive: %s\n", dlerror());
        exit(1);
    }
    *(void **)&module.getspnam_r = dlsym(handle, "_nss_selfreset_getspnam_r");
    *(void **)&module.setspent = dlsym(handle, "_nss_selfreset_setspent");
    *(void **)&module.getspent_r = dlsym(handle, "_nss_selfreset_getspent_r");
    *(void **)&module.endspent = dlsym(handle, "_nss_selfreset_endspent");
    *(void **)&module.initgroups_dyn =
        dlsym(handle, "_nss_selfreset_initgroups_dyn");
    is_direct = true;
}

static void
print_status(const char *what, const char *name, enum nss_status status,
             int why)
{
    static const char *const names[] = {"tryagain", "unavail", "notfound",
                                        "success"};

    printf("%s %s %s", what, name, names[status - NSS_STATUS_TRYAGAIN]);
    if (status == NSS_STATUS_TRYAGAIN || status == NSS_STATUS_UNAVAIL)
        printf(" %d", why);
}

static void
print_entry(const struct spwd *entry)
{
    printf(" %s:%s:%ld:%ld:%ld:%ld:%ld:%ld:", entry->sp_namp, entry->sp_pwdp,
           entry->sp_lstchg, entry->sp_min, entry->sp_max, entry->sp_warn,
           entry->sp_inact, entry->sp_expire);
}

/* ---- questions */

/* NAME or NAME:NUMBER. */
static char *
split(const char *argument, long *number)
{
    char *name = strdup(argument), *colon = strchr(name, ':');

    if (colon != NULL) {
        *colon = '\0';
        *number = atol(colon + 1);
    }
    return name;
}

/* glibc's answer, said as a module would. */
static enum nss_status
status_of(int why, bool is_found)
{
    if (is_found)
        return NSS_STATUS_SUCCESS;
    return why == 0 || why == ENOENT ? NSS_STATUS_NOTFOUND : NSS_STATUS_UNAVAIL;
}

static enum nss_status
get_shadow(const char *name, struct spwd *entry, char *buffer, size_t size,
           int *why)
{
    struct spwd *found;

    if (is_direct)
        return module.getspnam_r(name, entry, buffer, size, why);
    *why = getspnam_r(name, entry, buffer, size, &found);
    return status_of(*why, found != NULL);
}

static void
ask_shadow(const char *argument)
{
    char buffer[BUFFER];
    struct spwd entry;
    long size = sizeof(buffer);
    char *name = split(argument, &size);
    int why = 0;
    const enum nss_status status =
        get_shadow(name, &entry, buffer, (size_t)size, &why);

    print_status("shadow", name, status, why);
    if (status == NSS_STATUS_SUCCESS)
        print_entry(&entry);
    putchar('\n');
    free(name);
}

/* The groups but the one that was given; *status is the module's. */
static size_t
get_groups(const char *name, long limit, gid_t *groups, size_t room,
           enum nss_status *status, int *why)
{
    long start = 1, size = 1;
    gid_t *list;
    int count = (int)room;

    *status = NSS_STATUS_SUCCESS;
    if (!is_direct) {
        if (getgrouplist(name, GROUP, groups, &count) < 0)
            fail("getgrouplist");
        memmove(groups, groups + 1, (size_t)(count - 1) * sizeof(*groups));
        return (size_t)count - 1;
    }
    list = malloc(sizeof(*list));
    if (list == NULL)
        fail("malloc");
    list[0] = GROUP;
    *status =
        module.initgroups_dyn(name, GROUP, &start, &size, &list, limit, why);
    memcpy(groups, list + 1, (size_t)(start - 1) * sizeof(*groups));
    free(list);
    return (size_t)start - 1;
}

static void
ask_groups(const char *argument)
{
    gid_t groups[64];
    enum nss_status status;
    long limit = -1;
    char *name = split(argument, &limit);
    int why = 0;
    const size_t count = get_groups(name, limit, groups, 64, &status, &why);

    print_status("groups", name, status, why);
    for (size_t i = 0; i < count; i++)
        printf(" %u", groups[i]);
    putchar('\n');
    free(name);
}

/* The child shares the memory of its parent, and must only ask. */
static void
ask_vfork(const char *name)
{
    gid_t groups[64];
    enum nss_status status;
    int why = 0, ended;
    const pid_t child = vfork();

    if (child == 0)
        _exit((int)get_groups(name, -1, groups, 64, &status, &why));
    if (child < 0 || waitpid(child, &ended, 0) != child)
        fail("vfork");
    printf("vfork %s %d\n", name, WEXITSTATUS(ended));
    ask_groups(name);
}

static void
ask_own(const char *name)
{
    gid_t groups[256];
    int count;

    if (initgroups(name, GROUP) != 0)
        fail("initgroups");
    count = getgroups(256, groups);
    printf("own %s success", name);
    for (int i = 0; i < count; i++)
        printf(" %u", groups[i]);
    putchar('\n');
}

static enum nss_status
next_entry(struct spwd *entry, char *buffer, int *why)
{
    struct spwd *found;

    if (is_direct)
        return module.getspent_r(entry, buffer, BUFFER, why);
    *why = getspent_r(entry, buffer, BUFFER, &found);
    return status_of(*why, *why == 0);
}

static void
ask_list(void)
{
    enum nss_status status;
    char buffer[BUFFER];
    struct spwd entry;
    int why = 0;

    if (is_direct)
        module.setspent(0);
    else
        setspent();
    while ((status = next_entry(&entry, buffer, &why)) == NSS_STATUS_SUCCESS) {
        printf("entry");
        print_entry(&entry);
        putchar('\n');
    }
    if (is_direct)
        module.endspent();
    else
        endspent();
    print_status("list", "end", status, why);
    putchar('\n');
}

/* Without opendir(3), which takes a descriptor itself. */
static void
count_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += dup2(fd, fd) == fd;
    printf("fds %d\n", count);
}

static void *
ask_often(void *argument)
{
    gid_t groups[64];
    size_t least = 64;

    for (int i = 0; i < ROUNDS; i++) {
        enum nss_status status;
        int why;
        const size_t count =
            get_groups(argument, -1, groups, 64, &status, &why);

        least = count < least ? count : least;
    }
    return (void *)least;
}

static void
ask_at_once(char *name)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, ask_often, name) != 0)
            fail("thread");
    printf("at-once %s", name);
    for (int i = 0; i < THREADS; i++) {
        void *least;

        pthread_join(threads[i], &least);
        printf(" %zu", (size_t)least);
    }
    putchar('\n');
}

/* ---- conditions */

static void
set_limit(const char *what)
{
    struct rlimit limit;

    if (strncmp(what, "nofile=", 7) == 0) {
        limit.rlim_cur = limit.rlim_max = (rlim_t)atol(what + 7);
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            fail(what);
    } else if (strncmp(what, "as=", 3) == 0) {
        limit.rlim_cur = limit.rlim_max = (rlim_t)atol(what + 3);
        if (setrlimit(RLIMIT_AS, &limit) != 0)
            fail(what);
    } else {
        fail("unknown limit");
    }
}

static void
set_ids(const char *text)
{
    unsigned ruid, euid, suid, gid, egid;

    if (sscanf(text, "%u:%u:%u:%u:%u", &ruid, &euid, &suid, &gid, &egid) != 5 ||
        setgroups(0, NULL) != 0 || setresgid(gid, egid, egid) != 0 ||
        setresuid(ruid, euid, suid) != 0)
        fail(text);
}

/* The rest of a step that begins with a word; NULL when it does not. */
static char *
after(char *step, const char *word)
{
    const size_t length = strlen(word);

    return strncmp(step, word, length) == 0 ? step + length : NULL;
}

static bool
prepare(char *step)
{
    char *rest;

    if ((rest = after(step, "limit:")) != NULL)
        set_limit(rest);
    else if ((rest = after(step, "ids:")) != NULL)
        set_ids(rest);
    else if ((rest = after(step, "chroot:")) != NULL) {
        if (chroot(rest) != 0 || chdir("/") != 0)
            fail(step);
    } else if (strcmp(step, "mlockall") == 0) {
        if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
            fail(step);
    } else if (strcmp(step, "close-fds") == 0) {
        /* Output is kept until there is a descriptor for it again. */
        fflush(stdout);
        if (dup2(1, 100) != 100)
            fail(step);
        for (int fd = 0; fd < 100; fd++)
            close(fd);
    } else {
        return false;
    }
    return true;
}

static void
run(char *step)
{
    char *rest;

    if (prepare(step))
        return;
    if ((rest = after(step, "shadow:")) != NULL)
        ask_shadow(rest);
    else if ((rest = after(step, "groups:")) != NULL)
        ask_groups(rest);
    else if ((rest = after(step, "own:")) != NULL)
        ask_own(rest);
    else if ((rest = after(step, "ask-vfork:")) != NULL)
        ask_vfork(rest);
    else if ((rest = after(step, "at-once:")) != NULL)
        ask_at_once(rest);
    else if (strcmp(step, "list") == 0)
        ask_list();
    else if (strcmp(step, "fds") == 0)
        count_descriptors();
    else
        fail("unknown step");
}

int
main(int argc, char **argv)
{
    static char output[1 << 20];
    int first = 1;

    /* Nothing is written before the end, so that no step needs a descriptor
     * for that. */
    setvbuf(stdout, output, _IOFBF, sizeof(output));
    if (argc > 2 && strcmp(argv[1], "--module") == 0) {
        load(argv[2]);
        first = 3;
    } else {
        __nss_configure_lookup("shadow", "selfreset");
        __nss_configure_lookup("group", "selfreset");
        __nss_configure_lookup("initgroups", "selfreset");
    }
    for (int i = first; i < argc; i++)
        run(argv[i]);
    if (dup2(100, 1) == 1)
        close(100);
    return fflush(stdout) == 0 ? 0 : 1;
}
