"""valgrind over the module: no bad access, no leak of the module's own.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest

import kerberos
import test_krb5 as krb5
from test_krb5 import kdc

SECONDS = 4  # of a test, about
__all__ = ["kdc"]
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
    watch(host, user, steps, answers)


def watch(host, user, steps, answers):
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


# The same with a KDC: the state of ann, the calls and the answers.
KERBEROS = {
    "right": ((), ["auth", "acct", "cred", "open", "close"], [krb5.OLD]),
    "wrong": ((), ["auth"], ["no"]),
    "key": ((), ["acct"], []),
    "forced change": (("+needchange",), ["auth", "acct", "change-expired",
                                         "cred", "close"],
                      [krb5.OLD, krb5.NEW, krb5.NEW]),
    "disabled": (("-allow_tix",), ["auth", "acct"], [krb5.OLD]),
}


@pytest.mark.parametrize("story", KERBEROS)
def test_valgrind_kerberos(host, kdc, story):
    options, steps, answers = KERBEROS[story]
    krb5.serve(host, kdc, timeout="60s")
    if options:
        kdc.modify("ann", *options)
    watch(host, "ann", steps, answers)


def test_valgrind_kerberos_lies(host, kdc):
    krb5.serve(host, kdc, timeout="60s")
    for lie in krb5.LIES:
        with krb5.Liar(krb5.LIES[lie]) as liar:
            kerberos.configure(liar.address)
            watch(host, "ann", ["auth"], [krb5.OLD])
