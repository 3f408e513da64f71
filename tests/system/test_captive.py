"""The captive account: what `selfresetctl reset` makes of a host, and that its
login without a password opens nothing but the dialogue of a reset.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

import captive
import helper
from captive import PROGRAM, SNIPPET
from scratch import ETC, RUN, free_port, hash_password, overlay, stack
from talk import PASSWORD, Talk

OLD = "correct horse battery"
BEGIN = r"User name: |switched off"  # of the dialogue
FILES = ("passwd", "shadow", "group", "gshadow")


def files():
    return [(ETC / name).read_text() for name in FILES]


def ctl(host, *arguments):
    done = host.run("selfresetctl", "reset", *arguments)
    done.said = " ".join((done.stdout + done.stderr).split())
    return done


def uid_of(name="reset"):
    for line in (ETC / "passwd").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split(":")[2])
    raise AssertionError(f"no {name}")


def edit_passwd(name, field, value):
    lines = [line.split(":") for line in
             (ETC / "passwd").read_text().splitlines()]
    for fields in lines:
        if fields[0] == name:
            fields[field] = str(value)
    (ETC / "passwd").write_text(
        "".join(":".join(fields) + "\n" for fields in lines))


def ssh(host, port, *command, user="reset", **options):
    return Talk(host.ssh_command(user, *command, port=port, **options))


# ---- set up and removed

def test_set_up_and_removed(host):
    before = files()
    done = ctl(host, "--setup", "--dry-run")
    assert done.returncode == 0 and "would be set up" in done.said
    assert files() == before and not SNIPPET.exists()
    done = ctl(host, "--setup")
    assert done.returncode == 0 and "is set up" in done.said, done.said
    assert "enable = yes" in done.said and "systemctl reload ssh" in done.said
    assert host.shadow("reset")[1].startswith("!")
    assert SNIPPET.stat().st_mode & 0o777 == 0o644
    again = ctl(host, "--setup", "--json")
    assert json.loads(again.stdout)["changed"] is False, again.stdout
    done = ctl(host, "--remove", "--dry-run")
    assert done.returncode == 0 and SNIPPET.exists()
    done = ctl(host, "--remove")
    assert done.returncode == 0 and "were removed" in done.said
    assert files() == before and not SNIPPET.exists()
    assert "nothing was done" in ctl(host, "--remove").said


def test_without_sshd_there_is_no_snippet(host):
    (ETC / "ssh/sshd_config").unlink()
    assert ctl(host, "--setup").returncode == 0
    assert not SNIPPET.exists() and uid_of()


@pytest.mark.parametrize("shell", ["/bin/sh", str(PROGRAM)])
def test_an_account_of_a_person_is_never_taken(host, shell):
    host.add("reset", OLD, shell=shell)
    before = files()
    done = ctl(host, "--setup")
    assert done.returncode == 9 and "Nothing was done" in done.said
    assert files() == before and not SNIPPET.exists()


def test_remove_leaves_what_it_did_not_make(host):
    host.add("reset", OLD)
    done = ctl(host, "--remove")
    assert done.returncode == 8 and "reset stays" in done.said
    assert uid_of()


@pytest.mark.parametrize("name", ["re*set", "root"])
def test_a_name_that_is_more_than_one_account(host, name):
    host.configure(reset={"account": name})
    before = files()
    done = ctl(host, "--setup")
    assert done.returncode == 1 and "must be one account" in done.said
    assert files() == before and not SNIPPET.exists()


SSHD = {
    "no include": (lambda text: text.replace("Include", "#Include"),
                   "Write \"Include"),
    "no PAM": (lambda text: text.replace("UsePAM yes", "UsePAM no"), "UsePAM"),
    "an earlier block": (lambda text: "Match Address 192.0.2.0/24\n"
                         "AllowTcpForwarding yes\nMatch all\n" + text,
                         "AllowTcpForwarding is \"yes\""),
    "an earlier command": (lambda text: "Match User re*\nForceCommand /bin/sh\n"
                           "Match all\n" + text, "ForceCommand is"),
    "not valid": (lambda text: text + "\nNoSuchOption yes\n", "not accept"),
}


@pytest.mark.parametrize("what", SSHD)
def test_sshd_that_would_not_obey(host, what):
    change, said = SSHD[what]
    config = ETC / "ssh/sshd_config"
    config.write_text(change(config.read_text()))
    done = ctl(host, "--setup")
    assert done.returncode in (1, 9) and said in done.said, done.said
    assert not SNIPPET.exists()
    host.configure(reset={"enable": "yes"})
    done = ctl(host, "--check")
    assert done.returncode == 2 and "does not confine" in done.said, done.said


# ---- what it is for

def test_ssh_begins_the_dialogue_and_nothing_else(host):
    port = captive.set_up(host)
    for command in ([], ["id"], ["/bin/sh", "-i"], ["selfreset", "enroll"]):
        with ssh(host, port, *command, tty=True) as talk:
            shown = talk.until(BEGIN)
            assert "assword:" not in shown and "uid=" not in shown, shown
            assert "directory" not in shown, "a line about its home"


def test_login_at_a_console(host):
    captive.set_up(host)
    with Talk(["login", "reset"]) as talk:
        talk.until(BEGIN)
        talk.child.sendeof()
        talk.answer("Press Enter to end", "")
        talk.rest()


def test_the_helper_is_not_there(host):
    port = captive.set_up(host)
    helper.stop(host, host.helper)
    with ssh(host, port, tty=True) as talk:
        assert "not available now" in talk.rest()
        assert talk.status == 69


def test_it_has_only_the_dialogue_of_a_reset(host):
    captive.set_up(host)
    uid = uid_of()
    for name in ("enroll", "status", "codes", "remove"):
        done = host.run("selfreset", name, user=uid, group=uid,
                        extra_groups=[])
        assert done.returncode == 69, (name, done)
        assert "nothing but reset" in done.stdout, (name, done)
    assert len(host.log.with_text("SR-3202")) == 4


# ---- attackers

def entered(host, service="login", name="reset", **options):
    """Whether PAM lets the account in, without one question."""
    done = host.drive(service, name, "auth", "acct", "open", answers=[""],
                      **options)
    return done.codes == ["SUCCESS"] * 3 and done.prompts == []


def test_only_this_login(host):
    captive.set_up(host)
    host.add("ann", OLD)
    assert entered(host) and entered(host, "sshd", rhost="192.0.2.1")
    for service in ("su", "cron", "polkit-1"):
        assert not entered(host, service), service
    for name in ("ann", "root", "Reset", "reset ", "reset@localhost", ""):
        assert not entered(host, name=name), name
    assert not entered(host, real_uid=host.next_uid)
    assert not entered(host, uid=uid_of())
    assert not entered(host, disallow_null=True)
    assert not host.log.with_text("SR-3213")


def test_not_while_it_is_switched_off(host):
    captive.set_up(host)
    host.configure(reset={"enable": "no"})
    assert not entered(host)
    with ssh(host, host.sshd(Include=captive.INCLUDE)) as talk:
        talk.answer(PASSWORD, "")
        assert "denied" in talk.rest()


def test_not_with_a_configuration_in_error(host):
    captive.set_up(host)
    host.configure(selfreset={"nonsense": "1"})
    assert not entered(host)


@pytest.mark.parametrize("services", ["login", "sshd"])
def test_only_at_services_that_are_named(host, services):
    captive.set_up(host, services=services)
    assert [entered(host, name) for name in ("login", "sshd")] == [
        services == "login", services == "sshd"]


def test_a_guard_lets_nobody_in(host):
    captive.set_up(host)
    for auth in ("[success=done default=die] pam_selfreset.so guard",
                 "sufficient pam_selfreset.so guard\nauth required "
                 "pam_unix.so"):
        host.service("login", f"auth {auth}\naccount required pam_permit.so\n"
                     "session required pam_permit.so\n")
        assert not entered(host), auth


def unlocked(host):
    host.set_shadow("reset", 1, hash_password(OLD))


def empty(host):
    host.set_shadow("reset", 1, "")


def no_shadow(host):
    lines = (ETC / "shadow").read_text().splitlines(keepends=True)
    (ETC / "shadow").write_text(
        "".join(line for line in lines if not line.startswith("reset:")))


def hash_in_passwd(host):
    edit_passwd("reset", 1, "*")


def another_shell(host):
    edit_passwd("reset", 6, "/bin/sh")


def no_shell(host):
    edit_passwd("reset", 6, "")


def of_root(host):
    edit_passwd("reset", 2, 0)


def roots_group(host):
    edit_passwd("reset", 3, 0)


def home(host):
    edit_passwd("reset", 5, "/home/ann")


def shared_uid(host):
    edit_passwd("reset", 2, uid_of("ann"))


FLAWS = [unlocked, empty, no_shadow, hash_in_passwd, another_shell, no_shell,
         of_root, roots_group, home, shared_uid]


@pytest.mark.parametrize("spoil", FLAWS, ids=lambda spoil: spoil.__name__)
def test_an_account_that_is_not_as_it_was_made(host, spoil):
    """It is refused as it was, and `check` says why."""
    host.add("ann", OLD)
    captive.set_up(host)
    spoil(host)
    assert not entered(host)
    assert host.log.with_text("SR-3213"), host.log.all()
    done = ctl(host, "--check")
    assert done.returncode == 2 and "is refused" in done.said, done.said


PROGRAMS = {
    "writable": lambda path: path.chmod(0o775),
    "of a user": lambda path: os.chown(path, 2000, 2000),
    "privileged": lambda path: path.chmod(0o4755),
    "a link": lambda path: (path.unlink(), path.symlink_to("/bin/sh")),
    # As an overlay has what is not there.
    "missing": lambda path: (path.unlink(), os.mknod(path, 0o020000, 0)),
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_program_that_is_not_ours(host, what):
    captive.set_up(host)
    layer = RUN / "spoilt" / what.replace(" ", "-")
    layer.mkdir(parents=True)
    shutil.copy2(PROGRAM, layer)
    PROGRAMS[what](layer / PROGRAM.name)
    overlay(layer, PROGRAM.parent)
    try:
        assert not entered(host)
        assert host.log.with_text("SR-3213")
    finally:
        subprocess.run(["umount", "-l", str(PROGRAM.parent)], check=True)
    assert entered(host)


def test_an_sshd_that_does_not_confine_it(host):
    """The module takes sshd's word, not the file's: this sshd has not read the
    snippet."""
    captive.set_up(host)
    for method in ("keyboard-interactive", "password"):
        with ssh(host, host.port(), method=method) as talk:
            talk.answer(PASSWORD, "")
            assert "denied" in talk.rest()


@pytest.mark.parametrize("method", ["none", "password", "publickey",
                                    "hostbased"])
def test_no_other_way_to_authenticate(host, method):
    port = captive.set_up(host)
    host.give_key("reset")
    done = host.run(*host.ssh_command("reset", port=port, method=method,
                                      options=["-o", "BatchMode=yes"]))
    assert done.returncode == 255 and "denied" in done.stderr, done


def test_no_forwarding(host):
    """Neither from here nor to here, nor of sockets, agents and displays."""
    port = captive.set_up(host)
    there = socket.create_server(("127.0.0.1", free_port()))
    there.settimeout(0)
    target = f"127.0.0.1:{there.getsockname()[1]}"
    done = host.run(*host.ssh_command("reset", port=port,
                                      options=["-W", target]), input="x\n")
    assert "prohibited" in done.stderr, done
    with pytest.raises(BlockingIOError):
        there.accept()
    back, place = free_port(), RUN / "forwarded"
    for remote in (f"{back}:{target}", f"{place}:{target}"):
        done = host.run(*host.ssh_command(
            "reset", port=port,
            options=["-N", "-o", "ExitOnForwardFailure=yes", "-R", remote]))
        assert "forwarding failed" in done.stderr, done
    assert not place.exists()


def test_no_files_and_no_subsystem(host):
    captive.set_up(host)
    # sshd's own server needs no program: no shell is in its way.
    for server in ("internal-sftp", "/usr/lib/openssh/sftp-server"):
        port = host.sshd(Subsystem=f"sftp {server}", Include=captive.INCLUDE)
        done = host.run(*host.ssh_command("reset", "sftp", port=port,
                                          options=["-s"]),
                        input="\0\0\0\5\1\0\0\0\3")
        assert re.search(BEGIN, done.stdout), done
        assert "\0\0\0" not in done.stdout
    done = host.run("scp", "-O", "-F", "none", "-P", port, "-o",
                    f"UserKnownHostsFile={RUN}/known_hosts",
                    "reset@127.0.0.1:/etc/passwd", RUN / "stolen")
    assert done.returncode != 0 and not (RUN / "stolen").exists()


def test_no_second_session(host):
    port = captive.set_up(host)
    place = RUN / "multiplex"
    with ssh(host, port, tty=True,
             options=["-M", "-S", str(place)]) as talk:
        talk.until(BEGIN)
        done = host.run(*host.ssh_command(
            "reset", "id", port=port, options=["-S", str(place)]))
        # ssh then makes another connection.
        assert "Session open refused by peer" in done.stderr, done


def test_guesses_neither_open_it_nor_close_it(host):
    captive.set_up(host)
    host.configure(lockout={"attempts": 2, "source_attempts": 0})
    ann = host.add("ann", OLD)
    with Talk(["su", "reset", "-c", "id"], user=ann) as su:
        su.answer(PASSWORD, "reset")
        assert "uid=" not in su.rest()
    stranger = {"rhost": "192.0.2.1"}
    for _ in range(4):
        done = host.drive("probe", "reset", "auth", answers=["no"], **stranger)
        assert done.code == "AUTH_ERR"
    assert host.log.with_text("SR-2201"), "it was not locked out"
    done = host.drive("sshd", "reset", "auth", "acct", "open", **stranger)
    assert done.codes == ["SUCCESS"] * 3 and done.prompts == [], done
    assert done.said == "", "what was tried at it is nobody's own matter"


def test_the_program_runs_no_command(host):
    """As a shell it has one dialogue, whatever it is told."""
    captive.set_up(host)
    uid = uid_of()
    marker = RUN / "marker"
    for name, *arguments in (["selfreset", "-c", f"touch {marker}"],
                             ["-selfreset"], ["-selfreset", "enroll"],
                             ["selfreset", "-c", "enroll"]):
        done = host.run(name, *arguments, executable=str(PROGRAM), user=uid,
                        group=uid, extra_groups=[],
                        env={"ENV": str(marker), "BASH_ENV": str(marker),
                             "SSH_ORIGINAL_COMMAND": f"touch {marker}"})
        assert re.search(BEGIN, done.stdout), done
    assert not marker.exists()


# ---- the line that names it

def test_hint(host):
    captive.set_up(host, hint="yes")
    host.add("ann", OLD)
    for name in ("ann", "nobody-here"):
        done = host.drive("login", name, "auth", answers=["no"])
        assert "Log in as reset" in done.said, (name, done)
        assert "Log in" not in host.drive("su", name, "auth",
                                          answers=["no"]).said
    assert "Log in" not in host.drive("login", "ann", "auth",
                                      answers=[OLD]).said
    host.configure(reset={"hint": "no"})
    assert "Log in" not in host.drive("login", "ann", "auth",
                                      answers=["no"]).said


# ---- check

def test_check(host):
    port = captive.set_up(host)
    host.configure(reset={"mail_program": "/nonexistent -t"})
    done = ctl(host, "--check")
    assert done.returncode == 10 and "/nonexistent" in done.said, done
    host.configure(reset={"mail_program": "/bin/true", "mail_user": "nosuch"})
    assert "no such user other than root" in ctl(host, "--check").said
    host.configure(reset={"mail_user": "nobody"})
    assert "Other services run as this user" in ctl(host, "--check").said
    host.configure(reset={"mail_user": "_selfreset"})
    subprocess.run(["userdel", "_selfreset"], check=True, capture_output=True)
    assert "no such user other than root" in ctl(host, "--check").said
    assert ctl(host, "--setup").returncode == 0
    assert uid_of("_selfreset") < 1000
    assert ctl(host, "--check").returncode == 0, ctl(host, "--check").said
    tried = pathlib.Path("/home/tried")
    tried.write_text("#!/bin/sh\ncat >&2 && exit 75\n")
    tried.chmod(0o755)
    host.configure(reset={"mail_program": f"{tried} -t"})
    assert "does not work where selfreset-helper runs it: exit 75" in ctl(
        host, "--check").said
    taker = pathlib.Path("/home/taker")
    taker.write_text("#!/bin/sh\ncat >&2\n")
    taker.chmod(0o755)
    for program, code, said in ((taker, 0, "has taken a mail to a@b"),
                                (tried, 1, "not taken the mail: exit 75")):
        host.configure(reset={"mail_program": program})
        done = host.run("selfresetctl", "notices", "--try", "a@b")
        assert done.returncode == code and said in " ".join(
            (done.stdout + done.stderr).split()), done
    tried.chmod(0o700)
    host.configure(reset={"mail_program": tried})
    assert "its user cannot execute it (exit 127)" in ctl(host, "--check").said
    host.configure(reset={"mail_program": "/bin/true"})
    subprocess.run(["mount", "--bind", "/etc/passwd", "/usr/bin/ssh-keygen"],
                   check=True)
    said = ctl(host, "--check").said
    subprocess.run(["umount", "/usr/bin/ssh-keygen"], check=True)
    assert "no signature of a key can be checked" in said
    tried.chmod(0o777)
    host.configure(reset={
        "gates": "1", "classes": "sms voice mail", "phone_prefixes": "+49",
        "sms_program": "/nonexistent", "voice_program": f"{tried} -v"})
    said = ctl(host, "--check").said
    for one in ("by sms is not there", "Other users can change the program",
                "A telephone alone is enough", "cannot reset their password"):
        assert one in said, (one, said)
    host.configure(reset={"gates": "2", "classes": "app codes"})
    helper.stop(host, host.helper)
    done = ctl(host, "--check")
    assert done.returncode == 2 and "does not listen" in done.said
    config = ETC / "ssh/sshd_config"
    config.write_text("PermitEmptyPasswords yes\n" + config.read_text())
    assert "admits accounts without a password" in ctl(host, "--check").said
    host.service("login", stack().replace("pam_selfreset", "pam_unix"))
    assert "does not have pam_selfreset.so" in ctl(host, "--check").said
    subprocess.run(["gpasswd", "-a", "reset", "sudo"], check=True,
                   capture_output=True)
    assert "groups that give it rights" in ctl(host, "--check").said
    host.configure(reset={"enable": "no"})
    assert ctl(host, "--check").returncode == 0
    assert port
