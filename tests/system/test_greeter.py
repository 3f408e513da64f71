"""A forgotten password at a display manager: the dialogue of a reset inside
authenticate, which ends refused, by the driver and by lightdm.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import os
import re
import signal
import socket
import subprocess
import threading

import pytest

import helper
import lightdm
from scratch import RUN, ahead_prefix, stack, wait_until
from test_reset import CODE, FRESH, OLD, Person, app_code, events

CLOSED = ["Password: "]  # what any other account is asked


class Greeter:
    """What a display manager does with one handle.  `shown` has its texts, of
    which `rounds` has those before each question."""

    def __init__(self, host, *steps, service="greeter", user="reset", **options):
        options = {"tty": ":0", "ask": True, **options}
        self.process = subprocess.Popen(
            host.drive_command(service, user, *(steps or ("auth",)), **options),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        host.running.append(self.process)
        self.shown, self.rounds, self.codes, self.prompts = [], [], [], []
        self.read()

    def read(self):
        self.asked, self.is_hidden = None, False
        self.rounds.append([])
        for line in self.process.stdout:
            word, _, text = line.rstrip("\n").partition(" ")
            if word in ("prompt", "prompt-echo"):
                self.asked, self.is_hidden = text, word == "prompt"
                self.prompts.append(text)
                return
            if word in ("info", "error"):
                self.shown.append((word, text.replace("\\n", "\n")))
                self.rounds[-1].append(self.shown[-1][1])
            if word == "code":
                self.codes.append(text.split()[1].removeprefix("PAM_"))
        self.process.wait(30)

    def answer(self, *answers):
        for answer in answers:
            assert self.asked is not None, (self.shown, self.codes)
            self.process.stdin.write(f"{answer}\n")
            self.process.stdin.flush()
            self.read()
        return self

    def leave(self):
        self.process.stdin.close()
        self.read()
        return self

    @property
    def text(self):
        return "\n".join(text for _, text in self.shown)


@pytest.fixture
def ann(host):
    """She has set up nothing yet."""
    host.service("greeter", stack())
    host.configure(reset={"enable": "yes", "new_gate_wait": "0",
                          "greeters": "greeter"})
    host.helper = helper.start(host)
    return Person(host)


def opens(host, password, **options):
    return host.drive(options.pop("service", "greeter"), "ann", "auth", "acct",
                      answers=[password], tty=":0", **options).codes


def prompts_of(host, **options):
    """Those of one who types nothing."""
    seen = Greeter(host, **options)
    return seen.leave().prompts


# ---- the whole way

def test_a_forgotten_password(host, ann):
    ann.enroll()
    seen = Greeter(host, "auth", "acct")
    assert "Reset or unlock a password on" in seen.text
    assert seen.asked == "User name: " and not seen.is_hidden
    seen.answer("ann")
    ann.choose(seen, "authenticator app")
    seen.answer("000 000")
    assert "Not accepted." in seen.rounds[-1][0]
    ann.choose(seen, "authenticator app", app_code(ann.key))
    ann.choose(seen, "recovery codes", ann.codes[3])
    assert seen.is_hidden and seen.asked == "New password: "
    assert "at least 15 characters" in seen.rounds[-1][0]
    seen.answer("short")
    assert re.search("\n- based on [^\n]* unrelated words\n", seen.rounds[-1][0])
    seen.answer(FRESH)
    assert seen.is_hidden
    seen.answer(FRESH)
    # What is to be written down waits until it was read.
    last = "Password changed. Now sign in as ann."
    assert seen.asked == "Press Enter to end. "
    assert seen.rounds[-1][0].endswith("\n" + last)
    assert CODE.search(seen.rounds[-1][0])[0] not in ann.codes
    assert host.has_password("ann", FRESH)
    seen.answer("")
    assert seen.rounds[-1] == [last, "This login can do nothing but reset a "
                               "forgotten password."]
    assert seen.codes == ["AUTH_ERR", "PERM_DENIED"]
    # One text before a question, of paragraphs without line breaks, and nothing
    # that a terminal would interpret.
    assert all(len(texts) <= 1 for texts in seen.rounds[:-1]), seen.rounds
    assert all(line[0] == " " or "\n" not in prompt
               for prompt in seen.prompts for line in [*seen.prompts, " "])
    assert not re.search(r"[^\S\n ]|[\x00-\x09\x0b-\x1f]", seen.text)
    assert opens(host, FRESH) == ["SUCCESS", "SUCCESS"]
    assert opens(host, OLD)[0] == "AUTH_ERR"
    done = events(host, "SR-1002")
    assert len(done) == 1 and "source=display:0" in done[0], done
    assert "(greeter:reset)" in done[0], done
    secrets = [FRESH, ann.key.replace(" ", ""), *ann.codes]
    assert not [line for line in host.log.all()
                for secret in secrets if secret in line]


def test_a_lockout_is_ended(host, ann):
    host.configure(lockout={"attempts": "2"}, reset={"gates": "1"})
    ann.enroll_codes()
    for _ in range(2):
        assert opens(host, "no")[0] == "AUTH_ERR"
    assert opens(host, OLD)[0] == "AUTH_ERR"
    seen = Greeter(host).answer("ann")
    ann.choose(seen, "recovery codes", ann.codes[0])
    ann.choose(seen, "keep the password")
    assert "is unlocked" in seen.rounds[-1][0]
    seen.answer("")
    assert seen.codes == ["AUTH_ERR"] and seen.shown[-1][0] == "info"
    assert opens(host, OLD) == ["SUCCESS", "SUCCESS"]


def test_what_is_shown_does_not_depend_on_the_name(host, ann):
    host.configure(reset={"classes": "codes ticket"})
    ann.enroll_codes()
    host.add("bob", OLD)
    said = set()
    for name in ("ann", "bob", "\x1b[2J"):
        seen = Greeter(host).answer(name)
        ref = re.search("Reference: ([0-9A-Z-]{9})", seen.text)[1]
        for _ in range(6):
            ann.choose(seen, "a ticket", "AAAAA-AAAAA")
        assert seen.shown[-1][1].endswith(f"give the reference {ref}.")
        seen.answer("")
        assert seen.shown[-1][0] == "error" and seen.codes == ["AUTH_ERR"]
        said.add(str((seen.rounds, seen.prompts)).replace(ref, "REF"))
    assert len(said) == 1, said
    assert events(host, "SR-1003") and host.has_password("ann", OLD)


def test_wrong_answers_are_counted(host, ann):
    """As in a reset by any other way, from the display."""
    for number in range(6):
        seen = Greeter(host).answer("ann") if number % 3 == 0 else seen
        ann.choose(seen, "authenticator app", "000000")
    assert "too many wrong answers" in seen.rounds[-1][0]
    locked = events(host, "SR-2202")
    assert locked and "source=display:0" in locked[0], host.log.all()[-5:]


# ---- an end at each step

def test_every_prompt_can_be_left_without_an_answer(host, ann):
    host.configure(reset={"gates": "1", "classes": "codes"})
    ann.enroll_codes()
    for step in range(5):
        for is_null in (True, False):
            answers = ["ann", "1", ann.codes.pop() if step > 2 and is_null
                       else "none", FRESH]
            if step > 2 and not is_null:
                continue
            done = host.drive("greeter", "reset", "auth", tty=":0",
                              answers=answers[:step], null_answer=is_null)
            assert done.codes == ["CONV_ERR"], (step, done)
            assert len(done.rest("unanswered")) == 1, done
    wait_until(lambda: not helper.children(host.helper),
               what="the end of the dialogues")
    assert host.has_password("ann", OLD)
    assert len(events(host, "SR-1003")) == 6  # the first two had no name yet


def test_a_program_that_answers_everything_comes_to_an_end(host, ann):
    """sddm, with the password that was typed."""
    seen = Greeter(host)
    while seen.asked:
        seen.answer("not a number")
    assert seen.codes == ["CONV_ERR"] and len(seen.prompts) < 100
    seen = Greeter(host)
    while seen.asked:
        seen.answer("")
    assert seen.codes == ["CONV_ERR"] and len(seen.prompts) < 100


def test_no_conversation_at_all(host, ann):
    assert host.drive("greeter", "reset", "auth",
                      no_conversation=True).codes == ["CONV_ERR"]


def test_texts_are_shown_to_a_program_that_wants_none(host, ann):
    seen = Greeter(host, silent=True)
    assert "Reset or unlock" in seen.text
    seen.leave()
    helper.stop(host, host.helper)
    assert "not available now" in Greeter(host, silent=True).text


# ---- the helper

def test_no_helper_listens(host, ann):
    helper.stop(host, host.helper)
    seen = Greeter(host)
    assert seen.codes == ["AUTHINFO_UNAVAIL"] and not seen.prompts
    assert [kind for kind, _ in seen.shown] == ["error"]
    assert "not available now" in seen.text
    assert events(host, "SR-3201")


def test_a_helper_that_dies_or_refuses(host, ann):
    seen = Greeter(host).answer("ann")
    helper.kill_children(host.helper)
    seen.answer("1")
    assert seen.codes == ["AUTHINFO_UNAVAIL"] and "cut off" in seen.text
    host.configure(reset={"enable": "no"})
    assert prompts_of(host) == CLOSED


def test_a_long_text_is_several_messages(host, ann):
    """By lines or by words, each within one of lightdm's; by a helper that says
    more at once than the real one."""
    helper.stop(host, host.helper)
    lines = "\n".join(f" {number % 10}  {'x' * 90}" for number in range(15))
    words = "word " * 300

    def talk():
        link, _ = listening.accept()
        for text in (lines, words):
            link.send(helper.message(helper.SAY, style=4, text=text))
        link.send(helper.message(helper.ASK, style=2, text="More? "))
        while helper.parse(link.recv(65536))[0] != helper.ANSWER:
            continue
        link.send(b"?")  # no message

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(helper.DIALOGUES))
        listening.listen()
        peer = threading.Thread(target=talk)
        peer.start()
        seen = Greeter(host)
        assert seen.asked == "More? "
        texts = seen.rounds[0]
        assert max(map(len, texts)) <= 900 and len(texts) < 6, texts
        assert "\n".join(texts).split() == (lines + " " + words).split()
        assert texts[0].endswith("x" * 90)
        seen.answer("no")
        peer.join()
    assert seen.codes == ["AUTHINFO_UNAVAIL"] and "cut off" in seen.text


def test_a_display_manager_ends_one_that_hangs(host, ann):
    seen = Greeter(host)
    for pid in helper.children(host.helper):
        os.kill(pid, signal.SIGSTOP)
    seen.process.stdin.write("ann\n")
    seen.process.stdin.flush()
    wait_until(lambda: helper.waits_for(seen.process.pid), what="its wait")
    seen.process.terminate()
    assert seen.process.wait(30) == -signal.SIGTERM
    helper.kill_children(host.helper)
    assert host.has_password("ann", OLD)


# ---- where it is not

def test_it_is_for_greeters_of_this_host_alone(host, ann):
    host.service("other-one", stack())
    assert prompts_of(host) == ["User name: "]
    assert prompts_of(host, service="other-one") == CLOSED
    assert prompts_of(host, user="Reset") == CLOSED
    assert prompts_of(host, rhost="192.0.2.7") == CLOSED
    assert prompts_of(host, rhost="host.example:0") == CLOSED
    assert prompts_of(host, rhost="localhost") == ["User name: "]
    assert prompts_of(host, real_uid=ann.account.uid) == CLOSED
    seen = Greeter(host, "pamenv:SSH_CONNECTION=192.0.2.7 1 192.0.2.1 22",
                   "auth")
    assert seen.leave().prompts == CLOSED
    assert not prompts_of(host, uid=ann.account.uid)  # only its own account
    # The account has no session there, however it was authenticated.
    done = host.drive("greeter", "reset", "acct", rhost="192.0.2.7")
    assert done.codes == ["PERM_DENIED"]
    assert events(host, "SR-3213")
    assert host.drive("greeter", "ann", "acct").codes == ["SUCCESS"]
    host.configure(reset={"greeters": ""})
    assert prompts_of(host) == CLOSED


def test_a_login_program_that_can_reach_nothing_else(host, ann):
    """As under SELinux: the dialogue needs the helper's socket only."""
    host.configure(reset={"gates": "1"})
    ann.enroll_codes()
    seen = Greeter(host, wrap=["unshare", "--mount", "sh", "-c",
                               "mount -t tmpfs none /var/lib && "
                               "mount -o remount,ro /var/lib && exec \"$@\"",
                               "sh"])
    assert len(helper.children(host.helper)) == 1  # and no call besides
    seen.answer("ann")
    ann.choose(seen, "recovery codes", ann.codes[0])
    seen.answer(FRESH, FRESH, "")
    assert seen.codes == ["AUTH_ERR"] and host.has_password("ann", FRESH)


