"""Accounts that share a uid, or have one that another account had before.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

from scratch import DAY, ETC, stack, unix_stack
from talk import AGAIN, CURRENT, NEW, PASSWORD, Talk
from test_ctl import FRESH, OLD, PEER, guess, log_in, status, temporary

UID = 3000


@pytest.fixture
def two(host):
    """ann and bob, who have one uid."""
    host.add("ann", OLD, uid=UID)
    host.add("bob", "another one of bob's", uid=UID)
    host.configure(temporary={"lifetime": "1h"}, lockout={"attempts": 3})
    return host


def change(host, name, current):
    """A change by the owner, at a login."""
    done = host.drive("probe", name, "auth", "acct", "change-expired",
                      answers=[current, FRESH, FRESH], rhost=PEER)
    assert done.code == "SUCCESS", done
    assert host.has_password(name, FRESH)


def test_a_temporary_password_ends_by_itself(two):
    """bob's has lapsed, whatever became of ann's."""
    bobs, anns = temporary(two, "bob"), temporary(two, "ann")
    assert log_in(two, bobs, "bob") == "SUCCESS"
    assert log_in(two, bobs, "bob", ahead=3700) == "AUTH_ERR"
    change(two, "ann", anns)
    assert status(two, "bob")[1]["facts"]["temporary_until"] is not None
    assert status(two, "ann")[1]["facts"]["temporary_until"] is None
    assert log_in(two, bobs, "bob", ahead=3700) == "AUTH_ERR"
    assert log_in(two, FRESH, "ann", ahead=3700) == "SUCCESS"


def test_a_login_of_one_clears_its_own_failures(two):
    """No more than three are verified of bob's, however often ann logs in."""
    two.count_hashes("bob")
    for _ in range(6):
        guess(two, 2, "bob")
        assert log_in(two, OLD, "ann") == "SUCCESS"
    assert two.verified() == 3
    assert status(two, "ann")[0] == 0


def test_what_is_locked_is_one_of_them(two):
    guess(two, 3, "ann")
    assert log_in(two, OLD, "ann") == "AUTH_ERR"
    assert log_in(two, "another one of bob's", "bob") == "SUCCESS"
    two.run("selfresetctl", "unlock", "bob")
    assert log_in(two, OLD, "ann") == "AUTH_ERR"


def test_check_names_them(two):
    said = " ".join(two.run("selfresetctl", "check").stdout.split())
    assert "have the user id of another account" in said
    assert "bob (as ann)" in said
    two.run("usermod", "-u", "3001", "bob")
    said = two.run("selfresetctl", "check").stdout
    assert "the user id of another" not in said


def test_who_gets_a_uid_gets_nothing_else(host):
    """bob is gone, locked out and with a history; carl has his uid now."""
    host.configure(lockout={"attempts": 3}, password={"history": 5})
    host.add("bob", OLD, uid=UID, changed=0)
    change(host, "bob", OLD)
    guess(host, 3, "bob")
    assert log_in(host, FRESH, "bob") == "AUTH_ERR"
    assert host.run("userdel", "bob").returncode == 0
    for name in ("carl", "bob"):
        made = host.run("useradd", "-u", UID, "-m", "-s", "/bin/sh", name)
        assert made.returncode == 0, made
        host.run("chpasswd", "-c", "SHA512", input=f"{name}:a third one\n")
        if name == "carl":
            assert log_in(host, "a third one", name) == "SUCCESS"
            assert status(host, name)[0] == 0
            user = type("User", (), {"uid": UID})
            for password in (OLD, FRESH):
                # As his own, which bob had before.
                with Talk(["passwd"], user=user) as talk:
                    talk.answer(CURRENT, "a third one" if password == OLD
                                else OLD)
                    talk.answer(NEW, password)
                    talk.answer(AGAIN, password)
                    assert "before" not in talk.rest()
                assert host.has_password(name, password)
            assert host.run("userdel", "carl").returncode == 0


def test_a_name_with_another_uid_inherits_nothing(host):
    """The same name, made anew with another number."""
    host.configure(lockout={"attempts": 3}, temporary={"lifetime": "1h"})
    host.add("bob", OLD, uid=UID)
    temporary(host, "bob")
    guess(host, 3, "bob")
    host.run("usermod", "-u", UID + 1, "bob")
    host.set_shadow("bob", 2, "19000")
    assert status(host, "bob")[0] == 0
    assert status(host, "bob")[1]["facts"]["temporary_until"] is None


