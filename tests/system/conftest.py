"""pytest's way into the scratch host: every test gets `host`, fresh.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import scratch  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--build", default=os.environ.get("SELFRESET_BUILD"),
                     help="the build directory (tests/run makes it)")


def pytest_configure(config):
    if config.getoption("--build") is None:
        raise pytest.UsageError("say where the build is: --build DIR")
    scratch.enter()
    scratch.set_up(config.getoption("--build"))


@pytest.fixture(scope="session")
def the_host(request):
    return scratch.Host(request.config.getoption("--build"))


@pytest.fixture
def host(the_host):
    the_host.reset()
    yield the_host
    the_host.stop_all()
