"""What somebody tries who knows how the module works.

SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-or-later
"""

import time

import pytest

from scratch import guarded_stack, hash_password, stack
from talk import AGAIN, CURRENT, NEW, PASSWORD, Talk

OLD = "correct horse battery"
FRESH = "an umbrella for rainy days"
OTHER = "what the administrator chose"
PEER = "192.0.2.7"
EXPIRED = {"changed": 100, "max": 90}


# ---- the account changes while a prompt waits

def test_a_prompt_that_was_left_open(host):
    """The password was changed meanwhile: the old one is none any more."""
    host.add("ann", OLD)
    bob = host.add("bob", "something else")
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as su:
        su.until(PASSWORD)
        host.set_shadow("ann", 1, hash_password(OTHER))
        su.type(OLD)
        assert "in as" not in su.rest()
    with Talk(["su", "ann", "-c", "echo in as $(id -un)"], user=bob) as su:
        su.until(PASSWORD)
        host.set_shadow("ann", 1, hash_password(FRESH))
        su.type(FRESH)
        assert "in as ann" in su.rest()


def test_the_current_password_was_changed_before_it_was_typed(host):
    ann = host.add("ann", OLD)
    with Talk(["passwd"], user=ann) as talk:
        talk.until(CURRENT)
        host.set_shadow("ann", 1, hash_password(OTHER))
        talk.type(OLD)
        talk.rest()
        assert talk.status != 0
    assert host.has_password("ann", OTHER)


@pytest.mark.parametrize("what", ["locked", "reset"])
def test_the_administrator_was_quicker(host, what):
    """A change under way does not undo what was done meanwhile."""
    ann = host.add("ann", OLD)
    stored = {"locked": "!" + host.shadow("ann")[1],
              "reset": hash_password(OTHER)}[what]
    with Talk(["passwd"], user=ann) as talk:
        talk.answer(CURRENT, OLD)
        talk.until(NEW)
        host.set_shadow("ann", 1, stored)
        talk.type(FRESH)
        talk.answer(AGAIN, FRESH)
        talk.rest()
        assert talk.status != 0
    assert host.shadow("ann")[1] == stored
