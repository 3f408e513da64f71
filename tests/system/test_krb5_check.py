"""selfresetctl check --backend, for a KDC: every fault with its event and the
command that repairs it, which is then run.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import pathlib
import re
import shutil

import pytest

import kerberos
from scratch import ETC
from test_krb5 import HOST, NEW, OLD, UID, kdc, log_in, serve

__all__ = ["kdc"]
WARNINGS = 10


def check(host, *arguments, wrap=(), **options):
    """Exit code, what was found, and the text for people."""
    command = [*wrap, "selfresetctl", "check", "--backend", "corp", *arguments]
    done = host.run(*command, "--json", **options)
    text = host.run(*command, **options)
    assert done.returncode == text.returncode, (done, text)
    return done.returncode, json.loads(done.stdout), text.stdout


def repair(kdc, text):
    """Run the command of kadmin that the text names, at the KDC."""
    found = re.search(r'kadmin -q "([^"]+)"', " ".join(text.split()))
    assert found, text
    return kdc.run("kadmin.local", "-q", found[1])


def test_good(host, kdc):
    serve(host, kdc)
    code, found, text = check(host)
    assert code == 0, text
    assert found["realm"] == kerberos.REALM and found["fast"] is True
    assert found["tells_states"] is True
    assert abs(found["clock_offset"]) <= 1
    assert found["server_1"] == {"server": f"kdc {kdc.address}",
                                 "answers": True, "error": None}
    assert found["server_2"]["server"] == f"kpasswd {kdc.kpasswd}"
    key = found["key_1"]
    assert key["principal"] == f"{HOST}@{kerberos.REALM}" and key["kvno"] == 2
    assert "aes256" in key["enctypes"]
    assert key["key_accepted_by_kdc"] and key["ticket_decrypted"]


@pytest.mark.parametrize("fault, event", [("rekeyed", "SR-5105"),
                                          ("gone", "SR-5101")])
def test_key(host, kdc, fault, event):
    """The fault, what users see, and the repair by the command that is named."""
    serve(host, kdc)
    if fault == "rekeyed":
        kdc.kadmin("cpw", "-randkey", HOST)
    else:
        kdc.kadmin("delprinc", "-force", HOST)
    assert log_in(host).codes[0] == "AUTHINFO_UNAVAIL"
    assert host.log.with_text("SR-5100") and host.log.with_text(event)
    code, found, text = check(host)
    assert code == 2 and event in text, text
    assert found["key_1"]["event"] == event
    repair(kdc, text)
    if fault == "gone":  # its key is a new one, which the second run says
        code, found, text = check(host)
        assert code == 2 and "SR-5104" in text, text
        repair(kdc, text)
        # Its numbers began anew, and the first is that of the old key.
        code, found, text = check(host)
        assert code == 2 and "SR-5104" in text, text
        repair(kdc, text)
    assert check(host)[0] == 0
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]


def test_stale_entry_beside_a_good_one(host, kdc):
    serve(host, kdc)
    host.configure(backend_corp={
        "keytab": kdc.keytab("host.keytab", "host/client",
                             "host/second.example.org")})
    kdc.kadmin("cpw", "-randkey", "host/client")
    code, found, text = check(host)
    assert code == WARNINGS and "SR-5105" in text, text
    assert found["key_2"]["ticket_decrypted"]


def test_no_keytab(host, kdc):
    serve(host, kdc, keytab=False)
    (ETC / "krb5.keytab").unlink(missing_ok=True)
    code, _, text = check(host)
    assert code == 2 and "SR-5107" in text and "ktadd" in text


def test_unsafe_keytab(host, kdc):
    serve(host, kdc)
    (kdc.dir / "host.keytab").chmod(0o644)
    code, _, text = check(host)
    assert code == 2 and "SR-5107" in text and "install -o root" in text
    assert "0644" in text


def test_no_host_entry(host, kdc):
    serve(host, kdc)
    host.configure(backend_corp={"keytab": kdc.keytab("nfs", "nfs/client")})
    code, _, text = check(host)
    assert code == 2 and "no entry host/NAME" in " ".join(text.split())


@pytest.mark.skipif(shutil.which("faketime") is None,
                    reason="faketime is not installed")
def test_clock(host, kdc):
    serve(host, kdc)
    code, found, text = check(host, wrap=["faketime", "-f", "+600s"])
    assert code == 2 and "SR-5106" in text
    assert -602 <= found["clock_offset"] <= -598
    # The command is that of the service of time that runs.
    for path, command in (("/run/systemd/timesync/x",
                           "systemctl restart systemd-timesyncd"),
                          ("/run/chrony/chronyd.pid", "chronyc makestep")):
        made = pathlib.Path(path)
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()
        text = host.run("faketime", "-f", "+600s", "selfresetctl", "check",
                        "--backend", "corp").stdout
        assert command in " ".join(text.split()), text
        made.unlink()
        made.parent.rmdir()


def test_servers(host, kdc):
    serve(host, kdc)
    kerberos.configure("127.0.0.1:1", kdc.address, kpasswd="127.0.0.1:2")
    code, found, text = check(host)
    assert code == WARNINGS, text
    assert [found[f"server_{n}"]["answers"] for n in (1, 2, 3)] == [
        False, True, False]
    kdc.stop()
    code, _, text = check(host)
    assert code == 2 and "No user can log in" in " ".join(text.split())


def test_traps(host, kdc):
    serve(host, kdc, fast="never")
    code, _, text = check(host)
    assert code == WARNINGS and "FAST" in text
    host.configure(backend_corp={"verify": "no", "fast": "try"})
    code, _, text = check(host)
    assert code == WARNINGS and "verify = no" in " ".join(text.split())


def test_test_entry(host, kdc):
    serve(host, kdc)
    code, found, text = check(host, "--test-entry", "ann")
    assert code == 0, text
    assert found["test_entry"] == f"ann@{kerberos.REALM}"
    code, found, _ = check(host, "--test-entry", "ann", "--ask-password",
                           input=OLD + "\n")
    assert code == 0 and found["test_let_in"] is True
    code, found, _ = check(host, "--test-entry", "ann", "--ask-password",
                           input=NEW + "\n")
    assert code == WARNINGS and found["test_let_in"] is False
    host.add_elsewhere("bob", UID + 1)
    for name in ("bob", "nobody-here"):
        code, _, text = check(host, "--test-entry", name)
        assert code == 2 and "no account" in text
