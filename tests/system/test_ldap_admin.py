"""Administering accounts in a directory, and checking the directory itself.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import base64
import json
import pathlib
import re
import subprocess
import textwrap
import threading
import time

import pytest

import directory
from directory import (BASE, FOR_GOOD, PEOPLE, POLICY, SECRET_FILE, SERVICE,
                       SERVICE_SECRET, Slapd, dn_of, stamp, user)
from middle import Pipe
from scratch import CONFIG, wait_until
from test_ldap import (DAY, NEW, OLD, PEER, UID, configure, log_in,
                       secret_file, serve)

pytestmark = pytest.mark.skipif(not directory.have_server(),
                                reason="slapd is not installed")

# What the manual gives the service, and what was there before.
GOOD_ACCESS = (directory.manual_block("access to", "pwdReset") +
               "access to * by self read by * none\n")
POLICY_GOOD = {"pwdMustChange": "TRUE", "pwdLockout": "TRUE",
               "pwdMaxFailure": 5, "pwdMaxAge": 90 * DAY}
GOOD = {"access": GOOD_ACCESS}


def ctl(host, *arguments, code=0, **options):
    done = host.run("selfresetctl", *arguments, **options)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def plain(text):
    return " ".join(text.split())


def values(server, name, attribute):
    return [line.partition(": ")[2]
            for line in server.read(dn_of(name), attribute)]


def status(host, user="ann"):
    done = host.run("selfresetctl", "status", "--json", user)
    return done.returncode, json.loads(done.stdout)


def test_as_the_readme_says(host):
    """Word by word, but for the servers and the file of their authority, with
    the rules of the manual."""
    server = Slapd(host, [
        user("ann", UID, OLD),
        {"dn": f"ou=policies,{BASE}", "objectClass": "organizationalUnit",
         "ou": "policies"},
        {"dn": f"cn=default,ou=policies,{BASE}", "cn": "default",
         "objectClass": ["device", "pwdPolicy"],
         "pwdAttribute": "userPassword", **POLICY_GOOD}],
        certificate_file=directory.certificate("month", days=60),
        policies={"policy": POLICY_GOOD}, **GOOD)
    host.add_elsewhere("ann", UID)
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
    block = readme.split("\n## Accounts of an LDAP directory\n")[1].split(
        "    [selfreset]\n")[1].split("\n\n")[0]
    text = "[selfreset]\n" + textwrap.dedent(block)
    path = pathlib.Path(re.search("secret_file = (.*)", text)[1])
    for key, value in (("uri", server.uri),
                       ("ca_file", directory.CERTS / "ca.pem")):
        text = re.sub(f"(?m)^{key} = .*", f"{key} = {value}", text)
    CONFIG.write_text(text + "\n")
    path.write_text(SERVICE_SECRET)
    path.chmod(0o600)
    try:
        assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
        said = json.loads(ctl(
            host, "check", "--json", *re.search(
                r"selfresetctl check (--backend corp .*)", readme)[1].split(),
            input=OLD + "\n").stdout)
        assert said["findings"] == []
        ctl(host, "must-change", "ann")
        assert log_in(host).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    finally:
        path.unlink()


def run(*command):
    done = subprocess.run(command, text=True, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_cn_config(folder, text, changes=None):
    """What slapd makes of a slapd.conf, and of a change of that."""
    folder.mkdir()
    (folder / "slapd.conf").write_text(text)
    (folder / "d").mkdir()
    run("slaptest", "-f", folder / "slapd.conf", "-F", folder / "d")
    if changes is not None:
        (folder / "changes").write_text(changes)
        run("slapmodify", "-F", folder / "d", "-n", "0", "-l",
            folder / "changes")
    shown = run("slapcat", "-F", folder / "d", "-n", "0", "-o", "ldif-wrap=no",
                "-a", "(olcSuffix=*)")
    return [line for line in shown.splitlines() if line.startswith(
        ("olcAccess: ", "olcLimits: ", "olcDbIndex: "))]


def test_both_forms_of_the_manual(host, tmp_path):
    """The rules for cn=config are those for slapd.conf, in front of the others,
    as slapd reads both."""
    server = Slapd(host, [])
    server.stop()
    before = (server.dir / "slapd.conf").read_text()
    limits = re.search(r"^\.Ql (limits dn.exact.*)$",
                       directory.manual_page(), re.M)[1]

    def made_of(name, rules, changes=None):
        text = before.replace(directory.ACCESS, rules)
        assert text != before or rules == directory.ACCESS
        return in_cn_config(tmp_path / name, text, changes)

    for word, more in (("pwdReset", limits + "\n"), ("ou=selfreset", ""),
                       ("ou=enrolments", "")):
        rules = directory.manual_block("access to", word)
        rules = rules[rules.index("access to"):] + more
        changed = "\n".join(made_of(
            f"{word}-1", directory.ACCESS,
            directory.manual_block("add: olcAccess", word)))
        # It keeps the spelling of such a change: once more, as a slapd.conf.
        for key, name in ((r"olcAccess: \{\d+\}", "access "),
                          (r"olcLimits: (\{\d+\})?", "limits "),
                          ("olcDbIndex: ", "index ")):
            changed = re.sub(rf"(?m)^{key}", name, changed)
        assert made_of(f"{word}-2", changed + "\n") == made_of(
            f"{word}-3", rules + directory.ACCESS)


# ---- unlock

def test_unlock(host):
    server = serve(host, {**POLICY_GOOD, "pwdLockoutDuration": 900},
                   server=GOOD, pwdAccountLockedTime=stamp(60))
    assert status(host)[0] == 3
    assert log_in(host).codes[0] == "AUTH_ERR"
    done = ctl(host, "unlock", "ann")
    assert "in the directory has been ended" in done.stdout, done
    assert values(server, "ann", "pwdAccountLockedTime") == []
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    again = ctl(host, "unlock", "ann")
    assert "nothing was done" in again.stdout


def test_unlock_leaves_the_lock_of_an_administrator(host):
    server = serve(host, POLICY_GOOD, server=GOOD,
                   pwdAccountLockedTime=FOR_GOOD)
    done = ctl(host, "unlock", "ann")
    assert "locked by an administrator" in plain(done.stderr), done
    assert values(server, "ann", "pwdAccountLockedTime") == [FOR_GOOD]


def test_temporary_leaves_the_lock_of_an_administrator(host):
    """The server takes it away from who gets a new password."""
    server = serve(host, POLICY_GOOD, server=GOOD,
                   pwdAccountLockedTime=FOR_GOOD)
    done = ctl(host, "temporary", "ann", code=9)
    assert "locked by an administrator" in plain(done.stderr), done
    assert values(server, "ann", "pwdAccountLockedTime") == [FOR_GOOD]
    server.modify(dn_of("ann"), "delete: pwdAccountLockedTime")
    assert "It is valid until" in plain(ctl(host, "temporary", "ann").stderr)


# ---- must-change

def test_must_change(host):
    server = serve(host, POLICY_GOOD, server=GOOD, pwdChangedTime=stamp(DAY))
    done = ctl(host, "must-change", "ann")
    assert "has to change the password at the next login" in done.stdout
    assert done.stderr == ""
    assert values(server, "ann", "pwdReset") == ["TRUE"]
    assert status(host)[1]["state"] == "must-change"
    assert log_in(host).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]
    assert "already has to" in ctl(host, "must-change", "ann").stdout
    done = ctl(host, "must-change", "--clear", "ann")
    assert "no longer has to" in done.stdout
    assert values(server, "ann", "pwdReset") == []
    assert log_in(host).codes == ["SUCCESS", "SUCCESS"]
    assert "does not have to" in ctl(host, "must-change", "--clear",
                                     "ann").stdout


def test_must_change_of_an_entry_without_any_policy_attribute(host):
    server = serve(host, POLICY_GOOD, server=GOOD)
    ctl(host, "must-change", "ann")
    assert values(server, "ann", "pwdReset") == ["TRUE"]


def test_must_change_by_shadow(host):
    server = serve(host, server={"ppolicy": False, "access": f"""\
