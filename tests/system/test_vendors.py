"""Beside sssd, nslcd and winbind: every stack that README and the manual show for such
hosts, for root, an account of the host and one of the directory, by password,
key and su, with the real daemons and their distribution's own lines.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import copy
import pathlib

import pytest

import directory
import vendors
from debian import debian, modules, update
from directory import CERTS, PEOPLE
from scratch import ETC, hash_password, stack
from talk import CURRENT, PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
THEIRS = "a quiet lake at dawn"
ROOT = "the root of all things"
TREE = pathlib.Path(__file__).parents[2]
PAM_D = ETC / "pam.d"
SECTION = "Hosts with sssd, nslcd or winbind"
THEIR_NEW = r"(?i)\bnew (NT )?password: "
THEIR_AGAIN = r"(?i)(again|re-?enter|retype|repeat)[^:\n]*: ?"


@pytest.fixture(scope="module", params=["sssd", "nslcd", "winbind"])
def beside(request, the_host):
    the_host.reset()
    kind = {"sssd": vendors.Sssd, "nslcd": vendors.Nslcd,
            "winbind": vendors.Winbind}[request.param]
    with vendors.vendor(kind, the_host, [("dora", 7001, THEIRS),
                                         ("eve", 7002, THEIRS)]) as made:
        made.wait_for("dora")
        yield made
    the_host.stop_all()


def test_it_runs(beside):
    assert "uid=7001(dora)" in beside.host.run("id", "dora").stdout


# ---- the stacks that are printed

def block_of(text, section):
    """The indented block with the stack in a section of README."""
    text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    (found,) = (block for block in text.split("\n\n")
                if block.lstrip().startswith("auth "))
    return found


def account_line(module):
    """The account line of a module that README names besides."""
    text = (TREE / "README.md").read_text().split(f"\n## {SECTION}\n")[1]
    (line,) = (line for line in text.replace("\\\n", " ").splitlines()
               if line.split()[:1] == ["account"] and module in line)
    return line


def readme(section):
    return block_of((TREE / "README.md").read_text(), section)


def manual(word):
    """The literal block of pam_selfreset(8) with a word."""
    page = (TREE / "man/pam_selfreset.8").read_text().replace("\\e\n", "\\\n")
    (found,) = (block.split(".Ed")[0] for block in
                page.split(".Bd -literal\n")[1:]
                if word in block.split(".Ed")[0])
    return found


def example(name):
    return (TREE / "pam/examples" / name).read_text()


def words(text):
    """A stack as lists of words, continued lines joined."""
    return [line.split() for line in text.replace("\\\n", " ").splitlines()
            if line.strip() and not line.lstrip().startswith("#")]


STACKS = {"README, around": lambda: readme(SECTION),
          "README, by hand": lambda: readme("Set it up"),
          "manual, around": lambda: manual("pam_sss"),
          "manual": lambda: manual("try_first_pass"),
          "example guard": lambda: example("guard"),
          "example minimal": lambda: example("minimal"),
          "example kerberos": lambda: example("kerberos"),
          "example fedora": lambda: example("fedora")}


def test_they_say_the_same():
    assert words(STACKS["README, around"]()) == words(STACKS["manual, around"]())
    assert words(STACKS["README, around"]()) == words(STACKS["example guard"]())
    assert words(STACKS["README, by hand"]()) == words(STACKS["manual"]())


def test_all_are_here():
    """No other page prints a stack."""
    printed = [path for path in (TREE / "README.md", *(TREE / "man").iterdir(),
                                 *(TREE / "pam/examples").iterdir())
               if any(line[:1] == ["auth"] for line in words(path.read_text()))]
    assert {path.name for path in printed} == {
        "README.md", "pam_selfreset.8", "debian", "fedora", "guard",
        "kerberos", "minimal"}


def adapted(text, lines):
    """With the lines of another module of a directory than pam_sss."""
    module = lines.split()[0]
    if module == "pam_sss.so":
        return text
    result = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.split()[:1] == ["account"] and "pam_sss.so" in line:
            line = account_line(module)
        result.append(line.replace("pam_sss.so", lines))
    return "\n".join(result) + "\n"


class People:
    """Who logs in: root, ann of this host, dora of the directory."""

    def __init__(self, beside):
        self.host, self.beside = beside.host, beside
        self.host.forget_state()
        names = {line.split(":")[0] for line in
                 (ETC / "passwd").read_text().splitlines()}
        if "ann" not in names:
            self.host.ann = self.host.add("ann", OLD)
            self.host.bob = self.host.add("bob", "bob's own words here")
            self.host.set_shadow("root", 1, hash_password(ROOT))
            home = pathlib.Path("/home/dora")
            home.mkdir(exist_ok=True)
            (home / ".profile").write_text('echo "in as $(id -un)"\nexit 0\n')
        for name in ("root", "ann", "dora"):
            self.host.give_key(name)
        self.host.set_shadow("ann", 1, hash_password(OLD))
        self.password = {"root": ROOT, "ann": OLD, "dora": THEIRS}

    def by_ssh(self, name, password):
        command = self.host.ssh_command(name, "echo in as $(id -un)")
        with Talk(command) as talk:
            talk.answer(PASSWORD, password)
            return f"in as {name}" in talk.rest()

    def by_key(self, name):
        done = self.host.run(*self.host.ssh_command(name, "id", "-un",
                                                    method="publickey"))
        return done.stdout == f"{name}\n"

    def by_su(self, name, password):
        with Talk(["su", name, "-c", "echo in as $(id -un)"],
                  user=self.host.bob) as talk:
            if "su: " in talk.until(PASSWORD, "su: "):
                return False  # without a question
            talk.type(password)
            return f"in as {name}" in talk.rest()

    def by_root(self, name):
        """su without a password."""
        return self.host.run("su", name, "-c", "id -un").stdout == f"{name}\n"

    def all_get_in(self, *names):
        for name in names:
            for way in (self.by_ssh, self.by_su):
                assert not way(name, "not it"), (name, way)
                assert way(name, self.password[name]), (name, way)
            assert self.by_key(name), name
            assert self.by_root(name), name


@pytest.fixture
def people(beside):
    beside.resume()
    return People(beside)


def install(people, text):
    for path in PAM_D.iterdir():
        path.unlink()
    for name in ("sshd", "login", "passwd"):
        people.host.service(name, text)
    people.host.service("su", "auth sufficient pam_rootok.so\n" + text)


# Of those that are the same words one; and those of accounts of the host only
# with one of the three.
@pytest.mark.parametrize("beside, name", [
    ("sssd", "README, around"), ("nslcd", "README, around"),
    ("winbind", "README, around"), ("sssd", "README, by hand"),
    ("sssd", "example minimal"), ("nslcd", "example kerberos"),
    ("nslcd", "example fedora")], indirect=["beside"])
def test_who_gets_in(people, name):
    text = STACKS[name]()
    install(people, adapted(text, people.beside.lines))
    people.all_get_in("root", "ann")
    if "pam_sss" in text:
        people.all_get_in("dora")
    else:
        # For the accounts of the host only: nobody else gets in by password.
        assert not people.by_ssh("dora", THEIRS)
        assert not people.by_su("dora", THEIRS)


# ---- around the other module

@pytest.fixture
def around(people):
    people.host.configure(lockout={"attempts": 3})
    install(people, adapted(readme(SECTION), people.beside.lines))
    yield people
    people.host.configure(lockout={"attempts": 5})


def test_check_is_content(around):
    """With the directory named in nsswitch.conf."""
    done = around.host.run("selfresetctl", "pam", "--check")
    assert done.returncode == 0, done.stdout


def test_guesses_are_counted(around):
    for _ in range(3):
        assert not around.by_su("dora", "a guess")
    assert not around.by_su("dora", THEIRS)
    # The others are not concerned, nor is her key.
    assert around.by_su("ann", OLD) and around.by_key("dora")
    done = around.host.run("selfresetctl", "unlock", "dora")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert around.by_su("dora", THEIRS)
    assert around.host.run("selfresetctl", "status", "dora").returncode == 7


def test_right_ones_are_not_counted(around):
    for _ in range(5):
        assert not around.by_su("dora", "a slip")
        assert around.by_su("dora", THEIRS)


def test_the_directory_is_away(around):
    """Nobody of the directory gets in by password, and everybody of the host
    does.  It counts."""
    around.beside.wait_for("eve")
    around.beside.server.stop()
    try:
        for _ in range(3):
            assert not around.by_su("eve", THEIRS)
        assert around.by_su("ann", OLD) and around.by_su("root", ROOT)
        assert around.by_key("root")
    finally:
        around.beside.server.start()
    around.beside.come_back()
    if around.beside.keeps_names:
        assert not around.by_su("eve", THEIRS)
    around.host.run("selfresetctl", "unlock", "eve")
    assert around.by_su("eve", THEIRS)


def test_a_cache_verifies(around):
    """sssd's, while the directory is away: counted as ever.  The others have
    none."""
    has_cache = around.beside.source == "sss"
    around.beside.come_back(has_cache=True)
    around.beside.wait_for("eve")
    assert around.by_su("dora", THEIRS)
    around.beside.server.stop()
    try:
        assert around.by_su("dora", THEIRS) == has_cache
        for _ in range(3):
            assert not around.by_su("dora", "a guess")
        assert not around.by_su("dora", THEIRS)
        # Those that it has not cached are refused like a wrong password.
        for _ in range(3):
            assert not around.by_su("eve", THEIRS)
    finally:
        around.beside.server.start()
    around.beside.come_back()
    assert around.by_su("eve", THEIRS) != around.beside.keeps_names


def change(caller, old, new):
    """passwd by its owner; all that was shown."""
    with Talk(["passwd"], user=caller) as talk:
        talk.answer(CURRENT, old)
        talk.answer(THEIR_NEW, new)
        talk.answer(THEIR_AGAIN, new)
        talk.rest()
        return talk.status == 0


class Caller:
    uid = 7001


def test_changes(around):
    server = around.beside.server
    assert change(around.host.ann, OLD, FRESH)
    assert around.host.has_password("ann", FRESH)
    assert change(Caller, THEIRS, FRESH)
    assert server.lets_in(directory.dn_of("dora"), FRESH)
    assert change(Caller, FRESH, THEIRS)
    assert server.lets_in(directory.dn_of("dora"), THEIRS)


# ---- above it, by Debian's profiles

@pytest.fixture
def above(people):
    profile = (people.beside.root / "usr/share/pam-configs" /
               people.beside.profile)
    with debian(people.host, [profile]):
        update("--enable", "selfreset", people.beside.profile)
        assert modules("auth")[:3] == ["pam_selfreset.so", "pam_unix.so",
                                       people.beside.lines.split()[0]]
        yield people


def test_debians_profiles(above):
    above.all_get_in("root", "ann", "dora")
    done = above.host.run("selfresetctl", "pam", "--check")
    assert done.returncode == 0, done.stdout
    assert change(above.host.ann, OLD, FRESH)
    assert above.host.has_password("ann", FRESH)


@pytest.mark.parametrize("beside", ["nslcd"], indirect=True)
def test_debians_profiles_count(above):
    """What falls through is throttled, too."""
    above.host.configure(lockout={"attempts": 3})
    try:
        for _ in range(3):
            assert above.by_su("dora", THEIRS)
        for _ in range(3):
            assert not above.by_su("dora", "a guess")
        assert not above.by_su("dora", THEIRS)
        assert above.by_su("ann", OLD) and above.by_key("dora")
    finally:
        above.host.configure(lockout={"attempts": 5})


@pytest.mark.parametrize("beside", ["sssd"], indirect=True)
def test_taken_out_again(above):
    done = above.host.run("selfresetctl", "pam", "--disable")
    assert done.returncode == 0, (done.stdout, done.stderr)
    above.all_get_in("root", "ann", "dora")


def test_check_names_who_is_shut_out(people):
    """The stack for the accounts of the host only, where the directory's are
    named by nsswitch.conf."""
    install(people, "auth required pam_selfreset.so\n"
            "account required pam_selfreset.so\n"
            "session optional pam_selfreset.so\n")
    done = people.host.run("selfresetctl", "pam", "--check")
    assert done.returncode == 2
    shown = " ".join(done.stdout.split())
    assert f'accounts from "{people.beside.source}"' in shown
    assert not people.by_key("dora") and not people.by_su("dora", THEIRS)
    people.host.forget_state()


@pytest.mark.parametrize("beside", ["sssd"], indirect=True)
def test_names_of_another_form(people):
    """Where this module serves the directory itself: dora is found by the name
    that sssd has been told to form, and by rules about groups."""
    host, beside = people.host, people.beside
    before = copy.deepcopy(host.settings)
    host.service("probe", stack())
    beside.names = ("use_fully_qualified_names = true\n"
                    "full_name_format = %1$s#%2$s\n"
                    "re_expression = (?P<name>[^#@]+)[#@](?P<domain>.+$)\n")
    beside.stop()
    beside.start()
    try:
        host.configure(selfreset={"backends": "local corp"},
                       backend_corp={"uri": beside.server.uri, "base": PEOPLE,
                                     "ca_file": CERTS / "ca.pem"})
        host.create_state_groups()
        host.nsswitch(passwd="files sss", group="files selfreset",
                      shadow="files selfreset")
        beside.wait_for("dora#corp")
        host.publish()
        assert host.states("dora#corp") == {"acct-ok"}
        assert people.host.run("selfresetctl", "status",
                               "dora#corp").returncode == 0
        done = host.drive("probe", "dora#corp", "auth", "acct",
                          answers=[THEIRS], rhost="192.0.2.7")
        assert done.codes == ["SUCCESS"] * 2, (done, host.log.all())
    finally:
        beside.stop()
        beside.names = ""
        beside.come_back()
        host.settings = before
        host.configure()
        host.nsswitch(passwd="files sss", shadow="files", group="files sss")
