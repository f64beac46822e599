"""Stacks in the style of real ones, with odd but legal uses: each is proved, and its report is as wanted."""

from __future__ import annotations

import pytest
from of_stacks import STACKS, Outcomes, files_of, imported

NAMES = sorted(path.name for path in STACKS.iterdir())


def report(made: Outcomes) -> str:
    """What an import tells of bent and lost keys, a line each, and how many it kept."""
    kept = [row for row in made.rows if row.outcome.value in ("same", "own way")]
    lines = [
        f"{row.place.line}: {row.name}: {row.outcome.value}: {row.why}" + (f" [{row.hint}]" if row.hint else "")
        for row in made.rows
        if row not in kept
    ]
    return "\n".join([*lines, f"kept: {len(kept)} of {len(made.rows)}", ""])


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_is_proved_and_its_losses_are_told(name: str, bless: bool) -> None:
    made = imported(files_of(name))
    assert made.unproven == []
    wanted = STACKS / name / "report.txt"
    if bless:
        wanted.write_text(report(made))
    assert report(made) == wanted.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_each_loss_says_what_to_write_and_each_row_where_it_stands(name: str) -> None:
    for row in imported(files_of(name)).rows:
        assert row.place.line > 0, row
        if row.outcome.value == "lost":
            assert row.why and row.hint, row
