"""The recipes of README.md, each of them taken from there and run.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import pathlib
import re
import textwrap

import pytest

import polkit
from scratch import CONFIG, ETC, RUN
from talk import AGAIN, CURRENT, NEW, Talk

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
SECTION = "What the rest of the system sees"
OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"

# What pam_unix alone would do: whoever is refused is refused by the recipe.
BLIND = ("auth required pam_unix.so nodelay\n"
         "account required pam_permit.so\n"
         "session optional pam_permit.so\n")


class Recipe:
    """A block of the section, and the file that its first line names."""

    def __init__(self, text):
        first, _, self.text = text.partition("\n")
        self.path = pathlib.Path(re.search(r"/\S+", first)[0])

    def __repr__(self):
        return f"{self.path}\n{self.text}"

    def install(self):
        """Into the file, behind what is there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        mode = self.path.stat().st_mode if self.path.exists() else 0o644
        self.path.touch()
        self.path.chmod(0o600)
        with open(self.path, "a", encoding="utf-8") as out:
            out.write(self.text)
        self.path.chmod(mode & 0o7777)


def recipes():
    """Blocks whose first line is a comment that names a file below /etc."""
    section = README.read_text(encoding="utf-8").split(f"\n## {SECTION}\n")[1]
    section = section.split("\n## ")[0]
    blocks = re.findall(r"^```\w*\n(.*?)^```$", section, re.M | re.S)
    blocks += map(textwrap.dedent,
                  re.findall(r"(?:^(?: {4}|\t).*\n|^\n(?= {4}|\t))+", section,
                             re.M))
    return [Recipe(block.lstrip("\n")) for block in blocks
            if re.match(r"\n*(#|//)\s*/etc/\S+", block)]


def recipe(name, *words):
    """The one recipe for a file of that name which has these words."""
    found = [each for each in recipes() if name in str(each.path)
             and all(word in each.text for word in words)]
    assert len(found) == 1, (name, words, found)
    USED.add(str(found[0]))
    return found[0]


USED = set()
