/*
 * Identity: which account a typed name means, by the name service.
 *
 * The canonical name is the pw_name that the name service answers, never the
 * typed spelling: directories answer "ANN" and "ann@corp.example" with the
 * entry of ann, and state that is kept by spelling would be kept several times.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#ifndef SR_POLICY_ACCOUNT_IDENTITY_H
#define SR_POLICY_ACCOUNT_IDENTITY_H

#include "policy/decide/facts.h"

/* What the name service answered for a name. */
struct sr_nss_account {
    enum sr_tri exists;         /* unknown: not asked, or no answer */
    char name[SR_NAME_MAX + 1]; /* pw_name; valid when exists is SR_YES */
    uid_t uid;                  /* (uid_t)-1 unless exists is SR_YES */
};

/* Ask for a typed name. */
void sr_nss_account_find(const char *name, struct sr_nss_account *account);

/* Ask for a uid; `name` is the first that the name service has for it. */
void sr_nss_account_find_uid(uid_t uid, struct sr_nss_account *account);

/* Whether /etc/passwd has a line of this name; also when it cannot be read. */
bool sr_nss_account_is_local(const char *name);

/*
 * Services that ignore case (nslcd's "ignorecase") repeat the typed spelling in
 * pw_name.  Replace the name by the one that the name service has for the uid,
 * where the two differ in case only.  For accounts that no backend knows.
 */
void sr_nss_account_settle_case(struct sr_nss_account *account);

/*
 * The part of a fully qualified name that a directory knows: "ann" of
 * "ann@corp.example", "CORP\ann", "CORP+ann" and "CORP/ann".  False when `name`
 * is not qualified. `size` bytes at `part`.
 */
bool sr_unqualified_name(const char *name, char *part, size_t size);

#endif
