"""Who asks a directory: the service by a ticket, or nobody but the user.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import shutil
import socket
import struct
import threading

import pytest

import directory
import directory389
import kerberos
from directory import BASE, PEOPLE, SERVICE, Slapd, dn_of, stamp, user
from kerberos import Kdc
from scratch import CONTACT, ETC, RUN, listen
from talk import AGAIN, PASSWORD
from talk import NEW as NEW_PROMPT
from test_ldap import DAY, NEW, OLD, PEER, UID, change, configure, log_in, ssh

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

PRINCIPAL = f"reader/host.example.org@{kerberos.REALM}"


# ---- the service by a ticket

@pytest.fixture
def kdc(host):
    if kerberos.root_of(host) is None:
        pytest.skip("no KDC is installed")
    made = Kdc(host)
    yield made
    made.resume()


def serve_tickets(host, kdc, policy=None, server=None, config=None, **fields):
    """A directory that knows the service by its ticket."""
    own = kdc.keytab("ldap.keytab", "ldap/localhost")
    keytab = kdc.keytab("reader.keytab", PRINCIPAL)
    made = Slapd(
        host, [user("ann", UID, OLD, **fields)],
        policies={"policy": policy or {}},
        certificate_file=directory.certificate("good"),
        front='sasl-host localhost\nauthz-regexp "uid=reader[^,]*,.*'
                 f'cn=gssapi,cn=auth" "{SERVICE}"\n',
        environment={**kdc.environment, "KRB5_KTNAME": f"FILE:{own}"},
        **(server or {}))
    by_ticket(host, made, **{"keytab": keytab, **(config or {})})
    host.add_elsewhere("ann", UID)
    return made


def by_ticket(host, server, **config):
    configure(host, server, **{"identity": "gssapi", "bind_dn": None,
                               "secret_file": None,
                               "ca_file": directory.CERTS / "ca.pem",
                               **config})


def bound_as(server, mark=0):
    return [line.split('dn="')[1].split('"')[0] for line in
            server.lines(mark).splitlines() if " BIND dn=" in line and
            "mech=GSSAPI" in line]


def test_ticket(host, kdc):
    server = serve_tickets(host, kdc)
    mark = server.mark()
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert bound_as(server, mark) == [SERVICE]
    assert server.count(mark).connections == 1
    assert server.count(mark).searches <= 2
    assert f"reader/host.example.org@{kerberos.REALM} for ldap/localhost" in \
        kdc.requests()
    assert log_in(host, "no").codes[0] == "AUTH_ERR"


def test_ticket_over_starttls(host, kdc):
    server = serve_tickets(host, kdc)
    by_ticket(host, server.plain.replace("localhost", "LocalHost"),
              keytab=kdc.dir / "reader.keytab")
    mark = server.mark()
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert bound_as(server, mark) == [SERVICE]
    assert " STARTTLS" in server.lines(mark)


def test_ticket_helps_out(host, kdc):
    """Who has no login left changes the password in the service's name."""
    server = serve_tickets(host, kdc, {"pwdMaxAge": 90 * DAY},
                           pwdChangedTime=stamp(100 * DAY))
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert server.lets_in(dn_of("ann"), NEW)


def test_host_keytab(host, kdc):
    serve_tickets(host, kdc)
    (ETC / "krb5.keytab").write_bytes(
        (kdc.dir / "reader.keytab").read_bytes())
    (ETC / "krb5.keytab").chmod(0o600)
    by_ticket(host, directory_of(host), keytab=None)
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())


def directory_of(host):
    return host.settings["backend corp"]["uri"]


def test_principal(host, kdc):
    """One of several that the keytab has keys of."""
    server = serve_tickets(host, kdc)
    both = kdc.keytab("both.keytab", "other", "reader/second")
    by_ticket(host, server, keytab=both)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert "other@" in kdc.requests()
    by_ticket(host, server, keytab=both, principal="reader/second")
    mark = server.mark()
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert bound_as(server, mark) == [SERVICE]
    by_ticket(host, server, keytab=both, principal="reader/third")
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    by_ticket(host, server, keytab=both,
              principal=f"reader/second@{kerberos.REALM}")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


