"""Accounts in a directory: OpenLDAP with ppolicy, and plain RFC 2307.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

import directory
from directory import (BASE, FOR_GOOD, PEOPLE, POLICY, SECRET_FILE, SERVICE,
                       SERVICE_SECRET, Slapd, dn_of, stamp, user)
from scratch import CONTACT

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

OLD = "correct horse battery"
NEW = "an umbrella for rainy days"
PEER = "192.0.2.7"
UID = 7001
DAY = 86400


def secret_file(text=SERVICE_SECRET, mode=0o600):
    SECRET_FILE.unlink(missing_ok=True)
    SECRET_FILE.write_text(text + "\n")
    SECRET_FILE.chmod(mode)


def configure(host, server, **more):
    """The host asks its own accounts and then the directory."""
    secret_file()
    keys = {"uri": server.uri if hasattr(server, "uri") else server,
            "base": PEOPLE, "identity": "simple", "bind_dn": SERVICE,
            "secret_file": SECRET_FILE, "default_policy": POLICY, **more}
    host.configure(selfreset={"backends": "local corp"},
                   backend_corp={key: value for key, value in keys.items()
                                 if value is not None})


def serve(host, policy=None, password=OLD, config=None, server=None, **user_fields):
    """A directory with ann in it."""
    made = Slapd(host, [user("ann", UID, password, **user_fields)],
                 policies={"policy": policy or {}}, **(server or {}))
    configure(host, made, **(config or {}))
    host.add_elsewhere("ann", UID)
    return made


def log_in(host, password=OLD, **options):
    return host.drive("probe", "ann", "auth", "acct", answers=[password],
                      rhost=PEER, **options)


def test_right_and_wrong(host):
    serve(host)
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert done.said == ""
    wrong = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert wrong.codes == ["AUTH_ERR"] and wrong.said == ""