access to attrs=userPassword by dn="{SERVICE}" write by anonymous auth
access to attrs=shadowLastChange by dn="{SERVICE}" write
access to * by dn="{SERVICE}" read
"""}, shadowLastChange=20000, shadowMax=99999)
    ctl(host, "must-change", "ann")
    assert values(server, "ann", "shadowLastChange") == ["0"]
    assert status(host)[1]["state"] == "must-change"
    ctl(host, "must-change", "--clear", "ann")
    assert int(values(server, "ann", "shadowLastChange")[0]) > 20000


def test_nothing_that_the_server_would_not_enforce(host):
    server = serve(host, {"pwdMaxAge": 90 * DAY}, server=GOOD)
    for command in ("must-change", "temporary"):
        done = ctl(host, command, "ann", code=9)
        assert "pwdMustChange" in done.stderr, done
        assert done.stdout == ""
    assert values(server, "ann", "pwdReset") == []
    assert server.lets_in(dn_of("ann"), OLD)


# ---- temporary

def phrase_of(done):
    return done.stdout.splitlines()[0]


def test_temporary(host):
    server = serve(host, {**POLICY_GOOD, "pwdLockoutDuration": 900},
                   server=GOOD, pwdChangedTime=stamp(DAY),
                   pwdAccountLockedTime=stamp(60))
    done = ctl(host, "temporary", "ann")
    phrase = phrase_of(done)
    assert "It is valid until" in plain(done.stderr), done
    assert values(server, "ann", "pwdReset") == ["TRUE"]
    assert "{SSHA}" in decoded(server), "it is not stored as it is"
    assert status(host)[1]["facts"]["temporary_until"] is not None
    assert log_in(host, OLD).codes[0] == "AUTH_ERR"
    done = host.drive("probe", "ann", "auth", "acct", "change-expired",
                      answers=[phrase, NEW, NEW], rhost=PEER)
    assert done.codes == ["SUCCESS", "NEW_AUTHTOK_REQD", "SUCCESS"], (
        done, host.log.all())
    assert status(host)[1]["facts"]["temporary_until"] is None
    assert log_in(host, NEW).codes == ["SUCCESS", "SUCCESS"]


def decoded(server):
    (value,) = server.read(dn_of("ann"), "userPassword")
    return base64.b64decode(value.partition(":: ")[2]).decode()


def test_temporary_lapses(host):
    server = serve(host, POLICY_GOOD, server=GOOD)
    phrase = phrase_of(ctl(host, "temporary", "ann"))
    assert status(host)[1]["state"] == "must-change"
    done = ctl(host, "explain", "--json", "--at", "+40d", "ann")
    assert json.loads(done.stdout)["state"] == "lapsed"
    assert server.lets_in(dn_of("ann"), phrase)


def test_a_change_elsewhere_ends_the_record(host):
    server = serve(host, POLICY_GOOD, server=GOOD)
    phrase = phrase_of(ctl(host, "temporary", "ann"))
    assert status(host)[1]["facts"]["temporary_until"] is not None
    before = values(server, "ann", "pwdChangedTime")
    passwords = [phrase, NEW]

    def has_moved():
        # The stamp is of whole seconds.
        change_own(server, *passwords)
        passwords.reverse()
        return values(server, "ann", "pwdChangedTime") != before

    wait_until(has_moved, what="the stamp of the change to move")
    assert status(host)[1]["facts"]["temporary_until"] is None
    assert status(host)[1]["state"] == "ok"


# What lets the service set a password, and nothing else.
HALF_ACCESS = GOOD_ACCESS.replace("pwdReset,", "")


def is_between(host, server, done):
    """The password is another one, which was never shown."""
    text = plain(done.stderr)
    assert "may have a new password now that nobody knows" in text, done
    assert 'run "selfresetctl temporary ann" again' in text
    assert done.stdout == ""
    assert not server.lets_in(dn_of("ann"), OLD)
    assert values(server, "ann", "pwdReset") == []
    assert log_in(host).codes[0] == "AUTH_ERR"


def test_temporary_without_the_right_to_demand(host):
    """Who could take a password away, but give none, does neither."""
    server = serve(host, POLICY_GOOD, server={"access": HALF_ACCESS})
    before = server.read(dn_of("ann"), "*", "+")
    done = ctl(host, "temporary", "ann", code=9)
    text = plain(done.stderr)
    assert "pwdReset: Insufficient access" in text, done
    assert "Nothing was done." in text
    assert server.lets_in(dn_of("ann"), OLD)
    assert server.read(dn_of("ann"), "*", "+") == before


class Guillotine(Pipe):
    """The connection ends behind the answer to a change of a password, and
    there is no other one."""
    OPERATION = b"1.3.6.1.4.1.4203.1.11.1"

    def __init__(self, port):
        self.is_sharp = threading.Event()
        self.cuts = 0
        super().__init__(port)

    def carry(self, source, sink, is_answer):
        while self.cuts == 0 and (data := source.recv(65536)):
            falls = is_answer and self.is_sharp.is_set()
            if self.OPERATION in data and not is_answer:
                self.is_sharp.set()
            if falls:
                self.cuts += 1
            sink.sendall(data)


def test_temporary_when_the_connection_is_lost_between(host):
    """Nobody knows the password then, and trying again helps."""
    server = serve(host, POLICY_GOOD, server=GOOD)
    way = Guillotine(server.port)
    configure(host, f"ldap://localhost:{way.port}", insecure="yes",
              timeout="2s")
    done = ctl(host, "temporary", "ann", code=8)
    assert way.cuts == 1
    configure(host, server, insecure=None, timeout=None)
    is_between(host, server, done)
    phrase = phrase_of(ctl(host, "temporary", "ann"))
    assert log_in(host, phrase).codes == ["SUCCESS", "NEW_AUTHTOK_REQD"]


def change_own(server, old, new):
    subprocess.run(["ldappasswd", "-x", "-H", server.local, "-D", dn_of("ann"),
                    "-w", old, "-a", old, "-s", new], capture_output=True,
                   check=True)


# ---- refusals

READ_ONLY = f"""\
access to attrs=userPassword by anonymous auth by self write by * none
access to * by dn="{SERVICE}" read by * none
"""


@pytest.mark.parametrize("command", ["unlock", "must-change", "temporary"])
def test_no_right(host, command):
    state = {"pwdAccountLockedTime": stamp(60)} if command == "unlock" else {}
    server = serve(host, {**POLICY_GOOD, "pwdLockoutDuration": 900},
                   server={"access": READ_ONLY}, **state)
    before = server.read(dn_of("ann"), "*", "+")
    done = ctl(host, command, "ann", code=9)
    text = plain(done.stderr)
    assert "does not allow the service's identity" in text, done
    assert "check --backend corp --test-entry ann" in text
    assert server.read(dn_of("ann"), "*", "+") == before


@pytest.mark.parametrize("command", ["unlock", "must-change", "temporary"])
def test_protected(host, command):
    state = {"pwdAccountLockedTime": stamp(60)} if command == "unlock" else {}
    server = serve(host, {**POLICY_GOOD, "pwdLockoutDuration": 900},
                   server=GOOD, **state)
    configure(host, server)
    host.configure(selfreset={"backends": "local corp"},
                   change={"protected": "ann"},
                   backend_corp={"uri": server.uri, "base": PEOPLE,
                                 "identity": "simple", "bind_dn": SERVICE,
                                 "secret_file": SECRET_FILE,
                                 "default_policy": POLICY})
    before = server.read(dn_of("ann"), "*", "+")
    done = ctl(host, command, "ann", code=9)
    assert "protected" in done.stderr
    assert server.read(dn_of("ann"), "*", "+") == before


def test_policy_of_the_directory_refuses(host):
    serve(host, {**POLICY_GOOD, "pwdMinLength": 200, "pwdCheckQuality": 2},
          server=GOOD)
    done = ctl(host, "temporary", "ann", code=9)
    assert "policy of the directory refuses" in plain(done.stderr), done
    serve(host, {**POLICY_GOOD, "pwdMinAge": DAY}, server=GOOD,
          pwdChangedTime=stamp(60))
    done = ctl(host, "temporary", "ann", code=9)
    assert "too recently" in plain(done.stderr), done


def test_without_an_identity(host):
    serve(host, POLICY_GOOD, config={"identity": "none", "bind_dn": None,
                                     "secret_file": None})
    done = ctl(host, "must-change", "ann", code=9)
    assert "No identity is configured" in plain(done.stderr)


def test_server_away(host):
    server = serve(host, POLICY_GOOD, server=GOOD)
    server.stop()
    for command in ("unlock", "must-change", "temporary", "status"):
        done = ctl(host, command, "ann", code=1)
        assert "cannot be read" in done.stderr


# ---- status and explain

def test_status_names_the_directory(host):
    serve(host, POLICY_GOOD, server=GOOD, pwdChangedTime=stamp(DAY))
    _, said = status(host)
    assert said["backend"] == "corp"
    assert said["directory"]["server"] == "OpenLDAP"
    assert said["directory"]["not_shown"] == []
    assert said["facts"]["entry"] == dn_of("ann")
    explained = json.loads(ctl(host, "explain", "--json", "ann").stdout)
    assert explained["backend"] == "corp"
    assert explained["directory"]["server"] == "OpenLDAP"


def test_status_says_what_is_not_shown(host):
    serve(host, POLICY_GOOD, server={"access": f"""\
