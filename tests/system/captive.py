"""The captive account of self-service reset, for the tests.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib

import helper

PROGRAM = pathlib.Path("/usr/bin/selfreset")
SNIPPET = pathlib.Path("/etc/ssh/sshd_config.d/00-selfreset.conf")
INCLUDE = "/etc/ssh/sshd_config.d/*.conf"


def set_up(host, **settings):
    """Reset is enabled, the account is made, and the helper listens; the answer
    is the port of an sshd that has read the snippet."""
    host.configure(reset={"enable": "yes", **settings})
    done = host.run("selfresetctl", "reset", "--setup")
    assert done.returncode == 0, (done.stdout, done.stderr)
    host.helper = helper.start(host)
    return host.sshd(Include=INCLUDE)
