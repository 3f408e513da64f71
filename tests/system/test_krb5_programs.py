"""sshd, login, su and passwd for accounts whose password a KDC knows; callers
who choose the environment; where passwords are left.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import glob
import os
import shutil
import subprocess

import pytest

import kerberos
from kerberos import Kdc
from scratch import CONTACT, ETC, RUN
from talk import AGAIN, PASSWORD, Talk
from talk import NEW as NEW_PROMPT
from test_identity import NameServer, srv
from test_krb5 import (HOST, NEW, OLD, PEER, STATES, UID, Liar, configure, kdc,
                       log_in, relay, serve)
from test_programs import root_may
from test_secrets import core_of, tail

__all__ = ["kdc"]
WHO = "echo in as $(id -un)"
FRESH = "this one will be found by its end: Zk3-of-the-new"


class Ann:
    """As a program's caller."""
    name, uid = "ann", UID


def in_state(host, realm, name, **config):
    serve(host, realm, **config)
    if STATES[name][0]:
        realm.modify("ann", *STATES[name][0])


def ssh(host, *command, **options):
    return Talk(host.ssh_command("ann", *command, **options))


# ---- sshd

@pytest.mark.parametrize("method", ["keyboard-interactive", "password"])
def test_sshd(host, kdc, method):
    in_state(host, kdc, "expiring")
    with ssh(host, WHO, method=method) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert "in as ann" in shown and "expires in" in shown
    with ssh(host, WHO, method=method) as talk:
        talk.answer(PASSWORD, "no")
        assert "in as ann" not in talk.rest()
    assert kdc.failures("ann") == 1


@pytest.mark.parametrize("name", ["expired", "must-change"])
def test_sshd_forced_change(host, kdc, name):
    """With a refusal by the server in the same dialogue."""
    kdc.kadmin("addpol", "-minlength", "18", "rules")
    serve(host, kdc, "-policy", "rules")
    kdc.modify("ann", *STATES[name][0])
    with ssh(host, WHO) as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW_PROMPT, "Sh0rt-Passw0rd-17")
        talk.answer(AGAIN, "Sh0rt-Passw0rd-17")
        assert "at least 18 characters" in talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        assert "in as ann" in talk.rest()
    assert kdc.has_password("ann", NEW)


# What a login by key comes to, and a word of what is said.
BY_KEY = {
    "ok": (True, ""), "expiring": (True, ""), "disabled": (False, "locked"),
    "ended": (False, "ended"), "expired": (False, "expired"),
    "must-change": (False, "expired"),
}


@pytest.mark.parametrize("name", BY_KEY)
def test_sshd_by_key(host, kdc, name):
    is_in, word = BY_KEY[name]
    in_state(host, kdc, name)
    host.give_key("ann")
    with ssh(host, WHO, method="publickey") as talk:
        shown = talk.rest()
    assert ("in as ann" in shown) == is_in, shown
    assert word in shown


def test_sshd_by_key_without_a_kdc(host, kdc):
    serve(host, kdc, timeout="1s")
    host.give_key("ann")
    kdc.stop()
    with ssh(host, WHO, method="publickey") as talk:
        shown = talk.rest()
    assert "in as ann" not in shown and CONTACT in shown


def test_sshd_host_trouble(host, kdc):
    serve(host, kdc, keytab=False)
    (ETC / "krb5.keytab").unlink(missing_ok=True)
    with ssh(host, WHO) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert "This computer" in shown and CONTACT in shown


# ---- login, su, passwd

def test_login(host, kdc):
    in_state(host, kdc, "must-change")
    with Talk(["login", "ann"]) as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as ann" in talk.change(NEW)
    assert kdc.has_password("ann", NEW)


@pytest.mark.parametrize("name", ["disabled", "ended"])
def test_login_refused(host, kdc, name):
    """Without a word of the state."""
    in_state(host, kdc, name)
    with Talk(["login", "ann"]) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.until("(?i)incorrect")
    assert "locked" not in shown and "ended" not in shown


def test_su(host, kdc):
    bob = host.add("bob")
    in_state(host, kdc, "expired")
    with Talk(["su", "ann", "-c", WHO], user=bob) as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as ann" in talk.change(NEW)
    assert kdc.has_password("ann", NEW)


