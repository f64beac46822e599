"""Why one life of a container ended: from its status, the events of that life, what the engine flags, and what was printed last.

What the engine says itself comes first (memory, kills, stops), then what was printed, then the order of time (a dependency that died before).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dusty_tasks.core.history.cause import Blamed, Cause, CauseKind, Confidence, ended, seconds_text
from dusty_tasks.core.history.events import DIE, KILL, OOM, STOP, Event, signal_name
from dusty_tasks.core.history.start_errors import (
    is_other_processor,
    line_of_full_disk,
    line_of_taken_port,
    missing_command,
)
from dusty_tasks.core.plan.container_state import SETTLED
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import size_text

ENGINE_STOPS_IN, ENGINE_STARTS_IN = 30.0, 5.0
"""Seconds between an end and the start of the engine within which they belong together: it gives its containers fifteen to stop, and one that was
killed stops them when it starts again.
"""
A_MOMENT = 0.05
LATE = 10.0
"""Seconds within which the end of what an app needs is taken for the cause of its own."""
KILLED_BY = {9: "killed", 15: "ended", 2: "interrupted"}
CRASHES = {
    4: "it ran an instruction that the processor does not support",
    6: "it aborted, as a failed assertion does",
    7: "it accessed invalid memory (bus error)",
    8: "it made an arithmetic error, such as a division by zero",
    11: "it accessed memory that is not its own (segmentation fault)",
    13: "it wrote to a pipe or socket that was closed",
    31: "it made a system call that its container may not make",
}


class Life(NamedTuple):
    """One life of a container, from its start to its end."""

    ended_at: float
    started_at: float = 0.0
    """0 where nobody knows."""
    status: int | None = None
    events: Sequence[Event] = ()
    """Of this life."""
    is_oom: bool = False
    memory_limit: int = 0
    memory_place: str = ""
    command_place: str = ""
    """Where the commands of an app stand in its spec."""
    stop_time: int = 10
    stop_signal: int = 15
    stopped_by_dusty: bool = False
    was_ready: bool | None = None
    """Whether somebody saw it ready; None where nobody noted that."""
    serves: str = ""
    """Why it should have gone on: `a route points to it`."""
    printed: str = ""
    """Its last lines."""
    engine_started: float = 0.0
    died_before: Sequence[Blamed] = ()
    """What it needs and was down when it ended, nearest first."""


def why_it_ended(life: Life) -> Cause:
    """The cause of the end of `life`."""
    found = (
        _by_memory(life)
        or _by_dusty(life)
        or _by_engine_restart(life)
        or _by_stop_or_kill(life)
        or _by_what_it_printed(life)
        or _by_dependency(life)
        or _by_signal(life)
        or _by_itself(life)
    )
    return found._replace(at=life.ended_at, status=life.status)


def _signals(life: Life) -> list[int]:
    return [event.signal for event in life.events if event.what == KILL]


def _by_memory(life: Life) -> Cause | None:
    if not life.is_oom and not any(event.what == OOM for event in life.events):
        return None
    if life.memory_limit:
        words = f"out of memory, limit {size_text(life.memory_limit).replace('.0 ', ' ')}"
    else:
        words = "out of memory: it has no limit of its own, so the Docker host had none left, or a limit above it was reached"
    if life.status == 137:
        return Cause(CauseKind.OUT_OF_MEMORY, words, place=life.memory_place)
    return Cause(
        CauseKind.OUT_OF_MEMORY,
        f"{words}; one of its processes was killed for that",
        Confidence.LIKELY,
        place=life.memory_place,
    )


def _by_dusty(life: Life) -> Cause | None:
    return _stopped(life, f"`{DUSTY} stop`") if life.stopped_by_dusty else None


def _stopped(life: Life, by: str, confidence: Confidence = Confidence.CERTAIN) -> Cause:
    if life.status == 137:
        return Cause(
            CauseKind.STOP_TIME,
            f"stopped by {by}; it did not exit within {life.stop_time} s of {signal_name(life.stop_signal)}, so it was killed",
            confidence,
        )
    return Cause(CauseKind.STOPPED, f"stopped by {by}", confidence)


def _by_engine_restart(life: Life) -> Cause | None:
    if not life.engine_started or not -ENGINE_STARTS_IN <= life.engine_started - life.ended_at <= ENGINE_STOPS_IN:
        return None
    if life.started_at > life.engine_started:
        return None
    signals, is_noted = _signals(life), any(event.what == DIE for event in life.events)
    if is_noted and signals[:1] != [life.stop_signal]:
        return None  # Somebody heard how it ended, and it was not asked to stop.
    if life.status not in (None, 0, 255) and not 128 < life.status < 160 and not signals:
        return None  # It had an end of its own.
    return Cause(CauseKind.ENGINE_RESTARTED, "the Docker engine was restarted", Confidence.LIKELY)


def _by_stop_or_kill(life: Life) -> Cause | None:
    signals = _signals(life)
    if not signals:
        return None
    is_stop = any(event.what == STOP for event in life.events) or signals[-1] == 9
    if is_stop and life.stop_signal in signals and life.stop_signal != 9:
        return _stopped(life, "`docker stop`, or another program through the engine")
    number = signals[-1]
    if number != 9 and life.status not in (None, 0, 128 + number):
        return None  # It went on after a signal that was no order to end, such as HUP.
    words = f"{KILLED_BY.get(number, 'ended')} by `docker kill` ({signal_name(number)}), or by another program through the engine"
    if number == life.stop_signal:
        words = f"ended by {signal_name(number)} from `docker stop` or `docker kill`"
    return Cause(CauseKind.KILLED, words)


def _by_what_it_printed(life: Life) -> Cause | None:
    if line := line_of_full_disk(life.printed) if life.status else "":
        return Cause(CauseKind.DISK_FULL, f"a disk is full in it: {line}", Confidence.LIKELY)
    if life.status in (126, 127):
        if is_other_processor(life.printed):
            return Cause(
                CauseKind.BAD_IMAGE, "its command was built for another processor architecture", Confidence.LIKELY
            )
        command = missing_command(life.printed)
        lacks = "is not executable" if life.status == 126 else "is not in its image"
        return Cause(
            CauseKind.MISSING_COMMAND,
            f"{command} {lacks}" if command else f"a command {lacks}",
            Confidence.CERTAIN if command else Confidence.LIKELY,
            place=life.command_place,
        )
    if line := line_of_taken_port(life.printed) if life.status else "":
        return Cause(CauseKind.PORT_TAKEN, f"a port that it listens on is already in use: {line}", Confidence.LIKELY)
    return None


def _by_dependency(life: Life) -> Cause | None:
    if life.status == 0 and not life.serves:
        return None
    for blamed in life.died_before:
        at = blamed.cause.at
        was_down_at_start = bool(life.started_at and at < life.started_at)
        if not at or life.ended_at - at <= LATE or was_down_at_start:
            return Cause(CauseKind.DEPENDENCY, blame(blamed, life.ended_at), Confidence.LIKELY, before=(blamed,))
    return None


def blame(blamed: Blamed, at: float) -> str:
    """`redis exited 0.4 s before, with status 137: out of memory, limit 64 MiB, services/redis.yml:7:14`."""
    cause = blamed.cause
    if not cause.at:
        return f"{blamed.name} does not run: {cause.text}"
    words = ended(cause._replace(at=0.0))
    when = "at the same moment" if at - cause.at < A_MOMENT else f"{seconds_text(at - cause.at)} before"
    return f"{blamed.name} exited {when}{',' if cause.status is not None else ''}{words.removeprefix('exited')}"


def _by_signal(life: Life) -> Cause | None:
    if life.status is None or not 128 < life.status < 160:
        return None
    number = life.status - 128
    if number in CRASHES:
        return Cause(CauseKind.CRASHED, f"{CRASHES[number]} ({signal_name(number)})")
    if number not in KILLED_BY:
        return None
    name = signal_name(number)
    if any(event.what == DIE for event in life.events):
        return Cause(
            CauseKind.KILLED,
            f"{KILLED_BY[number]} by {name} that did not come through the engine but from a process in it or on the Docker host"
            + (", or from the kernel because the Docker host has no memory left" if number == 9 else ""),
            Confidence.LIKELY,
        )
    return Cause(CauseKind.UNKNOWN, f"{KILLED_BY[number]} by {name}; its sender was not recorded", Confidence.UNKNOWN)


def _by_itself(life: Life) -> Cause:
    lasted = life.ended_at - life.started_at if life.started_at else None
    after = f" {seconds_text(lasted)} after its start" if lasted is not None else ""
    if life.status is None:
        return Cause(CauseKind.UNKNOWN, "no exit was recorded", Confidence.UNKNOWN)
    if life.status == 0:
        if life.serves:
            return Cause(CauseKind.CRASHED, f"it exited on its own{after}, and {life.serves}")
        return Cause(CauseKind.FINISHED, f"its work was done{after}")
    is_start = life.was_ready is False or (life.was_ready is None and lasted is not None and lasted < SETTLED)
    if is_start:
        return Cause(CauseKind.CRASHED_AT_START, f"it failed{after}, before it was ready")
    return Cause(CauseKind.CRASHED, f"it failed on its own{after}")
