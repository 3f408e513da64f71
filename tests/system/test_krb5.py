"""Accounts whose password a KDC of MIT Kerberos knows.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import os
import pathlib
import re
import shutil
import socket
import struct
import textwrap
import threading

import pytest

import kerberos
from kerberos import Kdc
from scratch import CONFIG, CONTACT, ETC, RUN, RUNDIR, stack
from test_reset import Flow, events, is_away_for, reset
from test_reset_ldap import by_ticket
from talk import AGAIN, CURRENT, PASSWORD, Talk
from talk import NEW as NEW_PROMPT

OLD, NEW = "first-Passw0rd-of-ann", "second-Passw0rd-of-ann"
PEER = "192.0.2.7"
UID = 4242
HOST = "host/client.example.org"
README = pathlib.Path(__file__).parents[2] / "README.md"


@pytest.fixture
def kdc(host):
    if kerberos.root_of(host) is None:
        pytest.skip("no KDC is installed")
    made = Kdc(host, kpasswd=True)
    yield made
    made.resume()


def configure(host, realm, keytab=True, **config):
    keys = {"type": "krb5", "realm": kerberos.REALM, "timeout": "5s", **config}
    if keytab:
        keys["keytab"] = realm.keytab("host.keytab", HOST)
    host.configure(selfreset={"backends": "local corp"},
                   backend_corp={key: value for key, value in keys.items()
                                 if value is not None})


def serve(host, realm, *options, keytab=True, **config):
    """Ann has a principal, and this host a key."""
    realm.principal("ann", OLD, *options)
    configure(host, realm, keytab=keytab, **config)
    host.add_elsewhere("ann", UID)


def log_in(host, password=OLD, name="ann", **options):
    return host.drive("probe", name, "auth", "acct", answers=[password],
                      rhost=PEER, **options)


def wrong(host, name="ann"):
    return host.drive("probe", name, "auth", answers=["no"], rhost=PEER)


def by_key(host, name="ann"):
    return host.drive("probe", name, "acct", rhost=PEER)


def forced(host, *answers):
    return host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=answers, rhost=PEER)


def change(host, *answers):
    return host.drive("probe", "ann", "chauthtok", answers=answers,
                      real_uid=UID)


def test_as_the_readme_says(host, kdc):
    """Word by word, but for the realm: the key and the KDC are those of
    krb5.conf and the host's own keytab."""
    serve(host, kdc)
    block = README.read_text().split("\n## Accounts of a Kerberos realm\n")[1]
    block = re.search(r"(?:^    \S.*\n)+", block.split("`selfreset.conf`", 1)[1],
                      re.M)[0]
    CONFIG.write_text(textwrap.dedent(block).replace("EXAMPLE.ORG",
                                                     kerberos.REALM))
    shutil.copy(kdc.dir / "host.keytab", ETC / "krb5.keytab")
    try:
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
        assert wrong(host).codes == ["AUTH_ERR"]
    finally:
        (ETC / "krb5.keytab").unlink()


# ---- passwords

@pytest.mark.parametrize("fast", ["try", "demand", "never"])
def test_right_and_wrong(host, kdc, fast):
    serve(host, kdc, fast=fast)
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert done.said == "" and done.prompts == ["Password: "]
    done = wrong(host)
    assert done.codes == ["AUTH_ERR"] and done.said == ""
    assert kdc.failures("ann") == 1


def test_cost(host, kdc):
    """Counted on the KDC: what a login costs, once the armour is there."""
    serve(host, kdc)
    log_in(host)
    mark = kdc.mark()
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert kdc.count(mark) == (2, 1), kdc.requests()[mark:]
    mark = kdc.mark()
    assert wrong(host).codes == ["AUTH_ERR"]
    assert kdc.count(mark) == (2, 0), kdc.requests()[mark:]
    mark = kdc.mark()
    assert by_key(host).codes == ["SUCCESS"]
    assert kdc.count(mark) == (1, 0), kdc.requests()[mark:]


def of_passwords(kdc, path, *passwords):
    """A keytab of this host whose keys are made from these, with the numbers
    1, 2..."""
    program = shutil.which("ktutil") or str(kdc.root / "usr/bin/ktutil")
    script = "".join(
        f"addent -password -p {HOST} -k {number} -e "
        f"aes256-cts-hmac-sha1-96\n{password}\n"
        for number, password in enumerate(passwords, 1))
    kdc.command(program, input=f"{script}wkt {path}\nquit\n")
    path.chmod(0o600)
    return path


def test_newest_keys_arrive(host, kdc):
    """The KDC does not have the newest keys of this host when they are tried,
    and has them when those before are: as while a change is replicated."""
    kdc.principal(HOST, "before")
    path = of_passwords(kdc, RUN / "two.keytab", "before", "after")
    serve(host, kdc, keytab=False, fast="demand")
    host.configure(backend_corp={"keytab": path})
    refused = []

    def replicate(reply):
        if reply[0] == 0x7e and b"\xa6\x03\x02\x01\x18" in reply:
            if not refused:
                kdc.kadmin("cpw", "-pw", "after", HOST)
            refused.append(reply)
        return reply

    with Liar(relay(kdc.address, replicate)) as liar:
        host.configure(backend_corp={"kdc": liar.address})
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert len(refused) == 2


