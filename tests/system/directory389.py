"""A real 389 Directory Server for the tests: ns-slapd without its installer.

Its configuration is made from the template that the package brings, in a folder
of its own, so that neither systemd nor /etc/dirsrv is needed.  It is slow to
start and takes much memory: a module of tests has one, and gives it back as it
was (fresh()) before each test.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import re
import shutil
import subprocess
import time

import directory
from directory import (BASE, PEOPLE, ROOT, ROOT_SECRET, SERVICE,
                       SERVICE_SECRET, ldif, ssha)
from scratch import RUN, free_port, wait_until

TEMPLATE = pathlib.Path("/usr/share/dirsrv/data/template-dse.ldif")
SCHEMA = pathlib.Path("/usr/share/dirsrv/schema")
# What it writes for "at once" and for "until an administrator acts".
EPOCH = "19700101000000Z"

# The owner may set the password and its shadow day; the service sets and reads.
ACI = [
    f'(targetattr="userPassword || shadowLastChange")(version 3.0; acl "own"; '
    'allow (write) userdn="ldap:///self";)',
    '(targetattr!="userPassword")(version 3.0; acl "read"; '
    'allow (read, search, compare) userdn="ldap:///anyone";)',
    f'(targetattr="userPassword || shadowLastChange")(version 3.0; acl '
    f'"service"; allow (write) userdn="ldap:///{SERVICE}";)',
]

# What lets the service read the policy.
POLICY_ACI = ('(targetattr="objectClass || password* || '
              'nsslapd-pwpolicy-local || nsslapd-pluginInitfunc || '
              'nsslapd-pluginEnabled || *AttrName || alwaysRecord* || '
              'accountInactivityLimit")(version 3.0; acl '
              '"policy"; allow (read, search) '
              f'userdn="ldap:///{SERVICE}";)')
# The same without the switch for policies of subtrees and users.
HIDING_ACI = POLICY_ACI.replace("nsslapd-pwpolicy-local || ", "")

# What fresh() goes back to.
POLICY = {
    "aci": None,
    "nsslapd-lastmod": "on",
    "nsslapd-pwpolicy-local": "on",
    "passwordExp": "off", "passwordMaxAge": 8640000, "passwordWarning": 86400,
    "passwordSendExpiringTime": "off", "passwordGraceLimit": 0,
    "passwordMustChange": "off", "passwordChange": "on",
    "passwordLockout": "off", "passwordMaxFailure": 3, "passwordUnlock": "on",
    "passwordLockoutDuration": 900, "passwordResetFailureCount": 600,
    "passwordCheckSyntax": "off", "passwordMinCategories": 1,
    "passwordMinLength": 8, "passwordMinAge": 0,
    "passwordHistory": "off", "passwordInHistory": 6,
    "passwordTrackUpdateTime": "off", "passwordTPRMaxUse": -1,
    "passwordTPRDelayExpireAt": -1, "passwordTPRDelayValidFrom": -1,
}


class DirectoryServer:
    """One server.  Ask it by its socket, which counts as a safe way."""

    def __init__(self):
        self.dir = RUN / f"ds389-{time.monotonic_ns()}"
        self.port = free_port()
        self.process = None
        for name in ("etc/schema", "db", "lock", "tmp", "ldif", "bak", "run",
                     "log", "inst"):
            (self.dir / name).mkdir(parents=True)
        self.socket = self.dir / "ldapi"
        self.log = self.dir / "log/access"
        self.write_config()
        self.start()
        self.load_base()

    # -- the server

    def write_config(self):
        etc = self.dir / "etc"
        fields = {
            "schema_dir": etc / "schema", "lock_dir": self.dir / "lock",
            "tmp_dir": self.dir / "tmp", "cert_dir": etc, "config_dir": etc,
            "ldif_dir": self.dir / "ldif", "bak_dir": self.dir / "bak",
            "run_dir": self.dir / "run", "inst_dir": self.dir / "inst",
            "log_dir": self.dir / "log", "fqdn": "localhost",
            "ds_port": self.port, "ds_user": "root", "rootdn": ROOT,
            "ds_passwd": ssha(ROOT_SECRET), "ldapi_enabled": "on",
            "ldapi": self.socket, "ldapi_autobind": "off", "ds_suffix": BASE,
            "db_dir": self.dir / "db", "db_home_dir": self.dir / "db",
            "db_lib": "bdb",
        }
        text = re.sub("%([a-z_]+)%", lambda found: str(fields[found[1]]),
                      TEMPLATE.read_text())
        # The log is read by the tests; the listener is for this host only.
        text = text.replace("nsslapd-localuser", "nsslapd-listenhost: 127.0.0.1\n"
                            "nsslapd-accesslog-logbuffering: off\n"
                            "nsslapd-localuser", 1)
        (etc / "dse.ldif").write_text(text)
        for path in SCHEMA.iterdir():
            (etc / "schema" / path.name).symlink_to(path)
        (etc / "schema/99user.ldif").write_text(
            "dn: cn=schema\nobjectclass: top\nobjectclass: ldapSubentry\n"
            "objectclass: subschema\ncn: schema\n")
        for name in ("certmap.conf", "slapd-collations.conf"):
            shutil.copy(f"/etc/dirsrv/config/{name}", etc)

    def start(self):
        with open(self.dir / "out", "ab") as out:
            self.process = subprocess.Popen(
                ["ns-slapd", "-d", "0", "-D", str(self.dir / "etc"), "-i",
                 str(self.dir / "run/pid")], stdin=subprocess.DEVNULL,
                stdout=out, stderr=out)
        wait_until(self.answers, 120, "ns-slapd")

    def answers(self):
        assert self.process.poll() is None, (
            (self.dir / "out").read_text(), (self.dir / "log/errors").read_text())
        return self.client("ldapwhoami", check=False).returncode == 0

    def stop(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        """In order, so that nothing is repaired."""
        self.process.terminate()
        assert self.process.wait(timeout=120) == 0
        self.start()

    def tell_changes(self):
        """Content synchronisation, which is a plug-in, and another it needs."""
        for name in ("Content Synchronization", "Retro Changelog Plugin"):
            self.replace(f"cn={name},cn=plugins,cn=config",
                         **{"nsslapd-pluginEnabled": "on"})
        self.restart()

    @property
    def uri(self):
        return "ldapi://" + str(self.socket).replace("/", "%2F")

    def client(self, program, *arguments, text="", check=True,
               who=(ROOT, ROOT_SECRET)):
        done = subprocess.run([program, "-x", "-H", self.uri, "-D", who[0], "-w",
                               who[1], *arguments], input=text, text=True,
                              check=False, capture_output=True)
        assert not check or done.returncode == 0, (text, done.stderr)
        return done

    # -- its content

    def add(self, *entries):
        self.client("ldapadd", text="".join(map(ldif, entries)))

    def load_base(self):
        self.add({"dn": "cn=userRoot,cn=ldbm database,cn=plugins,cn=config",
                  "objectClass": ["extensibleObject", "nsBackendInstance"],
                  "cn": "userRoot", "nsslapd-suffix": BASE},
                 {"dn": f'cn="{BASE}",cn=mapping tree,cn=config',
                  "objectClass": ["extensibleObject", "nsMappingTree"],
                  "cn": BASE, "nsslapd-state": "backend",
                  "nsslapd-backend": "userRoot"})
        self.add({"dn": BASE, "objectClass": "domain",
                  "dc": BASE.split(",", maxsplit=1)[0][3:], "aci": ACI},
                 {"dn": PEOPLE, "objectClass": "organizationalUnit",
                  "ou": "people"},
                 {"dn": SERVICE, "objectClass": ["organizationalRole",
                                                 "simpleSecurityObject"],
                  "cn": "reader", "userPassword": SERVICE_SECRET})

    def replace(self, dn, **values):
        """Set attributes; None takes one away."""
        lines = [f"dn: {dn}", "changetype: modify"]
        for name, value in values.items():
            lines.append(f"replace: {name}")
            if value is not None:
                lines += [f"{name}: {one}" for one in
                          (value if isinstance(value, list) else [value])]
            lines.append("-")
        self.client("ldapmodify", text="\n".join(lines) + "\n")

    def policy(self, **values):
        """The one for all entries; empty: nothing changes."""
        if values:
            self.replace("cn=config", **values)

    def fresh(self, *users):
        """The policy as it was, and these entries and no others."""
        self.policy(**POLICY)
        found = self.client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b",
                            PEOPLE, "-s", "one", "(objectClass=*)", "1.1").stdout
        self.client("ldapdelete", text="".join(
            line[4:] + "\n" for line in found.splitlines()
            if line.startswith("dn: ")))
        self.add(*users)

    def load(self, users):
        """Very many entries, in place of those that there are."""
        path = self.dir / "ldif/many.ldif"
        base = self.client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b",
                           BASE, "(!(uid=*))", "*", "aci").stdout
        path.write_text("version: 1\n\n" + base + "".join(map(ldif, users)))
        self.stop()
        done = subprocess.run(["ns-slapd", "ldif2db", "-D", self.dir / "etc",
                               "-n", "userRoot", "-i", path],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
        self.start()

    def read(self, dn, *attributes):
        """A dictionary of the first values."""
        out = self.client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-s",
                          "base", "-b", dn, "(objectClass=*)",
                          *attributes).stdout
        found = {}
        for line in out.splitlines()[1:]:
            name, _, value = line.partition(": ")
            found.setdefault(name.lower(), value)
        return found

    def lets_in(self, dn, password):
        """Also where nothing but a new password is accepted then."""
        done = self.client("ldapwhoami", "-e", "ppolicy", check=False,
                           who=(dn, password))
        return done.returncode == 0 or "must be changed" in done.stderr

    # -- what it did

    def mark(self):
        return self.log.stat().st_size

    def lines(self, mark=0):
        return self.log.read_bytes()[mark:].decode(errors="replace")


def have_server():
    return (shutil.which("ns-slapd") is not None and TEMPLATE.exists() and
            directory.have_server())