access to attrs=userPassword by anonymous auth
access to dn.base="{POLICY}" by * none
access to * by dn="{SERVICE}" read
"""}, pwdChangedTime=stamp(DAY))
    _, said = status(host)
    assert "password_expires" in said["directory"]["not_shown"]


def test_list_has_the_accounts_of_the_directory(host):
    serve(host, POLICY_GOOD, server=GOOD, pwdReset="TRUE")
    done = ctl(host, "list")
    assert re.search(r"^ann +must-change", done.stdout, re.M), done.stdout


def listed(done):
    return dict(line.split()[:2] for line in done.stdout.splitlines())


def test_list_asks_the_directory_once(host):
    """Also for those whom the name service does not know; the local ones come
    first, and of two of one name the first counts."""
    names = ["zoe", *(f"u{number}" for number in range(700))]
    server = Slapd(host, [user("ann", UID, OLD, pwdReset="TRUE"),
                          *(user(name, UID + 1 + number, OLD)
                            for number, name in enumerate(names))],
                   policies={"policy": POLICY_GOOD}, **GOOD,
                   more=f'limits dn.exact="{SERVICE}" size=unlimited\n')
    configure(host, server)
    host.add("ann", OLD)
    host.add_elsewhere("zoe", UID + 1)
    mark = server.mark()
    done = ctl(host, "list")
    assert done.stderr == ""
    found = listed(done)
    assert found["ann"] == "ok"
    assert list(found).index("ann") < list(found).index("u0")
    assert set(names) < set(found)
    assert done.stdout.count("\nann ") + done.stdout.startswith("ann ") == 1
    assert server.count(mark).connections == 1
    assert server.count(mark).searches == 3, "two pages and a policy"
    found = json.loads(ctl(host, "list", "--json", "--state", "ok").stdout)
    assert {entry["user"] for entry in found} > {"ann", "zoe", "u699"}


def test_list_is_without_namesakes(host):
    """Somebody else has the name here, and is meant by it."""
    server = Slapd(host, [user("ann", UID, OLD), user("bob", UID + 1, OLD)],
                   policies={"policy": POLICY_GOOD}, **GOOD)
    configure(host, server)
    host.configure(selfreset={"backends": "corp local"})
    host.add("ann", OLD, uid=UID + 7, changed=100, max=90)
    found = json.loads(ctl(host, "list", "--json").stdout)
    assert [(entry["uid"], entry["state"]) for entry in found
            if entry["user"] == "ann"] == [(UID + 7, "expired")]
    assert [entry["uid"] for entry in found if entry["user"] == "bob"] == [
        UID + 1]


def test_list_while_the_directory_is_away(host):
    server = serve(host, POLICY_GOOD, server=GOOD)
    host.add("bob", OLD)
    server.stop()
    done = ctl(host, "list", code=1)
    text = plain(done.stderr)
    assert text.count('The backend "corp" cannot be asked') == 1, text
    assert "Its accounts are missing" in text
    assert listed(done)["bob"] == "ok"
    # The name service knows her, and nobody knows more.
    assert listed(done)["ann"] == "unknown"
    json.loads(ctl(host, "list", "--json", code=1).stdout)


def test_list_of_half_a_directory(host):
    """The server ends the search behind the first page; the rest is missed."""
    users = [user(f"u{number}", UID + number, OLD) for number in range(1100)]
    server = Slapd(host, users, policies={"policy": POLICY_GOOD}, **GOOD,
                   more=f'limits dn.exact="{SERVICE}" size=500 '
                   'size.prtotal=600\n')
    configure(host, server)
    done = ctl(host, "list", code=1)
    assert "not every account was returned" in plain(done.stderr)
    found = [name for name in listed(done) if re.match(r"u\d", name)]
    assert 500 <= len(found) < 1100


def test_list_of_a_name_that_two_entries_have(host):
    server = Slapd(host, [user("ann", UID, OLD), {
        **user("bob", UID + 1, OLD), "uid": ["bob", "ann"]}],
        policies={"policy": POLICY_GOOD}, **GOOD)
    configure(host, server)
    done = ctl(host, "list", code=1)
    assert "The state of ann is unknown: SR-3013" in plain(done.stderr)
    assert listed(done)["ann"] == "unknown" and listed(done)["bob"] == "ok"


# ---- check

def rights_in(said):
    """What the service reads and writes, and the owner writes."""
    return {right["attribute"]: (right["service_reads"],
                                 right["service_writes"],
                                 right["owner_writes"])
            for right in said["rights"]}


def check(host, *arguments, code, input=None):
    options = {} if input is None else {"input": input}
    done = ctl(host, "check", "--backend", "corp", "--json", *arguments,
               code=code, **options)
    said = json.loads(done.stdout)
    return said, plain(json.dumps(said["findings"]))


def test_check_of_a_good_directory(host):
    server = serve(host, POLICY_GOOD, pwdChangedTime=stamp(DAY),
                   server={**GOOD, "certificate_file":
                           directory.certificate("month", days=60)},
                   config={"ca_file": directory.CERTS / "ca.pem"})
    before = server.read(dn_of("ann"), "*", "+")
    said, _ = check(host, "--test-entry", "ann", "--ask-password", code=0,
                    input=OLD + "\n")
    assert said["findings"] == []
    assert said["uri_used"] == server.uri
    assert said["server"] == "OpenLDAP"
    assert said["ppolicy_control"] is True
    assert said["uris"][0]["tls"].startswith("TLS")
    assert said["uris"][0]["name_verified"] is True
    assert said["uris"][0]["certificate_ends"].startswith("20")
    assert said["policy"]["entry"] == POLICY
    assert said["policy"]["max_age"] == 90 * DAY
    assert said["accounts"] == 1
    rights = rights_in(said)
    assert rights["pwdReset"] == (
        (True, True, False))
    assert rights["pwdChangedTime"] == (
        (True, False, False))
    assert server.read(dn_of("ann"), "*", "+") == before, "it left a trace"
    text = ctl(host, "check", "--backend", "corp").stdout
    assert "No mistakes were found." in text
    assert "--test-entry" in text and "ppolicy_use_lockout" in text
    mark = server.mark()
    figures = {(row["metric"], *row["labels"].values()): row["value"]
               for row in json.loads(ctl(host, "metrics", "--json").stdout)}
    assert figures["selfreset_backend_up", "corp"] == 1
    assert figures["selfreset_backend_servers", "corp", "yes"] == 1
    assert figures["selfreset_backend_servers", "corp", "no"] == 0
    ends = figures["selfreset_backend_certificate_end_timestamp_seconds",
                   "corp"]
    assert 58 * DAY < ends - time.time() < 61 * DAY
    assert server.count(mark).modifications == 0
    assert server.count(mark).changes == 0


def test_nothing_speaks_to_the_terminal(host):
    """What a directory says is shown as text: here, which policy an entry
    has."""
    policy = f"cn=\u009b31m\u202e,{directory.BASE}"
    serve(host, POLICY_GOOD, pwdPolicySubentry=policy)
    done = ctl(host, "check", "--backend", "corp", "--test-entry", "ann",
               code=2)
    assert done.stdout.count("cn=?31m?,") == 2, done.stdout
    assert "\u009b" not in done.stdout and "\u202e" not in done.stdout


def test_check_finds_self_write(host):
    server = serve(host, POLICY_GOOD, server={"access": f"""\
