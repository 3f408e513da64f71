/*
 * Local backend: accounts of this host, by getpwnam(3) and getspnam(3).
 *
 * It reads; it never writes.  Another module (pam_unix with use_authtok) or
 * shadow's own tools store a new password.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/decide/ageing.h"
#include "policy/backend/backend.h"
#include "policy/backend/local/files_lock.h"
#include "policy/backend/local/local.h"
#include "policy/util/crypt.h"

#define PASSWD_FILE "/etc/passwd"
#define SHADOW_FILE "/etc/shadow"

/* How long a change waits for other programs that write these files: some do
 * for a moment, and others until an editor is closed. */
#define FILES_WAIT_MS 5000

void
sr_local_buffer_free(struct sr_local_buffer *buffer)
{
    if (buffer->bytes != NULL)
        explicit_bzero(buffer->bytes, buffer->size);
    free(buffer->bytes);
    buffer->bytes = NULL;
}

void
sr_local_close(FILE **stream)
{
    if (*stream != NULL)
        fclose(*stream);
}

/* Make the buffer four times as large.  Its content is lost. */
static int
buffer_grow(struct sr_local_buffer *buffer)
{
    size_t size = buffer->size == 0 ? 2048 : buffer->size * 4;

    sr_local_buffer_free(buffer);
    buffer->size = size;
    if (size > SR_LOCAL_ENTRY_MAX)
        return ERANGE;
    buffer->bytes = malloc(size);
    return buffer->bytes == NULL ? ENOMEM : 0;
}

/* An empty field is a password, which can be typed. */
static bool
is_password(const char *hash)
{
    return hash != NULL && (hash[0] == '\0' || sr_crypt_is_hash(hash));
}

void
sr_local_facts(const struct spwd *entry, const struct sr_rules *rules,
               struct sr_facts *facts)
{
    const struct sr_ageing ageing = {
        .changed = entry->sp_lstchg,
        .min = entry->sp_min,
        .max = entry->sp_max,
        .warn = entry->sp_warn,
        .inactive = entry->sp_inact,
    };
    bool usable = is_password(entry->sp_pwdp) &&
                  (entry->sp_pwdp[0] != '\0' || rules->nullok);

    facts->disabled = rules->locked_hash == SR_LOCKED_HASH_ACCOUNT &&
                              entry->sp_pwdp != NULL && entry->sp_pwdp[0] == '!'
                          ? SR_YES
                          : SR_NO;
    facts->locked = SR_LOCK_NO;
    facts->account_starts = SR_TIME_UNKNOWN;
    facts->account_ends =
        entry->sp_expire >= 0 ? sr_ageing_day(entry->sp_expire) : SR_TIME_NEVER;
    facts->has_password = usable ? SR_YES : SR_NO;
    facts->password_expires = SR_TIME_NEVER;
    facts->never_expires = SR_YES;
    facts->must_change = SR_NO;
    facts->cannot_change = SR_NO;
    facts->is_protected = SR_NO;
    if (usable)
        sr_ageing_facts(&ageing, facts);
    sr_ageing_apply(rules, SR_TIME_UNKNOWN, facts);
}

/* One number of a shadow line; -1 when empty or "-1".  Returns 0 or -1. */
static int
parse_days(const char *text, long *days)
{
    char *end;

    *days = -1;
    if (text[0] == '\0' || strcmp(text, "-1") == 0)
        return 0;
    if (!isdigit((unsigned char)text[0]))
        return -1;
    errno = 0;
    *days = strtol(text, &end, 10);
    return errno != 0 || *end != '\0' ? -1 : 0;
}

