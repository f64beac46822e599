"""What a verb with `--json` says while it works goes to stderr, so that stdout holds one JSON document and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dusty_tasks.console import say_aside, warn
from dusty_tasks.core.plan.change import Change
from dusty_tasks.core.text.looks import plain
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.launch.reporter import Outcome
from dusty_tasks.voices import speaking_to


class Aside:
    """A Voice, and the Reporter of an `up`. Nobody is asked anything; `warnings` are kept for the document."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @property
    def voice(self) -> Aside:
        return self

    def say(self, text: str) -> None:
        say_aside(text)

    def warn(self, text: str) -> None:
        self.warnings.append(plain(text))
        warn(text)

    @contextmanager
    def progress(self, title: str, total: int | None) -> Iterator[Callable[[str], None]]:
        yield lambda text: say_aside(f"{title}: {text}") if text else None

    def begun(self, change: Change) -> None:
        """Said when it is done."""

    def done(self, change: Change) -> None:
        say_aside(str(change))

    def failed(self, failure: Failure) -> None:
        """Said by the verb, at the end."""

    def finished(self, outcome: Outcome) -> None:
        """The document says it."""


@contextmanager
def aside() -> Iterator[Aside]:
    """Say what is said in the block on stderr; what it gives has the warnings."""
    heard = Aside()
    with speaking_to(heard):
        yield heard
