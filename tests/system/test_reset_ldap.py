"""Self-service reset of accounts in a directory: the server's own policy holds,
its lock and its demand for a change are ended, and nothing is said to be changed
that it did not take.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

import directory
import helper
import test_shared_lockout
from directory import dn_of, stamp
from scratch import STATE
from test_ldap import OLD, PEER, UID, log_in, serve
from test_ldap_admin import GOOD, POLICY_GOOD, values
from test_reset import Flow, Person, app_code, events, is_away_for, reset

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
