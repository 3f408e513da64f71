"""sshd: keyboard-interactive, password and public key.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import random
import time

import pytest

import scratch
from scratch import CONTACT, DAY, wait_until
from talk import AGAIN, CURRENT, NEW, PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
EXPIRED = {"changed": 100, "max": 90}


def ssh(host, user="ann", shell=False, **options):
    """A login for one command, or for a shell: sshd shows what PAM says as it
    opens the session only to a shell."""
    command = [] if shell else ["echo in as $(id -un)"]
    return Talk(host.ssh_command(user, *command, **options))


def log_in(host, password=OLD, user="ann", **options):
    """One login; the answer is all that was shown after the password."""
    with ssh(host, user, **options) as talk:
        talk.answer(PASSWORD, password)
        return talk.rest()


# ---- keyboard-interactive

def test_warning(host):
    host.add("ann", OLD, changed=85, max=90)
    shown = log_in(host)
    assert "in 5 days" in shown or "in 4 days" in shown, shown
    assert "in as ann" in shown


def test_no_warning_when_there_is_time(host):
    host.add("ann", OLD, changed=10, max=90)
    assert "expire" not in log_in(host)


def test_forced_change(host):
    host.add("ann", OLD, **EXPIRED)
    with ssh(host) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.answer(NEW, "secret")
        assert "expired" in shown
        assert "15 characters" in shown, "the rules come before the prompt"
        shown = talk.answer(NEW, FRESH)
        assert "too short" in shown and "2 tries left" in shown
        talk.answer(AGAIN, FRESH + "?")
        shown = talk.answer(NEW, FRESH)
        assert "do not match" in shown
        talk.answer(AGAIN, FRESH)
        assert "in as ann" in talk.rest()
    assert host.has_password("ann", FRESH)
    assert "in as ann" in log_in(host, FRESH)


def test_forced_change_given_up(host):
    host.add("ann", OLD, **EXPIRED)
    with ssh(host) as talk:
        talk.answer(PASSWORD, OLD)
        for _ in range(3):
            talk.answer(NEW, "secret")
        assert "in as" not in talk.rest()
    assert host.has_password("ann", OLD)


def test_must_log_on(host):
    host.configure(change={"require_logon": "yes"})
    host.add("ann", OLD, **EXPIRED)
    shown = log_in(host)
    assert "in as" not in shown
    assert "expired" in shown and CONTACT in shown
    assert host.has_password("ann", OLD)


def test_must_log_on_is_no_matter_before_expiry(host):
    host.configure(change={"require_logon": "yes"})
    host.add("ann", OLD)
    assert "in as ann" in log_in(host)


def test_inactive(host):
    host.add("ann", OLD, changed=100, max=90, inactive=5)
    shown = log_in(host)
    assert "in as" not in shown and CONTACT in shown


def temporary(host, user):
    done = host.run("selfresetctl", "temporary", user)
    assert done.returncode == 0, done.stderr
    for word in done.stdout.split():
        if host.has_password(user, word):
            return word
    raise AssertionError(f"no temporary password in {done.stdout}")


def test_temporary_password_must_be_changed(host):
    host.add("ann", OLD)
    password = temporary(host, "ann")
    with ssh(host) as talk:
        talk.answer(PASSWORD, password)
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        assert "in as ann" in talk.rest()
    later = host.sshd(ahead=2 * DAY)
    assert "in as ann" in log_in(host, FRESH, port=later)


def test_lapsed_temporary_password(host):
    host.add("ann", OLD)
    password = temporary(host, "ann")
    later = host.sshd(ahead=DAY + 60)
    shown = log_in(host, password, port=later)
    assert "in as" not in shown
    assert "denied" in shown


def test_lockout_and_release(host):
    host.add("ann", OLD)
    for _ in range(5):
        assert "denied" in log_in(host, "no")
    shown = log_in(host)
    assert "in as" not in shown
    assert CONTACT in shown
    before = host.sshd(ahead=14 * 60)
    assert "in as" not in log_in(host, port=before)
    after = host.sshd(ahead=16 * 60)
    shown = log_in(host, port=after, shell=True)
    assert "in as ann" in shown
    assert "failed" in shown, "nobody told ann of the failed attempts"
    assert "failed" not in log_in(host, port=after, shell=True)


def test_several_tries_in_one_connection(host):
    host.add("ann", OLD)
    with ssh(host, prompts=6) as talk:
        for _ in range(5):
            talk.answer(PASSWORD, "no")
        talk.answer(PASSWORD, OLD)
        assert "in as" not in talk.rest()


def test_root_by_his_password_where_sshd_forbids_it(host):
    """sshd hands a false password to PAM then; it must not lock root out."""
    host.configure(lockout={"root": "yes", "attempts": 2})
    host.set_shadow("root", 1, scratch.hash_password(OLD))
    port = host.sshd(PermitRootLogin="no")
    for _ in range(4):
        assert "denied" in log_in(host, user="root", port=port)
    assert "in as root" in log_in(host, user="root")


def test_empty_probe_of_sshd(host):
    port = host.sshd(PermitEmptyPasswords="yes")
    host.add("ann", OLD)
    for _ in range(6):
        with ssh(host, port=port) as talk:
            talk.until(PASSWORD)
    # On that connection libpam would keep the probe's answer for pam_setcred.
    assert "in as ann" in log_in(host)


@pytest.mark.parametrize("prompts", [1, 2])
def test_hang_up_during_the_change(host, prompts):
    host.add("ann", OLD, **EXPIRED)
    with ssh(host) as talk:
        talk.answer(PASSWORD, OLD)
        talk.until(NEW)
        if prompts == 2:
            talk.type(FRESH)
            talk.until(AGAIN)
    assert host.has_password("ann", OLD)
    with ssh(host) as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        assert "in as ann" in talk.rest()


def test_hang_up_at_the_moment_of_the_change(host):
    host.add("ann", OLD, **EXPIRED)
    chance = random.Random(1)
    current = OLD
    for number in range(12):
        following = f"{FRESH}, number {number}"
        host.set_shadow("ann", 2, 1000)
        with ssh(host) as talk:
            talk.answer(PASSWORD, current)
            talk.answer(NEW, following)
            talk.answer(AGAIN, following)
            time.sleep(chance.uniform(0, 0.06))
        wait_until(lambda: not sessions(host), what="the end of the session")
        now = [word for word in (current, following)
               if host.has_password("ann", word)]
        assert len(now) == 1, "neither the old nor the new password"
        current = now[0]


def sessions(host):
    """The processes that sshd has for connections; from 9.8 on they are of
    another program."""
    return host.run("pgrep", "-f", "sshd(-session)?: ann").stdout.split()


def test_login_grace_time_during_the_change(host):
    """It ends at once: by the signal that sshd has for the end of that time."""
    port = host.sshd()
    host.add("ann", OLD, **EXPIRED)
    with ssh(host, port=port) as talk:
        talk.answer(PASSWORD, OLD)
        talk.until(NEW)
        assert sessions(host)
        assert host.run("pkill", "-ALRM", "-f",
                        r"sshd(-session)?: ann \[priv\]").returncode == 0
        wait_until(lambda: not sessions(host), what="the end of the grace")
        talk.type(FRESH)  # ssh looks at the connection only now
        assert "in as" not in talk.rest()
    assert host.has_password("ann", OLD)


# ---- password and public key

def change_on_the_terminal(talk):
    shown = talk.answer(CURRENT, OLD)
    talk.answer(NEW, FRESH)
    talk.answer(AGAIN, FRESH)
    return shown + talk.rest()


def test_password_method(host):
    host.add("ann", OLD, changed=85, max=90)
    shown = log_in(host, method="password")
    assert "in as ann" in shown
    assert "expire" in shown
    assert "denied" in log_in(host, "no", method="password")


def test_password_method_expired(host):
    host.add("ann", OLD, **EXPIRED)
    with ssh(host, method="password", tty=True) as talk:
        talk.answer(PASSWORD, OLD)
        shown = change_on_the_terminal(talk)
    assert "expired" in shown
    assert host.has_password("ann", FRESH)
    assert "in as ann" in log_in(host, FRESH, method="password")


def test_password_method_expired_without_a_terminal(host):
    host.add("ann", OLD, **EXPIRED)
    shown = log_in(host, method="password")
    assert "no TTY available" in shown
    assert "in as" not in shown


def test_password_method_several_tries(host):
    host.add("ann", OLD)
    with ssh(host, method="password", prompts=6) as talk:
        for _ in range(5):
            talk.answer(PASSWORD, "no")
        talk.answer(PASSWORD, OLD)
        assert "in as" not in talk.rest()


def by_key(host, **options):
    with ssh(host, method="publickey", **options) as talk:
        return talk.rest()


def test_key(host):
    host.add("ann", OLD)
    host.give_key("ann")
    assert "in as ann" in by_key(host)


def test_key_with_a_warning(host):
    host.add("ann", OLD, changed=85, max=90)
    host.give_key("ann")
    shown = by_key(host)
    assert "in as ann" in shown and "expire" in shown


def test_key_expired(host):
    host.add("ann", OLD, **EXPIRED)
    host.give_key("ann")
    with ssh(host, method="publickey", tty=True) as talk:
        change_on_the_terminal(talk)
    assert host.has_password("ann", FRESH)
    assert "in as ann" in by_key(host)


def test_key_expired_without_a_terminal(host):
    host.add("ann", OLD, **EXPIRED)
    host.give_key("ann")
    shown = by_key(host)
    assert "no TTY available" in shown and "in as" not in shown


def test_key_must_log_on(host):
    """A key login would be a session; the password may be changed in it only
    when it is let in, and an expired password is not."""
    host.configure(change={"require_logon": "yes"})
    host.add("ann", OLD, **EXPIRED)
    host.give_key("ann")
    shown = by_key(host)
    assert "in as" not in shown


def test_key_of_an_ended_account(host):
    host.add("ann", OLD, expire="-1")
    host.give_key("ann")
    assert "in as" not in by_key(host)
    assert "in as" not in log_in(host, method="password")


def test_key_during_a_lockout(host):
    host.add("ann", OLD)
    host.give_key("ann")
    for _ in range(5):
        log_in(host, "no", source="127.0.0.66")
    assert "in as" not in by_key(host, source="127.0.0.66")


def test_key_with_a_locked_password(host):
    host.add("ann", OLD)
    host.set_shadow("ann", 1, "!" + host.shadow("ann")[1])
    host.give_key("ann")
    assert "in as ann" in by_key(host)
    host.configure(expiry={"locked_hash": "account"})
    assert "in as" not in by_key(host)
