"""Policies of 389 Directory Server, compared with what the server itself
answers: what a policy does not mention, switches of the server, accounts that
are not used, and values that are none.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json

import pytest

import directory389
from directory import BASE, PEOPLE, SERVICE, stamp, user
from directory389 import (EPOCH, HIDING_ACI, POLICY, POLICY_ACI,
                          DirectoryServer)
from test_389 import ANN, state
from test_ldap import NEW, OLD, PEER, UID, change, configure, log_in

pytestmark = pytest.mark.skipif(not directory389.have_server(),
                                reason="389-ds-base is not installed")

LOCAL = f"cn=local,{PEOPLE}"
INACTIVE = f"cn=inactive,{PEOPLE}"
PLUGIN = "cn=Account Policy Plugin,cn=plugins,cn=config"
DAY = 86400


@pytest.fixture(scope="module")
def the_server():
    server = DirectoryServer()
    server.replace("cn=config", **{"nsslapd-syntaxcheck": "off"})
    server.replace(PLUGIN, **{"nsslapd-pluginEnabled": "on",
                              "nsslapd-pluginarg0": f"cn=config,{PLUGIN}"})
    server.restart()
    yield server
    server.stop()


@pytest.fixture
def server(the_server, host):
    the_server.fresh()
    the_server.policy(aci=POLICY_ACI)
    configure(host, the_server, default_policy="cn=config")
    host.add_elsewhere("ann", UID)
    return the_server


def give(server, policy, entry, *, local=True):
    """Ann, with these attributes, under a policy of her own, which has these;
    passwordMinLength, which says nothing of logins, is always there."""
    server.client("ldapdelete", LOCAL, check=False)
    server.add({"dn": LOCAL, "cn": "local", "passwordMinLength": "6",
                "objectClass": ["top", "ldapsubentry", "passwordpolicy"],
                **policy},
               {**user("ann", UID, OLD), "userPassword": OLD,
                "pwdPolicySubentry": LOCAL if local else None})
    if entry:
        server.replace(ANN, **entry)


def key(host):
    (code,) = host.drive("probe", "ann", "acct", rhost=PEER).codes
    return code


def listed(host):
    """Ann in a list of all."""
    done = host.run("selfresetctl", "list", "--json")
    (ann,) = [one for one in json.loads(done.stdout) if one["user"] == "ann"]
    return ann


PAST = {"passwordExpirationTime": stamp(3600)}
SOON = {"passwordExpirationTime": stamp(-3600)}
LOCKED = {"accountUnlockTime": stamp(-7200), "passwordRetryCount": 3}
FOR_GOOD = {"accountUnlockTime": EPOCH, "passwordRetryCount": 3}

# The policy of the user; the entry; the answer to a login by a key.
PRESETS = {
    "passwordExp": ({}, PAST, "SUCCESS"),
    "passwordExp-on": ({"passwordExp": "on"}, PAST, "NEW_AUTHTOK_REQD"),
    "passwordExp-1": ({"passwordExp": "1"}, PAST, "NEW_AUTHTOK_REQD"),
    "passwordExp-true": ({"passwordExp": "true"}, PAST, "NEW_AUTHTOK_REQD"),
    "passwordExp-0": ({"passwordExp": "0"}, PAST, "SUCCESS"),
    "passwordGraceLimit": ({"passwordExp": "on"},
                           {**PAST, "passwordGraceUserTime": 1},
                           "NEW_AUTHTOK_REQD"),
    "passwordMustChange": ({}, {"passwordExpirationTime": EPOCH}, "SUCCESS"),
    "passwordMustChange-on": ({"passwordMustChange": "on"},
                              {"passwordExpirationTime": EPOCH},
                              "NEW_AUTHTOK_REQD"),
    "passwordLockout": ({}, LOCKED, "SUCCESS"),
    "passwordLockout-on": ({"passwordLockout": "on"}, LOCKED, "PERM_DENIED"),
    "passwordMustChange-in-another-spelling": (
        {"passwordMustChange": "on"},
        {"passwordExpirationTime": "19700101000000.0Z"}, "NEW_AUTHTOK_REQD"),
    "passwordMaxFailure": ({"passwordLockout": "on"},
                           {**LOCKED, "passwordRetryCount": 2}, "SUCCESS"),
    "passwordMaxFailure-2": ({"passwordLockout": "on",
                              "passwordMaxFailure": "2"},
                             {**LOCKED, "passwordRetryCount": 2},
                             "PERM_DENIED"),
    "passwordRetryCount": ({"passwordLockout": "on", "passwordUnlock": "off"},
                           {"accountUnlockTime": EPOCH}, "SUCCESS"),
    "passwordUnlock": ({"passwordLockout": "on"}, FOR_GOOD, "SUCCESS"),
    "passwordUnlock-off": ({"passwordLockout": "on", "passwordUnlock": "off"},
                           FOR_GOOD, "PERM_DENIED"),
}


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_policy_does_not_mention(host, server, name):
    policy, entry, answer = PRESETS[name]
    give(server, policy, entry)
    # What the key login says and what the server says of the password is one.
    assert key(host) == answer, host.log.all()
    done = server.client("ldapwhoami", "-e", "ppolicy", check=False,
                         who=(ANN, OLD))
    assert (done.returncode == 0) == (answer == "SUCCESS"), done


def test_warning_that_a_policy_does_not_mention(host, server):
    give(server, {"passwordExp": "on"}, SOON)
    assert state(host) == "expiring"
    server.replace(ANN, passwordExpirationTime=stamp(-2 * DAY))
    assert state(host) == "ok"


def test_units(host, server):
    """389 reads ages of a policy of a user in other units than seconds."""
    for value, known in (("1h", "ok"), ("2D", "expiring"), ("1w", "expiring"),
                         ("90m", "expiring"), ("60S", "ok")):
        server.client("ldapdelete", ANN, check=False)
        give(server, {"passwordExp": "on", "passwordWarning": value},
             {"passwordExpirationTime": stamp(-4000)})
        assert (known == state(host)), value
        done = server.client("ldapwhoami", "-e", "ppolicy", check=False,
                             who=(ANN, OLD))
        assert ("seconds=" in done.stdout) == (known == "expiring"), done


def test_counts_without_a_sign(host, server):
    """What is no count, or more than one holds, is never the laxer one."""
    for policy, entry, code in (
            ({"passwordMaxFailure": "-1"}, LOCKED, "SUCCESS"),
            ({}, {**LOCKED, "passwordRetryCount": "-1"}, "PERM_DENIED"),
            ({"passwordExp": "on", "passwordGraceLimit": "9" * 20}, PAST,
             "AUTHINFO_UNAVAIL")):
        server.client("ldapdelete", ANN, check=False)
        give(server, {"passwordLockout": "on", **policy}, entry)
        assert key(host) == code, (policy, host.log.all())
        done = server.client("ldapwhoami", check=False, who=(ANN, OLD))
        assert (done.returncode == 0) == (code == "SUCCESS"), done


def test_minimum_age_that_a_policy_does_not_mention(host, server):
    """What was written under another policy counts no more."""
    entry = {"passwordAllowChangeTime": stamp(-DAY)}
    for policy, code in (({"passwordMinAge": DAY}, "AUTHTOK_ERR"),
                         ({}, "SUCCESS")):
        server.client("ldapdelete", ANN, check=False)
        give(server, policy, entry)
        done = change(host, OLD, NEW, NEW)
        assert done.code == code, (done, host.log.all())
        assert server.lets_in(ANN, NEW) == (code == "SUCCESS")


# ---- policies of users that do not count

SWITCHED = {
    "local-expires": ({"passwordExp": "on"}, {}, PAST),
    "global-expires": ({}, {"passwordExp": "on"}, PAST),
    "local-locks": ({"passwordLockout": "on"}, {}, LOCKED),
    "global-locks": ({}, {"passwordLockout": "on"}, LOCKED),
}


@pytest.mark.parametrize("switch", ["on", "off"])
@pytest.mark.parametrize("name", SWITCHED)
def test_switch_for_local_policies(host, server, name, switch):
    policy, whole, entry = SWITCHED[name]
    server.policy(**{"nsslapd-pwpolicy-local": switch}, **whole)
    give(server, policy, entry)
    is_let_in = server.client("ldapwhoami", check=False,
                              who=(ANN, OLD)).returncode == 0
    assert is_let_in == (name.startswith("local") == (switch == "off"))
    assert (key(host) == "SUCCESS") == is_let_in, host.log.all()


@pytest.mark.parametrize("exp", ["on", "off"])
def test_a_policy_that_is_gone(host, server, exp):
    """The one for all takes its place; of one that is hidden none is known."""
    server.policy(passwordExp=exp)
    give(server, {"passwordExp": "off" if exp == "on" else "on"}, PAST)
    server.replace(LOCAL, aci='(targetattr="*")(version 3.0; acl "hidden"; '
                   'deny (all) userdn="ldap:///anyone";)')
    assert key(host) == "NEW_AUTHTOK_REQD", host.log.all()
    server.client("ldapdelete", LOCAL)
    is_let_in = exp == "off"
    assert (key(host) == "SUCCESS") == is_let_in, host.log.all()
    assert listed(host)["state"] == ("ok" if is_let_in else "expired")
    done = server.client("ldapwhoami", check=False, who=(ANN, OLD))
    assert (done.returncode == 0) == is_let_in, done


def test_hidden_switch(host, server):
    """The entry alone counts: stricter, never laxer."""
    server.policy(aci=HIDING_ACI)
    give(server, {}, PAST)
    assert key(host) == "NEW_AUTHTOK_REQD", host.log.all()


# ---- accounts that are not used

@pytest.fixture
def limits(server):
    server.client("ldapdelete", INACTIVE, check=False)
    server.add({"dn": INACTIVE, "cn": "inactive",
                "objectClass": ["top", "ldapsubentry", "extensibleObject",
                                "accountpolicy"],
                "accountInactivityLimit": "3600"})
    return server


IDLE = {
    "used": ({"acctPolicySubentry": INACTIVE, "lastLoginTime": stamp(60)},
             True),
    "idle": ({"acctPolicySubentry": INACTIVE, "lastLoginTime": stamp(7200)},
             False),
    "never-used": ({"acctPolicySubentry": INACTIVE, "lastLoginTime": None},
                   True),
    "without-a-limit": ({"lastLoginTime": stamp(7200)}, True),
}


@pytest.mark.parametrize("name", IDLE)
def test_idle(host, limits, name):
    entry, is_let_in = IDLE[name]
    give(limits, {}, entry, local=False)
    assert (key(host) == "SUCCESS") == is_let_in, host.log.all()
    done = limits.client("ldapwhoami", check=False, who=(ANN, OLD))
    assert (done.returncode == 0) == is_let_in, done


@pytest.fixture
def plugin(server):
    """Sets what the plug-in is configured with, which it reads at once."""
    names = set()

    def replace(values):
        names.update(values)
        server.replace(f"cn=config,{PLUGIN}", **values)

    yield replace
    replace(dict.fromkeys(names))


def test_idle_by_the_limit_for_all(host, server, plugin):
    give(server, {}, {"lastLoginTime": stamp(7200)}, local=False)
    assert key(host) == "SUCCESS"
    plugin({"accountInactivityLimit": 3600})
    assert server.client("ldapwhoami", check=False,
                         who=(ANN, OLD)).returncode == 19
    assert key(host) == "ACCT_EXPIRED", host.log.all()


USED, UNUSED = stamp(60), stamp(7200)
NAMED = {"acctPolicySubentry": INACTIVE}
HOUR = {"accountInactivityLimit": "3600"}

# The configuration of the plug-in; the account policy; the entry; whether the
# server lets the owner in.
CONFIGURED = {
    "state": ({"stateAttrName": "title"}, HOUR,
              {**NAMED, "title": UNUSED, "lastLoginTime": USED}, False),
    "state-used": ({"stateAttrName": "title"}, HOUR,
                   {**NAMED, "title": USED, "lastLoginTime": UNUSED}, True),
    "state-of-the-server": ({"stateAttrName": "modifyTimestamp"}, HOUR,
                            {**NAMED, "lastLoginTime": UNUSED}, True),
    "other": ({"altStateAttrName": "title"}, HOUR,
              {**NAMED, "title": UNUSED}, False),
    "other-that-is-absent": ({"altStateAttrName": "title"}, HOUR, NAMED, True),
    "no-other": ({"altStateAttrName": "1.1"}, HOUR, NAMED, True),
    "age-of-the-password": (
        {"stateAttrName": "none_such",
         "altStateAttrName": "passwordExpirationTime"}, HOUR,
        {**NAMED, "passwordExpirationTime": UNUSED}, False),
    "policy": ({"specAttrName": "seeAlso"}, HOUR,
               {"seeAlso": INACTIVE, "lastLoginTime": UNUSED}, False),
    "policy-by-the-usual-name": ({"specAttrName": "seeAlso"}, HOUR,
                                 {**NAMED, "lastLoginTime": UNUSED}, True),
    "policy-that-is-none": ({"specAttrName": "seeAlso"}, HOUR,
                            {"seeAlso": f"cn=none,{PEOPLE}",
                             "lastLoginTime": USED}, False),
    "limit": ({"limitAttrName": "st"}, {"st": "3600"},
              {**NAMED, "lastLoginTime": UNUSED}, False),
    "limit-used": ({"limitAttrName": "st"},
                   {"st": "3600", "accountInactivityLimit": "5"},
                   {**NAMED, "lastLoginTime": USED}, True),
    "limit-for-all": ({"limitAttrName": "passwordMaxAge",
                       "passwordMaxAge": "3600"}, {},
                      {"lastLoginTime": UNUSED}, False),
    "no-limit-is-0": ({}, {}, {**NAMED, "lastLoginTime": USED}, False),
    "no-limit-is-not-that-for-all": (
        {"accountInactivityLimit": 864000}, {},
        {**NAMED, "lastLoginTime": USED}, False),
    "below-0": ({}, {"accountInactivityLimit": "-1"},
                {**NAMED, "lastLoginTime": USED}, False),
}


@pytest.mark.parametrize("name", CONFIGURED)
def test_idle_by_other_attributes(host, server, plugin, name):
    configuration, policy, entry, is_let_in = CONFIGURED[name]
    server.client("ldapdelete", INACTIVE, check=False)
    server.add({"dn": INACTIVE, "cn": "inactive", **policy,
                "objectClass": ["top", "ldapsubentry", "extensibleObject",
                                "accountpolicy"]})
    if configuration:
        plugin(configuration)
    give(server, {}, {}, local=False)
    server.replace(ANN, **entry)
    assert (key(host) == "SUCCESS") == is_let_in, host.log.all()
    assert (listed(host)["state"] == "ok") == is_let_in
    done = server.client("ldapwhoami", check=False, who=(ANN, OLD))
    assert (done.returncode == 0) == is_let_in, done


def test_idle_is_told_and_ended(host, limits):
    give(limits, {}, {"acctPolicySubentry": INACTIVE,
                      "lastLoginTime": stamp(7200)}, local=False)
    assert log_in(host).codes == ["AUTH_ERR", "ACCT_EXPIRED"], host.log.all()
    done = host.run("selfresetctl", "unlock", "ann")
    assert done.returncode != 0  # the service may not write it yet
    limits.replace(PEOPLE, aci=(
        '(targetattr="lastLoginTime")(version 3.0; acl "last"; allow (write) '
        f'userdn="ldap:///cn=reader,{BASE}";)'))
    try:
        done = host.run("selfresetctl", "unlock", "ann")
        assert done.returncode == 0, done
        host.forget_state()
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    finally:
        limits.replace(PEOPLE, aci=None)


# ---- values that are none

TIMES = ["passwordExpirationTime", "accountUnlockTime", "lastLoginTime"]


@pytest.mark.parametrize("value", ["2025-09-21T10:00:00Z", "20250921100000",
                                   "soon"])
@pytest.mark.parametrize("name", TIMES)
def test_time_that_is_none(host, limits, name, value):
    give(limits, {"passwordExp": "on", "passwordLockout": "on"},
         {"acctPolicySubentry": INACTIVE, name: value})
    assert key(host) == "AUTHINFO_UNAVAIL", host.log.all()
    assert host.log.with_text(f"{name} of {ANN} cannot be read")
    # Of others nothing is lost.
    assert POLICY["passwordExp"] == "off"


def test_check_names_what_is_hidden(host, server):
    """The switches of the server that say what counts."""
    def found():
        done = host.run("selfresetctl", "check", "--backend", "corp", "--json")
        return done.stdout

    give(server, {}, {})
    assert "policies of subtrees and users count" not in found()
    assert "not used are locked out" not in found()
    server.policy(aci=HIDING_ACI)
    assert "policies of subtrees and users count" in found()
    assert "not used are locked out" not in found()
    server.policy(aci=POLICY_ACI.replace("nsslapd-pluginEnabled || ", ""))
    assert "policies of subtrees and users count" not in found()
    assert "not used are locked out" in found()


# ---- limits of the server

LDBM = "cn=config,cn=ldbm database,cn=plugins,cn=config"
# Where a limit is, its name, what switches it off; and the attribute of the
# identity's entry that goes before it.
LIMITS = [
    ("cn=config", "nsslapd-sizelimit", 2000, "nsSizeLimit"),
    ("cn=config", "nsslapd-pagedsizelimit", 0, "nsPagedSizeLimit"),
    (LDBM, "nsslapd-lookthroughlimit", 5000, "nsLookThroughLimit"),
    (LDBM, "nsslapd-pagedlookthroughlimit", 0, "nsPagedLookThroughLimit"),
]


def test_limits(host, server):
    """No login meets them; the list says that it is not complete, until the
    identity is exempt."""
    def listed():
        done = host.run("selfresetctl", "list", "--json")
        names = {one["user"] for one in json.loads(done.stdout)}
        return done, len({f"u{number}" for number in range(9)} & names)

    give(server, {}, {})
    server.add(*(user(f"u{number}", UID + 1 + number, OLD)
                 for number in range(9)))
    for place, name, off, exempt in LIMITS:
        server.replace(place, **{name: 3})
        try:
            assert key(host) == "SUCCESS", (name, host.log.all())
            done, found = listed()
            assert done.returncode == 1 and found < 9, (name, done)
            assert "not every" in " ".join(done.stderr.split()), (name, done)
            server.replace(SERVICE, **{exempt: -1})
            done, found = listed()
            assert done.returncode == 0 and found == 9, (name, done)
        finally:
            server.replace(SERVICE, **{exempt: None})
            server.replace(place, **{name: off})
