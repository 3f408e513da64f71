"""The state groups: what sshd, PAM modules, sudo and polkit do by them, from
one connection to the next, and what they do when nothing can be believed.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import os
import pathlib
import subprocess
import time

import pytest

import polkit
from scratch import (DAY, ETC, NSSDIR, PUBLISHED, RUN, STATE_GROUPS, stack,
                     wait_until)
from talk import AGAIN, CURRENT, NEW, PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
STRANGER = "192.0.2.7"
METHODS = ("publickey", "keyboard-interactive")

# PAM that asks for nothing but the password: whoever is refused then is
# refused because of a group.
BLIND = ("auth required pam_unix.so nodelay\n"
         "account required pam_permit.so\n"
         "session optional pam_permit.so\n")
ACCOUNT_ALONE = "auth required pam_permit.so\naccount requisite "


class Sshd:
    """One sshd, the same process to the end, and the logins through it."""

    def __init__(self, host, **options):
        self.host = host
        self.port = host.sshd(**options)
        self.process = host.running[-1]
        self.log = RUN / f"sshd-{self.port}.log"

    def show(self, user, command, method="publickey", password=OLD):
        """What the command of a session shows; nothing of it is typed."""
        assert self.process.poll() is None
        line = self.host.ssh_command(user, command, port=self.port,
                                     method=method)
        if method == "publickey":
            done = self.host.run(*line)
            return done.stdout + done.stderr
        with Talk(line) as talk:
            talk.answer(PASSWORD, password)
            return talk.rest()

    def lets_in(self, user="ann", method="publickey", password=OLD):
        """Whether a login works; if not, then because of a group."""
        before = self.refusals()
        shown = self.show(user, "echo in as $(id -un)", method, password)
        is_in = f"in as {user}" in shown
        assert is_in == (self.refusals() == before), shown
        return is_in

    def refusals(self):
        return self.log.read_text().count("not allowed because")

    def lets_in_by(self, user="ann"):
        """The methods by which a user gets in."""
        return {method for method in METHODS if self.lets_in(user, method)}


def add(host, name="ann", **fields):
    account = host.add(name, OLD, **fields)
    host.give_key(name)
    return account


def lock(host, name="ann"):
    """By hand, and then what the path unit on /etc/shadow does."""
    done = host.run("usermod", "--expiredate", "1", name)
    assert done.returncode == 0, done.stderr
    host.publish()


def unlock(host, name="ann"):
    done = host.run("usermod", "--expiredate", "", name)
    assert done.returncode == 0, done.stderr
    host.publish()


def guess(host, count=5, name="ann", rhost=STRANGER):
    for _ in range(count):
        host.drive("probe", name, "auth", answers=["no"], rhost=rhost)


def ctl(host, *arguments):
    done = host.run("selfresetctl", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- what is shown, event by event

def test_every_event_is_seen_by_the_next_lookup(host):
    """Nothing is published here but by the event itself."""
    ann = add(host)
    host.serve_states()
    assert host.states("ann") == {"acct-ok"}
    ctl(host, "must-change", "ann")
    assert host.states("ann") == {"acct-ok", "pw-must-change"}
    ctl(host, "must-change", "--clear", "ann")
    assert host.states("ann") == {"acct-ok"}
    word = ctl(host, "temporary", "ann").split()
    assert host.states("ann") == {"acct-ok", "pw-must-change"}
    temporary = [each for each in word if host.has_password("ann", each)][0]
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, temporary)
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
    assert host.states("ann") == {"acct-ok"}
    guess(host)
    assert host.states("ann") == {"acct-locked"}
    ctl(host, "unlock", "ann")
    assert host.states("ann") == {"acct-ok"}


def test_a_login_tells_what_it_has_found(host):
    """chage writes the file behind everybody's back."""
    add(host)
    host.serve_states()
    host.set_shadow("ann", 2, 0)
    assert host.states("ann") == {"acct-ok"}
    host.drive("probe", "ann", "auth", "acct", answers=[OLD])
    assert host.states("ann") == {"acct-ok", "pw-must-change"}
    host.set_shadow("ann", 7, 1)
    assert host.drive("probe", "ann", "acct").code == "ACCT_EXPIRED"
    assert host.states("ann") == {"acct-locked"}


