"""Administering accounts in a real 389 Directory Server, and checking it.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import re

import pytest

import directory389
from directory import BASE, PEOPLE, SERVICE, dn_of, manual_block, stamp
from directory389 import ACI, EPOCH, POLICY_ACI, DirectoryServer
from middle import Middle, refuse
from test_389 import AGES, ANN, DAY, DEMANDS, LOCKS, give
from test_ldap import NEW, OLD, PEER, UID, configure, log_in
from test_reset import events, is_away_for, reset
from test_reset_ldap import FRESH, by_ticket
from test_ldap_admin import (check, ctl, phrase_of, plain, rights_in,
                             status)

pytestmark = pytest.mark.skipif(not directory389.have_server(),
                                reason="389-ds-base is not installed")

# What the service needs besides userPassword, to give orders.
ADMIN_ACI = ('(targetattr="passwordExpirationTime || accountUnlockTime || '
             'passwordRetryCount")(version 3.0; acl "orders"; allow (write) '
             f'userdn="ldap:///{SERVICE}";)')


@pytest.fixture(scope="module")
def the_server():
    server = DirectoryServer()
    yield server
    server.stop()


@pytest.fixture
def server(the_server, host):
    the_server.fresh()
    the_server.replace(PEOPLE, aci=ADMIN_ACI)
    configure(host, the_server, default_policy="cn=config")
    host.add_elsewhere("ann", UID)
    yield the_server
    the_server.replace(PEOPLE, aci=None)


def entry(server):
    return server.read(ANN, "*", "+")


# ---- unlock

@pytest.mark.parametrize("readable", [False, True])
def test_unlock(host, server, readable):
    give(server, LOCKS, readable=readable)
    for _ in range(3):
        assert log_in(host, "no").codes[0] == "AUTH_ERR"
    host.forget_state()
    assert status(host)[0] == 3
    done = ctl(host, "unlock", "ann")
    assert "in the directory has been ended" in done.stdout, done
    found = entry(server)
    assert "accountunlocktime" not in found
    assert "passwordretrycount" not in found
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert "nothing was done" in ctl(host, "unlock", "ann").stdout


def test_unlock_while_another_does(host, server):
    """A part of the lock goes away between the look and the order."""
    def forestall(middle, client, there, request):
        server.replace(ANN, passwordRetryCount=None)
        there.sendall(request.data)

    give(server, LOCKS, readable=True)
    for _ in range(3):
        assert log_in(host, "no").codes[0] == "AUTH_ERR"
    host.forget_state()
    with Middle(server, {"modify 1": forestall}) as way:
        configure(host, way.uri, insecure="yes", default_policy="cn=config")
        done = ctl(host, "unlock", "ann")
        assert "in the directory has been ended" in done.stdout, done
        assert "accountunlocktime" not in entry(server)
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


def test_unlock_of_one_who_is_inactivated(host, server):
    give(server, readable=True, nsAccountLock="true")
    done = ctl(host, "unlock", "ann")
    assert "disabled in the directory; \"unlock\" does not" in plain(
        done.stderr)
    assert entry(server)["nsaccountlock"] == "true"


# ---- must-change

@pytest.mark.parametrize("readable", [False, True])
@pytest.mark.parametrize("policy", [DEMANDS, {**DEMANDS, **AGES}])
def test_must_change(host, server, readable, policy):
    give(server, policy, readable=readable)
    done = ctl(host, "must-change", "ann")
    assert "has to change the password at the next login" in done.stdout
    assert done.stderr == ""
    assert entry(server)["passwordexpirationtime"] == EPOCH
    assert status(host)[1]["state"] == "must-change"
    assert log_in(host).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    assert "already has to" in ctl(host, "must-change", "ann").stdout
    done = ctl(host, "must-change", "--clear", "ann")
    assert "no longer has to" in done.stdout
    assert status(host)[1]["state"] == "ok"
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert "does not have to" in ctl(host, "must-change", "--clear",
                                     "ann").stdout
    # The server has begun to count anew, where it counts.
    assert ("passwordexpirationtime" in entry(server)) is (
        policy is not DEMANDS)


@pytest.mark.parametrize("age, state", [(100 * DAY, "ok"),
                                        (2 * DAY, "expiring")])
def test_clear_leaves_the_age(host, server, age, state):
    """Where the server shows when the password was changed."""
    give(server, {**AGES, **DEMANDS, "passwordTrackUpdateTime": "on",
                  "passwordMaxAge": age, "passwordWarning": 3 * DAY},
         readable=True)
    server.client("ldappasswd", "-s", NEW, who=(ANN, OLD))
    before = entry(server)["passwordexpirationtime"]
    assert before != EPOCH
    ctl(host, "must-change", "ann")
    ctl(host, "must-change", "--clear", "ann")
    found = entry(server)
    assert found["passwordexpirationtime"] == before
    assert status(host)[1]["state"] == state


def test_clear_of_a_reset(host, server):
    """The mark of a reset stays, and says nothing."""
    give(server, DEMANDS, readable=True, reset=True)
    assert log_in(host).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    ctl(host, "must-change", "--clear", "ann")
    assert entry(server)["pwdreset"] == "TRUE"
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


def test_clear_of_a_temporary_password_of_the_server(host, server):
    give(server, {**DEMANDS, "passwordTPRMaxUse": 3}, readable=True, reset=True)
    before = entry(server)
    done = ctl(host, "must-change", "--clear", "ann", code=9)
    assert "which only a new password ends" in plain(done.stderr)
    assert entry(server) == before


def test_nothing_that_the_server_would_not_enforce(host, server):
    give(server, AGES, readable=True)
    before = entry(server)
    for command in ("must-change", "temporary"):
        done = ctl(host, command, "ann", code=9)
        assert '"passwordMustChange: on"' in plain(done.stderr), done
        assert done.stdout == ""
    assert entry(server) == before
    assert server.lets_in(ANN, OLD)


# ---- temporary

@pytest.mark.parametrize("readable", [False, True])
@pytest.mark.parametrize("tracked", [False, True])
def test_temporary(host, server, readable, tracked):
    """Without any of the server's own: our record ends it."""
    give(server, {**AGES, **DEMANDS,
                  "passwordTrackUpdateTime": "on" if tracked else "off"},
         readable=readable)
    mark = server.mark()
    done = ctl(host, "temporary", "ann")
    phrase = phrase_of(done)
    assert re.search(r"It is valid until .*on this host", plain(done.stderr)), done
    assert "Warning" not in done.stderr
    # One request: the server makes the demand itself.
    assert server.lines(mark).count(" MOD dn=") == 0
    assert status(host)[1]["state"] == "must-change"
    assert status(host)[1]["facts"]["temporary_until"] is not None
    late = ctl(host, "explain", "--json", "--at", "+40d", "ann")
    assert json.loads(late.stdout)["state"] == "lapsed"
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[phrase, NEW, NEW], rhost=PEER)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert status(host)[1]["facts"]["temporary_until"] is None
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


