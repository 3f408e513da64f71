"""selfresetctl migrate: the database of an older version.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import pwd
import subprocess

import pytest

from scratch import STATE, hash_password

PASSWORD = "correct horse battery"
ANN = "$5$rounds=1000$oldstate$Z9z3/uvRT7fPTd/AErq6V5qNc.pY1pFqhdvefZFTi64"
BOB = "$5$oldstat2$siwRF3qNQAGjTWrhKXHYDT1wP471Eu8gJEt.xxfgUO8"
USED = ("tangerine dreams at noon", "purple rivers run north")
USED_BY_BOB = "seven quiet lighthouses"
FRESH = "an umbrella for rainy days"

# Written by that version.  Of the uid 3001: a lockout, the history of USED, and
# a temporary password with the hash ANN until 2100.  Of 3002: the history of
# USED_BY_BOB, and a temporary password that has ended, with the hash BOB.  Of
# 4242: a history.
DUMP = """VERSION=3
format=bytevalue
type=btree
mapsize=33554432
maxreaders=126
HEADER=END
 48
 0101080f161d242b323940474e555c636a01020300000000000000000000000000803bb16a000\
00000c086fd6a00000000870edb95be81891a
 6100000bb900
 0101000000005786f400000000c086fd6a00000000010000000000000000000000b6b5e67dd8b\
71520
 6800000bb9
 011d2479246a395424724f7563594d58536b77544a64717361502f74455a2e02a511a9928144e\
e6a000000003eaa73ee8044ee6a0000000000001f949506713bebc8
 6800000bba
 011d2479246a3954246354703445736636522f2e52324b6a4b38703348373101f8a6e0118044e\
e6a000000000000a8e8f3d8717e5d2d
 6800001092
 011d2479246a3954246b3043454c6951694165593738654235746c2f6c6c2f01b1ebe6758044e\
e6a000000000000b14de6c596d64b56
 7400000bb9
 01a14eb4eed03dad82c086fd6a00000000005786f400000000dc1304fb3832005c
 7400000bba
 01ba7bd51b08f94fadc086fd6a00000000c186fd6a000000006d29bd720f604efb
DATA=END
"""


@pytest.fixture
def old(host):
    host.configure(password={"history": 3})
    host.add("ann", uid=3001, hash=ANN, changed=0)
    host.add("bob", uid=3002, hash=BOB, changed=0)
    put(host)
    return host


def put(host, dump=DUMP):
    STATE.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(["mdb_load", "-n", STATE / "data.mdb"], input=dump,
                   text=True, check=True)
    (STATE / "data.mdb-lock").unlink()
    (STATE / "data.mdb").chmod(0o600)


def migrate(host, *options, code=0):
    done = host.run("selfresetctl", "migrate", "--json", *options)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    said = json.loads(done.stdout)
    return [said[key] for key in ("histories", "temporary_passwords",
                                  "without_account", "damaged", "changed")]


def status(host, user):
    return json.loads(host.run("selfresetctl", "status", "--json",
                               user).stdout)


def change(host, user, password):
    """By the user, who tries one new password again and again."""
    return host.drive("probe", user, "chauthtok",
                      real_uid=pwd.getpwnam(user).pw_uid,
                      answers=[PASSWORD] + [password] * 3)


def log_in(host, user):
    return host.drive("probe", user, "auth", "acct", answers=[PASSWORD],
                      rhost="192.0.2.7").codes


def test_takes_histories_and_temporary_passwords_over(old):
    assert migrate(old) == [2, 2, 1, 0, True]
    assert sorted(path.name for path in STATE.glob("data.mdb*")) == [
        "data.mdb.old"]
    assert status(old, "ann")["facts"]["temporary_until"] == (
        "2100-01-01T00:00:00Z")
    assert log_in(old, "ann") == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    assert status(old, "bob")["state"] == "lapsed"
    assert log_in(old, "bob")[0] == "AUTH_ERR"
    for user, used in (("ann", USED), ("bob", (USED_BY_BOB,))):
        old.set_shadow(user, 1, hash_password(PASSWORD))
        for password in used:
            done = change(old, user, password)
            assert done.codes == ["AUTHTOK_ERR"], done
            assert "used before" in done.said, done
        assert change(old, user, FRESH).codes == ["SUCCESS"]
    assert migrate(old) == [0, 0, 0, 0, False]


def test_until_then_logins_go_on_and_it_is_said(old):
    assert log_in(old, "ann") == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    assert len(old.log.with_text("SR-3206")) == 1
    done = old.run("selfresetctl", "check", "--json")
    assert done.returncode == 2 and "selfresetctl migrate" in done.stdout
    done = old.run("selfreset-publish")
    assert "selfresetctl migrate" in done.stderr
    assert len(old.log.with_text("SR-3206")) == 2
    migrate(old)
    old.log.lines.clear()
    log_in(old, "ann")
    assert "selfresetctl migrate" not in old.run("selfresetctl", "check",
                                                 "--json").stdout
    assert "migrate" not in old.run("selfreset-publish").stderr
    assert not old.log.with_text("SR-3206")


def test_a_dry_run_changes_nothing(old):
    assert migrate(old, "--dry-run") == [2, 2, 1, 0, True]
    assert sorted(path.name for path in STATE.iterdir()) == ["data.mdb"]
    assert migrate(old) == [2, 2, 1, 0, True]


def test_two_names_of_one_uid(old):
    """Both have the history; the temporary password is of one hash."""
    old.add("ann2", uid=3001, changed=10)
    done = old.run("selfresetctl", "migrate")
    assert "2 accounts have the uid 3001" in " ".join(done.stderr.split())
    assert status(old, "ann2")["facts"]["temporary_until"] is None
    assert status(old, "ann")["facts"]["temporary_until"]
    assert "used before" in change(old, "ann2", USED[0]).said


def test_a_password_changed_since_is_not_temporary(old):
    old.run("chpasswd", "-c", "SHA512", input=f"bob:{FRESH}\n")
    assert migrate(old) == [2, 1, 1, 0, True]
    assert status(old, "bob")["facts"]["temporary_until"] is None


def test_a_damaged_record_costs_itself(old):
    (STATE / "data.mdb").unlink()
    put(old, DUMP.replace("3eaa73ee", "3eaa73ef"))
    assert migrate(old, code=8) == [1, 2, 1, 1, True]
    assert not (STATE / "data.mdb").exists()


def test_a_file_that_is_no_database_stays(old):
    (STATE / "data.mdb").write_bytes(b"no database" * 1000)
    done = old.run("selfresetctl", "migrate")
    assert done.returncode == 1 and "Nothing was done" in done.stderr
    assert sorted(path.name for path in STATE.glob("data.mdb*")) == ["data.mdb"]
