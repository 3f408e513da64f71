"""The throttle's promises, kept through the real module.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import os
import shutil
import subprocess
import time

import pytest

from scratch import (CONTACT, COUNTER, COSTLY, DAY, RUN, RUNDIR, STATE, mount,
                     SLOW, tmpfs, wait_until)
from talk import PASSWORD, Talk

OLD = "correct horse battery"
PEER = "192.0.2.7"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


def try_once(host, password, **options):
    options.setdefault("rhost", PEER)
    return host.drive("probe", "ann", "auth", answers=[password],
                      **options).code


def test_two_hundred_guess_at_once(host):
    host.add("ann", OLD)
    host.count_hashes("ann")
    done = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER,
                      processes=200)
    assert done.counts == {"AUTH_ERR": 200}
    assert host.verified() == 5
    assert try_once(host, OLD) == "AUTH_ERR"
    assert host.verified() == 5


def test_two_hundred_guess_from_as_many_sources(host):
    host.add("ann", OLD)
    host.count_hashes("ann")
    running = [subprocess.Popen(
        host.drive_command("probe", "ann", "auth", answers=["no"],
                           rhost=f"192.0.2.{number}", processes=10),
        stdout=subprocess.DEVNULL) for number in range(20)]
    for process in running:
        assert process.wait(60) == 0
    assert host.verified() == 5


def test_fifty_right_at_once(host):
    host.add("ann", OLD, cost=COSTLY)
    done = host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                      rhost=PEER, processes=50)
    assert done.counts == {"SUCCESS": 50}


def test_one_right_among_wrong_ones(host):
    """Four wrong ones at once leave a slot for the fifth, right one."""
    host.add("ann", OLD)
    host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER, processes=4)
    assert try_once(host, OLD) == "SUCCESS"


def test_each_verification_is_one_hash(host):
    host.add("ann", OLD)
    for user, password in (("ann", OLD), ("ann", "no"), ("nobody-here", "no")):
        host.count_hashes("ann")
        host.drive("probe", user, "auth", answers=[password], rhost=PEER)
        assert host.hashes() == 1, user


def test_killed_at_random(host):
    """500 processes in rounds of 20, each killed at some moment.  The hash is
    slow, so that many are killed while they verify."""
    host.add("ann", OLD, cost=SLOW)
    begun = 0
    for round_ in range(25):
        host.forget_state()
        host.count_hashes("ann")
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER,
                   processes=20, kill=120000, seed=round_)
        begun += host.verified()
        assert host.verified() <= 5
        # Whatever is left of the window, no more than that is verified.
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER,
                   processes=10)
        assert host.verified() <= 5, f"round {round_}"
    assert begun > 50, "they were killed too early to show anything"
    # No slot is stuck: when the lockouts are over there are five again.
    assert try_once(host, OLD, ahead=2 * DAY) == "SUCCESS"
    host.count_hashes("ann")
    host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER,
               processes=10, ahead=2 * DAY)
    assert host.verified() == 5


def test_killed_with_the_right_password(host):
    host.add("ann", OLD, cost=SLOW)
    for round_ in range(5):
        host.forget_state()
        host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER,
                   processes=4, kill=60000, seed=round_)
        assert try_once(host, OLD) == "SUCCESS", f"round {round_}"


def lock_out(host):
    for _ in range(5):
        assert try_once(host, "no") == "AUTH_ERR"
    assert try_once(host, OLD) == "AUTH_ERR"


def wall_clock(shift):
    """A command prefix: the wall clock stands elsewhere, and no other clock."""
    return ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", shift]


@pytest.mark.parametrize("shift", ["-2d", "-400d", "+2d"])
def test_the_wall_clock_frees_nobody(host, shift):
    host.add("ann", OLD)
    lock_out(host)
    assert try_once(host, OLD, wrap=wall_clock(shift)) == "AUTH_ERR"
    assert try_once(host, OLD, ahead=16 * 60) == "SUCCESS"


@contextlib.contextmanager
def reboot():
    """Another boot id, and nothing left in /run."""
    other = RUN / "boot_id"
    other.write_text("0b0b0b0b-1111-4222-8333-444455556666\n")
    mount("--bind", other, BOOT_ID)
    shutil.rmtree(RUNDIR, ignore_errors=True)
    try:
        yield
    finally:
        subprocess.run(["umount", BOOT_ID], check=True)


def test_a_reboot_frees_nobody(host):
    host.add("ann", OLD)
    lock_out(host)
    with reboot():
        assert try_once(host, OLD) == "AUTH_ERR"
        assert try_once(host, OLD, wrap=wall_clock("-2d")) == "AUTH_ERR"
        assert try_once(host, OLD, ahead=16 * 60) == "SUCCESS"


def test_a_clock_set_back_over_a_reboot_lengthens_nothing(host):
    host.add("ann", OLD)
    lock_out(host)
    with reboot():
        back = wall_clock("-2d")
        assert try_once(host, OLD, wrap=back) == "AUTH_ERR"
        assert try_once(host, OLD, wrap=back, ahead=16 * 60) == "SUCCESS"


def test_failures_survive_a_reboot(host):
    host.add("ann", OLD)
    for _ in range(4):
        try_once(host, "no")
    with reboot():
        try_once(host, "no")
        assert try_once(host, OLD) == "AUTH_ERR"


def test_lockouts_double(host):
    host.add("ann", OLD)
    lock_out(host)
    for _ in range(5):
        assert try_once(host, "no", ahead=16 * 60) == "AUTH_ERR"
    assert try_once(host, OLD, ahead=16 * 60 + 20 * 60) == "AUTH_ERR"
    assert try_once(host, OLD, ahead=16 * 60 + 31 * 60) == "SUCCESS"


def test_the_window_passes(host):
    host.add("ann", OLD)
    for _ in range(4):
        try_once(host, "no")
    assert try_once(host, "no", ahead=16 * 60) == "AUTH_ERR"
    assert try_once(host, OLD, ahead=16 * 60 + 1) == "SUCCESS"


def test_unthrottled_root(host):
    host.set_shadow("root", 1, host.add("ann", OLD).shadow_line().split(":")[1])
    for _ in range(8):
        host.drive("probe", "root", "auth", answers=["no"], rhost=PEER)
    assert host.drive("probe", "root", "auth", answers=[OLD],
                      rhost=PEER).code == "SUCCESS"


def test_a_source_that_sprays(host):
    host.configure(lockout={"source_attempts": 6})
    host.add("ann", OLD)
    for number in range(6):
        host.drive("probe", f"name{number}", "auth", answers=["no"],
                   rhost=PEER)
    assert try_once(host, OLD) == "AUTH_ERR"
    assert try_once(host, OLD, rhost="192.0.2.8") == "SUCCESS"


def test_ipv6_counts_by_network(host):
    host.configure(lockout={"source_attempts": 6})
    host.add("ann", OLD)
    for number in range(6):
        host.drive("probe", f"name{number}", "auth", answers=["no"],
                   rhost=f"2001:db8:1:2::{number}")
    assert try_once(host, OLD, rhost="2001:db8:1:2:ffff::1") == "AUTH_ERR"
    assert try_once(host, OLD, rhost="2001:db8:1:3::1") == "SUCCESS"


def ssh(host, password, source):
    with Talk(host.ssh_command("ann", "echo in as ann",
                               source=source)) as talk:
        talk.answer(PASSWORD, password)
        return talk.rest()


def test_a_stranger_does_not_lock_the_owner_out(host):
    host.add("ann", OLD)
    assert "in as ann" in ssh(host, OLD, "127.0.0.9")
    for number in range(5):
        assert "denied" in ssh(host, f"guess {number}", "127.0.0.66")
    shown = ssh(host, OLD, "127.0.0.66")
    assert "in as" not in shown and CONTACT in shown
    assert "in as" not in ssh(host, OLD, "127.0.0.67")
    assert "in as ann" in ssh(host, OLD, "127.0.0.9")


def test_a_familiar_source_is_throttled_too(host):
    host.add("ann", OLD)
    assert "in as ann" in ssh(host, OLD, "127.0.0.9")
    for number in range(5):
        assert "denied" in ssh(host, f"guess {number}", "127.0.0.9")
    assert "in as" not in ssh(host, OLD, "127.0.0.9")


def test_an_outage_is_not_counted(host):
    host.add("ann", OLD)
    host.set_shadow("ann", 4, "ninety")
    for _ in range(8):
        assert try_once(host, OLD) == "AUTHINFO_UNAVAIL"
    host.set_shadow("ann", 4, "99999")
    assert try_once(host, OLD) == "SUCCESS"


def test_flood_of_names_and_addresses(host):
    """Names and addresses without end leave a store of bounded size.  Hashes
    are made cheap, and the store is on a memory disk."""
    rounds = int(os.environ.get("SELFRESET_FLOOD", "10000"))
    STATE.mkdir(mode=0o700)
    tmpfs(STATE, "0700")
    try:
        # Of one cost, so that refusals do not wait for the end of a step.
        host.add("ann", OLD, cost=COSTLY)
        host.configure()
        host.count_hashes("ann", cheap=True)
        running = [subprocess.Popen(
            host.drive_command("probe", f"nobody{part}-%", "auth",
                               answers=["no"], rhost=f"10.{part}.%.example",
                               rounds=rounds // 2),
            stdout=subprocess.PIPE, text=True) for part in range(2)]
        for process in running:
            said = process.communicate(timeout=550)[0]
            unknown = said.count("code auth PAM_USER_UNKNOWN")
            assert unknown > rounds // 4
            assert unknown + said.count(
                "code auth PAM_AUTH_ERR") == rounds // 2
        assert host.hashes() >= rounds
        size = sum(path.stat().st_blocks * 512 for path in STATE.rglob("*"))
        assert size < 63 * 1024 * 1024, size
    finally:
        subprocess.run(["umount", str(STATE)], check=True)
        for path in COUNTER.parent.glob("crypt.*"):
            path.unlink()


def test_the_answer_does_not_come_before_the_record(host):
    """Killed right after its answer, a failure is on disk all the same."""
    host.add("ann", OLD)
    for _ in range(5):
        process = subprocess.Popen(
            host.drive_command("probe", "ann", "auth", "pause",
                               answers=["no"], rhost=PEER),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if line.startswith("paused"):
                break
        process.kill()
        process.wait()
    assert try_once(host, OLD) == "AUTH_ERR"


def test_waiting_is_bounded(host):
    """Slots held by processes that do not end: the others are told so."""
    host.configure(lockout={"attempts": 1, "wait": "1s"})
    host.service("probe", "auth requisite pam_selfreset.so guard\n"
                 "auth required pam_permit.so\n")
    host.add("ann", OLD)
    holder = subprocess.Popen(
        host.drive_command("probe", "ann", "auth", "pause", answers=[OLD]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in holder.stdout:
        if line.startswith("paused"):
            break
    began = time.monotonic()
    done = host.drive("probe", "ann", "auth", answers=[OLD])
    took = time.monotonic() - began
    holder.kill()
    holder.wait()
    assert done.code in ("AUTHINFO_UNAVAIL", "AUTH_ERR")
    assert took < 5


def test_its_owner_cannot_stop_a_verification(host):
    """Who starts passwd could stop it while it holds a slot, and so keep
    everybody else waiting; while it verifies it is root's alone."""
    ann = host.add("ann", OLD, cost=1000000)
    host.count_hashes("ann")
    process = subprocess.Popen(
        host.drive_command("probe", "ann", "auth", answers=[OLD],
                           real_uid=ann.uid), stdout=subprocess.PIPE,
        text=True)
    wait_until(lambda: host.verified() == 1, what="the verification")
    kill = host.run("setpriv", f"--reuid={ann.uid}", "--clear-groups",
                    "kill", "-STOP", process.pid)
    said = process.communicate(timeout=30)[0]
    assert "not permitted" in kill.stderr, kill
    assert "code auth PAM_SUCCESS" in said


