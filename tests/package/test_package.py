"""The life of Debian's packages on a host, in the order of this file: installed,
upgraded during a login, interrupted, removed, purged and installed again.  After
each step a wrong password is refused and the right one works.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import pathlib
import re
import subprocess

import pytest

import directory
from scratch import wait_until
from talk import AGAIN, CURRENT, NEW, PASSWORD

PEOPLE = {"ann": "correct horse battery", "bob": "a castle made of cards"}
FRESH = "an umbrella for rainy days"
WRONG = "not the password"
OURS = ("libpam-selfreset", "libpam-selfreset-ldap", "libnss-selfreset",
        "selfreset")
COMMON = ("auth", "account", "password", "session", "session-noninteractive")
README = pathlib.Path(__file__).parents[2] / "README.md"
CONF = "/etc/security/selfreset.conf"
MINE = CONF + ".d/mine.conf"
SSH = ["ssh", "-F", "none", "-o", "UserKnownHostsFile=/dev/null",
       "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
       "-o", "PreferredAuthentications=keyboard-interactive",
       "-o", "NumberOfPasswordPrompts=1", "-tt", "-l"]
NO_QUESTIONS = {"DEBIAN_FRONTEND": "noninteractive"}
pytestmark = pytest.mark.usefixtures("ready")


def apt(tree, *words, code=0):
    return tree.run("apt-get", "-y", *words, env=NO_QUESTIONS, code=code)


def install(tree, name="packages", code=0):
    return apt(tree, "-o", "Dpkg::Options::=--force-confold", "install",
               "--reinstall", "--allow-downgrades",
               *(f"/srv/{name}/{path.name}" for path in
                 sorted(tree.inside(f"/srv/{name}").glob("*.deb"))), code=code)


def status(tree, package):
    return tree.run("dpkg-query", "-W", "-f", "${db:Status-Status}", package,
                    code=None)


def stacks(tree):
    return {part: tree.inside(f"/etc/pam.d/common-{part}").read_text()
            for part in COMMON}


def is_named(tree):
    return any("pam_selfreset.so" in text for text in stacks(tree).values())


def su(tree, name, password):
    """Whether su, run by another user, lets in as this one."""
    with tree.talk("setpriv", "--reuid=65534", "--regid=65534",
                   "--clear-groups", "su", name, "-c", "echo uid=$(id -un)") as talk:
        talk.answer(PASSWORD, password)
        return f"uid={name}" in talk.rest()


def login(tree, name):
    """As getty starts it: the leader of a session, which that of util-linux
    demands."""
    return tree.talk("setsid", "--ctty", "--wait", "login", name)


def verifies(tree):
    """What has to be so after each step."""
    assert not su(tree, "bob", WRONG), "a wrong password is let in"
    assert su(tree, "bob", PEOPLE["bob"]), "the right password is refused"


def command_of(beginning):
    """A command of README."""
    return re.search(rf"^    ({beginning} .*)$", README.read_text(), re.M)[1]


def enable(tree):
    tree.run("selfresetctl", "pam", "--enable")
    assert is_named(tree)


@pytest.fixture(scope="module")
def ready(tree):
    """Two users, sshd as README has it, and a source that may try often.
    Neither login nor su waits by itself after a failure."""
    tree.shell("sed -i '/^FAIL_DELAY/d' /etc/login.defs; "
               "echo FAIL_DELAY 0 >>/etc/login.defs")
    tree.inside(CONF + ".d").mkdir(parents=True)
    tree.inside(MINE).write_text("[lockout]\nsource_attempts = 0\n"
                                 "delay = 0s\n")
    for name, password in PEOPLE.items():
        tree.run("useradd", "-m", "-s", "/bin/bash", name)
        tree.run("chpasswd", text=f"{name}:{password}\n")
    tree.run("usermod", "-aG", "sudo", "bob")
    tree.inside("/etc/ssh/sshd_config.d/20-selfreset.conf").write_text(
        "UsePAM yes\nKbdInteractiveAuthentication yes\n")
    # One that is running already has to read it, too.
    tree.shell("if [ -e /run/sshd.pid ]; then kill -HUP $(cat /run/sshd.pid); "
               "fi")
    server = tree.start("/usr/sbin/sshd", "-D")
    yield
    server.terminate()
    server.wait()


# ---- installed

def test_installed(tree):
    """The version before; a library changes no login."""
    before = stacks(tree)
    shown = install(tree, "before")
    assert not is_named(tree)
    # A wrong file would be "common-auth" without the other profiles.
    assert {part: lines(text) for part, text in before.items()} == {
        part: lines(text) for part, text in stacks(tree).items()}
    assert "debconf:" not in shown.replace(
        "debconf: delaying package configuration", "")
    assert "rror" not in shown and "arning" not in shown, shown
    for package in OURS:
        assert status(tree, package) == "installed"
    verifies(tree)


def lines(text):
    return [line.split() for line in text.splitlines()
            if line and not line.startswith("#")]


def test_check_is_content(tree, request):
    """Right after the installation it says what is left to do, and no more; that
    is what it says."""
    tree.run("selfreset-publish")
    # There is no systemd here that would have started it.
    request.addfinalizer(tree.start("selfreset-helper", "--listen").kill)
    wait_until(tree.inside("/run/selfreset/helper").exists)
    shown = tree.run("selfresetctl", "check", code=None)
    assert shown.count("To do:") == 1 and shown.endswith("1 error, 0 warnings.\n")
    assert 'Run "selfresetctl pam --enable"' in shown, shown
    enable(tree)
    verifies(tree)
    shown = tree.run("selfresetctl", "check", "--json", code=None)
    assert [found for found in json.loads(shown)
            if found["severity"] == "error"] == [], shown


def test_name_service(tree):
    """The line is what selfresetctl would write, and the groups are shown."""
    text = tree.inside("/etc/nsswitch.conf").read_text()
    assert re.search(r"^group:\s+files selfreset$", text, re.M), text
    assert re.search(r"^shadow:\s+files selfreset$", text, re.M), text
    assert "nothing was done" in tree.run("selfresetctl", "nss", "--enable")
    tree.run("selfresetctl", "nss", "--check")
    assert "acct-ok" in tree.run("id", "-nG", "bob")


def test_units(tree):
    """What runs from the start, and what does not."""
    for unit, is_on in {"selfreset-helper.socket": True,
                        "selfreset-publish.service": True,
                        "selfreset-publish.timer": True,
                        "selfreset-publish.path": True,
                        "selfreset-follow.service": False,
                        "selfreset-reset.socket": False,
                        "selfreset-notices.timer": False}.items():
        shown = tree.run("systemctl", "is-enabled", unit, code=None)
        assert shown.strip() == ("enabled" if is_on else "disabled"), unit


# ---- upgraded

def test_upgraded_during_a_login(tree):
    """Dialogues that are under way end as they would have, and a file that was
    edited stays, with the new one beside it."""
    conf = tree.inside(CONF)
    conf.write_text(conf.read_text() + "[lockout]\nwait = 11s\n")
    talks = [login(tree, "ann"), login(tree, "ann"),
             tree.talk(*SSH, "ann", "127.0.0.1", "echo uid=$(id -un)")]
    for talk in talks:
        talk.until(PASSWORD)
    shown = install(tree)
    assert tree.run("dpkg-query", "-W", "-f", "${Version}", "selfreset") == \
        version(tree)
    talks[0].type(WRONG)
    talks[0].until("Login incorrect")
    talks[0].child.close(force=True)
    for talk, is_shell in zip(talks[1:], (True, False)):
        talk.type(PEOPLE["ann"])
        if is_shell:
            talk.until(r"\$ ")
            talk.type("echo uid=$(id -un); exit")
        assert "uid=ann" in talk.rest(), talk.seen
    assert "wait = 11s" in conf.read_text()
    assert conf.with_name(conf.name + ".dpkg-dist").exists(), shown
    assert is_named(tree)
    verifies(tree)


def version(tree):
    (package,) = tree.inside("/srv/packages").glob("selfreset_*.deb")
    return package.name.split("_")[1]


# ---- used

def test_programs(tree):
    assert su(tree, "ann", PEOPLE["ann"]) and not su(tree, "ann", WRONG)
    for password in (WRONG, PEOPLE["ann"]):
        with tree.talk(*SSH, "ann", "127.0.0.1", "echo uid=$(id -un)") as talk:
            talk.answer(PASSWORD, password)
            assert ("uid=ann" in talk.rest()) == (
                password is not WRONG), talk.seen
    with login(tree, "bob") as talk:
        talk.answer(PASSWORD, WRONG)
        talk.answer("login: ", "bob")
        talk.answer(PASSWORD, PEOPLE["bob"])
        talk.until(r"\$ ")
        # sudo, on the terminal of the session.
        talk.type("sudo -k sh -c 'echo uid=$(id -un)'")
        talk.answer("password for bob: ", WRONG)
        talk.answer("password for bob: ", PEOPLE["bob"])
        talk.until("uid=root")
        talk.until(r"\$ ")  # what is typed before sudo has ended is dropped
        # passwd shows the rules, and refuses what breaks one.
        talk.type("passwd")
        talk.answer(CURRENT, PEOPLE["bob"])
        talk.answer(NEW, "secret")
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.until("successfully")
        talk.type("exit")
        talk.rest()
    assert not su(tree, "bob", PEOPLE["bob"])
    PEOPLE["bob"] = FRESH
    verifies(tree)


def test_forced_change(tree):
    tree.run("chage", "-d", "0", "ann")
    fresh = "three birds on a wire"
    with tree.talk(*SSH, "ann", "127.0.0.1", "echo uid=$(id -un)") as talk:
        talk.answer(PASSWORD, PEOPLE["ann"])
        talk.answer(NEW, fresh)
        talk.answer(AGAIN, fresh)
        assert "uid=ann" in talk.rest(), talk.seen
    assert not su(tree, "ann", PEOPLE["ann"])
    PEOPLE["ann"] = fresh
    assert su(tree, "ann", fresh)


def test_lockout(tree):
    for _ in range(5):
        assert not su(tree, "ann", WRONG)
    assert not su(tree, "ann", PEOPLE["ann"])
    assert "locked_for:  " in tree.run("selfresetctl", "status", "ann",
                                          code=3)
    tree.run("selfresetctl", "unlock", "ann")
    assert su(tree, "ann", PEOPLE["ann"])
    verifies(tree)


class Machine:
    """Where the directory runs: outside, and its socket is in the tree."""

    def __init__(self):
        self.running = []

    def start(self, command, **options):
        self.running.append(subprocess.Popen(command, **options))
        return self.running[-1]


def test_directory(tree, monkeypatch):
    """An account of a directory, through the package of its backend."""
    password = "a lamp in the window"
    monkeypatch.setattr(directory, "RUN", tree.path / "srv")
    server = directory.Slapd(Machine(), [directory.user("carl", 3001, password)])
    try:
        with open(tree.inside("/etc/passwd"), "a", encoding="ascii") as out:
            out.write("carl:x:3001:3001::/tmp:/bin/sh\n")
        secret = tree.inside("/etc/security/selfreset.secret")
        secret.touch(mode=0o600)
        secret.write_text(directory.SERVICE_SECRET + "\n")
        socket = "/" + str(server.socket.relative_to(tree.path))
        conf = tree.inside(CONF + ".d/corp.conf")
        conf.write_text(
            "[selfreset]\nbackends = local corp\n[backend corp]\n"
            f"uri = ldapi://{socket.replace('/', '%2F')}\n"
            f"base = {directory.PEOPLE}\nidentity = simple\n"
            f"bind_dn = {directory.SERVICE}\n"
            "secret_file = /etc/security/selfreset.secret\n"
            f"default_policy = {directory.POLICY}\n")
        assert not su(tree, "carl", WRONG)
        assert su(tree, "carl", password), tree.run(
            "selfresetctl", "check", "--backend", "corp", code=None)
        verifies(tree)
    finally:
        server.stop()
        tree.inside(CONF + ".d/corp.conf").unlink(missing_ok=True)


# ---- removed, and interrupted meanwhile

def remove(tree, code=0):
    """The module by itself: the others would come and go each time."""
    return tree.run("dpkg", "--force-depends", "-r", "libpam-selfreset",
                    env=NO_QUESTIONS, code=code)


def refused(tree):
    """A removal that does not succeed; passwords are verified as before."""
    shown = remove(tree, code=1)
    assert status(tree, "libpam-selfreset") == "installed", shown
    assert is_named(tree)
    verifies(tree)
    return shown


def test_lines_by_hand(tree):
    """No file that somebody wrote is changed, and none names what is gone."""
    service = tree.inside("/etc/pam.d/su")
    kept = service.read_text()
    service.write_text("session optional pam_selfreset.so\n" + kept)
    before = stacks(tree)
    shown = refused(tree)
    assert "/etc/pam.d/su" in shown and "by hand" in shown
    assert stacks(tree) == before
    service.write_text(kept)
    # pam-auth-update answers success, and has written nothing.
    common = tree.inside("/etc/pam.d/common-auth")
    common.write_text(re.sub(r"(?m)^auth.*pam_selfreset",
                             r"auth optional pam_faildelay.so delay=1\n\g<0>",
                             before["auth"], count=1))
    edited = stacks(tree)
    shown = refused(tree)
    assert "/etc/pam.d/common-auth" in shown
    assert stacks(tree) == edited
    # What it advises is what helps, and keeps a copy.
    follow_advice(tree, shown)
    assert tree.inside("/etc/pam.d/common-auth.pam-old").read_text() == \
        edited["auth"]
    verifies(tree)


def follow_advice(tree, shown):
    advice = re.search(r"^ +(pam-auth-update --force .*)$", shown, re.M)
    tree.shell(advice[1], env=NO_QUESTIONS)
    assert not is_named(tree)


def test_a_profile_by_hand(tree):
    """An administrator's own, in place of ours."""
    profiles = tree.inside("/usr/share/pam-configs")
    mine = profiles / "selfreset-site"
    mine.write_text((profiles / "selfreset").read_text())
    try:
        tree.run("pam-auth-update", "--disable", "selfreset", "--enable",
                 "selfreset-site", env=NO_QUESTIONS)
        follow_advice(tree, refused(tree))
        verifies(tree)
    finally:
        mine.unlink()
    enable(tree)


