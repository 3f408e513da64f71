"""Odd entries, limits and floods of a directory: each costs itself, and is
named; neither time nor memory is the server's to decide.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import json
import socket
import struct
import threading
import time

import pytest

import directory
from directory import BASE, POLICY, ROOT, Slapd, dn_of, stamp, user
from middle import (ENTRY, EXTENDED, ber, control, entry, message, number,
                    octets, result)
from scratch import ETC, PUBLISHED, free_port
from test_ldap import NEW, OLD, PEER, UID, change, configure, log_in
from test_ldap_garbage import ANN, LIMIT, NANO, demand, fake # noqa: F401

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

DAY = 86400
DONE = 0x65
PAGED = "1.2.840.113556.1.4.319"
MEGABYTE = 1 << 20


@pytest.fixture
def slapd(host):
    servers = []

    def made(*users, **options):
        server = Slapd(host, list(users), **options)
        servers.append(server)
        configure(host, server)
        for one in users:
            host.add_elsewhere(one["uid"], one["uidNumber"])
        return server
    yield made
    for server in servers:
        server.stop()


def key(host, name="ann"):
    (code,) = host.drive("probe", name, "acct", rhost=PEER).codes
    return code


def listed(host):
    done = host.run("selfresetctl", "list", "--json")
    return done, {one["user"]: one for one in json.loads(done.stdout)}


# ---- idle accounts, by the server's own answer

IDLE = {
    "changed-long-ago": (dict(pwdChangedTime=stamp(100 * DAY)), False),
    "changed-lately": (dict(pwdChangedTime=stamp(3600)), True),
    "used-long-ago": (dict(pwdChangedTime=stamp(3600),
                           pwdLastSuccess=stamp(100 * DAY)), False),
    "used-lately": (dict(pwdChangedTime=stamp(100 * DAY),
                         pwdLastSuccess=stamp(3600)), True),
    "neither": ({}, True),
}


@pytest.mark.parametrize("locks", ["TRUE", "FALSE"])
@pytest.mark.parametrize("name", IDLE)
def test_idle(host, slapd, name, locks):
    attributes, is_used = IDLE[name]
    server = slapd(user("ann", UID, OLD, **attributes), lastbind="on",
                   policies={"policy": {"pwdMaxIdle": DAY,
                                        "pwdLockout": locks}})
    answer = key(host)
    is_let_in = server.lets_in(dn_of("ann"), OLD)
    assert is_let_in == (is_used or locks == "FALSE")
    assert answer == ("SUCCESS" if is_let_in else "ACCT_EXPIRED"), (
        host.log.all())


# ---- other numbers and locks of a policy, by the server's own answer

LOCKS = {"pwdLockout": "TRUE"}
AGES = {"pwdMaxAge": 90 * DAY}
OLD_ONE = {"pwdChangedTime": stamp(100 * DAY)}
# The policy, the entry, the answer to a login by a key.
NUMBERS = [
    ({"pwdMaxAge": -1}, OLD_ONE, "NEW_AUTHTOK_REQD"),
    ({**AGES, "pwdGraceAuthNLimit": 3, "pwdGraceExpiry": -1}, OLD_ONE,
     "AUTHTOK_EXPIRED"),
    ({**AGES, "pwdGraceExpiry": 1}, OLD_ONE, "NEW_AUTHTOK_REQD"),
    ({**LOCKS, "pwdLockoutDuration": -1},
     {"pwdAccountLockedTime": stamp(60)}, "SUCCESS"),
    # What pwdMinDelay leaves behind.
    (LOCKS, {"pwdAccountTmpLockoutEnd": stamp(-7200)}, "PERM_DENIED"),
    (LOCKS, {"pwdAccountTmpLockoutEnd": stamp(900)}, "SUCCESS"),
    ({}, {"pwdAccountTmpLockoutEnd": stamp(-7200)}, "SUCCESS"),
    ({**LOCKS, "pwdLockoutDuration": 120},
     {"pwdAccountLockedTime": stamp(900),
      "pwdAccountTmpLockoutEnd": stamp(-7200)}, "PERM_DENIED"),
    # Times that the server takes for others.
    ({}, {"pwdEndTime": "99991231235959Z"}, "ACCT_EXPIRED"),
    ({}, {"pwdStartTime": "99991231235959Z"}, "SUCCESS"),
    ({}, {"pwdEndTime": stamp(-3600)[:-1] + "+0900"}, "ACCT_EXPIRED"),
    (AGES, {"pwdChangedTime": "99991231235959Z"}, "NEW_AUTHTOK_REQD"),
    (AGES, {"pwdChangedTime": "19500101000000Z"}, "SUCCESS"),
    (LOCKS, {"pwdAccountLockedTime": "000001010000+0000"}, "PERM_DENIED"),
    (LOCKS, {"pwdAccountLockedTime": "19500101000000Z"}, "SUCCESS"),
    # A lock that begins later.
    (LOCKS, {"pwdAccountLockedTime": stamp(-3600)}, "SUCCESS"),
]


def test_numbers(host, slapd):
    server = slapd(user("ann", UID, OLD))
    for policy, given, answer in NUMBERS:
        server.delete(dn_of("ann"))
        server.delete(POLICY)
        server.add(user("ann", UID, OLD),
                   {"dn": POLICY, "cn": "policy", "objectClass":
                    ["device", "pwdPolicy"], "pwdAttribute": "userPassword",
                    **policy})
        for name, value in given.items():
            server.modify(dn_of("ann"), f"replace: {name}\n{name}: {value}",
                          relax=True)
        assert key(host) == answer, (policy, given, host.log.all())
        assert server.lets_in(dn_of("ann"), OLD) == (answer == "SUCCESS"), (
            policy, given)
        if list(given) == ["pwdAccountTmpLockoutEnd"] and answer != "SUCCESS":
            done = host.run("selfresetctl", "unlock", "ann")
            assert done.returncode != 0 and "pwdMinDelay" in done.stderr, done


def test_length_that_is_not_checked(host, slapd):
    """What is shown is what is enforced."""
    server = slapd(user("ann", UID, OLD),
                   policies={"policy": {"pwdMinLength": 40}})
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS"] and "40" not in done.said, done
    server.modify(POLICY, "replace: pwdCheckQuality\npwdCheckQuality: 1")
    done = change(host, NEW, OLD, OLD)
    assert done.code == "AUTHTOK_ERR" and "at least 40" in done.said, done


# ---- limits of the server

def test_pages_are_refused(host, slapd):
    """Then everything is asked for at once."""
    slapd(user("ann", UID, OLD), user("bob", UID + 1, OLD),
          more="limits * size=unlimited size.prtotal=disabled")
    done, all_of = listed(host)
    assert done.returncode == 0, done
    assert all_of["ann"]["state"] == all_of["bob"]["state"] == "ok"


@pytest.mark.parametrize("most", [1, 4])
def test_pages_are_smaller(host, slapd, most):
    """Than the usual ones, where the server takes no larger ones."""
    slapd(*(user(f"u{i}", UID + i, OLD) for i in range(12)),
          more=f"limits * size.soft=5 size.hard=5 size.pr={most} "
          "size.prtotal=unlimited")
    done, all_of = listed(host)
    assert done.returncode == 0, done
    assert len([name for name, one in all_of.items() if name.startswith("u")
                and one["state"] == "ok"]) == 12, done


def test_limit_of_the_size(host, slapd):
    """What can be read is listed, and that there is more is told."""
    slapd(*(user(f"u{i}", UID + i, OLD) for i in range(20)),
          more="limits * size=5 size.prtotal=disabled")
    done, all_of = listed(host)
    assert len([name for name, one in all_of.items() if name.startswith("u")
                and one["state"] == "ok"]) == 5, done
    assert done.returncode != 0 and "limit exceeded" in done.stderr, done


# ---- servers that take no changes

CONSUMER = (f'syncrepl rid=1 provider=ldap://127.0.0.1:1 searchbase="{BASE}" '
            f'bindmethod=simple binddn="{ROOT}" credentials=x '
            'type=refreshOnly\n')
READ_ONLY = {"read-only": "readonly on", "consumer": CONSUMER,
             "referral": CONSUMER + "updateref ldap://provider.example"}


@pytest.mark.parametrize("name", READ_ONLY)
def test_server_that_takes_no_changes(host, slapd, name):
    """It is told as what it is, once, before a new password is asked for."""
    slapd(user("ann", UID, OLD), more=READ_ONLY[name],
          policies={"policy": {"pwdMustChange": "TRUE"}})
    done = change(host, OLD, NEW, NEW)
    assert "takes no changes" in done.said, (done, host.log.all())
    assert "tries left" not in done.said and done.codes == ["AUTHTOK_ERR"]
    assert not [one for one in done.prompts if "ew password" in one], done
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    done = host.run("selfresetctl", "must-change", "ann")
    assert done.returncode != 0 and "takes changes" in done.stderr.replace(
        "\n  ", " "), done


@pytest.mark.parametrize("name", READ_ONLY)
def test_check_finds_that_no_server_takes_changes(host, slapd, name):
    consumer = slapd(user("ann", UID, OLD), more=READ_ONLY[name])
    provider = slapd(user("ann", UID, OLD))
    for uris, is_found in ((consumer.uri, True), (provider.uri, False),
                           (f"{consumer.uri} {provider.uri}", False)):
        configure(host, consumer, uri=uris)
        said, found = checked(host)
        assert ("No server takes changes" in found) == is_found, found
        assert said["uris"][0]["read_only"] == (consumer.uri in uris)


def checked(host):
    done = host.run("selfresetctl", "check", "--backend", "corp", "--json")
    said = json.loads(done.stdout)
    return said, " ".join(one["text"] for one in said["findings"])


def test_check_says_why_accounts_cannot_be_read(host, slapd):
    slapd(*(user(f"u{i}", UID + i, OLD) for i in range(20)),
          more="limits * size=5 size.prtotal=disabled")
    _, found = checked(host)
    assert "cannot read every account" in found, found
    assert "limit exceeded" in found, found


@pytest.mark.parametrize("name", READ_ONLY)
def test_the_next_server_takes_them(host, slapd, name):
    consumer = slapd(user("ann", UID, OLD), more=READ_ONLY[name])
    provider = slapd(user("ann", UID, OLD),
                     policies={"policy": {"pwdMustChange": "TRUE"}})
    configure(host, consumer, uri=f"{consumer.uri} {provider.uri}")
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert provider.lets_in(dn_of("ann"), NEW)
    assert consumer.lets_in(dn_of("ann"), OLD)


# What a server may answer to a change, and a word of what is said then.
CODES = {3: "cannot change passwords now", 7: "does not allow this host",
         11: "cannot change passwords now", 12: "cannot change passwords now",
         48: "does not allow this host", 51: "cannot change passwords now",
         53: None, 19: None, 65: "does not allow this host",
         71: "takes no changes", 80: "cannot change passwords now",
         4096: "does not allow this host"}


def test_codes_of_a_change(host, fake):  # noqa: F811
    """Only those about the value have another password asked for."""
    for code, word in CODES.items():
        fake(lies={"bind 2": demand, "extended 1": lambda request, of=code:
                   message(request.id, result(EXTENDED, of, "no"))})
        done = change(host, OLD, NEW, NEW, NEW, NEW, forced=True)
        said = " ".join(done.said.split())
        assert ("2 tries left" in said) == (word is None), (code, said)
        assert word is None or (word in said and
                                done.code == "AUTHTOK_ERR"), (code, said)


# ---- floods

def pour(size, sent):
    """Entries without end, and how many bytes of them were taken."""
    def flood(request):
        one = message(request.id, entry(ANN["dn"], {"cn": "x" * size}))
        while True:
            sent.append(len(one))
            yield one
    return flood


@pytest.mark.parametrize("size", [1000, 8 * MEGABYTE])
@pytest.mark.parametrize("step", ["extended 1", "bind 1", "search 1"])
def test_flood(host, fake, step, size):  # noqa: F811
    """The connection is given up long before the time is."""
    sent = []
    options = {"insecure": "no"} if step == "extended 1" else {}
    fake(lies={step: pour(size, sent)}, timeout="20s", **options)
    done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert done.times[0] < 10 * NANO, done
    # What is on its way in sockets is not in memory.
    assert sum(sent) < 24 * MEGABYTE


def page(request, *accounts, cookie=b"again"):
    return b"".join(message(request.id, entry(one["dn"], {
        key: value for key, value in one.items() if key != "dn"}))
        for one in accounts) + message(
            request.id, result(DONE), control(PAGED, ber(
                0x30, number(0), octets(cookie))))


class Always(dict):
    """The same lie to each request of a kind."""

    def get(self, name, default=None):
        return super().get(name.split()[0], default)


def test_pages_without_end(host, fake):  # noqa: F811
    server = fake(lies=Always(search=page))
    done, all_of = listed(host)
    assert done.returncode != 0 and "do not come to an end" in done.stderr
    assert "root" in all_of
    assert len(server.requests) <= 20010


def test_a_slow_page(host, fake):  # noqa: F811
    """Nobody waits at a prompt for it: it may take longer than a login."""
    def slow(request):
        time.sleep(LIMIT + 0.5)
        yield page(request, ANN, cookie=b"")

    fake(lies={"search 1": slow})
    done, all_of = listed(host)
    assert all_of["ann"]["state"] == "ok", done


def test_a_server_ends_between_pages(host, fake):  # noqa: F811
    """Another one is read from the beginning."""
    bob = {**ANN, "dn": dn_of("bob"), "uid": "bob", "uidNumber": UID + 1}
    second = fake(lies={"search 1": lambda request:
                        page(request, ANN, bob, cookie=b"")})
    first = fake(lies={"search 1": lambda request: page(request, bob),
                       "search 2": b""})
    uris = [server.uri for server in (first, second)]
    host.configure(backend_corp={"uri": " ".join(uris)})
    done, all_of = listed(host)
    assert all_of["ann"]["state"] == all_of["bob"]["state"] == "ok", done
    assert done.returncode == 0 and first.requests, done


def test_an_odd_entry_among_others(host, fake):  # noqa: F811
    """Its values are too many, or cut; the others are listed."""
    many = {**ANN, "dn": dn_of("many"), "uidNumber": UID + 2,
            "uid": ["many"] + [f"u{i}" for i in range(60000)]}
    bob = {**ANN, "dn": dn_of("bob"), "uid": "bob", "uidNumber": UID + 1}
    cut = ber(ENTRY, octets(dn_of("cut")), ber(
        0x30, ber(0x30, octets("uid"), ber(0x31, octets("cut"))),
        ber(0x30, octets("uidNumber"), b"\x31\x7f\x04")))
    crowd = {**ANN, "dn": dn_of("crowd"), "uidNumber": UID + 3,
             "uid": [f"crowd{i:02}" for i in range(33)]}
    few = {**ANN, "dn": dn_of("few"), "uidNumber": UID + 4,
           "uid": [f"few{i:02}" for i in range(32)]}
    fake(lies={"search 1": lambda request: message(request.id, cut) +
               page(request, ANN, many, bob, crowd, few, cookie=b"")})
    done, all_of = listed(host)
    assert all_of["ann"]["state"] == all_of["bob"]["state"] == "ok", done
    assert all_of["many"]["state"] != "ok"
    assert "many" in done.stderr and "too many values" in done.stderr
    # Each name of an entry costs what the entry costs.
    assert all_of["crowd00"]["state"] == all_of["crowd32"]["state"] != "ok"
    assert all_of["few00"]["state"] == all_of["few31"]["state"] == "ok"
    assert done.stderr.count("is unknown") < 1100


# ---- names that do not read as what they are

@pytest.mark.parametrize("where", ["directory", "local"])
@pytest.mark.parametrize("sign", ["\u202e", "\u061c"])
def test_a_name_that_changes_the_direction_of_writing(host, slapd, sign, where):
    """In a directory it is no account; one of this host is found by its bytes.
    Neither is shown as it is."""
    name, is_local = f"bo{sign}eb", where == "local"
    slapd(user("ann", UID + 1, OLD),
          *([] if is_local else [user(name, UID, OLD)]))
    if is_local:
        host.add(name, OLD)
    host.create_state_groups()
    host.nsswitch()
    # It is named, and counted.
    assert host.run("selfreset-publish").returncode == (0 if is_local else 8)
    codes = [host.drive("probe", name, "auth", answers=[password],
                        rhost=PEER).code for password in ("no", OLD)]
    assert codes == (["AUTH_ERR", "SUCCESS"] if is_local
                     else ["USER_UNKNOWN"] * 2)
    shown = [host.run("selfresetctl", *words) for words in (
        ("status", "--json", name), ("status", name), ("list", "--json"),
        ("list",), ("explain", name), ("check",), ("nss", "--check"),
        ("check", "--backend", "corp"), ("unlock", "--json", name),
        ("must-change", name), ("log", name))]
    shown.append(host.run("selfreset-publish"))
    for one in shown:
        assert sign not in one.stdout + one.stderr, one
    if is_local:  # by its number
        assert json.loads(shown[0].stdout)["user"] == name
    log = "".join(host.log.with_text("SR-"))
    assert "bo?eb" in log and sign not in log, log
    files = [path.read_bytes() for path in PUBLISHED.rglob("*")
             if path.is_file()]
    assert files and (is_local or not any(
        sign.encode() in one for one in files))


# ---- spellings of a DN

@pytest.mark.parametrize("base", [
    'OU = people;dc="example" , DC=\\6f\\72g',
    "2.5.4.11=people, 0.9.2342.19200300.100.1.25=example, dc=org"])
def test_spellings_of_a_base(host, slapd, base):
    """As every other client takes them."""
    server = slapd(user("ann", UID, OLD))
    configure(host, server, base=base)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert listed(host)[1]["ann"]["state"] == "ok"


# ---- alias entries

def test_alias_entries_are_not_followed(host, slapd):
    """Else whoever may add one could make an account of an entry that is not
    below the base."""
    server = slapd(user("ann", UID, OLD))
    server.add({"dn": f"ou=elsewhere,{BASE}", "ou": "elsewhere",
                "objectClass": "organizationalUnit"})
    out = {**user("out", UID + 1, OLD), "dn": f"uid=out,ou=elsewhere,{BASE}"}
    server.add(out)
    server.add({"dn": f"uid=to-out,{directory.PEOPLE}",
                "objectClass": ["alias", "extensibleObject"], "uid": "to-out",
                "aliasedObjectName": out["dn"]})
    host.add_elsewhere("out", UID + 1)
    server.add({"dn": f"uid=al,{directory.PEOPLE}",
                "objectClass": ["alias", "extensibleObject"], "uid": "al",
                "aliasedObjectName": dn_of("ann")})
    host.add_elsewhere("al", UID)
    for name in ("al", "out", "to-out"):
        done = host.drive("probe", name, "auth", answers=[OLD], rhost=PEER)
        assert done.code == "USER_UNKNOWN", done
    _, accounts = listed(host)
    assert accounts["out"]["backend"] is None
    assert accounts["ann"]["backend"] == "corp"
    assert accounts["al"]["backend"] is None  # what the name service says
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


# ---- servers by DNS

def name_server(records):
    """Answers questions for SRV records: [(name, priority, port, host)]."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))

    def labels(name):
        return b"".join(bytes([len(part)]) + part.encode()
                        for part in name.split(".")) + b"\0"

    def serve():
        while True:
            try:
                question, peer = sock.recvfrom(4096)
            except OSError:
                return
            end = question.index(b"\0", 12) + 5
            asked = question[12:end - 4]
            found = [struct.pack("!HHH", priority, 0, port) + labels(host)
                     for name, priority, port, host in records
                     if labels(name) == asked and
                     question[end - 4:end - 2] == b"\0\x21"]
            answer = b"".join(b"\xc0\x0c" + struct.pack(
                "!HHIH", 33, 1, 60, len(data)) + data for data in found)
            sock.sendto(question[:2] + b"\x85\x80" + struct.pack(
                "!HHHH", 1, len(found), 0, 0) + question[12:end] + answer,
                peer)
    threading.Thread(target=serve, daemon=True).start()
    return sock


