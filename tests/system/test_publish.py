"""selfreset-publish: what it publishes, for whom to read, and what it does
when something cannot be read.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import grp
import os
import pwd
import re
import shutil
import stat
import struct
import subprocess
import time

import pytest

from scratch import ETC, NSSDIR, PUBLISHED, RUN, STATE, STATE_GROUPS

OLD = "correct horse battery"
PEER = "192.0.2.7"
VIEWS = ("groups.snap", "groups.d", "shadow.snap", "shadow.d")


def later(seconds):
    """A command prefix: the wall clock so many seconds ahead."""
    return ["faketime", "-f", f"+{seconds}s"] if seconds else []


def states(host, name, ahead=0):
    done = host.run(*later(ahead), "id", "-G", name)
    gids = set(done.stdout.split())
    return {group for group, gid in STATE_GROUPS.items() if str(gid) in gids}


def publish(host, *arguments, code=0, ahead=0):
    done = host.run(*later(ahead), "selfreset-publish", *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def reader_of(path):
    """The user whom the access list names, and what he may do; or None."""
    try:
        data = os.getxattr(path, "system.posix_acl_access")
    except OSError:
        return None
    for at in range(4, len(data), 8):
        tag, allowed, uid = struct.unpack_from("<HHI", data, at)
        if tag == 2:  # a user by number
            return pwd.getpwuid(uid).pw_name, allowed
    return None


def add_polkitd(host):
    if subprocess.run(["getent", "passwd", "polkitd"], check=False,
                      capture_output=True).returncode != 0:
        done = host.run("useradd", "--system", "polkitd")
        assert done.returncode == 0, done.stderr


def events(host, number):
    return host.log.with_text(number)


# ---- all is well

def test_says_nothing(host):
    host.add("ann", OLD)
    host.serve_states()
    done = publish(host)
    assert (done.stdout, done.stderr) == ("", "")
    done = publish(host, "--verbose")
    assert done.stdout.startswith("published: ") and done.stderr == ""
    accounts = len((ETC / "passwd").read_text().splitlines())
    assert f" {accounts} accounts, 0 of them of directories; 0 unknown\n" \
        in done.stdout
    assert events(host, "SR-1401") and not events(host, "SR-33")


def test_modes(host):
    add_polkitd(host)
    host.add("ann", OLD)
    host.serve_states()
    os.umask(0o077)
    shutil.rmtree(NSSDIR)
    publish(host)
    os.umask(0o022)
    shadow = os.stat(ETC / "shadow")
    assert mode(NSSDIR) == mode(PUBLISHED) == 0o755
    assert mode(PUBLISHED / "lock") == 0o600
    assert mode(PUBLISHED / "groups.snap") == 0o640
    assert mode(PUBLISHED / "groups.d") == 0o750
    for name, mask in ("shadow.snap", 0o640), ("shadow.d", 0o750):
        status = os.stat(PUBLISHED / name)
        assert stat.S_IMODE(status.st_mode) == mask
        assert (status.st_uid, status.st_gid) == (shadow.st_uid, shadow.st_gid)
    assert reader_of(PUBLISHED / "groups.snap") == ("polkitd", 4)
    assert reader_of(PUBLISHED / "groups.d") == ("polkitd", 5)
    assert reader_of(PUBLISHED / "shadow.snap") is None
    assert reader_of(PUBLISHED / "shadow.d") is None


def test_public(host):
    add_polkitd(host)
    host.serve_states()
    publish(host)
    host.configure(nss={"view": "public"})
    publish(host)
    assert mode(PUBLISHED / "groups.snap") == 0o644
    assert mode(PUBLISHED / "groups.d") == 0o755
    assert mode(PUBLISHED / "shadow.snap") == 0o640
    assert reader_of(PUBLISHED / "groups.snap") is None
    assert reader_of(PUBLISHED / "groups.d") is None
    host.configure(nss={"view": "restricted"})
    publish(host)
    assert mode(PUBLISHED / "groups.d") == 0o750
    assert reader_of(PUBLISHED / "groups.d") == ("polkitd", 5)


def test_states(host):
    host.configure(nss={"break_glass": "glass"})
    host.add("ann", OLD)
    host.add("bob", OLD, changed=0)
    host.add("cid", OLD, changed=100, max=90)
    host.add("dan", OLD, changed=85, max=90)
    host.add("eve", OLD, expire=1)
    host.add("glass", OLD, expire=1)
    host.serve_states()
    assert host.states("ann") == {"acct-ok"}
    assert host.states("bob") == {"acct-ok", "pw-must-change"}
    assert host.states("cid") == {"acct-ok", "pw-expired"}
    assert host.states("dan") == {"acct-ok", "pw-expiring"}
    assert host.states("eve") == {"acct-locked"}
    assert host.states("glass") == {"acct-ok"}
    assert host.states("root") == {"acct-ok"}


def test_group_rules(host):
    """Groups of the configuration, primary and secondary."""
    host.configure(expiry={"warn": "1d"},
                   expiry_group_early={"warn": "30d"})
    host.settings["expiry group:early"] = host.settings.pop(
        "expiry group early")
    host.configure()
    aged = {"changed": 70, "max": 90, "warn": ""}
    host.add("ann", OLD, groups=("early",), **aged)
    host.add("bob", OLD, **aged)
    cid = host.add("cid", OLD, **aged)
    gid = grp.getgrnam("early").gr_gid
    passwd = (ETC / "passwd").read_text()
    (ETC / "passwd").write_text(passwd.replace(
        f"cid:x:{cid.uid}:{cid.uid}:", f"cid:x:{cid.uid}:{gid}:"))
    host.serve_states()
    assert host.states("ann") == {"acct-ok", "pw-expiring"}
    assert host.states("bob") == {"acct-ok"}
    assert host.states("cid") == {"acct-ok", "pw-expiring"}


def test_lockout(host):
    """From nowhere familiar: locked for all; else for strangers only."""
    host.configure(lockout={"attempts": 2})
    for name in ("ann", "bob"):
        host.add(name, OLD)
    host.drive("probe", "bob", "auth", "acct", "open", answers=[OLD],
               rhost="192.0.2.1")
    for name in ("ann", "bob"):
        for _ in range(2):
            host.drive("probe", name, "auth", answers=["no"], rhost=PEER)
    host.serve_states()
    assert host.states("ann") == {"acct-locked"}
    assert host.states("bob") == {"acct-ok"}


def test_many(host):
    count = 100000
    line = host.add("ann", OLD).shadow_line().partition(":")[2]
    with open(ETC / "passwd", "a") as passwd, open(ETC / "shadow",
                                                   "a") as shadow:
        for i in range(count):
            passwd.write(f"user{i}:x:{10000 + i}:100::/:/bin/sh\n")
            shadow.write(f"user{i}:{line}")
    host.configure(change={"protected": "@wheel"})
    host.serve_states()
    start = time.monotonic()
    done = publish(host, "--verbose")
    # Reading passwd anew for each account would take hours.
    assert time.monotonic() - start < 20
    assert int(done.stdout.split()[1]) > count
    assert host.states(f"user{count - 1}") == {"acct-ok"}


# ---- one account

def test_user(host):
    host.add("ann", OLD)
    host.serve_states()
    assert publish(host, "-v", "--user", "ann").stdout == "unchanged\n"
    host.set_shadow("ann", 7, 1)
    assert publish(host, "-v", "--user", "ann").stdout == "published\n"
    assert host.states("ann") == {"acct-locked"}
    host.run("userdel", "ann")
    assert publish(host, "-v", "--user", "ann").stdout == "published\n"
    assert os.readlink(PUBLISHED / "groups.d/ann")
    publish(host)
    assert not os.path.lexists(PUBLISHED / "groups.d/ann")
    assert publish(host, "-v", "--user", "ann").stdout == "unchanged\n"


def test_user_before_all(host):
    host.add("ann", OLD)
    done = publish(host, "--user", "ann", code=1)
    assert "no snapshot yet" in done.stderr and not NSSDIR.exists()


# ---- the state groups

def test_missing_groups(host):
    done = publish(host, "-v")
    for name in STATE_GROUPS:
        assert f"There is no group {name}." in done.stderr
    assert "published: " in done.stdout


def edit_group(name, line):
    lines = [line.format(*old.split(":")) if old.startswith(name + ":")
             else old for old in (ETC / "group").read_text().splitlines()]
    (ETC / "group").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("line, fault", [
    ("{0}:x:{2}:ann", "the member ann"),
    ("{0}:x:0:", "not safe: 0"),
    ("{0}:x:99:", "not safe: 99"),
    ("{0}::{2}:", None),
    ("{0}:!:{2}:", None),
    ("{0}:$6$salt$xyz:{2}:", "has a password"),
    ("{0}:x:{2}:\nother:x:{2}:", "which is also other's"),
    ("other:x:{2}:\n{0}:x:{2}:", "which is also other's"),
])
def test_unsafe_groups(host, line, fault):
    host.add("ann", OLD)
    host.serve_states()
    (ETC / "gshadow").write_text("")
    edit_group("acct-ok", line)
    done = publish(host)
    if fault is None:
        assert done.stderr == ""
        assert host.states("ann") == {"acct-ok"}
    else:
        assert done.stderr.startswith(
            "selfreset-publish: The group acct-ok has ")
        assert "No account is shown in it." in done.stderr
        assert fault in done.stderr and done.stderr.count("\n") == 1
        assert "acct-ok" not in host.states("ann") or fault == "the member ann"


@pytest.mark.parametrize("line, fault", [
    ("acct-ok:!::", None),
    ("acct-ok:::", None),
    ("acct-ok:!:ann:", "the member ann"),
    ("acct-ok:!::ann", "the member ann"),
    ("acct-ok:$6$salt$xyz::", "has a password"),
])
def test_unsafe_gshadow(host, line, fault):
    host.add("ann", OLD)
    host.serve_states()
    (ETC / "gshadow").write_text(line + "\n")
    done = publish(host)
    assert (done.stderr == "") == (fault is None)
    assert fault is None or fault in done.stderr
    assert (host.states("ann") == {"acct-ok"}) == (fault is None)


# ---- what cannot be read

def inodes():
    return [os.stat(PUBLISHED / name).st_ino for name in VIEWS]


def test_bad_line(host):
    host.add("ann", OLD)
    host.add("bob", OLD)
    host.serve_states()
    host.set_shadow("ann", 4, "many")
    number = [line.partition(":")[0] for line in
              (ETC / "shadow").read_text().splitlines()].index("ann") + 1
    done = publish(host, code=8)
    assert done.stderr == (
        'selfreset-publish: The state of "ann" is unknown: '
        f"/etc/shadow:{number}: the maximum age is not what shadow(5) "
        "allows.\n")
    assert host.states("ann") == {"acct-state-unknown"}
    assert host.states("bob") == {"acct-ok"}
    assert events(host, "SR-3302")


def test_bad_configuration(host):
    host.add("ann", OLD)
    host.serve_states()
    before = inodes()
    host.configure(nss={"view": "both"})
    done = publish(host, code=1)
    assert "selfreset.conf:" in done.stderr
    assert "Nothing was published: the configuration has an error." \
        in done.stderr
    assert inodes() == before
    assert events(host, "SR-3301")


def test_priorities_for_the_journal(host):
    """Where the journal reads standard error, each line has its priority."""
    host.configure(nss={"view": "both"})

    def said(inode):
        out, into = os.pipe()
        status = os.fstat(into)
        process = host.start(
            ["selfreset-publish"], stderr=into,
            env={**os.environ,
                 "JOURNAL_STREAM": f"{status.st_dev}:{inode(status)}"})
        os.close(into)
        with os.fdopen(out) as stream:
            lines = stream.read().splitlines()
        assert process.wait(60) == 1 and len(lines) > 1
        return lines

    assert all(re.match("<3>selfreset-publish: .", line)
               for line in said(lambda status: status.st_ino))
    # Another program's stream, or an old one.
    assert all(line.startswith("selfreset-publish: ")
               for line in said(lambda status: status.st_ino + 1))
    host.configure(nss={"view": "public"})
    host.add("ann", OLD, max="x")
    out, into = os.pipe()
    status = os.fstat(into)
    host.start(["selfreset-publish"], stderr=into,
               env={**os.environ,
                    "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    os.close(into)
    with os.fdopen(out) as stream:
        assert re.search('^<4>selfreset-publish: The state of "ann" is unknown',
                         stream.read(), re.M)


def test_unreadable_store(host):
    """What would be published might be a lie: the old truth stays."""
    host.configure(lockout={"attempts": 2})
    host.add("ann", OLD)
    for _ in range(2):
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    host.serve_states()
    assert host.states("ann") == {"acct-locked"}
    before = inodes()
    [path] = STATE.glob("accounts/*.strangers")
    path.chmod(0o644)
    for arguments in (), ("--user", "ann"):
        done = publish(host, *arguments, code=1)
        assert "unsafe" in done.stderr
    assert inodes() == before
    assert host.states("ann") == {"acct-locked"}


def test_outage(host):
    """Accounts of a backend that cannot be asked do not vanish, and are not
    believed for ever."""
    host.configure(nss={"max_age": "1h"})
    host.add("ann", OLD)
    host.add("bob", OLD, expire=1)
    host.add("cid", OLD)
    host.serve_states()
    host.set_shadow("cid", 7, 1)
    publish(host, "--user", "cid")  # what a delta tells is kept, too
    passwd = (ETC / "passwd").read_text()
    (ETC / "passwd").unlink()
    done = publish(host, "-v", code=8)
    assert 'The backend "local" cannot be asked' in done.stderr
    assert "was kept" in done.stdout
    (ETC / "passwd").write_text(passwd)
    assert host.states("ann") == {"acct-ok"}
    assert host.states("bob") == host.states("cid") == {"acct-locked"}
    # Then for as long as anything is believed.
    (ETC / "passwd").unlink()
    publish(host, code=8, ahead=1800)
    publish(host, code=8, ahead=3500)
    publish(host, code=8, ahead=3700)
    (ETC / "passwd").write_text(passwd)
    for name in "ann", "bob", "cid":
        assert states(host, name, 3700) == {"acct-state-unknown"}
    assert states(host, "root", 3700) == {"acct-ok"}
    publish(host, ahead=3800)
    assert states(host, "ann", 3800) == {"acct-ok"}


def test_full_disk(host):
    host.add("ann", OLD)
    host.serve_states()
    before = inodes()
    filler = NSSDIR / "filler"
    small = RUN / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k,mode=755", "none",
                    str(small)], check=True)
    try:
        shutil.copytree(NSSDIR, small, symlinks=True, dirs_exist_ok=True)
        subprocess.run(["mount", "--bind", str(small), str(NSSDIR)],
                       check=True)
        with open(filler, "wb") as out, pytest.raises(OSError):
            while True:
                os.write(out.fileno(), bytes(4096))
        done = publish(host, code=1)
        assert "the disk is full" in done.stderr
        assert sorted(os.listdir(PUBLISHED)) == sorted((*VIEWS, "lock"))
        filler.unlink()
        publish(host)
    finally:
        subprocess.run(["umount", str(NSSDIR)], check=False)
        subprocess.run(["umount", str(small)], check=False)
        small.rmdir()
    assert inodes() == before


def test_no_access_lists(host):
    """Where polkitd could not be let in nothing is published, with a way out;
    where nobody has to be let in there is nothing to refuse."""
    add_polkitd(host)
    host.serve_states()
    subprocess.run(["mount", "-t", "ramfs", "-o", "mode=755", "none",
                    str(NSSDIR)], check=True)
    try:
        done = publish(host, code=1)
        assert "has no access lists" in done.stderr
        assert "view = public" in done.stderr
        host.configure(nss={"view": "public"})
        publish(host)
        assert mode(PUBLISHED / "groups.snap") == 0o644
    finally:
        subprocess.run(["umount", str(NSSDIR)], check=False)


# ---- callers

def test_not_root(host):
    host.add("ann", OLD)
    program = shutil.which("selfreset-publish")
    done = host.run("setpriv", "--reuid", "65534", "--regid", "65534",
                    "--clear-groups", program)
    assert done.returncode == 77
    assert done.stderr == "selfreset-publish: Only root can publish.\n"


def test_command_line(host):
    assert "Usage:" in publish(host, "--help").stdout
    assert publish(host, "--version").stdout.startswith("selfreset-publish ")
    assert 'Unexpected argument "ann"' in publish(host, "ann", code=64).stderr
    publish(host, "--nonsense", code=64)
    publish(host, "--user", code=64)
    assert not NSSDIR.exists()


def test_closed_descriptors(host):
    host.add("ann", OLD)
    host.serve_states()
    host.set_shadow("ann", 7, 1)
    program = shutil.which("selfreset-publish")
    done = host.run("sh", "-c", f"exec {program} <&- >&- 2>&-")
    assert done.returncode == 0
    assert host.states("ann") == {"acct-locked"}


def test_two_at_once(host):
    host.add("ann", OLD)
    host.serve_states()
    running = [host.start(["selfreset-publish"], stderr=subprocess.PIPE)
               for _ in range(8)]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")
    assert sorted(os.listdir(PUBLISHED)) == sorted((*VIEWS, "lock"))
    assert host.states("ann") == {"acct-ok"}


def test_no_secret(host):
    account = host.add("ann", OLD)
    host.serve_states()
    hashed = host.shadow("ann")[1]
    for view in VIEWS[::2]:
        data = (PUBLISHED / view).read_bytes()
        assert b"$6$" not in data and hashed.encode() not in data
    assert b"ann" in (PUBLISHED / "groups.snap").read_bytes()
    assert account.name


# ---- units

def test_units(host, tmp_path):
    stage = host.build / "stage"
    units = list(stage.glob("**/selfreset-publish.service")) + \
        list(stage.glob("**/selfreset-publish.timer")) + \
        list(stage.glob("**/selfreset-publish.path"))
    assert len(units) == 3
    for unit in units:
        text = unit.read_text()
        assert "%sbindir%" not in text
        (tmp_path / unit.name).write_text(text.replace(
            "ExecStart=/usr/sbin/selfreset-publish",
            "ExecStart=" + shutil.which("selfreset-publish")))
    done = host.run("systemd-analyze", "verify", "--man=no",
                    *(tmp_path / unit.name for unit in units))
    assert (done.returncode, done.stderr) == (0, "")
    groups = next(stage.glob("**/sysusers.d/selfreset.conf")).read_text()
    assert [line.split()[1] for line in groups.splitlines()
            if line.startswith("g ")] == list(STATE_GROUPS)
    done = host.run("systemd-sysusers", "--root=/", "--dry-run",
                    next(stage.glob("**/sysusers.d/selfreset.conf")))
    assert done.returncode == 0, done.stderr
