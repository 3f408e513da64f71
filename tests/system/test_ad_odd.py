"""Accounts of Active Directory: names in other spellings, keys of AES only, weak
keys, KDCs that lie or go away, and callers that choose the environment.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import os
import socket
import struct
import threading

import pytest

import samba
from kerberos import Kdc
from samba import PASSWORD as OLD
from samba import computer_dn, user_dn
from scratch import ETC, RUN
from talk import PASSWORD, Talk
from test_ad import (MACHINE, NEW, PEER, ad, by_key, change, configure, corp,
                     forced, here, log_in, must_change, person, uid_of, wrong)
from test_ad_programs import Caller
from test_krb5 import LIES, Liar, framed, krb_error, relay
from test_krb5_check import WARNINGS, check

__all__ = ["ad", "corp"]
AES = "aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96"


# ---- names

@pytest.mark.parametrize("typed, known", [
    ("{}@example.test", "{}"),                   # sssd
    ("EXAMPLE\\{}", "EXAMPLE\\{}"),              # winbind
    ("{}@example.test", "{}@example.test")])     # sssd, full names
def test_typed_name(host, ad, typed, known):
    """What is typed and what the name service calls it, for one account."""
    configure(host, ad)
    with host.test_nss_module("spelling"):
        name = person(host, ad)
        typed, known = typed.format(name), known.format(name)
        ad.configure_host()
        host.nsswitch(passwd="spelling files", hosts="files dns")
        (RUN / "spellings").write_text(f"{typed}:{known}:{uid_of(name)}\n")
        done = log_in(host, typed)
        assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
        assert wrong(host, typed).codes == ["AUTH_ERR"]
        assert ad.first.bad_passwords(name) == 1
        done = host.drive("probe", typed, "chauthtok", answers=[OLD, NEW, NEW],
                          real_uid=uid_of(name))
        assert done.codes == ["SUCCESS"], (done, host.log.all())
        assert ad.has_password(name, NEW)
        must_change(ad, name)
        third = "third-Passw0rd-0f-them"
        done = forced(host, typed, NEW, third, third)
        assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
            done, host.log.all())
        assert log_in(host, typed, third).codes == ["SUCCESS", "SUCCESS"]


def test_qualified_names_only(host, ad):
    """sssd with ids of its own on a host that realmd has joined: the directory
    has no uid, and the name service no short name.  A name of another domain is
    another account."""
    configure(host, ad)
    with host.test_nss_module("spelling"):
        uid, other = uid_of(person(host, ad)) + 50000, 70001
        short = f"q{uid}"
        full, foreign = f"{short}@example.test", f"{short}@other.test"
        ad.user(short)
        ad.configure_host()
        host.nsswitch(passwd="spelling files", hosts="files dns")
        (RUN / "spellings").write_text(f"{full}:{full}:{uid}\n"
                                       f"{foreign}:{foreign}:{other}\n")
        done = log_in(host, full)
        assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
        assert wrong(host, full).codes == ["AUTH_ERR"]
        assert "SUCCESS" not in log_in(host, foreign).codes
        done = host.drive("probe", full, "chauthtok", answers=[OLD, NEW, NEW],
                          real_uid=uid)
        assert done.codes == ["SUCCESS"], (done, host.log.all())
        assert ad.has_password(short, NEW)
        ad.first.modify(user_dn(short), userAccountControl=514)
        assert by_key(host, full).codes != ["SUCCESS"], host.log.all()
        host.create_state_groups()
        host.publish()
        host.nsswitch(passwd="spelling files", group="files selfreset",
                      shadow="files selfreset", hosts="files dns")
        assert host.states(full) == {"acct-locked"}


def test_letters_of_other_cases(host, corp):
    """The directory finds a name in any case of letters that are not of ASCII,
    too, and name services make them small."""
    uid = uid_of(person(host, corp))
    name, known = f"J\u00d6RG{uid}", f"j\u00f6rg{uid}"
    corp.user(name, uidNumber=uid)
    host.add_elsewhere(known, uid)
    assert log_in(host, known).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert wrong(host, known).codes == ["AUTH_ERR"]
    assert corp.first.bad_passwords(name) == 1
    done = host.drive("probe", known, "chauthtok", answers=[OLD, NEW, NEW],
                      real_uid=uid)
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert log_in(host, known, NEW).codes == ["SUCCESS", "SUCCESS"]


# ---- names and keys in the keytab

def old_entries(ad, path, name, principals):
    """Entries of a password before."""
    return ad.keytab(path, name, "0ld-Machine-Secret", principals=principals,
                     kvno=ad.kvno(computer_dn(name))).read_bytes()


def join(*files):
    return files[0] + b"".join(data[2:] for data in files[1:])


# What the keytab has, and the event of the login that fails; "": it does not.
ENTRIES = {
    "short": ("{0}$ host/{0}", ""),
    "long": ("{0}$ host/{1}.example.test", ""),
    "no name in the directory": ("{0}$ host/{0}", ""),
    "stale NAME$": ("host/{0} host/{1}.example.test", ""),
    "stale host/NAME": ("{0}$ host/{1}.example.test", ""),
    "another realm first": ("{0}$ host/{0}", ""),
    "only NAME$": ("{0}$", "SR-5107"),
    "upper case": ("{0}$ HOST/{0}", "SR-5107"),
    "RC4 by default": ("{0}$ host/{0}", "SR-5108"),
}


@pytest.mark.parametrize("entries", ENTRIES)
def test_keytab(host, corp, entries):
    principals, event = ENTRIES[entries]
    name, own = person(host, corp), f"c{uid_of(person(host, corp))}"
    dn, path = corp.computer(own, MACHINE), RUN / "odd.keytab"
    short = own.upper()
    corp.keytab(path, own, MACHINE,
                principals=principals.format(short, own).split())
    if entries == "no name in the directory":
        corp.first.modify(dn, servicePrincipalName=f"RestrictedKrbHost/{own}")
    elif entries == "RC4 by default":
        corp.first.ldap("ldapmodify", input=f"dn: {dn}\nchangetype: modify\n"
                        "delete: msDS-SupportedEncryptionTypes\n")
    elif entries == "another realm first":
        good = path.read_bytes()
        path.write_bytes(join(good.replace(b"EXAMPLE.TEST", b"ANOTHER.TEST"),
                              good))
    elif entries.startswith("stale"):
        stale = "{0}$" if "$" in entries else "host/{0}"
        good = path.read_bytes()
        path.write_bytes(join(old_entries(corp, path, own,
                                          [stale.format(short)]), good))
    configure(host, corp, keytab=path)
    done = log_in(host, name)
    if event:
        assert done.codes[0] == "AUTHINFO_UNAVAIL", done
        assert "This computer" in done.said
        assert host.log.with_text(event), host.log.all()
    else:
        assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
        assert wrong(host, name).codes == ["AUTH_ERR"]
    if entries == "stale NAME$":
        assert corp.first.number_of(dn, "badPwdCount") <= 1
        code, _, text = check(host)
        assert code == WARNINGS and "SR-5105" in text, text


# ---- types of keys

def with_enctypes(text):
    conf = ETC / "krb5.conf"
    conf.write_text(conf.read_text().replace(
        "[libdefaults]\n", "[libdefaults]\nallow_weak_crypto = true\n"
        f"allow_rc4 = true\npermitted_enctypes = {text}\n"))


@pytest.mark.parametrize("fast", ["demand", "never"])
def test_aes_only(host, corp, fast):
    """Neither the host nor its users have or take another type."""
    name = person(host, corp, **{"msDS-SupportedEncryptionTypes": 24})
    with_enctypes(AES)
    configure(host, corp, fast=fast)
    must_change(corp, name)
    done = forced(host, name, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert log_in(host, name, NEW).codes == ["SUCCESS", "SUCCESS"]
    assert wrong(host, name).codes == ["AUTH_ERR"]
    assert by_key(host, name).codes == ["SUCCESS"]


def test_weak_seal(host, corp):
    """A directory is not read under a key of less than 128 bits."""
    corp.computer("weak", MACHINE, **{"msDS-SupportedEncryptionTypes": 4})
    name = person(host, corp)
    configure(host, corp, keytab=corp.keytab(
        RUN / "weak.keytab", "weak", MACHINE, enctypes=["arcfour-hmac"]))
    with_enctypes("arcfour-hmac")
    for done in (log_in(host, name), by_key(host, name)):
        assert set(done.codes) == {"AUTHINFO_UNAVAIL"}, done
    assert "less than 128" in str(host.log.all())
    assert corp.first.bad_passwords(name) == 0
    corp.first.delete(computer_dn("weak"))


# ---- controllers

@contextlib.contextmanager
def between(ad, port):
    """A port of another address leads to the controller's."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.12", port))
        server.listen()

        def pump(source, sink):
            with contextlib.suppress(OSError):
                while data := source.recv(1 << 16):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)

        def run():
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                there = socket.create_connection((ad.first.ip, port))
                for ends in ((peer, there), (there, peer)):
                    threading.Thread(target=pump, args=ends,
                                     daemon=True).start()

        threading.Thread(target=run, daemon=True).start()
        yield
        server.shutdown(socket.SHUT_RDWR)  # it is waited on


