"""What says it is a directory and is none, or lies: at each answer of a login
and of a change.  It is an outage, within the time, and never a login.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import time

import pytest

import directory
from directory import dn_of
from middle import (BIND, DONE, ENTRY, EXTENDED, PPOLICY, REFERENCE, Fake, ber,
                    control, entry, message, number, octets, result)
from scratch import CONTACT, ETC
from test_ldap import NEW, OLD, PEER, UID, configure, log_in

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

ANN = {"dn": dn_of("ann"), "objectClass": "posixAccount", "uid": "ann",
       "cn": "Ann", "uidNumber": UID, "gidNumber": UID}
LIMIT = 1
NANO = 1e9
STEPS = {"bind": BIND, "search": DONE, "extended": EXTENDED}


@pytest.fixture
def fake(host):
    """Makes fake servers, and has the host ask them."""
    host.configure(lockout={"attempts": 1})
    with contextlib.ExitStack() as servers:
        def made(account=None, lies=None, pause=0, known=True, **config):
            if known and "\nann:" not in (ETC / "passwd").read_text():
                host.add_elsewhere("ann", UID)
            server = servers.enter_context(
                Fake({**ANN, **(account or {})}, lies, pause))
            keys = {"timeout": f"{LIMIT}s", "insecure": "yes",
                    "default_policy": None, **config}
            uri = keys.pop("scheme", "ldap") + server.uri[4:]
            configure(host, uri, **keys)
            return server
        yield made


def of(name):
    """The kind of a request: "bind 2" is one of kind "bind"."""
    return name.split()[0]


def is_outage(host, done, call=0):
    assert done.status == 0, done
    assert done.codes[call] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert done.times[call] < (LIMIT + 1) * NANO, done
    assert CONTACT in done.said


def nothing_counted(host, fake):
    """One wrong password would be enough."""
    fake()
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()


# ---- no LDAP, or not whole

def good(request):
    """What would be the right answer: an entry, where one is asked for."""
    if request.kind == "search":
        return Fake.found(request, ANN)
    return message(request.id, result(request.tag + 1))


def another_id(by):
    return lambda request: message(request.id + by, result(request.tag + 1))


def once(made):
    """That, and then the connection ends."""
    return lambda request: [made(request), None]


GARBAGE = {
    "end": lambda request: None,
    "web": once(lambda request: b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "zeros": once(lambda request: bytes(4096)),
    "noise": once(lambda request: bytes(range(256)) * 16),
    "cut-1": once(lambda request: good(request)[:1]),
    "cut-4": once(lambda request: good(request)[:4]),
    "cut-8": once(lambda request: good(request)[:8]),
    "cut-13": once(lambda request: good(request)[:13]),
    # And this goes on as if there were more to come.
    "huge": lambda request: bytes.fromhex("3084ffffffff020101"),
    "huger": once(lambda request: bytes.fromhex("3088ffffffffffffffff02")),
    "endless": once(lambda request: bytes.fromhex("30800201016180")),
    "id-before": once(another_id(-1)),
    "id-after": once(another_id(1)),
    "id-negative": once(lambda request: ber(0x30, ber(2, b"\xff"),
                                            result(request.tag + 1))),
    "another-kind": lambda request: message(request.id, result(0x69)),
    "no-code": once(lambda request: message(request.id, ber(
        STEPS[request.kind]))),
    "code-cut": once(lambda request: message(request.id, ber(
        STEPS[request.kind], b"\x0a\x7f"))),
    "code-huge": once(lambda request: message(request.id, ber(
        STEPS[request.kind], ber(0x0a, b"\x7f" * 9), octets(""),
        octets("")))),
    "disconnection": once(lambda request: message(0, result(
        EXTENDED, 52, "going down", ber(0x8a, "1.3.6.1.4.1.1466.20036")))),
}


# An answer of another kind ends a search, as one without entries.
@pytest.mark.parametrize("step, kind", [
    (step, kind) for step in ("bind 1", "search 1", "bind 2")
    for kind in GARBAGE if (step, kind) != ("search 1", "another-kind")])
def test_login(host, fake, step, kind):
    # A connection that ended may have been idle: it is tried once more.
    again = {"bind 3": GARBAGE[kind]} if step == "bind 2" else {}
    server = fake(lies={step: GARBAGE[kind], **again})
    is_outage(host, log_in(host))
    assert server.seen.count("bind") <= int(step[-1]) + 1
    nothing_counted(host, fake)


MUST_CHANGE = control(PPOLICY, bytes.fromhex("3003810102"))


def demand(request):
    return message(request.id, result(BIND), MUST_CHANGE)


@pytest.mark.parametrize("kind", GARBAGE)
def test_change(host, fake, kind):
    """What was sent may have been done."""
    server = fake(lies={"bind 2": demand, "extended 1": GARBAGE[kind]})
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[OLD, NEW, NEW], rhost=PEER)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "AUTHTOK_ERR"], (
        done, host.log.all())
    assert "may or may not" in done.said, done
    assert done.times[2] < (LIMIT + 1) * NANO
    # Nothing is tried behind it; before it the server is asked whether it takes
    # changes.
    assert server.seen.count("extended") == 1
    assert "modify" not in server.seen[server.seen.index("extended"):]


@pytest.mark.parametrize("step", ["bind 1", "search 1", "bind 2"])
def test_byte_by_byte(host, fake, step):
    """Each byte comes in time, and all of them do not."""
    fake(lies={step: good}, pause=0.2)
    done = log_in(host)
    is_outage(host, done)
    assert done.times[0] > 0.8 * LIMIT * NANO
    nothing_counted(host, fake)


def test_change_byte_by_byte(host, fake):
    fake(lies={"bind 2": lambda request: [demand(request)],
               "extended 1": lambda request: drip(good(request))})
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[OLD, NEW, NEW], rhost=PEER)
    assert done.code == "AUTHTOK_ERR" and "may or may not" in done.said, done
    assert done.times[2] < (LIMIT + 1) * NANO


def drip(data):
    for byte in data:
        time.sleep(0.2)
        yield bytes([byte])


def flood(request):
    """Entries without end."""
    one = message(request.id, entry(ANN["dn"], {"uid": "ann",
                                                "cn": "x" * 5000})) * 10
    end = time.monotonic() + 3 * LIMIT
    while time.monotonic() < end:
        yield one


def test_entries_without_end(host, fake):
    fake(lies={"search 1": flood})
    is_outage(host, log_in(host))


@pytest.mark.parametrize("authorities", ["ca.pem", "none.pem"])
def test_no_tls_behind_the_scheme(host, fake, authorities):
    """Nothing is said in clear, whichever side cannot begin."""
    directory.certificate("good")
    server = fake(scheme="ldaps", insecure="no",
                  ca_file=directory.CERTS / authorities)
    is_outage(host, log_in(host))
    assert server.seen == []


# ---- answers that are others than success and wrong

@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 18,
                                  36, 51, 52, 54, 64, 71, 80, 90, 118, 123,
                                  4096, 65535])
def test_codes(host, fake, code):
    """What is not about the password proves nothing of it."""
    fake(lies={"bind 2": lambda request: message(request.id,
                                                 result(BIND, code))})
    is_outage(host, log_in(host))
    nothing_counted(host, fake)


@pytest.mark.parametrize("stale", [-1, 0])
def test_success_of_another(host, fake, stale):
    """Of an earlier request, or of nobody's: the answer that counts says no."""
    fake(lies={"bind 2": lambda request: message(
        0 if stale == 0 else request.id + stale, result(BIND)) + message(
            request.id, result(BIND, 49))})
    assert log_in(host).codes[0] != "SUCCESS"


