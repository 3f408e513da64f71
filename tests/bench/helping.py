"""The bench of selfreset-helper: a screen locker that verifies through it,
beside pam_unix, which runs unix_chkpwd; how soon it asks; and what a
conversation that waits keeps in memory.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import re
import shutil
import socket
import subprocess
import time

import helper
from scratch import COSTLY, Account
from table import Figure

PASSWORD = "correct horse battery"
ROUNDS = 3
FLOWS = 64
LOCKER = 1.2   # to unix_chkpwd's way
START = 20     # milliseconds, besides those of an empty program
PRIVATE = 3.0  # MB of a conversation that waits


def milliseconds(bench, service, user):
    """Of authenticate by a process of the user, as a locker is one."""
    done = bench.host.drive(service, user.name, "auth", uid=user.uid,
                            rounds=ROUNDS, answers=[PASSWORD] * ROUNDS)
    assert set(done.codes) == {"SUCCESS"}, done
    return [nanoseconds / 1e6 for nanoseconds in done.times]


def locker(bench, user):
    times = {"ours": [], "unix": []}
    for _ in range(bench.chunks(6, 20)):
        for service, values in times.items():
            values += milliseconds(bench, service, user)
    bench.table.compare("wall time", *(Figure(values, "ms")
                                       for values in times.values()), LOCKER)


def until_it_asks(program):
    """Started with a connection, as an init does it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    began = time.monotonic()
    process = subprocess.Popen([program], stdin=its)
    its.close()
    ours.send(helper.message(helper.HELLO, version=helper.VERSION))
    ours.send(helper.message(helper.CALL, call=helper.AUTH, flags=0,
                             service="ours", user="ann"))
    assert helper.parse(ours.recv(65536))[0] == helper.ASK
    took = time.monotonic() - began
    return took * 1000, process, ours


def nothing():
    began = time.monotonic()
    subprocess.run(["/bin/true"], check=True)
    return (time.monotonic() - began) * 1000


def start(bench, program):
    """The empty program's own time is the peer."""
    ours, peer = [], []
    for _ in range(bench.chunks(20, 60)):
        took, process, connection = until_it_asks(program)
        connection.close()
        process.wait()
        ours.append(took)
        peer.append(nothing())
    bench.table.compare("started, until it asks; an empty program",
                        Figure(ours, "ms"), Figure(peer, "ms"))
    bench.table.exact("milliseconds besides",
                      round(Figure(ours, "ms") - Figure(peer, "ms"), 1), None,
                      START)


def private_megabytes(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(number) for number in re.findall(
        r"^Private_(?:Clean|Dirty): +(\d+) kB", text, re.M)) / 1024


def memory(bench, program):
    waiting = [until_it_asks(program)[1:] for _ in range(FLOWS)]
    most = max(private_megabytes(process.pid) for process, _ in waiting)
    for process, connection in waiting:
        connection.close()
        process.wait()
    bench.table.exact(f"MB of its own, each of {FLOWS} that wait",
                      round(most, 2), None, PRIVATE)


def helping(bench):
    program = shutil.which("selfreset-helper")
    user = Account("len", PASSWORD, uid=4100, cost=COSTLY)
    bench.host.add("len", PASSWORD, uid=user.uid, cost=COSTLY)
    helper.start(bench.host)
    bench.table.title("a screen locker, right password, throttle on; peer: "
                      "pam_unix with unix_chkpwd")
    locker(bench, user)
    bench.table.title("selfreset-helper")
    start(bench, program)
    memory(bench, program)
    bench.host.stop_all()
