"""Why a container is as it is: the state is told by core/plan/container_state, the end of a life by `ends`; this puts both together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dusty_tasks.core.history.cause import Blamed, Cause, CauseKind, Confidence, ended, seconds_text
from dusty_tasks.core.history.ends import Life, blame, why_it_ended
from dusty_tasks.core.history.events import DESTROY, DIE, HEALTH, START, Event, life_before
from dusty_tasks.core.history.inspected import Inspected
from dusty_tasks.core.history.start_errors import line_of_full_disk, told_by_error
from dusty_tasks.core.of_verbs.findings import seconds_of
from dusty_tasks.core.plan.change import PlaceOf
from dusty_tasks.core.plan.container_state import (
    ABSENT,
    CREATED,
    NOT_ANSWERING,
    OFF,
    PAUSED,
    RUNNING,
    STARTING,
    STOPPED,
    UNHEALTHY,
    UNKNOWN,
    State,
    why_it_serves,
)
from dusty_tasks.core.plan.started import StartedRecord
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.text.wording import counted

TOGETHER = 0.5
"""Seconds within which the engine may note two ends in either order: it notes that of a container when all of its processes are gone, and by then
somebody who was connected to one of them may be gone as well.
"""
SLACK = 2.0
"""Seconds between the engine's note of a start and ours."""
MEMORY_KEYS: tuple[tuple[str, ...], ...] = (("mem_limit",), ("deploy", "resources", "limits", "memory"))
"""Where the Compose file limits memory."""


class Case(NamedTuple):
    """All that is known of one container."""

    name: str
    state: State
    seen: Inspected | None = None
    """None for one without a container."""
    record: StartedRecord = {}
    wanted: WantedContainer | None = None
    events: Sequence[Event] = ()
    """Of this container and of former ones of the same name, in order of time."""
    printed: str = ""
    """Its last lines."""
    verdict: str = ""
    """Why its routes are not answered, asked just now: `nothing listens on 80; the container listens on 81`."""
    has_image: bool | None = None
    """Whether the engine has its image; None where nobody asked."""
    image: str = ""


class Stack(NamedTuple):
    """The cases of a container and of all that it needs."""

    cases: Mapping[str, Case]
    place_of: PlaceOf
    engine_started: float = 0.0


def cause_of(name: str, stack: Stack, above: frozenset[str] = frozenset()) -> Cause:
    """Why the container of `name` is as it is. `above` are those that are being explained by it: needs may go in circles."""
    case = stack.cases[name]
    needs = _down_needs(case, stack, above | {name})
    state = case.state
    if state.name in (OFF, UNKNOWN):
        return Cause(CauseKind.UNKNOWN, state.what, Confidence.UNKNOWN)
    if case.seen is None or state.name in (ABSENT, CREATED) or case.seen.cannot_start:
        return _not_started(case, stack)
    if state.name == PAUSED:
        return Cause(CauseKind.STOPPED, "it was paused")
    if state.detail == "restarting":
        return _looping(case, stack, needs)
    if case.seen.has_ended:
        return _gave_up(case, _end(case, stack, needs))
    if state.name == UNHEALTHY:
        return _unhealthy(case, stack, needs)
    if state.name == NOT_ANSWERING or (state.name == STARTING and case.verdict):
        return _silent(case, stack, needs)
    if state.name in (RUNNING, STARTING, STOPPED):
        return Cause(CauseKind.NONE)
    return Cause(CauseKind.UNKNOWN, state.what, Confidence.UNKNOWN)


def last_end(name: str, stack: Stack) -> Cause | None:
    """Why its life before this one ended, for a container that runs and was started again by the engine; None where there is none."""
    case = stack.cases[name]
    if case.seen is None or case.seen.has_ended or not case.seen.finished_at or not case.seen.restarts:
        return None
    if case.state.detail == "restarting":
        return None  # Its cause tells.
    return _end(case, stack, _down_needs(case, stack, frozenset({name})))


def end_of(name: str, stack: Stack) -> tuple[float, Cause] | None:
    """When its last life that ended did, and why; None for one that never ended."""
    seen = stack.cases[name].seen
    if seen is None or not seen.finished_at:
        return None
    return seen.finished_at, _end(stack.cases[name], stack, _down_needs(stack.cases[name], stack, frozenset({name})))


def needed_by(wanted: WantedContainer | None) -> tuple[str, ...]:
    """The containers that one needs to be up, nearest first."""
    if wanted is None:
        return ()
    return tuple(dict.fromkeys([*filter(None, [wanted.shares_network_of]), *wanted.after]))


