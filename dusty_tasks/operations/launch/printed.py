"""A run of `up` as a person at a terminal reads it: each change as it begins, and the receipt at the end."""

from __future__ import annotations

from dusty_tasks.console import say, warn
from dusty_tasks.core.plan.change import Change
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.launch.receipt import print_receipt
from dusty_tasks.operations.launch.reporter import Outcome


class Printed:
    """A Reporter that prints."""

    voice = None

    def begun(self, change: Change) -> None:
        say(str(change))

    def done(self, change: Change) -> None:
        """Said in the receipt."""

    def failed(self, failure: Failure) -> None:
        """Said in the receipt."""

    def finished(self, outcome: Outcome) -> None:
        if outcome.is_whole:
            print_receipt(outcome)
            return
        for failure in outcome.failures:
            warn(str(failure))
