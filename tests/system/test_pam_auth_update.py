"""The stacks that Debian's own pam-auth-update writes from the module's profile,
used by the real programs; and what is left when the module is taken out.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import pathlib
import shutil
import signal
import subprocess

import pytest

from debian import COMMON, OTHERS, PAM_D, PROFILES, lines, modules, update
from debian import debian as stacks
from scratch import RUN, mount, tmpfs, wait_until
from talk import AGAIN, CURRENT, NEW, PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
pytestmark = pytest.mark.skipif(shutil.which("pam-auth-update") is None,
                                reason="pam-auth-update is Debian's")


@pytest.fixture
def debian(host):
    with stacks(host) as made:
        yield made


@pytest.fixture
def ours(debian):
    update("--enable", "selfreset")
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
    # pam_unix stays below, and so do the others.
    assert modules("auth")[:3] == ["pam_selfreset.so", "pam_unix.so",
                                   "pam_deny.so"]
    assert lines("auth")[0][1:3] == ["[success=2", "user_unknown=ignore"]
    assert modules("account")[:3] == ["pam_selfreset.so", "pam_unix.so",
                                      "pam_deny.so"]
    assert modules("password")[:5] == [
        "pam_selfreset.so", "pam_unix.so", "pam_selfreset.so", "pam_unix.so",
        "pam_deny.so"]
    assert lines("password")[1][-2:] == ["yescrypt", "use_authtok"]
    assert {"pam_unix.so", "pam_mkhomedir.so"} <= set(modules("session"))
    done = ours.run("selfresetctl", "check")
    assert done.returncode == 0, done.stdout


def test_the_example(ours):
    """The example of the manual is what pam-auth-update writes."""
    text = (pathlib.Path(__file__).parents[2] / "pam/examples/debian").read_text()
    for part in ("auth", "account", "password"):
        block = text.split(f"# /etc/pam.d/common-{part}\n")[1].split("\n\n")[0]
        assert [line.split() for line in block.splitlines()] == [
            line for line in lines(part) if "pam_cap.so" not in line]


def test_not_under_selinux_enforcing(debian):
    """Where every password would be refused the stacks stay as they are."""
    before = [lines(part) for part in COMMON]
    tmpfs("/sys/fs")
    place = pathlib.Path("/sys/fs/selinux/enforce")
    place.parent.mkdir()
    place.write_text("1")
    done = debian.run("selfresetctl", "pam", "--enable")
    assert done.returncode == 9 and "SELinux" in done.stderr
    assert [lines(part) for part in COMMON] == before
    place.write_text("0")
    done = debian.run("selfresetctl", "pam", "--enable")
    assert done.returncode == 0, done.stderr


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


# ---- taking it out

def edit_by_hand():
    """A line that pam-auth-update does not know, as administrators add it: from
    now on it leaves the files alone."""
    path = PAM_D / "common-auth"
    text = path.read_text()
    where = text.index("auth\t[")
    path.write_text(text[:where] + "auth\toptional\tpam_faildelay.so delay=0\n"
                    + text[where:])


def remove_the_package():
    update("--package", "--remove", "selfreset")


def remove_the_profile():
    """Another package updates the files after the profile has gone."""
    (PROFILES / "selfreset").unlink()
    update("--package")


def disable_it():
    update("--disable", "selfreset")


def use_the_tool():
    done = subprocess.run(["selfresetctl", "pam", "--disable"],
                          capture_output=True, text=True, check=False)
    assert done.returncode in (0, 8), (done.stdout, done.stderr)


WAYS = (remove_the_package, remove_the_profile, disable_it, use_the_tool)


def names_the_module():
    return any("pam_selfreset.so" in modules(part) for part in COMMON)


def must_verify(host):
    """A wrong password is refused and the right one works, wherever one is
    typed."""
    ann, bob = host.add("ann", OLD), host.add("bob", FRESH)
    host.give_key("ann")
    for password, is_right in (("no", False), (OLD, True)):
        with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as talk:
            talk.answer(PASSWORD, password)
            assert ("in as ann" in talk.rest()) == is_right
        with login(ann) as talk:
            talk.answer(PASSWORD, password)
            if is_right:
                assert "in as ann" in talk.rest()
            else:
                assert "in as" not in talk.until("login: ")
        with Talk(host.ssh_command("ann", "echo in as $(id -un)")) as talk:
            talk.answer(PASSWORD, password)
            assert ("in as ann" in talk.rest()) == is_right
        with Talk(["passwd"], user=ann) as talk:
            talk.answer(CURRENT, password)
            if is_right:
                talk.answer(NEW, FRESH)
                talk.answer(AGAIN, FRESH)
            talk.rest()
        assert host.has_password("ann", FRESH) == is_right
    assert host.run(*host.ssh_command("ann", "id", "-un",
                                      method="publickey")).stdout == "ann\n"
    # Without any answer, and for root.
    for user in ("ann", "root"):
        assert host.drive("login", user, "auth").code != "SUCCESS"
        assert host.drive("login", user, "auth", answers=[""]).code != "SUCCESS"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("by_hand", [False, True])
def test_taking_it_out(ours, way, by_hand):
    if by_hand:
        edit_by_hand()
    way()
    # pam-auth-update does not touch files that were edited.
    assert names_the_module() == by_hand
    must_verify(ours)


def test_taking_it_out_where_unix_was_disabled(debian):
    """An installation by the manual of earlier versions."""
    update("--enable", "selfreset", "--disable", "unix")
    found = debian.run("selfresetctl", "pam", "--check")
    assert found.returncode == 10, found
    assert "without authentication" in " ".join(found.stdout.split()), found
    use_the_tool()
    assert not names_the_module()
    must_verify(debian)


def test_an_open_stack_is_told(debian):
    """What pam-auth-update makes of a host without a profile that verifies."""
    update("--enable", "selfreset", "--disable", "unix")
    update("--package", "--remove", "selfreset")
    assert debian.drive("login", "root", "auth").code == "SUCCESS"
    for command in (("check",), ("pam", "--check")):
        found = debian.run("selfresetctl", *command)
        assert found.returncode == 2, found
        assert "common-auth" in found.stdout
        assert "succeeds without authentication" in found.stdout


def test_there_and_back(ours):
    before = {part: (PAM_D / f"common-{part}").read_text() for part in COMMON}
    disable_it()
    update("--enable", "selfreset")
    assert before == {part: (PAM_D / f"common-{part}").read_text()
                      for part in COMMON}


def test_nobody_else_is_asked(ours):
    """Of local accounts the module decides alone: pam_unix below lets nobody in
    whom it refuses."""
    ours.configure(lockout={"attempts": 2})
    ann = ours.add("ann", OLD)
    assert ours.drive("login", "ann", "auth", answers=["no"]).code == "AUTH_ERR"
    assert ours.drive("login", "ann", "auth", answers=["no"]).code == "AUTH_ERR"
    done = ours.drive("login", "ann", "auth", answers=[OLD])
    assert done.code == "AUTH_ERR" and len(done.prompts) == 1
    ended = ours.add("cyd", OLD, expire="-1")
    assert ours.drive("login", ended.name, "acct").code == "ACCT_EXPIRED"
    assert ours.has_password(ann.name, OLD)


def test_one_hash(ours):
    """pam_unix below costs no hash: one for a login, three for a change."""
    ann = ours.add("ann", OLD)
    ours.count_hashes()
    assert ours.drive("login", "ann", "auth", "acct",
                      answers=[OLD]).codes == ["SUCCESS", "SUCCESS"]
    assert ours.hashes() == 1
    ours.count_hashes()
    done = ours.drive("passwd", "ann", "chauthtok", real_uid=ann.uid,
                      answers=[OLD, FRESH, FRESH])
    assert done.code == "SUCCESS", done
    assert ours.hashes() <= 4


# ---- by the tool

def test_enable(debian):
    before = (PAM_D / "common-auth").read_text()
    done = debian.run("selfresetctl", "pam", "--enable")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert modules("auth")[:2] == ["pam_selfreset.so", "pam_unix.so"]
    assert (PAM_D / "common-auth.selfreset-old").read_text() == before
    done = debian.run("selfresetctl", "pam", "--enable")
    assert done.returncode == 0 and "already" in done.stdout
    assert (PAM_D / "common-auth.selfreset-old").read_text() == before
    assert debian.run("selfresetctl", "pam", "--check").returncode == 0
    must_verify(debian)


def test_disable(ours):
    before = (PAM_D / "common-auth").read_text()
    done = ours.run("selfresetctl", "pam", "--disable")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert not names_the_module()
    assert (PAM_D / "common-auth.selfreset-old").read_text() == before
    done = ours.run("selfresetctl", "pam", "--disable")
    assert done.returncode == 0 and "nothing" in done.stdout


def test_enable_is_refused(debian):
    """Each leaves the stacks as they were."""
    before = {path: path.read_text() for path in PAM_D.iterdir()}

    def refuses(*texts):
        done = debian.run("selfresetctl", "pam", "--enable")
        assert done.returncode in (1, 9), (done.stdout, done.stderr)
        for text in texts:
            assert text in " ".join(done.stderr.split()), done.stderr
        assert before == {path: path.read_text() for path in PAM_D.iterdir()}

    debian.configure(lockout={"attempts": "many"})
    refuses("selfreset.conf", "attempts")
    debian.configure(lockout={"attempts": 5})
    for module in pathlib.Path("/").glob("lib/*/security/pam_selfreset.so"):
        mount("--bind", "/dev/null", module)
        try:
            refuses("pam_selfreset.so", "cannot be loaded")
        finally:
            subprocess.run(["umount", str(module)], check=True)
    edit_by_hand()
    before[PAM_D / "common-auth"] = (PAM_D / "common-auth").read_text()
    refuses("edited by hand", "--force")


def test_enable_is_undone(debian):
    """A profile that would let anybody in is taken back: a link is a link again,
    older copies stay, and pam-auth-update still knows the files as its own."""
    profile = PROFILES / "selfreset"
    as_installed = profile.read_text()
    real = PAM_D.parent / "common-account.real"
    shutil.move(PAM_D / "common-account", real)
    (PAM_D / "common-account").symlink_to(real)
    (PAM_D / "common-auth.selfreset-old").write_text("# from before\n")
    profile.write_text(profile.read_text().replace(
        "default=die]\tpam_selfreset.so try", "default=2]\tpam_selfreset.so try")
        .replace("user_unknown=ignore default=die]\tpam_selfreset.so\nAcc",
                 "user_unknown=ignore default=2]\tpam_selfreset.so\nAcc"))
    before = {path: path.read_text() for path in PAM_D.iterdir()}
    done = debian.run("selfresetctl", "pam", "--enable")
    assert done.returncode == 9, (done.stdout, done.stderr)
    assert before == {path: path.read_text() for path in PAM_D.iterdir()}
    assert (PAM_D / "common-account").is_symlink()
    must_verify(debian)
    profile.write_text(as_installed)
    for way in ("--enable", "--disable"):
        done = debian.run("selfresetctl", "pam", way)
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert names_the_module() == (way == "--enable")
    real.unlink()


def test_lines_by_hand(debian):
    """Services with lines of their own are named, with the lines; they are not
    taken for the common files, and copies are not taken for services.  An
    administrator's profile is as ours."""
    for name in ("vlock", "vlock.orig", "#vlock#", "vlock.ucf-old"):
        debian.service(name, "auth required pam_selfreset.so\n"
                       "account required pam_selfreset.so\n")
    done = debian.run("selfresetctl", "pam", "--enable")
    assert done.returncode == 0 and names_the_module(), done
    shutil.copy(PROFILES / "selfreset", PROFILES / "of-this-site")
    update("--enable", "of-this-site", "--disable", "selfreset")
    for _ in range(2):
        done = debian.run("selfresetctl", "pam", "--disable")
        assert done.returncode == 8, (done.stdout, done.stderr)
        assert "/etc/pam.d/vlock:1" in done.stderr, done.stderr
        assert "/etc/pam.d/vlock:2" in done.stderr
        assert "vlock." not in done.stderr and "#" not in done.stderr
        assert not names_the_module()


