"""The table of DESIGN: what each call answers in each state, by the driver.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

from scratch import (CONFIG, CONTACT, ETC, RUNDIR, STATE, guarded_stack,
                     hash_password, stack)

OLD = "correct horse battery"
NEW = "an umbrella for rainy days"
PEER = "192.0.2.7"

# name of the state: what the account is, what the rules are, the answers of
# authenticate (right password), acct_mgmt, and a forced change.  A forced change
# that is not due is refused, as pam_unix does since 1.7.2.
STATES = {
    "ended": ({"expire": "-1"}, {},
              "ACCT_EXPIRED", "ACCT_EXPIRED", "PERM_DENIED"),
    "inactive": ({"changed": 100, "max": 90, "inactive": 5}, {},
                 "SUCCESS", "AUTHTOK_EXPIRED", "PERM_DENIED"),
    "must-log-on": ({"changed": 100, "max": 90},
                    {"change": {"require_logon": "yes"}},
                    "SUCCESS", "AUTHTOK_EXPIRED", "PERM_DENIED"),
    "cannot-change": ({"changed": 100, "max": 90},
                      {"change": {"cannot_change": "ann"}},
                      "SUCCESS", "AUTHTOK_EXPIRED", "PERM_DENIED"),
    "protected": ({"changed": 100, "max": 90},
                  {"change": {"protected": "@staff-only"}},
                  "SUCCESS", "AUTHTOK_EXPIRED", "PERM_DENIED"),
    "must-change": ({"changed": 0}, {},
                    "SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"),
    "expired": ({"changed": 100, "max": 90}, {},
                "SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"),
    "expired-exempt": ({"changed": 100, "max": 90},
                       {"change": {"require_logon": "yes",
                                   "logon_exempt": "@staff-only"}},
                       "SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"),
    "expiring": ({"changed": 85, "max": 90}, {},
                 "SUCCESS", "SUCCESS", "AUTHTOK_ERR"),
    "ok": ({}, {}, "SUCCESS", "SUCCESS", "AUTHTOK_ERR"),
    "never-changed": ({"changed": "", "max": 90}, {},
                      "SUCCESS", "SUCCESS", "AUTHTOK_ERR"),
}


def make(host, state):
    fields, rules, *answers = STATES[state]
    host.configure(**rules)
    host.add("ann", OLD, groups=("staff-only",), **fields)
    return answers


@pytest.mark.parametrize("state", STATES)
def test_authenticate_and_account(host, state):
    authenticate, account, _ = make(host, state)
    right = host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                       rhost=PEER)
    assert right.codes == [authenticate, account]
    assert right.prompts == ["Password: "]
    wrong = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert wrong.codes == ["AUTH_ERR"]
    assert wrong.said == "", "a stranger was told of the account's state"


@pytest.mark.parametrize("state", STATES)
def test_account_alone(host, state):
    _, account, _ = make(host, state)
    assert host.drive("probe", "ann", "acct").codes == [account]


@pytest.mark.parametrize("state", STATES)
def test_forced_change(host, state):
    *_, change = make(host, state)
    done = host.drive("probe", "ann", "change-expired",
                      answers=[OLD, NEW, NEW], rhost=PEER)
    assert done.codes == [change], done
    assert host.has_password("ann", NEW if change == "SUCCESS" else OLD)


@pytest.mark.parametrize("state", [state for state in STATES
                                   if STATES[state][3] != "SUCCESS"])
def test_every_refusal_has_a_sentence(host, state):
    authenticate, account, change = make(host, state)
    done = host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                      rhost=PEER)
    assert done.said.strip(), "no word to the person"
    if change != "SUCCESS":
        assert CONTACT in done.said
    silent = host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                        rhost=PEER, silent=True)
    assert silent.codes == done.codes
    assert silent.said == "", "PAM_SILENT was not kept"


@pytest.mark.parametrize("state", ["expiring", "ok", "never-changed"])
def test_change_by_the_owner(host, state):
    make(host, state)
    uid = int(host.run("id", "-u", "ann").stdout)
    done = host.drive("probe", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                      real_uid=uid)
    assert done.codes == ["SUCCESS"], done
    assert host.has_password("ann", NEW)


def test_locked(host):
    host.configure(lockout={"attempts": 2})
    ann = host.add("ann", OLD)
    for _ in range(2):
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["AUTH_ERR"]
    assert CONTACT in done.said
    assert host.drive("probe", "ann", "acct", rhost=PEER).codes == [
        "PERM_DENIED"]
    assert host.drive("probe", "ann", "change-expired", rhost=PEER,
                      answers=[OLD, NEW, NEW]).codes == ["PERM_DENIED"]
    assert host.has_password("ann", OLD)
    assert ann.uid


def test_disabled_by_an_exclamation_mark(host):
    host.configure(expiry={"locked_hash": "account"})
    ann = host.add("ann", OLD)
    host.set_shadow("ann", 1, "!" + host.shadow("ann")[1])
    assert host.drive("probe", "ann", "acct").codes == ["ACCT_EXPIRED"]
    assert host.drive("probe", "ann", "auth", answers=[OLD]).code in (
        "AUTH_ERR", "ACCT_EXPIRED")
    done = host.drive("probe", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                      real_uid=ann.uid)
    assert done.codes == ["PERM_DENIED"]


def test_an_exclamation_mark_locks_the_password_only(host):
    host.add("ann", OLD)
    host.set_shadow("ann", 1, "!" + host.shadow("ann")[1])
    assert host.drive("probe", "ann", "acct").codes == ["SUCCESS"]
    assert host.drive("probe", "ann", "auth", answers=[OLD]).codes == [
        "AUTH_ERR"]


def test_unknown_state(host):
    host.add("ann", OLD)
    host.set_shadow("ann", 4, "ninety")
    assert host.drive("probe", "ann", "auth", "acct",
                      answers=[OLD]).codes == ["AUTHINFO_UNAVAIL"] * 2
    assert host.drive("probe", "ann", "change-expired",
                      answers=[OLD, NEW, NEW]).codes == ["TRY_AGAIN"]


def test_unknown_user(host):
    done = host.drive("probe", "nobody-here", "auth", answers=["x"])
    assert done.code in ("USER_UNKNOWN", "AUTH_ERR")
    assert host.drive("probe", "nobody-here", "acct").codes == ["USER_UNKNOWN"]
    assert host.drive("probe", "nobody-here", "chauthtok",
                      answers=["x"] * 3).codes == ["USER_UNKNOWN"]


def test_wrong_current_password(host):
    ann = host.add("ann", OLD)
    done = host.drive("probe", "ann", "chauthtok", answers=["no", NEW, NEW],
                      real_uid=ann.uid)
    assert done.codes == ["AUTH_ERR"]
    assert host.has_password("ann", OLD)


def test_too_young(host):
    host.configure(change={"minimum_age": "20d"})
    ann = host.add("ann", OLD, changed=10)
    done = host.drive("probe", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                      real_uid=ann.uid)
    assert done.codes == ["AUTHTOK_ERR"]
    assert "days" in done.said
    host.configure(change={"minimum_age": "5d"})
    done = host.drive("probe", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                      real_uid=ann.uid)
    assert done.codes == ["SUCCESS"]


def test_refused_new_password(host):
    ann = host.add("ann", OLD)
    done = host.drive("probe", "ann", "chauthtok", real_uid=ann.uid,
                      answers=[OLD, "ann", "1234", "ann1234"])
    assert done.codes == ["AUTHTOK_ERR"]
    assert done.said.count("too short") == 3
    assert "at least 15 characters" in done.said
    assert done.said.count("user name") >= 3, "all broken rules at once"
    assert "2 tries left" in done.said and "1 try left" in done.said
    assert host.has_password("ann", OLD)


def test_cancelled(host):
    ann = host.add("ann", OLD)
    host.count_hashes("ann")
    for _ in range(8):
        done = host.drive("probe", "ann", "auth")
        assert done.code in ("CONV_ERR", "AUTHTOK_ERR")
        assert host.drive("probe", "ann", "auth", null_answer=True).code in (
            "CONV_ERR", "AUTHTOK_ERR", "AUTH_ERR")
    assert len(host.log.with_text("gave no answer")) == 8
    assert host.verified() == 0
    assert host.drive("probe", "ann", "chauthtok", real_uid=ann.uid).codes == [
        "AUTHTOK_RECOVERY_ERR"]
    assert host.drive("probe", "ann", "chauthtok", real_uid=ann.uid,
                      answers=[OLD]).codes == ["AUTHTOK_ERR"]
    assert host.has_password("ann", OLD)
    assert host.drive("probe", "ann", "auth", answers=[OLD]).codes == [
        "SUCCESS"], "cancelling was counted as guessing"


def test_bad_configuration(host):
    ann = host.add("ann", OLD)
    CONFIG.write_text("[lockout]\nattempts = many\n")
    done = host.drive("probe", "ann", "auth", "acct", answers=[OLD])
    assert done.codes == ["SERVICE_ERR"] * 2
    assert host.drive("probe", "ann", "chauthtok", real_uid=ann.uid,
                      answers=[OLD, NEW, NEW]).codes == ["SERVICE_ERR"]
    (line,) = {line.partition(": ")[2] for line in
               host.log.with_text("selfreset.conf:2") if ":auth)" in line}
    assert line.startswith("pam_selfreset(probe:auth): SR-3204"), line


@pytest.mark.parametrize("argument", ["gaurd", "guard settle"])
def test_bad_argument(host, argument):
    """A line that was misspelled keeps people out, and says so."""
    host.add("ann", OLD)
    host.service("probe", stack(argument))
    done = host.drive("probe", "ann", "auth", answers=[OLD])
    assert done.codes == ["SERVICE_ERR"]
    assert "(SR-3204)" in done.said, done
    assert host.log.with_text("pam_selfreset(probe:auth): SR-3204")


@pytest.mark.parametrize("text", ["[lockout]\nattempts = many\n",
                                  "[selfreset]\nbackends = corp\n"])
def test_bad_configuration_and_root(host, text):
    """Somebody has to mend it, and a distant host has no console."""
    host.add("ann", OLD)
    host.set_shadow("root", 1, hash_password(OLD))
    CONFIG.write_text(text)
    done = host.drive("probe", "root", "auth", answers=[OLD])
    assert "selfresetctl" not in done.said, "before the password is proved"
    done = host.drive("probe", "root", "auth", "acct", answers=[OLD],
                      rhost="192.0.2.7")
    assert done.codes == ["SUCCESS"] * 2, host.log.all()
    assert done.said.count("selfresetctl check") == 1
    assert host.log.with_text("selfreset.conf:2")
    # The key's login, and what is not right for root either.
    assert host.drive("probe", "root", "acct").codes == ["SUCCESS"]
    assert host.drive("probe", "root", "auth",
                      answers=["no"]).codes == ["AUTH_ERR"]
    for name in ("ann", "nobody-at-all"):
        done = host.drive("probe", name, "auth", "acct", answers=[OLD])
        assert done.codes == ["SERVICE_ERR"] * 2
        assert "selfresetctl" not in done.said


def test_bad_configuration_and_another_root(host):
    """Who calls himself uid 0 elsewhere is none of this host's."""
    host.add_elsewhere("toor", 0)
    CONFIG.write_text("[lockout]\nattempts = many\n")
    done = host.drive("probe", "toor", "auth", "acct", answers=[OLD])
    assert done.codes == ["SERVICE_ERR"] * 2
    host.service("probe", stack("backend=corp"))
    assert host.drive("probe", "root", "acct").codes == ["SERVICE_ERR"]


