"""The way to a directory: whoever stands in it learns no password, and the
person is told that the account cannot be asked.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import ctypes
import os
import subprocess

import pytest

import directory
from directory import CERTS, SERVICE_SECRET, certificate, dn_of
from middle import BIND, Fake, Middle, Wire, message, refuse, result
from scratch import CONTACT, free_port, wait_until
from talk import PASSWORD
from test_ldap import NEW, OLD, PEER, UID, change, configure, log_in, serve, ssh

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

ACCOUNT = {"dn": dn_of("ann"), "uid": "ann", "uidNumber": UID}


def is_refused(host):
    """As an outage, with a sentence, in each call."""
    done = log_in(host)
    assert done.codes[0] == "AUTHINFO_UNAVAIL", (done, host.log.all())
    assert CONTACT in done.said
    alone = host.drive("probe", "ann", "acct", rhost=PEER)
    assert alone.codes == ["AUTHINFO_UNAVAIL"] and CONTACT in alone.said
    done = change(host, OLD, NEW, NEW)
    assert done.codes == ["TRY_AGAIN"] and CONTACT in done.said, done


# ---- certificates

# How it is made, and what is trusted.
CERTIFICATES = {
    "expired": ({"name": "expired", "days": -1}, "ca"),
    "another-name": ({"name": "other", "host": "elsewhere.example.org"}, "ca"),
    "another-authority": ({"name": "stranger", "ca": "other-ca"}, "ca"),
    # That of the system, which has no authority of the tests.
    "no-authority": ({"name": "good"}, None),
}


@pytest.mark.parametrize("how", ["ldaps", "starttls"])
@pytest.mark.parametrize("fault", CERTIFICATES)
def test_certificates(host, fault, how):
    made, trusted = CERTIFICATES[fault]
    certificate("good")
    server = serve(host, server={"certificate_file": certificate(**made)})
    configure(host, server.uri if how == "ldaps" else server.plain,
              ca_file=trusted and CERTS / f"{trusted}.pem")
    mark = server.mark()
    is_refused(host)
    assert server.count(mark).binds == 0
    # By what is logged an administrator can mend it.
    lines = host.log.with_text("SR-3002")
    assert lines and "certificate" in lines[0], lines
    assert 'cause=""' not in "".join(lines), lines
    if how == "ldaps":  # once is enough
        with ssh(host, "echo in as $(id -un)") as talk:
            talk.answer(PASSWORD, OLD)
            talk.until(CONTACT.replace(".", r"\."))
            assert "in as" not in talk.seen, talk.seen


@pytest.mark.parametrize("how", ["file", "directory", "address"])
def test_good_certificate(host, how):
    server = serve(host, server={"certificate_file": certificate("good")})
    keys = {"ca_file": CERTS / "ca.pem"}
    if how == "directory":
        hashed = directory.RUN / "ca-directory"
        hashed.mkdir(exist_ok=True)
        (hashed / "ca.pem").write_bytes((CERTS / "ca.pem").read_bytes())
        directory.openssl("rehash", str(hashed))
        keys = {"ca_directory": hashed}
    uri = server.uri
    if how == "address":
        uri = uri.replace("localhost", "127.0.0.1")
    configure(host, uri, **keys)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert "TLS established" in server.lines()


# Subject, subjectAltName, the host that is asked, and whether it is its.
NAMES = {
    "common-name": ("localhost", "", "localhost", False),
    "common-name-besides": ("localhost", "DNS:elsewhere.example.org",
                            "localhost", False),
    "common-name-and-address": ("localhost", "IP:127.0.0.1", "localhost", False),
    "address-as-common-name": ("127.0.0.1", "IP:127.0.0.2", "127.0.0.1", False),
    "address-as-name": ("x", "DNS:127.0.0.1", "127.0.0.1", False),
    "any": ("x", "DNS:*", "localhost", False),
    "part": ("x", "DNS:*host", "localhost", False),
    "wildcard": ("x", "DNS:*.test.example", "a.test.example", True),
    "wildcard-of-two": ("x", "DNS:*.example", "a.test.example", False),
    "another-spelling": ("x", "DNS:LocalHost", "localhost", True),
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_of_the_certificate(host, kind):
    """Those of subjectAltName count, and no other (RFC 9525)."""
    subject, alternative, asked, is_its = NAMES[kind]
    made = certificate("names-" + kind, host=subject, alternative=alternative)
    server = serve(host, server={"certificate_file": made})
    with open("/etc/hosts", "a", encoding="ascii") as hosts:
        hosts.write("127.0.0.1 a.test.example\n")
    configure(host, server.uri.replace("localhost", asked),
              ca_file=CERTS / "ca.pem")
    if is_its:
        assert log_in(host).codes == ["SUCCESS"] * 2, host.log.all()
    else:
        mark = server.mark()
        is_refused(host)
        assert server.count(mark).binds == 0


def test_old_protocol(host):
    """A server that speaks nothing newer than TLS 1.1."""
    serve(host)
    good, port = certificate("good"), free_port()
    heard = directory.RUN / "heard"
    with open(heard, "wb") as out:
        server = host.start(
            ["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}",
             "-cert", str(good), "-key", str(good.with_suffix(".key")),
             "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
            stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
    wait_until(lambda: host.answers(port, server), what="the server")
    configure(host, f"ldaps://127.0.0.1:{port}", ca_file=CERTS / "ca.pem")
    is_refused(host)
    assert SERVICE_SECRET.encode() not in heard.read_bytes()
    # What was agreed on, or what the library has to say of it.
    assert host.log.with_text("nothing newer than TLS 1.1") or \
        host.log.with_text("protocol"), host.log.all()


# ---- StartTLS

@pytest.mark.parametrize("code", [1, 2, 8, 12, 13, 51, 52, 53, 80])
def test_refused(host, code):
    """By the server, with whatever words."""
    server = serve(host, server={"certificate_file": certificate("good")})
    with Middle(server, {"extended": refuse(code, "not today")}) as way:
        configure(host, way.uri, ca_file=CERTS / "ca.pem")
        is_refused(host)
        assert set(way.seen) <= {"extended", "unbind"}, way.seen


def test_server_without_tls(host):
    server = serve(host)
    with Middle(server) as way:
        configure(host, way.uri, ca_file=CERTS / "ca.pem")
        is_refused(host)
        assert set(way.seen) <= {"extended", "unbind"}, way.seen
    assert host.log.with_text("StartTLS")


def test_stripped(host):
    """Somebody in the way says yes, and hands the rest on as it is."""
    server = serve(host, server={"certificate_file": certificate("good")})
    with Middle(server, {"extended": refuse(0)}) as way:
        configure(host, way.uri, ca_file=CERTS / "ca.pem", timeout="1s")
        assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
        assert set(way.seen) == {"extended"}, way.seen
    with Fake(ACCOUNT) as fake:
        configure(host, fake.uri, ca_file=CERTS / "ca.pem", timeout="1s")
        done = log_in(host)
        assert done.codes[0] == "AUTHINFO_UNAVAIL"
        assert set(fake.seen) == {"extended"}, fake.seen
        for secret in (OLD, SERVICE_SECRET):
            assert not [request for request in fake.requests
                        if request.contains(secret)]


def test_answers_put_before_the_handshake(host):
    """What is said in the clear behind the yes to StartTLS is no answer to what
    is asked under TLS."""
    server = serve(host, server={"certificate_file": certificate("good")})
    extra = b"".join(message(number, result(BIND)) for number in range(2, 9))
    with Wire(server, server.port, extra=extra) as way:
        configure(host, way.uri, ca_file=CERTS / "ca.pem", timeout="2s")
        done = log_in(host, "no")
        assert done.codes[0] in ("AUTH_ERR", "AUTHINFO_UNAVAIL"), done
    with Wire(server, server.port) as way:  # it is a good way otherwise
        configure(host, way.uri, ca_file=CERTS / "ca.pem", timeout="2s")
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()


def test_no_way_back(host):
    """Behind a secure server that is away, another one is not asked in the
    clear."""
    server = serve(host, server={"certificate_file": certificate("good")})
    with Fake(ACCOUNT) as fake:
        dead = f"ldaps://localhost:{directory.free_port()}"
        configure(host, f"{dead} {fake.uri}", ca_file=CERTS / "ca.pem",
                  timeout="1s")
        assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
        assert set(fake.seen) == {"extended"}, fake.seen
    configure(host, f"{dead} {server.plain}", ca_file=CERTS / "ca.pem")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert "TLS established" in server.lines()


def test_insecure_is_said_at_each_use(host):
    server = serve(host)
    configure(host, server.plain, insecure="yes")
    for count in (1, 2):
        with ssh(host, "echo in as $(id -un)") as talk:
            talk.answer(PASSWORD, OLD)
            assert "in as ann" in talk.rest()
        assert len(host.log.with_text("SR-3023")) >= count


def tls_package():
    """The library that libldap has for TLS: another one from Debian 13 on."""
    name = ctypes.c_char_p()
    ctypes.CDLL("libldap.so").ldap_get_option(None, 0x6011, ctypes.byref(name))
    return name.value


@pytest.mark.parametrize("usage", ["clientAuth", "critical,clientAuth",
                                   "serverAuth", "clientAuth,serverAuth",
                                   "anyExtendedKeyUsage"])
def test_purpose_of_the_certificate(host, usage):
    """One for clients is not taken for a server's; OpenSSL takes none for any
    purpose either."""
    name = "for-" + usage.replace(",", "-")
    made = certificate(name, usage=usage)
    server = serve(host, server={"certificate_file": made})
    configure(host, server.uri, ca_file=CERTS / "ca.pem")
    if "server" in usage or ("any" in usage and tls_package() == b"GnuTLS"):
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    else:
        is_refused(host)


@pytest.mark.parametrize("scheme", ["LDAPS", "ldaps", "Ldaps"])
def test_scheme_in_any_case(host, scheme):
    server = serve(host, server={"certificate_file": certificate("good")})
    configure(host, scheme + server.uri[5:], ca_file=CERTS / "ca.pem")
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()


# ---- servers that demand a certificate of the client

DEMAND = f"TLSVerifyClient demand\nTLSCACertificateFile {CERTS / 'ca.pem'}\n"


@pytest.mark.parametrize("how", ["ldaps", "starttls"])
def test_client_certificate(host, how):
    mine = certificate("client", host="host1.example.org", usage="clientAuth")
    stranger = certificate("client-stranger", ca="other-ca")
    key = mine.with_suffix(".key")
    key.chmod(0o600)
    stranger.with_suffix(".key").chmod(0o600)
    server = serve(host, server={"certificate_file": certificate("good"),
                                 "tls_more": DEMAND})
    uri = server.uri if how == "ldaps" else server.plain

    def use(certificate_file, **more):
        configure(host, uri, ca_file=CERTS / "ca.pem",
                  **({"cert_file": certificate_file,
                      "key_file": certificate_file.with_suffix(".key")}
                     if certificate_file else {}) | more)

    for refused in (None, stranger):
        use(refused)
        assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL", host.log.all()
    use(mine)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    # A key that others can read is not used, and it is said.
    key.chmod(0o644)
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    assert any(f"{key} has mode 0644" in line for line in host.log.all())
    # By a link, as renewed ones have it: the file is judged, and whose link.
    link = CERTS / "live.key"
    link.unlink(missing_ok=True)
    link.symlink_to(key.name)
    use(mine, key_file=link)
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    assert any(f"{link} has mode 0644" in line for line in host.log.all())
    key.chmod(0o600)
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    os.chown(link, 1, 1, follow_symlinks=False)
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    assert host.log.with_text("a symbolic link that is not root's")


def test_client_certificate_of_no_use(host):
    """What is wrong with it is said, and nobody is asked for a passphrase; one
    that is replaced counts from the next login on."""
    mine = certificate("client", host="host1.example.org", usage="clientAuth")
    key, used = mine.with_suffix(".key"), CERTS / "used.pem"
    old = certificate("client-old", host="host1.example.org",
                      usage="clientAuth", days=-1)
    for name, form in (("pkcs8", "pkey"), ("traditional", "ec")):
        directory.openssl(form, "-in", key, "-aes256", "-passout", "pass:x",
                          "-out", f"{name}.key")
    server = serve(host, server={"certificate_file": certificate("good"),
                                 "tls_more": DEMAND})

    def says(certificate_file, key_file, said):
        used.write_bytes(certificate_file.read_bytes())
        used.with_suffix(".key").write_bytes(key_file.read_bytes())
        used.with_suffix(".key").chmod(0o600)
        host.log.lines.clear()
        done = log_in(host)
        assert (done.codes[0] == "SUCCESS") == (said is None), done
        assert said is None or host.log.with_text(said), host.log.all()

    configure(host, server.uri, ca_file=CERTS / "ca.pem", cert_file=used,
              key_file=used.with_suffix(".key"))
    says(mine, CERTS / "pkcs8.key", "used.key is encrypted")
    says(mine, CERTS / "traditional.key", "used.key is encrypted")
    says(mine, old.with_suffix(".key"), "not a certificate and its key")
    says(key, mine, "not a certificate and its key")
    says(old, old.with_suffix(".key"), "or cert_file")
    says(mine, key, None)


def test_client_certificate_as_identity(host):
    """Accounts are read as the subject of the certificate."""
    mine = certificate("client", host="host1.example.org", usage="clientAuth")
    mine.with_suffix(".key").chmod(0o600)
    server = serve(host, server={"certificate_file": certificate("good"),
                                 "tls_more": DEMAND},
                   config={"ca_file": CERTS / "ca.pem", "cert_file": mine,
                           "key_file": mine.with_suffix(".key"),
                           "identity": "external", "bind_dn": None,
                           "secret_file": None})
    mark = server.mark()
    done = log_in(host)
    assert "cn=host1.example.org" in server.lines(mark), (done, host.log.all())
