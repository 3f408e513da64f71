"""What somebody tries who knows how the module works.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import fcntl
import os
import struct
import subprocess
import time

import pytest

from scratch import (RUNDIR, STATE, guarded_stack, hash_password, stack,
                     tmpfs)
from talk import AGAIN, CURRENT, NEW, PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
OTHER = "what the administrator chose"
PEER = "192.0.2.7"
EXPIRED = {"changed": 100, "max": 90}


# ---- the account changes while a prompt waits

def outlast():
    """What was read counts as new for a millisecond, in which no person
    answers; this test can."""
    time.sleep(0.01)


def test_a_prompt_that_was_left_open(host):
    """The password was changed meanwhile: the old one is none any more."""
    host.add("ann", OLD)
    bob = host.add("bob", "something else")
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as su:
        su.until(PASSWORD)
        outlast()
        host.set_shadow("ann", 1, hash_password(OTHER))
        su.type(OLD)
        assert "in as" not in su.rest()
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as su:
        su.until(PASSWORD)
        outlast()
        host.set_shadow("ann", 1, hash_password(FRESH))
        su.type(FRESH)
        assert "in as ann" in su.rest()


def test_the_current_password_was_changed_before_it_was_typed(host):
    ann = host.add("ann", OLD)
    with Talk(["passwd"], user=ann) as talk:
        talk.until(CURRENT)
        host.set_shadow("ann", 1, hash_password(OTHER))
        talk.type(OLD)
        talk.rest()
        assert talk.status != 0
    assert host.has_password("ann", OTHER)


@pytest.mark.parametrize("what", ["locked", "reset"])
def test_the_administrator_was_quicker(host, what):
    """A change under way does not undo what was done meanwhile."""
    ann = host.add("ann", OLD)
    stored = {"locked": "!" + host.shadow("ann")[1],
              "reset": hash_password(OTHER)}[what]
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, OLD)
        talk.until(NEW)
        host.set_shadow("ann", 1, stored)
        talk.type(FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
        assert talk.status != 0
    assert host.shadow("ann")[1] == stored
    failed = host.log.with_text("SR-1013")
    assert len(failed) == 1 and "cause=changed-meanwhile" in failed[0], failed


# ---- root always has a way in

def unsafe(path):
    path.mkdir(mode=0o777)
    path.chmod(0o777)


def no_directory(path):
    path.write_text("garbage")


def full(_):
    """What cannot be saved goes below RUNDIR, which others can write."""
    STATE.mkdir(mode=0o700)
    tmpfs(STATE, "0700", "ro")
    unsafe(RUNDIR)


@pytest.mark.parametrize("break_it, path", [
    (unsafe, STATE), (no_directory, STATE), (no_directory, RUNDIR),
    (full, STATE)])
def test_root_at_the_console_with_a_broken_store(host, break_it, path):
    host.set_shadow("root", 1, hash_password(OLD))
    host.add("ann", OLD)
    host.forget_state()
    break_it(path)
    try:
        for user, password, tty, code in (
                ("root", OLD, "/dev/tty1", "SUCCESS"),
                ("root", "no", "/dev/tty1", "AUTH_ERR"),
                ("root", OLD, "ftp", "AUTHINFO_UNAVAIL"),
                ("ann", OLD, "/dev/tty1", "AUTHINFO_UNAVAIL")):
            done = host.drive("login", user, "auth", answers=[password],
                              tty=tty)
            assert done.codes == [code], (user, tty, done)
        assert host.drive("login", "root", "auth", "acct", answers=[OLD],
                          tty="/dev/tty1").codes == ["SUCCESS"] * 2
        assert host.log.with_text("SR-3205")
    finally:
        if path.is_file():
            path.unlink()
        subprocess.run(["umount", STATE], check=break_it == full,
                       stderr=subprocess.DEVNULL)


def test_fifos_in_the_place_of_files(host):
    """Nothing waits for the other end of one."""
    host.set_shadow("root", 1, hash_password(OLD))
    host.drive("login", "root", "auth", answers=["no"], rhost=PEER)
    files = [path for path in STATE.rglob("*") if path.is_file()]
    assert STATE / "key" in files and len(files) > 1
    for path in files:
        path.unlink()
        os.mkfifo(path, 0o600)
    for where in ({"tty": "/dev/tty1"}, {"rhost": PEER}):
        done = host.drive("login", "root", "auth", "acct", answers=[OLD],
                          **where)
        assert done.codes[0] in ("SUCCESS", "AUTHINFO_UNAVAIL")
        assert done.codes[0] == "SUCCESS" or "rhost" in where
    assert host.run("selfresetctl", "check").returncode == 2


# ---- guard and settle

def test_settle_is_no_vote(host):
    """A stack in which the module between is only sufficient."""
    host.service("probe", guarded_stack().replace("[success=ok default=die]",
                                                  "sufficient"))
    host.add("ann", OLD)
    assert host.drive("probe", "ann", "auth", answers=["no"]).code != "SUCCESS"
    assert host.drive("probe", "ann", "auth",
                      answers=[OLD]).code == "SUCCESS"


def test_one_users_success_is_not_anothers(host):
    """On one handle: a wrong guess at ann's, then bob, who comes in without a
    password and so without a guard."""
    host.service("probe",
                 "auth [success=2 default=ignore] pam_succeed_if.so quiet "
                 "user = bob\n" + guarded_stack())
    host.configure(lockout={"attempts": 3})
    host.add("ann", OLD)
    host.add("bob", "something else")
    for _ in range(3):
        host.drive("probe", "ann", "auth", "user:bob", "auth", answers=["no"])
    assert host.drive("probe", "ann", "auth",
                      answers=[OLD]).code == "AUTH_ERR"


def test_guard_does_not_wait_for_itself(host):
    """A handle on which one try after another fails, as login's and sshd's."""
    host.service("probe", guarded_stack())
    host.configure(lockout={"attempts": 2, "wait": "10s"})
    host.add("ann", OLD)
    began = time.monotonic()
    done = host.drive("probe", "ann", "auth", "auth", "auth", "auth",
                      answers=["no", "no", OLD, OLD])
    assert done.codes == ["AUTH_ERR"] * 4
    assert time.monotonic() - began < 8


def test_guarded_failures_do_not_come_back(host):
    """The right password clears the ledger, and it stays clear."""
    host.service("probe", guarded_stack())
    host.add("ann", OLD)
    for _ in range(3):
        for _ in range(4):
            host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
        assert host.drive("probe", "ann", "auth", "cred", answers=[OLD],
                          rhost=PEER).code == "SUCCESS"


@pytest.mark.parametrize("typed", ["junk", None])
def test_settle_proves_no_password(host, typed):
    """Something else than the password let ann in: she has not proved it."""
    guard = "auth requisite pam_selfreset.so guard\n" if typed else ""
    host.service("probe", stack().replace(
        "auth     required   pam_selfreset.so\n",
        guard + "auth required pam_permit.so\n"
        "auth required pam_selfreset.so settle\n"))
    host.add("ann", OLD, **EXPIRED)
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[*([typed] if typed else []), FRESH, FRESH,
                               FRESH])
    assert done.codes[:2] == ["SUCCESS", "NEW_AUTHTOK_REQD"], done
    assert done.code != "SUCCESS", done
    assert host.has_password("ann", OLD)


def test_settle_spares_a_prompt(host):
    host.service("probe", stack().replace(
        "auth     required   pam_selfreset.so\n",
        "auth requisite pam_selfreset.so guard\n"
        "auth [success=ok default=die] pam_unix.so nodelay\n"
        "auth required pam_selfreset.so settle\n"))
    host.add("ann", OLD, **EXPIRED)
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[OLD, FRESH, FRESH])
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], done
    assert host.has_password("ann", FRESH)


# ---- sources

SUDO = r"password for \w+: "


def test_one_users_sudo_does_not_lock_anothers(host):
    host.configure(lockout={"source_attempts": 2})
    ann = host.add("ann", OLD, groups=("wheel",))
    bob = host.add("bob", OLD, groups=("wheel",))
    with Talk(["sudo", "id", "-un"], user=bob) as talk:
        for _ in range(3):
            talk.answer(SUDO, "no")
        talk.rest()
    with Talk(["sudo", "id", "-un"], user=ann) as talk:
        talk.answer(SUDO, OLD)
        assert "root" in talk.rest()


def test_sudo_that_asks_for_the_targets_password(host):
    """bob guesses at ann's by sudo: her own sessions go on."""
    sudoers = host.run("cat", "/etc/sudoers").stdout
    with open("/etc/sudoers", "w", encoding="ascii") as out:
        out.write(sudoers + "Defaults targetpw\nbob ALL=(ALL) ALL\n")
    host.configure(lockout={"attempts": 3})
    ann, bob = host.add("ann", OLD), host.add("bob", "something else")
    for _ in range(2):
        with Talk(["sudo", "-u", "ann", "id", "-un"], user=bob) as talk:
            for _ in range(3):
                talk.answer(SUDO, "no")
            talk.rest()
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
    assert host.has_password("ann", FRESH)


