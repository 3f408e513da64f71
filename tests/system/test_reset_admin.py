"""What administrators see of self-service reset: the report of its activity,
and whether everything works.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import csv
import io
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

from scratch import STATE, free_port
from test_ctl import ctl, in_place_of, var_log
from test_reset import FRESH, PEER, Person, app_code, reset

__all__ = ["var_log"]
QUEUE = STATE / "reset/queue"


@pytest.fixture
def ann(host):
    host.configure(reset={"enable": "yes", "new_gate_wait": "0"})
    return Person(host)


def write_log(host, folder, lines=None):
    """The log file of what was logged so far."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    (folder / "auth.log").write_text("".join(
        f"{now} box {re.sub('^<[0-9]+>', '', line)}\n"
        for line in lines or host.log.all()))


def report(host, *arguments, code=0):
    return json.loads(ctl(host, "report", "--json", *arguments,
                          code=code).stdout)


def csv_report(*arguments):
    """The sheet as bytes have it, and its rows as a spreadsheet reads them."""
    sheet = subprocess.run(["selfresetctl", "report", "--csv", *arguments],
                           check=True, capture_output=True).stdout.decode()
    assert sheet.endswith("\r\n")
    return sheet, list(csv.DictReader(io.StringIO(sheet, newline=""),
                                      strict=True))


# ---- the report

def test_each_run_is_one_line(host, ann, var_log):
    ann.enroll()
    done = reset(host)
    ann.choose(done, "authenticator app", "000000")
    ann.choose(done, "authenticator app", app_code(ann.key))
    ann.choose(done, "recovery codes", ann.codes[3])
    done.answer(FRESH, FRESH)
    assert done.end == 0, done.text
    left = reset(host).leave()
    unknown = reset(host, "nobody1")
    ann.choose(unknown, "recovery codes", "AAAAA-BBBBB-CCCCC")
    unknown.leave()
    ticket = host.run("selfresetctl", "ticket", "ann").stdout.strip()
    write_log(host, var_log)
    found = report(host)
    page = (pathlib.Path(__file__).parents[2] / "man/selfresetctl.8"
            ).read_text()
    assert [list(one) for one in found] == [
        re.findall(r"^report (\w+) ", page, re.M)] * len(found)
    by_ref = {one["reference"]: one for one in found if one["reference"]}
    assert len(by_ref) == len([one for one in found if one["reference"]])
    one = by_ref[done.ref]
    assert (one["activity"], one["result"]) == ("reset", "password-set")
    assert one["user"] == "ann" and one["source"] == PEER
    assert one["proved_gates"] == "app codes" and one["wrong_answers"] == 1
    # The code that was used is replaced, which is not a line of its own.
    assert by_ref[left.ref]["result"] == "failed"
    assert by_ref[unknown.ref]["result"] == "refused"
    assert by_ref[unknown.ref]["user"] is None
    set_up = [one for one in found if one["activity"] == "registration"]
    assert [one["set_gates"] for one in set_up] == ["codes", "app"]
    assert {one["result"] for one in set_up} == {"ok"}
    assert [one["actor"] for one in found
            if one["activity"] == "ticket"] == ["root"]
    text = " ".join(ctl(host, "report").stdout.split())
    assert f"ann: reset: password-set; proved by app codes; from {PEER}; " \
        f"reference {done.ref}" in text
    assert "nobody1" not in text and ticket not in text
    # As a spreadsheet reads it: the same.
    assert [{key: "" if value is None else str(value)
             for key, value in one.items()} for one in found] == csv_report()[1]


def test_times_of_the_report(host, var_log):
    line = ("selfreset[7]: pam_selfreset(selfreset:reset): SR-1001 reset-start:"
            " x user=ann uid=1000 result=ok ref={}")
    (var_log / "auth.log").write_text("".join(
        f"2026-11-0{day}T10:00:00+00:00 box {line.format(f'AAAA-000{day}')}\n"
        for day in range(1, 6)))
    for arguments, days in (
            ((), "12345"), (("--from", "2026-11-03"), "345"),
            (("--to", "2026-11-03"), "12"),
            (("--from", "2026-11-02 10:00", "--to", "2026-11-04 10:00"), "23")):
        found = report(host, *arguments)
        assert "".join(one["reference"][-1] for one in found) == days, arguments
    assert "No reset" in ctl(host, "report", "--to", "2020-01-01").stdout
    sheet, rows = csv_report("--to", "2020-01-01")
    assert sheet.startswith('"time","end",') and not rows
    ctl(host, "report", "--from", "soon", code=64)
    ctl(host, "report", "--csv", "--json", code=64)


@pytest.mark.parametrize("text", [
    '=HYPERLINK("http://x","y")', "+1", "-2+3", "@SUM(A1)", '"', "a,b",
    'say "no"', "''", "\u00fc \u4e2d", "=", "-"])