access to attrs=userPassword by dn="{SERVICE}" =wcs by anonymous auth \
by self write
access to * by dn="{SERVICE}" write by self write by * none
"""})
    before = server.read(dn_of("ann"), "*", "+")
    said, text = check(host, "--test-entry", "ann", "--ask-password", code=2,
                       input=OLD + "\n")
    assert "by self write" in text
    (finding,) = [f for f in said["findings"] if "self write" in f["advice"]]
    for attribute in ("pwdReset", "pwdPolicySubentry", "pwdEndTime",
                      "uidNumber"):
        assert attribute in finding["subjects"]
    assert "userPassword" not in finding["subjects"]
    assert server.read(dn_of("ann"), "*", "+") == before, "it left a trace"


def test_check_of_what_the_service_may_not(host):
    serve(host, POLICY_GOOD, server={"access": f"""\
access to attrs=userPassword by anonymous auth by self write by * none
access to attrs=pwdAccountLockedTime by * none
access to * by dn="{SERVICE}" read by * none
"""})
    said, text = check(host, "--test-entry", "ann", code=10)
    assert "cannot see facts of an account" in text
    (finding,) = [f for f in said["findings"] if "cannot see" in f["text"]]
    assert finding["subjects"] == "pwdAccountLockedTime"
    for attribute in ("userPassword", "pwdReset", "pwdAccountLockedTime"):
        assert f"cannot write {attribute}" in text
    assert rights_in(said)["pwdReset"][2] is None


def test_check_of_hashes_that_anybody_reads(host):
    serve(host, POLICY_GOOD, server={"access": "access to * by * read\n"})
    _, text = check(host, code=2)
    assert "Anyone can read the hashes" in text
    serve(host, POLICY_GOOD, server={"access": f"""\
