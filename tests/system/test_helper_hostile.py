"""Against selfreset-helper: clients that lie, stall, flood, freeze and die, and
a helper that is killed.  Whoever asks beside them is answered as ever.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import array
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest

import helper
import scratch
from helper import (ACCOUNT, ANSWER, ASK, AUTH, CALL, CRED, END, HELLO,
                    PASSWORD, REFUSE, SAY, Client, memory_has, message)
from scratch import RUN, SLOW, wait_until

OLD = "correct horse battery"
EACH, ALL, ROOT = 4, 64, 16
AUTH_ERR, AUTHINFO_UNAVAIL, ECHO_OFF = 7, 9, 1


@pytest.fixture
def served(host):
    host.helper = helper.start(host)
    host.ann, host.bob = host.add("ann", OLD), host.add("bob", OLD)
    return host


def goes_on(host):
    """A user and root are answered."""
    done = host.drive("probe", "ann", "auth", answers=[OLD], uid=host.ann.uid)
    assert done.code == "SUCCESS", done
    client = Client()
    client.call(ACCOUNT, user="bob")
    kind, fields = client.rest()[-1]
    assert (kind, fields["code"]) == (END, 0)
    client.close()


def is_idle(host):
    return not helper.children(host.helper)


# ---- what is no message

HALF = message(CALL, call=AUTH, flags=0, service="probe", user="bob")
BAD = {
    "garbage": [random.Random(7).randbytes(2000)],
    "text": [b"GET / HTTP/1.1\r\n\r\n"],
    "nothing": [b""],
    "huge": [bytes([HELLO]) + b"\1\xff\xff" + bytes(60)],
    "over the bound": [message(HELLO, version=1), b"\2" + bytes(60000)],
    "half a message": [message(HELLO, version=1), HALF[:-3]],
    "another version": [message(HELLO, version=2)],
    "no version": [message(HELLO)],
    "no greeting": [HALF],
    "an answer unasked": [message(HELLO, version=1),
                          message(ANSWER, text=OLD)],
    "its own end": [message(HELLO, version=1), message(END, code=0)],
    "a call unknown": [message(HELLO, version=1),
                       message(CALL, call=77, user="bob")],
    "no user": [message(HELLO, version=1), message(CALL, call=AUTH)],
    "text with an end": [message(HELLO, version=1),
                         message(CALL, call=AUTH, user=b"bo\0b\0")],
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("is_root", [False, True])
def test_no_message(served, what, is_root):
    client = Client(None if is_root else served.bob)
    try:
        for data in BAD[what]:
            client.socket.send(data)
    except BrokenPipeError:
        pass
    got = client.rest()
    assert got[-1] is None or got[-1][0] == REFUSE or (
        # Root may ask without a name: nobody is let in.
        is_root and what == "no user" and got[-1][0] == END
        and got[-1][1]["code"] != 0), got
    client.close()
    wait_until(lambda: is_idle(served), what="the end of the process")
    goes_on(served)


def test_descriptors_are_not_taken(served):
    client = Client(served.bob)
    read, write = os.pipe()
    client.socket.sendmsg([message(HELLO, version=1)],
                          [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                            array.array("i", [write] * 100))])
    os.close(write)
    try:
        client.send(CALL, call=AUTH, flags=0, service="probe", user="bob",
                    authtok=OLD)
    except BrokenPipeError:
        pass
    assert client.rest() == [None]
    assert os.read(read, 1) == b""  # nobody has it
    os.close(read)


# ---- what a user may not ask

@pytest.mark.parametrize("fields", [
    {"user": "ann"}, {"user": "root"}, {"user": "nobody"}, {"user": "none"},
    {"user": "bob", "call": PASSWORD}, {"user": "bob", "call": CRED}],
    ids=str)
def test_not_for_users(served, fields):
    client = Client(served.bob)
    client.call(**fields, authtok=OLD)
    assert [kind for kind, _ in client.rest()] == [REFUSE]
    assert served.log.with_text("helper-refused")
    client.close()


def test_what_a_user_says_of_itself_is_not_heard(served):
    """Source, terminal, another configuration, guard: all that only root may
    say."""
    conf = "/tmp/no-throttle.conf"
    for _ in range(2):
        client = Client(served.bob)
        client.call(user="bob", authtok="no", rhost="192.0.2.66",
                    ruser="root", tty="tty1", terminal="tty1",
                    argument=[f"conf={conf}", "guard"],
                    variable=["SSH_CONNECTION=192.0.2.66 1 192.0.2.1 22"])
        kind, fields = client.rest()[-1]
        assert (kind, fields["code"]) == (END, AUTH_ERR)
        client.close()
    lines = served.log.with_text("wrong-password")
    assert len(lines) == 2
    for line in lines:
        assert f"source=uid:{served.bob.uid}" in line, line
        assert "192.0.2.66" not in line and "tty1" not in line


def test_one_call_and_no_more(served):
    """Else one connection could be kept for good."""
    client = Client(served.bob)
    client.call(user="bob", authtok=OLD)
    assert client.rest()[-1][1]["code"] == 0
    assert client.receive() is None


def test_nobody(served):
    """Whoever has no number here is shown as the overflow uid."""
    client = Client(type("", (), {"uid": 65534}))
    try:
        client.call(user="nobody", authtok=OLD)
    except BrokenPipeError:
        pass
    assert client.rest() == [None]


def in_user_namespace(host, user, code):
    """A program of a user who is root in a namespace of his own.  Its modules
    are where the user can read them, which the sources need not be."""
    modules = RUN / "modules"
    modules.mkdir(exist_ok=True)
    for module in (helper, scratch):
        shutil.copy(module.__file__, modules)
    return host.run("setpriv", "--reuid", user.uid, "--regid", user.uid,
                    "--clear-groups", "unshare", "--user", "--map-root-user",
                    sys.executable, "-c",
                    f"import sys; sys.path.insert(0, {str(modules)!r}); "
                    "import helper; "
                    f"client = helper.Client(); {code}")


def test_root_of_a_user_namespace(served):
    done = in_user_namespace(
        served, served.bob,
        "client.call(helper.ACCOUNT, user='root'); print(client.rest())")
    assert f"[({REFUSE}," in done.stdout, (done.stdout, done.stderr)
    done = in_user_namespace(
        served, served.bob,
        f"client.call(user='bob', authtok={OLD!r}); print(client.rest())")
    assert f"({END}," in done.stdout and "'code': 0" in done.stdout, done


def test_a_connection_that_is_handed_on(served):
    """Root speaks on bob's connection, as a set-user-ID program that bob gave
    it to would: it stays bob's."""
    client = Client(served.bob)
    assert os.geteuid() == 0
    client.call(PASSWORD, user="bob")
    assert client.rest()[-1][0] == REFUSE


