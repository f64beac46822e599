"""A run of `up` as a person reads it: a line for what is done, moving while it is under way on a terminal; and the receipt at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dusty_tasks.console import foot, say, warn, width
from dusty_tasks.core.plan.change import (
    ASSETS,
    BUILD,
    CERTIFICATES,
    COMMAND_FILES,
    HOSTS,
    PULL,
    RECONNECT,
    RELOAD,
    SPEC_FILES,
    SYNC,
    Change,
    Kind,
)
from dusty_tasks.core.plan.past import of_several
from dusty_tasks.core.text.looks import Tone, painted, width_of, wrapped
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.launch.receipt import print_receipt
from dusty_tasks.operations.launch.reporter import Outcome

if TYPE_CHECKING:
    from dusty_tasks.foot import Foot

ALONE = 10
"""Up to so many changes of one kind and cause have a line each; of more there is one line for all."""
PHASES: tuple[tuple[Kind, ...], ...] = (
    (PULL, BUILD),
    (COMMAND_FILES, SPEC_FILES, ASSETS, CERTIFICATES),
    (SYNC,),
    (RELOAD, RECONNECT),
    (HOSTS,),
)
"""What is under way together; all that stands in none is about containers."""
Group = tuple[Kind, str]
"""A kind and its cause."""


class Printed:
    """A Reporter that prints. What is done is a line on stdout, its cause said once; on a terminal what is being done moves below, with its time."""

    voice = None

    def __init__(self, *, verbose: bool = False) -> None:
        self.verbose = verbose
        self._at_foot = contextlib.ExitStack()
        self._foot: Foot | None = None
        self._phase = -1
        self._begun: dict[Group, list[Change]] = {}
        self._done: dict[Group, list[Change]] = {}
        self._causes: set[Group] = set()
        """Those that were said."""
        self._files: dict[str, list[str]] = {}

    def wrote(self, word: str, paths: Sequence[str]) -> None:
        """Compile wrote, or removed, files below build/: they are counted, or named where every detail is wanted."""
        if self.verbose:
            from dusty_tasks.operations.compile.steps import say_files

            say_files(word, paths)
        else:
            self._files.setdefault(word, []).extend(paths)

    def begun(self, change: Change) -> None:
        self._say_files()
        phase = _phase_of(change.kind)
        if phase != self._phase:
            self._end_phase()
            self._phase = phase
        group = _group_of(change)
        self._begun.setdefault(group, []).append(change)
        if change.kind == HOSTS:
            return  # sudo may ask for a password, below which nothing is to move.
        if self._foot is None:
            self._foot = self._at_foot.enter_context(foot())
        if self._foot:
            self._foot.begin(_key(change), f"{change.kind.doing}{change.subject}")

    def done(self, change: Change) -> None:
        group = _group_of(change)
        seconds = self._foot.end(_key(change)) if self._foot else 0.0
        self._done.setdefault(group, []).append(change)
        if len(self._begun.get(group, ())) <= ALONE:
            line = self._line(change)
            took = painted(f"  {seconds:.1f} s", Tone.QUIET) if self._foot and seconds >= 0.1 else ""
            _say(f"{line}{took}" if width_of(line + took) <= width() else line)
        elif len(self._done[group]) == len(self._begun[group]):
            self._say_together(group)

    def failed(self, failure: Failure) -> None:
        """Said in the receipt; what was under way is not any more."""
        self._end_phase()

    def stop(self) -> None:
        """Nothing moves any more: a question comes, or the run is broken off."""
        self._foot = None
        self._at_foot.close()

    def finished(self, outcome: Outcome) -> None:
        self._say_files()
        self._end_phase()
        self.stop()
        if outcome.is_whole:
            print_receipt(outcome, verbose=self.verbose)
            return
        for failure in outcome.failures:
            warn(str(failure))

    def _line(self, change: Change) -> str:
        group = _group_of(change)
        why = "" if group in self._causes else change.why
        self._causes.add(group)
        return f"{painted(change.kind.done, Tone.GOOD)}{change.subject}{why}"

    def _say_together(self, group: Group) -> None:
        done = self._done.pop(group, [])
        self._begun.pop(group, None)
        said = [change for change in done if change.name]
        if said:
            kind = said[0].kind
            names = ", ".join(change.shown or change.name for change in said)
            what = "" if " " in kind.done else f" {'repos' if kind == SYNC else 'containers'}"
            _say(f"{painted(kind.done, Tone.GOOD)} {len(said)}{what}{of_several(said[0].why)}: {names}")

    def _end_phase(self) -> None:
        """What was begun and not done has failed, or was nothing to do: its line goes."""
        for group, begun in list(self._begun.items()):
            for change in begun:
                if self._foot:
                    self._foot.end(_key(change))
            if len(begun) > ALONE:
                self._say_together(group)
        self._begun.clear()
        self._done.clear()

    def _say_files(self) -> None:
        for word, paths in self._files.items():
            say(f"{painted(word, Tone.GOOD)} {counted(len(paths), 'file')} below build/")
        self._files.clear()


def _say(line: str) -> None:
    columns = width()
    say(wrapped(line, columns, "    ") if columns else line)


def _phase_of(kind: Kind) -> int:
    return next((number for number, kinds in enumerate(PHASES) if kind in kinds), len(PHASES))


def _group_of(change: Change) -> Group:
    return change.kind, change.why


def _key(change: Change) -> tuple[Kind, str]:
    return change.kind, change.name