@contextlib.contextmanager
def busy(ledger):
    """Every slot of a ledger is locked by another process."""
    with open(ledger, "r+b") as file:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack(
            "hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 1 << 30, 1 << 20, 0))
        yield


def test_root_at_a_busy_console_is_counted(host):
    """A ledger whose slots are all in use is no broken one: nothing is verified
    without being counted."""
    host.configure(lockout={"source_attempts": 1, "wait": "1s"})
    host.add("ann", OLD)
    host.set_shadow("root", 1, host.shadow("ann")[1])

    def log_in():
        return host.drive("login", "root", "auth", answers=[OLD],
                          tty="/dev/tty1").code

    assert log_in() == "SUCCESS"
    with busy(STATE / "here" / "console"):
        assert log_in() == "AUTHINFO_UNAVAIL"
    assert log_in() == "SUCCESS"


def test_a_daemon_that_names_no_peer_is_not_root(host):
    """Guesses through it lock neither root's own sessions nor the console nor
    the owner's sessions."""
    host.configure(lockout={"attempts": 3, "source_attempts": 6})
    for name in ("ann", "bob", "cyn"):
        host.add(name, OLD)
    for name in ("ann", "bob"):
        for _ in range(3):
            host.drive("probe", name, "auth", answers=["no"])
    # root's own session, the console, the owner's own session
    assert host.drive("su", "cyn", "acct", ruser="root").code == "SUCCESS"
    assert host.drive("login", "cyn", "auth", answers=[OLD],
                      tty="/dev/tty1").code == "SUCCESS"
    uid = int(host.run("id", "-u", "ann").stdout)
    assert host.drive("su", "ann", "auth", answers=[OLD], ruser="ann",
                      tty="/dev/pts/1", real_uid=uid).code == "SUCCESS"
    # and nobody else who comes through the daemon
    assert host.drive("probe", "cyn", "auth", answers=[OLD]).code == "SUCCESS"
    assert host.drive("probe", "ann", "auth", answers=[OLD]).code == "AUTH_ERR"


# Services of which the peer is not known, by what they put into the items.
NAMELESS = {
    "xrdp": {"tty": "xrdp-sesman"},
    "vsftpd": {"tty": "ftp", "ruser": "root"},
    "dovecot": {"tty": "dovecot"},
    "nothing": {},
}


@pytest.mark.parametrize("service", NAMELESS)
def test_services_that_name_no_peer_close_to_nobody(host, service):
    """Twelve names that do not exist, and an account that is guessed at: root
    and ann log in at the console and by the service."""
    host.configure(lockout={"attempts": 3, "source_attempts": 6})
    host.add("bob", OLD)
    host.add("ann", OLD)
    for number in range(12):
        done = host.drive("probe", f"nobody{number}", "auth", answers=["no"],
                          **NAMELESS[service])
        assert done.code != "SUCCESS"
    for _ in range(3):
        host.drive("probe", "bob", "auth", answers=["no"], **NAMELESS[service])
    for user in ("root", "ann"):
        host.set_shadow(user, 1, host.shadow("ann")[1])
        assert host.drive("login", user, "auth", "acct", answers=[OLD],
                          tty="/dev/tty1").codes == ["SUCCESS"] * 2
    assert host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                      **NAMELESS[service]).codes == ["SUCCESS"] * 2


