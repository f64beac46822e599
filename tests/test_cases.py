"""Golden cases: one folder a behaviour, tests/cases/<name>/, in it all there is to know.

    specs/            a specs repo
    config.yml        settings, optional; without it all bundles are active
    ports.json        the ports that routes had before, optional
    problems.txt      what is said about it: errors, or warnings
    build/            what it compiles to, unless there is an error. stack.json and origins.json are compared only in the
                      cases that hold them
    powers.txt        what needs consent (core/powers), compared only in the cases that hold it

`--bless` rewrites problems.txt and build/ with what came out.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.core.artifacts.rendering import compile_all
from dusty_tasks.core.artifacts.table import Whole
from dusty_tasks.core.check.assembled import assemble_with_ports
from dusty_tasks.core.powers.rules import power_warnings, powers_of
from dusty_tasks.core.stack.json_form import ports_from_json
from dusty_tasks.core.text.key_path import CONFIG_FILE
from dusty_tasks.core.text.problems import Problem, errors, report
from dusty_tasks.effects.doors.source_lines import split_lines
from dusty_tasks.effects.home.settings import settings_from
from dusty_tasks.effects.specs.schemas import read_templates

CASES = Path(__file__).parent / "cases"
HOME, SPECS_ROOT = "/dusty-home", "/specs"
NAMES = sorted(
    path.name for path in CASES.iterdir() if (path / "specs").is_dir() and not path.name.startswith("problems_")
)
"""Those of problems_* are run by core/test_problem_cases."""
POWERS = "../powers.txt"
ON_DEMAND = ("stack.json", "origins.json", POWERS)


def outcome(case: Path) -> tuple[str, dict[str, str]]:
    """The problems of a case as text, and path -> text of all that compile writes, nothing if there is an error."""
    config = case / "config.yml"
    settings, problems = settings_from(config.read_bytes() if config.exists() else b"", HOME)
    specs, spec_problems = session.read_specs(case / "specs", chosen=settings)
    problems += spec_problems
    if errors(problems):
        return said(problems, case), {}
    memory = case / "ports.json"
    ports = ports_from_json(json.loads(memory.read_text())) if memory.exists() else {}
    made = assemble_with_ports(specs, settings.bundles if config.exists() else tuple(specs.bundles), settings, ports)
    problems += made.problems
    if errors(problems):
        return said(problems, case), {}
    artifacts = {
        path: data.decode()
        for path, data in compile_all(
            specs, made.ports, Whole(made.stack, settings, SPECS_ROOT), read_templates()
        ).items()
    }
    powers = power_warnings(powers_of(made.stack, settings, SPECS_ROOT), specs.places)
    return said(problems, case), {**artifacts, POWERS: said(powers, case)}


def said(problems: list[Problem], case: Path) -> str:
    return report(problems, lambda file: lines_in(case, file)) + "\n" if problems else ""


def lines_in(case: Path, file: str) -> list[str]:
    """The lines of a file of a case, as messages show them."""
    path = case / file if file == CONFIG_FILE else case / "specs" / file
    return split_lines(path.read_bytes()) if path.is_file() else []


def wanted(case: Path) -> tuple[str, dict[str, str]]:
    """What the case folder says should come out."""
    build = case / "build"
    files = {str(path.relative_to(build)): path.read_text() for path in sorted(build.rglob("*")) if path.is_file()}
    powers = case / "powers.txt"
    files |= {POWERS: powers.read_text()} if powers.exists() else {}
    problems = case / "problems.txt"
    return problems.read_text() if problems.exists() else "", files


def keep(case: Path, problems: str, artifacts: dict[str, str]) -> None:
    """Make the case folder say what came out."""
    (case / "problems.txt").unlink(missing_ok=True)
    shutil.rmtree(case / "build", ignore_errors=True)
    texts = {f"build/{path}": text for path, text in artifacts.items()} | (
        {"problems.txt": problems} if problems else {}
    )
    for path, text in texts.items():
        (case / path).parent.mkdir(parents=True, exist_ok=True)
        (case / path).write_text(text)


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str, bless: bool) -> None:
    case = CASES / name
    wanted_problems, wanted_files = wanted(case)
    problems, artifacts = outcome(case)
    artifacts = {path: text for path, text in artifacts.items() if path not in ON_DEMAND or path in wanted_files}
    if bless:
        keep(case, problems, artifacts)
        return
    assert problems == wanted_problems
    assert sorted(artifacts) == sorted(wanted_files)
    for path, text in artifacts.items():
        assert text == wanted_files[path], path


def test_there_are_cases_enough_to_mean_something() -> None:
    assert len(NAMES) >= 60