def test_temporary_twice(host, server):
    """Nothing tells the first from the second; the second has its own end."""
    give(server, DEMANDS, readable=True)
    ctl(host, "temporary", "ann")
    first = status(host)[1]["facts"]["temporary_until"]
    host.configure(temporary={"lifetime": "20d"})
    phrase = phrase_of(ctl(host, "temporary", "ann"))
    assert status(host)[1]["facts"]["temporary_until"] > first
    assert server.lets_in(ANN, phrase)


def test_a_change_elsewhere_ends_the_record(host, server):
    give(server, DEMANDS, readable=True)
    phrase = phrase_of(ctl(host, "temporary", "ann"))
    server.client("ldappasswd", "-s", NEW, who=(ANN, phrase))
    assert status(host)[1]["facts"]["temporary_until"] is None
    assert status(host)[1]["state"] == "ok"


def test_temporary_of_the_server(host, server):
    """It has an end and a count of its own."""
    give(server, {**DEMANDS, "passwordTPRMaxUse": 2,
                  "passwordTPRDelayExpireAt": 3600}, readable=True)
    done = ctl(host, "temporary", "ann")
    phrase = phrase_of(done)
    assert "It is valid until" in plain(done.stderr)
    assert "on this host" not in done.stdout, "the server ends it everywhere"
    found = entry(server)
    until = found["pwdtprexpireat"]
    said = status(host)[1]["facts"]["temporary_until"]
    assert re.sub(r"[-:T]", "", said) == until
    for _ in range(2):
        assert log_in(host, phrase).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    assert log_in(host, phrase).codes[0] == "AUTH_ERR"
    host.forget_state()
    assert status(host)[1]["state"] == "locked"
    done = ctl(host, "unlock", "ann", code=9)
    assert 'run "selfresetctl temporary"' in plain(done.stderr), done
    phrase = phrase_of(ctl(host, "temporary", "ann"))
    assert log_in(host, phrase).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    server.replace(ANN, pwdTPRExpireAt=stamp(5))
    assert status(host)[1]["state"] == "lapsed"
    assert log_in(host, phrase).codes[0] == "AUTH_ERR"


