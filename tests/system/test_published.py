"""What PAM and the tool publish at each event, what that costs, and that it
never gets into the way of a login.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import collections
import contextlib
import fcntl
import json
import os
import re
import struct
import subprocess
import time

import pytest

from scratch import (NSSDIR, PUBLISHED, RUN, RUNDIR, STATE_GROUPS, guarded_stack,
                     mount, tmpfs)

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
PEER = "192.0.2.7"
DELTAS = PUBLISHED / "groups.d"
F_OFD_SETLK = 37


def deltas():
    """The names whose state was published since the last snapshot."""
    return {name for name in os.listdir(DELTAS) if not name.startswith(":")}


def log_in(host, password=OLD, user="ann", rhost=PEER, service="probe"):
    return host.drive(service, user, "auth", "acct", answers=[password],
                      rhost=rhost)


def guess(host, count, user="ann", rhost=PEER, service="probe"):
    for _ in range(count):
        assert host.drive(service, user, "auth", answers=["no"],
                          rhost=rhost).code != "SUCCESS"


def ctl(host, *arguments, code=0):
    done = host.run("selfresetctl", *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


def published(host, user="ann"):
    done = host.run("selfresetctl", "status", "--json", user)
    return json.loads(done.stdout)["published"]


def failures(host):
    return host.log.with_text("SR-3301")


# ---- each event

def test_a_login_without_news_publishes_nothing(host):
    host.add("ann", OLD)
    host.serve_states()
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    guess(host, 1)
    assert log_in(host, "no").codes[0] == "AUTH_ERR"
    assert deltas() == set()
    assert host.states("ann") == {"acct-ok"}


def test_acct_mgmt_publishes_what_it_finds(host):
    """Edited behind our back: the first login tells everybody."""
    host.add("ann", OLD)
    host.serve_states()
    host.set_shadow("ann", 7, 1)
    assert host.states("ann") == {"acct-ok"}
    assert log_in(host).codes[-1] == "ACCT_EXPIRED"
    assert host.states("ann") == {"acct-locked"}
    host.set_shadow("ann", 7, "")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert host.states("ann") == {"acct-ok"}


def test_a_service_that_spares_publishes_nothing(host):
    """cron does not look into the store: what it knows is not all."""
    host.add("ann", OLD)
    host.serve_states()
    host.set_shadow("ann", 7, 1)
    host.drive("cron", "ann", "acct")
    assert deltas() == set()


def test_a_forced_change(host):
    host.add("ann", OLD, changed=0)
    host.serve_states()
    assert host.states("ann") == {"acct-ok", "pw-must-change"}
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[OLD, FRESH, FRESH], rhost=PEER)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"]
    assert host.states("ann") == {"acct-ok"}
    assert deltas() == {"ann"}


def test_a_change_that_fails_publishes_nothing(host):
    host.add("ann", OLD, changed=0)
    host.serve_states()
    done = host.drive("probe", "ann", "chauthtok", answers=[OLD, "x", "x"],
                      rhost=PEER)
    assert done.code != "SUCCESS"
    assert host.states("ann") == {"acct-ok", "pw-must-change"}
    assert deltas() == set()


@pytest.mark.parametrize("stack", ["alone", "guard"])
def test_a_lockout_and_its_end(host, stack):
    host.add("ann", OLD)
    if stack == "guard":
        host.service("probe", guarded_stack())
    host.serve_states()
    guess(host, 4)
    assert (host.states("ann"), deltas()) == ({"acct-ok"}, set())
    guess(host, 1)
    assert (host.states("ann"), deltas()) == ({"acct-locked"}, {"ann"})
    ctl(host, "unlock", "ann")
    assert host.states("ann") == {"acct-ok"}


def test_a_lockout_of_strangers_alone_is_not_shown(host):
    host.add("ann", OLD)
    host.serve_states()
    assert host.drive("probe", "ann", "auth", "acct", "open", answers=[OLD],
                      rhost=PEER).code == "SUCCESS"
    guess(host, 5, rhost="198.51.100.9")
    assert log_in(host, rhost="198.51.100.9").codes[0] == "AUTH_ERR"
    assert host.states("ann") == {"acct-ok"}
    guess(host, 5)
    assert host.states("ann") == {"acct-locked"}


def test_right_after_a_guard_takes_a_lockout_back(host):
    """The failure was recorded ahead, and was the fifth: somebody may have
    published it meanwhile."""
    host.add("ann", OLD)
    host.service("probe", guarded_stack())
    publisher = host.build / "stage/usr/sbin/selfreset-publish"
    host.service("other-program",
                 "auth requisite pam_selfreset.so guard\n"
                 f"auth required pam_exec.so quiet {publisher} --user ann\n"
                 f"auth required pam_exec.so quiet /bin/cp -P {DELTAS}/ann "
                 f"{RUN}/meanwhile\n"
                 "auth [success=ok default=die] pam_unix.so nodelay\n"
                 "auth required pam_selfreset.so settle\n")
    host.serve_states()
    guess(host, 4)
    (RUN / "meanwhile").unlink(missing_ok=True)
    done = host.drive("other-program", "ann", "auth", "cred", answers=[OLD],
                      rhost=PEER)
    assert done.codes == ["SUCCESS", "SUCCESS"]
    assert os.path.lexists(RUN / "meanwhile"), "nothing was published"
    assert host.states("ann") == {"acct-ok"}
    (RUN / "meanwhile").unlink()


@pytest.mark.parametrize("command, groups", [
    (["must-change", "ann"], {"acct-ok", "pw-must-change"}),
    (["temporary", "ann"], {"acct-ok", "pw-must-change"}),
])
def test_the_tool_publishes(host, command, groups):
    host.add("ann", OLD)
    host.serve_states()
    ctl(host, *command)
    assert host.states("ann") == groups
    assert deltas() == {"ann"}
    if command[0] == "must-change":
        ctl(host, "must-change", "--clear", "ann")
        assert host.states("ann") == {"acct-ok"}


# ---- what status says of it

def test_status_shows_what_is_published(host):
    host.add("ann", OLD)
    assert published(host)["snapshot"] == "none"
    host.serve_states()
    before = time.time()
    assert published(host) == {"snapshot": "good", "groups": ["acct-ok"],
                               "current": True,
                               "since": published(host)["since"]}
    host.add("bob", OLD)
    assert published(host, "bob") == {"snapshot": "without_account"}
    host.set_shadow("ann", 2, 0)
    said = published(host)
    assert (said["groups"], said["current"]) == (["acct-ok"], False)
    assert sorted(said["groups_now"]) == ["acct-ok", "pw-must-change"]
    text = host.run("selfresetctl", "status", "ann").stdout
    assert 'Run "selfreset-publish --user ann"' in " ".join(text.split())
    host.publish("ann")
    said = published(host)
    assert (sorted(said["groups"]), said["current"]) == (["acct-ok", "pw-must-change"],
                                                 True)
    since = subprocess.run(["date", "-d", said["since"], "+%s"], check=True,
                           capture_output=True, text=True).stdout
    assert before - 1 <= int(since) <= time.time() + 1
    text = ctl(host, "status", "ann", code=4).stdout
    assert re.search(r"^  groups: +pw-must-change, acct-ok$", text, re.M)


# ---- what it costs

def calls(host, *steps, user="ann", answers=(OLD,), service="probe"):
    """The system calls of these steps: (all, those that name what is
    published)."""
    trace = RUN / "trace-of-calls"
    host.drive(service, user, *steps, answers=answers, rhost=PEER,
               wrap=["strace", "-f", "-o", trace])
    lines = [line.split(None, 1)[1]
             for line in trace.read_text().splitlines()
             if re.match(r"\d+ +\w+\(", line)]
    return lines, [line for line in lines if str(NSSDIR) in line]


def test_nothing_published_costs_one_call(host):
    host.add("ann", OLD)
    host.drive("probe", "ann", "acct", rhost=PEER)
    _, touched = calls(host, "acct", answers=())
    assert len(touched) == 1 and "ENOENT" in touched[0]
    assert not NSSDIR.exists()


def test_the_same_published_costs_a_look(host):
    host.add("ann", OLD)
    host.drive("probe", "ann", "acct", rhost=PEER)
    off, _ = calls(host, "acct", answers=())
    host.serve_states()
    unchanged, touched = calls(host, "acct", answers=())
    assert 1 <= len(touched) <= 4
    assert len(unchanged) - len(off) <= 9, touched


def writes(lines):
    """How often what is put in place or on the disk."""
    found = [re.match(r"symlink\w*|rename\w*|fsync|fdatasync", line)
             for line in lines]
    return collections.Counter(one[0] for one in found if one)


def opened(lines):
    """How many ledgers and memories were opened, or looked for."""
    return sum(bool(re.match(r'open.*"(accounts|names|sources|here)/', line))
               for line in lines)


@pytest.mark.parametrize("is_on", [False, True])
def test_a_lockout_of_an_unknown_name_does_the_same_work(host, is_on):
    host.add("ann", OLD)
    host.add("nat", OLD)
    if is_on:
        host.serve_states()
    else:
        host.drive("probe", "nat", "auth", answers=[OLD])
    for user in ("ann", "nobody-here"):
        guess(host, 4, user=user)
    known, touched = calls(host, "auth", answers=["no"])
    unknown, missed = calls(host, "auth", user="nobody-here", answers=["no"])
    # In the bucket of a name there may be news of another: then each of its
    # spellings costs a look at a link that is not there.
    touched, missed = ([line for line in lines
                        if not re.match(r"readlink.*ENOENT", line)]
                       for lines in (touched, missed))
    assert writes(known) == writes(unknown)
    assert opened(known) == opened(unknown) > 1
    assert abs(len(known) - len(unknown)) <= len(known) // 20
    assert len(touched) == len(missed)
    if is_on:
        assert writes(known)["symlinkat"] == 1
        assert host.states("ann") == {"acct-locked"}
    else:
        assert not NSSDIR.exists()


# ---- when it cannot be done

@contextlib.contextmanager
def published_on(*options):
    """What is published, on a disk of its own."""
    keep = RUN / "published"
    subprocess.run(["cp", "-a", str(NSSDIR), str(keep)], check=True)
    tmpfs(NSSDIR, "0755", *options)
    subprocess.run(["cp", "-a", f"{keep}/.", str(NSSDIR)], check=True)
    subprocess.run(["rm", "-rf", str(keep)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(NSSDIR)], check=True)


def fill():
    with open(NSSDIR / "filler", "wb", buffering=0) as out:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while out.write(bytes(size)):
                    pass
    count = 0
    with contextlib.suppress(OSError):
        while True:
            os.symlink("x", NSSDIR / f"filler{count}")
            count += 1


def everything_works(host):
    """A login, a change, a lockout and its end; each says so in the log."""
    codes = host.drive("probe", "ann", "auth", "acct", "chauthtok",
                       answers=[OLD, FRESH, FRESH], rhost=PEER).codes
    assert codes == ["SUCCESS"] * 3
    assert host.has_password("ann", FRESH)
    assert log_in(host, FRESH).codes == ["SUCCESS", "SUCCESS"]
    guess(host, 5)
    assert log_in(host, FRESH).codes[0] == "AUTH_ERR"
    said = ctl(host, "unlock", "ann").stderr
    assert log_in(host, FRESH).codes == ["SUCCESS", "SUCCESS"]
    return said


def set_up_stale(host):
    """What is published is not so any more: every event has news."""
    host.add("ann", OLD)
    host.serve_states()
    host.set_shadow("ann", 4, 5)  # a maximum age, and not over
    host.set_shadow("ann", 2, int(time.time()) // 86400 - 2)
    host.log.all()


def test_a_full_disk(host):
    set_up_stale(host)
    with published_on("size=64k", "nr_inodes=40"):
        fill()
        said = everything_works(host)
        assert failures(host) and all("full" in line
                                      for line in failures(host))
        assert "disk is full" in " ".join(said.split())
        assert "selfreset-publish --user ann" in " ".join(said.split())


def test_a_disk_that_is_read_only(host):
    set_up_stale(host)
    with published_on():
        mount("-o", "remount,ro", NSSDIR)
        said = everything_works(host)
        assert failures(host)
        assert "Warning" in said


def test_a_lock_that_is_held(host):
    """A stopped publisher costs one login a moment, and the others nothing; a
    run is due, which takes the lock away and publishes what they could not."""
    set_up_stale(host)
    due = RUNDIR / "changed"
    with open(PUBLISHED / "lock", "r+b") as lock:
        fcntl.fcntl(lock, F_OFD_SETLK,
                    struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        assert not due.exists()
        assert naps(host) > 0
        assert "busy" in failures(host)[0] and due.exists()
        assert naps(host) == 0 and deltas() == set()
        host.publish()
        assert not due.exists()
        host.set_shadow("ann", 2, 0)
        assert naps(host) == 0 and deltas() == {"ann"}


def naps(host):
    """How often a login waits."""
    lines, _ = calls(host, "auth", "acct", answers=[OLD])
    return sum("nanosleep" in line for line in lines)


def test_a_folder_of_somebody_else(host):
    set_up_stale(host)
    os.chown(PUBLISHED, 1, 1)
    everything_works(host)
    assert failures(host)
    os.chown(PUBLISHED, 0, 0)


def test_no_state_to_publish_where_the_groups_are_missing(host):
    """Published all the same: the groups may be made later."""
    host.add("ann", OLD)
    host.publish()
    host.set_shadow("ann", 2, 0)
    assert log_in(host).codes[-1] == "NEW_AUTHTOK_REQD"
    assert deltas() == {"ann"}
    assert sorted(published(host)["groups"]) == ["acct-ok", "pw-must-change"]
    assert len(STATE_GROUPS) == 6
