"""Lines of container logs: what `--tail` and `--since` may say, and what a line with the engine's timestamp holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) "
_FIRST = re.compile(_STAMP)
_PART = 16384
"""The engine logs a longer line in parts of this many bytes, and puts a timestamp before each."""

_HEADER, _STDERR = 8, 2

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:d|h|m|s|ms))+")
_UNITS = {"d": 86400 * 10**9, "h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?|\d{9,}(?:\.\d+)?")
_DAYS = re.compile(r"(\d+(?:\.\d+)?)d")

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
"""SGR numbers for names, told apart on light and dark grounds."""


class Line(NamedTuple):
    """One line: when it was printed (`2026-01-31T12:00:00.123456789Z`, comparable as bytes; b'' if unknown), and its text."""

    time: bytes
    text: bytes
    is_error: bool = False
    """It was printed to stderr."""


def line_of(raw: bytes, is_error: bool = False) -> Line:
    """What `docker logs --timestamps` printed as one line, without its newline."""
    raw = raw.rstrip(b"\n")
    match = _FIRST.match(raw)
    if not match:
        return Line(b"", raw, is_error)
    return Line(match.group()[:-1], b"".join(_parts(raw[match.end() :])), is_error)


def lines_of(chunks: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a log with timestamps, as the engine sends it, in the order in which they were logged.

    Each piece of a container's log has a header of 8 bytes (stream, three zeros, length). That of one with a terminal has none: it begins
    with a timestamp.
    """
    data, begun, is_framed = b"", [b"", b""], None
    for chunk in chunks:
        data += chunk
        if is_framed is None and data:
            is_framed = data[0] <= _STDERR
        if not is_framed:
            *whole, data = data.split(b"\n")
            yield from (line_of(raw) for raw in whole)
            continue
        at = 0
        while len(data) - at >= _HEADER:
            size = int.from_bytes(data[at + 4 : at + _HEADER], "big")
            if len(data) - at - _HEADER < size:
                break
            is_error = data[at] == _STDERR
            *whole, begun[is_error] = (begun[is_error] + data[at + _HEADER : at + _HEADER + size]).split(b"\n")
            yield from (line_of(raw, is_error) for raw in whole)
            at += _HEADER + size
        data = data[at:]
    rest = [(begun[0], False), (begun[1], True)] if is_framed else [(data, False)]
    yield from (line_of(raw, is_error) for raw, is_error in rest if raw)


def durations_of(text: str) -> int | None:
    """Nanoseconds of a duration that checked_since let pass (`1h30m`), None for a time."""
    if not _DURATION.fullmatch(text):
        return None
    return sum(int(float(number) * _UNITS[unit]) for number, unit in re.findall(r"(\d+(?:\.\d+)?)(d|h|ms|m|s)", text))


def _parts(text: bytes) -> list[bytes]:
    parts = []
    while len(text) > _PART and (match := _FIRST.match(text, _PART)):
        parts.append(text[:_PART])
        text = text[match.end() :]
    return [*parts, text]


def after(time: bytes) -> str:
    """`--since` for what was printed after `time`: one nanosecond later (it includes its own moment)."""
    moment, zone = re.fullmatch(rb"(.{19}\.\d{9})(.+)", time).groups()  # type: ignore[union-attr]
    number = int(moment[20:]) + 1
    # The last nanosecond of a second is followed by itself: a line shown twice is better than one lost.
    return f"{moment[:20].decode()}{min(number, 999_999_999):09d}{zone.decode()}"


def checked_tail(text: str) -> str:
    """`--tail` for the engine. Raises ValueError with a sentence."""
    if text != "all" and not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueError(f'--tail: "{text}" is not a number of lines')
    return text


def checked_since(text: str) -> str:
    """`--since` for the engine, days as hours. Raises ValueError with a sentence."""
    if _DURATION.fullmatch(text):
        return _DAYS.sub(lambda found: f"{float(found.group(1)) * 24:g}h", text)
    if _MOMENT.fullmatch(text):
        return text
    raise ValueError(f'--since: "{text}" is neither a duration (10m, 2h, 1d) nor a time (2026-01-31T12:00)')


def prefixes(names: Sequence[str], with_colour: bool, end: str = " | ") -> dict[str, bytes]:
    """What stands before each line, by name: as wide as the widest, each in a colour of its own."""
    width = max(map(len, names), default=0)
    shown = {}
    for index, name in enumerate(names):
        padded = f"{name.ljust(width)}{end}"
        shown[name] = (f"\x1b[{COLOURS[index % len(COLOURS)]}m{padded}\x1b[0m" if with_colour else padded).encode()
    return shown
