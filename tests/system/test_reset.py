"""Self-service reset, by its flow itself: gates, their throttle, what is said
to whom, and what is done to a local account.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import fcntl
import http.server
import json
import os
import pathlib
import re
import struct
import subprocess
import threading
import time

import pytest

from scratch import PROGRAM_UID, STATE, ahead_prefix, hash_password, wait_until

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
PEER = "192.0.2.7"
CODE = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}")


class Flow:
    """One run of the driver; `asked` is the prompt that waits."""

    def __init__(self, host, *arguments, ahead=0):
        self.host, self.text, self.end, self.asked = host, "", None, None
        self.process = subprocess.Popen(
            [*ahead_prefix(ahead), host.build / "tests/driver/resetdrive",
             *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        host.running.append(self.process)
        self.read()

    def read(self):
        self.asked, self.is_hidden = None, False
        for line in self.process.stdout:
            self.text += line
            if line[0] in "?!" and line[1] == " ":
                self.asked, self.is_hidden = line[2:].strip(), line[0] == "!"
                return
            if line.startswith("END "):
                self.end = int(line.split()[1])
                self.process.wait(10)
                return

    def answer(self, *answers):
        for answer in answers:
            assert self.asked is not None, (self.text, self.host.log.all()[-3:])
            self.process.stdin.write(f"{answer}\n")
            self.process.stdin.flush()
            self.read()
        return self

    def leave(self):
        self.process.stdin.close()
        self.read()
        return self

    @property
    def said(self):
        return " ".join(self.text.split())

    @property
    def ref(self):
        return re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", self.text)[0]


def app_code(key, when="now"):
    done = subprocess.run(["oathtool", "--totp", "-b", "-N", when, "-"],
                          input=key.replace(" ", ""), capture_output=True,
                          text=True, check=True)
    return done.stdout.strip()


class Person:
    """A user, and what she has written down."""

    password = OLD

    def __init__(self, host, name="ann", **fields):
        self.host = host
        self.account = host.add(name, OLD, **fields)
        self.me = f"--uid={self.account.uid}"
        self.codes, self.key = [], None

    def flow(self, kind, *arguments):
        return Flow(self.host, kind, self.me, *arguments)

    def choose(self, flow, words, *answers):
        """The number of the line with these words."""
        line = [line for line in flow.text.splitlines() if words in line][-1]
        return flow.answer(line.split()[0], *answers)

    def enroll_codes(self, *proof):
        flow = self.flow("enroll").answer(self.password, *proof)
        self.choose(flow, "recovery codes")
        self.codes = CODE.findall(flow.text)
        assert len(self.codes) == 8, flow.text
        number = int(re.search(r"code number (\d)", flow.asked)[1])
        flow.answer(self.codes[number - 1])
        assert flow.end == 0, flow.text
        return flow

    def enroll_app(self, *proof):
        flow = self.flow("enroll").answer(self.password, *proof)
        self.choose(flow, "authenticator app")
        self.key = re.search(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", flow.text)[0]
        assert f"secret={self.key.replace(' ', '')}&" in flow.text.replace(
            "\n", "")
        flow.answer(app_code(self.key, "30 seconds ago"))
        assert flow.end == 0, flow.text
        return flow

    def enroll(self):
        self.enroll_codes()
        self.enroll_app("1", self.codes.pop(0))
        return self


@pytest.fixture
def ann(host):
    host.configure(reset={"enable": "yes", "new_gate_wait": "0"})
    return Person(host)


def reset(host, name="ann", **options):
    return Flow(host, "reset", f"--rhost={PEER}", **options).answer(name)


def is_away_for(host, *names):
    """Every name is answered the same at once: a backend cannot be reached, and
    only accounts of the host go on."""
    said = set()
    for name in names:
        flow = Flow(host, "reset").answer(name)
        assert flow.end is None, flow.text
        said.add(flow.text.replace(flow.ref, "REF"))
        flow.leave()
    return len(said) == 1 and "cannot be reached" in " ".join(said.pop().split())


def events(host, number):
    return host.log.with_text(f" {number} ")


# ---- the whole way

def test_a_forgotten_password_is_replaced_by_app_and_code(host, ann):
    ann.enroll()
    flow = reset(host)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "Accepted." in flow.text
    assert "authenticator app" not in flow.text.split("Accepted.")[1]
    ann.choose(flow, "recovery codes", ann.codes[3].lower().replace("-", " "))
    assert flow.is_hidden and "New password" in flow.asked
    flow.answer(FRESH, FRESH)
    assert flow.end == 0, flow.text
    assert "was changed and checked" in flow.said
    assert host.has_password("ann", FRESH)
    assert host.drive("probe", "ann", "auth", answers=[FRESH]).code == "SUCCESS"
    assert all(len(line) <= 74 for line in flow.text.splitlines()), flow.text
    done = events(host, "SR-1002")
    assert len(done) == 1 and f"ref={flow.ref}" in done[0]
    secrets = [FRESH, ann.key.replace(" ", ""), *ann.codes]
    assert not [line for line in host.log.all()
                for secret in secrets if secret in line]
    # The code that was used is replaced by the one that is shown.
    fresh = CODE.findall(flow.text)[-1]
    assert fresh not in ann.codes
    again = reset(host)
    ann.choose(again, "recovery codes", ann.codes[3])
    assert "Not accepted." in again.text
    ann.choose(again, "recovery codes", fresh)
    assert again.text.count("Accepted.") == 1


def disable(ann):
    ann.host.set_shadow("ann", 1, "!" + ann.host.shadow("ann")[1])


def let_it_end(ann):
    ann.host.set_shadow("ann", 7, 1)


def report(ann):
    assert ann.flow("report", "K7Q4-2MXP").end == 0


def set_another(ann):
    ann.host.set_shadow("ann", 1, hash_password("set by root"))


@pytest.mark.parametrize("act", [disable, let_it_end, report, set_another])
def test_what_happens_during_a_reset_is_not_undone(host, ann, act):
    """Also where it is the last moment: the new password is typed."""
    ann.enroll()
    flow = reset(host)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    ann.choose(flow, "recovery codes", ann.codes[3])
    assert "New password" in flow.asked
    act(ann)
    before = host.shadow("ann")
    flow.answer(FRESH, FRESH)
    assert flow.end == 1 and "Nothing was changed." in flow.text
    assert host.shadow("ann") == before
    assert not events(host, "SR-1002") and events(host, "SR-1003")


def test_the_menu_has_the_gates_of_the_configuration(host, ann):
    """Those of all groups, and no other ones."""
    host.configure(reset={"classes": "ticket", "gates": "1"})
    flow = reset(host)
    assert "(1 to 2)" in flow.asked and "a ticket" in flow.text
    flow.leave()
    host.configure(**{"reset group:wheel": {"classes": "codes"}})
    flow = reset(host)
    assert "(1 to 3)" in flow.asked and "recovery codes" in flow.text
    flow.leave()


def test_a_code_is_right_once(host, ann):
    ann.enroll()
    code = app_code(ann.key)
    flow = reset(host)
    ann.choose(flow, "authenticator app", code)
    assert "Accepted." in flow.text
    flow.leave()
    assert flow.end == 2
    flow = reset(host)
    ann.choose(flow, "authenticator app", code)
    assert "Not accepted." in flow.text
    assert host.has_password("ann", OLD)


def test_a_lockout_is_ended_and_the_password_stays(host, ann):
    host.configure(lockout={"attempts": "3"})
    ann.enroll()
    for _ in range(3):
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    assert host.drive("probe", "ann", "auth", answers=[OLD],
                      rhost=PEER).code != "SUCCESS"
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "is locked after wrong passwords" in flow.said
    flow.answer("1")
    assert flow.end == 0 and "is unlocked" in flow.said
    assert host.drive("probe", "ann", "auth", answers=[OLD],
                      rhost=PEER).code == "SUCCESS"
    assert events(host, "SR-1023") and not events(host, "SR-1002")


def test_a_new_password_obeys_the_rules(host, ann):
    ann.enroll()
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "at least 15 characters" in flow.said
    flow.answer("short")
    assert "New password" in flow.asked
    flow.answer(FRESH, "another one than before")
    assert "do not match" in flow.said and "New password" in flow.asked
    flow.answer("short")
    assert flow.end == 1 and "Nothing was changed" in flow.said
    assert host.has_password("ann", OLD)
    assert events(host, "SR-1003")


def test_must_change_temporary_and_lockout_are_ended(host, ann):
    ann.enroll()
    done = host.run("selfresetctl", "temporary", "ann")
    assert done.returncode == 0, done.stderr
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    ann.choose(flow, "authenticator app", app_code(ann.key))
    flow.answer(FRESH, FRESH)
    assert flow.end == 0, flow.text
    assert int(host.shadow("ann")[2]) > 0
    assert host.drive("probe", "ann", "auth", "acct",
                      answers=[FRESH]).codes == ["SUCCESS", "SUCCESS"]


# ---- a lost connection

RESUME = re.compile("type this code: ([0-9A-Z]{5}-[0-9A-Z]{5})")


def cut_off(ann):
    """A reset with one proof, whose process dies; and its code."""
    flow = reset(ann.host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    flow.process.kill()
    flow.process.wait()
    return RESUME.search(flow.said)[1]


def go_on(ann, code, name="ann", ahead=0, **options):
    flow = Flow(ann.host, "reset", *options.get("arguments", [f"--rhost={PEER}"]),
                ahead=ahead).answer(name)
    ann.choose(flow, "was cut off", code)
    return flow


def test_a_reset_outlives_a_lost_connection(host, ann):
    ann.enroll()
    code = cut_off(ann)
    flow = go_on(ann, code.lower().replace("-", " "))
    assert "Accepted." in flow.text and "One more proof" in flow.text
    assert "recovery codes" not in flow.text.split("One more proof")[1]
    second = RESUME.search(flow.said)[1]
    assert second != code
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "New password" in flow.asked
    flow.process.kill()  # with both proofs
    flow.process.wait()
    flow = go_on(ann, code)  # a code is used once
    assert "Not accepted." in flow.text
    ann.choose(flow, "was cut off", second)
    assert "New password" in flow.asked
    third = RESUME.search(flow.said)[1]
    flow.answer(FRESH, FRESH)
    assert flow.end == 0 and host.has_password("ann", FRESH), flow.text
    assert len(CODE.findall(flow.text)) == 1  # in place of the one used before
    assert "Not accepted." in go_on(ann, third).text  # the reset has ended
    assert not [line for line in host.log.all()
                for one in (code, second, third) if one in line]


def test_proofs_of_two_people_are_not_put_together(host, ann):
    """Somebody who has one of them begins while the owner is at it."""
    ann.enroll()
    owner, stranger = reset(host), reset(host)
    ann.choose(owner, "authenticator app", app_code(ann.key))
    ann.choose(stranger, "recovery codes", ann.codes[2])
    code = RESUME.search(stranger.said)[1]
    ann.choose(owner, "recovery codes", ann.codes[3])
    assert "New password" in owner.asked
    flow = go_on(ann, code)
    assert "One more proof" in flow.asked or "One more proof" in flow.text
    assert "New password" not in flow.text + flow.asked
    code = RESUME.search(flow.said)
    owner.answer(FRESH, FRESH)
    assert owner.end == 0, owner.text
    if code is not None:  # a reset that is done ends the others
        assert "Not accepted." in go_on(ann, code[1]).text


def test_the_owner_can_look_and_report_where_no_reset_is_possible(host, ann):
    ann.enroll()
    host.configure(reset={"enable": "yes", "new_gate_wait": "0",
                          "groups": "nobody-of-these"})
    assert ann.flow("enroll").end == 1
    flow = ann.flow("status")
    assert flow.end == 0 and "recovery codes" in flow.text, flow.text


def test_a_ticket_that_was_used_is_still_a_proof(host, ann):
    ann.enroll_app()
    ticket = host.run("selfresetctl", "ticket", "ann").stdout.strip()
    flow = reset(host)
    ann.choose(flow, "a ticket", ticket)
    code = RESUME.search(flow.said)[1]
    flow.leave()
    flow = go_on(ann, code)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "New password" in flow.asked, flow.text


def test_what_was_cut_off_is_its_account_s_entry_s_and_time_s(host, ann):
    ann.enroll()
    host.add("bob", OLD)
    code = cut_off(ann)
    for flow in (go_on(ann, code, "bob"), go_on(ann, code, "nobody1"),
                 go_on(ann, code, arguments=["--uid=12345"]),
                 go_on(ann, code, ahead=901)):
        assert "Not accepted." in flow.text and "Accepted." not in flow.text
        flow.leave()
    # A gate that was removed is no proof any more.
    host.run("selfresetctl", "gates", "--unlock", "ann")
    for arguments, changed in ((["--clear", "mail"], False),
                               (["--unlock"], False),
                               (["--clear", "codes", "--dry-run"], True),
                               (["--clear", "codes"], True),
                               (["--clear", "codes"], False)):
        done = host.run("selfresetctl", "gates", *arguments, "--json", "ann")
        assert json.loads(done.stdout)["changed"] is changed, arguments
    flow = go_on(ann, code)
    assert "Prove that it is you" in flow.text.split("cut off")[-2]
    assert "New password" not in flow.text and not RESUME.search(flow.said)


@pytest.mark.parametrize("act", [disable, report])
def test_what_was_cut_off_is_not_gone_on_with_after(host, ann, act):
    ann.enroll()
    code = cut_off(ann)
    act(ann)
    flow = go_on(ann, code)
    assert "Accepted." not in flow.text and "Not accepted." in flow.text


def test_wrong_codes_to_go_on_are_counted(host, ann):
    ann.enroll()
    code = cut_off(ann)
    assert guess(host, "ann", 12, "was cut off", answer="AAAAA-BBBBB") == 10
    flow = go_on(ann, code)
    assert "too many wrong answers" in flow.said


def test_a_reset_ends_15_minutes_after_its_first_proof(host, ann):
    """Also one that was gone on with just before."""
    ann.enroll()
    began = time.monotonic()
    code = cut_off(ann)
    passed = int(time.monotonic() - began)
    flow = go_on(ann, code, ahead=900 - passed - 8)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "New password" in flow.asked, flow.text
    time.sleep(max(0, 9 - (time.monotonic() - began - passed)))
    flow.answer(FRESH, FRESH)
    assert flow.end == 1 and "15 minutes for this reset are over" in flow.said
    assert "Nothing was changed." in flow.said and host.has_password("ann", OLD)


# ---- who may

def until_first_answer(host, name, words, answer):
    """What is said to a name, without the reference."""
    flow = reset(host, name)
    line = [line for line in flow.text.splitlines() if words in line][-1]
    flow.answer(line.split()[0], answer)
    texts = [flow.text, flow.leave().text]
    return [re.sub("^reset:vm:.*$", "LINE", text, flags=re.M)
            .replace(flow.ref, "REF") for text in texts]


@pytest.mark.parametrize("words, answer", [
    ("authenticator app", "123456"), ("recovery codes", "AAAAA-BBBBB-CCCCC"),
    ("a ticket", "AAAAA-BBBBB"), ("recovery codes", "x"),
    ("code by mail", "12345678"), ("authenticator app", ""), ("ssh key", "-----END"),
    ("was cut off", "AAAAA-BBBBB")])
def test_every_name_is_answered_alike(host, ann, words, answer):
    ann.enroll()
    host.add("bob", OLD, groups=("wheel",))  # has nothing set up
    host.configure(**{"reset group:wheel": {"classes": "codes app"}})
    host.add("dis", OLD, hash="!" + hash_password(OLD))
    host.add("key", hash="*")
    host.add("pro", OLD)
    host.configure(change={"protected": "pro"})
    texts = {name: until_first_answer(host, name, words, answer)
             for name in ("ann", "bob", "dis", "key", "pro", "root", "nobody1",
                          "a" * 300, "-x", "ann:x")}
    assert len(set(map(tuple, texts.values()))) == 1, texts


@pytest.mark.parametrize("why", ["disabled", "protected", "group", "no-enable",
                                 "reported", "ended"])
def test_the_right_proofs_do_not_help_where_no_reset_is_possible(
        host, ann, why):
    ann.enroll()
    if why == "disabled":
        host.set_shadow("ann", 1, "!" + host.shadow("ann")[1])
    elif why == "ended":
        host.set_shadow("ann", 7, 1)
    elif why == "protected":
        host.configure(change={"protected": "ann"})
    elif why == "group":
        host.configure(reset={"groups": "@staff"})
    elif why == "reported":
        assert ann.flow("report", "K7Q4-2MXP").end == 0
        assert events(host, "SR-1209")
    else:
        host.configure(reset={"enable": "no"})
        flow = Flow(host, "reset")
        assert flow.end == 1 and "switched off" in flow.said
        return
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Not accepted." in flow.text
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "Accepted." not in flow.text
    flow.leave()
    assert f"ref={flow.ref}" in events(host, "SR-2004")[0]
    if why == "reported":
        assert host.run("selfresetctl", "gates", "--unlock",
                        "ann").returncode == 0
        again = reset(host)
        ann.choose(again, "recovery codes", ann.codes[0])
        assert "Accepted." in again.text


def test_administrators_need_two_proofs(host):
    host.configure(reset={"enable": "yes", "new_gate_wait": "0", "gates": "1",
                          "administrators": "@wheel"})
    ann = Person(host, groups=("wheel",))
    ann.enroll()
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "One more proof" in flow.text
    host.configure(reset={"administrators": "@other"})
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[1])
    assert "New password" in flow.asked


def test_a_new_gate_waits_unless_two_prove_it(host):
    host.configure(reset={"enable": "yes", "new_gate_wait": "24h",
                          "gates": "1"})
    ann = Person(host)
    assert "that leaves time" in ann.enroll_codes().said
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Not accepted." in flow.text
    assert "not yet usable" in ann.flow("status").said
    ticket = host.run("selfresetctl", "ticket", "ann").stdout.strip()
    flow = ann.flow("enroll").answer(OLD)
    ann.choose(flow, "a ticket", ticket)
    ann.choose(flow, "authenticator app")
    ann.key = re.search(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", flow.text)[0]
    flow.answer(app_code(ann.key, "30 seconds ago"))
    assert "can be used now" in flow.said
    flow = reset(host)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "New password" in flow.asked


# ---- the throttle

def guess(host, name, count, words="authenticator app", rhost=PEER,
          answer="000000"):
    """How many of so many guesses were compared."""
    compared = 0
    while count > 0:
        flow = Flow(host, "reset", f"--rhost={rhost}").answer(name)
        for _ in range(min(count, 6)):
            line = [line for line in flow.text.splitlines()
                    if words in line][-1]
            before = flow.text.count("Not accepted.")
            flow.answer(line.split()[0], answer)
            compared += flow.text.count("Not accepted.") - before
            count -= 1
        if flow.end is None:
            flow.leave()
    return compared


@pytest.mark.parametrize("name", ["ann", "nobody1"])
def test_five_guesses_lock_a_gate_and_no_login(host, ann, name):
    ann.enroll()
    assert guess(host, name, 8) == 5
    assert events(host, "SR-2202")
    flow = reset(host, name)
    line = [line for line in flow.text.splitlines()
            if "authenticator app" in line][-1]
    flow.answer(line.split()[0], app_code(ann.key))
    assert "too many wrong answers" in flow.said and "tomorrow" not in flow.said
    assert host.drive("probe", "ann", "auth", answers=[OLD],
                      rhost=PEER).code == "SUCCESS"
    if name == "ann":  # another way is open
        ann.choose(flow, "recovery codes", ann.codes[0])
        assert "Accepted." in flow.text
        shown = host.run("selfresetctl", "gates", "ann").stdout
        assert re.search(r"wrong_answers: +5|wrong-answers: +5", shown), shown


def test_guesses_at_many_accounts_pause_what_can_be_guessed(host, ann):
    ann.enroll()
    flows = [Flow(host, "reset", f"--rhost=198.51.100.{i}").answer(f"name{i}")
             for i in range(12)]
    for _ in range(5):
        for words in ("authenticator app", "000000"):
            for flow in flows:
                line = [line for line in flow.text.splitlines()
                        if words in line]
                flow.process.stdin.write(
                    (line[-1].split()[0] if line and words != "000000"
                     else words) + "\n")
                flow.process.stdin.flush()
            for flow in flows:
                flow.read()
    assert sum(flow.text.count("Not accepted.") for flow in flows) == 60
    for flow in flows:
        flow.leave()
    assert events(host, "SR-2204")
    flow = reset(host)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "too many wrong answers" in flow.said and "minutes" in flow.said
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Accepted." in flow.text
    flow.leave()
    later = reset(host, ahead=601)
    ann.choose(later, "authenticator app", app_code(ann.key))
    assert "Accepted." in later.text
    later.leave()


def test_a_lockout_of_logins_does_not_stop_recovery(host, ann):
    host.configure(lockout={"attempts": "2"})
    ann.enroll()
    for _ in range(4):
        host.drive("probe", "ann", "auth", answers=["no"], rhost=PEER)
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Accepted." in flow.text


def test_a_right_answer_clears_nothing_a_reset_does(host, ann):
    ann.enroll()
    assert guess(host, "ann", 4) == 4
    flow = reset(host)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "Accepted." in flow.text
    ann.choose(flow, "recovery codes", ann.codes[0])
    flow.answer(FRESH, FRESH)
    assert flow.end == 0
    assert guess(host, "ann", 8) == 5


def test_many_at_once_never_get_more_than_five_guesses(host, ann):
    ann.enroll()
    flows = [reset(host) for _ in range(20)]
    for flow in flows:
        line = [line for line in flow.text.splitlines()
                if "authenticator app" in line][-1]
        flow.answer(line.split()[0])
    for flow in flows:
        flow.process.stdin.write("000000\n")
        flow.process.stdin.flush()
    for flow in flows:
        flow.read()
    assert sum(flow.text.count("Not accepted.") for flow in flows) == 5
    assert host.drive("probe", "ann", "auth", answers=[OLD]).code == "SUCCESS"


def test_one_right_code_at_once_passes_once(host, ann):
    ann.enroll()
    for words, code in (("authenticator app", app_code(ann.key)),
                        ("recovery codes", ann.codes[0])):
        flows = [reset(host) for _ in range(5)]
        for flow in flows:
            ann.choose(flow, words)
        for flow in flows:
            flow.process.stdin.write(code + "\n")
            flow.process.stdin.flush()
        for flow in flows:
            flow.read()
        assert sum("Accepted." in flow.text for flow in flows) == 1, words
        host.run("selfresetctl", "gates", "--unlock", "ann")


# ---- ticket

def test_a_ticket_is_a_proof_once_with_words(host, ann):
    ann.enroll_codes()
    done = host.run("selfresetctl", "ticket", "ann")
    assert done.returncode == 0, done.stderr
    ticket, words = done.stdout.strip(), done.stderr.split()[-1]
    flow = reset(host)
    ann.choose(flow, "a ticket", ticket)
    assert words in flow.text
    ann.choose(flow, "recovery codes", ann.codes[0])
    flow.answer(FRESH, FRESH)
    assert flow.end == 0
    flow = reset(host)
    ann.choose(flow, "a ticket", ticket)
    assert "Not accepted." in flow.text
    assert events(host, "SR-1205")


def test_tickets_have_bounds(host, ann):
    host.add("pro", OLD)
    host.configure(change={"protected": "pro"})
    for arguments, code in ((["--lifetime", "25h", "ann"], 64),
                            (["root"], 9), (["pro"], 9), (["nobody1"], 7)):
        done = host.run("selfresetctl", "ticket", *arguments)
        assert done.returncode == code and not done.stdout, done
    done = host.run("selfresetctl", "ticket", "ann",
                    env={"PATH": host.tools[0] + ":/usr/bin:/bin",
                         "SUDO_UID": str(ann.account.uid)})
    assert done.returncode == 9 and "oneself" in done.stderr
    ticket = host.run("selfresetctl", "ticket", "--lifetime", "1m",
                      "ann").stdout.strip()
    ann.enroll_codes("1", ticket)
    ticket = host.run("selfresetctl", "ticket", "--lifetime", "1m",
                      "ann").stdout.strip()
    for path in (STATE / "reset/accounts").glob("*.enrolment"):
        assert ticket not in path.read_bytes().decode("latin-1")


# ---- what a user sees and does

def test_nothing_is_changed_without_the_password(host, ann):
    for kind in ("enroll", "codes"):
        flow = ann.flow(kind)
        assert flow.is_hidden
        flow.answer("wrong")
        assert flow.end == 1 and "is not right" in flow.said
    assert "Nothing is set up" in ann.flow("status").said
    assert ann.flow("remove").end == 1


def test_status_codes_remove(host, ann):
    ann.enroll()
    guess(host, "ann", 2)
    said = ann.flow("status").said
    assert "8 codes are left" in said and "wrong answers since then: 2" in said
    flow = ann.flow("codes").answer(OLD)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    codes = CODE.findall(flow.text)
    number = int(re.search(r"code number (\d)", flow.asked)[1])
    assert flow.answer("x").end is None
    assert flow.answer(codes[number - 1]).end == 0
    assert "8 codes are left" in ann.flow("status").said
    flow = ann.flow("remove").answer(OLD)
    # Not by the password alone: who knows it could put a way of his own there.
    assert "Prove it in one of these ways, too" in flow.said
    ann.choose(flow, "recovery codes", codes[0])
    assert ann.choose(flow, "authenticator app").end == 0
    assert "8 codes are left" in ann.flow("status").said
    assert "authenticator app" not in ann.flow("status").said
    assert events(host, "SR-1103") and len(events(host, "SR-1102")) == 3
    done = host.run("selfresetctl", "gates", "--clear-all", "ann")
    assert done.returncode == 0, done.stderr
    assert "Nothing is set up" in ann.flow("status").said


def test_why_shows_a_flow_by_its_reference(host, ann):
    ann.enroll()
    flows = [reset(host), reset(host, "nobody1")]
    for flow in flows:
        ann.choose(flow, "recovery codes", "x")
        flow.leave()
    log = pathlib.Path("/var/log/auth.log")
    log.parent.mkdir(exist_ok=True)
    log.write_text("".join(
        f"Nov  3 10:00:00 box {re.sub('^<[0-9]+>', '', line)}\n"
        for line in host.log.all()))
    try:
        for flow, ids in zip(flows, ({"SR-1001", "SR-1032", "SR-1003"},
                                     {"SR-1001", "SR-2004", "SR-1032",
                                      "SR-1003"})):
            done = host.run("selfresetctl", "why", flow.ref)
            assert set(re.findall(r"SR-\d{4}(?=: )", done.stdout)) == ids, done
    finally:
        log.unlink()


# ---- faults

class Picture:
    """A QR code (ISO/IEC 18004) of one block and byte mode, read from lines of
    characters for light modules and spaces for dark ones."""

    def __init__(self, lines):
        if "#" in lines[0]:
            rows = [line[::2] for line in lines]
            margin = 1
        else:
            rows = []
            for line in lines:
                rows.append([at in "\u2580\u2588" and "#" or " " for at in line])
                rows.append([at in "\u2584\u2588" and "#" or " " for at in line])
            margin = 2
        assert {len(row) for row in rows} == {len(rows[0])}
        size = len(rows[0]) - 2 * margin
        self.dark = [[at == " " for at in row[margin:margin + size]]
                     for row in rows[margin:margin + size]]
        self.size = size

    def is_function(self, row, column):
        near = self.size - 8
        centre = self.size - 7
        return ((row < 9 and (column < 9 or column >= near)) or
                (row >= near and column < 9) or 6 in (row, column) or
                (abs(row - centre) <= 2 and abs(column - centre) <= 2))

    def bits(self):
        mask = sum(self.dark[8][2 + i] << (2 - i) for i in range(3)) ^ 0b101
        flips = [lambda i, j: (i + j) % 2, lambda i, j: i % 2,
                 lambda i, j: j % 3, lambda i, j: (i + j) % 3,
                 lambda i, j: (i // 2 + j // 3) % 2,
                 lambda i, j: i * j % 2 + i * j % 3,
                 lambda i, j: (i * j % 2 + i * j % 3) % 2,
                 lambda i, j: ((i + j) % 2 + i * j % 3) % 2]
        right, is_up = self.size - 1, True
        while right > 0:
            right -= right == 6
            rows = range(self.size)
            for row in reversed(rows) if is_up else rows:
                for column in (right, right - 1):
                    if not self.is_function(row, column):
                        yield self.dark[row][column] ^ (
                            flips[mask](row, column) == 0)
            right, is_up = right - 2, not is_up

    def text(self):
        bits = "".join("01"[bit] for bit in self.bits())
        assert bits[:4] == "0100", bits[:4]
        length = int(bits[4:12], 2)
        return bytes(int(bits[12 + 8 * i:20 + 8 * i], 2)
                     for i in range(length)).decode()


@pytest.mark.parametrize("locale, name", [
    ("C", "ann"), ("C.UTF-8", "ann"), ("C", "a" * 32)])
def test_the_key_of_an_app_as_a_picture(host, ann, locale, name):
    who = ann if name == "ann" else Person(host, name)
    flow = who.flow("enroll", f"--locale={locale}").answer(OLD)
    who.choose(flow, "authenticator app")
    assert "type: qr" in flow.said
    before = len(flow.text)
    flow.answer("qr")
    shown = flow.text[before:].splitlines()[:-1]
    assert all(len(line) <= 72 for line in shown)
    if len(name) > 20:
        assert "too large for this terminal" in " ".join(shown)
    else:
        assert shown[0].isascii() == (locale == "C")
        uri = Picture(shown).text()
        assert uri.startswith("otpauth://totp/")
        assert uri in flow.text[:before].replace("\n", "")
    key = re.search(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", flow.text)[0]
    flow.answer(app_code(key, "30 seconds ago"))
    assert flow.end == 0, flow.text


def test_without_the_key_only_the_app_is_lost(host, ann):
    ann.enroll()
    (STATE / "reset/seal").write_bytes(b"x" * 32)
    flow = reset(host)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "Not accepted." in flow.text and events(host, "SR-3203")
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Accepted." in flow.text


@pytest.mark.parametrize("by", ["credential", "file"])
def test_the_key_can_be_kept_elsewhere(host, ann, monkeypatch, tmp_path, by):
    key = tmp_path / "selfreset-seal"
    key.write_bytes(os.urandom(32))
    key.chmod(0o400)
    if by == "file":
        host.configure(reset={"seal_file": key})
    else:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    ann.enroll()
    assert not (STATE / "reset/seal").exists()
    flow = reset(host)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "Accepted." in flow.text
    key.chmod(0o644)  # others could read it
    flow = reset(host)
    ann.choose(flow, "authenticator app", app_code(ann.key, "30 seconds"))
    assert "Not accepted." in flow.text and events(host, "SR-3203")


def test_a_damaged_enrolment_costs_only_itself(host, ann):
    ann.enroll()
    path, = (STATE / "reset/accounts").glob("*.enrolment")
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Not accepted." in flow.text
    flow.leave()
    ann.enroll()
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Accepted." in flow.text


def test_an_enrolment_of_another_version_is_kept(host, ann):
    """It is not taken for damaged, nor replaced, until it is cleared."""
    ann.enroll()
    path, = (STATE / "reset/accounts").glob("*.enrolment")
    data = bytearray(path.read_bytes())
    data[16] = 1
    path.write_bytes(data)
    assert ann.flow("enroll").answer(OLD).end == 1
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Not accepted." in flow.text
    flow.leave()
    done = host.run("selfresetctl", "gates", "ann")
    assert done.returncode == 1 and "another version" in done.stderr, done
    assert path.read_bytes() == data
    done = host.run("selfresetctl", "gates", "--clear-all", "ann")
    assert done.returncode == 0 and not path.exists(), done
    ann.enroll()


def test_where_nothing_can_be_written_nothing_is_begun(host, ann):
    ann.enroll()
    subprocess.run(["mount", "--bind", STATE, STATE], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", STATE], check=True)
        flow = Flow(host, "reset")
        text, end = flow.said, flow.end
        if end is None:
            flow.leave()
    finally:
        subprocess.run(["umount", STATE], check=True)
    assert end == 1 and "cannot be written" in text


def test_a_proof_that_cannot_be_recorded_does_not_count(host, ann):
    ann.enroll()
    flow = reset(host)
    subprocess.run(["mount", "--bind", STATE, STATE], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", STATE], check=True)
        line, = [line for line in flow.text.splitlines()
                 if "recovery codes" in line]
        flow.answer(line.split()[0], ann.codes[0])
        said = flow.said
    finally:
        subprocess.run(["mount", "-o", "remount,bind,rw", STATE], check=True)
        flow.process.kill()
        flow.process.wait()
        subprocess.run(["umount", STATE], check=True)
    assert "does not count" in said and "ccepted" not in said
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "Accepted." in flow.text


def test_a_password_that_is_not_stored_is_not_said_to_be(host, ann):
    ann.enroll()
    flow = reset(host)
    ann.choose(flow, "recovery codes", ann.codes[0])
    ann.choose(flow, "authenticator app", app_code(ann.key))
    with contextlib.ExitStack() as stack:
        program = pathlib.Path("/usr/sbin/chpasswd")
        fake = STATE / "fake"
        fake.write_text("#!/bin/sh\ncat >/dev/null\n")
        fake.chmod(0o755)
        subprocess.run(["mount", "--bind", fake, program], check=True)
        stack.callback(subprocess.run, ["umount", program], check=True)
        flow.answer(FRESH, FRESH)
    assert flow.end == 1 and "was changed and checked" not in flow.said
    assert host.has_password("ann", OLD)
    assert events(host, "SR-1003") and not events(host, "SR-1002")


# ---- mail

ADDRESS = "ann@mail.example"


class Post:
    """A mail program that does what it is told, and its letters."""

    def __init__(self, host):
        self.host = host
        self.folder = pathlib.Path("/home/post")
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o777)
        for path in self.folder.iterdir():
            path.unlink()
        self.behave("exit 0")
        host.configure(reset={"mail_program": "/home/post/send -t"})

    def behave(self, command):
        program = self.folder / "send"
        program.write_text(
            "#!/bin/sh\nid -u >>/home/post/uids\nprintenv >>/home/post/env\n"
            'printf "%s\\n" "$*" >>/home/post/arguments\n'
            "cat >/home/post/letter.$$ &&\n"
            "mv /home/post/letter.$$ /home/post/$$.eml\n" + command + "\n")
        program.chmod(0o755)

    def letters(self):
        return [path.read_text() for path in self.folder.glob("*.eml")]

    def next(self, count):
        wait_until(lambda: len(self.letters()) == count, what="a letter")
        return max(self.folder.glob("*.eml"),
                   key=lambda path: path.stat().st_mtime_ns).read_text()

    @staticmethod
    def code(letter):
        return re.search(r"Code: (\d{4} \d{4})", letter)[1]


@pytest.fixture
def post(host):
    return Post(host)


def enroll_mail(ann, post, count=1, address=ADDRESS, proof=()):
    flow = ann.flow("enroll").answer(OLD, *proof)
    ann.choose(flow, "code by mail", address)
    letter = post.next(count)
    assert f"To: <{address}>" in letter and "ann," not in letter
    flow.answer(post.code(letter))
    assert flow.end == 0, flow.text
    return flow


def test_a_code_by_mail_resets_and_notices_follow(host, ann, post):
    ann.enroll_codes()
    enroll_mail(ann, post, proof=("1", ann.codes.pop(0)))
    assert "Way: mail" in post.next(2)
    for _ in range(2):
        flow = reset(host)
        ann.choose(flow, "code by mail", "")
        # One mail in a minute: none is sent so soon, and that is not said.
        assert "on its way" in flow.said and "Not accepted" not in flow.said
        flow.leave()
        post.next(3)
    flow = reset(host, ahead=61)
    ann.choose(flow, "code by mail")
    letter = post.next(4)
    assert flow.ref in letter and "ann" not in letter.split("\n\n", 1)[1]
    code = post.code(letter)
    flow.answer("1234 5678")
    assert "Not accepted." in flow.text
    flow.answer("")  # not a mail again: the first is young
    ann.choose(flow, "code by mail", code)
    assert "Accepted." in flow.text
    ann.choose(flow, "recovery codes", ann.codes[0])
    flow.answer(FRESH, FRESH)
    assert flow.end == 0, flow.text
    notice = " ".join(post.next(5).split())
    assert f"selfreset report {flow.ref}" in notice and PEER in notice
    assert FRESH not in notice and code not in notice
    assert set((post.folder / "uids").read_text().split()) == {
        str(PROGRAM_UID)}
    assert set((post.folder / "arguments").read_text().split()) == {"-t"}
    told = (post.folder / "env").read_text() + "".join(host.log.all())
    assert code not in told and code.replace(" ", "") not in told


def test_the_owner_is_told_of_a_ticket(host, ann, post):
    enroll_mail(ann, post)
    post.next(2)
    done = host.run("selfresetctl", "ticket", "ann")
    assert done.returncode == 0, done.stderr
    notice = " ".join(post.next(3).split())
    assert "has issued a ticket" in notice
    ref = re.search(r"selfreset report ([0-9A-Z]{4}-[0-9A-Z]{4})", notice)[1]
    assert f"ref={ref}" in events(host, "SR-1205")[0]
    assert done.stdout.strip() not in notice
    # A mail program that does nothing is not waited for to its end.
    post.behave("sleep 60")
    began = time.monotonic()
    assert host.run("selfresetctl", "ticket", "ann").returncode == 0
    assert time.monotonic() - began < 14


def test_a_change_of_an_enrolment_that_another_has_is_refused(host, ann):
    """Not made beside it: a code would be taken twice."""
    ann.enroll()
    flow = ann.choose(reset(host), "authenticator app", app_code(ann.key))
    path, = (STATE / "reset").glob("*/*.enrolment")
    with path.open("r+b") as file:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack(
            "hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        ann.choose(flow, "recovery codes", ann.codes[0])
        assert "does not count" in flow.said
        assert flow.text.count("ccepted") == 1
    ann.choose(flow, "recovery codes", ann.codes[0])
    assert "New password" in flow.asked


def test_a_slow_mail_program_does_not_tell_names_apart(host, ann, post):
    """Neither when the code is asked for nor when the person leaves."""
    ann.enroll_codes()
    enroll_mail(ann, post, proof=("1", ann.codes.pop(0)))
    post.next(2)
    post.behave("sleep 4")
    took = {}
    for name in ("ann", "nobody1"):
        began = time.monotonic()
        flow = reset(host, name, ahead=61)
        ann.choose(flow, "code by mail")
        flow.leave()
        assert flow.end == 2
        took[name] = time.monotonic() - began
    post.next(3)
    assert took["ann"] - took["nobody1"] < 2, took


def test_five_wrong_codes_end_a_code_by_mail(host, ann, post):
    enroll_mail(ann, post)
    post.next(2)
    flow = reset(host, ahead=61)
    host.configure(reset={"gates": "1"})
    flow.leave()
    flow = reset(host, ahead=61)
    ann.choose(flow, "code by mail")
    code = post.code(post.next(3))
    flow.answer("0000 0000")
    for _ in range(4):
        ann.choose(flow, "code by mail", "0000 0000")
    ann.choose(flow, "code by mail", code)
    assert "Accepted." not in flow.text and events(host, "SR-2202")
    assert len(post.letters()) == 3


def test_guesses_count_for_all_ways_that_can_be_guessed(host, ann, post):
    ann.enroll()
    enroll_mail(ann, post, proof=("2", ann.codes.pop(0)))
    post.next(2)
    assert guess(host, "ann", 3) == 3
    assert guess(host, "ann", 2, "code by mail", answer="0000 0000") == 2
    for words, answer in (("authenticator app", app_code(ann.key)),
                          ("code by mail", "0000 0000")):
        flow = reset(host)
        ann.choose(flow, words, answer)
        assert "too many wrong answers" in flow.said, flow.text
    ann.choose(flow, "recovery codes", ann.codes.pop(0))
    assert "Accepted." in flow.text
    flow.leave()
    assert host.run("selfresetctl", "gates", "--unlock", "ann").returncode == 0
    flow = reset(host)
    ann.choose(flow, "authenticator app", app_code(ann.key))
    assert "Accepted." in flow.text


def test_a_message_that_was_never_finished_goes(host, ann, post):
    """Its process was killed while it wrote it, maybe by another clock; it can
    have a code."""
    queue = STATE / "reset/queue"
    for folder in (STATE, queue.parent, queue):
        folder.mkdir(mode=0o700, exist_ok=True)
    now = int(time.time())
    names = [f".{now + age}-0123456789abcdef" for age in (-5, -3700, 86400)]
    for name in names:
        (queue / name).touch(0o600)
    assert host.run("selfresetctl", "notices", "--send").returncode == 0
    assert [path.name for path in queue.iterdir()] == names[:1]
    assert not post.letters()


def test_a_mail_program_goes_on_with_what_it_has_taken(host, ann, post):
    """As exim4, which delivers in the background."""
    late = post.folder / "late"
    post.behave(f"(sleep 0.3; touch {late}) >/dev/null 2>&1 &\nexit 0")
    flow = ann.flow("enroll").answer(OLD)
    ann.choose(flow, "code by mail", ADDRESS)
    wait_until(late.exists, what="the delivery")


def test_a_source_is_no_header_and_no_line(host, ann, post):
    """In the mail that is sent to the owner, and in the log."""
    ann.enroll_codes()
    enroll_mail(ann, post, proof=("1", ann.codes.pop(0)))
    post.next(2)
    host.configure(reset={"gates": "1"})
    flow = Flow(host, "reset", "--rhost=x\nBcc: z@evil.example\n\n"
                "Call \x1b[31m+1 900").answer("ann")
    ann.choose(flow, "recovery codes", ann.codes.pop(0))
    flow.answer(FRESH, FRESH)
    assert flow.end == 0, flow.text
    letter = post.next(3)
    head, _, body = letter.partition("\n\n")
    assert "evil" not in head and "\x1b" not in letter, letter
    assert len([line for line in body.splitlines()
                if line.startswith(("Bcc", "Call"))]) == 0, letter
    assert not [line for line in host.log.all() if line.startswith("Bcc")]


def test_one_source_cannot_use_up_the_mails_of_an_account(host, ann, post):
    ann.enroll_codes()
    enroll_mail(ann, post, proof=("1", ann.codes.pop(0)))
    post.next(2)

    def ask(hours, rhost=PEER):
        flow = Flow(host, "reset", f"--rhost={rhost}", ahead=3700 * hours)
        flow.answer("ann")
        ann.choose(flow, "code by mail")
        assert "is on its way" in flow.said
        flow.leave()

    for hours in range(5):
        ask(hours)
        post.next(3 + hours)
    ask(5)  # the same is said, and no mail is sent
    assert [line for line in events(host, "SR-2203") if "mail" in line]
    ask(5, "198.51.100.9")
    post.next(8)


def test_mails_are_counted_for_names_that_do_not_exist(host, ann, post):
    """Else somebody's own mail tells whether others were sent one, and each
    source would have a file."""
    ann.enroll_codes()
    enroll_mail(ann, post, proof=("1", ann.codes.pop(0)))
    post.next(2)
    before = len(list((STATE / "reset").rglob("*")))
    for name in "abcd":
        flow = Flow(host, "reset", f"--rhost={PEER}").answer("eva" + name)
        for _ in range(5):
            ann.choose(flow, "code by mail", "")
        flow.leave()
    flow = Flow(host, "reset", f"--rhost={PEER}").answer("ann")
    ann.choose(flow, "code by mail")
    assert "is on its way" in flow.said
    flow.leave()
    assert [line for line in events(host, "SR-2203") if "mail" in line]
    assert len(post.letters()) == 2
    for i in range(5):
        flow = Flow(host, "reset", f"--rhost=192.0.2.{i}").answer("ann")
        ann.choose(flow, "code by mail")
        flow.leave()
    after = len(list((STATE / "reset").rglob("*")))
    assert after - before < 5 + 16, (before, after)


def test_addresses_that_the_password_opens_or_that_are_none(host, ann, post):
    host.configure(reset={"mail_refuse": "corp.example"})
    flow = ann.flow("enroll").answer(OLD)
    ann.choose(flow, "code by mail", "ann@mail.corp.example")
    assert "is opened by the password" in flow.said
    flow.answer("ann@x\tBcc: b@c")
    assert "is not an address" in flow.said
    flow.answer("-f@x")
    assert flow.end == 1 and not post.letters()


@pytest.mark.parametrize("status, left", [(75, 1), (69, 1), (65, 0), (78, 0)])
def test_a_mail_program_that_fails_is_asked_again_or_given_up(
        host, ann, post, status, left):
    ann.enroll_codes()
    enroll_mail(ann, post, proof=("1", ann.codes.pop(0)))
    post.next(2)
    post.behave(f"exit {status}")
    flow = ann.flow("remove").answer(OLD)
    ann.choose(flow, "recovery codes", ann.codes[0])
    ann.choose(flow, "recovery codes")
    assert flow.end == 0  # the notice does not stop it
    assert events(host, "SR-3102" if status == 65 else "SR-3101")
    assert bool(events(host, "SR-3104")) == (not left)
    queue = list((STATE / "reset/queue").iterdir())
    assert len(queue) == left
    count = len(post.letters())
    post.behave("exit 0")
    done = host.run("selfresetctl", "notices", "--send", "--json")
    assert done.returncode == 0 and f'"sent": {left}' in done.stdout, done
    assert len(post.letters()) == count + left
    assert not list((STATE / "reset/queue").iterdir())


# ---- SMS, calls and push messages

NUMBER = "+4915123456789"


class Gateway:
    """A channel program that does what it is told, and its messages: a process
    for each, with its arguments, environment and user."""

    def __init__(self, host, *channels, **settings):
        self.host = host
        self.folder = pathlib.Path("/home/gateway")
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o777)
        for path in self.folder.iterdir():
            path.unlink()
        self.behave("exit 0")
        reset = {"classes": " ".join(["codes", "app", *channels]),
                 "phone_prefixes": "+49 +43 !+4990"}
        for channel in channels:
            reset[f"{channel}_program"] = f"/home/gateway/send --{channel}"
            reset[f"{channel}_user"] = "nobody"
        host.configure(reset={**reset, **settings})

    def behave(self, command):
        program = self.folder / "send"
        program.write_text(
            "#!/bin/sh\n(id -u; id -G) >>/home/gateway/ids\n"
            "printenv >>/home/gateway/env\n"
            'printf "%s\\n" "$*" >>/home/gateway/arguments\n'
            "cat >/home/gateway/text.$$ &&\n"
            "mv /home/gateway/text.$$ /home/gateway/$$.msg\n" + command + "\n")
        program.chmod(0o755)

    def next(self, count):
        """All messages so far, of which there are so many, the last one last."""
        def read():
            return sorted(self.folder.glob("*.msg"),
                          key=lambda path: path.stat().st_mtime_ns)
        wait_until(lambda: len(read()) == count, what="a message")
        return [path.read_text() for path in read()]


def header(message, key):
    return re.search(rf"^{key}: (.*)$", message.split("\n\n", 1)[0], re.M)[1]


def sent_code(message):
    found = re.search(r"\d{4} \d{4}", message.split("\n\n", 1)[1])
    return found[0] if found else "".join(
        re.search(r"(\d, ){7}\d", message)[0].split(", "))


def enroll_channel(ann, gateway, words, address, count=1, proof=()):
    flow = ann.flow("enroll").answer(OLD, *proof)
    ann.choose(flow, words, address)
    message = gateway.next(count)[-1]
    flow.answer(sent_code(message))
    assert flow.end == 0, flow.text
    return flow


def is_nowhere(host, *secrets):
    """In no log, and in nothing that a program was started with."""
    told = "".join(host.log.all()) + "".join(
        (pathlib.Path("/home/gateway") / name).read_text()
        for name in ("env", "arguments"))
    return not [one for one in secrets if one in told]


def test_a_code_by_sms_resets_and_its_number_is_not_shown(host, ann):
    ann.enroll_codes()
    gateway = Gateway(host, "sms", "voice")
    flow = enroll_channel(ann, gateway, "by SMS", "+49 151 234-567.89",
                          proof=("1", ann.codes.pop(0)))
    assert "+49*********89" in flow.text and NUMBER not in flow.text
    message, notice = gateway.next(2)
    assert header(message, "To") == NUMBER and header(message, "Type") == "code"
    assert header(message, "Channel") == "sms"
    assert header(message, "Language") == "en"
    assert header(notice, "Type") == "notice" and "was set up" in notice
    status = ann.flow("status").text
    assert "+49*********89" in status and "234567" not in status
    shown = host.run("selfresetctl", "gates", "ann").stdout
    assert "+49*********89" in shown and "234567" not in shown
    flow = reset(host, ahead=61)
    ann.choose(flow, "by SMS")
    assert "If a number is set up for this name" in flow.said
    message = gateway.next(3)[-1]
    code = sent_code(message)
    assert header(message, "Reference") == flow.ref 
    assert "ann" not in message.split("\n\n", 1)[1]
    assert "567" not in flow.text and "89" not in flow.text.split("SMS.")[-1]
    flow.answer(code)
    assert "Accepted." in flow.text
    # A call would be the same telephone.
    assert "telephone call" not in flow.text.split("Accepted.")[1]
    ann.choose(flow, "recovery codes", ann.codes[0])
    flow.answer(FRESH, FRESH)
    assert flow.end == 0 and host.has_password("ann", FRESH), flow.text
    assert "was reset by self-service" in gateway.next(4)[-1]
    assert is_nowhere(host, code, code.replace(" ", ""), NUMBER[1:])
    assert set((gateway.folder / "ids").read_text().split()) == {"65534"}
    assert not (gateway.folder / "env").read_text().replace(
        "PWD=/", "").replace("_=/usr/bin/printenv", "").strip("\n")


@pytest.mark.parametrize("words, ask", [
    ("by SMS", "by SMS"), ("telephone call", "is called now"),
    ("to your app", "message with a code")])
def test_channels_answer_every_name_alike(host, ann, words, ask):
    ann.enroll_codes()
    gateway = Gateway(host, "sms", "voice", "push")
    address = "ann-phone" if "app" in words else NUMBER
    enroll_channel(ann, gateway, words, address, proof=("1", ann.codes.pop(0)))
    gateway.next(2)
    texts = set()
    for name in ("ann", "nobody1", "root"):
        flow = reset(host, name, ahead=61)
        ann.choose(flow, words, "1234 5678")
        assert ask in flow.said and "Not accepted." in flow.text
        texts.add(re.sub(r"number \d\d\.", "number NN.",
                         flow.text.replace(flow.ref, "REF")))
        flow.leave()
    assert len(texts) == 1, texts
    gateway.next(3)


def test_numbers_that_are_none_or_not_allowed(host, ann):
    gateway = Gateway(host, "sms", "voice", "push")
    for words, answers, said in (
            ("by SMS", ["0151 2345678", NUMBER + "\tTo: +1900", "+1234567"],
             "not a number of 8 to 15 digits"),
            ("by SMS", ["+41 791 234 567", "+49900123456", "+49 (0)151 234567"],
             "begin so are not called"),
            ("telephone call", ["+4990012345", "-f", ""],
             "begin so are not called"),
            ("to your app", ["a b", "-x", "\xe4"], "name of 1 to 127")):
        flow = ann.flow("enroll").answer(OLD)
        ann.choose(flow, words, *answers)
        assert flow.end == 1 and said in flow.said, flow.text
    assert not list(gateway.folder.glob("*.msg"))
    assert "Nothing is set up" in ann.flow("status").said


def test_administrators_do_not_reset_by_one_telephone(host, ann, post):
    """A mail and an SMS are no two proofs for them."""
    ann.enroll_codes()
    enroll_mail(ann, post, proof=("1", ann.codes.pop(0)))
    post.next(2)
    gateway = Gateway(host, "sms")
    host.configure(reset={"classes": "codes mail sms"})
    enroll_channel(ann, gateway, "by SMS", NUMBER,
                   proof=("1", ann.codes.pop(0)))
    gateway.next(2)
    for administrators, is_enough in (("nobody", True), ("ann", False)):
        host.configure(reset={"administrators": administrators})
        flow = reset(host, ahead=61 if is_enough else 130)
        ann.choose(flow, "by SMS")
        flow.answer(sent_code(gateway.next(3 if is_enough else 4)[-1]))
        assert ("code by mail" in flow.text.split("Accepted.")[1]) == is_enough
        flow.leave()


def test_a_call_reads_the_digits_out(host, ann):
    ann.enroll_codes()
    gateway = Gateway(host, "voice")
    enroll_channel(ann, gateway, "telephone call", NUMBER,
                   proof=("1", ann.codes.pop(0)))
    message = gateway.next(2)[0].split("\n\n", 1)[1]
    assert len(re.findall(r"(?:\d, ){7}\d", message)) == 2
    assert not re.search(r"\d\d", message)
    flow = reset(host, ahead=61)
    ann.choose(flow, "telephone call")
    flow.answer(sent_code(gateway.next(3)[-1]))
    assert "Accepted." in flow.text


def test_a_push_message_has_the_number_of_its_dialogue(host, ann):
    ann.enroll_codes()
    gateway = Gateway(host, "push")
    flow = enroll_channel(ann, gateway, "to your app", "topic-4711",
                          proof=("1", ann.codes.pop(0)))
    assert "topic-4711" not in flow.text + ann.flow("status").text
    gateway.next(2)
    flows = [reset(host, ahead=61), reset(host, ahead=61)]
    numbers = []
    for flow in flows:
        ann.choose(flow, "to your app")
        numbers.append(re.search(r"shows the number (\d\d)\.", flow.said)[1])
    message = gateway.next(3)[-1]
    code = sent_code(message)
    assert f"Number: {numbers[0]}" in message and "pprove" not in message
    if numbers[0] != numbers[1]:  # the second dialogue did not cause it
        flows[1].answer(code)
        assert "Not accepted." in flows[1].text
    flows[0].answer(code)
    assert "Accepted." in flows[0].text
    assert is_nowhere(host, code, code.replace(" ", ""), "topic-4711")


def test_messages_have_a_budget_for_the_host_and_for_a_number(host, ann):
    """Whatever they are for; what is said does not depend on it."""
    gateway = Gateway(host, "sms", sms_daily="2", gates="1")
    flow = enroll_channel(ann, gateway, "by SMS", NUMBER)
    gateway.next(2)  # the code and a notice
    flow = reset(host, ahead=61)
    ann.choose(flow, "by SMS", "")
    assert "is on its way" in flow.said
    flow.leave()
    refused, = events(host, "SR-2208")
    assert "cause=\"sms: all\"" in refused and f"ref={flow.ref}" in refused
    assert NUMBER[1:] not in refused
    health = host.run("selfresetctl", "health", "--json").stdout
    assert '"sms": 2' in health and "SMS" in health.upper()
    gateway.next(2)
    host.configure(reset={"sms_daily": "0"})
    for hours in range(1, 3):
        flow = reset(host, ahead=3700 * hours)
        ann.choose(flow, "by SMS", "")
        flow.leave()
        gateway.next(2 + hours)


def test_a_prefix_that_is_taken_back_is_not_called(host, ann):
    ann.enroll_codes()
    gateway = Gateway(host, "sms")
    enroll_channel(ann, gateway, "by SMS", NUMBER,
                   proof=("1", ann.codes.pop(0)))
    gateway.next(2)
    host.configure(reset={"phone_prefixes": "+43"})
    flow = reset(host, ahead=61)
    ann.choose(flow, "by SMS", "")
    assert "is on its way" in flow.said and "Not accepted" not in flow.said
    assert events(host, "SR-3102") and len(gateway.next(2)) == 2


def gate_of(host, name, gate="sms"):
    done = host.run("selfresetctl", "gates", "--json", name)
    return json.loads(done.stdout)[gate]


def test_an_address_is_to_be_confirmed_again(host, ann):
    ann.enroll_codes()
    gateway = Gateway(host, "sms", gates="1", reconfirm="0")
    enroll_channel(ann, gateway, "by SMS", NUMBER,
                   proof=("1", ann.codes.pop(0)))
    gateway.next(2)
    assert gate_of(host, "ann")["address_1"]["confirmation"] == "valid"
    assert "confirmed again" not in ann.flow("status").said

    # It is overdue: it serves, and a reset by it would confirm it.
    host.configure(reset={"reconfirm": "1s"})
    wait_until(lambda: gate_of(host, "ann")["address_1"]["confirmation"] ==
               "overdue", what="the end of a second")
    assert gate_of(host, "ann")["usable"]
    said = ann.flow("status").said
    assert "is to be confirmed again" in said and "selfreset enroll" in said
    found = json.loads(host.run("selfresetctl", "health", "--json").stdout)
    assert (found["reset"]["overdue"], found["reset"]["lapsed"]) == (1, 0)
    flow = reset(host, ahead=61)
    ann.choose(flow, "by SMS")
    gateway.next(3)
    flow.leave()

    # It has lapsed: the same is said, and nothing is sent.
    host.configure(reset={"reconfirm_grace": "0"})
    gate = gate_of(host, "ann")
    assert gate["address_1"]["confirmation"] == "lapsed" and not gate["usable"]
    flow = reset(host, ahead=122)
    ann.choose(flow, "by SMS")
    assert "If a number is set up for this name" in flow.said
    flow.answer(sent_code(gateway.next(3)[-1]))
    assert "Not accepted." in flow.text
    flow.leave()
    assert "too long" in ann.flow("status").said
    found = json.loads(host.run("selfresetctl", "health", "--json").stdout)
    assert "reset.reconfirm_grace" in [one["place"]
                                       for one in found["findings"]]
    assert "too long" in host.run("selfresetctl", "check").stdout

    # A wrong code confirms nothing, the password and the right one do; "later"
    # leads on to what enroll is for.
    flow = ann.flow("enroll").answer(OLD, "1", ann.codes.pop(0), "2")
    assert "What do you want to set up?" in flow.said
    flow.leave()
    flow = ann.flow("enroll").answer(OLD, "1", ann.codes.pop(0))
    assert "+49*********89" in flow.text and "too long" in flow.said
    flow.answer("1")
    code = sent_code(gateway.next(4)[-1])
    flow.answer("0000 0000", "", "1")
    assert "It is confirmed." not in flow.said
    flow.leave()
    assert gate_of(host, "ann")["address_1"]["confirmation"] == "lapsed"
    flow = ann.flow("enroll").answer(OLD, "1", ann.codes.pop(0), "1")
    code = sent_code(gateway.next(5)[-1])
    flow.answer(code)
    assert "It is confirmed." in flow.said and "set up something" in flow.said
    flow.answer("2")
    assert flow.end == 0
    host.configure(reset={"reconfirm": "1h"})
    gate = gate_of(host, "ann")
    assert gate["address_1"]["confirmation"] == "valid" and gate["usable"]
    assert gate["address_1"]["directory"] == "none"
    assert len(events(host, "SR-1107")) == 1 and is_nowhere(host, code)


def test_a_lapsed_way_that_a_password_alone_confirms_waits(host, ann):
    """The number may be another person's by now; so it is told, too."""
    gateway = Gateway(host, "sms", gates="1", reconfirm="0")
    enroll_channel(ann, gateway, "by SMS", NUMBER)
    gateway.next(2)
    host.configure(reset={"new_gate_wait": "24h", "reconfirm": "1s",
                          "reconfirm_grace": "0"})
    wait_until(lambda: gate_of(host, "ann")["address_1"]["confirmation"] ==
               "lapsed", what="the end of a second")
    flow = Flow(host, "enroll", ann.me, ahead=61).answer(OLD, "1")
    flow.answer(sent_code(gateway.next(3)[-1]))
    assert "It is confirmed." in flow.said and "leaves time" in flow.said
    assert "was set up" in gateway.next(4)[-1]
    # To set up nothing after all does not take it back.
    flow.answer("1")
    ann.choose(flow, "by SMS", "", "", "")
    assert flow.end == 0 and "Nothing was changed" not in flow.said
    host.configure(reset={"reconfirm": "1h"})
    gate = gate_of(host, "ann")
    assert gate["address_1"]["confirmation"] == "valid" and not gate["usable"]
    assert "not yet usable" in ann.flow("status").said


