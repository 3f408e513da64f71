"""One account under several names: what the name service answers counts, and
not what was typed.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import errno

import pytest

import directory
from directory import FOR_GOOD, PEOPLE, Slapd, dn_of, user
from scratch import RUN, guarded_stack
from talk import AGAIN, CURRENT, PASSWORD, Talk
from talk import NEW as NEW_PROMPT
from test_ldap import NEW, OLD, PEER, UID, configure

SPELLINGS = ["ANN", "ann@corp.example", "CORP\\ann"]
# Another module has names that this one does not know.
BEHIND = ("auth [success=done user_unknown=ignore default=die] "
          "pam_selfreset.so\nauth required pam_permit.so\n"
          "account [success=done new_authtok_reqd=done user_unknown=ignore "
          "default=die] pam_selfreset.so\naccount required pam_permit.so\n")


@pytest.fixture(name="spelling")
def spelling_fixture(host):
    """A name service that has the accounts it is given lines for."""
    with host.test_nss_module("spelling"):
        host.nsswitch(passwd="files spelling")

        def know(*lines):
            (RUN / "spellings").write_text("".join(f"{line}\n"
                                                   for line in lines))
        know()
        yield know


def test_what_a_source_answers(host, spelling):
    """A name that no source has is unknown, whatever errno is left, and so is
    one of a source that does not run; a source that fails cannot be asked.
    Accounts of the files are found in any case."""
    notfound, unavail, tryagain = 0, -1, -2
    answers = [(notfound, code) for code in (
        errno.EINVAL, errno.ENOENT, errno.EPERM, errno.EBADF, errno.ERANGE)]
    answers += [(unavail, errno.ENOENT), (unavail, errno.ESRCH)]
    unknown = len(answers)
    answers += [(unavail, code) for code in (
        errno.EINVAL, errno.EBADF, errno.EPERM, errno.EIO, errno.ERANGE,
        errno.ECONNREFUSED, errno.EMFILE)]
    answers += [(tryagain, errno.EAGAIN), (tryagain, errno.EINVAL)]
    host.add("ann", OLD)
    spelling(*(f"n{number}:!{status}:{code}"
               for number, (status, code) in enumerate(answers)))
    for number, answer in enumerate(answers):
        expected = ("USER_UNKNOWN" if number < unknown else "AUTHINFO_UNAVAIL")
        assert host.drive("probe", f"n{number}", "acct").code == expected, answer
    assert host.drive("probe", "ann", "auth", "acct",
                      answers=[OLD]).codes == ["SUCCESS"] * 2


@pytest.mark.parametrize("typed", SPELLINGS)
def test_a_local_account(host, spelling, typed):
    """Throttled as ann, judged as ann, logged as ann."""
    host.service("probe", BEHIND)
    host.configure(lockout={"attempts": 3})
    ann = host.add("ann", OLD, changed=100, max=90)
    spelling(*(f"{name}:ann:{ann.uid}" for name in SPELLINGS))
    done = host.drive("probe", typed, "auth", "acct", answers=[OLD], rhost=PEER)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD"], done
    host.count_hashes("ann")
    for number in range(8):
        name = [typed, "ann"][number % 2]
        assert host.drive("probe", name, "auth", answers=["no"],
                          rhost=PEER).code == "AUTH_ERR"
    assert host.verified() == 3
    for name in ("ann", *SPELLINGS):
        assert host.drive("probe", name, "auth", answers=[OLD],
                          rhost=PEER).code == "AUTH_ERR", name
        assert host.drive("probe", name, "acct",
                          rhost=PEER).code == "PERM_DENIED", name
    assert not host.log.with_text(f"user={typed}")
    assert host.log.with_text("user=ann ")


def test_a_name_in_the_file_is_its_own(host, spelling):
    """ANN is an account of this host beside ann, whatever the service says."""
    host.configure(lockout={"attempts": 2})
    ann = host.add("ann", OLD)
    host.add("ANN", NEW)
    spelling(f"ANN:ann:{ann.uid}")
    for _ in range(2):
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert host.drive("probe", "ANN", "auth", answers=[NEW],
                      rhost=PEER).code == "SUCCESS"
    assert host.drive("probe", "ann", "auth", answers=[OLD],
                      rhost=PEER).code == "AUTH_ERR"


@pytest.mark.parametrize("line", ["~far:far:7005", "~far:=:7005"])
def test_a_service_that_ignores_case(host, spelling, line):
    """An account that another module verifies; the second form repeats what was
    typed, as nslcd does."""
    host.service("probe", guarded_stack())
    host.configure(lockout={"attempts": 3})
    spelling(line)
    for name in ("far", "FAR", "Far"):
        assert "locked" not in host.drive("probe", name, "auth",
                                          answers=["no"], rhost=PEER).said
    for name in ("far", "FAR", "fAr"):
        assert "locked" in host.drive("probe", name, "auth", answers=["no"],
                                      rhost=PEER).said


# ---- directories

needs_server = pytest.mark.skipif(not directory.have_server(),
                                  reason="slapd is not installed")


def serve(host, spelling, *lines, **policy):
    server = Slapd(host, [user("ann", UID, OLD)],
                   policies={"policy": policy})
    configure(host, server)
    spelling(*lines)
    return server


@needs_server
@pytest.mark.parametrize("qualified", ["ann@corp", "CORP\\ann", "CORP+ann",
                                       "CORP/ann"])
def test_fully_qualified_names(host, spelling, qualified):
    """sssd with default_domain_suffix: ann logs in, and is ann@corp from then
    on: passwd, sudo and root's su ask for that."""
    server = serve(host, spelling, f"ann:{qualified}:{UID}",
                   f"{qualified}:{qualified}:{UID}")
    for name in ("ann", qualified):
        done = host.drive("probe", name, "auth", "acct", answers=[OLD],
                          rhost=PEER)
        assert done.codes == ["SUCCESS"] * 2, (name, done, host.log.all())
    done = host.drive("passwd", qualified, "chauthtok", real_uid=UID,
                      answers=[OLD, NEW, NEW])
    assert done.codes == ["SUCCESS"], (done, host.log.all())
    assert server.lets_in(dn_of("ann"), NEW)
    assert host.drive("su", qualified, "acct", ruser="root").code == "SUCCESS"
    assert host.drive("sudo", qualified, "auth", "acct", answers=[NEW],
                      real_uid=UID).codes == ["SUCCESS"] * 2


