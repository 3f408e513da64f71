"""login, su, sudo, passwd, cron and sshd for accounts of a directory: what each
lets do, and what the person reads.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

import directory
from directory import FOR_GOOD, SERVICE, Slapd, dn_of, stamp, user
from scratch import CONTACT, ETC
from talk import AGAIN, CURRENT, PASSWORD, Talk
from talk import NEW as NEW_PROMPT
from test_ldap import (DAY, NEW, OLD, STATES, UID, configure, serve, ssh)
from test_programs import cron_runs, needs_login_uid, root_may

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

ANN = dn_of("ann")
WHO = "echo in as $(id -un)"
EXPIRED = ({"pwdMaxAge": 90 * DAY}, {"pwdChangedTime": stamp(100 * DAY)})


class Ann:
    """As a program's caller."""
    name, uid = "ann", UID


def in_state(host, name, policy=None, **config):
    """A directory in which ann is in one of the states of test_ldap."""
    entry, demanded, *_ = STATES[name]
    return serve(host, {**demanded, **(policy or {})}, config=config, **entry)


# ---- login

def login():
    return Talk(["login", "ann"])


# What is read when the password is right, and whether that lets in.
LOGINS = {
    "ok": (None, True), "warning": ("expires in", True),
    "grace": ("with it 2 more times", True),
    "locked": ("incorrect", False), "locked-for-good": ("incorrect", False),
    "ended": ("incorrect", False), "not-begun": ("incorrect", False),
}


@pytest.mark.parametrize("name", LOGINS)
def test_login(host, name):
    word, is_in = LOGINS[name]
    in_state(host, name)
    with login() as talk:
        talk.answer(PASSWORD, OLD)
        if is_in:
            shown = talk.rest()
            assert "in as ann" in shown
        else:
            shown = talk.until("(?i)incorrect")
    assert word is None or word in shown, shown
    # What the directory says of no one who has not given the password.
    assert is_in or "locked" not in shown


@pytest.mark.parametrize("name", ["must-change", "expired", "last-grace"])
def test_login_forced_change(host, name):
    server = in_state(host, name)
    with login() as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as ann" in talk.change(NEW)
    assert server.lets_in(ANN, NEW)


def test_login_server_away(host):
    server = serve(host, config={"timeout": "1s"})
    server.stop()
    with login() as talk:  # asks first, as for any name
        talk.answer(PASSWORD, OLD)
        talk.until(CONTACT.replace(".", r"\."))
    # And in the midst of it.
    server.start()
    with login() as talk:
        talk.until(PASSWORD)
        server.stop()
        talk.type(OLD)
        talk.until(CONTACT.replace(".", r"\."))


# ---- logins that are counted

def test_grace_counts_down(host):
    """Each login with the old password says how many there are yet; the last
    one has to change it."""
    server = serve(host, {"pwdMaxAge": 90 * DAY, "pwdGraceAuthNLimit": 3},
                   pwdChangedTime=stamp(100 * DAY))
    for word in ("with it 2 more times.", "with it 1 more time."):
        with ssh(host, WHO) as talk:
            talk.answer(PASSWORD, OLD)
            shown = talk.rest()
        assert word in shown and "in as ann" in shown, shown
    assert len(server.read(ANN, "pwdGraceUseTime")) == 2
    with ssh(host, WHO) as talk:
        talk.answer(PASSWORD, OLD)
        assert "expired" in talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        assert "in as ann" in talk.rest()
    assert server.lets_in(ANN, NEW)
    assert server.read(ANN, "pwdGraceUseTime") == []
    with ssh(host, WHO) as talk:
        talk.answer(PASSWORD, NEW)
        shown = talk.rest()
    assert "in as ann" in shown and "login" not in shown, shown


