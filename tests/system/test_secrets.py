"""Secrets: no password stays in memory, a core, the log or the environment.

The driver is given passwords masked, and searches its own memory for them.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from scratch import RUN, guarded_stack, mask, stack
from talk import AGAIN, CURRENT, NEW, PASSWORD, Talk

# free(3) writes over the first bytes of what it is given, so what is searched
# for stands at the end of each password.
OLD = "this one will be found by its end: Qx7-of-the-old"
FRESH = "this one will be found by its end: Zk3-of-the-new"
WRONG = "this one will be found by its end: Wj5-of-a-wrong"


def tail(password):
    return password[-14:]


EXPIRED = {"changed": 100, "max": 90}

# The calls, the answers, and the password that must be gone after pam_end's
# forerunner: what the handle may hold on purpose is held masked.
STORIES = {
    "right": (["auth"], [OLD], OLD, {}),
    "right, account, session": (["auth", "acct", "cred", "open"], [OLD], OLD,
                                {}),
    "wrong": (["auth"], [WRONG], WRONG, {}),
    "unknown user": (["auth"], [WRONG], WRONG, {"user": "nobody-here"}),
    "forced change, old": (["auth", "acct", "change-expired"],
                           [OLD, FRESH, FRESH], OLD, EXPIRED),
    "forced change, new": (["auth", "acct", "change-expired"],
                           [OLD, FRESH, FRESH], FRESH, EXPIRED),
    "refused new": (["auth", "change-expired"],
                    [OLD, WRONG + "\x7f", "short", "x"], WRONG, EXPIRED),
    "given up": (["auth", "change-expired"], [OLD], OLD, EXPIRED),
    "mismatch": (["auth", "change-expired"], [OLD, FRESH, FRESH + "x"], FRESH,
                 EXPIRED),
}


@pytest.mark.parametrize("story", STORIES)
def test_memory_after_the_calls(host, story):
    steps, answers, marker, fields = STORIES[story]
    fields = dict(fields)
    user = fields.pop("user", "ann")
    host.add("ann", OLD, **fields)
    done = host.drive("probe", user, *steps, "search", answers=answers,
                      find=tail(marker))
    assert done.rest("searched") == ["clean"], done


def test_memory_after_an_owners_change(host):
    ann = host.add("ann", OLD)
    for marker in (OLD, FRESH):
        host.set_shadow("ann", 1, ann.shadow_line().split(":")[1])
        done = host.drive("probe", "ann", "chauthtok", "search",
                          real_uid=ann.uid, answers=[OLD, FRESH, FRESH],
                          find=tail(marker))
        assert done.codes == ["SUCCESS"]
        assert done.rest("searched") == ["clean"], done


def test_memory_with_guard_and_settle(host):
    host.service("probe", guarded_stack())
    host.add("ann", OLD)
    done = host.drive("probe", "ann", "auth", "acct", "search", answers=[OLD],
                      find=tail(OLD))
    assert done.rest("searched") == ["clean"], done


def core_of(pid):
    prefix = RUN / "core"
    subprocess.run(["gcore", "-a", "-o", str(prefix), str(pid)], check=True,
                   capture_output=True)
    path = pathlib.Path(f"{prefix}.{pid}")
    data = path.read_bytes()
    path.unlink()
    return data


def test_core_of_the_driver(host):
    host.add("ann", OLD, **EXPIRED)
    process = subprocess.Popen(
        host.drive_command("probe", "ann", "auth", "acct", "change-expired",
                           "pause", answers=[OLD, FRESH, FRESH]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("paused"):
            break
    core = core_of(process.pid)
    process.stdin.close()
    process.wait()
    assert "code change-expired PAM_SUCCESS\n" in lines
    assert mask(OLD).encode() in core, "this is not the core of the driver"
    assert tail(OLD).encode() not in core
    assert tail(FRESH).encode() not in core


def test_core_of_su_in_a_session(host):
    """su keeps its handle open while the session runs."""
    host.add("ann", OLD)
    bob = host.add("bob", "something else")
    with Talk(["su", "ann", "-c", "echo in; read x"], user=bob) as su:
        su.answer(PASSWORD, OLD)
        su.until("in")
        core = core_of(su.child.pid)
    assert b"pam_selfreset" in core
    assert tail(OLD).encode() not in core


def everything_visible():
    """The arguments and environments of all processes but the tests' own."""
    seen = b""
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        if int(path.name) in (os.getpid(), os.getppid()):
            continue
        for name in ("cmdline", "environ"):
            try:
                seen += (path / name).read_bytes()
            except OSError:
                continue
    return seen


