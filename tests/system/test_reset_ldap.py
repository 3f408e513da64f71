"""Self-service reset of accounts in a directory: the server's own policy holds,
its lock and its demand for a change are ended, and nothing is said to be changed
that it did not take.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import base64
import json
import re
import threading
import time

import pytest

import directory
import directory389
import helper
import test_shared_lockout
from directory import BASE, SERVICE, Slapd, dn_of, stamp, user
from scratch import ETC, RUN, STATE, wait_until
from test_ldap import OLD, PEER, UID, configure, log_in, serve
from test_ldap_admin import GOOD, POLICY_GOOD, values
from test_reset import (NUMBER, Flow, Gateway, Person, Post, app_code, events,
                        gate_of, is_away_for, reset, sent_code)
from test_reset_keys import SshKey, give, run, try_key

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

FRESH = "an umbrella for rainy days"


class InDirectory(Person):
    """ann of the directory."""

    def __init__(self, host):  # pylint: disable=super-init-not-called
        self.host, self.me, self.password = host, f"--uid={UID}", OLD
        self.codes, self.key = [], None
        host.configure(reset={"enable": "yes", "new_gate_wait": "0"})

    def prove(self, flow):
        self.choose(flow, "recovery codes", self.codes.pop(0))
        self.choose(flow, "authenticator app", app_code(self.key))
        return flow


def by_ticket(host, name, until=lambda: None):
    """A reset of an account, proved by a ticket, which is enough.  `until`: what
    happens once there is one."""
    host.configure(reset={"enable": "yes", "gates": "1"})
    done = host.run("selfresetctl", "ticket", name)
    assert done.returncode == 0, [x for x in host.log.all() if "slapd" not in x]
    until()
    flow = reset(host, name)
    return Person.choose(None, flow, "a ticket", done.stdout.strip())


@pytest.mark.parametrize("demanded", [False, True])
def test_a_password_of_a_directory_is_reset(host, demanded):
    server = serve(host, POLICY_GOOD, server=GOOD)
    ann = InDirectory(host).enroll()
    if demanded:
        assert host.run("selfresetctl", "must-change", "ann").returncode == 0
    flow = ann.prove(reset(host))
    flow.answer(FRESH, FRESH)
    assert flow.end == 0 and "changed and checked" in flow.said, flow.text
    assert server.lets_in(dn_of("ann"), FRESH)
    assert values(server, "ann", "pwdReset") == []
    assert log_in(host, FRESH).codes == ["SUCCESS", "SUCCESS"]
    assert len(events(host, "SR-1002")) == 1


@pytest.mark.parametrize("with_password", [False, True])
def test_a_lock_of_the_directory_is_ended(host, with_password):
    server = serve(host, {**POLICY_GOOD, "pwdLockoutDuration": 900},
                   server=GOOD)
    ann = InDirectory(host).enroll()
    server.modify(dn_of("ann"), "replace: pwdAccountLockedTime\n"
                  f"pwdAccountLockedTime: {stamp(60)}", relax=True)
    assert log_in(host).codes[0] == "AUTH_ERR"
    flow = ann.prove(reset(host))
    assert "is locked" in flow.said, flow.text
    if with_password:
        flow.answer("2", FRESH, FRESH)
    else:
        flow.answer("1")
    assert flow.end == 0, flow.text
    assert values(server, "ann", "pwdAccountLockedTime") == []
    assert log_in(host, FRESH if with_password else OLD).codes == [
        "SUCCESS", "SUCCESS"]


def test_the_rules_of_the_directory_hold(host):
    server = serve(host, {**POLICY_GOOD, "pwdMinLength": 30,
                          "pwdCheckQuality": 2}, server=GOOD)
    ann = InDirectory(host).enroll()
    flow = ann.prove(reset(host))
    flow.answer(FRESH, FRESH)
    if flow.end is None:  # the server has refused it; a longer one is taken
        assert "New password" in flow.asked
        longer = FRESH + " in the old harbour"
        flow.answer(longer, longer)
        assert flow.end == 0 and server.lets_in(dn_of("ann"), longer)
    else:  # an identity that is exempt from the policy
        assert server.lets_in(dn_of("ann"), FRESH)


def test_a_directory_that_is_away_is_said_before_any_proof(host):
    server = serve(host, POLICY_GOOD, server=GOOD)
    ann = InDirectory(host).enroll()
    bob = Person(host, "bob").enroll()
    begun = ann.prove(reset(host))
    server.stop()
    assert is_away_for(host, "ann", "bob", "nobody1")
    # The host's own accounts are reset; no code of others is used up.
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Not accepted." in flow.text
    flow.leave()
    flow = InDirectory.prove(bob, reset(host, "bob")).answer(FRESH, FRESH)
    assert flow.end == 0, flow.text
    # But where the directory is asked first, a name may be one of it.
    host.configure(selfreset={"backends": "corp local"})
    flow = reset(host, "bob")
    assert flow.end == 1 and "cannot be reached" in flow.said
    host.configure(selfreset={"backends": "local corp"})
    begun.answer(FRESH, FRESH)
    assert begun.end == 1 and "changed and checked" not in begun.said
    server.start()
    assert server.lets_in(dn_of("ann"), OLD)
    assert events(host, "SR-1003") and len(events(host, "SR-1002")) == 1
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes.pop(0))
    assert "Accepted." in flow.text


def put(server, attribute, *values):
    """Replace the values of ann's attribute, whatever bytes they have."""
    server.modify(dn_of("ann"), f"replace: {attribute}\n" + "\n".join(
        f"{attribute}:: {base64.b64encode(value).decode()}"
        for value in values))


