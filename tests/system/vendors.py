"""sssd, nslcd and winbindd: the real daemons, with their PAM and NSS modules, on
the scratch host, for the accounts of a slapd or of a domain of Samba.

Where their packages are not installed, tests/run has unpacked them: their
modules and libraries then come to where they expect them by mounts that end
with the test.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import os
import pathlib
import shutil
import subprocess

import directory
import samba
from directory import BASE, CERTS, PEOPLE
from scratch import (ETC, NSS_MODULE, RUN, end_group, module_directory, mount,
                     wait_until)

SSSD_CONF = """\
[sssd]
services = nss, pam
domains = corp
[nss]
filter_users = root
entry_negative_timeout = 0
[pam]
offline_credentials_expiration = 0
[domain/corp]
{names}
id_provider = ldap
auth_provider = ldap
chpass_provider = ldap
access_provider = permit
ldap_uri = {uri}
ldap_search_base = {base}
ldap_user_search_base = {people}
ldap_tls_cacert = {ca}
ldap_tls_reqcert = demand
ldap_pwd_policy = none
enumerate = false
cache_credentials = {cache}
"""

NSLCD_CONF = """\
uid root
gid root
uri {uri}
base {people}
tls_cacertfile {ca}
tls_reqcert demand
bind_timelimit 2
reconnect_sleeptime 1
reconnect_retrytime 1
"""

MEMBER_CONF = """\
[global]
workgroup = EXAMPLE
realm = {realm}
netbios name = MEMBER
security = ads
private dir = {dir}
state directory = {dir}
cache directory = {dir}
lock directory = {dir}
pid directory = {dir}
ncalrpc dir = {dir}/ncalrpc
winbindd socket directory = {socket}
winbind use default domain = yes
winbind reconnect delay = 1
template shell = /bin/sh
template homedir = /home/%U
idmap config * : backend = tdb
idmap config * : range = 100000-199999
idmap config EXAMPLE : backend = ad
idmap config EXAMPLE : schema_mode = rfc2307
idmap config EXAMPLE : range = 7000-7999
"""


class Vendor:
    """One of them, with its directory.  `source` is its name in
    nsswitch.conf, `profile` that of Debian's PAM profile."""

    # Whether it has them while its directory is away.
    keeps_names = True

    def __init__(self, host, users):
        self.host, self.has_cache = host, False
        self.root = next((root for root in
                          (pathlib.Path("/"), host.build.parent / "vendors")
                          if (root / self.program).exists()), None)
        assert self.root is not None, f"{self.program}: tests/run unpacks it"
        self.mounts = []
        self.server = self.make_server(users)
        if self.root != pathlib.Path("/"):
            self.put_modules()
        host.nsswitch(passwd=f"files {self.source}", shadow="files",
                      group=f"files {self.source}")
        self.start()

    def make_server(self, users):
        return directory.Slapd(
            self.host, [directory.user(*user) for user in users],
            certificate_file=directory.certificate("good"),
            access="access to attrs=userPassword by self write by anonymous "
            "auth by * none\naccess to * by * read\n", ppolicy=False)

    def bind(self, *arguments):
        mount(*arguments)
        self.mounts.append(arguments[-1])

    def put_modules(self):
        security = module_directory()
        libraries = security.parent
        old = self.root / "lib" / libraries.name
        inside = self.root / "usr/lib" / libraries.name
        # The folder of libraries with theirs, and on it, as before, the modules
        # of PAM, with one more.
        self.bind("-t", "overlay", "-o", f"lowerdir={inside}:{libraries}",
                  "selfreset-test", libraries)
        self.bind("--bind", RUN / "modules", security)
        for folder in (old, inside):
            for module in folder.glob("security/*.so"):
                shutil.copy2(module, security)
            for module in folder.glob("libnss_*.so.2"):
                shutil.copy2(module, NSS_MODULE.parent)
        if (self.root / "usr/libexec").exists():
            self.bind("-t", "overlay", "-o",
                      f"lowerdir={self.root}/usr/libexec:/usr/libexec",
                      "selfreset-test", pathlib.Path("/usr/libexec"))
        if (self.root / "usr/share/sssd").exists():
            self.bind("-t", "overlay", "-o",
                      f"lowerdir={self.root}/usr/share:/usr/share",
                      "selfreset-test", pathlib.Path("/usr/share"))
        subprocess.run(["/sbin/ldconfig", "-X"], check=True)

    def knows(self, name):
        return self.host.run("id", name).returncode == 0

    def wait_for(self, name):
        wait_until(lambda: self.knows(name), what=f"{name} by NSS")

    def come_back(self, has_cache=False):
        """Nothing is remembered of an outage.  has_cache: passwords are, by
        sssd."""
        self.has_cache = has_cache
        self.stop()
        self.start()
        self.wait_for("dora")

    def resume(self):
        """Others have ended what the host started."""
        if self.process.poll() is not None:
            self.server.start()
            self.come_back()

    def end(self):
        self.stop()
        self.host.nsswitch(passwd="files", shadow="files", group="files")
        for module in NSS_MODULE.parent.glob("libnss_*.so.2"):
            if module != NSS_MODULE:
                module.unlink()
        for place in reversed(self.mounts):
            subprocess.run(["umount", str(place)], check=True)
        for name in ("pam_sss.so", "pam_ldap.so", "pam_sss_gss.so",
                     "pam_winbind.so"):
            (module_directory() / name).unlink(missing_ok=True)
        subprocess.run(["/sbin/ldconfig", "-X"], check=True)


