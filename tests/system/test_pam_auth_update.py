"""The stacks that Debian's own pam-auth-update writes from our profile, used by
the real programs.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

from scratch import ETC, RUN, mount
from talk import AGAIN, CURRENT, NEW, PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
ROOM = ETC / "pam.d"
PROFILES = pathlib.Path("/usr/share/pam-configs")
COMMON = ("auth", "account", "password", "session",
          "session-noninteractive")

pytestmark = pytest.mark.skipif(shutil.which("pam-auth-update") is None,
                                reason="pam-auth-update is Debian's")


def update(*arguments, code=0):
    done = subprocess.run(
        ["pam-auth-update", *arguments], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
        env={"PATH": os.environ["PATH"], "DEBIAN_FRONTEND": "noninteractive"})
    assert done.returncode == code, (done.stdout, done.stderr)


def lines(part):
    """The lines of a common file, as lists of words."""
    text = (ROOM / f"common-{part}").read_text()
    return [line.split() for line in text.splitlines()
            if line and not line.startswith("#")]


def modules(part):
    return [word for line in lines(part) for word in line
            if word.endswith(".so")]


@pytest.fixture
def debian(host):
    """A host whose services include the common files, as Debian's do; it has
    the profile of pam_unix and ours."""
    aside = RUN / "debian"
    shutil.rmtree(aside, ignore_errors=True)
    profiles = aside / "profiles"
    profiles.mkdir(parents=True)
    shutil.copy2(PROFILES / "unix", profiles)
    installed = host.build / "stage" / PROFILES.relative_to("/") / "selfreset"
    shutil.copy2(installed, profiles)
    shutil.copytree("/var/cache/debconf", aside / "debconf")
    (aside / "pam").mkdir()
    (aside / "room").mkdir()
    places = {PROFILES: profiles, ROOM: aside / "room",
              "/var/lib/pam": aside / "pam",
              "/var/cache/debconf": aside / "debconf"}
    for place, own in places.items():
        mount("--bind", own, place)
    try:
        update("--force", "--enable", "unix", "--disable", "selfreset")
        assert "pam_unix.so" in modules("auth")
        includes = "".join(f"@include common-{part}\n" for part in COMMON[:4])
        for name in ("login", "passwd", "sshd", "sudo"):
            host.service(name, includes)
        host.service("su", "auth sufficient pam_rootok.so\n" + includes)
        yield host
    finally:
        host.stop_all()
        for place in places:
            subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def ours(debian):
    update("--enable", "selfreset", "--disable", "unix")
    return debian


def login(account):
    profile = pathlib.Path("/home", account.name, ".profile")
    profile.write_text("echo in as $(id -un)\nexit 0\n")
    return Talk(["login", account.name])


def failures(user):
    done = subprocess.run(["selfresetctl", "status", "--json", user],
                          capture_output=True, text=True, check=False)
    return json.loads(done.stdout)["strangers"]["failures"]


def test_the_files(ours):
    for part in COMMON:
        assert "pam_selfreset.so" in modules(part)
    assert "pam_unix.so" not in modules("auth") + modules("account")
    # A jump of the profile lands behind pam_deny and nowhere else.
    assert lines("auth")[0][1:3] == ["[success=1", "user_unknown=ignore"]
    assert modules("auth")[1] == "pam_deny.so"
    assert modules("password")[:4] == ["pam_selfreset.so", "pam_unix.so",
                                       "pam_selfreset.so", "pam_deny.so"]
    done = ours.run("selfresetctl", "check")
    assert done.returncode == 0, done.stdout


def test_login(ours):
    ann = ours.add("ann", OLD, changed=85, max=90)
    with login(ann) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert "in as ann" in shown and "expires in 5 days" in shown


def test_wrong_password_and_unknown_user(ours):
    ann = ours.add("ann", OLD)
    with login(ann) as talk:
        talk.answer(PASSWORD, "no")
        wrong = talk.until("login: ")
        talk.type("nobody-here")
        talk.answer(PASSWORD, OLD)
        unknown = talk.until("login: ")
        assert failures("ann") == 1
        talk.type("ann")
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert "Login incorrect" in wrong and wrong == unknown
    assert "in as ann" in shown
    assert "1 failed attempt" in shown


def test_expired_at_login(ours):
    ann = ours.add("ann", OLD, changed=100, max=90)
    with login(ann) as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW, "secret")
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        assert "in as ann" in talk.rest()
    assert ours.has_password("ann", FRESH)


def test_ended_at_login(ours):
    ann = ours.add("ann", OLD, expire="-1")
    with login(ann) as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as" not in talk.until("This account ended")


def test_passwd_by_a_user(ours):
    ann = ours.add("ann", OLD)
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, "no")
        talk.rest()
        assert talk.status != 0
    assert ours.has_password("ann", OLD)
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW, "secret")
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
        assert talk.status == 0
    assert ours.has_password("ann", FRESH)
    assert ours.shadow("ann")[1].startswith("$y$")


def test_passwd_by_root(ours):
    ours.add("ann", OLD)
    with Talk(["passwd", "ann"]) as talk:
        talk.answer(NEW, "secret")
        assert "too short" in talk.answer(AGAIN, "secret")
        talk.rest()
        assert talk.status == 0
    assert ours.has_password("ann", "secret")


def test_su_and_sudo(ours):
    ann, bob = ours.add("ann", OLD, groups=("wheel",)), ours.add("bob", FRESH)
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as ann" in talk.rest()
    assert ours.run("su", "bob", "-c", "id -un").stdout == "bob\n"
    with Talk(["sudo", "id", "-un"], user=ann) as talk:
        talk.answer(r"password for \w+: ", OLD)
        assert "root" in talk.rest()


def test_locked_out_by_su(ours):
    ours.configure(lockout={"attempts": 2})
    ours.add("ann", OLD)
    bob = ours.add("bob", FRESH)
    for password, said in (("no", "failure"), ("no", "failure"),
                           (OLD, "is locked")):
        with Talk(["su", "ann", "-c", "echo in as ann"], user=bob) as talk:
            talk.answer(PASSWORD, password)
            shown = talk.rest()
        assert said in shown and "in as" not in shown


def test_taking_it_out(ours):
    ann = ours.add("ann", OLD)
    before = {part: (ROOM / f"common-{part}").read_text() for part in COMMON}
    update("--enable", "unix", "--disable", "selfreset")
    for part in COMMON:
        assert "pam_selfreset.so" not in modules(part)
    with login(ann) as talk:
        talk.answer(PASSWORD, "no")
        talk.answer("login: ", "ann")
        talk.answer(PASSWORD, OLD)
        assert "in as ann" in talk.rest()
    update("--enable", "selfreset", "--disable", "unix")
    assert before == {part: (ROOM / f"common-{part}").read_text()
                      for part in COMMON}


def test_not_both(debian):
    """The two verify the same accounts: beside each other the one would let in
    whom the other refuses."""
    done = debian.run("selfresetctl", "check")
    assert done.returncode == 2 and "guards nothing" in done.stdout
    update("--enable", "selfreset")
    assert modules("auth").count("pam_selfreset.so") == 1
    assert "pam_unix.so" not in modules("auth") + modules("account")
