"""Accounts of this host and accounts of directories, side by side: whose a name
is, and that everything is about the same account.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import time

import pytest

import directory
from directory import (PEOPLE, POLICY, SECRET_FILE, SERVICE, Slapd, dn_of,
                       stamp, user)
from middle import Middle
from scratch import CONTACT, COSTLY, stack
from talk import AGAIN, CURRENT, PASSWORD, Talk
from talk import NEW as NEW_PROMPT
from test_enumeration import assert_alike, sample
from test_ldap_hang import PLAIN
from test_ldap import DAY, NEW, OLD, PEER, UID, configure, log_in, secret_file

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

ANN = dn_of("ann")
LOCAL = "a secret of this host"


def serve(host, order, *users, policy=None, **config):
    server = Slapd(host, list(users), policies={"policy": policy or {}})
    configure(host, server, **config)
    host.configure(selfreset={"backends": order})
    return server


def status(host, name="ann"):
    return json.loads(host.run("selfresetctl", "status", "--json", name).stdout)


def twins(host, order, policy=None, uid=None, **fields):
    """Ann is known here, and in the directory; by default of the same uid."""
    ann = host.add("ann", LOCAL)
    server = serve(host, order, user("ann", uid or ann.uid, OLD, **fields),
                   policy=policy)
    return ann, server


# ---- each name in one place

@pytest.mark.parametrize("order", ["local corp", "corp local"])
def test_refusals_take_the_same_time(host, order):
    """Whichever backend has the name, or none."""
    host.add("bob", LOCAL, cost=COSTLY)
    serve(host, order, user("ann", UID, OLD))
    host.configure(lockout={"attempts": 60, "source_attempts": 0})
    host.add_elsewhere("ann", UID)
    assert_alike(sample(host, {
        "directory": {"user": "ann", "password": "no"},
        "local": {"user": "bob", "password": "no"},
        "unknown": {"user": "evelina", "password": "no"},
    }, 7))


SLOW = 0.05


def delay(middle, client, server, request):
    """A directory far away."""
    time.sleep(SLOW)
    server.sendall(request.data)


@pytest.mark.parametrize("order", ["local corp", "corp local"])
def test_the_time_until_the_prompt(host, order):
    """Nothing is looked up before it, and what a look-up takes afterwards does
    not tell names apart either."""
    host.add("bob", LOCAL)
    server = serve(host, order, user("ann", UID, OLD))
    host.add_elsewhere("ann", UID)
    names = ("ann", "bob", "evelina")
    before, after = ({name: [] for name in names} for _ in range(2))
    with Middle(server, {"search": delay}) as middle:
        configure(host, server, uri=middle.uri, **PLAIN)
        host.configure(selfreset={"backends": order},
                       lockout={"attempts": 60, "source_attempts": 0})
        for _ in range(5):
            for name in names:
                asked = middle.seen.count("search")
                done = host.drive("probe", name, "auth", rhost=PEER)
                assert done.codes == ["CONV_ERR"], done
                assert middle.seen.count("search") == asked, name
                before[name].append(done.times[0])
                done = host.drive("probe", name, "auth", answers=["no"],
                                  rhost=PEER)
                assert done.prompts == ["Password: "], done
                assert done.code in ("AUTH_ERR", "USER_UNKNOWN"), done
                after[name].append(done.times[0])
    # The least of them, since the machine may have more to do.
    least = [min(values) for values in before.values()]
    assert max(least) - min(least) < SLOW * 1e9 / 10, before
    least = [min(values) for values in after.values()]
    assert max(least) < min(least) * 1.2, after


@pytest.mark.parametrize("order", ["local corp", "corp local"])
def test_both_kinds(host, order):
    """Each by its own password, and a stranger by none."""
    bob = host.add("bob", LOCAL)
    server = serve(host, order, user("ann", UID, OLD))
    host.add_elsewhere("ann", UID)
    for name, right, wrong in (("ann", OLD, LOCAL), ("bob", LOCAL, OLD)):
        done = host.drive("probe", name, "auth", "acct", answers=[right])
        assert done.codes == ["SUCCESS", "SUCCESS"], (name, done)
        done = host.drive("probe", name, "auth", answers=[wrong])
        assert done.codes == ["AUTH_ERR"], (name, done)
    assert status(host)["backend"] == "corp"
    assert status(host, "bob")["backend"] == "local"
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as talk:
        talk.answer(PASSWORD, OLD)
        assert "in as ann" in talk.rest()
    assert server.lets_in(ANN, OLD)


def test_name_that_nobody_knows(host):
    """The work is that for a wrong password in the backend that was asked last,
    and so is what is said."""
    server = serve(host, "local corp", user("ann", UID, OLD))
    host.add_elsewhere("ann", UID)
    counted = []
    for name in ("ann", "nobody-here"):
        mark = server.mark()
        done = host.drive("probe", name, "auth", answers=["no"], rhost=PEER)
        assert done.codes == ["AUTH_ERR" if name == "ann" else "USER_UNKNOWN"]
        assert done.said == "" and done.prompts == ["Password: "]
        counted.append(server.count(mark))
    assert counted[0].binds == counted[1].binds, counted
    with Talk(host.ssh_command("nobody-here", "true")) as talk:
        talk.answer(PASSWORD, OLD)
        shown = talk.rest()
    with Talk(host.ssh_command("ann", "true")) as talk:
        talk.answer(PASSWORD, "no")
        assert talk.rest().replace("ann@", "nobody-here@") == shown


def test_names_that_nobody_knows_are_throttled(host):
    host.configure(lockout={"attempts": 2})
    server = serve(host, "local corp", user("ann", UID, OLD))
    for _ in range(2):
        host.drive("probe", "nobody-here", "auth", answers=["no"])
    mark = server.mark()
    done = host.drive("probe", "nobody-here", "auth", answers=["no"])
    assert done.codes == ["AUTH_ERR"] and CONTACT in done.said
    assert 'BIND dn="uid=' not in server.lines(mark)


# ---- the same name in both

def test_local_goes_first(host):
    ann, server = twins(host, "local corp", {"pwdMustChange": "TRUE"},
                        pwdReset="TRUE")
    mark = server.mark()
    assert log_in(host, LOCAL).codes == ["SUCCESS", "SUCCESS"]
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"
    assert status(host)["backend"] == "local"
    assert status(host)["state"] == "ok"
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, LOCAL)
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        talk.rest()
        assert talk.status == 0
    assert host.has_password("ann", NEW)
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]
    host.serve_states()
    assert host.states("ann") == {"acct-ok"}
    text = server.lines(mark)
    assert "ann" not in text.replace("(uid=*)", ""), "it was asked for"
    assert server.lets_in(ANN, OLD) and not server.lets_in(ANN, NEW)


def test_directory_goes_first(host):
    """Facts, counting, the change, what is published: all of the directory's
    account; and nothing is written here."""
    host.configure(lockout={"attempts": 3})
    ann, server = twins(host, "corp local", {"pwdMustChange": "TRUE"},
                        pwdReset="TRUE")
    line = host.shadow("ann")
    assert log_in(host, LOCAL).codes[0] == "AUTH_ERR"
    assert log_in(host, OLD).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    assert status(host)["backend"] == "corp"
    assert status(host)["state"] == "must-change"
    host.serve_states()
    assert "pw-must-change" in host.states("ann")
    with Talk(host.ssh_command("ann", "echo in as $(id -un)")) as talk:
        talk.answer(PASSWORD, OLD)
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        assert "in as ann" in talk.rest()
    assert host.states("ann") == {"acct-ok"}
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, NEW)
        talk.answer(NEW_PROMPT, OLD)
        talk.answer(AGAIN, OLD)
        talk.rest()
    assert server.lets_in(ANN, OLD)
    assert host.shadow("ann") == line
    for _ in range(3):
        host.drive("probe", "ann", "auth", answers=[LOCAL], rhost=PEER)
    mark = server.mark()
    assert log_in(host, OLD).codes == ["AUTH_ERR", "PERM_DENIED"]
    assert f'BIND dn="{ANN}"' not in server.lines(mark)


def test_root_sets_the_password_of_the_first(host):
    for order in ("local corp", "corp local"):
        _, server = twins(host, order)
        with Talk(["passwd", "ann"]) as talk:
            talk.answer(NEW_PROMPT, NEW)
            talk.answer(AGAIN, NEW)
            talk.rest()
        is_local = order.startswith("local")
        assert host.has_password("ann", NEW) == is_local
        assert server.lets_in(ANN, NEW) != is_local
        server.stop()
        host.reset()


# ---- another uid than this host's

def test_another_uid(host):
    """Whoever has the password in the directory does not become the account of
    this host that has the same name; that one is asked for further on."""
    twins(host, "corp local", uid=UID)
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"
    assert log_in(host, LOCAL).codes == ["SUCCESS", "SUCCESS"]
    done = host.drive("probe", "ann", "chauthtok", answers=[OLD, NEW, NEW],
                      real_uid=UID)
    assert done.codes != ["SUCCESS"]
    assert host.has_password("ann", LOCAL)
    assert status(host)["backend"] == "local"


def test_another_uid_of_an_account_from_elsewhere(host):
    serve(host, "local corp", user("ann", UID, OLD))
    host.add_elsewhere("ann", UID + 5)
    assert log_in(host, OLD).codes == ["USER_UNKNOWN", "USER_UNKNOWN"]
    lines = host.log.with_text("SR-3001")
    assert lines and str(UID) in lines[0] and "uid" in lines[0], lines
    for command, code in ((["status", "ann"], 7), (["list"], 1)):
        done = host.run("selfresetctl", *command)
        assert done.returncode == code and "the uid is" in done.stderr, done
    assert "is not used: the uid is" in " ".join(
        host.run("selfresetctl", "check").stdout.split())
    host.give_key("ann")
    with Talk(host.ssh_command("ann", "echo in as $(id -un)",
                               method="publickey")) as talk:
        assert "in as" not in talk.rest()


def test_another_uid_does_not_matter_behind_a_local_account(host):
    twins(host, "local corp", uid=UID)
    assert log_in(host, LOCAL).codes == ["SUCCESS", "SUCCESS"]
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"


# ---- a directory that is away

@pytest.mark.parametrize("when_down", ["stop", "next"])
def test_away(host, when_down):
    """Local accounts go before it, and are let in; of a name that only it could
    know nobody says that it is not there."""
    bob = host.add("bob", LOCAL)
    server = serve(host, "local corp", user("ann", UID, OLD), timeout="1s",
                   when_down=when_down)
    host.add_elsewhere("ann", UID)
    host.configure(lockout={"attempts": 1})
    server.stop()
    done = host.drive("probe", "bob", "auth", "acct", answers=[LOCAL])
    assert done.codes == ["SUCCESS", "SUCCESS"]
    with Talk(["passwd"], user=bob) as talk:
        talk.answer(CURRENT, LOCAL)
        talk.answer(NEW_PROMPT, NEW)
        talk.answer(AGAIN, NEW)
        talk.rest()
    assert host.has_password("bob", NEW)
    for name in ("ann", "nobody-here"):
        for _ in range(2):
            done = host.drive("probe", name, "auth", answers=["no"])
            assert done.codes == ["AUTHINFO_UNAVAIL"], (name, done)
            assert CONTACT in done.said
    server.start()
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"], "it was counted"


def test_first_is_away(host):
    """Its account of the same name is not to be had by the local password,
    unless that is what was configured."""
    _, server = twins(host, "corp local")
    host.configure(backend_corp={"timeout": "1s"})
    server.stop()
    assert log_in(host, LOCAL).codes[0] == "AUTHINFO_UNAVAIL"
    host.configure(backend_corp={"when_down": "next"})
    assert log_in(host, LOCAL).codes == ["SUCCESS", "SUCCESS"]
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"


# ---- two directories

def second(host, *users, **fields):
    server = Slapd(host, list(users), **fields)
    secret_file()
    host.configure(selfreset={"backends": "local corp branch"},
                   backend_branch={"uri": server.uri, "base": PEOPLE,
                                   "identity": "simple", "bind_dn": SERVICE,
                                   "secret_file": SECRET_FILE,
                                   "default_policy": POLICY})
    return server


def test_two_directories(host):
    corp = serve(host, "local corp", user("ann", UID, OLD),
                 user("cat", UID + 2, OLD))
    branch = second(host, user("bob", UID + 1, LOCAL),
                    user("cat", UID + 2, LOCAL),
                    policies={"policy": {"pwdMaxAge": 90 * DAY}})
    branch.modify(dn_of("bob"), "replace: pwdChangedTime\npwdChangedTime: "
                  f"{stamp(100 * DAY)}", relax=True)
    for number, name in enumerate(("ann", "bob", "cat")):
        host.add_elsewhere(name, UID + number)

    def codes(name, password):
        return host.drive("probe", name, "auth", "acct", answers=[password],
                          rhost=PEER).codes

    assert codes("ann", OLD) == ["SUCCESS", "SUCCESS"]
    assert codes("bob", LOCAL) == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    # The first that knows the name has it.
    assert codes("cat", OLD) == ["SUCCESS", "SUCCESS"]
    assert codes("cat", LOCAL)[0] == "AUTH_ERR"
    mark = branch.mark()
    done = host.drive("probe", "bob", "auth", "acct", "change-expired",
                      answers=[LOCAL, NEW, NEW], rhost=PEER)
    assert done.code == "SUCCESS", (done, host.log.all())
    assert branch.lets_in(dn_of("bob"), NEW)
    # One connection to each, over all calls.
    assert branch.lines(mark).count(" ACCEPT from ") == 1 + 1  # and lets_in
    corp.stop()
    assert codes("bob", NEW)[0] == "AUTHINFO_UNAVAIL"
    host.configure(backend_corp={"when_down": "next", "timeout": "1s"})
    assert codes("bob", NEW) == ["SUCCESS", "SUCCESS"]


def test_one_of_two_by_argument(host):
    """A line of a stack can be about one backend only."""
    serve(host, "local corp", user("ann", UID, OLD))
    second(host, user("ann", UID, LOCAL))
    host.add_elsewhere("ann", UID)
    for name, right, wrong in (("corp", OLD, LOCAL), ("branch", LOCAL, OLD)):
        host.service("probe", stack(f"backend={name}"))
        assert log_in(host, right).codes == ["SUCCESS", "SUCCESS"]
        assert log_in(host, wrong).codes[0] == "AUTH_ERR"
    host.service("probe", stack("backend=local"))
    assert log_in(host).codes[0] == "USER_UNKNOWN"


@pytest.mark.parametrize("numbers", [
    ["-5"], ["0"], ["7"], ["99999999999"], ["4294967295"],
    ["0", "99999999999"], ["7", "-5"]])
def test_an_entry_of_no_use(host, numbers):
    """An entry that is no account does not make a local one unavailable, nor do
    several of one name."""
    ann = host.add("ann", LOCAL)
    serve(host, "corp local", *(
        {**user("ann", ann.uid, OLD), "uidNumber": number, "cn": f"e{n}",
         "dn": f"cn=e{n},{directory.PEOPLE}"}
        for n, number in enumerate(numbers)))
    assert log_in(host, LOCAL).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"
    assert host.drive("probe", "ann", "acct", rhost=PEER).codes == ["SUCCESS"]
    assert status(host)["backend"] == "local"
    found = {one["user"]: one["backend"] for one in json.loads(
        host.run("selfresetctl", "list", "--json").stdout)}
    assert found["ann"] == "local"
    host.serve_states()
    assert host.states("ann") == {"acct-ok"}


def test_an_entry_of_no_use_beside_the_account(host):
    """It is not taken for another account of the name."""
    serve(host, "corp local", user("ann", UID, OLD),
          {**user("ann", UID, LOCAL), "uidNumber": "99999999999", "cn": "other",
           "dn": f"cn=other,{directory.PEOPLE}"})
    host.add_elsewhere("ann", UID)
    assert log_in(host, OLD).codes == ["SUCCESS", "SUCCESS"], host.log.all()
    assert log_in(host, LOCAL).codes[0] == "AUTH_ERR"
    host.serve_states()
    assert host.states("ann") == {"acct-ok"}