class Sssd(Vendor):
    program, source, profile = "usr/sbin/sssd", "sss", "sss"
    lines = "pam_sss.so"
    names = ""  # lines of sssd.conf about the form of names

    def start(self):
        for path in ("db", "pipes/private", "mc", "pubconf/krb5.include.d",
                     "gpo_cache", "secrets", "deskprofile", "keytabs"):
            pathlib.Path("/var/lib/sss", path).mkdir(parents=True,
                                                     exist_ok=True)
        os.chmod("/var/lib/sss/pipes/private", 0o700)
        pathlib.Path("/var/log/sssd").mkdir(exist_ok=True)
        conf = ETC / "sssd/sssd.conf"
        conf.parent.mkdir(exist_ok=True)
        conf.write_text(SSSD_CONF.format(
            uri=self.server.uri, base=BASE, people=PEOPLE,
            ca=CERTS / "ca.pem", cache=str(self.has_cache).lower(),
            names=self.names))
        conf.chmod(0o600)
        with open(RUN / "sssd.log", "ab") as log:
            self.process = self.host.start(
                [str(self.root / self.program), "-i", "--logger=stderr",
                 "-d", "0x0070"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)
        wait_until(pathlib.Path("/var/lib/sss/pipes/pam").exists,
                   what="sssd")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree("/var/lib/sss", ignore_errors=True)


class Nslcd(Vendor):
    keeps_names = False
    program, source, profile = "usr/sbin/nslcd", "ldap", "ldap"
    lines = "pam_ldap.so minimum_uid=1000"

    def start(self):
        conf = ETC / "nslcd.conf"
        conf.write_text(NSLCD_CONF.format(
            uri=self.server.uri, people=PEOPLE, ca=CERTS / "ca.pem"))
        conf.chmod(0o600)
        socket = pathlib.Path("/run/nslcd/socket")
        socket.parent.mkdir(exist_ok=True)
        socket.unlink(missing_ok=True)
        with open(RUN / "nslcd.log", "ab") as log:
            self.process = self.host.start(
                [str(self.root / self.program), "-n"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(socket.exists, what="nslcd")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree("/run/nslcd", ignore_errors=True)


class Controller:
    """A domain controller, as the directories above are used."""

    # For a member of the domain, with which a login is one over SMB.
    SERVICES = "server services = s3fs rpc ldap cldap kdc dns winbindd\n"

    def __init__(self, host, users):
        self.domain = samba.Domain(host)
        first = self.domain.first
        first.configure()
        samba.run_in(self.domain.wrap, "mount", "--bind", first.dir / "run",
                     "/run/samba")
        self.start()
        first.modify(samba.BASE, pwdProperties=0, pwdHistoryLength=0,
                     lockoutThreshold=0)
        first.modify(f"CN=Domain Users,{samba.USERS}", gidNumber=7000)
        for name, uid, password in users:
            self.domain.user(name, password, uidNumber=uid, gidNumber=7000)

    def start(self):
        self.domain.first.start(more=self.SERVICES)

    def stop(self):
        self.domain.first.stop()

    def lets_in(self, dn, password):
        name = dn.split(",")[0].partition("=")[2]
        return self.domain.has_password(name, password)


class Winbind(Vendor):
    program, source, profile = ("usr/share/pam-configs/winbind", "winbind",
                                "winbind")
    lines = "pam_winbind.so"
    # Where the daemon has it, and where the modules expect it; the daemons of
    # the domain controller have one of their own there.
    socket, expected = (pathlib.Path("/run/winbind-of-member"),
                        pathlib.Path("/run/samba/winbindd"))
    conf = RUN / "member/smb.conf"

    def make_server(self, users):
        for path in (self.socket, self.expected, self.conf.parent):
            path.mkdir(parents=True, exist_ok=True)
        self.bind("--bind", self.socket, self.expected)
        server = Controller(self.host, users)
        self.wrap = server.domain.wrap
        self.conf.write_text(MEMBER_CONF.format(
            dir=self.conf.parent, socket=self.socket, realm=samba.REALM))
        server.domain.run("net", "ads", "join", "-s", self.conf,
                          "--no-dns-updates", *server.domain.as_administrator())
        return server

    def start(self):
        with open(RUN / "winbindd.log", "ab") as log:
            self.process = self.host.start(
                [*self.wrap, "winbindd", "-F", "--no-process-group",
                 "--debug-stdout", "-s", str(self.conf)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        wait_until((self.socket / "pipe").exists, what="winbindd")

    def stop(self):
        end_group(self.process)
        (self.socket / "pipe").unlink(missing_ok=True)

    def end(self):
        super().end()
        self.server.domain.end()


@contextlib.contextmanager
def vendor(kind, host, users):
    made = kind.__new__(kind)
    made.mounts = []
    try:
        made.__init__(host, users)
        yield made
    finally:
        if hasattr(made, "process"):
            made.end()