# What is done to the principal; the answers of authenticate (right password),
# acct_mgmt after it, and acct_mgmt alone (a login by key), and a word of what
# the latter says.
STATES = {
    "ok": ((), "SUCCESS", "SUCCESS", "SUCCESS", ""),
    "expiring": (("-pwexpire", "3 days"), "SUCCESS", "SUCCESS", "SUCCESS", ""),
    "expired": (("-pwexpire", "-3 days"), "SUCCESS", "NEW_AUTHTOK_REQD",
                "NEW_AUTHTOK_REQD", "expired"),
    "must-change": (("+needchange",), "SUCCESS", "NEW_AUTHTOK_REQD",
                    "NEW_AUTHTOK_REQD", "expired"),
    "disabled": (("-allow_tix",), "AUTH_ERR", None, "PERM_DENIED", "locked"),
    "ended": (("-expire", "-3 days"), "AUTH_ERR", None, "ACCT_EXPIRED",
              "ended"),
}


@pytest.mark.parametrize("state", STATES)
def test_states(host, kdc, state):
    options, auth, account, key, word = STATES[state]
    serve(host, kdc)
    if options:
        kdc.modify("ann", *options)
    done = log_in(host)
    assert done.codes[0] == auth, (done, host.log.all())
    if account is not None:
        assert done.codes[1] == account, (done, host.log.all())
    if auth == "AUTH_ERR":
        assert "wrong" not in done.said.lower()
        assert host.drive("probe", "ann", "auth", answers=[OLD],
                          rhost=PEER).said == ""
    done = by_key(host)
    assert done.codes == [key], (done, host.log.all())
    assert word in done.said
    done = wrong(host)
    assert done.codes == ["AUTH_ERR"] and done.said == "", done


def test_expiring_is_told(host, kdc):
    serve(host, kdc)
    kdc.modify("ann", "-pwexpire", "3 days")
    assert "expires in" in log_in(host).said


def test_expired_and_must_change_are_told_apart(host, kdc):
    """By the ticket for a change, which only the right password gets."""
    serve(host, kdc)
    kdc.modify("ann", "-pwexpire", "-3 days")
    assert "has expired" in log_in(host).said
    kdc.modify("ann", "-pwexpire", "never", "+needchange")
    assert "has to be changed" in log_in(host).said


def test_unknown_names(host, kdc):
    """They cost what a wrong password costs."""
    serve(host, kdc)
    wrong(host)
    mark = kdc.mark()
    known = wrong(host)
    counted = kdc.count(mark)
    mark = kdc.mark()
    done = wrong(host, "nobody-here")
    assert done.codes == ["USER_UNKNOWN"] and known.codes == ["AUTH_ERR"]
    assert done.prompts == known.prompts and done.said == known.said
    assert kdc.count(mark) == counted


def test_no_principal(host, kdc):
    """The name service knows it, and the KDC does not."""
    serve(host, kdc)
    host.add_elsewhere("bob", UID + 1)
    wrong(host)  # makes the armour
    mark = kdc.mark()
    known = wrong(host)
    counted = kdc.count(mark)
    mark = kdc.mark()
    done = wrong(host, "bob")
    assert done.codes == ["USER_UNKNOWN"] and known.codes == ["AUTH_ERR"]
    assert done.prompts == known.prompts and done.said == known.said
    assert kdc.count(mark) == counted, kdc.requests()[mark:]
    assert by_key(host, "bob").codes == ["USER_UNKNOWN"]


def test_no_principal_and_another_module(host, kdc):
    """The next module serves it; its success is none of the failures that lock
    out, and what it refuses is one."""
    serve(host, kdc)
    host.configure(selfreset={"backends": "corp"}, lockout={"attempts": 2})
    host.add("bob", "secret of bob")
    host.service("probe", "auth [success=done user_unknown=ignore default=die] "
                 "pam_selfreset.so\n"
                 "auth required pam_unix.so nodelay try_first_pass\n"
                 "account [success=ok default=ignore] pam_selfreset.so\n"
                 "account required pam_permit.so\n")
    for _ in range(4):
        assert log_in(host, "secret of bob", "bob").codes == [
            "SUCCESS", "SUCCESS"], host.log.all()
    for _ in range(2):
        assert wrong(host, "bob").codes == ["AUTH_ERR"]
    assert log_in(host, "secret of bob", "bob").codes[0] == "AUTH_ERR"