@needs_server
def test_names_share_a_ledger(host, spelling):
    serve(host, spelling, f"ann:ann@corp:{UID}", f"ann@corp:ann@corp:{UID}")
    host.configure(lockout={"attempts": 3})
    for name in ("ann", "ann@corp", "ann"):
        assert host.drive("probe", name, "auth", answers=["no"],
                          rhost=PEER).code == "AUTH_ERR"
    for name in ("ann", "ann@corp"):
        assert host.drive("probe", name, "auth", answers=[OLD],
                          rhost=PEER).code == "AUTH_ERR"


@needs_server
def test_another_ones_qualified_name(host, spelling):
    """ann@other is somebody else: another uid, so not the directory's ann."""
    serve(host, spelling, f"ann:ann:{UID}", "ann@other:ann@other:7002")
    assert host.drive("probe", "ann@other", "auth", answers=[OLD],
                      rhost=PEER).code == "USER_UNKNOWN"
    assert host.drive("probe", "ann@other", "acct").code == "USER_UNKNOWN"


@needs_server
@pytest.mark.parametrize("line", [f"~ann:ANN:{UID}", f"~ann:=:{UID}",
                                  f"~ann:ann:{UID}"])
def test_a_directory_in_another_case(host, spelling, line):
    """The service's spelling differs from the directory's: one account."""
    serve(host, spelling, line)
    host.configure(lockout={"attempts": 3})
    for name in ("ann", "ANN", "Ann"):
        done = host.drive("probe", name, "auth", "acct", answers=[OLD],
                          rhost=PEER)
        assert done.codes == ["SUCCESS"] * 2, (name, done, host.log.all())
    for name in ("ann", "ANN", "Ann"):
        assert host.drive("probe", name, "auth", answers=["no"],
                          rhost=PEER).code == "AUTH_ERR"
    assert host.drive("probe", "aNN", "auth", answers=[OLD],
                      rhost=PEER).code == "AUTH_ERR"
    assert host.drive("probe", "aNN", "acct", rhost=PEER).code == "PERM_DENIED"