const char *
sr_local_parse(char *line, struct spwd *entry)
{
    static const char *const name[9] = {
        "the account name",    "the password",           "the last change",
        "the minimum age",     "the maximum age",        "the warning period",
        "the inactive period", "the end of the account", "the reserved field"};
    long reserved;
    long *const number[9] = {NULL,
                             NULL,
                             &entry->sp_lstchg,
                             &entry->sp_min,
                             &entry->sp_max,
                             &entry->sp_warn,
                             &entry->sp_inact,
                             &entry->sp_expire,
                             &reserved};
    char *field = line;
    size_t i;

    for (i = 0; i < 9; i++) {
        char *end = strchr(field, ':');

        if ((end == NULL) != (i == 8))
            return name[i];
        if (end != NULL)
            *end = '\0';
        if (i == 0)
            entry->sp_namp = field;
        else if (i == 1)
            entry->sp_pwdp = field;
        else if (i < 8 && parse_days(field, number[i]) != 0)
            return name[i];
        if (end != NULL)
            field = end + 1;
    }
    entry->sp_flag = (unsigned long)-1;
    return entry->sp_namp[0] == '\0' ? name[0] : NULL;
}

/*
 * Find the line of a name in a file of this host, into the buffer, without its
 * end.  `number` is that of the line.
 */
static enum sr_status
find_line(const char *path, const char *name, struct sr_local_buffer *buffer,
          unsigned *number, struct sr_error *error)
{
    __attribute__((cleanup(sr_local_close))) FILE *stream = fopen(path, "re");
    size_t length = strlen(name);

    *number = 0;
    if (stream == NULL) {
        sr_error_set(error, SR_ERROR_OTHER, "%s: %s", path, strerror(errno));
        return errno == ENOENT ? SR_STATUS_UNKNOWN_NAME : SR_STATUS_UNAVAILABLE;
    }
    while (getline(&buffer->bytes, &buffer->size, stream) > 0) {
        ++*number;
        if (strncmp(buffer->bytes, name, length) == 0 &&
            buffer->bytes[length] == ':') {
            buffer->bytes[strcspn(buffer->bytes, "\n")] = '\0';
            return SR_STATUS_OK;
        }
    }
    if (ferror(stream)) {
        sr_error_set(error, SR_ERROR_OTHER, "%s: %s", path, strerror(errno));
        return SR_STATUS_UNAVAILABLE;
    }
    return SR_STATUS_UNKNOWN_NAME;
}

/*
 * Find a name's line in the shadow file and parse it ourselves: only for a name
 * that has a passwd line and no hash by getspnam(3).
 */
static enum sr_status
read_shadow_line(const char *name, struct spwd *entry,
                 struct sr_local_buffer *buffer, struct sr_error *error)
{
    const char *field;
    unsigned number;
    enum sr_status ask = find_line(SHADOW_FILE, name, buffer, &number, error);

    if (ask != SR_STATUS_OK)
        return ask;
    field = sr_local_parse(buffer->bytes, entry);
    if (field == NULL)
        return SR_STATUS_OK;
    sr_error_set(error, SR_ERROR_OTHER,
                 "%s:%u: %s is not what shadow(5) allows", SHADOW_FILE, number,
                 field);
    return SR_STATUS_UNAVAILABLE;
}

/*
 * An account of the passwd file without a shadow line: it may be a directory's,
 * but not where no account has one, and root never is.  So root's key still
 * lets in where the shadow file was lost or emptied.
 */
static enum sr_status
no_shadow_line(const struct passwd *found, struct sr_error *error)
{
    __attribute__((
        cleanup(sr_local_buffer_free))) struct sr_local_buffer buffer = {0};
    struct sr_error ignored;
    unsigned number;

    if ((found->pw_uid != 0 && access(SHADOW_FILE, F_OK) == 0) ||
        find_line(PASSWD_FILE, found->pw_name, &buffer, &number, &ignored) !=
            SR_STATUS_OK)
        return SR_STATUS_UNKNOWN_NAME;
    sr_error_set(error, SR_ERROR_OTHER, SR_LOCAL_NO_SHADOW);
    return SR_STATUS_UNAVAILABLE;
}

/*
 * A passwd entry that is not shadowed has the hash itself.  Other sources than
 * the file put "*" and the like there (sssd), so the file says whose account it
 * is.
 */
static enum sr_status
take_passwd_hash(const struct passwd *found, struct spwd *entry,
                 struct sr_local_buffer *buffer, struct sr_error *error)
{
    unsigned number;

    entry->sp_pwdp = found->pw_passwd;
    return is_password(found->pw_passwd)
               ? SR_STATUS_OK
               : find_line(PASSWD_FILE, found->pw_name, buffer, &number, error);
}

