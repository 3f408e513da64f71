"""Accounts in a real 389 Directory Server.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json

import pytest

import directory389
from directory import dn_of, stamp, user
from directory389 import EPOCH, POLICY_ACI, DirectoryServer
from scratch import CONTACT
from talk import AGAIN, PASSWORD
from talk import NEW as NEW_PROMPT
from test_ldap import NEW, OLD, PEER, UID, change, configure, log_in, ssh

pytestmark = pytest.mark.skipif(not directory389.have_server(),
                                reason="389-ds-base is not installed")

ANN = dn_of("ann")
OTHER = "nine ladies dancing slowly"
DAY = 86400


@pytest.fixture(scope="module")
def the_server():
    server = DirectoryServer()
    yield server
    server.stop()


@pytest.fixture
def server(the_server, host):
    """It has no entries yet, and its policy demands nothing."""
    the_server.fresh()
    configure(host, the_server, default_policy="cn=config")
    host.add_elsewhere("ann", UID)
    return the_server


def give(server, policy=None, *, readable=False, reset=False, **attributes):
    """Ann is in the directory, who has set her password herself unless it was
    reset, with these attributes on top."""
    policy = dict(policy or {})
    late = {key: policy.pop(key) for key in ("passwordMustChange",)
            if key in policy and not reset}
    server.policy(**policy)
    server.add({**user("ann", UID, OLD), "userPassword": OLD})
    if reset:
        server.replace(ANN, userPassword=OLD)
    server.policy(**late)
    if readable:
        server.policy(aci=POLICY_ACI)
    if attributes:
        server.replace(ANN, **attributes)


def state(host):
    """What is known of ann without her password."""
    done = host.run("selfresetctl", "status", "--json", "ann")
    return json.loads(done.stdout)["state"]


# ---- the states, as facts, verdict, code and text

# What acct_mgmt answers in each, when nothing but the entry was read.
BY_KEY = {"ok": "SUCCESS", "expiring": "SUCCESS", "grace": "SUCCESS",
          "must-change": "NEW_AUTHTOK_REQD", "expired": "NEW_AUTHTOK_REQD",
          "locked": "PERM_DENIED", "disabled": "ACCT_EXPIRED",
          "not-yet": "ACCT_EXPIRED", "lapsed": "AUTHTOK_EXPIRED"}

AGES = {"passwordExp": "on"}
LOCKS = {"passwordLockout": "on"}
DEMANDS = {"passwordMustChange": "on"}

# The policy; the attributes; whether the password was reset; the state that
# the entry tells alone, and with the policy; the answers of authenticate (right
# password) and of acct_mgmt after it; a word that is read then (None: nothing
# is to be read).
STATES = {
    "ok": (AGES, {}, False, "ok", "ok", "SUCCESS", "SUCCESS", None),
    "expiring": (AGES, {"passwordExpirationTime": stamp(-3600)}, False,
                 "expiring", "expiring", "SUCCESS", "SUCCESS", "expires in"),
    "told-always": ({**AGES, "passwordSendExpiringTime": "on"}, {}, False,
                    "ok", "ok", "SUCCESS", "SUCCESS", None),
    # No rule but the host's is known to one who cannot read the policy.
    "expiring-for-the-host": (
        {**AGES, "passwordSendExpiringTime": "on"},
        {"passwordExpirationTime": stamp(-10 * DAY)}, False,
        "expiring", "ok", "SUCCESS", "SUCCESS", {"expires in", None}),
    "grace": ({**AGES, "passwordGraceLimit": 3},
              {"passwordExpirationTime": stamp(3600)}, False,
              "expired", "grace", "SUCCESS", "SUCCESS", "2 more"),
    "last-grace": ({**AGES, "passwordGraceLimit": 3},
                   {"passwordExpirationTime": stamp(3600),
                    "passwordGraceUserTime": 2}, False,
                   "expired", "grace", "SUCCESS", "NEW_AUTHTOK_REQD",
                   "expired"),
    "no-grace": ({**AGES, "passwordGraceLimit": 3},
                 {"passwordExpirationTime": stamp(3600),
                  "passwordGraceUserTime": 3}, False,
                 "expired", "expired", "SUCCESS", "NEW_AUTHTOK_REQD",
                 "expired"),
    "expired": (AGES, {"passwordExpirationTime": stamp(3600)}, False,
                "expired", "expired", "SUCCESS", "NEW_AUTHTOK_REQD", "expired"),
    "expiry-not-enforced": ({}, {"passwordExpirationTime": stamp(3600)}, False,
                            "expired", "ok", "SUCCESS", "SUCCESS", None),
    "must-change": (DEMANDS, {}, True, "must-change", "must-change",
                    "SUCCESS", "NEW_AUTHTOK_REQD", "has to be changed"),
    "must-change-and-ages": ({**DEMANDS, **AGES}, {}, True,
                             "must-change", "must-change",
                             "SUCCESS", "NEW_AUTHTOK_REQD",
                             "has to be changed"),
    "demand-not-backed": (AGES, {"passwordExpirationTime": EPOCH}, False,
                          "must-change", "ok", "SUCCESS", "SUCCESS",
                          "expires in"),
    "locked": (LOCKS, {"accountUnlockTime": stamp(-7200),
                       "passwordRetryCount": 3}, False,
               "locked", "locked", "AUTH_ERR", None, None),
    "locked-long-ago": (LOCKS, {"accountUnlockTime": stamp(900),
                                "passwordRetryCount": 3}, False,
                        "ok", "ok", "SUCCESS", "SUCCESS", None),
    "locked-for-good": ({**LOCKS, "passwordUnlock": "off"},
                        {"accountUnlockTime": EPOCH, "passwordRetryCount": 3},
                        False, "locked", "locked", "AUTH_ERR", None, None),
    "locked-for-good-once": (LOCKS, {"accountUnlockTime": EPOCH,
                                     "passwordRetryCount": 3}, False,
                             "locked", "ok", "SUCCESS", "SUCCESS", None),
    "lock-not-enforced": ({}, {"accountUnlockTime": stamp(-7200),
                               "passwordRetryCount": 3}, False,
                          "locked", "ok", "SUCCESS", "SUCCESS", None),
    "inactivated": ({}, {"nsAccountLock": "true"}, False,
                    "disabled", "disabled", "AUTH_ERR", None, None),
    "temporary": ({**DEMANDS, "passwordTPRMaxUse": 2,
                   "passwordTPRDelayExpireAt": 3600}, {}, True,
                  "must-change", "must-change",
                  "SUCCESS", "NEW_AUTHTOK_REQD", "temporary"),
    "temporary-used-up": ({**DEMANDS, "passwordTPRMaxUse": 2},
                          {"pwdTPRUseCount": 2}, True,
                          "must-change", "locked", "AUTH_ERR", None, None),
    "temporary-without-use": ({**DEMANDS, "passwordTPRMaxUse": 0}, {}, True,
                              "must-change", "locked", "AUTH_ERR", None, None),
    "temporary-over": ({**DEMANDS, "passwordTPRDelayExpireAt": 3600},
                       {"pwdTPRExpireAt": stamp(60)}, True,
                       "lapsed", "lapsed", "AUTH_ERR", None, None),
    "temporary-to-come": ({**DEMANDS, "passwordTPRDelayValidFrom": 3600}, {},
                          True, "not-yet", "not-yet", "AUTH_ERR", None, None),
}


@pytest.mark.parametrize("readable", [False, True])
@pytest.mark.parametrize("name", STATES)
def test_states(host, server, name, readable):
    (policy, entry, reset, alone, backed, authenticate, account,
     word) = STATES[name]
    give(server, policy, readable=readable, reset=reset, **entry)
    known = backed if readable else alone
    assert state(host) == known
    # A login by a key leaves no trace in the directory.
    done = host.drive("probe", "ann", "acct", rhost=PEER)
    assert done.codes == [BY_KEY[known]], (done, host.log.all())
    done = log_in(host)
    assert done.codes[0] == authenticate, (done, host.log.all())
    if account is not None:
        assert done.codes[1] == account, (done, host.log.all())
    if isinstance(word, set):
        word = None if readable else "expires in"
    if word is not None:
        assert word in done.said, done
    else:
        assert authenticate != "SUCCESS" or done.said == "", done
    wrong = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert wrong.codes == ["AUTH_ERR"], (wrong, host.log.all())
    assert wrong.said == "", "a stranger was told of the account's state"


def test_locked_by_failures(host, server):
    give(server, LOCKS)
    for _ in range(3):
        wrong = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
        assert wrong.codes == ["AUTH_ERR"]
    assert server.read(ANN, "accountUnlockTime")
    host.forget_state()  # this host's own lock is not the one that is meant
    assert log_in(host).codes == ["AUTH_ERR", "PERM_DENIED"]
    assert state(host) == "locked"
    server.replace(ANN, accountUnlockTime=stamp(5))
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()


def test_lock_that_the_service_may_not_see(host, server):
    """The bind tells it; it is no outage."""
    give(server, LOCKS, accountUnlockTime=stamp(-900), passwordRetryCount=3)
    server.replace("ou=people,dc=example,dc=org", aci=(
        '(targetattr="accountUnlockTime || nsAccountLock")(version 3.0; acl '
        '"hidden"; deny (read, search, compare) userdn="ldap:///anyone";)'))
    try:
        assert state(host) == "ok"
        assert log_in(host).codes == ["AUTH_ERR", "PERM_DENIED"]
        server.replace(ANN, accountUnlockTime=None, nsAccountLock="true")
        host.forget_state()
        assert log_in(host).codes == ["AUTH_ERR", "ACCT_EXPIRED"]
    finally:
        server.replace("ou=people,dc=example,dc=org", aci=None)


# ---- changes

def forced(*names):
    return pytest.mark.parametrize("name", names)


@forced("last-grace", "no-grace", "expired", "must-change",
        "must-change-and-ages", "temporary")
@pytest.mark.parametrize("readable", [False, True])
def test_forced_change(host, server, name, readable):
    policy, entry, reset, *_ = STATES[name]
    give(server, policy, readable=readable, reset=reset, **entry)
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert "has been changed" in done.said
    assert not server.lets_in(ANN, OLD)
    assert state(host) == "ok"
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


def test_last_use_of_a_temporary_password(host, server):
    """The login itself uses it up, and the change is still made."""
    give(server, {**DEMANDS, "passwordTPRMaxUse": 1}, readable=True, reset=True)
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


def test_change_of_the_expired_is_no_reset(host, server):
    """The service makes it, which the server takes for a reset."""
    give(server, {**AGES, **DEMANDS}, passwordExpirationTime=stamp(3600))
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert "next login" not in done.said
    assert server.read(ANN, "pwdReset")["pwdreset"] == "FALSE"
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


def test_change_of_the_expired_that_stays_a_reset(host, server):
    """The server remembers passwords: the owner is told what comes."""
    give(server, {**AGES, **DEMANDS, "passwordHistory": "on"},
         passwordExpirationTime=stamp(3600))
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert "at your next login" in done.said
    assert server.lets_in(ANN, NEW)
    assert log_in(host, NEW).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]


def test_change_of_the_expired_with_a_minimum_age(host, server):
    """The owner, who could set it once more, is too early."""
    give(server, {**AGES, **DEMANDS, "passwordMinAge": 3600}, readable=True,
         passwordExpirationTime=stamp(3600))
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    is_demanded = server.read(ANN, "pwdReset")["pwdreset"] == "TRUE"
    assert ("at your next login" in done.said) == is_demanded, done
    assert log_in(host, NEW).codes == [
        "SUCCESS", "NEW_AUTHTOK_REQD" if is_demanded else "SUCCESS"]


@pytest.mark.parametrize("history", ["off", "on"])
def test_change_of_the_expired_becomes_no_temporary_password(host, server,
                                                             history):
    """A reset has an end there, which the owner has not been told of."""
    give(server, {**AGES, **DEMANDS, "passwordTPRMaxUse": 2,
                  "passwordTPRDelayExpireAt": 3600,
                  "passwordHistory": history}, readable=True,
         passwordExpirationTime=stamp(3600))
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    found = server.read(ANN, "pwdReset", "pwdTPRReset", "pwdTPRUseCount")
    is_demanded = found["pwdreset"] == "TRUE"
    assert is_demanded == (history == "on")
    assert ("at your next login" in done.said) == is_demanded, done
    # Of its two uses one is left, to change it.
    assert found.get("pwdtprusecount", "0") == ("1" if is_demanded else "0")
    if is_demanded:
        done = change(host, NEW, OTHER, OTHER, forced=True)
        assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
            done, host.log.all())
        assert server.lets_in(ANN, OTHER)
    else:
        assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


def test_reset_by_root(host, server):
    """That the owner has to change it is meant, and nothing to tell root."""
    give(server, DEMANDS)
    done = host.drive("probe", "ann", "chauthtok", answers=[NEW, NEW])
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert "next login" not in done.said
    assert log_in(host, NEW).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]


def test_change_by_the_owner(host, server):
    give(server, {"passwordCheckSyntax": "on", "passwordMinLength": 12,
                  "passwordHistory": "on", "passwordInHistory": 4},
         readable=True)
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert "at least 12 characters" in done.said
    assert "none of the last 4 passwords" in done.said
    assert server.lets_in(ANN, NEW)


def test_wrong_current_password(host, server):
    give(server)
    mark = server.mark()
    done = change(host, "no", NEW, NEW)
    assert done.codes == ["AUTH_ERR"]
    assert "current password is not right" in done.said
    assert "passwd_modify_extop" not in server.lines(mark)
    assert server.lets_in(ANN, OLD)


# The policy, the attributes, the new password, the last answer, a word.
REFUSALS = {
    "too-short": ({"passwordCheckSyntax": "on", "passwordMinLength": 40}, {},
                  NEW, "AUTHTOK_ERR", "The directory"),
    "in-history": ({"passwordHistory": "on"}, {}, OLD, "AUTHTOK_ERR", None),
    "too-young": ({"passwordMinAge": 3600},
                  {"passwordAllowChangeTime": stamp(-3600)}, NEW, None, None),
    "not-allowed": ({"passwordChange": "off"}, {}, NEW, None, CONTACT),
}


@pytest.mark.parametrize("readable", [False, True])
@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(host, server, case, readable):
    policy, entry, fresh, code, word = REFUSALS[case]
    give(server, policy, readable=readable, **entry)
    done = change(host, OLD, *[fresh, fresh] * 3)
    assert done.code in ([code] if code else ["AUTHTOK_ERR", "PERM_DENIED"]), (
        done, host.log.all())
    assert done.said
    if word is not None:
        assert word in done.said, done
    assert server.lets_in(ANN, OLD)
    assert fresh == OLD or not server.lets_in(ANN, fresh)


def test_history_of_the_directory(host, server):
    give(server, {"passwordHistory": "on"})
    assert change(host, OLD, NEW, NEW).codes == ["SUCCESS"], host.log.all()
    done = change(host, NEW, *[OLD, OLD] * 3)
    assert done.codes == ["AUTHTOK_ERR"]
    assert "used before" in done.said
    assert server.lets_in(ANN, NEW)


def test_minimum_age_that_only_the_server_knows(host, server):
    """The entry tells nothing, and the refusal all."""
    give(server, {"passwordMinAge": 3600})
    assert change(host, OLD, NEW, NEW).codes == ["SUCCESS"], host.log.all()
    server.replace("ou=people,dc=example,dc=org", aci=(
        '(targetattr="passwordAllowChangeTime")(version 3.0; acl "hidden"; '
        'deny (read, search, compare) userdn="ldap:///anyone";)'))
    try:
        done = change(host, NEW, OLD, OLD)
    finally:
        server.replace("ou=people,dc=example,dc=org", aci=None)
    assert done.codes == ["AUTHTOK_ERR"], (done, host.log.all())
    assert "too recently" in done.said, done
    assert server.lets_in(ANN, NEW)


def test_text_that_ends_in_a_newline(host, server):
    """It is one line of the log."""
    give(server, {"passwordCheckSyntax": "on", "passwordMinLength": 40})
    change(host, OLD, *[NEW, NEW] * 3)
    lines = host.log.with_text("Failed to update password")
    assert lines
    assert not [line for line in lines
                if "\\n" in line or "\n" in line or "#012" in line]


def test_without_an_identity(host, server):
    """Who has to change a password may read nothing; the entry is read as
    nobody, before and after."""
    host.settings.pop("backend corp")
    configure(host, server, identity=None, bind_dn=None, secret_file=None,
              default_policy=None)
    give(server, DEMANDS, reset=True)
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]
    server.policy(**AGES)
    server.replace(ANN, passwordExpirationTime=stamp(3600))
    done = log_in(host, NEW)
    assert done.codes == ["SUCCESS", "AUTHTOK_EXPIRED"], (done, host.log.all())
    assert CONTACT in done.said


def test_change_that_needs_a_safe_way(host, server):
    """The server takes a new password over TLS or its socket only."""
    give(server)
    host.configure(backend_corp={"uri": f"ldap://127.0.0.1:{server.port}",
                                 "insecure": "yes"})
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["AUTHTOK_ERR"]
    assert CONTACT in done.said
    assert server.lets_in(ANN, OLD)


# ---- over a real sshd

def test_sshd(host, server):
    give(server, AGES, passwordExpirationTime=stamp(-3600))
    with ssh(host, "echo in as $(id -un)") as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert "in as ann" in shown
    assert "expires in" in shown


@forced("expired", "temporary")
def test_sshd_forced_change(host, server, name):
    policy, entry, reset, *_ = STATES[name]
    give(server, {**policy, "passwordHistory": "on"}, reset=reset, **entry)
    with ssh(host, "echo in as $(id -un)") as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        assert "in as ann" in talk.rest()
    assert server.lets_in(ANN, NEW)


@pytest.mark.parametrize("name, is_in", [
    ("ok", True), ("inactivated", False), ("temporary-over", False)])
def test_sshd_key(host, server, name, is_in):
    policy, entry, reset, *_ = STATES[name]
    give(server, policy, reset=reset, **entry)
    host.give_key("ann")
    with ssh(host, "echo in as $(id -un)", method="publickey") as talk:
        shown = talk.rest()
    assert ("in as ann" in shown) == is_in, shown
    assert is_in or CONTACT in shown, shown