@needs_server
def test_a_directory_in_another_case_without_name_service(host, spelling):
    """Nothing says that ANN is ann: unknown, as ever."""
    serve(host, spelling)
    assert host.drive("probe", "ANN", "auth", answers=[OLD],
                      rhost=PEER).code == "USER_UNKNOWN"


# ---- names that are formed as an administrator likes

FORMS = ["ann#corp", "corp.ann", "ann-corp", "ann.smith@mail.example"]


@needs_server
@pytest.mark.parametrize("formed", FORMS)
def test_names_of_any_form(host, spelling, formed):
    """Whatever the name service calls her (full_name_format of sssd): found by
    the uid, by login, by key and by rules about groups."""
    server = serve(host, spelling, f"{formed}:{formed}:{UID}",
                   f"{formed.upper()}:{formed.upper()}:{UID}", pwdLockout="TRUE")
    host.create_state_groups()
    host.nsswitch(passwd="files spelling", group="files selfreset",
                  shadow="files selfreset")
    done = host.drive("probe", formed, "auth", "acct", answers=[OLD], rhost=PEER)
    assert done.codes == ["SUCCESS"] * 2, (done, host.log.all())
    server.modify(dn_of("ann"), "add: pwdAccountLockedTime\n"
                  f"pwdAccountLockedTime: {FOR_GOOD}", relax=True)
    host.publish()
    assert host.drive("probe", formed, "acct", rhost=PEER).code == "PERM_DENIED"
    assert host.states(formed) == {"acct-locked"}
    assert host.states(formed.upper()) == {"acct-state-unknown"}
    # A change that is published by the directory's name is seen by hers.
    server.modify(dn_of("ann"), "delete: pwdAccountLockedTime", relax=True)
    host.publish("ann")
    assert host.states(formed) == {"acct-ok"}


@needs_server
def test_a_uid_of_two_sources(host, spelling):
    """The same uid is not enough: the directory's name has to be a part of the
    name, else her password would let her in as somebody else."""
    server = serve(host, spelling)
    host.create_state_groups()
    host.nsswitch(passwd="files spelling", group="files selfreset",
                  shadow="files selfreset")
    for name in ("bob@ad", "corpann", "joanna#corp"):
        spelling(f"{name}:{name}:{UID}")
        done = host.drive("probe", name, "auth", answers=[OLD], rhost=PEER)
        assert done.code == "USER_UNKNOWN", (name, host.log.all())
        assert host.drive("probe", name, "acct").code == "USER_UNKNOWN"
        host.publish()
        assert host.states(name) == {"acct-state-unknown"}
    # So with two of them, of which neither is meant.
    server.add(user("eve", UID, NEW))
    done = host.drive("probe", name, "auth", answers=[OLD], rhost=PEER)
    assert done.code == "USER_UNKNOWN", host.log.all()


@needs_server
def test_another_name_with_the_uid(host, spelling):
    """Two names with one uid are two accounts."""
    serve(host, spelling, f"ann:ann:{UID}", f"mal#corp:mal#corp:{UID}")
    done = host.drive("probe", "mal#corp", "auth", answers=[OLD], rhost=PEER)
    assert done.code == "USER_UNKNOWN"
    # Neither is one of this host, nor of two that could be meant.
    spelling(f"ann#corp:ann#corp:{UID}")
    bob = host.add("bob", NEW, uid=UID)
    host.configure(selfreset={"backends": "corp"})
    assert host.drive("probe", "bob", "auth", answers=[OLD],
                      rhost=PEER).code == "USER_UNKNOWN", bob


