"""selfresetctl: what it says, what it does, and what a failure leaves behind.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import time

import pytest

import helper
from scratch import (CONFIG, DAY, ETC, RUN, RUNDIR, STATE, VENDOR_STACKS,
                     guarded_stack, hash_password, module_directory, mount,
                     stack, tmpfs, today, unix_stack, wait_until)
from talk import AGAIN, NEW, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
PEER = "192.0.2.7"
OTHER = "198.51.100.9"
ROOM = pathlib.Path("/etc/pam.d")


def ctl(host, *arguments, code=0, **options):
    done = host.run("selfresetctl", *arguments, **options)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def status(host, user="ann", **options):
    """(exit code, what it says as JSON)."""
    done = host.run("selfresetctl", "status", "--json", user, **options)
    return done.returncode, json.loads(done.stdout)


def guess(host, count, user="ann", rhost=PEER, password="no", **options):
    for _ in range(count):
        host.drive("probe", user, "auth", answers=[password], rhost=rhost,
                   **options)


def log_in(host, password=OLD, user="ann", rhost=PEER, **options):
    return host.drive("probe", user, "auth", answers=[password], rhost=rhost,
                      **options).code


def seconds(text):
    """The UTC time of the JSON form."""
    return int(subprocess.run(["date", "-d", text, "+%s"], capture_output=True,
                              text=True, check=True).stdout)


# ---- status and list

STATES = {
    "ok": (0, {}, {}),
    "expiring": (0, {"changed": 85, "max": 90}, {}),
    "must-change": (4, {"changed": 0}, {}),
    "expired": (4, {"changed": 100, "max": 90}, {}),
    "ended": (5, {"expire": "-1"}, {}),
    "disabled": (5, {"hash": "!$6$x$y"},
                 {"expiry": {"locked_hash": "account"}}),
    "barred": (6, {"changed": 0}, {"change": {"require_logon": "yes"}}),
}


@pytest.mark.parametrize("state", STATES)
def test_status_says_the_state(host, state):
    code, fields, rules = STATES[state]
    host.configure(**rules)
    host.add("ann", OLD, **fields)
    found, said = status(host)
    assert (found, said["state"], said["locked_until"]) == (code, state, None)
    text = ctl(host, "status", "ann", code=code).stdout
    assert re.search(rf"^state: +{state}$", text, re.M)
    assert re.search(r"^locked_until: +none$", text, re.M)
    listed = ctl(host, "list", "--state", state).stdout
    assert re.search(rf"^ann +{state} ", listed, re.M)
    assert all(line.split()[1] == state for line in listed.splitlines())


def test_status_shows_facts_and_rules(host):
    host.configure(**{"expiry": {"warn": "3d"}, "lockout group:desk":
                      {"attempts": "9"}})
    host.add("ann", OLD, changed=10, max=90, min=2, warn="", groups=("desk",))
    _, said = status(host)
    assert said["user"] == "ann" and said["backend"] == "local"
    assert seconds(said["facts"]["password_changed"]) == (today() - 10) * DAY
    assert seconds(said["facts"]["password_expires"]) == (today() + 80) * DAY
    assert said["facts"]["temporary_until"] is None
    assert said["rules"]["expiry.warn"] == 3 * DAY
    assert said["rules"]["lockout.attempts"] == 9
    assert said["strangers"]["attempts"] == 9


def test_every_rule_is_shown(host):
    """A key of the configuration that status does not show is forgotten."""
    host.add("ann", OLD)
    _, said = status(host)
    sample = pathlib.Path(__file__).parents[2] / "tools/selfreset.conf"
    shown = set(said["rules"]) | {"expiry.expired_services", "nss.view",
                                  "nss.max_age", "nss.enumerate"}
    shown |= {f"reset.{key}" for key in (
        "account", "services", "greeters", "hint", "nag", "groups",
        "administrators",
        "mail_program", "mail_user", "mail_from", "mail_refuse", "seal_file",
        "phone_prefixes", "store", "mail_attributes", "phone_attributes",
        "key_attributes", "reconfirm", "reconfirm_grace")}
    shown |= {f"reset.{channel}_{key}" for channel in ("sms", "voice", "push")
              for key in ("program", "user", "daily")}
    section = None
    for line in sample.read_text().splitlines():
        head = re.match(r"[#; ]*\[(\w+)( \w+)?\]", line)
        key = re.match(r"[#; ]*(\w+) *=", line)
        if head:
            section = head[1]
        elif key and section not in (None, "selfreset", "backend"):
            assert f"{section}.{key[1]}" in shown


def test_locked_until_when(host):
    host.add("ann", OLD)
    before = time.time()
    guess(host, 5)
    code, said = status(host)
    assert (code, said["state"]) == (3, "locked")
    until = seconds(said["locked_until"])
    assert before + 895 <= until <= time.time() + 905
    assert said["strangers"] == {"failures": 5, "attempts": 5, "in_a_row": 5,
                                 "locked_until": said["locked_until"]}
    assert said["familiar"]["failures"] == 0
    assert said["since_login"]["failures"] == 5
    assert said["since_login"]["from"] == PEER
    assert said["rule"] == "lockout.attempts" and said["message"]
    line = re.search(r"^locked_until: +(\S+ \S+ \S+) \(in 1[45] minutes\)$",
                     ctl(host, "status", "ann", code=3).stdout, re.M)
    # The wall clock and the clock of the ledger begin their seconds at
    # different moments.
    assert abs(seconds(line[1]) - until) <= 1
    code, said = status(host, ahead=1000)
    assert (code, said["locked_until"]) == (0, None)


def test_familiar_ledger_counts_too(host):
    host.add("ann", OLD)
    host.drive("probe", "ann", "auth", "acct", "open", answers=[OLD],
               rhost=PEER)
    guess(host, 5)
    code, said = status(host)
    assert code == 3
    assert said["familiar"]["failures"] == 5
    assert said["strangers"]["locked_until"] is None


def test_list(host):
    host.add("ann", OLD, changed=100, max=90)
    host.add("bob", OLD)
    plain = ctl(host, "list").stdout
    every = ctl(host, "list", "--all").stdout
    assert re.search(r"^ann +expired +\d{4}-", plain, re.M)
    assert "daemon" not in plain and "daemon" in every
    found = json.loads(ctl(host, "list", "--json", "--state", "expired,ok",
                           "--all").stdout)
    assert {"user": "ann", "uid": int((ETC / "passwd").read_text()
                                      .split("\nann:x:")[1].split(":")[0]),
            "backend": "local", "state": "expired", "password": "set",
            "locked_for": None, "locked_for_until": None,
            "deadline": found[-2]["deadline"],
            "fact": "password_expires", "rule": None} in found
    assert json.loads(ctl(host, "list", "--json", "--state",
                          "barred").stdout) == []
    assert "nonsense" in ctl(host, "list", "--state", "ok,nonsense",
                             code=64).stderr


def test_list_goes_on_when_one_cannot_be_read(host):
    host.add("ann", OLD)
    host.add("bob", OLD)
    host.set_shadow("ann", 4, "soon")
    done = ctl(host, "list", code=1)
    assert re.search(r"^ann +unknown", done.stdout, re.M)
    assert re.search(r"^bob +ok", done.stdout, re.M)
    assert "/etc/shadow:" in done.stderr
    assert "/etc/shadow:" in ctl(host, "status", "ann", code=1).stderr


# ---- unlock and unthrottle

def test_unlock_of_an_account_of_another_module(host):
    """What guard has counted of it is here, and can be forgotten here."""
    host.add_elsewhere("dir", 7001)
    host.service("probe", guarded_stack().replace("pam_unix.so nodelay",
                                                  "pam_permit.so"))
    host.service("refused", guarded_stack().replace("pam_unix.so nodelay",
                                                    "pam_deny.so"))
    for _ in range(5):
        host.drive("refused", "dir", "auth", answers=["no"], rhost=PEER)

    def log_in():
        return host.drive("probe", "dir", "auth", "cred", answers=[OLD],
                          rhost=PEER).codes

    assert log_in()[0] == "AUTH_ERR"
    said = " ".join(ctl(host, "status", "dir", code=7).stderr.split())
    assert "another PAM module decides" in said
    assert '"selfresetctl unlock dir"' in said
    listed = ctl(host, "list")
    assert listed.stderr == "" and "dir  " in listed.stdout
    assert "has been deleted" in ctl(host, "unlock", "dir").stdout
    assert log_in() == ["SUCCESS"] * 2
    assert "nothing was done" in ctl(host, "unlock", "dir").stdout
    assert len(host.log.with_text("SR-1021")) == 1
    assert "Unknown account" in ctl(host, "unlock", "nosuch",
                                        code=7).stderr


def test_unlock(host):
    host.add("ann", OLD)
    guess(host, 5)
    assert log_in(host) == "AUTH_ERR"
    assert "has been ended" in ctl(host, "unlock", "ann").stdout
    assert log_in(host) == "SUCCESS"
    assert host.log.with_text("SR-1021")
    host.log.lines.clear()
    assert "nothing was done" in ctl(host, "unlock", "ann").stdout
    assert not host.log.with_text("SR-1021")


def test_unlock_drops_both_ledgers(host):
    host.add("ann", OLD)
    host.drive("probe", "ann", "auth", "acct", "open", answers=[OLD],
               rhost=PEER)
    guess(host, 5)
    guess(host, 5, rhost=OTHER)
    ctl(host, "unlock", "ann")
    assert log_in(host) == "SUCCESS"
    assert log_in(host, rhost=OTHER) == "SUCCESS"


def stamps():
    """How many verifications are under way, or died on the way, of strangers:
    slots whose state is "taken"."""
    slots = b"".join(path.read_bytes()[3 * 512:]
                     for path in STATE.glob("accounts/*.strangers"))
    return sum(slots[at + 80] == 1 for at in range(0, len(slots), 512))


def test_unlock_forgets_what_could_not_be_recorded(host):
    """Attempts that died while they were verified must not come back."""
    host.add("ann", hash="$6$rounds=9999999$salt$" + "x" * 86, uid=1)
    command = host.drive_command("probe", "ann", "auth", answers=["no"],
                                 rhost=PEER)
    for _ in range(5):
        host.start(command, stdout=subprocess.DEVNULL)
    wait_until(lambda: stamps() == 5, what="five verifications")
    host.stop_all()
    host.set_shadow("ann", 1, hash_password(OLD))
    ctl(host, "unlock", "ann")
    assert stamps() == 0
    assert log_in(host) == "SUCCESS"


def test_read_only_state(host):
    host.add("ann", OLD)
    guess(host, 5)
    mount("--bind", STATE, STATE)
    mount("-o", "remount,bind,ro", STATE)
    try:
        assert "read-only" in ctl(host, "unlock", "ann", code=1).stderr
        assert "read-only" in ctl(host, "unthrottle", "--all", code=1).stderr
        assert status(host)[0] == 3
    finally:
        subprocess.run(["umount", str(STATE)], check=True)
    assert not host.log.with_text("ok actor=root")


def test_unthrottle(host):
    host.configure(lockout={"source_attempts": "2", "attempts": "20"})
    host.add("ann", OLD)
    for rhost, name in ((PEER, PEER), ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
                        ("Desk.Example", "desk.example")):
        guess(host, 2, rhost=rhost)
        assert log_in(host, rhost=rhost) == "AUTH_ERR"
        assert "has been deleted" in ctl(host, "unthrottle", name).stdout
        assert log_in(host, rhost=rhost) == "SUCCESS"
        assert host.log.with_text("SR-1022")
        said = ctl(host, "unthrottle", name).stdout
        assert "No wrong passwords were counted" in said
    for rhost in (PEER, OTHER):
        guess(host, 2, rhost=rhost)
    ctl(host, "unthrottle", "--all")
    assert log_in(host) == "SUCCESS"
    assert log_in(host, rhost=OTHER) == "SUCCESS"


@pytest.mark.parametrize("source", ["192.0.2.0/24", "2001:db8::/32", "", "/64",
                                    "x/64", "a" * 300, "localhost", "unknown",
                                    ":0", "/dev/tty1", "UNKNOWN", "[]"])
def test_no_source(host, source):
    if source == "a" * 300:
        assert ctl(host, "unthrottle", source, code=64).stdout == ""
    else:
        assert "is not a source" in ctl(host, "unthrottle", source, code=64).stderr


def test_unthrottle_needs_one_of_two(host):
    ctl(host, "unthrottle", code=64)
    ctl(host, "unthrottle", "--all", PEER, code=64)
    for source in ("uid:ann", "uid:", "ruser:ann", "display:x", "192.0.2.0/24"):
        assert "is not a source" in ctl(host, "unthrottle", source,
                                     code=64).stderr


def test_a_time_that_is_none(host):
    """It is said what would be one."""
    host.add("ann", OLD)
    assert "+3d" in ctl(host, "explain", "--at", "tomorrow", "ann",
                        code=64).stderr


# ---- temporary passwords

@contextlib.contextmanager
def in_place_of(program, script):
    """Another program where one of shadow's stands; $REAL is the real one."""
    real = RUN / f"real-{program}"
    fake = RUN / f"fake-{program}"
    place = f"/usr/{'sbin' if program == 'chpasswd' else 'bin'}/{program}"
    real.touch()
    mount("--bind", place, real)
    fake.write_text(f"#!/bin/bash\nREAL={real}\n{script}\n")
    fake.chmod(0o755)
    mount("--bind", fake, place)
    try:
        yield
    finally:
        for path in (place, real):
            subprocess.run(["umount", "-l", path], check=True)


