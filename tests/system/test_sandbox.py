"""Services of root that are kept from shadow, from the state or from the
network: selfreset-helper answers for them as they would themselves.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import os
import pathlib
import re
import socket
import sys
import threading

import pytest

import directory
import helper
from scratch import ETC, RUNDIR, STATE, guarded_stack
from talk import AGAIN, CURRENT, Talk
from talk import NEW as NEW_PROMPT
from test_codes import STATES, make
from test_ldap import STATES as LDAP_STATES
from test_ldap import configure, serve
from test_programs import needs_login_uid

OLD = "correct horse battery"
NEW = "an umbrella for rainy days"
PEER = "192.0.2.7"
UNIT = "polkit-agent-helper@.service"
UNITS = ETC / "systemd/system"
CONFINED = pathlib.Path(__file__).with_name("confined.py")
# Of polkit 127, as far as check looks at it; /usr/bin/login stands for the
# helper: a program that is linked with libpam.
TEXT = """\
[Service]
Type=exec
ExecStart=-/usr/bin/login
User=root
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ReadOnlyPaths=/
StandardInput=socket
"""


@pytest.fixture
def unit(host):
    UNITS.mkdir(parents=True, exist_ok=True)
    (UNITS / UNIT).write_text(TEXT)
    yield host
    (UNITS / UNIT).unlink()


def units_named(host):
    done = host.run("selfresetctl", "pam", "--check", "--json")
    found = json.loads(done.stdout)
    return [one["place"] for one in found if "ProtectSystem" in one["text"]]


def test_check_finds_units_that_need_it(unit):
    assert units_named(unit) == [str(UNITS / UNIT)]
    process = helper.start(unit)
    assert units_named(unit) == []
    helper.stop(unit, process)
    assert units_named(unit) == [str(UNITS / UNIT)]


def sandbox(places=("/etc", "/run", "/var/lib", "/var/log", "/"), rights=None):
    """A command prefix: what a unit with ProtectSystem=strict,
    PrivateNetwork=yes, RestrictAddressFamilies=AF_UNIX and NoNewPrivileges=yes
    leaves."""
    script = "\n".join(f"mount -o remount,bind,ro {place}" for place in places)
    rights = ["setpriv", "--bounding-set", rights] if rights else []
    return ["unshare", "--mount", "--net", "--propagation", "private", "sh",
            "-ec", f'{script}\nexec "$@"', "sh", *rights, sys.executable,
            str(CONFINED)]


STRICT = sandbox()
# As polkit's: root without root's rights, which reads what root owns.
FEW = sandbox(rights="-all,+audit_write")
# All but the network is in reach.
OFFLINE = sandbox(places=())
# Passwords are stored by pam_unix; the state is out of reach.
STATELESS = sandbox(places=("/var/lib",))


def without_times(lines):
    """Events as they are told, without what every process has of its own."""
    return [re.sub(r"^<\d+>.*?(?=pam_selfreset)", "", line) for line in lines
            if "pam_selfreset(" in line]


def without_minutes(lines):
    """Texts, but for the minutes that have passed, which differ where one ends
    between two calls."""
    return [re.sub(r"\b\d+ minutes?\b", "some minutes", line)
            for line in lines]


def outcome(host, *steps, wrap=(), **options):
    """What the caller and the log learn of the same calls."""
    host.log.all()
    host.log.lines.clear()
    done = host.drive("probe", "ann", *steps, wrap=wrap, **options)
    lines = without_times(host.log.all())
    return done, (done.codes, done.prompts,
                  without_minutes(done.rest("info", "error")),
                  len(done.rest("delay")), lines)


def same(host, *steps, wrap=FEW, again=None, **options):
    """The calls answer in the sandbox as outside of it.  `again`: has all be as
    it was before the first."""
    done, bare = outcome(host, *steps, **options)
    host.forget_state()
    if again is not None:
        again()
    process = helper.start(host)
    _, confined = outcome(host, *steps, wrap=wrap, **options)
    helper.stop(host, process)
    assert confined == bare
    return done


def test_the_sandbox_confines(host):
    host.add("ann", OLD)
    assert host.run(*STRICT, "touch", "/etc/x").returncode != 0
    assert host.run(*STRICT, "touch", "/var/lib/x").returncode != 0
    done = host.run(*STRICT, sys.executable, "-c",
                    "import socket; socket.socket()")
    assert "Address family not supported" in done.stderr
    assert outcome(host, "auth", wrap=STRICT,
                   answers=[OLD])[0].code == "AUTHINFO_UNAVAIL"


@pytest.mark.parametrize("state, answer", [
    *((state, OLD) for state in STATES), ("ok", "no"), ("ended", "no")])
def test_every_state(host, state, answer):
    make(host, state)
    host.configure(lockout={"delay": "2s"})
    same(host, "auth", "acct", answers=[answer], rhost=PEER, tty="ssh")


def test_a_shadow_that_is_unreadable(host):
    """As on Fedora, where root needs a right to read it, or under SELinux."""
    host.add("ann", OLD)
    os.chmod(ETC / "shadow", 0)
    done = same(host, "auth", "acct", answers=[OLD],
                wrap=sandbox(places=(), rights="-all"))
    assert done.codes == ["SUCCESS"] * 2


@pytest.mark.parametrize("where", [
    {"rhost": PEER}, {"tty": "tty1"}, {"ruser": "bob"}, {"real_uid": 2001},
    {"tty": "pts/3"}, {}])
def test_the_same_source(host, where):
    """And the same ledger: attempts inside and outside are counted together."""
    host.configure(lockout={"attempts": 3})
    host.add("ann", OLD, uid=2001)
    host.add("bob", OLD)
    wrap = sandbox(rights="-all,+audit_write,+setuid")
    same(host, "auth", answers=["no"], wrap=wrap, **where)
    helper.start(host)
    for prefix in ((), wrap):  # with the one of same(), in the sandbox, three
        done, _ = outcome(host, "auth", answers=["no"], wrap=prefix, **where)
        assert done.code == "AUTH_ERR", done
    for prefix in ((), wrap):
        done, _ = outcome(host, "auth", answers=[OLD], wrap=prefix, **where)
        assert done.code == "AUTH_ERR" and "locked" in done.said, done


@pytest.mark.parametrize("answers", [
    [OLD, NEW, NEW], [OLD, "short", NEW, NEW], ["no"], [OLD, NEW, OLD],
    [OLD, OLD, OLD, OLD], [OLD]])
def test_a_change_by_the_owner(host, answers):
    host.configure(password={"history": 3})
    host.add("ann", OLD, uid=2001)
    before = (ETC / "shadow").read_text()
    done, bare = outcome(host, "chauthtok", answers=answers, real_uid=2001)
    (ETC / "shadow").write_text(before)
    host.forget_state()
    helper.start(host)
    assert outcome(host, "chauthtok", answers=answers, real_uid=2001,
                   wrap=STATELESS)[1] == bare
    assert host.has_password("ann", NEW) == (done.code == "SUCCESS")
    if done.code == "SUCCESS":  # the history is kept by the helper
        again = host.drive("probe", "ann", "chauthtok", real_uid=2001,
                           answers=[NEW, *[OLD] * 3], wrap=STATELESS)
        assert again.code == "AUTHTOK_ERR" and "used before" in again.said


@pytest.mark.parametrize("is_served", [True, False])
def test_passwd_where_there_is_no_state(host, is_served):
    """passwd(1) of a user, in a mount namespace without this host's records:
    it goes on working, and with the helper nothing of it is lost."""
    ann = host.add("ann", OLD)
    if is_served:
        helper.start(host)
    script = ("mount -t tmpfs -o ro none /var/lib; "
              f"exec setpriv --reuid {ann.uid} --regid {ann.uid} "
              "--clear-groups passwd")
    with Talk(["unshare", "--mount", "--propagation", "private", "sh", "-ec",
               script]) as talk:
        talk.answer(CURRENT, OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        talk.rest()
        assert talk.status == 0
    assert host.has_password("ann", NEW)
    assert bool(host.log.with_text("SR-3205")) == (not is_served)


def test_a_forced_change_asks_for_the_old_one_once(host):
    host.add("ann", OLD, changed=0)
    helper.start(host)
    done = host.drive("probe", "ann", "auth", "acct", "change-expired", "cred",
                      "open", answers=[OLD, NEW, NEW], wrap=STATELESS)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS", "SUCCESS",
                          "SUCCESS"], done
    assert len(done.prompts) == 3
    assert host.has_password("ann", NEW)


def test_a_helper_that_cannot_write_etc(host):
    """As its unit has it: the caller writes shadow."""
    host.add("ann", OLD, changed=0)
    helper.start(host, wrap=["unshare", "--mount", "--propagation", "private",
                             "sh", "-ec", "mount --bind /etc /etc; "
                             "mount -o remount,bind,ro /etc; exec \"$@\"",
                             "sh"])
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[OLD, NEW, NEW], wrap=STATELESS)
    assert done.code == "SUCCESS", done
    assert host.has_password("ann", NEW)


def test_root_resets(host):
    """A process of root's real uid is an administrator there, too."""
    host.add("ann", OLD)
    helper.start(host)
    done = host.drive("probe", "ann", "chauthtok", answers=[NEW, NEW],
                      wrap=STATELESS)
    assert done.code == "SUCCESS" and len(done.prompts) == 2, done
    assert host.has_password("ann", NEW)


