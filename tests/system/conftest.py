"""pytest's way into the scratch host: every test gets `host`, fresh.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import collections
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import scratch  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--build", default=os.environ.get("SELFRESET_BUILD"),
                     help="the build directory (tests/run makes it)")
    parser.addoption("--claims", type=pathlib.Path, metavar="DIR",
                     help="a directory, empty at first, in which those that "
                     "run at the same time note what they have taken: each "
                     "file of tests is run by one of them")


def pytest_configure(config):
    if config.getoption("--build") is None:
        raise pytest.UsageError("say where the build is: --build DIR")
    scratch.enter("--net")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    scratch.set_up(config.getoption("--build"))


class Claims:
    """Which files of tests are ours."""

    def __init__(self, directory):
        self.directory, self.answers = directory, {}

    def is_ours(self, path):
        if path not in self.answers:
            try:
                (self.directory / path.name).touch(exist_ok=False)
                self.answers[path] = True
            except FileExistsError:
                self.answers[path] = False
        return self.answers[path]


_claims = pytest.StashKey()


def pytest_collection_modifyitems(items):
    """The longest files first: those that run at the same time then end at about
    the same time.  A test takes about a second, or SECONDS of its file."""
    length = collections.Counter()
    for item in items:
        length[item.path] += getattr(item.module, "SECONDS", 1)
    items.sort(key=lambda item: -length[item.path])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    """Done, and nothing is reported, where another one has taken it."""
    directory = item.config.getoption("--claims")
    if directory is None:
        return None
    claims = item.config.stash.setdefault(_claims, Claims(directory))
    return None if claims.is_ours(item.path) else True


@pytest.fixture(scope="session")
def the_host(request):
    return scratch.Host(request.config.getoption("--build"))


@pytest.fixture
def host(the_host):
    the_host.reset()
    yield the_host
    the_host.stop_all()