static enum sr_status
look_up_shadow(const char *name, struct spwd *entry,
               struct sr_local_buffer *buffer, struct sr_error *error)
{
    struct spwd *found = NULL;
    int code;

    do {
        code = buffer_grow(buffer);
        if (code == 0)
            code = getspnam_r(name, entry, buffer->bytes, buffer->size, &found);
    } while (code == ERANGE && buffer->size <= SR_LOCAL_ENTRY_MAX);
    if (code == ENOMEM)
        return SR_STATUS_NO_MEMORY;
    /* An entry without a hash can be what this host publishes of a directory's
     * account: only the file says whose it is. */
    if (found != NULL && entry->sp_pwdp[0] != '*' && entry->sp_pwdp[0] != '!')
        return SR_STATUS_OK;
    /* glibc wants room for each line that comes before. */
    if (code != 0 && code != ENOENT && code != ERANGE) {
        sr_error_set(error, SR_ERROR_OTHER, "shadow entry: %s", strerror(code));
        return SR_STATUS_UNAVAILABLE;
    }
    sr_local_buffer_free(buffer);
    buffer->size = 0;
    return read_shadow_line(name, entry, buffer, error);
}

static enum sr_status
look_up_passwd(const char *name, struct passwd *entry,
               struct sr_local_buffer *buffer, struct sr_error *error)
{
    struct passwd *found = NULL;
    int code;

    do {
        code = buffer_grow(buffer);
        if (code == 0)
            code = getpwnam_r(name, entry, buffer->bytes, buffer->size, &found);
    } while (code == ERANGE && buffer->size <= SR_LOCAL_ENTRY_MAX);
    if (found != NULL)
        return SR_STATUS_OK;
    switch (code) {
    case 0:
    case ENOENT:
    case ESRCH:
        return SR_STATUS_UNKNOWN_NAME;
    case ENOMEM:
        return SR_STATUS_NO_MEMORY;
    default:
        sr_error_set(error, SR_ERROR_OTHER, "passwd entry: %s", strerror(code));
        return SR_STATUS_UNAVAILABLE;
    }
}

const struct sr_backend sr_local_backend = {.name = "local",
                                            .ops = &sr_backend_local};

const struct spwd sr_local_no_ageing = {.sp_lstchg = -1,
                                        .sp_min = -1,
                                        .sp_max = -1,
                                        .sp_warn = -1,
                                        .sp_inact = -1,
                                        .sp_expire = -1};

struct sr_account *
sr_local_account(const struct passwd *entry, const struct spwd *shadow,
                 const struct sr_rules *rules)
{
    struct sr_account *account = calloc(1, sizeof(*account));

    if (account == NULL)
        return NULL;
    account->backend = sr_local_backend;
    account->gecos = strdup(entry->pw_gecos == NULL ? "" : entry->pw_gecos);
    account->secret = strdup(shadow->sp_pwdp == NULL ? "*" : shadow->sp_pwdp);
    if (account->gecos == NULL || account->secret == NULL) {
        sr_account_close(account);
        return NULL;
    }
    sr_facts_init(&account->facts);
    account->facts.answered = SR_YES;
    account->facts.uid = entry->pw_uid;
    snprintf(account->facts.name, sizeof(account->facts.name), "%s",
             entry->pw_name);
    snprintf(account->facts.backend, sizeof(account->facts.backend), "%s",
             sr_local_backend.name);
    sr_local_facts(shadow, rules, &account->facts);
    return account;
}

bool
sr_local_is_shadowed(const struct passwd *entry)
{
    const char *field = entry->pw_passwd;

    return strcmp(field, "x") == 0 || strcmp(field, "*NP*") == 0 ||
           (strncmp(field, "##", 2) == 0 &&
            strcmp(field + 2, entry->pw_name) == 0);
}

bool
sr_local_is_name(const char *name)
{
    return name[0] != '\0' && name[0] != '+' && name[0] != '-' &&
           strlen(name) <= SR_NAME_MAX;
}