@needs_server
def test_one_uid_twice_in_the_directory(host, spelling):
    server = serve(host, spelling, f"ann#eve:ann#eve:{UID}")
    assert host.drive("probe", "ann#eve", "acct").code == "SUCCESS"
    server.add(user("eve", UID, NEW))
    assert host.drive("probe", "ann#eve", "acct").code == "AUTHINFO_UNAVAIL"
    spelling(f"eve#corp:eve#corp:{UID}")
    assert host.drive("probe", "eve#corp", "auth", "acct",
                      answers=[NEW]).codes == ["SUCCESS"] * 2


def show_states(host):
    host.create_state_groups()
    host.nsswitch(passwd="files spelling", group="files selfreset",
                  shadow="files selfreset")


@needs_server
def test_a_name_of_two_accounts(host, spelling):
    """A login by it is refused, so that it is published for neither; what
    follows a change does not publish it either."""
    server = serve(host, spelling, f"ann#eve:ann#eve:{UID}")
    show_states(host)
    host.publish()
    assert host.states("ann#eve") == {"acct-ok"}
    server.add(user("eve", UID, NEW))
    done = host.run("selfreset-publish")
    for name in ("ann", "eve"):
        assert f'has this name for "{name}"' in done.stderr, done
    host.run("selfreset-publish", "--user", "eve")
    host.run("selfreset-publish", "--user", "ann")
    assert host.drive("probe", "ann#eve", "acct").code == "AUTHINFO_UNAVAIL"
    assert host.states("ann#eve") == {"acct-state-unknown"}
    done = host.run("selfresetctl", "check", "--backend", "corp")
    assert "ann, eve" in done.stdout or "eve, ann" in done.stdout
    server.delete(dn_of("eve"))
    host.publish()
    assert host.states("ann#eve") == {"acct-ok"}


@needs_server
@pytest.mark.parametrize("uid", [UID, UID + 1])
def test_names_that_differ_in_case(host, spelling, uid):
    """A directory finds both by either name: no login, no state."""
    server = serve(host, spelling, f"~ann:ann:{UID}")
    show_states(host)
    server.add({**user("ANN", uid, NEW), "dn": f"cn=other,{PEOPLE}",
                "cn": "other"})
    done = host.run("selfreset-publish")
    assert "SR-3013" in done.stderr, done
    for name in ("ann", "ANN", "Ann"):
        assert host.drive("probe", name, "acct").code == "AUTHINFO_UNAVAIL"
        assert host.states(name) == {"acct-state-unknown"}, name
    done = host.run("selfresetctl", "check", "--backend", "corp")
    assert "ann, ANN" in done.stdout or "ANN, ann" in done.stdout, done
    server.delete(f"cn=other,{PEOPLE}")
    host.publish()
    assert host.states("Ann") == {"acct-state-unknown"}
    assert host.states("ann") == {"acct-ok"}


@needs_server
def test_accounts_that_were_never_read(host, spelling):
    """Before a directory was read once, any name may be of its accounts; those
    of this host are known."""
    server = serve(host, spelling, f"ann:ann:{UID}")
    host.add("bob", NEW)
    host.create_state_groups()
    host.nsswitch(passwd="files spelling", group="files selfreset",
                  shadow="files selfreset")
    server.pause()
    host.run("selfreset-publish")
    assert host.states("ann") == {"acct-state-unknown"}
    assert host.states("bob") == {"acct-ok"}
    server.resume()
    host.publish()
    assert host.states("ann") == {"acct-ok"}
    spelling(f"ann:ann:{UID}", "stranger:stranger:7600")
    assert host.states("stranger") == set()
