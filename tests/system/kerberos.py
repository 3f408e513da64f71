"""A real KDC of MIT Kerberos, of one's own, and what it gives keys to.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import glob
import os
import pathlib
import shutil
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
{servers}
}}
[dbmodules]
db_module_dir = {modules}
"""

KDC_CONF = """\
[kdcdefaults]
kdc_listen = ""
kdc_tcp_listen = {ip}:{port}
[realms]
{realm} = {{
database_name = {dir}/principal
key_stash_file = {dir}/stash
acl_file = {dir}/acl
dict_file = {dir}/dict
kadmind_listen = {ip}:{admin_port}
kpasswd_listen = {ip}:{kpasswd_port}
max_life = 1h
max_renewable_life = 2h
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


def servers(kdcs, kpasswd=None):
    return "".join([*(f"kdc = {kdc}\n" for kdc in kdcs),
                    f"kpasswd_server = {kpasswd}\n" if kpasswd else ""])


def configure(*kdcs, kpasswd=None, more=""):
    """What this host knows of the realm; without KDCs it has to ask DNS."""
    modules = CONF.parent / "nowhere"
    CONF.write_text(KRB5_CONF.format(
        realm=REALM, modules=modules, servers=servers(kdcs, kpasswd)).replace(
            "[realms]", more + "[realms]"))


class Kdc:
    """`kpasswd`: with the server that stores new passwords."""

    def __init__(self, host, kpasswd=False, ip="127.0.0.1", kpasswd_port=None):
        self.host = host
        self.ip = ip
        self.root = root_of(host)
        self.dir = RUN / f"kdc-{time.monotonic_ns()}"
        self.dir.mkdir()
        self.port = free_port()
        self.address = f"{ip}:{self.port}"
        self.admin_port = free_port()
        self.kpasswd_port = kpasswd_port or free_port()
        self.kpasswd = f"{ip}:{self.kpasswd_port}" if kpasswd else None
        self.process = self.kadmind = None
        modules = glob.glob(str(self.root / "usr/lib*/krb5/plugins/kdb")) + \
            glob.glob(str(self.root / "usr/lib/*/krb5/plugins/kdb"))
        (self.dir / "krb5.conf").write_text(KRB5_CONF.format(
            realm=REALM, modules=modules[0],
            servers=servers([self.address], self.kpasswd)))
        (self.dir / "kdc.conf").write_text(KDC_CONF.format(
            realm=REALM, port=self.port, dir=self.dir, ip=ip,
            admin_port=self.admin_port, kpasswd_port=self.kpasswd_port))
        (self.dir / "acl").write_text("")
        (self.dir / "dict").write_text("password\nletmein\n")
        self.environment = {**os.environ,
                            "KRB5_CONFIG": str(self.dir / "krb5.conf"),
                            "KRB5_KDC_PROFILE": str(self.dir / "kdc.conf")}
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        self.start()
        if kpasswd:
            self.start_kpasswd()
        configure(self.address, kpasswd=self.kpasswd)

    def command(self, program, *arguments, **options):
        done = subprocess.run(
            [program, *arguments], env=self.environment, capture_output=True,
            text=True, check=False,
            **(options or {"stdin": subprocess.DEVNULL}))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, program, *arguments):
        return self.command(str(self.root / "usr/sbin" / program), *arguments)

    def start(self):
        with open(self.dir / "out", "ab") as out:
            self.process = self.host.start(
                [str(self.root / "usr/sbin/krb5kdc"), "-n"],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out)
        wait_until(self.answers, what="the KDC")

    def start_kpasswd(self):
        with open(self.dir / "out", "ab") as out:
            self.kadmind = self.host.start(
                [str(self.root / "usr/sbin/kadmind"), "-nofork"],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out)
        wait_until(lambda: self.listens(self.kadmind, self.kpasswd_port),
                   what="kadmind")

    def restart_kpasswd(self):
        """It reads its list of rights as it starts."""
        self.kadmind.kill()
        self.kadmind.wait()
        self.start_kpasswd()

    def listens(self, process, port):
        assert process.poll() is None, (self.dir / "out").read_text()
        with socket.socket() as probe:
            return probe.connect_ex((self.ip, port)) == 0

    def answers(self):
        return self.listens(self.process, self.port)

    def kadmin(self, *query):
        return self.run("kadmin.local", *query)

    def principal(self, name, password, *options):
        """A principal with preauthentication."""
        self.kadmin("addprinc", "-pw", password, "+requires_preauth", *options,
                    name)

    def modify(self, name, *options):
        self.kadmin("modprinc", *options, name)

    def count(self, mark=0):
        """Requests since `mark` (see mark()): for tickets to the realm and for
        changes, and for services."""
        lines = self.requests()[mark:].splitlines()
        return (sum("AS_REQ" in line for line in lines),
                sum("TGS_REQ" in line for line in lines))

    def mark(self):
        return len(self.requests())

    def failures(self, name):
        """Wrong passwords that the KDC has counted."""
        return int(self.kadmin("getprinc", name).split(
            "Failed password attempts: ")[1].split()[0])

    def has_password(self, name, password):
        """What the KDC itself says of a password."""
        done = subprocess.run(
            [shutil.which("kinit") or str(self.root / "usr/bin/kinit"), "-c",
             f"MEMORY:{name}", name], input=password + "\n",
            env={**self.environment, "LC_ALL": "C"}, text=True,
            capture_output=True, check=False)
        return done.returncode == 0

    def stop(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        for process in (self.process, self.kadmind):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)

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


HEIMDAL_CONF = """\
[libdefaults]
default_realm = {realm}
[realms]
{realm} = {{
kdc = {address}
}}
[kdc]
database = {{
dbname = {dir}/heimdal
realm = {realm}
mkey_file = {dir}/mkey
acl_file = {dir}/acl
log_file = {dir}/iprop
}}
[logging]
default = FILE:{dir}/log
"""


def heimdal_root(host):
    """Where tests/lib.sh has unpacked a KDC of Heimdal, or None."""
    root = host.build.parent / "heimdal"
    return root if (root / "usr/lib/heimdal-servers/kdc").exists() else None


@contextlib.contextmanager
def kcm(host):
    """A daemon that keeps caches, in the place where libkrb5 expects it."""
    root = heimdal_root(host)
    place = pathlib.Path("/var/run/.heim_org.h5l.kcm-socket")
    place.unlink(missing_ok=True)
    process = host.start(
        [str(root / "usr/sbin/kcm")], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "LD_LIBRARY_PATH": libraries_of(root)})
    wait_until(place.exists, what="kcm")
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        place.unlink(missing_ok=True)


def libraries_of(root):
    return ":".join(glob.glob(str(root / "usr/lib/*-linux-gnu")))


class Heimdal:
    """A KDC of Heimdal with its server for passwords, which takes datagrams
    only."""

    def __init__(self, host):
        self.host, self.root = host, heimdal_root(host)
        self.dir = RUN / f"heimdal-{time.monotonic_ns()}"
        self.dir.mkdir()
        self.port, self.kpasswd_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.kpasswd = f"127.0.0.1:{self.kpasswd_port}"
        (self.dir / "acl").write_text("")
        (self.dir / "krb5.conf").write_text(HEIMDAL_CONF.format(
            realm=REALM, address=self.address, dir=self.dir))
        self.environment = {
            **os.environ, "KRB5_CONFIG": str(self.dir / "krb5.conf"),
            "LD_LIBRARY_PATH": libraries_of(self.root)}
        self.run("sbin/kstash", "--random-key",
                 f"--key-file={self.dir}/mkey")
        self.kadmin("init", "--realm-max-ticket-life=1d",
                    "--realm-max-renewable-life=2d", REALM)
        self.start("kdc", self.port, f"--config-file={self.dir}/krb5.conf",
                   "--addresses=127.0.0.1", f"--ports={self.port}/tcp")
        self.start("kpasswdd", None, f"--config-file={self.dir}/krb5.conf",
                   "--addresses=127.0.0.1", f"--port={self.kpasswd_port}")
        configure(self.address, kpasswd=self.kpasswd)

    def run(self, program, *arguments):
        done = subprocess.run(
            [str(self.root / "usr" / program), *arguments],
            env=self.environment, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def kadmin(self, *query):
        return self.run("bin/kadmin.heimdal", "-l", *query)

    def start(self, program, port, *arguments):
        with open(self.dir / "out", "ab") as out:
            self.host.start(
                [str(self.root / "usr/lib/heimdal-servers" / program),
                 *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out)

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        if port is not None:
            wait_until(listens, what=program)

    def principal(self, name, password):
        self.kadmin("add", "--use-defaults", "-p", password, name)

    def modify(self, name, *options):
        self.kadmin("modify", *options, name)

    def keytab(self, name, *principals):
        path = self.dir / name
        for principal in principals:
            self.kadmin("add", "--use-defaults", "-r", principal)
            self.kadmin("ext", "-k", str(path), principal)
        path.chmod(0o600)
        return path