static enum sr_status
local_look_up(struct sr_call *call, const char *name,
              const struct sr_rules *rules, struct sr_account **account)
{
    __attribute__((
        cleanup(sr_local_buffer_free))) struct sr_local_buffer pw_buffer = {0};
    __attribute__((
        cleanup(sr_local_buffer_free))) struct sr_local_buffer sp_buffer = {0};
    struct passwd entry;
    struct spwd shadow = sr_local_no_ageing;
    enum sr_status ask;

    *account = NULL;
    if (!sr_local_is_name(name))
        return SR_STATUS_UNKNOWN_NAME;
    ask = look_up_passwd(name, &entry, &pw_buffer, &call->error);
    if (ask != SR_STATUS_OK)
        return ask;
    /* The name service answers other spellings with the same entry; the account
     * is looked up by the name that it has. */
    if (strcmp(entry.pw_name, name) != 0)
        return SR_STATUS_UNKNOWN_NAME;
    if (!sr_local_is_shadowed(&entry))
        ask = take_passwd_hash(&entry, &shadow, &sp_buffer, &call->error);
    else
        ask = look_up_shadow(entry.pw_name, &shadow, &sp_buffer, &call->error);
    if (ask == SR_STATUS_UNKNOWN_NAME && sr_local_is_shadowed(&entry))
        ask = no_shadow_line(&entry, &call->error);
    if (ask != SR_STATUS_OK)
        return ask;
    *account = sr_local_account(&entry, &shadow, rules);
    return *account == NULL ? SR_STATUS_NO_MEMORY : SR_STATUS_OK;
}

static enum sr_verify_result
local_verify(struct sr_call *call, struct sr_account *account,
             const char *password, bool allow_empty)
{
    const char *hash = account == NULL ? NULL : account->secret;
    const bool is_empty = password[0] == '\0';
    bool empty_right =
        hash != NULL && hash[0] == '\0' && is_empty && allow_empty;
    bool is_refused =
        strlen(password) > SR_PASSWORD_BYTES_MAX || (is_empty && !allow_empty);
    int status;

    /* Too long a password is wrong, never cut, and so is an empty one that is
     * not allowed, whatever the hash; the work is done all the same. */
    status =
        sr_crypt_verify(is_refused ? "" : password, is_refused ? NULL : hash);
    if (status < 0) {
        sr_error_set(&call->error, SR_ERROR_OTHER,
                     "the password cannot be hashed");
        return SR_VERIFY_UNAVAILABLE;
    }
    if (hash != NULL && sr_crypt_estimate(hash) > SR_CRYPT_MS_MAX)
        sr_error_set(&call->error, SR_ERROR_OTHER,
                     "the hash takes too long to compute");
    return status == 1 || empty_right ? SR_VERIFY_RIGHT : SR_VERIFY_WRONG;
}

/* What passwd(1) and pam_unix write is in /etc: files that are locked, written
 * anew and renamed. */
static enum sr_write
local_may_change(struct sr_call *call, struct sr_account *account,
                 enum sr_refusal *refusal)
{
    (void)account;
    (void)refusal;
    if (call->is_served || faccessat(AT_FDCWD, "/etc", W_OK, AT_EACCESS) == 0 ||
        errno != EROFS)
        return sr_local_wait_for_files(FILES_WAIT_MS, &call->error)
                   ? SR_WRITE_DONE
                   : SR_WRITE_FAILED;
    sr_error_set(&call->error, SR_ERROR_OTHER, "/etc: %s", sr_strerror(EROFS));
    return SR_WRITE_FAILED;
}

/* The module behind ours stores it, if nothing keeps it from that by now. */
static enum sr_write
local_change(struct sr_call *call, struct sr_account *account, const char *old,
             const char *password, enum sr_refusal *refusal)
{
    (void)account;
    (void)old;
    (void)password;
    (void)refusal;
    return sr_local_wait_for_files(FILES_WAIT_MS, &call->error)
               ? SR_WRITE_BY_OTHER
               : SR_WRITE_FAILED;
}

const struct sr_backend_ops sr_backend_local = {
    .type = "local",
    .accounts =
        {
            .look_up = local_look_up,
            .verify = local_verify,
            .may_change = local_may_change,
            .change = local_change,
        },
    .enumerate = sr_local_enumerate,
};