def test_servers_by_dns(host, slapd):
    """In the order of their priorities, with names that their certificates
    have; and an outage where there is none."""
    server = slapd(user("ann", UID, OLD))
    configure(host, server, uri="ldap:///", insecure="yes")
    (ETC / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    domain = ".".join(part[3:] for part in BASE.split(","))
    records, port = [], server.port
    with contextlib.closing(name_server(records)):
        done = log_in(host)
        assert done.codes[0] == "AUTHINFO_UNAVAIL", done
        assert any(f"DNS has no servers for _ldap._tcp.{domain}" in line
                   for line in host.log.with_text("SR-3002")), host.log.all()
        # More than are taken, and that of the first priority is the last.
        records += [(f"_ldap._tcp.{domain}", 50, port, f"h{n}")
                    for n in range(17)]
        records += [(f"_ldap._tcp.{domain}", 20, port, "localhost"),
                    (f"_ldap._tcp.{domain}", 10, free_port(), "localhost")]
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"], \
            host.log.with_text("SR-")[-1]
        assert log_in(host, "no").codes[0] == "AUTH_ERR"
        said, _ = checked(host)
    assert [one["answers"] for one in said["uris"][:2]] == [False, True], said
    assert said["uris"][1]["uri"] == f"ldap://localhost:{port}"
    (ETC / "resolv.conf").write_text("nameserver 127.0.0.2\n")
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    assert host.log.with_text("DNS does not answer for"), host.log.all()