STATES = {
    "ok": ({}, {"acct-ok"}),
    "expiring": ({"changed": 85, "max": 90}, {"acct-ok", "pw-expiring"}),
    "expired": ({"changed": 100, "max": 90}, {"acct-ok", "pw-expired"}),
    "must-change": ({"changed": 0}, {"acct-ok", "pw-must-change"}),
    "inactive": ({"changed": 100, "max": 90, "inactive": 5}, {"pw-expired"}),
    "ended": ({"expire": "-1"}, {"acct-locked"}),
}


def test_the_groups_of_every_state(host):
    for name, (fields, _) in STATES.items():
        host.add(name, OLD, **fields)
    host.serve_states()
    for name, (_, groups) in STATES.items():
        assert host.states(name) == groups, name
    assert host.states("root") == {"acct-ok"}


def test_root_and_break_glass_are_never_shut_out(host):
    host.configure(nss={"break_glass": "glass"})
    for name in ("glass", "ann"):
        host.add(name, OLD, changed=0, expire="-1")
    host.set_shadow("root", 2, 0)
    host.serve_states()
    assert host.states("root") == host.states("glass") == {"acct-ok"}
    assert "acct-locked" in host.states("ann")


def test_a_lockout_ends_by_itself(host):
    host.configure(nss={"max_age": "30d"},
                   lockout={"duration": "1h", "window": "1h"})
    add(host)
    host.serve_states()
    guess(host)
    assert host.states("ann") == {"acct-locked"}
    before = published()
    assert host.states("ann", later=1800) == {"acct-locked"}
    assert host.states("ann", later=3601) == {"acct-ok"}
    assert published() == before, "somebody has published"


def published():
    """All files and links, with what tells that one was replaced."""
    return {path: os.lstat(path).st_ino for path in PUBLISHED.rglob("*")}


def test_a_password_expires_between_two_lookups(host):
    host.create_state_groups()
    host.nsswitch()
    host.add("frank", OLD)
    host.publish_directory("frank,ldap,changed=-90d,expires=+600s,warn=7d")
    assert host.states("frank") == {"acct-ok", "pw-expiring"}
    before = published()
    assert host.states("frank", later=300) == {"acct-ok", "pw-expiring"}
    assert host.states("frank", later=601) == {"acct-ok", "pw-expired"}
    assert published() == before


def test_midnight_needs_nobody_to_publish(host):
    host.configure(nss={"max_age": "30d"})
    host.add("ann", OLD, changed=85, max=90)
    host.serve_states()
    later = {days: host.states("ann", later=days * DAY)
             for days in (0, 8, 31)}
    assert later == {0: {"acct-ok", "pw-expiring"},
                     8: {"acct-ok", "pw-expired"},
                     31: {"acct-state-unknown"}}


# ---- sshd

def forcing(host):
    """An sshd for which PAM lets a key in whatever the password is; the group
    is what restricts the session."""
    host.configure(expiry={"expired_services": "sshd"})
    return Sshd(host, match="Match Group pw-must-change\n"
                            "    ForceCommand passwd\n")


def test_a_forced_command_until_the_change(host):
    add(host, changed=0)
    sshd = forcing(host)
    host.serve_states()
    with Talk(host.ssh_command("ann", "echo in as $(id -un)", port=sshd.port,
                               method="publickey", tty=True)) as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        assert "in as" not in talk.rest()
    assert host.has_password("ann", FRESH)
    assert sshd.lets_in()
    assert sshd.lets_in(method="keyboard-interactive", password=FRESH)
    ctl(host, "must-change", "ann")
    assert "in as" not in sshd.show("ann", "echo in as ann")