def enroll_known(ann, words, *answers):
    """Until the question for an address."""
    flow = ann.flow("enroll").answer(OLD, "1", ann.codes.pop(0), *answers)
    ann.choose(flow, words)
    return flow


def test_what_a_directory_has_is_proposed_and_then_proved(host):
    server = serve(host, POLICY_GOOD, server=GOOD)
    gateway = Gateway(host, "sms", "mail")
    post = Post(host)
    host.configure(reset={"mail_refuse": "own.example",
                          "mail_attributes": "mail description"})
    ann = InDirectory(host)
    ann.enroll_codes()
    # What is no number, and one that may not be called.
    put(server, "mobile", b"0151 234567", b"+49 (0)151 234567", b"+1 555 0100100",
        b"+49 151 23456789 ext. 5", NUMBER.encode())
    flow = enroll_known(ann, "by SMS")
    assert f"The directory has {NUMBER}." in flow.said
    assert "234567 " not in flow.said and "555" not in flow.said
    # A number that nobody has proved to have is none.
    flow.answer("")
    gateway.next(1)
    flow.answer("1234 5678").leave()
    assert "SMS" not in ann.flow("status").said
    flow = enroll_known(ann, "by SMS").answer("")
    flow.answer(sent_code(gateway.next(2)[-1]))
    assert flow.end == 0, flow.text
    found = gate_of(host, "ann")
    assert found["number"] == "+49*********89"
    assert found["address_1"]["directory"] == "same"

    # The proposals are numbered, bad ones cost only themselves.
    put(server, "mail", b"ann@own.example", b"no address", b"x@y\r\nBcc: z@y",
        b"ann\x1b[2J@mail.example", b"a" * 65536 + b"@mail.example",
        b"-ann@mail.example",
        b"ann@mail.example", b"ann@home.example")
    put(server, "description", b"ANN@mail.example")
    flow = enroll_known(ann, "code by mail")
    shown = re.findall(r"^ *\d  (\S+@\S+)$", flow.text.split("these.")[1], re.M)
    assert shown == ["ann@mail.example", "ann@home.example"], flow.text
    flow.answer("2")
    letter = post.next(1)
    assert "To: <ann@home.example>" in letter
    flow.answer(post.code(letter))
    assert flow.end == 0, flow.text

    # The directory has another number now: that is told, and the number serves
    # until its owner has answered.
    put(server, "mobile", b"+43 664 1234567")
    assert gate_of(host, "ann")["address_1"]["directory"] == "changed"
    assert gate_of(host, "ann")["usable"]
    assert "directory does not have it any more" in ann.flow("status").said
    flow = ann.flow("enroll").answer(OLD, "1", ann.codes.pop(0))
    assert "directory does not have it any more" in flow.said
    flow.answer("2")
    ann.choose(flow, "by SMS")
    assert "The directory has +436641234567." in flow.said
    flow.leave()
    # Nor is one told of that the directory does not show at all.
    server.stop()
    assert "does not have it" not in ann.flow("status").said


