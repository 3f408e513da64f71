"""polkitd on a system bus of its own, without logind.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import os
import pathlib

from scratch import ETC, RUN, wait_until

BUS = pathlib.Path("/run/dbus/system_bus_socket")
DAEMON = "usr/lib/polkit-1/polkitd"
# Which of them is allowed where no rule says otherwise (scratch.py).
GRANTED = "org.example.granted"
REFUSED = "org.example.refused"
OPEN_BUS = f"""<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={BUS}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/>
    <allow send_type="method_call"/> <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/> <allow receive_type="signal"/>
    <allow receive_type="method_return"/> <allow receive_type="error"/>
  </policy>
</busconfig>
"""


class Polkit:
    """A polkitd, with rules that are given or were put in place."""

    def __init__(self, host, rules=""):
        self.host = host
        # Where the package is not installed, tests/run has unpacked it.
        self.root = next(root for root in
                         (pathlib.Path("/"), host.build.parent / "polkit")
                         if (root / DAEMON).exists())
        (ETC / "polkit-1/rules.d/10-test.rules").write_text(rules)
        BUS.parent.mkdir(exist_ok=True)
        BUS.unlink(missing_ok=True)
        config = RUN / "bus.conf"
        config.write_text(OPEN_BUS)
        with open(RUN / "polkit.log", "ab") as log:
            host.start(["dbus-daemon", f"--config-file={config}", "--nofork"],
                       stdout=log, stderr=log)
            wait_until(BUS.exists, what="the bus")
            self.process = host.start([str(self.root / DAEMON)], stdout=log, stderr=log)
        wait_until(self.is_there, what="polkitd")

    def is_there(self):
        assert self.process.poll() is None, "polkitd has ended"
        asked = self.host.run(self.root / "usr/bin/pkaction", "--action-id",
                              GRANTED)
        return asked.returncode == 0

    def uid(self):
        return os.stat(f"/proc/{self.process.pid}").st_uid

    def authorizes(self, account, action=GRANTED):
        """Whether a process of the account may, without being asked for
        anything."""
        subject = self.host.start(["sleep", "60"], user=account.uid,
                                  group=account.uid, extra_groups=[])
        try:
            asked = self.host.run(self.root / "usr/bin/pkcheck", "--action-id",
                                  action, "--process", subject.pid)
        finally:
            subject.kill()
            subject.wait()
        assert asked.returncode in (0, 1, 2), asked.stderr
        return asked.returncode == 0