@pytest.mark.parametrize("name", ["ann/admin", f"ann@{kerberos.REALM}"])
def test_names_that_are_parts_of_principals(host, kdc, name):
    """They would be the principals of others."""
    serve(host, kdc)
    kdc.principal("ann/admin", OLD)
    host.add_elsewhere(name, UID + 5)
    mark = kdc.mark()
    assert log_in(host, name=name).codes[0] != "SUCCESS"
    assert "ISSUE: " not in "".join(
        line for line in kdc.requests()[mark:].splitlines()
        if "ann" in line), "a ticket for another"


def test_min_uid(host, kdc):
    """Accounts below it are never asked for."""
    serve(host, kdc, min_uid=UID + 1)
    mark = kdc.mark()
    assert log_in(host).codes[0] == "USER_UNKNOWN"
    assert "ann@" not in kdc.requests()[mark:]


def test_principal_is_mapped(host, kdc):
    kdc.principal("ann/login", NEW)
    serve(host, kdc, user_principal=f"%u/login@{kerberos.REALM}")
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"


def test_enterprise_name(host, kdc):
    """A UPN with a suffix of its own logs in, and changes its password."""
    serve(host, kdc, user_principal="%u@corp.example", enterprise="yes")
    kdc.principal(r"ann\@corp.example", "of-the-Upn-0f-ann")
    assert log_in(host, "of-the-Upn-0f-ann").codes == ["SUCCESS", "SUCCESS"], \
        host.log.all()
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"
    done = change(host, "of-the-Upn-0f-ann", NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


def test_krb5_before_local(host, kdc):
    """Accounts of this host without a principal are still those of this host;
    those that have one, and no password here, are the KDC's."""
    serve(host, kdc)
    host.configure(selfreset={"backends": "corp local"})
    host.add("bob", "secret of bob")
    assert log_in(host, "secret of bob", "bob").codes == ["SUCCESS", "SUCCESS"]
    host.add("carol", "unused")
    host.set_shadow("carol", 1, "*")
    kdc.principal("carol", NEW)
    assert log_in(host, NEW, "carol").codes == ["SUCCESS", "SUCCESS"]
    kdc.stop()
    assert log_in(host, "secret of bob", "bob").codes[0] == "AUTHINFO_UNAVAIL"
    host.configure(backend_corp={"when_down": "next"})
    assert log_in(host, "secret of bob", "bob").codes == ["SUCCESS", "SUCCESS"]


def test_unknown_state(host, kdc):
    """A KDC that only asks for the password has told nothing."""
    serve(host, kdc, unknown="deny")
    assert by_key(host).codes == ["AUTHINFO_UNAVAIL"]
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


# ---- the throttle

def test_throttle_goes_first(host, kdc):
    """Guesses beyond `attempts` never reach the KDC as ann's."""
    host.configure(lockout={"attempts": 2})
    serve(host, kdc)
    for _ in range(2):
        assert wrong(host).codes == ["AUTH_ERR"]
    mark = kdc.mark()
    done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["AUTH_ERR"] and CONTACT in done.said
    assert "ann@" not in kdc.requests()[mark:]
    assert kdc.failures("ann") == 2


def test_lockout_of_the_kdc(host, kdc):
    kdc.kadmin("addpol", "-maxfailure", "2", "-lockoutduration", "1h", "strict")
    serve(host, kdc, "-policy", "strict")
    for _ in range(2):
        assert wrong(host).codes == ["AUTH_ERR"]
    done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["AUTH_ERR"] and done.said == ""
    assert by_key(host).codes == ["PERM_DENIED"]


def test_one_count_on_one_kdc(host, kdc):
    """A KDC gets the proof and does not reply: the next one, which would count
    it too, is not sent it."""
    serve(host, kdc, fast="never", timeout="3s")
    through = relay(kdc.address)
    asked = []

    def first_only(data):
        asked.append(data)
        reply = through(data)
        return reply if len(asked) == 1 else None

    with Liar(first_only) as liar:
        kerberos.configure(liar.address, kdc.address, kpasswd=kdc.kpasswd)
        assert wrong(host).codes == ["AUTHINFO_UNAVAIL"]
    assert len(asked) == 2 and kdc.failures("ann") == 1


# ---- this host's own key

def test_no_keytab(host, kdc):
    serve(host, kdc, keytab=False)
    (ETC / "krb5.keytab").unlink(missing_ok=True)
    done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert "This computer" in done.said and CONTACT in done.said
    assert "wrong" not in done.said
    host.configure(backend_corp={"verify": "no"})
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert host.log.with_text("SR-3023")
    assert wrong(host).codes == ["AUTH_ERR"]


@pytest.mark.parametrize("conf", ["[libdefaults", "include /nowhere/krb5\n"])
def test_krb5_conf_that_cannot_be_used(host, kdc, conf):
    """It is this host's trouble, and the log says what is wrong."""
    serve(host, kdc)
    kerberos.CONF.write_text(conf)
    for done in log_in(host), by_key(host):
        assert set(done.codes) == {"AUTHINFO_UNAVAIL"}, done
        assert "This computer" in done.said, done
    assert host.log.with_text("SR-5100")
    assert host.log.with_text("Improper format" if conf[0] == "[" else
                              "Included profile file"), host.log.all()


def test_host_trouble_is_not_counted(host, kdc):
    host.configure(lockout={"attempts": 2})
    serve(host, kdc, keytab=False)
    for _ in range(4):
        assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    configure(host, kdc)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


@pytest.mark.parametrize("fast", ["try", "never"])
def test_stale_keytab(host, kdc, fast):
    serve(host, kdc, fast=fast)
    kdc.kadmin("cpw", "-randkey", HOST)
    done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert "This computer" in done.said
    kdc.kadmin("delprinc", "-force", HOST)
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"


def test_stale_entry_beside_a_good_one(host, kdc):
    serve(host, kdc)
    keytab = kdc.keytab("host.keytab", "host/client", "host/second.example.org")
    host.configure(backend_corp={"keytab": keytab})
    kdc.kadmin("cpw", "-randkey", "host/client")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    kdc.kadmin("delprinc", "-force", "host/client")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()


@pytest.mark.parametrize("fast", ["demand", "never"])
def test_another_realm_in_the_keytab(host, kdc, fast):
    """Its keys come first, and its KDC is not asked."""
    serve(host, kdc, fast=fast)
    path = kdc.dir / "host.keytab"
    good = path.read_bytes()
    path.write_bytes(good.replace(b"EXAMPLE.ORG", b"ANOTHER.ORG") + good[2:])
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert wrong(host).codes == ["AUTH_ERR"]


def test_account_without_preauthentication(host, kdc):
    """Its ticket is good where the host's own key does not demand more."""
    serve(host, kdc)
    kdc.modify("ann", "-requires_preauth")
    assert wrong(host).codes == ["AUTH_ERR"]
    done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", done
    assert "This computer" not in done.said, done
    assert host.log.with_text("has no requires_preauth"), host.log.all()
    kdc.modify(HOST, "-requires_preauth")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert wrong(host).codes == ["AUTH_ERR"]


def test_keytab_of_another_service(host, kdc):
    serve(host, kdc)
    host.configure(backend_corp={
        "keytab": kdc.keytab("nfs.keytab", "nfs/client.example.org")})
    done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL" and "This computer" in done.said
    assert host.log.with_text("no entry host/")


def test_unsafe_keytab(host, kdc):
    serve(host, kdc)
    (kdc.dir / "host.keytab").chmod(0o644)
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    assert host.log.with_text("0644")
    (RUN / "link").symlink_to(kdc.dir / "host.keytab")
    host.configure(backend_corp={"keytab": RUN / "link"})
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    assert host.log.with_text("is a symbolic link")
    (RUN / "link").unlink()


@pytest.mark.parametrize("fast", ["try", "never"])
def test_false_kdc(host, kdc, fast):
    """Somebody answers in the KDC's place, for any password that he likes."""
    serve(host, kdc, fast=fast)
    false = Kdc(host)
    false.principal("ann", "stranger's own")
    false.keytab("other.keytab", HOST)
    kerberos.configure(false.address)
    done = log_in(host, "stranger's own")
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    # An expired one gets a ticket for a change, which no key of ours verifies.
    false.modify("ann", "-pwexpire", "-3 days")
    done = log_in(host, "stranger's own")
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())


