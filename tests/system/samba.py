"""A domain of Active Directory: one or two domain controllers of Samba, on
loopback addresses of the tests' own network.

Samba's programs see an /etc and a /usr of their own: where no package brought
them, tests/run has unpacked them.  A domain is provisioned once and kept beside
the build; each test file starts copies of it.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import base64
import contextlib
import fcntl
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import directory
import kerberos
from scratch import DAY, ETC, RUN, RUNDIR, end_group, wait_until

REALM = "EXAMPLE.TEST"
DNS = REALM.lower()
BASE = "DC=example,DC=test"
USERS = f"CN=Users,{BASE}"
COMPUTERS = f"CN=Computers,{BASE}"
ADMINISTRATOR = f"Administrator@{REALM}"
ADMIN_SECRET = "Adm1n-Passw0rd"
PASSWORD = "Right-Passw0rd"
IPS = ("127.0.0.10", "127.0.0.11")

# userAccountControl
DISABLED = 0x2
NORMAL = 0x200
WORKSTATION = 0x1000
DONT_EXPIRE = 0x10000
SMARTCARD = 0x40000
# Rights as dsacls calls them, and as SDDL does.
SDDL = {"CA;Reset Password": "CR;00299570-246d-11d0-a768-00aa006e0529",
        "RPWP;pwdLastSet": "RPWP;bf967a0a-0de6-11d0-a285-00aa003049e2",
        "RPWP;lockoutTime": "RPWP;28630ebf-41d5-11d1-a9c1-0000f80367c1",
        "RPWP;userAccountControl": "RPWP;bf967a68-0de6-11d0-a285-00aa003049e2"}
# What replPropertyMetaData calls attributes.
UNICODE_PWD, PWD_LAST_SET = 0x9005A, 0x90060

KRB5_CONF = f"""\
[libdefaults]
default_realm = {REALM}
dns_lookup_realm = false
dns_lookup_kdc = true
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
{{realms}}
[domain_realm]
.{DNS} = {REALM}
{DNS} = {REALM}
"""

SMB_CONF = f"""\
[global]
workgroup = EXAMPLE
realm = {REALM}
netbios name = DC{{number}}
server role = active directory domain controller
server services = rpc ldap cldap kdc dns {{replication}}
interfaces = {{ip}}/8
bind interfaces only = yes
private dir = {{dir}}/private
state directory = {{dir}}/state
cache directory = {{dir}}/cache
lock directory = {{dir}}
binddns dir = {{dir}}/bind-dns
pid directory = {{dir}}/run
ncalrpc dir = {{dir}}/run/ncalrpc
winbindd socket directory = {{dir}}/run/winbindd
ntp signd socket directory = {{dir}}/run/ntp
log file = {{dir}}/log/samba.log
log level = 1
max log size = 0
tls enabled = yes
tls keyfile = {{tls}}/dc{{number}}.key
tls certfile = {{tls}}/dc{{number}}.pem
tls cafile = {{tls}}/ca.pem
dns update command = /bin/true
{{spn_update}}rpc server port = 49152
prefork children = 1
allow dns updates = nonsecure
dreplsrv:notify_interval = 1
dreplsrv:periodic_startup_interval = 2
dreplsrv:periodic_interval = 5
kccsrv:samba_kcc = yes
idmap_ldb:use rfc2307 = yes
{{more}}
[sysvol]
path = {{dir}}/state/sysvol
read only = no
"""

SRV = (("_ldap._tcp", 389), ("_kerberos._tcp", 88), ("_kerberos._udp", 88),
       ("_kpasswd._tcp", 464), ("_kpasswd._udp", 464))

DNS_UPDATE = """\
import json, sys, dns.query, dns.update
update = dns.update.Update(sys.argv[2])
for what, name, kind, *value in json.loads(sys.argv[3]):
    if what == "add":
        update.add(name, 60, kind, *value)
    else:
        update.delete(name, kind, *value)
