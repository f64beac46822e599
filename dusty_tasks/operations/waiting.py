"""Waiting for parts of the stack that somebody else starts: until they are ready, or until their work is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.core.plan.container_state import ABSENT, CREATED, FINISHED, RUNNING, State, advice, state_of
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.effects.docker_host.started_records import read_started
from dusty_tasks.effects.doors.lock import is_at_work
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.launch.ready import SILENCE, wait_until_ready

PAUSE = 0.2
"""Seconds between two looks while somebody else is at work."""
Tell = Callable[[str], None]


class Late(NamedTuple):
    """A part that is not what was waited for."""

    name: str
    why: str
    """The end of a sentence that begins with the name."""
    hint: str = ""


class Waited(NamedTuple):
    """How a wait ended."""

    reached: list[str]
    """Those that are ready, or done."""
    late: list[Late]


def wait_until_up(engine: Engine, asked: Sequence[WantedContainer], seconds: float, tell: Tell) -> Waited:
    """Wait until each is ready, or has finished. It ends early for one that failed, unless another process is at work on the stack."""
    deadline = time.monotonic() + seconds
    is_told = False
    while True:
        left = max(deadline - time.monotonic(), 0)
        outcome = wait_until_ready(engine, asked, session.settings().hosts_address, left, tell)
        absent = [trouble.name for trouble in outcome.failed if trouble.state.name in (ABSENT, CREATED)]
        may_come = is_at_work("up", session.home()) or len(absent) == len(outcome.failed)
        if not outcome.failed or outcome.silent or not may_come or time.monotonic() >= deadline:
            break
        if not is_told and time.monotonic() > deadline - seconds + SILENCE:
            is_told = True
            tell(", ".join(trouble.name for trouble in outcome.failed))
        time.sleep(min(PAUSE, max(deadline - time.monotonic(), 0)))
    late = [
        Late(
            trouble.name,
            trouble.words if trouble.printed else trouble.state.what,
            trouble.hint or advice(trouble.state, trouble.name),
        )
        for trouble in outcome.troubles
    ]
    return Waited(sorted([*outcome.ready, *outcome.finished]), late)


def wait_until_done(engine: Engine, asked: Sequence[WantedContainer], seconds: float, tell: Tell) -> Waited:
    """Wait until each has exited with status 0. It ends early for one that ended otherwise, as wait_until_up does."""
    begin = time.monotonic()
    is_told = False
    while True:
        states = _ends(asked, reads.read_containers(engine), engine)
        open_names = [name for name, state in states.items() if state.name != FINISHED]
        has_failed = any(states[name].name not in (ABSENT, CREATED, RUNNING) for name in open_names)
        passed = time.monotonic() - begin
        if not open_names or passed >= seconds or (has_failed and not is_at_work("up", session.home())):
            break
        if not is_told and passed > SILENCE:
            is_told = True
            tell(", ".join(open_names))
        time.sleep(min(PAUSE, max(seconds - passed, 0)))
    late = [
        Late(
            name,
            "has not finished yet" if states[name].name == RUNNING else states[name].what,
            "" if states[name].name == RUNNING else advice(states[name], name),
        )
        for name in open_names
    ]
    return Waited([name for name in states if name not in open_names], late)


def _ends(asked: Sequence[WantedContainer], found: Mapping[str, FoundContainer], engine: Engine) -> dict[str, State]:
    """The state of each; all that are not ended, and are there, count as running."""
    has_ended = any(each.exit_status is not None for each in found.values())
    records = read_started(engine.host) if has_ended else {}

    def state(wanted: WantedContainer) -> State:
        container = found.get(wanted.name)
        record = records.get(wanted.container_name) or {}
        told = state_of(wanted, container, record, is_finished=True)
        is_there = container is not None and container.exit_status is None and container.state != "created"
        return State(RUNNING, "is running") if is_there else told

    return {wanted.name: state(wanted) for wanted in asked}
