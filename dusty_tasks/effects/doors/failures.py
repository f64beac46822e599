"""What effects raise. Verbs and steps turn them into one line and an exit code (docs/verbs.md)."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.text.safe import plain_lines

if TYPE_CHECKING:
    from dusty_tasks.core.text.problems import Problem


class Failure(Exception):
    """An expected end: `what` for a person, one `hint`, and the exit code (1 the user can mend it, 2 a tool failed).

    `problems` are those that `what` reports, each with its place.
    """

    code = 1
    is_absence = False
    """The Docker host or its engine did not answer: nothing is known of what is there."""

    def __init__(self, what: str, hint: str = "", code: int | None = None, problems: Sequence[Problem] = ()) -> None:
        super().__init__(what)
        self.what, self.hint, self.problems = what, hint, problems
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.what}\n    hint: {self.hint}" if self.hint else self.what

    def without_source(self) -> str:
        """The same without lines of the user's files, which may hold secrets."""
        return "\n".join(map(str, self.problems)) if self.problems else str(self)

    def to_json(self) -> dict[str, Any]:
        """For machines, in the form of `validate --json`; what has no place has an empty file, line and column 0."""
        placeless = {
            "file": "",
            "line": 0,
            "column": 0,
            "path": "",
            "code": "",
            "what": self.what,
            "hint": self.hint,
            "warning": False,
        }
        return {"ok": False, "problems": [problem.to_json() for problem in self.problems] or [placeless]}


def refuse_errors(problems: Sequence[Problem], lines_of: Callable[[str], Sequence[str]] | None = None) -> None:
    """Raise Failure with the whole report, warnings too, if there is an error among the problems.

    `lines_of` gives the lines of a file that is not written yet.
    """
    from dusty_tasks.core.text.problems import errors
    from dusty_tasks.effects.doors.source_lines import told

    if errors(problems):
        raise Failure(told(problems, lines_of), problems=problems)


class ToolFailed(Failure):
    """A program ended badly: the command, its code, and the last lines it printed."""

    code = 2

    def __init__(self, argv: Sequence[str], code: int, printed: str, hint: str = "", done: Sequence[str] = ()) -> None:
        self.argv, self.exit_code, self.printed = list(argv), code, printed
        self.done = tuple(done)
        """What it had done by then, where whoever raises this knows."""
        last = [line for line in plain_lines(printed).strip().splitlines() if line.strip()][-8:]
        lines = "".join(f"\n    {line}" for line in last)
        super().__init__(f"`{shlex.join(argv)}` exited with status {code}{':' if last else ''}{lines}", hint)
