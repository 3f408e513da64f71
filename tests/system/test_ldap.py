"""Accounts in a directory: OpenLDAP with ppolicy, and plain RFC 2307.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import socket
import time

import pytest

import directory
from directory import (BASE, FOR_GOOD, PEOPLE, POLICY, SECRET_FILE, SERVICE,
                       SERVICE_SECRET, Slapd, dn_of, stamp, user)
from middle import Listener, Pipe, hang_up
from scratch import CONTACT, stack
from talk import AGAIN, CURRENT, PASSWORD, Talk
from talk import NEW as NEW_PROMPT
from test_secrets import tail

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

OLD = "correct horse battery"
NEW = "an umbrella for rainy days"
PEER = "192.0.2.7"
UID = 7001
DAY = 86400


def secret_file(text=SERVICE_SECRET, mode=0o600):
    SECRET_FILE.unlink(missing_ok=True)
    SECRET_FILE.write_text(text + "\n")
    SECRET_FILE.chmod(mode)


def configure(host, server, **more):
    """The host asks its own accounts and then the directory."""
    secret_file()
    keys = {"uri": server.uri if hasattr(server, "uri") else server,
            "base": PEOPLE, "identity": "simple", "bind_dn": SERVICE,
            "secret_file": SECRET_FILE, "default_policy": POLICY, **more}
    host.configure(selfreset={"backends": "local corp"},
                   backend_corp={key: value for key, value in keys.items()
                                 if value is not None})


def serve(host, policy=None, password=OLD, config=None, server=None, **user_fields):
    """A directory with ann in it."""
    made = Slapd(host, [user("ann", UID, password, **user_fields)],
                 policies={"policy": policy or {}}, **(server or {}))
    configure(host, made, **(config or {}))
    host.add_elsewhere("ann", UID)
    return made


def log_in(host, password=OLD, **options):
    return host.drive("probe", "ann", "auth", "acct", answers=[password],
                      rhost=PEER, **options)


def drive(host, *arguments, **options):
    """The driver, whose prompts are answered one by one."""
    return Talk(host.drive_command(*arguments, ask=True, **options))


def test_right_and_wrong(host):
    serve(host)
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert done.said == ""
    wrong = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert wrong.codes == ["AUTH_ERR"] and wrong.said == ""


# ---- the states of ppolicy, as facts, verdict, code and text

# What the entry says, what its policy says; the answers of authenticate (right
# password), acct_mgmt after it, acct_mgmt alone (a login by key), and a word
# that the person reads at the login.  None: nothing is to be read.
STATES = {
    "ok": ({}, {}, "SUCCESS", "SUCCESS", "SUCCESS", None),
    "warning": ({"pwdChangedTime": stamp(85 * DAY)},
                {"pwdMaxAge": 90 * DAY, "pwdExpireWarning": 7 * DAY},
                "SUCCESS", "SUCCESS", "SUCCESS", "expires in"),
    "not-yet": ({"pwdChangedTime": stamp(60 * DAY)},
                {"pwdMaxAge": 90 * DAY, "pwdExpireWarning": 7 * DAY},
                "SUCCESS", "SUCCESS", "SUCCESS", None),
    "grace": ({"pwdChangedTime": stamp(100 * DAY)},
              {"pwdMaxAge": 90 * DAY, "pwdGraceAuthNLimit": 3},
              "SUCCESS", "SUCCESS", "SUCCESS", "2 more"),
    "last-grace": ({"pwdChangedTime": stamp(100 * DAY)},
                   {"pwdMaxAge": 90 * DAY, "pwdGraceAuthNLimit": 1},
                   "SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS", "expired"),
    "expired": ({"pwdChangedTime": stamp(100 * DAY)}, {"pwdMaxAge": 90 * DAY},
                "SUCCESS", "NEW_AUTHTOK_REQD", "NEW_AUTHTOK_REQD", "expired"),
    "must-change": ({"pwdReset": "TRUE"}, {"pwdMustChange": "TRUE"},
                    "SUCCESS", "NEW_AUTHTOK_REQD", "NEW_AUTHTOK_REQD",
                    "change"),
    "reset-without-demand": ({"pwdReset": "TRUE"}, {},
                             "SUCCESS", "SUCCESS", "SUCCESS", None),
    "locked": ({"pwdAccountLockedTime": stamp(60)},
               {"pwdLockout": "TRUE", "pwdLockoutDuration": 7200},
               "AUTH_ERR", None, "PERM_DENIED", None),
    "locked-long-ago": ({"pwdAccountLockedTime": stamp(9000)},
                        {"pwdLockout": "TRUE", "pwdLockoutDuration": 7200},
                        "SUCCESS", "SUCCESS", "SUCCESS", None),
    "locked-for-good": ({"pwdAccountLockedTime": FOR_GOOD},
                        {"pwdLockout": "TRUE"},
                        "AUTH_ERR", None, "PERM_DENIED", None),
    "lock-not-enforced": ({"pwdAccountLockedTime": FOR_GOOD}, {},
                          "SUCCESS", "SUCCESS", "SUCCESS", None),
    "ended": ({"pwdEndTime": stamp(60)}, {"pwdLockout": "TRUE"},
              "AUTH_ERR", None, "ACCT_EXPIRED", None),
    "not-begun": ({"pwdStartTime": stamp(-3600)}, {"pwdLockout": "TRUE"},
                  "AUTH_ERR", None, "ACCT_EXPIRED", None),
}


@pytest.mark.parametrize("use_lockout", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_states(host, state, use_lockout):
    entry, policy, authenticate, account, key, word = STATES[state]
    serve(host, policy, server={"use_lockout": use_lockout}, **entry)
    # The key login first: it leaves no trace in the directory.
    alone = host.drive("probe", "ann", "acct", rhost=PEER)
    assert alone.codes == [key], (alone, host.log.all())
    done = log_in(host)
    assert done.codes[0] == authenticate, (done, host.log.all())
    if account is not None:
        assert done.codes[1] == account
    if word is None:
        assert authenticate != "SUCCESS" or done.said == ""
    else:
        assert word in done.said, done
    wrong = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert wrong.codes == ["AUTH_ERR"]
    assert wrong.said == "", "a stranger was told of the account's state"


def test_idle(host):
    policy = {"pwdLockout": "TRUE", "pwdMaxIdle": 3600}
    serve(host, policy, server={"lastbind": "on"},
          pwdLastSuccess=stamp(2 * DAY))
    assert host.drive("probe", "ann", "acct").codes == ["ACCT_EXPIRED"]
    assert log_in(host).codes[0] == "AUTH_ERR"


# ---- names

def test_names(host):
    server = Slapd(host, [user("ann", UID, OLD),
                          {**user("bob", UID + 1, OLD), "uid": ["bob", "twin"]},
                          {**user("eve", UID + 2, OLD), "uid": ["eve", "twin"]},
                          user("zero", 0, OLD)])
    configure(host, server)
    for name in ("ann", "bob", "eve", "twin", "zero"):
        host.add_elsewhere(name, UID)
    done = host.drive("probe", "ann", "auth", answers=[OLD])
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    for name in ("ANN", "*", "a*", "ann)(uid=*", "ann\\2a", "(", "nobody-here",
                 "ann "):
        done = host.drive("probe", name, "auth", answers=[OLD])
        assert done.codes == ["USER_UNKNOWN"], (name, done)
    assert host.drive("probe", "twin", "auth",
                      answers=[OLD]).codes == ["AUTHINFO_UNAVAIL"]
    assert host.log.with_text("SR-3013 ambiguous-user")
    assert not host.log.with_text("SR-3002")
    assert host.drive("probe", "zero", "auth",
                      answers=[OLD]).codes == ["AUTHINFO_UNAVAIL"]


def test_empty_password_is_never_sent(host):
    server = serve(host)
    mark = server.mark()
    done = host.drive("probe", "ann", "auth", answers=[""])
    assert done.codes == ["AUTH_ERR"], (done, host.log.all())
    assert server.count(mark).binds == 1, "only the service's"


def test_local_account_goes_first(host):
    server = serve(host)
    (host_shadow := host.add("bob", "a local password"))
    mark = server.mark()
    done = host.drive("probe", "bob", "auth", "acct",
                      answers=["a local password"])
    assert done.codes == ["SUCCESS", "SUCCESS"]
    assert server.count(mark).connections == 0
    assert host_shadow.uid


def test_locals_map_nothing_new(host):
    host.add("bob", OLD)
    done = host.drive("probe", "bob", "auth", "maps", answers=[OLD])
    assert "libldap" not in done.output
    serve(host)
    done = host.drive("probe", "ann", "auth", "maps", answers=[OLD])
    assert "libldap" in done.output


@pytest.mark.parametrize("backends", ["corp", "corp local", "local corp"])
def test_root_is_of_this_host(host, backends):
    """Whoever may add entries to a directory is not root here, nor anybody else
    whom this host knows by the name with another uid."""
    server = Slapd(host, [user("root", UID, OLD), user("ann", UID + 1, OLD),
                          user("bob", UID + 2, OLD)])
    configure(host, server)
    host.configure(selfreset={"backends": backends})
    host.add_elsewhere("ann", UID + 7)
    host.add_elsewhere("bob", UID + 2)
    for name in ("root", "ann"):
        done = host.drive("probe", name, "auth", answers=[OLD, OLD])
        assert done.code in ("AUTH_ERR", "USER_UNKNOWN"), (name, done)
        done = host.drive("probe", name, "chauthtok", answers=[OLD, NEW, NEW],
                          real_uid=UID)
        assert done.code != "SUCCESS", (name, done)
        assert server.lets_in(dn_of(name), OLD)
    line = host.log.with_text("SR-3001")[0]
    assert f"the uid is {UID + 1} there and {UID + 7} by the name" in line
    assert host.drive("probe", "bob", "auth", answers=[OLD]).codes == [
        "SUCCESS"]


def test_a_base_that_is_not_there(host):
    """It says nothing of who is in the directory, least of all that a name is
    nobody's: stacks let those pass."""
    serve(host, config={"base": "ou=nowhere,dc=example,dc=org"})
    for steps in (["auth"], ["acct"]):
        done = host.drive("probe", "ann", *steps, answers=[OLD], rhost=PEER)
        assert done.codes == ["AUTHINFO_UNAVAIL"], done


