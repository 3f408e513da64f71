"""sshd, login, su and passwd for accounts of Active Directory, and what a
domain controller that is away, stopped or of another clock does to them.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import shutil
import textwrap

import pytest

import samba
from samba import PASSWORD as OLD
from samba import user_dn
from scratch import CONFIG, CONTACT, ETC, RUN
from talk import AGAIN, PASSWORD, Talk
from talk import NEW as NEW_PROMPT
from test_ad import (MACHINE, NEW, PLAIN, STATES, ad, by_key, change,
                     configure, corp, expired, log_in, must_change, person,
                     rules, uid_of)
from test_programs import root_may
from test_secrets import tail

__all__ = ["ad", "corp"]
WHO = "echo in as $(id -un)"
FRESH = "this one will be found by its end: Zk3-of-the-new"


class Caller:
    """A program's caller."""

    def __init__(self, name):
        self.name, self.uid = name, uid_of(name)


def in_state(host, domain, state):
    name = person(host, domain)
    if STATES[state][0]:
        STATES[state][0](domain, name)
    return name


def ssh(host, name, *command, **options):
    return Talk(host.ssh_command(name, *command, **options))


# ---- sshd

@pytest.mark.parametrize("method", ["keyboard-interactive", "password"])
def test_sshd(host, corp, method):
    name = in_state(host, corp, "expiring")
    with ssh(host, name, WHO, method=method) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert f"in as {name}" in shown and "expires in" in shown
    with ssh(host, name, WHO, method=method) as talk:
        talk.answer(PASSWORD, "no")
        assert f"in as {name}" not in talk.rest()
    assert corp.first.bad_passwords(name) == 1


@pytest.mark.parametrize("state", ["disabled", "ended", "out-of-hours",
                                   "off-workstation",
                                   "must-change, out-of-hours"])
def test_sshd_refused(host, corp, state):
    """The right password is told why, a wrong one nothing."""
    name = in_state(host, corp, state)
    word = STATES[state][3]
    with ssh(host, name, WHO) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
        assert word in " ".join(shown.split()), shown
        assert f"in as {name}" not in shown and "locked" not in shown
    with ssh(host, name, WHO) as talk:
        talk.answer(PASSWORD, "no")
        assert word not in " ".join(talk.rest().split())


@pytest.mark.parametrize("state", ["expired", "must-change"])
def test_sshd_forced_change(host, corp, state):
    """With a refusal by the server in the same dialogue."""
    name = in_state(host, corp, state)
    with rules(corp, minPwdLength=18):
        with ssh(host, name, WHO) as talk:
            talk.answer(PASSWORD, OLD)
            assert "at least 18 characters" in talk.answer(
                NEW_PROMPT, "only small letters and blanks")
            talk.answer(AGAIN, "only small letters and blanks")
            assert "complexity" in talk.answer(NEW_PROMPT, NEW)
            talk.answer(AGAIN, NEW)
            assert f"in as {name}" in talk.rest()
    assert corp.has_password(name, NEW)


# What each state comes to by key: the peers let in those that are locked, out
# of hours, expired or to be changed.
@pytest.mark.parametrize("state", PLAIN)
def test_sshd_by_key(host, corp, state):
    answer, word = STATES[state][2], STATES[state][4]
    name = in_state(host, corp, state)
    host.give_key(name)
    with ssh(host, name, WHO, method="publickey") as talk:
        shown = talk.rest()
    assert (f"in as {name}" in shown) == (answer == "SUCCESS"), shown
    assert word in " ".join(shown.split()), shown


# ---- login, su, passwd

def test_login(host, corp):
    name = in_state(host, corp, "must-change")
    with Talk(["login", name]) as talk:
        talk.answer(PASSWORD, OLD)
        assert f"in as {name}" in talk.change(NEW)
    assert corp.has_password(name, NEW)


def test_su(host, corp):
    bob = host.add("bob")
    name = in_state(host, corp, "expired")
    with Talk(["su", name, "-c", WHO], user=bob) as talk:
        talk.answer(PASSWORD, OLD)
        assert f"in as {name}" in talk.change(NEW)
    assert corp.has_password(name, NEW)


@pytest.mark.parametrize("state", ["disabled", "locked", "out-of-hours"])
def test_su_by_root(host, corp, state):
    name = in_state(host, corp, state)
    root_may(host, "su")
    with Talk(["su", name, "-c", WHO]) as talk:
        assert STATES[state][4] in " ".join(talk.rest().split())


def test_passwd(host, corp):
    name = person(host, corp)
    with Talk(["passwd"], user=Caller(name)) as talk:
        shown = talk.change(NEW, OLD)
        assert talk.status == 0, shown
    assert corp.has_password(name, NEW)


