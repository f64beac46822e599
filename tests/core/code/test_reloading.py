"""What changed files call for: the first rule about a path, the strongest of all paths and all users, nothing for editors' files."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.code.reloading import (
    Owed,
    action_at,
    can_match,
    is_about,
    is_editors_file,
    leaves,
    owed_for,
    owed_from_json,
)
from dusty_tasks.core.specs.reload import STRENGTH, Action, ReloadRule, rules_of

names = st.sampled_from(["a", "b", "ab", "static", "x.py", "requirements.txt", ".hidden"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
patterns = st.lists(st.sampled_from(["a", "*", "**", "?", "*.py", "[ab]", "st*", "x.py"]), min_size=1, max_size=3).map(
    "/".join
)
actions = st.sampled_from(
    ["none", "restart", "recreate", {"signal": "HUP"}, {"signal": "USR1"}, {"run": ["a"]}, {"run": ["b", "c"]}]
)
rules = st.lists(
    st.one_of(
        st.builds(lambda do: {"do": do}, actions),
        st.builds(lambda found, do: {"paths": found, "do": do}, st.lists(patterns, min_size=1, max_size=2), actions),
    ),
    max_size=4,
).map(rules_of)


def matches_by_segments(pattern: list[str], path: list[str]) -> bool:
    """The reference: one part of the path after the other."""
    if not pattern:
        return True  # the pattern matched a folder on the way, or the path itself
    if not path:
        return pattern == ["**"] and False
    if pattern[0] == "**":
        if len(pattern) == 1:
            return True
        return matches_by_segments(pattern[1:], path) or matches_by_segments(pattern, path[1:])
    part = "".join(
        "[^/]*" if c == "*" else "[^/]" if c == "?" else c if c in "[]" else re.escape(c) for c in pattern[0]
    )
    return re.fullmatch(part, path[0]) is not None and matches_by_segments(pattern[1:], path[1:])


@given(patterns, paths)
def test_a_glob_is_about_what_a_walk_over_its_parts_finds(pattern: str, path: str) -> None:
    parts = pattern.split("/")
    wanted = matches_by_segments(parts[:-1] if len(parts) > 1 and parts[-1] == "**" else parts, path.split("/"))
    assert is_about(pattern, path.encode()) == wanted


@pytest.mark.parametrize(
    ("pattern", "path", "is_meant"),
    [
        ("requirements*.txt", "requirements-dev.txt", True),
        ("requirements*.txt", "docs/requirements.txt", False),
        ("**/*.css", "a/b/c.css", True),
        ("**/*.css", "c.css", True),
        ("static/**", "static/img/a.png", True),
        ("static", "static/img/a.png", True),
        ("static/", "static/a", True),
        ("static/*", "static/img/a.png", True),
        ("/static", "static/a", True),
        ("static", "other/static/a", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("**", "any/thing", True),
    ],
)
def test_globs(pattern: str, path: str, is_meant: bool) -> None:
    assert is_about(pattern, path.encode()) is is_meant


@pytest.mark.parametrize(
    ("pattern", "can"),
    [("[oops", False), ("../other", False), ("a/../b", False), ("./a", True), ("**", True), ("a*", True)],
)
def test_globs_that_match_nothing(pattern: str, can: bool) -> None:
    assert can_match(pattern) is can


@given(st.frozensets(paths.map(str.encode), max_size=6), st.lists(rules, min_size=1, max_size=3))
def test_the_strongest_action_of_all_paths_and_users_is_owed(changed: frozenset[bytes], users: list) -> None:
    found = [action_at(path, tuple(each)) for each in users for path in changed if not is_editors_file(path)]
    owed = owed_for(changed, users)
    assert owed.kind == max((action.kind for action in found), key=STRENGTH.index, default="none")
    if owed.kind in ("signal", "run"):
        assert set(owed.commands) == {action.lines for action in found if action.lines}
        assert set(owed.signals) == {action.signal for action in found if action.signal}
    else:
        assert not owed.commands and not owed.signals
    assert owed_from_json(owed.to_json()) == owed


def test_without_rules_or_knowledge_it_is_a_restart() -> None:
    assert owed_for({b"a.py"}, None).kind == "restart"
    assert owed_for(None, [rules_of("none")]).kind == "restart"
    assert owed_for({b"a.py"}, [rules_of([{"paths": ["static"], "do": "none"}])]).kind == "restart"
    assert owed_for(set(), None).kind == "none"


def test_the_app_and_a_lib_of_one_repo_both_count() -> None:
    assert owed_for({b"a"}, [rules_of("none"), ()]).kind == "restart"


@pytest.mark.parametrize(
    "path",
    [
        b".a.py.swp",
        b"x/.a.py.swx",
        b"4913",
        b"a.py~",
        b"x/#a.py#",
        b".#a.py",
        b"a.py___jb_tmp___",
        b".a.py.un~",
        b".DS_Store",
    ],
)
def test_what_an_editor_leaves_calls_for_nothing(path: bytes) -> None:
    assert owed_for({path}, None).kind == "none"


@pytest.mark.parametrize("path", [b"a.py", b"swp", b".env", b"a.swp.py", b"x~/a.py"])
def test_other_files_are_no_editors_files(path: bytes) -> None:
    assert not is_editors_file(path)


def test_of_rules_the_first_about_a_path_decides() -> None:
    found = rules_of(
        [{"paths": ["a"], "do": "none"}, {"paths": ["a", "b"], "do": {"signal": "sighup"}}, {"do": "recreate"}]
    )
    assert [action_at(path, found).kind for path in (b"a/x", b"b", b"c")] == ["none", "signal", "recreate"]
    assert action_at(b"b", found) == Action("signal", signal="HUP")


def test_rules_that_all_restart_are_none() -> None:
    assert rules_of("restart") == rules_of(None) == rules_of([{"paths": ["a"], "do": "restart"}]) == ()
    assert rules_of("none") == (ReloadRule((), Action("none")),)


def test_folders_that_come_with_their_files_say_nothing_more() -> None:
    assert leaves({b"a", b"a/b", b"a/b/c", b"d"}) == (b"a/b/c", b"d")


def test_owed_of_a_damaged_file() -> None:
    assert owed_from_json(None) is owed_from_json([1]) is owed_from_json(["what", [], []]) is None
    assert owed_from_json(["none", [], []]) == Owed()