def test_a_backend_that_is_none(host):
    """A name on the line that is misspelled leaves nobody unasked."""
    serve(host)
    host.service("probe", stack("backend=crop"))
    for steps in (["auth"], ["acct"], ["chauthtok"]):
        done = host.drive("probe", "ann", *steps, answers=[OLD, NEW, NEW])
        assert done.codes == ["SERVICE_ERR"], done
    assert host.log.with_text("backend=")


def test_an_account_of_another_backend_keeps_its_new_password(host):
    """USER_UNKNOWN is no refusal: the next module has yet to store it."""
    configure(host, Slapd(host, []))
    host.service("probe", (
        "auth required pam_selfreset.so\n"
        "password requisite pam_selfreset.so backend=local\n"
        "password [success=ok user_unknown=ignore default=die] "
        "pam_selfreset.so backend=corp use_authtok\n"
        "password required pam_unix.so use_authtok sha512 rounds=1000\n"
        "password required pam_selfreset.so settle\n"))
    bob = host.add("bob", OLD)
    done = host.drive("probe", "bob", "chauthtok", real_uid=bob.uid,
                      answers=[OLD, NEW, NEW])
    assert done.code == "SUCCESS", (done, host.log.all())
    assert host.has_password("bob", NEW)


def test_expired_by_the_word_of_a_stranger(host):
    """Other servers than OpenLDAP and 389 may say it to any password."""
    entry, policy, *_ = STATES["expired"]
    serve(host, policy, server={
        "front": 'access to dn.base="" by * none'}, **entry)
    for password in (OLD, "no"):
        done = host.drive("probe", "ann", "auth", answers=[password],
                          rhost=PEER)
        assert done.codes == ["AUTH_ERR"], (done, host.log.all())
    assert host.log.with_text("proves no password")
    # A login by key is judged by the entry, as ever.
    assert host.drive("probe", "ann", "acct").codes == ["NEW_AUTHTOK_REQD"]