def test_expired_without_fast(host, kdc):
    serve(host, kdc, fast="never")
    kdc.modify("ann", "-pwexpire", "-3 days")
    done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL"
    assert host.log.with_text("FAST")
    host.configure(backend_corp={"verify": "no"})
    assert log_in(host).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]


def test_armour_is_not_stored_by_a_users_process(host, kdc):
    """Whatever the real uid is while a password is verified."""
    serve(host, kdc)
    stored = RUNDIR / "krb5-corp"
    done = log_in(host, real_uid=UID)
    assert done.codes == ["SUCCESS", "SUCCESS"] and not stored.exists()
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"] and stored.exists()


def test_armour_that_is_stored_goes_stale(host, kdc):
    """The realm's own key was changed: the ticket of an earlier process is of
    no use, and a new one is got."""
    serve(host, kdc)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    kdc.kadmin("cpw", "-randkey", f"krbtgt/{kerberos.REALM}")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()


def test_killed_while_it_stored_armour(host, kdc):
    """What it left goes with the next that is stored."""
    serve(host, kdc)
    RUNDIR.mkdir(exist_ok=True)
    old, young = RUNDIR / "krb5-corp.1", RUNDIR / "krb5-corp.2"
    for path in old, young:
        path.write_bytes(b"\5\4")
    os.utime(old, (1, 1))
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert not old.exists() and young.exists()


@pytest.mark.skipif(shutil.which("faketime") is None,
                    reason="faketime is not installed")