def test_another_root(tree):
    """dpkg --root with --force-script-chrootless: nothing of this host is
    changed."""
    other = "/srv/other"
    tree.shell(f"mkdir -p {other}/etc {other}/var/lib {other}/usr/share; "
               f"cp -a /etc/pam.d /etc/debconf.conf {other}/etc; "
               f"mkdir {other}/var/cache; "
               f"cp -a /var/cache/debconf {other}/var/cache; "
               f"cp -a /var/lib/pam {other}/var/lib; "
               f"cp -a /usr/share/pam-configs /usr/share/libpam-selfreset "
               f"{other}/usr/share")
    before = stacks(tree)
    (script,) = tree.inside("/var/lib/dpkg/info").glob(
        "libpam-selfreset[.:]*prerm")
    tree.run("sh", f"/var/lib/dpkg/info/{script.name}", "remove", env={**NO_QUESTIONS, "DPKG_ROOT": other})
    assert stacks(tree) == before
    assert "pam_selfreset.so" not in tree.inside(
        f"{other}/etc/pam.d/common-auth").read_text()
    tree.shell(f"rm -r {other}")
    verifies(tree)


KILLED = """#!/bin/sh
# The maintainer script that runs this is killed at some point.
killed() {{
	rm -f /run/armed
	kill -9 $PPID $$
}}
[ -e /run/armed ] || exec {real} "$@"
{point}
"""
POINTS = {
    "before": "killed",
    "after": '{real} "$@"; killed',
    # After the first file was replaced, and before that was noted.
    "between": """mkdir /run/keep
cp -a /etc/pam.d/common-* /var/lib/pam/* /run/keep/
{real} "$@"
for part in account password session session-noninteractive; do
	cp -a /run/keep/common-$part /etc/pam.d/
done
for part in auth account password session session-noninteractive; do
	cp -a /run/keep/$part /var/lib/pam/
done
rm -rf /run/keep
killed""",
    # Cut short, as by a disk that is full.
    "cut": """: >/etc/pam.d/common-auth.pam-new
mv /etc/pam.d/common-auth.pam-new /etc/pam.d/common-auth
exit 1""",
}
UPDATER = "/usr/sbin/pam-auth-update"