reply = dns.query.tcp(update, sys.argv[1], timeout=20)
sys.exit(reply.rcode() and str(reply))
"""


def root_of(host):
    """Where the programs are, or None."""
    return next((root for root in (pathlib.Path("/"),
                                   host.build.parent / "samba")
                 if (root / "usr/sbin/samba").exists()), None)


def krb5_conf(*kdcs):
    """A krb5.conf; without KDCs DNS is to be asked."""
    servers = "".join(f"kdc = {kdc}\n" for kdc in kdcs)
    return KRB5_CONF.format(realms="" if not kdcs else
                            f"[realms]\n{REALM} = {{\n{servers}"
                            f"kpasswd_server = {kdcs[0]}\n}}\n")


def quoted(password):
    """A password as unicodePwd takes it."""
    return f'"{password}"'.encode("utf-16-le")


def filetime(seconds):
    """Hundreds of nanoseconds since 1601."""
    return int((seconds + 11644473600) * 10**7)


def ldif(dn, kind, changes):
    """`changes`: pairs of an operation and values by the attribute."""
    text = f"dn: {dn}\nchangetype: {kind}\n"
    for operation, attributes in changes:
        for name, values in attributes.items():
            if not isinstance(values, (list, tuple)):
                values = [values]
            if operation:
                text += f"{operation}: {name}\n"
            for value in values:
                if not isinstance(value, bytes):
                    value = str(value).encode()
                text += f"{name}:: {base64.b64encode(value).decode()}\n"
            if operation:
                text += "-\n"
    return text + "\n"


class Space:
    """Where Samba's programs run: an /usr with them, and an /etc of their own.
    `wrap` is a prefix for commands."""

    def __init__(self, root, etc):
        script = f"mount --bind {etc} /etc || exit 1\n"
        if root != pathlib.Path("/"):
            script += (f"mount -t overlay -o lowerdir={root}/usr:/usr "
                       "selfreset-test /usr || exit 1\n")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             script + "echo ready\nexec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            start_new_session=True)
        assert self.process.stdout.readline() == "ready\n"
        self.wrap = ["nsenter", "-t", str(self.process.pid), "--mount"]

    def end(self):
        end_group(self.process)
        self.process.stdout.close()


class Controller:
    """One domain controller."""

    def __init__(self, domain, number):
        self.domain, self.number = domain, number
        self.ip = IPS[number - 1]
        self.name = f"dc{number}.{DNS}"
        self.uri = f"ldaps://{self.name}"
        self.dir = domain.dir / f"dc{number}"
        self.conf = self.dir / "smb.conf"
        self.sam = self.dir / "private/sam.ldb"
        self.process = None

    def configure(self, more=""):
        for name in ("run/ncalrpc", "run/winbindd", "run/ntp", "log", "cache"):
            (self.dir / name).mkdir(parents=True, exist_ok=True)
        (self.dir / "run/ntp").chmod(0o750)
        self.conf.write_text(SMB_CONF.format(
            number=self.number, ip=self.ip, dir=self.dir,
            tls=self.domain.dir / "tls", more=more,
            spn_update="spn update command = /bin/true\n"
            if self.domain.count == 1 else "",
            replication="drepl kcc" if self.domain.count > 1 else ""))

    def start(self, more=""):
        """`more`: lines for smb.conf."""
        self.configure(more)
        # One process answers for one of two: one that asks the other for a
        # ticket while that asks for one would wait for itself.
        model = "prefork" if self.domain.count > 1 else "single"
        with open(self.dir / "log/out", "ab") as out:
            # It lasts longer than what a test starts on the host.
            self.process = subprocess.Popen(
                [*self.domain.wrap, "samba", "-s", str(self.conf), "-i",
                 "-M", model], env=self.domain.environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until(self.answers, seconds=60, what=self.name)

    def answers(self):
        assert self.process.poll() is None, \
            (self.dir / "log/out").read_text()[-2000:]
        for port in (53, 88, 464):
            with socket.socket() as probe:
                if probe.connect_ex((self.ip, port)) != 0:
                    return False
        return self.ldap("ldapsearch", "-x", "-LLL", "-b", "", "-s", "base",
                         "defaultNamingContext", bind=False).returncode == 0

    def ldap(self, program, *arguments, bind=True, **options):
        """A program of ldap-utils, as the domain's administrator."""
        who = ["-x", "-D", ADMINISTRATOR, "-w", ADMIN_SECRET] if bind else []
        return subprocess.run(
            [program, *who, "-o", "nettimeout=20", "-H",
             f"ldaps://{self.ip}", *arguments],
            env={**os.environ, "LDAPTLS_CACERT": str(self.domain.ca)},
            capture_output=True, text=True, check=False, **options)

    def processes(self):
        """All its processes, the first one first."""
        found = [self.process.pid]
        for pid in found:
            for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    found += map(int, path.read_text().split())
        return found

    def send(self, number):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def pause(self):
        self.send(signal.SIGSTOP)

    def resume(self):
        self.send(signal.SIGCONT)

    def stop(self):
        """It may be paused."""
        if self.process is None or self.process.poll() is not None:
            return
        self.send(signal.SIGKILL)
        self.process.wait()

    def modify(self, dn, operation="replace", **attributes):
        done = self.ldap("ldapmodify",
                         input=ldif(dn, "modify", [(operation, attributes)]))
        assert done.returncode == 0, done.stderr

    def add(self, dn, **attributes):
        done = self.ldap("ldapmodify", input=ldif(dn, "add",
                                                  [("", attributes)]))
        assert done.returncode == 0, done.stderr

    def delete(self, dn):
        done = self.ldap("ldapdelete", dn)
        assert done.returncode == 0, done.stderr

    def read(self, dn, *attributes):
        """The values of attributes by name, as lists of bytes."""
        return self.parse(self.ldap(
            "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", dn, "-s", "base",
            *attributes))

    @staticmethod
    def parse(done):
        assert done.returncode == 0, done.stderr
        found = {}
        for line in done.stdout.replace("\n ", "").splitlines():
            name, separator, value = line.partition(":")
            if not separator or name.startswith("#"):
                continue
            if value.startswith(":"):
                value = base64.b64decode(value[1:])
            else:
                value = value.removeprefix(" ").encode()
            found.setdefault(name, []).append(value)
        return found

    def number_of(self, dn, attribute):
        """An attribute that is one number; absent, 0."""
        return int(self.read(dn, attribute).get(attribute, [0])[0])

    def bad_passwords(self, name):
        """Wrong passwords that this controller has counted."""
        return self.number_of(user_dn(name), "badPwdCount")

    # -- what no administrator can write: the file under the directory

    @property
    def partition(self):
        return self.dir / "private/sam.ldb.d" / f"{BASE.upper()}.ldb"

    def below(self, program, *arguments, **options):
        done = subprocess.run(
            [*self.domain.wrap, program, "-H", str(self.partition),
             *arguments], env=self.domain.environment, capture_output=True,
            text=True, check=False, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def write_below(self, dn, operation="replace", **attributes):
        """Write attributes as they are kept, whatever the rules say."""
        self.below("ldbmodify",
                   input=ldif(dn, "modify", [(operation, attributes)]))

    def set_stamps(self, dn, seconds_ago, *attributes):
        """When attributes were last written, by replPropertyMetaData: a header
        of 16 bytes and entries of 48, each with the attribute's number, a
        version, and a time in seconds since 1601 (MS-DRSR 5.166)."""
        name = "replPropertyMetaData"
        value = bytearray(self.parse(self.below(
            "ldbsearch", "-b", dn, "-s", "base", name))[name][0])
        count = struct.unpack_from("<I", value, 8)[0]
        left = set(attributes)
        for at in range(16, 16 + 48 * count, 48):
            if struct.unpack_from("<I", value, at)[0] in attributes:
                struct.pack_into("<Q", value, at + 8,
                                 int(time.time() - seconds_ago) + 11644473600)
                left.discard(struct.unpack_from("<I", value, at)[0])
        assert not left, left
        self.write_below(dn, **{name: bytes(value)})


def run_in(wrap, *command):
    subprocess.run([*wrap, *map(str, command)], check=True)


def user_dn(name):
    return name if "=" in name else f"CN={name},{USERS}"


def computer_dn(name):
    return f"CN={name},{COMPUTERS}"


class Domain:
    """A domain of `count` controllers.  `directory` None: on the scratch host,
    with a copy of what was provisioned."""

    def __init__(self, host, count=1, directory=None):
        self.host, self.count = host, count
        self.root = root_of(host)
        assert self.root is not None, "tests/run unpacks Samba"
        self.dir = directory or RUN / f"domain-{time.monotonic_ns()}"
        if directory is None:
            copy_domain(template(host, count), self.dir)
        self.ca = self.dir / "tls/ca.pem"
        self.environment = {
            **{name: value for name, value in os.environ.items()
               if not name.startswith(("PYTHON", "KRB5"))},
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        self.prepare_etc()
        self.space = Space(self.root, self.dir / "etc")
        self.wrap = self.space.wrap
        self.controllers = [Controller(self, number + 1)
                            for number in range(count)]
        self.first = self.controllers[0]

    def prepare_etc(self):
        etc = self.dir / "etc"
        if not etc.exists():
            shutil.copytree(ETC, etc, symlinks=True)
        for name in ("resolv.conf", "krb5.conf", "hosts", "nsswitch.conf"):
            (etc / name).unlink(missing_ok=True)
        (etc / "resolv.conf").write_text(self.resolv_conf())
        (etc / "hosts").write_text(
            f"127.0.0.1 localhost {socket.gethostname()}\n" + self.hosts())
        (etc / "krb5.conf").write_text(krb5_conf())
        (etc / "nsswitch.conf").write_text(
            "passwd: files\ngroup: files\nhosts: files dns\n")

    def resolv_conf(self):
        return "".join([f"search {DNS}\n",
                        *(f"nameserver {ip}\n" for ip in IPS[:self.count]),
                        "options timeout:1 attempts:1\n"])

    def hosts(self):
        return "".join(f"{ip} dc{n + 1}.{DNS} dc{n + 1}\n"
                       for n, ip in enumerate(IPS[:self.count]))

    def run(self, *command, **options):
        """A program of Samba or of those that join hosts."""
        done = subprocess.run(
            [*self.wrap, *map(str, command)], env=self.environment,
            capture_output=True, text=True, check=False,
            **{"stdin": subprocess.DEVNULL, **options}
            if "input" not in options else options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tool(self, *arguments, **options):
        return self.run("samba-tool", *arguments, "-s", self.first.conf,
                        **options)

    def as_administrator(self):
        return ["-U", f"Administrator%{ADMIN_SECRET}"]

    # -- made once

    def make_certificates(self):
        tls = self.dir / "tls"
        tls.mkdir(mode=0o700)
        openssl = functools.partial(subprocess.run, check=True, cwd=tls,
                                    capture_output=True)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes"]
        openssl(["openssl", "req", "-x509", *key, "-days", "4", "-subj",
                 "/CN=Domain CA", "-keyout", "ca.key", "-out", "ca.pem"])
        for n, ip in enumerate(IPS):
            name = f"dc{n + 1}"
            (tls / "ext").write_text(
                f"subjectAltName=DNS:{name}.{DNS},DNS:{name},IP:{ip}\n")
            openssl(["openssl", "req", *key, "-subj", f"/CN={name}.{DNS}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr"])
            openssl(["openssl", "x509", "-req", "-in", f"{name}.csr", "-CA",
                     "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                     "4", "-extfile", "ext", "-out", f"{name}.pem"])
            (tls / f"{name}.key").chmod(0o600)

    def provision(self):
        """The first controller, as it is started for the first time."""
        self.make_certificates()
        empty = self.dir / "empty.conf"
        empty.write_text("[global]\n")
        first = self.first
        self.run("samba-tool", "domain", "provision", "-s", empty,
                 f"--realm={REALM}", "--domain=EXAMPLE", "--server-role=dc",
                 "--dns-backend=SAMBA_INTERNAL", "--use-rfc2307",
                 f"--adminpass={ADMIN_SECRET}", f"--targetdir={first.dir}",
                 "--host-name=dc1", f"--host-ip={first.ip}",
                 f"--option=interfaces={first.ip}/8",
                 "--option=bind interfaces only=yes")
        first.start()
        # samba_spnupdate needs a few seconds to find them out.
        first.modify(f"CN=DC1,OU=Domain Controllers,{BASE}", "add",
                     servicePrincipalName=[f"ldap/dc1.{DNS}", "ldap/dc1",
                                           f"ldap/dc1.{DNS}/{DNS}"])
        first.modify(BASE, minPwdAge=0, pwdHistoryLength=3, lockoutThreshold=3,
                     maxPwdAge=-42 * DAY * 10**7)
        first.stop()

    def join(self):
        """The second controller, to a domain of one."""
        second = self.controllers[1]
        self.first.start()
        self.run("samba-tool", "domain", "join", DNS, "DC", "-s",
                 self.dir / "empty.conf", *self.as_administrator(),
                 f"--server={self.first.name}", f"--realm={REALM}",
                 f"--targetdir={second.dir}", "--dns-backend=SAMBA_INTERNAL",
                 "--option=netbios name=DC2",
                 f"--option=interfaces={second.ip}/8",
                 "--option=bind interfaces only=yes")
        second.configure()
        self.register(second)
        second.start()
        for controller in self.controllers:
            self.run("samba_spnupdate", "-s", controller.conf)
        wait_until(self.is_linked, seconds=120, what="replication")
        for controller in self.controllers:
            controller.stop()

    def register(self, controller):
        """What samba_dnsupdate would: an address, a name for replication, and
        services."""
        short = controller.name.split(".", maxsplit=1)[0]
        settings = (f"CN=NTDS Settings,CN={short.upper()},CN=Servers,"
                    "CN=Default-First-Site-Name,CN=Sites,CN=Configuration,"
                    f"{BASE}")
        found = Controller.parse(subprocess.run(
            [*self.wrap, "ldbsearch", "-H", str(controller.sam), "-b",
             settings, "-s", "base", "objectGUID"], capture_output=True,
            text=True, check=False, env=self.environment))
        guid = found["objectGUID"][0].decode()
        self.dns_update(DNS, ("add", short, "A", controller.ip), *(
            ("add", name, "SRV", f"0 100 {port} {controller.name}.")
            for name, port in SRV))
        self.dns_update(
            f"_msdcs.{DNS}", ("add", guid, "CNAME", f"{controller.name}."), *(
                ("add", name, "SRV", f"0 100 {port} {controller.name}.")
                for name, port in (("_ldap._tcp.dc", 389),
                                   ("_kerberos._tcp.dc", 88))))

    def dns_update(self, zone, *changes):
        """Change the DNS of the first controller (RFC 2136): "add" or "delete",
        a name, a type, and unless all of it goes a value."""
        self.run("/usr/bin/python3", "-c", DNS_UPDATE, self.first.ip, zone,
                 json.dumps(changes))

    # -- as it is used

    def start(self):
        for controller in self.controllers:
            controller.start()
        self.configure_host()

    def configure_host(self, *kdcs):
        """What this host knows of the domain: its KDCs, or for none its DNS."""
        self.host.nsswitch(hosts="files dns")
        (ETC / "resolv.conf").write_text(self.resolv_conf())
        (ETC / "krb5.conf").write_text(krb5_conf(*kdcs))

    def pull(self, there, here, part=BASE):
        """What is on one is on the other one, too, once this returns."""
        self.tool("drs", "replicate", f"{there}.{DNS}", f"{here}.{DNS}", part,
                  *self.as_administrator())

    def replicate(self):
        """Every change is on both once this returns."""
        for part in (BASE, f"CN=Configuration,{BASE}"):
            self.pull("dc2", "dc1", part)
            self.pull("dc1", "dc2", part)

    def is_linked(self):
        """Each knows that it takes changes from the other; the first tries fail
        while they find that out by themselves."""
        try:
            for controller in self.controllers:
                self.tool("drs", "kcc", controller.name,
                          *self.as_administrator())
            self.replicate()
        except AssertionError:
            return False
        return True

    @contextlib.contextmanager
    def cut(self):
        """The controllers take no changes from each other meanwhile."""
        # As samba-tool drs options: DISABLE_INBOUND_REPL and _OUTBOUND_
        # beside IS_GC (MS-ADTS 6.1.1.2.2.1.2.1.1), each in its own copy.
        self.set_options(7)
        try:
            yield
        finally:
            self.set_options(1)

    def set_options(self, options):
        for controller in self.controllers:
            name = controller.read("", "dsServiceName")["dsServiceName"][0]
            controller.modify(name.decode(), options=options)

    def user(self, name, password=PASSWORD, flags=NORMAL, must_change=False,
             **attributes):
        """An account of a person; `attributes` are of LDAP."""
        self.first.add(
            user_dn(name), objectClass="user", sAMAccountName=name,
            userPrincipalName=attributes.pop("userPrincipalName",
                                             f"{name}@{DNS}"),
            unicodePwd=quoted(password), userAccountControl=flags,
            **attributes)
        if must_change:
            self.first.modify(user_dn(name), pwdLastSet=0)

    def set_password(self, dn, password):
        self.first.modify(dn, unicodePwd=quoted(password))

    def computer(self, name, password, services=None, **attributes):
        """The account of a host, as joining makes it; all names in lower case.
        `services`: its service principal names."""
        dn = computer_dn(name)
        if services is None:
            services = [f"{kind}/{full}" for kind in ("HOST", "RestrictedKrbHost")
                        for full in (name.upper(), f"{name}.{DNS}")]
        self.first.add(
            dn, objectClass="computer", sAMAccountName=f"{name.upper()}$",
            dNSHostName=f"{name}.{DNS}", unicodePwd=quoted(password),
            userAccountControl=WORKSTATION, servicePrincipalName=services,
            **{"msDS-SupportedEncryptionTypes": 24, **attributes})
        return dn

    def sid(self, dn):
        """The security identifier of an object, as text (MS-DTYP 2.4.2.1)."""
        value = self.first.read(dn, "objectSid")["objectSid"][0]
        parts = struct.unpack_from(f"<{value[1]}I", value, 8)
        return f"S-{value[0]}-{int.from_bytes(value[2:8], 'big')}-" + \
            "-".join(map(str, parts))

    def allow(self, dn, who, *entries, action="allow"):
        """Give an object rights; `entries` are entries of SDDL with SID for
        that of `who`."""
        sid = self.sid(who)
        self.tool("dsacl", "set", f"--objectdn={dn}", f"--action={action}",
                  "--sddl=" + "".join(entry.replace("SID", sid)
                                      for entry in entries),
                  "-H", self.first.sam)

    def delegate_resets(self, who, dn=USERS):
        """What resetting passwords of users needs, as the manual says it: the
        rights that README has for Windows."""
        block = directory.manual_block("samba-tool dsacl")
        rights = re.findall(r"'((?:CR|RPWP);.*?)'", block)
        readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
        assert rights == [SDDL[right] for right in re.findall(
            r'dsacls .*\$:(.*);user"', readme)]
        entry = re.search(r'--sddl="(.*)"', block)[1].replace(
            "$user", re.search(r"^user=(.*)$", block, re.M)[1])
        self.allow(dn, who, *(entry.replace("$right", right).replace(
            "$sid", "SID") for right in rights))

    def kvno(self, dn):
        return self.first.number_of(dn, "msDS-KeyVersionNumber")

    def keytab(self, path, computer, password, principals=None, kvno=None,
               enctypes=("aes256-cts-hmac-sha1-96",
                         "aes128-cts-hmac-sha1-96")):
        """A file with keys that are made from a password, as joining makes
        it; the number is that of the directory."""
        if kvno is None:
            kvno = self.kvno(computer_dn(computer))
        if principals is None:
            principals = [f"{computer.upper()}$", f"host/{computer.upper()}",
                          f"host/{computer}.{DNS}"]
        salt = f"{REALM}host{computer}.{DNS}"
        script = "".join(
            f"addent -password -p {principal}@{REALM} -k {kvno} -e {enctype} "
            f"-s {salt}\n{password}\n"
            for principal in principals for enctype in enctypes)
        path = pathlib.Path(path)
        path.unlink(missing_ok=True)  # it would be added to
        program = shutil.which("ktutil") or str(
            kerberos.root_of(self.host) / "usr/bin/ktutil")
        subprocess.run([program], input=f"{script}wkt {path}\nquit\n",
                       text=True, check=True, capture_output=True,
                       env={**os.environ,
                            "KRB5_CONFIG": str(self.dir / "etc/krb5.conf")})
        path.chmod(0o600)
        return path

    def has_password(self, name, password, controller=None):
        """What a KDC itself says of a password."""
        conf = self.dir / f"krb5-{time.monotonic_ns()}.conf"
        conf.write_text(krb5_conf((controller or self.first).ip))
        program = shutil.which("kinit") or str(
            kerberos.root_of(self.host) / "usr/bin/kinit")
        done = subprocess.run(
            [program, "-c", f"MEMORY:{name}", f"{name}@{REALM}"],
            input=password + "\n", text=True, capture_output=True, check=False,
            env={**os.environ, "KRB5_CONFIG": str(conf), "LC_ALL": "C"})
        return done.returncode == 0

    def end(self):
        for controller in self.controllers:
            controller.stop()
        self.space.end()
        shutil.rmtree(self.dir)


def copy_domain(source, target):
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def template(host, count):
    """A domain that was provisioned today, for copies."""
    place = host.build.parent / f"domain{count}"
    with open(f"{place}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = place / "made"
        made = stamp.stat().st_mtime if stamp.exists() else 0
        if time.time() - made < DAY and \
                made > pathlib.Path(__file__).stat().st_mtime:
            return place
        shutil.rmtree(place, ignore_errors=True)
        if count > 1:
            copy_domain(template(host, 1), place)
            stamp.unlink()
        else:
            place.mkdir()
        made = Domain(host, count, directory=place)
        try:
            made.provision() if count == 1 else made.join()
        finally:
            made.space.end()
        shutil.rmtree(place / "etc")
        stamp.touch()
    return place


@contextlib.contextmanager
def domain(host, count=1):
    """A domain that runs, for one test or a file of them."""
    RUNDIR.mkdir(exist_ok=True, mode=0o700)
    made = Domain(host, count)
    try:
        made.start()
        yield made
    finally:
        made.end()
