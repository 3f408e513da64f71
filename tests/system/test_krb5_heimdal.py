"""Accounts whose password a KDC of Heimdal knows.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

import kerberos
from kerberos import Heimdal
from test_krb5 import (HOST, NEW, OLD, by_key, change, forced, log_in, serve, wrong)
from test_krb5_check import WARNINGS, check
from test_reset import events
from test_reset_ldap import FRESH, by_ticket


@pytest.fixture
def kdc(host):
    if kerberos.heimdal_root(host) is None:
        pytest.skip("no KDC of Heimdal is unpacked")
    return Heimdal(host)


@pytest.mark.parametrize("fast", ["try", "demand", "never"])
def test_right_and_wrong(host, kdc, fast):
    serve(host, kdc, fast=fast)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    done = wrong(host)
    assert done.codes == ["AUTH_ERR"] and done.said == ""


def test_states(host, kdc):
    """Told only to the right password: a login by key is let in, unless an
    unknown state is not."""
    serve(host, kdc)
    kdc.modify("ann", "--attributes=+disallow-all-tix")
    assert log_in(host).codes[0] == "AUTH_ERR"
    assert by_key(host).codes[0] in ("SUCCESS", "PERM_DENIED")
    host.configure(backend_corp={"unknown": "deny"})
    assert by_key(host).codes[0] in ("AUTHINFO_UNAVAIL", "PERM_DENIED")


def test_change(host, kdc):
    """By one datagram."""
    serve(host, kdc)
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"


def test_forced_change(host, kdc):
    serve(host, kdc)
    kdc.modify("ann", "--pw-expiration-time=2020-01-01")
    done = forced(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


def test_check(host, kdc):
    serve(host, kdc)
    code, found, text = check(host)
    assert code == WARNINGS and "unknown = deny" in " ".join(text.split()), text
    assert found["tells_states"] is False
    host.configure(backend_corp={"unknown": "deny"})
    code, found, text = check(host)
    assert code == 0, text
    assert found["key_1"]["ticket_decrypted"] and found["fast"] is True


@pytest.mark.parametrize("may", [True, False])
def test_reset(host, kdc, may):
    """Kpasswdd reads its list of rights for each request."""
    serve(host, kdc)
    kdc.modify("ann", "--attributes=+requires-pw-change")
    acl = kdc.dir / "acl"
    acl.write_text(f"{HOST}@{kerberos.REALM} cpw ann@{kerberos.REALM}\n")
    flow = by_ticket(host, "ann",
                     until=lambda: may or acl.write_text(""))
    flow.answer(FRESH, FRESH)
    if may:
        assert flow.end == 0 and "changed and checked" in flow.said, (
            flow.text, host.log.all())
        assert log_in(host, FRESH).codes == ["SUCCESS", "SUCCESS"]
    else:
        assert "Nothing was changed" in flow.text, (flow.text, host.log.all())
        assert not events(host, "SR-1002")
        assert log_in(host, FRESH).codes[0] == "AUTH_ERR"