def _down_needs(case: Case, stack: Stack, above: frozenset[str]) -> tuple[Blamed, ...]:
    """What it needs, or what that needs, and was down when it ended (or is now), the latest end first."""
    at = case.seen.finished_at if case.seen and case.seen.finished_at else 0.0
    if case.seen and not case.seen.has_ended and case.state.detail != "restarting":
        at = 0.0
    found = []
    for name in needed_by(case.wanted):
        if name in above or name not in stack.cases:
            continue
        cause = _end_at(name, stack, at, above)
        if cause:
            found.append(Blamed(name, cause))
        else:
            found += _down_needs(stack.cases[name]._replace(seen=case.seen, state=case.state), stack, above | {name})
    return tuple(sorted(found, key=lambda blamed: -blamed.cause.at))


def _end_at(name: str, stack: Stack, at: float, above: frozenset[str]) -> Cause | None:
    """Why a container was down at `at` (0: now); None if it was not, or its work was done."""
    seen = stack.cases[name].seen
    if seen is None or seen.cannot_start:
        cause = _not_started(stack.cases[name], stack)
        return cause if stack.cases[name].wanted else None
    is_down = seen.has_ended or (seen.finished_at and at and seen.finished_at <= at + TOGETHER and at < seen.started_at)
    if not is_down or (at and seen.finished_at > at + TOGETHER):
        return None
    cause = _end(stack.cases[name], stack, _down_needs(stack.cases[name], stack, above | {name}))
    return None if cause.kind == CauseKind.FINISHED else cause


def _end(case: Case, stack: Stack, needs: Sequence[Blamed]) -> Cause:
    """Why the last life that ended did."""
    seen = case.seen
    assert seen is not None
    mine = [event for event in case.events if event.container_id == seen.container_id[:12]]
    if seen.has_ended:
        events = [event for event in mine if event.at >= seen.began_at]
        started_at: float = seen.began_at
        status: int | None = seen.status
        was_ready = _was_ready(case)
    else:
        dies = [i for i, event in enumerate(mine) if event.what == DIE and event.at <= seen.started_at + 1]
        events = life_before(mine, dies[-1]) if dies else []
        started_at = events[0].at if events and events[0].what == START else 0.0
        status, was_ready = (events[-1].status if events else None), None
    memory = memory_key(case.wanted)
    return why_it_ended(
        Life(
            ended_at=seen.finished_at,
            started_at=started_at,
            status=status,
            events=events,
            is_oom=seen.is_oom and seen.has_ended,
            memory_limit=seen.memory_limit,
            memory_place=stack.place_of(case.name, memory) if memory else "",
            command_place=stack.place_of(case.name, ("commands", "always")) if case.wanted else "",
            stop_time=seen.stop_time,
            stop_signal=seen.stop_signal,
            stopped_by_dusty=bool(case.record.get("stopped")) and seen.has_ended,
            was_ready=was_ready,
            serves=why_it_serves(case.wanted) if case.wanted else "",
            printed=case.printed,
            engine_started=stack.engine_started,
            died_before=needs,
        )
    )


def _was_ready(case: Case) -> bool | None:
    """Whether somebody saw it ready after its last start; None where that start was none of Dusty's, and so nobody looked."""
    seen, record = case.seen, case.record
    if seen is None or not record or seen.restarts:
        return None
    try:
        is_others = seen.began_at > seconds_of(record.get("time") or "") + SLACK
    except ValueError:
        is_others = False
    return None if is_others else record.get("ready", True)


def memory_key(wanted: WantedContainer | None) -> tuple[str, ...]:
    """The key of the Compose file that limits its memory; () for none."""
    for path in MEMORY_KEYS if wanted else ():
        value: object = wanted.mapping if wanted else None
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            return path
    return ()


def _not_started(case: Case, stack: Stack) -> Cause:
    """Why there is no container, or one that never ran."""
    image_place = stack.place_of(case.name, ("image",)) if case.wanted else ""
    error = case.seen.error if case.seen else ""
    noted = case.record.get("trouble") or ""
    at = max((event.at for event in case.events), default=0.0)
    if told := told_by_error(error or noted.removeprefix("could not be started: ")):
        place = image_place if told.kind == CauseKind.BAD_IMAGE else _place_of_start(case, stack, told.kind)
        return Cause(told.kind, told.words, at=at, place=place)
    if case.has_image is False and case.wanted:
        words = f"its image {case.image} is not on the Docker host"
        return Cause(CauseKind.BAD_IMAGE, words, at=at, place=image_place)
    destroyed = [event for event in case.events if event.what == DESTROY]
    if case.seen is None and destroyed:
        return Cause(CauseKind.STOPPED, "its container was removed", Confidence.CERTAIN, destroyed[-1].at)
    if case.seen is None:
        return Cause(CauseKind.UNKNOWN, "no reason was recorded for it having no container", Confidence.UNKNOWN, at)
    return Cause(
        CauseKind.UNKNOWN, "it was created but not started, and no reason was recorded", Confidence.UNKNOWN, at
    )


