"""Hardening guides: what scanners read in the files of other modules is in
force, or selfresetctl says that it is not.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from scratch import CONFIG, ETC, RUN, mount
from test_ctl import OLD, PEER, ctl, guess, status

SECURITY = ETC / "security"
PAGE = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def files(host):
    """Those that Linux-PAM's packages install: comments alone."""
    for name in ("faillock", "pwquality", "pwhistory"):
        (SECURITY / f"{name}.conf").write_text(f"# {name}\n# deny = 3\n")
    yield
    for name in ("faillock", "pwquality", "pwhistory"):
        (SECURITY / f"{name}.conf").write_text("")


def write(name, text):
    (SECURITY / f"{name}.conf").write_text(text)


def rules(host, name="ann"):
    return status(host, name)[1]["rules"]


def findings(host):
    said = json.loads(host.run("selfresetctl", "check", "--json").stdout)
    return {one["place"]: one["text"] + " " + one["advice"] for one in said
            if "/security/" in one["place"]}


ALL = {"selfreset": {"defaults_from": "faillock pwquality pwhistory"}}


def test_values_of_other_files_are_in_force(host):
    host.add("ann", OLD)
    host.configure(**ALL)
    before = rules(host)
    assert before["lockout.attempts"] == 5  # comments set nothing
    assert before["password.preset"] == "pwquality"
    write("faillock", "deny=2\n fail_interval = 1200 # twenty minutes\n"
                      "unlock_time 1800\neven_deny_root\nsilent\n"
                      "audit\ndir = /x\n")
    write("pwhistory", "remember = 7\nenforce_for_root\nretry=2\n")
    write("pwquality", "minlen = 18\n")
    found = rules(host)
    assert (found["lockout.attempts"], found["lockout.window"],
            found["lockout.duration"], found["lockout.duration_max"],
            found["lockout.root"], found["lockout.delay"]) == (
                2, 1200, 1800, 1800, True, before["lockout.delay"])
    assert (found["password.history"], found["change.root"],
            found["change.tries"]) == (7, "enforce", 2)
    assert findings(host) == {}
    guess(host, 2)
    assert status(host)[0] == 3
    done = ctl(host, "password-check", "ann", input="17 Characters 4!\n",
               code=9)
    assert "18" in done.stdout
    with (SECURITY / "faillock.conf").open("a") as file:
        file.write("nodelay\n")
    assert rules(host)["lockout.delay"] == before["lockout.delay"]
    assert list(findings(host)) == [f"{SECURITY}/faillock.conf:8"]
    # A key in selfreset.conf counts, and check says so.
    host.configure(**ALL, lockout={"attempts": "4"})
    assert rules(host)["lockout.attempts"] == 4
    said = findings(host)
    assert f"{SECURITY}/faillock.conf:1" in said
    assert f"{CONFIG}:" in said[f"{SECURITY}/faillock.conf:1"]
    assert "\"deny = 2\" is not in force" in said[f"{SECURITY}/faillock.conf:1"]


def test_files_that_are_not_asked_for_are_compared(host):
    host.add("ann", OLD)
    write("faillock", "\ndeny = 3\n")
    write("pwhistory", "remember = 24\n")
    write("pwquality", "minlen = 14\n")
    said = findings(host)
    assert rules(host)["lockout.attempts"] == 5
    assert set(said) == {f"{SECURITY}/{place}" for place in (
        "faillock.conf:2", "pwhistory.conf:1", "pwquality.conf:1")}
    assert all("selfreset.defaults_from" in text for text in said.values())


def test_faillock_values_that_have_no_equal(host):
    """never; shorter than the window; more than a ledger has; groups."""
    host.add("ann", OLD)
    host.configure(selfreset={"defaults_from": "faillock"})
    write("faillock", "deny = 3\nunlock_time = never\n")
    found = rules(host)
    assert (found["lockout.limit"], found["lockout.window"],
            found["lockout.duration"]) == (3, 900, 900)
    guess(host, 3)
    assert status(host)[1]["locked_until"] == "never"
    ctl(host, "unlock", "ann")
    write("faillock", "deny = 100\nfail_interval = 900\nunlock_time = 600\n")
    found = rules(host)
    assert (found["lockout.attempts"], found["lockout.duration"]) == (64, 900)
    said = findings(host)
    assert "at most 64" in said[f"{SECURITY}/faillock.conf:1"]
    assert "not shorter than the window" in said[f"{SECURITY}/faillock.conf:3"]
    write("faillock", "deny = 3\nroot_unlock_time = 3600\nunlock_time=900\n")
    found = rules(host, "root")
    assert (found["lockout.root"], found["lockout.duration"]) == (True, 3600)
    assert rules(host)["lockout.duration"] == 900


