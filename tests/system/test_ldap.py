"""Accounts in a directory: OpenLDAP with ppolicy, and plain RFC 2307.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

import directory
from directory import (BASE, FOR_GOOD, PEOPLE, POLICY, SECRET_FILE, SERVICE,
                       SERVICE_SECRET, Slapd, dn_of, stamp, user)
from scratch import CONTACT

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
               {"pwdLockout": "TRUE", "pwdLockoutDuration": 900},
               "AUTH_ERR", None, "PERM_DENIED", None),
    "locked-long-ago": ({"pwdAccountLockedTime": stamp(1000)},
                        {"pwdLockout": "TRUE", "pwdLockoutDuration": 900},
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
    assert host.log.with_text("SR-3013")
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
