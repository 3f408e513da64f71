"""Self-service reset from end to end: a real sshd and login, the program of the
user on a terminal, and oathtool as the authenticator app.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import email
import os
import pathlib
import pwd
import signal
import subprocess
import sys
import threading

import pytest

import captive
import helper
from helper import ANSWER, ASK, REFUSE
from scratch import ETC, RUN, listen, wait_until
from talk import AGAIN, NEW, PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
BEGIN = "User name: "


@pytest.fixture
def ann(host):
    """An account that has set up two ways."""
    host.reset_port = captive.set_up(host, new_gate_wait="0", nag="yes")
    ann = host.add("ann", OLD)
    with Talk(["selfreset", "enroll"], user=ann) as talk:
        ann.codes = captive.enroll_codes(talk, OLD)
    with Talk(["selfreset", "enroll"], user=ann) as talk:
        ann.key = captive.enroll_app(talk, OLD, ann.codes.pop(0))
    return ann


def ssh_in(host, user, **options):
    return Talk(host.ssh_command(user, port=host.reset_port, **options))


def test_a_forgotten_password_by_ssh(host, ann):
    with ssh_in(host, "reset", tty=True) as talk:
        captive.prove(talk, "ann", ann.key, ann.codes[2])
        assert "15 characters" in talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        shown = talk.rest()
        assert "changed and checked" in shown and talk.status == 0, shown
        assert FRESH not in talk.seen and ann.key not in talk.seen
    assert host.has_password("ann", FRESH)
    with ssh_in(host, "ann") as talk:
        talk.answer(PASSWORD, FRESH)
        assert "in as ann" in talk.rest()
    # Where the person was is what sshd said.
    assert [line for line in host.log.with_text("SR-1002")
            if "source=127.0.0.1" in line]


def test_a_lockout_ends_at_a_console(host, ann):
    host.configure(lockout={"attempts": 2})
    for _ in range(2):
        with ssh_in(host, "ann") as talk:
            talk.answer(PASSWORD, "no")
            talk.rest()
    with ssh_in(host, "ann") as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as ann" not in talk.rest()
    with Talk(["login", "reset"]) as talk:
        captive.prove(talk, "ann", ann.key, ann.codes[0])
        captive.choose(talk, "keep the password")
        talk.answer("Press Enter to end", "")
        assert "unlocked" in " ".join(talk.seen.split())
    with ssh_in(host, "ann") as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as ann" in talk.rest()


def test_a_line_that_breaks_changes_nothing(host, ann):
    with ssh_in(host, "reset", tty=True) as talk:
        captive.prove(talk, "ann", ann.key, ann.codes[0])
        talk.until(NEW)
        talk.child.kill(9)  # the client
    wait_until(lambda: not helper.children(host.helper),
               what="the end of the dialogue")
    assert host.has_password("ann", OLD)


def test_giving_up_is_answered(host, ann):
    with ssh_in(host, "reset", tty=True) as talk:
        talk.until(BEGIN)
        talk.child.sendeof()
        assert "dialogue has ended" in talk.rest()
    assert host.has_password("ann", OLD)


class Mailbox(threading.Thread):
    """A mail server that takes whatever comes.  The host's mail program is
    smtplib, which sends what it reads to this server."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.letters, self.server = [], listen()
        program = RUN / "sendmail"
        program.write_text(
            f"#!{sys.executable}\nimport email, smtplib, sys\n"
            "letter = email.message_from_binary_file(sys.stdin.buffer)\n"
            "with smtplib.SMTP('127.0.0.1', "
            f"{self.server.getsockname()[1]}) as smtp:\n"
            "    smtp.send_message(letter)\n")
        program.chmod(0o755)
        host.configure(reset={"mail_program": f"{program} -t -i"})
        self.start()

    def run(self):
        while True:
            connection, _ = self.server.accept()
            with connection, connection.makefile("rwb", 0) as file:
                self.serve(file)

    def serve(self, file):
        file.write(b"220 test\r\n")
        for line in file:
            word = line.split()[0].upper()
            if word == b"DATA":
                file.write(b"354 go on\r\n")
                lines = list(iter(file.readline, b".\r\n"))
                self.letters.append(b"".join(lines).decode())
            file.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")

    def read_text(self):
        return "".join(self.letters)


