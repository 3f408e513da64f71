"""Prompts and texts as programs meet them: patterns of those that answer the
prompts of passwd and of a forced change, and conversations that show each text
by itself or put words before it.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import re

import pexpect
import pytest

from scratch import ETC
from talk import Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"

# What programs wait for at the prompts of passwd(1) and of a forced change:
# for the current password, the new one, and the new one again.
PATTERNS = {
    # cockpit's dialog for the own password, as its bridge runs passwd.
    "cockpit": (r"(?i)current.*password: $", r"(?i).*new password: $",
                r"(?i).*retype new password: $"),
    # The dialogs of GNOME's and MATE's settings look for these words.
    "gnome": (r"(?i)current ", r"(?i)new (unix |)password",
              r"(?i)(retype|re-enter|again).*password"),
    "mate": (r"assword: ", r"assword: ", r"assword: "),
    # ansible's module expect, as its examples are written.
    "ansible": (r"(?i)current password", r"(?i)^new password|\nnew password",
                r"(?i)retype new password"),
    # pexpect's own example of passwd, and scripts of expect(1).
    "pexpect": (r"[Cc]urrent.*[Pp]assword", r"[Nn]ew [Pp]assword",
                r"[Rr]etype new [Pp]assword"),
    # netmiko's and similar libraries' pattern for anything secret.
    "netmiko": (r"(?i)password:\s*$", r"(?i)password:\s*$",
                r"(?i)password:\s*$"),
}


def answer_all(child, patterns, answers):
    child.delaybeforesend = None
    for pattern, answer in zip(patterns, answers):
        child.expect(pattern)
        child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


@pytest.mark.parametrize("program", PATTERNS)
def test_passwd(host, program):
    ann = host.add("ann", OLD)

    def become():
        os.setgroups([])
        os.setgid(ann.uid)
        os.setuid(ann.uid)

    child = pexpect.spawn("passwd", timeout=10, encoding="utf-8",
                          preexec_fn=become)
    assert answer_all(child, PATTERNS[program], (OLD, FRESH, FRESH)) == 0
    assert host.has_password("ann", FRESH)


@pytest.mark.parametrize("program", PATTERNS)
def test_forced_by_sshd(host, program):
    """In the dialogue of keyboard-interactive: no current password is asked."""
    host.add("ann", OLD, changed=100, max=90)
    command = host.ssh_command("ann")
    child = pexpect.spawn(command[0], command[1:], timeout=10,
                          encoding="utf-8")
    child.expect("assword: ")
    child.sendline(OLD)
    assert answer_all(child, PATTERNS[program][1:], (FRESH, FRESH)) == 0
    assert host.has_password("ann", FRESH)


# ---- one text at a time

def segments(done):
    """The texts of each phase: from one prompt, or call, to the next."""
    texts, found = [], []
    for word, rest in done.lines:
        if word in ("info", "error"):
            texts.append(rest.replace("\\n", "\n"))
        elif word in ("prompt", "prompt-echo", "code"):
            found.append(texts)
            texts = []
    return found


def dialogues(host):
    """The longest ones."""
    ann = host.add("ann", OLD, changed=100, max=90)
    host.configure(lockout={"attempts": 3}, change={"tries": 2})
    yield host.drive("login", "ann", "auth", "acct", "change-expired",
                     answers=[OLD, "short", FRESH, "another", "ann"])
    yield host.drive("passwd", "ann", "chauthtok", real_uid=ann.uid,
                     answers=[OLD, "short", "x"])
    yield host.drive("passwd", "ann", "chauthtok", real_uid=ann.uid,
                     answers=["wrong"])
    yield host.drive("passwd", "ann", "chauthtok", answers=["short", "short"])
    for _ in range(3):
        yield host.drive("login", "ann", "auth", answers=["no"])
    yield host.drive("login", "ann", "auth", "acct", "open", answers=[OLD])


def test_one_text_for_a_phase(host):
    shown = [texts for done in dialogues(host) for texts in segments(done)]
    assert max(map(len, shown)) == 1, shown
    # All that there was to be said is in one of them.
    said = "\n".join(text for texts in shown for text in texts)
    for text in ("has expired", "Rules for new passwords", "do not match",
                 "No tries are left", "is not right", "Too many wrong"):
        assert text in said, said


def test_one_line_for_a_prompt(host):
    for done in dialogues(host):
        for prompt in done.prompts:
            assert "\n" not in prompt and prompt.endswith(": "), done
            assert prompt in ("Password: ", "Current password: ",
                              "New password: ", "Retype new password: ")


def test_texts_bear_a_prefix(host):
    """sudo-rs puts "[sudo: authenticate] " or the like before each text: its
    first line is a sentence, not an item of a list or the end of another."""
    for done in dialogues(host):
        for texts in segments(done):
            for text in texts:
                first = text.splitlines()[0]
                assert re.match(r"[A-Z]", first), text
                assert first[-1] in ".:", text
                assert len(f"[sudo: authenticate] {first}") <= 100
                assert not text.endswith("\n")
                # Scripts that wait for "password:" at the end of what they have
                # read so far.
                assert not re.search(r"(?im)password: *$", text), text


def test_silent(host):
    """As su-rs and sudo-rs, and sudo with pam_silent, call: a login says
    nothing, a change says what it asks for."""
    ann = host.add("ann", OLD, changed=100, max=90)
    done = host.drive("login", "ann", "auth", "acct", "change-expired",
                      answers=[OLD, "short", FRESH, FRESH], silent=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], done
    texts = segments(done)
    assert texts[:3] == [[], [], []], texts
    assert "Rules for new passwords" in texts[3][0], texts
    assert "characters" in texts[4][0], texts
    assert host.drive("passwd", "ann", "chauthtok", answers=["wrong"],
                      silent=True, real_uid=ann.uid).said.count("not right")
    host.configure(lockout={"attempts": 1})
    for password in ("no", FRESH):
        done = host.drive("login", "ann", "auth", answers=[password],
                          silent=True)
        assert (done.code, done.said) == ("AUTH_ERR", "")


def test_sudo_rs(host):
    """Its conversation, and itself where it is packaged (Debian 13)."""
    program = next((path for path in ("/usr/lib/cargo/bin/sudo",
                                      "/usr/bin/sudo-rs")
                    if os.path.exists(path)), None)
    ann = host.add("ann", OLD, groups=("wheel",))
    host.service("sudo-rs", (ETC / "pam.d/sudo").read_text())
    command = [program or "sudo", "id", "-un"]
    if program is None:
        # sudo itself, asked to put the same words before the prompt.
        command[1:1] = ["-p", "[sudo: authenticate] Password: "]
    for password, is_right in (("no", False), (OLD, True)):
        with Talk(command, user=ann) as talk:
            shown = talk.answer("assword: ", password)
            assert shown.strip().splitlines()[-1].startswith("[sudo")
            if is_right:
                assert "root" in talk.rest()
            else:
                talk.until("assword: ")