# The schema that directories take for public keys, and that of Active Directory.
KEY_SCHEMA = """\
attributetype ( 1.3.6.1.4.1.24552.500.1.1.1.13 NAME 'sshPublicKey' \
EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
attributetype ( 1.2.840.113556.1.4.867 NAME 'altSecurityIdentities' \
EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.24552.500.1.1.2.0 NAME 'ldapPublicKey' SUP top \
AUXILIARY MAY ( sshPublicKey $ altSecurityIdentities ) )
"""


def make_keys(folder, count):
    for number in range(count):
        (folder / str(number)).mkdir()
        yield SshKey(folder / str(number), "ed25519")


def test_keys_of_a_directory(host, tmp_path):
    """They are proposed, count once their owner has signed, and are revoked by
    being taken out there."""
    keys = list(make_keys(tmp_path, 4))
    server = serve(host, POLICY_GOOD, server={**GOOD, "front": KEY_SCHEMA},
                   objectClass=["inetOrgPerson", "posixAccount",
                                "shadowAccount", "ldapPublicKey"])
    ann = InDirectory(host)
    ann.enroll_codes()
    run("ssh-keygen", "-q", "-s", keys[0].path, "-I", "x", "-n", "ann",
        keys[3].path.with_suffix(".pub"))
    certificate = (keys[3].path.parent / "key-ed25519-cert.pub").read_bytes()
    public = [key.public.encode() for key in keys]
    put(server, "sshPublicKey", b"no key", certificate.strip(),
        b'command="x" ' + public[3], b"\xff\xfe\x1b[2J", b"ssh-rsa " + b"A" * 70000,
        b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQM=", public[3] + b"\0",
        b"# ann's\n" + public[0] + b"\r\n\n" + public[1] + b" again\n", public[0])
    put(server, "altSecurityIdentities", b"X509:<I>CN=x", b"SSHKey:" + public[2])

    def enroll(proof, number, *signers):
        flow = ann.flow("enroll").answer(OLD, "1", proof)
        ann.choose(flow, "ssh key")
        shown = re.findall(r"^ *(\d)  ssh-ed25519 ... (\S+)$", flow.text, re.M)
        flow.answer(str(number))
        for key in signers:
            give(flow, key)
        return flow, [end for _, end in shown]

    # By itself a key of the directory is of no use, whoever wrote it there.
    assert "Not accepted." in try_key(ann, keys[0])[1]
    flow, shown = enroll(ann.codes.pop(0), 1, *keys[1:])
    assert shown == [key.public.split()[1][-12:] for key in keys[:3]], flow.text
    assert flow.end == 1 and "Nothing was changed" in flow.said
    for number in range(3):
        assert enroll(ann.codes.pop(0), number + 1, keys[number])[0].end == 0
    assert "Accepted." in try_key(ann, keys[2])[1]
    assert gate_of(host, "ann", "key")["key_3"] == {"kind": "ssh-ed25519",
                                                    "directory": "same"}
    assert "does not have it" not in ann.flow("status").said

    # Taken out, and others put in.
    put(server, "altSecurityIdentities", b"SSHKey:" + public[3])
    assert "Not accepted." in try_key(ann, keys[2])[1]
    assert "Accepted." in try_key(ann, keys[0])[1]
    assert gate_of(host, "ann", "key")["key_3"]["directory"] == "changed"
    assert "so it cannot be used" in ann.flow("status").said
    # Its place is free.
    assert enroll(ann.codes.pop(0), 3, keys[3])[0].end == 0
    assert "Accepted." in try_key(ann, keys[3])[1]

    # What cannot be asked is not accepted, and not counted.
    flow = reset(host)
    ann.choose(flow, "ssh key")
    server.stop()
    give(flow, keys[0])
    assert "does not count" in flow.said and "ccepted" not in flow.said
    assert events(host, "SR-3002")
    server.start()
    host.configure(reset={"key_attributes": ""})
    put(server, "sshPublicKey")
    assert "Accepted." in try_key(ann, keys[0])[1]
    assert "Public key" in enroll(ann.codes.pop(0), "x")[0].asked


def refused(host, *names):
    """Every name is answered the same, and nothing can be reset."""
    flows = [reset(host, name) for name in names]
    assert {flow.end for flow in flows} == {1}, [flow.text for flow in flows]
    return "Nothing was done" in flows[0].said and len(
        {flow.text.replace(flow.ref, "REF") for flow in flows}) == 1