def test_policy_of_the_directory_refuses(host, server):
    give(server, {**DEMANDS, "passwordCheckSyntax": "on",
                  "passwordMinLength": 200}, readable=True)
    done = ctl(host, "temporary", "ann", code=9)
    assert "policy of the directory refuses" in plain(done.stderr), done
    assert server.lets_in(ANN, OLD)


def test_temporary_of_the_young(host, server):
    """A minimum age does not bind who resets."""
    give(server, {**DEMANDS, "passwordMinAge": DAY}, readable=True)
    phrase = phrase_of(ctl(host, "temporary", "ann"))
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[phrase, NEW, NEW], rhost=PEER)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())


# ---- refusals

@pytest.mark.parametrize("command", ["unlock", "must-change", "temporary"])
def test_no_right(host, server, command):
    state = {} if command != "unlock" else {
        "accountUnlockTime": stamp(-900), "passwordRetryCount": 3}
    give(server, {**DEMANDS, **LOCKS}, readable=True, **state)
    server.replace(PEOPLE, aci=(
        '(targetattr="userPassword")(version 3.0; acl "nothing"; deny (write) '
        f'userdn="ldap:///{SERVICE}";)'))
    before = entry(server)
    done = ctl(host, command, "ann", code=9)
    text = plain(done.stderr)
    assert "does not allow the service's identity" in text, done
    assert "check --backend corp --test-entry ann" in text
    assert entry(server) == before


def test_server_away(host, server):
    give(server, DEMANDS, readable=True)
    server.stop()
    try:
        for command in ("unlock", "must-change", "temporary", "status"):
            done = ctl(host, command, "ann", code=1)
            assert "cannot be read" in done.stderr
    finally:
        server.start()


# ---- status, explain and list

def test_status_names_the_directory(host, server):
    give(server, {**AGES, "passwordTrackUpdateTime": "on"}, readable=True)
    server.replace(ANN, userPassword=OLD)
    _, said = status(host)
    assert said["backend"] == "corp"
    assert said["directory"]["server"].startswith("389-Directory/")
    assert said["directory"]["not_shown"] == []
    assert said["facts"]["entry"] == ANN
    explained = json.loads(ctl(host, "explain", "--json", "ann").stdout)
    assert explained["backend"] == "corp"
    assert explained["directory"]["server"].startswith("389-Directory/")


def test_status_says_what_is_not_shown(host, server):
    give(server)
    _, said = status(host)
    assert "password_expires" in said["directory"]["not_shown"]


def test_list(host, server):
    give(server, DEMANDS, reset=True, readable=True)
    done = ctl(host, "list")
    assert re.search(r"^ann +must-change", done.stdout, re.M), done.stdout


# ---- check

GOOD = {**AGES, **DEMANDS, **LOCKS, "passwordTrackUpdateTime": "on"}
OPENLDAP_ONLY = ("pwdReset", "pwdAccountLockedTime", "pwdEndTime")


def allow(name, attributes, rights, who):
    return (f'(targetattr="{attributes}")(version 3.0; acl "{name}"; '
            f'allow ({rights}) userdn="ldap:///{who}";)')


def deny(name, attributes, rights, who):
    return allow(name, attributes, rights, who).replace("allow", "deny")


