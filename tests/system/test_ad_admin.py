"""selfresetctl and accounts of Active Directory: unlock, must-change and
temporary passwords, as an identity with delegated rights.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import time

import pytest

import samba
from samba import BASE, DONT_EXPIRE, NORMAL, PASSWORD, USERS, user_dn
from scratch import DAY
from test_ad import (MACHINE, NEW, PEER, by_key, change, configure, log_in,
                     person, uid_of, wrong)
from test_ad_bind import binds, demanded, fall_back
from test_reset import Person, app_code, reset

HOUR = 3600
REFUSED, CLIENT = 9, samba.computer_dn("client")


@pytest.fixture(scope="module")
def ad(the_host):
    with samba.domain(the_host) as made:
        made.computer("client", MACHINE)
        made.delegate_resets(CLIENT)
        yield made


@pytest.fixture
def corp(ad, host):
    configure(host, ad, reset_history="no")
    ad.configure_host()
    return ad


def temporary(host, name, code=0):
    done = host.run("selfresetctl", "temporary", name)
    assert done.returncode == code, (done, host.log.all())
    return done.stdout.strip(), " ".join(done.stderr.split())


def test_temporary(host, corp):
    """It has to be changed, ends by itself, and is changed as any other."""
    name = person(host, corp)
    password, text = temporary(host, name)
    assert "only once" in text and "valid until" in text
    assert host.log.with_text("SR-3021")
    assert log_in(host, name).codes[0] == "AUTH_ERR"
    done = log_in(host, name, password)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD"], done
    assert "temporary" in done.said
    done = host.drive("probe", name, "auth", "acct", "change-expired",
                      answers=[password, NEW, NEW], rhost=PEER)
    assert done.codes[-1] == "SUCCESS", f"{done} {host.log.all()}"
    assert corp.has_password(name, NEW)
    assert log_in(host, name, NEW).codes == ["SUCCESS", "SUCCESS"]


def test_history(host, corp):
    """Samba's controllers do not apply it, so that is not done unasked."""
    configure(host, corp, reset_history="yes")
    name = person(host, corp)
    _, text = temporary(host, name, REFUSED)
    assert "reset_history" in text and "Nothing was done" in text, text
    assert corp.has_password(name, PASSWORD)
    assert not host.log.with_text("SR-3021")


def age(corp, name, hours):
    corp.first.set_stamps(user_dn(name), hours * HOUR, samba.UNICODE_PWD,
                          samba.PWD_LAST_SET)


def test_age(host, corp):
    """24 hours from the newer of two stamps, which nothing else moves."""
    name = person(host, corp)
    password, _ = temporary(host, name)
    age(corp, name, 23)
    assert log_in(host, name, password).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    for attributes in ({"description": "edited"}, {"lockoutTime": 0}):
        age(corp, name, 25)
        corp.first.modify(user_dn(name), **attributes)
        wrong(host, name)
        assert log_in(host, name, password).codes[0] == "AUTH_ERR"
        assert by_key(host, name).codes == ["AUTHTOK_EXPIRED"]
    # A second one, while the first has not been changed, begins anew.
    password, _ = temporary(host, name)
    corp.first.set_stamps(user_dn(name), 25 * HOUR, samba.PWD_LAST_SET)
    assert log_in(host, name, password).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]


def control(corp, name):
    return corp.first.number_of(user_dn(name), "userAccountControl")


def test_never_expires(host, corp):
    """Such a password need not be changed, so that is taken away, and restored
    after the change."""
    name = person(host, corp, flags=NORMAL | DONT_EXPIRE)
    password, _ = temporary(host, name)
    assert control(corp, name) == NORMAL
    password, _ = temporary(host, name)  # it is not forgotten by a second one
    done = host.drive("probe", name, "auth", "acct", "change-expired",
                      answers=[password, NEW, NEW], rhost=PEER)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert control(corp, name) == NORMAL | DONT_EXPIRE, host.log.all()
    assert host.log.with_text("SR-3026")
    # Once only: what an administrator decides later is not undone.
    corp.first.modify(user_dn(name), userAccountControl=NORMAL)
    third = "third-Passw0rd-0f-them"
    assert change(host, name, NEW, third, third).codes == ["SUCCESS"]
    assert control(corp, name) == NORMAL


def test_never_expires_and_no_demand(host, corp):
    name = person(host, corp, flags=NORMAL | DONT_EXPIRE)
    assert host.run("selfresetctl", "must-change", name).returncode == 0
    assert control(corp, name) == NORMAL
    done = host.run("selfresetctl", "must-change", "--clear", name)
    assert done.returncode == 0, done
    assert control(corp, name) == NORMAL | DONT_EXPIRE, host.log.all()


def test_account_that_ends_earlier(host, corp):
    name = person(host, corp)
    corp.first.modify(user_dn(name), accountExpires=samba.filetime(
        time.time() + HOUR))
    _, text = temporary(host, name)
    assert "ends earlier" in text, text
    corp.first.modify(user_dn(name), accountExpires=samba.filetime(
        time.time() - DAY))
    _, text = temporary(host, name, REFUSED)
    assert "has ended" in text and "Nothing was done" in text


