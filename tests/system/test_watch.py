"""selfreset-publish with directories: everybody at once, and --follow, which
publishes what changes as it changes.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import shutil
import signal
import subprocess
import time

import pytest

import directory
from directory import (BASE, FOR_GOOD, PEOPLE, POLICY, SERVICE, Slapd,
                       dn_of, ldif, stamp, user)
from middle import DONE, Middle, Pipe, message, result
from scratch import RUN, wait_until
from test_ldap import configure

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

DAY = 86400
UNLIMITED = f'limits dn.exact="{SERVICE}" size=unlimited\n'
# What a service must be allowed for everybody to be read.
SYNC = UNLIMITED + "overlay syncprov\n"
PASSWORD = "correct horse battery"
AGEING = {"pwdMaxAge": 90 * DAY, "pwdMustChange": "TRUE", "pwdLockout": "TRUE",
          "pwdMaxFailure": 3, "pwdLockoutDuration": 900}
CROWD = 10000
# More than two pages, and the first of them is told of.
CUT = 1100
LIMITED = "size=500 size.prtotal=600"


def people(*names, **fields):
    return [user(name, 7000 + number, PASSWORD, pwdChangedTime=stamp(DAY),
                 **fields) for number, name in enumerate(names)]


def serve(host, users, *, more=SYNC, policy=None, names=(), **config):
    server = Slapd(host, users, policies={"policy": policy or AGEING},
                   modules=["syncprov"] if "syncprov" in more else [],
                   more=more)
    configure(host, server, **config)
    for number, name in enumerate(names):
        host.add_elsewhere(name, 7000 + number)
    host.create_state_groups()
    host.nsswitch()
    return server


class Follower:
    """selfreset-publish --follow."""

    def __init__(self, host, *, ready=True, wrap=()):
        self.said = RUN / f"follow-{time.monotonic_ns()}"
        with open(self.said, "wb") as out:
            self.process = host.start([*wrap, "selfreset-publish", "--follow",
                                       "--verbose"], stdout=out, stderr=out,
                                      stdin=subprocess.DEVNULL)
        if ready:
            self.snapshots(1)

    def text(self):
        return self.said.read_text()

    def snapshots(self, count):
        """Wait until so many snapshots were made."""
        wait_until(lambda: self.text().count("of directories") >= count,
                   what=f"{count} snapshots, not {self.text()}")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        assert self.process.wait(timeout=20) == 0, self.text()

    def status(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            rss = next(int(line.split()[1]) for line in file
                       if line.startswith("VmRSS"))
        return rss, len(os.listdir(f"/proc/{self.process.pid}/fd"))


def shadow(host, name):
    """The fields that getspnam(3) finds, or None."""
    done = host.run("getent", "shadow", name)
    return done.stdout.strip().split(":") if done.returncode == 0 else None


def last_change(host, name):
    line = shadow(host, name)
    return None if line is None else line[2]


# A server that tells of changes is never asked for them: sooner than the next
# time that one would be which does not.
TOLD = 4
# A poll every five seconds, and some for a machine that has much to do.
ASKED = 30


def seen(condition, seconds=TOLD, what="the change"):
    """How long it took to be seen."""
    began = time.monotonic()
    wait_until(condition, seconds=seconds, what=what)
    return time.monotonic() - began


def has(host, name, group):
    return lambda: group in host.states(name)


def lock(server, name):
    server.modify(dn_of(name), "replace: pwdAccountLockedTime\n"
                  f"pwdAccountLockedTime: {FOR_GOOD}")


def unlock(server, name):
    server.modify(dn_of(name), "delete: pwdAccountLockedTime")


LOCKED, MUST, EXPIRED, OK, UNKNOWN = (
    "acct-locked", "pw-must-change", "pw-expired", "acct-ok",
    "acct-state-unknown")


# ---- everybody at once

def test_both_views(host):
    users = people("ann", "bob")
    users.append(user("nox", 7010, PASSWORD, pwdReset="TRUE"))
    server = serve(host, users, names=("ann", "bob"))
    host.add("bob2", PASSWORD)
    host.publish()
    assert host.states("ann") == {OK}
    assert last_change(host, "ann") != ""
    # Who has no passwd line here is published all the same.
    assert shadow(host, "nox")[2] == "0", "must be changed"
    assert server.lines().count(f'SRCH base="{POLICY}"') == 1
    lock(server, "bob")
    host.publish()
    assert host.states("bob") == {LOCKED}


def test_the_first_backend_counts(host):
    serve(host, people("ann", "bob"))
    host.add("ann", PASSWORD)
    host.publish()
    # Of ann there is a line in /etc/shadow, and nothing in the other view.
    host.nsswitch(group="files selfreset", shadow="selfreset")
    assert shadow(host, "ann") is None and shadow(host, "bob") is not None


def test_another_entry_with_the_name(host):
    """A login is refused then, so that the state of neither is shown; nor is
    it after a change of one of them."""
    server = serve(host, people("ann", "bob"), names=("ann", "bob"))
    lock(server, "ann")
    follower = Follower(host)
    assert host.states("ann") == {LOCKED}
    other = f"cn=other,{PEOPLE}"
    server.add({**user("ann", 7000, PASSWORD), "dn": other, "cn": "other"})
    seen(has(host, "ann", UNKNOWN), seconds=ASKED)
    server.modify(other, "replace: gecos\ngecos: once more")
    lock(server, "bob")
    seen(has(host, "bob", LOCKED), seconds=ASKED)
    assert host.states("ann") == {UNKNOWN}
    server.delete(other)
    seen(has(host, "ann", LOCKED), seconds=ASKED)
    follower.stop()


@pytest.mark.parametrize("backends", ["corp", "corp local"])
def test_a_namesake_is_not_shown(host, backends):
    """Of somebody whom this host knows by that name with another uid, whoever
    may add entries to the directory shows nothing here."""
    for name in ("u0", "u1"):
        host.add(name, PASSWORD, uid={"u0": 7100, "u1": 7001}[name])
    locked = [{**person, "pwdAccountLockedTime": FOR_GOOD}
              for person in people("u0", "u1")]
    server = serve(host, locked)
    host.configure(selfreset={"backends": backends})
    here = {OK} if "local" in backends else set()
    host.publish()
    assert host.states("u0") == here
    assert host.states("u1") == {LOCKED}
    follower = Follower(host)
    for name in ("u0", "u1"):
        server.modify(dn_of(name), "replace: pwdReset\npwdReset: TRUE")
    unlock(server, "u1")
    seen(has(host, "u1", MUST))
    assert host.states("u0") == here
    follower.stop()


def test_size_limit(host):
    """What can be read is published; of the rest what was published is kept."""
    users = people(*(f"u{number}" for number in range(CUT)))
    server = serve(host, users, names=("u0",), more=UNLIMITED)
    host.publish()
    server.stop()
    config = server.dir / "slapd.conf"
    config.write_text(config.read_text().replace("size=unlimited", LIMITED))
    server.start()
    lock(server, "u0")
    done = host.run("selfreset-publish", "--verbose")
    assert done.returncode == 8, (done.stdout, done.stderr)
    assert "not every account was returned" in done.stderr
    assert LOCKED in host.states("u0")
    assert all(shadow(host, f"u{number}") for number in (1, 599, 600, CUT - 1))


def test_half_a_directory_at_first(host):
    """Where nothing was published before, that part is published, and that there
    is more is told."""
    users = people(*(f"u{number}" for number in range(CUT)))
    serve(host, users, more=UNLIMITED.replace("size=unlimited", LIMITED))
    done = host.run("selfreset-publish")
    assert done.returncode == 8 and "not every account" in done.stderr
    found = [shadow(host, f"u{number}") is not None
             for number in range(0, CUT, 99)]
    assert any(found) and not all(found)


# ---- following

def follow_each_change(host, server):
    took = {}
    server.modify(dn_of("u1"), "replace: pwdReset\npwdReset: TRUE")
    took["reset"] = seen(has(host, "u1", MUST))
    assert shadow(host, "u1")[2] == "0"
    lock(server, "u2")
    took["lock"] = seen(has(host, "u2", LOCKED))
    unlock(server, "u2")
    took["unlock"] = seen(has(host, "u2", OK))
    remove(server, "u3")
    took["delete"] = seen(lambda: shadow(host, "u3") is None)
    rename(server, "u4", "u4x")
    took["rename"] = seen(lambda: shadow(host, "u4x") is not None and
                          shadow(host, "u4") is None)
    add(server, user("new", 6999, PASSWORD, pwdReset="TRUE"))
    took["add"] = seen(lambda: last_change(host, "new") == "0")
    return took


def ldap(server, program, *arguments, **options):
    subprocess.run([program, "-x", "-H", server.local, "-D", directory.ROOT,
                    "-w", directory.ROOT_SECRET, *arguments], check=True,
                   capture_output=True, text=True, **options)


def remove(server, name):
    ldap(server, "ldapdelete", dn_of(name))


def rename(server, old, new):
    ldap(server, "ldapmodrdn", "-r", dn_of(old), f"uid={new}")


def add(server, entry):
    ldap(server, "ldapadd", "-e", "relax", input=ldif(entry))


def test_ten_thousand(host):
    server = serve(host, people(*(f"u{number}" for number in range(CROWD))),
                   names=[f"u{number}" for number in range(5)])
    began = time.monotonic()
    host.publish()
    took = time.monotonic() - began
    assert took < 15, took
    assert shadow(host, f"u{CROWD - 1}") is not None
    follower = Follower(host)
    print("published in", took, follow_each_change(host, server))
    # A policy is of everybody: a new snapshot of all.
    assert host.states("u0") == {OK}
    server.modify(POLICY, "replace: pwdMaxAge\npwdMaxAge: 3600")
    print("policy", seen(has(host, "u0", EXPIRED), seconds=ASKED))
    follower.stop()


def test_policy_within_a_second(host):
    server = serve(host, people("u0", "u1"), names=("u0",))
    follower = Follower(host)
    server.modify(POLICY, "replace: pwdMaxAge\npwdMaxAge: 3600")
    seen(has(host, "u0", EXPIRED))
    assert follower.text().count("of directories") == 2
    follower.stop(signal.SIGINT)


def test_another_policy(host):
    """One that nobody had when the connection was made."""
    server = serve(host, people("u0"), names=("u0",))
    follower = Follower(host)
    add(server, {"dn": f"cn=short,{BASE}", "cn": "short",
                 "objectClass": ["device", "pwdPolicy"],
                 "pwdAttribute": "userPassword", "pwdMaxAge": 3600})
    server.modify(dn_of("u0"), "replace: pwdPolicySubentry\n"
                  f"pwdPolicySubentry: cn=short,{BASE}")
    seen(has(host, "u0", EXPIRED))
    server.modify(f"cn=short,{BASE}", "delete: pwdMaxAge")
    seen(has(host, "u0", OK))
    follower.stop()


def test_a_new_account_with_an_unrelated_name(host):
    """The state by the name that the name service has for the uid of a new
    account is unknown, as soon as the account is published."""
    (RUN / "spellings").write_text("corpnew:corpnew:6999\n")
    with host.test_nss_module("spelling"):
        server = serve(host, people("u0"))
        host.nsswitch(passwd="files spelling", group="files selfreset",
                      shadow="files selfreset")
        follower = Follower(host)
        assert host.states("corpnew") == set()
        add(server, user("new", 6999, PASSWORD))
        seen(has(host, "corpnew", "acct-state-unknown"), seconds=ASKED)
        server.modify(dn_of("new"), "replace: pwdReset\npwdReset: TRUE")
        seen(lambda: last_change(host, "new") == "0", seconds=ASKED)
        assert follower.text().count("of directories") == 2
        follower.stop()


def test_the_server_is_killed(host):
    server = serve(host, people("u0", "u1"), names=("u0", "u1"))
    follower = Follower(host)
    lock(server, "u0")
    seen(has(host, "u0", LOCKED))
    server.stop()
    wait_until(lambda: "cannot be followed now" in follower.text(),
               what="the loss of the connection to be noticed")
    assert host.states("u0") == {LOCKED}, "an outage is no change"
    assert host.states("u1") == {OK}
    # What is changed meanwhile is found by reading everything.
    server.start()
    unlock(server, "u0")
    remove(server, "u1")
    seen(lambda: host.states("u0") == {OK} and shadow(host, "u1") is None,
         seconds=ASKED)
    lock(server, "u0")
    seen(has(host, "u0", LOCKED))
    follower.stop()


def test_restored_from_a_backup(host):
    """The server knows less than it has told: another cookie than ever."""
    server = serve(host, people("u0"), names=("u0",))
    server.stop()
    shutil.copytree(server.dir / "db", server.dir / "backup")
    server.start()
    follower = Follower(host)
    lock(server, "u0")
    add(server, user("new", 6999, PASSWORD))
    seen(lambda: host.states("u0") == {LOCKED} and
         shadow(host, "new") is not None)
    server.stop()
    shutil.rmtree(server.dir / "db")
    (server.dir / "backup").rename(server.dir / "db")
    server.start()
    seen(lambda: host.states("u0") == {OK} and shadow(host, "new") is None,
         seconds=ASKED)
    follower.stop()


SYNC_REFRESH_REQUIRED = 4096


def refuse_search(_, client, __, request):
    client.sendall(message(request.id, result(DONE, SYNC_REFRESH_REQUIRED)))


def test_the_server_wants_to_begin_anew(host):
    """What a server says to an old cookie.  None is ever sent, so slapd does
    not say it here; who says it all the same is asked for everything."""
    server = serve(host, people("u0"), names=("u0",))
    with Middle(server, {"search 1": refuse_search}) as middle:
        host.configure(backend_corp={
            "uri": f"ldap://localhost:{middle.port}", "insecure": "yes"})
        follower = Follower(host)
        wait_until(lambda: "is followed again" in follower.text(),
                   what="another beginning")
        assert "it ends the synchronisation" in follower.text()
        lock(server, "u0")
        seen(has(host, "u0", LOCKED))
        follower.stop()


class Cutter(Pipe):
    """Connections end after so many bytes of answers."""

    def __init__(self, port):
        self.limit = None
        self.cuts = 0
        super().__init__(port)

    def carry(self, source, sink, is_answer):
        limit = self.limit if is_answer else None
        carried = 0
        while data := source.recv(4096):
            sink.sendall(data)
            carried += len(data)
            if limit is not None and carried > limit:
                self.cuts += 1
                return


def test_cut_in_the_midst(host):
    names = [f"u{number}" for number in range(CUT)]
    server = serve(host, people(*names), names=("u0",))
    cutter = Cutter(server.port)
    host.configure(backend_corp={"uri": f"ldap://localhost:{cutter.port}",
                                 "insecure": "yes"})
    cutter.limit = 120000
    follower = Follower(host)
    wait_until(lambda: cutter.cuts >= 2, what="connections to be cut")
    assert not any(shadow(host, name) for name in names[::99])
    cutter.limit = None
    seen(lambda: all(shadow(host, name) for name in names[::99]), seconds=ASKED)
    follower.stop()


def test_no_growth(host):
    names = [f"u{number}" for number in range(20)]
    server = serve(host, people(*names), names=("u0",))
    follower = Follower(host)

    def change(count):
        text = "".join(
            f"dn: {dn_of(names[1 + number % 19])}\nchangetype: modify\n"
            f"replace: pwdReset\npwdReset: {number // 19 % 2 == 0}\n\n".replace(
                "True", "TRUE").replace("False", "FALSE")
            for number in range(count))
        text += (f"dn: {dn_of('u0')}\nchangetype: modify\nreplace: pwdReset\n"
                 "pwdReset: TRUE\n\n")
        ldap(server, "ldapmodify", input=text)
        wait_until(has(host, "u0", MUST), what="the last change")
        server.modify(dn_of("u0"), "delete: pwdReset")
        wait_until(has(host, "u0", OK), what="the change after it")

    change(200)
    before = follower.status()
    began = time.monotonic()
    change(2000)
    print("2000 changes", time.monotonic() - began, before, follower.status())
    after = follower.status()
    assert after[1] == before[1], "descriptors"
    assert after[0] - before[0] < 512, "KiB"
    # What is told late is told as it is by then; nothing is left behind.
    assert follower.text().count("Published: ") > 100
    for number, name in enumerate(names[1:]):
        last = (1999 - number) // 19 * 19 + number
        assert (last_change(host, name) == "0") == (last // 19 % 2 == 0), name
    follower.stop()


def test_two_changes_at_once(host):
    """Of two that come together the second counts."""
    server = serve(host, people("u0"), names=("u0",))
    follower = Follower(host)
    for _ in range(5):
        follower.process.send_signal(signal.SIGSTOP)
        lock(server, "u0")
        unlock(server, "u0")
        server.modify(dn_of("u0"), "replace: pwdReset\npwdReset: TRUE")
        lock(server, "u0")
        follower.process.send_signal(signal.SIGCONT)
        seen(has(host, "u0", LOCKED))
        unlock(server, "u0")
        server.modify(dn_of("u0"), "delete: pwdReset")
        seen(lambda: host.states("u0") == {OK})
    follower.stop()


def test_the_server_hangs(host):
    """A first reading that is not answered is given up."""
    server = serve(host, people("u0"), names=("u0",), timeout="1s")
    host.publish()
    server.pause()
    follower = Follower(host, ready=False)
    wait_until(lambda: "cannot be followed now" in follower.text(),
               what="the end of patience")
    follower.stop()
    server.resume()
    assert host.states("u0") == {OK}


def test_polling(host):
    """A server that does not tell by itself."""
    # After the first change u1 is too old to be asked for.
    old = people(*(f"u{number}" for number in range(6)),
                 modifyTimestamp=stamp(DAY))
    server = serve(host, old, names=[f"u{number}" for number in range(6)],
                   more=UNLIMITED)
    follower = Follower(host)
    lock(server, "u0")
    for _ in range(3):
        assert not server.lets_in(dn_of("u5"), "wrong")
    remove(server, "u2")
    rename(server, "u3", "u3x")
    server.modify(dn_of("u4"), "add: uid\nuid: other")
    seen(has(host, "u0", LOCKED), seconds=ASKED)
    seen(has(host, "u5", LOCKED), seconds=ASKED, what="the server's own lock")
    seen(lambda: shadow(host, "u2") is None, seconds=ASKED, what="the deletion")
    seen(lambda: shadow(host, "u3x") is not None and
         shadow(host, "u3") is None, seconds=ASKED, what="the other name")
    seen(lambda: shadow(host, "other") is not None, seconds=ASKED)
    assert follower.text().count("of directories") == 1, "no need to read all"
    server.modify(POLICY, "replace: pwdMaxAge\npwdMaxAge: 3600")
    server.modify(dn_of("u4"), "delete: uid\nuid: other")
    seen(has(host, "u1", EXPIRED), seconds=ASKED)
    seen(lambda: shadow(host, "other") is None, seconds=ASKED)
    follower.stop()


def test_polling_of_who_comes_back(host):
    """An entry that is as old as it was: only the list of names shows it."""
    server = serve(host, people("u0", "u1"), more=UNLIMITED)
    follower = Follower(host)
    remove(server, "u1")
    seen(lambda: shadow(host, "u1") is None, seconds=ASKED, what="the deletion")
    add(server, {**people("u1")[0], "modifyTimestamp": stamp(DAY),
                 "modifiersName": directory.ROOT})
    seen(lambda: shadow(host, "u1") is not None, seconds=ASKED)
    assert follower.text().count("of directories") == 2
    follower.stop()


def test_polling_of_many_who_go(host):
    """They are not asked for one by one."""
    names = [f"u{number}" for number in range(300)]
    server = serve(host, people(*names), more=UNLIMITED)
    follower = Follower(host)
    ldap(server, "ldapdelete", *map(dn_of, names[1:]))
    size = server.log.stat().st_size
    seen(lambda: not any(shadow(host, name) for name in names[1::50]),
         seconds=ASKED)
    assert server.count(size).searches < 60
    assert shadow(host, "u0") is not None
    follower.stop()


def test_polling_with_an_entry_from_the_future(host):
    """A clock that is ahead, once, hides nothing of what is modified until
    then."""
    server = serve(host, people("u0") + [
        {**person, "modifyTimestamp": stamp(-DAY)} for person in
        [user("u1", 7001, PASSWORD)]], names=("u0", "u1"), more=UNLIMITED)
    follower = Follower(host)
    lock(server, "u0")
    seen(has(host, "u0", LOCKED), seconds=ASKED)
    follower.stop()


def test_local_accounts_meanwhile(host):
    """What other runs publish is left alone."""
    server = serve(host, people("u0"), names=("u0",))
    host.add("ann", PASSWORD)
    follower = Follower(host)
    host.set_shadow("ann", 2, 0)
    host.publish()
    assert MUST in host.states("ann")
    lock(server, "u0")
    seen(has(host, "u0", LOCKED))
    assert MUST in host.states("ann")
    follower.stop()


def test_what_the_server_does_itself(host):
    """Guesses are counted by ppolicy itself."""
    server = serve(host, people("u0"), names=("u0",))
    follower = Follower(host)
    for _ in range(3):
        assert not server.lets_in(dn_of("u0"), "wrong")
    print(server.read(dn_of("u0"), "pwdAccountLockedTime", "entryCSN",
                      "modifyTimestamp"))
    seen(has(host, "u0", LOCKED))
    follower.stop()


def test_command_line(host):
    done = host.run("selfreset-publish", "--follow", "--user", "ann")
    assert done.returncode == 64 and "cannot be used together" in done.stderr