def test_check_of_a_good_directory(host, server):
    give(server, {**GOOD, "passwordTPRMaxUse": 3,
                  "passwordTPRDelayExpireAt": 3600}, readable=True)
    before = entry(server)
    said, _ = check(host, "--test-entry", "ann", "--ask-password", code=0,
                    input=OLD + "\n")
    assert said["findings"] == []
    assert said["server"].startswith("389-Directory/")
    assert said["ppolicy_control"] is True
    assert said["password_operation"] is True
    assert said["content_synchronisation"] is False
    assert said["accounts"] == 1
    policy = said["policy"]
    assert policy["entry"] == "cn=config"
    assert policy["readable"] is True
    assert policy["max_age"] == 8640000
    for name in ("lockout", "must_change_after_reset", "change_by_user",
                 "tells_changes"):
        assert policy[name] is True, (name, policy)
    assert policy["temporary_uses"] == 3
    assert policy["temporary_lifetime"] == 3600
    rights = rights_in(said)
    for name in ("passwordExpirationTime", "accountUnlockTime"):
        assert rights[name] == (True, True, False)
    assert rights["userPassword"] == (False, True, True)
    assert rights["uidNumber"] == (True, False, False)
    assert not [name for name in OPENLDAP_ONLY if name in rights]
    assert entry(server) == before, "it left a trace"


def test_the_rights_of_the_manual(host, server):
    """They are all that the service needs, and no more."""
    block = re.sub(r"\n ", "", manual_block("sr writes"))
    *accounts, policy = [line.removeprefix("aci: ")
                         for line in block.splitlines()]
    give(server, GOOD)
    server.replace(PEOPLE, aci=None)
    server.replace(BASE, aci=[*accounts, ACI[0]])
    try:
        server.policy(aci=policy)
        said, text = check(host, "--test-entry", "ann", "--ask-password",
                           code=0, input=OLD + "\n")
        assert said["findings"] == [], text
        assert said["anyone_reads_hashes"] is False
        ctl(host, "must-change", "ann")
        assert "It is valid until" in plain(ctl(host, "temporary", "ann").stderr)
    finally:
        server.replace(BASE, aci=ACI)


def test_check_finds_self_write(host, server):
    give(server, GOOD, readable=True)
    server.replace(PEOPLE, aci=[ADMIN_ACI, allow("own all", "*", "write",
                                                 "self")])
    before = entry(server)
    said, text = check(host, "--test-entry", "ann", "--ask-password", code=2,
                       input=OLD + "\n")
    assert "by self write" in text
    (finding,) = [f for f in said["findings"] if "self write" in f["advice"]]
    for attribute in ("passwordExpirationTime", "accountUnlockTime",
                      "pwdTPRUseCount", "nsAccountLock", "uidNumber"):
        assert attribute in finding["subjects"], finding
    assert "userPassword" not in finding["subjects"]
    assert entry(server) == before, "it left a trace"


def test_check_of_what_the_service_may_not(host, server):
    give(server, GOOD, readable=True)
    server.replace(PEOPLE, aci=[
        deny("no password", "userPassword", "write", SERVICE),
        deny("unseen", "accountUnlockTime", "read, search, compare", "anyone")])
    said, text = check(host, "--test-entry", "ann", code=10)
    (finding,) = [f for f in said["findings"] if "cannot see" in f["text"]]
    assert finding["subjects"] == "accountUnlockTime"
    for attribute in ("userPassword", "passwordExpirationTime",
                      "accountUnlockTime"):
        assert f"cannot write {attribute}" in text, text
    assert not [name for name in OPENLDAP_ONLY if name in text]
    assert rights_in(said)["accountUnlockTime"][2] is None


def test_check_of_hashes(host, server):
    give(server, GOOD, readable=True)
    server.replace(PEOPLE, aci=allow("hashes", "userPassword", "read, search",
                                     SERVICE))
    _, text = check(host, code=10)
    assert "service's identity can read the hashes" in text
    server.replace(PEOPLE, aci=allow("hashes", "userPassword", "read, search",
                                     "anyone"))
    _, text = check(host, code=2)
    assert "Anyone can read the hashes" in text


