"""Directories for the tests: a real slapd of one's own, and its certificates.

A server has its own folder, ports of its own on the loopback, and the entries
that a test gives it, with the operational attributes that only loading can set.
What it did is counted from its own log.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import base64
import dataclasses
import glob
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from scratch import RUN, free_port, wait_until

BASE = "dc=example,dc=org"
PEOPLE = f"ou=people,{BASE}"
SERVICE = f"cn=reader,{BASE}"
SERVICE_SECRET = "reader of accounts"
ROOT = f"cn=root,{BASE}"
ROOT_SECRET = "root of the directory"
POLICY = f"cn=policy,{BASE}"
FOR_GOOD = "000001010000Z"
SECRET_FILE = RUN / "ldap-secret"
CERTS = RUN / "certs"


def stamp(seconds_ago):
    """A time as LDAP writes it.  At the top of a module it is made half an hour
    before the last of its tests may run."""
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - seconds_ago))


def ssha(password):
    salt = os.urandom(8)
    digest = hashlib.sha1(password.encode() + salt).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


# ---- certificates

def openssl(*arguments, cwd=CERTS):
    subprocess.run(["openssl", *arguments], check=True, cwd=cwd,
                   capture_output=True)


def certificate(name, *, ca="ca", host="localhost", days=2, usage=None,
                alternative=None):
    """A key and a certificate for a host; days < 0: it has expired.
    `alternative`: its names besides that in the subject; "": none."""
    CERTS.mkdir(exist_ok=True)
    if not (CERTS / f"{ca}.pem").exists():
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                f"/CN=Test {ca}", "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
    path = CERTS / f"{name}.pem"
    if path.exists():
        return path
    if alternative is None:
        alternative = f"DNS:{host}" + (",IP:127.0.0.1" if host == "localhost"
                                       else "")
    (CERTS / f"{name}.ext").write_text(
        "basicConstraints=CA:FALSE\n" +
        (f"subjectAltName={alternative}\n" if alternative else "") +
        (f"extendedKeyUsage={usage}\n" if usage else ""))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", f"/CN={host}", "-keyout", f"{name}.key",
            "-out", f"{name}.csr")
    sign = ["x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey",
            f"{ca}.key", "-set_serial", str(time.monotonic_ns()), "-extfile",
            f"{name}.ext", "-out", f"{name}.pem"]
    if days < 0:
        subprocess.run(["faketime", "-f", f"{days - 1}d", "openssl", *sign,
                        "-days", "1"], check=True, cwd=CERTS,
                       capture_output=True)
    else:
        openssl(*sign, "-days", str(days))
    return path


# ---- slapd

CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
{moduleload}
{modules_more}
pidfile {dir}/pid
loglevel stats
{tls}
{front}
database mdb
suffix {base}
rootdn {root}
rootpw "{root_secret}"
directory {dir}/db
dbnosync
lastbind {lastbind}
{access}
{overlay}
{more}
"""

ACCESS = f"""\
access to attrs=userPassword by dn="{SERVICE}" write by self write \
by anonymous auth by * none
access to attrs=shadowLastChange by self write by * read
access to * by dn="{SERVICE}" read by * read
"""

OVERLAY = """\
overlay ppolicy
ppolicy_default {policy}
ppolicy_hash_cleartext
{lockout}
"""


@dataclasses.dataclass
class Counts:
    connections: int
    binds: int
    searches: int
    changes: int
    modifications: int


