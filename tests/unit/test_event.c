/*
 * Tests of event: the catalogue, the line, and the journal's records as a real
 * datagram socket receives them.
 *
 * SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef HAVE_LIBAUDIT
#include <libaudit.h>
#endif

#include "policy/report/event.h"

static const struct sr_event blank = {
    .id = SR_EVENT_THROTTLED, .uid = (uid_t)-1, .pam_code = -1};

/* ---- the catalogue */

static void
test_catalogue(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SR_EVENT_COUNT; i++) {
        const struct sr_event_info *info = sr_event_info(i);

        assert_non_null(info);
        assert_int_equal(strlen(info->id), 7);
        assert_memory_equal(info->id, "SR-", 3);
        assert_int_equal(strspn(info->id + 3, "0123456789"), 4);
        assert_int_equal(strspn(info->message_id, "0123456789abcdef"), 32);
        assert_int_equal(strlen(info->message_id), 32);
        assert_in_range(info->severity, 0, 7);
        assert_true(strlen(info->text) > 10);
        assert_true(strlen(info->text) < 90);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(info->id, sr_event_info(j)->id);
            assert_string_not_equal(info->name, sr_event_info(j)->name);
            assert_string_not_equal(info->message_id,
                                    sr_event_info(j)->message_id);
        }
#ifdef HAVE_LIBAUDIT
        if (strcmp(info->audit, "-") != 0)
            assert_true(audit_name_to_msg_type(info->audit) > 0);
#endif
    }
    assert_null(sr_event_info(SR_EVENT_COUNT));
    assert_null(sr_event_info((enum sr_event_id) - 1));
}

/* ---- the line */

static void
check_line(const struct sr_event *event, const char *expected)
{
    char line[2048];

    sr_event_line(event, line, sizeof(line));
    assert_string_equal(line, expected);
}

static void
test_line(void **state)
{
    struct sr_event event = {
        .id = SR_EVENT_THROTTLED,
        .user = "alice",
        .uid = 1000,
        .source = "2001:db8:1:2::/64",
        .service = "sshd",
        .channel = "auth",
        .backend = "local",
        .result = "failed",
        .cause = "disk \"full\" \\",
        .actor = "root",
        .terminal = "ssh",
        .pam_code = 7,
    };

    (void)state;
    check_line(&event,
               "pam_selfreset(sshd:auth): SR-2201 throttled-user: too many "
               "wrong passwords: the account is locked for a time "
               "user=alice uid=1000 source=2001:db8:1:2::/64 backend=local "
               "result=failed cause=\"disk \\\"full\\\" \\\\\" actor=root "
               "terminal=ssh pam_code=7");
    event = blank;
    event.id = SR_EVENT_UNLOCKED;
    event.service = "selfresetctl";
    event.channel = "tool";
    event.user = "a b\nuser=root";
    event.cause = "";
    check_line(&event, "selfreset(selfresetctl:tool): SR-1021 unlock-ok: a "
                       "lockout was ended by an administrator "
                       "user=\"a b?user=root\" cause=\"\"");
    event.service = "x\ny";
    event.user = event.cause = NULL;
    check_line(&event, "selfreset(x?y:tool): SR-1021 unlock-ok: a lockout was "
                       "ended by an administrator");
}

static void
test_line_is_cut(void **state)
{
    struct sr_event event = blank;
    char line[400];
    char whole[2048];

    (void)state;
    event.service = "s";
    event.channel = "auth";
    event.user = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
    sr_event_line(&event, whole, sizeof(whole));
    for (size_t size = 1; size <= strlen(whole) + 1; size++) {
        memset(line, 'X', sizeof(line));
        sr_event_line(&event, line, size);
        assert_in_range(strlen(line), size < 4 ? 0 : size - 4, size - 1);
        assert_memory_equal(line, whole, strlen(line));
        assert_int_equal(line[size], 'X');
        /* Never half a character. */
        assert_true(strlen(line) == 0 ||
                    (unsigned char)line[strlen(line) - 1] < 0xc0);
    }
    assert_string_equal(line, whole);
}

/* ---- the journal */

static char directory[] = "/tmp/test_event.XXXXXX";
static char path[64];
static int receiver = -1;

static int
open_receiver(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/socket", directory);
    strcpy(address.sun_path, path);
    receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return bind(receiver, (struct sockaddr *)&address, sizeof(address));
}

