"""selfresetctl check --backend, for a domain of Active Directory: every fault
with its event, what users meet, and the command that repairs it, which is then
run.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import re
import shlex

import pytest

import samba
from samba import ADMIN_SECRET, PASSWORD, computer_dn, user_dn
from scratch import ETC, RUN
from test_ad import MACHINE, configure, log_in, person
from test_krb5_check import WARNINGS, check

KEYTAB = RUN / "host.keytab"


@pytest.fixture(scope="module")
def ad(the_host):
    with samba.domain(the_host) as made:
        yield made


@pytest.fixture
def corp(ad, host):
    """This host has joined, for this test; attempts are fewer than the
    domain's."""
    ad.computer("client", MACHINE)
    ad.delegate_resets(computer_dn("client"))
    configure(host, ad, reset_history="no")
    host.configure(lockout={"attempts": "2"})
    ad.configure_host()
    text = (ETC / "hosts").read_text()
    (ETC / "hosts").write_text(f"127.0.0.9 client.{samba.DNS}\n" + text)
    yield ad
    (ETC / "hosts").write_text(text)
    ad.first.delete(computer_dn("client"))


def repair(ad, text):
    """Run the command that the text names, where an administrator would."""
    found = re.search(r"((?:adcli|net|samba-tool) .*?)(?:\n\n|\n\S|$)", text,
                      re.S)
    assert found, text
    command = shlex.split(" ".join(found[1].split()))
    options = {}
    if command[0] == "adcli":
        command += ["--stdin-password", f"--domain-controller={ad.first.name}",
                    "--computer-name=CLIENT", f"--host-fqdn=client.{samba.DNS}"]
        options["input"] = ADMIN_SECRET
    elif command[0] == "net":
        command = [word if word != "Administrator" else
                   f"Administrator%{ADMIN_SECRET}" for word in command]
        command += ["-s", str(ad.first.conf)]
    else:
        command += ["-H", str(ad.first.sam), "-s", str(ad.first.conf)]
    return ad.run(*command, **options)


def test_good(host, corp):
    name = person(host, corp)
    code, found, text = check(host, "--test-entry", name)
    assert code == 0, text
    assert found["realm"] == samba.REALM and found["fast"] is True
    assert found["domain"]["account"] == computer_dn("client")
    assert found["domain"]["lockout_threshold"] == 3
    names = {found[f"name_{n}"]["service_name"].lower(): found[f"name_{n}"]
             for n in (1, 2)}
    assert set(names) == {"host/client", f"host/client.{samba.DNS}"}
    assert all(one["accounts"] == 1 and one["is_ours"]
               for one in names.values())
    keys = {found[f"key_{n}"]["principal"]: found[f"key_{n}"]
            for n in (1, 2, 3)}
    assert keys[f"CLIENT$@{samba.REALM}"]["key_accepted_by_kdc"]
    assert keys[f"host/CLIENT@{samba.REALM}"]["ticket_decrypted"]
    assert all("aes256" in key["enctypes"] for key in keys.values())
    rights = {right["attribute"]: right for right in found["rights"]}
    assert rights["pwdLastSet"]["service_writes"] is True
    assert rights["lockoutTime"]["service_writes"] is True
    assert rights["unicodePwd"]["service_writes"] is True
    assert rights["replPropertyMetaData"]["service_reads"] is True
    code, found, _ = check(host, "--test-entry", name, "--ask-password",
                           input=PASSWORD + "\n")
    assert code == 0 and found["test_let_in"] is True
    assert corp.first.bad_passwords(name) == 0


def stale(host, ad):
    ad.set_password(computer_dn("client"), "Other-Machine-Secret-1")


def no_keytab(host, ad):
    KEYTAB.unlink()


def wrong_key(host, ad):
    ad.keytab(KEYTAB, "client", "Other-Machine-Secret-1")


def other_type(host, ad):
    """The account takes RC4 only, whose key the keytab has not."""
    ad.first.modify(computer_dn("client"),
                    **{"msDS-SupportedEncryptionTypes": 4})


def disabled(host, ad):
    ad.first.modify(computer_dn("client"), userAccountControl=samba.WORKSTATION
                    | samba.DISABLED)


def gone(host, ad):
    """Samba finds a host by its own names as well: this is another one."""
    ad.keytab(KEYTAB, "client", MACHINE, principals=["CLIENT$",
                                                     "host/alias"])


def unregistered(host, ad):
    ad.first.modify(computer_dn("client"), servicePrincipalName=[
        "RestrictedKrbHost/CLIENT"])


def twice(host, ad):
    """No server lets a name be added a second time: it happens between two
    of them.  The other name is of use as before."""
    ad.computer("other", MACHINE, services=[])
    ad.first.write_below(computer_dn("other"), "add",
                         servicePrincipalName=f"HOST/client.{samba.DNS}")


