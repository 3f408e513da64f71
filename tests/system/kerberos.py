"""A real KDC of MIT Kerberos, of one's own, and what it gives keys to.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import glob
import os
import pathlib
import signal
import socket
import subprocess
import time

from scratch import ETC, RUN, free_port, wait_until

REALM = "EXAMPLE.ORG"
CONF = ETC / "krb5.conf"

KRB5_CONF = """\
[libdefaults]
default_realm = {realm}
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
{realm} = {{
{kdcs}
}}
[dbmodules]
db_module_dir = {modules}
"""

KDC_CONF = """\
[kdcdefaults]
kdc_listen = ""
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
database_name = {dir}/principal
key_stash_file = {dir}/stash
acl_file = {dir}/acl
max_life = 1h
}}
[logging]
default = FILE:{dir}/log
kdc = FILE:{dir}/log
"""


def root_of(host):
    """Where the programs are: where no package brought them, tests/run has
    unpacked it."""
    return next((root for root in (pathlib.Path("/"),
                                   host.build.parent / "krb5")
                 if (root / "usr/sbin/krb5kdc").exists()), None)


def configure(*kdcs):
    """What this host knows of the realm; without KDCs it has to ask DNS."""
    modules = CONF.parent / "nowhere"
    CONF.write_text(KRB5_CONF.format(
        realm=REALM, modules=modules,
        kdcs="".join(f"kdc = {kdc}\n" for kdc in kdcs)))


class Kdc:
    def __init__(self, host):
        self.host = host
        self.root = root_of(host)
        self.dir = RUN / f"kdc-{time.monotonic_ns()}"
        self.dir.mkdir()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = None
        modules = glob.glob(str(self.root / "usr/lib*/krb5/plugins/kdb")) + \
            glob.glob(str(self.root / "usr/lib/*/krb5/plugins/kdb"))
        (self.dir / "krb5.conf").write_text(KRB5_CONF.format(
            realm=REALM, modules=modules[0], kdcs=f"kdc = {self.address}\n"))
        (self.dir / "kdc.conf").write_text(KDC_CONF.format(
            realm=REALM, port=self.port, dir=self.dir))
        self.environment = {**os.environ,
                            "KRB5_CONFIG": str(self.dir / "krb5.conf"),
                            "KRB5_KDC_PROFILE": str(self.dir / "kdc.conf")}
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        self.start()
        configure(self.address)

    def run(self, program, *arguments):
        done = subprocess.run(
            [str(self.root / "usr/sbin" / program), *arguments],
            env=self.environment, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        with open(self.dir / "out", "ab") as out:
            self.process = self.host.start(
                [str(self.root / "usr/sbin/krb5kdc"), "-n"],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out)
        wait_until(self.answers, what="the KDC")

    def answers(self):
        assert self.process.poll() is None, (self.dir / "out").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def keytab(self, name, *principals):
        """A file with new keys of these principals."""
        path = self.dir / name
        path.unlink(missing_ok=True)
        for principal in principals:
            self.run("kadmin.local", "addprinc", "-randkey",
                     "+requires_preauth", principal)
            self.run("kadmin.local", "ktadd", "-k", str(path), principal)
        path.chmod(0o600)
        return path

    def requests(self):
        return (self.dir / "log").read_text()