RUN_REAL = 'exec "$REAL" "$@"'
PHRASE = re.compile(r"^[A-Z][a-z]{3}-[A-Z][a-z]{3}-[2-9]{2}-[A-Z][a-z]{3}-"
                    r"[A-Z][a-z]{3}-[2-9]{2}(-[A-Z][a-z]{3})*$")


def temporary(host, user="ann", **options):
    done = ctl(host, "temporary", user, **options)
    return done.stdout.splitlines()[0]


def assert_untouched(host, before, user="ann", password=OLD):
    """The account is as it was, and the password lasts."""
    assert host.shadow(user) == before
    assert log_in(host, password, user) == "SUCCESS"
    assert status(host, user)[1]["facts"]["temporary_until"] is None


def test_temporary(host):
    host.add("ann", OLD)
    password = temporary(host)
    assert PHRASE.match(password)
    assert host.has_password("ann", password)
    assert host.shadow("ann")[2] == "0"
    code, said = status(host)
    assert (code, said["state"]) == (4, "must-change")
    assert abs(seconds(said["facts"]["temporary_until"]) -
               (time.time() + DAY)) < 60
    both = ("auth", "acct")
    assert host.drive("probe", "ann", *both, answers=[password],
                      rhost=PEER).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    assert log_in(host, password, ahead=DAY - 60) == "SUCCESS"
    assert log_in(host, password, ahead=DAY + 60) == "AUTH_ERR"
    assert status(host, ahead=DAY + 60)[0] == 6
    assert host.log.with_text("SR-1207")
    assert not host.log.with_text(password)


def test_temporary_ends_lockouts(host):
    """As every reset does, also where the password was off for good."""
    host.configure(lockout={"attempts": 2, "limit": 2, "source_attempts": 0})
    host.add("ann", OLD)
    for _ in range(3):
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert host.drive("probe", "ann", "auth", answers=[OLD],
                      rhost=PEER).code == "AUTH_ERR"
    done = ctl(host, "temporary", "ann")
    assert "locked out" not in done.stderr, done
    done = host.drive("probe", "ann", "auth", "acct", rhost=PEER,
                      answers=[done.stdout.strip()])
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD"], done
    assert host.log.with_text("SR-1021")


def test_temporary_ends_with_a_change_by_any_tool(host):
    host.add("ann", OLD)
    temporary(host)
    host.run("chpasswd", "-c", "SHA512", input=f"ann:{FRESH}\n")
    assert status(host)[1]["facts"]["temporary_until"] is None
    assert log_in(host, FRESH, ahead=2 * DAY) == "SUCCESS"


def test_temporary_for_an_account_without_a_password(host):
    """It may be a service's: only on purpose."""
    for hashed in ("!", "!!", "*"):
        host.add("new", hash=hashed)
        before = (ETC / "shadow").read_bytes()
        done = ctl(host, "temporary", "new", code=9)
        assert done.stdout == "" and "--force" in done.stderr
        assert (ETC / "shadow").read_bytes() == before
        password = ctl(host, "temporary", "--force", "new").stdout.strip()
        assert host.has_password("new", password)
        host.reset()


@pytest.mark.parametrize("rules, rule", [
    ({"require_logon": "yes"}, "change.require_logon"),
    ({"cannot_change": "ann"}, "change.cannot_change"), ({}, None)])
def test_temporary_tells_what_still_keeps_its_user_out(host, rules, rule):
    """And passwd, by which the advice goes, lets the user in."""
    host.configure(change=rules)
    host.add("ann", OLD, changed=100, max=90, inactive=2)
    guess(host, 5)
    said = " ".join(ctl(host, "temporary", "ann").stderr.split())
    assert "unlock" not in said, said  # which this has done
    assert (rule is None) == ("passwd" not in said), said
    if rule is not None:
        assert f"{rule} (" in said and 'Run "passwd ann" to set' in said
    assert (status(host, "ann")[1]["state"] == "barred") == (rule is not None)
    with Talk(["passwd", "ann"]) as talk:
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
    assert status(host, "ann")[1]["state"] == "ok"


