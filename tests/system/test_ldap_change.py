"""Changes of a password in a directory: by the operation of RFC 3062, and on a
server that does not offer it by values; each refusal of OpenLDAP, told by its
policy beforehand, or by its answer alone.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib

import pytest

import directory
from directory import (FOR_GOOD, POLICY, ROOT, SERVICE, Slapd, dn_of,
                       stamp, user)
from middle import Middle, refuse
from scratch import CONTACT
from talk import AGAIN
from talk import NEW as NEW_PROMPT
from test_ldap import (DAY, NEW, OLD, PEER, STATES, UID, change, configure,
                       drive, log_in, serve)

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

ANN = dn_of("ann")
OTHER = "seven boats on the river"
# A service that reads no policy: what the server demands, its answer tells.
UNREADABLE = f'access to dn="{POLICY}" by * none\n' + directory.ACCESS
# A service that is an administrator of passwords.
MANAGES = (f'access to attrs=userPassword by dn="{SERVICE}" manage by self '
           "write by anonymous auth by * none\n"
           f'access to * by dn="{SERVICE}" manage by * read\n')


forms = pytest.mark.parametrize("form", ["operation", "values"])


@pytest.fixture
def offer(host):
    """Has a server offer the operation or not, as Samba does not: it answers
    2, protocol error."""
    with contextlib.ExitStack() as ways:
        def made(server, form):
            if form == "values":
                way = ways.enter_context(Middle(server, {
                    "extended": refuse(2, "not supported")}))
                configure(host, way.uri, insecure="yes")
        yield made


def in_that_form(server, form):
    """It was made so, and not otherwise."""
    is_modified = " MOD attr=userPassword" in server.lines()
    return (is_modified, " PASSMOD " in server.lines()) == (
        form == "values", form == "operation")


# ---- the two forms

@forms
@pytest.mark.parametrize("safe", ["TRUE", "FALSE"])
def test_by_the_owner(host, offer, form, safe):
    server = serve(host, {"pwdSafeModify": safe, "pwdInHistory": 3})
    offer(server, form)
    assert change(host, OLD, NEW, NEW).codes == ["SUCCESS"], host.log.all()
    assert in_that_form(server, form)
    assert server.lets_in(ANN, NEW) and not server.lets_in(ANN, OLD)
    stored = server.read(ANN, "userPassword")
    assert len(stored) == 1 and stored[0].startswith("userPassword:: "), stored
    done = change(host, NEW, *[OLD, OLD] * 3)
    assert done.codes == ["AUTHTOK_ERR"] and "used before" in done.said, done


@forms
@pytest.mark.parametrize("state", ["must-change", "expired", "last-grace"])
def test_forced(host, offer, form, state):
    """The expired one's is made by the service, which proves the old one."""
    entry, policy, *_ = STATES[state]
    server = serve(host, {**policy, "pwdSafeModify": "TRUE"}, **entry)
    offer(server, form)
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert in_that_form(server, form)
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


@forms
@pytest.mark.parametrize("manages", [False, True])
def test_root_sets_a_password(host, offer, form, manages):
    """Root has no old password.  To a service that does not manage passwords,
    pwdSafeModify forbids that."""
    server = serve(host, {"pwdSafeModify": "TRUE", "pwdMustChange": "TRUE"},
                   server={"access": MANAGES} if manages else {})
    offer(server, form)
    done = host.drive("probe", "ann", "chauthtok", answers=[NEW, NEW])
    if manages:
        assert done.codes == ["SUCCESS"], (done, host.log.all())
        assert log_in(host, NEW).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    else:
        assert done.codes == ["AUTHTOK_ERR"], done
        # Nobody was asked for a current password.
        assert "current password is not right" not in done.said, done
        assert CONTACT in done.said, done
        assert server.lets_in(ANN, OLD)


def test_operation_that_is_restricted(host):
    """Whoever switched it off did not mean that passwords be written in another
    way, in which not every server hashes them."""
    server = serve(host, server={
        "more": "restrict extended=1.3.6.1.4.1.4203.1.11.1\n"})
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["AUTHTOK_ERR"], done
    assert CONTACT in done.said and "tries left" not in done.said, done
    assert "attr=userPassword" not in server.lines()
    assert server.lets_in(ANN, OLD)


# ---- refusals