@pytest.fixture
def interrupted(tree):
    """pam-auth-update is stopped, or stops its caller, once."""
    program = tree.inside(UPDATER)
    real = UPDATER + ".real"

    def arm(point):
        script = POINTS[point].format(real=real)
        if not tree.inside(real).exists():
            program.rename(tree.inside(real))
        program.write_text(KILLED.format(
            real=real, point=f"rm -f /run/armed\n{script}" if point == "cut"
            else script))
        program.chmod(0o755)
        tree.inside("/run/armed").touch()

    yield arm
    tree.inside("/run/armed").unlink(missing_ok=True)
    if tree.inside(real).exists():
        tree.inside(real).rename(program)


@pytest.mark.parametrize("point", POINTS)
def test_interrupted_while_configured(tree, interrupted, point):
    before = stacks(tree)
    interrupted(point)
    tree.shell("dpkg -i /srv/packages/libpam-selfreset_*", env=NO_QUESTIONS,
               code=1)
    assert status(tree, "libpam-selfreset") != "installed"
    verifies(tree)
    tree.run("dpkg", "--configure", "-a", env=NO_QUESTIONS)
    assert status(tree, "libpam-selfreset") == "installed"
    assert stacks(tree) == before
    assert not tree.inside("/var/backups/libpam-selfreset").exists()
    verifies(tree)


