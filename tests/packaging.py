"""Checks the files of packaging that no program of Debian can check: the
authselect profile.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import re
import sys

PROFILE = pathlib.Path(__file__).parents[1] / "rpm/authselect/selfreset"
# The files that authselect reads, and those that it demands of a profile.
FILES = {"README", "REQUIREMENTS", "dconf-db", "dconf-locks",
         "fingerprint-auth", "nsswitch.conf", "password-auth", "postlogin",
         "smartcard-auth", "switchable-auth", "system-auth"}
# What tools enable: authconfig's successors, Anaconda, realmd, ipa-client,
# hardening content.
FEATURES = {"with-faillock", "with-pwhistory", "with-mkhomedir",
            "without-nullok", "with-group-merging", "with-silent-lastlog",
            "with-pamaccess", "with-smartcard", "with-smartcard-required",
            "with-smartcard-lock-on-removal", "with-fingerprint",
            "with-pam-u2f", "with-pam-u2f-2fa", "without-pam-u2f-nouserok",
            "with-pam-gnome-keyring", "with-ecryptfs", "with-altfiles",
            "with-libvirt", "with-mdns4", "with-mdns6"}
TERM = r'(?:not )?"[a-z0-9-]+"'
CONDITION = rf"{TERM}(?: (?:and|or) {TERM})*"
OPERATOR = re.compile(
    rf"\{{(?:(?:include|exclude) if {CONDITION}|if {CONDITION}:[^{{}}]*)\}}")
CONTROL = r"(?:\[[a-z_]+=\w+(?: [a-z_]+=\w+)*\]|required|requisite|sufficient"
LINE = re.compile(rf"-?(auth|account|password|session) +{CONTROL}|optional|"
                  r"include) +\S.*")


def check(condition, *words):
    if not condition:
        sys.exit(" ".join(map(str, words)))


def main():
    found = {path.name: path.read_text() for path in PROFILE.iterdir()}
    check(set(found) == FILES, "files:", set(found) ^ FILES)
    features = set()
    for name, text in found.items():
        if name == "README":
            continue
        for line in text.splitlines():
            rest = OPERATOR.sub("", line)
            check("{" not in rest and "}" not in rest, name, "operator:", line)
            for one in OPERATOR.findall(line):
                features |= set(re.findall('"([a-z0-9-]+)"', one))
            if name in ("dconf-db", "dconf-locks", "nsswitch.conf",
                        "REQUIREMENTS") or not rest or rest.startswith("#"):
                continue
            check(LINE.fullmatch(rest.rstrip()), name, "line:", line)
    check(features == FEATURES, "features:", features ^ FEATURES)
    told = set(re.findall(r"(?m)^(with[a-z0-9-]+)::$", found["README"]))
    check(told == FEATURES, "README:", told ^ FEATURES)
    for name in ("system-auth", "password-auth"):
        for kind in ("auth", "account", "password", "session"):
            lines = [line for line in found[name].splitlines()
                     if line.startswith(kind)]
            ours = [number for number, line in enumerate(lines)
                    if "pam_selfreset.so" in line]
            unix = [number for number, line in enumerate(lines)
                    if "pam_unix.so" in line]
            check(ours and unix, name, kind, "has not both modules")
            check(kind == "session" or ours[0] < unix[-1], name, kind, "order")


main()
