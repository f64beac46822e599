"""Writing the journal: what a run did, the engine's events that it would forget, and all that happens while somebody watches.

The journal is there for those who look back later: what cannot be noted is left, and no run fails or waits for that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dusty_tasks.core.history.events import NOTE, SYNC, Event
from dusty_tasks.core.history.journal import worth_keeping
from dusty_tasks.core.history.notes import Done, notes_of
from dusty_tasks.core.plan.change import Change
from dusty_tasks.effects.docker_host.engine_streams import Stream
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.happened import (
    append_events,
    events_in,
    open_events,
    read_clock,
    read_journal,
    read_remembered,
)
from dusty_tasks.effects.engine.http import Engine

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

RECONNECT = 1.0
"""Seconds between two tries to hear the engine again."""
BATCH = 0.2
"""Seconds in which events are gathered for one write."""


def caller() -> str:
    """Who runs Dusty, and where: `ann@laptop`."""
    from dusty_tasks.operations.launch.preconditions import own_owner

    owner = own_owner()
    return f"{owner.user}@{owner.machine}"


def note_run(
    host: DockerHost,
    verb: str,
    began: float,
    changes: Sequence[tuple[Change, float]],
    *,
    troubles: Mapping[str, str] | None = None,
    failures: Sequence[str] = (),
) -> None:
    """Note what a run did that began at `began`, with the times of its changes (this machine's clock), and what the engine remembers and the
    journal does not hold yet. It costs three requests and a write, so a run that changed nothing has nothing to note. Never raises Failure.
    """
    with suppress(Failure, ValueError):
        engine = Engine(host)
        clock = read_clock(engine)
        remembered = read_remembered(engine, clock)
        timed = [(change, clock.there(at)) for change, at in changes]
        done = Done(verb, caller(), clock.there(began), clock.now, timed, troubles or {}, failures)
        news = worth_keeping(remembered, read_journal(host))
        append_events(host, [*news, *notes_of(done, remembered)])


def note_syncs(engine: Engine, verb: str, synced: Mapping[str, str]) -> None:
    """Note repos that were synced just now, by id, each with the words for it. Never raises Failure."""
    with suppress(Failure, ValueError):
        now, by = read_clock(engine).now, caller()
        append_events(
            engine.host,
            [Event(now, SYNC, repo_id, text=f"{verb}: {words}", by=by) for repo_id, words in synced.items()],
        )


def note(engine: Engine, text: str, name: str = "") -> None:
    """Note a word of `dusty dev` about a container, or about the stack. Never raises Failure."""
    with suppress(Failure, ValueError):
        append_events(engine.host, [Event(read_clock(engine).now, NOTE, name, text=text, by=caller())])


@contextmanager
def kept_journal(engine: Engine, hear: Callable[[Event], None] = lambda _event: None) -> Iterator[None]:
    """While the block runs all that the engine tells of the stack goes into the journal; `hear` is told each event, in a thread of its own.

    An engine that goes away is heard again when it is back. Never raises Failure.
    """
    keeper = _Keeper(Engine(engine.host), hear)
    thread = threading.Thread(target=keeper.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        keeper.stop()
        thread.join(2 * RECONNECT)


class _Keeper:
    def __init__(self, engine: Engine, hear: Callable[[Event], None]) -> None:
        self._engine, self._hear = engine, hear
        self._is_over = threading.Event()
        self._stream: Stream | None = None
        self._waiting: list[Event] = []
        self._lock = threading.Lock()

    def stop(self) -> None:
        self._is_over.set()
        if self._stream:
            self._stream.close()

    def run(self) -> None:
        writer = threading.Thread(target=self._write, daemon=True)
        writer.start()
        while not self._is_over.is_set():
            with suppress(Failure, ValueError, OSError):
                self._listen()
            self._is_over.wait(RECONNECT)
        writer.join(RECONNECT)

    def _listen(self) -> None:
        """Note what the engine remembers, then what it tells until it goes away."""
        clock = read_clock(self._engine)
        kept = read_journal(self._engine.host)
        news = worth_keeping(read_remembered(self._engine, clock), kept)
        known = {event.key for event in news}
        self._add(news)
        with self._engine.host.streams() as streams:
            self._stream = open_events(streams, self._engine, clock.now)
            try:
                for event in events_in(self._stream, self._engine):
                    if event.key not in known:
                        self._add([event])
                        self._hear(event)
            finally:
                self._stream.close()

    def _add(self, events: Sequence[Event]) -> None:
        with self._lock:
            self._waiting.extend(events)

    def _write(self) -> None:
        """Write what was gathered, a batch at a time: over ssh a write is a round trip."""
        while True:
            is_last = self._is_over.wait(BATCH)
            with self._lock:
                batch, self._waiting = self._waiting, []
            with suppress(Failure):
                append_events(self._engine.host, batch)
            if is_last:
                return