# ---- what it costs

def test_count_of_a_login(host):
    server = serve(host, {"pwdMaxAge": 90 * DAY},
                   server={"certificate_file": directory.certificate("good")},
                   config={"ca_file": directory.CERTS / "ca.pem"},
                   pwdChangedTime=stamp(DAY))
    mark = server.mark()
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    counts = server.count(mark)
    assert counts.connections == 1
    assert counts.binds <= 2
    assert counts.searches <= 2


def test_count_of_a_change(host):
    server = serve(host, {"pwdMaxAge": 90 * DAY, "pwdGraceAuthNLimit": 1},
                   pwdChangedTime=stamp(100 * DAY))
    mark = server.mark()
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[OLD, NEW, NEW], rhost=PEER)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], done
    counts = server.count(mark)
    assert counts.connections == 1
    assert counts.binds <= 3
    assert counts.searches <= 2
    # The modification asks whether the server takes any.
    assert counts.changes == 1 and counts.modifications == 1


# ---- changes

def change(host, *answers, forced=False, uid=UID, service="probe"):
    """By the owner, from a session; or at a login."""
    if forced:
        return host.drive(service, "ann", "auth", "acct", "change-expired",
                          answers=answers, rhost=PEER)
    return host.drive(service, "ann", "chauthtok", answers=answers,
                      real_uid=uid)


@pytest.mark.parametrize("state", ["must-change", "expired", "last-grace"])
def test_forced_change(host, state):
    entry, policy, *_ = STATES[state]
    server = serve(host, policy, **entry)
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert len(done.prompts) == 3, "the current password was asked for again"
    assert "has been changed" in done.said
    assert server.lets_in(dn_of("ann"), NEW)
    assert not server.lets_in(dn_of("ann"), OLD)
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"


def test_change_by_the_owner(host):
    server = serve(host, {"pwdSafeModify": "TRUE", "pwdMinLength": 8,
                          "pwdInHistory": 3, "pwdCheckQuality": 2},
                   pwdChangedTime=stamp(DAY))
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert "at least 8 characters" in done.said
    assert "none of the last 3 passwords" in done.said
    assert server.lets_in(dn_of("ann"), NEW)


def test_wrong_current_password(host):
    server = serve(host)
    mark = server.mark()
    done = change(host, "no", NEW, NEW)
    assert done.codes == ["AUTH_ERR"]
    assert "current password is not right" in done.said
    assert server.count(mark).changes == 0


