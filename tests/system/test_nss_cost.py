"""What the NSS module costs every process: nothing where a process gets its own
groups, and little more than reading a page anywhere else.  The bounds that are
promised are those of tests/bench; here they are wide, for a busy machine.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import collections
import statistics

import pytest

ACCOUNTS = 20000


@pytest.fixture
def bench(host):
    """Lines of nssbench, split."""
    host.create_state_groups()

    def run(*arguments):
        done = host.run(host.build / "tests/bench/nssbench", *arguments)
        assert done.returncode == 0, done.stderr
        return [line.split() for line in done.stdout.splitlines()]

    run("build", ACCOUNTS, 2)
    return run


def test_own_groups_make_no_system_call(bench):
    calls, other_calls = next(line[1:] for line in bench("credential", 1)
                              if line[0] == "calls")
    assert calls == "0"
    assert other_calls == "1"  # which is seen of the call for rules


def test_a_lookup_costs_little_more_than_a_page(bench):
    times = collections.defaultdict(list)
    for kind, ours, page in bench("lookup", ACCOUNTS, 40):
        times[kind].append((int(ours), int(page)))
    assert len(times) == 4
    for kind, pairs in times.items():
        ours, page = (statistics.median(column) for column in zip(*pairs))
        assert ours <= 1.8 * page, (kind, ours, page)
