"""selfresetctl nss and groups: what they do to the files of the system, what
they refuse, and every mistake that the check knows.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading

import pytest

from scratch import (ETC, NSS_MODULE, NSSDIR, PUBLISHED, RUN,
                     STATE_GROUPS, mount, nsswitch, tmpfs)

OLD = "correct horse battery"
FILE = ETC / "nsswitch.conf"
SSHD = ETC / "ssh/sshd_config"


def ctl(host, *arguments, code=0):
    done = host.run("selfresetctl", *arguments)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return " ".join((done.stdout + done.stderr).split())


def findings(host, *command):
    done = host.run("selfresetctl", *(command or ("nss", "--check")), "--json")
    found = json.loads(done.stdout)
    worst = [one["severity"] for one in found]
    assert done.returncode == (2 if "error" in worst else 10 if worst else 0)
    text = host.run("selfresetctl", *(command or ("nss", "--check")))
    assert text.returncode == done.returncode
    assert all(one["text"].endswith(".") and one["advice"].endswith(".")
               for one in found), found
    return found


def assert_found(host, severity, place, *words):
    """Exactly one finding, of this kind."""
    found = findings(host)
    assert len(found) == 1, found
    assert found[0]["severity"] == severity
    assert place in found[0]["place"]
    for word in words:
        assert word in found[0]["text"] + found[0]["advice"], found[0]
    return found[0]


@pytest.fixture
def nss(host):
    """A host that is set up, and on which the check finds nothing."""
    host.add("ann", OLD)
    (ETC / "nscd.conf").unlink(missing_ok=True)
    host.serve_states()
    assert findings(host) == []
    yield host
    shutil.rmtree("/run/systemd", ignore_errors=True)
    shutil.rmtree("/run/nscd", ignore_errors=True)
    shutil.rmtree(ETC / "authselect", ignore_errors=True)
    shutil.rmtree(ETC / "sudoers.d", ignore_errors=True)


@contextlib.contextmanager
def changed(path):
    """A file that a test writes, and that is then as it was."""
    before = path.read_bytes() if path.exists() else None
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)


# ---- groups

def group_lines():
    return [line for line in (ETC / "group").read_text().splitlines()
            if line.split(":")[0] in STATE_GROUPS]


def test_groups_are_made_once(host):
    (missing,) = findings(host, "groups", "--check")
    assert set(missing["subjects"].split(", ")) == set(STATE_GROUPS)
    assert "created" in ctl(host, "groups", "--create")
    made = group_lines()
    assert {line.split(":")[0] for line in made} == set(STATE_GROUPS)
    gids = [int(line.split(":")[2]) for line in made]
    assert len(set(gids)) == 6 and all(100 <= gid < 1000 for gid in gids)
    assert all(line.endswith(":") for line in made)
    assert "nothing was done" in ctl(host, "groups", "--create")
    assert group_lines() == made
    assert findings(host, "groups", "--check") == []


def test_only_missing_groups_are_made(host):
    with open(ETC / "group", "a") as out:
        out.write("acct-ok:x:777:\n")
    ctl(host, "groups", "--create")
    assert len(group_lines()) == 6
    assert "acct-ok:x:777:" in group_lines()


@pytest.mark.parametrize("line, shadow, word", [
    ("acct-ok:x:777:ann", "", "member ann"),
    ("acct-ok:x:50:", "", "not safe: 50"),
    ("acct-ok:x:777:", "acct-ok:$6$x$y::", "a password"),
    ("acct-ok:x:777:\nstaff2:x:777:ann", "", "also staff2's"),
])
def test_a_group_that_must_not_be_used_is_left_and_told(host, line, shadow,
                                                        word):
    with open(ETC / "group", "a") as out:
        out.write(line + "\n")
    with open(ETC / "gshadow", "a") as out:
        out.write(shadow + "\n" if shadow else "")
    said = ctl(host, "groups", "--create", code=2)
    assert word in said and "groupdel" in said
    assert line.split("\n")[0] in (ETC / "group").read_text().splitlines()
    assert len(group_lines()) == 6
    (found,) = findings(host, "groups", "--check")
    assert (found["severity"], found["place"]) == ("error", "acct-ok")


def test_groups_without_their_program(host):
    nothing = RUN / "nothing"
    mount("--bind", nothing, "/usr/sbin/groupadd")
    try:
        assert "groupadd is not installed" in ctl(host, "groups", "--create",
                                                  code=1)
    finally:
        subprocess.run(["umount", "/usr/sbin/groupadd"], check=True)
    assert group_lines() == []


# ---- enable and disable

@pytest.fixture
def ready(host):
    """All that enabling wants, and not enabled."""
    host.create_state_groups()
    host.publish()
    yield host
    shutil.rmtree(ETC / "authselect", ignore_errors=True)


def test_enabled_and_disabled(ready):
    before = FILE.read_text()
    assert "was added" in ctl(ready, "nss", "--enable")
    after = FILE.read_text()
    assert after == before.replace("\ngroup: files\n", "\ngroup: files selfreset\n"
                                   ).replace("\nshadow: files\n",
                                             "\nshadow: files selfreset\n")
    assert "nothing was done" in ctl(ready, "nss", "--enable")
    assert FILE.read_text() == after
    assert ready.states("root") == {"acct-ok"}
    assert "was removed" in ctl(ready, "nss", "--disable")
    assert FILE.read_text() == before
    assert "nothing was done" in ctl(ready, "nss", "--disable")
    assert ready.states("root") == set()


def test_owner_mode_and_attributes_stay(ready):
    shutil.copy2(FILE, RUN / "nsswitch.keep")
    FILE.chmod(0o640)
    os.chown(FILE, 0, 4)
    os.setxattr(FILE, "trusted.selfreset", b"label")
    inode = FILE.stat().st_ino
    ctl(ready, "nss", "--enable")
    status = FILE.stat()
    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o640, 0,
                                                                      4)
    assert os.getxattr(FILE, "trusted.selfreset") == b"label"
    assert status.st_ino != inode, "not replaced as a whole"
    assert not list(ETC.glob("nsswitch.conf.*"))


def test_a_link_is_followed(ready):
    target = RUN / "nsswitch.real"
    target.write_text(nsswitch())
    FILE.unlink()
    FILE.symlink_to(target)
    ctl(ready, "nss", "--enable")
    assert FILE.is_symlink()
    assert "files selfreset" in target.read_text()
    ctl(ready, "nss", "--disable")
    assert target.read_text() == nsswitch()


@pytest.mark.parametrize("spoil", ["file", "folder", "owner"])
def test_a_file_that_others_can_write_is_refused(ready, spoil):
    folder = RUN / "open"
    folder.mkdir()
    target = folder / "nsswitch.conf"
    target.write_text(nsswitch())
    FILE.unlink()
    FILE.symlink_to(target)
    if spoil == "file":
        target.chmod(0o666)
    elif spoil == "folder":
        folder.chmod(0o777)
    else:
        os.chown(target, 1, 1)
    assert "Others than root" in ctl(ready, "nss", "--enable", code=1)
    assert target.read_text() == nsswitch()
    assert len(list(folder.iterdir())) == 1
    shutil.rmtree(folder)


def refused(host, *words, code=1):
    before = FILE.read_bytes()
    said = ctl(host, "nss", "--enable", code=code)
    assert "Nothing was" in said
    for word in words:
        assert word in said, said
    assert FILE.read_bytes() == before


def test_not_without_the_module(ready):
    ready.remove_nss_module()
    refused(ready, "libnss_selfreset.so.2", "Install the module first")


def test_not_with_another_module_of_that_name(ready):
    shutil.copy2(NSS_MODULE, RUN / "module.keep")
    for other in pathlib.Path("/lib").glob("*/libnss_compat.so.2"):
        shutil.copy2(other, NSS_MODULE)
        try:
            refused(ready, "libnss_selfreset.so.2")
        finally:
            shutil.copy2(RUN / "module.keep", NSS_MODULE)


def test_not_without_the_groups(ready):
    text = (ETC / "group").read_text()
    (ETC / "group").write_text(text.replace("acct-locked:x:974:\n", ""))
    refused(ready, "acct-locked", "groups --create")
    (ETC / "group").write_text(text.replace("acct-locked:x:974:",
                                            "acct-locked:x:974:ann"))
    refused(ready, "member ann")


def test_not_before_anything_is_published(ready):
    shutil.rmtree(NSSDIR)
    refused(ready, 'Run "selfreset-publish" first')


def test_not_where_authselect_writes(ready):
    folder = ETC / "authselect"
    folder.mkdir()
    (folder / "nsswitch.conf").write_text(nsswitch())
    FILE.unlink()
    FILE.symlink_to(folder / "nsswitch.conf")
    refused(ready, "authselect create-profile", code=9)
    FILE.unlink()
    FILE.write_text(nsswitch())
    (folder / "authselect.conf").write_text("sssd\n")
    refused(ready, "authselect select custom/selfreset", code=9)


@pytest.mark.parametrize("group", ["files [NOTFOUND=return] sss", "sss",
                                   "files#x"])
def test_not_where_it_would_never_be_asked(ready, group):
    FILE.write_text(nsswitch(group=group))
    refused(ready, "The line 2", code=9)


def test_a_file_that_is_no_text(ready):
    FILE.write_bytes(b"group: files\0shadow: files\n")
    refused(ready, "value zero")
    FILE.unlink()
    FILE.mkdir()
    assert "no file of settings" in ctl(ready, "nss", "--enable", code=1)
    FILE.rmdir()
    assert "no such file" in ctl(ready, "nss", "--enable", code=1)


def test_a_full_disk_leaves_the_file(ready):
    folder = RUN / "small"
    folder.mkdir()
    tmpfs(folder, "0755", "size=8k", "nr_inodes=2")
    try:
        (folder / "nsswitch.conf").write_text(nsswitch())
        FILE.unlink()
        FILE.symlink_to(folder / "nsswitch.conf")
        refused(ready, "disk is full")
        mount("-o", "remount,nr_inodes=9", folder)
        (folder / "filler").write_bytes(bytes(4096))
        refused(ready, "disk is full")
        assert sorted(os.listdir(folder)) == ["filler", "nsswitch.conf"]
        mount("-o", "remount,ro", folder)
        refused(ready, "read-only")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def test_how_it_is_asked_for(host):
    for arguments in (["nss"], ["nss", "--enable", "--disable"],
                      ["groups"], ["groups", "--create", "--check"],
                      ["nss", "--on"],
                      ["nss", "--check", "ann"]):
        ctl(host, *arguments, code=64)
    for command in ("nss", "groups"):
        done = host.run("setpriv", "--reuid=1", "--regid=1", "--clear-groups",
                        "selfresetctl", command, "--check")
        assert done.returncode == 77


# ---- the check: nsswitch.conf

LINES = [
    ({"shadow": "files [SUCCESS=merge] selfreset"}, "error", "merges sources"),
    ({"shadow": "selfreset files"}, "error", "before the local files"),
    ({"group": "files [NOTFOUND=return] selfreset"}, "error",
     "[NOTFOUND=return]"),
    ({"group": "files sss [UNAVAIL=return] selfreset"}, "error",
     "[UNAVAIL=return]"),
    ({"group": "files systemd selfreset"}, "warning", "not directly behind"),
    ({"group": "selfreset files"}, "warning", "not directly behind"),
    ({"group": "files"}, "error", '"group:" does not ask'),
    ({"shadow": "files"}, "error", '"shadow:" does not ask'),
    ({"shadow": None}, "error", 'no line "shadow:"'),
    ({"group": None}, "error", 'no line "group:"'),
    ({"initgroups": "files"}, "error", '"initgroups:" does not ask'),
    ({"initgroups": "files selfreset"}, "error", "[SUCCESS=return]"),
    ({"initgroups": "selfreset files"}, "error", "sources behind it are lost"),
    ({"group": "files selfreset # and no more"}, "warning", "behind # are"),
    ({"group": "files#x selfreset"}, "warning", "cannot be parsed"),
    ({"passwd": "files [SUCCESS=merge] systemd"}, "error",
     '"passwd:" merges'),
]


@pytest.mark.parametrize("maps, severity, word", LINES)
def test_lines(nss, maps, severity, word):
    nss.nsswitch(**{"group": "files selfreset", "shadow": "files selfreset",
                    **maps})
    found = [one for one in findings(nss) if "nsswitch" in one["place"]]
    assert [one["severity"] for one in found].count(severity) >= 1, found
    assert any(word in one["text"] for one in found), found


@pytest.mark.parametrize("maps", [
    {"group": "files [SUCCESS=merge] selfreset systemd"},
    {"group": "files selfreset [NOTFOUND=return] sss"},
    {"initgroups": "selfreset [SUCCESS=continue] files sss"},
    {"initgroups": "files [SUCCESS=continue] selfreset"},
])
def test_lines_that_are_good(nss, maps):
    nss.nsswitch(**{"group": "files selfreset", "shadow": "files selfreset",
                    **maps})
    assert findings(nss) == []


@pytest.mark.parametrize("first, last, severities", [
    ("files", "files selfreset", ["warning"]),
    ("files selfreset", "files", ["error", "warning"])])
def test_two_lines_of_one_map(nss, first, last, severities):
    """The last counts, as for the C library."""
    nss.nsswitch(group=last, shadow="files selfreset")
    path = ETC / "nsswitch.conf"
    path.write_text(f"group: {first}\n" + path.read_text())
    assert ("acct-ok" in nss.states("ann")) == ("selfreset" in last)
    found = [one for one in findings(nss) if "nsswitch" in one["place"]]
    assert sorted(one["severity"] for one in found) == severities, found
    assert any("the C library uses" in one["text"] for one in found)


def test_a_line_that_is_not_understood(nss):
    nss.nsswitch(group="files selfreset [NOTFOUND=perhaps]",
                 shadow="files selfreset")
    assert_found(nss, "warning", "nsswitch.conf:2", "cannot be parsed")


def test_nobody_is_sent(nss):
    nss.nsswitch(group="files")
    assert_found(nss, "warning", "nsswitch.conf", "no program sees it",
                 "nss --enable")


# ---- the check: what is published

def test_the_module_is_gone(nss):
    nss.remove_nss_module()
    assert_found(nss, "error", "libnss_selfreset.so.2", "cannot be loaded",
                 "restarted")


def test_a_group_is_gone(nss):
    text = (ETC / "group").read_text()
    (ETC / "group").write_text(text.replace("pw-expiring:x:973:\n", ""))
    found = findings(nss)
    assert {(one["place"].rpartition("/")[2], one["severity"])
            for one in found} == {("group", "warning"),
                                  ("groups.snap", "error"),
                                  ("shadow.snap", "error")}
    assert {one["subjects"] for one in found} == {"pw-expiring"}


@pytest.mark.parametrize("view", ["groups", "shadow"])
def test_a_snapshot_is_gone_or_damaged(nss, view):
    path = PUBLISHED / f"{view}.snap"
    bytes_ = path.read_bytes()
    path.write_bytes(bytes_[:50])
    assert_found(nss, "error", path.name, "damaged", "selfreset-publish")
    path.unlink()
    assert_found(nss, "error", path.name, "no snapshot")


@pytest.mark.parametrize("age, severity, word", [
    ("11h", None, ""), ("13h", "warning", "The snapshot is old"),
    ("25h", "error", "too old"),
])
def test_a_snapshot_of_another_time(nss, age, severity, word):
    nss.configure(nss={"max_age": "1d"})
    nss.publish_directory("root,local,exempt", age=age, max_age="1d")
    found = findings(nss)
    if severity is None:
        assert found == []
        return
    assert {one["place"].rpartition("/")[2] for one in found} == {
        "groups.snap", "shadow.snap"}
    assert all(one["severity"] == severity and word in one["text"]
               for one in found), found


def test_a_clock_that_was_set_back(nss):
    done = nss.run("faketime", "-f", "-10m", "selfresetctl", "nss", "--check",
                   "--json")
    found = json.loads(done.stdout)
    assert len(found) == 2
    assert all("from the future" in one["text"] and "clock" in one["advice"]
               for one in found)


@pytest.mark.parametrize("name, mode", [
    ("", 0o777), ("v1", 0o775), ("v1/groups.snap", 0o644),
    ("v1/groups.d", 0o755), ("v1/shadow.snap", 0o644),
    ("v1/shadow.d", 0o755), ("v1/lock", 0o666)])
def test_modes_that_are_too_wide(nss, name, mode):
    path = NSSDIR / name
    path.chmod(mode)
    assert_found(nss, "error", str(path), "mode is 0%o" % mode)


def test_a_file_of_somebody_else(nss):
    os.chown(PUBLISHED / "groups.snap", 1, 0)
    assert_found(nss, "error", "groups.snap", "belongs to the user 1")


def test_the_public_view_may_be_public(nss):
    nss.configure(nss={"view": "public"})
    nss.publish()
    assert findings(nss) == []
    nss.configure(nss={"view": "restricted"})
    assert {one["place"].rpartition("/")[2] for one in findings(nss)} == {
        "groups.snap", "groups.d"}


def test_a_local_line_hides_a_directory(nss):
    nss.publish_directory("root,local,exempt", "dora,ldap", "emil,ldap", "frida,ldap")
    assert findings(nss) == []
    with open(ETC / "shadow", "a") as out:
        out.write("dora:x:20000::::::\nemil:x:20000::::::\n")
    found = assert_found(nss, "warning", "/etc/shadow", "hides", "vipw -s")
    assert found["subjects"] == "dora, emil"


@pytest.mark.parametrize("is_there", [False, True])
def test_units(nss, is_there):
    pathlib.Path("/run/systemd/system/timers.target.wants").mkdir(parents=True)
    if is_there:
        for unit in ("timer", "path"):
            pathlib.Path("/run/systemd/system/timers.target.wants",
                         f"selfreset-publish.{unit}").symlink_to("/dev/null")
        assert findings(nss) == []
    else:
        assert [one["place"] for one in findings(nss)] == [
            "selfreset-publish.timer", "selfreset-publish.path"]


def test_rules_do_not_see_it(nss):
    nss.nsswitch(group="files selfreset", shadow="files selfreset",
                 initgroups="files [NOTFOUND=return] selfreset")
    found = {one["place"]: one for one in findings(nss)}
    assert "Rules do not see" in found["getgrouplist"]["text"]
    # Nobody is sent there, which is told, and that is all.
    nss.nsswitch(group="files", shadow="files selfreset")
    assert "getgrouplist" not in {one["place"] for one in findings(nss)}


def test_sessions_get_it(nss):
    """As from a module that answers whoever asks."""
    (RUN / "leaky").write_text("972")
    nss.nsswitch(group="files selfreset leaky", shadow="files selfreset")
    with nss.leaky_module():
        assert "pw-expired" in nss.run("id", "-Gn", "ann").stdout
        assert_found(nss, "error", "initgroups", "nss --disable")
    (RUN / "leaky").unlink()


# ---- the check: who remembers, repeats or tells

class Listener:
    """A daemon that answers nobody."""

    def __init__(self, path):
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(8)
        threading.Thread(target=self.turn_away, daemon=True).start()

    def turn_away(self):
        with contextlib.suppress(OSError):
            while True:
                self.socket.accept()[0].close()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def test_nscd(nss):
    conf = ETC / "nscd.conf"
    conf.write_text("# enable-cache group yes\n\tenable-cache  group no\n")
    assert findings(nss) == []
    conf.write_text("enable-cache passwd yes\n enable-cache\tgroup   yes # x\n")
    assert_found(nss, "warning", "nscd.conf:2", "When nscd runs")
    nscd = Listener("/run/nscd/socket")
    try:
        assert_found(nss, "error", "nscd.conf:2", "up to an hour")
        conf.write_text("enable-cache group no\n")
        assert findings(nss) == []
    finally:
        nscd.close()
    conf.unlink()


def test_userdbd(nss):
    daemon = Listener("/run/systemd/userdb/io.systemd.Multiplexer")
    try:
        assert_found(nss, "warning", "systemd-userdbd", "every local user")
    finally:
        daemon.close()


def test_sudo(nss):
    rules = ETC / "sudoers.d"
    rules.mkdir(exist_ok=True)
    (rules / "selfreset").write_text("# %acct-ok\n%staff ALL=ALL\n"
                                     "ann, %pw-expired ALL = !ALL\n")
    (rules / "selfreset.off").write_text("%acct-ok ALL=ALL\n")
    assert_found(nss, "warning", "sudoers.d/selfreset:3", "pw-expired",
                 "group_source dynamic")
    (ETC / "sudo.conf").write_text("Set group_source static\n")
    assert_found(nss, "warning", "sudoers.d/selfreset:3")
    (ETC / "sudo.conf").write_text("  Set group_source dynamic\n")
    assert findings(nss) == []
    (ETC / "sudo.conf").unlink()


def test_sshd(nss):
    with changed(SSHD):
        SSHD.write_text("Match Group pw-must-change\n"
                        "\tForceCommand /usr/bin/passwd\n"
                        "\tAuthenticationMethods publickey\n")
        assert_found(nss, "warning", "sshd_config:3", "AuthenticationMethods",
                     "pw-must-change")


def test_sshd_includes(nss):
    part = ETC / "ssh/sshd_config.d/zz-selfreset-test.conf"
    part.parent.mkdir(exist_ok=True)
    with changed(SSHD), changed(part):
        SSHD.write_text("Include /etc/ssh/sshd_config.d/*.conf\n")
        part.write_text("Match Group staff,acct-*\nBanner /etc/issue\n")
        assert_found(nss, "warning", "zz-selfreset-test.conf:2", "Banner")


# ---- as a part of the whole check

def test_the_check_of_everything_includes_it(nss):
    def places():
        return {one["place"] for one in findings(nss, "check")}

    assert not any("selfreset-nss" in place for place in places())
    (PUBLISHED / "groups.snap").unlink()
    assert str(PUBLISHED / "groups.snap") in places()


def test_the_check_of_everything_says_nothing_where_it_is_not_used(host):
    found = findings(host, "check")
    assert not [one for one in found
                if "nss" in one["place"] or "acct-" in one["place"]]
    host.nsswitch(group="files selfreset")
    assert "/etc/group" in {one["place"] for one in findings(host, "check")}


# ---- what the C library itself answers

def test_no_final_newline(nss):
    """The C library drops the last line: found, and repaired by --enable."""
    FILE.write_text("passwd: files\nshadow: files selfreset\n"
                    "group: files selfreset")
    assert nss.states("ann") == set()
    assert any("newline" in one["text"] for one in findings(nss))
    ctl(nss, "nss", "--enable")
    assert FILE.read_text().endswith("group: files selfreset\n")
    assert nss.states("ann") == {"acct-ok"} and findings(nss) == []
    FILE.write_text("passwd: files\nshadow: files\ngroup: files")
    assert "see the state groups" in ctl(nss, "nss", "--enable")
    assert nss.states("ann") == {"acct-ok"} and findings(nss) == []


@pytest.mark.parametrize("command", [("nss", "--check"), ("groups", "--check"),
                                     ("check",)])
def test_what_the_model_does_not_know(nss, command):
    """The lines are right, and rules see something else: a module answers for
    another directory.  It is asked for accounts of each kind."""
    nss.add("gus", OLD, groups=("staff2",))
    nss.publish()
    assert findings(nss) == []
    with nss.deaf_module():
        assert nss.states("ann") == set()
        found = json.loads(nss.run("selfresetctl", *command, "--json").stdout)
        (one,) = [one for one in found if one["place"] == "getgrouplist"
                  and one["severity"] == "error"]
        assert "shows no state group where acct-ok is published" in one["text"]
        subjects = set(one["subjects"].split(", "))
        # One without a group by file, and one with.
        assert "gus" in subjects and len(subjects) == 2
    assert findings(nss) == []


def test_enable_asks_the_c_library(nss):
    ctl(nss, "nss", "--disable")
    with nss.deaf_module():
        said = ctl(nss, "nss", "--enable", code=1)
        assert "has no effect" in said and "from now on" not in said
    ctl(nss, "nss", "--enable")


# ---- README: uninstall

def test_the_uninstall_section(host):
    """Its lines in their order, without systemd and make: nothing is left that
    names the module, its groups or its state."""
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
    block = readme.split("### Built from source")[1].split("## ")[0]
    lines = "\n".join(line[4:] for line in block.splitlines()
                      if line.startswith("    "))
    lines = lines.replace("\\\n", " ")
    steps = [line for line in lines.splitlines() if line]
    assert [step.split()[0] for step in steps] == [
        "selfresetctl", "selfresetctl", "selfresetctl", "systemctl",
        "systemctl", "rm", "rm", "make", "rm", "for"]
    host.add("ann", OLD)
    host.create_state_groups()
    host.publish()
    ctl(host, "nss", "--enable")
    assert host.states("ann") == {"acct-ok"}
    for step in steps:
        if step.startswith(("systemctl", "make", "rm -f", "selfresetctl pam")):
            continue
        step = step.removesuffix(" && systemctl reload ssh")
        # The folders themselves are mounts here.
        step = re.sub(r"(/(?:var/lib|run)/selfreset(?:-nss)?)\b(?!-)", r"\1/*",
                      step) if step.startswith("rm") else step
        done = host.run("bash", "-ec", step)
        assert done.returncode == 0, (step, done.stderr)
    assert "selfreset" not in FILE.read_text()
    assert group_lines() == []
    assert host.states("ann") == set()
