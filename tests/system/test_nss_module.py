"""The NSS module in processes in every condition: loaded by glibc, by dlopen
and by a static program, without descriptors or memory, in a chroot, without the
right to read.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import errno
import os
import pathlib
import shutil
import subprocess
import time

import pytest

DIR = pathlib.Path("/var/lib/selfreset-nss")
VIEWS = DIR / "v1"
NOBODY = 65534

MUST_CHANGE, EXPIRED, EXPIRING, LOCKED, OK, UNKNOWN = range(801, 807)
STATES = {"carol": ("ok", [OK]), "dave": ("expiring", [EXPIRING, OK]),
          "erin": ("expired", [EXPIRED, OK]), "frank": ("locked", [LOCKED]),
          "grace": ("must-change", [MUST_CHANGE, OK]),
          "root": ("exempt-locked", [OK])}


class Door:
    """The module, what it reads, and programs that ask it."""

    def __init__(self, host):
        self.drivers = host.build / "tests/driver"
        self.module = next((host.build / "stage").glob(
            "**/libnss_selfreset.so.2"))

    def write(self, *options, **states):
        VIEWS.mkdir(parents=True, exist_ok=True)
        accounts = states or {name: state for name, (state, _) in
                              STATES.items()}
        subprocess.run([self.drivers / "nsswrite", VIEWS,
                        *map(str, options),
                        *(f"{name}={state}" for name, state in
                          accounts.items())], check=True)

    def run(self, *steps, direct=False, static=False):
        """The answers, a list of words for each."""
        driver = "nssdrive-static" if static else "nssdrive"
        command = [self.drivers / driver]
        if direct:
            command += ["--module", self.module]
        environment = {**os.environ, "LD_LIBRARY_PATH": str(self.module.parent)}
        done = subprocess.run([*map(str, command), *steps], check=False,
                              env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (steps, done.stderr, done.stdout)
        return [line.split() for line in done.stdout.splitlines()]

    def ask(self, step, **how):
        (answer,) = self.run(step, **how)
        return answer[2:]


@pytest.fixture
def door(host):
    shutil.rmtree(DIR, ignore_errors=True)
    yield Door(host)
    shutil.rmtree(DIR, ignore_errors=True)


def groups(*numbers):
    return ["success", *map(str, numbers)]


BOTH = pytest.mark.parametrize("direct", [True, False],
                               ids=["dlopen", "glibc"])
ALL = pytest.mark.parametrize("how", [{"direct": True}, {}, {"static": True}],
                              ids=["dlopen", "glibc", "static"])


def days(ago):
    return int(time.time()) // 86400 - ago


@ALL
def test_answers(door, how):
    door.write()
    for name, (_, expected) in STATES.items():
        assert door.ask(f"groups:{name}", **how) == groups(*expected)
    entry = {name: door.ask(f"shadow:{name}", **how) for name in STATES}
    assert entry["carol"][0] == "success"
    fields = entry["carol"][1].split(":")
    assert fields[:2] == ["carol", "*"]
    assert int(fields[2]) in (days(60), days(61))
    assert entry["grace"][1].startswith("grace:*:0:")
    assert entry["frank"][1].split(":")[1] == "!"
    assert entry["frank"][1].split(":")[7] == "1"
    assert door.ask("shadow:heidi", **how) == ["notfound"]


@ALL
def test_credentials_never_hold_a_state(door, how):
    door.write()
    if how.get("direct"):
        for limit in (0, 1, 65536):
            assert door.ask(f"groups:carol:{limit}", **how) == ["notfound"]
    else:
        assert door.ask("own:carol", **how) == groups(12345)
        assert door.ask("groups:carol", **how) == groups(OK)


def test_credentials_cost_no_system_call(door):
    door.write()
    log = DIR / "trace"
    command = ["strace", "-f", "-o", log, door.drivers / "nssdrive", "--module",
               door.module, "fds", "groups:carol:65536", "groups:carol:0",
               "fds"]
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    calls = log.read_text().splitlines()
    last = [i for i, line in enumerate(calls) if "dup2(1023" in line]
    first = [i for i, line in enumerate(calls) if "dup2(0" in line]
    between = calls[last[0] + 1:first[1]]
    # The driver's own memory is all that it may have asked for.
    assert [line for line in between if " brk(" not in line] == []


@BOTH
def test_list(door, direct):
    door.write("--listed")
    lines = door.run("list", direct=direct)
    assert lines[-1] == ["list", "end", "notfound"]
    names = sorted(line[1].split(":")[0] for line in lines[:-1])
    assert names == sorted(STATES)
    door.write()
    assert door.run("list", direct=direct) == [["list", "end", "notfound"]]


def test_buffer_that_is_too_small(door):
    door.write()
    for size in range(8):
        assert door.ask(f"shadow:carol:{size}", direct=True) == [
            "tryagain", str(errno.ERANGE)]
    assert door.ask("shadow:carol:8", direct=True)[0] == "success"


@ALL
def test_nothing_to_believe(door, how):
    """Missing, old, from the future, damaged."""
    door.write()
    snapshots = [VIEWS / "groups.snap", VIEWS / "shadow.snap"]

    def expect_unknown(why):
        assert door.ask("groups:carol", **how) == groups(UNKNOWN)
        assert door.ask("groups:root", **how) == groups(OK)
        status = door.ask("shadow:carol", **how)
        # For glibc, a file that is missing is a name that is.
        assert status in (["unavail", str(why)], ["notfound"])
        assert status[0] == "unavail" or why == errno.ENOENT

    for ago in (86401, -400):
        door.write("--created", ago)
        expect_unknown(errno.ESTALE)
    door.write()
    for path in snapshots:
        with open(path, "r+b") as out:
            out.truncate(5000)
    expect_unknown(errno.EBADMSG)
    for path in snapshots:
        path.unlink()
    expect_unknown(errno.ENOENT)
    shutil.rmtree(DIR)
    assert door.ask("groups:carol", direct=True) == ["unavail",
                                                     str(errno.ENOENT)]


@BOTH
def test_no_descriptors_left(door, direct):
    door.write("--listed")
    steps = [f"{what}:{name}" for what in ("groups", "shadow")
             for name in (*STATES, "heidi")]
    (_, before), *_, (_, after) = door.run("fds", *steps, "list", "fds",
                                           direct=direct)
    assert before == after


@BOTH
def test_closed_descriptors(door, direct):
    door.write()
    assert door.run("close-fds", "groups:carol", "shadow:grace", "fds",
                    direct=direct)[0] == ["groups", "carol", *groups(OK)]


@BOTH
def test_no_descriptor_to_be_had(door, direct):
    door.write()
    # glibc takes one to load the module, so that is loaded before.
    answers = door.run("groups:carol", "limit:nofile=0", "groups:carol",
                       "groups:root", "shadow:carol", direct=direct)
    assert [answer[2:] for answer in answers[1:3]] == [groups(UNKNOWN),
                                                       groups(OK)]
    assert answers[3][2:] in (["tryagain", str(errno.EMFILE)],
                              ["unavail", str(errno.EMFILE)])


@BOTH
def test_little_address_space(door, direct):
    """Nothing is mapped, however large the snapshot."""
    door.write()
    with open(VIEWS / "groups.snap", "r+b") as out:
        out.truncate(1 << 32)
    answers = door.run("groups:carol", "limit:as=1000000", "groups:carol",
                       "mlockall", "groups:erin", direct=direct)
    assert answers[1][2:] == groups(OK)
    assert answers[2][2:] == groups(EXPIRED, OK)


def test_mlockall_before_the_module(door):
    door.write()
    assert door.ask("groups:carol") == groups(OK)
    assert door.run("mlockall", "groups:carol")[0][2:] == groups(OK)


@BOTH
def test_vfork_child(door, direct):
    door.write()
    child, parent = door.run("groups:carol", "ask-vfork:dave",
                             direct=direct)[1:]
    assert child == ["vfork", "dave", "2"]
    assert parent[2:] == groups(EXPIRING, OK)


@BOTH
def test_many_threads(door, direct):
    door.write()
    (answer,) = door.run("at-once:dave", direct=direct)
    assert answer[2:] == ["2"] * 8


def test_chroot(door):
    """After a chroot nothing is told that is not published in there, and a
    module first needed there is not found."""
    door.write()
    root = DIR / "root"
    root.mkdir()
    inside = door.run("groups:carol", f"chroot:{root}", "groups:carol",
                      "shadow:carol")
    assert [answer[2:] for answer in inside] == [
        groups(OK), ["success"], ["notfound"]]
    assert door.run(f"chroot:{root}", "groups:carol")[0][2:] == ["success"]
    shutil.copytree(VIEWS, root / VIEWS.relative_to("/"), symlinks=True)
    (answer,) = door.run("groups:carol", f"chroot:{root}",
                         "groups:carol")[1:]
    assert answer[2:] == groups(OK)


@BOTH
def test_who_may_not_read(door, direct):
    """Nothing at all is told, not even that the state is unknown."""
    door.write()
    (VIEWS / "groups.snap").chmod(0o640)
    (VIEWS / "shadow.snap").chmod(0o640)
    (VIEWS / "groups.d").chmod(0o750)
    load = ["groups:carol"]  # while the module can be read
    answers = door.run(*load, f"ids:{NOBODY}:{NOBODY}:{NOBODY}:100:100",
                       "groups:carol", "shadow:carol", direct=direct)[1:]
    nothing = ["notfound"] if direct else ["success"]
    assert [answer[2:] for answer in answers] == [nothing, ["notfound"]]


@BOTH
def test_set_id_programs(door, direct):
    """By the effective rights, as for any file: a setuid root program is told,
    and a setgid one, such as unix_chkpwd, what its group may read."""
    door.write()
    (VIEWS / "groups.snap").chmod(0o640)
    (VIEWS / "shadow.snap").chmod(0o640)
    os.chown(VIEWS / "shadow.snap", 0, 42)
    nothing = ["notfound"] if direct else ["success"]
    answers = door.run("groups:carol", f"ids:{NOBODY}:0:0:100:100",
                       "groups:carol", "shadow:frank", direct=direct)[1:]
    assert answers[0][2:] == groups(OK)
    assert answers[1][2] == "success"
    answers = door.run("groups:carol", f"ids:{NOBODY}:{NOBODY}:{NOBODY}:100:42",
                       "groups:carol", "shadow:frank", direct=direct)[1:]
    assert answers[0][2:] == nothing
    assert answers[1][2] == "success"
    answers = door.run("groups:carol", f"ids:0:{NOBODY}:0:100:100",
                       "groups:carol", "shadow:frank", direct=direct)[1:]
    assert [answer[2:] for answer in answers] == [nothing, ["notfound"]]


def test_deltas_that_cannot_be_read(door):
    """Who may read the snapshot and not what is newer is told nothing: a state
    that is past would be worse, and that it is unknown is not true."""
    door.write()
    with open(VIEWS / "groups.snap", "r+b") as out:
        size = (VIEWS / "groups.snap").stat().st_size
        for mark in range(4096 + 511, size, 512):
            out.seek(mark)
            out.write(b"\1")
    assert door.ask("groups:carol") == groups(OK)
    (VIEWS / "groups.d").chmod(0o700)
    answers = door.run("groups:carol", f"ids:{NOBODY}:{NOBODY}:{NOBODY}:100:100",
                       "groups:carol", direct=True)
    assert answers[1][2:] == ["notfound"]