class Slapd:
    """One server.  `users` are dictionaries of attributes by their name; what is
    None is left out.  `more` are lines for its database, for which it loads
    `modules`; `front` those before it.  `net` is the network it is in, and
    `environment` what else it is told."""

    def __init__(self, host, users, *, policies=None, ppolicy=True,
                 use_lockout=True, certificate_file=None, access=ACCESS,
                 lastbind="off", secret=SERVICE_SECRET, modules=(), more="",
                 front="", tls_more="", ports=None, net=None,
                 environment=None):
        self.host, self.net = host, net
        self.dir = RUN / f"slapd-{time.monotonic_ns()}"
        self.port, self.tls_port = ports or (free_port(), free_port())
        self.use_tls = certificate_file is not None
        self.socket = self.dir / "ldapi"
        self.log = self.dir / "log"
        self.process = None
        self.service_secret = secret
        self.modules, self.more = modules, more
        self.front, self.tls_more = front, tls_more
        self.environment = environment
        (self.dir / "db").mkdir(parents=True)
        self.write_config(ppolicy, use_lockout, certificate_file, access,
                          lastbind)
        self.load(users, {"policy": {}, **(policies or {})}, ppolicy)
        self.start()

    def write_config(self, ppolicy, use_lockout, certificate_file, access,
                     lastbind):
        modules = os.path.dirname((glob.glob("/usr/lib*/ldap/back_mdb.so") +
                                   glob.glob("/usr/lib*/openldap/back_mdb.so"))
                                  [0])
        tls = ""
        if certificate_file is not None:
            key = certificate_file.with_suffix(".key")
            tls = (f"TLSCertificateFile {certificate_file}\n"
                   f"TLSCertificateKeyFile {key}\n"
                   f"TLSVerifyClient never\n{self.tls_more}")
        overlay = OVERLAY.format(
            policy=POLICY, lockout="ppolicy_use_lockout" if use_lockout else "")
        (self.dir / "slapd.conf").write_text(CONFIG.format(
            modules=modules, dir=self.dir, base=BASE, root=ROOT,
            root_secret=ROOT_SECRET, tls=tls, access=access, lastbind=lastbind,
            moduleload="moduleload ppolicy" if ppolicy else "",
            modules_more="".join(f"moduleload {name}\n"
                                 for name in self.modules), more=self.more,
            front=self.front,
            overlay=overlay if ppolicy else ""))

    def load(self, users, policies, ppolicy):
        entries = [
            {"dn": BASE, "objectClass": ["dcObject", "organization"],
             "o": "test", "dc": BASE.split(",")[0][3:]},
            {"dn": PEOPLE, "objectClass": "organizationalUnit", "ou": "people"},
            {"dn": SERVICE, "objectClass": ["organizationalRole",
                                            "simpleSecurityObject"],
             "cn": "reader", "userPassword": ssha(self.service_secret)},
        ]
        for name, values in (policies.items() if ppolicy else ()):
            entries.append({"dn": f"cn={name},{BASE}", "cn": name,
                            "objectClass": ["device", "pwdPolicy"],
                            "pwdAttribute": "userPassword", **values})
        entries += users
        text = "".join(ldif(entry) for entry in entries)
        done = subprocess.run(["slapadd", "-f", self.dir / "slapd.conf"],
                              input=text, text=True, check=False,
                              capture_output=True)
        assert done.returncode == 0, done.stderr

    @property
    def uri(self):
        name = "localhost" if self.net is None else self.net.name
        return (f"ldaps://{name}:{self.tls_port}" if self.use_tls
                else self.local)

    @property
    def plain(self):
        return f"ldap://localhost:{self.port}"

    @property
    def local(self):
        return "ldapi://" + str(self.socket).replace("/", "%2F")

    def start(self):
        address = "127.0.0.1" if self.net is None else self.net.address
        listen = [f"ldap://{address}:{self.port}"]
        if self.use_tls:
            listen.append(f"ldaps://{address}:{self.tls_port}")
        listen.append(self.local)  # the last that answers
        with open(self.log, "ab") as log:
            self.process = self.host.start(
                [*(self.net.wrap if self.net else ()),
                 "slapd", "-d", "stats", "-f", str(self.dir / "slapd.conf"),
                 "-h", " ".join(listen)], env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.answers, what="slapd")

    def answers(self):
        assert self.process.poll() is None, self.lines()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def stop(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        os.kill(self.process.pid, signal.SIGSTOP)
        wait_until(lambda: self.state() == "T", what="slapd to stop")

    def state(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0]

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    # -- what it did

    def mark(self):
        """From here on it is counted."""
        # There was at least that which found the server alive.
        wait_until(lambda: 0 < self.lines().count(" ACCEPT ") ==
                   self.lines().count(" closed"), what="connections to end")
        return self.log.stat().st_size

    def lines(self, mark=0):
        return self.log.read_bytes()[mark:].decode(errors="replace")

    def count(self, mark):
        text = self.lines(mark)

        def number(pattern):
            return len(re.findall(pattern, text))

        return Counts(connections=number(r" ACCEPT from "),
                      binds=number(r" BIND dn=\"[^\"]*\" method="),
                      searches=number(r" SRCH base="),
                      changes=number(r" PASSMOD "),
                      modifications=number(r" MOD dn="))

    # -- its content

    def modify(self, dn, text, relax=False):
        subprocess.run(["ldapmodify", "-x", "-H", self.local, "-D", ROOT, "-w",
                        ROOT_SECRET, *(["-e", "relax"] if relax else [])],
                       input=f"dn: {dn}\nchangetype: modify\n{text}\n",
                       text=True, check=True, capture_output=True)

    def add(self, *entries):
        subprocess.run(["ldapadd", "-x", "-H", self.local, "-D", ROOT, "-w",
                        ROOT_SECRET],
                       input="".join(ldif(entry) for entry in entries),
                       text=True, check=True, capture_output=True)

    def read(self, dn, *attributes):
        out = subprocess.run(
            ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.local,
             "-D", ROOT, "-w", ROOT_SECRET, "-s", "base", "-b", dn,
             "(objectClass=*)", *attributes],
            text=True, check=True, capture_output=True).stdout
        return [line for line in out.splitlines()[1:] if line]

    def search(self, base, *attributes):
        """All lines of what is directly below an entry."""
        out = subprocess.run(
            ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.local,
             "-D", ROOT, "-w", ROOT_SECRET, "-s", "one", "-b", base,
             "(objectClass=*)", *attributes],
            text=True, check=True, capture_output=True).stdout
        return [line for line in out.splitlines() if line]

    def delete(self, dn):
        subprocess.run(["ldapdelete", "-x", "-H", self.local, "-D", ROOT, "-w",
                        ROOT_SECRET, dn], check=True, capture_output=True)

    def has(self, dn):
        return subprocess.run(
            ["ldapsearch", "-x", "-H", self.local, "-D", ROOT, "-w",
             ROOT_SECRET, "-s", "base", "-b", dn, "1.1"], check=False,
            capture_output=True).returncode == 0

    def clear(self, base):
        """Delete what is below an entry."""
        names = [line[4:] for line in self.search(base, "1.1")]
        subprocess.run(["ldapdelete", "-x", "-H", self.local, "-D", ROOT, "-w",
                        ROOT_SECRET], input="\n".join(names) + "\n", text=True,
                       check=bool(names), capture_output=True)

    def lets_in(self, dn, password):
        done = subprocess.run(["ldapwhoami", "-x", "-H", self.local, "-D", dn,
                               "-w", password], capture_output=True,
                              check=False)
        return done.returncode == 0


def ldif(entry):
    lines = []
    for name, values in entry.items():
        if values is None:
            continue
        for value in values if isinstance(values, (list, tuple)) else [values]:
            lines.append(f"{name}: {value}")
    return "\n".join(lines) + "\n\n"


def user(name, uid, password, **attributes):
    """An entry of RFC 2307."""
    classes = ["inetOrgPerson", "posixAccount"]
    if any(key.startswith("shadow") for key in attributes):
        classes.append("shadowAccount")
    return {"dn": f"uid={name},{PEOPLE}", "objectClass": classes, "uid": name,
            "cn": name, "sn": name, "uidNumber": uid, "gidNumber": uid,
            "homeDirectory": f"/home/{name}", "loginShell": "/bin/sh",
            "userPassword": ssha(password), **attributes}


def dn_of(name):
    return f"uid={name},{PEOPLE}"


def manual_page():
    return (pathlib.Path(__file__).parents[2] /
            "man/selfreset.conf.5").read_text()


def manual_block(*words):
    """The literal block of selfreset.conf(5) that has all of the words."""
    (found,) = (block for block in
                re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", manual_page(),
                           re.M | re.S) if all(word in block for word in words))
    return found


def have_server():
    return shutil.which("slapd") is not None