def test_no_field_is_a_formula(host, var_log, text):
    """Whatever was logged: a text, and the same one but for an apostrophe."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    (var_log / "auth.log").write_text(
        "2026-11-02T10:00:00+00:00 box selfreset[7]: pam_selfreset(selfreset:"
        f'reset): SR-1003 reset-failed: x user="{quoted}" cause="{quoted}" '
        f'actor="{quoted}" source="{quoted}" ref=AAAA-0001\n')
    sheet, [row] = csv_report()
    assert sheet.count("\r\n") == 2
    plain = "'" + text if text[0] in "=+-@\t\r" else text
    assert [row[key] for key in ("user", "cause", "actor", "source")] == \
        [plain] * 4
    assert not [value for value in row.values() if value[:1] in
                tuple("=+-@\t\r")]


def test_the_journal_is_asked_for_records_of_root(host):
    made = "/run/systemd/journal", "/run/log/journal"
    for path in made:
        os.makedirs(path, exist_ok=True)
    open("/run/systemd/journal/socket", "w").close()
    try:
        with in_place_of("journalctl", 'case "$*" in *_UID=0*) ;; *) exit 1;; '
                         "esac; printf '__REALTIME_TIMESTAMP=1793613600000000\\n"
                         "SELFRESET_ID=SR-1002\\nSELFRESET_USER=ann\\n\\n'"):
            [one] = report(host)
    finally:
        os.unlink("/run/systemd/journal/socket")
        for path in made:
            with contextlib.suppress(OSError):  # another test has files there
                os.removedirs(path)
    assert (one["user"], one["result"]) == ("ann", "password-set")


def test_check_says_that_reset_is_off(host):
    said = " ".join(ctl(host, "reset", "--check").stdout.split())
    assert "switched off, so nothing of it was checked" in said
    assert json.loads(ctl(host, "reset", "--check", "--json").stdout) == []
    host.configure(reset={"enable": "yes"})
    assert "switched off" not in host.run("selfresetctl", "reset",
                                          "--check").stdout


# ---- health

def health(host, code=0):
    done = host.run("selfresetctl", "health", "--json")
    found = json.loads(done.stdout)
    # The clock of the machine that runs the tests is none of their business.
    found["findings"] = [one for one in found["findings"]
                         if one["place"] != "clock"]
    if code is not None:
        worst = {one["severity"] for one in found["findings"]}
        assert code == (2 if "error" in worst else 10 if worst else 0), found
        assert done.returncode >= code
    return found


def place_of(found):
    return [(one["severity"], one["place"]) for one in found["findings"]]


def test_health_of_reset(host, ann):
    assert health(host)["reset"]["enrolled"] == 0
    ann.enroll()
    found = health(host)
    assert found["reset"]["enrolled"] == 1 and found["reset"]["enabled"]
    assert found["reset"]["gates"]["app"] == 1
    assert found["reset"]["gates"]["mail"] == 0
    assert found["backends"][0]["name"] == "local"
    # The key of the secrets.
    seal = STATE / "reset/seal"
    key = seal.read_bytes()
    seal.unlink()
    found = health(host, 2)
    assert place_of(found) == [("error", "self-service reset")]
    assert "key" in found["findings"][0]["text"] and not seal.exists()
    with in_place_of("systemctl",
                     "echo 'LoadCredentialEncrypted=selfreset-seal'"):
        assert not health(host)["findings"]
    seal.write_bytes(key)
    seal.chmod(0o600)
    # Messages that nobody sends.
    QUEUE.mkdir(mode=0o700, parents=True, exist_ok=True)
    (QUEUE / f"{int(time.time()) - 7200}-0011223344556677").write_text("x")
    found = health(host, 10)
    assert "for 120 minutes" in found["findings"][0]["text"]
    assert found["reset"]["queued"] == 1
    for path in QUEUE.iterdir():
        path.unlink()
    (QUEUE / f"{int(time.time())}-0011223344556677").write_text("x")
    assert health(host)["reset"]["queued"] == 1
    for path in QUEUE.iterdir():
        path.unlink()
    # A report of a user.
    assert ann.flow("report", "K7Q4-2MXP").end == 0
    assert "reported" in health(host, 10)["findings"][0]["text"]
    text = host.run("selfresetctl", "health").stdout
    assert "accounts that are enrolled: 1" in text and "The backend local" in text
    # An enrolment that cannot be read.
    path = next((STATE / "reset/accounts").glob("*.enrolment"))
    path.write_bytes(b"x" * 100)
    found = health(host, 10)
    assert "cannot be read" in found["findings"][0]["text"]
    assert path.exists(), "health changes nothing"


def test_health_of_backends_and_state(host):
    host.configure(selfreset={"backends": "local, corp"}, **{"backend corp": {
        "type": "ldap", "uri": f"ldap://127.0.0.1:{free_port()}",
        "base": "dc=example,dc=org", "insecure": "yes"}})
    found = health(host, 2)
    assert ("error", "corp") in place_of(found)
    assert found["backends"][1]["up"] is False
    assert found["backends"][1]["error"]
    host.configure(selfreset={"backends": "local"})
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "test", str(STATE)],
                   check=True)
    try:
        assert ("error", str(STATE)) in place_of(health(host, 2))
    finally:
        subprocess.run(["umount", str(STATE)], check=True)
    assert not health(host)["findings"]