def test_unsafe_configuration(host):
    host.add("ann", OLD)
    CONFIG.chmod(0o666)
    assert host.drive("probe", "ann", "auth", answers=[OLD]).codes == [
        "SERVICE_ERR"]


def test_credentials_and_session_never_stand_in_the_way(host):
    host.add("ann", OLD)
    done = host.drive("probe", "ann", "cred", "open", "close")
    assert done.codes == ["SUCCESS"] * 3
    done = host.drive("probe", "ann", "auth", "cred", "open", "close",
                      answers=[OLD])
    assert done.codes == ["SUCCESS"] * 4


def test_no_conversation(host):
    host.add("ann", OLD, changed=85, max=90)
    done = host.drive("probe", "ann", "acct", "open", no_conversation=True,
                      silent=True)
    assert done.codes == ["SUCCESS"] * 2
    done = host.drive("probe", "ann", "auth", no_conversation=True)
    assert done.code not in ("SUCCESS", None)


def test_empty_password(host):
    host.add("ann", hash="")
    assert host.drive("probe", "ann", "auth", answers=[""],
                      disallow_null=True).codes == ["AUTH_ERR"]
    assert host.drive("probe", "ann", "auth", answers=["x"]).codes == [
        "AUTH_ERR"]


def test_an_empty_probe_is_not_counted(host):
    host.add("ann", OLD)
    for _ in range(8):
        assert host.drive("probe", "ann", "auth", answers=[""]).codes == [
            "AUTH_ERR"]
    assert host.drive("probe", "ann", "auth", answers=[OLD]).codes == [
        "SUCCESS"]