@pytest.mark.parametrize("point", POINTS)
def test_interrupted_while_removed(tree, interrupted, point):
    """One of the files is a link."""
    common = tree.inside("/etc/pam.d/common-auth")
    tree.shell("mkdir /etc/site; mv /etc/pam.d/common-auth /etc/site/auth; "
               "ln -s ../site/auth /etc/pam.d/common-auth; "
               "rm -rf /var/backups.kept; mv /var/backups /var/backups.kept")
    interrupted(point)
    remove(tree, code=1)
    verifies(tree)
    assert common.is_symlink() and is_named(tree)
    tree.shell("rm -rf /var/backups; mv /var/backups.kept /var/backups")
    remove(tree)
    assert not is_named(tree)
    assert status(tree, "libpam-selfreset") == "config-files"
    verifies(tree)
    tree.shell("rm -r /etc/site; "
               "dpkg -i /srv/packages/libpam-selfreset_*", env=NO_QUESTIONS)
    enable(tree)


def test_read_only(tree):
    """It says so, and advises nothing that would fail."""
    tree.shell("mount --bind /etc/pam.d /etc/pam.d; "
               "mount -o remount,ro,bind /etc/pam.d")
    try:
        shown = refused(tree)
        assert "read-only" in shown and "pam-auth-update" not in shown
    finally:
        tree.run("umount", "/etc/pam.d")


