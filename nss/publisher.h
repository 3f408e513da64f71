/*
 * selfreset-publish, inside: what its rooms share.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_NSS_PUBLISHER_H
#define SR_NSS_PUBLISHER_H

#include "nss/ledger_watch.h"
#include "policy/publish/builder.h"
#include "policy/publish/writer.h"

/* How long the lock of the published state, and that of the store, are waited
 * for. */
#define PUBLISHER_WAIT_MS 10000

/* Exit codes; selfreset-publish(8) documents each. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,   /* nothing was published; what was, is as it was */
    EXIT_PARTLY = 8,   /* published, and the state of some is unknown */
    EXIT_USAGE = 64,   /* as EX_USAGE of sysexits(3) */
    EXIT_NO_ROOT = 77, /* as EX_NOPERM */
};

/* One run. */
struct publisher {
    const struct sr_config *config;
    const char *dir;
    struct sr_builder *build;
    struct watch *watch;
    sr_time now;
    sr_time since; /* of the oldest facts that are published */
    bool is_verbose;
    uint32_t unknown; /* accounts whose state could not be found out */
    uint32_t kept;    /* accounts whose backend could not be asked */
    bool is_partial;  /* a backend could not be asked */
    bool is_alone;    /* nor what other hosts have counted */
    char reason[256];
};

/* Say a whole sentence on standard error. */
void publisher_say(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Say, and log, that what other hosts have counted cannot be read. */
void publisher_shared_away(const char *reason);

/*
 * Add all accounts of all backends to publisher->build.  False when nothing
 * may be published; publisher->reason says why.
 */
bool publisher_collect(struct publisher *publisher);

/*
 * The names of this host and their uids, by /etc/passwd, as a tree (NULL at
 * first).  Returns 0 or a negative errno.  Whether an account of a directory is
 * another than the one that has its name here.
 */
int publisher_collisions_read(void **names);
bool publisher_collisions_has(void *const *names, const struct sr_facts *facts);
void publisher_collisions_free(void **names);

/*
 * Add what is published of the names that were not added: for accounts of
 * backends that could not be asked.  What is older than nss.max_age is added as
 * unknown.  Returns 0 or a negative errno.
 */
int publisher_carry_over(struct publisher *publisher);

/* Publish all accounts, and have them watched.  Says and logs what went wrong;
 * an exit code. */
int publisher_publish_all(const struct sr_config *config, struct watch *watch,
                          bool is_verbose);

/*
 * Publish all accounts, and then what changes, until one of `signals` (a
 * signalfd) comes.  Returns its number, or a negative errno.
 */
int publisher_follow(const struct sr_config *config, int signals,
                     bool is_verbose);

/*
 * Find the state groups in /etc/group; 0 for those that are missing, or that
 * are unsafe.  Says what is wrong with each.
 */
void publisher_find_groups(uint32_t gid[SR_GROUP_COUNT]);

/* The access list of the groups view: polkitd reads it under its own user.  See
 * `grant` in policy/publish/writer.h. */
int publisher_set_acl(int fd, enum sr_view view, bool is_dir, bool is_public);

#endif