def test_what_groups_of_a_directory_that_is_away_decide(host):
    """Whether an account of the host is in one cannot be found out then."""
    server = serve(host, POLICY_GOOD, server=GOOD)
    bob = Person(host, "bob", groups=("staff",))
    host.configure(reset={"enable": "yes", "new_gate_wait": "0", "gates": "1"})
    bob.enroll()
    server.stop()
    # It may be an administrator.
    flow = bob.choose(reset(host, "bob"), "recovery codes", bob.codes.pop(0))
    assert "One more proof" in flow.said, flow.text
    flow.leave()
    for section, key, value in (("reset", "groups", "@{}"),
                                ("reset group:{}", "classes", "app"),
                                ("change", "protected", "@{}")):
        for group, decides in (("far", refused), ("staff", is_away_for)):
            where = section.format(group)
            host.configure(**{where: {key: value.format(group)}})
            assert decides(host, "bob", "ann", "nobody1"), (where, key)
            del host.settings[where][key]
    host.configure()
    server.start()
    flow = bob.choose(reset(host, "bob"), "recovery codes", bob.codes.pop(0))
    assert "New password" in flow.asked, flow.text


def test_own_flows_while_a_directory_is_away(host):
    """They tell nobody anything."""
    server = serve(host, POLICY_GOOD, server=GOOD)
    ann, bob = InDirectory(host).enroll(), Person(host, "bob").enroll()
    server.stop()
    assert "recovery codes" in bob.flow("status").said
    flow = bob.flow("remove").answer(OLD, "1", app_code(bob.key))
    bob.choose(flow, "recovery codes")
    assert flow.end == 0, flow.text
    bob.enroll_codes("1", app_code(bob.key, "30 seconds"))
    assert bob.flow("report", "K7Q4-2MXP").end == 0
    for kind in "status", "enroll":
        flow = ann.flow(kind)
        assert flow.end == 1 and "cannot be reached" in flow.said, flow.text
    # What only this host keeps does not need that the directory takes changes.
    conf = server.dir / "slapd.conf"
    conf.write_text(conf.read_text().replace("database mdb\n",
                                             "database mdb\nreadonly on\n"))
    server.start()
    assert "recovery codes" in ann.flow("status").said
    assert ann.flow("report", "K7Q4-2MXP").end == 0
    assert ann.flow("enroll").end == 1


def test_a_directory_that_hangs_does_not_use_up_the_floor(host):
    server = serve(host, POLICY_GOOD, server=GOOD,
                   config={"timeout": "2s"})
    host.configure(reset={"enable": "yes"}, lockout={"delay": "2s"})
    server.pause()
    begin = time.monotonic()
    flow = Flow(host, "reset").answer("nobody1")
    assert time.monotonic() - begin >= 3.9
    assert flow.end is None and "cannot be reached" in flow.said, flow.text


def test_a_name_is_not_told_by_the_fault_of_its_entry(host):
    server = Slapd(host, [user("ann", UID, OLD),
                          user("odd", UID + 1, OLD, cn=[
                              f"called {n}" for n in range(1100)])],
                   policies={"policy": POLICY_GOOD}, **GOOD)
    configure(host, server)
    host.configure(reset={"enable": "yes"})

    def are_told(*names):
        flows = [reset(host, name).answer("2", "AAAAA-AAAAA-AAAAA")
                 for name in names]
        said = {flow.text.replace(flow.ref, "REF") for flow in flows}
        assert len(said) == 1 and "Not accepted." in said.pop()

    are_told("ann", "odd", "nobody1")
    assert [line for line in host.log.all() if "too many values" in line]
    # The name service cannot be asked, which the directory's accounts need.
    host.add("bob", OLD)
    host.nsswitch(passwd="files leaky")
    with host.leaky_module():
        are_told("ann", "odd", "nobody1", "bob")
        (RUN / "broken").touch()
        try:
            assert is_away_for(host, "ann", "odd", "nobody1", "bob")
            host.configure(selfreset={"backends": "corp"})
            assert refused(host, "ann", "odd", "nobody1", "bob")
        finally:
            (RUN / "broken").unlink()