def test_guesses_by_sudo_count(host):
    ann = host.add("ann", OLD, groups=("wheel",))
    prompt = r"password for \w+: "
    for _ in range(2):
        with Talk(["sudo", "id", "-un"], user=ann) as sudo:
            for _ in range(3):
                sudo.answer(prompt, "no")
            sudo.rest()
    with Talk(["sudo", "id", "-un"], user=ann) as sudo:
        sudo.answer(prompt, OLD)
        shown = sudo.until("try again", "incorrect password")
        assert "root" not in shown


# ---- lockout.limit

def limited(host, limit=7):
    """After that many in a row, which take three lockouts."""
    host.configure(lockout={"attempts": 3, "limit": limit})
    return host.add("ann", OLD)


def fail(host, count, since):
    """So many wrong ones, with two days between them: no lockout is in the way,
    and no window holds two of them."""
    for number in range(count):
        assert try_once(host, "no", ahead=since + number * 2 * DAY) == (
            "AUTH_ERR")


def at_the_limit(host):
    limited(host)
    fail(host, 6, DAY)
    assert try_once(host, OLD, ahead=14 * DAY) == "SUCCESS"
    fail(host, 7, 15 * DAY)
    assert try_once(host, OLD, ahead=29 * DAY) == "AUTH_ERR"