@pytest.fixture(scope="module")
def service(ad, the_host):
    """A service account, by which the directory is read without a ticket."""
    ad.user("reader")
    return user_dn("reader")


@pytest.fixture
def elsewhere(corp):
    """The controller has another address, by what this host knows."""
    text = (ETC / "hosts").read_text()
    (ETC / "hosts").write_text(f"127.0.0.12 {corp.first.name}\n" + text)
    (ETC / "krb5.conf").write_text(samba.krb5_conf("127.0.0.12"))
    with between(corp, 636):
        yield corp
    (ETC / "hosts").write_text(text)


@pytest.mark.parametrize("lie", ["truncated", "oversized", "rubbish"])
def test_lies(host, elsewhere, service, lie):
    """The directory tells the truth, and the KDC beside it does not."""
    name = person(host, elsewhere)
    secret = RUN / "secret"
    secret.write_text(OLD)
    secret.chmod(0o600)
    configure(host, elsewhere, identity="simple", secret_file=secret,
              bind_dn=service, timeout="3s")
    with Liar(LIES[lie], "127.0.0.12", 88) as liar:
        done = log_in(host, name)
        assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
        assert liar.heard
        assert by_key(host, name).codes == ["SUCCESS"], host.log.all()
    assert elsewhere.first.bad_passwords(name) == 0


