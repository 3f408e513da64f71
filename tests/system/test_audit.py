"""What an administrator reads of us in the audit log: the records as they are
sent to the kernel, and what ausearch(8) makes of them.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import pathlib
import re

import pytest

from scratch import RUN

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
PEER = "192.0.2.7"
TRACE, LOG = RUN / "audit.trace", RUN / "audit.log"
# The types of records that are sent, by their numbers in libaudit.h.
TYPES = {1100: "USER_AUTH", 1102: "USER_MGMT", 1108: "USER_CHAUTHTOK",
         1136: "ACCT_UNLOCK", 2100: "ANOM_LOGIN_FAILURES"}
# libpam sends records of its own.
SENT = re.compile(r'nlmsg_type=(\w+)[^}]*\}, "((?:[^"\\]|\\.)*)"')
OURS = "op=selfreset:"


def ausearch(host):
    return next(str(path) for root in (pathlib.Path("/"),
                                       host.build.parent / "audit")
                for path in (root / "sbin/ausearch", root / "usr/sbin/ausearch")
                if path.exists())


@contextlib.contextmanager
def traced():
    """A command prefix; the records of the command are then in LOG, as the
    kernel and auditd write them."""
    yield ["strace", "-f", "-o", TRACE, "-e", "trace=sendto", "-s", "9000"]
    lines = []
    for kind, text in SENT.findall(TRACE.read_text()):
        text = text.encode().decode("unicode_escape").rstrip("\0")
        if not text.startswith(OURS):
            continue
        kind = TYPES.get(int(kind, 0)) if kind[0].isdigit() else \
            kind.removeprefix("AUDIT_")
        lines.append(f"type={kind} msg=audit(1700000000.000:{len(lines) + 1}): "
                     "pid=71 uid=0 auid=4294967295 ses=4294967295 "
                     f"msg='{text}'\n")
    LOG.write_text("".join(lines))


def told(host):
    """What is told of the records, without times and programs."""
    done = host.run(ausearch(host), "-if", LOG, "--format", "text")
    lines = [re.search("acting as root, (.*?)(?: using .*)?$", line)[1]
             for line in done.stdout.splitlines()]
    assert lines, (done, LOG.read_text(), TRACE.read_text())
    assert "did-unknown" not in done.stdout
    return lines


CASES = {
    "lockout": (["auth"] * 3, ["no"] * 3, [
        "successfully failed-log-in-too-many-times-to ann"]),
    "change": (["chauthtok"], [OLD, FRESH, FRESH], [
        "successfully changed-password ann"]),
    "wrong current password": (["chauthtok"], ["no"], [
        "unsuccessfully authenticated ann"]),
    "short password": (["chauthtok"], [OLD, "short", "", ""], [
        "unsuccessfully changed-password ann"]),
}


@pytest.mark.parametrize("case", CASES)
def test_who_and_what(host, case):
    steps, answers, wanted = CASES[case]
    host.configure(lockout={"attempts": 3})
    ann = host.add("ann", OLD)
    with traced() as wrap:
        host.drive("probe", "ann", *steps, answers=answers, rhost=PEER,
                   wrap=wrap, **({} if "auth" in steps else
                                 {"real_uid": ann.uid}))
    lines = told(host)
    assert set(wanted) <= set(lines), lines
    assert all(line.split()[-1] == "ann" for line in lines), lines


def test_of_the_tools(host):
    host.add("ann", OLD)
    for command, wanted in (
            (["must-change", "ann"], "successfully modified-user-account ann"),
            (["temporary", "ann"], "successfully modified-user-account ann")):
        with traced() as wrap:
            done = host.run(*wrap, "selfresetctl", *command)
        assert done.returncode == 0, done
        assert wanted in told(host)
    host.configure(lockout={"attempts": 1})
    host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    with traced() as wrap:
        host.run(*wrap, "selfresetctl", "unlock", "ann")
    assert told(host) == ["successfully unlocked-account ann"]


def test_a_source_has_no_account(host):
    host.configure(lockout={"attempts": 9, "source_attempts": 2})
    with traced() as wrap:
        host.drive("probe", "nobody-here", *["auth"] * 3, answers=["no"] * 3,
                   rhost=PEER, wrap=wrap)
    assert "failed-log-in-too-many-times-to" in "".join(told(host))
    assert f"addr={PEER}" in LOG.read_text()