def test_a_name_alone_changes_nothing(host):
    """Whatever the password is, and though the right to set it is tried."""
    server = serve(host, POLICY_GOOD, server=GOOD, userPassword="absent")
    host.configure(reset={"enable": "yes"})
    Flow(host, "reset").answer("ann").leave()
    assert values(server, "ann", "userPassword") and server.lets_in(
        dn_of("ann"), "absent")


def test_a_login_that_counts_gates_asks_for_no_right(host):
    server = serve(host, POLICY_GOOD, server=GOOD)
    host.configure(reset={"enable": "yes", "nag": "yes"},
                   change={"logon_services": "probe"})
    helper.start(host)
    mark = server.mark()
    done = host.drive("probe", "ann", "auth", "acct", "open", answers=[OLD],
                      rhost=PEER)
    assert "selfreset enroll" in done.said, done
    assert server.count(mark).modifications == 0


def test_a_directory_that_takes_no_changes_is_said_for_every_name(host):
    server = serve(host, POLICY_GOOD, server=GOOD)
    InDirectory(host).enroll()
    server.stop()
    conf = server.dir / "slapd.conf"
    conf.write_text(conf.read_text().replace("database mdb\n",
                                             "database mdb\nreadonly on\n"))
    server.start()
    assert is_away_for(host, "ann", "nobody1")


def test_what_all_hosts_have_counted_is_forgotten(host):
    server = test_shared_lockout.serve(host)
    ann = InDirectory(host).enroll()
    for _ in range(5):
        host.drive("probe", "ann", "auth", answers=["no"], rhost="192.0.2.7")
    assert test_shared_lockout.failures(server)
    # The count of this host alone is not what keeps the user out.
    for path in (STATE / "accounts").iterdir():
        path.unlink()
    flow = ann.prove(reset(host))
    assert "is locked" in flow.said, flow.text
    flow.answer("1")
    assert flow.end == 0, flow.text
    assert not test_shared_lockout.failures(server)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


# ---- one enrolment for all hosts

PLACE = f"ou=enrolments,{BASE}"
CONTAINER = {"dn": PLACE, "objectClass": "organizationalUnit",
             "ou": "enrolments"}


def share(host, server, **config):
    """reset.store = ldap, with the key of the manual."""
    key = ETC / "security/selfreset.seal"
    key.write_bytes(b"k" * 32)
    key.chmod(0o600)
    configure(host, server, reset_base=PLACE, **config)
    host.configure(reset={"enable": "yes", "new_gate_wait": "0",
                          "store": "ldap", "seal_file": key})
    host.add_elsewhere("ann", UID)
    return key


class OnAllHosts(InDirectory):
    def __init__(self, host, server, **config):
        super().__init__(host)
        self.seal = share(host, server, **config)


@pytest.fixture(name="shared")
def make_shared(host):
    """A directory that keeps enrolments, by the rules of the manual."""
    rules = directory.manual_block("ou=enrolments", "access to")
    server = Slapd(host, [user("ann", UID, OLD), CONTAINER],
                   access=rules[rules.index("access to"):] + GOOD["access"],
                   policies={"policy": POLICY_GOOD})
    server.ann = OnAllHosts(host, server)
    return server


def other_host():
    """Nothing of this host is left but its configuration."""
    for path in sorted((STATE / "reset").rglob("*"), reverse=True):
        if path.is_file():
            path.unlink()


def records(host, server):
    done = host.run("ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no",
                           "-H", server.local, "-D", SERVICE, "-w", directory.SERVICE_SECRET,
                           "-b", PLACE, "-s", "one")
    return [dict(line.split(": ", 1) for line in block.splitlines())
            for block in done.stdout.strip().split("\n\n") if block]


def counted(host):
    done = host.run("selfresetctl", "health", "--json")
    found = json.loads(done.stdout)
    return found["reset"], [finding["text"] for finding in found["findings"]
                            if finding["place"].startswith("reset.store")]