def test_a_forced_command_that_is_given_up_stays(host):
    add(host, changed=0)
    sshd = forcing(host)
    host.serve_states()
    for _ in range(2):
        with Talk(host.ssh_command("ann", "echo in as ann", port=sshd.port,
                                   method="publickey", tty=True)) as talk:
            talk.until(CURRENT)
    assert host.has_password("ann", OLD)


@pytest.mark.parametrize("rule", [{"DenyGroups": "acct-locked"},
                                  {"AllowGroups": "acct-ok"}])
def test_sshd_follows_a_lock_and_an_unlock(host, rule):
    host.service("sshd", BLIND)
    add(host)
    sshd = Sshd(host, **rule)
    host.serve_states()
    assert sshd.lets_in_by() == set(METHODS)
    lock(host)
    assert sshd.lets_in_by() == set()
    unlock(host)
    assert sshd.lets_in_by() == set(METHODS)


def test_a_connection_keeps_the_verdict_it_began_with(host):
    host.service("sshd", BLIND)
    add(host)
    sshd = Sshd(host, DenyGroups="acct-locked")
    host.serve_states()
    path = RUN / "master"
    through = ("-o", f"ControlPath={path}")
    master = host.start(
        host.ssh_command("ann", port=sshd.port, method="publickey",
                         options=("-M", "-N", *through)),
        stdin=subprocess.DEVNULL)
    wait_until(path.exists, what="the first connection")
    lock(host)
    done = host.run(*host.ssh_command("ann", "echo in as ann", port=sshd.port,
                                      options=through))
    assert "in as ann" in done.stdout
    assert not sshd.lets_in()
    master.kill()
    master.wait()
    path.unlink(missing_ok=True)
    assert not sshd.lets_in()


@pytest.mark.parametrize("rule", [{"DenyGroups": "acct-locked"},
                                  {"AllowGroups": "acct-ok"}])
def test_sshd_follows_a_lockout(host, rule):
    """ann has never logged in from anywhere: no source of hers is left."""
    host.service("sshd", BLIND)
    add(host)
    sshd = Sshd(host, **rule)
    host.serve_states()
    guess(host, 4)
    assert sshd.lets_in_by() == set(METHODS)
    guess(host, 1)
    assert sshd.lets_in_by() == set()
    ctl(host, "unlock", "ann")
    assert sshd.lets_in_by() == set(METHODS)


def test_guesses_of_a_stranger_do_not_shut_out_the_owner(host):
    add(host)
    sshd = Sshd(host, DenyGroups="acct-locked")
    host.serve_states()
    assert sshd.lets_in(method="keyboard-interactive")
    guess(host, 10)
    assert host.drive("probe", "ann", "auth", answers=[OLD],
                      rhost=STRANGER).code != "SUCCESS"
    assert host.states("ann") == {"acct-ok"}
    assert sshd.lets_in_by() == set(METHODS)
    guess(host, 5, rhost="127.0.0.1")
    assert host.states("ann") == {"acct-locked"}
    assert sshd.lets_in_by() == set()


def test_allow_groups_refuses_while_the_module_is_gone(host):
    host.service("sshd", BLIND)
    add(host)
    host.give_key("root")
    sshd = Sshd(host, AllowGroups="acct-ok root")
    host.serve_states()
    assert sshd.lets_in()
    host.remove_nss_module()
    assert not sshd.lets_in()
    assert sshd.lets_in("root")
    host.install_nss_module()
    assert sshd.lets_in()


def spoil_missing(_host):
    for view in ("groups", "shadow"):
        (PUBLISHED / f"{view}.snap").unlink()


def spoil_truncated(_host):
    """Within the first bucket, behind a header that is whole."""
    for view in ("groups", "shadow"):
        os.truncate(PUBLISHED / f"{view}.snap", 4096 + 256)


def spoil_damaged(_host):
    """In the header, where the id of acct-ok is."""
    for view in ("groups", "shadow"):
        with open(PUBLISHED / f"{view}.snap", "r+b") as snapshot:
            snapshot.seek(88)
            snapshot.write(b"\xff")