def elsewhere(host, ad):
    unregistered(host, ad)
    ad.computer("other", MACHINE, services=["HOST/CLIENT",
                                            f"HOST/client.{samba.DNS}"])


FAULTS = {
    "stale": (stale, "SR-5105", 1),
    "no-keytab": (no_keytab, "SR-5107", 1),
    "wrong-key": (wrong_key, "SR-5105", 1),
    "other-type": (other_type, "SR-5108", 1),
    "disabled": (disabled, "SR-5111", 1),
    "gone": (gone, "SR-5101", 1),
    "unregistered": (unregistered, "SR-5101", 2),
    "twice": (twice, "SR-5102", 1),
    "elsewhere": (elsewhere, "SR-5103", 4),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(host, corp, fault):
    """It is not the user's: said so, not counted, and repaired by what check
    names."""
    make, event, repairs = FAULTS[fault]
    name = person(host, corp)
    make(host, corp)
    try:
        code, _, text = check(host)
        assert code in (2, WARNINGS) and event in text, text
        done = log_in(host, name)
        if code == 2:
            assert done.codes[0] == "AUTHINFO_UNAVAIL", f"{done} {text}"
            assert "This computer" in done.said, done
            assert host.log.with_text("SR-5100")
            assert corp.first.bad_passwords(name) == 0
        for _ in range(repairs):
            code, _, text = check(host)
            if "SR-51" not in text:
                break
            repair(corp, text)
        code, _, text = check(host)
        assert code in (0, WARNINGS) and "SR-51" not in text, text
        assert log_in(host, name).codes == ["SUCCESS", "SUCCESS"]
    finally:
        if fault in ("twice", "elsewhere"):
            corp.first.delete(computer_dn("other"))


@pytest.mark.parametrize("timesync", ["0", "1"])
@pytest.mark.parametrize("skew", ["+600s", "-600s"])
def test_clock(host, corp, timesync, skew):
    conf = ETC / "krb5.conf"
    conf.write_text(conf.read_text().replace(
        "[libdefaults]\n", f"[libdefaults]\nkdc_timesync = {timesync}\n"))
    name = person(host, corp)
    code, found, text = check(host, wrap=["faketime", "-f", skew])
    assert code == 2 and "SR-5106" in text and (
        "systemctl" in text or "chrony" in text), text
    assert 598 <= abs(found["clock_offset"]) <= 602
    done = log_in(host, name, wrap=["faketime", "-f", skew])
    if timesync == "1":
        assert done.codes[0] == "SUCCESS", done
    else:
        assert done.codes[0] == "AUTHINFO_UNAVAIL", done
        assert "This computer" in done.said, done
        assert host.log.with_text("SR-5106")
        way = "behind" if skew[0] == "-" else "ahead of"
        assert host.log.with_text(f"seconds {way} the KDC's"), host.log.all()
    assert corp.first.bad_passwords(name) == 0


def test_dns(host, corp):
    text = (ETC / "hosts").read_text()
    (ETC / "hosts").write_text(text.replace(f"client.{samba.DNS}", "another"))
    code, _, text = check(host)
    assert code == WARNINGS and "SR-5109" in text, text
    assert "net ads dns register" in text


def test_traps(host, corp):
    """What the settings of the domain and of this host do to each other."""
    host.configure(lockout={"attempts": "5"}, backend_corp={
        "reset_history": "yes"})
    name = person(host, corp, must_change=True)
    corp.first.modify(samba.BASE, pwdProperties=3)
    try:
        code, found, text = check(host)
        flat = " ".join(text.split())
        assert code == WARNINGS, text
        assert 'Set "attempts" of [lockout] to 2' in flat
        assert "reset_history = no" in flat
        assert f"--clear {name}" in flat
        assert found["domain"]["change_needs_logon"] is True
    finally:
        corp.first.modify(samba.BASE, pwdProperties=1)
        corp.first.delete(user_dn(name))


def test_no_rights(host, corp):
    corp.computer("reader", MACHINE)
    configure(host, corp, keytab=corp.keytab(RUN / "reader.keytab", "reader",
                                             MACHINE))
    name = person(host, corp)
    code, found, text = check(host, "--test-entry", name)
    flat = " ".join(text.split())
    assert code == WARNINGS and ("READER$ may not write pwdLastSet, lockoutTime"
                                 ", userAccountControl, unicodePwd:") in flat
    # One command gives all of them.
    repair(corp, text[text.index("may not write"):])
    code, _, text = check(host, "--test-entry", name)
    assert "may not write" not in " ".join(text.split()), text
    assert corp.has_password(name, PASSWORD)
    corp.first.delete(computer_dn("reader"))


def test_unknown_test_entry(host, corp):
    code, _, text = check(host, "--test-entry", "nobody-here")
    assert code == 2 and "no account" in text