def test_last_grace_given_up(host):
    """Then nobody but an administrator helps, where the service may not."""
    access = (f'access to attrs=userPassword by dn="{SERVICE}" =x '
              "by self write by anonymous auth by * none\n"
              "access to * by * read\n")
    server = serve(host, {"pwdMaxAge": 90 * DAY, "pwdGraceAuthNLimit": 1},
                   pwdChangedTime=stamp(100 * DAY), server={"access": access})
    with ssh(host, WHO) as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW_PROMPT, "")
        assert "in as" not in talk.rest()
    with ssh(host, WHO) as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        shown = talk.rest()
    assert CONTACT in shown and "in as" not in shown, shown
    assert not server.lets_in(ANN, NEW)


# ---- the states by a key, and what is read

KEYS = {
    "ok": (None, True),
    "warning": ("expires in", True),
    "grace": ("expired", True),
    "must-change": ("has to be changed", False),
    "expired": ("has expired", False),
    "locked": ("locked", False),
    "locked-for-good": ("locked", False),
    "ended": ("ended", False),
    "not-begun": ("not", False),
}


@pytest.mark.parametrize("name", KEYS)
def test_key(host, name):
    word, is_in = KEYS[name]
    in_state(host, name)
    host.give_key("ann")
    with ssh(host, WHO, method="publickey") as talk:
        shown = talk.rest()
    assert ("in as ann" in shown) == is_in, shown
    assert word is None or word in shown, shown
    if not is_in:
        assert CONTACT in shown or "no TTY available" in shown


@pytest.mark.parametrize("name", ["expired", "must-change", "last-grace"])
def test_key_changes_on_the_terminal(host, name):
    """sshd has passwd do it; the current password is asked for, because nobody
    has given it."""
    server = in_state(host, name)
    host.give_key("ann")
    with ssh(host, method="publickey", tty=True) as talk:
        if name != "last-grace":
            talk.change(NEW, OLD)
            assert server.lets_in(ANN, NEW)
        else:  # by a key none is used
            assert "in as ann" in talk.rest()
            assert server.read(ANN, "pwdGraceUseTime") == []


def test_key_while_the_directory_is_away(host):
    server = serve(host, config={"timeout": "1s"})
    host.give_key("ann")
    host.port()
    server.pause()
    try:
        with ssh(host, WHO, method="publickey") as talk:
            shown = talk.rest()
    finally:
        server.resume()
    assert CONTACT in shown and "in as" not in shown, shown


@pytest.mark.parametrize("name", ["locked", "ended"])
def test_password_tells_no_stranger(host, name):
    """By a password what is read is what is read for a wrong one."""
    in_state(host, name)
    shown = []
    for password in (OLD, "no"):
        with ssh(host, WHO) as talk:
            talk.answer(PASSWORD, password)
            shown.append(talk.rest())
    assert shown[0] == shown[1] and "in as" not in shown[0]


@pytest.mark.parametrize("name", ["ok", "expired", "locked"])
def test_password_method(host, name):
    """Of sshd's own, which has no dialogue."""
    in_state(host, name)
    with ssh(host, WHO, method="password") as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert ("in as ann" in shown) == (name == "ok"), shown
    assert ("has expired" in shown) == (name == "expired"), shown


# ---- su

@pytest.fixture
def bob(host):
    return host.add("bob", "a local password")


def su(caller, *arguments):
    return Talk(["su", "ann", "-c", WHO, *arguments], user=caller)


def test_su(host, bob):
    in_state(host, "warning")
    with su(bob) as talk:
        talk.answer(PASSWORD, "no")
        assert "in as" not in talk.rest()
    with su(bob) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert "in as ann" in shown and "expires in" in shown


@pytest.mark.parametrize("name", ["must-change", "expired", "last-grace"])
def test_su_forced_change(host, bob, name):
    server = in_state(host, name)
    with su(bob) as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as ann" in talk.change(NEW)
    assert server.lets_in(ANN, NEW)


@pytest.mark.parametrize("name, word", [
    ("ok", "in as ann"), ("locked", "locked"), ("locked-for-good", "locked"),
    ("ended", "ended"), ("not-begun", CONTACT)])