# What the policy says, what is typed (the new password), the last answer, and
# what the person reads.
REFUSALS = {
    "too-short": ({"pwdMinLength": 30, "pwdCheckQuality": 2}, {}, NEW,
                  "too short for the directory"),
    "too-long": ({"pwdMaxLength": 20, "pwdCheckQuality": 2}, {}, NEW,
                 "too long for the directory"),
    "not-allowed": ({"pwdAllowUserChange": "FALSE"},
                    {"pwdChangedTime": stamp(DAY)}, NEW, CONTACT),
    "too-young": ({"pwdMinAge": 3600}, {"pwdChangedTime": stamp(60)}, NEW,
                  None),
    "same": ({"pwdInHistory": 2}, {}, OLD, None),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(host, case):
    policy, entry, fresh, word = REFUSALS[case]
    server = serve(host, policy, **entry)
    done = change(host, OLD, *[fresh, fresh] * 3)
    assert done.code in ("AUTHTOK_ERR", "PERM_DENIED"), done
    assert done.said
    if word is not None:
        assert word in done.said, done
    assert server.lets_in(dn_of("ann"), OLD)
    assert fresh == OLD or not server.lets_in(dn_of("ann"), fresh)


def test_refused_then_taken(host):
    """The directory refuses the first, and the person has another try."""
    server = serve(host, {"pwdMinLength": 30, "pwdCheckQuality": 2})
    longer = NEW + ", and two pairs of boots"
    done = change(host, OLD, NEW, NEW, longer, longer)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert "too short for the directory" in done.said
    assert "2 tries left" in done.said
    assert server.lets_in(dn_of("ann"), longer)


def test_history_of_the_directory(host):
    server = serve(host, {"pwdInHistory": 5})
    assert change(host, OLD, NEW, NEW).codes == ["SUCCESS"]
    done = change(host, NEW, *[OLD, OLD] * 3)
    assert done.codes == ["AUTHTOK_ERR"]
    assert "used before" in done.said
    assert server.lets_in(dn_of("ann"), NEW)


def test_change_without_rights(host):
    access = (f'access to attrs=userPassword by dn="{SERVICE}" =x '
              "by anonymous auth by * none\naccess to * by * read\n")
    server = serve(host, server={"access": access})
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["AUTHTOK_ERR"]
    assert CONTACT in done.said
    assert server.lets_in(dn_of("ann"), OLD)


def test_expired_and_nobody_can_help(host):
    """Without an identity, who has no login left needs an administrator."""
    serve(host, {"pwdMaxAge": 90 * DAY}, pwdChangedTime=stamp(100 * DAY),
          config={"identity": None, "bind_dn": None, "secret_file": None})
    done = log_in(host)
    assert done.codes == ["SUCCESS", "AUTHTOK_EXPIRED"], (done, host.log.all())
    assert CONTACT in done.said


def test_root_sets_a_password(host):
    server = serve(host)
    done = host.drive("probe", "ann", "chauthtok", answers=[NEW, NEW])
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert server.lets_in(dn_of("ann"), NEW)


def test_lost_after_sending(host):
    """The server stops as the new password is on its way."""
    server = serve(host, config={"timeout": "2s"})
    # Stopped between the bind and the change: by the prompt in between.
    with drive(host, "probe", "ann", "chauthtok", real_uid=UID) as talk:
        talk.answer("Current", OLD)
        talk.answer("New password: ", NEW)
        server.pause()
        try:
            talk.answer("Retype", NEW)
            shown = talk.rest()
        finally:
            server.resume()
    assert "may or may not" in shown, shown
    assert "AUTHTOK_ERR" in shown


# ---- RFC 2307 and nothing else

def shadow(server, name):
    for line in server.read(dn_of("ann"), name):
        return int(line.split(": ")[1])
    return None


def days_ago(days):
    return int(time.time()) // DAY - days


SHADOW = {
    "ok": ({"shadowLastChange": 10, "shadowMax": 90}, "SUCCESS", "SUCCESS"),
    "expiring": ({"shadowLastChange": 85, "shadowMax": 90, "shadowWarning": 7},
                 "SUCCESS", "SUCCESS"),
    "expired": ({"shadowLastChange": 100, "shadowMax": 90}, "SUCCESS",
                "NEW_AUTHTOK_REQD"),
    "inactive": ({"shadowLastChange": 100, "shadowMax": 90,
                  "shadowInactive": 5}, "SUCCESS", "AUTHTOK_EXPIRED"),
    "must-change": ({"shadowLastChange": None, "shadowMax": 90}, "SUCCESS",
                    "NEW_AUTHTOK_REQD"),
    "ended": ({"shadowExpire": 1}, "ACCT_EXPIRED", "ACCT_EXPIRED"),
}


def shadow_fields(state):
    fields = dict(SHADOW[state][0])
    for name in ("shadowLastChange", "shadowExpire"):
        if name in fields:
            fields[name] = (0 if fields[name] is None
                            else days_ago(fields[name]))
    return fields


@pytest.mark.parametrize("state", SHADOW)
def test_shadow(host, state):
    _, authenticate, account = SHADOW[state]
    serve(host, server={"ppolicy": False}, **shadow_fields(state))
    assert host.drive("probe", "ann", "acct").codes == [account]
    assert log_in(host).codes == [authenticate, account]


def test_shadow_change(host):
    server = serve(host, server={"ppolicy": False}, **shadow_fields("expired"))
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], done
    assert server.lets_in(dn_of("ann"), NEW)
    assert shadow(server, "shadowLastChange") == days_ago(0)
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


