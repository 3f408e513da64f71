"""login, su, sudo, passwd, chpasswd, cron, and callers of other habits.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import fcntl
import os
import pathlib
import time

import pytest

from scratch import CONTACT, ETC, RUN, stack, wait_until
from talk import AGAIN, CURRENT, NEW, PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
EXPIRED = {"changed": 100, "max": 90}


def audited():
    return os.path.exists("/proc/self/loginuid")


needs_login_uid = pytest.mark.skipif(
    not audited(), reason="this kernel has no login uid")


# ---- login

def login(account):
    """login on a terminal, as getty starts it."""
    return Talk(["login", account.name])


def test_login(host):
    ann = host.add("ann", OLD, changed=85, max=90)
    with login(ann) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert "in as ann" in shown and "expire" in shown


def test_login_wrong_then_another_user(host):
    ann = host.add("ann", OLD)
    host.add("bob", "something else")
    with login(ann) as talk:
        talk.answer(PASSWORD, "no")
        talk.until("Login incorrect")
        talk.answer("login: ", "bob")
        talk.answer(PASSWORD, "something else")
        assert "in as bob" in talk.rest()


def test_login_expired(host):
    ann = host.add("ann", OLD, **EXPIRED)
    with login(ann) as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW, "secret")
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        assert "in as ann" in talk.rest()
    assert host.has_password("ann", FRESH)


def test_login_must_log_on(host):
    host.configure(change={"require_logon": "yes"})
    ann = host.add("ann", OLD, **EXPIRED)
    with login(ann) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.until(CONTACT)
        assert "in as" not in shown
    assert host.has_password("ann", OLD)


def test_login_locked_out(host):
    host.configure(lockout={"attempts": 2})
    ann = host.add("ann", OLD)
    with login(ann) as talk:
        talk.answer(PASSWORD, "no")
        talk.answer("login: ", "ann")
        talk.answer(PASSWORD, "no")
        talk.answer("login: ", "ann")
        talk.answer(PASSWORD, OLD)
        talk.until(CONTACT)


# ---- su

def root_may(host, *services):
    for name in services:
        host.service(name, "auth sufficient pam_rootok.so\n" + stack())


def test_su(host):
    ann, bob = host.add("ann", OLD), host.add("bob", "something else")
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as su:
        su.answer(PASSWORD, OLD)
        assert "in as ann" in su.rest()
    with Talk(["su", "ann", "-c", "echo in"], user=bob) as su:
        su.answer(PASSWORD, "no")
        assert "in as" not in su.rest()
    assert ann.uid != bob.uid


def test_su_expired(host):
    host.add("ann", OLD, **EXPIRED)
    bob = host.add("bob", "something else")
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as su:
        su.answer(PASSWORD, OLD)
        su.answer(NEW, FRESH)
        su.answer(AGAIN, FRESH)
        assert "in as ann" in su.rest()
    assert host.has_password("ann", FRESH)


def test_su_by_root(host):
    root_may(host, "su")
    host.add("ann", OLD)
    assert host.run("su", "ann", "-c", "id -un").stdout == "ann\n"
    host.add("ended", OLD, expire="-1")
    done = host.run("su", "ended", "-c", "id -un")
    assert done.returncode != 0 and "ended" not in done.stdout


def test_su_by_root_to_an_expired_account_asks_for_its_password(host):
    root_may(host, "su")
    host.add("ann", OLD, **EXPIRED)
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"]) as su:
        su.answer(CURRENT, OLD)
        su.answer(NEW, FRESH)
        su.answer(AGAIN, FRESH)
        assert "in as ann" in su.rest()
    assert host.has_password("ann", FRESH)


def test_guesses_by_su_count(host):
    ann, bob = host.add("ann", OLD), host.add("bob", "something else")
    for number in range(5):
        with Talk(["su", "ann", "-c", "echo in"], user=bob) as su:
            su.answer(PASSWORD, f"guess {number}")
            su.rest()
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as su:
        su.answer(PASSWORD, OLD)
        shown = su.rest()
    assert "in as" not in shown and CONTACT in shown
    with Talk(host.ssh_command("ann", "echo in as ann")) as ssh:
        ssh.answer(PASSWORD, OLD)
        assert "in as" not in ssh.rest()
    assert ann.uid


# ---- sudo

SUDO = r"password for \w+: "


def sudo(account, *command):
    """sudo looks the groups up itself; the process needs none."""
    return Talk(["sudo", *command], user=account)


def test_sudo(host):
    ann = host.add("ann", OLD, groups=("wheel",))
    for password, works in (("no", False), (OLD, True)):
        with sudo(ann, "id", "-un") as talk:
            talk.answer(SUDO, password)
            if works:
                assert "root" in talk.rest()
            else:
                talk.until("try again")


def test_sudo_does_not_break_for_an_expired_password(host):
    ann = host.add("ann", OLD, groups=("wheel",), **EXPIRED)
    with sudo(ann, "id", "-un") as talk:
        talk.answer(SUDO, OLD)
        assert "root" in talk.rest()


def test_sudo_breaks_where_it_is_configured_to(host):
    host.configure(expiry={"expired_services": ""})
    ann = host.add("ann", OLD, groups=("wheel",), **EXPIRED)
    with sudo(ann, "id", "-un") as talk:
        talk.answer(SUDO, OLD)
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        assert "root" in talk.rest()
    assert host.has_password("ann", FRESH)


def test_sudo_of_an_ended_account(host):
    ann = host.add("ann", OLD, groups=("wheel",), expire="-1")
    with sudo(ann, "id", "-un") as talk:
        talk.answer(SUDO, OLD)
        assert "root" not in talk.rest()


# ---- passwd and chpasswd

def passwd(account, login_uid=None):
    return Talk(["passwd"], user=account, login_uid=login_uid)


def test_passwd(host):
    ann = host.add("ann", OLD)
    with passwd(ann) as talk:
        talk.answer(CURRENT, OLD)
        shown = talk.answer(NEW, "secret")
        assert "15 characters" in shown
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
        assert talk.status == 0
    assert host.has_password("ann", FRESH)


def test_passwd_too_young(host):
    host.configure(change={"minimum_age": "30d"})
    ann = host.add("ann", OLD, changed=10)
    with passwd(ann) as talk:
        shown = talk.rest()
        assert "in 19 days" in shown or "in 20 days" in shown
        assert talk.status != 0


def test_passwd_min_of_shadow(host):
    ann = host.add("ann", OLD, changed=10, min=30)
    with passwd(ann) as talk:
        shown = talk.rest()
        assert "days" in shown
    assert host.has_password("ann", OLD)


@contextlib.contextmanager
def files_locked():
    """Another process holds the lock of the files of accounts, as vipw does
    while its editor is open."""
    with open("/etc/.pwd.lock", "w", encoding="ascii") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield lock


def test_another_program_has_the_files(host):
    """pam_unix would wait for hours.  Before a new password is asked for, and
    when it has been typed."""
    ann = host.add("ann", OLD)
    with files_locked():
        assert "Another program" in host.drive(
            "passwd", "ann", "chauthtok", answers=[FRESH, FRESH]).said
        assert host.log.with_text(f"held by process {os.getpid()} ")
    with passwd(ann) as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW, FRESH)
        talk.until(AGAIN)
        with files_locked():
            talk.type(FRESH)
            assert "Another program is changing the accounts" in talk.rest()
        assert talk.status != 0
    assert host.has_password("ann", OLD)


def test_another_program_has_had_the_files(host):
    ann = host.add("ann", OLD)
    with files_locked() as lock, passwd(ann) as talk:
        talk.answer(CURRENT, OLD)
        wait_until(lambda: host.log.with_text("SR-1011"))
        time.sleep(0.5)  # nothing tells that it waits
        fcntl.lockf(lock, fcntl.LOCK_UN)
        talk.change(FRESH)
        assert talk.status == 0
    assert host.has_password("ann", FRESH)


def test_guesses_by_passwd_count(host):
    ann = host.add("ann", OLD)
    for number in range(5):
        with passwd(ann) as talk:
            talk.answer(CURRENT, f"guess {number}")
            talk.rest()
            assert talk.status != 0
    with passwd(ann) as talk:
        shown = talk.rest()
    assert CONTACT in shown
    assert host.has_password("ann", OLD)


@needs_login_uid
def test_the_login_uid_alone_proves_nothing(host):
    """A process without one (a service with User=, a cgi) can set any."""
    host.configure(change={"require_logon": "yes"})
    ann = host.add("ann", OLD)
    with passwd(ann, login_uid=ann.uid) as talk:
        assert "session that you" in talk.rest()
        assert talk.status != 0
    assert host.has_password("ann", OLD)
    assert host.log.with_text("change-needs-login")


@needs_login_uid
@pytest.mark.parametrize("service, is_logon", [
    ("login", True), ("sshd", True), ("cron", False), ("su", False),
    ("sudo", False), ("probe", False)])
def test_only_a_logon_is_a_session(host, service, is_logon):
    """While it is open, and not after it was closed."""
    host.configure(change={"require_logon": "yes"})
    ann = host.add("ann", OLD)
    done = host.drive(service, "ann", "open", f"real-uid:{ann.uid}",
                      "chauthtok", "close", "chauthtok",
                      answers=[OLD, FRESH, FRESH, FRESH, OLD, OLD])
    assert done.codes == ["SUCCESS", "SUCCESS" if is_logon else "PERM_DENIED",
                          "SUCCESS", "PERM_DENIED"], done
    assert host.has_password("ann", FRESH if is_logon else OLD)


@needs_login_uid
def test_must_log_on_inside_a_login(host):
    host.configure(change={"require_logon": "yes"})
    ann = host.add("ann", OLD)
    pathlib.Path("/home/ann/.profile").write_text("passwd; exit 0\n")
    with login(ann) as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(CURRENT, OLD)
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
    assert host.has_password("ann", FRESH)


# A shell becomes a process of the user's own manager, and then passwd.  A
# systemd that another test starts removes groups that are empty; where none can
# be made, the file that tells of groups is replaced.
UNDER_MANAGER = """\
unit=user-{uid}.slice/user@{uid}.service
for try in 1 2 3 4 5 6 7 8; do
    for top in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
        group=$top/selfreset-test/$unit
        mkdir -p $group && echo $$ >$group/cgroup.procs && break 2
    done
