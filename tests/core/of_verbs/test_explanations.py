"""Each code is explained, its examples do what they say, and docs/errors.md holds all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.cli import error_pages
from dusty_tasks.core.check.assembled import assemble_with_ports, nothing_active
from dusty_tasks.core.of_verbs.error_pages import as_page, as_text, explanations
from dusty_tasks.core.of_verbs.explanation import files_of
from dusty_tasks.core.text.codes import RETIRED, Code
from dusty_tasks.core.text.problems import errors
from dusty_tasks.effects.home.settings import settings_from

BASE = {
    "bundles/main.yml": "apps: [web]\n",
    "apps/web.yml": "image: python:3.12-slim\ncommands: {always: [./run.sh]}\n",
}
WITHOUT_EXAMPLE = {
    Code.UNREADABLE_FILE,
    Code.NOT_UTF_8,
    Code.TOO_LARGE,
    Code.TOO_DEEP,
    Code.OUT_OF_RANGE,
    Code.FILE_OF_CONTAINER,
    Code.LINK_OUT,
    Code.NO_BUNDLES,
    Code.TOO_MANY_ROUTES,
    Code.NEEDS_CONSENT,
}
"""What no text of a file can show."""


def codes_of(example: str, folder: Path) -> set[str]:
    """The codes of all problems of an example: specs, settings, and the stack where those are fine."""
    files = {**BASE, **files_of(example)}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    settings, problems = settings_from(files.get("config.yml", "bundles: [main]\n").encode(), "/home/me/.dusty")
    specs, found = session.read_whole_specs(folder)
    problems += found
    if not errors(problems):
        made = assemble_with_ports(specs, settings.bundles, settings, {})
        problems += made.problems
        if not made.stack.bundles:
            assert nothing_active()
            return {*map(str, (problem.code for problem in problems)), str(Code.NOTHING_ACTIVE)}
    return {str(problem.code) for problem in problems}


@pytest.mark.parametrize("code", [code for code in Code if code not in WITHOUT_EXAMPLE], ids=lambda code: code.name)
def test_the_wrong_example_has_the_problem_and_the_right_one_has_none(code: Code, tmp_path: Path) -> None:
    explanation = explanations()[code]
    assert str(code) in codes_of(explanation.wrong, tmp_path / "wrong")
    # Specs cannot give a secret its value.
    expected = {str(Code.UNSET_VARIABLE)} if code is Code.SECRET else set()
    assert codes_of(explanation.right, tmp_path / "right") == expected


def test_every_code_is_explained() -> None:
    found = explanations()
    assert set(found) == set(Code)
    assert not RETIRED & set(map(str, found))
    assert {code for code in Code if not found[code].wrong} == WITHOUT_EXAMPLE
    for code in Code:
        assert max(map(len, as_text(code).splitlines())) <= 126, code


def test_the_page_is_what_the_codes_make(bless: bool) -> None:
    if bless:
        error_pages.main()
    assert error_pages.PATH.read_text(encoding="utf-8") == as_page(), "run: python -m dusty_tasks.cli.error_pages"