# What the policy says, and the entry; what is typed (None: NEW); what the
# person reads when the policy was read, and when the answer alone tells it.
REFUSALS = {
    "too-short": ({"pwdMinLength": 30, "pwdCheckQuality": 2}, {}, None,
                  "at least 30 characters", "too short for the directory"),
    "too-long": ({"pwdMaxLength": 20, "pwdCheckQuality": 2}, {}, None,
                 "at most 20 characters", "too long for the directory"),
    "not-allowed": ({"pwdAllowUserChange": "FALSE"},
                    {"pwdChangedTime": stamp(DAY)}, None, CONTACT, CONTACT),
    "too-young": ({"pwdMinAge": 3600}, {"pwdChangedTime": stamp(60)}, None,
                  "", "too recently"),
    "in-history": ({"pwdInHistory": 3}, {}, OTHER, "none of the last 3",
                   "used before"),
}


@forms
@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(host, offer, case, is_read, form):
    policy, entry, typed, known, told = REFUSALS[case]
    server = serve(host, policy, server={} if is_read else {
        "access": UNREADABLE}, **entry)
    offer(server, form)
    if typed is not None:  # it was the password before this one
        server.modify(ANN, f"replace: userPassword\nuserPassword: {typed}")
        server.modify(ANN, f"replace: userPassword\nuserPassword: {OLD}")
    typed = typed or NEW
    done = change(host, OLD, *[typed, typed] * 3)
    assert done.code in ("AUTHTOK_ERR", "PERM_DENIED"), (done, host.log.all())
    assert (known if is_read else told) in done.said, done
    assert done.said
    assert server.lets_in(ANN, OLD) and not server.lets_in(ANN, typed)


def test_minimum_age_is_none_for_a_demand(host):
    """The server does not apply it to a password that was reset."""
    server = serve(host, {"pwdMinAge": 3600, "pwdMustChange": "TRUE"},
                   pwdChangedTime=stamp(60), pwdReset="TRUE")
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert server.lets_in(ANN, NEW)


def test_minimum_age_of_a_password_just_changed(host):
    serve(host, {"pwdMinAge": 3600})
    assert change(host, OLD, NEW, NEW).codes == ["SUCCESS"]
    done = change(host, NEW, OTHER, OTHER)
    assert done.codes == ["AUTHTOK_ERR"], done
    assert done.said
    assert len(done.prompts) == 0, "asked for what cannot be"


# ---- what happens between the old password and the new one

