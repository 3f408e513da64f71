"""The same machine without our policy module, with SELinux in enforcing mode:
what is said of it, and that root is not shut out.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pytest


@pytest.fixture(scope="module")
def vm(boot):
    machine = boot("plain.ext4")
    machine.share()
    return machine


def test_enforcing(vm):
    assert vm.run("getenforce").strip() == "Enforcing"
    assert "selfreset" not in vm.run("semodule -l").split()


def test_check_and_enable_say_so(vm):
    said = vm.run("selfresetctl check", code=None)
    assert "SELinux is in enforcing mode" in " ".join(said.split())
    assert "SELinux" in vm.run("selfresetctl pam --enable", code=9)
    assert "selfreset" not in vm.run("cat /etc/pam.d/common-auth")


def test_root_has_a_way_in(vm):
    """With a module that somebody has put into the stacks all the same."""
    vm.run("pam-auth-update --package --enable selfreset")
    assert "pam_selfreset.so" in vm.run("cat /etc/pam.d/common-auth")
    assert vm.run("id -un", user="root") == "root\n"
    vm.master.kill()
    vm.master.wait()
    vm.master = None
    assert vm.run("id -un", user="root") == "root\n"
    vm.run("echo '* * * * * id -un >>/tmp/cron.root; crontab -r' | crontab -")
    assert "root" in vm.until("cat /tmp/cron.root", "root", tries=150)
