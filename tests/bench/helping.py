"""The bench of selfreset-helper: a screen locker that verifies through it,
beside pam_unix, which runs unix_chkpwd; how soon it asks; what a conversation
that waits keeps in memory; and how soon resets are answered when all that may
run do so at once.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import concurrent.futures
import ctypes
import ctypes.util
import pathlib
import re
import shutil
import socket
import subprocess
import time

import helper
from scratch import COSTLY, Account, hash_password
from table import Figure

PASSWORD = "correct horse battery"
ROUNDS = 3
FLOWS = 64
LOCKER = 1.2   # to unix_chkpwd's way
START = 20     # milliseconds, besides those of an empty program
PRIVATE = 3.0  # MB of a conversation that waits
FLOOR = 2000   # milliseconds that an answer of a reset takes, lockout.delay
WITHIN = 1.05  # of these


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


class Reset:
    """A reset of its own; `took`: milliseconds to the last question."""

    def __init__(self, number):
        self.text, self.began = "", time.monotonic()
        self.client = helper.flow("reset", rhost=f"192.0.2.{number + 1}")
        self.read()

    def read(self):
        kind = helper.SAY
        while kind != helper.ASK:
            kind, fields = self.client.receive()
            self.text += fields.get("text", "") + "\n"
            assert kind in (helper.SAY, helper.ASK), self.text
        self.took = (time.monotonic() - self.began) * 1000

    def give(self, text):
        self.client.send(helper.ANSWER, text=text)
        self.began = time.monotonic()


def answer_all(resets, text):
    """All at the same time; how long the slowest took, milliseconds."""
    for one in resets:
        one.give(text(one))
    # Each notes when its answer is there, not when it is its turn.
    with concurrent.futures.ThreadPoolExecutor(len(resets)) as pool:
        list(pool.map(Reset.read, resets))
    return max(one.took for one in resets)


def hash_all():
    """As many hashes of the host's method at once, milliseconds."""
    setting = hash_password(PASSWORD, COSTLY).encode()
    crypt = ctypes.CDLL(ctypes.util.find_library("crypt")).crypt_r
    places = [ctypes.create_string_buffer(32768) for _ in range(FLOWS)]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(FLOWS) as pool:
        list(pool.map(lambda place: crypt(PASSWORD.encode(), setting, place),
                      places))
    return (time.monotonic() - began) * 1000


def number_of(one, words):
    return next(line.split()[0] for line in one.text.splitlines()
                if words in line)


def resets(bench, listener):
    """Names that nobody has are answered as others are."""
    bench.host.configure(lockout={"delay": "2s"},
                         reset={"enable": "yes", "classes": "app codes"})
    waiting = [Reset(number) for number in range(FLOWS)]
    what = f"the last of {FLOWS}: a "
    names = iter(f"nobody{number}" for number in range(FLOWS))
    bench.table.compare(what + "name; the floor",
                        round(answer_all(waiting, lambda _: next(names))),
                        FLOOR, WITHIN)
    most = max(private_megabytes(pid) for pid in helper.children(listener))
    bench.table.exact("MB of its own, each of these", round(most, 2), None,
                      PRIVATE)
    for one in waiting:
        one.give(number_of(one, "recovery codes"))
        one.read()
    # What is typed is hashed, which alone can take longer than the floor.
    hashes = hash_all()
    bench.table.compare(what + "code; floor or hashes",
                        round(answer_all(waiting,
                                         lambda _: "AAAAA-AAAAA-AAAAA")),
                        round(max(FLOOR, hashes, hash_all())), WITHIN)
    for one in waiting:
        one.client.close()


def helping(bench):
    program = shutil.which("selfreset-helper")
    user = Account("len", PASSWORD, uid=4100, cost=COSTLY)
    bench.host.add("len", PASSWORD, uid=user.uid, cost=COSTLY)
    listener = helper.start(bench.host)
    bench.table.title("a screen locker, right password, throttle on; peer: "
                      "pam_unix with unix_chkpwd")
    locker(bench, user)
    bench.table.title("selfreset-helper")
    start(bench, program)
    memory(bench, program)
    bench.table.title(f"{FLOWS} resets at once")
    resets(bench, listener)
    bench.host.stop_all()