def spoil_old(host):
    """As if nothing had been published for two days, and the fallback left."""
    aside = NSSDIR / "old"
    host.publish_directory("ann,local", "root,local", "glass,local", age="2d",
                           dir=aside)
    for view in ("groups", "shadow"):
        os.rename(aside / f"{view}.snap", PUBLISHED / f"{view}.snap")
    host.run("rm", "-rf", aside)


@pytest.mark.parametrize("spoil", [spoil_missing, spoil_truncated,
                                   spoil_damaged, spoil_old])
def test_nothing_that_can_be_believed(host, spoil):
    """Then nobody gets in but root and who breaks the glass."""
    host.service("sshd", BLIND)
    host.configure(nss={"break_glass": "glass"})
    for name in ("ann", "glass"):
        add(host, name)
    host.give_key("root")
    allowing = Sshd(host, AllowGroups="acct-ok")
    denying = Sshd(host, DenyGroups="acct-locked acct-state-unknown")
    host.serve_states()
    for sshd in (allowing, denying):
        assert sshd.lets_in("ann")
    spoil(host)
    assert host.states("ann") == {"acct-state-unknown"}
    assert host.states("root") == host.states("glass") == {"acct-ok"}
    for sshd in (allowing, denying):
        assert [sshd.lets_in(name) for name in ("ann", "glass", "root")] == [
            False, True, True]
    host.publish()
    for sshd in (allowing, denying):
        assert sshd.lets_in("ann")


# ---- what a session gets

def gids(text):
    return {int(word) for word in text.split() if word.isdigit()}


STATE_GIDS = set(STATE_GROUPS.values())


@pytest.fixture
def watched(host):
    """ann, whose state groups are three, and who shows her groups as her shell
    starts."""
    account = host.add("ann", OLD, changed=85, max=90, groups=("wheel",))
    host.give_key("ann")
    pathlib.Path("/home/ann/.profile").write_text("id -G\nexit 0\n")
    host.serve_states()
    assert host.states("ann") == {"acct-ok", "pw-expiring"}
    return account


def has_none(account, shown):
    """Whether a session has its own groups, and none of a state."""
    found = gids(shown)
    assert account.uid in found, shown
    return not found & STATE_GIDS


@pytest.mark.parametrize("method", METHODS)
def test_a_session_of_ssh_has_no_state_group(host, watched, method):
    assert has_none(watched, Sshd(host).show("ann", "id -G", method))


def test_a_session_of_login_has_no_state_group(host, watched):
    with Talk(["login", "ann"]) as talk:
        talk.answer(PASSWORD, OLD)
        assert has_none(watched, talk.rest().split("expire", 1)[-1])


@pytest.mark.parametrize("command", [["su", "ann", "-c", "id -G"],
                                     ["su", "-", "ann"],
                                     ["setpriv", "--reuid=ann", "--regid=ann",
                                      "--init-groups", "id", "-G"]])
def test_a_session_of_su_has_no_state_group(host, watched, command):
    for name in ("su", "su-l"):
        host.service(name, "auth sufficient pam_rootok.so\n" + stack())
    assert has_none(watched, host.run(*command).stdout)


def test_a_job_of_cron_has_no_state_group(host, watched):
    out = pathlib.Path("/home/ann/groups")
    job = ETC / "cron.d/test"
    job.write_text(f"SHELL=/bin/sh\n@reboot ann id -G > {out}.new; "
                   f"mv {out}.new {out}\n")
    job.chmod(0o644)
    for path in ("/run/crond.reboot", "/run/crond.pid"):
        pathlib.Path(path).unlink(missing_ok=True)
    host.start(["cron", "-f"])
    wait_until(out.exists, what="cron's job")
    assert has_none(watched, out.read_text())


