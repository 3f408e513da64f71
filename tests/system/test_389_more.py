"""A 389 Directory Server over TLS, and its policies for a subtree and for one
user.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import signal
import subprocess

import pytest

import directory389
from directory import (BASE, CERTS, PEOPLE, certificate, dn_of, free_port,
                       openssl, stamp, user)
from directory389 import EPOCH, POLICY_ACI, DirectoryServer
from middle import Middle, Wire, cut_after, refuse, stop
from scratch import CONTACT, wait_until
from talk import AGAIN, PASSWORD
from talk import NEW as NEW_PROMPT
from test_389 import AGES, DEMANDS, LOCKS, STATES, give, state
from test_ldap import (DAY, NEW, OLD, UID, change, configure, drive,
                       log_in, ssh)

pytestmark = pytest.mark.skipif(not directory389.have_server(),
                                reason="389-ds-base is not installed")

ANN = dn_of("ann")
OTHER = "seven boats on the river"
COS = f"cn=policy of the subtree,{PEOPLE}"
TEMPLATE = f"cn=template,{BASE}"


class Secure(DirectoryServer):
    """With a database of certificates of its own, and a port for TLS."""

    def write_config(self):
        super().write_config()
        etc, good = self.dir / "etc", certificate("good")
        self.tls_port = free_port()
        openssl("pkcs12", "-export", "-in", good, "-inkey",
                good.with_suffix(".key"), "-name", "Server-Cert", "-out",
                f"{etc}/server.p12", "-passout", "pass:")
        for command in (["certutil", "-N", "--empty-password"],
                        ["pk12util", "-i", etc / "server.p12", "-W", ""],
                        ["certutil", "-A", "-n", "ca", "-t", "CT,,", "-i",
                         CERTS / "ca.pem"]):
            subprocess.run([*command, "-d", etc], check=True,
                           capture_output=True)
        text = (etc / "dse.ldif").read_text()
        (etc / "dse.ldif").write_text(text.replace(
            "nsslapd-localuser", "nsslapd-security: on\n"
            f"nsslapd-securePort: {self.tls_port}\n"
            "nsslapd-securelistenhost: 127.0.0.1\nnsslapd-localuser", 1))

    def ways(self):
        return {"ldaps": f"ldaps://localhost:{self.tls_port}",
                "starttls": f"ldap://localhost:{self.port}"}

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def the_server():
    server = Secure()
    yield server
    server.stop()


@pytest.fixture
def server(the_server, host):
    """It has no entries yet, and its policies demand nothing."""
    for dn in (COS, TEMPLATE, *(f"cn={name},{BASE}" for name in (
            "for-ann", "for-all"))):
        the_server.client("ldapdelete", dn, check=False)
    the_server.fresh()
    configure(host, the_server, default_policy="cn=config")
    host.add_elsewhere("ann", UID)
    return the_server


# ---- TLS

tls = pytest.mark.parametrize("way", ["ldaps", "starttls"])


def over(host, server, way, **more):
    configure(host, server.ways()[way], default_policy="cn=config",
              ca_file=CERTS / "ca.pem", **more)


@tls
def test_over_tls(host, server, way):
    """The states and a change: all that the plain port refuses."""
    give(server, {**AGES, "passwordGraceLimit": 2},
         passwordExpirationTime=stamp(3600))
    over(host, server, way)
    mark = server.mark()
    done = log_in(host)
    assert done.codes == ["SUCCESS", "SUCCESS"], (done, host.log.all())
    assert "1 more" in done.said
    done = change(host, OLD, NEW, NEW, forced=True)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert server.lets_in(ANN, NEW) and not server.lets_in(ANN, OLD)
    assert change(host, NEW, OTHER, OTHER).codes == ["SUCCESS"]
    assert " TLS1." in server.lines(mark)
    # One connection for each.
    assert server.lines(mark).count("SSL connection from" if way == "ldaps"
                                    else 'op=0 EXT oid="1.3.6.1.4.1.1466') == 3


@tls
def test_untrusted_over_tls(host, server, way):
    give(server)
    over(host, server, way)
    host.configure(backend_corp={"ca_file": certificate("stranger",
                                                        ca="other-ca")})
    mark = server.mark()
    done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL" and CONTACT in done.said
    assert host.log.with_text("certificate")
    assert " BIND " not in server.lines(mark)


def test_stopped_in_the_handshake(host, server):
    give(server)
    with Wire(server, server.tls_port, 1) as way:
        configure(host, way.uri.replace("ldap:", "ldaps:"), timeout="1s",
                  ca_file=CERTS / "ca.pem", default_policy="cn=config")
        done = log_in(host)
        server.resume()
    assert done.codes[0] == "AUTHINFO_UNAVAIL"
    assert 0.8e9 < done.times[0] < 3e9


# ---- policies that are local

def policy(server, name, **values):
    """An entry of a policy; the answer is its DN."""
    dn = f"cn={name},{BASE}"
    server.add({"dn": dn, "cn": name, "passwordMinCategories": 1,
                "objectClass": ["ldapsubentry", "passwordPolicy"], **values})
    return dn


def for_user(server, **values):
    server.replace(ANN, pwdPolicySubentry=policy(server, "for-ann", **values))


def for_subtree(server, **values):
    """By the means that 389 has for it: an attribute that every entry below
    has without its being written there."""
    dn = policy(server, "for-all", **values)
    server.add({"dn": TEMPLATE, "cn": "template", "cosPriority": 1,
                "objectClass": ["extensibleObject", "costemplate",
                                "ldapsubentry"], "pwdPolicySubentry": dn},
               {"dn": COS, "cn": "policy of the subtree",
                "objectClass": ["ldapsubentry", "cosSuperDefinition",
                                "cosPointerDefinition"],
                "cosTemplateDn": TEMPLATE,
                "cosAttribute":
                "pwdPolicySubentry default operational-default"})


def give_local(server, kind, reset=False, entry=None, **values):
    give(server)
    server.policy(aci=POLICY_ACI)
    for_user(server, **values) if kind == "user" else for_subtree(server,
                                                                  **values)
    if reset:
        server.replace(ANN, userPassword=OLD)
    if entry:
        server.replace(ANN, **entry)


kinds = pytest.mark.parametrize("kind", ["user", "subtree"])


@kinds
def test_rules_are_shown(host, server, kind):
    """Those of the local policy, before the prompt; and the server holds to
    them."""
    give_local(server, kind, passwordCheckSyntax="on", passwordMinLength=24,
               passwordHistory="on", passwordInHistory=3)
    with drive(host, "probe", "ann", "chauthtok", real_uid=UID) as talk:
        talk.answer("Current", OLD)
        shown = talk.answer(NEW_PROMPT, NEW[:20])
        assert "at least 24 characters" in shown
        assert "none of the last 3" in shown
        talk.answer(AGAIN, NEW[:20])
        shown = talk.answer(NEW_PROMPT, NEW)
        assert "The directory" in shown and "2 tries left" in shown
        talk.answer(AGAIN, NEW)
        assert "SUCCESS" in talk.rest()
    assert server.lets_in(ANN, NEW)


def test_user_goes_before_subtree(host, server):
    give_local(server, "subtree", passwordCheckSyntax="on",
               passwordMinLength=24)
    for_user(server, passwordCheckSyntax="on", passwordMinLength=17)
    done = change(host, OLD, NEW[:20], NEW[:20])
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert "at least 17 characters" in done.said
    assert "at least 24 characters" not in done.said


def test_global_one_does_not_count_then(host, server):
    """Neither its ages nor its rules."""
    give_local(server, "user", passwordExp="off")
    server.policy(passwordExp="on", passwordMinLength=40,
                  passwordCheckSyntax="on", aci=POLICY_ACI)
    server.replace(ANN, passwordExpirationTime=stamp(3600))
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["SUCCESS"] and "40" not in done.said, done


# The policy, the attributes, whether the password was reset, the state that the
# entry and the policy tell, the answers of a login, a word.
LOCAL = {
    "expiring": ({**AGES, "passwordWarning": 5 * DAY},
                 {"passwordExpirationTime": stamp(-4 * DAY)}, False,
                 "expiring", ["SUCCESS", "SUCCESS"], "expires in"),
    "not-yet": ({**AGES, "passwordWarning": DAY},
                {"passwordExpirationTime": stamp(-4 * DAY)}, False,
                "ok", ["SUCCESS", "SUCCESS"], None),
    "expired": (AGES, {"passwordExpirationTime": stamp(3600)}, False,
                "expired", ["SUCCESS", "NEW_AUTHTOK_REQD"], "expired"),
    "grace": ({**AGES, "passwordGraceLimit": 3},
              {"passwordExpirationTime": stamp(3600)}, False,
              "grace", ["SUCCESS", "SUCCESS"], "2 more"),
    "must-change": (DEMANDS, {}, True, "must-change",
                    ["SUCCESS", "NEW_AUTHTOK_REQD"], "has to be changed"),
    "locked": (LOCKS, {"accountUnlockTime": stamp(-7200),
                       "passwordRetryCount": 3}, False,
               "locked", ["AUTH_ERR", "PERM_DENIED"], ""),
    "locked-for-good": ({**LOCKS, "passwordUnlock": "off"},
                        {"accountUnlockTime": EPOCH, "passwordRetryCount": 3},
                        False, "locked", ["AUTH_ERR", "PERM_DENIED"], ""),
}


@kinds
@pytest.mark.parametrize("name", LOCAL)
def test_states(host, server, name, kind):
    values, entry, reset, known, codes, word = LOCAL[name]
    give_local(server, kind, reset, entry, **values)
    assert state(host) == known, host.run("selfresetctl", "status", "ann")
    done = log_in(host)
    assert done.codes == codes, (done, host.log.all())
    if word is None:
        assert done.said == ""
    else:
        assert word in done.said, done


# ---- what a warning moves

def test_first_warning_moves_the_end(host, server):
    """To a whole period of warning from then on; what is said is what holds."""
    give(server, {**AGES, "passwordWarning": 10 * DAY}, readable=True,
         passwordExpirationTime=stamp(-7000))
    assert "hour" in host.drive("probe", "ann", "acct").said
    done = log_in(host)
    alone = host.drive("probe", "ann", "acct")
    for shown in (done.said, alone.said):
        assert "10 days" in shown or "9 days" in shown, shown


# ---- changes that are cut or come too late

@pytest.mark.parametrize("form", ["operation", "values"])
def test_wrong_old_password(host, server, form):
    """It was changed meanwhile: 49, or 16 for values, and no control."""
    give(server)
    with Middle(server, {"extended": refuse(2)}) as way:
        if form == "values":
            configure(host, way.uri, insecure="yes", default_policy="cn=config")
        with drive(host, "probe", "ann", "chauthtok", real_uid=UID) as talk:
            talk.answer("Current", OLD)
            talk.answer(NEW_PROMPT, NEW)
            talk.until(AGAIN)
            server.replace(ANN, userPassword=OTHER)
            talk.type(NEW)
            shown = talk.rest()
    assert "current password is not right" in shown, shown
    assert server.lets_in(ANN, OTHER) and not server.lets_in(ANN, NEW)


def test_cut_behind_the_change(host, server):
    """389 has the operation over a safe way only, which one in the middle is
    not: so the change is one by values, behind the question whether the server
    takes any."""
    give(server, DEMANDS, reset=True)
    with Middle(server, {"extended": refuse(2, "no such operation"),
                         "modify 2": cut_after}) as way:
        configure(host, way.uri, insecure="yes", timeout="1s",
                  default_policy="cn=config")
        done = change(host, OLD, NEW, NEW, forced=True)
    assert done.code == "AUTHTOK_ERR" and "may or may not" in done.said, done
    assert server.lets_in(ANN, NEW)


@pytest.mark.parametrize("case, policy_of, fresh, word", [
    ("good", {}, NEW, "changed"),
    ("too-short", {"passwordCheckSyntax": "on", "passwordMinLength": 40}, NEW,
     "The directory"),
    ("in-history", {"passwordHistory": "on"}, OLD, "different from")])
def test_by_values(host, server, case, policy_of, fresh, word):
    """The form for servers without the operation, as 389 answers it."""
    give(server, {**policy_of, **DEMANDS}, reset=True)
    with Middle(server, {"extended": refuse(2, "no such operation")}) as way:
        configure(host, way.uri, insecure="yes", default_policy="cn=config")
        done = change(host, OLD, *[fresh, fresh] * 3, forced=True)
    assert word in done.said, (done, host.log.all())
    assert server.lets_in(ANN, NEW) == (case == "good")
    assert server.lets_in(ANN, OLD) == (case != "good")


def test_stopped_at_the_change(host, server):
    give(server, DEMANDS, reset=True)
    with Middle(server, {"extended": refuse(2), "modify 2": stop}) as way:
        configure(host, way.uri, insecure="yes", timeout="1s",
                  default_policy="cn=config")
        done = change(host, OLD, NEW, NEW, forced=True)
        server.resume()
    assert done.code == "AUTHTOK_ERR" and "may or may not" in done.said, done
    assert done.times[2] < 3e9
    wait_until(lambda: server.lets_in(ANN, NEW), what="the change")


# ---- over a real sshd

# By the name of the state in test_389: what is read by a key, and whether that
# lets in.
SHOWN = {
    "expiring": ("expires in", True), "grace": ("more times", True),
    "expired": ("has expired", False),
    "must-change": ("has to be changed", False),
    "locked": ("locked", False), "inactivated": ("disabled", False),
    "temporary-over": ("temporary", False),
}


@pytest.mark.parametrize("how", ["key", "password"])
@pytest.mark.parametrize("name", SHOWN)
def test_sshd(host, server, name, how):
    word, is_in = SHOWN[name]
    values, entry, reset, *_ = STATES[name]
    give(server, values, readable=True, reset=reset, **entry)
    host.give_key("ann")
    with ssh(host, "echo in as $(id -un)", method="publickey" if how == "key"
             else "keyboard-interactive") as talk:
        if how == "password":
            talk.answer(PASSWORD, OLD)
            if name in ("expired", "must-change"):
                assert word in talk.answer(NEW_PROMPT, NEW)
                talk.answer(AGAIN, NEW)
                assert "in as ann" in talk.rest()
                return
        shown = talk.rest()
    assert ("in as ann" in shown) == is_in, shown
    # A stranger who guesses is not told.
    assert (word in shown) == (is_in or how == "key"), shown