done 2>/dev/null
if ! grep -q $unit /proc/$$/cgroup; then
    echo 0::/user.slice/$unit >{run}/cgroup
    mount --bind {run}/cgroup /proc/$$/cgroup || exit 1
fi
exec setpriv --reuid {uid} --regid {uid} --clear-groups passwd
"""


@needs_login_uid
def test_a_terminal_under_the_users_own_manager(host):
    """In a desktop session programs run there; a lingering manager runs, too,
    when nobody is logged on."""
    host.configure(change={"require_logon": "yes"})
    ann = host.add("ann", OLD)
    command = ["sh", "-c", UNDER_MANAGER.format(uid=ann.uid, run=RUN)]
    with Talk(command, login_uid=ann.uid) as talk:
        assert "session that you" in talk.rest()
    with Talk(host.ssh_command("ann", "echo ready; exec cat")) as ssh:
        ssh.answer(PASSWORD, OLD)
        ssh.until("ready")
        with Talk(command, login_uid=ann.uid) as talk:
            talk.answer(CURRENT, OLD)
            talk.answer(NEW, FRESH)
            talk.answer(AGAIN, FRESH)
            talk.rest()
    assert host.has_password("ann", FRESH)


@needs_login_uid
def test_must_log_on_from_another_ones_session(host):
    """bob has become ann by su: the login uid is still bob's."""
    host.configure(change={"require_logon": "yes"})
    ann, bob = host.add("ann", OLD), host.add("bob", "something else")
    with passwd(ann, login_uid=bob.uid) as talk:
        shown = talk.rest()
        assert talk.status != 0
    assert "session that you" in shown
    assert host.has_password("ann", OLD)


