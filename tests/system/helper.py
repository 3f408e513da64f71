"""selfreset-helper for the tests: started as on a host without systemd, and
spoken to by a client of the tests' own.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import os
import signal
import socket
import struct
import subprocess

from scratch import RUNDIR, wait_until

SOCKET = RUNDIR / "helper"
DIALOGUES = RUNDIR / "dialogues"
VERSION = 1
HELLO, CALL, ANSWER, SAY, ASK, END, REFUSE, FLOW = range(1, 9)
AUTH, CRED, ACCOUNT, PASSWORD, OPEN, CLOSE = range(6)
NUMBERS = {"version": 1, "call": 2, "flags": 3, "code": 4, "style": 5,
           "delay": 6}
TEXTS = {"text": 16, "argument": 17, "service": 18, "user": 19, "rhost": 20,
         "ruser": 21, "tty": 22, "terminal": 23, "authtok": 24,
         "oldauthtok": 25, "variable": 26, "locale": 27, "language": 28}
NAMES = {number: name for name, number in {**NUMBERS, **TEXTS}.items()}


def listens():
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        return probe.connect_ex(str(SOCKET)) == 0


def start(host, wrap=()):
    """A helper that listens; the answer is its process."""
    process = host.start([*wrap, "selfreset-helper", "--listen"],
                         stdin=subprocess.DEVNULL)
    wait_until(lambda: SOCKET.is_socket() and listens(), what="the helper")
    probe = Client()  # the one before has its process now, too
    probe.socket.send(b"?")
    assert probe.receive() is None
    probe.close()
    wait_until(lambda: not children(process), what="the end of these")
    return process


def stop(host, process):
    process.terminate()
    assert process.wait(10) == 0
    host.running.remove(process)
    assert not SOCKET.exists()


def field(tag, value):
    if isinstance(value, int):
        return struct.pack("<BHI", tag, 4, value)
    data = value if isinstance(value, bytes) else value.encode() + b"\0"
    return struct.pack("<BH", tag, len(data)) + data


def message(kind, **fields):
    data = bytes([kind])
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            data += field(NUMBERS.get(name) or TEXTS[name], one)
    return data


def parse(data):
    """Kind and fields of a message."""
    fields, at = {}, 1
    while at < len(data):
        tag, length = struct.unpack_from("<BH", data, at)
        value = data[at + 3:at + 3 + length]
        fields[NAMES[tag]] = (value[:-1].decode() if tag >= 16
                              else struct.unpack("<I", value)[0])
        at += 3 + length
    return data[0], fields


class Client:
    """A connection made by a process of `user` (None: root)."""

    def __init__(self, user=None, path=SOCKET):
        self.socket = connect(user, path)
        self.socket.settimeout(30)

    def send(self, kind, **fields):
        self.socket.send(message(kind, **fields))

    def receive(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:  # it left something unread
            data = self.socket.recv(65536)
        return parse(data) if data else None

    def call(self, call=AUTH, **fields):
        self.send(HELLO, version=VERSION)
        self.send(CALL, call=call, flags=0, service="probe", **fields)

    def rest(self):
        """All messages to the end of the call or of the connection."""
        got = []
        while True:
            one = self.receive()
            got.append(one)
            if one is None or one[0] in (END, REFUSE, ASK):
                return got

    def close(self):
        self.socket.close()


def flow(name, user=None, **fields):
    """A client that has asked for a dialogue of self-service reset."""
    client = Client(user, DIALOGUES)
    with contextlib.suppress(BrokenPipeError):  # one that is refused at once
        client.send(HELLO, version=VERSION)
        client.send(FLOW, text=name, **fields)
    return client


@contextlib.contextmanager
def as_user(user):
    if user is None:
        yield
        return
    os.setegid(user.uid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def connect(user=None, path=SOCKET):
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with as_user(user):
        made.connect(str(path))
    return made


def children(process):
    """The processes of the connections of a helper that listens."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as text:
        return [int(pid) for pid in text.read().split()]


def kill_children(process):
    """Those that have not ended by themselves meanwhile."""
    for pid in children(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def memory_has(pid, secret, part=""):
    """Whether it is anywhere in the memory of a process, or in the part of that
    name, such as "[heap]"."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem",
                                                 "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            first, last = (int(end, 16) for end in span.split("-"))
            if "r" not in rights or "[v" in line or part not in line:
                continue
            try:
                memory.seek(first)
                if secret.encode() in memory.read(last - first):
                    return True
            except OSError:
                continue
    return False


def waits_for(pid):
    """Milliseconds that a process waits in poll(2) or ppoll(2) at most; 0: it
    does not wait."""
    with open(f"/proc/{pid}/syscall") as text:
        fields = text.read().split()
    limit = int(fields[3], 16) if len(fields) > 3 else 0
    if limit < 1 << 31:
        return limit
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:  # a struct timespec
        memory.seek(limit)
        seconds, nanoseconds = struct.unpack("@ll", memory.read(16))
    return seconds * 1000 + nanoseconds // 1000000