def _place_of_start(case: Case, stack: Stack, kind: CauseKind) -> str:
    keys = {CauseKind.MISSING_COMMAND: ("entrypoint", "command"), CauseKind.PORT_TAKEN: ("ports",)}.get(kind, ())
    mapping = case.wanted.mapping if case.wanted else {}
    return next((stack.place_of(case.name, (key,)) for key in keys if key in mapping), "")


def _looping(case: Case, stack: Stack, needs: Sequence[Blamed]) -> Cause:
    assert case.seen is not None
    inner = _end(case, stack, needs)
    many = f"{counted(case.seen.restarts, 'time')} ({case.seen.policy_text})"
    place = stack.place_of(case.name, ("restart",)) if case.wanted and "restart" in case.wanted.mapping else ""
    return Cause(
        CauseKind.RESTART_LOOP,
        f"restarted by the engine {many}; the last time it {ended(inner)}",
        at=inner.at,
        status=inner.status,
        place=place,
        before=(Blamed(case.name, inner),),
    )


def _gave_up(case: Case, cause: Cause) -> Cause:
    """The end of a container that the engine restarted until its policy said that it is enough."""
    seen = case.seen
    if seen is None or not seen.restarts or cause.kind in (CauseKind.STOPPED, CauseKind.STOP_TIME, CauseKind.KILLED):
        return cause
    if not seen.most_restarts or seen.restarts < seen.most_restarts:
        return cause
    words = f"the engine restarted it {counted(seen.restarts, 'time')} ({seen.policy_text}) and gave up; {cause.text}"
    return cause._replace(kind=CauseKind.RESTART_LOOP, words=words, place="", before=(Blamed(case.name, cause),))


def _unhealthy(case: Case, stack: Stack, needs: Sequence[Blamed]) -> Cause:
    probe = case.seen.probe if case.seen else None
    place = stack.place_of(case.name, ("healthcheck",)) if case.wanted and "healthcheck" in case.wanted.mapping else ""
    last = probe.printed.splitlines()[-1].strip() if probe and probe.printed else ""
    how = f"status {probe.status}" if probe else "and no reason was recorded"
    at = max((e.at for e in case.events if (e.what, e.text) == (HEALTH, "unhealthy")), default=0.0)
    at = at or (case.seen.ill_since if case.seen else 0.0)
    words = f"its health check fails, {how}{f': {last}' if last else ''}"
    if line := line_of_full_disk(f"{case.printed}\n{probe.printed if probe else ''}"):
        return Cause(CauseKind.DISK_FULL, f"a disk is full in it: {line}", Confidence.LIKELY, at=at, place=place)
    return _with_needs(Cause(CauseKind.PROBE_FAILS, words, at=at, place=place), needs)


def _silent(case: Case, stack: Stack, needs: Sequence[Blamed]) -> Cause:
    if line := line_of_full_disk(case.printed):
        return Cause(CauseKind.DISK_FULL, f"a disk is full in it: {line}", Confidence.LIKELY)
    verdict = case.verdict or case.state.what
    kind = CauseKind.WRONG_PORT if "listen" in verdict else CauseKind.SILENT
    cause = Cause(kind, verdict, Confidence.CERTAIN if kind == CauseKind.WRONG_PORT else Confidence.UNKNOWN)
    return _with_needs(cause, needs)


def _with_needs(cause: Cause, needs: Sequence[Blamed]) -> Cause:
    """A cause of one that runs, and what it needs and is down."""
    if not needs:
        return cause
    blamed = needs[0]
    said = f"{blamed.name}, which it needs, {ended(blamed.cause)}" if blamed.cause.at else blame(blamed, 0.0)
    return cause._replace(words=f"{cause.words}; {said}", before=(blamed,))


def when(cause: Cause, now: float) -> str:
    """`12 s ago`; '' where nobody knows."""
    return f"{seconds_text(now - cause.at)} ago" if cause.at else ""