YEARS = 1000 * DAY


def test_the_limit_ends_nothing_by_itself(host):
    """The class of source is off, however long one waits; nothing is verified
    any more, and other classes are as before."""
    at_the_limit(host)
    host.count_hashes("ann")
    assert try_once(host, OLD, ahead=YEARS) == "AUTH_ERR"
    assert try_once(host, OLD, ahead=YEARS, rhost="192.0.2.77") == "AUTH_ERR"
    assert host.verified() == 0
    uid = int(host.run("id", "-u", "ann").stdout)
    assert host.drive("su", "ann", "auth", answers=[OLD], real_uid=uid,
                      ahead=YEARS).code == "SUCCESS"
    with reboot():
        assert try_once(host, OLD) == "AUTH_ERR"
        assert try_once(host, OLD, ahead=YEARS) == "AUTH_ERR"


def test_the_limit_is_told(host):
    at_the_limit(host)
    done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER,
                      ahead=YEARS)
    assert CONTACT in done.said and "minute" not in done.said, done
    done = host.run("selfresetctl", "status", "ann", ahead=YEARS)
    text = " ".join(done.stdout.split())
    assert done.returncode == 3, done
    assert "locked_until: never" in text, done.stdout
    assert "in_a_row: 7" in text, done.stdout


def change_from_own_session(host):
    uid = int(host.run("id", "-u", "ann").stdout)
    done = host.drive("passwd", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                      real_uid=uid, ahead=YEARS)
    assert done.code == "SUCCESS", done
    return NEW


