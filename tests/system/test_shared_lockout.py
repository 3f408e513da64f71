"""The throttle of the fleet: failures counted in a directory for all hosts.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import re
import time

import pytest

import directory
import directory389
import machines
from directory import (BASE, SERVICE, Slapd, dn_of, stamp, user)
from machines import counts
from scratch import SLOW, hash_password, wait_until
from talk import PASSWORD
from test_ldap import NEW, configure, drive

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

OLD = "correct horse battery"
PEER = "192.0.2.7"
UID = 7001
FLEET = f"ou=selfreset,{BASE}"
CONTAINER = {"dn": FLEET, "objectClass": "organizationalUnit",
             "ou": "selfreset"}
# As the manual has it.
ACCESS = f"""\
access to dn.subtree="{FLEET}" by dn.exact="{SERVICE}" write by * none
"""
# The ledger of ann, for strangers.
ANN = "s-2ad4bb23d0e198ac84074c8bd51bb011"


def serve(host, *entries, access=ACCESS, slow=False, server=None, policy=None,
          pwdChangedTime=None, **config):
    """A directory that counts, with ann in it."""
    ann = user("ann", UID, OLD, pwdChangedTime=pwdChangedTime)
    if slow:  # many are under way at once
        ann["userPassword"] = "{CRYPT}" + hash_password(OLD, SLOW)
    made = Slapd(host, [ann, CONTAINER, *entries],
                 access=access + directory.ACCESS,
                 policies={"policy": policy or {}},
                 **{"more": "index serialNumber eq", **(server or {})})
    configure(host, made, lockout_base=FLEET, **config)
    host.configure(lockout={"store": "ldap"})
    host.add_elsewhere("ann", UID)
    return made


@pytest.fixture(name="fleet")
def make_fleet(host):
    with machines.fleet(host) as made:
        yield made


def serve_fleet(host, fleet, *entries, slow=False, server=None, **config):
    certificate = directory.certificate("directory", host=machines.SERVER)
    return serve(host, *entries, slow=slow,
                 ca_file=directory.CERTS / "ca.pem", **config,
                 server={"certificate_file": certificate,
                         "net": fleet.middle, **(server or {})})


def verified(server, mark, dn=None):
    """How often the server was asked whether a password is right."""
    return server.lines(mark).count(f'BIND dn="{dn or dn_of("ann")}" method=')


def failures(server, ledger=ANN):
    """The states of the entries of a ledger."""
    states, here = [], False
    for line in server.search(FLEET, "serialNumber", "description"):
        if line.startswith("dn: "):
            here = False
        elif line == f"serialNumber: {ledger}":
            here = True
        elif line.startswith("description: ") and here:
            states.append(line.split()[-1])
    return sorted(states)


def guess(fleet, number, password="no", name="ann", **options):
    return fleet.drive(number, "probe", name, "auth", answers=[password],
                       rhost=PEER, **options)


# ---- overshoot

def test_two_hundred_guesses_over_three_hosts(host, fleet):
    server = serve_fleet(host, fleet, slow=True)
    mark = server.mark()
    done = counts(fleet.drive_all("probe", "ann", "auth", answers=["no"],
                                  rhost=PEER, processes=67))
    assert done == {"AUTH_ERR": 201}
    assert verified(server, mark) == 5
    assert failures(server) == ["failed"] * 5
    for number in range(3):
        assert guess(fleet, number, OLD).code == "AUTH_ERR"
    assert verified(server, mark) == 5


def test_right_ones_at_once_all_pass(host, fleet):
    server = serve_fleet(host, fleet, slow=True)
    done = counts(fleet.drive_all("probe", "ann", "auth", answers=[OLD],
                                  rhost=PEER, processes=10))
    assert done == {"SUCCESS": 30}, host.log.all()
    assert failures(server) == []


def test_right_ones_pass_one_slot(host, fleet):
    """Four failures leave one slot, which all who are right share."""
    server = serve_fleet(host, fleet, slow=True)
    for number in range(4):
        assert guess(fleet, number % 3).code == "AUTH_ERR"
    assert failures(server) == ["failed"] * 4
    done = counts(fleet.drive_all("probe", "ann", "auth", answers=[OLD],
                                  rhost=PEER, processes=3))
    assert done == {"SUCCESS": 9}, host.log.all()
    assert failures(server) == []


def test_right_ones_among_guesses(host, fleet):
    """While four guess, those who know it come in."""
    serve_fleet(host, fleet, slow=True)
    done = fleet.drive_all(
        "probe", "ann", "auth", rhost=PEER,
        each=lambda number: {"answers": ["no" if number == 0 else OLD],
                             "processes": 4})
    assert counts(done[:1]) == {"AUTH_ERR": 4}
    assert counts(done[1:]) == {"SUCCESS": 8}, host.log.all()


def test_killed_in_the_middle(host, fleet):
    server = serve_fleet(host, fleet, slow=True)
    begun = 0
    for round_ in range(8):
        fleet.forget_state()
        server.clear(FLEET)
        mark = server.log.stat().st_size
        fleet.drive_all("probe", "ann", "auth", answers=["no"], rhost=PEER,
                        processes=12, kill=400000, seed=round_)
        begun += verified(server, mark)
        assert verified(server, mark) <= 5, round_
        fleet.forget_state()
        host.configure(lockout={"wait": "1s"})
        fleet.drive_all("probe", "ann", "auth", answers=["no"], rhost=PEER,
                        processes=4)
        assert verified(server, mark) <= 5, f"round {round_}"
    assert begun > 8, "they were killed too early to show anything"


def test_hosts_that_died_hold_nobody_up_for_long(host, fleet):
    """Four entries are left pending; the right password goes through the fifth
    slot, and takes them along when they are too old."""
    left = [{"dn": f"cn={number:032x},{FLEET}", "objectClass": "device",
             "cn": f"{number:032x}", "serialNumber": ANN,
             "description": "1 pending", "createTimestamp": stamp(60),
             "modifyTimestamp": stamp(60)} for number in range(4)]
    server = serve_fleet(host, fleet, *left)
    assert guess(fleet, 0, OLD).code == "SUCCESS"
    assert failures(server) == []


# ---- one ledger for all hosts

def test_guesses_on_one_host_lock_all(host, fleet):
    server = serve_fleet(host, fleet)
    for number in (0, 0, 1, 1, 2):
        assert guess(fleet, number).code == "AUTH_ERR"
    mark = server.mark()
    for number in range(3):
        done = guess(fleet, number, OLD)
        assert done.code == "AUTH_ERR"
        assert "is locked until" in done.said
    assert verified(server, mark) == 0
    assert failures(server) == ["failed"] * 5
    # A login by key is refused everywhere, too, with one search for it.
    mark = server.mark()
    for number in range(3):
        done = fleet.drive(number, "probe", "ann", "acct", rhost=PEER)
        assert done.codes == ["PERM_DENIED"]
        assert "is locked until" in done.said
    assert server.lines(mark).count(f'SRCH base="{FLEET}"') == 3
    assert server.lines(mark).count(f'SRCH base="cn=selfreset,{FLEET}"') == 0


def test_success_clears_for_all(host, fleet):
    server = serve_fleet(host, fleet)
    for number in (0, 0, 1, 1):
        assert guess(fleet, number).code == "AUTH_ERR"
    mark = server.mark()
    done = fleet.drive(2, "probe", "ann", "auth", "acct", answers=[OLD],
                       rhost=PEER)
    assert done.codes == ["SUCCESS", "SUCCESS"]
    lines = server.lines(mark)
    assert server.count(mark).connections == 1
    assert failures(server) == []
    # The second call knows what the first has done.
    assert lines.count(f'SRCH base="{FLEET}"') == 1
    for number in (0, 0, 2, 2):
        assert guess(fleet, number).code == "AUTH_ERR"
    assert guess(fleet, 1, OLD).code == "SUCCESS"


def test_familiar_places_are_not_locked_by_strangers(host, fleet):
    serve_fleet(host, fleet)
    home = {"rhost": "192.0.2.99"}
    done = fleet.drive(0, "probe", "ann", "auth", "acct", "open",
                       answers=[OLD], **home)
    assert done.codes == ["SUCCESS"] * 3, done
    for number in (0, 1, 1, 2, 2):
        assert guess(fleet, number).code == "AUTH_ERR"
    assert guess(fleet, 0, OLD).code == "AUTH_ERR"
    assert fleet.drive(0, "probe", "ann", "auth", "acct", answers=[OLD],
                       **home).codes == ["SUCCESS", "SUCCESS"]


def test_local_accounts_are_of_one_host(host, fleet):
    server = serve_fleet(host, fleet)
    host.add("bob", OLD)
    mark = server.mark()
    for _ in range(5):
        assert guess(fleet, 0, name="bob").code == "AUTH_ERR"
    assert guess(fleet, 0, OLD, name="bob").code == "AUTH_ERR"
    assert guess(fleet, 1, OLD, name="bob").code == "SUCCESS"
    assert server.count(mark).connections == 0


def test_not_throttled_asks_nothing(host):
    server = serve(host)
    host.configure(lockout={"attempts": 0})
    mark = server.mark()
    assert host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                      rhost=PEER).codes == ["SUCCESS", "SUCCESS"]
    assert FLEET not in server.lines(mark)


def test_the_last_grace_login_can_change(host):
    """Nobody but the owner may set the password, and each bind takes one of the
    logins that are left: there is one."""
    access = ('access to attrs=userPassword by self write '
              "by anonymous auth by * none\n")
    server = serve(host, access=ACCESS + access, policy={
        "pwdMaxAge": 90 * 86400, "pwdGraceAuthNLimit": 1},
        pwdChangedTime=stamp(100 * 86400))
    mark = server.mark()
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[OLD, NEW, NEW], rhost=PEER)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert server.count(mark).connections == 2
    assert server.lets_in(dn_of("ann"), NEW)
    assert failures(server) == []
    assert not host.log.with_text(AWAY)


# ---- the same work for all

def operations(server, mark):
    """What was asked for, in order, without what differs by chance."""
    found = []
    for line in server.lines(mark).splitlines():
        match = re.search(r"op=\d+ (BIND dn=\"([^\"]*)\" method|SRCH base=\""
                          r"([^\"]*)\"|ADD dn|MOD dn|DEL dn)", line)
        if match is None:
            continue
        word = match[1].split()[0]
        if word == "BIND":
            word += " service" if match[2] == SERVICE else " user"
        if word == "SRCH" and "cn=policy" in line:
            continue  # is read of an account that there is
        found.append("MOD" if word == "DEL" else word)
    return found


def test_the_same_operations(host, fleet):
    server = serve_fleet(host, fleet)
    guess(fleet, 0, name="somebody")  # makes the key
    seen = {}
    for name in ("ann", "unheard-of"):
        mark = server.mark()
        guess(fleet, 0, name=name)
        seen[name, "wrong"] = operations(server, mark)
        for number in range(4):
            assert ("is locked until" in guess(
                fleet, 0, name=name).said) == (number == 3)
        for number, what in ((1, "there"), (0, "here")):
            mark = server.mark()
            done = guess(fleet, number, OLD, name=name)
            seen[name, what] = operations(server, mark)
            assert done.code == "AUTH_ERR"
            assert "is locked until" in done.said
    assert len(set(map(tuple, seen.values()))) == 1, seen
    assert seen["ann", "wrong"] == [
        "BIND service", "SRCH", "SRCH", "ADD", "SRCH", "BIND user",
        "BIND service", "MOD"], seen


def test_names_share_buckets(host):
    """However many names are tried, there are so many ledgers and no more; and
    which of them is whose differs from fleet to fleet."""
    server = serve(host)
    host.configure(lockout={"source_attempts": 0})
    host.drive("probe", "nobody-%", "auth", answers=["no"], rhost=PEER,
               rounds=30)
    ledgers = [line.split()[-1] for line in
               server.search(FLEET, "serialNumber")
               if line.startswith("serialNumber: n-")]
    assert len(ledgers) == 30
    assert all(int(ledger[2:], 16) < 4096 for ledger in ledgers)
    server.clear(FLEET)
    host.drive("probe", "nobody-%", "auth", answers=["no"], rhost=PEER,
               rounds=30)
    again = [line.split()[-1] for line in
             server.search(FLEET, "serialNumber")
             if line.startswith("serialNumber: n-")]
    assert len(again) == 30 and len(set(again) & set(ledgers)) < 10


NAMES = 8  # that share a bucket


def entries_of(server):
    """[(bucket, id)] of names that nobody knows."""
    found, name = [], None
    for line in server.search(FLEET, "cn", "serialNumber"):
        key, value = line.split(": ", 1)
        if key == "cn":
            name = value
        elif key == "serialNumber" and value.startswith("n-"):
            found.append((value, name))
    return sorted(found)


def neighbours(server, bucket, own, count, failed):
    """That many other names in a bucket, each with so many failures."""
    tags = [f"{(int(own[:8], 16) + 4096 * number) % 2 ** 32:08x}"
            for number in range(1, count + 1)]
    ids = [f"{tag}{number:024x}" for tag in tags for number in range(failed)]
    server.add(*({"dn": f"cn={name},{FLEET}", "objectClass": "device",
                  "cn": name, "serialNumber": bucket,
                  "description": "1 failed"} for name in ids))
    return tags


def try_unheard(host):
    return host.drive("probe", "unheard-of", "auth", answers=["no"],
                      rhost=PEER)


@pytest.mark.parametrize("failed", [4, 5])
def test_a_name_is_locked_out_by_its_own_failures(host, failed):
    """As an account is: not by those of names that share its bucket, though
    these are as many as it holds, and at or one below their lockouts; and the
    bucket does not grow."""
    host.configure(lockout={"source_attempts": 0})
    server = serve(host)
    try_unheard(host)
    [(bucket, own)] = entries_of(server)
    server.delete(f"cn={own},{FLEET}")
    host.forget_state()
    tags = neighbours(server, bucket, own, NAMES, failed)
    said = [try_unheard(host).said for _ in range(6)]
    assert ["is locked until" in one for one in said] == [False] * 4 + [
        True] * 2, said
    names = {name[:8] for _, name in entries_of(server)}
    assert len(names) == NAMES
    if failed == 5:  # all stay locked out; this host alone counts the new one
        assert names == set(tags)
    else:
        assert own[:8] in names


def test_old_failures_are_pruned(host):
    old = [{"dn": f"cn={number:032x},{FLEET}", "objectClass": "device",
            "cn": f"{number:032x}", "serialNumber": ANN,
            "description": "1 failed", "createTimestamp": stamp(864000),
            "modifyTimestamp": stamp(864000)} for number in range(20)]
    server = serve(host, *old)
    for left in (13, 6, 3):
        assert host.drive("probe", "ann", "auth", answers=["no"],
                          rhost=PEER).code == "AUTH_ERR"
        assert len(failures(server)) == left
    assert host.drive("probe", "ann", "auth", answers=[OLD],
                      rhost=PEER).code == "SUCCESS"
    assert failures(server) == []


# ---- a directory that does not count

AWAY = "SR-2207"


def falls_back(host, server):
    """The host counts alone, verifies five, and says why."""
    mark = server.mark()
    for number in range(5):
        done = host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
        assert done.codes == ["AUTH_ERR"]
        assert ("is locked until" in done.said) == (number == 4)
    done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.codes == ["AUTH_ERR"]
    assert "is locked until" in done.said
    assert verified(server, mark) == 5
    return host.log.with_text(AWAY)


@pytest.mark.parametrize("case", ["read-only", "no right", "no container",
                                  "may not add", "may not change"])
def test_alone(host, case):
    to = f'access to dn.subtree="{FLEET}" '
    by = f'by dn.exact="{SERVICE}" '
    access = {"read-only": f"{to} {by} read by * none\n",
              "no right": f"{to} by * none\n",
              "no container": ACCESS,
              "may not add": f"{to} {by} =zrscx by * none\n",
              "may not change":
                  f"{to} attrs=description {by} read by * none\n{ACCESS}"}[case]
    key = {"dn": f"cn=selfreset,{FLEET}", "objectClass": "device",
           "cn": "selfreset", "serialNumber": "key",
           "description": "1 key " + "5a" * 16}
    server = serve(host, key, access=access)
    if case == "no container":
        server.clear(FLEET)
        server.delete(FLEET)
    host.configure(lockout={"wait": "1s"})
    said = falls_back(host, server)
    assert said and FLEET in said[0], host.log.all()
    host.forget_state()
    # What was added and could not be changed has failed when its time is over.
    done = host.drive("probe", "ann", "auth", "acct", answers=[OLD], rhost=PEER)
    if case != "may not change":
        assert done.codes == ["SUCCESS", "SUCCESS"], done
    else:
        assert len(failures(server)) == 5


def test_away(host):
    """Accounts of this host do not notice, and nobody is counted."""
    server = serve(host)
    host.add("bob", OLD)
    server.stop()
    for name in ("ann", "unheard-of") * 6:
        assert host.drive("probe", name, "auth", answers=["no"],
                          rhost=PEER).codes == ["AUTHINFO_UNAVAIL"]
    assert host.drive("probe", "bob", "auth", "acct", answers=[OLD],
                      rhost=PEER).codes == ["SUCCESS", "SUCCESS"]
    assert not host.log.with_text(AWAY)
    server.start()
    assert host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                      rhost=PEER).codes == ["SUCCESS", "SUCCESS"]


@pytest.mark.parametrize("how", ["pause", "stop"])
def test_gone_at_the_prompt(host, how):
    """The answer comes within the deadline of a login, and nobody is
    counted."""
    server = serve(host, timeout="2s")
    with drive(host, "probe", "ann", "auth", rhost=PEER) as talk:
        talk.until(PASSWORD)
        getattr(server, how)()
        began = time.monotonic()
        talk.type(OLD)
        shown = talk.rest()
        took = time.monotonic() - began
    assert "AUTHINFO_UNAVAIL" in shown
    assert took < 4
    assert host.log.with_text("SR-3002")
    if how == "pause":
        server.resume()
    else:
        server.start()
    assert host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                      rhost=PEER).codes == ["SUCCESS", "SUCCESS"]
    assert failures(server) == []


# ---- another module verifies

GUARDED = ("auth     requisite  pam_selfreset.so guard\n"
           "auth     [success=1 default=ignore] pam_succeed_if.so quiet "
           "service = probe rhost = right\n"
           "auth     requisite  pam_deny.so\n"
           "auth     required   pam_selfreset.so settle\n"
           "auth     required   pam_permit.so\n")


def test_guard_and_settle(host, fleet):
    server = serve_fleet(host, fleet)
    host.service("probe", GUARDED)

    def guarded(number, right):
        steps = ("auth", "cred") if right else ("auth",)
        return fleet.drive(number, "probe", "ann", *steps, answers=["any"],
                           rhost="right" if right else PEER)

    for number in (0, 1, 1, 2):
        assert guarded(number, False).code == "AUTH_ERR"
    # Settled by the end of the handle.
    assert failures(server) == ["failed"] * 4
    assert guarded(2, True).code == "SUCCESS"
    assert failures(server) == []
    for number in (0, 1, 1, 2, 2):
        assert guarded(number, False).code == "AUTH_ERR"
    done = guarded(0, True)
    assert done.codes[0] == "AUTH_ERR" and "is locked until" in done.said
    assert failures(server) == ["failed"] * 5


# ---- the tools

def ctl(host, *arguments):
    return host.run("selfresetctl", *arguments)


def test_tools(host, fleet):
    server = serve_fleet(host, fleet)
    shown = ctl_on(fleet, 1, "status", "--json", "ann")
    assert shown["shared_ledger"].endswith(FLEET)
    assert shown["all_hosts_strangers"] == {
        "failures": 0, "attempts": 5, "locked_until": None}
    for _ in range(5):
        guess(fleet, 0)
    shown = ctl_on(fleet, 1, "status", "--json", "ann", status=3)
    assert shown["state"] == "locked"
    assert shown["all_hosts_strangers"]["failures"] == 5
    assert shown["all_hosts_strangers"]["locked_until"] is not None
    assert shown["strangers"]["failures"] == 0
    shown = ctl_on(fleet, 1, "explain", "--json", "--rhost", PEER, "ann")
    assert shown["state"] == "locked"
    assert shown["shared_ledger"].endswith(FLEET)
    done = fleet.run(1, "selfresetctl", "unlock", "ann")
    assert done.returncode == 0, done
    assert done.stdout == "The lockout of ann has been ended.\n"
    assert failures(server) == []
    assert guess(fleet, 1, OLD).code == "SUCCESS"
    # The host that counted itself is told by its own administrator.
    assert guess(fleet, 0, OLD).code == "AUTH_ERR"


def ctl_on(fleet, number, *arguments, status=0):
    done = fleet.run(number, "selfresetctl", *arguments)
    assert done.returncode == status, done
    return json.loads(done.stdout)


def findings(host):
    done = ctl(host, "check", "--backend", "corp", "--json")
    return [finding["text"] for finding in json.loads(done.stdout)["findings"]
            if "lockout_base" in finding["text"]]


def test_check(host):
    server = serve(host)
    assert findings(host) == []
    # It leaves nothing but the key.
    assert server.search(FLEET, "1.1") == [f"dn: cn=selfreset,{FLEET}"]
    host.configure(lockout={"store": "local"})
    assert "nothing is counted there" in findings(host)[0]
    host.configure(lockout={"store": "ldap"})
    server.clear(FLEET)
    server.delete(FLEET)
    assert "the key cannot be read or made" in findings(host)[0]


def test_check_tells_of_limits(host):
    serve(host, server={"more": "index serialNumber eq\nlimits dn.exact="
                        f'"{SERVICE}" size=500 size.prtotal=disabled\n'})
    found = findings(host)
    assert len(found) == 1 and "not all entries can be read" in found[0], found


def test_check_tells_of_missing_rights(host):
    access = f'access to dn.subtree="{FLEET}" by * read\n'
    serve(host, access=access)
    found = findings(host)
    assert any("the key cannot be read or made" in text for text in found), found


# ---- two providers

PROVIDER = """\
syncrepl rid=00{rid} provider=ldap://127.0.0.1:{port} type=refreshAndPersist
  retry="1 +" searchbase="{base}" bindmethod=simple binddn="{root}"
  credentials="{secret}"