def test_a_code_that_was_typed_confirms_where_it_was_sent(host, ann):
    ann.enroll_codes()
    gateway = Gateway(host, "sms", gates="1", reconfirm="0")
    enroll_channel(ann, gateway, "by SMS", NUMBER,
                   proof=("1", ann.codes.pop(0)))
    confirmed = gate_of(host, "ann")["address_1"]["confirmed"]
    wait_until(lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) >
               confirmed, what="the next second")
    flow = reset(host, ahead=61)
    ann.choose(flow, "by SMS")
    flow.answer(sent_code(gateway.next(3)[-1]))
    assert "Accepted." in flow.text
    flow.leave()
    assert gate_of(host, "ann")["address_1"]["confirmed"] > confirmed


def in_state(number):
    """Files of the state with a number in their name or content."""
    found = []
    for path in STATE.rglob("*"):
        with contextlib.suppress(OSError):
            if number in path.name or (path.is_file() and
                                       number.encode() in path.read_bytes()):
                found.append(path)
    return found


def test_a_number_that_is_replaced_is_told(host, ann):
    ann.enroll_codes()
    gateway = Gateway(host, "sms")
    enroll_channel(ann, gateway, "by SMS", NUMBER,
                   proof=("1", ann.codes.pop(0)))
    gateway.next(2)
    flow = Flow(host, "enroll", ann.me, ahead=61).answer(OLD)
    ann.choose(flow, "recovery codes", ann.codes.pop(0))
    ann.choose(flow, "by SMS", "+43 664 1234567")
    flow.answer(sent_code(gateway.next(3)[-1]))
    assert flow.end == 0, flow.text
    last = gateway.next(5)[-2:]
    assert {header(one, "To") for one in last} == {NUMBER, "+436641234567"}
    assert [one for one in last if header(one, "To") == NUMBER
            and "was removed" in one]
    # Nothing that this host keeps tells a number that is set up no more.
    wait_until(lambda: not in_state(NUMBER), what="the end of the queue")
    assert in_state("+436641234567")
    host.run("selfresetctl", "gates", "--clear", "sms", "ann")
    wait_until(lambda: not in_state("+436641234567"), what="the queue")