def method_data(status):
    """The e-data of a KDC: PA-PW-SALT with a status (MS-KILE 2.2.2)."""
    value = struct.pack("<III", status, 0, 1)
    element = bytes([0xa1, 3, 2, 1, 3, 0xa2, len(value) + 2, 4,
                     len(value)]) + value
    return bytes([0x30, len(element) + 2, 0x30, len(element)]) + element


@pytest.mark.parametrize("code, status, want, told, alter", [
    (18, 0xC0000072, "ACCT_EXPIRED", "disabled", None),
    (18, None, "AUTH_ERR", "locked", None),
    # A bind is answered 531, wherever he may log in.
    (18, None, "AUTH_ERR", "locked", here),
    (1, None, "ACCT_EXPIRED", "ended", None),
    (12, 0xC000006E, "PERM_DENIED", "on this computer", None)])
def test_refused_by_the_kdc_alone(host, elsewhere, service, code, status, want,
                                  told, alter):
    """As by an authentication policy, or by a state that has come while the
    prompt was open: the directory lets him bind, and nobody logs in whom the
    KDC refuses."""
    name = person(host, elsewhere)
    if alter:
        alter(elsewhere, name)
    secret = RUN / "secret"
    secret.write_text(OLD)
    secret.chmod(0o600)
    configure(host, elsewhere, identity="simple", secret_file=secret,
              bind_dn=service, timeout="3s", fast="never")
    answer = krb_error(code, b"" if status is None else method_data(status))
    with Liar(framed(answer), "127.0.0.12", 88) as liar:
        done = host.drive("probe", name, "auth", answers=[OLD], rhost=PEER)
        assert done.codes == [want], (done, host.log.all())
        assert told in done.said and (told or done.said == ""), done
        assert liar.heard
        done = wrong(host, name)
        assert done.codes == ["AUTH_ERR"] and done.said == "", done


