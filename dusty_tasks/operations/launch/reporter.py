"""What a run of `up` tells while it goes on, and what it leaves behind: for whoever prints it, or does something else with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dusty_tasks.core.plan.change import Change, Plan
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure

if TYPE_CHECKING:
    from dusty_tasks.operations.look import View
    from dusty_tasks.voices import Voice


class Sums(NamedTuple):
    """What a run cost."""

    changes: int
    reads: int
    round_trips: int = 0
    fetches: int = 0
    sudo_calls: int = 0

    def text(self, seconds: float, *, is_idle: bool) -> str:
        """`up to date: 0 changes, 1 Docker read, 0 sudo, 0.14 s`; what is none goes unsaid, but for changes, reads and sudo."""
        parts = [
            counted(self.changes, "change"),
            counted(self.reads, "Docker read"),
            *([counted(self.round_trips, "ssh round trip")] if self.round_trips else []),
            *([counted(self.fetches, "fetch", "fetches")] if self.fetches else []),
            f"{self.sudo_calls} sudo",
            f"{seconds:.2f} s",
        ]
        return ("up to date: " if is_idle else "") + ", ".join(parts)


class Outcome(NamedTuple):
    """How a run ended."""

    code: int
    """0, or the highest code of its failures."""
    failures: tuple[Failure, ...] = ()
    """What was not done. Where `view` is None, the last of them ended the run before it knew what is there."""
    view: View | None = None
    """What should be, and what was found by the last look."""
    plan: Plan = Plan()
    """What was to be done, all of it: by the first look under the lock."""
    done: tuple[Change, ...] = ()
    """What was done, in order."""
    warnings: tuple[str, ...] = ()
    troubles: Mapping[str, str] = MappingProxyType({})
    """Container -> what is wrong with it, of those that did not become ready."""
    urls: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """App -> what it answers to."""
    sums: Sums = Sums(0, 0)
    seconds: float = 0
    is_whole: bool = False
    """False where a failure ended the run before its last phase."""


class Reporter(Protocol):
    """Hears of a run, in its thread and in those of its parallel work. Nothing that it does is waited for but its return."""

    @property
    def voice(self) -> Voice | None:
        """What hears every line, warning and long step in between; None prints them, and asks the questions that a run may have."""

    def begun(self, change: Change) -> None:
        """A change of the plan is being made: its kind, name and cause."""

    def done(self, change: Change) -> None:
        """It was made. Several may be under way at once, and one that fails is not heard of here."""

    def failed(self, failure: Failure) -> None:
        """Something was not done, and the rest goes on."""

    def finished(self, outcome: Outcome) -> None:
        """The end, whatever it is; the last that is heard."""


class Deeds:
    """What a run has done so far, told as it goes."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.done: list[Change] = []
        """In order."""
        self.times: list[float] = []
        """When each was done, by this machine's clock."""

    def begin(self, change: Change) -> None:
        self.reporter.begun(change)

    def end(self, change: Change) -> None:
        self.times.append(time.time())
        self.done.append(change)
        self.reporter.done(change)
