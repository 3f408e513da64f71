"""The domain controllers of the tests are what the tests take them for.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import time

import pytest

import samba
from samba import PASSWORD, user_dn
from scratch import DAY, wait_until


@pytest.fixture(scope="class")
def ad(the_host):
    with samba.domain(the_host) as made:
        yield made


class TestOne:
    def test_user(self, ad):
        ad.user("ann")
        assert ad.has_password("ann", PASSWORD)
        assert ad.first.bad_passwords("ann") == 0
        assert not ad.has_password("ann", "wrong")
        assert ad.first.bad_passwords("ann") == 1
        ad.set_password(user_dn("ann"), "Other-Passw0rd")
        assert ad.has_password("ann", "Other-Passw0rd")

    def test_stamps(self, ad):
        """Written below the directory, they are what it says at once."""
        ad.user("ben", must_change=True)
        before = ad.first.read(user_dn("ben"), "replPropertyMetaData")
        ad.first.set_stamps(user_dn("ben"), 25 * 3600, samba.UNICODE_PWD,
                            samba.PWD_LAST_SET)
        after = ad.first.read(user_dn("ben"), "replPropertyMetaData")
        assert after != before
        then = samba.filetime(time.time() - 60 * DAY)
        ad.first.write_below(user_dn("ben"), pwdLastSet=then)
        assert ad.first.number_of(user_dn("ben"), "pwdLastSet") == then

    def test_computer(self, ad, host):
        ad.configure_host()
        ad.computer("client", "Host-Passw0rd")
        keytab = ad.keytab(ad.dir / "client.keytab", "client", "Host-Passw0rd")
        listed = ad.run("net", "ads", "keytab", "list", keytab, "-s",
                        ad.first.conf)
        assert "CLIENT$" in listed and f"host/client.{samba.DNS}" in listed
        done = host.run("ldapsearch", "-LLL", "-x", "-b", "", "-s", "base", "-H",
                        f"ldaps://dc1.{samba.DNS}", "dnsHostName",
                        env={"PATH": "/usr/bin", "LDAPTLS_CACERT": str(ad.ca)})
        assert f"dc1.{samba.DNS}" in done.stdout, done  # by the domain's DNS


def test_two(the_host):
    """A change comes to the other one, but not while they are cut, and one that
    is stopped or paused takes nothing from the other."""
    with samba.domain(the_host, 2) as ad:
        first, second = ad.controllers
        ad.user("ann")
        wait_until(lambda: ad.has_password("ann", PASSWORD, second), 20,
                   "replication")
        with ad.cut():
            ad.set_password(user_dn("ann"), "Other-Passw0rd")
            assert ad.has_password("ann", "Other-Passw0rd", first)
            assert ad.has_password("ann", PASSWORD, second)
        ad.replicate()
        assert ad.has_password("ann", "Other-Passw0rd", second)
        first.pause()
        assert ad.has_password("ann", "Other-Passw0rd", second)
        first.stop()
        assert ad.has_password("ann", "Other-Passw0rd", second)