def test_a_user_who_changes_between_two_tries(host):
    """login tries one user after another on one handle."""
    host.add("ann", OLD)
    host.add("bob", "something else")
    done = host.drive("probe", "ann", "auth", "user:bob", "auth", "acct",
                      answers=["no", "something else"])
    assert done.codes == ["AUTH_ERR", "SUCCESS", "SUCCESS"]
    done = host.drive("probe", "ann", "auth", "user:bob", "change-expired",
                      answers=[OLD, NEW, NEW])
    assert done.code != "SUCCESS", "ann's password was taken for bob's"
    assert host.has_password("bob", "something else")


def test_the_old_password_is_asked_once(host):
    host.add("ann", OLD, changed=100, max=90)
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      "acct", answers=[OLD, NEW, NEW])
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS", "SUCCESS"]
    assert len(done.prompts) == 3
    assert host.has_password("ann", NEW)


def test_guard_and_settle(host):
    host.service("probe", guarded_stack())
    host.configure(lockout={"attempts": 3})
    host.add("ann", OLD)
    host.count_hashes("ann")
    assert host.drive("probe", "ann", "auth", "acct",
                      answers=[OLD]).codes == ["SUCCESS"] * 2
    for _ in range(3):
        assert host.drive("probe", "ann", "auth", answers=["no"]).codes == [
            "AUTH_ERR"]
    before = host.verified()
    assert host.drive("probe", "ann", "auth", answers=[OLD]).codes == [
        "AUTH_ERR"]
    assert host.verified() == before, "pam_unix was asked during a lockout"
    assert host.drive("probe", "ann", "auth", ahead=16 * 60,
                      answers=[OLD]).codes == ["SUCCESS"]


