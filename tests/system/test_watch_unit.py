"""The unit that follows directories: systemd takes it as it is, and under all
that it forbids the program does its work.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import pathlib
import shutil
import subprocess

import pytest

import directory
from scratch import ETC, RUN, copy, wait_until
from test_watch import dn_of, people, serve

SYSTEMD = "/lib/systemd/systemd"

pytestmark = pytest.mark.skipif(
    not directory.have_server() or not os.path.exists(SYSTEMD),
    reason="slapd or systemd is not installed")

# A system of its own: all files of this one, and what is written goes aside.
BOOT = """\
set -e
mount -t overlay o -o lowerdir=/,upperdir={dir}/upper,workdir={dir}/work \
{dir}/root
cd {dir}/root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
for name in run tmp sys dev; do mount -t tmpfs {dir} $name; done
for name in null zero full random urandom; do
    touch dev/$name
    mount --bind /dev/$name dev/$name
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs {dir} dev/shm
touch dev/tty dev/console
mount --bind /dev/tty dev/tty
mount --bind {dir}/out dev/console
mkdir -p sys/fs/cgroup/systemd
mount -t cgroup2 c sys/fs/cgroup/systemd ||
    mount -t cgroup -o none,name=systemd c sys/fs/cgroup/systemd
mkdir run/old
pivot_root . run/old
umount -l run/old
exec chroot . env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin \
{systemd} --system --unit=try.target --log-target=console --log-level=info
"""

TARGET = """\
[Unit]
Requires=selfreset-follow.service watch.service
"""

# In its place, a script and what it needs.
SCRIPT = """\
[Unit]
DefaultDependencies=no
After={after}
[Service]
Type=oneshot
ExecStart=/bin/sh /try
StandardOutput=append:/said
StandardError=append:/said
"""

# Beside it, what is to be known of it from outside.
WATCH = """\
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh -c 'while sleep 0.2; do systemctl show \
selfreset-follow.service -p ActiveState,SubState,NRestarts,Result,ExecMainStatus >/state.new; \
p=$(systemctl show --value -p MainPID selfreset-follow.service); \
grep -E "^(NoNewPrivs|Seccomp|CapBnd):" /proc/$p/status >>/state.new; \
mv /state.new /state; done'
"""


def unit(host):
    (path,) = (host.build / "stage").glob("**/selfreset-follow.service")
    return path


def test_systemd_takes_it(host, tmp_path):
    text = unit(host).read_text()
    assert "%sbindir%" not in text
    path = tmp_path / "selfreset-follow.service"
    path.write_text(text.replace(
        "ExecStart=/usr/sbin/selfreset-publish",
        "ExecStart=" + shutil.which("selfreset-publish")))
    done = host.run("systemd-analyze", "verify", "--man=no", path)
    assert (done.returncode, done.stderr) == (0, "")


class System:
    """systemd as the first process of namespaces of its own."""

    def __init__(self, host):
        self.dir = RUN / "systemd"
        self.upper = self.dir / "upper"
        shutil.rmtree(self.dir, ignore_errors=True)  # of an earlier test
        for name in ("upper", "work", "root"):
            (self.dir / name).mkdir(parents=True)
        self.fill(host)
        self.out = open(self.dir / "out", "wb")
        self.process = host.start(
            ["unshare", "--mount", "--propagation", "private", "--pid",
             "--fork", "--kill-child", "--uts", "--ipc", "sh", "-c",
             BOOT.format(dir=self.dir, systemd=SYSTEMD)],
            stdout=self.out, stderr=self.out, stdin=subprocess.DEVNULL)

    def fill(self, host):
        """What lies above the machine's own files."""
        subprocess.run(["cp", "-a", host.build / "stage/usr", self.upper],
                       check=True)
        subprocess.run(["cp", "-a", ETC, self.upper], check=True)
        units = self.upper / "etc/systemd/system"
        shutil.rmtree(units, ignore_errors=True)
        units.mkdir(parents=True)
        copy(unit(host), units / "selfreset-follow.service")
        # There is no journal.
        (units / "selfreset-follow.service.d").mkdir()
        (units / "selfreset-follow.service.d/out.conf").write_text(
            "[Service]\nStandardOutput=append:/said\n"
            "StandardError=append:/said\n")
        (units / "try.target").write_text(TARGET)
        (units / "watch.service").write_text(WATCH)

    def install(self, host, names):
        """Further units of the build."""
        for name in names:
            (path,) = (host.build / "stage").glob(f"**/system/{name}")
            copy(path, self.upper / "etc/systemd/system" / name)

    def script(self, requires, after, text):
        """What is done with them: a script that writes to /result, with "end"
        as its last line."""
        units = self.upper / "etc/systemd/system"
        (units / "try.target").write_text(f"[Unit]\nRequires={requires} "
                                          "try.service\n")
        (units / "try.service").write_text(SCRIPT.format(after=after))
        (self.upper / "try").write_text(text)

    def result(self):
        """The lines of the script, and the system is stopped."""
        result = self.upper / "result"
        try:
            wait_until(lambda: result.exists() and
                       "end\n" in result.read_text(), 60,
                       "the end of the script")
            return result.read_text().splitlines()
        except AssertionError:
            print(self.said())
            raise
        finally:
            self.stop()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.out.close()

    def said(self):
        return [path.read_text(errors="replace") for path in
                (self.dir / "out", self.upper / "said") if path.exists()]

    def state(self):
        try:
            text = (self.upper / "state").read_text()
        except FileNotFoundError:
            return {}
        return dict(map(str.strip, line.replace("=", ":", 1).split(":", 1))
                    for line in text.splitlines())

    def deltas(self):
        place = self.upper / "var/lib/selfreset-nss/v1/groups.d"
        return [path for path in place.rglob("*")
                if path.is_symlink() and not path.name.startswith(":")]


def test_under_systemd(host):
    server = serve(host, people("u0", "u1"), names=("u0", "u1"))
    host.configure(backend_corp={"uri": server.plain, "insecure": "yes"})
    secret = pathlib.Path("/etc/security/selfreset-secret")
    shutil.copy(host.settings["backend corp"]["secret_file"], secret)
    secret.chmod(0o600)
    host.configure(backend_corp={"secret_file": secret})
    system = System(host)
    try:
        snapshot = system.upper / "var/lib/selfreset-nss/v1/groups.snap"
        wait_until(snapshot.exists, 60, "a snapshot")
        wait_until(lambda: system.state().get("Seccomp") == "2", 60,
                   "the state")
        state = system.state()
        assert state["ActiveState"] == "active"
        assert state["NoNewPrivs"] == "1"
        assert int(state["CapBnd"], 16) == 0b1111  # chown, dac, fowner
        assert system.deltas() == []
        server.modify(dn_of("u1"), "replace: pwdReset\npwdReset: TRUE")
        wait_until(system.deltas, what="the delta")
        assert system.state()["NRestarts"] == "0", system.said()
    except AssertionError:
        print(system.said(), system.state())
        raise
    finally:
        system.stop()