# ---- many, and slow

def test_a_hundred_connections(served):
    held = [Client(served.bob) for _ in range(100)]
    goes_on(served)
    refused = [client for client in held if is_refused(client)]
    assert len(refused) == len(held) - EACH
    done = served.drive("probe", "bob", "auth", answers=[OLD],
                        uid=served.bob.uid)
    assert done.code == "AUTHINFO_UNAVAIL"
    assert "are in progress" in done.said, done
    for client in held:
        client.close()
    wait_until(lambda: is_idle(served), what="the end of the processes")
    assert served.drive("probe", "bob", "auth", answers=[OLD],
                        uid=served.bob.uid).code == "SUCCESS"


def is_refused(client):
    client.socket.settimeout(0.2)
    try:
        return client.receive()[0] == REFUSE
    except TimeoutError:
        return False


def test_many_users_leave_room_for_root(served):
    users = [type("", (), {"uid": 5000 + n}) for n in range(ALL // EACH)]
    held = [Client(user) for user in users for _ in range(EACH)]
    wait_until(lambda: len(helper.children(served.helper)) == ALL - ROOT,
               what="the refusals")
    done = served.drive("probe", "ann", "auth", answers=[OLD],
                        uid=served.ann.uid)
    assert done.code == "AUTHINFO_UNAVAIL"
    client = Client()
    client.call(user="ann", authtok=OLD)
    assert client.rest()[-1][1]["code"] == 0
    for one in (*held, client):
        one.close()
    wait_until(lambda: is_idle(served), what="the end of the processes")
    goes_on(served)


def test_a_client_that_stalls(served):
    """At the greeting, and at the call: each step has an end."""
    silent, greeted = Client(served.bob), Client(served.bob)
    greeted.send(HELLO, version=1)
    goes_on(served)
    assert silent.receive() is None and greeted.receive() is None
    wait_until(lambda: is_idle(served), what="the end of the processes")


def question(user, name):
    client = Client(user)
    client.call(user=name)
    kind, fields = client.receive()
    assert kind == ASK and fields["style"] == ECHO_OFF
    assert fields["text"] == "Password: "
    return client


def test_no_ledger_is_held_over_a_question(served):
    """With one attempt to have, others have it meanwhile."""
    served.configure(lockout={"attempts": 1})
    held = [question(served.bob, "bob") for _ in range(EACH - 1)]
    assert served.drive("probe", "bob", "auth", answers=[OLD],
                        uid=served.bob.uid).code == "SUCCESS"
    for client in held:
        client.close()
    wait_until(lambda: is_idle(served), what="the end of the processes")
    assert not served.log.with_text("wrong-password")


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_client_that_freezes_or_dies_at_the_question(served, number):
    process = served.start(
        served.drive_command("probe", "bob", "auth", ask=True,
                             uid=served.bob.uid),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert b"Password" in process.stdout.readline()
    process.send_signal(number)
    goes_on(served)
    assert served.drive("probe", "bob", "auth", answers=[OLD],
                        uid=served.bob.uid).code == "SUCCESS"
    process.kill()
    process.wait()
    wait_until(lambda: is_idle(served), what="the end of the process")


def test_a_client_that_goes_while_it_is_verified(served):
    """What was begun is finished, and counted."""
    served.configure(lockout={"attempts": 2})
    served.add("carl", OLD, uid=4001, cost=SLOW)
    carl = type("", (), {"uid": 4001})
    for _ in range(2):
        client = Client(carl)
        client.call(user="carl", authtok="no")
        client.close()
    wait_until(lambda: len(served.log.with_text("wrong-password")) == 2,
               what="both records")
    assert served.drive("probe", "carl", "auth", answers=[OLD],
                        uid=4001).code == "AUTH_ERR"


# ---- the helper is killed

def killed_at_the_question(served):
    """A program of bob's that has shown the prompt of a helper."""
    process = served.start(
        served.drive_command("probe", "bob", "auth", ask=True,
                             uid=served.bob.uid),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert "Password" in process.stdout.readline()
    helper.kill_children(served.helper)
    return process


def test_killed_at_the_question(served):
    """The password is not asked for twice, and is verified by a new one."""
    process = killed_at_the_question(served)
    out, _ = process.communicate(OLD + "\n", timeout=30)
    assert "PAM_SUCCESS" in out and "Password" not in out, out


def test_killed_and_given_up(served):
    """Whoever has given up is not asked again."""
    process = killed_at_the_question(served)
    out, _ = process.communicate("", timeout=30)
    assert "PAM_CONV_ERR" in out and "Password" not in out, out


def test_killed_at_any_time(served):
    """No wrong password is right, no more than the documented number of them
    are verified, and nobody waits for what the dead have left."""
    served.configure(lockout={"attempts": 5})
    served.add("carl", OLD, uid=4001, cost=SLOW)
    dice, over = random.Random(11), threading.Event()

    def kill():
        while not over.wait(dice.uniform(0, 0.04)):
            helper.kill_children(served.helper)

    served.count_hashes("carl")
    killer = threading.Thread(target=kill)
    killer.start()
    codes = [served.drive("probe", "carl", "auth", answers=["no"],
                          uid=4001).code for _ in range(30)]
    over.set()
    killer.join()
    assert set(codes) <= {"AUTH_ERR", "AUTHINFO_UNAVAIL"}, codes
    assert served.verified() <= 5
    goes_on(served)
    served.run("selfresetctl", "unlock", "carl")
    assert served.drive("probe", "carl", "auth", answers=[OLD],
                        uid=4001).code == "SUCCESS"


def test_the_listener_is_killed(served):
    """A conversation goes on; a new one listens at once."""
    client = question(served.bob, "bob")
    served.helper.kill()
    served.helper.wait()
    client.send(ANSWER, text=OLD)
    assert client.rest()[-1][1]["code"] == 0
    served.helper = helper.start(served)
    goes_on(served)
    other = served.run("selfreset-helper", "--listen")
    assert other.returncode == 1 and "in use" in other.stderr
    goes_on(served)


# ---- secrets

@pytest.mark.parametrize("changed", [10, 0])
def test_no_secret_stays(served, changed):
    """Between the calls of a root process; for the change that is due the
    password is kept, masked."""
    secret = "blue-marker-of-the-test"
    served.add("carl", secret, changed=changed)
    client = Client()
    client.call(user="carl")
    kind, _ = client.receive()
    (pid,) = helper.children(served.helper)
    client.send(ANSWER, text=secret)
    assert kind == ASK and client.rest()[-1][1]["code"] == 0
    wait_until(lambda: not memory_has(pid, secret), what="it to be wiped")
    with open(f"/proc/{pid}/limits") as text:
        assert "Max core file size        0                    0" in text.read()
    assert os.listdir(f"/proc/{pid}/fd")
    client.close()


def test_texts_reach_the_user(served):
    """What is to be said comes as text, and no code is in it."""
    served.add("carl", OLD, uid=4001, expire="-1")
    client = Client(type("", (), {"uid": 4001}))
    client.call(user="carl", authtok=OLD)
    got = client.rest()
    assert [kind for kind, _ in got] == [SAY, END]
    assert "ended" in got[0][1]["text"] or "expired" in got[0][1]["text"]
