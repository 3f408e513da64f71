"""The units that publish: systemd starts a run for every change, for one that
comes while a run has not ended, too.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os

import pytest

from scratch import RUN, STATE_GROUPS, copy
from test_watch_unit import SYSTEMD, System

pytestmark = pytest.mark.skipif(not os.path.exists(SYSTEMD),
                                reason="systemd is not installed")

UNITS = ("selfreset-publish.service", "selfreset-publish.path",
         "selfreset-publish.timer", "selfreset-changed.service",
         "selfreset-changed.path")

# The run is over, and systemd does not watch yet.
SLOW = """\
[Service]
ExecStartPost=/bin/sh -c 'touch /run/selfreset/ended; sleep 2; rm /run/selfreset/ended'
StandardOutput=append:/said
StandardError=append:/said
"""

TRY = """\
has() { id -G "$1" | grep -qw %(locked)d; }
wait_for() {
    n=0
    until "$@"; do
        n=$((n + 1))
        [ $n -lt 200 ] || { echo "no: $*"; return 1; }
        sleep 0.05
    done
}
ended() { [ -e /run/selfreset/ended ]; }
wait_for eval '! ended'
chage -E 1 bob
wait_for has bob
wait_for ended
chage -E 1 carl
wait_for has carl && echo published >/result
wait_for eval '! ended'
sleep 3
[ ! -e /run/selfreset/changed ] || echo "the flag stays" >>/result
systemctl show --value -p NRestarts -p ActiveState selfreset-publish.path \\
    >>/result
echo end >>/result
"""


class Units(System):
    def fill(self, host):
        super().fill(host)
        (module,) = (host.build / "stage").glob("lib/*/libnss_selfreset.so.2")
        folder = self.upper / "usr/lib" / module.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        copy(module, folder / module.name)
        units = self.upper / "etc/systemd/system"
        self.install(host, UNITS)
        (units / "selfreset-publish.service.d").mkdir()
        (units / "selfreset-publish.service.d/slow.conf").write_text(SLOW)
        self.script("selfreset-publish.service selfreset-publish.path",
                    "selfreset-publish.service",
                    TRY % {"locked": STATE_GROUPS["acct-locked"]})


def test_a_change_as_a_run_ends(host):
    for name in ("bob", "carl"):
        host.add(name, "correct horse battery")
    host.create_state_groups()
    host.nsswitch()
    assert " ".join(Units(host).result()).split() == ["published", "active",
                                                      "end"]


def test_systemd_takes_them(host, tmp_path):
    names = [name for name in UNITS if "publish.service" not in name]
    for name in names:
        (path,) = (host.build / "stage").glob(f"**/system/{name}")
        copy(path, tmp_path / name)
    copy(next((host.build / "stage").glob("**/system/selfreset-publish.service")),
         tmp_path / "selfreset-publish.service")
    text = (tmp_path / "selfreset-publish.service").read_text()
    assert "After=selfreset-changed.service" in text
    assert "systemd-sysusers.service" in text
    done = host.run("systemd-analyze", "verify", "--man=no",
                    *(tmp_path / name for name in names))
    assert "Unknown" not in done.stderr and "Failed to parse" not in \
        done.stderr, done.stderr
    assert "OnClockChange=yes" in (tmp_path / "selfreset-publish.timer"
                                   ).read_text()


def test_run_directory(host):
    """/run/selfreset is made by systemd-tmpfiles, always the same."""
    (config,) = (host.build / "stage").glob("**/tmpfiles.d/selfreset.conf")
    root = RUN / "root"
    (root / "run").mkdir(parents=True)
    done = host.run("systemd-tmpfiles", "--create", f"--root={root}", config)
    assert done.returncode == 0, done.stderr
    status = os.stat(root / "run/selfreset")
    assert (status.st_mode & 0o7777, status.st_uid) == (0o755, 0)