access to attrs=userPassword by dn="{SERVICE}" read by anonymous auth
access to * by * read
"""})
    _, text = check(host, code=10)
    assert "service's identity can read the hashes" in text
    assert "Anybody" not in text


def test_check_of_plain_text_and_policies(host):
    server = serve(host, {"pwdMaxAge": DAY}, server=GOOD)
    configure(host, server.plain, insecure="yes")
    said, text = check(host, code=10)
    assert "not encrypted" in text
    assert "pwdMustChange: TRUE" in text and "pwdLockout: TRUE" in text
    configure(host, server, default_policy=f"cn=gone,{BASE}")
    assert "policy cannot be read" in check(host, code=2)[1]


def test_check_without_a_default_policy(host):
    serve(host, POLICY_GOOD, server=GOOD, config={"default_policy": None})
    assert "default_policy is not set" in check(host, code=10)[1]


def test_check_without_ppolicy(host):
    serve(host, server={**GOOD, "ppolicy": False, "access": f"""\
access to attrs=userPassword by anonymous auth
access to * by dn="{SERVICE}" read
"""}, config={"default_policy": None})
    said, text = check(host, code=10)
    assert "overlay ppolicy" in text
    assert said["ppolicy_control"] is False


@pytest.mark.parametrize("use_lockout", [True, False])
def test_check_of_use_lockout(host, use_lockout):
    server = serve(host, POLICY_GOOD, pwdAccountLockedTime=FOR_GOOD,
                   server={**GOOD, "use_lockout": use_lockout})
    before = server.read(dn_of("ann"), "*", "+")
    said, text = check(host, "--test-entry", "ann", code=0 if use_lockout else 10)
    assert said["tells_locks"] is use_lockout
    assert ("ppolicy_use_lockout" in text) is not use_lockout
    assert server.read(dn_of("ann"), "*", "+") == before, "it left a trace"


def test_check_of_entries(host):
    server = Slapd(host, [user("ann", UID, OLD), user("eve", UID, OLD),
                          user("zero", 0, OLD),
                          {**user("bob", UID + 1, OLD), "uid": ["bob", "ann"]}],
                   policies={"policy": POLICY_GOOD}, **GOOD)
    configure(host, server)
    said, text = check(host, code=2)
    assert "same name" in text and "same uidNumber" in text
    assert "no usable uidNumber" in text
    assert said["accounts"] == 4
    assert "same name" in check(host, "--test-entry", "ann", code=2)[1]
    assert "no such account" in check(host, "--test-entry", "nobody-here",
                                      code=2)[1]
    configure(host, server, base=f"ou=gone,{BASE}")
    assert "does not exist" in check(host, code=2)[1]


def test_check_of_servers_and_secrets(host):
    soon = Slapd(host, [user("ann", UID, OLD)],
                 policies={"policy": POLICY_GOOD}, **GOOD,
                 certificate_file=directory.certificate("good"))
    configure(host, f"ldaps://localhost:1 {soon.uri}",
              ca_file=directory.CERTS / "ca.pem")
    said, text = check(host, code=2)
    assert said["uri_used"] == soon.uri
    assert said["uris"][0]["answers"] is False
    assert "every login waits for it" in text
    assert re.search(r"ends in [12] day", text)
    secret_file(mode=0o644)
    said, text = check(host, code=2)
    assert said["uri_used"] is None
    assert "mode 0644" in text
    secret_file("wrong")
    assert ("does not accept the service's identity: Invalid credentials."
            in check(host, code=2)[1])


def test_a_server_that_says_nothing(host):
    server = serve(host, POLICY_GOOD, server={
        "certificate_file": directory.certificate("server")},
                   config={"ca_file": directory.CERTS / "ca.pem",
                           "timeout": "1s"})
    server.pause()
    said = plain(ctl(host, "status", "ann", code=1).stderr)
    assert f"{server.uri}: no answer in time." in said and ".." not in said


def test_check_by_name(host):
    serve(host, POLICY_GOOD, server=GOOD)
    for name, word in (("gone", "no backend"), ("local", "this host's own")):
        done = ctl(host, "check", "--backend", name, code=2)
        assert word in plain(done.stderr)
    ctl(host, "check", "--test-entry", "ann", code=64)
    ctl(host, "check", "--backend", "corp", "--ask-password", code=64)