@pytest.mark.parametrize("realm, word", [
    (kerberos.REALM, None), ("OTHER.ORG", "krbtgt/OTHER.ORG")])
def test_realm_of_the_server(host, kdc, realm, word):
    """As krb5.conf maps its name, and not as DNS says."""
    serve_tickets(host, kdc)
    with open(kerberos.CONF, "a", encoding="ascii") as conf:
        conf.write("[domain_realm]\nlocalhost = %s\n[libdefaults]\n"
                   "dns_lookup_realm = true\n" % realm)
    done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    if word is None:
        assert done.codes == ["SUCCESS"], (done, host.log.all())
    else:
        assert done.codes == ["AUTHINFO_UNAVAIL"]
        assert word in kdc.requests()


def test_environment_has_no_influence(host, kdc):
    serve_tickets(host, kdc)
    trace, cache = RUN / "trace", RUN / "cache"
    steps = [f"env:{name}={value}" for name, value in {
        "KRB5CCNAME": f"FILE:{cache}", "KRB5_CONFIG": "/nonexistent",
        "KRB5_KTNAME": "FILE:/nonexistent", "KRB5_TRACE": trace,
        "KRB5_CLIENT_KTNAME": "FILE:/nonexistent",
        "GSS_MECH_CONFIG": "/nonexistent", "SASL_PATH": "/nonexistent",
        "LDAPSASL_MECH": "PLAIN"}.items()]
    before = set(os.listdir("/tmp"))
    done = host.drive("probe", "ann", *steps, "auth", "acct", answers=[OLD],
                      rhost=PEER)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert not trace.exists() and not cache.exists()
    assert not [name for name in set(os.listdir("/tmp")) - before
                if name.startswith("krb5cc")]


def test_tools_by_ticket(host, kdc):
    """Publishing, and the survey of the backend."""
    server = serve_tickets(host, kdc)
    host.serve_states()
    mark = server.mark()
    host.publish()
    assert bound_as(server, mark) == [SERVICE]
    assert "acct-ok" in host.states("ann")
    shown = host.run("selfresetctl", "check", "--backend", "corp", "--json")
    assert '"identity": "gssapi"' in shown.stdout, shown
    assert '"accounts": 1' in shown.stdout, shown


def test_nothing_is_leaked(host, kdc):
    serve_tickets(host, kdc)
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    host.configure(backend_corp={"timeout": "60s"})  # all takes long under it
    log = RUN / "valgrind.log"
    log.unlink(missing_ok=True)
    done = host.drive("probe", "ann", "auth", "acct", answers=[OLD], rhost=PEER,
                      wrap=["valgrind", "-q", "--leak-check=full",
                            "--show-leak-kinds=definite",
                            f"--log-file={log}"])
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    text = log.read_text()
    assert "ldap_ticket" not in text and "ldap_gssapi" not in text, text
    assert "Invalid" not in text, text


def wrong_key(kdc):
    kdc.run("kadmin.local", "cpw", "-randkey", PRINCIPAL)
    return kdc.dir / "reader.keytab"


def garbage(kdc):
    path = kdc.dir / "garbage"
    path.write_text("no keytab")
    path.chmod(0o600)
    return path


def open_to_all(kdc):
    path = kdc.dir / "reader.keytab"
    path.chmod(0o644)
    return path


