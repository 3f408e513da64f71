"""Units that ask PAM where nearly nothing can be written, as polkit's
socket-activated helper does from polkit 127 on.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import shutil

import pytest

from scratch import ETC, RUNDIR, STATE

OLD = "correct horse battery"
UNIT = "polkit-agent-helper@.service"
UNITS = ETC / "systemd/system"
# Of polkit 127, as far as it is about the file system; /usr/bin/login stands
# for the helper: a program that is linked with libpam.
TEXT = """\
[Service]
Type=exec
ExecStart=-/usr/bin/login
User=root
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ReadOnlyPaths=/
StandardInput=socket
"""


@pytest.fixture
def unit(host):
    UNITS.mkdir(parents=True, exist_ok=True)
    (UNITS / UNIT).write_text(TEXT)
    yield host
    (UNITS / UNIT).unlink()
    shutil.rmtree(UNITS / f"{UNIT}.d", ignore_errors=True)


def install_drop_in(host):
    (shipped,) = (host.build / "stage").rglob(f"{UNIT}.d/selfreset.conf")
    folder = UNITS / f"{UNIT}.d"
    folder.mkdir()
    shutil.copy2(shipped, folder)
    return shipped.read_text()


def units_named(host):
    done = host.run("selfresetctl", "pam", "--check", "--json")
    found = json.loads(done.stdout)
    return [one["place"] for one in found if "ProtectSystem" in one["text"]]


def test_check_finds_it(unit):
    assert units_named(unit) == [str(UNITS / UNIT)]
    install_drop_in(unit)
    assert units_named(unit) == []


def sandbox(drop_in):
    """A command prefix: what ProtectSystem=strict leaves of the file system.
    What the drop-in names stays as it is."""
    (line,) = (line for line in drop_in.splitlines()
               if line.startswith("ReadWritePaths="))
    kept = [path.lstrip("-") for path in line.split("=")[1].split()]
    script = "".join(f"mount --bind {path} {path}\n" for path in kept)
    script += "\n".join(
        f"mount -o remount,bind,ro {place}"
        for place in ("/etc", "/run", "/var/lib", "/var/log", "/"))
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
            f"{script}\nexec \"$@\"", "sh"]


def test_the_drop_in_is_enough(unit):
    """Right passwords work, wrong ones are counted."""
    unit.configure(lockout={"attempts": 2})
    unit.add("ann", OLD)
    for path in (STATE, RUNDIR):
        path.mkdir(mode=0o700, exist_ok=True)  # systemd-tmpfiles makes them
    wrap = sandbox(install_drop_in(unit))
    assert unit.run(*wrap, "touch", "/etc/x").returncode != 0
    assert unit.run(*wrap, "touch", "/var/lib/x").returncode != 0
    for _ in range(3):
        done = unit.drive("probe", "ann", "auth", "acct", answers=[OLD],
                          wrap=wrap)
        assert done.codes == ["SUCCESS", "SUCCESS"], done
    for _ in range(2):
        assert unit.drive("probe", "ann", "auth", answers=["no"],
                          wrap=wrap).code == "AUTH_ERR"
    assert unit.drive("probe", "ann", "auth", answers=[OLD],
                      wrap=wrap).code == "AUTH_ERR"
