"""The journal on the Docker host: two small files, to which several writers append whole lines.

Each writer holds a lock on their folder, which the kernel gives back when it dies. A journal that is full takes the place of the former one, so both together
stay below twice that size.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dusty_tasks.core.history.events import Event
from dusty_tasks.core.history.journal import FORMER, FULL, JOURNAL, events_in, line_of

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

MOST_READ = 2 * FULL


def append_events(host: DockerHost, events: Iterable[Event]) -> None:
    """Add events to the journal. Raises Failure if its place is taken or cannot be written, Unreachable."""
    lines = [line_of(event) for event in events]
    if not lines:
        return
    host.files.append(JOURNAL, lines, FORMER, FULL)


def read_journal(host: DockerHost) -> list[Event]:
    """All that the journal holds, in order of time; [] where there is none. Raises Unreachable."""
    return events_in(host.files.ends((FORMER, JOURNAL), MOST_READ))
