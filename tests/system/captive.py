"""The captive account of self-service reset, for the tests.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import re
import subprocess

import helper
from scratch import wait_until

PROGRAM = pathlib.Path("/usr/bin/selfreset")
SNIPPET = pathlib.Path("/etc/ssh/sshd_config.d/00-selfreset.conf")
INCLUDE = "/etc/ssh/sshd_config.d/*.conf"


def set_up(host, **settings):
    """Reset is enabled, the account is made, and the helper listens; the answer
    is the port of an sshd that has read the snippet."""
    host.configure(reset={"enable": "yes", **settings})
    done = host.run("selfresetctl", "reset", "--setup")
    assert done.returncode == 0, (done.stdout, done.stderr)
    host.helper = helper.start(host)
    return host.sshd(Include=INCLUDE)


# ---- what a person does at a terminal

CODE = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}")


def app_code(key, when="now"):
    """What the app shows."""
    done = subprocess.run(["oathtool", "--totp", "-b", "-N", when, "-"],
                          input=key.replace(" ", ""), capture_output=True,
                          text=True, check=True)
    return done.stdout.strip()


def choose(talk, words):
    """Take the line of a menu with these words."""
    shown = talk.until(r"Number \(1 to \d\): ")
    talk.type(re.findall(r"(\d) [^0-9]*?" + words, shown)[-1])


def enroll_codes(talk, password):
    """Set up recovery codes with `selfreset enroll`; the answer is they."""
    talk.answer("Current password: ", password)
    choose(talk, "recovery codes")
    shown = talk.until(r"code number \d: ")
    codes = CODE.findall(shown)
    talk.type(codes[int(shown[-3]) - 1])
    talk.rest()
    assert len(codes) == 8 and talk.status == 0, talk.seen
    return codes


def enroll_app(talk, password, code):
    """And the app, proved by a code; the answer is its key."""
    talk.answer("Current password: ", password)
    choose(talk, "recovery codes")
    talk.answer("Recovery code: ", code)
    choose(talk, "authenticator app")
    shown = talk.until("it shows: ")
    key = re.search(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", shown)[0]
    # One that was shown before, so that the next one can be used at once.
    talk.type(app_code(key, "30 seconds ago"))
    talk.rest()
    assert talk.status == 0, talk.seen
    return key


def enroll_mail(talk, password, code, letters):
    """And an address, proved by the code that a letter to it has."""
    talk.answer("Current password: ", password)
    choose(talk, "recovery codes")
    talk.answer("Recovery code: ", code)
    choose(talk, "code by mail")
    talk.answer("Mail address: ", "somebody@mail.example")
    talk.until("Code from the mail: ")
    wait_until(lambda: "Code: " in letters.read_text(), what="the letter")
    talk.type(re.search(r"Code: (\d{4} \d{4})", letters.read_text())[1])
    talk.rest()
    assert talk.status == 0, talk.seen


def prove(talk, name, key, code):
    """Both proofs at the beginning of a reset."""
    talk.answer("User name: ", name)
    choose(talk, "authenticator app")
    talk.answer(r"6 digits\): ", app_code(key))
    choose(talk, "recovery codes")
    talk.answer("Recovery code: ", code)
