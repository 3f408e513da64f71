"""What SELinux has denied.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import re

DENIED = re.compile(
    r"denied +\{ (?P<what>[^}]*) \}.*? comm=\"?(?P<comm>[^\" ]+)"
    r"(?P<more>.*?)scontext=\S+?:\S+?:(?P<source>\w+)\S* "
    r"tcontext=\S+?:\S+?:(?P<target>\w+)\S* tclass=(?P<kind>\w+)")


def read(text):
    """Each that is in the records, once: who, whom, the kind, what, and where."""
    found = {}
    for one in DENIED.finditer(text):
        where = re.search(r' (?:path|name)="?([^" ]+)', one["more"])
        key = (one["source"], one["target"], one["kind"], one["what"])
        found.setdefault(key, set()).add(
            (one["comm"], where[1] if where else "-"))
    return [(*key, sorted(rest)) for key, rest in sorted(found.items())]


# Types, programs and places that are ours.
OURS = re.compile(r"selfreset")
# What a program asks first: whether it can read and write by itself.  It cannot,
# and the helper does it; a policy with its dontaudit rules does not log these.
QUESTIONS = {("selfreset_var_lib_t", "dir"): {"search", "write"},
             ("shadow_t", "file"): {"getattr", "read"}}


def split(text):
    """Those that concern us, and all others."""
    ours, others = [], []
    for one in read(text):
        source, target, kind, what, _ = one
        is_ours = OURS.search(str(one)) and not (
            not OURS.search(source) and
            set(what.split()) <= QUESTIONS.get((target, kind), set()))
        (ours if is_ours else others).append(one)
    return ours, others