multiprovider on
overlay syncprov
index entryUUID,entryCSN,serialNumber eq
"""


def test_two_providers(host):
    """Plain replication.  Failures on both come together: nothing is lost."""
    ports = [(directory.free_port(), directory.free_port()) for _ in range(2)]
    made = [Slapd(host, [user("ann", UID, OLD), CONTAINER] if one == 0 else [],
                  access=ACCESS + directory.ACCESS, ports=ports[one],
                  modules=["syncprov"], front=f"serverID {one + 1}",
                  more=PROVIDER.format(rid=one + 1, port=ports[1 - one][0],
                                       base=BASE, root=directory.ROOT,
                                       secret=directory.ROOT_SECRET))
            for one in range(2)]
    host.add_elsewhere("ann", UID)
    wait_until(lambda: made[1].has(dn_of("ann")), what="replication")
    host.configure(lockout={"store": "ldap"})
    for number in (0, 1, 0, 1, 0):
        configure(host, made[number], lockout_base=FLEET)
        host.forget_state()
        assert host.drive("probe", "ann", "auth", answers=["no"],
                          rhost=PEER).code == "AUTH_ERR"
    for server in made:
        wait_until(lambda: failures(server) == ["failed"] * 5,
                   what="both to have all")
        host.forget_state()
        configure(host, server, lockout_base=FLEET)
        mark = server.log.stat().st_size
        assert host.drive("probe", "ann", "auth", answers=[OLD],
                          rhost=PEER).code == "AUTH_ERR"
        assert verified(server, mark) == 0


# ---- nobody else sees it

def test_nobody_else_sees_it(host):
    server = serve(host)
    host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    for who in ([], ["-D", dn_of("ann"), "-w", OLD]):
        shown = host.run("ldapsearch", "-x", "-LLL", "-H", server.local, *who,
                         "-b", BASE).stdout
        assert "uid=ann" in shown and "selfreset" not in shown
    assert failures(server) == ["failed"]


# ---- 389 Directory Server

# As the manual has it: what is allowed above does not count here.
ACI = [f'(targetattr="*")(version 3.0; acl "selfreset"; '
       f'allow (all) userdn="ldap:///{SERVICE}";)',
       f'(targetattr="*")(version 3.0; acl "nobody else"; '
       f'deny (all) userdn!="ldap:///{SERVICE}";)']


@pytest.mark.skipif(not directory389.have_server(),
                    reason="389-ds-base is not installed")
def test_389(host):
    server = directory389.DirectoryServer()
    try:
        server.fresh({**user("ann", UID, OLD), "userPassword": OLD})
        server.add({**CONTAINER, "aci": ACI})
        configure(host, server, default_policy="cn=config", lockout_base=FLEET)
        host.configure(lockout={"store": "ldap"})
        host.add_elsewhere("ann", UID)
        assert findings(host) == []
        for name in ("ann", "unheard-of"):
            for _ in range(4):
                host.forget_state()  # another host
                done = host.drive("probe", name, "auth", answers=["no"],
                                  rhost=PEER)
                assert done.code in ("AUTH_ERR", "USER_UNKNOWN"), done
        done = host.drive("probe", "ann", "auth", "acct", answers=[OLD],
                          rhost=PEER)
        assert done.codes == ["SUCCESS", "SUCCESS"]
        for name in ("ann", "unheard-of"):
            for _ in range(5):
                host.forget_state()
                host.drive("probe", name, "auth", answers=["no"], rhost=PEER)
            host.forget_state()
            done = host.drive("probe", name, "auth", answers=[OLD], rhost=PEER)
            assert done.code == "AUTH_ERR"
            assert "is locked until" in done.said
        assert host.drive("probe", "ann", "acct",
                          rhost=PEER).codes == ["PERM_DENIED"]
        # Who tells of everybody finds it, too.
        host.forget_state()
        host.serve_states()
        assert host.states("ann") == {"acct-locked"}
        assert "locked" in ctl(host, "list", "--state", "locked").stdout
        assert not host.log.with_text(AWAY)
        shown = server.client("ldapsearch", "-b", FLEET, check=False,
                              who=(dn_of("ann"), OLD)).stdout
        assert "serialNumber" not in shown
    finally:
        server.stop()


# ---- what is not of this module


def garbage(count, ago=60, **attributes):
    """Entries that name ann's ledger; their names are no ids, unless given."""
    return [{"dn": f"cn={name},{FLEET}", "objectClass": "device", "cn": name,
             "serialNumber": ANN, "description": "1 failed",
             "createTimestamp": stamp(ago), "modifyTimestamp": stamp(ago),
             **attributes}
            for name in (attributes.pop("name", "x-{}").format(n)
                         for n in range(count))]