def test_a_command_of_sudo_has_what_sudo_looked_up(host, watched):
    """sudo asks as a rule does, and hands what it gets to the kernel.  No file
    is anybody's by these groups, and nobody can take one by himself."""
    (ETC / "sudoers").chmod(0o600)
    with open(ETC / "sudoers", "a", encoding="ascii") as out:
        out.write("ann ALL=(ALL) NOPASSWD: ALL\n")
    (ETC / "sudoers").chmod(0o440)
    shown = {name: gids(host.run("sudo", "-u", name, "id", "-G",
                                 **as_user(watched)).stdout) & STATE_GIDS
             for name in ("ann", "root")}
    assert shown == {"ann": {STATE_GROUPS["acct-ok"],
                             STATE_GROUPS["pw-expiring"]},
                     "root": {STATE_GROUPS["acct-ok"]}}
    assert has_none(watched, host.run("id", "-G", **as_user(watched)).stdout)


def as_user(account):
    """A process as a login makes it: with the groups that the kernel was
    given."""
    return {"user": account.uid, "group": account.uid,
            "extra_groups": [account.uid]}


def test_nobody_can_take_a_state_group(host, watched):
    """Not in a session either, where newgrp looks at what the kernel knows."""
    shown = Sshd(host).show("ann", "for group in acct-ok pw-expiring; do "
                            "sg $group -c 'echo taken' </dev/null; done; id -G")
    assert "taken" not in shown
    assert has_none(watched, shown)


# ---- other readers of groups

def account_code(host, line):
    host.service("probe", ACCOUNT_ALONE + line + "\n"
                 "account required pam_permit.so\n")
    return host.drive("probe", "ann", "acct").code


@pytest.mark.parametrize("line", [
    "pam_succeed_if.so quiet user notingroup acct-locked",
    "pam_succeed_if.so quiet user ingroup acct-ok",
    "pam_access.so"])
def test_pam_modules_follow(host, line):
    (ETC / "security/access.conf").write_text("-:(acct-locked):ALL\n")
    host.add("ann", OLD)
    host.serve_states()
    assert account_code(host, line) == "SUCCESS"
    lock(host)
    assert account_code(host, line) != "SUCCESS"
    unlock(host)
    assert account_code(host, line) == "SUCCESS"


@pytest.mark.parametrize("source, follows", [("dynamic", True),
                                             ("adaptive", False)])
def test_sudo_follows_where_its_groups_are_dynamic(host, source, follows):
    (ETC / "sudoers").write_text("Defaults !lecture\n"
                                 "ann ALL=(ALL) NOPASSWD: ALL\n"
                                 "%acct-locked ALL=(ALL) !ALL\n")
    (ETC / "sudo.conf").write_text(f"Set group_source {source}\n")
    host.service("sudo", "auth required pam_deny.so\n"
                 "account required pam_permit.so\n"
                 "session required pam_permit.so\n")
    ann = host.add("ann", OLD)
    host.serve_states()

    def sudo():
        return host.run("sudo", "-n", "id", "-u", **as_user(ann)).stdout

    assert sudo() == "0\n"
    lock(host)
    assert sudo() == ("" if follows else "0\n")
    unlock(host)
    assert sudo() == "0\n"


POLKIT_RULES = """
polkit.addRule(function(action, subject) {
    if (subject.isInGroup("acct-locked"))
        return polkit.Result.NO;
    if (action.id == "org.example.refused" && subject.isInGroup("acct-ok"))
        return polkit.Result.YES;
});
"""


def test_polkit_follows_though_it_is_not_root(host):
    ann = host.add("ann", OLD)
    host.serve_states()
    daemon = polkit.Polkit(host, POLKIT_RULES)
    assert daemon.uid() != 0
    for act, may in ((None, True), (lock, False), (unlock, True)):
        if act is not None:
            act(host)
        assert daemon.authorizes(ann, polkit.GRANTED) is may
        assert daemon.authorizes(ann, polkit.REFUSED) is may


# ---- who may know