def test_arguments_environment_and_log(host):
    host.add("ann", OLD, **EXPIRED)
    with Talk(host.ssh_command("ann", "env; sleep 1 & wait")) as ssh:
        ssh.answer(PASSWORD, WRONG)
        ssh.rest()
    with Talk(host.ssh_command("ann", "env; echo in; read x",
                               tty=True)) as ssh:
        ssh.answer(PASSWORD, OLD)
        ssh.answer(NEW, "annie")
        ssh.answer(NEW, FRESH)
        visible = everything_visible()
        ssh.answer(AGAIN, FRESH)
        shown = ssh.until(r"\bin\b")
        visible += everything_visible()
    for secret in map(tail, (OLD, FRESH, WRONG)):
        assert secret not in shown
        assert secret.encode() not in visible
        assert not host.log.with_text(secret)
    assert host.log.with_text("SR-"), "the events are not where we looked"
    for path in RUN.glob("sshd-*.log"):
        assert tail(OLD) not in path.read_text(errors="replace")


def test_arguments_and_log_of_passwd(host):
    ann = host.add("ann", OLD)
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW, FRESH)
        visible = everything_visible()
        talk.answer(AGAIN, FRESH)
        talk.rest()
    for secret in map(tail, (OLD, FRESH)):
        assert secret.encode() not in visible
        assert not host.log.with_text(secret)


def test_an_unknown_name_is_not_logged(host):
    """It may be a password, typed at the wrong prompt."""
    host.drive("probe", WRONG, "auth", "acct", answers=["x"],
               rhost="192.0.2.7")
    lines = [line for line in host.log.all() if "selfreset" in line]
    assert lines
    assert not [line for line in lines if tail(WRONG) in line]


@contextlib.contextmanager
def journalled():
    """The list is filled with the journal's records at the end."""
    path = pathlib.Path("/run/systemd/journal/socket")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    records = []
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
            journal.bind(str(path))
            path.chmod(0o666)
            yield records
            journal.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    records.append(journal.recv(65536))
    finally:
        shutil.rmtree("/run/systemd")


def test_the_journal_gets_records_instead(host):
    """Where the journal's socket is, events go there, and only there."""
    host.add("ann", OLD)
    with journalled() as records:
        host.drive("probe", "ann", "auth", answers=[WRONG], rhost="192.0.2.7")
        host.drive("probe", WRONG, "auth", answers=[OLD], rhost="192.0.2.7")
    assert [record for record in records if b"SELFRESET_ID=SR-2105" in record
            and b"SELFRESET_USER=ann" in record
            and b"SELFRESET_SOURCE=192.0.2.7" in record]
    assert not host.log.with_text("SR-")
    for record in records:
        assert b"found by its end" not in record


def test_the_record_of_passwd_names_the_terminal(host):
    ann = host.add("ann", OLD)
    with journalled() as records:
        with Talk(["passwd"], user=ann) as talk:
            talk.answer(CURRENT, WRONG)
            talk.rest()
    terminals = [re.search(rb"^SELFRESET_TERMINAL=(.*)$", record, re.M)
                 for record in records if b"SELFRESET_SERVICE=passwd" in record]
    assert terminals
    for terminal in terminals:
        assert re.fullmatch(rb"(/dev/)?pts/\d+", terminal[1]), records


# What is refused: the stack's argument, the steps, the answers, a field of
# shadow(5) and its value.
REFUSALS = {
    "no earlier password": ("use_first_pass", ["auth"], [], None),
    "wrong": ("", ["auth"], [WRONG], None),
    "ended": ("", ["acct"], [], (7, "1")),
    "lapsed": ("", ["acct"], [], (2, "1000")),
    "wrong current password": ("", ["chauthtok"], [WRONG], None),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_leaves_one_record_that_says_why(host, case):
    arguments, steps, answers, field = REFUSALS[case]
    ann = host.add("ann", OLD)
    if field == (2, "1000"):
        host.set_shadow("ann", 4, "90")
        host.set_shadow("ann", 6, "5")
    if field is not None:
        host.set_shadow("ann", *field)
    host.service("probe", stack(arguments))
    done = host.drive("probe", "ann", *steps, answers=answers,
                      rhost="192.0.2.7", real_uid=ann.uid)
    assert done.codes != ["SUCCESS"]
    lines = [line for line in host.log.with_text("SR-")
             if "result=failed" in line]
    assert len(lines) == 1 and "user=ann" in lines[0], (done, lines)


def test_the_store_holds_no_password(host):
    host.configure(password={"history": 5})
    ann = host.add("ann", OLD)
    host.drive("probe", "ann", "auth", answers=[WRONG])
    host.drive("probe", "ann", "chauthtok", real_uid=ann.uid,
               answers=[OLD, FRESH, FRESH])
    stored = b"".join(path.read_bytes() for path in
                      pathlib.Path("/var/lib/selfreset").rglob("*")
                      if path.is_file())
    assert len(stored) > 4096
    for secret in map(tail, (OLD, FRESH, WRONG)):
        assert secret.encode() not in stored