@needs_login_uid
def test_must_log_on_inside_an_ssh_session(host):
    host.configure(change={"require_logon": "yes"})
    host.add("ann", OLD)
    with Talk(host.ssh_command("ann", "passwd", tty=True)) as ssh:
        ssh.answer(PASSWORD, OLD)
        ssh.answer(CURRENT, OLD)
        ssh.answer(NEW, FRESH)
        ssh.answer(AGAIN, FRESH)
        ssh.rest()
    assert host.has_password("ann", FRESH)


def test_passwd_of_a_protected_account(host):
    host.configure(change={"protected": "ann"})
    ann = host.add("ann", OLD)
    with passwd(ann) as talk:
        assert CONTACT in talk.rest()
    with Talk(["passwd", "ann"]) as talk:
        talk.rest()
        assert talk.status != 0
    assert host.has_password("ann", OLD)


def test_passwd_of_an_account_whose_owner_may_not(host):
    host.configure(change={"cannot_change": "ann"})
    ann = host.add("ann", OLD)
    with passwd(ann) as talk:
        assert CONTACT in talk.rest()
    with Talk(["passwd", "ann"]) as talk:
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
        assert talk.status == 0
    assert host.has_password("ann", FRESH)


def test_passwd_by_root_is_advised(host):
    host.add("ann", OLD, changed=0)
    with Talk(["passwd", "ann"]) as talk:
        talk.answer(NEW, "secret")
        shown = talk.answer(AGAIN, "secret")
        assert "too short" in shown
        talk.rest()
        assert talk.status == 0
    assert host.has_password("ann", "secret")