def test_guard_takes_back_what_was_right(host):
    host.service("probe", guarded_stack())
    host.configure(lockout={"attempts": 3})
    host.add("ann", OLD)
    for _ in range(6):
        assert host.drive("probe", "ann", "auth", "acct",
                          answers=[OLD]).codes == ["SUCCESS"] * 2


def test_history(host):
    host.configure(password={"history": 3})
    ann = host.add("ann", OLD)
    words = [f"number {n} of several passwords" for n in range(5)]
    current = OLD
    for word in words:
        assert host.drive("probe", "ann", "chauthtok", real_uid=ann.uid,
                          answers=[current, word, word]).codes == ["SUCCESS"]
        current = word
    for word in words[2:]:
        again = host.drive("probe", "ann", "chauthtok", real_uid=ann.uid,
                           answers=[current, word, word, word])
        assert again.codes == ["AUTHTOK_ERR"], again
        assert "used before" in again.said or "current" in again.said
    old = host.drive("probe", "ann", "chauthtok", real_uid=ann.uid,
                     answers=[current, words[0], words[0]])
    assert old.codes == ["SUCCESS"], old


def test_the_state_is_roots_alone(host):
    host.add("ann", OLD)
    host.drive("probe", "ann", "umask:000", "auth", "open", answers=["no"])
    found = [path for top in (STATE, RUNDIR) if top.exists()
             for path in (top, *top.rglob("*"))]
    assert STATE in found and len(found) > 3
    for path in found:
        assert path.stat().st_uid == 0
        assert path.stat().st_mode & 0o077 == 0, path


# ---- whose account it is

def test_account_of_another_source(host):
    """Directories give a passwd entry without a hash: that is not ours."""
    host.nsswitch(passwd="files leaky")
    with host.leaky_module():
        assert "faraway:*:7777" in host.run("getent", "passwd",
                                            "faraway").stdout
        assert host.drive("probe", "faraway", "acct").code == "USER_UNKNOWN"
        # The same entry in the file of this host is.
        with open(ETC / "passwd", "a") as out:
            out.write("faraway:*:7777:7777::/home/faraway:/bin/sh\n")
        assert host.drive("probe", "faraway", "acct").code == "SUCCESS"