def test_enrolments_in_a_directory_are_counted(host, shared):
    """And it is said when they cannot be."""
    shared.ann.enroll_codes()
    other_host()
    bob = Person(host, "bob")
    bob.enroll_codes()
    for number in range(70):  # two pages of what is nobody's
        shared.add({"dn": f"cn={number:032x},{PLACE}", "cn": f"{number:032x}",
                    "objectClass": "device", "serialNumber": f"{number:032x}",
                    "description": "3 x" if number == 0 else "4 x"})
    reset_, findings = counted(host)
    assert (reset_["enrolled"], reset_["gates"]["codes"]) == (2, 2), reset_
    assert reset_["uncounted"] is None and not findings
    done = host.run("selfresetctl", "metrics")
    assert "selfreset_enrolled_accounts 2\n" in done.stdout
    assert "selfreset_enrolled_complete 1\n" in done.stdout
    shared.stop()
    reset_, findings = counted(host)
    assert reset_["enrolled"] == 1 and "corp: " in reset_["uncounted"], reset_
    assert "cannot be counted" in findings[0]
    done = host.run("selfresetctl", "metrics")
    assert "selfreset_enrolled_complete 0\n" in done.stdout


def accepts(flow, person, code):
    return "Accepted." in person.choose(flow, "recovery codes", code).text


def test_an_enrolment_of_one_host_serves_on_all(host, shared):
    ann = shared.ann.enroll()
    other_host()
    used = ann.codes[0]
    flow = ann.prove(reset(host))
    flow.answer(FRESH, FRESH)
    assert flow.end == 0 and "changed and checked" in flow.said, flow.text
    assert shared.lets_in(dn_of("ann"), FRESH)
    other_host()
    assert not accepts(reset(host), ann, used)
    # What is kept shows neither the account nor what it has.
    (record,) = records(host, shared)
    sealed = base64.b64decode(record["description"].split()[1])
    assert set(record) == {"dn", "objectClass", "cn", "serialNumber",
                           "description"}
    assert b"$y$" not in sealed and b"\0" * 16 not in sealed
    for base, is_shown in (dn_of("ann"), True), (PLACE, False):
        done = host.run("ldapsearch", "-x", "-LLL", "-H", shared.local, "-D",
                        dn_of("ann"), "-w", FRESH, "-b", base)
        assert ("dn: " in done.stdout) == is_shown, done


def test_a_code_serves_once_on_several_hosts(host, shared):
    ann = shared.ann.enroll()
    flows = [reset(host) for _ in range(4)]
    took, code = [], ann.codes[5]
    threads = [threading.Thread(
        target=lambda flow=flow: took.append(accepts(flow, ann, code)))
        for flow in flows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took) == [False, False, False, True]


def test_wrong_codes_of_all_hosts_are_counted(host, shared):
    """By the record: whatever a host has counted itself is gone."""
    ann = shared.ann.enroll()

    def accepted(*codes):
        other_host()
        flow = reset(host)
        for code in codes:
            ann.choose(flow, "authenticator app", code)
        flow.leave()
        return "Accepted." in flow.text

    assert accepted(*["000000"] * 3, app_code(ann.key))
    for _ in range(17):
        assert not accepted(*["000000"] * 3)
    assert not accepted(app_code(ann.key, "30 seconds"))
    done = host.run("selfresetctl", "gates", "--unlock", "ann")
    assert done.returncode == 0, done
    assert accepted(app_code(ann.key, "30 seconds"))


def change_text(host, server, text):
    (record,) = records(host, server)
    server.modify(f"cn={record['cn']},{PLACE}",
                  f"replace: description\ndescription: {text(record)}")


@pytest.mark.parametrize("fault", ["key", "cut", "another", "newer", "empty"])
def test_what_cannot_be_opened_is_neither_used_nor_replaced(host, shared, fault):
    ann = shared.ann
    ann.enroll_codes()
    if fault == "key":
        ann.seal.write_bytes(b"K" * 32)
    else:
        change_text(host, shared, {
            "cut": lambda record: record["description"][:-8],
            "another": lambda record: record["description"][:40] +
            "AAAA" + record["description"][44:],
            "newer": lambda record: "7 " + record["description"][2:],
            "empty": lambda _: "x"}[fault])
    before = records(host, shared)
    flow = ann.flow("enroll").answer(OLD)
    if fault == "key":  # the name is under the key, too: as another account's
        assert flow.end is None, flow.text
        flow.leave()
    else:
        assert flow.end == 1, flow.text
        assert not accepts(reset(host), ann, ann.codes[0])
        assert events(host, "SR-3203"), host.log.all()
        done = host.run("selfresetctl", "gates", "ann")
        assert done.returncode == 1 and "of another key" in done.stderr, done
        done = host.run("selfresetctl", "ticket", "ann")
        assert done.returncode == 9 and "of another key" in done.stderr, done
        assert records(host, shared) == before
        done = host.run("selfresetctl", "gates", "--clear-all", "ann")
        assert done.returncode == 0 and records(host, shared) == [], done
        return
    assert records(host, shared) == before


