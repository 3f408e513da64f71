"""The units of selfreset-helper: under all that they forbid the helper does its
work, and systemd goes on listening whoever connects how often.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import shlex
import sys

import pytest

from scratch import copy, module_directory
from test_watch_unit import SYSTEMD, System

pytestmark = pytest.mark.skipif(not os.path.exists(SYSTEMD),
                                reason="systemd is not installed")

UNITS = ("selfreset-helper.socket", "selfreset-helper@.service")
RESET = ("selfreset-reset.socket", "selfreset-reset@.service",
         "selfreset-notices.service", "selfreset-notices.timer")
METRICS = ("selfreset-metrics.service", "selfreset-metrics.timer")
FIGURES = "/var/lib/prometheus/node-exporter"
OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"

# A user who connects again and again, and holds what he gets.
FLOOD = """\
import os, socket, sys
os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
held = []
for _ in range(100):
    held.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    held[-1].connect("/run/selfreset/helper")
print("held", flush=True)
sys.stdin.read()
"""

# A service of root that checks passwords, confined as polkit-agent-helper@ of
# polkit 127 is.
CONFINED = """\
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=%(driver)s --masked %(right)s --masked %(wrong)s polkit-1 ann auth \
acct auth
StandardOutput=append:/result
ProtectSystem=strict
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
NoNewPrivileges=yes
SystemCallFilter=@system-service
SystemCallArchitectures=native
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
ProtectKernelTunables=yes
DevicePolicy=strict
DeviceAllow=/dev/null rw
DeviceAllow=/dev/urandom r
LimitMEMLOCK=0
UMask=0077
"""

TRY = """\
for answer in %(right)s %(wrong)s; do
    %(driver)s --masked $answer --uid %(ann)d probe ann auth acct >>/result
done
systemctl start confined.service || systemctl status confined.service >>/said
mkfifo /hold
%(python)s /flood %(bob)d </hold >/held & exec 3>/hold
until [ -s /held ]; do sleep 0.05; done
%(driver)s --masked %(right)s --uid %(ann)d probe ann auth >>/result
exec 3>&-
wait
ticket=$(selfresetctl ticket ann)
printf '%%s\\n' ann 1 "$ticket" '%(fresh)s' '%(fresh)s' | selfreset >>/said
echo "reset $?" >>/result
%(driver)s --masked %(masked)s --uid %(ann)d probe ann auth >>/result
install -d -m 0730 -g mail /var/spool/maildrop
install -m 2755 -g mail /usr/bin/tee /drop
selfresetctl notices --try ann@mail.example >>/said 2>&1
echo "mail $? $(stat -c %%U:%%G /var/spool/maildrop/letter)" >>/result
cp /var/spool/maildrop/letter /letter
mkdir -p %(figures)s
systemctl start selfreset-metrics.service
cp %(figures)s/selfreset.prom /figures
systemctl show --value -p ActiveState -p Result selfreset-helper.socket >>/result
echo end >>/result
"""


def masked(text):
    return bytes(byte ^ 0xa5 for byte in text.encode()).hex()


class Units(System):
    def __init__(self, host, **words):
        self.words = words
        super().__init__(host)

    def fill(self, host):
        super().fill(host)
        modules = self.upper / "usr" / module_directory().relative_to("/")
        modules.mkdir(parents=True, exist_ok=True)
        copy(module_directory() / "pam_selfreset.so",
             modules / "pam_selfreset.so")
        units = self.upper / "etc/systemd/system"
        self.install(host, UNITS + RESET + METRICS)
        for name in ("selfreset-helper@", "selfreset-reset@"):
            (units / f"{name}.service.d").mkdir()
            (units / f"{name}.service.d/out.conf").write_text(
                "[Service]\nStandardOutput=append:/said\n"
                "StandardError=append:/said\n")
        (units / "confined.service").write_text(CONFINED % self.words)
        (self.upper / "flood").write_text(FLOOD)
        sockets = "selfreset-helper.socket selfreset-reset.socket"
        self.script(sockets, sockets,
                    TRY % {**self.words, "figures": FIGURES})


def codes(lines):
    return [line.split()[2].removeprefix("PAM_") for line in lines
            if line.startswith("code ")]


def test_with_systemd(host):
    """Passwords are verified, one is reset, a mail is sent, and figures are
    written."""
    # As postfix has it: a spool that only its group can write, and a program
    # with that group.
    host.configure(reset={"enable": "yes", "gates": 1, "classes": "ticket",
                          "mail_program": "/drop /var/spool/maildrop/letter"})
    ann, bob = host.add("ann", OLD), host.add("bob", OLD)
    system = Units(host, driver=shlex.quote(host.driver), right=masked(OLD),
                   wrong=masked("no"), fresh=FRESH, masked=masked(FRESH), ann=ann.uid, bob=bob.uid,
                   python=sys.executable)
    lines = system.result()
    assert codes(lines) == [
        "SUCCESS", "SUCCESS", "AUTH_ERR", "SUCCESS",  # with her own rights
        "SUCCESS", "SUCCESS", "AUTH_ERR",  # confined
        "SUCCESS",
        "SUCCESS"], (lines, system.said())
    assert "reset 0" in lines, lines
    assert "mail 0 _selfreset:mail" in lines, (lines, system.said())
    assert "To: <ann@mail.example>" in (system.upper / "letter").read_text()
    assert sorted(lines[-3:]) == ["active", "end", "success"], lines
    figures = (system.upper / "figures").read_text()
    assert 'selfreset_backend_up{backend="local"} 1\n' in figures
    assert "selfreset_store_up 1\n" in figures
    assert "selfreset_clock_synchronized " in figures


def test_systemd_takes_them(host, tmp_path):
    for name in UNITS + RESET + METRICS:
        (path,) = (host.build / "stage").glob(f"**/system/{name}")
        text = path.read_text()
        assert "%sbindir%" not in text and "%rundir%" not in text
        (tmp_path / name).write_text(text.replace(
            "/usr/sbin/", host.tools[0] + "/"))
    done = host.run("systemd-analyze", "verify", "--man=no",
                    *(tmp_path / name for name in UNITS + RESET + METRICS))
    assert (done.returncode, done.stderr) == (0, "")
