"""The line of source below a message, and the order of messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.text.codes import RETIRED, Code
from dusty_tasks.core.text.excerpt import WIDTH, excerpt
from dusty_tasks.core.text.problems import Place, Problem, in_order


@pytest.mark.parametrize(
    ("line", "column", "wanted"),
    [
        ("a: b", 4, "    7 | a: b\n      |    ^"),
        ("\ta: b", 2, "    7 |  a: b\n      |  ^"),
        ("漢字: b", 5, "    7 | 漢字: b\n      |       ^"),
        ("a: \x1b[2J", 4, "    7 | a: ·[2J\n      |    ^"),
        ("a: b", 99, "    7 | a: b\n      |     ^"),
        ("   ", 1, ""),
    ],
)
def test_the_caret_stands_below_the_place(line: str, column: int, wanted: str) -> None:
    assert excerpt(["other"] * 6 + [line], 7, column) == wanted


def test_a_line_that_is_not_there_is_not_shown() -> None:
    assert excerpt([], 1, 1) == excerpt(["a"], 0, 1) == excerpt(["a"], 2, 1) == ""


@given(st.text(alphabet=st.characters(exclude_characters="\n"), max_size=300), st.integers(1, 320))
def test_what_is_shown_fits_and_cannot_steer_a_terminal(line: str, column: int) -> None:
    shown = excerpt([line], 1, column).splitlines()
    assert len(shown) in (0, 2)
    assert all(text.isprintable() and len(text) <= 2 * WIDTH + 10 for text in shown)


def test_codes_are_given_once_and_never_again() -> None:
    assert len({code.value for code in Code}) == len(Code)
    assert all(len(code) == 4 and code[0] == "D" and code[1:].isdigit() for code in Code)
    assert not RETIRED & {code.value for code in Code}


def test_a_cause_comes_before_what_it_causes() -> None:
    misspelt = Problem(Place("apps/web.yml", 3), "", Code.UNKNOWN_KEY, 'unknown key "imgae"', 'did you mean "image"?')
    missing = Problem(Place("apps/web.yml"), "", Code.NEITHER_GIVEN, "image or build is required")
    unnamed = Problem(Place("apps/web.yml", 2), "", Code.UNKNOWN_NAME, 'no service named "redis"')
    ignored = Problem(Place("services/redis.yaml"), "", Code.YAML_SUFFIX, "not read", is_warning=True)
    assert in_order([missing, misspelt, unnamed, ignored, missing]) == [ignored, unnamed, misspelt, missing]
