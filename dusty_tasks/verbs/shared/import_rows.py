"""What `import` and `init` say of an import: its rows, and what each person has to do before `up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dusty_tasks.core.text.called import DUSTY

if TYPE_CHECKING:
    from dusty_tasks.core.importing.importing import Outcomes
    from dusty_tasks.core.importing.report import Row

OUR_BUG, SOME_LOST = 3, 10
"""Exit codes: the proof fails; something is lost."""


def row_text(row: Row) -> str:
    """What became of one key of one service, for a person."""
    from dusty_tasks.operations.importing import near

    rules = f" ({', '.join(row.rules)})" if row.rules else ""
    why = f": {row.why}" if row.why else ""
    hint = f"\n    hint: {row.hint}" if row.hint else ""
    return f"{near(row.place.file)}:{row.place.line}: {row.name}: {row.outcome.value}{rules}{why}{hint}"


def code_of(made: Outcomes) -> int:
    """The exit code of an import."""
    if made.unproven:
        return OUR_BUG
    return SOME_LOST if any(row.outcome.value == "lost" for row in made.rows) else 0


def unproven_text(made: Outcomes) -> str:
    """What is said where the proof fails."""
    return "\n".join(["the proof failed, so nothing was written; this is a bug in Dusty:", *made.unproven])


def values_to_set(made: Outcomes) -> list[str]:
    """What each person sets: variables without a value, and files."""
    lines = [
        f"{name} needs a value: {DUSTY} vars set {name}" + ("" if variable.is_secret else " VALUE")
        for name, variable in sorted(made.variables.items())
        if variable.default is None
    ]
    return lines + [
        f"{key} is a file that each person sets: {DUSTY} assets set {key} FILE" for key in sorted(made.assets)
    ]
