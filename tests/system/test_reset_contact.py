"""The recovery contact: a second user confirms a reset in a session of his own,
beside another proof.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import json
import re
import time

import pytest

import captive
from scratch import ETC, RUN, STATE
from talk import AGAIN, NEW, Talk
from test_faults import fill, state_on
from test_reset import (FRESH, OLD, PEER, Flow, Person, Post, events, reset)

WAY = "recovery contact"


class Pair:
    """ann, who has the app and recovery codes, and her contact bob, who has
    codes, too."""

    def __init__(self, host, **settings):
        self.host = host
        host.configure(reset={
            "enable": "yes", "new_gate_wait": "0",
            "classes": "app codes ticket mail contact", **settings})
        self.ann, self.bob = Person(host), Person(host, "bob")
        self.ann.enroll()
        self.bob.enroll_codes()

    def name(self, who="bob"):
        return self.ann.choose(self.own("enroll"), WAY, who)

    def own(self, what, **options):
        """ann begins a dialogue about her account, and proves who she is."""
        flow = Flow(self.host, what, self.ann.me, **options).answer(OLD)
        return self.ann.choose(flow, "recovery codes", self.ann.codes.pop(0))

    def enroll_mail(self, post):
        """After a minute, since a contact was named by a mail."""
        flow = self.ann.choose(self.own("enroll", ahead=61), "code by mail",
                               "ann@mail.example")
        flow.answer(post.code(post.next(1)))
        assert flow.end == 0, flow.text
        post.next(2)

    def help(self, what, person=None, **options):
        """bob begins a dialogue about ann, and proves that it is he."""
        person = person or self.bob
        flow = Flow(self.host, what, "ann", person.me, **options).answer(OLD)
        return flow if flow.end is not None or not person.codes else \
            flow.answer("1", person.codes.pop(0))

    def make(self):
        assert self.name().end == 0
        assert self.help("accept").end == 0
        return self

    def prove(self, **options):
        """ann's first proof of a reset."""
        flow = reset(self.host, **options)
        assert WAY not in flow.text
        return self.ann.choose(flow, "recovery codes", self.ann.codes.pop(0))

    def ask(self, **options):
        """And the request, with its digits."""
        flow = self.ann.choose(self.prove(**options), WAY)
        return flow, re.search(r"digits to them: (\d{3} \d{3})", flow.said)[1]


@pytest.fixture
def pair(host):
    return Pair(host)


def test_a_contact_confirms_a_reset(pair):
    host = pair.host
    flow = pair.name()
    assert flow.end == 0 and "selfreset accept ann" in flow.said
    status = pair.ann.flow("status")
    assert f"{WAY} (not yet usable)" in status.said and "bob" in status.said
    assert WAY not in pair.prove().leave().text  # he has not accepted
    assert pair.help("accept").end == 0
    assert "not yet usable" not in pair.ann.flow("status").said
    flow, digits = pair.ask()
    flow.answer("")
    assert "not confirmed yet" in flow.said
    answer = pair.help("confirm")
    assert PEER in answer.said and flow.ref in answer.said
    other = "000 000" if digits != "000 000" else "111 111"
    answer.answer(other, digits)
    assert answer.end == 0 and answer.said.count("Not accepted.") == 1
    flow.answer("")
    assert "Accepted. Should" not in flow.text.split("digits")[1]
    flow.answer(FRESH, FRESH)
    assert flow.end == 0, flow.text
    assert "confirmed by bob" in events(host, "SR-1106")[0]
    assert f"ref={flow.ref}" in events(host, "SR-1105")[0]
    assert not any(digits.replace(" ", "") in line for line in host.log.all())
    gates = json.loads(host.run("selfresetctl", "gates", "ann", "--json").stdout)
    assert gates["contact"]["name"] == "bob" and gates["contact"]["usable"]
    # What was confirmed is used up.
    assert "nothing of this user" in pair.help("confirm").said


@pytest.mark.parametrize("how", ["no", "three", "late"])
def test_what_is_not_confirmed_is_no_proof(pair, how):
    pair.make()
    # A look whether there is an answer takes as long as any answer does.
    pair.host.configure(lockout={"delay": "1s" if how == "late" else "0"})
    flow, digits = pair.ask()
    wrong = "000 000" if digits != "000 000" else "111 111"
    if how == "late":
        begin = time.monotonic()
        flow.answer("")
        assert time.monotonic() - begin > 0.9
        assert "nothing of this user" in pair.help("confirm", ahead=601).said
        return
    answer = pair.help("confirm").answer(
        *(["no"] if how == "no" else [wrong] * 3))
    assert answer.end == (0 if how == "no" else 1), answer.text
    assert "refused by bob" in events(pair.host, "SR-1106")[0]
    assert answer.said.count("It is refused, and that reset ends.") == 1
    assert answer.said.count("Not accepted.") == (0 if how == "no" else 3)
    assert "nothing of this user" in pair.help("confirm").said
    flow.answer("")
    assert flow.end == 1 and "That did not work" in flow.said
    assert pair.host.shadow("ann")[1] != "" and FRESH not in flow.text


@pytest.mark.parametrize("act", ["decline", "remove", "disable", "uid", "clear"])
def test_a_contact_who_is_none_any_more(pair, act):
    pair.make()
    host = pair.host
    if act == "decline":
        assert pair.help("decline").end == 0
    elif act == "remove":
        assert pair.ann.choose(pair.own("remove"), WAY).end == 0
    elif act == "disable":
        host.run("usermod", "--expiredate", "1970-01-02", "bob")
    elif act == "uid":
        passwd = ETC / "passwd"
        passwd.write_text(passwd.read_text().replace(
            f"bob:x:{pair.bob.account.uid}:", "bob:x:4321:"))
    else:
        done = host.run("selfresetctl", "gates", "--clear", "contact", "ann")
        assert done.returncode == 0, done.stderr
    flow = pair.prove()
    assert WAY not in flow.text and "One more proof" in flow.text
    if act in ("decline", "remove", "clear"):
        assert [line for line in events(host, "SR-1103") if "contact" in line]
        assert WAY not in pair.ann.flow("status").text


