"""What the tests of the booted machine are given: see tests/run, part vm.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from machine import Machine  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--files", type=pathlib.Path, required=True,
                     help="the folder with the disks, the kernel and the key")


@pytest.fixture(scope="module")
def boot(request):
    """Start the machine with a disk: one at a time."""
    files = request.config.getoption("--files")
    running = []

    def start(disk):
        log = files / f"{disk}.console"
        pathlib.Path(f"{log}.ssh").unlink(missing_ok=True)
        machine = Machine(files, files / disk, log)
        running.append(machine)
        print(f"booted in {machine.boot():.0f} s")
        return machine

    yield start
    for machine in running:
        machine.stop()