# What is wrong with the keytab, and a word of the reason in the log.
FAULTS = {
    "missing": (lambda kdc: kdc.dir / "nothing", "No such file"),
    "open": (open_to_all, "has mode 0644"),
    "wrong-key": (wrong_key, "Preauthentication failed"),
    "garbage": (garbage, "key table"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_keytabs(host, kdc, fault):
    make, word = FAULTS[fault]
    server = serve_tickets(host, kdc)
    by_ticket(host, server, keytab=make(kdc), timeout="3s")
    mark = server.mark()
    done = host.drive("probe", "ann", "auth", answers=[OLD])
    assert done.codes == ["AUTHINFO_UNAVAIL"], done
    assert CONTACT in done.said
    assert host.log.with_text(word), host.log.all()
    assert server.count(mark).binds == 0


def test_unknown_service(host, kdc):
    """The server lets the ticket in, and knows nobody by it."""
    server = serve_tickets(host, kdc, server={
        "access": f'access to * by dn="{SERVICE}" read by anonymous auth '
                  "by * none\n"})
    by_ticket(host, server, keytab=kdc.keytab("else.keytab", "else"))
    mark = server.mark()
    done = host.drive("probe", "ann", "auth", answers=[OLD])
    assert done.codes == ["AUTHINFO_UNAVAIL"], (done, host.log.all())
    assert [name.startswith("uid=else,") for name in
            bound_as(server, mark)] == [True]


def test_no_ticket_for_the_first_server(host, kdc):
    server = serve_tickets(host, kdc)
    other = f"ldaps://127.0.0.1:{server.tls_port}"  # the KDC knows no such name
    by_ticket(host, f"{other} {server.uri}", keytab=kdc.dir / "reader.keytab")
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    by_ticket(host, other, keytab=kdc.dir / "reader.keytab")
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    assert host.log.with_text("not found in Kerberos database")


@pytest.mark.parametrize("how", ["stopped", "away"])
def test_kdc_is_away(host, kdc, how):
    serve_tickets(host, kdc, config={"timeout": "2s"})
    if how == "stopped":
        kdc.pause()
    else:
        kdc.stop()
    try:
        done = host.drive("probe", "ann", "auth", answers=[OLD])
    finally:
        if how == "stopped":
            kdc.resume()
        else:
            kdc.start()
    assert done.codes == ["AUTHINFO_UNAVAIL"]
    assert host.log.with_text(f"no KDC of {kerberos.REALM}")
    assert done.times[0] < 3.9e9, done.times
    assert how == "away" or done.times[0] > 1.5e9
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()


def test_second_kdc(host, kdc):
    """One that does not answer leaves time for the next."""
    serve_tickets(host, kdc, config={"timeout": "4s"})
    with listen() as silent:
        kerberos.configure("tcp/127.0.0.1:%d" % silent.getsockname()[1],
                           kdc.address)
        done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert done.times[0] > 0.5e9, "the first was not asked"


def test_lying_kdc(host, kdc):
    """Garbage, or a length that nothing has."""
    serve_tickets(host, kdc, config={"timeout": "3s"})
    with listen() as liar:
        threading.Thread(target=lie, args=(liar,), daemon=True).start()
        kerberos.configure("127.0.0.1:%d" % liar.getsockname()[1])
        for _ in range(2):
            done = host.drive("probe", "ann", "auth", answers=[OLD])
            assert done.codes == ["AUTHINFO_UNAVAIL"], (done, host.log.all())
            assert done.times[0] < 2e9


def lie(server):
    for text in (struct.pack("!I", 5) + b"\x7e\x03abc",
                 struct.pack("!I", 0xfffffff0) + b"x"):
        peer, _ = server.accept()
        with peer:
            peer.recv(1 << 16)
            peer.sendall(text)


def test_server_that_shows_nothing(host, kdc):
    """A success before the server has proved to be the ticket's is none."""
    serve_tickets(host, kdc)
    with listen() as liar:
        threading.Thread(target=accept_all, args=(liar,), daemon=True).start()
        by_ticket(host, "ldap://localhost:%d" % liar.getsockname()[1],
                  keytab=kdc.dir / "reader.keytab", insecure="yes",
                  timeout="3s")
        done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["AUTHINFO_UNAVAIL"]
    assert host.log.with_text("does not accept the service's ticket"), \
        host.log.all()


def accept_all(server):
    """Every request is answered with a bind that succeeded."""
    peer, _ = server.accept()
    with peer:
        while True:
            request = peer.recv(1 << 16)
            if not request:
                return
            identity = request[request.index(b"\x02\x01") + 2]
            peer.sendall(bytes([0x30, 12, 2, 1, identity, 0x61, 7, 10, 1, 0, 4,
                                0, 4, 0]))


def test_kdc_by_dns(host, kdc):
    serve_tickets(host, kdc, config={"timeout": "4s"})
    kerberos.configure()
    with NameServer(srv(f"_kerberos._tcp.{kerberos.REALM}", kdc.port)):
        done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())


# ---- name servers

class NameServer:
    """Answers one question for ever, or with nothing to say never a one."""

    ADDRESS = "127.41.7.53"

    def __init__(self, answer=None):
        self.answer = answer
        self.asked = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.ADDRESS, 53))

    def __enter__(self):
        (ETC / "resolv.conf").write_text(f"nameserver {self.ADDRESS}\n")
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.answer = None
        self.socket.sendto(b"", (self.ADDRESS, 53))
        self.socket.close()

    def run(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            if not question:
                return
            self.asked += 1
            if self.answer is not None:
                self.socket.sendto(self.answer(question), peer)


def srv(name, *records):
    """An answer: ports of localhost, or priorities, ports and hosts."""
    def data_of(record):
        priority, port, host = (0, record, "localhost") \
            if isinstance(record, int) else record
        labels = b"".join(bytes([len(part)]) + part.encode()
                          for part in host.split(".") if part)
        return struct.pack("!HHH", priority, 0, port) + labels + b"\0"

    def answer(question):
        end = question.index(b"\0", 12) + 5
        asked = question[12:end]
        wanted = b"".join(bytes([len(part)]) + part.encode()
                          for part in name.split("."))
        found = [data_of(record) for record in records] \
            if asked.lower().startswith(wanted.lower()) else []
        return (question[:2] + struct.pack("!HHHHH", 0x8180 if found else
                                           0x8183, 1, len(found), 0, 0) +
                asked + b"".join(
                    b"\xc0\x0c" + struct.pack("!HHIH", 33, 1, 60, len(data)) +
                    data for data in found))
    return answer


def test_silent_name_server(host):
    """What resolv.conf allows a name server is longer than a login may take."""
    server = Slapd(host, [user("ann", UID, OLD)])
    host.add_elsewhere("ann", UID)
    (ETC / "nsswitch.conf").write_text(
        host_names(files_and_dns=True))
    elsewhere = "ldap://ldap.nowhere.example"
    with NameServer() as names:
        configure(host, elsewhere, timeout="4s")
        done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
        assert done.codes == ["AUTHINFO_UNAVAIL"]
        assert names.asked > 0
        assert done.times[0] < 7e9, done.times
        configure(host, f"{elsewhere} {server.local}", timeout="6s")
        done = log_in(host)
        assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
        assert done.times[0] < 5e9, done.times


def host_names(files_and_dns):
    text = (ETC / "nsswitch.conf").read_text()
    return text.replace("hosts: files", "hosts: files dns"
                        if files_and_dns else "hosts: files")


# ---- servers that kept somebody waiting

def silent_links():
    if not os.path.isdir("/run/selfreset"):
        return []
    return [path for path in os.listdir("/run/selfreset")
            if path.startswith("silent:")]


def two_servers(host, timeout="6s"):
    first = Slapd(host, [user("ann", UID, OLD)])
    second = Slapd(host, [user("ann", UID, OLD)])
    host.add_elsewhere("ann", UID)
    configure(host, f"{first.uri} {second.uri}", timeout=timeout)
    return first, second


def test_silent_server_is_remembered(host):
    first, second = two_servers(host)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert silent_links() == []
    first.pause()
    try:
        done = log_in(host)
        assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
        assert 1e9 < done.times[0] < 5e9, done.times
        done = log_in(host)
        assert done.codes == ["SUCCESS", "SUCCESS"]
        assert done.times[0] < 2e9, "the dead server was waited for again"
    finally:
        first.resume()
    # While it is remembered the other one is asked; when it is the last that
    # is left, it is asked all the same, and then it is as good as any.
    mark = first.mark()
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert first.count(mark).searches == 0
    second.stop()
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert done.times[0] < 2e9
    assert silent_links() == []


def test_memory_ends(host):
    first, _ = two_servers(host, timeout="3s")
    first.pause()
    try:
        log_in(host)
    finally:
        first.resume()
    assert len(silent_links()) == 1
    mark = first.mark()
    assert log_in(host, ahead=61).codes == ["SUCCESS", "SUCCESS"]
    assert first.count(mark).searches > 0


def test_user_cannot_speak_ill_of_a_server(host):
    """Who can stop a set-user-ID program can have its time pass."""
    first, _ = two_servers(host, timeout="3s")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    first.pause()
    try:
        done = host.drive("probe", "ann", "acct", real_uid=UID)
    finally:
        first.resume()
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert silent_links() == []


# ---- nobody but the user

CLOSED = """\
access to attrs=userPassword by self write by anonymous auth by * none
access to dn.base="{policy}" by users read by * none
access to * by self read by * none
""".format(policy=directory.POLICY)
USER_DN = f"uid=%u,{PEOPLE}"


def serve_closed(host, policy=None, users=None, access=CLOSED, config=None,
                 **fields):
    """A directory that shows entries to their owners only."""
    server = Slapd(host, users or [user("ann", UID, OLD, **fields)],
                   policies={"policy": policy or {}}, access=access)
    configure(host, server, **{"identity": None, "bind_dn": None,
                               "secret_file": None, "user_dn": USER_DN,
                               **(config or {})})
    for entry in users or [{"uid": "ann", "uidNumber": UID}]:
        host.add_elsewhere(entry["uid"], entry["uidNumber"])
    return server


def test_closed_directory(host):
    server = serve_closed(host, {"pwdMaxAge": 90 * DAY,
                                 "pwdExpireWarning": 7 * DAY},
                          pwdChangedTime=stamp(85 * DAY))
    mark = server.mark()
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert "expires in" in done.said
    counts = server.count(mark)
    assert (counts.connections, counts.binds) == (1, 1)
    assert counts.searches <= 3
    wrong = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert wrong.codes == ["AUTH_ERR"] and wrong.said == ""
    # A login by key: nobody can say that the account is in order.
    key = host.drive("probe", "ann", "acct", rhost=PEER)
    assert key.codes == ["AUTHINFO_UNAVAIL"]
    assert CONTACT in key.said
    # A name that the name service does not know is none, and a bind is made.
    mark = server.mark()
    done = host.drive("probe", "eve", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["USER_UNKNOWN"]
    assert server.count(mark).binds == 1


def test_closed_is_published(host):
    """What a login by password found stays, and one by key finds nothing."""
    host.serve_states()
    serve_closed(host)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert "acct-ok" in host.states("ann")
    key = host.drive("probe", "ann", "acct", rhost=PEER)
    assert key.codes == ["AUTHINFO_UNAVAIL"]
    assert "acct-ok" in host.states("ann")
    # They cannot be listed: what is known of them is kept.
    assert host.run("selfreset-publish").returncode == 8
    assert "acct-ok" in host.states("ann")


@pytest.mark.parametrize("method", ["keyboard-interactive", "password"])
def test_closed_by_sshd(host, method):
    serve_closed(host, {"pwdMaxAge": 90 * DAY, "pwdExpireWarning": 7 * DAY},
                 pwdChangedTime=stamp(85 * DAY))
    with ssh(host, "echo in as $(id -un)", method=method) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert "in as ann" in shown, (shown, host.log.all())
    assert "expires in" in shown
    host.give_key("ann")
    with ssh(host, "echo in as $(id -un)", method="publickey") as talk:
        shown = talk.rest()
    assert "in as ann" not in shown


def test_closed_change_by_sshd(host):
    server = serve_closed(host, {"pwdMustChange": "TRUE"}, pwdReset="TRUE")
    with ssh(host, "echo in as $(id -un)") as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        assert "in as ann" in talk.rest(), host.log.all()
    assert server.lets_in(dn_of("ann"), NEW)


def test_closed_is_surveyed(host):
    serve_closed(host)
    done = host.run("selfresetctl", "check", "--backend", "corp", "--json")
    assert "seen by their owners only" in done.stdout, done
    assert "does not exist" not in done.stdout
    assert "No account is found" not in done.stdout


@pytest.mark.parametrize("state, code", [
    ("expired", "AUTHTOK_EXPIRED"), ("grace", "SUCCESS"),
    ("must-change", "NEW_AUTHTOK_REQD"), ("ended", None), ("plain", "SUCCESS")])
def test_closed_states(host, state, code):
    entry, policy = {
        "expired": ({"pwdChangedTime": stamp(100 * DAY)},
                    {"pwdMaxAge": 90 * DAY}),
        "grace": ({"pwdChangedTime": stamp(100 * DAY)},
                  {"pwdMaxAge": 90 * DAY, "pwdGraceAuthNLimit": 3}),
        "must-change": ({"pwdReset": "TRUE"}, {"pwdMustChange": "TRUE"}),
        "ended": ({"pwdEndTime": stamp(60)}, {"pwdLockout": "TRUE"}),
        "plain": ({}, {}),
    }[state]
    serve_closed(host, policy, **entry)
    done = log_in(host)
    assert done.codes[0] == ("AUTH_ERR" if code is None else "SUCCESS"), (
        done, host.log.all())
    if code is not None:
        assert done.codes[1] == code, (done, host.log.all())


def test_closed_shadow(host):
    """Nobody but the entry itself says that the account has ended."""
    serve_closed(host, shadowExpire=1)
    assert log_in(host).codes == ["ACCT_EXPIRED", "ACCT_EXPIRED"]


def test_closed_change(host):
    server = serve_closed(host, {"pwdMinLength": 8, "pwdCheckQuality": 2,
                                 "pwdSafeModify": "TRUE"})
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert "at least 8 characters" in done.said
    assert server.lets_in(dn_of("ann"), NEW)
    assert change(host, "no", OLD, OLD).codes == ["AUTH_ERR"]
    server.modify(dn_of("ann"), "replace: pwdReset\npwdReset: TRUE", relax=True)


def test_closed_change_at_login(host):
    server = serve_closed(host, {"pwdMustChange": "TRUE"}, pwdReset="TRUE")
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert len(done.prompts) == 3
    assert server.lets_in(dn_of("ann"), NEW)


def test_closed_change_that_is_too_soon(host):
    serve_closed(host, {"pwdMinAge": 3600}, pwdChangedTime=stamp(60))
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["AUTHTOK_ERR"], (done, host.log.all())
    assert len(done.prompts) == 1, "a new password was asked for"
    assert not host.log.with_text("SR-1011"), "a change was begun"


def test_closed_is_locked_out(host):
    host.configure(lockout={"attempts": 2})
    serve_closed(host)
    for _ in range(2):
        assert log_in(host, "no").codes[0] == "AUTH_ERR"
    done = log_in(host)
    assert done.codes[0] == "AUTH_ERR" and "locked" in done.said


def test_anonymous_reading(host):
    """What everybody may read is judged without a password, too."""
    server = serve_closed(host, {"pwdMaxAge": 90 * DAY},
                          access=directory.ACCESS,
                          pwdChangedTime=stamp(100 * DAY))
    key = host.drive("probe", "ann", "acct", rhost=PEER)
    assert key.codes == ["AUTHTOK_EXPIRED"], (key, host.log.all())
    mark = server.mark()
    assert log_in(host).codes == ["SUCCESS", "AUTHTOK_EXPIRED"]
    # The entry, the policy, and which server says "expired".
    assert server.count(mark).searches <= 3


def test_bare_entry(host):
    """Everybody sees that it is there, and nothing of what counts."""
    access = CLOSED.replace("access to *", "access to attrs=entry,uid,cn,"
                            "objectClass by * read\naccess to *")
    serve_closed(host, access=access, shadowExpire=1)
    key = host.drive("probe", "ann", "acct", rhost=PEER)
    assert key.codes == ["AUTHINFO_UNAVAIL"], (key, host.log.all())
    assert log_in(host).codes[0] == "ACCT_EXPIRED"


def test_other_uid(host):
    serve_closed(host, users=[{**user("ann", UID, OLD), "uidNumber": UID}])
    host.add_elsewhere("bob", UID + 5)
    server = serve_closed(host, users=[
        {**user("bob", UID + 6, OLD)}], config={"timeout": "3s"})
    lines = (ETC / "passwd").read_text().splitlines()
    (ETC / "passwd").write_text("\n".join(
        line for line in lines if not line.startswith(f"bob:x:{UID + 6}:")) +
        "\n")
    done = host.drive("probe", "bob", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["AUTHINFO_UNAVAIL"], (done, host.log.all())
    assert host.log.with_text("is not the uid of the name service")
    assert server.lets_in(dn_of("bob"), OLD)


def test_other_name(host):
    """The directory does not tell the two apart; this host does."""
    serve_closed(host)
    host.add_elsewhere("ANN", UID)
    done = host.drive("probe", "ANN", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["AUTHINFO_UNAVAIL"], (done, host.log.all())
    assert host.log.with_text("has another name")


# As they are typed, and as they stand in a DN.
ODD = {"a,b": r"a\,b", "a+b": r"a\+b", "a b": "a b", 'a"b': r"a\"b",
       "a\\b": r"a\\b", "a;b": r"a\;b", "a<b>": r"a\<b\>", "a=b": "a=b",
       "ä": "ä", "a*": "a*", "a)(uid=*": "a)(uid=*", "b#c": "b#c"}


def test_odd_names(host):
    users = [{**user(name, UID + number, OLD),
              "dn": f"uid={escaped},{PEOPLE}"}
             for number, (name, escaped) in enumerate(ODD.items())]
    serve_closed(host, users=users)
    for name in ODD:
        done = host.drive("probe", name, "auth", "acct", answers=[OLD],
                          rhost=PEER)
        assert done.codes == ["SUCCESS", "SUCCESS"], (name, done,
                                                      host.log.all())
    # These would be other entries, were they not escaped.
    for name in (f"ä,{PEOPLE}", "ä+cn=ä", "\\c3\\a4", "a\\2cb", ""):
        done = host.drive("probe", name, "auth", answers=[OLD], rhost=PEER)
        assert done.codes == ["USER_UNKNOWN"], (name, done)


# ---- long names

def test_long_dn(host):
    """Nothing is said of how long a DN may be."""
    above, units = PEOPLE, []
    for letter in "abcdefghij":
        above = f"ou={letter * 64},{above}"
        units.append({"dn": above, "objectClass": "organizationalUnit",
                      "ou": letter * 64})
    entry = {**user("ann", UID, OLD), "dn": f"uid=ann,{above}"}
    assert len(entry["dn"]) > 600
    server = Slapd(host, [*units, entry])
    configure(host, server)
    host.add_elsewhere("ann", UID)
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert change(host, OLD, NEW, NEW).codes == ["SUCCESS"]
    assert server.lets_in(entry["dn"], NEW)
    shown = host.run("selfresetctl", "status", "ann")
    assert entry["dn"] in shown.stdout.replace("\n", ""), shown
    assert BASE in shown.stdout


# ---- 389 Directory Server

SELF = ('(targetattr="*")(version 3.0; acl "own"; allow (read, search) '
        'userdn="ldap:///self";)')


@pytest.fixture(scope="module")
def ds389():
    if not directory389.have_server():
        pytest.skip("389-ds-base is not installed")
    server = directory389.DirectoryServer()
    yield server
    server.stop()


@pytest.mark.parametrize("policy, reset, fields, code, key", [
    ({"passwordExp": "on"}, False, {"passwordExpirationTime": stamp(-3600)},
     "SUCCESS", "expires in"),
    ({"passwordExp": "on"}, False, {"passwordExpirationTime": stamp(3600)},
     "AUTHTOK_EXPIRED", "expired"),
    ({"passwordMustChange": "on"}, True, {}, "NEW_AUTHTOK_REQD",
     "has to be changed"),
], ids=["expiring", "expired", "must-change"])
def test_closed_389(host, ds389, policy, reset, fields, code, key):
    ds389.fresh()
    ds389.replace(BASE, aci=SELF)
    configure(host, ds389, identity=None, bind_dn=None, secret_file=None,
              user_dn=USER_DN, default_policy="cn=config")
    host.add_elsewhere("ann", UID)
    ds389.policy(**policy)
    ds389.add({**user("ann", UID, OLD), "userPassword": OLD})
    if reset:
        ds389.replace(dn_of("ann"), userPassword=OLD)
    if fields:
        ds389.replace(dn_of("ann"), **fields)
    try:
        alone = host.drive("probe", "ann", "acct", rhost=PEER)
        assert alone.codes == ["AUTHINFO_UNAVAIL"], (alone, host.log.all())
        done = log_in(host)
    finally:
        ds389.replace(BASE, aci=directory389.ACI)
    assert done.codes == ["SUCCESS", code], (done, host.log.all())
    assert key in done.said
    assert host.drive("probe", "ann", "auth",
                      answers=["no"]).codes == ["AUTH_ERR"]
