"""Accounts without a usable password, and empty passwords, by the driver.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import time

import pytest

from scratch import hash_password

OLD = "correct horse battery"
NEW = "an umbrella for rainy days"

# Fields that are never the outcome of crypt(3).
FIELDS = ["NP", "*LK*", "!", "!!", "*", "x", "*NP*", "NOLOGIN", "LOCKED",
          "$6$salt$", "$y$j9T$salt"]


@pytest.mark.parametrize("field", FIELDS)
def test_a_key_login_without_a_password(host, field):
    """sshd(8) recommends such fields: there is no password to expire."""
    host.add("kim", hash=field, changed=100, min=0, max=90)
    assert host.drive("probe", "kim", "acct").codes == ["SUCCESS"]
    for answer in (field, "", "x"):
        done = host.drive("probe", "kim", "auth", answers=[answer])
        assert done.codes == ["AUTH_ERR"]


def test_a_password_expires(host):
    host.add("kim", OLD, changed=100, min=0, max=90)
    assert host.drive("probe", "kim", "acct").codes == ["NEW_AUTHTOK_REQD"]


@pytest.mark.parametrize("field", ["", hash_password("")],
                         ids=["no field", "hash of the empty password"])
@pytest.mark.parametrize("nullok", [None, "no", "yes"])
@pytest.mark.parametrize("disallow", [False, True])
def test_an_empty_password(host, field, nullok, disallow):
    if nullok:
        host.configure(selfreset={"nullok": nullok})
    host.add("ann", hash=field)
    done = host.drive("probe", "ann", "auth", answers=[""],
                      disallow_null=disallow)
    right = nullok == "yes" and not disallow
    assert done.codes == ["SUCCESS" if right else "AUTH_ERR"]
    assert host.drive("probe", "ann", "auth", answers=["x"]).codes == [
        "AUTH_ERR"]


@pytest.mark.parametrize("nullok", ["no", "yes"])
def test_an_empty_answer_to_a_password(host, nullok):
    """Never right, and without nullok not even counted."""
    host.configure(selfreset={"nullok": nullok}, lockout={"attempts": 3})
    host.add("ann", OLD)
    for _ in range(3):
        assert host.drive("probe", "ann", "auth", answers=[""]).codes == [
            "AUTH_ERR"]
    done = host.drive("probe", "ann", "auth", answers=[OLD])
    assert done.codes == ["SUCCESS" if nullok == "no" else "AUTH_ERR"]


@pytest.mark.parametrize("field", ["", hash_password("")],
                         ids=["no field", "hash of the empty password"])
@pytest.mark.parametrize("nullok", ["no", "yes"])
def test_a_change_with_an_empty_current_password(host, field, nullok):
    """The same rule as for a login."""
    host.configure(selfreset={"nullok": nullok})
    account = host.add("ann", hash=field)
    done = host.drive("probe", "ann", "chauthtok", answers=["", NEW, NEW],
                      real_uid=account.uid)
    assert (done.code == "SUCCESS") == (nullok == "yes")
    assert host.has_password("ann", NEW) == (nullok == "yes")


@pytest.mark.parametrize("field", ["", hash_password("")],
                         ids=["no field", "hash of the empty password"])
def test_check_finds_an_empty_password(host, field):
    host.add("ann", hash=field)
    host.add("bob", OLD)
    host.add("locked", hash="!" + hash_password(""))
    done = host.run("selfresetctl", "check", "--json")
    [found] = [one for one in json.loads(done.stdout)
               if "empty password" in one["text"]]
    assert found["subjects"] == "ann", found


def test_check_tries_hashes_within_bounds(host):
    """A hash costs as much as a login: not all of many are tried."""
    costly = "$6$rounds=400000$"
    for number in range(40):
        host.add(f"user{number}", hash=costly + hash_password(OLD)[3:])
    began = time.monotonic()
    done = host.run("selfresetctl", "check")
    took = time.monotonic() - began
    assert "were not tried with an empty password" in " ".join(
        done.stdout.split()), done
    began = time.monotonic()
    done = host.run("selfresetctl", "check", "--hashes")
    assert "not tried" not in done.stdout, done
    assert took < time.monotonic() - began
