"""Debian's stacks: common files that its own pam-auth-update writes.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import contextlib
import os
import pathlib
import shutil
import subprocess

from scratch import ETC, RUN, mount

PAM_D = ETC / "pam.d"
PROFILES = pathlib.Path("/usr/share/pam-configs")
# Other profiles of Debian, which hosts have besides.
OTHERS = {
    "systemd": """Name: Register user sessions
Default: no
Priority: 0
Session-Interactive-Only: yes
Session-Type: Additional
Session:
\toptional\tpam_systemd.so
""",
    "mkhomedir": """Name: Create home directory on login
Default: no
Priority: 0
Session-Type: Additional
Session-Interactive-Only: yes
Session:
\toptional\tpam_mkhomedir.so
"""}
COMMON = ("auth", "account", "password", "session",
          "session-noninteractive")



def update(*arguments, code=0):
    done = subprocess.run(
        ["pam-auth-update", *arguments], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
        env={"PATH": os.environ["PATH"], "DEBIAN_FRONTEND": "noninteractive"})
    assert done.returncode == code, (done.stdout, done.stderr)


def lines(part):
    """The lines of a common file, as lists of words."""
    text = (PAM_D / f"common-{part}").read_text()
    return [line.split() for line in text.splitlines()
            if line and not line.startswith("#")]


def modules(part):
    return [word for line in lines(part) for word in line
            if word.endswith(".so")]


@contextlib.contextmanager
def debian(host, extra=()):
    """A host whose services include the common files, as Debian's do; it has
    the profiles of pam_unix and of this module, others, and the files of
    `extra`."""
    aside = RUN / "debian"
    shutil.rmtree(aside, ignore_errors=True)
    profiles = aside / "profiles"
    profiles.mkdir(parents=True)
    shutil.copy2(PROFILES / "unix", profiles)
    for name, text in OTHERS.items():
        (profiles / name).write_text(text)
    for path in extra:
        shutil.copy2(path, profiles)
    installed = host.build / "stage" / PROFILES.relative_to("/") / "selfreset"
    shutil.copy2(installed, profiles)
    shutil.copytree("/var/cache/debconf", aside / "debconf")
    (aside / "pam").mkdir()
    (aside / "stacks").mkdir()
    places = {PROFILES: profiles, PAM_D: aside / "stacks",
              "/var/lib/pam": aside / "pam",
              "/var/cache/debconf": aside / "debconf"}
    for place, own in places.items():
        mount("--bind", own, place)
    try:
        update("--force", "--enable", "unix", *OTHERS, "--disable", "selfreset")
        assert "pam_unix.so" in modules("auth")
        includes = "".join(f"@include common-{part}\n" for part in COMMON[:4])
        for name in ("login", "passwd", "sshd", "sudo"):
            host.service(name, includes)
        host.service("su", "auth sufficient pam_rootok.so\n" + includes)
        yield host
    finally:
        for place in places:
            subprocess.run(["umount", str(place)], check=True)
