"""A directory that stops answering: at each point of a login and of a change,
one after the other.  Every wait ends within the time that a login has, nothing
is counted against the person, and what is said of a change is true.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import socket
import time

import pytest

import directory
from directory import dn_of, stamp
from middle import Middle, Wire, cut_after, cut_before, stop
from scratch import CONTACT, listen
from talk import AGAIN, CURRENT, Talk
from talk import NEW as NEW_PROMPT
from test_ldap import (DAY, NEW, OLD, PEER, UID, configure, drive, log_in,
                       serve)

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

ANN = dn_of("ann")
# How long a login may wait for the directory here, and what it then takes.
LIMIT = 1
NANO = 1e9


class Full:
    """A port at which nobody accepts, and where no more can queue."""

    def __init__(self):
        self.socket = listen(backlog=0)
        self.port = self.socket.getsockname()[1]
        self.queue = []
        for _ in range(3):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", self.port))
            self.queue.append(waiting)
        self.uri = f"ldap://localhost:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in (*self.queue, self.socket):
            sock.close()


# The points of a login, in their order: a way to the server on which it stops
# there, and what has to be configured for it.
PLAIN = {"insecure": "yes"}


def at_request(name, **keys):
    return lambda server: (Middle(server, {name: stop}), keys or PLAIN)


def ldaps(*where):
    def make(server):
        wire = Wire(server, server.tls_port, *where)
        return wire, {"uri": wire.uri.replace("ldap:", "ldaps:")}
    return make


POINTS = {
    "connect": lambda server: (Full(), PLAIN),
    "ask-for-tls": at_request("extended 1", insecure="no"),
    "handshake": ldaps(1),
    "midst-of-handshake": ldaps(2, 200),
    "behind-handshake": ldaps(3),
    "service-bind": at_request("bind 1"),
    "search": at_request("search 1"),
    "policy": at_request("search 2"),
    "bind": at_request("bind 2"),
}


@contextlib.contextmanager
def stopping(host, server, point):
    """The host's way to its directory is one that ends at this point."""
    way, keys = POINTS[point](server)
    with way:
        configure(host, way.uri, timeout=f"{LIMIT}s",
                  ca_file=directory.CERTS / "ca.pem", **keys)
        yield way
    server.resume()


def direct(host, server):
    """And now it is one of its own."""
    for key in ("insecure", "ca_file"):
        host.settings["backend corp"].pop(key, None)
    configure(host, server.local, timeout="10s")


def in_time(nanoseconds):
    return 0.8 * LIMIT * NANO < nanoseconds < (LIMIT + 1) * NANO


@pytest.fixture
def server(host):
    """One wrong password is enough to be locked out."""
    made = serve(host, {"pwdMaxAge": 90 * DAY}, pwdChangedTime=stamp(DAY),
                 server={"certificate_file": directory.certificate("good")})
    host.configure(lockout={"attempts": 1})
    return made


@pytest.mark.parametrize("point", POINTS)
def test_login(host, server, point):
    with stopping(host, server, point):
        done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert in_time(done.times[0]), done
    assert CONTACT in done.said
    assert host.log.with_text("SR-3002"), host.log.all()
    direct(host, server)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], "it was counted"


@pytest.mark.parametrize("point", ["handshake", "search"])
def test_login_by_key(host, server, point):
    with stopping(host, server, point):
        done = host.drive("probe", "ann", "acct", rhost=PEER)
    assert done.codes == ["AUTHINFO_UNAVAIL"], (done, host.log.all())
    assert in_time(done.times[0]), done
    assert CONTACT in done.said


@pytest.mark.parametrize("point", ["search", "bind"])
def test_change_that_does_not_begin(host, server, point):
    with stopping(host, server, point):
        done = host.drive("probe", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                          real_uid=UID)
    assert done.codes == ["TRY_AGAIN"], (done, host.log.all())
    assert in_time(done.times[0]), done
    assert CONTACT in done.said
    assert NEW_PROMPT not in done.prompts
    direct(host, server)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], "it was counted"


def slow(middle, client, server, request):
    time.sleep(0.6 * LIMIT)
    server.sendall(request.data)


def test_time_is_of_the_whole_login(host, server):
    """Not of each request: one that is slow in all is too slow."""
    with Middle(server, {name: slow for name in (
            "bind 1", "search 1", "search 2", "bind 2")}) as way:
        configure(host, way.uri, timeout=f"{LIMIT}s", **PLAIN)
        done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", done
    assert in_time(done.times[0]), done
    assert "search 2" not in way.seen


