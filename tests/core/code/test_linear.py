"""The automaton of patterns, held against `re`; and that no pattern makes it slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.code import linear
from dusty_tasks.core.code.excludes import Matcher, rules_of
from dusty_tasks.core.code.gitignore import patterns_of
from dusty_tasks.core.code.linear import BEGIN, LEAP, MANY, MAYBE, ONE, SHORT, SLASH, Automaton, Item, but, one_of

symbols = st.sampled_from([one_of(ord("a")), one_of(ord("b")), SLASH, but(), but(ord("/")), but(ord("a")), one_of()])
single = st.builds(lambda kind, of: [Item(kind, of)], st.sampled_from([ONE, ONE, MANY, MAYBE]), symbols)
group = st.just([Item(LEAP, leap=2), Item(MANY, but()), Item(ONE, SLASH)])
items = st.lists(st.one_of(single, single, group, st.just([Item(BEGIN)])), max_size=8).map(
    lambda parts: [item for part in parts for item in part]
)


@given(items, st.text("ab/", max_size=12))
def test_the_automaton_matches_what_re_matches(pattern: list[Item], text: str) -> None:
    expression = re.compile(linear._expression(linear._merged(pattern), True))
    automaton = Automaton(pattern, is_text=True)
    automaton.expression = None
    assert automaton.matches(text) == bool(expression.fullmatch(text))
    in_bytes = Automaton(pattern)
    in_bytes.expression = None
    assert in_bytes.matches(text.encode()) == automaton.matches(text)


@pytest.mark.parametrize(
    ("pattern", "is_simple"),
    [
        ("*.py", True),
        ("*.so.*", True),
        ("/a/*/b", True),
        ("**/a", True),
        ("foo/**/bar", True),
        ("build/", True),
        ("*a*a*a*b", False),
        ("**a**b**c", False),
        ("**/*a*b*c", False),
    ],
)
def test_only_patterns_with_few_ways_are_left_to_re(pattern: str, is_simple: bool) -> None:
    """A stack overflow of ways is not to be had by a longer path either: beyond SHORT, `re` is not asked."""
    assert Matcher(rules_of(pattern.encode())).is_hard != is_simple
    automaton = next(
        automaton for _rule, *both in Matcher(rules_of(pattern.encode()))._compiled for automaton in both if automaton
    )
    calls = []
    if automaton.expression is not None:

        class Counted:
            fullmatch = staticmethod(lambda text: calls.append(len(text)))

        automaton.expression = Counted()  # type: ignore[assignment]
    automaton.matches(b"/" + b"a" * (SHORT - 1))
    automaton.matches(b"/" + b"a" * SHORT)
    assert calls == ([SHORT] if is_simple else [])


HOSTILE = [
    b"*a" * 30 + b"*b",
    b"**a" * 30 + b"b",
    b"*" * 3000 + b"b",
    b"a/**/" * 60 + b"b",
    b"[a-z]*" * 500 + b"/b",
    b"?*" * 900 + b"b",
    b"[[:" * 1300,
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_no_pattern_takes_more_steps_than_the_path_has_bytes(pattern: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Structure instead of a clock: a step for each byte, and each step looks at all positions at once."""
    steps = []
    closed = Automaton._closed
    monkeypatch.setattr(Automaton, "_closed", lambda self, *words: steps.append(1) or closed(self, *words))
    for path in (b"/" + b"a" * 255, b"/a" * 2040):
        matcher = Matcher(rules_of(pattern))
        for automaton in [automaton for _rule, *both in matcher._compiled for automaton in both if automaton]:
            steps.clear()
            assert not automaton.matches(path) or pattern.endswith((b"[a-z]*", b"*"))
            assert len(steps) <= len(path) + 1
        for found in patterns_of(pattern, "x"):
            steps.clear()
            found.automaton.matches(path)
            assert len(steps) <= len(path) + 1


def test_a_pattern_that_no_path_is_as_long_as_is_left_out_as_rsync_does() -> None:
    assert [rule.origin for rule in rules_of(b"a" * 4096 + b"\n" + b"b" * 4095)] == [".dustyignore:2", "built in"]


@given(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"x")))
def test_trailing_blanks_of_gitignore_lines_go_but_for_a_kept_one(line: bytes) -> None:
    from dusty_tasks.core.code.gitignore import _without_trailing_blanks

    kept = _without_trailing_blanks(line)
    assert line.startswith(kept) and line[len(kept) :].strip(b" ") == b""
    assert not kept.endswith(b" ") or re.search(rb"(?<!\\)(\\\\)*\\ \Z", kept)