@pytest.mark.parametrize("service", NAMELESS)
def test_root_is_counted_where_no_peer_is_named(host, service):
    """By the account, since there is no source; the console stays open."""
    host.configure(lockout={"attempts": 3, "source_attempts": 6})
    host.add("ann", OLD)
    host.set_shadow("root", 1, host.shadow("ann")[1])
    codes = [host.drive("probe", "root", "auth", answers=["no"],
                        **NAMELESS[service]).code for _ in range(3)]
    assert codes == ["AUTH_ERR"] * 3
    assert host.drive("probe", "root", "auth", answers=[OLD],
                      **NAMELESS[service]).code == "AUTH_ERR"
    assert host.drive("login", "root", "auth", "acct", answers=[OLD],
                      tty="/dev/tty1").codes == ["SUCCESS"] * 2


def test_the_user_that_a_root_helper_names(host):
    """polkit's helper, started by its socket, says for whom it asks: his wrong
    passwords are his, and neither the kernel's word for him nor anybody
    else's."""
    host.configure(lockout={"attempts": 30, "source_attempts": 6})
    mallory, carl = host.add("mallory", OLD), host.add("carl", OLD)
    for _ in range(6):
        assert host.drive("polkit-1", "carl", "auth", answers=["no"],
                          ruser="mallory").code == "AUTH_ERR"
    assert host.drive("polkit-1", "carl", "auth", answers=[OLD],
                      ruser="mallory").code == "AUTH_ERR"
    assert host.drive("polkit-1", "carl", "auth", answers=[OLD],
                      ruser="carl").code == "SUCCESS"
    assert host.drive("su", "carl", "auth", answers=[OLD],
                      real_uid=carl.uid).code == "SUCCESS"
    assert host.drive("su", "carl", "auth", answers=[OLD],
                      real_uid=mallory.uid).code == "SUCCESS"


