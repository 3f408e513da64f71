"""What the tests of the packages are given: see tests/run, part package.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from tree import Here, Tree  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--tree", type=pathlib.Path, required=True,
                     help="a tree that debootstrap has made; it is changed; "
                     "or / for this machine")
    parser.addoption("--packages", type=pathlib.Path, required=True,
                     help="the packages of these sources")
    parser.addoption("--before", type=pathlib.Path, required=True,
                     help="those of an earlier version")


@pytest.fixture(scope="session")
def debs(request):
    """The two sets of packages, where the tree sees them."""
    tree = request.config.getoption("--tree")
    for name in ("packages", "before"):
        place = tree / "srv" / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for package in request.config.getoption(f"--{name}").glob("*.deb"):
            if "-dbgsym_" not in package.name:
                shutil.copy2(package, place)


@pytest.fixture(scope="session")
def tree(request, debs):
    path = request.config.getoption("--tree")
    running = Here() if path == pathlib.Path("/") else Tree(path)
    yield running
    running.stop()
