"""What each release has written is read by these sources, and its programs are
answered by their helper.  A release is a file of released/: the state that it
left on a host, and what its programs send to a helper.

To record one, before its formats change: SELFRESET_RECORD=VERSION; the test of
the sources themselves then writes the file.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import base64
import json
import os
import pathlib
import time
import zlib

import pytest

import helper
from scratch import NSSDIR, STATE, STATE_GROUPS
from test_reset import OLD, PEER, Person, reset

RELEASED = pathlib.Path(__file__).with_name("released")
RELEASES = sorted(path.stem for path in RELEASED.glob("*.json"))
RECORD = os.environ.get("SELFRESET_RECORD")
BEFORE = "a kettle on the stove"
FRESH = "nine herons in the reeds"
PEOPLE = {"ann": 2501, "bob": 2502, "cyn": 2503, "dan": 2504}


def prepare(host):
    """What is not recorded."""
    host.configure(reset={"enable": "yes", "new_gate_wait": "0"},
                   lockout={"attempts": 3, "limit": 3},
                   password={"history": 3})
    host.create_state_groups()
    host.nsswitch()


def live(host):
    """The state, by these sources: a ledger, a memory with a history and one
    with a temporary password, an enrolment, a snapshot and a delta."""
    ann = Person(host, uid=PEOPLE["ann"])
    for name in ("bob", "cyn", "dan"):
        host.add(name, OLD, uid=PEOPLE[name])
    ann.enroll()
    assert host.run("selfresetctl", "temporary", "cyn").returncode == 0
    host.publish()
    for _ in range(3):
        host.drive("probe", "bob", "auth", answers=["no"], rhost=PEER)
    for old, new in ((OLD, BEFORE), (BEFORE, FRESH)):
        done = host.drive("probe", "dan", "chauthtok", answers=[old, new, new],
                          real_uid=PEOPLE["dan"])
        assert done.code == "SUCCESS", done
    asked = [helper.message(helper.HELLO, version=helper.VERSION),
             helper.message(helper.CALL, call=helper.AUTH, flags=0, user="dan",
                            service="probe", rhost=PEER, locale="C",
                            language="", variable=["LANG=C"])]
    return {"time": int(time.time()), "codes": ann.codes,
            "shadow": {name: host.shadow(name) for name in PEOPLE},
            "call": [message.hex() for message in asked],
            "answer": helper.message(helper.ANSWER, text=FRESH).hex(),
            "files": dict(state_files())}


def state_files():
    """Names, each with a link's target, or a file's mode and content."""
    for root in (STATE, NSSDIR):
        for path in sorted(root.rglob("*")):
            if path.is_symlink():
                yield str(path), [os.readlink(path)]
            elif path.is_file():
                yield str(path), [path.stat().st_mode & 0o7777,
                                  base64.b64encode(zlib.compress(
                                      path.read_bytes(), 9)).decode()]


def restore(host, kept):
    for name, fields in kept["shadow"].items():
        host.add(name, hash=fields[1], uid=PEOPLE[name])
        host.set_shadow(name, 2, fields[2])
    for name, what in kept["files"].items():
        path = pathlib.Path(name)
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir(mode=0o755 if NSSDIR in (folder, *folder.parents)
                             else 0o700)
        if len(what) == 1:
            path.symlink_to(what[0])
        else:
            path.write_bytes(zlib.decompress(base64.b64decode(what[1])))
            path.chmod(what[0])


def temporary(host):
    """When cyn's temporary password ends, if it is one."""
    done = host.run("selfresetctl", "status", "--json", "cyn")
    return json.loads(done.stdout)["facts"]["temporary_until"]


def groups_then(host, name, when):
    """The state groups at a time."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when + 1))
    gids = host.run("faketime", at, "id", "-G", name).stdout.split()
    return {group for group, gid in STATE_GROUPS.items() if str(gid) in gids}


@pytest.mark.parametrize("release", [*RELEASES, "these sources"])
def test_released(host, release):
    prepare(host)
    if release in RELEASES:
        kept = json.loads((RELEASED / f"{release}.json").read_text())
        restore(host, kept)
    else:
        kept = live(host)
        if RECORD is not None:
            RELEASED.mkdir(exist_ok=True)
            (RELEASED / f"{RECORD}.json").write_text(
                json.dumps(kept, indent=1) + "\n")
    # The snapshot, with its deltas.
    for name, group in {"ann": "acct-ok", "bob": "acct-locked",
                        "cyn": "pw-must-change", "dan": "acct-ok"}.items():
        assert group in groups_then(host, name, kept["time"]), name
    # The ledger, and the memory of a temporary password.
    done = host.run("selfresetctl", "status", "bob")
    assert "locked_until: never" in " ".join(done.stdout.split()), done
    assert host.drive("probe", "bob", "auth", answers=[OLD],
                      rhost=PEER).code == "AUTH_ERR"
    assert temporary(host) is not None
    # The history.
    done = host.drive("probe", "dan", "chauthtok", real_uid=PEOPLE["dan"],
                      answers=[FRESH, BEFORE, BEFORE])
    assert done.code != "SUCCESS" and "used before" in done.said, done
    # The enrolment.
    flow = reset(host)
    Person.choose(None, flow, "recovery codes", kept["codes"][0])
    assert "One more proof" in flow.text
    flow.leave()
    # The helper, asked by a program of that release.
    helper.start(host)
    client = helper.Client()
    for message in kept["call"]:
        client.socket.send(bytes.fromhex(message))
    assert client.rest()[-1][0] == helper.ASK
    client.socket.send(bytes.fromhex(kept["answer"]))
    assert client.rest()[-1][1]["code"] == 0
    client.close()