def test_an_answer_that_cannot_be_written_tells_no_name(host, shared):
    """It counts as a wrong one, and only after a proof not at all."""
    ann = shared.ann.enroll()

    def set_right(before, after):
        shared.stop()
        conf = shared.dir / "slapd.conf"
        conf.write_text(conf.read_text().replace(  # its rule is the first
            f'by dn.exact="{SERVICE}" {before}',
            f'by dn.exact="{SERVICE}" {after}', 1))
        shared.start()

    begun = ann.choose(reset(host), "authenticator app", app_code(ann.key))
    assert "Accepted." in begun.text
    set_right("write", "read")
    ann.choose(begun, "recovery codes", ann.codes[0])
    assert "could not be recorded" in begun.said, begun.text
    flow = ann.choose(reset(host), "recovery codes", ann.codes[0])
    assert "Not accepted." in flow.text and "recorded" not in flow.text
    shown = host.run("selfresetctl", "gates", "ann").stdout
    assert re.search(r"wrong.answers: +1\b", shown), shown
    set_right("read", "write")
    ann.choose(begun, "recovery codes", ann.codes[0])
    assert "New password" in begun.asked, begun.text
    # Nor is one used up while the directory hangs.
    configure(host, shared, reset_base=PLACE, timeout="2s")
    begun = ann.choose(reset(host), "authenticator app",
                       app_code(ann.key, "30 seconds"))
    assert "Accepted." in begun.text
    shared.pause()
    ann.choose(begun, "recovery codes", ann.codes[1])
    assert "could not be recorded" in begun.said, begun.text
    shared.resume()
    # It first answers what it was asked meanwhile.
    wait_until(lambda: "New password" in ann.choose(
        begun, "recovery codes", ann.codes[1]).asked, what="the directory")


@pytest.mark.parametrize("fault", ["no key", "no container", "no right"])
def test_a_directory_that_keeps_nothing_is_said_for_every_name(host, shared,
                                                              fault):
    ann = shared.ann
    host.add("bob", "a password of this host")
    if fault == "no key":
        ann.seal.unlink()
        flow = ann.flow("enroll").answer(OLD)
        assert flow.end == 1 and events(host, "SR-3203"), flow.text
        return
    if fault == "no container":
        shared.delete(PLACE)
    else:
        configure(host, shared, reset_base=f"ou=people,{BASE}x")
    assert is_away_for(host, "ann", "bob", "nobody1")
    done = host.run("selfresetctl", "check", "--backend", "corp", "--json")
    assert [finding for finding in json.loads(done.stdout)["findings"]
            if "reset_base: an entry cannot be read" in
            finding["text"]], done


def test_check_finds_the_rights_for_enrolments(host, shared):
    done = host.run("selfresetctl", "check", "--backend", "corp", "--json")
    assert not [finding for finding in json.loads(done.stdout)["findings"]
                if "reset_base" in finding["text"]], done
    assert records(host, shared) == []
    host.configure(reset={"store": "local"})
    done = host.run("selfresetctl", "check", "--backend", "corp", "--json")
    assert "nothing is kept there" in done.stdout


@pytest.mark.skipif(not directory389.have_server(),
                    reason="389-ds-base is not installed")
def test_389_keeps_enrolments(host):
    server = directory389.DirectoryServer()
    try:
        server.fresh({**user("ann", UID, OLD), "userPassword": OLD})
        server.add({**CONTAINER, "aci": test_shared_lockout.ACI})
        ann = OnAllHosts(host, server, default_policy="cn=config")
        done = host.run("selfresetctl", "check", "--backend", "corp", "--json")
        assert "reset_base" not in done.stdout, done.stdout
        ann.enroll()
        other_host()
        used = ann.codes[0]
        assert accepts(reset(host), ann, used)
        other_host()
        assert not accepts(reset(host), ann, used)
        assert accepts(reset(host), ann, ann.codes[1])
    finally:
        server.stop()
