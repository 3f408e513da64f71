"""selfreset-helper: programs that cannot check passwords by themselves have it
done, each for what it is by the kernel.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import shutil
import struct
import subprocess
import sys

import pytest

import helper
from scratch import RUN

OLD = "correct horse battery"


@pytest.fixture
def served(host):
    helper.start(host)
    return host


def auth(host, user, answer, who, *steps, **options):
    return host.drive("probe", user, "auth", *steps, answers=[answer],
                      uid=who.uid, **options)


# ---- a process without root's rights

def test_verifies_for_itself(served):
    ann = served.add("ann", OLD)
    done = auth(served, "ann", OLD, ann, "acct")
    assert done.codes == ["SUCCESS"] * 2, done
    assert done.prompts == ["Password: "]
    done = auth(served, "ann", "no", ann)
    assert done.codes == ["AUTH_ERR"] and not done.said


def test_verifies_for_nobody_else(served):
    ann, bob = served.add("ann", OLD), served.add("bob", OLD)
    for name in ("bob", "root", "nobody-here"):
        done = auth(served, name, OLD, ann, "acct")
        assert done.codes == ["AUTHINFO_UNAVAIL"] * 2, done
        assert done.prompts == []
    assert served.log.with_text("SR-3202")
    assert auth(served, "bob", OLD, bob).codes == ["SUCCESS"]


def test_counts_in_the_ledger_of_its_own_sessions(served):
    served.configure(lockout={"attempts": 3})
    ann = served.add("ann", OLD)
    for _ in range(3):
        assert auth(served, "ann", "no", ann).code == "AUTH_ERR"
    done = auth(served, "ann", OLD, ann)
    assert done.code == "AUTH_ERR" and "locked" in done.said
    # A stranger's ledger is another one.
    assert served.drive("probe", "ann", "auth", answers=[OLD],
                        rhost="192.0.2.1").code == "SUCCESS"
    # su's from a session of the same user is the same.
    assert served.drive("probe", "ann", "auth", answers=[OLD],
                        real_uid=ann.uid).code == "AUTH_ERR"


def test_without_it_as_before(host):
    ann = host.add("ann", OLD)
    process = helper.start(host)
    assert auth(host, "ann", OLD, ann).code == "SUCCESS"
    helper.stop(host, process)
    done = auth(host, "ann", OLD, ann)
    assert done.code == "AUTHINFO_UNAVAIL"
    assert "permission to check passwords" in done.said


# ---- the language

def catalog(**messages):
    """A catalog of gettext."""
    pairs = sorted([("", "Content-Type: text/plain; charset=UTF-8\n"),
                    *((key.replace("_", " "), value)
                      for key, value in messages.items())])
    at, count, tables, texts = 28 + 16 * len(pairs), len(pairs), [], b""
    for column in (0, 1):
        for pair in pairs:
            text = pair[column].encode()
            tables.append(struct.pack("=II", len(text), at + len(texts)))
            texts += text + b"\0"
    return struct.pack("=7I", 0x950412de, 0, count, 28, 28 + 8 * count, 0,
                       0) + b"".join(tables) + texts


def translates(mo):
    """Whether the C library translates in the locale C.UTF-8: newer ones do
    not, as in C."""
    place = RUN / "locale/xx/LC_MESSAGES"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(mo, place)
    code = ("import ctypes; c = ctypes.CDLL(None); "
            "c.dgettext.restype = ctypes.c_char_p; c.setlocale(6, b''); "
            f"c.bindtextdomain(b'selfreset', b'{RUN}/locale'); "
            "print(c.dgettext(b'selfreset', b'Password: ').decode())")
    done = subprocess.run([sys.executable, "-c", code], check=True,
                          env={"LC_ALL": "C.UTF-8", "LANGUAGE": "xx"},
                          stdout=subprocess.PIPE, text=True)
    return done.stdout.startswith("Kennwort")


@pytest.mark.parametrize("locale, language, prompt", [
    ("C.UTF-8", "xx", "Kennwort: "), ("C.UTF-8", "yy:xx", "Kennwort: "),
    ("C", "xx", "Password: "), ("C.UTF-8", None, "Password: "),
    (None, "xx", "Password: "), ("../x", "xx", "Password: "),
    ("C.UTF-8", "../locale/xx", "Password: "),
    ("C.UTF-8", "x" * 4000, "Password: ")])
def test_it_speaks_the_callers_language(host, locale, language, prompt):
    """And opens no file that the caller names."""
    mo = RUN / "selfreset.mo"
    mo.write_bytes(catalog(**{"Password:_": "Kennwort: "}))
    if not translates(mo):
        prompt = "Password: "
    place = "/usr/share/locale/xx/LC_MESSAGES"
    helper.start(host, wrap=[
        "unshare", "--mount", "--propagation", "private", "sh", "-ec",
        "mount -t tmpfs none /usr/share/locale; "
        f'mkdir -p {place}; cp {mo} {place}; exec "$@"', "sh"])
    client = helper.Client(host.add("ann", OLD))
    fields = {"locale": locale, "language": language}
    client.call(user="ann", **{name: value for name, value in fields.items()
                               if value is not None})
    kind, fields = client.receive()
    assert (kind, fields["text"]) == (helper.ASK, prompt)
    client.close()