def test_su_between_them(two):
    """Sessions of one are sessions of the other to the kernel; passwords are
    not."""
    user = type("User", (), {"uid": UID})
    with Talk(["su", "bob", "-c", "echo in as bob"], user=user) as su:
        su.answer(PASSWORD, OLD)
        assert "in as" not in su.rest()
    assert log_in(two, OLD, "ann", ahead=DAY) == "SUCCESS"


# ---- files of accounts that are not as they should be

@pytest.mark.parametrize("how", ["missing", "empty", "no line of root",
                                 "bad line", "no permission"])
def test_roots_key_without_a_shadow_line(host, how):
    """As after a write to a full disk, or under SELinux: the password cannot be
    verified, root gets in by key and is told, and his jobs run."""
    host.add("ann", OLD)
    host.service("job", stack())
    shadow = ETC / "shadow"
    wrap = ()
    if how == "missing":
        shadow.unlink()
    elif how == "bad line":
        host.set_shadow("root", 2, "soon")
    elif how == "no permission":
        shadow.chmod(0)
        wrap = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
    else:
        lines = shadow.read_text().splitlines(keepends=True)
        shadow.write_text("" if how == "empty" else "".join(
            line for line in lines if not line.startswith("root:")))
    done = host.drive("sshd", "root", "acct", wrap=wrap)
    assert done.codes == ["SUCCESS"], done
    assert "root can log in by key" in done.said
    assert host.log.with_text("shadow")
    assert host.drive("job", "root", "acct", "open", wrap=wrap,
                      no_conversation=True).codes == ["SUCCESS"] * 2
    done = host.drive("sshd", "root", "auth", answers=[OLD], rhost=PEER,
                      wrap=wrap)
    assert done.codes == ["AUTHINFO_UNAVAIL"], done
    done = host.drive("sshd", "ann", "auth", "acct", answers=[OLD], wrap=wrap)
    assert done.codes == {"missing": ["AUTHINFO_UNAVAIL"] * 2,
                          "no permission": ["AUTHINFO_UNAVAIL"] * 2,
                          "empty": ["USER_UNKNOWN"] * 2}.get(
                              how, ["SUCCESS"] * 2), done
    assert "cannot be read" in host.run(*wrap, "selfresetctl", "check").stdout
    if how != "no permission":
        done = host.run("selfresetctl", "list")
        assert "The state of root is unknown: /etc/shadow" in done.stderr


@pytest.mark.parametrize("field", ["##ann", "*NP*"])
def test_other_marks_of_a_shadowed_account(host, field):
    """What pam_unix takes for \"x\"."""
    host.add("ann", OLD, changed=100, max=90)
    passwd = ETC / "passwd"
    passwd.write_text(passwd.read_text().replace("\nann:x:", f"\nann:{field}:"))
    host.service("unix", unix_stack())
    for service in ("probe", "unix"):
        assert host.drive(service, "ann", "auth", "acct", answers=[OLD]).codes \
            == ["SUCCESS", "NEW_AUTHTOK_REQD"], service
    (ETC / "pam.d/unix").unlink()
    assert "expired" in host.run("selfresetctl", "list").stdout


def test_a_line_longer_than_any_account(host):
    """It costs the account that it is of, and none behind it."""
    with open(ETC / "passwd", "a") as out:
        out.write("zed:x:9998:9998::/:/bin/sh\n")
    with open(ETC / "shadow", "a") as out:
        out.write("zed:" + "x" * 2_000_000 + ":19000::::::\n")
    host.add("ann", OLD, changed=100, max=90)
    host.service("unix", unix_stack())
    for service in ("probe", "unix"):
        assert host.drive(service, "ann", "auth", "acct", answers=[OLD]).codes \
            == ["SUCCESS", "NEW_AUTHTOK_REQD"], service
        assert host.drive(service, "zed", "auth", answers=[OLD]).code \
            == "AUTH_ERR", service
    (ETC / "pam.d/unix").unlink()
    assert status(host, "ann")[1]["state"] == "expired"


def test_list_of_odd_lines(host):
    """What is no account is left out, of two lines the first counts, and the
    columns stay what they are."""
    host.add("ann", OLD)
    host.add("ünal", OLD)
    with open(ETC / "passwd", "a") as out:
        out.write("ann:x:9999:9999::/:/bin/sh\n-bob::::::\n+@staff::::::\n"
                  "+::::::\n")
    lines = host.run("selfresetctl", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines][-2:] == ["ann", "ünal"], lines
    assert {line.index(" ok ") for line in lines} == {20}, lines
    for name in ("+", "-bob", "+@staff"):
        assert host.drive("probe", name, "acct").codes == ["USER_UNKNOWN"]
