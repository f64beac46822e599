"""Waiting until what was started is ready: it runs, or has finished; its routes answer; its health check passes.

The judge of each state is core/plan/container_state; here it is asked again and again, and what it needs to know is read.

More than 300 lines: one watch, from the first look at a container to the last word about it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from dusty_tasks.core.plan.container_state import (
    FAILED,
    FINISHED,
    NOT_ANSWERING,
    RUNNING,
    STARTING,
    UNHEALTHY,
    State,
    state_of,
)
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.hops import OWN_TROUBLE, is_final
from dusty_tasks.core.plan.lifetimes import checks_health, end_before_last_start, last_probe
from dusty_tasks.core.plan.started import StartedRecord
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import acts, reads
from dusty_tasks.effects.engine import probe as http_probe
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.launch.route_checks import read_closed, verdict_of

INTERVAL = 0.05
GLANCE = 2.0
"""Seconds for an answer where nobody waits until it comes."""
LAST_LINES = "its last lines"
SILENCE = 2.0
"""Seconds before it is said who is waited for, and between two looks at what listens in a container."""


class Trouble(NamedTuple):
    """A container that failed, or that is not ready in time."""

    name: str
    state: State
    printed: tuple[tuple[str, str], ...] = ()
    """(whose words, the words): what its health check printed, its last lines."""
    hint: str = ""
    """What mends it, where that is known."""

    @property
    def last_lines(self) -> str:
        """What it printed itself."""
        return dict(self.printed).get(LAST_LINES, "")

    def __str__(self) -> str:
        return f"{self.name} {self.words}"

    @property
    def words(self) -> str:
        """What follows the name, the hint among it."""
        parts = [self.state.what]
        for title, text in self.printed:
            lines = "".join(f"\n    {line}" for line in text.splitlines())
            parts.append(f"; {title}:{lines}" if len(parts) == 1 else f"\n  {title}:{lines}")
        hint = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{''.join(parts)}{'' if self.printed else ', and it printed nothing'}{hint}"


class Outcome(NamedTuple):
    failed: list[Trouble]
    """Ended, or gone."""
    silent: list[Trouble]
    """They run, and are unhealthy or did not answer in time."""
    finished: list[str]
    """Ended with status 0, and nothing says that they should go on."""
    ready: list[str]
    notes: list[str]
    """What is worth a word of those that are ready."""

    @property
    def troubles(self) -> list[Trouble]:
        return [*self.failed, *self.silent]


def wait_until_ready(
    engine: Engine,
    started: Iterable[WantedContainer],
    address: str,
    seconds: float,
    tell: Callable[[str], None] = lambda _text: None,
    noted: Mapping[str, str] = MappingProxyType({}),
) -> Outcome:
    """Watch containers until each is ready, has failed, or `seconds` are over; `tell` hears who is waited for, and why.

    `noted` is the trouble, by name, of those that were not started now and had it already.
    """
    watch = Watch(engine, started, address, seconds, noted)
    with watch.probes:
        while watch.pending:
            watch.look()
            if watch.pending:
                watch.tell_if_new(tell)
                time.sleep(INTERVAL)
    return watch.outcome


class Watch:
    """The containers that are waited for, and what is known of each."""

    def __init__(
        self, engine: Engine, started: Iterable[WantedContainer], address: str, seconds: float, noted: Mapping[str, str]
    ) -> None:
        self.engine, self.seconds, self.noted = engine, seconds, noted
        self.pending = {container.name: container for container in started}
        self._watched = dict(self.pending)
        self.ready: dict[str, WantedContainer] = {}
        self.outcome = Outcome([], [], [], [], [])
        self.probes = http_probe.Probes(address)
        for container in self.pending.values():
            self.probes.watch(container.name, container.http_urls)
        self.closed: dict[str, str] = {}
        """Name -> why nothing can answer there, by what listens in the container when it was looked at last."""
        self._checked: set[str] = set()
        """Those whose health check has not passed yet."""
        self._begin = time.monotonic()
        self._next_look = 0.0
        self._told, self._next_word = "", SILENCE

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._begin

    def look(self) -> None:
        """Judge each container once. Whoever is ready is watched as long as others are waited for: it may crash after a second."""
        found = reads.read_containers(self.engine)
        # Without a running proxy no route can answer: the containers alone are judged then.
        has_proxy = PROXY in found and found[PROXY].is_running
        self._checked = {name for name in self.pending if name in found and found[name].health == "starting"}
        self._look_what_listens(found, has_proxy)
        for name, container in (*self.pending.items(), *self.ready.items()):
            state = self._state(container, found.get(name), has_proxy)
            # One that kept ending and runs at the moment has failed so far, and gets its chance.
            is_waiting = state.name in (STARTING, NOT_ANSWERING) or (
                state.name == FAILED and name in found and found[name].state == "running"
            )
            if is_waiting and (name in self.ready or (self.elapsed < self.seconds and not self._is_hopeless(name))):
                continue
            self.pending.pop(name, None)
            if state.name == RUNNING or (state.name == STARTING and not found[name].health):
                self.ready[name] = container
                continue
            self.ready.pop(name, None)
            self._note(name, found.get(name), state)
        if not self.pending:
            self.outcome.ready.extend(self.ready)
            self.outcome.notes.extend(self._notes())

    def _state(self, container: WantedContainer, found: FoundContainer | None, has_proxy: bool) -> State:
        if found and found.exit_status == 0:
            return state_of(container, found, {}, is_finished=not self._checks_health(found))
        record: StartedRecord = {"ready": False, "trouble": self.noted.get(container.name, "")}
        return state_of(container, found, record, answers=self._answers(container, has_proxy))

    def _answers(self, container: WantedContainer, has_proxy: bool) -> bool | None:
        """Whether its routes answer, as far as they can be asked."""
        has_urls = has_proxy and bool(container.http_urls)
        return routes_answer(
            container,
            None if not has_urls else not self.probes.open_urls(container.name),
            self.closed.get(container.name),
        )

    def _is_hopeless(self, name: str) -> bool:
        """True if one of its routes fails for a reason that waiting does not mend."""
        answers = [self.probes.answers.get(url) for url in self.probes.open_urls(name)]
        return any(answer is not None and is_final(answer, self.closed.get(name)) for answer in answers)

    def _notes(self) -> Iterable[str]:
        for name, container in self.ready.items():
            for url in container.http_urls:
                answer = self.probes.answers.get(url)
                if answer and answer.status >= OWN_TROUBLE:
                    yield f"{name} answers at {url} with its own status {answer.status}"

    def _checks_health(self, found: FoundContainer) -> bool:
        try:
            return checks_health(reads.read_details(self.engine, found.id))
        except Failure:
            return False

    def _look_what_listens(self, found: Mapping[str, FoundContainer], has_proxy: bool) -> None:
        """From time to time, in those with a route that did not answer yet: nginx itself takes connections of a stream route."""
        if self.elapsed < self._next_look:
            return
        late = self.elapsed >= SILENCE / 2
        asked = [
            container
            for name, container in self.pending.items()
            if name in found
            and found[name].state == "running"
            and (container.stream_ports or (late and container.http_urls and has_proxy and self.probes.open_urls(name)))
        ]

        def read(container: WantedContainer) -> None:
            trouble = read_closed(self.engine, container, found[container.name].id)
            if trouble is not None:
                self.closed[container.name] = trouble

        acts.each_at_once([partial(read, container) for container in asked])
        self._next_look = self.elapsed + (SILENCE if late else SILENCE / 4)

    def tell_if_new(self, tell: Callable[[str], None]) -> None:
        """Say who is waited for, once it takes a while, and whenever that changes."""
        if self.elapsed < self._next_word:
            return
        text = ", ".join(f"{name} ({reason})" for name, reason in self._reasons())
        if text and text != self._told:
            self._told, self._next_word = text, self.elapsed + SILENCE
            tell(text)

    def _reasons(self) -> Iterable[tuple[str, str]]:
        for name in self.pending:
            open_urls = self.probes.open_urls(name)
            if name in self._checked:
                yield name, "its health check"
            else:
                yield (
                    name,
                    self.closed.get(name) or (f"no answer at {' and '.join(open_urls)}" if open_urls else "its start"),
                )

    def _note(self, name: str, found: FoundContainer | None, state: State) -> None:
        if state.name == FINISHED:
            self.outcome.finished.append(name)
            return
        printed, hint = [], ""
        if found and found.health and state.name in (UNHEALTHY, STARTING):
            state, words = self._with_probe(found, state)
            printed += words
        elif state.name == NOT_ANSWERING:
            state, hint = self._why_silent(name)
        lines = _last_lines(self.engine, found.id) if found else ""
        if lines:
            printed.append((LAST_LINES, lines))
        trouble = Trouble(name, state, tuple(printed), hint)
        (self.outcome.silent if state.name in (NOT_ANSWERING, UNHEALTHY) else self.outcome.failed).append(trouble)

    def _why_silent(self, name: str) -> tuple[State, str]:
        """Which of its routes do not answer, why, and what mends that."""
        open_urls, closed = self.probes.open_urls(name), self.closed.get(name)
        where = f"does not answer at {' and '.join(open_urls)}" if open_urls else "does not answer"
        url = next((url for url in open_urls if url in self.probes.answers), "")
        if not url:
            return State(NOT_ANSWERING, f"{where}: {closed}" if closed else where), ""
        verdict = verdict_of(self.engine, self._watched[name], url, self.probes.answers[url], closed)
        return State(NOT_ANSWERING, f"{where}: {verdict.what}"), verdict.mend

    def _with_probe(self, found: FoundContainer, state: State) -> tuple[State, list[tuple[str, str]]]:
        """A state that the health check decided, with how the check ended and what it printed."""
        what = "is unhealthy" if state.name == UNHEALTHY else "is not healthy yet"
        try:
            probe = last_probe(reads.read_details(self.engine, found.id))
        except Failure:
            probe = None
        if probe is None:
            return State(UNHEALTHY, what), []
        ended = f"{what}: its health check exited with status {probe.status}"
        return State(UNHEALTHY, ended), [("the health check printed", probe.printed)] if probe.printed else []


def routes_answer(container: WantedContainer, urls_answer: bool | None, closed: str | None) -> bool | None:
    """Whether the routes of a container answer: its URLs, None where they cannot be asked, and by what listens in it (`closed`) its streams."""
    if urls_answer is False:
        return False
    if container.stream_ports and closed is not None:
        return not closed
    return None if container.stream_ports else urls_answer


def read_answers(
    engine: Engine, asked: Sequence[WantedContainer], found: Mapping[str, FoundContainer], address: str
) -> dict[str, bool]:
    """Name -> whether the routes of these running containers answer now; what nobody can tell is left out."""
    from dusty_tasks.effects.doors.parallel import threads

    def answers(container: WantedContainer) -> bool | None:
        urls = (
            all(http_probe.answers(address, url, GLANCE) for url in container.http_urls)
            if container.http_urls
            else None
        )
        closed = (
            read_closed(engine, container, found[container.name].id)
            if container.stream_ports and urls is not False
            else None
        )
        return routes_answer(container, urls, closed)

    with threads(8) as pool:
        told = zip(asked, pool.map(answers, asked), strict=True)
        return {container.name: answer for container, answer in told if answer is not None}


def _last_lines(engine: Engine, container_id: str) -> str:
    """What it printed since its last start."""
    since = end_before_last_start(container_id, reads.read_events(engine, [container_id]))
    return reads.read_last_lines(engine, container_id, since=since)
