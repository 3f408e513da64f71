"""selfresetctl rotate: the keys of this host, or the password of a service
account, changed by this host itself; and what stops that halfway.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import re
import shutil
import stat
import subprocess

import pytest

import kerberos
import samba
from samba import PASSWORD, computer_dn, user_dn
from scratch import CONTACT, ETC, RUN
from test_ad import MACHINE, configure, log_in, person
from test_krb5 import Liar, framed, krb_error, relay

FAILED, PARTLY, REFUSED = 1, 8, 9
PLACE = RUN / "rotating"
KEYTAB, SECRET = PLACE / "host.keytab", PLACE / "secret"
FRESH = PLACE / "secret.new"
PENDING = PLACE / "host.keytab.selfreset-secret"
SERVICE = "service"
# User-Change-Password (MS-ADTS 5.1.3.2.1).
CHANGE_PASSWORD = "ab721a53-1e2f-11d0-9819-00aa0040529b"


@pytest.fixture(scope="module")
def ad(the_host):
    with samba.domain(the_host) as made:
        yield made


@pytest.fixture
def corp(ad, host):
    """This host is in the domain, and has a user there."""
    PLACE.mkdir(mode=0o700)
    ad.computer("client", MACHINE)
    ad.keytab(KEYTAB, "client", MACHINE)
    KEYTAB.chmod(0o640)
    configure(host, ad, keytab=KEYTAB, bind_secret="managed")
    ad.configure_host()
    ad.someone = person(host, ad)
    yield ad
    ad.first.delete(computer_dn("client"))
    shutil.rmtree(PLACE)


@pytest.fixture
def service(corp, host):
    """This host asks as a service account."""
    corp.user(SERVICE)
    SECRET.write_text(PASSWORD)
    SECRET.chmod(0o600)
    configure(host, corp, keytab=KEYTAB, identity="simple", secret_file=SECRET,
              bind_dn=user_dn(SERVICE), bind_secret="managed")
    yield corp
    corp.first.delete(user_dn(SERVICE))


def rotate(host, code=0, **options):
    done = host.run("selfresetctl", "rotate", "corp", **options)
    assert done.returncode == code, (done, host.log.all())
    return " ".join(done.stderr.split())


def lets_in(host, ad):
    done = log_in(host, ad.someone)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())


def keys(host):
    """The numbers of the keys by principal and type."""
    program = shutil.which("klist") or str(
        kerberos.root_of(host) / "usr/bin/klist")
    found = {}
    for line in subprocess.run([program, "-ke", str(KEYTAB)], text=True,
                               check=True, capture_output=True
                               ).stdout.splitlines():
        entry = re.match(r" *(\d+) (\S+)@\S+ \((\S+)\)", line)
        if entry:
            found.setdefault((entry[2], entry[3]), []).append(int(entry[1]))
    return {name: sorted(numbers) for name, numbers in found.items()}


NAMES = [(name, f"aes{size}-cts-hmac-sha1-96")
         for name in ("CLIENT$", "host/CLIENT", f"host/client.{samba.DNS}")
         for size in (256, 128)]


# ---- this host

def test_keys(host, corp):
    """All names of the account get the new keys, and keep the last ones; keys
    of other accounts stay."""
    script = ("addent -password -p HTTP/other@EXAMPLE.TEST -k 7 "
              "-e aes256-cts-hmac-sha1-96 -s salt\nsecret\n"
              f"wkt {KEYTAB}\nquit\n")
    program = shutil.which("ktutil") or str(
        kerberos.root_of(host) / "usr/bin/ktutil")
    subprocess.run([program], input=script, text=True, check=True,
                   capture_output=True)
    before = corp.kvno(computer_dn("client"))
    for turn in (1, 2):
        rotate(host)
        now = before + turn
        assert corp.kvno(computer_dn("client")) == now
        assert keys(host) == {
            ("HTTP/other", "aes256-cts-hmac-sha1-96"): [7],
            **{name: [now - 1, now] for name in NAMES}}
        lets_in(host, corp)
    status = KEYTAB.stat()
    assert stat.S_IMODE(status.st_mode) == 0o640 and status.st_uid == 0
    assert [path.name for path in PLACE.iterdir()] == [KEYTAB.name]
    assert host.log.with_text("SR-5003")


def test_unasked(host, corp):
    before = KEYTAB.read_bytes()
    configure(host, corp, keytab=KEYTAB, bind_secret="fixed")
    assert "bind_secret" in rotate(host, REFUSED)
    assert KEYTAB.read_bytes() == before


def dry(host, code=0):
    done = host.run("selfresetctl", "rotate", "--dry-run", "corp")
    assert done.returncode == code, (done, host.log.all())
    assert not host.log.with_text("SR-5003")
    return " ".join((done.stdout + done.stderr).split())


def without_right(ad, dn):
    ad.allow(dn, dn, f"(OD;;CR;{CHANGE_PASSWORD};;SID)",
             f"(OD;;CR;{CHANGE_PASSWORD};;WD)", action="deny")


def test_dry_run(host, corp):
    """It tries the identity and its rights, and changes nothing."""
    client = computer_dn("client")
    files = {path.name: path.read_bytes() for path in PLACE.iterdir()}
    kvno = corp.kvno(client)
    assert "would be changed" in dry(host)
    subprocess.run(["mount", "--bind", "-r", str(PLACE), str(PLACE)],
                   check=True)
    try:
        assert "Read-only" in dry(host, FAILED)
    finally:
        subprocess.run(["umount", str(PLACE)], check=True)
    without_right(corp, client)
    assert "may not change its own password" in dry(host, REFUSED)
    assert corp.kvno(client) == kvno
    assert files == {path.name: path.read_bytes() for path in PLACE.iterdir()}
    corp.set_password(client, "Other-Machine-Secret-1")
    assert "SR-5004" in dry(host, FAILED)
    corp.first.pause()
    try:
        host.configure(backend_corp={"timeout": "2s"})
        dry(host, FAILED)
    finally:
        corp.first.resume()


def test_dry_run_of_a_password(host, service):
    assert "would be changed" in dry(host)
    service.first.modify(samba.BASE, minPwdAge=-864000000000)
    try:
        assert "minimum age" in dry(host, REFUSED)
    finally:
        service.first.modify(samba.BASE, minPwdAge=0)
    without_right(service, user_dn(SERVICE))
    assert "may not change its own password" in dry(host, REFUSED)
    service.set_password(user_dn(SERVICE), "Other-Passw0rd-1")
    service.set_password(user_dn(SERVICE), "Other-Passw0rd-2")
    assert "SR-5004" in dry(host, FAILED)
    assert SECRET.read_text() == PASSWORD and not FRESH.exists()


def test_changed_elsewhere(host, corp):
    """It is told, and nothing is changed; users are told whose fault it is."""
    corp.set_password(computer_dn("client"), "Other-Machine-Secret-1")
    before = KEYTAB.read_bytes()
    assert "SR-5004" in rotate(host, FAILED)
    assert KEYTAB.read_bytes() == before
    assert host.log.with_text("SR-5004")
    done = log_in(host, corp.someone)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", done
    assert "This computer" in done.said and CONTACT in done.said


def test_group_managed(host, corp):
    """Refused by name."""
    name = f"CN=group,CN=Managed Service Accounts,{samba.BASE}"
    corp.first.add(
        name, objectClass="msDS-GroupManagedServiceAccount",
        sAMAccountName="GROUP$", dNSHostName=f"group.{samba.DNS}",
        unicodePwd=samba.quoted(MACHINE), userAccountControl=samba.WORKSTATION,
        **{"msDS-ManagedPasswordInterval": 30,
           "msDS-SupportedEncryptionTypes": 24})
    # Newer ones of Samba let nobody set its password.
    KEYTAB.unlink()
    corp.tool("domain", "exportkeytab", KEYTAB, "--principal=GROUP$")
    before = KEYTAB.read_bytes()
    text = rotate(host, REFUSED)
    assert "gMSA" in text and "GROUP$" in text
    assert KEYTAB.read_bytes() == before
    corp.first.delete(name)


@contextlib.contextmanager
def full_disk():
    """PLACE on a file system of a few pages, which are in use."""
    saved = {path.name: (path.read_bytes(), path.stat().st_mode)
             for path in PLACE.iterdir()}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=700",
                    "selfreset-test", str(PLACE)], check=True)
    try:
        for name, (data, mode) in saved.items():
            (PLACE / name).write_bytes(data)
            (PLACE / name).chmod(stat.S_IMODE(mode))
        with contextlib.suppress(OSError), open(PLACE / "filler", "wb") as out:
            while out.write(bytes(4096)):
                out.flush()
        yield
    finally:
        subprocess.run(["umount", str(PLACE)], check=True)


def test_disk_full(host, corp):
    with full_disk():
        before = KEYTAB.read_bytes()
        assert "No space" in rotate(host, FAILED)
        assert KEYTAB.read_bytes() == before
        lets_in(host, corp)


def test_twice_at_once(host, corp):
    before = corp.kvno(computer_dn("client"))
    running = [subprocess.Popen(["selfresetctl", "rotate", "corp"],
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)
               for _ in range(2)]
    codes = []
    for process in running:
        _, told = process.communicate(timeout=60)
        codes.append(process.returncode)
        assert process.returncode == 0 or "Another process" in told, told
    assert 0 in codes
    assert corp.kvno(computer_dn("client")) == before + codes.count(0)
    lets_in(host, corp)


@pytest.mark.parametrize("answer", ["lost", "lost, and the KDC gone"])
def test_no_answer(host, corp, answer):
    """What the domain has is found out: at once, or by the next login."""
    before = corp.kvno(computer_dn("client"))

    def lose(_):
        if answer != "lost":
            corp.first.pause()

    with Liar(relay(f"{corp.first.ip}:464", lose)) as liar:
        (ETC / "krb5.conf").write_text(samba.krb5_conf(corp.first.ip).replace(
            f"kpasswd_server = {corp.first.ip}",
            f"kpasswd_server = {liar.address}"))
        text = rotate(host, 0 if answer == "lost" else PARTLY)
    corp.first.resume()
    assert answer == "lost" or "may or may not" in text
    assert corp.kvno(computer_dn("client")) == before + 1
    lets_in(host, corp)
    corp.configure_host()
    rotate(host)
    lets_in(host, corp)


def test_not_set(host, corp):
    """The keytab had new keys already when the process was killed: those of
    before are in use, and their account is not locked by trying."""
    with Liar(None) as liar:
        (ETC / "krb5.conf").write_text(samba.krb5_conf(corp.first.ip).replace(
            f"kpasswd_server = {corp.first.ip}",
            f"kpasswd_server = {liar.address}"))
        rotate(host, PARTLY)
    assert all(len(numbers) == 2 for numbers in keys(host).values())
    for _ in range(5):
        lets_in(host, corp)
    assert corp.first.number_of(computer_dn("client"), "badPwdCount") == 0
    corp.configure_host()
    rotate(host)
    lets_in(host, corp)


def passwords_at(address):
    """Where this host sends new passwords."""
    text = samba.krb5_conf(samba.IPS[0])
    (ETC / "krb5.conf").write_text(text.replace(
        f"kpasswd_server = {samba.IPS[0]}", f"kpasswd_server = {address}"))


def test_refused(host, corp):
    """Under the key of the session: the new keys are withdrawn."""
    before = keys(host)
    without_right(corp, computer_dn("client"))
    rotate(host, REFUSED)
    assert keys(host) == before and not PENDING.exists()
    lets_in(host, corp)


def test_refused_by_anybody(host, corp):
    """A KRB-ERROR, and a KDC that does not have the change: another one may.
    Its password is the one that the next rotation completes, or sets."""
    before = corp.kvno(computer_dn("client"))
    names = {name: [before, before + 1] for name in NAMES}
    with Liar(framed(krb_error(60, b"\0\4no"))) as liar:
        passwords_at(liar.address)
        for _ in range(2):
            rotate(host, PARTLY)
            assert keys(host) == names
            assert stat.S_IMODE(PENDING.stat().st_mode) == 0o600
        secret = PENDING.read_text().strip()
    corp.set_password(computer_dn("client"), secret)
    lets_in(host, corp)
    corp.configure_host()
    rotate(host)
    assert corp.kvno(computer_dn("client")) == before + 1
    assert keys(host) == names and not PENDING.exists()
    lets_in(host, corp)


def again(ad, **attributes):
    """What an administrator does at the same time: the same password once more,
    under another name of the account, by which its keys are made."""
    client, secret = computer_dn("client"), PENDING.read_text().strip()
    ad.first.modify(client, **attributes)
    ad.set_password(client, secret)
    ad.first.modify(client, sAMAccountName="CLIENT$")


@pytest.mark.parametrize("name", ["CLIENT$", "RENAMED$"])
def test_another_number_and_salt(host, corp, name):
    """Of the keys that the KDC has: those in the file become the same."""
    before = corp.kvno(computer_dn("client"))
    host.configure(backend_corp={"timeout": "20s"})

    def meanwhile(reply):
        again(corp, sAMAccountName=name)
        return reply

    with Liar(relay(f"{corp.first.ip}:464", meanwhile)) as liar:
        passwords_at(liar.address)
        rotate(host)
    assert corp.kvno(computer_dn("client")) == before + 2
    assert keys(host) == {name: [before, before + 2] for name in NAMES}
    assert not PENDING.exists()
    lets_in(host, corp)
    corp.configure_host()
    rotate(host)
    lets_in(host, corp)


def test_many_names(host, corp):
    names = ["CLIENT$", "host/CLIENT", f"host/client.{samba.DNS}",
             *(f"HTTP/n{number}.{samba.DNS}" for number in range(14))]
    corp.keytab(KEYTAB, "client", MACHINE, principals=names)
    now = corp.kvno(computer_dn("client"))
    rotate(host)
    assert keys(host) == {(name, enctype): [now, now + 1] for name in names
                          for _, enctype in NAMES[:2]}


# ---- killed

# What changes a file, and what is sent.
CHANGES = {"fsync", "rename", "unlink", "fchmod", "fchown"}
SENDS = {"write", "writev", "sendto", "sendmsg"}


def calls(host):
    """The system calls of a rotation, from when it first writes: the name of
    each, how many of that name there were before it, and its line."""
    trace = RUN / "rotate.trace"
    subprocess.run(["strace", "-y", "-o", str(trace), "selfresetctl", "rotate",
                    "corp"], check=True, capture_output=True)
    count, found, has_begun = {}, [], False
    for line in trace.read_text().splitlines():
        name = line.partition("(")[0]
        count[name] = count.get(name, 0) + 1
        has_begun = has_begun or f"{PLACE}/" in line and "O_CREAT" in line
        if has_begun:
            found.append((name, count[name], line))
    return found


def inject(what, name, number):
    done = subprocess.run(
        ["strace", "-o", "/dev/null", "-e",
         f"inject={name}:{what}:when={number}", "selfresetctl", "rotate",
         "corp"], capture_output=True, text=True, check=False)
    return done.returncode


def kill_everywhere(host, ad):
    """At each call that changes a file or sends something, the next rotation
    being the one that finds what the last one has left: for that, it needs the
    identity as logins do.  The number of those that were killed."""
    killed = sent = 0
    for name, number, _ in calls(host):
        if name not in CHANGES | SENDS:
            continue
        sent += name in SENDS
        killed += inject("signal=KILL", name, number) != 0
        if name in CHANGES or sent % 8 == 1:
            lets_in(host, ad)
    rotate(host)
    lets_in(host, ad)
    return killed


def test_killed(host, corp):
    assert kill_everywhere(host, corp) > 20
    assert set(map(len, keys(host).values())) == {2}
    assert [path.name for path in PLACE.iterdir()] == [KEYTAB.name]


def fill_everywhere(host, ad):
    """No space at each write, and wherever else that can be said."""
    found = [(name, number) for name, number, line in calls(host)
             if name in {"write", "fsync", "rename"} and f"{PLACE}/" in line]
    assert len(found) > 3, found
    for name, number in found:
        code = inject("error=ENOSPC", name, number)
        assert code in (FAILED, PARTLY), (name, number, code)
        lets_in(host, ad)
    rotate(host)
    lets_in(host, ad)


def test_no_space_anywhere(host, corp):
    fill_everywhere(host, corp)
    assert [path.name for path in PLACE.iterdir()] == [KEYTAB.name]


# ---- a service account

def test_password(host, service):
    rotate(host)
    fresh = SECRET.read_text().strip()
    assert fresh != PASSWORD and len(fresh) > 40
    assert service.has_password(SERVICE, fresh)
    assert not service.has_password(SERVICE, PASSWORD)
    assert not FRESH.exists() and stat.S_IMODE(SECRET.stat().st_mode) == 0o600
    lets_in(host, service)
    text = str(host.log.all())
    assert fresh not in text and PASSWORD not in text


def test_password_refused(host, service):
    """The domain's minimum age holds for service accounts."""
    service.first.modify(samba.BASE, minPwdAge=-864000000000)
    try:
        assert "0000052D" in rotate(host, REFUSED)
    finally:
        service.first.modify(samba.BASE, minPwdAge=0)
    assert SECRET.read_text() == PASSWORD and not FRESH.exists()
    lets_in(host, service)


