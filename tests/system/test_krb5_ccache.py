"""The ticket of a login in a cache of its user.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import types

import pytest

import kerberos
from scratch import ETC, RUNDIR, mount, stack, wait_until
from talk import PASSWORD, Talk
from test_krb5 import NEW, OLD, PEER, UID, kdc, serve
from test_krb5_programs import ssh

__all__ = ["kdc"]

# Says where the cache is, whose it is, and of what principal.
LOOK = ('echo "cache=$KRB5CCNAME"; stat -c "owner=%u:%g mode=%a" '
        '"${KRB5CCNAME#*:}"; klist 2>&1 | grep principal; '
        'echo "login=$SELFRESET_LOGIN."')
SHOWN = re.compile(rf"cache=FILE:(/tmp/krb5cc_{UID}_\w+) "
                   rf"owner={UID}:{UID} mode=600 Default principal: ann@")


def left():
    return list(RUNDIR.glob("login-*"))


@pytest.mark.parametrize("method", ["keyboard-interactive", "password"])
def test_sshd(host, kdc, method):
    """Handed from the process that verifies to the one of the session, which
    removes it at its end."""
    serve(host, kdc)
    with ssh(host, LOOK, method=method) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    found = SHOWN.search(shown)
    assert found, shown
    assert "login=." in shown
    # The newest sshd ends the session when the client is gone already.
    cache = pathlib.Path(found[1])
    wait_until(lambda: not cache.exists() and not left(),
               what="the end of the session")


def test_sshd_forced_change(host, kdc):
    serve(host, kdc)
    kdc.modify("ann", "+needchange")
    with ssh(host, LOOK) as talk:
        talk.answer(PASSWORD, OLD)
        assert SHOWN.search(talk.change(NEW))
    wait_until(lambda: not left(), what="the end of the session")


def test_sshd_by_key(host, kdc):
    serve(host, kdc)
    host.give_key("ann")
    with ssh(host, LOOK, method="publickey") as talk:
        assert "cache= " in talk.rest()


def test_login(host, kdc):
    serve(host, kdc)
    pathlib.Path("/home/ann/.profile").write_text(LOOK + "\nexit 0\n")
    with Talk(["login", "ann"]) as talk:
        talk.answer(PASSWORD, OLD)
        found = SHOWN.search(talk.rest())
    assert found and not pathlib.Path(found[1]).exists() and not left()


def test_su(host, kdc):
    bob = host.add("bob")
    serve(host, kdc)
    with Talk(["su", "ann", "-c", LOOK], user=bob) as talk:
        talk.answer(PASSWORD, OLD)
        found = SHOWN.search(talk.rest())
    assert found and not pathlib.Path(found[1]).exists() and not left()


@contextlib.contextmanager
def own_cache(host):
    """Of a session of ann's that goes on."""
    path = pathlib.Path("/home/ann/own")
    done = host.drive("probe", "ann", "auth", "acct",
                      f"pamenv:KRB5CCNAME=FILE:{path}", "cred", answers=[OLD],
                      rhost=PEER)
    assert set(done.codes) == {"SUCCESS"}
    yield path
    assert b"krbtgt" in path.read_bytes() and path.stat().st_uid == UID
    path.unlink()


def caches():
    return set(pathlib.Path("/tmp").glob("krb5cc_*"))


ANN = types.SimpleNamespace(uid=UID)
SUDO = r"password for \w+: "
LOOK_FOR_TICKET = 'echo "cache=$KRB5CCNAME"; klist 2>&1 | grep principal; true'