def test_guard_and_settle(host):
    """The failure that was recorded ahead is taken back by setcred."""
    host.configure(lockout={"attempts": 3})
    host.service("probe", guarded_stack())
    host.add("ann", OLD)
    helper.start(host)
    for _ in range(5):
        done = host.drive("probe", "ann", "auth", "cred", answers=[OLD],
                          wrap=STATELESS)
        assert done.codes == ["SUCCESS"] * 2, done
    for _ in range(3):
        assert host.drive("probe", "ann", "auth", answers=["no"],
                          wrap=STATELESS).code == "AUTH_ERR"
    done = host.drive("probe", "ann", "auth", answers=[OLD], wrap=STATELESS)
    assert done.code == "AUTH_ERR" and "locked" in done.said


def test_try_first_pass(host):
    """What the module leaves to the next one is in the caller's handle."""
    host.service("probe", "auth required pam_selfreset.so\n"
                 "auth required pam_unix.so use_first_pass nodelay\n")
    host.add("ann", OLD)
    helper.start(host)
    assert host.drive("probe", "ann", "auth", answers=[OLD],
                      wrap=STRICT).codes == ["SUCCESS"]


def test_a_descriptor_that_the_application_took(host):
    """Nothing is written to a file of the application, and none is closed."""
    host.add("ann", OLD)
    helper.start(host)
    done = host.drive("probe", "ann", "auth", "steal", "acct", "cred",
                      answers=[OLD], wrap=STATELESS)
    assert done.codes == ["SUCCESS"] * 3, done
    stolen = done.rest("stolen")
    assert stolen and set(stolen) == {"open 0"}, done


