"""While somebody watches: a line for each container that dies, with its cause. What was stopped, by Dusty or by hand, did not die."""

from __future__ import annotations

import time

from dusty_tasks import session
from dusty_tasks.console import warn
from dusty_tasks.core.history.cause import CauseKind, ended
from dusty_tasks.core.history.causes import end_of
from dusty_tasks.core.history.events import DIE, KILL, Event, of_container
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.history.explain import read_history

AGAIN = 30.0
"""Seconds in which the same is not said of a container twice: one in a restart loop ends every moment."""
FINE = (CauseKind.STOPPED, CauseKind.STOP_TIME, CauseKind.FINISHED, CauseKind.ENGINE_RESTARTED)
LINES = 3


class Deaths:
    """Hears events (noting.kept_journal), and tells of deaths. It reads by a session of its own: the thread is another one."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._told: dict[tuple[str, str], float] = {}

    def __call__(self, event: Event) -> None:
        """Tell of `event`, if it is a death. Never raises Failure."""
        if event.what != DIE:
            return
        with session.begun(session.Session(self.home)):
            try:
                lines = self._lines(event)
            except Failure:
                return  # The engine went away, which is told by who talks to it.
        if lines:
            warn("\n".join(lines))

    def _lines(self, event: Event) -> list[str]:
        history = read_history(Engine(session.docker_host()), [event.name], lines=LINES, probing=False)
        end = end_of(event.name, history.stack)
        case = history.stack.cases[event.name]
        if end is None or end[1].kind in FINE:
            return []
        cause = end[1]._replace(status=event.status if end[1].status is None else end[1].status)
        signals = [each.signal for each in of_container(history.events, event.container_id) if each.what == KILL]
        if cause.kind == CauseKind.KILLED and case.seen and case.seen.stop_signal in signals[-2:]:
            return []  # A stop that the engine has not called one yet.
        now, key = time.monotonic(), (event.name, str(cause.kind))
        is_news = now - self._told.get(key, -AGAIN) >= AGAIN
        self._told[key] = now
        sure = " (likely)" if cause.confidence == "likely" else ""
        printed = [f"    {line}" for line in case.printed.splitlines()[-LINES:]]
        return [f"{event.name} {ended(cause)}{sure}", *printed] if is_news else []
