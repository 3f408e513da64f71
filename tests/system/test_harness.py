"""The harness proves itself on pam_unix: what it shows is what happened.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os

import pytest

from scratch import RUN, SERVICES, unix_stack
from talk import Talk


@pytest.fixture
def plain(host):
    for name in SERVICES:
        host.service(name, unix_stack())
    return host


def test_the_machine_is_out_of_reach(host):
    outside = os.environ["SELFRESET_TEST_OUTSIDE"]
    assert os.readlink("/proc/self/ns/mnt") != outside
    assert os.stat("/etc").st_dev == os.stat(RUN).st_dev


def test_ssh_right_and_wrong(plain):
    plain.add("ann", "right")
    with Talk(plain.ssh_command("ann", "echo in as $(id -un)")) as ssh:
        ssh.answer("assword: ", "right")
        assert "in as ann" in ssh.rest()
    with Talk(plain.ssh_command("ann", "echo in")) as ssh:
        ssh.answer("assword: ", "wrong")
        assert "Permission denied" in ssh.rest()


def test_driver_codes_prompts_and_counts(plain):
    plain.add("ann", "right")
    plain.count_hashes()
    right = plain.drive("probe", "ann", "auth", "acct", answers=["right"])
    assert right.codes == ["SUCCESS", "SUCCESS"]
    assert right.prompts == ["Password: "]
    assert plain.hashes() > 0
    wrong = plain.drive("probe", "ann", "auth", answers=["wrong"])
    assert wrong.codes == ["AUTH_ERR"]


def test_driver_many_at_once(plain):
    plain.add("ann", "right")
    many = plain.drive("probe", "ann", "auth", answers=["right"], processes=8)
    assert many.counts == {"SUCCESS": 8}


def test_driver_finds_a_marker_that_is_there(plain):
    plain.add("ann", "in plain sight")
    shown = plain.drive("probe", "in plain sight", "auth", "search",
                        answers=["x"], find="in plain sight")
    assert shown.status == 3


def test_set_user_id_programs_are_counted(plain):
    ann = plain.add("ann", "right")
    plain.count_hashes()
    with Talk(["su", "ann", "-c", "echo in"], user=ann) as su:
        su.answer("assword: ", "right")
        assert "in" in su.rest()
    assert plain.hashes() > 0


def test_time_goes_ahead(plain):
    now = plain.run("cat", "/proc/uptime").stdout
    later = plain.run("cat", "/proc/uptime", ahead=5000).stdout
    assert float(later.split()[0]) - float(now.split()[0]) > 4999


def test_syslog_is_heard(plain):
    plain.add("ann", "right")
    plain.drive("probe", "ann", "auth", answers=["wrong"])
    assert plain.log.with_text("authentication failure")
