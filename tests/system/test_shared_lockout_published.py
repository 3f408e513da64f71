"""Lockouts that hosts count together, as the name service shows them and
selfresetctl lists them.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json

import pytest

import directory
from directory import SERVICE, stamp, user
from middle import (DONE, Middle, ber, control, hang_up, message, number,
                    octets, result)
from scratch import STATE_GROUPS, wait_until
import test_shared_lockout
from test_shared_lockout import (ANN, AWAY, FLEET, GUARDED, OLD, PEER, failures, guess,
                        make_fleet, serve_fleet)  # noqa: F401
from test_watch import ASKED, Follower

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

LOCKED, OK = {"acct-locked"}, {"acct-ok"}
HOME = "192.0.2.99"
INDEX = "index serialNumber,objectClass eq\n"


def serve(host, fleet, *entries, publish=True, **options):
    server = serve_fleet(host, fleet, *entries, **options)
    host.create_state_groups()
    host.nsswitch()
    for number in range(3) if publish else ():
        put(fleet, number)
    return server


def put(fleet, number, *arguments, status=0):
    done = fleet.run(number, "selfreset-publish", *arguments)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done.stderr


def states(fleet, number, name="ann", ahead=0):
    """The state groups, so many seconds later."""
    gids = set(fleet.run(number, "faketime", "-f", f"+{ahead}s", "id", "-G",
                         name).stdout.split())
    return {group for group, gid in STATE_GROUPS.items() if str(gid) in gids}


def listed(fleet, number, status=0):
    """The states of all accounts, and what was said."""
    done = fleet.run(number, "selfresetctl", "list", "--json")
    assert done.returncode == status, (done.stdout, done.stderr)
    return ({line["user"]: line["state"] for line in json.loads(done.stdout)},
            done.stderr)


def lock_out(fleet, numbers=(0, 0, 1, 1, 0), **options):
    """Five guesses, of which no host but the fleet makes a lockout."""
    for number in numbers:
        assert guess(fleet, number, **options).code == "AUTH_ERR"


def log_in(fleet, number, *steps, rhost=PEER, **options):
    return fleet.drive(number, "probe", "ann", *steps, answers=[OLD],
                       rhost=rhost, **options)


# ---- everybody, and one

@pytest.mark.parametrize("one", [False, True], ids=["all", "one"])
def test_guessed_at_elsewhere(host, fleet, one):
    server = serve(host, fleet)
    arguments = ("--user", "ann") if one else ()
    assert states(fleet, 2) == OK and listed(fleet, 2)[0]["ann"] == "ok"
    lock_out(fleet)
    for number in range(3):
        put(fleet, number, *arguments)
        assert states(fleet, number) == LOCKED, number
        shown, said = listed(fleet, number)
        assert shown["ann"] == "locked" and said == ""
    # Whoever ends it, ends it for all.
    assert fleet.run(1, "selfresetctl", "unlock", "ann").returncode == 0
    assert states(fleet, 1) == OK
    assert failures(server) == []
    assert states(fleet, 2) == LOCKED, "nobody has looked yet"
    put(fleet, 2, *arguments)
    assert states(fleet, 2) == OK and listed(fleet, 2)[0]["ann"] == "ok"


def test_four_lock_nobody_out(host, fleet):
    serve(host, fleet)
    lock_out(fleet, (0, 0, 1, 1))
    put(fleet, 2)
    assert states(fleet, 2) == OK and listed(fleet, 2)[0]["ann"] == "ok"


def test_one_side_here_and_one_there(host, fleet):
    """Where a familiar source is left, the owner can log in, and is not shown
    as locked out; the list says so."""
    serve(host, fleet)
    assert log_in(fleet, 2, "auth", "acct", "open",
                  rhost=HOME).codes == ["SUCCESS"] * 3
    assert log_in(fleet, 1, "auth", "acct", "open",
                  rhost=HOME).codes == ["SUCCESS"] * 3
    lock_out(fleet, (0, 0, 1, 1, 0))
    for number in range(3):
        put(fleet, number)
    assert [states(fleet, number) for number in range(3)] == [LOCKED, OK, OK]
    assert listed(fleet, 2)[0]["ann"] == "ok"
    assert "strangers locked out" in fleet.run(2, "selfresetctl", "list").stdout
    # The familiar side too, by guesses at host 1 and a single one here.
    for number in (1, 1, 1, 1, 2):
        assert fleet.drive(number, "probe", "ann", "auth", answers=["no"],
                           rhost=HOME).code == "AUTH_ERR"
    put(fleet, 2)
    assert states(fleet, 2) == LOCKED
    assert log_in(fleet, 2, "auth", rhost=HOME).code == "AUTH_ERR"


def test_the_hosts_own_and_the_fleets(host, fleet):
    """Strangers are locked out by this host alone, familiar sources by the
    fleet: neither by itself keeps everybody out."""
    server = serve(host, fleet)
    for number in (1, 2):
        assert log_in(fleet, number, "auth", "acct", "open",
                      rhost=HOME).codes == ["SUCCESS"] * 3
    lock_out(fleet, (2, 2, 2, 2, 2))
    server.clear(FLEET)  # what the host counted stays
    put(fleet, 2)
    assert states(fleet, 2) == OK
    for _ in range(5):
        fleet.drive(1, "probe", "ann", "auth", answers=["no"], rhost=HOME)
    put(fleet, 2)
    assert states(fleet, 2) == LOCKED
    server.clear(FLEET)
    put(fleet, 2)
    assert states(fleet, 2) == OK


# ---- at events

def searches(server, mark):
    """What was searched below the container."""
    return server.lines(mark).count(f'SRCH base="{FLEET}"')


def test_the_guess_that_locks_out(host, fleet):
    """It is seen at once where it was made, and nobody is asked for it."""
    server = serve(host, fleet)
    lock_out(fleet, (0, 0, 1, 1))
    mark = server.mark()
    assert guess(fleet, 2).code == "AUTH_ERR"
    assert searches(server, mark) == 1
    assert states(fleet, 2) == LOCKED
    assert host.log.with_text("SR-2201")


def test_a_guess_that_is_refused(host, fleet):
    """It has heard of the lockout, and that is seen at once."""
    server = serve(host, fleet)
    lock_out(fleet)
    assert states(fleet, 2) == OK
    mark = server.mark()
    assert "is locked until" in guess(fleet, 2, OLD).said
    assert searches(server, mark) == 1
    assert states(fleet, 2) == LOCKED
    assert states(fleet, 1) == OK, "it has heard of nothing"


def test_a_name_that_nobody_knows(host, fleet):
    """As much is asked, and as much is written, where a lockout begins."""
    server = serve(host, fleet)
    guess(fleet, 0, name="somebody")  # makes the key
    asked = {}
    for name in ("ann", "unheard-of"):
        for number in (0, 0, 1, 1):
            guess(fleet, number, name=name)
        mark = server.mark()
        guess(fleet, 2, name=name)
        lines = server.lines(mark)
        asked[name] = [lines.count(word) for word in
                       (" SRCH base", " BIND dn", " ADD dn", " MOD dn",
                        " DEL dn", "ACCEPT")]
    # The policy of an account that there is is read, too.
    asked["ann"][0] -= 1
    assert asked["ann"] == asked["unheard-of"]


def test_a_login_by_key(host, fleet):
    """It asks anyway, and what it learns is published."""
    server = serve(host, fleet)
    lock_out(fleet)
    mark = server.mark()
    assert fleet.drive(2, "probe", "ann", "acct",
                       rhost=PEER).codes == ["PERM_DENIED"]
    assert searches(server, mark) == 1
    assert states(fleet, 2) == LOCKED
    # And that it is over.
    fleet.run(0, "selfresetctl", "unlock", "ann")
    assert fleet.drive(2, "probe", "ann", "acct", rhost=PEER).code == "SUCCESS"
    assert states(fleet, 2) == OK


def test_a_session_knows_nothing_of_strangers(host, fleet):
    """Root's own session counts as familiar: it is let in, and what is
    published of strangers stays."""
    serve(host, fleet)
    lock_out(fleet)
    put(fleet, 2)
    assert fleet.drive(2, "probe", "ann", "acct", ruser="root").code == "SUCCESS"
    assert states(fleet, 2) == LOCKED
    # From home, where there is a familiar source, the owner comes in.
    fleet.run(1, "selfresetctl", "unlock", "ann")
    assert log_in(fleet, 2, "auth", "acct", "open",
                  rhost=HOME).codes == ["SUCCESS"] * 3
    assert states(fleet, 2) == OK
    lock_out(fleet)
    assert log_in(fleet, 2, "auth", "acct", rhost=HOME).codes == ["SUCCESS"] * 2
    assert states(fleet, 2) == OK


def test_a_login_costs_no_more(host, fleet):
    server = serve(host, fleet)
    log_in(fleet, 2, "auth", "acct")  # makes the key
    mark = server.mark()
    assert log_in(fleet, 2, "auth", "acct").codes == ["SUCCESS", "SUCCESS"]
    assert searches(server, mark) == 1
    assert server.count(mark).connections == 1


def test_guarded(host, fleet):
    """The stack ends in a failure, and so the lockout of the fleet begins."""
    serve(host, fleet)
    host.service("probe", GUARDED)
    lock_out(fleet, (0, 0, 1, 1))
    host.log.all()
    assert guess(fleet, 2).code == "AUTH_ERR"
    assert states(fleet, 2) == LOCKED
    assert host.log.with_text("SR-2201")


# ---- a directory that does not tell

def test_the_fleet_is_away(host, fleet):
    """What this host knows is published and listed, and it is said."""
    server = serve(host, fleet)
    lock_out(fleet, (0, 0, 1, 1, 0))
    server.clear(FLEET)
    server.delete(FLEET)
    for _ in range(6):  # counted by host 1 alone
        guess(fleet, 1)
    for arguments in ((), ("--user", "ann")):
        for number in (1, 2):
            said = put(fleet, number, *arguments, status=8)
            assert FLEET in said and "other hosts" in said
    assert [states(fleet, number) for number in (1, 2)] == [LOCKED, OK]
    assert host.log.with_text(AWAY)
    for number, state in ((1, "locked"), (2, "ok")):
        shown, said = listed(fleet, number, status=1)
        assert shown["ann"] == state
        assert FLEET in said and "other hosts" in said


def failed(number, ledger, age=60):
    """The entry of a wrong password."""
    return {"dn": f"cn={number:032x},{FLEET}", "objectClass": "device",
            "cn": f"{number:032x}", "serialNumber": ledger,
            "description": "1 failed", "createTimestamp": stamp(age),
            "modifyTimestamp": stamp(age)}


def test_a_pass_that_is_cut(host, fleet):
    """The first page has all of a lockout; it is not taken for the whole."""
    limit = f'limits dn.exact="{SERVICE}" size=500 size.prtotal=600\n'
    server = serve(host, fleet, *(failed(number, ANN) for number in range(5)),
                   *(failed(number, f"s-{number:032x}")
                     for number in range(5, 1100)),
                   publish=False, server={"more": INDEX + limit})
    mark = server.mark()
    assert "other hosts" in put(fleet, 2, status=8)
    assert searches(server, mark) == 2
    assert states(fleet, 2) == OK
    shown, said = listed(fleet, 2, status=1)
    assert shown["ann"] == "ok" and "other hosts" in said


PAGED = "1.2.840.113556.1.4.319"


def no_end(page, client, request):
    """There is always another page, and nothing on it."""
    client.sendall(message(request.id, result(DONE), control(
        PAGED, ber(0x30, number(0), octets("more")))))


def no_answer(page, client, request):
    hang_up(client)


def no_more_answers(page, client, request):
    (no_end if page == 1 else no_answer)(page, client, request)


def rubbish(page, client, request):
    client.sendall(message(request.id, result(DONE), control(
        PAGED, b"\x30\x84\xff\xff\xff\xff")))


@pytest.mark.parametrize("lie", [no_end, no_answer, no_more_answers, rubbish])
def test_a_server_that_lies(host, lie):
    """What this host knows is published, in good time."""
    server = test_shared_lockout.serve(host)
    host.create_state_groups()
    host.nsswitch()
    for _ in range(5):
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    pages = []

    def act(middle, client, behind, request):
        if request.contains(PAGED) and request.contains(FLEET):
            pages.append(request)
            lie(len(pages), client, request)
        else:
            behind.sendall(request.data)

    with Middle(server, {"search": act}) as middle:
        host.configure(backend_corp={
            "uri": f"ldap://localhost:{middle.port}", "insecure": "yes"})
        done = host.run("selfreset-publish")
        assert done.returncode == 8, done.stderr
        assert "What other hosts have counted cannot be read" in done.stderr
        assert host.states("ann") == LOCKED
        assert len(pages) >= (8000 if lie is no_end else 1)
        host.forget_state()
        done = host.run("selfreset-publish")
        assert done.returncode == 8, done.stderr
        assert host.states("ann") == OK, done.stderr


def test_what_cannot_be_read_is_passed_over(host, fleet):
    odd = [{"cn": "odd", "serialNumber": ANN},
           {"cn": "x" * 32, "serialNumber": ANN, "description": "1 failed"},
           {"cn": f"{1:032x}", "serialNumber": "s-", "description": "1 failed"},
           {"cn": f"{2:032x}", "serialNumber": "f-ann"},
           {"cn": f"{3:032x}", "description": "1 failed"},
           {"cn": f"{4:032x}", "serialNumber": ANN + "0"}]
    entries = [{"dn": f"cn={one['cn']},{FLEET}", "objectClass": "device",
                "createTimestamp": stamp(60), "modifyTimestamp": stamp(60),
                **one} for one in odd]
    serve(host, fleet, *entries)
    lock_out(fleet, (0, 0, 1, 1))
    put(fleet, 2)
    assert states(fleet, 2) == OK
    assert guess(fleet, 0).code == "AUTH_ERR"
    put(fleet, 2)
    assert states(fleet, 2) == LOCKED


def test_many_pages(host, fleet):
    """Somebody is found behind others who fill pages."""
    names = [f"u{number}" for number in range(300)]
    entries = [user(name, 8000 + number, OLD)
               for number, name in enumerate(names)]
    crowd = [failed(number, f"s-{number // 4:032x}") for number in range(1600)]
    unlimited = f'limits dn.exact="{SERVICE}" size=unlimited\n'
    server = serve(host, fleet, *entries, *crowd,
                   server={"more": INDEX + unlimited})
    lock_out(fleet)
    mark = server.mark()
    put(fleet, 2)
    assert states(fleet, 2) == LOCKED
    # Four pages, and none for each account.
    assert searches(server, mark) == 4
    mark = server.mark()
    shown = listed(fleet, 2)[0]
    assert [name for name, state in shown.items() if state == "locked"] == [
        "ann"]
    assert searches(server, mark) == 4


def test_not_asked_where_hosts_count_alone(host, fleet):
    server = serve(host, fleet)
    host.configure(lockout={"store": "local"})
    mark = server.mark()
    put(fleet, 2)
    listed(fleet, 2)
    assert FLEET not in server.lines(mark)


# ---- following

@pytest.fixture(name="followed", params=["told", "polled"])
def make_followed(host, fleet, request):
    """A directory, and host 2 following it."""
    sync = {"more": INDEX + "overlay syncprov\n", "modules": ["syncprov"]}
    server = serve(host, fleet, publish=False,
                   policy={"pwdMustChange": "TRUE"},
                   server=sync if request.param == "told" else {"more": INDEX})
    follower = Follower(host, wrap=fleet.machines[2].wrap)
    yield server, follower
    follower.stop()


def soon(fleet, wanted, what, name="ann"):
    wait_until(lambda: states(fleet, 2, name) == wanted, seconds=ASKED,
               what=what)


def test_watch(host, fleet, followed):
    server, follower = followed
    follower.snapshots(1)
    wait_until(lambda: states(fleet, 2) == OK, what="the first snapshot")
    lock_out(fleet)
    soon(fleet, LOCKED, "the lockout")
    assert fleet.run(1, "selfresetctl", "unlock", "ann").returncode == 0
    soon(fleet, OK, "the end of it")
    # A change of the account itself does not forget it.
    lock_out(fleet, (0, 1, 1, 1, 1))
    soon(fleet, LOCKED, "the second")
    server.modify(directory.dn_of("ann"), "replace: pwdReset\npwdReset: TRUE")
    wait_until(lambda: fleet.run(2, "getent", "shadow", "ann").stdout.split(
        ":")[2] == "0", what="the change")
    assert states(fleet, 2) == LOCKED
    # None of that took a reading of everything.
    assert follower.text().count("of directories") <= 2


def test_follow_when_the_fleet_is_away(host, fleet, followed):
    server, follower = followed
    lock_out(fleet)
    soon(fleet, LOCKED, "the lockout")
    entries = server.search(FLEET, "*", "+")
    assert entries
    server.clear(FLEET)
    server.delete(FLEET)
    wait_until(lambda: "other hosts" in follower.text(), seconds=ASKED,
               what="what is said")
    server.add({"dn": FLEET, "objectClass": "organizationalUnit",
                "ou": "selfreset"})
    wait_until(lambda: "read again" in follower.text(), seconds=ASKED,
               what="that it is back")
    soon(fleet, OK, "what it says now")
    assert follower.text().count("cannot be read") == 1
    fleet.run(0, "selfresetctl", "unlock", "ann")
    fleet.run(1, "selfresetctl", "unlock", "ann")
    lock_out(fleet)
    soon(fleet, LOCKED, "another lockout")


def test_follow_the_end_comes_by_itself(host, fleet, followed):
    """The deadline is published: nobody has to look."""
    server, follower = followed
    follower.stop()
    host.configure(nss={"max_age": "30d"},
                   lockout={"duration": "1h", "window": "1h"})
    follower.__init__(host, wrap=fleet.machines[2].wrap)
    lock_out(fleet)
    put(fleet, 2, "--user", "ann")
    assert states(fleet, 2) == LOCKED
    server.pause()
    try:
        assert states(fleet, 2, ahead=1800) == LOCKED
        assert states(fleet, 2, ahead=3601) == OK
    finally:
        server.resume()
