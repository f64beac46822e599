"""A followed container that ended: whether it comes back, restarted or made anew, and why."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.console import is_terminal
from dusty_tasks.core.of_verbs.findings import seconds_of
from dusty_tasks.core.plan.container_state import FINISHED
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.lifetimes import end_after
from dusty_tasks.core.plan.started import WHY_KEYS, StartedRecord
from dusty_tasks.core.text.safe import harmless
from dusty_tasks.effects.docker_host.started_records import read_started
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import is_at_work
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.state_now import read_state

GRACE = 2.0
"""Seconds within which a container that somebody else restarts runs again."""
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 3.0
"""Seconds between two looks at containers that ended."""
RECORD_PATIENCE = 10.0
"""Seconds for the record of a start: a run writes it once all that it starts together has started."""


class Comeback(NamedTuple):
    """A container that runs again."""

    container: FoundContainer
    what: str
    """`restarted: repo api was synced`"""
    since: str
    """For `docker logs --since`: when its life before ended; '' for a new container, all of whose lines are new."""

    @property
    def text(self) -> str:
        """The line between its lives: `-- api restarted: repo api was synced --`."""
        return harmless(f"-- {self.container.name} {self.what} --")

    @property
    def flags(self) -> list[str]:
        """The words for `docker logs`."""
        return ["--since", self.since] if self.since else []


class Life(NamedTuple):
    """A container as it was attached to."""

    container: FoundContainer
    started_at: str
    record: StartedRecord
    """What was recorded of its last start."""


class Comebacks:
    """Looks for followed containers that came back. Each name was attached to (`note`) before it is asked for."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lives: dict[str, Life] = {}
        self._looked_for: set[str] = set()
        self._next_look, self._pause = 0.0, FIRST_PAUSE
        self._back_since: dict[str, float] = {}
        """Name -> when it was first seen to run again, while its record is waited for."""

    def note(self, container: FoundContainer) -> None:
        """`container` is attached to now."""
        self._lives[container.name] = Life(container, self._started_at(container), self._record(container))

    def is_gone(self, container: FoundContainer) -> bool:
        """True if this very container is there no more."""
        return all(found.id != container.id for found in reads.read_containers(self.engine).values())

    def is_under_way(self) -> bool:
        """True while a run of this DUSTY_HOME changes containers: what ended may be about to come back."""
        return is_at_work("up", session.home())

    def wait(self, names: set[str], say: Callable[[str], None]) -> Comeback | None:
        """The first of `names`, all of whose streams have ended, that comes back; None where none will.

        What a run is at work on may come back, what the engine restarts will, and on a terminal a person may start it again: ^C ends that.
        """
        end, pause, is_said = time.monotonic() + GRACE, FIRST_PAUSE, False
        while True:
            found = reads.read_containers(self.engine)
            comebacks = self.look(names, found)
            if comebacks:
                return comebacks[0]
            if self.is_under_way() or any(
                name in found and found[name].state in ("restarting", "paused") for name in names
            ):
                end = time.monotonic() + GRACE
            elif time.monotonic() > end:
                if not is_terminal() or self._are_finished(names, found):
                    return None
                if not is_said:
                    say(f"-- {', '.join(sorted(names))} exited; waiting for the next start, press ^C to stop --")
                is_said = True
            time.sleep(pause)
            pause = min(pause * 1.2, LONGEST_PAUSE)

    def _are_finished(self, names: set[str], found: dict[str, FoundContainer]) -> bool:
        """True if the work of all of them is done."""
        return all(name in found and read_state(self.engine, found[name]).name == FINISHED for name in names)

    def look_when_due(self, names: set[str]) -> list[Comeback]:
        """The same as `look`, the less often the longer nobody comes back."""
        now = time.monotonic()
        if names == self._looked_for and now < self._next_look:
            return []
        self._pause = min(self._pause * 1.5, LONGEST_PAUSE) if names == self._looked_for else FIRST_PAUSE
        self._looked_for, self._next_look = set(names), now + self._pause
        return self.look(names)

    def look(self, names: set[str], found: dict[str, FoundContainer] | None = None) -> list[Comeback]:
        """Those of `names`, whose streams have ended, that run again and whose cause is known. `found`: the containers, if they were just read."""
        found = reads.read_containers(self.engine) if found is None else found
        return [comeback for name in sorted(names) if name in found and (comeback := self._comeback(found[name]))]

    def _comeback(self, container: FoundContainer) -> Comeback | None:
        before = self._lives.get(container.name)
        if container.state != "running":
            return None
        is_new = before is None or before.container.id != container.id
        if not is_new and before and before.started_at == self._started_at(container):
            return None  # its stream ended, and it did not
        record = self._record(container)
        is_told = not before or {key: record.get(key) for key in WHY_KEYS} != {
            key: before.record.get(key) for key in WHY_KEYS
        }
        seen = self._back_since.setdefault(container.name, time.monotonic())
        if not is_told and self.is_under_way() and time.monotonic() - seen < RECORD_PATIENCE:
            return None
        self._back_since.pop(container.name, None)
        end = (
            None
            if is_new or not before
            else end_after(container.id, reads.read_events(self.engine, [container.id]), moment_of(before.started_at))
        )
        # All that it printed since the end of the life that was followed: there may have been more than one since.
        since = "" if is_new else f"{end.at // 10**9}.{end.at % 10**9:09d}" if end else self._started_at(container)
        if is_told and record.get("what"):
            return Comeback(container, f"{record['what']}: {record.get('cause') or '?'}", since)
        cause = f"it exited with status {end.status}" if end and end.is_own else "not by this Dusty"
        return Comeback(container, f"{'recreated' if is_new else 'restarted'}: {cause}", since)

    def _started_at(self, container: FoundContainer) -> str:
        try:
            return str((reads.read_details(self.engine, container.id).get("State") or {}).get("StartedAt") or "")
        except Failure:
            return ""

    def _record(self, container: FoundContainer) -> StartedRecord:
        return read_started(self.engine.host).get(container.container_name) or {}


def moment_of(started_at: str) -> float:
    """The engine's time as seconds since 1970; 0 where it told none."""
    try:
        return seconds_of(started_at)
    except ValueError:
        return 0.0