def test_su_by_root(host, name, word):
    """No password, but the account's state."""
    root_may(host, "su")
    in_state(host, name)
    with su(None) as talk:
        shown = talk.rest()
    assert word in shown and ("in as" in shown) == (name == "ok"), shown


def test_su_by_root_to_an_expired_account(host):
    root_may(host, "su")
    server = in_state(host, "expired")
    with su(None) as talk:
        assert "in as ann" in talk.change(NEW, OLD)
    assert server.lets_in(ANN, NEW)


# ---- sudo

@pytest.mark.parametrize("name, is_in", [
    ("ok", True), ("warning", True), ("grace", True), ("last-grace", True),
    ("expired", True), ("must-change", True), ("locked", False),
    ("ended", False)])
def test_sudo(host, name, is_in):
    """An expired password does not stop it; the end of the account does."""
    (ETC / "sudoers").write_text((ETC / "sudoers").read_text() +
                                 "ann ALL=(ALL) ALL\n")
    in_state(host, name)
    with Talk(["sudo", "-k", "sh", "-c", WHO], user=Ann) as talk:
        talk.answer("password for ann: ", OLD)
        if is_in:
            assert "in as root" in talk.rest()
        else:
            shown = talk.until("try again", "(?i)ended", "(?i)locked")
            assert "in as" not in shown


def test_sudo_without_a_password(host):
    """NOPASSWD asks for the account all the same."""
    (ETC / "sudoers").write_text((ETC / "sudoers").read_text() +
                                 "ann ALL=(ALL) NOPASSWD: ALL\n")
    server = in_state(host, "ok")
    with Talk(["sudo", "sh", "-c", WHO], user=Ann) as talk:
        assert "in as root" in talk.rest()
    server.modify(ANN, f"replace: pwdEndTime\npwdEndTime: {stamp(60)}")
    with Talk(["sudo", "sh", "-c", WHO], user=Ann) as talk:
        shown = talk.rest()
    assert "in as root" not in shown and "Account expired" in shown, shown


# ---- passwd

def passwd(login_uid=None):
    return Talk(["passwd"], user=Ann, login_uid=login_uid)


def test_passwd(host):
    server = serve(host, {"pwdMinLength": 20, "pwdCheckQuality": 2,
                          "pwdInHistory": 4})
    with passwd() as talk:
        talk.answer(CURRENT, OLD)
        shown = talk.answer(NEW_PROMPT, "secret")
        assert "at least 20 characters" in shown
        assert "none of the last 4" in shown
        assert "6 of 15" in talk.answer(NEW_PROMPT, NEW[:16])
        talk.answer(AGAIN, NEW[:16])
        assert "too short for the directory" in talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        talk.rest()
        assert talk.status == 0
    assert server.lets_in(ANN, NEW)


# The state, what more is configured, a word that is read, and whether that is
# before anything is asked.
REFUSED = {
    "wrong": ("ok", {}, {}, "current password is not right"),
    "too-young": ("ok", {"pwdMinAge": 7 * DAY}, {}, "days"),
    "not-allowed": ("ok", {"pwdAllowUserChange": "FALSE"}, {}, CONTACT),
    "locked": ("locked", {}, {}, "locked"),
    "ended": ("ended", {}, {}, "ended"),
    "protected": ("ok", {}, {"protected": "ann"}, CONTACT),
    "away": ("ok", {}, {}, CONTACT),
}


@pytest.mark.parametrize("case", REFUSED)
def test_passwd_refused(host, case):
    state, policy, change, word = REFUSED[case]
    entry, demanded, *_ = STATES[state]
    server = serve(host, {**demanded, **policy}, config={"timeout": "1s"},
                   **{"pwdChangedTime": stamp(60), **entry})
    host.configure(change=change)
    if case == "away":
        server.stop()
    with passwd() as talk:
        if case == "wrong":
            talk.answer(CURRENT, "no")
        shown = talk.rest()
        assert talk.status != 0
    assert word in shown, shown
    assert case == "wrong" or "assword:" not in shown
    if case == "away":
        server.start()
    assert case in ("locked", "ended") or server.lets_in(ANN, OLD)


