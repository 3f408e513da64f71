"""The first use of libldap in a process, which must neither take long nor ask
anybody.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import socket

import pytest

import directory
from directory import CERTS
from scratch import ETC
from test_ldap import OLD, PEER, UID, log_in, serve

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")


@pytest.fixture
def silent_name_server():
    """One that hears everything and says nothing; no file knows this host."""
    address = "127.41.7.54"
    kept = {name: (ETC / name).read_text() for name in ("hosts", "resolv.conf")}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        server.setblocking(False)
        (ETC / "hosts").write_text("127.0.0.1 localhost\n")
        (ETC / "resolv.conf").write_text(
            f"nameserver {address}\noptions timeout:1 attempts:1\n")
        try:
            yield server
        finally:
            for name, text in kept.items():
                (ETC / name).write_text(text)


def was_asked(server):
    try:
        server.recv(512)
    except BlockingIOError:
        return False
    return True


def test_nobody_is_asked_who_this_host_is(host, silent_name_server):
    serve(host)
    host.nsswitch(hosts="files dns")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert not was_asked(silent_name_server)
    host.run("getent", "hosts", "elsewhere.example.org")
    assert was_asked(silent_name_server), "the test itself"


def test_no_mechanism_is_loaded(host):
    serve(host, server={"certificate_file": directory.certificate("good")},
          config={"ca_file": CERTS / "ca.pem"})
    done = host.drive("probe", "ann", "auth", "acct", "maps", answers=[OLD],
                      rhost=PEER)
    assert done.codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert "libsasl2" in done.output
    assert "/sasl2/" not in done.output


def test_set_user_id_program(host):
    """libsasl2 takes nothing from such a program's environment."""
    serve(host)
    done = host.drive("probe", "ann", "auth", "maps", answers=[OLD],
                      real_uid=UID)
    assert done.codes == ["SUCCESS"], host.log.all()
    assert "/sasl2/" not in done.output