# ---- servers that are away

@pytest.mark.parametrize("how", ["ldaps", "starttls", "local"])
def test_a_stopped_server(host, how):
    """It accepts connections, and never says a word."""
    certificate = directory.certificate("good")
    server = serve(host, server={"certificate_file": certificate})
    configure(host, {"ldaps": server.uri, "starttls": server.plain,
                     "local": server.local}[how], timeout="2s",
              ca_file=directory.CERTS / "ca.pem")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    server.pause()
    try:
        done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    finally:
        server.resume()
    assert done.codes == ["AUTHINFO_UNAVAIL"]
    assert CONTACT in done.said
    assert 1.5e9 < done.times[0] < 3.9e9, done.times
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


@pytest.mark.parametrize("use_tls", [True, False])
def test_stopped_at_the_prompt(host, use_tls):
    """The account was read; then the server stops, before the bind."""
    certificate = directory.certificate("good")
    server = serve(host, server={"certificate_file": certificate},
                   config={"timeout": "2s",
                           "ca_file": directory.CERTS / "ca.pem"})
    if not use_tls:
        configure(host, server.local, timeout="2s")
    with drive(host, "probe", "ann", "auth", rhost=PEER) as talk:
        talk.until("Password: ")
        server.pause()
        try:
            talk.type(OLD)
            shown = talk.rest()
        finally:
            server.resume()
    assert "AUTHINFO_UNAVAIL" in shown
    # Nothing was counted: the right password lets in.
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


def test_dead_first_server(host):
    server = serve(host)
    configure(host, f"ldap://127.0.0.1:{directory.free_port()} {server.uri}")
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert done.times[0] < 3e9


@pytest.mark.parametrize("phase", ["before", "prompt"])
def test_stopped_first_server(host, phase):
    """The second is asked within the time that one login has."""
    first = serve(host)
    second = Slapd(host, [user("ann", UID, OLD)])
    configure(host, f"{first.uri} {second.uri}", timeout="3s")
    if phase == "before":
        first.pause()
    with drive(host, "probe", "ann", "auth", "acct", rhost=PEER) as talk:
        talk.until("Password: ")
        first.pause()
        try:
            talk.type(OLD)
            shown = talk.rest()
        finally:
            first.resume()
    assert shown.count("SUCCESS") == 2, (shown, host.log.all())


def test_server_away_does_not_count(host):
    host.configure(lockout={"attempts": 2})
    server = serve(host, config={"timeout": "1s"})
    with drive(host, "probe", "ann", *["auth"] * 4, rhost=PEER) as talk:
        for number in range(4):
            talk.until("Password: ")
            if number == 0:
                server.stop()
            talk.type(OLD)
        shown = talk.rest() if number < 3 else talk.rest()
    assert "locked" not in shown
    server.start()
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()


def test_server_comes_back_between_calls(host):
    """An idle connection that the server closed is made anew."""
    server = serve(host)
    with drive(host, "probe", "ann", "auth", rhost=PEER) as talk:
        talk.until("Password: ")
        server.stop()
        server.start()
        talk.type(OLD)
        assert "SUCCESS" in talk.rest()


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_another_try_is_another_try(host, how):
    """On one handle, as login's and sudo's: what an earlier one has waited for
    in vain is asked again."""
    server = serve(host, config={"timeout": "2s"})
    with drive(host, "probe", "ann", "auth", "pause", "auth",
               rhost=PEER) as talk:
        talk.until("prompt")
        stop = server.stop if how == "refused" else server.pause
        stop()
        talk.type(OLD)
        talk.until("code auth PAM_AUTHINFO_UNAVAIL")
        talk.until("paused")
        if how == "refused":
            server.start()
        else:
            server.resume()
            time.sleep(1.5)  # as long as somebody types, and no deadline
        talk.type("")
        talk.answer("prompt", OLD)
        talk.until("code auth PAM_SUCCESS")


def test_when_down(host):
    server = serve(host, config={"timeout": "1s"})
    host.add("bob", OLD)
    server.stop()
    host.configure(selfreset={"backends": "corp local"})
    done = host.drive("probe", "bob", "auth", answers=[OLD])
    assert done.codes == ["AUTHINFO_UNAVAIL"]
    host.configure(backend_corp={"when_down": "next"})
    done = host.drive("probe", "bob", "auth", answers=[OLD])
    assert done.codes == ["SUCCESS"]


# ---- a connection that is what it should be

@pytest.mark.parametrize("address, is_in", [
    ("127.0.0.1", True), ("[::1]", False), ("127.0.0.2", False)])
def test_addresses_are_verified_too(host, address, is_in):
    """The certificate is of localhost and 127.0.0.1."""
    server = serve(host, server={
        "certificate_file": directory.certificate("good")})
    # The same server, also where its certificate does not have the address.
    with Pipe(server.tls_port, address=address.strip("[]")) as way:
        configure(host, f"ldaps://{address}:{way.port}", timeout="3s",
                  ca_file=directory.CERTS / "ca.pem")
        done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["SUCCESS" if is_in else "AUTHINFO_UNAVAIL"], (
        done, host.log.all())
    assert is_in or host.log.with_text("certificate") or \
        host.log.with_text("hostname")


