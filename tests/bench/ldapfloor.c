/*
 * LDAP floor: what a login costs that does nothing but ask the directory, part
 * by part, in a process of its own each time.
 *
 *   ldapfloor ROUNDS MODULE URI CA SERVICE SECRET ENTRY POLICY PASSWORD
 *
 * MODULE is the backend, with which its libraries are loaded.  Then comes what
 * the backend has to do at the least, by the plain and blocking calls of
 * libldap: the library's first use, connection and TLS, the bind of the
 * service, the search for the entry (by its uid, which is the DN's first), the
 * one for its policy, the bind of its owner, the end.
 *
 * A line of output for each round: the wall time of each part and that of all,
 * then the CPU time of all, in nanoseconds.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <dlfcn.h>
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

#include <ldap.h>

/* The library is not linked: loading it is one of the parts. */
#define LIBRARY(X)                                                             \
    X(ldap_get_option)                                                         \
    X(ldap_initialize)                                                         \
    X(ldap_msgfree)                                                            \
    X(ldap_sasl_bind_s)                                                        \
    X(ldap_search_ext_s)                                                       \
    X(ldap_count_entries)                                                      \
    X(ldap_set_option)                                                         \
    X(ldap_unbind_ext_s)                                                       \
    X(ldap_connect)

#define MEMBER(name) __typeof__(name) *name;
struct library {
    LIBRARY(MEMBER)
};

enum part {
    PART_LOAD,
    PART_FIRST_USE,
    PART_CONNECT,
    PART_SERVICE,
    PART_ENTRY,
    PART_POLICY,
    PART_OWNER,
    PART_END,
    PART_COUNT
};

struct round {
    int64_t part[PART_COUNT];
    int64_t wall;
    int64_t cpu;
};

struct job {
    const char *module;
    const char *uri;
    const char *authority;
    const char *service;
    const char *secret;
    const char *entry;
    const char *policy;
    const char *password;
};

static int64_t
read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
need(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "ldapfloor: %s failed\n", what);
    _exit(1);
}

/* By the same flags as the module is loaded in a login. */
static void
load(const struct job *job, struct library *library)
{
    void *handle = dlopen(job->module, RTLD_LAZY | RTLD_LOCAL);

    need(handle != NULL, job->module);
#define FIND(name)                                                             \
    *(void **)&library->name = dlsym(handle, #name);                           \
    need(library->name != NULL, #name);
    LIBRARY(FIND)
}

static void
first_use(const struct library *library)
{
    int version;

    library->ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version);
}

static LDAP *
connect_to(const struct job *job, const struct library *library)
{
    const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND;
    const int client = 0;
    LDAP *ld = NULL;

    need(library->ldap_initialize(&ld, job->uri) == LDAP_SUCCESS,
         "ldap_initialize");
    library->ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    library->ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    library->ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, job->authority);
    library->ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client);
    need(library->ldap_connect(ld) == LDAP_SUCCESS, "ldap_connect");
    return ld;
}

static void
bind_as(const struct library *library, LDAP *ld, const char *dn,
        const char *password)
{
    struct berval secret = {.bv_len = strlen(password),
                            .bv_val = (char *)(uintptr_t)password};

    need(library->ldap_sasl_bind_s(ld, dn, LDAP_SASL_SIMPLE, &secret, NULL,
                                   NULL, NULL) == LDAP_SUCCESS,
         dn);
}

/* One entry with all that it has. */
static void
search(const struct library *library, LDAP *ld, const char *base, int scope,
       const char *filter)
{
    char all[] = "*", operational[] = "+";
    char *attributes[] = {all, operational, NULL};
    LDAPMessage *message = NULL;

    need(library->ldap_search_ext_s(ld, base, scope, filter, attributes, 0,
                                    NULL, NULL, NULL, 2,
                                    &message) == LDAP_SUCCESS &&
             library->ldap_count_entries(ld, message) == 1,
         filter);
    library->ldap_msgfree(message);
}

static void
search_entry(const struct job *job, const struct library *library, LDAP *ld)
{
    const size_t length = strcspn(job->entry, ",");
    char filter[256];

    snprintf(filter, sizeof(filter), "(%.*s)", (int)length, job->entry);
    search(library, ld, job->entry + length + 1, LDAP_SCOPE_SUBTREE, filter);
}

/* In the child. */
static void
measure(const struct job *job, struct round *round)
{
    const int64_t began = read_clock(CLOCK_MONOTONIC);
    const int64_t cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    struct library library;
    int64_t before = began;
    LDAP *ld = NULL;

    for (int part = 0; part < PART_COUNT; part++) {
        int64_t now;

        switch ((enum part)part) {
        case PART_LOAD:
            load(job, &library);
            break;
        case PART_FIRST_USE:
            first_use(&library);
            break;
        case PART_CONNECT:
            ld = connect_to(job, &library);
            break;
        case PART_SERVICE:
            bind_as(&library, ld, job->service, job->secret);
            break;
        case PART_ENTRY:
            search_entry(job, &library, ld);
            break;
        case PART_POLICY:
            search(&library, ld, job->policy, LDAP_SCOPE_BASE,
                   "(objectClass=*)");
            break;
        case PART_OWNER:
            bind_as(&library, ld, job->entry, job->password);
            break;
        case PART_END:
            library.ldap_unbind_ext_s(ld, NULL, NULL);
            break;
        case PART_COUNT:
            break;
        }
        now = read_clock(CLOCK_MONOTONIC);
        round->part[part] = now - before;
        before = now;
    }
    round->wall = before - began;
    round->cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

static bool
run_round(const struct job *job, struct round *round)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        measure(job, round);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int
main(int argc, char **argv)
{
    const long rounds = argc == 10 ? strtol(argv[1], NULL, 10) : 0;
    struct round *round;

    if (rounds < 1) {
        fputs("usage: ldapfloor ROUNDS MODULE URI CA SERVICE SECRET ENTRY "
              "POLICY PASSWORD\n",
              stderr);
        return 2;
    }
    round = mmap(NULL, sizeof(*round), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (round == MAP_FAILED)
        return 1;
    for (long i = 0; i < rounds; i++) {
        const struct job job = {argv[2], argv[3], argv[4], argv[5],
                                argv[6], argv[7], argv[8], argv[9]};

        if (!run_round(&job, round))
            return 1;
        for (int part = 0; part < PART_COUNT; part++)
            printf("%" PRId64 " ", round->part[part]);
        printf("%" PRId64 " %" PRId64 "\n", round->wall, round->cpu);
    }
    return 0;
}