def test_the_disk_is_full(tree):
    """Nothing is done by halves, and with space again all is done."""
    tree.shell("cp -a /etc/pam.d /run/pam.d; "
               "mount -t tmpfs -o size=120k,mode=755 tmpfs /etc/pam.d; "
               "cp -a /run/pam.d/. /etc/pam.d; mkdir -p /run/backups; "
               "mount -t tmpfs -o size=64k tmpfs /var/backups")
    try:
        for place in ("/var/backups", "/etc/pam.d"):
            tree.shell(f"cat /dev/zero >{place}/full 2>/dev/null || true")
            before = stacks(tree)
            refused(tree)
            assert stacks(tree) == before
            tree.run("rm", f"{place}/full")
        remove(tree)
        assert not is_named(tree)
        verifies(tree)
    finally:
        tree.shell("rm -f /etc/pam.d/full; cp -a /etc/pam.d/. /run/pam.d/; "
                   "umount /etc/pam.d; cp -a /run/pam.d/. /etc/pam.d/; "
                   "umount /var/backups")


# ---- removed and purged

def test_removed(tree):
    """What an administrator would want back is kept; nothing names what is
    gone.  A link stays one."""
    tree.shell("dpkg -i /srv/packages/*.deb; mkdir /etc/site; "
               "mv /etc/nsswitch.conf /etc/site/names; "
               "ln -s site/names /etc/nsswitch.conf", env=NO_QUESTIONS)
    enable(tree)
    apt(tree, "remove", *OURS)
    assert not is_named(tree)
    assert tree.inside("/etc/nsswitch.conf").is_symlink()
    assert "pam_unix.so" in stacks(tree)["auth"]
    assert "selfreset" not in tree.inside("/etc/nsswitch.conf").read_text()
    assert tree.inside(CONF).exists()
    assert list(tree.inside("/var/lib/selfreset").iterdir())
    for package in OURS:
        assert status(tree, package) in ("config-files", "not-installed", "")
    verifies(tree)


