"""A Debian that has booted with SELinux in enforcing mode and our policy module:
what people and programs do there every day, and that nothing of it is denied.
In the order of this file; the last test reads the log of denials.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import re

import pytest

import captive
import denials
from talk import AGAIN, CURRENT, NEW, PASSWORD

WRONG = "not the password"
FRESH = "an umbrella for rainy days"
ROOT = "Root-horse-7"
SHELL = r"[$#] (\x1b\S*)?$"
CONF = """\
[selfreset]
contact = the help desk, phone 4711
[lockout]
attempts = 3
source_attempts = 0
delay = 0s
[nss]
max_age = 1h
"""
LABELS = {
    "/run/selfreset": "selfreset_run_t",
    "/run/selfreset/helper": "selfreset_run_t",
    "/var/lib/selfreset": "selfreset_var_lib_t",
    "/var/lib/selfreset-nss": "selfreset_public_t",
    "/etc/security/selfreset.conf": "selfreset_conf_t",
    "/usr/sbin/selfreset-helper": "selfreset_exec_t",
    "/usr/sbin/selfreset-publish": "selfreset_publish_exec_t",
}


def password(name):
    return f"Old-horse-7-{name}"


@pytest.fixture(scope="module")
def vm(boot):
    """The machine, set up as README says."""
    machine = boot("disk.ext4")
    machine.share()
    machine.run(f"cat >/etc/security/selfreset.conf <<'END'\n{CONF}END")
    return machine


def in_by_password(vm, name, secret):
    """Whether sshd lets in by keyboard-interactive."""
    with vm.talk(name, "echo in as $(id -un)") as talk:
        talk.answer(PASSWORD, secret)
        return f"in as {name}" in talk.rest()


def at_console(vm, name, secret):
    """Name and password typed at the serial line, which asks for a name after
    the boot and after each login."""
    vm.console.answer(vm.LOGIN, name)
    vm.console.answer(PASSWORD, secret)
    return vm.console


def in_at_console(vm, name, secret):
    """A login at the serial line, and out again."""
    console = at_console(vm, name, secret)
    shown = console.until(r"[\w~]+[$#] ", "(?i)incorrect")
    if "ncorrect" in shown:
        return False
    console.type("id -un; exit")
    console.until(rf"[\r\n]{name}\b")
    return True


# ---- booted

def test_enforcing(vm):
    assert vm.run("getenforce").strip() == "Enforcing"
    assert "selfreset" in vm.run("semodule -l").split()


def test_nothing_has_failed(vm):
    vm.until("! systemctl is-system-running | grep -q starting", "")
    assert vm.run("systemctl --failed --plain --no-legend") == ""


@pytest.mark.parametrize("path", LABELS)
def test_labels(vm, path):
    """As the module says, whoever made it first."""
    assert f":{LABELS[path]}:" in vm.run(f"stat -c %C {path}")


def test_published_after_the_groups(vm):
    """At the first boot systemd makes the groups; what is published names them
    by their numbers."""
    def when(what, unit):
        return int(vm.run(f"systemctl show --value -p {what} {unit}"))

    assert "acct-ok" in vm.run("getent group acct-ok")
    made = when("ExecMainExitTimestampMonotonic", "systemd-sysusers")
    assert 0 < made <= when("ExecMainStartTimestampMonotonic",
                            "selfreset-publish")
    vm.run("selfresetctl nss --check")


def test_pam_is_enabled(vm):
    """With the policy module and the helper nothing speaks against it."""
    vm.run("selfresetctl pam --enable")
    assert "No mistakes were found" in vm.run("selfresetctl check")


# ---- logins

def test_ssh(vm):
    assert in_by_password(vm, "ann", password("ann"))
    assert not in_by_password(vm, "ann", WRONG)
    assert not in_by_password(vm, "nobody-here", WRONG)


@pytest.mark.parametrize("name", ["bob", "root"])
def test_ssh_by_key(vm, name):
    done = vm.run("id -un", user=name)
    assert done.strip() == name


def test_console(vm):
    assert in_at_console(vm, "ann", password("ann"))
    assert not in_at_console(vm, "ann", WRONG)
    assert in_at_console(vm, "root", ROOT)


# ---- changes

def test_forced_change_by_ssh(vm):
    vm.run("chage -d 0 carl")
    with vm.talk("carl", "echo in as $(id -un)") as talk:
        talk.answer(PASSWORD, password("carl"))
        assert "in as carl" in talk.change(FRESH)
    assert in_by_password(vm, "carl", FRESH)
    assert not in_by_password(vm, "carl", password("carl"))


def test_forced_change_at_the_console(vm):
    vm.run("chage -d 0 bob")
    console = at_console(vm, "bob", password("bob"))
    console.answer(NEW, FRESH + " bob")
    console.answer(AGAIN, FRESH + " bob")
    console.until(r"[\w~]+[$#] ")
    console.type("id -un; exit")
    console.until(r"[\r\n]bob\b")


def test_passwd(vm):
    """By the user, and by root; a wrong current password changes nothing."""
    with vm.session("bob", "passwd") as talk:
        talk.answer(CURRENT, FRESH + " bob")
        talk.answer(NEW, password("bob"))
        talk.answer(AGAIN, password("bob"))
        talk.rest()
        assert talk.status == 0, talk.seen
    with vm.session("bob", "passwd") as talk:
        talk.answer(CURRENT, WRONG)
        talk.rest()
        assert talk.status != 0, talk.seen
    with vm.session("root", "passwd", "carl") as talk:
        talk.answer(NEW, password("carl"))
        talk.answer(AGAIN, password("carl"))
        talk.rest()
        assert talk.status == 0, talk.seen
    assert in_by_password(vm, "bob", password("bob"))
    assert in_by_password(vm, "carl", password("carl"))


# ---- programs in a session: fred is user_u, dora staff_u, bob unconfined_u

@pytest.mark.parametrize("name", ["bob", "dora"])
def test_su(vm, name):
    with vm.session(name, "su", "carl", "-c", "'id -un'") as talk:
        talk.answer(PASSWORD, password("carl"))
        assert "carl" in talk.rest()
    with vm.session(name, "su", "carl", "-c", "'id -un'") as talk:
        talk.answer(PASSWORD, WRONG)
        talk.rest()
        assert talk.status != 0


def test_sudo(vm):
    with vm.session("dora", "sudo", "-k", "id", "-un") as talk:
        talk.answer("password for dora: ", password("dora"))
        assert "root" in talk.rest()
        assert talk.status == 0, talk.seen


@pytest.mark.parametrize("name", ["fred", "bob"])
def test_verify_for_oneself(vm, name):
    """A program that is not root, as a screen locker: the helper answers."""
    def asks(who):
        return vm.session(name, "pamtester", "login", who, "authenticate",
                          "acct_mgmt")

    for secret, code in ((password(name), 0), (WRONG, 1)):
        with asks(name) as talk:
            talk.answer(PASSWORD, secret)
            talk.rest()
            assert talk.status == code, talk.seen
    with asks("carl") as talk:  # of no other account
        talk.rest()
        assert talk.status == 1, talk.seen


# ---- cron

def test_cron(vm):
    for name in ("bob", "root"):
        vm.run(f"echo '* * * * * id -un >>/tmp/cron.{name}; "
               f"crontab -r' | crontab -u {name} -")
    for name in ("bob", "root"):
        assert name in vm.until(f"cat /tmp/cron.{name}", name, tries=150)


# ---- lockouts, and what the name service shows

def groups(vm, name):
    return set(vm.run(f"id -Gn {name}; true").split())


def test_lockout(vm):
    for _ in range(3):
        assert not in_by_password(vm, "eve", WRONG)
    assert not in_by_password(vm, "eve", password("eve"))
    assert "locked" in vm.run("selfresetctl status eve", code=None)
    assert "acct-locked" in groups(vm, "eve")
    vm.run("selfresetctl unlock eve")
    assert in_by_password(vm, "eve", password("eve"))
    assert "acct-locked" not in groups(vm, "eve")


def test_records_of_audit(vm):
    """An administrator reads who it was about."""
    shown = vm.run("ausearch --input-logs --format text -m USER_AUTH,ANOM_LOGIN_FAILURES,"
                   "ACCT_UNLOCK,USER_CHAUTHTOK,USER_MGMT 2>/dev/null")
    assert "did-unknown" not in shown
    assert re.search(r"unlocked-account eve", shown)
    assert re.search(r"failed-log-in-too-many-times-to eve", shown)
    raw = vm.run("ausearch --input-logs --raw -m USER_AUTH,ANOM_LOGIN_FAILURES,ACCT_UNLOCK,"
                 "USER_CHAUTHTOK,USER_MGMT 2>/dev/null")
    ours = [line for line in raw.splitlines() if "op=selfreset:" in line]
    assert ours
    assert all("acct=" in line for line in ours), ours


def test_a_change_is_published(vm):
    """Of another program, and while a run is not over."""
    vm.run("mkdir -p /run/systemd/system/selfreset-publish.service.d; "
           "printf '[Service]\\nExecStartPost=/bin/sleep 8\\n' "
           ">/run/systemd/system/selfreset-publish.service.d/slow.conf; "
           "systemctl daemon-reload")
    assert "acct-ok" in groups(vm, "bob") & groups(vm, "carl")
    vm.run("chage -E 1 bob")
    vm.until("id -Gn bob | grep acct-locked", "acct-locked")
    assert "activating" in vm.run("systemctl is-active selfreset-publish",
                                  code=None)
    vm.run("chage -E 1 carl")
    vm.until("id -Gn carl | grep acct-locked", "acct-locked")
    vm.run("rm -r /run/systemd/system/selfreset-publish.service.d; "
           "systemctl daemon-reload; chage -E -1 bob; chage -E -1 carl")
    for name in ("bob", "carl"):
        vm.until(f"id -Gn {name} | grep acct-ok", "acct-ok")


def test_the_clock_is_set(vm):
    """Forward by more than nss.max_age, as after a suspend."""
    vm.run("date -s '+5 hours'")
    vm.until("id -Gn bob | grep acct-ok", "acct-ok", tries=200)
    vm.run("date -s '-5 hours'")
    vm.until("id -Gn bob | grep acct-ok", "acct-ok", tries=200)


# ---- self-service reset

RESET = """\
[reset]
enable = yes
classes = app codes ticket key
new_gate_wait = 0
"""


def test_reset(vm):
    vm.run(f"cat >>/etc/security/selfreset.conf <<'END'\n{RESET}END")
    vm.run("systemctl enable --now selfreset-reset.socket && "
           "selfresetctl reset --setup && systemctl reload ssh")
    vm.until("sleep 5; ss -ltnH 'sport = :22'", "LISTEN")
    with vm.session("eve", "selfreset", "enroll") as talk:
        codes = captive.enroll_codes(talk, password("eve"))
    with vm.session("eve", "selfreset", "enroll") as talk:
        key = captive.enroll_app(talk, password("eve"), codes.pop(0))
    with vm.talk("reset") as talk:
        captive.prove(talk, "eve", key, codes[2])
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        assert "changed and checked" in talk.rest()
    assert in_by_password(vm, "eve", FRESH)


# ---- at the end

def test_nothing_was_denied(vm):
    shown = vm.run("ausearch --input-logs --raw -m AVC,USER_AVC,SELINUX_ERR 2>/dev/null; "
                   "true")
    (vm.files / "denied").write_text(shown)
    ours, _ = denials.split(shown)
    assert not ours, "\n".join(map(str, ours))