@pytest.mark.parametrize("way", ["--enable", "--disable"])
def test_stopped_between_two_files(debian, way):
    """pam-auth-update answers success when it cannot write its record of one
    file."""
    if way == "--disable":
        update("--enable", "selfreset")
    before = {path: path.read_text() for path in PAM_D.iterdir()}
    place = pathlib.Path("/var/lib/pam/password.new")
    place.mkdir()
    done = debian.run("selfresetctl", "pam", way)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "as they were" in done.stderr
    assert before == {path: path.read_text() for path in PAM_D.iterdir()}
    place.rmdir()
    done = debian.run("selfresetctl", "pam", way)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert names_the_module() == (way == "--enable")


def test_ended_by_a_signal(debian):
    """It goes to its end first.  What a run has left that was killed is not
    written over: it may be all that there is of the old files."""
    kept = PAM_D / "common-auth.selfreset-kept"
    running = debian.start(["selfresetctl", "pam", "--enable"],
                           stdout=subprocess.DEVNULL)
    wait_until(lambda: kept.exists() or running.poll() is not None,
               what="the copies")
    running.terminate()
    assert running.wait(60) in (0, -signal.SIGTERM)
    assert names_the_module() and not kept.exists()
    must_verify(debian)
    kept.write_text("# the old one\n")
    before = {path: path.read_text() for path in PAM_D.iterdir()}
    for way in ("--enable", "--disable"):
        done = debian.run("selfresetctl", "pam", way)
        assert done.returncode == 9 and str(kept) in done.stderr, done
        assert before == {path: path.read_text() for path in PAM_D.iterdir()}
    kept.unlink()
    assert debian.run("selfresetctl", "pam", "--disable").returncode == 0