@pytest.mark.parametrize("rules", [
    {"min_length": "40"}, {"preset": "ad", "min_classes": "4"},
    {"preset": "pwquality"}, {"max_length": "25"}])
def test_temporary_satisfies_the_rules(host, rules):
    host.configure(password=rules)
    host.add("ann", OLD)
    assert len(temporary(host)) >= int(rules.get("min_length", 25))


def test_temporary_that_no_rule_allows(host):
    host.configure(password={"max_length": "20"})
    host.add("ann", OLD)
    before = host.shadow("ann")
    done = ctl(host, "temporary", "ann", code=1)
    assert "20" in done.stderr and done.stdout == ""
    assert_untouched(host, before)


def refusal(host, code):
    before = host.shadow("ann")
    done = ctl(host, "temporary", "ann", code=code)
    assert "Nothing was done." in done.stderr.replace("\n  ", " ")
    assert done.stdout == "" and host.shadow("ann") == before
    assert not (STATE / "data.mdb").exists()
    return done.stderr.replace("\n  ", " ")


def test_temporary_refused_to_the_protected(host):
    host.configure(change={"protected": "ann"})
    host.add("ann", OLD)
    assert "change.protected" in refusal(host, 9)


def test_temporary_refused_to_the_locked_by_hand(host):
    host.add("ann", hash="!$6$salt$hash")
    assert "usermod -U" in refusal(host, 9)


def test_temporary_refused_to_the_ended(host):
    host.add("ann", OLD, expire="-3")
    assert "chage -E -1 ann" in refusal(host, 9)


def test_temporary_refused_without_a_shadow_line(host):
    with open(ETC / "passwd", "a") as out:
        out.write("ann:$6$rounds=1000$x$y:3001:3001::/:/bin/sh\n")
    for command in ("temporary", "must-change"):
        assert "no line" in ctl(host, command, "ann", code=9).stderr


def test_programs_see_no_secret(host):
    """argv, environment and descriptors of chpasswd and chage."""
    host.add("ann", OLD)
    spy = (f'{{ tr "\\0" " " </proc/$$/cmdline; echo; env; '
           f'ls /proc/$$/fd; }} >{RUN}/seen-$(basename "$0"); '
           f'[ $# != 1 ] || tee {RUN}/input | "$REAL" "$@" && [ $# = 1 ] || '
           + RUN_REAL)
    leaked = 57
    os.dup2(os.open("/dev/null", os.O_RDONLY), leaked)
    with in_place_of("chpasswd", spy), in_place_of("chage", spy):
        password = temporary(host, env={"LD_LIBRARY_PATH": "/nowhere",
                                        "SECRET": "x", **os.environ},
                             close_fds=False)
    os.close(leaked)
    assert password not in (RUN / "input").read_text()
    assert (RUN / "input").read_text() == f"ann:{host.shadow('ann')[1]}\n"
    for program in ("chpasswd", "chage"):
        seen = (RUN / f"seen-{program}").read_text()
        assert password not in seen and "$y$" not in seen
        assert "SECRET" not in seen and "LD_LIBRARY_PATH" not in seen
        assert str(leaked) not in seen.splitlines()


def test_chpasswd_fails(host):
    host.add("ann", OLD)
    before = host.shadow("ann")
    with in_place_of("chpasswd", "exit 1"):
        done = ctl(host, "temporary", "ann", code=1)
    assert done.stdout == "" and "exit code 1" in done.stderr
    assert_untouched(host, before)


def test_chage_fails(host):
    host.add("ann", OLD)
    before = host.shadow("ann")
    with in_place_of("chage", f'[ "$2" != 0 ] || exit 5; {RUN_REAL}'):
        done = ctl(host, "temporary", "ann", code=1)
    assert done.stdout == "" and "exit code 5" in done.stderr
    assert_untouched(host, before)


def test_chage_fails_and_so_does_its_undoing(host):
    host.add("ann", OLD)
    with in_place_of("chage", "kill -SEGV $$"):
        done = ctl(host, "temporary", "ann", code=8)
    assert "chage -d" in done.stderr and "signal 11" in done.stderr
    assert log_in(host) == "SUCCESS"
    assert status(host)[1]["facts"]["temporary_until"] is None


def test_the_old_password_cannot_be_put_back(host):
    host.add("ann", OLD)
    once = f"[ ! -e {RUN}/once ] || exit 1; touch {RUN}/once; {RUN_REAL}"
    (RUN / "once").unlink(missing_ok=True)
    with in_place_of("chpasswd", once), in_place_of("chage", "exit 1"):
        done = ctl(host, "temporary", "ann", code=8)
    assert done.stdout == "" and "nobody knows" in done.stderr.replace("\n  ",
                                                                       " ")
    assert not host.has_password("ann", OLD)
    assert status(host)[1]["facts"]["temporary_until"] is not None


def test_the_store_cannot_be_written(host):
    host.add("ann", OLD)
    before = host.shadow("ann")
    STATE.mkdir(mode=0o700, exist_ok=True)
    tmpfs(STATE, "0700", "ro")
    try:
        done = ctl(host, "temporary", "ann", code=1)
    finally:
        subprocess.run(["umount", str(STATE)], check=True)
    assert done.stdout == "" and "read-only" in done.stderr
    assert_untouched(host, before)