@pytest.mark.parametrize("step", ["bind 1", "search 1", "bind 2"])
def test_referral(host, fake, step):
    """Nobody goes where a referral points to."""
    with Fake(ANN) as elsewhere:
        url = f"{elsewhere.uri}/{ANN['dn']}"
        fake(lies={step: lambda request: message(request.id, result(
            STEPS[of(step)], 10, "", ber(0xa3, octets(url))))})
        is_outage(host, log_in(host))
        assert elsewhere.seen == []
    nothing_counted(host, fake)


@pytest.mark.parametrize("has_entry", [True, False])
def test_references_among_the_entries(host, fake, has_entry):
    """Some servers always have them; they are not an account."""
    with Fake(ANN) as elsewhere:
        reference = ber(REFERENCE, octets(f"{elsewhere.uri}/dc=elsewhere"))
        fake(lies={"search 1": lambda request: message(
            request.id, reference) + Fake.found(
                request, *([ANN] if has_entry else []))})
        done = log_in(host)
        assert done.codes[0] == ("SUCCESS" if has_entry else "USER_UNKNOWN")
        assert elsewhere.seen == []


def test_text_of_the_server(host, fake):
    """It is not shown, and does not look like a line of the log of its own."""
    evil = "\x1b[2Jnow\nNov 22 00:00:00 sshd: SR-1001 all is well\r\x07"
    fake(lies={"bind 2": lambda request: message(request.id, result(
        BIND, 52, evil))})
    done = log_in(host)
    is_outage(host, done)
    assert "all is well" not in done.said
    lines = host.log.with_text("all is well")
    assert lines and "SR-3002" in lines[0], host.log.all()
    assert not [line for line in lines
                if "\x1b" in line or "\n" in line or "\x07" in line]