def test_su_by_root(host, kdc):
    in_state(host, kdc, "disabled")
    root_may(host, "su")
    with Talk(["su", "ann", "-c", WHO]) as talk:
        assert "locked" in talk.rest()


def test_passwd(host, kdc):
    serve(host, kdc)
    with Talk(["passwd"], user=Ann) as talk:
        shown = talk.change(NEW, OLD)
        assert talk.status == 0, shown
    assert kdc.has_password("ann", NEW)


def test_passwd_by_root(host, kdc):
    serve(host, kdc)
    with Talk(["passwd", "ann"]) as talk:
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        assert CONTACT in talk.rest()
        assert talk.status != 0
    assert kdc.has_password("ann", OLD)


# ---- callers who choose the environment

@pytest.mark.parametrize("program", ["su", "passwd"])
def test_environment(host, kdc, program):
    """The caller names another realm's KDC, another keytab, and a cache."""
    bob = host.add("bob")
    serve(host, kdc)
    false = Kdc(host)
    false.principal("ann", "stranger's own")
    keytab = false.keytab("own.keytab", HOST)
    keytab.chmod(0o644)
    for path in (false.dir, keytab, false.dir / "krb5.conf"):
        os.chown(path, bob.uid, bob.uid)
    kerberos.configure(kdc.address, kpasswd=kdc.kpasswd)
    cache, trace = RUN / "of-the-caller", RUN / "trace"
    env = {**os.environ, "KRB5_CONFIG": str(false.dir / "krb5.conf"),
           "KRB5_KTNAME": f"FILE:{keytab}", "KRB5CCNAME": f"FILE:{cache}",
           "KRB5_TRACE": str(trace), "KRB5RCACHENAME": "none:"}
    mark = len(false.requests())
    if program == "su":
        with Talk(["su", "ann", "-c", WHO], user=bob, env=env) as talk:
            talk.answer(PASSWORD, "stranger's own")
            assert "in as ann" not in talk.rest()
        with Talk(["su", "ann", "-c", WHO], user=bob, env=env) as talk:
            talk.answer(PASSWORD, OLD)
            assert "in as ann" in talk.rest()
    else:
        with Talk(["passwd"], user=Ann, env=env) as talk:
            talk.change(NEW, OLD)
        assert kdc.has_password("ann", NEW)
    assert false.requests()[mark:] == "", "the caller's KDC was asked"
    assert not cache.exists() and not trace.exists()


@pytest.fixture
def locator():
    """A locator plugin that sends libkrb5 to a port, where those of sssd and
    winbind are installed: what is called has the port's number."""
    places = glob.glob("/usr/lib*/krb5/plugins/libkrb5") + \
        glob.glob("/usr/lib/*/krb5/plugins/libkrb5")
    if not places:
        pytest.skip("there is no directory for plugins")
    directory = RUN / "locator"
    directory.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", directory, places[0]], check=True)

    def install(port):
        source = directory / "locator.c"
        source.write_text(LOCATOR.replace("PORT", str(port)))
        subprocess.run(["cc", "-shared", "-fPIC", "-o",
                        directory / "locator.so", source], check=True)

    yield install
    subprocess.run(["umount", places[0]], check=True)
    shutil.rmtree(directory)


def test_locator_plugin_is_not_asked(host, kdc, locator):
    """Where it sends libkrb5 nobody answers."""
    serve(host, kdc)
    with Liar(b"") as liar:
        locator(int(liar.address.rsplit(":", 1)[1]))
        # The plugin works: libkrb5 itself follows it.
        assert not kdc.has_password("ann", OLD) and liar.connected
        before = liar.connected
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
        assert liar.connected == before


LOCATOR = r"""
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <krb5/locate_plugin.h>
static krb5_error_code init(krb5_context context, void **data)
{ (void)context; *data = 0; return 0; }
static void fini(void *data) { (void)data; }
static krb5_error_code
lookup(void *data, enum locate_service_type service, const char *realm,
       int type, int family, int (*add)(void *, int, struct sockaddr *),
       void *context)
{
    struct sockaddr_in address;

    (void)data; (void)realm; (void)family;
    if (service != locate_service_kdc)
        return KRB5_PLUGIN_NO_HANDLE;
    memset(&address, 0, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_port = htons(PORT);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    add(context, SOCK_STREAM, (struct sockaddr *)&address);
    return 0;
}
const krb5plugin_service_locate_ftable service_locator =
    { 0, init, fini, lookup };
"""