def test_installed_again(tree):
    install(tree)
    verifies(tree)
    assert "wait = 11s" in tree.inside(CONF).read_text()
    enable(tree)
    verifies(tree)
    names = tree.inside("/etc/nsswitch.conf")
    assert names.is_symlink()
    assert "selfreset" in tree.inside("/etc/site/names").read_text()
    assert tree.shell("stat -c %a:%U /etc/site/names") == "644:root\n"
    names.unlink()
    tree.shell("mv /etc/site/names /etc/nsswitch.conf; rmdir /etc/site")


def test_purged(tree):
    # The state may have a disk of its own.
    tree.shell("mv /var/lib/selfreset /run/state; mkdir /var/lib/selfreset; "
               "mount -t tmpfs -o mode=700 tmpfs /var/lib/selfreset; "
               "cp -a /run/state/. /var/lib/selfreset; rm -r /run/state")
    tree.shell("yes | " + command_of("apt purge"), env=NO_QUESTIONS)
    verifies(tree)
    tree.shell("umount /var/lib/selfreset; rmdir /var/lib/selfreset")
    left = tree.shell("find / -xdev -name '*selfreset*' ! -path '/srv/*' "
                      "! -path '/proc/*' ! -path '/var/cache/apt/*' "
                      "! -path '/tmp/*' ! -path '/var/lib/apt/*'").split()
    # What is the administrator's stays his.
    assert tree.inside(MINE).exists()
    assert sorted(left) == [CONF + ".d", "/etc/security/selfreset.secret",
                            "/etc/ssh/sshd_config.d/20-selfreset.conf"]
    assert "selfreset" not in tree.inside("/etc/nsswitch.conf").read_text()
    install(tree)
    verifies(tree)
    enable(tree)
    verifies(tree)


def test_interrupted_between_two_lines(tree):
    """The source of the name service gets into both lines of nsswitch.conf."""
    apt(tree, "purge", "libnss-selfreset")
    package = next(tree.inside("/srv/packages").glob("libnss-selfreset_*"))
    sed = tree.inside("/usr/bin/sed")
    real = tree.inside("/usr/bin/sed.real")
    sed.rename(real)
    try:
        sed.write_text("#!/bin/sh\n/usr/bin/sed.real \"$@\" || exit\n"
                       "case $* in *'/^group:'*) kill -9 $PPID;; esac\n")
        sed.chmod(0o755)
        apt(tree, "install", f"/srv/packages/{package.name}", code=100)
    finally:
        real.rename(sed)
    text = tree.inside("/etc/nsswitch.conf").read_text()
    assert text.count("selfreset") == 1
    verifies(tree)
    tree.run("dpkg", "--configure", "-a")
    text = tree.inside("/etc/nsswitch.conf").read_text()
    assert re.search(r"^group:\s+files selfreset$", text, re.M), text
    assert re.search(r"^shadow:\s+files selfreset$", text, re.M), text
    verifies(tree)
