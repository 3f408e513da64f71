"""Faults: what a full disk, a broken store, hostile limits and odd bytes do.

The rule: no crash, no success that was not earned, no more guesses than
allowed, and a sentence.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import os
import pathlib
import re
import subprocess
import time

import pytest

from scratch import CONFIG, RUN, RUNDIR, SLOW, STATE, mount, tmpfs, wait_until
from talk import PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
PEER = "192.0.2.7"


def try_once(host, password, *steps, user="ann", **options):
    return host.drive("probe", user, *steps, "auth", answers=[password],
                      rhost=PEER, **options)


@contextlib.contextmanager
def state_on(*options):
    """The state directory on a memory disk of its own."""
    STATE.mkdir(mode=0o700, exist_ok=True)
    tmpfs(STATE, "0700", *options)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(STATE)], check=True)


def fill():
    with open(STATE / "filler", "wb", buffering=0) as out:
        for size in (65536, 4096, 512, 1):
            with contextlib.suppress(OSError):
                while out.write(bytes(size)):
                    pass


# ---- the state

def test_disk_full(host):
    ann = host.add("ann", OLD)
    host.count_hashes("ann")
    with state_on("size=1m"):
        assert try_once(host, "no").code == "AUTH_ERR"
        fill()
        for _ in range(10):
            done = try_once(host, "no")
            assert done.code in ("AUTHINFO_UNAVAIL", "AUTH_ERR")
        assert done.code == "AUTHINFO_UNAVAIL" or host.verified() == 5
        assert host.verified() <= 5, "guessing on while nothing is recorded"
        # A ledger that is there has room; one that is not cannot be made.
        host.add("bob", OLD)
        host.count_hashes("bob")
        for i in range(10):
            done = try_once(host, "no", user="bob")
            assert done.code == ("AUTHINFO_UNAVAIL" if i < 5 else "AUTH_ERR")
        assert host.verified() <= 5, "guessing on while nothing is recorded"
        assert host.log.with_text("SR-3205")
        (STATE / "filler").unlink()
        for _ in range(6):
            try_once(host, "no")
        assert host.verified() <= 5
        assert try_once(host, OLD, ahead=86400).code == "SUCCESS"
    assert ann.uid


def test_disk_full_from_the_start(host):
    host.add("ann", OLD)
    with state_on("size=4k"):
        fill()
        done = try_once(host, OLD)
        assert done.code in ("AUTHINFO_UNAVAIL", "SUCCESS")
        assert try_once(host, "no").code == "AUTHINFO_UNAVAIL"
        assert host.log.with_text("SR-3205")


def test_read_only_state(host):
    host.add("ann", OLD)
    host.count_hashes("ann")
    with state_on():
        assert try_once(host, "no").code == "AUTH_ERR"
        mount("-o", "remount,ro", STATE)
        for _ in range(10):
            done = try_once(host, "no")
            assert done.code in ("AUTHINFO_UNAVAIL", "AUTH_ERR")
        assert host.verified() <= 5
        assert host.log.with_text("SR-3205")
    with state_on():
        mount("-o", "remount,ro", STATE)
        # What was counted without a state goes on until the next boot.
        assert try_once(host, "no").code == "AUTH_ERR"
        host.add("bob", OLD)
        assert try_once(host, "no", user="bob").code == "AUTHINFO_UNAVAIL"
        assert try_once(host, OLD, user="bob").code == "SUCCESS"


def store_file():
    """The ledger that strangers' attempts are counted in."""
    [path] = STATE.glob("accounts/*.strangers")
    return path


def spoil_all(data):
    return bytes((byte ^ 0x5a) for byte in data)


