"""A machine that has booted: qemu, its serial console, and ssh.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))

from talk import Talk, squeeze  # noqa: E402

# Software emulation on a machine that does other things as well.
BOOT = 900
TIMEOUT = 300
WORDS = ("root=/dev/vda rw console=ttyS0 quiet loglevel=3 net.ifnames=0 "
         "security=selinux selinux=1 enforcing=1 audit=1 "
         "audit_backlog_limit=8192")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Console:
    """The serial line.  It is read all the time, since a machine stops that
    cannot write to it."""

    def __init__(self, pipe_in, pipe_out, log):
        self.input = pipe_in
        self.output = pipe_out
        self.log = log
        self.text = ""
        self.more = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with open(self.log, "wb", buffering=0) as log:
            while piece := self.output.read1(4096):
                log.write(piece)
                with self.more:
                    self.text += piece.decode(errors="replace")
                    self.more.notify_all()
        with self.more:
            self.output = None
            self.more.notify_all()

    def until(self, *patterns, timeout=TIMEOUT):
        """Read until one of the patterns is shown: what was shown up to it, and
        it; what comes after is kept."""
        end = time.monotonic() + timeout
        with self.more:
            while True:
                found = [one for one in (re.search(pattern, self.text)
                                         for pattern in patterns) if one]
                if found:
                    first = min(one.end() for one in found)
                    shown, self.text = self.text[:first], self.text[first:]
                    return squeeze(shown)
                left = end - time.monotonic()
                if left <= 0 or self.output is None:
                    raise AssertionError(f"expected {patterns!r}, and saw:\n"
                                         f"{self.text[-3000:]}")
                self.more.wait(left)

    def type(self, line):
        self.input.write(line.encode() + b"\n")
        self.input.flush()

    def answer(self, prompt, line, **options):
        shown = self.until(prompt, **options)
        self.type(line)
        return shown


class Machine:
    """One qemu, by software emulation: a kernel of Debian hangs where /dev/kvm
    is there without the processor's support.  The disk stays as it was."""

    LOGIN = r"(^|\n)\w+ login: "

    def __init__(self, files, disk, log):
        self.files = files
        self.key = files / "key"
        self.port = free_port()
        self.socket = f"{log}.ssh"
        self.errors = open(f"{log}.qemu", "wb")
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=1024",
             "-m", "2048", "-smp", "2", "-nodefaults", "-display", "none",
             "-kernel", files / "vmlinuz", "-initrd", files / "initrd.img",
             "-append", WORDS, "-serial", "stdio",
             "-drive", f"file={disk},if=virtio,format=raw,snapshot=on",
             "-device", "virtio-rng-pci", "-device", "virtio-net-pci,netdev=n0",
             "-netdev", "user,id=n0,restrict=on,"
             f"hostfwd=tcp:127.0.0.1:{self.port}-:22"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.console = Console(self.process.stdin, self.process.stdout, log)
        self.master = None

    def boot(self):
        began = time.monotonic()
        self.console.answer(self.LOGIN, "", timeout=BOOT)  # it asks again
        return time.monotonic() - began

    def stop(self):
        if self.master is not None:
            self.master.kill()
            self.master.wait()
        self.process.kill()
        self.process.wait()
        self.errors.close()

    # ---- ssh

    def ssh(self, user, *words, options=()):
        return ["ssh", "-F", "none", "-p", str(self.port),
                "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                "-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=120",
                *options, f"{user}@127.0.0.1", *words]

    def by_key(self, user, *words):
        return self.ssh(user, *words, options=(
            "-i", str(self.key), "-o", "BatchMode=yes",
            "-o", "PreferredAuthentications=publickey"))

    def run(self, command, user="root", code=0):
        """A command by key: what it has printed.  Root's commands share the
        connection that is there, if one is."""
        line = self.by_key(user, command)
        if user == "root" and self.master is not None:
            line[1:1] = ["-o", f"ControlPath={self.socket}"]
        done = subprocess.run(line, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT * 2, errors="replace",
                              check=False)
        assert code is None or done.returncode == code, (
            command, done.returncode, done.stdout)
        return done.stdout

    def share(self):
        """One connection for all of root's commands."""
        line = self.by_key("root", "echo ready; exec sleep infinity")
        line[1:1] = ["-o", "ControlMaster=yes",
                     "-o", f"ControlPath={self.socket}"]
        self.master = subprocess.Popen(line, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, text=True)
        assert self.master.stdout.readline() == "ready\n"

    def talk(self, user, *words):
        """A dialogue by keyboard-interactive, on a terminal."""
        return Slow(self.ssh(user, *words, options=(
            "-tt", "-o", "PubkeyAuthentication=no",
            "-o", "PreferredAuthentications=keyboard-interactive",
            "-o", "NumberOfPasswordPrompts=1")))

    def session(self, user, *words):
        """A command on a terminal, after a login by key."""
        return Slow(["ssh", "-tt", *self.by_key(user, *words)[1:]])

    def until(self, command, what, tries=60):
        """Root's command, until it succeeds."""
        shown = self.run(f"for i in $(seq {tries}); do {{ {command}; }} && "
                         "exit 0; sleep 1; done; exit 9", code=None)
        assert f"{what}" in shown, (command, shown)
        return shown


class Slow(Talk):
    """A dialogue with a slow machine."""

    def __init__(self, command):
        super().__init__(command)
        self.child.timeout = TIMEOUT