def test_only_root_and_polkitd_may_know_the_groups(host):
    ann, bob = host.add("ann", OLD), host.add("bob", OLD)
    polkitd = passwd_uid("polkitd")
    host.serve_states()
    assert host.states("ann") == {"acct-ok"}
    for reader, groups in ((bob.uid, set()), (ann.uid, set()),
                           (passwd_uid("nobody"), set()),
                           (polkitd, {"acct-ok"})):
        assert states_seen_by(host, reader) == groups
    for path in (PUBLISHED / "groups.snap", PUBLISHED / "shadow.snap"):
        assert host.run("cat", path, user=bob.uid, group=bob.uid,
                        extra_groups=[]).returncode != 0


def test_a_stranger_is_told_nothing_when_all_is_broken(host):
    bob = host.add("bob", OLD)
    host.serve_states()
    spoil_missing(host)
    assert host.states("bob") == {"acct-state-unknown"}
    assert states_seen_by(host, bob.uid, "bob") == set()


def test_the_administrator_may_show_the_groups_to_all(host):
    host.configure(nss={"view": "public"})
    ann, bob = host.add("ann", OLD), host.add("bob", OLD)
    host.serve_states()
    assert states_seen_by(host, bob.uid) == {"acct-ok"}
    guess(host)
    assert states_seen_by(host, ann.uid) == {"acct-locked"}
    host.configure(nss={"view": "restricted"})
    host.publish()
    assert states_seen_by(host, bob.uid) == set()


