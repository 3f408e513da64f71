"""Active Directory with two domain controllers that replicate, or do not.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

import samba
from samba import PASSWORD, user_dn
from scratch import ETC, wait_until
from test_ad import (MACHINE, NEW, change, configure, forced, log_in,
                     must_change, person, wrong)


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
    domain.replicate()
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


def both_know_of_change(domain, name):
    second = domain.controllers[1]
    domain.replicate()
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