def test_line_ends_of_another_system(ours):
    """Nobody gets in with them, and both commands say so."""
    path = PAM_D / "common-auth"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    ours.add("ann", OLD)
    assert ours.drive("login", "ann", "auth",
                      answers=[OLD]).code != "SUCCESS"
    found = ours.run("selfresetctl", "pam", "--check")
    assert found.returncode == 2 and "carriage return" in found.stdout
    done = ours.run("selfresetctl", "pam", "--disable")
    assert done.returncode == 0 and "carriage return" in done.stdout, done


# ---- make uninstall

def uninstall(host):
    """Of a copy of the stage with the stacks as they are; whether it was
    done."""
    copy = RUN / "uninstall"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(host.build / "stage", copy, symlinks=True)
    shutil.copytree(PAM_D, copy / "etc/pam.d")
    done = subprocess.run(["make", "-s", "-C", str(host.build), "uninstall",
                           f"DESTDIR={copy}"], capture_output=True, text=True,
                          check=False)
    left = [path for path in copy.rglob("*selfreset*")
            if path.is_file() and "pam.d" not in str(path)]
    return done, left


def test_make_uninstall(ours):
    done, left = uninstall(ours)
    assert done.returncode != 0 and "common-auth" in done.stderr
    assert any(path.name == "pam_selfreset.so" for path in left)
    assert any("pam-configs" in str(path) for path in left)
    use_the_tool()
    done, left = uninstall(ours)
    assert done.returncode == 0, done.stderr
    assert not any(path.name == "pam_selfreset.so" for path in left)


def test_make_uninstall_sees_all_folders(debian):
    """A vendor's stack that names the module, below /usr."""
    vendor = debian.build / "stage/usr/lib/pam.d"
    vendor.mkdir(parents=True)
    try:
        (vendor / "app").write_text("auth required pam_selfreset.so\n")
        done, left = uninstall(debian)
        assert done.returncode != 0 and "lib/pam.d/app" in done.stderr
        assert any(path.name == "pam_selfreset.so" for path in left)
    finally:
        shutil.rmtree(vendor)
