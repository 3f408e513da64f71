"""selfreset-publish --follow on a real 389 Directory Server, which tells of
changes by a plug-in, or is asked again and again.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import time

import pytest

import directory389
from directory import BASE, SERVICE, dn_of, ssha, stamp, user
from directory389 import EPOCH, POLICY_ACI, DirectoryServer
from scratch import wait_until
from test_watch import (ASKED, EXPIRED, LOCKED, MUST, OK, PASSWORD, TOLD,
                        Cutter, Follower, has, seen, shadow)
from test_ldap import configure

pytestmark = pytest.mark.skipif(not directory389.have_server(),
                                reason="389-ds-base is not installed")

DAY = 86400
CROWD = 10000
HASH = ssha(PASSWORD)
POLICY = {"passwordExp": "on", "passwordMustChange": "on",
          "passwordLockout": "on", "passwordMaxFailure": 3, "aci": POLICY_ACI}
# How soon a change is seen: told, or asked for each five seconds.
SOON = {"told": TOLD, "asked": ASKED}


@pytest.fixture(scope="module", params=list(SOON))
def the_server(request):
    server = DirectoryServer()
    server.way = request.param
    if server.way == "told":
        server.tell_changes()
    yield server
    server.stop()


@pytest.fixture
def server(the_server, host):
    the_server.fresh()
    yield the_server


def people(*names):
    """Whose passwords were set by themselves, as far as the server knows."""
    return [{**user(name, 7000 + number, PASSWORD), "userPassword": PASSWORD}
            for number, name in enumerate(names)]


def serve(host, server, users, names=(), **config):
    server.add(*users)
    server.policy(**POLICY)
    configure(host, server, **{"default_policy": "cn=config", **config})
    for number, name in enumerate(names):
        host.add_elsewhere(name, 7000 + number)
    host.create_state_groups()
    host.nsswitch()


def in_time(server, condition, what="the change"):
    return seen(condition, SOON[server.way], what)


def test_each_change(host, server):
    names = [f"u{number}" for number in range(7)]
    serve(host, server, people(*names), names)
    server.replace(dn_of("u6"), accountUnlockTime=stamp(-900),
                   passwordRetryCount=3)
    follower = Follower(host)
    assert host.states("u6") == {LOCKED}
    server.replace(dn_of("u1"), passwordExpirationTime=EPOCH)
    server.replace(dn_of("u2"), accountUnlockTime=stamp(-900),
                   passwordRetryCount=3)
    server.client("ldapdelete", dn_of("u3"))
    server.client("ldapmodrdn", "-r", dn_of("u4"), "uid=u4x")
    server.client("ldappasswd", "-s", PASSWORD, dn_of("u5"))
    server.replace(dn_of("u6"), accountUnlockTime=None)
    server.add({**people("new")[0], "uidNumber": 6999})
    in_time(server, has(host, "u1", MUST), "the demand")
    assert shadow(host, "u1")[2] == "0"
    in_time(server, has(host, "u2", LOCKED), "the lock")
    in_time(server, lambda: shadow(host, "u3") is None, "the deletion")
    in_time(server, lambda: shadow(host, "u4x") is not None, "the new name")
    in_time(server, lambda: shadow(host, "u4") is None, "the end of the old")
    in_time(server, has(host, "u5", MUST), "the reset")
    in_time(server, has(host, "u6", OK), "the end of the lock")
    in_time(server, lambda: shadow(host, "new") is not None, "the addition")
    assert follower.text().count("of directories") == 1, "no need to read all"
    follower.stop()


def test_what_the_server_does_itself(host, server):
    """Of what it counts it stamps nothing."""
    server.policy(**{"nsslapd-lastmod": "off"})
    serve(host, server, people("u0", "u1", "u2"), names=("u0", "u1", "u2"))
    server.policy(passwordTPRMaxUse=1, passwordGraceLimit=1)
    server.replace(dn_of("u1"), passwordExpirationTime=stamp(60))
    server.replace(dn_of("u2"), userPassword=PASSWORD)
    server.policy(**{"nsslapd-lastmod": "on"})
    assert not [name for name in ("u0", "u1", "u2") if "modifytimestamp" in
                server.read(dn_of(name), "*", "+")]
    follower = Follower(host)
    before = shadow(host, "u1")
    assert host.states("u0") == {OK}
    assert MUST in host.states("u2")
    for _ in range(4):
        assert not server.lets_in(dn_of("u0"), "wrong")
    for name in ("u1", "u2"):
        assert server.lets_in(dn_of(name), PASSWORD)
    in_time(server, has(host, "u0", LOCKED), "the lock")
    in_time(server, lambda: shadow(host, "u1") != before, "the last login")
    in_time(server, has(host, "u2", LOCKED), "the end of the uses")
    follower.stop()


def test_policy(host, server):
    serve(host, server, people("u0", "u1"), names=("u0",))
    server.replace(dn_of("u0"), passwordExpirationTime=stamp(60))
    follower = Follower(host)
    assert EXPIRED in host.states("u0")
    server.policy(passwordExp="off")
    in_time(server, lambda: host.states("u0") == {OK})
    follower.snapshots(2)
    follower.stop()


def test_another_policy(host, server):
    """An entry of its own, which nobody had when the connection was made."""
    serve(host, server, people("u0"), names=("u0",))
    server.replace(dn_of("u0"), passwordExpirationTime=stamp(60))
    follower = Follower(host)
    assert EXPIRED in host.states("u0")
    other = f"cn=lenient,{BASE}"
    server.add({"dn": other, "cn": "lenient",
                "objectClass": ["top", "ldapSubEntry", "passwordPolicy"],
                "passwordExp": "off"})
    try:
        server.replace(dn_of("u0"), pwdPolicySubentry=other)
        in_time(server, lambda: host.states("u0") == {OK}, "the policy of one")
        server.replace(other, passwordExp="on")
        in_time(server, has(host, "u0", EXPIRED), "the change of it")
    finally:
        server.client("ldapdelete", other)
    follower.stop()


def test_idle_by_an_attribute_that_the_server_names(host, server):
    plugin = "cn=Account Policy Plugin,cn=plugins,cn=config"
    inactive = f"cn=inactive,{BASE}"
    server.replace("cn=config", **{"nsslapd-dynamic-plugins": "on"})
    server.replace(f"cn=config,{plugin}", stateAttrName="title")
    server.replace(plugin, **{"nsslapd-pluginEnabled": "on"})
    try:
        serve(host, server, people("u0"), names=("u0",))
        server.add({"dn": inactive, "cn": "inactive",
                    "objectClass": ["top", "ldapsubentry", "extensibleObject",
                                    "accountpolicy"],
                    "accountInactivityLimit": "3600"})
        server.replace(dn_of("u0"), title=stamp(60),
                       acctPolicySubentry=inactive)
        follower = Follower(host)
        assert host.states("u0") == {OK}
        server.replace(dn_of("u0"), title=stamp(7200))
        in_time(server, lambda: host.states("u0") != {OK}, "the end")
        server.replace(dn_of("u0"), title=stamp(60))
        in_time(server, lambda: host.states("u0") == {OK}, "the login")
        follower.stop()
    finally:
        server.client("ldapdelete", inactive, check=False)
        server.replace(plugin, **{"nsslapd-pluginEnabled": "off"})
        server.replace(f"cn=config,{plugin}", stateAttrName=None)


def test_the_server_is_killed(host, server):
    serve(host, server, people("u0", "u1"), names=("u0", "u1"))
    follower = Follower(host)
    server.replace(dn_of("u0"), accountUnlockTime=stamp(-900),
                   passwordRetryCount=3)
    in_time(server, has(host, "u0", LOCKED))
    server.stop()
    wait_until(lambda: "cannot be followed now" in follower.text(),
               what="the loss of the connection to be noticed")
    assert host.states("u0") == {LOCKED}, "an outage is no change"
    assert host.states("u1") == {OK}
    server.start()
    server.replace(dn_of("u0"), accountUnlockTime=None)
    server.client("ldapdelete", dn_of("u1"))
    seen(lambda: host.states("u0") == {OK} and shadow(host, "u1") is None,
         seconds=ASKED)
    server.replace(dn_of("u0"), accountUnlockTime=stamp(-900),
                   passwordRetryCount=3)
    in_time(server, has(host, "u0", LOCKED))
    follower.stop()


def test_cut_in_the_midst(host, server):
    names = [f"u{number}" for number in range(300)]
    serve(host, server, people(*names), names=("u0",))
    cutter = Cutter(server.port)
    host.configure(backend_corp={"uri": f"ldap://127.0.0.1:{cutter.port}",
                                 "insecure": "yes"})
    cutter.limit = 30000
    follower = Follower(host, ready=False)
    wait_until(lambda: cutter.cuts >= 2, what="connections to be cut")
    assert not any(shadow(host, name) for name in names[::99])
    cutter.limit = None
    seen(lambda: all(shadow(host, name) for name in names[::99]), seconds=ASKED)
    follower.stop()


def test_two_changes_at_once(host, server):
    serve(host, server, people("u0"), names=("u0",))
    follower = Follower(host)
    for _ in range(3 if server.way == "told" else 1):
        server.replace(dn_of("u0"), accountUnlockTime=stamp(-900),
                       passwordRetryCount=3)
        server.replace(dn_of("u0"), accountUnlockTime=None)
        server.replace(dn_of("u0"), passwordExpirationTime=EPOCH)
        server.replace(dn_of("u0"), accountUnlockTime=stamp(-900),
                       passwordRetryCount=3)
        in_time(server, has(host, "u0", LOCKED))
        server.replace(dn_of("u0"), accountUnlockTime=None,
                       passwordExpirationTime=stamp(-90 * DAY))
        in_time(server, lambda: host.states("u0") == {OK})
    follower.stop()


def test_many_at_one_time(host, server):
    """Very many have the same stamp; who was told of is told of no more."""
    names = [f"u{number}" for number in range(600)]
    serve(host, server, people(*names), names[:2])
    follower = Follower(host)
    server.replace(dn_of("u1"), passwordExpirationTime=EPOCH)
    in_time(server, has(host, "u1", MUST))
    assert follower.text().count("Published: ") == 1, follower.text()
    follower.stop()


@pytest.mark.parametrize("the_server", ["told"], indirect=True)
def test_ten_thousand(host, server):
    """The server looks through 5000 entries at most unless it is told."""
    names = [f"u{number}" for number in range(CROWD)]
    server.load({**user(name, 7000 + number, PASSWORD), "userPassword": HASH}
                for number, name in enumerate(names))
    serve(host, server, [], names[:4])
    done = host.run("selfreset-publish")
    assert done.returncode == 8, (done.stdout, done.stderr)
    assert "not every account was returned" in done.stderr
    assert shadow(host, f"u{CROWD - 1}") is None
    server.replace(SERVICE, **{"nsLookThroughLimit": -1, "nsSizeLimit": -1})
    began = time.monotonic()
    host.publish()
    print("published in", time.monotonic() - began)
    assert shadow(host, f"u{CROWD - 1}") is not None
    follower = Follower(host)
    server.replace(dn_of("u1"), passwordExpirationTime=EPOCH)
    server.client("ldapdelete", dn_of("u9999"))
    print("changed", in_time(server, has(host, "u1", MUST)))
    print("gone", seen(lambda: shadow(host, "u9999") is None))
    follower.stop()