def test_mail_by_smtp(host, ann):
    """A code to a new address, and the notice of a reset."""
    box = Mailbox(host)
    with Talk(["selfreset", "enroll"], user=ann) as talk:
        captive.enroll_mail(talk, OLD, ann.codes[0], box)
    with ssh_in(host, "reset", tty=True) as talk:
        captive.prove(talk, "ann", ann.key, ann.codes[1])
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
    wait_until(lambda: "was reset" in box.read_text(), what="the notice")
    code, notice = (email.message_from_string(letter) for letter in
                    (box.letters[0], box.letters[-1]))
    for letter in (code, notice):
        assert "somebody@mail.example" in letter["To"]
        assert "ann" not in letter["Subject"]
        assert letter["Auto-Submitted"] == "auto-generated"
    assert "127.0.0.1" in notice.get_payload()
    assert "selfreset report" in notice.get_payload()
    # Its confirmation ends; the next login says so.
    host.configure(reset={"reconfirm": "1s"})
    wait_until(lambda: "overdue" in host.run("selfresetctl", "gates",
                                             "ann").stdout, what="a second")
    with ssh_in(host, "ann") as talk:
        talk.answer(PASSWORD, FRESH)
        shown = talk.rest()
        assert "to be confirmed again" in shown and "in as ann" in shown


def test_nag(host):
    port = captive.set_up(host, nag="yes", new_gate_wait="0")
    host.add("bob", OLD)
    with Talk(host.ssh_command("bob", port=port)) as talk:
        talk.answer(PASSWORD, OLD)
        assert "selfreset enroll" in talk.rest()
    helper.stop(host, host.helper)
    with Talk(host.ssh_command("bob", port=port)) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
        assert "in as bob" in shown and "selfreset enroll" not in shown


def test_no_nag_for_who_is_ready(host, ann):
    with ssh_in(host, "ann") as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
        assert "in as ann" in shown and "selfreset enroll" not in shown


# ---- connections

class Captive:
    """The account, as helper.connect() takes one."""

    def __init__(self):
        self.uid = pwd.getpwnam("reset").pw_uid


def begin_many(host, held, user, count, **fields):
    """How many of so many dialogues are begun; they are held."""
    before = len(held)
    for _ in range(count):
        client = helper.flow("reset", user, **fields)
        if client.rest()[-1][0] == ASK:
            held.append(client)
        wait_until(lambda: len(helper.children(host.helper)) == len(held),
                   what="the end of what was refused")
    return len(held) - before


def test_many_at_once(host):
    """One source cannot take the entry from all others, nor one network, nor
    all together the helper from others, whose screens are still unlocked."""
    captive.set_up(host)
    ann, held = host.add("ann", OLD), []
    for source, begun in (
            ("2001:db8:7:1::1", 4), ("2001:db8:7:1::2", 0),
            ("2001:db8:7:2::1", 4), ("2001:db8:7:3::1", 0),
            ("192.0.2.1", 4), ("192.0.2.2", 4), ("192.0.2.3", 0),
            *((f"198.51.{number}.1", 4) for number in range(4)),
            ("203.0.113.1", 0)):
        assert begin_many(host, held, Captive(), 5, rhost=source) == begun, (
            source)
    assert begin_many(host, held, None, 1) == 1
    users = [ann, *(type("", (), {"uid": 5000 + n}) for n in range(4))]
    assert [begin_many(host, held, user, 5) for user in users] == [
        4, 4, 4, 3, 0]
    done = host.drive("probe", "ann", "auth", answers=[OLD], uid=ann.uid)
    assert done.code == "SUCCESS", done
    for client in held:
        client.close()


def test_who_does_not_answer(host):
    """The questions that anybody can answer wait less long than a proof."""
    captive.set_up(host)
    client = helper.flow("reset", Captive())
    for answer, least, most in (("ann", 60000, 120000), ("1", 60000, 120000),
                                ("", 120000, 600000)):
        assert client.rest()[-1][0] == ASK
        (pid,) = helper.children(host.helper)
        wait_until(lambda: least < helper.waits_for(pid) <= most,
                   what="a question that waits")
        client.send(ANSWER, text=answer)
    client.close()


def test_codes_that_were_shown(host):
    """The text with all of them does not stay in the helper, either."""
    captive.set_up(host)
    with Talk(["selfreset", "enroll"], user=host.add("ann", OLD)) as talk:
        talk.answer("Current password: ", OLD)
        captive.choose(talk, "recovery codes")
        codes = captive.CODE.findall(talk.until(r"code number \d: "))
        (pid,) = helper.children(host.helper)
        assert len(codes) == 8
        assert not [code for code in codes
                    if helper.memory_has(pid, code, "[heap]")]


@pytest.mark.parametrize("data", [
    b"", b"\3", b"nonsense", helper.message(helper.HELLO, version=1),
    helper.message(helper.CALL, call=0, user="root"),
    helper.message(helper.FLOW, text="status"),
    helper.message(helper.END, code=0), bytes([ANSWER]) + b"x" * 40000])