def spoil_tail(data):
    return data[:len(data) // 2]


def spoil_records(data):
    """What is behind the header."""
    return data[:512] + bytes((byte ^ 0x5a) for byte in data[512:])


@pytest.mark.parametrize("spoil", [spoil_all, spoil_tail, spoil_records,
                                   lambda data: b"", lambda data: b"x" * 100])
def test_corrupted_store(host, spoil):
    host.add("ann", OLD)
    for _ in range(5):
        try_once(host, "no")
    host.count_hashes("ann")
    path = store_file()
    path.write_bytes(spoil(path.read_bytes()))
    done = try_once(host, OLD)
    assert done.status == 0, f"it crashed: {done}"
    assert done.code in ("AUTHINFO_UNAVAIL", "AUTH_ERR"), \
        "a lockout was lost with the store"
    for _ in range(8):
        done = try_once(host, "no")
        assert done.status == 0
    assert host.verified() <= 5
    assert host.log.with_text("SR-3205")


def test_state_that_is_not_roots(host):
    host.add("ann", OLD)
    try_once(host, "no")
    store_file().chmod(0o666)
    assert try_once(host, OLD).code == "AUTHINFO_UNAVAIL"
    store_file().chmod(0o600)
    STATE.chmod(0o777)
    assert try_once(host, OLD).code == "AUTHINFO_UNAVAIL"


def test_state_that_is_a_link(host):
    host.add("ann", OLD)
    target = pathlib.Path("/run/elsewhere")
    target.mkdir(mode=0o700, exist_ok=True)
    STATE.symlink_to(target)
    try:
        assert try_once(host, "no").code == "AUTHINFO_UNAVAIL"
        assert not list(target.iterdir())
    finally:
        STATE.unlink()


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_state_files_that_are_links(host, link):
    """Root's own files elsewhere must not be written through a link."""
    host.add("ann", OLD)
    try_once(host, "no")
    files = [path for path in STATE.rglob("*") if path.is_file()]
    assert len(files) >= 3
    for path in files:
        kept = path.read_bytes()
        elsewhere = path.parent.with_name("moved-away")
        path.rename(elsewhere)
        link(elsewhere, path)
        assert try_once(host, "no").code == "AUTHINFO_UNAVAIL", path
        assert elsewhere.read_bytes() == kept
        path.unlink()
        elsewhere.rename(path)
    assert try_once(host, OLD).code == "SUCCESS"


def test_run_directory_that_is_a_link(host):
    host.add("ann", OLD)
    target = pathlib.Path("/run/elsewhere")
    target.mkdir(mode=0o700, exist_ok=True)
    with state_on():
        RUNDIR.symlink_to(target)
        try:
            # It is not needed while the state can be written.
            assert try_once(host, "no").code == "AUTH_ERR"
            mount("-o", "remount,ro", STATE)
            assert try_once(host, "no", user="bob").code == "AUTHINFO_UNAVAIL"
            assert not list(target.iterdir())
        finally:
            RUNDIR.unlink()


def test_etc_that_cannot_be_written(host):
    """Nothing is asked for that could not be stored."""
    ann = host.add("ann", OLD)
    mount("-o", "remount,ro", "/etc")
    try:
        for uid in (ann.uid, 0):
            done = host.drive("passwd", "ann", "chauthtok", real_uid=uid,
                              answers=[OLD, FRESH, FRESH])
            assert done.codes == ["AUTHTOK_ERR"], done
            assert "New password: " not in done.prompts
            assert "could not be stored" in done.said, done
        assert host.log.with_text("/etc: Read-only file system")
        assert try_once(host, OLD).code == "SUCCESS"
    finally:
        mount("-o", "remount,rw", "/etc")
    assert host.has_password("ann", OLD)


# ---- the caller

LIMITS = ["limit:fsize=0", "limit:fsize=10", "limit:nofile=3",
          "limit:nofile=6", "limit:as=20000000", "limit:as=1000000",
          "umask:000", "umask:777", "close-fds"]


def may_raise_limits():
    """Root with CAP_SYS_RESOURCE, as everywhere but in some containers."""
    status = pathlib.Path("/proc/self/status").read_text()
    have = int(re.search(r"^CapEff:\s*(\w+)", status, re.MULTILINE)[1], 16)
    return have >> 24 & 1 == 1


@pytest.mark.parametrize("limit", LIMITS)
def test_caller_with_limits(host, limit):
    host.add("ann", OLD)
    host.count_hashes("ann")
    right = try_once(host, OLD, limit)
    assert right.status == 0, f"it was killed: {right}"
    assert right.code is not None
    for _ in range(10):
        wrong = try_once(host, "no", limit)
        assert wrong.status == 0, wrong
        assert wrong.code != "SUCCESS"
    assert host.verified() <= 6
    if limit.startswith("limit:fsize") and not may_raise_limits():
        assert right.code == "AUTHINFO_UNAVAIL"
        assert "could not record the attempt" in right.said
    elif not limit.startswith(("limit:as", "limit:nofile")):
        assert right.code == "SUCCESS"
        assert try_once(host, OLD).code == "AUTH_ERR", \
            "guesses under a limit were not counted"


@pytest.mark.parametrize("limit", LIMITS)
def test_change_by_a_caller_with_limits(host, limit):
    ann = host.add("ann", OLD)
    before = pathlib.Path("/etc/shadow").read_text().count("\n")
    done = host.drive("probe", "ann", limit, "chauthtok", real_uid=ann.uid,
                      answers=[OLD, FRESH, FRESH])
    after = pathlib.Path("/etc/shadow").read_text()
    assert after.count("\n") == before, "shadow was cut short"
    assert host.has_password("ann", FRESH if done.code == "SUCCESS" else OLD)


def test_closed_descriptors_do_not_get_the_state(host):
    """What the module opens with 0-2 closed must not become 0-2 for long."""
    host.add("ann", OLD)
    done = host.drive("probe", "ann", "close-fds", "auth", "acct", "open",
                      answers=[OLD], rhost=PEER)
    assert done.codes == ["SUCCESS"] * 3


def test_hostile_environment(host):
    host.add("ann", OLD, changed=85, max=90)
    bob = host.add("bob", "something else")
    environment = {
        "LD_PRELOAD": "/nonexistent.so", "LANGUAGE": "../../../tmp/x",
        "LC_ALL": "en_US.UTF-8", "NLSPATH": "/tmp/%s", "TZ": ":/etc/shadow",
        "TEXTDOMAINDIR": "/tmp", "OUTPUT_CHARSET": "UTF-16",
        "TMPDIR": "/nonexistent", "HOME": "/etc/shadow", "PATH": "",
        "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22", "MALLOC_PERTURB_": "165",
        "XDG_CONFIG_HOME": "/tmp", "SELFRESET_CONF": "/tmp/x"}
    with Talk(["/usr/bin/su", "ann", "-c", "echo in as $(/usr/bin/id -un)"],
              user=bob, env=environment) as su:
        su.answer(PASSWORD, OLD)
        assert "in as ann" in su.rest()
    for _ in range(5):
        with Talk(["/usr/bin/su", "ann", "-c", "echo in"], user=bob,
                  env=environment) as su:
            su.answer(PASSWORD, "no")
            su.rest()
    assert not host.log.with_text("10.0.0.1"), \
        "the source was taken from the user's environment"


# ---- odd bytes

ODD_PASSWORDS = {
    "empty": b"", "511": b"x" * 511, "512": b"x" * 512,
    "100000": b"x" * 100000, "nul": b"ab\0cd", "newline": b"a long one\nand b",
    "utf-8": b"\xff\xfe and more of the same", "escape": b"\x1b[31m red, it is",
    "fake": b"\b\n\r\x7fINCORRECT",
}


@pytest.mark.parametrize("kind", ODD_PASSWORDS)
def test_odd_password(host, kind):
    host.add("ann", OLD)
    for user in ("ann", "nobody-here"):
        done = try_once(host, ODD_PASSWORDS[kind], user=user)
        assert done.status == 0 and done.code in ("AUTH_ERR", "USER_UNKNOWN")
    assert try_once(host, OLD).code == "SUCCESS"


@pytest.mark.parametrize("kind", ODD_PASSWORDS)
def test_odd_new_password(host, kind):
    host.configure(password={"max_length": "511"})
    ann = host.add("ann", OLD)
    odd = ODD_PASSWORDS[kind]
    done = host.drive("probe", "ann", "chauthtok", real_uid=ann.uid,
                      answers=[OLD, odd, odd, odd, odd])
    assert done.status == 0
    if kind == "511":
        assert done.codes == ["AUTHTOK_ERR"] or \
            host.has_password("ann", odd.decode())
    else:
        assert done.codes == ["AUTHTOK_ERR"]
        assert host.has_password("ann", OLD)


def test_odd_new_password_by_root(host):
    """root is advised against weak ones, but what nobody can type is no
    password."""
    host.add("ann", OLD)
    for kind in ("empty", "512", "100000", "newline", "utf-8", "escape"):
        odd = ODD_PASSWORDS[kind]
        done = host.drive("probe", "ann", "chauthtok", answers=[odd] * 6)
        assert done.codes == ["AUTHTOK_ERR"], kind
    assert host.has_password("ann", OLD)


ODD_NAMES = ["a/b", "../../etc/passwd", "..", ".", " ", "a b", "a\tb", "a\nb",
             "\x1b[2J", "+", "-ann", "ann:", "@staff", "%s%n%s", "x" * 256,
             "x" * 5000, "ANN", "\udcff\udcfe", "group:x"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_name(host, name):
    host.add("ann", OLD)
    before = sorted(STATE.parent.iterdir())
    for steps in (["auth"], ["acct"], ["chauthtok"], ["open"]):
        done = host.drive("probe", name, *steps, answers=[OLD, FRESH, FRESH],
                          rhost=PEER)
        assert done.status == 0, f"{steps}: {done}"
        assert done.code != "SUCCESS" or steps == ["open"]
    assert len(sorted(STATE.parent.iterdir())) <= len(before) + 1
    for line in host.log.with_text("selfreset"):
        assert all(ord(char) >= 32 for char in line.rstrip("\n\0"))
        if len(name) > 4 and name.isprintable():
            assert name not in line, "an unknown name was logged"


def test_odd_sources(host):
    host.add("ann", OLD)
    for rhost in ("", "x" * 1000, "\x1b[2J", "300.1.1.1", "::1", "fe80::1%lo",
                  "a b", "host.example\n", "%s%n"):
        done = host.drive("probe", "ann", "auth", "acct", "open", answers=[OLD],
                          rhost=rhost)
        assert done.status == 0
        assert done.codes == ["SUCCESS"] * 3, rhost


# ---- the end of the process

def test_killed_during_a_change(host):
    """Whatever the moment, the old password is right, or the new one."""
    ann = host.add("ann", OLD, cost=SLOW)
    host.add("bob", "something else")
    seen = set()
    for round_ in range(30):
        host.set_shadow("ann", 1, ann.shadow_line().split(":")[1])
        # By turns early and late, for a fast machine and for a slow one.
        host.drive("probe", "ann", "chauthtok", answers=[OLD, FRESH, FRESH],
                   real_uid=ann.uid, processes=1, seed=round_,
                   kill=(10000, 60000, 300000)[round_ % 3])
        now = [word for word in (OLD, FRESH) if host.has_password("ann", word)]
        assert len(now) == 1
        seen.add(now[0])
        assert host.has_password("bob", "something else")
        host.forget_state()
    assert seen == {OLD, FRESH}, "every kill came at the same moment"


# ---- the configuration between two calls of one handle

def config_is_old():
    return CONFIG.stat().st_ctime + 3 < time.time()


def opened(host, tmp, *steps):
    """How often the configuration is opened."""
    trace = tmp / "trace"
    done = host.drive("probe", "ann", *steps, answers=[OLD], rhost=PEER,
                      wrap=["strace", "-f", "-e", "trace=openat", "-o", trace])
    assert set(done.codes) == {"SUCCESS"}, done
    return trace.read_text().count(f'"{CONFIG}",')


def test_configuration_is_read_once(host, tmp_path):
    host.add("ann", OLD)
    wait_until(config_is_old)
    assert opened(host, tmp_path, "auth", "acct", "cred", "open", "close") == 1


@pytest.mark.parametrize("how", ["edited", "replaced", "dropin"])
def test_configuration_changes_between_calls(host, how):
    """The next call goes by what the files have by then."""
    host.add("ann", OLD)
    wait_until(config_is_old)
    with Talk(host.drive_command("probe", "ann", "auth", "pause", "acct",
                                 answers=[OLD], rhost=PEER)) as talk:
        talk.until("paused")
        dropins = pathlib.Path(f"{CONFIG}.d")  # reset() removes it
        if how == "edited":
            with open(CONFIG, "a", encoding="ascii") as out:
                out.write("nonsense\n")
        elif how == "replaced":
            CONFIG.with_suffix(".new").write_text("nonsense\n")
            CONFIG.with_suffix(".new").rename(CONFIG)
        else:
            dropins.mkdir(exist_ok=True)
            (dropins / "90-nonsense.conf").write_text("nonsense\n")
        talk.type("")
        talk.until("code acct PAM_SERVICE_ERR")


# ---- a dictionary that is damaged

@contextlib.contextmanager
def damaged_dictionary():
    conf = CONFIG.with_name("pwquality.conf")
    before = conf.read_text() if conf.exists() else None
    for ending in ("pwi", "pwd", "hwm"):
        (RUN / f"words.{ending}").write_bytes(b"no words")
    conf.write_text(f"dictpath = {RUN}/words\n")
    try:
        yield
    finally:
        conf.unlink()
        if before is not None:
            conf.write_text(before)


def test_damaged_dictionary(host):
    """Nothing is asked for that could not be accepted, whoever asks; root is
    advised, and what needs no dictionary goes on."""
    ann = host.add("ann", OLD)
    host.add("due", OLD, changed=100, max=90)
    with damaged_dictionary():
        done = host.drive("passwd", "ann", "chauthtok", real_uid=ann.uid,
                          answers=[OLD, FRESH, FRESH])
        assert (done.codes, done.prompts) == (["AUTHTOK_ERR"], []), done
        assert "New passwords cannot be checked" in done.said
        assert "helpdesk@example.org" in done.said and "SR-3211" in done.said
        assert host.log.with_text("SR-3211")
        assert host.log.with_text("the dictionary is damaged")
        done = host.drive("login", "due", "auth", "acct", "change-expired",
                          answers=[OLD, FRESH, FRESH])
        assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "AUTHTOK_ERR"]
        assert done.prompts == ["Password: "], done
        assert host.drive("login", "ann", "auth", "acct",
                          answers=[OLD]).codes == ["SUCCESS", "SUCCESS"]
        done = host.run("selfresetctl", "temporary", "ann")
        assert done.returncode == 1, done
        assert "the dictionary is damaged" in " ".join(done.stderr.split())
        done = host.run("selfresetctl", "check")
        assert "the dictionary is damaged." in " ".join(done.stdout.split())
        host.configure(**{"password group:exempt": {"skip": "dictionary"}})
        lee = host.add("lee", OLD, groups=("exempt",))
        done = host.drive("passwd", "lee", "chauthtok", real_uid=lee.uid,
                          answers=[OLD, FRESH, FRESH])
        assert done.codes == ["SUCCESS"], done
        done = host.drive("passwd", "ann", "chauthtok", answers=[FRESH, FRESH])
        assert done.codes == ["SUCCESS"], done
        assert "As root you can set it anyway." in done.said, done
    assert host.has_password("ann", FRESH)
