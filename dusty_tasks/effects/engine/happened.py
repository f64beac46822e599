"""What happened to a stack: what the engine remembers and tells as it happens, by its clock, and the journal on the Docker host."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from dusty_tasks.core.history import journal
from dusty_tasks.core.history.events import ENGINE_EVENTS, Event, events_of
from dusty_tasks.core.of_verbs.findings import seconds_of
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.docker_host.engine_streams import Stream, Streams
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.reads import read_time

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


class Clock(NamedTuple):
    """The engine's clock, read once."""

    now: float
    """Seconds since 1970."""
    ahead: float = 0.0
    """How many seconds it is ahead of this machine's."""

    def here(self, at: float) -> float:
        """A moment of the engine's clock by this machine's."""
        return at - self.ahead

    def there(self, at: float) -> float:
        """A moment of this machine's clock by the engine's."""
        return at + self.ahead


def read_clock(engine: Engine) -> Clock:
    """Ask the engine for its time; half of what the question took is the way back. Raises EngineDown."""
    before = time.time()
    there = read_time(engine)
    here = (before + time.time()) / 2
    # Two clocks of one machine are one clock; what differs is the time that the question took.
    return Clock(there, 0.0 if abs(there - here) < 0.1 and not engine.host.is_far else there - here)


def read_remembered(engine: Engine, clock: Clock) -> list[Event]:
    """What the engine remembers of the stack's containers, oldest first: it keeps its last 256 events of any sort until it ends. Raises EngineDown."""
    engine.reads += 1
    answer = engine.request("GET", f"/events?since=0&until={clock.now:.6f}&{_filters(engine)}")
    return events_of(_objects(answer.split(b"\n")), engine.host.namespace)


def read_engine_start(engine: Engine) -> float:
    """When the engine was started last, in seconds since 1970: it makes its default bridge anew each time. 0 where it has none, or it does not say."""
    try:
        return seconds_of(str(engine.get("/networks/bridge").get("Created") or ""))
    except (EngineRefused, ValueError):
        return 0.0


def has_image(engine: Engine, name: str) -> bool:
    """True if the engine has an image of this name or id. Raises EngineDown."""
    try:
        engine.get(f"/images/{quote(name, safe='')}/json")
    except EngineRefused as refused:
        if refused.status == 404:
            return False
        raise
    return True


def open_events(streams: Streams, engine: Engine, since: float) -> Stream:
    """The stack's events from `since` (by the engine's clock) on, as they come. Raises EngineDown."""
    return streams.open(f"/events?since={since:.6f}&{_filters(engine)}")


def events_in(stream: Stream, engine: Engine) -> Iterator[Event]:
    """The events of an open stream, until it ends. Raises EngineRefused, EngineDown."""
    data = b""
    for chunk in stream.chunks():
        *lines, data = (data + chunk).split(b"\n")
        yield from events_of(_objects(lines), engine.host.namespace)


def _filters(engine: Engine) -> str:
    filters = {"type": ["container"], "event": list(ENGINE_EVENTS), "label": [engine.host.namespace.label]}
    return f"filters={quote(json.dumps(filters))}"


def _objects(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


MOST_READ = 2 * journal.FULL


def append_events(host: DockerHost, events: Iterable[Event]) -> None:
    """Add events to the journal. Raises Failure if its place is taken or cannot be written, Unreachable."""
    lines = [journal.line_of(event) for event in events]
    if not lines:
        return
    host.files.append(journal.JOURNAL, lines, journal.FORMER, journal.FULL)


def read_journal(host: DockerHost) -> list[Event]:
    """All that the journal holds, in order of time; [] where there is none. Raises Unreachable."""
    return journal.events_in(host.files.ends((journal.FORMER, journal.JOURNAL), MOST_READ))
