"""Identity through a real sshd: accounts that share a number.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json

import pytest

import directory
from directory import PEOPLE, SERVICE, SERVICE_SECRET, Slapd
from scratch import RUN
from talk import PASSWORD, Talk

OLD = "correct horse battery"
THEIRS = "a quiet lake at dawn"
WHO = "echo in as $(id -un)"


def guess(host, name, password):
    with Talk(host.ssh_command(name, WHO)) as talk:
        talk.answer(PASSWORD, password)
        return f"in as {name}" in talk.rest()


@pytest.fixture
def shared(host):
    """bob of this host, and an entry of a directory with his number."""
    bob = host.add("bob", OLD)
    server = Slapd(host, [directory.user("mal", bob.uid, THEIRS)],
                   policies={"policy": {}})
    secret = RUN / "ldap-secret"
    secret.write_text(SERVICE_SECRET + "\n")
    secret.chmod(0o600)
    host.configure(
        selfreset={"backends": "local corp"}, lockout={"attempts": 3},
        backend_corp={"uri": server.uri, "base": PEOPLE, "identity": "simple",
                      "bind_dn": SERVICE, "secret_file": secret})
    host.add_elsewhere("mal", bob.uid)
    return host


def failures(host, name):
    done = host.run("selfresetctl", "status", "--json", name)
    return json.loads(done.stdout)["strangers"]["failures"]


def test_his_number_locks_nobody_out(shared):
    for _ in range(4):
        assert not guess(shared, "mal", "a guess")
    assert guess(shared, "bob", OLD)


def test_his_number_clears_nothing(shared):
    """At most three wrong passwords for bob, whatever mal logs in."""
    for _ in range(2):
        assert not guess(shared, "bob", "a guess")
    guess(shared, "mal", THEIRS)
    assert not guess(shared, "bob", "a guess")
    assert not guess(shared, "bob", OLD)
