"""The recipes of selfreset-recipes(7), each of them taken from there and run.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import re

import pytest

import polkit
from scratch import ETC, RUN
from talk import AGAIN, CURRENT, NEW, Talk

TREE = pathlib.Path(__file__).resolve().parents[2]
PAGE = TREE / "man/selfreset-recipes.7"
OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"

# What pam_unix alone would do: whoever is refused is refused by the recipe.
BLIND = ("auth required pam_unix.so nodelay\n"
         "account required pam_permit.so\n"
         "session optional pam_permit.so\n")


class Recipe:
    """A block of the page, and the file that its first line names."""

    def __init__(self, text):
        first, _, self.text = text.partition("\n")
        self.path = pathlib.Path(re.search(r"/etc/\S+", first)[0])

    def __repr__(self):
        return f"{self.path}\n{self.text}"

    def install(self):
        """Into the file, behind what is there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as out:
            out.write(self.text)


def recipes():
    """Blocks whose first line is a comment that names a file below /etc."""
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$",
                        PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return [Recipe(block) for block in blocks
            if re.match(r"(#|//)\s*/etc/\S+", block)]


# A word of each recipe, and of no other: what the tests below ask for it by.
RECIPES = ("ForceCommand", "DenyGroups", "AllowGroups", "sudo.conf", "sudoers",
           "polkit-1", "access.conf", "pam_succeed_if")


def find(word):
    """The recipe with that word in its text or the name of its file."""
    assert word in RECIPES
    found = [each for each in recipes() if word in str(each)]
    assert len(found) == 1, (word, found)
    return found[0]


def lock(host):
    """What usermod does and then the path unit on /etc/shadow."""
    host.set_shadow("ann", 7, 1)
    host.publish()


def unlock(host):
    host.set_shadow("ann", 7, "")
    host.publish()


def must_change(host):
    assert host.run("selfresetctl", "must-change", "ann").returncode == 0


# ---- sshd

@pytest.fixture
def ann(host):
    account = host.add("ann", OLD)
    for name in ("ann", "root"):
        host.give_key(name)
    host.serve_states()
    return account


def sshd(host, *words):
    """An sshd that reads the recipes as it would from its own directory."""
    files = [find(word) for word in words]
    for each in files:
        each.install()
    port = host.sshd(match="".join(f"Include {each.path}\n" for each in files))
    done = host.run("/usr/sbin/sshd", "-t", "-f", RUN / f"sshd-{port}.conf")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return port


def by_key(host, port, user="ann"):
    done = host.run(*host.ssh_command(user, "echo in as $(id -un)", port=port,
                                      method="publickey"))
    return f"in as {user}" in done.stdout


def change(host, port):
    """A login by key that meets passwd, and nothing else."""
    with Talk(host.ssh_command("ann", "echo in as $(id -un)", port=port,
                               method="publickey", tty=True)) as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        assert "in as" not in talk.rest()
    assert host.has_password("ann", FRESH)


def forwards(host, port):
    """Whether the connection carries another one."""
    done = host.run(*host.ssh_command("ann", port=port, method="publickey",
                                      options=("-W", f"127.0.0.1:{port}")))
    return done.stdout.startswith("SSH-2.0")


def test_sshd_forces_the_change(host, ann):
    host.configure(expiry={"expired_services": "sshd"})
    port = sshd(host, "ForceCommand")
    assert by_key(host, port) and forwards(host, port)
    must_change(host)
    assert not forwards(host, port)
    change(host, port)
    assert by_key(host, port) and forwards(host, port)


def test_sshd_forces_the_change_of_an_expired_password(host, ann):
    host.configure(expiry={"expired_services": "sshd"})
    port = sshd(host, "ForceCommand")
    host.set_shadow("ann", 4, 5)
    host.publish()
    assert not by_key(host, port)
    change(host, port)
    assert by_key(host, port)


def test_sshd_refuses_locked_accounts(host, ann):
    host.service("sshd", BLIND)
    port = sshd(host, "DenyGroups")
    for act, is_in in ((None, True), (lock, False), (unlock, True)):
        if act is not None:
            act(host)
        assert by_key(host, port) is is_in


def test_sshd_lets_in_only_whom_it_knows_to_be_good(host, ann):
    host.service("sshd", BLIND)
    port = sshd(host, "AllowGroups")
    for act, is_in in ((None, True), (lock, False), (unlock, True)):
        if act is not None:
            act(host)
        assert by_key(host, port) is is_in
    host.remove_nss_module()
    assert not by_key(host, port)
    assert by_key(host, port, "root")