@pytest.mark.parametrize("fault, cause, left, number", [
    ("exit 65", "exit 65", 0, "SR-3102"), ("exit 69", "exit 69", 1, "SR-3101"),
    ("exit 75", "exit 75", 1, "SR-3101"), ("exit 78", "exit 78", 0, "SR-3101"),
    ("kill -9 $$", "signal 9", 1, "SR-3101"),
    ("cat /home/gateway/*.msg; cat /home/gateway/*.msg >&2; exit 70", "exit 70",
     1, "SR-3101"),
    ("yes | head -c 100000000; exit 71", "exit 71", 1, "SR-3101"),
    ("(sleep 300; touch /home/gateway/late) & exit 72", "exit 72", 1,
     "SR-3101"),
    ("exec sleep 300", "Connection timed out", 1, "SR-3101"),
    ("ulimit -Hc >/home/gateway/core; kill -ABRT $$", "signal 6", 1,
     "SR-3101")])
def test_a_channel_program_that_fails(host, ann, fault, cause, left, number):
    gateway = Gateway(host, "sms", gates="1")
    enroll_channel(ann, gateway, "by SMS", NUMBER)
    gateway.next(2)
    gateway.behave(fault)
    flow = reset(host, ahead=61)
    ann.choose(flow, "by SMS")
    code = sent_code(gateway.next(3)[-1])
    wait_until(lambda: events(host, number), what=number)
    told, = events(host, number)
    assert f'cause="sms: {cause}"' in told and f"ref={flow.ref}" in told
    wait_until(lambda: len(list((STATE / "reset/queue").iterdir())) == left,
               what="the queue")
    assert is_nowhere(host, code, code.replace(" ", ""), NUMBER[1:])
    assert not subprocess.run(["pgrep", "-u", "nobody", "sleep"],
                              capture_output=True, check=False).stdout
    core = gateway.folder / "core"  # none is written, whatever it asks for
    assert not core.exists() or core.read_text() == "0\n"
    flow.answer(code)  # it may have arrived in spite of that
    assert "Accepted." in flow.text


