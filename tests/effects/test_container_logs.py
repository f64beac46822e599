"""The lines of a container's two streams, in the order in which they were printed."""
from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dusty_tasks.core.of_verbs.log_lines import Line
from dusty_tasks.effects.engine.logs import CHUNK, as_written

LINES = st.lists(st.tuples(st.booleans(), st.binary(max_size=30).map(lambda text: text.replace(b"\n", b" "))), max_size=30)


def stamped(number: int, text: bytes) -> bytes:
    return b"2026-01-01T00:00:00.%09dZ %s" % (number, text)


def merged(write: Callable[[int, int], None]) -> list[Line]:
    """What as_written makes of what `write` writes, in a thread of its own, to (stdout, stderr)."""
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()

    def work() -> None:
        write(to_out, to_err)
        os.close(to_out)
        os.close(to_err)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        return list(as_written(out, err))
    finally:
        os.close(out)
        os.close(err)
        thread.join()


@given(LINES)
@settings(max_examples=200)
def test_two_streams_come_in_the_order_in_which_they_were_written(lines: list[tuple[bool, bytes]]) -> None:
    def write(out: int, err: int) -> None:
        for number, (is_error, text) in enumerate(lines):
            os.write(err if is_error else out, stamped(number, text) + b"\n")
    assert [(line.is_error, line.text) for line in merged(write)] == lines


@pytest.mark.parametrize("first_is_error", [False, True])
def test_neither_waits_for_the_other_however_much_one_says(first_is_error: bool) -> None:
    """One program writes both: it would wait for a reader who waits for the other stream."""
    lines = [(first_is_error, b"x" * 100)] * (5 * CHUNK // 100) + [(not first_is_error, b"y" * 3 * CHUNK), (first_is_error, b"z")]

    def write(out: int, err: int) -> None:
        for number, (is_error, text) in enumerate(lines):
            data = stamped(number, text) + b"\n"
            while data:
                data = data[os.write(err if is_error else out, data):]
    assert [(line.is_error, line.text) for line in merged(write)] == lines


def test_a_last_line_without_an_end_is_a_line() -> None:
    def write(out: int, err: int) -> None:
        os.write(out, stamped(1, b"one"))
        os.write(err, b"no time\n")
    assert sorted(line.text for line in merged(write)) == [b"no time", b"one"]