@needs_login_uid
def test_the_callers_session_counts(host):
    """must-log-on: by the caller's own session, not the helper's."""
    host.configure(change={"require_logon": "yes"})
    ann = host.add("ann", OLD)
    helper.start(host)
    for service, code in (("cron", "PERM_DENIED"), ("login", "SUCCESS")):
        done = host.drive(service, "ann", "open", f"real-uid:{ann.uid}",
                          "chauthtok", answers=[OLD, NEW, NEW],
                          wrap=STATELESS)
        assert done.codes == ["SUCCESS", code], done
    assert host.has_password("ann", NEW)


def serve_tcp(host, policy=None, **entry):
    """A directory with ann in it that is asked over the network."""
    server = serve(host, policy, **entry)
    configure(host, server.plain, insecure="yes")
    return server


@pytest.mark.skipif(not directory.have_server(), reason="no slapd")
@pytest.mark.parametrize("state", LDAP_STATES)
def test_a_directory(host, state):
    """The network is the helper's."""
    entry, policy, *_ = LDAP_STATES[state]
    server = serve_tcp(host, policy, **entry)

    def renew():
        if "grace" in state:  # a login with it is one less
            server.stop()
            serve_tcp(host, policy, **entry)

    same(host, "auth", "acct", answers=[OLD], rhost=PEER, again=renew,
         wrap=OFFLINE)


@pytest.mark.skipif(not directory.have_server(), reason="no slapd")
def test_a_change_in_a_directory(host):
    server = serve_tcp(host)
    helper.start(host)
    done = host.drive("probe", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                      real_uid=7001,
                      wrap=sandbox(rights="-all,+setuid"))
    assert done.code == "SUCCESS", done
    assert server.lets_in(directory.dn_of("ann"), NEW)


def test_roots_key_where_the_helper_is_broken(host):
    """One that takes calls and answers none keeps everybody out but root."""
    host.add("ann", OLD)
    RUNDIR.mkdir(mode=0o755, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(str(helper.SOCKET))
        server.listen()

        def hang_up():
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up)
        thread.start()
        codes = {name: host.drive("probe", name, "acct", wrap=STATELESS)
                 for name in ("root", "ann")}
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert codes["ann"].codes == ["AUTHINFO_UNAVAIL"], codes
    assert codes["root"].codes == ["SUCCESS"], codes
    assert "root can log in by key" in codes["root"].said
    assert len(host.log.with_text("SR-3201")) == 2
