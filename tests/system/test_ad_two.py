"""Active Directory with two domain controllers that replicate, or do not.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import shutil

import pytest

import samba
from samba import PASSWORD, user_dn
from scratch import ETC, RUN, wait_until
from test_ad import (MACHINE, NEW, by_key, change, configure, forced, log_in,
                     must_change, person, wrong)

SECONDS = 12  # of a test, about


@pytest.fixture(scope="module")
def ad(the_host):
    with samba.domain(the_host, 2) as made:
        made.computer("client", MACHINE)
        made.replicate()
        yield made


@pytest.fixture
def corp(ad, host):
    ad.configure_host()
    return ad


def uris(domain, *order):
    return " ".join(domain.controllers[at - 1].uri for at in order)


def both_know(domain, name):
    domain.pull("dc2", "dc1")
    wait_until(lambda: domain.has_password(name, PASSWORD,
                                           domain.controllers[1]), 20,
               "replication")


def counts(domain, name):
    return [controller.bad_passwords(name)
            for controller in domain.controllers]


def test_one_count_on_one(host, corp):
    name = person(host, corp)
    both_know(corp, name)
    configure(host, corp, uri=uris(corp, 2, 1))
    assert wrong(host, name).codes == ["AUTH_ERR"]
    assert counts(corp, name) == [0, 1]


def test_the_other_when_one_is_away(host, corp):
    name = person(host, corp)
    both_know(corp, name)
    configure(host, corp, uri=uris(corp, 1, 2), timeout="10s")
    # Its DNS is away, too.
    (ETC / "hosts").write_text((ETC / "hosts").read_text() + corp.hosts())
    corp.first.pause()
    try:
        done = log_in(host, name)
        assert done.codes == ["SUCCESS", "SUCCESS"], (done.times,
                                                      host.log.all())
    finally:
        corp.first.resume()


@pytest.mark.parametrize("first", [1, 2])
def test_changed_and_not_replicated(host, corp, first):
    """The controller that made the change is asked first afterwards, whatever
    the order is: the new password logs in, and the old one does not."""
    name = person(host, corp)
    both_know(corp, name)
    other = 3 - first
    configure(host, corp, uri=uris(corp, first, other))
    with corp.cut():
        done = change(host, name, PASSWORD, NEW, NEW)
        assert done.codes == ["SUCCESS"], (done, host.log.all())
        assert corp.has_password(name, NEW, corp.controllers[first - 1])
        assert corp.has_password(name, PASSWORD, corp.controllers[other - 1])
        configure(host, corp, uri=uris(corp, other, first))
        assert log_in(host, name, NEW).codes == ["SUCCESS", "SUCCESS"], \
            host.log.all()
        assert log_in(host, name).codes[0] == "AUTH_ERR"


def test_forced_change_and_not_replicated(host, corp):
    """Nobody is asked for one more change by the controller that lags."""
    name = person(host, corp)
    must_change(corp, name)
    both_know_of_change(corp, name)
    configure(host, corp, uri=uris(corp, 1, 2))
    with corp.cut():
        done = forced(host, name, PASSWORD, NEW, NEW)
        assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
            done, host.log.all())
        configure(host, corp, uri=uris(corp, 2, 1))
        assert log_in(host, name, NEW).codes == ["SUCCESS", "SUCCESS"]


def guess(domain, name, controller, times):
    for _ in range(times):
        assert not domain.has_password(name, "wrong", controller)


def test_lockouts_are_replicated(host, corp):
    """Wrong passwords are not; the lockout is, and so is its end."""
    name, (first, second) = person(host, corp), corp.controllers
    both_know(corp, name)
    dn = user_dn(name)
    guess(corp, name, first, 2)
    guess(corp, name, second, 2)
    configure(host, corp, uri=uris(corp, 1))
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]
    guess(corp, name, second, 1)
    corp.pull("dc1", "dc2")
    wait_until(lambda: first.number_of(dn, "lockoutTime") != 0, 20,
               "replication")
    assert by_key(host, name).codes == ["PERM_DENIED"]
    assert log_in(host, name).codes[0] == "AUTH_ERR"
    first.modify(dn, lockoutTime=0)
    both_know(corp, name)
    configure(host, corp, uri=uris(corp, 2))
    assert by_key(host, name).codes == ["SUCCESS"]


def rotate(host, *options):
    done = host.run("selfresetctl", "rotate", *options, "corp")
    assert done.returncode == 0, (done, host.log.all())


def does_not_rotate(host, because):
    for options in (), ("--dry-run",):
        done = host.run("selfresetctl", "rotate", *options, "corp")
        assert done.returncode != 0 and because in done.stderr, done


def test_rotated_and_not_replicated(host, corp):
    """Each takes the keys that it knows; a second rotation goes to where the
    first one went.  Where that cannot be asked there is none, since the domain
    would keep one of two changes, and no rule says which."""
    place, name, (first, second) = RUN / "of-two", person(host, corp), \
        corp.controllers
    place.mkdir(mode=0o700)
    dn = corp.computer("rotating", MACHINE)
    keytab = corp.keytab(place / "host.keytab", "rotating", MACHINE)
    both_know(corp, name)

    def ask(*order):
        configure(host, corp, uri=uris(corp, *order), keytab=keytab,
                  bind_secret="managed")

    def are_let_in(*orders):
        for order in orders:
            ask(*order)
            done = log_in(host, name)
            assert done.codes == ["SUCCESS", "SUCCESS"], (order, done)

    ask(1, 2)
    with corp.cut():
        rotate(host)
        assert [first.number_of(dn, "msDS-KeyVersionNumber"),
                second.number_of(dn, "msDS-KeyVersionNumber")] == [2, 1]
        are_let_in((1, 2), (2, 1))
        assert second.number_of(dn, "badPwdCount") == 0
        are_let_in((2,), (2,))
        assert second.number_of(dn, "badPwdCount") <= 1
        ask(2, 1)
        rotate(host)
        assert corp.kvno(dn) == 3
        are_let_in((1,))
    both_know(corp, name)
    are_let_in((1, 2), (2, 1))
    ask(1)
    with corp.cut():
        rotate(host)
        ask(2)
        before = keytab.read_bytes()
        does_not_rotate(host, "does not have the newest keys")
        assert keytab.read_bytes() == before
        assert list(place.iterdir()) == [keytab]
        are_let_in((2,))
    corp.replicate()
    are_let_in((1, 2), (2, 1))
    rotate(host)
    are_let_in((2, 1))
    corp.replicate()
    shutil.rmtree(place)


def test_rotated_password_and_not_replicated(host, corp):
    """The controller that has the new password of the service account is asked
    first: it has no other one to tell the others."""
    secret, name = RUN / "secret-of-two", person(host, corp)
    corp.user("service-of-two")
    both_know(corp, name)
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    how = {"identity": "simple", "bind_secret": "managed",
           "secret_file": secret, "bind_dn": user_dn("service-of-two")}
    configure(host, corp, uri=uris(corp, 1, 2), **how)
    with corp.cut():
        rotate(host)
        configure(host, corp, uri=uris(corp, 2, 1), **how)
        for _ in range(4):
            assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"], \
                host.log.all()
        assert counts(corp, "service-of-two") == [0, 0]


def both_know_of_change(domain, name):
    second = domain.controllers[1]
    domain.pull("dc2", "dc1")
    wait_until(lambda: second.ldap(
        "ldapsearch", "-b", user_dn(name), "-s", "base").returncode == 0 and
        second.number_of(user_dn(name), "pwdLastSet") == 0, 20, "replication")


def test_asked_of_the_pdc(host, corp):
    """The controller of the change is not in the list any more: its refusal by
    the other one counts nothing, for the PDC emulator knows better."""
    name = person(host, corp)
    both_know(corp, name)
    host.configure(lockout={"attempts": 2})
    configure(host, corp, uri=uris(corp, 1, 2))
    with corp.cut():
        assert change(host, name, PASSWORD, NEW, NEW).codes == ["SUCCESS"]
        configure(host, corp, uri=uris(corp, 2))
        for _ in range(3):
            assert log_in(host, name, NEW).codes[0] == "SUCCESS", \
                host.log.all()
    assert log_in(host, name, "wrong").codes[0] == "AUTH_ERR"