def future(count):
    """Failures of the year 2099."""
    return [{"dn": f"cn={number:032x},{FLEET}", "objectClass": "device",
             "cn": f"{number:032x}", "serialNumber": ANN,
             "description": ("1 failed", "1 pending")[number % 2],
             "createTimestamp": "20990101000000Z",
             "modifyTimestamp": "20990101000000Z"}
            for number in range(count)]


def stale(count):
    """Failures of a time when nothing was pruned."""
    return [{**entry, "createTimestamp": stamp(90 * 86400),
             "modifyTimestamp": stamp(90 * 86400)} for entry in future(count)]


UNLIMITED = f'index serialNumber eq\nlimits dn.exact="{SERVICE}" size=unlimited\n'


def test_more_than_the_server_returns(host):
    """Then each host counts alone, and everybody says so."""
    serve(host, *garbage(600))
    for steps in (["auth", "acct"], ["acct"]):
        done = host.drive("probe", "ann", *steps, answers=[OLD], rhost=PEER)
        assert done.codes == ["SUCCESS"] * len(steps), done
    assert any("SR-2207" in line for line in host.log.all())
    for command in (["status", "ann"], ["unlock", "ann"]):
        done = ctl(host, *command)
        assert "Size limit exceeded" in done.stderr, done
    assert any("not all entries can be read" in one for one in findings(host))