@forms
def test_changed_meanwhile(host, offer, form):
    """By somebody else, while the new one was typed: it is not overwritten."""
    server = serve(host)
    offer(server, form)
    with drive(host, "probe", "ann", "chauthtok", real_uid=UID) as talk:
        talk.answer("Current", OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.until(AGAIN)
        server.modify(ANN, f"replace: userPassword\nuserPassword: {OTHER}")
        talk.type(NEW)
        shown = talk.rest()
    assert "AUTHTOK_ERR" in shown and "SUCCESS" not in shown, shown
    assert "current password" in shown, shown
    assert server.lets_in(ANN, OTHER) and not server.lets_in(ANN, NEW)


def test_deleted_meanwhile(host):
    server = serve(host)
    with drive(host, "probe", "ann", "chauthtok", real_uid=UID) as talk:
        talk.answer("Current", OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.until(AGAIN)
        directory.subprocess.run(
            ["ldapdelete", "-x", "-H", server.local, "-D", ROOT, "-w",
             directory.ROOT_SECRET, ANN], check=True)
        talk.type(NEW)
        shown = talk.rest()
    assert "AUTHTOK_ERR" in shown and "Nothing was changed" in shown, shown


def test_locked_meanwhile(host):
    """By an administrator, in the minute that it took to type."""
    server = serve(host, {"pwdLockout": "TRUE", "pwdMustChange": "TRUE"},
                   pwdReset="TRUE")
    with drive(host, "probe", "ann", "auth", "acct", rhost=PEER) as talk:
        talk.until("Password: ")
        server.modify(ANN, "replace: pwdAccountLockedTime\n"
                      f"pwdAccountLockedTime: {FOR_GOOD}")
        talk.type(OLD)
        shown = talk.rest()
    assert "SUCCESS" not in shown and "NEW_AUTHTOK_REQD" not in shown, shown


# ---- what a change clears

def test_clears_all_that_was_counted(host):
    """In the directory, and what this host counted of it."""
    host.configure(lockout={"attempts": 5})
    server = serve(host, {"pwdLockout": "TRUE", "pwdMaxFailure": 9,
                          "pwdMaxAge": 90 * DAY, "pwdGraceAuthNLimit": 3},
                   pwdChangedTime=stamp(100 * DAY))
    for _ in range(3):
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert len(server.read(ANN, "pwdFailureTime")) == 3
    log_in(host)
    assert server.read(ANN, "pwdGraceUseTime")
    assert change(host, OLD, NEW, NEW).code == "SUCCESS", host.log.all()
    assert server.read(ANN, "pwdFailureTime", "pwdGraceUseTime",
                       "pwdAccountLockedTime") == []
    for _ in range(4):
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    done = log_in(host, NEW)
    assert done.codes == ["SUCCESS", "SUCCESS"], done
    assert "expire" not in done.said


def test_service_without_identity_and_a_demand(host):
    """On the connection of one who must change, nothing else may be done."""
    server = serve(host, {"pwdMustChange": "TRUE"}, pwdReset="TRUE",
                   config={"identity": None, "bind_dn": None,
                           "secret_file": None})
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]
    assert server.lets_in(ANN, NEW)


# ---- rows of the states that are about more than one attribute

ROWS = {
    # A demand goes before the age of the password.
    "reset-and-expired": ({"pwdReset": "TRUE",
                           "pwdChangedTime": stamp(100 * DAY)},
                          {"pwdMustChange": "TRUE", "pwdMaxAge": 90 * DAY},
                          "NEW_AUTHTOK_REQD", "NEW_AUTHTOK_REQD",
                          "has to be changed"),
    # But its end ends a temporary password, too.
    "reset-and-ended": ({"pwdReset": "TRUE", "pwdEndTime": stamp(60)},
                        {"pwdMustChange": "TRUE", "pwdLockout": "TRUE"},
                        None, "ACCT_EXPIRED", None),
    # Nobody knows since when.
    "no-changed-time": ({}, {"pwdMaxAge": 90 * DAY}, "SUCCESS", "SUCCESS",
                        None),
    # Without a lockout idleness means nothing.
    "idle-not-enforced": ({"pwdLastSuccess": stamp(30 * DAY)},
                          {"pwdMaxIdle": 3600}, "SUCCESS", "SUCCESS", None),
    "grace-and-demand": ({"pwdReset": "TRUE",
                          "pwdChangedTime": stamp(100 * DAY)},
                         {"pwdMustChange": "TRUE", "pwdMaxAge": 90 * DAY,
                          "pwdGraceAuthNLimit": 2}, "NEW_AUTHTOK_REQD",
                         "NEW_AUTHTOK_REQD", "has to be changed"),
    "grace-used-up": ({"pwdChangedTime": stamp(100 * DAY),
                       "pwdGraceUseTime": stamp(DAY)},
                      {"pwdMaxAge": 90 * DAY, "pwdGraceAuthNLimit": 1},
                      "NEW_AUTHTOK_REQD", "NEW_AUTHTOK_REQD", "expired"),
    "warned-by-the-server": ({"pwdChangedTime": stamp(80 * DAY)},
                             {"pwdMaxAge": 90 * DAY,
                              "pwdExpireWarning": 30 * DAY},
                             "SUCCESS", "SUCCESS", "expires in"),
}


@pytest.mark.parametrize("netscape", [False, True])
@pytest.mark.parametrize("row", ROWS)
def test_rows(host, row, netscape):
    """Also on a server that has Netscape's controls, which mean nothing beside
    the others."""
    entry, policy, after, alone, word = ROWS[row]
    more = "ppolicy_send_netscape_controls\n" if netscape else ""
    server = Slapd(host, [user("ann", UID, OLD, **entry)],
                   policies={"policy": policy}, lastbind="on", more=more)
    configure(host, server)
    host.add_elsewhere("ann", UID)
    assert host.drive("probe", "ann", "acct", rhost=PEER).codes == [alone]
    done = log_in(host)
    if after is None:
        assert done.codes[0] == "AUTH_ERR"
    else:
        assert done.codes == ["SUCCESS", after], (done, host.log.all())
        assert (word in done.said) if word else done.said == "", done


def test_passwords_that_cannot_be_bound_with(host):
    """An entry without one, one with a hash of a kind that nobody knows."""
    server = Slapd(host, [user("ann", UID, OLD, userPassword=None),
                          user("bob", UID + 1, OLD, userPassword="{X}abc")])
    configure(host, server)
    for number, name in enumerate(("ann", "bob")):
        host.add_elsewhere(name, UID + number)
        done = host.drive("probe", name, "auth", answers=[OLD], rhost=PEER)
        assert done.codes == ["AUTH_ERR"], (name, done, host.log.all())