def test_password_changed_elsewhere(host, service):
    service.set_password(user_dn(SERVICE), "Other-Passw0rd-1")
    service.set_password(user_dn(SERVICE), "Other-Passw0rd-2")
    assert "SR-5004" in rotate(host, FAILED)
    assert SECRET.read_text() == PASSWORD and not FRESH.exists()
    done = log_in(host, service.someone)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", done
    assert "This computer" in done.said and CONTACT in done.said
    assert host.log.with_text("SR-5100") and host.log.with_text("SR-5004")


def test_password_disk_full(host, service):
    with full_disk():
        rotate(host, FAILED)
        assert SECRET.read_text() == PASSWORD
        lets_in(host, service)


def test_password_killed(host, service):
    assert kill_everywhere(host, service) > 10
    assert service.has_password(SERVICE, SECRET.read_text().strip())
    assert sorted(path.name for path in PLACE.iterdir()) == sorted(
        [KEYTAB.name, SECRET.name])


def test_password_no_space_anywhere(host, service):
    fill_everywhere(host, service)
    assert service.has_password(SERVICE, SECRET.read_text().strip())


def test_password_pending(host, service):
    """Another server may have the one that is left: it is set, not replaced,
    and stays where it is not known whether it is in use."""
    pending = "Pending-Passw0rd-1"
    service.first.modify(samba.BASE, minPwdAge=-864000000000)
    FRESH.write_text(pending)
    FRESH.chmod(0o600)
    try:
        assert "0000052D" in rotate(host, REFUSED)
    finally:
        service.first.modify(samba.BASE, minPwdAge=0)
    assert FRESH.read_text() == pending
    rotate(host)
    assert SECRET.read_text() == pending and not FRESH.exists()
    assert service.has_password(SERVICE, pending)


def test_password_pending_barred(host, service):
    """A bind is refused, for a reason that is given to the right password
    only."""
    pending = "Pending-Passw0rd-1"
    FRESH.write_text(pending)
    FRESH.chmod(0o600)
    service.set_password(user_dn(SERVICE), pending)
    service.first.modify(user_dn(SERVICE), pwdLastSet=0)
    rotate(host, FAILED)
    assert SECRET.read_text() == pending
    service.first.modify(user_dn(SERVICE), pwdLastSet=-1)
    rotate(host)
    lets_in(host, service)


def test_password_just_renamed(host, service):
    """The next password was there, and is in its place before it is read."""
    done = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "-P", str(FRESH), "-e",
         "inject=access,faccessat,faccessat2:retval=0:when=1", "selfresetctl",
         "check", "--backend", "corp"], capture_output=True, text=True, check=False)
    assert "secret.new" not in done.stdout + done.stderr, done