@pytest.mark.parametrize("fault", ["missing", "not-readable", "empty", "text"])
def test_authorities_that_cannot_be_used(host, fault):
    server = serve(host, server={
        "certificate_file": directory.certificate("good")})
    file = directory.RUN / "authorities.pem"
    file.unlink(missing_ok=True)
    if fault == "not-readable":
        file.symlink_to(directory.RUN)
    elif fault != "missing":
        file.write_text("" if fault == "empty" else "no certificate\n")
    configure(host, server.uri, timeout="3s", ca_file=file)
    done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["AUTHINFO_UNAVAIL"], done
    assert server.count(0).binds == 0, "a secret was sent"


def test_plain_is_refused(host):
    server = serve(host)  # it has no certificate, so no StartTLS either
    configure(host, server.plain, timeout="2s")
    mark = server.mark()
    assert host.drive("probe", "ann", "auth",
                      answers=[OLD]).codes == ["AUTHINFO_UNAVAIL"]
    assert server.count(mark).binds == 0
    configure(host, server.plain, timeout="2s", insecure="yes")
    assert not host.log.with_text("SR-3023")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert host.log.with_text("SR-3023")


@pytest.mark.parametrize("mode", [0o644, 0o666, 0o620, 0o660])
def test_secret_file_that_others_can_read(host, mode):
    serve(host)
    secret_file(mode=mode)
    assert host.drive("probe", "ann", "auth",
                      answers=[OLD]).codes == ["AUTHINFO_UNAVAIL"]
    assert host.log.with_text("must have 0600")
    secret_file(mode=0o640)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


def test_wrong_secret(host):
    serve(host)
    secret_file("something else")
    assert host.drive("probe", "ann", "auth",
                      answers=[OLD]).codes == ["AUTHINFO_UNAVAIL"]
    assert host.log.with_text("identity")
    secret_file("")
    assert host.drive("probe", "ann", "auth",
                      answers=[OLD]).codes == ["AUTHINFO_UNAVAIL"]


def test_hostile_environment(host):
    """Of a program whose real uid is root's and whose environment is not."""
    stranger = directory.certificate("stranger", ca="other-ca")
    directory.certificate("good")
    server = serve(host, server={"certificate_file": stranger})
    configure(host, server.uri, timeout="3s",
              ca_file=directory.CERTS / "ca.pem")
    home = directory.RUN / "hostile"
    home.mkdir(exist_ok=True)
    rules = ("TLS_REQCERT never\n"
             f"TLS_CACERT {directory.CERTS}/other-ca.pem\n"
             "NETWORK_TIMEOUT 1\n")
    for name in (".ldaprc", "ldaprc", "ldap.conf", "evil", ".evil"):
        (home / name).write_text(rules)
    environment = [f"env:HOME={home}", f"env:LDAPCONF={home}/ldap.conf",
                   "env:LDAPRC=evil", "env:LDAPTLS_REQCERT=never",
                   f"env:LDAPTLS_CACERT={directory.CERTS}/other-ca.pem",
                   "env:LDAPURI=ldap://127.0.0.1:1"]
    mark = server.mark()
    done = host.drive("probe", "ann", *environment, "auth", answers=[OLD],
                      rhost=PEER)
    assert done.codes == ["AUTHINFO_UNAVAIL"]
    assert server.count(mark).binds == 0
    # And with the right certificate it does no harm.
    configure(host, server.uri, ca_file=directory.CERTS / "other-ca.pem")
    environment += ["env:LDAPTLS_REQCERT=demand",
                    f"env:LDAPTLS_CACERT={home}/none",
                    f"env:LDAPTLS_CERT={home}/none"]
    done = host.drive("probe", "ann", *environment, "auth", "acct",
                      answers=[OLD], rhost=PEER)
    assert done.codes == ["SUCCESS", "SUCCESS"], host.log.all()


# ---- real programs

def ssh(host, *command, **options):
    return Talk(host.ssh_command("ann", *command, **options))


def test_sshd(host):
    serve(host, {"pwdMaxAge": 90 * DAY, "pwdExpireWarning": 7 * DAY},
          pwdChangedTime=stamp(85 * DAY))
    with ssh(host, "echo in as $(id -un)") as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert "in as ann" in shown
    assert "expires in" in shown


@pytest.mark.parametrize("state", ["must-change", "expired", "last-grace"])
def test_sshd_forced_change(host, state):
    entry, policy, *_ = STATES[state]
    server = serve(host, {**policy, "pwdMinLength": 20,
                          "pwdCheckQuality": 2}, **entry)
    with ssh(host, "echo in as $(id -un)") as talk:
        talk.answer(PASSWORD, OLD)
        assert "at least 20 characters" in talk.answer(NEW_PROMPT, NEW[:17])
        talk.answer(AGAIN, NEW[:17])
        assert "too short for the directory" in talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        assert "in as ann" in talk.rest()
    assert server.lets_in(dn_of("ann"), NEW)


