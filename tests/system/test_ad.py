"""Accounts of Active Directory, on a domain controller of Samba.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import random
import socket
import struct
import subprocess
import time

import pytest

import samba
from samba import PASSWORD, user_dn
from scratch import CONTACT, DAY, ETC, RUN, RUNDIR, mount, tmpfs
from test_krb5 import Liar, krb_error, relay
from wire import Wire

NEW = "second-Passw0rd-0f-ann"
PEER = "192.0.2.7"
MACHINE = "Machine-Secret-1"
UID = itertools.count(4242)
CHANGE_RIGHT = "ab721a53-1e2f-11d0-9819-00aa0040529b"


@pytest.fixture(scope="module")
def ad(the_host):
    with samba.domain(the_host) as made:
        made.computer("client", MACHINE)
        yield made


@pytest.fixture
def corp(ad, host):
    """This host is in the domain."""
    configure(host, ad)
    ad.configure_host()
    return ad


def configure(host, ad, **config):
    keys = {"type": "ad", "realm": samba.REALM, "uri": ad.first.uri,
            "ca_file": ad.ca, "timeout": "5s",
            "keytab": ad.keytab(RUN / "host.keytab", "client", MACHINE),
            **config}
    host.configure(selfreset={"backends": "local corp"},
                   backend_corp={key: value for key, value in keys.items()
                                 if value is not None})


def person(host, ad, **options):
    """An account of its own for each test, which this host knows."""
    uid = next(UID)
    name = f"u{uid}"
    ad.user(name, **options)
    host.add_elsewhere(name, uid)
    return name


def uid_of(name):
    return int(name[1:])


def log_in(host, name, password=PASSWORD, **options):
    return host.drive("probe", name, "auth", "acct", answers=[password],
                      rhost=PEER, **options)


def wrong(host, name):
    return host.drive("probe", name, "auth", answers=["no"], rhost=PEER)


def by_key(host, name):
    return host.drive("probe", name, "acct", rhost=PEER)


def test_right_and_wrong(host, corp):
    name = person(host, corp)
    done = log_in(host, name)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert done.said == "" and done.prompts == ["Password: "]
    done = wrong(host, name)
    assert done.codes == ["AUTH_ERR"] and done.said == "", host.log.all()
    assert corp.first.bad_passwords(name) == 1


def cost(wire, done):
    """What it took on the wire."""
    found = wire.counted()
    assert done.codes and found.pop("connection") <= 14, (done, found)
    return found


def kept():
    """The tickets of this host that are kept: armour for FAST, and that by
    which it reads the directory."""
    return [*RUNDIR.glob("krb5-*"), *RUNDIR.glob("ldap-*")]


def test_cost(host, corp):
    """Armour for FAST and the ticket of this host, which are kept, cost two AS
    exchanges each, and the ticket a TGS exchange, too."""
    for path in kept():
        path.unlink()
    name, other = person(host, corp), person(host, corp)
    must_change(corp, other)
    login = {"AS": 2, "TGS": 1, "search": 1}
    with Wire(corp.first.ip) as wire:
        assert cost(wire, log_in(host, name)) == {"AS": 6, "TGS": 2,
                                                  "search": 1}
        assert cost(wire, log_in(host, name)) == login
        assert cost(wire, wrong(host, name)) == {"AS": 2, "search": 1}
        assert cost(wire, by_key(host, name)) == {"search": 1}
        expiring(corp, name)
        wire.counted()
        assert cost(wire, log_in(host, name)) == login
        done = forced(host, other, PASSWORD, NEW, NEW)
        assert done.codes[-1] == "SUCCESS", (done, host.log.all())
        found = cost(wire, done)
        assert found["AS"] <= 6 and found["search"] <= 2, found
        assert found["TGS"] == 1 and found["kpasswd"] == 1, found


def moved(data, shift, left=None):
    """A cache whose ticket was given `shift` seconds later, and ends in `left`
    seconds: what follows a key are four times (MIT's file format, version 4),
    and a ticket has begun when it was asked for."""
    now = int(time.time())
    at = next(at for at in range(len(data) - 16)
              if all(now - 9000 < each < now + 9 for each in
                     struct.unpack_from("!2I", data, at)) and
              struct.unpack_from("!I", data, at + 8)[0] > now + 3600)
    times = [each + shift for each in struct.unpack_from("!3I", data, at)]
    if left is not None:
        times[2] = now + left
    return data[:at] + struct.pack("!3I", *times) + data[at + 12:]


# What can become of the file, by how it is written again; each is of no use.
SPOILED = {
    "empty": lambda data: b"", "cut": lambda data: data[:len(data) // 2],
    "garbage": lambda data: data[:2] + random.Random(10).randbytes(900),
    "huge": lambda data: data + bytes(2 << 20),
    "old": lambda data: moved(data, -1000),
    "clock set back": lambda data: moved(data, 3600),
    "ends soon": lambda data: moved(data, 0, left=60),
    # As of a controller that was restored from a backup.
    "of another key": lambda data: data[:-40] + bytes([data[-40] ^ 1]) +
    data[-39:],
}


def test_ticket_is_kept(host, corp):
    """By one process for those that follow; whatever is wrong with what is
    kept, a new one is got and replaces it."""
    name = person(host, corp)
    cold, warm = {"AS": 2, "TGS": 1, "search": 1}, {"search": 1}
    assert by_key(host, name).codes == ["SUCCESS"], host.log.all()
    with Wire(corp.first.ip) as wire:

        def login(**options):
            wire.counted()
            done = host.drive("probe", name, "acct", rhost=PEER, **options)
            assert done.codes == ["SUCCESS"], host.log.all()
            return cost(wire, done)

        assert login() == warm
        path, = RUNDIR.glob("ldap-corp-*")
        assert path.stat().st_mode == 0o100600 and path.stat().st_uid == 0
        good = path.read_bytes()
        for what, spoil in SPOILED.items():
            path.write_bytes(spoil(good))
            assert (what, login()) == (what, cold)
            assert (what, login()) == (what, warm)
        for spoil in (lambda: os.chown(path, 4242, 0),
                      lambda: path.chmod(0o644),
                      lambda: (path.rename(RUN / "moved"),
                               path.symlink_to(RUN / "moved"))):
            spoil()
            assert login() == cold and login() == warm
        # A key that was written again, the same or another one.
        pathlib.Path(RUN / "host.keytab").touch()
        path.unlink()
        assert login(real_uid=uid_of(name)) == cold and \
            not list(RUNDIR.glob("ldap-*")), "a user's process keeps nothing"
        assert login() == cold and login() == warm
        fresh, = RUNDIR.glob("ldap-corp-*[0-9a-f]")
        assert fresh.name != path.name
        # An order shows the rights that the host has now.
        done = host.run("selfresetctl", "must-change", name)
        assert wire.counted()["AS"] == 2, done
        assert login() == warm


def test_ticket_cannot_be_kept(host, corp):
    """Where the disk is full or cannot be written; and by several at once."""
    name = person(host, corp)
    for path in RUNDIR.glob("ldap-*"):
        path.unlink()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in pool.map(lambda _: by_key(host, name), range(4)):
            assert done.codes == ["SUCCESS"], done
    assert len(list(RUNDIR.glob("ldap-*"))) == 1
    tmpfs(RUNDIR, "0755", "size=4k")
    try:
        (RUNDIR / "full").write_bytes(bytes(4096))
        for option in ("rw", "ro"):
            mount("-o", f"remount,{option}", RUNDIR)
            assert by_key(host, name).codes == ["SUCCESS"], host.log.all()
            assert not list(RUNDIR.glob("ldap-*"))
    finally:
        subprocess.run(["umount", RUNDIR], check=True)


# ---- states

def expired(ad, name):
    """As if it had been set 60 days ago."""
    ad.first.write_below(user_dn(name), pwdLastSet=samba.filetime(
        time.time() - 60 * DAY))


def must_change(ad, name):
    ad.first.modify(user_dn(name), pwdLastSet=0)


def expiring(ad, name):
    ad.first.write_below(user_dn(name), pwdLastSet=samba.filetime(
        time.time() - 39 * DAY))


def dont_expire(ad, name):
    expired(ad, name)
    ad.first.modify(user_dn(name),
                    userAccountControl=samba.NORMAL | samba.DONT_EXPIRE)


def dont_expire_and_must_change(ad, name):
    dont_expire(ad, name)
    must_change(ad, name)


def disabled(ad, name):
    ad.first.modify(user_dn(name),
                    userAccountControl=samba.NORMAL | samba.DISABLED)


def ended(ad, name):
    ad.first.modify(user_dn(name), accountExpires=samba.filetime(
        time.time() - DAY))


def never_ends(ad, name):
    ad.first.modify(user_dn(name), accountExpires=0)


def locked(ad, name):
    for _ in range(3):
        assert not ad.has_password(name, "wrong")


def no_hours(ad, name):
    ad.first.modify(user_dn(name), logonHours=bytes(21))


def elsewhere(ad, name):
    ad.first.modify(user_dn(name), userWorkstations="OTHER,ANOTHER")


def here(ad, name):
    ad.first.modify(user_dn(name), userWorkstations="OTHER," +
                    socket.gethostname().split(".")[0].upper())


def here_in_full(ad, name):
    """By a name that the host itself does not have, for want of a domain."""
    ad.first.modify(user_dn(name), userWorkstations="OTHER, " +
                    socket.gethostname().split(".")[0] + "." + samba.DNS)


def nowhere(ad, name):
    ad.first.modify(user_dn(name), userWorkstations=",")


def hours(closed):
    """An account may be used at all hours but so many from now on (UTC; a week
    begins on Sunday)."""
    def set_hours(ad, name):
        now = time.gmtime()
        first = (now.tm_wday + 1) % 7 * 24 + now.tm_hour
        bits = bytearray(b"\xff" * 21)
        for at in range(first, first + closed):
            bits[at % 168 // 8] &= ~(1 << at % 8)
        ad.first.modify(user_dn(name), logonHours=bytes(bits))
    return set_hours


def hours_of_another_size(ad, name):
    """For Samba these are none."""
    ad.first.modify(user_dn(name), logonHours=bytes(20))
    assert ad.has_password(name, PASSWORD)


def smartcard(ad, name):
    ad.first.modify(user_dn(name),
                    userAccountControl=samba.NORMAL | samba.SMARTCARD)


def both(*changes):
    return lambda ad, name: [change(ad, name) for change in changes]


# What was done to the account; authenticate with the right password, acct_mgmt
# after it, acct_mgmt alone (by key), a word of what each says; how often a wrong
# password is counted.
STATES = {
    "ok": (None, "SUCCESS", "SUCCESS", "", "", 1),
    "expiring": (expiring, "SUCCESS", "SUCCESS", "expires in", "expires in", 1),
    "expired": (expired, "SUCCESS", "NEW_AUTHTOK_REQD", "has expired",
                "has expired", 1),
    "must-change": (must_change, "SUCCESS", "NEW_AUTHTOK_REQD",
                    "temporary", "temporary", 1),
    "dont-expire": (dont_expire, "SUCCESS", "SUCCESS", "", "", 1),
    "dont-expire, must-change": (dont_expire_and_must_change, "SUCCESS",
                                 "SUCCESS", "", "", 1),
    "disabled": (disabled, "ACCT_EXPIRED", "ACCT_EXPIRED", "disabled",
                 "disabled", 1),
    "ended": (ended, "ACCT_EXPIRED", "ACCT_EXPIRED", "ended", "ended", 1),
    "never ends": (never_ends, "SUCCESS", "SUCCESS", "", "", 1),
    "locked": (locked, "AUTH_ERR", "PERM_DENIED", "", "locked", 3),
    "out-of-hours": (no_hours, "PERM_DENIED", "PERM_DENIED", "at this hour",
                     "at this hour", 1),
    "off-workstation": (elsewhere, "PERM_DENIED", "PERM_DENIED",
                        "on this computer", "on this computer", 1),
    "on workstation": (here, "SUCCESS", "SUCCESS", "", "", 1),
    "on workstation, in full": (here_in_full, "SUCCESS", "SUCCESS", "", "", 1),
    # A bind is refused, too (531).
    "off every workstation": (nowhere, "PERM_DENIED", "PERM_DENIED",
                              "on this computer", "on this computer", 1),
    "in hours": (hours(0), "SUCCESS", "SUCCESS", "", "", 1),
    "hours of another size": (hours_of_another_size, "SUCCESS", "SUCCESS", "",
                              "", 1),
    "out of these hours": (hours(2), "PERM_DENIED", "PERM_DENIED",
                           "It may again in", "It may again in", 1),
    # The KDC says no more than of a wrong password, and so does a bind.
    "smartcard": (smartcard, "AUTH_ERR", "SUCCESS", "", "", 1),
    # A KDC has something else to say of these first.
    "must-change, out-of-hours": (both(must_change, no_hours), "PERM_DENIED",
                                  "PERM_DENIED", "at this hour", "at this hour",
                                  1),
    "expired, out-of-hours": (both(expired, no_hours), "PERM_DENIED",
                              "PERM_DENIED", "at this hour", "at this hour", 1),
    "must-change, off-workstation": (
        both(must_change, elsewhere), "PERM_DENIED", "PERM_DENIED",
        "on this computer", "on this computer", 1),
    "must-change, disabled": (both(must_change, disabled), "ACCT_EXPIRED",
                              "ACCT_EXPIRED", "disabled", "disabled", 1),
    "locked, ended": (both(locked, ended), "AUTH_ERR", "ACCT_EXPIRED", "",
                      "ended", 3),
    "expired, locked": (both(expired, locked), "AUTH_ERR", "PERM_DENIED", "",
                        "locked", 3),
}
# Those of which programs have nothing else to show.
PLAIN = [state for state in STATES if state not in (
    "never ends", "in hours", "out of these hours", "hours of another size",
    "off every workstation") and ", " not in state] + [
        "dont-expire, must-change", "must-change, out-of-hours"]


@pytest.mark.parametrize("state", STATES)
def test_states(host, corp, state):
    alter, auth, account, told, told_by_key, counted = STATES[state]
    name = person(host, corp)
    if alter:
        alter(corp, name)
    done = wrong(host, name)
    assert done.codes == ["AUTH_ERR"] and done.said == "", done
    assert corp.first.bad_passwords(name) == counted
    done = log_in(host, name) if auth == "SUCCESS" else host.drive(
        "probe", name, "auth", answers=[PASSWORD], rhost=PEER)
    assert done.codes[0] == auth, (done, host.log.all())
    assert told in done.said and (told or done.said == ""), done
    if auth == "SUCCESS":
        assert done.codes[1] == account, (done, host.log.all())
        assert corp.first.bad_passwords(name) == 0
    done = by_key(host, name)
    assert done.codes == [account], (done, host.log.all())
    assert told_by_key in done.said, done
    if account not in ("SUCCESS", "NEW_AUTHTOK_REQD"):
        done = change(host, name, PASSWORD, NEW, NEW)
        assert done.codes == ["PERM_DENIED"], (done, host.log.all())
        assert told_by_key in done.said and not done.prompts, done


# ---- changes

def forced(host, name, *answers):
    return host.drive("probe", name, "auth", "acct", "change-expired",
                      answers=answers, rhost=PEER)


def change(host, name, *answers):
    return host.drive("probe", name, "chauthtok", answers=answers,
                      real_uid=uid_of(name))


@pytest.mark.parametrize("state", [must_change, expired])
def test_forced_change(host, corp, state):
    name = person(host, corp)
    state(corp, name)
    done = forced(host, name, PASSWORD, NEW, NEW)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert "7 characters" in done.said and "3 " in done.said, done
    assert corp.has_password(name, NEW)
    assert log_in(host, name, NEW).codes == ["SUCCESS", "SUCCESS"]
    assert by_key(host, name).codes == ["SUCCESS"]

    assert "has been changed" in done.said
    assert len(done.prompts) == 3, "the current password was asked for again"
    assert log_in(host, name).codes[0] == "AUTH_ERR"


def test_minimum_age_that_cannot_be_read(host, corp):
    """That of a password settings object: the server alone knows it, and no
    other password would do."""
    name = person(host, corp)
    dn = f"CN=pso-of-{name},CN=Password Settings Container,CN=System," + \
        samba.BASE
    ages = {"MinimumPasswordAge": 10, "MaximumPasswordAge": 42}
    corp.first.add(dn, objectClass="msDS-PasswordSettings", **{
        "msDS-PasswordSettingsPrecedence": 1, "msDS-LockoutThreshold": 3,
        "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
        "msDS-PasswordHistoryLength": 2, "msDS-MinimumPasswordLength": 1,
        "msDS-PasswordComplexityEnabled": "FALSE",
        "msDS-LockoutObservationWindow": -18 * 10**9,
        "msDS-LockoutDuration": -18 * 10**9, "msDS-PSOAppliesTo": user_dn(name),
        **{f"msDS-{age}": -days * DAY * 10**7 for age, days in ages.items()}})
    done = change(host, name, PASSWORD, NEW, NEW)
    assert done.codes == ["AUTHTOK_ERR"] and len(done.prompts) == 3, done
    assert "changed too recently" in done.said, done
    assert "left" not in done.said, done
    corp.first.delete(dn)
    assert corp.has_password(name, PASSWORD)


def test_attribute_that_cannot_be_read(host, corp):
    """It is named with the entry at which this host lacks the right."""
    name = person(host, corp)
    corp.allow(user_dn(name), f"CN=Domain Computers,{samba.USERS}",
               "(OD;;RP;bf967a0a-0de6-11d0-a285-00aa003049e2;;SID)",
               action="deny")
    assert by_key(host, name).codes == ["AUTHINFO_UNAVAIL"]
    assert host.log.with_text(f"pwdLastSet of {user_dn(name)} cannot be read")


def test_realm_in_small_letters(host, corp):
    """As the name of a domain is written."""
    name = person(host, corp)
    configure(host, corp, realm=samba.DNS)
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"], host.log.all()


def test_change_by_the_owner(host, corp):
    name = person(host, corp)
    done = change(host, name, PASSWORD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert corp.has_password(name, NEW)
    assert change(host, name, PASSWORD, NEW, NEW).codes == ["AUTH_ERR"]
    # Newer versions do not count the former password, as Windows does.
    assert corp.first.bad_passwords(name) <= 1


@contextlib.contextmanager
def rules(ad, **attributes):
    """Rules of the domain, for one test."""
    if not attributes:
        yield
        return
    before = ad.first.read(samba.BASE, *attributes)
    ad.first.modify(samba.BASE, **attributes)
    try:
        yield
    finally:
        ad.first.modify(samba.BASE, **{
            attribute: before[attribute][0] for attribute in attributes})


# What the rules of the domain are, the password that they refuse, a word of our
# sentence, and one of the server's.
THIRD = "a-Third-passw0rd, quite (long)"
REFUSALS = {
    "short": ({"minPwdLength": 18}, "Sh0rt-Passw0rd-17", "too short",
              "at least 18 characters"),
    "simple": ({}, "only small letters and blanks", "refused",
               "complexity requirements"),
    "history": ({}, PASSWORD, "used before", "password history"),
    "young": ({"minPwdAge": -2 * DAY * 10**7}, NEW, "too recently", ""),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_refusals(host, corp, why):
    """A refused one is asked for again in the same dialogue."""
    attributes, refused, ours, theirs = REFUSALS[why]
    name = person(host, corp)
    old = PASSWORD
    if why == "history":
        host.configure(password={"min_length": "8"})
        old = "in-Between-0f-them"
        assert change(host, name, PASSWORD, old, old).codes == ["SUCCESS"]
    with rules(corp, **attributes):
        done = change(host, name, old, refused, refused, THIRD, THIRD)
        assert ours in done.said and theirs in done.said, (done,
                                                          host.log.all())
    if why == "young":
        assert done.codes == ["AUTHTOK_ERR"]
        assert corp.has_password(name, old)
    else:
        assert done.codes == ["SUCCESS"], (done, host.log.all())
        assert corp.has_password(name, THIRD)


def test_minimum_age_is_told(host, corp):
    """Before a new password is asked for, with the time that is left."""
    name = person(host, corp)
    with rules(corp, minPwdAge=-2 * DAY * 10**7):
        done = change(host, name, PASSWORD)
        assert done.codes == ["AUTHTOK_ERR"], done
        assert "in 2 days" in done.said or "in 47 hours" in done.said, done
        assert not any("New password" in prompt for prompt in done.prompts)


def test_cannot_change(host, corp):
    name = person(host, corp)
    corp.tool("dsacl", "set", f"--objectdn={user_dn(name)}", "--action=deny",
              f"--sddl=(OD;;CR;{CHANGE_RIGHT};;WD)(OD;;CR;{CHANGE_RIGHT};;PS)",
              "-H", f"ldap://{corp.first.ip}", *corp.as_administrator())
    done = change(host, name, PASSWORD, NEW, NEW)
    assert done.codes == ["PERM_DENIED"], (done, host.log.all())
    assert CONTACT in done.said and corp.has_password(name, PASSWORD)
    must_change(corp, name)
    assert log_in(host, name).codes == ["SUCCESS", "AUTHTOK_EXPIRED"]


def test_must_log_on_to_change(host, corp):
    """The rule of the domain, which no server enforces."""
    name, other = person(host, corp), person(host, corp)
    must_change(corp, name)
    with rules(corp, pwdProperties=3):
        done = log_in(host, name)
        assert done.codes == ["SUCCESS", "AUTHTOK_EXPIRED"], done
        assert by_key(host, name).codes == ["AUTHTOK_EXPIRED"]
        done = change(host, other, PASSWORD, NEW, NEW)
        assert done.codes == ["PERM_DENIED"] and CONTACT in done.said, done
        host.configure(change={"logon_exempt": f"{name} {other}"})
        assert log_in(host, name).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]


def test_other_upn(host, corp):
    """A userPrincipalName with a suffix of its own is another name of the
    account, which this host knows by its usual one."""
    name = person(host, corp, userPrincipalName="someone@corp.example")
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]
    done = change(host, name, PASSWORD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())


def test_password_settings_object(host, corp):
    """Its rules are hidden from hosts; what it refuses is told."""
    name = person(host, corp)
    corp.tool("domain", "passwordsettings", "pso", "create", "strict", "1",
              "--min-pwd-length=20", "-H", f"ldap://{corp.first.ip}",
              *corp.as_administrator())
    corp.tool("domain", "passwordsettings", "pso", "apply", "strict", name,
              "-H", f"ldap://{corp.first.ip}", *corp.as_administrator())
    refused = "Sh0rt-Passw0rd-17"
    done = change(host, name, PASSWORD, refused, refused, THIRD, THIRD)
    assert "at least 7 characters" not in done.said, done
    assert "at least 20 characters" in done.said, done
    assert done.codes == ["SUCCESS"], (done, host.log.all())


@pytest.mark.parametrize("hours, code", [(23, "NEW_AUTHTOK_REQD"),
                                         (25, "AUTHTOK_EXPIRED")])
def test_temporary_password_lapses(host, corp, hours, code):
    """By the newer of the two stamps; for keys, too."""
    name = person(host, corp)
    must_change(corp, name)
    corp.first.set_stamps(user_dn(name), 60 * DAY, samba.UNICODE_PWD)
    corp.first.set_stamps(user_dn(name), hours * 3600, samba.PWD_LAST_SET)
    assert by_key(host, name).codes == [code]
    done = log_in(host, name)
    assert done.codes[0] == ("SUCCESS" if hours < 24 else "AUTH_ERR"), done


def test_changed_and_not_said(host, corp):
    """A server for passwords that stores one and answers with an error of code
    0, as Windows Server 2025 does."""
    name = person(host, corp)
    with Liar(relay(f"{corp.first.ip}:464", lambda _: krb_error(0))) as liar:
        conf = samba.krb5_conf(corp.first.ip).replace(
            f"kpasswd_server = {corp.first.ip}",
            f"kpasswd_server = {liar.address}")
        (ETC / "krb5.conf").write_text(conf)
        done = change(host, name, PASSWORD, NEW, NEW)
        assert done.codes == ["SUCCESS"], (done, host.log.all())
        assert liar.heard
    assert corp.has_password(name, NEW)


def test_published(host, corp):
    """What the name service shows of accounts of the domain."""
    ok, must, off = (person(host, corp) for _ in range(3))
    must_change(corp, must)
    disabled(corp, off)
    host.create_state_groups()
    host.nsswitch(hosts="files dns", group="files selfreset",
                  shadow="files selfreset")
    host.publish()
    assert host.states(ok) == {"acct-ok"}
    assert "pw-must-change" in host.states(must)
    assert host.states(off) == {"acct-locked"}
    with Wire(corp.first.ip) as wire:
        costs = []
        for _ in range(2):
            host.publish()
            costs.append(wire.counted())
            for _ in range(3):
                person(host, corp)
    assert costs[0] == costs[1], "none for an account"
    # The fourth asks what the server is, where hours are of another size.
    assert costs[0]["search"] <= 4, costs