static int
close_receiver(void **state)
{
    (void)state;
    close(receiver);
    unlink(path);
    return rmdir(directory);
}

/* Read a record back as the protocol says; the value of `key`, or NULL. */
static const char *
field(const char *record, size_t size, const char *key)
{
    static char value[1024];
    const char *at = record;

    while (at < record + size) {
        const char *end = memchr(at, '\n', (size_t)(record + size - at));
        const char *equals;
        size_t name, length;
        uint64_t counted;

        assert_non_null(end);
        equals = memchr(at, '=', (size_t)(end - at));
        if (equals != NULL) {
            name = (size_t)(equals - at);
            length = (size_t)(end - equals - 1);
        } else {
            name = (size_t)(end - at);
            memcpy(&counted, end + 1, sizeof(counted));
            length = le64toh(counted);
            equals = end + sizeof(counted);
            end = equals + 1 + length;
            assert_int_equal(*end, '\n');
        }
        if (name == strlen(key) && memcmp(at, key, name) == 0) {
            snprintf(value, sizeof(value), "%.*s", (int)length, equals + 1);
            return value;
        }
        at = end + 1;
    }
    return NULL;
}

static size_t
receive(char *record, size_t size)
{
    ssize_t got = recv(receiver, record, size, 0);

    assert_true(got > 0);
    return (size_t)got;
}

#define CHECK(key, expected)                                                   \
    assert_string_equal(field(record, size, key), expected)

static void
test_record(void **state)
{
    struct sr_event event = {
        .id = SR_EVENT_CHANGE_FAILED,
        .user = "al\nice",
        .uid = 1000,
        .source = "192.0.2.7",
        .service = "passwd",
        .channel = "password",
        .backend = "local",
        .result = "failed",
        .cause = "first\nsecond=2\n",
        .actor = "root",
        .terminal = "pts/0",
        .pam_code = 20,
    };
    char record[8192];
    char line[2048];
    size_t size;

    (void)state;
    assert_int_equal(sr_event_send_journal(path, &event), 0);
    size = receive(record, sizeof(record));
    sr_event_line(&event, line, sizeof(line));
    CHECK("MESSAGE", line);
    CHECK("PRIORITY", "4");
    CHECK("MESSAGE_ID", "78618aac75da4e7482d486ca01d9fe1f");
    CHECK("SYSLOG_FACILITY", "10");
    CHECK("SYSLOG_IDENTIFIER", program_invocation_short_name);
    CHECK("SELFRESET_ID", "SR-1013");
    CHECK("SELFRESET_EVENT", "change-failed");
    CHECK("SELFRESET_USER", "al\nice");
    CHECK("SELFRESET_UID", "1000");
    CHECK("SELFRESET_SOURCE", "192.0.2.7");
    CHECK("SELFRESET_SERVICE", "passwd");
    CHECK("SELFRESET_CHANNEL", "password");
    CHECK("SELFRESET_BACKEND", "local");
    CHECK("SELFRESET_RESULT", "failed");
    CHECK("SELFRESET_CAUSE", "first\nsecond=2\n");
    CHECK("SELFRESET_ACTOR", "root");
    CHECK("SELFRESET_TERMINAL", "pts/0");
    CHECK("PAM_CODE", "20");
}

static void
test_empty_record(void **state)
{
    char record[8192];
    size_t size;

    (void)state;
    assert_int_equal(sr_event_send_journal(path, &blank), 0);
    size = receive(record, sizeof(record));
    CHECK("SELFRESET_ID", "SR-2201");
    assert_null(field(record, size, "SELFRESET_USER"));
    assert_null(field(record, size, "SELFRESET_UID"));
    assert_null(field(record, size, "PAM_CODE"));
}