def test_check_of_policies(host, server):
    give(server)
    assert "policy cannot be read" in check(host, code=2)[1]
    server.policy(aci=POLICY_ACI)
    _, text = check(host, code=10)
    assert "passwordMustChange" in text and "passwordLockout" in text
    assert "passwordTrackUpdateTime: on" in text
    host.settings["backend corp"].pop("default_policy")
    host.configure()
    _, text = check(host, code=10)
    assert "default_policy is not set" in text and "cn=config" in text


def test_check_of_a_locked_entry(host, server):
    """Who cannot log in shows nothing of what users may do."""
    give(server, GOOD, readable=True, accountUnlockTime=stamp(-900),
         passwordRetryCount=3)
    before = entry(server)
    said, text = check(host, "--test-entry", "ann", "--ask-password", code=10,
                       input=OLD + "\n")
    assert "cannot log in" in text
    assert rights_in(said)["accountUnlockTime"][2] is None
    assert entry(server) == before, "it left a trace"


# ---- self-service reset

@pytest.mark.parametrize("state", ["must-change", "locked", "temporary"])
def test_reset(host, server, state):
    """What this server counts as a reset by an administrator is not left to be
    changed once more, and its lock is ended."""
    give(server, {**DEMANDS, **LOCKS}, readable=True)
    if state == "must-change":
        ctl(host, "must-change", "ann")
    elif state == "temporary":
        ctl(host, "temporary", "ann")
    else:
        for _ in range(3):
            assert log_in(host, "no").codes[0] == "AUTH_ERR"
    flow = by_ticket(host, "ann")
    if state == "locked":
        assert "is locked" in flow.said, flow.text
        flow.answer("2")
    flow.answer(FRESH, FRESH)
    assert flow.end == 0 and "changed and checked" in flow.said, (
        flow.text, host.log.all())
    assert server.lets_in(ANN, FRESH) and not server.lets_in(ANN, OLD)
    assert log_in(host, FRESH).codes == ["SUCCESS", "SUCCESS"]
    assert len(events(host, "SR-1002")) == 1


def test_reset_unlocks_and_keeps_the_password(host, server):
    give(server, LOCKS, readable=True)
    for _ in range(3):
        assert log_in(host, "no").codes[0] == "AUTH_ERR"
    flow = by_ticket(host, "ann").answer("1")
    assert flow.end == 0 and "is unlocked" in flow.said, flow.text
    assert "accountunlocktime" not in entry(server)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


def test_reset_without_the_right(host, server):
    """Found before any proof: none is accepted."""
    give(server, readable=True)

    def take_away():
        server.replace(PEOPLE, aci='(targetattr="userPassword")(version 3.0; '
                       'acl "no"; deny (write) '
                       f'userdn="ldap:///{SERVICE}";)')

    flow = by_ticket(host, "ann", until=take_away)
    assert "Not accepted." in flow.text and "Accepted." not in flow.text, (
        flow.text)
    flow.leave()
    assert "SR-3014" in events(host, "SR-2004")[0]


def test_reset_when_the_server_lies(host, server):
    """It says that it has stored the password, and has not: no success is
    claimed, and the owner is told."""
    give(server, readable=True)

    with Middle(server, {"extended": refuse(0)}) as way:
        configure(host, way.uri, insecure="yes", default_policy="cn=config")
        flow = by_ticket(host, "ann").answer(FRESH, FRESH)
        assert flow.end == 1 and "could not be verified" in flow.said, flow.text
        assert "changed and checked" not in flow.said
        assert "Nothing was changed" not in flow.said
    assert events(host, "SR-1003") and not events(host, "SR-1002")
    assert server.lets_in(ANN, OLD)


def test_reset_while_the_server_dies(host, server):
    """Before the first proof, and between the last one and the password."""
    give(server, readable=True)
    with Middle(server, {}) as way:
        configure(host, way.uri, insecure="yes", default_policy="cn=config")
        begun = by_ticket(host, "ann")
    assert is_away_for(host, "ann")
    begun.answer(FRESH, FRESH)
    assert begun.end == 1 and "Nothing was changed." in begun.said, begun.text
    assert server.lets_in(ANN, OLD)
