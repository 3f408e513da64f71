"""selfresetctl metrics and check --nagios: what monitoring reads of a host.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import time

import pytest

from scratch import RUN, STATE, free_port, tmpfs
from test_ctl import LINE, OLD, PEER, ctl, guess, in_place_of

FOLDER = RUN / "metrics"
FILE = FOLDER / "selfreset.prom"
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z0-9]+="(?:[^"\\]|\\.)*",?)*)\})? '
                    r"(-?\d+)")


def metrics(host, **options):
    """{(name, labels): value}, and the file is one of the text format."""
    FOLDER.mkdir(exist_ok=True)
    ctl(host, "metrics", "--file", str(FILE), **options)
    found, told = {}, set()
    for line in FILE.read_text().splitlines():
        if line.startswith("#"):
            _, word, name, _ = line.split(" ", 3)
            assert (word, name) not in told
            told.add((word, name))
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        assert {("HELP", name), ("TYPE", name)} <= told
        key = (name, *re.findall(r'"((?:[^"\\]|\\.)*)"', labels or ""))
        assert key not in found
        found[key] = int(value)
    return found


def test_figures_of_a_host(host):
    for name in ("ann", "bob", "dan"):
        host.add(name, OLD)
    host.create_state_groups()
    before = metrics(host)
    assert before["selfreset_backend_up", "local"] == 1
    assert ("selfreset_accounts", "ok") not in before
    host.publish()
    host.configure(lockout={"attempts": 2, "source_attempts": 4})
    guess(host, 2)
    guess(host, 2, user="nosuch", rhost="192.0.2.77")
    guess(host, 2, user="bob", rhost="192.0.2.78")
    guess(host, 2, user="dan", rhost="192.0.2.78")
    found = metrics(host)
    assert found["selfreset_locked_out", "strangers"] == 3
    assert found["selfreset_locked_out", "names"] == 1
    assert found["selfreset_locked_out", "own"] == 0
    assert found["selfreset_locked_out", "sources"] == 1
    assert found["selfreset_snapshot_current", "groups"] == 1
    assert (found["selfreset_snapshot_end_timestamp_seconds", "groups"] >
            found["selfreset_snapshot_timestamp_seconds", "groups"])
    states = {key[1]: value for key, value in found.items()
              if key[0] == "selfreset_accounts"}
    shown = [line.split()[1] for line in
             ctl(host, "list", "--all").stdout.splitlines()]
    assert states == {state: shown.count(state) for state in states}
    assert states["ok"] > 0
    assert found["selfreset_store_up",] == 1
    assert found["selfreset_store_damaged_files",] == 0
    assert found["selfreset_store_free_bytes",] > 0
    # What the monitoring program gets, and nobody is named in it.
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o644
    assert os.listdir(FOLDER) == [FILE.name]
    for secret in ("ann", "bob", "dan", "nosuch", PEER, "192.0.2"):
        assert secret not in FILE.read_text()
    next((STATE / "accounts").glob("*.strangers")).write_bytes(b"x" * 4096)
    found = metrics(host)
    assert found["selfreset_store_damaged_files",] == 1
    assert found["selfreset_locked_out", "strangers"] == 2
    unpacked = host.build.parent / "monitoring/usr/bin"
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=FILE.read_text(), text=True,
        env={"PATH": f"{unpacked}:{os.environ['PATH']}"}, check=False,
        capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_file_is_replaced_whole_or_not_at_all(host):
    host.add("ann", OLD)
    found = metrics(host)
    assert found["selfreset_backend_up", "local"] == 1
    whole = FILE.read_bytes()
    # No space for the new one.
    tmpfs(FOLDER, "0755", "size=4k")
    try:
        FILE.write_bytes(b"old\n")
        done = ctl(host, "metrics", "--file", str(FILE), code=1)
        assert "No space left" in done.stderr and done.stdout == ""
        assert FILE.read_bytes() == b"old\n"
        assert os.listdir(FOLDER) == [FILE.name]
    finally:
        subprocess.run(["umount", str(FOLDER)], check=True)
    assert FILE.read_bytes() == whole
    assert "No such file" in ctl(host, "metrics", "--file", "/nosuch/x.prom",
                                 code=1).stderr
    host.configure(expiry={"warn": "soon"})
    assert "warn" in ctl(host, "metrics", "--file", str(FILE), code=1).stderr
    assert FILE.read_bytes() == whole


@pytest.fixture
def auth_log(host):
    folder = pathlib.Path("/var/log")
    tmpfs(folder)
    yield folder / "auth.log"
    subprocess.run(["umount", str(folder)], check=True)


def wrong_passwords(host):
    return metrics(host)["selfreset_events_total", "SR-2105", "wrong-password"]


def test_events_are_counted_once(host, auth_log):
    line = f"Nov  3 10:00:00 box {LINE}\n"
    assert not any(key[0] == "selfreset_events_total" for key in metrics(host))
    auth_log.write_text(line + "Nov  3 10:00:00 box other: user=ann\n" + line)
    assert wrong_passwords(host) == 2
    assert wrong_passwords(host) == 2
    # A line of which only a part is written yet.
    with open(auth_log, "a") as out:
        out.write(line + line[:60])
    assert wrong_passwords(host) == 3
    with open(auth_log, "a") as out:
        out.write(line[60:])
    assert wrong_passwords(host) == 4
    # Rotated, with a last line in the old one.
    with open(auth_log, "a") as out:
        out.write(line)
    auth_log.rename(auth_log.parent / "auth.log.1")
    auth_log.write_text(line)
    assert wrong_passwords(host) == 6
    # Cut short, as by copytruncate.
    with open(auth_log, "a") as out:
        out.write(line * 3)
    assert wrong_passwords(host) == 9
    os.truncate(auth_log, 0)
    with open(auth_log, "a") as out:
        out.write(line)
    assert wrong_passwords(host) == 10
    # Counts that cannot be read begin anew, and are no failure.
    counts = STATE / "event-counts"
    assert stat.S_IMODE(counts.stat().st_mode) == 0o600
    counts.write_text("something else\n")
    assert wrong_passwords(host) == 6


def test_events_of_the_journal_continue_at_the_cursor(host):
    if shutil.which("journalctl") is None:
        pytest.fail("journalctl is missing")
    export = RUN / "export"
    record = "__CURSOR=s=a;i={}\n__REALTIME_TIMESTAMP={}000000\n" \
             "SELFRESET_ID=SR-2105\n\n"
    made = [pathlib.Path(path) for path in ("/run/systemd/journal/socket",
                                            "/run/log/journal/x")]
    for path in made:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    try:
        now = int(time.time())
        export.write_text(record.format(1, now) + record.format(2, now))
        with in_place_of("journalctl", f'echo "$@" >{RUN}/asked; cat {export}'):
            assert wrong_passwords(host) == 2
            asked = (RUN / "asked").read_text()
            assert "--after-cursor" not in asked
            # Not the whole journal, which can take longer than the unit has.
            (since,) = re.findall(r" --since=@(\d+) ", asked)
            assert now - int(since) == pytest.approx(86400, abs=60)
            export.write_text(record.format(3, now))
            assert wrong_passwords(host) == 3
            asked = (RUN / "asked").read_text()
            assert "--after-cursor=s=a;i=2 " in asked and "--since" not in asked
            export.write_text("")
            assert wrong_passwords(host) == 3
            assert "--after-cursor=s=a;i=3 " in (RUN / "asked").read_text()
        # Another journal, which does not know the cursor.
        export.write_text(record.format(7, now))
        with in_place_of("journalctl", 'case "$*" in *after-cursor*) exit 1;; '
                         f"esac; cat {export}"):
            assert wrong_passwords(host) == 1
    finally:
        for path in made:
            path.unlink()
        made[1].parent.rmdir()


def test_a_backend_that_does_not_answer(host):
    host.configure(selfreset={"backends": "local, corp"}, **{"backend corp": {
        "type": "ldap", "uri": f"ldap://127.0.0.1:{free_port()}",
        "base": "dc=example,dc=org", "insecure": "yes"}})
    found = metrics(host)
    assert found["selfreset_backend_up", "corp"] == 0
    assert found["selfreset_backend_up", "local"] == 1
    assert found["selfreset_backend_servers", "corp", "no"] == 1
    assert found["selfreset_backend_servers", "corp", "yes"] == 0
    done = ctl(host, "check", "--backend", "corp", "--nagios", code=2)
    assert done.stdout.startswith("SELFRESET CRITICAL: ")
    assert "127.0.0.1" in done.stdout and done.stdout.count("\n") == 1


LINE_OF_NAGIOS = re.compile(
    r"SELFRESET (OK|WARNING|CRITICAL): (\d+) errors?, (\d+) warnings?(; [^|]+)? "
    r"\| errors=(\d+);;0 warnings=(\d+);0\n")


def test_nagios(host):
    host.add("ann", OLD)
    seen = {}
    for key, options, code in (("ok", {}, 0),
                               ("warning", {"lockout": {"root": "yes"}}, 1),
                               ("error", {"expiry": {"warn": "a|b"}}, 2)):
        host.configure(**options)
        done = host.run("selfresetctl", "check", "--nagios")
        found = LINE_OF_NAGIOS.fullmatch(done.stdout)
        assert found, done.stdout
        errors, warnings = int(found[2]), int(found[3])
        assert (errors, warnings) == (int(found[5]), int(found[6]))
        assert done.returncode == (2 if errors else 1 if warnings else 0)
        plain = host.run("selfresetctl", "check", "--json").returncode
        assert plain == {0: 0, 1: 10, 2: 2}[done.returncode]
        seen[key] = (errors, warnings)
        assert done.returncode >= code
    assert seen["warning"][1] == seen["ok"][1] + 1
    assert seen["error"][0] >= 1
    host.configure()
    user = ("setpriv", "--reuid=1", "--regid=1", "--clear-groups")
    for command in ((*user, "selfresetctl", "check", "--nagios"),
                    ("selfresetctl", "check", "--nagios", "--json"),
                    ("selfresetctl", "check", "--nagios", "--backend", "x")):
        done = host.run(*command)
        assert done.returncode == 3, done
        assert done.stdout.startswith("SELFRESET UNKNOWN: ")
        assert done.stdout.count("\n") == 1 and done.stderr