NAT, HOME = "192.0.2.30", "192.0.2.31"


def test_neighbours_behind_a_familiar_address(host):
    """ann once logged in from an address that many share.  Three guesses from
    it close it to her, and neither her own session nor her home, nor the
    address to others."""
    host.configure(lockout={"attempts": 3, "source_attempts": 30})
    ann = host.add("ann", OLD, groups=("wheel",))
    host.add("bob", OLD)
    for address in (NAT, HOME):
        assert host.drive("sshd", "ann", "auth", "acct", "cred", "open",
                          "close", answers=[OLD], tty="ssh",
                          rhost=address).code == "SUCCESS"
    for _ in range(3):
        assert host.drive("sshd", "ann", "auth", answers=["no"], tty="ssh",
                          rhost=NAT).code == "AUTH_ERR"
    assert host.drive("sshd", "ann", "auth", answers=[OLD], tty="ssh",
                      rhost=NAT).code == "AUTH_ERR"
    with Talk(["sudo", "id", "-un"], user=ann) as sudo:
        sudo.answer(r"password for \w+: ", OLD)
        assert "root" in sudo.rest()
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=ann) as su:
        su.answer(PASSWORD, OLD)
        assert "in as ann" in su.rest()
    for user, address in (("ann", HOME), ("bob", NAT)):
        assert host.drive("sshd", user, "auth", "acct", answers=[OLD],
                          tty="ssh", rhost=address).code == "SUCCESS"
    # Strangers' guesses are counted elsewhere, too.
    for _ in range(3):
        host.drive("sshd", "ann", "auth", answers=["no"], tty="ssh",
                   rhost="192.0.2.66")
    assert host.drive("sshd", "ann", "auth", "acct", answers=[OLD], tty="ssh",
                      rhost=HOME).code == "SUCCESS"


