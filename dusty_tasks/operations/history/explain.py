"""All that is known of a container and of what it needs, read for core/history/causes to judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.core.history.causes import Case, Stack, needed_by
from dusty_tasks.core.history.events import DIE, Event, merged, of_container
from dusty_tasks.core.history.inspected import Inspected, inspected
from dusty_tasks.core.of_verbs.redaction import Redactor
from dusty_tasks.core.plan.container_state import NOT_ANSWERING, RUNNING, STARTING, State, state_of
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.started import StartedRecord
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.effects.docker_host.engine_line import EngineRefused
from dusty_tasks.effects.docker_host.started_records import read_started
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.once import Once
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.happened import (
    Clock,
    has_image,
    read_clock,
    read_engine_start,
    read_journal,
    read_remembered,
)
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.places import place_finder, read_origins
from dusty_tasks.operations.state_now import read_state

LINES = 10
"""Last lines that are read of a container."""


class History(NamedTuple):
    """What causes are told from."""

    stack: Stack
    clock: Clock
    events: Sequence[Event]
    """Of the journal and of the engine's memory, each once."""


def read_history(
    engine: Engine,
    names: Iterable[str],
    started: Mapping[str, StartedRecord] | None = None,
    *,
    lines: int = LINES,
    probing: bool = True,
) -> History:
    """The containers `names` and all that they need. Without `probing` no route is asked, and no image. Raises EngineDown, Failure."""
    records = read_started(engine.host) if started is None else started
    containers = reads.read_containers(engine)
    wanted = wanted_by_name()
    clock = read_clock(engine)
    events = merged(read_journal(engine.host), read_remembered(engine, clock))
    asked = list(dict.fromkeys(names))
    cases, look = {}, _Look(engine, records, events, lines)
    for name in with_needs(asked, wanted):
        container = containers.get(name)
        cases[name] = _case(look, name, container, wanted.get(name), is_asked=probing and name in asked)
    places = place_finder(lambda: read_origins(session.settings()))
    return History(Stack(cases, places, read_engine_start(engine)), clock, events)


def with_needs(names: Iterable[str], wanted: Mapping[str, WantedContainer]) -> list[str]:
    """`names` and all that they need, each once."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += needed_by(wanted.get(name))
    return list(found)


def wanted_by_name() -> dict[str, WantedContainer]:
    """What was compiled last; {} where nothing was."""
    try:
        return {container.name: container for container in session.wanted().containers}
    except Failure:
        return {}


class _Look(NamedTuple):
    """What is known of all, and where more is asked for."""

    engine: Engine
    records: Mapping[str, StartedRecord]
    events: Sequence[Event]
    lines: int
    """How many of the last lines are read."""


def _case(
    look: _Look, name: str, container: FoundContainer | None, wanted: WantedContainer | None, *, is_asked: bool
) -> Case:
    """What is known of one container; routes are asked only of those that are `is_asked`."""
    engine, records, events, lines = look
    container_name = container.container_name if container else wanted.container_name if wanted else ""
    record = records.get(container_name) or {}
    mine = [event for event in events if event.name == name]
    seen = _inspect(engine, container) if container else None
    if container is None or seen is None:
        image = str(wanted.mapping.get("image") or "") if wanted else ""
        is_there = has_image(engine, image) if image and is_asked else None
        return Case(name, state_of(wanted, None, record), None, record, wanted, mine, has_image=is_there, image=image)
    state = _asked_state(engine, container, records, wanted) if is_asked else state_of(wanted, container, record)
    is_silent = state.name == NOT_ANSWERING or (state.name == STARTING and wanted and wanted.route_ports)
    return Case(
        name,
        state,
        seen,
        record,
        wanted,
        mine,
        _printed(engine, seen, lines, mine) if seen.has_ended or state.is_trouble else "",
        _verdict(engine, container, wanted, state) if is_silent and is_asked else "",
        image=seen.image,
    )


def _asked_state(
    engine: Engine, container: FoundContainer, records: Mapping[str, StartedRecord], wanted: WantedContainer | None
) -> State:
    """Its state. The routes of one that was ready once are asked, too: somebody has a reason to ask why."""
    state = read_state(engine, container, records)
    if state.name != RUNNING or not wanted or not wanted.route_ports:
        return state
    record: StartedRecord = {**(records.get(container.container_name) or {}), "ready": False}
    asked = read_state(engine, container, {**records, container.container_name: record})
    return asked if asked.name == NOT_ANSWERING else state


def _inspect(engine: Engine, container: FoundContainer) -> Inspected | None:
    try:
        seen = inspected(container.name, reads.read_details(engine, container.id))._replace(container_id=container.id)
    except EngineRefused as refused:
        if refused.status == 404:
            return None
        raise
    return seen._replace(probe=seen.probe._replace(printed=hidden(seen.probe.printed))) if seen.probe else seen


def _printed(engine: Engine, seen: Inspected, lines: int, events: Sequence[Event]) -> str:
    """The last lines of its last life; of one that is about to be started again, of the lives before as well."""
    since = 0.0
    if seen.has_ended and seen.state != "restarting":
        ends = [event.at for event in of_container(events, seen.container_id) if event.what == DIE]
        # The engine may note a start later than the first lines that were printed after it.
        since = max((at for at in ends if at <= seen.began_at), default=seen.began_at - 1)
    try:
        return hidden(reads.read_last_lines(engine, seen.container_id, lines, since=int(since * 1e9)))
    except EngineRefused:
        return ""  # Its log driver keeps nothing that can be read.


def hidden(printed: str) -> str:
    """What a container printed, without what `dump` would take out of it."""
    return _redactor().text(printed) if printed.strip() else printed


@Once
def _redactor() -> Redactor:
    from dusty_tasks.operations.redacting import redactor

    return redactor()


def _verdict(engine: Engine, container: FoundContainer, wanted: WantedContainer | None, state: State) -> str:
    """Why its routes are not answered; '' where nothing can be told."""
    from dusty_tasks.operations.launch.route_checks import read_closed

    try:
        closed = read_closed(engine, wanted, container.id) if wanted else None
    except Failure:
        closed = None
    return closed or (state.what if state.name == NOT_ANSWERING else "")