def test_all_recipes_for_sshd_at_once(host, ann):
    """And nothing that a stranger could see depends on the state."""
    host.configure(expiry={"expired_services": "sshd"})
    port = sshd(host, "ForceCommand", "DenyGroups", "AllowGroups")
    assert by_key(host, port)
    shown = methods(host, port)
    assert "keyboard-interactive" in shown
    must_change(host)
    assert not by_key(host, port)
    assert methods(host, port) == shown
    change(host, port)
    assert by_key(host, port)
    lock(host)
    assert not by_key(host, port)
    assert methods(host, port) == shown
    checked = host.run("selfresetctl", "nss", "--check")
    assert "sshd" not in checked.stdout, checked.stdout


def methods(host, port):
    """What sshd offers to somebody who has shown nothing yet."""
    done = host.run(*host.ssh_command("ann", "true", port=port, method="none"))
    return re.search(r"denied \((.*)\)", done.stderr)[1]


# ---- sudo

@pytest.mark.parametrize("fields", [{4: 5}, {7: 1}])
def test_sudo(host, fields):
    sudoers = ETC / "sudoers"
    sudoers.write_text("Defaults !lecture\nann ALL=(ALL) NOPASSWD: ALL\n"
                       "@includedir /etc/sudoers.d\n")
    host.service("sudo", "auth required pam_deny.so\n"
                 "account required pam_permit.so\n"
                 "session required pam_permit.so\n")
    find("sudoers").install()
    find("sudo.conf").install()
    find("sudoers").path.chmod(0o440)
    account = host.add("ann", OLD)
    host.serve_states()
    done = host.run("visudo", "-c", "-q")
    assert done.returncode == 0, done.stderr

    def sudo():
        return host.run("sudo", "-n", "id", "-u", user=account.uid,
                        group=account.uid, extra_groups=[account.uid]).stdout

    assert sudo() == "0\n"
    before = {number: host.shadow("ann")[number] for number in fields}
    for states, shown in ((fields, ""), (before, "0\n")):
        for number, value in states.items():
            host.set_shadow("ann", number, value)
        host.publish()
        assert sudo() == shown


# ---- polkit

def test_polkit(host):
    account = host.add("ann", OLD)
    host.serve_states()
    find("polkit-1").install()
    daemon = polkit.Polkit(host)
    assert daemon.authorizes(account)
    lock(host)
    assert not daemon.authorizes(account)
    unlock(host)
    assert daemon.authorizes(account)
    host.set_shadow("ann", 4, 5)
    host.publish()
    assert not daemon.authorizes(account)


# ---- PAM modules

def is_refused(host, line):
    """By a stack that ends with the line and knows nothing else."""
    host.service("probe", f"auth required pam_permit.so\n{line}\n")
    return host.drive("probe", "ann", "acct").code != "SUCCESS"


@pytest.mark.parametrize("word, line", [
    ("pam_succeed_if", None),
    ("access.conf", "account required pam_access.so")])
def test_a_pam_module(host, ann, word, line):
    found = find(word)
    if line is None:
        line = found.text.strip()
    else:
        assert f"\n.Ql {line}\n" in PAGE.read_text(encoding="utf-8")
        (ETC / "security/access.conf").write_text("")
        found.install()
    assert not is_refused(host, line)
    lock(host)
    assert is_refused(host, line)
    unlock(host)
    assert not is_refused(host, line)


# ---- all of them

def test_no_recipe_is_left_out():
    for each in recipes():
        assert len([word for word in RECIPES
                    if word in str(each)]) == 1, each
    assert len(recipes()) == len(RECIPES)


def test_the_set_up_of_the_readme(host):
    """The four commands, in their order."""
    section = (TREE / "README.md").read_text(encoding="utf-8").split(
        "\n## State groups\n")[1]
    commands = re.findall(r"^    (selfreset.*)$", section, re.M)[:4]
    assert [each.split()[-1] for each in commands] == [
        "--create", "selfreset-publish", "--enable", "--check"]
    host.add("ann", OLD)
    for command in commands:
        done = host.run(*command.split())
        assert done.returncode in ((0, 1) if "--check" in command else (0,)), (
            command, done.stdout, done.stderr)
    assert "acct-ok" in host.run("id", "-Gn", "ann").stdout.split()
