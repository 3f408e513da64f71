"""selfreset, the terminal of a dialogue: on terminals of several kinds and in
pipes, and when either end goes away.  What a helper never sends is sent by one
of the tests' own.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import signal
import socket
import termios
import threading

import pytest

import captive
import helper
from helper import ANSWER, ASK, END, FLOW, HELLO, REFUSE, SAY, message, parse
from scratch import RUNDIR, wait_until
from talk import Talk

HIDDEN, SHOWN = 1, 2


class Script(threading.Thread):
    """A helper for one connection that follows a script: bytes are sent, a None
    receives a message.  What it received is kept."""

    def __init__(self, *steps):
        super().__init__(daemon=True)
        RUNDIR.mkdir(exist_ok=True)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.bind(str(helper.DIALOGUES))
        os.chmod(helper.DIALOGUES, 0o666)
        self.server.listen()
        self.steps, self.got = steps, []
        self.start()

    def run(self):
        connection, _ = self.server.accept()
        with connection:
            for step in (None, None, *self.steps):
                if isinstance(step, bytes):
                    connection.send(step)
                elif step is None:
                    data = connection.recv(65536)
                    self.got.append(parse(data) if data else None)
                else:
                    step()

    def end(self):
        self.join(10)
        assert not self.is_alive()
        self.server.close()
        return self.got


def ask(prompt, style=SHOWN):
    return message(ASK, style=style, text=prompt)


DONE = message(END, code=0)


# ---- what it asks for

def test_what_is_sent(host):
    script = Script(DONE)
    done = host.run("selfreset", "report", "K7Q4-2MXP", env={
        "SSH_CONNECTION": "192.0.2.7 40 192.0.2.1 22", "LANGUAGE": "de:en",
        "LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (kind, hello), (asked, fields) = script.end()
    assert (kind, hello) == (HELLO, {"version": 1})
    assert asked == FLOW and fields == {
        "text": "report", "argument": "K7Q4-2MXP", "rhost": "192.0.2.7",
        "locale": "C.UTF-8", "language": "de:en"}


@pytest.mark.parametrize("arguments, text", [
    (["--help"], "selfreset(1)"), (["--version"], "selfreset ")])
def test_help(host, arguments, text):
    done = host.run("selfreset", *arguments)
    assert done.returncode == 0 and text in done.stdout


@pytest.mark.parametrize("arguments", [
    ["nonsense"], ["report"], ["report", "A", "B"], ["enroll", "app"],
    ["--reset"], [""]])
def test_usage(host, arguments):
    done = host.run("selfreset", *arguments)
    assert done.returncode == 64 and "Usage" in done.stderr


def test_no_helper(host):
    done = host.run("selfreset")
    assert done.returncode == 69
    assert done.stdout.splitlines()[0] == (
        "Password reset is not available now.")


# ---- texts and answers

def test_in_a_pipe(host):
    """Lines, the last without an end; then the end of the input."""
    script = Script(message(SAY, style=4, text="Two\nlines"), ask("One: "), None,
                    ask("Two: ", HIDDEN), None, ask("Three: "), None,
                    message(END, code=20))
    done = host.run("selfreset", input="an answer\nof two")
    assert done.returncode == 1
    assert done.stdout == "Two\nlines\nOne: Two: Three: \n"
    answers = script.end()[2:]
    assert [fields.get("text") for _, fields in answers] == [
        "an answer", "of two", None]
    assert answers[2] == (ANSWER, {"code": 19})


def test_what_a_terminal_would_obey_is_not_written(host):
    script = Script(message(SAY, style=4, text="a\x1b[2Jb\rc\x07\x9bd"),
                    ask("\x1b]0;x\x07? "), None, DONE)
    done = host.run("selfreset", input="x\n")
    assert done.returncode == 0 and script.end()
    assert not set(done.stdout) & set("\x1b\r\x07\x9b"), ascii(done.stdout)
    assert "a?[2Jb?c" in done.stdout


@pytest.mark.parametrize("length", [4095, 4096, 9000])
def test_long_answers(host, length):
    """One that is too long is asked for again and never cut."""
    script = Script(ask("? "), None, DONE)
    done = host.run("selfreset", input="x" * length + "\nshort\n")
    assert done.returncode == 0
    answer = script.end()[2][1]["text"]
    if length <= 4095:
        assert answer == "x" * length
    else:
        assert answer == "short" and "too long" in done.stdout


def test_a_zero_byte(host):
    script = Script(ask("? "), None, DONE)
    assert host.run("selfreset", input="a\0b\nc\n").returncode == 0
    assert script.end()[2][1]["text"] == "c"


# ---- terminals

def echoes(talk):
    return bool(termios.tcgetattr(talk.child.child_fd)[3] & termios.ECHO)


@pytest.mark.parametrize("term", ["dumb", "vt220", "xterm-256color", None])
def test_a_terminal(host, term):
    """A password is not shown, and the terminal is left as it was."""
    script = Script(ask("Name: "), None, ask("New password: ", HIDDEN), None,
                    message(SAY, style=4, text="Thanks"), DONE)
    env = {**os.environ, "TERM": term} if term else {
        key: value for key, value in os.environ.items() if key != "TERM"}
    with Talk(["selfreset"], env=env) as talk:
        assert "\x1b" not in talk.answer("Name: ", "ann")
        talk.until("New password: ")
        wait_until(lambda: not echoes(talk), what="the end of the echo")
        talk.type("correct horse")
        shown = talk.until("Thanks")
        assert "correct" not in shown and "\x1b" not in talk.seen
        talk.rest()
        assert talk.status == 0
    assert [fields["text"] for _, fields in script.end()[2:]] == [
        "ann", "correct horse"]


def test_end_of_input_on_a_terminal(host):
    """Ctrl-D answers nothing; what the helper then says is shown."""
    script = Script(ask("New password: ", HIDDEN), None,
                    message(SAY, style=4, text="Nothing was changed"),
                    message(END, code=20))
    with Talk(["selfreset"]) as talk:
        talk.until("New password: ")
        wait_until(lambda: not echoes(talk), what="the end of the echo")
        talk.child.sendeof()
        assert "Nothing was changed" in talk.rest()
        assert talk.status == 1
    assert script.end()[2] == (ANSWER, {"code": 19})


@pytest.mark.parametrize("end", [
    ("c", signal.SIGINT), ("\\", signal.SIGQUIT),
    (None, signal.SIGHUP), (None, signal.SIGTERM)])
def test_what_ends_it(host, end):
    """Keys and signals; the terminal is as it was."""
    key, number = end
    Script(ask("New password: ", HIDDEN), None)
    with Talk(["selfreset"]) as talk:
        talk.until("New password: ")
        wait_until(lambda: not echoes(talk), what="the end of the echo")
        if key:
            talk.child.sendcontrol(key)
        else:
            talk.child.kill(number)
        wait_until(lambda: echoes(talk), what="the echo")
        talk.rest()
        assert talk.status == 128 + number


def test_it_cannot_be_stopped(host):
    script = Script(ask("? "), None, DONE)
    with Talk(["selfreset"]) as talk:
        talk.until(r"\? ")
        talk.child.sendcontrol("z")
        talk.type("still here")
        talk.rest()
        assert talk.status == 0
    assert script.end()[2][1]["text"] == "still here"


# ---- the other end

@pytest.mark.parametrize("steps, code, text", [
    ([], 75, "cut off"),
    ([ask("? ")], 75, "cut off"),
    ([message(REFUSE, text="No.")], 69, "No."),
    ([message(HELLO, version=1)], 75, "cut off"),
    ([b"nonsense"], 75, "cut off"),
    ([ask("? "), message(REFUSE, text="Too late.")], 69, "Too late."),
])
def test_a_helper_that_ends(host, steps, code, text):
    """At once, also while a question waits for its answer."""
    script = Script(*steps)
    with Talk(["selfreset"]) as talk:
        assert text in talk.rest()
        assert talk.status == code
    script.end()


@pytest.mark.parametrize("fields", [
    {"text": "nonsense"}, {}, {"text": "reset\n"}, {"text": "RESET"}])
def test_a_dialogue_that_there_is_not(host, fields):
    captive.set_up(host)
    client = helper.Client(host.add("ann", "x"), helper.DIALOGUES)
    client.send(HELLO, version=1)
    client.send(FLOW, **fields)
    assert client.rest()[-1][0] == REFUSE
    client.close()


def test_each_socket_has_its_own(host):
    """No dialogue where calls are made, and no call where dialogues are."""
    captive.set_up(host)
    for user in (None, host.add("ann", "x")):
        client = helper.Client(user)
        client.send(HELLO, version=1)
        client.send(FLOW, text="status")
        assert client.rest()[-1][0] == REFUSE
        client.close()
        client = helper.Client(user, helper.DIALOGUES)
        client.call(user="ann")
        assert client.rest()[-1][0] == REFUSE
        client.close()


def test_switched_off(host):
    """By default there is no dialogue for anybody."""
    host.helper = helper.start(host)
    ann = host.add("ann", "x")
    for name in ("reset", "enroll", "status", "codes", "remove", "report"):
        for user in (None, ann):
            client = helper.flow(name, user)
            said = client.rest()
            assert said[-1][0] == END and said[-1][1]["code"] != 0, (name, said)
            assert "switched off" in said[0][1]["text"]
            client.close()


# ---- secrets

def test_what_was_shown_does_not_stay(host):
    """Recovery codes are texts, too."""
    hold = threading.Event()
    script = Script(message(SAY, style=4, text="A CODE-WORD"), hold.wait, DONE)
    with Talk(["selfreset"]) as talk:
        talk.until("CODE-WORD")
        wait_until(lambda: not helper.memory_has(talk.child.pid, "CODE-WORD"),
                   what="it to be wiped")
        hold.set()
        talk.rest()
    script.end()
