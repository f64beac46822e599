"""The timeline read: what is stored, then what comes. The memory that it takes does not depend on how much was printed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from dusty_tasks.core.history.causes import end_of, memory_key, needed_by
from dusty_tasks.core.history.events import DIE, OWN_EVENTS, START, Event
from dusty_tasks.core.history.timeline import (
    ENGINE_START,
    LINE,
    Item,
    Known,
    Reordered,
    Teller,
    is_of,
    merged,
    told,
)
from dusty_tasks.core.of_verbs.findings import seconds_of
from dusty_tasks.core.of_verbs.log_lines import Line, after
from dusty_tasks.core.plan.container_state import why_it_serves
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.looks import Tone
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.docker_host.engine_streams import Stream
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.happened import events_in, open_events, read_engine_start, read_journal
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.logs import Follower, stored_lines
from dusty_tasks.effects.engine.reads import read_containers
from dusty_tasks.operations.history.explain import History, read_history, wanted_by_name

TICK, PATIENCE = 0.1, 0.3
"""Seconds between two looks at what came, and for which it is kept to be put in order."""
JOURNAL_PAUSE, JOURNAL_PAUSE_FAR = 0.5, 3.0
"""Seconds between two looks at the journal, where others note what they do."""
KEYS_KEPT = 4096


class Reader:
    """Reads the timeline of some containers."""

    def __init__(
        self, engine: Engine, names: Sequence[str], since: float, tail: str = "all", silent: Collection[str] = ()
    ) -> None:
        """`since` by the clock of this machine; `tail` is a number of lines, or `all`; of `silent` ones only what happens is shown."""
        self.engine, self.names, self.tail, self.silent = engine, list(names), tail, silent
        self.history: History = read_history(engine, names, lines=20, probing=False)
        self.clock = self.history.clock
        self.since = self.clock.there(since)
        self._last: dict[str, bytes] = {}
        """Container -> the time of its last line, as the engine wrote it."""

    @property
    def known(self) -> Known:
        """What inspection says of the containers."""
        return known_of(self.history)

    def stored(self) -> Iterator[Item]:
        """What was printed and what happened since the begin of the span, in order. Raises EngineDown, EngineRefused."""
        items = (item for item in told(self.history.events, self.known) if self.since <= item.at <= self.clock.now)
        events = [item for item in items if is_of(item, self.names)]
        if self.since <= self.history.stack.engine_started:
            events.append(_engine_started(self.history.stack.engine_started))
        yield from merged(self._stored_lines(), sorted(events, key=lambda item: item.at))

    def _stored_lines(self) -> Iterator[Item]:
        words = {
            name: ["--since", f"{self.since:.9f}", "--tail", self.tail, case.seen.container_id]
            for name, case in self.history.stack.cases.items()
            if case.seen and name in self.names and name not in self.silent
        }
        for name, line in stored_lines(words, self.engine) if words else ():
            self._last[name] = line.time or self._last.get(name, b"")
            yield self._item(name, line)

    def _item(self, name: str, line: Line) -> Item:
        return Item(_moment(line.time or self._last.get(name, b"")), name, LINE, line=line.text, is_error=line.is_error)

    def coming(self) -> Iterator[Item | None]:
        """What comes, in order as far as it comes in time; None after each pause, to look around. Ends never. Raises BrokenPipeError by its user alone."""
        kept = Reordered(PATIENCE)
        with Follower(self.engine, TICK) as follower, _Heard(self.engine, self.history) as heard:
            self._attach_all(follower)
            teller = Teller(self.known)
            for event in self.history.events:
                teller.tell(event)
            while True:
                self._take_lines(follower, kept)
                for event in heard.take():
                    self._take_event(event, teller, follower, kept)
                for item in heard.items():
                    kept.add(item, time.monotonic())
                    self._attach_all(follower)
                yield from kept.due(time.monotonic())
                yield None

    def _take_lines(self, follower: Follower, kept: Reordered) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            taken = follower.take()
            if taken is None:
                return
            name, line = taken
            if line:
                self._last[name] = line.time or self._last.get(name, b"")
                kept.add(self._item(name, line), time.monotonic())

    def _take_event(self, event: Event, teller: Teller, follower: Follower, kept: Reordered) -> None:
        if event.what == DIE and event.name in self.names:
            with suppress(Failure):
                self.history = read_history(self.engine, [event.name], lines=20, probing=False)
                teller.known = teller.known._replace(
                    ends={**teller.known.ends, **self.known.ends}, engine_started=self.history.stack.engine_started
                )
        if event.what == START and event.name in self.names:
            self._attach(follower, event.name, event.container_id, event.at)
        item = teller.tell(event)
        if item and is_of(item, self.names):
            kept.add(item, time.monotonic())

    def _attach_all(self, follower: Follower) -> None:
        """Follow what runs and is not followed."""
        with suppress(Failure):
            for name, container in read_containers(self.engine).items():
                if name in self.names and container.is_running:
                    self._attach(follower, name, container.id, self.clock.now)

    def _attach(self, follower: Follower, name: str, container_id: str, since: float) -> None:
        if name in follower.attached or name in self.silent:
            return
        last = self._last.get(name)
        start = after(last) if last else f"{since - 1:.9f}"
        with suppress(Failure):
            follower.attach(name, ["--since", start, container_id])


class _Heard:
    """The engine's events and those that others put into the journal, from now on, in threads of their own."""

    def __init__(self, engine: Engine, history: History) -> None:
        self._engine = Engine(engine.host)
        self._since = history.clock.now
        self._events: queue.Queue[Event] = queue.Queue(10_000)
        self._items: queue.Queue[Item] = queue.Queue(100)
        self._keys = dict.fromkeys(event.key for event in history.events[-KEYS_KEPT:])
        self._began = history.stack.engine_started
        self._is_over = threading.Event()
        self._stream: Stream | None = None

    def __enter__(self) -> _Heard:
        for work in (self._listen, self._look_at_journal):
            threading.Thread(target=work, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._stream:
            self._stream.close()

    def take(self) -> Iterator[Event]:
        """The events that came, each once, whoever told of it."""
        while not self._events.empty():
            event = self._events.get()
            if event.key not in self._keys:
                self._keys[event.key] = None
                if len(self._keys) > 2 * KEYS_KEPT:
                    self._keys = dict.fromkeys(list(self._keys)[KEYS_KEPT:])
                yield event

    def items(self) -> Iterator[Item]:
        """What is to be said of the engine itself."""
        while not self._items.empty():
            yield self._items.get()

    def _listen(self) -> None:
        is_away = False
        while not self._is_over.is_set():
            try:
                with self._engine.host.streams() as streams:
                    started = read_engine_start(self._engine)
                    if started > self._began + 1:
                        self._items.put(_engine_started(started))
                        self._began = started
                    is_away = False
                    self._stream = open_events(streams, self._engine, self._since)
                    for event in events_in(self._stream, self._engine):
                        self._since = event.at
                        self._events.put(event)
                    self._stream.close()
            except (Failure, OSError, ValueError) as failure:
                if not is_away and not self._is_over.is_set():
                    text = failure.what if isinstance(failure, Failure) else str(failure)
                    self._items.put(Item(time.time(), "", ENGINE_START, f"{text}; retrying", tone=Tone.BAD))
                is_away = True
            self._is_over.wait(1.0)

    def _look_at_journal(self) -> None:
        pause = JOURNAL_PAUSE_FAR if self._engine.host.is_far else JOURNAL_PAUSE
        while not self._is_over.wait(pause):
            with suppress(Failure, EngineDown):
                for event in read_journal(self._engine.host):
                    if event.what in OWN_EVENTS and event.at > self._since - 600:
                        self._events.put(event)


def known_of(history: History) -> Known:
    """What inspection says of the containers."""
    stack, wanted = history.stack, wanted_by_name()
    ends = {name: end_of(name, stack) for name in stack.cases}
    return Known(
        {name: needed_by(container) for name, container in wanted.items()},
        {name: why_it_serves(container) for name, container in wanted.items()},
        {
            name: (case.seen.memory_limit, stack.place_of(name, memory_key(case.wanted)))
            for name, case in stack.cases.items()
            if case.seen and case.seen.memory_limit and memory_key(case.wanted)
        },
        {case.seen.container_id[:12]: end for name, case in stack.cases.items() if case.seen and (end := ends[name])},
        stack.engine_started,
        _repo_names(),
    )


def _engine_started(at: float) -> Item:
    return Item(at, "", ENGINE_START, "the Docker engine was started", tone=Tone.WARNING)


def _moment(time_text: bytes) -> float:
    try:
        return seconds_of(time_text.decode("ascii", "replace"))
    except ValueError:
        return 0.0


def _repo_names() -> dict[str, str]:
    from dusty_tasks import session

    try:
        return dict(shown_names(entry.id for entry in session.wanted().repos))
    except Failure:
        return {}