# ---- entries of somebody else

# What the entry says on top; the answer of authenticate.
ENTRIES = {
    "another-name": ({"uid": "bob"}, "USER_UNKNOWN"),
    "another-case": ({"uid": "ANN"}, "USER_UNKNOWN"),
    "name-and-more": ({"uid": b"ann\0bob"}, "USER_UNKNOWN"),
    "name-with-a-space": ({"uid": "ann "}, "USER_UNKNOWN"),
    "no-name": ({"uid": []}, "USER_UNKNOWN"),
    "several-names": ({"uid": ["bob", "ann"]}, "SUCCESS"),
    "root": ({"uidNumber": 0}, "AUTHINFO_UNAVAIL"),
    "root-by-overflow": ({"uidNumber": 2 ** 32}, "AUTHINFO_UNAVAIL"),
    "nobody": ({"uidNumber": 2 ** 32 - 1}, "AUTHINFO_UNAVAIL"),
    "negative": ({"uidNumber": -1}, "AUTHINFO_UNAVAIL"),
    "no-number": ({"uidNumber": "seven"}, "AUTHINFO_UNAVAIL"),
    "half-a-number": ({"uidNumber": "7001x"}, "AUTHINFO_UNAVAIL"),
    "number-and-more": ({"uidNumber": b"7001\0" + b"0"}, "AUTHINFO_UNAVAIL"),
    "no-uid": ({"uidNumber": []}, "AUTHINFO_UNAVAIL"),
    "no-dn": ({"dn": ""}, "AUTHINFO_UNAVAIL"),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_entries(host, fake, case):
    """Nothing but the entry says who that is."""
    fields, code = ENTRIES[case]
    server = fake(fields, known=False)
    done = log_in(host)
    assert done.codes[0] == code, (done, host.log.all())
    assert done.status == 0
    if code == "AUTHINFO_UNAVAIL":
        assert not [request for request in server.requests
                    if request.contains(OLD)], "the password was sent"


def test_two_entries(host, fake):
    server = fake(lies={"search 1": lambda request: Fake.found(
        request, ANN, {**ANN, "dn": dn_of("other")})})
    is_outage(host, log_in(host))
    assert host.log.with_text("SR-3013")
    assert not [request for request in server.requests if request.contains(OLD)]


@pytest.mark.parametrize("other", [{"uid": "bob"},
                                   {"uid": None, "uid;lang-en": "ann"}])
def test_two_names_of_one(host, fake, other):
    """The entry is the one that has the name; that of the other is not."""
    more = {key: value for key, value in {**ANN, **other}.items()
            if value is not None}
    fake(lies={"search 1": lambda request: Fake.found(request, more, ANN)})
    assert log_in(host).codes[0] == "SUCCESS", host.log.all()


def test_uid_of_the_system(host, fake):
    """An entry with the uid of a system account is not an account."""
    fake({"uidNumber": 999}, known=False)
    host.add_elsewhere("ann", 999)
    assert log_in(host).codes[0] == "USER_UNKNOWN", host.log.all()
    host.configure(backend_corp={"uid_min": "100"})
    assert log_in(host).codes[0] == "SUCCESS", host.log.all()


def test_options_without_end(host, fake):
    """Attributes with options are left out, at the cost of reading them."""
    fake({f"cn;lang-a-{number_of:05}": "x" for number_of in range(16000)},
         timeout="10s")
    few = [log_in(host) for _ in range(3)]
    assert {done.codes[0] for done in few} == {"SUCCESS"}, host.log.all()
    # The least of them, since the machine may have more to do.
    assert min(done.times[0] for done in few) < NANO / 2, few


def test_many_values(host, fake):
    """It costs no more than to read them; and no account has so many."""
    fake({"uid": ["ann"] + [f"u{value}" for value in range(60000)],
          "pwdFailureTime": ["20200101000000Z"] * 30000}, timeout="10s")
    done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert host.log.with_text("too many values")
    assert done.times[0] < NANO * 2, done


def test_entry_whose_values_are_cut(host, fake):
    """Of an entry that cannot be read in whole nothing is believed."""
    broken = ber(ENTRY, octets(ANN["dn"]), ber(
        0x30, ber(0x30, octets("uid"), ber(0x31, octets("ann"))),
        ber(0x30, octets("uidNumber"), b"\x31\x7f\x04")))
    fake(lies={"search 1": lambda request: message(request.id, broken) +
               message(request.id, result(DONE))})
    is_outage(host, log_in(host))


# ---- controls

CONTROLS = {
    "empty": b"", "no-sequence": b"\x01", "cut": bytes.fromhex("3006a0048002"),
    "longer-than-it-is": bytes.fromhex("307f810102"),
    "endless": bytes.fromhex("3080810102"),
    "error-unknown": bytes.fromhex("300381017f"),
    "error-negative": bytes.fromhex("30038101ff"),
    "error-twice-the-size": bytes.fromhex("300b8109010203040506070809"),
    "warning-of-no-kind": bytes.fromhex("3006a004850203d8"),
    "negative-grace": bytes.fromhex("3005a0038101ff"),
    "text": b"expired, and soon",
    # A demand first, which is not believed by itself.
    "more-than-it-is": bytes.fromhex("3006810102850100"),
}


@pytest.mark.parametrize("kind", CONTROLS)
def test_controls(host, fake, kind):
    """What cannot be decoded says nothing; the rest of the answer does."""
    fake(lies={"bind 2": lambda request: message(
        request.id, result(BIND), control(PPOLICY, CONTROLS[kind]))})
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert done.said == ""
    fake(lies={"bind 2": lambda request: message(
        request.id, result(BIND, 49), control(PPOLICY, CONTROLS[kind]))})
    assert log_in(host).codes[0] == "AUTH_ERR"


@pytest.mark.parametrize("order", [1, -1])
def test_two_controls_in_either_order(host, fake, order):
    """All are read before anything is decided."""
    both = [MUST_CHANGE, control("2.16.840.1.113730.3.4.5", "100"),
            control("1.2.3.4", b"\x00")]
    fake(lies={"bind 2": lambda request: message(
        request.id, result(BIND), *both[::order])})
    assert log_in(host).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]


def test_controls_that_are_cut(host, fake):
    """The answer as a whole cannot be read then."""
    fake(lies={"bind 2": lambda request: ber(
        0x30, number(request.id), result(BIND), b"\xa0\x7f\x30")})
    is_outage(host, log_in(host))


def test_thousands_of_controls(host, fake):
    fake(lies={"bind 2": lambda request: message(
        request.id, result(BIND), *[MUST_CHANGE] * 5000)}, timeout="10s")
    done = log_in(host)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD"], done
    assert done.times[0] < 2 * NANO