/* Hostile values: long, and of bytes that must be cleaned. */
static void
test_hostile_record(void **state)
{
    struct sr_event event = blank;
    char text[5000], record[16384];
    size_t size;

    (void)state;
    memset(text, '"', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    text[3] = '\x1b';
    text[4] = '\xff';
    event.user = event.source = event.service = event.channel = event.backend =
        event.result = event.cause = event.actor = event.terminal = text;
    assert_int_equal(sr_event_send_journal(path, &event), 0);
    size = receive(record, sizeof(record));
    assert_int_equal(strlen(field(record, size, "SELFRESET_USER")), 256);
    assert_memory_equal(field(record, size, "SELFRESET_USER"), "\"\"\"\?\?\"",
                        6);
    assert_int_equal(strlen(field(record, size, "SELFRESET_TERMINAL")), 256);
}

static void
test_socket_errors(void **state)
{
    char long_path[200];

    (void)state;
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    assert_int_equal(sr_event_send_journal("/nonexistent/socket", &blank),
                     -ENOENT);
    assert_int_equal(sr_event_send_journal(long_path, &blank), -ENAMETOOLONG);
}

/* A journal that does not read must not stop a login. */
static void
test_full_socket(void **state)
{
    char record[8192];
    int status = 0;
    int sent = 0;

    (void)state;
    while (status == 0 && sent < 100000) {
        status = sr_event_send_journal(path, &blank);
        sent += status == 0;
    }
    assert_int_equal(status, -EAGAIN);
    for (; sent > 0; sent--)
        receive(record, sizeof(record));
}

static int
open_descriptors(void)
{
    DIR *list = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(list);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

/* ---- audit */

#ifdef HAVE_LIBAUDIT
/* What was sent to the kernel, of a library that sends nothing. */
static struct {
    unsigned count;
    int type, result;
    char op[128], name[300], host[64], terminal[64];
    uid_t id;
} audited;

int
audit_open(void)
{
    return dup(STDERR_FILENO);
}

static void
note(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text == NULL ? "(null)" : text);
}

int
audit_log_acct_message(int fd, int type, const char *pgname, const char *op,
                       const char *name, unsigned int id, const char *host,
                       const char *addr, const char *tty, int result)
{
    (void)fd;
    (void)pgname;
    (void)host;
    audited.count++;
    audited.type = type;
    audited.result = result;
    audited.id = id;
    note(audited.op, sizeof(audited.op), op);
    note(audited.name, sizeof(audited.name), name);
    note(audited.host, sizeof(audited.host), addr);
    note(audited.terminal, sizeof(audited.terminal), tty);
    return 1;
}

/* libaudit writes acct= of a name only when it gets no id. */
static void
test_audit_names_the_account(void **state)
{
    struct sr_event event = {.id = SR_EVENT_WRONG,
                             .user = "alice",
                             .uid = 1000,
                             .source = "192.0.2.7",
                             .terminal = "pts/0",
                             .result = "failed",
                             .pam_code = 7};

    (void)state;
    for (event.id = 0; event.id < SR_EVENT_COUNT; event.id++) {
        const char *type = sr_event_info(event.id)->audit;
        char op[128];

        memset(&audited, 0, sizeof(audited));
        sr_event_send(&event);
        if (strcmp(type, "-") == 0) {
            assert_int_equal(audited.count, 0);
            continue;
        }
        snprintf(op, sizeof(op), "selfreset:%s", sr_event_info(event.id)->name);
        assert_int_equal(audited.count, 1);
        assert_int_equal(audited.type, audit_name_to_msg_type(type));
        assert_string_equal(audited.op, op);
        assert_string_equal(audited.name, "alice");
        assert_int_equal(audited.id, (uid_t)-1);
        assert_string_equal(audited.host, "192.0.2.7");
        assert_string_equal(audited.terminal, "pts/0");
        assert_int_equal(audited.result, 0);
    }
    event.id = SR_EVENT_THROTTLED;
    event.user = NULL;
    event.result = "ok";
    event.source = "tty1";
    sr_event_send(&event);
    assert_string_equal(audited.name, "(null)");
    assert_int_equal(audited.id, 1000);
    assert_string_equal(audited.host, "(null)"); /* it would ask the DNS */
    assert_int_equal(audited.result, 1);
}
#endif

static void
test_leaves_nothing(void **state)
{
    char record[8192];
    int before;

    (void)state;
    sr_event_send(&blank); /* syslog(3) keeps its socket from here on */
    before = open_descriptors();
    errno = EXDEV;
    sr_event_send(&blank);
    assert_int_equal(errno, EXDEV);
    assert_int_equal(sr_event_send_journal(path, &blank), 0);
    receive(record, sizeof(record));
    assert_int_equal(open_descriptors(), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catalogue),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_line_is_cut),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_empty_record),
        cmocka_unit_test(test_hostile_record),
        cmocka_unit_test(test_socket_errors),
        cmocka_unit_test(test_full_socket),
#ifdef HAVE_LIBAUDIT
        cmocka_unit_test(test_audit_names_the_account),
#endif
        cmocka_unit_test(test_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, open_receiver, close_receiver);
}
