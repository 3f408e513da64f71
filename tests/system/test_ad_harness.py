"""The domain controllers of the tests are what the tests take them for; and one
that takes no changes.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import time

import pytest

import samba
from samba import PASSWORD, user_dn
from scratch import DAY, RUN, RUNDIR, wait_until
from test_ad import MACHINE, NEW, change, configure, log_in, person

SECONDS = 25  # of a test, about


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


def join_read_only(made):
    """A second controller that takes no changes; what is in the domain by then
    is there."""
    first, second = made.controllers
    made.run("samba-tool", "domain", "join", samba.DNS, "RODC", "-s",
             made.dir / "empty.conf", *made.as_administrator(),
             f"--server={first.name}", f"--realm={samba.REALM}",
             f"--targetdir={second.dir}", "--dns-backend=SAMBA_INTERNAL",
             "--option=netbios name=DC2",
             f"--option=interfaces={second.ip}/8",
             "--option=bind interfaces only=yes")
    second.configure()
    made.dns_update(samba.DNS, ("add", "dc2", "A", second.ip))
    first.modify(f"CN=DC2,OU=Domain Controllers,{samba.BASE}", "add",
                 servicePrincipalName=[f"ldap/{second.name}", "ldap/dc2"])
    second.start()
    made.run("samba-tool", "drs", "replicate", "dc2", "dc1", samba.BASE,
             "--local", "-s", second.conf, *made.as_administrator())


@pytest.fixture
def read_only(host, the_host):
    """The second of two takes no changes; someone is `made.name`."""
    RUNDIR.mkdir(exist_ok=True, mode=0o700)
    place = RUN / "read-only"
    samba.copy_domain(samba.template(the_host, 1), place)
    made = samba.Domain(the_host, 2, directory=place)
    try:
        made.first.start()
        made.computer("client", MACHINE)
        made.delegate_resets(samba.computer_dn("client"))
        made.configure_host()
        made.name = person(host, made)
        join_read_only(made)
        yield made
    finally:
        made.end()


def test_read_only_controller(host, read_only):
    """It is asked; what it does not take goes to another one, or is told."""
    made, name = read_only, read_only.name
    first, second = made.controllers
    configure(host, made, uri=f"{second.uri} {first.uri}", timeout="10s")
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    done = host.run("selfresetctl", "must-change", name)
    assert done.returncode == 0, done
    assert first.number_of(samba.user_dn(name), "pwdLastSet") == 0
    first.modify(samba.user_dn(name), pwdLastSet=-1)
    done = change(host, name, samba.PASSWORD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert made.has_password(name, NEW)
    assert log_in(host, name, NEW).codes == ["SUCCESS", "SUCCESS"]
    configure(host, made, uri=second.uri, timeout="10s")
    done = host.run("selfresetctl", "must-change", name)
    assert done.returncode == 9, done
    assert 'No server of "uri" takes changes' in " ".join(done.stderr.split())
