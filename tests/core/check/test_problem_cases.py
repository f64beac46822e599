"""Golden folders: specs with something wrong in, `problems.txt` out. One folder a behaviour; `--bless` rewrites them."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_cases import lines_in

from dusty_tasks.core.check.specs import check_specs
from dusty_tasks.core.check.stack import check_stack
from dusty_tasks.core.stack.assemble import assemble
from dusty_tasks.core.text.problems import errors, report
from dusty_tasks.effects.home.settings import settings_from
from dusty_tasks.effects.specs.read import read_documents

CASES = sorted((Path(__file__).parent.parent.parent / "cases").glob("problems_*"))


def problems_of(case: Path) -> str:
    """The report over the specs of a case, its settings, and its active stack if all of that is fine."""
    specs, problems = check_specs(*read_documents(case / "specs"))
    config = case / "config.yml"
    if config.exists():
        settings, more = settings_from(config.read_bytes(), "/dusty-home")
        problems += more
        if not errors(problems):
            stack, warnings = assemble(specs, settings.bundles)
            problems += [*warnings, *check_stack(specs, stack)]
    return report(problems, lambda file: lines_in(case, file)) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.removeprefix("problems_"))
def test_problems(case: Path, bless: bool) -> None:
    found = problems_of(case)
    if bless:
        (case / "problems.txt").write_text(found, encoding="utf-8")
    assert found == (case / "problems.txt").read_text(encoding="utf-8")


def test_every_row_has_a_case() -> None:
    assert len(CASES) >= 30