def test_the_hint_names_it(host, ann):
    host.configure(reset={"hint": "yes"})
    hint = "Log in as reset to reset it."
    assert hint in str(host.drive("greeter", "ann", "auth", answers=["no"]))
    assert hint not in str(host.drive("greeter", "ann", "auth", answers=["no"],
                                      rhost="192.0.2.7"))


def test_check(host, ann):
    host.service("sddm", stack())
    host.configure(reset={"greeters": "greeter sddm gone"})
    done = host.run("selfresetctl", "reset", "--check")
    said = " ".join(done.stdout.split())
    assert "password there. Concerns: sddm" in said, said
    assert ("one of reset.greeters, but its stack does not have "
            "pam_selfreset.so. Concerns: gone") in said, said
    assert "Concerns: greeter" not in said, said
    host.configure(reset={"greeters": "greeter login"})
    done = host.run("selfresetctl", "check")
    assert "have a service in common" in " ".join(
        (done.stdout + done.stderr).split())


def test_lightdm(host, ann):
    """The real one, with its own stack; and a login with the new password."""
    host.configure(reset={"gates": "1", "greeters": "lightdm"})
    ann.enroll_codes()
    seen = lightdm.Lightdm(host)
    assert seen.authenticate("reset").asked == "User name: "
    seen.answer("ann")
    ann.choose(seen, "recovery codes", "AAAAA-AAAAA-AAAAA")
    ann.choose(seen, "recovery codes", ann.codes[0])
    seen.answer(FRESH, FRESH)
    assert seen.asked == "Press Enter to end. "
    seen.answer("")
    assert seen.result != 0
    assert seen.shown[-1][1] == "Password changed. Now sign in as ann."
    # A greeter begins again at once, and the user cancels that.
    assert seen.authenticate("reset").asked == "User name: "
    seen.send(lightdm.CANCEL)
    seen.authenticate("ann").answer(FRESH)
    assert seen.result == 0, seen.text
    seen.authenticate("ann").answer(OLD)
    assert seen.result != 0
    assert "source=display:77" in events(host, "SR-1002")[0]
