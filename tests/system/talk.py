"""Dialogues: a person at a terminal, who reads and types.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import re
import time

import pexpect

from scratch import ahead_prefix

TIMEOUT = 60

# The prompts, as patterns.
PASSWORD = r"(?i)password: "
CURRENT = r"(?i)current[^:\n]*password: "
NEW = r"(?i)\bnew password: "
AGAIN = r"(?i)(again|retype|repeat)[^:\n]*: "


class Terminal(pexpect.spawn):
    """A program on a terminal, which may leave it for a moment: util-linux's
    login hangs it up before it takes it."""

    # Were it set, isalive() would wait for the end of the program.
    flag_eof = property(lambda self: False, lambda self, value: None)

    def read_nonblocking(self, size=1, timeout=-1):
        end = time.monotonic() + TIMEOUT
        while True:
            try:
                return super().read_nonblocking(size, timeout)
            except pexpect.EOF:
                if not self.isalive() or time.monotonic() > end:
                    raise
            time.sleep(0.01)  # nothing tells when it is taken again

    def close(self, force=True):
        """As pexpect's, which sleeps before it looks."""
        process = self.ptyproc
        process.delayafterclose = 0
        process.fileobj.close()
        end = time.monotonic() + 0.1
        while process.isalive() and time.monotonic() < end:
            time.sleep(0.002)
        super().close(force)


class Talk:
    """A program on a terminal.  What it shows is kept in `seen`."""

    def __init__(self, command, *, ahead=0, user=None, login_uid=None,
                 echo=None, env=None):
        command = [*ahead_prefix(ahead), *map(str, command)]
        self.seen = ""
        self.echo = echo
        self.child = Terminal(
            command[0], command[1:], timeout=TIMEOUT, encoding="utf-8",
            codec_errors="replace", dimensions=(50, 200),
            preexec_fn=lambda: become(user, login_uid), env=env)
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

    def until(self, *texts):
        """Read until one of the texts (regular expressions) is shown; the
        answer is what was shown up to it, and it."""
        try:
            self.child.expect([*texts, pexpect.EOF])
        except pexpect.TIMEOUT:
            self.note(self.child.before)
            raise AssertionError(
                f"expected {texts!r}, and saw:\n{self.seen}") from None
        ended = self.child.after is pexpect.EOF
        shown = self.child.before + ("" if ended else self.child.after)
        self.note(shown)
        if ended:
            raise AssertionError(
                f"expected {texts!r}, and it ended after:\n{self.seen}")
        return squeeze(shown)

    def note(self, text):
        text = text if isinstance(text, str) else ""
        self.seen += text
        if self.echo is not None:
            self.echo.shown(text)

    def type(self, line):
        if self.echo is not None:
            self.echo.typed(line)
        self.child.sendline(line)

    def answer(self, prompt, line):
        """Wait for a prompt and answer it; the answer is what was shown."""
        shown = self.until(prompt)
        self.type(line)
        return shown

    def change(self, new, old=None):
        """The dialogue of a change, to the end."""
        if old is not None:
            self.answer(CURRENT, old)
        self.answer(NEW, new)
        self.answer(AGAIN, new)
        return self.rest()

    def rest(self):
        """Read to the end; the answer is what was still shown."""
        try:
            self.child.expect(pexpect.EOF)
        except pexpect.TIMEOUT:
            self.note(self.child.before)
            raise AssertionError(
                f"expected an end, and saw:\n{self.seen}") from None
        self.note(self.child.before)
        self.child.close()
        return squeeze(self.child.before)

    @property
    def status(self):
        self.child.close()
        return self.child.exitstatus


def squeeze(text):
    """Words with single spaces, as a person reads them."""
    return re.sub(r"\s+", " ", text)


def become(user, login_uid):
    """In the child: the login uid of a session, and the ids of its user."""
    if login_uid is not None:
        with open("/proc/self/loginuid", "w", encoding="ascii") as out:
            out.write(str(login_uid))
    if user is not None:
        os.setgroups([])
        os.setgid(user.uid)
        os.setuid(user.uid)
        os.chdir("/")