def test_must_log_on_in_a_session(host, corp):
    """The domain's rule is met by who is logged on, and by nobody else."""
    name = person(host, corp)
    with rules(corp, pwdProperties=3):
        with Talk(["passwd"], user=Caller(name)) as talk:
            assert CONTACT in talk.rest() and talk.status != 0
        with ssh(host, name, "passwd", tty=True) as talk:
            talk.answer(PASSWORD, OLD)
            talk.change(NEW, OLD)
    assert corp.has_password(name, NEW)


# ---- controllers that are away

def test_dead(host, corp):
    name = person(host, corp)
    corp.first.stop()
    try:
        for done in (log_in(host, name), by_key(host, name)):
            assert set(done.codes) == {"AUTHINFO_UNAVAIL"}, done
            assert "cannot be read now" in done.said, done
        assert change(host, name, OLD, NEW, NEW).codes == ["TRY_AGAIN"]
    finally:
        corp.first.start()


def test_hung(host, corp):
    """Each login ends at its deadline."""
    name = person(host, corp)
    configure(host, corp, timeout="2s")
    log_in(host, name)
    corp.first.pause()
    try:
        for done in (log_in(host, name), by_key(host, name)):
            assert set(done.codes) == {"AUTHINFO_UNAVAIL"}, done
            assert max(done.times) < 3.9e9, done.times
    finally:
        corp.first.resume()


def test_hung_beside_a_good_one(host, corp):
    name = person(host, corp)
    configure(host, corp, timeout="4s",
              uri=f"ldaps://127.0.0.99 {corp.first.uri}")
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]


def test_by_dns(host, corp):
    """Controllers that DNS names, those of a site that is not there first."""
    name = person(host, corp)
    configure(host, corp, uri=None, site="Nowhere")
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    configure(host, corp, uri=None, site="Default-First-Site-Name")
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    (RUN / "resolv").write_text("")
    configure(host, corp, uri=None, realm="OTHER.TEST")
    done = log_in(host, name)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", done


def test_as_the_readme_says(host, corp):
    """Word by word, but for the realm: the host's own keytab, controllers by
    DNS, certificates of the system."""
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
    block = readme.split("Accounts of Active Directory", 1)[1].split(
        "    [selfreset]\n", 1)[1].split("\n\n", 1)[0]
    CONFIG.write_text("[selfreset]\n" + textwrap.dedent(block).replace(
        "EXAMPLE.ORG", samba.REALM))
    shutil.copy(corp.keytab(RUN / "own.keytab", "client", MACHINE),
                ETC / "krb5.keytab")
    authorities = ETC / "ssl/certs/ca-certificates.crt"
    known = authorities.read_text() if authorities.exists() else ""
    authorities.parent.mkdir(parents=True, exist_ok=True)
    authorities.write_text(known + corp.ca.read_text())
    try:
        name = in_state(host, corp, "disabled")
        done = host.drive("probe", name, "auth", answers=[OLD])
        assert done.codes == ["ACCT_EXPIRED"] and "disabled" in done.said, (
            done, host.log.all())
        name = person(host, corp)
        assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]
    finally:
        authorities.write_text(known)
        (ETC / "krb5.keytab").unlink()


# ---- this host's own trouble

def test_no_keytab(host, corp):
    name = person(host, corp)
    configure(host, corp, keytab=RUN / "missing.keytab")
    done = log_in(host, name)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert "This computer" in done.said and CONTACT in done.said, done
    assert corp.first.bad_passwords(name) == 0


def test_stale_keytab(host, corp):
    name = person(host, corp)
    configure(host, corp, keytab=corp.keytab(
        RUN / "stale.keytab", "client", "Another-Secret-9"))
    done = log_in(host, name)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert "This computer" in done.said and CONTACT in done.said, done
    assert corp.first.bad_passwords(name) == 0


@pytest.mark.parametrize("fast", ["demand", "never"])
def test_fast(host, corp, fast):
    name, other = person(host, corp), person(host, corp)
    configure(host, corp, fast=fast)
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    must_change(corp, other)
    assert log_in(host, other).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"], \
        host.log.all()


def test_simple_identity(host, corp):
    """A service account reads over TLS."""
    name = person(host, corp)
    service = person(host, corp, flags=samba.NORMAL | samba.DONT_EXPIRE)
    secret = RUN / "secret"
    secret.write_text(OLD)
    secret.chmod(0o600)
    configure(host, corp, identity="simple", secret_file=secret,
              bind_dn=user_dn(service))
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    expired(corp, name)
    assert log_in(host, name).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]


# ---- secrets

@pytest.mark.parametrize("marker", [OLD, FRESH], ids=["old", "new"])
def test_memory(host, corp, marker):
    name = person(host, corp)
    must_change(corp, name)
    done = host.drive("probe", name, "auth", "acct", "change-expired",
                      "search", answers=[OLD, FRESH, FRESH], find=tail(marker))
    assert done.codes[-1] == "SUCCESS", done
    assert done.rest("searched") == ["clean"], done
    text = "\n".join(map(str, host.log.all()))
    assert OLD not in text and FRESH not in text