@pytest.mark.parametrize("state, is_in", [
    ("ok", True), ("expired", False), ("locked-for-good", False),
    ("ended", False), ("not-begun", False)])
def test_sshd_key(host, state, is_in):
    entry, policy, *_ = STATES[state]
    serve(host, policy, **entry)
    host.give_key("ann")
    with ssh(host, "echo in as $(id -un)", method="publickey") as talk:
        shown = talk.rest()
    assert ("in as ann" in shown) == is_in, shown
    if not is_in:
        assert CONTACT in shown or "no TTY" in shown


def test_sshd_stopped_server(host):
    server = serve(host, config={"timeout": "2s"})
    host.port()
    server.pause()
    begun = time.monotonic()
    try:
        with ssh(host, "echo in as $(id -un)") as talk:
            talk.answer(PASSWORD, OLD)
            talk.until(CONTACT.replace(".", r"\."))
            shown = talk.seen
    finally:
        server.resume()
    assert "in as" not in shown
    assert time.monotonic() - begun < 15


def test_passwd(host):
    server = serve(host)
    with Talk(["passwd"], user=type("Ann", (), {"uid": UID})) as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        shown = talk.rest()
    assert server.lets_in(dn_of("ann"), NEW), shown


def test_su_and_sudo(host):
    serve(host)
    host.add("bob", "a local password")
    bob = type("Bob", (), {"uid": host.next_uid})
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as ann" in talk.rest()
    lines = (directory.RUN / "etc/sudoers").read_text()
    (directory.RUN / "etc/sudoers").write_text(lines + "ann ALL=(ALL) ALL\n")
    ann = type("Ann", (), {"uid": UID})
    with Talk(["sudo", "-k", "sh", "-c", "echo in as $(id -un)"],
              user=ann) as talk:
        talk.answer("password for ann: ", OLD)
        assert "in as root" in talk.rest()


# ---- the throttle of this host counts accounts of a directory, too

def test_throttle(host):
    host.configure(lockout={"attempts": 3})
    server = serve(host)
    for _ in range(3):
        assert host.drive("probe", "ann", "auth", answers=["no"],
                          rhost=PEER).codes == ["AUTH_ERR"]
    mark = server.mark()
    done = log_in(host)
    assert done.codes == ["AUTH_ERR", "PERM_DENIED"]
    assert f'BIND dn="{dn_of("ann")}"' not in server.lines(mark), (
        "a password was verified in a lockout")


def test_expired_old_password_is_counted(host):
    """The directory does not count the service's tries with an old password;
    this host does, because each is proved by a bind first."""
    host.configure(lockout={"attempts": 3})
    server = serve(host, {"pwdMaxAge": 90 * DAY}, pwdChangedTime=stamp(100 * DAY))
    for _ in range(5):
        host.drive("probe", "ann", "change-expired",
                   answers=["no", NEW, NEW], rhost=PEER)
    assert server.count(0).changes == 0
    assert log_in(host).codes[0] == "AUTH_ERR"


# ---- secrets

@pytest.mark.parametrize("use_tls", [True, False])
@pytest.mark.parametrize("secret", [OLD, NEW, SERVICE_SECRET],
                         ids=["old", "new", "service"])
def test_nothing_is_left_in_memory(host, secret, use_tls):
    certificate = directory.certificate("good")
    entry, policy, *_ = STATES["expired"]
    server = serve(host, policy, server={"certificate_file": certificate},
                   config={"ca_file": directory.CERTS / "ca.pem"}, **entry)
    if not use_tls:
        configure(host, server.local)
    # Looked for with the connection open, as in a long session.
    for steps in (["auth"], ["auth", "acct", "change-expired"]):
        done = host.drive("probe", "ann", *steps, "search",
                          answers=[OLD, NEW, NEW], rhost=PEER,
                          find=tail(secret))
        assert done.codes[0] == "SUCCESS"
        assert done.rest("searched") == ["clean"], done
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"]


# ---- what is no server

class Blurt(Listener):
    """It says what it was told to, whatever it is asked, then waits; `trickle`:
    byte by byte, and None: it ends the connection."""

    def __init__(self, answer, trickle=False):
        self.answer, self.trickle = answer, trickle
        super().__init__()

    def serve(self, client):
        client.recv(4096)
        if self.answer is None:
            hang_up(client)
        elif not self.trickle:
            client.sendall(self.answer)
        else:
            for byte in self.answer:
                client.sendall(bytes([byte]))
                time.sleep(0.2)


