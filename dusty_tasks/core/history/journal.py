"""The journal's lines: what Dusty and the engine did to a stack, kept on the Docker host because the engine remembers its last 256 events alone.

A line is one event in JSON. Lines come from several writers, of several versions, and one may be torn by kill -9 or a full disk: what is no whole event is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from dusty_tasks.core.history.events import ENGINE_EVENTS, LONGEST, OWN_EVENTS, Event, in_order
from dusty_tasks.core.text.paths import RECORDS

JOURNAL = f"{RECORDS}/journal.jsonl"
FORMER = f"{RECORDS}/journal.former.jsonl"
"""What the journal was until it was full."""
FULL = 256 << 10
"""Bytes after which the journal is put in the place of the former one: about 1,500 events."""
LONGEST_LINE = 2000
"""Bytes of a line, newline and all: below what a single write of any shell takes, so that lines of several writers never mix."""

_KEYS = Event._fields
_EVEN_ZERO = ("at", "status")
_KINDS: dict[str, tuple[type, ...]] = {
    "at": (int, float),
    "status": (int,),
    "signal": (int,),
}


def line_of(event: Event) -> bytes:
    """One event as a line: a newline first, so that a torn line before it costs itself alone."""
    room = LONGEST
    while True:
        shown = {
            key: value for key, value in event._asdict().items() if value not in ("", None, 0) or key in _EVEN_ZERO
        }
        shown = {key: value for key, value in shown.items() if value is not None}
        line = b"\n" + json.dumps(shown, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        if len(line) <= LONGEST_LINE:
            return line
        room //= 2
        event = event._replace(
            name=_cut(event.name, room),
            text=_cut(event.text, room),
            place=_cut(event.place, room),
            by=_cut(event.by, room),
        )


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"


def events_in(data: bytes) -> list[Event]:
    """The events in what was read of the journal, in order of time."""
    found = (_event_in(line) for line in data.split(b"\n") if line)
    return in_order(event for event in found if event)


def _event_in(line: bytes) -> Event | None:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(read, dict) or not all(_fits(key, read[key]) for key in _KEYS if key in read):
        return None
    if "at" not in read or read.get("what") not in (*ENGINE_EVENTS, *OWN_EVENTS):
        return None
    return Event(**{key: read[key] for key in _KEYS if key in read})


def _fits(key: str, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if key == "at" and not (isinstance(value, (int, float)) and 0 <= value < 1e11):
        return False
    return isinstance(value, _KINDS.get(key, (str,)))


def worth_keeping(told: Iterable[Event], kept: Sequence[Event]) -> list[Event]:
    """Of what the engine tells, what the journal does not hold yet.

    Of ends and starts that follow one another for hours (a restart loop) all are kept: the journal is bounded anyway.
    """
    known = {event.key for event in kept}
    return [event for event in told if event.key not in known]
