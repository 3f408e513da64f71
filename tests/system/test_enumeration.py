"""Enumeration: a stranger cannot tell names that exist from names that do not.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pwd
import re
import statistics
import time

from scratch import COSTLY
from talk import PASSWORD, Talk

OLD = "correct horse battery"
PEER = "192.0.2.7"


def shown_by_ssh(host, user, method="keyboard-interactive"):
    with Talk(host.ssh_command(user, "echo in", method=method)) as talk:
        talk.answer(PASSWORD, "no")
        talk.rest()
        return alike(talk.seen, user)


def alike(text, user):
    """Without what the asker said himself, and without the running clock."""
    text = text.replace(user, "USER")
    text = re.sub(r"\d+\s+(second|minute)s?", "N minutes", text)
    return re.sub(r"\d\d:\d\d", "HH:MM", text)


def lock_both(host):
    for user in ("annabel", "evelina"):
        for _ in range(5):
            host.drive("probe", user, "auth", answers=["no"], rhost=PEER)


def test_wrong_and_unknown_read_the_same(host):
    host.add("annabel", OLD)
    host.add("old", OLD, expire="-1")
    host.add("exp", OLD, changed=100, max=90)
    for method in ("keyboard-interactive", "password"):
        known = shown_by_ssh(host, "annabel", method)
        assert "Permission denied" in known
        for other in ("evelina", "old", "exp"):
            assert shown_by_ssh(host, other, method) == known


def test_locked_and_unknown_locked_read_the_same(host):
    host.add("annabel", OLD)
    for _ in range(5):
        shown_by_ssh(host, "annabel")
        shown_by_ssh(host, "evelina")
    known, unknown = shown_by_ssh(host, "annabel"), shown_by_ssh(host, "evelina")
    assert known == unknown
    assert "too many" in known.lower()


def test_reveal_never(host):
    host.configure(selfreset={"reveal": "never"})
    host.add("annabel", OLD)
    for _ in range(5):
        plain = shown_by_ssh(host, "annabel")
    assert shown_by_ssh(host, "annabel") == plain


def test_reveal_console(host):
    host.configure(selfreset={"reveal": "console"})
    host.add("annabel", OLD)
    for rhost in (PEER, None):
        for _ in range(5):
            host.drive("probe", "annabel", "auth", answers=["no"], rhost=rhost,
                       tty="tty1")
    far = host.drive("probe", "annabel", "auth", answers=["no"], rhost=PEER)
    near = host.drive("probe", "annabel", "auth", answers=["no"], tty="tty1")
    assert far.said == "" and "too many" in near.said.lower()


def test_the_same_messages_in_the_driver(host):
    host.add("annabel", OLD)
    lock_both(host)
    said = [host.drive("probe", user, "auth", answers=["no"], rhost=PEER)
            for user in ("annabel", "evelina")]
    assert alike(said[0].said, "annabel") == alike(said[1].said, "evelina")
    assert said[0].rest("delay") == said[1].rest("delay")


def test_the_delay_is_asked_for_alike(host):
    host.configure(lockout={"delay": "2s"})
    host.add("annabel", OLD)
    for user in ("annabel", "evelina"):
        done = host.drive("probe", user, "auth", answers=["no"], rhost=PEER)
        delay = int(done.rest("delay")[0])
        assert 1000000 <= delay <= 3000000


def sample(host, cases, rounds):
    """Times of each case, taken in turn so that noise is shared."""
    times = {case: [] for case in cases}
    for _ in range(rounds):
        for case, options in cases.items():
            done = host.drive("probe", options["user"], "auth",
                              answers=[options["password"]], rhost=PEER)
            times[case].append(done.times[0])
    return times


def test_ssh_takes_the_same_time(host):
    """From the password to the answer, as a stranger would measure it."""
    host.configure(lockout={"attempts": 60, "source_attempts": 0})
    host.add("annabel", OLD, cost=COSTLY)
    times = {"annabel": [], "evelina": []}
    for _ in range(9):
        for user, values in times.items():
            with Talk(host.ssh_command(user, "echo in")) as talk:
                talk.until(PASSWORD)
                talk.type("no")
                began = time.monotonic()
                talk.until("denied")
                values.append(time.monotonic() - began)
    medians = [statistics.median(values) for values in times.values()]
    widest = max(spread(values) for values in times.values())
    apart = abs(medians[0] - medians[1])
    assert apart < max(widest, medians[0] * 0.05), times


def spread(values):
    ordered = sorted(values)
    return ordered[len(ordered) * 9 // 10] - ordered[len(ordered) // 10]


def test_medians_differ_less_than_their_spread(host):
    host.configure(lockout={"attempts": 60, "source_attempts": 0})
    host.add("annabel", OLD, cost=COSTLY)
    host.add("bob", OLD, cost=COSTLY)
    host.add("old", OLD, cost=COSTLY, expire="-1")
    host.drive("probe", "bob", "auth", answers=["no"], rhost=PEER,
               processes=60)
    assert host.drive("probe", "bob", "auth", answers=[OLD],
                      rhost=PEER).code == "AUTH_ERR"
    times = sample(host, {
        "right": {"user": "annabel", "password": OLD},
        "wrong": {"user": "annabel", "password": "no"},
        "locked": {"user": "bob", "password": "no"},
        "ended": {"user": "old", "password": "no"},
        "unknown": {"user": "evelina", "password": "no"},
    }, 15)
    refused = {case: values for case, values in times.items()
               if case != "right"}
    medians = {case: statistics.median(values)
               for case, values in refused.items()}
    widest = max(spread(values) for values in refused.values())
    apart = max(medians.values()) - min(medians.values())
    middle = statistics.median(medians.values())
    assert apart < max(widest, middle * 0.05), (medians, widest)
    # And the hash is what takes the time, in every case.
    assert middle > 5_000_000


def test_hashes_of_several_costs(host):
    """A cheap hash, a costly one and none take the same time."""
    host.configure(lockout={"attempts": 60, "source_attempts": 0})
    host.add("annabel", OLD)
    host.add("bob", OLD, cost=COSTLY)
    assert_alike(sample(host, {
        "cheap": {"user": "annabel", "password": "no"},
        "costly": {"user": "bob", "password": "no"},
        "empty": {"user": "bob", "password": ""},
        "unknown": {"user": "evelina", "password": "no"},
    }, 7))


def assert_alike(times):
    medians = {case: statistics.median(values)
               for case, values in times.items()}
    widest = max(spread(values) for values in times.values())
    apart = max(medians.values()) - min(medians.values())
    middle = statistics.median(medians.values())
    assert apart < min(max(widest, middle * 0.05), middle * 0.2), \
        (medians, widest)


def test_one_cost_waits_for_nothing(host):
    """Where the work is the same for every name, a refusal leaves at once: it
    takes little longer than a right password."""
    host.configure(lockout={"attempts": 60, "source_attempts": 0})
    host.add("annabel", OLD, cost=COSTLY)
    times = sample(host, {
        "right": {"user": "annabel", "password": OLD},
        "wrong": {"user": "annabel", "password": "no"},
    }, 7)
    right, wrong = (statistics.median(times[case])
                    for case in ("right", "wrong"))
    assert wrong < right * 3, times


def test_hashes_slower_than_the_first_step(host):
    """Where a hash takes longer than 250 milliseconds, no refusal leaves before
    it could be computed on a slower computer."""
    host.add("annabel", OLD)
    host.add("bob", OLD, cost=500000)  # a quarter of a second
    times = sample(host, {
        "cheap": {"user": "annabel", "password": "no"},
        "slow": {"user": "bob", "password": "no"},
        "unknown": {"user": "evelina", "password": "no"},
    }, 1)
    # In nanoseconds, and by the caller's clock, which starts a little later.
    assert min(value for values in times.values() for value in values) \
        >= 999_000_000, times
    assert host.drive("probe", "bob", "auth", answers=[OLD]).code == "SUCCESS"


# Hashes in form whose costs are days or years.
ABSURD = {
    "anton": "$6$rounds=999999999$saltsalt$" + "a" * 86,
    "berta": "$5$rounds=999999999$saltsalt$" + "a" * 43,
    "carla": "$2b$31$" + "a" * 53,
    "dora": "$y$j9T/zzzzzz$abcdefgh$" + "a" * 43,
    "emil": "$sha1$4294967295$abcdefgh$" + "a" * 28,
}


def test_hashes_that_take_days(host):
    """They are refused with the work of any name, and what tells of it is the
    log and check."""
    host.configure(lockout={"attempts": 60, "source_attempts": 0})
    for user, hashed in ABSURD.items():
        host.add(user, hash=hashed)
    host.count_hashes()
    for number, user in enumerate((*ABSURD, "evelina")):
        assert host.hashes() == number
        done = host.drive("probe", user, "auth", answers=["no"], rhost=PEER)
        assert done.codes == (["AUTH_ERR"] if user in ABSURD
                              else ["USER_UNKNOWN"])
        assert done.said == ""
    assert len(host.log.with_text("the hash takes too long to compute")) == \
        len(ABSURD)
    # Nor does the change of a password compute it, nor check.
    done = host.drive("passwd", "anton", "chauthtok", answers=["no"],
                      real_uid=int(pwd.getpwnam("anton").pw_uid))
    assert done.code != "SUCCESS"
    found = host.run("selfresetctl", "check").stdout
    assert all(user in found for user in ABSURD), found
    assert "take too long to compute" in " ".join(found.split())
