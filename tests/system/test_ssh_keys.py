"""Keys through a real sshd: accounts that have no password to expire.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

from scratch import hash_password

OLD = "correct horse battery"
WHO = "echo in as $(id -un)"

# What is no outcome of crypt(3): nobody has such a password, so none expires.
NO_PASSWORD = ("NP", "*", "!", "!!", "*LK*", "x", "*NP*", "locked", "!*", "$6$")


def by_key(host, name, command=WHO):
    return host.run(*host.ssh_command(name, command, method="publickey"))


@pytest.mark.parametrize("stored", NO_PASSWORD)
def test_key_without_a_password(host, stored):
    """sshd(8) recommends such entries for accounts with keys only."""
    host.add("ann", hash=stored, changed=100, max=90)
    host.give_key("ann")
    done = by_key(host, "ann")
    assert done.stdout == "in as ann\n", done
    assert "expired" not in done.stderr
    status = host.run("selfresetctl", "status", "--json", "ann")
    assert status.returncode == 0, status.stdout


def test_key_with_an_expired_password(host):
    """The other way round: a password that exists does expire."""
    host.add("ann", OLD, changed=100, max=90)
    host.give_key("ann")
    assert by_key(host, "ann").stdout != "in as ann\n"


def test_key_with_a_locked_password(host):
    """An exclamation mark before a hash locks the password, not the key."""
    host.add("ann", hash="!" + hash_password(OLD))
    host.give_key("ann")
    assert by_key(host, "ann").stdout == "in as ann\n"
