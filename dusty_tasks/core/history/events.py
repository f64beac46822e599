"""Something that happened to a container or to the stack, and when: the engine's events and Dusty's own notes in one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.text.namespace import NAME_LABEL, ONE_OFF_LABEL, SERVICE_LABEL, Namespace

START, DIE, KILL, STOP, OOM, HEALTH = "start", "die", "kill", "stop", "oom", "health_status"
PAUSE, UNPAUSE, CREATE, DESTROY = "pause", "unpause", "create", "destroy"
"""The engine's own words."""
ENGINE_EVENTS = (CREATE, START, DIE, KILL, STOP, OOM, HEALTH, PAUSE, UNPAUSE, DESTROY)
"""What is kept of the engine's events. Probes (`exec_create`, `exec_start`, `exec_die`) are not: they flood everything else away."""

RUN, CHANGE, TROUBLE, SYNC, NOTE = "run", "change", "trouble", "sync", "note"
"""Dusty's own: a run began or ended, a container was changed, is in trouble, a repo was synced, a word of `dusty dev`."""
OWN_EVENTS = (RUN, CHANGE, TROUBLE, SYNC, NOTE)

LONGEST = 600
"""Characters of a text that are kept: an event is a line, and the journal that holds it is small."""


class Event(NamedTuple):
    """One event. Fields that say nothing are empty."""

    at: float
    """Seconds since 1970 by the engine's clock."""
    what: str
    """One of the words above."""
    name: str = ""
    """The part of the stack, or the id of a repo; '' for what concerns all of it."""
    container_id: str = ""
    """The first twelve digits."""
    status: int | None = None
    """Of an end."""
    signal: int = 0
    """Of a kill."""
    text: str = ""
    """healthy, unhealthy; what a run did, the cause of a change."""
    place: str = ""
    """The spec place behind it."""
    by: str = ""
    """Who ran Dusty, and where: `ann@laptop`."""

    @property
    def key(self) -> tuple[float, str, str, str, str]:
        """The same for two notes of one event."""
        return (round(self.at, 3), self.what, self.name, self.container_id, self.text)


_NUMBERS = {
    name: number
    for number, name in enumerate(("HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1"), 1)
}
_NUMBERS |= {"SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "XCPU": 24, "XFSZ": 25, "WINCH": 28, "SYS": 31}
_NAMES = {number: f"SIG{name}" for name, number in _NUMBERS.items()}


def signal_name(number: int) -> str:
    """`SIGTERM` for 15; `signal 40` for one without a name."""
    return _NAMES.get(number, f"signal {number}")


def signal_number(word: str) -> int:
    """15 for `15`, `TERM` and `SIGTERM`; 0 for none of these."""
    return int(word) if word.isdigit() else _NUMBERS.get(word.upper().removeprefix("SIG"), 0)


def events_of(raw: Iterable[Mapping[str, Any]], namespace: Namespace) -> list[Event]:
    """The events that are kept, of what the engine tells, in order of time; what has not their form is passed over."""
    found = (_event_of(entry, namespace) for entry in raw)
    return in_order(event for event in found if event)


def _event_of(raw: Mapping[str, Any], namespace: Namespace) -> Event | None:
    actor = raw.get("Actor")
    actor = actor if isinstance(actor, Mapping) else {}
    attributes = actor.get("Attributes")
    attributes = attributes if isinstance(attributes, Mapping) else {}
    what, _, text = str(raw.get("Action") or raw.get("status") or "").partition(": ")
    time_nano = raw.get("timeNano")
    is_once = attributes.get(ONE_OFF_LABEL) == "True"
    if what not in ENGINE_EVENTS or not isinstance(time_nano, int) or is_once:
        return None
    name = (
        attributes.get(NAME_LABEL) or attributes.get(SERVICE_LABEL) or namespace.part(str(attributes.get("name", "")))
    )
    status = str(attributes.get("exitCode", ""))
    return Event(
        round(time_nano / 1e9, 6),
        what,
        str(name),
        str(actor.get("ID") or raw.get("id") or "")[:12],
        int(status) if what == DIE and status.lstrip("-").isdigit() else None,
        signal_number(str(attributes.get("signal", ""))) if what == KILL else 0,
        text[:LONGEST],
    )


def in_order(events: Iterable[Event]) -> list[Event]:
    """By time; what has one time stays as it came."""
    return sorted(events, key=lambda event: event.at)


def merged(*sources: Iterable[Event]) -> list[Event]:
    """All events of several sources in order of time, each once: the engine's memory and the journal overlap."""
    by_key = {event.key: event for source in sources for event in source}
    return in_order(by_key.values())


def of_container(events: Iterable[Event], container_id: str) -> list[Event]:
    """The events of one container, by its id."""
    return [event for event in events if event.container_id and event.container_id == container_id[:12]]


def life_before(events: Sequence[Event], end: int) -> list[Event]:
    """The events of one life of a container: from the start before `events[end]`, or from the end before it, up to that event.

    `events` are those of one container, in order.
    """
    first = next((i for i in range(end - 1, -1, -1) if events[i].what in (START, DIE)), -1)
    return list(events[first if first >= 0 and events[first].what == START else first + 1 : end + 1])
