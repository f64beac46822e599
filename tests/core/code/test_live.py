"""When a burst has ended, whether the machine slept, and the line of a change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.code.changed_paths import MOST, changed_paths, difference_text, sent_alone
from dusty_tasks.core.code.live import (
    LONGEST_BURST,
    LONGEST_QUIET,
    SHORTEST_QUIET,
    Told,
    change_line,
    has_slept,
    quiet_before_acting,
    seconds_to_quiet,
)


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_a_longer_burst_is_waited_for_longer_within_bounds(one: float, other: float) -> None:
    short, long = sorted((one, other))
    assert SHORTEST_QUIET <= quiet_before_acting(short) <= quiet_before_acting(long) <= LONGEST_QUIET


def test_a_burst_without_an_end_is_acted_on() -> None:
    assert seconds_to_quiet(0.0, 100.0, 100.0) < 0
    assert seconds_to_quiet(0.0, LONGEST_BURST - 1, LONGEST_BURST - 1) == pytest.approx(1.0)
    assert seconds_to_quiet(5.0, 5.0, 5.0) == pytest.approx(SHORTEST_QUIET)


def test_a_sleep_and_a_clock_that_was_set_are_noticed_and_load_is_not() -> None:
    assert has_slept(1.0, 600.0) and has_slept(1.0, -600.0)
    assert not has_slept(30.0, 30.2)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            change_line(["web"], 3, "", 0.038, [Told(("web",), "restarted", 0.41)]),
            "web: 3 files, visible 38 ms, restarted, served 410 ms",
        ),
        (change_line(["web"], 1, "", 0.038, [Told(("web",), "")]), "web: 1 file, visible 38 ms"),
        (
            change_line(["web", "api"], 1, "common", 0.04, [Told(("web",), "restarted", 2.5), Told(("api",), "")]),
            "web and api: 1 file of common, visible 40 ms, web restarted, served 2.50 s",
        ),
        (change_line([], 1, "common", 0.04, []), "common: 1 file, visible 40 ms"),
        (
            change_line(["web"], 1, "", 0.04, [Told(("web",), "restarted", trouble="exited with status 1")]),
            "web: 1 file, visible 40 ms, restarted, exited with status 1",
        ),
    ],
)
def test_a_change_is_one_line(line: str, words: str) -> None:
    assert line == words


def test_what_differs_between_two_looks() -> None:
    before = {b"/": [(b"a", 1), (b"d", 2)], b"/d/": [(b"x", 1)]}
    now = {b"/": [(b"a", 2), (b"b", 1)]}
    assert changed_paths(before, now) == {b"a", b"b", b"d", b"d/x"}
    assert difference_text({b"d/x"}, before, now) == "d/x is gone"
    assert difference_text({b"a", b"b"}, before, now) == "a changed and 1 more"
    assert difference_text(set(), before, now) == ""


def test_few_paths_are_sent_alone_and_files_that_decide_over_others_are_not() -> None:
    assert sent_alone({b"a", b"d/b"}) == {b"a", b"d/b"}
    for paths in (
        {b"d/.gitignore"},
        {b".dustyignore", b"a"},
        set(),
        {b"%d" % number for number in range(MOST + 1)},
        {b"x" * 70_000},
    ):
        assert sent_alone(paths) is None