@pytest.mark.parametrize("entries", [garbage(1100), future(1100), future(1),
                                     stale(1100)],
                         ids=["no-ids", "future", "one-future", "stale"])
def test_what_counts_for_nothing(host, entries):
    """Logins, status and the publisher see the same."""
    serve(host, *entries, server={"more": UNLIMITED})
    host.create_state_groups()
    host.nsswitch()
    host.configure(lockout={"attempts": 1})
    for steps in (["auth", "acct"], ["acct"]):
        done = host.drive("probe", "ann", *steps, answers=[OLD], rhost=PEER)
        assert done.codes == ["SUCCESS"] * len(steps), done
    shown = ctl(host, "status", "--json", "ann")
    assert shown.returncode == 0, shown
    assert json.loads(shown.stdout)["all_hosts_strangers"]["failures"] == 0
    done = host.run("selfreset-publish")
    assert done.returncode == 0, done
    assert host.states("ann") == {"acct-ok"}
    # It counts all the same, for everybody who looks.
    assert host.drive("probe", "ann", "auth", answers=["no"],
                      rhost=PEER).code == "AUTH_ERR"
    host.forget_state()
    done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.code == "AUTH_ERR", done
    assert ctl(host, "status", "--json", "ann").returncode == 3
    assert ctl(host, "unlock", "ann").stdout \
        == "The lockout of ann has been ended.\n"
    done = host.drive("probe", "ann", "auth", answers=[OLD], rhost=PEER)
    assert done.code == "SUCCESS", done


@pytest.mark.parametrize("entries", [garbage(3), future(3)])
def test_check_names_garbage(host, entries):
    serve(host, *entries)
    found = findings(host)
    assert len(found) == 1, found
    assert "3 entries" in found[0] and entries[0]["dn"] in found[0], found
