"""Active Directory with "auth = krb5 ldap": a bind verifies a password where this
host's own trouble keeps Kerberos from it, and only there.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import subprocess

import pytest

import samba
from samba import PASSWORD
from scratch import CONTACT, ETC, RUN
from test_ad import (MACHINE, NEW, PEER, ad, by_key, change, configure, corp,
                     disabled, ended, forced, locked, log_in, must_change,
                     no_hours, person, wrong)

__all__ = ["ad", "corp"]

def fall_back(host, ad, **config):
    configure(host, ad, **{"auth": "krb5 ldap", "fast": "try", **config})


def no_keytab(host, ad):
    fall_back(host, ad, keytab=RUN / "missing.keytab")


def stale(host, ad):
    fall_back(host, ad, keytab=ad.keytab(RUN / "stale.keytab", "client",
                                         "Another-Secret-9"))


def no_name(host, ad):
    """The directory can be read, and no ticket for this host is given."""
    fall_back(host, ad, keytab=ad.keytab(
        RUN / "alias.keytab", "client", MACHINE,
        principals=["CLIENT$", "host/alias"]))


def demanded(host, ad):
    """Kerberos is not even asked."""
    fall_back(host, ad, fast="demand", keytab=RUN / "missing.keytab")


TROUBLES = {"no keytab": (no_keytab, "missing.keytab"),
            "stale": (stale, "SR-5104"),
            "no name": (no_name, "SR-5101"),
            "demanded": (demanded, "missing.keytab")}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_bind_verifies(host, corp, trouble):
    make, why = TROUBLES[trouble]
    name = person(host, corp)
    make(host, corp)
    done = wrong(host, name)
    assert done.codes == ["AUTH_ERR"] and done.said == "", (done,
                                                           host.log.all())
    assert corp.first.bad_passwords(name) == 1
    done = log_in(host, name)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert corp.first.bad_passwords(name) == 0
    told = host.log.with_text("SR-5110")
    assert told and why in str(told[-1]) and name in str(told[-1]), told


def test_skew(host, corp):
    conf = ETC / "krb5.conf"
    conf.write_text(conf.read_text().replace(
        "[libdefaults]\n", "[libdefaults]\nkdc_timesync = 0\n"))
    name = person(host, corp)
    fall_back(host, corp)
    ahead = ["faketime", "-f", "+600s"]
    done = log_in(host, name, wrap=ahead)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert "SR-5106" in str(host.log.with_text("SR-5110"))
    assert log_in(host, name, "no", wrap=ahead).codes[0] == "AUTH_ERR"


def test_only_then(host, corp):
    """While Kerberos verifies, nothing is bound; and by a key nothing is known
    of an account that this host cannot read."""
    name = person(host, corp)
    fall_back(host, corp)
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]
    assert wrong(host, name).codes == ["AUTH_ERR"]
    assert not host.log.with_text("SR-5110")
    no_keytab(host, corp)
    done = by_key(host, name)
    assert done.codes == ["AUTHINFO_UNAVAIL"], done
    assert "This computer" in done.said and CONTACT in done.said


def test_unasked(host, corp):
    """Without that setting no bind verifies, whatever keeps Kerberos."""
    name = person(host, corp)
    no_name(host, corp)
    configure(host, corp, auth="krb5", keytab=RUN / "alias.keytab")
    done = log_in(host, name)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert "This computer" in done.said
    assert not host.log.with_text("SR-5110")


STATES = {disabled: ("ACCT_EXPIRED", "disabled"),
          ended: ("ACCT_EXPIRED", "ended"),
          no_hours: ("PERM_DENIED", "at this hour"),
          locked: ("AUTH_ERR", "")}


@pytest.mark.parametrize("trouble, state", [
    (no_name, disabled), *((demanded, state) for state in STATES)])
def test_states(host, corp, trouble, state):
    """Of accounts that this host can read, and that it cannot."""
    code, word = STATES[state]
    name = person(host, corp)
    state(corp, name)
    trouble(host, corp)
    done = host.drive("probe", name, "auth", answers=[PASSWORD], rhost=PEER)
    assert done.codes == [code], (done, host.log.all())
    assert word in done.said and (word or not done.said), done
    assert wrong(host, name).codes == ["AUTH_ERR"]


def test_must_change(host, corp):
    name = person(host, corp)
    must_change(corp, name)
    demanded(host, corp)
    assert log_in(host, name).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"], \
        host.log.all()
    no_keytab(host, corp)
    done = forced(host, name, PASSWORD, NEW, NEW)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert corp.has_password(name, NEW)


def test_unknown_name(host, corp):
    """No name answers otherwise than the wrong password of another."""
    demanded(host, corp)
    done = host.drive("probe", "selfreset-nobody", "auth", answers=["no"],
                      rhost=PEER)
    assert done.codes == ["USER_UNKNOWN"] or done.codes == ["AUTH_ERR"], done
    assert done.said == "", done


def binds(ad, name, password):
    """What the directory itself says of a password."""
    return subprocess.run(
        ["ldapsearch", "-x", "-D", f"{name}@{samba.REALM}", "-w", password,
         "-H", f"ldaps://{ad.first.ip}", "-b", "", "-s", "base", "dn"],
        env={**os.environ, "LDAPTLS_CACERT": str(ad.ca)}, capture_output=True,
        check=False).returncode == 0


def test_former_password(host, corp):
    """The directory binds it for an hour, and this host has replaced it."""
    name = person(host, corp)
    old = PASSWORD
    for history, new in ("0", NEW), ("5", "third-Passw0rd-0f-them"):
        host.configure(password={"history": history})
        fall_back(host, corp)
        done = change(host, name, old, new, new)
        assert done.codes == ["SUCCESS"], (done, host.log.all())
        demanded(host, corp)
        assert binds(corp, name, old)
        done = log_in(host, name, old)
        assert done.codes[0] == "AUTH_ERR", (done, host.log.all())
        assert log_in(host, name, new).codes == ["SUCCESS", "SUCCESS"]
        old = new


def test_history_is_no_rule(host, corp):
    """What is remembered for this is not refused here as a new password: the
    domain is asked, and refuses it."""
    name = person(host, corp)
    host.configure(password={"history": "0", "min_length": "8"})
    fall_back(host, corp)
    assert change(host, name, PASSWORD, NEW, NEW).codes == ["SUCCESS"]
    done = change(host, name, NEW, PASSWORD, PASSWORD)
    assert "password history" in done.said, (done, host.log.all())
