"""Lines of container logs: what `--tail` and `--since` may say, and what a line with the engine's timestamp holds."""
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) "
_FIRST = re.compile(_STAMP)
_PART = 16384
"""The engine logs a longer line in parts of this many bytes, and puts a timestamp before each."""

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:d|h|m|s|ms))+")
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
    return Line(match.group()[:-1], b"".join(_parts(raw[match.end():])), is_error)


def _parts(text: bytes) -> list[bytes]:
    parts = []
    while len(text) > _PART and (match := _FIRST.match(text, _PART)):
        parts.append(text[:_PART])
        text = text[match.end():]
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


def prefixes(names: Sequence[str], with_colour: bool) -> dict[str, bytes]:
    """What stands before each line, by name: as wide as the widest, each in a colour of its own."""
    width = max(map(len, names), default=0)
    shown = {}
    for index, name in enumerate(names):
        padded = f"{name.ljust(width)} | "
        shown[name] = (f"\x1b[{COLOURS[index % len(COLOURS)]}m{padded}\x1b[0m" if with_colour else padded).encode()
    return shown