def test_the_example_of_a_channel_program(host, ann):
    """It speaks to a gateway that answers as those do."""
    program = pathlib.Path(__file__).parents[2] / "helper/examples/sms-gateway"
    asked, status = [], [200]

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            size = int(self.headers["Content-Length"])
            asked.append((self.headers["Authorization"],
                          json.loads(self.rfile.read(size))))
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gateway = Gateway(host, "sms", gates="1")
    token = gateway.folder / "token"
    token.write_text("a-secret-token\n")
    copy = gateway.folder / "program"
    copy.write_text(program.read_text())
    copy.chmod(0o755)
    host.configure(reset={
        "sms_program":
            f"{copy} http://127.0.0.1:{server.server_port}/send {token}"})
    try:
        flow = ann.flow("enroll").answer(OLD)
        ann.choose(flow, "by SMS", NUMBER)
        wait_until(lambda: asked, what="the gateway")
        bearer, message = asked[0]
        assert bearer == "Bearer a-secret-token" and message["to"] == NUMBER
        flow.answer(re.search(r"\d{4} \d{4}", message["text"])[0])
        assert flow.end == 0, flow.text
        wait_until(lambda: len(asked) == 2, what="the notice")
        for status[0], number in ((422, "SR-3102"), (503, "SR-3101")):
            flow = reset(host, ahead=61 if status[0] == 422 else 130)
            ann.choose(flow, "by SMS", "")
            wait_until(lambda: events(host, number), what=number)
            flow.leave()
    finally:
        server.shutdown()
        server.server_close()
    assert "exit 65" in events(host, "SR-3102")[0]
    assert "exit 75" in events(host, "SR-3101")[0]