def test_sudo(host, kdc):
    """It verifies one user and begins a session of another, who gets no ticket
    of the first; and a user's own cache outlasts what he does by sudo."""
    bob = host.add("bob", "something else")
    serve(host, kdc)
    kdc.principal("cyd", NEW)
    host.add_elsewhere("cyd", UID + 1)
    (ETC / "sudoers").write_text(
        "Defaults !lecture, timestamp_timeout=0\nDefaults:bob targetpw\n"
        "ann ALL=(ALL) ALL\nbob ALL=(ALL) ALL\n")
    before = caches()
    with own_cache(host) as own:
        kept = own.read_bytes()
        for target in "root", "bob", "cyd", "ann":
            with Talk(["env", f"KRB5CCNAME=FILE:{own}", "sudo", "-u", target,
                       "sh", "-c", LOOK_FOR_TICKET], user=ANN) as talk:
                if target != "ann":  # of whom it asks nothing
                    talk.answer(SUDO, OLD)
                shown = talk.rest()
            assert "cache=" in shown, shown
            assert caches() == before and not left(), target
            # sudo names them a cache that they may not read.
            if target in ("bob", "cyd"):
                assert "principal" not in shown, shown
            assert own.read_bytes() == kept, target
        # By the target's password: the ticket is his, for as long as it lasts.
        # sudo keeps a KRB5CCNAME of the caller before that of PAM, though.
        for named in (), ("KRB5CCNAME=FILE:/home/bob/own",):
            with Talk(["env", *named, "sudo", "-u", "ann", "sh", "-c", LOOK],
                      user=bob) as talk:
                talk.answer(SUDO, OLD)
                found = SHOWN.search(talk.rest())
            assert bool(found) == (named == ()), talk.seen
            assert caches() == before and not left()
            assert not pathlib.Path("/home/bob/own").exists()


@pytest.mark.parametrize("step", ["refresh", "reinitialize"])
def test_screen_locker(host, kdc, step):
    """It runs in its user's session, whose cache it renews; in that of another
    it makes a new one."""
    bob = host.add("bob")
    serve(host, kdc)
    with own_cache(host) as own:
        kept, before = own.read_bytes(), caches()
        environment = f"env:KRB5CCNAME=FILE:{own}"
        done = host.drive("probe", "ann", "auth", "acct", environment, step,
                          answers=[OLD], real_uid=bob.uid)
        assert set(done.codes) == {"SUCCESS"}, done
        assert own.read_bytes() == kept
        made = caches() - before
        assert len(made) == 1 and made.pop().stat().st_uid == UID
        done = host.drive("probe", "ann", "auth", "acct", environment, step,
                          "delete", answers=[OLD], real_uid=UID)
        assert set(done.codes) == {"SUCCESS"}, done
        assert own.read_bytes() != kept and not left()
        for path in caches() - before:
            path.unlink()


def test_no(host, kdc):
    serve(host, kdc, ccache="no")
    with ssh(host, LOOK) as talk:
        talk.answer(PASSWORD, OLD)
        assert "cache= " in talk.rest()
    assert not left()


@pytest.mark.parametrize("template, name", [
    ("FILE:/home/%{user}/of-%%{uid}-%{uid}",
     f"FILE:/home/ann/of-%{{uid}}-{UID}"),
    ("DIR:/home/%{user}/caches", "DIR:/home/ann/caches")])
def test_template(host, kdc, template, name):
    serve(host, kdc, ccache=template)
    with ssh(host, LOOK) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    assert f"cache={name} owner={UID}:{UID}" in shown
    assert "principal: ann@" in shown


@pytest.mark.parametrize("template", [
    "FILE:/root/of-%{uid}", "FILE:/nowhere/x"])
def test_template_that_cannot_be(host, kdc, template):
    """The login goes on, and it is logged."""
    serve(host, kdc, ccache=template)
    with ssh(host, LOOK) as talk:
        talk.answer(PASSWORD, OLD)
        assert "cache= " in talk.rest()
    assert host.log.with_text("SR-3022")
    assert not left() and not pathlib.Path(f"/root/of-{UID}").exists()


