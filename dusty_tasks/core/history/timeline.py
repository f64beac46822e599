"""The timeline: what containers printed and what happened to them, in one order of time."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from dusty_tasks.core.history.cause import Blamed, Cause, CauseKind, ended
from dusty_tasks.core.history.ends import Life, why_it_ended
from dusty_tasks.core.history.events import (
    CHANGE,
    DESTROY,
    DIE,
    HEALTH,
    KILL,
    NOTE,
    OOM,
    PAUSE,
    RUN,
    START,
    STOP,
    SYNC,
    TROUBLE,
    UNPAUSE,
    Event,
    signal_name,
)
from dusty_tasks.core.text.looks import Tone

LINE, ENGINE_START = "line", "engine-start"
"""What an item is beside the words of events: a line that a container printed; the engine was started."""
ORDERS = (2, 9, 15)
"""Signals after which an end follows, which tells of them."""
NEAR = 5.0
"""Seconds between the end of a container and the event that tells of it: the engine puts its house in order first."""
SAME = 0.001
MOST_OF_A_LIFE = 50
"""Events of one life that are kept: a health check that flips for days must not fill the memory."""


class Item(NamedTuple):
    """One line of the timeline."""

    at: float
    """By the engine's clock."""
    name: str
    """The container; '' for what concerns all of the stack."""
    what: str
    text: str = ""
    line: bytes = b""
    """What a container printed, as it is."""
    is_error: bool = False
    tone: Tone | None = None
    cause: Cause | None = None


class Known(NamedTuple):
    """What is known of the containers beside events."""

    needs: Mapping[str, tuple[str, ...]] = {}
    serves: Mapping[str, str] = {}
    """Why one should go on running."""
    memory: Mapping[str, tuple[int, str]] = {}
    """The limit and its spec place."""
    ends: Mapping[str, tuple[float, Cause]] = {}
    """Container id, twelve digits -> when its last life ended, and why, as inspection told."""
    engine_started: float = 0.0
    repos: Mapping[str, str] = {}
    """Id -> what people call it."""


