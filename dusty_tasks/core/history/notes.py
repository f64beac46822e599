"""What a run of Dusty notes of itself in the journal, as events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dusty_tasks.core.history.events import CHANGE, CREATE, LONGEST, RUN, START, SYNC, TROUBLE, Event
from dusty_tasks.core.history.events import STOP as STOP_EVENT
from dusty_tasks.core.plan.change import CLEAR, REMOVE, STARTING, STOP, Change
from dusty_tasks.core.plan.change import SYNC as SYNC_KIND
from dusty_tasks.core.text.wording import counted

A_MOMENT = 0.00001
"""Puts a note behind the event that it belongs to."""
NOTED = frozenset({*STARTING, CLEAR, REMOVE, STOP, SYNC_KIND})
"""Changes that a timeline of containers tells of; the others are in the sum of the run."""


class Done(NamedTuple):
    """What a run did. All times are those of the engine's clock."""

    verb: str
    by: str
    """`ann@laptop`."""
    began: float
    ended: float
    changes: Sequence[tuple[Change, float]] = ()
    """Each with the time when it was done."""
    troubles: Mapping[str, str] = {}
    """Container -> what is wrong with it, the end of a sentence that begins with its name."""
    failures: Sequence[str] = ()
    """What ended the run, or was left undone."""


def notes_of(done: Done, remembered: Iterable[Event] = ()) -> list[Event]:
    """The events of a run. The start of a container is dated as the engine remembers it: Compose tells of several at once, and later."""
    starts = _starts([event for event in remembered if done.began <= event.at <= done.ended])
    events = []
    for change, at in done.changes:
        if change.kind not in NOTED:
            continue
        if change.kind in STARTING and change.name in starts:
            at = starts[change.name] + A_MOMENT
        what = SYNC if change.kind == SYNC_KIND else CHANGE
        text = f"{change.kind.done}: {change.cause}"[:LONGEST]
        events.append(Event(round(at, 6), what, change.name, text=text, place=change.place, by=done.by))
    for name, trouble in done.troubles.items():
        events.append(Event(round(done.ended, 6), TROUBLE, name, text=trouble[:LONGEST], by=done.by))
    failed = f"; {_first_line(done.failures[-1])}" if done.failures else ""
    text = f"{done.verb}: {counted(len(done.changes), 'change')}{failed}"
    return [*events, Event(round(done.ended + A_MOMENT, 6), RUN, text=text[:LONGEST], by=done.by)]


def _starts(events: Iterable[Event]) -> dict[str, float]:
    """By name: the first start after the container was made or stopped last. What follows are starts by its restart policy."""
    found: dict[str, float] = {}
    for event in events:
        if event.what in (CREATE, STOP_EVENT):
            found.pop(event.name, None)
        elif event.what == START:
            found.setdefault(event.name, event.at)
    return found


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