def test_who_cannot_answer(pair):
    """Somebody else, a contact who has proved no more than a password, and
    about users who have not named him or do not exist: all alike."""
    assert pair.name("ann").end == 1 and "not another user" in pair.name(
        "nobody-here").said
    dora = Person(pair.host, "dora")
    assert pair.name("dora").end == 0
    # One mail in a minute, to whichever contact; and dora stays named.
    flow = pair.name()
    assert flow.end == 1 and "Too many messages were sent" in flow.said
    assert "selfreset accept" not in flow.said
    assert "dora" in pair.ann.flow("status").said
    flow = pair.help("accept", dora)
    assert flow.end == 1 and "selfreset enroll" in flow.said
    said = set()
    for name in ("ann", "nobody-here", "root"):
        flow = Flow(pair.host, "accept", name, pair.bob.me).answer(
            OLD, "1", pair.bob.codes.pop(0))
        assert flow.end == 1
        said.add(re.sub("number .*", "", flow.said))
    assert len(said) == 1 and "nothing of this user" in said.pop()


def test_a_confirmation_is_of_one_reset(pair):
    """Another one with a proof of its own does not get it; and no more than
    three requests are made in an hour."""
    pair.make()
    first, digits = pair.ask()
    second, others = pair.ask()
    first.answer("")  # its request was replaced
    assert first.asked and "Accepted" not in first.text.split("digits")[1]
    first.leave()
    assert pair.help("confirm").answer(others).end == 0
    second.leave()
    third = pair.prove()
    pair.ann.choose(third, WAY, "")
    assert "not confirmed yet" in third.said
    third.leave()
    fourth = pair.prove()
    pair.ann.choose(fourth, WAY)
    assert "asked too often" in fourth.said and events(pair.host, "SR-2202")
    assert digits


def test_administrators_need_more_than_a_mailbox_beside_it(host):
    pair = Pair(host, administrators="ann").make()
    post = Post(host)
    pair.enroll_mail(post)
    flow = reset(host, ahead=122)
    pair.ann.choose(flow, "code by mail")
    flow.answer(post.code(post.next(3)))
    assert "Accepted." in flow.text and WAY not in flow.text


def test_the_owner_is_informed_of_a_refusal(host):
    """By the reference of that reset, and where it was asked from."""
    pair = Pair(host).make()
    post = Post(host)
    pair.enroll_mail(post)
    flow, _ = pair.ask(ahead=61)
    assert pair.help("confirm", ahead=61).answer("no").end == 0
    notice = " ".join(post.next(3).split())
    assert "contact has refused a reset of the password" in notice
    assert f"selfreset report {flow.ref}" in notice and PEER in notice


def test_what_cannot_be_stored_is_no_answer(host):
    """The disk is full when the contact answers, and when the answer is read."""
    with state_on("size=8m"):
        pair = Pair(host).make()
        flow, digits = pair.ask()
        for count, answer in enumerate(("no", digits), 1):
            other = pair.help("confirm")
            fill()
            other.answer(answer)
            (STATE / "filler").unlink()
            assert other.end == 1 and "could not be stored" in other.said
            assert "It is refused" not in other.said
            assert "It is confirmed" not in other.said
            flow.answer("")
            assert flow.said.count("not confirmed yet") == count
        assert not events(host, "SR-1106")
        assert pair.help("confirm").answer(digits).end == 0
        fill()
        flow.answer("")
        assert "could not be stored" in flow.said
        assert "Accepted" not in flow.text.split("digits")[1]
        assert flow.asked and "password" not in flow.asked
        assert not any("contact" in line for line in events(host, "SR-1031"))
        flow.leave()


def test_by_ssh(host):
    """Both at terminals of their own, and the contact gets a mail."""
    pair = Pair(host)
    port = captive.set_up(host, classes="codes mail contact")
    letters = RUN / "letters"
    letters.write_text("")
    letters.chmod(0o666)
    program = RUN / "mail"
    program.write_text(f"#!/bin/sh\ncat >>{letters}\n")
    program.chmod(0o755)
    host.configure(reset={"mail_program": program})
    pair.make()
    with Talk(["selfreset", "enroll"], user=pair.bob.account) as talk:
        captive.enroll_mail(talk, OLD, pair.bob.codes.pop(0), letters)
    with Talk(host.ssh_command("reset", port=port, tty=True)) as talk:
        talk.answer("User name: ", "ann")
        captive.choose(talk, "recovery codes")
        talk.answer("Recovery code: ", pair.ann.codes.pop(0))
        captive.choose(talk, WAY)
        shown = talk.until("choose another way: ")
        digits = re.search(r"digits to them: (\d{3} \d{3})", shown)[1]
        with Talk(["selfreset", "confirm", "ann"],
                  user=pair.bob.account) as contact:
            contact.answer("Current password: ", OLD)
            captive.choose(contact, "recovery codes")
            contact.answer("Recovery code: ", pair.bob.codes.pop(0))
            assert "127.0.0.1" in contact.until("or no: ")
            contact.type(digits)
            contact.rest()
            assert contact.status == 0, contact.seen
        talk.type("")
        talk.answer(NEW, FRESH)
        talk.answer(AGAIN, FRESH)
        assert "changed and checked" in talk.rest()
    assert "selfreset confirm ann" in letters.read_text().replace("\n", " ")
    assert list((STATE / "reset").glob("*/*.enrolment"))
