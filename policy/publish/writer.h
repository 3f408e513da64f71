/*
 * Publish: write what the NSS door reads (policy/publish/format.h).
 *
 * Under the directory (SR_PUBLISHED_DIR):
 *
 *   groups.snap, groups.d/   the groups view, every account
 *   shadow.snap, shadow.d/   the shadow view, accounts of directories
 *   lock                     0600, held exclusively while anything is replaced
 *
 * A snapshot is built aside, with its final mode, synced, and renamed over the
 * old one; a delta is a symbolic link made aside and renamed.  So who is killed
 * at any instruction leaves the old or the new.  What was made aside and left
 * is removed by the next snapshot.  While the lock is held, a delta is put in
 * place together with the mark of its bucket in both snapshots, and a snapshot
 * together with the marks of the deltas that are newer than it; a delta that is
 * not newer than the snapshot is removed.  The lock is an open-file-description
 * lock; waiting for it is bounded, and the holder is shielded (shield.h).
 *
 * Nothing here is done unless the directory exists: a host that does not use
 * the NSS module pays one open(2).
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_PUBLISH_WRITER_H
#define SR_POLICY_PUBLISH_WRITER_H

#include "policy/config/config.h"
#include "policy/account/account.h"
#include "policy/publish/reader.h"

enum sr_publish_result {
    SR_PUBLISH_OK,
    SR_PUBLISH_UNCHANGED, /* what is published says so already, or is newer */
    SR_PUBLISH_OFF,       /* nothing is published on this host */
    SR_PUBLISH_BUSY,      /* the lock was not had in time */
    SR_PUBLISH_FULL,      /* disk full, quota, RLIMIT_FSIZE */
    SR_PUBLISH_FAILED,    /* anything else; `reason` says what */
};

/* Now, as a sequence: wall clock in nanoseconds. */
uint64_t sr_publish_sequence(void);

/* ---- one account */

/*
 * Publish what was gathered of one account (gathered->ask is SR_ASK_OK and what
 * this host remembers was added), as a delta in the views it belongs to, unless
 * the same is published already.  `sequence` is from before the facts were
 * gathered, so that newer facts are never replaced by older ones.  The lock in
 * the facts is replaced by the one that holds from every source
 * (gathered->everywhere): a stranger's guesses must not shut out the owner, who
 * comes from where he always comes from.  Of what the fleet was not asked for
 * (gathered->fleet) that lockout stays that is published: a login does not know
 * the side that it did not come from.  `reason` (size bytes) is filled in on
 * FAILED.
 */
enum sr_publish_result sr_publish_gathered(const char *dir,
                                           const struct sr_gathered *gathered,
                                           uint64_t sequence, unsigned wait_ms,
                                           char *reason, size_t size);

/*
 * Gather anew and publish one account, or that it is gone when no backend knows
 * the name; a backend that could not be asked publishes "unknown".  `statedir`
 * NULL: the built-in one.  The fleet is asked, too; when it cannot be, that is
 * published which this host knows, and `reason` says so beside OK and
 * UNCHANGED.
 */
enum sr_publish_result sr_publish_account(const struct sr_config *config,
                                          const char *dir, const char *statedir,
                                          const char *name, unsigned wait_ms,
                                          char *reason, size_t size);

/*
 * The same in a transaction, over what its link keeps (NULL: one of its own).
 * The fleet is not asked: `fleet` is what is known of it.
 */
enum sr_publish_result
sr_publish_account_linked(const struct sr_config *config, struct sr_link *link,
                          const struct sr_fleet_locks *fleet, const char *dir,
                          const char *statedir, const char *name,
                          unsigned wait_ms, char *reason, size_t size);

/*
 * The work of publishing one account, for a name that is none: so that a
 * lockout takes as long whether the name exists or not.  That holds only if a
 * lockout of an account that turns out to be UNCHANGED, because it does not
 * hold from every source, is followed by this, too.
 */
void sr_publish_decoy(const char *dir, unsigned wait_ms);

/*
 * The facts of a gathered account as they are published: with the lock that
 * holds from every source.  *is_exempt: root, or a break-glass account.
 */
void sr_publish_facts(const struct sr_gathered *gathered,
                      struct sr_facts *facts, bool *is_exempt);

/* Whether a name is root's, or that of a break-glass account, as far as can be
 * said without asking for its groups. */
bool sr_publish_is_exempt(const struct sr_config *config, const char *name);

/* Whether an account belongs to a view: the shadow view is for those that have
 * no line in the local shadow file. */
bool sr_publish_is_in(enum sr_view view, const struct sr_facts *facts);

/* ---- all accounts */

/* How a snapshot is made and who may read it. */
struct sr_publish_how {
    uint64_t sequence; /* from before the first account was gathered */
    sr_time now;       /* wall clock */
    int64_t max_age;   /* seconds */
    bool is_listed;
    bool is_public;               /* the groups view: 0644 */
    uint32_t gid[SR_GROUP_COUNT]; /* 0: no such group */
    unsigned wait_ms;             /* for the lock, each time */

    /* The file whose owner, group and mode the shadow view gets; NULL:
     * /etc/shadow. */
    const char *like;

    /*
     * Set the access list of an open file or directory of a view, which has its
     * mode already, or take one away that it should not have.  Returns 0 or a
     * negative errno.  NULL: there are none.
     */
    int (*grant)(int fd, enum sr_view view, bool is_dir, bool is_public);
};

/* A snapshot of both views that is being built in memory. */
struct sr_build;

/* Begin.  NULL: out of memory. */
struct sr_build *sr_build_new(const struct sr_publish_how *how);

/*
 * Add an account: facts->name and facts->backend say where it belongs.  Of two
 * of the same name the first counts.  Returns 0, ENOMEM, or EINVAL for a name
 * that cannot be published.
 */
int sr_build_add(struct sr_build *build, const struct sr_facts *facts,
                 const struct sr_rules *rules, bool is_exempt);

/*
 * Add to one view what is published of a name already: for an account whose
 * backend cannot be asked now.  Returns as sr_build_add().
 */
int sr_build_keep(struct sr_build *build, enum sr_view view, const char *name,
                  const struct sr_payload *payload);

/* The time of the oldest facts among those that were kept; without this call,
 * now. */
void sr_build_set_since(struct sr_build *build, sr_time since);

/* How many accounts a view has; before the commit, names that were added twice
 * count twice. */
uint32_t sr_build_count(const struct sr_build *build, enum sr_view view);

/*
 * Put it in place under `dir`, which is made if it is missing, with the
 * fallback beside it.  UNCHANGED: what is in place is newer; it stays.
 * `reason` (size bytes) is filled in on FAILED; on OK it may have a warning.
 */
enum sr_publish_result sr_build_commit(struct sr_build *build, const char *dir,
                                       char *reason, size_t size);

void sr_build_free(struct sr_build *build);

#endif