def test_passwd_gives_up_in_the_middle(host):
    server = serve(host)
    with passwd() as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW_PROMPT, "")
        assert "not changed" in talk.rest()
        assert talk.status != 0
    assert server.lets_in(ANN, OLD)


def test_guesses_by_passwd_count(host):
    """Of the current password."""
    host.configure(lockout={"attempts": 3})
    server = serve(host)
    for number in range(3):
        with passwd() as talk:
            talk.answer(CURRENT, f"guess {number}")
            talk.rest()
    mark = server.mark()
    with passwd() as talk:
        assert CONTACT in talk.rest()
    assert f'BIND dn="{ANN}"' not in server.lines(mark)


# ---- who must be logged on

@needs_login_uid
@pytest.mark.parametrize("whose", ["own", "another"])
def test_must_log_on(host, whose):
    """A login uid alone proves no session, not even one's own."""
    host.configure(change={"require_logon": "yes"})
    server = serve(host)
    with passwd(login_uid=UID if whose == "own" else UID + 1) as talk:
        assert "session that you" in talk.rest()
        assert talk.status != 0
    assert server.lets_in(ANN, OLD)


@needs_login_uid
@pytest.mark.parametrize("how", ["password", "key", "login", "su"])
@pytest.mark.parametrize("name", ["expired", "must-change"])
def test_must_log_on_and_cannot(host, bob, how, name):
    """Nobody is asked for a new password at the door."""
    host.configure(change={"require_logon": "yes"})
    server = in_state(host, name)
    host.give_key("ann")
    with {"password": lambda: ssh(host, WHO),
          "key": lambda: ssh(host, WHO, method="publickey"),
          "login": login, "su": lambda: su(bob)}[how]() as talk:
        if how != "key":
            talk.answer(PASSWORD, OLD)
        shown = talk.until(CONTACT.replace(".", r"\."))
    assert "in as" not in shown
    assert "only in a session that you" in shown, shown
    assert "ew password" not in shown
    assert not server.lets_in(ANN, NEW)


@needs_login_uid
def test_must_log_on_inside_an_ssh_session(host):
    host.configure(change={"require_logon": "yes"})
    server = serve(host)
    with ssh(host, "passwd", tty=True) as talk:
        talk.answer(PASSWORD, OLD)
        talk.change(NEW, OLD)
    assert server.lets_in(ANN, NEW)


# ---- cron

@pytest.mark.parametrize("name, runs", [
    ("ok", True), ("expired", True), ("must-change", True), ("grace", True),
    ("ended", False)])
def test_cron(host, name, runs):
    server = in_state(host, name)
    assert cron_runs(host, "ann") == runs
    assert server.read(ANN, "pwdGraceUseTime") == []


def test_cron_while_the_directory_is_away(host):
    server = serve(host, config={"timeout": "1s"})
    server.stop()
    assert not cron_runs(host, "ann")
    assert host.log.with_text("SR-3002")


# ---- a lock that comes and goes

def test_locked_by_an_administrator_in_between(host):
    """Between the password and the session nothing is taken for granted that
    is older than the person's patience."""
    server = Slapd(host, [user("ann", UID, OLD)],
                   policies={"policy": {"pwdLockout": "TRUE"}})
    configure(host, server)
    host.add_elsewhere("ann", UID)
    for lock in (True, False):
        server.modify(ANN, (
            "replace: pwdAccountLockedTime\npwdAccountLockedTime: "
            f"{FOR_GOOD}") if lock else "delete: pwdAccountLockedTime")
        with ssh(host, WHO) as talk:
            talk.answer(PASSWORD, OLD)
            assert ("in as ann" in talk.rest()) != lock
