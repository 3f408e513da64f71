"""The Ansible role, by ansible-core on this host: what it does, check mode, a
second run, and what it refuses.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import os
import pathlib
import stat
import subprocess

import pytest

from debian import COMMON, PAM_D, modules
from debian import debian as stacks
from scratch import CONFIG, RUN

SECONDS = 25  # of a test, about
ROLES = pathlib.Path(__file__).parents[2] / "tools/ansible/roles"
SECRET = RUN / "ansible.secret"
OLD = "correct horse battery"
ALL = {
    "selfreset_packages": [],
    "selfreset_config": {
        "selfreset": {"backends": ["local"], "contact": "the help desk"},
        "lockout": {"attempts": 4, "root": True},
        "lockout group:root": {"attempts": 0},
    },
    "selfreset_secrets": [{"path": str(SECRET), "content": "Xyzzy-secret"}],
}


@pytest.fixture
def debian(host):
    with stacks(host) as made:
        yield made


def role(**variables):
    return {"ansible.builtin.include_role": {"name": "selfreset"},
            "vars": {**ALL, **variables}}


def play(*tasks, check=False):
    """(what changed, what it said, exit code)."""
    folder = RUN / "ansible"
    folder.mkdir(exist_ok=True)
    book = folder / "play.yml"
    book.write_text(json.dumps([{
        "hosts": "localhost", "connection": "local", "tasks": list(tasks),
        "gather_subset": ["!all", "!min", "distribution", "service_mgr"]}]))
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-v", "-D",
         *(["--check"] if check else []), str(book)],
        env={**os.environ, "ANSIBLE_ROLES_PATH": str(ROLES), "LC_ALL":
             "C.UTF-8", "HOME": str(folder), "ANSIBLE_PIPELINING": "true",
             "ANSIBLE_LOCALHOST_WARNING": "false",
             "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
             "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
             "ANSIBLE_GATHERING": "smart", "ANSIBLE_CACHE_PLUGIN": "jsonfile",
             "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "facts"),
             "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3"},
        capture_output=True, text=True, check=False, timeout=300)
    said = done.stdout + done.stderr
    changed = [part.split("]")[0].removeprefix("selfreset : ")
               for part in done.stdout.split("\nTASK [")[1:]
               if "\nchanged: [localhost]" in part]
    assert done.returncode != 0 or f" changed={len(changed)} " in said, said
    return changed, said, done.returncode


KEPT = RUN / "ansible/kept"


def keep():
    """Tasks that keep the stacks and the configuration as they are by then."""
    return {"ansible.builtin.raw":
            f"mkdir {KEPT} && cp -a {PAM_D}/. {CONFIG} {KEPT}",
            "changed_when": False}


def test_role(debian):
    before = [modules(part) for part in COMMON]
    config = CONFIG.read_bytes()
    debian.add("ann", OLD)
    # Check mode reports and changes nothing.
    would, said, code = play(role(), check=True)
    assert code == 0, said
    assert "Put the module into the PAM stacks" in would
    assert "Write selfreset.conf" in would
    assert [modules(part) for part in COMMON] == before
    assert CONFIG.read_bytes() == config and not SECRET.exists()
    # It does that, and a second run changes nothing more.  A configuration with
    # an error is not put in place, and a variable of another type is refused
    # before anything is done.  Then the module is taken out again.
    bad = [{"block": [role(selfreset_secrets=[], **variables)], "rescue": [
        {"ansible.builtin.debug": {"msg": "refused"}}]} for variables in (
            {"selfreset_config": {"expiry": {"warn": "soon"}}},
            {"selfreset_pam": ["x"]})]
    changed, said, code = play(role(), role(), *bad, keep(),
                               role(selfreset_state="absent"))
    assert code == 0, said
    *done, last = changed
    assert sorted(done) == sorted(would), said
    assert said.count('"msg": "refused"') == 2, said
    assert "failed to validate" in said and "selfreset_pam" in said, said
    assert "Xyzzy" not in said
    assert "pam_selfreset.so" in (KEPT / "common-auth").read_text()
    assert (KEPT / CONFIG.name).read_bytes() == CONFIG.read_bytes()
    assert stat.S_IMODE(SECRET.stat().st_mode) == 0o600
    assert SECRET.read_text() == "Xyzzy-secret"
    rules = json.loads(debian.run("selfresetctl", "status", "--json", "ann")
                       .stdout)["rules"]
    assert (rules["lockout.attempts"], rules["lockout.root"]) == (4, True)
    # The stacks are as before.
    assert last == "Take the module out of the PAM stacks"
    assert [modules(part) for part in COMMON] == before