class Teller:
    """Makes items of events, which it is told in order of time."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._lives: dict[str, list[Event]] = {}
        """Container id -> the events of its life so far."""
        self._down: dict[str, Blamed] = {}
        """Name -> the end of a container that was not started again since."""

    def tell(self, event: Event) -> Item | None:
        """The item for one event; None for what only explains another one."""
        life = self._lives.setdefault(event.container_id, []) if event.container_id else []
        if event.what == START:
            life.clear()
            self._down.pop(event.name, None)
        if event.container_id and len(life) < MOST_OF_A_LIFE:
            life.append(event)
        if event.what == DIE:
            cause = self._cause(event, life)
            self._down[event.name] = Blamed(event.name, cause)
            life.clear()
            return _end(event, cause)
        if event.what == DESTROY:
            self._lives.pop(event.container_id, None)
        return _plain(event, self.known)

    def _cause(self, event: Event, life: list[Event]) -> Cause:
        at, known = self.known.ends.get(event.container_id, (0.0, None))
        if known and abs(event.at - at) <= NEAR:
            return known
        limit, place = self.known.memory.get(event.name, (0, ""))
        needs = [self._down[name] for name in self.known.needs.get(event.name, ()) if name in self._down]
        return why_it_ended(
            Life(
                ended_at=event.at,
                started_at=life[0].at if life and life[0].what == START else 0.0,
                status=event.status,
                events=life,
                memory_limit=limit,
                memory_place=place,
                serves=self.known.serves.get(event.name, ""),
                engine_started=self.known.engine_started,
                died_before=sorted(needs, key=lambda blamed: -blamed.cause.at),
            )
        )


def _end(event: Event, cause: Cause) -> Item:
    if cause.kind in (CauseKind.STOPPED, CauseKind.STOP_TIME):
        status = "" if event.status is None else f" with status {event.status}"
        return Item(event.at, event.name, DIE, f"exited{status}: {cause.text}", tone=Tone.WARNING, cause=cause)
    cause = cause._replace(status=event.status if cause.status is None else cause.status)
    sure = " (likely)" if cause.confidence == "likely" else ""
    tone = Tone.QUIET if cause.kind == CauseKind.FINISHED else Tone.BAD
    return Item(event.at, event.name, DIE, ended(cause) + sure, tone=tone, cause=cause)


def _plain(event: Event, known: Known) -> Item | None:
    """The item for an event that is no end."""
    by = f", by {event.by}" if event.by else ""
    place = f", {event.place}" if event.place else ""
    text, tone, name = "", None, event.name
    if event.what == START:
        text = "started"
    elif event.what == KILL and event.signal not in ORDERS:
        text = f"got {signal_name(event.signal)}"
    elif event.what == OOM:
        text, tone = "ran out of memory: a process was killed", Tone.BAD
    elif event.what == HEALTH:
        text, tone = f"is {event.text}", Tone.GOOD if event.text == "healthy" else Tone.BAD
    elif event.what in (PAUSE, UNPAUSE, DESTROY):
        text = {PAUSE: "paused", UNPAUSE: "unpaused", DESTROY: "removed"}[event.what]
    elif event.what == CHANGE:
        text, tone = f"{event.text}{place}{by}", Tone.BUSY
    elif event.what == SYNC:
        done, _, rest = event.text.partition(": ")
        text, tone, name = f"{done} {known.repos.get(event.name, event.name)}: {rest}{by}", Tone.BUSY, ""
    elif event.what == TROUBLE:
        text, tone = event.text, Tone.BAD
    elif event.what in (RUN, NOTE):
        verb, _, rest = event.text.partition(": ")
        text = f"{verb} by {event.by}: {rest}" if event.what == RUN and event.by else event.text
        tone = Tone.STRONG
    return Item(event.at, name, event.what, text, tone=tone) if text else None


def told(events: Iterable[Event], known: Known) -> Iterator[Item]:
    """The items of events in order of time. A start that a run of Dusty noted with its cause is said once."""
    teller = Teller(known)
    waiting: Event | None = None
    for event in _stops_first(events):
        if waiting:
            item = teller.tell(waiting)
            is_same = event.what == CHANGE and event.name == waiting.name and event.at - waiting.at < SAME
            if item and not (waiting.what == START and is_same):
                yield item
        waiting = event
    if waiting and (item := teller.tell(waiting)):
        yield item


def _stops_first(events: Iterable[Event]) -> list[Event]:
    """The engine says after the end that it was a stop: here it says so before."""
    found: list[Event] = []
    ends: dict[str, int] = {}
    for event in events:
        if event.what == STOP and event.container_id in ends:
            place = ends.pop(event.container_id)
            found.insert(place, event._replace(at=found[place].at))
            ends = {each: at + (at >= place) for each, at in ends.items()}
            continue
        if event.what == DIE:
            ends[event.container_id] = len(found)
        elif event.what == START:
            ends.pop(event.container_id, None)
        found.append(event)
    return found


def is_of(item: Item, names: Collection[str]) -> bool:
    """True if an item belongs into the timeline of these containers: theirs, and what concerns all of the stack."""
    return not item.name or item.name in names


def merged(lines: Iterable[Item], events: Iterable[Item]) -> Iterator[Item]:
    """Both in one order of time. Nothing is kept but the next one of each."""
    yield from heapq.merge(events, lines, key=lambda item: item.at)


class Reordered:
    """What comes live comes from several sources: each item is kept for a moment, so that what happened before and comes later is shown before."""

    def __init__(self, patience: float, most: int = 5000) -> None:
        self.patience, self.most = patience, most
        self._held: list[tuple[float, int, float, Item]] = []
        self._count = 0

    def add(self, item: Item, now: float) -> None:
        """Take one that came at `now`, on any clock that goes on steadily."""
        self._count += 1
        heapq.heappush(self._held, (item.at, self._count, now, item))

    def due(self, now: float) -> Iterator[Item]:
        """Those that have waited long enough, in order; never more than `most` are kept."""
        while self._held and (self._held[0][2] + self.patience <= now or len(self._held) > self.most):
            yield heapq.heappop(self._held)[3]

    def rest(self) -> Iterator[Item]:
        """All that is left."""
        while self._held:
            yield heapq.heappop(self._held)[3]