# ---- a change, cut

def forced(host):
    """A change at a login, that all happens on one connection."""
    return host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[OLD, NEW, NEW], rhost=PEER)


@pytest.fixture
def demanding(host):
    made = serve(host, {"pwdMustChange": "TRUE"}, pwdReset="TRUE")
    host.configure(lockout={"attempts": 1})
    return made


# What happens to the request, and whether the new password is right then.
CUTS = {"before": (cut_before, False), "after": (cut_after, True),
        "stopped": (stop, True)}


@pytest.mark.parametrize("where", CUTS)
def test_change_is_cut(host, demanding, where):
    """Nobody here can know: the person hears that, and the next login finds
    out."""
    act, is_changed = CUTS[where]
    with Middle(demanding, {"extended 1": act}) as way:
        configure(host, way.uri, timeout=f"{LIMIT}s", **PLAIN)
        done = forced(host)
        assert way.seen.count("extended") == 1, "it was sent twice"
        demanding.resume()
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "AUTHTOK_ERR"], done
    assert "may or may not" in done.said
    assert done.times[2] < (LIMIT + 1) * NANO
    assert not host.log.with_text("SR-2001")  # a password was changed
    direct(host, demanding)
    right, wrong = (NEW, OLD) if is_changed else (OLD, NEW)
    assert log_in(host, right).codes == [
        "SUCCESS", "SUCCESS" if is_changed else "NEW_AUTHTOK_REQD"], (
            host.log.all())
    assert log_in(host, wrong).codes[0] == "AUTH_ERR"


def test_change_without_its_proof(host, demanding):
    """It was answered; that the new password is right cannot be asked."""
    with Middle(demanding, {"bind 3": cut_before,
                            "bind 4": cut_before}) as way:
        configure(host, way.uri, timeout=f"{LIMIT}s", **PLAIN)
        done = forced(host)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, way.seen, host.log.all())
    assert demanding.lets_in(ANN, NEW)


def test_gone_at_the_prompt(host, demanding):
    """Nothing has been sent, and that is known."""
    configure(host, demanding.local, timeout=f"{LIMIT}s")
    with drive(host, "probe", "ann", "auth", "acct", "change-expired",
               rhost=PEER) as talk:
        talk.answer("Password: ", OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.until(AGAIN)
        demanding.stop()
        talk.type(NEW)
        shown = talk.rest()
    assert "AUTHTOK_ERR" in shown
    assert "may or may not" not in shown and "was not changed" in shown, shown


@pytest.mark.parametrize("state", ["demanded", "last-grace", "by-the-owner"])
def test_idle_at_the_prompt(host, state):
    """A server that closes connections on which nothing is said for long: who
    types slowly does not pay for it."""
    policy, fields = {
        "demanded": ({"pwdMustChange": "TRUE"}, {"pwdReset": "TRUE"}),
        "last-grace": ({"pwdMaxAge": 90 * DAY, "pwdGraceAuthNLimit": 1},
                       {"pwdChangedTime": stamp(100 * DAY)}),
        "by-the-owner": ({}, {})}[state]
    server = serve(host, policy, **fields)
    steps, options = (["chauthtok"], {"real_uid": UID}) if (
        state == "by-the-owner") else (["auth", "acct", "change-expired"],
                                       {"rhost": PEER})
    with drive(host, "probe", "ann", *steps, **options) as talk:
        talk.answer("(?i)password: ", OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.until(AGAIN)
        server.stop()
        server.start()
        talk.type(NEW)
        shown = talk.rest()
    assert "may or may not" not in shown, shown
    assert server.lets_in(ANN, NEW), (shown, host.log.all())


def test_passwd_says_so(host):
    """To the person, by the program itself."""
    server = serve(host)
    with Middle(server, {"extended 1": cut_after}) as way:
        configure(host, way.uri, timeout=f"{LIMIT}s", **PLAIN)
        with Talk(["passwd"], user=type("Ann", (), {"uid": UID})) as talk:
            talk.answer(CURRENT, OLD)
            talk.answer(NEW_PROMPT, NEW)
            talk.answer(AGAIN, NEW)
            shown = talk.rest()
            assert talk.status != 0
    assert "may or may not have been changed" in shown, shown
    assert "updated successfully" not in shown
    assert server.lets_in(ANN, NEW)