@pytest.mark.parametrize("text, key, value, is_odd", [
    ("deny = many", "lockout.attempts", 5, True),
    ("deny =", "lockout.attempts", 5, True),
    ("deny = -1", "lockout.attempts", 5, True),
    ("deny = 5x", "lockout.attempts", 5, False),
    ("deny = 99999999999999999999", "lockout.attempts", 5, True),
    ("deny = 9999\nunlock_time = never", "lockout.limit", 9999, True),
    ("unlock_time = 3m", "lockout.duration", 900, True),
    ("unlock_time = 99999999", "lockout.duration", 900, True),
    ("unlock_time = 604800", "lockout.duration", 604800, False),
    ("unlock_time = 1000\nunlock_time = soon", "lockout.duration", 1000, True),
    ("fail_interval = 0", "lockout.window", 1, True),
    ("fail_interval = 604800", "lockout.duration", 604800, False),
    ("root_unlock_time = soon", "lockout.root", False, True),
    ("no_such_word = 3", "lockout.attempts", 5, False),
    ("retry = 0", "change.tries", 1, True),
    ("retry = 5000", "change.tries", 99, True),
    ("retry = x", "change.tries", 3, True),
    ("remember = 99999999999999999999", "password.history", 64, True),
])
def test_no_edit_of_another_file_is_an_error(host, text, key, value, is_odd):
    """It would shut out all but root.  What is odd is as its module takes it, or
    the nearest value, and check says so."""
    host.add("ann", OLD)
    host.configure(selfreset={"defaults_from": "faillock pwhistory"})
    write("pwhistory" if key[0] in "cp" else "faillock", text + "\n")
    assert rules(host)[key] == value
    assert bool(findings(host)) == is_odd, findings(host)


@pytest.mark.parametrize("mine, text", [
    ({"duration": "15m"}, "fail_interval = 1200"),
    ({"window": "1h", "duration_max": "2h"}, "unlock_time = 900"),
    ({"duration_max": "1h"}, "unlock_time = 90000"),
])
def test_nor_one_that_contradicts_our_own(host, mine, text):
    host.add("ann", OLD)
    host.configure(selfreset={"defaults_from": "faillock"}, lockout=mine)
    write("faillock", text + "\n")
    assert rules(host)
    assert "lockout.duration is" in str(findings(host))


def test_an_unsafe_file_is_an_error(host):
    host.add("ann", OLD)
    host.configure(**ALL)
    (SECURITY / "faillock.conf").chmod(0o666)
    assert "can be written by others" in ctl(host, "status", "ann",
                                             code=1).stderr
    (SECURITY / "faillock.conf").chmod(0o644)
    (SECURITY / "faillock.conf").unlink()
    assert ctl(host, "status", "ann").returncode == 0


# ---- the benchmark

def stacks(host, hash="yescrypt"):
    """Those of the example for Debian."""
    text = (PAGE / "pam/examples/debian").read_text()
    for name in ("auth", "account", "password", "session"):
        lines = [line for line in text.splitlines() if line.startswith(name)]
        host.service(f"common-{name}", "\n".join(lines).replace(
            "nullok ", "").replace("yescrypt", hash) + "\n")


def missed_in(host, name):
    """{rule: what is there}"""
    return {one["rule"]: one["by"] for one in benchmark(host, name)
            if not one["fulfilled"]}


def benchmark(host, name):
    done = host.run("selfresetctl", "check", "--benchmark", name, "--json")
    said = json.loads(done.stdout)
    assert done.returncode == (0 if all(one["fulfilled"] for one in said)
                               else 10)
    return said


HARD = {
    "faillock": "deny = 3\nfail_interval = 900\nunlock_time = 0\n"
                "even_deny_root\n",
    "pwquality": "difok = 8\nminlen = 15\nminclass = 4\ndcredit = -1\n"
                 "ucredit = -1\nlcredit = -1\nocredit = -1\nmaxrepeat = 3\n"
                 "maxsequence = 3\ndictcheck = 1\nretry = 3\n"
                 "enforce_for_root\n",
    "pwhistory": "remember = 24\nenforce_for_root\n",
}


def harden(host, hash="sha512"):
    stacks(host, hash)
    host.configure(**ALL, lockout={"delay": "4s"})
    for name, text in HARD.items():
        write(name, text)
    defs = re.sub(r"(?m)^(PASS_|ENCRYPT).*\n", "",
                  (ETC / "login.defs").read_text())
    (ETC / "login.defs").write_text(
        defs + "PASS_MAX_DAYS 60\nPASS_MIN_DAYS 1\nPASS_WARN_AGE 7\n"
        f"ENCRYPT_METHOD {hash.upper()}\n")


