"""selfreset-publish while something happens: a file changes, the clock is set,
a backend hangs.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest

import directory
from directory import dn_of
from middle import Middle, ber, message, octets
from scratch import PUBLISHED, RUN, STATE_GROUPS, wait_until
from test_watch import (ASKED, LIMITED, LOCKED, MUST, OK, PASSWORD, UNLIMITED,
                        Follower, add, lock, people, remove,
                        seen, serve, shadow, unlock)

needs_slapd = pytest.mark.skipif(not directory.have_server(),
                                 reason="slapd is not installed")
UNKNOWN = "acct-state-unknown"
DAY = 86400


# ---- a change during a run

def slowed(seconds, *program):
    """A program that waits in each fsync: after it has read, and before it has
    published."""
    return ["strace", "-f", "-o", "/dev/null", "-e", "trace=fsync", "-e",
            f"inject=fsync:delay_enter={int(seconds * 1e6)}", *program]


def is_writing():
    return any(name.startswith("groups.snap.") for name in
               os.listdir(PUBLISHED))


def change(host):
    host.set_shadow("bob", 7, 1)


def rewrite(host):
    """The same file, of the same size, with the same time of modification."""
    shadow = pathlib.Path("/etc/shadow")
    text, status = shadow.read_text(), shadow.stat()
    assert ":99999:" in text
    with open(shadow, "r+", encoding="ascii") as file:
        file.write(text.replace(":99999:\n", ":00001:\n"))
    os.utime(shadow, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert shadow.stat().st_ino == status.st_ino
    assert shadow.stat().st_size == status.st_size


def configure(host):
    host.configure(nss={"break_glass": "cid"})


@pytest.mark.parametrize("act, name, state", [
    (change, "bob", LOCKED), (rewrite, "bob", LOCKED), (configure, "cid", OK)])
def test_a_change_during_a_run(host, act, name, state):
    """What changes after it was read is published by the same program."""
    host.add("bob", PASSWORD, expire="99999")
    host.add("cid", PASSWORD, expire=1)
    host.serve_states()
    assert host.states(name) != {state}
    process = host.start(slowed(1, "selfreset-publish"),
                         stderr=subprocess.PIPE)
    wait_until(is_writing, what="the first snapshot to be written")
    act(host)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")
    assert host.states(name) == {state}


def test_changes_without_end(host):
    """Runs are bounded; the next is left to whoever starts runs."""
    host.add("bob", PASSWORD)
    host.serve_states()
    flag = pathlib.Path("/run/selfreset/changed")
    flag.parent.mkdir(exist_ok=True)
    stop = threading.Event()

    def keep_changing():
        while not stop.wait(0.002):
            os.utime("/etc/group")

    thread = threading.Thread(target=keep_changing)
    thread.start()
    try:
        done = host.run(*slowed(0.1, "selfreset-publish", "--verbose"))
    finally:
        stop.set()
        thread.join()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("published: ") == 10
    assert flag.exists()
    assert host.run("selfreset-publish").returncode == 0
    assert not flag.exists()


# ---- the clock

def at(seconds, *command, is_real=False):
    """A command with the wall clock moved; is_real: the time has passed, so that
    the clock since the boot is moved as well."""
    wrap = ["unshare", "--time", f"--monotonic={seconds}", "--fork"] if is_real \
        else []
    return [*wrap, "env", "DONT_FAKE_MONOTONIC=1", "faketime", "-f",
            f"{seconds:+}s", *command]


def states_at(host, name, seconds, **how):
    gids = host.run(*at(seconds, "id", "-G", name, **how)).stdout.split()
    return {group for group, gid in STATE_GROUPS.items() if str(gid) in gids}


def test_the_clock_is_set(host):
    """Forward, back, and by a suspend: nothing has changed on the host."""
    host.configure(nss={"max_age": "1h"})
    host.add("ann", PASSWORD)
    host.add("bob", PASSWORD, changed=1, max=90, min=0)
    host.serve_states()
    for seconds in (0, 3500, 3700, 2 * DAY, -3700, -2 * DAY):
        assert states_at(host, "ann", seconds) == {OK}, seconds
    # Deadlines are read by the clock as it is now.
    assert "pw-expired" in states_at(host, "bob", 91 * DAY)
    # Really too old.
    assert states_at(host, "ann", 3700, is_real=True) == {UNKNOWN}
    # After a restart the clock is all that there is.
    boot_id = RUN / "boot_id"
    boot_id.write_text("01234567-89ab-cdef-0123-456789abcdef\n")
    real = "/proc/sys/kernel/random/boot_id"
    subprocess.run(["mount", "--bind", boot_id, real], check=True)
    try:
        assert states_at(host, "ann", 3500) == {OK}
        assert states_at(host, "ann", 3700) == {UNKNOWN}
    finally:
        subprocess.run(["umount", real], check=True)


def test_the_clock_is_set_during_an_outage(host):
    """What was kept of a backend is as old as it is by the other clock."""
    host.configure(nss={"max_age": "1h"})
    host.add("ann", PASSWORD)
    host.serve_states()
    passwd = pathlib.Path("/etc/passwd")
    text = passwd.read_text()
    for seconds, is_real, state in ((DAY, False, OK), (1800, True, OK),
                                     (3700, True, UNKNOWN)):
        passwd.unlink()
        done = host.run(*at(seconds, "selfreset-publish", is_real=is_real))
        passwd.write_text(text)
        assert done.returncode == 8, done.stderr
        assert states_at(host, "ann", seconds, is_real=is_real) == {state}


# ---- a backend that does not end

SYNC_INFO = "1.3.6.1.4.1.4203.1.9.1.4"


def trickle(middle, client, server, request):
    """Something that is no end, again and again."""
    part = message(request.id, ber(0x79, ber(0x80, SYNC_INFO),
                                   ber(0x81, ber(0x80, "rid=000"))))
    while True:
        client.sendall(part)
        time.sleep(0.1)


def mix(host, acts, **config):
    """A directory behind `acts`, and the local backend."""
    server = serve(host, people("u0"), names=("u0",))
    host.add("ann", PASSWORD)
    host.publish()
    middle = Middle(server, acts)
    host.configure(selfreset={"backends": "corp local"}, backend_corp={
        "uri": f"ldap://localhost:{middle.port}", "insecure": "yes",
        **config})
    return server, middle


@needs_slapd
@pytest.mark.parametrize("is_first", [False, True])
def test_one_backend_delays_no_other(host, is_first):
    """Nor the local accounts; from a cold start, too.  That is no warning: a
    large directory takes its time at each run."""
    _, middle = mix(host, {"search": trickle}, timeout="60s")
    with middle:
        host.set_shadow("ann", 2, 0)
        if is_first:
            for name in os.listdir(PUBLISHED):
                if name.endswith(".snap"):
                    (PUBLISHED / name).unlink()
        process = host.start(["selfreset-publish"] + ["-v"] * is_first,
                             stderr=subprocess.PIPE)
        wait_until(lambda: MUST in host.states("ann"), seconds=60,
                   what="the local account to be published")
        assert process.poll() is None, "the directory is still being read"
        assert host.states("u0") == ({UNKNOWN} if is_first else {OK})
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == -signal.SIGTERM
        assert (b'"corp" is still being read' in process.stderr.read()) == \
            is_first
        # Its readers end with it.
        wait_until(lambda: host.run("pgrep", "-x", "selfreset-publi")
                   .returncode != 0, what="the reader to end")


@needs_slapd
def test_a_first_reading_without_end(host):
    """--follow publishes all the same, rests meanwhile, and ends at once."""
    _, middle = mix(host, {"search": trickle}, timeout="60s")
    with middle:
        host.set_shadow("ann", 2, 0)
        follower = Follower(host, ready=False)
        wait_until(lambda: MUST in host.states("ann"), seconds=30,
                   what="the local account to be published")
        ticks = cpu(follower.process.pid)
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 2, what="two seconds")
        used = (cpu(follower.process.pid) - ticks) / os.sysconf("SC_CLK_TCK")
        assert used < 0.2 * (time.monotonic() - began), "it waits, not spins"
        follower.process.send_signal(signal.SIGTERM)
        assert follower.process.wait(timeout=20) == 0


def cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    return int(fields.split()[11]) + int(fields.split()[12])


@needs_slapd
def test_a_slow_backend_comes_in(host):
    """It is waited for, after the others were published."""
    release = threading.Event()

    def late(middle, client, server, request):
        release.wait(30)
        server.sendall(request.data)

    server, middle = mix(host, {"search": late}, timeout="60s")
    with middle:
        lock(server, "u0")
        host.set_shadow("ann", 2, 0)
        process = host.start(["selfreset-publish", "--verbose"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: MUST in host.states("ann"), seconds=60,
                   what="the local account to be published")
        assert host.states("u0") == {OK}, "as it was"
        release.set()
        output, errors = process.communicate(timeout=30)
        assert process.returncode == 0, errors
        assert output.count(b"published: ") == 1
        assert host.states("u0") == {LOCKED}
        assert MUST in host.states("ann")


@needs_slapd
def test_a_reader_is_killed(host):
    """A crash of what reads one backend costs that backend's news only."""
    server, middle = mix(host, {"search": trickle}, timeout="60s")
    with middle:
        lock(server, "u0")
        host.set_shadow("ann", 2, 0)
        process = host.start(["selfreset-publish"], stderr=subprocess.PIPE)
        children = pathlib.Path(
            f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: children.read_text().strip(), what="the reader")
        os.kill(int(children.read_text().split()[0]), signal.SIGSEGV)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 8, errors
        assert b'"corp" cannot be asked: the process that reads it has ended' \
            in errors
        assert host.states("u0") == {OK} and MUST in host.states("ann")