def passwd_uid(name):
    for line in (ETC / "passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2])
    raise AssertionError(f"there is no {name}")


def states_seen_by(host, uid, name="ann"):
    done = host.run("id", "-G", name, user=uid, group=uid, extra_groups=[])
    assert done.returncode == 0, done.stderr
    return {group for group, gid in STATE_GROUPS.items()
            if gid in gids(done.stdout)}


# ---- the shadow map

CARD = "frank,ldap,changed=-10d,expires=+80d,warn=7d"


def add_directory_account(host, name="frank", shadow=False):
    """An account with a line in passwd; what its password is, and how old, a
    directory knows.  With `shadow` a local line masks it."""
    account = host.add(name, OLD)
    if not shadow:
        lines = (ETC / "shadow").read_text().splitlines(keepends=True)
        (ETC / "shadow").write_text("".join(
            line for line in lines if not line.startswith(name + ":")))
    host.service("probe", ACCOUNT_ALONE + "pam_unix.so\n")
    if not set(STATE_GROUPS) <= group_names():
        host.create_state_groups()
    host.nsswitch()
    return account


def group_names():
    return {line.split(":")[0]
            for line in (ETC / "group").read_text().splitlines()}


def getent(host, name="frank", **options):
    return host.run("getent", "shadow", name, **options).stdout


def test_the_shadow_map_of_a_directory_account(host):
    frank = add_directory_account(host)
    host.publish_directory(CARD)
    fields = getent(host).strip().split(":")
    today = int(time.time()) // 86400
    assert fields[:4] == ["frank", "*", str(today - 10), ""]
    assert int(fields[2]) + int(fields[4]) in (today + 80, today + 81)
    assert fields[5] == "7"
    shown = host.run("passwd", "-S", "frank").stdout.split()
    assert shown[0] == "frank" and shown[4] == fields[4]
    assert getent(host, **as_user(frank)) == ""
    shadow = os.stat(ETC / "shadow").st_gid
    assert getent(host, user=frank.uid, group=shadow,
                  extra_groups=[]).startswith("frank:")


DIRECTORY = {
    "ok": ("", "SUCCESS"),
    "must change": (",must-change", "NEW_AUTHTOK_REQD"),
    "expired": (",changed=-100d,expires=-10d", "NEW_AUTHTOK_REQD"),
    "inactive": (",changed=-100d,expires=-10d,inactive=-5d",
                 "AUTHTOK_EXPIRED"),
    "ended": (",ends=-1d", "ACCT_EXPIRED"),
    "disabled": (",disabled", "ACCT_EXPIRED"),
    "locked for a time": (",locked=+1d", "SUCCESS"),
    "locked for good": (",locked", "ACCT_EXPIRED"),
    "unavailable": (",unavailable", "AUTHINFO_UNAVAIL"),
}


def test_pam_unix_judges_a_directory_account(host):
    """In its own process, and by unix_chkpwd, which is of the group shadow."""
    frank = add_directory_account(host)
    for state, (words, code) in DIRECTORY.items():
        host.publish_directory(CARD + words)
        assert host.drive("probe", "frank", "acct").code == code, state
        assert host.drive("probe", "frank", "acct",
                          uid=frank.uid).code == code, state


def test_unix_chkpwd_reads_by_the_mode_of_the_file(host):
    frank = add_directory_account(host)
    host.publish_directory(CARD)
    assert host.drive("probe", "frank", "acct", uid=frank.uid).code == "SUCCESS"
    (PUBLISHED / "shadow.snap").chmod(0o600)
    assert host.drive("probe", "frank", "acct", uid=frank.uid).code != "SUCCESS"


def test_a_local_line_masks_a_directory_account(host):
    add_directory_account(host, shadow=True)
    host.publish_directory(CARD + ",must-change")
    assert getent(host).split(":")[1].startswith("$6$")
    assert host.drive("probe", "frank", "acct").code == "SUCCESS"


def test_a_local_account_is_not_in_the_shadow_view(host):
    """Not even where the module is asked first, or its line is gone."""
    host.add("ann", OLD)
    host.serve_states()
    host.nsswitch(group="files selfreset", shadow="selfreset")
    assert getent(host, "ann") == ""
    host.publish_directory("ann,ldap")
    assert getent(host, "ann").startswith("ann:*:")


def test_enumeration_is_off_unless_it_is_wanted(host):
    frank = add_directory_account(host)
    host.publish_directory(CARD)
    everybody = host.run("getent", "shadow").stdout
    assert "root:" in everybody and "frank:" not in everybody
    host.publish_directory(CARD, listed=True)
    assert "frank:" in host.run("getent", "shadow").stdout
    assert "frank:" not in host.run("getent", "shadow",
                                    **as_user(frank)).stdout


def test_no_hash_is_ever_published(host):
    host.add("ann", OLD)
    host.serve_states()
    ctl(host, "must-change", "ann")
    hashed = host.shadow("ann")[1].encode()
    salt = hashed.split(b"$")[3]
    assert list(PUBLISHED.rglob("*"))
    for path in PUBLISHED.rglob("*"):
        if path.is_symlink():
            data = os.readlink(path).encode()
        else:
            data = path.read_bytes() if path.is_file() else b""
        assert salt not in data and hashed not in data


# ---- where the module stands in nsswitch.conf

IN, OUT = True, False
ORDERS = {
    # how the maps are written: whether ann, who is in no local group, and bob,
    # who is in one, are seen in their state groups
    "beside files": ({"group": "files selfreset"}, IN, IN),
    "merged": ({"group": "files [SUCCESS=merge] selfreset"}, IN, IN),
    "behind systemd": ({"group": "files systemd selfreset"}, IN, IN),
    "behind a return": ({"group": "files [NOTFOUND=return] selfreset"},
                        OUT, IN),
    "behind one that is missing":
        ({"group": "files nosuch [UNAVAIL=return] selfreset"}, OUT, OUT),
    "initgroups": ({"group": "files selfreset",
                    "initgroups": "files selfreset"}, IN, OUT),
    "initgroups that goes on":
        ({"group": "files selfreset",
          "initgroups": "files [SUCCESS=continue] selfreset"}, IN, IN),
    "not there": ({"group": "files"}, OUT, OUT),
}


def test_orders_of_the_group_map(host):
    host.add("ann", OLD)
    host.add("bob", OLD, groups=("wheel",))
    host.serve_states()
    for order, (maps, ann, bob) in ORDERS.items():
        host.nsswitch(**maps)
        seen = [bool(host.states(name)) for name in ("ann", "bob")]
        assert seen == [ann, bob], order
        assert "wheel" in host.run("id", "-Gn", "bob").stdout, order


def test_merge_on_the_shadow_map_breaks_it(host):
    """glibc's own rule: two lines that cannot be merged are an error, and so is
    a module that is missing.  Then even root has no shadow line."""
    host.add("ann", OLD)
    host.serve_states()
    for shadow, is_found in (("files selfreset", True),
                             ("files [SUCCESS=merge] selfreset", False)):
        host.nsswitch(group="files selfreset", shadow=shadow)
        host.publish_directory("ann,ldap")
        assert getent(host, "ann").startswith("ann:$6$") is is_found
        host.remove_nss_module()
        assert getent(host, "root").startswith("root:") is is_found
        host.install_nss_module()


def where(host):
    """The files in which the check finds something amiss, and how bad."""
    done = host.run("selfresetctl", "nss", "--check", "--json")
    assert done.returncode in (0, 2, 10), done.stderr
    return {(found["place"], found["severity"])
            for found in json.loads(done.stdout)}


@pytest.mark.parametrize("order", ORDERS)
def test_the_check_knows_the_orders(host, order):
    maps, ann, bob = ORDERS[order]
    host.serve_states()
    host.nsswitch(**{"shadow": "files selfreset", **maps})
    found = {bad for place, bad in where(host) if "nsswitch" in place}
    if not (ann and bob):
        assert "error" in found, found
    else:
        # Only what is directly behind the files is safe from other sources.
        assert found == ({"warning"} if "systemd" in order else set())


@pytest.mark.parametrize("shadow", ["files [SUCCESS=merge] selfreset",
                                    "selfreset files"])
def test_the_check_knows_the_orders_of_the_shadow_map(host, shadow):
    host.serve_states()
    host.nsswitch()
    assert not [place for place, _ in where(host) if "nsswitch" in place]
    host.nsswitch(group="files selfreset", shadow=shadow)
    assert [place for place, _ in where(host) if "nsswitch" in place]


# ---- the set-up

DEBIAN = """# /etc/nsswitch.conf
#
# Example configuration of GNU Name Service Switch functionality.

passwd:         files systemd
group:          files systemd
shadow:         files systemd
gshadow:        files systemd

hosts:          files dns
"""


@pytest.mark.parametrize("text", [DEBIAN, DEBIAN + "initgroups:     files\n",
                                  "passwd: files\n"])
def test_set_up_and_taken_back_by_the_tools(host, text):
    host.add("ann", OLD)
    host.add("bob", OLD, groups=("wheel",), changed=0)
    (ETC / "nsswitch.conf").write_text(text)
    ctl(host, "groups", "--create")
    assert set(STATE_GROUPS) <= group_names()
    host.publish()
    for _ in range(2):
        ctl(host, "nss", "--enable")
        for name, groups in (("ann", ["acct-ok"]),
                             ("bob", ["pw-must-change", "acct-ok"])):
            shown = host.run("id", "-Gn", name).stdout.split()
            assert set(shown) & set(STATE_GROUPS) == set(groups), shown
        assert "wheel" in host.run("id", "-Gn", "bob").stdout.split()
        assert getent(host, "ann").startswith("ann:$6$")
    for _ in range(2):
        ctl(host, "nss", "--disable")
        assert (ETC / "nsswitch.conf").read_text() == text


# ---- nothing of it where it is not wanted

def test_a_host_without_the_module_publishes_nothing(host):
    add(host)
    sshd = Sshd(host)
    assert sshd.lets_in(method="keyboard-interactive")
    guess(host, 5)
    ctl(host, "unlock", "ann")
    assert not NSSDIR.exists()


def test_the_change_goes_through_when_nothing_can_be_published(host):
    """What is shown must not get into the way of what is done."""
    ann = add(host, changed=0)
    host.serve_states()
    (PUBLISHED / "lock").unlink(missing_ok=True)
    (PUBLISHED / "lock").mkdir()
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
        assert talk.status == 0
    assert host.has_password("ann", FRESH)
    assert host.drive("probe", "ann", "auth", "acct",
                      answers=[FRESH]).codes == ["SUCCESS"] * 2