def test_link_in_the_way(host, kdc):
    """The cache is written with the rights of its user."""
    serve(host, kdc, ccache="FILE:/home/%{user}/cache")
    precious = pathlib.Path("/root/precious")
    precious.write_text("precious")
    os.symlink(precious, "/home/ann/cache")
    with ssh(host, LOOK) as talk:
        talk.answer(PASSWORD, OLD)
        talk.rest()
    assert precious.read_text() == "precious"
    precious.unlink()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_file_of_another(host, kdc, kind):
    """Where all can write: a file that another user has put there, or that he
    leads to, never gets the ticket."""
    bob = host.add("bob").uid
    serve(host, kdc, ccache="FILE:/tmp/of-%{uid}")
    place, theirs = pathlib.Path(f"/tmp/of-{UID}"), pathlib.Path("/tmp/theirs")
    theirs.write_text("theirs")
    theirs.chmod(0o666)
    place.symlink_to(theirs) if kind == "link" else theirs.rename(place)
    os.chown(place, bob, bob, follow_symlinks=False)
    done = host.drive("probe", "ann", "auth", "acct", "cred", answers=[OLD],
                      rhost=PEER)
    assert set(done.codes) == {"SUCCESS"}
    assert place.read_text() == "theirs"
    assert host.log.with_text("SR-3022")
    assert [path.name for path in pathlib.Path("/tmp").glob(f"of-{UID}*")] == [
        place.name]
    place.unlink()
    theirs.unlink(missing_ok=True)


def test_full_disk(host, kdc):
    """Nothing is left of a cache that cannot be written, and the one that was
    to be renewed is still there."""
    serve(host, kdc, ccache="FILE:/home/%{user}/small/new_XXXXXX")
    small = pathlib.Path("/home/ann/small")
    small.mkdir()
    mount("-t", "tmpfs", "-o", f"size=16k,mode=700,uid={UID},gid={UID}",
          "selfreset-test", small)
    steps = ("auth", "acct", f"pamenv:KRB5CCNAME=FILE:{small}/old", "cred")
    try:
        host.drive("probe", "ann", *steps, answers=[OLD], rhost=PEER)
        before = (small / "old").read_bytes()
        assert b"ann" in before
        with contextlib.suppress(OSError), open(small / "filler", "wb") as out:
            while out.write(bytes(4096)):
                out.flush()
        done = host.drive("probe", "ann", *steps, "reinitialize",
                          answers=[OLD], rhost=PEER)
        assert set(done.codes) == {"SUCCESS"}
        assert host.log.with_text("SR-3022")
        assert (small / "old").read_bytes() == before
        assert len(list(small.iterdir())) == 2
    finally:
        subprocess.run(["umount", str(small)], check=True)


GROUP, SERVICE = 4343, "probe"


def log_in_to(host, cache, groups):
    """With a name of the cache that an earlier module has set.  Returns the
    caches of the template that were made."""
    environment = ETC / "environment-of-the-test"
    environment.write_text(f"KRB5CCNAME={cache}\n")
    host.service(SERVICE, f"auth optional pam_env.so readenv=1 "
                 f"envfile={environment}\n" + stack())
    before = set(pathlib.Path("/tmp").glob(f"krb5cc_{UID}_*"))
    done = host.drive(SERVICE, "ann", "auth", "acct", "cred", answers=[OLD],
                      rhost=PEER, wrap=["setpriv", "--groups", groups])
    assert set(done.codes) == {"SUCCESS"}, (done, host.log.all())
    return set(pathlib.Path("/tmp").glob(f"krb5cc_{UID}_*")) - before


def test_name_of_a_place_that_is_not_the_users(host, kdc):
    """The groups of the caller give no way to it: a new cache is made."""
    serve(host, kdc)
    shared = pathlib.Path("/home/of-a-group")
    shared.mkdir(exist_ok=True)
    os.chown(shared, 0, GROUP)
    shared.chmod(0o2770)
    made = log_in_to(host, f"FILE:{shared}/cache", str(GROUP))
    assert list(shared.iterdir()) == [] and len(made) == 1
    status = made.pop().stat()
    assert (status.st_uid, status.st_gid) == (UID, UID)


@pytest.mark.parametrize("name", ["persistent:0", "user:0",
                                  f"persistent:{UID}0", "of-the-session"])
def test_name_of_a_keyring_that_is_not_the_users(host, kdc, name):
    serve(host, kdc)
    host.run("kdestroy", "-c", f"KEYRING:{name}")
    made = log_in_to(host, f"KEYRING:{name}", "0")
    shown = host.run("klist", "-c", f"KEYRING:{name}")
    assert "ann@" not in shown.stdout and len(made) == 1, shown


