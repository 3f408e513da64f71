"""valgrind over the module: no bad access, no leak of the module's own.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"

STORIES = {
    "right": (["auth", "acct", "cred", "open", "close"], [OLD], {}),
    "wrong": (["auth"], ["no"], {}),
    "unknown": (["auth", "acct"], ["no"], {"user": "nobody-here"}),
    "expired": (["auth", "acct", "change-expired"],
                [OLD, "secret", FRESH, FRESH], {"changed": 100, "max": 90}),
    "given up": (["auth", "change-expired"], [OLD],
                 {"changed": 100, "max": 90}),
    "cancelled": (["auth"], [], {}),
    "long": (["auth"], ["x" * 10000], {}),
}


@pytest.mark.parametrize("story", STORIES)
def test_valgrind(host, story):
    steps, answers, fields = STORIES[story]
    fields = dict(fields)
    user = fields.pop("user", "ann")
    host.configure(password={"history": 3})
    host.add("ann", OLD, **fields)
    suppressions = host.build / "valgrind.supp"
    # libpam and glibc keep a little for the life of a process, on purpose.
    suppressions.write_text(
        "{\n keeps\n Memcheck:Leak\n ...\n fun:_dl_*\n ...\n}\n")
    done = host.drive(
        "probe", user, *steps, answers=answers, rhost="192.0.2.7",
        wrap=["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
              "--errors-for-leak-kinds=definite,indirect",
              f"--suppressions={suppressions}"])
    assert done.status == 0, done
    assert len(done.codes) == len(steps)
