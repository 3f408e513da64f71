"""The peers that ask a directory, and a directory for the NSS part.

Their packages are unpacked, not installed, since some edit the machine's files
when they are: what is in them is laid over /usr, in
the bench's own mount namespace.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess

import scratch
from scratch import ETC, RUN

BASE = "dc=example,dc=org"
TEAMS = 20
GID = 4000


def user(number):
    return f"user{number:07}"


def members(count):
    """The teams, and who is in each."""
    for team in range(TEAMS):
        yield f"team{team:02}", GID + team, [
            user(number) for number in range(team, count, TEAMS)]


def private_backends(build):
    """Our modules for a directory, as a layer over /usr: what lies over parts
    of it is not seen through another layer."""
    layer = RUN / "usr"
    for built in (build / "stage/usr").glob("**/selfreset/*.so"):
        place = layer / built.parent.relative_to(build / "stage/usr")
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy2(built, place)
    layer.mkdir(exist_ok=True)
    return layer


@contextlib.contextmanager
def unpacked(root, build):
    """The peers' files in their places."""
    modules = scratch.module_directory()
    for name in ("pam_ldap.so", "pam_sss.so", "pam_krb5.so", "pam_winbind.so"):
        for found in (root / "usr/lib").glob(f"*/security/{name}"):
            shutil.copy2(found, RUN / "modules")
    scratch.mount("-t", "overlay", "-o",
                  f"lowerdir={private_backends(build)}:{root}/usr:/usr",
                  "peers", "/usr")
    scratch.mount("--bind", RUN / "modules", modules)
    subprocess.run(["/sbin/ldconfig", "-X"], check=True)
    try:
        yield
    finally:
        for path in (modules, "/usr"):  # what has just ended may be there yet
            subprocess.run(["umount", "-l", path], check=True)


def write_files(count):
    """The users, in the files of the host."""
    day = scratch.today()
    with open(ETC / "passwd", "a") as passwd, \
            open(ETC / "shadow", "a") as shadow:
        for number in range(count):
            passwd.write(f"{user(number)}:x:{10000 + number}:{GID}::/:"
                         "/bin/sh\n")
            shadow.write(f"{user(number)}:*:{day - 9}:1:90:14:::\n")
    with open(ETC / "group", "a") as group:
        for name, gid, names in members(count):
            group.write(f"{name}:x:{gid}:{','.join(names)}\n")


def entries(count):
    """The same users, as a directory has them."""
    day = scratch.today()
    yield f"dn: {BASE}\nobjectClass: domain\ndc: example\n"
    for unit in "people", "groups":
        yield (f"dn: ou={unit},{BASE}\nobjectClass: organizationalUnit\n"
               f"ou: {unit}\n")
    for number in range(count):
        name = user(number)
        yield (f"dn: uid={name},ou=people,{BASE}\nobjectClass: account\n"
               "objectClass: posixAccount\nobjectClass: shadowAccount\n"
               f"uid: {name}\ncn: {name}\nuidNumber: {10000 + number}\n"
               f"gidNumber: {GID}\nhomeDirectory: /\nshadowMin: 1\n"
               f"shadowLastChange: {day - 9}\nshadowMax: 90\n")
    for name, gid, names in members(count):
        yield (f"dn: cn={name},ou=groups,{BASE}\nobjectClass: posixGroup\n"
               f"cn: {name}\ngidNumber: {gid}\n"
               + "".join(f"memberUid: {one}\n" for one in names))


def start_slapd(host, root, count):
    """A directory of `count` users on loopback; the answer is its URI."""
    home = RUN / "slapd"
    (home / "data").mkdir(parents=True)
    schema = next(path for path in (ETC / "ldap/schema",
                                    root / "etc/ldap/schema") if path.is_dir())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = home / "slapd.conf"
    config.write_text(
        "".join(f"include {schema}/{name}.schema\n"
                for name in ("core", "cosine", "nis"))
        + "modulepath /usr/lib/ldap\nmoduleload back_mdb\n"
        f"pidfile {home}/pid\ndatabase mdb\nsuffix {BASE}\n"
        f"directory {home}/data\nmaxsize 268435456\nindex objectClass eq\n"
        "index uid,memberUid,uidNumber,gidNumber,cn eq\n")
    subprocess.run(["/usr/sbin/slapadd", "-q", "-f", config],
                   input="\n".join(entries(count)), text=True, check=True,
                   capture_output=True)
    uri = f"ldap://127.0.0.1:{port}"
    process = quiet(host, "/usr/sbin/slapd", "-f", str(config), "-h", uri,
                    "-d", "0")
    scratch.wait_until(lambda: host.answers(port, process), what="slapd")
    return uri


def quiet(host, *command):
    with open(RUN / (os.path.basename(command[0]) + ".log"), "wb") as log:
        return host.start(command, stdin=subprocess.DEVNULL, stdout=log,
                          stderr=log)


def private_file(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)


def start_nslcd(host, uri, more=""):
    """nslcd, with nothing kept from before."""
    endpoint = pathlib.Path("/run/nslcd/socket")
    endpoint.parent.mkdir(exist_ok=True)
    endpoint.unlink(missing_ok=True)
    private_file(ETC / "nslcd.conf", f"uri {uri}\nbase {BASE}\n{more}")
    process = quiet(host, "/usr/sbin/nslcd", "-n")
    scratch.wait_until(endpoint.exists, what="nslcd")
    return process


SSSD = """\
auth_provider = none
access_provider = permit
ldap_id_use_start_tls = false
"""


def start_sssd(host, uri, services="nss", more=SSSD):
    """sssd for an LDAP directory."""
    return run_sssd(host, services,
                    f"[sssd]\nservices = {services}\ndomains = bench\n[nss]\n"
                    f"[domain/bench]\nid_provider = ldap\nldap_uri = {uri}\n"
                    f"ldap_search_base = {BASE}\nldap_schema = rfc2307\n{more}")


def run_sssd(host, services, text):
    """sssd, with nothing kept from before."""
    home = pathlib.Path("/var/lib/sss")
    shutil.rmtree(home, ignore_errors=True)
    for name in ("db", "mc", "pipes/private", "pubconf/krb5.include.d",
                 "secrets", "gpo_cache", "keytabs", "deskprofile"):
        (home / name).mkdir(parents=True)
    pathlib.Path("/var/log/sssd").mkdir(exist_ok=True)
    pathlib.Path("/run/sssd.pid").unlink(missing_ok=True)
    (ETC / "sssd/conf.d").mkdir(parents=True, exist_ok=True)
    private_file(ETC / "sssd/sssd.conf", text)
    process = quiet(host, "/usr/sbin/sssd", "-i", "--logger=stderr")
    for name in services.split(", "):
        scratch.wait_until((home / "pipes" / name).exists, 30, "sssd")
    return process