def test_keyring_of_the_user(host, kdc):
    serve(host, kdc, ccache="KEYRING:persistent:%{uid}")
    assert log_in_to(host, f"KEYRING:persistent:{UID}", "0") == set()
    as_ann = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
    cache = ["-c", f"KEYRING:persistent:{UID}"]
    shown = host.run(*as_ann, "klist", *cache)
    host.run(*as_ann, "kdestroy", *cache)
    assert "ann@" in shown.stdout, (shown, host.log.all())


def test_daemon(host, kdc):
    """It knows by the kernel whose cache it is; and nobody waits for one that
    hangs longer than for a KDC."""
    serve(host, kdc, ccache="KCM:%{uid}", timeout="2s")
    with kerberos.kcm(host) as daemon:
        with ssh(host, 'echo "cache=$KRB5CCNAME"; klist | grep principal') \
                as talk:
            talk.answer(PASSWORD, OLD)
            shown = talk.rest()
        assert f"cache=KCM:{UID}" in shown and "principal: ann@" in shown
        log_in_to(host, f"KCM:{UID}", "0")
        cache = ["klist", "-c", f"KCM:{UID}"]
        as_ann = ["setpriv", f"--reuid={UID}", f"--regid={UID}",
                  "--clear-groups"]
        assert "ann@" in host.run(*as_ann, *cache).stdout
        assert not host.log.with_text("SR-3022")
        daemon.send_signal(signal.SIGSTOP)
        done = host.drive("probe", "ann", "auth", "acct", "cred",
                          answers=[OLD], rhost=PEER)
        assert set(done.codes) == {"SUCCESS"} and done.times[-1] < 3e9, done
        assert host.log.with_text("SR-3022")


def test_refused_account(host, kdc):
    """Nothing is left of a login that account management refuses."""
    serve(host, kdc)
    host.configure(change={"protected": "ann"})
    kdc.modify("ann", "+needchange")
    host.drive("probe", "ann", "auth", "acct", answers=[OLD], rhost=PEER)
    assert not left()


def test_handle_of_another_user(host, kdc):
    """The name of what was left is bound to the account, and used once."""
    serve(host, kdc)
    done = host.drive("probe", "ann", "auth", "acct", answers=[OLD], rhost=PEER)
    assert done.codes == ["SUCCESS", "SUCCESS"]
    found = left()
    assert len(found) == 1 and found[0].name.startswith(f"login-{UID}-")
    assert found[0].stat().st_mode & 0o777 == 0o600
    os.utime(found[0], (1, 1))
    host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert found[0] not in left(), "an old one is removed by the next login"


def made_by(host, *steps):
    """The caches of a login in one process, when that has ended."""
    before = set(pathlib.Path("/tmp").glob(f"krb5cc_{UID}_*"))
    done = host.drive("probe", "ann", "auth", "acct", *steps, answers=[OLD],
                      rhost=PEER)
    assert set(done.codes) == {"SUCCESS"} and not left(), done
    return set(pathlib.Path("/tmp").glob(f"krb5cc_{UID}_*")) - before


def test_driver(host, kdc):
    """In one process: made once, renewed, removed.  The umask of the caller is
    no matter."""
    serve(host, kdc)
    for steps in (["cred", "open", "cred", "close"], ["cred", "delete"],
                  ["open", "refresh", "delete", "close"]):
        assert made_by(host, *steps) == set()
    for mask in "umask:0", "umask:777":
        for steps in (["cred", "open", "cred"], ["refresh"],
                      ["cred", "reinitialize", "refresh"],
                      ["cred", "delete", "open"]):
            made = made_by(host, mask, *steps)
            want = 0 if "delete" in steps else 1
            assert len(made) == want, (mask, steps)
            for path in made:
                assert path.stat().st_mode & 0o777 == 0o600
                assert b"krbtgt" in path.read_bytes()
                path.unlink()
    caches = pathlib.Path("/home/ann/caches")
    host.configure(backend_corp={"ccache": f"DIR:{caches}"})
    made_by(host, "umask:777", "cred")
    assert caches.stat().st_mode & 0o777 == 0o700
    assert b"krbtgt" in (caches / "tkt").read_bytes()
