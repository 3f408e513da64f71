"""Callers of set-user-ID programs, who choose the environment, the home and the
working directory that libldap would look at: it reads none of them.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import shutil

import pytest

import directory
from directory import CERTS, RUN, certificate, dn_of
from middle import Fake
from scratch import CONTACT, ETC
from talk import AGAIN, CURRENT, Talk
from talk import NEW as NEW_PROMPT
from test_ldap import NEW, OLD, UID, configure, serve

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

HOME = RUN / "hostile"
WHO = "echo in as $(id -un)"
PROGRAMS = ["su", "sudo", "passwd"]


class Ann:
    """As a program's caller."""
    uid = UID


def environment(**options):
    """All the ways to say an option of libldap: files in the home and in the
    working directory, files that are named, and variables."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    rules = "".join(f"{key} {value}\n" for key, value in options.items())
    for name in (".ldaprc", "ldaprc", "ldap.conf", "evil", ".evil"):
        (HOME / name).write_text(rules)
    for path in (HOME, *HOME.iterdir()):
        os.chmod(path, 0o777)
        os.chown(path, UID, UID)
    named = {"HOME": str(HOME), "LDAPCONF": str(HOME / "ldap.conf"),
             "LDAPRC": "evil", "PATH": os.environ["PATH"], "TERM": "dumb"}
    return {**named, **{f"LDAP{key}": str(value)
                        for key, value in options.items()}}


def run(host, program, env):
    """Use it as its caller would; the answer is all that is shown.  For su the
    caller is another user."""
    if program == "sudo":
        (ETC / "sudoers").write_text((ETC / "sudoers").read_text() +
                                     "ann ALL=(ALL) ALL\n")
    command = {"su": ["su", "ann", "-c", WHO],
               "sudo": ["sudo", "-k", "sh", "-c", WHO],
               "passwd": ["passwd"]}[program]
    caller = host.add("bob", "a local password") if program == "su" else Ann
    with Talk(["env", "-C", HOME, *command], user=caller, env=env) as talk:
        try:
            if program == "passwd":
                talk.answer(CURRENT, OLD)
                talk.answer(NEW_PROMPT, NEW)
                talk.answer(AGAIN, NEW)
            else:
                for _ in range(3):  # as often as sudo asks
                    talk.answer("(?i)password[^:]*: ", OLD)
        except AssertionError:  # it ended before
            pass
        talk.rest()
        return talk.seen


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("level", ["never", "allow", "try"])
def test_bad_certificate_stays_bad(host, program, level):
    """Whatever the caller would accept, and trust."""
    certificate("good")
    server = serve(host, server={
        "certificate_file": certificate("stranger", ca="other-ca")})
    configure(host, server.uri, ca_file=CERTS / "ca.pem", timeout="3s")
    mark = server.mark()
    shown = run(host, program, environment(
        TLS_REQCERT=level, TLS_CACERT=CERTS / "other-ca.pem",
        TLS_CACERTDIR=CERTS, TLS_REQSAN="never"))
    # sudo has no sentence of ours when the account cannot be asked.
    assert CONTACT in shown or program == "sudo", shown
    assert "in as" not in shown
    assert server.count(mark).binds == 0
    assert not server.lets_in(dn_of("ann"), NEW)


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_in_the_way(host, program):
    """And of what would do harm nothing does."""
    server = serve(host, server={"certificate_file": certificate("good")})
    with Fake({"dn": dn_of("ann")}) as elsewhere:
        configure(host, server.uri, ca_file=CERTS / "ca.pem")
        shown = run(host, program, environment(
            URI=elsewhere.uri, HOST="127.0.0.1", PORT=elsewhere.port,
            BASE="dc=elsewhere", BINDDN="cn=elsewhere", TLS_CACERT=HOME / "no",
            TLS_CERT=HOME / "no", TLS_KEY=HOME / "no", TLS_CIPHER_SUITE="none",
            TLS_PROTOCOL_MIN="9.9", TLS_CRLCHECK="all", SIZELIMIT=1,
            TIMELIMIT=1, TIMEOUT=1, NETWORK_TIMEOUT=1, DEREF="always",
            REFERRALS="on", SASL_MECH="PLAIN", SASL_SECPROPS="minssf=256",
            KEEPALIVE_IDLE=1, SOCKET_BIND_ADDRESSES="192.0.2.1"))
        assert elsewhere.seen == []
    if program == "passwd":
        assert server.lets_in(dn_of("ann"), NEW), shown
    else:
        assert "in as" in shown.replace(WHO, ""), shown
    assert "dc=elsewhere" not in server.lines()


@pytest.mark.parametrize("program", ["sudo", "passwd", "daemon"])
def test_library_of_the_caller_is_not_loaded(host, program):
    """SASL_PATH names a directory of plugins, which libsasl2 would load into a
    process whose real user is root, of whose environment root knows nothing."""
    server = serve(host)
    plugins = HOME / "plugins"
    env = environment(TLS_REQCERT="never")
    plugins.mkdir()
    host.run("cc", "-shared", "-fPIC", "-o", plugins / "libevil.so", "-x", "c",
             "-", input="#include <fcntl.h>\n__attribute__((constructor)) "
             "static void evil(void) "
             f'{{ open("{HOME}/loaded", O_CREAT | O_WRONLY, 0600); }}\n')
    assert (plugins / "libevil.so").exists()
    if program == "daemon":
        done = host.drive("probe", "ann", f"env:SASL_PATH={plugins}", "auth",
                          answers=[OLD])
        assert done.codes == ["SUCCESS"], done
    else:
        shown = run(host, program, {**env, "SASL_PATH": str(plugins)})
        assert "in as" in shown or server.lets_in(dn_of("ann"), NEW), shown
    assert not (HOME / "loaded").exists()
