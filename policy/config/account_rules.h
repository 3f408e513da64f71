/*
 * Account rules: the rules of one account and one service, and what the
 * configuration sets for any account.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_CONFIG_ACCOUNT_RULES_H
#define SR_POLICY_CONFIG_ACCOUNT_RULES_H

#include "policy/config/settings.h"

/* An account, and how to ask for its groups. */
struct sr_member {
    const char *user;
    /* enum sr_tri; asked only for groups that the configuration names */
    int (*is_member)(void *context, const char *user, const char *group);
    void *context;
};

/*
 * The rules for one account and one service (may be NULL): the configuration's,
 * then those of each group that the account is in, in the order in which they
 * were read, then the resolved members at the end of struct sr_rules.  Lists in
 * `out` belong to `config`.
 *
 * Returns 0, or -1 when is_member answered SR_UNKNOWN: a rule that might apply
 * is never skipped.
 */
int sr_config_rules(const struct sr_config *config,
                    const struct sr_member *member, const char *service,
                    struct sr_rules *out);

/* Whether an account is in a list of users and @groups.  Returns 0 or -1, as
 * above. */
int sr_config_is_listed(const struct sr_member *member,
                        const struct sr_string_list *names, bool *is_listed);

/* Whether a user at this source is informed of a lockout (selfreset.reveal).
 */
bool sr_config_reveals(const struct sr_config *config, bool is_remote);

/* Whether a directory counts the failed attempts of any account, too
 * (lockout.store). */
bool sr_config_shares(const struct sr_config *config);

/* Whether any account may be reset by self-service (reset.enable). */
bool sr_config_resets(const struct sr_config *config);

/*
 * Whether `is_good` is true of each group by which it is decided who may be
 * reset and how: the rules of [reset] for a group, change.protected,
 * change.cannot_change and reset.groups.  Not of reset.administrators, who may
 * be reset as others, with better proofs.
 */
bool sr_config_resets_by_groups(const struct sr_config *config,
                                bool (*is_good)(const char *group));

/* Whether any account may be reset by this gate (reset.classes). */
bool sr_config_offers(const struct sr_config *config, const char *gate);

/* Whether any account's password may be changed only while its user is logged
 * on (change.require_logon). */
bool sr_config_needs_logon(const struct sr_config *config);

/* Whether a line sets this key, for all accounts or for a group. */
bool sr_config_sets(const struct sr_config *config, const char *section,
                    const char *key);

/*
 * Call `each` for each user and group that a line names, in a list or as the
 * owner of a section, with its file and line; lines that a later one replaces
 * are left out.
 */
void sr_config_each_name(const struct sr_config *config,
                         void (*each)(void *context, const char *name,
                                      bool is_group, const char *file,
                                      unsigned line),
                         void *context);

#endif