# ---- names

@needs_slapd
def test_names_that_cannot_be_published(host):
    """They are counted and named, and cost nothing but themselves."""
    users = people("u0", "a/b", "c:d", "t\tb", "de\u202el",
                   *(f"x/{n}" for n in range(38)))
    serve(host, users, names=("u0",))
    done = host.run("selfreset-publish")
    assert done.returncode == 8
    assert 'The account "a/b" is left out: its name cannot be published.' in \
        done.stderr or 'The account "x/0" is left out' in done.stderr
    assert '42 accounts of "corp" are left out' in done.stderr
    assert done.stderr.count("is left out:") == 20
    assert host.states("u0") == {OK}
    # Where the name service has them all the same, no rule lets them in by a
    # group that they are not in.
    with open("/etc/passwd", "a", encoding="ascii") as passwd:
        passwd.write("a/b:x:7001:7001::/:/bin/sh\n")
    assert host.states("a/b") == {UNKNOWN}
    (PUBLISHED / "groups.snap").unlink()
    assert host.states("a/b") == {UNKNOWN}


@needs_slapd
def test_other_spellings(host):
    """The name service's spelling has the state; another one is unknown; a
    name that no directory has is in no group."""
    server = serve(host, people("Bob", "eve"), names=("Bob", "eve"))
    with open("/etc/passwd", "a", encoding="ascii") as passwd:
        passwd.write("bob2:x:7500:7500::/:/bin/sh\n")
        # Spellings under which the name service might show accounts.
        for name, uid in (("bob", 7000), ("Bob@corp", 7000), ("EVE", 7001),
                          ("CORP\\eve", 7001), ("CORP+eve", 7001),
                          ("other", 7600)):
            passwd.write(f"{name}:x:{uid}:{uid}::/:/bin/sh\n")
    lock(server, "Bob")
    host.publish()
    assert host.states("eve") == {OK}
    for name in ("bob", "Bob@corp", "EVE", "CORP\\eve", "CORP+eve"):
        assert host.states(name) == {UNKNOWN}, name
    assert host.states("other") == set() and host.states("bob2") == set()
    # The alias of an account that comes by a delta comes with it.
    follower = Follower(host)
    with open("/etc/passwd", "a", encoding="ascii") as passwd:
        passwd.write("NEW:x:6999:6999::/:/bin/sh\n")
    assert host.states("NEW") == set()
    add(server, {**people("new")[0], "uidNumber": 6999})
    seen(lambda: host.states("NEW") == {UNKNOWN})
    remove(server, "new")
    seen(lambda: shadow(host, "new") is None)
    follower.stop()
    assert dn_of("new")


