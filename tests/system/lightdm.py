"""lightdm on a display without a screen, whose greeter is the test: a process
of lightdm's hands its pipes through.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import pathlib
import re
import shutil
import socket
import struct
import sys

from polkit import BUS, OPEN_BUS
from scratch import ETC, RUN, wait_until

FOLDER = RUN / "lightdm"
(CONNECT, AUTHENTICATE, _, ANSWER, START, CANCEL) = range(6)
PROMPT, END = 1, 2
SECRET, QUESTION, ERROR, INFO = range(1, 5)  # PAM's styles

RELAY = f"""#!{sys.executable}
import os, select, socket
made = socket.socket(socket.AF_UNIX)
made.connect("{FOLDER}/socket")
ways = {{int(os.environ["LIGHTDM_FROM_SERVER_FD"]): made.fileno(),
        made.fileno(): int(os.environ["LIGHTDM_TO_SERVER_FD"])}}
while True:
    for ready in select.select(list(ways), [], [])[0]:
        data = os.read(ready, 65536)
        if not data:
            raise SystemExit
        os.write(ways[ready], data)
"""
SERVER = """#!/bin/sh
exec Xvfb "$1" -nolisten tcp -ac
"""
CONFIG = f"""[LightDM]
greeters-directory={FOLDER}
sessions-directory={FOLDER}
minimum-display-number=77
lock-memory=false
log-directory={FOLDER}/log
run-directory={FOLDER}/run
cache-directory={FOLDER}/cache
[Seat:*]
xserver-command={FOLDER}/server
greeter-session=relay
allow-guest=false
session-wrapper=
"""
DESKTOP = f"""[Desktop Entry]
Type=Application
Name=relay
Exec={FOLDER}/relay
"""


def use_stacks(host, root):
    """lightdm's own service of the package, above the common files as the
    examples have them."""
    text = (pathlib.Path(__file__).parents[2] /
            "pam/examples/debian").read_text()
    for name, lines in re.findall(r"^# /etc/pam.d/(\S+)\n((?:[^#\n].*\n)+)",
                                  text, re.MULTILINE):
        host.service(name, lines)
    for name in ("lightdm", "lightdm-greeter"):
        shutil.copy2(root / "etc/pam.d" / name, ETC / "pam.d" / name)


class Lightdm:
    """One that runs, with its greeter."""

    def __init__(self, host):
        self.host, self.sequence = host, 0
        root = next(root for root in
                    (pathlib.Path("/"), host.build.parent / "lightdm")
                    if (root / "usr/sbin/lightdm").exists())
        use_stacks(host, root)
        host.add("lightdm")
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        for name in ("log", "run", "cache"):
            (FOLDER / name).mkdir()
        for name, text in (("relay", RELAY), ("server", SERVER),
                           ("relay.desktop", DESKTOP), ("conf", CONFIG)):
            (FOLDER / name).write_text(text)
            (FOLDER / name).chmod(0o755)
        self.start(root)

    def start(self, root):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(FOLDER / "socket"))
        listening.listen()
        listening.settimeout(60)
        (FOLDER / "socket").chmod(0o777)
        BUS.parent.mkdir(exist_ok=True)
        BUS.unlink(missing_ok=True)
        (FOLDER / "bus").write_text(OPEN_BUS)
        with open(FOLDER / "log/out", "wb") as log:
            self.host.start(["dbus-daemon", f"--config-file={FOLDER}/bus",
                             "--nofork"], stdout=log, stderr=log)
            wait_until(BUS.exists, what="the bus")
            self.process = self.host.start(
                [str(root / "usr/sbin/lightdm"), "--config", str(FOLDER / "conf"),
                 "--pid-file", str(FOLDER / "pid")], stdout=log, stderr=log,
                env={**os.environ,
                     "PATH": f"{root}/usr/sbin:{os.environ['PATH']}"})
        self.link, _ = listening.accept()
        self.link.settimeout(60)
        self.send(CONNECT, "1.26.0", 0, 1)
        self.receive()

    def send(self, kind, *fields):
        data = b"".join(
            struct.pack(">I", one) if isinstance(one, int) else
            struct.pack(">I", len(one.encode())) + one.encode()
            for one in fields)
        self.link.sendall(struct.pack(">II", kind, len(data)) + data)

    def receive(self):
        """Kind and bytes of a message."""
        kind, size = struct.unpack(">II", self.read(8))
        return kind, self.read(size)

    def read(self, size):
        data = b""
        while len(data) < size:
            got = self.link.recv(size - len(data))
            assert got, "the greeter has ended"
            data += got
        return data

    # ---- as Person.choose() wants it

    def authenticate(self, name):
        self.sequence += 1
        self.shown, self.asked, self.result = [], None, None
        self.send(AUTHENTICATE, self.sequence, name)
        self.go_on()
        return self

    def go_on(self):
        """Up to the next question, or the end: 0 or a PAM code."""
        self.asked = None
        while self.asked is None and self.result is None:
            kind, data = self.receive()
            numbers = data[:4], data[8 + int.from_bytes(data[4:8], "big"):]
            if int.from_bytes(numbers[0], "big") != self.sequence:
                continue
            rest = numbers[1]
            if kind == END:
                self.result = int.from_bytes(rest[:4], "big")
            elif kind == PROMPT:
                self.take(rest)

    def take(self, rest):
        at = 4
        for _ in range(int.from_bytes(rest[:4], "big")):
            style, size = struct.unpack_from(">II", rest, at)
            text = rest[at + 8:at + 8 + size].decode()
            at += 8 + size
            if style in (SECRET, QUESTION):
                self.asked = text
            else:
                self.shown.append((style, text))

    def answer(self, *answers):
        for answer in answers:
            assert self.asked is not None, (self.shown, self.result)
            self.send(ANSWER, 1, answer)
            self.go_on()
        return self

    @property
    def text(self):
        return "\n".join(text for _, text in self.shown)
