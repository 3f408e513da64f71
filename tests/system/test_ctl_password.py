"""selfresetctl password-check and age, and what check says of passwords.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import os
import pty
import subprocess

import pytest

from scratch import DAY, today, wait_until

OLD = "correct horse battery"
NEW = "an umbrella for rainy days"


def ctl(host, *arguments, code=0, **options):
    done = host.run("selfresetctl", *arguments, **options)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def check_password(host, password, *user, code=0):
    done = ctl(host, "password-check", "--json", *user, code=code,
               input=password + "\n")
    said = json.loads(done.stdout)
    assert set(said) == {"user", "acceptable", "broken"}
    assert said["user"] == (user[0] if user else None)
    assert said["acceptable"] == (code == 0)
    assert password == "" or password not in done.stdout + done.stderr
    return said["broken"]


# -- password-check

def test_a_password_that_the_rules_allow(host):
    host.add("ann", OLD)
    assert check_password(host, NEW) == []
    assert check_password(host, NEW, "ann") == []
    done = ctl(host, "password-check", input=NEW + "\n")
    assert done.stdout == "The rules allow this password.\n"


@pytest.mark.parametrize("password, broken", [
    ("short", ["len.min", "dictionary"]),
    ("", ["len.empty"]),
    ("x\x1by", ["enc.control"]),
    ("x" * 512, ["len.bytes"]),
    ("x" * 5000, ["len.bytes"]),
])
def test_a_password_that_breaks_rules(host, password, broken):
    assert check_password(host, password, code=9) == broken


def test_the_texts_name_the_rules(host):
    done = ctl(host, "password-check", code=9, input="short\n")
    assert done.stdout.startswith("The rules do not allow this password:\n")
    assert "(len.min)" in done.stdout and "(dictionary)" in done.stdout
    assert all(len(line) <= 72 for line in done.stdout.splitlines())


def test_the_rules_of_the_user_and_his_groups(host):
    host.configure(**{"password group:staff": {"min_length": "30"},
                      "password group:lab": {"min_length": "0",
                                             "skip": "dictionary"}})
    host.add("ann", OLD, groups=("staff",), gecos="Annabel Example")
    host.add("lee", OLD, groups=("lab",))
    assert check_password(host, NEW) == []
    assert check_password(host, NEW, "ann", code=9) == ["len.min"]
    assert check_password(host, "house", code=9) == ["len.min", "dictionary"]
    assert check_password(host, "house", "lee") == []
    assert check_password(host, "annabelannabelannabelannabelannabel", "ann",
                          code=9)[0] == "name.gecos"


def test_the_first_line_only(host):
    done = ctl(host, "password-check", "--json", input=f"{NEW}\nshort\n")
    assert json.loads(done.stdout)["acceptable"]
    done = ctl(host, "password-check", "--json", input=NEW)
    assert json.loads(done.stdout)["acceptable"]


def test_no_password_at_all(host):
    done = ctl(host, "password-check", "--json", code=1, input="")
    assert done.stdout == "" and "standard input" in done.stderr


def test_no_such_user(host):
    ctl(host, "password-check", "nobody-here", code=7, input=NEW + "\n")


def test_on_a_terminal_nothing_is_shown(host):
    controller, terminal = pty.openpty()
    with subprocess.Popen(["selfresetctl", "password-check"], stdin=terminal,
                          stdout=subprocess.PIPE, stderr=terminal) as program:
        os.close(terminal)
        said = b""
        while b"check: " not in said:
            said += os.read(controller, 1000)
        os.write(controller, NEW.encode() + b"\n")
        output, _ = program.communicate(timeout=60)
    said += os.read(controller, 1000)
    os.close(controller)
    assert output == b"The rules allow this password.\n"
    assert NEW.encode() not in said


# -- age

def age(host, user="ann", code=0, **options):
    return json.loads(ctl(host, "age", "--json", user, code=code,
                          **options).stdout)


def test_age_by_shadow(host):
    host.add("ann", OLD, changed=30, min=1, max=90, warn=7, inactive=5)
    said = age(host)
    assert said["changed_by"] == said["expires_by"] == "shadow"
    assert 30 * DAY <= said["age"] < 31 * DAY + 1
    assert said["must_change"] is False
    assert said["backend"] == "local"


def test_age_by_the_configuration(host):
    host.configure(expiry={"max_age": "60d", "inactive": "10d"})
    host.add("ann", OLD, changed=30, max=90)
    host.add("bob", OLD, changed=65, max=90)
    host.add("cy", OLD, changed=75)
    host.add("dee", OLD, changed=10, max=20)
    host.add("eve", OLD, changed="")
    host.add("kim", hash="NP", changed=100, max=5)
    assert age(host)["expires_by"] == "expiry.max_age"
    assert age(host, "bob", code=4)["expires_by"] == "expiry.max_age"
    assert age(host, "dee")["expires_by"] == "shadow"
    said = age(host, "eve")
    assert said["age"] is said["changed_by"] is said["expires_by"] is None
    assert age(host, "kim")["expires_by"] is None
    for user, code in (("ann", "SUCCESS"), ("bob", "NEW_AUTHTOK_REQD"),
                       ("cy", "AUTHTOK_EXPIRED"), ("dee", "SUCCESS"),
                       ("eve", "SUCCESS"), ("kim", "SUCCESS")):
        assert host.drive("probe", user, "acct").codes == [code], user


def test_age_by_our_own_record(host):
    """Where shadow has no day of the last change."""
    host.configure(expiry={"max_age": "60d"})
    ann = host.add("ann", OLD, changed="")
    assert age(host)["changed_by"] is None
    done = host.drive("probe", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                      real_uid=ann.uid)
    assert done.codes == ["SUCCESS"]
    host.set_shadow("ann", 2, "")
    said = age(host)
    assert said["changed_by"] == "record" and said["age"] < 600
    assert said["expires_by"] == "expiry.max_age"
    assert host.drive("probe", "ann", "acct").codes == ["SUCCESS"]
    host.configure(expiry={"max_age": "1s"})
    wait_until(lambda: host.drive("probe", "ann", "acct").codes == [
        "NEW_AUTHTOK_REQD"], what="the expiry")
    assert age(host, code=4)["expires_by"] == "expiry.max_age"
    host.set_shadow("ann", 2, today() - 3)
    assert age(host, code=4)["changed_by"] == "shadow"


def test_ages_of_a_group(host):
    host.configure(**{"expiry group:staff": {"max_age": "60d"}})
    host.add("ann", OLD, changed=70, groups=("staff",))
    host.add("bob", OLD, changed=70)
    assert host.drive("probe", "ann", "acct").codes == ["NEW_AUTHTOK_REQD"]
    assert host.drive("probe", "bob", "acct").codes == ["SUCCESS"]


def test_must_change(host):
    host.add("ann", OLD, changed=0)
    assert age(host, code=4)["must_change"] is True


# -- which warning period counts

@pytest.mark.parametrize("by, state", [
    (None, "ok"), ("account", "ok"), ("config", "expiring"),
    ("earlier", "expiring")])
def test_warning(host, by, state):
    rules = {"warn": "30d"} | ({"warn_by": by} if by else {})
    host.configure(expiry=rules)
    host.add("ann", OLD, changed=70, max=90, warn=7)
    done = host.run("selfresetctl", "status", "--json", "ann")
    assert json.loads(done.stdout)["state"] == state
    found = json.loads(host.run("selfresetctl", "check", "--json").stdout)
    assert any(one["place"] == "expiry.warn" and "ann" in one["subjects"]
               for one in found) == (state == "ok")


def test_no_finding_for_a_warning_that_nobody_set(host):
    host.add("ann", OLD, changed=70, max=90, warn=7)
    found = json.loads(host.run("selfresetctl", "check", "--json").stdout)
    assert not [one for one in found if one["place"] == "expiry.warn"]


@pytest.mark.parametrize("nullok, place", [("no", "/etc/shadow"),
                                           ("yes", "selfreset.nullok")])
def test_check_names_empty_passwords(host, nullok, place):
    host.configure(selfreset={"nullok": nullok})
    host.add("ann", hash="", changed=today())
    found = json.loads(host.run("selfresetctl", "check", "--json").stdout)
    assert [one["subjects"] for one in found
            if one["place"] == place] == ["ann"]