def test_keys_of_the_domain_are_changed_twice(host, corp):
    """Armour that was kept is under a key that the KDC has no more."""
    name = person(host, corp)
    assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]
    for number in range(3):
        corp.set_password(f"CN=krbtgt,{samba.USERS}", f"Krbtgt-{number}-key")
        done = log_in(host, name)
        assert done.codes == ["SUCCESS", "SUCCESS"], (number, host.log.all())


def test_stopped_between_change_and_proof(host, corp):
    """The server for passwords has said that it is changed, or has not: that is
    what the user is told, and the next login finds out."""
    for answers in (True, False):
        name = person(host, corp)

        def stop(reply):
            corp.first.pause()
            return reply if answers else None

        with Liar(relay(f"{corp.first.ip}:464", stop)) as liar:
            (ETC / "krb5.conf").write_text(
                samba.krb5_conf(corp.first.ip).replace(
                    f"kpasswd_server = {corp.first.ip}",
                    f"kpasswd_server = {liar.address}"))
            configure(host, corp, timeout="5s")
            done = change(host, name, OLD, NEW, NEW)
        corp.first.resume()
        if answers:
            assert done.codes == ["SUCCESS"], (done, host.log.all())
        else:
            assert done.codes == ["AUTHTOK_ERR"], (done, host.log.all())
            assert "may or may not have been changed" in done.said, done
        corp.configure_host()
        assert log_in(host, name, NEW).codes == ["SUCCESS", "SUCCESS"]


# ---- callers who choose the environment

@pytest.mark.parametrize("program", ["su", "passwd"])
def test_environment(host, corp, program):
    """The caller names another realm's KDC, another keytab, and a cache."""
    bob, name = host.add("bob"), person(host, corp)
    conf = (ETC / "krb5.conf").read_text()
    false = Kdc(host)
    keytab = false.keytab("own.keytab", f"host/client.{samba.DNS}")
    (ETC / "krb5.conf").write_text(conf)
    keytab.chmod(0o644)
    for path in (false.dir, keytab, false.dir / "krb5.conf"):
        os.chown(path, bob.uid, bob.uid)
    cache, trace = RUN / "of-the-caller", RUN / "trace"
    env = {**os.environ, "KRB5_CONFIG": str(false.dir / "krb5.conf"),
           "KRB5_KTNAME": f"FILE:{keytab}", "KRB5CCNAME": f"FILE:{cache}",
           "KRB5_TRACE": str(trace), "LDAPCONF": "/nonexistent",
           "LDAPTLS_CACERT": "/nonexistent"}
    mark = len(false.requests())
    if program == "su":
        with Talk(["su", name, "-c", "echo in as $(id -un)"], user=bob,
                  env=env) as talk:
            talk.answer(PASSWORD, OLD)
            assert f"in as {name}" in talk.rest(), host.log.all()
    else:
        with Talk(["passwd"], user=Caller(name), env=env) as talk:
            talk.change(NEW, OLD)
        assert corp.has_password(name, NEW)
    assert false.requests()[mark:] == "", "the caller's KDC was asked"
    assert not cache.exists() and not trace.exists()
    false.stop()