@pytest.mark.parametrize("how", ["member", "nested", "adminCount"])
@pytest.mark.parametrize("order", ["temporary", "must-change", "unlock"])
def test_administrators(host, ad, corp, how, order):
    """Whatever the rights of the identity, which here has all of them."""
    ad.allow(USERS, CLIENT, "(A;CI;GA;;;SID)")
    name = person(host, corp)
    if how == "adminCount":
        ad.first.modify(user_dn(name), adminCount=1)
    else:
        group = f"CN=Domain Admins,{USERS}"
        if how == "nested":
            group = f"CN=nested-{name},{USERS}"
            ad.first.add(group, objectClass="group",
                         sAMAccountName=f"nested-{name}")
            ad.first.modify(f"CN=Domain Admins,{USERS}", "add", member=group)
        ad.first.modify(group, "add", member=user_dn(name))
    if order == "unlock":
        for _ in range(3):
            assert not ad.has_password(name, "wrong")
    before = ad.first.read(user_dn(name), "pwdLastSet", "lockoutTime")
    done = host.run("selfresetctl", order, name)
    assert done.returncode == REFUSED, done
    assert "administrator" in done.stderr, done
    assert ad.first.read(user_dn(name), "pwdLastSet", "lockoutTime") == before
    if order != "unlock":
        assert ad.has_password(name, PASSWORD)


def test_unlock(host, corp):
    name = person(host, corp)
    for _ in range(3):
        assert not corp.has_password(name, "wrong")
    assert log_in(host, name).codes[0] == "AUTH_ERR"
    done = host.run("selfresetctl", "unlock", name)
    assert done.returncode == 0, done
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]


def test_must_change(host, corp):
    name = person(host, corp)
    done = host.run("selfresetctl", "must-change", name)
    assert done.returncode == 0, done
    assert corp.first.number_of(user_dn(name), "pwdLastSet") == 0
    assert log_in(host, name).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    done = host.run("selfresetctl", "must-change", "--clear", name)
    assert done.returncode == 0, done
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]


def test_no_right(host, corp):
    """Of an identity that may read only: nothing is done, and it says why."""
    corp.computer("reader", MACHINE)
    configure(host, corp, reset_history="no", keytab=corp.keytab(
        corp.dir / "reader.keytab", "reader", MACHINE))
    name = person(host, corp)
    for order in ("temporary", "must-change"):
        done = host.run("selfresetctl", order, name)
        assert done.returncode == REFUSED, done
        assert "does not allow the service's identity" in \
            " ".join(done.stderr.split())
    assert corp.has_password(name, PASSWORD)
    assert corp.first.number_of(BASE, "minPwdAge") == 0


# ---- the hour in which the directory binds the password before

class Owner(Person):
    """Of an account of the domain, who has set gates up."""

    def __init__(self, host, name):  # pylint: disable=super-init-not-called
        self.host, self.me, self.password = host, f"--uid={uid_of(name)}", \
            PASSWORD
        self.name, self.codes, self.key = name, [], None
        host.configure(reset={"enable": "yes", "new_gate_wait": "0"})
        self.enroll()

    def reset(self, fresh):
        flow = reset(self.host, self.name)
        self.choose(flow, "recovery codes", self.codes.pop(0))
        self.choose(flow, "authenticator app", app_code(self.key))
        flow.answer(fresh, fresh)
        assert flow.end == 0 and "changed and checked" in flow.said, flow.text


def by_temporary(host, corp, name):
    password, _ = temporary(host, name)
    corp.first.modify(user_dn(name), pwdLastSet=-1)
    return password


def by_the_owner(host, corp, name):
    Owner(host, name).reset(NEW)
    return NEW


@pytest.mark.parametrize("how", [by_temporary, by_the_owner])
def test_replaced_by_a_reset(host, corp, how):
    """It is not known what was replaced: only the new one is taken where a bind
    verifies; or what was set elsewhere since then is not known."""
    name = person(host, corp)
    fall_back(host, corp, reset_history="no")
    password = how(host, corp, name)
    demanded(host, corp)
    assert binds(corp, name, PASSWORD), "the directory still takes it"
    done = log_in(host, name)
    assert done.codes[0] == "AUTH_ERR", (done, host.log.all())
    assert log_in(host, name, password).codes == ["SUCCESS", "SUCCESS"]
    corp.set_password(user_dn(name), "elsewhere-Passw0rd-0f")
    corp.first.write_below(user_dn(name), pwdLastSet=samba.filetime(
        time.time() + HOUR / 2))
    done = log_in(host, name, "elsewhere-Passw0rd-0f")
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert "not known whether" in str(host.log.all()[-3:])
    done = log_in(host, name, "elsewhere-Passw0rd-0f",
                  wrap=["faketime", "-f", f"+{2 * HOUR}s"])
    assert done.codes[0] == "SUCCESS", (done, host.log.all())