def test_environment_of_the_process(host, kdc):
    """Nor does it matter in a process that is not set-user-ID."""
    serve(host, kdc)
    false = Kdc(host)
    kerberos.configure(kdc.address, kpasswd=kdc.kpasswd)
    trace = RUN / "trace"
    done = host.drive("probe", "ann",
                      f"env:KRB5_CONFIG={false.dir / 'krb5.conf'}",
                      "env:KRB5_KTNAME=FILE:/nonexistent",
                      f"env:KRB5_TRACE={trace}", "auth", "acct",
                      answers=[OLD], rhost=PEER)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert not trace.exists()


# ---- KDCs by DNS

def test_kdc_by_dns(host, kdc):
    serve(host, kdc)
    kerberos.configure()
    with NameServer(srv(f"_kerberos._tcp.{kerberos.REALM}", kdc.port)):
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()


def test_kdc_by_dns_among_others(host, kdc):
    """One that is named twenty times is one; no service, no port."""
    serve(host, kdc)
    kerberos.configure()
    others = [(0, 1, "localhost")] * 20 + [(0, 0, "localhost"), (0, 88, ".")]
    with NameServer(srv(f"_kerberos._tcp.{kerberos.REALM}", *others,
                        (5, kdc.port, "localhost"))):
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    # One that has no address of version 4.
    with open(ETC / "hosts", "a", encoding="ascii") as out:
        out.write("::1 six\n")
    with Liar(relay(kdc.address), ip="::1") as six:
        port = six.socket.getsockname()[1]
        with NameServer(srv(f"_kerberos._tcp.{kerberos.REALM}",
                            (0, port, "six"))):
            done = log_in(host)
        assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
        assert six.heard


def test_kpasswd_by_dns(host, kdc):
    serve(host, kdc)
    kerberos.configure(kdc.address)
    with NameServer(srv(f"_kpasswd._tcp.{kerberos.REALM}", kdc.kpasswd_port)):
        done = host.drive("probe", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                          real_uid=UID)
    assert done.codes == ["SUCCESS"], (done, host.log.all())


@pytest.mark.parametrize("answer", ["empty", "wrong", "silent"])
def test_dns_without_kdc(host, kdc, answer):
    serve(host, kdc, timeout="2s")
    kerberos.configure()
    says = {"empty": srv("_kerberos._tcp.OTHER.ORG", 1),
            "wrong": srv(f"_kerberos._tcp.{kerberos.REALM}", 1),
            "silent": None}[answer]
    with NameServer(says):
        done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", done
    assert all(time < 5e9 for time in done.times), done.times


# ---- secrets

def test_memory(host, kdc):
    serve(host, kdc)
    for password, marker in ((OLD, OLD), ("of a wrong one: Wj5-of-a-wrong",
                                          "Wj5-of-a-wrong")):
        done = host.drive("probe", "ann", "auth", "acct", "cred", "open",
                          "search", answers=[password], rhost=PEER,
                          find=tail(marker))
        assert done.rest("searched") == ["clean"], done


def test_memory_after_a_change(host, kdc):
    serve(host, kdc)
    kdc.modify("ann", "+needchange")
    for marker in (OLD, FRESH):
        kdc.kadmin("cpw", "-pw", OLD, "ann")
        kdc.modify("ann", "+needchange")
        done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                          "search", answers=[OLD, FRESH, FRESH],
                          find=tail(marker))
        assert done.codes[-1] == "SUCCESS", done
        assert done.rest("searched") == ["clean"], done


def test_core(host, kdc):
    serve(host, kdc)
    kdc.modify("ann", "+needchange")
    process = subprocess.Popen(
        host.drive_command("probe", "ann", "auth", "acct", "change-expired",
                           "pause", answers=[OLD, FRESH, FRESH]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("paused"):
            break
    core = core_of(process.pid)
    process.stdin.close()
    process.wait()
    assert b"pam_selfreset" in core
    assert tail(OLD).encode() not in core
    assert tail(FRESH).encode() not in core
    text = host.log.all()
    assert all(OLD not in str(line) and FRESH not in str(line)
               for line in text)