def reset_by_root(host):
    done = host.drive("passwd", "ann", "chauthtok", answers=[NEW, NEW],
                      ahead=YEARS)
    assert done.code == "SUCCESS", done
    return NEW


def unlock(host):
    assert host.run("selfresetctl", "unlock", "ann", ahead=YEARS).returncode == 0
    return OLD


NEW = "an umbrella for rainy days"


@pytest.mark.parametrize("way", [change_from_own_session, reset_by_root,
                                 unlock])
def test_the_limit_is_ended(host, way):
    at_the_limit(host)
    password = way(host)
    assert try_once(host, password, ahead=YEARS) == "SUCCESS"
    fail(host, 6, YEARS)
    assert try_once(host, password, ahead=YEARS + 14 * DAY) == "SUCCESS"


def test_no_limit(host):
    limited(host, limit=0)
    fail(host, 20, DAY)
    assert try_once(host, OLD, ahead=YEARS) == "SUCCESS"


@pytest.mark.parametrize("locked, code", [("no", "SUCCESS"),
                                          ("yes", "AUTH_ERR")])
def test_the_limit_and_root(host, locked, code):
    limited(host)
    host.configure(lockout={"root": locked, "source_attempts": 0})
    host.set_shadow("root", 1, host.shadow("ann")[1])
    for day in range(8):
        host.drive("probe", "root", "auth", answers=["no"], rhost=PEER,
                   ahead=(day + 1) * 2 * DAY)
    assert host.drive("probe", "root", "auth", answers=[OLD], rhost=PEER,
                      ahead=YEARS).code == code
    assert host.drive("su", "root", "acct", ahead=YEARS).code == "SUCCESS"
