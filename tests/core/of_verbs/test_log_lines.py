"""Lines of container logs: times taken off, long lines put together again, ranges checked."""

from __future__ import annotations

import pytest

from dusty_tasks.core.of_verbs.log_lines import Line, after, checked_since, checked_tail, line_of, prefixes

TIME = b"2026-01-31T12:00:00.123456789Z"


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (TIME + b" hello\n", Line(TIME, b"hello")),
        (TIME + b" \n", Line(TIME, b"")),
        (TIME + b" \xff\xfe no text\n", Line(TIME, b"\xff\xfe no text")),
        (b"no time at all\n", Line(b"", b"no time at all")),
        (b"2026-01-31T12:00:00.123456789+02:00 there", Line(b"2026-01-31T12:00:00.123456789+02:00", b"there")),
        (TIME + b" " + TIME + b" said twice", Line(TIME, TIME + b" said twice")),
    ],
)
def test_the_engines_time_is_told_from_the_text(raw: bytes, line: Line) -> None:
    assert line_of(raw) == line


def test_a_line_that_the_engine_cut_is_one_again() -> None:
    first, second, third = b"a" * 16384, b"b" * 16384, b"c" * 10
    raw = b"".join(TIME + b" " + part for part in (first, second, third)) + b"\n"
    assert line_of(raw) == Line(TIME, first + second + third)


def test_following_goes_on_one_nanosecond_later() -> None:
    assert after(TIME) == "2026-01-31T12:00:00.123456790Z"
    assert after(b"2026-01-31T12:00:00.999999999Z") == "2026-01-31T12:00:00.999999999Z"


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("10m", "10m"),
        ("1h30m", "1h30m"),
        ("2d", "48h"),
        ("1.5d", "36h"),
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T12:00", "2026-01-31T12:00"),
        ("2026-01-31T12:00:01.5+02:00", "2026-01-31T12:00:01.5+02:00"),
        ("1700000000", "1700000000"),
    ],
)
def test_since_takes_durations_and_times(text: str, since: str) -> None:
    assert checked_since(text) == since


@pytest.mark.parametrize("text", ["", "yesterday", "10", "-10m", "10 m", "2026-13", "--tail"])
def test_since_refuses_the_rest(text: str) -> None:
    with pytest.raises(ValueError, match="neither a duration"):
        checked_since(text)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "ten", "9" * 30, "٣"])
def test_tail_refuses_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="not a number of lines"):
        checked_tail(text)


def test_names_are_padded_to_one_width_each_in_its_colour() -> None:
    assert prefixes(["web", "db"], False) == {"web": b"web | ", "db": b"db  | "}
    coloured = prefixes(["web", "db"], True)
    assert coloured["web"] == b"\x1b[36mweb | \x1b[0m" and coloured["db"].startswith(b"\x1b[33m")