def test_the_password_cannot_be_shown(host):
    host.add("ann", OLD)
    with open("/dev/full", "w") as full:
        done = subprocess.run(["selfresetctl", "temporary", "ann"],
                              stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)
    assert done.returncode == 8 and "could not be written" in done.stderr
    done = subprocess.run("selfresetctl temporary ann >&-", shell=True,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 8
    assert status(host)[1]["facts"]["temporary_until"] is not None


def lives_forever(host, password, ahead=2 * DAY):
    """Whether a password that somebody knows outlives its time.  The store's
    clock keeps what it has seen, so a later question needs a later time."""
    return log_in(host, password, ahead=ahead) == "SUCCESS"


@pytest.mark.parametrize("program", ["chpasswd", "chage"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("was_temporary", [False, True])
def test_killed_between_the_steps(host, program, moment, was_temporary):
    """kill -9 leaves the old password, or one that lapses, or one that nobody
    knows: never a temporary one that lives on."""
    host.add("ann", OLD)
    first = temporary(host) if was_temporary else None
    old = first or OLD
    kill = "kill -9 $PPID"
    script = (f"{kill}; exit 1" if moment == "before"
              else f'"$REAL" "$@"; {kill}')
    with in_place_of(program, script):
        done = host.run("selfresetctl", "temporary", "ann")
    assert done.returncode == -9 and done.stdout == ""
    if was_temporary:
        assert not lives_forever(host, first)
    elif program == "chpasswd" and moment == "before":
        assert log_in(host, OLD, ahead=2 * DAY) == "SUCCESS"
    else:
        assert not host.has_password("ann", old)
        assert status(host)[1]["facts"]["temporary_until"] is not None
    again = temporary(host)
    assert log_in(host, again) == "SUCCESS"
    assert not lives_forever(host, again, ahead=9 * DAY)


def test_changed_by_its_owner_meanwhile(host):
    """A change between our steps ends our record; it must be there again."""
    host.add("ann", OLD)
    change = shlex.join(host.drive_command("probe", "ann", "chauthtok",
                                           answers=[FRESH, FRESH]))
    done = f"{RUN}/changed"
    change = f"{change} >{done}\n{RUN_REAL}"
    with in_place_of("chpasswd", change):
        password = temporary(host)
    assert "code chauthtok PAM_SUCCESS" in pathlib.Path(done).read_text()
    assert log_in(host, password) == "SUCCESS"
    assert log_in(host, password, ahead=2 * DAY) == "AUTH_ERR"


def test_changed_by_somebody_else_after_us(host):
    host.add("ann", OLD)
    real = RUN / "real-chpasswd"
    change = f'"$REAL" "$@"; echo "ann:{FRESH}" | {real} -c SHA512'
    with in_place_of("chpasswd", RUN_REAL), in_place_of("chage", change):
        done = ctl(host, "temporary", "ann", code=1)
    assert done.stdout == "" and "Another program" in done.stderr
    assert host.has_password("ann", FRESH)


# ---- must-change

def test_must_change(host):
    host.add("ann", OLD)
    ctl(host, "must-change", "ann")
    assert host.shadow("ann")[2] == "0"
    assert status(host)[0] == 4
    assert "nothing was done" in ctl(host, "must-change", "ann").stdout
    ctl(host, "must-change", "--clear", "ann")
    assert host.shadow("ann")[2] == str(today())
    assert len(host.log.with_text("SR-1210")) == 2


def test_clear_makes_no_old_password_young(host):
    host.add("ann", OLD, changed=80, max=90)
    before = host.shadow("ann")
    assert "nothing was done" in ctl(host, "must-change", "--clear", "ann").stdout
    assert host.shadow("ann") == before


def test_must_change_refused(host):
    host.add("ann", hash="*")
    ctl(host, "must-change", "ann", code=9)
    host.add("bob", OLD)
    temporary(host, "bob")
    ctl(host, "must-change", "--clear", "bob", code=9)
    assert status(host, "bob")[1]["state"] == "must-change"


def test_must_change_warns_of_the_trap(host):
    host.configure(change={"require_logon": "yes"})
    host.add("ann", OLD)
    done = ctl(host, "must-change", "ann")
    assert "change.require_logon" in done.stderr and "--clear" in done.stderr


def test_must_change_fails(host):
    host.add("ann", OLD)
    before = host.shadow("ann")
    with in_place_of("chage", "exit 1"):
        assert "Nothing was changed" in ctl(host, "must-change", "ann",
                                            code=1).stderr
    assert host.shadow("ann") == before


# ---- explain

def explain(host, *options, user="ann"):
    said = json.loads(ctl(host, "explain", "--json", *options, user).stdout)
    return said, [said[call]["answer"].removeprefix("PAM_") for call in (
        "authenticate", "acct_mgmt", "chauthtok_login", "chauthtok_session",
        "chauthtok_root")]


EXPLAINED = {
    "ok": ({}, {}, [], "SUCCESS SUCCESS SUCCESS SUCCESS SUCCESS"),
    "expired": ({"changed": 100, "max": 90}, {}, [],
                "SUCCESS NEW_AUTHTOK_REQD SUCCESS SUCCESS SUCCESS"),
    "expired-sudo": ({"changed": 100, "max": 90}, {}, ["--service", "sudo"],
                     "SUCCESS SUCCESS SUCCESS SUCCESS SUCCESS"),
    "must-log-on": ({"changed": 100, "max": 90},
                    {"change": {"require_logon": "yes"}}, [],
                    "SUCCESS AUTHTOK_EXPIRED PERM_DENIED SUCCESS SUCCESS"),
    "too-young": ({"changed": 1, "min": 7}, {}, [],
                  "SUCCESS SUCCESS AUTHTOK_ERR AUTHTOK_ERR SUCCESS"),
    "later": ({"changed": 1, "max": 10}, {}, ["--at", "+20d"],
              "SUCCESS NEW_AUTHTOK_REQD SUCCESS SUCCESS SUCCESS"),
    "earlier": ({"changed": 100, "max": 90}, {}, ["--at", "-50d"],
                "SUCCESS SUCCESS SUCCESS SUCCESS SUCCESS"),
    "protected": ({}, {"change": {"protected": "ann"}}, [],
                  "SUCCESS SUCCESS PERM_DENIED PERM_DENIED PERM_DENIED"),
    "no-password": ({"hash": "!"}, {}, [],
                    "AUTH_ERR SUCCESS PERM_DENIED PERM_DENIED SUCCESS"),
    "ended": ({"expire": "-1"}, {}, [],
              "ACCT_EXPIRED ACCT_EXPIRED PERM_DENIED PERM_DENIED SUCCESS"),
}


@pytest.mark.parametrize("case", EXPLAINED)
def test_explain(host, case):
    fields, rules, options, expected = EXPLAINED[case]
    host.configure(**rules)
    host.add("ann", OLD, **fields)
    said, answers = explain(host, *options)
    assert answers == expected.split()
    text = ctl(host, "explain", *options, "ann").stdout
    assert all("PAM_" + answer in text for answer in answers)
    if case == "must-log-on":
        assert said["chauthtok_login"]["rule"] == "change.require_logon"
        assert said["acct_mgmt"]["fact"] == "password_expires"
        assert "desk" in said["acct_mgmt"]["message"]
    if case == "too-young":
        assert said["chauthtok_session"]["rule"] == "may_change_from"


def test_explain_is_what_the_module_answers(host):
    """The same account, asked of both."""
    host.add("ann", OLD, changed=100, max=90, inactive=5)
    _, answers = explain(host, "--service", "probe", "--rhost", PEER)
    driven = host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                        rhost=PEER)
    assert driven.codes == answers[:2]


def test_explain_by_source(host):
    host.configure(lockout={"source_attempts": "2"})
    host.add("ann", OLD)
    guess(host, 2)
    said, answers = explain(host, "--rhost", PEER)
    assert answers[:2] == ["AUTH_ERR", "PERM_DENIED"]
    assert said["acct_mgmt"]["rule"] == "lockout.source_attempts"
    ctl(host, "unthrottle", PEER)
    host.configure(lockout={"attempts": "2", "source_attempts": "30"})
    guess(host, 2)
    said, _ = explain(host, "--rhost", PEER)
    assert said["acct_mgmt"]["rule"] == "lockout.attempts"
    ctl(host, "unlock", "ann")
    ctl(host, "unthrottle", PEER)
    host.configure(lockout={"attempts": "5", "source_attempts": "2"})
    guess(host, 2)
    _, answers = explain(host, "--rhost", OTHER)
    assert answers[:2] == ["SUCCESS", "SUCCESS"]
    _, answers = explain(host, "--rhost", PEER, "--at", "+1d")
    assert answers[:2] == ["SUCCESS", "SUCCESS"]


def test_explain_at_no_time(host):
    host.add("ann", OLD)
    assert "is not a time" in ctl(host, "explain", "--at", "soon", "ann",
                            code=64).stderr


def test_a_reader_that_had_enough(host):
    end, pipe = os.pipe()
    os.close(end)
    done = subprocess.run(["selfresetctl", "events"], stdout=pipe,
                          stderr=subprocess.PIPE, text=True, check=False)
    os.close(pipe)
    assert (done.returncode, done.stderr) == (1, "")
    with open("/dev/full", "w") as full:
        done = subprocess.run(["selfresetctl", "events"], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "could not be written" in done.stderr


# ---- check

@pytest.fixture
def clean(host):
    """A host on which check finds nothing."""
    aside = RUN / "pam.d"
    aside.mkdir(exist_ok=True)
    mount("--bind", aside, ROOM)
    for path in ROOM.iterdir():
        path.unlink()
    vendor = pathlib.Path("/usr/lib/pam.d")
    if vendor.exists():
        tmpfs(vendor)
    for name in ("sshd", "passwd", "probe"):
        host.service(name, stack())
    yield host
    for path in (ROOM, vendor):
        subprocess.run(["umount", str(path)], check=not path == vendor,
                       stderr=subprocess.DEVNULL)


def check(host, code):  # 10: warnings only
    """The findings, as "place: text"; and the plain form says the same."""
    found = json.loads(ctl(host, "check", "--json", code=code).stdout)
    text = ctl(host, "check", code=code).stdout
    for one in found:
        assert f"{one['severity']}: {one['place']}\n" in text
        assert one["advice"]
    assert max(map(len, text.splitlines())) <= 72 or any(
        len(one["place"]) > 60 for one in found)
    return [f"{one['place']}: {one['text']} [{one['subjects']}]"
            for one in found]


def test_check_clean(clean):
    clean.add("ann", OLD)
    assert check(clean, 0) == []
    log_in(clean)
    assert check(clean, 0) == []


def test_check_configuration(clean):
    CONFIG.write_text("[lockout]\nattempts = many\n\n[nonsense]\nx = 1\n")
    found = check(clean, 2)
    assert any(one.startswith(f"{CONFIG}:2: ") for one in found)
    assert any(one.startswith(f"{CONFIG}:") and "nonsense" in one
               for one in found)
    done = ctl(clean, "status", "root", code=1)
    assert f"{CONFIG}:2: " in done.stderr


def test_check_configuration_of_a_line(clean):
    other = ETC / "security/other.conf"
    other.write_text("[lockout]\nattempts = -1\n")
    clean.service("sshd", stack(f"conf={other}"))
    assert any(f"{other}:2: " in one for one in check(clean, 2))
    other.unlink()
    assert any(str(other) in one for one in check(clean, 2))


def test_check_names(clean):
    clean.configure(change={"protected": "nosuch @nogroup1 root"},
                    nss={"break_glass": "nobody1 root"},
                    **{"password group:nogroup2": {"history": "3"}})
    found = check(clean, 10)
    assert len(found) == 4
    for name in ("user \"nosuch\"", "user \"nobody1\"", "group \"nogroup1\"",
                 "group \"nogroup2\""):
        assert any("There is no " + name in one for one in found)


@pytest.mark.parametrize("order, when_down, code, is_found", [
    ("corp local", "stop", 2, True), ("local corp", "stop", 0, False),
    ("corp local", "next", 10, False), ("corp", "stop", 2, False)])
def test_check_order_of_backends(clean, order, when_down, code, is_found):
    """Nobody of this host is to wait for a directory that is away."""
    clean.configure(selfreset={"backends": order}, backend_corp={
        "uri": "ldaps://localhost:1", "base": "dc=example,dc=org",
        "when_down": when_down})
    found = check(clean, code)
    assert any("log in, not even root" in one for one in found) == is_found, found
    # It is trusted with their passwords and names as well.
    assert any("asked before \"local\": passwords" in one
               for one in found) == order.endswith(" local"), found


def test_check_backends_that_are_not_asked(clean):
    """A section that no list names, and a host that its list leaves out."""
    corp = {"uri": "ldaps://localhost:1", "base": "dc=example,dc=org"}
    clean.configure(backend_corp=corp)
    found = check(clean, 10)
    assert len(found) == 1 and found[0].startswith("[backend corp]: "), found
    assert "--backend corp" not in ctl(clean, "check", code=10).stdout
    clean.add("ann", OLD)
    clean.add("bob", OLD)
    clean.configure(selfreset={"backends": "corp"})
    found = check(clean, 2)
    assert any("not even root" in one for one in found), found
    # What all of them have in common is said once.
    assert len([one for one in found if "cannot be read" in one]) == 1, found
    assert any("ann, bob" in one for one in found)
    assert ("\"selfresetctl check --backend corp\"." in
            " ".join(ctl(clean, "check", code=2).stdout.split()))


@pytest.mark.parametrize("path, mode", [(STATE, 0o755), (RUNDIR, 0o777),
                                        (STATE / "key", 0o644),
                                        (CONFIG, 0o666)])
def test_check_modes(clean, path, mode):
    clean.add("ann", OLD)
    guess(clean, 1)
    RUNDIR.mkdir(0o755, exist_ok=True)
    path.chmod(mode)
    assert any(one.startswith(f"{path}: ") or one.startswith(f"{path}:")
               for one in check(clean, 2))


def test_check_owner(clean):
    clean.add("ann", OLD)
    guess(clean, 1)
    os.chown(STATE, 1, 1)
    assert any("belongs to the user 1" in one for one in check(clean, 2))


def damage_ledger():
    [path] = STATE.glob("accounts/*.strangers")
    path.write_bytes(b"nothing of ours" * 300)
    return path


def test_check_damaged_store(clean):
    """A damaged ledger is one whose every attempt failed, and is told."""
    clean.add("ann", OLD)
    clean.add("bob", OLD)
    guess(clean, 1)
    path = damage_ledger()
    assert any("damaged" in one for one in check(clean, 2))
    assert status(clean)[0] == 3
    assert log_in(clean) == "AUTH_ERR"
    assert clean.log.with_text(path.name)
    assert any("damaged" in one and "moved aside" in one
               for one in check(clean, 10))
    assert clean.drive("probe", "bob", "auth", answers=[OLD],
                       rhost=PEER).code == "SUCCESS"
    ctl(clean, "unlock", "ann")
    assert log_in(clean) == "SUCCESS"


def test_a_login_by_key_with_a_damaged_store(clean):
    clean.add("ann", OLD)
    guess(clean, 1)
    damage_ledger()
    for name, code in (("root", "SUCCESS"), ("ann", "PERM_DENIED")):
        done = clean.drive("probe", name, "acct", rhost="192.0.2.7")
        assert done.codes == [code]


def test_a_login_by_key_of_root_with_an_unsafe_store(clean):
    """Root comes in to repair it, and reads nothing that is not so."""
    clean.add("ann", OLD)
    guess(clean, 1)
    STATE.chmod(0o777)
    for name, code in (("root", "SUCCESS"), ("ann", "AUTHINFO_UNAVAIL")):
        done = clean.drive("probe", name, "acct", rhost="192.0.2.7")
        assert done.codes == [code]
        assert done.said.startswith("This host cannot read its records"), done
    for command in (["list"], ["status", "ann"], ["unlock", "ann"]):
        said = " ".join(ctl(clean, *command, code=1).stderr.split())
        assert said.count("is unsafe") == 1, said
        assert "\"selfresetctl check\" to see what to do." in said


def test_check_read_only_disk_before_the_first_login(clean):
    tmpfs("/var", "0755", "ro")
    try:
        found = check(clean, 2)
    finally:
        subprocess.run(["umount", "/var"], check=True)
    assert len(found) == 1 and "read-only" in found[0]


def test_check_changes_nothing(clean):
    assert check(clean, 0) == []
    assert not STATE.exists() and not RUNDIR.exists()


def test_check_accounts(clean):
    clean.configure(change={"require_logon": "yes", "cannot_change": "dan",
                            "minimum_age": "20d"})
    clean.add("ann", OLD, changed=0)
    clean.add("bob", OLD, changed=0)
    clean.add("cyd", OLD, changed=1, min=30, max=25)
    clean.add("dan", OLD, changed=1, max=90)
    clean.add("eve", OLD, changed=1, max=10)
    found = check(clean, 2)
    assert any("change.require_logon: " in one and "[ann, bob]" in one
               for one in found)
    assert any("/etc/shadow: The minimum age" in one and "[cyd]" in one
               for one in found)
    assert any("change.cannot_change: " in one and "[dan]" in one
               for one in found)
    assert any("change.minimum_age: " in one and "[eve]" in one
               for one in found)
    assert len(found) == 4


def test_check_root(clean):
    clean.set_shadow("root", 1, hash_password(OLD))
    clean.set_shadow("root", 7, str(today() - 1))
    assert any(one.startswith("root: The account is ended")
               for one in check(clean, 2))


def test_check_bad_shadow_line(clean):
    clean.add("ann", OLD)
    clean.set_shadow("ann", 4, "soon")
    assert any(one.endswith("[ann]") and "/etc/shadow:" in one
               for one in check(clean, 2))


def test_check_missing_dictionary(clean):
    clean.configure(password={"preset": "pwquality"})
    conf = ETC / "security/pwquality.conf"
    before = conf.read_text() if conf.exists() else ""
    conf.write_text("dictpath = /nowhere/words\n")
    try:
        assert any(one.startswith("password.preset: ")
                   for one in check(clean, 2))
    finally:
        conf.write_text(before)


def test_check_stacks(clean):
    clean.service("su", "auth sufficient pam_unix.so\n" + stack())
    assert any(one.startswith(f"{ROOM}/su:1: ") for one in check(clean, 2))
    clean.service("su", unix_stack())
    found = check(clean, 10)
    assert any(one.startswith(f"{ROOM}/su:1: ") for one in found)
    clean.service("su", guarded_stack())
    assert check(clean, 0) == []
    clean.service("su", stack() + "auth required pam_faillock.so authfail\n")
    assert any("second lockout" in one for one in check(clean, 10))


def test_check_sessions_that_nobody_could_know(clean):
    """require_logon is judged by the login uid, which a stack has to set."""
    bare = stack().replace("session  optional   pam_loginuid.so\n", "")
    clean.service("sshd", bare)
    clean.service("su", bare)
    assert check(clean, 0) == []
    for section in ("change", "change group:wheel"):
        clean.add("ann", OLD, groups=("wheel",))
        clean.configure(**{section: {"require_logon": "yes"}})
        (found,) = check(clean, 2)
        assert found.startswith(f"{ROOM}/sshd: ") and "pam_loginuid" in found
        clean.settings.pop(section)
    clean.configure(change={"require_logon": "yes"})
    clean.service("sshd", stack())
    assert check(clean, 0) == []


def test_check_host_without_the_module(clean):
    for path in ROOM.iterdir():
        path.unlink()
    clean.service("sshd", unix_stack())
    found = check(clean, 2)
    assert len(found) == 1 and "has no effect" in found[0]


def test_check_module_is_installed(clean):
    for path in pathlib.Path("/").glob("lib/*/security/pam_selfreset.so"):
        mount("--bind", "/dev/null", path)
        try:
            assert check(clean, 0) == []  # it is there, if nothing good
        finally:
            subprocess.run(["umount", str(path)], check=True)
    clean.service("su", "auth required /nowhere/pam_selfreset.so\n" + stack())
    assert any("not installed" in one for one in check(clean, 2))


def test_check_reads_what_libpam_reads(clean):
    """A vendor's stack, in each folder that there is here."""
    folders = [path for path in VENDOR_STACKS if path.exists()]
    assert folders
    clean.add("ann", OLD)
    for folder in folders:
        service = folder / "application"
        service.write_text("auth sufficient pam_unix.so nodelay\n" + stack())
        try:
            done = clean.drive("application", "ann", "auth", answers=[OLD])
            is_read = done.code == "SUCCESS"  # not "other", which denies
            found = check(clean, 2)
        finally:
            service.unlink()
        assert any(f"{service}:1" in one for one in found)
        assert is_read or folder != VENDOR_STACKS[0]


@pytest.mark.parametrize("example", ["minimal", "fedora", "guard"])
def test_check_examples(clean, example):
    examples = pathlib.Path(__file__).parents[2] / "pam/examples"
    text = (examples / example).read_text()
    clean.service("sshd", text)
    # Modules of others that it names, and that are not installed here; libpam
    # passes over a line with "-" that has none.
    missing = [path for path in {module_directory() / name for name in
                                 re.findall(r"(?m)^[^#-].*\b(pam_\w+\.so)",
                                            text)}
               if not path.exists()]
    for path in missing:
        assert "is not installed as" in str(check(clean, 2))
        path.touch()
    try:
        assert check(clean, 0) == []
    finally:
        for path in missing:
            path.unlink()


def test_check_example_of_debian(clean):
    examples = pathlib.Path(__file__).parents[2] / "pam/examples"
    name = None
    for line in (examples / "debian").read_text().splitlines():
        if line.startswith("# /etc/pam.d/"):
            name = line.split("/")[-1]
            clean.service(name, "")
        elif name is not None:
            with open(ROOM / name, "a") as out:
                out.write(line + "\n")
    clean.service("sshd", "".join(
        f"@include common-{part}\n"
        for part in ("auth", "account", "password", "session")))
    assert check(clean, 0) == []


# ---- the command line

COMMANDS = ("status", "list", "unlock", "unthrottle", "temporary",
            "must-change", "explain", "age", "password-check", "check", "pam",
            "nss", "groups", "migrate", "events", "log", "rotate", "reset",
            "ticket", "gates", "notices", "why", "report", "health",
            "metrics")


def test_lines_fit_a_terminal(host):
    host.add("ann", OLD, changed=85, max=90)
    host.create_state_groups()
    host.publish()
    guess(host, 5)
    for command in (["status", "ann"], ["explain", "ann"], ["list"]):
        shown = host.run("selfresetctl", *command).stdout
        assert max(map(len, shown.splitlines())) <= 72, shown
        assert "(now)" in shown or command == ["list"]
    CONFIG.write_text("[expiry]\nwarn = soon\n")
    said = ctl(host, "status", "ann", code=1).stderr
    assert f"selfresetctl: {CONFIG}:2: expiry.warn" in said
    assert max(map(len, said.splitlines())) <= 72


def test_help(host):
    said = ctl(host, "--help").stdout
    assert max(map(len, said.splitlines())) <= 72
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", said, re.M)
        shown = ctl(host, command, "--help")
        assert shown.stdout.startswith(f"Usage: selfresetctl {command}")
        assert shown.stderr == ""
        assert max(map(len, shown.stdout.splitlines())) <= 72
    assert ctl(host, "--version").stdout.startswith("selfresetctl ")


def test_manual_page_has_every_command_and_option(host):
    page = (pathlib.Path(__file__).parents[2] /
            "man/selfresetctl.8").read_text()
    for command in COMMANDS:
        assert f".It Cm {command}" in page
        usage = ctl(host, command, "--help").stdout.split("\n\n")[0]
        for option in re.findall(r"--([a-z-]+)", usage):
            assert f"Fl Fl {option}" in page


@pytest.mark.parametrize("arguments", [
    [], ["frob"], ["--frob"], ["--config"], ["status"], ["unlock"],
    ["status", "--frob", "ann"], ["status", "-x", "ann"], ["list", "ann"],
    ["explain", "--at"], ["must-change", "--clear=yes", "ann"],
    ["check", "now"]])
def test_usage_errors(host, arguments):
    done = ctl(host, *arguments, code=64)
    assert done.stdout == "" and done.stderr.startswith("selfresetctl: ")


def test_not_root(host):
    host.add("ann", OLD)
    for command in COMMANDS:
        operand = {"list": [], "check": [], "unthrottle": ["--all"],
                   "nss": ["--check"], "pam": ["--check"], "migrate": [],
                   "groups": ["--check"], "reset": ["--check"],
                   "notices": ["--send"], "metrics": [], "report": [],
                   "health": []}
        done = host.run("setpriv", "--reuid=1", "--regid=1", "--clear-groups",
                        "selfresetctl", command,
                        *([] if command == "events"
                          else operand.get(command, ["ann"])))
        if command == "events":
            assert done.returncode == 0 and "SR-1021" in done.stdout
        else:
            assert done.returncode == 77 and "root" in done.stderr
            assert done.stdout == ""


def test_events(host):
    listed = json.loads(ctl(host, "events", "--json").stdout)
    text = ctl(host, "events").stdout
    assert len(listed) > 20 and max(map(len, text.splitlines())) <= 72
    for event in listed:
        assert f"{event['id']}  {event['name']} " in text


@pytest.mark.parametrize("name", [
    "nosuch", "", "../../etc/passwd", "a b", "+ann", "\x1b[31mred", "ann\nbob",
    "x" * 300, "\udcff\udcfe"])
def test_odd_names(host, name):
    host.add("ann", OLD)
    for command in ("status", "unlock", "temporary", "must-change", "explain"):
        done = host.run("selfresetctl", command, "--", name,
                        errors="surrogateescape")
        assert done.returncode == 7, done.stderr
        assert done.stdout == "" and "\x1b" not in done.stderr
    assert not STATE.exists()


def test_closed_descriptors(host):
    host.add("ann", OLD)
    done = subprocess.run("selfresetctl status ann >&- 2>&- <&-", shell=True,
                          check=False)
    assert done.returncode == 1
    done = subprocess.run("selfresetctl status ann | true", shell=True,
                          executable="/bin/bash", stderr=subprocess.PIPE,
                          check=False)
    assert (ETC / "shadow").read_text().count("ann:") == 1


def test_config_option(host):
    host.add("ann", OLD)
    other = RUN / "other.conf"
    other.write_text("[lockout]\nattempts = 7\n")
    other.chmod(0o644)
    said = json.loads(ctl(host, "--config", other, "status", "--json",
                          "ann").stdout)
    assert said["rules"]["lockout.attempts"] == 7
    assert "nowhere" in ctl(host, "-c", "/nowhere.conf", "status", "ann",
                            code=1).stderr


def test_check_of_a_trial(host):
    """Of a file that no login reads it is said what it would do."""
    other = RUN / "other.conf"
    other.write_text("[lockout]\nattempts = many\n[lockot]\n")
    other.chmod(0o644)
    for line in ctl(host, "--config", other, "status", "ann",
                    code=1).stderr.split("selfresetctl: ")[1:]:
        assert re.search(r"\w[\])]?[.?]$", line.strip())
    text = " ".join(ctl(host, "--config", other, "check", code=2).stdout.split())
    assert f"error: {other}:2 " in text
    assert "only root could log in" in text and "root can log in" not in text
    CONFIG.write_text(other.read_text())
    CONFIG.chmod(0o644)
    text = " ".join(ctl(host, "check", code=2).stdout.split())
    assert f"error: {CONFIG}:2 " in text
    assert "only root can log in" in text and "could log in" not in text


def test_check_of_a_secret_file(host):
    """It is looked at without the directory, too."""
    secret = RUN / "reader.secret"
    secret.write_text("x")
    secret.chmod(0o644)
    host.configure(selfreset={"backends": "local corp"}, **{"backend corp": {
        "uri": "ldapi://%2fnowhere", "base": "dc=example,dc=org",
        "identity": "simple", "bind_dn": "cn=reader,dc=example,dc=org",
        "secret_file": secret}})

    def findings():
        done = host.run("selfresetctl", "check", "--json")
        return [one["severity"] for one in json.loads(done.stdout)
                if "reader.secret" in one["place"] + one["text"]]

    assert findings() == ["error"]
    secret.chmod(0o600)
    assert findings() == []
    secret.unlink()
    assert findings() == ["error"]


@pytest.mark.parametrize("enforce, label, bars", [
    ("1", None, True), ("1", "var_run_t", True), ("1", "selfreset_run_t", False),
    ("0", None, False), (None, None, False)])
def test_check_finds_selinux_enforcing(host, enforce, label, bars):
    """Where the policy module is loaded, the helper's socket has its label."""
    for path in ROOM.iterdir():
        path.unlink()
    host.service("sshd", unix_stack())
    tmpfs("/sys/fs")
    place = pathlib.Path("/sys/fs/selinux/enforce")
    if enforce is not None:
        place.parent.mkdir()
        place.write_text(enforce)
    if label is not None:
        host.helper = helper.start(host)
        os.setxattr(helper.SOCKET, "security.selinux",
                    f"system_u:object_r:{label}:s0\0".encode())

    def is_barred():
        done = host.run("selfresetctl", "check", "--json")
        said = json.loads(done.stdout)
        found = [one for one in said if one["place"] == str(place)]
        assert all("/etc/shadow" in one["text"] for one in found)
        assert any("pam --enable" in one["advice"] for one in said) != \
            bool(found)
        return [one["severity"] for one in found] == ["error"]

    assert is_barred() == bars
    if label is not None:
        host.helper.kill()
        host.helper.wait()
        assert helper.SOCKET.exists() and is_barred()
        helper.SOCKET.unlink()


def complete(host, *words):
    script = pathlib.Path(__file__).parents[2] / "tools/selfresetctl.bash"
    done = host.run("bash", "--norc", "-c", f"""
        . {script}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _selfresetctl
        printf '%s\\n' "${{COMPREPLY[@]}}" """, "bash", "selfresetctl", *words)
    assert done.stderr == ""
    return done.stdout.split()


def test_completion(host):
    host.add("annabel", OLD)
    assert sorted(complete(host, "")) == sorted(COMMANDS)
    assert complete(host, "mus") == ["must-change"]
    assert complete(host, "status", "annab") == ["annabel"]
    assert complete(host, "list", "--state", "bar") == ["barred"]
    assert complete(host, "list", "--state", "ok,bar") == ["ok,barred"]
    assert complete(host, "list", "--state", "=", "exp") == ["expired",
                                                            "expiring"]
    assert complete(host, "--config", "=", "/x", "mus") == ["must-change"]
    assert complete(host, "--config", "/x", "mus") == ["must-change"]
    host.configure(backend_corp={"uri": "ldapi:///"})
    assert complete(host, "rotate", "") == ["corp"]
    assert complete(host, "check", "--backend", "=", "co") == ["corp"]
    assert complete(host, "report", "--from", "") == []
    assert complete(host, "nss", "--en") == ["--enable"]
    assert "console" in complete(host, "unthrottle", "")
    for command in COMMANDS:
        usage = ctl(host, command, "--help").stdout.split("\n\n")[0]
        expected = {"--" + name for name in re.findall(r"--([a-z-]+)", usage)}
        assert set(complete(host, command, "--")) == expected | {"--help"}


# ---- log

LINE = ('sshd[7]: pam_selfreset(sshd:auth): SR-2105 wrong-password: the '
        'password was wrong user=ann uid=1000 source=192.0.2.7 '
        'result=failed cause="a \\"b\\" c" pam_code=7')


@pytest.fixture
def var_log(host):
    folder = pathlib.Path("/var/log")
    tmpfs(folder)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_log_of_a_file(host, var_log):
    for day in ("2026-11-02T10:00:00.123456+02:00", "Nov  3 10:00:00"):
        with open(var_log / "auth.log", "a") as out:
            out.write(f"{day} box {LINE}\n")
            out.write(f"{day} box {LINE.replace('=ann', '=bob')}\n")
            out.write(f"{day} box other: user=ann\n")
    text = ctl(host, "log", "ann").stdout
    assert text.count("SR-2105") == 2 and max(map(len, text.splitlines())) <= 72
    said = " ".join(text.split())
    assert ("the password was wrong; from 192.0.2.7; service sshd; "
            'cause a "b" c.') in said
    found = json.loads(ctl(host, "log", "--json", "ann", "bob").stdout)
    assert [one["user"] for one in found] == ["ann", "bob"]
    event = found[0]["events"][0]
    assert event["time"] == "2026-11-02T08:00:00Z"
    assert (event["event"], event["source"], event["cause"],
            event["actor"]) == ("wrong-password", PEER, 'a "b" c', None)
    since = json.loads(ctl(host, "log", "--json", "--since",
                           "2026-11-02 12:00", "ann").stdout)
    assert len(since["events"]) < len(found[0]["events"])
    assert "No event" in ctl(host, "log", "nosuch").stdout
    assert "is not a time" in ctl(host, "log", "--since", "x", "ann",
                                  code=64).stderr


def test_log_of_the_real_lines(host, var_log):
    """What the module writes is what the command reads."""
    host.add("ann", OLD)
    guess(host, 6)
    (var_log / "auth.log").write_text("".join(
        f"Nov  3 10:00:00 box {re.sub('^<[0-9]+>', '', line)}\n"
        for line in host.log.all()))
    found = json.loads(ctl(host, "log", "--json", "ann").stdout)["events"]
    assert [one["id"] for one in found].count("SR-2105") == 5
    assert {"SR-2201", "SR-2205"} <= {one["id"] for one in found}
    assert all(one["source"] == PEER and one["backend"] == "local"
               for one in found)


def test_log_without_a_log(host, var_log):
    assert "neither a journal nor a log file" in ctl(host, "log", "ann",
                                                     code=1).stderr


@pytest.mark.skipif(not os.path.exists("/usr/bin/journalctl"),
                    reason="no journalctl")
def test_log_of_the_journal(host):
    """Binary fields, which an export can have, are passed over."""
    export = RUN / "export"
    export.write_bytes(
        b"__REALTIME_TIMESTAMP=1793613600000000\nSELFRESET_USER=ann\n"
        b"SELFRESET_ID=SR-2105\nMESSAGE\n\x05\0\0\0\0\0\0\0a\nb=c\n"
        b"SELFRESET_SOURCE=192.0.2.7\n\n"
        b"__REALTIME_TIMESTAMP=1793613660000000\nSELFRESET_USER=bob\n"
        b"SELFRESET_ID=SR-2105\n\n")
    for path in ("/run/systemd/journal/socket", "/run/log/journal/x"):
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).touch()
    with in_place_of("journalctl", f'echo "$@" >{RUN}/asked; cat {export}'):
        found = json.loads(ctl(host, "log", "--since", "@1793600000",
                               "--json", "ann").stdout)["events"]
    for path in ("/run/systemd/journal/socket", "/run/log/journal/x"):
        pathlib.Path(path).unlink()
    pathlib.Path("/run/log/journal").rmdir()
    assert [(one["time"], one["source"]) for one in found] == [
        ("2026-11-02T10:00:00Z", PEER)]
    asked = (RUN / "asked").read_text()
    assert "SELFRESET_USER=ann" in asked and "--since=@1793600000" in asked


# ---- many accounts

def test_check_costs_a_pass_over_the_accounts(clean):
    """Eight times the accounts cost about eight times the time, not 64."""
    def seconds_of(count):
        with open(ETC / "passwd", "a") as users, open(ETC / "shadow",
                                                      "a") as hashes:
            for number in range(seconds_of.made, count):
                users.write(f"m{number}:x:{20000 + number}:100::/:/bin/sh\n")
                hashes.write(f"m{number}:*:20000:0:99999:7:::\n")
        seconds_of.made = count
        began = time.monotonic()
        clean.run("selfresetctl", "check")
        return time.monotonic() - began

    seconds_of.made = 0
    few = min(seconds_of(1000), seconds_of(1000))
    assert seconds_of(8000) < 20 * few


def test_check_locked_hash(clean):
    clean.configure(expiry={"locked_hash": "account"})
    clean.add("svc", hash="!", uid=877)
    clean.add("emulator", hash="!", uid=64055)  # of Debian's own numbers
    clean.add("left", hash="!", uid=70000)  # a user, who is meant
    found = [one for one in check(clean, 10) if "expiry.locked_hash" in one]
    assert len(found) == 1
    assert "svc" in found[0] and "emulator" in found[0]
    assert "left" not in found[0]


# ---- JSON, as the manual has it

TYPES = {"string": str, "number": int, "boolean": bool, "array": list,
         "object": dict, "time": str}
SNAKE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?")


def schema():
    page = (pathlib.Path(__file__).parents[2] / "man/selfresetctl.8"
            ).read_text().split(".Sh OUTPUT FOR PROGRAMS")[1]
    block = page.split(".Bd -literal -offset indent\n")[1].split(".Ed")[0]
    found = {}
    for line in block.splitlines():
        command, key, kind = line.split()
        found.setdefault(command, {})[key] = kind
    return found


def all_keys(value):
    if isinstance(value, dict):
        yield from value
    for inner in (value.values() if isinstance(value, dict) else
                  value if isinstance(value, list) else ()):
        yield from all_keys(inner)


@pytest.mark.parametrize("command", schema())
def test_json_is_what_the_manual_says(host, command):
    host.add("ann", OLD, changed=100, max=90)
    host.configure(lockout={"root": "yes"})  # a finding
    guess(host, 2)
    operand = {"list": [], "check": [], "events": [], "migrate": [],
               "unthrottle": [PEER], "metrics": [], "health": []}
    done = host.run("selfresetctl", command, "--json",
                    *operand.get(command, ["ann"]))
    said = json.loads(done.stdout)
    rows = said if isinstance(said, list) else [said]
    assert rows
    for row in rows:
        assert list(row) == list(schema()[command]) or set(row) == set(
            schema()[command]), set(row) ^ set(schema()[command])
        for key, kind in schema()[command].items():
            if row[key] is None:
                assert kind.endswith("?"), key
            else:
                assert type(row[key]) is TYPES[kind.rstrip("?")], (key, row[key])
    assert all(SNAKE.fullmatch(key) for key in all_keys(said))


COMMON = {"user", "changed", "dry_run", "error", "exit_code"}


@pytest.mark.parametrize("arguments", [
    ["status", "nosuch", "ann"], ["age", "nosuch", "ann"],
    ["explain", "nosuch", "ann"], ["unlock", "nosuch", "ann"],
    ["must-change", "nosuch", "ann"], ["temporary", "nosuch", "ann"],
    ["temporary", "--dry-run", "nosuch", "ann"],
    ["unthrottle", "localhost", PEER], ["unthrottle", "--all"],
    ["unthrottle", "--dry-run", "--all"]], ids=" ".join)
def test_json_of_a_failure(host, arguments):
    """Without an error no member is missing, and with one only those that could
    not be found out."""
    host.add("ann", OLD)
    said = json.loads(host.run("selfresetctl", *arguments, "--json").stdout)
    rows = said if isinstance(said, list) else [said]
    wanted = set(schema()[arguments[0]])
    assert [row["error"] is None for row in rows] == [False, True][-len(rows):]
    for row in rows:
        missing = wanted - set(row)
        assert set(row) <= wanted and (
            not missing & COMMON if row["error"] else not missing), row


def test_several_users_and_a_dry_run(host):
    for name in ("ann", "bob"):
        host.add(name, OLD)
        guess(host, 5, user=name)
    before = (ETC / "shadow").read_bytes()
    for command in ("unlock", "must-change", "temporary"):
        said = json.loads(ctl(host, command, "--json", "--dry-run", "ann",
                              "bob").stdout)
        assert [(one["user"], one["changed"], one["dry_run"])
                for one in said] == [("ann", True, True), ("bob", True, True)]
        assert all(one.get("password") is None for one in said)
        assert "would" in ctl(host, command, "--dry-run", "ann").stdout
    assert (ETC / "shadow").read_bytes() == before
    assert status(host)[1]["state"] == "locked"
    said = json.loads(ctl(host, "unlock", "--json", "ann", "nosuch", "bob",
                          code=7).stdout)
    assert [(one["changed"], one["error"], one["exit_code"])
            for one in said] == [(True, None, 0), (False, "no_such_account", 7),
                                 (True, None, 0)]
    lines = ctl(host, "temporary", "ann", "bob").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ann", "bob"]
    assert host.has_password("bob", lines[1].split()[1])


def test_temporary_lifetime(host):
    host.add("ann", OLD)
    password = ctl(host, "temporary", "--lifetime", "2h", "ann").stdout
    assert PHRASE.match(password.strip()) and password.count("\n") == 1
    assert log_in(host, password.strip(), ahead=3000) == "SUCCESS"
    assert log_in(host, password.strip(), ahead=7300) == "AUTH_ERR"
    for wrong in ("0", "soon", "500d"):
        assert "--lifetime" in ctl(host, "temporary", "--lifetime", wrong,
                                   "ann", code=64).stderr


def test_the_nearest_right_word(host):
    for typed, meant in ((["statsu", "a"], "status"),
                         (["list", "--jsn"], "--json"),
                         (["list", "--state", "expird"], "expired")):
        assert f'Did you mean "{meant}"?' in " ".join(
            ctl(host, *typed, code=64).stderr.split())
    assert "USER is missing" in ctl(host, "unlock", code=64).stderr
    assert 'Unexpected argument "x"' in ctl(host, "events", "x", code=64).stderr


def test_explain_of_what_cannot_be(host):
    host.add("ann", OLD)
    for arguments in (["--rhost", "192.0.2.300"], ["--rhost", "2001:db8::x"],
                      ["--rhost", "a b"], ["--rhost", "a..b"],
                      ["--rhost", "fe80::1%"], ["--service", "nosuch"],
                      ["--service", "../passwd"]):
        ctl(host, "explain", *arguments, "ann", code=64)
    ctl(host, "explain", "--rhost", "gate.example.org", "ann")
    said = ctl(host, "explain", "--rhost", "fe80::1%eth0", "--at",
               "2026-12-24T12:00:00Z", "--json", "ann").stdout
    assert json.loads(said)["source"] == "fe80::/64"
    assert json.loads(said)["at"] == "2026-12-24T12:00:00Z"


def test_list_and_status_without_a_password(host):
    host.add("ann", OLD)
    host.run("passwd", "-l", "ann")
    assert re.search(r"^ann +ok +\S+ +no password \(locked\)$",
                     ctl(host, "list").stdout, re.M)
    assert status(host)[1]["password"] == "locked"
    assert "no password (locked)" in ctl(host, "status", "ann").stdout
    for day in ("1", "1970-01-06", "1980-01-01"):
        host.run("chage", "-E", day, "ann")
        assert "days ago)" not in ctl(host, "status", "ann", code=5
                                      ).stdout.partition("Facts")[0]


def test_check_asks_how_sshd_asks(clean):
    """As sshd itself reads its file."""
    sshd = ETC / "ssh/sshd_config"
    for text, code, told in (
            ("UsePAM yes\nKbdInteractiveAuthentication=no\n", 10,
             "interactive authentication"),
            ("UsePAM yes\nMatch all\n challengeresponseauthentication \"no\"",
             10, "interactive authentication"),
            ("# UsePAM yes\n", 2, "does not ask PAM"),
            ("usepam NO\r\nUsePAM yes\n", 2, "does not ask PAM"),
            ("UsePAM yes\nKbdInteractiveAuthentication yes\n"
             "KbdInteractiveAuthentication no\n", 0, None)):
        sshd.write_text(text)
        found = [one for one in check(clean, code) if "sshd_config" in one]
        assert (told is None) == (not found), (text, found)
        assert all(told in one for one in found), found


@pytest.mark.skipif(not os.path.exists("/usr/bin/sudo"), reason="no sudo")
def test_the_helpdesk_without_root(host):
    """The example in the manual."""
    page = (pathlib.Path(__file__).parents[2] / "man/selfresetctl.8"
            ).read_text()
    rule = page.split("Cmnd_Alias SELFRESET")[1].split(".Ed")[0]
    rule = "Cmnd_Alias SELFRESET" + rule.replace("\\e\n", "\\\n")
    tool = host.run("sh", "-c", "command -v selfresetctl").stdout.strip()
    main, path = ETC / "sudoers", ETC / "selfreset-helpdesk"
    before = main.read_text()
    path.write_text(rule.replace("/usr/sbin/selfresetctl", tool))
    path.chmod(0o440)
    main.write_text(f"{before}\n@include {path}\n")
    host.add("desk", OLD, groups=("helpdesk",))
    host.add("ann", OLD)
    guess(host, 5)
    try:
        desk = ("setpriv", "--reuid=desk", "--regid=desk", "--init-groups",
                "sudo", "-n", tool)
        done = host.run(*desk, "unlock", "ann")
        assert done.returncode == 0, (done.stderr, host.run(
            "sudo", "-l", "-U", "desk").stdout, path.read_text())
        assert host.run(*desk, "temporary", "ann").returncode == 1
        assert host.run(*desk, "nss", "--disable").returncode == 1
    finally:
        path.unlink()
        main.write_text(before)
    assert status(host)[1]["state"] == "ok"


def test_check_tells_a_cause_once(clean):
    """Whatever it is, with all places that have it."""
    for name in ("first", "second", "third"):
        clean.service(name, "auth sufficient pam_unix.so nodelay\n" + stack())
    done = clean.run("selfresetctl", "check")
    places = [line for line in done.stdout.splitlines()
              if re.match(r"(error|warning): .*/(first|second|third)", line)]
    assert len(places) == 3, done.stdout
    said = re.findall(r"^  ([A-Z].*)", done.stdout, flags=re.M)
    assert len(said) == len(set(said)) > 0, done.stdout
    found = json.loads(clean.run("selfresetctl", "check", "--json").stdout)
    assert len([one for one in found if re.search(
        "/(first|second|third)", one["place"])]) == 3, found
