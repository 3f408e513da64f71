"""Directories that age no password themselves: shadow attributes, which mean
what shadow(5) says, and accounts without any.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import time

import pytest

import directory
import directory389
from directory import SERVICE, Slapd, dn_of, stamp, user
from directory389 import DirectoryServer
from scratch import CONTACT
from talk import AGAIN, PASSWORD
from talk import NEW as NEW_PROMPT
from test_ldap import NEW, OLD, PEER, UID, change, configure, log_in, ssh

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

ANN = dn_of("ann")
TODAY = int(time.time()) // 86400


def serve(host, access=None, **attributes):
    """A directory without ppolicy, and ann in it."""
    options = {} if access is None else {"access": access}
    server = Slapd(host, [user("ann", UID, OLD, **attributes)], ppolicy=False,
                   **options)
    configure(host, server, default_policy=None)
    host.add_elsewhere("ann", UID)
    return server


def state(host):
    done = host.run("selfresetctl", "status", "--json", "ann")
    return json.loads(done.stdout)["state"]


def last_change(server):
    for line in server.read(ANN, "shadowLastChange"):
        return int(line.split(": ")[1])
    return None


# The attributes; the state; what authenticate and acct_mgmt answer, the latter
# by key as after a password; a word that is read (None: nothing is to be read).
AGED = {"shadowLastChange": TODAY - 100, "shadowMax": 90}
STATES = {
    "none": ({}, "ok", "SUCCESS", "SUCCESS", None),
    "young": ({"shadowLastChange": TODAY - 10, "shadowMax": 90,
               "shadowWarning": 7}, "ok", "SUCCESS", "SUCCESS", None),
    "day-before-the-warning": ({"shadowLastChange": TODAY - 82, "shadowMax": 90,
                                "shadowWarning": 7}, "ok", "SUCCESS",
                               "SUCCESS", None),
    "warned": ({"shadowLastChange": TODAY - 83, "shadowMax": 90,
                "shadowWarning": 7}, "expiring", "SUCCESS", "SUCCESS",
               "expires in"),
    "expired": (AGED, "expired", "SUCCESS", "NEW_AUTHTOK_REQD", "expired"),
    "inactive-to-come": ({**AGED, "shadowInactive": 30}, "expired", "SUCCESS",
                         "NEW_AUTHTOK_REQD", "expired"),
    "inactive": ({**AGED, "shadowInactive": 5}, "barred", "SUCCESS",
                 "AUTHTOK_EXPIRED", CONTACT),
    "minimum-not-reached": ({"shadowLastChange": TODAY, "shadowMin": 7,
                             "shadowMax": 90}, "ok", "SUCCESS", "SUCCESS",
                            None),
    "must-change": ({"shadowLastChange": 0}, "must-change", "SUCCESS",
                    "NEW_AUTHTOK_REQD", "has to be changed"),
    "no-last-change": ({"shadowMax": 90}, "ok", "SUCCESS", "SUCCESS", None),
    "last-change-off": ({"shadowLastChange": -1, "shadowMax": 90}, "ok",
                        "SUCCESS", "SUCCESS", None),
    "last-change-to-come": ({"shadowLastChange": TODAY + 5, "shadowMax": 90},
                            "ok", "SUCCESS", "SUCCESS", None),
    "all-off": ({"shadowLastChange": TODAY - 100, "shadowMin": -1,
                 "shadowMax": -1, "shadowWarning": -1, "shadowInactive": -1,
                 "shadowExpire": -1}, "ok", "SUCCESS", "SUCCESS", None),
    "maximum-of-never": ({"shadowLastChange": TODAY - 100,
                          "shadowMax": 99999}, "ok", "SUCCESS", "SUCCESS",
                         None),
    "absurdly-large": ({"shadowLastChange": TODAY - 100,
                        "shadowMax": 99999999999999999999}, "ok", "SUCCESS",
                       "SUCCESS", None),
    "ends-tomorrow": ({"shadowExpire": TODAY + 1}, "ok", "SUCCESS", "SUCCESS",
                      None),
    "ended": ({"shadowExpire": TODAY}, "ended", "ACCT_EXPIRED",
              "ACCT_EXPIRED", CONTACT),
    "ended-and-must-change": ({"shadowExpire": 1, "shadowLastChange": 0},
                              "ended", "ACCT_EXPIRED", "ACCT_EXPIRED", CONTACT),
    # Reserved by shadow(5): it means nothing.
    "flag": ({"shadowFlag": 134538308, "shadowLastChange": TODAY - 10,
              "shadowMax": 90}, "ok", "SUCCESS", "SUCCESS", None),
}


@pytest.mark.parametrize("name", STATES)
def test_states(host, name):
    attributes, known, authenticate, account, word = STATES[name]
    serve(host, **attributes)
    assert state(host) == known
    assert host.drive("probe", "ann", "acct", rhost=PEER).codes == [account]
    done = log_in(host)
    assert done.codes == [authenticate, account], (done, host.log.all())
    if word is None:
        assert done.said == ""
    else:
        assert word in done.said, done
    wrong = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert wrong.codes == ["AUTH_ERR"] and wrong.said == ""


@pytest.mark.parametrize("attribute", [
    "shadowLastChange", "shadowMin", "shadowMax", "shadowWarning",
    "shadowInactive", "shadowExpire"])
def test_value_that_is_none(host, attribute):
    """It could mean anything: nobody is let in by a guess."""
    serve(host, **{"shadowLastChange": TODAY - 10, "shadowMax": 90,
                   attribute: -7})
    assert log_in(host).codes == ["AUTHINFO_UNAVAIL", "AUTHINFO_UNAVAIL"]
    assert host.log.with_text(f"{attribute} of {ANN} cannot be read")


def test_flag_that_is_none(host):
    serve(host, shadowLastChange=TODAY - 10, shadowMax=90, shadowFlag=-7)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


# ---- changes

@pytest.mark.parametrize("name", ["expired", "must-change"])
@pytest.mark.parametrize("who", ["owner", "service"])
def test_forced_change(host, name, who):
    """The day is written by whoever may."""
    by = "self" if who == "owner" else f'dn="{SERVICE}"'
    access = ("access to attrs=userPassword by self write by anonymous auth\n"
              f"access to attrs=shadowLastChange by {by} write by * read\n"
              "access to * by * read\n")
    server = serve(host, access, **STATES[name][0])
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert server.lets_in(ANN, NEW) and not server.lets_in(ANN, OLD)
    assert last_change(server) == int(time.time()) // 86400
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


def test_day_that_nobody_may_write(host):
    """The password is changed, and that is said."""
    access = ("access to attrs=userPassword by self write by anonymous auth\n"
              "access to * by * read\n")
    server = serve(host, access, **AGED)
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert server.lets_in(ANN, NEW)
    assert last_change(server) == TODAY - 100


def test_day_begins_with_a_change(host):
    """An account with a maximum age and no day yet has one from now on."""
    server = serve(host, shadowMax=90)
    assert change(host, OLD, NEW, NEW).codes == ["SUCCESS"]
    assert last_change(server) == int(time.time()) // 86400


def test_no_day_without_shadow(host):
    """Nothing is added to an entry that has no such attributes."""
    server = serve(host)
    mark = server.mark()
    assert change(host, OLD, NEW, NEW).codes == ["SUCCESS"]
    counts = server.count(mark)
    # The modification asks whether the server takes any.
    assert counts.changes == 1 and counts.modifications == 1
    assert server.lets_in(ANN, NEW)
    assert last_change(server) is None


def test_minimum_age(host):
    server = serve(host, shadowLastChange=TODAY - 1, shadowMin=7, shadowMax=90)
    done = change(host, OLD, NEW, NEW)
    assert done.code in ("PERM_DENIED", "AUTHTOK_ERR"), done
    assert done.said
    assert server.lets_in(ANN, OLD)


def test_minimum_age_does_not_stop_a_demand(host):
    server = serve(host, shadowLastChange=0, shadowMin=7, shadowMax=90)
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.code == "SUCCESS", (done, host.log.all())
    assert server.lets_in(ANN, NEW)


# ---- shadow attributes on servers that have a policy

def test_empty_answer_of_ppolicy(host):
    """An overlay without a policy says nothing against the attributes."""
    server = Slapd(host, [user("ann", UID, OLD, **AGED)])
    configure(host, server, default_policy=None)
    host.add_elsewhere("ann", UID)
    assert log_in(host).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]


@pytest.mark.skipif(not directory389.have_server(),
                    reason="389-ds-base is not installed")
def test_389(host):
    """One that ages nothing leaves it to the attributes, whose values it need
    not look at; and one that does goes before them."""
    server = DirectoryServer()
    try:
        server.fresh()
        configure(host, server, default_policy="cn=config")
        host.add_elsewhere("ann", UID)
        server.policy(aci=directory389.POLICY_ACI, passwordMustChange="off")
        server.add({**user("ann", UID, OLD), "userPassword": OLD})
        server.replace(ANN, objectClass=["inetOrgPerson", "posixAccount",
                                         "shadowAccount"], **AGED,
                       passwordRetryCount=0)
        done = change(host, OLD, NEW, NEW, forced=True)
        assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
            done, host.log.all())
        assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]
        server.policy(**{"nsslapd-syntaxcheck": "off"})
        server.replace(ANN, shadowMax="soon")
        assert log_in(host, NEW).codes[0] == "AUTHINFO_UNAVAIL"
        assert host.log.with_text("shadowMax of")
        server.policy(passwordExp="on")
        server.replace(ANN, passwordExpirationTime=stamp(-30 * 86400))
        assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    finally:
        server.stop()


# ---- over a real sshd

def test_sshd_forced_change(host):
    server = serve(host, **AGED)
    with ssh(host, "echo in as $(id -un)") as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        assert "in as ann" in talk.rest()
    assert server.lets_in(ANN, NEW)
    assert last_change(server) == int(time.time()) // 86400


@pytest.mark.parametrize("name, is_in", [("young", True), ("inactive", False),
                                         ("ended", False)])
def test_sshd_key(host, name, is_in):
    serve(host, **STATES[name][0])
    host.give_key("ann")
    with ssh(host, "echo in as $(id -un)", method="publickey") as talk:
        shown = talk.rest()
    assert ("in as ann" in shown) == is_in, shown
    assert is_in or CONTACT in shown, shown
