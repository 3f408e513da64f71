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
                     must_change, person, wrong)
from test_ad_bind import binds, demanded, fall_back
from test_reset import (NUMBER, Flow, Gateway, Person, events, is_away_for,
                        reset)
from test_reset_ldap import by_ticket

HOUR = 3600
THIRD = "third-Passw0rd-0f-them"
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
    assert change(host, name, NEW, THIRD, THIRD).codes == ["SUCCESS"]
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

def by_temporary(host, corp, name):
    password, _ = temporary(host, name)
    corp.first.modify(user_dn(name), pwdLastSet=-1)
    return password


def by_the_owner(host, corp, name):
    flow = by_ticket(host, name).answer(NEW, NEW)
    assert flow.end == 0, flow.text
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


# ---- self-service reset, by the same identity

@pytest.mark.parametrize("state", ["must-change", "temporary", "locked"])
def test_reset(host, corp, state):
    """The new password is proved by a real login; the demand for a change and
    the domain's lock are ended by it."""
    name = person(host, corp)
    if state == "must-change":
        must_change(corp, name)
    elif state == "temporary":
        temporary(host, name)
    else:
        for _ in range(3):
            assert not corp.has_password(name, "wrong")
    flow = by_ticket(host, name)
    if state == "locked":
        assert "is locked" in flow.said, flow.text
        flow.answer("2")
    host.log.lines.clear()
    flow.answer(NEW, NEW)
    assert flow.end == 0 and "changed and checked" in flow.said, (
        flow.text, host.log.all())
    assert corp.has_password(name, NEW)
    assert not corp.has_password(name, PASSWORD)
    assert log_in(host, name, NEW).codes == ["SUCCESS", "SUCCESS"]
    assert len(events(host, "SR-1002")) == 1
    # Samba's controllers do not apply the history, which is told.
    assert events(host, "SR-3021")


def test_reset_unlocks_and_keeps_the_password(host, corp):
    name = person(host, corp)
    for _ in range(3):
        assert not corp.has_password(name, "wrong")
    flow = by_ticket(host, name).answer("1")
    assert flow.end == 0 and "is unlocked" in flow.said, flow.text
    assert corp.first.number_of(user_dn(name), "lockoutTime") == 0
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]
    assert events(host, "SR-1023") and not events(host, "SR-1002")


def test_reset_of_an_administrator(host, ad, corp):
    """Whatever the rights of the identity: no proof is accepted, and it looks
    as for any name; a ticket is not issued, and says why."""
    ad.allow(USERS, CLIENT, "(A;CI;GA;;;SID)")
    name = person(host, corp)
    flow = by_ticket(host, name, until=lambda: ad.first.modify(
        f"CN=Domain Admins,{USERS}", "add", member=user_dn(name)))
    assert "Not accepted." in flow.text and "Accepted." not in flow.text
    flow.leave()
    assert "SR-3014" in events(host, "SR-2004")[0], host.log.all()
    done = host.run("selfresetctl", "ticket", name)
    assert done.returncode == REFUSED and "SR-3014" in done.stderr
    assert ad.has_password(name, PASSWORD)


def test_reset_and_the_minimum_age(host, corp):
    name = person(host, corp)
    corp.first.modify(BASE, minPwdAge=-DAY * 10**7)
    try:
        flow = by_ticket(host, name)
        assert flow.end == 1 and "can be changed again" in flow.said
        host.configure(reset={"min_age": "allow"})
        flow = by_ticket(host, name).answer(NEW, NEW)
        assert flow.end == 0, flow.text
        assert corp.has_password(name, NEW)
    finally:
        corp.first.modify(BASE, minPwdAge=0)


def test_the_domain_s_number_is_proposed(host, corp):
    name = person(host, corp)
    corp.first.modify(user_dn(name), mobile="+49 151 23456789")
    Gateway(host, "sms", enable="yes")
    uid = host.run("id", "-u", name).stdout.strip()
    flow = Flow(host, "enroll", f"--uid={uid}").answer(PASSWORD)
    Person.choose(None, flow, "by SMS")
    assert f"The directory has {NUMBER}." in flow.said, flow.text
    flow.leave()


def test_reset_obeys_the_domain(host, corp):
    """What the domain refuses is asked anew; the history is demanded by
    default, which Samba cannot."""
    name = person(host, corp)
    flow = by_ticket(host, name)
    flow.answer("all lower case words", "all lower case words")
    assert flow.end is None and "New password" in flow.asked, flow.text
    flow.answer(NEW, NEW)
    assert flow.end == 0, flow.text
    configure(host, corp, reset_history="yes")
    flow = by_ticket(host, name).answer(THIRD, THIRD)
    assert flow.end == 1 and "Nothing was changed." in flow.text, flow.text
    assert "reset_history" not in flow.said, flow.text  # that is for the log
    assert "reset_history" in " ".join(host.log.all())
    assert corp.has_password(name, NEW)


def test_reset_without_the_right(host, corp):
    """Nothing is changed, and the log says what is missing."""
    name = person(host, corp)
    corp.computer("other", MACHINE)
    flow = by_ticket(host, name, until=lambda: configure(
        host, corp, reset_history="no", keytab=corp.keytab(
            corp.dir / "other.keytab", "other", MACHINE)))
    flow.answer(NEW, NEW)
    assert flow.end == 1 and "Nothing was changed." in flow.text, flow.text
    assert corp.has_password(name, PASSWORD)
    assert "insufficient access" in " ".join(host.log.all()).lower()


def test_reset_while_the_controller_dies(host, corp):
    """Before the first proof, and between the last one and the password."""
    name = person(host, corp)
    begun = by_ticket(host, name)
    corp.first.stop()
    try:
        assert is_away_for(host, name)
        begun.answer(NEW, NEW)
        assert begun.end == 1 and "changed and checked" not in begun.said
    finally:
        corp.first.start()
    assert corp.has_password(name, PASSWORD)
    assert events(host, "SR-1003") and not events(host, "SR-1002")
