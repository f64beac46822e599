"""The lines of a container's log: both streams in the order in which they were logged, however the engine cuts them; and `--since`."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dusty_tasks.core.of_verbs.log_lines import Line, lines_of
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.logs import moment_of, path_of

LINES = st.lists(
    st.tuples(st.booleans(), st.binary(max_size=30).map(lambda text: text.replace(b"\n", b" "))), max_size=30
)
NOW = 1_767_225_600 * 10**9
"""2026-01-01T00:00:00Z in nanoseconds."""


def stamped(number: int, text: bytes) -> bytes:
    return b"2026-01-01T00:00:00.%09dZ %s" % (number, text)


def framed(is_error: bool, text: bytes) -> bytes:
    return bytes([1 + is_error, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(ends)]


@given(LINES, st.lists(st.integers(0, 10_000), max_size=20))
@settings(max_examples=200)
def test_two_streams_come_in_the_order_in_which_they_were_logged(
    lines: list[tuple[bool, bytes]], places: list[int]
) -> None:
    data = b"".join(framed(is_error, stamped(number, text) + b"\n") for number, (is_error, text) in enumerate(lines))
    read = list(lines_of(cut(data, places)))
    assert [(line.is_error, line.text) for line in read] == lines
    assert [line.time for line in read] == [stamped(number, b"")[:-1] for number in range(len(lines))]


@given(
    st.lists(st.binary(max_size=30).map(lambda text: text.replace(b"\n", b" ")), max_size=20),
    st.lists(st.integers(0, 10_000), max_size=20),
)
def test_log_of_a_terminal_has_no_headers(texts: list[bytes], places: list[int]) -> None:
    data = b"".join(stamped(number, text) + b"\r\n" for number, text in enumerate(texts))
    assert [(line.is_error, line.text) for line in lines_of(cut(data, places))] == [
        (False, text + b"\r") for text in texts
    ]


def test_long_line_in_parts_is_one_and_a_last_line_without_an_end_is_one() -> None:
    long = b"x" * 16384
    data = (
        framed(False, stamped(1, long))
        + framed(True, stamped(2, b"err"))
        + framed(False, stamped(3, b"end\n") + stamped(4, b"last"))
    )
    assert sorted(lines_of([data]), key=lambda line: line.time) == [
        Line(stamped(1, b"")[:-1], long + b"end"),
        Line(stamped(2, b"")[:-1], b"err", True),
        Line(stamped(4, b"")[:-1], b"last"),
    ]


@pytest.mark.parametrize(
    ("since", "moment"),
    [
        ("10m", "1767225000.000000000"),
        ("48h", "1767052800.000000000"),
        ("1h30m", "1767220200.000000000"),
        ("1.5s", "1767225598.500000000"),
        ("250ms", "1767225599.750000000"),
        ("2026-01-01T00:00:03.000000001Z", "1767225603.000000001"),
        ("2026-01-01T01:00:00.5+01:00", "1767225600.500000000"),
        ("2025-12-31Z", "1767139200.000000000"),
        ("1767225603.000000001", "1767225603.000000001"),
        ("1767225603", "1767225603"),
    ],
)
def test_since_as_the_engine_takes_it(since: str, moment: str) -> None:
    assert moment_of(since, NOW) == moment
    assert (
        path_of(["--tail", "5", "--since", "1767225603.5", "id"])
        == "/containers/id/logs?stdout=1&stderr=1&timestamps=1&tail=5&since=1767225603.5"
    )


def test_time_without_a_zone_is_that_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        assert moment_of("2026-01-01T02:00", NOW) == "1767225600.000000000"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_day_that_there_is_not_is_the_users_to_mend() -> None:
    with pytest.raises(Failure) as raised:
        moment_of("2026-02-30", NOW)
    assert raised.value.code == 1