@pytest.mark.parametrize("timesync", ["0", "1"])
def test_skew(host, kdc, timesync):
    serve(host, kdc)
    kerberos.configure(kdc.address, kpasswd=kdc.kpasswd,
                       more=f"kdc_timesync = {timesync}\n")
    done = log_in(host, wrap=["faketime", "-f", "+600s"])
    if timesync == "1":
        assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    else:
        assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
        assert "This computer" in done.said
        assert host.log.with_text("seconds ahead of the KDC's")


# ---- changing

@pytest.mark.parametrize("state", ["expired", "must-change"])
def test_forced_change(host, kdc, state):
    """One dialogue; its cost on the KDC; what was proved is used again."""
    serve(host, kdc)
    kdc.modify("ann", *STATES[state][0])
    by_key(host)  # the armour is there
    mark = kdc.mark()
    done = forced(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert len(done.prompts) == 3, "the current password was asked for again"
    assert "has been changed" in done.said
    tickets, services = kdc.count(mark)
    assert tickets <= 6 and services == 1, kdc.requests()[mark:]
    assert kdc.has_password("ann", NEW) and not kdc.has_password("ann", OLD)
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"


def test_change_by_the_owner(host, kdc):
    serve(host, kdc)
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert kdc.has_password("ann", NEW)
    assert change(host, OLD, NEW, NEW).codes == ["AUTH_ERR"]


def test_reset_by_root_is_refused(host, kdc):
    serve(host, kdc)
    done = host.drive("probe", "ann", "chauthtok", answers=[NEW, NEW])
    assert done.codes == ["AUTHTOK_ERR"], done
    assert CONTACT in done.said
    assert kdc.has_password("ann", OLD)


# What the policy of the principal is, the password that it refuses, a word of
# our sentence, and one of the server's.
REFUSALS = {
    "short": (("-minlength", "18"), "Sh0rt-Passw0rd-17", "too short",
              "at least 18 characters"),
    "classes": (("-minclasses", "4"), "onlyThreeClasses0f", "refused",
                "character classes"),
    "history": (("-history", "3"), OLD, "used before", "used previously"),
    "young": (("-minlife", "1d"), NEW, "too recently", "Please wait until"),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_refusals(host, kdc, why):
    policy, refused, ours, theirs = REFUSALS[why]
    kdc.kadmin("addpol", *policy, "rules")
    serve(host, kdc, "-policy", "rules")
    if why == "history":
        kdc.kadmin("cpw", "-pw", "in-Between-0f-them", "ann")
    old = "in-Between-0f-them" if why == "history" else OLD
    third = "a-Third-passw0rd, quite (long)"
    done = change(host, old, refused, refused, third, third)
    assert ours in done.said and theirs in done.said, done
    assert "\t" not in done.output
    if why == "young":
        assert done.codes == ["AUTHTOK_ERR"]
        assert kdc.has_password("ann", old)
    elif why == "classes":
        assert done.codes == ["SUCCESS"], (done, host.log.all())
        assert kdc.has_password("ann", third)
    else:
        assert done.codes == ["SUCCESS"], (done, host.log.all())
        assert "tries left" in done.said or "try left" in done.said
        assert kdc.has_password("ann", third)


def test_dictionary(host, kdc):
    kdc.kadmin("addpol", "-minlength", "1", "rules")
    serve(host, kdc, "-policy", "rules")
    host.configure(password={"min_length": "8"})
    done = change(host, OLD, "password", "password", NEW, NEW)
    assert kdc.has_password("ann", NEW), done


# ---- servers that are dead, stopped, lying

def test_dead(host, kdc):
    serve(host, kdc)
    kdc.stop()
    for done in (log_in(host), by_key(host)):
        assert set(done.codes) == {"AUTHINFO_UNAVAIL"}, done
        assert "cannot be read now" in done.said
    assert change(host, OLD, NEW, NEW).codes == ["TRY_AGAIN"]


def test_next_kdc(host, kdc):
    serve(host, kdc)
    kerberos.configure("127.0.0.1:1", kdc.address, kpasswd=kdc.kpasswd)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


def test_list_of_the_configuration(host, kdc):
    serve(host, kdc, kdc=f"127.0.0.1:1, {kdc.address}")
    kerberos.configure("127.0.0.1:1", kpasswd=kdc.kpasswd)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


def test_kpasswd_beside_the_listed_kdc(host):
    """krb5.conf knows nothing of the realm: port 464 of the KDC's host."""
    if kerberos.root_of(host) is None:
        pytest.skip("no KDC is installed")
    made = Kdc(host, kpasswd=True, kpasswd_port=464)
    serve(host, made, kdc=made.address)
    kerberos.configure()
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())


def test_stopped(host, kdc):
    """Each call ends at its deadline."""
    serve(host, kdc, timeout="1s")
    kdc.pause()
    done = log_in(host)
    assert set(done.codes) == {"AUTHINFO_UNAVAIL"}, done
    assert all(0.5e9 < time < 2.5e9 for time in done.times), done.times


def test_stopped_beside_a_good_one(host, kdc):
    serve(host, kdc, timeout="4s")
    other = Kdc(host)
    other.pause()
    kerberos.configure(other.address, kdc.address, kpasswd=kdc.kpasswd)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    other.resume()


class Liar:
    """A server of TCP that answers whatever it is told to."""

    def __init__(self, answer, ip="127.0.0.1", port=0):
        self.answer, self.heard, self.connected = answer, [], 0
        self.socket = socket.socket(
            socket.AF_INET6 if ":" in ip else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((ip, port))
        self.socket.listen()
        self.address = "%s:%d" % (ip, self.socket.getsockname()[1])
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.connected += 1
            with peer:
                head = peer.recv(4, socket.MSG_WAITALL)
                if len(head) == 4:
                    self.heard.append(peer.recv(
                        struct.unpack("!I", head)[0], socket.MSG_WAITALL))
                    answer = self.answer(self.heard[-1]) \
                        if callable(self.answer) else self.answer
                    if answer is not None:
                        peer.sendall(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)  # it may be waited on
        self.socket.close()


def framed(data):
    return struct.pack("!I", len(data)) + data


LIES = {
    "nothing": b"",
    "half a length": b"\0\0",
    "truncated": struct.pack("!I", 1000) + b"\x7e" * 10,
    "oversized": struct.pack("!I", 0x7fffffff) + b"\x7e" * 10,
    "empty": struct.pack("!I", 0),
    "rubbish": framed(b"\xff" * 200),
    "zeros": framed(bytes(200)),
    "an error cut short": framed(bytes.fromhex("7e81a03081")),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies(host, kdc, lie):
    serve(host, kdc)
    with Liar(LIES[lie]) as liar:
        kerberos.configure(liar.address)
        assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
        assert by_key(host).codes == ["AUTHINFO_UNAVAIL"]
        assert liar.heard


def test_error_for_ever(host, kdc):
    """No answer has another request for ever, and none lets anybody in: no type
    of key, the proof failed, a proof is needed (whatever was sent), too big for
    a datagram (which it was not), generic, another realm (which is the same)."""
    serve(host, kdc, fast="never")
    host.configure(lockout={"attempts": 20})
    real = relay(kdc.address)
    for code in (14, 24, 25, 52, 60, 68):
        first = []

        def answer(data, code=code, first=first):
            if code != 25:
                return framed(krb_error(code))
            if not first:
                first.append(real(data))
            return first[0]

        with Liar(answer) as liar:
            kerberos.configure(liar.address)
            done = host.drive("probe", "ann", "auth", answers=[OLD],
                              rhost=PEER)
        assert done.codes[0] in ("AUTHINFO_UNAVAIL", "AUTH_ERR"), (code, done)
        assert 0 < len(liar.heard) < 30, (code, len(liar.heard))


@pytest.mark.parametrize("lie", LIES)
def test_lies_about_a_change(host, kdc, lie):
    """The password was sent: whether it was stored, the KDC tells."""
    serve(host, kdc)
    with Liar(LIES[lie]) as liar:
        kerberos.configure(kdc.address, kpasswd=liar.address)
        done = change(host, OLD, NEW, NEW)
        assert done.codes == ["AUTHTOK_ERR"], (done, host.log.all())
        assert liar.heard and NEW.encode() not in liar.heard[0]
    assert "may or may not have been changed" in done.said or \
        "not changed" in done.said, done
    assert kdc.has_password("ann", OLD)


def relay(address, change=lambda data: data):
    """Answers what the server at `address` answers, changed."""
    def answer(data):
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as server:
            server.sendall(framed(data))
            size = struct.unpack("!I", server.recv(4, socket.MSG_WAITALL))[0]
            reply = change(server.recv(size, socket.MSG_WAITALL))
        return None if reply is None else framed(reply)
    return answer


def krb_error(code=0, e_data=b""):
    """A KRB-ERROR, as DER."""
    def tlv(tag, body):
        head = bytes([len(body)]) if len(body) < 128 else \
            b"\x82" + struct.pack("!H", len(body))
        return bytes([tag]) + head + body

    def integer(value):
        return tlv(2, value.to_bytes(4, "big", signed=True).lstrip(b"\0")
                   or b"\0")

    name = tlv(0x30, tlv(0xa0, integer(1)) + tlv(0xa1, tlv(0x30, tlv(
        0x1b, b"kadmin") + tlv(0x1b, b"changepw"))))
    return tlv(0x7e, tlv(
        0x30, tlv(0xa0, integer(5)) + tlv(0xa1, integer(30)) +
        tlv(0xa4, tlv(0x18, b"20260101000000Z")) + tlv(0xa5, integer(0)) +
        tlv(0xa6, integer(code)) +
        tlv(0xa9, tlv(0x1b, kerberos.REALM.encode())) + tlv(0xaa, name) +
        (tlv(0xac, tlv(4, e_data)) if e_data else b"")))


ANSWERS_OF_DONE = {
    # Windows Server 2025: a KRB-ERROR of code 0 after a success.
    "error 0": krb_error(0, b"\0\0"),
    "error 0 without data": krb_error(0),
    "error 0 in a frame": struct.pack("!HHH", 6 + len(krb_error()), 1, 0) +
    krb_error(),
    "error 60": krb_error(60),
    "no answer": None,
    "rubbish": b"\xff" * 30,
}


@pytest.mark.parametrize("answer", ANSWERS_OF_DONE)
def test_changed_and_not_said(host, kdc, answer):
    """The server has stored the password and says something else."""
    serve(host, kdc)
    with Liar(relay(kdc.kpasswd, lambda _: ANSWERS_OF_DONE[answer])) as liar:
        kerberos.configure(kdc.address, kpasswd=liar.address)
        done = change(host, OLD, NEW, NEW)
        assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert kdc.has_password("ann", NEW)


def test_changed_and_kdc_gone(host, kdc):
    """Neither said nor to be found out: the next login finds out."""
    serve(host, kdc)

    def stop(_):
        kdc.stop()

    with Liar(relay(kdc.kpasswd, stop)) as liar:
        kerberos.configure(kdc.address, kpasswd=liar.address)
        done = change(host, OLD, NEW, NEW)
    assert done.codes == ["AUTHTOK_ERR"], (done, host.log.all())
    assert "may or may not have been changed" in done.said, done
    kdc.start()
    kerberos.configure(kdc.address, kpasswd=kdc.kpasswd)
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


POLICY = struct.pack("!HIIIQQ", 0, 12, 24, 1, 0, 0)


def test_rules_of_active_directory(host, kdc):
    """The 30 bytes, in an error that was not encrypted: the KDC proves that
    nothing was changed, and the rules are told."""
    serve(host, kdc)
    reply = krb_error(60, struct.pack("!H", 4) + POLICY)
    with Liar(framed(reply)) as liar:
        kerberos.configure(kdc.address, kpasswd=liar.address)
        done = change(host, OLD, NEW, NEW, "", "")
    assert done.codes == ["AUTHTOK_ERR"], (done, host.log.all())
    assert "at least 12 characters" in done.said
    assert "none of the last 24 passwords" in done.said


def test_text_of_the_server_is_filtered(host, kdc):
    serve(host, kdc)
    reply = krb_error(60, struct.pack("!H", 4) + b"bad\x1b[31m\x07\xff word\n")
    with Liar(framed(reply)) as liar:
        kerberos.configure(kdc.address, kpasswd=liar.address)
        done = change(host, OLD, NEW, NEW, "", "")
    assert "bad?[31m?? word" in done.said, done
    assert "\x1b" not in done.output


def test_kpasswd_is_down(host, kdc):
    serve(host, kdc)
    kerberos.configure(kdc.address, kpasswd="127.0.0.1:1")
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["AUTHTOK_ERR"]
    assert "not" in done.said and "may or may not" not in done.said, done
    assert kdc.has_password("ann", OLD)


@pytest.mark.parametrize("answers", [True, False])
def test_kpasswd_by_datagram(host, kdc, answers):
    """A server that does not listen on TCP gets one datagram; one that does not
    answer it gets no second."""
    serve(host, kdc, timeout="3s")
    through, heard = relay(kdc.kpasswd), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def run():
            while True:
                try:
                    data, peer = server.recvfrom(1 << 16)
                except OSError:
                    return
                heard.append(data)
                if answers:
                    server.sendto(through(data)[4:], peer)

        threading.Thread(target=run, daemon=True).start()
        kerberos.configure(kdc.address,
                           kpasswd="127.0.0.1:%d" % server.getsockname()[1])
        done = change(host, OLD, NEW, NEW)
    assert len(heard) == 1
    if answers:
        assert done.codes == ["SUCCESS"], (done, host.log.all())
    else:
        assert "may or may not have been changed" in done.said, done
    assert kdc.has_password("ann", NEW if answers else OLD)


# ---- what the rest of the system sees, and administrators

def test_state_groups(host, kdc):
    """Published by each login."""
    serve(host, kdc)
    host.create_state_groups()
    host.nsswitch()
    host.run("selfreset-publish")
    log_in(host)
    assert host.states("ann") == {"acct-ok"}
    kdc.modify("ann", "+needchange")
    log_in(host)
    assert "pw-must-change" in host.states("ann")
    kdc.modify("ann", "-needchange", "-allow_tix")
    by_key(host)
    assert "acct-locked" in host.states("ann")


def test_selfresetctl(host, kdc):
    """The state as a login by key sees it; the throttle's lockout is ended;
    what only kadmin can do is refused."""
    host.configure(lockout={"attempts": 2})
    serve(host, kdc)

    def state():
        return json.loads(host.run("selfresetctl", "status", "--json",
                                   "ann").stdout)["state"]

    assert state() == "ok"
    for _ in range(2):
        wrong(host)
    assert state() == "locked"
    assert host.run("selfresetctl", "unlock", "ann").returncode == 0
    assert state() == "ok"
    kdc.modify("ann", "-pwexpire", "-3 days")
    assert state() == "expired"
    for command in ("temporary", "must-change"):
        done = host.run("selfresetctl", command, "ann")
        assert done.returncode != 0 and "Nothing was done" in done.stderr


# ---- self-service reset, by this host's key

FRESH = "an umbrella for rainy days"


def allow_resets(kdc):
    """What the manual says, for this host."""
    (kdc.dir / "acl").write_text(f"{HOST}@{kerberos.REALM} c *@"
                                 f"{kerberos.REALM}\n")
    kdc.restart_kpasswd()


@pytest.mark.parametrize("state", ["ok", "expired", "must-change"])
def test_reset(host, kdc, state):
    serve(host, kdc)
    allow_resets(kdc)
    if state != "ok":
        kdc.modify("ann", *STATES[state][0])
    flow = by_ticket(host, "ann").answer(FRESH, FRESH)
    assert flow.end == 0 and "changed and checked" in flow.said, (
        flow.text, host.log.all())
    assert kdc.has_password("ann", FRESH) and not kdc.has_password("ann", OLD)
    assert log_in(host, FRESH).codes == ["SUCCESS", "SUCCESS"]
    assert len(events(host, "SR-1002")) == 1


def test_reset_obeys_the_policy_of_the_realm(host, kdc):
    kdc.kadmin("addpol", "-minlength", "30", "-history", "2", "long")
    serve(host, kdc)
    kdc.modify("ann", "-policy", "long")
    allow_resets(kdc)
    flow = by_ticket(host, "ann").answer(FRESH, FRESH)
    assert flow.end is None and "too short" in flow.said, flow.text
    flow.answer(FRESH + " in the old harbour", FRESH + " in the old harbour")
    assert flow.end == 0, flow.text
    assert kdc.has_password("ann", FRESH + " in the old harbour")


def test_reset_without_the_right(host, kdc):
    """Found before any proof: none is accepted, and no ticket is issued."""
    serve(host, kdc)
    allow_resets(kdc)
    flow = by_ticket(host, "ann", until=lambda: (
        (kdc.dir / "acl").write_text(""), kdc.restart_kpasswd()))
    assert "Not accepted." in flow.text and "Accepted." not in flow.text
    flow.leave()
    assert "SR-3014" in events(host, "SR-2004")[0], host.log.all()
    done = host.run("selfresetctl", "ticket", "ann")
    assert done.returncode == 9 and "SR-3014" in done.stderr, done
    assert kdc.has_password("ann", OLD)


def test_reset_of_a_principal_that_is_disabled(host, kdc):
    serve(host, kdc)
    allow_resets(kdc)
    flow = by_ticket(host, "ann", until=lambda: kdc.modify(
        "ann", *STATES["disabled"][0]))
    assert "Not accepted." in flow.text
    flow.leave()
    assert "SR-3015" in events(host, "SR-2004")[0]


@pytest.mark.parametrize("answer", ["lost", "unprotected"])
def test_reset_when_the_server_lies(host, kdc, answer):
    """No success is claimed by what anybody may have sent."""
    serve(host, kdc)
    allow_resets(kdc)
    begun = by_ticket(host, "ann")
    lie = {"lost": None, "unprotected": framed(krb_error(
        60, e_data=b"\0\0"))}[answer]
    with Liar(lie) as liar:
        kerberos.configure(kdc.address, kpasswd=liar.address)
        begun.answer(FRESH, FRESH)
    assert begun.end == 1 and "changed and checked" not in begun.said, (
        begun.text)
    assert kdc.has_password("ann", OLD)
    assert events(host, "SR-1003") and not events(host, "SR-1002")


def test_no_server_for_passwords_is_said_for_every_name(host, kdc):
    """Before any gate; a code is neither sent nor counted as wrong."""
    serve(host, kdc)
    allow_resets(kdc)
    host.add("bob", OLD)
    host.configure(reset={"enable": "yes", "gates": "1"})
    kerberos.configure(kdc.address, kpasswd="127.0.0.1:2")
    assert is_away_for(host, "ann", "bob", "nobody1")
    away = events(host, "SR-3002")
    assert len(away) == 3 and all("for passwords" in one for one in away), away


def test_reset_while_the_kdc_dies(host, kdc):
    serve(host, kdc)
    allow_resets(kdc)
    begun = by_ticket(host, "ann")
    kdc.stop()
    flow = Flow(host, "reset").answer("ann")
    assert "cannot be reached" in flow.said, flow.text
    flow.leave()
    begun.answer(FRESH, FRESH)
    assert begun.end == 1 and "Nothing was changed." in begun.said, begun.text
    kdc.start()
    assert kdc.has_password("ann", OLD)