def test_benchmark(host):
    host.add("ann", OLD, min=1, max=60, inactive=30)
    stacks(host)
    host.configure()
    soft = benchmark(host, "cis")
    assert len(soft) > 25 and not all(one["fulfilled"] for one in soft)
    assert all(one["rule"].startswith(("5.3", "5.4.1")) for one in soft)
    harden(host)
    for name in ("cis", "stig"):
        assert missed_in(host, name) == {}
    # Each value that is weakened is missed, by the number of its rule.
    for file, line, weak, rule in (
            ("faillock", "deny = 3", "deny = 6", "5.3.3.1.1"),
            ("faillock", "unlock_time = 0", "unlock_time = 60000",
             "UBTU-22-411045"),
            ("faillock", "even_deny_root", "", "5.3.3.1.3"),
            ("pwquality", "minlen = 15", "minlen = 13", "5.3.3.2.2"),
            ("pwquality", "dcredit = -1", "dcredit = 2", "5.3.3.2.2"),
            ("pwquality", "difok = 8", "difok = 1", "5.3.3.2.1"),
            ("pwquality", "maxrepeat = 3", "maxrepeat = 4", "5.3.3.2.4"),
            ("pwquality", "ocredit = -1", "", "UBTU-22-611025"),
            ("pwquality", "retry = 3", "retry = 4", "UBTU-22-611045"),
            ("pwhistory", "remember = 24", "remember = 4", "5.3.3.3.1")):
        write(file, HARD[file].replace(line, weak))
        guide = "stig" if rule.startswith("U") else "cis"
        missed = missed_in(host, guide)
        assert rule in missed, (rule, missed)
        write(file, HARD[file])
    # FIPS 140-3 does not know yescrypt.
    harden(host, "yescrypt")
    assert missed_in(host, "cis") == {}
    assert set(missed_in(host, "stig")) == {"UBTU-22-611055", "UBTU-22-611070"}
    host.add("bob", OLD, max=99999, min=0)
    missed = missed_in(host, "cis")
    assert set(missed) == {"5.4.1.1", "5.4.1.2", "5.4.1.5"}
    assert all("bob" in by for by in missed.values())
    host.set_shadow("bob", 1, "")
    assert "bob" in missed_in(host, "stig")["UBTU-22-611065"]
    text = host.run("selfresetctl", "check", "--benchmark", "cis").stdout
    assert max(map(len, text.splitlines())) <= 72
    assert "Did you mean \"stig\"" in ctl(host, "check", "--benchmark", "stg",
                                          code=64).stderr


CONTENT = pathlib.Path("/usr/share/xml/scap/ssg/content")
RULE = "xccdf_org.ssgproject.content_rule_"
QUALITY = ("dcredit", "lcredit", "minclass", "minlen", "ocredit", "ucredit")


class Platform:
    """What a guide for one system has to say about passwords, by the names of
    OpenSCAP's content."""

    def __init__(self, name, profile, release, held, values, others):
        self.name = name
        self.profile = f"xccdf_selfreset_profile_{name}_{profile}"
        self.release = release
        self.rules = CONTENT / f"ssg-{name}-xccdf.xml"
        self.tailoring = PAGE / f"tools/openscap/ssg-{name}-tailoring.xml"
        # Rules that hold,
        self.held = held
        # those that also want another module in the stacks, each with the test
        # of its value, which holds,
        self.values = {
            **{f"accounts_password_pam_{name}": f"password_pam_pwquality_{name}"
               for name in QUALITY}, **values}
        # and those that only want another module.
        self.left_out = (*self.values, *others)

    def known(self, rules):
        """Those that the content of this release has."""
        content = self.rules.read_text()
        return [rule for rule in rules if f'"{RULE}{rule}"' in content]

    def scan(self, host):
        """{rule: result} of OpenSCAP, and the tests of values that are true.
        Rules that are asked for are tried even if they are left out."""
        folder = RUN / "scan"
        folder.mkdir(exist_ok=True)
        rules = self.known((*self.held, *self.left_out))
        done = host.run(
            "oscap", "xccdf", "eval", "--tailoring-file", self.tailoring,
            "--profile", self.profile,
            *(word for rule in rules for word in ("--rule", RULE + rule)),
            "--oval-results", "--results", folder / "results.xml",
            "--cpe", CONTENT / f"ssg-{self.name}-cpe-dictionary.xml",
            self.rules, cwd=folder)
        assert (folder / "results.xml").exists(), done.stdout + done.stderr
        space = "{http://checklists.nist.gov/xccdf/1.2}"
        found = {one.get("idref").removeprefix(RULE):
                 one.find(f"{space}result").text for one in
                 ElementTree.parse(folder / "results.xml").iter(
                     f"{space}rule-result")}
        tests = ElementTree.parse(
            folder / f"ssg-{self.name}-oval.xml.result.xml").iter(
                "{http://oval.mitre.org/XMLSchema/oval-results-5}test")
        true = {one.get("test_id") for one in tests
                if one.get("result") == "true"}
        return {rule: found[rule] for rule in rules}, true