FAKES = {
    "closes": (None, False),
    "silent": (b"", False),
    "web": (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
    "zeros": (bytes(4096), False),
    "noise": (bytes(range(256)) * 16, False),
    "truncated": (bytes.fromhex("300c0201016107"), False),
    "huge": (bytes.fromhex("3084ffffffff020101"), False),
    "endless": (bytes.fromhex("30800201016180"), False),
    "other-id": (bytes.fromhex("300c02010961070a010004000400"), False),
    "other-type": (bytes.fromhex("300c02010165070a010004000400"), False),
    "trickle": (bytes.fromhex("30847fffffff0201016184") + bytes(4096), True),
}


@pytest.mark.parametrize("kind", FAKES)
def test_fake_server(host, kind):
    """Nothing but an outage, within the time."""
    serve(host)
    with Blurt(*FAKES[kind]) as fake:
        configure(host, fake.uri, timeout="2s", insecure="yes")
        done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["AUTHINFO_UNAVAIL"], done
    assert done.times[0] < 3.9e9
    if kind == "huge":
        assert done.times[0] < 1.9e9, "four gigabytes were waited for"


def test_lying_server(host):
    """It says yes to everything, and has no entry."""
    serve(host)
    yes = bytes.fromhex("300c02010161070a010004000400"
                        "300c02010265070a010004000400")
    with Blurt(yes) as fake:
        configure(host, fake.uri, timeout="2s", insecure="yes")
        done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.codes[0] in ("USER_UNKNOWN", "AUTHINFO_UNAVAIL"), done


# ---- the process we live in

@pytest.mark.parametrize("use_tls", [True, False])
@pytest.mark.parametrize("steps", [["auth", "steal", "acct"], ["auth", "steal"],
                                   ["auth", "acct", "steal", "change-expired"]],
                         ids=["between", "end", "change"])
def test_a_descriptor_that_is_another_file_by_now(host, steps, use_tls):
    """An application closes what it does not know, and opens files of its own:
    nothing is sent there, and nothing of it closed."""
    entry, policy, *_ = STATES["must-change"]
    serve(host, policy,
          server={"certificate_file": directory.certificate("good")},
          config={"ca_file": directory.CERTS / "ca.pem"}, **entry)
    if not use_tls:
        configure(host, Slapd(host, [user("ann", UID, OLD, **entry)],
                              policies={"policy": policy}).local)
    done = host.drive("probe", "ann", *steps, answers=[OLD, NEW, NEW],
                      rhost=PEER)
    # libc's way to the log can be among them.
    assert set(done.rest("stolen")) == {"open 0"}, done
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD",
                          "SUCCESS"][:len(done.codes)], (done, host.log.all())


@pytest.mark.parametrize("steps, answers", [
    (["auth", "acct"], [OLD]), (["acct"], []),
    (["auth", "acct", "cred", "open"], [OLD]), (["chauthtok"], [OLD, NEW, NEW]),
    (["chauthtok"], ["no"])],
    ids=["login", "key", "session", "change", "refused"])
def test_a_session_keeps_no_connection(host, steps, answers):
    """It can last for days, and directories count connections."""
    server = serve(host)
    server.mark()
    with Talk(host.drive_command("probe", "ann", *steps, "pause", rhost=PEER,
                                 answers=answers,
                                 real_uid=UID if "chauthtok" in steps else None)
              ) as talk:
        talk.until("paused")
        server.mark()
        assert server.lines().count(" ACCEPT ") >= 2
        talk.type("")
        talk.rest()


# ---- who reads

def test_external(host):
    """This process itself, by its uid, on a local socket."""
    who = "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"
    access = (f'access to attrs=userPassword by dn.exact="{who}" write '
              "by anonymous auth by * none\n"
              f'access to * by dn.exact="{who}" read by * none\n')
    entry, policy, *_ = STATES["expired"]
    server = serve(host, policy, server={"access": access},
                   config={"identity": "external", "bind_dn": None,
                           "secret_file": None}, **entry)
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert server.lets_in(dn_of("ann"), NEW)


def test_nobody_in_particular(host):
    serve(host, config={"identity": None, "bind_dn": None,
                        "secret_file": None})
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert log_in(host, "no").codes[0] == "AUTH_ERR"


def test_policy_that_may_not_be_read(host):
    """The bind tells what the service cannot see."""
    access = (f'access to dn="{POLICY}" by * none\n' + directory.ACCESS)
    entry, policy, *_ = STATES["grace"]
    serve(host, policy, server={"access": access}, **entry)
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert "2 more" in done.said


@pytest.mark.parametrize("use_tls", [True, False])
def test_valgrind(host, use_tls):
    certificate = directory.certificate("good")
    entry, policy, *_ = STATES["expired"]
    server = serve(host, policy, server={"certificate_file": certificate},
                   config={"ca_file": directory.CERTS / "ca.pem",
                           "timeout": "1m"}, **entry)
    if not use_tls:
        configure(host, server.local, timeout="1m")
    suppressions = host.build / "valgrind-ldap.supp"
    # libraries keep a little for the life of a process, on purpose.
    suppressions.write_text(
        "{\n keeps\n Memcheck:Leak\n ...\n fun:_dl_*\n ...\n}\n"
        "{\n keeps\n Memcheck:Leak\n ...\n fun:call_init*\n ...\n}\n")
    done = host.drive(
        "probe", "ann", "auth", "acct", "change-expired",
        answers=[OLD, NEW, NEW], rhost=PEER,
        wrap=["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
              "--errors-for-leak-kinds=definite,indirect",
              f"--suppressions={suppressions}"])
    assert done.status == 0, done
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"]