def test_passwd_by_root_is_held_to_the_rules_where_configured(host):
    host.configure(change={"root": "enforce"})
    host.add("ann", OLD)
    with Talk(["passwd", "ann"]) as talk:
        for _ in range(3):
            talk.answer(NEW, "secret")
        talk.rest()
        assert talk.status != 0
    assert host.has_password("ann", OLD)


def test_chpasswd(host):
    host.add("ann", OLD)
    done = host.run("chpasswd", input=f"ann:{FRESH}\n")
    assert done.returncode == 0, done.stderr
    assert host.has_password("ann", FRESH)


# ---- cron

def crontab(user, command):
    """A job that cron runs as it starts."""
    path = ETC / "cron.d/test"
    path.write_text(f"SHELL=/bin/sh\n@reboot {user} {command}\n"
                    "@reboot root for i in 1 2 3 4 5 6; do sleep 0.2; "
                    f"test -e /home/{user}/ran && break; done; "
                    "touch /run/done\n")
    path.chmod(0o644)


def cron_runs(host, user):
    """Whether cron runs a job of the user; one of root tells when to look."""
    mark, done = pathlib.Path("/home", user, "ran"), pathlib.Path("/run/done")
    for path in (mark, done, pathlib.Path("/run/crond.reboot"),
                 pathlib.Path("/run/crond.pid")):
        path.unlink(missing_ok=True)
    crontab(user, f"touch {mark}")
    cron = host.start(["cron", "-f"])
    wait_until(done.exists, what="cron")
    cron.kill()
    cron.wait()
    return mark.exists()


def test_cron(host):
    host.add("ann", OLD)
    assert cron_runs(host, "ann")


def test_cron_with_an_expired_password(host):
    host.add("ann", OLD, **EXPIRED)
    assert cron_runs(host, "ann")


def test_cron_breaks_where_it_is_configured_to(host):
    host.configure(expiry={"expired_services": "sudo"})
    host.add("ann", OLD, **EXPIRED)
    assert not cron_runs(host, "ann")


def test_cron_of_an_ended_account(host):
    host.add("ann", OLD, expire="-1")
    assert not cron_runs(host, "ann")


def test_cron_of_root_with_an_expired_password(host):
    host.set_shadow("root", 2, 100)
    host.set_shadow("root", 4, 90)
    done = host.drive("cron", "root", "acct", "cred", "open",
                      no_conversation=True, silent=True)
    assert done.codes == ["SUCCESS"] * 3


# ---- callers of other habits

def test_a_caller_that_only_authenticates(host):
    """Screen lockers never call acct_mgmt: the ledger must clear all the
    same."""
    host.add("ann", OLD)
    for _ in range(3):
        for _ in range(4):
            assert host.drive("probe", "ann", "auth",
                              answers=["no"]).codes == ["AUTH_ERR"]
        assert host.drive("probe", "ann", "auth", answers=[OLD]).codes == [
            "SUCCESS"]


def test_a_caller_that_is_not_root(host):
    ann = host.add("ann", OLD)
    done = host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                      uid=ann.uid)
    assert done.codes == ["AUTHINFO_UNAVAIL"] * 2
    done = host.drive("probe", "ann", "chauthtok", uid=ann.uid,
                      answers=[OLD, FRESH, FRESH])
    assert done.code in ("AUTHINFO_UNAVAIL", "TRY_AGAIN")
    assert "permission to check passwords" in done.said
    assert host.log.with_text("SR-3212")
    assert host.has_password("ann", OLD)


def test_the_notice_of_failed_attempts(host):
    host.add("ann", OLD)
    for _ in range(3):
        host.drive("probe", "ann", "auth", answers=["no"], rhost="192.0.2.7")
    done = host.drive("probe", "ann", "auth", "acct", "open", answers=[OLD],
                      rhost="192.0.2.9", tty="ssh")
    assert "3 failed" in done.said and "192.0.2.7" in done.said
    done = host.drive("probe", "ann", "auth", "acct", "open", answers=[OLD],
                      rhost="192.0.2.9", tty="ssh")
    assert "failed" not in done.said