PLATFORMS = [
    Platform(
        "ubuntu2204", "cis",
        'NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="22.04"\n'
        'VERSION_CODENAME=jammy\nID_LIKE=debian\n',
        ("accounts_maximum_age_login_defs", "accounts_minimum_age_login_defs",
         "accounts_password_warn_age_login_defs",
         "accounts_password_set_max_life_existing",
         "accounts_password_set_min_life_existing",
         "accounts_password_pam_retry"), {},
        ("accounts_passwords_pam_tally2",
         "accounts_password_pam_pwhistory_remember")),
    Platform(
        "debian12", "anssi",
        'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n'
        'VERSION_CODENAME=bookworm\n',
        ("accounts_password_pam_retry",
         "set_password_hashing_algorithm_logindefs"),
        {"accounts_password_pam_unix_remember":
         "accounts_password_pam_unix_remember_pwhistory_conf",
         **{f"accounts_passwords_pam_faillock_{rule}":
            f"accounts_passwords_pam_faillock_{name}_parameter_faillock_conf"
            for rule, name in {"deny": "deny", "interval": "fail_interval",
                               "unlock_time": "unlock_time"}.items()}},
        ("package_pam_pwquality_installed",)),
]
# Debian 12 has no content for itself, its successor has.
PACKAGED = [one for one in PLATFORMS if one.rules.exists()]


@pytest.mark.parametrize("platform", PACKAGED, ids=lambda one: one.name)
def test_what_a_scanner_reads_is_in_force(host, platform):
    """Rules that are left out fail for the module alone: the values are
    right."""
    release = RUN / "os-release"
    release.write_text(platform.release)
    (ETC / "lsb-release").write_text(
        "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\n")
    host.add("ann", OLD, min=1, max=60)
    for line in (ETC / "shadow").read_text().splitlines():
        name = line.split(":")[0]
        host.set_shadow(name, 3, 1)
        host.set_shadow(name, 4, 60)
    harden(host, "yescrypt")
    write("faillock", HARD["faillock"].replace("unlock_time = 0",
                                               "unlock_time = 900"))
    mount("--bind", release, "/usr/lib/os-release")
    version = (ETC / "debian_version").read_text()
    (ETC / "debian_version").write_text("12.5\n")
    try:
        found, true = platform.scan(host)
    finally:
        subprocess.run(["umount", "/usr/lib/os-release"], check=True)
        (ETC / "debian_version").write_text(version)
        (ETC / "lsb-release").unlink()
    values = platform.known(platform.values)
    assert len(values) >= len(QUALITY)
    assert found == {**dict.fromkeys(platform.known(platform.held), "pass"),
                     **dict.fromkeys(platform.known(platform.left_out),
                                     "fail")}
    assert {f"oval:ssg-test_{platform.values[rule]}:tst:1"
            for rule in values} <= true
    # 14 characters of each kind are one too few, 15 are not.
    for password, code in (("Xk4!vq-Wm7#zrB", 9), ("Xk4!vq-Wm7#zrBn", 0)):
        ctl(host, "password-check", "ann", input=password + "\n", code=code)


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda one: one.name)
def test_each_rule_that_is_left_out_exists_and_has_a_reason(platform):
    space = "{http://checklists.nist.gov/xccdf/1.2}"
    tree = ElementTree.parse(platform.tailoring).getroot()
    assert tree.find(f"{space}benchmark").get("href") == str(
        CONTENT / f"ssg-{platform.name}-ds.xml")
    profile = tree.find(f"{space}Profile")
    assert profile.get("id") == platform.profile
    selects = list(profile.iter(f"{space}select"))
    assert sorted(RULE + rule for rule in platform.left_out) == sorted(
        select.get("idref") for select in selects)
    for select in selects:
        assert len(select.find(f"{space}remark").text) > 40
    if platform in PACKAGED:
        assert f'"{profile.get("extends")}"' in platform.rules.read_text()


def test_each_tailoring_file_is_tested():
    assert {one.tailoring for one in PLATFORMS} == set(
        (PAGE / "tools/openscap").glob("*.xml"))