def test_what_is_no_answer_ends_it(host, data):
    captive.set_up(host)
    client = helper.flow("reset", Captive())
    assert client.rest()[-1][0] == ASK
    client.socket.send(data)
    wait_until(lambda: not helper.children(host.helper),
               what="the end of the dialogue")
    client.close()


def test_a_client_that_goes_away(host):
    """Its process at the helper ends and keeps nothing."""
    captive.set_up(host)
    with Talk(["selfreset"]) as talk:
        talk.until(BEGIN)
        assert len(helper.children(host.helper)) == 1
        talk.child.kill(signal.SIGKILL)
    wait_until(lambda: not helper.children(host.helper),
               what="the end of the process")


def test_the_helper_is_killed(host):
    captive.set_up(host)
    with Talk(["selfreset"]) as talk:
        talk.until(BEGIN)
        helper.kill_children(host.helper)
        assert "cut off" in talk.rest()
        assert talk.status == 75


def test_the_network_address_of_a_user_is_not_believed(host):
    captive.set_up(host)
    for user, is_believed in ((host.add("ann", OLD), False), (None, True)):
        client = helper.flow("reset", user, rhost="192.0.2.9")
        client.rest()
        client.send(ANSWER, text="nobody-here")
        client.rest()
        assert bool(host.log.with_text("192.0.2.9")) == is_believed
        client.close()


def test_a_dialogue_ends_after_15_minutes(host):
    """Though each question was answered in time; the clock is put forward."""
    captive.set_up(host)
    helper.stop(host, host.helper)
    library, = pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    clock = ETC / "faketimerc"
    clock.write_text("+0")
    host.helper = helper.start(host, wrap=[
        "env", f"LD_PRELOAD={library}", "FAKETIME_NO_CACHE=1"])
    client = helper.flow("reset", Captive())
    assert client.rest()[-1][0] == ASK
    client.send(ANSWER, text="nobody-here")
    for minutes in (0, 7, 14):
        clock.write_text(f"+{60 * minutes}")
        assert client.rest()[-1][0] == ASK
        client.send(ANSWER, text="99")
    assert client.rest()[-1][0] == ASK
    clock.write_text("+901")
    # The helper may see the time before the answer, or after the next question.
    with contextlib.suppress(BrokenPipeError):
        client.send(ANSWER, text="99")
    said = client.rest()
    if said[-1][0] == ASK:
        said = client.rest()
    assert said[-1][0] == REFUSE and "is over" in said[-1][1]["text"]
    client.close()


@contextlib.contextmanager
def agent_of(user, *keys):
    """An ssh-agent of a user that has these keys; the answer is its socket."""
    def become():
        os.setgid(user.uid)
        os.setuid(user.uid)

    folder = pathlib.Path(f"/home/agent-{user.uid}")
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, user.uid, user.uid)
    socket = folder / "socket"
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], preexec_fn=become,
                          stdout=subprocess.DEVNULL) as agent:
        wait_until(socket.is_socket, what="the agent")
        for number, kind in enumerate(keys):
            key = folder / f"key{number}"
            subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", kind, "-C",
                            f"key{number}", "-f", key], check=True,
                           preexec_fn=become)
            subprocess.run(["ssh-add", "-q", key], check=True,
                           env={**os.environ, "SSH_AUTH_SOCK": str(socket)})
            key.unlink()  # only the agent has it now
        try:
            yield socket
        finally:
            agent.terminate()


def test_the_agent_of_a_user_answers_for_a_key(host):
    captive.set_up(host, new_gate_wait="0")
    ann = host.add("ann", OLD)
    with agent_of(ann, "ed25519", "rsa") as socket:
        env = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
        with Talk(["selfreset", "enroll"], user=ann, env=env) as talk:
            talk.answer("Current password: ", OLD)
            captive.choose(talk, "an ssh key")
            shown = talk.answer(r"Number: ", "2")
            assert "1 ssh-ed25519 key0" in shown, shown
            assert "2 ssh-rsa key1" in shown and "0 another one" in shown
            assert "can be used now" in talk.rest(), talk.seen
            assert talk.status == 0
        with Talk(["selfreset", "status"], user=ann) as talk:
            assert "ssh-rsa, which ends with" in talk.rest()
        with Talk(["selfreset", "remove"], user=ann, env=env) as talk:
            talk.answer("Current password: ", OLD)
            captive.choose(talk, "an ssh key")
            talk.until("Signature: ")  # a proof is not given unasked
            talk.child.sendeof()
            talk.rest()