def test_what_a_root_helper_says_locks_nobody_it_does_not_name(host):
    """30 wrong ones for mallory's account by a helper that names mallory:
    carl's account is as before, by the helper, by su and from afar."""
    host.configure(lockout={"attempts": 3, "source_attempts": 30})
    host.add("mallory", OLD)
    carl = host.add("carl", OLD)
    for _ in range(30):
        assert host.drive("polkit-1", "mallory", "auth", answers=["no"],
                          ruser="mallory").code == "AUTH_ERR"
    for options in ({"ruser": "carl"}, {"real_uid": carl.uid},
                    {"rhost": HOME}, {"tty": "/dev/tty1"}, {}):
        assert host.drive("polkit-1", "carl", "auth", "acct", answers=[OLD],
                          **options).codes == ["SUCCESS"] * 2, options


def test_thirty_wrong_through_a_daemon_without_a_source(host):
    """They close it to nobody, and no other way in."""
    host.configure(lockout={"attempts": 3, "source_attempts": 30})
    for name in ("ann", "bob"):
        host.add(name, OLD)
    for number in range(10):
        for _ in range(3):
            host.drive("probe", f"name{number}", "auth", answers=["no"])
    for _ in range(3):
        host.drive("probe", "bob", "auth", answers=["no"])
    for options in ({}, {"tty": "/dev/tty1"}, {"rhost": HOME},
                    {"tty": "xrdp-sesman"}):
        assert host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                          **options).codes == ["SUCCESS"] * 2, options


def test_su_makes_nobody_familiar(host):
    """bob knew ann's password once.  His guesses must not lock out ann."""
    host.configure(lockout={"attempts": 3})
    ann, bob = host.add("ann", OLD), host.add("bob", "something else")
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as su:
        su.answer(PASSWORD, OLD)
        assert "in as ann" in su.rest()
    for _ in range(3):
        with Talk(["su", "ann", "-c", "echo in"], user=bob) as su:
            su.answer(PASSWORD, "no")
            su.rest()
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, OLD)
        talk.until(NEW)


def test_su_by_root_does_not_take_the_notice(host):
    host.service("su", "auth sufficient pam_rootok.so\n" + stack())
    host.add("ann", OLD)
    host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert host.run("su", "ann", "-c", "id -un").stdout == "ann\n"
    done = host.drive("probe", "ann", "auth", "acct", "open", answers=[OLD],
                      rhost="192.0.2.9", tty="ssh")
    assert "1 failed" in done.said


# ---- the new password between the modules

def two_lines(second):
    return ("password [success=ok ignore=ignore default=die] pam_selfreset.so\n"
            f"password {second}\n"
            "password required pam_unix.so use_authtok sha512 rounds=1000\n"
            "password required pam_selfreset.so settle\n")


@pytest.mark.parametrize("control", ["optional", "required"])
def test_a_line_that_cannot_work_leaves_no_new_password(host, control):
    """Whatever the controls say: a module behind must find none."""
    host.service("probe", two_lines(
        f"{control} pam_selfreset.so conf=/nonexistent use_authtok"))
    ann = host.add("ann", OLD)
    done = host.drive("probe", "ann", "chauthtok", real_uid=ann.uid,
                      answers=[OLD, FRESH, FRESH])
    assert done.code != "SUCCESS", done
    assert host.has_password("ann", OLD)


def test_a_proof_ends_with_the_next_try(host):
    """ann has proved her password; then somebody fails to, on her handle."""
    host.add("ann", OLD, **EXPIRED)
    done = host.drive("probe", "ann", "auth", "auth", "change-expired",
                      answers=[OLD, "no", FRESH, FRESH, FRESH])
    assert done.codes == ["SUCCESS", "AUTH_ERR", "AUTH_ERR"], done
    assert host.has_password("ann", OLD)
