"""A host of its own for the packages: a tree that debootstrap has made, with its
own mounts, processes and network.  Nothing of it is the machine's but the kernel
and the devices.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "system"))

from talk import Talk  # noqa: E402

# The first process: it takes up those that have lost their parent, and ends when
# its input does.
FIRST = r"""
set -e
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
mount -t tmpfs -o mode=755 tmpfs "$1/run"
mkdir -p "$1/old"
cd "$1"
pivot_root . old
umount -l /old
hostname tree
exec bash -c 'echo ready; read -r'
"""
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
               "TERM": "dumb", "LANG": "C.UTF-8"}


class Tree:
    """A running tree."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.first = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net",
             "--uts", "--ipc", "--propagation", "private", "bash", "-c", FIRST,
             "bash", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        assert self.first.stdout.readline() == "ready\n"
        parent = self.first.pid
        children = pathlib.Path(f"/proc/{parent}/task/{parent}/children")
        self.pid = int(children.read_text().split()[0])
        subprocess.run(["nsenter", "-t", str(self.pid), "-n", "ip", "link",
                        "set", "lo", "up"], check=True)
        self.shell("mkdir /run/sshd; echo 127.0.0.1 localhost tree >/etc/hosts")

    def stop(self):
        self.first.stdin.close()
        self.first.wait()

    def command(self, *words, env=None):
        """What runs in the tree, started from outside."""
        names = {**ENVIRONMENT, **(env or {})}
        return ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-u", "-i",
                "env", "-i", *(f"{name}={value}"
                               for name, value in names.items()),
                *map(str, words)]

    def run(self, *words, code=0, text=None, env=None):
        """Run it to its end: what it has printed."""
        done = subprocess.run(self.command(*words, env=env), text=True,
                              input=text or "", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        assert code is None or done.returncode == code, (
            words, done.returncode, done.stdout)
        return done.stdout

    def shell(self, script, **options):
        return self.run("bash", "-ec", script, **options)

    def start(self, *words):
        return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.STDOUT)

    def talk(self, *words):
        return Talk(self.command(*words))

    def inside(self, path):
        """A file of the tree, seen from outside."""
        return pathlib.Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")


class Here(Tree):
    """This machine itself."""

    def __init__(self):
        self.path = pathlib.Path("/")
        self.run("mkdir", "-p", "/run/sshd")

    def stop(self):
        pass

    def command(self, *words, env=None):
        names = {**ENVIRONMENT, **(env or {})}
        return ["env", "-i", *(f"{name}={value}"
                               for name, value in names.items()),
                *map(str, words)]

    def inside(self, path):
        return pathlib.Path(path)