@needs_slapd
def test_check_reads_what_publish_reads(host):
    """A server that gives an administrator's search everything, and a reading
    of all accounts only a part, is told of."""
    users = people(*(f"u{number}" for number in range(1100)), "a/b")
    server = serve(host, users, names=("u0",), more=UNLIMITED)
    said = host.run("selfresetctl", "check", "--backend", "corp").stdout
    assert "cannot read all accounts" not in said
    assert "The name of an account cannot be published" in " ".join(
        said.split()) and "a/b" in said
    server.stop()
    config = server.dir / "slapd.conf"
    config.write_text(config.read_text().replace("size=unlimited", LIMITED))
    server.start()
    done = host.run("selfresetctl", "check", "--backend", "corp")
    assert done.returncode == 2
    assert "selfreset-publish cannot read all accounts" in \
        " ".join(done.stdout.split())


@needs_slapd
@pytest.mark.parametrize("spelled", ["bob", "Bob@corp.example"])
def test_the_name_of_the_name_service(host, spelled):
    """Accounts are published under pw_name: by a run, by --follow, and by
    --user, whatever is typed."""
    (RUN / "spellings").write_text(
        f"Bob {spelled} 7000\n{spelled} {spelled} 7000\nBOB {spelled} 7000\n")
    server = serve(host, people("Bob"))
    host.nsswitch(passwd="files leaky", group="files selfreset",
                  shadow="files selfreset")
    with host.leaky_module():
        host.publish()
        assert host.states(spelled) == {OK}
        assert host.states("BOB") == {UNKNOWN}, "id asks for what was typed"
        assert shadow(host, spelled) is not None
        lock(server, "Bob")
        done = host.run("selfreset-publish", "--user", "BOB")
        assert done.returncode == 0, done.stderr
        assert host.states(spelled) == {LOCKED}
        unlock(server, "Bob")
        follower = Follower(host)
        assert host.states(spelled) == {OK}
        lock(server, "Bob")
        seen(lambda: host.states(spelled) == {LOCKED})
        remove(server, "Bob")
        seen(lambda: host.states(spelled) == set(), seconds=ASKED)
        follower.stop()
    (RUN / "spellings").unlink()
