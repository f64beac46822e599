"""Consent to changes of this machine: one question for all that a run will do to it, asked before the first of them.

What containers need (images, networks, ports) is what Dusty is for, and needs none. Without a terminal and without --yes nothing is
asked: what was not done is said at the end of the run, with the command that does it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from dusty_tasks import console
from dusty_tasks.console import say

AGREED = "DUSTY_AGREED"
"""In the environment: of the launcher, whose own question named all of this, and of the same command begun again by `sg docker`."""


class Item(NamedTuple):
    """One change of this machine."""

    key: str
    what: str
    """`install rsync from Debian's packages`."""


HOSTS = Item("hosts", "keep a marked section in /etc/hosts, so that the names of your apps resolve")
STAND_INS = Item(
    "stand-ins", "build stand-in images from Debian's packages, where no image registry answers (nothing is installed)"
)


class Consent:
    """What was agreed to in this run. An answer holds for what it was shown with, and for the whole run."""

    def __init__(self, *, yes: bool = False, ask: bool | None = None) -> None:
        self.is_given = yes or os.environ.pop(AGREED, "") == "1"
        """True with --yes: each question is answered."""
        self.may_ask = console.may_ask() if ask is None else ask
        self.answers: dict[str, bool] = {}
        self.unasked: dict[str, Item] = {}
        """What nobody could be asked about."""

    def to(self, *items: Item) -> bool:
        """True if all of these may be done; asks for those that were not asked for yet, in one question."""
        new = [item for item in items if item.key not in self.answers]
        if new and not self.is_given and not self.may_ask:
            self.unasked.update({item.key: item for item in new})
            return False
        if new:
            agreed = self.is_given or self._ask(new)
            self.answers.update({item.key: agreed for item in new})
        return all(self.answers[item.key] for item in items)

    def has_agreed(self, item: Item) -> bool:
        """True if that is agreed to by now; nobody is asked."""
        return self.is_given or self.answers.get(item.key, False)

    def refused(self, item: Item) -> bool:
        """True if a person said no to it in this run."""
        return self.answers.get(item.key) is False

    def hand_on(self) -> None:
        """Let the same command, begun again in this process, know that everything was agreed to."""
        if self.is_given or (self.answers and all(self.answers.values())):
            os.environ[AGREED] = "1"

    @staticmethod
    def _ask(items: Sequence[Item]) -> bool:
        say(listing("This will be done to this machine:", items))
        return console.confirm("Do all of this?" if len(items) > 1 else "Do this?")


def listing(title: str, items: Sequence[Item]) -> str:
    """The items below a title, for a terminal of 80 columns."""
    from textwrap import fill

    return "\n".join(
        [
            title,
            *(
                fill(
                    item.what,
                    79,
                    initial_indent="  - ",
                    subsequent_indent="    ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                for item in items
            ),
        ]
    )
