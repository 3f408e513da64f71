"""The units of selfreset-helper: under all that they forbid the helper does its
work, and systemd goes on listening whoever connects how often.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import shlex
import subprocess
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
%(mail)s
mkdir -p %(figures)s
systemctl start selfreset-metrics.service
cp %(figures)s/selfreset.prom /figures
systemctl show --value -p ActiveState -p Result selfreset-helper.socket >>/result
echo end >>/result
"""


# Each server takes a message by its program: postfix into its queue, exim4 and
# msmtp pass it on to the server that listens on this host.
MAIL_FILES = {
    "aliases": "", "mailname": "client.example.org\n",
    "hosts": "127.0.0.1 client.example.org client localhost\n",
    "postfix/main.cf":
        "compatibility_level = 3.6\nmail_owner = postfix\n"
        "setgid_group = postdrop\nmyhostname = client.example.org\n"
        "inet_interfaces = loopback-only\n",
    "exim4/update-exim4.conf.conf":
        "dc_eximconfig_configtype='smarthost'\n"
        "dc_smarthost='127.0.0.2::2525'\ndc_local_interfaces='127.0.0.1'\n"
        "dc_minimaldns='true'\ndc_localdelivery='mail_spool'\n"
        "dc_use_split_config='false'\nCFILEMODE='644'\n",
    "msmtprc": "account default\nhost 127.0.0.2\nport 2525\n"
               "from root@client.example.org\n",
}

MAIL = """\
ip link set lo up
install -d -o postfix -m 0755 /var/spool/postfix
install -d -o postfix -g postdrop -m 1730 /var/spool/postfix/maildrop
install -d -o postfix -g postdrop -m 2710 /var/spool/postfix/public
chgrp postdrop /usr/sbin/postdrop && chmod 2755 /usr/sbin/postdrop
install -d -o Debian-exim -g Debian-exim -m 2750 /var/spool/exim4 \
    /var/log/exim4 /var/lib/exim4
hostname client
chgrp Debian-exim /etc/exim4/passwd.client
update-exim4.conf >>/said 2>&1
install -d -o nobody /letters
mkdir -p /etc/security/selfreset.conf.d
smtp-sink -u nobody -d /letters/%M. 127.0.0.2:2525 10 >>/said 2>&1 &
sink=$!
until grep -q '0200007F:09DD 00000000:0000 0A' /proc/net/tcp; do
    sleep 0.05
done
for program in postfix/sbin/sendmail exim4/sbin/exim4 msmtp/bin/msmtp; do
    echo "[reset]
mail_program = /usr/${program#*/} -t -i" >/etc/security/selfreset.conf.d/m.conf
    selfresetctl notices --try ${program%%/*}@mail.example >>/said 2>&1
    echo "mail $? ${program%%/*}" >>/result
done
for try in $(seq 200); do
    [ "$(cat /letters/* | grep -c '^To: <')" -lt 2 ] || break
    sleep 0.05
done 2>>/said
cat /var/spool/postfix/maildrop/* >/queued
cat /letters/* >/arrived
tail -n 99 /var/log/exim4/* >>/said
kill $sink
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
        self.fill_mail(host)
        for name in ("selfreset-helper@", "selfreset-reset@"):
            (units / f"{name}.service.d").mkdir()
            (units / f"{name}.service.d/out.conf").write_text(
                "[Service]\nStandardOutput=append:/said\n"
                "StandardError=append:/said\n")
        (units / "confined.service").write_text(CONFINED % self.words)
        (self.upper / "flood").write_text(FLOOD)
        sockets = "selfreset-helper.socket selfreset-reset.socket"
        self.script(sockets, sockets,
                    TRY % {**self.words, "figures": FIGURES, "mail": MAIL})

    def fill_mail(self, host):
        """The servers, as their packages set them up."""
        for part in ("usr", "etc", "var"):
            if (host.build.parent / "mail" / part).exists():
                subprocess.run(["cp", "-a", host.build.parent / "mail" / part,
                                self.upper], check=True)
        for number, name in enumerate(("postfix", "postdrop", "Debian-exim")):
            with open(self.upper / "etc/group", "a") as file:
                file.write(f"{name}:x:{890 + number}:\n")
            with open(self.upper / "etc/passwd", "a") as file:
                file.write(f"{name}:x:{890 + number}:{890 + number}::/:"
                           "/usr/sbin/nologin\n")
        for name, text in MAIL_FILES.items():
            path = self.upper / "etc" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def codes(lines):
    return [line.split()[2].removeprefix("PAM_") for line in lines
            if line.startswith("code ")]


def test_with_systemd(host):
    """Passwords are verified, one is reset, mail servers take mails, and figures
    are written."""
    host.configure(reset={"enable": "yes", "gates": 1, "classes": "ticket"})
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
    for name in ("postfix", "exim4", "msmtp"):
        assert f"mail 0 {name}" in lines, (lines, system.said())
        place = system.upper / ("queued" if name == "postfix" else "arrived")
        assert (f"To: <{name}@mail.example>" in
                place.read_text(errors="replace")), (name, system.said())
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
