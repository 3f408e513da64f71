"""A real screen locker on a virtual display: i3lock, which has no right but its
user's, verifies through selfreset-helper.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import pathlib
import subprocess

import pytest

import helper
from scratch import end_group, wait_until

OLD = "correct horse battery"


def locker_program(host):
    """Where the package is not installed, tests/run has unpacked it."""
    return next(root / "usr/bin/i3lock" for root in
                (pathlib.Path("/"), host.build.parent / "lockers")
                if (root / "usr/bin/i3lock").exists())


@pytest.fixture(scope="module")
def display():
    """A display, as the value of DISPLAY."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-ac", "-noreset", "-nolisten", "tcp",
         "-screen", "0", "640x480x24"],
        pass_fds=[write], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True)
    os.close(write)
    with open(read) as answer:
        number = answer.readline().strip()
    assert number.isdigit(), "Xvfb has ended"
    yield f":{number}"
    end_group(server)


class Locked:
    """A screen that `user` has locked."""

    def __init__(self, host, display, user):
        self.host, self.display = host, display
        self.process = host.start(
            [str(locker_program(host)), "--nofork", "--no-unlock-indicator"],
            env={**os.environ, "DISPLAY": display, "HOME": "/"},
            user=user.uid, group=user.uid, extra_groups=[],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until(self.has_keyboard, what="the locked screen")

    def xdotool(self, *command, **options):
        return self.host.run("xdotool", *command,
                             env={**os.environ, "DISPLAY": self.display},
                             **options)

    def has_keyboard(self):
        """The locker has mapped its window, and has the keyboard: nobody else
        can take it."""
        assert self.process.poll() is None, "the locker has ended"
        return self.xdotool("search", "--class", "i3lock").stdout != ""

    def type(self, password):
        self.xdotool("type", "--delay", "1", "--file", "-", input=password)
        self.xdotool("key", "Return")

    def is_open(self):
        return self.process.poll() == 0


@pytest.fixture
def locked(host, display):
    host.service("i3lock", "auth required pam_selfreset.so\n")
    host.configure(lockout={"attempts": 3})

    def lock(user):
        return Locked(host, display, user)
    return lock


def attempts(host, event):
    return [line for line in host.log.all()
            if event in line and "i3lock" in line]


def test_right_and_wrong(host, locked):
    ann = host.add("ann", OLD)
    helper.start(host)
    screen = locked(ann)
    screen.type("no")
    wait_until(lambda: attempts(host, "wrong-password"), what="a refusal")
    assert not screen.is_open()
    screen.type(OLD)
    wait_until(screen.is_open, what="the open screen")


def test_guesses_are_counted(host, locked):
    """And a lockout stops the right password, too."""
    ann = host.add("ann", OLD)
    helper.start(host)
    screen = locked(ann)
    for number in range(1, 4):
        screen.type("no")
        wait_until(lambda: len(attempts(host, "wrong-password")) == number,
                   what="a refusal")
    screen.type(OLD)
    wait_until(lambda: attempts(host, "refused-locked"), what="a refusal")
    assert not screen.is_open()
    host.run("selfresetctl", "unlock", "ann")
    screen.type(OLD)
    wait_until(screen.is_open, what="the open screen")


def test_a_helper_that_was_away(host, locked):
    ann = host.add("ann", OLD)
    screen = locked(ann)
    screen.type(OLD)
    wait_until(lambda: attempts(host, "SR-3212"), what="a refusal")
    helper.start(host)
    screen.type(OLD)
    wait_until(screen.is_open, what="the open screen")
